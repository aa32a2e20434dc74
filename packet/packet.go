// Package packet makes and reads real IPv4 and IPv6 packets: ICMP echoes, TCP segments,
// UDP datagrams, BFD Control packets and ESP, and the pcapng files that hold them.
// It is the only importer of gopacket in the product.
//
// A Builder and a Parser each keep one buffer and one set of layers and use
// them for every packet, so that a simulation that sends each of its echoes
// through real bytes allocates nothing for it. What a Builder returns is good
// until it is used again. The zero value of both is ready for use; neither may
// be used by two goroutines at once.
//
// Who owns what: package network asks for the bytes of an echo and reads them
// back (its wire-check mode), package export writes captures. What is in a
// BGP message or in an IKE message is not known here: both are payload.
package packet

import (
	"fmt"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Flags of a TCP segment, as they stand in its header. RFC 9293 §3.1.
const (
	FIN uint8 = 1 << iota
	SYN
	RST
	PSH
	ACK
)

// Segment is a TCP segment in its IP packet.
type Segment struct {
	Src, Dst netip.AddrPort
	TTL      uint8
	Flags    uint8
	Seq, Ack uint32
	Payload  []byte
}

// Datagram is a UDP datagram in its IP packet.
type Datagram struct {
	Src, Dst netip.AddrPort
	TTL      uint8
	Payload  []byte
}

// ESP is an encrypted packet between two gateways. RFC 4303.
type ESP struct {
	Src, Dst netip.Addr
	TTL      uint8
	SPI, Seq uint32
	Inner    int // octets of the IP packet inside (tunnel mode)
}

// MaxPayload is the longest payload that a Builder takes: what an IP packet
// holds beside its own header and the longest header after it.
const MaxPayload = 65535 - header4 - 20

// Builder makes packets.
type Builder struct {
	buf      gopacket.SerializeBuffer
	ip       header // the one of the two that the packet has
	ip4      layers.IPv4
	ip6      layers.IPv6
	icmp     layers.ICMPv4
	icmp6    layers.ICMPv6
	echo6    layers.ICMPv6Echo
	tcp      layers.TCP
	udp      layers.UDP
	src, dst [16]byte
}

// header is an IP header that can be written, and that checksums go over.
type header interface {
	gopacket.SerializableLayer
	gopacket.NetworkLayer
}

// Lengths of the IP headers. RFC 791 §3.1 (without options), RFC 8200 §3.
const (
	header4 = 20
	header6 = 40
)

var whole = gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}

// start empties the buffer and makes room for a payload of n octets.
func (b *Builder) start(src, dst netip.Addr, ttl uint8, proto layers.IPProtocol, n int) ([]byte, error) {
	if !src.IsValid() || !dst.IsValid() || src.Is4() != dst.Is4() {
		return nil, fmt.Errorf("packet from %v to %v: not of one family", src, dst)
	}
	if n < 0 || n > MaxPayload {
		return nil, fmt.Errorf("packet from %v to %v: payload of %d octets", src, dst, n)
	}
	if b.buf == nil {
		b.buf = gopacket.NewSerializeBufferExpectedSize(64, 1500)
	}
	if ttl == 0 {
		ttl = 64 // a packet without a TTL would never have been sent; Linux' default stands in for "not said"
	}
	if b.src, b.dst = src.As16(), dst.As16(); src.Is4() {
		// Don't Fragment and identification zero, as Linux sends atomic
		// datagrams. RFC 6864 §4.1.
		b.ip4 = layers.IPv4{Version: 4, TTL: ttl, Protocol: proto, Flags: layers.IPv4DontFragment, SrcIP: b.src[12:], DstIP: b.dst[12:]}
		b.ip = &b.ip4
	} else {
		b.ip6 = layers.IPv6{Version: 6, HopLimit: ttl, NextHeader: proto, SrcIP: b.src[:], DstIP: b.dst[:]}
		b.ip = &b.ip6
	}
	if err := b.buf.Clear(); err != nil {
		return nil, err
	}
	return b.buf.AppendBytes(n)
}

