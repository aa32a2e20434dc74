package network_test

import (
	"runtime"
	"testing"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/trace"
)

// The yardstick: the seed's case, 300 simulated seconds, each time with another
// seed. Plain handles every event, Skipping takes quiet stretches at once,
// Recorded keeps every event and packet, Wire goes through real bytes.

func BenchmarkSeedPlain(b *testing.B)    { benchmark(b, network.Options{NoSkip: true}) }
func BenchmarkSeedSkipping(b *testing.B) { benchmark(b, network.Options{}) }
func BenchmarkSeedRecorded(b *testing.B) { benchmark(b, network.Options{Log: &trace.Log{}}) }
func BenchmarkSeedCaptured(b *testing.B) {
	benchmark(b, network.Options{Log: &trace.Log{Capture: true}})
}
func BenchmarkSeedWire(b *testing.B) { benchmark(b, network.Options{Wire: true}) }

// The same with BFD on both tunnels, 300 ms each way: ten thousand packets more.
func BenchmarkSeedBFDPlain(b *testing.B) {
	benchmark(b, network.Options{NoSkip: true}, withBFD...)
}
func BenchmarkSeedBFDSkipping(b *testing.B) { benchmark(b, network.Options{}, withBFD...) }

var withBFD = []string{"routers.aws.bfd.enabled=true", "routers.gcp.bfd.enabled=true", "routers.gcp.bfd.min_tx=300ms", "routers.gcp.bfd.min_rx=300ms"}

func benchmark(b *testing.B, o network.Options, sets ...string) {
	n := network.New(mustLoad(b, "aws-gcp", sets...), o)
	for seed := range uint64(20) {
		n.Run(seed) // the memory is as large as it gets
	}
	b.ReportAllocs()
	b.ResetTimer()
	events := uint64(0)
	for i := range b.N {
		events += n.Run(uint64(i)).Events
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
	b.ReportMetric(float64(events)/float64(b.N), "events/run")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}

// In the steady state an event allocates nothing: a run of an hour allocates
// what a run of five minutes does, plain and fast-forwarded. (A rekeying, which
// would come within the hour, makes its few IKE messages.)
func TestEventsAllocateNothing(t *testing.T) {
	for i, o := range []network.Options{{NoSkip: true}, {}, {NoSkip: true}, {}} {
		allocs := func(length string) (float64, uint64) {
			sets := []string{"for=" + length, "routers.aws.vpn.child_lifetime=0s", "routers.gcp.vpn.child_lifetime=0s"}
			if i >= 2 {
				sets = append(sets, withBFD...)
			}
			n := network.New(mustLoad(t, "aws-gcp", sets...), o)
			for seed := range uint64(3) {
				n.Run(seed)
			}
			events := n.Run(1).Events
			return testing.AllocsPerRun(3, func() { n.Run(1) }), events
		}
		short, few := allocs("300s")
		long, many := allocs("3600s")
		if long > short {
			t.Errorf("%+v: %d events make %.0f allocations, %d events %.0f", o, few, short, many, long)
		}
	}
}

// One run, with its network, its log of events, notes and packets, takes less
// than a megabyte.
func TestRunTakesLessThanAMegabyte(t *testing.T) {
	d := mustLoad(t, "aws-gcp")
	for _, tt := range []struct {
		name string
		log  *trace.Log
	}{{"bare", nil}, {"recorded", &trace.Log{}}, {"captured", &trace.Log{Capture: true}}} {
		before := heap()
		n := network.New(d, network.Options{Log: tt.log})
		n.Run(1)
		size := int64(heap()) - int64(before)
		runtime.KeepAlive(n)
		t.Logf("%s: %d kB", tt.name, size>>10)
		if size > 1<<20 {
			t.Errorf("%s: a run takes %d kB", tt.name, size>>10)
		}
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Recording costs no allocation once the log has its memory. What it costs in
// time, the benchmarks say.
func TestRecordingAllocatesNothing(t *testing.T) {
	d := mustLoad(t, "aws-gcp")
	allocs := func(o network.Options) float64 {
		n := network.New(d, o)
		n.Run(1)
		return testing.AllocsPerRun(5, func() { n.Run(1) })
	}
	if plain, recorded := allocs(network.Options{NoSkip: true}), allocs(network.Options{Log: &trace.Log{}}); recorded > plain {
		t.Errorf("a recorded run makes %.0f allocations, a plain one %.0f", recorded, plain)
	}
}
