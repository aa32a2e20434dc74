package stats

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
)

// Histogram counts integers in bins of Width. The bin that a value falls into is
// called by its upper end, so that 0 stays 0 and nothing is made smaller than it was.
// The zero Histogram is one of Width 1. Minimum, maximum, mean and variance are exact.
type Histogram struct {
	width    int64
	n        int64
	min, max int64
	sum      big.Int
	squares  big.Int // sum of squared values
	bins     map[int64]int64
	keys     []int64 // of bins, sorted; nil: to be made
}

// Millisecond is the width of bins for durations in nanoseconds.
const Millisecond = 1_000_000

// NewHistogram has bins of that width.
func NewHistogram(width int64) *Histogram { return &Histogram{width: width} }

// Width of a bin.
func (h *Histogram) Width() int64 { return max(h.width, 1) }

// bin is the number of the bin of v: v divided by the width, rounded up.
func (h *Histogram) bin(v int64) int64 {
	w := h.Width()
	b := v / w
	if v > 0 && v%w != 0 {
		b++
	}
	return b
}

// Add counts v.
func (h *Histogram) Add(v int64) {
	if h.bins == nil {
		h.bins = map[int64]int64{}
	}
	if h.n == 0 || v < h.min {
		h.min = v
	}
	if h.n == 0 || v > h.max {
		h.max = v
	}
	h.n++
	var x big.Int
	h.sum.Add(&h.sum, x.SetInt64(v))
	h.squares.Add(&h.squares, x.Mul(&x, &x))
	b := h.bin(v)
	before := len(h.bins)
	if h.bins[b]++; len(h.bins) != before {
		h.keys = nil
	}
}

// Merge adds what o has counted. Both must have bins of the same width.
func (h *Histogram) Merge(o *Histogram) {
	if h.Width() != o.Width() {
		panic("stats: histograms with bins of different width do not go together")
	}
	if o.n == 0 {
		return
	}
	if h.bins == nil {
		h.bins = make(map[int64]int64, len(o.bins))
	}
	if h.n == 0 || o.min < h.min {
		h.min = o.min
	}
	if h.n == 0 || o.max > h.max {
		h.max = o.max
	}
	h.n += o.n
	h.sum.Add(&h.sum, &o.sum)
	h.squares.Add(&h.squares, &o.squares)
	for b, c := range o.bins {
		h.bins[b] += c
	}
	h.keys = nil
}

// N is how many values were counted.
func (h *Histogram) N() int64 { return h.n }

// Min is the smallest value; 0 if there is none.
func (h *Histogram) Min() int64 { return h.min }

// Max is the largest value; 0 if there is none.
func (h *Histogram) Max() int64 { return h.max }

// Mean of the values, not of their bins; NaN if there is none.
func (h *Histogram) Mean() float64 {
	if h.n == 0 {
		return math.NaN()
	}
	f, _ := new(big.Rat).SetFrac(&h.sum, big.NewInt(h.n)).Float64()
	return f
}

// AtMost is how many values lie in the bin of v or below.
func (h *Histogram) AtMost(v int64) int64 {
	b, n := h.bin(v), int64(0)
	for k, c := range h.bins {
		if k <= b {
			n += c
		}
	}
	return n
}

// Step is a bin that is not empty: values up to Value, and how many there are up to and
// with it.
type Step struct{ Value, UpTo int64 }

// Steps are those of the cumulative distribution, in order.
func (h *Histogram) Steps() []Step {
	steps, n := make([]Step, 0, len(h.bins)), int64(0)
	for _, b := range h.sorted() {
		n += h.bins[b]
		steps = append(steps, Step{h.value(b), n})
	}
	return steps
}

// value is what stands for a bin: its upper end, but nothing beyond what was seen.
func (h *Histogram) value(bin int64) int64 {
	return min(max(bin*h.Width(), h.min), h.max)
}

func (h *Histogram) sorted() []int64 {
	if h.keys == nil {
		h.keys = slices.Sorted(maps.Keys(h.bins))
	}
	return h.keys
}

// Rank is the r-th smallest value, from 1 to N, at the upper end of its bin.
func (h *Histogram) Rank(r int64) int64 {
	n := int64(0)
	for _, b := range h.sorted() {
		if n += h.bins[b]; n >= r {
			return h.value(b)
		}
	}
	return h.max
}

// histogramJSON is a Histogram as text: bins and counts in order, so that equal
// histograms are equal bytes.
type histogramJSON struct {
	Width   int64      `json:"width"`
	N       int64      `json:"n"`
	Min     int64      `json:"min"`
	Max     int64      `json:"max"`
	Sum     *big.Int   `json:"sum"`
	Squares *big.Int   `json:"squares"`
	Bins    [][2]int64 `json:"bins"`
}

// MarshalJSON writes the bins in order.
func (h *Histogram) MarshalJSON() ([]byte, error) {
	out := histogramJSON{Width: h.Width(), N: h.n, Min: h.min, Max: h.max, Sum: &h.sum, Squares: &h.squares, Bins: [][2]int64{}}
	for _, b := range h.sorted() {
		out.Bins = append(out.Bins, [2]int64{b, h.bins[b]})
	}
	return json.Marshal(out)
}

// UnmarshalJSON refuses what cannot have been written by MarshalJSON.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	var in histogramJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	out := Histogram{width: in.Width, n: in.N, min: in.Min, max: in.Max, bins: make(map[int64]int64, len(in.Bins))}
	if in.Sum == nil || in.Squares == nil || in.Squares.Sign() < 0 || in.Width < 1 {
		return fmt.Errorf("no histogram: width %d, sum %v, squares %v", in.Width, in.Sum, in.Squares)
	}
	out.sum.Set(in.Sum)
	out.squares.Set(in.Squares)
	n := int64(0)
	for i, b := range in.Bins {
		if b[1] < 1 || i > 0 && b[0] <= in.Bins[i-1][0] || b[1] > in.N-n {
			return fmt.Errorf("no histogram: bin %d is out of order or has %d values", b[0], b[1])
		}
		out.bins[b[0]] = b[1]
		n += b[1]
	}
	if n != in.N || n > 0 && (out.bin(in.Min) != in.Bins[0][0] || out.bin(in.Max) != in.Bins[len(in.Bins)-1][0]) {
		return fmt.Errorf("no histogram: its bins do not have the %d values from %d to %d that it names", in.N, in.Min, in.Max)
	}
	*h = out
	return nil
}
