package network

import "testing"

func BenchmarkPlain(b *testing.B) {
	n := New(seedDesign(), Options{NoSkip: true})
	n.Run(0)
	b.ReportAllocs()
	b.ResetTimer()
	events := uint64(0)
	for i := range b.N {
		events += n.Run(uint64(i)).Events
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
}
