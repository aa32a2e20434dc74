package fit

import (
	"math"
	"time"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/topology"
)

// looks are enough runs to see that a value is far from what was seen.
const looks = 32

// ratio of likelihoods beyond which a value is left out: half the 95 % point of
// chi-square with one degree of freedom, 1.92, as a logarithm.
const ratio = 1.92

// parameters tries, for each mechanism that has a parameter that people set, which
// of its values would have shown the gaps. Instant tries are no help: they say which
// way the path went.
func (f *fitter) parameters(ms []*mechanism) error {
	var gaps []trial
	for _, t := range f.trials {
		if !t.instant {
			gaps = append(gaps, t)
		}
	}
	if len(gaps) == 0 {
		return nil
	}
	n := max(looks, f.Runs/20)
	for _, m := range ms {
		if m.knob == nil {
			continue
		}
		if m.cannot != "" && m.base == "" {
			f.step()
			continue // no value of it makes a difference
		}
		p := report.FitParameter{Key: m.key, Mechanism: m.name, Parameter: m.knob.name, Tried: len(m.knob.values)}
		f.step()
		var logs []float64
		best := math.Inf(-1)
		for _, v := range m.knob.values {
			test, share, err := f.value(m, v, gaps, n)
			if err != nil {
				return err
			}
			l := math.Inf(-1)
			if test.Log != nil {
				l = *test.Log
			}
			logs = append(logs, l)
			if l > best {
				best, p.Best, p.Likelihood = l, test.Value, &share
			}
			p.Runs = max(p.Runs, test.Runs)
			p.Values = append(p.Values, test)
		}
		for i, t := range p.Values {
			if !math.IsInf(logs[i], 0) {
				p.Possible = append(p.Possible, t.Value)
				if logs[i] >= best-ratio {
					p.Interval = append(p.Interval, t.Value)
				}
			}
		}
		f.doc.Parameters = append(f.doc.Parameters, p)
	}
	return nil
}

// value tries one. The share is that of the gap that is seen least.
func (f *fitter) value(m *mechanism, v time.Duration, gaps []trial, n int) (report.FitParamTest, report.FitShare, error) {
	changed := m.variant
	if m.knob.sets != nil {
		changed.sets = m.knob.sets(v)
	} else {
		changed = changed.with(m.knob.set(v)...)
	}
	test := report.FitParamTest{Value: topology.FormatDuration(v)}
	var share report.FitShare
	d, event, err := f.aimed(changed)
	if err != nil {
		return test, share, err
	}
	for _, runs := range []int{min(looks, n), n} {
		s := simulate(d, event, runs, f.Seed, f.intervals, f.Workers)
		list := pick(s, m.which, f.far)
		if len(list) == 0 {
			list = pick(s, allRuns, f.far)
		}
		var least, most time.Duration
		for i, r := range list {
			if i == 0 || r.outage < least {
				least = r.outage
			}
			most = max(most, r.outage)
		}
		test.Runs, test.LeastS, test.MostS = len(list), report.Seconds(least), report.Seconds(most)
		log, near := 0.0, true
		share = report.FitShare{Showed: math.MaxInt}
		for i := range gaps {
			t := &gaps[i]
			k := 0
			for _, r := range list {
				if t.showedIn(r, f.Least) {
					k++
				}
			}
			log += float64(t.times) * math.Log(float64(k)/float64(len(list)))
			if k < share.Showed {
				x := stats.NewShare(int64(k), int64(len(list)), Confidence)
				share = report.FitShare{Seen: t.seen, Times: t.times, Runs: len(list), Showed: k, Probability: sig(x.Value()), Low: sig(x.Low), High: sig(x.High)}
			}
			every := f.intervals[t.interval]
			room := (most-least)/4 + every
			near = near && time.Duration(t.lost+1)*every >= least-room && (t.open || time.Duration(t.lost-1)*every <= most+room)
		}
		test.Showed, test.Log = share.Showed, nil
		if !math.IsInf(log, 0) {
			log = sig(log)
			test.Log = &log
		}
		if !near {
			break
		}
	}
	return test, share, nil
}
