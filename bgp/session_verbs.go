package bgp

import "time"

// The verbs that the states share. Each is a phrase of RFC 4271 §8.2.2 that
// stands there many times.

// act adds an action to those of this step.
func (s *Session) act(a Action) {
	a.Peer = s.peer
	s.acts = append(s.acts, a)
}

// next adds an empty action of a kind, to be filled in where it is. For the two
// kinds that a quiet session repeats for ever that takes half the time of act
// (13 rather than 27 ns for a KeepaliveTimer).
func (s *Session) next(kind ActionKind) *Action {
	s.acts = append(s.acts, Action{})
	a := &s.acts[len(s.acts)-1]
	a.Kind, a.Peer = kind, s.peer
	return a
}

func (s *Session) send(c *conn, m *Message) {
	a := s.next(ActSend)
	a.Conn, a.Msg = c.id, m
}

// enter is the only way to change state. It moves connection c, or with nil the
// session without any connection, to a state, and tells when the state of the
// session as a whole, the most advanced one, is another than before. m is the
// NOTIFICATION that was the end of a connection, if one was.
func (s *Session) enter(c *conn, to State, why Why, m *Message) {
	if c != nil {
		c.state = to
		to = max(s.conns[0].state, s.conns[1].state)
	}
	from := s.state
	if from == to {
		return
	}
	s.state = to
	switch {
	case from == Established:
		s.away = s.graceful(why, m)
	case to == Established:
		s.away = false
	}
	s.act(Action{Kind: ActState, From: from, To: to, Why: why, Msg: m, Graceful: s.away && from == Established})
	switch {
	case to == Established:
		s.met = c.open
		s.act(Action{Kind: ActUp, Conn: c.id, Open: c.open})
	case from == Established:
		s.act(Action{Kind: ActDown, Why: why, Msg: m, Graceful: s.away})
	}
}

// start leaves Idle: "starts the ConnectRetryTimer with the initial value,
// initiates a TCP connection …, and changes its state to Connect", or listens
// only: for good, or before the first call. RFC 4271 §8.2.2, Idle, Events 1, 3-7.
func (s *Session) start(why Why) {
	s.disarm(IdleHoldTimer)
	s.called = false
	wait := s.cfg.connectDelay()
	if why == WhyStart {
		wait = max(wait, s.cfg.StartDelay)
	}
	switch {
	case s.cfg.Passive:
		s.enter(nil, Active, why, nil)
	case wait > 0:
		s.arm(ConnectRetryTimer, wait)
		s.enter(nil, Active, why, nil)
	default:
		s.call(why)
	}
}

// call opens a TCP connection to the peer.
func (s *Session) call(why Why) {
	switch {
	case s.cfg.ConnectTimeout == 0:
		s.armConnectRetry()
	case s.called:
		s.arm(ConnectRetryTimer, s.cfg.LaterTimeout)
	default:
		s.arm(ConnectRetryTimer, s.cfg.ConnectTimeout)
	}
	s.called = true
	s.calls--
	s.dial = s.calls
	s.act(Action{Kind: ActConnect, Conn: s.dial})
	s.enter(nil, Connect, why, nil)
}

// hangUp gives up the call in progress.
func (s *Session) hangUp() {
	if s.dial != 0 {
		s.act(Action{Kind: ActAbort, Conn: s.dial})
		s.dial = 0
	}
}

// fallBack is Event 18 where it is no error: TCP failed under c while the
// DelayOpenTimer was running in Connect, or in OpenSent.
func (s *Session) fallBack(c *conn) {
	o := s.other(c)
	s.release(c, 0)
	if o != nil {
		s.carryOn(o, WhyTCPFailed, nil)
	} else {
		s.listen(WhyTCPFailed)
	}
}

