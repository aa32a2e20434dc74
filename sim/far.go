package sim

import (
	"cmp"
	"slices"
)

// Where more events are pending than a sorted array is good for, what is far
// off waits unsorted: in a rung, a row of buckets of equal width in time, or
// beyond it in the top. When near is empty, the next bucket is sorted into it; a
// bucket that holds too much for that becomes a rung of its own, with narrower
// buckets; and when all rungs are used up, the soonest part of the top becomes a
// new one. That is a ladder queue (Tang, Goh and Thng, 2005). However many
// events are pending, one is put down two or three times and sorted among its
// near neighbours only.
type far struct {
	rungs  []rung // each lies before the one before it, and is used up first
	top    []key
	end    uint64 // of the first rung: what is due from here on is in the top
	chunks []chunk
	free   uint32     // the first chunk that is not in use
	rows   [][]bucket // memory of rungs
	keys   []key      // of the bucket that is being taken
}

type rung struct {
	start   uint64
	shift   uint // buckets are 1<<shift wide; the last one takes what lies behind it as well
	next    int  // the first bucket that has not been taken
	buckets []bucket
}

// bucket is a list of chunks, of which only the first is not full.
type bucket struct{ chunk, n uint32 }

// chunk holds keys of a bucket: two cache lines of them, so that a bucket grows
// without being moved. Chunk 0 is none.
type chunk struct {
	keys [perChunk]key
	next uint32
	_    [12]byte
}

// begin is where the first bucket begins that has not been taken.
func (r *rung) begin() uint64 { return r.start + uint64(r.next)<<r.shift }

const (
	never      = 1<<64 - 1
	maxBuckets = 1 << 12
	perBucket  = 8 // keys that a bucket should have
	perChunk   = 15
)

// Near is parted when it gets too long. That is a variable so that a test can
// make it small.
var tooLong = 64

func (f *far) reset() {
	for i := range f.rungs {
		f.rows = append(f.rows, f.rungs[i].buckets)
	}
	f.rungs, f.top, f.end = f.rungs[:0], f.top[:0], never
	f.chunks, f.free = f.chunks[:0], 0
}

// putFar adds a key that is not due before q.begin.
func (q *queue) putFar(k key) {
	f := &q.far
	if k.when >= f.end {
		f.top = append(roomy(f.top), k)
		return
	}
	i := 0
	for k.when < f.rungs[i].begin() {
		i++
	}
	f.put(&f.rungs[i], k)
}

func (f *far) put(r *rung, k key) {
	b := &r.buckets[min(int((k.when-r.start)>>r.shift), len(r.buckets)-1)]
	i := b.n % perChunk
	if i == 0 {
		b.chunk = f.newChunk(b.chunk)
	}
	f.chunks[b.chunk].keys[i] = k
	b.n++
}

func (f *far) newChunk(next uint32) uint32 {
	c := f.free
	if c == 0 {
		if len(f.chunks) == 0 {
			f.chunks = append(f.chunks, chunk{})
		}
		c = uint32(len(f.chunks))
		f.chunks = append(roomy(f.chunks), chunk{})
	} else {
		f.free = f.chunks[c].next
	}
	f.chunks[c].next = next
	return c
}

// spill parts near, which has become too long: all of it becomes a rung, and
// what comes first is taken back when it is asked for. What is due at one
// instant can't be parted.
func (q *queue) spill() {
	keys := q.near
	if lo, hi := keys[len(keys)-1].when, keys[0].when; lo < hi {
		q.newRung(lo, hi, len(keys))
		q.spread(keys)
		q.near = keys[:0]
	}
}

// newRung makes a rung for n keys that are due between lo and hi, and before all
// that is far.
func (q *queue) newRung(lo, hi uint64, n int) {
	f := &q.far
	want := uint64(max(2, min(n/perBucket, maxBuckets)))
	r := rung{start: lo}
	for (hi-lo)>>r.shift >= want {
		r.shift++
	}
	if last := len(f.rows) - 1; last >= 0 {
		r.buckets, f.rows = f.rows[last], f.rows[:last]
	}
	n = int((hi-lo)>>r.shift) + 1
	r.buckets = slices.Grow(r.buckets[:0], n)[:n]
	clear(r.buckets)
	f.rungs = append(f.rungs, r)
	q.begin = lo
	if f.end == never { // it is the first one
		if f.end = lo + uint64(n)<<r.shift; f.end < lo {
			f.end = never
		}
	}
}

