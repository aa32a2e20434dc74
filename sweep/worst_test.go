package sweep_test

import (
	"context"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// The longest outage of the seed's case is the hold time, what a keepalive takes to arrive
// and the time to program the table: 30.10 s. A search gets within 2 ms of what it can be, with
// few seeds, which by themselves do not; and the run that it names has that outage.
func TestTheWorstCaseIsFoundAndShown(t *testing.T) {
	plan := planOf(t, "aws-gcp", 100)
	worst, err := sweep.FindWorst(context.Background(), plan, sweep.Options{}, sweep.Gap,
		func(sets []string) (*topology.Design, error) { return load(t, "aws-gcp", sets...), nil })
	if err != nil {
		t.Fatal(err)
	}
	const bound = 30*time.Second + 100*time.Millisecond + 3515*time.Microsecond
	if v := time.Duration(worst.Value); v > bound || v < bound-2*time.Millisecond || worst.First.Value >= worst.Value {
		t.Errorf("found %v, of the seeds alone %v, want just below %v", v, time.Duration(worst.First.Value), bound)
	}
	s, err := sweep.NewSampler(load(t, "aws-gcp", worst.Sets...), plan.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]int64, len(plan.Metrics))
	if s.Sample(worst.Seed, out); out[0] != worst.Value {
		t.Errorf("the run has %d, not %d", out[0], worst.Value)
	}
}

// Every failure of every shipped scenario is a story that can be read, but of those that
// are about graphs of ASes.
func TestEveryFailureIsAStory(t *testing.T) {
	for _, name := range scenarios.BuiltinNames() {
		d := load(t, name)
		if d.Internet != nil || len(d.Routers) > 8 {
			continue
		}
		list := sweep.Single(d)
		if len(list) < 2*len(d.Links)+2*len(d.Routers) {
			t.Errorf("%s: only %d failures", name, len(list))
		}
		double := sweep.Double(d)
		for _, f := range append(list, sweep.Nothing, double[0], double[len(double)-1]) {
			if d := load(t, name, f.Set()); len(d.Story) == 0 && f.Name != sweep.Nothing.Name {
				t.Errorf("%s: %s is no story", name, f.Name)
			}
		}
	}
}
