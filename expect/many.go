package expect

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
	"github.com/expr-lang/expr/vm"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/stats"
)

// An expectation over many runs, such as p99(gap) < duration("31s"), is two programs in
// one text. What stands in the call is evaluated in every run, as an expectation of one
// run is; what comes of that is counted; and the rest is evaluated once, with the
// quantile in place of the call. The two are parted by their tokens, and each is compiled
// with blanks where the other stood, so that the columns of errors are right.

// aggregates are the calls, and which quantile each is; 0: none.
var aggregates = map[string]float64{"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99,
	"p": 0, "mean": 0, "worst": 0, "least": 0, "share": 0}

// Metric is an expression that every run gives a number for.
type Metric struct {
	Text    string
	Unit    string // of a report.Amount: seconds, or a whole number; a condition is 1 or 0
	program *Program
}

// part is one of the calls.
type part struct {
	text     string // as it is written
	call     string
	quantile float64
	metric   int
}

// many is what an expectation over many runs is made of.
type many struct {
	metrics []Metric
	parts   []part
	rest    *Program // with parts in place of the calls
}

// placeholder is what stands for a part in the rest.
func placeholder(i int) string { return "_" + strconv.Itoa(i) }

// split parts the text; nil: it is about one run.
func split(text string) (*many, error) {
	tokens, err := lexer.Lex(file.NewSource(text))
	if err != nil {
		return nil, nil // the compiler says so better
	}
	m := &many{}
	source := []rune(text)
	rest := []rune(text)
	var stray []lexer.Token // names outside of calls
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		if t.Kind != lexer.Identifier || i > 0 && tokens[i-1].Is(lexer.Operator, ".", "?.") {
			continue
		}
		if !isAggregate(tokens, i) {
			stray = append(stray, t)
			continue
		}
		end, comma, err := arguments(tokens, i)
		if err != nil {
			return nil, err
		}
		p, metric, err := newPart(tokens, i, comma, end, source)
		if err != nil {
			return nil, err
		}
		p.metric = m.metric(metric)
		stands := []rune(placeholder(m.part(p)))
		for k := t.From; k < tokens[end].To; k++ {
			if rest[k] != '\n' {
				rest[k] = ' '
			}
		}
		copy(rest[t.From:], stands) // no call is shorter than that
		i = end
	}
	if len(m.parts) == 0 {
		return nil, nil
	}
	for _, t := range stray {
		switch {
		case strings.HasPrefix(t.Value, "_"):
			return nil, &ExprError{fmt.Sprintf("unknown name %s", t.Value), t.From + 1}
		case ofOneRun[t.Value]:
			return nil, &ExprError{fmt.Sprintf("%s is about one run, and %s about many: write it inside of a call like that", t.Value, m.parts[0].text), t.From + 1}
		}
	}
	m.rest, err = m.compile(string(rest))
	return m, err
}

// isAggregate tells whether a call begins at token i.
func isAggregate(tokens []lexer.Token, i int) bool {
	_, known := aggregates[tokens[i].Value]
	return known && tokens[i].Kind == lexer.Identifier && i+1 < len(tokens) && tokens[i+1].Is(lexer.Bracket, "(")
}

// arguments finds the end of the call at token i, and the comma between its arguments;
// 0: there is none.
func arguments(tokens []lexer.Token, i int) (end, comma int, err error) {
	call, depth := tokens[i], 0
	for k := i + 1; k < len(tokens); k++ {
		t := tokens[k]
		switch {
		case t.Is(lexer.Bracket, "(", "[", "{"):
			depth++
		case t.Is(lexer.Bracket):
			if depth--; depth == 0 {
				return k, comma, nil
			}
		case t.Is(lexer.Operator, ",") && depth == 1 && comma == 0:
			comma = k
		case t.Is(lexer.Operator, ",") && depth == 1:
			return 0, 0, &ExprError{fmt.Sprintf("%s takes no more arguments", call.Value), tokens[k+1].From + 1}
		case isAggregate(tokens, k) && !tokens[k-1].Is(lexer.Operator, ".", "?."):
			return 0, 0, &ExprError{fmt.Sprintf("%s inside of %s: each of them is over all runs, and gives one number", t.Value, call.Value), t.From + 1}
		}
	}
	return 0, 0, &ExprError{fmt.Sprintf("the bracket after %s is not closed", call.Value), call.From + 1}
}

