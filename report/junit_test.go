package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What CI systems accept, after the schema that Jenkins' xUnit plugin checks files
// against (junit-10.xsd); GitLab reads a part of it. "!" marks what has to be there.
var junitSchema = map[string]struct{ attributes, children string }{
	"testsuites": {"name time tests failures errors", "testsuite"},
	"testsuite":  {"name! tests! failures! errors! group time skipped timestamp hostname id package file log url", "testsuite properties testcase system-out system-err"},
	"properties": {"", "property"},
	"property":   {"name! value!", ""},
	"testcase":   {"name! time classname group", "skipped error failure rerunFailure rerunError flakyFailure flakyError system-out system-err"},
	"failure":    {"type message", "text"},
	"error":      {"type message", "text"},
	"skipped":    {"type message", "text"},
	"system-out": {"", "text"},
	"system-err": {"", "text"},
}

var junitTime = regexp.MustCompile(`^(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?$`)

// againstSchema says what is wrong with a JUnit file.
func againstSchema(data []byte) (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	d := xml.NewDecoder(bytes.NewReader(data))
	var open []string
	counts := map[string]int{}
	var sums map[string]string
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return append(problems, err.Error())
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			rule, known := junitSchema[name]
			if !known {
				bad("<%s> is not known", name)
			}
			if len(open) == 0 {
				if name != "testsuites" && name != "testsuite" {
					bad("the root is <%s>", name)
				}
			} else if !slices.Contains(strings.Fields(junitSchema[open[len(open)-1]].children), name) {
				bad("<%s> in <%s>", name, open[len(open)-1])
			}
			got := map[string]string{}
			for _, a := range token.Attr {
				got[a.Name.Local] = a.Value
				if !slices.Contains(strings.Fields(strings.ReplaceAll(rule.attributes, "!", "")), a.Name.Local) {
					bad("<%s %s=%q>", name, a.Name.Local, a.Value)
				}
				if a.Name.Local == "time" && !junitTime.MatchString(a.Value) {
					bad("time %q", a.Value)
				}
			}
			for _, a := range strings.Fields(rule.attributes) {
				if must, ok := strings.CutSuffix(a, "!"); ok {
					if _, there := got[must]; !there {
						bad("<%s> has no %s", name, must)
					}
				}
			}
			if name == "testsuite" {
				counts, sums = map[string]int{}, got
			}
			counts[name]++
			open = append(open, name)
		case xml.EndElement:
			if token.Name.Local == "testsuite" {
				for attribute, element := range map[string]string{"tests": "testcase", "failures": "failure", "errors": "error"} {
					if sums[attribute] != strconv.Itoa(counts[element]) {
						bad("%s=%s, and there are %d", attribute, sums[attribute], counts[element])
					}
				}
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if s := strings.TrimSpace(string(token)); s != "" && (len(open) == 0 || !strings.Contains(junitSchema[open[len(open)-1]].children+"text", "text") || open[len(open)-1] == "testcase") {
				bad("text in %v: %q", open, s)
			}
		}
	}
	return problems
}

// testOfEverything has every kind of scenario and expectation, with text that tries to
// get out of what it is written into.
func testOfEverything() Test {
	const evil = "a]]>b <script>&\x1b[31m\u202e\x00 |x| `code` @user %0A,:"
	low, high := Amount{29_500_000_000, "s"}, Amount{29_990_000_000, "s"}
	t := Test{VPNSim: "v1", Kind: "test", Version: "v1.2.3", FirstSeed: 1, Runs: 200, Confidence: 0.95, Scenarios: []TestedScenario{
		{Scenario: "a/ok.yaml", Name: "good", ScenarioSHA256: "12ab", Runs: 200,
			Baseline: &Compared{Why: "the scenario has changed", Values: []ComparedValue{
				{Expr: "p99(gap)", Was: Statistic{Expr: "p99(gap)", Unit: "s", N: 200, Value: low}, Now: Statistic{Expr: "p99(gap)", Unit: "s", N: 200, Value: high, Low: &low}, Worse: true},
				{Expr: "worst(gap)", Was: Statistic{Expr: "worst(gap)", Unit: "s", N: 200, Value: high, Exact: true}, Now: Statistic{Expr: "worst(gap)", Unit: "s", N: 200, Value: low, Exact: true}}}},
			Expectations: []TestedExpectation{
				{Expr: "lost == 0", File: "a/ok.yaml", Line: 3, Col: 5, OK: true, Sure: true, Runs: 200},
				{Expr: `p99(gap) < duration("31s")`, File: "a/ok.yaml", Line: 4, Col: 5, OK: true, Many: true, Runs: 200, Got: "p99(gap) = 29.9 s [29.5, ?], n = 200",
					Statistics: []Statistic{{Expr: "p99(gap)", Unit: "s", N: 200, Quantile: 0.99, Value: Amount{29_900_000_000, "s"}, Low: &low, Needed: 368}}},
			}},
		{Scenario: "a/" + evil + ".yaml", Name: evil, Runs: 200, Open: 3, Expectations: []TestedExpectation{
			{Expr: `gap.outage < duration("10s")`, File: "a/" + evil + ".yaml", Line: 41, Col: 5, Sure: true, Runs: 200, Broken: 109, Got: evil, Seed: 7,
				Replay: "vpnsim run 'a/x.yaml' --seed 7", Outage: 28_930_000_000, Chain: []Wait{
					{StartS: 85_000_000_000, EndS: 113_900_000_000, Node: "aws", What: "hold timer", Parameter: "routers.aws.bgp.hold", Value: "30s", Source: "x.yaml:18:5"},
					{StartS: 113_900_000_000, EndS: 113_930_000_000, Node: "aws", What: evil}}},
			{Expr: `p50(gap) < duration("1s")`, File: "a/x.yaml", Line: 42, Col: 5, Many: true, Runs: 200, Got: "p50(gap) = 29.9 s [29.5, 29.99], n = 200", Seed: 9,
				Replay:     "vpnsim run a/x.yaml --seed 9",
				Statistics: []Statistic{{Expr: "p50(gap)", Unit: "s", N: 200, Quantile: 0.5, Value: Amount{29_900_000_000, "s"}, Low: &low, High: &high}}},
		}},
		{Scenario: "b.yaml", Diagnostics: []Diagnostic{{File: "b.yaml", Line: 2, Col: 3, Severity: "error", Message: evil, Help: "mend it"}}},
		{Scenario: "c.yaml", Name: "nothing expected"},
	}}
	t.Count()
	return t
}

