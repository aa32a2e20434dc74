package vpn

// DELETE payloads. IKEv1 sends an advice that nobody answers (RFC 2408 §3.15),
// IKEv2 an INFORMATIONAL request that is answered (RFC 7296 §1.4.1). An end that is deleted here says it once and is gone:
// there is nobody left to retransmit, and if it is lost the peer finds out by
// dead peer detection.

// sendDeletes tells the peer that every IKE SA goes, with all below it.
func (e *End) sendDeletes(acts []Action) []Action {
	for i := range e.sas {
		sa := &e.sas[i]
		acts, _, _ = e.send(acts, e.through(sa, Message{Exchange: Delete, Num: 1, IKE: true}))
	}
	return acts
}

// deleted: the peer's DELETE.
func (e *End) deleted(acts []Action, sa *ikeSA, m *Message) []Action {
	if m.Version == 2 {
		acts = e.answer(acts, sa, m, Message{Exchange: Delete, Num: 2, ID: m.ID, SPI: m.SPI, Version: 2, IKE: m.IKE, Child: m.Child})
	}
	if !m.IKE {
		return e.childDeleted(acts, m.Child)
	}
	for i := range e.sas {
		if e.sas[i].spi == m.SPI {
			e.sas = append(e.sas[:i], e.sas[i+1:]...)
			break
		}
	}
	kept := e.kids[:0]
	for _, k := range e.kids {
		if k.spi != m.SPI {
			kept = append(kept, k)
		}
	}
	e.kids = kept
	if q := e.req.msg; q != nil && q.SPI == m.SPI && e.mine == nil {
		// What was asked through this SA is lost with it.
		acts = e.done(acts)
		if q.Exchange == QuickMode || q.Exchange == CreateChild && !q.IKE {
			acts = e.later(acts, RekeyChildTimer, &e.child)
		}
	}
	switch t := e.their; {
	case len(e.kids) > 0, e.state != Up && (e.mine != nil || t != nil):
		return acts
	case t != nil:
		// It went, and it is already on its way back.
		acts = e.drop(acts, WhyDeletedByPeer)
		e.their = t
		acts = e.enter(acts, Negotiating, WhyDeletedByPeer)
		return e.arm(acts, RetryTimer, halfOpen)
	}
	return e.rest(acts, WhyDeletedByPeer)
}

// childDeleted removes one child SA; the newest that is left takes over.
func (e *End) childDeleted(acts []Action, id uint32) []Action {
	i, ok := e.kid(id)
	if !ok {
		return acts
	}
	e.kids = append(e.kids[:i], e.kids[i+1:]...)
	n := len(e.kids)
	if n == 0 {
		return e.rest(e.sendDeletes(acts), WhyDeletedByPeer)
	}
	if e.kids[n-1].out {
		return acts
	}
	e.kids[n-1].out = true
	return e.installed(acts)
}

// closed: this end's own DELETE was answered, or never will be. Only now the
// old child SA stops accepting packets, since some may have been under way.
func (e *End) closed(acts []Action, q *Message) []Action {
	if i, ok := e.kid(q.Child); ok && !q.IKE {
		e.kids = append(e.kids[:i], e.kids[i+1:]...)
	}
	return acts
}
