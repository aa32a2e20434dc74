package compare

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/vpnsim/vpnsim/sweep"
)

// The job that comments on pull requests is YAML, and its conditions are such.
func TestTheJobsConditions(t *testing.T) {
	data, err := os.ReadFile("../deploy/ci-diff.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var job struct {
		Jobs map[string]struct {
			Steps []struct{ Run, If string }
		}
	}
	if err := yaml.Unmarshal(data, &job); err != nil {
		t.Fatal(err)
	}
	conditions := 0
	for _, s := range job.Jobs["diff"].Steps {
		if !strings.HasPrefix(s.Run, "vpnsim diff ") {
			continue
		}
		for _, m := range regexp.MustCompile(`--fail-on '(.*?)'`).FindAllStringSubmatch(s.Run, -1) {
			conditions++
			if _, err := ParseCondition(m[1], sweep.Gap); err != nil {
				t.Errorf("%s: %v", m[1], err)
			}
		}
	}
	if conditions != 2 {
		t.Errorf("%d conditions", conditions)
	}
}
