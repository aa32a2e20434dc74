package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/lab"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
)

// calibrateFlags are what the user asked for.
type calibrateFlags struct {
	folder   string
	only     string
	parallel int
	trials   int
	seed     uint64
	runs     int
	again    bool
	list     bool
}

func (a *app) labCalibrateCommand() *cobra.Command {
	var q calibrateFlags
	cmd := &cobra.Command{
		Use:   "calibrate MATRIX -o FOLDER",
		Short: "Run many cases on real daemons, and keep the results",
		Long: `Run a matrix of cases on real daemons, many trials side by side, and write a file of
results for each, which ` + "`vpnsim lab compare FOLDER`" + ` reads. The matrix is a YAML file that
lists scenarios, daemons and settings; docs/lab.md describes it.

A case whose results are already there, with as many trials and of the same scenario,
is not run again; so a run that was interrupted goes on where it was. The trials that
take longest come first.

Exit codes: 0 ok; 1 a trial failed; 2 bad usage, matrix or scenario, or not supported;
4 the machine lacks something.`,
		Example: `  vpnsim lab calibrate calibration/matrix.yaml -o calibration/results --parallel 24
  vpnsim lab calibrate calibration/matrix.yaml -o /tmp/hold --only '^hold/frr' --trials 4`,
		Args: exactly(1, "lab calibrate takes one matrix"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.format != "text" {
				return usagef("the results are JSON, in the folder", "lab calibrate prints text, not %s", a.format)
			}
			if q.parallel < 1 || q.runs < 1 || q.trials < 0 {
				return usagef("", "--parallel, --runs and --trials are at least 1")
			}
			return a.calibrate(cmd.Context(), args[0], &q)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&q.folder, "output", "o", "", "the `folder` for the results")
	f.StringVar(&q.only, "only", "", "only the cases whose name has this regular `expression` in it")
	f.IntVar(&q.parallel, "parallel", 8, "so `many` trials at the same time")
	f.IntVar(&q.trials, "trials", 0, "so `many` trials of each case (otherwise: as the matrix says)")
	f.IntVar(&q.runs, "runs", 400, "so `many` simulated runs to print beside them")
	f.Uint64Var(&q.seed, "seed", 1, "what the trials draw at random comes from this `number` and the case's name")
	f.BoolVar(&q.again, "again", false, "run cases again whose results are there")
	f.BoolVar(&q.list, "list", false, "print the cases, and how long they take, and run nothing")
	cmd.MarkFlagRequired("output")
	return cmd
}

// prepared is a case that is ready to run.
type prepared struct {
	*lab.Case
	job  lab.Job
	file string // of its results
}

// calibrate runs the cases of a matrix that have no results yet.
func (a *app) calibrate(ctx context.Context, name string, q *calibrateFlags) error {
	cases, err := a.prepare(name, q)
	if err != nil {
		return err
	}
	todo, took := cases[:0:0], time.Duration(0)
	for _, c := range cases {
		if q.again || !there(&c) {
			todo = append(todo, c)
			took += time.Duration(c.job.Opt.Trials) * (c.job.Plan.Length(c.job.Opt) + c.job.Plan.Overhead())
		}
	}
	if !q.list && len(todo) > 0 {
		if err := a.atHome(); err != nil {
			return err
		}
		var lacks []lab.Need
		for _, c := range todo {
			lacks = append(lacks, c.job.Plan.Lacks()...)
		}
		if err := a.lacking(lacks); err != nil {
			return err
		}
		if done, err := a.asRoot(ctx, nil); done {
			return err
		}
	}
	if q.list {
		for _, c := range todo {
			fmt.Fprintf(a.out, "%-60s %3d trials of %v\n", c.Name, c.job.Opt.Trials, c.job.Plan.Length(c.job.Opt)+c.job.Plan.Overhead())
		}
	}
	fmt.Fprintf(a.out, "%d cases, %d of them to be run, in about %v\n", len(cases), len(todo), (took / time.Duration(q.parallel)).Round(time.Minute))
	if q.list || len(todo) == 0 {
		return nil
	}
	if err := os.MkdirAll(q.folder, 0o777); err != nil {
		return usagef("", "-o %s: %s", q.folder, reason(err))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	jobs := make([]lab.Job, len(todo))
	for i := range todo {
		jobs[i] = todo[i].job
	}
	failed, ended := 0, 0
	err = lab.RunAll(ctx, jobs, q.parallel, func(i int, res *lab.Results) error {
		c := &todo[i]
		ended++
		for t, err := range res.Errors {
			if err != nil {
				failed++
				a.warn(fmt.Sprintf("%s: trial %d: %v", c.Name, t+1, err))
			}
		}
		if res.Measured.N() == 0 {
			return nil // nothing to keep
		}
		doc := c.job.Plan.Document(c.job.Opt, res)
		doc.Version, doc.Sets, doc.Case = version(), c.Sets, c.Name
		fmt.Fprintf(a.out, "%3d/%d  %-55s measured %s to %s s, median %s; predicted %s to %s s, median %s\n", ended, len(todo), c.Name,
			doc.Measured.MinS.Fixed(1), doc.Measured.MaxS.Fixed(1), doc.Measured.MedianS.Fixed(1), doc.Predicted.MinS.Fixed(1), doc.Predicted.MaxS.Fixed(1), doc.Predicted.MedianS.Fixed(1))
		for i := range doc.Trials {
			brief(&doc.Trials[i])
		}
		return writeAll([]pending{{"-o", c.file, func(w io.Writer) error { return report.LabLine(w, doc) }}})
	})
	switch {
	case errors.Is(err, context.Canceled):
		a.complain("interrupted; every namespace and process has been removed", "the same command goes on with the cases that have no results yet")
		return ending(exitFailed)
	case err != nil:
		return err
	case failed > 0:
		return ending(exitFailed)
	}
	return nil
}

// brief leaves what a comparison looks at: of messages, who has told whom that it ends.
func brief(t *report.LabTrial) {
	t.Streams = nil
	t.BGP = slices.DeleteFunc(t.BGP, func(m report.LabBGP) bool { return m.Type != "NOTIFICATION" || m.Direction != "sent" })
}

// prepare reads the matrix and everything that it names.
func (a *app) prepare(name string, q *calibrateFlags) ([]prepared, error) {
	src, err := a.open(name)
	if err != nil {
		return nil, err
	}
	only, err := regexp.Compile(q.only)
	if err != nil {
		return nil, usagef("", "--only %s: %v", q.only, err)
	}
	m, wrong := lab.ReadMatrix(name, src.data)
	var (
		list     []prepared
		problems []report.Diagnostic
	)
	complain := func(w lab.Wrong) {
		problems = append(problems, report.Diagnostic{File: w.Pos.File, Line: w.Pos.Line, Col: w.Pos.Col, Severity: "error", Message: w.Message, Help: w.Help})
	}
	for _, w := range wrong {
		complain(w)
	}
	for i := 0; len(wrong) == 0 && i < len(m.Cases); i++ {
		c := &m.Cases[i]
		if !only.MatchString(c.Name) {
			continue
		}
		path := filepath.Join(filepath.Dir(name), c.Scenario)
		if _, shipped := scenarios.Builtin(c.Scenario); shipped {
			if _, err := os.Stat(path); err != nil {
				path = c.Scenario
			}
		}
		plan, err := a.plan(path, c)
		if err != nil {
			var bad *badScenario
			var problem *lab.Problem
			var usage *usageError
			switch {
			case errors.As(err, &bad):
				problems = append(problems, bad.problems...)
			case errors.As(err, &problem):
				complain(lab.Wrong{Pos: c.Pos, Message: problem.Message, Help: problem.Help})
			case errors.As(err, &usage):
				complain(lab.Wrong{Pos: c.Pos, Message: usage.message, Help: usage.help})
			default:
				complain(lab.Wrong{Pos: c.Pos, Message: err.Error()})
			}
			continue
		}
		opt := lab.Options{Trials: c.Trials, For: c.For, Runs: q.runs, Seed: seedOf(c.Name, q.seed)}
		if q.trials > 0 {
			opt.Trials = q.trials
		}
		file := filepath.Join(q.folder, strings.ReplaceAll(c.Name, "/", "_")+".json")
		list = append(list, prepared{c, lab.Job{Plan: plan, Opt: opt}, file})
	}
	if len(problems) > 0 {
		return nil, &badScenario{problems}
	}
	if len(list) == 0 {
		return nil, usagef("vpnsim lab calibrate --list prints their names", "--only %s: there is no such case", q.only)
	}
	return list, nil
}

// plan of a case.
func (a *app) plan(path string, c *lab.Case) (*lab.Plan, error) {
	src, err := a.open(path)
	if err != nil {
		return nil, err
	}
	d, err := src.load(c.Sets)
	if err != nil {
		return nil, err
	}
	plan, err := lab.NewPlan(d, c.With)
	if err == nil {
		err = plan.Tells(lab.Options{For: c.For})
	}
	return plan, err
}

// seedOf a case: cases do not share what they draw.
func seedOf(name string, seed uint64) uint64 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return seed + uint64(h.Sum32())
}

// there tells whether a case has its results already.
func there(c *prepared) bool {
	data, err := os.ReadFile(c.file)
	if err != nil {
		return false
	}
	docs, problems := report.ReadLabs(c.file, data)
	if len(problems) > 0 || len(docs) != 1 {
		return false
	}
	d := &docs[0]
	good := 0
	for i := range d.Trials {
		if d.Trials[i].Error == "" {
			good++
		}
	}
	return d.Case == c.Name && d.ScenarioSHA256 == c.job.Plan.Scenario.SHA256 && good >= c.job.Opt.Trials
}
