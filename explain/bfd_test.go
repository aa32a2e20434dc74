package explain_test

import (
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
)

// tiles checks that a chain adds up to its outage without hole or overlap.
func tiles(t *testing.T, g *report.Gap) {
	t.Helper()
	at := g.StartS
	for _, w := range g.Chain {
		if w.StartS != at || w.EndS < w.StartS {
			t.Errorf("%s: from %v to %v, the one before ended at %v", w.What, w.StartS, w.EndS, at)
		}
		at = w.EndS
	}
	if at != g.EndS || g.EndS-g.StartS != g.OutageS {
		t.Errorf("the chain ends at %v, the gap at %v after %v", at, g.EndS, g.OutageS)
	}
}

// whats are the waits of a chain.
func whats(g *report.Gap) string {
	var list []string
	for _, w := range g.Chain {
		list = append(list, w.Node+": "+w.What+" ["+w.Parameter+" = "+w.Value+"]")
	}
	return strings.Join(list, "\n")
}

// A gap that BFD ends waits for the Detection Time: whose multiplier, times which
// interval, and where the two come from. RFC 5880 §6.8.4
func TestAGapThatBFDEnds(t *testing.T) {
	for seed := range uint64(10) {
		a := mustRun(t, explain.Ask{Load: builtin(t, "frr-bfd"), Seed: seed, WhatIf: explain.ChainOnly})
		g := &a.Doc.Gaps[0]
		tiles(t, g)
		want := map[string]string{"r1": "r2", "r2": "r1"}
		node := g.Chain[0].Node
		if got := whats(g); got != node+": BFD detection time over l1: 3 x 300ms (routers."+node+".bfd.min_rx) [routers."+want[node]+".bfd.multiplier = 3]\n"+
			node+": until the routes are chosen, for all the news of that time together [routers."+node+".bgp.decision_delay = 50ms]\n"+
			node+": programming of the forwarding table [routers."+node+".fib.delay = 20ms]" {
			t.Errorf("seed %d:\n%s", seed, got)
		}
		if w := g.Chain[0]; w.EndS-w.SinceS != report.Seconds(900_000_000) || !strings.Contains(w.Source, "documented: https://github.com/FRRouting/frr bfdd/bfd.h") {
			t.Errorf("seed %d: waited for %v s, source %s", seed, w.EndS-w.SinceS, w.Source)
		}
		if !strings.HasPrefix(g.Cause, "l1 becomes a black hole in both directions at ") {
			t.Errorf("seed %d: the cause is %s", seed, g.Cause)
		}
		faster := false
		for _, cf := range g.Counterfactuals {
			if strings.Contains(cf.Change, "bfd.min_tx=50ms") {
				faster = cf.OutageS < report.Seconds(230_000_000) && cf.Removes == g.Chain[0].Parameter
			}
		}
		if !faster {
			t.Errorf("seed %d: a packet every 50 ms is no cure: %+v", seed, g.Counterfactuals)
		}
	}
}

// One direction is cut: the end that hears nothing waits, and the other one for
// the packet that says so.
func TestAOneWayGapThatBFDEnds(t *testing.T) {
	a := mustRun(t, explain.Ask{Load: builtin(t, "frr-bfd-one-way"), Seed: 3})
	g := &a.Doc.Gaps[0]
	tiles(t, g)
	if got := whats(g); got != `r2: BFD detection time over l1: 3 x 300ms (routers.r2.bfd.min_rx) [routers.r1.bfd.multiplier = 3]
l1: a BFD packet on its way over l1 [links.l1.delay = 500us]
r1: until the routes are chosen, for all the news of that time together [routers.r1.bgp.decision_delay = 50ms]
r1: programming of the forwarding table [routers.r1.fib.delay = 20ms]` {
		t.Errorf("\n%s", got)
	}
	if !strings.Contains(g.Cause, "l1 becomes a black hole from r1 at ") {
		t.Errorf("the cause is %s", g.Cause)
	}
}

