package report

import (
	"encoding/json"
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

// UnmarshalJSON reads what the unit says that the amounts are.
func (e *Statistic) UnmarshalJSON(data []byte) error {
	type plain Statistic
	in := struct {
		*plain
		Value json.RawMessage  `json:"value"`
		Low   *json.RawMessage `json:"low"`
		High  *json.RawMessage `json:"high"`
	}{plain: (*plain)(e)}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	read := func(raw json.RawMessage) (*Amount, error) {
		a := &Amount{Unit: e.Unit}
		if e.Unit == "1" {
			return a, json.Unmarshal(raw, &a.N)
		}
		return a, json.Unmarshal(raw, (*Seconds)(&a.N))
	}
	value, err := read(in.Value)
	if err != nil {
		return fmt.Errorf("%s: %w", e.Expr, err)
	}
	e.Value, e.Low, e.High = *value, nil, nil
	for end, raw := range map[**Amount]*json.RawMessage{&e.Low: in.Low, &e.High: in.High} {
		if raw != nil && string(*raw) != "null" {
			if *end, err = read(*raw); err != nil {
				return fmt.Errorf("%s: %w", e.Expr, err)
			}
		}
	}
	return nil
}

// String is e in words: p99(gap) = 29.87 s [29.81, 29.98], n = 200.
func (e Statistic) String() string {
	return fmt.Sprintf("%s = %s, n = %d", e.Expr, e.interval(), e.N)
}

// interval is the number with its interval.
func (e Statistic) interval() string {
	unit := ""
	if e.Value.Unit == "s" {
		unit = " s"
	}
	if e.Exact {
		return e.Value.String() + unit
	}
	end := func(a *Amount) string {
		if a == nil {
			return "?"
		}
		return a.trimmed()
	}
	return fmt.Sprintf("%s%s [%s, %s]", e.Value.trimmed(), unit, end(e.Low), end(e.High))
}

// trimmed is a to the millisecond or thousandth, without needless zeros.
func (a Amount) trimmed() string {
	if a.Unit == "1" {
		return a.String()
	}
	s := Seconds(a.N).Fixed(3)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}
