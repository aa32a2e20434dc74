package bgp

import "time"

// An established session does two things over and over, and nothing else until
// something happens: it sends a KEEPALIVE when the KeepaliveTimer runs out, and
// restarts the HoldTimer when one comes. RFC 4271 §8.2.2, Established, Events 11
// and 26. In a simulation these are nearly all that sessions do, so they can be
// had without inputs and lists of actions. Each of them does what Step does, or
// nothing, and then Step must be asked.

// KeepaliveDue is Step for the KeepaliveTimer t of an established session: on
// conn goes a KEEPALIVE, and then t is restarted, to run out after.
func (s *Session) KeepaliveDue(t TimerID) (conn ConnID, after time.Duration, ok bool) {
	if t >= NumTimers || s.armed&(1<<t) == 0 {
		return 0, 0, false
	}
	c := &s.conns[t/SecondConn]
	if c.state != Established || t-c.second != KeepaliveTimer || c.keepalive == 0 {
		return 0, 0, false
	}
	return c.id, s.cfg.KeepaliveJitter.Of(c.keepalive, s.cfg.Rand), true
}

// KeepaliveCame is Step for a KEEPALIVE that has arrived on a connection of an
// established session: the HoldTimer t is restarted, to run out after.
func (s *Session) KeepaliveCame(id ConnID) (t TimerID, after time.Duration, ok bool) {
	c := s.find(id)
	if c == nil || c.state != Established || c.hold == 0 {
		return 0, 0, false
	}
	s.errors = 0
	t = HoldTimer + c.second
	s.armed |= 1 << t
	return t, s.cfg.HoldJitter.Of(c.hold, s.cfg.Rand), true
}
