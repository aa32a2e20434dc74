package explain_test

import (
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/explain"
)

// In a design of many routers MRAI is tried everywhere at once, and other
// settings only where they can be expected to matter.
func TestManyRoutersAreTriedTogether(t *testing.T) {
	a := mustRun(t, explain.Ask{Load: builtin(t, "hub-and-spoke"), Seed: 1, WhatIf: explain.ChainOnly})
	for i := range a.Doc.Gaps {
		g := &a.Doc.Gaps[i]
		if len(g.RuledOut) != 1 || g.RuledOut[0].Parameter != "routers.*.bgp.mrai" || !strings.Contains(g.RuledOut[0].Why, "1s and 60s: the same to the nanosecond") {
			t.Errorf("gap %d: %+v", g.N, g.RuledOut)
		}
		for _, c := range g.Counterfactuals {
			if strings.Contains(c.Change, "hub2") {
				t.Errorf("gap %d: %s has nothing to do with it", g.N, c.Change)
			}
		}
	}
}
