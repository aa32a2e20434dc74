package packet

// BFD Control packets: RFC 5880 §4.1 in the UDP datagrams of RFC 5881.

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// BFDPort is where single-hop BFD listens. RFC 5881 §4
const BFDPort = 3784

// bfdTTL is what every packet is sent with, so that one from further away can be
// told: "MUST be sent with a Time to Live (TTL) … value of 255". RFC 5881 §5
const bfdTTL = 255

// BFD is a BFD Control packet without authentication, demand mode or echoes.
type BFD struct {
	Src, Dst     netip.Addr
	SrcPort      uint16 // 49152 to 65535. RFC 5881 §4
	State, Diag  uint8
	Poll, Final  bool
	Independent  bool
	Mult         uint8
	My, Your     uint32
	MinTx, MinRx time.Duration // in the packet: microseconds
}

// BFD makes a BFD Control packet.
func (b *Builder) BFD(p BFD) ([]byte, error) {
	tx, err1 := microseconds(p.MinTx)
	rx, err2 := microseconds(p.MinRx)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	d := layers.BFD{
		Version: 1, Diagnostic: layers.BFDDiagnostic(p.Diag), State: layers.BFDState(p.State), Poll: p.Poll, Final: p.Final,
		ControlPlaneIndependent: p.Independent, DetectMultiplier: layers.BFDDetectMultiplier(p.Mult),
		MyDiscriminator: layers.BFDDiscriminator(p.My), YourDiscriminator: layers.BFDDiscriminator(p.Your),
		DesiredMinTxInterval: tx, RequiredMinRxInterval: rx,
	}
	payload := gopacket.NewSerializeBufferExpectedSize(d.Length(), 0)
	if err := d.SerializeTo(payload, whole); err != nil {
		return nil, err
	}
	return b.UDP(Datagram{Src: netip.AddrPortFrom(p.Src, p.SrcPort), Dst: netip.AddrPortFrom(p.Dst, BFDPort), TTL: bfdTTL, Payload: payload.Bytes()})
}

func microseconds(d time.Duration) (layers.BFDTimeInterval, error) {
	us := d / time.Microsecond
	if d%time.Microsecond != 0 || us < 0 || us > 1<<32-1 {
		return 0, fmt.Errorf("an interval of %v is no number of microseconds that fits in 32 bits", d)
	}
	return layers.BFDTimeInterval(us), nil
}

var (
	ErrUDPChecksum = errors.New("wrong UDP checksum")
	ErrNotBFD      = errors.New("not a BFD Control packet")
)

// BFD reads the packet that b holds. It is an error when a checksum is wrong,
// when the lengths don't fit b, when the TTL is not 255, or when b is something
// else.
func (p *Parser) BFD(b []byte) (BFD, error) {
	if p.bfd == nil {
		p.bfd = gopacket.NewDecodingLayerParser(layers.LayerTypeIPv4, &p.ip, &p.udp, &p.control)
		p.bfd6 = gopacket.NewDecodingLayerParser(layers.LayerTypeIPv6, &p.ip6, &p.udp, &p.control)
	}
	in, err := p.decode(b, p.bfd, p.bfd6)
	if err != nil {
		return BFD{}, err
	}
	if !in.whole || len(p.layers) != 3 || p.layers[2] != layers.LayerTypeBFD || p.udp.DstPort != BFDPort || in.ttl != bfdTTL {
		return BFD{}, ErrNotBFD
	}
	if p.udp.Checksum == 0 || pseudoSum(&in) != 0xffff {
		return BFD{}, ErrUDPChecksum
	}
	d := &p.control
	if d.Version != 1 || d.AuthPresent || d.Demand || d.Multipoint || d.RequiredMinEchoRxInterval != 0 {
		return BFD{}, ErrNotBFD
	}
	return BFD{
		Src: in.src, Dst: in.dst, SrcPort: uint16(p.udp.SrcPort), State: uint8(d.State), Diag: uint8(d.Diagnostic), Poll: d.Poll, Final: d.Final,
		Independent: d.ControlPlaneIndependent, Mult: uint8(d.DetectMultiplier), My: uint32(d.MyDiscriminator), Your: uint32(d.YourDiscriminator),
		MinTx: time.Duration(d.DesiredMinTxInterval) * time.Microsecond, MinRx: time.Duration(d.RequiredMinRxInterval) * time.Microsecond,
	}, nil
}