// listen "restarts the ConnectRetryTimer, continues to listen for a connection
// that may be initiated by the remote BGP peer, and changes its state to
// Active"; or to Connect, if a call is in progress still.
func (s *Session) listen(why Why) {
	if wait := s.cfg.connectDelay(); wait > 0 && s.cfg.ConnectFailDelay && !s.cfg.Passive {
		s.arm(ConnectRetryTimer, wait)
	} else {
		s.armConnectRetry()
	}
	if s.dial != 0 {
		s.enter(nil, Connect, why, nil)
	} else {
		s.enter(nil, Active, why, nil)
	}
}

// accept takes a new TCP connection into the session, in the state of a
// connection on which nothing has been sent yet. It returns nil when there is
// nothing to accept: a call that was given up, a name that is in use, a third
// connection.
func (s *Session) accept(in *Input) *conn {
	state := Active
	if in.Incoming {
		if s.find(in.Conn) != nil || s.dial != 0 && in.Conn == s.dial {
			return nil
		}
		if s.state == Connect {
			state = Connect
		}
	} else {
		if s.dial == 0 || in.Conn != s.dial {
			return nil
		}
		s.dial = 0
		state = Connect
	}
	c := s.vacancy(in.Incoming)
	if c == nil {
		s.act(Action{Kind: ActAbort, Conn: in.Conn})
		return nil
	}
	*c = conn{id: in.Conn, state: state, incoming: in.Incoming, second: c.second}
	return c
}

// vacancy finds room for a connection. When both places are taken, a new
// incoming connection takes that of an older incoming one which has not got as
// far as OpenConfirm: the peer has one call out at a time, so it must have
// given up the older one.
func (s *Session) vacancy(incoming bool) *conn {
	for i := range s.conns {
		if c := &s.conns[i]; c.state == Idle {
			return c
		}
	}
	for i := range s.conns {
		if c := &s.conns[i]; incoming && c.incoming && c.state < OpenConfirm {
			s.release(c, ActAbort)
			return c
		}
	}
	return nil
}

// accepted goes on with a connection that may carry our OPEN: at once, or when
// the DelayOpenTimer has run out. RFC 4271 §8.2.2, Connect and Active, Events
// 16 and 17. Two connections that wait share the one timer.
func (s *Session) accepted(c *conn) {
	if c == nil {
		return
	}
	s.disarm(ConnectRetryTimer)
	if s.cfg.DelayOpen > 0 {
		if !s.running(DelayOpenTimer) {
			s.arm(DelayOpenTimer, s.cfg.DelayOpen)
		}
		s.enter(c, c.state, WhyTCPUp, nil) // it may have taken the place of a further one
		return
	}
	s.sendOpen(c, WhyTCPUp, nil)
}

// openWaiting sends our OPEN on the connections that waited for it.
func (s *Session) openWaiting(why Why) {
	for c := s.waiting(); c != nil; c = s.waiting() {
		s.sendOpen(c, why, nil)
	}
}

// sendOpen "sends an OPEN message to its peer, sets the HoldTimer to a large
// value, and changes its state to OpenSent".
func (s *Session) sendOpen(c *conn, why Why, m *Message) {
	s.send(c, s.offer())
	s.armOpenHold(c)
	s.enter(c, OpenSent, why, m)
}

// armOpenHold begins the wait for the peer's OPEN.
func (s *Session) armOpenHold(c *conn) {
	s.arm(HoldTimer+c.second, s.cfg.HoldJitter.Of(s.cfg.OpenHold, s.cfg.Rand))
}

// opened handles an OPEN that came on c. RFC 4271 §8.2.2, Events 19, 20 and 22.
func (s *Session) opened(c *conn, o *Open) {
	if m := s.cfg.refuse(o); m != nil {
		s.fail(c, m, WhyBadMessage)
		return
	}
	if !s.survives(c, o) {
		return
	}
	if c.state < OpenSent { // Event 20: the DelayOpenTimer was running
		s.send(c, s.offer())
	}
	if c.open = o; s.mustWaitForBFD(c) {
		s.waitForBFD(c)
		return
	}
	s.disarm(DelayOpenTimer)
	s.disarm(ConnectRetryTimer)
	s.confirm(c, WhyOpen)
}

