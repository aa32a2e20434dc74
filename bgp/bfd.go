package bgp

// What BFD has to do with a session. When the path that BFD watches fails, the
// session over it ends at once, with a Cease that says why (RFC 5882 §10.2, RFC
// 9384). And in strict mode, draft-ietf-idr-bgp-bfd-strict-mode, which both ends
// must offer in their OPENs, the session is not established before BFD is Up.
//
// The draft has the session wait in sub-states of Connect, Active and OpenSent,
// with the OPENs exchanged and the KEEPALIVE held back. Here it waits in
// OpenSent, whichever state it was in: our OPEN has been sent, and what may come
// is the same. Its BfdHoldTimer, which runs only where no hold time was
// negotiated, is the HoldTimer, which then does not.

// bfdUpPending is the sub-state of a connection in OpenSent.
type bfdUpPending struct {
	waits     bool // OpenSentBfdUpPending: the OPENs are exchanged, BFD is not Up
	confirmed bool // OpenSentConfirmedBfdUpPending: the peer's KEEPALIVE has come already
}

// AwaitsBFD tells whether nothing but BFD keeps the session from going on.
func (s *Session) AwaitsBFD() bool { return s.conns[0].waits || s.conns[1].waits }

// strict tells whether strict mode was negotiated on c: "If both the local and
// remote BGP speakers include the BFD Strict-Mode Capability". §6
func (s *Session) strict(c *conn) bool { return s.cfg.BFDStrict && c.open != nil && c.open.BFDStrict }

// mustWaitForBFD: "BfdStrictNegotiated is TRUE, and bfd.SessionState is neither
// Up nor AdminDown". §8.5.5
func (s *Session) mustWaitForBFD(c *conn) bool {
	return s.strict(c) && s.bfd != InBFDUp && s.bfd != InBFDAdminDown
}

// waitForBFD: "DOES NOT send a KEEPALIVE message, and DOES NOT start the
// KeepaliveTimer; if the HoldTimer negotiated value is zero, starts the
// BfdHoldTimer with the value BfdHoldTime, stays in OpenSent state". §8.5.5
func (s *Session) waitForBFD(c *conn) {
	c.waits = true
	s.disarm(ConnectRetryTimer)
	if c.hold, c.keepalive = s.cfg.negotiate(c.open); c.hold > 0 {
		s.armHold(c)
	} else {
		s.arm(HoldTimer+c.second, s.cfg.BFDHold)
	}
	s.enter(c, OpenSent, WhyOpen, nil)
	if s.waiting() == nil { // a second connection may wait for it still
		s.disarm(DelayOpenTimer)
	}
}

// confirmedEarly is a KEEPALIVE of a peer whose BFD is Up already: "resets the
// HoldTimer to the negotiated value, transitions to the
// OpenSentConfirmedBfdUpPending sub-state". §8.5.6
func (s *Session) confirmedEarly(c *conn) {
	s.armHold(c)
	c.confirmed = true
}

// bfdDone: "sends a KEEPALIVE message, and sets a KeepaliveTimer …, changes its
// state to OpenConfirm. Otherwise, if the FSM is in the
// OpenSentConfirmedBfdUpPending sub-state, the local system resets the HoldTimer
// to the negotiated value, and, changes its state to Established". §8.5.1
func (s *Session) bfdDone() {
	for i := range s.conns {
		c := &s.conns[i]
		if !c.waits {
			continue
		}
		confirmed := c.confirmed
		c.bfdUpPending = bfdUpPending{}
		s.disarm(DelayOpenTimer)
		s.confirm(c, WhyBFDUp)
		if confirmed {
			s.establish(c)
		}
		return // collision detection leaves one such connection
	}
}

// bfdFailed is BfdDown in OpenConfirm. Without strict mode BFD has no say there.
// With it: "sends a NOTIFICATION message with the error code Cease (6) and error
// subcode BFD Down (10), drops the TCP connection, …, sets ConnectRetryCounter to
// zero, … and changes its state to Idle." §8.6.2
func (s *Session) bfdFailed() {
	if c := s.chosen(); s.strict(c) {
		m := note(NoteCease, CeaseBFDDown)
		s.send(c, m)
		s.tries = 0
		s.lose(c, m, WhyBFDDown, uncounted)
	}
}
