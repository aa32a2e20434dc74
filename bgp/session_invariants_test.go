package bgp

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// watcher plays the surroundings of a Session and holds it to what must be true
// after every step, whatever comes in.
type watcher struct {
	s     *Session
	acts  []Action
	state State
	armed map[TimerID]bool
	calls map[ConnID]bool // ActConnect without an answer
	tcp   map[ConnID]bool // established connections
	up    bool
	away  bool // down, and the peer is to come back
}

func newWatcher(cfg SessionConfig) *watcher {
	return &watcher{s: NewSession(0, cfg), armed: map[TimerID]bool{}, calls: map[ConnID]bool{}, tcp: map[ConnID]bool{}}
}

// legal has the transitions that RFC 4271 §8.2.2 knows, and those that losing one
// of two connections makes.
var legal = map[State][]State{
	Idle:        {Connect, Active},
	Connect:     {Idle, Active, OpenSent, OpenConfirm},
	Active:      {Idle, Connect, OpenSent, OpenConfirm},
	OpenSent:    {Idle, Active, Connect /* a call is in progress */, OpenConfirm},
	OpenConfirm: {Idle, OpenSent /* the other connection */, Established},
	Established: {Idle, Active /* RFC 4724 §4.2: the peer has restarted */},
}

func (w *watcher) step(in Input) error {
	switch in.Kind { // what the surroundings know
	case InTimer:
		delete(w.armed, in.Timer)
	case InTCPUp:
		taken := w.calls[in.Conn] || w.tcp[in.Conn]
		if !in.Incoming && w.calls[in.Conn] || in.Incoming && !taken {
			delete(w.calls, in.Conn)
			w.tcp[in.Conn] = true
		}
	case InTCPDown:
		delete(w.calls, in.Conn)
		delete(w.tcp, in.Conn)
	}
	twin := *w.s
	short, ok := twin.short(in)
	w.acts = w.s.Step(w.acts[:0], in)
	if ok {
		if got, want := fmt.Sprint(short), fmt.Sprint(w.acts); got != want {
			return fmt.Errorf("the short way gives %s, not %s", got, want)
		}
		same := *w.s
		twin.acts, twin.cfg.Rand, same.acts, same.cfg.Rand = nil, nil, nil, nil
		if !reflect.DeepEqual(twin, same) {
			return fmt.Errorf("the short way leads to %+v, not to %+v", twin, same)
		}
	}
	for _, a := range w.acts {
		if err := w.act(a); err != nil {
			return fmt.Errorf("%s: %v", actionText(a), err)
		}
	}
	return w.check()
}

// short is Step for what quiet.go knows a short way for.
func (s *Session) short(in Input) ([]Action, bool) {
	switch {
	case in.Kind == InTimer:
		conn, after, ok := s.KeepaliveDue(in.Timer)
		return []Action{{Kind: ActSend, Conn: conn, Msg: Keepalive}, {Kind: ActArm, Timer: in.Timer, After: after}}, ok
	case in.Kind == InMessage && in.Msg != nil && in.Msg.Type == MsgKeepalive:
		t, after, ok := s.KeepaliveCame(in.Conn)
		return []Action{{Kind: ActArm, Timer: t, After: after}}, ok
	}
	return nil, false
}

func (w *watcher) act(a Action) error {
	switch a.Kind {
	case ActConnect:
		if len(w.calls) > 0 || w.tcp[a.Conn] {
			return fmt.Errorf("calls %v, connections %v", w.calls, w.tcp)
		}
		w.calls[a.Conn] = true
	case ActClose:
		if !w.tcp[a.Conn] {
			return fmt.Errorf("there is no such connection")
		}
		delete(w.tcp, a.Conn)
	case ActAbort:
		if !w.tcp[a.Conn] && !w.calls[a.Conn] {
			return fmt.Errorf("there is no such connection")
		}
		delete(w.tcp, a.Conn)
		delete(w.calls, a.Conn)
	case ActSend:
		if !w.tcp[a.Conn] || a.Msg == nil || a.Msg.Size < HeaderLen {
			return fmt.Errorf("on connections %v", w.tcp)
		}
	case ActArm:
		if a.After < 0 || a.Timer >= NumTimers {
			return fmt.Errorf("after %v", a.After)
		}
		w.armed[a.Timer] = true
	case ActDisarm:
		if !w.armed[a.Timer] {
			return fmt.Errorf("it does not run")
		}
		delete(w.armed, a.Timer)
	case ActState:
		ok := false
		for _, to := range legal[a.From] {
			ok = ok || to == a.To
		}
		if !ok || a.From != w.state || a.Why == WhyNone {
			return fmt.Errorf("the session was in %v", w.state)
		}
		w.state = a.To
	case ActUp:
		if w.up || w.state != Established || a.Open == nil {
			return fmt.Errorf("already up, or in %v", w.state)
		}
		w.up, w.away = true, false
	case ActDown:
		if !w.up && !w.away || w.state == Established || a.Why == WhyNone || a.Graceful && w.s.cfg.Restart == nil {
			return fmt.Errorf("not up nor away, or in %v", w.state)
		}
		w.up, w.away = false, a.Graceful
	case ActUpdate:
		if w.state != Established {
			return fmt.Errorf("in %v", w.state)
		}
	default:
		return fmt.Errorf("no action of a session")
	}
	return nil
}

