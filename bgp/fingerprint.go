package bgp

import (
	"net/netip"
	"slices"
	"time"
)

// Fingerprints answer one question: is this the state that was there before? A
// routing system whose state repeats, where nothing is left to chance, never
// comes to rest. For that conclusion a fingerprint must leave nothing out that a
// later decision could depend on: a test changes every field of every type that
// stands here, one by one, and expects another fingerprint, but for those that
// it lists with the reason why they do not count.

// Fingerprint is equal for two states of s, each at its instant now (as of
// Input.Now), from which it goes on in the same way, whatever comes; and different
// for any others but by a chance of 2^-64. What lies in the future counts by how
// far off it is, what lies in the past only as far as it still means anything.
func (s *Speaker) Fingerprint(now time.Duration) uint64 {
	h := mixBool(mixBool(uint64(len(s.peers)), s.settled), s.defers)
	h = mix(h, uint64(s.selection))
	for i := range s.peers {
		h = s.peers[i].fingerprint(h)
		h = s.queueFingerprint(mix(h, uint64(s.beside[i].rank)), PeerID(i))
		h = s.openFingerprint(h, PeerID(i))
		h = s.pacerFingerprint(h, PeerID(i), now)
	}
	for _, e := range s.entries {
		h = s.entryFingerprint(h, e, now)
	}
	for _, u := range s.undecided {
		h = mixPrefix(h, u.e.prefix)
	}
	return s.flapsFingerprint(h, now)
}

// Fingerprint is equal for UPDATEs that say the same.
func (u *Update) Fingerprint() uint64 {
	h := uint64(len(u.Withdrawn))
	for _, p := range u.Withdrawn {
		h = mixPrefix(h, p)
	}
	h = u.Attrs.fingerprint(h)
	for _, p := range u.NLRI {
		h = mixPrefix(h, p)
	}
	if u.Extra != nil {
		h = mix(h, uint64(u.Extra.Ends))
		for _, ids := range [][]uint32{u.Extra.Withdrawn, u.Extra.NLRI} {
			h = mix(h, uint64(len(ids)))
			for _, id := range ids {
				h = mix(h, uint64(id))
			}
		}
	}
	return h
}

func (n *neighbour) fingerprint(h uint64) uint64 {
	h = mixBool(mixBool(mixBool(mixBool(mixBool(h, n.up), n.gated), n.opening), n.excess), n.sourced)
	h = mix(mix(mix(mix(h, uint64(n.families)), uint64(n.eor)), uint64(n.sends)), uint64(n.receives))
	h = mixBool(h, n.unreachable)
	h = mix(mix(mix(h, uint64(n.absence)), uint64(n.clocks)), uint64(n.stale))
	h = mix(mix(mix(h, uint64(n.prefix[0])), uint64(n.prefix[1])), uint64(n.waiting))
	return n.source.fingerprint(h)
}

// queueFingerprint adds what waits for the timer of peer, in its order.
func (s *Speaker) queueFingerprint(h uint64, peer PeerID) uint64 {
	at := s.peers[peer].head
	for range s.entries {
		if at == 0 {
			break
		}
		e := s.entries[at-1]
		h, at = mixPrefix(h, e.prefix), e.out[peer].next
	}
	return mix(h, 0)
}

// openFingerprint adds what decisions need of a peer's OPEN that source has not.
func (s *Speaker) openFingerprint(h uint64, peer PeerID) uint64 {
	b := &s.beside[peer]
	restart, long, ok := s.cfg.Peers[peer].Helper.keeps(b.open)
	h = mixBool(mix(mix(h, uint64(restart)), uint64(long)), ok)
	return mixBool(mixBool(h, b.longLived()), b.notWaitedFor())
}

// pacerFingerprint adds what peer's pacer keeps, by what its mode makes of it.
func (s *Speaker) pacerFingerprint(h uint64, peer PeerID, now time.Duration) uint64 {
	n, m := &s.peers[peer], &s.cfg.Peers[peer].MRAI
	p := s.beside[peer].pacer
	if p == nil {
		return mix(h, 0)
	}
	if n.gated {
		h = mix(mix(h, uint64(p.due-now)), uint64(p.want-now))
	}
	switch n.way {
	case byAge:
		h = mix(h, uint64(p.left(now+s.cfg.Phase, s.cfg.Phase, m.Granularity)))
		h = mix(h, uint64((now+s.cfg.Phase)%m.Granularity))
	case byPrefix, byDelay:
		for _, w := range p.line {
			if w.due > now || w.e.out[peer].waits { // others will be taken out (expire)
				h = mixPrefix(mix(h, uint64(w.due-now)), w.e.prefix)
			}
		}
	case byTick:
		if m.Jitter.Hi != 0 {
			h = mix(mix(h, uint64(p.tick-now)), p.ticks)
			break
		}
		step := max(m.Interval, time.Millisecond)
		h = mix(h, uint64(((p.tick-now)%step+step)%step))
	}
	return h
}

