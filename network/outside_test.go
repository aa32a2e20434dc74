package network_test

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

// The seam between a network and a real router, with a stand-in for the router:
// the machines of package bgp, let run beside the network by this file's loop.
// Time is the network's; nothing here waits.

const withRealRouter = `
vpnsim: v1
name: one of two is real
for: 120s
routers:
  far:  {profile: rfc4271, asn: 65001, networks: [10.1.0.0/16], bgp: {hold: 30s, keepalive_jitter: 1, connect_retry: 5s, idle_hold: 1s}}
  real: {profile: rfc4271, asn: 65002, networks: [10.2.0.0/16], bgp: {fast_fallover: true}}
hosts:
  a: {on: far, ip: 10.1.0.10}
  b: {on: real, ip: 10.2.0.10}
links:
  l1: {far: {inside: 192.168.1.1/30}, real: {inside: 192.168.1.2/30}, rtt: 2ms}
probe: {ping: a -> b, every: 1s}
story:
`

// standIn is a router that a test plays.
type standIn struct {
	t      *testing.T
	n      *network.Network
	log    *trace.Log
	m      *bgp.Session
	peer   *bgp.Speaker
	timers [bgp.NumTimers]sim.Time // math.MaxInt64: does not run
	told   []network.ToOutside     // not dealt with yet
	heard  []string
	answer network.FromOutsideKind // to a call
	deaf   bool                    // the test does what is to be done
}

