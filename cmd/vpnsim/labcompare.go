package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/lab"
	"github.com/vpnsim/vpnsim/measured"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
)

// labCompareFlags are what the user asked for.
type labCompareFlags struct {
	runs    int
	seed    uint64
	workers int
	failOn  string
	notes   string
	only    string
	events  bool
	files   []string
}

// What --fail-on fails on: nothing, cases that disagree, or all that do not agree.
const (
	failNever    = "never"
	failDisagree = "disagree"
	failChance   = "chance"
)

var failWords = []string{failNever, failDisagree, failChance}

func (a *app) labCompareCommand() *cobra.Command {
	var q labCompareFlags
	cmd := &cobra.Command{
		Use:   "compare RESULTS...",
		Short: "Hold results of labs against predictions made anew",
		Long: `Read what ` + "`vpnsim lab run --format json`" + ` and ` + "`vpnsim lab calibrate`" + ` have written, put
results of the same case together, predict every case again from its scenario, and say
whether measured and predicted agree.

RESULTS are files, with one result or several in each, - for standard input, or folders
with files that end in .json, .jsonl or .ndjson. A trial that is in several of them counts once. A
scenario is looked for under the path that its result names, from here and from the folders
that the result lies in, and among those that ship with the program.

A case agrees when the medians of measured and predicted gaps differ by 3 % or 0.3 s at
most, no measured gap lies outside the range of the predicted ones (by more than one
interval of the ping and 0.1 s), and no test rejects it at 1 %, corrected for all tests of
all cases. It disagrees when a test rejects it, or it leaves the range. Otherwise only the
medians differ, which with so few trials may be chance.

Exit codes: 0 compared, whatever came of it; 1 with --fail-on disagree, if a case
disagrees; with --fail-on chance, if one does not agree; 2 bad usage, results or
scenario.`,
		Example: `  vpnsim lab compare results/
  vpnsim lab compare results/ --fail-on disagree --notes matrix.yaml -o calibration.md
  vpnsim lab compare results/ --only '^hold/bird' --events`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("`vpnsim lab run aws-gcp --with frr --format json > result.json` makes some", "lab compare takes files or folders with results")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case q.runs < 1 || q.workers < 0:
				return usagef("", "--runs is at least 1, and --workers 0")
			case !slices.Contains(failWords, q.failOn):
				return usagef("known: "+strings.Join(failWords, ", "), "--fail-on %q is not known", q.failOn)
			}
			if _, err := bySuffix(q.files, diffSuffixes); err != nil {
				return err
			}
			return a.labCompare(args, &q)
		},
	}
	f := cmd.Flags()
	f.IntVar(&q.runs, "runs", 2000, "so `many` simulated runs of each case")
	f.Uint64Var(&q.seed, "seed", 1, "`number` of the first of them; the others follow")
	f.IntVar(&q.workers, "workers", 0, "`cases` at the same time; 0: one for each processor")
	f.StringVar(&q.failOn, "fail-on", failNever, "exit code 1: never, if a case can `disagree`, or also if it differs by chance: chance")
	f.StringVar(&q.notes, "notes", "", "the `matrix` of cases, whose notes stand beside those that do not agree")
	f.StringVar(&q.only, "only", "", "only the cases whose name has this regular `expression` in it")
	f.BoolVar(&q.events, "events", false, "print when routes changed after each event, and why, also of many cases")
	f.StringArrayVarP(&q.files, "output", "o", nil, "write the result to `file` (.json or .md), too")
	return cmd
}

// labCompare compares what the files hold.
func (a *app) labCompare(names []string, q *labCompareFlags) error {
	docs, err := a.readResults(names)
	if err != nil {
		return err
	}
	ask := measured.Ask{Plan: a.planAgain, Runs: q.runs, Seed: q.seed, Workers: q.workers, Version: version()}
	if q.workers == 0 {
		ask.Workers = runtime.GOMAXPROCS(0)
	}
	if q.notes != "" {
		if ask.Notes, err = a.notes(q.notes); err != nil {
			return err
		}
	}
	only, err := regexp.Compile(q.only)
	if err != nil {
		return usagef("", "--only %s: %v", q.only, err)
	}
	cases := slices.DeleteFunc(measured.Merge(docs), func(c *measured.Case) bool { return !only.MatchString(c.Name) })
	if len(cases) == 0 {
		return usagef("", "--only %s: there is no such case", q.only)
	}
	ctx, stop := untilInterrupted()
	defer stop()
	bar := a.progress()
	ask.Progress = func(done, all int) { bar.set(int64(done), int64(all)) }
	doc, err := measured.Compare(ctx, cases, ask)
	bar.end()
	switch {
	case errors.Is(err, context.Canceled):
		a.complain("interrupted", "")
		return ending(exitSignal)
	case err != nil:
		return err
	}
	var files []pending
	for _, path := range q.files {
		files = append(files, pending{"-o", path, func(w io.Writer) error {
			if filepath.Ext(path) == ".json" {
				return report.LabCompareJSON(w, *doc)
			}
			return report.LabCompareMarkdown(w, *doc, q.events)
		}})
	}
	if err := writeAll(files); err != nil {
		return err
	}
	switch a.format {
	case "json":
		err = report.LabCompareJSON(a.out, *doc)
	case "md":
		err = report.LabCompareMarkdown(a.out, *doc, q.events)
	default:
		err = report.LabCompareText(a.out, *doc, q.events, a.options(a.out))
	}
	if err != nil {
		return printed(err)
	}
	if q.failOn != failNever && doc.Disagree > 0 || q.failOn == failChance && doc.Agree < len(doc.Cases) {
		return ending(exitFailed)
	}
	return nil
}

