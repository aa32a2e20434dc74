package network

import "github.com/vpnsim/vpnsim/sim"

// Most acknowledgements do nothing that anybody would notice: a keepalive
// arrives, and a little later its sender forgets it and stops the
// retransmission timer. So such an acknowledgement is no event. It is taken at
// the moment when it leaves, which is when the data arrive, and who is to get
// it hears of it at the moment when it would arrive (linkEnd.soon). The
// retransmission timer is not armed at all while the data are on their way,
// only noted, for if all goes well it would only be stopped.
//
// Whatever could make a difference to the acknowledgement while it is on its
// way, or see one, disturbs it: new data, the end of the connection, a change
// of the link. Then everything is brought back to how it would stand without
// this page, with the acknowledgement as an event in its place. So a run is the
// same as one in which all acknowledgements are events, but for those.

// noteTCP notes that the retransmission timer of a side runs.
func (n *Network) noteTCP(c *conn, side int) {
	t := &c.side[side]
	t.noted, t.rtoAt = true, n.k.Now().Add(t.rto)
	me := n.sessions[t.session].actor()
	t.rtoPlace = n.k.Place(sim.PhaseTimer, sim.Own, me)
}

// armNoted arms the timer of a side for good, if it was only noted.
func (n *Network) armNoted(c *conn, side int) {
	if t := &c.side[side]; t.noted {
		t.noted = false
		n.k.ResetAtPlace(&t.timer, t.rtoAt, t.rtoPlace, n.tcpTimeout(c, side))
	}
}

// acknowledgeEarly acknowledges to the other side all that it has sent, if
// nothing about that could be noticed, and tells whether it did.
func (n *Network) acknowledgeEarly(c *conn, side int) bool {
	t, from := &c.side[side], &c.side[1-side]
	if !from.noted || from.tries > 0 || from.state != tcpEstablished || from.stuck || t.rcv != from.una+uint32(len(from.out)) {
		return false
	}
	l := &n.links[c.link]
	e := n.sessions[t.session].end
	now := n.k.Now()
	out, _ := l.leaves(e)
	in, _ := l.enters(1 - e)
	at := now.Add(l.controlDelay(e, now))
	if out != passed || in != passed || l.way[e].random() || at == now || at >= from.rtoAt || !l.ends[1-e].expect(now, at) {
		return false
	}
	if n.log != nil && n.log.Capture {
		n.captureSegment(c, side, segAck, 0, t.rcv, at, passed)
	}
	from.acked, from.out = from.out, from.acked[:0]
	for _, m := range from.acked {
		from.queued -= m.Size
		from.seq += uint32(octets(m))
	}
	from.una = t.rcv
	from.noted, from.early, from.ackAt = false, true, at
	from.ackPlace = n.k.Place(sim.PhaseDeliver, packets(n.sessions[t.session].actor()), n.sessions[from.session].actor())
	return true
}

// disturb brings back an acknowledgement to a side that was taken before its
// time, if it is on its way still.
func (n *Network) disturb(c *conn, side int) {
	t := &c.side[side]
	if !t.early {
		return
	}
	t.early = false
	if n.k.Passed(t.ackAt, t.ackPlace) {
		return // it has arrived
	}
	upTo := t.una
	t.out, t.acked = t.acked, t.out[:0]
	for _, m := range t.out {
		t.queued += m.Size
		t.seq -= uint32(octets(m))
	}
	t.una -= uint32(len(t.out))
	s := &n.sessions[t.session]
	n.links[c.link].ends[s.end].soon = longAgo
	n.k.ResetAtPlace(&t.timer, t.rtoAt, t.rtoPlace, n.tcpTimeout(c, side))
	c.inFlight++
	n.flying++
	n.k.AtPlace(t.ackAt, t.ackPlace, sim.Event{To: s.actor(), Kind: evSegment, Arg: uint64(packSegment(c.id, side, segAck, 0, upTo)), Phase: sim.PhaseDeliver})
}

// disturbLink disturbs the connections over a link, which is about to change.
func (n *Network) disturbLink(l *link) {
	for _, i := range l.sessions {
		if i < 0 {
			continue
		}
		for _, ref := range n.sessions[i].conns {
			n.disturb(n.conns[ref.conn], ref.side)
		}
	}
}
