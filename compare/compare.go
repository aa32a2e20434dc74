package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// MostRuns of each design: the values of all pairs are kept.
const MostRuns = 200_000

// Side is one of the two designs.
type Side struct {
	Design *topology.Design
	Sets   []string
	Load   explain.Loader // reads it again
}

// Ask says what to compare.
type Ask struct {
	Sides      [2]Side // A and B
	Metrics    []sweep.Metric
	First      uint64
	Runs       int
	Conditions []*Condition
	Version    string
	Workers    int                     // 0: one for each processor
	Progress   func(done, total int64) // runs
}

// Interrupted is the error of a comparison that was ended: some of the pairs are not a
// random choice of all.
var Interrupted = errors.New("interrupted")

// Usual are the metrics of two designs when nobody asks for others.
func Usual(a, b *topology.Design) []sweep.Metric {
	if len(b.Probes) == 0 {
		return sweep.Usual(b)
	}
	return sweep.Usual(a)
}

// The quantiles that are compared.
var quantiles = []float64{0.5, 0.9, 0.95, 0.99}

type comparison struct {
	Ask
	values  [2][][]int64 // of each side, by metric, by run
	instant time.Duration
	result  *sweep.Result
}

// Run compares two designs.
func Run(ctx context.Context, ask Ask) (*report.Diff, error) {
	x := &comparison{Ask: ask}
	for _, c := range ask.Conditions {
		if !slices.Contains(x.Metrics, c.Metric) {
			x.Metrics = append(slices.Clone(x.Metrics), c.Metric)
		}
	}
	x.instant = min(sweep.InstantOf(ask.Sides[0].Design), sweep.InstantOf(ask.Sides[1].Design))
	if err := x.run(ctx); err != nil {
		return nil, err
	}
	doc := x.document()
	for m := range x.Metrics {
		doc.Metrics = append(doc.Metrics, x.metric(m))
	}
	judge(doc)
	for _, c := range x.Conditions {
		doc.Conditions = append(doc.Conditions, x.condition(c, doc))
		doc.Failed = doc.Failed || doc.Conditions[len(doc.Conditions)-1].Failed
	}
	m := slices.IndexFunc(x.Metrics, func(m sweep.Metric) bool { return m.Name == sweep.Gap })
	if m >= 0 && (doc.Verdict == report.Different || doc.Failed) { // otherwise it would be the story of an accident
		var err error
		if doc.Chains, err = x.chains(m); err != nil {
			return nil, err
		}
	}
	doc.Remarks = x.remarks(doc)
	return doc, nil
}

// recorder keeps the values of every run of one side. Each run is another place, so
// several may be written at once.
type recorder struct {
	sweep.Sampler
	first uint64
	into  [][]int64
}

func (r *recorder) Sample(seed uint64, out []int64) (sweep.Remark, error) {
	remark, err := r.Sampler.Sample(seed, out)
	for m, v := range out {
		r.into[m][seed-r.first] = v
	}
	return remark, err
}

// run runs both with all seeds, as a sweep of two points.
func (x *comparison) run(ctx context.Context) error {
	for side := range x.values {
		for range x.Metrics {
			x.values[side] = append(x.values[side], make([]int64, x.Runs))
		}
	}
	plan := &sweep.Plan{Identity: sweep.Identity{Engine: x.Version, Points: [][]string{{}, {"B"}},
		Metrics: x.Metrics, First: x.First, Runs: x.Runs, Instant: x.instant},
		Make: func(side int) (sweep.Sampler, error) {
			s, err := sweep.NewSampler(x.Sides[side].Design, x.Metrics)
			return &recorder{s, x.First, x.values[side]}, err
		}}
	for side := range x.Sides {
		if _, err := plan.Make(side); err != nil {
			return fmt.Errorf("%s: %w", x.Sides[side].Design.File, err)
		}
	}
	var err error
	x.result, err = sweep.Run(ctx, plan, sweep.Options{Workers: x.Workers, Progress: x.Progress})
	if err == nil && !x.result.Complete {
		err = Interrupted
	}
	return err
}

func (x *comparison) document() *report.Diff {
	doc := &report.Diff{VPNSim: "v1", Kind: "diff", Version: x.Version, FirstSeed: x.First, Runs: int64(x.Runs),
		Confidence: sweep.Confidence, InstantS: report.Seconds(x.instant)}
	for i, side := range []*report.DiffSide{&doc.A, &doc.B} {
		d, p := x.Sides[i].Design, &x.result.Points[i]
		*side = report.DiffSide{Scenario: d.File, Name: d.Name, ScenarioSHA256: d.SHA256, Sets: x.Sides[i].Sets, Open: p.Open, Cut: p.Cut}
	}
	for _, c := range scenarios.Differences(x.Sides[0].Design, x.Sides[1].Design) {
		doc.Changes = append(doc.Changes, report.DiffChange{Path: c.Path, A: value(c.A), B: value(c.B)})
	}
	return doc
}

