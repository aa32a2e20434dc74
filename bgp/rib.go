package bgp

import "net/netip"

// entry is everything a Speaker knows about one prefix: what each peer said
// (its row of the Adj-RIBs-In), what is used (Loc-RIB) and what each peer was
// told (its row of the Adj-RIBs-Out). RFC 4271 §3.2 describes three tables; one
// row that holds all three saves looking up the prefix thrice.
type entry struct {
	prefix netip.Prefix
	in     []arrival // ordered by peer, Local first
	route  *Route    // nil: unreachable
	st     standing  // what the last decision went by
	out    []departure
	dirty  bool
}

// arrival is an entry of an Adj-RIB-In.
type arrival struct {
	path *Path  // after import policy
	raw  *Attrs // as it came
	bar  Rule   // why it is no candidate; RuleNone: it is one
}

// counts tells whether a is one of the prefixes that a limit is about. What has
// gone round in a loop is not: many routers send back what they were told.
func (a *arrival) counts() bool { return a.bar != RuleLoop }

// departure is an entry of an Adj-RIB-Out.
type departure struct {
	sent   *Attrs // what the peer knows; nil: nothing
	waits  bool   // a change waits for the advertisement timer
	listed bool   // the peer's queue holds this entry, waiting or no longer
	again  bool   // send even if it is what the peer knows (ROUTE-REFRESH)
}

// neighbour is what the Speaker keeps about one peer.
type neighbour struct {
	up      bool
	id      netip.Addr // BGP Identifier from its OPEN
	eor     bool       // it has sent End-of-RIB
	gated   bool       // the advertisement timer runs
	excess  bool       // ActMaxPrefixes was given
	prefix  int        // how many it announces, but for loops
	waiting int        // changes that wait
	queue   []*entry   // entries that wait, in the order in which they began to
	rank    int32      // place in Order
}

// entryOf returns the row of a prefix, making it if need be.
func (s *Speaker) entryOf(p netip.Prefix) *entry {
	if e := s.table[p]; e != nil {
		return e
	}
	n := len(s.entries)
	var e *entry
	if n < cap(s.entries) {
		s.entries = s.entries[:n+1]
		e = s.entries[n] // left over from before Reset
	} else {
		s.entries = append(s.entries, nil)
	}
	if e == nil {
		e = &entry{}
		s.entries[n] = e
	}
	out := e.out
	if cap(out) < len(s.peers) {
		out = make([]departure, len(s.peers))
	}
	out = out[:len(s.peers)]
	clear(out)
	*e = entry{prefix: p, in: e.in[:0], out: out, st: standing{best: nobody}}
	s.table[p] = e
	return e
}

// find returns where the arrival from peer is, or where it belongs.
func (e *entry) find(peer PeerID) (int, bool) {
	for i := range e.in {
		if q := e.in[i].path.Peer; q >= peer {
			return i, q == peer
		}
	}
	return len(e.in), false
}

// put replaces what peer said about the prefix; an implicit withdraw, if there
// was anything (RFC 4271 §3.1).
func (e *entry) put(peer PeerID, a arrival) {
	i, ok := e.find(peer)
	if !ok {
		e.in = append(e.in, arrival{})
		copy(e.in[i+1:], e.in[i:])
	}
	e.in[i] = a
}

// remove forgets what peer said about the prefix and tells whether that was
// anything.
func (e *entry) remove(peer PeerID) bool {
	i, ok := e.find(peer)
	if ok {
		e.in = append(e.in[:i], e.in[i+1:]...)
	}
	return ok
}

// touch notes that the decision process must look at e again.
func (s *Speaker) touch(e *entry) {
	if !e.dirty {
		e.dirty = true
		s.dirty = append(s.dirty, e)
	}
}

// candidates appends the paths of e that the decision process may choose from.
func (e *entry) candidates(paths []*Path) []*Path {
	for i := range e.in {
		if e.in[i].bar == RuleNone {
			paths = append(paths, e.in[i].path)
		}
	}
	return paths
}
