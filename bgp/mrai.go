package bgp

import "time"

// MinRouteAdvertisementInterval, RFC 4271 §9.2.1.1: "Two UPDATE messages sent by
// a BGP speaker to a peer that advertise feasible routes and/or withdrawal of
// unfeasible routes to some common set of destinations MUST be separated by at
// least MinRouteAdvertisementIntervalTimer." That leaves room, and
// implementations have filled it in different ways, some of them far from the
// letter.
//
// What they have in common is that the timer "does not limit the rate of route
// selection, but only the rate of route advertisement. If new routes are selected
// multiple times while awaiting the expiration of
// MinRouteAdvertisementIntervalTimer, the last route selected SHALL be advertised
// at the end". So what waits is the name of a prefix, what is sent is looked up
// when the wait is over, and a change that is taken back meanwhile is never sent.
//
// What they differ in is where the interval begins:
//
//   - at the last UPDATE (the RFC; FRR, IOS): an UPDATE starts a timer, and while
//     it runs, changes wait. Whoever has heard nothing for an interval is told at
//     once. The RFC means it for each destination but is content with any technique
//     that keeps the distance, and most have one timer for each peer.
//     MRAI.PerPrefix is the letter.
//   - at the last tick (Quagga, Nokia SR OS): a timer of the peer runs from the
//     start of the session, whatever is sent. A change waits for the next tick: on
//     average half an interval, even after a long silence.
//   - when the route became the best (Junos' out-delay): no limit of a rate but a
//     delay of each change; one that comes before it has passed begins anew.
//
// And they differ in withdrawals. RFC 4271 lets them wait, RFC 1771 did not; FRR
// up to 10.5 sends with a withdrawal whatever else waits. Where they go out at
// once they are UPDATEs all the same, which start the timer, unless
// QuietWithdrawals says otherwise. A timer that runs is not restarted: that would
// let a storm of withdrawals delay an announcement without end.
//
// A speaker has one timer for each peer. In the modes that look at the clock
// (Input.Now), a pacer keeps what is due when, and the timer is set for the first
// of it; a tick for which nothing waits is no event, only arithmetic.

// MRAIMode is what the interval before an UPDATE runs from.
type MRAIMode uint8

const (
	MRAINone            MRAIMode = iota // every change goes out at once
	MRAISinceLastUpdate                 // RFC 4271 §9.2.1.1: from the last UPDATE
	MRAITick                            // from tick to tick of a timer that never stops
	MRAIOutDelay                        // from when the route became the best
)

// Withdrawals is what the advertisement interval means to withdrawals.
type Withdrawals uint8

const (
	WithdrawalsExempt Withdrawals = iota // they go out at once. RFC 1771 §9.2.3.1
	WithdrawalsGated                     // they wait as announcements do. RFC 4271 §9.2.1.1
	WithdrawalsFlush                     // they go out at once, and whatever waits goes with them
)

// MRAI is the MinRouteAdvertisementInterval of one peer.
type MRAI struct {
	Mode             MRAIMode
	Withdrawals      Withdrawals
	PerPrefix        bool // MRAISinceLastUpdate: the last UPDATE about the same prefix counts, not the last one to the peer
	QuietWithdrawals bool // an UPDATE that only withdraws starts no interval
	NewAtOnce        bool // the first announcement of a prefix does not wait

	Interval time.Duration // 0: nothing waits, whatever the mode
	Jitter   Jitter        // of the interval; an out-delay has none
	// Granularity is the unit in which a router counts the age of its last UPDATE:
	// the difference of two readings of a clock that shows whole units
	// (MRAISinceLastUpdate, not by prefix). What is left of the interval is waited
	// for from the change on, so that two UPDATEs are up to a unit less, or up to a
	// unit more than the interval apart. 0: exact.
	Granularity time.Duration
	// First is the wait from the start of a session to its first UPDATE. 0: none.
	First time.Duration
}

// pacing is the way in which a peer's UPDATEs are spaced: mode and scope in one.
type pacing uint8

