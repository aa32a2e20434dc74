package sim

// Few simulations have more than a hundred events pending, and for them the
// heap alone is best. Where there are tens of thousands, a heap is slow for
// lack of cache, and most of what lies in it is not due for long. So what is
// far off waits unsorted: in the rung, a row of buckets of equal width in time,
// and beyond the rung in the top. When the heap is empty, the next bucket is
// made into a heap; when the rung is used up, the top becomes a new rung (a
// ladder queue with one rung: Tang, Goh and Thng, 2005). An event is sorted
// only among its near neighbours, and keys and order are the heap's own, so
// that nothing can be seen of this from outside.
//
// A timer that is pushed back stays where it is: its slot knows the new key, and
// it is put where it belongs when its old place has its turn. So a hold timer is
// moved once each time it would have run out, and not with every keepalive.
type far struct {
	begin   uint64 // what is due from here on is far; never: all is in the heap
	start   uint64 // of the rung
	end     uint64 // … beyond which the top begins
	shift   uint   // buckets are 1<<shift wide
	next    int    // the first bucket that is not in the heap yet
	buckets [][]key
	top     []key
	spare   [][]key // memory of buckets that are empty
	n       int     // keys in buckets and top
}

// Where a key is.
const (
	inHeap uint32 = iota
	inTop
	inRung // + number of the bucket
)

const (
	never      = 1<<64 - 1
	maxBuckets = 1 << 12
	perBucket  = 32 // keys that a bucket should have
)

// The heap is parted when it gets too long, and takes all when little is left.
// They are variables so that a test can make them small.
var (
	tooLong = 4096
	little  = 512
)

func (f *far) reset() {
	for i, b := range f.buckets {
		f.recycle(b)
		f.buckets[i] = nil
	}
	f.begin, f.start, f.end, f.next, f.top, f.n = never, never, never, 0, f.top[:0], 0
}

// recycle keeps the memory of a bucket for the next one.
func (f *far) recycle(b []key) {
	if cap(b) > 0 {
		f.spare = append(f.spare, b[:0])
	}
}

// listOf is the list that a far key belongs to.
func (f *far) listOf(k *key) uint32 {
	if k.when >= f.end {
		return inTop
	}
	return inRung + uint32((k.when-f.start)>>f.shift)
}

func (f *far) keys(list uint32) *[]key {
	if list == inTop {
		return &f.top
	}
	return &f.buckets[list-inRung]
}

// putFar adds a key that is not due soon.
func (q *queue) putFar(k key) {
	list := q.far.listOf(&k)
	keys := q.far.keys(list)
	if last := len(q.far.spare) - 1; cap(*keys) == 0 && last >= 0 {
		*keys, q.far.spare = q.far.spare[last], q.far.spare[:last]
	}
	q.where[k.slot()] = spot{uint32(len(*keys)), list}
	q.slots[k.slot()].due = k
	*keys = append(*keys, k)
	q.far.n++
}

// takeFar takes the key at w out of its list.
func (q *queue) takeFar(w spot) {
	keys := q.far.keys(w.list)
	last := len(*keys) - 1
	k := (*keys)[last]
	(*keys)[w.i] = k
	q.where[k.slot()].i = w.i
	*keys = (*keys)[:last]
	q.far.n--
}

// spill parts a heap that has become too long: everything is far, and what
// comes first is taken back when it is asked for.
func (q *queue) spill() {
	q.far.begin, q.far.start, q.far.end = 0, 0, 0
	for _, k := range q.heap[root:] {
		q.putFar(k)
	}
	q.heap = q.heap[:root]
	q.refill()
}

// refill makes the next keys that are due into a heap, if it is empty.
func (q *queue) refill() {
	f := &q.far
	for len(q.heap) == root && f.n > 0 {
		if f.end > f.start && f.next < int((f.end-f.start)>>f.shift) {
			b := f.buckets[f.next]
			f.next++
			f.begin = f.start + uint64(f.next)<<f.shift
			f.buckets[f.next-1] = nil
			q.heapify(b)
			f.recycle(b)
			continue
		}
		if len(f.top) <= little {
			f.begin, f.start, f.end = never, never, never
			top := f.top
			f.top = f.top[:0]
			q.heapify(top)
			return
		}
		q.newRung()
	}
}

// newRung spreads the top over buckets.
func (q *queue) newRung() {
	f := &q.far
	lo, hi := uint64(never), uint64(0)
	for i := range f.top {
		k := &f.top[i]
		*k = q.slots[k.slot()].due
		lo, hi = min(lo, k.when), max(hi, k.when)
	}
	want := uint64(max(1, min(len(f.top)/perBucket, maxBuckets)))
	f.shift = 0
	for (hi-lo)>>f.shift >= want {
		f.shift++
	}
	buckets := int((hi-lo)>>f.shift) + 1
	f.start, f.next = lo, 0
	f.end = lo + uint64(buckets)<<f.shift
	f.begin = lo
	for len(f.buckets) < buckets {
		f.buckets = append(f.buckets, nil)
	}
	top := f.top
	f.top, f.n = f.top[:0], f.n-len(top)
	for _, k := range top {
		q.putFar(k)
	}
}

// heapify moves keys into the empty heap, but for those that have been pushed
// back.
func (q *queue) heapify(keys []key) {
	q.far.n -= len(keys)
	for _, k := range keys {
		if k = q.slots[k.slot()].due; k.when >= q.far.begin {
			q.putFar(k)
			continue
		}
		q.where[k.slot()] = spot{i: uint32(len(q.heap))}
		q.heap = append(q.heap, k)
	}
	if len(q.heap) > root+1 {
		for i := (len(q.heap)-1)/4 + 2; i >= root; i-- {
			q.down(i, q.heap[i])
		}
	}
}
