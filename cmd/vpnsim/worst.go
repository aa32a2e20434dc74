package main

import (
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// worst searches for the longest outage and explains it.
func (a *app) worst(q *sweepFlags, src source, plan *sweep.Plan) error {
	switch {
	case len(plan.Points) > 1:
		return usagef("change the scenario with --set", "--worst: it searches one scenario, and --vary or --failures make several")
	case plan.Until != nil, q.shard != "", q.resume, q.state != "":
		return usagef("leave it out", "--worst: a search has no use for --ci, --shard, --resume and --state")
	case len(q.files) > 0:
		return usagef("run the command that it prints with -o", "--worst: it writes no file")
	}
	ctx, stop := untilInterrupted()
	defer stop()
	load := func(sets []string) (*topology.Design, error) { return src.load(slices.Concat(q.sets, sets)) }
	metric := plan.Metrics[0].Name
	bar := a.progress()
	w, err := sweep.FindWorst(ctx, plan, sweep.Options{Workers: q.workers, Progress: bar.set}, metric, load)
	bar.end()
	switch {
	case ctx.Err() != nil:
		a.complain("interrupted", "")
		return ending(exitSignal)
	case err != nil:
		return usagef("", "--worst: %v", err)
	}
	sets := slices.Concat(q.sets, w.Sets)
	answer, err := explain.Run(explain.Ask{Load: src.load, Seed: w.Seed, Sets: sets, Version: version()})
	if err != nil {
		return err
	}
	m := plan.Metrics[0]
	doc := report.Worst{VPNSim: "v1", Kind: "worst", Version: version(), Scenario: plan.Scenario, Name: plan.Name, ScenarioSHA256: plan.SHA256,
		Metric: metric, Means: m.Means, Value: report.Amount{N: w.Value, Unit: string(m.Unit)}, Seed: w.Seed, Sets: sets,
		SeedsTried: w.Runs, FirstSeed: plan.First, WorstOfSeeds: report.Amount{N: w.First.Value, Unit: string(m.Unit)}, MomentsTried: w.Tried}
	for i := range answer.Doc.Gaps {
		if g := &answer.Doc.Gaps[i]; doc.Gap == nil || g.OutageS > doc.Gap.OutageS {
			doc.Gap = g
		}
	}
	if doc.Gap != nil {
		if b, ok := explain.Bound(doc.Gap.Chain); ok && time.Duration(doc.Gap.OutageS) == time.Duration(w.Value) {
			s := report.Seconds(b)
			doc.BoundS = &s
		}
	}
	switch a.format {
	case "json":
		return printed(report.WorstJSON(a.out, doc))
	case "text":
		return printed(report.WorstText(a.out, doc, a.options(a.out)))
	}
	return usagef("", "--format %s: the worst case is printed as text or json", a.format)
}
