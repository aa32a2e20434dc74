package stats

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

// seedsCase is the law of the seed's case, whose median is an atom's edge: half of all
// runs are instant, half are uniform from 20 to 30 s.
func seedsCase(r *rand.Rand) int64 {
	if r.IntN(2) == 0 {
		return 240 * Millisecond
	}
	return 20_000*Millisecond + r.Int64N(10_000*Millisecond)
}

// dealings calls f with each way to deal the values out to samples of n and the rest.
func dealings(values []int64, n int, f func(a, b *Histogram)) {
	for set := range uint(1) << len(values) {
		if bits.OnesCount(set) != n {
			continue
		}
		a, b := NewHistogram(1), NewHistogram(1)
		for i, v := range values {
			if set>>i&1 == 1 {
				a.Add(v)
			} else {
				b.Add(v)
			}
		}
		f(a, b)
	}
}

// Exact P values are shares of all dealings whose statistic is at least as extreme.
func TestExactTestsAgainstAllDealings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 6), 2, 9).Draw(t, "values")
		n := rapid.IntRange(1, len(values)-1).Draw(t, "n")
		a, b := of(1, values[:n]...), of(1, values[n:]...)
		ks, mw := KolmogorovSmirnov(a, b), MannWhitney(a, b)
		all, far, skewed := 0.0, 0.0, 0.0
		dealings(values, n, func(x, y *Histogram) {
			all++
			if KolmogorovSmirnov(x, y).Statistic >= ks.Statistic-1e-9 {
				far++
			}
			if math.Abs(MannWhitney(x, y).Statistic-0.5) >= math.Abs(mw.Statistic-0.5)-1e-9 {
				skewed++
			}
		})
		if math.Abs(ks.P-far/all) > 1e-9 || math.Abs(mw.P-skewed/all) > 1e-9 {
			t.Fatalf("Kolmogorov-Smirnov %g, want %g; Mann-Whitney %g, want %g", ks.P, far/all, mw.P, skewed/all)
		}
	})
}

// The statistics by their definitions.
func TestStatisticsOfTwoSamples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Int64Range(-5, 5), 1, 20).Draw(t, "x")
		y := rapid.SliceOfN(rapid.Int64Range(-5, 5), 1, 20).Draw(t, "y")
		a, b := of(1, x...), of(1, y...)
		distance, wins := 0.0, 0.0
		for v := int64(-5); v <= 5; v++ {
			distance = max(distance, math.Abs(a.Share(v, 0.95).Value()-b.Share(v, 0.95).Value()))
		}
		for _, v := range x {
			for _, w := range y {
				switch {
				case w > v:
					wins++
				case w == v:
					wins += 0.5
				}
			}
		}
		if d := KolmogorovSmirnov(a, b).Statistic; math.Abs(d-distance) > 1e-12 {
			t.Errorf("distance %g, want %g", d, distance)
		}
		if u := MannWhitney(a, b).Statistic; math.Abs(u-wins/float64(len(x)*len(y))) > 1e-12 {
			t.Errorf("share %g, want %g", u, wins/float64(len(x)*len(y)))
		}
	})
}

// Smirnov's limit has these upper 50, 10, 5 and 1 % points (Smirnov 1948, table).
func TestSmirnovsLimit(t *testing.T) {
	for x, want := range map[float64]float64{0.8276: 0.5, 1.2239: 0.1, 1.3581: 0.05, 1.6276: 0.01} {
		if got := smirnovTail(x); math.Abs(got-want) > 5e-5 {
			t.Errorf("%g: %g, want %g", x, got, want)
		}
	}
	if a, b := smirnovTail(1-1e-9), smirnovTail(1+1e-9); math.Abs(a-b) > 1e-7 {
		t.Errorf("the two series are %g and %g where they meet", a, b)
	}
}

// Where exact tests end, the limits say much the same.
func TestLimitsMeetExactTests(t *testing.T) {
	a, b := NewHistogram(1), NewHistogram(1)
	for v := range int64(1500) {
		a.Add(2 * v)
		b.Add(2*v + 121)
	}
	ks := KolmogorovSmirnov(a, b)
	if limit := smirnovTail(math.Sqrt(750) * ks.Statistic); math.Abs(ks.P-limit) > 0.01 || ks.P < 0.05 {
		t.Errorf("Kolmogorov-Smirnov: exact %g, limit %g", ks.P, limit)
	}
	a, b = NewHistogram(1), NewHistogram(1)
	const most = 30 // of each
	for v := range int64(most) {
		a.Add(v / 2)
		b.Add(v/2 + 3)
	}
	exact := MannWhitney(a, b)
	a.Add(1000)
	b.Add(-1) // two more of each: over the limit, and of little weight
	a.Add(-1)
	b.Add(1000)
	if limit := MannWhitney(a, b); math.Pow(most*2*most, 2) > exactRanks || math.Pow((most+2)*2*(most+2), 2) < exactRanks || math.Abs(exact.P-limit.P) > 0.05 || exact.P > 0.2 {
		t.Errorf("Mann-Whitney: exact %+v, limit %+v", exact, limit)
	}
}