func value(r *scenarios.Row) *report.DiffValue {
	if r == nil {
		return nil
	}
	return &report.DiffValue{Value: r.Value, Source: r.Origin}
}

// metric compares one.
func (x *comparison) metric(m int) report.DiffMetric {
	a, b, unit := x.values[0][m], x.values[1][m], x.Metrics[m].Unit
	// Bins of one nanosecond: the shift of a quantile is that between the quantiles shown.
	ha, hb := stats.NewHistogram(1), stats.NewHistogram(1)
	pairs := stats.NewPairs(1)
	for i := range a {
		ha.Add(a[i])
		hb.Add(b[i])
		pairs.Add(a[i], b[i])
	}
	out := report.DiffMetric{Name: x.Metrics[m].Name, Means: x.Metrics[m].Means, Unit: string(unit), N: pairs.N(),
		Less: pairs.Less, Equal: pairs.Equal, More: pairs.More, Changed: share(pairs.Changed(sweep.Confidence))}
	test, sign := stats.SwapTest(a, b, uint64(m)), pairs.SignTest()
	out.Test = report.DiffTest{Statistic: test.Statistic, P: test.P}
	out.Sign = report.DiffTest{Statistic: sign.Statistic, P: sign.P}
	for _, p := range quantiles {
		out.Shifts = append(out.Shifts, x.shift(m, ha, hb, p))
	}
	out.Shifts = append(out.Shifts, x.shift(m, ha, hb, 1))
	shift := pairs.Mean(sweep.Confidence)
	if pairs.Less+pairs.More == 0 {
		shift.Known = true // nothing of nothing
	}
	out.Mean = report.DiffMean{A: estimate(ha.MeanInterval(sweep.Confidence), unit), B: estimate(hb.MeanInterval(sweep.Confidence), unit), Shift: estimate(shift, unit)}
	if unit == sweep.Duration && x.instant > 0 {
		out.Instant = x.share(m)
	}
	return out
}

// shift of a quantile, or of the largest value.
func (x *comparison) shift(m int, ha, hb *stats.Histogram, p float64) report.DiffShift {
	a, b, unit := x.values[0][m], x.values[1][m], x.Metrics[m].Unit
	out := report.DiffShift{Of: name(p), A: quantile(ha, p, unit), B: quantile(hb, p, unit)}
	var s stats.Shift
	switch {
	case slices.Equal(a, b): // whatever its interval may be, of the difference it is nothing
		s.LowKnown, s.HighKnown = true, true
	case p == 1:
		s = stats.PairedMaxShift(a, b, sweep.Confidence)
	default:
		s = stats.PairedQuantileShift(a, b, p, sweep.Confidence)
	}
	out.Shift = amount(s.Value, unit)
	out.Low, out.High = known(s.Low, s.LowKnown, unit), known(s.High, s.HighKnown, unit)
	return out
}

// name of a quantile.
func name(p float64) string {
	if p == 1 {
		return largest
	}
	return "p" + strconv.FormatFloat(100*p, 'g', 10, 64)
}

func quantile(h *stats.Histogram, p float64, unit sweep.Unit) report.SweepQuantile {
	i := h.QuantileInterval(p, sweep.Confidence)
	return report.SweepQuantile{P: p, Value: amount(h.Quantile(p), unit), Low: known(i.Low, i.LowKnown, unit), High: known(i.High, i.HighKnown, unit)}
}

func amount(n int64, unit sweep.Unit) report.Amount { return report.Amount{N: n, Unit: string(unit)} }

func known(n int64, is bool, unit sweep.Unit) *report.Amount {
	if !is {
		return nil
	}
	a := amount(n, unit)
	return &a
}

func share(s stats.Share) report.SweepShare {
	return report.SweepShare{K: s.K, N: s.N, Share: s.Value(), Low: s.Low, High: s.High}
}

// estimate is a mean in the unit that is shown.
func estimate(m stats.Mean, unit sweep.Unit) report.SweepMean {
	scale := 1.0
	if unit == sweep.Duration {
		scale = 1e9
	}
	out := report.SweepMean{Value: m.Value / scale}
	if m.Known {
		low, high := m.Low/scale, m.High/scale
		out.Low, out.High = &low, &high
	}
	return out
}

