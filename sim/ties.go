package sim

import (
	"cmp"
	"slices"
)

// Order is behaviour, so here is all of it. Events of one instant are handled in
// rounds: first those that were scheduled before the instant, then those that
// they have scheduled for it, then what these have. In a round, phase decides;
// then who is to handle the event, one actor after another; then the lane that
// it comes by; then which was scheduled first. Lanes that take turns come after
// the others, and one event of each comes before the second of any, as a daemon's
// loop reads from its sockets.
//
// So what an actor meets at an instant, and in which order, does not depend on
// the order in which actors have their turn, as long as they act on each other
// by events alone, and each lane to an actor is fed by one other. ShuffleTies
// changes that order, and nothing else.

// Lane tells apart what comes to an actor from different sides. Own is for what
// it does with itself.
type Lane uint32

// Own is the lane of what an actor has scheduled for itself.
const Own Lane = 0

// TakesTurns is set in lanes that take turns.
const TakesTurns Lane = 1 << 31

// Place is where an event stands among those of one round, and which event
// scheduled it.
type Place struct {
	order uint64 // phase (2 bits), insertion (38), room for the slot (24)
	cause EventID
	to    ActorID
	lane  Lane
}

// Before tells whether p comes before o in the same round, if neither lane takes
// turns with another one.
func (p Place) Before(o Place) bool { return p.before(&o, 0) }

func (p *Place) before(o *Place, salt uint64) bool {
	a, b := tied{order: p.order, to: p.to, lane: p.lane}, tied{order: o.order, to: o.to, lane: o.lane}
	return a.compare(&b, salt) < 0
}

// Side tells apart places as far as phase, actor and lane go.
func (p Place) Side() uint64 { return p.order>>phaseShift | uint64(p.to)<<2 ^ uint64(p.lane)<<32 }

// tied is one of several events of a round.
type tied struct {
	order uint64
	to    ActorID
	lane  Lane
	nth   uint32 // of its lane, if that takes turns
}

func (t *tied) compare(o *tied, salt uint64) int {
	switch a, b := t.order>>phaseShift, o.order>>phaseShift; {
	case a != b:
		return cmp.Compare(a, b)
	case t.to != o.to:
		return cmp.Compare(turn(t.to, salt), turn(o.to, salt))
	case t.nth != o.nth:
		return cmp.Compare(t.nth, o.nth)
	case t.lane != o.lane:
		return cmp.Compare(t.lane, o.lane)
	}
	return cmp.Compare(t.order, o.order)
}

// turn tells when an actor has its turn in a round.
func turn(a ActorID, salt uint64) uint64 {
	if salt == 0 {
		return uint64(a)
	}
	return mix64(salt ^ uint64(a))
}

// tie begins a round of what is due at that instant, more than one key, and
// returns the key of the first. They have stood in the order in which they were
// scheduled. A round of one event, as most are, needs no order.
func (q *queue) tie(when uint64) *key {
	first := len(q.near)
	for first > 0 && q.near[first-1].when == when {
		first--
	}
	keys := append(q.behind[:0], q.near[first:]...)
	q.near, q.behind = q.near[:first], keys
	round := q.tied[:0]
	for i := range keys {
		k := &keys[i]
		p := &q.slots[k.slot()]
		if p.due.order != k.order {
			if !k.standsFor(p) {
				continue
			}
			if *k = p.replaced(); k.when != when {
				q.put(*k)
				continue
			}
		}
		c := &q.contents[k.slot()]
		round = append(round, tied{order: k.order, to: c.to, lane: c.lane})
	}
	q.tied = round
	q.sortTied()
	for i := len(round) - 1; i >= 0; i-- {
		q.near = append(q.near, key{when, round[i].order})
	}
	q.round = len(round) - 1
	return &q.near[len(q.near)-1]
}

func (q *queue) sortTied() {
	compare := func(a, b tied) int { return a.compare(&b, q.salt) }
	slices.SortFunc(q.tied, compare)
	turns := false
	for i := 1; i < len(q.tied); i++ {
		a, b := &q.tied[i-1], &q.tied[i]
		if b.lane >= TakesTurns && b.lane == a.lane && b.to == a.to && b.order>>phaseShift == a.order>>phaseShift {
			b.nth, turns = a.nth+1, true
		}
	}
	if turns {
		slices.SortFunc(q.tied, compare)
	}
}

// putBehind adds a key that is not far while a round is under way: it belongs
// to a later one.
func (q *queue) putBehind(k key) {
	n := len(q.near) - q.round
	q.behind = append(q.behind[:0], q.near[n:]...)
	q.near = append(insert(q.near[:n], k), q.behind...)
}
