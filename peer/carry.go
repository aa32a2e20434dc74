package peer

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/bgp/live"
	"github.com/vpnsim/vpnsim/bgp/wire"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
)

// Between the end of a simulated connection and the real router's socket. A
// connection has a number on one side (bgp.ConnID, for its link) and a live.Conn
// on the other; either may be there first.

// carried is one connection.
type carried struct {
	at   int // index of the attachment
	id   bgp.ConnID
	conn *live.Conn // nil while the router is being called
	open bool       // we have sent an OPEN on it
}

func (r *runner) attachment(c *carried) *Attachment { return &r.plan.Links[c.at] }

// byLink is the index of the attachment of a link.
func (r *runner) byLink(link int) int {
	return slices.IndexFunc(r.plan.Links, func(a Attachment) bool { return a.Link == link })
}

func (r *runner) find(same func(*carried) bool) *carried {
	if i := slices.IndexFunc(r.carried, same); i >= 0 {
		return r.carried[i]
	}
	return nil
}

func (r *runner) drop(c *carried) {
	r.carried = slices.DeleteFunc(r.carried, func(x *carried) bool { return x == c })
}

// deliver takes to the router what has reached its end of a link.
func (r *runner) deliver(x network.ToOutside) {
	at := r.byLink(x.Link)
	c := r.find(func(c *carried) bool { return c.at == at && c.id == x.Conn })
	if x.Kind == network.OutCalled {
		if c == nil { // otherwise the router is being called already
			c = &carried{at: at, id: x.Conn}
			r.carried = append(r.carried, c)
			r.call(c)
		}
		return
	}
	if c == nil {
		return
	}
	switch x.Kind {
	case network.OutUp:
		if c.conn != nil {
			ends := &r.plan.Design.Links[x.Link].Ends
			c.conn.Start(wire.Neighbour{External: r.plan.Design.Routers[ends[0].Router].ASN != r.plan.Design.Routers[ends[1].Router].ASN})
		}
	case network.OutMessage:
		c.open = c.open || x.Msg.Type == bgp.MsgOpen
		if err := c.conn.Send(r.outbound(c, x.Msg)); err != nil {
			r.about(c, "connection", fmt.Sprintf("%s cannot be sent: %v", network.MessageText(x.Msg), err))
		}
	case network.OutEnd:
		r.drop(c)
		if c.conn != nil {
			c.conn.Close()
		}
	case network.OutCut:
		r.drop(c)
		if c.conn != nil {
			c.conn.Abort()
		}
		r.about(c, "connection", "the router's end of the link is down: its connection is reset")
	case network.OutHold:
		c.conn.Hold()
	case network.OutGoOn:
		c.conn.GoOn()
	}
}

// call calls the router; what comes of it is an event of the hub, whose tag is
// the attachment and the number of the connection.
func (r *runner) call(c *carried) {
	a := r.attachment(c)
	opt := live.Options{TTLSecurity: r.plan.TTL}
	if !a.Secret.IsZero() {
		opt.Keys = []live.Key{{Peers: a.peers(), Secret: a.Secret}}
	}
	r.hub.Dial(uint64(c.at)<<32|uint64(uint32(c.id)), a.Listen.Addr(), a.Peer, opt)
}

// socket takes to the network what has happened on a socket.
func (r *runner) socket(ev live.Event) {
	switch ev.Kind {
	case live.Accepted:
		r.accepted(ev)
		return
	case live.Dialed, live.Failed:
		r.dialed(ev)
		return
	}
	c := r.find(func(c *carried) bool { return c.conn == ev.Conn })
	if c == nil {
		return // it was given up meanwhile
	}
	say := network.FromOutside{Link: r.attachment(c).Link, Conn: c.id}
	switch ev.Kind {
	case live.Received:
		say.Kind, say.Msg = network.InSay, r.inbound(c, ev)
	case live.Ended:
		say.Kind = network.InReset
		what := fmt.Sprintf("the router's connection breaks: %v", ev.Err)
		if errors.Is(ev.Err, io.EOF) {
			say.Kind, what = network.InClose, "the router closes its connection"
		} else if errors.Is(ev.Err, syscall.ECONNRESET) {
			what = "the router resets its connection"
		}
		r.drop(c)
		r.about(c, "connection", what)
	case live.Stuck:
		say.Kind = network.InStuck
		r.about(c, "connection", "the router reads nothing")
	case live.Free:
		say.Kind = network.InFree
		r.about(c, "connection", "the router reads again")
	}
	r.inject(say)
}

// accepted finds the link that a caller means.
func (r *runner) accepted(ev live.Event) {
	from := ev.Conn.Remote()
	at := slices.IndexFunc(r.plan.Links, func(a Attachment) bool {
		return a.Listen == ev.At && (!a.Peer.IsValid() || a.Peer.Addr() == from.Addr())
	})
	if at < 0 {
		ev.Conn.Abort()
		r.line(report.PeerLine{Kind: "connection", Words: fmt.Sprintf("a stranger calls from %v and is turned away: it is the address of no --peer", from)})
		return
	}
	r.calls[at]--
	c := &carried{at: at, id: r.calls[at], conn: ev.Conn}
	r.carried = append(r.carried, c)
	r.about(c, "connection", fmt.Sprintf("the router calls from %v", from))
	r.inject(network.FromOutside{Kind: network.InCall, Link: r.attachment(c).Link, Conn: c.id})
}

