package lab

import (
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// Trials that run side by side take as long as the longest of them, however many places
// there are; those that do not fit wait; and one with many routers takes several places.
func TestEstimate(t *testing.T) {
	job := func(routers, trials int, length time.Duration) Job {
		d := &topology.Design{For: length, Routers: make([]topology.Router, routers), Probes: []topology.Probe{{Every: time.Second}}, Story: []topology.Fault{{Link: -1}}}
		return Job{Plan: &Plan{Scenario: d, Design: d}, Opt: Options{Trials: trials}}
	}
	over := job(2, 1, time.Minute).Plan.Overhead()
	for _, c := range []struct {
		jobs     []Job
		parallel int
		want     time.Duration
	}{
		{nil, 8, 0},
		{[]Job{job(2, 2, 30*time.Second)}, 1, 2 * (30*time.Second + over)},
		{[]Job{job(2, 2, 30*time.Second)}, 1 << 40, 30*time.Second + over},
		{[]Job{job(2, 3, 30*time.Second)}, 2, 2 * (30*time.Second + over)},
		{[]Job{job(2, 3, 30*time.Second), job(2, 1, 90*time.Second)}, 2, max(90*time.Second+over, 3*(30*time.Second+over))},
		{[]Job{job(4, 2, 30*time.Second)}, 3, 2 * (30*time.Second + over)},
		{[]Job{job(4, 2, 30*time.Second)}, 4, 30*time.Second + over},
	} {
		if got := Estimate(c.jobs, c.parallel); got != c.want {
			t.Errorf("%d jobs, %d at once: %v, not %v", len(c.jobs), c.parallel, got, c.want)
		}
	}
}
