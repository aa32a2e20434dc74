package network

import (
	"math"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/vpn"
)

// Most of a run is quiet: probes pass or die the same way each time, and
// keepalives come and go. Such stretches are fast-forwarded. What repeats in
// them is a handful of streams (the echoes of a probe, the keepalives of one
// end of a session, the idle checks of dead peer detection), each of which has
// at most one event due at a time. They are taken out of the queue and stepped
// in the order of time by a loop that does nothing else, with the same
// machines, the same random numbers and the same state as the handlers of
// their events; each event takes its number and its part of the digest
// (Kernel.Skip). Before anything else is due, the horizon, they go back into
// the queue, in mid-flight if need be.
//
// So the result is that of the plain run, which a test over random stories
// holds it to, at a fraction of the price: no queue, no dispatch, and echoes
// whose path is worked out once.

// skipper keeps the memory of fast-forwarding between stretches and runs.
type skipper struct {
	streams []stream
	health  []health // by session
	next    sim.Time // no stretch is begun before
}

type health uint8

const (
	notAsked health = iota
	well
	unwell
)

// worthwhile is the shortest stretch for which fast-forwarding is begun.
const worthwhile = 300 * time.Millisecond

type streamKind uint8

const (
	echoes streamKind = iota
	keepalives
	idleChecks
	deadline // a hold timer, which keepalives push back
)

// stream is a series of events of which one is due at a time.
type stream struct {
	at    sim.Time // of the next event …
	order uint64   // … and its place among those of the same instant
	base  sim.Time // when the round under way began: the tick, the keepalive timer
	next  sim.Time // keepalives: when the timer runs out again
	ack   sim.Time // keepalives: when the acknowledgement arrives
	later uint64   // the place of the timer that comes after what is under way
	tcp   uint64   // keepalives: the place of the retransmission timer
	id    int32    // probe, session, or link<<1 | end
	stage int32    // 0: a timer is due; more: a packet is under way
	timer bgp.TimerID
	kind  streamKind
	moved bool
}

// runSkipping is RunUntil(n.end) with quiet stretches taken at once.
func (n *Network) runSkipping() {
	n.skip.next = math.MinInt64
	for {
		if n.flying == 0 && n.k.Now() >= n.skip.next {
			n.fastForward()
		}
		if !n.k.Step(n.end) {
			break
		}
	}
	n.k.RunUntil(n.end)
}

// fastForward takes the quiet stretch that begins now, if there is one.
func (n *Network) fastForward() {
	sk := &n.skip
	sk.streams = sk.streams[:0]
	if sk.health == nil {
		sk.health = make([]health, len(n.sessions))
	}
	clear(sk.health)
	horizon := n.end + 1
	n.k.Pending(func(at sim.Time, order uint64, kind sim.Kind, arg uint64) {
		if !n.stream(at, order, kind, arg) {
			horizon = min(horizon, at)
		}
	})
	now := n.k.Now()
	if horizon.Sub(now) < worthwhile || len(sk.streams) == 0 {
		sk.next = horizon
		return
	}
	for {
		// The stream that is next, and when another one is.
		first, second := 0, horizon
		for i := 1; i < len(sk.streams); i++ {
			if s := &sk.streams[i]; s.before(&sk.streams[first]) {
				second = min(second, sk.streams[first].at)
				first = i
			} else {
				second = min(second, s.at)
			}
		}
		s := &sk.streams[first]
		if s.at >= horizon || !n.step(s) {
			break
		}
		for s.at < second {
			if !n.step(s) {
				second = math.MinInt64
				horizon = s.at
			}
		}
	}
	n.handBack()
	sk.next = max(n.k.Now(), min(horizon, n.earliest()))
}

// before tells whether the next event of s comes before that of o.
func (s *stream) before(o *stream) bool { return s.at < o.at || s.at == o.at && s.order < o.order }

// earliest is when the first of the streams is due.
func (n *Network) earliest() sim.Time {
	at := sim.Time(math.MaxInt64)
	for i := range n.skip.streams {
		at = min(at, n.skip.streams[i].at)
	}
	return at
}

// stream takes a pending event that belongs to a stream. Anything else is for
// the horizon.
func (n *Network) stream(at sim.Time, order uint64, kind sim.Kind, arg uint64) bool {
	s := stream{at: at, order: order, id: int32(arg)}
	switch kind {
	case evTick:
		s.kind = echoes
		if !n.plan(&n.probes[arg]) {
			return false
		}
	case evBGPTimer:
		s.id, s.timer = int32(arg>>8), bgp.TimerID(arg&0xff)
		switch s.timer % bgp.SecondConn {
		case bgp.KeepaliveTimer:
			s.kind = keepalives
		case bgp.HoldTimer:
			s.kind = deadline
		default:
			return false
		}
		if !n.healthy(s.id) {
			return false
		}
	case evVPNTimer:
		if vpn.TimerID(arg&0xff) != vpn.DPDTimer {
			return false
		}
		s.id, s.kind = int32(arg>>8), idleChecks
	default:
		return false
	}
	n.skip.streams = append(n.skip.streams, s)
	return true
}

