package export

// Captures. Every link is an interface on which packets start at the IP header.
// A tunnel is two: NAME shows what goes through it, "NAME (outside)" what an
// observer between the gateways sees: the IKE messages, and one ESP packet for
// each packet inside. A packet is shown when and where it was sent, once per
// link, also when it was lost there; then it carries a comment.

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/bgp/wire"
	"github.com/vpnsim/vpnsim/packet"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
	"github.com/vpnsim/vpnsim/vpn"
)

// maxSegment is where a TCP payload is cut: what fits through the clouds'
// tunnels. The sequence numbers of a trace.Packet count octets, so that cutting
// does not change them.
const maxSegment = 1379

// lostComment stands beside packets that never arrived.
const lostComment = "lost on this link"

// WritePcapng writes log.Packets as a pcapng file.
func WritePcapng(w io.Writer, log *trace.Log, base time.Time) error {
	if len(log.Names.Links) == 0 {
		return errors.New("pcapng: the run has no links")
	}
	x := pcapng{log: log, base: base, outside: make([]*outside, len(log.Names.Links)), sent: map[echoKey]sim.Time{}}
	var names []string
	x.inside = make([]int, len(log.Names.Links))
	for i, l := range log.Names.Links {
		x.inside[i] = len(names)
		names = append(names, l.Name)
		if l.Tunnel && l.Outside[0].IsValid() && l.Outside[1].IsValid() {
			x.outside[i] = &outside{iface: len(names)}
			names = append(names, l.Name+" (outside)")
		}
	}
	var err error
	if x.out, err = packet.NewCapture(w, names); err != nil {
		return fmt.Errorf("pcapng: %w", err)
	}
	order := make([]int, len(log.Packets))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(log.Packets[a].At, log.Packets[b].At) })
	for _, i := range order {
		if err := x.packet(&log.Packets[i]); err != nil {
			return fmt.Errorf("pcapng: packet %d, at %v s: %w", i, log.Packets[i].At.Seconds(), err)
		}
	}
	if err := x.out.Flush(); err != nil {
		return fmt.Errorf("pcapng: %w", err)
	}
	return nil
}

type pcapng struct {
	log     *trace.Log
	base    time.Time
	out     *packet.Capture
	inside  []int      // the interface of each link
	outside []*outside // nil where there is none
	build   packet.Builder
	payload []byte
	sent    map[echoKey]sim.Time // when a request was first seen: its reply carries that time
}

// outside is what lies between the two gateways of a tunnel.
type outside struct {
	iface     int
	child     uint32 // child SAs made so far
	seq       [2]uint32
	last      [4]uint64       // what completed the last one, so that its retransmission counts once
	initiator map[uint64]int8 // which end began the IKE SA of that SPI
}

type echoKey struct {
	from, to netip.Addr
	id, seq  uint16
}

func (x *pcapng) packet(p *trace.Packet) error {
	if p.Link < 0 || int(p.Link) >= len(x.inside) || p.From != 0 && p.From != 1 {
		return fmt.Errorf("no such link and end: %d, %d", p.Link, p.From)
	}
	switch p.Proto {
	case trace.ProtoICMP:
		b, err := x.build.Echo(packet.Echo{Src: p.Src, Dst: p.Dst, TTL: p.TTL, Reply: p.Reply, ID: p.EchoID, Seq: p.Seq,
			Size: p.Size, Sent: x.base.UnixNano() + int64(x.echoSent(p))})
		return x.through(p, b, err)
	case trace.ProtoTCP:
		return x.tcp(p)
	case trace.ProtoUDP:
		if p.BFD != nil {
			b, err := x.build.BFD(packet.BFD{Src: p.Src, Dst: p.Dst, SrcPort: p.SrcPort, State: uint8(p.BFD.State), Diag: uint8(p.BFD.Diag),
				Poll: p.BFD.Poll, Final: p.BFD.Final, Independent: p.BFD.Independent, Mult: p.BFD.Mult, My: p.BFD.My, Your: p.BFD.Your, MinTx: p.BFD.MinTx, MinRx: p.BFD.MinRx})
			return x.through(p, b, err)
		}
		return x.ike(p)
	}
	return fmt.Errorf("no such protocol: %d", p.Proto)
}

