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

// Graceful restart, end to end, on pair: hold 9 s, keepalives every 3 s, 10 ms to
// program a route, 5 ms each way, IdleHoldTimer 2 s, ConnectRetryTimer 10 s.

// graces makes both ends restarters whose forwarding tables survive, with a
// Restart Time of 20 s.
func graces(more ...string) []string {
	sets := []string{}
	for _, r := range []string{"a", "b"} {
		sets = append(sets, "routers."+r+".bgp.graceful_restart=restarter", "routers."+r+".bgp.restart_time=20s",
			"routers."+r+".bgp.selection_deferral=30s", "routers."+r+".fib.survives=true", "routers."+r+".bgp.no_echo=true")
	}
	return append(sets, more...)
}

// opens are the OPENs that a router sends over a link from an instant on.
func (x *tale) opens(router, link string, since time.Duration) (list []*bgp.Open) {
	for _, n := range x.sent(router, link, since) {
		if n.Msg.Type == bgp.MsgOpen {
			list = append(list, n.Msg.Open)
		}
	}
	return list
}

// stale lists when a router's count of stale routes changes.
func (x *tale) stale(router string) string {
	var list []string
	for _, n := range x.log.Notes {
		if n.Kind == trace.NoteStale && x.d.Routers[n.Router].Name == router {
			list = append(list, fmt.Sprintf("%s %d", x.d.Links[n.Link].Name, n.A))
		}
	}
	return strings.Join(list, ", ")
}

// A planned restart with forwarding state preserved at both ends: RFC 4724 §1, it
// "would help minimize the negative effects on routing caused by BGP restart".
func TestAPlannedRestartLosesNothing(t *testing.T) {
	for seed := range uint64(20) {
		x := tell(t, seed, "{at: 90s, restart: a, for: 5s}", graces()...)
		x.none()
		for _, link := range []string{"t1", "t2"} {
			// The restarting speaker "MUST set the 'Restart State' bit", and says what it
			// has preserved; the other one must not, for it has not restarted.
			for _, o := range x.opens("a", link, fault) {
				if r := o.Restart; !r.Restarting || !r.Families[0].Preserved || r.Time != 20 {
					t.Errorf("a offers %+v", *r)
				}
			}
			for _, o := range x.opens("b", link, fault) {
				if o.Restart.Restarting {
					t.Errorf("b offers %+v", *o.Restart)
				}
			}
			equal(t, "b notices over "+link, x.when("b "+link+" Idle: TCP connection failed"), fault+trip)
		}
		equal(t, "b keeps", x.stale("b"), "t1 1, t2 1, t1 0, t2 0")
		x.upAgain()
	}
}

// An OPEN that is sent later, when the routes are chosen, says nothing of it any
// more.
func TestARestartIsOverOnceTheRoutesAreChosen(t *testing.T) {
	x := tellOn(t, 1, pair+"story:\n  - {at: 90s, restart: a, for: 5s}\n  - {at: 150s, shut: t1, by: b, for: 1s}\n", graces()...)
	list := x.opens("a", "t1", 140*time.Second)
	if len(list) == 0 || list[0].Restart.Restarting {
		t.Errorf("a offers %+v", list)
	}
}

// Whoever has not asked its peers to wait says goodbye, and its routes go.
func TestARestartWithoutGrace(t *testing.T) {
	x := tell(t, 1, "{at: 90s, restart: a, for: 5s}")
	if got := words(x.sent("a", "t1", fault)); !strings.HasPrefix(got, "NOTIFICATION 6/2") {
		t.Errorf("a sends %s", got)
	}
	o := x.only()
	equal(t, "it begins", time.Duration(o.Start), fault+fib)
	between(t, "it ends", time.Duration(o.End), fault+5*time.Second, fault+8*time.Second) // with the next call that finds the other end listening
}

