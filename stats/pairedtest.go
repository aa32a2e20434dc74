package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext/prng"
)

// SwapTest asks whether the first and the second values of pairs come from one
// distribution, whatever the two of a pair have to do with each other. The statistic is
// that of Kolmogorov and Smirnov, the largest distance of the cumulative shares. If it made no
// difference which of a pair is the first, swapping any of the pairs would give a sample that
// is as likely; P is the share of random swappings, the sample itself among them, whose
// statistic is at least as large (Pesarin and Salmaso, Permutation Tests for Complex Data,
// 1.6). So it is never too small, also where the two of a pair avoid each other: there,
// tests for independent samples give false alarms. The same seed gives the same P.
func SwapTest(first, second []int64, seed uint64) Test {
	// A step is where a value lies: the number of the pair, and whether it is the first.
	type step struct {
		value int64
		pair  int32
		sign  int8
	}
	var steps []step
	pairs := 0
	for i := range first {
		if first[i] != second[i] { // equal ones stay where they are
			steps = append(steps, step{first[i], int32(pairs), 1}, step{second[i], int32(pairs), -1})
			pairs++
		}
	}
	if pairs == 0 {
		return Test{P: 1}
	}
	slices.SortFunc(steps, func(x, y step) int { return cmp.Compare(x.value, y.value) })
	for i := range steps { // value: from now on, whether a tie ends here
		ends := int64(0)
		if i+1 == len(steps) || steps[i+1].value != steps[i].value {
			ends = 1
		}
		steps[i].value = ends
	}
	swapped := make([]uint64, (pairs+63)/64)
	distance := func(stop int) int {
		largest, sum := 0, 0
		for i := range steps {
			s := &steps[i]
			d := int(s.sign)
			if swapped[s.pair/64]>>(s.pair%64)&1 != 0 {
				d = -d
			}
			if sum += d; s.value != 0 && max(sum, -sum) > largest {
				if largest = max(sum, -sum); largest >= stop {
					return largest
				}
			}
		}
		return largest
	}
	seen := distance(math.MaxInt)
	random := prng.NewSplitMix64(seed)
	swappings := min(max(swapWork/len(steps), leastSwappings), mostSwappings)
	atLeast := 1
	for range swappings {
		for i := range swapped {
			swapped[i] = random.Uint64()
		}
		if distance(seen) >= seen {
			atLeast++
		}
	}
	return Test{float64(seen) / float64(len(first)), float64(atLeast) / float64(swappings+1)}
}

// How many swappings are tried: fewer of very large samples.
const (
	leastSwappings = 199
	mostSwappings  = 1999
	swapWork       = 100_000_000 // steps
)

// ShareShift is by how much the share of the second values that are of a kind is above
// that of the first.
type ShareShift struct{ Value, Low, High float64 }

// PairedShareShift compares two shares of n pairs, in onlyFirst of which only the first is of
// the kind, and in onlySecond only the second. The difference is the share of pairs that are
// divided, times how one-sided they are; both have Clopper's and Pearson's intervals, each with
// half of the error that is allowed. So it is conservative, and has an interval also where
// no pair is divided.
func PairedShareShift(onlyFirst, onlySecond, n int64, confidence float64) ShareShift {
	if n == 0 {
		return ShareShift{Low: -1, High: 1}
	}
	each := (1 + confidence) / 2
	divided := NewShare(onlyFirst+onlySecond, n, each)
	side := NewShare(onlySecond, onlyFirst+onlySecond, each)
	times := func(side, near, far float64) float64 {
		if x := 2*side - 1; x > 0 {
			return near * x
		} else {
			return far * x
		}
	}
	return ShareShift{
		Value: float64(onlySecond-onlyFirst) / float64(n),
		Low:   times(side.Low, divided.Low, divided.High),
		High:  times(side.High, divided.High, divided.Low),
	}
}

// PairedMaxShift is the difference between the largest second value and the largest first.
// No interval of a largest value holds for every distribution. This one rests on the
// change moving the largest values by the same amount d: were it so, and second values
// d smaller, each of the largest of all values would be a first or a second with the same
// chance, those of different pairs independently. That the k largest are all seconds has a chance
// of 2^-k at most (compare Rosenbaum, Annals of Mathematical Statistics 25, 1954): d is
// refuted when that is less than half of the error that is allowed. So "more than 0" needs
// no assumption: it is a test of exchangeable pairs.
func PairedMaxShift(first, second []int64, confidence float64) Shift {
	var out Shift
	if len(first) == 0 {
		return out
	}
	a, b := slices.Sorted(slices.Values(first)), slices.Sorted(slices.Values(second))
	last := len(a) - 1
	out.Value = b[last] - a[last]
	k := int(math.Ceil(-math.Log2((1 - confidence) / 2)))
	if k > len(a) {
		return out
	}
	out.Low, out.LowKnown = b[last-k+1]-a[last], true
	out.High, out.HighKnown = b[last]-a[last-k+1], true
	return out
}
