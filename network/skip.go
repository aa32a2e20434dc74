package network

import (
	"math"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/vpn"
)

// Most of a run is quiet: probes pass or die the same way each time, and
// keepalives arrive. Such stretches are fast-forwarded. A few streams of events
// repeat (the ticks of a probe, the keepalives of one end of a session, the
// idle checks of dead peer detection), and as long as nothing else is due, a
// whole round of a stream can be worked out at once: the packet, its arrival,
// the answer. Rounds are taken in the order of their beginnings, by the same
// machines that would handle their events, with the same random numbers, and
// each event takes its number and its part of the digest (Kernel.Skip).
//
// The result is that of the plain run, which a test over random stories holds
// it to. Whatever could make a difference ends the stretch instead: anything
// due that is not a round (the horizon), loss by chance, a hold timer about to
// run out, two rounds of which one reads what the other writes.

// skipper keeps the memory of fast-forwarding between stretches and runs.
type skipper struct {
	streams []stream
	holds   []hold
	next    sim.Time // no stretch can begin before
}

// runSkipping is RunUntil(n.end) with quiet stretches taken at once.
func (n *Network) runSkipping() {
	n.skip.next = math.MinInt64
	for {
		if n.k.Now() >= n.skip.next {
			n.fastForward()
		}
		if !n.k.Step(n.end) {
			break
		}
	}
	n.k.RunUntil(n.end)
}

// worthwhile is the shortest stretch for which fast-forwarding is begun.
const worthwhile = 500 * time.Millisecond

type streamKind uint8

const (
	ticks streamKind = iota
	keepalives
	idleChecks
)

// stream is a series of rounds.
type stream struct {
	kind  streamKind
	moved bool
	timer bgp.TimerID
	id    int // probe, session, or link<<1 | end
	at    sim.Time
}

// hold is the deadline of a hold timer that keepalives push back.
type hold struct {
	session int
	timer   bgp.TimerID
	at      sim.Time
	moved   bool
}

// trip is how an echo of a probe fares while forwarding stands still.
type trip struct {
	hops  []leg
	alive bool // a reply comes back
	ttl   uint8
}

// leg is one link of a trip.
type leg struct {
	link, to int // the end that it arrives at
	dir      int
	ttl      uint8
	enters   bool
}

// fastForward takes the quiet stretch that begins now, if there is one.
func (n *Network) fastForward() {
	sk := &n.skip
	sk.streams, sk.holds = sk.streams[:0], sk.holds[:0]
	horizon := n.end + 1
	n.k.Pending(func(at sim.Time, to sim.ActorID, kind sim.Kind, arg uint64) {
		if !n.stream(at, kind, arg) {
			horizon = min(horizon, at)
		}
	})
	if horizon.Sub(n.k.Now()) < worthwhile || len(sk.streams) == 0 {
		sk.next = horizon
		return
	}
	for i := range sk.streams {
		if s := &sk.streams[i]; s.kind == ticks && !n.plan(s) {
			horizon = min(horizon, s.at)
		}
	}
	// Whose hold timer runs, but whose keepalives don't come: it is due.
	for _, h := range sk.holds {
		peer := n.peerOf(h.session)
		if !slices.ContainsFunc(sk.streams, func(s stream) bool { return s.kind == keepalives && s.id == peer }) {
			horizon = min(horizon, h.at)
		}
	}
	done := n.k.Now() // when the last event of a round so far happened
	for {
		best := &sk.streams[0]
		for i := 1; i < len(sk.streams); i++ {
			if sk.streams[i].at < best.at {
				best = &sk.streams[i]
			}
		}
		if best.at >= horizon {
			break
		}
		end, ok := n.round(best, n.limit(best, horizon), done)
		if !ok {
			break
		}
		done = max(done, end)
	}
	n.rearm()
	// What could not be taken at once is handled event by event; a new stretch
	// may begin after it.
	sk.next = horizon
	for i := range sk.streams {
		sk.next = min(sk.next, sk.streams[i].at)
	}
}

// stream notes a pending event that begins a round, or a deadline that rounds
// push back. Anything else is for the horizon.
func (n *Network) stream(at sim.Time, kind sim.Kind, arg uint64) bool {
	sk := &n.skip
	switch kind {
	case evTick:
		sk.streams = append(sk.streams, stream{kind: ticks, id: int(arg), at: at})
		return true
	case evBGPTimer:
		s, t := int(arg>>8), bgp.TimerID(arg&0xff)
		switch t % bgp.SecondConn {
		case bgp.KeepaliveTimer:
			if n.healthy(s) {
				sk.streams = append(sk.streams, stream{kind: keepalives, id: s, timer: t, at: at})
				return true
			}
		case bgp.HoldTimer:
			if n.healthy(s) {
				sk.holds = append(sk.holds, hold{session: s, timer: t, at: at})
				return true
			}
		}
	case evVPNTimer:
		if vpn.TimerID(arg&0xff) == vpn.DPDTimer {
			sk.streams = append(sk.streams, stream{kind: idleChecks, id: int(arg >> 8), at: at})
			return true
		}
	}
	return false
}

