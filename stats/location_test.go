package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The estimate and its interval are order statistics of all differences, one by one.
func TestLocationShiftIsWhatItSays(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		a, b := make([]int64, 1+r.IntN(9)), make([]int64, 1+r.IntN(30))
		for _, x := range [][]int64{a, b} {
			for i := range x {
				x[i] = r.Int64N(40) - 20
			}
		}
		var all []int64
		for _, x := range a {
			for _, y := range b {
				all = append(all, y-x)
			}
		}
		slices.Sort(all)
		got := LocationShift(a, b, 0.95)
		if want := Median(all); got.Value != want {
			t.Fatalf("%v and %v: %d, not %d", a, b, got.Value, want)
		}
		if got.LowKnown != got.HighKnown {
			t.Fatalf("%+v", got)
		}
		if got.LowKnown {
			n, m := float64(len(a)), float64(len(b))
			rank := int(math.Floor(n*m/2 - 1.959963984540054*math.Sqrt(n*m*(n+m+1)/12)))
			if got.Low != all[rank-1] || got.High != all[len(all)-rank] {
				t.Fatalf("%v and %v: %+v", a, b, got)
			}
		}
	}
	if s := LocationShift(nil, []int64{1}, 0.95); s != (Shift{}) {
		t.Errorf("a shift from nothing: %+v", s)
	}
}

// Few values beside many, in ticks of a clock: the interval holds the shift as often as it says.
func TestLocationShiftCovers(t *testing.T) {
	const samples, shift = 1000, 400
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{3, 8, 16} {
		missed := 0
		for range samples {
			a, b := make([]int64, 500), make([]int64, n)
			for i := range a {
				a[i] = r.Int64N(10_000) / 100 * 100
			}
			for i := range b {
				b[i] = r.Int64N(10_000)/100*100 + shift
			}
			if s := LocationShift(a, b, 0.95); s.LowKnown && (s.Low > shift || s.High < shift) {
				missed++
			}
		}
		t.Logf("%d values: %.1f %% missed", n, 100*float64(missed)/samples)
		if rate := float64(missed) / samples; rate > 0.05+3*math.Sqrt(0.05*0.95/samples) || rate < 0.01 {
			t.Errorf("%d values: %.1f %% of the intervals miss the shift", n, 100*rate)
		}
	}
}

// Fisher's tea: of eight cups, four with the milk first, all are told apart with probability
// 1/70, and three of four with 16/70 besides; two-sided, as many on the other side.
func TestFisherExact(t *testing.T) {
	for _, c := range []struct {
		k, n, l, m int64
		want       float64
	}{
		{4, 4, 0, 4, 2.0 / 70}, {3, 4, 1, 4, 34.0 / 70}, {2, 4, 2, 4, 1},
		{0, 0, 5, 9, 1}, {3, 3, 2000, 2000, 1},
		{0, 5, 3, 3, 1.0 / 56}, // the one table of C(8,3) as unlikely as that
	} {
		if got := FisherExact(c.k, c.n, c.l, c.m); math.Abs(got.P-c.want) > 1e-9 {
			t.Errorf("%d of %d and %d of %d: %v, not %v", c.k, c.n, c.l, c.m, got.P, c.want)
		}
	}
	// Beside very many it is the binomial test: 12 of 16 heads.
	if got := FisherExact(12, 16, 500_000, 1_000_000); math.Abs(got.P-2*binomialTail(12, 16)) > 1e-5 {
		t.Errorf("12 of 16 against a half: %v, not %v", got.P, 2*binomialTail(12, 16))
	}
	// And false alarms are as rare as it says.
	r := rand.New(rand.NewPCG(5, 6))
	alarms := 0
	for range 2000 {
		k, l := int64(0), int64(0)
		for range 16 {
			k += r.Int64N(2)
		}
		for range 200 {
			l += r.Int64N(2)
		}
		if FisherExact(k, 16, l, 200).P <= 0.05 {
			alarms++
		}
	}
	if alarms > 130 || alarms < 20 {
		t.Errorf("%d false alarms of 2000 at 5 %%", alarms)
	}
}

