package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpnsim/vpnsim/plot"
	"github.com/vpnsim/vpnsim/profile"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// sweepFlags are what the user asked for.
type sweepFlags struct {
	seed    uint64
	sets    []string
	vary    []string
	latin   int
	runs    int
	until   string
	metrics []string
	workers int
	shard   string
	merge   []string
	resume  bool
	state   string
	files   []string
	picture string
	ecdf    bool

	failures string
	worst    bool

	sensitivity bool
	rows        int
}

// Runs of each point when nobody says how many, and at most when a precision is asked for.
const (
	usualRuns  = 1000
	mostRuns   = 100_000_000
	untilRuns  = 1_000_000
	exitSignal = 130 // as a shell says of what SIGINT has ended
)

func (a *app) sweepCommand() *cobra.Command {
	var q sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep [SCENARIO]",
		Short: "Run a scenario with many seeds and settings: how long, how often, how sure",
		Long: `Run a scenario with many seeds, at every point of a grid of settings, and print the
distribution of the outage at each: quantiles with intervals that assume nothing
about its shape, the share of runs that were instant, the worst run. All points
share their seeds, so that what differs between two is what was changed.

The result depends on the scenario, the seeds and the grid, not on the number of
workers, nor on whether the sweep was interrupted (Ctrl-C, or worse) and went on
with --resume, nor on how many machines shared it with --shard.

--vary PATH=a,b,c takes these values, PATH=a..b five from a to b, PATH=a..b/9 nine.

-o FILE writes the result for other programs; the suffix says how:
  .json, .csv, .md   as --format prints it
  .svg, .png         a picture: the distribution; quantiles against one parameter; a heat
                     map over two
  .ndjson            the counts, to be merged with those of other shards (--merge)`,
		Example: `  vpnsim sweep -n 2000
  vpnsim sweep --vary routers.gcp.bgp.hold=9s,30s,60s
  vpnsim sweep clique --vary n=3..6/4 --vary mrai=0s,5s,30s
  vpnsim sweep --ci 0.2s@p99                     until p99 is known to 0.2 s
  vpnsim sweep -n 100000 --shard 0/4 -o 0.ndjson   a quarter of it; then, with all four:
  vpnsim sweep --merge 0.ndjson,1.ndjson,2.ndjson,3.ndjson`,
		Args:        atMost(1, "sweep takes one scenario"),
		Annotations: map[string]string{moreFormats: "csv"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := bySuffix(q.files, sweepSuffixes); err != nil {
				return err
			}
			if q.picture != "" {
				if err := known("--picture", []string{q.picture}, sweep.Pictures); err != nil {
					return err
				}
			}
			if len(q.merge) > 0 {
				return a.merge(cmd, args, &q)
			}
			return a.sweep(cmd, first(args), &q)
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&q.seed, "seed", 1, "`number` of the first run; the others follow")
	f.StringArrayVar(&q.sets, "set", nil, "change the scenario: `path=value`, at all points")
	f.StringArrayVar(&q.vary, "vary", nil, "run at each of several values: `path=a,b,c` or a..b")
	f.IntVar(&q.latin, "lhs", 0, "instead of every combination, so many `points` that cover all ranges evenly (a Latin hypercube)")
	f.StringVar(&q.failures, "failures", "", "instead of the scenario's story, every `single` failure of an element, or every double one")
	f.BoolVar(&q.worst, "worst", false, "search for the longest outage: many seeds, then the moments of the story's events")
	f.BoolVar(&q.sensitivity, "sensitivity", false, "rank settings by what they do: those of --vary, or the timers of every router")
	f.IntVar(&q.rows, "rows", usualRows, "with --sensitivity: `rows` of the plan for Sobol's indices; 0: none")
	f.IntVarP(&q.runs, "runs", "n", usualRuns, "`runs` of each point; with --ci: at most (1,000,000 unless told)")
	f.StringVar(&q.until, "ci", "", "run until a quantile is known so well: `width@quantile`, such as 0.2s@p99")
	f.StringSliceVar(&q.metrics, "metric", nil, "what to count: `names` of "+metricNames()+" (default: what fits the scenario)")
	f.IntVar(&q.workers, "workers", 0, "`runs` at the same time; 0: one for each processor")
	f.StringVar(&q.shard, "shard", "", "only this part of the runs: `i/n`, i from 0; n alone takes i from JOB_COMPLETION_INDEX")
	f.StringSliceVar(&q.merge, "merge", nil, "put these `files` of shards together instead of running")
	f.BoolVar(&q.resume, "resume", false, "go on with what an interrupted sweep has done")
	f.StringVar(&q.state, "state", "", "keep what is done in this `file` (otherwise: in the user's cache) until the sweep is complete")
	f.StringArrayVarP(&q.files, "output", "o", nil, "write the result to `file`, too; the suffix says how")
	f.StringVar(&q.picture, "picture", "", "which `kind` of picture -o writes: "+strings.Join(sweep.Pictures, ", ")+" (default: by the number of --vary)")
	f.BoolVar(&q.ecdf, "ecdf", false, "print the distribution as a picture, too (without --vary: always)")
	return cmd
}

