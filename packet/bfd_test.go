package packet

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// RFC 5880 §4.1, octet by octet, in the IP and UDP of RFC 5881: TTL 255, to port 3784.
func TestBFDOctets(t *testing.T) {
	var b Builder
	raw, err := b.BFD(BFD{Src: netip.MustParseAddr("192.168.1.1"), Dst: netip.MustParseAddr("192.168.1.2"), SrcPort: 49152,
		State: 3, Diag: 1, Poll: true, Independent: true, Mult: 5, My: 0x01020304, Your: 0xa0b0c0d0, MinTx: 300 * time.Millisecond, MinRx: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := hex.DecodeString(strings.ReplaceAll("21 e8 05 18 01020304 a0b0c0d0 000493e0 000f4240 00000000", " ", ""))
	if len(raw) != 20+8+24 || !bytes.Equal(raw[28:], want) {
		t.Errorf("%x", raw[28:])
	}
	if raw[8] != 255 || raw[9] != 17 || raw[20] != 0xc0 || raw[21] != 0 || raw[22] != 0x0e || raw[23] != 0xc8 {
		t.Errorf("headers %x", raw[:28])
	}
}

func TestBFDRoundTrip(t *testing.T) {
	var b Builder
	var p Parser
	rapid.Check(t, func(t *rapid.T) {
		u32 := rapid.Uint32()
		src, dst, _ := pair(t)
		want := BFD{
			Src: src, Dst: dst, SrcPort: rapid.Uint16().Draw(t, "port"),
			State: rapid.Uint8Max(3).Draw(t, "state"), Diag: rapid.Uint8Max(31).Draw(t, "diag"),
			Poll: rapid.Bool().Draw(t, "P"), Final: rapid.Bool().Draw(t, "F"), Independent: rapid.Bool().Draw(t, "C"),
			Mult: rapid.Uint8().Draw(t, "mult"), My: u32.Draw(t, "my"), Your: u32.Draw(t, "your"),
			MinTx: time.Duration(u32.Draw(t, "tx")) * time.Microsecond, MinRx: time.Duration(u32.Draw(t, "rx")) * time.Microsecond,
		}
		raw, err := b.BFD(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.BFD(raw); err != nil || got != want {
			t.Fatalf("got %+v, %v", got, err)
		}
	})
}

// A flipped bit anywhere is noticed; and what is cut short, too long or something
// else is none.
func TestBFDChecks(t *testing.T) {
	var b Builder
	var p Parser
	raw, err := b.BFD(BFD{Src: vm, Dst: ec2, SrcPort: 50000, State: 3, Mult: 3, My: 1, Your: 2, MinTx: time.Second, MinRx: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	good := slices.Clone(raw)
	for i := range len(good) * 8 {
		bad := slices.Clone(good)
		bad[i/8] ^= 1 << (i % 8)
		if got, err := p.BFD(bad); err == nil {
			t.Errorf("bit %d of octet %d flipped: %+v", i%8, i/8, got)
		}
	}
	for n := range len(good) {
		if _, err := p.BFD(good[:n]); err == nil {
			t.Errorf("the first %d of %d octets are taken for a packet", n, len(good))
		}
	}
	if _, err := p.BFD(append(slices.Clone(good), 0)); err == nil {
		t.Error("an octet behind the packet is not noticed")
	}
	if _, err := p.BFD(good); err != nil {
		t.Errorf("the parser is spoilt by bad packets: %v", err)
	}
	if _, err := b.BFD(BFD{Src: vm, Dst: ec2, MinTx: time.Nanosecond}); err == nil {
		t.Error("a nanosecond is no number of microseconds")
	}
	if _, err := b.BFD(BFD{Src: vm, Dst: ec2, MinRx: 4295 * time.Second}); err == nil {
		t.Error("4295 s do not fit")
	}
}
