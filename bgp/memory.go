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
	batch    batch
	said     *Message // the last UPDATE for a single prefix
	dirty    []*entry // rows to decide about; empty between two Steps

	// Scratch memory of the decision process.
	cands, field, equals, spare []*Path
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

// prune bounds what is kept. Whatever is forgotten is made again when it is
// needed, and compares as equal; within one Step nothing is forgotten, so that
// what goes out together is packed by comparing pointers.
func (m *Memory) prune() {
	if m.interned.prune() {
		m.answer, m.said = nil, nil
	}
}