// finish puts the IP header in front. A nil layer is none.
func (b *Builder) finish(transport gopacket.SerializableLayer) ([]byte, error) {
	if transport != nil {
		if err := transport.SerializeTo(b.buf, whole); err != nil {
			return nil, err
		}
	}
	if err := b.ip.SerializeTo(b.buf, whole); err != nil {
		return nil, err
	}
	return b.buf.Bytes(), nil
}

// TCP makes a segment.
func (b *Builder) TCP(s Segment) ([]byte, error) {
	p, err := b.start(s.Src.Addr(), s.Dst.Addr(), s.TTL, layers.IPProtocolTCP, len(s.Payload))
	if err != nil {
		return nil, err
	}
	copy(p, s.Payload)
	b.tcp = layers.TCP{
		SrcPort: layers.TCPPort(s.Src.Port()), DstPort: layers.TCPPort(s.Dst.Port()),
		Seq: s.Seq, Ack: s.Ack, Window: 65535,
		FIN: s.Flags&FIN != 0, SYN: s.Flags&SYN != 0, RST: s.Flags&RST != 0, PSH: s.Flags&PSH != 0, ACK: s.Flags&ACK != 0,
	}
	if !b.tcp.ACK {
		b.tcp.Ack = 0
	}
	if err := b.tcp.SetNetworkLayerForChecksum(b.ip); err != nil {
		return nil, err
	}
	return b.finish(&b.tcp)
}

// UDP makes a datagram.
func (b *Builder) UDP(d Datagram) ([]byte, error) {
	p, err := b.start(d.Src.Addr(), d.Dst.Addr(), d.TTL, layers.IPProtocolUDP, len(d.Payload))
	if err != nil {
		return nil, err
	}
	copy(p, d.Payload)
	b.udp = layers.UDP{SrcPort: layers.UDPPort(d.Src.Port()), DstPort: layers.UDPPort(d.Dst.Port())}
	if err := b.udp.SetNetworkLayerForChecksum(b.ip); err != nil {
		return nil, err
	}
	raw, err := b.finish(&b.udp)
	if err != nil {
		return nil, err
	}
	if sum := raw[len(raw)-len(d.Payload)-2:]; sum[0] == 0 && sum[1] == 0 {
		sum[0], sum[1] = 0xff, 0xff // zero would say "no checksum". RFC 768
	}
	return raw, nil
}

// ESPLen is how many octets of ESP an inner packet of n octets becomes with
// AES-CBC and HMAC-SHA1-96 (RFC 3602, RFC 2404), what the configurations that
// clouds hand out start with: SPI and sequence number, the IV, the packet with
// its two-octet trailer padded to whole blocks, and the check value.
func ESPLen(n int) int { return 8 + 16 + (n+2+15)/16*16 + 12 }

// ESP makes an encrypted packet. There is no key and nothing is encrypted:
// what stands for the ciphertext is a pseudo-random function of SPI, sequence
// number and position, so that two runs write the same capture.
func (b *Builder) ESP(e ESP) ([]byte, error) {
	p, err := b.start(e.Src, e.Dst, e.TTL, layers.IPProtocolESP, ESPLen(e.Inner))
	if err != nil {
		return nil, err
	}
	put32(p, e.SPI)
	put32(p[4:], e.Seq)
	Opaque(p[8:], uint64(e.SPI)<<32|uint64(e.Seq))
	return b.finish(nil)
}

func put32(b []byte, v uint32) {
	b[0], b[1], b[2], b[3] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
}

// Opaque fills b with octets that look encrypted and depend on seed alone
// (SplitMix64).
func Opaque(b []byte, seed uint64) {
	for i := range b {
		if i%8 == 0 {
			seed += 0x9e3779b97f4a7c15
		}
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		b[i] = byte((z ^ z>>31) >> (8 * (i % 8)))
	}
}
