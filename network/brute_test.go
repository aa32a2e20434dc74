package network_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// graphScenario is a graph of a few routers with slow and uneven forwarding tables,
// in which prefixes come and go and links fail: packets go round in it.
func graphScenario(seed uint64) string {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 0x67726170))}
	m.line("vpnsim: v1")
	m.line("name: graph %d", seed)
	m.line("for: 120s")
	n, shape := 4, ""
	switch m.IntN(4) {
	case 0:
		n = 4 + m.IntN(3)
		shape = fmt.Sprintf("clique: %d", n)
	case 1:
		n = 4 + m.IntN(4)
		shape = fmt.Sprintf("ring: %d", n)
	case 2:
		n = 6
		shape = "b-clique: 3"
	default:
		n = 7
		shape = "tree: {depth: 2, fanout: 2}"
	}
	m.line("generate: {%s, profile: %s, delay: %q, prefix: 10.0.0.0/24, hosts: [r1, r%d], bgp: {hold: 9s, mrai: %s, processing: %s, no_echo: %s}, fib: {delay: %s}}", shape,
		pick(m, "rfc4271", "frr", "bird", "gobgp"), pick(m, "10ms", "exp(5ms, 3ms)", "uniform(1ms, 900ms)"), 2+m.IntN(n-1), m.dist(0, 9000), m.dist(0, 400), pick(m, "true", "false"), m.dist(0, 2500))
	m.line("story:")
	for at := 5; at < 110; at += 3 + m.IntN(20) {
		switch m.IntN(4) {
		case 0:
			m.line("  - {at: %ds, withdraw: 10.0.0.0/24, by: r1}", at)
			m.line("  - {at: %ds, announce: 10.0.0.0/24, by: r1}", at+2+m.IntN(8))
		case 1:
			m.line("  - {at: %ds, down: r1-r2, for: %ds}", at, 1+m.IntN(15))
		case 2:
			m.line("  - {at: %ds, blackhole: r1-r2, direction: %s, for: %ds}", at, pick(m, "both", "from r1", "to r1"), 1+m.IntN(15))
		default:
			m.line("  - {at: %ds, kill: r2, for: %ds}", at, 1+m.IntN(10))
		}
	}
	return m.b.String()
}

// stretch is a part of a run in which a pair's forwarding was the same to whoever
// only sees which links a packet takes and what becomes of it.
type stretch struct {
	from sim.Time
	what string
}

func stretches(list []stretch, at sim.Time, what string) []stretch {
	if k := len(list); k == 0 || list[k-1].what != what {
		return append(list, stretch{at, what})
	}
	return list
}

// seen puts a state and two ways into words.
func seen(s network.State, a, b network.Crawled) string {
	return fmt.Sprint(s, a, b)
}

// stateOf is what model.md's table says, read from the top.
func stateOf(a, b network.Crawled, oneWay bool) network.State {
	if oneWay {
		b = a
	}
	back := slices.Clone(b.Links)
	slices.Reverse(back)
	switch courses := []network.Course{a.Course, b.Course}; {
	case slices.Contains(courses, network.Loops):
		return network.Loop
	case slices.Contains(courses, network.Dies):
		return network.BlackHole
	case slices.Contains(courses, network.DiesStale), slices.Contains(courses, network.ArrivesStale):
		return network.Stale
	case !oneWay && !slices.Equal(a.Links, back):
		return network.Asymmetric
	}
	return network.OK
}

// Forwarding is looked at when something has changed; here everything is looked at
// after every instant, by a walk of its own: the intervals are the same to the
// nanosecond.
func TestForwardingIsThatOfBruteForce(t *testing.T) {
	var all []*topology.Design
	for _, name := range []string{"aws-gcp", "mrai-loop", "tgw-ecmp", "two-clouds", "border-routers", "gr-restart", "wedgie", "ipv6-dual-stack"} {
		all = append(all, mustLoad(t, name))
	}
	for i := range uint64(24) {
		all = append(all, mustParse(t, graphScenario(i)), mustParse(t, randomScenario(200000+i)))
		if i%4 == 0 {
			all = append(all, mustParse(t, restartScenario(200000+i)))
		}
	}
	states, instants := map[network.State]int{}, 0
	for _, d := range all {
		pairs := watches(t, d)
		for i := range d.Routers {
			j := (i + 1) % len(d.Routers)
			if w, err := d.PairOf(d.Routers[i].Name, d.Routers[j].Name); err == nil && len(pairs) < 4 {
				pairs = append(pairs, w)
			}
		}
		n := network.New(d, network.Options{Watch: pairs})
		want := make([][]stretch, len(pairs))
		n.EachInstant(3, func(at sim.Time) {
			if at < 0 || at >= sim.Time(d.For) {
				return
			}
			instants++
			for i, w := range pairs {
				a, b := n.Crawl(w, 0), network.Crawled{}
				oneWay := !w.From.Addr.IsValid()
				if !oneWay {
					b = n.Crawl(w, 1)
				}
				want[i] = stretches(want[i], at, seen(stateOf(a, b, oneWay), a, b))
			}
		})
		res := n.Run(3)
		for i := range res.Forwarding {
			f := &res.Forwarding[i]
			var got []stretch
			for k := range f.Intervals {
				v := &f.Intervals[k]
				states[v.State]++
				got = stretches(got, v.Start, seen(v.State, crawled(&v.Ways[0]), crawled(&v.Ways[1])))
			}
			if !slices.Equal(got, want[i]) {
				for k := range max(len(got), len(want[i])) {
					if k >= len(got) || k >= len(want[i]) || got[k] != want[i][k] {
						t.Errorf("%s, %s -> %s: interval %d\ngot  %v\nwant %v", d.Name, f.From.Name, f.To.Name, k, got[min(k, len(got)):min(k+2, len(got))], want[i][min(k, len(want[i])):min(k+2, len(want[i]))])
						break
					}
				}
			}
		}
	}
	for s := range network.NumStates {
		if states[s] < 20 {
			t.Errorf("only %d intervals of state %q", states[s], s)
		}
	}
	t.Logf("%d designs, %d instants, intervals %v", len(all), instants, states)
}

func crawled(w *network.Way) network.Crawled {
	return network.Crawled{Course: w.Course, Links: w.Links}
}
