package stats

import (
	"math"
	"math/big"
)

// Mean is a mean with its interval, in the unit of the values.
type Mean struct {
	Value, Low, High float64
	Known            bool // there is an interval
}

// fewValues are too few for an interval of their mean.
const fewValues = 30

// MeanInterval is the mean of the values with Student's interval, which rests on the
// central limit theorem: of fewer than 30 values there is none. No interval of a mean holds
// for every distribution (Bahadur and Savage, Annals of Mathematical Statistics 27, 1956);
// the others of this package do. The variance is computed exactly.
func (h *Histogram) MeanInterval(confidence float64) Mean {
	out := Mean{Value: h.Mean()}
	if h.n < fewValues {
		return out
	}
	// Sum of squares minus the square of the sum over n; then divided by n-1.
	var square, rest big.Int
	n := big.NewInt(h.n)
	square.Mul(&h.sum, &h.sum)
	rest.Mul(&h.squares, n)
	rest.Sub(&rest, &square)
	variance, _ := new(big.Rat).SetFrac(&rest, n.Mul(n, big.NewInt(h.n-1))).Float64()
	half := studentQuantile((1+confidence)/2, float64(h.n-1)) * math.Sqrt(variance/float64(h.n))
	out.Low, out.High, out.Known = out.Value-half, out.Value+half, true
	return out
}

// StudentInterval is the mean of a few values that are about normal, such as estimates that are
// means themselves, and its interval. Of fewer than two there is none.
func StudentInterval(values []float64, confidence float64) Mean {
	n := float64(len(values))
	out := Mean{}
	for _, v := range values {
		out.Value += v / n
	}
	if len(values) < 2 {
		return out
	}
	squares := 0.0
	for _, v := range values {
		squares += (v - out.Value) * (v - out.Value)
	}
	half := studentQuantile((1+confidence)/2, n-1) * math.Sqrt(squares/(n-1)/n)
	out.Low, out.High, out.Known = out.Value-half, out.Value+half, true
	return out
}