func attach(t *testing.T, story string, calls bool, sets ...string) *standIn {
	d := mustParse(t, withRealRouter+story, append([]string{"routers.*.tcp.timer_hz=0"}, sets...)...)
	s := &standIn{t: t, log: &trace.Log{}, answer: network.InAnswer}
	s.n = network.New(d, network.Options{Log: s.log, Outside: &network.Outside{
		Router: 1, Links: []network.OutsideLink{{Link: 0, Calls: calls}},
		Tell: func(x network.ToOutside) { s.told = append(s.told, x) },
	}})
	s.m = bgp.NewSession(0, bgp.SessionConfig{AS: 65002, PeerAS: 65001, ID: ip("192.168.1.2"), Addr: ip("192.168.1.2"), Peer: ip("192.168.1.1"),
		Hold: 90 * time.Second, IdleHold: time.Second, ConnectRetry: 5 * time.Second, FourOctetAS: true, Passive: calls})
	rules, _ := bgp.RulesetFor("rfc4271")
	s.peer = bgp.NewSpeaker(bgp.SpeakerConfig{AS: 65002, ID: ip("192.168.1.2"), Rules: rules,
		Peers: []*bgp.PeerConfig{{AS: 65001, Addr: ip("192.168.1.1"), Local: ip("192.168.1.2")}}})
	for i := range s.timers {
		s.timers[i] = math.MaxInt64
	}
	s.n.Begin(1)
	s.do(s.peer.Step(nil, bgp.Local, bgp.Input{Kind: bgp.InOriginate, Prefix: netip.MustParsePrefix("10.2.0.0/16")}))
	return s
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// start lets the router start its session.
func (s *standIn) start() { s.step(bgp.Input{Kind: bgp.InStart}) }

func (s *standIn) step(in bgp.Input) { s.do(s.m.Step(nil, in)) }

func (s *standIn) inject(kind network.FromOutsideKind, conn bgp.ConnID, m *bgp.Message) {
	s.n.Inject(s.n.Now(), network.FromOutside{Kind: kind, Conn: conn, Msg: m})
}

func (s *standIn) do(acts []bgp.Action) {
	for _, a := range acts {
		switch a.Kind {
		case bgp.ActConnect:
			s.inject(network.InCall, a.Conn, nil)
		case bgp.ActClose:
			s.inject(network.InClose, a.Conn, nil)
		case bgp.ActAbort:
			s.inject(network.InReset, a.Conn, nil)
		case bgp.ActArm:
			s.timers[a.Timer] = s.n.Now().Add(a.After)
		case bgp.ActDisarm:
			s.timers[a.Timer] = math.MaxInt64
		case bgp.ActSend:
			conn, _ := s.m.Conn()
			if a.Conn != 0 {
				conn = a.Conn
			}
			s.inject(network.InSay, conn, a.Msg)
		case bgp.ActUp:
			s.do(s.peer.Step(nil, 0, bgp.Input{Kind: bgp.InPeerUp, Open: a.Open}))
		case bgp.ActDown:
			s.do(s.peer.Step(nil, 0, bgp.Input{Kind: bgp.InPeerDown}))
		case bgp.ActUpdate:
			s.do(s.peer.Step(nil, 0, bgp.Input{Kind: bgp.InUpdate, Msg: a.Msg}))
		}
	}
}

// run lets network and router run up to the instant t.
func (s *standIn) run(t time.Duration) {
	s.t.Helper()
	for range 100_000 {
		for len(s.told) > 0 {
			x := s.told[0]
			s.told = s.told[1:]
			s.hear(x)
		}
		next, timer := sim.Time(t), -1
		if at, ok := s.n.Next(); ok {
			next = min(next, at)
		}
		for i, at := range s.timers {
			if at < next {
				next, timer = at, i
			}
		}
		s.n.Advance(next)
		switch at, ok := s.n.Next(); {
		case timer >= 0:
			s.timers[timer] = math.MaxInt64
			s.step(bgp.Input{Kind: bgp.InTimer, Timer: bgp.TimerID(timer)})
		case next >= sim.Time(t) && len(s.told) == 0 && (!ok || at > sim.Time(t)):
			return
		}
	}
	s.t.Fatal("it never ends")
}

func (s *standIn) hear(x network.ToOutside) {
	name := [...]string{"", "called", "up", "message", "end", "cut", "hold", "go on"}[x.Kind]
	if x.Msg != nil {
		name = network.MessageText(x.Msg)
	}
	s.heard = append(s.heard, fmt.Sprintf("%v %s", time.Duration(s.n.Now()).Round(time.Millisecond), name))
	if s.deaf {
		return
	}
	switch x.Kind {
	case network.OutCalled:
		s.inject(s.answer, x.Conn, nil)
	case network.OutUp:
		s.step(bgp.Input{Kind: bgp.InTCPUp, Conn: x.Conn, Incoming: x.Conn >= 0})
	case network.OutMessage:
		s.step(bgp.Input{Kind: bgp.InMessage, Conn: x.Conn, Msg: x.Msg})
	case network.OutEnd, network.OutCut:
		s.step(bgp.Input{Kind: bgp.InTCPDown, Conn: x.Conn})
	}
}

// wants holds the recorded sessions of both routers, and what the router was
// told, against what is expected.
func (s *standIn) wants(sessions string) {
	s.t.Helper()
	var got []string
	for _, n := range s.log.Notes {
		if n.Kind == trace.NoteSession && (bgp.State(n.To) == bgp.Established || bgp.State(n.From) == bgp.Established) {
			got = append(got, fmt.Sprintf("%.3f %s %s (%s)", float64(n.At)/1e9, s.log.Names.Routers[n.Router], bgp.State(n.To), bgp.Why(n.A)))
		}
	}
	if want := strings.Split(strings.TrimSpace(strings.ReplaceAll(sessions, "\t", "")), "\n"); !slices.Equal(got, want) {
		s.t.Errorf("sessions:\n%s\nwant:\n%s\nheard:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), strings.Join(s.heard, "\n"))
	}
}

// Both may open the connection. The handshake takes two ways of 1 ms; with its
// third segment comes the caller's OPEN, which is answered by OPEN and KEEPALIVE,
// and these by the caller's KEEPALIVE.
func TestRealRouterComesUp(t *testing.T) {
	s := attach(t, "  - {at: 60s, down: l1}\n", false)
	s.run(time.Second)
	s.start()
	s.run(2 * time.Second)
	s.wants(`1.004 real Established (KEEPALIVE received)
		1.005 far Established (KEEPALIVE received)`)

	s = attach(t, "  - {at: 60s, down: l1}\n", true)
	s.start()
	s.run(2 * time.Second)
	s.wants(`0.004 far Established (KEEPALIVE received)
		0.005 real Established (KEEPALIVE received)`)
	far, real := s.n.Speaker(0), s.peer
	if r := far.Route(netip.MustParsePrefix("10.2.0.0/16")); r == nil || r.Best.Attrs.NextHop != ip("192.168.1.2") {
		t.Errorf("the far router has no route: %+v", r)
	}
	if r := real.Route(netip.MustParsePrefix("10.1.0.0/16")); r == nil || r.Best.Attrs.NextHop != ip("192.168.1.1") {
		t.Errorf("the real router has no route: %+v", r)
	}
}

// The story counts from when it is told to begin. In a black hole the router's
// connection stays open and what it says is lost: each end ends the session by
// its own hold timer, and neither hears the other's NOTIFICATION.
func TestRealRouterInABlackHole(t *testing.T) {
	s := attach(t, "  - {at: 10s, blackhole: l1}\n", true)
	s.start()
	s.run(7 * time.Second)
	s.inject(network.InBegin, 0, nil)
	s.run(60 * time.Second)
	// KEEPALIVEs each 10 s: the last ones before the hole arrive at 10.004 and 10.005 s.
	s.wants(`0.004 far Established (KEEPALIVE received)
		0.005 real Established (KEEPALIVE received)
		40.004 far Idle (HoldTimer expired)
		40.005 real Idle (HoldTimer expired)`)
	if last := s.heard[len(s.heard)-1]; last != "10.005s KEEPALIVE" {
		t.Errorf("heard through a black hole: %s", last)
	}
	if at, ok := s.n.Begun(); !ok || at != sim.Time(7*time.Second) || s.n.FaultTime(0) != sim.Time(17*time.Second) {
		t.Errorf("begun %v, fault at %v", at, s.n.FaultTime(0))
	}
	// What is known of forwarding: the way to the real router, but not back.
	var ways []string
	for _, n := range s.log.Notes {
		if n.Kind == trace.NoteForwarding {
			ways = append(ways, fmt.Sprintf("%.3f %d %v %s", float64(n.At)/1e9, n.B, n.Up, n.Text))
		}
	}
	want := []string{"7.000 0 true passed", "7.000 1 false what the real router does with it is not known",
		"17.000 0 false black hole", "40.014 0 false no route"}
	if !slices.Equal(ways, want) {
		t.Errorf("forwarding: %q", ways)
	}
}

// A link that both ends see go down cuts the router's connection, where its
// profile says that its interface tells it so. Its calls get no answer then: the
// one of 20.0 s gets through when the link is back at 21.0 s and its SYN is sent
// again. The far router, whose profile has no fast fallover, still has the old
// session: it turns calls away (RFC 4271 §6.8) until its own retransmission finds
// that nobody knows the old connection.
func TestRealRouterLosesItsLink(t *testing.T) {
	s := attach(t, "  - {at: 9s, down: l1, for: 11s}\n", false)
	s.start()
	s.run(time.Second)
	s.inject(network.InBegin, 0, nil)
	s.run(60 * time.Second)
	i := slices.Index(s.heard, "10s cut")
	if i < 0 || !slices.Equal(s.heard[i+1:i+4], []string{"21.002s up", "21.004s NOTIFICATION 6/7", "21.004s end"}) {
		t.Errorf("%q", s.heard)
	}
	s.wants(`1.004 real Established (KEEPALIVE received)
		1.005 far Established (KEEPALIVE received)
		10.000 real Idle (link down)
		23.605 far Idle (TCP connection failed)
		29.020 real Established (KEEPALIVE received)
		29.021 far Established (KEEPALIVE received)`)
}

// Malformed octets are answered over the simulated link; nothing of the simulated
// router sees them but as a reason to end the session.
func TestRealRouterTalksNonsense(t *testing.T) {
	s := attach(t, "  - {at: 60s, down: l1}\n", true)
	s.start()
	s.run(5 * time.Second)
	conn, _ := s.m.Conn()
	s.inject(network.InSay, conn, &bgp.Message{Type: bgp.MsgMalformed, Size: 19, Notification: &bgp.Notification{Code: bgp.NoteHeader, Subcode: 1}})
	s.run(5500 * time.Millisecond)
	s.wants(`0.004 far Established (KEEPALIVE received)
		0.005 real Established (KEEPALIVE received)
		5.001 far Idle (malformed message)
		5.002 real Idle (NOTIFICATION received)`)
	if !slices.ContainsFunc(s.heard, func(h string) bool { return h == "5.002s NOTIFICATION 1/1" }) {
		t.Errorf("%q", s.heard)
	}
}

// A router that refuses calls is called again after IdleHoldTimer; one that does
// not answer, when the SYN is sent again.
func TestRealRouterIsCalled(t *testing.T) {
	for _, c := range []struct {
		answer network.FromOutsideKind
		want   []string
	}{
		// RFC 4271 §8.2.2, Connect, Event 18: to Idle, for 1 s (bgp.idle_hold) from the
		// RST's arrival on.
		{network.InRefuse, []string{"1ms called", "1.003s called", "2.005s called", "3.007s called", "4.009s called", "5.011s called"}},
		// SYNs after 1, 2, 3, 4 s; ConnectRetryTimer gives up after 5 s and calls anew.
		{network.InNoAnswer, []string{"1ms called", "1.001s called", "2.001s called", "3.001s called", "4.001s called", "5.001s called"}},
	} {
		s := attach(t, "  - {at: 60s, down: l1}\n", true, "routers.far.bgp.connect_retry_jitter=1", "routers.far.bgp.idle_hold_jitter=1")
		s.answer = c.answer
		s.run(5500 * time.Millisecond)
		if !slices.Equal(s.heard, c.want) {
			t.Errorf("%q, want %q", s.heard, c.want)
		}
	}
	// Without an address to call, the session waits for the router's call.
	s := attach(t, "  - {at: 60s, down: l1}\n", false)
	s.run(30 * time.Second)
	if len(s.heard) > 0 {
		t.Errorf("called without an address: %q", s.heard)
	}
	if state, _, _, _ := s.n.Session(0, 0); state != bgp.Active {
		t.Errorf("%v", state)
	}
}

// What a run with a real router shows depends on nothing but scenario, seed, and
// what the router did and when.
func TestRealRouterSameInputsSameRun(t *testing.T) {
	digest := func() (uint64, []string) {
		s := attach(t, "  - {at: 10s, loss: l1, p: 50%, for: 30s}\n  - {at: 60s, kill: far, for: 5s}\n", false)
		s.start()
		s.run(time.Second)
		s.inject(network.InBegin, 0, nil)
		s.run(120 * time.Second)
		return s.n.Digest(), s.heard
	}
	a, heard := digest()
	if b, again := digest(); a != b || !slices.Equal(heard, again) {
		t.Errorf("%016x and %016x", a, b)
	}
}

// RFC 9687, the other way round: a router that reads nothing makes the far
// router's SendHoldTimer run.
func TestRealRouterReadsNothing(t *testing.T) {
	s := attach(t, "  - {at: 60s, down: l1}\n", true, "routers.far.bgp.send_hold=4s")
	s.start()
	s.run(5 * time.Second)
	conn, _ := s.m.Conn()
	s.inject(network.InStuck, conn, nil)
	s.run(8 * time.Second)
	s.inject(network.InFree, conn, nil)
	s.run(20 * time.Second)
	s.inject(network.InStuck, conn, nil)
	s.run(25 * time.Second)
	s.wants(`0.004 far Established (KEEPALIVE received)
		0.005 real Established (KEEPALIVE received)
		24.000 far Idle (SendHoldTimer expired)
		24.001 real Idle (NOTIFICATION received)`)
}

// What only the real router can do is asked for, and not done.
func TestRealRouterIsAsked(t *testing.T) {
	s := attach(t, `  - {at: 5s, kill: real, for: 5s}
  - {at: 6s, withdraw: 10.2.0.0/16, by: real, for: 1s}
  - {at: 8s, shut: l1, by: real}
  - {at: 9s, shut: l1, by: far}
`, false)
	s.start()
	s.run(time.Second)
	s.inject(network.InBegin, 0, nil)
	s.run(30 * time.Second)
	var asked []bool
	for i := range s.n.Design().Story {
		asked = append(asked, s.n.Asked(i))
	}
	if !slices.Equal(asked, []bool{true, true, true, true, true, false}) {
		t.Errorf("%v", asked)
	}
	s.wants(`1.004 real Established (KEEPALIVE received)
		1.005 far Established (KEEPALIVE received)
		10.000 far Idle (administrative stop)
		10.001 real Idle (NOTIFICATION received)`)
}
