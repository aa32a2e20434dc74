package bgp

// The decision process proper. RFC 4271 §9.1.2.2: "The tie-breaking algorithm
// begins by considering all equally preferable routes to the same destination,
// and then selects routes to be removed from consideration. The algorithm
// terminates as soon as only one route remains in consideration."
//
// Removing from the whole set, and not comparing pair by pair, matters for
// MED: it is compared only among paths through one neighbouring AS, so "better
// than" is not transitive, and the winner of a row of duels would depend on
// their order.

// choose returns the best of field, and in equals (appended to it) the paths
// that stood beside it when the first tie-break was asked. It reorders field.
func (r Ruleset) choose(field []*Path, st standing, equals []*Path) (*Path, []*Path) {
	noted := false
	for _, rule := range r {
		if len(field) == 1 {
			break
		}
		if !noted && rule.TieBreak() {
			equals, noted = append(equals, field...), true
		}
		field = rule.remove(field, st)
	}
	if !noted {
		equals = append(equals, field...)
	}
	return field[0], equals
}

// remove leaves those paths in field that the rule does not remove from
// consideration, in the order they were in. At least one stays.
func (r Rule) remove(field []*Path, st standing) []*Path {
	if r == RuleMED {
		return removeByMED(field)
	}
	lead := field[0]
	for _, p := range field[1:] {
		if r.compare(p, lead, st) < 0 {
			lead = p
		}
	}
	n := 0
	for _, p := range field {
		if p == lead || r.compare(p, lead, st) == 0 {
			field[n] = p
			n++
		}
	}
	return field[:n]
}

// removeByMED is the double loop of RFC 4271 §9.1.2.2 c): a route goes if
// another one still under consideration comes through the same neighbouring AS
// with a lower MED. The lowest of each AS stays, so it does not matter that
// some are gone already when a path is looked at.
func removeByMED(field []*Path) []*Path {
	n := 0
next:
	for i, m := range field {
		for _, p := range field[:n] {
			if RuleMED.compare(p, m, standing{}) < 0 {
				continue next
			}
		}
		for _, p := range field[i+1:] {
			if RuleMED.compare(p, m, standing{}) < 0 {
				continue next
			}
		}
		field[n] = m
		n++
	}
	return field[:n]
}

// rank sorts paths best first: the best, the best of the others, and so on.
// Which path removed which is told by Explain.
func (r Ruleset) rank(paths []*Path, st standing) {
	scratch := make([]*Path, 0, len(paths))
	for i := 0; i+1 < len(paths); i++ {
		best, _ := r.choose(append(scratch[:0], paths[i:]...), st, nil)
		for j := i; j < len(paths); j++ {
			if paths[j] == best {
				copy(paths[i+1:j+1], paths[i:j])
				paths[i] = best
				break
			}
		}
	}
}

// decision is the outcome of the decision process for one prefix.
type decision struct {
	best, versus *Path
	rule         Rule
	used         []*Path // best first; belongs to the Speaker's scratch memory
}

// decide runs Phase 2 (RFC 4271 §9.1.2) over the candidates, of which there is
// at least one, in the order of their peers.
func (s *Speaker) decide(cands []*Path, st standing) decision {
	rules := s.cfg.Rules
	d := decision{best: cands[0], rule: RuleOnly}
	m := s.mem
	equals := m.equals[:0]
	switch len(cands) {
	case 1:
		equals = append(equals, d.best)
	case 2: // the common case of redundant links needs no sets
		c, rule := rules.compare(cands[0], cands[1], st)
		d.versus, d.rule = cands[1], rule
		if c > 0 {
			d.best, d.versus = cands[1], cands[0]
		}
		equals = append(equals, d.best)
		if rule.TieBreak() {
			equals = append(equals, d.versus)
		}
	default:
		m.field = append(m.field[:0], cands...)
		d.best, equals = rules.choose(m.field, st, equals)
		m.field = m.field[:0]
		for _, p := range cands {
			if p != d.best {
				m.field = append(m.field, p)
			}
		}
		d.versus, _ = rules.choose(m.field, st, m.spare[:0])
		_, d.rule = rules.compare(d.best, d.versus, st)
	}
	m.equals = equals
	d.used = s.multipath(equals, d.best, st)
	return d
}

// multipath picks from the equally good paths those that are used, best first.
// RFC 4271 leaves this to the implementation (§9.1.2.2 ends with one route);
// every cloud gateway and router here does it the same way: what the rules up
// to the first tie-break cannot tell apart may share the traffic.
func (s *Speaker) multipath(equals []*Path, best *Path, st standing) []*Path {
	used := equals[:0]
	for _, p := range equals {
		if p != best && (s.cfg.Multipath < 2 || s.cfg.MultipathSameAS && !sameWay(best, p)) {
			continue
		}
		// Insert where the tie-breaks put it: among paths that no other rule tells
		// apart they are a total order, of which best is the first.
		i := len(used)
		used = append(used, p)
		for ; i > 0 && s.better(p, used[i-1], st); i-- {
			used[i] = used[i-1]
		}
		used[i] = p
	}
	if s.cfg.Multipath > 1 && len(used) > s.cfg.Multipath {
		used = used[:s.cfg.Multipath]
	}
	return used
}

func (s *Speaker) better(a, b *Path, st standing) bool {
	c, _ := s.cfg.Rules.compare(a, b, st)
	return c < 0
}

// sameWay tells whether FRR and Cisco IOS would use p beside best without
// "as-path multipath-relax".
func sameWay(best, p *Path) bool {
	if best.External {
		return best.Attrs.ASPath.Neighbour() == p.Attrs.ASPath.Neighbour()
	}
	return best.Attrs.ASPath.Equal(p.Attrs.ASPath)
}
