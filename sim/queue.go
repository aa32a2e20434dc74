package sim

// The queue is an indexed 4-ary heap. Its entries are small keys without
// pointers, kept apart from what they stand for: sifting moves 24 bytes, and
// slots know where their key is, so that a pending event can be moved or taken
// out in place. Four children a node halve the depth, and with it the cache
// misses, of a binary heap.

// key orders the queue: time, then phase, actor's shuffle and insertion, which
// are packed into ord.
type key struct {
	at   Time
	ord  uint64
	slot uint32
}

func (a *key) before(b *key) bool {
	return a.at < b.at || a.at == b.at && a.ord < b.ord
}

// slot holds a pending event. pos is the place of its key in the heap; gen
// tells a Timer that its event is gone and the slot serves another.
type slot struct {
	cause EventID
	arg   uint64
	to    ActorID
	pos   uint32
	gen   uint32
	kind  Kind
	phase Phase
}

type queue struct {
	heap  []key
	slots []slot
	free  []uint32
}

func (q *queue) reset() {
	for i := range q.heap {
		s := q.heap[i].slot
		q.slots[s].gen++
		q.free = append(q.free, s)
	}
	q.heap = q.heap[:0]
}

// push adds an event and returns the slot that holds it.
func (q *queue) push(k key) uint32 {
	if n := len(q.free); n > 0 {
		k.slot = q.free[n-1]
		q.free = q.free[:n-1]
	} else {
		k.slot = uint32(len(q.slots))
		q.slots = append(q.slots, slot{gen: 1})
	}
	q.heap = append(q.heap, k)
	q.up(len(q.heap)-1, k)
	return k.slot
}

// remove takes the key at heap position i out and frees its slot.
func (q *queue) remove(i int) {
	s := q.heap[i].slot
	q.slots[s].gen++
	q.free = append(q.free, s)
	last := len(q.heap) - 1
	k := q.heap[last]
	q.heap = q.heap[:last]
	if i < last {
		q.place(i, k)
	}
}

// place puts k where it belongs, starting from the hole at i.
func (q *queue) place(i int, k key) {
	if i > 0 && k.before(&q.heap[(i-1)/4]) {
		q.up(i, k)
	} else {
		q.down(i, k)
	}
}

func (q *queue) up(i int, k key) {
	h := q.heap
	for i > 0 {
		p := (i - 1) / 4
		if !k.before(&h[p]) {
			break
		}
		h[i] = h[p]
		q.slots[h[i].slot].pos = uint32(i)
		i = p
	}
	h[i] = k
	q.slots[k.slot].pos = uint32(i)
}

func (q *queue) down(i int, k key) {
	h, slots := q.heap, q.slots
	n := len(h)
	for {
		c := 4*i + 1
		if c >= n {
			break
		}
		best := &h[c]
		b := c
		for j := c + 1; j < min(c+4, n); j++ {
			if h[j].before(best) {
				best, b = &h[j], j
			}
		}
		if !best.before(&k) {
			break
		}
		h[i] = *best
		slots[best.slot].pos = uint32(i)
		i = b
	}
	h[i] = k
	slots[k.slot].pos = uint32(i)
}
