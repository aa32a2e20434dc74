package stats

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// LocationShift is by how much values of b tend to be above those of a, two independent
// samples, supposing that they have the same shape: the median of all differences between
// one of b and one of a (Hodges and Lehmann, Annals of Mathematical Statistics 34, 1963).
// The interval holds the shifts that MannWhitney would not reject: it lies between two order
// statistics of the differences, whose ranks are those of the normal limit. Ties make it
// too wide rather than too narrow. It is not known where there are too few values.
func LocationShift(a, b []int64, confidence float64) Shift {
	var out Shift
	pairs := int64(len(a)) * int64(len(b))
	if pairs == 0 {
		return out
	}
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	low, high := difference(a, b, (pairs+1)/2), difference(a, b, pairs/2+1)
	out.Value = low + (high-low)/2
	n, m := float64(len(a)), float64(len(b))
	z := distuv.UnitNormal.Quantile((1 + confidence) / 2)
	rank := int64(math.Floor(n*m/2 - z*math.Sqrt(n*m*(n+m+1)/12)))
	if rank < 1 {
		return out
	}
	out.Low, out.LowKnown = difference(a, b, rank), true
	out.High, out.HighKnown = difference(a, b, pairs-rank+1), true
	return out
}

// difference is the one of that rank, from 1, among all between a value of b and one of a,
// both sorted. They are not written down: those up to a guess are counted with two
// fingers, and the guess is halved in upon.
func difference(a, b []int64, rank int64) int64 {
	low, high := b[0]-a[len(a)-1], b[len(b)-1]-a[0] // the answer is in [low, high]
	for low < high {
		guess := low + (high-low)/2
		count, i := int64(0), 0 // i: values of a below y - guess
		for _, y := range b {
			for i < len(a) && y-a[i] > guess {
				i++
			}
			count += int64(len(a) - i)
		}
		if count >= rank {
			high = guess
		} else {
			low = guess + 1
		}
	}
	return low
}

// Median of values: the middle one, or the mean of the two in the middle; 0 of none.
func Median(values []int64) int64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	low, high := v[(len(v)-1)/2], v[len(v)/2]
	return low + (high-low)/2
}

// FisherExact asks whether two shares may be the same: k of n and l of m. The statistic is the
// difference of the second share and the first. P is two-sided: given how many there are of
// the kind in both together, the probability of all tables that are no more likely than this
// one (Fisher, Statistical Methods for Research Workers, 1934, 21.02). With m large it is the binomial test
// of k in n against l/m, and takes into account that l/m is an estimate as well.
func FisherExact(k, n, l, m int64) Test {
	if n == 0 || m == 0 {
		return Test{P: 1}
	}
	out := Test{Statistic: float64(l)/float64(m) - float64(k)/float64(n)}
	kinds := k + l
	first, last := max(0, kinds-m), min(n, kinds)
	table := func(i int64) float64 { return choose(n, i) + choose(m, kinds-i) - choose(n+m, kinds) }
	seen := table(k)
	var ps []float64
	for i := first; i <= last; i++ {
		if x := table(i); x <= seen+1e-7 { // as likely, give or take rounding
			ps = append(ps, math.Exp(x))
		}
	}
	sort.Float64s(ps) // small ones first, so that they are not lost
	for _, p := range ps {
		out.P += p
	}
	out.P = min(out.P, 1)
	return out
}

// choose is the logarithm of a binomial coefficient.
func choose(n, k int64) float64 {
	l := func(x int64) float64 { g, _ := math.Lgamma(float64(x) + 1); return g }
	return l(n) - l(k) - l(n-k)
}