// newPart reads the call whose tokens those from i to end are.
func newPart(tokens []lexer.Token, i, comma, end int, source []rune) (part, Metric, error) {
	call := tokens[i]
	p := part{text: string(source[call.From:tokens[end].To]), call: call.Value, quantile: aggregates[call.Value]}
	last := end // the token behind the expression
	switch {
	case call.Value == "p":
		const help = "p takes an expression and a quantile between 0 and 1: p(gap, 0.999)"
		if comma == 0 {
			return p, Metric{}, &ExprError{help, call.From + 1}
		}
		last = comma
		q, err := strconv.ParseFloat(tokens[comma+1].Value, 64)
		if tokens[comma+1].Kind != lexer.Number || comma+2 != end || err != nil || q <= 0 || q >= 1 {
			return p, Metric{}, &ExprError{help, tokens[comma+1].From + 1}
		}
		p.quantile = q
	case comma > 0:
		return p, Metric{}, &ExprError{fmt.Sprintf("%s takes one expression", call.Value), tokens[comma+1].From + 1}
	}
	if last == i+2 {
		return p, Metric{}, &ExprError{fmt.Sprintf("%s takes an expression about one run, such as %s(gap)", call.Value, call.Value), call.From + 1}
	}
	from, to := tokens[i+1].To, tokens[last].From
	inner := []rune(string(source[:to]))
	for k := range from {
		if inner[k] != '\n' {
			inner[k] = ' '
		}
	}
	program, err := compileOne(string(inner))
	if err != nil {
		return p, Metric{}, err
	}
	metric := Metric{Text: strings.TrimSpace(string(source[from:to])), program: program}
	if metric.Unit, err = unitOf(program, call.Value); err != nil {
		return p, Metric{}, &ExprError{err.Error(), tokens[i+2].From + 1}
	}
	return p, metric, nil
}

// unitOf what an aggregate is made of.
func unitOf(p *Program, call string) (string, error) {
	t := p.root.Type()
	if call == "share" {
		if t == nil || t.Kind() != reflect.Bool {
			return "", fmt.Errorf("share takes a condition, such as share(gap.outage < duration(\"1s\")), and this is a %s", typeName(t))
		}
		return "1", nil
	}
	switch {
	case t == durationType, t == reflect.TypeFor[Gap](), t == reflect.TypeFor[Convergence]():
		return "s", nil
	case t != nil && t.Kind() == reflect.Int:
		return "1", nil
	case t != nil && t.Kind() == reflect.Bool:
		return "", fmt.Errorf("%s takes a duration or a whole number, and this is true or false: share(…) is in how many of the runs it is true", call)
	}
	return "", fmt.Errorf("%s takes a duration, a whole number, a gap or a convergence, and this is a %s", call, typeName(t))
}

func typeName(t reflect.Type) string {
	switch {
	case t == nil || t.Kind() == reflect.Interface:
		return "value whose type is not known before the run"
	case t == durationType:
		return "duration"
	case t.Kind() == reflect.Slice:
		return "list"
	case t.Kind() == reflect.Float64:
		return "fraction"
	case t.Kind() == reflect.Int:
		return "whole number"
	}
	return strings.ToLower(t.Name())
}

// metric is the place of x among those that are counted; what two calls have in common
// is counted once.
func (m *many) metric(x Metric) int {
	for i := range m.metrics {
		if m.metrics[i].Text == x.Text {
			return i
		}
	}
	m.metrics = append(m.metrics, x)
	return len(m.metrics) - 1
}

func (m *many) part(p part) int {
	for i := range m.parts {
		if o := m.parts[i]; o.call == p.call && o.metric == p.metric && o.quantile == p.quantile {
			return i
		}
	}
	m.parts = append(m.parts, p)
	return len(m.parts) - 1
}

// compile compiles the rest.
func (m *many) compile(rest string) (*Program, error) {
	env := map[string]any{"duration": parseDuration, "at": parseDuration}
	for i := range m.parts {
		env[placeholder(i)] = m.value(i, 0)
	}
	run, err := expr.Compile(rest, append(common(), expr.Env(env), expr.AsBool())...)
	if err != nil {
		return nil, exprError(err)
	}
	p := &Program{text: rest, run: run, root: run.Node()}
	return p, p.literals()
}

// value is a number of a part as the rest takes it.
func (m *many) value(i int, n int64) any {
	switch m.amount(i, n).Unit {
	case "s":
		return time.Duration(n)
	case "1":
		return int(n)
	}
	return float64(n) / report.Billion
}

// amount is a number of a part: of shares and of means of whole numbers, billionths.
func (m *many) amount(i int, n int64) report.Amount {
	unit := m.metrics[m.parts[i].metric].Unit
	if c := m.parts[i].call; c == "share" || c == "mean" && unit == "1" {
		unit = report.Ratio
	}
	return report.Amount{N: n, Unit: unit}
}

// Many tells whether the expectation is over many runs; Eval is not for it then.
func (p *Program) Many() bool { return p.many != nil }

// Metrics are what is to be counted of every run for Judge.
func (p *Program) Metrics() []Metric {
	if p.many == nil {
		return nil
	}
	return p.many.metrics
}

