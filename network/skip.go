package network

import (
	"math"
	"time"

	"github.com/vpnsim/vpnsim/bfd"
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
// (Kernel.Skip), and its place among events of one instant (Kernel.Place).
// Before anything else is due, the horizon, they go back into the queue, in
// mid-flight if need be.
//
// What the echoes of a quiet stretch do to others is to be heard of at the ends
// of tunnels. So they are not stepped in their turn, but all up to the instant at
// which an idle check asks about such an end, and in the end all up to the
// horizon. They meet others that are due at the same instant in another order
// then, which nobody can tell: in a lane, an echo does not act on what is no echo.
//
// So the result is that of the plain run, which a test over random stories
// holds it to, at a fraction of the price: no queue, no dispatch, and echoes
// whose path is worked out once.

// skipper keeps the memory of fast-forwarding between stretches and runs.
type skipper struct {
	found     []found // events that repeat
	streams   []stream
	line      []inLine // of streams, by whose turn it is …
	echoes    []inLine // … and of those that may wait until somebody asks
	stretch   uint64   // how many were begun: see linkEnd.stretch
	deadlines []holdDeadline
	silences  []silence // of BFD
	health    []health  // by session
	next      sim.Time  // no stretch is begun before
}

// found is a pending event.
type found struct {
	timer sim.Timer
	at    sim.Time
	arg   uint64
	kind  sim.Kind
}

// inLine is one in a line of streams: the time of the stream's next event. Where
// two are due at one instant, the streams know their places.
type inLine struct {
	at     sim.Time
	stream int32
}

func (sk *skipper) before(t, o inLine) bool {
	return t.at < o.at || t.at == o.at && sk.streams[t.stream].order.Before(sk.streams[o.stream].order)
}

// holdDeadline is when a hold timer runs out, which keepalives push back.
type holdDeadline struct {
	at      sim.Time
	order   sim.Place
	session int32
	timer   bgp.TimerID
	moved   bool
}

type health uint8

const (
	notAsked health = iota
	well
	unwell
)

// worthwhile is the shortest stretch for which fast-forwarding is begun: what it
// takes to find the streams and to hand them back is what some twenty events
// take. BFD has as many in a second.
func (n *Network) worthwhile() time.Duration {
	if len(n.bfds) > 0 {
		return time.Second
	}
	return 4 * time.Second
}

type streamKind uint8

const (
	echoes streamKind = iota
	keepalives
	idleChecks
	controlPackets // of BFD: bfdskip.go
)

// stream is a series of events of which one is due at a time.
type stream struct {
	at    sim.Time  // of the next event …
	order sim.Place // … and its place among those of the same instant
	later sim.Place // the place of the timer that comes after what is under way
	base  sim.Time  // when the round under way began: the tick, the keepalive timer
	id    int32     // probe, session, or link<<1 | end
	stage int32     // 0: a timer is due; more: a packet is under way
	kind  streamKind
	moved bool
	ka    keepaliveStream
}

// keepaliveStream is what the keepalives of a session need at hand.
type keepaliveStream struct {
	next, ack sim.Time // when the timer runs out again; when the acknowledgement arrives
	s, o      *session // who sends, who receives
	l         *link
	c         *conn
	me, other *tcpSide
	side      int
	theirs    bgp.ConnID
	timer     bgp.TimerID
	rto       time.Duration
}

// runSkipping is RunUntil(n.end) with quiet stretches taken at once.
func (n *Network) runSkipping() {
	n.skip.next = math.MinInt64
	for {
		if n.flying == 0 && n.dozing == 0 && n.k.Now() >= n.skip.next {
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
	horizon := n.findStreams()
	sk := &n.skip
	if horizon.Sub(n.k.Now()) < n.worthwhile() || len(sk.streams) == 0 {
		sk.next = horizon
		return
	}
	sk.lineUp(n.echoesMayWait())
	first, stop := sim.Time(0), sim.Time(0)
	for soonest := longAgo; ; { // no deadline is earlier
		until := horizon // it is the first one's turn, and then another one's
		if first = never; len(sk.line) > 0 {
			first = sk.line[0].at
		}
		if len(sk.line) > 1 {
			until = min(until, sk.line[1].at)
		}
		if max(first, until) >= soonest {
			soonest = min(sk.earliestDeadline(), sk.earliestSilence())
			until = min(until, soonest)
		}
		if stop = min(first, horizon, soonest); first != stop || first == horizon || first == soonest {
			break
		}
		s := &sk.streams[sk.line[0].stream]
		if s.kind == idleChecks && n.links[s.id>>1].ends[s.id&1].stretch == sk.stretch {
			n.catchUp(s.at, &s.order)
			until = s.at // the one after it asks again
		}
		if !n.step(s, until) {
			break
		}
		sk.settle(sk.line)
	}
	if len(sk.echoes) > 0 {
		first = min(first, sk.echoes[0].at)
		n.catchUp(stop, &sim.Place{})
	}
	n.handBack()
	sk.next = max(n.k.Now(), min(horizon, first))
}

// findStreams makes streams of what is pending, and tells when something is due
// that is not in one.
func (n *Network) findStreams() (horizon sim.Time) {
	sk := &n.skip
	sk.found, sk.streams, sk.deadlines, sk.silences = sk.found[:0], sk.streams[:0], sk.deadlines[:0], sk.silences[:0]
	horizon = n.end + 1
	n.k.Pending(func(t sim.Timer, at sim.Time, kind sim.Kind, arg uint64) {
		if repeats(kind, arg) {
			sk.found = append(sk.found, found{t, at, arg, kind})
		} else if at < horizon {
			horizon = at
		}
	})
	if horizon.Sub(n.k.Now()) < n.worthwhile() { // as most often, when nothing is quiet
		return horizon
	}
	if sk.health == nil {
		sk.health = make([]health, len(n.sessions))
	}
	clear(sk.health)
	sk.stretch++
	for i := range sk.found {
		if f := &sk.found[i]; !n.stream(f.at, n.k.PlaceOf(f.timer), f.kind, f.arg) {
			horizon = min(horizon, f.at)
		}
	}
	return horizon
}

// lineUp puts the streams in the order of their turns.
func (sk *skipper) lineUp(echoesWait bool) {
	sk.line, sk.echoes = sk.line[:0], sk.echoes[:0]
	for i := range sk.streams {
		line := &sk.line
		if echoesWait && sk.streams[i].kind == echoes {
			line = &sk.echoes
		}
		t := inLine{sk.streams[i].at, int32(i)}
		l := append(*line, t)
		at := len(l) - 1
		for ; at > 0 && sk.before(t, l[at-1]); at-- {
			l[at] = l[at-1]
		}
		l[at], *line = t, l
	}
}

// settle moves the first stream of a line to where it belongs after its step.
func (sk *skipper) settle(line []inLine) {
	t := line[0]
	t.at = sk.streams[t.stream].at
	i := 1
	for ; i < len(line) && (line[i].at < t.at || line[i].at == t.at && sk.before(line[i], t)); i++ {
		line[i-1] = line[i]
	}
	line[i-1] = t
}

// echoesMayWait tells whether it is certain that each echo takes some time for
// each of its legs and is through before the next one of its probe leaves.
func (n *Network) echoesMayWait() bool {
	for i := range n.skip.streams {
		s := &n.skip.streams[i]
		if s.kind != echoes {
			continue
		}
		p, longest := &n.probes[s.id], time.Duration(0)
		for i := range p.trip.legs {
			l := &n.links[p.trip.legs[i].link]
			if l.least == 0 {
				return false
			}
			longest += l.most
		}
		if longest >= p.cfg.Every {
			return false
		}
	}
	return true
}

// catchUp steps the echoes that have waited up to that place of the instant until.
func (n *Network) catchUp(until sim.Time, place *sim.Place) {
	sk := &n.skip
	for line := sk.echoes; len(line) > 0; sk.settle(line) {
		s, next := &sk.streams[line[0].stream], until
		if s.at > until || s.at == until && !s.order.Before(*place) {
			return
		}
		if len(line) > 1 {
			next = min(next, line[1].at)
		}
		n.step(s, next)
	}
}

func (sk *skipper) earliestDeadline() sim.Time {
	at := sim.Time(math.MaxInt64)
	for i := range sk.deadlines {
		at = min(at, sk.deadlines[i].at)
	}
	return at
}

// add takes a stream in; its memory may be that of an earlier one.
func (sk *skipper) add(at sim.Time, order sim.Place, kind streamKind, id int32) *stream {
	if len(sk.streams) == cap(sk.streams) {
		sk.streams = append(sk.streams, stream{})
	} else {
		sk.streams = sk.streams[:len(sk.streams)+1]
	}
	s := &sk.streams[len(sk.streams)-1]
	s.at, s.order, s.kind, s.id, s.stage, s.moved = at, order, kind, id, 0, false
	return s
}

// repeats tells whether an event is of a kind that streams are made of.
func repeats(kind sim.Kind, arg uint64) bool {
	switch kind {
	case evTick:
		return true
	case evBGPTimer:
		t := bgp.TimerID(arg&0xff) % bgp.SecondConn
		return t == bgp.KeepaliveTimer || t == bgp.HoldTimer
	case evVPNTimer:
		return vpn.TimerID(arg&0xff) == vpn.DPDTimer
	case evBFDTimer:
		return true
	}
	return false
}

// stream takes a pending event that repeats into a stream, if nothing disturbs
// it. Otherwise it is for the horizon.
func (n *Network) stream(at sim.Time, order sim.Place, kind sim.Kind, arg uint64) bool {
	sk := &n.skip
	switch kind {
	case evTick:
		if n.plan(&n.probes[arg]) {
			sk.add(at, order, echoes, int32(arg))
			return true
		}
	case evBGPTimer:
		session, timer := int32(arg>>8), bgp.TimerID(arg&0xff)
		if !n.healthy(session) {
			return false
		}
		if timer%bgp.SecondConn == bgp.HoldTimer {
			sk.deadlines = append(sk.deadlines, holdDeadline{at: at, order: order, session: session, timer: timer})
		} else {
			n.planKeepalives(&sk.add(at, order, keepalives, session).ka, session, timer)
		}
		return true
	case evVPNTimer:
		sk.add(at, order, idleChecks, int32(arg>>8))
		return true
	case evBFDTimer:
		return n.controlStream(at, order, int32(arg>>8), bfd.TimerID(arg&0xff))
	}
	return false
}

// step takes the next event of a stream, and those after it that are due before
// the instant until. It returns false, and has changed nothing, when the first
// must be handled in the ordinary way.
func (n *Network) step(s *stream, until sim.Time) bool {
	for first := true; first || s.at < until; first = false {
		ok := false
		switch s.kind {
		case echoes:
			ok = n.stepEcho(s, until)
		case keepalives:
			ok = n.stepKeepalive(s)
		case idleChecks:
			ok = n.stepIdleCheck(s)
		case controlPackets:
			ok = n.stepControl(s)
		}
		if !ok {
			return !first
		}
	}
	return true
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
	last     sim.Time // when the last echo was at its end
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
		fromHost := true
		for ; r != to; fromHost = false {
			o := n.onward(p, dir, r, fromHost)
			h := &o.hop
			if h.drop.why != passed {
				return true
			}
			if n.takesTTL(r, fromHost, false) {
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
				return !(why == dropNoSA && l.ends[e].config.OnTraffic) // it may wake the tunnel
			}
			r = l.routerAt(1 - e)
			why, _ := l.enters(1 - e)
			t.legs = append(t.legs, leg{link: h.link, to: int32(1 - e), dir: int32(dir), actor: actorOf(r), enters: why == passed,
				arg: packEcho(p.id, dir, t.ttl, int(h.link), 1-e, 0), delay: &l.cfg.Delay.Dist, rnd: o.delays})
			t.arrive = append(t.arrive, 0)
			if why != passed {
				return true
			}
			l.ends[1-e].stretch = n.skip.stretch
		}
		if n.takesTTL(to, fromHost, true) {
			if t.ttl--; t.ttl == 0 {
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

// stepEcho sends a request, or takes an echo over its next link; echoes that are
// through before the instant until, it takes as a whole.
func (n *Network) stepEcho(s *stream, until sim.Time) bool {
	p := &n.probes[s.id]
	t := &p.trip
	if s.stage > 0 {
		n.skipLeg(p, &t.legs[s.stage-1], s.at)
		if int(s.stage) < len(t.legs) {
			s.at, s.order = t.arrive[s.stage], n.k.Place(sim.PhaseDeliver, packets(t.legs[s.stage-1].actor), t.legs[s.stage].actor)
			s.stage++
			return true
		}
		n.echoDone(s, p, s.at)
		return true
	}
	if n.wholeEchoes(s, p, until) {
		return true
	}
	end := t.send(s.at, uint64(p.sent+1))
	if end >= s.at.Add(p.cfg.Every) {
		return false // the next request leaves before this one is done with
	}
	n.k.Skip(s.at, actorWorld, evTick, uint64(p.id))
	p.sent++
	p.rtt, p.ttl = append(p.rtt, 0), append(p.ttl, 0)
	s.base, s.moved = s.at, true
	if len(t.legs) == 0 {
		s.later = n.k.Place(sim.PhaseProbe, sim.Own, actorWorld)
		n.echoDone(s, p, end)
		return true
	}
	s.at, s.order, s.stage = t.arrive[0], n.k.Place(sim.PhaseDeliver, packets(actorOf(p.src.Router)), t.legs[0].actor), 1
	s.later = n.k.Place(sim.PhaseProbe, sim.Own, actorWorld)
	return true
}

// send works out when the echo with that number reaches the end of each leg,
// and returns when it reaches the last: never, as far as streams are concerned,
// if a leg takes no time, since what is scheduled for its own instant waits for
// the others (sim/ties.go).
func (t *trip) send(at sim.Time, seq uint64) sim.Time {
	for i := range t.legs {
		l := &t.legs[i]
		d := l.delay.Draw(l.rnd.At(seq))
		if d == 0 {
			return never
		}
		at = at.Add(d)
		t.arrive[i] = at
	}
	return at
}

// wholeEchoes takes as many echoes as are through before the instant until, and
// tells whether there was one. Nobody looks at the tunnels before that instant,
// so the last echo says when they were heard of.
func (n *Network) wholeEchoes(s *stream, p *probe, until sim.Time) bool {
	t := &p.trip
	at, seq, digest := s.at, uint64(p.sent), uint64(0)
	for {
		end := t.send(at, seq+1)
		if end >= until || end >= at.Add(p.cfg.Every) {
			break
		}
		seq++
		digest += sim.Part(at, actorWorld, evTick, uint64(p.id))
		for i := range t.legs {
			l := &t.legs[i]
			l.last = t.arrive[i]
			digest += sim.Part(l.last, l.actor, evEcho, uint64(l.arg)|seq)
		}
		rtt, ttl := time.Duration(0), uint8(0)
		if t.alive {
			rtt, ttl = roundTrip(end.Sub(at)), t.ttl
		}
		p.rtt, p.ttl = append(p.rtt, rtt), append(p.ttl, ttl)
		if at = at.Add(p.cfg.Every); at >= p.end {
			at = never
			break
		}
	}
	if at == s.at {
		return false
	}
	n.k.SkipAll((int(seq)-p.sent)*(1+len(t.legs)), digest)
	p.sent = int(seq)
	for i := range t.legs {
		if l := &t.legs[i]; l.enters {
			n.links[l.link].hear(int(l.to), l.last)
		}
	}
	s.at, s.moved, s.order = at, true, n.k.Place(sim.PhaseProbe, sim.Own, actorWorld)
	return true
}

// never is later than anything; an interval can be added to it.
const never = sim.Time(math.MaxInt64 / 2)

// echoDone: the echo is back, or will never be; the next tick is due.
func (n *Network) echoDone(s *stream, p *probe, at sim.Time) {
	if p.trip.alive {
		p.rtt[p.sent-1], p.ttl[p.sent-1] = roundTrip(at.Sub(s.base)), p.trip.ttl
	}
	s.stage, s.order = 0, s.later
	if s.at = s.base.Add(p.cfg.Every); s.at >= p.end {
		s.at = never // that was the last one
	}
}

func (n *Network) skipLeg(p *probe, l *leg, at sim.Time) {
	n.k.Skip(at, l.actor, evEcho, uint64(l.arg)|uint64(p.sent))
	if l.enters {
		n.links[l.link].hear(int(l.to), at)
	}
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

func (n *Network) planKeepalives(k *keepaliveStream, session int32, timer bgp.TimerID) {
	k.timer = timer
	k.s = &n.sessions[session]
	k.o = &n.sessions[n.peerOf(session)]
	k.l = &n.links[k.s.link]
	id, _ := k.s.m.Conn()
	ref, _ := k.s.conn(id)
	k.theirs, _ = k.o.m.Conn()
	k.c, k.side = n.conns[ref.conn], ref.side
	k.me, k.other = &k.c.side[k.side], &k.c.side[1-k.side]
	k.rto = n.tcpTimes(k.c, k.side).rto
}

// stepKeepalive: the timer runs out and a KEEPALIVE leaves; it arrives, and is
// acknowledged before its time.
func (n *Network) stepKeepalive(st *stream) bool {
	k := &st.ka
	sender, reader := k.s.actor(), k.o.actor()
	if st.stage == 0 {
		arrive := st.at.Add(k.l.controlDelay(k.s.end, st.at))
		k.ack = arrive.Add(k.l.controlDelay(k.o.end, arrive))
		if arrive == st.at || k.ack == arrive || k.ack.Sub(st.at) >= k.rto || arrive <= k.me.arrive || k.me.early && k.me.ackAt >= st.at || k.l.ends[k.s.end].soon > arrive {
			return false
		}
		n.k.Skip(st.at, sender, evBGPTimer, uint64(st.id)<<8|uint64(k.timer))
		_, after, _ := k.s.m.KeepaliveDue(k.timer)
		k.next = st.at.Add(after)
		st.later = n.k.Place(sim.PhaseTimer, sim.Own, sender)
		k.me.next++
		k.me.rto, k.me.arrive = k.rto, arrive
		k.me.noted, k.me.early = true, false
		k.me.rtoAt = st.at.Add(k.rto)
		st.at, st.stage, st.moved = arrive, 1, true
		st.order = n.k.Place(sim.PhaseDeliver, reads(sender), reader)
		k.me.rtoPlace = n.k.Place(sim.PhaseTimer, sim.Own, sender)
		return true
	}
	n.k.Skip(st.at, reader, evSegment, uint64(packSegment(k.c.id, 1-k.side, segData, k.me.una, 1)))
	if t, after, ok := k.o.m.KeepaliveCame(k.theirs); ok {
		n.skip.pushBack(int32(k.o.id), t, st.at.Add(after), n.k.Place(sim.PhaseTimer, sim.Own, reader))
	}
	k.other.rcv++
	k.l.hear(k.o.end, st.at)
	k.l.ends[k.s.end].expect(st.at, k.ack)
	k.me.una++
	k.me.seq += uint32(bgp.Keepalive.Size)
	k.me.noted, k.me.early, k.me.ackAt = false, true, k.ack
	k.me.acked = append(k.me.acked[:0], bgp.Keepalive)
	k.me.ackPlace = n.k.Place(sim.PhaseDeliver, packets(reader), sender)
	st.at, st.stage, st.order = k.next, 0, st.later
	return true
}

// pushBack moves the deadline of a hold timer.
func (sk *skipper) pushBack(session int32, timer bgp.TimerID, at sim.Time, order sim.Place) {
	for i := range sk.deadlines {
		if h := &sk.deadlines[i]; h.session == session && h.timer == timer {
			h.at, h.order, h.moved = at, order, true
			return
		}
	}
}

// stepIdleCheck looks whether a tunnel's peer has been heard of; if it has not,
// dead peer detection begins, which is not for here.
func (n *Network) stepIdleCheck(s *stream) bool {
	l := &n.links[s.id>>1]
	end := &l.ends[s.id&1]
	after, ok := end.vpn.NoDoubt(s.at.Sub(end.lastHeard(s.at)))
	if !ok {
		return false
	}
	actor := actorOf(l.routerAt(int(s.id & 1)))
	n.k.Skip(s.at, actor, evVPNTimer, uint64(s.id)<<8|uint64(vpn.DPDTimer))
	s.at, s.order, s.moved = s.at.Add(after), n.k.Place(sim.PhaseTimer, sim.Own, actor), true
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
		case controlPackets:
			n.handBackControl(s)
		case idleChecks:
			l := &n.links[s.id>>1]
			n.k.ResetAtPlace(&l.ends[s.id&1].timers[vpn.DPDTimer], s.at, s.order, sim.Event{To: actorOf(l.routerAt(int(s.id & 1))), Kind: evVPNTimer, Arg: uint64(s.id)<<8 | uint64(vpn.DPDTimer), Phase: sim.PhaseTimer})
		}
	}
	n.handBackSilences()
	for i := range n.skip.deadlines {
		if h := &n.skip.deadlines[i]; h.moved {
			n.resetBGPTimer(&n.sessions[h.session], h.timer, h.at, h.order)
		}
	}
}

func (n *Network) resetBGPTimer(s *session, t bgp.TimerID, at sim.Time, order sim.Place) {
	n.k.ResetAtPlace(&s.timers[t], at, order, sim.Event{To: s.actor(), Kind: evBGPTimer, Arg: uint64(s.id)<<8 | uint64(t), Phase: sim.PhaseTimer})
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
		p.timer = n.k.AtPlace(tick, order, sim.Event{To: actorWorld, Kind: evTick, Arg: uint64(p.id), Phase: sim.PhaseProbe})
	}
}

// relaunch schedules what is on its way in a stream.
func (n *Network) relaunch(s *stream, to sim.ActorID, kind sim.Kind, arg uint64) {
	n.flying++
	n.k.AtPlace(s.at, s.order, sim.Event{To: to, Kind: kind, Arg: arg, Phase: sim.PhaseDeliver})
}

func (n *Network) handBackKeepalive(st *stream) {
	k := &st.ka
	if st.stage == 0 {
		n.resetBGPTimer(k.s, k.timer, st.at, st.order)
		return
	}
	n.resetBGPTimer(k.s, k.timer, k.next, st.later)
	k.me.out = append(k.me.out, bgp.Keepalive)
	k.me.queued += bgp.Keepalive.Size
	k.c.inFlight++
	n.relaunch(st, k.o.actor(), evSegment, uint64(packSegment(k.c.id, 1-k.side, segData, k.me.una, 1)))
}
