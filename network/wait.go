package network

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/bfd"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
	"github.com/vpnsim/vpnsim/vpn"
)

// Wait says what time passed for between an event's cause and the event: which
// timer ran at which node, by which parameter, and where its value came from.
type Wait struct {
	Node      string
	What      string
	Parameter string // path in the scenario; empty: none
	Value     string
	Origin    topology.Origin
	Drawn     *Drawn // nil: the timer ran for as long as its setting says
}

// Wait names the wait that ended in an event of the record.
func (n *Network) Wait(id sim.EventID) Wait {
	d, ev := n.d, n.log.Events[id-1]
	router := func() int { return int(ev.To) - 1 }
	switch ev.Kind {
	case evFault:
		f := &d.Story[ev.Arg]
		path := "at"
		if f.Until > 0 {
			path = "for"
		}
		return Wait{Node: "story", What: "until the story: " + n.FaultText(int(ev.Arg)), Parameter: fmt.Sprintf("story[%d].%s", f.Index, path), Value: f.At.String(), Origin: f.AtOrigin}
	case evBringUp, evSettle:
		return Wait{Node: "story", What: "warm-up", Parameter: "warmup", Value: d.Warmup.String()}
	case evTick:
		return Wait{Node: d.Hosts[d.Probes[ev.Arg].From].Name, What: "the next echo request", Parameter: "probes." + d.Probes[ev.Arg].Name + ".every", Value: d.Probes[ev.Arg].Every.String()}
	case evEcho:
		return n.linkWait(echoArg(ev.Arg).link(), "an echo on its way over ")
	case evSegment:
		return n.linkWait(n.conns[segArg(ev.Arg).conn()].link, "a TCP segment on its way over ")
	case evIKE:
		return n.linkWait(n.ike[ev.Arg].link, "an IKE message on its way over ")
	case evTCPTimer:
		c := n.conns[ev.Arg>>2]
		key, what := topology.TCPRTO, "TCP retransmission over "
		if ev.Arg>>1&1 == 1 {
			key, what = topology.TCPSynRetry, "TCP: retransmission of the handshake over "
		}
		l := &n.links[c.link]
		return n.endWait(c.link, l.endOf(router()), key, what+l.cfg.Name)
	case evBGPTimer:
		s, t := &n.sessions[ev.Arg>>8], bgp.TimerID(ev.Arg&0xff)%bgp.SecondConn
		return n.spreadSession(n.sessionWait(s, t, id), s, t, id)
	case evRouteTime:
		return n.routeTimeWait(id)
	case evReuse:
		s := &n.sessions[ev.Arg]
		return n.endWait(s.link, s.end, topology.BGPDampingHalfLife, "flap damping over "+d.Links[s.link].Name+", until the figure of merit has decayed to the reuse threshold")
	case evNextHop:
		s := &n.sessions[ev.Arg]
		return n.endWait(s.link, s.end, topology.BGPNextHopDelay, "next-hop tracking over "+d.Links[s.link].Name)
	case evStaleTimer:
		return n.staleWait(int(ev.Arg>>8), bgp.TimerID(ev.Arg&0xff))
	case evStall:
		return n.routerWait(int(ev.Arg), topology.StallEvery, "until the routing process stalls")
	case evStallOver:
		return n.routerWait(int(ev.Arg), topology.StallFor, "a stall of the routing process")
	case evStarted:
		return n.routerWait(int(ev.Arg), topology.BGPProcessStart, "until the routing process has read its configuration")
	case evLoop:
		return n.loopWait(int(ev.Arg), "what the end of a hold timer leads to")
	case evUpdate:
		what := "processing of an UPDATE"
		if d.Routers[router()].Settings[topology.BGPProcessingSerial].Bool {
			what += ", after those that came before"
		}
		return n.routerWait(router(), topology.BGPProcessing, what)
	case evDecide:
		return n.routerWait(router(), topology.BGPDecisionDelay, "until the routes are chosen, for all the news of that time together")
	case evFIB:
		return n.routerWait(router(), topology.FIBDelay, "programming of the forwarding table")
	case evTable:
		key := topology.RouteTableDelay
		if ev.Arg == localChange {
			key = topology.RouteTableLocalDelay
		}
		return n.routerWait(router(), key, "programming of the route table")
	case evIKESend:
		m := &n.ike[ev.Arg]
		return n.endWait(m.link, m.from, topology.VPNProcessing, "processing of an IKE message")
	case evVPNTimer:
		return n.tunnelWait(int(ev.Arg>>9), int(ev.Arg>>8&1), vpn.TimerID(ev.Arg&0xff), n.ran(ev))
	case evBFD:
		return n.linkWait(n.bfds[ev.Arg>>32].link, "a BFD packet on its way over ")
	case evBFDTimer:
		return n.bfdWait(n.bfds[ev.Arg>>8], bfd.TimerID(ev.Arg&0xff), n.ran(ev))
	}
	return Wait{What: KindName(ev.Kind)}
}

