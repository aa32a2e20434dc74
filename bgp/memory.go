package bgp

import "net/netip"

// Memory is what speakers that never run at the same time can share: scratch
// memory, and one copy of every set of attributes. A simulation of 70,000
// routers has one. What a speaker does is the same with and without.
type Memory struct {
	draft    draft
	interned interner
	asked    question // what was exported last: a router tells most of its peers the same
	answer   *Attrs
	told     [256]told
	batch    batch
	gone     *Message // the last UPDATE that withdraws a single prefix
	ripe     []*entry // what has waited for an advertisement timer
	dirty    []*entry // rows to decide about; empty between two Steps

	// Scratch memory of the decision process.
	cands, field, equals, spare []*Path

	paths           pieces[Path]
	spares, retired []*Path      // paths that nobody has any more; and that nobody will have after this Step
	brief           []briefRoute // SpeakerConfig.BriefRoutes

	// What speakers are made of.
	neighbours pieces[neighbour]
	besides    pieces[beside]
	sources    pieces[Source]
}

// pieces is memory for many things of one kind, made in pieces that get larger: for half a
// million neighbours, that is some hundred pieces, and nothing between them.
type pieces[T any] struct {
	rest []T // of the last piece
	size int // of the last piece
	// Where everything is taken back together, sooner or later (again), all pieces, and how
	// many of them are in use.
	together bool
	made     [][]T
	used     int
}

// take takes n things that are zero.
func (p *pieces[T]) take(n int) []T {
	for len(p.rest) < n {
		p.rest = p.next(n)
	}
	taken := p.rest[:n:n]
	p.rest = p.rest[n:]
	return taken
}

// next is another piece, of n things at least if it is new.
func (p *pieces[T]) next(n int) []T {
	if p.used < len(p.made) {
		p.used++
		return p.made[p.used-1]
	}
	p.size = max(n, min(2*p.size, 1<<10))
	made := make([]T, p.size)
	if p.together {
		p.made = append(p.made, made)
		p.used++
	}
	return made
}

// again takes everything back.
func (p *pieces[T]) again() {
	for _, piece := range p.made[:p.used] {
		clear(piece)
	}
	p.used, p.rest = 0, nil
}

// StartOver says that all speakers that share m will be Reset before anything else
// happens to them: their paths are not needed any more, unless somebody else has one.
func (m *Memory) StartOver() {
	if m.paths.together {
		m.paths.again()
	} else {
		m.paths = pieces[Path]{together: true}
	}
	m.spares, m.retired = m.spares[:0], m.retired[:0]
	m.forget() // which path is called by which address
}

// keep says that somebody outside of the speakers may have p from now on.
func (m *Memory) keep(p *Path) {
	p.kept = true
	m.paths.together, m.paths.made, m.paths.used = false, nil, 0
}

// forget drops what was made last, so that it need not agree with what is made from now on.
func (m *Memory) forget() {
	m.answer, m.gone = nil, nil
	m.told = [256]told{}
}

// question is everything that the attributes which a peer is told depend on.
type question struct {
	attrs    *Attrs // of the route
	term     *Term  // of the export policy; nil: none matched
	as       uint32 // ours
	external bool
	self     bool       // NEXT_HOP is local even over iBGP
	local    netip.Addr // our address
	origin   netip.Addr // ORIGINATOR_ID of a route that is reflected; else invalid
}

// told is what peers of one kind were told last about a path. A path is one
// router's and of one prefix, and is not changed once it is there, so the answer
// stays right as long as it is asked about. Peers are of one kind if they have the
// same group, or if nothing in their groups changes what they are told. An AS has a place for that, by its
// number: its advertisement timers run out one by one, between those of others, and
// mostly nothing has changed between one peer's and the next one's.
type told struct {
	best     *Path
	group    *PeerGroup // nil: any
	external bool
	local    netip.Addr
	attrs    *Attrs
	msg      *Message // the UPDATE for this prefix alone
}

// toldBy is the place of an AS.
func (m *Memory) toldBy(as uint32) *told { return &m.told[as%uint32(len(m.told))] }

// prune bounds what is kept. Whatever is forgotten is made again when it is
// needed, and compares as equal; within one Step nothing is forgotten, so that
// what goes out together is packed by comparing pointers.
func (m *Memory) prune() {
	for _, p := range m.retired {
		if !p.kept {
			m.spares = append(m.spares, p)
		}
	}
	m.retired = m.retired[:0]
	m.brief = m.brief[:0]
	if m.interned.prune() {
		m.forget()
	}
}

// newPath finds memory for a path: that of one which nobody has any more, or new.
func (m *Memory) newPath() *Path {
	if last := len(m.spares) - 1; last >= 0 {
		p := m.spares[last]
		m.spares = m.spares[:last]
		return p
	}
	return &m.paths.take(1)[0]
}

// retire gives up a path that is no longer in any row. Until the next Step it
// stays what it is, since it may be what was best before.
func (s *Speaker) retire(p *Path) {
	if p.kept || s.defers || s.together {
		return // a row that is not decided about may still know it as its best
	}
	s.mem.retired = append(s.mem.retired, p)
	if t := s.mem.toldBy(s.cfg.AS); t.best == p {
		t.best = nil
	}
}
