package explain_test

import (
	"testing"

	"github.com/vpnsim/vpnsim/explain"
)

// In the wedgie, MRAI of 60 s makes the first gap shorter by 26 s, and another one of
// 46 s follows it: whoever looks at the gap alone would be told to make things worse.
func TestAShorterGapIsNoRemedyIfMoreIsLost(t *testing.T) {
	a := mustRun(t, explain.Ask{Load: builtin(t, "wedgie"), Seed: 45250, WhatIf: explain.ChainOnly})
	g := &a.Doc.Gaps[0]
	c := counterfactual(t, g, "--set 'routers.*.bgp.mrai=60s'")
	if c.OutageS >= g.OutageS || c.TotalS <= g.TotalS {
		t.Errorf("the gap: %s s instead of %s s; in all: %s s instead of %s s", c.OutageS, g.OutageS, c.TotalS, g.TotalS)
	}
	b := mustRun(t, explain.Ask{Load: builtin(t, "wedgie"), Seed: 45250, Sets: []string{"routers.*.bgp.mrai=60s"}})
	if b.Doc.Gaps[0].TotalS != c.TotalS {
		t.Errorf("%s s were foretold, and %s s are lost", c.TotalS, b.Doc.Gaps[0].TotalS)
	}
	for i := range a.Doc.Gaps {
		if g := &a.Doc.Gaps[i]; g.TotalS != a.Doc.Forwarding[0].Seconds.Lost {
			t.Errorf("gap %d: %s s in all, and forwarding has %s s", g.N, g.TotalS, a.Doc.Forwarding[0].Seconds.Lost)
		}
	}
}
