package explain_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// BIRD's bgp_start_timer in proto/bgp/bgp.c: "The randomization procedure is specified
// in RFC 4271 section 10"; a jittered timer is set to value * (75 to 100 %), and the
// hold timer is one of them. So 30 s are no explanation of 26 s.
func TestAHoldTimeThatWasDrawnSaysSo(t *testing.T) {
	a := mustRun(t, explain.Ask{Load: builtin(t, "bird-helper"), Seed: 45250})
	w := waitFor(t, &a.Doc.Gaps[0], "routers.bird.bgp.hold")
	d := w.Drawn
	if d == nil {
		t.Fatalf("a hold time of %s took %s s, and nothing says why", w.Value, w.EndS-w.SinceS)
	}
	if d.S != w.EndS-w.SinceS || d.Times != 1 || d.From != "30s x U(0.75, 1)" || d.Parameter != "routers.bird.bgp.hold_jitter" || d.Value != "0.75" || !strings.Contains(d.Source, "profile bird, measured") {
		t.Errorf("%+v", d)
	}
	if frr := mustRun(t, explain.Ask{Load: builtin(t, "bird-helper"), Seed: 45250, Sets: []string{"routers.bird.bgp.hold_jitter=1"}}); waitFor(t, &frr.Doc.Gaps[0], "routers.bird.bgp.hold").Drawn != nil {
		t.Error("without jitter, something was drawn")
	}
}

// Each timer that is jittered, and what it is a share of.
func TestEveryJitterIsNamed(t *testing.T) {
	for _, c := range []struct {
		name      string
		sets      []string
		parameter string
		from      string
		jitter    string
	}{
		{"mrai-chain", nil, "routers.r4.bgp.mrai", "30s x U(0.75, 1)", "routers.r4.bgp.mrai_jitter"},
		{"mrai-chain", []string{"routers.r4.bgp.mrai_scope=prefix"}, "routers.r4.bgp.mrai", "30s x U(0.75, 1)", "routers.r4.bgp.mrai_jitter"},
		{"mrai-chain", []string{"routers.r4.bgp.mrai_granularity=1s"}, "routers.r4.bgp.mrai", "30s x U(0.75, 1)", "routers.r4.bgp.mrai_jitter"},
		{"mrai-tick", []string{"routers.isp-b.bgp.mrai_jitter=0.75"}, "routers.isp-b.bgp.mrai", "30s x U(0.75, 1)", "routers.isp-b.bgp.mrai_jitter"},
		{"mrai-chain", []string{"routers.r4.bgp.mrai=uniform(20s, 20s)"}, "routers.r4.bgp.mrai", "20s x U(0.75, 1)", "routers.r4.bgp.mrai_jitter"},
		{"azure-flaps", nil, "routers.azure.bgp.idle_hold", "5s x U(0.75, 1)", "routers.azure.bgp.idle_hold_jitter"},
		{"azure-flaps", []string{"routers.branch.bgp.idle_hold_jitter=0.75"}, "routers.branch.bgp.idle_hold", "32s x U(0.75, 1)", "routers.branch.bgp.idle_hold_jitter"},
	} {
		a := mustRun(t, explain.Ask{Load: builtin(t, c.name), Sets: c.sets, Seed: 45250})
		found := false
		for i := range a.Doc.Gaps {
			for _, w := range a.Doc.Gaps[i].Chain {
				if w.Parameter != c.parameter || w.Drawn == nil {
					continue
				}
				d := w.Drawn
				found = found || d.From == c.from && d.Parameter == c.jitter && d.Value == "0.75" && d.Source != ""
			}
		}
		if !found {
			t.Errorf("%s %v: %s is nowhere drawn from %s by %s", c.name, c.sets, c.parameter, c.from, c.jitter)
		}
	}
}

// An out-delay is not jittered (profile key mrai_jitter: "an out-delay is not").
func TestAnOutDelayIsNotDrawn(t *testing.T) {
	a := mustRun(t, explain.Ask{Load: builtin(t, "mrai-out-delay"), Seed: 3})
	for _, w := range a.Doc.Gaps[0].Chain {
		if strings.Contains(w.What, "out-delay") && w.Drawn != nil {
			t.Errorf("%s: %+v", w.What, w.Drawn)
		}
	}
}

// In no chain of a shipped scenario does a wait for a setting that is one length take
// another one in silence: what is jittered says what was drawn, the draw lies where
// jitter leaves it, and no part of a wait is longer than it.
func TestNoJitterIsKeptQuiet(t *testing.T) {
	jitters := map[string]string{"bgp.hold": "bgp.hold_jitter", "bgp.keepalive": "bgp.keepalive_jitter",
		"bgp.connect_retry": "bgp.connect_retry_jitter", "bgp.connect_delay": "bgp.connect_retry_jitter",
		"bgp.idle_hold": "bgp.idle_hold_jitter", "bgp.idle_hold_reset": "bgp.idle_hold_jitter", "bgp.max_prefixes_restart": "bgp.idle_hold_jitter",
		"bgp.mrai": "bgp.mrai_jitter", "bgp.mrai_ibgp": "bgp.mrai_jitter", "bfd.min_tx": "bfd.jitter", "bfd.min_rx": "bfd.jitter"}
	drawn := 0
	for _, name := range scenarios.BuiltinNames() {
		load := builtin(t, name)
		for seed := range uint64(2) {
			a := mustRun(t, explain.Ask{Load: load, Seed: seed})
			if a.Result == nil {
				continue // a graph of ASes has no chains
			}
			chains := [][]report.Wait{}
			for i := range a.Doc.Gaps {
				chains = append(chains, a.Doc.Gaps[i].Chain)
			}
			for i := range a.Doc.Forwarding {
				for k := range a.Doc.Forwarding[i].Intervals {
					chains = append(chains, a.Doc.Forwarding[i].Intervals[k].Chain)
				}
			}
			for _, w := range slices.Concat(chains...) {
				parts := strings.Split(w.Parameter, ".")
				if len(parts) < 2 || strings.Contains(w.What, "out-delay") {
					continue
				}
				jitter, jittered := jitters[strings.Join(parts[len(parts)-2:], ".")]
				r := slices.IndexFunc(a.Design.Routers, func(r topology.Router) bool { return r.Name == w.Node })
				if !jittered || r < 0 {
					continue
				}
				key, _ := topology.KeyByPath(jitter)
				share := a.Design.Routers[r].Settings[key].Int
				switch d := w.Drawn; {
				case d == nil && share < 1000:
					t.Errorf("%s, seed %d: %s: %s took %s s of %s, with %s = 0.%03d, in silence", name, seed, w.Node, w.What, w.EndS-w.SinceS, w.Value, jitter, share)
				case d == nil:
				case share == 1000:
					t.Errorf("%s, seed %d: %s: %s: %+v without jitter", name, seed, w.Node, w.What, d)
				default:
					drawn++
					text, _, _ := strings.Cut(d.From, " x ")
					of, err := time.ParseDuration(text)
					if n := time.Duration(d.Times); err != nil || time.Duration(d.S) > n*of || time.Duration(d.S) < n*(of/1000*time.Duration(share)) || d.Times == 1 && w.EndS-w.SinceS > d.S {
						t.Errorf("%s, seed %d: %s: %s from %d to %d: %+v", name, seed, w.Node, w.What, w.SinceS, w.EndS, d)
					}
				}
			}
		}
	}
	if drawn < 20 {
		t.Errorf("only %d waits were drawn", drawn)
	}
	t.Logf("%d waits were drawn", drawn)
}
