package network

import (
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// What the router's system tells its speaker besides messages: that next hops
// have come or gone (next-hop tracking), and that a damped route's time is over.

// trackNextHop is told that the interface at end e of l has come or gone. The
// next hops of what the peer announces lie behind it; the speaker hears of that
// after bgp.nexthop_delay, if the router tracks next hops at all. Where the
// session ends with its interface there is nothing left to be told.
func (n *Network) trackNextHop(l *link, e int) {
	set := &l.cfg.Ends[e].Settings
	if l.sessions[e] < 0 || !set[topology.BGPNextHopTracking].Bool || set[topology.BGPFastFallover].Bool {
		return
	}
	s := &n.sessions[l.sessions[e]]
	if l.ends[e].iface && !s.hopGone {
		return
	}
	s.hopGone = true
	n.k.Reset(&s.hop, draw(n.k, set, topology.BGPNextHopDelay, s.names),
		sim.Event{To: s.actor(), Kind: evNextHop, Arg: uint64(s.id), Phase: sim.PhaseTimer})
}

// nextHopDue tells the speaker how things stand now: what has come and gone in
// between, nobody saw.
func (n *Network) nextHopDue(s *session) {
	r := &n.routers[s.router]
	if r.frozen {
		r.missed = append(r.missed, int32(s.id)<<8|int32(missedNextHop))
		return
	}
	s.hopGone = !n.links[s.link].ends[s.end].iface
	n.stepSpeaker(r, s.peer, bgp.Input{Kind: bgp.InNextHop, Reachable: !s.hopGone})
}

// reuseTime lets the speaker use again what it has damped for long enough.
func (n *Network) reuseTime(s *session) {
	r := &n.routers[s.router]
	if r.frozen {
		r.missed = append(r.missed, int32(s.id)<<8|int32(missedReuse))
		return
	}
	n.stepSpeaker(r, s.peer, bgp.Input{Kind: bgp.InReuseTime})
}

// damping is how the routes of a peer are damped; nil if they are not.
func damping(set *topology.Settings) *bgp.Damping {
	if !set[topology.BGPDamping].Bool {
		return nil
	}
	return &bgp.Damping{
		Suppress: uint32(set[topology.BGPDampingSuppress].Int),
		Reuse:    uint32(set[topology.BGPDampingReuse].Int),
	}
}

// drawDamping fills in the durations, which may be distributions.
func (n *Network) drawDamping(r *router) {
	for i, id := range r.sessions {
		s := &n.sessions[id]
		set := &n.d.Links[s.link].Ends[s.end].Settings
		if d := r.config.Peers[i].Damping; d != nil {
			d.HalfLife = draw(n.k, set, topology.BGPDampingHalfLife, s.names)
			d.Max = draw(n.k, set, topology.BGPDampingMax, s.names)
		}
	}
}
