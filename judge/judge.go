package judge

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/vpnsim/vpnsim/expect"
	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// Case is a scenario to be judged.
type Case struct {
	Design *topology.Design
	Load   explain.Loader // reads it again, for the explanation of a failure
	Expect []int          // which of its expectations
}

// Options of Run.
type Options struct {
	First    uint64 // seed
	Runs     int    // of each scenario
	Sets     []string
	Version  string
	Workers  int                     // 0: one for each processor; the outcome does not depend on it
	Progress func(done, total int64) // runs; one call at a time
	Values   bool                    // also of scenarios of which nothing is expected
}

// Run judges every case, and keeps their order. When ctx ends, it gives nothing.
func Run(ctx context.Context, cases []Case, opt Options) ([]report.TestedScenario, error) {
	workers := opt.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	// Scenarios go side by side; what is left of the workers shares the runs of each.
	beside := max(min(workers, len(cases)), 1)
	out, errs := make([]report.TestedScenario, len(cases)), make([]error, len(cases))
	p := &progress{opt: opt, done: make([]int64, len(cases))}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next atomic.Int64
	var wait sync.WaitGroup
	for range beside {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(cases) || ctx.Err() != nil {
					return
				}
				out[i], errs[i] = judge(ctx, &cases[i], opt, (workers+beside-1)/beside, func(done, _ int64) { p.set(i, done) })
				if errs[i] != nil {
					cancel()
				}
			}
		})
	}
	wait.Wait()
	for i, err := range errs { // the first one in order, but for those that were only interrupted by it
		if err != nil && err != context.Canceled {
			return nil, fmt.Errorf("%s: %w", cases[i].Design.File, err)
		}
	}
	return out, ctx.Err()
}

// progress adds up the runs of all cases.
type progress struct {
	opt  Options
	mu   sync.Mutex
	done []int64
	sum  int64
}

func (p *progress) set(i int, done int64) {
	if p.opt.Progress == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sum += done - p.done[i]
	p.done[i] = done
	p.opt.Progress(p.sum, int64(len(p.done))*int64(p.opt.Runs))
}

// judge judges one case.
func judge(ctx context.Context, c *Case, opt Options, workers int, progress func(done, total int64)) (report.TestedScenario, error) {
	d := c.Design
	s := report.TestedScenario{Scenario: d.File, Name: d.Name, ScenarioSHA256: d.SHA256}
	t, err := newTrial(d, c.Expect)
	if err != nil || len(t.indices) == 0 && !opt.Values {
		return s, err
	}
	plan := &sweep.Plan{
		Identity: sweep.Identity{Scenario: d.File, SHA256: d.SHA256, Points: [][]string{{}}, Metrics: t.metrics, First: opt.First, Runs: opt.Runs},
		Make:     func(int) (sweep.Sampler, error) { return t.sampler() },
	}
	res, err := sweep.Run(ctx, plan, sweep.Options{Workers: workers, Progress: progress})
	if err != nil {
		return s, err
	}
	if !res.Complete {
		return s, context.Canceled
	}
	w := &witness{c: c, opt: opt}
	p := &res.Points[0]
	s.Runs, s.Open, s.Cut = p.Runs, p.Open, p.Cut
	if s.Values, err = t.usual(p); err != nil {
		return s, err
	}
	brief, err := explain.NewBrief(d, expect.Needs{})
	if err != nil {
		return s, err
	}
	brief.Run(opt.First)
	s.Digest = brief.Document().Digest
	for n := range t.indices {
		x, err := t.outcome(n, p, w)
		if err != nil {
			return s, err
		}
		s.Expectations = append(s.Expectations, x)
	}
	if p.Cut > 0 && !t.ending && len(t.indices) > 0 {
		s.Expectations = append(s.Expectations, report.TestedExpectation{
			Expr: "converged", File: d.File, Broken: p.Cut, Runs: p.Runs, Seed: p.Cells[t.cut].Worst.Seed, Statistics: []report.Statistic{}, Sure: true,
			Got:    "routing did not come to rest and the run was ended; if that is what you want to see, say so: expect: not converged",
			Replay: w.replay(p.Cells[t.cut].Worst.Seed),
		})
	}
	return s, nil
}