const (
	unpaced  pacing = iota
	byTimer         // since the last UPDATE: the timer says it all
	byAge           // the same, in whole units of a clock
	byPrefix        // since the last UPDATE about the prefix
	byTick
	byDelay // since the route became the best
)

func (m *MRAI) pacing() pacing {
	switch {
	case m.Interval <= 0:
	case m.Mode == MRAITick:
		return byTick
	case m.Mode == MRAIOutDelay:
		return byDelay
	case m.Mode != MRAISinceLastUpdate:
	case m.PerPrefix:
		return byPrefix
	case m.Granularity > 0:
		return byAge
	default:
		return byTimer
	}
	return unpaced
}

// pacer is what a neighbour needs where the timer alone does not tell.
type pacer struct {
	due  time.Duration // when the timer runs out, if it runs
	want time.Duration // when it should
	line []pending     // byPrefix, byDelay: what is due when, the first one first

	last     time.Duration // byAge: when the last UPDATE was sent …
	interval time.Duration // … and how long until the next; 0: none was
	tick     time.Duration // byTick: the next tick
	ticks    uint64        // and how many there have been
	step     time.Duration // between the last two
}

type pending struct {
	due time.Duration
	e   *entry
}

// fresh forgets everything but the memory and how many random numbers were used.
func (p *pacer) fresh() *pacer {
	if p != nil {
		*p = pacer{line: p.line[:0], ticks: p.ticks}
	}
	return p
}

// pace gets the pacers ready for the configuration.
func (s *Speaker) pace() {
	s.since = nil
	for i := range s.peers {
		b := &s.beside[i]
		switch s.peers[i].way {
		case unpaced, byTimer:
			b.pacer = nil
			continue
		case byDelay:
			if s.since == nil {
				s.since = map[*entry]time.Duration{}
			}
		}
		if b.pacer == nil {
			b.pacer = &pacer{}
		}
		*b.pacer = pacer{line: b.pacer.line[:0]}
	}
}

// greet tells a peer everything, then End-of-RIB, unless it is too early for that:
// before the wait for the first UPDATE is over, or while the choice of routes is
// deferred.
func (s *Speaker) greet(acts []Action, peer PeerID) []Action {
	n := &s.peers[peer]
	if n.gated || s.defers {
		return acts
	}
	n.opening = false
	s.mem.batch.reset()
	s.compare(peer, s.entries, n.way == byTick)
	if n.way == byTick {
		s.beside[peer].pacer.tick = s.now
		s.nextTick(peer)
	}
	acts = s.setTimer(s.send(acts, peer), peer)
	// RFC 4724 §2: "the generation of such a marker upon completion of the initial
	// update would be useful for routing convergence in general, and thus the
	// practice is recommended", with or without graceful restart.
	// Each family has one of its own.
	n.families.each(func(f Families) {
		acts = append(acts, Action{Kind: ActSend, Peer: peer, Msg: endOfRIB[f]})
	})
	return acts
}

// mustWait tells whether a change that peer does not know of has to wait, and
// puts it where it does.
func (s *Speaker) mustWait(peer PeerID, e *entry, want *Attrs) bool {
	n := &s.peers[peer]
	m := &n.group.MRAI
	o := &e.out[peer]
	switch {
	case want == nil && m.Withdrawals != WithdrawalsGated:
		return false
	case m.NewAtOnce && o.sent == nil:
		return false
	}
	p := s.beside[peer].pacer
	switch n.way {
	case byTimer:
		if !n.closed(s.now) {
			return false
		}
	case byTick:
		if !n.gated {
			for p.tick < s.now {
				s.nextTick(peer)
			}
			p.want = p.tick
		}
	case byAge:
		left := p.left(s.now+s.cfg.Phase, s.cfg.Phase, m.Granularity)
		if left == 0 && !n.gated {
			return false
		}
		// What waits first sets the timer, and whoever takes its place may set it
		// earlier; what waits beside it does neither. FRR's bgp_adjust_routeadv.
		alone := n.waiting == 0 || n.waiting == 1 && o.waits
		if !n.gated || alone && left <= (p.due-s.now)/m.Granularity*m.Granularity {
			p.want = s.now + left
		}
	case byPrefix:
		if !o.listed {
			return false
		}
		n.await(o)
		return true
	case byDelay:
		due := s.since[e] + m.Interval
		if due <= s.now {
			return false
		}
		n.await(o)
		if !o.listed {
			o.listed = true
			p.insert(pending{due, e})
		}
		return true
	}
	n.await(o)
	if !o.listed {
		s.enqueue(peer, e)
	}
	return true
}

