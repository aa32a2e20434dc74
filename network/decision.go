package network

import (
	"net/netip"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
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
// routes the first one counts that covers what it is about, or the first of all.
func (n *Network) newsOf(id sim.EventID, about []netip.Prefix) sim.EventID {
	var chosen *trace.Note
	notes := n.log.Notes
	for i := len(n.notesBefore(id)); i < len(notes) && notes[i].Event == id; i++ {
		if x := &notes[i]; x.Kind == trace.NoteRoute && coversOne(x.Prefix, about) {
			chosen = x
			break
		} else if x.Kind == trace.NoteRoute && chosen == nil {
			chosen = x
		}
	}
	if chosen == nil {
		return n.log.Events[id-1].Cause
	}
	if best := chosen.Route.Best; best != nil {
		return max(chosen.Because, sim.EventID(best.Stamp))
	}
	return chosen.Because
}