// confirm answers the OPEN that came on c with a KEEPALIVE.
func (s *Session) confirm(c *conn, why Why) {
	s.send(c, Keepalive)
	c.hold, c.keepalive = s.cfg.negotiate(c.open)
	if c.hold > 0 {
		s.armHold(c)
		s.armKeepalive(c)
	} else { // "then the HoldTimer and KeepaliveTimer are not started"
		s.disarm(HoldTimer + c.second)
	}
	s.enter(c, OpenConfirm, why, nil)
}

// establish makes c the connection of the session. What else there is, an
// unfinished call or a second connection that has not sent its OPEN, is given
// up: "a connection collision with an existing BGP connection that is in the
// Established state causes closing of the newly created connection". RFC 4271 §6.8
func (s *Session) establish(c *conn) {
	s.hangUp()
	if o := s.other(c); o != nil {
		s.dump(o)
	}
	if c.stuck {
		s.armSendHold(c)
	}
	if c.hold == 0 {
		s.errors = 0 // no KEEPALIVE will come to tell that the session stays up
	}
	s.enter(c, Established, WhyKeepalive, nil)
}

// early handles what arrives on c before our OPEN has been sent on it. RFC 4271
// §8.2.2, Connect and Active: all but an OPEN is the end of the connection, and
// without an OPEN sent there is no NOTIFICATION (SendNOTIFICATIONwithoutOPEN).
func (s *Session) early(c *conn, in *Input) {
	switch {
	case in.Kind == InBadMessage: // Events 21, 22, 28
		s.lose(c, nil, WhyBadMessage, damped)
	case in.Msg.Type == MsgOpen: // Events 20, 22
		s.opened(c, in.Msg.Open)
	case in.Msg.Type == MsgNotification && s.running(DelayOpenTimer): // Events 24, 25
		s.notified(c, in.Msg)
	case in.Msg.Type == MsgNotification:
		s.lose(c, in.Msg, WhyNotification, damped)
	default: // Events 26, 27
		s.lose(c, nil, WhyUnexpected, damped)
	}
}

// notified handles a NOTIFICATION. A version error counts as no error of the
// session: it is how versions are negotiated. RFC 4271 §7, §8.2.2, Events 24
// and 25. In Established the counter counts but nothing is damped.
func (s *Session) notified(c *conn, m *Message) {
	how := damped
	n := m.Notification
	switch {
	case c.state == Established:
		how = counted
	case n != nil && n.Code == NoteOpen && n.Subcode == OpenUnsupportedVersion:
		how = uncounted
	}
	s.lose(c, m, WhyNotification, how)
}

// gone handles the loss of TCP under c. RFC 4271 §8.2.2, Event 18: damped but
// in Established.
func (s *Session) gone(c *conn) {
	if c == nil {
		s.dial = 0
		return
	}
	how := damped
	if c.state == Established {
		how = counted
	}
	s.part(c, 0, nil, WhyTCPFailed, how)
}

// fail "sends a NOTIFICATION message with the appropriate error code" and does
// what follows it in every one of its places.
func (s *Session) fail(c *conn, m *Message, why Why) {
	if c.state >= OpenSent {
		s.send(c, m)
	}
	s.lose(c, m, why, damped)
}

// toll is what the end of a connection costs.
type toll uint8

const (
	uncounted toll = iota
	counted        // "increments the ConnectRetryCounter by 1"
	damped         // and "performs peer oscillation damping"
)

// lose "drops the TCP connection" of c and goes on without it.
func (s *Session) lose(c *conn, m *Message, why Why, how toll) {
	s.part(c, ActClose, m, why, how)
}