// step takes the next event of a stream. It returns false, and has changed
// nothing, when that event must be handled in the ordinary way.
func (n *Network) step(s *stream) bool {
	switch s.kind {
	case echoes:
		return n.stepEcho(s)
	case keepalives:
		return n.stepKeepalive(s)
	case idleChecks:
		return n.stepIdleCheck(s)
	}
	return false
}

// trip is how an echo of a probe fares while forwarding stands still.
type trip struct {
	legs   []leg
	alive  bool // a reply comes back
	ttl    uint8
	arrive []sim.Time // of the echo under way, by leg
}

// leg is one link of a trip.
type leg struct {
	link, to int32 // the end that it arrives at
	dir      int32
	actor    sim.ActorID
	enters   bool
	arg      echoArg // without the sequence number
	delay    *topology.Dist
	rnd      sim.Stream
}

// plan works out the trip of a probe's echoes. It fails where chance has a say.
func (n *Network) plan(p *probe) bool {
	t := &p.trip
	t.legs, t.arrive, t.alive = t.legs[:0], t.arrive[:0], false
	for dir := range 2 {
		r, to := p.src.Router, p.dst.Router
		if dir == 1 {
			r, to = to, r
		}
		t.ttl = startTTL
		for fromHost := true; r != to; fromHost = false {
			h := n.cachedEgress(p, dir, r, fromHost)
			if h.drop.why != passed {
				return true
			}
			if n.routers[r].settings[topology.IPDecrementTTL].Bool {
				if t.ttl--; t.ttl == 0 {
					return true
				}
			}
			l := &n.links[h.link]
			e := l.endOf(r)
			if l.way[e].random() {
				return false
			}
			if why, _ := l.leaves(e); why != passed {
				return true
			}
			r = l.routerAt(1 - e)
			why, _ := l.enters(1 - e)
			t.legs = append(t.legs, leg{link: h.link, to: int32(1 - e), dir: int32(dir), actor: actorOf(r), enters: why == passed,
				arg: packEcho(p.id, dir, t.ttl, int(h.link), 1-e, 0), delay: &l.cfg.Delay.Dist, rnd: p.delays[dir][h.link]})
			t.arrive = append(t.arrive, 0)
			if why != passed {
				return true
			}
		}
		if dir == 0 && p.dst.DropICMP {
			return true
		}
	}
	t.alive = true
	return true
}

func (n *Network) stepEcho(s *stream) bool {
	p := &n.probes[s.id]
	t := &p.trip
	if s.stage == 0 {
		seq := p.sent + 1
		at := s.at
		for i := range t.legs {
			l := &t.legs[i]
			at = at.Add(l.delay.Draw(l.rnd.At(uint64(seq))))
			t.arrive[i] = at
		}
		if at >= s.at.Add(p.cfg.Every) {
			return false // the next request leaves before this one is done with
		}
		n.k.Skip(s.at, actorWorld, evTick, uint64(p.id))
		p.sent = seq
		p.rtt, p.ttl = append(p.rtt, 0), append(p.ttl, 0)
		s.base, s.moved = s.at, true
		if len(t.legs) > 0 {
			s.order = n.k.Order(sim.PhaseDeliver)
		}
		s.later = n.k.Order(sim.PhaseProbe)
	} else {
		l := &t.legs[s.stage-1]
		n.k.Skip(s.at, l.actor, evEcho, uint64(l.arg)|uint64(p.sent))
		if l.enters {
			n.links[l.link].hear(int(l.to), s.at)
		}
		if int(s.stage) < len(t.legs) {
			s.order = n.k.Order(sim.PhaseDeliver)
		}
	}
	if int(s.stage) < len(t.legs) {
		s.at = t.arrive[s.stage]
		s.stage++
		return true
	}
	if t.alive {
		p.rtt[p.sent-1], p.ttl[p.sent-1] = s.at.Sub(s.base), t.ttl
	}
	s.stage, s.order = 0, s.later
	if s.at = s.base.Add(p.cfg.Every); s.at >= p.end {
		s.at = math.MaxInt64 // that was the last one
	}
	return true
}