// ran is how long a timer ran that expired in ev.
func (n *Network) ran(ev trace.Event) time.Duration {
	if ev.Cause == 0 {
		return ev.At.Sub(sim.Time(-n.d.Warmup))
	}
	return ev.At.Sub(n.log.Events[ev.Cause-1].At)
}

func (n *Network) linkWait(link int, what string) Wait {
	l := &n.d.Links[link]
	group := "links."
	if l.Kind == topology.Tunnel {
		group = "tunnels."
	}
	return Wait{Node: l.Name, What: what + l.Name, Parameter: group + l.Name + ".delay", Value: l.Delay.Dist.String(), Origin: l.Delay.Origin}
}

func (n *Network) routerWait(router int, key topology.Key, what string) Wait {
	r := &n.d.Routers[router]
	return Wait{Node: r.Name, What: what, Parameter: "routers." + r.Name + "." + key.String(), Value: r.Settings[key].Format(key), Origin: r.Settings[key].Origin}
}

// endWait is a wait for a setting that the end of a link may have of its own.
func (n *Network) endWait(link, end int, key topology.Key, what string) Wait {
	l := &n.d.Links[link]
	e := &l.Ends[end]
	w := n.routerWait(e.Router, key, what)
	if own := &e.Settings[key]; own.Origin != n.d.Routers[e.Router].Settings[key].Origin {
		w.Value, w.Origin = own.Format(key), own.Origin
		group := "links."
		if l.Kind == topology.Tunnel {
			group = "tunnels."
		}
		w.Parameter = group + l.Name + "." + w.Node + "." + key.String()
	}
	return w
}

// sessionWait names a timer of a session, which ran out in event id.
func (n *Network) sessionWait(s *session, t bgp.TimerID, id sim.EventID) Wait {
	ev := n.log.Events[id-1]
	over := " of the session over " + n.d.Links[s.link].Name
	switch t {
	case bgp.HoldTimer:
		if n.opening(id, s) {
			key := topology.BGPOpenHold
			if n.d.Links[s.link].Ends[s.end].Settings[key].Dist.Max() == 0 {
				key = topology.BGPHold
			}
			return n.endWait(s.link, s.end, key, "for the peer's OPEN, the hold timer"+over)
		}
		if s.config.BFDStrict && s.config.BFDHold == n.ran(ev) && min(s.config.Hold, n.Offer(s.link, 1-s.end)) == 0 {
			return n.endWait(s.link, s.end, topology.BFDStrictHold, "BfdHoldTimer"+over+", which waits for BFD")
		}
		// The smaller offer of the two ends is the hold time: it is the one to blame.
		w := n.endWait(s.link, s.end, topology.BGPHold, "hold timer"+over)
		mine, theirs := s.config.Hold, n.Offer(s.link, 1-s.end)
		if theirs < mine && theirs > 0 {
			other := n.endWait(s.link, 1-s.end, topology.BGPHold, "")
			w.Parameter, w.Value, w.Origin = other.Parameter, other.Value, other.Origin
		}
		return w
	case bgp.KeepaliveTimer:
		return n.endWait(s.link, s.end, topology.BGPKeepalive, "keepalive timer"+over)
	case bgp.ConnectRetryTimer:
		// A session that only listens yet has the same timer run for a shorter time.
		switch ran := n.ran(ev); {
		case s.config.StartDelay > 0 && ran == s.config.StartDelay:
			return n.endWait(s.link, s.end, topology.BGPStartDelay, "before the first call of the session over "+n.d.Links[s.link].Name)
		case ran == s.config.ConnectTimeout:
			return n.endWait(s.link, s.end, topology.BGPConnectTimeout, "for an answer to a call"+over)
		case ran <= s.config.ConnectDelay:
			return n.endWait(s.link, s.end, topology.BGPConnectDelay, "before the next call of the session over "+n.d.Links[s.link].Name)
		}
		return n.endWait(s.link, s.end, topology.BGPConnectRetry, "ConnectRetryTimer"+over)
	case bgp.DelayOpenTimer:
		return n.endWait(s.link, s.end, topology.BGPDelayOpen, "DelayOpenTimer"+over)
	case bgp.SendHoldTimer:
		return n.endWait(s.link, s.end, topology.BGPSendHold, "SendHoldTimer"+over)
	}
	key := n.idleKey(s, ev.Cause)
	w := n.endWait(s.link, s.end, key, "IdleHoldTimer"+over)
	if of := n.idleHold(s, key, n.ran(ev)); key == topology.BGPIdleHold && of > s.config.IdleHold {
		w.What += fmt.Sprintf(", %s by now: it doubles with each error in a row", topology.FormatDuration(of))
	}
	return w
}