// through writes a packet on its link, and what shows of it outside.
func (x *pcapng) through(p *trace.Packet, b []byte, err error) error {
	if err != nil {
		return err
	}
	n := len(b)
	if err := x.write(x.inside[p.Link], p, b); err != nil {
		return err
	}
	o := x.outside[p.Link]
	if o == nil {
		return nil
	}
	o.seq[p.From]++
	ends := x.log.Names.Links[p.Link].Outside
	b, err = x.build.ESP(packet.ESP{Src: ends[p.From], Dst: ends[1-p.From], SPI: spi(p.Link, p.From, o.child), Seq: o.seq[p.From], Inner: n})
	if err != nil {
		return err
	}
	return x.write(o.iface, p, b)
}

func (x *pcapng) write(iface int, p *trace.Packet, b []byte) error {
	comment := ""
	if p.Lost {
		comment = lostComment
	}
	return x.out.Write(iface, x.base.Add(time.Duration(p.At)), b, comment)
}

// spi names the child SA of one direction: another for each link, end and
// negotiation. 1 to 255 are reserved (RFC 4303 §2.1).
func spi(link int32, from int8, child uint32) uint32 {
	return 0xc0000000 | uint32(link)&0xfff<<16 | child&0x7fff<<1 | uint32(from)
}

// echoSent is when the request of this echo left its host.
func (x *pcapng) echoSent(p *trace.Packet) sim.Time {
	k := echoKey{p.Src, p.Dst, p.EchoID, p.Seq}
	if p.Reply {
		k.from, k.to = p.Dst, p.Src
	}
	// Sequence numbers come round: what is an hour old was another request.
	if t, ok := x.sent[k]; ok && p.At.Sub(t) < time.Hour {
		return t
	}
	x.sent[k] = p.At
	return p.At
}

func (x *pcapng) tcp(p *trace.Packet) error {
	x.payload = x.payload[:0]
	for _, m := range p.Msgs {
		var err error
		if x.payload, err = wire.Append(x.payload, m); err != nil {
			return err
		}
	}
	s := packet.Segment{Src: netip.AddrPortFrom(p.Src, p.SrcPort), Dst: netip.AddrPortFrom(p.Dst, p.DstPort), TTL: p.TTL, Seq: p.TCPSeq, Ack: p.TCPAck}
	for rest := x.payload; ; {
		n := min(len(rest), maxSegment)
		s.Payload, rest = rest[:n], rest[n:]
		s.Flags = p.Flags
		if len(rest) > 0 {
			s.Flags &^= packet.PSH | packet.FIN // these belong to the last octet
		}
		b, err := x.build.TCP(s)
		if err := x.through(p, b, err); err != nil {
			return err
		}
		if len(rest) == 0 {
			return nil
		}
		s.Seq += uint32(n)
	}
}

func (x *pcapng) ike(p *trace.Packet) error {
	o := x.outside[p.Link]
	if p.IKE == nil || o == nil {
		return fmt.Errorf("IKE over %s, which is no tunnel with outside addresses, or without message", linkName(x.log, p.Link))
	}
	ends := x.log.Names.Links[p.Link].Outside
	const port = 500
	b, err := x.build.UDP(packet.Datagram{
		Src: netip.AddrPortFrom(ends[p.From], port), Dst: netip.AddrPortFrom(ends[1-p.From], port),
		TTL: p.TTL, Payload: ike(p.IKE, o.began(p.IKE, p.From)),
	})
	if err != nil {
		return err
	}
	o.negotiated(p.IKE)
	return x.write(o.iface, p, b)
}

// began tells whether that end began the IKE SA of m. A capture that starts
// in the middle of an IKE SA takes the sender of the first request for it.
func (o *outside) began(m *vpn.Message, from int8) bool {
	if o.initiator == nil {
		o.initiator = map[uint64]int8{}
	}
	who, ok := o.initiator[m.SPI]
	if !ok {
		if who = from; m.Num == 2 {
			who = 1 - from
		}
		o.initiator[m.SPI] = who
	}
	return who == from
}

// negotiated counts child SAs: the message that completes a new one gives the
// ESP packets after it new SPIs, and sequence numbers that start again.
func (o *outside) negotiated(m *vpn.Message) {
	done := m.Exchange == vpn.QuickMode && m.Num == 3 || m.Exchange == vpn.Auth && m.Num == 2 ||
		m.Exchange == vpn.CreateChild && m.Num == 2 && !m.IKE
	this := [4]uint64{m.SPI, uint64(m.Exchange), uint64(m.ID), 1}
	if !done || this == o.last {
		return
	}
	o.last = this
	o.child++
	o.seq = [2]uint32{}
}
