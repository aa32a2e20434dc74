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

func dist(text string) topology.Dist {
	d, err := topology.ParseDist(text)
	if err != nil {
		panic(err)
	}
	return d
}

// cpu is what the process has used, the garbage collector's part included.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// heap is what is in use, in MB.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

var mrai30 = bgp.MRAI{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * time.Second, Jitter: bgp.RFCJitter}

// What it costs to build an Internet and to announce one prefix of a customer at
// its edge (all-cpu-s), and how much of that is for each message (up-ns/msg, without
// what a run without any event takes); then the same for withdrawing it.
// Withdrawals do not wait for MRAI, as in most routers.
func BenchmarkInternet(b *testing.B) {
	for _, c := range []struct {
		name string
		mrai bgp.MRAI
	}{{"no-mrai", bgp.MRAI{}}, {"mrai-30s", mrai30}} {
		for _, n := range []int{100, 1_000, 10_000, 70_000} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) { internet(b, c.mrai, n) })
		}
	}
}

func internet(b *testing.B, mrai bgp.MRAI, n int) {
	g := topology.SyntheticAS(n, 1)
	story := []asgraph.Event{
		{At: time.Second, Change: asgraph.Announce, Node: n - 1, Prefix: prefix},
		{At: time.Hour, Change: asgraph.Withdraw, Node: n - 1, Prefix: prefix},
	}
	before := heap()
	var build, bare, up, down time.Duration
	var x *asgraph.Internet
	var r *asgraph.Result
	for b.Loop() {
		x = nil
		runtime.GC()
		marks := []time.Duration{cpu()}
		mark := func() { marks = append(marks, cpu()) }
		x = asgraph.New(g, asgraph.Config{Rules: rules("rfc4271"), MRAI: mrai, Delay: dist("uniform(5ms, 50ms)"), Processing: dist("uniform(0ms, 10ms)")})
		first := x.Run(1, story[:1], time.Hour)
		mark()
		x.Run(1, nil, time.Hour)
		mark()
		x.Run(1, story[:1], time.Hour-1)
		mark()
		r = x.Run(1, story, 3*time.Hour)
		mark()
		if !first.Reactions[0].Over || !r.Reactions[1].Over {
			b.Fatal("it has not converged")
		}
		build += marks[1] - marks[0]
		bare += marks[2] - marks[1]
		up += marks[3] - marks[2]
		down += marks[4] - marks[3]
	}
	runs := time.Duration(b.N)
	b.ReportMetric(heap()-before, "MB")
	b.ReportMetric((build / runs).Seconds(), "all-cpu-s")
	for i, took := range []time.Duration{up - bare, down - up} {
		what, m := []string{"up", "down"}[i], &r.Reactions[i]
		messages := m.Announced + m.Withdrawn
		b.ReportMetric(float64(messages), what+"-msgs")
		b.ReportMetric(float64((took/runs).Nanoseconds())/float64(messages), what+"-ns/msg")
		b.ReportMetric((took / runs).Seconds(), what+"-cpu-s")
		b.ReportMetric((m.Last - m.At).Seconds(), what+"-s")
	}
	runtime.KeepAlive(x)
}

// The worst case of path exploration: thirty ASes, each joined with each other,
// lose the only prefix, with MRAI and under random processing times.
func BenchmarkClique30(b *testing.B) {
	x := asgraph.New(topology.Clique(30), asgraph.Config{Rules: rules("rfc4271"), MRAI: mrai30, Delay: dist("10ms"), Processing: dist("uniform(0s, 1s)")})
	story := []asgraph.Event{
		{Change: asgraph.Announce, Node: 0, Prefix: prefix},
		{At: 200 * time.Second, Change: asgraph.Withdraw, Node: 0, Prefix: prefix},
	}
	messages, seconds := 0, 0.0
	x.Run(0, story, rest)
	b.ReportAllocs()
	b.ResetTimer()
	start := cpu()
	for i := range b.N {
		r := x.Run(uint64(i), story, rest)
		for _, y := range r.Reactions {
			messages += y.Announced + y.Withdrawn
		}
		seconds += (r.Reactions[1].Last - r.Reactions[1].At).Seconds()
	}
	b.ReportMetric(float64(messages)/float64(b.N), "msgs")
	b.ReportMetric(float64((cpu()-start).Nanoseconds())/float64(messages), "ns/msg")
	b.ReportMetric(seconds/float64(b.N), "down-s")
}
