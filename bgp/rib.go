package bgp

import (
	"net/netip"
	"slices"
	"time"
)

// entry is everything a Speaker knows about one prefix: what each peer said
// (its row of the Adj-RIBs-In), what is used (Loc-RIB) and what each peer was
// told (its row of the Adj-RIBs-Out). RFC 4271 §3.2 describes three tables; one
// row that holds all three saves looking up the prefix thrice.
type entry struct {
	prefix netip.Prefix
	in     []arrival   // ordered by peer, Local first
	out    []departure // by peer; empty while nobody has been told anything

	// What the last decision found, and what it went by.
	best   *Path  // nil: unreachable
	versus *Path  // the runner-up
	route  *Route // all of it; nil: not made yet
	st     standing
	ranked bool // best and versus are the first two by duels (duel.go)

	index   int32 // in Speaker.entries
	dirty   bool
	touched PeerID // whose path is new since the last decision, or several
	cands   int32  // arrivals that are candidates
	meds    int32  // and how many of them have a MED
}

// several is what entry.touched says when more than one path is new.
const several PeerID = -2

// arrival is an entry of an Adj-RIB-In.
type arrival struct {
	path *Path  // after import policy
	raw  *Attrs // as it came
	peer PeerID
	bar  Rule // why it is no candidate; RuleNone: it is one
	// stale: it is from a session that has ended, and the peer has not said it again.
	stale bool
	// What is asked often is not looked for in the path, which is elsewhere in memory.
	med      bool // it has a MED that is not 0
	numbered bool // it has an identifier that is not 0
}

// counts tells whether a is one of the prefixes that a limit is about. What has
// gone round in a loop is not: many routers send back what they were told.
func (a *arrival) counts() bool { return a.bar != RuleLoop }

// departure is an entry of an Adj-RIB-Out.
type departure struct {
	sent   *Attrs // what the peer knows; nil: nothing
	next   int32  // in the peer's queue: the place of the next entry in Speaker.entries, plus 1; 0: it is the last
	waits  bool   // a change waits for the advertisement timer
	listed bool   // the peer's queue or line holds this entry, waiting or no longer
	again  bool   // send even if it is what the peer knows (ROUTE-REFRESH)
	unsaid bool   // it is what the peer knows, though the best path has become another one (LoopUnsaid)
}

// neighbour is what the Speaker keeps about one peer, and an UPDATE from it or
// to it asks for. It is one line of memory: there are half a million of them in the Internet.
type neighbour struct {
	up          bool
	gated       bool          // the advertisement timer runs
	opening     bool          // it has been told nothing in this session, not even that there is nothing
	excess      bool          // ActMaxPrefixes was given
	sourced     bool          // source is that of this session
	unreachable bool          // … are its next hops. RFC 4271 §9.1.2.1
	external    bool          // its AS is another one
	plain       bool          // … and nothing in its group makes a difference to what it is told, but Role
	way         pacing        // of its MRAI
	absence     absence       // whether it is expected to come back
	clocks      uint8         // timers that run
	families    Families      // that are exchanged with it
	sends       Families      // … of which it is sent several paths to a prefix, …
	receives    Families      // … and sends us several (addpath.go)
	eor         Families      // for which it has sent End-of-RIB
	prefix      [2]int32      // how many it announces of each family, but for loops
	waiting     int32         // changes that wait
	head, tail  int32         // the queue of entries that wait, in the order in which they began to: as departure.next
	stale       int32         // routes that are kept from an earlier session
	until       time.Duration // LateTimers: when the advertisement timer runs out, or has run out; 0: it was not set
	group       *PeerGroup    // that of its PeerConfig, which is far away when one UPDATE is looked at
	source      *Source       // of its paths
}

// beside is what is seldom asked for about a peer.
type beside struct {
	open  *Open  // what it offered, or had offered before it went away; nil if that is not known
	pacer *pacer // nil: a timer is all that the mode needs (mrai.go)
	rank  int32  // place in Order
}

// enqueue puts e at the end of what waits for the timer of peer.
func (s *Speaker) enqueue(peer PeerID, e *entry) {
	n, at := &s.peers[peer], e.index+1
	o := &e.out[peer]
	o.listed, o.next = true, 0
	if n.head == 0 {
		n.head = at
	} else {
		s.entries[n.tail-1].out[peer].next = at
	}
	n.tail = at
}

// dequeue takes everything out of the queue of peer. What it returns is scratch memory.
func (s *Speaker) dequeue(peer PeerID) []*entry {
	n, ripe := &s.peers[peer], s.mem.ripe[:0]
	for at := n.head; at != 0; {
		e := s.entries[at-1]
		o := &e.out[peer]
		ripe = append(ripe, e)
		at, o.next, o.listed = o.next, 0, false
	}
	n.head, n.tail, s.mem.ripe = 0, 0, ripe
	return ripe
}

// announces is the count of what the peer announces of p's family.
func (n *neighbour) announces(p netip.Prefix) *int32 { return &n.prefix[FamilyOf(p)>>1] }

