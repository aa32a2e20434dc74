package bgp_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
)

func TestSessionUpSendsEverythingThenEndOfRIB(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("rfc4271", 64512))
	r.originate("10.1.0.0/16")
	r.originate("10.2.0.0/16")
	r.up(0)
	r.want(`
	originate 10.1.0.0/16
	  route 10.1.0.0/16: from -1 (only path)
	originate 10.2.0.0/16
	  route 10.2.0.0/16: from -1 (only path)
	peer 0 up
	  to 0: [10.1.0.0/16 10.2.0.0/16] path [65000] via 10.0.0.1
	  to 0: End-of-RIB`)
	if r.s.EndOfRIB(0) {
		t.Error("End-of-RIB before the peer sent one")
	}
	r.step("0 sends End-of-RIB", 0, updateInput(&bgp.Update{}))
	if !r.s.EndOfRIB(0) {
		t.Error("the peer's End-of-RIB was not recognised")
	}
	r.down(0)
	if r.s.EndOfRIB(0) {
		t.Error("End-of-RIB of a session that is over")
	}
}

// §9: "the new route SHALL replace the older route in the Adj-RIB-In, thus
// implicitly withdrawing the older route from service."
func TestAnnouncementReplacesTheFormerOne(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("rfc4271", 64512, 64513))
	r.up(0, 1)
	r.quiet()
	r.announce(0, pathAttrs(asPath(64512, 1)), tenSlash8)
	r.announce(0, pathAttrs(asPath(64512, 2)), tenSlash8)
	r.withdraw(0, tenSlash8)
	r.want(`
	0 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 0 (only path)
	  to 0: [10.0.0.0/8] path [65000 64512 1] via 10.0.0.1
	  to 1: [10.0.0.0/8] path [65000 64512 1] via 10.0.1.1
	0 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 0 (only path)
	  to 0: [10.0.0.0/8] path [65000 64512 2] via 10.0.0.1
	  to 1: [10.0.0.0/8] path [65000 64512 2] via 10.0.1.1
	0 withdraws 10.0.0.0/8
	  route 10.0.0.0/8: none
	  to 0: withdraw [10.0.0.0/8]
	  to 1: withdraw [10.0.0.0/8]`)
}

// The seed's failover seen from here: both ends hold the other path already,
// so losing a session is a local decision and no UPDATE is sent. §9.2: "A BGP
// speaker SHOULD NOT advertise a given feasible BGP route from its Adj-RIB-Out
// if it would produce an UPDATE message containing the same BGP route as was
// previously advertised."
func TestLosingOneOfTwoEqualPathsNeedsNoUpdate(t *testing.T) {
	cfg := speakerOf("rfc4271", 64512, 64512)
	cfg.Peers[0].MRAI, cfg.Peers[1].MRAI = mrai30, mrai30
	r := newSpeakerRig(t, cfg)
	r.originate("10.1.0.0/16")
	r.up(0, 1)
	r.announce(0, pathAttrs(asPath(64512)), "10.2.0.0/16")
	r.announce(1, pathAttrs(asPath(64512)), "10.2.0.0/16")
	r.timer(0)
	r.timer(1)
	r.timer(0)
	r.timer(1)
	r.quiet()
	r.down(0)
	r.want(`
	peer 0 down
	  route 10.2.0.0/16: from 1 (only path)`)
	if n := r.s.Waiting(1); n != 0 {
		t.Errorf("%d advertisements wait", n)
	}
}

