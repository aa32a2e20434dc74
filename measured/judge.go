package measured

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/lab"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/stats"
)

// The goal, and how sure an answer is.
const (
	Level      = 0.01 // of all tests of all cases together
	Confidence = 0.95 // of intervals
	instant    = int64(time.Second)
	machine    = lab.Machine
	// A median may differ by the larger of these.
	medianShare = 0.03
	medianLeast = int64(300 * time.Millisecond)
)

// gaps of two samples, and of those in them that are not instant.
type gaps struct{ all, long []int64 }

func split(values []int64) (g gaps) {
	g.all = values
	for _, v := range values {
		if v > instant {
			g.long = append(g.long, v)
		}
	}
	return g
}

// ticks rounds what a real ping has measured to what a simulated one counts: multiples of
// the interval. The real one's is longer than it says, by 2 % on a busy machine.
func ticks(values []int64, every time.Duration, more time.Duration) []int64 {
	out := make([]int64, len(values))
	for i, v := range values {
		out[i] = max(int64(time.Duration(v)+more+every/2)/int64(every)*int64(every), 0)
	}
	return out
}

// long are the measured gaps that count as no instant.
func long(seen []int64, every time.Duration) (list []int64) {
	for i, v := range ticks(seen, every, 0) {
		if v > instant {
			list = append(list, seen[i])
		}
	}
	return list
}

// moved is all values so much longer.
func moved(values []int64, more time.Duration) []int64 {
	out := make([]int64, len(values))
	for i, v := range values {
		out[i] = v + int64(more)
	}
	return out
}

// tests of a case. In each, every gap may be as much longer or shorter than measured as a machine
// and a ping make it by themselves, and the P that is kept is the largest of all ways: a
// difference that small is nobody's finding, however many trials show it.
func tests(seen, predicted []int64, every time.Duration) []report.LabTest {
	p, m := split(predicted), long(seen, every)
	expected := histogram(p.long)
	return []report.LabTest{
		test(report.LabInstant, instants(seen, predicted, every)),
		test(report.LabSmirnov, stats.KolmogorovSmirnovWithin(expected, histogram(m), int64(machine))),
		test(report.LabLocation, within(func(more time.Duration) stats.Test { return stats.MannWhitney(expected, histogram(moved(m, more))) })),
	}
}

// instants compares the shares of runs that are instant.
func instants(seen, predicted []int64, every time.Duration) stats.Test {
	n, m := int64(len(seen)), int64(len(predicted))
	l := m - int64(len(split(predicted).long))
	count := func(more time.Duration) int64 { return n - int64(len(split(ticks(seen, every, more)).long)) }
	out := stats.FisherExact(l, m, count(0), n)
	for k := count(machine); k <= count(-machine); k++ {
		if x := stats.FisherExact(l, m, k, n); x.P > out.P {
			out.P = x.P
		}
	}
	return out
}

// within is a test of location where every value may be moved by as much as a machine may: the
// nearest that it can come to a half.
func within(test func(more time.Duration) stats.Test) stats.Test {
	out, low, high := test(0), test(-machine), test(machine)
	switch {
	case low.Statistic > 0.5:
		out.P = max(out.P, low.P)
	case high.Statistic < 0.5:
		out.P = max(out.P, high.P)
	default:
		out.P = 1
	}
	return out
}

// histogram of values; its bins lose nothing.
func histogram(values []int64) *stats.Histogram {
	h := stats.NewHistogram(1)
	for _, v := range values {
		h.Add(v)
	}
	return h
}

// compareGaps fills in what is about the gaps of a case, but for what takes all cases.
func compareGaps(c *report.LabCase, seen, predicted []int64, every time.Duration) {
	m, p := split(seen), split(predicted)
	m.long = long(seen, every)
	c.Measured, c.Predicted = sample(m), sample(p)
	if len(m.all) == 0 {
		return
	}
	c.Tests = tests(seen, predicted, every)
	d := &c.Difference
	d.Measured, d.Predicted = len(m.long), len(p.long)
	d.MedianMeasuredS, d.MedianPredictedS = report.Seconds(stats.Median(m.long)), report.Seconds(stats.Median(p.long))
	d.ToleranceS = report.Seconds(max(medianLeast, int64(medianShare*float64(d.MedianPredictedS))))
	c.Goal.Median = true
	if d.Measured > 0 && d.Predicted > 0 {
		d.MedianS = d.MedianMeasuredS - d.MedianPredictedS
		d.ShiftS, d.LowS, d.HighS = shift(p.long, m.long)
		d.Enough = enough(p.long, d.ToleranceS)
		c.Goal.Median = max(d.MedianS, -d.MedianS) <= d.ToleranceS
	}
	o := &c.Outside
	least, most := slices.Min(predicted), slices.Max(predicted)
	o.ToleranceS = report.Seconds(lab.Beside(every))
	for _, v := range seen {
		if v < least {
			o.Below++
		}
		if v > most {
			o.Above++
		}
		o.ByS = max(o.ByS, report.Seconds(least-v), report.Seconds(v-most))
	}
	c.Goal.Range = o.ByS <= o.ToleranceS
}

func test(name string, t stats.Test) report.LabTest {
	return report.LabTest{Test: name, Statistic: t.Statistic, P: t.P}
}

