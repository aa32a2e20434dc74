package wire

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/vpnsim/vpnsim/bgp"
)

var (
	ip     = netip.MustParseAddr
	prefix = netip.MustParsePrefix
)

// The messages that the other tests start from: one of each type, the OPEN and
// the UPDATE once bare and once with all that they can hold.
var samples = []struct {
	name string
	msg  *bgp.Message
	hex  string // the octets, header first, worked out from the RFCs by hand
}{
	{"keepalive", bgp.Keepalive, marker + "0013 04"},
	{"bare open", (&bgp.Message{Type: bgp.MsgOpen, Open: &bgp.Open{Version: 4, AS: 64512, HoldTime: 30, ID: ip("169.254.10.1")}}).Seal(),
		marker + "001d 01 04 fc00 001e a9fe0a01 00"},
	{"full open", (&bgp.Message{Type: bgp.MsgOpen, Open: &bgp.Open{Version: 4, AS: 4200000000, HoldTime: 90, ID: ip("10.0.0.1"),
		Families: []bgp.Family{bgp.IPv4Unicast, {AFI: 2, SAFI: 1}}, RouteRefresh: true, FourOctetAS: true,
		Restart:   &bgp.GracefulRestart{Restarting: true, Notify: true, Time: 120, Families: []bgp.RestartFamily{{Family: bgp.IPv4Unicast, Preserved: true}}},
		LongLived: &bgp.LongLived{Families: []bgp.LongLivedFamily{{Family: bgp.IPv4Unicast, Preserved: true, StaleTime: 86400}}}, BFDStrict: true}}).Seal(),
		marker + "0046 01 04 5ba0 005a 0a000001 29 0227" +
			"0104 00010001 0104 00020001 0200 4104 fa56ea00 4006 c078 00010180 4707 00010180 015180 4a00"},
	{"end of rib", (&bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{}}).Seal(), marker + "0017 02 0000 0000"},
	{"withdraw", (&bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{Withdrawn: []netip.Prefix{prefix("10.2.0.0/16"), prefix("10.4.0.0/14")}}}).Seal(),
		marker + "001d 02 0006 100a02 0e0a04 0000"},
	{"full update", (&bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{
		Withdrawn: []netip.Prefix{prefix("192.0.2.128/25")},
		NLRI:      []netip.Prefix{prefix("10.2.0.0/16"), prefix("10.3.3.3/32")},
		Attrs: &bgp.Attrs{Origin: bgp.OriginIncomplete,
			ASPath:  bgp.ASPath{{ASNs: []uint32{64512, 4200000000}}, {Set: true, ASNs: []uint32{1, 2}}},
			NextHop: ip("169.254.10.1"), MED: 100, HasMED: true, LocalPref: 200, HasLocalPref: true,
			AtomicAggregate: true, AggregatorAS: 65001, AggregatorID: ip("10.9.9.9"),
			Communities:  []uint32{64512<<16 | 7, 0xffffff01},
			OriginatorID: ip("10.0.0.7"), ClusterList: []netip.Addr{ip("10.0.0.8"), ip("10.0.0.9")}},
	}}).Seal(),
		marker + "007f 02 0005 19c0000280" + "005b" +
			"400101 02" +
			"400214 0202 0000fc00 fa56ea00 0102 00000001 00000002" +
			"400304 a9fe0a01" +
			"800404 00000064" +
			"400504 000000c8" +
			"400600" +
			"c00708 0000fde9 0a090909" +
			"c00808 fc000007 ffffff01" +
			"800904 0a000007" +
			"800a08 0a000008 0a000009" +
			"100a02 200a030303"},
	// RFC 4760 §3, §4; RFC 2545 §3: a next hop of 16 octets, and a reserved octet.
	{"ipv6 update", (&bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{
		NLRI:  []netip.Prefix{prefix("2001:db8:1::/48"), prefix("::/0")},
		Attrs: &bgp.Attrs{ASPath: bgp.ASPath{{ASNs: []uint32{64512}}}, NextHop: ip("fd00::1"), MED: 100, HasMED: true},
	}}).Seal(),
		marker + "004b 02 0000 0034" +
			"800e1d 0002 01 10 fd000000000000000000000000000001 00 30 20010db80001 00" +
			"400101 00" +
			"400206 0201 0000fc00" +
			"800404 00000064"},
	{"ipv6 withdraw", (&bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{Withdrawn: []netip.Prefix{prefix("10.2.0.0/16"), prefix("2001:db8::/33")}}}).Seal(),
		marker + "0026 02 0003 100a02 000c 800f09 0002 01 21 20010db800"},
	// RFC 4724 §2: "For any other <AFI, SAFI>, it is an UPDATE message that contains
	// only the MP_UNREACH_NLRI attribute … with no withdrawn routes for that <AFI, SAFI>."
	{"ipv6 end of rib", (&bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{Extra: &bgp.Extra{Ends: bgp.WithIPv6}}}).Seal(),
		marker + "001d 02 0000 0006 800f03 0002 01"},
	// RFC 7911 §3: a Path Identifier of four octets before each prefix; §4: code 69,
	// AFI, SAFI, and 1 to receive, 2 to send, 3 for both.
	{"open with add-path", (&bgp.Message{Type: bgp.MsgOpen, Open: &bgp.Open{Version: 4, AS: 64512, HoldTime: 30, ID: ip("169.254.10.1"),
		AddPath: []bgp.AddPath{{Family: bgp.IPv4Unicast, Send: true}, {Family: bgp.IPv6Unicast, Send: true, Receive: true}}}}).Seal(),
		marker + "0029 01 04 fc00 001e a9fe0a01 0c 020a 4508 00010102 00020103"},
	{"notification", (&bgp.Message{Type: bgp.MsgNotification, Notification: &bgp.Notification{Code: bgp.NoteCease, Subcode: bgp.CeaseAdminShutdown, Data: []byte{2, 'h', 'i'}}}).Seal(),
		marker + "0018 03 06 02 026869"},
	{"route refresh", (&bgp.Message{Type: bgp.MsgRouteRefresh, Refresh: &bgp.Family{AFI: 1, SAFI: 1}}).Seal(), marker + "0017 05 0001 00 01"},
}

