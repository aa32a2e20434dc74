package bgp

// The six states of RFC 4271 §8.2.2, one method each, in its order. c is the
// connection that the input is about, nil when it is about none; the state is
// c's, or the session's when c is nil.

// Idle: "In this state, BGP FSM refuses all incoming BGP connections for this
// peer. No resources are allocated to the peer."
func (s *Session) idle(in *Input) {
	switch in.Kind {
	case InStart: // Events 1, 3, 4, 5
		if s.started && !s.running(IdleHoldTimer) {
			return // it waits for the link already
		}
		s.started = true
		s.tries, s.errors = 0, 0
		if !s.linkDown {
			s.start(WhyStart)
		}

	case InStop: // Event 2 is ignored, but that the session stays here
		s.started = false
		s.disarm(IdleHoldTimer)
		s.giveUp(WhyStop)

	case InLinkDown: // Event 8, likewise
		s.linkDown = true
		s.disarm(IdleHoldTimer)
		s.giveUp(WhyLinkDown)

	case InLinkUp: // Event 3
		s.linkDown = false
		if s.started {
			s.start(WhyLinkUp)
		}

	case InTCPUp: // Event 17
		if in.Incoming {
			s.act(Action{Kind: ActAbort, Conn: in.Conn})
		}

	case InTimer: // Event 13, then 6 or 7; no other timer runs here
		s.start(WhyIdleHold)
	}
}

// Connect: "BGP FSM is waiting for the TCP connection to be completed", or for
// the DelayOpenTimer when it is.
func (s *Session) connect(c *conn, in *Input) {
	switch in.Kind {
	case InStop: // Event 2
		s.stop(in.Subcode)

	case InLinkDown: // Event 8
		s.cut()

	case InTCPUp: // Events 16, 17
		s.accepted(s.accept(in))

	case InTCPDown: // Event 18
		switch {
		case c != nil: // the DelayOpenTimer was running
			s.fallBack(c)
		case s.waiting() != nil: // another connection waits for the DelayOpenTimer
			s.dial = 0
		case s.cfg.ConnectFailActive: // as RFC 1771 §8 has it
			s.dial = 0
			s.listen(WhyTCPFailed)
		default:
			s.dial = 0
			s.drop(WhyTCPFailed, nil, s.cfg.IdleHold)
		}

	case InTimer:
		switch in.Timer {
		case ConnectRetryTimer: // Event 9
			s.hangUp()
			if s.cfg.ConnectTimeout > 0 {
				s.listen(WhyConnectRetry)
			} else {
				s.call(WhyConnectRetry)
			}
		case DelayOpenTimer: // Event 12
			s.openWaiting(WhyDelayOpen)
		default: // the time that an idle second connection is given is over
			s.lose(c, nil, WhyHoldTimer, damped)
		}

	case InMessage, InBadMessage: // Events 19-22, 24-28
		s.early(c, in)

	case InSendStuck:
		c.stuck = true
	case InSendFree:
		c.stuck = false
	}
}

// Active: "BGP FSM is trying to acquire a peer by listening for, and
// accepting, a TCP connection."
func (s *Session) active(c *conn, in *Input) {
	switch in.Kind {
	case InStop: // Event 2
		s.stop(in.Subcode)

	case InLinkDown: // Event 8
		s.cut()

	case InTCPUp: // Events 16, 17
		s.accepted(s.accept(in))

	case InTCPDown: // Event 18
		s.gone(c)

	case InTimer:
		switch in.Timer {
		case ConnectRetryTimer: // Event 9
			s.call(WhyConnectRetry)
		case DelayOpenTimer: // Event 12
			s.openWaiting(WhyDelayOpen)
		default: // the time that an idle second connection is given is over
			s.lose(c, nil, WhyHoldTimer, damped)
		}

	case InMessage, InBadMessage: // Events 19-22, 24-28
		s.early(c, in)

	case InSendStuck:
		c.stuck = true
	case InSendFree:
		c.stuck = false
	}
}

// OpenSent: "BGP FSM waits for an OPEN message from its peer."
func (s *Session) openSent(c *conn, in *Input) {
	switch in.Kind {
	case InStop: // Event 2
		s.stop(in.Subcode)

	case InLinkDown: // Event 8
		s.cut()

	case InTCPUp: // Events 16, 17: a second connection. RFC 4271 §6.8
		s.accepted(s.accept(in))

	case InTCPDown: // Event 18
		if c == nil { // it was the attempt at a second one
			s.dial = 0
			return
		}
		s.fallBack(c)

	case InTimer: // Event 10; no other timer of this connection runs
		if c.waits && c.hold == 0 {
			s.fail(c, note(NoteCease, CeaseBFDDown), WhyBFDDown) // the BfdHoldTimer's Event 34
			return
		}
		s.fail(c, note(NoteHoldTimerExpired, 0), WhyHoldTimer)

	case InBFDUp, InBFDAdminDown: // Events 32, 30
		s.bfdDone()

	case InMessage:
		switch m := in.Msg; {
		case m.Type == MsgOpen && !c.waits: // Events 19, 22
			s.opened(c, m.Open)
		case m.Type == MsgKeepalive && c.waits: // Event 26
			s.confirmedEarly(c)
		case m.Type == MsgNotification: // Events 24, 25
			s.notified(c, m)
		default: // Events 26, 27, and a second OPEN on the same connection
			s.fail(c, unexpected(m, FSMUnexpectedInOpenSent), WhyUnexpected)
		}

	case InBadMessage: // Events 21, 22, 28
		s.fail(c, complaint(in.Msg), WhyBadMessage)

	case InSendStuck:
		c.stuck = true
	case InSendFree:
		c.stuck = false
	}
}

