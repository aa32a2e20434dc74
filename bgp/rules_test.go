package bgp_test

import (
	"net/netip"
	"testing"

	"github.com/vpnsim/vpnsim/bgp"
)

// Each rule alone: the first path wins, and the other way round it wins again.
func TestEachRulePrefers(t *testing.T) {
	path := func(edits ...func(*bgp.Path)) *bgp.Path {
		p := &bgp.Path{Attrs: &bgp.Attrs{ASPath: asPath(1, 2)}, Source: &bgp.Source{Peer: 1, External: true,
			PeerAddr: netip.MustParseAddr("10.0.0.9"), PeerBGPID: bgp.BGPIDOf(netip.MustParseAddr("9.9.9.9"))}}
		for _, e := range edits {
			e(p)
		}
		return p
	}
	attrs := func(e func(*bgp.Attrs)) func(*bgp.Path) { return func(p *bgp.Path) { e(p.Attrs) } }
	internal := func(p *bgp.Path) { p.External = false }
	asSet := bgp.ASPath{{ASNs: []uint32{1}}, {Set: true, ASNs: []uint32{7, 8, 9}}}
	for _, c := range []struct {
		sentence      string
		rule          bgp.Rule
		better, worse *bgp.Path
	}{
		{"the higher weight", bgp.RuleWeight, path(func(p *bgp.Path) { p.Weight = 2 }), path(func(p *bgp.Path) { p.Weight = 1 })},
		{"the higher LOCAL_PREF", bgp.RuleLocalPref, path(attrs(withPref(200))), path(attrs(withPref(150)))},
		{"no LOCAL_PREF counts as 100: more than 99", bgp.RuleLocalPref, path(), path(attrs(withPref(99)))},
		{"no LOCAL_PREF counts as 100: less than 101", bgp.RuleLocalPref, path(attrs(withPref(101))), path()},
		{"a route of the router itself", bgp.RuleLocalOrigin, path(func(p *bgp.Path) { p.Peer = bgp.Local }), path()},
		// §9.1.2.2 a): "Remove from consideration all routes that are not tied for
		// having the smallest number of AS numbers present in their AS_PATH
		// attributes. Note that when counting this number, an AS_SET counts as 1,
		// no matter how many ASes are in the set."
		{"the shorter AS_PATH", bgp.RuleASPathLength, path(), path(func(p *bgp.Path) { p.Attrs.ASPath = asPath(1, 2, 3) })},
		{"an AS_SET counts as 1", bgp.RuleASPathLength, path(func(p *bgp.Path) { p.Attrs.ASPath = asSet }),
			path(func(p *bgp.Path) { p.Attrs.ASPath = asPath(1, 2, 3) })},
		// §9.1.2.2 b): "all routes that are not tied for having the lowest Origin number"
		{"IGP over EGP", bgp.RuleOrigin, path(), path(attrs(withOrigin(bgp.OriginEGP)))},
		{"EGP over INCOMPLETE", bgp.RuleOrigin, path(attrs(withOrigin(bgp.OriginEGP))), path(attrs(withOrigin(bgp.OriginIncomplete)))},
		{"the lower MED from the same AS", bgp.RuleMED, path(attrs(withMED(1))), path(attrs(withMED(2)))},
		{"no MED is the lowest MED", bgp.RuleMED, path(), path(attrs(withMED(1)))},
		{"always-compare-med: the lower MED from another AS", bgp.RuleMEDAlways, path(attrs(withMED(1))),
			path(attrs(withMED(2)), func(p *bgp.Path) { p.Attrs.ASPath = asPath(5, 2) })},
		// §9.1.2.2 d): "If at least one of the candidate routes was received via
		// EBGP, remove from consideration all routes that were received via IBGP."
		{"eBGP over iBGP", bgp.RuleExternal, path(), path(internal)},
		{"the lower interior cost", bgp.RuleIGPMetric, path(), path(func(p *bgp.Path) { p.IGPMetric = 1 })},
		{"the older of two external paths", bgp.RuleOldest, path(func(p *bgp.Path) { p.Age = 1 }), path(func(p *bgp.Path) { p.Age = 2 })},
		// §9.1.2.2 f): "the route that was advertised by the BGP speaker with the
		// lowest BGP Identifier value"
		{"the lower BGP Identifier", bgp.RuleRouterID, path(func(p *bgp.Path) { p.PeerBGPID = bgp.BGPIDOf(netip.MustParseAddr("9.9.9.8")) }), path()},
		// RFC 4456 §9: "the ORIGINATOR_ID SHOULD be treated as the BGP Identifier"
		{"ORIGINATOR_ID stands for the BGP Identifier", bgp.RuleRouterID,
			path(attrs(func(a *bgp.Attrs) { a.OriginatorID = netip.MustParseAddr("9.9.9.8") })), path()},
		{"GoBGP: the peer's own identifier, for internal paths", bgp.RulePeerID,
			path(internal, func(p *bgp.Path) { p.PeerBGPID = bgp.BGPIDOf(netip.MustParseAddr("9.9.9.8")) }), path(internal)},
		// RFC 4456 §9: "a route with the shorter CLUSTER_LIST"
		{"the shorter CLUSTER_LIST", bgp.RuleClusterLength, path(),
			path(attrs(func(a *bgp.Attrs) { a.ClusterList = []netip.Addr{netip.MustParseAddr("1.2.3.4")} }))},
		// §9.1.2.2 g): "Prefer the route received from the lowest peer address."
		{"the lower peer address", bgp.RulePeerAddress, path(func(p *bgp.Path) { p.PeerAddr = netip.MustParseAddr("10.0.0.8") }), path()},
		{"the earlier in the drawn order", bgp.RuleDrawn, path(), path(func(p *bgp.Path) { p.Rank = 1 })},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			rs := bgp.Ruleset{c.rule}
			if got, rule := rs.Compare(c.better, c.worse); got >= 0 || rule != c.rule {
				t.Errorf("Compare(better, worse) = %d, %v", got, rule)
			}
			if got, rule := rs.Compare(c.worse, c.better); got <= 0 || rule != c.rule {
				t.Errorf("Compare(worse, better) = %d, %v", got, rule)
			}
			if got, rule := rs.Compare(c.worse, c.worse); got != 0 || rule != bgp.RuleNone {
				t.Errorf("Compare(x, x) = %d, %v", got, rule)
			}
		})
	}
}

