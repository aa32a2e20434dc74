package lab

import (
	"net/netip"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	octets "github.com/vpnsim/vpnsim/bgp/wire"
	"github.com/vpnsim/vpnsim/packet"
	"github.com/vpnsim/vpnsim/topology"
)

// What routers say to each other is read from the packets that pass them: each message
// where it leaves, and where it arrives. One that is lost with its packet, and that TCP
// sends once more, is one message; of which it counts when its last octet first left,
// and when that was where it can be read.

// overheard is a packet with a segment of BGP's, at a router.
type overheard struct {
	at     time.Time
	device int // the number of the interface
	data   []byte
}

// humdrum tells whether o has nothing to say but that somebody is there: a keepalive, or
// nothing.
func (o *overheard) humdrum(p *packet.Parser) bool {
	s, err := p.TCP(o.data)
	return err == nil && (len(s.Payload) == 0 || len(s.Payload) == bgp.HeaderLen)
}

// Message is one of BGP's, as it passed a router.
type Message struct {
	At       time.Duration // by the scenario's clock
	From, To int           // routers
	Link     int
	Received bool // it is seen where it arrives; otherwise where it is sent
	// Took is, of one that is sent, how long it was until the other router's kernel had
	// it; 0: it never arrived.
	Took time.Duration
	Type bgp.MsgType
	// What is the message; nil: its octets are no message, and Fault is what is wrong.
	What  *bgp.Message
	Fault *bgp.Notification
}

// Speech is what one router has sent another over a link, all in all.
type Speech struct {
	From, To, Link     int
	Sent, Received     int             // keepalives
	Spacing            []time.Duration // of those that were sent, in order of size
	Segments, Repeated int             // of TCP, and how many of them had been sent before
}

// direction of a connection: the end of a link that sends, and the two ports.
type direction struct {
	link, end int
	src, dst  uint16
}

// place of a message: where it begins in which stream. It is the same where it is sent
// and where it arrives.
type place struct {
	direction
	first, octet uint32
}

// flow is a direction as one router hears it.
type flow struct {
	stream    packet.Stream
	rest      []byte // of a message that has not all arrived
	octet     uint32
	open      *bgp.Open // that it began with
	lost      bool      // nothing that follows can be read
	keepalive time.Time // the last one
	pulses    int       // keepalives so far
}

// ear hears what passes one router.
type ear struct {
	design *topology.Design
	router int
	ends   map[[2]netip.Addr][2]int // link and end, by the addresses of sender and receiver
	flows  map[direction]*flow
	parser packet.Parser
	said   func(place, overhearing)
}

// overhearing is a message that was heard.
type overhearing struct {
	at       time.Time
	received bool
	message  Message
	pulse    time.Duration // since the keepalive before it; 0: it is none, or has none before it
}

// hear takes the packets of all routers, and says what was said.
func hear(d *topology.Design, heard [][]overheard) (list []overhearing, speeches []Speech) {
	ends := map[[2]netip.Addr][2]int{}
	of := map[[2]int]*Speech{}
	for i := range d.Links {
		l := &d.Links[i]
		for e := range 2 {
			if !l.Ends[e].BGP {
				continue
			}
			for _, f := range []topology.Family{topology.IPv4, topology.IPv6} {
				if from, to := l.Ends[e].In(f), l.Ends[1-e].In(f); from.IsValid() && to.IsValid() {
					ends[[2]netip.Addr{from, to}] = [2]int{i, e}
				}
			}
			of[[2]int{i, e}] = &Speech{From: l.Ends[e].Router, To: l.Ends[1-e].Router, Link: i}
		}
	}
	sent, arrived := map[place]int{}, map[place]time.Time{}
	for r := range heard {
		x := ear{design: d, router: r, ends: ends, flows: map[direction]*flow{}}
		x.said = func(p place, o overhearing) {
			s := of[[2]int{p.link, p.end}]
			switch {
			case o.received:
				if _, ok := arrived[p]; !ok {
					arrived[p] = o.at
				}
			default:
				sent[p] = len(list)
			}
			if o.message.Type == bgp.MsgKeepalive {
				if o.received {
					s.Received++
				} else {
					s.Sent++
				}
				if o.pulse > 0 && !o.received {
					s.Spacing = append(s.Spacing, o.pulse)
				}
			}
			list = append(list, o)
		}
		for i := range heard[r] {
			x.take(&heard[r][i])
		}
		for dir, f := range x.flows {
			if d.Links[dir.link].Ends[dir.end].Router == r {
				s := of[[2]int{dir.link, dir.end}]
				s.Segments += f.stream.Segments
				s.Repeated += f.stream.Again
			}
		}
	}
	for p, i := range sent {
		if at, ok := arrived[p]; ok {
			list[i].message.Took = max(at.Sub(list[i].at), 1)
		}
	}
	slices.SortStableFunc(list, func(a, b overhearing) int { return a.at.Compare(b.at) })
	for i := range d.Links {
		for e := range 2 {
			if s := of[[2]int{i, e}]; s != nil {
				slices.Sort(s.Spacing)
				speeches = append(speeches, *s)
			}
		}
	}
	return list, speeches
}

