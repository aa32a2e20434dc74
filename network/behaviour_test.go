package network_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"

	"github.com/vpnsim/vpnsim/trace"
)

// What real daemons do beside the letter of RFC 4271, end to end: limits, hold
// times that are refused or cut short, keepalives that keep to no agreement.

// sent lists the messages that a router sends over a link from an instant on.
func (x *tale) sent(router, link string, since time.Duration) (list []trace.Note) {
	for _, n := range x.log.Notes {
		if n.Kind == trace.NoteMessage && time.Duration(n.At) >= since && x.d.Routers[n.Router].Name == router && x.d.Links[n.Link].Name == link {
			list = append(list, n)
		}
	}
	return list
}

// words of a few messages, keepalives left out.
func words(list []trace.Note) string {
	var out []string
	for _, n := range list {
		if n.Msg.Type != bgp.MsgKeepalive {
			out = append(out, network.MessageText(n.Msg))
		}
	}
	return strings.Join(out, "; ")
}

// RFC 4271 §6.7: with an upper bound on the number of address prefixes from a
// neighbour, a speaker either discards new ones or "terminates the BGP session
// with the neighbor", by a Cease, whose subcode 1 is "Maximum Number of Prefixes
// Reached" (RFC 4486). Both sessions see the prefix, so both end.
func TestTooManyPrefixesEndTheSession(t *testing.T) {
	x := tell(t, 1, "{at: 90s, announce: 10.9.0.0/16, by: b, for: 2s}", "routers.a.bgp.max_prefixes=1", "routers.a.bgp.max_prefixes_restart=20s")
	for _, link := range []string{"t1", "t2"} {
		if got := words(x.sent("a", link, fault)); !strings.HasPrefix(got, "NOTIFICATION 6/1") {
			t.Errorf("over %s a sends %s", link, got)
		}
		equal(t, "a notices over "+link, x.when("a "+link+" Idle: too many prefixes"), fault+trip)
		equal(t, "b is told over "+link, x.when("b "+link+" Idle: NOTIFICATION received"), fault+2*trip)
		equal(t, "a starts again over "+link, x.when("a "+link+" Connect: IdleHoldTimer expired"), fault+trip+20*time.Second)
	}
	o := x.only()
	equal(t, "the outage begins", time.Duration(o.Start), fault+trip+fib)
	between(t, "the outage ends", time.Duration(o.End), fault+20*time.Second, fault+20*time.Second+time.Second)
}

// FRR and Cisco IOS leave the session down until it is cleared: it comes back
// when an operator starts it, and not before.
func TestTooManyPrefixesUntilItIsCleared(t *testing.T) {
	x := tellOn(t, 1, pair+"story:\n  - {at: 90s, announce: 10.9.0.0/16, by: b, for: 2s}\n  - {at: 150s, start: t2, by: a}\n", "routers.a.bgp.max_prefixes=1")
	o := x.only()
	between(t, "the outage ends", time.Duration(o.End), 150*time.Second, 151*time.Second)
	if state, _, _, _ := x.n.Session(0, 0); state != bgp.Idle {
		t.Errorf("the session over t1, which nobody started, is %v", state)
	}
	// While the prefix is there, a start is no help.
	x = tellOn(t, 1, pair+"story:\n  - {at: 90s, announce: 10.9.0.0/16, by: b}\n  - {at: 150s, start: t2, by: a}\n", "routers.a.bgp.max_prefixes=1")
	if o := x.r.Probes[0].Outages; !o[len(o)-1].Open {
		t.Errorf("it is over: %s", intervals(o))
	}
}

// "warning-only": a note, and nothing else.
func TestPrefixLimitThatOnlyWarns(t *testing.T) {
	x := tell(t, 1, "{at: 90s, announce: 10.9.0.0/16, by: b}", "routers.a.bgp.max_prefixes=1", "routers.a.bgp.max_prefixes_action=warn")
	x.none()
	notes := 0
	for _, n := range x.log.Notes {
		if n.Kind == trace.NoteLimit && n.A == 1 {
			notes++
		}
	}
	equal(t, "notes", notes, 2)
	if r := x.n.Speaker(0).Route(netip.MustParsePrefix("10.9.0.0/16")); r == nil || r.Best == nil {
		t.Error("the prefix was not taken")
	}
}

