package wire

// What may be wrong with the octets of a message, in the order in which
// RFC 4271 §6 looks for it, and the NOTIFICATION that each fault deserves. The
// checks are those of RFC 4271, hardened where later documents say so (AS 0:
// RFC 7607, BGP Identifier: RFC 6286); the milder reactions of RFC 7606
// (treat-as-withdraw) are not modelled: a malformed UPDATE ends the session.
//
// The checkers also leave out what a bgp.Message can't hold: unknown optional
// attributes and capabilities are ignored, as RFC 4271 §9 and RFC 5492 §3 ask.
// What they return is a message of which every length is true.

import (
	"encoding/binary"
	"slices"

	"github.com/vpnsim/vpnsim/bgp"
)

// Subcodes of a Message Header Error. RFC 4271 §6.1.
const (
	headerNotSynchronized uint8 = 1
	headerBadLength       uint8 = 2
	headerBadType         uint8 = 3
)

// Subcodes of an OPEN Message Error that only the octets can bring. RFC 4271 §6.2.
const (
	openUnspecific           uint8 = 0
	openUnsupportedParameter uint8 = 4
)

// Subcodes of an UPDATE Message Error. RFC 4271 §6.3.
const (
	updateMalformedList    uint8 = 1
	updateUnknownWellKnown uint8 = 2
	updateMissingWellKnown uint8 = 3
	updateFlags            uint8 = 4
	updateLength           uint8 = 5
	updateOrigin           uint8 = 6
	updateNextHop          uint8 = 8
	updateOptional         uint8 = 9
	updateNetwork          uint8 = 10
	updateASPath           uint8 = 11
)

func length(b []byte) int { return int(binary.BigEndian.Uint16(b[16:])) }

func fault(code bgp.NoteCode, sub uint8, data []byte) *bgp.Notification {
	return &bgp.Notification{Code: code, Subcode: sub, Data: slices.Clone(data)}
}

// badLength carries "the erroneous Length field". RFC 4271 §6.1.
func badLength(b []byte) *bgp.Notification {
	return fault(bgp.NoteHeader, headerBadLength, b[16:18])
}

// checkHeader holds the header at the start of b against RFC 4271 §6.1.
func checkHeader(b []byte) *bgp.Notification {
	if len(b) < bgp.HeaderLen {
		// There is no Length field to show: this is not a message at all.
		return fault(bgp.NoteHeader, headerBadLength, nil)
	}
	for _, c := range b[:16] {
		if c != 0xff {
			return fault(bgp.NoteHeader, headerNotSynchronized, nil)
		}
	}
	l := length(b)
	if l < bgp.HeaderLen || l > MaxLen {
		return badLength(b)
	}
	ok := true
	switch bgp.MsgType(b[18]) {
	case bgp.MsgOpen:
		ok = l >= 29
	case bgp.MsgUpdate:
		ok = l >= 23
	case bgp.MsgNotification:
		ok = l >= 21
	case bgp.MsgKeepalive:
		ok = l == bgp.HeaderLen
	case bgp.MsgRouteRefresh:
		ok = l == 23 // RFC 2918 §3
	default:
		return fault(bgp.NoteHeader, headerBadType, b[18:19])
	}
	if !ok {
		return badLength(b)
	}
	return nil
}

// checkBody holds the body of a message with a good header against RFC 4271
// §6.2 and §6.3 and returns the message without what is to be ignored.
func checkBody(b []byte) ([]byte, *bgp.Notification) {
	switch bgp.MsgType(b[18]) {
	case bgp.MsgOpen:
		return checkOpen(b)
	case bgp.MsgUpdate:
		return checkUpdate(b)
	}
	return b, nil // any value is a good one
}

// finish writes the length of a message that was put together anew.
func finish(b []byte) []byte {
	binary.BigEndian.PutUint16(b[16:], uint16(len(b)))
	return b
}