func TestRulesThatDoNotAnswer(t *testing.T) {
	external := &bgp.Path{Source: &bgp.Source{External: true}, Age: 1, Attrs: &bgp.Attrs{ASPath: asPath(1), MED: 5, HasMED: true}}
	internal := &bgp.Path{Source: &bgp.Source{Peer: 1}, Age: 2, Attrs: &bgp.Attrs{ASPath: asPath(2), MED: 6, HasMED: true}}
	for _, c := range []struct {
		sentence string
		rule     bgp.Rule
	}{
		// §9.1.2.2 c): MED is "only comparable between routes learned from the same
		// neighboring AS".
		{"MED of different neighbouring ASes is not compared", bgp.RuleMED},
		{"age is not compared unless both are external", bgp.RuleOldest},
		{"two paths alone have no incumbent", bgp.RuleIncumbent},
		{"two paths alone have no selected one", bgp.RuleKeepExternal},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			if got, rule := (bgp.Ruleset{c.rule}).Compare(external, internal); got != 0 || rule != bgp.RuleNone {
				t.Errorf("Compare = %d, %v", got, rule)
			}
		})
	}
}

// §9.1.2.2 c): if the internal peer made the route by aggregation "and the
// AS_PATH attribute of the aggregate route is either empty or begins with an
// AS_SET, it is the local AS".
func TestNeighbourOfAPathThatBeginsWithASet(t *testing.T) {
	set := bgp.ASPath{{Set: true, ASNs: []uint32{7, 8}}}
	if n := set.Neighbour(); n != 0 {
		t.Errorf("neighbour is %d, want the local AS (0)", n)
	}
	if n := asPath(7, 8).Neighbour(); n != 7 {
		t.Errorf("neighbour is %d, want 7", n)
	}
}

func TestEveryRuleCanBeExplained(t *testing.T) {
	seen := map[string]bgp.Rule{}
	for r := bgp.RuleNone; r <= bgp.RuleImportPolicy; r++ {
		if r.String() == "" || r.String() == "unknown rule" {
			t.Errorf("rule %d has no words", r)
		}
		if other, twice := seen[r.String()]; twice {
			t.Errorf("rules %d and %d have the same words", other, r)
		}
		seen[r.String()] = r
		if r > bgp.RuleOnly && r.Clause() == "" {
			t.Errorf("rule %d (%v) names no clause", r, r)
		}
	}
	if got := bgp.RuleRouterID.Clause(); got != "RFC 4271 §9.1.2.2 f)" {
		t.Errorf("clause of the router id rule: %q", got)
	}
	if got := bgp.Rule(200).String(); got != "unknown rule" {
		t.Errorf("Rule(200) = %q", got)
	}
}

func TestEveryRulesetEndsDecided(t *testing.T) {
	names := bgp.RulesetNames()
	if len(names) != 9 {
		t.Errorf("%d rulesets: %v", len(names), names)
	}
	for _, name := range names {
		rs, ok := bgp.RulesetFor(name)
		if !ok {
			t.Fatalf("RulesetFor(%q) does not know it", name)
		}
		// Two paths of different peers never tie: the last rule is one that
		// cannot, and no rule is asked twice or is one that bars.
		switch last := rs[len(rs)-1]; last {
		case bgp.RulePeerAddress, bgp.RuleDrawn:
		default:
			t.Errorf("%s ends with %v", name, last)
		}
		asked := map[bgp.Rule]bool{}
		for _, r := range rs {
			if asked[r] || r.Bars() || r <= bgp.RuleOnly {
				t.Errorf("%s holds %v, or twice", name, r)
			}
			asked[r] = true
		}
	}
	if _, ok := bgp.RulesetFor("no such router"); ok {
		t.Error("RulesetFor knows what does not exist")
	}
}