// check holds the session to its invariants. Those about timers say that it is
// never stuck: in every state something will happen even if nobody speaks.
func (w *watcher) check() error {
	s := w.s
	if s.State() != w.state || w.up != (w.state == Established) || w.away != s.away {
		return fmt.Errorf("state %v, told %v, up %v", s.State(), w.state, w.up)
	}
	for t := TimerID(0); t < NumTimers; t++ {
		if s.running(t) != w.armed[t] {
			return fmt.Errorf("%s: runs %v, told %v", timerText(t), s.running(t), w.armed[t])
		}
	}
	top, alive, chosen, waiting := Idle, 0, 0, 0
	for i := range s.conns {
		c := &s.conns[i]
		top = max(top, c.state)
		hold, keepalive, sendHold := w.armed[HoldTimer+c.second], w.armed[KeepaliveTimer+c.second], w.armed[SendHoldTimer+c.second]
		switch {
		case c.state != Idle && !w.tcp[c.id]:
			return fmt.Errorf("connection %d is not there", c.id)
		case c.state == Idle && (hold || keepalive || sendHold),
			c.state < OpenConfirm && keepalive,
			c.state != Established && sendHold,
			c.state == OpenSent && !hold,
			c.state >= OpenConfirm && (hold != (c.hold > 0) || keepalive != (c.keepalive > 0)),
			(c.hold > 0) != (c.keepalive > 0):
			return fmt.Errorf("connection %d in %v: hold %v keepalive %v sendHold %v", c.id, c.state, hold, keepalive, sendHold)
		}
		switch {
		case c.state >= OpenConfirm:
			chosen++
		case c.state == Connect || c.state == Active:
			waiting++
		}
		if c.state != Idle {
			alive++
		}
	}
	_, hasConn := s.Conn()
	idleForGood := !s.started || s.linkDown
	switch {
	case alive != len(w.tcp):
		return fmt.Errorf("connections %v", w.tcp)
	case chosen > 1, hasConn != (chosen == 1), hasConn != (s.PeerOpen() != nil), !hasConn && (s.Hold() != 0 || s.KeepaliveInterval() != 0):
		return fmt.Errorf("%d connections beyond OpenSent", chosen)
	case alive > 0 && top != w.state:
		return fmt.Errorf("the most advanced connection is in %v, the session in %v", top, w.state)
	case len(w.calls) > 1 || (len(w.calls) == 1) != (s.dial != 0):
		return fmt.Errorf("calls %v", w.calls)

	case w.state == Established && len(w.calls) > 0:
		return fmt.Errorf("still calling")
	case w.state == Idle && (alive > 0 || len(w.calls) > 0):
		return fmt.Errorf("connections in Idle")
	case w.state == Idle && w.armed[IdleHoldTimer] == idleForGood && len(w.acts) > 0:
		return fmt.Errorf("in Idle: started %v, link down %v, IdleHoldTimer %v", s.started, s.linkDown, w.armed[IdleHoldTimer])
	case w.state != Idle && (w.armed[IdleHoldTimer] || idleForGood):
		return fmt.Errorf("in %v: started %v, link down %v, IdleHoldTimer %v", w.state, s.started, s.linkDown, w.armed[IdleHoldTimer])
	case w.state == Connect && len(w.calls) == 0 && waiting == 0:
		return fmt.Errorf("nothing to wait for in Connect")
	case (w.state == Connect || w.state == Active) && waiting == 0 && w.armed[ConnectRetryTimer] == s.cfg.Passive:
		return fmt.Errorf("in %v: ConnectRetryTimer %v", w.state, w.armed[ConnectRetryTimer])
	case w.state != Connect && w.state != Active && w.armed[ConnectRetryTimer]:
		return fmt.Errorf("ConnectRetryTimer in %v", w.state)
	case waiting > 0 && chosen == 0 && !w.armed[DelayOpenTimer]:
		return fmt.Errorf("a connection waits for nothing")
	case s.AwaitsBFD() && (w.state != OpenSent || s.bfd == InBFDUp || s.bfd == InBFDAdminDown || !s.cfg.BFDStrict):
		return fmt.Errorf("waits for BFD in %v", w.state)
	case w.armed[DelayOpenTimer] && (waiting == 0 || chosen > 0):
		return fmt.Errorf("nothing waits for the DelayOpenTimer")
	}
	return nil
}

