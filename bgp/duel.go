package bgp

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
type merit [3]uint64

// meritBits is how large a merit is.
const meritBits = 3 * 64

// add puts what a rule makes of the path behind what is there.
func (m *merit) add(bits int, worth uint64) {
	m[0] = m[0]<<bits | m[1]>>(64-bits)
	m[1] = m[1]<<bits | m[2]>>(64-bits)
	m[2] = m[2]<<bits | worth
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

// lengthField is where in a merit the length of AS_PATH stands: in which word, and how
// many bits from its end. It is not known where that is not all in one word.
type lengthField struct {
	word, shift uint8
	known       bool
}

// lengthField of a merit that these rules make.
func (r Ruleset) lengthField() (f lengthField) {
	at := 0 // how many bits from the end
	for i := len(r) - 1; i >= 0; i-- {
		if r[i] == RuleASPathLength {
			f = lengthField{uint8(2 - at/64), uint8(at % 64), at%64+r[i].bits() <= 64}
		}
		at += r[i].bits()
	}
	return f
}

// newPath makes a path, with its merit if nothing bars it from the duels. If it
// takes the place of a path that nothing barred, that is was.
func (s *Speaker) newPath(p Path, bar Rule, was *Path) *Path {
	made := s.mem.newPath()
	*made = p
	made.kept = false
	switch {
	case bar != RuleNone:
		made.merit = merit{}
	case was != nil && s.lengthAt.known && was.likeBut(made):
		// The longer path is worth as much less as it has more ASes.
		made.merit = was.merit
		made.merit[s.lengthAt.word] += (uint64(was.Attrs.summary.length) - uint64(p.Attrs.summary.length)) << s.lengthAt.shift
	default:
		made.merit = s.appraise(made)
	}
	return made
}

// likeBut tells whether p and q differ in nothing that a merit says but the length of
// AS_PATH: what usually becomes of a path while its session stays.
func (p *Path) likeBut(q *Path) bool {
	return p.Source == q.Source && p.Attrs.summary.plain && q.Attrs.summary.plain && p.Attrs.Origin == q.Attrs.Origin
}

// appraise works out the merit of a path.
func (s *Speaker) appraise(p *Path) (m merit) {
	for _, rule := range s.cfg.Rules[:s.appraised] {
		m.add(rule.bits(), rule.worth(p))
	}
	return m
}

// beats tells whether a wins against b. Where no rule tells them apart, the
// one whose peer has the lower number stands, as in decide.
func (s *Speaker) beats(a, b *Path, st standing) bool {
	for i := range a.merit {
		if a.merit[i] != b.merit[i] {
			return a.merit[i] > b.merit[i]
		}
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
			case versus != nil && !s.beats(p, versus, st): // most are worse than both
			case best == nil || s.beats(p, best, st):
				best, versus = p, best
			default:
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