// Value of a metric in a run: nanoseconds, a whole number, or 1 for a condition that
// holds and 0 for one that doesn't.
func (m *Metric) Value(f *Facts) (int64, error) {
	out, err := vm.Run(m.program.run, f.env)
	if err != nil {
		return 0, runError(err)
	}
	switch v := out.(type) {
	case time.Duration:
		return int64(v), nil
	case int:
		return int64(v), nil
	case Gap:
		return int64(v.Outage), nil
	case Convergence:
		return int64(v.Seconds), nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	}
	return 0, fmt.Errorf("%s gives a %T", m.Text, out)
}

// Outcome is what came of an expectation over many runs.
type Outcome struct {
	OK         bool
	Sure       bool // it comes out the same wherever in their intervals the numbers lie
	Got        string
	Statistics []report.Statistic
	// If it has failed: a metric that is too large, or too small.
	Metric   int
	TooSmall bool
}

// far is beyond every number.
const far = math.MaxInt64 / 4

// mostCorners is how many numbers are moved to the ends of their intervals together.
const mostCorners = 8

// Judge evaluates the expectation, values being what the metrics of all runs were.
func (p *Program) Judge(values []*stats.Histogram, confidence float64) (Outcome, error) {
	m := p.many
	out := Outcome{Sure: true}
	n := len(m.parts)
	here, low, high := make([]int64, n), make([]int64, n), make([]int64, n)
	var saw []string
	for i := range m.parts {
		e := m.estimate(i, values[m.parts[i].metric], confidence)
		out.Statistics = append(out.Statistics, e)
		saw = append(saw, e.String())
		here[i], low[i], high[i] = e.Value.N, -far, far
		if e.Low != nil {
			low[i] = e.Low.N
		}
		if e.High != nil {
			high[i] = e.High.N
		}
	}
	out.Got = strings.Join(saw, ", ")
	ok, err := m.holds(here)
	if err != nil {
		return out, err
	}
	out.OK = ok
	at := make([]int64, n)
	for corner := range 1 << min(n, mostCorners) {
		copy(at, here)
		for i := range min(n, mostCorners) {
			at[i] = low[i]
			if corner>>i&1 == 1 {
				at[i] = high[i]
			}
		}
		if other, err := m.holds(at); err != nil || other != ok {
			out.Sure = false
		}
	}
	if !ok {
		out.Metric, out.TooSmall = m.astray(here)
	}
	return out, nil
}

// astray finds a number that would have to be another one, and in which direction.
func (m *many) astray(here []int64) (metric int, tooSmall bool) {
	for i := range m.parts {
		for _, end := range []int64{-far, far} {
			at := append([]int64{}, here...)
			at[i] = end
			if ok, err := m.holds(at); ok && err == nil {
				return m.parts[i].metric, end > 0
			}
		}
	}
	return m.parts[0].metric, false
}

// holds evaluates the rest.
func (m *many) holds(at []int64) (bool, error) {
	env := map[string]any{"duration": parseDuration, "at": parseDuration}
	for i, n := range at {
		env[placeholder(i)] = m.value(i, n)
	}
	out, err := expr.Run(m.rest.run, env)
	if err != nil {
		return false, runError(err)
	}
	ok, _ := out.(bool)
	return ok, nil
}

// estimate is a part's number and its interval.
func (m *many) estimate(i int, h *stats.Histogram, confidence float64) report.Statistic {
	p := &m.parts[i]
	e := report.Statistic{Expr: p.text, Unit: m.amount(i, 0).Unit, N: h.N()}
	set := func(n int64) *report.Amount {
		a := m.amount(i, n)
		return &a
	}
	switch p.call {
	case "worst", "least": // of these runs, exactly
		n := h.Max()
		if p.call == "least" {
			n = h.Min()
		}
		e.Value, e.Low, e.High, e.Exact = m.amount(i, n), set(n), set(n), true
	case "share":
		x := stats.NewShare(h.N()-h.AtMost(0), h.N(), confidence)
		e.Value, e.Low, e.High = m.amount(i, billionths(x.Value())), set(billionths(x.Low)), set(billionths(x.High))
	case "mean":
		x := h.MeanInterval(confidence)
		scale := math.Round
		if m.metrics[p.metric].Unit == "1" {
			scale = func(x float64) float64 { return math.Round(x * report.Billion) }
		}
		e.Value = m.amount(i, int64(scale(x.Value)))
		if x.Known {
			e.Low, e.High = set(int64(scale(x.Low))), set(int64(scale(x.High)))
		}
	default:
		x := h.QuantileInterval(p.quantile, confidence)
		e.Quantile = p.quantile
		e.Value = m.amount(i, h.Quantile(p.quantile))
		if x.LowKnown {
			e.Low = set(x.Low)
		}
		if x.HighKnown {
			e.High = set(x.High)
		}
		if !x.LowKnown || !x.HighKnown {
			e.Needed = stats.RunsForQuantile(p.quantile, confidence)
		}
	}
	return e
}

func billionths(x float64) int64 { return int64(math.Round(x * report.Billion)) }