// shift of the second sample, with its interval.
func shift(a, b []int64) (value report.Seconds, low, high *report.Seconds) {
	s := stats.LocationShift(a, b, Confidence)
	if s.LowKnown && s.HighKnown {
		l, h := report.Seconds(s.Low), report.Seconds(s.High)
		low, high = &l, &h
	}
	return report.Seconds(s.Value), low, high
}

func sample(g gaps) (s report.LabGaps) {
	s.N, s.Instant = len(g.all), len(g.all)-len(g.long)
	if s.N > 0 {
		h := histogram(g.all)
		s.MinS, s.MaxS, s.P95S = report.Seconds(h.Min()), report.Seconds(h.Max()), report.Seconds(h.Quantile(0.95))
		s.MedianS = report.Seconds(stats.Median(g.all))
	}
	x := stats.NewShare(int64(s.Instant), int64(s.N), Confidence)
	s.Share = report.SweepShare{K: x.K, N: x.N, Share: x.Value(), Low: x.Low, High: x.High}
	return s
}

// enough is about how many gaps it takes until a median that differs by the tolerance is no
// chance: until two standard deviations of the median are no more than that. The density
// around it is taken from the predicted gaps between their 40th and 60th percentiles.
func enough(predicted []int64, tolerance report.Seconds) int {
	h := histogram(predicted)
	width := max(float64(h.Quantile(0.6)-h.Quantile(0.4)), 1)
	return int(math.Ceil(math.Pow(width/(0.2*float64(tolerance)), 2)))
}

// judge corrects the tests of all cases for their number, and answers.
func judge(doc *report.LabCompare) {
	var ps []float64
	for i := range doc.Cases {
		for _, t := range doc.Cases[i].Tests {
			ps = append(ps, t.P)
		}
	}
	ps = stats.Holm(ps)
	for i := range doc.Cases {
		c := &doc.Cases[i]
		c.Goal.NotRejected = true
		for k := range c.Tests {
			c.Tests[k].Adjusted, ps = ps[0], ps[1:]
			c.Goal.NotRejected = c.Goal.NotRejected && c.Tests[k].Adjusted > Level
		}
		c.Verdict = report.LabAgrees
		switch {
		case c.Measured.N == 0:
			c.Verdict = report.LabUnknown
			c.Reasons = []string{"no trial has succeeded"}
		case !c.Goal.NotRejected || !c.Goal.Range:
			c.Verdict = report.LabDisagrees
			c.Reasons = reasons(c)
			doc.Disagree++
		case !c.Goal.Median:
			c.Verdict = report.LabWithinChance
			c.Reasons = []string{fmt.Sprintf("medians %s; with %d gaps longer than 1 s that may be chance, about %d would tell", medians(c), c.Difference.Measured, c.Difference.Enough)}
			doc.WithinChance++
		default:
			doc.Agree++
		}
		c.Words = strings.Join(c.Reasons, "; ")
		if c.Verdict == report.LabAgrees {
			c.Words = "agrees"
		}
	}
}

// reasons why a case disagrees.
func reasons(c *report.LabCase) (list []string) {
	rejected := map[string]bool{}
	distance := 0.0
	for _, t := range c.Tests {
		rejected[t.Test] = t.Adjusted <= Level
		if t.Test == report.LabSmirnov {
			distance = t.Statistic
		}
	}
	if rejected[report.LabInstant] {
		how := "less"
		if c.Measured.Share.Share > c.Predicted.Share.Share {
			how = "more"
		}
		list = append(list, fmt.Sprintf("instant %s often than predicted: %d of %d against %s", how, c.Measured.Instant, c.Measured.N, percent(c.Predicted.Share.Share)))
	}
	switch {
	case rejected[report.LabLocation]:
		list = append(list, longer(c))
	case rejected[report.LabSmirnov]:
		list = append(list, fmt.Sprintf("spread otherwise than predicted: the shares of gaps up to some length differ by %s", percent(distance)))
	}
	if !c.Goal.Range {
		o := &c.Outside
		where := ""
		switch {
		case o.Above == 0:
			where = fmt.Sprintf("%d of %d shorter", o.Below, c.Measured.N)
		case o.Below == 0:
			where = fmt.Sprintf("%d of %d longer", o.Above, c.Measured.N)
		default:
			where = fmt.Sprintf("%d of %d shorter, %d longer", o.Below, c.Measured.N, o.Above)
		}
		list = append(list, fmt.Sprintf("%s than all predicted ones, by up to %s s", where, o.ByS.Fixed(2)))
	}
	return list
}

// longer says by how much what was measured is longer.
func longer(c *report.LabCase) string {
	d := &c.Difference
	word, value := "longer", d.ShiftS
	low, high := d.LowS, d.HighS
	if value < 0 {
		word, value = "shorter", -value
		if low != nil {
			l, h := -*high, -*low
			low, high = &l, &h
		}
	}
	text := fmt.Sprintf("measured %s s %s", value.Fixed(2), word)
	if low != nil {
		text += fmt.Sprintf(" [%s, %s]", low.Fixed(2), high.Fixed(2))
	}
	return text + ", medians " + medians(c)
}

func medians(c *report.LabCase) string {
	return fmt.Sprintf("%s against %s s", c.Difference.MedianMeasuredS.Fixed(2), c.Difference.MedianPredictedS.Fixed(2))
}

func percent(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) }
