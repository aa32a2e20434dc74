package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/bgp"
)

// RFC 7606, fault by fault: what is left of the UPDATE, and what is said of it.
// The routes of the message are 10.2.0.0/16 announced and 10.9.0.0/16 withdrawn.
func TestRevised(t *testing.T) {
	const all, gone = origin + aspath + nexthop, "10 0a09"
	attr := func(s string) []byte { return update(t, gone, all+s, nlri) }
	instead := func(o, p, n string) []byte { return update(t, gone, o+p+n, nlri) }
	const (
		good    = "announced"
		pulled  = "withdrawn"
		nothing = "no more than a withdrawal"
	)
	for _, c := range []struct {
		why   string // the rule
		in    []byte
		ibgp  bool
		want  string // good, pulled, or "N/M" for a NOTIFICATION
		fault string
	}{
		{"nothing is wrong", attr(""), false, good, ""},

		// §3 c) "If the value of either the Optional or Transitive bits in the
		// Attribute Flags is in conflict with their specified values, then the
		// attribute MUST be treated as malformed and the 'treat-as-withdraw' approach
		// used, unless the specification for the attribute mandates different handling
		// for incorrect Attribute Flags."
		{"§3 c) Optional", instead("c00101 00", aspath, nexthop), false, pulled, "ORIGIN has wrong flags"},
		{"§3 c) Transitive", attr("c00404 00000001"), false, pulled, "MULTI_EXIT_DISC has wrong flags"},
		{"§3 c) Partial is not named", attr("a00404 00000001"), false, good + " with MED", ""},
		{"§3 c) Partial is not named", instead(origin, "600206 0201 0000fc00", nexthop), false, good, ""},

		// §3 d) "If any of the well-known mandatory attributes are not present in an
		// UPDATE message, then 'treat-as-withdraw' MUST be used."
		{"§3 d)", instead("", aspath, nexthop), false, pulled, "ORIGIN is missing"},
		{"§3 d)", instead(origin, "", nexthop), false, pulled, "AS_PATH is missing"},
		{"§3 d)", instead(origin, aspath, ""), false, pulled, "NEXT_HOP is missing"},

		// §3 g) "If the MP_REACH_NLRI attribute or the MP_UNREACH_NLRI attribute appears
		// more than once in the UPDATE message, then a NOTIFICATION message MUST be sent
		// with the Error Subcode 'Malformed Attribute List'. If any other attribute
		// (whether recognized or unrecognized) appears more than once in an UPDATE
		// message, then all the occurrences of the attribute other than the first one
		// SHALL be discarded and the UPDATE message will continue to be processed."
		{"§3 g) recognized", attr("400101 02"), false, good, "ORIGIN appears more than once"},
		{"§3 g) unrecognized", attr("c0fe00" + "c0fe00"), false, good, "path attribute 254 appears more than once"},
		{"§3 g) the second one may be broken", attr("400102 0000"), false, good, "ORIGIN appears more than once"},

		// §3 h) "the approach with the strongest action MUST be used".
		{"§3 h)", attr("400601 00" + "800403 000001"), false, pulled, "ATOMIC_AGGREGATE has a wrong length; MULTI_EXIT_DISC has a wrong length"},
		{"§3 h)", update(t, gone, "400102 0000"+aspath+nexthop, "21 0a00000000"), false, "3/10", "ORIGIN has a wrong length"},

		// §3 i) "The Withdrawn Routes field MUST be checked for syntactic correctness in
		// the same manner as the NLRI field." §5.3: a length above 32, or one that
		// exceeds what is left; §3 j): then the procedures of RFC 4271 apply.
		{"§5.3", update(t, "", all, "21 0a00000000"), false, "3/10", ""},
		{"§5.3", update(t, "18 0a02", all, nlri), false, "3/10", ""},

		// RFC 4271 §6.3, which stays as it is: lengths that leave the message, and a
		// well-known attribute that nobody knows.
		{"RFC 4271", msg(t, 2, "0009 0000"), false, "3/1", ""},
		{"RFC 4271", attr("40fe01 07"), false, "3/2", "path attribute 254 is malformed"},

		// §4: the last attribute "would cause the Total Attribute Length to be exceeded",
		// or "fewer than three octets remain (or fewer than four octets, if the Attribute
		// Flags field has the Extended Length bit set)": "'treat-as-withdraw' MUST be
		// used … and the Total Attribute Length MUST be relied upon to enable the
		// beginning of the NLRI field to be located."
		{"§4 overrun", attr("800405 00000001"), false, pulled, "MULTI_EXIT_DISC has a wrong length"},
		{"§4 underrun", attr("8004"), false, pulled, "the list of path attributes ends inside an attribute"},
		{"§4 underrun", attr("900400"), false, pulled, "the list of path attributes ends inside an attribute"},
		{"§4 overrun of a mandatory one", instead(origin, aspath, "400308 a9fe0a01"), false, pulled, "NEXT_HOP has a wrong length"},

		// §5.2: path attributes but no reachable NLRI: "if any encountered error
		// specifies an error-handling approach other than 'attribute discard', then the
		// 'session reset' approach MUST be used."
		{"§5.2", update(t, gone, "400102 0000", ""), false, "3/5", "ORIGIN has a wrong length"},
		{"§5.2 attribute discard", update(t, gone, "400601 00", ""), false, nothing, "ATOMIC_AGGREGATE has a wrong length"},

		// §7.1 "considered malformed if its length is not 1 or if it has an undefined value".
		{"§7.1", instead("400102 0000", aspath, nexthop), false, pulled, "ORIGIN has a wrong length"},
		{"§7.1", instead("400101 03", aspath, nexthop), false, pulled, "ORIGIN is malformed"},
		// §7.2 "an unrecognized segment type", a segment that overruns or underruns, or
		// whose length is zero. AS 0: RFC 7607.
		{"§7.2", instead(origin, "400206 0301 0000fc00", nexthop), false, pulled, "AS_PATH is malformed"},
		{"§7.2", instead(origin, "400206 0202 0000fc00", nexthop), false, pulled, "AS_PATH is malformed"},
		{"§7.2", instead(origin, "400207 0201 0000fc00 02", nexthop), false, pulled, "AS_PATH is malformed"},
		{"§7.2", instead(origin, "400202 0200", nexthop), false, pulled, "AS_PATH is malformed"},
		{"RFC 7607", instead(origin, "400206 0201 00000000", nexthop), false, pulled, "AS_PATH is malformed"},
		// §7.3 "considered malformed if its length is not 4"; RFC 4271 §6.3: a valid host.
		{"§7.3", instead(origin, aspath, "400305 a9fe0a0100"), false, pulled, "NEXT_HOP has a wrong length"},
		{"§7.3", instead(origin, aspath, "400304 e0000001"), false, pulled, "NEXT_HOP is not the address of a host"},
		{"§7.3", instead(origin, aspath, "400304 7f000001"), false, pulled, "NEXT_HOP is not the address of a host"},
		// §7.4
		{"§7.4", attr("800403 000001"), false, pulled, "MULTI_EXIT_DISC has a wrong length"},
		// §7.5 "If the LOCAL_PREF attribute is received from an external neighbor, it
		// SHALL be discarded using the approach of 'attribute discard'; or if received
		// from an internal neighbor, it SHALL be considered malformed if its length is
		// not equal to 4."
		{"§7.5 external", attr("400504 000000c8"), false, good, "LOCAL_PREF from an external neighbour"},
		{"§7.5 external", attr("400503 0000c8"), false, good, "LOCAL_PREF from an external neighbour"},
		{"§7.5 internal", attr("400504 000000c8"), true, good + " with LOCAL_PREF", ""},
		{"§7.5 internal", attr("400503 0000c8"), true, pulled, "LOCAL_PREF has a wrong length"},
		// §7.6, §7.7 "attribute discard".
		{"§7.6", attr("400601 00"), false, good, "ATOMIC_AGGREGATE has a wrong length"},
		{"§7.7", attr("c00706 fc00 0a000001"), false, good, "AGGREGATOR has a wrong length"},
		{"RFC 7607", attr("c00708 00000000 0a000001"), false, good, "AGGREGATOR is malformed"},
		// §7.8 "if its length is not a non-zero multiple of 4".
		{"§7.8", attr("c00806 fc0000010000"), false, pulled, "COMMUNITIES has a wrong length"},
		{"§7.8", attr("c00800"), false, pulled, "COMMUNITIES has a wrong length"},
		// §7.9, §7.10, as §7.5.
		{"§7.9 external", attr("800904 0a000007"), false, good, "ORIGINATOR_ID from an external neighbour"},
		{"§7.9 internal", attr("800905 0a00000700"), true, pulled, "ORIGINATOR_ID has a wrong length"},
		{"§7.10 external", attr("800a02 0a00"), false, good, "CLUSTER_LIST from an external neighbour"},
		{"§7.10 internal", attr("800a02 0a00"), true, pulled, "CLUSTER_LIST has a wrong length"},
	} {
		m, faults, n := Receive(c.in, Neighbour{External: !c.ibgp})
		got := nothing
		if n != nil {
			got = fmt.Sprintf("%d/%d", n.Code, n.Subcode)
		} else if u := m.Update; len(u.NLRI) > 0 {
			got = good
			if u.Attrs.HasMED {
				got += " with MED"
			}
			if u.Attrs.HasLocalPref {
				got += " with LOCAL_PREF"
			}
			if want := []netip.Prefix{prefix("10.9.0.0/16")}; !slices.Equal(u.Withdrawn, want) || u.NLRI[0] != prefix("10.2.0.0/16") || u.Attrs.Origin != bgp.OriginIGP || u.Attrs.NextHop != ip("169.254.10.1") {
				t.Errorf("%s: %+v %+v", c.why, u, u.Attrs)
			}
		} else if slices.Contains(u.Withdrawn, prefix("10.2.0.0/16")) {
			got = pulled
			if want := []netip.Prefix{prefix("10.9.0.0/16"), prefix("10.2.0.0/16")}; !slices.Equal(u.Withdrawn, want) || u.Attrs != nil {
				t.Errorf("%s: %+v", c.why, u)
			}
		}
		var said []string
		for _, f := range faults {
			said = append(said, f.String())
		}
		if got != c.want || strings.Join(said, "; ") != c.fault {
			t.Errorf("%s: %x: %s (%s), want %s (%s)", c.why, c.in[bgp.HeaderLen:], got, strings.Join(said, "; "), c.want, c.fault)
		}
		if m != nil && m.Size != len(c.in) {
			t.Errorf("%s: size %d", c.why, m.Size)
		}
	}
}