// take a packet.
func (x *ear) take(o *overheard) {
	g, err := x.parser.TCP(o.data)
	if err != nil {
		return
	}
	where, ok := x.ends[[2]netip.Addr{g.Src.Addr(), g.Dst.Addr()}]
	if !ok {
		return
	}
	dir := direction{where[0], where[1], g.Src.Port(), g.Dst.Port()}
	f := x.flows[dir]
	if f == nil {
		f = &flow{}
		x.flows[dir] = f
	}
	fresh, anew := f.stream.Take(&g)
	if anew {
		*f = flow{stream: f.stream}
	}
	f.rest = append(f.rest, fresh...)
	for !f.lost && len(f.rest) > 0 {
		raw, rest, fault := octets.Split(f.rest)
		if raw == nil && fault == nil {
			return
		}
		p := place{dir, f.stream.Begin(), f.octet}
		out := overhearing{at: o.at, message: Message{Link: dir.link, Fault: fault}}
		l := &x.design.Links[dir.link]
		out.message.From, out.message.To = l.Ends[dir.end].Router, l.Ends[1-dir.end].Router
		out.received = out.message.To == x.router
		out.message.Received = out.received
		if fault != nil {
			f.lost = true // RFC 4271 §6.1: where the next message begins cannot be known
			x.said(p, out)
			return
		}
		f.octet += uint32(len(raw))
		f.rest = rest
		out.message.Type = bgp.MsgType(raw[18])
		out.message.What, out.message.Fault = octets.DecodePaths(raw, x.paths(dir))
		if m := out.message.What; m != nil && m.Type == bgp.MsgOpen {
			f.open = m.Open
		}
		if out.message.Type == bgp.MsgKeepalive {
			// The first one acknowledges the OPEN, and belongs to no interval.
			if f.pulses++; f.pulses > 2 {
				out.pulse = o.at.Sub(f.keepalive)
			}
			f.keepalive = o.at
		}
		x.said(p, out)
	}
}

// paths are the families whose prefixes have Path Identifiers in a direction: its sender
// has offered to send them, and the other one to receive. RFC 7911 §4
func (x *ear) paths(dir direction) (fs bgp.Families) {
	from, to := x.flows[dir], x.flows[direction{dir.link, 1 - dir.end, dir.dst, dir.src}]
	if from == nil || to == nil || from.open == nil || to.open == nil {
		return 0
	}
	for _, a := range from.open.AddPath {
		for _, b := range to.open.AddPath {
			if a.Family == b.Family && a.Send && b.Receive {
				fs |= bgp.FamiliesOf([]bgp.Family{a.Family})
			}
		}
	}
	return fs
}

// hear notes in a trial what was heard.
func (t *Trial) hear(d *topology.Design, heard [][]overheard, begin time.Time, missed int) {
	list, speeches := hear(d, heard)
	for _, o := range list {
		if o.at.Before(begin) || o.message.Type == bgp.MsgKeepalive {
			continue
		}
		o.message.At = t.Begin + o.at.Sub(begin)
		t.Messages = append(t.Messages, o.message)
	}
	t.Speeches, t.Missed = speeches, missed
}
