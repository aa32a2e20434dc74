package main

import (
	"bytes"
	"strings"
	"testing"
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
