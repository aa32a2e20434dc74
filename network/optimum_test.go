package network_test

import (
	"slices"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/topology"
)

// medianOver is the median time of a withdrawal's reaction for each MRAI.
func medianOver(t *testing.T, mrai []time.Duration, seeds uint64, sets ...string) (median []time.Duration) {
	t.Helper()
	for _, m := range mrai {
		n := network.New(mustLoad(t, "mrai-optimum", append(sets, "mrai="+topology.FormatDuration(m))...), network.Options{Convergence: true})
		var took []time.Duration
		for seed := range seeds {
			list := n.Run(seed).Reactions
			r := list[len(list)-1]
			if !r.Over {
				t.Errorf("%v, MRAI %v, seed %d is not over: %v", sets, m, seed, r.Waits)
			}
			took = append(took, r.Last.Sub(r.At))
		}
		slices.Sort(took)
		median = append(median, took[len(took)/2])
	}
	return median
}

// Griffin and Premore (2001): convergence time over MRAI is a U, and where its
// lowest point is depends on the network: the more there is to do about the
// UPDATEs of one round, the longer is the best interval. Beyond it the time is
// a straight line.
func TestMRAIHasAnOptimum(t *testing.T) {
	var mrai []time.Duration
	for _, s := range []float64{0, 0.25, 0.5, 1, 2, 3, 4, 5, 7, 10, 20, 30} {
		mrai = append(mrai, time.Duration(s*1e9))
	}
	for _, c := range []struct {
		name       string
		sets       []string
		from, to   time.Duration // the best interval
		rounds     int           // of MRAI beyond the optimum
		withoutGap float64       // how many times as long it takes without MRAI
	}{
		{"a clique of 8, up to 1 s for each UPDATE", nil, 3 * time.Second, 4 * time.Second, 5, 3},
		{"less work: the best interval is shorter", []string{"work=uniform(10ms, 200ms)"}, 500 * time.Millisecond, time.Second, 5, 2},
		{"fewer neighbours: too", []string{"n=5"}, time.Second, 2 * time.Second, 2, 1.3},
	} {
		median := medianOver(t, mrai, 7, c.sets...)
		best := 0
		for i := range median {
			if median[i] < median[best] {
				best = i
			}
		}
		if mrai[best] < c.from || mrai[best] > c.to {
			t.Errorf("%s: the best MRAI is %v, want %v to %v: %v", c.name, mrai[best], c.from, c.to, median)
		}
		if median[0].Seconds() < c.withoutGap*median[best].Seconds() {
			t.Errorf("%s: %v without MRAI, %v at its best", c.name, median[0], median[best])
		}
		last := len(mrai) - 1
		slope := (median[last] - median[last-1]).Seconds() / (mrai[last] - mrai[last-1]).Seconds()
		if slope < float64(c.rounds)*0.9 || slope > float64(c.rounds)*1.1 {
			t.Errorf("%s: at the end each second of MRAI costs %.2f s, want %d: %v", c.name, slope, c.rounds, median)
		}
	}
}

// Where the time is a delay only, there is no queue that MRAI could keep short,
// and none is best.
func TestMRAIHasNoOptimumWithoutWork(t *testing.T) {
	median := medianOver(t, []time.Duration{0, time.Second, 4 * time.Second, 30 * time.Second}, 5, "generate.bgp.processing_serial=false")
	if !slices.IsSorted(median) {
		t.Errorf("%v", median)
	}
}
