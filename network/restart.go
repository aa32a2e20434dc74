package network

import (
	"fmt"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// Graceful restart in a network. What a session offers, the timers of stale
// routes, and what a router does whose routing process is started again: its
// forwarding table, if it survives, is left alone until the new process has
// chosen its routes; only then what it does not know is taken out. RFC 4724.

// staleTimers are those of a peer: RestartTimer, LongLivedTimer, StalePathTimer.
const staleTimers = int(bgp.SelectionTimer - bgp.RestartTimer)

// restartOffer is what the OPENs of a session say about graceful restart. It is
// the same in every run, unless its times are drawn.
func (n *Network) restartOffer(s *session, restarting bool) (*bgp.GracefulRestart, *bgp.LongLived) {
	set := &n.d.Links[s.link].Ends[s.end].Settings
	if set[topology.BGPRestartTime].Dist.IsRandom() || set[topology.BGPLongLivedTime].Dist.IsRandom() {
		return n.makeOffer(s, set, restarting)
	}
	o := &s.offers[0]
	if restarting {
		o = &s.offers[1]
	}
	if !o.made {
		o.made = true
		o.restart, o.long = n.makeOffer(s, set, restarting)
	}
	return o.restart, o.long
}

// offer is one that has been made before.
type offer struct {
	made    bool
	restart *bgp.GracefulRestart
	long    *bgp.LongLived
}

func (n *Network) makeOffer(s *session, set *topology.Settings, restarting bool) (*bgp.GracefulRestart, *bgp.LongLived) {
	mode := set[topology.BGPGracefulRestart].Enum
	if mode == "off" {
		return nil, nil // RFC 9494 §3.1: the one must not be offered without the other
	}
	seconds := func(key topology.Key) time.Duration { return draw(n.k, set, key, s.names) / time.Second }
	preserved := n.routers[s.router].settings[topology.FIBSurvives].Bool
	r := &bgp.GracefulRestart{Notify: set[topology.BGPGracefulNotify].Bool, Time: uint16(seconds(topology.BGPRestartTime))}
	if mode == "restarter" {
		r.Restarting = restarting
		for _, f := range families(&n.d.Links[s.link].Ends[s.end]).List() {
			r.Families = append(r.Families, bgp.RestartFamily{Family: f, Preserved: preserved})
		}
	}
	mode = set[topology.BGPLongLived].Enum
	if mode == "off" {
		return r, nil
	}
	l := &bgp.LongLived{}
	if mode == "restarter" {
		stale := uint32(seconds(topology.BGPLongLivedTime))
		for _, f := range families(&n.d.Links[s.link].Ends[s.end]).List() {
			l.Families = append(l.Families, bgp.LongLivedFamily{Family: f, Preserved: preserved, StaleTime: stale})
		}
	}
	return r, l
}

// helper is what the session's end does for its peer.
func helper(set *topology.Settings) bgp.Helper {
	on := set[topology.BGPGracefulRestart].Enum != "off"
	return bgp.Helper{Restart: on, LongLived: on && set[topology.BGPLongLived].Enum != "off", BIRD: set[topology.BGPGracefulRules].Enum == "bird"}
}

// longLived tells whether a router follows RFC 9494 on any of its sessions.
func longLived(n *Network, r *router) bool {
	return slices.ContainsFunc(r.sessions, func(i int32) bool {
		s := &n.sessions[i]
		return helper(&n.d.Links[s.link].Ends[s.end].Settings).LongLived
	})
}

// armStale starts or stops a timer of stale routes.
func (n *Network) armStale(r *router, a *bgp.Action) {
	timer, id := &r.choice, r.id
	if a.Timer != bgp.SelectionTimer {
		id = int(r.sessions[a.Peer])
		timer = &n.sessions[id].stales[a.Timer-bgp.RestartTimer]
	}
	if a.Kind == bgp.ActNoStaleTime {
		n.k.Stop(timer)
		return
	}
	n.k.Reset(timer, a.After, sim.Event{To: actorOf(r.id), Kind: evStaleTimer, Arg: uint64(id)<<8 | uint64(a.Timer), Phase: sim.PhaseTimer})
}

// staleTimer: one of them ran out.
func (n *Network) staleTimer(ev *sim.Event) {
	r, t, peer := &n.routers[ev.To-1], bgp.TimerID(ev.Arg&0xff), bgp.Local
	id := int32(-1)
	if t == bgp.SelectionTimer {
		r.choice = sim.Timer{}
	} else {
		id = int32(ev.Arg >> 8)
		s := &n.sessions[id]
		s.stales[t-bgp.RestartTimer] = sim.Timer{}
		peer = s.peer
	}
	if r.frozen {
		r.missed = append(r.missed, id<<8|int32(t))
		return
	}
	n.stepSpeaker(r, peer, bgp.Input{Kind: bgp.InStaleTime, Timer: t})
}

// missedStale is staleTimer for one that ran out while the process hung, unless
// it has been started again since.
func (n *Network) missedStale(r *router, session int32, t bgp.TimerID) {
	timer, peer := &r.choice, bgp.Local
	if session >= 0 {
		s := &n.sessions[session]
		timer, peer = &s.stales[t-bgp.RestartTimer], s.peer
	}
	if _, again := n.k.When(*timer); !again {
		n.stepSpeaker(r, peer, bgp.Input{Kind: bgp.InStaleTime, Timer: t})
	}
}

// staleWait names one of them. How long a peer's routes are kept is the peer's
// to say, all but the last bound.
func (n *Network) staleWait(id int, t bgp.TimerID) Wait {
	if t == bgp.SelectionTimer {
		return n.routerWait(id, topology.BGPSelectionDeferral, "Selection_Deferral_Timer: not all peers have said their routes")
	}
	s := &n.sessions[id]
	over := n.d.Links[s.link].Name
	theirs := func(key topology.Key, what string) Wait {
		w, o := n.endWait(s.link, s.end, key, what), n.endWait(s.link, 1-s.end, key, "")
		w.Parameter, w.Value, w.Origin = o.Parameter, o.Value, o.Origin
		return w
	}
	switch t {
	case bgp.RestartTimer:
		return theirs(topology.BGPRestartTime, "RestartTimer: stale routes over "+over+" are kept for a peer that may come back")
	case bgp.LongLivedTimer:
		return theirs(topology.BGPLongLivedTime, "LongLivedTimer: stale routes over "+over+" are kept as the last choice")
	}
	return n.endWait(s.link, s.end, topology.BGPStalePathTime, "StalePathTimer: stale routes over "+over+" are kept no longer")
}

// restarts tells whether a router asks any of its peers to keep its routes while
// its process is away.
func (n *Network) restarts(r *router) bool {
	return slices.ContainsFunc(r.config.Peers, func(p *bgp.PeerConfig) bool { return p.Restarter })
}

// stop ends the routing process in an orderly way. Peers that know how to keep
// its routes are not told, and see the connection closed; to others it says
// goodbye.
func (n *Network) stop(r *router) {
	if !r.alive || r.frozen {
		n.kill(r)
		return
	}
	for _, i := range r.sessions {
		s := &n.sessions[i]
		if s.config.Restart != nil && len(s.config.Restart.Families) > 0 {
			for len(s.conns) > 0 {
				n.closeConn(s, s.conns[0].id)
			}
		} else {
			n.stepSession(s, bgp.Input{Kind: bgp.InStop, Subcode: bgp.CeaseAdminShutdown})
		}
	}
	n.kill(r)
}

// rebirth is the first thing that a new process does whose predecessor has asked
// its peers to wait.
func (n *Network) rebirth(r *router) {
	r.reborn = true
	n.offer(r)
	n.stepSpeaker(r, bgp.Local, bgp.Input{Kind: bgp.InRestart})
}

// chosen: the routes are chosen. What else there is in the forwarding table is
// of the old process, and the OPENs no longer say that the router has just
// restarted.
func (n *Network) chosen(r *router) {
	r.reborn = false
	n.offer(r)
	n.dropUnknown(r)
}

func (n *Network) offer(r *router) {
	for _, i := range r.sessions {
		s := &n.sessions[i]
		s.config.Restart, s.config.LongLived = n.restartOffer(s, r.reborn)
		s.m.Offer(s.config.Restart, s.config.LongLived)
	}
}

// dropUnknown takes what the process does not know out of the forwarding table.
func (n *Network) dropUnknown(r *router) {
	for _, p := range prefixes(&r.fib) {
		if r.speaker.Route(p) == nil {
			n.program(r, &r.fibQueue, evFIB, topology.FIBDelay, r.fibRnd.Uint64(), change{prefix: p})
		}
	}
}

// KeptUntil tells when the stale routes of a peer go if it does not come back, and which
// wait that is the end of. Not limited: they stay until the peer has said End-of-RIB.
func (n *Network) KeptUntil(router int, peer bgp.PeerID) (until sim.Time, w Wait, limited bool) {
	r := &n.routers[router]
	id := int(r.sessions[peer])
	for t, timer := range n.sessions[id].stales {
		t := bgp.RestartTimer + bgp.TimerID(t)
		at, runs := n.k.When(timer)
		if !runs {
			continue
		}
		if long := r.speaker.LastChoice(peer); t == bgp.RestartTimer && long > 0 {
			t, at = bgp.LongLivedTimer, at.Add(long)
		}
		if !limited || at < until {
			until, w, limited = at, n.staleWait(id, t), true
		}
	}
	return until, w, limited
}

// noteStale notes how many routes of peers that are away a router keeps, where
// that has changed.
func (n *Network) noteStale(r *router) {
	for _, i := range r.sessions {
		s := &n.sessions[i]
		if now := r.speaker.Stale(s.peer); now != s.stale {
			s.stale = now
			n.note(trace.Note{Kind: trace.NoteStale, Router: int32(r.id), Link: int32(s.link), A: int64(now), Up: now > 0})
		}
	}
}

// StaleText says what a NoteStale means.
func StaleText(kept int64) string {
	switch kept {
	case 0:
		return "keeps no stale route any longer"
	case 1:
		return "keeps a stale route: its peer may come back (graceful restart)"
	}
	return fmt.Sprintf("keeps %d stale routes: its peer may come back (graceful restart)", kept)
}
