package explain_test

import (
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
)

// What is exactly known about a generated graph stands as an expectation in its
// scenario, in terms of the scenario's parameters: so it holds for others, too.
func TestLawsOfGraphs(t *testing.T) {
	for name, cases := range map[string][]string{
		"clique": {"n=3", "n=4", "n=6", "n=7", "n=10", "n=6 mrai=5s", "n=4 delay=200ms mrai=1s", "n=7 mrai=7s delay=1ms", "delay=250us"},
		"b-clique": {"n=3", "n=4", "n=6", "n=8", "mrai=5s", "n=4 delay=90ms mrai=90ms", "n=6 mrai=100ms delay=3ms", "delay=250us",
			"n=3 mrai=10ms"}, // a round of MRAI is no shorter than a link's delay
		"chain": {"n=2", "n=3", "n=10", "n=30", "delay=3ms", "processing=0s", "n=7 delay=1s processing=7ms"},
		"ring":  {"n=6", "n=8", "n=9", "n=12", "n=15", "mrai=5s", "n=8 mrai=7s delay=1s", "n=11 delay=3ms", "n=6 mrai=20ms"},
		"tree":  {"depth=1", "depth=5 fanout=1", "depth=2 fanout=7", "depth=4 fanout=2", "delay=1s", "depth=5 fanout=2 delay=3ms"},
	} {
		load := builtin(t, name)
		for seed, sets := range cases {
			a := mustRun(t, explain.Ask{Load: load, Seed: uint64(seed), Sets: strings.Fields(sets)})
			if !a.Expect() {
				t.Errorf("%s, %s: %+v", name, sets, a.Doc.Expectations)
			}
		}
	}
}

// The smallest of each kind, which the laws leave out, and what the comments in the
// scenarios say of other settings.
func TestWhereTheLawsOfGraphsEnd(t *testing.T) {
	for _, c := range []struct {
		name, sets             string
		outage                 report.Seconds
		announced, withdrawals int
	}{
		{"clique", "mrai=0s", 40e6, 188, 48},
		{"b-clique", "mrai=0s", 50e6, -1, -1},
		{"ring", "n=3", 0, -1, -1},
		{"ring", "n=4", 20e6, -1, -1},
		{"ring", "n=5", 20e6, -1, -1},
		{"ring", "mrai=0s", 40e6, -1, -1},
		{"ring", "generate.bgp.mrai_after_withdrawal=false", 40e6, -1, -1},
		{"chain", "generate.bgp.no_echo=true", 44e6, 4, 0},
		// 1+3+9+27 routers, and an echo from each but the root.
		{"tree", "", 30e6, 0, 78},
		{"tree", "generate.bgp.no_echo=true", 30e6, 0, 39},
	} {
		a := mustRun(t, explain.Ask{Load: builtin(t, c.name), Sets: strings.Fields(c.sets)})
		var outage report.Seconds
		if c.name == "ring" || c.name == "b-clique" {
			for _, g := range a.Doc.Gaps {
				outage = max(outage, g.OutageS)
			}
		} else {
			outage = a.Doc.Convergence[0].Seconds
		}
		if outage != c.outage {
			t.Errorf("%s, %s: %v", c.name, c.sets, outage)
		}
		if x := a.Doc.Convergence[0]; c.announced >= 0 && (x.Announcements != c.announced || x.Withdrawals != c.withdrawals) {
			t.Errorf("%s, %s: %d announcements, %d withdrawals", c.name, c.sets, x.Announcements, x.Withdrawals)
		}
	}
}
