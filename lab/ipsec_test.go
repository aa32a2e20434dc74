//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// Two tunnels as in lab_test.go, with IPsec, whose settings are the case's.
const twoSecured = `
vpnsim: v1
name: two tunnels
for: 20s
routers:
  aws: {profile: aws-vgw, asn: 64512, networks: [10.2.0.0/16], bgp: {hold: %[1]s, keepalive: 1s}, vpn: {%[2]s}}
  gcp: {profile: gcp-cloud-router, asn: 65000, networks: [10.1.0.0/16], bgp: {hold: %[1]s, keepalive: 1s}, vpn: {%[2]s}}
hosts:
  vm:  {on: gcp, ip: 10.1.0.2}
  ec2: {on: aws, ip: 10.2.0.6}
tunnels:
  tun1: {gcp: {inside: 169.254.26.158/30, outside: 192.0.2.11}, aws: {inside: 169.254.26.157/30, outside: 192.0.2.12}, rtt: 6ms}
  tun2: {gcp: {inside: 169.254.26.134/30, outside: 192.0.2.13, import: [{local_pref: 200}]}, aws: {inside: 169.254.26.133/30, outside: 192.0.2.14, import: [{local_pref: 200}]}, rtt: 5ms}
probe: {ping: vm -> ec2, every: 100ms}
story:
%[3]s
`

// What real strongSwan does to real BGP lies where it must. A gap's upper bound has
// slack: the machine may be busy.
func TestIPsec(t *testing.T) {
	if testing.Short() {
		t.Skip("real daemons, in real time")
	}
	before := surroundings(t)
	const slack = 3 * time.Second
	cases := []struct {
		name, with       string
		hold, vpn, story string
		least, most      time.Duration
	}{
		// CEASE and DELETE go before the tunnel does; nobody waits.
		{"FRR, deleted with notice, and made again", "frr", "3s", "ike: v1",
			"  - {at: 2s, delete: tun2, by: gcp, notify: true}\n  - {at: 4s, create: tun2, by: gcp}", 0, 200 * time.Millisecond},
		// Not a word: hold time 3 s, and a keepalive each second.
		{"FRR, deleted in silence", "frr", "3s", "ike: v2, interface_follows_sa: false",
			`  - {at: "uniform(2s, 3s)", delete: tun2, by: gcp, notify: false}`, 1900 * time.Millisecond, 3100 * time.Millisecond},
		// The hold timer is far away; dead peer detection takes the interface down 5 s after
		// the last packet, and strongSwan counts in whole seconds: 4 to 6 s.
		{"FRR, IKEv1, dead peer", "frr", "90s", "ike: v1, dpd_interval: 2s, dpd_timeout: 5s, interface_follows_sa: true",
			"  - {at: 2s, blackhole: tun2}", 3800 * time.Millisecond, 6200 * time.Millisecond},
		// IKEv2 has no timeout: 2 s of silence, give or take one, and then retransmissions
		// after 0.5, 0.9 and 1.62 s without an answer.
		{"BIRD, IKEv2, dead peer", "bird", "90s", "ike: v2, dpd_interval: 2s, retransmit: 500ms, retransmit_tries: 2, interface_follows_sa: true",
			"  - {at: 2s, blackhole: tun2}", 3800 * time.Millisecond, 9200 * time.Millisecond},
	}
	var all sync.WaitGroup
	results := make([]*Results, len(cases))
	errs := make([]error, len(cases))
	plans := make([]*Plan, len(cases))
	opt := Options{Trials: 1, Parallel: 1, Seed: 1, Runs: 100, For: 10 * time.Second}
	for i, c := range cases {
		plans[i] = plan(t, fmt.Sprintf(twoSecured, c.hold, c.vpn, c.story), Flags{With: c.with, Tunnel: "ipsec"})
		if len(plans[i].Lacks()) > 0 {
			continue
		}
		all.Go(func() { results[i], errs[i] = Run(context.Background(), plans[i], opt) })
	}
	all.Wait()
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if lacks := plans[i].Lacks(); len(lacks) > 0 {
				t.Skipf("%s is missing: %s", lacks[0].What, lacks[0].Help)
			}
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			tr := results[i].Trials[0]
			t.Logf("gap %v, %v %v %v", tr.Gap(), tr.Faults, tr.SAs, tr.Changes)
			if g := tr.Gap(); g < c.least || g > c.most+slack {
				t.Errorf("a gap of %v; %v to %v are expected", g, c.least, c.most)
			}
			// The simulation is held to the same bounds, without slack.
			if lo, hi := time.Duration(results[i].Predicted.Min()), time.Duration(results[i].Predicted.Max()); lo < c.least || hi > c.most {
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
		})
	}
	if after := surroundings(t); after != before {
		t.Errorf("the namespace of the test has changed:\n%s\nwas\n%s", after, before)
	}
	for _, name := range left(t) {
		t.Errorf("%s is left behind", name)
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
		p := plan(t, fmt.Sprintf(twoSecured, "30s", c.vpn, "  - {at: 2s, blackhole: tun2}"), Flags{With: "frr", Tunnel: "ipsec"})
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
		d, problems := scenarios.Load("test.yaml", []byte(fmt.Sprintf(twoSecured, "30s", vpn, "  - {at: 2s, blackhole: tun2}")), []string{"routers.aws.vpn.ike=v1"})
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