func TestWhatChangesNothingDoesNothing(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("rfc4271", 64512, 64513))
	r.originate("10.1.0.0/16")
	r.up(0, 1)
	r.announce(0, pathAttrs(asPath(64512)), tenSlash8)
	r.quiet()
	r.announce(0, pathAttrs(asPath(64512)), tenSlash8) // equal, not identical
	r.withdraw(0, "192.0.2.0/24")
	r.originate("10.1.0.0/16")
	r.retract("10.9.0.0/16")
	r.timer(0)
	r.step("an update from nobody", 7, updateInput(&bgp.Update{Withdrawn: prefixList(tenSlash8)}))
	r.step("an update from the router itself", bgp.Local, updateInput(&bgp.Update{Withdrawn: prefixList(tenSlash8)}))
	r.step("an invalid prefix", bgp.Local, bgp.Input{Kind: bgp.InOriginate})
	r.step("an update without a message", 0, bgp.Input{Kind: bgp.InUpdate})
	r.step("reach without attributes", 0, updateInput(&bgp.Update{NLRI: prefixList("192.0.2.0/24")}))
	if strings.Contains(r.log.String(), "  ") {
		t.Errorf("something was done:\n%s", r.log.String())
	}
	r.down(1)
	r.quiet()
	r.announce(1, pathAttrs(asPath(64513)), "192.0.2.0/24")
	if strings.Contains(r.log.String(), "  ") {
		t.Errorf("an update from a peer that is down was heard:\n%s", r.log.String())
	}
}

// What was said before keeps its age: FRR and GoBGP alike.
func TestRepetitionKeepsTheAge(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("gobgp", 1, 1))
	r.up(0, 1)
	for _, p := range []bgp.PeerID{1, 0, 1} {
		r.announce(p, pathAttrs(asPath(1)), tenSlash8)
		r.now += time.Second
	}
	if got := r.s.Route(prefixList(tenSlash8)[0]).Best.Peer; got != 1 {
		t.Errorf("best is %d", got)
	}
}

// §4.3: "A BGP speaker SHOULD treat an UPDATE message of this form as though the
// WITHDRAWN ROUTES do not contain the address prefix."
func TestPrefixBothWithdrawnAndAnnounced(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("rfc4271", 64512))
	r.up(0)
	a := pathAttrs(asPath(64512))
	r.announce(0, a, tenSlash8)
	stamp := r.s.Route(prefixList(tenSlash8)[0])
	r.quiet()
	r.step("both", 0, updateInput(&bgp.Update{Withdrawn: prefixList(tenSlash8), Attrs: a, NLRI: prefixList(tenSlash8)}))
	r.want("both")
	if r.s.Route(prefixList(tenSlash8)[0]) != stamp {
		t.Error("the route was made anew")
	}
}

func TestPathsThatAreNoCandidates(t *testing.T) {
	p := prefixList(tenSlash8)[0]
	for _, c := range []struct {
		sentence string
		peer     bgp.PeerID
		attrs    *bgp.Attrs
		rule     bgp.Rule
	}{
		// §9.1.2: "If the AS_PATH attribute of a BGP route contains an AS loop, the
		// BGP route should be excluded from the Phase 2 decision function."
		{"a loop", 0, pathAttrs(asPath(64512, 65000, 1)), bgp.RuleLoop},
		{"a loop hidden in an AS_SET", 0, pathAttrs(bgp.ASPath{{ASNs: []uint32{64512}}, {Set: true, ASNs: []uint32{3, 65000}}}), bgp.RuleLoop},
		// §5.1.3: "A BGP speaker SHALL NOT install a route with itself as the next hop."
		{"the router itself as next hop", 0, pathAttrs(asPath(64512), func(a *bgp.Attrs) { a.NextHop = netip.MustParseAddr("10.0.1.1") }), bgp.RuleOwnNextHop},
		// RFC 4456 §8: "A router that recognizes the ORIGINATOR_ID attribute SHOULD
		// ignore a route received with its BGP Identifier as the ORIGINATOR_ID."
		{"reflected back", 1, pathAttrs(nil, func(a *bgp.Attrs) { a.OriginatorID = netip.MustParseAddr("1.1.1.1") }), bgp.RuleReflected},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			r := newSpeakerRig(t, speakerOf("rfc4271", 64512, 65000))
			r.up(0, 1)
			r.announce(c.peer, pathAttrs(asPath(64512)), tenSlash8)
			r.announce(c.peer, c.attrs, tenSlash8) // replaces a good one: it is as if withdrawn
			if r.s.Route(p) != nil {
				t.Error("it is used")
			}
			v := r.s.Explain(p)
			if len(v) != 1 || v[0].Rule != c.rule || v[0].Candidate() {
				t.Errorf("verdict %+v", v)
			}
			if len(r.s.Paths(p)) != 0 || len(r.s.Prefixes()) != 0 {
				t.Error("it is listed among the candidates")
			}
			r.announce(c.peer, pathAttrs(asPath(64512)), tenSlash8)
			if r.s.Route(p) == nil {
				t.Error("a good path does not replace it")
			}
		})
	}
}

