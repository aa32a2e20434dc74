package network_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/trace"
)

// Measured with FRR 8.4.4, MRAI 5 s, in the b-clique of n: 5.3, 10.3, 14.8 and 20.4 s for
// n = 3, 4, 5, 6 (docs/calibration.md), which are n-2 rounds, each up to a second
// shorter. Where each UPDATE is decided about by itself, most routers find the long way
// sooner.
func TestDecidingTogetherMakesRounds(t *testing.T) {
	const text = `vpnsim: v1
for: 200s
generate:
  b-clique: 6
  profile: frr
  rtt: 2ms
  prefix: 10.0.0.0/24
  hosts: [r1, r3]
  bgp: {hold: 30s, mrai: 5s, DECIDES}
probe: {ping: h3 -> h1, every: 200ms}
story:
  - {at: "uniform(100s, 105s)", down: r1-r2}
`
	longest := func(decides string, seed uint64) time.Duration {
		o := network.New(mustParse(t, strings.Replace(text, "DECIDES", decides, 1)), network.Options{}).Run(seed).Probes[0].Outages
		longest := time.Duration(0)
		for i := range o {
			longest = max(longest, o[i].End.Sub(o[i].Start))
		}
		return longest
	}
	for seed := range uint64(20) {
		between(t, "together", longest("decision_delay: 50ms", seed), 15*time.Second, 21*time.Second)
		between(t, "one by one", longest("decision_delay: 0s, processing: 50ms", seed), 4*time.Second, 20*time.Second)
	}
}

// One decision for all UPDATEs of fifty milliseconds, and what comes later waits for the
// next; a process that is killed meanwhile decides nothing, and one that hangs later.
func TestADecisionWaits(t *testing.T) {
	x := tellOn(t, 1, `vpnsim: v1
for: 130s
routers:
  a: {profile: rfc4271, asn: 65001, networks: [10.1.0.0/16], bgp: {hold: 30s, processing: 0s, mrai: 0s}}
  b: {profile: rfc4271, asn: 65002, bgp: {hold: 30s, processing: 0s, decision_delay: 50ms}}
hosts:
  ha: {on: a, ip: 10.1.0.5}
links:
  l: {a: {inside: 10.0.0.1/30}, b: {inside: 10.0.0.2/30}, delay: 1ms}
story:
  - {at: 100s, announce: 10.3.0.0/16, by: a}
  - {at: 100.030s, announce: 10.4.0.0/16, by: a}
  - {at: 100.060s, announce: 10.5.0.0/16, by: a}
  - {at: 110s, announce: 10.6.0.0/16, by: a}
  - {at: 110.010s, freeze: b, for: 1s}
  - {at: 120s, announce: 10.7.0.0/16, by: a}
  - {at: 120.010s, kill: b}
`)
	got := map[string]time.Duration{}
	for _, n := range x.log.Notes {
		if n.Kind == trace.NoteRoute && n.Router == 1 && n.At >= at(99) && n.Route.Best != nil {
			got[n.Prefix.String()] = time.Duration(n.At)
		}
	}
	for prefix, want := range map[string]time.Duration{
		"10.3.0.0/16": 100*time.Second + 51*time.Millisecond,
		"10.4.0.0/16": 100*time.Second + 51*time.Millisecond,
		"10.5.0.0/16": 100*time.Second + 111*time.Millisecond,
		"10.6.0.0/16": 111*time.Second + 10*time.Millisecond,
		"10.7.0.0/16": 0,
	} {
		equal(t, prefix, got[prefix], want)
	}
}
