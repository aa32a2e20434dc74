package asgraph_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/asgraph"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// full writes the scenario that package network needs for the same graph: a
// router for each AS, with Gao and Rexford's policies by way of LOCAL_PREF and
// communities, as operators write them.
func full(g *topology.ASGraph, settings, story string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("vpnsim: v1\nfor: 2000s\nwarmup: 600s\nrouters:")
	for i, asn := range g.ASNs {
		networks := ""
		if i == len(g.ASNs)-1 {
			networks = ", networks: [10.0.0.0/24]"
		}
		line("  as%d: {profile: rfc4271, asn: %d, id: %v%s, bgp: {hold: 0s, fast_fallover: true, %s}, fib: {delay: 0s}}", i, asn, asgraph.Address(i), networks, settings)
	}
	line("links:")
	policy := func(pref int) string {
		return fmt.Sprintf(", import: {local_pref: %d, add_communities: '64600:1'}, export: {community: '64600:1', reject: true}", pref)
	}
	for i, e := range g.Edges {
		a, b := "", ""
		switch e.Rel {
		case topology.Peering:
			a, b = policy(90), policy(90)
		case topology.Customer:
			b = policy(80)
		}
		line("  l%d: {as%d: {inside: 100.%d.%d.%d/31%s}, as%d: {inside: 100.%d.%d.%d/31%s}, delay: 10ms}", i,
			e.A, 64+i>>15, i>>7&255, i<<1&255, a, e.B, 64+i>>15, i>>7&255, i<<1&255+1, b)
	}
	line("story:\n%s", story)
	return b.String()
}

// The small engine does what the large one does, where both can: the same
// UPDATEs, at the same instants, with the same routes in the end.
func TestSameAsTheFullEngine(t *testing.T) {
	mrai := bgp.MRAI{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * time.Second}
	for _, c := range []struct {
		name  string
		graph *topology.ASGraph
		mrai  bgp.MRAI
		text  string
		edit  func(*asgraph.Config)
	}{
		{"clique of 5, MRAI", topology.Clique(5), mrai, "mrai: 30s, mrai_mode: since-last-update, mrai_jitter: 1, mrai_withdrawals: exempt", nil},
		{"clique of 7, MRAI", topology.Clique(7), mrai, "mrai: 30s, mrai_mode: since-last-update, mrai_jitter: 1, mrai_withdrawals: exempt", nil},
		{"b-clique of 5, none", topology.BClique(5), bgp.MRAI{}, "mrai_mode: none", nil},
		{"100 ASes, MRAI", topology.SyntheticAS(100, 1), mrai, "mrai: 30s, mrai_mode: since-last-update, mrai_jitter: 1, mrai_withdrawals: exempt", nil},
		{"100 other ASes, none", topology.SyntheticAS(100, 2), bgp.MRAI{}, "mrai_mode: none", nil},
		{"60 ASes, one UPDATE after the other, prefix by prefix", topology.SyntheticAS(60, 3), bgp.MRAI{Mode: bgp.MRAISinceLastUpdate, Interval: 5 * time.Second, PerPrefix: true, Withdrawals: bgp.WithdrawalsGated},
			"processing_serial: true, mrai: 5s, mrai_mode: since-last-update, mrai_jitter: 1, mrai_scope: prefix", func(c *asgraph.Config) { c.Serial = true }},
		{"b-clique of 6, decisions together", topology.BClique(6), mrai, "decision_delay: 50ms, mrai: 30s, mrai_mode: since-last-update, mrai_jitter: 1, mrai_withdrawals: exempt",
			func(c *asgraph.Config) { c.DecisionDelay = dist("50ms") }},
		{"60 ASes, sender's side, Junos", topology.SyntheticAS(60, 6), bgp.MRAI{Mode: bgp.MRAIOutDelay, Interval: 5 * time.Second},
			"sender_side_loop: true, no_echo: true, mrai: 5s, mrai_mode: out-delay, mrai_withdrawals: exempt", func(c *asgraph.Config) { c.SenderSideLoop, c.NoEcho = true, true }},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, c.graph, c.mrai, c.text, c.edit) })
	}
}

