package network

import (
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// Two tables decide where a packet goes. A router's FIB holds, for each
// prefix, the links that the decision process uses. A cloud has a route table
// in front of its gateway, which what its hosts send meets first:
//
//   - "gateway" (AWS): a row says only that the prefix lies behind the virtual
//     private gateway, and stays the same when the gateway changes its mind
//     about the tunnel. Rows appear only when route propagation is on.
//   - "tunnel" (GCP): a route has exactly one next hop, so that equal paths
//     stand as separate rows, and the packet's flow is hashed over them. The
//     gateway's own FIB does not come into it.

const (
	tableNone    = "none"
	tableGateway = "gateway"
	tableTunnel  = "tunnel"
)

func (n *Network) fibDue(r *router) {
	c := r.fibQueue.list[0]
	r.fibQueue.list = append(r.fibQueue.list[:0], r.fibQueue.list[1:]...)
	n.setFIB(r, c)
}

func (n *Network) tableDue(r *router) {
	c := r.tabQueue.list[0]
	r.tabQueue.list = append(r.tabQueue.list[:0], r.tabQueue.list[1:]...)
	n.setRow(r, c)
}

// setFIB makes a change of the FIB, and sends it on to the route table.
func (n *Network) setFIB(r *router, c change) {
	n.tableChanges(&r.fib, &c, inFIB)
	set(&r.fib, &r.entries, c, n.k.Current())
	n.touch()
	n.k.Mix(fact(c.prefix, uint64(len(c.links))))
	n.note(trace.Note{Kind: trace.NoteFIB, Router: int32(r.id), Link: -1, Prefix: c.prefix, Links: c.links})
	if r.settings[topology.RouteTableKind].Enum == tableNone {
		return
	}
	before := r.known[c.prefix]
	if c.links == nil {
		delete(r.known, c.prefix)
	} else {
		r.known[c.prefix] = &entry{links: c.links}
	}
	if r.settings[topology.RouteTableKind].Enum == tableGateway && before != nil && c.links != nil {
		return // the row says "gateway" whichever tunnel it is
	}
	if r.propagate {
		n.program(r, &r.tabQueue, evTable, n.tableKey(r, before, c.links), r.tableRnd.Uint64(), c)
	}
}

// tableKey is the setting that says how long the cloud takes to change its
// route table. It knows sooner of a tunnel that it removed itself.
func (n *Network) tableKey(r *router, before *entry, now []int32) topology.Key {
	key := topology.RouteTableDelay
	if before != nil {
		for _, l := range before.links {
			lk := &n.links[l]
			if !slices.Contains(now, l) && lk.tunnel && lk.ends[lk.endOf(r.id)].going {
				key = topology.RouteTableLocalDelay
			}
		}
	}
	return key
}

// setRow makes a change of the route table.
func (n *Network) setRow(r *router, c change) {
	n.tableChanges(&r.table, &c, inRows)
	set(&r.table, &r.rows, c, n.k.Current())
	n.touch()
	n.note(trace.Note{Kind: trace.NoteTable, Router: int32(r.id), Link: -1, Prefix: c.prefix, Links: c.links})
}

func set(t table, list *[]netip.Prefix, c change, by sim.EventID) {
	if c.links == nil {
		t.Delete(c.prefix)
		*list = slices.DeleteFunc(*list, func(p netip.Prefix) bool { return p == c.prefix })
		return
	}
	if _, had := t.Get(c.prefix); !had {
		*list = append(*list, c.prefix)
	}
	t.Insert(c.prefix, &entry{links: c.links, by: by})
}

// setPropagation switches whether BGP routes enter the route table.
func (n *Network) setPropagation(r *router, on bool) {
	if r.propagate == on {
		return
	}
	r.propagate, r.byTable = on, n.k.Current()
	n.touch()
	prefixes := slices.Clone(r.rows)
	for _, c := range r.tabQueue.list { // what is on its way into the table goes again
		if c.links != nil && !slices.Contains(prefixes, c.prefix) {
			prefixes = append(prefixes, c.prefix)
		}
	}
	if on {
		prefixes = prefixes[:0]
		for p := range r.known {
			prefixes = append(prefixes, p)
		}
		slices.SortFunc(prefixes, netip.Prefix.Compare)
	}
	for _, p := range prefixes {
		c := change{prefix: p}
		if on {
			c.links = r.known[p].links
		}
		n.program(r, &r.tabQueue, evTable, topology.RouteTableDelay, r.tableRnd.Uint64(), c)
	}
}

// table is a longest-prefix match table.
type table = *bart.Table[*entry]

// hop is where a router sends a packet: to a link, or nowhere because of drop.
type hop struct {
	link int32
	drop drop
}

// egressFor looks up where router r sends a packet of that flow to dst.
// fromHost: it comes from a host behind the router, and meets the cloud's
// route table first.
func (n *Network) egressFor(r *router, dst netip.Addr, flow uint64, fromHost bool) hop {
	kind := r.settings[topology.RouteTableKind].Enum
	t := &r.fib
	if fromHost && kind != tableNone {
		row, ok := r.table.Lookup(dst)
		if !ok {
			why := dropNoRow
			if !r.propagate {
				why = dropNotPropagated
			}
			return hop{-1, drop{why, int16(r.id), -1, r.byTable}}
		}
		if kind == tableTunnel {
			return hop{link: r.pick(row.links, flow)}
		}
	}
	e, ok := t.Lookup(dst)
	if !ok {
		return hop{-1, drop{dropNoRoute, int16(r.id), -1, r.by}}
	}
	return hop{link: r.pick(e.links, flow)}
}

// pick chooses one of several links for a flow: a pinned one if the scenario
// pins it, else by a hash that is drawn once a run.
func (r *router) pick(links []int32, flow uint64) int32 {
	if len(links) == 1 {
		return links[0]
	}
	for _, l := range r.egress {
		if slices.Contains(links, l) {
			return l
		}
	}
	// sim's mixing by way of a stream keeps the hash in one place.
	s := sim.HashStream(r.flowSalt ^ flow)
	return links[s.Uint64()%uint64(len(links))]
}
