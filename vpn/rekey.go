package vpn

import "time"

// Rekeying: at lifetime − margin × (1 + U(0, fuzz)) the end makes a new SA
// while the old one serves, so that no packet is lost; when the lifetime ends
// without success, the SA goes and so does the tunnel. That is strongSwan's
// arithmetic, and AWS documents the same two parameters.
//
// IKEv2 does it with CREATE_CHILD_SA and deletes the old SA afterwards (RFC
// 7296 §2.8); its responder keeps sending with the old child SA until that
// DELETE arrives. IKEv1 does it with another main mode or quick mode.
//
// Both ends may do it at once. RFC 7296 §2.8.1 lets both make their SA and
// deletes the loser of a comparison of nonces; here the end with the greater
// number refuses the other's request, and the other gives its own up: the
// same SA survives, two messages earlier.

// span is what is left of a lifetime.
type span struct {
	left time.Duration // from the timer that runs to the end; 0: it is the end
	rest time.Duration // from the moment when rekeying began to the end
}

// tryAgain is the least pause after a refused rekey; up to as much is added at
// random, so that two ends that refused each other do not do so again.
// assumed: RFC 7296 §2.25 has no number.
const tryAgain = 10 * time.Second

// lifetime starts a lifetime: the timer runs out when rekeying is due.
func (e *End) lifetime(acts []Action, t TimerID, s *span, lifetime time.Duration) []Action {
	*s = span{}
	if lifetime <= 0 {
		return e.disarm(acts, t)
	}
	if m := e.cfg.RekeyMargin; m > 0 {
		u := float64(e.rand()>>11) / (1 << 53)
		s.left = time.Duration(float64(m) * (1 + float64(e.cfg.RekeyFuzz*u)))
		// A margin that eats the whole lifetime would rekey without end.
		s.left = min(s.left, lifetime-lifetime/10)
	}
	return e.arm(acts, t, lifetime-s.left)
}

// busy puts rekeying off while another request is under way, or while the peer
// has yet to delete what it has just replaced (IKEv2; an IKEv1 peer may never).
func (e *End) busy(acts []Action, t TimerID, s *span) ([]Action, bool) {
	replaced := e.current().version == IKEv2 && (len(e.sas) > 1 || !e.kids[len(e.kids)-1].out)
	if e.req.msg == nil && e.mine == nil && e.their == nil && !replaced {
		s.left, s.rest = 0, s.left
		return e.arm(acts, t, s.rest), false
	}
	pause := min(s.left, time.Second)
	s.left -= pause
	return e.arm(acts, t, pause), true
}

// later begins a rekey that was refused once more.
func (e *End) later(acts []Action, t TimerID, s *span) []Action {
	pause := tryAgain + time.Duration(e.rand()%uint64(tryAgain))
	if s.rest <= pause {
		return acts
	}
	s.left, s.rest = s.rest-pause, 0
	return e.arm(acts, t, pause)
}

// endOfIKE: RekeyIKETimer ran out.
func (e *End) endOfIKE(acts []Action) []Action {
	sa := e.current()
	if sa == nil {
		return acts
	}
	if e.ike.left == 0 {
		return e.rest(e.sendDeletes(acts), WhyExpired)
	}
	acts, busy := e.busy(acts, RekeyIKETimer, &e.ike)
	if busy {
		return acts
	}
	if sa.version != IKEv2 {
		return e.begin(acts, IKEv1)
	}
	return e.ask(acts, e.through(sa, Message{Exchange: CreateChild, Num: 1, IKE: true, New: e.newSPI()}))
}

// endOfChild: RekeyChildTimer ran out.
func (e *End) endOfChild(acts []Action) []Action {
	sa := e.current()
	if sa == nil {
		return acts
	}
	if e.child.left == 0 {
		return e.rest(e.sendDeletes(acts), WhyExpired)
	}
	acts, busy := e.busy(acts, RekeyChildTimer, &e.child)
	if busy {
		return acts
	}
	if sa.version != IKEv2 {
		return e.newChild(acts)
	}
	return e.ask(acts, e.through(sa, Message{Exchange: CreateChild, Num: 1, Child: e.newID(), Old: e.SA()}))
}

// through addresses a request to the peer of an IKE SA.
func (e *End) through(sa *ikeSA, m Message) Message {
	m.SPI, m.Version, m.ID = sa.spi, uint8(sa.version), sa.nextOut
	sa.nextOut++
	return m
}

// rekeyed: the peer asks for a new SA in place of an old one.
func (e *End) rekeyed(acts []Action, sa *ikeSA, m *Message) []Action {
	reply := Message{Exchange: CreateChild, Num: 2, ID: m.ID, SPI: m.SPI, Version: 2,
		IKE: m.IKE, New: m.New, Child: m.Child, Old: m.Old}
	if q := e.req.msg; q != nil && q.Exchange == CreateChild {
		switch {
		case q.IKE != m.IKE, m.IKE && q.New > m.New, !m.IKE && q.Child > m.Child:
			reply.Refused = true // TEMPORARY_FAILURE. RFC 7296 §2.25
			return e.answer(acts, sa, m, reply)
		}
		acts = e.done(acts)
	}
	if m.IKE {
		acts = e.answer(acts, sa, m, reply)
		acts, _ = e.established(acts, ikeSA{spi: m.New, version: IKEv2})
		return acts
	}
	if _, ok := e.kid(m.Old); !ok {
		reply.Refused, reply.Old = true, 0 // CHILD_SA_NOT_FOUND. RFC 7296 §2.25.1
		return e.answer(acts, sa, m, reply)
	}
	e.kids = append(e.kids, childSA{id: m.Child, spi: m.SPI})
	return e.answer(acts, sa, m, reply)
}

// rekeyAnswered: the peer has made the SA that q asked for, or has refused.
func (e *End) rekeyAnswered(acts []Action, q, m *Message) []Action {
	switch {
	case m.Refused && m.IKE:
		return e.later(acts, RekeyIKETimer, &e.ike)
	case m.Refused && m.Old != 0:
		return e.later(acts, RekeyChildTimer, &e.child)
	case m.Refused:
		// The peer does not know the child SA that we send with: it has
		// been talking to the wind, and everything has to be made anew.
		return e.rest(e.sendDeletes(acts), WhyDeletedByPeer)
	case m.IKE:
		acts, _ = e.established(acts, ikeSA{spi: q.New, version: IKEv2})
		return e.deleteOlder(acts)
	}
	acts = e.install(acts, m.Child, e.current().spi)
	i, ok := e.kid(q.Old)
	sa := e.sa(m.SPI)
	if !ok || sa == nil {
		return acts
	}
	e.kids[i].out = false
	return e.ask(acts, e.through(sa, Message{Exchange: Delete, Num: 1, Child: q.Old}))
}

// adopt gives the child SAs to a new IKE SA, which inherits those of the one
// that it replaces. RFC 7296 §2.8
func (e *End) adopt(spi uint64) {
	for i := range e.kids {
		e.kids[i].spi = spi
	}
}

// deleteOlder closes the IKE SAs that the newest one replaces.
func (e *End) deleteOlder(acts []Action) []Action {
	for len(e.sas) > 1 {
		old := e.sas[0]
		e.sas = append(e.sas[:0], e.sas[1:]...)
		m := Message{Exchange: Delete, Num: 1, IKE: true, SPI: old.spi, Version: uint8(old.version)}
		if old.version == IKEv2 {
			acts = e.ask(acts, e.through(&old, m))
		} else {
			acts, _, _ = e.send(acts, m)
		}
	}
	return acts
}
