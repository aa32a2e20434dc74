package main

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/compare"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/sweep"
)

// diffFlags are what the user asked for.
type diffFlags struct {
	seed    uint64
	sets    [3][]string // of both, of A, of B
	runs    int
	failOn  []string
	metrics []string
	workers int
	files   []string
}

// usualPairs of runs: enough for both ends of the interval of a 99th percentile's shift.
const usualPairs = 2000

func (a *app) diffCommand() *cobra.Command {
	var q diffFlags
	cmd := &cobra.Command{
		Use:   "diff A [B]",
		Short: "Compare two designs: what is different, and what comes of it",
		Long: `Compare two scenarios: which effective values are different, and what that does
to outages. Both run with the same seeds, and a seed draws the same in both, so
that runs come in pairs which differ by the change alone. Where all pairs are
identical, to the nanosecond, it says so; otherwise how far each quantile moved,
with its interval, whether that may be chance, and which wait of the outage grew.

A and B are files, names of scenarios that ship with the program, - for standard
input, or git:REV:PATH, a file as it is in another revision of the repository
that it lies in (git::PATH: as it is staged). With --set-a or --set-b, B may be
left out: it is A, changed.

--fail-on ends with exit code 1 if B is worse than A by more than that. It takes
the shift of p50, p90, p99.9 …, mean or max of a metric (the gap unless it says
another), or of the share of instant runs, in percentage points. To fail, the
estimate has to meet the condition, and the interval must exclude that nothing
changed.`,
		Example: `  vpnsim diff git:HEAD:my.yaml my.yaml             what I have changed
  vpnsim diff git:origin/main:my.yaml my.yaml --fail-on 'p99 > +2s' --format md
  vpnsim diff old.yaml new.yaml --fail-on 'lost p99 > +3' --fail-on 'instant < -5%'
  vpnsim diff aws-gcp --set-b routers.gcp.bgp.hold=9s`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("write `vpnsim diff git:HEAD:my.yaml my.yaml`, or `vpnsim diff aws-gcp --set-b routers.gcp.bgp.hold=9s`", "diff takes two scenarios")
			}
			return atMost(2, "diff takes two scenarios")(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := bySuffix(q.files, diffSuffixes); err != nil {
				return err
			}
			return a.diff(args, &q)
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&q.seed, "seed", 1, "`number` of the first run of both; the others follow")
	f.IntVarP(&q.runs, "runs", "n", usualPairs, "`runs` of each")
	f.StringArrayVar(&q.sets[0], "set", nil, "change both: `path=value`")
	f.StringArrayVar(&q.sets[1], "set-a", nil, "change A: `path=value`")
	f.StringArrayVar(&q.sets[2], "set-b", nil, "change B: `path=value`")
	f.StringArrayVar(&q.failOn, "fail-on", nil, "exit code 1 on this `condition`: 'p99 > +2s'")
	f.StringSliceVar(&q.metrics, "metric", nil, "what to count: `names` of "+metricNames()+" (default: what fits the scenarios)")
	f.IntVar(&q.workers, "workers", 0, "`runs` at the same time; 0: one for each processor")
	f.StringArrayVarP(&q.files, "output", "o", nil, "write the result to `file` (.json or .md), too")
	return cmd
}

// diff compares two scenarios.
func (a *app) diff(args []string, q *diffFlags) error {
	switch {
	case len(args) == 1 && len(q.sets[1]) == 0 && len(q.sets[2]) == 0:
		return usagef("name two, or say what is otherwise in B: --set-b path=value", "a scenario is not different from itself")
	case len(args) == 2 && args[0] == "-" && args[1] == "-":
		return usagef("", "standard input can be read once only")
	case len(args) == 1:
		args = []string{args[0], args[0]}
	}
	if q.runs < 1 || q.runs > compare.MostRuns {
		return usagef("", "-n %d is not from 1 to %d", q.runs, compare.MostRuns)
	}
	if q.workers < 0 {
		return usagef("", "--workers %d is less than 0", q.workers)
	}
	ask := compare.Ask{First: q.seed, Runs: q.runs, Version: version(), Workers: q.workers}
	var src source
	for i := range ask.Sides {
		if i == 0 || args[i] != args[0] { // "-" is there once
			var err error
			if src, err = a.open(args[i]); err != nil {
				return err
			}
		}
		sets := slices.Concat(q.sets[0], q.sets[i+1])
		d, err := src.load(sets)
		if err != nil {
			return err
		}
		if d.Internet != nil {
			return usagef("generate a graph of at most 500 ASes", "%s: over a graph of ASes of which the control plane only is simulated, diff is not supported", d.File)
		}
		ask.Sides[i] = compare.Side{Design: d, Sets: sets, Load: src.load}
	}
	if _, err := a.lints(ask.Sides[1].Design); err != nil {
		return err
	}
	var err error
	if ask.Metrics, err = q.countedMetrics(&ask); err != nil {
		return err
	}
	for _, text := range q.failOn {
		c, err := compare.ParseCondition(text, ask.Metrics[0].Name)
		if err != nil {
			return usagef("", "--fail-on %q: %v", text, err)
		}
		ask.Conditions = append(ask.Conditions, c)
	}
	ctx, stop := untilInterrupted()
	defer stop()
	bar := a.progress()
	ask.Progress = bar.set
	doc, err := compare.Run(ctx, ask)
	bar.end()
	switch {
	case errors.Is(err, compare.Interrupted):
		a.complain("interrupted", "")
		return ending(exitSignal)
	case err != nil:
		return usagef("", "diff: %v", err)
	}
	if err := writeDiff(q.files, doc, q.metrics); err != nil {
		return err
	}
	if err := a.printDiff(doc, q.metrics); err != nil {
		return err
	}
	if doc.Failed {
		return ending(exitFailed)
	}
	return nil
}

// countedMetrics are those that were asked for, or those that fit.
func (q *diffFlags) countedMetrics(ask *compare.Ask) ([]sweep.Metric, error) {
	if len(q.metrics) == 0 {
		return compare.Usual(ask.Sides[0].Design, ask.Sides[1].Design), nil
	}
	var list []sweep.Metric
	for _, name := range q.metrics {
		m, ok := sweep.Find(name)
		if !ok {
			return nil, usagef(scenarios.DidYouMean(name, strings.Split(metricNames(), ", ")), "--metric %q is not known", name)
		}
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list, nil
}

var diffSuffixes = []string{".json", ".md"}

// writeDiff writes every -o, or none.
func writeDiff(paths []string, doc *report.Diff, metrics []string) error {
	var files []pending
	for _, path := range paths {
		files = append(files, pending{"-o", path, func(w io.Writer) error {
			if filepath.Ext(path) == ".json" {
				return report.DiffJSON(w, *doc)
			}
			return report.DiffMarkdown(w, *doc, metrics)
		}})
	}
	return writeAll(files)
}

// printDiff writes the result to standard output as --format says.
func (a *app) printDiff(doc *report.Diff, metrics []string) error {
	var err error
	switch a.format {
	case "json":
		err = report.DiffJSON(a.out, *doc)
	case "md":
		err = report.DiffMarkdown(a.out, *doc, metrics)
	default:
		err = report.DiffText(a.out, *doc, report.DiffOptions{Options: a.options(a.out), Metrics: metrics})
	}
	return printed(err)
}
