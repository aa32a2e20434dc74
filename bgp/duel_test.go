package bgp_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/vpnsim/vpnsim/bgp"
)

// Whatever happened before, the route is what the sets of RFC 4271 §9.1.2.2
// make of the paths that there are: best, runner-up, and the rule between
// them. Paths and Explain know nothing of duels, they remove paths from sets.
func TestDuelsAgreeWithSets(t *testing.T) {
	x := prefixList(tenSlash8)[0]
	rapid.Check(t, func(t *rapid.T) {
		name, rules := drawRuleset(t, bgp.RulesetNames()...)
		cfg := speakerOf(name, 1, 1, 2, 3, 65000, 65000)
		cfg.Rules = rules
		for i := range cfg.Peers {
			cfg.Peers[i].IGPMetric = rapid.Uint32Range(0, 1).Draw(t, "metric")
			if rapid.IntRange(0, 3).Draw(t, "picky") == 0 {
				cfg.Peers[i].Import = bgp.Policy{{PathHas: 91, Reject: true}}
			}
		}
		meds := rapid.IntRange(0, 2).Draw(t, "meds") == 0 // most of the time there are none
		s := bgp.NewSpeaker(cfg)
		up := func(p bgp.PeerID) {
			s.Step(nil, p, bgp.Input{Kind: bgp.InPeerUp, Open: &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, byte(rapid.IntRange(1, 3).Draw(t, "id"))})}})
		}
		for p := range cfg.Peers {
			up(bgp.PeerID(p))
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			p := bgp.PeerID(rapid.IntRange(0, len(cfg.Peers)-1).Draw(t, "peer"))
			switch rapid.IntRange(0, 11).Draw(t, "what") {
			case 0:
				s.Step(nil, p, bgp.Input{Kind: bgp.InPeerDown})
				up(p)
			case 1:
				s.Step(nil, bgp.Local, bgp.Input{Kind: bgp.InSettle})
			case 2:
				s.Step(nil, bgp.Local, bgp.Input{Kind: bgp.InOriginate, Prefix: x})
			case 3:
				s.Step(nil, bgp.Local, bgp.Input{Kind: bgp.InWithdraw, Prefix: x})
			case 4, 5, 6:
				s.Step(nil, p, updateInput(&bgp.Update{Withdrawn: []netip.Prefix{x}}))
			default:
				a := drawAttrs(t, max(1, cfg.Peers[p].AS%65000))
				if !meds {
					a.MED, a.HasMED = 0, false
				}
				s.Step(nil, p, updateInput(&bgp.Update{Attrs: a, NLRI: []netip.Prefix{x}}))
			}
			route, paths := s.Route(x), s.Paths(x)
			if route == nil {
				if len(paths) > 0 {
					t.Fatalf("%s: no route, but %d paths", name, len(paths))
				}
				continue
			}
			if len(paths) != route.Candidates || paths[0].Peer != route.Best.Peer || len(paths) > 1 != (route.Versus != nil) ||
				len(paths) > 1 && paths[1].Peer != route.Versus.Peer {
				t.Fatalf("%s: route %s, but the ranking is %v", name, routeText(route), peersOf(paths))
			}
			if len(paths) == 1 != (route.Rule == bgp.RuleOnly) {
				t.Fatalf("%s: %d paths, decided by %v", name, len(paths), route.Rule)
			}
		}
	})
}

// FRR keeps an external path because it is the best; when it is not any more,
// it has no advantage over the others, and they have to be compared again.
func TestRunnerUpLosesWhatItHadAsTheBest(t *testing.T) {
	x := prefixList(tenSlash8)[0]
	s := bgp.NewSpeaker(speakerOf("frr", 1, 2, 3))
	announce := func(p bgp.PeerID, path ...uint32) {
		s.Step(nil, p, updateInput(&bgp.Update{Attrs: pathAttrs(asPath(path...)), NLRI: []netip.Prefix{x}}))
	}
	for p := range bgp.PeerID(3) { // peer 1 has a lower identifier than peer 0
		s.Step(nil, p, bgp.Input{Kind: bgp.InPeerUp, Open: &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, byte(3 - p)})}})
	}
	announce(0, 1)
	announce(1, 2)
	s.Step(nil, bgp.Local, bgp.Input{Kind: bgp.InOriginate, Prefix: x})
	if r := s.Route(x); r.Best.Peer != bgp.Local || r.Versus.Peer != 0 {
		t.Fatalf("route %s", routeText(r))
	}
	announce(2, 3, 4, 5)
	if r := s.Route(x); r.Best.Peer != bgp.Local || r.Versus.Peer != 1 {
		t.Fatalf("route %s", routeText(r))
	}
}

func peersOf(paths []bgp.Path) (peers []bgp.PeerID) {
	for _, p := range paths {
		peers = append(peers, p.Peer)
	}
	return peers
}

// A path that is not the best costs two comparisons, however many there are.
func BenchmarkSpeakerHundredPeers(b *testing.B) {
	asns := make([]uint32, 100)
	for i := range asns {
		asns[i] = uint32(i + 1)
	}
	s := bgp.NewSpeaker(speakerOf("rfc4271", asns...))
	var acts []bgp.Action
	inputs := make([][2]bgp.Input, len(asns))
	for p := range asns {
		acts = s.Step(acts[:0], bgp.PeerID(p), bgp.Input{Kind: bgp.InPeerUp})
		for i := range 2 {
			inputs[p][i] = updateInput(&bgp.Update{Attrs: pathAttrs(asPath(uint32(p+1), uint32(1000+i), 2000)), NLRI: prefixList(tenSlash8)})
		}
	}
	acts = s.Step(acts[:0], 0, updateInput(&bgp.Update{Attrs: pathAttrs(asPath(1)), NLRI: prefixList(tenSlash8)}))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		p := 1 + n%99
		acts = s.Step(acts[:0], bgp.PeerID(p), inputs[p][n/99%2])
	}
}
