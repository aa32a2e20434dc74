package stats

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"
)

func TestPairsAreTheSameBytesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(-1e12, 1e12), 2, 60).Draw(t, "values")
		whole, left, right := NewPairs(Millisecond), NewPairs(Millisecond), NewPairs(Millisecond)
		less, squares := int64(0), 0.0
		for i := 0; i+1 < len(values); i += 2 {
			whole.Add(values[i], values[i+1])
			if values[i+1] < values[i] {
				less++
			}
			squares += math.Pow(float64(values[i+1]-values[i]), 2)
			if values[i]%2 == 0 {
				left.Add(values[i], values[i+1])
			} else {
				right.Add(values[i], values[i+1])
			}
		}
		right.Merge(left)
		a, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(right)
		var back Pairs
		if err := json.Unmarshal(a, &back); err != nil {
			t.Fatal(err)
		}
		c, _ := json.Marshal(&back)
		if !bytes.Equal(a, b) || !bytes.Equal(a, c) {
			t.Fatalf("%s\n%s\n%s", a, b, c)
		}
		if sum, _ := whole.Differences.squares.Float64(); whole.Less != less || whole.N() != int64(len(values)/2) || math.Abs(sum-squares) > 1e-9*squares {
			t.Fatalf("%s", a)
		}
	})
}

// Dixon and Mood: of 8 pairs that differ, 1 one way has the two-sided probability
// 2 (1 + 8) / 256; pairs that are equal are left out.
func TestSignTest(t *testing.T) {
	p := NewPairs(1)
	for _, d := range []int64{1, 2, 3, 4, 5, 6, 7, -1, 0, 0} {
		p.Add(10, 10+d)
	}
	if got := p.SignTest(); math.Abs(got.P-18.0/256) > 1e-12 || got.Statistic != 7.0/8 {
		t.Errorf("%+v", got)
	}
	if got := p.Changed(0.95); got.K != 8 || got.N != 10 {
		t.Errorf("%+v", got)
	}
	if m := p.Median(0.5); m.Value != 2 || !m.LowKnown || !m.HighKnown || m.Low > 2 || m.High < 2 {
		t.Errorf("%+v", m)
	}
}

// The mean difference and its interval against gonum's mean and standard deviation.
func TestMeanDifference(t *testing.T) {
	p, values := NewPairs(1), []float64{}
	for i := range int64(40) {
		p.Add(i, i*i)
		values = append(values, float64(i*i-i))
	}
	mean, deviation := stat.MeanStdDev(values, nil)
	const t39 = 2.022691 // 97.5 % point of Student's t with 39 degrees of freedom
	half := t39 * deviation / math.Sqrt(40)
	if m := p.Mean(0.95); !m.Known || math.Abs(m.Value-mean) > 1e-9 || math.Abs(m.Low-(mean-half)) > 1e-3 || math.Abs(m.High-(mean+half)) > 1e-3 {
		t.Errorf("%+v, want %g +- %g", m, mean, half)
	}
	few := NewPairs(1)
	for i := range int64(1000) {
		few.Add(0, i/971) // 29 differ
	}
	if m := few.Mean(0.95); m.Known {
		t.Errorf("29 differences in 1000 pairs give %+v", m)
	}
}

// The interval of a paired shift by its definition: all values q of the first and v of
// the second are tried that their own intervals hold, also those between what was seen.
func TestPairedQuantileShiftByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(4, 24).Draw(t, "n")
		x := rapid.SliceOfN(rapid.Int64Range(0, 12), n, n).Draw(t, "x")
		y := rapid.SliceOfN(rapid.Int64Range(0, 12), n, n).Draw(t, "y")
		if rapid.Bool().Draw(t, "alike") {
			for i := range y {
				y[i] = x[i] + y[i]/6
			}
		}
		// Everything is times 4, so that there are values between: q in between.
		for i := range x {
			x[i], y[i] = 4*x[i], 4*y[i]
		}
		const p, confidence = 0.5, 0.8
		got := PairedQuantileShift(x, y, p, confidence)
		sorted := slices.Sorted(slices.Values(x))
		from, to := lastRank(int64(n), p, 0.005), firstRank(int64(n), p, 0.005)
		if from < 1 || to > int64(n) {
			if got.LowKnown || got.HighKnown {
				t.Fatalf("%+v", got)
			}
			return
		}
		const tail = 0.09
		low, high, seconds := int64(1000), int64(-1000), slices.Sorted(slices.Values(y))
		for q := sorted[from-1]; q <= sorted[to-1]; q++ {
			for v := seconds[from-1]; v <= seconds[to-1]; v++ {
				strict, with := [2]int64{}, [2]int64{} // only the first below, only the second
				for i := range x {
					switch first, second := x[i] < q, y[i] <= v; {
					case first && !second:
						strict[0]++
					case second && !first:
						strict[1]++
					}
					switch first, second := x[i] <= q, y[i] < v; {
					case first && !second:
						with[0]++
					case second && !first:
						with[1]++
					}
				}
				if binomialTail(strict[0], strict[0]+strict[1]) > tail {
					low = min(low, v-q)
				}
				if binomialTail(with[1], with[0]+with[1]) > tail {
					high = max(high, v-q)
				}
			}
		}
		if !got.LowKnown || !got.HighKnown || got.Low != low || got.High != high {
			t.Fatalf("%+v, want %d to %d", got, low, high)
		}
	})
}
