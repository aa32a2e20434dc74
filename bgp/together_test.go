package bgp_test

import (
	"testing"

	"github.com/vpnsim/vpnsim/bgp"
)

// Two neighbours lose a route one after the other, and a third has another one. Who
// decides each time turns to the second and then to the third; who decides once turns to
// the third. The rule that keeps the selected external path (FRR) goes by what was
// selected, and that is not what the first news would have made of it.
func TestOneDecisionForMuchNews(t *testing.T) {
	cfg := speakerOf("frr", 1, 2, 3)
	cfg.Together = true
	r := newSpeakerRig(t, cfg)
	decide := func() { r.step("decide", bgp.Local, bgp.Input{Kind: bgp.InDecide}) }
	r.up(0, 1, 2)
	r.announce(0, pathAttrs(asPath(1)), tenSlash8)
	r.announce(1, pathAttrs(asPath(2, 1)), tenSlash8)
	r.announce(2, pathAttrs(asPath(3, 1)), tenSlash8)
	decide()
	r.quiet()
	r.withdraw(0, tenSlash8)
	r.withdraw(1, tenSlash8)
	r.announce(1, pathAttrs(asPath(2, 4, 1)), tenSlash8)
	decide()
	decide()
	r.want(`
0 withdraws 10.0.0.0/8
  a decision is asked for
1 withdraws 10.0.0.0/8
1 announces 10.0.0.0/8
decide
  route 10.0.0.0/8: from 2 (shorter AS_PATH)
  to 0: [10.0.0.0/8] path [65000 3 1] via 10.0.0.1
  to 1: [10.0.0.0/8] path [65000 3 1] via 10.0.1.1
  to 2: [10.0.0.0/8] path [65000 3 1] via 10.0.2.1
decide
`)
}

// What comes and goes before the decision was never there.
func TestNewsThatIsNoneInTheEnd(t *testing.T) {
	cfg := speakerOf("frr", 1, 2)
	cfg.Together = true
	r := newSpeakerRig(t, cfg)
	r.up(0, 1)
	r.quiet()
	r.announce(0, pathAttrs(asPath(1)), tenSlash8)
	r.withdraw(0, tenSlash8)
	r.step("decide", bgp.Local, bgp.Input{Kind: bgp.InDecide})
	r.announce(0, pathAttrs(asPath(1)), tenSlash8)
	r.down(0)
	r.step("decide", bgp.Local, bgp.Input{Kind: bgp.InDecide})
	r.want(`
0 announces 10.0.0.0/8
  a decision is asked for
0 withdraws 10.0.0.0/8
decide
0 announces 10.0.0.0/8
  a decision is asked for
peer 0 down
decide
`)
}

// A static route is none of BGP's business, and does not wait for it.
func TestStaticRoutesDoNotWaitForTheDecision(t *testing.T) {
	cfg := speakerOf("frr", 1, 2)
	cfg.Together = true
	cfg.Peers[1].Static = true
	r := newSpeakerRig(t, cfg)
	r.step("static", 1, bgp.Input{Kind: bgp.InOriginate, Prefix: prefixList(tenSlash8)[0]})
	r.step("gone", 1, bgp.Input{Kind: bgp.InWithdraw, Prefix: prefixList(tenSlash8)[0]})
	r.want(`
static
  route 10.0.0.0/8: from 1 (only path)
gone
  route 10.0.0.0/8: none
`)
}

// An ActRoute says which input had asked for the decision: the first about that prefix.
func TestTheStampOfTheNews(t *testing.T) {
	cfg := speakerOf("frr", 1, 2)
	cfg.Together = true
	s := bgp.NewSpeaker(cfg)
	step := func(peer bgp.PeerID, in bgp.Input, stamp uint64) []bgp.Action {
		in.Stamp = stamp
		return s.Step(nil, peer, in)
	}
	step(0, bgp.Input{Kind: bgp.InPeerUp}, 1)
	step(1, bgp.Input{Kind: bgp.InPeerUp}, 2)
	announce := func(p bgp.PeerID, prefix string, stamp uint64) {
		step(p, updateInput(&bgp.Update{Attrs: pathAttrs(asPath(uint32(p + 1))), NLRI: prefixList(prefix)}), stamp)
	}
	announce(0, "10.1.0.0/16", 3)
	announce(0, tenSlash8, 4)
	announce(1, "10.1.0.0/16", 5)
	got := map[string]uint64{}
	for _, a := range step(bgp.Local, bgp.Input{Kind: bgp.InDecide}, 6) {
		if a.Kind == bgp.ActRoute {
			got[a.Route.Prefix.String()] = a.Stamp
		}
	}
	if got["10.1.0.0/16"] != 3 || got[tenSlash8] != 4 || len(got) != 2 {
		t.Errorf("%v", got)
	}
}
