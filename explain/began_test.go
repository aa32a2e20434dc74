package explain_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// pairText is two routers with two links.
func pairText(a, b, more string) string {
	return fmt.Sprintf(`vpnsim: v1
for: 200s
routers:
  a: {asn: 65001, networks: [10.1.0.0/16], %s}
  b: {asn: 65002, networks: [10.2.0.0/16], %s}
hosts:
  ha: {on: a, ip: 10.1.0.5}
  hb: {on: b, ip: 10.2.0.5}
links:
  l1: {a: {inside: 192.168.1.1/30}, b: {inside: 192.168.1.2/30}, rtt: 10ms}
  l2: {a: {inside: 192.168.2.1/30}, b: {inside: 192.168.2.2/30}, rtt: 10ms}
probe: {ping: ha -> hb, every: 1s}
%s`, a, b, more)
}

// loaderOf loads a scenario from its text.
func loaderOf(text string) explain.Loader {
	return func(sets []string) (*topology.Design, error) {
		d, diags := scenarios.Load("pair.yaml", []byte(text), sets)
		if d == nil {
			return nil, errors.New(fmt.Sprint(diags))
		}
		return d, nil
	}
}

// What began a gap is what an engineer would say, and not merely what the
// causes of its first event lead back to.
func TestWhatBeganAGap(t *testing.T) {
	short := "profile: rfc4271, bgp: {hold: 9s, keepalive: 3s}"
	for _, c := range []struct {
		name, a, b, story string
		gap               int
		cause, parameter  string
	}{
		{"the second freeze, not the thaw that the session's messages descend from", short, short,
			"story:\n  - {at: 50s, freeze: a, for: 5s}\n  - {at: 100s, freeze: a, for: 20s}\n", 0,
			"after the routing process of a hangs at 100.000 s", ""},
		{"a fault at time zero", short, short,
			"story:\n  - {at: 0s, blackhole: l1, for: 100s}\n", 0, "l1 becomes a black hole in both directions at 0.000 s", ""},
		{"a fault of the other link while the hold timer ran", short, short,
			"story:\n  - {at: 50s, freeze: b, for: 20s}\n  - {at: 54s, loss: l1, p: 0.01}\n", 0,
			"after the routing process of b hangs at 50.000 s", ""},
		{"keepalives slower than the hold time", "profile: rfc4271, bgp: {hold: 180s, keepalive: 60s, keepalive_fixed: true}", "profile: rfc4271, bgp: {hold: 30s, keepalive: 10s, connect_retry: 5s, idle_hold: 1s, idle_hold_max: 1s}",
			"", 1, "a sends a keepalive every 60s, whatever was negotiated (routers.a.bgp.keepalive_fixed)", ""},
		{"both ends passive", "profile: rfc4271, bgp: {passive: true}", "profile: rfc4271, bgp: {passive: true}", "", 0,
			"both ends of the session over l1 wait to be called", ".bgp.passive"},
	} {
		a := mustRun(t, explain.Ask{Load: loaderOf(pairText(c.a, c.b, c.story)), Seed: 1, WhatIf: explain.ChainOnly})
		if len(a.Doc.Gaps) <= c.gap {
			t.Errorf("%s: %d gaps", c.name, len(a.Doc.Gaps))
			continue
		}
		g := &a.Doc.Gaps[c.gap]
		if !strings.Contains(g.Cause, c.cause) {
			t.Errorf("%s: the cause is %q, not %q", c.name, g.Cause, c.cause)
		}
		if c.parameter != "" && !strings.HasSuffix(g.Chain[0].Parameter, c.parameter) {
			t.Errorf("%s: the chain blames %s, not %s", c.name, g.Chain[0].Parameter, c.parameter)
		}
	}
}

// Where keepalives are slower than the hold time, sending them as negotiated
// is proposed, and it ends the flapping.
func TestSlowKeepalivesHaveACure(t *testing.T) {
	text := pairText("profile: rfc4271, bgp: {hold: 180s, keepalive: 60s, keepalive_fixed: true}",
		"profile: rfc4271, bgp: {hold: 30s, keepalive: 10s, connect_retry: 5s, idle_hold: 1s, idle_hold_max: 1s}", "")
	a := mustRun(t, explain.Ask{Load: loaderOf(text), Seed: 1, WhatIf: explain.ChainOnly})
	for _, cf := range a.Doc.Gaps[1].Counterfactuals {
		if strings.Contains(cf.Change, "routers.a.bgp.keepalive_fixed=false") {
			if cf.OutageS != 0 || cf.Lost != 0 {
				t.Errorf("with it %v are lost still", cf.OutageS)
			}
			return
		}
	}
	t.Errorf("not proposed: %v", a.Doc.Gaps[1].Counterfactuals)
}

// Each part of dead peer detection has a parameter of its own: the silence
// before the first question, and the questions that are not answered.
func TestDeadPeerDetectionBlamesItsParts(t *testing.T) {
	for _, c := range []struct{ vpn, want string }{
		{"{ike: v1, dpd_interval: 2s, dpd_retry: 1s, dpd_retries: 2, dpd_timeout: 0s, dpd_action: clear, interface_follows_sa: true}",
			"vpn.dpd_interval vpn.dpd_retry"},
		{"{ike: v2, dpd_interval: 2s, retransmit: 500ms, retransmit_tries: 2, dpd_timeout: 0s, dpd_action: clear, interface_follows_sa: true}",
			"vpn.dpd_interval vpn.retransmit"},
	} {
		r := "profile: rfc4271, bgp: {hold: 90s, keepalive: 3s, fast_fallover: true}, fib: {delay: 0s}, vpn: " + c.vpn
		text := pairText(r, r, "story:\n  - {at: 50s, blackhole: l1, for: 20s}\n  - {at: 150s, blackhole: l2, for: 20s}\n")
		text = strings.NewReplacer("links:", "tunnels:", "{inside: 192.168.", "{outside: 198.51.100.N, inside: 192.168.").Replace(text)
		for n := 1; strings.Contains(text, "100.N"); n++ {
			text = strings.Replace(text, "100.N", fmt.Sprintf("100.%d", n), 1)
		}
		a := mustRun(t, explain.Ask{Load: loaderOf(text), Seed: 1, WhatIf: explain.ChainOnly})
		if len(a.Doc.Gaps) == 0 {
			t.Fatal("nothing was lost")
		}
		var got []string
		for _, w := range a.Doc.Gaps[0].Chain {
			got = append(got, w.Parameter[len("routers.a."):])
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v", c.vpn, got)
		}
	}
}