// healthy tells whether the keepalives of a session come and go undisturbed.
func (n *Network) healthy(session int32) bool {
	h := &n.skip.health[session]
	if *h == notAsked {
		*h = unwell
		peer := n.peerOf(session)
		if peer >= 0 && n.undisturbed(&n.sessions[session], &n.sessions[peer]) {
			*h = well
		}
		if peer >= 0 {
			n.skip.health[peer] = *h
		}
	}
	return *h == well
}

func (n *Network) peerOf(session int32) int32 {
	s := &n.sessions[session]
	return n.links[s.link].sessions[1-s.end]
}

func (n *Network) undisturbed(s, o *session) bool {
	if s.m.State() != bgp.Established || o.m.State() != bgp.Established {
		return false
	}
	for _, r := range [2]*router{&n.routers[s.router], &n.routers[o.router]} {
		if !r.alive || r.frozen {
			return false
		}
	}
	l := &n.links[s.link]
	for e := range 2 {
		if why, _ := l.leaves(e); why != passed || l.way[e].random() {
			return false
		}
	}
	mine, ok1 := s.m.Conn()
	theirs, ok2 := o.m.Conn()
	if !ok1 || !ok2 {
		return false
	}
	a, ok1 := s.conn(mine)
	b, ok2 := o.conn(theirs)
	if !ok1 || !ok2 || a.conn != b.conn {
		return false
	}
	c := n.conns[a.conn]
	for side := range 2 {
		if t := &c.side[side]; t.state != tcpEstablished || len(t.out) > 0 || t.tries > 0 || t.stuck {
			return false
		}
	}
	return true
}

// random tells whether packets may be lost by chance.
func (w *way) random() bool { return w.loss.P > 0 || w.loss.ToBad > 0 }

// stepKeepalive: the timer runs out and a KEEPALIVE leaves; it arrives and is
// acknowledged; the acknowledgement arrives.
func (n *Network) stepKeepalive(st *stream) bool {
	s := &n.sessions[st.id]
	o := &n.sessions[n.peerOf(st.id)]
	id, _ := s.m.Conn()
	ref, _ := s.conn(id)
	c := n.conns[ref.conn]
	me, other := &c.side[ref.side], &c.side[1-ref.side]
	l := &n.links[s.link]
	switch st.stage {
	case 0:
		arrive := st.at.Add(l.controlDelay(s.end, st.at))
		ack := arrive.Add(l.controlDelay(o.end, arrive))
		rto := n.tcpSettings(c, ref.side)[topology.TCPRTO].Dist.A
		if ack.Sub(st.at) >= rto || arrive <= me.arrive {
			return false
		}
		n.k.Skip(st.at, s.actor(), evBGPTimer, uint64(s.id)<<8|uint64(st.timer))
		n.acts = s.m.Step(n.acts[:0], bgp.Input{Kind: bgp.InTimer, Timer: st.timer})
		for i := range n.acts {
			if a := &n.acts[i]; a.Kind == bgp.ActArm && a.Timer == st.timer {
				st.next = st.at.Add(a.After)
			}
		}
		me.next++
		me.rto, me.arrive = rto, arrive
		st.base, st.ack, st.moved = st.at, ack, true
		st.at, st.stage = arrive, 1
		st.order, st.tcp, st.later = n.k.Order(sim.PhaseDeliver), n.k.Order(sim.PhaseTimer), n.k.Order(sim.PhaseTimer)
	case 1:
		n.k.Skip(st.at, o.actor(), evSegment, uint64(packSegment(c.id, 1-ref.side, segData, me.una, 1)))
		theirs, _ := o.m.Conn()
		n.acts = o.m.Step(n.acts[:0], bgp.Input{Kind: bgp.InMessage, Conn: theirs, Msg: bgp.Keepalive})
		for i := range n.acts {
			if a := &n.acts[i]; a.Kind == bgp.ActArm {
				n.pushBack(o.id, a.Timer, st.at.Add(a.After))
			}
		}
		other.rcv++
		l.hear(o.end, st.at)
		st.at, st.stage, st.order = st.ack, 2, n.k.Order(sim.PhaseDeliver)
	case 2:
		n.k.Skip(st.at, s.actor(), evSegment, uint64(packSegment(c.id, ref.side, segAck, 0, other.rcv)))
		me.una++
		me.seq += uint32(bgp.Keepalive.Size)
		l.hear(s.end, st.at)
		st.at, st.stage, st.order = st.next, 0, st.later
	}
	return true
}

// pushBack moves the deadline of a hold timer.
func (n *Network) pushBack(session int, timer bgp.TimerID, at sim.Time) {
	for i := range n.skip.streams {
		if h := &n.skip.streams[i]; h.kind == deadline && int(h.id) == session && h.timer == timer {
			h.at, h.order, h.moved = at, n.k.Order(sim.PhaseTimer), true
		}
	}
}

