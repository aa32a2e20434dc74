package measured

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vpnsim/vpnsim/lab"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
)

// drawDocument of few cases, trials and files, so that the same ones come again.
func drawDocument(t *rapid.T) report.LabDocument {
	d := report.LabDocument{File: rapid.SampledFrom([]string{"a.json", "b.json"}).Draw(t, "file")}
	d.VPNSim, d.Kind, d.Tunnel, d.LengthS = "v1", report.LabKind, "plain", 20e9
	d.Case = rapid.SampledFrom([]string{"", "hold/9"}).Draw(t, "case")
	d.Scenario = rapid.SampledFrom([]string{"x.yaml", "/tmp/x.yaml"}).Draw(t, "scenario")
	d.ScenarioSHA256 = strings.Repeat(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "hash"), 64)
	d.Kernel = rapid.SampledFrom([]string{"6.1", "6.18"}).Draw(t, "kernel")
	d.Routers = []report.LabRouter{{Router: "aws", Daemon: "frr", Program: rapid.SampledFrom([]string{"FRR 8.4.4", "FRR 10.1"}).Draw(t, "program")}}
	for range rapid.IntRange(0, 4).Draw(t, "trials") {
		gap := report.Seconds(rapid.IntRange(0, 2).Draw(t, "gap"))
		d.Trials = append(d.Trials, report.LabTrial{Number: 1, Seed: rapid.Uint64Range(1, 3).Draw(t, "seed"), GapS: gap, Pings: []report.LabPing{{GapS: gap}}})
	}
	return d
}

// Merging is a union of sets: it matters neither in which order documents are read, nor
// in how many steps, and what is there twice counts once.
func TestMergeLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := rapid.SliceOfN(rapid.Custom(drawDocument), 1, 8).Draw(t, "documents")
		all := Merge(docs)
		trials := 0
		for _, c := range all {
			trials += len(c.Trials) + c.Duplicates
		}
		for i := range docs {
			trials -= len(docs[i].Trials)
		}
		if trials != 0 {
			t.Fatalf("%d trials came from nowhere", trials)
		}
		if again := Merge(rapid.Permutation(docs).Draw(t, "order")); !reflect.DeepEqual(again, all) {
			t.Fatal("the order of documents matters")
		}
		// a + (b + c) = (a + b) + c
		at := rapid.IntRange(0, len(docs)).Draw(t, "split")
		parts := slices.Concat(Merge(docs[:at]), Merge(docs[at:]))
		joined := map[string]*Case{}
		for _, c := range parts {
			if joined[c.key] == nil {
				joined[c.key] = c
			} else {
				joined[c.key].join(c)
			}
		}
		for _, c := range all {
			if !reflect.DeepEqual(joined[c.key], c) {
				t.Fatalf("in two steps %s is\n%+v, in one\n%+v", c.Name, joined[c.key], c)
			}
		}
		// a + a = a, but for the count of what was there twice.
		twice := Merge(slices.Concat(docs, docs))
		for i := range twice {
			twice[i].Duplicates = all[i].Duplicates
		}
		if !reflect.DeepEqual(twice, all) {
			t.Fatal("documents that are read twice count twice")
		}
	})
}

// Numbers in names are compared as numbers.
func TestOrderOfNames(t *testing.T) {
	names := []string{"hold/hold=30s", "bfd", "hold/hold=9s", "hold/hold=180s", "hold/hold=09s", "hold"}
	slices.SortFunc(names, natural)
	if want := "bfd hold hold/hold=9s hold/hold=09s hold/hold=30s hold/hold=180s"; strings.Join(names, " ") != want {
		t.Errorf("%v", names)
	}
}

// laws of gaps, in seconds, before a ping has counted them.
var laws = map[string]func(r *rand.Rand) float64{
	"the seed's case":       func(r *rand.Rand) float64 { return float64(r.IntN(2)) * (20 + 10*r.Float64()) },
	"uniform":               func(r *rand.Rand) float64 { return 20 + 10*r.Float64() },
	"always the same":       func(r *rand.Rand) float64 { return 40.07 },
	"0 or 4.95":             func(r *rand.Rand) float64 { return float64(r.IntN(2)) * 4.95 },
	"instant":               func(r *rand.Rand) float64 { return 0.2 * r.Float64() },
	"without an upper end":  func(r *rand.Rand) float64 { return 5 + 3*r.ExpFloat64() },
	"one of few retries":    func(r *rand.Rand) float64 { return 3 * math.Pow(2, float64(r.IntN(4))) },
	"about an instant long": func(r *rand.Rand) float64 { return 0.7 + 0.6*r.Float64() },
}

