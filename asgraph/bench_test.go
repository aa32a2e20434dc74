package asgraph_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/asgraph"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/topology"
)

var prefix = netip.MustParsePrefix("10.0.0.0/24")

func rules(name string) bgp.Ruleset {
	r, _ := bgp.RulesetFor(name)
	return r
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

var mrai30 = bgp.MRAI{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * time.Second, Jitter: bgp.RFCJitter}

// One prefix over an Internet: what it costs to announce it and to withdraw it.
func BenchmarkInternet(b *testing.B) {
	for _, c := range []struct {
		name string
		mrai bgp.MRAI
	}{{"no-mrai", bgp.MRAI{}}, {"mrai-30s", mrai30}} {
		for _, n := range []int{100, 1000, 10000, 70000} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				g := topology.SyntheticAS(n, 1)
				before := heap()
				var setup, took [2]time.Duration
				var r *asgraph.Result
				var x *asgraph.Internet
				runs := 0
				for b.Loop() {
					runs++
					t0 := cpu()
					x = asgraph.New(g, asgraph.Config{Rules: rules("rfc4271"), MRAI: c.mrai, Delay: dist("uniform(5ms, 50ms)"), Processing: dist("uniform(0ms, 100ms)")})
					x.Run(1, nil, 0)
					t1 := cpu()
					r = x.Run(1, []asgraph.Event{{At: time.Second, Change: asgraph.Announce, Node: n - 1, Prefix: prefix}}, time.Hour)
					t2 := cpu()
					r2 := x.Run(1, []asgraph.Event{
						{At: time.Second, Change: asgraph.Announce, Node: n - 1, Prefix: prefix},
						{At: time.Hour, Change: asgraph.Withdraw, Node: n - 1, Prefix: prefix}}, 2*time.Hour)
					t3 := cpu()
					setup[0] += t1 - t0
					took[0] += t2 - t1
					took[1] += t3 - t2 - (t2 - t1)
					r = r2
				}
				b.ReportMetric(heap()-before, "MB")
				b.ReportMetric(setup[0].Seconds()/float64(runs), "setup-s")
				for i, what := range []string{"up", "down"} {
					m := r.Reactions[i].Announced + r.Reactions[i].Withdrawn
					b.ReportMetric(float64(m), what+"-msgs")
					b.ReportMetric(took[i].Seconds()/float64(runs), what+"-cpu-s")
					b.ReportMetric(float64(took[i].Nanoseconds())/float64(runs)/float64(m), what+"-ns/msg")
					b.ReportMetric((r.Reactions[i].Last - r.Reactions[i].At).Seconds(), what+"-s")
				}
				runtime.KeepAlive(x)
			})
		}
	}
}

func dist(text string) topology.Dist {
	d, err := topology.ParseDist(text)
	if err != nil {
		panic(err)
	}
	return d
}
