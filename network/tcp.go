package network

import (
	"math"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// BGP runs over TCP, and TCP decides what a session survives: a short outage
// delays messages until a retransmission gets through, a long one lets the
// hold timer win. What is modelled is what that takes: the handshake, delivery
// in order and once, retransmission with exponential backoff, new data waiting
// behind a retransmission, FIN and RST. Segments are made of whole messages
// and are acknowledged one by one; there is no congestion window and no
// delayed acknowledgement, because BGP between two routers meets neither.
//
// A connection stays with the link that it was opened over, since both its
// addresses belong to that link.

const (
	bgpPort    = 179
	sendBuffer = 64 << 10 // octets that wait for an acknowledgement before the application is told that it can't send
	maxSegment = 1400     // octets of payload; an MSS of 1379-1406 is usual in cloud VPNs
)

// maxTries are the retransmissions before a side gives up: Linux's
// tcp_syn_retries, to which its linear ones are added, tcp_retries2 and tcp_orphan_retries.
var maxTries = [...]int{tcpSynSent: 6, tcpSynReceived: 6, tcpEstablished: 15, tcpFinished: 8}

// conn is a TCP connection. Side 0 opened it.
type conn struct {
	id   int
	link int
	port uint16 // of side 0
	side [2]tcpSide
	// inFlight counts segments on their way; a closed connection is used again
	// when none is left.
	inFlight int
}

type tcpState uint8

const (
	tcpClosed tcpState = iota
	tcpSynSent
	tcpSynReceived
	tcpEstablished
	tcpFinished // we have sent FIN; the other side may still acknowledge
)

type tcpSide struct {
	session int32
	connID  bgp.ConnID
	state   tcpState
	out     []*bgp.Message // not yet acknowledged; out[0] has number una
	una     uint32         // number of the oldest message that is not acknowledged
	next    uint32         // number of the next message to be sent for the first time
	rcv     uint32         // number of the next message expected
	stuck   bool
	unsent  bool // messages wait for the end of the event
	tries   int
	rto     time.Duration
	timer   sim.Timer
	arrive  sim.Time // when the last segment sent will arrive
	seq     uint32   // sequence number of message una, for captures
	queued  int      // octets in out

	// The retransmission timer of what was sent last would run out at rtoAt. It
	// is only noted while the segment is on its way, and not armed.
	noted    bool
	rtoAt    sim.Time
	rtoPlace sim.Place
	// An acknowledgement that was taken before its time: acked is what it
	// acknowledges, ackAt when it arrives. See tcpearly.go.
	early    bool
	acked    []*bgp.Message
	ackAt    sim.Time
	ackPlace sim.Place
}

// fin stands in the stream where a side has closed it.
var fin = &bgp.Message{}

// Kinds of segments.
type segKind uint8

const (
	segData segKind = iota
	segAck
	segSyn
	segSynAck
	segRst
)

// segArg packs a segment on its way: connection (16 bits), side that it goes
// to (1), kind (3), first message (22) and number of messages, or the
// acknowledged number (22).
type segArg uint64

func packSegment(conn, to int, kind segKind, first, n uint32) segArg {
	return segArg(uint64(conn)<<48 | uint64(to)<<47 | uint64(kind)<<44 | uint64(first&0x3fffff)<<22 | uint64(n&0x3fffff))
}

func (a segArg) conn() int     { return int(a >> 48) }
func (a segArg) to() int       { return int(a >> 47 & 1) }
func (a segArg) kind() segKind { return segKind(a >> 44 & 7) }
func (a segArg) first() uint32 { return uint32(a >> 22 & 0x3fffff) }
func (a segArg) n() uint32     { return uint32(a & 0x3fffff) }

func (n *Network) resetConns() {
	n.opened = 0
	n.unsent = n.unsent[:0]
	for _, c := range n.conns {
		c.clear()
		c.inFlight, c.link = 0, -1
	}
}

func (c *conn) clear() {
	for i := range c.side {
		s := &c.side[i]
		*s = tcpSide{session: -1, out: s.out[:0], acked: s.acked[:0], arrive: math.MinInt64}
	}
}

// newConn finds a connection of that link that nothing refers to any more, or
// makes one. A connection keeps its link for ever, so that an event of the past
// can still be explained.
func (n *Network) newConn(link int) *conn {
	for _, c := range n.conns {
		if c.link < 0 {
			c.link = link // left over from an earlier run
			return c
		}
		if c.link == link && c.inFlight == 0 && c.side[0].state == tcpClosed && c.side[1].state == tcpClosed {
			c.clear()
			return c
		}
	}
	c := &conn{id: len(n.conns), link: link}
	c.clear()
	n.conns = append(n.conns, c)
	return c
}

// tcpTimes are the timeouts of one end of a link, as drawn for the run.
type tcpTimes struct {
	syn, rto, rtoMax time.Duration
	linear           int // retransmissions of a SYN before the wait doubles
}

func drawTCP(k *sim.Kernel, set *topology.Settings, name sim.Name) tcpTimes {
	at := func(key topology.Key) time.Duration { return max(time.Millisecond, draw(k, set, key, name)) }
	return tcpTimes{syn: at(topology.TCPSynRetry), rto: at(topology.TCPRTO), rtoMax: at(topology.TCPRTOMax), linear: int(set[topology.TCPSynLinear].Int)}
}

func (n *Network) tcpTimes(c *conn, side int) *tcpTimes { return &n.sessions[c.side[side].session].tcp }

// connect opens a connection for session s, which calls it id.
func (n *Network) connect(s *session, id bgp.ConnID) {
	c := n.newConn(s.link)
	n.opened++
	c.port = 49152 + uint16(n.opened)&0x3fff
	c.side[0].session, c.side[0].connID, c.side[0].state = int32(s.id), id, tcpSynSent
	c.side[1].session = n.links[s.link].sessions[1-s.end]
	c.side[0].rto = n.tcpTimes(c, 0).syn
	s.conns = append(s.conns, connRef{id, c.id, 0})
	n.segment(c, 0, segSyn, 0, 0)
	n.armTCP(c, 0)
}

func (n *Network) armTCP(c *conn, side int) {
	t := &c.side[side]
	t.noted = false
	after := n.wheel(&n.routers[n.sessions[t.session].router], t.rto)
	n.k.Reset(&t.timer, after, n.tcpTimeout(c, side))
}

func (n *Network) stopTCP(t *tcpSide) {
	t.noted = false
	n.k.Stop(&t.timer)
}

func (n *Network) tcpTimeout(c *conn, side int) sim.Event {
	return sim.Event{To: n.sessions[c.side[side].session].actor(), Kind: evTCPTimer, Arg: tcpTimerArg(c, side), Phase: sim.PhaseTimer}
}

// tcpTimerArg: connection, whether it is still in its handshake, side.
func tcpTimerArg(c *conn, side int) uint64 {
	shaking := uint64(0)
	if s := c.side[side].state; s == tcpSynSent || s == tcpSynReceived {
		shaking = 1
	}
	return uint64(c.id)<<2 | shaking<<1 | uint64(side)
}

// sendMessage puts a message of session s into the stream of its connection id.
func (n *Network) sendMessage(s *session, id bgp.ConnID, msg *bgp.Message) {
	ref, ok := s.conn(id)
	if !ok {
		return
	}
	if n.opt.Wire && msg.Type != bgp.MsgMalformed {
		msg = n.wire.message(msg)
	}
	n.note(trace.Note{Kind: trace.NoteMessage, Router: int32(s.router), Link: int32(s.link), Msg: msg})
	n.push(n.conns[ref.conn], ref.side, msg)
}

// push adds a message to the stream. It is sent when the event is over, in one
// segment with what else the event has to say, as a daemon writes its whole
// buffer at once; unless it must wait behind a retransmission.
func (n *Network) push(c *conn, side int, msg *bgp.Message) {
	t := &c.side[side]
	if t.state != tcpEstablished {
		return
	}
	n.disturb(c, side)
	t.out = append(t.out, msg)
	t.queued += msg.Size
	if t.tries == 0 && !t.unsent {
		t.unsent = true
		n.unsent = append(n.unsent, connSide{c, side})
		if n.k.Current() == 0 {
			n.send()
		}
	}
	if t.queued > sendBuffer && !t.stuck {
		t.stuck = true
		n.receive(&n.sessions[t.session], bgp.Input{Kind: bgp.InSendStuck, Conn: t.connID})
	}
}

// connSide is one side of a connection.
type connSide struct {
	c    *conn
	side int
}

// send puts on the wire what has been pushed.
func (n *Network) send() {
	for _, u := range n.unsent {
		if t := &u.c.side[u.side]; t.unsent {
			t.unsent = false
			if t.next < t.una+uint32(len(t.out)) {
				n.transmit(u.c, u.side, t.next)
			}
		}
	}
	n.unsent = n.unsent[:0]
}

// transmit sends messages from number first on, as many as there are. What is
// sent again is only what has been sent before: new data stay in the queue until
// the retransmission has been acknowledged, so that where the way back is cut,
// nothing new gets through although the way there is open. Linux does the same:
// its congestion window is one segment then.
func (n *Network) transmit(c *conn, side int, first uint32) {
	t := &c.side[side]
	end := t.una + uint32(len(t.out))
	if t.tries > 0 && first < t.next {
		end = min(end, t.next)
	}
	segments, arrive := 0, sim.Time(0)
	for first < end {
		last, size := first, 0
		for last < end && (last == first || size+t.out[last-t.una].Size <= maxSegment) {
			size += t.out[last-t.una].Size
			last++
		}
		arrive = n.segment(c, side, segData, first, last-first)
		segments++
		first = last
		if t.tries > 0 {
			break // a retransmission is one segment; the rest waits for its acknowledgement
		}
	}
	t.next = max(t.next, first)
	if t.tries == 0 {
		t.rto = n.tcpTimes(c, side).rto
	}
	if _, pending := n.k.When(t.timer); pending && t.tries == 0 || t.noted {
		return // it runs already
	}
	if t.tries == 0 && segments == 1 && arrive < n.k.Now().Add(t.rto) {
		n.noteTCP(c, side)
	} else {
		n.armTCP(c, side)
	}
}

// segment puts a segment on the link, and returns when it arrives. What is lost
// is simply not heard of, and arrives never.
func (n *Network) segment(c *conn, from int, kind segKind, first, count uint32) sim.Time {
	l := &n.links[c.link]
	s := &n.sessions[c.side[from].session]
	delay := l.controlDelay(s.end, n.k.Now())
	why, _ := l.leaves(s.end)
	n.knock(l, s.end, why)
	if why == passed && n.chanceTCP(c, from, kind) {
		why = dropLoss
	}
	at := n.k.Now().Add(delay)
	if kind != segAck {
		// A pure acknowledgement may overtake data and be overtaken: numbers sort
		// it out. Everything else arrives in order.
		at = max(at, c.side[from].arrive)
	}
	if n.log != nil && n.log.Capture {
		n.captureSegment(c, from, kind, first, count, at, why)
	}
	if why != passed {
		return never
	}
	if kind != segAck {
		c.side[from].arrive = at
	}
	c.inFlight++
	to := &n.sessions[c.side[1-from].session]
	lane := reads(s.actor())
	if kind == segAck {
		lane = packets(s.actor())
	}
	n.launchPacket(at, lane, to.actor(), evSegment, uint64(packSegment(c.id, 1-from, kind, first, count)))
	return at
}

func (n *Network) segmentArrives(a segArg) {
	c := n.conns[a.conn()]
	c.inFlight--
	n.segmentIsThere(c, a.to(), a)
	if a.kind() == segData {
		n.armNoted(c, 1-a.to()) // unless it has been acknowledged
	}
}

func (n *Network) segmentIsThere(c *conn, side int, a segArg) {
	t := &c.side[side]
	s := &n.sessions[t.session]
	l := &n.links[c.link]
	if why, _ := l.enters(s.end); why != passed {
		return
	}
	l.hear(s.end, n.k.Now())
	switch a.kind() {
	case segSyn:
		n.synArrives(c, s, t)
	case segSynAck:
		if t.state == tcpSynSent {
			t.state, t.tries = tcpEstablished, 0
			n.stopTCP(t)
			n.segment(c, side, segAck, 0, 0)
			n.receive(s, bgp.Input{Kind: bgp.InTCPUp, Conn: t.connID})
		} else if t.state == tcpEstablished {
			n.segment(c, side, segAck, 0, t.rcv)
		} else {
			n.segment(c, side, segRst, 0, 0)
		}
	case segAck:
		n.ackArrives(c, side, a.n())
	case segData:
		n.dataArrives(c, side, a.first(), a.n())
	case segRst:
		if t.state != tcpClosed {
			n.lost(c, side)
		}
	}
}

// synArrives: a router whose process runs accepts the connection; what becomes
// of it is the session's decision. Where no process listens, RST answers.
func (n *Network) synArrives(c *conn, s *session, t *tcpSide) {
	if n.routers[s.router].real {
		n.called(c, s, t)
		return
	}
	if !n.routers[s.router].alive {
		n.segment(c, 1, segRst, 0, 0)
		return
	}
	switch t.state {
	case tcpClosed:
		t.state = tcpSynReceived
	case tcpEstablished:
		return // our SYN-ACK got through after all
	}
	n.segment(c, 1, segSynAck, 0, 0)
	t.rto = n.tcpTimes(c, 1).syn << t.tries
	n.armTCP(c, 1)
}

func (n *Network) ackArrives(c *conn, side int, upTo uint32) {
	t := &c.side[side]
	if t.state == tcpSynReceived {
		n.accepted(c, side)
		return
	}
	if t.state == tcpClosed || upTo <= t.una {
		return
	}
	k := upTo - t.una
	if int(k) > len(t.out) {
		return
	}
	done := t.out[:k]
	closed := false
	for _, m := range done {
		t.queued -= m.Size
		t.seq += uint32(octets(m))
		closed = closed || m == fin
	}
	t.out = append(t.out[:0], t.out[k:]...)
	if t.tries > 0 {
		// What was sent behind the lost segment was not kept at the other side:
		// all of it goes out again now, rather than each after a timeout of its own.
		t.next = upTo
	}
	t.una, t.tries = upTo, 0
	if t.stuck && t.queued <= sendBuffer/2 {
		t.stuck = false
		n.receive(&n.sessions[t.session], bgp.Input{Kind: bgp.InSendFree, Conn: t.connID})
	}
	if len(t.out) == 0 {
		n.stopTCP(t)
		if closed {
			t.state = tcpClosed
		}
		return
	}
	t.rto = n.tcpTimes(c, side).rto
	n.armTCP(c, side)
	if t.next < t.una+uint32(len(t.out)) {
		n.transmit(c, side, max(t.next, t.una))
	}
}

// accepted: the handshake is complete at the side that was called.
func (n *Network) accepted(c *conn, side int) {
	t := &c.side[side]
	s := &n.sessions[t.session]
	n.stopTCP(t)
	if !n.routers[s.router].alive {
		t.state = tcpClosed // the process died meanwhile, and its listening socket with it
		n.segment(c, side, segRst, 0, 0)
		return
	}
	t.state, t.tries = tcpEstablished, 0
	if n.routers[s.router].real { // which has known of it since the SYN came
		n.receive(s, bgp.Input{Kind: bgp.InTCPUp, Conn: t.connID, Incoming: true})
		return
	}
	s.next++
	t.connID = s.next
	s.conns = append(s.conns, connRef{t.connID, c.id, side})
	n.receive(s, bgp.Input{Kind: bgp.InTCPUp, Conn: t.connID, Incoming: true})
}

func (n *Network) dataArrives(c *conn, side int, first, count uint32) {
	t := &c.side[side]
	if t.state == tcpSynReceived {
		n.accepted(c, side) // the ACK of the handshake was lost; data acknowledges as well
		if t.state == tcpClosed {
			return
		}
	}
	if t.state == tcpClosed {
		n.segment(c, side, segRst, 0, 0)
		return
	}
	from := &c.side[1-side]
	for num := first; num < first+count; num++ {
		if num != t.rcv || num < from.una || int(num-from.una) >= len(from.out) {
			continue // a duplicate, or what lies behind a hole
		}
		t.rcv++
		msg := from.out[num-from.una]
		if t.state != tcpEstablished {
			continue // we have closed: nobody reads
		}
		if msg == fin {
			n.lost(c, side)
			continue
		}
		n.readMessage(&n.sessions[t.session], t.connID, msg)
	}
	if !n.acknowledgeEarly(c, side) {
		n.segment(c, side, segAck, 0, t.rcv)
	}
}

// lost tells the session that its connection is gone.
func (n *Network) lost(c *conn, side int) {
	n.disturb(c, side)
	t := &c.side[side]
	n.stopTCP(t)
	was := t.state
	t.state = tcpClosed
	s := &n.sessions[t.session]
	if was == tcpEstablished || was == tcpSynSent || was == tcpSynReceived && n.routers[s.router].real {
		s.forget(t.connID)
		n.receive(s, bgp.Input{Kind: bgp.InTCPDown, Conn: t.connID})
	}
}

// tcpTimer retransmits.
func (n *Network) tcpTimer(conn, side int) {
	c := n.conns[conn]
	t := &c.side[side]
	t.timer = sim.Timer{}
	t.tries++
	times, linear := n.tcpTimes(c, side), 0
	if t.state == tcpSynSent {
		linear = times.linear
	}
	if t.tries > linear {
		t.rto = min(2*t.rto, times.rtoMax)
	}
	if t.tries > maxTries[t.state]+linear {
		n.lost(c, side)
		return
	}
	switch t.state {
	case tcpSynSent:
		n.segment(c, side, segSyn, 0, 0)
		n.armTCP(c, side)
	case tcpSynReceived:
		n.segment(c, side, segSynAck, 0, 0)
		n.armTCP(c, side)
	case tcpEstablished, tcpFinished:
		n.transmit(c, side, t.una)
	}
}

// closeConn ends the stream after what was sent.
func (n *Network) closeConn(s *session, id bgp.ConnID) {
	ref, ok := s.conn(id)
	if !ok {
		return
	}
	s.forget(id)
	c := n.conns[ref.conn]
	n.disturb(c, ref.side)
	t := &c.side[ref.side]
	if t.state != tcpEstablished {
		n.stopTCP(t)
		t.state = tcpClosed
		return
	}
	n.push(c, ref.side, fin)
	t.state = tcpFinished
}

// abortConn resets the connection.
func (n *Network) abortConn(s *session, id bgp.ConnID) {
	ref, ok := s.conn(id)
	if !ok {
		return
	}
	n.send() // what was said before the reset goes out before it
	s.forget(id)
	c := n.conns[ref.conn]
	n.disturb(c, ref.side)
	t := &c.side[ref.side]
	n.stopTCP(t)
	if t.state == tcpEstablished {
		n.segment(c, ref.side, segRst, 0, 0)
	}
	t.state = tcpClosed
}

// captureSegment records a segment as a packet.
func (n *Network) captureSegment(c *conn, from int, kind segKind, first, count uint32, arrive sim.Time, why dropReason) {
	t, o := &c.side[from], &c.side[1-from]
	s := &n.sessions[t.session]
	l := &n.links[c.link]
	ends := &l.cfg.Ends
	p := trace.Packet{At: n.k.Now(), Arrive: arrive, Event: n.k.Current(), Link: int32(c.link), From: int8(s.end), Lost: why != passed,
		Proto: trace.ProtoTCP, TTL: 1, Src: ends[s.end].Inside.Addr(), Dst: ends[1-s.end].Inside.Addr(),
		SrcPort: c.port, DstPort: bgpPort, Flags: trace.ACK}
	if from == 1 {
		p.SrcPort, p.DstPort = bgpPort, c.port
	}
	// Sequence numbers: SYN takes number 0, the first octet of the stream is 1.
	p.TCPSeq = 1 + t.seq
	for num := t.una; num < first && int(num-t.una) < len(t.out); num++ {
		p.TCPSeq += uint32(octets(t.out[num-t.una]))
	}
	p.TCPAck = 1 + o.seq
	for num := o.una; num < t.rcv && int(num-o.una) < len(o.out); num++ {
		p.TCPAck += uint32(octets(o.out[num-o.una]))
	}
	switch kind {
	case segSyn:
		p.Flags, p.TCPSeq, p.TCPAck = trace.SYN, 0, 0
	case segSynAck:
		p.Flags, p.TCPSeq, p.TCPAck = trace.SYN|trace.ACK, 0, 1
	case segRst:
		p.Flags = trace.RST | trace.ACK
		p.TCPSeq = 1 + t.seq
		for _, m := range t.out {
			p.TCPSeq += uint32(octets(m))
		}
	case segAck:
		p.TCPSeq = 1 + t.seq
		for num := t.una; num < t.next && int(num-t.una) < len(t.out); num++ {
			p.TCPSeq += uint32(octets(t.out[num-t.una]))
		}
	case segData:
		p.Flags |= trace.PSH
		for num := first; num < first+count; num++ {
			if m := t.out[num-t.una]; m == fin {
				p.Flags |= trace.FIN
			} else {
				p.Msgs = append(p.Msgs, m)
			}
		}
	}
	n.log.Packets = append(n.log.Packets, p)
}

// octets of the sequence space that a message takes.
func octets(m *bgp.Message) int {
	if m == fin {
		return 1
	}
	return m.Size
}
