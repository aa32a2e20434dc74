package explain

import (
	"net/netip"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// Since lists the waits that led from an instant to an event of a record, the first one
// first: why a route changed so long after a fault. About is the prefix that it changed.
func Since(d *topology.Design, n *network.Network, log *trace.Log, id sim.EventID, about netip.Prefix, start sim.Time) []report.Wait {
	a := &Answer{Design: d, Net: n, Log: log, origins: map[step]lead{}}
	return a.waits(id, []netip.Prefix{about}, start, a.when(id))
}
