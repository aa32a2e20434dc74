package asgraph

import (
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
)

// fitsInCaches is how many ends an Internet may have whose memory need not be
// asked for beforehand: some 300 octets each.
const fitsInCaches = 1 << 12

// ahead is what Soon remembers of the events that it looks at.
type ahead struct {
	steps  []bgp.Expected
	looked uint64
}

// Soon looks at what events will need, all of them together (sim/ahead.go).
func (n *Internet) Soon(events []sim.Expected) {
	a := &n.ahead
	x, steps := uint64(0), a.steps[:0]
	for i := range events {
		ev := &events[i]
		switch ev.Kind {
		case evArrive:
			to := &n.nodes[nodeOf(ev.To)]
			x += uint64(to.got) + uint64(to.due)
		case evQueued, evProcess:
			p := &n.parcels[ev.Arg]
			if p.msg != nil {
				steps = append(steps, bgp.Expected{Speaker: &n.speakers[p.to.node], Peer: p.to.peer, Msg: p.msg})
				first := n.first[p.to.node]
				x += uint64(n.nodes[p.to.node].due) + uint64(n.ends[first].last)
			}
		case evTimer:
			i := n.ends[ev.Arg].owner
			steps = append(steps, bgp.Expected{Speaker: &n.speakers[i], Peer: n.peerID(int32(ev.Arg))})
		}
	}
	a.steps = steps
	a.looked += x + bgp.Look(steps)
}
