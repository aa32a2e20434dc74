package bgp_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
)

// Three paths, two of them through AS 1: A beats B on MED, B beats C and C
// beats A on the identifier. A row of duels ends with whoever is asked last;
// removing from the whole set, as §9.1.2.2 words it, always ends with C.
func TestMEDDoesNotDependOnTheOrderOfArrival(t *testing.T) {
	attrs := []*bgp.Attrs{
		pathAttrs(asPath(1, 9), withMED(10)), // A: peer 0
		pathAttrs(asPath(1, 9), withMED(20)), // B: peer 1
		pathAttrs(asPath(2, 9)),              // C: peer 2
	}
	ids := []string{"9.0.0.3", "9.0.0.1", "9.0.0.2"}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		s := bgp.NewSpeaker(speakerOf("rfc4271", 1, 1, 2))
		for i, id := range ids {
			s.Step(nil, bgp.PeerID(i), bgp.Input{Kind: bgp.InPeerUp, Open: &bgp.Open{ID: netip.MustParseAddr(id)}})
		}
		for _, i := range order {
			s.Step(nil, bgp.PeerID(i), updateInput(&bgp.Update{Attrs: attrs[i], NLRI: prefixList(tenSlash8)}))
		}
		r := s.Route(netip.MustParsePrefix(tenSlash8))
		if r.Best.Peer != 2 || r.Rule != bgp.RuleRouterID || r.Versus.Peer != 0 || r.Candidates != 3 {
			t.Errorf("arrived %v: best is %d over %d by %v", order, r.Best.Peer, r.Versus.Peer, r.Rule)
		}
		// B was removed by A, which is not the best: the explanation says so.
		v := s.Explain(netip.MustParsePrefix(tenSlash8))
		if b := v[2]; b.Path.Peer != 1 || b.Rule != bgp.RuleMED || b.Against.Peer != 0 {
			t.Errorf("arrived %v: verdict on B: peer %d, %v, against %+v", order, b.Path.Peer, b.Rule, b.Against)
		}
	}
}

// What each kind of router makes of two equal external paths, the younger of
// which has the lower identifier and address.
func TestFullTieOnRealRouters(t *testing.T) {
	for _, c := range []struct {
		rules, sentence string
		best            bgp.PeerID
		rule            bgp.Rule
	}{
		{"rfc4271", "the lower identifier wins", 0, bgp.RuleRouterID},
		{"bird", "the lower identifier wins", 0, bgp.RuleRouterID},
		{"gcp-legacy", "the lower identifier wins", 0, bgp.RuleRouterID},
		{"azure", "the lower identifier wins", 0, bgp.RuleRouterID},
		{"frr", "the selected one stays", 1, bgp.RuleKeepExternal},
		{"cisco-ios", "the selected one stays", 1, bgp.RuleKeepExternal},
		{"gobgp", "the older one wins", 1, bgp.RuleOldest},
		{"aws-vgw", "the drawn order decides", 1, bgp.RuleDrawn},
	} {
		t.Run(c.rules+": "+c.sentence, func(t *testing.T) {
			cfg := speakerOf(c.rules, 64512, 64512)
			cfg.Order = []bgp.PeerID{1, 0}
			r := newSpeakerRig(t, cfg)
			r.up(0, 1)
			r.announce(1, pathAttrs(asPath(64512)), tenSlash8)
			r.now += time.Second
			r.announce(0, pathAttrs(asPath(64512)), tenSlash8)
			if got := r.s.Route(prefixList(tenSlash8)[0]); got.Best.Peer != c.best || got.Rule != c.rule {
				t.Errorf("best is %d by %q", got.Best.Peer, got.Rule)
			}
		})
	}
}

// FRR and IOS keep the selected path, not the oldest: when the selected one
// goes, the identifier decides between the others, whatever their age.
func TestKeptIsNotOldest(t *testing.T) {
	for _, c := range []struct {
		rules string
		best  bgp.PeerID
	}{{"frr", 0}, {"gobgp", 1}} {
		r := newSpeakerRig(t, speakerOf(c.rules, 1, 1, 1))
		r.up(0, 1, 2)
		for _, p := range []bgp.PeerID{2, 1, 0} {
			r.announce(p, pathAttrs(asPath(1)), tenSlash8)
			r.now += time.Second
		}
		r.withdraw(2, tenSlash8)
		if got := r.s.Route(prefixList(tenSlash8)[0]).Best.Peer; got != c.best {
			t.Errorf("%s: best is %d, want %d", c.rules, got, c.best)
		}
	}
}

