package plot

import (
	"math"
	"slices"
	"strconv"
	"strings"

	gonum "gonum.org/v1/plot"

	"github.com/vpnsim/vpnsim/stats"
)

// Unit of the integers that are drawn.
type Unit int

// The units that there are.
const (
	Seconds Unit = iota // values are nanoseconds
	Count               // values are numbers of something
)

// scale is what values are divided by, and the name of the unit then, for values up to
// most: short times are shown in milliseconds.
func (u Unit) scale(most float64) (by float64, name string) {
	switch {
	case u == Count:
		return 1, ""
	case most < 1e9:
		return 1e6, "ms"
	}
	return 1e9, "s"
}

// label of an axis with its unit.
func label(what, unit string) string {
	switch {
	case unit == "":
		return what
	case what == "":
		return unit
	}
	return what + " (" + unit + ")"
}

// amount is a value with its unit.
func amount(v, by float64, unit string) string {
	s := number(v / by)
	if unit != "" {
		s += " " + unit
	}
	return s
}

// number in about three digits, without exponent where people write none.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a == 0 || a >= 1e-3 && a < 1e7:
		digits := 2 - int(math.Floor(math.Log10(math.Max(a, 1e-3))))
		s := strconv.FormatFloat(v, 'f', min(max(digits, 0), 5), 64)
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		return s
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// interval in brackets; an end that is not known is a question mark.
func interval(i stats.Interval, by float64) string {
	low, high := "?", "?"
	if i.LowKnown {
		low = number(float64(i.Low) / by)
	}
	if i.HighKnown {
		high = number(float64(i.High) / by)
	}
	return "[" + low + ", " + high + "]"
}

// round are at most count+2 round numbers from low to high: multiples of 1, 2 or 5 times a
// power of ten, and how many decimals they need.
func round(low, high float64, count int) (values []float64, decimals int) {
	if !(high > low) {
		return []float64{low}, 2
	}
	rough := (high - low) / float64(count)
	exponent := math.Floor(math.Log10(rough))
	step := math.Pow(10, exponent)
	for _, m := range []float64{2, 5, 10} {
		if step*1.0001 >= rough {
			break
		}
		step = m * math.Pow(10, exponent)
	}
	decimals = max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	for i := math.Ceil(low/step - 1e-9); i <= math.Floor(high/step+1e-9); i++ {
		values = append(values, i*step+0) // not -0
	}
	return values, decimals
}

// scaled puts round numbers on an axis from low to high.
func scaled(a *gonum.Axis, low, high float64, count int) []float64 {
	a.Min, a.Max = low, high
	values, decimals := round(low, high, count)
	var ticks gonum.ConstantTicks
	for _, v := range values {
		ticks = append(ticks, gonum.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', decimals, 64)})
	}
	a.Tick.Marker = ticks
	return values
}

// themselves are ticks at values, so that what was run can be read off; not where they
// would be too close to each other.
func themselves(values []float64, room float64) gonum.ConstantTicks {
	var ticks gonum.ConstantTicks
	for _, v := range slices.Compact(slices.Sorted(slices.Values(values))) {
		t := gonum.Tick{Value: v, Label: number(v)}
		if n := len(ticks); n > 0 && v-ticks[n-1].Value < room {
			t.Label = "" // a short tick
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// alike writes numbers with as many decimals as the largest of them has in three digits.
func alike(values []float64) func(float64) string {
	most, whole := 0.0, true
	for _, v := range values {
		if !math.IsNaN(v) {
			most, whole = math.Max(most, math.Abs(v)), whole && v == math.Trunc(v)
		}
	}
	if most >= 1e7 || most > 0 && most < 1e-2 {
		return number
	}
	decimals := 0
	if !whole {
		decimals = min(max(2-int(math.Floor(math.Log10(most))), 0), 4)
	}
	return func(v float64) string { return strconv.FormatFloat(v, 'f', decimals, 64) }
}

// named puts names on an axis at 0, 1, 2 and so on.
func named(a *gonum.Axis, names []string) {
	a.Min, a.Max = -0.5, float64(len(names))-0.5
	var ticks gonum.ConstantTicks
	for i, name := range names {
		ticks = append(ticks, gonum.Tick{Value: float64(i), Label: name})
	}
	a.Tick.Marker = ticks
}

// span of values with a little more, from 0 if none is below.
func span(low, high float64, more float64) (float64, float64) {
	low, high = math.Min(low, 0), math.Max(high, 0)
	if high == low {
		high = low + 1
	}
	size := high - low
	if low < 0 {
		low -= more * size
	}
	return low, high + more*size
}
