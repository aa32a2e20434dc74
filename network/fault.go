package network

import (
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// fault is one event of the story in this run.
type fault struct {
	at   sim.Time
	text string // what it is, for the record
}

// drawStory draws the times of the story and schedules it.
func (n *Network) drawStory() {
	for i := range n.d.Story {
		f := &n.d.Story[i]
		rnd := n.k.Rand(n.stories[i])
		at := sim.Time(f.At.Draw(rnd.Uint64()))
		if f.Until > 0 {
			at += n.faults[f.Until-1].at
		}
		n.faults[i].at = at
		if at <= n.end && n.outside == nil {
			n.k.At(at, sim.Event{To: actorWorld, Kind: evFault, Arg: uint64(i), Phase: sim.PhaseFault})
		}
	}
}

// strike makes fault i happen.
func (n *Network) strike(i int) {
	f := &n.d.Story[i]
	n.faultStrikes(i)
	n.touchedByStory(i)
	n.note(trace.Note{Kind: trace.NoteFault, Router: int32(f.Router), Link: int32(f.Link), A: int64(i), Text: n.faults[i].text})
	if n.Asked(i) {
		return
	}
	switch f.Kind {
	case topology.TunnelDelete, topology.TunnelCreate:
		l := &n.links[f.Link]
		for e := range 2 {
			if f.Router >= 0 && l.routerAt(e) != f.Router {
				continue
			}
			if f.Kind == topology.TunnelCreate {
				n.createEnd(l, e)
			} else {
				n.deleteEnd(l, e, f.Notify)
			}
		}
	case topology.BlackHole, topology.PacketLoss, topology.Heal:
		n.impair(f)
	case topology.LinkDown, topology.LinkUp:
		n.setLink(&n.links[f.Link], f.Kind == topology.LinkUp)
	case topology.SessionShut, topology.SessionStart:
		l := &n.links[f.Link]
		for e := range 2 {
			if f.Router >= 0 && l.routerAt(e) != f.Router {
				continue
			}
			n.shutSession(l, e, f.Kind == topology.SessionShut)
		}
	case topology.SessionRefresh:
		l := &n.links[f.Link]
		n.tellSession(l, l.endOf(f.Router), bgp.Input{Kind: bgp.InAskAgain})
	case topology.RouterKill:
		n.kill(&n.routers[f.Router])
	case topology.RouterRestart:
		n.stop(&n.routers[f.Router])
	case topology.RouterStart:
		n.launchProcess(&n.routers[f.Router])
	case topology.RouterFreeze:
		n.freeze(&n.routers[f.Router], hangsByStory)
	case topology.RouterThaw:
		n.thaw(&n.routers[f.Router], hangsByStory)
	case topology.PropagationOff, topology.PropagationOn:
		n.setPropagation(&n.routers[f.Router], f.Kind == topology.PropagationOn)
		n.touch()
	case topology.PrefixWithdraw, topology.PrefixAnnounce:
		n.originate(&n.routers[f.Router], f.Prefix, f.Kind == topology.PrefixAnnounce)
	}
}

// impair changes what happens to packets under way.
func (n *Network) impair(f *topology.Fault) {
	l := &n.links[f.Link]
	for e := range 2 {
		if f.Direction == topology.FromA && e == 1 || f.Direction == topology.FromB && e == 0 {
			continue
		}
		w := &l.way[e]
		w.by = n.k.Current()
		switch f.Kind {
		case topology.BlackHole:
			w.hole = true
		case topology.PacketLoss:
			w.loss, w.bad = topology.Loss{P: f.P}, false
		case topology.Heal:
			w.hole, w.loss, w.bad = false, l.cfg.Loss, false
		}
	}
	n.touch()
}

// setLink takes a link down or up, seen by both ends.
func (n *Network) setLink(l *link, up bool) {
	if l.up == up {
		return
	}
	n.disturbLink(l)
	l.up, l.downBy = up, n.k.Current()
	n.touch()
	n.note(trace.Note{Kind: trace.NoteLink, Router: -1, Link: int32(l.id), Up: up})
	for e := range 2 {
		n.lookAtInterface(l, e)
	}
}

// kill ends the routing process of r: the system resets its connections, and
// the routes that it had installed go with it, unless they survive it. The
// tunnels stay.
func (n *Network) kill(r *router) {
	n.k.Stop(&r.starting)
	if !r.alive {
		return
	}
	for _, i := range r.sessions {
		s := &n.sessions[i]
		for len(s.conns) > 0 {
			n.abortConn(s, s.conns[0].id)
		}
		for t := range s.timers {
			n.k.Stop(&s.timers[t])
		}
		n.k.Stop(&s.mrai)
		n.forgetLeft(r, s)
		for t := range s.stales {
			n.k.Stop(&s.stales[t])
		}
		s.inbox = s.inbox[:0]
		if from := s.m.State(); from != bgp.Idle {
			n.note(trace.Note{Kind: trace.NoteSession, Router: int32(s.router), Link: int32(s.link), From: uint8(from), To: uint8(bgp.Idle), A: int64(bgp.WhyStop), Text: "the process was killed"})
		}
		s.m.Reset(s.config)
		if b := n.bfdAt(&n.links[s.link], s.end); b != nil {
			n.loseBFD(b, "the process was killed")
		}
	}
	n.k.Stop(&r.choice)
	n.k.Stop(&r.decision)
	r.missed, r.late = r.missed[:0], 0
	r.updates.reset()
	for _, p := range r.speaker.Prefixes() {
		if r.settings[topology.FIBSurvives].Bool {
			break
		}
		if route := r.speaker.Route(p); route != nil && route.Best != nil && route.Best.Peer != bgp.Local {
			n.routeChanged(r, &bgp.Route{Prefix: p}, 0)
		}
	}
	r.speaker.Reset(r.config)
	r.alive, r.frozen, r.hangs, r.by = false, false, 0, n.k.Current()
}

// launchProcess has the routing process of r start, which takes a while: until it has read
// its configuration nobody listens.
func (n *Network) launchProcess(r *router) {
	after := draw(n.k, r.settings, topology.BGPProcessStart, r.nameRnd)
	if after == 0 || r.alive {
		n.start(r)
		return
	}
	n.k.Reset(&r.starting, after, sim.Event{To: actorOf(r.id), Kind: evStarted, Arg: uint64(r.id), Phase: sim.PhaseTimer})
}

// start runs the routing process again, from nothing.
func (n *Network) start(r *router) {
	if r.alive {
		return
	}
	r.alive = true
	if n.restarts(r) {
		n.rebirth(r)
	} else {
		// What survived the old process is nobody's now: when BIRD starts, it takes
		// its old routes that it does not know out of the kernel's table.
		n.dropUnknown(r)
	}
	for _, p := range r.own {
		n.stepSpeaker(r, bgp.Local, bgp.Input{Kind: bgp.InOriginate, Prefix: p})
	}
	for _, l := range r.ways[len(r.sessions):] {
		n.setStatics(r, &n.links[l])
	}
	n.stepSpeaker(r, bgp.Local, bgp.Input{Kind: bgp.InSettle})
	for _, i := range r.sessions {
		s := &n.sessions[i]
		l := &n.links[s.link]
		n.startBFD(l, s.end)
		if end := &l.ends[s.end]; end.iface || end.here && !l.cfg.Ends[s.end].Settings[topology.BGPFastFallover].Bool {
			n.startSession(l, s.end)
		}
	}
}

// missedMRAI stands for the advertisement timer among a session's missed timers.
const missedMRAI bgp.TimerID = 0xff

// … and these for the router's other ones.
const (
	missedNextHop bgp.TimerID = 0xfe
	missedReuse   bgp.TimerID = 0xfd
	missedLoop    bgp.TimerID = 0xfc
	missedDecide  bgp.TimerID = 0xfb
)

// thaw takes one reason to hang away. A process that hung and has no other goes on: what came
// meanwhile is read first, then timers that ran out are noticed, as a daemon's main loop would.
func (n *Network) thaw(r *router, why hang) {
	if r.hangs &^= why; !r.frozen || r.hangs != 0 {
		return
	}
	r.frozen = false
	for _, i := range r.sessions {
		s := &n.sessions[i]
		for len(s.inbox) > 0 {
			in := s.inbox[0].in
			s.inbox = append(s.inbox[:0], s.inbox[1:]...)
			n.stepSession(s, in)
		}
	}
	for _, i := range r.sessions {
		s := &n.sessions[i]
		if b := n.bfdAt(&n.links[s.link], s.end); b != nil {
			n.thawBFD(b)
		}
	}
	for ; r.late > 0; r.late-- {
		n.updateDue(r)
	}
	missed := r.missed
	r.missed = nil
	for _, m := range missed {
		t := bgp.TimerID(m & 0xff)
		if t >= bgp.RestartTimer && t <= bgp.SelectionTimer {
			n.missedStale(r, m>>8, t)
			continue
		}
		if t == missedDecide {
			n.decide(r)
			continue
		}
		s := &n.sessions[m>>8]
		switch t {
		case missedMRAI:
			n.firstIsOver(r, s)
			n.stepSpeaker(r, s.peer, bgp.Input{Kind: bgp.InRouteTime})
		case missedNextHop:
			n.nextHopDue(s)
		case missedReuse:
			n.reuseTime(s)
		case missedLoop:
			n.turned(r)
		default:
			if _, again := n.k.When(s.timers[t]); !again {
				n.stepSession(s, bgp.Input{Kind: bgp.InTimer, Timer: t})
			}
		}
	}
}