// closed tells whether the advertisement timer runs. One that is reckoned only
// (LateTimers) runs out after whatever else happens at its instant.
func (n *neighbour) closed(now time.Duration) bool { return n.gated || n.until > 0 && n.until >= now }

func (n *neighbour) await(o *departure) {
	if !o.waits {
		o.waits = true
		n.waiting++
	}
}

func (n *neighbour) unwait(o *departure) {
	if o.waits {
		o.waits = false
		n.waiting--
	}
}

// left is how long a change has to wait when the clock shows now: the last
// UPDATE is as many units old as the clock has shown new ones since.
func (p *pacer) left(now, phase, unit time.Duration) time.Duration {
	if p.interval == 0 {
		return 0
	}
	age := now/unit - (p.last+phase)/unit
	return max(0, p.interval-age*unit)
}

// nextTick moves the tick of peer on by one interval, at least a millisecond;
// without jitter, to the first one that is not over.
func (s *Speaker) nextTick(peer PeerID) {
	p, m := s.beside[peer].pacer, &s.peers[peer].group.MRAI
	step := max(m.Interval, time.Millisecond)
	switch {
	case m.Jitter.Hi == 0:
		step = max(1, (s.now-p.tick+step-1)/step) * step
	case s.cfg.Draw != nil:
		step = m.Jitter.Of(step, func() uint64 { return s.cfg.Draw(peer, p.ticks) })
	default:
		step = m.Jitter.Of(step, s.cfg.Rand)
	}
	p.step = max(step, time.Millisecond)
	p.ticks++
	p.tick += p.step
}

// insert puts x where it belongs in the line, mostly at the end.
func (p *pacer) insert(x pending) {
	i := len(p.line)
	p.line = append(p.line, x)
	for ; i > 0 && p.line[i-1].due > x.due; i-- {
		p.line[i] = p.line[i-1]
	}
	p.line[i] = x
}

// sent starts the interval of one prefix.
func (s *Speaker) sent(peer PeerID, e *entry, want *Attrs) {
	m := &s.peers[peer].group.MRAI
	if o := &e.out[peer]; !o.listed && !(want == nil && m.QuietWithdrawals) {
		o.listed = true
		s.beside[peer].pacer.insert(pending{s.now + m.Jitter.Of(m.Interval, s.cfg.Rand), e})
	}
}

// expire takes those out of the line whose time has passed without anything
// that waits for it: the timer is not set for them.
func (p *pacer) expire(peer PeerID, now time.Duration) {
	over := 0
	for over < len(p.line) && p.line[over].due <= now && !p.line[over].e.out[peer].waits {
		p.line[over].e.out[peer].listed = false
		over++
	}
	p.line = append(p.line[:0], p.line[over:]...)
}

// takeAlong adds to a batch that withdraws what waits beside it, if that is
// what withdrawals do. Up to version 10.5, FRR's subgroup_trigger_write lets the
// advertisement timer run out at once.
func (s *Speaker) takeAlong(acts []Action, peer PeerID) []Action {
	n := &s.peers[peer]
	m := &n.group.MRAI
	if n.waiting == 0 || len(s.mem.batch.gone)+len(s.mem.batch.lost) == 0 || m.Withdrawals != WithdrawalsFlush {
		return acts
	}
	s.release(peer)
	if n.way == byAge && n.gated {
		n.gated = false // the next change reckons from these UPDATEs
		acts = append(acts, Action{Kind: ActNoRouteTime, Peer: peer})
	}
	return acts
}

