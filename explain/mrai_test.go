package explain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
)

// wait finds the wait of a chain for a parameter.
func waitFor(t *testing.T, g *report.Gap, parameter string) report.Wait {
	t.Helper()
	for _, w := range g.Chain {
		if w.Parameter == parameter {
			return w
		}
	}
	t.Fatalf("no wait for %s in\n%s", parameter, chainText(g))
	return report.Wait{}
}

func counterfactual(t *testing.T, g *report.Gap, change string) report.Counterfactual {
	t.Helper()
	for _, c := range g.Counterfactuals {
		if c.Change == change {
			return c
		}
	}
	t.Fatalf("%s is not tried: %+v", change, g.Counterfactuals)
	return report.Counterfactual{}
}

// A wait for MRAI is named with its mode, and with what the interval ran from.
func TestMRAIIsBlamedByName(t *testing.T) {
	for _, c := range []struct {
		name      string
		sets      []string
		parameter string
		what      []string
	}{
		{"mrai-chain", nil, "routers.r4.bgp.mrai",
			[]string{"MRAI towards l34 (since-last-update): since the withdrawal of 10.4.0.0/16 at "}},
		{"mrai-chain", []string{"routers.r4.bgp.mrai_scope=prefix"}, "routers.r4.bgp.mrai",
			[]string{"MRAI towards l34 (since-last-update, by prefix): since the withdrawal of 10.4.0.0/16 at "}},
		{"mrai-chain", []string{"routers.r4.bgp.mrai_granularity=1s"}, "routers.r4.bgp.mrai",
			[]string{"MRAI towards l34 (since-last-update): since the withdrawal of 10.4.0.0/16 at "}},
		{"mrai-tick", nil, "routers.isp-b.bgp.mrai",
			[]string{"MRAI towards up-b (tick): the next tick of a timer that runs since the session came up at -"}},
		{"mrai-out-delay", nil, "routers.transit.bgp.mrai",
			[]string{"MRAI towards up-b (out-delay): how long a route must be unchanged; that of 10.1.0.0/16 is since "}},
		{"soft-reset", nil, "routers.r1.bgp.first_update", []string{"before the first UPDATE of the session over l1"}},
	} {
		a := mustRun(t, explain.Ask{Load: builtin(t, c.name), Sets: c.sets, Seed: 3})
		w := waitFor(t, &a.Doc.Gaps[0], c.parameter)
		for _, what := range c.what {
			if !strings.Contains(w.What, what) {
				t.Errorf("%s %v: %q, without %q", c.name, c.sets, w.What, what)
			}
		}
		if w.Value == "" || w.Source == "" {
			t.Errorf("%s %v: value %q, source %q", c.name, c.sets, w.Value, w.Source)
		}
	}
}

// What waits for an advertisement timer has waited since there was something to
// say. The timer ran before; that is nobody's wait.
func TestMRAIIsBlamedOnlyForWhatItHeldBack(t *testing.T) {
	a := mustRun(t, explain.Ask{Load: builtin(t, "mrai-chain"), Seed: 3, WhatIf: explain.ChainOnly})
	g := &a.Doc.Gaps[0]
	// r4 has nothing to say before it announces its network again, 10 s later.
	if w := waitFor(t, g, "routers.r4.bgp.mrai"); (w.StartS-g.StartS) < 9_900_000_000 || w.StartS-g.StartS > 10_000_000_000 {
		t.Errorf("r4 waits from %d after the beginning", w.StartS-g.StartS)
	}
	if len(g.RuledOut) != 1 || g.RuledOut[0].Parameter != "routers.r1.bgp.mrai" {
		t.Errorf("ruled out: %+v", g.RuledOut)
	}
	// Intervals that run side by side hide each other; without any of them the
	// network is back 10 s after it went.
	if c := counterfactual(t, g, "--set routers.r4.bgp.mrai=0s --set routers.r3.bgp.mrai=0s --set routers.r2.bgp.mrai=0s"); c.OutageS > 10_020_000_000 {
		t.Errorf("without MRAI: %d", c.OutageS)
	}

	a = mustRun(t, explain.Ask{Load: builtin(t, "mrai-tick"), Seed: 3, WhatIf: explain.ChainOnly})
	g = &a.Doc.Gaps[0]
	if c := counterfactual(t, g, "--set routers.isp-b.bgp.mrai=0s"); c.OutageS > 230_000_000 || c.Removes != "routers.isp-b.bgp.mrai" {
		t.Errorf("without isp-b's tick: %+v", c)
	}
	var out []string
	for _, r := range g.RuledOut {
		out = append(out, r.Parameter)
	}
	if !slices.Equal(out, []string{"routers.office.bgp.mrai", "routers.isp-a.bgp.mrai", "routers.transit.bgp.mrai"}) {
		t.Errorf("ruled out: %v", out)
	}

	a = mustRun(t, explain.Ask{Load: builtin(t, "mrai-out-delay"), Seed: 3, WhatIf: explain.ChainOnly})
	g = &a.Doc.Gaps[0]
	if c := counterfactual(t, g, "--set routers.isp-a.bgp.mrai_withdrawals=exempt"); c.OutageS > 20_030_000_000 {
		t.Errorf("with isp-a's withdrawals at once: %+v", c)
	}
}

// In every mode, with every treatment of withdrawals: chains tile their outages.
func TestMRAIChainsTile(t *testing.T) {
	waits := 0
	for _, name := range []string{"mrai-chain", "mrai-tick"} {
		for _, mode := range []string{"since-last-update", "tick", "out-delay"} {
			for _, withdrawals := range []string{"gated", "exempt", "flush"} {
				for i, more := range []string{"mrai_scope=prefix", "mrai_granularity=1s", "mrai_after_withdrawal=false", "first_update=2s"} {
					var sets []string
					for _, r := range map[string][]string{"mrai-chain": {"r1", "r2", "r3", "r4"}, "mrai-tick": {"office", "isp-a", "isp-b", "transit"}}[name] {
						at := "routers." + r + ".bgp."
						sets = append(sets, at+"mrai_mode="+mode, at+"mrai_withdrawals="+withdrawals, at+more)
					}
					if name == "mrai-chain" && mode == "out-delay" {
						sets = append(sets, "story[0].for=100s") // longer than the delay, or nothing happens
					}
					a := mustRun(t, explain.Ask{Load: builtin(t, name), Sets: sets, Seed: uint64(i)})
					for g := range a.Doc.Gaps {
						gap := &a.Doc.Gaps[g]
						if why := untiled(gap); why != "" {
							t.Errorf("%s %v: %s\n%s", name, sets, why, chainText(gap))
						}
						for _, w := range gap.Chain {
							if strings.Contains(w.What, "MRAI") {
								waits++
								if !strings.Contains(w.What, fmt.Sprintf("(%s", mode)) {
									t.Errorf("%s %v: %s", name, sets, w.What)
								}
							}
						}
					}
				}
			}
		}
	}
	if waits < 80 {
		t.Errorf("only %d waits for MRAI", waits)
	}
}