// resultSuffixes are those of files that are read in a folder.
var resultSuffixes = []string{".json", ".jsonl", ".ndjson"}

// readResults reads files, those in folders, and standard input.
func (a *app) readResults(names []string) (docs []report.LabDocument, err error) {
	var problems []report.Diagnostic
	read := func(name string) {
		var data []byte
		var err error
		if name == "-" {
			data, err = io.ReadAll(a.in)
		} else {
			data, err = os.ReadFile(name)
		}
		if err != nil {
			problems = append(problems, report.Diagnostic{File: name, Severity: "error", Message: "cannot be read: " + reason(err)})
			return
		}
		list, wrong := report.ReadLabs(name, data)
		docs, problems = append(docs, list...), append(problems, wrong...)
	}
	for _, name := range names {
		if name == "-" {
			read(name)
			continue
		}
		info, err := os.Stat(name)
		switch {
		case err != nil:
			problems = append(problems, report.Diagnostic{File: name, Severity: "error", Message: "cannot be read: " + reason(err)})
			continue
		case !info.IsDir():
			read(name)
			continue
		}
		found := false
		err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && slices.Contains(resultSuffixes, filepath.Ext(path)) {
				found = true
				read(path)
			}
			return err
		})
		if err != nil {
			problems = append(problems, report.Diagnostic{File: name, Severity: "error", Message: "cannot be read: " + reason(err)})
		} else if !found {
			problems = append(problems, report.Diagnostic{File: name, Severity: "error", Message: "there are no results in this folder", Help: "they end in " + strings.Join(resultSuffixes, ", ")})
		}
	}
	if len(problems) > 0 {
		return nil, &badScenario{problems}
	}
	return docs, nil
}

// planAgain builds the plan of a case from its scenario as it is now.
func (a *app) planAgain(c *measured.Case) (*lab.Plan, error) {
	src, err := a.scenarioOf(c)
	if err != nil {
		return nil, err
	}
	d, err := src.load(c.Sets)
	if err != nil {
		return nil, err
	}
	if len(d.Routers) != len(c.Routers) {
		return nil, usagef("", "%s: %s has %d routers now, and had %d", c.Name, src.name, len(d.Routers), len(c.Routers))
	}
	flags := lab.Flags{With: c.Routers[0].Daemon, Tunnel: c.Tunnel}
	for _, r := range c.Routers {
		flags.Routers = append(flags.Routers, r.Router+"="+r.Daemon)
	}
	plan, err := lab.NewPlan(d, flags)
	var bad *lab.Problem
	if errors.As(err, &bad) {
		return nil, usagef(bad.Help, "%s: %s", c.Name, bad.Message)
	}
	return plan, err
}

// scenarioOf finds that of a case: the file that has its hash, or else the first that has
// its name.
func (a *app) scenarioOf(c *measured.Case) (source, error) {
	if c.Scenario == "-" {
		return source{}, usagef("keep the scenario in a file", "%s: its scenario came from standard input, and cannot be read again", c.Name)
	}
	paths := []string{c.Scenario}
	if !filepath.IsAbs(c.Scenario) {
		for _, from := range c.From {
			full, err := filepath.Abs(from)
			for dir := filepath.Dir(full); err == nil; dir = filepath.Dir(dir) {
				paths = append(paths, filepath.Join(dir, c.Scenario))
				if dir == filepath.Dir(dir) {
					break
				}
			}
		}
	}
	var found *source
	consider := func(s source) bool {
		sum := sha256.Sum256(s.data)
		if hex.EncodeToString(sum[:]) == c.ScenarioSHA256 {
			found = &s
			return true
		}
		if found == nil {
			found = &s
		}
		return false
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		s, err := a.open(path)
		if err != nil {
			return source{}, err
		}
		if consider(s) {
			return s, nil
		}
	}
	base := filepath.Base(c.Scenario)
	if data, ok := scenarios.Builtin(base); ok {
		consider(source{base, data, scenarios.BuiltinFile})
	}
	if found == nil {
		return source{}, usagef("run it from the folder that the results were made in", "%s: its scenario %s is not here, and none of that name ships with vpnsim", c.Name, c.Scenario)
	}
	return *found, nil
}

// notes are those of a matrix, by case.
func (a *app) notes(name string) (map[string]string, error) {
	src, err := a.openMatrix(name)
	if err != nil {
		return nil, err
	}
	m, problems := readMatrix(src, 1) // how many trials there are does not matter here
	if len(problems) > 0 {
		return nil, &badScenario{problems}
	}
	notes := map[string]string{}
	for i := range m.Cases {
		notes[m.Cases[i].Name] = m.Cases[i].Note
	}
	return notes, nil
}
