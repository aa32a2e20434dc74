package explain_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
)

// Whatever is explained of forwarding, the waits add up to it, and the tables have
// written what they say before the interval began.
func TestChainsTileEveryInterval(t *testing.T) {
	states := map[string]int{}
	check := func(name string, a *explain.Answer) {
		for _, f := range a.Doc.Forwarding {
			for _, v := range f.Intervals {
				if v.State == "ok" || v.State == "asymmetric" {
					if len(v.Chain)+len(v.Entries) > 0 {
						t.Errorf("%s: %s is explained", name, v.State)
					}
					continue
				}
				states[v.State]++
				at := v.StartS
				for _, w := range v.Chain {
					if w.StartS != at || w.EndS <= w.StartS || w.Node == "" || w.What == "" {
						t.Fatalf("%s, %s from %s: %+v", name, v.State, v.StartS, v.Chain)
					}
					at = w.EndS
				}
				if at != v.EndS {
					t.Fatalf("%s, %s from %s to %s: the waits end at %s", name, v.State, v.StartS, v.EndS, at)
				}
				for _, e := range v.Entries {
					if e.SinceS > v.StartS || e.Because == "" || e.Prefix == "" && (e.Link != "" || v.State != "black_hole") {
						t.Fatalf("%s, %s from %s: %+v", name, v.State, v.StartS, e)
					}
				}
				if least := map[string]int{"loop": 2, "stale_return_path": 1}[v.State]; len(v.Entries) < least {
					t.Fatalf("%s, %s from %s: by %+v", name, v.State, v.StartS, v.Entries)
				}
			}
		}
	}
	for _, name := range []string{"mrai-loop", "forwarding-states", "transit-as", "border-routers", "tgw-ecmp", "aws-gcp-propagation-off", "aws-gcp-security-group", "gr-hides-failure"} {
		check(name, mustRun(t, explain.Ask{Load: builtin(t, name), Seed: 1}))
	}
	load := builtin(t, "aws-gcp")
	r := rand.New(rand.NewPCG(5, 6))
	for seed := range uint64(60) {
		sets := []string{randomStory(r)}
		check(sets[0], mustRun(t, explain.Ask{Load: load, Seed: seed, Sets: sets}))
	}
	for _, s := range []string{"loop", "black_hole", "stale_return_path"} {
		if states[s] < 3 {
			t.Errorf("%d times %s", states[s], s)
		}
	}
}

// A loop is explained by the two entries that make it, and by the MRAI that kept
// the news back: of two that run out at one instant, the one that was first to end it.
func TestALoopIsExplained(t *testing.T) {
	a := mustRun(t, explain.Ask{Load: builtin(t, "mrai-loop")})
	v := a.Doc.Forwarding[0].Intervals[6]
	if v.State != "loop" || v.StartS != 145_010_000_000 || v.EndS != 170_020_000_000 || len(v.Entries) != 2 || len(v.Chain) != 2 {
		t.Fatalf("%+v", v)
	}
	for i, router := range []string{"a", "b"} {
		want := report.TableEntry{Router: router, Table: "fib", Prefix: "10.0.0.0/24", Link: "ab", SinceS: v.StartS, Because: v.Because}
		if v.Entries[i] != want {
			t.Errorf("%+v, want %+v", v.Entries[i], want)
		}
	}
	if w := v.Chain[0]; w.Parameter != "routers.b.bgp.mrai" || w.Value != "30s" || !strings.HasPrefix(w.What, "MRAI") || w.EndS-w.StartS != 25_000_000_000 {
		t.Errorf("%+v", w)
	}
}

// Where nobody says who is to be followed, hosts are.
func TestHostsAreFollowedWithoutAProbe(t *testing.T) {
	load := builtin(t, "ring")
	if a := mustRun(t, explain.Ask{Load: load, Sets: []string{"probe=[]", "expect=[]"}}); len(a.Doc.Forwarding) != 1 || a.Doc.Forwarding[0].From != "h1" || a.Doc.Forwarding[0].To != "h2" {
		t.Errorf("%d pairs: %+v", len(a.Doc.Forwarding), a.Doc.Forwarding)
	}
	if a := mustRun(t, explain.Ask{Load: load, Sets: []string{"generate.hosts=[r1, r2, r3]"}}); len(a.Doc.Forwarding) != 1 {
		t.Errorf("beside a probe: %d pairs", len(a.Doc.Forwarding))
	}
}