// The peer helps, but the forwarding table does not survive: packets die at the
// router that restarts, and the peer goes on sending them, until the routes are
// there again; by the F bit it learns that it should have stopped.
func TestARestartWithoutForwardingState(t *testing.T) {
	x := tell(t, 1, "{at: 90s, restart: a, for: 5s}", graces("routers.a.fib.survives=false")...)
	o := x.only()
	equal(t, "it begins", time.Duration(o.Start), fault+fib)
	equal(t, "why", x.why(true, fault+time.Second), "passed")
	equal(t, "why", x.why(false, fault+time.Second), "no route")
	for _, o := range x.opens("a", "t1", fault) {
		if o.Restart.Families[0].Preserved || !o.Restart.Restarting {
			t.Errorf("a offers %+v", *o.Restart)
		}
	}
	// b forgets at once what it had kept, when the session is back.
	if !strings.HasPrefix(x.stale("b"), "t1 1, t2 1") {
		t.Errorf("b keeps %s", x.stale("b"))
	}
	between(t, "it ends", time.Duration(o.End), fault+5*time.Second, fault+8*time.Second)
}

// RFC 4724 §4.2: a peer that does not come back within its Restart Time loses its
// routes, to the nanosecond. Until then the helper sends to a router that may well
// be dead.
func TestAPeerThatStaysAwayIsForgottenAfterItsRestartTime(t *testing.T) {
	x := tell(t, 1, "{at: 90s, kill: a}", graces()...)
	o := x.only()
	equal(t, "the outage begins", time.Duration(o.Start), fault+trip+20*time.Second+fib) // of the replies
	equal(t, "why", x.why(true, time.Duration(o.Start)), "no route")
	equal(t, "b keeps", x.stale("b"), "t1 1, t2 1, t1 0, t2 0")
}

// Without grace at the helper, or asked for by nobody, there is none; a helper
// alone asks for nothing.
func TestGraceTakesTwo(t *testing.T) {
	for _, sets := range [][]string{
		graces("routers.b.bgp.graceful_restart=off"),
		graces("routers.a.bgp.graceful_restart=off"),
		graces("routers.a.bgp.graceful_restart=helper"),
		{"routers.a.bgp.graceful_restart=helper", "routers.b.bgp.graceful_restart=helper", "routers.a.fib.survives=true", "routers.b.fib.survives=true"},
	} {
		x := tell(t, 1, "{at: 90s, kill: a, for: 5s}", sets...)
		equal(t, "the outage begins", time.Duration(x.r.Probes[0].Outages[0].Start), fault+trip+fib)
		equal(t, "b keeps", x.stale("b"), "")
	}
	// A helper that restarts is no restarter: it takes out what it finds.
	x := tell(t, 1, "{at: 90s, kill: a, for: 5s}", graces("routers.a.bgp.graceful_restart=helper", "routers.b.bgp.graceful_restart=helper")...)
	if x.opens("a", "t1", fault)[0].Restart.Restarting {
		t.Error("a helper says that it restarts")
	}
}

// "the normal BGP procedures MUST be followed" after the hold timer: a silent
// failure is as long as ever. With the N bit of RFC 8538 from both ends it is not:
// measured with FRR, bgp graceful-restart on both ends, "a silent black hole keeps
// stale routes too: hold + 120 s".
func TestTheNBitMakesABlackHoleLonger(t *testing.T) {
	story := "{at: 90s, blackhole: t1, for: 100s}"
	plain := tell(t, 1, story)
	for name, sets := range map[string][]string{
		"without": graces(),
		"one end": graces("routers.a.bgp.graceful_notification=true"),
	} {
		o := tell(t, 1, story, sets...).only()
		equal(t, name, intervals([]outage{o}), intervals(plain.r.Probes[0].Outages))
	}
	both := graces("routers.a.bgp.graceful_notification=true", "routers.b.bgp.graceful_notification=true")
	for seed := range uint64(10) {
		x, y := tell(t, seed, story, both...), tell(t, seed, story)
		o, p := x.only(), y.only()
		equal(t, "request", o.Request, p.Request+20*time.Second)
		equal(t, "reply", o.Reply, p.Reply+20*time.Second)
		equal(t, "a's hold timer", x.when("a t1 Idle: HoldTimer expired"), y.when("a t1 Idle: HoldTimer expired"))
	}
	// What ends a session for good still does.
	x := tell(t, 1, "{at: 90s, shut: t1, by: a}", both...)
	if got := words(x.sent("a", "t1", fault)); got != "NOTIFICATION 6/9 for 6/2" {
		t.Errorf("a sends %s", got)
	}
	x.none()
	equal(t, "stale", x.stale("a")+x.stale("b"), "")
}

