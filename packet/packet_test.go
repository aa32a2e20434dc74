package packet

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"pgregory.net/rapid"
)

var (
	vm  = netip.MustParseAddr("10.1.0.2")
	ec2 = netip.MustParseAddr("10.2.0.6")

	vm6  = netip.MustParseAddr("2001:db8:1::2")
	ec26 = netip.MustParseAddr("2001:db8:2::6")
)

// An echo that is built is read as it was.
func TestEchoRoundTrip(t *testing.T) {
	var b Builder
	var p Parser
	rapid.Check(t, func(t *rapid.T) {
		src, dst, six := pair(t)
		want := Echo{
			Src: src, Dst: dst, TTL: rapid.Uint8Min(1).Draw(t, "ttl"),
			Reply: rapid.Bool().Draw(t, "reply"), ID: rapid.Uint16().Draw(t, "id"), Seq: rapid.Uint16().Draw(t, "seq"),
			Size: rapid.IntRange(0, 1500).Draw(t, "size"), Sent: rapid.Int64().Draw(t, "sent"),
		}
		if want.Size < stampLen {
			want.Sent = 0
		}
		raw, err := b.Echo(want)
		if err != nil {
			t.Fatal(err)
		}
		if header := map[bool]int{false: header4, true: header6}[six]; len(raw) != header+8+want.Size {
			t.Fatalf("%d octets", len(raw))
		}
		got, err := p.Echo(raw)
		if err != nil || got != want {
			t.Fatalf("got %+v, %v", got, err)
		}
	})
}

// pair draws two addresses of one family.
func pair(t *rapid.T) (src, dst netip.Addr, six bool) {
	six = rapid.Bool().Draw(t, "six")
	draw := func(name string) netip.Addr {
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name)
		if !six {
			return netip.AddrFrom4([4]byte(b))
		}
		return netip.AddrFrom16([16]byte(b))
	}
	return draw("src"), draw("dst"), six
}

