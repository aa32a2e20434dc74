package network_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/network"
)

// The stable paths problem (Griffin, Shepherd and Wilfong, 2002): what routers
// prefer may leave one way to agree, several, or none.

// settled runs a shipped gadget and tells whether it came to rest, and by which
// links its routers then reach 10.0.0.0/24.
func settled(t *testing.T, name string, seed uint64, sets ...string) (over bool, links string) {
	t.Helper()
	d := mustLoad(t, name, sets...)
	n := network.New(d, network.Options{Convergence: true})
	list := n.Run(seed).Reactions
	var words []string
	for r := range d.Routers {
		if route := n.Speaker(r).Route(netip.MustParsePrefix("10.0.0.0/24")); route != nil {
			if l := n.LinkOf(r, route.Best.Peer); l >= 0 {
				words = append(words, d.Links[l].Name)
			}
		}
	}
	return list[len(list)-1].Over, strings.Join(words, " ")
}

// Whatever comes first, GOOD GADGET ends in its one solution.
func TestGoodGadgetConverges(t *testing.T) {
	for seed := range uint64(10) {
		for _, mrai := range []string{"0s", "1s", "5s", "30s"} {
			if over, links := settled(t, "good-gadget", seed, "mrai="+mrai); !over || links != "r1-r3 r0-r2 r0-r3 r3-r4" {
				t.Errorf("seed %d, MRAI %s: over: %v, %s", seed, mrai, over, links)
			}
		}
	}
}

// BAD GADGET has none, in step or not.
func TestBadGadgetNeverConverges(t *testing.T) {
	for seed := range uint64(5) {
		for _, mrai := range []string{"500ms", "5s", "30s"} {
			for _, jitter := range []string{"0.75", "1"} {
				if over, links := settled(t, "bad-gadget", seed, "mrai="+mrai, "routers.*.bgp.mrai_jitter="+jitter); over {
					t.Errorf("seed %d, MRAI %s, jitter %s: came to rest with %s", seed, mrai, jitter, links)
				}
			}
		}
	}
}

// DISAGREE has two, and which of them it is depends on chance, or on delays;
// two routers that do everything at the same instants find neither.
func TestDisagreeDependsOnTiming(t *testing.T) {
	const first, second = "r0-r1 r1-r2", "r1-r2 r0-r2" // r2 goes through r1, r1 through r2
	count := map[string]int{}
	for seed := range uint64(20) {
		over, links := settled(t, "disagree", seed)
		if !over {
			t.Errorf("seed %d does not come to rest", seed)
		}
		count[links]++
	}
	if len(count) != 2 || count[first] < 5 || count[second] < 5 {
		t.Errorf("20 seeds: %v", count)
	}
	for set, want := range map[string]string{"d1=40ms": second, "d2=40ms": first} {
		for seed := range uint64(5) {
			if over, links := settled(t, "disagree", seed, set); !over || links != want {
				t.Errorf("%s, seed %d: over: %v, %s", set, seed, over, links)
			}
		}
	}
	for seed := range uint64(3) {
		if over, links := settled(t, "disagree", seed, "jitter=1.0"); over {
			t.Errorf("in step, seed %d: came to rest with %s", seed, links)
		}
	}
}
