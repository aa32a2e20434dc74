package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Interval is where a number lies, with the confidence that was asked for. An end
// that the sample is too small to tell is not known.
type Interval struct {
	Low, High           int64
	LowKnown, HighKnown bool
}

// Quantile is the smallest value that at least the share p of all values does not
// exceed (the inverse of the empirical distribution). 0 < p <= 1; 0 if there are no values.
func (h *Histogram) Quantile(p float64) int64 {
	if h.n == 0 {
		return 0
	}
	return h.Rank(quantileRank(h.n, p))
}

// quantileRank is p n rounded up, where p n is meant as one means it: 0.07 of 100 is 7,
// although the product of the nearest binary fractions is a little more.
func quantileRank(n int64, p float64) int64 {
	x := p * float64(n)
	r := math.Ceil(x)
	if below := math.Floor(x); x-below < 1e-9*math.Max(1, x) {
		r = below
	}
	return min(max(int64(r), 1), n)
}

// QuantileInterval is an interval for the quantile p of the distribution that the
// values were drawn from, whatever that distribution is. The number of values below
// the quantile is binomial with n and p; the interval is between the two order
// statistics whose ranks that number leaves on either side with at most half of
// 1-confidence (David and Nagaraja, Order Statistics, 7.1).
func (h *Histogram) QuantileInterval(p, confidence float64) Interval {
	tail := (1 - confidence) / 2
	var out Interval
	// The quantile is at least the value of rank r if at least r values lie below it
	// or at it: the largest r with P(B >= r) >= 1 - tail, that is P(B <= r-1) <= tail.
	if r := lastRank(h.n, p, tail); r >= 1 {
		out.Low, out.LowKnown = h.Rank(r), true
	}
	// It is at most the value of rank s if P(B <= s-1) >= 1 - tail.
	if s := firstRank(h.n, p, tail); s <= h.n {
		out.High, out.HighKnown = h.Rank(s), true
	}
	return out
}

// RunsForQuantile is how many values it takes until both ends of QuantileInterval are
// known, 0 < p < 1: until they lie all below the quantile, or all above it, with at most
// half of 1-confidence.
func RunsForQuantile(p, confidence float64) int64 {
	return int64(math.Ceil(math.Log((1-confidence)/2) / math.Log(max(p, 1-p))))
}

// lastRank is the largest r with P(B <= r-1) <= tail for a binomial B; 0 if there is none.
func lastRank(n int64, p, tail float64) int64 {
	low, high := int64(0), n // the answer is in [low, high]
	for low < high {
		r := (low + high + 1) / 2
		if atMost(n, r-1, p) <= tail {
			low = r
		} else {
			high = r - 1
		}
	}
	return low
}

// firstRank is the smallest s with P(B <= s-1) >= 1-tail; n+1 if there is none.
func firstRank(n int64, p, tail float64) int64 {
	low, high := int64(1), n+1
	for low < high {
		s := (low + high) / 2
		if atMost(n, s-1, p) >= 1-tail {
			high = s
		} else {
			low = s + 1
		}
	}
	return low
}

// atMost is the probability that of n trials, each a success with probability p, at
// most k succeed.
func atMost(n, k int64, p float64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n || p <= 0:
		return 1
	case p >= 1:
		return 0
	}
	return mathext.RegIncBeta(float64(n-k), float64(k+1), 1-p)
}
