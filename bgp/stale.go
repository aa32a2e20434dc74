package bgp

import (
	"slices"
	"time"
)

// Graceful restart, the Speaker's part: what becomes of a peer's routes while it
// is away, and what a speaker does that has been away itself. RFC 4724 §4, RFC
// 9494 §4.
//
// The receiving speaker. When the session ends gracefully (restart.go), the
// peer's routes stay as if nothing had happened, but are stale: each is fresh
// again when the peer says it again, and what is left goes at the peer's
// End-of-RIB, when the peer comes back without its forwarding state, or when time
// is up. Three timers say when that is:
//
//   - RestartTimer: the Restart Time that the peer has asked for, until the
//     session is established again.
//   - LongLivedTimer: the peer's Long-Lived Stale Time after that, in which its
//     routes are the last choice; until its End-of-RIB.
//   - StalePathTimer: our own bound, from the end of the session on, whether or
//     not the peer is back.
//
// The restarting speaker. Its forwarding table has outlived its routing process,
// and it must not be touched before the speaker knows as much as before: so the
// choice of routes is deferred until all peers have said End-of-RIB, or the
// SelectionTimer runs out. Only then routes are chosen, reported and announced,
// and whatever else is in the forwarding table may go.

// The timers of a Speaker, beside the advertisement timers. They are no timers
// of a Session, whose names end before them.
const (
	RestartTimer   TimerID = 64 + iota // of a peer
	LongLivedTimer                     // of a peer
	StalePathTimer                     // of a peer
	SelectionTimer                     // of the router itself: RFC 4724's Selection_Deferral_Timer
)

// absence is where a peer stands whose routes have been kept.
type absence uint8

const (
	present  absence = iota // nothing of it is stale
	restarts                // the session is down, the RestartTimer runs
	longGone                // the LongLivedTimer runs, whatever the session does
	returns                 // the session is up again, End-of-RIB has not come
	tooLate                 // as returns, but the LongLivedTimer has run out before
)

// Well-known communities of RFC 9494.
const (
	LLGRStale uint32 = 0xFFFF0006
	NoLLGR    uint32 = 0xFFFF0007
)

// LongLived tells whether a is the last choice. RFC 9494 §4.3
func (a *Attrs) LongLived() bool { return slices.Contains(a.Communities, LLGRStale) }

// time starts a timer of peer, stopTime stops it if it runs.
func (s *Speaker) time(acts []Action, peer PeerID, t TimerID, d time.Duration) []Action {
	*s.clocks(peer) |= 1 << (t - RestartTimer)
	return append(acts, Action{Kind: ActStaleTime, Peer: peer, Timer: t, After: d})
}

func (s *Speaker) stopTime(acts []Action, peer PeerID, t TimerID) []Action {
	c := s.clocks(peer)
	if *c&(1<<(t-RestartTimer)) == 0 {
		return acts
	}
	*c &^= 1 << (t - RestartTimer)
	return append(acts, Action{Kind: ActNoStaleTime, Peer: peer, Timer: t})
}

// clocks holds a bit for each timer of peer that runs.
func (s *Speaker) clocks(peer PeerID) *uint8 {
	if peer == Local {
		return &s.selection
	}
	return &s.peers[peer].clocks
}

// timeUp: timer t of peer ran out.
func (s *Speaker) timeUp(acts []Action, peer PeerID, t TimerID, stamp uint64) []Action {
	if t < RestartTimer || t > SelectionTimer || *s.clocks(peer)&(1<<(t-RestartTimer)) == 0 {
		return acts
	}
	*s.clocks(peer) &^= 1 << (t - RestartTimer)
	if t == SelectionTimer {
		return s.choose(acts)
	}
	n := &s.peers[peer]
	_, long, _ := s.cfg.Peers[peer].Helper.keeps(s.beside[peer].open)
	switch {
	case t == RestartTimer && long > 0:
		return s.run(s.longLive(acts, peer, long, stamp))
	case t == LongLivedTimer && n.up:
		acts = s.sweep(acts, peer)
		n.absence = tooLate
		return s.run(acts)
	}
	// RFC 4724 §4.2: "If the session does not get re-established within the
	// 'Restart Time' that the peer advertised previously, the Receiving Speaker MUST
	// delete all the stale routes from the peer that it is retaining."
	return s.run(s.sweep(acts, peer))
}

