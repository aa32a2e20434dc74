package network

import (
	"net/netip"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// What may be asked of a network when a run is over, or has stopped at an
// instant (RunTo).

// Session tells the state of the BGP session at an end of a link, with the
// negotiated hold time and keepalive interval; ok is false where there is none.
func (n *Network) Session(link, end int) (state bgp.State, hold, keepalive time.Duration, ok bool) {
	i := n.links[link].sessions[end]
	if i < 0 {
		return 0, 0, 0, false
	}
	m := n.sessions[i].m
	return m.State(), m.Hold(), m.KeepaliveInterval(), true
}

// Offer is the hold time that the end of a link offers in this run.
func (n *Network) Offer(link, end int) time.Duration {
	return n.sessions[n.links[link].sessions[end]].config.Hold
}

// Speaker of a router.
func (n *Network) Speaker(router int) *bgp.Speaker { return n.routers[router].speaker }

// LinkOf is the link over which router's peer is reached; -1 for bgp.Local.
func (n *Network) LinkOf(router int, peer bgp.PeerID) int {
	if peer == bgp.Local {
		return -1
	}
	return int(n.routers[router].ways[peer])
}

// FaultTime is when fault i of the story happens in this run.
func (n *Network) FaultTime(i int) sim.Time { return n.faults[i].at }

// Design that the network was made from.
func (n *Network) Design() *topology.Design { return n.d }

// Row of a FIB or route table.
type Row struct {
	Prefix netip.Prefix
	Links  []int // by which it is left
	By     sim.EventID
}

// FIB of a router, in order of prefixes.
func (n *Network) FIB(router int) []Row {
	r := &n.routers[router]
	return rows(&r.fib)
}

// RouteTable of the cloud in front of a router; nil where it has none.
func (n *Network) RouteTable(router int) []Row {
	r := &n.routers[router]
	return rows(&r.table)
}

// Egress tells where router would send a packet between those addresses now,
// and, when nowhere, why.
func (n *Network) Egress(router int, src, dst netip.Addr) (link int, why string) {
	r := &n.routers[router]
	fromHost := false
	for i := range n.d.Hosts {
		fromHost = fromHost || n.d.Hosts[i].Router == router && n.d.Hosts[i].Has(src)
	}
	flow := hashAddr(src)*31 + hashAddr(dst)
	h := n.egressFor(r, dst, flow, fromHost)
	if h.drop.why != passed {
		return -1, h.drop.why.String()
	}
	return int(h.link), ""
}

func rows(t table) []Row {
	sorted := slices.SortedFunc(slices.Values(prefixes(t)), netip.Prefix.Compare)
	var list []Row
	for _, p := range sorted {
		e, ok := t.Get(p)
		if !ok {
			continue
		}
		row := Row{Prefix: p, By: e.by}
		for _, l := range e.links {
			row.Links = append(row.Links, int(l))
		}
		list = append(list, row)
	}
	return list
}
