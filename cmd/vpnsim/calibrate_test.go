package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/report"
)

// Every case of the project's own matrix names a scenario, daemons and settings that a lab
// can do, on any machine.
func TestTheCalibrationCanBeRun(t *testing.T) {
	var out, errs bytes.Buffer
	code := program([]string{"lab", "calibrate", "../../calibration/matrix.yaml", "-o", t.TempDir(), "--list"}, nil, &out, &errs)
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
		"testdata/nowhere.yaml: there is no such file",
	} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("%q is not in %s", want, errs.String())
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
		// The page's predictions are made of ten times as many runs, whose range is wider.
		outside := c.Outside.ByS > 2*c.Outside.ToleranceS+report.Seconds(time.Second)
		if (!c.Goal.NotRejected || outside) && !strings.Contains(string(page), listed) {
			t.Errorf("%s: %v", c.Case, c.Reasons)
		}
	}
}