// Three values beside 600 are judged exactly: all above them is one way of many.
func TestFewBesideMany(t *testing.T) {
	a, b := NewHistogram(1), NewHistogram(1)
	for i := range int64(600) {
		a.Add(i)
	}
	for i := range int64(3) {
		b.Add(5000 + i)
	}
	// C(603, 3) ways to deal three out; twice, for both sides.
	if got, want := MannWhitney(a, b).P, 2/(603.0*602*601/6); math.Abs(got/want-1) > 1e-9 {
		t.Errorf("P = %v, not %v", got, want)
	}
	if got := MannWhitney(b, a).P; math.Abs(got/MannWhitney(a, b).P-1) > 1e-9 {
		t.Errorf("the other way round it is %v", got)
	}
}

// Two of six that are not where nearly all of the others are have a probability of 0.00035 if all
// are dealt out at random; whoever takes the ties' variance for a normal one's says 0.000000002.
func TestFewBesideAlmostAllTheSame(t *testing.T) {
	a, b := NewHistogram(1), NewHistogram(1)
	for range 499 {
		a.Add(50)
	}
	a.Add(52)
	for range 4 {
		b.Add(50)
	}
	b.Add(52)
	b.Add(52)
	exact := 15.0*500/(506.0*505*504/6) + 20.0/(506.0*505*504/6)
	if x := MannWhitney(a, b); x.P < exact {
		t.Errorf("P = %v, and it is %v", x.P, exact)
	}
}

// The distance within a tolerance is not above the least that values can have which are moved by
// that much, found here by trying all ways; and it is that of values moved as one, where
// they all lie on one side.
func TestDistanceWithin(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		var x, y []int64
		for range 1 + r.IntN(6) {
			x = append(x, r.Int64N(12))
		}
		for range 1 + r.IntN(4) {
			y = append(y, r.Int64N(12))
		}
		of := func(values []int64) *Histogram {
			h := NewHistogram(1)
			for _, v := range values {
				h.Add(v)
			}
			return h
		}
		within := r.Int64N(3)
		least := 1.0
		var try func(i int)
		moved := slices.Clone(y)
		try = func(i int) {
			if i == len(y) {
				least = min(least, KolmogorovSmirnov(of(x), of(moved)).Statistic)
				return
			}
			for d := -within; d <= within; d++ {
				moved[i] = y[i] + d
				try(i + 1)
			}
		}
		try(0)
		got := KolmogorovSmirnovWithin(of(x), of(y), within)
		if got.Statistic > least+1e-12 || got.P < KolmogorovSmirnov(of(x), of(y)).P {
			t.Fatalf("%v and %v within %d: %+v, more than %v", x, y, within, got, least)
		}
		for i := range y {
			y[i], moved[i] = y[i]+10+within, y[i]+10
		}
		if got, want := KolmogorovSmirnovWithin(of(x), of(y), within).Statistic, KolmogorovSmirnov(of(x), of(moved)).Statistic; math.Abs(got-want) > 1e-12 {
			t.Fatalf("%v and %v within %d: %v, not %v", x, y, within, got, want)
		}
	}
}

// Of ten pairs of small samples that are a little apart none shows it, and all together do;
// where there is nothing, false alarms are as rare as it says.
func TestStrataTogether(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	draw := func(n int, from, to int64) *Histogram {
		h := NewHistogram(1)
		for range n {
			h.Add(from + r.Int64N(to-from)/10*10)
		}
		return h
	}
	alarms, found := 0, 0
	for range 1000 {
		var same, shifted []Stratum
		for i := range int64(10) {
			same = append(same, Stratum{draw(200, 0, 100*(i+1)), draw(8, 0, 100*(i+1))})
			shifted = append(shifted, Stratum{draw(200, 0, 100*(i+1)), draw(8, 15*(i+1), 115*(i+1))})
		}
		if MannWhitneyStrata(same).P <= 0.05 {
			alarms++
		}
		if x := MannWhitneyStrata(shifted); x.P <= 0.01 && x.Statistic > 0.5 {
			found++
		}
	}
	if alarms > 70 || alarms < 30 {
		t.Errorf("%d false alarms of 1000 at 5 %%", alarms)
	}
	if found < 950 {
		t.Errorf("found in %d of 1000", found)
	}
	if x := MannWhitneyStrata(nil); x.P != 1 {
		t.Errorf("nothing is compared: %+v", x)
	}
}