// usual are the numbers that every test gives.
func (t *trial) usual(p *sweep.Point) ([]report.Statistic, error) {
	n := len(t.programs) - 1
	out, err := t.programs[n].Judge(t.counted(n, p), sweep.Confidence)
	return out.Statistics, err
}

// counted is what was counted for the n-th program.
func (t *trial) counted(n int, p *sweep.Point) (values []*stats.Histogram) {
	for _, c := range t.columns[n] {
		values = append(values, p.Cells[c].Values)
	}
	return values
}

// outcome of the n-th expectation.
func (t *trial) outcome(n int, p *sweep.Point, w *witness) (report.TestedExpectation, error) {
	e := &t.design.Expect[t.indices[n]]
	program := t.programs[n]
	x := report.TestedExpectation{Expr: e.Expr, File: e.Pos.File, Line: e.Pos.Line, Col: e.Pos.Col, Many: program.Many(), Runs: p.Runs, Sure: true, Statistics: []report.Statistic{}}
	broken := &p.Cells[t.broken[n]]
	x.Broken = broken.Values.N() - broken.Values.AtMost(0)
	if x.Broken > 0 || !x.Many {
		x.OK = x.Broken == 0
		if x.OK {
			return x, nil
		}
		return x, w.show(&x, program, broken.Worst.Seed)
	}
	out, err := program.Judge(t.counted(n, p), sweep.Confidence)
	x.OK, x.Sure, x.Got, x.Statistics = out.OK, out.Sure, out.Got, out.Statistics
	if err != nil {
		x.Got += "; cannot be told: " + err.Error()
	}
	if x.OK {
		return x, nil
	}
	column := t.columns[n][out.Metric]
	if out.TooSmall {
		column++
	}
	return x, w.show(&x, program, p.Cells[column].Worst.Seed)
}

// witness makes runs again that show a failure, each once.
type witness struct {
	c    *Case
	opt  Options
	runs map[uint64]*explain.Answer
}

// mostKept answers of a scenario; each holds a record.
const mostKept = 8

func (w *witness) run(seed uint64) (*explain.Answer, error) {
	if a := w.runs[seed]; a != nil {
		return a, nil
	}
	a, err := explain.Run(explain.Ask{Load: w.c.Load, Seed: seed, Sets: w.opt.Sets, Version: w.opt.Version})
	if err == nil && len(w.runs) < mostKept {
		if w.runs == nil {
			w.runs = map[uint64]*explain.Answer{}
		}
		w.runs[seed] = a
	}
	return a, err
}

func (w *witness) replay(seed uint64) string {
	return report.RunCommand(w.c.Design.File, seed, w.opt.Sets)
}

// show fills in what the run with that seed shows.
func (w *witness) show(x *report.TestedExpectation, p *expect.Program, seed uint64) error {
	x.Seed, x.Replay = seed, w.replay(seed)
	a, err := w.run(seed)
	if err != nil {
		return err
	}
	if x.Broken > 0 {
		facts := a.Facts()
		if x.Many {
			for _, m := range p.Metrics() {
				if _, err := m.Value(facts); err != nil {
					x.Got = m.Text + " cannot be told: " + err.Error()
				}
			}
		} else if _, err := p.Holds(facts); err != nil {
			x.Got = "cannot be told: " + err.Error()
		} else {
			x.Got = p.Got(facts)
		}
	}
	if !p.Mentions("gap", "gaps", "outage", "lost", "received", "blame", "blames", "forwarding", "blackhole", "loop", "stale") {
		return nil
	}
	longest := -1
	for i := range a.Doc.Gaps {
		if longest < 0 || a.Doc.Gaps[i].OutageS > a.Doc.Gaps[longest].OutageS {
			longest = i
		}
	}
	if longest >= 0 {
		x.Outage, x.Chain = a.Doc.Gaps[longest].OutageS, a.Doc.Gaps[longest].Chain
	}
	return nil
}