// keep is the end of a session whose routes are kept.
func (s *Speaker) keep(acts []Action, peer PeerID, restart, long time.Duration, stamp uint64) []Action {
	n := &s.peers[peer]
	before := n.absence
	kept := s.cfg.Peers[peer].Helper.kept(s.beside[peer].open)
	for _, e := range s.entries {
		for from, i := e.span(peer); i > from; {
			i--
			s.keepOne(e, i, kept, before)
		}
	}
	acts = s.stopTime(acts, peer, StalePathTimer)
	switch {
	case before == longGone: // its timer "MUST NOT be updated … until the peer has established and synchronized a new session"
		return s.mark(acts, peer, stamp)
	case restart > 0:
		n.absence = restarts
		acts = s.time(acts, peer, RestartTimer, restart)
		if bound := s.cfg.Peers[peer].StalePath; bound > 0 && long == 0 {
			acts = s.time(acts, peer, StalePathTimer, bound)
		}
		return acts
	}
	return s.longLive(acts, peer, long, stamp)
}

// keepOne is what becomes of the arrival at place i when its session ends.
func (s *Speaker) keepOne(e *entry, i int, kept Families, before absence) {
	switch a := &e.in[i]; {
	case !kept.Has(FamilyOf(e.prefix)): // nobody has asked to keep it
		s.discard(e, i)
	case !a.stale:
		a.stale = true
		s.peers[a.peer].stale++
	case before != longGone:
		// "To deal with possible consecutive restarts, a route (from the peer)
		// previously marked as stale MUST be deleted." RFC 4724 §4.2; but "the
		// previously marked stale routes MUST NOT be deleted before the timer for the
		// Long-Lived Stale Time expires." RFC 9494 §4.2
		s.discard(e, i)
	}
}

// longLive begins the long-lived part of a peer's absence. RFC 9494 §4.2
func (s *Speaker) longLive(acts []Action, peer PeerID, long time.Duration, stamp uint64) []Action {
	s.peers[peer].absence = longGone
	return s.mark(s.time(acts, peer, LongLivedTimer, long), peer, stamp)
}

// mark makes the stale routes of peer the last choice: they get the community
// LLGR_STALE. Those with NO_LLGR are not kept so long.
func (s *Speaker) mark(acts []Action, peer PeerID, stamp uint64) []Action {
	for _, e := range s.entries {
		for from, i := e.span(peer); i > from; {
			i--
			a := &e.in[i]
			old := a.path
			switch {
			case !a.stale:
			case slices.Contains(old.Attrs.Communities, NoLLGR):
				s.discard(e, i)
			case !old.Attrs.LongLived():
				path := *old
				path.Attrs, path.Stamp = s.lastChoice(old.Attrs), stamp
				a.path = s.newPath(path, a.bar, nil)
				if a.bar == RuleNone {
					s.touch(e, peer)
				}
			}
		}
	}
	return acts
}

// lastChoice adds LLGR_STALE to attributes.
func (s *Speaker) lastChoice(a *Attrs) *Attrs {
	d := &s.mem.draft
	d.from(a)
	d.communities([]uint32{LLGRStale}, nil)
	return s.mem.interned.of(d)
}

// discard removes the arrival at place i of e.
func (s *Speaker) discard(e *entry, i int) {
	a := &e.in[i]
	peer := a.peer
	n := &s.peers[peer]
	if a.counts() {
		*n.announces(e.prefix)--
	}
	if a.stale {
		n.stale--
	}
	s.remove(e, i)
	s.touch(e, peer)
}

// sweep deletes what is still stale of peer's routes; nobody waits for it any
// more.
func (s *Speaker) sweep(acts []Action, peer PeerID) []Action {
	n := &s.peers[peer]
	for t := RestartTimer; t <= StalePathTimer; t++ {
		acts = s.stopTime(acts, peer, t)
	}
	s.drop(peer, WithIPv4|WithIPv6)
	n.absence = present
	if !n.up {
		s.beside[peer].open = nil
	}
	return acts
}

// drop deletes what is stale of peer's routes of some families.
func (s *Speaker) drop(peer PeerID, of Families) {
	if s.peers[peer].stale == 0 || of == 0 {
		return
	}
	for _, e := range s.entries {
		for from, i := e.span(peer); i > from; {
			if i--; e.in[i].stale && of.Has(FamilyOf(e.prefix)) {
				s.discard(e, i)
			}
		}
	}
}

