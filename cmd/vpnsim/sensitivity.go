package main

import (
	"slices"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// usualRows of Sobol's plan: indices are known to about 0.1.
const usualRows = 256

// sensitivity ranks settings by what they do to the first metric.
func (a *app) sensitivity(q *sweepFlags, src source, vary []sweep.Vary, plan func(points [][]string) (*sweep.Plan, error)) error {
	switch {
	case q.failures != "", q.worst, q.latin > 0, q.until != "", q.shard != "", q.resume, q.state != "":
		return usagef("leave it out", "--sensitivity: it goes with --vary, --runs and --rows only")
	case len(q.files) > 0, a.format == "csv":
		return usagef("", "--sensitivity: it is printed as text, json or md")
	case q.rows < 0 || q.rows > sweep.MostRows:
		return usagef("", "--rows %d is not from 0 to %d", q.rows, sweep.MostRows)
	}
	load := func(sets []string) (*topology.Design, error) { return src.load(slices.Concat(q.sets, sets)) }
	if len(vary) == 0 {
		d, err := load(nil)
		if err != nil {
			return err
		}
		vary = sweep.UsualVary(d, load)
	}
	p, err := plan(sweep.OneAtATime(vary))
	if err != nil {
		return err
	}
	ctx, stop := untilInterrupted()
	defer stop()
	bar := a.progress()
	defer bar.end()
	opt := sweep.Options{Workers: q.workers, Progress: bar.set}
	res, err := sweep.Run(ctx, p, opt)
	if err != nil {
		return usagef("", "--sensitivity: %v", err)
	}
	if !res.Complete {
		a.complain("interrupted", "")
		return ending(exitSignal)
	}
	s := res.Effects(vary, p.Metrics[0].Name)
	if err := s.Sobol(ctx, q.rows, p.First, opt, load); ctx.Err() != nil {
		a.complain("interrupted", "")
		return ending(exitSignal)
	} else if err != nil {
		return usagef("give --vary values that go together, or leave the indices out with --rows 0", "--sensitivity: %v", err)
	}
	bar.end()
	doc := s.Document(&p.Identity, version())
	switch a.format {
	case "json":
		err = report.SensitivityJSON(a.out, doc)
	case "md":
		err = report.SensitivityMarkdown(a.out, doc)
	default:
		err = report.SensitivityText(a.out, doc, a.options(a.out))
	}
	return printed(err)
}
