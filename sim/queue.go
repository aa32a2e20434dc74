package sim

import "math/bits"

// The queue is an indexed 4-ary heap of what is due soon; when there is much
// that is not, the rest waits in the lists of far.go. The heap's entries are small keys without
// pointers, kept apart from what they stand for, and positions are kept apart
// from both, so that sifting touches little memory. Four children a node halve
// the depth of a binary heap; they lie in one cache line, because a key has 16
// bytes and the root stands at index 3 (so that the children of i begin at
// 4i-8, a multiple of four). Knowing positions, a pending event can be moved or
// taken out in place.

// key orders the queue: time first, then order, which packs phase (2 bits),
// insertion (38 bits) and slot (24 bits). The slot never decides: insertion is
// unique.
//
// The time is stored with its sign bit flipped, so that a key is one unsigned
// number of 128 bits and two are compared without a branch: which of four
// children comes first is a coin toss, and a processor that guesses wrong
// loses more than the comparison costs.
type key struct {
	when  uint64
	order uint64
}

const sign = 1 << 63

func (k *key) at() Time { return Time(k.when ^ sign) }

// less is 1 when a comes before b, else 0.
func less(a, b *key) uint64 {
	_, borrow := bits.Sub64(a.order, b.order, 0)
	_, borrow = bits.Sub64(a.when, b.when, borrow)
	return borrow
}

const (
	root     = 3
	slotBits = 24
	slotMask = 1<<slotBits - 1
)

func (a *key) before(b *key) bool { return less(a, b) != 0 }

func (a *key) slot() uint32 { return uint32(a.order & slotMask) }

// slot holds a pending event. gen tells a Timer that its event is gone and the
// slot serves another.
type slot struct {
	due   key // of a far event: its key as it is now
	cause EventID
	arg   uint64
	to    ActorID
	gen   uint32
	kind  Kind
	phase Phase
}

// spot is where a key is: in which list (inHeap, inTop, or inRung + the number
// of its bucket) and at which place.
type spot struct{ i, list uint32 }

type queue struct {
	heap  []key
	where []spot // by slot: where its key is
	slots []slot
	free  []uint32
	// hole: the root has been taken, and its key is still there. An event that
	// schedules another one, as most do, puts it into the hole, which saves
	// half of the sifting. Until then the old key, which nothing pending comes
	// before, keeps the heap in order.
	hole bool
	far  far
}

// len counts what is pending.
func (q *queue) len() int { return len(q.heap) - root + q.far.n }

// first is the key of the next event, of which there must be one: the heap is
// empty only when everything is.
func (q *queue) first() *key { return &q.heap[root] }

func (q *queue) reset() {
	if q.heap == nil {
		q.heap = make([]key, root, 64)
	}
	q.each(func(k *key) { q.release(k.slot()) })
	q.heap, q.hole = q.heap[:root], false
	q.far.reset()
}

// each calls f for every key, in no order.
func (q *queue) each(f func(*key)) {
	for i := range q.heap[root:] {
		f(&q.heap[root+i])
	}
	for _, b := range q.far.buckets {
		for i := range b {
			f(&q.slots[b[i].slot()].due)
		}
	}
	for i := range q.far.top {
		f(&q.slots[q.far.top[i].slot()].due)
	}
}

// push adds an event and returns the slot that holds it. order lacks the slot.
func (q *queue) push(at Time, order uint64) uint32 {
	var s uint32
	if n := len(q.free); n > 0 {
		s = q.free[n-1]
		q.free = q.free[:n-1]
	} else {
		s = uint32(len(q.slots))
		if s > slotMask {
			panic("sim: more than 16 million events are pending")
		}
		q.slots = append(q.slots, slot{gen: 1})
		q.where = append(q.where, spot{})
	}
	k := key{uint64(at) ^ sign, order | uint64(s)}
	if q.hole && k.when < q.far.begin {
		q.hole = false
		q.down(root, k)
		return s
	}
	q.insert(k)
	return s
}

// insert puts a key where it belongs.
func (q *queue) insert(k key) {
	if k.when >= q.far.begin {
		q.putFar(k)
		q.refill()
		return
	}
	if q.hole {
		q.hole = false
		q.down(root, k)
		return
	}
	q.heap = append(q.heap, k)
	q.up(len(q.heap)-1, k)
	if len(q.heap) > tooLong && q.far.begin == never {
		q.spill()
	}
}

func (q *queue) release(s uint32) {
	q.slots[s].gen++
	q.free = append(q.free, s)
}

// take frees the slot of the first event and leaves a hole.
func (q *queue) take() {
	q.release(q.first().slot())
	q.hole = true
}

// fill closes the hole if nothing has been put there.
func (q *queue) fill() {
	if !q.hole {
		return
	}
	q.hole = false
	last := len(q.heap) - 1
	k := q.heap[last]
	q.heap = q.heap[:last]
	if last > root {
		q.down(root, k)
	} else if q.far.n > 0 {
		q.refill()
	}
}

// remove takes the event in slot s out.
func (q *queue) remove(s uint32) {
	q.takeOut(s)
	q.release(s)
}

// keyOf is the key of slot s, wherever it is.
func (q *queue) keyOf(s uint32) *key {
	w := q.where[s]
	if w.list == inHeap {
		return &q.heap[w.i]
	}
	return &q.slots[s].due
}

// takeOut takes the key of slot s out of its list.
func (q *queue) takeOut(s uint32) {
	w := q.where[s]
	if w.list != inHeap {
		q.takeFar(w)
		return
	}
	i := int(w.i)
	last := len(q.heap) - 1
	k := q.heap[last]
	q.heap = q.heap[:last]
	if i < last {
		q.place(i, k)
	}
	q.refill()
}

// move gives the event in slot s another time and order.
func (q *queue) move(s uint32, at Time, order uint64) {
	k := key{uint64(at) ^ sign, order | uint64(s)}
	if w := q.where[s]; w.list == inHeap && k.when < q.far.begin {
		q.place(int(w.i), k)
		return
	}
	if q.where[s].list != inHeap && k.when >= q.slots[s].due.when {
		q.slots[s].due = k // it stays where it is until it would have been its turn
		return
	}
	q.takeOut(s)
	q.insert(k)
}

// place puts k where it belongs, starting from a hole at i.
func (q *queue) place(i int, k key) {
	if i > root && k.before(&q.heap[i/4+2]) {
		q.up(i, k)
	} else {
		q.down(i, k)
	}
}

func (q *queue) up(i int, k key) {
	h := q.heap
	for i > root {
		p := i/4 + 2
		if !k.before(&h[p]) {
			break
		}
		h[i] = h[p]
		q.where[h[i].slot()] = spot{i: uint32(i)}
		i = p
	}
	h[i] = k
	q.where[k.slot()] = spot{i: uint32(i)}
}

func (q *queue) down(i int, k key) {
	h, where := q.heap, q.where
	n := len(h)
	for {
		c := 4*i - 8
		b := c
		if c+4 <= n {
			// The usual case: a tournament of four.
			g := (*[4]key)(h[c:])
			x := less(&g[1], &g[0])
			y := 2 + less(&g[3], &g[2])
			b += int(x + (y-x)*less(&g[y&3], &g[x&3]))
		} else if c < n {
			for j := c + 1; j < n; j++ {
				if h[j].before(&h[b]) {
					b = j
				}
			}
		} else {
			break
		}
		best := h[b]
		if !best.before(&k) {
			break
		}
		h[i] = best
		where[best.slot()] = spot{i: uint32(i)}
		i = b
	}
	h[i] = k
	where[k.slot()] = spot{i: uint32(i)}
}