// part parts from c. The session goes on with its other connection, if it has
// one and was not Established; otherwise it goes to Idle.
func (s *Session) part(c *conn, by ActionKind, m *Message, why Why, how toll) {
	if how >= counted {
		s.tries++
	}
	wasUp := c.state == Established
	o := s.other(c)
	s.release(c, by)
	if o != nil && !wasUp {
		s.carryOn(o, why, m)
		return
	}
	if how == damped {
		s.errors++
	}
	wait := s.cfg.idleHold(how, s.errors, why, m)
	if wasUp && s.cfg.BIRDRestart && s.graceful(why, m) {
		wait = s.cfg.IdleHoldReset // BIRD: no error, so only the connect delay
	}
	s.drop(why, m, wait)
}

// carryOn goes on with o after the other connection has gone. If o was only
// tracked, its OPEN is due now.
func (s *Session) carryOn(o *conn, why Why, m *Message) {
	if o.state < OpenSent && !s.running(DelayOpenTimer) {
		s.disarm(HoldTimer + o.second)
		s.sendOpen(o, why, m)
		return
	}
	s.enter(o, o.state, why, m)
}

// release parts from one connection: by ActClose, by ActAbort, or without an
// action when TCP has lost it already. The caller says what the session is now.
func (s *Session) release(c *conn, by ActionKind) {
	if by != 0 {
		s.act(Action{Kind: by, Conn: c.id})
	}
	s.disarm(HoldTimer + c.second)
	s.disarm(KeepaliveTimer + c.second)
	s.disarm(SendHoldTimer + c.second)
	*c = conn{second: c.second}
	if s.waiting() == nil {
		s.disarm(DelayOpenTimer)
	}
}

// stop is ManualStop, Event 2, wherever the session is: "sends the NOTIFICATION
// with a Cease" where an OPEN has been sent, and stays in Idle.
func (s *Session) stop(subcode uint8) {
	var m *Message
	for i := range s.conns {
		if c := &s.conns[i]; c.state >= OpenSent {
			if m == nil {
				m = s.cease(subcode)
			}
			s.send(c, m)
			s.release(c, ActClose)
		}
	}
	s.started = false
	s.tries, s.errors = 0, 0
	s.drop(WhyStop, m, 0)
	s.giveUp(WhyStop)
}

// limit ends a session whose peer announces more prefixes than it may. RFC 4271
// §6.7: "The BGP speaker MAY … terminate the BGP session with the neighbor by
// sending a Cease". It would happen again at once, so the session comes back
// only after a time of its own, or when the operator starts it.
func (s *Session) limit(c *conn) {
	m := s.cease(CeaseMaxPrefixes)
	s.send(c, m)
	s.tries++
	s.started = s.cfg.PrefixRestart > 0
	s.drop(WhyPrefixLimit, m, s.cfg.PrefixRestart)
}

// cut is InLinkDown: the interface is gone, so nothing that is said now would
// reach anybody.
func (s *Session) cut() {
	for i := range s.conns {
		if c := &s.conns[i]; c.state != Idle {
			s.release(c, ActAbort)
		}
	}
	s.linkDown = true
	s.tries++
	s.drop(WhyLinkDown, nil, 0)
	s.giveUp(WhyLinkDown)
}

// drop is the only way to Idle: "sets the ConnectRetryTimer to zero, releases
// all BGP resources, drops the TCP connection, … and changes its state to
// Idle". A session that is neither stopped nor without its link starts again
// when the IdleHoldTimer runs out after wait.
func (s *Session) drop(why Why, m *Message, wait time.Duration) {
	for i := range s.conns {
		if c := &s.conns[i]; c.state != Idle {
			s.release(c, ActClose)
		}
	}
	s.hangUp()
	s.disarm(ConnectRetryTimer)
	s.enter(nil, Idle, why, m)
	if s.started && !s.linkDown {
		s.arm(IdleHoldTimer, s.cfg.IdleHoldJitter.Of(wait, s.cfg.Rand))
	}
}
