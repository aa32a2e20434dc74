package sim

import (
	"container/heap"
	"fmt"
	"testing"
)

// The yardstick is what one would write without a second thought: pointers to
// events in the standard library's heap. It runs beside the kernel's
// benchmarks so that ratios can be read off one run, whatever the machine does.

type item struct {
	at  Time
	seq uint64
	arg uint64
}

type pile []*item

func (p pile) Len() int { return len(p) }
func (p pile) Less(i, j int) bool {
	return p[i].at < p[j].at || p[i].at == p[j].at && p[i].seq < p[j].seq
}
func (p pile) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *pile) Push(x any)   { *p = append(*p, x.(*item)) }
func (p *pile) Pop() any {
	old := *p
	x := old[len(old)-1]
	*p = old[:len(old)-1]
	return x
}

func BenchmarkYardstick(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var p pile
			rnd := HashStream(1)
			for i := range n {
				heap.Push(&p, &item{at: Time(rnd.Uint64() % 2_000_000_000), arg: uint64(i)})
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				x := heap.Pop(&p).(*item)
				heap.Push(&p, &item{at: x.at + Time(rnd.Uint64()%2_000_000_000), seq: uint64(i), arg: x.arg})
			}
		})
	}
}
