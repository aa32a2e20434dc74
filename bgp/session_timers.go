package bgp

import "time"

// The timers of RFC 4271 §8 and §10 and of RFC 9687. A Session arms and disarms
// them; its caller lets them run. Which ones run is kept, so that stopping a
// stopped timer is no action and a late expiry is none either.

func (s *Session) running(t TimerID) bool {
	return t < NumTimers && s.armed&(1<<t) != 0
}

func (s *Session) arm(t TimerID, d time.Duration) {
	s.armed |= 1 << t
	a := s.next(ActArm)
	a.Timer, a.After = t, d
}

func (s *Session) disarm(t TimerID) {
	if s.armed&(1<<t) != 0 {
		s.armed &^= 1 << t
		s.act(Action{Kind: ActDisarm, Timer: t})
	}
}

func (s *Session) armConnectRetry() {
	if s.cfg.Passive {
		s.disarm(ConnectRetryTimer)
		return
	}
	s.arm(ConnectRetryTimer, s.cfg.ConnectRetryJitter.Of(s.cfg.ConnectRetry, s.cfg.Rand))
}

// armHold "restarts its HoldTimer, if the negotiated HoldTime value is
// non-zero".
func (s *Session) armHold(c *conn) {
	if c.hold > 0 {
		s.arm(HoldTimer+c.second, s.cfg.HoldJitter.Of(c.hold, s.cfg.Rand))
	}
}

// armKeepalive "restarts its KeepaliveTimer, unless the negotiated HoldTime
// value is zero". The jitter is drawn anew each time. RFC 4271 §10
func (s *Session) armKeepalive(c *conn) {
	if c.keepalive > 0 {
		s.arm(KeepaliveTimer+c.second, s.cfg.KeepaliveJitter.Of(c.keepalive, s.cfg.Rand))
	}
}

// armSendHold starts the SendHoldTimer of a connection that has just got
// stuck. RFC 9687 has it restarted with every message that is sent; it runs out
// at the same time when it is started by the first one that could not be.
func (s *Session) armSendHold(c *conn) {
	if d := s.cfg.sendHold(c.hold); d > 0 && !s.running(SendHoldTimer+c.second) {
		s.arm(SendHoldTimer+c.second, d)
	}
}
