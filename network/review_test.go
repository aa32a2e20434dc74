package network_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
)

// Scenarios in odd shapes, each of which once went wrong.

// sessionAt is the state of the session over l at router a (end 0) when the run
// is over.
func (x *tale) sessionAt(link, end int) bgp.State {
	state, _, _, _ := x.n.Session(link, end)
	return state
}

// A link that goes down takes its SA with it by and by (DPD). When it comes back
// BGP must hear of it, also where the interface does not follow the SA.
func TestSessionComesBackAfterTheSAWentWithItsLink(t *testing.T) {
	x := tell(t, 1, "{at: 90s, down: t1, for: 30s}",
		"routers.a.bgp.fast_fallover=true", "routers.b.bgp.fast_fallover=true",
		"routers.a.vpn.dpd_interval=2s", "routers.a.vpn.dpd_retry=1s", "routers.a.vpn.dpd_retries=2", "routers.a.vpn.dpd_action=restart",
		"routers.a.vpn.interface_follows_sa=false", "routers.b.vpn.interface_follows_sa=false")
	between(t, "up again", x.upAgain(), 120*time.Second, 160*time.Second)
}

// Shutting a session is configuration: an interface that comes back does not
// start it, and neither does a new process.
func TestShutSessionStaysShut(t *testing.T) {
	for _, then := range []string{"{at: 100s, down: t1, for: 10s}", "{at: 100s, kill: a, for: 10s}"} {
		x := tell(t, 1, "{at: 90s, shut: t1, by: a}\n  - "+then, "routers.a.bgp.fast_fallover=true")
		equal(t, "a's session after "+then, x.sessionAt(0, 0), bgp.Idle)
		equal(t, "the other session after "+then, x.sessionAt(1, 0), bgp.Established)
	}
	x := tell(t, 1, "{at: 90s, shut: t1, by: a}\n  - {at: 100s, kill: a, for: 10s}\n  - {at: 105s, start: t1, by: a}")
	equal(t, "a session that is started while its process is dead", x.sessionAt(0, 0), bgp.Established)
}

// A process that starts while its link is down waits for the link, rather than
// for a retry timer.
func TestProcessThatStartsWithoutItsLink(t *testing.T) {
	x := tell(t, 1, "{at: 90s, down: t1, for: 40s}\n  - {at: 95s, kill: a, for: 10s}",
		"routers.a.bgp.fast_fallover=true", "routers.b.bgp.fast_fallover=true", "routers.a.bgp.connect_retry=1000s", "routers.b.bgp.connect_retry=1000s")
	between(t, "up again", x.upAgain(), 130*time.Second, 131*time.Second)
}

// To hang is for the living: a process that starts later does not hang.
func TestDeadProcessDoesNotHang(t *testing.T) {
	x := tell(t, 1, "{at: 90s, kill: a, for: 20s}\n  - {at: 95s, freeze: a, for: 100s}")
	between(t, "up again", x.upAgain(), 110*time.Second, 125*time.Second)
}

// Without any delay a round trip takes no time, and still is none that was lost.
func TestNoDelayIsNoLoss(t *testing.T) {
	d := mustParse(t, pair, "tunnels.t1.rtt=0s", "tunnels.t2.rtt=0s")
	for _, o := range []network.Options{{}, {NoSkip: true}} {
		r := network.New(d, o).Run(1)
		equal(t, "lost", r.Probes[0].Lost(), 0)
		equal(t, "round trip", r.Probes[0].RTT[100], 1)
	}
}

// Every router on the way takes one from the TTL, the last one too; a cloud does
// not for what its own hosts send and get, but for what passes through it.
func TestTTL(t *testing.T) {
	for _, c := range []struct {
		sets []string
		want uint8
	}{
		{nil, 61},
		{[]string{"routers.m.ip.decrement_ttl=false"}, 61},
		{[]string{"routers.a.ip.decrement_ttl=false", "routers.c.ip.decrement_ttl=false"}, 63},
	} {
		d := mustParse(t, row, c.sets...)
		for _, o := range []network.Options{{}, {NoSkip: true}} {
			equal(t, "TTL", network.New(d, o).Run(1).Probes[0].TTL[10], c.want)
		}
	}
}

// row is three routers in a row: a, m and c.
const row = `vpnsim: v1
for: 200s
routers:
  a: {profile: rfc4271, asn: 65001, networks: [10.1.0.0/16], bgp: &timers {hold: 9s, keepalive: 3s, idle_hold: 1s, connect_retry: 5s, processing: 0s, mrai: 0s, mrai_mode: none}, fib: {delay: 10ms}}
  m: {profile: rfc4271, asn: 65002, networks: [10.2.0.0/16], bgp: *timers, fib: {delay: 10ms}}
  c: {profile: rfc4271, asn: 65003, networks: [10.3.0.0/16], bgp: *timers, fib: {delay: 10ms}}
hosts:
  ha: {on: a, ip: 10.1.0.5}
  hc: {on: c, ip: 10.3.0.5}
links:
  l1: {a: {inside: 192.168.1.1/30}, m: {inside: 192.168.1.2/30}, rtt: 10ms}
  l2: {m: {inside: 192.168.2.1/30}, c: {inside: 192.168.2.2/30}, rtt: 10ms}
probe: {ping: ha -> hc, every: 100ms}
`

