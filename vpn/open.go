package vpn

// Negotiation. IKEv1 takes six messages for the IKE SA (main mode, RFC 2409
// §5) and three for the child SA (quick mode, §5.5); IKEv2 takes four for
// both (RFC 7296 §1.2). When each end has its child SA:
//
//	          initiator                     responder
//	IKEv1     quick mode 2 arrives          quick mode 3 arrives; it accepts
//	                                        packets from quick mode 2 on
//	IKEv2     IKE_AUTH response arrives     IKE_AUTH request arrives
//
// That is what strongSwan does too (libcharon quick_mode.c: the responder
// installs in state QM_NEGOTIATED, when the third message is processed).
//
// Both ends may begin at once. Each answers the other, and both negotiations
// run until the first of them reaches its last message; where both have, the
// one with the greater SPI goes on and the other is dropped by both ends. RFC
// 7296 §2.8.1 has such a comparison (of nonces) for simultaneous rekeying and
// nothing for the first exchange, after which real gateways may keep both.

// initiate begins a negotiation in an end that has nothing.
func (e *End) initiate(acts []Action, why Why) []Action {
	acts = e.disarm(acts, RetryTimer)
	acts = e.enter(acts, Negotiating, why)
	return e.begin(acts, e.cfg.Version)
}

// begin sends the first message of a new IKE SA.
func (e *End) begin(acts []Action, v Version) []Action {
	e.mine = &ikeSA{spi: e.newSPI(), version: v}
	if e.their != nil {
		e.their.rival = e.mine.spi
	}
	m := Message{Exchange: SAInit, Num: 1, SPI: e.mine.spi, Version: 2}
	if v != IKEv2 {
		e.mine.version = IKEv1
		m.Exchange, m.Version = MainMode, 1
	}
	return e.ask(acts, m)
}

func (e *End) message(acts []Action, m *Message) []Action {
	switch m.Exchange {
	case MainMode:
		switch m.Num {
		case 1:
			return e.opened(acts, m)
		case 3:
			return e.mainMode3(acts, m)
		case 5:
			return e.lastOfIKE(acts, m)
		}
	case QuickMode:
		switch m.Num {
		case 1:
			return e.quickMode1(acts, m)
		case 3:
			return e.quickMode3(acts, m)
		}
	case SAInit:
		if m.Num == 1 {
			return e.opened(acts, m)
		}
	case Auth:
		if m.Num == 1 {
			return e.lastOfIKE(acts, m)
		}
	default:
		if m.Num == 1 {
			return e.request(acts, m)
		}
		if m.Exchange == RUThere {
			return e.peerAnswered(acts, m)
		}
	}
	return e.answered(acts, m)
}

// request takes a request that comes through an established IKE SA. An
// unknown SPI is ignored, and so is a message id of the past; the last one
// again gets the same answer again. RFC 7296 §2.1, §2.2
func (e *End) request(acts []Action, m *Message) []Action {
	sa := e.sa(m.SPI)
	if sa == nil {
		return acts
	}
	if m.Version == 2 {
		if sa.repeated(m) {
			return again(acts, sa.reply)
		}
		if m.ID < sa.nextIn {
			return acts
		}
		sa.nextIn = m.ID + 1
	}
	switch m.Exchange {
	case RUThere:
		return e.iAmHere(acts, sa, m)
	case CreateChild:
		return e.rekeyed(acts, sa, m)
	case Delete:
		return e.deleted(acts, sa, m)
	}
	return acts
}

// opened: the peer begins an IKE SA. It may do so although there is one, for
// instance because it has been deleted and made anew; what there is stays
// until the new one is authenticated, since anyone can send a first message.
func (e *End) opened(acts []Action, m *Message) []Action {
	if t := e.their; t != nil && t.spi == m.SPI {
		if t.repeated(m) {
			return again(acts, t.reply)
		}
		return acts
	}
	if e.sa(m.SPI) != nil {
		return acts // a duplicate of long ago
	}
	t := &ikeSA{spi: m.SPI, version: Version(m.Version), got: 1}
	if e.mine != nil {
		t.rival = e.mine.spi
	}
	e.their = t
	if e.state == Waiting {
		acts = e.enter(acts, Negotiating, WhyPeerInitiated)
	}
	acts = e.arm(acts, RetryTimer, halfOpen)
	return e.answer(acts, t, m, Message{Exchange: m.Exchange, Num: 2, SPI: m.SPI, Version: m.Version})
}