// What goes over eBGP and over iBGP, and what does not.
func TestExport(t *testing.T) {
	p := prefixList("198.51.100.0/24")[0]
	const ebgpA, ebgpB, ibgpA, ibgpB = 0, 1, 2, 3
	nobody := "nothing"
	for _, c := range []struct {
		sentence string
		from     bgp.PeerID // Local: originated
		attrs    *bgp.Attrs
		edit     func(*bgp.SpeakerConfig)
		to       bgp.PeerID
		want     string
	}{
		// §5.1.2 b): "prepends its own AS number as the last element of the sequence"
		// §5.1.3 2): "the IP address of the interface"
		{"eBGP to eBGP: own AS, own address", ebgpA, pathAttrs(asPath(1, 9)), nil, ebgpB, "path [65000 1 9] via 10.0.1.1"},
		{"an originated route carries one AS", bgp.Local, nil, nil, ebgpB, "path [65000] via 10.0.1.1"},
		{"an originated route to iBGP: empty path, own address, LOCAL_PREF", bgp.Local, nil, nil, ibgpA, "path via 10.0.2.1 pref 100"},
		// §5.1.4: MED "MUST NOT be propagated to other neighboring ASes"
		{"MED stops at the AS border", ebgpA, pathAttrs(asPath(1), withMED(7)), nil, ebgpB, "path [65000 1] via 10.0.1.1"},
		{"MED goes on inside the AS", ebgpA, pathAttrs(asPath(1), withMED(7)), nil, ibgpA, "path [1] via 203.0.113.9 med 7 pref 100"},
		// §5.1.5: LOCAL_PREF from an external peer "MUST be ignored"
		{"LOCAL_PREF from outside is ignored", ebgpA, pathAttrs(asPath(1), withPref(900)), nil, ibgpA, "path [1] via 203.0.113.9 pref 100"},
		{"LOCAL_PREF stays inside", ibgpA, pathAttrs(asPath(1), withPref(900)), nil, ebgpB, "path [65000 1] via 10.0.1.1"},
		// §9.2: not to "other internal peers"
		{"iBGP is not passed on to iBGP", ibgpA, pathAttrs(asPath(1)), nil, ibgpB, nobody},
		{"eBGP to iBGP keeps the next hop", ebgpA, pathAttrs(asPath(1)), nil, ibgpA, "path [1] via 203.0.113.9 pref 100"},
		{"next-hop-self does not", ebgpA, pathAttrs(asPath(1)), func(c *bgp.SpeakerConfig) { c.Peers[ibgpA].NextHopSelf = true }, ibgpA,
			"path [1] via 10.0.2.1 pref 100"},
		// §5.1.3: "SHALL NOT be advertised to a peer using an address of that peer as NEXT_HOP"
		{"never a peer's own address as its next hop", ebgpA, pathAttrs(asPath(1), func(a *bgp.Attrs) { a.NextHop = netip.MustParseAddr("10.0.2.2") }),
			nil, ibgpA, nobody},
		{"without split horizon a route goes back where it came from", ebgpA, pathAttrs(asPath(1)), nil, ebgpA, "path [65000 1] via 10.0.0.1"},
		{"NoEcho: it does not", ebgpA, pathAttrs(asPath(1)), func(c *bgp.SpeakerConfig) { c.Peers[ebgpA].NoEcho = true }, ebgpA, nobody},
		{"OwnOnly: a router that is no transit keeps it to itself", ebgpA, pathAttrs(asPath(1)), func(c *bgp.SpeakerConfig) { c.Peers[ebgpB].OwnOnly = true }, ebgpB, nobody},
		// RFC 9234 §1: "providing transit between lateral peers or providers" is a leak
		{"what a provider says does not go to a peer", ebgpA, pathAttrs(asPath(1)), roles(bgp.IsProvider, bgp.IsPeer), ebgpB, nobody},
		{"what a peer says does not go to a provider", ebgpA, pathAttrs(asPath(1)), roles(bgp.IsPeer, bgp.IsProvider), ebgpB, nobody},
		{"what a provider says goes to customers", ebgpA, pathAttrs(asPath(1)), roles(bgp.IsProvider, bgp.IsCustomer), ebgpB, "path [65000 1] via 10.0.1.1"},
		{"what a customer says goes to peers", ebgpA, pathAttrs(asPath(1)), roles(bgp.IsCustomer, bgp.IsPeer), ebgpB, "path [65000 1] via 10.0.1.1"},
		{"what is the router's own goes to providers", bgp.Local, nil, roles(bgp.IsCustomer, bgp.IsProvider), ebgpB, "path [65000] via 10.0.1.1"},
		{"a peer whose AS is in the path gets it and drops it", ebgpA, pathAttrs(asPath(1, 2)), nil, ebgpB, "path [65000 1 2] via 10.0.1.1"},
		{"SenderSideLoop: it does not get it", ebgpA, pathAttrs(asPath(1, 2)), func(c *bgp.SpeakerConfig) { c.Peers[ebgpB].SenderSideLoop = true }, ebgpB, nobody},
		// RFC 1997
		{"NO_ADVERTISE goes to nobody", ebgpA, pathAttrs(asPath(1), withCommunities(bgp.NoAdvertise)), nil, ibgpA, nobody},
		{"NO_EXPORT stays inside the AS", ebgpA, pathAttrs(asPath(1), withCommunities(bgp.NoExport)), nil, ebgpB, nobody},
		{"NO_EXPORT goes to iBGP", ebgpA, pathAttrs(asPath(1), withCommunities(bgp.NoExport)), nil, ibgpA,
			"path [1] via 203.0.113.9 pref 100 communities [ffffff01]"},
		{"communities are passed on", ebgpA, pathAttrs(asPath(1), withCommunities(5, 3)), nil, ebgpB, "path [65000 1] via 10.0.1.1 communities [5 3]"},
		{"an AS_SET in front gets a new sequence before it", ebgpA, pathAttrs(bgp.ASPath{{Set: true, ASNs: []uint32{7, 8}}}), nil, ebgpB,
			"path [65000] [7 8] via 10.0.1.1"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			cfg := speakerOf("rfc4271", 1, 2, 65000, 65000)
			if c.edit != nil {
				c.edit(&cfg)
			}
			r := newSpeakerRig(t, cfg)
			r.up(0, 1, 2, 3)
			if c.from == bgp.Local {
				r.originate(p.String())
			} else {
				r.announce(c.from, c.attrs, p.String())
			}
			if got := attrsText(r.s.Advertised(c.to, p)); got != c.want {
				t.Errorf("it is told %q, want %q", got, c.want)
			}
		})
	}
}

