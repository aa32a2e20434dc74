package stats

import (
	"cmp"
	"slices"
	"sort"
)

// Runs of two designs with the same seeds draw the same random numbers, so they come in
// pairs, and most of what makes runs differ is the same on both sides. Differences within
// pairs then show what was changed with far fewer runs than two independent samples need.

// Pairs counts the differences, second minus first, of pairs. Like a Histogram it is the
// same bytes in any order of counting and merging, also as JSON.
type Pairs struct {
	Less        int64      `json:"less"`  // the second is smaller
	Equal       int64      `json:"equal"` // to the nanosecond, not only in the same bin
	More        int64      `json:"more"`
	Differences *Histogram `json:"differences"`
}

// NewPairs has differences in bins of that width.
func NewPairs(width int64) *Pairs {
	return &Pairs{Differences: NewHistogram(width)}
}

// Add counts a pair.
func (p *Pairs) Add(first, second int64) {
	d := second - first
	switch {
	case d < 0:
		p.Less++
	case d == 0:
		p.Equal++
	default:
		p.More++
	}
	p.Differences.Add(d)
}

// Merge adds what o has counted.
func (p *Pairs) Merge(o *Pairs) {
	p.Less, p.Equal, p.More = p.Less+o.Less, p.Equal+o.Equal, p.More+o.More
	p.Differences.Merge(o.Differences)
}

// N is how many pairs there are.
func (p *Pairs) N() int64 { return p.Less + p.Equal + p.More }

// Changed is the share of pairs that differ at all: "0 of 1000" is at most 0.4 %.
func (p *Pairs) Changed(confidence float64) Share {
	return NewShare(p.Less+p.More, p.N(), confidence)
}

// SignTest asks whether the second is as often larger as it is smaller; pairs that are
// equal say nothing about that and are left out. Statistic is the share of larger ones
// among the others, P exact and two-sided (Dixon and Mood, Journal of the American
// Statistical Association 41, 1946).
func (p *Pairs) SignTest() Test {
	n := p.Less + p.More
	if n == 0 {
		return Test{Statistic: 0.5, P: 1}
	}
	return Test{
		Statistic: float64(p.More) / float64(n),
		P:         min(2*binomialTail(max(p.Less, p.More), n), 1),
	}
}

// Median of the differences, with an interval from order statistics, for any distribution.
func (p *Pairs) Median(confidence float64) Shift {
	return Shift{p.Differences.Quantile(0.5), p.Differences.QuantileInterval(0.5, confidence)}
}

// fewChanged is how many differences an interval of their mean needs.
const fewChanged = 30

// Mean of the differences. Where fewer than 30 pairs differ, a rare large difference may
// be missing from the sample, and there is no interval.
func (p *Pairs) Mean(confidence float64) Mean {
	m := p.Differences.MeanInterval(confidence)
	if p.Less+p.More < fewChanged {
		return Mean{Value: m.Value}
	}
	return m
}

// PairedQuantileShift is the difference between the quantile p of all second values and
// that of all first ones, with an interval for any distribution, also with atoms, that
// makes use of the pairs: if every second value is 2 s above the first, the interval is
// a few neighbouring values wide, however wide the values spread. It is conservative, the
// more so the smaller the sample.
//
// A shift is in the interval if McNemar's test (Psychometrika 12, 1947; exact) does not
// refute it for some value q that the first quantile may have: were q the quantile of the
// first and q + shift that of the second, pairs with only the first below its quantile
// would be as frequent as those with only the second below. A tenth of the error that is
// allowed goes to the ranges of both quantiles (Berger and Boos, Journal of the American
// Statistical Association 89, 1994), the rest to the test.
func PairedQuantileShift(first, second []int64, p, confidence float64) Shift {
	if len(first) != len(second) {
		panic("stats: values without a partner are no pairs")
	}
	n := len(first)
	var out Shift
	if n == 0 {
		return out
	}
	a, b := slices.Sorted(slices.Values(first)), slices.Sorted(slices.Values(second))
	rank := int(quantileRank(int64(n), p)) - 1
	out.Value = b[rank] - a[rank]

	miss := 1 - confidence
	from, to := int(lastRank(int64(n), p, miss/40))-1, int(firstRank(int64(n), p, miss/40))-1
	if from < 0 || to >= n { // quantiles may be beyond all values seen
		return out
	}
	tail := 0.9 * miss / 2

	// Partners in the order of their firsts. As q goes up, partners come in below it.
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(first[i], first[j]) })
	lows, highs := newPartners(b), newPartners(b)
	lowDone, highDone := 0, 0
	out.LowKnown, out.HighKnown = true, true
	for r := from; r <= to; r++ {
		if r > from && a[r] == a[r-1] {
			continue
		}
		q := a[r]
		// How far may the second's quantile be down? With atoms, at most p lies strictly
		// below the first's quantile and at least p at or below the second's: too many pairs
		// with only the first below refute.
		for ; lowDone < n && first[order[lowDone]] < q; lowDone++ {
			lows.add(second[order[lowDone]])
		}
		k := lows.first(func(both, seconds int) bool {
			onlyFirst, onlySecond := lowDone-both, seconds-both
			return binomialTail(int64(onlyFirst), int64(onlyFirst+onlySecond)) > tail
		})
		if s := b[max(k, from)] - q; r == from || s < out.Low {
			out.Low = s
		}
		// And how far up? At least p lies at or below the first's, at most p strictly below
		// the second's: too many with only the second below refute.
		for ; highDone < n && first[order[highDone]] <= q; highDone++ {
			highs.add(second[order[highDone]])
		}
		k = highs.first(func(both, seconds int) bool {
			onlyFirst, onlySecond := highDone-both, seconds-both
			return binomialTail(int64(onlySecond), int64(onlyFirst+onlySecond)) <= tail
		})
		if s := b[min(k, to)] - q; r == from || s > out.High {
			out.High = s
		}
	}
	return out
}

// partners are those second values whose firsts lie below a quantile: how many of them
// lie at or below one of all second values? A Fenwick tree (Software: Practice and
// Experience 24, 1994).
type partners struct {
	sorted []int64 // all second values
	tree   []int
}

func newPartners(sorted []int64) *partners {
	return &partners{sorted, make([]int, len(sorted)+1)}
}

func (p *partners) add(v int64) {
	at, _ := slices.BinarySearch(p.sorted, v)
	for i := at + 1; i < len(p.tree); i += i & -i {
		p.tree[i]++
	}
}

// first is the index of the first of all second values for which that holds; their number
// if it holds for none. both are the partners at or below it, seconds all second values
// there. Once it holds, it must go on holding.
func (p *partners) first(holds func(both, seconds int) bool) int {
	return sort.Search(len(p.sorted), func(k int) bool {
		seconds, _ := slices.BinarySearch(p.sorted, p.sorted[k]+1)
		both := 0
		for i := seconds; i > 0; i -= i & -i {
			both += p.tree[i]
		}
		return holds(both, seconds)
	})
}
