package network_test

import (
	"math"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
)

// noisy is a pair of routers over a link that loses packets.
const noisy = `
vpnsim: v1
name: noise
for: 600s
routers:
  a: {profile: rfc4271, asn: 65001, networks: [10.1.0.0/16], bgp: {hold: 3s, idle_hold: 1s}}
  b: {profile: rfc4271, asn: 65002, networks: [10.2.0.0/16], bgp: {hold: 3s, idle_hold: 1s}}
links:
  l: {a: {inside: 169.254.0.1/30}, b: {inside: 169.254.0.2/30}, delay: 5ms, loss: 0.3}
`

// What the story breaks is the story's, what the link's noise breaks came by chance.
func TestDropsAreToldApart(t *testing.T) {
	run := func(seed uint64, text string, sets ...string) network.Drops {
		return network.New(mustParse(t, text, sets...), network.Options{}).Run(seed).Drops[0]
	}
	quiet := run(1, noisy, "links.l.loss=0")
	if quiet.Chance() != 0 || quiet.ByStory != 0 || quiet.Watched != 600*time.Second {
		t.Errorf("a quiet link: %+v", quiet)
	}
	loss := run(1, noisy)
	if loss.Chance() == 0 || loss.ByChance[network.DropHold] == 0 || loss.ByStory != 0 || loss.Watched >= 600*time.Second {
		t.Errorf("a noisy link: %+v", loss)
	}
	for _, story := range []string{"{at: 100s, down: l, for: 20s}", "{at: 100s, blackhole: l, for: 20s}", "{at: 100s, kill: a, for: 20s}", "{at: 100s, freeze: b, for: 20s}"} {
		d := run(1, noisy+"story: ["+story+"]\n", "links.l.loss=0")
		if d.Chance() != 0 || d.ByStory != 1 || d.Watched <= 400*time.Second || d.Watched >= 580*time.Second {
			t.Errorf("%s: %+v", story, d)
		}
	}
	stalls := run(1, noisy, "links.l.loss=0", "routers.b.stall.every=100s", "routers.b.stall.for=10s")
	if stalls.Chance() != 5 || stalls.ByChance[network.DropHold] != 5 { // at 100, 210, … 540 s
		t.Errorf("stalls: %+v", stalls)
	}
	bfd := []string{"routers.a.bfd.enabled=true", "routers.b.bfd.enabled=true", "routers.a.bgp.hold=90s", "routers.b.bgp.hold=90s", "links.l.loss=0.1"}
	if d := run(1, noisy, bfd...); d.ByChance[network.DropBFD] == 0 || d.ByChance[network.DropHold] != 0 {
		t.Errorf("BFD: %+v", d)
	}
}

// A replay that exchanges the streams at an instant is the same run up to it, and another one
// after it; exchanging them for the same ones changes nothing.
func TestSplicesContinueARun(t *testing.T) {
	d := mustParse(t, noisy, "routers.*.tcp.timer_hz=0")
	n := network.New(d, network.Options{})
	seed, plain, half := uint64(0), network.Reach{}, network.Reach{}
	// One that begins quietly and gets over that silence: often it is too late by then,
	// since TCP does not try again before the hold timer (3 s) runs out.
	for ; (half.At <= 0 || half.At.Add(600*time.Millisecond) >= plain.At) && seed < 50; seed++ {
		plain, half = n.RunToSilence(seed, nil, 1), n.RunToSilence(seed, nil, 0.8)
	}
	if seed--; !plain.Dropped || half.At <= 0 || half.At >= plain.At {
		t.Fatalf("silence of 0.8 at %v, the drop at %v", half.At, plain.At)
	}
	if again := n.RunToSilence(seed, []network.Splice{{At: plain.At + 1, Seed: 99}}, 1); again != plain {
		t.Errorf("exchanged after the drop: %+v, want %+v", again, plain)
	}
	times := map[sim.Time]bool{}
	for other := range uint64(40) {
		r := n.RunToSilence(seed, []network.Splice{{At: half.At, Seed: 1000 + other}}, 0.8)
		if r.At != half.At {
			t.Fatalf("the prefix has changed: %v, want %v", r.At, half.At)
		}
		times[n.RunToSilence(seed, []network.Splice{{At: half.At, Seed: 1000 + other}}, 1).At] = true
	}
	if len(times) < 10 { // those that do not get over it end together
		t.Errorf("40 continuations have %d different ends", len(times))
	}
}

// With jitter between 0.75 and 1 and no delay to speak of, BFD with a multiplier of m gives up when exactly m
// packets in a row are lost: m intervals hold m packets, and m+1 need more than m intervals but for m = 3 at
// the very edge. Each packet that is heard begins such a row with probability p^m.
func TestDropsOfBFDFollowTheirLaw(t *testing.T) {
	d := mustParse(t, noisy, "routers.a.bfd.enabled=true", "routers.b.bfd.enabled=true", "routers.a.bgp.hold=0s", "routers.b.bgp.hold=0s",
		"links.l.loss=0.04", "links.l.delay=1ms", "for=10h", "routers.a.bgp.idle_hold=1s", "routers.b.bgp.idle_hold=1s")
	n := network.New(d, network.Options{})
	drops, watched := 0, time.Duration(0)
	for seed := range uint64(10) {
		r := n.Run(seed).Drops[0]
		drops, watched = drops+r.ByChance[network.DropBFD], watched+r.Watched
	}
	p := 0.04
	perSecond := 2 * p * p * p * (1 - p) / (0.875 * 0.3) // both directions
	want := perSecond * watched.Seconds()
	if math.Abs(float64(drops)-want) > 4*math.Sqrt(want) {
		t.Errorf("%d drops in %v, want %.1f", drops, watched, want)
	}
	t.Logf("%d drops in %v, the law says %.1f", drops, watched, want)
}