// outage as the tests of this package print it.
type outage = network.Outage

// A connection that is dead without anybody's having noticed, because the reset
// was lost on the way: RFC 4724 §4.2, the peer's "subsequent open connection" is
// "an indication of the termination of the old TCP session". Nothing is lost.
func TestANewConnectionTellsOfARestart(t *testing.T) {
	story := pair + "story:\n" +
		"  - {at: 90s, blackhole: t1, for: 100ms}\n" +
		"  - {at: 90.05s, restart: a, for: 1s}\n"
	x := tellOn(t, 1, story, graces("tunnels.t2.bgp=false", "routers.b.bgp.passive=true", "routers.b.tcp.rto=30s", "routers.a.tcp.rto=30s")...)
	found := false
	for _, n := range x.log.Notes {
		if n.Kind == trace.NoteSession && n.Router == 1 && bgp.Why(n.A) == bgp.WhyRestart {
			equal(t, "from", bgp.State(n.From), bgp.Established)
			found = n.Up
		}
	}
	if !found {
		t.Errorf("b does not take the new connection for a restart:\n%s", strings.Join(x.changes(), "\n"))
	}
	for _, n := range x.sent("b", "t1", 91*time.Second) {
		if n.Msg.Type == bgp.MsgNotification {
			t.Errorf("b sends %s", words([]trace.Note{n}))
		}
	}
	for _, o := range x.r.Probes[0].Outages {
		if o.Start >= at(90.2) {
			t.Errorf("lost: %s", intervals(x.r.Probes[0].Outages))
		}
	}
}

// RFC 4724 §4.1: selection is deferred until all peers have said End-of-RIB or the
// Selection_Deferral_Timer has run out. Here one peer is not to be reached, so the
// forwarding table keeps what it had of it for 30 s.
func TestSelectionIsDeferredForAPeerThatIsMissing(t *testing.T) {
	story := pair + "story:\n  - {at: 90s, restart: a, for: 5s}\n  - {at: 90.01s, down: t1}\n"
	x := tellOn(t, 1, story, graces("routers.a.bgp.fast_fallover=true", "routers.b.bgp.fast_fallover=true")...)
	o := x.only()
	equal(t, "a's direction comes back", time.Duration(o.End), fault+5*time.Second+30*time.Second+fib)
	equal(t, "request", o.Request, 5*time.Second+30*time.Second+fib-10*time.Millisecond)
	// Peers that do not know graceful restart are not waited for.
	x = tellOn(t, 1, story, graces("routers.a.bgp.fast_fallover=true", "routers.b.bgp.fast_fallover=true", "routers.a.bgp.selection_deferral=0s")...)
	between(t, "without deferral", x.only().Request, 5*time.Second, 8*time.Second)
}

// The bound of FRR and Cisco IOS: a peer that comes back and never says
// End-of-RIB, because its process hangs.
func TestStalePathTimeBoundsTheReturn(t *testing.T) {
	story := pair + "story:\n  - {at: 90s, restart: a, for: 1s}\n  - {at: 91.5s, blackhole: t1}\n  - {at: 91.5s, blackhole: t2}\n"
	sets := graces("routers.b.bgp.stalepath_time=15s", "routers.a.bgp.hold=60s", "routers.b.bgp.hold=60s", "routers.a.bgp.selection_deferral=60s",
		"routers.a.bgp.processing=2s")
	x := tellOn(t, 1, story, sets...)
	equal(t, "b keeps", x.stale("b"), "t1 1, t2 1, t1 0, t2 0")
	var last time.Duration
	for _, n := range x.log.Notes {
		if n.Kind == trace.NoteStale && n.A == 0 {
			last = time.Duration(n.At)
		}
	}
	equal(t, "until", last, fault+trip+15*time.Second)
}

