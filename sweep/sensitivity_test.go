package sweep_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// In the seed's case the hold time that is in force and what follows it matter, and MRAI
// does not: its runs are the same to the nanosecond and its total index is exactly 0. The
// number of workers changes nothing.
func TestWhatTheSeedsCaseDependsOn(t *testing.T) {
	var vary []sweep.Vary
	for _, text := range []string{"routers.aws.bgp.hold=15s,60s", "routers.aws.bgp.mrai=0s..60s/3", "routers.gcp.bgp.hold=45s,90s"} {
		v, err := sweep.ParseVary(text)
		if err != nil {
			t.Fatal(err)
		}
		vary = append(vary, v)
	}
	points := sweep.OneAtATime(vary)
	plan := planOf(t, "aws-gcp", 60)
	plan.Points = points
	plan.Make = func(i int) (sweep.Sampler, error) {
		return sweep.NewSampler(load(t, "aws-gcp", points[i]...), plan.Metrics)
	}
	res := run(t, plan, sweep.Options{})
	read := func(sets []string) (*topology.Design, error) { return load(t, "aws-gcp", sets...), nil }
	var first []byte
	for _, workers := range []int{1, 3} {
		s := res.Effects(vary, sweep.Gap)
		if err := s.Sobol(context.Background(), 32, 1, sweep.Options{Workers: workers}, read); err != nil {
			t.Fatal(err)
		}
		hold, mrai, other := &s.Parameters[0], &s.Parameters[1], &s.Parameters[2]
		if hold.Changed().K < 15 || mrai.Changed().K != 0 || other.Changed().K != 0 {
			t.Errorf("%d, %d and %d of 60 runs change", hold.Changed().K, mrai.Changed().K, other.Changed().K)
		}
		if value, mean := hold.Strongest(); value != "60s" && value != "15s" || mean.Value == 0 {
			t.Errorf("the strongest is %s, %v", value, mean)
		}
		if x := hold.Sobol.Total; x.Low <= 0 {
			t.Errorf("the total index of the hold time is %v", x)
		}
		if x := mrai.Sobol.Total; x.Value != 0 || x.High != 0 {
			t.Errorf("the total index of MRAI is %v", x)
		}
		if x := s.Chance.Total.Value; x < 0.5 {
			t.Errorf("the total index of chance is %v", x)
		}
		data, err := json.Marshal(s.Document(&plan.Identity, "test"))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		} else if string(data) != string(first) {
			t.Errorf("%d workers give\n%s\nnot\n%s", workers, data, first)
		}
	}
}
