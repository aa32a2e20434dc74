package bgp_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/bgp"
)

// reflectorOf makes a reflector of AS 65000: peers 0 and 1 are clients, 2 and 3
// internal peers that are none, 4 is external.
func reflectorOf() bgp.SpeakerConfig {
	cfg := speakerOf("rfc4271", 65000, 65000, 65000, 65000, 65010)
	for i := range cfg.Peers {
		cfg.Peers[i].Client = i < 2
		cfg.Peers[i].NoEcho = true
		cfg.Peers[i].NextHopSelf = true
	}
	return cfg
}

// RFC 4456 §6: "1) A route from a Non-Client IBGP peer: Reflect to all the
// Clients. 2) A route from a Client peer: Reflect to all the Non-Client peers
// and also to the Client peers other than the originator. Hence, the Client
// peers are not required to be fully meshed." What comes from outside goes to
// all, as ever.
func TestRoutesAreReflected(t *testing.T) {
	inside := func(a *bgp.Attrs) { a.LocalPref, a.HasLocalPref = 100, true }
	for _, c := range []struct {
		sentence string
		from     bgp.PeerID
		edits    []func(*bgp.Attrs)
		to       string
	}{
		{"from a client: to the other client, the non-clients and outside", 0, []func(*bgp.Attrs){inside}, "1234"},
		{"from a non-client: to the clients and outside, to no other non-client", 2, []func(*bgp.Attrs){inside}, "014"},
		{"from outside: to all inside", 4, nil, "0123"},
	} {
		r := newSpeakerRig(t, reflectorOf())
		r.up(0, 1, 2, 3, 4)
		path := asPath(65020)
		if c.from == 4 {
			path = asPath(65010)
		}
		r.announce(c.from, pathAttrs(path, c.edits...), tenSlash8)
		var to strings.Builder
		for p := bgp.PeerID(0); p < 5; p++ {
			if r.s.Advertised(p, prefixList(tenSlash8)[0]) != nil {
				to.WriteByte(byte('0' + p))
			}
		}
		if to.String() != c.to {
			t.Errorf("%s: told %s, want %s", c.sentence, to.String(), c.to)
		}
	}
}

// RFC 4456 §8: "A BGP speaker SHOULD NOT create an ORIGINATOR_ID attribute if
// one already exists. … When an RR reflects a route, it MUST prepend the local
// CLUSTER_ID to the CLUSTER_LIST." §10: NEXT_HOP is not modified. What comes
// from outside is no reflection: it has neither, and the reflector as next hop.
func TestWhatIsReflectedSaysSo(t *testing.T) {
	prefix := prefixList(tenSlash8)[0]
	r := newSpeakerRig(t, reflectorOf())
	r.up(0, 1, 2, 3, 4)

	r.announce(0, pathAttrs(asPath(65020)), tenSlash8)
	a := r.s.Advertised(1, prefix)
	if a == nil || a.OriginatorID.String() != "9.9.9.1" || len(a.ClusterList) != 1 || a.ClusterList[0].String() != "1.1.1.1" || a.NextHop.String() != "203.0.113.9" {
		t.Errorf("reflected from a client: %+v", a)
	}
	if out := r.s.Advertised(4, prefix); out == nil || out.OriginatorID.IsValid() || len(out.ClusterList) > 0 {
		t.Errorf("told outside: %+v", out)
	}

	r.announce(0, pathAttrs(asPath(65020), func(a *bgp.Attrs) {
		a.OriginatorID, a.ClusterList = netip.MustParseAddr("7.7.7.7"), []netip.Addr{netip.MustParseAddr("8.8.8.8")}
	}), tenSlash8)
	a = r.s.Advertised(1, prefix)
	if a == nil || a.OriginatorID.String() != "7.7.7.7" || len(a.ClusterList) != 2 || a.ClusterList[0].String() != "1.1.1.1" || a.ClusterList[1].String() != "8.8.8.8" {
		t.Errorf("reflected for the second time: %+v", a)
	}

	r.withdraw(0, tenSlash8)
	r.announce(4, pathAttrs(asPath(65010)), tenSlash8)
	a = r.s.Advertised(1, prefix)
	if a == nil || a.OriginatorID.IsValid() || len(a.ClusterList) > 0 || a.NextHop.String() != "10.0.1.1" {
		t.Errorf("from outside: %+v", a)
	}
}

// RFC 4456 §8: "A router that recognizes the ORIGINATOR_ID attribute SHOULD
// ignore a route received with its BGP Identifier as the ORIGINATOR_ID" and "If
// the local CLUSTER_ID is found in the CLUSTER_LIST, the advertisement received
// SHOULD be ignored."
func TestWhatComesBackIsIgnored(t *testing.T) {
	for _, c := range []struct {
		edit func(*bgp.Attrs)
		bar  bgp.Rule
	}{
		{func(a *bgp.Attrs) { a.OriginatorID = netip.MustParseAddr("1.1.1.1") }, bgp.RuleReflected},
		{func(a *bgp.Attrs) {
			a.ClusterList = []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("1.1.1.1")}
		}, bgp.RuleCluster},
	} {
		r := newSpeakerRig(t, reflectorOf())
		r.up(0, 1)
		r.announce(0, pathAttrs(asPath(65020), c.edit), tenSlash8)
		if r.s.Route(prefixList(tenSlash8)[0]) != nil {
			t.Errorf("used although: %v", c.bar)
		}
		if vs := r.s.Explain(prefixList(tenSlash8)[0]); len(vs) != 1 || vs[0].Rule != c.bar {
			t.Errorf("%+v, want %v", vs, c.bar)
		}
	}
}
