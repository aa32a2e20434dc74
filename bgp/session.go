package bgp

import "time"

// Session is the finite state machine of RFC 4271 §8 for one neighbour.
//
// The RFC describes one machine for each TCP connection, and two speakers that
// call each other at the same moment get two of them (§8.2.1.2). A Session is
// all of them together: the attempt to connect, and up to two connections,
// each with its own state, negotiated values and timers. An input is handled by
// the method that is named after the state of the connection that it is about,
// so that session_states.go reads beside §8.2.2; inputs that are about no
// connection (start, stop, the retry timer) go by the state of the whole
// session, which is that of its most advanced connection.
//
// Four verbs do all the changing (session_verbs.go): enter is the only way
// into a state, release the only way to part from a connection, lose decides
// what becomes of the session that lost one, and drop is the only way to Idle.
//
// Where this machine and the letter of §8.2.2 part:
//
//   - The optional attributes stand so: AllowAutomaticStart and
//     DampPeerOscillations TRUE (IdleHoldTimer restarts the session after every
//     way to Idle but ManualStop), SendNOTIFICATIONwithoutOPEN FALSE but for
//     the Cease of a collision, CollisionDetectEstablishedState FALSE,
//     TrackTcpState FALSE.
//   - A timer that does not run cannot expire. The FSM errors that the RFC
//     prescribes for timers in states that have stopped them cannot happen; a
//     late expiry that crossed its own disarming is ignored.
//   - A NOTIFICATION is never answered with one (§6.4), though §8.2.2 has
//     OpenSent answer Event 25 with an FSM error.
//   - A malformed message in Established is answered with what is wrong with
//     it, as §6.1 demands, and not with the FSM error of §8.2.2.
//   - A passive session has no ConnectRetryTimer: it would have nothing to do.
//   - A new connection of a peer that restarts takes the place of the one in
//     Established when its OPEN has come (RFC 4724 §4.2: "the subsequent open
//     connection"), and not before, as §5 has it: a call that came late because
//     its SYN was lost must not end a session that is in good health.
//   - AutomaticStop is InLinkDown and says nothing to the peer: the interface
//     that would carry the Cease is gone.
type Session struct {
	peer PeerID
	cfg  SessionConfig

	state State    // of the most advanced connection, or of the attempt to get one
	conns [2]conn  // connections that TCP has established
	dial  ConnID   // the connection that TCP is still trying to establish; 0: none
	calls ConnID   // calls made so far, counted downwards; the last one's name
	armed uint16   // a bit for each TimerID: the timers that run
	open  *Message // our OPEN, made when first needed

	met  *Open // what the peer offered in the last session that was Established
	away bool  // that session has ended by a graceful restart of the peer, and there is none yet

	started  bool      // by InStart, until InStop
	called   bool      // since it has left Idle
	linkDown bool      // by InLinkDown, until InLinkUp
	bfd      InputKind // what BFD last said; 0: nothing yet
	tries    int       // ConnectRetryCounter
	errors   int       // consecutive ones, for the IdleHoldTimer; forgotten once the session stays Established

	acts []Action // of the step in progress
}

// conn is one TCP connection that is established, and its BGP connection.
type conn struct {
	id           ConnID
	state        State // Connect and Active: our OPEN has not been sent; Idle: there is no such connection
	incoming     bool
	stuck        bool // nothing can be sent; RFC 9687
	bfdUpPending      // of strict mode

	second    TimerID // what makes timer names those of this connection: 0 or SecondConn
	open      *Open   // what the peer offered; from OpenConfirm on
	hold      time.Duration
	keepalive time.Duration
}

// NewSession returns the session with a neighbour, in Idle and not started.
//
// The session numbers the connections that it opens itself -1, -2, …; so the
// caller numbers the incoming ones from 0 upwards.
func NewSession(peer PeerID, cfg SessionConfig) *Session {
	s := &Session{peer: peer}
	s.Reset(cfg)
	return s
}

// Reset makes s a new session with the same neighbour.
func (s *Session) Reset(cfg SessionConfig) {
	*s = Session{peer: s.peer, cfg: cfg.withDefaults()}
	s.conns[1].second = SecondConn
}

// Stopped tells whether the session stays down until InStart.
func (s *Session) Stopped() bool { return !s.started }

