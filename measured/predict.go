package measured

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/lab"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// prediction is a case, simulated many times.
type prediction struct {
	every  time.Duration // of the pings, the shortest interval
	gaps   []int64
	open   int
	events []string // of the story, in words
	// reactions, by event and router: those of whose routes some changed after it.
	reactions map[reactor]*reaction
	happened  []int // by event: in so many runs
}

// reactor is a router, and an event of the story.
type reactor struct {
	event  int
	router string
}

// reaction is when the first of a router's routes changed after an event and before the
// next one.
type reaction struct {
	after  []int64
	waits  map[timer][]int64 // the longest wait of each run
	timers []timer           // in the order in which they were met
}

// timer is what a wait is for.
type timer struct{ what, parameter, value string }

// predict simulates a plan.
func predict(ctx context.Context, p *lab.Plan, length time.Duration, runs int, seed uint64) (*prediction, error) {
	d, until := p.Simulated(p.Length(lab.Options{For: length}))
	log := &trace.Log{}
	opt := lab.Simulation
	opt.Log = log
	n := network.New(d, opt)
	out := &prediction{reactions: map[reactor]*reaction{}, happened: make([]int, len(d.Story))}
	for i := range d.Probes {
		if out.every == 0 || d.Probes[i].Every < out.every {
			out.every = d.Probes[i].Every
		}
	}
	for i := range d.Story {
		out.events = append(out.events, n.FaultText(i))
	}
	for i := range runs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		res := n.Run(seed + uint64(i))
		gap, open := lab.SimulatedGap(d, res, until)
		out.gaps = append(out.gaps, int64(gap))
		if open {
			out.open++
		}
		out.look(d, n, log, until)
	}
	return out, nil
}

// look notes whose routes changed when, in the run that has just ended.
func (out *prediction) look(d *topology.Design, n *network.Network, log *trace.Log, until sim.Time) {
	story := make([]int, 0, len(d.Story))
	for i := range d.Story {
		if n.FaultTime(i) <= until {
			story = append(story, i)
			out.happened[i]++
		}
	}
	slices.SortStableFunc(story, func(a, b int) int { return cmp.Compare(n.FaultTime(a), n.FaultTime(b)) })
	if len(story) == 0 {
		return
	}
	seen := map[reactor]bool{}
	next := 0 // of the story
	for i := range log.Notes {
		x := &log.Notes[i]
		if x.Kind != trace.NoteFIB || x.At > until {
			continue
		}
		for next < len(story) && n.FaultTime(story[next]) <= x.At {
			next++
		}
		if next == 0 {
			continue
		}
		who := reactor{story[next-1], d.Routers[x.Router].Name}
		if seen[who] {
			continue
		}
		seen[who] = true
		r := out.reactions[who]
		if r == nil {
			r = &reaction{waits: map[timer][]int64{}}
			out.reactions[who] = r
		}
		began := n.FaultTime(who.event)
		r.after = append(r.after, int64(x.At.Sub(began)))
		r.blame(longest(explain.Since(d, n, log, x.Event, x.Prefix, began)))
	}
}

// longest wait of a chain.
func longest(chain []report.Wait) (w report.Wait) {
	for _, x := range chain {
		if x.EndS-x.StartS > w.EndS-w.StartS {
			w = x
		}
	}
	return w
}

func (r *reaction) blame(w report.Wait) {
	t := timer{w.What, w.Parameter, w.Value}
	if w.EndS == w.StartS {
		t = timer{what: "at once"}
	}
	if r.waits[t] == nil {
		r.timers = append(r.timers, t)
	}
	r.waits[t] = append(r.waits[t], int64(w.EndS-w.StartS))
}