// roles gives the two external peers of TestExport theirs.
func roles(a, b bgp.Role) func(*bgp.SpeakerConfig) {
	return func(c *bgp.SpeakerConfig) { c.Peers[0].Role, c.Peers[1].Role = a, b }
}

// RFC 4456: these attributes are carried inside the AS and end at its border.
func TestReflectionAttributesEndAtTheBorder(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("rfc4271", 1, 65000))
	r.up(0, 1)
	r.announce(1, pathAttrs(asPath(9), func(a *bgp.Attrs) {
		a.OriginatorID = netip.MustParseAddr("7.7.7.7")
		a.ClusterList = []netip.Addr{netip.MustParseAddr("8.8.8.8")}
	}), tenSlash8)
	p := prefixList(tenSlash8)[0]
	if in := r.s.Route(p).Best.Attrs; !in.OriginatorID.IsValid() || len(in.ClusterList) != 1 {
		t.Errorf("inside: %+v", in)
	}
	if out := r.s.Advertised(0, p); out.OriginatorID.IsValid() || out.ClusterList != nil {
		t.Errorf("outside: %+v", out)
	}
}

// §5.1.2: "If the act of prepending will cause an overflow in the AS_PATH
// segment (i.e., more than 255 ASes), it SHOULD prepend a new segment of type
// AS_SEQUENCE and prepend its own AS number to this new segment."
func TestPrependingToAFullSegment(t *testing.T) {
	long := make([]uint32, 255)
	for i := range long {
		long[i] = 1
	}
	r := newSpeakerRig(t, speakerOf("rfc4271", 1, 2))
	r.up(0, 1)
	r.announce(0, pathAttrs(asPath(long...)), tenSlash8)
	out := r.s.Advertised(1, prefixList(tenSlash8)[0]).ASPath
	if len(out) != 2 || len(out[0].ASNs) != 1 || out[0].ASNs[0] != 65000 || len(out[1].ASNs) != 255 {
		t.Errorf("segments: %v", out)
	}
}

