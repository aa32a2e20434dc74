package bgp

import "net/netip"

// Route reflection, RFC 4456: a router that passes on to internal peers what
// another internal peer told it, so that not every router of an AS needs a
// session with every other one. §6 has three kinds of best paths:
//
//	from a client         to all clients and non-clients
//	from a non-client     to all clients
//	from an external peer to all clients and non-clients
//
// Only the first two are reflected. What is reflected carries ORIGINATOR_ID, by
// which the router that it came from knows it again, and CLUSTER_LIST, by which
// a reflector does; admit (policy.go) looks for both. NEXT_HOP stays: "A route
// reflector SHOULD NOT modify … NEXT_HOP, AS_PATH, LOCAL_PREF, and MED" (§10).

// reflects tells whether telling a peer about best would be reflecting it.
func (s *Speaker) reflects(best *Path, external bool) bool {
	return !external && !best.External && best.Peer != Local
}

// reflect notes in a route whose it was and that it came through our cluster.
func (d *draft) reflect(origin, cluster netip.Addr) {
	d.OriginatorID = origin // §8: one that is there already is kept, and origin is that one
	d.clusters = append(append(d.clusters[:0], cluster), d.ClusterList...)
	d.ClusterList = d.clusters
}
