package sweep

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/topology"
)

// The longest outage of a design depends on where in each timer's cycle the failure comes.
// Many seeds draw many phases, and the best of them are looked at more closely: everything
// that the seed has drawn stays, and the moments of the story's events are moved about
// within the limits that the scenario sets, by less and less, as long as that makes it worse.

// Worst is the worst that a search has found, and the run that shows it.
type Worst struct {
	Value int64
	Seed  uint64
	Sets  []string // the moments of the story
	First Witness  // the worst of the seeds alone
	Runs  int64    // with many seeds
	Tried int64    // with moved events
}

// How a search goes: so many of the worst seeds are looked at; of each event first so many
// moments evenly over its range, then steps down to the last one.
const (
	closerLooks = 8
	moments     = 48
	lastStep    = 10 * time.Microsecond
)

// FindWorst searches for the largest value of a metric. The plan has one point, load reads
// its scenario with more assignments.
func FindWorst(ctx context.Context, plan *Plan, opt Options, metric string, load func(sets []string) (*topology.Design, error)) (*Worst, error) {
	m := plan.Metric(metric)
	var seeds []Witness
	opt.Keep = func(b *Block) error {
		seeds = append(seeds, b.Points[0].Cells[m].Worst)
		return nil
	}
	res, err := Run(ctx, plan, opt)
	if err != nil {
		return nil, err
	}
	if res.Points[0].Runs == 0 {
		return nil, ctx.Err()
	}
	slices.SortFunc(seeds, func(a, b Witness) int { return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Seed, b.Seed)) })
	seeds = seeds[:min(len(seeds), closerLooks)]
	found := make([]Worst, len(seeds))
	errs := make([]error, len(seeds))
	var looks sync.WaitGroup
	turns := make(chan struct{}, max(opt.Workers, 2))
	for i, w := range seeds {
		looks.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			l := look{ctx: ctx, plan: plan, metric: m, load: load}
			found[i], errs[i] = l.closer(w)
		})
	}
	looks.Wait()
	worst := Worst{Value: seeds[0].Value, Seed: seeds[0].Seed}
	tried := int64(0)
	for i, f := range found {
		if errs[i] != nil {
			return nil, errs[i]
		}
		tried += f.Tried
		if f.Value > worst.Value {
			worst = f
		}
	}
	worst.First, worst.Runs, worst.Tried = seeds[0], res.Points[0].Runs, tried
	return &worst, nil
}

// look is a closer look at one seed.
type look struct {
	ctx    context.Context
	plan   *Plan
	metric int
	load   func(sets []string) (*topology.Design, error)
	tried  int64
}

// event of the story whose moment is random.
type event struct {
	index  int // in the story
	at     time.Duration
	lo, hi time.Duration
}

// closer moves the events of a seed's story.
func (l *look) closer(w Witness) (Worst, error) {
	d, err := l.load(nil)
	if err != nil {
		return Worst{}, err
	}
	net := network.New(d, network.Options{})
	net.Run(w.Seed)
	var events []event
	for i := range d.Story {
		if f := &d.Story[i]; f.Until == 0 && f.At.IsRandom() {
			events = append(events, event{f.Index, time.Duration(net.FaultTime(i)), f.At.Min(), f.At.Max()})
		}
	}
	best := Worst{Value: w.Value, Seed: w.Seed}
	for i := range events {
		e := &events[i]
		try := func(at time.Duration) bool {
			if at < e.lo || at > e.hi || l.ctx.Err() != nil {
				return false
			}
			moved := slices.Clone(events)
			moved[i].at = at
			v, sets, tryErr := l.value(w.Seed, moved)
			if tryErr != nil {
				err = tryErr
			}
			if tryErr != nil || v <= best.Value {
				return false
			}
			best.Value, best.Sets = v, sets
			e.at = at
			return true
		}
		step := (e.hi - e.lo) / moments
		for at := e.lo; step > 0 && at <= e.hi; at += step {
			try(at)
		}
		for ; step >= lastStep; step /= 2 {
			for try(e.at-step) || try(e.at+step) {
			}
		}
	}
	best.Tried = l.tried
	return best, err
}

// value of the metric with the events at these moments.
func (l *look) value(seed uint64, events []event) (int64, []string, error) {
	var sets []string
	for _, e := range events {
		sets = append(sets, fmt.Sprintf("story[%d].at=%s", e.index, topology.FormatDuration(e.at)))
	}
	d, err := l.load(sets)
	if err != nil {
		return 0, nil, err
	}
	s, err := NewSampler(d, l.plan.Metrics)
	if err != nil {
		return 0, nil, err
	}
	out := make([]int64, len(l.plan.Metrics))
	l.tried++
	_, err = s.Sample(seed, out)
	return out[l.metric], sets, err
}