// RFC 4271 §6.2.
func checkOpen(b []byte) ([]byte, *bgp.Notification) {
	bad := func(sub uint8, data []byte) ([]byte, *bgp.Notification) {
		return nil, fault(bgp.NoteOpen, sub, data)
	}
	if b[19] != 4 {
		return bad(bgp.OpenUnsupportedVersion, []byte{0, 4}) // the version that we do support
	}
	if hold := binary.BigEndian.Uint16(b[22:]); hold == 1 || hold == 2 {
		return bad(bgp.OpenBadHoldTime, nil)
	}
	if binary.BigEndian.Uint32(b[24:]) == 0 {
		return bad(bgp.OpenBadID, nil) // RFC 6286 §2.2
	}
	params := b[29:]
	if int(b[28]) != len(params) {
		return bad(openUnspecific, nil)
	}

	// "If one of the Optional Parameters in the OPEN message is recognized,
	// but is malformed, then the Error Subcode MUST be set to 0."
	out := append(make([]byte, 0, len(b)), b[:29]...)
	out = append(out, capabilityParameter, 0)
	as := uint32(binary.BigEndian.Uint16(b[20:]))
	for len(params) > 0 {
		if len(params) < 2 || len(params) < 2+int(params[1]) {
			return bad(openUnspecific, nil)
		}
		kind, caps := params[0], params[2:2+int(params[1])]
		params = params[2+len(caps):]
		if kind != capabilityParameter {
			return bad(openUnsupportedParameter, nil)
		}
		for len(caps) > 0 {
			if len(caps) < 2 || len(caps) < 2+int(caps[1]) {
				return bad(openUnspecific, nil)
			}
			c := caps[:2+int(caps[1])]
			caps = caps[len(c):]
			known, ok := capability(c)
			if !ok {
				return bad(openUnspecific, nil)
			}
			if !known {
				continue
			}
			if c[0] == capFourOctetAS {
				as = binary.BigEndian.Uint32(c[2:])
			}
			out = append(out, c...)
		}
	}
	if as == 0 {
		return bad(bgp.OpenBadPeerAS, nil) // RFC 7607 §2
	}
	if n := len(out) - 31; n == 0 {
		out = out[:29]
		out[28] = 0
	} else {
		// What stood in several parameters stands in one now, which is
		// shorter: both lengths still fit their octets.
		out[28], out[30] = uint8(n+2), uint8(n)
	}
	return finish(out), nil
}

const capabilityParameter = 2 // RFC 5492 §4

// Capability codes. RFC 4760, RFC 2918, RFC 4724, RFC 6793.
const (
	capMultiprotocol = 1
	capRouteRefresh  = 2
	capRestart       = 64
	capFourOctetAS   = 65
)

// capability tells whether c is one that a bgp.Open can hold, and whether its
// length is right.
func capability(c []byte) (known, ok bool) {
	switch n := len(c) - 2; c[0] {
	case capMultiprotocol, capFourOctetAS:
		return true, n == 4
	case capRouteRefresh:
		return true, n == 0
	case capRestart:
		return true, n >= 2 && (n-2)%4 == 0
	}
	return false, true
}

// RFC 4271 §6.3.
func checkUpdate(b []byte) ([]byte, *bgp.Notification) {
	bad := func(sub uint8) ([]byte, *bgp.Notification) {
		return nil, fault(bgp.NoteUpdate, sub, nil)
	}
	rest := b[bgp.HeaderLen:]
	withdrawn, rest, ok := counted(rest)
	if !ok {
		return bad(updateMalformedList)
	}
	list, nlri, ok := counted(rest)
	if !ok {
		return bad(updateMalformedList)
	}
	out := append(make([]byte, 0, len(b)), b[:bgp.HeaderLen+2+len(withdrawn)+2]...)
	start := len(out)
	out, seen, n := checkAttrs(out, list)
	if n != nil {
		return nil, n
	}
	binary.BigEndian.PutUint16(out[start-2:], uint16(len(out)-start))
	if len(nlri) > 0 {
		for _, t := range []byte{attrOrigin, attrASPath, attrNextHop} {
			if !seen[t] {
				return nil, fault(bgp.NoteUpdate, updateMissingWellKnown, []byte{t})
			}
		}
	}
	if !prefixesOK(withdrawn) || !prefixesOK(nlri) {
		return bad(updateNetwork)
	}
	return finish(append(out, nlri...)), nil
}

