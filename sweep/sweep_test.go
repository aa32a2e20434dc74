package sweep_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

func load(t testing.TB, name string, sets ...string) *topology.Design {
	t.Helper()
	data, ok := scenarios.Builtin(name)
	if !ok {
		t.Fatalf("no scenario %s", name)
	}
	d, problems := scenarios.Load(name+".yaml", data, sets)
	if d == nil {
		t.Fatalf("%s: %v", name, problems)
	}
	return d
}

// planOf a shipped scenario, varied.
func planOf(t testing.TB, name string, runs int, vary ...string) *sweep.Plan {
	t.Helper()
	var list []sweep.Vary
	for _, v := range vary {
		x, err := sweep.ParseVary(v)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, x)
	}
	points, err := sweep.Grid(list)
	if err != nil {
		t.Fatal(err)
	}
	var designs []*topology.Design
	for _, p := range points {
		designs = append(designs, load(t, name, p...))
	}
	d := designs[0]
	plan := &sweep.Plan{Identity: sweep.Identity{Engine: "test", Scenario: d.File, Name: d.Name, SHA256: d.SHA256,
		Points: points, Metrics: sweep.Usual(d), First: 1, Runs: runs, Instant: time.Second}}
	plan.Check = sweep.Check(d, 1)
	plan.Make = func(i int) (sweep.Sampler, error) { return sweep.NewSampler(designs[i], plan.Metrics) }
	return plan
}

