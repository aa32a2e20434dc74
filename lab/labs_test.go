//go:build linux

package lab

import (
	"context"
	"sync"
	"testing"
)

// labCase is a lab that a test runs.
type labCase struct {
	name  string
	plan  *Plan
	opt   Options
	check func(*testing.T, *Results)
}

// runLabs runs all of them at the same time, as many labs that know nothing of each other:
// a trial takes half a minute, most of which it waits. Those that the machine lacks something
// for are skipped. Nothing of them is left behind.
func runLabs(t *testing.T, cases []labCase) {
	t.Helper()
	if testing.Short() {
		t.Skip("real daemons, in real time")
	}
	if Small() {
		t.Skip("labs in this process take root; TestWithoutRoot runs one without")
	}
	var all sync.WaitGroup
	results, errs := make([]*Results, len(cases)), make([]error, len(cases))
	for i, c := range cases {
		if len(c.plan.Lacks()) == 0 {
			all.Go(func() { results[i], errs[i] = Run(context.Background(), c.plan, c.opt) })
		}
	}
	all.Wait()
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if lacks := c.plan.Lacks(); len(lacks) > 0 {
				t.Skipf("%s is missing: %s", lacks[0].What, lacks[0].Help)
			}
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			c.check(t, results[i])
		})
	}
	for _, name := range left(t) {
		t.Errorf("%s is left behind", name)
	}
}
