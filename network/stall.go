package network

import (
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// A routing process is kept from its work now and then: a garbage collection, a table
// that is walked with a lock held, a machine that is short of processors or is being moved.
// Its neighbours cannot tell that from a dead one, and if it takes longer than their hold time,
// they drop its sessions although nothing is broken.
//
// Such stalls come by themselves, besides the story, where stall.every says so: the process
// hangs as `freeze` has it hang. How long it is until the next and how long it lasts belong to
// the number of the stall, so that no other change of the scenario moves them. The first is due
// stall.every after time zero. They are the world's doing, as the story is, so that those of
// both that coincide have one order.

// hang is why a process hangs. It goes on when no reason is left.
type hang uint8

const (
	hangsByStory hang = 1 << iota
	hangsByStall
)

// freeze lets a process hang; one that is dead cannot.
func (n *Network) freeze(r *router, why hang) {
	if r.alive {
		r.hangs |= why
		r.frozen = true
	}
}

// awaitStall schedules the next stall of r, counted from the instant t.
func (n *Network) awaitStall(r *router, t sim.Time) {
	every := &r.settings[topology.StallEvery].Dist
	if every.Max() == 0 || r.settings[topology.StallFor].Dist.Max() == 0 || r.real {
		return
	}
	// Two stalls do not begin at one instant, or there would be no end of them.
	after := max(every.Draw(r.stallRnd.At(2*r.stalls)), turn)
	if at := t.Add(after); at <= n.end {
		n.k.At(at, sim.Event{To: actorWorld, Kind: evStall, Arg: uint64(r.id), Phase: sim.PhaseFault})
	}
}

func (n *Network) stall(r *router) {
	lasts := r.settings[topology.StallFor].Dist.Draw(r.stallRnd.At(2*r.stalls + 1))
	r.stalls++
	n.freeze(r, hangsByStall)
	n.noteStall(r, true)
	n.k.At(n.k.Now().Add(lasts), sim.Event{To: actorWorld, Kind: evStallOver, Arg: uint64(r.id), Phase: sim.PhaseFault})
}

func (n *Network) stallOver(r *router) {
	n.noteStall(r, false)
	n.thaw(r, hangsByStall)
	n.awaitStall(r, n.k.Now())
}

func (n *Network) noteStall(r *router, begins bool) {
	n.note(trace.Note{Kind: trace.NoteStall, Router: int32(r.id), Link: -1, Up: !begins})
}
