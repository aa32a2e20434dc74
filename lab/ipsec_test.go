//go:build linux

package lab

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// secured is twoTunnels with IPsec.
func secured(hold, vpn, story string) string {
	return fmt.Sprintf(strings.ReplaceAll(twoTunnels, "bgp: {hold: 3s, keepalive: 1s}", "bgp: {hold: "+hold+", keepalive: 1s}, vpn: {"+vpn+"}"), story)
}

// What real strongSwan does to real BGP lies where it must. A gap's upper bound has
// slack: the machine may be busy.
func TestIPsec(t *testing.T) {
	before := surroundings(t)
	const slack = 3 * time.Second
	cases := []struct {
		name, with       string
		hold, vpn, story string
		least, most      time.Duration
	}{
		// CEASE and DELETE go before the tunnel does; nobody waits.
		{"FRR, deleted with notice, and made again", "frr", "3s", "ike: v1",
			"{at: 2s, delete: tun2, by: gcp, notify: true}\n  - {at: 4s, create: tun2, by: gcp}", 0, 200 * time.Millisecond},
		// Not a word: hold time 3 s, and a keepalive each second.
		{"FRR, deleted in silence", "frr", "3s", "ike: v2, interface_follows_sa: false",
			`{at: "uniform(2s, 3s)", delete: tun2, by: gcp, notify: false}`, 1900 * time.Millisecond, 3100 * time.Millisecond},
		// The hold timer is far away; dead peer detection takes the interface down 5 s after
		// the last packet, and strongSwan counts in whole seconds: 4 to 6 s.
		{"FRR, IKEv1, dead peer", "frr", "90s", "ike: v1, dpd_interval: 2s, dpd_timeout: 5s, interface_follows_sa: true",
			"{at: 2s, blackhole: tun2}", 3800 * time.Millisecond, 6200 * time.Millisecond},
		// IKEv2 has no timeout: 2 s of silence, give or take one, and then retransmissions
		// after 0.5, 0.9 and 1.62 s without an answer.
		{"BIRD, IKEv2, dead peer", "bird", "90s", "ike: v2, dpd_interval: 2s, retransmit: 500ms, retransmit_tries: 2, interface_follows_sa: true",
			"{at: 2s, blackhole: tun2}", 3800 * time.Millisecond, 9200 * time.Millisecond},
	}
	var labs []labCase
	for i, c := range cases {
		p := plan(t, secured(c.hold, c.vpn, c.story), Flags{With: c.with, Tunnel: "ipsec"})
		labs = append(labs, labCase{c.name, p, Options{Trials: 1, Parallel: 1, Seed: 1, Runs: 100, For: 10 * time.Second}, func(t *testing.T, res *Results) {
			tr := res.Trials[0]
			t.Logf("gap %v, %v %v %v", tr.Gap(), tr.Faults, tr.SAs, tr.Changes)
			if g := tr.Gap(); g < c.least || g > c.most+slack {
				t.Errorf("a gap of %v; %v to %v are expected", g, c.least, c.most)
			}
			// The simulation is held to the same bounds, without slack.
			if lo, hi := time.Duration(res.Predicted.Min()), time.Duration(res.Predicted.Max()); lo < c.least || hi > c.most {
				t.Errorf("predicted are %v to %v; %v to %v are expected", lo, hi, c.least, c.most)
			}
			if i == 0 {
				back := map[string]bool{}
				for _, x := range tr.SAs {
					back[x.Router] = x.Up
				}
				if !back["aws"] || !back["gcp"] {
					t.Errorf("the tunnel that was made again has no SA: %v", tr.SAs)
				}
			}
		}})
	}
	runLabs(t, labs)
	if after := surroundings(t); after != before {
		t.Errorf("the namespace of the test has changed:\n%s\nwas\n%s", after, before)
	}
}

// What strongSwan is told is the scenario's, and what it cannot be told is its own, as
// measured.
func TestSettingsOfStrongSwan(t *testing.T) {
	for _, c := range []struct {
		vpn  string
		key  topology.Key
		want string
	}{
		{"ike: v1, dpd_interval: 10s, dpd_timeout: 30s", topology.VPNDPDTimeout, "uniform(29s, 31s)"},
		{"ike: v1, dpd_interval: 10s, dpd_timeout: 30s", topology.VPNDPDInterval, "10s"},
		// Without a timeout the retries decide; strongSwan is given the sum.
		{"ike: v1, dpd_interval: 10s, dpd_timeout: 0s, dpd_retry: 5s, dpd_retries: 3", topology.VPNDPDTimeout, "uniform(24s, 26s)"},
		{"ike: v2, dpd_interval: 10s, dpd_timeout: 30s", topology.VPNDPDTimeout, "0s"},
		{"ike: v2, dpd_interval: 10s, dpd_timeout: 30s", topology.VPNDPDInterval, "uniform(9s, 11s)"},
		{"ike: v2, dpd_interval: 0s", topology.VPNDPDInterval, "0s"},
		{"ike: v2, retransmit: 2s", topology.VPNRetransmit, "2s"},
		{"ike: v1, on_traffic: true", topology.VPNOnTraffic, "false"},
		{"ike: v1, interface_follows_sa: false", topology.VPNInterfaceFollowsSA, "false"},
	} {
		p := plan(t, secured("30s", c.vpn, "{at: 2s, blackhole: tun2}"), Flags{With: "frr", Tunnel: "ipsec"})
		for e := range 2 {
			if got := p.Design.Links[1].Ends[e].Settings[c.key].Format(c.key); got != c.want {
				t.Errorf("%s: %v is %s, not %s", c.vpn, c.key, got, c.want)
			}
		}
	}
}

// Who begins decides about the version of IKE; somebody has to.
func TestWhoBegins(t *testing.T) {
	with := func(vpn string) (*Plan, error) {
		d, problems := scenarios.Load("test.yaml", []byte(secured("30s", vpn, "{at: 2s, blackhole: tun2}")), []string{"routers.aws.vpn.ike=v1"})
		if scenarios.Failed(problems) {
			t.Fatal(problems)
		}
		return NewPlan(d, Flags{With: "frr", Tunnel: "ipsec"})
	}
	var bad *Problem
	if _, err := with("initiate: false"); !errors.As(err, &bad) || bad.Help != "set vpn.initiate at one end" {
		t.Error(err)
	}
	if _, err := with("initiate: true, ike: v2"); !errors.As(err, &bad) || bad.Help != "give both the same vpn.ike" {
		t.Error(err)
	}
	p, err := with("ike: v2")
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range p.Design.Links[0].Ends {
		if v := end.Settings[topology.VPNVersion].Enum; v != "v2" {
			t.Errorf("GCP begins with IKEv2, and an end has %s", v)
		}
	}
}
