package network_test

import (
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

// Measured: in BIRD 2.0.12, alone with one session, a route went 3 s after the hold timer
// had run out; with other sessions, sooner, when one of them had something. The delay after
// a session came up was 0.01 to 3.1 s. At once when it was told: link down, CEASE, BFD.
const birds = `vpnsim: v1
name: BIRD and its main loop
for: 60s
routers:
  a: {profile: bird, asn: 65001, networks: [10.1.0.0/16], bgp: {hold: 12s}}
  b: {profile: bird, asn: 65002, networks: [10.2.0.0/16], bgp: {hold: 12s}}
hosts:
  ha: {on: a, ip: 10.1.0.5}
  hb: {on: b, ip: 10.2.0.5}
links:
  l1:
    a: {inside: 10.0.0.1/30}
    b: {inside: 10.0.0.2/30}
    rtt: 1ms
`

const secondLink = `  l2:
    a: {inside: 10.0.1.1/30}
    b: {inside: 10.0.1.2/30}
    rtt: 1ms
`

// left are the waits from the end of a hold timer to the end of its session.
func left(t *testing.T, text string) (waits []time.Duration) {
	t.Helper()
	d := mustParse(t, text)
	log := &trace.Log{}
	n := network.New(d, network.Options{Log: log})
	for seed := range uint64(300) {
		n.Run(seed)
		since := map[[2]int32]sim.Time{}
		for _, x := range log.Notes {
			who := [2]int32{x.Router, x.Link}
			switch {
			case x.Kind == trace.NoteLeft:
				since[who] = x.At
			case x.Kind == trace.NoteSession && x.At > at(10) && bgp.Why(x.A) == bgp.WhyHoldTimer && bgp.State(x.From) == bgp.Established:
				waits = append(waits, x.At.Sub(since[who]))
			}
		}
	}
	if len(waits) < 300 {
		t.Fatalf("only %d hold timers ran out", len(waits))
	}
	return waits
}

func TestBIRDAloneSleepsForThreeSeconds(t *testing.T) {
	for _, w := range left(t, birds+"probe: ha -> hb\nstory:\n  - {at: \"uniform(10s, 20s)\", blackhole: l1, for: 30s}\n") {
		if w != 3*time.Second {
			t.Fatalf("%v", w)
		}
	}
}

// With a second session, each end has a keepalive to send and one to read every 3 to 4 s
// (a third of 12 s, times 0.75 to 1): the least of three seconds and two such waits. Of one
// with spacing X, the time to the next is longer than s with probability E(X-s)+/E(X).
func TestBIRDIsWokenByItsOtherSessions(t *testing.T) {
	waits := left(t, birds+secondLink+"probe: ha -> hb\nstory:\n  - {at: \"uniform(10s, 20s)\", blackhole: l1, for: 30s}\n")
	slept, mean := 0, 0.0
	for _, w := range waits {
		if w < 0 || w > 3*time.Second {
			t.Fatalf("%v", w)
		}
		if w == 3*time.Second {
			slept++
		}
		mean += w.Seconds() / float64(len(waits))
	}
	// E(X-3)/E(X) is 1/7 for each of the two, so that one of 49 sleeps for the whole three
	// seconds; the mean is the integral of (1-s/3.5)² from 0 to 3, which is 1.164 s.
	if share := float64(slept) / float64(len(waits)); share > 0.05 || mean < 1.08 || mean > 1.25 {
		t.Errorf("%.3f slept for all of three seconds; the mean is %.3f s", share, mean)
	}
}

func TestBIRDThatIsToldDoesNotSleep(t *testing.T) {
	d := mustParse(t, birds+secondLink+"probe: ha -> hb\nstory:\n  - {at: 20s, down: l1}\n")
	log := &trace.Log{}
	network.New(d, network.Options{Log: log}).Run(1)
	changes := 0
	for _, x := range log.Notes {
		if x.Kind != trace.NoteFIB || x.At < at(20) {
			continue
		}
		if changes++; x.At != at(20) {
			t.Errorf("a route changed at %v", x.At)
		}
	}
	if changes != 2 { // both ends have one route, by way of l1 until then
		t.Errorf("%d routes changed", changes)
	}
}

func TestTheFirstUPDATEOfBIRDWaitsUntilItWakes(t *testing.T) {
	d := mustParse(t, birds+"warmup: 0s\nprobe: ha -> hb\n")
	log := &trace.Log{}
	n := network.New(d, network.Options{Log: log})
	for seed := range uint64(20) {
		n.Run(seed)
		up, first := map[int32]sim.Time{}, map[int32]sim.Time{}
		for _, x := range log.Notes {
			switch {
			case x.Kind == trace.NoteSession && bgp.State(x.To) == bgp.Established:
				up[x.Router] = x.At
			case x.Kind == trace.NoteMessage && x.Msg.Type == bgp.MsgUpdate && first[x.Router] == 0:
				first[x.Router] = x.At
			}
		}
		// Who has slept for three seconds tells the other one, whom that wakes.
		a, b := first[0].Sub(up[0]), first[1].Sub(up[1])
		if least := min(a, b); max(a, b) != 3*time.Second || least < 2900*time.Millisecond {
			t.Errorf("seed %d: %v and %v after Established", seed, a, b)
		}
	}
}
