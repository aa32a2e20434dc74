package wire

import (
	"encoding/binary"
	"encoding/hex"
	"reflect"
	"slices"
	"testing"

	"github.com/vpnsim/vpnsim/bgp"
)

// Pieces of messages in hex; length fields are filled in by msg and update.
const (
	origin  = "400101 00"
	aspath  = "400206 0201 0000fc00"
	nexthop = "400304 a9fe0a01"
	nlri    = "10 0a02"
)

// msg is a message of that type with a true length.
func msg(t testing.TB, kind byte, body string) []byte {
	b := append(octets(t, marker+"0000"), kind)
	b = append(b, octets(t, body)...)
	binary.BigEndian.PutUint16(b[16:], uint16(len(b)))
	return b
}

// update is an UPDATE with true lengths.
func update(t testing.TB, withdrawn, attrs, nlri string) []byte {
	w, a := octets(t, withdrawn), octets(t, attrs)
	b := binary.BigEndian.AppendUint16(nil, uint16(len(w)))
	b = append(b, w...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(a)))
	b = append(b, a...)
	return msg(t, 2, hex.EncodeToString(b)+nlri)
}

// RFC 4271 §6: for each malformed message the NOTIFICATION that it deserves.
func TestMalformed(t *testing.T) {
	all := origin + aspath + nexthop
	raw := func(s string) []byte { return octets(t, s) }
	open := func(s string) []byte { return msg(t, 1, s) }
	attr := func(s string) []byte { return update(t, "", all+s, nlri) }
	instead := func(o, p, n string) []byte { return update(t, "", o+p+n, nlri) }

	for _, c := range []struct {
		name string
		in   []byte
		code bgp.NoteCode
		sub  uint8
		data string
	}{
		// §6.1
		{"nothing at all", nil, 1, 2, ""},
		{"half a header", raw(marker), 1, 2, ""},
		{"a marker that is not all ones", raw("fe" + marker[2:] + "0013 04"), 1, 1, ""},
		{"a length below 19", raw(marker + "0012 04"), 1, 2, "0012"},
		{"a length above 4096", raw(marker + "1001 02"), 1, 2, "1001"},
		{"an OPEN below its minimum", raw(marker + "001c 01 04 fc00 001e a9fe0a01"), 1, 2, "001c"},
		{"an UPDATE below its minimum", raw(marker + "0016 02 000000"), 1, 2, "0016"},
		{"a KEEPALIVE with a body", raw(marker + "0014 04 00"), 1, 2, "0014"},
		{"a NOTIFICATION below its minimum", raw(marker + "0014 03 06"), 1, 2, "0014"},
		{"a ROUTE-REFRESH of another length", raw(marker + "0016 05 000100"), 1, 2, "0016"},
		{"a type that does not exist", raw(marker + "0013 09"), 1, 3, "09"},
		{"type zero", raw(marker + "0013 00"), 1, 3, "00"},
		{"more octets than the length says", raw(marker + "0013 04 00"), 1, 2, "0013"},
		{"fewer octets than the length says", raw(marker + "0020 02 0000 0000"), 1, 2, "0020"},

		// §6.2
		{"version 3", open("03 fc00 001e a9fe0a01 00"), 2, 1, "0004"},
		{"hold time 1", open("04 fc00 0001 a9fe0a01 00"), 2, 6, ""},
		{"hold time 2", open("04 fc00 0002 a9fe0a01 00"), 2, 6, ""},
		{"identifier zero", open("04 fc00 001e 00000000 00"), 2, 3, ""},
		{"AS 0", open("04 0000 001e a9fe0a01 00"), 2, 2, ""},
		{"AS 0 in four octets", open("04 5ba0 001e a9fe0a01 08 0206 4104 00000000"), 2, 2, ""},
		{"parameters longer than the message", open("04 fc00 001e a9fe0a01 04 0200"), 2, 0, ""},
		{"parameters shorter than the message", open("04 fc00 001e a9fe0a01 00 0200"), 2, 0, ""},
		{"half a parameter header", open("04 fc00 001e a9fe0a01 01 02"), 2, 0, ""},
		{"a parameter beyond the end", open("04 fc00 001e a9fe0a01 02 0204"), 2, 0, ""},
		{"the authentication parameter of RFC 1771", open("04 fc00 001e a9fe0a01 03 0101 00"), 2, 4, ""},
		{"half a capability header", open("04 fc00 001e a9fe0a01 03 0201 01"), 2, 0, ""},
		{"a capability beyond its parameter", open("04 fc00 001e a9fe0a01 04 0202 0104"), 2, 0, ""},
		{"multiprotocol of three octets", open("04 fc00 001e a9fe0a01 07 0205 0103 000100"), 2, 0, ""},
		{"four-octet AS of two octets", open("04 fc00 001e a9fe0a01 06 0204 4102 fc00"), 2, 0, ""},
		{"route refresh with a value", open("04 fc00 001e a9fe0a01 05 0203 0201 00"), 2, 0, ""},
		{"graceful restart of three octets", open("04 fc00 001e a9fe0a01 07 0205 4003 007800"), 2, 0, ""},

		// §6.3
		{"withdrawn routes longer than the message", msg(t, 2, "0009 0000"), 3, 1, ""},
		{"withdrawn routes that leave no room for attributes", msg(t, 2, "0002 0000"), 3, 1, ""},
		{"attributes longer than the message", msg(t, 2, "0000 0009 400101"), 3, 1, ""},
		{"half an attribute header", update(t, "", "4001", ""), 3, 1, ""},
		{"half an extended attribute header", update(t, "", "500100", ""), 3, 1, ""},
		{"an attribute beyond the list", update(t, "", "400105 00", ""), 3, 5, "40010500"},
		{"an extended attribute beyond the list", update(t, "", "50010100 00", ""), 3, 5, "5001010000"},
		{"an attribute twice", attr(origin), 3, 1, ""},
		{"an unknown well-known attribute", attr("40fe01 07"), 3, 2, "40fe0107"},
		{"attribute zero", attr("400000"), 3, 2, "400000"},
		{"no ORIGIN", instead("", aspath, nexthop), 3, 3, "01"},
		{"no AS_PATH", instead(origin, "", nexthop), 3, 3, "02"},
		{"no NEXT_HOP", instead(origin, aspath, ""), 3, 3, "03"},
		{"an optional ORIGIN", instead("c00101 00", aspath, nexthop), 3, 4, "c0010100"},
		{"a partial AS_PATH", instead(origin, "600200", nexthop), 3, 4, "600200"},
		{"a transitive MED", attr("c00404 00000001"), 3, 4, "c0040400000001"},
		{"a partial MED", attr("a00404 00000001"), 3, 4, "a0040400000001"},
		{"a well-known COMMUNITIES", attr("400804 fc000001"), 3, 4, "400804fc000001"},
		{"ORIGIN of two octets", instead("400102 0000", aspath, nexthop), 3, 5, "4001020000"},
		{"NEXT_HOP of 16 octets", instead(origin, aspath, "400310 20010db8000000000000000000000001"), 3, 5, "40031020010db8000000000000000000000001"},
		{"MED of three octets", attr("800403 000001"), 3, 5, "800403000001"},
		{"LOCAL_PREF of no octets", attr("400500"), 3, 5, "400500"},
		{"ATOMIC_AGGREGATE with a value", attr("400601 00"), 3, 5, "40060100"},
		{"AGGREGATOR with a two-octet AS", attr("c00706 fc00 0a000001"), 3, 5, "c00706fc000a000001"},
		{"COMMUNITIES of six octets", attr("c00806 fc0000010000"), 3, 5, "c00806fc0000010000"},
		{"COMMUNITIES of no octets", attr("c00800"), 3, 5, "c00800"},
		{"ORIGINATOR_ID of five octets", attr("800905 0a00000100"), 3, 5, "8009050a00000100"},
		{"CLUSTER_LIST of two octets", attr("800a02 0a00"), 3, 5, "800a020a00"},
		{"ORIGIN 3", instead("400101 03", aspath, nexthop), 3, 6, "40010103"},
		{"NEXT_HOP 0.0.0.0", instead(origin, aspath, "400304 00000000"), 3, 8, "40030400000000"},
		{"NEXT_HOP 127.0.0.1", instead(origin, aspath, "400304 7f000001"), 3, 8, "4003047f000001"},
		{"NEXT_HOP 224.0.0.1", instead(origin, aspath, "400304 e0000001"), 3, 8, "400304e0000001"},
		{"NEXT_HOP 255.255.255.255", instead(origin, aspath, "400304 ffffffff"), 3, 8, "400304ffffffff"},
		{"AGGREGATOR with AS 0", attr("c00708 00000000 0a000001"), 3, 9, "c00708000000000a000001"},
		{"routes of another family", attr("800e03 000202"), 3, 9, "800e03000202"},
		{"the End-of-RIB of another family", update(t, "", "800f03 000202", ""), 3, 9, "800f03000202"},
		// RFC 2545 §3: "The value of the Length of Next Hop Network Address field …
		// shall be set to 16, when only a global address is present, or 32".
		{"an IPv4 next hop of IPv6 routes", update(t, "", origin+aspath+"800e0e 000201 04 0a000001 00 20 20010db8", ""), 3, 9, "800e0e000201040a000001002020010db8"},
		{"a link-local next hop", update(t, "", origin+aspath+"800e1a 000201 10 fe800000000000000000000000000001 00 20 20010db8", ""), 3, 9, "800e1a00020110fe800000000000000000000000000001002020010db8"},
		{"IPv6 routes without any", update(t, "", origin+aspath+"800e15 000201 10 20010db8000000000000000000000001 00", ""), 3, 9, "800e150002011020010db800000000000000000000000100"},
		{"an IPv6 prefix of 129 bits", update(t, "", "800f04 000201 81", ""), 3, 9, "800f0400020181"},
		{"half an IPv6 prefix", update(t, "", "800f05 000201 20 20", ""), 3, 9, "800f050002012020"},
		{"a transitive MP_UNREACH_NLRI", update(t, "", "c00f03 000201", ""), 3, 9, "c00f03000201"},
		{"IPv6 routes without AS_PATH", update(t, "", origin+"800e1a 000201 10 20010db8000000000000000000000001 00 20 20010db8", ""), 3, 3, "02"},
		{"routes of two families", attr("800e1a 000201 10 20010db8000000000000000000000001 00 20 20010db8"), 3, 1, ""},
		{"a prefix of 33 bits", update(t, "", all, "21 0a00000000"), 3, 10, ""},
		{"half a prefix", update(t, "", all, "18 0a02"), 3, 10, ""},
		{"a withdrawn prefix of 33 bits", update(t, "21 0a00000000", "", ""), 3, 10, ""},
		{"half a withdrawn prefix", update(t, "18 0a02", "", ""), 3, 10, ""},
		{"a confederation segment", instead(origin, "400206 0301 0000fc00", nexthop), 3, 11, ""},
		{"an AS_PATH segment of type 0", instead(origin, "400206 0001 0000fc00", nexthop), 3, 11, ""},
		{"an empty AS_PATH segment", instead(origin, "400202 0200", nexthop), 3, 11, ""},
		{"half an AS_PATH segment header", instead(origin, "400201 02", nexthop), 3, 11, ""},
		{"an AS_PATH segment beyond the attribute", instead(origin, "400206 0202 0000fc00", nexthop), 3, 11, ""},
		{"AS numbers of two octets", instead(origin, "400204 0201 fc00", nexthop), 3, 11, ""},
		{"AS 0 in AS_PATH", instead(origin, "40020a 0202 0000fc00 00000000", nexthop), 3, 11, ""},
	} {
		m, n := Decode(c.in)
		if m != nil || n == nil {
			t.Errorf("%s: taken for %+v", c.name, m)
			continue
		}
		if n.Code != c.code || n.Subcode != c.sub || hex.EncodeToString(n.Data) != c.data {
			t.Errorf("%s: NOTIFICATION %d/%d %x, want %d/%d %s", c.name, n.Code, n.Subcode, n.Data, c.code, c.sub, c.data)
		}
	}
}