// State is that of the most advanced connection.
func (s *Session) State() State { return s.state }

// Conn is the connection that came out of OPEN and collision: the one to send
// UPDATEs on once the session is Established. Before OpenConfirm there is none.
func (s *Session) Conn() (ConnID, bool) {
	if c := s.chosen(); c != nil {
		return c.id, true
	}
	return 0, false
}

// PeerOpen is what the peer offered, from OpenConfirm on.
func (s *Session) PeerOpen() *Open {
	if c := s.chosen(); c != nil {
		return c.open
	}
	return nil
}

// Hold is the negotiated hold time; 0 means none, or not negotiated.
func (s *Session) Hold() time.Duration {
	if c := s.chosen(); c != nil {
		return c.hold
	}
	return 0
}

// KeepaliveInterval is the time between two KEEPALIVEs before jitter; 0 means
// that none are sent, or not negotiated.
func (s *Session) KeepaliveInterval() time.Duration {
	if c := s.chosen(); c != nil {
		return c.keepalive
	}
	return 0
}

// ConnectRetryCounter counts the errors since the last start. RFC 4271 §8.
func (s *Session) ConnectRetryCounter() int { return s.tries }

// chosen is the connection in OpenConfirm or Established. There is at most
// one: collision detection keeps a second one from getting so far.
func (s *Session) chosen() *conn {
	for i := range s.conns {
		if c := &s.conns[i]; c.state >= OpenConfirm {
			return c
		}
	}
	return nil
}

// Step takes one input and appends what is to be done to acts. An input about
// a connection or a timer that the session does not have is ignored: it
// crossed the action that ended it.
func (s *Session) Step(acts []Action, in Input) []Action {
	s.acts = acts
	if c, ok := s.about(&in); ok {
		state := s.state
		if c != nil {
			state = c.state
		}
		switch state {
		case Idle:
			s.idle(&in)
		case Connect:
			s.connect(c, &in)
		case Active:
			s.active(c, &in)
		case OpenSent:
			s.openSent(c, &in)
		case OpenConfirm:
			s.openConfirm(c, &in)
		case Established:
			s.established(c, &in)
		}
	}
	acts, s.acts = s.acts, nil
	return acts
}

// about finds the connection that an input is about: nil for the inputs that
// concern the session as a whole. It is not ok when there is nothing that the
// input could be about.
func (s *Session) about(in *Input) (c *conn, ok bool) {
	switch in.Kind {
	case InStart, InStop, InLinkDown, InLinkUp, InTCPUp:
		return nil, true

	case InBFDAdminDown, InBFDDown, InBFDUp, InBFDStarting:
		s.bfd = in.Kind
		return nil, true

	case InMessage:
		c = s.find(in.Conn)
		return c, c != nil && in.Msg != nil

	case InBadMessage, InSendStuck, InSendFree:
		c = s.find(in.Conn)
		return c, c != nil

	case InTCPDown:
		if s.dial != 0 && in.Conn == s.dial {
			return nil, true
		}
		c = s.find(in.Conn)
		return c, c != nil

	case InSent, InPrefixLimit, InAskAgain:
		c = s.chosen()
		return c, c != nil

	case InTimer:
		if !s.running(in.Timer) {
			return nil, false
		}
		s.armed &^= 1 << in.Timer
		switch in.Timer {
		case ConnectRetryTimer, IdleHoldTimer:
			return nil, true
		case DelayOpenTimer:
			c = s.waiting()
			return c, c != nil
		}
		c = &s.conns[in.Timer/SecondConn]
		return c, c.state != Idle
	}
	return nil, false
}

// find returns the connection of that name.
func (s *Session) find(id ConnID) *conn {
	for i := range s.conns {
		if c := &s.conns[i]; c.id == id && c.state != Idle {
			return c
		}
	}
	return nil
}

// other is the connection beside c, or nil.
func (s *Session) other(c *conn) *conn {
	o := &s.conns[0]
	if o == c {
		o = &s.conns[1]
	}
	if o.state == Idle {
		return nil
	}
	return o
}

// waiting is a connection on which our OPEN has not been sent, or nil.
func (s *Session) waiting() *conn {
	for i := range s.conns {
		if c := &s.conns[i]; c.state == Connect || c.state == Active {
			return c
		}
	}
	return nil
}
