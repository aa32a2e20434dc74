package topology

import (
	"math"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// Constructors of the curved distributions. Their quantiles are computed here
// once, in floating point, and rounded to nanoseconds; Draw reads the table
// with integers. The tails end at a probability of 1 in 4096: what lies beyond
// would make a run of a thousand replications depend on a value that nobody
// meant.

const tail = 1.0 / 4096

// NewNormal is a normal distribution, cut off at zero.
func NewNormal(mean, sd time.Duration) Dist {
	q := distuv.Normal{Mu: float64(mean), Sigma: float64(sd)}
	return Dist{Kind: Normal, A: mean, B: sd, table: tabulate(tail, 1-tail, q.Quantile)}
}

// NewExp is base plus an exponential of the given mean.
func NewExp(base, mean time.Duration) Dist {
	q := distuv.Exponential{Rate: 1 / float64(mean)}
	return Dist{Kind: Exp, A: base, B: mean, table: tabulate(0, 1-tail, func(p float64) float64 {
		return float64(base) + q.Quantile(p)
	})}
}

// NewUniform is anything from lo to hi, both included.
func NewUniform(lo, hi time.Duration) Dist { return Dist{Kind: Uniform, A: lo, B: hi} }

// NewChoice is one of values.
func NewChoice(values ...time.Duration) Dist { return Dist{Kind: Choice, Values: values} }

func tabulate(first, last float64, quantile func(float64) float64) *[quantiles + 1]int64 {
	t := new([quantiles + 1]int64)
	for i := range t {
		p := min(max(float64(i)/quantiles, first), last)
		t[i] = max(0, int64(math.Round(quantile(p))))
	}
	return t
}

// Min is the least that Draw gives.
func (d Dist) Min() time.Duration { lo, _ := d.bounds(); return lo }

// Max is the most that Draw gives.
func (d Dist) Max() time.Duration { _, hi := d.bounds(); return hi }

func (d Dist) bounds() (lo, hi time.Duration) {
	switch d.Kind {
	case Uniform:
		return d.A, d.B
	case Choice:
		lo, hi = d.Values[0], d.Values[0]
		for _, v := range d.Values {
			lo, hi = min(lo, v), max(hi, v)
		}
		return lo, hi
	case Normal, Exp:
		return time.Duration(d.table[0]), time.Duration(d.table[quantiles])
	}
	return d.A, d.A
}

// Mean of what Draw gives; of a cut normal it is a little more than A.
func (d Dist) Mean() time.Duration {
	switch d.Kind {
	case Uniform:
		return d.A + (d.B-d.A)/2
	case Choice:
		// Each value is divided by itself, so that the sum cannot overflow.
		n := time.Duration(len(d.Values))
		var mean, rest time.Duration
		for _, v := range d.Values {
			mean += v / n
			rest += v % n
		}
		return mean + rest/n
	case Normal, Exp:
		var mean, rest int64
		for i := range quantiles {
			lo, hi := d.table[i], d.table[i+1]
			mean += lo/quantiles + (hi-lo)/(2*quantiles)
			rest += 2*(lo%quantiles) + (hi-lo)%(2*quantiles)
		}
		return time.Duration(mean + rest/(2*quantiles))
	}
	return d.A
}