// opening tells whether event id ended a session that was waiting for the peer's OPEN.
func (n *Network) opening(id sim.EventID, s *session) bool {
	notes := n.log.Notes
	for i := len(n.notesBefore(id)); i < len(notes) && notes[i].Event == id; i++ {
		if x := &notes[i]; x.Kind == trace.NoteSession && int(x.Router) == s.router && int(x.Link) == s.link {
			return bgp.State(x.From) == bgp.OpenSent
		}
	}
	return false
}

// idleHold is what an IdleHoldTimer of s that was armed by key, and ran for ran, was
// before jitter. Which error in a row it was is not recorded; as long as jitter leaves
// more than half of a time, there is one doubling only that it can be.
func (n *Network) idleHold(s *session, key topology.Key, ran time.Duration) time.Duration {
	switch key {
	case topology.BGPIdleHoldReset:
		return s.config.IdleHoldReset
	case topology.BGPMaxPrefixesRestart:
		return s.config.PrefixRestart
	}
	of := s.config.IdleHold
	for 0 < of && of < ran && of < s.config.IdleHoldMax {
		of = min(2*of, s.config.IdleHoldMax)
	}
	return of
}

// idleKey is the setting that the IdleHoldTimer of a session was armed by, when
// the event cause took the session to Idle.
func (n *Network) idleKey(s *session, cause sim.EventID) topology.Key {
	if n.log == nil {
		return topology.BGPIdleHold
	}
	notes := n.log.Notes
	i, _ := slices.BinarySearchFunc(notes, cause, func(x trace.Note, id sim.EventID) int { return cmp.Compare(x.Event, id) })
	for ; i < len(notes) && notes[i].Event == cause; i++ {
		x := &notes[i]
		if x.Kind != trace.NoteSession || int(x.Router) != s.router || int(x.Link) != s.link || bgp.State(x.To) != bgp.Idle {
			continue
		}
		switch why := bgp.Why(x.A); {
		case x.Up && s.config.BIRDRestart:
			return topology.BGPIdleHoldReset
		case why == bgp.WhyPrefixLimit:
			return topology.BGPMaxPrefixesRestart
		case s.config.AfterReset(why, x.Msg):
			return topology.BGPIdleHoldReset
		}
	}
	return topology.BGPIdleHold
}

// tunnelWait names a timer of a tunnel's machine, which ran for so long.
func (n *Network) tunnelWait(link, end int, t vpn.TimerID, ran time.Duration) Wait {
	of := " of " + n.d.Links[link].Name
	switch t {
	case vpn.RetransmitTimer:
		return n.endWait(link, end, topology.VPNRetransmit, "IKE retransmission"+of)
	case vpn.RetryTimer:
		return n.endWait(link, end, topology.VPNRetry, "IKE: next attempt"+of)
	case vpn.DPDTimer:
		c := &n.links[link].ends[end].config
		key := topology.VPNDPDInterval
		switch {
		case c.DPDTimeout > 0:
			key = topology.VPNDPDTimeout
		case c.Version == vpn.IKEv1 && ran == c.DPDRetry:
			key = topology.VPNDPDRetry
		case c.Version == vpn.IKEv2:
			for wait, k := c.Retransmit, 0; k <= c.RetransmitTries; k++ {
				if ran == wait {
					key = topology.VPNRetransmit
				}
				wait = time.Duration(float64(wait) * c.RetransmitBase)
			}
		}
		return n.endWait(link, end, key, "dead peer detection"+of)
	case vpn.RekeyIKETimer:
		w := n.endWait(link, end, topology.VPNIKELifetime, "IKE SA lifetime"+of)
		return n.spreadLifetime(w, link, end, n.links[link].ends[end].config.IKELifetime, ran)
	}
	w := n.endWait(link, end, topology.VPNChildLifetime, "IPsec SA lifetime"+of)
	return n.spreadLifetime(w, link, end, n.links[link].ends[end].config.ChildLifetime, ran)
}

