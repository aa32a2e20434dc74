//go:build linux

package lab

import (
	"math"
	"testing"

	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// Real packets are lost by the law of simulated ones: in Gilbert's and Elliott's model
// the line is bad for to_bad / (to_bad + to_good) of the packets, 1 / to_good of them in
// a row.
func TestBursts(t *testing.T) {
	x := way{delay: topology.Const(0), loss: topology.Loss{Bad: 1, ToBad: 0.02, ToGood: 0.25}, rand: sim.HashStream(1)}
	const n = 100_000
	lost, bursts, was := 0, 0, false
	for range n {
		_, arrives := x.fate()
		if !arrives {
			lost++
			if !was {
				bursts++
			}
		}
		was = !arrives
	}
	if share, want := float64(lost)/n, 0.02/(0.02+0.25); math.Abs(share-want) > 0.006 {
		t.Errorf("%g of the packets are lost, not %g", share, want)
	}
	if mean := float64(lost) / float64(bursts); math.Abs(mean-4) > 0.3 {
		t.Errorf("%g are lost in a row on average, not 4", mean)
	}
}
