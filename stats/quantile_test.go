package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

func TestQuantileIsTheInverseOfTheEmpiricalDistribution(t *testing.T) {
	h := NewHistogram(1)
	for v := range int64(100) {
		h.Add(v + 1)
	}
	for _, c := range []struct {
		p    float64
		want int64
	}{{0.001, 1}, {0.01, 1}, {0.07, 7}, {0.5, 50}, {0.501, 51}, {0.99, 99}, {0.991, 100}, {1, 100}} {
		if got := h.Quantile(c.p); got != c.want {
			t.Errorf("the quantile %g is %d, want %d", c.p, got, c.want)
		}
	}
}

// The interval's ranks against sums of gonum's binomial probabilities.
func TestRanksAgainstTheBinomialDistribution(t *testing.T) {
	for _, n := range []int64{1, 2, 10, 59, 298, 299, 1000} {
		for _, p := range []float64{0.01, 0.5, 0.9, 0.99} {
			b := distuv.Binomial{N: float64(n), P: p}
			below := func(k int64) (sum float64) {
				for i := int64(0); i <= k; i++ {
					sum += b.Prob(float64(i))
				}
				return sum
			}
			for _, tail := range []float64{0.025, 0.005} {
				low, high := int64(0), n+1
				for r := int64(1); r <= n; r++ {
					if below(r-1) <= tail {
						low = r
					}
				}
				for s := n; s >= 1; s-- {
					if below(s-1) >= 1-tail {
						high = s
					}
				}
				if l, h := lastRank(n, p, tail), firstRank(n, p, tail); l != low || h != high {
					t.Errorf("n %d, p %g, tail %g: ranks %d to %d, want %d to %d", n, p, tail, l, h, low, high)
				}
			}
		}
	}
}

// Nominal intervals of 95 % cover the true quantile in 93 to 97 % of samples, for
// the law of the seed's case: half of all runs instant, half uniform from 20 to 30 s.
func TestIntervalsOfQuantilesCoverAsOftenAsTheySay(t *testing.T) {
	const samples, n = 4000, 2000
	law := func(r *rand.Rand) int64 {
		if r.IntN(2) == 0 {
			return 240 * Millisecond
		}
		return 20_000*Millisecond + r.Int64N(10_000*Millisecond)
	}
	truth := func(p float64) int64 { return int64((20 + 10*(p-0.5)/0.5) * 1000 * Millisecond) }
	r := rand.New(rand.NewPCG(1, 2))
	covered := map[float64]int{}
	for range samples {
		h := NewHistogram(Millisecond)
		for range n {
			h.Add(law(r))
		}
		for _, p := range []float64{0.75, 0.9, 0.95, 0.99} {
			// In bins, the truth is the end of its bin.
			if i := h.QuantileInterval(p, 0.95); i.LowKnown && i.HighKnown && i.Low <= truth(p) && truth(p) <= i.High {
				covered[p]++
			}
		}
	}
	for p, k := range covered {
		if share := float64(k) / samples; share < 0.93 || share > 0.97 {
			t.Errorf("intervals of the quantile %g cover in %.1f %% of %d samples", p, 100*share, samples)
		}
	}
	if len(covered) != 4 {
		t.Error(covered)
	}
}

// A sample says nothing about a quantile that is rarer than it is large: the 95 %
// interval of the 99th percentile has an upper end from 368 values on (0.99^n <= 2.5 %).
func TestWhatASampleIsTooSmallForIsNotKnown(t *testing.T) {
	for _, c := range []struct {
		n    int64
		high bool
	}{{0, false}, {1, false}, {367, false}, {368, true}} {
		h := NewHistogram(1)
		for v := range c.n {
			h.Add(v)
		}
		if got := h.QuantileInterval(0.99, 0.95).HighKnown; got != c.high {
			t.Errorf("%d values: the upper end is known: %v", c.n, got)
		}
	}
}

// Clopper and Pearson's table values: 0 of 10 is below 30.85 %, 1 of 10 from 0.25 to
// 44.50 %, and 10 of 10 is above 69.15 %, each with 95 %.
func TestSharesAgainstClopperAndPearson(t *testing.T) {
	for _, c := range []struct {
		k, n      int64
		low, high float64
	}{{0, 10, 0, 0.3085}, {1, 10, 0.0025, 0.4450}, {5, 10, 0.1871, 0.8129}, {10, 10, 0.6915, 1}, {0, 0, 0, 1}} {
		s := NewShare(c.k, c.n, 0.95)
		if math.Abs(s.Low-c.low) > 5e-5 || math.Abs(s.High-c.high) > 5e-5 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", c.k, c.n, s.Low, s.High, c.low, c.high)
		}
	}
}

// Whatever the probability, at least 95 % of the intervals contain it: summed over
// all outcomes, not sampled.
func TestIntervalsOfSharesCover(t *testing.T) {
	for _, n := range []int64{1, 5, 50, 200} {
		intervals := make([]Share, n+1)
		for k := range intervals {
			intervals[k] = NewShare(int64(k), n, 0.95)
		}
		for p := 0.001; p < 1; p += 0.007 {
			b, covered := distuv.Binomial{N: float64(n), P: p}, 0.0
			for k, s := range intervals {
				if s.Low <= p && p <= s.High {
					covered += b.Prob(float64(k))
				}
			}
			if covered < 0.95-1e-9 {
				t.Errorf("n %d, p %.3f: covered with probability %.4f", n, p, covered)
			}
		}
	}
}