// "No difference" must be said as often as promised when there is none: 2001 pairs of
// samples of the seed's case, whose atom makes ties of half of all values.
func TestFalseAlarmsStayAtTheNominalRate(t *testing.T) {
	const comparisons, level = 2001, 0.05
	allowed := level + 3*math.Sqrt(level*(1-level)/comparisons)
	r := rand.New(rand.NewPCG(3, 4))
	alarms := map[string]int{}
	alarm := func(name string, is bool) {
		if alarms[name] += 0; is {
			alarms[name]++
		}
	}
	excludesZero := func(i Interval) bool {
		return i.LowKnown && i.Low > 0 || i.HighKnown && i.High < 0
	}
	for c := range comparisons {
		n := []int{12, 70, 150}[c%3]
		a, b := NewHistogram(Millisecond), NewHistogram(Millisecond)
		x, y := make([]int64, n), make([]int64, n)
		p := NewPairs(Millisecond)
		for i := range n {
			x[i], y[i] = seedsCase(r), seedsCase(r)
			if c%2 == 0 && r.IntN(4) > 0 { // common random numbers: most pairs are equal
				y[i] = x[i]
			}
			p.Add(x[i], y[i])
			a.Add(x[i])
			b.Add(seedsCase(r)) // independent of a
		}
		ks, mw, sign := KolmogorovSmirnov(a, b), MannWhitney(a, b), p.SignTest()
		alarm("Kolmogorov-Smirnov", ks.P <= level)
		alarm("Mann-Whitney", mw.P <= level)
		alarm("sign test", sign.P <= level)
		alarm("Holm's of both", slices.Min(Holm([]float64{ks.P, mw.P})) <= level)
		alarm("median difference", excludesZero(p.Median(0.95).Interval))
		mean := p.Mean(0.95)
		alarm("mean difference", mean.Known && (mean.Low > 0 || mean.High < 0))
		alarm("shift of the median", excludesZero(QuantileShift(a, b, 0.5, 0.95).Interval))
		alarm("shift of the 90th percentile", excludesZero(QuantileShift(a, b, 0.9, 0.95).Interval))
		alarm("paired shift of the median", excludesZero(PairedQuantileShift(x, y, 0.5, 0.95).Interval))
		alarm("paired shift of the 75th percentile", excludesZero(PairedQuantileShift(x, y, 0.75, 0.95).Interval))
	}
	for name, n := range alarms {
		rate := float64(n) / comparisons
		t.Logf("%-36s %.1f %%", name, 100*rate)
		if rate > allowed {
			t.Errorf("%s: %.1f %% false alarms, allowed %.1f %%", name, 100*rate, 100*allowed)
		}
	}
	// And they are not silent for being dull.
	for name, least := range map[string]float64{"Kolmogorov-Smirnov": 0.03, "Mann-Whitney": 0.03, "sign test": 0.01, "mean difference": 0.01} {
		if rate := float64(alarms[name]) / comparisons; rate < least {
			t.Errorf("%s: only %.1f %% false alarms", name, 100*rate)
		}
	}
}

// Two seconds more for half of all runs are found by all that look there, and intervals
// of the shift hold them.
func TestDifferencesAreFound(t *testing.T) {
	const n, more = 1000, 2_000 * Millisecond
	r := rand.New(rand.NewPCG(5, 6))
	a, b, p := NewHistogram(Millisecond), NewHistogram(Millisecond), NewPairs(Millisecond)
	x, y := make([]int64, n), make([]int64, n)
	slow := func(v int64) int64 {
		if v > 1_000*Millisecond {
			return v + more
		}
		return v
	}
	for i := range x {
		x[i] = seedsCase(r)
		y[i] = slow(x[i])
		p.Add(x[i], y[i])
		a.Add(x[i])
		b.Add(slow(seedsCase(r)))
	}
	for name, test := range map[string]Test{"Kolmogorov-Smirnov": KolmogorovSmirnov(a, b), "sign test": p.SignTest()} {
		if test.P > 1e-3 {
			t.Errorf("%s: %+v", name, test)
		}
	}
	independent, paired := QuantileShift(a, b, 0.9, 0.95), PairedQuantileShift(x, y, 0.9, 0.95)
	for name, s := range map[string]Shift{"independent": independent, "paired": paired} {
		if !s.LowKnown || !s.HighKnown || s.Low <= 0 || s.Low > more || s.High < more {
			t.Errorf("%s: the 90th percentile moves by %+v", name, s)
		}
	}
	if 3*(paired.High-paired.Low) > independent.High-independent.Low {
		t.Errorf("pairs tell no more: %+v, independent samples %+v", paired, independent)
	}
}