// RFC 9494: after the Restart Time the routes are kept for the Long-Lived Stale
// Time, marked; then they go.
func TestLongLivedGracefulRestart(t *testing.T) {
	sets := graces()
	for _, r := range []string{"a", "b"} {
		sets = append(sets, "routers."+r+".bgp.long_lived=restarter", "routers."+r+".bgp.long_lived_time=40s")
	}
	x := tell(t, 1, "{at: 90s, kill: a}", sets...)
	o := x.only()
	equal(t, "the outage begins", time.Duration(o.Start), fault+trip+20*time.Second+40*time.Second+fib)
	marked := false
	for _, n := range x.log.Notes {
		if n.Kind == trace.NoteRoute && n.Router == 1 && n.Route.Best != nil && n.At == at(90).Add(trip+20*time.Second) {
			for _, c := range n.Route.Best.Attrs.Communities {
				marked = marked || c == bgp.LLGRStale
			}
		}
	}
	if !marked {
		t.Error("no route is marked LLGR_STALE after the Restart Time")
	}
	// Without graceful restart the capability "MUST be disregarded", and is not sent.
	for i, s := range sets {
		sets[i] = strings.Replace(s, "graceful_restart=restarter", "graceful_restart=off", 1)
	}
	x = tell(t, 1, "{at: 90s, kill: a}", sets...)
	equal(t, "without", time.Duration(x.only().Start), fault+trip+fib)
	if o := x.opens("a", "t1", -time.Minute)[0]; o.LongLived != nil || o.Restart != nil {
		t.Errorf("a offers %+v", o)
	}
}

// A long-lived stale route is the last choice: over t2 the peer is alive.
func TestALongLivedStaleRouteIsTheLastChoice(t *testing.T) {
	sets := graces("routers.a.bgp.graceful_notification=true", "routers.b.bgp.graceful_notification=true")
	for _, r := range []string{"a", "b"} {
		sets = append(sets, "routers."+r+".bgp.long_lived=restarter", "routers."+r+".bgp.long_lived_time=3600s")
	}
	x := tell(t, 1, "{at: 90s, blackhole: t1, for: 100s}", sets...)
	o, plain := x.only(), tell(t, 1, "{at: 90s, blackhole: t1, for: 100s}").only()
	equal(t, "request", o.Request, plain.Request+20*time.Second) // the Restart Time, and no second of the hour
	if r := x.n.Speaker(0).Route(netip.MustParsePrefix("10.2.0.0/16")); r == nil {
		t.Error("no route at the end")
	}
}