// OpenConfirm: "BGP waits for a KEEPALIVE or NOTIFICATION message."
func (s *Session) openConfirm(c *conn, in *Input) {
	switch in.Kind {
	case InStop: // Event 2
		s.stop(in.Subcode)

	case InBFDDown: // Event 31
		s.bfdFailed()

	case InLinkDown: // Event 8
		s.cut()

	case InTCPUp: // Events 16, 17: "needs to track the second connection"
		s.accept(in)

	case InTCPDown: // Event 18
		if c == nil {
			s.dial = 0
			return
		}
		s.gone(c)

	case InTimer:
		switch in.Timer - c.second {
		case HoldTimer: // Event 10
			s.fail(c, note(NoteHoldTimerExpired, 0), WhyHoldTimer)
		case KeepaliveTimer: // Event 11
			s.send(c, Keepalive)
			s.armKeepalive(c)
		}

	case InMessage:
		switch m := in.Msg; m.Type {
		case MsgKeepalive: // Event 26
			s.armHold(c)
			s.establish(c)
		case MsgNotification: // Events 24, 25
			s.notified(c, m)
		default: // Event 27, and a second OPEN on the same connection
			s.fail(c, unexpected(m, FSMUnexpectedInOpenConfirm), WhyUnexpected)
		}

	case InBadMessage: // Events 21, 22, 28
		s.fail(c, complaint(in.Msg), WhyBadMessage)

	case InSendStuck:
		c.stuck = true
	case InSendFree:
		c.stuck = false
	}
}

// Established: "the BGP FSM can exchange UPDATE, NOTIFICATION, and KEEPALIVE
// messages with its peer."
func (s *Session) established(c *conn, in *Input) {
	switch in.Kind {
	case InMessage:
		switch m := in.Msg; m.Type {
		case MsgKeepalive: // Event 26
			s.errors = 0 // a keepalive interval after the session came up, it is still up
			s.armHold(c)
		case MsgUpdate: // Event 27
			s.act(Action{Kind: ActUpdate, Conn: c.id, Msg: m})
			s.armHold(c)
		case MsgRouteRefresh: // RFC 2918 §4: ignored by who did not offer it
			if s.cfg.RouteRefresh {
				s.act(Action{Kind: ActUpdate, Conn: c.id, Msg: m})
			}
			s.armHold(c)
		case MsgNotification: // Events 24, 25
			s.notified(c, m)
		default: // a second OPEN on the same connection
			s.fail(c, unexpected(m, FSMUnexpectedInEstablished), WhyUnexpected)
		}

	case InTimer:
		switch in.Timer - c.second {
		case KeepaliveTimer: // Event 11
			s.send(c, Keepalive)
			s.armKeepalive(c)
		case HoldTimer: // Event 10
			if s.silent() {
				s.lose(c, nil, WhyHoldTimer, counted)
				return
			}
			s.fail(c, note(NoteHoldTimerExpired, 0), WhyHoldTimer)
		case SendHoldTimer: // RFC 9687 §4.3
			s.fail(c, note(NoteSendHoldExpired, 0), WhySendHold)
		}

	case InSent: // "Each time the local system sends a KEEPALIVE or UPDATE message, it restarts its KeepaliveTimer"
		if !s.cfg.KeepaliveFixed {
			s.armKeepalive(c)
		}

	case InPrefixLimit:
		s.limit(c)

	case InAskAgain: // to a peer "from which it has received the 'Route Refresh Capability'". RFC 2918 §4
		if c.open.RouteRefresh {
			fs := WithIPv4
			if len(s.cfg.Families) > 0 {
				fs = FamiliesOf(s.cfg.Families)
			}
			(fs & offered(c.open)).each(func(f Families) { s.send(c, askAgain[f]) })
		}

	case InStop: // Event 2
		s.stop(in.Subcode)

	case InBFDDown: // Event 31
		s.fail(s.chosen(), s.cease(CeaseBFDDown), WhyBFDDown)

	case InLinkDown: // Event 8
		s.cut()

	case InTCPUp: // Events 16, 17: "SHALL be tracked until it sends an OPEN message"
		if c := s.accept(in); c != nil {
			s.armOpenHold(c)
		}

	case InTCPDown: // Event 18
		s.gone(c)

	case InBadMessage: // Event 28; 21 and 22 as RFC 4271 §6.1 has them
		s.fail(c, complaint(in.Msg), WhyBadMessage)

	case InSendStuck:
		c.stuck = true
		s.armSendHold(c)
	case InSendFree:
		c.stuck = false
		s.disarm(SendHoldTimer + c.second)
	}
}