// spoken tells whether the peer has said everything that it had to say when the
// session came up.
func (n *neighbour) spoken() bool { return n.eor&n.families == n.families }

// longLived tells whether the peer knows long-lived graceful restart.
func (b *beside) longLived() bool { return b.open != nil && b.open.LongLived != nil }

// fewEntries are looked through one by one. Most routers of a large simulation
// know one prefix, and a map would be the largest part of them.
const fewEntries = 8

// row returns the row of a prefix, nil if there is none.
func (s *Speaker) row(p netip.Prefix) *entry {
	switch n := len(s.entries); {
	case n > fewEntries:
		return s.table[p]
	case n > 0 && s.first.prefix == p: // without a look at entries, which are elsewhere
		return &s.first
	}
	for _, e := range s.entries {
		if e.prefix == p {
			return e
		}
	}
	return nil
}

// index puts the newest entry into the map, once there are more than a few.
func (s *Speaker) index() {
	newest := s.entries[len(s.entries)-1:]
	switch {
	case len(s.entries) <= fewEntries:
		return
	case len(s.entries) == fewEntries+1:
		newest = s.entries
		if s.table == nil {
			s.table = map[netip.Prefix]*entry{}
		}
	}
	for _, e := range newest {
		s.table[e.prefix] = e
	}
}

// entryOf returns the row of a prefix, making it if need be.
func (s *Speaker) entryOf(p netip.Prefix) *entry {
	if e := s.row(p); e != nil {
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
		if e = &s.first; n > 0 {
			e = &entry{}
		}
		s.entries[n] = e
	}
	*e = entry{prefix: p, index: int32(n), in: e.in[:0], out: e.out[:0], st: standing{best: nobody}}
	s.index()
	return e
}

// told makes room in e for what the peers are told.
func (s *Speaker) told(e *entry) {
	if len(e.out) == 0 {
		e.out = slices.Grow(e.out, len(s.peers))[:len(s.peers)]
		clear(e.out)
	}
}

// find returns where the arrival from peer is, or where it belongs.
func (e *entry) find(peer PeerID) (int, bool) {
	lo, hi := 0, len(e.in)
	for lo < hi {
		if mid := (lo + hi) / 2; e.in[mid].peer < peer {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(e.in) && e.in[lo].peer == peer
}

// span is where the arrivals from peer are: one, unless it sends several paths.
func (e *entry) span(peer PeerID) (from, to int) {
	from, ok := e.find(peer)
	to = from
	for ok && to < len(e.in) && e.in[to].peer == peer {
		to++
	}
	return from, to
}

// findPath is find for a path with an identifier.
func (e *entry) findPath(peer PeerID, id uint32) (int, bool) {
	i, ok := e.find(peer)
	if id == 0 {
		return i, ok && !e.in[i].numbered
	}
	for ok && i < len(e.in) && e.in[i].peer == peer && e.in[i].path.PathID < id {
		i++
	}
	return i, ok && i < len(e.in) && e.in[i].peer == peer && e.in[i].path.PathID == id
}

// from is the candidate that comes from peer, nil if there is none.
func (e *entry) from(peer PeerID) *Path {
	if i, ok := e.find(peer); ok && e.in[i].bar == RuleNone {
		return e.in[i].path
	}
	return nil
}

// count adds n to the numbers of what a is one of.
func (e *entry) count(a *arrival, n int32) {
	if a.bar == RuleNone {
		e.cands += n
		if a.med {
			e.meds += n
		}
	}
}

// put replaces what peer said about the prefix; an implicit withdraw, if there
// was anything (RFC 4271 §3.1).
func (s *Speaker) put(e *entry, a arrival) {
	i, ok := e.findPath(a.peer, a.path.PathID)
	s.putAt(e, i, ok, a)
}

// putAt is put where the place is known, and whether something is there.
func (s *Speaker) putAt(e *entry, i int, known bool, a arrival) {
	if known {
		e.count(&e.in[i], -1)
		s.retire(e.in[i].path)
	} else {
		if len(e.in) == cap(e.in) { // in the end, most peers will have said something
			e.in = slices.Grow(e.in, max(1, min(len(s.peers)-len(e.in), max(8, len(e.in)))))
		}
		e.in = append(e.in, arrival{})
		copy(e.in[i+1:], e.in[i:])
	}
	a.med, a.numbered = a.path.Attrs.med() != 0, a.path.PathID != 0
	e.in[i] = a
	e.count(&e.in[i], 1)
}

// remove forgets the arrival at place i.
func (s *Speaker) remove(e *entry, i int) {
	s.retire(e.in[i].path)
	e.count(&e.in[i], -1)
	e.in = slices.Delete(e.in, i, i+1)
}

// touch notes that the decision process must look at e again, because of what
// peer says.
func (s *Speaker) touch(e *entry, peer PeerID) {
	if peer >= 0 && s.peers[peer].receives != 0 {
		peer = several // perhaps
	}
	switch {
	case !e.dirty:
		e.dirty, e.touched = true, peer
		s.mem.dirty = append(s.mem.dirty, e)
	case e.touched != peer:
		e.touched = several
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
