package network_test

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"testing"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
)

type dbgEv struct {
	at   sim.Time
	to   sim.ActorID
	kind sim.Kind
	arg  uint64
	skip bool
}

func TestDbg2(t *testing.T) {
	if os.Getenv("DBG2") == "" {
		t.Skip()
	}
	i, _ := strconv.Atoi(os.Getenv("DBG2"))
	seed, _ := strconv.Atoi(os.Getenv("SEED"))
	d := mustParse(t, randomScenario(uint64(i)))
	var all [2][]dbgEv
	for j, o := range []network.Options{{NoSkip: true}, {}} {
		n := network.New(d, o)
		sim.DebugSkip = func(at sim.Time, to sim.ActorID, kind sim.Kind, arg uint64, skipped bool) {
			all[j] = append(all[j], dbgEv{at, to, kind, arg, skipped})
		}
		n.Run(uint64(seed))
		sort.SliceStable(all[j], func(a, b int) bool { x, y := all[j][a], all[j][b]; if x.at != y.at { return x.at < y.at }; if x.to != y.to {return x.to < y.to}; if x.kind != y.kind { return x.kind < y.kind}; return x.arg < y.arg })
	}
	show := func(e dbgEv) string {
		return fmt.Sprintf("%v to %d %s %x skip %v", e.at.Seconds(), e.to, network.KindName(e.kind), e.arg, e.skip)
	}
	for x := range all[0] {
		a, b := all[0][x], all[1][x]
		a.skip = b.skip
		if a != b {
			for y := max(0, x-12); y < x+8; y++ {
				fmt.Println(show(all[0][y]), " | ", show(all[1][y]))
			}
			return
		}
	}
}