// GoBGP's ages are whole seconds (internal/pkg/table/path.go, timestamp): of paths that came
// in one, the lower address wins.
func TestAgesAreWholeSeconds(t *testing.T) {
	for _, c := range []struct {
		phase, after time.Duration
		best         bgp.PeerID
	}{{0, 999 * time.Millisecond, 0}, {0, time.Second, 1}, {900 * time.Millisecond, 99 * time.Millisecond, 0}, {900 * time.Millisecond, 100 * time.Millisecond, 1}} {
		cfg := speakerOf("gobgp", 1, 1)
		cfg.Phase = c.phase
		r := newSpeakerRig(t, cfg)
		r.up(0, 1)
		r.announce(1, pathAttrs(asPath(1)), tenSlash8)
		r.now += c.after
		r.announce(0, pathAttrs(asPath(1)), tenSlash8)
		if got := r.s.Route(prefixList(tenSlash8)[0]).Best.Peer; got != c.best {
			t.Errorf("%v later, the clock at %v: best is %d, want %d", c.after, c.phase, got, c.best)
		}
	}
}

// A virtual private gateway draws its egress among equals; when warm-up is
// over it stays there, and goes back to no other path by itself.
func TestIncumbentIsKeptAfterWarmUp(t *testing.T) {
	cfg := speakerOf("aws-vgw", 65001, 65001)
	cfg.Order = []bgp.PeerID{1, 0}
	r := newSpeakerRig(t, cfg)
	r.up(0, 1)
	r.quiet()
	path := pathAttrs(asPath(65001))
	r.announce(0, path, tenSlash8)
	r.announce(1, path, tenSlash8) // before warm-up is over, order of arrival is nothing
	r.settle()
	r.withdraw(1, tenSlash8)
	r.announce(1, path, tenSlash8) // equal and drawn first, but 0 stays
	r.withdraw(0, tenSlash8)
	r.want(`
	0 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 0 (only path)
	  to 0: [10.0.0.0/8] path [65000 65001] via 10.0.0.1
	  to 1: [10.0.0.0/8] path [65000 65001] via 10.0.1.1
	1 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 1 (earlier in the drawn order)
	settle
	1 withdraws 10.0.0.0/8
	  route 10.0.0.0/8: from 0 (only path)
	1 announces 10.0.0.0/8
	0 withdraws 10.0.0.0/8
	  route 10.0.0.0/8: from 1 (only path)`)
}

func TestIncumbentLosesToABetterPath(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("aws-vgw", 65001, 65001))
	r.up(0, 1)
	r.announce(0, pathAttrs(asPath(65001), withMED(100)), tenSlash8)
	r.settle()
	r.announce(1, pathAttrs(asPath(65001), withMED(100)), tenSlash8)
	if got := r.s.Route(prefixList(tenSlash8)[0]); got.Best.Peer != 0 || got.Rule != bgp.RuleIncumbent {
		t.Errorf("on a tie: best is %d by %v", got.Best.Peer, got.Rule)
	}
	r.announce(1, pathAttrs(asPath(65001), withMED(50)), tenSlash8)
	if got := r.s.Route(prefixList(tenSlash8)[0]); got.Best.Peer != 1 || got.Rule != bgp.RuleMED {
		t.Errorf("with a lower MED: best is %d by %v", got.Best.Peer, got.Rule)
	}
}

// A VGW without an Order draws nothing: the peers' own order is it.
func TestPeersThatTheOrderDoesNotNameComeLast(t *testing.T) {
	cfg := speakerOf("aws-vgw", 1, 1, 1)
	cfg.Order = []bgp.PeerID{2, 2, 77}
	r := newSpeakerRig(t, cfg)
	r.up(0, 1, 2)
	for p := range bgp.PeerID(3) {
		r.announce(p, pathAttrs(asPath(1)), tenSlash8)
	}
	var got []string
	for _, p := range r.s.Paths(prefixList(tenSlash8)[0]) {
		got = append(got, fmt.Sprint(p.Peer))
	}
	if strings.Join(got, " ") != "2 0 1" {
		t.Errorf("best first: %v", got)
	}
}