// What a receiver has to put up with, and what it then understands.
func TestTolerated(t *testing.T) {
	plain, n := Decode(update(t, "", origin+aspath+nexthop, nlri))
	if n != nil {
		t.Fatal(n)
	}
	for name, in := range map[string][]byte{
		"an unknown optional attribute":                         update(t, "", origin+aspath+nexthop+"c0fe02 0000", nlri),
		"a known optional attribute that is not modelled":       update(t, "", origin+aspath+nexthop+"c0100100", nlri), // malformed for gobgp
		"flags whose lower four bits are set":                   update(t, "", "4e0101 00"+aspath+nexthop, nlri),
		"an extended length where one octet would do":           update(t, "", "50010001 00"+aspath+nexthop, nlri),
		"attributes in another order":                           update(t, "", nexthop+aspath+origin, nlri),
		"trailing bits in the prefix are irrelevant (RFC 4271)": update(t, "", origin+aspath+nexthop, "0f 0a03"),
	} {
		m, n := Decode(in)
		if n != nil {
			t.Errorf("%s: NOTIFICATION %d/%d", name, n.Code, n.Subcode)
			continue
		}
		want := *plain.Update
		if in[len(in)-3] == 0x0f {
			want.NLRI = m.Update.NLRI
			if m.Update.NLRI[0].String() != "10.2.0.0/15" {
				t.Errorf("%s: %v", name, m.Update.NLRI)
			}
		}
		if !reflect.DeepEqual(*m.Update, want) || m.Size != len(in) {
			t.Errorf("%s: %+v", name, m.Update)
		}
	}

	// Attributes of a withdrawal say nothing.
	m, n := Decode(update(t, nlri, origin, ""))
	if n != nil || m.Update.Attrs != nil || len(m.Update.Withdrawn) != 1 {
		t.Errorf("withdrawal with attributes: %+v %+v", m, n)
	}

	// Unknown capabilities, several parameters, the same capability twice.
	m, n = Decode(msg(t, 1, "04 5ba0 001e a9fe0a01 25 0202 0200 0206 0104 00010001 0203 8001ff 0206 0104 00010001 0206 4104 fa56ea00 0202 4900"))
	want := &bgp.Open{Version: 4, AS: 4200000000, HoldTime: 30, ID: ip("169.254.10.1"), Families: []bgp.Family{bgp.IPv4Unicast}, RouteRefresh: true, FourOctetAS: true}
	if n != nil || !reflect.DeepEqual(m.Open, want) {
		t.Errorf("capabilities: %+v %+v", m, n)
	}

	// An OPEN full to the last octet: 50 empty capabilities in 50 parameters.
	full := "04 fc00 001e a9fe0a01 fc"
	for range 63 {
		full += "0202 0200"
	}
	if m, n = Decode(msg(t, 1, full)); n != nil || !m.Open.RouteRefresh {
		t.Errorf("full OPEN: %+v %+v", m, n)
	}
}

