package network

import (
	"testing"

	"github.com/vpnsim/vpnsim/topology"
)

// An echo on its way keeps its numbers apart in the largest design that may be.
func TestEchoArgHoldsTheLargestDesign(t *testing.T) {
	const items = 10_000 // of one kind that a scenario may have
	for _, x := range []struct{ probe, dir, ttl, link, to, seq int }{
		{items, 1, 64, items, 1, topology.MaxEchoes}, {items, 0, 1, 0, 1, 1}, {0, 1, 64, items, 0, topology.MaxEchoes}, {1024, 0, 64, 4096, 0, 1},
	} {
		a := packEcho(x.probe, x.dir, uint8(x.ttl), x.link, x.to, x.seq)
		if a.probe() != x.probe || a.dir() != x.dir || int(a.ttl()) != x.ttl || a.link() != x.link || a.to() != x.to || a.seq() != x.seq {
			t.Errorf("%+v comes back as %d %d %d %d %d %d", x, a.probe(), a.dir(), a.ttl(), a.link(), a.to(), a.seq())
		}
	}
}
