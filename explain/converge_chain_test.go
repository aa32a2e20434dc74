package explain_test

import (
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
)

// How long routing took after an event is explained as a gap is: the waits of the prefix
// that took longest add up to it. In the clique of five, Labovitz's law has two rounds of MRAI and two
// link delays in it.
func TestConvergenceIsExplained(t *testing.T) {
	a := mustRun(t, explain.Ask{Load: builtin(t, "clique"), Seed: 1, WhatIf: explain.NoWhatIf})
	if err := a.Convergence(1); err != nil {
		t.Fatal(err)
	}
	c := a.Doc.Convergence[0]
	rounds := 0
	for _, w := range c.Chain {
		if strings.HasSuffix(w.Parameter, ".bgp.mrai") {
			rounds++
		}
	}
	if c.Seconds != 60_020_000_000 || rounds != 2 || sumOf(c.Chain) != c.Seconds {
		t.Errorf("%v s, %d rounds of MRAI, %v", c.Seconds, rounds, c.Chain)
	}
	if err := a.Convergence(2); err == nil || !strings.Contains(err.Error(), "there is no event 2: the story has 1") {
		t.Error(err)
	}
}

// In all that is shipped, whatever has converged and took its time has a chain that adds up.
func TestEveryConvergenceAddsUp(t *testing.T) {
	chains := 0
	for _, name := range scenarios.BuiltinNames() {
		load := builtin(t, name)
		a, err := explain.Run(explain.Ask{Load: load, Seed: 2, WhatIf: explain.NoWhatIf})
		if err != nil || a.Design.Internet != nil {
			continue
		}
		for _, event := range append(report.Events(a.Doc.BringUp), report.Events(a.Doc.Convergence)...) {
			total, explained := report.Total(event), false
			for _, c := range event {
				if len(c.Chain) == 0 {
					continue
				}
				chains, explained = chains+1, true
				if sum := sumOf(c.Chain); sum != c.Seconds || c.Seconds != total.Seconds {
					t.Errorf("%s: %s: %v took %v s of %v s, and the waits are %v s", name, c.Event, c.Prefix, c.Seconds, total.Seconds, sum)
				}
			}
			if total.Converged && total.Seconds > 0 && !explained {
				t.Errorf("%s: %s: nothing says why it took %v s", name, total.Event, total.Seconds)
			}
		}
	}
	if chains < 60 {
		t.Errorf("only %d chains", chains)
	}
}

func sumOf(chain []report.Wait) (sum report.Seconds) {
	for _, w := range chain {
		sum += w.EndS - w.StartS
	}
	return sum
}
