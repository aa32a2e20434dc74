package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
)

// Every case of the project's own matrix names a scenario, daemons and settings that a lab
// can do, on any machine.
func TestTheCalibrationCanBeRun(t *testing.T) {
	var out, errs bytes.Buffer
	code := program([]string{"lab", "calibrate", "../../calibration/matrix.yaml", "--list"}, nil, &out, &errs)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	if !strings.Contains(out.String(), "hold/frr/hold=9s") || strings.Count(out.String(), "\n") < 90 {
		t.Error(out.String())
	}
}

func TestWhatIsWrongWithAMatrixIsSaidWithItsPlace(t *testing.T) {
	var out, errs bytes.Buffer
	code := program([]string{"lab", "calibrate", "testdata/matrix.yaml", "-o", t.TempDir(), "--list"}, nil, &out, &errs)
	if code != exitBad {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		"testdata/matrix.yaml:4:12: ", // no such daemon
		"testdata/matrix.yaml:8:12: ", // no such router
		"testdata/matrix.yaml:9:30: testdata/nowhere.yaml: there is no such file",
	} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("%q is not in %s", want, errs.String())
		}
	}
}

// A scenario is looked for from the folder of the matrix, unless its path is absolute.
func TestAMatrixMayNameItsScenarioByAnAbsolutePath(t *testing.T) {
	dir := t.TempDir()
	scenario, err := filepath.Abs("../../calibration/ring.yaml")
	if err != nil {
		t.Fatal(err)
	}
	matrix := filepath.Join(dir, "matrix.yaml")
	if err := os.WriteFile(matrix, []byte("vpnsim-lab: v1\ncases:\n  - {group: ring, scenario: "+scenario+", with: [frr], trials: 1}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := program([]string{"lab", "calibrate", matrix, "-o", dir, "--list"}, nil, &out, &errs); code != exitOK || !strings.Contains(out.String(), "ring/frr") {
		t.Errorf("exit code %d: %s%s", code, out.String(), errs.String())
	}
}

// All cases are listed, and which of them have their results.
func TestCasesThatHaveResultsAreListedToo(t *testing.T) {
	dir := t.TempDir()
	data, _ := scenarios.Builtin("aws-gcp")
	sum := sha256.Sum256(data)
	doc := report.Lab{VPNSim: "v1", Kind: report.LabKind, Case: "a/bird", Scenario: "aws-gcp.yaml", ScenarioSHA256: hex.EncodeToString(sum[:]), Tunnel: "plain", LengthS: report.Seconds(20 * time.Second),
		Routers: []report.LabRouter{{Router: "aws", Daemon: "bird"}}, Trials: []report.LabTrial{{Pings: []report.LabPing{{}}}}}
	var line bytes.Buffer
	add := func(doc report.Lab) {
		if err := report.LabLine(&line, doc); err != nil {
			t.Fatal(err)
		}
	}
	add(doc)
	for _, otherwise := range []func(*report.Lab){
		func(d *report.Lab) { d.LengthS = report.Seconds(30 * time.Second) },
		func(d *report.Lab) { d.Sets = []string{"hold=9s"} },
		func(d *report.Lab) { d.ScenarioSHA256 = strings.Repeat("0", 64) },
		func(d *report.Lab) { d.Case = "a/frr" },
		func(d *report.Lab) { d.Trials = []report.LabTrial{{Error: "it has not come up"}} },
	} {
		other := doc
		otherwise(&other)
		add(other)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("a_bird.json", line.String())
	write("m.yaml", "vpnsim-lab: v1\ncases:\n  - {group: a, scenario: aws-gcp, with: [frr, bird], for: 20s, trials: 1}\n")
	for _, c := range []struct {
		more []string
		want string
	}{
		{nil, "a/frr 1 trial of 45s\na/bird 1 trial of 45s, has results\n2 cases, 1 of them to be run, in about 45s\n"},
		{[]string{"--only", "bird"}, "a/bird 1 trial of 45s, has results\n1 case, no more to be run\n"},
		{[]string{"--again"}, "a/frr 1 trial of 45s\na/bird 1 trial of 45s, has results\n2 cases to be run, in about 1m30s\n"},
		{[]string{"--trials", "2", "--only", "bird"}, "a/bird 2 trials of 45s\n1 case to be run, in about 1m30s\n"},
		{nil, ""}, // another run's results, too
		{[]string{"--trials", "2", "--only", "bird"}, "a/bird 2 trials of 45s, has results\n1 case, no more to be run\n"},
	} {
		if c.want == "" {
			add(doc)
			write("a_bird.json", line.String())
			continue
		}
		var out, errs bytes.Buffer
		if code := program(append([]string{"lab", "calibrate", filepath.Join(dir, "m.yaml"), "-o", dir, "--list", "--parallel", "1"}, c.more...), nil, &out, &errs); code != exitOK {
			t.Fatalf("exit code %d: %s", code, errs.String())
		}
		if got := regexp.MustCompile(" +").ReplaceAllString(out.String(), " "); got != c.want {
			t.Errorf("%v:\n%s\nwant\n%s", c.more, got, c.want)
		}
	}
}

// What docs/calibration.md says of the published results, a change of the model must not
// take away: no test may reject a case that is not among those that it lists as disagreeing.
func TestThePublishedCalibrationStillHolds(t *testing.T) {
	page, err := os.ReadFile("../../docs/calibration.md")
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := program([]string{"lab", "compare", "../../calibration/results", "--runs", "200", "--format", "json"}, nil, &out, &errs); code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	var doc report.LabCompare
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Cases) < 150 || doc.Agree < len(doc.Cases)*8/10 {
		t.Errorf("%d of %d cases agree", doc.Agree, len(doc.Cases))
	}
	for i := range doc.Cases {
		c := &doc.Cases[i]
		listed := "- **" + strings.ReplaceAll(c.Case, "_", `\_`) + "**: "
		// The page's predictions are made of 25 times as many runs, whose range is wider.
		outside := c.Outside.ByS > 2*c.Outside.ToleranceS+report.Seconds(time.Second)+c.Predicted.MaxS/100
		if (!c.Goal.NotRejected || outside) && !strings.Contains(string(page), listed) {
			t.Errorf("%s: %v", c.Case, c.Reasons)
		}
	}
}