// Between two ends of one machine 127.0.0.0/8 are addresses of hosts.
func TestReceiveOverLoopback(t *testing.T) {
	in := update(t, "", origin+aspath+"400304 7f000002", nlri)
	m, faults, n := Receive(in, Neighbour{External: true, Loopback: true})
	if n != nil || len(faults) > 0 || m.Update.Attrs.NextHop != ip("127.0.0.2") {
		t.Errorf("%+v %v %+v", m, faults, n)
	}
}

// What RFC 4271 finds nothing wrong with, RFC 7606 does not either; and what it
// does not end the session for is a good message.
func FuzzReceive(f *testing.F) {
	for _, s := range samples {
		f.Add(octets(f, s.hex), false)
	}
	f.Add(update(f, "", origin+aspath+nexthop+"800403 000001", nlri), true)
	f.Add(update(f, "10 0a09", origin+aspath+nexthop+"400601 00"+origin, nlri), true)
	f.Fuzz(func(t *testing.T, b []byte, external bool) {
		if len(b) >= bgp.HeaderLen && len(b) <= MaxLen { // so that mutations reach the bodies
			b = slices.Clone(b)
			copy(b, octets(t, marker))
			binary.BigEndian.PutUint16(b[16:], uint16(len(b)))
			b[18] = 2
		}
		strict, refused := Decode(b)
		m, faults, n := Receive(b, Neighbour{External: external})
		switch {
		case (m == nil) == (n == nil):
			t.Fatalf("%x: %+v and %+v", b, m, n)
		case refused == nil && n != nil && slices.ContainsFunc(faults, func(f Fault) bool { return f.Attr == attrMPReach || f.Attr == attrMPUnreach }):
			// Receive is for sessions that have not agreed on IPv6.
		case refused == nil && !external && (n != nil || len(faults) > 0 || !reflect.DeepEqual(m, strict)):
			t.Fatalf("%x: %+v, %v, %+v; Decode has %+v", b, m, faults, n, strict)
		case n != nil && refused == nil:
			t.Fatalf("%x: NOTIFICATION %+v, which Decode does not have", b, n)
		case m != nil:
			once, err := Encode(m)
			if err != nil {
				t.Fatalf("%x: understood as %+v, but not encoded: %v", b, m, err)
			}
			if _, n := Decode(once); n != nil {
				t.Fatalf("%x -> %x: %+v", b, once, n)
			}
		}
	})
}
