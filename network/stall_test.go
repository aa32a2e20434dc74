package network_test

import (
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
)

// stalling is a pair of routers of which one stalls; nothing else ever happens.
const stalling = `
vpnsim: v1
name: stalls
for: 1h
routers:
  a: {profile: rfc4271, asn: 65001, networks: [10.1.0.0/16], bgp: {hold: 9s}}
  b: {profile: rfc4271, asn: 65002, networks: [10.2.0.0/16], bgp: {hold: 9s}, stall: {every: 600s, for: 5s}}
hosts:
  h: {on: a, ip: 10.1.0.5}
  k: {on: b, ip: 10.2.0.5}
links:
  l: {a: {inside: 169.254.0.1/30}, b: {inside: 169.254.0.2/30}, delay: 5ms}
probe: {ping: h -> k, every: 1s}
`

// A stall that is shorter than the time that is left of the neighbour's hold time is
// survived; keepalives are 2.25 to 3 s apart, so one of 5 s always is, and one of 9 s never.
func TestShortStallsAreSurvived(t *testing.T) {
	for _, c := range []struct {
		sets    []string
		outages bool
	}{
		{nil, false},
		{[]string{"routers.b.stall.for=9s"}, true},
		{[]string{"routers.b.stall.for=9s", "routers.a.bgp.hold=90s", "routers.b.bgp.hold=90s"}, false},
		{[]string{"routers.b.stall.for=9s", "routers.b.stall.every=0s"}, false},
	} {
		for seed := range uint64(5) {
			res := network.New(mustParse(t, stalling, c.sets...), network.Options{}).Run(seed)
			if got := len(res.Probes[0].Outages) > 0; got != c.outages {
				t.Errorf("%v, seed %d: outages: %v, want %v", c.sets, seed, got, c.outages)
			}
		}
	}
}

// Stalls come by their number: with every 600 s and lasting 9 s, the first is at 600 s and the
// second 600 s after the first is over. The neighbour drops the session when the hold time that
// the last keepalive began is over.
func TestStallsComeAsTheyAreAsked(t *testing.T) {
	res := network.New(mustParse(t, stalling, "routers.b.stall.for=9s"), network.Options{}).Run(1)
	out := res.Probes[0].Outages
	if len(out) != 5 {
		t.Fatalf("%d outages, want one for each of 5 stalls", len(out))
	}
	for i, o := range out {
		begins := sim.Time(i+1)*sim.Time(600*time.Second) + sim.Time(i)*sim.Time(9*time.Second)
		if late := o.Start.Sub(begins); late < 6*time.Second || late > 9*time.Second+20*time.Millisecond {
			t.Errorf("outage %d begins %v after its stall, want 6 to 9 s", i, late)
		}
	}
}

// A process that the story freezes goes on when both the story and the stall let it.
func TestStallsAndTheStory(t *testing.T) {
	text := stalling + "story:\n  - {at: 601s, freeze: b, for: 2s}\n"
	for _, c := range []struct {
		sets    []string
		outages int
	}{
		{[]string{"routers.b.stall.every=600s", "for=700s"}, 0},                               // 600 to 605 s: 5 s, as if alone
		{[]string{"routers.b.stall.for=2s", "story[0].for=8s", "for=700s"}, 1},                // 600 to 609 s
		{[]string{"routers.b.stall.for=9s", "for=700s"}, 1},                                   // 600 to 609 s
		{[]string{"routers.b.stall.every=0s", "for=700s"}, 0},                                 // 601 to 603 s
		{[]string{"routers.b.stall.every=0s", "story[0].for=9s", "for=700s"}, 1},              // 601 to 610 s
		{[]string{"routers.b.stall.for=2s", "story[0].for=100ms", "for=700s"}, 0},             // 600 to 602 s
		{[]string{"routers.b.stall.every=602.9s", "routers.b.stall.for=3.1s", "for=700s"}, 0}, // 601 to 606 s, both
		{[]string{"routers.b.stall.every=602.9s", "routers.b.stall.for=7.1s", "for=700s"}, 1}, // 601 to 610 s, both
		{[]string{"routers.b.stall.every=603.5s", "routers.b.stall.for=5s", "for=700s"}, 0},   // 601 to 603 s, 603.5 to 608.5 s
	} {
		res := network.New(mustParse(t, text, c.sets...), network.Options{}).Run(1)
		if got := len(res.Probes[0].Outages); got != c.outages {
			t.Errorf("%v: %d outages, want %d", c.sets, got, c.outages)
		}
	}
}
