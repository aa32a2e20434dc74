package bfd

import "time"

// content is what a packet would say now, but for Poll and Final. §6.8.7
func (s *Session) content() Packet {
	return Packet{
		State: s.state, Diag: s.diag, Independent: s.cfg.Independent, Mult: s.cfg.Mult,
		My: s.cfg.Discr, Your: s.remoteDiscr, MinTx: s.minTx, MinRx: s.minRx,
	}
}

// send sends a packet: the answer to a Poll if final, otherwise one that polls
// if a Poll Sequence is under way.
func (s *Session) send(final bool) {
	p := s.Next()
	p.Poll, p.Final = p.Poll && !final, final
	s.said = s.content()
	s.acts = append(s.acts, Action{Kind: ActSend, Packet: p})
}

// silent tells whether no periodic packets are sent. §6.8.7: "A system MUST NOT
// transmit BFD Control packets if bfd.RemoteDiscr is zero and the system is
// taking the Passive role. A system MUST NOT periodically transmit BFD Control
// packets if bfd.RemoteMinRxInterval is zero."
func (s *Session) silent() bool {
	return s.mute || s.cfg.Passive && s.remoteDiscr == 0 || s.remoteMinRx == 0
}

// tell says at once what the neighbour does not know yet: "A BFD Control packet
// SHOULD be transmitted during the interval between periodic Control packet
// transmissions when the contents of that packet would differ from that in the
// previously transmitted packet (other than the Poll and Final bits) in order to
// more rapidly communicate a change in state." §6.8.7. The next one is due an
// interval later; where nothing is new, the interval may still have changed.
func (s *Session) tell(since time.Duration) {
	if s.mute || s.cfg.Passive && s.remoteDiscr == 0 {
		s.disarm(TxTimer)
		return
	}
	if s.said == s.content() {
		s.retime(since)
		return
	}
	s.send(false)
	s.armTx(0)
}

// retime makes the TxTimer go by the interval of now, counted from the packet
// that was sent since ago: "the local system MUST honor the new interval
// immediately. In other words, the local system cannot wait longer than the new
// interval between the previous packet transmission and the next one." §6.8.3
func (s *Session) retime(since time.Duration) {
	if !s.armed[TxTimer] || s.TxInterval() != s.txFor || s.silent() {
		s.armTx(since)
	}
}

// armTx lets the next packet wait for an interval from the last one on.
func (s *Session) armTx(since time.Duration) {
	if s.silent() {
		s.disarm(TxTimer)
		return
	}
	s.txFor = s.TxInterval()
	s.arm(TxTimer, max(0, s.jittered(s.txFor)-since))
}

// jittered shortens an interval by chance. §6.8.7: "the interval MUST be reduced
// by a random value of 0 to 25%, in order to avoid self-synchronization"; and
// "If bfd.DetectMult is equal to 1, the interval between transmitted BFD Control
// packets MUST be no more than 90% of the negotiated transmission interval, and
// MUST be no less than 75%".
func (s *Session) jittered(d time.Duration) time.Duration {
	most := time.Duration(1000)
	if s.cfg.Mult == 1 {
		most = 900
	}
	least := min(time.Duration(s.cfg.Jitter), most)
	lo := d / 1000 * least
	span := uint64(d/1000*most - lo)
	if span == 0 || s.cfg.Rand == nil {
		return d / 1000 * most
	}
	return lo + time.Duration(s.cfg.Rand()%(span+1))
}
