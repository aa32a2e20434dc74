package network_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
)

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A large table over the two tunnels of scenarios/full-table.yaml: it is loaded,
// moves to the other tunnel when a session ends, and back. Times are the
// process's, for all three; the memory is what the network holds after the
// load, divided by the paths in both routers' Adj-RIBs-In.
func BenchmarkTable(b *testing.B) {
	for _, count := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			d := mustLoad(b, "full-table", fmt.Sprintf("n=%d", count))
			d.Probes = nil
			before := heap()
			var took time.Duration
			var events uint64
			var n *network.Network
			for b.Loop() {
				n = network.New(d, network.Options{})
				start := cpu()
				events = n.Run(1).Events
				took += cpu() - start
			}
			n.RunTo(1, sim.Time(0))
			paths := 0
			for r := range d.Routers {
				for _, p := range n.Speaker(r).Prefixes() {
					paths += len(n.Speaker(r).Explain(p))
				}
			}
			size := float64(heap() - before)
			runtime.KeepAlive(n)
			b.ReportMetric(size/1e6, "MB")
			b.ReportMetric(float64(paths), "paths")
			b.ReportMetric(size/float64(paths), "B/path")
			b.ReportMetric(took.Seconds()/float64(b.N), "cpu-s")
			b.ReportMetric(float64(took.Microseconds())/float64(b.N)/float64(count), "us/prefix")
			b.ReportMetric(float64(events), "events")
		})
	}
}