// RFC 4271 §6.7: when the bound is reached, the speaker "either (a) discards new
// address prefixes from the neighbor (while maintaining the BGP connection with
// the neighbor), or (b) terminates the BGP connection with the neighbor": it
// does a) and asks the caller for b).
func TestTooManyPrefixes(t *testing.T) {
	cfg := speakerOf("rfc4271", 1)
	cfg.Peers[0].MaxPrefixes = 2
	cfg.Peers[0].NoEcho = true
	r := newSpeakerRig(t, cfg)
	r.up(0)
	r.quiet()
	a, b := pathAttrs(asPath(1)), pathAttrs(asPath(1, 2))
	r.announce(0, a, "10.1.0.0/16", "10.2.0.0/16")
	r.announce(0, b, "10.1.0.0/16") // not a new prefix
	r.announce(0, a, "10.3.0.0/16", "10.4.0.0/16")
	r.announce(0, a, "10.5.0.0/16") // said once
	r.down(0)
	r.up(0)
	r.announce(0, a, "10.5.0.0/16")
	r.want(`
	0 announces 10.1.0.0/16 10.2.0.0/16
	  route 10.1.0.0/16: from 0 (only path)
	  route 10.2.0.0/16: from 0 (only path)
	0 announces 10.1.0.0/16
	  route 10.1.0.0/16: from 0 (only path)
	0 announces 10.3.0.0/16 10.4.0.0/16
	  too many prefixes from 0
	0 announces 10.5.0.0/16
	peer 0 down
	  route 10.1.0.0/16: none
	  route 10.2.0.0/16: none
	peer 0 up
	  to 0: End-of-RIB
	0 announces 10.5.0.0/16
	  route 10.5.0.0/16: from 0 (only path)`)
}

// A new session begins without what the last one left, even if nobody said
// that the last one ended.
func TestUpWithoutDown(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("rfc4271", 1))
	r.originate("10.1.0.0/16")
	r.up(0)
	r.announce(0, pathAttrs(asPath(1)), "10.2.0.0/16")
	r.quiet()
	r.up(0)
	r.want(`
	peer 0 up
	  route 10.2.0.0/16: none
	  to 0: [10.1.0.0/16] path [65000] via 10.0.0.1
	  to 0: End-of-RIB`)
}

// RFC 2918 §4: the receiver of a ROUTE-REFRESH "SHOULD re-advertise to that
// peer the Adj-RIB-Out".
func TestRouteRefresh(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("rfc4271", 1, 2))
	r.originate("10.1.0.0/16")
	r.up(0, 1)
	r.quiet()
	r.step("refresh", 0, bgp.Input{Kind: bgp.InRefresh})
	r.step("the message itself", 0, bgp.Input{Kind: bgp.InUpdate,
		Msg: (&bgp.Message{Type: bgp.MsgRouteRefresh, Refresh: &bgp.Family{AFI: 1, SAFI: 1}}).Seal()})
	r.step("of another family", 0, bgp.Input{Kind: bgp.InUpdate,
		Msg: (&bgp.Message{Type: bgp.MsgRouteRefresh, Refresh: &bgp.Family{AFI: 2, SAFI: 1}}).Seal()})
	r.originate("10.2.0.0/16") // and then as usual
	r.want(`
	refresh
	  to 0: [10.1.0.0/16] path [65000] via 10.0.0.1
	the message itself
	  to 0: [10.1.0.0/16] path [65000] via 10.0.0.1
	of another family
	originate 10.2.0.0/16
	  route 10.2.0.0/16: from -1 (only path)
	  to 0: [10.2.0.0/16] path [65000] via 10.0.0.1
	  to 1: [10.2.0.0/16] path [65000] via 10.0.1.1`)
}