// FaultText says what fault i of the story is.
func (n *Network) FaultText(i int) string {
	f := &n.d.Story[i]
	router, link := "", ""
	if f.Router >= 0 {
		router = n.d.Routers[f.Router].Name
	}
	if f.Link >= 0 {
		link = n.d.Links[f.Link].Name
	}
	who := router
	if who == "" {
		who = "both ends"
	}
	way := " in both directions"
	if f.Link >= 0 && f.Direction != topology.BothWays {
		e := int(f.Direction - topology.FromA)
		way = " from " + n.d.Routers[n.d.Links[f.Link].Ends[e].Router].Name
	}
	verb := func(one, many string) string {
		if router == "" {
			return who + " " + many
		}
		return who + " " + one
	}
	switch f.Kind {
	case topology.TunnelDelete:
		told := ", without a word to the far end"
		if f.Notify {
			told = ", with notification (BGP CEASE, IKE DELETE)"
		}
		return verb("deletes ", "delete ") + link + told
	case topology.TunnelCreate:
		return verb("creates ", "create ") + link
	case topology.BlackHole:
		return link + " becomes a black hole" + way
	case topology.PacketLoss:
		return fmt.Sprintf("%s loses %g %% of packets%s", link, f.P*100, way)
	case topology.Heal:
		return link + " carries packets again"
	case topology.LinkDown:
		return link + " goes down, seen by both ends"
	case topology.LinkUp:
		return link + " comes up"
	case topology.SessionShut:
		return verb("shuts ", "shut ") + "the BGP session over " + link + " (CEASE)"
	case topology.SessionStart:
		return verb("starts ", "start ") + "the BGP session over " + link
	case topology.SessionRefresh:
		return router + " asks for all routes once more over " + link + " (ROUTE-REFRESH)"
	case topology.RouterKill:
		return "the routing process of " + router + " is killed (RST)"
	case topology.RouterRestart:
		return "the routing process of " + router + " is stopped, to be started again"
	case topology.RouterFreeze:
		return "the routing process of " + router + " hangs"
	case topology.RouterThaw:
		return "the routing process of " + router + " goes on"
	case topology.RouterStart:
		return "the routing process of " + router + " starts"
	case topology.PropagationOff:
		return "route propagation of " + router + " is switched off"
	case topology.PropagationOn:
		return "route propagation of " + router + " is switched on"
	case topology.PrefixWithdraw:
		return router + " withdraws " + f.Prefix.String()
	}
	return router + " announces " + f.Prefix.String()
}

// Name of an actor, for traces.
func (n *Network) ActorName(a sim.ActorID) string { return n.Names().Actors[a] }

// FaultOf tells which fault of the story an event is.
func FaultOf(ev trace.Event) (int, bool) { return int(ev.Arg), ev.Kind == evFault }

// TimerOf tells whether an event is a timer that ran out, and whether it is one
// that waits for a sign of life, so that silence is what it noticed. Advertisement
// timers are none of these: what they end began elsewhere (Before).
func TimerOf(ev trace.Event) (timer, silence bool) {
	switch ev.Kind {
	case evBGPTimer:
		t := bgp.TimerID(ev.Arg&0xff) % bgp.SecondConn
		return true, t == bgp.HoldTimer || t == bgp.SendHoldTimer
	case evVPNTimer:
		return true, vpn.TimerID(ev.Arg&0xff) == vpn.DPDTimer
	case evBFDTimer:
		return true, bfd.TimerID(ev.Arg&0xff) == bfd.DetectTimer
	case evTCPTimer, evStaleTimer:
		return true, false
	}
	return false, false
}

// Concerns tells whether fault i happens to the link that a timer is about, or
// to a router at its ends.
func (n *Network) Concerns(ev trace.Event, i int) bool {
	link := -1
	switch ev.Kind {
	case evBGPTimer:
		link = n.sessions[ev.Arg>>8].link
	case evStaleTimer:
		if bgp.TimerID(ev.Arg&0xff) == bgp.SelectionTimer {
			return n.d.Story[i].Router == int(ev.Arg>>8)
		}
		link = n.sessions[ev.Arg>>8].link
	case evTCPTimer:
		link = n.conns[ev.Arg>>2].link
	case evVPNTimer:
		link = int(ev.Arg >> 9)
	case evBFDTimer:
		link = n.bfds[ev.Arg>>8].link
	default:
		return false
	}
	f := &n.d.Story[i]
	if f.Link >= 0 {
		return f.Link == link
	}
	switch f.Kind {
	case topology.RouterKill, topology.RouterRestart, topology.RouterStart, topology.RouterFreeze, topology.RouterThaw:
		return n.links[link].routerAt(0) == f.Router || n.links[link].routerAt(1) == f.Router
	}
	return false
}