func metricNames() string {
	var names []string
	for _, m := range sweep.Metrics {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}

// sweep runs one.
func (a *app) sweep(cmd *cobra.Command, name string, q *sweepFlags) error {
	src, err := a.open(name)
	if err != nil {
		return err
	}
	var vary []sweep.Vary
	for _, text := range q.vary {
		v, err := sweep.ParseVary(text)
		if err != nil {
			return usagef("", "--vary: %v", err)
		}
		if slices.ContainsFunc(vary, func(o sweep.Vary) bool { return o.Path == v.Path }) {
			return usagef("give all its values to one", "--vary: %s is varied twice", v.Path)
		}
		vary = append(vary, v)
	}
	if q.sensitivity {
		return a.sensitivity(q, src, vary, func(points [][]string) (*sweep.Plan, error) {
			designs, err := loadPoints(src, q.sets, points)
			if err != nil {
				return nil, err
			}
			return q.plan(cmd, designs, points)
		})
	}
	points, err := q.points(vary)
	if err != nil {
		return err
	}
	var names []string
	if q.failures != "" {
		if points, names, err = q.allFailures(src); err != nil {
			return err
		}
	}
	designs, err := loadPoints(src, q.sets, points)
	if err != nil {
		return err
	}
	if _, err := a.lints(designs[0]); err != nil {
		return err
	}
	if q.failures == "" {
		a.notOffered(designs[0], points)
	}
	plan, err := q.plan(cmd, designs, points)
	if err != nil {
		return err
	}
	plan.Names = names
	if q.worst {
		return a.worst(q, src, plan)
	}
	shard, err := q.parseShard()
	if err != nil {
		return err
	}
	if shard != nil {
		if plan.Until != nil {
			return usagef("write -n instead", "--ci: how many runs are enough is not known to one of several shards")
		}
		if len(q.files) != 1 || filepath.Ext(q.files[0]) != partSuffix {
			return usagef("write -o FILE.ndjson, and --merge all files when they are there", "--shard: a part of the runs is no result")
		}
	}
	return a.runSweep(q, plan, shard)
}

// points are a grid, or with --lhs a Latin hypercube.
func (q *sweepFlags) points(vary []sweep.Vary) ([][]string, error) {
	if q.latin == 0 {
		points, err := sweep.Grid(vary)
		if err != nil {
			return nil, usagef("", "--vary: %v", err)
		}
		return points, nil
	}
	if q.latin < 2 || q.latin > sweep.MostPoints {
		return nil, usagef("", "--lhs %d is not from 2 to %d", q.latin, sweep.MostPoints)
	}
	if len(vary) == 0 {
		return nil, usagef("say what varies: --vary routers.aws.bgp.hold=9s..90s", "--lhs: points in no dimension are all the same")
	}
	return sweep.Hypercube(vary, stats.Latin(q.latin, len(vary), q.seed)), nil
}

// allFailures are points whose story is one failure each, or two.
func (q *sweepFlags) allFailures(src source) (points [][]string, names []string, err error) {
	if err := known("--failures", []string{q.failures}, []string{"single", "double"}); err != nil {
		return nil, nil, err
	}
	if len(q.vary) > 0 {
		return nil, nil, usagef("change the scenario with --set", "--failures: the story is what varies, and --vary is not for it")
	}
	d, err := src.load(q.sets)
	if err != nil {
		return nil, nil, err
	}
	list := sweep.Single(d)
	if q.failures == "double" {
		list = sweep.Double(d)
	}
	if len(list) >= sweep.MostPoints {
		return nil, nil, usagef("", "--failures: %d are too many", len(list))
	}
	for _, f := range append([]sweep.Failure{sweep.Nothing}, list...) {
		points, names = append(points, []string{f.Set()}), append(names, f.Name)
	}
	return points, names, nil
}

// loadPoints reads the scenario of every point, so that what is wrong with one is
// known before the first has run.
func loadPoints(src source, sets []string, points [][]string) ([]*topology.Design, error) {
	designs := make([]*topology.Design, len(points))
	for i, p := range points {
		d, err := src.load(slices.Concat(sets, p))
		if err != nil {
			return nil, asVaried(err, p)
		}
		designs[i] = d
	}
	return designs, nil
}

// asVaried says --vary of what is wrong with the values of a point, as they were given.
func asVaried(err error, point []string) error {
	var bad *badScenario
	if !errors.As(err, &bad) {
		return err
	}
	for i := range bad.problems {
		d := &bad.problems[i]
		for _, set := range point {
			if path, _, _ := strings.Cut(set, "="); d.File == "--set "+path {
				d.File = "--vary " + path
			}
		}
	}
	return bad
}

// plan is what q asks for.
func (q *sweepFlags) plan(cmd *cobra.Command, designs []*topology.Design, points [][]string) (*sweep.Plan, error) {
	base := designs[0]
	if base.Internet != nil {
		return nil, usagef("generate a graph of at most 500 ASes", "sweep: over a graph of ASes of which the control plane only is simulated, it is not supported")
	}
	plan := &sweep.Plan{Identity: sweep.Identity{
		Engine: version(), Scenario: base.File, Name: base.Name, SHA256: base.SHA256,
		Sets: append([]string{}, q.sets...), Points: points, Metrics: sweep.Usual(base), First: q.seed, Runs: q.runs, Instant: sweep.InstantOf(base),
	}}
	if len(q.metrics) > 0 {
		plan.Metrics = nil
		for _, name := range q.metrics {
			m, ok := sweep.Find(name)
			if !ok {
				return nil, usagef(scenarios.DidYouMean(name, strings.Split(metricNames(), ", ")), "--metric %q is not known", name)
			}
			plan.Metrics = append(plan.Metrics, m)
		}
	}
	if q.until != "" {
		if !cmd.Flags().Changed("runs") {
			plan.Runs = untilRuns
		}
		u, err := parsePrecision(q.until, plan.Metrics[0])
		if err != nil {
			return nil, usagef("write 0.2s@p99", "--ci %s: %v", q.until, err)
		}
		plan.Until = u
	}
	if plan.Runs < 1 || plan.Runs > mostRuns {
		return nil, usagef("", "-n %d is not from 1 to %d", plan.Runs, mostRuns)
	}
	if q.workers < 0 {
		return nil, usagef("", "--workers %d is less than 0", q.workers)
	}
	plan.Make = func(i int) (sweep.Sampler, error) { return sweep.NewSampler(designs[i], plan.Metrics) }
	for i := range designs {
		if i > 0 && len(designs[i].Probes) > 0 == (len(base.Probes) > 0) {
			continue
		}
		if _, err := plan.Make(i); err != nil {
			return nil, usagef("", "%v", err)
		}
	}
	plan.Check = sweep.Check(base, plan.First)
	return plan, nil
}

// parsePrecision reads 0.2s@p99, or 5@p50 of what is counted.
func parsePrecision(text string, m sweep.Metric) (*sweep.Precision, error) {
	width, quantile, ok := strings.Cut(text, "@")
	p := &sweep.Precision{Metric: m.Name, Confidence: sweep.Confidence}
	percent, err := strconv.ParseFloat(strings.TrimPrefix(quantile, "p"), 64)
	if !ok || err != nil || !strings.HasPrefix(quantile, "p") || percent <= 0 || percent >= 100 {
		return nil, fmt.Errorf("it does not say which quantile, p50 or p99.9")
	}
	p.Quantile = percent / 100
	if m.Unit == sweep.Duration {
		d, err := topology.ParseDuration(width)
		if err != nil {
			return nil, err
		}
		p.Width = int64(d)
	} else if p.Width, err = strconv.ParseInt(width, 10, 64); err != nil {
		return nil, fmt.Errorf("%s is counted in whole numbers, and %q is none", m.Name, width)
	}
	if p.Width <= 0 {
		return nil, fmt.Errorf("%s is not more than nothing", width)
	}
	return p, nil
}

// parseShard reads --shard; nil: it was not given.
func (q *sweepFlags) parseShard() (*sweep.Shard, error) {
	if q.shard == "" {
		return nil, nil
	}
	const help = "write --shard 0/4, 1/4, 2/4 and 3/4 for the four parts, or --shard 4 where JOB_COMPLETION_INDEX says which"
	index, of, both := strings.Cut(q.shard, "/")
	if !both {
		index, of = os.Getenv("JOB_COMPLETION_INDEX"), q.shard
		if index == "" {
			return nil, usagef(help, "--shard %s does not say which, and JOB_COMPLETION_INDEX is not set", q.shard)
		}
	}
	i, errI := strconv.Atoi(index)
	n, errN := strconv.Atoi(of)
	if errI != nil || errN != nil || n < 1 || i < 0 || i >= n {
		return nil, usagef(help, "--shard: %s/%s is no part", index, of)
	}
	return &sweep.Shard{Index: i, Of: n}, nil
}

// runSweep runs a plan, keeps what is done, and prints the result.
func (a *app) runSweep(q *sweepFlags, plan *sweep.Plan, shard *sweep.Shard) error {
	st, err := openState(q, plan, shard)
	if err != nil {
		return err
	}
	defer st.close()
	ctx, stop := untilInterrupted()
	defer stop()
	bar := a.progress()
	res, err := sweep.Run(ctx, plan, sweep.Options{Workers: q.workers, Shard: shard, Done: st.done, Keep: st.keep, Progress: bar.set})
	bar.end()
	if err != nil {
		return usagef("", "sweep: %v", err)
	}
	switch interrupted := ctx.Err() != nil && !res.Complete; {
	case interrupted:
		if doc := res.Summary(version()); doc.Runs > 0 && shard == nil {
			if err := a.printSweep(doc, res, q); err != nil {
				return err
			}
		}
		a.complain("interrupted", st.hint())
		return ending(exitSignal)
	case shard != nil:
		return st.publish(q.files[0])
	}
	doc := res.Summary(version())
	if err := writeSweep(q, doc, res); err != nil {
		return err
	}
	st.remove()
	if err := a.printSweep(doc, res, q); err != nil {
		return err
	}
	if !res.Precise {
		return ending(exitFailed)
	}
	return nil
}

// merge puts shards together and prints what one sweep would have printed.
func (a *app) merge(cmd *cobra.Command, args []string, q *sweepFlags) error {
	for _, flag := range []string{"seed", "set", "vary", "lhs", "failures", "worst", "sensitivity", "rows", "runs", "ci", "shard", "resume", "state"} {
		if cmd.Flags().Changed(flag) {
			return usagef("the files say what was run", "--%s has no meaning beside --merge", flag)
		}
	}
	if len(args) > 0 {
		return usagef("the files say what was run", "a scenario has no meaning beside --merge")
	}
	var m sweep.Merger
	for _, name := range q.merge {
		f, err := os.Open(name)
		if err != nil {
			return usagef("", "--merge %s: %s", name, reason(err))
		}
		err = m.Add(name, f)
		f.Close()
		if err != nil {
			return usagef("", "--merge %s: %v", name, err)
		}
	}
	res := m.Result()
	if !res.Complete {
		return usagef("name the files of all shards; a shard that was interrupted goes on with --resume", "--merge: %d of %d blocks of runs are in none of the files", res.Missing, res.Blocks())
	}
	for _, name := range q.metrics {
		if res.Metric(name) < 0 {
			return usagef("", "--metric %s was not counted", name)
		}
	}
	doc := res.Summary(version())
	if err := writeSweep(q, doc, res); err != nil {
		return err
	}
	return a.printSweep(doc, res, q)
}

// printSweep writes the result to standard output as --format says.
func (a *app) printSweep(doc *report.Sweep, res *sweep.Result, q *sweepFlags) error {
	var err error
	switch a.format {
	case "json":
		err = report.SweepJSON(a.out, *doc)
	case "csv":
		err = report.SweepCSV(a.out, *doc)
	case "md":
		err = report.SweepMarkdown(a.out, *doc, q.metrics)
	default:
		opt := report.SweepOptions{Options: a.options(a.out), Metrics: q.metrics}
		var picture strings.Builder
		if q.ecdf || len(doc.Vary) == 0 {
			if err := res.Terminal(&picture, cmp.Or(opt.Width, usualWidth), opt.ASCII, q.shown(res)); err != nil {
				return usagef("", "--ecdf: %v", err)
			}
			opt.ECDF = picture.String()
		}
		err = report.SweepText(a.out, *doc, opt)
	}
	return printed(err)
}

// usualWidth of a picture where there is no terminal.
const usualWidth = 100

// shown is the metric that pictures are of.
func (q *sweepFlags) shown(res *sweep.Result) string {
	if len(q.metrics) > 0 {
		return q.metrics[0]
	}
	return res.Metrics[0].Name
}

// sweepSuffixes are those of -o; partSuffix is that of counts that can be merged.
const partSuffix = ".ndjson"

var sweepSuffixes = []string{partSuffix, ".svg", ".png", ".json", ".csv", ".md"}

// writeSweep writes every -o, or none.
func writeSweep(q *sweepFlags, doc *report.Sweep, res *sweep.Result) error {
	var files []pending
	picture := sweep.Picture(q.picture)
	if picture == "" {
		picture = sweep.UsualPicture(len(doc.Vary))
	}
	for _, path := range q.files {
		files = append(files, pending{"-o", path, func(w io.Writer) error {
			switch filepath.Ext(path) {
			case ".json":
				return report.SweepJSON(w, *doc)
			case ".csv":
				return report.SweepCSV(w, *doc)
			case ".md":
				return report.SweepMarkdown(w, *doc, q.metrics)
			case ".svg":
				return res.Draw(w, plot.SVG, picture, q.shown(res))
			case ".png":
				return res.Draw(w, plot.PNG, picture, q.shown(res))
			}
			return sweep.WritePart(w, res)
		}})
	}
	return writeAll(files)
}

// notOffered remarks which of the values that are varied a platform does not offer, each once.
func (a *app) notOffered(d *topology.Design, points [][]string) {
	seen := map[string]bool{}
	for _, p := range points {
		for _, set := range p {
			if _, why := profile.NotOffered(d, set); why != "" && !seen[set] {
				if seen[set] = true; len(seen) <= mostLints {
					a.warn(set + " is tried all the same: " + why)
				}
			}
		}
	}
}
