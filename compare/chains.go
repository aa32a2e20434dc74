package compare

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
)

// chains explains both sides of a typical pair of those whose longest gap, the metric m,
// changed, and of those in which it grew and shrank most.
func (x *comparison) chains(m int) ([]report.DiffChain, error) {
	a, b := x.values[0][m], x.values[1][m]
	var more, less []int // pairs that changed, by how much
	for i := range a {
		switch {
		case b[i] > a[i]:
			more = append(more, i)
		case b[i] < a[i]:
			less = append(less, i)
		}
	}
	byChange := func(i, j int) int { return cmp.Compare(b[i]-a[i], b[j]-a[j]) }
	slices.SortStableFunc(more, byChange)
	slices.SortStableFunc(less, byChange)
	type witness struct {
		pair int
		why  string
	}
	var witnesses []witness
	if len(more) >= len(less) && len(more) > 2 {
		witnesses = append(witnesses, witness{more[len(more)/2], "a run that became longer, by the median"})
	} else if len(less) > 2 {
		witnesses = append(witnesses, witness{less[len(less)/2], "a run that became shorter, by the median"})
	}
	if len(more) > 0 {
		witnesses = append(witnesses, witness{more[len(more)-1], "the run that became longer by most"})
	}
	if len(less) > 0 {
		witnesses = append(witnesses, witness{less[0], "the run that became shorter by most"})
	}
	var list []report.DiffChain
	for _, w := range witnesses {
		c, err := x.chain(x.First+uint64(w.pair), w.why)
		if err != nil {
			return nil, err
		}
		list = append(list, *c)
	}
	return list, nil
}

// chain puts the waits of the longest gaps of a pair side by side.
func (x *comparison) chain(seed uint64, why string) (*report.DiffChain, error) {
	c := &report.DiffChain{Seed: seed, Why: why}
	for side := range x.Sides {
		s := &x.Sides[side]
		answer, err := explain.Run(explain.Ask{Load: s.Load, Seed: seed, Sets: s.Sets, Version: x.Version})
		if err != nil {
			return nil, err
		}
		gaps := answer.Doc.Gaps
		if len(gaps) == 0 {
			continue
		}
		g := slices.MaxFunc(gaps, func(p, q report.Gap) int { return cmp.Compare(p.OutageS, q.OutageS) })
		if side == 0 {
			c.A = g.OutageS
		} else {
			c.B = g.OutageS
		}
		for i := range g.Chain {
			add(c, side, &g.Chain[i])
		}
	}
	return c, nil
}

// add counts a wait to that for the same thing. What is waited for may be the same and the
// parameter another: the smaller of two hold times is that of the other router now.
func add(c *report.DiffChain, side int, w *report.Wait) {
	cause := &report.DiffCause{Parameter: w.Parameter, Value: w.Value, Source: w.Source}
	i := slices.IndexFunc(c.Waits, func(o report.DiffWait) bool {
		same := func(p *report.DiffCause) bool {
			return p != nil && (p.Parameter == w.Parameter && w.Parameter != "" || lastWord(p.Parameter) == lastWord(w.Parameter) && o.What == w.What)
		}
		return same(o.FromA) || same(o.FromB)
	})
	if i < 0 {
		i = len(c.Waits)
		c.Waits = append(c.Waits, report.DiffWait{What: w.What})
	}
	took, o := w.EndS-w.StartS, &c.Waits[i]
	if side == 0 {
		o.A, o.FromA = o.A+took, cause
	} else {
		o.B, o.FromB = o.B+took, cause
	}
}

// lastWord of a parameter's path: hold.
func lastWord(path string) string { return path[strings.LastIndex(path, ".")+1:] }
