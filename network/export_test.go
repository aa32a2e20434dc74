package network

import (
	"net/netip"
	"slices"

	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// What truth_test.go compares with: a run that is looked at after every instant,
// whatever has happened in it, and a walk that knows nothing of longest-prefix
// tables, of what has changed or of where it has been.

// EachInstant runs like Run, and calls f when all events of an instant are over.
func (n *Network) EachInstant(seed uint64, f func(at sim.Time)) *Result {
	n.prepare(seed)
	for n.k.Step(n.end) {
		if next, ok := n.k.Next(); !ok || next > n.k.Now() {
			f(n.k.Now())
		}
	}
	return n.result()
}

// Crawled is what a packet does that is sent now.
type Crawled struct {
	Course Course
	Links  []int32
}

// Crawl follows a packet from one end of a pair (dir 0: the first) to the other.
// Whoever has been at more tables than there are goes round in circles.
func (n *Network) Crawl(w topology.Watch, dir int) Crawled {
	from, to, flow := w.From, w.To, hashAddr(w.From.Addr)*31+hashAddr(w.To.Addr)
	if !w.From.Addr.IsValid() {
		flow = hashAddr(w.To.Addr)
	}
	if dir == 1 {
		from, to, flow = w.To, w.From, hashAddr(w.To.Addr)*31+hashAddr(w.From.Addr)
	}
	type place struct {
		router int
		cloud  bool // the table that hosts' packets meet
	}
	var (
		out  Crawled
		been []place
		at   = place{from.Router, true}
	)
	for at.router != to.Router {
		r := &n.routers[at.router]
		kind := r.settings[topology.RouteTableKind].Enum
		at.cloud = at.cloud && kind != tableNone
		been = append(been, at)
		if len(been) > 2*len(n.routers) {
			// Up to where it came the second time.
			for i := range been {
				if slices.Contains(been[:i], been[i]) {
					return Crawled{Loops, out.Links[:i]}
				}
			}
		}
		prefix, links := longest(&r.fib, to.Addr)
		if at.cloud {
			row, by := longest(&r.table, to.Addr)
			switch {
			case by == nil:
				links = nil
			case kind == tableTunnel:
				prefix, links = row, by
			}
		}
		if links == nil {
			return Crawled{Dies, out.Links}
		}
		l := &n.links[r.pick(links, flow)]
		out.Links = append(out.Links, int32(l.id))
		e := 0
		if l.routerAt(1) == at.router {
			e = 1
		}
		near, far, way := &l.ends[e], &l.ends[1-e], &l.way[e]
		total := way.loss.P >= 1 && (way.loss.ToBad == 0 || way.loss.Bad >= 1)
		switch {
		case l.tunnel && !near.here, !near.sa, !l.up, way.hole, total:
			return Crawled{Dies, out.Links}
		case l.tunnel && !far.here, !far.opens:
			return Crawled{DiesStale, out.Links}
		}
		if n.deserted(l, e, r, prefix) {
			out.Course = ArrivesStale
		}
		at = place{l.routerAt(1 - e), false}
	}
	if dir == 0 && to.DropICMP {
		return Crawled{Dies, out.Links}
	}
	return out
}

// deserted: a route that was learned over a link, of which the far end has nothing
// in its Adj-RIB-Out any more.
func (n *Network) deserted(l *link, e int, r *router, p netip.Prefix) bool {
	for _, s := range r.cfg.Statics {
		if s.Link == l.id && s.Prefix == p {
			return false
		}
	}
	for i := range n.sessions {
		if s := &n.sessions[i]; s.link == l.id && s.end == 1-e {
			return n.routers[s.router].speaker.Advertised(s.peer, p) == nil
		}
	}
	return false
}

// longest tries every prefix of a table.
func longest(t table, dst netip.Addr) (best netip.Prefix, links []int32) {
	for p, e := range t.All() {
		if p.Contains(dst) && (links == nil || p.Bits() > best.Bits()) {
			best, links = p, e.links
		}
	}
	return best, links
}