// Where BFD would have noticed sooner, it is among what to try, with the waits that
// the two ends would have had; and who does not offer it is named.
func TestBFDIsProposed(t *testing.T) {
	for _, c := range []struct{ scenario, set, change, note string }{
		{"aws-gcp-blackhole", "", "--set routers.gcp.bfd.enabled=true --set routers.aws.bfd.enabled=true", "BFD: gcp waits for 3 x 1s, aws for 5 x 1s; aws-vgw does not offer it"},
		{"frr-bfd", "routers.r2.bfd.enabled=false", "--set routers.r1.bfd.enabled=true --set routers.r2.bfd.enabled=true", "BFD: r1 waits for 3 x 300ms, r2 for 3 x 300ms"},
		{"dx-bfd", "routers.onprem.bfd.enabled=false", "--set routers.onprem.bfd.enabled=true --set routers.aws.bfd.enabled=true", "BFD: onprem waits for 3 x 300ms, aws for 3 x 300ms"},
	} {
		ask := explain.Ask{Load: builtin(t, c.scenario), Seed: 2, WhatIf: explain.ChainOnly}
		if c.set != "" {
			ask.Sets = []string{c.set}
		}
		g := &mustRun(t, ask).Doc.Gaps[0]
		found := false
		for _, cf := range g.Counterfactuals {
			if cf.Change == c.change {
				found = cf.Note == c.note && cf.OutageS < report.Seconds(5_200_000_000) && g.OutageS > report.Seconds(9_000_000_000)
				if !found {
					t.Errorf("%s: %s: %v s instead of %v s, %q", c.scenario, cf.Change, cf.OutageS, g.OutageS, cf.Note)
				}
			}
		}
		if !found {
			t.Errorf("%s: not proposed", c.scenario)
		}
	}
	// Where it runs already, and did its work, it is not proposed again.
	for _, cf := range mustRun(t, explain.Ask{Load: builtin(t, "frr-bfd"), Seed: 2, WhatIf: explain.EverySuspect}).Doc.Gaps[0].Counterfactuals {
		if strings.Contains(cf.Change, "bfd.enabled") {
			t.Errorf("proposed although it runs: %s", cf.Change)
		}
	}
}

// What a document says of BFD's sessions.
func TestSessionsSayWhatBFDIs(t *testing.T) {
	a := mustRun(t, explain.Ask{Load: builtin(t, "bird-frr-bfd"), Seed: 1})
	for _, s := range a.Doc.Sessions {
		b := s.BFD
		if b == nil || b.State != "Up" || b.Remote != "Up" || b.TxS != report.Seconds(300_000_000) {
			t.Fatalf("%s over %s: %+v", s.Router, s.Link, b)
		}
		want := map[string]string{
			"r1": "routers.r2.bfd.multiplier: 5 x 0.3 s (routers.r1.bfd.min_rx)",
			"r2": "routers.r1.bfd.multiplier: 3 x 0.3 s (routers.r1.bfd.min_tx)",
		}[s.Router]
		if b.DetectionFrom != want || b.DetectionS != report.Seconds(b.Multiplier)*b.RxS {
			t.Errorf("%s: %s, %v s", s.Router, b.DetectionFrom, b.DetectionS)
		}
		downs := 0
		for _, h := range b.History {
			if h.To == "Down" && h.From == "Up" {
				downs++
			}
		}
		if down := map[string]int{"l1": 1, "l2": 0}[s.Link]; downs != down {
			t.Errorf("%s over %s went down %d times", s.Router, s.Link, downs)
		}
	}
	found := false
	for _, m := range a.Doc.Timeline {
		found = found || m.Lane == "bfd" && m.Node == "r1" && m.What == "Up -> Down: Control Detection Time Expired"
	}
	if !found {
		t.Error("the timeline does not say that BFD went down")
	}
	waits := mustRun(t, explain.Ask{Load: builtin(t, "bfd-strict"), Seed: 1}).Doc.Sessions[0]
	if !waits.BFD.Strict || waits.State == "OpenSent" != waits.BFD.Awaited {
		t.Errorf("%s: %+v", waits.State, waits.BFD)
	}
}
