package network

import (
	"slices"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// One router of a network may be real. Then its machine is not run: nobody here
// knows its timers, its tables or its decisions. What is left of it in the
// network are the ends of its links, and at each of them the end of a simulated
// TCP connection whose application is the real router: what the router says goes
// into the stream as if a Session had said it (FromOutside), and what arrives is
// told to whoever holds the router's socket (ToOutside).
//
// So the link between a simulated and a real router is a simulated one, with its
// delay, losses, tunnel, dead peer detection and faults. A message that a black
// hole swallows is sent again by the simulated TCP and the real router hears
// nothing of it, while its own TCP connection, which ends beside us, stays open:
// what it sends is acknowledged by the kernel and gets lost after that.
//
// A run with a real router is no function of scenario and seed, but it is one of
// scenario, seed, and what came from outside and when: a FromOutside happens at
// an instant that the caller gives, as an event among events. Everything is
// recorded as in any other run.

// Outside says which router is real, and how to talk to it.
type Outside struct {
	Router int
	Links  []OutsideLink // by which it is attached; at the others nobody answers
	// Tell is called when something reaches the router's end of a link, while an
	// event is handled. It must not call the network.
	Tell func(ToOutside)
}

// OutsideLink is a link that a real router is attached by.
type OutsideLink struct {
	Link  int
	Calls bool // the real router can be called; otherwise the session waits for its call
}

// ToOutsideKind is what reaches the router's end of a link.
type ToOutsideKind uint8

const (
	OutCalled  ToOutsideKind = iota + 1 // a SYN: the far end opens Conn. To be answered by InAnswer, InRefuse or InNoAnswer; comes again while it is not
	OutUp                               // Conn is established: the router's call was accepted, or its answer has arrived
	OutMessage                          // Msg came on Conn
	OutEnd                              // Conn was closed or reset by the far end, or TCP has given it up
	OutCut                              // the interface went down, or BFD on it, and with it Conn
	OutHold                             // what the router says on Conn does not get through, and fills its send buffer …
	OutGoOn                             // … no more
)

// ToOutside is something that reaches the router's end of a link.
type ToOutside struct {
	Kind ToOutsideKind
	Link int
	Conn bgp.ConnID
	Msg  *bgp.Message
}

// FromOutsideKind is what a real router does.
type FromOutsideKind uint8

const (
	InCall     FromOutsideKind = iota + 1 // opens a connection, which is to be called Conn: -1, -2, …, each number once for a link
	InAnswer                              // accepts the call Conn
	InRefuse                              // refuses it
	InNoAnswer                            // does neither
	InSay                                 // sends Msg on Conn
	InClose                               // closes Conn
	InReset                               // resets it
	InStuck                               // reads nothing from Conn …
	InFree                                // … and again
	InBegin                               // is no one's doing: the story begins
)

// FromOutside is something that a real router does at its end of a link.
type FromOutside struct {
	Kind FromOutsideKind
	Link int
	Conn bgp.ConnID
	Msg  *bgp.Message
}

// outside is what a network keeps of a real router.
type outside struct {
	Outside
	inputs []FromOutside
	taken  int         // of inputs
	ends   []realEnd   // as Links
	faults []sim.Timer // pending ones
}

// realEnd is what can be told of the router's session over a link from what it
// says and is told.
type realEnd struct {
	said, heard []bgp.ConnID // connections on which it has sent a KEEPALIVE, and got one
	up          bgp.ConnID
	isUp        bool
}

// Begin prepares a run with a real router, and runs the warm-up without it. The
// clock is at zero then: links of the real router are being brought up, and the
// story begins when it is told to (InBegin).
func (n *Network) Begin(seed uint64) {
	n.prepare(seed)
	n.k.RunUntil(-1)
}

// Now is the time that the network has reached.
func (n *Network) Now() sim.Time { return n.k.Now() }

// Next is when something will happen by itself.
func (n *Network) Next() (sim.Time, bool) { return n.k.Next() }

// Advance lets everything happen up to and at the instant t.
func (n *Network) Advance(t sim.Time) { n.k.RunUntil(t) }

// Inject makes something happen at the real router's end of a link, at the
// instant t, which must not lie in the past.
func (n *Network) Inject(t sim.Time, x FromOutside) {
	o := n.outside
	o.inputs = append(o.inputs, x)
	n.launch(t, actorOf(o.Router), evOutside, uint64(len(o.inputs)-1))
}

// Digest sums up what has happened so far.
func (n *Network) Digest() uint64 { return n.k.Digest() }

// Begun is when the story began, if it has.
func (n *Network) Begun() (sim.Time, bool) { return n.begun, n.settled }

func (o *outside) reset() {
	o.inputs, o.taken = o.inputs[:0], 0
	for i := range o.ends {
		o.ends[i] = realEnd{said: o.ends[i].said[:0], heard: o.ends[i].heard[:0]}
	}
}

// isReal tells whether router r is real.
func (n *Network) isReal(r int) bool { return n.outside != nil && n.outside.Router == r }

// atReal tells whether link l has an end at the real router.
func (n *Network) atReal(l *link) bool { return n.isReal(l.routerAt(0)) || n.isReal(l.routerAt(1)) }

// attached finds what is known of the session over a link; nil if the router is
// not attached by it.
func (o *outside) attached(link int) *realEnd {
	for i := range o.Links {
		if o.Links[i].Link == link {
			return &o.ends[i]
		}
	}
	return nil
}

// prepare changes the configuration of a session whose neighbour is real: it
// waits for his call where nobody can be called, and its OPEN names the family
// that simulated routers take for granted: BIRD refuses one that names none (2/7).
func (o *outside) prepare(n *Network, s *session) {
	if n.isReal(s.router) || !n.atReal(&n.links[s.link]) {
		return
	}
	if len(s.config.Families) == 0 {
		s.config.Families = []bgp.Family{bgp.IPv4Unicast}
	}
	i := slices.IndexFunc(o.Links, func(l OutsideLink) bool { return l.Link == s.link })
	s.config.Passive = s.config.Passive || i < 0 || !o.Links[i].Calls
}

// happens is the event of something that the router does.
func (n *Network) happens(i int) {
	o := n.outside
	x := o.inputs[i]
	o.inputs[i] = FromOutside{}
	if o.taken++; o.taken == len(o.inputs) {
		o.inputs, o.taken = o.inputs[:0], 0
	}
	if x.Kind == InBegin {
		n.beginStory()
		return
	}
	l := &n.links[x.Link]
	s := &n.sessions[l.sessions[l.endOf(o.Router)]]
	if x.Kind == InCall {
		n.connect(s, x.Conn)
		return
	}
	ref, ok := s.conn(x.Conn)
	if !ok {
		return // it ended meanwhile
	}
	c := n.conns[ref.conn]
	t := &c.side[ref.side]
	switch x.Kind {
	case InAnswer:
		n.answerCall(c, ref.side)
	case InRefuse:
		n.segment(c, ref.side, segRst, 0, 0)
		n.hangUpReal(s, t)
	case InNoAnswer:
		n.hangUpReal(s, t)
	case InSay:
		n.realSays(s, x.Conn, x.Msg)
		n.sendMessage(s, x.Conn, x.Msg)
	case InClose:
		n.realDown(s, x.Conn, bgp.WhyTCPFailed, nil)
		n.closeConn(s, x.Conn)
	case InReset:
		n.realDown(s, x.Conn, bgp.WhyTCPFailed, nil)
		n.abortConn(s, x.Conn)
	case InStuck, InFree:
		// A receive window that is closed is told with every acknowledgement. That
		// it takes a way is left out.
		kind := bgp.InSendStuck
		if x.Kind == InFree {
			kind = bgp.InSendFree
		}
		if far := &c.side[1-ref.side]; far.state == tcpEstablished {
			n.receive(&n.sessions[far.session], bgp.Input{Kind: kind, Conn: far.connID})
		}
	}
}

// hangUpReal forgets a call that the router has not accepted.
func (n *Network) hangUpReal(s *session, t *tcpSide) {
	n.k.Stop(&t.timer)
	t.state = tcpClosed
	s.forget(t.connID)
}

// called: a SYN has reached the real router. Whether it answers is found out
// by calling it; so is it when the SYN comes again and there was no answer yet.
func (n *Network) called(c *conn, s *session, t *tcpSide) {
	if n.outside.attached(c.link) == nil {
		return
	}
	switch t.state {
	case tcpClosed:
		t.state = tcpSynReceived
		s.next++
		t.connID = s.next
		s.conns = append(s.conns, connRef{t.connID, c.id, 1})
	case tcpSynReceived:
		if _, answered := n.k.When(t.timer); answered {
			n.segment(c, 1, segSynAck, 0, 0)
			return
		}
	default:
		return
	}
	n.tell(s, OutCalled, t.connID, nil)
}

// answerCall: the real router has accepted a call.
func (n *Network) answerCall(c *conn, side int) {
	t := &c.side[side]
	if t.state != tcpSynReceived {
		return
	}
	n.segment(c, side, segSynAck, 0, 0)
	t.rto = n.tcpTimes(c, side).syn
	n.armTCP(c, side)
}

// receiveReal is receive for the real router: its session's inputs are told.
func (n *Network) receiveReal(s *session, in *bgp.Input) {
	switch in.Kind {
	case bgp.InTCPUp:
		n.tell(s, OutUp, in.Conn, nil)
	case bgp.InMessage:
		n.realHears(s, in.Conn, in.Msg)
		n.tell(s, OutMessage, in.Conn, in.Msg)
	case bgp.InTCPDown:
		n.realDown(s, in.Conn, bgp.WhyTCPFailed, nil)
		n.tell(s, OutEnd, in.Conn, nil)
	case bgp.InLinkDown, bgp.InBFDDown: // nobody tells the router but by this
		why := bgp.WhyLinkDown
		if in.Kind == bgp.InBFDDown {
			why = bgp.WhyBFDDown
		}
		for len(s.conns) > 0 {
			id := s.conns[0].id
			n.realDown(s, id, why, nil)
			n.abortConn(s, id)
			n.tell(s, OutCut, id, nil)
		}
	case bgp.InSendStuck:
		n.tell(s, OutHold, in.Conn, nil)
	case bgp.InSendFree:
		n.tell(s, OutGoOn, in.Conn, nil)
	}
}

func (n *Network) tell(s *session, kind ToOutsideKind, conn bgp.ConnID, msg *bgp.Message) {
	n.outside.Tell(ToOutside{kind, s.link, conn, msg})
}

// realSays draws conclusions from what the router sends: by a KEEPALIVE it has
// accepted our OPEN and is in OpenConfirm, where one from us takes it to
// Established; a NOTIFICATION takes it to Idle. RFC 4271 §8.2.2
func (n *Network) realSays(s *session, conn bgp.ConnID, m *bgp.Message) {
	e := n.outside.attached(s.link)
	switch m.Type {
	case bgp.MsgKeepalive:
		if !e.isUp {
			e.said = append(e.said, conn)
			n.realUp(s, conn)
		}
	case bgp.MsgNotification:
		n.realDown(s, conn, whyNotified(m.Notification), m)
	}
}

// whyNotified is why a router ends a session with that NOTIFICATION.
func whyNotified(note *bgp.Notification) bgp.Why {
	switch note.Code {
	case bgp.NoteHoldTimerExpired:
		return bgp.WhyHoldTimer
	case bgp.NoteSendHoldExpired:
		return bgp.WhySendHold
	case bgp.NoteFSM:
		return bgp.WhyUnexpected
	case bgp.NoteCease:
		if note.Subcode == bgp.CeaseCollision {
			return bgp.WhyCollision
		}
		return bgp.WhyStop
	}
	return bgp.WhyBadMessage
}

// realHears draws conclusions from what reaches the router, likewise.
func (n *Network) realHears(s *session, conn bgp.ConnID, m *bgp.Message) {
	e := n.outside.attached(s.link)
	switch {
	case m.Type == bgp.MsgNotification:
		n.realDown(s, conn, bgp.WhyNotification, m)
	case m.Type == bgp.MsgKeepalive && !e.isUp:
		e.heard = append(e.heard, conn)
		n.realUp(s, conn)
	}
}

// realUp notes that the router's session is Established, if it is.
func (n *Network) realUp(s *session, conn bgp.ConnID) {
	e := n.outside.attached(s.link)
	if slices.Contains(e.said, conn) && slices.Contains(e.heard, conn) {
		e.isUp, e.up = true, conn
		e.said, e.heard = e.said[:0], e.heard[:0]
		n.noteReal(s, bgp.OpenConfirm, bgp.Established, bgp.WhyKeepalive, nil)
	}
}

// realDown notes the end of the router's session, if conn was its connection.
func (n *Network) realDown(s *session, conn bgp.ConnID, why bgp.Why, m *bgp.Message) {
	e := n.outside.attached(s.link)
	if e == nil {
		return
	}
	is := func(id bgp.ConnID) bool { return id == conn }
	e.said, e.heard = slices.DeleteFunc(e.said, is), slices.DeleteFunc(e.heard, is)
	if e.isUp && e.up == conn {
		e.isUp = false
		n.noteReal(s, bgp.Established, bgp.Idle, why, m)
	}
}

func (n *Network) noteReal(s *session, from, to bgp.State, why bgp.Why, m *bgp.Message) {
	n.note(trace.Note{Kind: trace.NoteSession, Router: int32(s.router), Link: int32(s.link), From: uint8(from), To: uint8(to), A: int64(why), Msg: m})
}

// beginStory ends the warm-up, and lets the story count from now.
func (n *Network) beginStory() {
	if n.settled {
		return
	}
	n.settle()
	n.begun = n.k.Now()
	for i := range n.faults {
		n.faults[i].at += n.begun
		n.k.At(n.faults[i].at, sim.Event{To: actorWorld, Kind: evFault, Arg: uint64(i), Phase: sim.PhaseFault})
	}
}

// Asked tells whether fault i is something that only the real router can do:
// somebody has to make it.
func (n *Network) Asked(i int) bool {
	f := &n.d.Story[i]
	if f.Router < 0 || !n.isReal(f.Router) {
		return false
	}
	switch f.Kind {
	case topology.TunnelDelete, topology.TunnelCreate:
		return false // the tunnel is simulated, at both ends
	}
	return true
}

// malformed is the NOTIFICATION that answers octets which are no message.
func malformed(m *bgp.Message) *bgp.Message {
	return (&bgp.Message{Type: bgp.MsgNotification, Notification: m.Notification}).Seal()
}