// spread puts keys into the last rung.
func (q *queue) spread(keys []key) {
	r := &q.far.rungs[len(q.far.rungs)-1]
	for i := range keys {
		q.far.put(r, keys[i])
	}
}

// refill takes into near, which is empty, what is due next, and tells whether
// there was anything.
func (q *queue) refill() bool {
	f := &q.far
	for len(q.near) == 0 {
		if len(f.rungs) > 0 {
			r := &f.rungs[len(f.rungs)-1]
			b := r.buckets[r.next]
			if r.next++; r.next < len(r.buckets) {
				q.begin = r.begin()
			} else {
				f.rows = append(f.rows, r.buckets)
				f.rungs = f.rungs[:len(f.rungs)-1]
				q.begin = f.end
				if len(f.rungs) > 0 {
					q.begin = f.rungs[len(f.rungs)-1].begin()
				}
			}
			if b.n > 0 {
				q.takeBucket(b)
			}
			continue
		}
		f.end, q.begin = never, never
		if len(f.top) <= tooLong/2 {
			f.keys = append(f.keys[:0], f.top...)
			f.top = f.top[:0]
			if len(f.keys) == 0 {
				return false
			}
			q.take()
			continue
		}
		q.newRung(f.front())
		top := f.top
		f.top = f.top[:0]
		for _, k := range top {
			q.putFar(k)
		}
	}
	return true
}

// front says what part of the top should become a rung: not what is all by
// itself far behind the rest, or the rest would lie in a few buckets. So it goes
// by the first quarter, and reaches four times as far.
func (f *far) front() (lo, hi uint64, n int) {
	var some [64]uint64
	step := len(f.top)/len(some) + 1
	last := uint64(0)
	lo, n = never, 0
	for i := range f.top {
		lo, last = min(lo, f.top[i].when), max(last, f.top[i].when)
		if i%step == 0 {
			some[n] = f.top[i].when
			n++
		}
	}
	slices.Sort(some[:n])
	hi = lo + 4*(some[n/4]-lo)
	if hi < lo || hi > last {
		hi = last
	}
	return lo, hi, len(f.top)
}

// takeBucket takes the keys of a bucket into near.
func (q *queue) takeBucket(b bucket) {
	f := &q.far
	f.keys = f.keys[:0]
	n := (b.n-1)%perChunk + 1
	for c := b.chunk; c != 0; n = perChunk {
		f.keys = append(f.keys, f.chunks[c].keys[:n]...)
		next := f.chunks[c].next
		f.chunks[c].next, f.free = f.free, c
		c = next
	}
	q.take()
}

// take sorts the keys at hand into near, which is empty, or makes a rung of them
// if they are too many. Those that stand for nothing any more are dropped, and
// those whose events have been pushed back are put where they belong.
func (q *queue) take() {
	f := &q.far
	keys := f.keys
	n := 0
	for _, k := range keys {
		p := &q.slots[k.slot()]
		if p.due.order != k.order {
			if !k.standsFor(p) {
				continue
			}
			if k = p.replaced(); k.when >= q.begin {
				q.putFar(k)
				continue
			}
		}
		keys[n] = k
		n++
	}
	keys = keys[:n]
	q.lookAhead(keys)
	if n > tooLong {
		lo, hi := uint64(never), uint64(0)
		for i := range keys {
			lo, hi = min(lo, keys[i].when), max(hi, keys[i].when)
		}
		if lo < hi {
			q.newRung(lo, hi, n)
			q.spread(keys)
			return
		}
		slices.SortFunc(keys, func(a, b key) int { return cmp.Compare(b.order, a.order) })
	}
	for _, k := range keys {
		q.near = insert(q.near, k)
	}
}
