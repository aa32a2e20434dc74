package bgp

import "net/netip"

// Choosing for many changes at once. RFC 4271 §9.1 has the decision process run whenever
// a peer has said something; but a daemon that hears from thirty neighbours within a
// moment is better off with one decision about all of it. FRR's bgpd puts a prefix about
// which there is news into a queue, looks into the queue 50 ms after the first one came,
// and chooses then between the paths that there are.
//
// That is more than a delay. Of three neighbours that lose the same route, each says so a
// moment after the other, or tells of another path that it has found. Who decides after
// each of them turns to paths that the next one takes away, tells its own neighbours, and
// has to wait for MRAI before it can mend that; who decides once sees only what is left.
//
// SpeakerConfig.Together has a speaker do so: news asks for a decision (ActDecide), and
// InDecide is when it is made. Static routes are not BGP's and do not wait.

// undecided is a row that waits for the decision.
type undecided struct {
	e     *entry
	stamp uint64 // of the input that brought the news; the first, if there was more
}

// gather leaves the dirty rows for the next decision.
func (s *Speaker) gather(acts []Action) []Action {
	dirty, waiting := s.mem.dirty, len(s.undecided)
	if s.defers {
		dirty = s.undeferred(dirty)
	}
	atOnce := dirty[:0]
	for _, e := range dirty {
		if e.touched >= 0 && s.cfg.Peers[e.touched].Static {
			atOnce = append(atOnce, e)
		} else {
			s.undecided = append(s.undecided, undecided{e, s.stamp})
		}
	}
	s.mem.dirty = atOnce
	if waiting == 0 && len(s.undecided) > 0 {
		acts = append(acts, Action{Kind: ActDecide, Peer: Local})
	}
	return s.decideDirty(acts)
}

// decideAll decides about all rows that have waited, and those that are dirty besides.
func (s *Speaker) decideAll(acts []Action) []Action {
	for _, e := range s.mem.dirty {
		s.undecided = append(s.undecided, undecided{e, s.stamp})
	}
	s.mem.dirty = s.mem.dirty[:0]
	for _, u := range s.undecided {
		s.mem.dirty = append(s.mem.dirty, u.e)
	}
	done := len(acts)
	acts = s.decideDirty(acts)
	rest := s.undecided // in the order of the routes, but some have not changed
	for i := range acts[done:] {
		if a := &acts[done+i]; a.Kind == ActRoute {
			for rest[0].e.prefix != a.Route.Prefix {
				rest = rest[1:]
			}
			a.Stamp = rest[0].stamp
		}
	}
	s.undecided = s.undecided[:0]
	return acts
}

// EachUndecided calls f for each prefix about which there is news, and no decision yet.
func (s *Speaker) EachUndecided(f func(netip.Prefix)) {
	for _, u := range s.undecided {
		f(u.e.prefix)
	}
}
