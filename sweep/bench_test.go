package sweep_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/vpnsim/vpnsim/sweep"
)

// The seed's case, 4000 runs a sweep: how many runs a second on one processor and on two.
func BenchmarkSweep(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			const runs = 4000
			plan := planOf(b, "aws-gcp", runs)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sweep.Run(context.Background(), plan, sweep.Options{Workers: workers}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(runs*float64(b.N)/b.Elapsed().Seconds(), "runs/s")
		})
	}
}

// What a sweep keeps does not grow with the number of its runs, but with the number
// of different outages in milliseconds, which are 10,000 at most here.
func TestMemoryDoesNotGrowWithRuns(t *testing.T) {
	kept := func(runs int) uint64 {
		m, _ := sweep.Find(sweep.Gap)
		plan := &sweep.Plan{Identity: sweep.Identity{Points: [][]string{{}}, Metrics: []sweep.Metric{m}, First: 1, Runs: runs},
			Make: func(int) (sweep.Sampler, error) { return law{}, nil }}
		res := run(t, plan, sweep.Options{Workers: 1})
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		runtime.KeepAlive(res.Points)
		return s.HeapAlloc
	}
	small, large := kept(200_000), kept(2_000_000)
	if large > small+8<<20 {
		t.Errorf("200,000 runs keep %d bytes, 2,000,000 keep %d", small, large)
	}
}
