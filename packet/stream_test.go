package packet

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What Builder.TCP makes, Parser.TCP reads, of both families.
func TestTCPRoundTrip(t *testing.T) {
	for _, a := range []string{"169.254.26.133", "fd00:1::1"} {
		src := netip.AddrPortFrom(netip.MustParseAddr(a), 179)
		want := Segment{Src: src, Dst: netip.AddrPortFrom(src.Addr().Next(), 40000), TTL: 1, Flags: PSH | ACK, Seq: 1 << 31, Ack: 7, Payload: []byte("BGP")}
		var (
			b Builder
			p Parser
		)
		raw, err := b.TCP(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.TCP(raw)
		if err != nil || got.Src != want.Src || got.Dst != want.Dst || got.TTL != 1 || got.Flags != want.Flags || got.Seq != want.Seq || got.Ack != want.Ack || string(got.Payload) != "BGP" {
			t.Errorf("%+v, %v\nwant %+v", got, err, want)
		}
		if raw, err = b.UDP(Datagram{Src: want.Src, Dst: want.Dst}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.TCP(raw); err == nil {
			t.Error("a datagram passes for a segment")
		}
		if _, err := p.TCP(raw[:10]); err == nil {
			t.Error("half a header passes for a segment")
		}
	}
}

// However a stream is cut into segments, in whatever order they come and how many of
// them twice: all of it comes out once and in order. Sequence numbers wrap around.
func TestStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 1, 60).Draw(t, "text")
		first := rapid.SampledFrom([]uint32{0, 1, 1<<31 - 20, 1<<32 - 30}).Draw(t, "first")
		var segments []Segment
		for at := 0; at < len(text); {
			n := rapid.IntRange(1, len(text)-at).Draw(t, "length")
			segments = append(segments, Segment{Seq: first + 1 + uint32(at), Payload: text[at : at+n]})
			at += n
		}
		// A retransmission may be cut otherwise than what it repeats.
		for range rapid.IntRange(0, 4).Draw(t, "again") {
			from := rapid.IntRange(0, len(text)-1).Draw(t, "from")
			to := rapid.IntRange(from+1, len(text)).Draw(t, "to")
			segments = append(segments, Segment{Seq: first + 1 + uint32(from), Payload: text[from:to]})
		}
		segments = rapid.Permutation(segments).Draw(t, "order")
		var s Stream
		s.Take(&Segment{Seq: first, Flags: SYN})
		var got []byte
		for i := range segments {
			fresh, anew := s.Take(&segments[i])
			if anew {
				t.Fatal("it is no other connection")
			}
			got = append(got, fresh...)
		}
		if !slices.Equal(got, text) {
			t.Errorf("%v\nwant %v", got, text)
		}
		if s.Segments != len(segments)+1 {
			t.Errorf("%d segments", s.Segments)
		}
	})
}

// Retransmissions are what begins before the end of what was seen; pure
// acknowledgements, keepalives of TCP among them, carry nothing.
func TestRetransmissions(t *testing.T) {
	var s Stream
	for _, c := range []struct {
		name            string
		g               Segment
		fresh           string
		anew            bool
		segments, again int
	}{
		{"SYN", Segment{Seq: 100, Flags: SYN}, "", false, 1, 0},
		{"SYN again", Segment{Seq: 100, Flags: SYN}, "", false, 2, 1},
		{"acknowledgement", Segment{Seq: 101, Flags: ACK}, "", false, 2, 1},
		{"data", Segment{Seq: 101, Flags: ACK, Payload: []byte("abc")}, "abc", false, 3, 1},
		{"keepalive", Segment{Seq: 103, Flags: ACK}, "", false, 3, 1},
		{"data again, with more behind it", Segment{Seq: 101, Flags: ACK, Payload: []byte("abcde")}, "de", false, 4, 2},
		{"FIN", Segment{Seq: 106, Flags: FIN | ACK}, "", false, 5, 2},
		{"FIN again", Segment{Seq: 106, Flags: FIN | ACK}, "", false, 6, 3},
		{"a new connection", Segment{Seq: 50, Flags: SYN}, "", true, 7, 3},
		{"and its data", Segment{Seq: 51, Flags: ACK, Payload: []byte("x")}, "x", false, 8, 3},
	} {
		fresh, anew := s.Take(&c.g)
		if string(fresh) != c.fresh || anew != c.anew || s.Segments != c.segments || s.Again != c.again {
			t.Errorf("%s: %q, %v, %d segments, %d of them again\nwant %q, %v, %d, %d", c.name, fresh, anew, s.Segments, s.Again, c.fresh, c.anew, c.segments, c.again)
		}
	}
}
