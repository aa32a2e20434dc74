package stats

import (
	"math"
	"slices"
	"testing"
)

var golden = [][]float64{
	{0.20454644858626966, 0.08052811160334705},
	{0.9513690974604829, 0.573928548329279},
	{0.3492255100737513, 0.7016827988006713},
}

// Each n-th of each dimension has one point; the same seed gives the same points.
func TestLatinHypercube(t *testing.T) {
	const n, d = 97, 4
	points := Latin(n, d, 1)
	for j := range d {
		seen := make([]bool, n)
		for _, p := range points {
			if p[j] < 0 || p[j] >= 1 || seen[int(p[j]*n)] {
				t.Fatalf("dimension %d: %g", j, p[j])
			}
			seen[int(p[j]*n)] = true
		}
	}
	if again := Latin(n, d, 1); !slices.EqualFunc(points, again, slices.Equal) {
		t.Error("the same seed gives other points")
	}
	if other := Latin(n, d, 2); slices.EqualFunc(points, other, slices.Equal) {
		t.Error("another seed gives the same points")
	}
	// Points are part of what a seed means: they must not move with a library.
	if p := Latin(3, 2, 1); !slices.EqualFunc(p, golden, slices.Equal) {
		t.Error(p)
	}
	if Latin(0, 3, 1) != nil || Latin(3, 0, 1) != nil {
		t.Error("points without number or dimension")
	}
}

// Ishigami's function, with a = 7 and b = 0.1, and a fourth parameter that does nothing:
// closed forms from Sobol and Levitan 1999.
func TestIndicesOfIshigamisFunction(t *testing.T) {
	s := NewSensitivity(4096, 4, 1)
	results := make([]float64, s.Runs())
	for i := range results {
		x := s.Point(i)
		for j := range x {
			x[j] = math.Pi * (2*x[j] - 1)
		}
		results[i] = math.Sin(x[0]) + 7*math.Pow(math.Sin(x[1]), 2) + 0.1*math.Pow(x[2], 4)*math.Sin(x[0])
	}
	pi4 := math.Pow(math.Pi, 4)
	v1, v2, v13 := 0.5*math.Pow(1+pi4/50, 2), 49.0/8, 0.01*pi4*pi4*(1.0/18-1.0/50)
	v := v1 + v2 + v13
	check(t, s.Indices(results, 0.95, 1), []float64{v1 / v, v2 / v, 0, 0}, []float64{(v1 + v13) / v, v2 / v, v13 / v, 0})
}

// Sobol's g-function: the product of (|4x-2| + a) / (1 + a).
func TestIndicesOfTheGFunction(t *testing.T) {
	a := []float64{0, 1, 4.5, 9}
	s := NewSensitivity(4096, len(a), 2)
	results := make([]float64, s.Runs())
	for i := range results {
		results[i] = 1
		for j, x := range s.Point(i) {
			results[i] *= (math.Abs(4*x-2) + a[j]) / (1 + a[j])
		}
	}
	variances, all := make([]float64, len(a)), 1.0
	for j := range a {
		variances[j] = 1 / (3 * (1 + a[j]) * (1 + a[j]))
		all *= 1 + variances[j]
	}
	first, total := make([]float64, len(a)), make([]float64, len(a))
	for j, v := range variances {
		first[j], total[j] = v/(all-1), v*all/(1+v)/(all-1)
	}
	check(t, s.Indices(results, 0.95, 1), first, total)
}

func check(t *testing.T, got []Index, first, total []float64) {
	t.Helper()
	one := func(what string, i int, e Estimate, want float64) {
		t.Helper()
		if e.Low > e.Value || e.High < e.Value || e.High-e.Low > 0.2 {
			t.Errorf("%s of parameter %d: interval of %+v", what, i, e)
		}
		// Four standard errors, by the interval's own width.
		if math.Abs(e.Value-want) > 4*(e.High-e.Low)/(2*1.96) {
			t.Errorf("%s of parameter %d is %+v, want %.4f", what, i, e, want)
		}
	}
	for i, index := range got {
		one("first-order index", i, index.First, first[i])
		one("total index", i, index.Total, total[i])
		if nothing := total[i] == 0; nothing != (index.Total == Estimate{}) || nothing != (index.Changed.K == 0) {
			t.Errorf("parameter %d: %+v", i, index)
		}
	}
}

// The intervals of indices hold the truth about as often as they say: 95 % of the time
// for y = x1 + x2/2, whose indices are 0.8 and 0.2.
func TestIntervalsOfIndicesCover(t *testing.T) {
	const plans = 150
	held := 0
	for seed := range uint64(plans) {
		s := NewSensitivity(100, 2, seed)
		results := make([]float64, s.Runs())
		for i := range results {
			x := s.Point(i)
			results[i] = x[0] + x[1]/2
		}
		for p, want := range []float64{0.8, 0.2} {
			index := s.Indices(results, 0.95, seed)[p]
			for _, e := range []Estimate{index.First, index.Total} {
				if e.Low <= want && want <= e.High {
					held++
				}
			}
		}
	}
	if share := float64(held) / (4 * plans); share < 0.92 {
		t.Errorf("%.1f %% of intervals hold", 100*share)
	} else {
		t.Logf("%.1f %% of intervals hold", 100*share)
	}
}

// Results that do not vary depend on nothing; no rows tell nothing.
func TestIndicesOfAConstant(t *testing.T) {
	s := NewSensitivity(10, 2, 1)
	results := make([]float64, s.Runs())
	for i := range results {
		results[i] = 0.1
	}
	for _, index := range s.Indices(results, 0.95, 1) {
		if index.First != (Estimate{}) || index.Total != (Estimate{}) || index.Changed.K != 0 || index.Changed.N != 10 {
			t.Errorf("%+v", index)
		}
	}
	if got := NewSensitivity(0, 2, 1).Indices(nil, 0.95, 1); len(got) != 2 {
		t.Error(got)
	}
}
