package sim

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// What memory costs, whatever a program does with it: a line is waited for before
// the next one is known (chased), or many are asked for together. Large simulations
// lie between the two; see ahead.go.
func BenchmarkMemory(b *testing.B) {
	type line struct {
		next uint32
		_    [60]byte
	}
	for _, mb := range []int{1, 4, 16, 64, 256} {
		rnd := rand.New(rand.NewPCG(1, 2))
		lines := make([]line, mb<<20/64)
		around := rnd.Perm(len(lines))
		for i, at := range around {
			lines[at].next = uint32(around[(i+1)%len(around)])
		}
		anywhere := make([]uint32, 1<<16)
		for i := range anywhere {
			anywhere[i] = uint32(rnd.IntN(len(lines)))
		}
		sum := uint32(0)
		b.Run(fmt.Sprintf("chased/%dMB", mb), func(b *testing.B) {
			for range b.N {
				sum = lines[sum].next
			}
		})
		b.Run(fmt.Sprintf("together/%dMB", mb), func(b *testing.B) {
			x := uint32(0)
			for i := range b.N {
				x += lines[anywhere[i%len(anywhere)]].next
			}
			sum += x % 2
			sum %= uint32(len(lines))
		})
	}
}
