package fit

import (
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// Can MRAI act in the user's scenario at all? That is not argued but tried: the
// same seeds run with it and without it, and every outage is compared.

// action is what MRAI of one kind does to the user's scenario.
type action struct {
	variant       variant
	set           func(time.Duration) []setting
	changed, runs int
}

// comparisons are enough to see what changes one run in a hundred.
const comparisons = 400

// settled is a warm-up after which everybody has told everybody everything, ticks
// of 30 s or not.
const settled = 240 * time.Second

func (f *fitter) mraiActs() (map[string]action, error) {
	like := func(mode, jitter string) func(time.Duration) []setting {
		return func(v time.Duration) []setting {
			return []setting{{topology.BGPMRAIMode, mode}, {topology.BGPMRAI, topology.FormatDuration(v)}, {topology.BGPMRAIIBGP, topology.FormatDuration(v)},
				{topology.BGPMRAIJitter, jitter}, {topology.BGPMRAIGranularity, "0s"}}
		}
	}
	kinds := map[string]func(time.Duration) []setting{
		"mrai-tick": like("tick", "1"), "mrai-jitter": like("tick", "0.75"), "mrai-fault": like("since-last-update", "0.75"),
	}
	// Whoever is told at once leaves all the time to MRAI.
	list := []variant{f.scene.alone()}
	if told, ok := f.scene.everybodyKnows(); ok {
		list = append(list, told)
	}
	out := map[string]action{}
	n := min(f.Runs, comparisons)
	changed := map[string][]bool{}
	for key := range kinds {
		changed[key] = make([]bool, n)
	}
	for _, v := range list {
		v.warmup = settled
		without, err := f.outages(v.with(setting{topology.BGPMRAIMode, "none"}), n)
		if err != nil {
			return nil, err
		}
		for key, set := range kinds {
			own := v.with(set(30 * time.Second)...)
			with, err := f.outages(own, n)
			if err != nil {
				return nil, err
			}
			a := action{variant: own, set: set, runs: n}
			for i := range with {
				changed[key][i] = changed[key][i] || !slices.Equal(with[i], without[i])
				if changed[key][i] {
					a.changed++
				}
			}
			out[key] = a
		}
	}
	return out, nil
}

// outages of n runs, and how long each direction failed.
func (f *fitter) outages(v variant, n int) ([][]time.Duration, error) {
	d, event, err := f.aimed(v)
	if err != nil {
		return nil, err
	}
	s := simulate(d, event, n, f.Seed, f.intervals[:1], f.Workers)
	list := make([][]time.Duration, n)
	for i, r := range s.runs {
		list[i] = []time.Duration{r.outage, r.request, r.reply}
	}
	return list, nil
}

// idle tells whether a mechanism of the user's scenario has nothing to do: every
// outage is what it is when both ends are told at once.
func idle(own, told *sample) (runs int, ok bool) {
	n := min(len(own.runs), len(told.runs))
	for i := range n {
		a, b := &own.runs[i], &told.runs[i]
		if a.outage != b.outage || a.request != b.request || a.reply != b.reply {
			return n, false
		}
	}
	return n, n > 0
}
