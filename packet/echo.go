package packet

// ICMP echo and echo reply (RFC 792; RFC 4443 §4 for IPv6) as ping sends them: the
// first octets of the payload say when the request was sent, the rest counts up.

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
	proto := layers.IPProtocolICMPv4
	if !e.Src.Is4() {
		proto = layers.IPProtocolICMPv6
	}
	p, err := b.start(e.Src, e.Dst, e.TTL, proto, e.Size)
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
	if proto == layers.IPProtocolICMPv6 {
		return b.finishEcho6(e)
	}
	kind := uint8(layers.ICMPv4TypeEchoRequest)
	if e.Reply {
		kind = layers.ICMPv4TypeEchoReply
	}
	b.icmp = layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, 0), Id: e.ID, Seq: e.Seq}
	return b.finish(&b.icmp)
}

// finishEcho6 puts the headers of ICMPv6 in front of a payload; unlike that of
// ICMP, its checksum goes over the addresses as well. RFC 4443 §2.3
func (b *Builder) finishEcho6(e Echo) ([]byte, error) {
	kind := uint8(layers.ICMPv6TypeEchoRequest)
	if e.Reply {
		kind = layers.ICMPv6TypeEchoReply
	}
	b.echo6 = layers.ICMPv6Echo{Identifier: e.ID, SeqNumber: e.Seq}
	if err := b.echo6.SerializeTo(b.buf, whole); err != nil {
		return nil, err
	}
	b.icmp6.TypeCode = layers.CreateICMPv6TypeCode(kind, 0)
	if err := b.icmp6.SetNetworkLayerForChecksum(b.ip); err != nil {
		return nil, err
	}
	return b.finish(&b.icmp6)
}

// Parser reads packets.
type Parser struct {
	layers []gopacket.LayerType
	ip     layers.IPv4
	ip6    layers.IPv6

	echo, echo6 *gopacket.DecodingLayerParser
	icmp        layers.ICMPv4
	icmp6       layers.ICMPv6
	id6         layers.ICMPv6Echo

	bfd, bfd6 *gopacket.DecodingLayerParser
	udp       layers.UDP
	control   layers.BFD

	tcp4, tcp6 *gopacket.DecodingLayerParser
	tcp        layers.TCP
}

// inside is what an IP header says, and what is behind it.
type inside struct {
	src, dst netip.Addr
	ttl      uint8
	proto    layers.IPProtocol
	payload  []byte
	whole    bool // no fragment of a packet
}

// decode reads the packet that b holds with the parser of its version, and
// checks its IP header before anything in it is believed.
func (p *Parser) decode(b []byte, v4, v6 *gopacket.DecodingLayerParser) (in inside, err error) {
	parser, length := v4, 0
	if isSix(b) {
		parser = v6
	}
	if err := parser.DecodeLayers(b, &p.layers); err != nil {
		return in, err
	}
	if isSix(b) {
		in = inside{ttl: p.ip6.HopLimit, proto: p.ip6.NextHeader, payload: p.ip6.Payload, whole: true}
		in.src, in.dst = netip.AddrFrom16([16]byte(p.ip6.SrcIP)), netip.AddrFrom16([16]byte(p.ip6.DstIP))
		length = header6 + int(p.ip6.Length)
	} else {
		if p.ip.Version != 4 || sum(b[:len(p.ip.Contents)]) != 0xffff {
			return in, ErrIPChecksum
		}
		in = inside{ttl: p.ip.TTL, proto: p.ip.Protocol, payload: p.ip.Payload, whole: p.ip.Flags&layers.IPv4MoreFragments == 0 && p.ip.FragOffset == 0}
		in.src, in.dst = netip.AddrFrom4([4]byte(p.ip.SrcIP)), netip.AddrFrom4([4]byte(p.ip.DstIP))
		length = int(p.ip.Length)
	}
	if parser.Truncated || length != len(b) {
		return in, fmt.Errorf("IP says %d octets, there are %d", length, len(b))
	}
	return in, nil
}

func isSix(b []byte) bool { return len(b) > 0 && b[0]>>4 == 6 }

// Errors of Parser.Echo. An IPv6 header has no checksum.
var (
	ErrIPChecksum   = errors.New("wrong IP header checksum")
	ErrICMPChecksum = errors.New("wrong ICMP checksum")
	ErrNotEcho      = errors.New("not an ICMP echo or echo reply")
)

// Echo reads the packet that b holds. It is an error when either checksum is
// wrong, when the lengths don't fit b, or when b is something else.
func (p *Parser) Echo(b []byte) (Echo, error) {
	if p.echo == nil {
		p.echo = gopacket.NewDecodingLayerParser(layers.LayerTypeIPv4, &p.ip, &p.icmp)
		p.echo6 = gopacket.NewDecodingLayerParser(layers.LayerTypeIPv6, &p.ip6, &p.icmp6, &p.id6)
		p.echo.IgnoreUnsupported, p.echo6.IgnoreUnsupported = true, true // the payload is read here
	}
	in, err := p.decode(b, p.echo, p.echo6)
	if err != nil {
		return Echo{}, err
	}
	e := Echo{Src: in.src, Dst: in.dst, TTL: in.ttl}
	var data []byte
	switch last := p.layers[len(p.layers)-1]; {
	case !in.whole:
		return Echo{}, ErrNotEcho
	case last == layers.LayerTypeICMPv4 && len(p.layers) == 2:
		if sum(in.payload) != 0xffff {
			return Echo{}, ErrICMPChecksum
		}
		kind := p.icmp.TypeCode.Type()
		if kind != layers.ICMPv4TypeEchoRequest && kind != layers.ICMPv4TypeEchoReply || p.icmp.TypeCode.Code() != 0 {
			return Echo{}, ErrNotEcho
		}
		e.Reply, e.ID, e.Seq, data = kind == layers.ICMPv4TypeEchoReply, p.icmp.Id, p.icmp.Seq, p.icmp.Payload
	case len(p.layers) > 1 && p.layers[1] == layers.LayerTypeICMPv6:
		if pseudoSum(&in) != 0xffff {
			return Echo{}, ErrICMPChecksum
		}
		if last != layers.LayerTypeICMPv6Echo || p.icmp6.TypeCode.Code() != 0 {
			return Echo{}, ErrNotEcho
		}
		e.Reply, e.ID, e.Seq, data = p.icmp6.TypeCode.Type() == layers.ICMPv6TypeEchoReply, p.id6.Identifier, p.id6.SeqNumber, in.payload[8:]
	default:
		return Echo{}, ErrNotEcho
	}
	if e.Size = len(data); e.Size >= stampLen {
		e.Sent = int64(binary.BigEndian.Uint64(data))
	}
	return e, nil
}

// pseudoSum is the sum over a payload and the header that stands for its
// addresses: RFC 768, and RFC 8200 §8.1, whose longer fields sum up to the same.
func pseudoSum(in *inside) uint16 {
	src, dst := in.src.As16(), in.dst.As16()
	if in.src.Is4() {
		clear(src[:12]) // of an IPv4 address in 16 octets, all but the address
		clear(dst[:12])
	}
	s := uint32(sum(src[:])) + uint32(sum(dst[:])) + uint32(in.proto) + uint32(len(in.payload)) + uint32(sum(in.payload))
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
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
