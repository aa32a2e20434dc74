package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/judge"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// testFlags are what the user asked for.
type testFlags struct {
	seed    uint64
	runs    int
	sets    []string
	only    string
	junit   string
	workers int

	baseline string
	update   bool
	old      *judge.Baseline // what is in it; nil: nothing yet
}

// usualTests is how many runs of each scenario a test makes.
const usualTests = 200

func (a *app) testCommand() *cobra.Command {
	var q testFlags
	cmd := &cobra.Command{
		Use:   "test [PATH...]",
		Short: "Hold scenarios to what they expect, over many seeds",
		Long: `Hold scenarios to what they expect. What is expected of one run has to hold in
every run; what is expected of many, such as p99(gap) < duration("31s"), goes by all
of them. PATH is a file, a directory (of which all scenarios are tested), or the name
of a scenario that ships with vpnsim; without PATH: the current directory.

The outcome depends on the scenarios and the seeds only. A failure shows what was
seen, the run that shows it, as a command, and what took so long in that run.

In GitHub Actions, failures are annotated on the line of the expectation, and the
result is added to the step's summary.

--baseline FILE compares the quantiles of each scenario with those of an earlier test,
fails if one has become worse, and says whether the scenario or vpnsim has changed;
with --update, FILE is written instead.`,
		Example: `  vpnsim test                              the scenarios of this directory
  vpnsim test networks/ --junit test.xml    for a CI system
  vpnsim test aws-gcp --run lost            one that ships with vpnsim; expectations about lost
  vpnsim test --baseline baseline.json --update, and later: vpnsim test --baseline baseline.json
  vpnsim test -n 1000 --set routers.aws.bgp.hold=9s my.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := q.openBaseline(cmd); err != nil {
				return err
			}
			return a.test(args, &q)
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&q.seed, "seed", 1, "`number` of the first run; the others follow")
	f.IntVarP(&q.runs, "runs", "n", usualTests, "`runs` of each scenario")
	f.StringArrayVar(&q.sets, "set", nil, "change the scenarios: `path=value`")
	f.StringVar(&q.only, "run", "", "test only what matches this `regexp`: files, or expectations")
	f.StringVar(&q.junit, "junit", "", "write the result as JUnit XML to `file`, too")
	f.StringVar(&q.baseline, "baseline", "", "compare with this `file`, which an earlier test has written")
	f.BoolVar(&q.update, "update", false, "write the --baseline")
	f.IntVar(&q.workers, "workers", 0, "`runs` at the same time; 0: one for each processor")
	return cmd
}

func (a *app) test(paths []string, q *testFlags) error {
	if q.runs < 1 || q.runs > mostRuns {
		return usagef("", "-n %d is not from 1 to %d", q.runs, mostRuns)
	}
	if q.workers < 0 {
		return usagef("", "--workers %d is less than 0", q.workers)
	}
	only, err := regexp.Compile(q.only)
	if err != nil {
		return usagef("", "--run: %v", err)
	}
	names, err := discover(paths)
	if err != nil {
		return err
	}
	doc := report.Test{VPNSim: "v1", Kind: "test", Version: version(), FirstSeed: q.seed, Runs: q.runs, Sets: q.sets, Confidence: sweep.Confidence}
	var cases []judge.Case
	var places []int // of the cases among the scenarios
	for _, name := range names {
		c, s := a.readCase(name, q.sets, only, q.baseline != "")
		if c == nil && s == nil {
			continue // not asked for
		}
		if s == nil {
			s = &report.TestedScenario{}
			cases = append(cases, *c)
			places = append(places, len(doc.Scenarios))
		}
		doc.Scenarios = append(doc.Scenarios, *s)
	}
	ctx, stop := untilInterrupted()
	defer stop()
	bar := a.progress()
	tested, err := judge.Run(ctx, cases, judge.Options{First: q.seed, Runs: q.runs, Sets: q.sets, Version: version(), Workers: q.workers, Progress: bar.set, Values: q.baseline != ""})
	bar.end()
	switch {
	case ctx.Err() != nil:
		a.complain("interrupted", "")
		return ending(exitSignal)
	case err != nil:
		return usagef("", "test: %v", err)
	}
	for i, s := range tested {
		doc.Scenarios[places[i]] = s
	}
	if q.old != nil && !q.update {
		if err := q.old.Compare(&doc, q.called); err != nil {
			return usagef("give the same runs, or make it anew with --update", "--baseline %s: %v", q.baseline, err)
		}
	}
	doc.Count()
	return a.tested(&doc, q)
}

// readCase reads a scenario. The case is nil if there is nothing to judge: then the
// report says why, or, if it is nil too, it was not asked for. values: there is something
// to find out about a scenario that expects nothing, too.
func (a *app) readCase(name string, sets []string, only *regexp.Regexp, values bool) (*judge.Case, *report.TestedScenario) {
	src, err := a.open(name)
	var d *topology.Design
	if err == nil {
		d, err = src.load(sets)
	}
	if err != nil {
		if only.String() != "" && !only.MatchString(name) {
			return nil, nil
		}
		s := &report.TestedScenario{Scenario: name}
		var bad *badScenario
		if errors.As(err, &bad) {
			s.Diagnostics = bad.problems
		} else {
			s.Diagnostics = []report.Diagnostic{{File: name, Severity: "error", Message: err.Error()}}
		}
		return nil, s
	}
	var chosen []int
	file := only.MatchString(d.File)
	for i := range d.Expect {
		if file || only.MatchString(d.Expect[i].Expr) {
			chosen = append(chosen, i)
		}
	}
	if len(chosen) == 0 {
		if !file {
			return nil, nil
		}
		if !values {
			return nil, &report.TestedScenario{Scenario: d.File, Name: d.Name, ScenarioSHA256: d.SHA256}
		}
	}
	return &judge.Case{Design: d, Load: src.load, Expect: chosen}, nil
}

// tested prints the result, everywhere that was asked for, and ends the program.
func (a *app) tested(doc *report.Test, q *testFlags) error {
	var files []pending
	if q.junit != "" {
		files = append(files, pending{"--junit", q.junit, func(w io.Writer) error { return report.JUnit(w, *doc) }})
	}
	if q.update {
		b := judge.NewBaseline(doc, q.called, q.old, q.stillThere)
		files = append(files, pending{"--baseline", q.baseline, b.Write})
	}
	if err := writeAll(files); err != nil {
		return err
	}
	var err error
	switch a.format {
	case "json":
		err = report.TestJSON(a.out, *doc)
	case "md":
		err = report.TestMarkdown(a.out, *doc)
	default:
		err = report.TestText(a.out, *doc, a.options(a.out))
	}
	if err := printed(err); err != nil {
		return err
	}
	if err := a.github(doc); err != nil {
		return err
	}
	ran := slices.ContainsFunc(doc.Scenarios, func(s report.TestedScenario) bool { return s.Runs > 0 })
	switch {
	case slices.ContainsFunc(doc.Scenarios, func(s report.TestedScenario) bool { return len(s.Diagnostics) > 0 }):
		return ending(exitBad)
	case ran && doc.Failed+doc.Worse == 0 && (doc.Tested > 0 || q.baseline != ""):
		return nil
	case ran && doc.Failed+doc.Worse > 0:
		return ending(exitFailed)
	case q.only != "":
		a.complain("nothing was tested: no file and no expectation matches "+q.only, "")
		return ending(exitNothing)
	}
	a.complain("nothing was tested: the scenarios have no expectations", "add `expect:` to them")
	return ending(exitNothing)
}

// discover finds the scenarios that paths mean, each once.
func discover(paths []string) ([]string, error) {
	given := len(paths) > 0
	if !given {
		paths = []string{"."}
	}
	var list []string
	add := func(name string) {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		if _, shipped := scenarios.Builtin(p); err != nil || !info.IsDir() || shipped && !strings.ContainsAny(p, `./\`) {
			add(p) // a name that does not exist is reported as one that cannot be read
			continue
		}
		found, err := scenariosIn(p)
		if err != nil {
			return nil, usagef("", "%s: %s", p, reason(err))
		}
		for _, name := range found {
			add(name)
		}
	}
	if len(list) == 0 {
		return nil, nothing(paths, given)
	}
	return list, nil
}

// nothing is what there is to say when there is no scenario.
func nothing(paths []string, given bool) error {
	where := "this directory"
	if given {
		where = strings.Join(paths, ", ")
	}
	return &nothingTested{fmt.Sprintf("nothing was tested: there is no scenario in %s", where),
		"name files or directories; a scenario is a .yaml file that has `vpnsim: v1`. `vpnsim test aws-gcp` tests one that ships with the program"}
}

// scenariosIn are the files below a directory that end in .yaml or .yml and are
// scenarios, sorted. Hidden directories are left out, links are not followed.
func scenariosIn(dir string) ([]string, error) {
	var list []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != dir && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.Type().IsRegular() || filepath.Ext(name) != ".yaml" && filepath.Ext(name) != ".yml":
			return nil
		}
		if yes, err := isScenario(name); err != nil || !yes {
			return err
		}
		list = append(list, filepath.Clean(name))
		return nil
	})
	slices.Sort(list)
	return list, err
}

var scenarioHead = regexp.MustCompile(`(?m)^vpnsim[ \t]*:`)

// isScenario tells a scenario from the other YAML files of a repository.
func isScenario(name string) (bool, error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	data, err := readAll(f)
	return scenarioHead.Match(data), err
}