func (e *End) mainMode3(acts []Action, m *Message) []Action {
	t := e.their
	if t == nil || t.spi != m.SPI {
		return acts
	}
	if t.repeated(m) {
		return again(acts, t.reply)
	}
	if t.got != 1 {
		return acts
	}
	t.got = 3
	acts = e.arm(acts, RetryTimer, halfOpen)
	return e.answer(acts, t, m, Message{Exchange: MainMode, Num: 4, SPI: m.SPI, Version: 1})
}

// lastOfIKE: main mode 5 or the IKE_AUTH request: the peer has authenticated
// itself, and the IKE SA is there.
func (e *End) lastOfIKE(acts []Action, m *Message) []Action {
	t := e.their
	if t == nil || t.spi != m.SPI {
		if sa := e.sa(m.SPI); sa != nil && sa.repeated(m) {
			return again(acts, sa.reply)
		}
		return acts
	}
	if m.Exchange == MainMode && t.got != 3 {
		return acts
	}
	if e.oursPrevails(t) {
		e.their = nil
		return e.disarm(acts, RetryTimer)
	}
	if e.mine != nil {
		e.mine = nil
		acts = e.done(acts)
	}
	if m.InitialContact && len(e.sas) > 0 {
		// The peer has nothing else with us, whatever we believe: it was made
		// anew. RFC 7296 §2.4
		acts = e.drop(acts, WhyPeerInitiated)
		acts = e.enter(acts, Negotiating, WhyPeerInitiated)
	}
	e.their = nil
	acts, sa := e.established(acts, *t)
	if m.Exchange == Auth {
		sa.nextIn = 2
		acts = e.disarm(acts, RetryTimer)
		acts = e.answer(acts, sa, m, Message{Exchange: Auth, Num: 2, ID: m.ID, SPI: m.SPI, Version: 2, Child: m.Child})
		return e.install(acts, m.Child, m.SPI)
	}
	if e.state == Up {
		acts = e.disarm(acts, RetryTimer) // a rekeyed IKE SA: the child SAs are there
	} else {
		acts = e.arm(acts, RetryTimer, halfOpen) // quick mode has to follow
	}
	return e.answer(acts, sa, m, Message{Exchange: MainMode, Num: 6, SPI: m.SPI, Version: 1})
}

// oursPrevails: both ends began, and ours has come as far as theirs.
func (e *End) oursPrevails(their *ikeSA) bool {
	if their.rival <= their.spi {
		return false
	}
	if e.mine == nil || e.mine.spi != their.rival {
		return e.sa(their.rival) != nil
	}
	q := e.req.msg
	return q != nil && q.SPI == e.mine.spi && (q.Exchange == Auth || q.Exchange == MainMode && q.Num == 5)
}

// established adds an IKE SA. IKEv1: the child SAs that there are belong to
// it from now on, since a new main mode without INITIAL_CONTACT is a rekey.
func (e *End) established(acts []Action, sa ikeSA) ([]Action, *ikeSA) {
	sa.rival, sa.got = 0, 0
	e.sas = append(e.sas, sa)
	e.adopt(sa.spi)
	if len(e.sas) > 2 { // the DELETE of an old one was lost
		e.sas = append(e.sas[:0], e.sas[len(e.sas)-2:]...)
	}
	acts = e.lifetime(acts, RekeyIKETimer, &e.ike, e.cfg.IKELifetime)
	return acts, e.current()
}