// back: a peer that was away has a session again, and offered o. RFC 4724 §4.2:
// "if the 'Forwarding State' bit for a specific address family is not set in the
// newly received Graceful Restart Capability, or if a specific address family is
// not included …, or if the Graceful Restart Capability is not received in the
// re-established session at all, then the Receiving Speaker MUST immediately
// remove all the stale routes". RFC 9494 §4.2 has the same for its own.
func (s *Speaker) back(acts []Action, peer PeerID, o *Open) []Action {
	n := &s.peers[peer]
	preserved := Families(0)
	if n.absence == longGone {
		if l := s.cfg.Peers[peer].Helper.agreed(o); l != nil {
			preserved = l.preserved()
		}
	} else if o != nil && o.Restart != nil {
		preserved = o.Restart.preserved()
	}
	if preserved &= n.families; preserved == 0 {
		return s.sweep(acts, peer)
	}
	s.drop(peer, n.families&^preserved)
	acts = s.stopTime(acts, peer, RestartTimer)
	if n.absence == restarts {
		n.absence = returns
	}
	return acts
}

// deferChoice begins the life of a router whose forwarding table has outlived its
// routing process. RFC 4724 §4.1: "it MUST defer route selection".
func (s *Speaker) deferChoice(acts []Action) []Action {
	s.defers = true
	acts = s.time(acts, Local, SelectionTimer, s.cfg.SelectionDeferral)
	return s.chooseWhenAllHaveSpoken(acts)
}

// undeferred leaves the rows whose routes are chosen all the same: those with a
// static route, which is not BGP's to wait with.
func (s *Speaker) undeferred(dirty []*entry) []*entry {
	kept := dirty[:0]
	for _, e := range dirty {
		if slices.ContainsFunc(e.in, func(a arrival) bool { return a.peer != Local && s.cfg.Peers[a.peer].Static }) {
			kept = append(kept, e)
		} else {
			e.dirty = false
		}
	}
	return kept
}

// chooseWhenAllHaveSpoken ends the deferral when the speaker has received "the
// End-of-RIB marker from all its peers (excluding the ones with the 'Restart
// State' bit set in the received capability and excluding the ones that do not
// advertise the graceful restart capability)". RFC 4724 §4.1. A peer that is not
// there yet is one of all its peers.
func (s *Speaker) chooseWhenAllHaveSpoken(acts []Action) []Action {
	if !s.defers {
		return acts
	}
	for i := range s.peers {
		n := &s.peers[i]
		if s.cfg.Peers[i].Restarter && !(n.up && (n.spoken() || s.beside[i].notWaitedFor())) {
			return acts
		}
	}
	return s.choose(acts)
}

// notWaitedFor tells whether a peer's End-of-RIB is not to be waited for: it does
// not know graceful restart, or has just restarted itself.
func (b *beside) notWaitedFor() bool {
	return b.open == nil || b.open.Restart == nil || b.open.Restart.Restarting
}

// choose ends the deferral: "After the BGP speaker performs route selection, the
// forwarding state of the speaker MUST be updated and any previously marked
// stale information MUST be removed. The Adj-RIB-Out can then be advertised to
// its peers. Once the initial update is complete …, the End-of-RIB marker MUST
// be sent."
func (s *Speaker) choose(acts []Action) []Action {
	acts = s.stopTime(acts, Local, SelectionTimer)
	s.defers = false
	for _, e := range s.entries {
		s.touch(e, several)
	}
	acts = append(s.decideAll(acts), Action{Kind: ActChosen, Peer: Local})
	for i := range s.peers {
		if n := &s.peers[i]; n.up && n.opening {
			acts = s.greet(acts, PeerID(i))
		}
	}
	return acts
}

// Stale is how many routes of peer may be used although its session has ended.
func (s *Speaker) Stale(peer PeerID) (n int) {
	if !s.known(peer) || s.peers[peer].stale == 0 {
		return 0
	}
	for _, e := range s.entries {
		for i, to := e.span(peer); i < to; i++ {
			if e.in[i].stale && e.in[i].bar == RuleNone {
				n++
			}
		}
	}
	return n
}

// LastChoice is for how long the routes of peer, which is away, are kept as the last
// choice once its Restart Time is over. RFC 9494 §4.2
func (s *Speaker) LastChoice(peer PeerID) time.Duration {
	_, long, _ := s.cfg.Peers[peer].Helper.keeps(s.beside[peer].open)
	return long
}

// Deferring tells whether the choice of routes waits for the peers.
func (s *Speaker) Deferring() bool { return s.defers }
