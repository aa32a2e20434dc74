package sweep_test

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// The files that run shards elsewhere are YAML, and start as many shards as they
// say there are.
func TestDeploymentsStartEveryShard(t *testing.T) {
	read := func(name string, into any) string {
		t.Helper()
		data, err := os.ReadFile("../deploy/" + name)
		if err == nil {
			err = yaml.Unmarshal(data, into)
		}
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	var job struct {
		Spec struct {
			CompletionMode           string `yaml:"completionMode"`
			Completions, Parallelism int
		}
	}
	text := read("k8s-sweep.yaml", &job)
	if s := job.Spec; s.CompletionMode != "Indexed" || s.Completions != 8 || s.Parallelism != 8 || !strings.Contains(text, "--shard 8 ") {
		t.Errorf("%+v", s)
	}
	var ci struct {
		Jobs map[string]struct {
			Strategy struct {
				Matrix struct{ I []int }
			}
		}
	}
	text = read("ci-sweep.yaml", &ci)
	if i := ci.Jobs["shard"].Strategy.Matrix.I; len(i) != 4 || !strings.Contains(text, "}}/4 ") || !strings.Contains(text, "--merge 0.ndjson,1.ndjson,2.ndjson,3.ndjson") {
		t.Error(i)
	}
}
