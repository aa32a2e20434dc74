package asgraph

import (
	"net/netip"
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

// Reaction is what happened between one event of the story and the next.
type Reaction struct {
	Event     int // of the story; the first of its instant
	At        time.Duration
	Last      time.Duration // the last change or UPDATE; At when there was none
	Announced int           // prefixes in UPDATEs, counted where they were sent …
	Withdrawn int
	RIB       int  // changes of Loc-RIBs
	Over      bool // nothing more would have come of it
}

// openReaction begins to count what event i of the story leads to.
func (n *Internet) openReaction(i int) {
	now := time.Duration(n.k.Now())
	if n.tally != nil && n.tally.At == now {
		return
	}
	n.closeReaction(now)
	n.result.Reactions = append(n.result.Reactions, Reaction{Event: i, At: now, Last: now})
	n.tally = &n.result.Reactions[len(n.result.Reactions)-1]
}

func (n *Internet) closeReaction(now time.Duration) {
	if n.tally == nil {
		return
	}
	if n.tally.Over = !n.restless(); !n.tally.Over {
		n.tally.Last = now
	}
}

// restless tells whether an UPDATE is under way or waits to be sent.
func (n *Internet) restless() bool {
	if n.flying > 0 {
		return true
	}
	for i := range n.ends {
		if n.nodes[n.ends[i].node].speaker.Waiting(n.peerID(int32(i))) > 0 {
			return true
		}
	}
	return false
}

func (n *Internet) updateSent(u *bgp.Update) {
	if t := n.tally; t != nil {
		t.Announced += len(u.NLRI)
		t.Withdrawn += len(u.Withdrawn)
		t.Last = time.Duration(n.k.Now())
	}
}

func (n *Internet) routeChanged(r *bgp.Route) {
	n.k.Mix(uint64(n.stepping)<<1 | uint64(min(1, len(r.Used))))
	if t := n.tally; t != nil {
		t.RIB++
		t.Last = time.Duration(n.k.Now())
	}
}

// Reach is how many ASes have a route to a prefix, the origin included, and how
// long their paths are: lengths[n] is how many have n ASes in it, themselves
// not counted.
func (n *Internet) Reach(p netip.Prefix) (reached int, lengths []int) {
	for i := range n.g.ASNs {
		r := n.nodes[i].speaker.Route(p)
		if r == nil {
			continue
		}
		reached++
		hops := r.Best.Attrs.ASPath.Length()
		for len(lengths) <= hops {
			lengths = append(lengths, 0)
		}
		lengths[hops]++
	}
	return reached, lengths
}