// counted cuts off the field whose length stands in the two octets before it.
func counted(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if b = b[2:]; len(b) < n {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// prefixesOK tells whether b is a list of <length, prefix>. RFC 4271 §4.3.
func prefixesOK(b []byte) bool {
	for len(b) > 0 {
		if b[0] > 32 {
			return false
		}
		n := 1 + (int(b[0])+7)/8
		if len(b) < n {
			return false
		}
		b = b[n:]
	}
	return true
}

// Attribute flags. RFC 4271 §4.3.
const (
	flagOptional   = 0x80
	flagTransitive = 0x40
	flagPartial    = 0x20
	flagExtended   = 0x10
)

// Attribute type codes. RFC 4271 §5, RFC 1997, RFC 4456, RFC 4760.
const (
	attrOrigin          = 1
	attrASPath          = 2
	attrNextHop         = 3
	attrMED             = 4
	attrLocalPref       = 5
	attrAtomicAggregate = 6
	attrAggregator      = 7
	attrCommunities     = 8
	attrOriginatorID    = 9
	attrClusterList     = 10
	attrMPReach         = 14
	attrMPUnreach       = 15
)

// attrKind says what is right for one type of attribute.
type attrKind struct {
	flags byte               // of Optional and Transitive
	size  int                // -1: any, -4: a multiple of four but not zero (RFC 7606 §7)
	value func([]byte) uint8 // the subcode that the value deserves; nil: every value is good
}

var attrKinds = [11]attrKind{
	attrOrigin:          {flagTransitive, 1, originFault},
	attrASPath:          {flagTransitive, -1, asPathFault},
	attrNextHop:         {flagTransitive, 4, nextHopFault},
	attrMED:             {flagOptional, 4, nil},
	attrLocalPref:       {flagTransitive, 4, nil},
	attrAtomicAggregate: {flagTransitive, 0, nil},
	attrAggregator:      {flagOptional | flagTransitive, 8, aggregatorFault},
	attrCommunities:     {flagOptional | flagTransitive, -4, nil},
	attrOriginatorID:    {flagOptional, 4, nil},
	attrClusterList:     {flagOptional, -4, nil},
}

// checkAttrs appends to out those attributes of list that a bgp.Attrs can
// hold. An error carries the attribute (type, length and value) as RFC 4271
// §6.3 wants it.
func checkAttrs(out, list []byte) (_ []byte, seen [256]bool, _ *bgp.Notification) {
	for len(list) > 0 {
		head := 3
		if list[0]&flagExtended != 0 {
			head = 4
		}
		if len(list) < head {
			return nil, seen, fault(bgp.NoteUpdate, updateMalformedList, nil)
		}
		size := int(list[2])
		if head == 4 {
			size = int(binary.BigEndian.Uint16(list[2:]))
		}
		bad := func(sub uint8) ([]byte, [256]bool, *bgp.Notification) {
			return nil, seen, fault(bgp.NoteUpdate, sub, list[:min(head+size, len(list))])
		}
		if len(list) < head+size {
			return bad(updateLength)
		}
		attr, value := list[:head+size], list[head:head+size]
		flags, kind := attr[0], attr[1]
		if seen[kind] {
			// "If any attribute appears more than once in the UPDATE message …"
			return nil, seen, fault(bgp.NoteUpdate, updateMalformedList, nil)
		}
		seen[kind] = true

		known := int(kind) < len(attrKinds) && kind != 0
		switch {
		case known:
			k := &attrKinds[kind]
			if flags&(flagOptional|flagTransitive) != k.flags ||
				flags&flagPartial != 0 && k.flags != flagOptional|flagTransitive {
				return bad(updateFlags)
			}
			if k.size >= 0 && size != k.size || k.size == -4 && (size == 0 || size%4 != 0) {
				return bad(updateLength)
			}
			if k.value != nil {
				switch sub := k.value(value); sub {
				case 0:
				case updateASPath:
					return nil, seen, fault(bgp.NoteUpdate, sub, nil)
				default:
					return bad(sub)
				}
			}
			// The lower four bits "MUST be ignored when received" (RFC 4271
			// §4.3); gobgp takes them for wrong flags.
			out = append(out, flags&(flagOptional|flagTransitive|flagPartial|flagExtended))
			out = append(out, attr[1:]...)
		case flags&flagOptional == 0:
			return bad(updateUnknownWellKnown)
		case kind == attrMPReach || kind == attrMPUnreach:
			// Routes of a family that was not negotiated (RFC 4760 §7). To
			// ignore them would turn an End-of-RIB of that family into one of
			// IPv4 (RFC 4724 §2).
			return bad(updateOptional)
		}
		list = list[len(attr):]
	}
	return out, seen, nil
}

func originFault(v []byte) uint8 {
	if v[0] > uint8(bgp.OriginIncomplete) {
		return updateOrigin
	}
	return 0
}

// nextHopFault: "syntactically incorrect" is what is not the address of a
// host (RFC 4271 §6.3): this network, loopback, multicast and class E.
func nextHopFault(v []byte) uint8 {
	if v[0] == 0 || v[0] == 127 || v[0] >= 224 {
		return updateNextHop
	}
	return 0
}

// asPathFault: segments other than AS_SET and AS_SEQUENCE belong inside a
// confederation (RFC 5065 §5.3), an empty one says nothing (RFC 7606 §7.2),
// and AS 0 is nobody (RFC 7607 §2).
func asPathFault(v []byte) uint8 {
	for len(v) > 0 {
		if len(v) < 2 || v[0] != 1 && v[0] != 2 || v[1] == 0 || len(v) < 2+4*int(v[1]) {
			return updateASPath
		}
		n := 2 + 4*int(v[1])
		for as := v[2:n]; len(as) > 0; as = as[4:] {
			if binary.BigEndian.Uint32(as) == 0 {
				return updateASPath
			}
		}
		v = v[n:]
	}
	return 0
}

func aggregatorFault(v []byte) uint8 {
	if binary.BigEndian.Uint32(v) == 0 {
		return updateOptional // RFC 7607 §2
	}
	return 0
}
