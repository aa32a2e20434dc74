package network

import (
	"fmt"
	"reflect"

	"github.com/vpnsim/vpnsim/bfd"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/bgp/wire"
	"github.com/vpnsim/vpnsim/packet"
)

// The wire check sends everything through real bytes and back: BGP messages as
// RFC 4271 has them, echoes as IP packets with checksums. What is read from the
// bytes is what the run goes on with, so that a field that the bytes can't carry
// would change the run, and with it the digest.

type wireCheck struct {
	errs   []error
	build  packet.Builder
	parser packet.Parser
}

func (w *wireCheck) fail(format string, args ...any) {
	if len(w.errs) < 10 {
		w.errs = append(w.errs, fmt.Errorf(format, args...))
	}
}

// message returns what is left of m after a trip through bytes.
func (w *wireCheck) message(m *bgp.Message) *bgp.Message {
	b, err := wire.Encode(m)
	if err != nil {
		w.fail("%s can't be encoded: %w", MessageText(m), err)
		return m
	}
	if len(b) != m.Size {
		w.fail("%s takes %d octets, not %d", MessageText(m), len(b), m.Size)
	}
	paths := bgp.Families(0)
	if m.Update != nil {
		paths = m.Update.Identified()
	}
	back, note := wire.DecodePaths(b, paths)
	if note != nil {
		w.fail("%s comes back as an error: NOTIFICATION %d/%d", MessageText(m), note.Code, note.Subcode)
		return m
	}
	if !reflect.DeepEqual(normal(m), normal(back)) || m.Update != nil && !m.Update.Attrs.Equal(back.Update.Attrs) {
		w.fail("%s comes back as %s", MessageText(m), MessageText(back))
	}
	return back
}

// control returns what is left of a BFD packet of b after a trip through bytes.
func (w *wireCheck) control(n *Network, b *bfdEnd, p bfd.Packet) bfd.Packet {
	ends := &n.links[b.link].cfg.Ends
	want := packet.BFD{Src: ends[b.end].Inside.Addr(), Dst: ends[1-b.end].Inside.Addr(), SrcPort: bfdPort(b),
		State: uint8(p.State), Diag: uint8(p.Diag), Poll: p.Poll, Final: p.Final, Independent: p.Independent, Mult: p.Mult, My: p.My, Your: p.Your, MinTx: p.MinTx, MinRx: p.MinRx}
	octets, err := w.build.BFD(want)
	if err != nil {
		w.fail("a BFD packet can't be built: %w", err)
		return p
	}
	got, err := w.parser.BFD(octets)
	if err != nil {
		w.fail("a BFD packet can't be read: %w", err)
		return p
	}
	if got != want {
		w.fail("a BFD packet comes back as %+v", got)
	}
	return bfd.Packet{State: bfd.State(got.State), Diag: bfd.Diag(got.Diag), Poll: got.Poll, Final: got.Final, Independent: got.Independent,
		Mult: got.Mult, My: got.My, Your: got.Your, MinTx: got.MinTx, MinRx: got.MinRx}
}

// normal is m with empty slices as nil ones.
func normal(m *bgp.Message) *bgp.Message {
	c := *m
	if m.Update != nil {
		u := *m.Update
		u.Attrs = nil // of which those of a Speaker know more than they say
		if len(u.Withdrawn) == 0 {
			u.Withdrawn = nil
		}
		if len(u.NLRI) == 0 {
			u.NLRI = nil
		}
		c.Update = &u
	}
	if m.Notification != nil && len(m.Notification.Data) == 0 {
		x := *m.Notification
		x.Data = nil
		c.Notification = &x
	}
	return &c
}

// echo builds the packet that is delivered now and reads it again.
func (w *wireCheck) echo(n *Network, p *probe, dir int, ttl uint8, seq int) {
	want := packet.Echo{Src: p.addr[dir], Dst: p.addr[1-dir], TTL: ttl, Reply: dir == 1, ID: uint16(p.id + 1), Seq: uint16(seq), Size: p.cfg.Size, Sent: int64(p.sentAt(seq))}
	b, err := w.build.Echo(want)
	if err != nil {
		w.fail("echo %d can't be built: %w", seq, err)
		return
	}
	got, err := w.parser.Echo(b)
	if err != nil {
		w.fail("echo %d: %w", seq, err)
	} else if p.cfg.Size >= 8 && got != want {
		w.fail("echo %d comes back as %+v", seq, got)
	}
}