// stepIdleCheck looks whether a tunnel's peer has been heard of; if it has not,
// dead peer detection begins, which is not for here.
func (n *Network) stepIdleCheck(s *stream) bool {
	l := &n.links[s.id>>1]
	end := &l.ends[s.id&1]
	idle := s.at.Sub(end.heard)
	if idle >= end.config.DPDInterval || !end.vpn.Quiet() {
		return false
	}
	n.k.Skip(s.at, actorOf(l.routerAt(int(s.id&1))), evVPNTimer, uint64(s.id)<<8|uint64(vpn.DPDTimer))
	n.tunnels = end.vpn.Step(n.tunnels[:0], vpn.Input{Kind: vpn.InTimer, Timer: vpn.DPDTimer, Idle: idle})
	for i := range n.tunnels {
		if a := &n.tunnels[i]; a.Kind == vpn.ActArm && a.Timer == vpn.DPDTimer {
			s.at, s.order = s.at.Add(a.After), n.k.Order(sim.PhaseTimer)
		}
	}
	s.moved = true
	return true
}

// handBack puts the streams back into the queue: timers where they have got to,
// and what is in mid-flight as it would be there.
func (n *Network) handBack() {
	for i := range n.skip.streams {
		s := &n.skip.streams[i]
		if !s.moved {
			continue
		}
		switch s.kind {
		case echoes:
			n.handBackEcho(s)
		case keepalives:
			n.handBackKeepalive(s)
		case idleChecks:
			l := &n.links[s.id>>1]
			n.k.ResetAtOrder(&l.ends[s.id&1].timers[vpn.DPDTimer], s.at, s.order, sim.Event{To: actorOf(l.routerAt(int(s.id & 1))), Kind: evVPNTimer, Arg: uint64(s.id)<<8 | uint64(vpn.DPDTimer), Phase: sim.PhaseTimer})
		case deadline:
			n.resetBGPTimer(&n.sessions[s.id], s.timer, s.at, s.order)
		}
	}
}

func (n *Network) resetBGPTimer(s *session, t bgp.TimerID, at sim.Time, order uint64) {
	n.k.ResetAtOrder(&s.timers[t], at, order, sim.Event{To: s.actor(), Kind: evBGPTimer, Arg: uint64(s.id)<<8 | uint64(t), Phase: sim.PhaseTimer})
}

func (n *Network) handBackEcho(s *stream) {
	p := &n.probes[s.id]
	tick, order := s.at, s.order
	if s.stage > 0 {
		l := &p.trip.legs[s.stage-1]
		n.relaunch(s, l.actor, evEcho, uint64(l.arg)|uint64(p.sent))
		tick, order = s.base.Add(p.cfg.Every), s.later
	}
	n.k.Stop(&p.timer)
	if tick < p.end {
		p.timer = n.k.AtOrder(tick, order, sim.Event{To: actorWorld, Kind: evTick, Arg: uint64(p.id), Phase: sim.PhaseProbe})
	}
}

// relaunch schedules what is on its way in a stream.
func (n *Network) relaunch(s *stream, to sim.ActorID, kind sim.Kind, arg uint64) {
	n.flying++
	n.k.AtOrder(s.at, s.order, sim.Event{To: to, Kind: kind, Arg: arg, Phase: sim.PhaseDeliver})
}

func (n *Network) handBackKeepalive(st *stream) {
	s := &n.sessions[st.id]
	if st.stage == 0 {
		n.resetBGPTimer(s, st.timer, st.at, st.order)
		return
	}
	n.resetBGPTimer(s, st.timer, st.next, st.later)
	o := &n.sessions[n.peerOf(st.id)]
	id, _ := s.m.Conn()
	ref, _ := s.conn(id)
	c := n.conns[ref.conn]
	me := &c.side[ref.side]
	me.out = append(me.out, bgp.Keepalive)
	me.queued += bgp.Keepalive.Size
	c.inFlight++
	n.k.ResetAtOrder(&me.timer, st.base.Add(me.rto), st.tcp, sim.Event{To: s.actor(), Kind: evTCPTimer, Arg: uint64(c.id)<<1 | uint64(ref.side), Phase: sim.PhaseTimer})
	if st.stage == 1 {
		n.relaunch(st, o.actor(), evSegment, uint64(packSegment(c.id, 1-ref.side, segData, me.una, 1)))
	} else {
		n.relaunch(st, s.actor(), evSegment, uint64(packSegment(c.id, ref.side, segAck, 0, c.side[1-ref.side].rcv)))
	}
}