// So it does for small Internets that are drawn, with settings that are drawn.
func TestSameAsTheFullEngineWhateverTheGraph(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	for i := range 20 {
		g := topology.SyntheticAS(8+r.IntN(30), uint64(100+i))
		m := bgp.MRAI{Interval: time.Duration(1+r.IntN(30)) * time.Second}
		text := fmt.Sprintf("mrai: %v, mrai_jitter: 1", m.Interval)
		pick := func(key string, values ...string) int {
			k := r.IntN(len(values))
			text += fmt.Sprintf(", %s: %s", key, values[k])
			return k
		}
		m.Mode = bgp.MRAIMode(pick("mrai_mode", "none", "since-last-update", "since-last-update", "out-delay"))
		if m.Mode > bgp.MRAINone {
			m.Mode = []bgp.MRAIMode{bgp.MRAISinceLastUpdate, bgp.MRAISinceLastUpdate, bgp.MRAIOutDelay}[m.Mode-1]
		}
		m.Withdrawals = []bgp.Withdrawals{bgp.WithdrawalsExempt, bgp.WithdrawalsGated, bgp.WithdrawalsFlush}[pick("mrai_withdrawals", "exempt", "gated", "flush")]
		m.PerPrefix = pick("mrai_scope", "peer", "prefix") == 1
		sender, echo, serial := pick("sender_side_loop", "false", "true") == 1, pick("no_echo", "false", "true") == 1, pick("processing_serial", "false", "true") == 1
		together := []string{"0s", "25ms"}[i%2]
		text += ", decision_delay: " + together
		t.Run(fmt.Sprintf("%d ASes, %s", len(g.ASNs), text), func(t *testing.T) {
			same(t, g, m, text, func(c *asgraph.Config) {
				c.SenderSideLoop, c.NoEcho, c.Serial, c.DecisionDelay = sender, echo, serial, dist(together)
			})
		})
	}
}

// same runs a graph in both engines: the origin loses a link, withdraws its prefix,
// and announces it again.
func same(t *testing.T, graph *topology.ASGraph, mrai bgp.MRAI, text string, edit func(*asgraph.Config)) {
	t.Helper()
	last, links := len(graph.ASNs)-1, 0
	cut := len(graph.Edges) - 1 // of an AS that the origin reaches the others by
	for i, e := range graph.Edges {
		if int(e.B) == last {
			cut = i
		}
		if int(e.A) == last || int(e.B) == last {
			links++
		}
	}
	d, problems := scenarios.Load("same.yaml", []byte(full(graph, "processing: 3ms, "+text, fmt.Sprintf(
		"  - {at: 100s, down: l%d}\n  - {at: 700s, withdraw: 10.0.0.0/24, by: as%d}\n  - {at: 1300s, announce: 10.0.0.0/24, by: as%d}\n", cut, last, last))), nil)
	if scenarios.Failed(problems) {
		t.Fatal(problems)
	}
	net := network.New(d, network.Options{Convergence: true})
	theirs := slices.Clone(net.Run(1).Reactions)[1:]

	cfg := asgraph.Config{Rules: rules("rfc4271"), MRAI: mrai, Delay: dist("10ms"), Processing: dist("3ms")}
	if edit != nil {
		edit(&cfg)
	}
	x := asgraph.New(graph, cfg)
	story := []asgraph.Event{{At: 0, Change: asgraph.Announce, Node: last, Prefix: prefix}, {At: 700 * time.Second, Change: asgraph.LinkDown, Edge: cut},
		{At: 1300 * time.Second, Change: asgraph.Withdraw, Node: last, Prefix: prefix}, {At: 1900 * time.Second, Change: asgraph.Announce, Node: last, Prefix: prefix}}
	ours := x.Run(1, story, 2600*time.Second).Reactions[1:]

	if len(ours) != 3 || len(theirs) != 3 {
		t.Fatalf("%+v\n%+v", ours, theirs)
	}
	for i, o := range ours {
		f := theirs[i]
		if o.Announced != f.Announced || o.Withdrawn != f.Withdrawn || o.RIB != f.RIB || o.Over != f.Over || o.Last-o.At != f.Last.Sub(f.At) {
			t.Errorf("event %d: %+v\nthe full engine: %+v", i, o, f)
		}
		if o.Announced+o.Withdrawn == 0 && (i == 0 || links > 1) {
			t.Errorf("event %d: nothing was said", i)
		}
	}
	net.RunTo(1, sim.Time(d.For))
	for i := range graph.ASNs {
		if o, f := route(x.Speaker(i)), route(net.Speaker(i)); o != f {
			t.Errorf("AS %d: %s\nthe full engine: %s", i, o, f)
		}
	}
}

func route(s *bgp.Speaker) string {
	r := s.Route(netip.MustParsePrefix("10.0.0.0/24"))
	if r == nil {
		return "none"
	}
	return fmt.Sprint(r.Best.Peer, r.Best.Attrs.ASPath, r.Candidates)
}
