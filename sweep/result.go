package sweep

import (
	"encoding/json"
	"hash/fnv"
)

// Result is what a sweep has counted.
type Result struct {
	Identity
	Points   []Point
	Complete bool // nothing of the plan is missing
	Precise  bool // the plan's Precision was reached; true if it has none
	Missing  int  // blocks
}

// Done is what has been run of a plan. Blocks are added up as they come and not kept, so
// that it does not grow with the number of runs.
type Done struct {
	id     *Identity
	points []Point
	seen   map[int]uint64 // a hash of each block
	// Of a sweep that is to end when it is precise, blocks that are not looked at yet.
	later []*Block
}

// NewDone has nothing of a plan.
func NewDone(id *Identity) *Done {
	d := &Done{id: id, seen: map[int]uint64{}}
	for i := range id.Points {
		d.points = append(d.points, newPoint(id, i))
	}
	return d
}

func (d *Done) has(block int) bool { _, ok := d.seen[block]; return ok }

// Blocks is how many there are.
func (d *Done) Blocks() int { return len(d.seen) }

// Add adds a block. One that is there already is not added again; same tells whether it
// was that one.
func (d *Done) Add(b *Block) (same bool) {
	hash := b.hash()
	for i := range b.More + 1 {
		if old, ok := d.seen[b.Number+i]; ok {
			return old == hash
		}
	}
	for i := range b.More + 1 {
		d.seen[b.Number+i] = hash
	}
	if d.id.Until != nil {
		d.later = append(d.later, b)
	} else {
		d.merge(b)
	}
	return true
}

func (d *Done) merge(b *Block) {
	for i := range d.points {
		d.points[i].merge(&b.Points[i])
	}
}

// Blocks is how many the runs of a sweep without a precision are divided into.
func (res *Result) Blocks() int { return res.blocks(res.Runs) }

// hash of everything that is in a block.
func (b *Block) hash() uint64 {
	h := fnv.New64a()
	if err := json.NewEncoder(h).Encode(b); err != nil {
		panic(err) // histograms and numbers
	}
	return h.Sum64()
}

// result of the first n runs.
func (d *Done) result(n int) *Result {
	blocks := d.id.blocks(n)
	rest := d.later[:0]
	for _, b := range d.later {
		if b.Number < blocks {
			d.merge(b)
		} else {
			rest = append(rest, b)
		}
	}
	d.later = rest
	res := &Result{Identity: *d.id, Points: d.points}
	for b := range blocks {
		if !d.has(b) {
			res.Missing++
		}
	}
	res.Complete = res.Missing == 0
	res.Precise = res.precise()
	return res
}

// precise tells whether the plan's precision is reached at every point.
func (res *Result) precise() bool {
	u := res.Until
	if u == nil {
		return true
	}
	m := res.Metric(u.Metric)
	for i := range res.Points {
		h := res.Points[i].Cells[m].Values
		q, x := h.Quantile(u.Quantile), h.QuantileInterval(u.Quantile, u.Confidence)
		if !x.LowKnown || !x.HighKnown || q-x.Low > u.Width || x.High-q > u.Width {
			return false
		}
	}
	return true
}

// Metric is the place of a metric in the cells of a point; -1: it was not asked for.
func (id *Identity) Metric(name string) int {
	for i, m := range id.Metrics {
		if m.Name == name {
			return i
		}
	}
	return -1
}