const every = 200 * time.Millisecond

// counted is a gap as a simulated ping counts it: by its ticks.
func counted(r *rand.Rand, gap float64) int64 {
	phase := r.Float64()
	return int64(math.Floor(gap/every.Seconds()+phase)) * int64(every)
}

// pinged is a gap as a real ping shows it, whose interval is up to 2 % longer, on a machine
// that takes up to 50 ms for everything.
func pinged(r *rand.Rand, gap float64) int64 {
	interval := every.Seconds() * (1 + 0.02*r.Float64())
	gap += 0.05 * r.Float64()
	return int64(math.Floor(gap/interval+r.Float64()) * interval * 1e9)
}

// compareOnce compares n that were measured of one law with predictions of another.
func compareOnce(r *rand.Rand, n, runs int, measured, predicted func(*rand.Rand) float64) report.LabCase {
	var seen, expected []int64
	for range n {
		seen = append(seen, pinged(r, measured(r)))
	}
	for range runs {
		expected = append(expected, counted(r, predicted(r)))
	}
	doc := report.LabCompare{Cases: make([]report.LabCase, 1)}
	compareGaps(&doc.Cases[0], seen, expected, every)
	judge(&doc)
	return doc.Cases[0]
}

// Where prediction and measurement are of one law, no more than 1 % of the cases disagree: 200 of each law.
func TestNothingIsFoundWhereThereIsNothing(t *testing.T) {
	const cases, runs = 200, 500
	for name, law := range laws {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(len(name))))
			rejected, left := 0, 0
			for i := range cases {
				c := compareOnce(r, []int{4, 8, 16}[i%3], runs, law, law)
				if !c.Goal.NotRejected {
					rejected++
				}
				if !c.Goal.Range {
					left++
				}
			}
			t.Logf("%d of %d rejected, %d out of range", rejected, cases, left)
			if rejected > 6 { // 2 are expected at most; more than 6 have a chance of 0.4 %
				t.Errorf("%d of %d cases are rejected", rejected, cases)
			}
			// The largest of 16 exceeds the largest of 500 with probability 3 %, by more than the tolerance less often.
			if most := 0; left > most && name != "without an upper end" || left > 12 {
				t.Errorf("%d of %d cases leave the range", left, cases)
			}
		})
	}
}

// And of 200 cases that are looked at together, that none disagrees is as good as certain.
func TestManyCasesAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	doc := report.LabCompare{Cases: make([]report.LabCase, 200)}
	names := []string{"the seed's case", "uniform", "always the same", "0 or 4.95", "instant", "one of few retries"}
	for i := range doc.Cases {
		law := laws[names[i%len(names)]]
		var seen, expected []int64
		for range 12 {
			seen = append(seen, pinged(r, law(r)))
		}
		for range 1000 {
			expected = append(expected, counted(r, law(r)))
		}
		compareGaps(&doc.Cases[i], seen, expected, every)
	}
	judge(&doc)
	if doc.Disagree > 0 || doc.Agree+doc.WithinChance != len(doc.Cases) {
		t.Errorf("%d agree, %d within chance, %d disagree", doc.Agree, doc.WithinChance, doc.Disagree)
	}
}

