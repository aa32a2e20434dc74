package judge_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/judge"
	"github.com/vpnsim/vpnsim/report"
)

// seconds is a number with its interval; 0: that end is not known.
func seconds(expr string, value, low, high float64) report.Statistic {
	amount := func(s float64) *report.Amount {
		if s == 0 {
			return nil
		}
		return &report.Amount{N: int64(s * 1e9), Unit: "s"}
	}
	return report.Statistic{Expr: expr, Unit: "s", N: 200, Value: report.Amount{N: int64(value * 1e9), Unit: "s"}, Low: amount(low), High: amount(high)}
}

func tested(version, sha, digest string, values ...report.Statistic) *report.Test {
	return &report.Test{Version: version, FirstSeed: 1, Runs: 200, Scenarios: []report.TestedScenario{
		{Scenario: "a.yaml", ScenarioSHA256: sha, Digest: digest, Runs: 200, Values: values}}}
}

func itself(s string) string { return s }

// baselineOf a test, through its file.
func baselineOf(t *testing.T, doc *report.Test) *judge.Baseline {
	t.Helper()
	b := judge.NewBaseline(doc, itself, nil, nil)
	var file bytes.Buffer
	if err := b.Write(&file); err != nil {
		t.Fatal(err)
	}
	read, err := judge.ReadBaseline(&file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read, b) {
		t.Fatalf("read back as\n%+v\nwant\n%+v", read, b)
	}
	return read
}

func TestWhatHasChanged(t *testing.T) {
	old := baselineOf(t, tested("v1", "aa", "11"))
	for why, now := range map[string]*report.Test{
		"":                                tested("v1", "aa", "11"),
		"the scenario has changed":        tested("v1", "bb", "22"),
		"vpnsim has changed (v1, now v2)": tested("v2", "aa", "11"),
		"the scenario has changed, and so has vpnsim (v1, now v2)":                               tested("v2", "bb", "11"),
		"vpnsim has changed, or a file that the scenario names: the same run came out otherwise": tested("v1", "aa", "22"),
	} {
		if err := old.Compare(now, itself); err != nil {
			t.Fatal(err)
		}
		if got := now.Scenarios[0].Baseline.Why; got != why {
			t.Errorf("%q, want %q", got, why)
		}
	}
}

// A value is worse if each of the two lies outside of the other's interval; where there
// is no interval, a twentieth counts.
func TestWhatIsWorse(t *testing.T) {
	exact := func(value float64) report.Statistic {
		s := seconds("worst(gap)", value, value, value)
		s.Exact = true
		return s
	}
	for _, c := range []struct {
		was, now report.Statistic
		worse    bool
	}{
		{seconds("p50(gap)", 20, 18, 22), seconds("p50(gap)", 25, 23, 27), true},
		{seconds("p50(gap)", 20, 18, 22), seconds("p50(gap)", 21.9, 20.5, 24), false}, // in the interval of the first
		{seconds("p50(gap)", 20, 18, 22), seconds("p50(gap)", 25, 19, 30), false},     // the first is in that of the second
		{seconds("p50(gap)", 25, 23, 27), seconds("p50(gap)", 20, 18, 22), false},     // better
		{seconds("p99(gap)", 20, 18, 0), seconds("p99(gap)", 20.5, 20.4, 0), false},
		{seconds("p99(gap)", 20, 18, 0), seconds("p99(gap)", 22, 21.5, 0), true},
		{exact(20), exact(20.9), false},
		{exact(20), exact(21.2), true},
		{exact(0), exact(0.001), true},
		{report.Statistic{Expr: "worst(lost)", Unit: "1", Value: report.Amount{N: 0, Unit: "1"}}, report.Statistic{Expr: "worst(lost)", Unit: "1", Value: report.Amount{N: 1, Unit: "1"}}, true},
		{report.Statistic{Expr: "mean(lost)", Unit: "ratio", Value: report.Amount{N: 5e8, Unit: "ratio"}}, report.Statistic{Expr: "mean(lost)", Unit: "ratio", Value: report.Amount{N: 51e7, Unit: "ratio"}}, false},
	} {
		old, now := baselineOf(t, tested("v1", "aa", "11", c.was)), tested("v1", "bb", "11", c.now)
		if err := old.Compare(now, itself); err != nil {
			t.Fatal(err)
		}
		v := now.Scenarios[0].Baseline.Values
		now.Count()
		if len(v) != 1 || v[0].Worse != c.worse || now.OK == c.worse {
			t.Errorf("%s, then %s: %+v", c.was, c.now, v)
		}
	}
}

func TestOnlyTheSameRunsAreCompared(t *testing.T) {
	old := baselineOf(t, tested("v1", "aa", "11"))
	for want, change := range map[string]func(*report.Test){
		"of 200 runs from seed 1, and this test is of 100": func(d *report.Test) { d.Runs = 100 },
		"and this test is of 200 from 7":                   func(d *report.Test) { d.FirstSeed = 7 },
		"--set":                                            func(d *report.Test) { d.Sets = []string{"a=b"} },
	} {
		now := tested("v1", "aa", "11")
		change(now)
		if err := old.Compare(now, itself); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for _, text := range []string{``, `{`, `{"kind": "sweep-part"}`, `{"vpnsim": "v2", "kind": "test-baseline"}`, `{"vpnsim": "v1", "kind": "test-baseline", "more": 1}`,
		`{"vpnsim": "v1", "kind": "test-baseline", "scenarios": [{"scenario": "a", "values": [{"expr": "x", "unit": "1", "value": 1.5}]}]}`} {
		if b, err := judge.ReadBaseline(strings.NewReader(text)); err == nil {
			t.Errorf("%s was read: %+v", text, b)
		}
	}
}
