package sweep

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// Vary is a parameter and the values that it takes: path=a,b,c or path=a..b, which
// is five values from a to b, or path=a..b/9, which is nine.
type Vary struct {
	Path   string
	Values []string // as --set takes them
	Range  *Range   // what Values were made of; nil: they were listed
}

// Range is from A to B, of durations (in nanoseconds) or of numbers.
type Range struct {
	A, B     *big.Rat
	Duration bool
}

// usualValues of a range that does not say how many.
const usualValues = 5

// mostValues of one parameter, and MostPoints of a grid.
const (
	mostValues = 1000
	MostPoints = 10_000
)

// ParseVary reads what stands behind --vary.
func ParseVary(text string) (Vary, error) {
	path, values, ok := strings.Cut(text, "=")
	v := Vary{Path: strings.TrimSpace(path)}
	if !ok || v.Path == "" || values == "" {
		return v, fmt.Errorf("%q does not say what takes which values: write routers.aws.bgp.hold=9s,30s,90s or =9s..90s", text)
	}
	from, to, isRange := strings.Cut(values, "..")
	if !isRange {
		v.Values = split(values)
		for i, x := range v.Values {
			if v.Values[i] = strings.TrimSpace(x); v.Values[i] == "" {
				return v, fmt.Errorf("%q: one of the values is empty", text)
			}
		}
		if len(v.Values) > mostValues {
			return v, fmt.Errorf("%s: %d values are too many", v.Path, len(v.Values))
		}
		return v, nil
	}
	n := int64(usualValues)
	if end, count, ok := strings.Cut(to, "/"); ok {
		to = end
		k, err := parseCount(count)
		if err != nil || k < 2 || k > mostValues {
			return v, fmt.Errorf("%q: %q is not from 2 to %d, the number of values", text, count, mostValues)
		}
		n = k
	}
	r, err := parseRange(from, to)
	if err != nil {
		return v, fmt.Errorf("%q: %w", text, err)
	}
	v.Range = r
	for i := range n {
		v.Values = append(v.Values, r.At(big.NewRat(i, n-1)))
	}
	return v, nil
}

// split separates values at commas, but not within uniform(1s, 2s) or [a, b].
func split(text string) []string {
	var list []string
	depth, from := 0, 0
	for i, c := range text {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',':
			if depth == 0 {
				list = append(list, text[from:i])
				from = i + 1
			}
		}
	}
	return append(list, text[from:])
}

func parseCount(text string) (int64, error) {
	x, ok := new(big.Int).SetString(strings.TrimSpace(text), 10)
	if !ok || !x.IsInt64() {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return x.Int64(), nil
}

// parseRange takes two durations, or two numbers.
func parseRange(a, b string) (*Range, error) {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	x, errX := topology.ParseDuration(a)
	y, errY := topology.ParseDuration(b)
	r := &Range{Duration: errX == nil && errY == nil}
	if r.Duration {
		r.A, r.B = new(big.Rat).SetInt64(int64(x)), new(big.Rat).SetInt64(int64(y))
	} else {
		var okA, okB bool
		r.A, okA = number(a)
		r.B, okB = number(b)
		switch {
		case okA && errY == nil || okB && errX == nil:
			return nil, fmt.Errorf("one end has a unit and the other has none")
		case !okA || !okB:
			return nil, fmt.Errorf("a range is between two durations or two numbers: 9s..90s, 0..10")
		}
	}
	if r.A.Cmp(r.B) >= 0 {
		return nil, fmt.Errorf("a range goes from the smaller value to the larger one")
	}
	return r, nil
}

func number(text string) (*big.Rat, bool) {
	if text == "" || len(text) > 20 || strings.Trim(text, "0123456789.-") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// At is the value at a share of the way from A to B, as exact as the ends are: between whole
// numbers it is one, between whole seconds too, since many timers take no others.
func (r *Range) At(share *big.Rat) string {
	x := new(big.Rat).Sub(r.B, r.A)
	x.Add(x.Mul(x, share), r.A)
	if !r.Duration {
		if r.A.IsInt() && r.B.IsInt() {
			return nearest(x).String()
		}
		return strings.TrimRight(strings.TrimRight(x.FloatString(6), "0"), ".")
	}
	unit := r.unit()
	n := nearest(new(big.Rat).Quo(x, new(big.Rat).SetInt64(unit)))
	return topology.FormatDuration(time.Duration(n.Int64() * unit))
}

// unit is the coarsest one that both ends are whole numbers of, and that leaves room for ten
// values.
func (r *Range) unit() int64 {
	span := new(big.Rat).Sub(r.B, r.A)
	for _, u := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		x := new(big.Rat).SetInt64(int64(u))
		whole := func(v *big.Rat) bool { return new(big.Rat).Quo(v, x).IsInt() }
		if whole(r.A) && whole(r.B) && span.Cmp(new(big.Rat).SetInt64(10*int64(u))) >= 0 {
			return int64(u)
		}
	}
	return 1
}

// nearest whole number, halves away from zero for what is positive.
func nearest(x *big.Rat) *big.Int {
	twice := new(big.Int).Add(new(big.Int).Mul(x.Num(), big.NewInt(2)), x.Denom())
	return twice.Div(twice, new(big.Int).Mul(x.Denom(), big.NewInt(2)))
}

// Grid is every combination of the values, the last parameter changing fastest. The
// first point changes nothing: it is what all others are compared with.
func Grid(list []Vary) ([][]string, error) {
	points := [][]string{{}}
	for _, v := range list {
		var next [][]string
		for _, p := range points {
			for _, x := range v.Values {
				next = append(next, append(p[:len(p):len(p)], v.Path+"="+x))
			}
		}
		if points = next; len(points) > MostPoints {
			return nil, fmt.Errorf("the values make more than %d points: vary fewer at a time, or take a Latin hypercube", MostPoints)
		}
	}
	if len(list) == 0 {
		return points, nil
	}
	return append([][]string{{}}, points...), nil
}

// Hypercube is points all over the ranges, one for each row of places, which lie
// in [0,1): stats.Latin gives such. Listed values are taken in equal parts.
func Hypercube(list []Vary, places [][]float64) [][]string {
	points := [][]string{{}}
	for _, row := range places {
		var p []string
		for i, v := range list {
			p = append(p, v.Path+"="+v.Pick(row[i]))
		}
		points = append(points, p)
	}
	return points
}

// Pick is the value at a place in [0,1).
func (v *Vary) Pick(place float64) string {
	if v.Range != nil {
		return v.Range.At(new(big.Rat).SetFloat64(place))
	}
	return v.Values[min(int(place*float64(len(v.Values))), len(v.Values)-1)]
}