// Measured in a lab, BIRD 2.0.12 with FRR 8.4.4, both as they come: "hold expiry of
// a peer that announced them keeps the dead routes for the peer's restart time (120
// s)"; "with GR on both ends of BIRD hold expiry does not start it, a killed peer
// does". FRR alone, as it comes, keeps nothing. AWS asks for 120 s ("Restart time
// requested by this peer: 120", says its Juniper guide); to Cloud Router "TCP FIN
// or RST" is a graceful restart notification.
func TestWhoKeepsTheRoutesOfADeadPeer(t *testing.T) {
	const text = `vpnsim: v1
name: two routers
for: 400s
routers:
  a: {profile: %s, asn: 65001, networks: [10.1.0.0/16], bgp: {hold: 12s, keepalive: 4s%s}}
  b: {profile: %s, asn: 65002, networks: [10.2.0.0/16], bgp: {hold: 12s, keepalive: 4s%s}}
hosts:
  ha: {on: a, ip: 10.1.0.5}
  hb: {on: b, ip: 10.2.0.5}
links:
  l:
    a: {inside: 10.0.0.1/30}
    b: {inside: 10.0.0.2/30}
    rtt: 1ms
probe: {ping: ha -> hb, every: 1s}
story:
  - {at: 90s, %s}
`
	const restarter = ", graceful_restart: restarter"
	for _, tt := range []struct {
		name, a, aMore, b, bMore, story string
		kept                            bool // by b, of a
	}{
		{"BIRD and FRR, silence", "frr", "", "bird", "", "blackhole: l", true},
		{"BIRD and FRR, killed", "frr", "", "bird", "", "kill: a", true},
		{"two BIRDs, silence", "bird", "", "bird", "", "blackhole: l", false},
		{"two BIRDs with graceful restart, silence", "bird", restarter, "bird", restarter, "blackhole: l", false},
		{"two BIRDs with graceful restart, killed", "bird", restarter, "bird", restarter, "kill: a", true},
		{"two FRRs, silence", "frr", "", "frr", "", "blackhole: l", false},
		{"two FRRs, killed", "frr", "", "frr", "", "kill: a", false},
		{"two FRRs with graceful restart, silence", "frr", restarter, "frr", restarter, "blackhole: l", true},
		{"GoBGP and FRR with graceful restart, killed", "frr", restarter, "gobgp", "", "kill: a", false},
		{"AWS, killed", "aws-vgw", "", "frr", "", "kill: a", true},
		{"Cloud Router and FRR with graceful restart, killed", "frr", restarter, "gcp-cloud-router", "", "kill: a", true},
		{"Azure and FRR with graceful restart, killed", "frr", restarter, "azure-vpngw", "", "kill: a", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := tellOn(t, 3, fmt.Sprintf(text, tt.a, tt.aMore, tt.b, tt.bMore, tt.story))
			down, gone := time.Duration(0), time.Duration(0)
			for _, n := range x.log.Notes {
				switch {
				case n.Router != 1 || n.At < at(90):
				case n.Kind == trace.NoteSession && bgp.State(n.From) == bgp.Established:
					down = time.Duration(n.At)
					equal(t, "taken for a restart", n.Up, tt.kept)
				case n.Kind == trace.NoteRoute && n.Route.Best == nil:
					gone = time.Duration(n.At)
				}
			}
			want := time.Duration(0)
			if tt.kept {
				want = 120 * time.Second
			}
			if tt.b == "frr" {
				want += 50 * time.Millisecond // until it decides
			}
			equal(t, "kept for", gone-down, want)
		})
	}
}

// A process that hangs while its peer's Restart Time runs out finds out when it
// goes on.
func TestRestartTimeThatEndsWhileTheHelperHangs(t *testing.T) {
	x := tellOn(t, 1, pair+"story:\n  - {at: 90s, kill: a}\n  - {at: 100s, freeze: b, for: 30s}\n", graces()...)
	equal(t, "the outage begins", time.Duration(x.only().Start), 130*time.Second+fib)
}

// A helper whose operator shuts the session, or whose interface goes, waits no
// longer.
func TestTheWaitForAPeerEndsWithTheSession(t *testing.T) {
	x := tellOn(t, 1, pair+"story:\n  - {at: 90s, kill: a}\n  - {at: 95s, shut: t1, by: b}\n  - {at: 96s, down: t2}\n", graces("routers.b.bgp.fast_fallover=true")...)
	equal(t, "b keeps", x.stale("b"), "t1 1, t2 1, t1 0, t2 0")
	var ends []time.Duration
	for _, n := range x.log.Notes {
		if n.Kind == trace.NoteStale && n.A == 0 {
			ends = append(ends, time.Duration(n.At))
		}
	}
	if fmt.Sprint(ends) != "[1m35s 1m36s]" {
		t.Errorf("until %v", ends)
	}
}
