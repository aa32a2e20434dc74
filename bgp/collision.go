package bgp

// Connection collision, RFC 4271 §6.8: two speakers that call each other at
// the same time get two connections and must agree, each by itself, on the one
// to keep. "The convention is to compare the BGP Identifiers of the peers
// involved in the collision and to retain only the connection initiated by the
// BGP speaker with the higher-valued BGP Identifier."
//
// Upon an OPEN, connections in OpenConfirm MUST be examined and those in
// OpenSent MAY be, "if it knows the BGP Identifier of the peer by means outside
// of the protocol". A Session examines both: its connections are with one
// configured peer, so that the OPEN on one tells the identifier for the other.
// And a connection that comes while another is in OpenConfirm is tracked, as
// §8.2.2 says, without sending our OPEN on it. The two together keep the ends
// from closing each the connection that the other keeps: an end that goes on to
// Established with the losing connection has sent no OPEN on the winning one
// since, and without that OPEN the other end has no cause to decide for it.

// survives resolves the collision, if there is one, of connection c, on which
// the OPEN o has just come, with the other connection. It closes one of them
// and tells whether c is the one that is left.
func (s *Session) survives(c *conn, o *Open) bool {
	old := s.other(c)
	switch {
	case old == nil || old.state < OpenSent:
		return true // "cannot be detected with connections that are in Idle, Connect, or Active states"

	case old.state != Established && s.retains(c, old, o):
		s.dump(old)
		return true

	case old.state == Established && s.graceful(WhyRestart, nil):
		// RFC 4724 §4.2: "the previous TCP session MUST be closed, and the new one
		// retained. Since the previous connection is considered to be terminated, no
		// NOTIFICATION message should be sent -- the previous TCP session is simply
		// closed."
		s.tries++
		s.release(old, ActClose)
		s.enter(c, c.state, WhyRestart, nil)
		return true

	default: // "Unless allowed via configuration, a connection collision with an existing BGP connection that is in the Established state causes closing of the newly created connection."
		s.dump(c)
		s.enter(old, old.state, WhyCollision, nil)
		return false
	}
}

// retains tells whether c is kept rather than old: the connection "initiated by
// the BGP speaker with the higher-valued BGP Identifier". Equal identifiers,
// which two ASes may have, are decided by the AS number. RFC 6286 §2.3
func (s *Session) retains(c, old *conn, o *Open) bool {
	if c.incoming == old.incoming {
		return true // the peer has one call out at a time, so it has given up the older one
	}
	higher := s.cfg.ID.Compare(o.ID)
	if higher == 0 && s.cfg.AS > o.AS {
		higher = 1
	}
	return c.incoming == (higher <= 0)
}

// dump is OpenCollisionDump, Event 23, for one connection. "Closing the BGP
// connection … is accomplished by sending the NOTIFICATION message with the
// Error Code Cease." RFC 4271 §6.8; the subcode is RFC 4486's.
func (s *Session) dump(c *conn) {
	s.tries++
	s.send(c, note(NoteCease, CeaseCollision))
	s.release(c, ActClose)
}
