package report

import (
	"fmt"
	"strings"
)

// Statistic is a number over many runs, such as p99(gap), and the interval of what is
// behind it. An end that is null is not known: there are too few runs.
type Statistic struct {
	Expr     string  `json:"expr"`
	Unit     string  `json:"unit"` // "s", "1" for whole numbers, "ratio" for shares and means of them
	N        int64   `json:"n"`
	Quantile float64 `json:"quantile,omitempty"`
	Exact    bool    `json:"exact"` // the largest or the smallest of these n runs, and nothing beyond
	Value    Amount  `json:"value"`
	Low      *Amount `json:"low"`
	High     *Amount `json:"high"`
	Needed   int64   `json:"runs_needed,omitempty"` // for both ends, if one is not known and it depends on the number of runs alone
}

// Ratio is the unit of an Amount in billionths.
const (
	Ratio   = "ratio"
	Billion = 1e9
)

// String is e in words: p99(gap) = 29.87 s [29.81, 29.98], n = 200.
func (e Statistic) String() string {
	unit := ""
	if e.Value.Unit == "s" {
		unit = " s"
	}
	if e.Exact {
		return fmt.Sprintf("%s = %s%s, n = %d", e.Expr, e.Value, unit, e.N)
	}
	end := func(a *Amount) string {
		if a == nil {
			return "?"
		}
		return a.trimmed()
	}
	return fmt.Sprintf("%s = %s%s [%s, %s], n = %d", e.Expr, e.Value.trimmed(), unit, end(e.Low), end(e.High), e.N)
}

// trimmed is a to the millisecond or thousandth, without needless zeros.
func (a Amount) trimmed() string {
	if a.Unit == "1" {
		return a.String()
	}
	s := Seconds(a.N).Fixed(3)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}