// The octets of an ICMPv6 echo request, by RFC 8200 §3 and RFC 4443 §4.1.
func TestEcho6Octets(t *testing.T) {
	var b Builder
	raw, err := b.Echo(Echo{Src: vm6, Dst: ec26, TTL: 64, ID: 7, Seq: 1, Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	want := append([]byte{0x60, 0, 0, 0, 0, 10, 58, 64}, append(vm6.AsSlice(), ec26.AsSlice()...)...)
	want = append(want, 128, 0, raw[42], raw[43], 0, 7, 0, 1, 0x10, 0x11)
	if !bytes.Equal(raw, want) {
		t.Errorf("%x", raw)
	}
}

// ping's payload: the time, then 0x10, 0x11, …
func TestEchoPayload(t *testing.T) {
	var b Builder
	raw, err := b.Echo(Echo{Src: vm, Dst: ec2, TTL: 64, ID: 7, Seq: 1, Size: 56, Sent: 0x0102030405060708})
	if err != nil {
		t.Fatal(err)
	}
	want := []byte{1, 2, 3, 4, 5, 6, 7, 8, 0x10, 0x11, 0x12}
	if got := raw[28:39]; !bytes.Equal(got, want) || raw[83] != 0x3f {
		t.Errorf("payload %x", raw[28:])
	}
}

// A flipped bit anywhere is noticed. (One's complement sums do not see every
// pair of flips, but they see every single one.)
func TestEchoChecksums(t *testing.T) {
	for _, c := range []struct {
		src, dst netip.Addr
		header   int
		open     int // the first octet that a checksum is over
	}{{vm, ec2, header4, 0}, {vm6, ec26, header6, 8}} {
		var b Builder
		var p Parser
		raw, err := b.Echo(Echo{Src: c.src, Dst: c.dst, TTL: 64, ID: 7, Seq: 1, Size: 56, Sent: 12345})
		if err != nil {
			t.Fatal(err)
		}
		good := slices.Clone(raw)
		for i := range len(good) * 8 {
			bad := slices.Clone(good)
			bad[i/8] ^= 1 << (i % 8)
			switch e, err := p.Echo(bad); {
			case i/8 < c.open: // RFC 8200 §3: the header has no checksum of its own
			case err == nil:
				t.Errorf("bit %d of octet %d flipped: %+v", i%8, i/8, e)
			case i/8 >= c.header && !errors.Is(err, ErrICMPChecksum):
				t.Errorf("bit %d of octet %d flipped: %v", i%8, i/8, err)
			}
		}
		if e, err := p.Echo(good); err != nil || e.Sent != 12345 {
			t.Errorf("the parser is spoilt by bad packets: %+v, %v", e, err)
		}
	}
}

func TestNotAnEcho(t *testing.T) {
	for _, c := range [][2]netip.Addr{{vm, ec2}, {vm6, ec26}} {
		notAnEcho(t, c[0], c[1])
	}
}

func notAnEcho(t *testing.T, vm, ec2 netip.Addr) {
	var b Builder
	var p Parser
	tcp, err := b.TCP(Segment{Src: netip.AddrPortFrom(vm, 1), Dst: netip.AddrPortFrom(ec2, 2), Flags: SYN})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Echo(tcp); !errors.Is(err, ErrNotEcho) {
		t.Errorf("TCP: %v", err)
	}
	echo, err := b.Echo(Echo{Src: vm, Dst: ec2, Size: 8})
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(echo) {
		if _, err := p.Echo(echo[:n]); err == nil {
			t.Errorf("the first %d of %d octets are taken for an echo", n, len(echo))
		}
	}
	if _, err := p.Echo(append(slices.Clone(echo), 0)); err == nil {
		t.Error("an octet behind the packet is not noticed")
	}
}

func TestBuilderRefuses(t *testing.T) {
	var b Builder
	if _, err := b.Echo(Echo{Src: vm, Dst: netip.MustParseAddr("::1")}); err == nil {
		t.Error("an IPv4 source and an IPv6 destination are accepted")
	}
	if _, err := b.Echo(Echo{Dst: vm}); err == nil {
		t.Error("no source is accepted")
	}
	if _, err := b.Echo(Echo{Src: vm, Dst: ec2, Size: -1}); err == nil {
		t.Error("a negative size is accepted")
	}
	if _, err := b.UDP(Datagram{Src: netip.AddrPortFrom(vm, 1), Dst: netip.AddrPortFrom(ec2, 2), Payload: make([]byte, 1<<16)}); err == nil {
		t.Error("64 KiB are accepted")
	}
}

// gopacket's own eager decoder agrees on what was built.
func TestTCPUDPAndESP(t *testing.T) {
	t.Run("IPv4", func(t *testing.T) { tcpUDPAndESP(t, vm, ec2, header4) })
	t.Run("IPv6", func(t *testing.T) { tcpUDPAndESP(t, vm6, ec26, header6) })
}

func tcpUDPAndESP(t *testing.T, vm, ec2 netip.Addr, header int) {
	var b Builder
	src, dst := netip.AddrPortFrom(vm, 45000), netip.AddrPortFrom(ec2, 179)
	first, addrs := layers.LayerTypeIPv4, 12
	if header == header6 {
		first, addrs = layers.LayerTypeIPv6, 8
	}
	decode := func(raw []byte, err error) gopacket.Packet {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if header == header4 && sum(raw[:20]) != 0xffff {
			t.Errorf("IP checksum of %x", raw)
		}
		p := gopacket.NewPacket(slices.Clone(raw), first, gopacket.Default)
		if e := p.ErrorLayer(); e != nil {
			t.Fatal(e.Error())
		}
		return p
	}
	pseudo := func(raw []byte, proto byte) uint16 {
		n := len(raw) - header
		head := append(slices.Clone(raw[addrs:header]), 0, proto, byte(n>>8), byte(n))
		return sum(append(head, raw[header:]...))
	}

	raw, err := b.TCP(Segment{Src: src, Dst: dst, TTL: 1, Flags: PSH | ACK, Seq: 1000, Ack: 2000, Payload: []byte("abc")})
	if got := pseudo(raw, 6); got != 0xffff {
		t.Errorf("TCP checksum: %x", got)
	}
	tcp := decode(raw, err).Layer(layers.LayerTypeTCP).(*layers.TCP)
	if tcp.SrcPort != 45000 || tcp.DstPort != 179 || tcp.Seq != 1000 || tcp.Ack != 2000 || !tcp.PSH || !tcp.ACK || tcp.SYN || tcp.FIN || tcp.RST || string(tcp.Payload) != "abc" {
		t.Errorf("%+v", tcp)
	}

	raw, err = b.UDP(Datagram{Src: netip.AddrPortFrom(vm, 500), Dst: netip.AddrPortFrom(ec2, 500), Payload: []byte("ike")})
	if got := pseudo(raw, 17); got != 0xffff {
		t.Errorf("UDP checksum: %x", got)
	}
	udp := decode(raw, err).Layer(layers.LayerTypeUDP).(*layers.UDP)
	if udp.SrcPort != 500 || udp.DstPort != 500 || udp.Length != 11 || string(udp.Payload) != "ike" {
		t.Errorf("%+v", udp)
	}

	raw, err = b.ESP(ESP{Src: vm, Dst: ec2, SPI: 0xc0ffee00, Seq: 3, Inner: 84})
	one := slices.Clone(raw)
	esp := decode(raw, err).Layer(layers.LayerTypeIPSecESP).(*layers.IPSecESP)
	if esp.SPI != 0xc0ffee00 || esp.Seq != 3 || len(one) != header+8+16+96+12 {
		t.Errorf("%d octets: %+v", len(one), esp)
	}
	if again, _ := b.ESP(ESP{Src: vm, Dst: ec2, SPI: 0xc0ffee00, Seq: 3, Inner: 84}); !bytes.Equal(one, again) {
		t.Error("the same ESP packet twice has different octets")
	}
	if other, _ := b.ESP(ESP{Src: vm, Dst: ec2, SPI: 0xc0ffee00, Seq: 4, Inner: 84}); bytes.Equal(one[header+16:], other[header+16:]) {
		t.Error("another ESP packet has the same octets")
	}
}

// Wire-check mode makes and reads a packet for each echo of millions: it may
// not allocate.
func TestNoAllocations(t *testing.T) {
	var b Builder
	var p Parser
	for _, e := range []Echo{{Src: vm, Dst: ec2, TTL: 64, ID: 7, Seq: 1, Size: 56, Sent: 12345}, {Src: vm6, Dst: ec26, TTL: 64, ID: 7, Seq: 1, Size: 56, Sent: 12345}} {
		noAllocations(t, &b, &p, e)
	}
}

func noAllocations(t *testing.T, b *Builder, p *Parser, e Echo) {
	if n := testing.AllocsPerRun(1000, func() {
		raw, err := b.Echo(e)
		if err == nil {
			_, err = p.Echo(raw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations an echo", n)
	}
}

func BenchmarkEcho(bm *testing.B) {
	var b Builder
	var p Parser
	e := Echo{Src: vm, Dst: ec2, TTL: 64, ID: 7, Seq: 1, Size: 56, Sent: 12345}
	bm.ReportAllocs()
	for bm.Loop() {
		raw, _ := b.Echo(e)
		if _, err := p.Echo(raw); err != nil {
			bm.Fatal(err)
		}
	}
}

func TestCapture(t *testing.T) {
	var out bytes.Buffer
	c, err := NewCapture(&out, []string{"tunnel-1", "tunnel-1 (outside)"})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1700000000, 123456789).UTC()
	packets := [][]byte{{0x45, 1, 2, 3}, {0x45, 1, 2, 3, 4}, {0x45}}
	for i, p := range packets {
		comment := ""
		if i == 1 {
			comment = "lost"
		}
		if err := c.Write(i%2, at.Add(time.Duration(i)), p, comment); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Write(2, at, packets[0], ""); err == nil {
		t.Error("an interface that does not exist is accepted")
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(&out, pcapgo.NgReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range packets {
		got, ci, err := r.ReadPacketData()
		if err != nil || !bytes.Equal(got, want) || ci.InterfaceIndex != i%2 || !ci.Timestamp.Equal(at.Add(time.Duration(i))) {
			t.Errorf("packet %d: %x %+v %v", i, got, ci, err)
		}
	}
	if face, err := r.Interface(1); err != nil || face.Name != "tunnel-1 (outside)" || face.LinkType != layers.LinkTypeRaw {
		t.Errorf("%+v %v", face, err)
	}
	if _, err := NewCapture(&out, nil); err == nil {
		t.Error("a capture without interfaces is accepted")
	}
}

// Whatever the octets, the parser gives an echo or an error, and an echo is
// one that a Builder could have made.
func FuzzParseEcho(f *testing.F) {
	var b Builder
	raw, err := b.Echo(Echo{Src: vm, Dst: ec2, TTL: 64, ID: 7, Seq: 1, Size: 16, Sent: 12345})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(slices.Clone(raw))
	if raw, err = b.Echo(Echo{Src: vm6, Dst: ec26, TTL: 64, ID: 7, Seq: 1, Size: 16, Sent: 12345}); err != nil {
		f.Fatal(err)
	}
	f.Add(slices.Clone(raw))
	f.Add([]byte{0x4f})
	f.Fuzz(func(t *testing.T, in []byte) {
		var p Parser
		e, err := p.Echo(in)
		if err != nil {
			return
		}
		if e.Src.Is4() != e.Dst.Is4() || e.Size < 0 || e.Size+28 > len(in) {
			t.Fatalf("%x: %+v", in, e)
		}
	})
}
