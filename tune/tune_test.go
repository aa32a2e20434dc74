package tune

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

func search(t *testing.T, name, goal string, keep []string, vary ...string) *Answer {
	t.Helper()
	data, ok := scenarios.Builtin(name)
	if !ok {
		t.Fatalf("there is no scenario %q", name)
	}
	ask := &Ask{Runs: 60, Seed: 1, Workers: 1, Load: func(sets []string) (*topology.Design, error) {
		d, problems := scenarios.Load(name+".yaml", data, sets)
		if d == nil {
			t.Fatal(problems)
		}
		return d, nil
	}}
	var err error
	if ask.Goal, err = ParseGoal(goal); err != nil {
		t.Fatal(err)
	}
	for _, text := range keep {
		k, err := ParseKeep(text)
		if err != nil {
			t.Fatal(err)
		}
		ask.Keep = append(ask.Keep, k)
	}
	for _, text := range vary {
		v, err := sweep.ParseVary(text)
		if err != nil {
			t.Fatal(err)
		}
		ask.Vary = append(ask.Vary, v)
	}
	a, err := Search(context.Background(), ask)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The smaller offer of both ends is the hold time (RFC 4271 §4.2): two routers that offer 9 s are no faster than one, so
// the cheapest change is one setting; and 120 s at one end alone does nothing.
func TestCheapestChangesOneEnd(t *testing.T) {
	a := search(t, "noisy-tunnel", "min max(gap)", nil, "routers.east.bgp.hold=9s,120s", "routers.west.bgp.hold=9s,90s")
	if got := a.Points[a.Cheapest].Set; len(got) != 1 || a.Points[a.Cheapest].Changed != 1 {
		t.Errorf("cheapest: %v", got)
	}
	if len(a.Idle) != 1 || a.Idle[0].Set != "routers.east.bgp.hold=120s" || a.Idle[0].Reason != "west offers 90s, and the smaller offer is used" {
		t.Errorf("does nothing: %+v", a.Idle)
	}
	// 90 s is what west has: as it is, 9, 120 alone, west 9 alone, and the two combinations with that.
	if len(a.Points) != 6 {
		t.Errorf("%d points, want 6", len(a.Points))
	}
	for i := range a.Points {
		for j := range a.Points {
			p, q := &a.Points[i], &a.Points[j]
			if p.Front && q.Goal.Value < p.Goal.Value && q.Changed <= p.Changed {
				t.Errorf("%v is on the front, and %v is better", p.Set, q.Set)
			}
		}
	}
}

// A constraint turns the answer round: the shortest hold time that still keeps it.
func TestConstraintsAreKept(t *testing.T) {
	a := search(t, "noisy-tunnel", "max p50(gap)", []string{"max(gap) < 50s", "p99(lost) >= 0"}, "routers.east.bgp.hold=9s,30s,60s")
	best := &a.Points[a.Best]
	if !slices.Equal(best.Set, []string{"routers.east.bgp.hold=30s"}) || !best.Kept {
		t.Errorf("best: %+v", best)
	}
	if math.IsInf(best.Goal.High, 0) || best.Goal.N != 60 {
		t.Errorf("goal: %+v", best.Goal)
	}
	if none := search(t, "noisy-tunnel", "min p50(gap)", []string{"max(gap) < 1s"}, "routers.east.bgp.hold=9s"); none.Best != -1 || none.Cheapest != -1 {
		t.Errorf("a constraint that nothing keeps is kept by %d", none.Best)
	}
}

// What stands in a goal comes back as it was, and what is wrong is shown where it is.
func TestGoals(t *testing.T) {
	for _, text := range []string{"min p99(outage)", "max mean(lost)", "min flaps_per_year"} {
		if g, err := ParseGoal(text); err != nil || g.String() != text {
			t.Errorf("%q: %v, %v", text, g, err)
		}
	}
	for _, text := range []string{"flaps_per_year < 0.1", "p90(gap) <= 31s", "mean(updates) >= 3", "max(request) > 1m30s"} {
		k, err := ParseKeep(text)
		if err != nil || k.String() != text {
			t.Errorf("%q: %v, %v", text, k, err)
		}
	}
	for text, column := range map[string]int{"": 1, "min": 4, "min p98(gap)": 5, "min p99 gap": 9, "min p99(gap": 12, "min p99(gap) x": 14} {
		_, err := ParseGoal(text)
		if e, ok := err.(*SyntaxError); !ok || e.Column != column {
			t.Errorf("%q: %v, want column %d", text, err, column)
		}
	}
}
