package network

import (
	"cmp"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// A session is one end of a BGP session over one link: the machine of package
// bgp, its timers in the kernel's queue, and the TCP connections that it has
// asked for or been offered.
type session struct {
	id      int
	router  int
	link    int
	end     int // of the link
	peer    bgp.PeerID
	m       *bgp.Session
	config  bgp.SessionConfig
	timers  [bgp.NumTimers]sim.Timer
	mrai    sim.Timer
	left    bool                   // its hold timer has run out, and its process sleeps
	first   bool                   // it is the first UPDATE that waits, until the process wakes
	hop     sim.Timer              // next-hop tracking
	hopGone bool                   // the speaker has been told, or is about to be, that the next hop is gone
	stales  [staleTimers]sim.Timer // of the peer's stale routes
	offers  [2]offer               // of graceful restart, before and after a restart of the process
	stale   int                    // routes; only recorded runs know
	waits   bool                   // advertisements wait for MRAI; only recorded runs know
	failed  int                    // OPENs that came to nothing since the last event of the story
	downs   int                    // times that it went down since then
	rnd     sim.Stream
	conns   []connRef // open ones; two at most but for those that are closing
	next    bgp.ConnID
	shut    bool        // by the operator; that is configuration, and outlives process and interface
	inbox   []inboxItem // what arrived while the router hung
	tcp     tcpTimes
	name    sim.Name
	names   sim.Name
}

// connRef ties the machine's number of a connection to the connection.
type connRef struct {
	id   bgp.ConnID
	conn int
	side int
}

type inboxItem struct {
	in bgp.Input
}

func (s *session) init(n *Network, id, link, end int) {
	l := &n.d.Links[link]
	s.id, s.link, s.end, s.router = id, link, end, l.Ends[end].Router
	r := &n.routers[s.router]
	s.peer = bgp.PeerID(len(r.sessions))
	r.sessions = append(r.sessions, int32(id))
	r.ways = append(r.ways, int32(link))
	who := l.Name + "/" + r.cfg.Name
	s.name, s.names = sim.StreamName("bgp/"+who), sim.StreamName("settings/"+who)
	s.config = sessionConfig(n, link, end)
	s.config.Rand = s.rnd.Uint64
	s.m = bgp.NewSession(s.peer, s.config)
}

func (s *session) reset(n *Network) {
	s.rnd = n.k.Rand(s.name)
	drawSession(&s.config, n.k, &n.d.Links[s.link].Ends[s.end].Settings, s.names)
	if n.outside != nil {
		n.outside.prepare(n, s)
	}
	s.tcp = drawTCP(n.k, &n.d.Links[s.link].Ends[s.end].Settings, s.names)
	s.config.Restart, s.config.LongLived = n.restartOffer(s, false)
	s.m.Reset(s.config)
	clear(s.timers[:])
	s.mrai, s.first, s.left, s.hop, s.hopGone, s.waits = sim.Timer{}, false, false, sim.Timer{}, false, false
	clear(s.stales[:])
	s.stale, s.failed, s.downs = 0, 0, 0
	s.conns, s.inbox, s.next, s.shut = s.conns[:0], s.inbox[:0], 0, false
}

func (s *session) actor() sim.ActorID { return actorOf(s.router) }

// startSession starts the session at end e of l, if there is one and the
// operator has not shut it.
func (n *Network) startSession(l *link, e int) {
	if i := l.sessions[e]; i >= 0 && !n.sessions[i].shut {
		n.receive(&n.sessions[i], bgp.Input{Kind: bgp.InStart})
	}
}

// shutSession is the operator's doing: the session at end e of l stays down
// until it is started again, whatever becomes of its interface.
func (n *Network) shutSession(l *link, e int, shut bool) {
	i := l.sessions[e]
	if i < 0 {
		return
	}
	n.sessions[i].shut = shut
	if shut {
		n.tellSession(l, e, bgp.Input{Kind: bgp.InStop, Subcode: bgp.CeaseAdminShutdown})
		n.shutBFD(l, e)
	} else if end := &l.ends[e]; end.here {
		n.startBFD(l, e)
		n.startSession(l, e)
	}
}

// tellSession gives an input to the session at end e of l, if there is one.
func (n *Network) tellSession(l *link, e int, in bgp.Input) {
	if i := l.sessions[e]; i >= 0 {
		n.receive(&n.sessions[i], in)
	}
}

func (n *Network) sessionTimer(s *session, t bgp.TimerID) {
	s.timers[t] = sim.Timer{}
	r := &n.routers[s.router]
	if r.frozen {
		r.missed = append(r.missed, int32(s.id)<<8|int32(t))
		return
	}
	n.wake(r)
	if t%bgp.SecondConn == bgp.HoldTimer && r.sleeps() > 0 && s.m.State() == bgp.Established {
		n.leave(r, s, t)
		return
	}
	if conn, after, ok := s.m.KeepaliveDue(t); ok {
		n.sendMessage(s, conn, bgp.Keepalive)
		n.armSession(s, t, after)
		return
	}
	n.stepSession(s, bgp.Input{Kind: bgp.InTimer, Timer: t})
}

func (n *Network) armSession(s *session, t bgp.TimerID, after time.Duration) {
	if n.silence != nil && t%bgp.SecondConn == bgp.HoldTimer && s.m.State() == bgp.Established {
		n.silence.began(n.silence.holds, s.id, n.k.Now(), after)
	}
	if n.k.Move(s.timers[t], after, sim.PhaseTimer, s.actor()) {
		return
	}
	n.k.Reset(&s.timers[t], after, sim.Event{To: s.actor(), Kind: evBGPTimer, Arg: uint64(s.id)<<8 | uint64(t), Phase: sim.PhaseTimer})
}

// turn is the least time from the end of a session to its next start: one turn
// of a daemon's main loop. Without it two speakers whose calls collide, over a
// link without delay, would try again for ever at one and the same instant.
const turn = time.Millisecond

// routeTime: the advertisement timer of a session ran out.
func (n *Network) routeTime(s *session) {
	r := &n.routers[s.router]
	if r.frozen {
		r.missed = append(r.missed, int32(s.id)<<8|int32(missedMRAI))
		return
	}
	n.firstIsOver(r, s)
	n.stepSpeaker(r, s.peer, bgp.Input{Kind: bgp.InRouteTime})
}

// stepSession gives the machine an input and does what it asks, in order.
func (n *Network) stepSession(s *session, in bgp.Input) {
	in.Stamp = uint64(n.k.Current())
	acts := s.m.Step(n.acts[:0], in)
	n.acts = acts
	r := &n.routers[s.router]
	for i := range acts {
		a := &acts[i]
		switch a.Kind {
		case bgp.ActArm:
			if a.Timer == bgp.IdleHoldTimer {
				a.After = max(a.After, turn)
			}
			n.armSession(s, a.Timer, a.After)
		case bgp.ActDisarm:
			n.k.Stop(&s.timers[a.Timer])
			if n.silence != nil && a.Timer%bgp.SecondConn == bgp.HoldTimer {
				n.silence.began(n.silence.holds, s.id, n.k.Now(), 0)
			}
		case bgp.ActSend:
			n.sendMessage(s, a.Conn, a.Msg)
		case bgp.ActConnect:
			n.connect(s, a.Conn)
		case bgp.ActClose:
			n.closeConn(s, a.Conn)
		case bgp.ActAbort:
			n.abortConn(s, a.Conn)
		case bgp.ActState:
			if a.From >= bgp.OpenSent && a.From != bgp.Established && a.To < bgp.OpenSent {
				s.failed++
			}
			if a.To == bgp.Established {
				s.failed = 0
			}
			n.k.Mix(uint64(s.id)<<16 | uint64(a.From)<<8 | uint64(a.To))
			n.note(trace.Note{Kind: trace.NoteSession, Router: int32(s.router), Link: int32(s.link), From: uint8(a.From), To: uint8(a.To), A: int64(a.Why), Msg: a.Msg, Up: a.Graceful})
		case bgp.ActUp:
			n.sessionTurned()
			n.lookWhetherWhole(&n.links[s.link])
			n.stepSpeaker(r, s.peer, bgp.Input{Kind: bgp.InPeerUp, Open: a.Open})
		case bgp.ActDown:
			n.sessionTurned()
			n.dropped(&n.links[s.link], dropOfSession(a.Why))
			s.downs++
			n.k.Stop(&s.mrai)
			n.forgetLeft(r, s)
			waiting := r.updates.all()
			for i := range waiting { // what had not been processed yet goes with the session
				if u := &waiting[i]; u.peer == s.peer {
					u.peer = bgp.Local
				}
			}
			n.stepSpeaker(r, s.peer, bgp.Input{Kind: bgp.InPeerDown, Graceful: a.Graceful})
		case bgp.ActUpdate:
			if a.Msg.Type == bgp.MsgRouteRefresh {
				n.stepSpeaker(r, s.peer, bgp.Input{Kind: bgp.InRefresh, Msg: a.Msg})
			} else {
				n.updateArrived(r, s, a.Msg)
			}
		}
	}
}

// sendUpdate sends what the speaker has to say on the session's connection.
func (n *Network) sendUpdate(s *session, msg *bgp.Message) {
	if c, ok := s.m.Conn(); ok {
		n.updateSent(msg.Update)
		n.sendMessage(s, c, msg)
	}
}

// conn finds the connection that the machine calls id.
func (s *session) conn(id bgp.ConnID) (connRef, bool) {
	for _, c := range s.conns {
		if c.id == id {
			return c, true
		}
	}
	return connRef{}, false
}

func (s *session) forget(id bgp.ConnID) {
	for i, c := range s.conns {
		if c.id == id {
			s.conns = append(s.conns[:i], s.conns[i+1:]...)
			return
		}
	}
}

// readMessage hands the machine a message.
func (n *Network) readMessage(s *session, conn bgp.ConnID, msg *bgp.Message) {
	if s.left {
		return
	}
	in := bgp.Input{Kind: bgp.InMessage, Conn: conn, Msg: msg}
	switch r := &n.routers[s.router]; msg.Type {
	case bgp.MsgKeepalive:
		if r.alive && !r.frozen {
			n.wake(r)
			if t, after, ok := s.m.KeepaliveCame(conn); ok {
				n.armSession(s, t, after)
				return
			}
		}
	case bgp.MsgMalformed: // a real router's
		in.Kind, in.Msg = bgp.InBadMessage, malformed(msg)
	}
	n.receive(s, in)
}

// receive hands the machine an input from outside. A process that hangs finds
// it when it goes on; one that is dead never does.
func (n *Network) receive(s *session, in bgp.Input) {
	r := &n.routers[s.router]
	switch {
	case r.real:
		n.receiveReal(s, &in)
	case !r.alive:
	case r.frozen:
		s.inbox = append(s.inbox, inboxItem{in})
	default:
		n.wake(r)
		n.stepSession(s, in)
	}
}

// ratio turns a setting in thousandths into a jitter.
func ratio(s *topology.Setting) bgp.Jitter {
	if s.Int == 1000 || s.Int == 0 {
		return bgp.Jitter{}
	}
	return bgp.Jitter{Lo: uint32(s.Int), Hi: 1000}
}

func sessionConfig(n *Network, link, end int) bgp.SessionConfig {
	l := &n.d.Links[link]
	me, other := &l.Ends[end], &l.Ends[1-end]
	set := &me.Settings
	c := bgp.SessionConfig{
		AS: n.d.Routers[me.Router].ASN, PeerAS: n.d.Routers[other.Router].ASN,
		ID: n.d.Routers[me.Router].ID, Addr: me.Inside.Addr(), Peer: other.Inside.Addr(),
		KeepaliveFixed:     set[topology.BGPKeepaliveFixed].Bool,
		Passive:            set[topology.BGPPassive].Bool,
		KeepaliveJitter:    ratio(&set[topology.BGPKeepaliveJitter]),
		HoldJitter:         ratio(&set[topology.BGPHoldJitter]),
		ConnectRetryJitter: ratio(&set[topology.BGPConnectRetryJitter]),
		IdleHoldJitter:     ratio(&set[topology.BGPIdleHoldJitter]),
		ConnectFailActive:  set[topology.BGPConnectFail].Enum != "idle",
		ConnectFailDelay:   set[topology.BGPConnectFail].Enum == "delay",
		RouteRefresh:       true,
		BIRDRestart:        set[topology.BGPGracefulRules].Enum == "bird",
		FourOctetAS:        true,
		BFDStrict:          set[topology.BFDStrict].Bool && set[topology.BFDEnabled].Bool && other.Settings[topology.BFDEnabled].Bool,
	}
	c.AddPath = addPath(me)
	// Who has IPv4 only needs no multiprotocol capability, and says nothing of it.
	if fs := families(me); fs != bgp.WithIPv4 {
		c.Families = fs.List()
	}
	return c
}

// drawSession fills in the durations, which may be distributions.
func drawSession(c *bgp.SessionConfig, k *sim.Kernel, set *topology.Settings, name sim.Name) {
	c.Hold = draw(k, set, topology.BGPHold, name).Truncate(time.Second) // the OPEN carries whole seconds
	c.Keepalive = draw(k, set, topology.BGPKeepalive, name)
	c.MinHold = draw(k, set, topology.BGPMinHold, name)
	c.OpenHold = cmp.Or(draw(k, set, topology.BGPOpenHold, name), c.Hold)
	c.ConnectRetry = draw(k, set, topology.BGPConnectRetry, name)
	c.StartDelay = draw(k, set, topology.BGPStartDelay, name)
	c.ConnectDelay = draw(k, set, topology.BGPConnectDelay, name)
	c.ConnectTimeout = draw(k, set, topology.BGPConnectTimeout, name)
	c.LaterTimeout = max(set[topology.BGPConnectRetry].Dist.Min()-time.Second, c.ConnectTimeout)
	c.DelayOpen = draw(k, set, topology.BGPDelayOpen, name)
	c.IdleHold = draw(k, set, topology.BGPIdleHold, name)
	c.IdleHoldMax = draw(k, set, topology.BGPIdleHoldMax, name)
	c.IdleHoldReset = draw(k, set, topology.BGPIdleHoldReset, name)
	c.BFDHold = draw(k, set, topology.BFDStrictHold, name)
	c.SendHold = draw(k, set, topology.BGPSendHold, name)
	c.PrefixRestart = draw(k, set, topology.BGPMaxPrefixesRestart, name)
}
