package wire

// What may be wrong with the octets of a message, in the order in which
// RFC 4271 §6 looks for it, and the NOTIFICATION that each fault deserves. The
// checks are those of RFC 4271, hardened where later documents say so (AS 0:
// RFC 7607, BGP Identifier: RFC 6286). With each fault of an UPDATE stands what
// RFC 7606 does about it instead of ending the session (revised.go).
//
// The checkers also leave out what a bgp.Message can't hold: unknown optional
// attributes and capabilities are ignored, as RFC 4271 §9 and RFC 5492 §3 ask.
// What they return is a message of which every length is true.

import (
	"encoding/binary"
	"net/netip"
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
func (c *checker) checkBody(b []byte) ([]byte, *bgp.Notification) {
	switch bgp.MsgType(b[18]) {
	case bgp.MsgOpen:
		return checkOpen(b)
	case bgp.MsgUpdate:
		return c.checkUpdate(b)
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

// Capability codes. RFC 4760, RFC 2918, RFC 4724, RFC 6793, RFC 9494, draft-ietf-idr-bgp-bfd-strict-mode.
const (
	capMultiprotocol = 1
	capRouteRefresh  = 2
	capRestart       = 64
	capFourOctetAS   = 65
	capAddPath       = 69
	capLongLived     = 71
	capBFDStrict     = 74
)

// capability tells whether c is one that a bgp.Open can hold, and whether its
// length is right.
func capability(c []byte) (known, ok bool) {
	switch n := len(c) - 2; c[0] {
	case capMultiprotocol, capFourOctetAS:
		return true, n == 4
	case capRouteRefresh, capBFDStrict:
		return true, n == 0
	case capRestart:
		return true, n >= 2 && (n-2)%4 == 0
	case capLongLived:
		return true, n%7 == 0
	case capAddPath:
		return true, n > 0 && n%4 == 0 // RFC 7911 §4
	}
	return false, true
}

// RFC 4271 §6.3, RFC 7606 §3.
func (c *checker) checkUpdate(b []byte) ([]byte, *bgp.Notification) {
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
	out, seen, n := c.checkAttrs(out, list)
	if n != nil {
		return nil, n
	}
	binary.BigEndian.PutUint16(out[start-2:], uint16(len(out)-start))
	if len(nlri) > 0 && seen[attrMPReach] {
		// RFC 7606 §5.1: "An UPDATE message MUST NOT contain more than one of the
		// following". It goes on to ask receivers to be lenient, but routes with two
		// next hops are two messages to us, and nobody is known to send them.
		return bad(updateMalformedList)
	}
	if len(nlri) > 0 || seen[attrMPReach] {
		for _, t := range []byte{attrOrigin, attrASPath, attrNextHop} {
			if seen[t] || t == attrNextHop && seen[attrMPReach] {
				continue
			}
			if n := c.found(TreatAsWithdraw, t, updateMissingWellKnown, []byte{t}); n != nil {
				return nil, n
			}
		}
	}
	if ids := c.paths.Has(bgp.WithIPv4); !prefixesOK(withdrawn, 32, ids) || !prefixesOK(nlri, 32, ids) {
		return bad(updateNetwork) // RFC 7606 §3 j), §5.3: what would be withdrawn cannot be told
	}
	if c.worst < TreatAsWithdraw {
		return finish(append(out, nlri...)), nil
	}
	if len(nlri) == 0 {
		// RFC 7606 §5.2: path attributes without any route to go with them, and one
		// of them is broken: "the 'session reset' approach MUST be used", since the
		// routes may be what was not understood.
		return nil, c.first(TreatAsWithdraw)
	}
	out = append(out[:start-2-len(withdrawn)], withdrawn...)
	out = append(out, nlri...)
	binary.BigEndian.PutUint16(out[bgp.HeaderLen:], uint16(len(withdrawn)+len(nlri)))
	return finish(append(out, 0, 0)), nil
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

// prefixesOK tells whether b is a list of <length, prefix>, of addresses with
// so many bits, each behind a Path Identifier if they have any. RFC 4271 §4.3, RFC
// 4760 §5, RFC 7911 §3.
func prefixesOK(b []byte, bits byte, identified bool) bool {
	for len(b) > 0 {
		if identified {
			if len(b) < 5 {
				return false
			}
			b = b[4:]
		}
		if b[0] > bits {
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

// attrKind says what is right for one type of attribute, and what RFC 7606 §7
// does about one that is wrong.
type attrKind struct {
	name  string
	flags byte               // of Optional and Transitive
	size  int                // -1: any, -4: a multiple of four but not zero
	value func([]byte) uint8 // the subcode that the value deserves; nil: every value is good
	wrong Approach
	// internal: an external neighbour has no business to send it, and what he
	// sends is discarded, whatever it is.
	internal bool
}

var attrKinds = [11]attrKind{
	attrOrigin:          {"ORIGIN", flagTransitive, 1, originFault, TreatAsWithdraw, false},                         // §7.1
	attrASPath:          {"AS_PATH", flagTransitive, -1, asPathFault, TreatAsWithdraw, false},                       // §7.2
	attrNextHop:         {"NEXT_HOP", flagTransitive, 4, nextHopFault, TreatAsWithdraw, false},                      // §7.3
	attrMED:             {"MULTI_EXIT_DISC", flagOptional, 4, nil, TreatAsWithdraw, false},                          // §7.4
	attrLocalPref:       {"LOCAL_PREF", flagTransitive, 4, nil, TreatAsWithdraw, true},                              // §7.5
	attrAtomicAggregate: {"ATOMIC_AGGREGATE", flagTransitive, 0, nil, AttributeDiscard, false},                      // §7.6
	attrAggregator:      {"AGGREGATOR", flagOptional | flagTransitive, 8, aggregatorFault, AttributeDiscard, false}, // §7.7
	attrCommunities:     {"COMMUNITIES", flagOptional | flagTransitive, -4, nil, TreatAsWithdraw, false},            // §7.8
	attrOriginatorID:    {"ORIGINATOR_ID", flagOptional, 4, nil, TreatAsWithdraw, true},                             // §7.9
	attrClusterList:     {"CLUSTER_LIST", flagOptional, -4, nil, TreatAsWithdraw, true},                             // §7.10
}

// checkAttrs appends to out those attributes of list that a bgp.Attrs can
// hold. An error carries the attribute (type, length and value) as RFC 4271
// §6.3 wants it. seen are the types that are there, whatever their state.
func (c *checker) checkAttrs(out, list []byte) (_ []byte, seen [256]bool, _ *bgp.Notification) {
	for len(list) > 0 {
		head := 3
		if list[0]&flagExtended != 0 {
			head = 4
		}
		if len(list) < head {
			// RFC 7606 §4: what is left of the list is no attribute. "The Total
			// Attribute Length MUST be relied upon to enable the beginning of the
			// NLRI field to be located."
			return out, seen, c.found(TreatAsWithdraw, 0, updateMalformedList, nil)
		}
		size := int(list[2])
		if head == 4 {
			size = int(binary.BigEndian.Uint16(list[2:]))
		}
		flags, kind := list[0], list[1]
		if len(list) < head+size { // RFC 7606 §4, likewise
			seen[kind] = true
			return out, seen, c.found(TreatAsWithdraw, kind, updateLength, list)
		}
		attr, value := list[:head+size], list[head:head+size]
		list = list[len(attr):]

		if seen[kind] {
			how := AttributeDiscard // RFC 7606 §3 g): all but the first
			if kind == attrMPReach || kind == attrMPUnreach {
				how = SessionReset
			}
			if n := c.found(how, kind, updateMalformedList, nil); n != nil {
				return nil, seen, n
			}
			continue
		}
		seen[kind] = true

		switch {
		case int(kind) < len(attrKinds) && kind != 0:
			k := &attrKinds[kind]
			if k.internal && c.from == external {
				c.note(AttributeDiscard, kind, 0, nil)
				continue
			}
			if sub := c.attrFault(k, flags, value); sub != 0 {
				data := attr
				if sub == updateASPath {
					data = nil
				}
				if n := c.found(k.wrong, kind, sub, data); n != nil {
					return nil, seen, n
				}
				continue
			}
			// The lower four bits "MUST be ignored when received" (RFC 4271
			// §4.3); gobgp takes them for wrong flags.
			keep := k.flags | flagExtended
			if k.flags == flagOptional|flagTransitive {
				keep |= flagPartial
			}
			out = append(out, flags&keep)
			out = append(out, attr[1:]...)
		case flags&flagOptional == 0:
			if n := c.found(SessionReset, kind, updateUnknownWellKnown, attr); n != nil {
				return nil, seen, n
			}
		case c.six && (kind == attrMPReach || kind == attrMPUnreach) && flags&flagTransitive == 0 && c.multiprotocolOK(kind, value):
			out = append(out, flags&(flagOptional|flagExtended))
			out = append(out, attr[1:]...)
		case kind == attrMPReach || kind == attrMPUnreach:
			// What is wrong with one of these leaves nothing to rely on (RFC 7606 §7.11,
			// §7.12). Or they are routes of a family that was not negotiated (RFC 4760 §7). To
			// ignore them would turn an End-of-RIB of that family into one of
			// IPv4 (RFC 4724 §2).
			if n := c.found(SessionReset, kind, updateOptional, attr); n != nil {
				return nil, seen, n
			}
		}
	}
	return out, seen, nil
}

// multiprotocolOK tells whether v is the value of an MP_REACH_NLRI or
// MP_UNREACH_NLRI about IPv6. RFC 4760 §3, §4; RFC 2545 §3: the next hop is "a
// global IPv6 address, potentially followed by the link-local IPv6 address".
func (c *checker) multiprotocolOK(kind byte, v []byte) bool {
	if len(v) < 3 || binary.BigEndian.Uint16(v) != bgp.IPv6Unicast.AFI || v[2] != bgp.IPv6Unicast.SAFI {
		return false
	}
	v = v[3:]
	if kind == attrMPUnreach {
		return prefixesOK(v, 128, c.paths.Has(bgp.WithIPv6))
	}
	if len(v) < 1 || v[0] != 16 && v[0] != 32 || len(v) < 1+int(v[0])+1 {
		return false
	}
	hop, _ := netip.AddrFromSlice(v[1:17])
	v = v[1+int(v[0])+1:] // behind the reserved octet
	return hop.IsGlobalUnicast() && !hop.Is4In6() && len(v) > 0 && prefixesOK(v, 128, c.paths.Has(bgp.WithIPv6))
}

// attrFault is the subcode that an attribute of kind k deserves; 0: none.
func (c *checker) attrFault(k *attrKind, flags byte, value []byte) uint8 {
	switch size := len(value); {
	case flags&(flagOptional|flagTransitive) != k.flags:
		return updateFlags
	case c.from == nobody && flags&flagPartial != 0 && k.flags != flagOptional|flagTransitive:
		return updateFlags // RFC 7606 §3 c) names the other two bits only
	case k.size >= 0 && size != k.size, k.size == -4 && (size == 0 || size%4 != 0):
		return updateLength
	case k.value == nil:
		return 0
	}
	sub := k.value(value)
	if sub == updateNextHop && c.loopback && value[0] == 127 {
		return 0
	}
	return sub
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
