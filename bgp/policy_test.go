package bgp_test

import (
	"net/netip"
	"testing"

	"github.com/vpnsim/vpnsim/bgp"
)

func TestPrefixMatch(t *testing.T) {
	for _, c := range []struct {
		sentence string
		match    bgp.PrefixMatch
		yes, no  []string
	}{
		{"alone it matches exactly itself", bgp.PrefixMatch{},
			[]string{"10.0.0.0/8"}, []string{"10.0.0.0/9", "0.0.0.0/0", "11.0.0.0/8"}},
		{"le: what is inside it, down to a length", bgp.PrefixMatch{LE: 16},
			[]string{"10.0.0.0/8", "10.3.0.0/16"}, []string{"10.3.1.0/24", "11.0.0.0/16", "0.0.0.0/0"}},
		{"ge: what is inside it, from a length on", bgp.PrefixMatch{GE: 24},
			[]string{"10.3.1.0/24", "10.3.1.1/32"}, []string{"10.0.0.0/8", "10.3.0.0/16", "11.0.1.0/24"}},
		{"both: between two lengths", bgp.PrefixMatch{GE: 12, LE: 16},
			[]string{"10.16.0.0/12", "10.3.0.0/16"}, []string{"10.0.0.0/8", "10.3.1.0/24"}},
		{"a ge shorter than the prefix does not widen it", bgp.PrefixMatch{GE: 4, LE: 9},
			[]string{"10.0.0.0/8", "10.128.0.0/9"}, []string{"8.0.0.0/5", "0.0.0.0/4"}},
		{"another family is not inside it", bgp.PrefixMatch{LE: 32}, nil, []string{"2001:db8::/32"}},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			c.match.Prefix = netip.MustParsePrefix("10.0.0.0/8")
			for _, p := range prefixList(c.yes...) {
				if !c.match.Matches(p) {
					t.Errorf("does not match %v", p)
				}
			}
			for _, p := range prefixList(c.no...) {
				if c.match.Matches(p) {
					t.Errorf("matches %v", p)
				}
			}
		})
	}
}

func TestImportPolicy(t *testing.T) {
	p := prefixList("10.1.0.0/16")[0]
	inside := []bgp.PrefixMatch{{Prefix: netip.MustParsePrefix("10.0.0.0/8"), LE: 24}}
	for _, c := range []struct {
		sentence string
		policy   bgp.Policy
		attrs    *bgp.Attrs
		want     string
	}{
		{"no term matches: accepted unchanged", bgp.Policy{{Community: 9, Reject: true}}, pathAttrs(asPath(1)), "path [1] via 203.0.113.9"},
		{"local preference and MED", bgp.Policy{{SetLocalPref: true, LocalPref: 200, SetMED: true, MED: 0}}, pathAttrs(asPath(1), withMED(3)),
			"path [1] via 203.0.113.9 med 0 pref 200"},
		{"the first term that matches decides", bgp.Policy{{Prefixes: inside, SetMED: true, MED: 1}, {Reject: true}}, pathAttrs(asPath(1)),
			"path [1] via 203.0.113.9 med 1"},
		{"all conditions of a term must hold", bgp.Policy{{Prefixes: inside, Community: 9, Reject: true}}, pathAttrs(asPath(1)), "path [1] via 203.0.113.9"},
		{"an AS in the path", bgp.Policy{{PathHas: 7, Reject: true}}, pathAttrs(asPath(1, 7)), ""},
		{"a community", bgp.Policy{{Community: 9, Reject: true}}, pathAttrs(asPath(1), withCommunities(8, 9)), ""},
		{"the neighbour's AS is prepended", bgp.Policy{{Prepend: 2}}, pathAttrs(asPath(1, 7)), "path [1 1 1 7] via 203.0.113.9"},
		{"communities come and go", bgp.Policy{{AddCommunity: []uint32{7, 3, 7}, NoCommunity: []uint32{8}}},
			pathAttrs(asPath(1), withCommunities(9, 8, 3)), "path [1] via 203.0.113.9 communities [3 7 9]"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			cfg := speakerOf("rfc4271", 1)
			cfg.Peers[0].Import = c.policy
			r := newSpeakerRig(t, cfg)
			r.up(0)
			before := *c.attrs
			r.announce(0, c.attrs, p.String())
			got := ""
			if route := r.s.Route(p); route != nil {
				got = attrsText(route.Best.Attrs)
			}
			if got != c.want {
				t.Errorf("it became %q, want %q", got, c.want)
			}
			if !c.attrs.Equal(&before) || r.s.Received(0, p) != c.attrs {
				t.Error("the received attributes were changed")
			}
		})
	}
}

func TestExportPolicy(t *testing.T) {
	p := prefixList("10.1.0.0/16")[0]
	for _, c := range []struct {
		sentence string
		policy   bgp.Policy
		to       uint32 // AS of the peer
		want     string
	}{
		{"MED is set towards another AS", bgp.Policy{{SetMED: true, MED: 100}}, 1, "path [65000] via 10.0.0.1 med 100"},
		{"so many times more", bgp.Policy{{Prepend: 2}}, 1, "path [65000 65000 65000] via 10.0.0.1"},
		// §5.1.5: LOCAL_PREF "MUST NOT" be sent to external peers
		{"LOCAL_PREF never leaves the AS", bgp.Policy{{SetLocalPref: true, LocalPref: 9}}, 1, "path [65000] via 10.0.0.1"},
		{"inside it, it is what policy says", bgp.Policy{{SetLocalPref: true, LocalPref: 9}}, 65000, "path via 10.0.0.1 pref 9"},
		{"a community", bgp.Policy{{AddCommunity: []uint32{5}}}, 1, "path [65000] via 10.0.0.1 communities [5]"},
		{"rejected", bgp.Policy{{Reject: true}}, 1, "nothing"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			cfg := speakerOf("rfc4271", c.to)
			cfg.Peers[0].Export = c.policy
			r := newSpeakerRig(t, cfg)
			r.up(0)
			r.originate(p.String())
			if got := attrsText(r.s.Advertised(0, p)); got != c.want {
				t.Errorf("it is told %q, want %q", got, c.want)
			}
		})
	}
}

// What was sent does not change when the next thing is drafted.
func TestDraftsDoNotShareMemory(t *testing.T) {
	cfg := speakerOf("rfc4271", 1, 2)
	cfg.Peers[0].Export = bgp.Policy{{AddCommunity: []uint32{5, 6}, Prepend: 2}}
	cfg.Peers[1].Export = bgp.Policy{{AddCommunity: []uint32{7, 8}}}
	r := newSpeakerRig(t, cfg)
	r.up(0, 1)
	r.originate("10.1.0.0/16")
	p := prefixList("10.1.0.0/16")[0]
	if got, want := attrsText(r.s.Advertised(0, p)), "path [65000 65000 65000] via 10.0.0.1 communities [5 6]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := attrsText(r.s.Advertised(1, p)), "path [65000] via 10.0.1.1 communities [7 8]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
