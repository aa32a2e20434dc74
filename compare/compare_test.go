package compare

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// side is a shipped scenario with some of its words replaced.
func side(t testing.TB, name string, words []string, sets ...string) Side {
	t.Helper()
	data, ok := scenarios.Builtin(name)
	if !ok {
		t.Fatalf("no scenario %s", name)
	}
	data = []byte(strings.NewReplacer(words...).Replace(string(data)))
	s := Side{Sets: sets, Load: func(sets []string) (*topology.Design, error) {
		d, problems := scenarios.Load(name+".yaml", data, sets)
		if scenarios.Failed(problems) {
			return nil, errors.New(problems[0].Message)
		}
		return d, nil
	}}
	var err error
	if s.Design, err = s.Load(sets); err != nil {
		t.Fatal(err)
	}
	return s
}

func compare(t testing.TB, ask Ask) *report.Diff {
	t.Helper()
	if len(ask.Metrics) == 0 {
		ask.Metrics = Usual(ask.Sides[0].Design, ask.Sides[1].Design)
	}
	doc, err := Run(context.Background(), ask)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func condition(t testing.TB, text string) *Condition {
	t.Helper()
	c, err := ParseCondition(text, sweep.Gap)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c
}

// 200 changes that change nothing but which random numbers are drawn: other names give other
// draws, and names that are exchanged give one design the draws of the other's tunnels. No more
// of them are called different, or fail a condition, than the confidence allows.
func TestChangesThatChangeNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("16,000 runs")
	}
	const comparisons, n = 100, 40
	texts := []string{"p50 > 0s", "p50 < 0s", "p90 > 0s", "mean > 0s", "mean < 0s", "max > 0s", "lost mean > 0", "instant < 0%", "instant > 0%"}
	var conditions []*Condition
	for _, text := range texts {
		conditions = append(conditions, condition(t, text))
	}
	a := side(t, "aws-gcp", nil)
	for name, words := range map[string][]string{
		"renamed":   {"tun1", "left", "tun2", "right", "aws:", "amazon:", "on: aws", "on: amazon", "gcp:", "google:", "by: gcp", "by: google", "on: gcp", "on: google", "routers.gcp", "routers.google"},
		"exchanged": {"tun1", "tun2", "tun2", "tun1"},
	} {
		b := side(t, "aws-gcp", words)
		different, failed := 0, make([]int, len(texts))
		for i := range uint64(comparisons) {
			doc := compare(t, Ask{Sides: [2]Side{a, b}, First: 1 + i*n, Runs: n, Conditions: conditions, Metrics: Usual(a.Design, b.Design)[:1]})
			switch doc.Verdict {
			case report.Identical:
				t.Fatalf("%s: the same draws: this tests nothing", name)
			case report.Different:
				different++
			}
			for k := range doc.Conditions {
				if doc.Conditions[k].Failed {
					failed[k]++
				}
			}
		}
		// 5 % of 100 are 5, and more than 11 have a chance of 1 in 230; 2.5 % are 2.5, and
		// more than 8 have a chance of 1 in 900.
		if different > 11 {
			t.Errorf("%s: %d of %d are called different", name, different, comparisons)
		}
		for k, times := range failed {
			if times > 8 {
				t.Errorf("%s: %d of %d fail on %s", name, times, comparisons, texts[k])
			}
		}
		t.Logf("%s: %d of %d are called different; %v fail on %q", name, different, comparisons, failed, texts)
	}
}

