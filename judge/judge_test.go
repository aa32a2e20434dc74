package judge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/expect"
	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/judge"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// caseOf a shipped scenario; with other expectations, if there are any.
func caseOf(t testing.TB, name string, exprs ...string) judge.Case {
	t.Helper()
	data, ok := scenarios.Builtin(name)
	if !ok {
		t.Fatalf("no scenario %s", name)
	}
	load := func(sets []string) (*topology.Design, error) {
		d, problems := scenarios.Load(name+".yaml", data, sets, scenarios.CheckExpr(expect.Check))
		if d == nil {
			return nil, fmt.Errorf("%v", problems)
		}
		if len(exprs) > 0 {
			d.Expect = nil
			for i, e := range exprs {
				d.Expect = append(d.Expect, topology.Expect{Expr: e, Pos: topology.Pos{File: d.File, Line: 50 + i, Col: 5}})
			}
		}
		return d, nil
	}
	d, err := load(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := judge.Case{Design: d, Load: load}
	for i := range d.Expect {
		c.Expect = append(c.Expect, i)
	}
	return c
}

func run(t testing.TB, opt judge.Options, cases ...judge.Case) []report.TestedScenario {
	t.Helper()
	out, err := judge.Run(context.Background(), cases, opt)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What a shipped scenario expects holds for every seed, not only for the one that
// somebody looked at.
func TestShippedExpectationsHoldForEverySeed(t *testing.T) {
	if testing.Short() {
		t.Skip("runs everything")
	}
	var cases []judge.Case
	for _, name := range scenarios.BuiltinNames() {
		cases = append(cases, caseOf(t, name))
	}
	n := 0
	for _, s := range run(t, judge.Options{Runs: 25}, cases...) {
		for _, x := range s.Expectations {
			n++
			if !x.OK {
				t.Errorf("%s:%d: %s: %s", x.File, x.Line, x.Expr, x.Failure())
			}
		}
	}
	if n < 180 {
		t.Errorf("%d expectations only", n)
	}
}

var mixed = []string{
	`gap.outage <= duration("30.5s")`,
	`gap.outage <= duration("20s")`,
	`p50(gap) < duration("29s") and worst(gap) > duration("29s")`,
	`share(gap.outage < duration("1s")) > 0.9`,
	`p90(lost) < 3 or least(lost) > 3`,
	`best("gcp", "10.2.0.0/16", at("80s")).tunnel == "tun2"`,
	`gap.blame != "routers.aws.bgp.hold"`,
	`all(sessions, .up_by <= at("20s"))`,
}

func text(t *testing.T, s []report.TestedScenario) string {
	doc := report.Test{Scenarios: s}
	doc.Count()
	var out bytes.Buffer
	if err := report.TestJSON(&out, doc); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The number of workers changes nothing, nor does what is tested beside.
func TestTheOutcomeDoesNotDependOnWorkers(t *testing.T) {
	a, b := caseOf(t, "aws-gcp", mixed...), caseOf(t, "aws-gcp-notify")
	opt := judge.Options{First: 5, Runs: 45, Workers: 1}
	want := text(t, run(t, opt, a, b))
	for _, workers := range []int{2, 5} {
		opt.Workers = workers
		if got := text(t, run(t, opt, a, b)); got != want {
			t.Errorf("%d workers:\n%s\none:\n%s", workers, got, want)
		}
	}
	if got := text(t, run(t, opt, a)); !strings.Contains(want, got[strings.Index(got, `"expectations"`):strings.LastIndex(got, "}\n  ]")]) {
		t.Error("alone, it comes out otherwise")
	}
}

// A test finds what going through the runs one by one with the whole document finds.
func TestJudgedAsOneByOne(t *testing.T) {
	if testing.Short() {
		t.Skip("nothing runs at the same time here")
	}
	const first, runs = 1, 40
	c := caseOf(t, "aws-gcp", mixed...)
	s := run(t, judge.Options{First: first, Runs: runs}, c)[0]
	broken, shown := make([]int64, len(mixed)), make([]uint64, len(mixed))
	var outages, lost []int64
	for seed := uint64(first); seed < first+runs; seed++ {
		a, err := explain.Run(explain.Ask{Load: c.Load, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		a.Expect()
		for i, e := range a.Doc.Expectations {
			if !e.OK && !e.Many {
				if broken[i] == 0 {
					shown[i] = seed
				}
				broken[i]++
			}
		}
		longest := report.Seconds(0)
		for _, g := range a.Doc.Gaps {
			longest = max(longest, g.OutageS)
		}
		outages, lost = append(outages, int64(longest)), append(lost, int64(a.Doc.Probes[0].Lost))
	}
	for i, x := range s.Expectations {
		if x.Many {
			continue
		}
		if x.Broken != broken[i] || x.OK != (broken[i] == 0) || x.Seed != shown[i] {
			t.Errorf("%s: %d broken, first at seed %d; want %d at %d", x.Expr, x.Broken, x.Seed, broken[i], shown[i])
		}
	}
	instant, worst := int64(0), int64(0)
	for _, o := range outages {
		if o < 1e9 {
			instant++
		}
		worst = max(worst, o)
	}
	share := s.Expectations[3]
	if share.OK || share.Statistics[0].Value.N != (instant*1e9+runs/2)/runs || outages[share.Seed-first] < 1e9 {
		t.Errorf("%+v, want %d of %d", share, instant, runs)
	}
	if got := s.Expectations[2].Statistics[1].Value.N; got != worst {
		t.Errorf("the worst is %d, want %d", got, worst)
	}
	if held := s.Expectations[4]; held.OK || lost[held.Seed-first] < 3 {
		t.Errorf("%+v", held)
	}
}

// A failure shows the run, what was seen in it, and why.
func TestWhatAFailureShows(t *testing.T) {
	c := caseOf(t, "aws-gcp", `gap.outage <= duration("10s")`, `lost + gaps[0].lost < 1000`, `p99(gaps[0].outage) < duration("40s")`)
	s := run(t, judge.Options{First: 1, Runs: 40, Sets: []string{"routers.aws.bgp.hold=24s"}}, c)[0]
	x := s.Expectations[0]
	if x.OK || !strings.HasPrefix(x.Got, "gap.outage = ") || x.Replay != fmt.Sprintf("vpnsim run aws-gcp.yaml --seed %d --set routers.aws.bgp.hold=24s", x.Seed) || x.Line != 50 {
		t.Errorf("%+v", x)
	}
	sum, hold := report.Seconds(0), false
	for _, w := range x.Chain {
		sum += w.EndS - w.StartS
		hold = hold || w.Parameter == "routers.aws.bgp.hold" && w.Value == "24s" && strings.Contains(w.Source, "--set")
	}
	if sum != x.Outage || !hold {
		t.Errorf("the chain of %v is %+v", x.Outage, x.Chain)
	}
	// What cannot be told in a run without a gap, is not left out.
	for _, x := range s.Expectations[1:] {
		if x.OK || x.Broken == 0 || !strings.Contains(x.Got, "out of range") {
			t.Errorf("%+v", x)
		}
	}
}

func TestNothingToDo(t *testing.T) {
	if out := run(t, judge.Options{Runs: 3}); len(out) != 0 {
		t.Errorf("%+v", out)
	}
	c := caseOf(t, "aws-gcp")
	c.Expect = nil
	if out := run(t, judge.Options{Runs: 3}, c); out[0].Runs != 0 {
		t.Errorf("nothing is expected, and it ran: %+v", out)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := judge.Run(ctx, []judge.Case{caseOf(t, "aws-gcp")}, judge.Options{Runs: 1000}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// 200 scenarios, 200 runs of each: variants of the shipped case, with expectations about
// one run and about many.
func BenchmarkTwoHundredScenarios(b *testing.B) {
	data, _ := scenarios.Builtin("aws-gcp")
	var cases []judge.Case
	for i := range 200 {
		sets := []string{fmt.Sprintf("routers.aws.bgp.hold=%ds", 9+i%50), fmt.Sprintf("tunnels.tun1.rtt=%dms", 2+i/50)}
		load := func(more []string) (*topology.Design, error) {
			d, problems := scenarios.Load(fmt.Sprintf("%d.yaml", i), data, append(sets[:len(sets):len(sets)], more...))
			if d == nil {
				return nil, fmt.Errorf("%v", problems)
			}
			d.Expect = []topology.Expect{{Expr: `gap.outage <= duration("80s")`}, {Expr: `p99(gap) < duration("80s")`}, {Expr: `share(gap.outage < duration("1s")) < 0.9`}}
			return d, nil
		}
		d, err := load(nil)
		if err != nil {
			b.Fatal(err)
		}
		cases = append(cases, judge.Case{Design: d, Load: load, Expect: []int{0, 1, 2}})
	}
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			if workers > runtime.GOMAXPROCS(0) {
				b.Skip("there are no two processors")
			}
			b.ReportAllocs()
			for range b.N {
				for _, s := range run(b, judge.Options{First: 1, Runs: 200, Workers: workers}, cases...) {
					for _, x := range s.Expectations {
						if !x.OK {
							b.Fatalf("%+v", x)
						}
					}
				}
			}
			b.ReportMetric(float64(b.N)*200*200/b.Elapsed().Seconds(), "runs/s")
		})
	}
}
