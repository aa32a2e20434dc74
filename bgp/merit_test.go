package bgp

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// The merit of a path that takes the place of another one is what it would be if there had
// been none, whatever the decision process.
func TestMeritOfAPathThatReplacesAnother(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	attrs := func() *Attrs {
		a := &Attrs{Origin: Origin(r.IntN(2)), NextHop: netip.MustParseAddr("192.0.2.1"), ASPath: ASPath{{ASNs: make([]uint32, r.IntN(300))}}}
		switch r.IntN(6) {
		case 0:
			a.Communities = []uint32{LLGRStale}
		case 1:
			a.LocalPref, a.HasLocalPref = r.Uint32(), true
		case 2:
			a.ClusterList = []netip.Addr{a.NextHop}
		case 3:
			a.ASPath = ASPath{{Set: true, ASNs: make([]uint32, 3)}, {ASNs: make([]uint32, 70_000)}} // more than a merit has room for
		}
		a.summarise(a.hash())
		return a
	}
	for _, name := range RulesetNames() {
		rules, _ := RulesetFor(name)
		for _, rules := range []Ruleset{rules, append(Ruleset{RuleWeight}, rules...), append(Ruleset{RuleRouterID, RuleLocalOrigin}, rules...)} {
			s := NewSpeaker(SpeakerConfig{Rules: rules})
			short := 0
			for range 200 {
				source := &Source{External: r.IntN(2) == 0, Weight: r.Uint32(), IGPMetric: r.Uint32(), PeerBGPID: BGPIDOf(netip.AddrFrom4([4]byte{byte(r.IntN(256)), 1, 1, 1}))}
				was := s.newPath(Path{Source: source, Attrs: attrs()}, RuleNone, nil)
				p := s.newPath(Path{Source: source, Attrs: attrs()}, RuleNone, was)
				if p.merit != s.appraise(p) {
					t.Fatalf("%s, after %+v: the merit of %+v is %x, and should be %x", name, was.Attrs, p.Attrs, p.merit, s.appraise(p))
				}
				if s.lengthAt.known && was.likeBut(p) && was.merit != p.merit {
					short++
				}
			}
			if short == 0 && s.lengthAt.known {
				t.Errorf("%s: all merits were worked out from the beginning", name)
			}
		}
	}
}