func TestOwnRouteBeatsALearnedOne(t *testing.T) {
	for _, c := range []struct {
		rules string
		rule  bgp.Rule
	}{{"rfc4271", bgp.RuleLocalOrigin}, {"frr", bgp.RuleWeight}, {"cisco-ios", bgp.RuleWeight}, {"bird", bgp.RuleLocalOrigin}} {
		r := newSpeakerRig(t, speakerOf(c.rules, 1))
		r.up(0)
		r.announce(0, pathAttrs(asPath(1)), tenSlash8)
		r.originate(tenSlash8)
		p := prefixList(tenSlash8)[0]
		if got := r.s.Route(p); got.Best.Peer != bgp.Local || got.Rule != c.rule {
			t.Errorf("%s: best is %d by %v", c.rules, got.Best.Peer, got.Rule)
		}
		r.retract(tenSlash8)
		if got := r.s.Route(p); got.Best.Peer != 0 {
			t.Errorf("%s: after its retraction best is %d", c.rules, got.Best.Peer)
		}
	}
}

func TestStampIsTheEventThatBroughtThePath(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("rfc4271", 1))
	r.up(0)
	in := updateInput(&bgp.Update{Attrs: pathAttrs(asPath(1)), NLRI: prefixList(tenSlash8)})
	in.Stamp = 77
	r.step("update", 0, in)
	if got := r.s.Route(prefixList(tenSlash8)[0]).Best.Stamp; got != 77 {
		t.Errorf("stamp %d", got)
	}
}

func TestPrefixesAreSortedAndMasked(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("rfc4271"))
	for _, p := range []string{"10.9.0.1/16", "10.1.0.0/16", "10.0.0.0/8"} {
		r.originate(p)
	}
	got := r.s.Prefixes()
	want := prefixList("10.0.0.0/8", "10.1.0.0/16", "10.9.0.0/16")
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%v", got)
	}
}

// A prefix that comes back to the router that told it counts for nothing: a peer
// without split horizon would otherwise fill the limit with our own routes.
func TestLoopsDoNotCountAsPrefixes(t *testing.T) {
	cfg := speakerOf("rfc4271", 1)
	cfg.Peers[0].MaxPrefixes = 1
	cfg.Peers[0].NoEcho = true
	r := newSpeakerRig(t, cfg)
	r.up(0)
	loop := pathAttrs(asPath(1, 65000))
	r.announce(0, loop, "10.1.0.0/16", "10.2.0.0/16")
	r.quiet()
	r.announce(0, pathAttrs(asPath(1)), "10.3.0.0/16")
	r.withdraw(0, "10.1.0.0/16")
	r.announce(0, loop, "10.3.0.0/16") // makes room
	r.announce(0, pathAttrs(asPath(1)), "10.2.0.0/16")
	r.announce(0, pathAttrs(asPath(1)), "10.3.0.0/16") // one too many
	r.want(`
	0 announces 10.3.0.0/16
	  route 10.3.0.0/16: from 0 (only path)
	0 withdraws 10.1.0.0/16
	0 announces 10.3.0.0/16
	  route 10.3.0.0/16: none
	0 announces 10.2.0.0/16
	  route 10.2.0.0/16: from 0 (only path)
	0 announces 10.3.0.0/16
	  too many prefixes from 0
	`)
}

// "warning-only": what exceeds the limit is taken, and said once.
func TestPrefixLimitThatOnlyWarns(t *testing.T) {
	cfg := speakerOf("rfc4271", 1)
	cfg.Peers[0].MaxPrefixes, cfg.Peers[0].LimitWarns, cfg.Peers[0].NoEcho = 1, true, true
	r := newSpeakerRig(t, cfg)
	r.up(0)
	r.quiet()
	r.announce(0, pathAttrs(asPath(1)), "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16")
	r.want(`
	0 announces 10.1.0.0/16 10.2.0.0/16 10.3.0.0/16
	  too many prefixes from 0
	  route 10.1.0.0/16: from 0 (only path)
	  route 10.2.0.0/16: from 0 (only path)
	  route 10.3.0.0/16: from 0 (only path)
	`)
}
