package bgp_test

import (
	"net/netip"
	"testing"

	"github.com/vpnsim/vpnsim/bgp"
)

// staticRig is a router with a BGP neighbour (0), another one behind a line of
// its own (1), and static routes over two links (2, 3).
func staticRig(t *testing.T, rules string) *speakerRig {
	cfg := speakerOf(rules, 65010, 65010, 0, 0)
	cfg.Peers[1].Direct = true
	cfg.Peers[2] = &bgp.PeerConfig{Static: true}
	cfg.Peers[3] = &bgp.PeerConfig{Static: true}
	r := newSpeakerRig(t, cfg)
	r.up(0)
	return r
}

func (r *speakerRig) static(peer bgp.PeerID, on bool) {
	kind := bgp.InWithdraw
	if on {
		kind = bgp.InOriginate
	}
	r.step("static", peer, bgp.Input{Kind: kind, Prefix: netip.MustParsePrefix(tenSlash8)})
}

// A static route wins against BGP (administrative distance 1 against 20), is
// passed on to nobody, and gives way when it goes.
func TestStaticRoutesComeFirst(t *testing.T) {
	r := staticRig(t, "frr")
	r.announce(0, pathAttrs(asPath(65010)), tenSlash8)
	r.quiet()
	r.static(2, true)
	r.want(`static
		  route 10.0.0.0/8: from 2 (static route)
		  to 0: withdraw [10.0.0.0/8]`)
	r.static(2, true) // said before
	r.want(`static`)
	r.static(2, false)
	r.want(`static
		  route 10.0.0.0/8: from 0 (only path)
		  to 0: [10.0.0.0/8] path [65000 65010] via 10.0.0.1`)
	r.static(0, true) // a neighbour has no static routes
	r.want(`static`)
}

// AWS Site-to-Site VPN user guide, VPNRoutingTypes.md: BGP propagated routes
// from Direct Connect, then static routes of a VPN connection, then BGP
// propagated routes from a VPN connection; only then the AS PATH.
func TestRoutePriorityOfAWS(t *testing.T) {
	r := staticRig(t, "aws-vgw")
	best := func() bgp.PeerID { return r.s.Route(prefixList(tenSlash8)[0]).Best.Peer }
	r.announce(0, pathAttrs(asPath(65010)), tenSlash8)
	r.static(2, true)
	if best() != 2 {
		t.Errorf("best is %d: a static route comes before BGP in a VPN", best())
	}
	r.up(1)
	r.announce(1, pathAttrs(asPath(65010, 65010, 65010, 65020)), tenSlash8)
	if best() != 1 {
		t.Errorf("best is %d: Direct Connect comes before a static route, however long its path", best())
	}
	r.static(2, false)
	if best() != 1 {
		t.Errorf("best is %d: Direct Connect comes before BGP in a VPN", best())
	}
}

// Google Cloud, order of routes: the lower number wins, 100 for what BGP
// learned (its base MED) and 1000 for a static route, unless one says otherwise.
func TestGoogleTakesDynamicRoutesFirst(t *testing.T) {
	r := staticRig(t, "gcp-legacy")
	r.static(2, true)
	r.announce(0, pathAttrs(asPath(65010)), tenSlash8)
	if route := r.s.Route(prefixList(tenSlash8)[0]); route.Best.Peer != 0 || route.Rule != bgp.RuleDynamic {
		t.Errorf("best is %d, by %v", route.Best.Peer, route.Rule)
	}
}
