package vpn

import "time"

// Dead peer detection. RFC 3706 §5 asks for proof of life only when there is
// doubt: traffic from the peer is proof enough, and RFC 7296 §2.4 says the same
// of IKEv2. The timer
// therefore only looks, when it runs out, how long nothing has come in: if
// that is less than the interval it is armed for the rest, as strongSwan does.
//
// What follows silence:
//
//	IKEv1   R-U-THERE, again every DPDRetry; dead DPDTimeout after the last
//	        packet from the peer or, without that, when DPDRetries have gone
//	        unanswered for DPDRetry each
//	IKEv2   an empty INFORMATIONAL request with the retransmissions of any
//	        request; dead when those are exhausted, or at DPDTimeout
//
// Whatever comes in meanwhile, by IKE or through the tunnel, ends the doubt.

type liveness struct {
	msg  *Message      // the last R-U-THERE; nil: no doubt
	sent int           // how many, without an answer
	wait time.Duration // from the last one to the next
	left time.Duration // from the last one to DPDTimer: less, if DPDTimeout comes first
}

// NoDoubt is Step for the DPDTimer of an end that is up and has heard of its peer
// within the interval: the timer is restarted, to run out after. That is most of
// what tunnels do, so it can be had without a list of actions. If it is not ok,
// nothing has been done, and Step must be asked.
func (e *End) NoDoubt(idle time.Duration) (after time.Duration, ok bool) {
	if !e.armed[DPDTimer] || e.state != Up || e.dpd.msg != nil || idle >= e.cfg.DPDInterval {
		return 0, false
	}
	return e.cfg.DPDInterval - idle, true
}

// watch starts dead peer detection.
func (e *End) watch(acts []Action) []Action {
	e.dpd = liveness{}
	if e.cfg.DPDInterval <= 0 {
		return acts
	}
	return e.arm(acts, DPDTimer, e.cfg.DPDInterval)
}

func (e *End) checkPeer(acts []Action, idle time.Duration) []Action {
	d, c := &e.dpd, &e.cfg
	if e.state != Up {
		return acts
	}
	if d.msg != nil && idle < d.left {
		*d = liveness{} // something has come in since the last R-U-THERE
	}
	if d.msg == nil && idle < c.DPDInterval {
		return e.arm(acts, DPDTimer, c.DPDInterval-idle)
	}
	sa := e.current()
	if d.msg != nil {
		unanswered := d.sent >= c.DPDRetries
		if sa.version == IKEv2 {
			unanswered = d.sent > c.RetransmitTries
		}
		if c.DPDTimeout > 0 {
			unanswered = idle >= c.DPDTimeout
		}
		if unanswered {
			return e.dead(acts, WhyDPD)
		}
	}
	if d.msg != nil && sa.version == IKEv2 && d.msg.SPI == sa.spi {
		acts = again(acts, d.msg)
		d.wait = time.Duration(float64(d.wait) * c.RetransmitBase)
	} else {
		acts, d.msg, _ = e.send(acts, Message{Exchange: RUThere, Num: 1, ID: sa.nextOut, SPI: sa.spi, Version: uint8(sa.version)})
		sa.nextOut++
		d.wait = c.Retransmit
		if sa.version != IKEv2 {
			if d.wait = c.DPDRetry; d.wait <= 0 {
				d.wait = c.DPDInterval
			}
		}
	}
	d.sent++
	d.left = d.wait
	if left := c.DPDTimeout - idle; left > 0 && left < d.left {
		d.left = left
	}
	return e.arm(acts, DPDTimer, d.left)
}

// iAmHere answers R-U-THERE. RFC 3706 §5.3: the reply carries the sequence
// number of the request.
func (e *End) iAmHere(acts []Action, sa *ikeSA, m *Message) []Action {
	reply := Message{Exchange: RUThere, Num: 2, ID: m.ID, SPI: m.SPI, Version: m.Version}
	if m.Version == 2 {
		return e.answer(acts, sa, m, reply)
	}
	acts, _, _ = e.send(acts, reply)
	return acts
}

func (e *End) peerAnswered(acts []Action, m *Message) []Action {
	q := e.dpd.msg
	if q == nil || q.SPI != m.SPI || q.ID != m.ID {
		return acts
	}
	return e.watch(acts)
}

// dead: the peer is gone because why.
func (e *End) dead(acts []Action, why Why) []Action {
	switch e.cfg.DPDAction {
	case DPDNone:
		return e.watch(acts)
	case DPDRestart:
		acts = e.drop(acts, why)
		return e.initiate(acts, why)
	default:
		return e.rest(acts, why)
	}
}