// A withdrawal and an announcement 5 s later pass a transit router whose MRAI is
// 30 s: the withdrawal goes through at once and starts the timer, for which the
// announcement waits. It was sent on 5 ms after 60 s, so it may be 30 s later;
// then another trip, and the FIB.
func TestTransitRouterHoldsBackTheSecondChange(t *testing.T) {
	x := tellOn(t, 1, row+"story:\n  - {at: 60s, withdraw: 10.3.0.0/16, by: c}\n  - {at: 65s, announce: 10.3.0.0/16, by: c}\n",
		"routers.m.bgp.mrai_mode=since-last-update", "routers.m.bgp.mrai=30s", "routers.m.bgp.mrai_jitter=1")
	o := x.only()
	equal(t, "start", time.Duration(o.Start), 60*time.Second+trip+fib)
	equal(t, "end", time.Duration(o.End), 90*time.Second+2*trip+fib)
}

// Two routers that point at each other, over links that take no time, and take
// nothing from the TTL of their own hosts' packets: the run must end.
func TestLoopWithoutDelayEnds(t *testing.T) {
	x := tellOn(t, 1, `vpnsim: v1
for: 60s
routers:
  a: {profile: bird, asn: 65001, networks: [10.1.0.0/16], bgp: {processing: 5s}, ip: {decrement_ttl: false}}
  b: {profile: bird, asn: 65002, networks: [10.2.0.0/16], bgp: {processing: 5s}, ip: {decrement_ttl: false}}
  c: {profile: bird, asn: 65003, networks: [10.9.0.0/16]}
hosts:
  ha: {on: a, ip: 10.1.0.5}
  hc: {on: c, ip: 10.9.0.5}
links:
  l1: {a: {inside: 192.168.1.1/30}, b: {inside: 192.168.1.2/30}, rtt: 0s}
  l2: {b: {inside: 192.168.2.1/30}, c: {inside: 192.168.2.2/30}, rtt: 0s}
  l3: {a: {inside: 192.168.3.1/30}, c: {inside: 192.168.3.2/30}, rtt: 0s}
probe: {ping: ha -> hc, every: 1s}
story:
  - {at: 20s, withdraw: 10.9.0.0/16, by: c}
`)
	if o := x.only(); x.why(false, time.Duration(o.Start)) != "TTL exceeded" {
		t.Errorf("there was no loop: %s", x.why(false, time.Duration(o.Start)))
	}
}

// A round trip of 3 s is neither lost when the run ends nor, in a black hole,
// too old to have been lost in it.
func TestLongRoundTrips(t *testing.T) {
	d := mustParse(t, pair, "tunnels.t1.rtt=3s", "tunnels.t2.rtt=3s", "probe.every=1s")
	r := network.New(d, network.Options{}).Run(1)
	equal(t, "lost", r.Probes[0].Lost(), 0)
	equal(t, "requests that count", r.Probes[0].Sent, 198)
}

// bgp.med goes out with every announcement, whatever the export policy does
// besides, unless that sets another one.
func TestMEDGoesOutBesideAPolicy(t *testing.T) {
	for _, c := range []struct {
		export string
		want   uint32
	}{{"[]", 50}, {"[{prepend: 2}]", 50}, {"[{prefixes: [10.2.0.0/16], prepend: 1}]", 50}, {"[{med: 7}]", 7}} {
		text := strings.Replace(pair, "b: {outside: 203.0.113.1,", "b: {bgp: {med: 50}, export: "+c.export+", outside: 203.0.113.1,", 1)
		x := tellOn(t, 1, text)
		path := x.n.Speaker(0).Route(netip.MustParsePrefix("10.2.0.0/16")).Best
		attrs := x.n.Speaker(0).Received(0, netip.MustParsePrefix("10.2.0.0/16"))
		if path == nil || !attrs.HasMED || attrs.MED != c.want {
			t.Errorf("export %s: %+v", c.export, attrs)
		}
	}
}

// A route that one border router tells another over iBGP leads to the border
// router, whose address can be reached, and not to the network beyond it.
func TestNextHopOverIBGP(t *testing.T) {
	x := tellOn(t, 1, strings.Replace(row, "asn: 65003", "asn: 65002", 1))
	got := x.n.Speaker(2).Received(0, netip.MustParsePrefix("10.1.0.0/16"))
	if got == nil || got.NextHop != netip.MustParseAddr("192.168.2.1") {
		t.Errorf("c was told %+v", got)
	}
	x.none()
}

// What is on a tunnel when it goes down is lost, as it is on a plain link.
func TestLinkThatGoesDownLosesWhatIsOnIt(t *testing.T) {
	for _, text := range []string{pair, row} {
		link := "t1"
		if text == row {
			link = "l1"
		}
		// The request of 90.000 s is half way, 2.5 ms after it left.
		x := tellOn(t, 1, text+"story:\n  - {at: 90002500us, down: "+link+", for: 1s}\n")
		if got := x.n.Fate(0, 901); got == "" {
			t.Errorf("%s: the request that was on its way passed", link)
		}
	}
}