// situations are ways into every state, with one connection and with two.
var situations = []struct {
	name  string
	cfg   func(*SessionConfig)
	steps []Input
}{
	{"Idle, never started", nil, nil},
	{"Idle, waiting", nil, []Input{start, up, opened(-1), alive(-1), {Kind: InTimer, Timer: HoldTimer}}},
	{"Idle, stopped", nil, []Input{start, {Kind: InStop}}},
	{"Idle, link down", nil, []Input{start, {Kind: InLinkDown}}},
	{"Connect", nil, []Input{start}},
	{"Connect, delaying", delay, []Input{start, up}},
	{"Connect, delaying two", delay, []Input{start, up, called(0)}},
	{"Connect, delaying the peer's, calling", delay, []Input{start, called(0)}},
	{"Active", nil, []Input{start, up, {Kind: InTCPDown, Conn: -1}}},
	{"Active, passive", passive, []Input{start}},
	{"Active, delaying", func(c *SessionConfig) { passive(c); delay(c) }, []Input{start, called(0)}},
	{"OpenSent", nil, []Input{start, up}},
	{"OpenSent, calling", nil, []Input{start, called(0)}},
	{"OpenSent twice", nil, []Input{start, up, called(0)}},
	{"OpenSent, delaying the other", delay, []Input{start, up, {Kind: InTimer, Timer: DelayOpenTimer}, called(0)}},
	{"OpenConfirm", nil, []Input{start, up, opened(-1)}},
	{"OpenConfirm, calling", nil, []Input{start, called(0), opened(0)}},
	{"OpenConfirm, tracking", nil, []Input{start, up, opened(-1), called(0)}},
	{"OpenConfirm, tracking ours", nil, []Input{start, called(0), opened(0), up}},
	{"OpenConfirm on the second", nil, []Input{start, up, called(0), opened(0)}},
	{"Established", nil, []Input{start, up, opened(-1), alive(-1)}},
	{"Established, stuck", nil, []Input{start, up, opened(-1), alive(-1), {Kind: InSendStuck, Conn: -1}}},
	{"Established, tracking", nil, []Input{start, up, opened(-1), alive(-1), called(0)}},
	{"Established on the second", nil, []Input{start, up, called(0), opened(0), alive(0)}},
	{"Established without hold time", func(c *SessionConfig) { c.Hold = 0 }, []Input{start, up, opened(-1), alive(-1)}},
	{"OpenSent, waiting for BFD", strict, []Input{start, up, openedStrict(-1)}},
	{"OpenSent, waiting for BFD, confirmed", strict, []Input{start, up, openedStrict(-1), alive(-1)}},
	{"OpenSent, waiting for BFD without hold time", func(c *SessionConfig) { strict(c); c.Hold = 0 }, []Input{start, up, openedStrict(-1)}},
	{"OpenSent, waiting for BFD after a delay", func(c *SessionConfig) { strict(c); delay(c) }, []Input{start, up, openedStrict(-1)}},
	{"OpenSent, waiting for BFD, and again", strict, []Input{start, up, openedStrict(-1), called(0)}},
	{"OpenConfirm, strict", strict, []Input{start, up, openedStrict(-1), {Kind: InBFDUp}}},
	{"Established, to come back", graceful, []Input{start, up, openedGraceful(-1), alive(-1)}},
	{"Established, to come back, tracking", graceful, []Input{start, up, openedGraceful(-1), alive(-1), called(0)}},
	{"Established, to come back, strict", func(c *SessionConfig) { graceful(c); strict(c) }, []Input{start, up, openedGraceful(-1), alive(-1), called(0)}},
	{"Idle, to come back", graceful, []Input{start, up, openedGraceful(-1), alive(-1), {Kind: InTCPDown, Conn: -1}}},
	{"Established, strict", strict, []Input{start, up, openedStrict(-1), {Kind: InBFDUp}, alive(-1)}},
}

var (
	start = Input{Kind: InStart}
	up    = Input{Kind: InTCPUp, Conn: -1}
)