func (n *Network) peerOf(session int) int {
	s := &n.sessions[session]
	return int(n.links[s.link].sessions[1-s.end])
}

// healthy tells whether the keepalives of a session come and go undisturbed.
func (n *Network) healthy(session int) bool {
	s := &n.sessions[session]
	peer := n.peerOf(session)
	if peer < 0 {
		return false
	}
	o := &n.sessions[peer]
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

// plan works out the trip of a probe's echoes. It fails where chance has a say.
func (n *Network) plan(s *stream) bool {
	p := &n.probes[s.id]
	t := &p.trip
	t.hops, t.alive = t.hops[:0], false
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
			why, _ := l.enters(1 - e)
			t.hops = append(t.hops, leg{link: l.id, to: 1 - e, dir: dir, ttl: t.ttl, enters: why == passed})
			if why != passed {
				return true
			}
			r = l.routerAt(1 - e)
		}
		if dir == 0 && p.dst.DropICMP {
			return true
		}
	}
	t.alive = true
	return true
}

// limit is when a round of s must be over: before the horizon, before any hold
// timer runs out, and before an idle check of a tunnel reads when the tunnel
// was last heard of.
func (n *Network) limit(s *stream, horizon sim.Time) sim.Time {
	for i := range n.skip.holds {
		horizon = min(horizon, n.skip.holds[i].at)
	}
	for i := range n.skip.streams {
		if o := &n.skip.streams[i]; o.kind == idleChecks && o != s {
			horizon = min(horizon, o.at)
		}
	}
	return horizon
}

// round takes one round of a stream, if it is over before the limit. done is
// when the rounds before it were over. It returns when this one was.
func (n *Network) round(s *stream, limit, done sim.Time) (sim.Time, bool) {
	switch s.kind {
	case ticks:
		return n.tickRound(s, limit)
	case keepalives:
		return n.keepaliveRound(s, limit)
	}
	return n.idleRound(s, limit, done)
}

// tickRound sends an echo and sees what becomes of it.
func (n *Network) tickRound(s *stream, limit sim.Time) (sim.Time, bool) {
	p := &n.probes[s.id]
	t := &p.trip
	seq := p.sent + 1
	var arrivals [16]sim.Time
	if len(t.hops) > len(arrivals) {
		return 0, false
	}
	at := s.at
	for i := range t.hops {
		h := &t.hops[i]
		at = at.Add(n.links[h.link].cfg.Delay.Dist.Draw(p.delays[h.dir][h.link].At(uint64(seq))))
		arrivals[i] = at
	}
	if at >= limit {
		return 0, false
	}
	n.k.Skip(s.at, actorWorld, evTick, uint64(s.id))
	for i := range t.hops {
		h := &t.hops[i]
		l := &n.links[h.link]
		n.k.Skip(arrivals[i], actorOf(l.routerAt(h.to)), evEcho, uint64(packEcho(p.id, h.dir, h.ttl, h.link, h.to, seq)))
		if h.enters {
			l.hear(h.to, arrivals[i])
		}
	}
	p.sent = seq
	rtt, ttl := time.Duration(0), uint8(0)
	if t.alive {
		rtt, ttl = at.Sub(s.at), t.ttl
	}
	p.rtt, p.ttl = append(p.rtt, rtt), append(p.ttl, ttl)
	s.moved = true
	s.at = s.at.Add(p.cfg.Every)
	if s.at >= p.end {
		s.at = math.MaxInt64 // the last one
	}
	return at, true
}

