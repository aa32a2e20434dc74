package network

import (
	"slices"

	"github.com/vpnsim/vpnsim/bgp"
)

// Static routes: the router's own configuration points a prefix at a link. In
// the speaker's table, where they compete with what BGP says, the routes over
// one link are those of a peer that is nobody (bgp/static.go). They are there
// while the interface is up. A VPN without BGP has nothing else.

// withStatics adds such a peer for each link that static routes point at.
func (r *router) withStatics(c bgp.SpeakerConfig) bgp.SpeakerConfig {
	for _, s := range r.cfg.Statics {
		if !slices.Contains(r.ways[len(r.sessions):], int32(s.Link)) {
			r.ways = append(r.ways, int32(s.Link))
			c.Peers = append(c.Peers, &bgp.PeerConfig{Static: true})
		}
	}
	return c
}

// setStatics makes the static routes over l there or not, as the interface of
// r's end is up or down.
func (n *Network) setStatics(r *router, l *link) {
	kind := bgp.InWithdraw
	if l.ends[l.endOf(r.id)].iface {
		kind = bgp.InOriginate
	}
	for i := len(r.sessions); i < len(r.ways); i++ {
		if r.ways[i] != int32(l.id) {
			continue
		}
		for _, s := range r.cfg.Statics {
			if s.Link == l.id {
				n.stepSpeaker(r, bgp.PeerID(i), bgp.Input{Kind: kind, Prefix: s.Prefix})
			}
		}
	}
}
