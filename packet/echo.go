package packet

// ICMP echo and echo reply (RFC 792) as ping sends them: the first octets of
// the payload say when the request was sent, the rest counts up.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Echo is an echo request or reply.
type Echo struct {
	Src, Dst netip.Addr
	TTL      uint8
	Reply    bool
	ID, Seq  uint16
	Size     int   // octets of ICMP payload; ping's default is 56
	Sent     int64 // nanoseconds: when the request was sent. A payload of less than 8 octets does not carry it
}

// stampLen is the room that the time of sending takes in the payload.
const stampLen = 8

// Echo makes an echo request or reply.
func (b *Builder) Echo(e Echo) ([]byte, error) {
	p, err := b.start(e.Src, e.Dst, e.TTL, layers.IPProtocolICMPv4, e.Size)
	if err != nil {
		return nil, err
	}
	at := 0
	if len(p) >= stampLen {
		binary.BigEndian.PutUint64(p, uint64(e.Sent))
		at = stampLen
	}
	for i := at; i < len(p); i++ {
		p[i] = byte(0x10 + i - at)
	}
	kind := uint8(layers.ICMPv4TypeEchoRequest)
	if e.Reply {
		kind = layers.ICMPv4TypeEchoReply
	}
	b.icmp = layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, 0), Id: e.ID, Seq: e.Seq}
	return b.finish(&b.icmp)
}

// Parser reads packets.
type Parser struct {
	parser *gopacket.DecodingLayerParser
	layers []gopacket.LayerType
	ip     layers.IPv4
	icmp   layers.ICMPv4

	bfd     *gopacket.DecodingLayerParser
	udp     layers.UDP
	control layers.BFD
}

// Errors of Parser.Echo.
var (
	ErrIPChecksum   = errors.New("wrong IP header checksum")
	ErrICMPChecksum = errors.New("wrong ICMP checksum")
	ErrNotEcho      = errors.New("not an ICMP echo or echo reply")
)

// Echo reads the packet that b holds. It is an error when either checksum is
// wrong, when the lengths don't fit b, or when b is something else.
func (p *Parser) Echo(b []byte) (Echo, error) {
	if p.parser == nil {
		p.parser = gopacket.NewDecodingLayerParser(layers.LayerTypeIPv4, &p.ip, &p.icmp)
		p.parser.IgnoreUnsupported = true // the payload is read here
	}
	if err := p.parser.DecodeLayers(b, &p.layers); err != nil {
		return Echo{}, err
	}
	// The IP header is checked before anything in it is believed.
	if p.ip.Version != 4 || sum(b[:len(p.ip.Contents)]) != 0xffff {
		return Echo{}, ErrIPChecksum
	}
	if p.parser.Truncated || int(p.ip.Length) != len(b) {
		return Echo{}, fmt.Errorf("IP says %d octets, there are %d", p.ip.Length, len(b))
	}
	if p.ip.Flags&layers.IPv4MoreFragments != 0 || p.ip.FragOffset != 0 ||
		len(p.layers) != 2 || p.layers[1] != layers.LayerTypeICMPv4 {
		return Echo{}, ErrNotEcho
	}
	if sum(p.ip.Payload) != 0xffff {
		return Echo{}, ErrICMPChecksum
	}
	kind := p.icmp.TypeCode.Type()
	if kind != layers.ICMPv4TypeEchoRequest && kind != layers.ICMPv4TypeEchoReply || p.icmp.TypeCode.Code() != 0 {
		return Echo{}, ErrNotEcho
	}
	e := Echo{TTL: p.ip.TTL, Reply: kind == layers.ICMPv4TypeEchoReply, ID: p.icmp.Id, Seq: p.icmp.Seq, Size: len(p.icmp.Payload)}
	e.Src, _ = netip.AddrFromSlice(p.ip.SrcIP)
	e.Dst, _ = netip.AddrFromSlice(p.ip.DstIP)
	if e.Size >= stampLen {
		e.Sent = int64(binary.BigEndian.Uint64(p.icmp.Payload))
	}
	return e, nil
}

// sum is the one's complement sum of b; over data with a right checksum it is
// all ones. RFC 1071.
func sum(b []byte) uint16 {
	var s uint32
	for len(b) >= 2 {
		s += uint32(b[0])<<8 | uint32(b[1])
		b = b[2:]
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