// What does nothing is identical in all runs, whatever it is.
func TestWhatDoesNothingIsIdentical(t *testing.T) {
	a := side(t, "aws-gcp", nil)
	for name, b := range map[string]Side{
		"a comment": side(t, "aws-gcp", []string{"warmup:", "# .\nwarmup:"}),
		"MRAI":      side(t, "aws-gcp", nil, "routers.gcp.bgp.mrai=30s"),
	} {
		doc := compare(t, Ask{Sides: [2]Side{a, b}, First: 1, Runs: 300, Conditions: []*Condition{condition(t, "p99 > +0s")}})
		if doc.Verdict != report.Identical || len(doc.Changes) != len(b.Sets) || doc.Failed || len(doc.Chains) > 0 {
			t.Errorf("%s: %s, %v, failed %v, %d chains", name, doc.Verdict, doc.Changes, doc.Failed, len(doc.Chains))
		}
		for _, m := range doc.Metrics {
			if m.Equal != 300 || m.Test.P != 1 || m.Sign.P != 1 {
				t.Errorf("%s: %+v", name, m)
			}
			for _, s := range m.Shifts {
				if s.Shift.N != 0 || s.Low == nil || s.Low.N != 0 || s.High == nil || s.High.N != 0 {
					t.Errorf("%s: %s of %s: %+v", name, s.Of, m.Name, s)
				}
			}
		}
	}
}

