package sim

import "slices"

// The queue keeps what is due next, some dozens of events, in a sorted array,
// and when there is more, the rest in the buckets of far.go. Its entries are
// small keys without pointers, apart from what they stand for. The next event
// stands last, so that it is taken without moving the others; and since most of
// what a simulation schedules is due soon, a new key finds its place after a few
// steps. For so few, no heap is as fast.
//
// A key is never searched for. When an event is moved, only its slot learns of
// it: the key that stands for it stays where it is until its turn, and then it
// is put where the event belongs. So a hold timer, which every keepalive pushes
// back, is moved once each time it would have run out. Only an event that is
// moved forward gets another key at once; then the old one stands for nothing,
// as does that of an event that was taken out, and it is dropped in its turn.
// Nothing of this can be seen from outside: the order of events is that of
// their slots. Those of one instant get theirs when it comes: ties.go.

// key orders the queue: time first, then order, which packs phase (2 bits),
// insertion (38 bits) and slot (24 bits). The slot never decides: insertion is
// unique.
//
// The time is stored with its sign bit flipped, so that it is unsigned, too.
type key struct {
	when  uint64
	order uint64
}

const sign = 1 << 63

func (k *key) at() Time { return Time(k.when ^ sign) }

func (k *key) before(o *key) bool {
	return k.when < o.when || k.when == o.when && k.order < o.order
}

const (
	slotBits = 24
	slotMask = 1<<slotBits - 1

	phaseShift = 62
)

func (k *key) slot() uint32 { return uint32(k.order & slotMask) }

func (k *key) phase() Phase { return Phase(k.order >> phaseShift) }

// slot is what moving an event touches: half a cache line. The event itself is
// kept apart.
type slot struct {
	due   key // when the event is due; its order is 0 when the slot is free
	cause EventID
	stand uint32 // tells the key that stands for the event in the queue; see key.mark
	gen   uint32 // tells a Timer that its event is gone and the slot serves another
}

// content is what the event of a slot says.
type content struct {
	arg  uint64
	to   ActorID
	lane Lane
	kind Kind
}

// mark tells a key from all others of its slot.
func (k *key) mark() uint32 { return uint32(k.order >> slotBits) }

type queue struct {
	near     []key  // sorted: the next one last
	round    int    // so many at the end of near are the rest of the round: ties.go
	begin    uint64 // what is due from here on is far
	n        int    // pending events
	slots    []slot
	contents []content // by slot
	free     []uint32
	far      far

	ahead  ahead
	salt   uint64 // shuffles ties
	tied   []tied // memory of tie …
	behind []key  // … and of what stands behind
}

func (q *queue) reset() {
	for s := range q.slots {
		if q.slots[s].due.order != 0 {
			q.release(uint32(s))
		}
	}
	q.near, q.begin, q.round = q.near[:0], never, 0
	q.far.reset()
}

// push adds an event.
func (q *queue) push(at Time, place Place, c content) Timer {
	n := len(q.free) - 1
	if n < 0 {
		q.grow()
		n = 0
	}
	s := q.free[n]
	q.free = q.free[:n]
	k := key{uint64(at) ^ sign, place.order | uint64(s)}
	p := &q.slots[s]
	p.due, p.cause, p.stand = k, place.cause, k.mark()
	q.contents[s] = c
	q.n++
	q.put(k)
	return Timer{s, p.gen}
}

// grow makes one more slot.
func (q *queue) grow() {
	s := uint32(len(q.slots))
	if s > slotMask {
		panic("sim: more than 16 million events are pending")
	}
	q.slots = append(roomy(q.slots), slot{gen: 1})
	q.contents = append(roomy(q.contents), content{})
	q.free = append(q.free, s)
}

// roomy has room for one more. It doubles what it has, where append grows large
// slices by a quarter, and leaves behind four times as much memory as is used in the end.
func roomy[T any](list []T) []T {
	if len(list) < cap(list) {
		return list
	}
	return slices.Grow(list, max(16, len(list)))
}

// move gives the event in slot s another time and place.
func (q *queue) move(s uint32, at Time, place Place) {
	p := &q.slots[s]
	old := p.due
	p.due, p.cause = key{uint64(at) ^ sign, place.order | uint64(s)}, place.cause
	if p.due.before(&old) {
		q.put(p.replaced())
	}
}

// release frees the slot of an event that is over or was taken out. What key
// there is of it is dropped when it has its turn.
func (q *queue) release(s uint32) {
	p := &q.slots[s]
	p.due.order = 0
	p.gen++
	q.free = append(q.free, s)
	q.n--
}

// first is the key of the next event, or nil if nothing is pending.
func (q *queue) first() *key {
	if n := len(q.near); n > 0 {
		if k := &q.near[n-1]; q.slots[k.slot()].due.order == k.order {
			return k
		}
	}
	return q.search()
}

// search is first where the key at hand is not that of an event.
func (q *queue) search() *key {
	for len(q.near) > 0 || q.refill() {
		k := &q.near[len(q.near)-1]
		if q.slots[k.slot()].due.order == k.order {
			return k
		}
		q.near = q.near[:len(q.near)-1]
		q.round = max(0, q.round-1)
		if k.standsFor(&q.slots[k.slot()]) { // it has been pushed back
			q.put(q.slots[k.slot()].replaced())
		}
	}
	return nil
}

// standsFor tells whether k stands for the event of its slot.
func (k *key) standsFor(p *slot) bool { return p.due.order != 0 && p.stand == k.mark() }

// replaced makes the event's key as it is now stand for it.
func (p *slot) replaced() key {
	p.stand = p.due.mark()
	return p.due
}

// put adds a key to the queue.
func (q *queue) put(k key) {
	if k.when >= q.begin {
		q.putFar(k)
		return
	}
	if q.round > 0 {
		q.putBehind(k)
		return
	}
	q.near = insert(q.near, k)
	if len(q.near) > tooLong {
		q.spill()
	}
}

// insert puts a key into a sorted array.
func insert(near []key, k key) []key {
	near = append(near, k)
	i := len(near) - 1
	for i > 0 {
		p := near[i-1]
		if k.when < p.when || k.when == p.when && k.order < p.order {
			break
		}
		near[i] = p
		i--
	}
	near[i] = k
	return near
}
