package tune

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// Quantity is a number that a point has: a statistic of a metric of its runs, or FlapsPerYear.
type Quantity struct {
	Stat   string // of Stats; empty: Metric alone
	Metric string
}

// FlapsPerYear is the false drops of one tunnel in a year.
const FlapsPerYear = "flaps_per_year"

// Stats are the statistics of a metric.
var Stats = []string{"p50", "p90", "p95", "p99", "mean", "max"}

func (q Quantity) String() string {
	if q.Stat == "" {
		return q.Metric
	}
	return q.Stat + "(" + q.Metric + ")"
}

// Duration tells whether q is one.
func (q Quantity) Duration() bool {
	m, ok := sweep.Find(q.Metric)
	return ok && m.Unit == sweep.Duration
}

// Unit of q, for people.
func (q Quantity) Unit() string {
	if q.Duration() {
		return "s"
	}
	return ""
}

// Goal is what is to be made small, or large.
type Goal struct {
	Quantity
	Max bool
}

func (g Goal) String() string {
	if g.Max {
		return "max " + g.Quantity.String()
	}
	return "min " + g.Quantity.String()
}

// Keep is a constraint.
type Keep struct {
	Quantity
	Op    string // <, <=, >, >=
	Limit float64
	Text  string // of the limit, as it was written
}

func (k Keep) String() string { return k.Quantity.String() + " " + k.Op + " " + k.Text }

// Holds tells whether the constraint holds for x.
func (k Keep) Holds(x float64) bool {
	switch k.Op {
	case "<":
		return x < k.Limit
	case "<=":
		return x <= k.Limit
	case ">":
		return x > k.Limit
	}
	return x >= k.Limit
}

// SyntaxError is what is wrong with a goal or a constraint, and at which column.
type SyntaxError struct {
	Column  int
	Message string
	Help    string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Message) }

// reader takes words and signs from the front of a text.
type reader struct {
	text string
	at   int
}

func (r *reader) space() {
	for r.at < len(r.text) && r.text[r.at] == ' ' {
		r.at++
	}
}

// word takes what set says of the next characters.
func (r *reader) word(set string) (word string, column int) {
	r.space()
	from := r.at
	for r.at < len(r.text) && strings.IndexByte(set, r.text[r.at]) >= 0 {
		r.at++
	}
	return r.text[from:r.at], from + 1
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"

func metricNames() []string {
	var names []string
	for _, m := range sweep.Metrics {
		names = append(names, m.Name)
	}
	return names
}

func (r *reader) quantity() (q Quantity, err error) {
	word, at := r.word(letters)
	help := "write p99(outage), mean(lost) or " + FlapsPerYear
	switch {
	case word == "":
		return q, &SyntaxError{at, "a quantity is missing", help}
	case word == FlapsPerYear:
		return Quantity{Metric: word}, nil
	case !slices.Contains(Stats, word):
		if slices.Contains(metricNames(), word) {
			return q, &SyntaxError{at, fmt.Sprintf("which number of %s? It has one for each run", word), fmt.Sprintf("write p99(%s), mean(%s) or max(%s)", word, word, word)}
		}
		return q, &SyntaxError{at, fmt.Sprintf("%q is not known", word), "known are " + strings.Join(Stats, ", ") + " of a metric, and " + FlapsPerYear}
	}
	q.Stat = word
	if sign, at := r.word("("); sign != "(" {
		return q, &SyntaxError{at, fmt.Sprintf("%s of what? A ( is missing", word), help}
	}
	if q.Metric, at = r.word(letters); !slices.Contains(metricNames(), q.Metric) {
		return q, &SyntaxError{at, fmt.Sprintf("%q is no metric", q.Metric), "metrics are " + strings.Join(metricNames(), ", ")}
	}
	if sign, at := r.word(")"); sign != ")" {
		return q, &SyntaxError{at, "a ) is missing", help}
	}
	return q, nil
}

func (r *reader) end() error {
	if r.space(); r.at < len(r.text) {
		return &SyntaxError{r.at + 1, fmt.Sprintf("%q is too much", r.text[r.at:]), ""}
	}
	return nil
}

// ParseGoal reads "min p99(outage)".
func ParseGoal(text string) (g Goal, err error) {
	r := reader{text: text}
	word, at := r.word(letters)
	if word != "min" && word != "max" {
		return g, &SyntaxError{at, fmt.Sprintf("a goal begins with min or max, not with %q", word), "write 'min p99(outage)'"}
	}
	g.Max = word == "max"
	if g.Quantity, err = r.quantity(); err == nil {
		err = r.end()
	}
	return g, err
}

// ParseKeep reads "flaps_per_year < 1" or "p99(gap) <= 31s".
func ParseKeep(text string) (k Keep, err error) {
	r := reader{text: text}
	if k.Quantity, err = r.quantity(); err != nil {
		return k, err
	}
	op, at := r.word("<>=!")
	if !slices.Contains([]string{"<", "<=", ">", ">="}, op) {
		return k, &SyntaxError{at, fmt.Sprintf("%q does not compare", op), "write <, <=, > or >="}
	}
	k.Op = op
	number, at := r.word(letters + ".+-")
	if k.Text = number; k.Duration() {
		d, err := topology.ParseDuration(number)
		if err != nil {
			return k, &SyntaxError{at, err.Error(), k.Quantity.String() + " is a duration, such as 31s"}
		}
		k.Limit = d.Seconds()
	} else if k.Limit, err = strconv.ParseFloat(number, 64); err != nil {
		return k, &SyntaxError{at, fmt.Sprintf("%q is not a number", number), k.Quantity.String() + " is counted, and has no unit"}
	}
	return k, r.end()
}
