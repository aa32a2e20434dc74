package network_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/vpnsim/vpnsim/network"
)

// A prefix costs the same in a small table and in a larger one, in memory and in
// work: nothing is looked through when one of many changes.
func TestLargeTablesCostInProportion(t *testing.T) {
	type cost struct{ octets, allocs, events float64 }
	of := func(count int) cost {
		d := mustLoad(t, "full-table", fmt.Sprintf("n=%d", count))
		d.Probes = nil
		before := heap()
		n := network.New(d, network.Options{})
		events := n.Run(1).Events
		size := float64(heap() - before)
		allocs := testing.AllocsPerRun(1, func() { n.Run(1) })
		runtime.KeepAlive(n)
		return cost{size / float64(count), allocs / float64(count), float64(events) / float64(count)}
	}
	small, large := of(1_000), of(8_000)
	t.Logf("for each prefix: %+v, %+v", small, large)
	if large.octets > 1.2*small.octets || large.octets > 2500 {
		t.Errorf("octets for each prefix: %.0f of 8,000, %.0f of 1,000", large.octets, small.octets)
	}
	if large.allocs > 1.1*small.allocs || large.allocs > 30 {
		t.Errorf("allocations for each prefix: %.1f of 8,000, %.1f of 1,000", large.allocs, small.allocs)
	}
	// The FIB learns the prefix, moves it, and moves it back; UPDATEs carry a
	// thousand at a time.
	if large.events < 3 || large.events > 3.2 {
		t.Errorf("events for each prefix: %.2f", large.events)
	}
}

func TestBlockIsAnnounced(t *testing.T) {
	d := mustLoad(t, "full-table", "n=1500")
	n := network.New(d, network.Options{})
	n.RunTo(1, 0)
	got := n.Speaker(1).Prefixes()
	if len(got) != 1501 || got[1].String() != "20.0.0.0/24" || got[1500].String() != "20.5.219.0/24" {
		t.Errorf("%d prefixes from %v to %v", len(got), got[1], got[len(got)-1])
	}
	if rows := n.FIB(1); len(rows) != 1500 || len(rows[0].Links) != 1 {
		t.Errorf("%d rows: %+v", len(rows), rows[0])
	}
}
