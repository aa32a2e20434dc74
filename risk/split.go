package risk

import (
	"slices"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/topology"
)

// entrance is a run at the moment when its silence reached a level.
type entrance struct {
	seed    uint64
	splices []network.Splice
	reach   network.Reach
}

// splitter runs trials.
type splitter struct {
	n    *network.Network
	next uint64 // trial's number, from which its random numbers are made
	seed uint64
}

// trial goes on from a parent (nil: begins) until its silence reaches the target.
func (s *splitter) trial(parent *entrance, target float64) entrance {
	s.next++
	fresh := mix(s.seed, s.next)
	if parent == nil {
		return entrance{fresh, nil, s.n.RunToSilence(fresh, nil, target)}
	}
	if parent.reach.Dropped {
		return *parent // it has passed all levels at once
	}
	splices := append(slices.Clone(parent.splices), network.Splice{At: parent.reach.At, Seed: fresh})
	return entrance{parent.seed, splices, s.n.RunToSilence(parent.seed, splices, target)}
}

// stage runs n trials from parents, which are taken in turn, and returns those that reached the target.
func (s *splitter) stage(parents []entrance, n int, target float64) (reached []entrance) {
	for i := range n {
		var from *entrance
		if parents != nil {
			from = &parents[i*len(parents)/n]
			if len(parents) > n {
				from = &parents[i]
			}
		}
		if x := s.trial(from, target); x.reach.Dropped || target < 1 && x.reach.Silence >= target {
			reached = append(reached, x)
		}
	}
	return reached
}

// mostLevels between nothing and a drop.
const mostLevels = 12

// levels are found by a first round, so that about a fifth gets from one to the next. It is
// not counted: levels that depend on the trials that they divide would make the product biased.
func (s *splitter) levels(n int) (list []float64) {
	var parents []entrance
	for len(list) < mostLevels {
		silences := make([]float64, 0, n)
		dropped := 0
		for i := range n {
			var from *entrance
			if parents != nil {
				from = &parents[i*len(parents)/n]
			}
			x := s.trial(from, 1)
			silences = append(silences, x.reach.Silence)
			if x.reach.Dropped {
				dropped++
			}
		}
		if 5*dropped >= n {
			return list
		}
		slices.Sort(silences)
		last := 0.0
		if len(list) > 0 {
			last = list[len(list)-1]
		}
		level := silences[n-max(n/5, 1)] - 1e-6
		for i := n - max(n/5, 1); i < n && level <= last+1e-3; i++ {
			level = silences[i] - 1e-6
		}
		if level <= last+1e-3 || level >= 0.998 {
			return list
		}
		list = append(list, level)
		if parents = s.stage(parents, n, level); len(parents) == 0 {
			return list[:len(list)-1]
		}
	}
	return list
}

// split estimates the probability of a drop in a window.
func split(d *topology.Design, tunnels int, seed uint64, e Effort) Estimate {
	n := network.New(lasting(d, window), network.Options{})
	pilot := splitter{n: n, seed: mix(seed, 2<<40)}
	levels := append(pilot.levels(e.Trials), 1)
	var each []float64
	hits, tries := make([]int64, len(levels)), make([]int64, len(levels)) // of all repetitions
	for r := range e.Repeats {
		s := splitter{n: n, seed: mix(seed, 3<<40|uint64(r))}
		var parents []entrance
		p := 1.0
		for i, level := range levels {
			reached := s.stage(parents, e.Trials, level)
			hits[i], tries[i] = hits[i]+int64(len(reached)), tries[i]+int64(e.Trials)
			p *= float64(len(reached)) / float64(e.Trials)
			if parents = reached; len(reached) == 0 {
				break
			}
		}
		each = append(each, p)
	}
	m := stats.StudentInterval(each, e.Confidence)
	// Where nobody got over a stage, at most what would have been seen may get over it, and all of
	// those may get to the end.
	upper := 1.0
	for i := range levels {
		share := stats.NewShare(hits[i], tries[i], e.Confidence)
		if hits[i] == 0 {
			m.High = upper * share.High
			break
		}
		upper *= share.Value()
	}
	return Estimate{Method: string(Splitting), PerYear: perYear(m.Value, tunnels), Low: perYear(max(m.Low, 0), tunnels), High: perYear(m.High, tunnels)}
}
