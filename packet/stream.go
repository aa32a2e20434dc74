package packet

// TCP segments, and what they carry in its order, for who listens on the way.

import (
	"errors"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// ErrNotTCP is that of Parser.TCP for anything else.
var ErrNotTCP = errors.New("not a TCP segment")

// TCP reads the segment that b holds; its payload is part of b. Its checksum is not
// looked at: of a packet that is just leaving, it may not have been computed.
func (p *Parser) TCP(b []byte) (Segment, error) {
	if p.tcp4 == nil {
		p.tcp4 = gopacket.NewDecodingLayerParser(layers.LayerTypeIPv4, &p.ip, &p.tcp)
		p.tcp6 = gopacket.NewDecodingLayerParser(layers.LayerTypeIPv6, &p.ip6, &p.tcp)
		p.tcp4.IgnoreUnsupported, p.tcp6.IgnoreUnsupported = true, true // the payload is read by others
	}
	in, err := p.decode(b, p.tcp4, p.tcp6)
	if err != nil {
		return Segment{}, err
	}
	if !in.whole || len(p.layers) != 2 || p.layers[1] != layers.LayerTypeTCP {
		return Segment{}, ErrNotTCP
	}
	t := &p.tcp
	s := Segment{Src: netip.AddrPortFrom(in.src, uint16(t.SrcPort)), Dst: netip.AddrPortFrom(in.dst, uint16(t.DstPort)), TTL: in.ttl, Seq: t.Seq, Ack: t.Ack, Payload: t.Payload}
	for _, f := range [...]struct {
		set bool
		bit uint8
	}{{t.FIN, FIN}, {t.SYN, SYN}, {t.RST, RST}, {t.PSH, PSH}, {t.ACK, ACK}} {
		if f.set {
			s.Flags |= f.bit
		}
	}
	return s, nil
}

// Stream is one direction of a TCP connection. The zero value is one of which nothing
// has been seen.
type Stream struct {
	Segments int // that carried something: octets, a SYN or a FIN
	Again    int // those of them that began with what had been seen before: retransmissions, where the sender is listened to

	open  bool
	first uint32 // the number of the SYN
	next  uint32 // of the octet that is to come
	top   uint32 // behind all that were seen
	ahead []piece
}

// piece is what came before its turn.
type piece struct {
	seq  uint32
	data []byte
}

// before compares two numbers of a sequence that wraps around. RFC 9293 §3.4
func before(a, b uint32) bool { return int32(a-b) < 0 }

// Take takes a segment and returns the octets that go on where the last ones ended:
// none of a retransmission, and none as long as something before them is missing. A
// connection between the same two ports that begins anew is told.
func (s *Stream) Take(g *Segment) (fresh []byte, anew bool) {
	length, seq := uint32(len(g.Payload)), g.Seq
	if g.Flags&FIN != 0 {
		length++
	}
	switch {
	case g.Flags&SYN != 0:
		length++
		if !s.open || s.first != seq {
			anew = s.open
			*s = Stream{Segments: s.Segments, Again: s.Again, open: true, first: seq, next: seq + 1, top: seq}
		}
		seq++
	case !s.open && length > 0: // the beginning was missed
		s.open, s.next, s.top = true, seq, seq
	}
	if length == 0 {
		return nil, anew
	}
	s.Segments++
	if before(g.Seq, s.top) {
		s.Again++
	}
	if end := g.Seq + length; before(s.top, end) {
		s.top = end
	}
	if len(g.Payload) > 0 {
		s.ahead = append(s.ahead, piece{seq, append([]byte(nil), g.Payload...)})
	}
	for i := 0; i < len(s.ahead); {
		p := s.ahead[i]
		if before(s.next, p.seq) {
			i++
			continue
		}
		if end := p.seq + uint32(len(p.data)); before(s.next, end) {
			fresh = append(fresh, p.data[s.next-p.seq:]...)
			s.next = end
		}
		s.ahead = append(s.ahead[:i], s.ahead[i+1:]...)
		i = 0 // those that were passed over may be next now
	}
	return fresh, anew
}

// Begin tells connections between the same two ports from each other: the sender's
// first number.
func (s *Stream) Begin() uint32 { return s.first }