// What a case alone does not show: six cases whose gaps are 2 s short of 20 to 30 s.
func TestCasesTogether(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	found, alarms, alone := 0, 0, 0
	for range 30 {
		var all []gathered
		for i := range 18 {
			group, short := []string{"hold", "delete", "hold"}[i%3], []float64{2, 0, 0}[i%3]
			g := gathered{group: group, daemons: []string{"bird", "bird", "frr"}[i%3], every: every}
			for range 12 {
				g.seen = append(g.seen, pinged(r, laws["uniform"](r)-short))
			}
			for range 300 {
				g.predicted = append(g.predicted, counted(r, laws["uniform"](r)))
			}
			all = append(all, g)
			if x := tests(g.seen, g.predicted, every); x[2].P <= Level/18 {
				alone++
			}
		}
		for _, x := range together(all) {
			if x.Cases != 6 && !(x.Group == "" && x.Daemons == "bird" && x.Cases == 12) || x.Gaps != 12*x.Cases {
				t.Fatalf("%+v", x)
			}
			switch sure := x.Adjusted <= Level; {
			case sure && x.Group == "hold" && x.Daemons == "bird" && x.Longer < 0.5:
				found++
			case sure && (x.Daemons == "frr" || x.Group == "delete"):
				alarms++
			}
		}
	}
	t.Logf("found in %d of 30, alone %d times of 540; %d false alarms", found, alone, alarms)
	if found < 20 || alarms > 2 || alone > found {
		t.Errorf("found in %d of 30, alone %d times of 540; %d false alarms", found, alone, alarms)
	}
}

// What is different is found, as often as the page says.
func TestDifferencesAreFound(t *testing.T) {
	shifted := func(by float64) func(*rand.Rand) float64 {
		return func(r *rand.Rand) float64 { return by + laws["uniform"](r) }
	}
	for _, c := range []struct {
		name                string
		n                   int
		measured, predicted func(*rand.Rand) float64
		least               int // of 200
		words               string
	}{
		{"a second more of 20 to 30", 16, shifted(1), shifted(0), 120, "longer than all predicted ones, by up to"},
		{"a second less of 20 to 30", 16, shifted(-1), shifted(0), 120, "shorter than all predicted ones, by up to"},
		{"a second more of 20 to 30, many trials", 100, shifted(1), shifted(0), 199, "longer than all"},
		{"half a second more than always the same", 8, func(r *rand.Rand) float64 { return 40.57 }, laws["always the same"], 199, "longer ["},
		{"never instant, against half", 16, laws["uniform"], laws["the seed's case"], 199, "instant less often than predicted: 0 of 16 against 5"},
		{"always instant, against half", 16, laws["instant"], laws["the seed's case"], 199, "instant more often than predicted: 16 of 16 against 5"},
		{"in the middle only", 40, func(r *rand.Rand) float64 { return 24 + 2*r.Float64() }, shifted(0), 199, "spread otherwise than predicted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			found := 0
			said, example := false, ""
			for range 200 {
				x := compareOnce(r, c.n, 500, c.measured, c.predicted)
				if x.Verdict == report.LabDisagrees {
					found++
					said, example = said || strings.Contains(x.Words, c.words), x.Words
				}
			}
			t.Logf("found in %d of 200", found)
			if found < c.least {
				t.Errorf("found in %d of 200, not in %d", found, c.least)
			}
			if !said {
				t.Errorf("nobody says %q, but for example %q", c.words, example)
			}
		})
	}
}

