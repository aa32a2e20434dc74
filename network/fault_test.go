package network_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// Every kind of fault and its reversal, as an engineer meets them: what is
// lost, in which direction, which timer decides, and how it comes back. The
// network is pair: hold 9 s, keepalives every 3 s, 10 ms to program a route,
// 5 ms each way; a pings b ten times a second over t1; t2 stands by.

// tale is a recorded run.
type tale struct {
	t   *testing.T
	d   *topology.Design
	n   *network.Network
	log *trace.Log
	r   *network.Result
}

// tell plays a story on pair, where the fault comes at 90 s.
func tell(t *testing.T, seed uint64, story string, sets ...string) *tale {
	t.Helper()
	return tellOn(t, seed, pair+"story:\n  - "+story+"\n", sets...)
}

func tellOn(t *testing.T, seed uint64, text string, sets ...string) *tale {
	t.Helper()
	x := &tale{t: t, d: mustParse(t, text, sets...), log: &trace.Log{}}
	x.n = network.New(x.d, network.Options{Log: x.log})
	x.r = x.n.Run(seed)
	return x
}

// only returns the one outage that there was.
func (x *tale) only() network.Outage {
	x.t.Helper()
	list := x.r.Probes[0].Outages
	if len(list) != 1 {
		x.t.Fatalf("%d outages: %s", len(list), intervals(list))
	}
	return list[0]
}

// none checks that nothing was lost.
func (x *tale) none() {
	x.t.Helper()
	if list := x.r.Probes[0].Outages; len(list) > 0 || x.r.Probes[0].Lost() > 0 {
		x.t.Errorf("%d lost, outages %s", x.r.Probes[0].Lost(), intervals(list))
	}
}

// changes are the state changes of sessions from 90 s on: "b t1 Idle:
// HoldTimer expired".
func (x *tale) changes() (list []string) {
	for _, n := range x.log.Notes {
		if n.Kind == trace.NoteSession && n.At >= at(90) {
			list = append(list, fmt.Sprintf("%s %s %s: %s", x.d.Routers[n.Router].Name, x.d.Links[n.Link].Name, bgp.State(n.To), bgp.Why(n.A)))
		}
	}
	return list
}

// when is the time of the first change from 90 s on that is so described.
func (x *tale) when(change string) time.Duration {
	x.t.Helper()
	for _, n := range x.log.Notes {
		if n.Kind == trace.NoteSession && n.At >= at(90) &&
			fmt.Sprintf("%s %s %s: %s", x.d.Routers[n.Router].Name, x.d.Links[n.Link].Name, bgp.State(n.To), bgp.Why(n.A)) == change {
			return time.Duration(n.At)
		}
	}
	x.t.Fatalf("%q did not happen, but\n%s", change, strings.Join(x.changes(), "\n"))
	return 0
}

// upAgain is when both ends of the session over t1 are established for good.
func (x *tale) upAgain() (at time.Duration) {
	x.t.Helper()
	for e := range 2 {
		if state, _, _, _ := x.n.Session(0, e); state != bgp.Established {
			x.t.Fatalf("the session over t1 is %s at the end:\n%s", state, strings.Join(x.changes(), "\n"))
		}
	}
	for _, n := range x.log.Notes {
		if n.Kind == trace.NoteSession && n.Link == 0 && bgp.State(n.To) == bgp.Established {
			at = time.Duration(n.At)
		}
	}
	return at
}

// why is what a direction of the probe dies of just after an instant.
func (x *tale) why(reply bool, after time.Duration) string {
	why := ""
	for _, c := range x.r.Probes[0].Paths() {
		if c.Reply == reply && time.Duration(c.At) <= after {
			why = c.Why
		}
	}
	return why
}