func run(t testing.TB, plan *sweep.Plan, opt sweep.Options) *sweep.Result {
	t.Helper()
	res, err := sweep.Run(context.Background(), plan, opt)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// bytesOf is all that a result says.
func bytesOf(t testing.TB, res *sweep.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := sweep.WritePart(&b, res); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(res.Summary("test"))
	if err != nil {
		t.Fatal(err)
	}
	return b.String() + string(data)
}

const hold = "routers.gcp.bgp.hold=9s,60s"

func TestTheNumberOfWorkersChangesNothing(t *testing.T) {
	want := bytesOf(t, run(t, planOf(t, "aws-gcp", 130, hold), sweep.Options{Workers: 1}))
	for _, workers := range []int{2, 7} {
		if got := bytesOf(t, run(t, planOf(t, "aws-gcp", 130, hold), sweep.Options{Workers: workers})); got != want {
			t.Errorf("%d workers count something else than one", workers)
		}
	}
}

// What is counted is what the runs gave, one by one.
func TestASweepCountsWhatItsRunsGive(t *testing.T) {
	res := run(t, planOf(t, "aws-gcp", 130, hold), sweep.Options{})
	for p, sets := range res.Identity.Points {
		s, err := sweep.NewSampler(load(t, "aws-gcp", sets...), res.Metrics)
		base, baseErr := sweep.NewSampler(load(t, "aws-gcp"), res.Metrics)
		if err != nil || baseErr != nil {
			t.Fatal(err, baseErr)
		}
		out, was := make([]int64, len(res.Metrics)), make([]int64, len(res.Metrics))
		want := make([]*stats.Histogram, len(res.Metrics))
		less, worst := int64(0), sweep.Witness{Value: -1}
		for m := range want {
			want[m] = stats.NewHistogram(res.Points[p].Cells[m].Values.Width())
		}
		for seed := uint64(1); seed <= 130; seed++ {
			s.Sample(seed, out)
			base.Sample(seed, was)
			for m, v := range out {
				want[m].Add(v)
			}
			if out[0] < was[0] {
				less++
			}
			if out[0] > worst.Value {
				worst = sweep.Witness{Value: out[0], Seed: seed}
			}
		}
		for m := range want {
			a, _ := json.Marshal(want[m])
			b, _ := json.Marshal(res.Points[p].Cells[m].Values)
			if !bytes.Equal(a, b) {
				t.Errorf("point %d, %s\n%s\nwant\n%s", p, res.Metrics[m].Name, b, a)
			}
		}
		c := &res.Points[p].Cells[0]
		if p > 0 && c.Pairs.Less != less || c.Worst != worst {
			t.Errorf("point %d: %d shorter, worst %v, want %d, %v", p, c.Pairs.Less, c.Worst, less, worst)
		}
	}
}

// Three machines, each of them killed once and gone on with: the bytes of one.
func TestShardsMakeTheSameResultAsOneSweep(t *testing.T) {
	plan := planOf(t, "aws-gcp", 500, hold)
	want := bytesOf(t, run(t, plan, sweep.Options{}))
	var merger sweep.Merger
	for _, i := range []int{2, 0, 1} {
		shard := &sweep.Shard{Index: i, Of: 3}
		var file bytes.Buffer
		if err := sweep.WriteManifest(&file, &plan.Identity, shard); err != nil {
			t.Fatal(err)
		}
		enough := errors.New("killed")
		blocks := 0
		keep := func(b *sweep.Block) error {
			if blocks++; blocks > 3 {
				file.WriteString(`{"block":`) // in the middle of a write
				return enough
			}
			return sweep.WriteBlock(&file, b)
		}
		if _, err := sweep.Run(context.Background(), plan, sweep.Options{Shard: shard, Keep: keep}); err != enough {
			t.Fatal(err)
		}
		done := sweep.NewDone(&plan.Identity)
		size, err := sweep.ReadPart(bytes.NewReader(file.Bytes()), func(*sweep.Manifest) error { return nil }, func(b *sweep.Block) error {
			done.Add(b)
			return nil
		})
		if err != nil || done.Blocks() != 3 {
			t.Fatal(done.Blocks(), err)
		}
		file.Truncate(int(size))
		run(t, plan, sweep.Options{Shard: shard, Done: done, Keep: func(b *sweep.Block) error { return sweep.WriteBlock(&file, b) }})
		if err := merger.Add("part", &file); err != nil {
			t.Fatal(err)
		}
	}
	res := merger.Result()
	if got := bytesOf(t, res); !res.Complete || got != want {
		t.Errorf("%d blocks are missing; merged:\n%s\nwant\n%s", res.Missing, got, want)
	}
}

func TestPartsOfDifferentSweepsDoNotMix(t *testing.T) {
	part := func(plan *sweep.Plan) *bytes.Buffer {
		var b bytes.Buffer
		if err := sweep.WritePart(&b, run(t, plan, sweep.Options{})); err != nil {
			t.Fatal(err)
		}
		return &b
	}
	plan := func() *sweep.Plan { return planOf(t, "aws-gcp", 20) }
	for what, change := range map[string]func(*sweep.Plan){
		"the scenario is not the same":          func(p *sweep.Plan) { p.SHA256 = "x" },
		"different versions of vpnsim":          func(p *sweep.Plan) { p.Engine = "v9" },
		"the same run came out otherwise":       func(p *sweep.Plan) { p.Check = "x" },
		"other values of --set or --vary":       func(p *sweep.Plan) { p.Sets = []string{"for=200s"} },
		"the seeds are not the same":            func(p *sweep.Plan) { p.First = 2 },
		"they count other metrics":              func(p *sweep.Plan) { p.Metrics = p.Metrics[:1] },
		"they count other metrics, or stop oth": func(p *sweep.Plan) { p.Instant = 0 },
	} {
		var merger sweep.Merger
		if err := merger.Add("a", part(plan())); err != nil {
			t.Fatal(err)
		}
		other := plan()
		change(other)
		if err := merger.Add("b", part(other)); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestWhatIsNoPartIsRefused(t *testing.T) {
	plan := planOf(t, "aws-gcp", 40)
	var file bytes.Buffer
	if err := sweep.WriteManifest(&file, &plan.Identity, nil); err != nil {
		t.Fatal(err)
	}
	run(t, plan, sweep.Options{Workers: 1, Keep: func(b *sweep.Block) error { return sweep.WriteBlock(&file, b) }})
	good := file.String()
	lines := strings.SplitAfter(good, "\n")
	for what, text := range map[string]string{
		"it is empty":                    "",
		"does not begin with a manifest": "vpnsim: v1\n",
		"the manifest has been changed":  strings.Replace(good, `"runs":40`, `"runs":41`, 1),
		"is not of this sweep":           strings.Replace(good, `"block":1`, `"block":7`, 1),
		"does not have the 20 runs":      strings.Replace(good, `"runs":20`, `"runs":21`, 1),
		"the worst run is not the worst": lines[0] + strings.Replace(lines[1], `"worst":{"value":`, `"worst":{"value":1`, 1),
		"line 2: invalid":                lines[0] + "{x}\n",
		"no histogram":                   lines[0] + strings.Replace(lines[1], `"bins":[[`, `"bins":[[9999999,1],[`, 1),
	} {
		if n, err := read(text); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, %d", what, err, n)
		}
	}
	if n, err := read(good); err != nil || n != 2 {
		t.Error(n, err)
	}
}

func read(text string) (blocks int, err error) {
	_, err = sweep.ReadPart(strings.NewReader(text), func(*sweep.Manifest) error { return nil }, func(*sweep.Block) error { blocks++; return nil })
	return blocks, err
}

func TestAnInterruptedSweepGivesWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	blocks := 0
	res, err := sweep.Run(ctx, planOf(t, "aws-gcp", 500), sweep.Options{Workers: 1, Keep: func(*sweep.Block) error {
		if blocks++; blocks == 4 {
			cancel()
		}
		return nil
	}})
	if err != nil || res.Complete || res.Points[0].Runs != 80 {
		t.Errorf("%v, complete %v, %d runs", err, res.Complete, res.Points[0].Runs)
	}
}

// law is a sampler of the seed's law: half instant, half uniform from 20 to 30 s.
type law struct{ salt uint64 }

func (l law) Sample(seed uint64, out []int64) (sweep.Remark, error) {
	r := rand.New(rand.NewPCG(seed, l.salt))
	if out[0] = 240 * stats.Millisecond; r.IntN(2) == 0 {
		out[0] = 20_000*stats.Millisecond + r.Int64N(10_000*stats.Millisecond)
	}
	return 0, nil
}

// A sweep with a precision ends when it is reached, and then the interval still covers
// the truth about as often as it says: looking again and again does little harm, since
// it looks at doublings only.
func TestAPrecisionEndsASweepAndItsIntervalsCover(t *testing.T) {
	const sweeps = 1000
	m, _ := sweep.Find(sweep.Gap)
	covered, least, most := 0, int64(1<<62), int64(0)
	for salt := range uint64(sweeps) {
		plan := &sweep.Plan{Identity: sweep.Identity{Points: [][]string{{}}, Metrics: []sweep.Metric{m}, First: 1, Runs: 1 << 20,
			Until: &sweep.Precision{Metric: sweep.Gap, Quantile: 0.9, Confidence: 0.95, Width: 400 * stats.Millisecond}},
			Make: func(int) (sweep.Sampler, error) { return law{salt}, nil }}
		res := run(t, plan, sweep.Options{})
		if !res.Precise || !res.Complete {
			t.Fatal("it has not ended with precision")
		}
		p := &res.Points[0]
		x := p.Cells[0].Values.QuantileInterval(0.9, 0.95)
		if truth := int64(28_000 * stats.Millisecond); x.Low <= truth && truth <= x.High {
			covered++
		}
		least, most = min(least, p.Runs), max(most, p.Runs)
	}
	if share := float64(covered) / sweeps; share < 0.93 || share > 0.975 {
		t.Errorf("the intervals cover in %.1f %% of %d sweeps", 100*share, sweeps)
	}
	if least < 500 || most > 4000 || least == most {
		t.Errorf("the sweeps had %d to %d runs", least, most)
	}
}

func TestVary(t *testing.T) {
	for text, want := range map[string]string{
		"routers.aws.bgp.hold=9s,30s,90s":        "9s 30s 90s",
		"routers.aws.bgp.hold=9s..90s":           "9s 29s 50s 70s 90s",
		"routers.aws.bgp.hold=9s..90s/4":         "9s 36s 63s 90s",
		"n=3..6/4":                               "3 4 5 6",
		"x=0.75..1/2":                            "0.75 1",
		"story[0].at=uniform(1s, 2s),choice(3s)": "uniform(1s, 2s) choice(3s)",
		"a.b=1ms..2ms/3":                         "1ms 1.5ms 2ms",
		"a.b=0s..1s/5":                           "0s 250ms 500ms 750ms 1s",
		"a.b=true,false":                         "true false",
	} {
		v, err := sweep.ParseVary(text)
		if got := strings.Join(v.Values, " "); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"routers.aws.bgp.hold": "does not say what takes which values",
		"=9s":                  "does not say what takes which values",
		"a=":                   "does not say what takes which values",
		"a=1s,,2s":             "one of the values is empty",
		"a=9s..3s":             "from the smaller value to the larger",
		"a=9..30s":             "one end has a unit",
		"a=9s..30":             "one end has a unit",
		"a=x..y":               "between two durations or two numbers",
		"a=1s..2s/1":           "not from 2 to 1000",
		"a=1s..2s/x":           "not from 2 to 1000",
	} {
		if _, err := sweep.ParseVary(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	a, _ := sweep.ParseVary("a=1,2")
	b, _ := sweep.ParseVary("b=x,y,z")
	points, err := sweep.Grid([]sweep.Vary{a, b})
	if err != nil || len(points) != 7 || len(points[0]) != 0 || !slices.Equal(points[6], []string{"a=2", "b=z"}) {
		t.Error(points, err)
	}
	big, _ := sweep.ParseVary("a=1..1000/1000")
	if _, err := sweep.Grid([]sweep.Vary{big, b, b, b}); err == nil {
		t.Error("a grid of 27,000 points was made")
	}
}

// A sweep that ends when it is precise, interrupted anywhere and resumed, is the same.
func TestASweepWithAPrecisionResumes(t *testing.T) {
	plan := planOf(t, "aws-gcp", 4000)
	plan.Until = &sweep.Precision{Metric: sweep.Gap, Quantile: 0.9, Confidence: 0.95, Width: 500 * stats.Millisecond}
	want := run(t, plan, sweep.Options{})
	if n := want.Points[0].Runs; !want.Precise || n <= 500 || n >= 4000 {
		t.Fatalf("%d runs, precise: %v", n, want.Precise)
	}
	for _, after := range []int{1, 19, 20, 33} {
		ctx, cancel := context.WithCancel(context.Background())
		done, blocks := sweep.NewDone(&plan.Identity), 0
		var kept []*sweep.Block
		_, err := sweep.Run(ctx, plan, sweep.Options{Keep: func(b *sweep.Block) error {
			if kept = append(kept, b); len(kept) == after {
				cancel()
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range kept {
			done.Add(b)
			blocks++
		}
		got := run(t, plan, sweep.Options{Done: done})
		if bytesOf(t, got) != bytesOf(t, want) {
			t.Errorf("resumed after %d blocks, it is another result", blocks)
		}
	}
}

// A network that never comes to rest has no time that it took, only a lower bound, and 0 is none:
// of a scenario without a story what is measured is how the network comes up.
func TestRoutingThatNeverComesToRestIsNotInstant(t *testing.T) {
	never := run(t, planOf(t, "bad-gadget", 3), sweep.Options{})
	p, summary := &never.Points[0], never.Summary("test")
	if least := summary.Points[0].Metrics[0].Min.N; p.Open != 3 || least < int64(600*time.Second) {
		t.Errorf("%d of 3 runs are open, the least convergence is %v", p.Open, time.Duration(least))
	}
	if p := &run(t, planOf(t, "clique", 3), sweep.Options{}).Points[0]; p.Open != 0 {
		t.Errorf("a clique that converges: %d of 3 runs are open", p.Open)
	}
}