const marker = "ffffffffffffffffffffffffffffffff"

func octets(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGoldenOctets(t *testing.T) {
	for _, s := range samples {
		want := octets(t, s.hex)
		got, err := Encode(s.msg)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\n got %x\nwant %x", s.name, got, want)
		}
		back, n := Decode(want)
		if n != nil || !reflect.DeepEqual(back, s.msg) {
			t.Errorf("%s: decoded as %+v, %+v", s.name, back, n)
		}
	}
}

// What is encoded is decoded as it was, and Seal knew the number of octets.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := message().Draw(t, "message").Seal()
		b, err := Encode(m)
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		if len(b) != m.Size {
			t.Fatalf("Seal says %d octets, there are %d: %x", m.Size, len(b), b)
		}
		paths := bgp.Families(0)
		if m.Update != nil {
			paths = m.Update.Identified()
		}
		back, n := DecodePaths(b, paths)
		if n != nil {
			t.Fatalf("decode %x: %+v", b, n)
		}
		if !reflect.DeepEqual(back, m) {
			t.Fatalf("got %+v", back)
		}
	})
}

// Attribute lengths around 255 change from one octet to two.
func TestSealAtTheExtendedLength(t *testing.T) {
	for n := 55; n < 75; n++ {
		path := make([]uint32, n)
		coms := make([]uint32, n)
		ids := make([]netip.Addr, n)
		for i := range path {
			path[i], coms[i], ids[i] = uint32(i+1), uint32(i), ip("10.0.0.1")
		}
		m := (&bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{NLRI: []netip.Prefix{prefix("10.0.0.0/8")},
			Attrs: &bgp.Attrs{NextHop: ip("10.0.0.1"), ASPath: bgp.ASPath{{ASNs: path}}, Communities: coms, ClusterList: ids}}}).Seal()
		b, err := Encode(m)
		if err != nil || len(b) != m.Size {
			t.Errorf("%d: %d octets, Seal says %d (%v)", n, len(b), m.Size, err)
		}
	}
}

