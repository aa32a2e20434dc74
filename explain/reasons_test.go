package explain_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// pingedClique is a clique of five in which a host behind r3 pings one behind r1, whose
// network goes for good. MRAI makes packets loop meanwhile, and is not what the gap,
// which never ends, waits for.
func pingedClique() explain.Loader {
	text := "vpnsim: v1\nname: c\nfor: 300s\nrouters:\n"
	links := "links:\n"
	for i := 1; i <= 5; i++ {
		text += fmt.Sprintf("  r%d: {profile: rfc4271, asn: 6500%d, id: 192.0.2.%d, networks: [10.0.%d.0/24], fib: {delay: 0s}, bgp: {hold: 0s, "+
			"mrai: 30s, mrai_mode: since-last-update, mrai_jitter: 1, mrai_withdrawals: exempt, sender_side_loop: false, processing: 0s}}\n", i, i, i, i)
		for j := i + 1; j <= 5; j++ {
			links += fmt.Sprintf("  l%d%d: {r%d: {inside: 172.16.%d%d.1/30}, r%d: {inside: 172.16.%d%d.2/30}, delay: 10ms}\n", i, j, i, i, j, j, i, j)
		}
	}
	text += links + "hosts:\n  a: {on: r3, ip: 10.0.3.2}\n  o: {on: r1, ip: 10.0.1.2}\nprobe: {ping: a -> o, every: 1s}\nstory:\n  - {at: 100s, withdraw: 10.0.1.0/24, by: r1}\n"
	return func(sets []string) (*topology.Design, error) {
		d, diags := scenarios.Load("clique.yaml", []byte(text), sets)
		if d == nil {
			return nil, errors.New(fmt.Sprint(diags))
		}
		return d, nil
	}
}

// whyNot is what is said about a suspect that was ruled out.
func whyNot(t *testing.T, g *report.Gap, parameter string) string {
	t.Helper()
	for _, r := range g.RuledOut {
		if r.Parameter == parameter {
			return r.Why
		}
	}
	t.Fatalf("gap %d: %s is not ruled out: %+v", g.N, parameter, g.RuledOut)
	return ""
}

// What is given as a reason has been looked up in the record of the run.
func TestReasonsAreLookedUp(t *testing.T) {
	for _, c := range []struct {
		name      string
		load      explain.Loader
		gap       int
		parameter string
		reason    string // empty: none is known
	}{
		{"what waited did not end a gap that never ends", pingedClique(), 1, "routers.*.bgp.mrai", "UPDATEs were held back, and none of them ended the gap"},
		{"nothing ended it, so nothing had to be processed to end it", pingedClique(), 1, "routers.r1.bgp.processing", ""},
		{"there is one path only", builtin(t, "flap-damping"), 3, "routers.near.bgp.mrai", "near held no UPDATE back meanwhile"},
		{"the announcement was one", builtin(t, "flap-damping"), 3, "routers.near.bgp.processing", ""},
		{"nothing was heard but silence", builtin(t, "aws-gcp"), 1, "routers.gcp.bgp.mrai", "aws already held the other path, and to change to it is a local decision that needs no UPDATE"},
		{"two others hold it up", builtin(t, "mrai-chain"), 1, "routers.r1.bgp.mrai", "r1 held no UPDATE back meanwhile"},
		{"it announces", builtin(t, "mrai-chain"), 1, "routers.r4.bgp.processing", "no UPDATE had to be processed to end the gap"},
		{"the session comes back", builtin(t, "azure-flaps"), 1, "routers.branch.bgp.connect_retry", ""},
		{"a withdrawal tells it to change", builtin(t, "wedgie"), 3, "routers.*.bgp.mrai", "no router held an UPDATE back meanwhile"},
	} {
		a := mustRun(t, explain.Ask{Load: c.load, Seed: 45250, WhatIf: explain.EverySuspect})
		why := whyNot(t, &a.Doc.Gaps[c.gap-1], c.parameter)
		reason, tried, ok := strings.Cut(why, "; ")
		if !ok {
			reason, tried = "", why
		}
		if reason != c.reason || !strings.HasPrefix(tried, "run again with ") {
			t.Errorf("%s: %s: %q", c.name, c.parameter, why)
		}
	}
}