// release puts what waits for the timer of peer into the batch.
func (s *Speaker) release(peer PeerID) {
	s.compare(peer, s.dequeue(peer), true)
}

// gate starts the interval after UPDATEs that were sent to peer, all of them
// withdrawals or not.
func (s *Speaker) gate(acts []Action, peer PeerID, withdrawals bool) []Action {
	n := &s.peers[peer]
	m := &n.group.MRAI
	if withdrawals && m.QuietWithdrawals {
		return acts
	}
	// §10: "A new random value SHOULD be picked each time the timer is set."
	switch n.way {
	case byTimer:
		switch {
		case n.closed(s.now):
		case s.cfg.LateTimers:
			after := m.Jitter.Of(m.Interval, s.cfg.Rand)
			n.until = s.now + after
			acts = append(acts, Action{Kind: ActRouteTime, Peer: peer, After: after, Idle: true})
		default:
			n.gated = true
			acts = append(acts, Action{Kind: ActRouteTime, Peer: peer, After: m.Jitter.Of(m.Interval, s.cfg.Rand)})
		}
	case byAge:
		p := s.beside[peer].pacer
		p.last, p.interval = s.now, m.Jitter.Of(m.Interval, s.cfg.Rand)
	}
	return acts
}

// setTimer sets the timer of peer for what its pacer has to wait for.
func (s *Speaker) setTimer(acts []Action, peer PeerID) []Action {
	n := &s.peers[peer]
	switch {
	case n.waiting == 0:
		return acts // if it runs, it will find nothing to do
	case n.way <= byTimer && !n.gated && n.closed(s.now):
		n.gated = true
		return append(acts, Action{Kind: ActRouteTime, Peer: peer, After: n.until - s.now})
	case n.way <= byTimer:
		return acts
	}
	p := s.beside[peer].pacer
	if len(p.line) > 0 {
		p.want = p.line[0].due
	}
	if !n.gated || p.due != p.want {
		n.gated, p.due = true, p.want
		acts = append(acts, Action{Kind: ActRouteTime, Peer: peer, After: p.due - s.now})
	}
	return acts
}

// routeTime sends what has waited for the advertisement timer of peer.
func (s *Speaker) routeTime(acts []Action, peer PeerID) []Action {
	n := &s.peers[peer]
	n.gated, n.until = false, 0
	if n.opening {
		return s.greet(acts, peer)
	}
	p := s.beside[peer].pacer
	switch n.way {
	case byPrefix, byDelay:
		ripe := s.mem.ripe[:0]
		for len(p.line) > len(ripe) && p.line[len(ripe)].due <= s.now {
			e := p.line[len(ripe)].e
			e.out[peer].listed = false
			ripe = append(ripe, e)
		}
		p.line = append(p.line[:0], p.line[len(ripe):]...)
		s.mem.ripe = ripe
		return s.tell(acts, peer, ripe)
	case byTick:
		if p.tick <= s.now {
			s.nextTick(peer)
		}
	}
	if n.head > 0 && n.head == n.tail && n.way == byTimer && n.sends == 0 {
		return s.releaseOne(acts, peer)
	}
	s.mem.batch.reset()
	s.release(peer)
	return s.setTimer(s.send(acts, peer), peer)
}

// releaseOne is the end of the timer if only one prefix waits.
func (s *Speaker) releaseOne(acts []Action, peer PeerID) []Action {
	n := &s.peers[peer]
	e := s.entries[n.head-1]
	o := &e.out[peer]
	n.head, n.tail, o.listed = 0, 0, false
	want := s.wanted(peer, e)
	if want.Equal(o.sent) && !(o.again && want != nil) {
		n.unwait(o)
		return acts
	}
	return s.sendOne(acts, peer, e, want)
}
