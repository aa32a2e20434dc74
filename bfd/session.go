package bfd

import "time"

// Session is one end of a BFD session. Its state variables are those of §6.8.1;
// what the RFC calls bfd.X has its name where a Go name can. State changes in
// enter only.
type Session struct {
	cfg   Config
	state State // bfd.SessionState
	diag  Diag  // bfd.LocalDiag

	remote      State         // bfd.RemoteSessionState
	remoteDiscr uint32        // bfd.RemoteDiscr; 0: not known
	remoteMinRx time.Duration // bfd.RemoteMinRxInterval
	remoteMinTx time.Duration // Desired Min TX Interval of the last packet
	remoteMult  uint8         // Detect Mult of the last packet

	pace        // intervals, and how they change
	said Packet // what was last sent
	mute bool   // AdminDown, and the neighbour has been told for long enough; or not enabled yet

	armed [NumTimers]bool
	acts  []Action // of the step in progress
}

// New makes a session that is not enabled yet: it is AdminDown and says nothing.
func New(cfg Config) *Session {
	s := &Session{}
	s.Reset(cfg)
	return s
}

// Reset makes s a new session with the same neighbour. Nothing is said to
// anyone: it is for the start of a run, and for a process that has died.
func (s *Session) Reset(cfg Config) {
	if cfg.Jitter == 0 {
		cfg.Jitter = 750
	}
	*s = Session{cfg: cfg, remote: Down, remoteMinRx: initialMinRx, mute: true}
	s.pace = pace{minTx: max(cfg.MinTx, slowTx), minRx: cfg.MinRx}
	s.nowTx, s.nowRx = s.minTx, s.minRx
}

// State of the session, as this end perceives it.
func (s *Session) State() State { return s.state }

// Diag is why the state last changed.
func (s *Session) Diag() Diag { return s.diag }

// Remote is the state that the neighbour last reported.
func (s *Session) Remote() State { return s.remote }

// Quiet tells whether both ends are Up and nothing is under way between them, so
// that all that happens until further notice is packets that say the same again.
func (s *Session) Quiet() bool {
	return s.state == Up && s.remote == Up && !s.poll && !s.pollOwed && !s.pollRest && s.said == s.content()
}

// Next is the packet that goes out when the TxTimer runs out, if nothing happens
// before.
func (s *Session) Next() Packet {
	p := s.content()
	p.Poll = s.poll
	return p
}

// Expects tells whether a session that is Quiet has heard p before, so that it
// changes nothing but the time at which silence would be noticed.
func (s *Session) Expects(p Packet) bool {
	return p.State == Up && !p.Poll && !p.Final && p.My == s.remoteDiscr && p.Your == s.cfg.Discr &&
		p.MinTx == s.remoteMinTx && p.MinRx == s.remoteMinRx && p.Mult == s.remoteMult
}

// Step takes one input and appends what is to be done about it to acts. A timer
// that does not run cannot run out: it crossed its own disarming.
func (s *Session) Step(acts []Action, in Input) []Action {
	s.acts = acts
	switch in.Kind {
	case InTimer:
		if in.Timer < NumTimers && s.armed[in.Timer] {
			s.armed[in.Timer] = false
			s.timer(in.Timer)
		}
	case InPacket:
		s.receive(&in.Packet, in.Since)
	case InEnable: // §6.8.16: "If enabling session: Set bfd.SessionState to Down"
		if s.state == AdminDown {
			s.mute = false
			s.disarm(DetectTimer)
			s.enter(Down, DiagNone)
			s.tell(0)
		}
	case InDisable: // "Else: Set bfd.SessionState to AdminDown, Set bfd.LocalDiag to an appropriate value"
		if s.state != AdminDown {
			s.enter(AdminDown, in.Diag)
			s.tell(0)
			// "BFD Control packets SHOULD be transmitted for at least a Detection
			// Time after transitioning to AdminDown state in order to ensure that
			// the remote system is aware of the state change."
			s.arm(DetectTimer, time.Duration(s.cfg.Mult)*s.TxInterval())
		}
	case InChange:
		s.change(in.Timing, in.Since)
	}
	acts, s.acts = s.acts, nil
	return acts
}

