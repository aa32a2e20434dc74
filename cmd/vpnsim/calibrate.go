package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
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
	"github.com/vpnsim/vpnsim/topology"
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

A case whose results are already there, with as many trials, of the same scenario and
the same settings, is not run again; so a run that was interrupted goes on where it
was. Long trials and short ones take turns.

Exit codes: 0 ok; 1 a trial failed, or Ctrl-C; 2 bad usage, matrix or scenario, or not
supported; 4 the machine lacks something.`,
		Example: `  vpnsim lab calibrate calibration/matrix.yaml --list
  vpnsim lab calibrate calibration/matrix.yaml -o calibration/results --parallel 24
  vpnsim lab calibrate calibration/matrix.yaml -o /tmp/hold --only '^hold/frr' --trials 4`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef(whatIsAMatrix, "lab calibrate takes one matrix, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.format != "text" {
				return usagef("the results are JSON, in the folder", "lab calibrate prints text, not %s", a.format)
			}
			if q.parallel < 1 || q.runs < 1 || q.trials < 0 {
				return usagef("", "--parallel, --runs and --trials are at least 1")
			}
			if q.folder == "" && !q.list {
				return usagef("or --list, which runs nothing", "-o FOLDER says where the results go")
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
	f.BoolVar(&q.list, "list", false, "print the cases, how long they take and, with -o, which have their results; run nothing")
	return cmd
}

// whatIsAMatrix is said to whom it is not known.
const whatIsAMatrix = "a matrix is a YAML file that lists cases; docs/lab.md shows one"

// prepared is a case that is ready to run.
type prepared struct {
	*lab.Case
	job   lab.Job
	file  string // of its results; empty: nowhere
	there bool   // they are
}

// calibrate runs the cases of a matrix that have no results yet.
func (a *app) calibrate(ctx context.Context, name string, q *calibrateFlags) error {
	src, err := a.openMatrix(name)
	if err != nil {
		return err
	}
	cases, err := a.prepare(src, q)
	if err != nil {
		return err
	}
	var todo []prepared
	var jobs []lab.Job
	for i := range cases {
		if c := &cases[i]; q.again || !c.there {
			todo, jobs = append(todo, *c), append(jobs, c.job)
		}
	}
	if !q.list && len(todo) > 0 {
		if err := folder("-o", q.folder); err != nil {
			return err
		}
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
		if done, err := a.asRoot(ctx, src.input()); done {
			return err
		}
	}
	if q.list {
		for _, c := range cases {
			state := ""
			if c.there {
				state = ", has results"
			}
			fmt.Fprintf(a.out, "%-60s %s of %s%s\n", c.Name, counted(c.job.Opt.Trials, "trial"), roughly(c.job.Plan.Length(c.job.Opt)+c.job.Plan.Overhead()), state)
		}
	}
	summary := counted(len(cases), "case")
	switch {
	case len(todo) == 0:
		summary += ", no more to be run"
	case len(todo) == len(cases):
		summary += " to be run, in about " + roughly(lab.Estimate(jobs, q.parallel))
	default:
		summary += fmt.Sprintf(", %d of them to be run, in about %s", len(todo), roughly(lab.Estimate(jobs, q.parallel)))
	}
	if _, err := fmt.Fprintln(a.out, summary); err != nil {
		return printed(err)
	}
	if q.list || len(todo) == 0 {
		return nil
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
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

// openMatrix reads the file of a matrix: none ships with the program.
func (a *app) openMatrix(name string) (source, error) {
	if _, err := os.Stat(name); name != "-" && errors.Is(err, fs.ErrNotExist) && !strings.HasPrefix(name, gitPrefix) {
		return source{}, unreadable(name, "there is no such file", whatIsAMatrix)
	}
	return a.open(name)
}

// readMatrix tells what is wrong with one as with any file. trials is what a case has that
// does not say.
func readMatrix(src source, trials int) (*lab.Matrix, []report.Diagnostic) {
	m, wrong := lab.ReadMatrix(src.name, src.data, trials)
	var problems []report.Diagnostic
	for _, w := range wrong {
		help := w.Help
		if w.Word != "" {
			help = scenarios.DidYouMean(w.Word, w.Known)
		}
		problems = append(problems, wrongAt(w.Pos, w.Message, help))
	}
	return m, problems
}

func wrongAt(pos topology.Pos, message, help string) report.Diagnostic {
	return report.Diagnostic{File: pos.File, Line: pos.Line, Col: pos.Col, Severity: "error", Message: message, Help: help}
}

// prepare reads the matrix and everything that it names.
func (a *app) prepare(src source, q *calibrateFlags) ([]prepared, error) {
	only, err := regexp.Compile(q.only)
	if err != nil {
		return nil, usagef("", "--only %s: %v", q.only, err)
	}
	m, problems := readMatrix(src, q.trials)
	var list []prepared
	said := map[report.Diagnostic]bool{} // of a scenario that many cases share, or a setting of many daemons
	for i := range m.Cases {
		c := &m.Cases[i]
		if !only.MatchString(c.Name) {
			continue
		}
		plan, wrong := a.planOf(src.name, c)
		for _, p := range wrong {
			if !said[p] {
				problems = append(problems, p)
			}
			said[p] = true
		}
		if len(wrong) > 0 {
			continue
		}
		one := prepared{Case: c, job: lab.Job{Plan: plan, Opt: lab.Options{Trials: c.Trials, For: c.For, Runs: q.runs, Seed: seedOf(c.Name, q.seed)}}}
		if q.trials > 0 {
			one.job.Opt.Trials = q.trials
		}
		if q.folder != "" {
			one.file = filepath.Join(q.folder, strings.ReplaceAll(c.Name, "/", "_")+".json")
			one.there = there(&one)
		}
		list = append(list, one)
	}
	if len(problems) > 0 {
		// Those of the matrix in the order of its lines, those of its scenarios behind them.
		slices.SortStableFunc(problems, func(x, y report.Diagnostic) int {
			switch here, there := x.File == src.name, y.File == src.name; {
			case here && there:
				return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Col, y.Col))
			case here:
				return -1
			case there:
				return 1
			}
			return 0
		})
		return nil, &badScenario{problems}
	}
	if len(list) == 0 {
		return nil, usagef("vpnsim lab calibrate --list prints their names", "--only %s: there is no such case", q.only)
	}
	return list, nil
}

// planOf a case of a matrix. What is wrong with a scenario stands there; everything else
// that is wrong, in the matrix.
func (a *app) planOf(matrix string, c *lab.Case) (*lab.Plan, []report.Diagnostic) {
	path := c.Scenario // from the folder of the matrix
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(matrix), path)
	}
	if _, shipped := scenarios.Builtin(c.Scenario); shipped {
		if _, err := os.Stat(path); err != nil {
			path = c.Scenario
		}
	}
	var bad *badScenario
	src, err := a.open(path)
	if errors.As(err, &bad) {
		var list []report.Diagnostic
		for _, p := range bad.problems {
			list = append(list, wrongAt(c.ScenarioAt, p.File+": "+p.Message, p.Help))
		}
		return nil, list
	} else if err != nil {
		return nil, []report.Diagnostic{wrongAt(c.ScenarioAt, err.Error(), "")}
	}
	d, err := src.load(c.Sets)
	if errors.As(err, &bad) {
		var list []report.Diagnostic
		for _, p := range bad.problems {
			if p.Line == 0 && strings.HasPrefix(p.File, "--set") {
				p = wrongAt(c.SetAt, strings.Replace(p.File, "--set", "set:", 1)+": "+p.Message, p.Help)
			}
			list = append(list, p)
		}
		return nil, list
	} else if err != nil {
		return nil, []report.Diagnostic{wrongAt(c.ScenarioAt, err.Error(), "")}
	}
	plan, err := lab.NewPlan(d, c.With)
	at := c.WithAt
	if err == nil {
		at, err = c.ForAt, plan.Tells(lab.Options{For: c.For})
	}
	var problem *lab.Problem
	if errors.As(err, &problem) {
		return nil, []report.Diagnostic{wrongAt(at, strings.Replace(problem.Message, "--router", "with:", 1), problem.Help)}
	} else if err != nil {
		return nil, []report.Diagnostic{wrongAt(at, err.Error(), "")}
	}
	return plan, nil
}

// seedOf a case: cases do not share what they draw.
func seedOf(name string, seed uint64) uint64 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return seed + uint64(h.Sum32())
}

// there tells whether a case has its results already: of the same scenario, set in the same
// way and measured for as long. A file may hold those of several runs.
func there(c *prepared) bool {
	data, err := os.ReadFile(c.file)
	if err != nil {
		return false
	}
	docs, problems := report.ReadLabs(c.file, data)
	if len(problems) > 0 {
		return false
	}
	good, length := 0, report.Seconds(c.job.Plan.Length(c.job.Opt))
	for i := range docs {
		d := &docs[i]
		if d.Case != c.Name || d.ScenarioSHA256 != c.job.Plan.Scenario.SHA256 || d.LengthS != length || !slices.Equal(d.Sets, c.Sets) {
			continue
		}
		for k := range d.Trials {
			if d.Trials[k].Error == "" {
				good++
			}
		}
	}
	return good >= c.job.Opt.Trials
}

// counted is "1 case", "2 cases".
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// roughly is a length to the second, and a long one to the minute: 41s, 2m27s, 12m, 1h5m.
func roughly(d time.Duration) string {
	if d < 10*time.Minute {
		return d.Round(time.Second).String()
	}
	text := strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// folder makes sure that files can be put there, before anything else is done.
func folder(flag, path string) error {
	err := os.MkdirAll(path, 0o777)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(path, ".vpnsim-*"); err == nil {
			f.Close()
			os.Remove(f.Name())
		}
	}
	if err != nil {
		return usagef("", "%s %s: cannot be written to: %s", flag, path, reason(err))
	}
	return nil
}
