package stats

import "gonum.org/v1/gonum/mathext"

// Share is how many of n were of a kind, and the interval of the probability behind
// it: Clopper's and Pearson's, which holds for any n and is never empty, so that "0 of
// 200" is an upper bound and not a certainty.
type Share struct {
	K, N      int64
	Low, High float64
}

// NewShare of k in n, with an interval of that confidence. n = 0 tells nothing: 0 to 1.
func NewShare(k, n int64, confidence float64) Share {
	s := Share{K: k, N: n, Low: 0, High: 1}
	if n == 0 {
		return s
	}
	tail := (1 - confidence) / 2
	if k > 0 {
		s.Low = mathext.InvRegIncBeta(float64(k), float64(n-k+1), tail)
	}
	if k < n {
		s.High = mathext.InvRegIncBeta(float64(k+1), float64(n-k), 1-tail)
	}
	return s
}

// Value is the share itself; 0 of nothing.
func (s Share) Value() float64 {
	if s.N == 0 {
		return 0
	}
	return float64(s.K) / float64(s.N)
}

// Share is how many values lie in the bin of v or below.
func (h *Histogram) Share(v int64, confidence float64) Share {
	return NewShare(h.AtMost(v), h.N(), confidence)
}