func TestJUnitIsWhatCISystemsRead(t *testing.T) {
	var out bytes.Buffer
	if err := JUnit(&out, testOfEverything()); err != nil {
		t.Fatal(err)
	}
	for _, p := range againstSchema(out.Bytes()) {
		t.Error(p)
	}
	if t.Failed() {
		t.Log(out.String())
	}
	var again bytes.Buffer
	if err := JUnit(&again, testOfEverything()); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Errorf("not the same bytes (%v)", err)
	}
}

// The check of the schema finds what is wrong.
func TestSchemaOfJUnitRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`<testsuites skipped="1"></testsuites>`:                                                             `<testsuites skipped="1">`,
		`<testsuite name="x" tests="0" failures="0"></testsuite>`:                                           `has no errors`,
		`<testsuite name="x" tests="2" failures="0" errors="0"><testcase name="a"/></testsuite>`:            `tests=2, and there are 1`,
		`<testsuite name="x" tests="1" failures="0" errors="0"><testcase name="a">x</testcase></testsuite>`: `text in`,
		`<testsuite name="x" tests="0" failures="0" errors="0" time="1s"></testsuite>`:                      `time "1s"`,
		`<report></report>`: `<report> is not known`,
	} {
		if got := strings.Join(againstSchema([]byte(text)), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestTestText(t *testing.T) {
	var out bytes.Buffer
	if err := TestText(&out, testOfEverything(), Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"note  a/ok.yaml:4:5  p99(gap) < duration(\"31s\")\n        p99(gap) = 29.9 s [29.5, ?], n = 200\n        200 runs are too few to be sure",
		"from -n 368 on",
		"it failed in 109 of 200 runs\n        replay: vpnsim run 'a/x.yaml' --seed 7\n        the longest outage of that run, 28.930 s, came of\n          28.900 s  aws: hold timer",
		"routers.aws.bgp.hold = 30s  x.yaml:18:5\n",
		"FAIL  a/x.yaml:42:5  p50(gap) < duration(\"1s\")\n        got p50(gap) = 29.9 s [29.5, 29.99], n = 200; seed 9 is a run on the wrong side\n",
		"In 3 of 200 runs of a/",
		"FAIL  b.yaml:2:3: a]]>b",
		"4 scenarios, 4 expectations: 2 held, 2 failed; 1 value is worse than in the baseline; 1 scenario cannot be read\n",
		"FAIL  a/ok.yaml  p99(gap) has become worse than in the baseline: 29.99 s [29.5, ?], was 29.5 s [?, ?]; the scenario has changed\n",
		"note  a/ok.yaml  worst(gap) is another one than in the baseline: 29.5 s, was 29.99 s; the scenario has changed\n",
		"c.yaml", "expects nothing\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in\n%s", want, out.String())
		}
	}
	if strings.ContainsAny(out.String(), "\x1b\x00\u202e") {
		t.Error("a name drives the terminal")
	}
}

// A scenario of a pull request is written by whoever opened it.
func TestTestMarkdownEscapes(t *testing.T) {
	var out bytes.Buffer
	if err := TestMarkdown(&out, testOfEverything()); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script>", " @user", "\x1b", "`code`"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("%q is in\n%s", bad, out.String())
		}
	}
	for _, want := range []string{"### ❌ vpnsim test: 4 scenarios", "```\nvpnsim run 'a/x.yaml' --seed 7\n```", "| a/ok.yaml | ❌ 1 failed | 2 | 200 |", "a/ok.yaml p99(gap) has become worse", "⚠️"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in\n%s", want, out.String())
		}
	}
}