// The hold time is three times as long: the document says so, and which wait it is; the
// same bytes whatever the number of workers.
func TestALongerHoldTime(t *testing.T) {
	ask := Ask{Sides: [2]Side{side(t, "aws-gcp", nil, "routers.gcp.bgp.hold=20s"), side(t, "aws-gcp", nil)}, First: 1, Runs: 2000, Workers: 1,
		Conditions: []*Condition{condition(t, "p99 > +2s"), condition(t, "p99 > +20s"), condition(t, "max > +5s"), condition(t, "mean > +3s"),
			condition(t, "lost p90 > +5"), condition(t, "instant < -5%"), condition(t, "p99 < -1ms")}}
	doc := compare(t, ask)
	if doc.Verdict != report.Different || !doc.Failed || len(doc.Changes) != 1 || doc.Changes[0].Path != "routers.gcp.bgp.hold" {
		t.Errorf("%s, failed %v, %v", doc.Verdict, doc.Failed, doc.Changes)
	}
	for i, want := range []bool{true, false, true, true, true, false, false} {
		if c := doc.Conditions[i]; c.Failed != want {
			t.Errorf("%+v", c)
		}
	}
	p99 := doc.Metrics[0].Shifts[3]
	if p99.Of != "p99" || p99.Shift.N < 9.5e9 || p99.Shift.N > 10.5e9 || p99.Low == nil || p99.High == nil {
		t.Errorf("%+v", p99)
	}
	if len(doc.Chains) == 0 {
		t.Fatal("no chain")
	}
	for _, c := range doc.Chains {
		var a, b report.Seconds
		for _, w := range c.Waits {
			a, b = a+w.A, b+w.B
		}
		if a != c.A || b != c.B {
			t.Errorf("seed %d: the waits add up to %s and %s, not %s and %s", c.Seed, a, b, c.A, c.B)
		}
	}
	text := func(doc *report.Diff) string {
		data, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	ask.Runs = 100
	one := compare(t, ask)
	ask.Workers = 3
	if three := compare(t, ask); text(one) != text(three) {
		t.Error("with three workers it is another document")
	}
}

// Without a probe in both, convergence is compared.
func TestWithoutAProbe(t *testing.T) {
	doc := compare(t, Ask{Sides: [2]Side{side(t, "clique", nil, "mrai=5s", "n=4"), side(t, "clique", nil, "mrai=30s", "n=4")}, First: 1, Runs: 50})
	if doc.Verdict != report.Different || doc.Metrics[0].Name != sweep.Convergence || len(doc.Chains) != 0 || doc.Metrics[0].More != 50 {
		t.Errorf("%+v", doc)
	}
	doc = compare(t, Ask{Sides: [2]Side{side(t, "aws-gcp", nil), side(t, "clique", nil)}, First: 1, Runs: 5})
	if doc.Metrics[0].Name != sweep.Convergence || !strings.Contains(strings.Join(doc.Remarks, " "), "Only one of the two pings") {
		t.Errorf("%+v", doc.Remarks)
	}
}

func TestAnInterruptedComparisonIsNone(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a := side(t, "aws-gcp", nil)
	if doc, err := Run(ctx, Ask{Sides: [2]Side{a, a}, Runs: 100, Metrics: Usual(a.Design, a.Design)}); doc != nil || !errors.Is(err, Interrupted) {
		t.Errorf("%v, %v", doc, err)
	}
}

func TestParseCondition(t *testing.T) {
	for text, want := range map[string]Condition{
		"p99 > +2s":           {Metric: metric(t, sweep.Gap), Of: "p99", Quantile: 0.99, More: true, Limit: 2e9},
		"p99.9>+1.5ms":        {Metric: metric(t, sweep.Gap), Of: "p99.9", Quantile: 0.999, More: true, Limit: 1.5e6},
		"lost p99 > +3":       {Metric: metric(t, sweep.Lost), Of: "p99", Quantile: 0.99, More: true, Limit: 3},
		"lost mean < -0.5":    {Metric: metric(t, sweep.Lost), Of: "mean", Limit: -0.5},
		"reply max > 0s":      {Metric: metric(t, sweep.Reply), Of: "max", Quantile: 1, More: true},
		"instant < -5%":       {Metric: metric(t, sweep.Gap), Of: "instant", Limit: -0.05},
		" outage p50 > +1h ":  {Metric: metric(t, sweep.Outage), Of: "p50", Quantile: 0.5, More: true, Limit: 3600e9},
		"updates mean > +2.5": {Metric: metric(t, sweep.Updates), Of: "mean", More: true, Limit: 2.5},
	} {
		got := *condition(t, text)
		if got.Text != strings.TrimSpace(text) {
			t.Errorf("%q", got.Text)
		}
		if d := got.Quantile - want.Quantile; d < 1e-12 && d > -1e-12 {
			got.Quantile = want.Quantile
		}
		if got.Text = ""; got != want {
			t.Errorf("%s\n got %+v\nwant %+v", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"":                   "it is not like p99 > +2s",
		"p99":                "it is not like p99 > +2s",
		"p99 > ":             "a duration is missing",
		"p99 >= +2s":         ">= is not known",
		"p99 == +2s":         "== is not known",
		"p99 > 2s":           "write its sign: > +2s",
		"p99 < 2s":           "write its sign: < -2s",
		"p99 > +2":           "gap p99 is a duration",
		"p99 > +10%":         "gap p99 is a duration",
		"lost p99 > +3s":     "lost p99 is a number without unit",
		"lost p99 > +1e3":    "lost p99 is a number without unit",
		"p99 > -2s":          "changes nothing would meet it",
		"p99 < +2s":          "changes nothing would meet it",
		"instant < -5":       "write it in percentage points",
		"instant < -5s":      "write it in percentage points",
		"lost instant < -5%": "no run is instant by it",
		"p0 > +2s":           `"p0" is none of`,
		"p100 > +2s":         `"p100" is none of`,
		"pNaN > +2s":         `"pNaN" is none of`,
		"median > +2s":       `"median" is none of`,
		"lost > +3":          "it does not say what of lost",
		"gpa p99 > +2s":      `there is no metric "gpa" (did you mean`,
	} {
		if c, err := ParseCondition(text, sweep.Gap); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v, want %s", text, c, err, want)
		}
	}
	// Met by the estimate, and certain, are two things.
	c := condition(t, "p99 > +2s")
	for _, x := range []struct {
		value, low, high float64
		known            bool
		met, certain     bool
	}{
		{3e9, 1e9, 4e9, true, true, true},
		{3e9, -1e9, 4e9, true, true, false},
		{3e9, 0, 0, false, true, false},
		{1e9, 0.5e9, 4e9, true, false, true},
		{2e9, 1e9, 3e9, true, false, true},
	} {
		if met, certain := c.met(x.value, x.low, x.high, x.known, x.known); met != x.met || certain != x.certain {
			t.Errorf("%+v: %v, %v", x, met, certain)
		}
	}
}

func metric(t *testing.T, name string) sweep.Metric {
	m, ok := sweep.Find(name)
	if !ok {
		t.Fatal(name)
	}
	return m
}
