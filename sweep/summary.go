package sweep

import (
	"math"
	"time"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/stats"
)

// Confidence of the intervals that are reported.
const Confidence = 0.95

// The quantiles that are reported: of the values, and of their differences.
var (
	quantiles           = []float64{0.5, 0.9, 0.95, 0.99}
	differenceQuantiles = []float64{0.05, 0.5, 0.95}
)

// Summary says what was counted.
func (res *Result) Summary(version string) *report.Sweep {
	s := &report.Sweep{VPNSim: "v1", Kind: "sweep", Version: version, Scenario: res.Scenario, Name: res.Name, ScenarioSHA256: res.SHA256,
		Sets: res.Sets, FirstSeed: res.First, Complete: res.Complete, Confidence: Confidence,
		InstantS: report.Seconds(res.Instant), Vary: []string{}}
	for _, a := range res.varied() {
		s.Vary = append(s.Vary, a.path)
	}
	if u := res.Until; u != nil {
		unit := res.Metrics[res.Metric(u.Metric)].Unit
		s.Until = &report.SweepUntil{Metric: u.Metric, Quantile: u.Quantile, Within: amount(u.Width, unit), Reached: res.Precise}
	}
	for i := range res.Points {
		p := &res.Points[i]
		if i == 0 {
			s.Runs = p.Runs
		}
		point := report.SweepPoint{Set: append([]string{}, res.Identity.Points[i]...), Runs: p.Runs, Open: p.Open, Cut: p.Cut}
		if len(res.Names) > 0 {
			point.Failure = res.Names[i]
		}
		for m := range p.Cells {
			point.Metrics = append(point.Metrics, p.Cells[m].summary(res.Metrics[m], res.Instant))
		}
		s.Points = append(s.Points, point)
	}
	return s
}

func (c *Cell) summary(m Metric, instant time.Duration) report.SweepMetric {
	h := c.Values
	out := report.SweepMetric{Name: m.Name, Means: m.Means, Unit: string(m.Unit), N: h.N(), Mean: meanOf(h.MeanInterval(Confidence), m.Unit),
		Min: amount(h.Min(), m.Unit), Max: amount(h.Max(), m.Unit), MaxSeed: c.Worst.Seed, Quantiles: quantilesOf(h, m.Unit, quantiles)}
	if m.Unit == Duration && instant > 0 {
		x := shareOf(h.Share(int64(instant)-stats.Millisecond, Confidence)) // the last bin below it
		out.Instant = &x
	}
	if p := c.Pairs; p != nil {
		out.Difference = &report.SweepDifference{N: p.N(), Less: p.Less, Equal: p.Equal, More: p.More, Same: shareOf(stats.NewShare(p.Equal, p.N(), Confidence)),
			Mean: meanOf(p.Mean(Confidence), m.Unit), Quantiles: quantilesOf(p.Differences, m.Unit, differenceQuantiles)}
	}
	return out
}

func shareOf(s stats.Share) report.SweepShare {
	return report.SweepShare{K: s.K, N: s.N, Share: s.Value(), Low: s.Low, High: s.High}
}

// meanOf a metric in its unit.
func meanOf(m stats.Mean, unit Unit) report.SweepMean {
	out := report.SweepMean{Value: inUnit(m.Value, unit)}
	if m.Known {
		low, high := inUnit(m.Low, unit), inUnit(m.High, unit)
		out.Low, out.High = &low, &high
	}
	return out
}

func quantilesOf(h *stats.Histogram, unit Unit, ps []float64) (list []report.SweepQuantile) {
	for _, p := range ps {
		x := h.QuantileInterval(p, Confidence)
		q := report.SweepQuantile{P: p, Value: amount(h.Quantile(p), unit)}
		if x.LowKnown {
			a := amount(x.Low, unit)
			q.Low = &a
		}
		if x.HighKnown {
			a := amount(x.High, unit)
			q.High = &a
		}
		list = append(list, q)
	}
	return list
}

func amount(n int64, unit Unit) report.Amount { return report.Amount{N: n, Unit: string(unit)} }

// inUnit is a mean of nanoseconds in seconds, to the nanosecond; 0 of nothing.
func inUnit(x float64, unit Unit) float64 {
	switch {
	case math.IsNaN(x):
		return 0
	case unit == Duration:
		return math.Round(x) / 1e9
	}
	return math.Round(x*1e9) / 1e9
}