func called(c ConnID) Input { return Input{Kind: InTCPUp, Conn: c, Incoming: true} }
func opened(c ConnID) Input { return Input{Kind: InMessage, Conn: c, Msg: openMsg(peerOpen())} }
func openedStrict(c ConnID) Input {
	return Input{Kind: InMessage, Conn: c, Msg: badOpen(func(o *Open) { o.BFDStrict = true })}
}
func openedGraceful(c ConnID) Input {
	return Input{Kind: InMessage, Conn: c, Msg: badOpen(gracefulOpen)}
}
func gracefulOpen(o *Open) {
	o.Restart = &GracefulRestart{Notify: true, Time: 120, Families: []RestartFamily{{Family: IPv4Unicast}}}
	o.LongLived = &LongLived{Families: []LongLivedFamily{{Family: IPv4Unicast}}}
}
func graceful(cfg *SessionConfig) {
	cfg.Restart, cfg.LongLived = &GracefulRestart{Notify: true, Time: 120}, &LongLived{}
}
func strict(cfg *SessionConfig)      { cfg.BFDStrict = true }
func alive(c ConnID) Input           { return Input{Kind: InMessage, Conn: c, Msg: Keepalive} }
func delay(cfg *SessionConfig)       { cfg.DelayOpen = 5 * time.Second }
func passive(cfg *SessionConfig)     { cfg.Passive = true }
func badOpen(f func(*Open)) *Message { o := peerOpen(); f(o); return openMsg(o) }

// everyInput is every kind of input, with every kind of content, for the given
// connection.
func everyInput(c ConnID) []Input {
	ins := []Input{{}, {Kind: 255}, {Kind: InTCPUp, Conn: c}, {Kind: InTCPUp, Conn: c, Incoming: true}}
	for k := InStart; k <= InRefresh; k++ {
		ins = append(ins, Input{Kind: k, Conn: c})
	}
	for t := TimerID(0); t < NumTimers+3; t++ {
		ins = append(ins, Input{Kind: InTimer, Timer: t})
	}
	ins = append(ins, Input{Kind: InTimer, Timer: 255})
	for _, m := range []*Message{
		nil, {}, {Type: MsgOpen}, {Type: MsgUpdate}, {Type: MsgNotification}, {Type: MsgRouteRefresh}, {Type: 77},
		openMsg(peerOpen()), Keepalive, updateMsg(), refreshMsg(),
		badOpen(func(o *Open) { o.ID = netip.Addr{} }),
		badOpen(func(o *Open) { o.Version = 3 }),
		badOpen(func(o *Open) { o.AS = 1 }),
		badOpen(func(o *Open) { o.HoldTime = 2 }),
		badOpen(func(o *Open) { o.HoldTime = 0 }),
		badOpen(func(o *Open) { o.ID = testConfig().ID }),
		badOpen(func(o *Open) { o.ID = netip.MustParseAddr("9.9.9.9") }),
		badOpen(func(o *Open) { o.BFDStrict = true }),
		badOpen(gracefulOpen),
		note(NoteCease, CeaseHardReset),
		note(NoteOpen, OpenUnsupportedVersion), note(NoteCease, CeaseCollision), note(NoteCease, CeaseAdminReset), note(NoteHoldTimerExpired, 0),
	} {
		ins = append(ins, Input{Kind: InMessage, Conn: c, Msg: m}, Input{Kind: InBadMessage, Conn: c, Msg: m})
	}
	return ins
}

// Every input in every state: nothing panics, every transition is one that the
// RFC knows, and every invariant holds; and so again for every second input,
// because a session that was left crooked shows it at the next one.
func TestEveryInputInEveryState(t *testing.T) {
	reached := map[State]bool{}
	pairs := 0
	for _, sit := range situations {
		t.Run(sit.name, func(t *testing.T) {
			arrive := func() *watcher {
				cfg := testConfig()
				if sit.cfg != nil {
					sit.cfg(&cfg)
				}
				w := newWatcher(cfg)
				for _, in := range sit.steps {
					if err := w.step(in); err != nil {
						t.Fatalf("on the way: %+v: %v", in, err)
					}
				}
				reached[w.state] = true
				return w
			}
			if want := sit.name[:min(len(sit.name), 4)]; arrive().state.String()[:4] != want {
				t.Fatalf("arrived in %v", arrive().state)
			}
			var ins []Input
			for _, c := range []ConnID{-2, -1, 0, 1} {
				ins = append(ins, everyInput(c)...)
			}
			for i, first := range ins {
				second := ins[(i*37+11)%len(ins)]
				w := arrive()
				if err := w.step(first); err != nil {
					t.Fatalf("%+v: %v", first, err)
				}
				if err := w.step(second); err != nil {
					t.Fatalf("%+v after %+v: %v", second, first, err)
				}
				pairs++
			}
		})
	}
	if len(reached) != 6 {
		t.Errorf("only the states %v were tried", reached)
	}
	t.Logf("%d pairs of inputs", pairs)
}

