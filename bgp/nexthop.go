package bgp

// Next-hop tracking: "If the NEXT_HOP attribute of a BGP route depicts an address
// that is not resolvable, or if it would become unresolvable if the route was
// installed in the routing table, the BGP route MUST be excluded from the Phase
// 2 decision function." RFC 4271 §9.1.2.1
//
// Whoever knows when that changes says so (InNextHop), after the delay that the
// router has for it. Until a session notices by itself that its peer is gone,
// this is what takes the peer's routes out.

// nextHop excludes what peer has said and will say, or lets it in again.
func (s *Speaker) nextHop(acts []Action, peer PeerID, reachable bool) []Action {
	n := &s.peers[peer]
	if n.unreachable == !reachable {
		return acts
	}
	n.unreachable = !reachable
	for _, e := range s.entries {
		s.reconsiderBar(peer, e.prefix)
	}
	return s.run(acts)
}
