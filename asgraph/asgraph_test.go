package asgraph_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/asgraph"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/topology"
)

const rest = time.Hour // long enough for anything to converge

func announce(node int) []asgraph.Event {
	return []asgraph.Event{{At: time.Second, Change: asgraph.Announce, Node: node, Prefix: prefix}}
}

// Gao and Rexford (2001): a route climbs from customer to provider, crosses at
// most one peering, and descends; and whoever is offered a customer's route uses
// one of those, and a peer's rather than a provider's. This must hold whatever
// the delays were.
func TestRoutesAreFreeOfValleys(t *testing.T) {
	const n = 2000
	for seed := range uint64(3) {
		g := topology.SyntheticAS(n, seed)
		up := map[[2]uint32]int{} // 1: the second is the first one's provider; 0: a peer; -1: a customer
		for _, e := range g.Edges {
			a, b := g.ASNs[e.A], g.ASNs[e.B]
			up[[2]uint32{a, b}], up[[2]uint32{b, a}] = 0, 0
			if e.Rel == topology.Customer {
				up[[2]uint32{a, b}], up[[2]uint32{b, a}] = -1, 1
			}
		}
		x := asgraph.New(g, asgraph.Config{Rules: rules("rfc4271"), Delay: dist("uniform(5ms, 500ms)"), Processing: dist("exp(0s, 100ms)")})
		r := x.Run(seed, announce(n-1-int(seed)), rest)
		if !r.Reactions[0].Over {
			t.Errorf("seed %d: it has not converged", seed)
		}
		if reached, lengths := x.Reach(prefix); reached != n || lengths[0] != 1 {
			t.Errorf("seed %d: %d of %d have a route: %v", seed, reached, n, lengths)
		}
		for i := range g.ASNs {
			s := x.Speaker(i)
			path := []uint32{g.ASNs[i]}
			for _, seg := range s.Route(prefix).Best.Attrs.ASPath {
				path = append(path, seg.ASNs...)
			}
			last := 1 // seen from the origin: up, up, across, down, down
			for j := len(path) - 1; j > 0; j-- {
				step, joined := up[[2]uint32{path[j], path[j-1]}]
				if !joined || step > last || step == 0 && last == 0 {
					t.Fatalf("seed %d: AS %d is not reached this way: %v", seed, path[0], path)
				}
				last = step
			}
			neighbour := func(p bgp.Path) uint32 { return p.Attrs.ASPath.Neighbour() }
			paths := s.Paths(prefix)
			for _, p := range paths[min(1, len(paths)):] {
				if up[[2]uint32{path[0], neighbour(p)}] < up[[2]uint32{path[0], neighbour(paths[0])}] {
					t.Fatalf("seed %d: AS %d prefers what it pays for", seed, path[0])
				}
			}
		}
	}
}

// The numbers of one run, so that a change of any of them is seen.
func TestTheSameRunEveryTime(t *testing.T) {
	g := topology.SyntheticAS(2000, 1)
	story := []asgraph.Event{
		{At: time.Second, Change: asgraph.Announce, Node: 1999, Prefix: prefix},
		{At: 1000 * time.Second, Change: asgraph.Withdraw, Node: 1999, Prefix: prefix},
	}
	for _, c := range []struct {
		mrai bgp.MRAI
		want string
	}{
		{bgp.MRAI{}, "6783 announced, 0 withdrawn, 3607 changes in 306.016546ms; 25292 announced, 3966 withdrawn, 21894 changes in 528.515546ms; "},
		{mrai30, "6233 announced, 0 withdrawn, 3419 changes in 58.499330862s; 3701 announced, 3886 withdrawn, 5637 changes in 532.187509ms; "},
	} {
		x := asgraph.New(g, asgraph.Config{Rules: rules("rfc4271"), MRAI: c.mrai, Delay: dist("uniform(5ms, 50ms)"), Processing: dist("uniform(0s, 10ms)")})
		text := func(seed uint64) string {
			out := ""
			for _, r := range x.Run(seed, story, rest).Reactions {
				out += fmt.Sprintf("%d announced, %d withdrawn, %d changes in %v; ", r.Announced, r.Withdrawn, r.RIB, r.Last-r.At)
			}
			return out
		}
		first := text(1)
		if first != c.want {
			t.Errorf("%s\nwant %s", first, c.want)
		}
		if other := text(2); other == first {
			t.Error("the seed decides nothing")
		}
		if again := text(1); again != first {
			t.Errorf("again: %s", again)
		}
	}
}