// answered: a reply to the request that this end is waiting for.
func (e *End) answered(acts []Action, m *Message) []Action {
	q := e.req.msg
	if q == nil || q.SPI != m.SPI || q.Exchange != m.Exchange || q.ID != m.ID || m.Num != q.Num+1 {
		// IKEv1: quick mode 2 once more means that quick mode 3 was lost.
		if sa := e.sa(m.SPI); sa != nil && m.Exchange == QuickMode && sa.repeated(m) {
			return again(acts, sa.reply)
		}
		return acts
	}
	switch m.Exchange {
	case MainMode:
		if m.Num < 6 {
			return e.ask(acts, Message{Exchange: MainMode, Num: m.Num + 1, SPI: m.SPI, Version: 1,
				InitialContact: m.Num == 4 && len(e.sas) == 0})
		}
		acts, _ = e.established(e.done(acts), *e.mine)
		e.mine = nil
		if e.state == Up {
			return e.deleteOlder(acts)
		}
		return e.newChild(acts)
	case SAInit:
		return e.ask(acts, Message{Exchange: Auth, Num: 1, ID: 1, SPI: m.SPI, Version: 2, Child: e.newID(),
			InitialContact: len(e.sas) == 0})
	case Auth:
		e.mine.nextOut = 2
		acts, _ = e.established(e.done(acts), *e.mine)
		e.mine = nil
		return e.install(acts, m.Child, m.SPI)
	case QuickMode:
		acts = e.done(acts)
		acts = e.answer(acts, e.sa(m.SPI), m, Message{Exchange: QuickMode, Num: 3, ID: m.ID, SPI: m.SPI, Version: 1, Child: m.Child})
		return e.install(acts, m.Child, m.SPI)
	case CreateChild:
		return e.rekeyAnswered(e.done(acts), q, m)
	default:
		return e.closed(e.done(acts), q)
	}
}

// newChild begins quick mode.
func (e *End) newChild(acts []Action) []Action {
	return e.ask(acts, Message{Exchange: QuickMode, Num: 1, ID: e.newID(), SPI: e.current().spi, Version: 1, Child: e.newID()})
}

func (e *End) quickMode1(acts []Action, m *Message) []Action {
	sa := e.sa(m.SPI)
	if sa == nil || sa.version != IKEv1 {
		return acts
	}
	if sa.repeated(m) {
		return again(acts, sa.reply)
	}
	if _, ok := e.kid(m.Child); ok {
		return acts
	}
	if q := e.req.msg; q != nil && q.Exchange == QuickMode && q.Num == 1 {
		if q.Child > m.Child {
			return acts // both ends rekey: the greater number goes on
		}
		acts = e.done(acts)
	}
	e.kids = append(e.kids, childSA{id: m.Child, spi: m.SPI})
	reply := Message{Exchange: QuickMode, Num: 2, ID: m.ID, SPI: m.SPI, Version: 1, Child: m.Child}
	if e.req.msg != nil {
		return e.answer(acts, sa, m, reply)
	}
	// Quick mode 2 waits for an answer as well: it is sent again until
	// message 3 is there.
	acts = e.ask(acts, reply)
	sa.asked, sa.reply = m, e.req.msg
	return acts
}

func (e *End) quickMode3(acts []Action, m *Message) []Action {
	i, ok := e.kid(m.Child)
	if !ok || e.kids[i].out {
		return acts
	}
	if q := e.req.msg; q != nil && q.Exchange == QuickMode && q.ID == m.ID {
		acts = e.done(acts)
	}
	e.kids[i].out = true
	return e.installed(acts)
}

// install adds a child SA that is complete.
func (e *End) install(acts []Action, id uint32, spi uint64) []Action {
	e.kids = append(e.kids, childSA{id: id, spi: spi, out: true})
	return e.installed(acts)
}

// installed: packets leave through the newest child SA from now on. IKEv1
// leaves the one before to its lifetime (strongSwan's delete_rekeyed is off
// by default), so that packets under way still arrive; older ones go here.
func (e *End) installed(acts []Action) []Action {
	if n := len(e.kids); n > 2 {
		e.kids = append(e.kids[:0], e.kids[n-2:]...)
	}
	acts = e.lifetime(acts, RekeyChildTimer, &e.child, e.cfg.ChildLifetime)
	if e.state == Up {
		return acts
	}
	if e.their == nil {
		acts = e.disarm(acts, RetryTimer)
	}
	acts = append(acts, Action{Kind: ActUp})
	acts = e.enter(acts, Up, WhyNegotiated)
	return e.watch(acts)
}

// retry: RetryTimer ran out. In an end that waits it is time to negotiate
// again; anywhere else the peer has left a negotiation half open.
func (e *End) retry(acts []Action) []Action {
	if e.state == Waiting {
		return e.initiate(acts, WhyRetry)
	}
	e.their = nil
	if e.state == Negotiating && e.mine == nil && e.req.msg == nil {
		return e.rest(acts, WhyTimedOut)
	}
	return acts
}