// A prediction says when routes change, and what that waits for.
func TestPrediction(t *testing.T) {
	data, _ := scenarios.Builtin("aws-gcp-blackhole")
	d, problems := scenarios.Load("aws-gcp-blackhole.yaml", data, []string{"routers.*.bgp.hold=9s"}, scenarios.Files(scenarios.BuiltinFile))
	if scenarios.Failed(problems) {
		t.Fatal(problems)
	}
	plan, err := lab.NewPlan(d, lab.Flags{With: "frr"})
	if err != nil {
		t.Fatal(err)
	}
	doc := report.LabDocument{}
	doc.Case, doc.LengthS = "hold", 30e9
	doc.Routers = []report.LabRouter{{Router: "aws", Daemon: "frr"}, {Router: "gcp", Daemon: "frr"}}
	event := "tun2 becomes a black hole in both directions"
	doc.Trials = []report.LabTrial{{Seed: 1, GapS: 8e9, Pings: []report.LabPing{{GapS: 8e9}}, Events: []report.LabEvent{{AtS: 90e9, What: event}},
		Changes: []report.LabChange{{AtS: 80e9, AfterS: 80e9, Router: "gcp"}, {AtS: 98e9, AfterS: 8e9, Router: "gcp"}, {AtS: 99e9, AfterS: 9e9, Router: "gcp"}},
		BGP: []report.LabBGP{{AtS: 97e9, AfterS: 7e9, From: "gcp", To: "aws", Link: "tun2", Direction: "sent", Type: "NOTIFICATION", What: "NOTIFICATION (Hold Timer Expired)"},
			{AtS: 97e9, AfterS: 7e9, From: "gcp", To: "aws", Link: "tun2", Direction: "received", Type: "NOTIFICATION", What: "NOTIFICATION (Hold Timer Expired)"},
			{AtS: 97e9, AfterS: 7e9, From: "gcp", To: "aws", Link: "tun1", Direction: "sent", Type: "UPDATE", What: "UPDATE"}}}}
	ask := Ask{Plan: func(*Case) (*lab.Plan, error) { return plan, nil }, Runs: 200, Seed: 1, Notes: map[string]string{"hold": "as it should be"}}
	got, err := Compare(context.Background(), Merge([]report.LabDocument{doc}), ask)
	if err != nil {
		t.Fatal(err)
	}
	c := &got.Cases[0]
	if c.Note != "as it should be" || c.Predicted.N != 200 || c.Measured.N != 1 || len(c.Events) != 2 {
		t.Fatalf("%+v", c)
	}
	for _, e := range c.Events {
		// Hold time 9 s and a keepalive every 3 s, both exact; 0.07 s to the kernel.
		if p := e.Predicted; e.Event != event || p.N != 200 || p.Changed != 200 || p.MinS < 6e9 || p.MaxS > 9.2e9 {
			t.Errorf("%+v", e)
		}
		if len(e.Timers) != 1 || e.Timers[0].Parameter != "routers."+e.Router+".bgp.hold" || e.Timers[0].Value != "9s" || e.Timers[0].Runs != 200 {
			t.Errorf("%s waits for %+v", e.Router, e.Timers)
		}
		want := []report.LabHeard{{From: "gcp", What: "NOTIFICATION (Hold Timer Expired) to aws over tun2", Trials: 1, MinS: 7e9, MedianS: 7e9, MaxS: 7e9}}
		if e.Router == "gcp" && !slices.Equal(e.Heard, want) || e.Router == "aws" && len(e.Heard) > 0 {
			t.Errorf("%s was heard to say %+v", e.Router, e.Heard)
		}
		if want := (report.LabFirst{N: 1}); e.Router == "aws" && (e.Measured != want || e.ShiftS != nil) {
			t.Errorf("measured of aws: %+v", e.Measured)
		}
		if want := (report.LabFirst{N: 1, Changed: 1, MinS: 8e9, MedianS: 8e9, MaxS: 8e9}); e.Router == "gcp" && e.Measured != want {
			t.Errorf("measured of gcp: %+v", e.Measured)
		}
	}
	// The same with any number of workers, and nothing of a run that is given up.
	ask.Workers = 4
	if again, err := Compare(context.Background(), Merge([]report.LabDocument{doc}), ask); err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("with four workers it is another: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Compare(ctx, Merge([]report.LabDocument{doc}), ask); err == nil {
		t.Error("a comparison that was given up says nothing of it")
	}
}

// A trial is watched for a little longer than its simulation; of gaps that do not end, none is
// the longer for that. Where none is predicted that does not end, it is.
func TestGapsThatHadNotEnded(t *testing.T) {
	ends := report.Seconds(71 * time.Second)
	trial := func(gap time.Duration, most *report.Seconds) report.LabTrial {
		return report.LabTrial{GapS: report.Seconds(gap), Pings: []report.LabPing{{GapS: report.Seconds(gap), MostS: most}}}
	}
	c := &Case{Trials: []report.LabTrial{trial(73*time.Second, nil), trial(70500*time.Millisecond, &ends)}}
	for open, want := range map[int][]int64{1: {70e9, 70.5e9}, 0: {73e9, 70.5e9}} {
		if got := gapsOf(c, &prediction{gaps: []int64{20e9, 70e9}, open: open}); !slices.Equal(got, want) {
			t.Errorf("%d predicted ones do not end: %v, want %v", open, got, want)
		}
	}
}