// share of instant runs.
func (x *comparison) share(m int) *report.DiffShare {
	var inA, inB, onlyA, onlyB int64
	n := int64(x.Runs)
	for i := range n {
		a, b := x.values[0][m][i] < int64(x.instant), x.values[1][m][i] < int64(x.instant)
		switch {
		case a && b:
			inA, inB = inA+1, inB+1
		case a:
			inA, onlyA = inA+1, onlyA+1
		case b:
			inB, onlyB = inB+1, onlyB+1
		}
	}
	s := stats.PairedShareShift(onlyA, onlyB, n, sweep.Confidence)
	return &report.DiffShare{A: share(stats.NewShare(inA, n, sweep.Confidence)), B: share(stats.NewShare(inB, n, sweep.Confidence)), Shift: s.Value, Low: s.Low, High: s.High}
}

// judge adjusts the P values for the number of tests, and says whether there is a
// difference.
func judge(doc *report.Diff) {
	var tests, signs []float64
	doc.Verdict = report.Identical
	for i := range doc.Metrics {
		m := &doc.Metrics[i]
		tests, signs = append(tests, m.Test.P), append(signs, m.Sign.P)
		if m.Less+m.More > 0 {
			doc.Verdict = report.NoDifference
		}
	}
	tests, signs = stats.Holm(tests), stats.Holm(signs)
	for i := range doc.Metrics {
		doc.Metrics[i].Test.Adjusted, doc.Metrics[i].Sign.Adjusted = tests[i], signs[i]
		if tests[i] <= 1-doc.Confidence {
			doc.Verdict = report.Different
		}
	}
}

// condition judges one.
func (x *comparison) condition(c *Condition, doc *report.Diff) report.DiffCondition {
	i := slices.Index(x.Metrics, c.Metric)
	m := &doc.Metrics[i]
	out := report.DiffCondition{Condition: c.Text, Metric: c.Metric.Name, N: m.N}
	switch c.Of {
	case mean:
		e := &m.Mean.Shift
		scale := 1.0
		if c.Metric.Unit == sweep.Duration {
			scale = 1e9
		}
		low, high := 0.0, 0.0
		if e.Low != nil {
			low, high = *e.Low, *e.High
		}
		out.Shift = m.Mean.Short()
		out.Met, out.Certain = c.met(e.Value*scale, low*scale, high*scale, e.Low != nil, e.High != nil)
	case instant:
		if m.Instant == nil {
			out.Shift = "unknown: the scenario has no ping"
			break
		}
		s := m.Instant
		out.Shift = s.Short()
		out.Met, out.Certain = c.met(s.Shift, s.Low, s.High, true, true)
	default:
		ha, hb := stats.NewHistogram(1), stats.NewHistogram(1)
		for k := range x.values[0][i] {
			ha.Add(x.values[0][i][k])
			hb.Add(x.values[1][i][k])
		}
		s := x.shift(i, ha, hb, c.Quantile)
		var low, high float64
		if s.Low != nil {
			low = float64(s.Low.N)
		}
		if s.High != nil {
			high = float64(s.High.N)
		}
		out.Shift = s.Short()
		out.Met, out.Certain = c.met(float64(s.Shift.N), low, high, s.Low != nil, s.High != nil)
	}
	if c.Metric.Unit == sweep.Duration && c.Of != instant {
		out.Shift += " s"
	}
	out.Failed = out.Met && out.Certain
	return out
}

// remarks are what the numbers cannot say.
func (x *comparison) remarks(doc *report.Diff) (list []string) {
	for i, name := range []string{"A", "B"} {
		p := &x.result.Points[i]
		if p.Open > 0 {
			list = append(list, fmt.Sprintf("In %d of %d runs of %s an outage was not over at the end of the run: it lasts longer than was counted. Give the scenario a longer `for:`.", p.Open, p.Runs, name))
		}
		if p.Cut > 0 {
			list = append(list, fmt.Sprintf("In %d of %d runs of %s routing did not come to rest, and the run was ended: what is counted is a lower bound.", p.Cut, p.Runs, name))
		}
	}
	pings := slices.ContainsFunc(doc.Changes, func(c report.DiffChange) bool { return len(c.Path) > 6 && c.Path[:6] == "probes" })
	a, b := x.Sides[0].Design, x.Sides[1].Design
	switch {
	case len(a.Probes) == 0 != (len(b.Probes) == 0):
		list = append(list, "Only one of the two pings: outages cannot be compared, and convergence is.")
	case pings:
		list = append(list, "The pings are not the same: outages are compared as they are, but lost probes are those of different pings.")
	}
	if len(doc.Changes) == 0 && doc.Verdict != report.Identical {
		list = append(list, "The designs are the same but for names and order, which random numbers are drawn by: other draws, from the same distributions.")
	}
	return list
}
