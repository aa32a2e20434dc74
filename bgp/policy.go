package bgp

import (
	"net/netip"
	"slices"
)

// match returns the term that decides about a route, or nil if none matches,
// which accepts the route as it is.
func (p Policy) match(prefix netip.Prefix, a *Attrs) *Term {
	for i := range p {
		if p[i].matches(prefix, a) {
			return &p[i]
		}
	}
	return nil
}

func (t *Term) matches(prefix netip.Prefix, a *Attrs) bool {
	if t.Community != 0 && !slices.Contains(a.Communities, t.Community) {
		return false
	}
	if t.PathHas != 0 && !a.ASPath.Has(t.PathHas) {
		return false
	}
	if len(t.Prefixes) == 0 {
		return true
	}
	for _, m := range t.Prefixes {
		if m.Matches(prefix) {
			return true
		}
	}
	return false
}

// Matches tells whether p lies inside m.Prefix and has a length from GE to LE.
// A GE alone has no upper end, an LE alone begins at the length of m.Prefix:
// what "ge" and "le" mean in every router's prefix lists.
func (m PrefixMatch) Matches(p netip.Prefix) bool {
	lo, hi := m.Prefix.Bits(), m.Prefix.Bits()
	if m.GE > 0 {
		lo, hi = max(lo, m.GE), p.Addr().BitLen()
	}
	if m.LE > 0 {
		hi = m.LE
	}
	return lo <= p.Bits() && p.Bits() <= hi && m.Prefix.Contains(p.Addr())
}

// admit is Phase 1 for one route as it came from peer (RFC 4271 §9.1.1): the
// attributes that the decision process sees, or the rule that bars the route
// from it.
func (s *Speaker) admit(peer PeerID, external bool, prefix netip.Prefix, raw *Attrs) (*Attrs, Rule) {
	n := &s.peers[peer]
	// "If the AS_PATH attribute of a BGP route contains an AS loop, the BGP
	// route should be excluded from the Phase 2 decision function." RFC 4271 §9.1.2
	if raw.passes(s.cfg.AS) {
		return raw, RuleLoop
	}
	plain := raw.summary.plain
	if !external && !plain && raw.OriginatorID.IsValid() && raw.OriginatorID == s.cfg.ID {
		return raw, RuleReflected
	}
	// "If the local CLUSTER_ID is found in the CLUSTER_LIST, the advertisement
	// received SHOULD be ignored." RFC 4456 §8
	if !external && !plain && slices.Contains(raw.ClusterList, s.cfg.Cluster) {
		return raw, RuleCluster
	}
	// "A BGP speaker SHALL NOT install a route with itself as the next hop."
	// RFC 4271 §5.1.3
	if s.owns(raw.NextHop) {
		return raw, RuleOwnNextHop
	}
	term := n.group.Import.match(prefix, raw)
	if term != nil && term.Reject {
		return raw, RuleImportPolicy
	}
	bar := RuleNone
	switch {
	case n.unreachable:
		bar = RuleUnresolvable
	case s.damping && s.suppresses(peer, prefix):
		bar = RuleDamped
	}
	// LOCAL_PREF from an external peer "MUST be ignored" (RFC 4271 §5.1.5);
	// ORIGINATOR_ID and CLUSTER_LIST never leave an AS (RFC 4456 §8).
	strip := external && !plain && (raw.HasLocalPref || raw.OriginatorID.IsValid() || len(raw.ClusterList) > 0)
	if term == nil && !strip {
		return raw, bar // the usual case: nothing to rewrite
	}
	d := &s.mem.draft
	d.from(raw)
	if strip {
		d.internalOnly()
	}
	if term != nil {
		d.apply(term)
		d.prepend(s.cfg.Peers[peer].AS, term.Prepend)
	}
	return s.mem.interned.of(d), bar
}

// owns tells whether an address is one of ours.
func (s *Speaker) owns(a netip.Addr) bool {
	if s.uniform {
		return a == s.hop && a.IsValid()
	}
	if len(s.hops) <= fewEntries {
		return slices.Contains(s.hops, a)
	}
	_, own := slices.BinarySearchFunc(s.hops, a, netip.Addr.Compare)
	return own
}

// internalOnly drops the attributes that have a meaning only inside an AS.
func (d *draft) internalOnly() {
	d.LocalPref, d.HasLocalPref = 0, false
	d.OriginatorID, d.ClusterList = netip.Addr{}, nil
}

// export is Phase 3 for one peer (RFC 4271 §9.1.3): what it is told about the
// route of e, or nil if it is told nothing.
func (s *Speaker) export(peer PeerID, e *entry) *Attrs {
	best := e.best
	if best == nil {
		return nil
	}
	// Mostly it is what the peer before was told of the same path, and then all
	// but two of exportPath's questions have been answered.
	n := &s.peers[peer]
	if t := s.mem.toldBy(s.cfg.AS); n.plain && s.uniform && t.about(best) {
		return t.to(n, FamilyOf(e.prefix))
	}
	return s.exportPath(peer, e, best)
}

