package judge

import (
	"fmt"

	"github.com/vpnsim/vpnsim/expect"
	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// trial is what is counted of the runs of a scenario.
type trial struct {
	design   *topology.Design
	programs []*expect.Program // of the expectations, then usual
	indices  []int             // of the expectations among the design's
	needs    expect.Needs
	metrics  []sweep.Metric
	broken   []int         // by program: the column that is 1 where it did not hold
	columns  [][]int       // by program and metric of it: the column; the next one has the number negated
	values   []valueColumn // to be filled in
	cut      int           // the column that is 1 where routing did not come to rest
	ending   bool          // an expectation is about that
}

type valueColumn struct {
	metric *expect.Metric
	column int
	of     []int // programs that fail where it cannot be told
}

// newTrial lays out the columns. chosen are the expectations that are asked for.
func newTrial(d *topology.Design, chosen []int) (*trial, error) {
	t := &trial{design: d, indices: chosen}
	column := func(name string, unit sweep.Unit) int {
		t.metrics = append(t.metrics, sweep.Metric{Name: name, Unit: unit})
		return len(t.metrics) - 1
	}
	for i := range d.Expect { // also those that were not chosen: what the scenario is about is the same
		p, err := expect.Compile(d.Expect[i].Expr)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Expect[i].Pos, err) // cannot happen: the scenario has been checked
		}
		t.ending = t.ending || p.Mentions("converged", "repeats", "period", "convergence", "convergences")
	}
	seen := map[string]int{} // in values
	exprs := make([]string, len(chosen), len(chosen)+1)
	for n, i := range chosen {
		exprs[n] = d.Expect[i].Expr
	}
	exprs = append(exprs, usual(d))
	for n, expr := range exprs {
		p, err := expect.Compile(expr)
		if err != nil {
			return nil, err // cannot happen
		}
		t.programs = append(t.programs, p)
		t.needs = t.needs.And(p.Needs())
		t.broken = append(t.broken, column("does not hold: "+expr, sweep.Count))
		metrics := p.Metrics()
		var columns []int
		for m := range metrics {
			x := &metrics[m]
			k, ok := seen[x.Text]
			if !ok {
				k = len(t.values)
				seen[x.Text] = k
				t.values = append(t.values, valueColumn{metric: x, column: column(x.Text, sweep.Unit(x.Unit))})
				column("-("+x.Text+")", sweep.Unit(x.Unit))
			}
			t.values[k].of = append(t.values[k].of, n)
			columns = append(columns, t.values[k].column)
		}
		t.columns = append(t.columns, columns)
	}
	t.cut = column("routing does not come to rest", sweep.Count)
	return t, nil
}

// usual are the numbers by which runs of a scenario are compared with earlier ones, as
// an expectation that always holds. Of each, less is better.
func usual(d *topology.Design) string {
	if len(d.Probes) == 0 {
		return `p50(convergence) >= 0 and p99(convergence) >= 0 and worst(convergence) >= 0`
	}
	return `p50(gap) >= 0 and p90(gap) >= 0 and p99(gap) >= 0 and worst(gap) >= 0 and mean(lost) >= 0 and worst(lost) >= 0`
}

// sampler judges single runs.
type sampler struct {
	*trial
	brief *explain.Brief
}

func (t *trial) sampler() (sweep.Sampler, error) {
	b, err := explain.NewBrief(t.design, t.needs)
	if err != nil {
		return nil, err
	}
	return &sampler{t, b}, nil
}

// Sample runs once, and sets every column.
func (s *sampler) Sample(seed uint64, out []int64) (r sweep.Remark, err error) {
	facts := s.brief.Run(seed)
	clear(out)
	for n, p := range s.programs {
		if p.Many() {
			continue
		}
		if ok, err := p.Holds(facts); !ok || err != nil {
			out[s.broken[n]] = 1
		}
	}
	for i := range s.values {
		v := &s.values[i]
		x, err := v.metric.Value(facts)
		if err != nil {
			for _, n := range v.of {
				out[s.broken[n]] = 1
			}
		}
		out[v.column], out[v.column+1] = x, -x
	}
	if s.brief.Open() {
		r |= sweep.Open
	}
	if s.brief.Cut() {
		r |= sweep.Cut
		out[s.cut] = 1
	}
	return r, nil
}
