package network

import (
	"cmp"
	"maps"
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
	n.setFIB(r, r.fibQueue.pop())
}

func (n *Network) tableDue(r *router) {
	n.setRow(r, r.tabQueue.pop())
}

// setFIB makes a change of the FIB, and sends it on to the route table.
func (n *Network) setFIB(r *router, c change) {
	n.tableChanges(&r.fib, &c, inFIB)
	r.set(&r.fib, c, n.k.Current())
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
	r.set(&r.table, c, n.k.Current())
	n.touch()
	n.note(trace.Note{Kind: trace.NoteTable, Router: int32(r.id), Link: -1, Prefix: c.prefix, Links: c.links})
}

func (r *router) set(t table, c change, by sim.EventID) {
	if c.links == nil {
		t.Delete(c.prefix)
		return
	}
	e := &entry{links: c.links, by: by}
	if old, had := t.Get(c.prefix); had {
		e.order = old.order
	} else {
		r.entered++
		e.order = r.entered
	}
	t.Insert(c.prefix, e)
}

// prefixes of a table, in the order in which they came into it.
func prefixes(t table) []netip.Prefix {
	if t.Size() == 0 {
		return nil
	}
	type row struct {
		prefix netip.Prefix
		order  uint64
	}
	list := make([]row, 0, t.Size())
	for p, e := range t.All() {
		list = append(list, row{p, e.order})
	}
	slices.SortFunc(list, func(a, b row) int { return cmp.Compare(a.order, b.order) })
	out := make([]netip.Prefix, len(list))
	for i, x := range list {
		out[i] = x.prefix
	}
	return out
}

// empty takes everything out of a table.
func empty(t table) {
	for _, p := range prefixes(t) {
		t.Delete(p)
	}
}

// setPropagation switches whether BGP routes enter the route table.
func (n *Network) setPropagation(r *router, on bool) {
	if r.propagate == on {
		return
	}
	r.propagate, r.byTable = on, n.k.Current()
	n.touch()
	list := prefixes(&r.table)
	coming := map[netip.Prefix]bool{}
	for _, c := range r.tabQueue.all() { // what is on its way into the table goes again
		if _, in := r.table.Get(c.prefix); c.links != nil && !in && !coming[c.prefix] {
			coming[c.prefix] = true
			list = append(list, c.prefix)
		}
	}
	if on {
		list = slices.SortedFunc(maps.Keys(r.known), netip.Prefix.Compare)
	}
	for _, p := range list {
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
