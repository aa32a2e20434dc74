package network

import (
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
	"net/netip"
)

// A router with bgp.decision_delay does not choose its routes after each UPDATE, but
// waits for so long once there is news, and decides then about all that has come.
// bgp/together.go says why that is more than a delay.

// awaitDecision has r decide, not at once.
func (n *Network) awaitDecision(r *router) {
	after := r.settings[topology.BGPDecisionDelay].Dist.Draw(r.decideRnd.Uint64())
	n.k.Reset(&r.decision, after, sim.Event{To: actorOf(r.id), Kind: evDecide, Phase: sim.PhaseTimer})
}

// decide has r choose its routes.
func (n *Network) decide(r *router) {
	if r.frozen {
		r.missed = append(r.missed, int32(missedDecide))
		return
	}
	n.stepSpeaker(r, bgp.Local, bgp.Input{Kind: bgp.InDecide})
}

// newsOf is the event that brought what was decided about in event id: the path that
// was chosen, or else the first of what has made another choice necessary. Of several
// routes that were chosen the first one counts that covers what it is about.
func (n *Network) newsOf(id sim.EventID, about []netip.Prefix) sim.EventID {
	news := n.log.Events[id-1].Cause
	first := true
	notes := n.log.Notes
	for i := len(n.notesBefore(id)); i < len(notes) && notes[i].Event == id; i++ {
		x := &notes[i]
		covers := coversOne(x.Prefix, about)
		if x.Kind != trace.NoteRoute || !covers && !first {
			continue
		}
		first = false
		news = x.Because
		if best := x.Route.Best; best != nil && sim.EventID(best.Stamp) > news {
			news = sim.EventID(best.Stamp)
		}
		if covers {
			break
		}
	}
	return news
}
