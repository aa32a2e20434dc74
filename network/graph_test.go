package network_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// Gao and Rexford (2001): a route climbs from customer to provider, crosses at
// most one peering, and descends. Whoever has customers' routes uses one; and
// since all of an Internet is joined at the top, everybody has a route.
func TestASGraphsAreFreeOfValleys(t *testing.T) {
	const n = 80
	for seed := range uint64(3) {
		g := topology.SyntheticAS(n, seed)
		rel := map[[2]uint32]int{} // up 1: the second is the first one's provider; across 0; down -1
		for _, e := range g.Edges {
			a, b := g.ASNs[e.A], g.ASNs[e.B]
			if e.Rel == topology.Customer {
				rel[[2]uint32{a, b}], rel[[2]uint32{b, a}] = -1, 1
			} else {
				rel[[2]uint32{a, b}], rel[[2]uint32{b, a}] = 0, 0
			}
		}
		d := mustParse(t, fmt.Sprintf("vpnsim: v1\nfor: 60s\nwarmup: 400s\ngenerate: {as-graph: {synthetic: %d, seed: %d}, prefix: 10.0.0.0/24, origin: as%d, bgp: {mrai: 1s}}\n", n, seed, n-1))
		net := network.New(d, network.Options{})
		net.RunTo(1, sim.Time(0))
		for r := range d.Routers {
			route := net.Speaker(r).Route(netip.MustParsePrefix("10.0.0.0/24"))
			if route == nil {
				t.Errorf("seed %d: %s has no route", seed, d.Routers[r].Name)
				continue
			}
			path := []uint32{d.Routers[r].ASN}
			for _, s := range route.Best.Attrs.ASPath {
				path = append(path, s.ASNs...)
			}
			// Seen from the origin: up, up, across, down, down.
			last := 1
			for i := len(path) - 1; i > 0; i-- {
				step := rel[[2]uint32{path[i], path[i-1]}]
				if step > last || step == 0 && last == 0 {
					t.Errorf("seed %d: the route of %s goes through a valley: %v", seed, d.Routers[r].Name, path)
				}
				last = step
			}
		}
	}
}
