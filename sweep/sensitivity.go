package sweep

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/topology"
)

// Which settings does a result depend on? Two answers, since neither is enough. One at a
// time: each setting alone takes its values, everything else is as it is, and each run is
// compared with the one of the same seed. That finds, to the nanosecond, what does nothing
// here; it does not see what two settings do only together. Sobol's indices: all settings are
// varied at once, and the variance of the result is divided among them and chance, which is
// one more dimension, the seed. The difference between an index of first order and a total
// one is what a setting does together with others.

// Usual settings that a design's sensitivity is about when nobody names others: timers and
// delays of every router that people turn.
var usualKeys = []topology.Key{
	topology.BGPHold, topology.BGPKeepalive, topology.BGPMRAI, topology.BGPProcessing, topology.BGPConnectRetry, topology.BGPIdleHold,
	topology.VPNDPDInterval, topology.FIBDelay, topology.RouteTableDelay, topology.TCPRTO,
}

// UsualVary is half of and twice what each usual setting of each router is now, as far as
// the scenario can be read with that.
func UsualVary(d *topology.Design, load func(sets []string) (*topology.Design, error)) (list []Vary) {
	for i := range d.Routers {
		r := &d.Routers[i]
		for _, k := range usualKeys {
			v := Vary{Path: "routers." + r.Name + "." + k.String()}
			for _, text := range around(k, &r.Settings[k].Dist) {
				if _, err := load([]string{v.Path + "=" + text}); err == nil {
					v.Values = append(v.Values, text)
				}
			}
			if len(v.Values) > 0 {
				list = append(list, v)
			}
		}
	}
	return list
}

// around gives values on either side of what is.
func around(k topology.Key, now *topology.Dist) []string {
	lo, hi := now.Min(), now.Max()
	if hi == 0 {
		other := map[topology.Key]time.Duration{topology.BGPMRAI: 30 * time.Second, topology.VPNDPDInterval: 10 * time.Second}
		return []string{topology.FormatDuration(cmp.Or(other[k], 500*time.Millisecond))}
	}
	half, twice := lo/2, 2*hi
	if lo%time.Second == 0 && lo >= 2*time.Second {
		half = half.Truncate(time.Second)
	}
	return []string{topology.FormatDuration(half), topology.FormatDuration(twice)}
}

// Sensitivity of a metric to settings.
type Sensitivity struct {
	Metric     Metric
	Seeds      int64 // of each value, one at a time
	Rows       int   // of Sobol's plan; 0: it was left out
	Parameters []Effect
	Chance     stats.Index
}

// Effect is what one setting does.
type Effect struct {
	Vary
	Pairs []*stats.Pairs // with the runs as it is, value by value
	Sobol stats.Index
}

// Changed is the share of runs that some value changes at all: of the value that changes
// most.
func (e *Effect) Changed() stats.Share {
	most := stats.NewShare(0, e.Pairs[0].N(), Confidence)
	for _, p := range e.Pairs {
		if s := p.Changed(Confidence); s.K > most.K {
			most = s
		}
	}
	return most
}

// Strongest is the value whose mean difference is farthest from zero.
func (e *Effect) Strongest() (value string, mean stats.Mean) {
	for i, p := range e.Pairs {
		m := p.Mean(Confidence)
		if i == 0 || max(m.Value, -m.Value) > max(mean.Value, -mean.Value) {
			value, mean = e.Values[i], m
		}
	}
	return value, mean
}

// OneAtATime is the grid for it: the first point is the scenario as it is.
func OneAtATime(list []Vary) [][]string {
	points := [][]string{{}}
	for _, v := range list {
		for _, x := range v.Values {
			points = append(points, []string{v.Path + "=" + x})
		}
	}
	return points
}

// Effects reads a sweep of OneAtATime.
func (res *Result) Effects(list []Vary, metric string) *Sensitivity {
	m := res.Metric(metric)
	out := &Sensitivity{Metric: res.Metrics[m], Seeds: res.Points[0].Runs}
	point := 1
	for _, v := range list {
		e := Effect{Vary: v}
		for range v.Values {
			e.Pairs = append(e.Pairs, res.Points[point].Cells[m].Pairs)
			point++
		}
		out.Parameters = append(out.Parameters, e)
	}
	return out
}

// MostRows of Sobol's plan: more than anybody waits for.
const MostRows = 100_000

// Sobol fills in the indices. now are the values of the settings as they are, which count
// as one of the listed values; a range is taken as it is.
func (s *Sensitivity) Sobol(ctx context.Context, rows int, seed uint64, opt Options, load func(sets []string) (*topology.Design, error)) error {
	if len(s.Parameters) == 0 || rows == 0 {
		return nil
	}
	chance := len(s.Parameters)
	plan := stats.NewSensitivity(rows, chance+1, seed)
	results := make([]float64, plan.Runs())
	failed := make([]error, plan.Runs())
	todo := make(chan int)
	var workers sync.WaitGroup
	var mu sync.Mutex
	done := int64(0)
	r := runner{opt: opt}
	for range r.workers() {
		workers.Go(func() {
			for i := range todo {
				results[i], failed[i] = s.sample(plan.Point(i), seed, load)
				mu.Lock()
				if done++; opt.Progress != nil {
					opt.Progress(done, int64(len(results)))
				}
				mu.Unlock()
			}
		})
	}
	for i := range results {
		if ctx.Err() != nil {
			break
		}
		todo <- i
	}
	close(todo)
	workers.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if i := slices.IndexFunc(failed, func(err error) bool { return err != nil }); i >= 0 {
		return failed[i]
	}
	s.Rows = rows
	indices := plan.Indices(results, Confidence, seed)
	for i := range s.Parameters {
		s.Parameters[i].Sobol = indices[i]
	}
	s.Chance = indices[chance]
	return nil
}

// chances is how many different seeds the dimension of chance has.
const chances = 1 << 20

// sample runs the point of a plan.
func (s *Sensitivity) sample(x []float64, seed uint64, load func(sets []string) (*topology.Design, error)) (float64, error) {
	var sets []string
	for i := range s.Parameters {
		v := &s.Parameters[i].Vary
		if v.Range != nil {
			sets = append(sets, v.Path+"="+v.Pick(x[i]))
			continue
		}
		// What is now is one of the values, and is left alone.
		if place := int(x[i] * float64(len(v.Values)+1)); place > 0 {
			sets = append(sets, v.Path+"="+v.Values[min(place, len(v.Values))-1])
		}
	}
	d, err := load(sets)
	if err != nil {
		return 0, fmt.Errorf("%v: %w", sets, err)
	}
	sampler, err := NewSampler(d, []Metric{s.Metric})
	if err != nil {
		return 0, err
	}
	out := make([]int64, 1)
	_, err = sampler.Sample(seed+uint64(x[len(x)-1]*chances), out)
	return float64(out[0]), err
}