// TooSlow tells whether a hold timer ran out because the neighbour sends its
// keepalives at an interval of its own that is no shorter, whatever hold time
// was negotiated.
func (n *Network) TooSlow(ev trace.Event) (Wait, bool) {
	if ev.Kind != evBGPTimer || bgp.TimerID(ev.Arg&0xff)%bgp.SecondConn != bgp.HoldTimer {
		return Wait{}, false
	}
	s := &n.sessions[ev.Arg>>8]
	o := &n.sessions[n.links[s.link].sessions[1-s.end]]
	if !o.config.KeepaliveFixed || o.config.Keepalive < min(s.config.Hold, o.config.Hold) {
		return Wait{}, false
	}
	w := n.endWait(s.link, o.end, topology.BGPKeepaliveFixed, "")
	w.Value = topology.FormatDuration(o.config.Keepalive)
	return w, true
}

// refused tells whether the session never comes up because one of its ends
// refuses the hold time that the other one offers.
func (n *Network) refused(s *session) (Wait, bool) {
	o := &n.sessions[n.links[s.link].sessions[1-s.end]]
	for _, pair := range [2][2]*session{{s, o}, {o, s}} {
		if offer := pair[1].config.Hold; offer > 0 && offer < pair[0].config.MinHold {
			w := n.endWait(s.link, pair[0].end, topology.BGPMinHold, "")
			w.What = fmt.Sprintf("every OPEN over %s is refused: %s offers a hold time of %s, %s takes none below %s", n.d.Links[s.link].Name,
				n.d.Routers[pair[1].router].Name, topology.FormatDuration(offer), w.Node, topology.FormatDuration(pair[0].config.MinHold))
			return w, true
		}
	}
	return Wait{}, false
}

// unsaid tells whether a router still uses a route to where a direction of a probe leads, of
// which nobody told it that it is gone: the one at which packets die or, if they go round in
// a loop, another.
func (n *Network) unsaid(res *ProbeResult, c PathChange) (w Wait, found bool) {
	to := res.p.dst.Addr
	if c.Reply {
		to = res.p.src.Addr
	}
	for i := range n.routers {
		r := &n.routers[i]
		r.speaker.EachUnsaid(func(peer bgp.PeerID, p netip.Prefix) {
			s := &n.sessions[r.sessions[peer]]
			o := &n.sessions[n.links[s.link].sessions[1-s.end]]
			if !p.Contains(to) || o.router != c.Router && (found || c.reason != dropTTL) {
				return
			}
			other := &n.routers[o.router]
			if used := other.speaker.Route(p); used != nil && used.Best.Peer == o.peer {
				w, found = n.endWait(s.link, s.end, topology.BGPLoopWithdraws, fmt.Sprintf("%s still uses the route to %v that %s told it, and does not have any more",
					other.cfg.Name, p, r.cfg.Name)), true
			}
		})
	}
	return w, found
}

// Blame names the setting that makes a direction fail by itself, where it is
// not an event that is waited for; false: it is no setting.
func (n *Network) Blame(res *ProbeResult, c PathChange) (Wait, bool) {
	switch c.reason {
	case dropNotPropagated:
		return n.routerWait(c.Router, topology.RouteTablePropagate, "route propagation is off: BGP is up, and its routes never enter the route table"), true
	case dropSecurityGroup:
		h := res.p.dst
		return Wait{Node: h.Name, What: "the security group admits no ICMP echo", Parameter: "hosts." + h.Name + ".security_group.icmp", Value: "false",
			Origin: topology.Origin{Status: topology.Given, Pos: h.DropPos}}, true
	case dropNoRoute, dropNoRow:
		for _, i := range n.routers[c.Router].sessions {
			s := &n.sessions[i]
			if w, ok := n.refused(s); ok {
				return w, true
			}
			if s.config.Passive && n.sessions[n.links[s.link].sessions[1-s.end]].config.Passive {
				return n.endWait(s.link, s.end, topology.BGPPassive, "both ends of the session over "+n.d.Links[s.link].Name+" wait to be called, so it never comes up"), true
			}
		}
	}
	return n.unsaid(res, c)
}