// Whatever comes, Decode neither panics nor changes its mind: what it has
// understood is encoded, and decoded again to the same.
func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		f.Add(octets(f, s.hex))
	}
	f.Add(octets(f, marker+"0029 01 04 fc00 001e a9fe0a01 0c 0206 0104 00010001 0202 0200"))
	f.Add(octets(f, marker+"0037 02 0000 001d 500100 0100 5002 0006 0201 0000fc00 400304 a9fe0a01 c0fe02 0000 10 0a02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		decodeTwice(t, b)
		if len(b) >= bgp.HeaderLen && len(b) <= MaxLen {
			// The same with a good marker and a true length, so that mutations
			// reach the bodies.
			b = slices.Clone(b)
			copy(b, octets(t, marker))
			binary.BigEndian.PutUint16(b[16:], uint16(len(b)))
			b[18] = b[18]%5 + 1
			decodeTwice(t, b)
		}
	})
}

func decodeTwice(t *testing.T, b []byte) {
	m, n := Decode(b)
	if (m == nil) == (n == nil) {
		t.Fatalf("%x: %+v and %+v", b, m, n)
	}
	if n != nil {
		if n.Code < bgp.NoteHeader || n.Code > bgp.NoteUpdate {
			t.Fatalf("%x: NOTIFICATION code %d", b, n.Code)
		}
		return
	}
	if m.Size != len(b) {
		t.Fatalf("%x: size %d", b, m.Size)
	}
	once, err := Encode(m)
	if err != nil {
		t.Fatalf("%x: understood, but not encoded: %v", b, err)
	}
	again, n := Decode(once)
	if n != nil {
		t.Fatalf("%x -> %x: %+v", b, once, n)
	}
	if m.Seal(); !reflect.DeepEqual(m, again) {
		t.Fatalf("%x -> %x: %+v, then %+v", b, once, m, again)
	}
	// Split agrees with Decode about where the message ends.
	if got, rest, n := Split(append(once, 1, 2, 3)); n != nil || len(got) != len(once) || len(rest) != 3 {
		t.Fatalf("%x: split to %x, %x, %+v", once, got, rest, n)
	}
}