func between(t *testing.T, what string, got, lo, hi time.Duration) {
	t.Helper()
	if got < lo || got > hi {
		t.Errorf("%s: %v, want %v to %v", what, got, lo, hi)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

const (
	fault = 90 * time.Second
	trip  = 5 * time.Millisecond
	fib   = 10 * time.Millisecond
)

// Nobody is told, so each end waits for its own hold timer, which the last
// keepalive has set 6 to 9 s ahead, and moves its own direction.
func TestBlackHoleLastsUntilBothHoldTimersExpire(t *testing.T) {
	for seed := range uint64(20) {
		x := tell(t, seed, "{at: 90s, blackhole: t1, for: 60s}")
		o := x.only()
		a, b := x.when("a t1 Idle: HoldTimer expired"), x.when("b t1 Idle: HoldTimer expired")
		between(t, "a's hold timer", a-fault, 6*time.Second, 9*time.Second+trip)
		between(t, "b's hold timer", b-fault, 6*time.Second, 9*time.Second+trip)
		equal(t, "request", o.Request, a+fib-fault)
		equal(t, "reply", o.Reply, b+fib-fault)
		equal(t, "round trip", o.End.Sub(o.Start), max(a, b)+fib-fault)
		equal(t, "why", x.why(false, fault), "black hole")
	}
}

// When packets pass again, the session comes back with the next attempt to
// connect (ConnectRetryTimer 10 s, SYNs again after 1, 2, 4 s), and traffic
// moves back without loss: there is one outage, not two.
func TestAfterABlackHoleTrafficMovesBackWithoutLoss(t *testing.T) {
	for seed := range uint64(20) {
		x := tell(t, seed, "{at: 90s, blackhole: t1, for: 40s}")
		x.only()
		between(t, "from healing to Established", x.upAgain()-130*time.Second, 10*time.Millisecond, 10*time.Second)
		p := &x.r.Probes[0]
		equal(t, "request over", x.d.Links[linkAt(p, false, at(199))].Name, "t1")
		equal(t, "reply over", x.d.Links[linkAt(p, true, at(199))].Name, "t1")
	}
}

// Two seconds are nothing to a hold timer of nine: TCP brings late what was
// lost, and BGP never knows.
func TestSessionSurvivesAShortBlackHole(t *testing.T) {
	for seed := range uint64(20) {
		x := tell(t, seed, "{at: 90s, blackhole: t1, for: 2s}")
		o := x.only()
		equal(t, "outage", o.End.Sub(o.Start), 2*time.Second)
		if list := x.changes(); len(list) > 0 {
			t.Errorf("seed %d: %v", seed, list)
		}
		equal(t, "lost", x.r.Probes[0].Lost(), 20)
	}
}

// In one direction only: the end that hears nothing any more expires, and its
// own direction, which worked all the time, moves without loss. Its
// NOTIFICATION gets through, but behind a retransmission: the acknowledgements
// of its keepalives are lost, so TCP was backing off.
func TestOneWayBlackHoleIsFoundByTheEndThatHearsNothing(t *testing.T) {
	for seed := range uint64(40) {
		x := tell(t, seed, "{at: 90s, blackhole: t1, direction: from a, for: 60s}")
		o := x.only()
		equal(t, "reply", o.Reply, 0)
		b, a := x.when("b t1 Idle: HoldTimer expired"), x.when("a t1 Idle: HoldTimer expired")
		between(t, "b's hold timer", b-fault, 6*time.Second, 9*time.Second+trip)
		// b's first keepalive after the cut is never acknowledged, so that the next
		// ones and the NOTIFICATION wait behind it.
		between(t, "a's hold timer", a-fault, 9*time.Second, 12*time.Second+trip)
		equal(t, "request", o.Request, a+fib-fault)
	}
}

// Total loss is a black hole by another name.
func TestLossOfEverythingIsABlackHole(t *testing.T) {
	for seed := range uint64(5) {
		hole := tell(t, seed, "{at: 90s, blackhole: t1, for: 30s}").only()
		loss := tell(t, seed, "{at: 90s, loss: t1, p: 1, for: 30s}").only()
		equal(t, "outage", loss.End.Sub(loss.Start), hole.End.Sub(hole.Start))
	}
}

// A tenth of all packets lost each way: pings notice (19 % of round trips), and
// TCP keeps the session alive. There is no outage, for no state makes every
// packet fail.
func TestLossByChanceIsNoOutage(t *testing.T) {
	lost, sent := 0, 0
	for seed := range uint64(20) {
		x := tell(t, seed, "{at: 90s, loss: t1, p: 0.1, for: 100s}")
		if list := x.changes(); len(list) > 0 || len(x.r.Probes[0].Outages) > 0 {
			t.Errorf("seed %d: %v, outages %s", seed, list, intervals(x.r.Probes[0].Outages))
		}
		lost += x.r.Probes[0].Lost()
		sent += 1000
	}
	if share := float64(lost) / float64(sent); share < 0.18 || share > 0.20 {
		t.Errorf("%.3f of the round trips were lost, not 0.19", share)
	}
}

// Both ends see their interface go down: BGP acts at once, and the outage is
// the time to program a route. When it comes back, so does the session.
func TestLinkDownIsSeenByBothEnds(t *testing.T) {
	fast := []string{"routers.a.bgp.fast_fallover=true", "routers.b.bgp.fast_fallover=true"}
	for seed := range uint64(10) {
		x := tell(t, seed, "{at: 90s, down: t1, for: 40s}", fast...)
		o := x.only()
		equal(t, "outage", o.End.Sub(o.Start), fib)
		equal(t, "a", x.when("a t1 Idle: link down"), fault)
		equal(t, "b", x.when("b t1 Idle: link down"), fault)
		between(t, "session after the link", x.upAgain()-130*time.Second, 0, 100*time.Millisecond)
	}
}

// Routers without fast external fallover (GoBGP) do not look at the interface,
// and wait for the hold timer.
func TestLinkDownWithoutFastFalloverTakesTheHoldTimer(t *testing.T) {
	x := tell(t, 1, "{at: 90s, down: t1, for: 40s}", "routers.a.bgp.fast_fallover=true", "routers.b.bgp.fast_fallover=false")
	o := x.only()
	equal(t, "request", o.Request, fib)
	equal(t, "reply", o.Reply, x.when("b t1 Idle: HoldTimer expired")+fib-fault)
}

// A session that is shut with a CEASE takes no traffic with it: the tunnel
// carries packets until both ends have moved. The end that was told waits
// idle_hold_reset and then tries in vain; started again, the session comes up.
func TestShuttingASessionLosesNothing(t *testing.T) {
	for seed := range uint64(10) {
		x := tell(t, seed, "{at: 90s, shut: t1, by: b, for: 40s}")
		x.none()
		equal(t, "b", x.when("b t1 Idle: administrative stop"), fault)
		equal(t, "a is told", x.when("a t1 Idle: NOTIFICATION received"), fault+trip)
		equal(t, "a tries again", x.when("a t1 Connect: IdleHoldTimer expired"), fault+trip+2*time.Second)
		between(t, "session after the start", x.upAgain()-130*time.Second, trip, 100*time.Millisecond)
	}
}

// A killed process takes its routes with it, and the system resets its
// connections: the peer knows within a trip. Both directions fail until the
// process is started and the peer's attempts, refused meanwhile, get through.
func TestKilledRouterLosesItsRoutes(t *testing.T) {
	for seed := range uint64(10) {
		x := tell(t, seed, "{at: 90s, kill: b, for: 20s}")
		equal(t, "a is told", x.when("a t1 Idle: TCP connection failed"), fault+trip)
		o := x.only()
		equal(t, "start", time.Duration(o.Start), fault+fib)
		equal(t, "why", x.why(true, fault+fib), "no route")
		between(t, "from the start to the end of the outage", time.Duration(o.End)-110*time.Second, fib, 10*time.Second)
		between(t, "both directions", o.Reply-o.Request, -100*time.Millisecond, 100*time.Millisecond)
	}
}

// A killed process whose routes stay in the kernel (fib.survives) goes on
// forwarding; its peer, which was reset, does not send anything there any more.
// The new process takes the old routes out until it has learned them anew.
func TestRoutesThatSurviveTheirProcess(t *testing.T) {
	x := tell(t, 1, "{at: 90s, kill: b, for: 20s}", "routers.b.fib.survives=true")
	o := x.only()
	equal(t, "request begins to fail", time.Duration(o.Start), fault+trip+fib)
	for _, c := range x.r.Probes[0].Paths() {
		if c.Reply && !c.OK {
			equal(t, "reply begins to fail", time.Duration(c.At), fault+20*time.Second+fib)
			return
		}
	}
	t.Error("the new process kept the routes of the old one")
}

// A process that hangs says nothing, but its kernel acknowledges all and goes
// on forwarding. The peer's hold timer finds it; the hanging end keeps its
// routes, so that the reply would pass.
func TestFrozenRouterIsFoundByTheHoldTimer(t *testing.T) {
	for seed := range uint64(10) {
		x := tell(t, seed, "{at: 90s, freeze: b, for: 40s}")
		o := x.r.Probes[0].Outages[0]
		a := max(x.when("a t1 Idle: HoldTimer expired"), x.when("a t2 Idle: HoldTimer expired"))
		between(t, "a's later hold timer", a-fault, 6*time.Second, 9*time.Second+trip)
		equal(t, "start", time.Duration(o.Start), a+fib)
		equal(t, "reply while it hangs", x.why(true, 129*time.Second), "passed")
		// It goes on, reads the NOTIFICATION, and starts over after idle_hold.
		equal(t, "b reads", x.when("b t1 Idle: NOTIFICATION received"), 130*time.Second)
		between(t, "from going on to the end", time.Duration(o.End)-130*time.Second, 2*time.Second, 13*time.Second)
	}
}

// A short hang is forgiven: keepalives lie in the socket and are read before
// anything else.
func TestShortFreezeIsForgiven(t *testing.T) {
	for seed := range uint64(20) {
		x := tell(t, seed, "{at: 90s, freeze: b, for: 5s}")
		x.none()
		if list := x.changes(); len(list) > 0 {
			t.Errorf("seed %d: %v", seed, list)
		}
	}
}

// Frozen longer than its own hold timer, but not longer than its peer's: what
// came meanwhile is read first, so the hold timer that ran out in between does
// not count.
func TestThawReadsBeforeItLooksAtTimers(t *testing.T) {
	x := tell(t, 1, "{at: 90s, freeze: b, for: 20s}", "routers.a.bgp.hold=60s", "routers.a.bgp.keepalive_fixed=true",
		"routers.b.bgp.hold=60s", "routers.b.bgp.keepalive_fixed=true")
	x.none()
	if list := x.changes(); len(list) > 0 {
		t.Error(list)
	}
}

// A tunnel that is deleted without a word is a black hole to the far end, and
// to the near end a thing of the past if its interface follows the SA.
func TestDeletingATunnelSilently(t *testing.T) {
	for seed := range uint64(10) {
		x := tell(t, seed, "{at: 90s, delete: t1, by: a, notify: false, for: 60s}", "routers.a.bgp.fast_fallover=true", "routers.a.vpn.interface_follows_sa=true")
		o := x.only()
		equal(t, "a", x.when("a t1 Idle: link down"), fault)
		b := x.when("b t1 Idle: HoldTimer expired")
		between(t, "b's hold timer", b-fault, 6*time.Second, 9*time.Second+trip)
		equal(t, "request", o.Request, fib)
		equal(t, "reply", o.Reply, b+fib-fault)
		equal(t, "why", x.why(true, fault), "the far end has deleted the tunnel")
		// Created again: IKE and then BGP, and traffic moves back without loss.
		between(t, "from creation to Established", x.upAgain()-150*time.Second, 50*time.Millisecond, 12*time.Second)
	}
}

// With a CEASE and an IKE DELETE first, the far end knows after a trip.
func TestDeletingATunnelWithNotice(t *testing.T) {
	for seed := range uint64(10) {
		x := tell(t, seed, "{at: 90s, delete: t1, by: a, notify: true, for: 60s}")
		o := x.only()
		equal(t, "b", x.when("b t1 Idle: NOTIFICATION received"), fault+trip)
		equal(t, "request", o.Request, fib)
		equal(t, "reply", o.Reply, trip+fib)
		x.upAgain()
	}
}

// The same if IKE takes no time to answer: what was sent first is there first, and the
// CEASE of a deletion is sent before the SA is gone. Measured with `vpnsim lab run
// aws-gcp-notify --tunnel ipsec` (strongSwan 5.9.8 with BIRD 2.0.12 and FRR 8.4.4, 12
// trials): the NOTIFICATION arrives 3 to 66 ms after it was sent, and the far end's SA goes
// 7 to 48 ms after that; nobody waits for a hold timer.
func TestDELETEDoesNotOvertakeCEASE(t *testing.T) {
	for seed := range uint64(10) {
		x := tell(t, seed, "{at: 90s, delete: t1, by: a, notify: true}", "routers.a.vpn.processing=0s", "routers.b.vpn.processing=0s", "routers.b.vpn.interface_follows_sa=false")
		o := x.only()
		equal(t, "b", x.when("b t1 Idle: NOTIFICATION received"), fault+trip)
		equal(t, "reply", o.Reply, trip+fib)
	}
}

// The session is up, but the route table takes no routes from it: what the
// hosts send dies at the first step. Switched on again, the routes are put in.
func TestPropagationOffDropsTheReply(t *testing.T) {
	x := tell(t, 1, "{at: 90s, propagate: {router: b, on: false}, for: 40s}", "routers.b.route_table={kind: gateway, delay: 500ms}")
	o := x.only()
	equal(t, "start", time.Duration(o.Start), fault+500*time.Millisecond)
	equal(t, "reply", o.Reply, 40*time.Second)
	equal(t, "request", o.Request, 0)
	equal(t, "why", x.why(true, 100*time.Second), "no row in the route table: route propagation is off")
	if list := x.changes(); len(list) > 0 {
		t.Errorf("BGP knows nothing of it, but %v", list)
	}
}

// A route that is on its way into the table when propagation is switched off
// does not get in.
func TestPropagationOffStopsWhatIsOnItsWay(t *testing.T) {
	text := pair + `story:
  - {at: 80s, withdraw: 10.1.0.0/16, by: a}
  - {at: 90s, announce: 10.1.0.0/16, by: a}
  - {at: 91s, propagate: {router: b, on: false}}
`
	x := tellOn(t, 1, text, "routers.b.route_table={kind: gateway, delay: 3s}")
	if rows := x.n.RouteTable(1); len(rows) > 0 {
		t.Errorf("the table holds %v", rows)
	}
}

// A security group that admits no ICMP drops the request at the host; a rate
// that nothing of BGP can change.
func TestSecurityGroupDropsTheRequest(t *testing.T) {
	x := tell(t, 1, "{at: 90s, blackhole: t2, for: 1s}", "hosts.hb.security_group={icmp: false}")
	o := x.only()
	if !o.Open || o.Start != 0 || o.Reply != 0 {
		t.Errorf("outage %s", intervals([]network.Outage{o}))
	}
	equal(t, "why", x.why(false, fault), "the security group admits no ICMP")
	equal(t, "received", x.r.Probes[0].Sent-x.r.Probes[0].Lost(), 0)
}

// A prefix that is withdrawn is gone after a trip; announced again, it is back
// after a trip. The sessions stay.
func TestWithdrawnPrefixIsGoneAfterATrip(t *testing.T) {
	x := tell(t, 1, "{at: 90s, withdraw: 10.2.0.0/16, by: b, for: 40s}")
	o := x.only()
	equal(t, "start", time.Duration(o.Start), fault+trip+fib)
	equal(t, "end", time.Duration(o.End), 130*time.Second+trip+fib)
	equal(t, "request", o.Request, 40*time.Second)
	equal(t, "reply", o.Reply, 0)
	if list := x.changes(); len(list) > 0 {
		t.Error(list)
	}
}

// A router that dies with a handshake under way leaves nobody waiting for an
// OPEN that will not come: who called it is refused.
func TestRouterThatDiesInAHandshakeRefuses(t *testing.T) {
	// a's SYN leaves when the IdleHoldTimer of the first fault runs out, 92.005 s;
	// b answers at 92.010 s and is killed before the handshake is over.
	text := pair + `story:
  - {at: 90s, shut: t1, by: b, for: 100ms}
  - {at: 92.011s, kill: b, for: 60s}
`
	x := tellOn(t, 1, text, "routers.b.bgp.passive=true")
	refused := false
	for _, n := range x.log.Notes {
		if n.Kind == trace.NoteSession && x.d.Routers[n.Router].Name == "a" && n.Link == 0 && n.At > at(92.011) && n.At < at(92.1) &&
			bgp.Why(n.A) == bgp.WhyTCPFailed {
			refused = true
		}
	}
	if !refused {
		t.Errorf("a was not refused:\n%s", strings.Join(x.changes(), "\n"))
	}
}

// Where both ends wait for the other one to negotiate, a tunnel that dead peer
// detection has cleared stays away; where one of them negotiates on traffic
// (trap policies), the first packet that wants to leave brings it back.
func TestTrafficWakesATunnel(t *testing.T) {
	passive := "vpn: {initiate: false, retry: 0s, dpd_interval: 5s, dpd_retry: 2s, dpd_retries: 1, dpd_timeout: 0s, dpd_action: clear, on_traffic: %v}"
	for _, wakes := range []bool{true, false} {
		text := strings.Replace(pair, "fib:", fmt.Sprintf(passive, wakes)+", fib:", 1)
		text = strings.Replace(text, "bgp: *timers, fib:", "bgp: *timers, "+fmt.Sprintf(passive, false)+", fib:", 1)
		x := tellOn(t, 1, text+"story:\n  - {at: 90s, blackhole: t1, for: 40s}\n")
		up := 0
		for e := range 2 {
			if state, _, _, _ := x.n.Session(0, e); state == bgp.Established {
				up++
			}
		}
		if wakes && (up != 2 || len(x.r.Probes[0].Outages) != 1) {
			t.Errorf("on traffic: %d ends are Established, outages %s", up, intervals(x.r.Probes[0].Outages))
		}
		if !wakes && up != 0 {
			t.Errorf("without: who has negotiated?")
		}
	}
}

// What fails at the very instant at which the run ends is no outage.
func TestFaultAtTheEndOfTheRun(t *testing.T) {
	story := "{at: 190s, propagate: {router: b, on: true}, for: 10s}" // off again at 200 s
	if list := tell(t, 1, story, "routers.b.route_table={kind: gateway, delay: 0s}").r.Probes[0].Outages; len(list) > 0 {
		t.Errorf("outages %s", intervals(list))
	}
	if o := tell(t, 1, "{at: 199.999s, blackhole: t1}").only(); !o.Open || o.End.Sub(o.Start) != time.Millisecond {
		t.Errorf("outage %v to %v", o.Start, o.End)
	}
}

// A loss that the story brings is the line's whole loss: that the line was in a burst of
// its own when it came makes no difference.
func TestLossReplacesBursts(t *testing.T) {
	// A line that is in its bad state from the first packet on, and loses nothing there.
	text := strings.Replace(pair, "rtt: 10ms\n", "rtt: 10ms\n    loss: {p: 0%, bad: 0%, to_bad: 100%, to_good: 0.000001%}\n", -1)
	if text == pair {
		t.Fatal("pair has another round-trip time")
	}
	x := tellOn(t, 1, text+"story:\n  - {at: 90s, loss: t1, p: 50%, direction: from a, for: 1s}\n")
	if lost := x.r.Probes[0].Lost(); lost < 1 || lost > 10 {
		t.Errorf("%d of 10 pings are lost, of which each is with probability 0.5", lost)
	}
}