// What the wire does not carry comes back in its plain form.
func TestNormalised(t *testing.T) {
	m := &bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{Withdrawn: []netip.Prefix{prefix("10.2.3.4/16")}, NLRI: []netip.Prefix{}}}
	b, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	back, n := Decode(b)
	if n != nil || back.Update.Withdrawn[0] != prefix("10.2.0.0/16") || back.Update.NLRI != nil {
		t.Errorf("%+v %+v", back, n)
	}
}

func TestEncodeRefuses(t *testing.T) {
	open := func(f func(*bgp.Open)) *bgp.Message {
		o := &bgp.Open{Version: 4, AS: 65001, ID: ip("10.0.0.1")}
		f(o)
		return &bgp.Message{Type: bgp.MsgOpen, Open: o}
	}
	update := func(f func(*bgp.Update)) *bgp.Message {
		u := &bgp.Update{NLRI: []netip.Prefix{prefix("10.0.0.0/8")}, Attrs: &bgp.Attrs{NextHop: ip("10.0.0.1")}}
		f(u)
		return &bgp.Message{Type: bgp.MsgUpdate, Update: u}
	}
	long := make([]netip.Prefix, 900)
	for i := range long {
		long[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}), 32)
	}
	for name, m := range map[string]*bgp.Message{
		"no such type":                       {Type: 9},
		"an OPEN without Open":               {Type: bgp.MsgOpen},
		"an UPDATE without Update":           {Type: bgp.MsgUpdate},
		"a NOTIFICATION without one":         {Type: bgp.MsgNotification},
		"a ROUTE-REFRESH without family":     {Type: bgp.MsgRouteRefresh},
		"a four-octet AS without capability": open(func(o *bgp.Open) { o.AS = 70000 }),
		"a BGP Identifier of 16 octets":      open(func(o *bgp.Open) { o.ID = ip("::1") }),
		"no BGP Identifier":                  open(func(o *bgp.Open) { o.ID = netip.Addr{} }),
		"a restart time of 13 bits":          open(func(o *bgp.Open) { o.Restart = &bgp.GracefulRestart{Time: 4096} }),
		"a stale time of 25 bits": open(func(o *bgp.Open) {
			o.LongLived = &bgp.LongLived{Families: []bgp.LongLivedFamily{{Family: bgp.IPv4Unicast, StaleTime: 1 << 24}}}
		}),
		"more capabilities than fit":           open(func(o *bgp.Open) { o.Families = make([]bgp.Family, 43) }),
		"an IPv6 prefix with an IPv4 next hop": update(func(u *bgp.Update) { u.NLRI[0] = prefix("2001:db8::/32") }),
		"prefixes of two families": update(func(u *bgp.Update) {
			u.NLRI, u.Attrs.NextHop = append(u.NLRI, prefix("2001:db8::/32")), ip("2001:db8::1")
		}),
		"an IPv4 prefix in IPv6's clothes":     update(func(u *bgp.Update) { u.Withdrawn = []netip.Prefix{prefix("::ffff:10.0.0.0/104")} }),
		"an invalid prefix":                    update(func(u *bgp.Update) { u.NLRI[0] = netip.Prefix{} }),
		"NLRI without attributes":              update(func(u *bgp.Update) { u.Attrs = nil }),
		"attributes without NLRI":              update(func(u *bgp.Update) { u.NLRI = nil }),
		"an IPv6 next hop":                     update(func(u *bgp.Update) { u.Attrs.NextHop = ip("::1") }),
		"no such origin":                       update(func(u *bgp.Update) { u.Attrs.Origin = 3 }),
		"an empty segment":                     update(func(u *bgp.Update) { u.Attrs.ASPath = bgp.ASPath{{}} }),
		"a segment of 256":                     update(func(u *bgp.Update) { u.Attrs.ASPath = bgp.ASPath{{ASNs: make([]uint32, 256)}} }),
		"an aggregator without address":        update(func(u *bgp.Update) { u.Attrs.AggregatorAS = 1 }),
		"an originator of 16 octets":           update(func(u *bgp.Update) { u.Attrs.OriginatorID = ip("::1") }),
		"a cluster of 16 octets":               update(func(u *bgp.Update) { u.Attrs.ClusterList = []netip.Addr{ip("::1")} }),
		"more prefixes than 4096 octets":       update(func(u *bgp.Update) { u.NLRI = long }),
		"a notification with 5000 octets more": {Type: bgp.MsgNotification, Notification: &bgp.Notification{Data: make([]byte, 5000)}},
	} {
		if b, err := Encode(m); err == nil {
			t.Errorf("%s: encoded as %x", name, b)
		}
		if b, err := Append([]byte("kept"), m); err == nil || string(b) != "kept" {
			t.Errorf("%s: Append gave %q, %v", name, b, err)
		}
	}
}