// RFC 4271 §9.1.2.2 leaves one route. draft-lapukhov-bgp-ecmp-considerations-09 §1 on what
// has become common: "abort the tie-breaking process after comparing IGP cost for the
// NEXT_HOP attribute and selecting either all eBGP or all iBGP paths that remained
// 'equal'". Quagga's manual, "BGP decision process", step 9, on which these are: "If bgp
// bestpath as-path multipath-relax is set, all such routes are considered equal, otherwise
// routes received via iBGP with identical AS_PATHs or routes received from eBGP neighbours
// in the same AS are considered equal."
func TestMultipath(t *testing.T) {
	p := prefixList(tenSlash8)[0]
	used := func(s *bgp.Speaker) string {
		var out []string
		for _, u := range s.Route(p).Used {
			out = append(out, fmt.Sprint(u.Peer))
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		sentence string
		limit    int
		sameAS   bool
		attrs    []*bgp.Attrs
		want     string
	}{
		{"equal paths are used together", 8, false, []*bgp.Attrs{pathAttrs(asPath(1)), pathAttrs(asPath(1))}, "0 1"},
		{"0 means one", 0, false, []*bgp.Attrs{pathAttrs(asPath(1)), pathAttrs(asPath(1))}, "0"},
		{"no more than the limit, the best of them", 2, false,
			[]*bgp.Attrs{pathAttrs(asPath(1)), pathAttrs(asPath(1)), pathAttrs(asPath(1))}, "0 1"},
		{"a longer path is not used", 8, false, []*bgp.Attrs{pathAttrs(asPath(1, 1)), pathAttrs(asPath(1)), pathAttrs(asPath(1))}, "1 2"},
		{"a higher MED is not used", 8, false,
			[]*bgp.Attrs{pathAttrs(asPath(1), withMED(5)), pathAttrs(asPath(1), withMED(4)), pathAttrs(asPath(1), withMED(4))}, "1 2"},
		{"through another AS it is, for its MED is not compared", 8, false,
			[]*bgp.Attrs{pathAttrs(asPath(1), withMED(5)), pathAttrs(asPath(2), withMED(4))}, "0 1"},
		{"unless all must come through one AS", 8, true,
			[]*bgp.Attrs{pathAttrs(asPath(1)), pathAttrs(asPath(2)), pathAttrs(asPath(1))}, "0 2"},
		{"which says nothing of the ASes behind it", 8, true,
			[]*bgp.Attrs{pathAttrs(asPath(1, 3)), pathAttrs(asPath(1, 4))}, "0 1"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			cfg := speakerOf("rfc4271", 1, 1, 1)
			cfg.Multipath, cfg.MultipathSameAS = c.limit, c.sameAS
			r := newSpeakerRig(t, cfg)
			r.up(0, 1, 2)
			for i := len(c.attrs) - 1; i >= 0; i-- {
				r.announce(bgp.PeerID(i), c.attrs[i], tenSlash8)
			}
			if got := used(r.s); got != c.want {
				t.Errorf("used %q, want %q", got, c.want)
			}
		})
	}
}

// Losing one of several used paths is a change of the route even if the best
// path stays.
func TestLosingAUsedPathChangesTheRoute(t *testing.T) {
	cfg := speakerOf("gcp-legacy", 64512, 64512)
	cfg.Multipath = 8
	r := newSpeakerRig(t, cfg)
	r.up(0, 1)
	r.quiet()
	r.announce(0, pathAttrs(asPath(64512)), tenSlash8)
	before := r.s.Route(prefixList(tenSlash8)[0])
	r.announce(1, pathAttrs(asPath(64512)), tenSlash8)
	r.down(1)
	r.want(`
	0 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 0 (only path)
	  to 0: [10.0.0.0/8] path [65000 64512] via 10.0.0.1
	  to 1: [10.0.0.0/8] path [65000 64512] via 10.0.1.1
	1 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 0 1 (lower BGP Identifier)
	peer 1 down
	  route 10.0.0.0/8: from 0 (only path)`)
	if before.Candidates != 1 || len(before.Used) != 1 {
		t.Error("a route that was given out has changed")
	}
}

func TestExplainSpeaksOfEveryPath(t *testing.T) {
	cfg := speakerOf("rfc4271", 1, 2, 3, 4)
	cfg.Peers[3].Import = bgp.Policy{{Reject: true}}
	r := newSpeakerRig(t, cfg)
	r.up(0, 1, 2, 3)
	r.announce(0, pathAttrs(asPath(1, 9, 9)), tenSlash8)
	r.announce(1, pathAttrs(asPath(2, 9)), tenSlash8)
	r.announce(2, pathAttrs(asPath(3, 65000)), tenSlash8)
	r.announce(3, pathAttrs(asPath(4)), tenSlash8)
	var got []string
	for _, v := range r.s.Explain(prefixList(tenSlash8)[0]) {
		s := fmt.Sprintf("%d %v best=%v used=%v candidate=%v", v.Path.Peer, v.Rule, v.Best, v.Used, v.Candidate())
		if v.Against != nil {
			s += fmt.Sprintf(" against %d", v.Against.Peer)
		}
		got = append(got, s)
	}
	want := []string{
		"1 shorter AS_PATH best=true used=true candidate=true against 0",
		"0 shorter AS_PATH best=false used=false candidate=true against 1",
		"2 own AS in AS_PATH best=false used=false candidate=false",
		"3 rejected by import policy best=false used=false candidate=false",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if r.s.Explain(netip.MustParsePrefix("192.0.2.0/24")) != nil {
		t.Error("an explanation of a prefix that nobody spoke of")
	}
}

// A new runner-up is no new route, but the explanation follows it.
func TestRunnerUpIsKeptUpToDateSilently(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("rfc4271", 1, 2))
	r.up(0, 1)
	r.announce(0, pathAttrs(asPath(1)), tenSlash8)
	r.announce(1, pathAttrs(asPath(2, 9)), tenSlash8)
	r.quiet()
	before := r.s.Route(prefixList(tenSlash8)[0])
	r.announce(1, pathAttrs(asPath(2, 9, 9)), tenSlash8)
	r.want("1 announces 10.0.0.0/8")
	after := r.s.Route(prefixList(tenSlash8)[0])
	if before.Versus.Attrs.ASPath.Length() != 2 || after.Versus.Attrs.ASPath.Length() != 3 || after.Best != before.Best {
		t.Errorf("runner-up %s, then %s", attrsText(before.Versus.Attrs), attrsText(after.Versus.Attrs))
	}
}
