package vpn

import "time"

// A request that is not answered is sent again, each time RetransmitBase times
// later than before, until RetransmitTries retransmissions have gone
// unanswered too. With strongSwan's 4 s, 1.8 and 5 the exchange is given up
// after 165.06 s. RFC 7296 §2.1: retransmitting is up to who asked; who
// answers only repeats itself.
//
// Only one request is under way at a time (RFC 7296 §2.3: a window of one);
// dead peer detection keeps its own, in dpd.go.

type request struct {
	msg   *Message // nil: none
	tries int
	wait  time.Duration
}

// ask sends a request and waits for its answer.
func (e *End) ask(acts []Action, m Message) []Action {
	acts, msg, after := e.send(acts, m)
	e.req = request{msg: msg, wait: e.cfg.Retransmit}
	return e.arm(acts, RetransmitTimer, after+e.cfg.Retransmit)
}

// done ends the wait: the answer is there, or nobody wants it any more.
func (e *End) done(acts []Action) []Action {
	e.req = request{}
	return e.disarm(acts, RetransmitTimer)
}

// answer replies to a request of the peer and keeps the reply for its
// retransmissions.
func (e *End) answer(acts []Action, sa *ikeSA, to *Message, m Message) []Action {
	acts, reply, _ := e.send(acts, m)
	sa.asked, sa.reply = to, reply
	return acts
}

// repeated tells whether m is the last request of the peer once more.
func (sa *ikeSA) repeated(m *Message) bool {
	q := sa.asked
	return q != nil && q.Exchange == m.Exchange && q.Num == m.Num && q.ID == m.ID
}

func (e *End) retransmit(acts []Action) []Action {
	r := &e.req
	if r.msg == nil {
		return acts
	}
	if r.tries == e.cfg.RetransmitTries {
		return e.giveUp(acts)
	}
	r.tries++
	r.wait = time.Duration(float64(r.wait) * e.cfg.RetransmitBase)
	acts = again(acts, r.msg)
	return e.arm(acts, RetransmitTimer, r.wait)
}

// giveUp is what follows a request that nobody answered.
func (e *End) giveUp(acts []Action) []Action {
	m := e.req.msg
	e.req = request{}
	switch {
	case m.Exchange == Delete:
		return e.closed(acts, m) // what it names is gone here, answered or not
	case e.state != Up:
		// The peer may be negotiating with us at the same time, and that may
		// still succeed.
		if e.mine != nil && e.mine.spi == m.SPI {
			e.mine = nil
			if e.their != nil {
				return acts
			}
		}
		return e.rest(acts, WhyTimedOut)
	case m.Version == 2:
		// RFC 7296 §2.4: an endpoint concludes that the other one has
		// failed when "repeated attempts to contact it have gone unanswered
		// for a timeout period", and the IKE SA goes with all child SAs.
		return e.dead(acts, WhyTimedOut)
	}
	// IKEv1: an exchange that failed leaves the SAs that there are; the end
	// of their lifetime decides.
	if e.mine != nil && e.mine.spi == m.SPI {
		e.mine = nil
	}
	if i, ok := e.kid(m.Child); ok && m.Exchange == QuickMode && !e.kids[i].out {
		e.kids = append(e.kids[:i], e.kids[i+1:]...)
	}
	return acts
}
