package export

// MRT (RFC 6396), the format of route collectors. gobgp's own writer has no
// records with microseconds, so the few octets around the BGP message are
// written here.
//
// A message is recorded as its receiver would see it: "peer" is who sent it,
// "local" who it is for. It is recorded when it was sent, whether or not it
// arrives.

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/bgp/wire"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

// RFC 6396 §4 and §4.4.
const (
	mrtBGP4MPET        = 17
	mrtMessageAS4      = 4
	mrtStateChangeAS4  = 5
	mrtMessageAS4Paths = 9 // with Path Identifiers. RFC 8050 §3
)

// WriteMRT writes every BGP message that was sent (trace.NoteMessage) and every
// change of a session's state (trace.NoteSession).
func WriteMRT(w io.Writer, log *trace.Log, base time.Time) error {
	buf := bufio.NewWriter(w)
	ases := asNumbers(log)
	var rec []byte
	for i := range log.Notes {
		n := &log.Notes[i]
		e := end(log, n.Link, n.Router)
		if n.Kind != trace.NoteMessage && n.Kind != trace.NoteSession || e < 0 {
			continue
		}
		link := &log.Names.Links[n.Link]
		me, peer := ases[side{n.Link, e}], ases[side{n.Link, 1 - e}]
		rec = rec[:0]
		var err error
		if n.Kind == trace.NoteMessage {
			rec = mrtPeers(rec, me, peer, n.Link, link.Inside[e], link.Inside[1-e])
			if rec, err = wire.Append(rec, n.Msg); err == nil {
				subtype := uint16(mrtMessageAS4)
				if n.Msg.Update != nil && n.Msg.Update.Identified() != 0 {
					subtype = mrtMessageAS4Paths
				}
				err = mrtRecord(buf, base, n.At, subtype, rec)
			}
		} else {
			rec = mrtPeers(rec, peer, me, n.Link, link.Inside[1-e], link.Inside[e])
			// RFC 6396 §4.4.1 counts the states of RFC 4271 from 1.
			rec = append(rec, 0, n.From+1, 0, n.To+1)
			err = mrtRecord(buf, base, n.At, mrtStateChangeAS4, rec)
		}
		if err != nil {
			return fmt.Errorf("mrt: note %d, at %v s: %w", i, n.At.Seconds(), err)
		}
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("mrt: %w", err)
	}
	return nil
}

// side is one end of a session.
type side struct {
	link int32
	end  int
}

// asNumbers learns who has which AS number from the first OPEN of each. A
// session that never got so far has AS 0 on both sides.
func asNumbers(log *trace.Log) map[side]uint32 {
	ases := map[side]uint32{}
	for i := range log.Notes {
		n := &log.Notes[i]
		if n.Kind != trace.NoteMessage || n.Msg == nil || n.Msg.Type != bgp.MsgOpen || n.Msg.Open == nil {
			continue
		}
		if e := end(log, n.Link, n.Router); e >= 0 {
			if _, ok := ases[side{n.Link, e}]; !ok {
				ases[side{n.Link, e}] = n.Msg.Open.AS
			}
		}
	}
	return ases
}

// mrtPeers is what BGP4MP records of both kinds begin with. RFC 6396 §4.4.2.
func mrtPeers(b []byte, peerAS, localAS uint32, iface int32, peer, local netip.Addr) []byte {
	b = binary.BigEndian.AppendUint32(b, peerAS)
	b = binary.BigEndian.AppendUint32(b, localAS)
	b = binary.BigEndian.AppendUint16(b, uint16(iface))
	if peer.Is6() && local.Is6() {
		b = binary.BigEndian.AppendUint16(b, bgp.IPv6Unicast.AFI)
		return append(append(b, peer.AsSlice()...), local.AsSlice()...)
	}
	b = binary.BigEndian.AppendUint16(b, bgp.IPv4Unicast.AFI)
	for _, a := range []netip.Addr{peer, local} {
		v4 := [4]byte{}
		if a.Is4() {
			v4 = a.As4()
		}
		b = append(b, v4[:]...)
	}
	return b
}

// mrtRecord writes a record with an extended timestamp. RFC 6396 §3.
func mrtRecord(w io.Writer, base time.Time, at sim.Time, subtype uint16, body []byte) error {
	t := base.Add(time.Duration(at))
	h := make([]byte, 0, 16)
	h = binary.BigEndian.AppendUint32(h, uint32(t.Unix()))
	h = binary.BigEndian.AppendUint16(h, mrtBGP4MPET)
	h = binary.BigEndian.AppendUint16(h, subtype)
	h = binary.BigEndian.AppendUint32(h, uint32(len(body)+4)) // the microseconds count
	h = binary.BigEndian.AppendUint32(h, uint32(t.Nanosecond()/1000))
	if _, err := w.Write(h); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}