// keepaliveRound sends a KEEPALIVE, has it received and acknowledged.
func (n *Network) keepaliveRound(st *stream, limit sim.Time) (sim.Time, bool) {
	s := &n.sessions[st.id]
	o := &n.sessions[n.peerOf(st.id)]
	id, _ := s.m.Conn()
	ref, _ := s.conn(id)
	c := n.conns[ref.conn]
	me, other := &c.side[ref.side], &c.side[1-ref.side]
	l := &n.links[s.link]
	arrive := st.at.Add(l.controlDelay(s.end, st.at))
	ack := arrive.Add(l.controlDelay(o.end, arrive))
	rto := n.tcpSettings(c, ref.side)[topology.TCPRTO].Dist.A
	if ack >= limit || ack.Sub(st.at) >= rto || arrive <= me.arrive {
		return 0, false
	}
	if s.jittered() || o.jittered() {
		// Sessions draw random numbers for both timers, in the order of events:
		// rounds of the two ends must not overlap.
		for i := range n.skip.streams {
			if x := &n.skip.streams[i]; x.kind == keepalives && x.id == o.id && x.at <= ack {
				return 0, false
			}
		}
	}
	n.k.Skip(st.at, s.actor(), evBGPTimer, uint64(s.id)<<8|uint64(st.timer))
	n.k.Skip(arrive, o.actor(), evSegment, uint64(packSegment(c.id, 1-ref.side, segData, me.next, 1)))
	n.acts = s.m.Step(n.acts[:0], bgp.Input{Kind: bgp.InTimer, Timer: st.timer})
	for i := range n.acts {
		if a := &n.acts[i]; a.Kind == bgp.ActArm && a.Timer == st.timer {
			st.at = st.at.Add(a.After)
		}
	}
	theirs, _ := o.m.Conn()
	n.acts = o.m.Step(n.acts[:0], bgp.Input{Kind: bgp.InMessage, Conn: theirs, Msg: bgp.Keepalive})
	for i := range n.acts {
		if a := &n.acts[i]; a.Kind == bgp.ActArm {
			n.pushBack(o.id, a.Timer, arrive.Add(a.After))
		}
	}
	me.next++
	me.una++
	me.seq += uint32(bgp.Keepalive.Size)
	me.rto = rto
	other.rcv++
	n.k.Skip(ack, s.actor(), evSegment, uint64(packSegment(c.id, ref.side, segAck, 0, other.rcv)))
	me.arrive = arrive
	l.hear(o.end, arrive)
	l.hear(s.end, ack)
	st.moved = true
	return ack, true
}

// jittered tells whether the session draws random numbers for its timers.
func (s *session) jittered() bool {
	return s.config.KeepaliveJitter != bgp.Jitter{} || s.config.HoldJitter != bgp.Jitter{}
}

// pushBack moves the deadline of a hold timer.
func (n *Network) pushBack(session int, timer bgp.TimerID, at sim.Time) {
	for i := range n.skip.holds {
		if h := &n.skip.holds[i]; h.session == session && h.timer == timer {
			h.at, h.moved = at, true
		}
	}
}

// idleRound looks whether a tunnel's peer has been heard of; if it has not, the
// stretch ends, because dead peer detection begins.
func (n *Network) idleRound(s *stream, limit, done sim.Time) (sim.Time, bool) {
	l := &n.links[s.id>>1]
	end := &l.ends[s.id&1]
	idle := s.at.Sub(end.heard)
	if s.at >= limit || s.at <= done || idle >= end.config.DPDInterval {
		return 0, false
	}
	n.k.Skip(s.at, actorOf(l.routerAt(s.id&1)), evVPNTimer, uint64(s.id)<<8|uint64(vpn.DPDTimer))
	n.tunnels = end.vpn.Step(n.tunnels[:0], vpn.Input{Kind: vpn.InTimer, Timer: vpn.DPDTimer, Idle: idle})
	at := s.at
	for i := range n.tunnels {
		if a := &n.tunnels[i]; a.Kind == vpn.ActArm && a.Timer == vpn.DPDTimer {
			s.at = s.at.Add(a.After)
		}
	}
	s.moved = true
	return at, true
}

// rearm moves the timers of the streams to where the stretch has left them.
func (n *Network) rearm() {
	for i := range n.skip.streams {
		s := &n.skip.streams[i]
		if !s.moved {
			continue
		}
		switch s.kind {
		case ticks:
			p := &n.probes[s.id]
			if s.at == math.MaxInt64 {
				n.k.Stop(&p.timer)
				continue
			}
			n.k.ResetAt(&p.timer, s.at, sim.Event{To: actorWorld, Kind: evTick, Arg: uint64(p.id), Phase: sim.PhaseProbe})
		case keepalives:
			x := &n.sessions[s.id]
			n.k.ResetAt(&x.timers[s.timer], s.at, sim.Event{To: x.actor(), Kind: evBGPTimer, Arg: uint64(x.id)<<8 | uint64(s.timer), Phase: sim.PhaseTimer})
		case idleChecks:
			l := &n.links[s.id>>1]
			n.k.ResetAt(&l.ends[s.id&1].timers[vpn.DPDTimer], s.at, sim.Event{To: actorOf(l.routerAt(s.id & 1)), Kind: evVPNTimer, Arg: uint64(s.id)<<8 | uint64(vpn.DPDTimer), Phase: sim.PhaseTimer})
		}
	}
	for _, h := range n.skip.holds {
		if h.moved {
			x := &n.sessions[h.session]
			n.k.ResetAt(&x.timers[h.timer], h.at, sim.Event{To: x.actor(), Kind: evBGPTimer, Arg: uint64(x.id)<<8 | uint64(h.timer), Phase: sim.PhaseTimer})
		}
	}
}