// Intervals of shifts between two different laws hold the truth as often as they say.
func TestIntervalsOfShiftsCover(t *testing.T) {
	const samples, n = 1500, 150
	r := rand.New(rand.NewPCG(7, 8))
	missed, missedPaired := 0, 0
	for range samples {
		a, b := NewHistogram(Millisecond), NewHistogram(Millisecond)
		x, y := make([]int64, n), make([]int64, n)
		for i := range x {
			u := r.Float64()
			x[i] = int64(u * 10_000 * Millisecond)
			y[i] = int64(u * u * 20_000 * Millisecond) // same u: quantile p is 10 p and 20 p² s
			a.Add(x[i])
			b.Add(int64(math.Pow(r.Float64(), 2) * 20_000 * Millisecond))
		}
		const p = 0.75
		truth := int64((20*p*p - 10*p) * 1_000 * Millisecond)
		outside := func(s Shift) bool {
			return !s.LowKnown || !s.HighKnown || s.Low > truth+Millisecond || s.High < truth-Millisecond
		}
		if outside(QuantileShift(a, b, p, 0.95)) {
			missed++
		}
		if outside(PairedQuantileShift(x, y, p, 0.95)) {
			missedPaired++
		}
	}
	t.Logf("missed: independent %.1f %%, paired %.1f %%", 100*float64(missed)/samples, 100*float64(missedPaired)/samples)
	if allowed := int(samples * (0.05 + 3*math.Sqrt(0.05*0.95/samples))); missed > allowed || missedPaired > allowed {
		t.Errorf("of %d intervals, %d miss the truth, and %d of pairs", samples, missed, missedPaired)
	}
}

// Holm's own procedure: the smallest P times all tests, the next times all but one, and
// none less than one before it.
func TestHolm(t *testing.T) {
	got := Holm([]float64{0.01, 0.04, 0.03, 0.005, 0.9})
	for i, want := range []float64{0.04, 0.09, 0.09, 0.025, 0.9} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Fatal(got)
		}
	}
}

// A band of 95 % holds the whole distribution in at least 95 % of samples; for a
// continuous law hardly more.
func TestBandCovers(t *testing.T) {
	const samples, n = 2000, 200
	r := rand.New(rand.NewPCG(9, 10))
	held := 0
	for range samples {
		h := NewHistogram(1)
		for range n {
			h.Add(r.Int64N(1_000_000))
		}
		far, before := 0.0, int64(0)
		for _, s := range h.Steps() {
			at := float64(s.Value) / 1e6
			far = max(far, math.Abs(float64(s.UpTo)/n-at), math.Abs(float64(before)/n-at))
			before = s.UpTo
		}
		if far <= h.Band(0.95) {
			held++
		}
	}
	if share := float64(held) / samples; share < 0.95-3*math.Sqrt(0.05*0.95/samples) || share > 0.97 {
		t.Errorf("%.1f %% of bands hold", 100*share)
	}
	if NewHistogram(1).Band(0.95) != 1 {
		t.Error("no values tell nothing")
	}
	if got := of(1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).Band(0.95); math.Abs(got-0.4294694083467376) > 1e-12 { // sqrt(ln 40 / 20)
		t.Error(got)
	}
}

func TestNothingToCompare(t *testing.T) {
	none, one := NewHistogram(1), of(1, 7, 7, 7)
	for _, test := range []Test{KolmogorovSmirnov(none, one), MannWhitney(one, none), KolmogorovSmirnov(one, one), MannWhitney(one, one), NewPairs(1).SignTest()} {
		if test.P != 1 {
			t.Errorf("%+v", test)
		}
	}
	if s := QuantileShift(none, one, 0.5, 0.95); s.LowKnown || s.HighKnown {
		t.Errorf("%+v", s)
	}
	if s := PairedQuantileShift(nil, nil, 0.5, 0.95); s.LowKnown || s.HighKnown {
		t.Errorf("%+v", s)
	}
}

func TestBinomialTailAgainstGonum(t *testing.T) {
	for _, n := range []int64{1, 2, 9, 200} {
		for k := int64(0); k <= n+1; k++ {
			want := 0.0
			for i := k; i <= n; i++ {
				want += distuv.Binomial{N: float64(n), P: 0.5}.Prob(float64(i))
			}
			if got := binomialTail(k, n); math.Abs(got-want) > 1e-12 {
				t.Errorf("at least %d of %d: %g, want %g", k, n, got, want)
			}
		}
	}
}