// wanted is what peer should know about the route of e: what export says, unless that is
// nothing and the peer is not to hear of it.
func (s *Speaker) wanted(peer PeerID, e *entry) *Attrs {
	want := s.export(peer, e)
	if !s.peers[peer].group.LoopUnsaid || len(e.out) == 0 {
		return want
	}
	o := &e.out[peer]
	switch best := e.best; {
	case want != nil:
		o.unsaid = false
	case best != nil && best.Peer != peer && best.Attrs.passes(s.cfg.Peers[peer].AS):
		o.unsaid = true
	}
	// GoBGP looks for the peer's AS in the path that is best now; in the one that was, if none is
	// any more, or if the peer's own is. If it is there, nothing is sent (filterpath).
	if o.unsaid {
		o.again = false
		return o.sent
	}
	return want
}

// about tells whether t is what plain peers are told about a path.
func (t *told) about(best *Path) bool { return t.best == best && t.external && t.group == nil }

// to is what a plain peer is told.
func (t *told) to(n *neighbour, f Families) *Attrs {
	if !n.families.Has(f) || n.group.Role.paysNothing() && t.best.Role.paysNothing() {
		return nil
	}
	return t.attrs
}

// exportPath is export of one path, best or not.
func (s *Speaker) exportPath(peer PeerID, e *entry, best *Path) *Attrs {
	n, family := &s.peers[peer], FamilyOf(e.prefix)
	g, external := n.group, n.external
	a := best.Attrs
	switch {
	case !n.families.Has(family):
		return nil // the peer has not offered it, or we have not. RFC 4760 §8
	case best.Static, g.OwnOnly && best.Peer != Local: // not redistributed; no transit
		return nil
	case g.NoEcho && best.Peer == peer:
		return nil
	case g.Role.paysNothing() && best.Role.paysNothing():
		return nil
	case s.reflects(best, external) && !best.Client && !g.Client:
		// "When a BGP speaker receives an UPDATE message from an internal peer,
		// the receiving BGP speaker SHALL NOT re-distribute the routing
		// information contained in that UPDATE message to other internal peers."
		// RFC 4271 §9.2. A route reflector does, from and to its clients (reflect.go).
		return nil
	case s.cfg.LongLived && a.LongLived() && !s.beside[peer].longLived():
		// "The route SHOULD NOT be advertised to any neighbor from which the
		// Long-Lived Graceful Restart Capability has not been received." RFC 9494 §4.3
		return nil
	case !a.summary.plain && slices.Contains(a.Communities, NoAdvertise):
		return nil
	case external && !a.summary.plain && (slices.Contains(a.Communities, NoExport) || slices.Contains(a.Communities, NoExportSubconfed)):
		return nil
	case external && g.SenderSideLoop && a.passes(s.cfg.Peers[peer].AS):
		return nil
	}
	m := s.mem
	t, kind := m.toldBy(s.cfg.AS), g
	if external && len(g.Export) == 0 {
		kind = nil
	}
	local, theirs := s.hop, netip.Addr{}
	if !s.uniform || !external {
		cfg := s.cfg.Peers[peer]
		local, theirs = s.ours(cfg, family), cfg.theirs(family)
	}
	if t.best != best || t.group != kind || t.external != external || t.local != local {
		term := g.Export.match(e.prefix, a)
		if term != nil && term.Reject {
			return nil
		}
		if q := s.ask(a, term, best, n, local); m.answer == nil || m.asked != q {
			m.asked, m.answer = q, s.rewrite(q)
		}
		*t = told{best: best, group: kind, external: external, local: local, attrs: m.answer, msg: t.msg}
	}
	if hop := t.attrs.NextHop; hop.IsValid() && hop == theirs {
		return nil // a route "SHALL NOT be advertised to a peer using an address of that peer as NEXT_HOP" (§5.1.3)
	}
	return t.attrs
}

// ask puts together what the attributes depend on that a peer is told.
func (s *Speaker) ask(a *Attrs, term *Term, best *Path, n *neighbour, local netip.Addr) question {
	q := question{attrs: a, term: term, as: s.cfg.AS, external: n.external, self: best.Peer == Local || n.group.NextHopSelf, local: local}
	if s.reflects(best, q.external) {
		q.self, q.origin = false, best.originator().Addr()
	}
	return q
}

// rewrite makes the attributes that a peer is told from those of the route.
// All peers of whom the question is the same are told the same.
func (s *Speaker) rewrite(q question) *Attrs {
	term, external := q.term, q.external
	d := &s.mem.draft
	d.from(q.attrs)
	if external {
		// MED "received from a neighboring AS ... MUST NOT be propagated to other
		// neighboring ASes" (§5.1.4).
		d.MED, d.HasMED = 0, false
	}
	if term != nil {
		d.apply(term)
	}
	if external {
		d.internalOnly() // even what a policy set: LOCAL_PREF "MUST NOT" go out (§5.1.5)
		n := 1
		if term != nil {
			n += max(term.Prepend, 0)
		}
		d.prepend(q.as, n)  // §5.1.2 b)
		d.NextHop = q.local // §5.1.3 2): "the IP address of the interface" towards the peer
	} else {
		if !d.HasLocalPref {
			d.LocalPref, d.HasLocalPref = defaultLocalPref, true // §5.1.5: included towards internal peers
		}
		if q.self {
			d.NextHop = q.local // §5.1.3 1)
		}
		if q.origin.IsValid() {
			d.reflect(q.origin, s.cfg.Cluster)
		}
	}
	return s.mem.interned.of(d)
}