func (s *Session) timer(t TimerID) {
	switch {
	case t == TxTimer:
		s.send(false)
		s.armTx(0)
	case s.state == AdminDown:
		s.mute = true
		s.disarm(TxTimer)
	default:
		s.silence()
	}
}

// silence: a Detection Time has passed without a packet.
func (s *Session) silence() {
	// §6.8.1: "If a period of a Detection Time passes without the receipt of a
	// valid, authenticated BFD packet from the remote system, this variable MUST
	// be set to zero."
	s.remoteDiscr = 0
	// §6.8.18: "it SHOULD reset bfd.RemoteMinRxInterval to its initial value of 1
	// (per section 6.8.1, since it is no longer required to maintain previous
	// session state) and then can transmit at its own rate."
	s.remoteMinRx = initialMinRx
	// Nobody is left to end a Poll Sequence.
	s.poll, s.pollOwed, s.pollRest = false, false, false
	// §6.8.4: "the session has gone down -- the local system MUST set
	// bfd.SessionState to Down and bfd.LocalDiag to 1 (Control Detection Time
	// Expired)."
	if s.state == Init || s.state == Up {
		s.enter(Down, DiagExpired)
	}
	s.tell(0)
}

// receive is §6.8.6, in its order.
func (s *Session) receive(p *Packet, since time.Duration) {
	switch {
	case s.mute && s.state == AdminDown:
		return // there is no such session
	case p.Mult == 0, p.My == 0: // "the packet MUST be discarded"
		return
	case p.Your != 0 && p.Your != s.cfg.Discr: // "If no session is found, the packet MUST be discarded."
		return
	case p.Your == 0 && p.State != Down && p.State != AdminDown: // "the packet MUST be discarded"
		return
	}
	s.remoteDiscr, s.remote = p.My, p.State
	s.remoteMinRx, s.remoteMinTx, s.remoteMult = p.MinRx, p.MinTx, p.Mult
	s.polled(p.Final)
	if s.state == AdminDown { // "If bfd.SessionState is AdminDown, Discard the packet"
		s.retime(since)
		return
	}
	switch {
	case p.State == AdminDown:
		if s.state != Down {
			s.enter(Down, DiagNeighborDown)
		}
	case s.state == Down && p.State == Down:
		s.enter(Init, DiagNone)
	case s.state == Down && p.State == Init:
		s.enter(Up, DiagNone)
	case s.state == Init && (p.State == Init || p.State == Up):
		s.enter(Up, DiagNone)
	case s.state == Up && p.State == Down:
		s.enter(Down, DiagNeighborDown)
	}
	// §6.5: the answer to a Poll goes out "as soon as practicable, without respect
	// to the transmission timer or any other transmission limitations, without
	// respect to the session state".
	if p.Poll {
		s.send(true)
		since = 0
	}
	s.arm(DetectTimer, s.DetectTime()) // "it has been received for purposes of the Detection Time expiration rules"
	s.tell(since)
}

// enter is the only place where the state changes, and with it the pace: §6.8.3
// wants at least a second between packets unless the session is Up.
func (s *Session) enter(to State, diag Diag) {
	from := s.state
	s.state, s.diag = to, diag
	s.acts = append(s.acts, Action{Kind: ActState, From: from, To: to, Packet: Packet{Diag: diag}})
	s.setPace()
}

func (s *Session) arm(t TimerID, after time.Duration) {
	s.armed[t] = true
	s.acts = append(s.acts, Action{Kind: ActArm, Timer: t, After: after})
}

func (s *Session) disarm(t TimerID) {
	if s.armed[t] {
		s.armed[t] = false
		s.acts = append(s.acts, Action{Kind: ActDisarm, Timer: t})
	}
}
