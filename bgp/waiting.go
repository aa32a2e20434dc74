package bgp

import "net/netip"

// EachWaiting calls f for every change that waits for an advertisement timer:
// with the peer that is to be told, and about which prefix.
func (s *Speaker) EachWaiting(f func(PeerID, netip.Prefix)) {
	for peer := range s.peers {
		if s.peers[peer].waiting == 0 {
			continue
		}
		for _, e := range s.entries {
			if len(e.out) > 0 && e.out[peer].waits {
				f(PeerID(peer), e.prefix)
			}
		}
	}
}