// Any sequence of inputs at all, sensible or not, keeps the invariants.
func TestInvariantsOfAnySequence(t *testing.T) {
	var ins []Input
	for _, c := range []ConnID{-3, -2, -1, 0, 1} {
		ins = append(ins, everyInput(c)...)
	}
	rapid.Check(t, func(t *rapid.T) {
		cfg := testConfig()
		cfg.Passive = rapid.Bool().Draw(t, "passive")
		cfg.ConnectFailActive = rapid.Bool().Draw(t, "connect-fail-active")
		cfg.KeepaliveJitter, cfg.HoldJitter = RFCJitter, RFCJitter
		cfg.Rand = func() uint64 { return 12345678901234567 }
		if rapid.Bool().Draw(t, "delay") {
			delay(&cfg)
		}
		if rapid.Bool().Draw(t, "strict") {
			strict(&cfg)
		}
		if rapid.Bool().Draw(t, "graceful") {
			graceful(&cfg)
			cfg.Restart.Notify = rapid.Bool().Draw(t, "n")
			cfg.BIRDRestart = rapid.Bool().Draw(t, "bird")
		}
		if rapid.Bool().Draw(t, "no hold") {
			cfg.Hold = 0
		}
		if rapid.Bool().Draw(t, "higher") {
			cfg.ID = netip.MustParseAddr("10.0.0.3")
		}
		w := newWatcher(cfg)
		// Inputs that lead somewhere are mixed in, or most sequences would die
		// in Idle.
		n := rapid.IntRange(1, 60).Draw(t, "length")
		for i := 0; i < n; i++ {
			in := plausible(t, w)
			if rapid.IntRange(0, 4).Draw(t, "wild") == 0 {
				in = rapid.SampledFrom(ins).Draw(t, "input")
			}
			if err := w.step(in); err != nil {
				t.Fatalf("input %d: %+v: %v", i, in, err)
			}
		}
	})
}

// plausible draws an input that the surroundings could really have for w.
func plausible(t *rapid.T, w *watcher) Input {
	var ins []Input
	if w.state == Idle {
		ins = append(ins, start, Input{Kind: InLinkUp})
	}
	for c := ConnID(-60); c < 0; c++ {
		if w.calls[c] {
			ins = append(ins, Input{Kind: InTCPUp, Conn: c}, Input{Kind: InTCPDown, Conn: c})
		}
	}
	for c := ConnID(0); c < 3; c++ {
		if !w.tcp[c] {
			ins = append(ins, called(c))
		}
	}
	for i := range w.s.conns {
		c := &w.s.conns[i]
		if c.state == Idle {
			continue
		}
		ins = append(ins, opened(c.id), alive(c.id), openedGraceful(c.id), openedStrict(c.id), alive(c.id), Input{Kind: InTCPDown, Conn: c.id},
			Input{Kind: InMessage, Conn: c.id, Msg: note(NoteCease, CeaseCollision)},
			Input{Kind: InSendStuck, Conn: c.id}, Input{Kind: InSendFree, Conn: c.id})
	}
	ins = append(ins, Input{Kind: InBFDUp}, Input{Kind: InBFDDown}, Input{Kind: InBFDAdminDown})
	for tm := TimerID(0); tm < NumTimers; tm++ {
		if w.armed[tm] {
			ins = append(ins, Input{Kind: InTimer, Timer: tm})
		}
	}
	return rapid.SampledFrom(ins).Draw(t, "plausible")
}

// A session that has been reset is like a new one.
func TestResetIsLikeNew(t *testing.T) {
	for _, sit := range situations {
		cfg := testConfig()
		if sit.cfg != nil {
			sit.cfg(&cfg)
		}
		used := NewSession(5, cfg)
		for _, in := range sit.steps {
			used.Step(nil, in)
		}
		used.Reset(cfg)
		fresh := NewSession(5, cfg)
		for _, in := range append([]Input{start, up, opened(-1), alive(-1), {Kind: InStop}}, sit.steps...) {
			a, b := used.Step(nil, in), fresh.Step(nil, in)
			if len(a) != len(b) {
				t.Fatalf("%s: %+v: %d actions, a new session has %d", sit.name, in, len(a), len(b))
			}
			for i := range a {
				if a[i].Peer != 5 || actionText(a[i]) != actionText(b[i]) {
					t.Errorf("%s: %+v: %s, a new session: %s", sit.name, in, actionText(a[i]), actionText(b[i]))
				}
			}
		}
	}
}