// RFC 2918 §4: on receipt of a ROUTE-REFRESH "the speaker SHOULD re-advertise to
// that peer the Adj-RIB-Out"; what is the same as before changes nothing.
func TestRoutesAreSentAgainWhenAskedFor(t *testing.T) {
	x := tell(t, 1, "{at: 90s, refresh: t1, by: a}")
	x.none()
	equal(t, "a sends", words(x.sent("a", "t1", fault)), "ROUTE-REFRESH")
	equal(t, "b sends", words(x.sent("b", "t1", fault)), "UPDATE: +10.2.0.0/16; UPDATE: +10.1.0.0/16")
	equal(t, "over t2", words(x.sent("a", "t2", fault))+words(x.sent("b", "t2", fault)), "")
	for _, n := range x.log.Notes {
		if n.At >= at(90) && (n.Kind == trace.NoteRoute || n.Kind == trace.NoteFIB || n.Kind == trace.NoteSession) {
			t.Errorf("note %d at %v: %+v", n.Kind, n.At, n)
		}
	}
}

// RFC 4271 §6.2: "An implementation MAY reject any proposed Hold Time", with the
// subcode Unacceptable Hold Time, 2/6. Cisco's "timers 20 60 60", as in Google's
// guide for Cisco routers, does so with all that is below 60 s.
func TestLeastHoldTimeKeepsTheSessionDown(t *testing.T) {
	x := tell(t, 1, "{at: 90s, down: t2}", "routers.b.bgp.min_hold=60s")
	if got := words(x.sent("b", "t1", 0)); !strings.Contains(got, "NOTIFICATION 2/6") || strings.Contains(got, "UPDATE") {
		t.Errorf("b sends %s", got)
	}
	for _, link := range []int{0, 1} {
		for e := range 2 {
			if state, _, _, _ := x.n.Session(link, e); state == bgp.Established {
				t.Errorf("link %d end %d is established", link, e)
			}
		}
	}
	equal(t, "answered", x.r.Probes[0].Sent-x.r.Probes[0].Lost(), 0)
	tell(t, 1, "{at: 90s, down: t2}", "routers.b.bgp.min_hold=9s").none()
}

// Azure's FAQ: its timers are 60 and 180 s and are not negotiated down. So a
// peer that offers 30 s gets a keepalive every 60 s all the same, and drops the
// session 30 s after the last thing that it heard.
func TestAzureKeepsItsKeepalives(t *testing.T) {
	const text = `vpnsim: v1
name: azure and another
for: 200s
routers:
  azure: {profile: azure-vpngw, asn: 65515, networks: [10.2.0.0/16]}
  b: {profile: frr, asn: 65001, networks: [10.1.0.0/16], bgp: {hold: %s}}
hosts:
  vm: {on: azure, ip: 10.2.0.4}
  pc: {on: b, ip: 10.1.0.2}
links:
  l:
    azure: {inside: 10.0.0.1/30}
    b: {inside: 10.0.0.2/30}
    rtt: 10ms
probe: pc -> vm
`
	x := tellOn(t, 1, fmt.Sprintf(text, "180s"))
	x.none()
	var last time.Duration
	count := 0
	for _, n := range x.sent("azure", "l", 0) {
		if n.Msg.Type != bgp.MsgKeepalive {
			t.Errorf("a quiet session sends %s", network.MessageText(n.Msg))
		}
		if last > 0 {
			equal(t, "interval", time.Duration(n.At)-last, 60*time.Second)
		}
		last = time.Duration(n.At)
		count++
	}
	between(t, "keepalives", time.Duration(count), 3, 4)

	x = tellOn(t, 1, fmt.Sprintf(text, "30s"))
	var up time.Duration
	flaps := 0
	for _, n := range x.log.Notes {
		if n.Kind != trace.NoteSession || x.d.Routers[n.Router].Name != "b" {
			continue
		}
		switch {
		case bgp.State(n.To) == bgp.Established:
			up = time.Duration(n.At)
		case bgp.State(n.From) == bgp.Established:
			equal(t, "why", bgp.Why(n.A), bgp.WhyHoldTimer)
			// The last sign of life is the first UPDATE, which FRR sends after a second.
			between(t, "the session lasts", time.Duration(n.At)-up, 31080*time.Millisecond, 31330*time.Millisecond)
			flaps++
		}
	}
	if flaps < 3 {
		t.Errorf("the session flaps %d times", flaps)
	}
}

