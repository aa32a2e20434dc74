package stats

import (
	"math/rand/v2"
	"testing"
)

// Three ways in which the two of a pair may hang together while both come from the seed's
// law: not at all; mostly equal; and one instant whenever the other is not, as when two
// tunnels change their names and the draw that chose one now chooses the other.
var pairings = map[string]func(*rand.Rand) (int64, int64){
	"independent": func(r *rand.Rand) (int64, int64) { return seedsCase(r), seedsCase(r) },
	"alike": func(r *rand.Rand) (int64, int64) {
		if x := seedsCase(r); r.IntN(4) > 0 {
			return x, x
		}
		return seedsCase(r), seedsCase(r)
	},
	"opposite": func(r *rand.Rand) (int64, int64) {
		x, long := int64(240*Millisecond), 20_000*Millisecond+r.Int64N(10_000*Millisecond)
		if r.IntN(2) == 0 {
			return x, long
		}
		return long, x
	},
}

// Where there is no difference, the test is wrong as often as it says, and the
// intervals hold nothing at least as often as they say, whatever pairs have in common.
func TestPairsWithoutADifference(t *testing.T) {
	const samples, n = 200, 100
	for name, pair := range pairings {
		r := rand.New(rand.NewPCG(7, uint64(len(name))))
		alarms, independent, max, share := 0, 0, 0, 0
		for sample := range uint64(samples) {
			a, b := make([]int64, n), make([]int64, n)
			ha, hb := NewHistogram(1), NewHistogram(1)
			onlyA, onlyB := int64(0), int64(0)
			for i := range a {
				a[i], b[i] = pair(r)
				ha.Add(a[i])
				hb.Add(b[i])
				switch instantA, instantB := a[i] < 1000*Millisecond, b[i] < 1000*Millisecond; {
				case instantA && !instantB:
					onlyA++
				case instantB && !instantA:
					onlyB++
				}
			}
			if SwapTest(a, b, sample).P <= 0.05 {
				alarms++
			}
			if KolmogorovSmirnov(ha, hb).P <= 0.05 {
				independent++
			}
			if s := PairedMaxShift(a, b, 0.95); s.Low > 0 || s.High < 0 {
				max++
			}
			if s := PairedShareShift(onlyA, onlyB, n, 0.95); s.Low > 0 || s.High < 0 {
				share++
			}
		}
		// 5 % of 200 are 10; more than 19 have a chance of 1 in 400.
		if alarms > 19 || max > 19 || share > 19 {
			t.Errorf("%s: of %d samples, %d alarms of the test, %d of the largest value, %d of the share", name, samples, alarms, max, share)
		}
		if alarms < 2 {
			t.Errorf("%s: %d alarms only: the test sees too little", name, alarms)
		}
		// Why there is another test than the one for independent samples.
		if name == "opposite" && independent < 20 {
			t.Errorf("a test for independent samples has %d false alarms, which are not too many", independent)
		}
	}
}

// A change is seen, with far fewer runs than independent samples would need where the
// two of a pair are alike.
func TestPairsWithADifference(t *testing.T) {
	const n = 400
	r := rand.New(rand.NewPCG(1, 2))
	a, b := make([]int64, n), make([]int64, n)
	onlyA := int64(0)
	for i := range a {
		a[i] = seedsCase(r)
		if b[i] = a[i]; a[i] > 1000*Millisecond {
			b[i] += 500 * Millisecond
		} else if i%20 == 0 {
			b[i] += 900 * Millisecond
			onlyA++
		}
	}
	if x := SwapTest(a, b, 1); x.P > 0.001 {
		t.Errorf("the test: %+v", x)
	}
	if s := PairedMaxShift(a, b, 0.95); s.Value != 500*Millisecond || s.Low <= 0 || s.High > 1000*Millisecond {
		t.Errorf("the largest value: %+v", s)
	}
	if s := PairedShareShift(onlyA, 0, n, 0.95); s.High >= 0 || s.Low < -0.06 || s.Value != -float64(onlyA)/n {
		t.Errorf("the share: %+v", s)
	}
}

// The exact interval of the difference of two shares covers it at least as often as it says:
// summed up over all samples of 30 pairs.
func TestPairedShareShiftCovers(t *testing.T) {
	const n = 30
	for _, p := range [][2]float64{{0, 0}, {0.02, 0.02}, {0.1, 0.3}, {0, 0.2}, {0.5, 0.5}, {0.4, 0.05}} {
		covered := 0.0
		for x := range int64(n + 1) {
			for y := range n + 1 - x {
				s := PairedShareShift(x, y, n, 0.95)
				if d := p[1] - p[0]; s.Low <= d && d <= s.High {
					covered += binomial(n, x, p[0]) * binomial(n-x, y, min(p[1]/(1-p[0]), 1))
				}
			}
		}
		if covered < 0.95 {
			t.Errorf("shares %v: covered in %.4f", p, covered)
		}
	}
}

func binomial(n, k int64, p float64) float64 {
	return atMost(n, k, p) - atMost(n, k-1, p)
}

func TestPairsOfNothing(t *testing.T) {
	same := []int64{1, 2, 3, 4, 5, 6, 7}
	if x := SwapTest(same, same, 1); x.P != 1 || x.Statistic != 0 {
		t.Error(x)
	}
	if s := PairedMaxShift(same, same, 0.95); s.Value != 0 || s.Low > 0 || s.High < 0 || !s.LowKnown {
		t.Error(s)
	}
	if s := PairedMaxShift(same[:5], same[:5], 0.95); s.LowKnown || s.HighKnown {
		t.Error(s)
	}
	if s := PairedShareShift(0, 0, 1000, 0.95); s.Low > -0.004 || s.Low < -0.005 || s.High != -s.Low || s.Value != 0 {
		t.Error(s)
	}
	if s := PairedShareShift(0, 0, 0, 0.95); s.Low != -1 || s.High != 1 {
		t.Error(s)
	}
	if x := SwapTest(nil, nil, 1); x.P != 1 {
		t.Error(x)
	}
}