func TestSplit(t *testing.T) {
	var stream []byte
	for _, s := range samples {
		var err error
		if stream, err = Append(stream, s.msg); err != nil {
			t.Fatal(err)
		}
	}
	// Whatever the pieces that TCP delivers, the same messages come out.
	for size := 1; size < 200; size += 7 {
		var buf []byte
		i := 0
		for at := 0; at < len(stream); at += size {
			buf = append(buf, stream[at:min(at+size, len(stream))]...)
			for {
				msg, rest, n := Split(buf)
				if n != nil {
					t.Fatalf("pieces of %d: %+v", size, n)
				}
				if buf = rest; msg == nil {
					break
				}
				if got, n := Decode(msg); n != nil || !reflect.DeepEqual(got, samples[i].msg) {
					t.Fatalf("pieces of %d: message %d is %+v, %+v", size, i, got, n)
				}
				i++
			}
		}
		if i != len(samples) || len(buf) != 0 {
			t.Fatalf("pieces of %d: %d messages, %d octets left", size, i, len(buf))
		}
	}

	// A bad header is known before the rest of its message comes.
	bad := octets(t, "ff"+marker[:28]+"00"+"0013 04")
	if msg, rest, n := Split(bad); msg != nil || rest != nil || n == nil || n.Code != bgp.NoteHeader || n.Subcode != headerNotSynchronized {
		t.Errorf("%x %x %+v", msg, rest, n)
	}
	if _, _, n := Split(octets(t, marker+"ffff 02")); n == nil || n.Subcode != headerBadLength {
		t.Errorf("%+v", n)
	}
}

// A caller may go on to use the memory that it gave.
func TestDecodeSharesNothing(t *testing.T) {
	for _, s := range samples {
		b := octets(t, s.hex)
		m, n := Decode(b)
		if n != nil {
			t.Fatal(n)
		}
		for i := range b {
			b[i] = 0xee
		}
		if !reflect.DeepEqual(m, s.msg) {
			t.Errorf("%s changed to %+v", s.name, m)
		}
	}
}

// RFC 7911 §3: "the Path Identifier field … followed by the Prefix". Without what was
// agreed in the OPENs, the same octets are something else.
func TestPathIdentifiersOnTheWire(t *testing.T) {
	m := (&bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{Withdrawn: []netip.Prefix{prefix("10.2.0.0/16")}, Extra: &bgp.Extra{Withdrawn: []uint32{7}}}}).Seal()
	want := octets(t, marker+"001e 02 0007 00000007 100a02 0000")
	if b, err := Encode(m); err != nil || !bytes.Equal(b, want) || m.Size != len(b) {
		t.Errorf("%x, %v, sealed as %d", b, err, m.Size)
	}
	if back, n := DecodePaths(want, bgp.WithIPv4); n != nil || !reflect.DeepEqual(back, m) {
		t.Errorf("%+v %+v", back, n)
	}
	if back, n := Decode(want); n == nil && reflect.DeepEqual(back, m) {
		t.Errorf("read without an agreement: %+v", back)
	}
	if _, n := DecodePaths(octets(t, marker+"001a 02 0003 000000 0000"), bgp.WithIPv4); n == nil || n.Subcode != updateNetwork {
		t.Errorf("half an identifier: %+v", n)
	}
}