// dialed: the router has answered a call, or has not.
func (r *runner) dialed(ev live.Event) {
	at, id := int(ev.Tag>>32), bgp.ConnID(int32(uint32(ev.Tag)))
	c := r.find(func(c *carried) bool { return c.at == at && c.id == id })
	if c == nil { // whoever called has hung up
		if ev.Conn != nil {
			ev.Conn.Abort()
		}
		return
	}
	answer := network.FromOutside{Kind: network.InAnswer, Link: r.attachment(c).Link, Conn: id}
	if ev.Kind == live.Dialed {
		c.conn, r.refusals[at] = ev.Conn, ""
		r.about(c, "connection", fmt.Sprintf("the router accepts the call to %v", r.attachment(c).Peer))
	} else {
		answer.Kind = network.InNoAnswer
		what := fmt.Sprintf("the router does not answer at %v: %v", r.attachment(c).Peer, rootOf(ev.Err))
		if errors.Is(ev.Err, syscall.ECONNREFUSED) {
			answer.Kind, what = network.InRefuse, fmt.Sprintf("the router refuses the call to %v", r.attachment(c).Peer)
		}
		r.drop(c)
		if was := &r.refusals[at]; *was != what { // once is enough
			*was = what
			r.about(c, "connection", what)
		}
	}
	r.inject(answer)
}

// rootOf leaves out of an error what has been said already.
func rootOf(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// capFourOctetAS is the capability that vpnsim cannot do without. RFC 6793 §3
const capFourOctetAS = 65

// inbound is what a message of the router is in the network: the addresses of
// the scenario stand for those of the sockets.
func (r *runner) inbound(c *carried, ev live.Event) *bgp.Message {
	m := ev.Msg
	for _, f := range ev.Faults {
		r.about(c, "malformed", fmt.Sprintf("UPDATE: %v: %v (RFC 7606)", f, f.Approach))
	}
	switch {
	case m.Type == bgp.MsgMalformed:
		n := m.Notification
		r.about(c, "malformed", fmt.Sprintf("what the router sends is no message: NOTIFICATION %d/%d is the answer", n.Code, n.Subcode))
	case m.Type == bgp.MsgOpen && !m.Open.FourOctetAS:
		// AS_PATH has two octets a number then, which package wire does not read. "If a
		// BGP speaker that supports a certain capability determines that its peer
		// doesn't support this capability, the speaker MAY send a NOTIFICATION message
		// to the peer and terminate peering." RFC 5492 §3
		r.about(c, "malformed", "the router offers no four-octet AS numbers (RFC 6793), without which vpnsim does not speak to it")
		as := r.plan.Design.Routers[r.plan.far(r.attachment(c)).Router].ASN
		return &bgp.Message{Type: bgp.MsgMalformed, Size: m.Size, Notification: &bgp.Notification{Code: bgp.NoteOpen, Subcode: 7,
			Data: []byte{capFourOctetAS, 4, byte(as >> 24), byte(as >> 16), byte(as >> 8), byte(as)}}}
	case m.Type == bgp.MsgUpdate && m.Update.Attrs != nil:
		return withNextHop(m, c.conn.Remote().Addr(), r.plan.near(r.attachment(c)).Inside.Addr())
	}
	return m
}

// outbound is what a message to the router is on its socket. A loopback address
// is no next hop for anybody (RFC 4271 §6.3): over loopback the scenario's stays.
func (r *runner) outbound(c *carried, m *bgp.Message) *bgp.Message {
	local := c.conn.Local().Addr()
	if m.Type != bgp.MsgUpdate || m.Update.Attrs == nil || local.IsLoopback() {
		return m
	}
	return withNextHop(m, r.plan.far(r.attachment(c)).Inside.Addr(), local)
}

// withNextHop is m with another NEXT_HOP, if it has the one to be replaced.
func withNextHop(m *bgp.Message, from, to netip.Addr) *bgp.Message {
	if m.Update.Attrs.NextHop != from || from == to {
		return m
	}
	msg, update, attrs := *m, *m.Update, *m.Update.Attrs
	attrs.NextHop = to
	update.Attrs, msg.Update = &attrs, &update
	return &msg
}

// goodbye ends every session that has begun with a CEASE. It goes straight to the
// router, whatever the story has done to the link: that vpnsim ends is no part of
// the story.
func (r *runner) goodbye() {
	cease := (&bgp.Message{Type: bgp.MsgNotification, Notification: &bgp.Notification{Code: bgp.NoteCease, Subcode: bgp.CeaseAdminShutdown}}).Seal()
	for _, c := range r.carried {
		switch {
		case c.conn == nil:
		case c.open:
			c.conn.Send(cease)
			c.conn.Close()
			r.about(c, "connection", "CEASE: vpnsim ends")
		default:
			c.conn.Abort()
		}
	}
	r.hub.Drain(3 * time.Second)
}
