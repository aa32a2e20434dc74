package network

import (
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// A routing process with one main loop does in turns what is to be done, what its timers
// say, and what its sockets have; then it sleeps until there is something again. BIRD 2
// looks for things to be done before it looks at its timers, and sleeps for up to three
// seconds even if a timer has left it something (io_loop in sysdep/unix/io.c). So when its hold timer runs out, nothing comes of that before it
// wakes the next time: for a message of any neighbour, for another timer, or because the
// three seconds are over. What it tells a new neighbour first waits in the same way: the
// walk through the table comes last in the first half of a turn (ev_schedule_work), and
// what it has found is to be sent in the next one.
//
// A process that bgp.loop_sleep is zero for does everything at once.

// begun is a timer that has run out, and of which nothing has come yet.
type begun struct {
	session int32
	timer   bgp.TimerID
	at      sim.Time
}

// sleeps is how long the process of r sleeps at most although there is something to be
// done.
func (r *router) sleeps() time.Duration { return r.settings[topology.BGPLoopSleep].Dist.A }

// leave has the end of a hold timer wait until the process wakes. Until then the session
// says nothing more, and listens no more.
func (n *Network) leave(r *router, s *session, t bgp.TimerID) {
	s.left = true
	n.k.Stop(&s.timers[t-bgp.HoldTimer+bgp.KeepaliveTimer])
	r.begun = append(r.begun, begun{int32(s.id), t, n.k.Now()})
	n.note(trace.Note{Kind: trace.NoteLeft, Router: int32(r.id), Link: int32(s.link)})
	n.dozes(r, 1)
	if !n.k.Move(r.loop, r.sleeps(), sim.PhaseTimer, actorOf(r.id)) {
		n.k.Reset(&r.loop, r.sleeps(), sim.Event{To: actorOf(r.id), Kind: evLoop, Arg: uint64(r.id), Phase: sim.PhaseTimer})
	}
}

// dozes counts what waits for the process to wake. While there is anything, no stretch is
// quiet.
func (n *Network) dozes(r *router, more int) {
	r.waiting += more
	n.dozing += more
}

// wake: the process of r has something to do, and does what it has left, too.
func (n *Network) wake(r *router) {
	if r.waiting == 0 {
		return
	}
	if len(r.begun) > 0 {
		n.k.Move(r.loop, 0, sim.PhaseTimer, actorOf(r.id))
	}
	for _, i := range r.sessions {
		if s := &n.sessions[i]; s.first {
			n.k.Move(s.mrai, 0, sim.PhaseTimer, actorOf(r.id))
		}
	}
}

// turned: the process of r wakes.
func (n *Network) turned(r *router) {
	r.loop = sim.Timer{}
	if r.frozen {
		r.missed = append(r.missed, int32(missedLoop))
		return
	}
	for len(r.begun) > 0 {
		b := r.begun[0]
		if b.at == n.k.Now() {
			break // it was looked at after what was to be done
		}
		r.begun = slices.Delete(r.begun, 0, 1)
		n.dozes(r, -1)
		n.sessions[b.session].left = false
		n.stepSession(&n.sessions[b.session], bgp.Input{Kind: bgp.InTimer, Timer: b.timer})
	}
	if len(r.begun) > 0 {
		n.k.Reset(&r.loop, r.sleeps(), sim.Event{To: actorOf(r.id), Kind: evLoop, Arg: uint64(r.id), Phase: sim.PhaseTimer})
	}
}

// forgetLeft drops what was left about a session, which has ended in another way.
func (n *Network) forgetLeft(r *router, s *session) {
	n.firstIsOver(r, s)
	s.left = false
	before := len(r.begun)
	r.begun = slices.DeleteFunc(r.begun, func(b begun) bool { return int(b.session) == s.id })
	n.dozes(r, len(r.begun)-before)
	if len(r.begun) == 0 {
		n.k.Stop(&r.loop)
	}
}

// firstWaits: the first UPDATE of a session is left for when the process wakes.
func (n *Network) firstWaits(r *router, s *session) {
	if r.sleeps() > 0 && !s.first {
		s.first = true
		n.dozes(r, 1)
	}
}

// firstIsOver: it waits no longer.
func (n *Network) firstIsOver(r *router, s *session) {
	if s.first {
		s.first = false
		n.dozes(r, -1)
	}
}

// loopWait names the wait for the process of a router to wake.
func (n *Network) loopWait(router int, what string) Wait {
	return n.routerWait(router, topology.BGPLoopSleep, what+" waits until the main loop wakes: for a message, for another timer, or in the end by itself")
}

// leftBy is the event in which the timer ran out of which something has come in event id.
// One that runs out at the very instant of the turn waits for the next.
func (n *Network) leftBy(id sim.EventID, router int) sim.EventID {
	x := n.lastNote(id, func(x *trace.Note) bool {
		return x.Kind == trace.NoteLeft && int(x.Router) == router && x.At < n.timeOf(id)
	})
	return x.Event
}
