package fit

import (
	"fmt"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// run is what fit wants to know of a run: the longest row of probes that ping
// would have lost, for each interval that is asked about, and how the outage was.
type run struct {
	lost           []int32       // a place for each interval of the sample
	outage         time.Duration // the longest after the fault
	request, reply time.Duration // how long each direction failed in it
	onLink         [2]bool       // the request's, the reply's path used the failed link
}

// sample is what n runs of one design gave, in the order of their seeds.
type sample struct {
	runs      []run
	intervals []time.Duration
}

// lead is how long before the event the ping begins.
const lead = 30 * time.Second

// aim makes a design say only what fit asks: one ping, one event, and enough
// time after it. What the story does later, such as putting a tunnel up again, is
// put off until after the end: what is looked for is what ended the outage by
// itself. A fault's own `for:` stays, as part of it.
func aim(d *topology.Design, every, window time.Duration) (event int, err error) {
	switch {
	case d.Internet != nil:
		return 0, fmt.Errorf("a graph of ASes without packets has no ping to compare with")
	case len(d.Probes) == 0:
		return 0, fmt.Errorf("the scenario pings nothing: it needs a `probe`")
	}
	event = -1
	for i := range d.Story {
		f := &d.Story[i]
		if !f.Kind.Mends() && (event < 0 || f.At.Min() < d.Story[event].At.Min()) {
			event = i
		}
	}
	if event < 0 {
		return 0, fmt.Errorf("nothing fails in the scenario: it needs a `story`")
	}
	latest := d.Story[event].At.Max()
	d.For = latest + window
	for i := range d.Story {
		f := &d.Story[i]
		late := f.At.Min() > latest
		if f.Until > 0 {
			at := d.Story[f.Until-1].At
			late = at.Min() > latest
		}
		if late {
			f.Until, f.At = 0, topology.Const(d.For+time.Hour)
		}
	}
	d.Probes = d.Probes[:1:1]
	d.Probes[0].Every, d.Probes[0].For = every, 0
	// Earlier pings would cost time and tell nothing; dead peer detection knows of the last ones only.
	d.Probes[0].Start = max(0, d.Story[event].At.Min()-lead)
	return event, nil
}

// simulate runs the design with the seeds from first on. Who runs which of them,
// and on how many cores, makes no difference: each has its own place.
func simulate(d *topology.Design, event, n int, first uint64, intervals []time.Duration, workers int) *sample {
	s := &sample{runs: make([]run, n), intervals: intervals}
	lost := make([]int32, n*len(intervals))
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	const chunk = 16
	var (
		next atomic.Int64
		wait sync.WaitGroup
	)
	for range min(workers, (n+chunk-1)/chunk) {
		wait.Go(func() {
			net := network.New(d, network.Options{})
			var spans []span
			for {
				from := int(next.Add(chunk)) - chunk
				if from >= n {
					return
				}
				for i := from; i < min(from+chunk, n); i++ {
					seed := first + uint64(i)
					r := &s.runs[i]
					r.lost = lost[i*len(intervals) : (i+1)*len(intervals)]
					spans = r.see(net.Run(seed), net.FaultTime(event), d.Story[event].Link, seed, intervals, spans[:0])
				}
			}
		})
	}
	wait.Wait()
	return s
}

// span of an outage after the fault.
type span struct{ from, to time.Duration }

// see notes what the run was like. The exact outages are turned into lost probes
// of a ping whose phase is drawn, since nobody pressed Enter and deleted a tunnel
// at moments that had to do with each other.
func (r *run) see(res *network.Result, fault sim.Time, link int, seed uint64, intervals []time.Duration, spans []span) []span {
	p := &res.Probes[0]
	for _, c := range p.Paths() {
		if c.At < fault {
			dir := 0
			if c.Reply {
				dir = 1
			}
			r.onLink[dir] = link >= 0 && c.Link == link
		}
	}
	for _, o := range p.Outages {
		if o.Start < fault {
			continue // it was there before
		}
		spans = append(spans, span{o.Start.Sub(fault), o.End.Sub(fault)})
		if d := o.End.Sub(o.Start); d > r.outage {
			r.outage, r.request, r.reply = d, o.Request, o.Reply
		}
	}
	phase := sim.StreamName("fit/phase")
	stream := sim.HashStream(seed ^ uint64(phase))
	u := stream.Uint64()
	for k, every := range intervals {
		offset, _ := bits.Mul64(u, uint64(every))
		r.lost[k] = longestRow(spans, every, time.Duration(offset))
	}
	return spans
}

// longestRow of probes, sent at offset and every interval after it, that fall
// into a span.
func longestRow(spans []span, every, offset time.Duration) int32 {
	// The number of the first probe that is sent at t or later.
	at := func(t time.Duration) int64 { return int64((t - offset + every - 1) / every) }
	var longest, begun, end int64
	for i, s := range spans {
		from, to := max(at(s.from), 0), max(at(s.to), 0)
		if i == 0 || from > end {
			begun = from
		}
		end = to
		longest = max(longest, end-begun)
	}
	return int32(longest)
}
