package asgraph

import (
	"cmp"
	"slices"

	"github.com/vpnsim/vpnsim/sim"
)

// Where every message takes the same time over its link, messages arrive in the
// order in which they were sent, and how long a router will need for each is known
// then. So the arrival need not be an event that is waited for. It counts as one, with
// its part of the digest, and whatever happens is the same, to the nanosecond and
// number by number: only those that are sent at one instant may arrive in another
// order, and that is known when the instant is over (sim/ties.go).

// coming is an UPDATE that was sent at this instant.
type coming struct {
	slot, node int32
	lane       sim.Lane
	nth        uint32 // of its lane to this node
}

// foretell works out when the UPDATEs are processed that were sent at the instant
// which is over.
func (n *Internet) foretell() {
	if len(n.coming) > 1 {
		inTurn(n.coming)
	}
	at := n.k.Now().Add(n.cfg.Delay.A)
	for i := range n.coming {
		c := &n.coming[i]
		to := actorOf(c.node)
		due := n.queue(c.node, at)
		if due == at { // it does not wait, and is processed at its turn among what arrives
			n.k.AtPlace(at, n.k.Place(sim.PhaseDeliver, c.lane, to), sim.Event{Kind: evArrive, Arg: uint64(c.slot)})
			continue
		}
		if at <= n.until {
			n.k.Skip(at, to, evArrive, uint64(c.slot))
		}
		n.await(c.node, c.slot, due)
	}
	n.coming = n.coming[:0]
}

// inTurn brings what was sent at one instant into the order in which it arrives at
// each node: one of each sender before the second of any, the lower sender first.
func inTurn(list []coming) {
	sorted := true
	for i := 1; i < len(list) && sorted; i++ {
		sorted = list[i-1].node < list[i].node
	}
	if sorted {
		return
	}
	slices.SortStableFunc(list, func(a, b coming) int { return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.lane, b.lane)) })
	for i := 1; i < len(list); i++ {
		if a, b := &list[i-1], &list[i]; a.node == b.node && a.lane == b.lane {
			b.nth = a.nth + 1
		}
	}
	slices.SortStableFunc(list, func(a, b coming) int { return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.nth, b.nth)) })
}

// queued tells whether an UPDATE waits at a node for its turn at this instant.
func (n *Internet) queued(i int32) (waits bool) {
	if !n.foretells {
		return false
	}
	n.k.Pending(func(_ sim.Timer, at sim.Time, kind sim.Kind, arg uint64) {
		waits = waits || kind == evQueued && at == n.k.Now() && n.parcels[arg].to.node == i
	})
	return waits
}
