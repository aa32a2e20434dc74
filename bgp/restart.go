package bgp

import "time"

// Graceful restart: which end of a session is one, and for how long the peer's
// routes outlive it. RFC 4724, RFC 8538, RFC 9494. What becomes of the routes is
// in stale.go; here are the rules that both the Session and the Speaker go by.
//
// It is the receiver of a capability who acts on it: a speaker that lists a
// family asks its peer to keep that family's routes while it is away. RFC 4724
// was made for a router whose routing process restarts while it goes on
// forwarding. But the peer cannot see that: it sees a TCP connection that has
// ended without a NOTIFICATION, and so it keeps the routes of a router that is
// dead just as well.

// Helper says what a speaker does for a peer that restarts.
type Helper struct {
	Restart   bool // RFC 4724
	LongLived bool // RFC 9494
	// BIRD: with long-lived graceful restart agreed, the end of the hold timer is
	// a graceful restart, too, and nothing is said to the peer; a family that only
	// the long-lived capability lists is kept for the Restart Time all the same,
	// which RFC 9494 §4.1 takes for zero. Seen in BIRD 2.0.12, and in its
	// bgp_hold_timeout and bgp_conn_enter_established_state.
	BIRD bool
}

// keeps tells for how long the routes of a peer that offered o are kept: for the
// Restart Time, and as long-lived stale ones for a while more. Not ok: not at all.
func (h Helper) keeps(o *Open) (restart, long time.Duration, ok bool) {
	if !h.Restart || o == nil || o.Restart == nil {
		return 0, 0, false // RFC 9494 §4.1: without the other, its capability "MUST be disregarded"
	}
	l := h.agreed(o)
	if o.Restart.families() != 0 || l != nil && h.BIRD {
		restart, ok = time.Duration(o.Restart.Time)*time.Second, true
	}
	if l != nil {
		// One timer for all families of a peer: the longest of their times.
		for _, f := range l.Families {
			if stale := time.Duration(f.StaleTime) * time.Second; stale > 0 && FamiliesOf([]Family{f.Family}) != 0 {
				long, ok = max(long, stale), true
			}
		}
	}
	return restart, long, ok
}

// kept are the families whose routes are kept of a peer that offered o.
func (h Helper) kept(o *Open) (kept Families) {
	if !h.Restart || o == nil || o.Restart == nil {
		return 0
	}
	kept = o.Restart.families()
	if l := h.agreed(o); l != nil {
		for _, f := range l.Families {
			if h.BIRD || f.StaleTime > 0 {
				kept |= FamiliesOf([]Family{f.Family})
			}
		}
	}
	return kept
}

// agreed is the peer's long-lived capability, if both have one and it lists a
// family that counts.
func (h Helper) agreed(o *Open) *LongLived {
	if !h.LongLived || o == nil || o.Restart == nil || o.LongLived == nil {
		return nil
	}
	for _, f := range o.LongLived.Families {
		if FamiliesOf([]Family{f.Family}) != 0 {
			return o.LongLived
		}
	}
	return nil
}

// families are those that the capability lists.
func (r *GracefulRestart) families() (fs Families) {
	for _, f := range r.Families {
		fs |= FamiliesOf([]Family{f.Family})
	}
	return fs
}

// preserved are those of them with the F bit.
func (r *GracefulRestart) preserved() (fs Families) {
	for _, f := range r.Families {
		if f.Preserved {
			fs |= FamiliesOf([]Family{f.Family})
		}
	}
	return fs
}

func (l *LongLived) preserved() (fs Families) {
	for _, f := range l.Families {
		if f.Preserved {
			fs |= FamiliesOf([]Family{f.Family})
		}
	}
	return fs
}

// helper is what the session's configuration makes it to its peer.
func (cfg *SessionConfig) helper() Helper {
	return Helper{Restart: cfg.Restart != nil, LongLived: cfg.LongLived != nil, BIRD: cfg.BIRDRestart}
}

// graceful tells whether the end of the session that was Established is a
// graceful restart of the peer. RFC 4724 §4: "the normal BGP procedures MUST be
// followed when the TCP session terminates due to the sending or receiving of a
// BGP NOTIFICATION message", and so after the hold timer. RFC 8538 §4 takes that
// back for two speakers that have both set the N bit, but for a Hard Reset.
func (s *Session) graceful(why Why, m *Message) bool {
	h := s.cfg.helper()
	if _, _, ok := h.keeps(s.met); !ok {
		return false
	}
	switch why {
	case WhyTCPFailed, WhyRestart:
		return true
	case WhyHoldTimer:
		return s.notifies() || s.silent()
	case WhySendHold, WhyBadMessage, WhyUnexpected:
		return s.notifies()
	case WhyNotification:
		return s.notifies() && m != nil && m.Notification != nil && !m.Notification.HardReset()
	}
	// An operator, a limit, an interface that is gone and BFD end a session for good:
	// RFC 8538 §5.1; for the interface, FRR and BIRD.
	return false
}

// notifies tells whether both ends have set the N bit.
func (s *Session) notifies() bool {
	return s.cfg.Restart != nil && s.cfg.Restart.Notify && s.met != nil && s.met.Restart != nil && s.met.Restart.Notify
}

// silent tells whether the hold timer ends the session in BIRD's way.
func (s *Session) silent() bool {
	h := s.cfg.helper()
	return h.BIRD && h.Restart && h.agreed(s.met) != nil
}

// cease makes the Cease that ends a session for good. Where both ends have set
// the N bit, that takes a Hard Reset, which holds the code and subcode of the
// NOTIFICATION that it stands for in its data. RFC 8538 §3.1
func (s *Session) cease(subcode uint8) *Message {
	if s.state == Established && s.notifies() {
		return note(NoteCease, CeaseHardReset, byte(NoteCease), subcode)
	}
	return note(NoteCease, subcode)
}

// giveUp: nobody waits any more for a peer that was to come back.
func (s *Session) giveUp(why Why) {
	if s.away {
		s.away = false
		s.act(Action{Kind: ActDown, Why: why})
	}
}

// Offer changes what the OPENs say from now on about graceful restart.
func (s *Session) Offer(r *GracefulRestart, l *LongLived) {
	s.cfg.Restart, s.cfg.LongLived, s.open = r, l, nil
}
