package main

import (
	"flag"
	"testing"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/scenarios"
)

var findSeed = flag.Bool("find-seed", false, "look for a default seed that shows what the write-up shows")

// The write-up behind the built-in scenario shows icmp_seq 85 answered, then
// 115: 29 lost. Whoever runs the scenario for the first time sees the same,
// because the default seed was chosen so. A change of the model draws another
// run from it; `go test ./cmd/vpnsim -run TestDefaultSeed -find-seed` finds the
// first seed that will do.
func TestDefaultSeed(t *testing.T) {
	data, _ := scenarios.Builtin(builtin)
	d, _ := scenarios.Load(builtin, data, nil)
	n := network.New(d, network.Options{})
	like := func(seed uint64) bool {
		p := &n.Run(seed).Probes[0]
		if p.Lost() != 29 {
			return false
		}
		for seq := 86; seq <= 114; seq++ {
			if p.RTT[seq-1] != 0 {
				return false
			}
		}
		return true
	}
	if *findSeed {
		for seed := uint64(1); seed < 2_000_000; seed++ {
			if like(seed) {
				t.Logf("defaultSeed = %d", seed)
				break
			}
		}
	}
	if !like(defaultSeed) {
		t.Errorf("seed %d does not lose icmp_seq 86 to 114: run this test with -find-seed and change defaultSeed", defaultSeed)
	}
}