// flapsFingerprint adds what is remembered of routes that have flapped.
func (s *Speaker) flapsFingerprint(h uint64, now time.Duration) uint64 {
	sum := uint64(0) // in no order, as the map is
	for _, f := range s.flaps {
		if !f.suppressed && s.damps(f.peer).decayed(f.merit, now-f.at) == 0 {
			continue // it is forgotten
		}
		x := mix(mixBool(mixPrefix(uint64(f.peer), f.prefix), f.suppressed), f.merit)
		x = mix(x, uint64(now-f.at))
		if f.suppressed {
			x = mix(x, uint64(f.reuse-now))
		}
		sum += x
	}
	h = mix(h, sum)
	for _, f := range s.damped {
		h = mixPrefix(mix(h, uint64(f.peer)), f.prefix)
	}
	if s.reuse > 0 {
		h = mix(h, uint64(s.reuse-now))
	}
	return h
}

// listed tells whether departure.listed of a peer's rows is state of its own: in
// some modes the line says the same.
func (s *Speaker) listed(peer int) bool {
	way := s.peers[peer].way
	return way != byPrefix && way != byDelay
}

// longestDelay is the longest out-delay: a route that has been best for longer
// waits nowhere.
func (s *Speaker) longestDelay() time.Duration {
	longest := time.Duration(0)
	for i := range s.cfg.Peers {
		longest = max(longest, s.cfg.Peers[i].MRAI.Interval)
	}
	return longest
}

func (s *Speaker) entryFingerprint(h uint64, e *entry, now time.Duration) uint64 {
	h = mixBool(mixPrefix(h, e.prefix), e.dirty)
	h = mix(h, uint64(len(e.in)))
	for i := range e.in {
		a := &e.in[i]
		h = mixBool(mix(mix(a.raw.fingerprint(h), uint64(a.bar)), uint64(a.peer)), a.stale)
		h = a.path.fingerprint(h)
		if slices.Contains(s.cfg.Rules, RuleOldest) {
			h = s.ageFingerprint(h, e, a.path, now)
		}
	}
	h = e.versus.fingerprint(e.best.fingerprint(h))
	h = mixBool(mix(h, uint64(e.st.best)), e.st.settled)
	h = mix(h, uint64(len(e.out)))
	for i := range e.out {
		o := &e.out[i]
		h = mixBool(mixBool(mixBool(o.sent.fingerprint(h), o.waits), o.listed && s.listed(i)), o.again)
		h = mixBool(h, o.unsaid)
		if s.many != nil && s.many[i] != nil {
			for _, p := range s.many[i].sent[e] {
				h = p.attrs.fingerprint(mix(h, uint64(p.id)))
			}
		}
	}
	if s.since != nil {
		h = mix(h, uint64(min(now-s.since[e], s.longestDelay())))
	}
	return h
}

// ageFingerprint adds which paths are older than p, and whether there may be more that are
// as old: when it arrived does not matter.
func (s *Speaker) ageFingerprint(h uint64, e *entry, p *Path, now time.Duration) uint64 {
	older := uint64(0)
	for i := range e.in {
		if e.in[i].path.Age < p.Age {
			older++
		}
	}
	h = mix(h, older)
	if p.Age == s.second(now) {
		h = mix(h, uint64((now+s.cfg.Phase)%time.Second))
	}
	return h
}

func (p *Path) fingerprint(h uint64) uint64 {
	if p == nil {
		return mix(h, 0)
	}
	return p.Source.fingerprint(p.Attrs.fingerprint(mix(h, 1)))
}

func (s *Source) fingerprint(h uint64) uint64 {
	if s == nil {
		return mix(h, 0)
	}
	h = mix(mix(h, uint64(s.Peer)), uint64(s.Role))
	h = mixBool(mixBool(mixBool(mixBool(h, s.External), s.Direct), s.Client), s.Static)
	h = mix(mixAddr(h, s.PeerAddr), uint64(s.PeerBGPID))
	return mix(mix(mix(mix(h, uint64(s.Weight)), uint64(s.IGPMetric)), uint64(s.Rank)), uint64(s.PathID))
}

func (a *Attrs) fingerprint(h uint64) uint64 {
	if a == nil {
		return mix(h, 0)
	}
	return mix(mix(h, 1), a.hash())
}

func mixBool(h uint64, b bool) uint64 {
	if b {
		return mix(h, 2)
	}
	return mix(h, 1)
}

func mixPrefix(h uint64, p netip.Prefix) uint64 { return mix(mixAddr(h, p.Addr()), uint64(p.Bits())) }
