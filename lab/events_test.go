//go:build linux

package lab

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/daemonconf"
	"github.com/vpnsim/vpnsim/topology"
)

// eventful is twoTunnels with one event after the other; the routes of aws show them.
const eventful = `{at: 2s, withdraw: 10.1.0.0/16, by: gcp, for: 1500ms}
  - {at: 6s, propagate: {router: aws, on: false}, for: 1500ms}
  - {at: 10s, refresh: tun2, by: gcp}
  - {at: 10500ms, freeze: gcp, for: 1s}
  - {at: 13s, down: tun2, for: 1s}`

// watchedLinks has a link that becomes a black hole, of which the hold timer would say nothing
// for 20 s and more.
const watchedLinks = `
vpnsim: v1
name: BFD
for: 20s
routers:
  r1: {profile: frr, asn: 65001, networks: [10.1.0.0/16], bgp: {hold: 30s}, bfd: {enabled: true, min_tx: 300ms, min_rx: 300ms, multiplier: 3}}
  r2: {profile: frr, asn: 65002, networks: [10.2.0.0/16], bgp: {hold: 30s}, bfd: {enabled: true, min_tx: 300ms, min_rx: 300ms, multiplier: 3}}
hosts: {a: {on: r1, ip: 10.1.0.10}, b: {on: r2, ip: 10.2.0.10}}
links:
  l1: {r1: {inside: 192.168.1.1/30, import: {local_pref: 200}}, r2: {inside: 192.168.1.2/30, import: {local_pref: 200}}, rtt: 1ms}
  l2: {r1: {inside: 192.168.2.1/30}, r2: {inside: 192.168.2.2/30}, rtt: 1ms}
probe: {ping: a -> b, every: 100ms}
story:
  - {at: "uniform(2s, 3s)", blackhole: l1}
`

// restarted is a router that is restarted, and its peer keeps its routes. FRR would take
// two minutes to settle for it.
const restarted = `
vpnsim: v1
name: graceful restart
for: 20s
routers:
  r1: {profile: gobgp, asn: 65001, networks: [10.1.0.0/16], bgp: {hold: 9s, graceful_restart: restarter}, fib: {survives: true}}
  r2: {profile: gobgp, asn: 65002, networks: [10.2.0.0/16], bgp: {hold: 9s, graceful_restart: restarter}, fib: {survives: true}}
hosts: {a: {on: r1, ip: 10.1.0.10}, b: {on: r2, ip: 10.2.0.10}}
links:
  l1: {r1: {inside: 192.168.1.1/30}, r2: {inside: 192.168.1.2/30}, rtt: 1ms}
probe: {ping: a -> b, every: 100ms}
story:
  - {at: "uniform(2s, 3s)", restart: r1, for: 1s}
`

func TestEvents(t *testing.T) {
	// What becomes of the route of aws to gcp. tun1 for a moment is the other session, which
	// hears of the withdrawal or the announcement a little later, or earlier; and with a link
	// that goes down, its routes do.
	route := regexp.MustCompile(`^(tun1 )?gone (tun1 )?tun2 gone (tun1 )?tun2 (gone )?tun1 tun2 $`)
	routeOfGoBGP := regexp.MustCompile(`^(tun1 )?gone (tun1 )?tun2 gone tun2 gone tun2 $`) // it does not see that the link is down
	within := func(most time.Duration) func(*testing.T, *Trial) {
		return func(t *testing.T, tr *Trial) {
			if g := tr.Gap(); g > most {
				t.Errorf("a gap of %v", g)
			}
		}
	}
	routes := func(want *regexp.Regexp) func(*testing.T, *Trial) {
		return func(t *testing.T, tr *Trial) {
			var seen strings.Builder
			last := "tun2"
			for _, c := range tr.Changes {
				via := c.Via
				if via == "" {
					via = "gone"
				}
				if c.Router == "aws" && via != last {
					seen.WriteString(via + " ")
					last = via
				}
			}
			if !want.MatchString(seen.String()) {
				t.Errorf("the route of aws was %q", seen.String())
			}
		}
	}
	cases := []struct {
		name, scenario string
		flags          Flags
		check          func(*testing.T, *Trial)
	}{
		{"FRR, events", fmt.Sprintf(twoTunnels, eventful), Flags{With: "frr"}, routes(route)},
		{"BIRD, events", fmt.Sprintf(twoTunnels, eventful), Flags{With: "bird"}, routes(route)},
		{"GoBGP, events", fmt.Sprintf(twoTunnels, eventful), Flags{With: "gobgp"}, routes(routeOfGoBGP)},
		// 0.9 s, and what a busy machine takes.
		{"FRR, BFD", watchedLinks, Flags{With: "frr"}, within(5 * time.Second)},
		{"BIRD and FRR, BFD", watchedLinks, Flags{With: "bird", Routers: []string{"r1=frr"}}, within(5 * time.Second)},
		{"BIRD, graceful restart", restarted, Flags{With: "bird"}, within(300 * time.Millisecond)},
		{"GoBGP, graceful restart", restarted, Flags{With: "gobgp"}, within(300 * time.Millisecond)},
	}
	var labs []labCase
	for _, c := range cases {
		p, opt := plan(t, c.scenario, c.flags), Options{Trials: 1, Parallel: 1, Seed: 1, Runs: 1, For: 13 * time.Second}
		if c.scenario != watchedLinks && c.scenario != restarted {
			opt.For = 22 * time.Second
			p.Design.For = opt.For
		}
		labs = append(labs, labCase{c.name, p, opt, func(t *testing.T, res *Results) {
			tr := res.Trials[0]
			if len(tr.Faults) != len(p.Design.Story) {
				t.Errorf("%d events, not %d", len(tr.Faults), len(p.Design.Story))
			}
			c.check(t, tr)
			t.Logf("gap %v, %v %v", tr.Gap(), tr.Faults, tr.Changes)
		}})
	}
	runLabs(t, labs)
}

// What a daemon cannot be, or has not, is refused, or left out of the prediction.
func TestGoBGPHasNeither(t *testing.T) {
	p := plan(t, watchedLinks, Flags{With: "frr", Routers: []string{"r2=gobgp"}})
	for e, want := range []bool{true, false} {
		if got := p.Design.Links[0].Ends[e].Settings[topology.BFDEnabled].Bool; got != want {
			t.Errorf("BFD of end %d is %v", e, got)
		}
	}
	if p.Daemons[1] != daemonconf.GoBGP {
		t.Error(p.Daemons)
	}
}
