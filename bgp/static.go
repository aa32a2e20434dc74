package bgp

// Static routes are not BGP's, but they compete with it: a router takes the
// route of the protocol with the lower administrative distance before it asks
// what BGP thinks, and clouds have an order of their own. So static routes are
// paths of the same table, which rules can tell from others (RuleStatic). They
// belong to a peer that is nobody: PeerConfig.Static stands for the routes of
// the router's configuration that point at one link. Such a peer is never up,
// says nothing and is told nothing; InOriginate and InWithdraw with its number
// say which of its routes are there, which is the case while the link's
// interface is up. They are not passed on over BGP, as on routers that have not
// been told to redistribute them.

// staticAttrs are those of every static route: what redistribution would make
// of it. RFC 4271 §5.1.1: ORIGIN is INCOMPLETE, "learned by some other means".
var staticAttrs = &Attrs{Origin: OriginIncomplete}

// static tells whether the router's own configuration can add routes there.
func (s *Speaker) static(peer PeerID) bool {
	return peer == Local || s.known(peer) && s.cfg.Peers[peer].Static
}