// Measured in a lab, BIRD 2.0.12, hold time 12 s, a silent cut: 100 hold timers
// ran out 9.01 to 12.00 s after the last message, 10.50 s in the mean; its
// bgp_start_timer shortens every timer by up to a quarter, this one too.
func TestBIRDCutsItsHoldTimerShort(t *testing.T) {
	const text = `vpnsim: v1
name: two BIRDs
for: 40s
routers:
  a: {profile: bird, asn: 65001, networks: [10.1.0.0/16], bgp: {hold: 12s}}
  b: {profile: bird, asn: 65002, networks: [10.2.0.0/16], bgp: {hold: 12s}}
hosts:
  ha: {on: a, ip: 10.1.0.5}
  hb: {on: b, ip: 10.2.0.5}
links:
  l:
    a: {inside: 10.0.0.1/30}
    b: {inside: 10.0.0.2/30}
    rtt: 1ms
probe: ha -> hb
story:
  - {at: "uniform(10s, 20s)", blackhole: l, for: 20s}
`
	d := mustParse(t, text)
	log := &trace.Log{}
	n := network.New(d, network.Options{Log: log})
	var waits []float64
	for seed := range uint64(500) {
		n.Run(seed)
		for _, x := range log.Notes {
			if x.Kind == trace.NoteLeft && x.At > at(10) {
				ev := log.Events[x.Event-1]
				waits = append(waits, ev.At.Sub(log.Events[ev.Cause-1].At).Seconds())
			}
		}
	}
	if len(waits) < 950 {
		t.Fatalf("only %d hold timers ran out", len(waits))
	}
	isUniform(t, "from the last message to the end of the hold timer", waits, 9, 12)
	mean := 0.0
	for _, w := range waits {
		mean += w / float64(len(waits))
	}
	if mean < 10.4 || mean > 10.6 {
		t.Errorf("the mean is %.3f s", mean)
	}
}

// Measured: GoBGP 3.10 does not notice that its own link is down and waits for
// its hold timer; FRR and BIRD notice at once.
func TestWhoLooksAtItsInterface(t *testing.T) {
	const text = `vpnsim: v1
name: a router and a link
for: 200s
routers:
  a: {profile: rfc4271, asn: 65001, networks: [10.1.0.0/16]}
  b: {profile: %s, asn: 65002, networks: [10.2.0.0/16]}
hosts:
  ha: {on: a, ip: 10.1.0.5}
  hb: {on: b, ip: 10.2.0.5}
links:
  l:
    a: {inside: 10.0.0.1/30}
    b: {inside: 10.0.0.2/30}
    rtt: 1ms
probe: ha -> hb
story:
  - {at: 90s, down: l}
`
	for profile, want := range map[string]bgp.Why{"gobgp": bgp.WhyHoldTimer, "frr": bgp.WhyLinkDown, "bird": bgp.WhyLinkDown, "rfc4271": bgp.WhyHoldTimer} {
		x := tellOn(t, 1, fmt.Sprintf(text, profile))
		for _, n := range x.log.Notes {
			if n.Kind == trace.NoteSession && n.At >= at(90) && n.Router == 1 && bgp.State(n.From) == bgp.Established {
				equal(t, profile, bgp.Why(n.A), want)
				if late := n.At.Sub(at(90)); (late > 0) != (want == bgp.WhyHoldTimer) {
					t.Errorf("%s notices after %v", profile, late)
				}
			}
		}
	}
}
