package sweep

import (
	"errors"
	"fmt"

	"github.com/vpnsim/vpnsim/stats"
)

// Block is what came of some of the seeds, at all points. Several that follow each other
// may have been added up to one.
type Block struct {
	Number int     `json:"block"`
	More   int     `json:"more,omitempty"` // so many after it are in it
	Points []Point `json:"points"`
}

// Point is what came of some of the runs of a point.
type Point struct {
	Runs  int64  `json:"runs"`
	Open  int64  `json:"open,omitempty"` // in so many an outage was not over at the end
	Cut   int64  `json:"cut,omitempty"`  // in so many routing did not come to rest
	Cells []Cell `json:"metrics"`
}

// Cell is a metric at a point.
type Cell struct {
	Values *stats.Histogram `json:"values"`
	Worst  Witness          `json:"worst"`
	// Pairs with the first point's runs of the same seed; nil at the first.
	Pairs *stats.Pairs `json:"pairs,omitempty"`
}

// Witness is the run with the largest value; of several, the one with the smallest seed.
type Witness struct {
	Value int64  `json:"value"`
	Seed  uint64 `json:"seed"`
}

func newPoint(id *Identity, i int) Point {
	p := Point{Cells: make([]Cell, len(id.Metrics))}
	for m := range p.Cells {
		width := id.Metrics[m].Unit.width()
		p.Cells[m].Values = stats.NewHistogram(width)
		if i > 0 {
			p.Cells[m].Pairs = stats.NewPairs(width)
		}
	}
	return p
}

// add counts one run; base is that of the first point with the same seed.
func (p *Point) add(seed uint64, out, base []int64, r Remark) {
	p.Runs++
	if r&Open != 0 {
		p.Open++
	}
	if r&Cut != 0 {
		p.Cut++
	}
	for m, v := range out {
		c := &p.Cells[m]
		c.Values.Add(v)
		c.Worst.meet(Witness{v, seed}, p.Runs == 1)
		if c.Pairs != nil {
			c.Pairs.Add(base[m], v)
		}
	}
}

func (w *Witness) meet(o Witness, first bool) {
	if first || o.Value > w.Value || o.Value == w.Value && o.Seed < w.Seed {
		*w = o
	}
}

// merge adds what o has counted.
func (p *Point) merge(o *Point) {
	first := p.Runs == 0
	p.Runs, p.Open, p.Cut = p.Runs+o.Runs, p.Open+o.Open, p.Cut+o.Cut
	for m := range p.Cells {
		c, d := &p.Cells[m], &o.Cells[m]
		c.Values.Merge(d.Values)
		c.Worst.meet(d.Worst, first)
		if c.Pairs != nil {
			c.Pairs.Merge(d.Pairs)
		}
	}
}

// check refuses a block that is not one of this plan.
func (b *Block) check(id *Identity) error {
	all := id.blocks(id.Runs)
	if b.Number < 0 || b.Number >= all || b.More < 0 || b.More >= all-b.Number || len(b.Points) != len(id.Points) {
		return fmt.Errorf("block %d with %d points is not of this sweep", b.Number, len(b.Points))
	}
	n := 0
	for i := range b.More + 1 {
		_, runs := id.seedsOf(b.Number + i)
		n += runs
	}
	for i := range b.Points {
		p := &b.Points[i]
		if p.Runs != int64(n) || p.Open < 0 || p.Open > p.Runs || p.Cut < 0 || p.Cut > p.Runs || len(p.Cells) != len(id.Metrics) {
			return fmt.Errorf("block %d: point %d does not have the %d runs of this sweep", b.Number, i, n)
		}
		for m := range p.Cells {
			if err := p.Cells[m].check(id.Metrics[m].Unit.width(), p.Runs, i > 0); err != nil {
				return fmt.Errorf("block %d, point %d, %s: %w", b.Number, i, id.Metrics[m].Name, err)
			}
		}
	}
	return nil
}

func (c *Cell) check(width, runs int64, differs bool) error {
	fits := func(h *stats.Histogram) bool { return h != nil && h.Width() == width && h.N() == runs }
	switch {
	case !fits(c.Values), differs == (c.Pairs == nil), differs && !fits(c.Pairs.Differences):
		return errors.New("the histogram is of something else")
	case differs && (c.Pairs.Less < 0 || c.Pairs.Equal < 0 || c.Pairs.More < 0 || c.Pairs.N() != runs):
		return errors.New("the pairs do not add up")
	case c.Worst.Value != c.Values.Max():
		return errors.New("the worst run is not the worst value")
	}
	return nil
}