// A link that goes down takes with it what is on it; when it is back, all is as
// before.
func TestLinkDownAndUp(t *testing.T) {
	g := topology.Chain(3)
	x := asgraph.New(g, asgraph.Config{Rules: rules("rfc4271"), Delay: dist("10ms")})
	r := x.Run(1, []asgraph.Event{
		{At: 1 * time.Second, Change: asgraph.Announce, Node: 0, Prefix: prefix},
		{At: 2 * time.Second, Change: asgraph.LinkDown, Edge: 1},
		{At: 2 * time.Second, Change: asgraph.LinkDown, Edge: 1}, // it is down already
		{At: 3 * time.Second, Change: asgraph.LinkUp, Edge: 1},
		{At: 4 * time.Second, Change: asgraph.Withdraw, Node: 0, Prefix: prefix},
		{At: 4*time.Second + 15*time.Millisecond, Change: asgraph.LinkDown, Edge: 1}, // the withdrawal is on it
		{At: 5 * time.Second, Change: asgraph.LinkUp, Edge: 1},
	}, 6*time.Second)
	var got []string
	for _, r := range r.Reactions {
		got = append(got, fmt.Sprintf("%d: %d announced, %d withdrawn, %d changes, %v, %v", r.Event, r.Announced, r.Withdrawn, r.RIB, r.Last-r.At, r.Over))
	}
	// Without split horizon each tells its news to whom they came from as well, who
	// finds a loop in them.
	want := []string{
		"0: 4 announced, 0 withdrawn, 3 changes, 20ms, true",
		"1: 0 announced, 0 withdrawn, 1 changes, 0s, true",
		"3: 2 announced, 0 withdrawn, 1 changes, 10ms, true",
		"4: 0 announced, 3 withdrawn, 2 changes, 15ms, false",
		"5: 0 announced, 0 withdrawn, 1 changes, 0s, true",
		"6: 0 announced, 0 withdrawn, 0 changes, 0s, true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if reached, _ := x.Reach(prefix); reached != 0 {
		t.Errorf("%d have a route in the end", reached)
	}
}

// What the end of the run cuts short is not over.
func TestNotOver(t *testing.T) {
	x := asgraph.New(topology.Clique(5), asgraph.Config{Rules: rules("rfc4271"), MRAI: bgp.MRAI{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * time.Second}, Delay: dist("10ms")})
	story := append(announce(0), asgraph.Event{At: 100 * time.Second, Change: asgraph.Withdraw, Node: 0, Prefix: prefix})
	for end, over := range map[time.Duration]bool{100*time.Second + 5*time.Millisecond: false, 120 * time.Second: false, 170 * time.Second: true} {
		r := x.Run(1, story, end)
		if last := r.Reactions[1]; last.Over != over || !over && last.Last != end {
			t.Errorf("ended at %v: %+v", end, last)
		}
	}
}

// Memory grows with the graph and not faster, and ten messages cost no more than
// a few allocations, whatever the size.
func TestSizeCostsInProportion(t *testing.T) {
	var perEdge, perMessage [2]float64
	for i, n := range []int{500, 4000} {
		g := topology.SyntheticAS(n, 1)
		before := heap()
		x := asgraph.New(g, asgraph.Config{Rules: rules("rfc4271"), Delay: dist("uniform(5ms, 50ms)")})
		r := x.Run(1, announce(n-1), rest).Reactions[0]
		perEdge[i] = (heap() - before) * 1e6 / float64(len(g.Edges))
		perMessage[i] = testing.AllocsPerRun(1, func() { x.Run(1, announce(n-1), rest) }) / float64(r.Announced)
		runtime.KeepAlive(x)
	}
	if perEdge[1] > 1.2*perEdge[0] || perEdge[1] > 1000 {
		t.Errorf("octets for each edge: %.0f", perEdge)
	}
	if perMessage[1] > perMessage[0]+0.1 || perMessage[1] > 0.3 {
		t.Errorf("allocations for each message: %.2f", perMessage)
	}
	t.Logf("octets for each edge %.0f, allocations for each message %.2f", perEdge, perMessage)
}
