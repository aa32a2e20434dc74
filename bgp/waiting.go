package bgp

import "net/netip"

// EachStale calls f for every route of a peer that is kept from an earlier
// session (graceful restart).
func (s *Speaker) EachStale(f func(PeerID, netip.Prefix)) {
	for peer := range s.peers {
		if s.peers[peer].stale == 0 {
			continue
		}
		for _, e := range s.entries {
			for i, to := e.span(PeerID(peer)); i < to; i++ {
				if e.in[i].stale {
					f(PeerID(peer), e.prefix)
				}
			}
		}
	}
}

// EachWaiting calls f for every change that a peer is yet to be told of: because
// it waits for an advertisement timer or, with first, for the first UPDATE of the
// session.
func (s *Speaker) EachWaiting(f func(peer PeerID, p netip.Prefix, first bool)) {
	for i := range s.peers {
		n, peer := &s.peers[i], PeerID(i)
		if n.waiting == 0 && !n.opening {
			continue
		}
		for _, e := range s.entries {
			switch {
			case n.opening && s.export(peer, e) != nil:
				f(peer, e.prefix, true)
			case len(e.out) > 0 && e.out[peer].waits:
				f(peer, e.prefix, false)
			}
		}
	}
}

// EachUnsaid calls f for every route that a peer knows and that is no longer ours, of which it
// will not be told (PeerGroup.LoopUnsaid).
func (s *Speaker) EachUnsaid(f func(PeerID, netip.Prefix)) {
	for _, e := range s.entries {
		for i := range e.out {
			if o := &e.out[i]; o.unsaid && o.sent != nil {
				f(PeerID(i), e.prefix)
			}
		}
	}
}

// EachDamped calls f for every route that is there and suppressed: it will be
// used again when its figure of merit has decayed.
func (s *Speaker) EachDamped(f func(PeerID, netip.Prefix)) {
	for _, x := range s.damped {
		if s.Received(x.peer, x.prefix) != nil {
			f(x.peer, x.prefix)
		}
	}
}
