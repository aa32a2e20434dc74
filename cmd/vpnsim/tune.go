package main

import (
	"errors"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/plot"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/tune"
)

// usualTuneRuns of each point when nobody says how many.
const usualTuneRuns = 400

func (a *app) tuneCommand() *cobra.Command {
	var (
		ask   tune.Ask
		goal  string
		keeps []string
		vary  []string
		files []string
	)
	cmd := &cobra.Command{
		Use:   "tune [SCENARIO]",
		Short: "Which timer to change, what it gains and what it risks",
		Long: `Try settings and find those that make a goal as small (or as large) as it gets
while constraints hold. Prints the front between the goal and the first constraint,
the best point, the cheapest change that is as good, what does nothing and why, and
what the platforms do not offer, which is left out.

A goal is min or max of p50, p90, p95, p99, mean or max of a metric of sweep, such as
'min p99(outage)'. A constraint compares such a number, or flaps_per_year: how often
a tunnel is dropped in a year although nothing has failed, because packets are lost
(loss:) or a router is busy (stall:). Every number says how it was come by.

Without --vary, hold times and BFD of two routers are tried.

Exit code 1: no point keeps the constraints.

-o FILE writes the result for other programs; the suffix says how:
  .json, .csv, .md   as --format prints it
  .svg, .png         a picture of the front`,
		Example: `  vpnsim tune --goal 'min p99(outage)'
  vpnsim tune noisy-tunnel --goal 'min p99(outage)' --keep 'flaps_per_year < 1' --vary routers.a.bgp.hold=3s,9s,30s,90s
  vpnsim tune my.yaml --goal 'min mean(lost)' --keep 'flaps_per_year < 12' --keep 'max(gap) < 31s' -o front.svg`,
		Args:        atMost(1, "tune takes one scenario"),
		Annotations: map[string]string{moreFormats: "csv"},
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := bySuffix(files, tuneSuffixes); err != nil {
				return err
			}
			if err := parseAims(&ask, goal, keeps); err != nil {
				return err
			}
			for _, text := range vary {
				v, err := sweep.ParseVary(text)
				if err != nil {
					return usagef("", "--vary: %v", err)
				}
				if slices.ContainsFunc(ask.Vary, func(o sweep.Vary) bool { return o.Path == v.Path }) {
					return usagef("give all its values to one", "--vary: %s is varied twice", v.Path)
				}
				ask.Vary = append(ask.Vary, v)
			}
			return a.tune(first(args), &ask, files)
		},
	}
	f := cmd.Flags()
	f.StringVar(&goal, "goal", "", "what is to be small or large: `'min p99(outage)'`")
	f.StringArrayVar(&keeps, "keep", nil, "what must hold: `'flaps_per_year < 1'`; several times for several constraints")
	f.StringArrayVar(&vary, "vary", nil, "try each of several values: `path=a,b,c` or a..b (default: the timers that people turn)")
	f.StringArrayVar(&ask.Sets, "set", nil, "change the scenario: `path=value`, at all points")
	f.BoolVar(&ask.Beyond, "beyond", false, "try what the platforms do not offer, too")
	f.IntVarP(&ask.Runs, "runs", "n", usualTuneRuns, "`runs` of each point")
	f.Uint64Var(&ask.Seed, "seed", 1, "`number` of the first run; the others follow")
	f.IntVar(&ask.Workers, "workers", 0, "`runs` at the same time; 0: one for each processor")
	f.StringArrayVarP(&files, "output", "o", nil, "write the result to `file`, too; the suffix says how")
	return cmd
}

// parseAims reads the goal and the constraints; what is wrong with one is shown where it is.
func parseAims(ask *tune.Ask, goal string, keeps []string) error {
	if goal == "" {
		return usagef("write --goal 'min p99(outage)'", "tune: there is no goal")
	}
	wrong := func(flag, text string, err error) error {
		var e *tune.SyntaxError
		if errors.As(err, &e) {
			return usagef(e.Help, "--%s: %s\n  %s\n  %s^", flag, e.Error(), text, strings.Repeat(" ", e.Column-1))
		}
		return usagef("", "--%s: %v", flag, err)
	}
	var err error
	if ask.Goal, err = tune.ParseGoal(goal); err != nil {
		return wrong("goal", goal, err)
	}
	for _, text := range keeps {
		k, err := tune.ParseKeep(text)
		if err != nil {
			return wrong("keep", text, err)
		}
		ask.Keep = append(ask.Keep, k)
	}
	return nil
}

func (a *app) tune(name string, ask *tune.Ask, files []string) error {
	switch {
	case ask.Runs < 1 || ask.Runs > untilRuns:
		return usagef("", "-n %d is not from 1 to %d", ask.Runs, untilRuns)
	case ask.Workers < 0:
		return usagef("", "--workers %d is less than 0", ask.Workers)
	case ask.Workers == 0:
		ask.Workers = runtime.GOMAXPROCS(0)
	}
	src, err := a.open(name)
	if err != nil {
		return err
	}
	base, err := src.load(ask.Sets)
	if err != nil {
		return err
	}
	if base.Internet != nil {
		return usagef("generate a graph of at most 500 ASes", "tune: over a graph of ASes of which the control plane only is simulated, it is not supported")
	}
	if _, err := a.lints(base); err != nil {
		return err
	}
	if len(ask.Vary) == 0 {
		if ask.Vary = tune.UsualVary(base); len(ask.Vary) == 0 {
			return usagef("say what varies: --vary routers.NAME.bgp.hold=9s,30s", "tune: the platforms of this scenario let nobody change a timer")
		}
	}
	ask.Load = func(sets []string) (*topology.Design, error) { return src.load(sets) }
	ctx, stop := untilInterrupted()
	defer stop()
	bar := a.progress()
	ask.Progress = bar.set
	answer, err := tune.Search(ctx, ask)
	bar.end()
	var bad *badScenario
	switch {
	case ctx.Err() != nil:
		a.complain("interrupted", "nothing is known before all points are")
		return ending(exitSignal)
	case errors.As(err, &bad):
		return err
	case err != nil:
		return usagef("", "tune: %v", err)
	}
	doc := answer.Document(version())
	if err := writeTune(files, answer, doc); err != nil {
		return err
	}
	switch a.format {
	case "json":
		err = report.TuneJSON(a.out, *doc)
	case "csv":
		err = report.TuneCSV(a.out, *doc)
	case "md":
		err = report.TuneMarkdown(a.out, *doc)
	default:
		err = report.TuneText(a.out, *doc, a.options(a.out))
	}
	if err == nil && answer.Best < 0 {
		return ending(exitFailed)
	}
	return printed(err)
}

// tuneSuffixes are those of -o.
var tuneSuffixes = []string{".svg", ".png", ".json", ".csv", ".md"}

func writeTune(paths []string, answer *tune.Answer, doc *report.Tune) error {
	var list []pending
	for _, path := range paths {
		list = append(list, pending{"-o", path, func(w io.Writer) error {
			switch filepath.Ext(path) {
			case ".svg":
				return answer.Draw(w, plot.SVG)
			case ".png":
				return answer.Draw(w, plot.PNG)
			case ".json":
				return report.TuneJSON(w, *doc)
			case ".csv":
				return report.TuneCSV(w, *doc)
			}
			return report.TuneMarkdown(w, *doc)
		}})
	}
	return writeAll(list)
}
