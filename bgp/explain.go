package bgp

import "net/netip"

// Verdict is what the decision process made of one path.
type Verdict struct {
	Path Path
	Best bool
	Used bool // Best, or beside it through multipath
	// Stale: it is kept from a session that has ended, and its peer has not said it
	// again. RFC 4724 §4.2
	Stale bool
	// Rule is where the path was removed from consideration; for the best path,
	// where it beat the runner-up; for a path that was no candidate, what bars it.
	Rule Rule
	// Against is the path that removed this one; for the best path, the
	// runner-up. It need not be the best: MED compares paths of one neighbouring
	// AS only. Nil where there was none.
	Against *Path
}

// Candidate tells whether the path took part in the decision at all.
func (v *Verdict) Candidate() bool { return !v.Rule.Bars() }

// Paths lists the candidates for p, best first.
func (s *Speaker) Paths(p netip.Prefix) []Path {
	e := s.row(p.Masked())
	if e == nil {
		return nil
	}
	ranked := e.candidates(nil)
	s.cfg.Rules.rank(ranked, e.st)
	paths := make([]Path, len(ranked))
	for i, c := range ranked {
		paths[i] = *c
	}
	return paths
}

// Explain gives a verdict on every path to p: the candidates, best first, then
// those that were barred. It goes by what the last decision went by, so that
// it tells why the route is what it is, and not what a new decision would
// find.
func (s *Speaker) Explain(p netip.Prefix) []Verdict {
	e := s.row(p.Masked())
	if e == nil {
		return nil
	}
	for i := range e.in {
		s.mem.keep(e.in[i].path) // a Verdict points to it
	}
	var vs []Verdict
	route := s.current(e)
	ranked := e.candidates(nil)
	s.cfg.Rules.rank(ranked, e.st)
	for _, c := range ranked {
		v := Verdict{Path: *c, Stale: e.stale(c)}
		if route == nil {
			v.Rule = RuleDeferred
			vs = append(vs, v)
			continue
		}
		if c == route.Best {
			v.Best, v.Used, v.Rule, v.Against = true, true, route.Rule, route.Versus
		} else {
			v.Rule, v.Against = s.cfg.Rules.removed(ranked, c, e.st)
		}
		for _, u := range route.Used {
			v.Used = v.Used || u == c
		}
		vs = append(vs, v)
	}
	for _, a := range e.in {
		if a.bar != RuleNone {
			vs = append(vs, Verdict{Path: *a.path, Rule: a.bar, Stale: a.stale})
		}
	}
	return vs
}

// stale tells whether path is kept from a session that has ended.
func (e *entry) stale(path *Path) bool {
	for i := range e.in {
		if e.in[i].path == path {
			return e.in[i].stale
		}
	}
	return false
}

// Rules is the decision process of s. Nobody may change it.
func (s *Speaker) Rules() Ruleset { return s.cfg.Rules }

// removed replays the decision and tells at which rule loser goes, and which
// path makes it go: the best one that this rule prefers to it. ranked is best
// first.
func (r Ruleset) removed(ranked []*Path, loser *Path, st standing) (Rule, *Path) {
	field := append([]*Path(nil), ranked...)
	for _, rule := range r {
		before := append([]*Path(nil), field...)
		field = rule.remove(field, st)
		for _, p := range field {
			if p == loser {
				before = nil
				break
			}
		}
		for _, p := range before {
			if rule.compare(p, loser, st) < 0 {
				return rule, p
			}
		}
	}
	return RuleNone, ranked[0]
}
