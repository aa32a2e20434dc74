package asgraph

import (
	"net/netip"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
)

// Result of a run.
type Result struct {
	Seed      uint64
	Events    uint64
	Digest    uint64
	Reactions []Reaction
}

// Reaction is what happened about one prefix between one event of the story and
// the next. An event after which nothing happens has one without a prefix.
type Reaction struct {
	Event     int // of the story; the first of its instant
	Prefix    netip.Prefix
	At        time.Duration
	Last      time.Duration // the last change or UPDATE; At when there was none; when the count ended, if more was to come
	Announced int           // in UPDATEs, counted where they were sent …
	Withdrawn int
	RIB       int  // changes of Loc-RIBs
	Over      bool // nothing more would have come of it
}

// tally counts reactions: those under way begin at from.
type tally struct {
	list  []Reaction
	from  int
	event int // -1: nothing has happened yet
	at    time.Duration
	where map[netip.Prefix]int // in list
	last  int                  // the one that was counted last
}

// of is the reaction under way about a prefix.
func (t *tally) of(p netip.Prefix) *Reaction {
	if t.last >= t.from && t.last < len(t.list) && t.list[t.last].Prefix == p {
		return &t.list[t.last]
	}
	i, ok := t.where[p]
	if !ok {
		i = len(t.list)
		t.where[p] = i
		t.list = append(t.list, Reaction{Event: t.event, Prefix: p, At: t.at, Last: t.at, Over: true})
	}
	t.last = i
	return &t.list[i]
}

// openReaction begins to count what event i of the story leads to.
func (n *Internet) openReaction(i int) {
	t, now := &n.tally, time.Duration(n.k.Now())
	if t.event >= 0 && t.at == now {
		return
	}
	n.closeReaction(now)
	t.from, t.event, t.at = len(t.list), i, now
	clear(t.where)
}

// closeReaction ends the count.
func (n *Internet) closeReaction(now time.Duration) {
	t := &n.tally
	if t.event < 0 {
		return
	}
	n.unfinished(func(p netip.Prefix) {
		r := t.of(p)
		r.Over, r.Last = false, now
	})
	if len(t.list) == t.from {
		t.of(netip.Prefix{})
	}
	slices.SortFunc(t.list[t.from:], func(a, b Reaction) int { return a.Prefix.Compare(b.Prefix) })
}

// unfinished calls f for what is under way, and for what waits to be sent.
func (n *Internet) unfinished(f func(netip.Prefix)) {
	for i := range n.parcels {
		p := &n.parcels[i]
		if p.msg == nil {
			continue
		}
		for _, x := range p.msg.Update.NLRI {
			f(x)
		}
		for _, x := range p.msg.Update.Withdrawn {
			f(x)
		}
	}
	for i := range n.g.ASNs {
		n.speakers[i].EachWaiting(func(_ bgp.PeerID, p netip.Prefix, _ bool) { f(p) })
	}
}

func (n *Internet) updateSent(u *bgp.Update) {
	now := time.Duration(n.k.Now())
	for _, p := range u.NLRI {
		r := n.tally.of(p)
		r.Announced++
		r.Last = now
	}
	for _, p := range u.Withdrawn {
		r := n.tally.of(p)
		r.Withdrawn++
		r.Last = now
	}
}

func (n *Internet) routeChanged(route *bgp.Route) {
	n.k.Mix(uint64(n.stepping)<<1 | uint64(min(1, len(route.Used))))
	r := n.tally.of(route.Prefix)
	r.RIB++
	r.Last = time.Duration(n.k.Now())
}

// Reach is how many ASes have a route to a prefix, the origin included, and how
// far away they are: distances[d] have d ASes in their path.
func (n *Internet) Reach(p netip.Prefix) (reached int, distances []int) {
	for i := range n.g.ASNs {
		r := n.speakers[i].Route(p)
		if r == nil {
			continue
		}
		reached++
		d := r.Best.Attrs.ASPath.Length()
		for len(distances) <= d {
			distances = append(distances, 0)
		}
		distances[d]++
	}
	return reached, distances
}

// Paths is how many paths to a prefix all ASes together hold, those that they may
// not use included.
func (n *Internet) Paths(p netip.Prefix) int {
	paths := 0
	for e := range n.ends {
		if n.speakers[n.ends[e].owner].Received(n.peerID(int32(e)), p) != nil {
			paths++
		}
	}
	return paths
}
