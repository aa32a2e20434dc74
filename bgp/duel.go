package bgp

import "cmp"

// The decision process where rules are a total order: the best path is the one
// that wins all its duels, and one new path is compared with the two that were
// first, not the whole set anew. A router with a hundred neighbours hears a
// hundred paths for each prefix; that this costs two comparisons a path, and
// not a hundred, is what makes large simulations possible.
//
// Two things make a set of rules less than a total order. RuleMED compares
// only paths through one neighbouring AS, so these paths must have no MED. And
// rules that say nothing about an external and an internal path have to come
// after the one that tells the two apart.
//
// Where it is not, the sets of decide.go decide. Tests hold one against the
// other.

// properties tells whether r is a total order of paths without MED, and
// whether it asks nothing about the past.
func (r Ruleset) properties() (ordered, steady bool) {
	ordered, steady = true, true
	parted := false
	for _, rule := range r {
		switch rule {
		case RuleExternal:
			parted = true
		case RuleKeepExternal:
			ordered, steady = ordered && parted, false
		case RuleOldest, RulePeerID:
			ordered = ordered && parted
		case RuleIncumbent:
			steady = false
		}
	}
	return ordered, steady
}

// merit is what the first rules make of a path, as one large number of which
// the greater is the better: most duels are decided by comparing two of them, without
// looking at anything else of the paths.
type merit struct{ hi, mid, lo uint64 }

// meritBits is how large a merit is.
const meritBits = 3 * 64

// add puts what a rule makes of the path behind what is there.
func (m *merit) add(bits int, worth uint64) {
	m.hi = m.hi<<bits | m.mid>>(64-bits)
	m.mid = m.mid<<bits | m.lo>>(64-bits)
	m.lo = m.lo<<bits | worth
}

// compare is positive if m is greater than o.
func (m *merit) compare(o *merit) int {
	switch {
	case m.hi != o.hi:
		return cmp.Compare(m.hi, o.hi)
	case m.mid != o.mid:
		return cmp.Compare(m.mid, o.mid)
	}
	return cmp.Compare(m.lo, o.lo)
}

// appraised is how many rules a merit has room for. Those about MED need none:
// in a duel no path has one.
func (r Ruleset) appraised() uint8 {
	room, n := meritBits, uint8(0)
	for _, rule := range r {
		if bits := rule.bits(); bits > room || bits == 0 && rule != RuleMED && rule != RuleMEDAlways {
			break
		}
		room -= rule.bits()
		n++
	}
	return n
}

// newPath makes a path, with its merit if nothing bars it from the duels.
func (s *Speaker) newPath(p Path, bar Rule) *Path {
	made := s.mem.newPath()
	*made = p
	made.merit, made.kept = merit{}, false
	if bar == RuleNone {
		for _, rule := range s.cfg.Rules[:s.appraised] {
			made.merit.add(rule.bits(), rule.worth(made))
		}
	}
	return made
}

// beats tells whether a wins against b. Where no rule tells them apart, the
// one whose peer has the lower number stands, as in decide.
func (s *Speaker) beats(a, b *Path, st standing) bool {
	if c := a.merit.compare(&b.merit); c != 0 {
		return c > 0
	}
	c, _ := s.cfg.Rules[s.appraised:].compare(a, b, st)
	return c < 0 || c == 0 && (a.Peer < b.Peer || a.Peer == b.Peer && a.PathID < b.PathID)
}

// duel finds the best path of e, and the runner-up. There is at least one
// candidate.
func (s *Speaker) duel(e *entry, st standing) {
	// What was first before is where to start, if no more than one path is new
	// and nothing else changed.
	best, versus, ok := (*Path)(nil), (*Path)(nil), false
	if e.ranked && e.touched != several && (s.steady || st == e.st) {
		best, versus, ok = s.place(e, e.from(e.touched), st)
	}
	if !ok {
		best, versus = nil, nil
		for i := range e.in {
			switch p := e.in[i].path; {
			case e.in[i].bar != RuleNone:
			case best == nil || s.beats(p, best, st):
				best, versus = p, best
			case versus == nil || s.beats(p, versus, st):
				versus = p
			}
		}
	}
	if best != e.best || versus != e.versus || e.route != nil && e.route.Candidates != int(e.cands) {
		e.route = nil
	}
	e.best, e.versus, e.st, e.ranked = best, versus, st, true
}

// place says which two paths are first now that the peer whose turn it is says
// p (nil: nothing), if that follows from which were first before.
func (s *Speaker) place(e *entry, p *Path, st standing) (best, versus *Path, ok bool) {
	best, versus = e.best, e.versus
	switch {
	case best == nil:
		return nil, nil, false
	case e.touched == best.Peer:
		// It stays the best if it is no worse than the runner-up.
		ok = p != nil && (versus == nil || s.beats(p, versus, st))
		return p, versus, ok
	case versus != nil && e.touched == versus.Peer:
		if p == nil {
			return nil, nil, false
		}
		if s.beats(p, best, st) {
			return p, best, true
		}
		return best, p, !s.beats(versus, p, st) // if it is worse than before, others may be better
	case p == nil:
		return best, versus, true
	case s.beats(p, best, st):
		return p, best, true
	case versus == nil || s.beats(p, versus, st):
		return best, p, true
	}
	return best, versus, true
}
