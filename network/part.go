package network

import (
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

// Part says what an event of the record was, for whoever follows causes back and
// wants to know what played a part.
type Part struct {
	Router        int  // whose it was; -1: no router's
	Heard         bool // it may have been an UPDATE that arrived or was processed
	Session       bool // a session was on its way up
	Retransmitted bool // TCP sent something once more
}

// Part looks at an event. A TCP segment of which no session goes up or down may
// have been an UPDATE.
func (n *Network) Part(id sim.EventID) Part {
	ev := &n.log.Events[id-1]
	s := Part{Router: int(ev.To) - 1}
	if s.Router >= len(n.routers) {
		s.Router = -1
	}
	down := false
	notes := n.log.Notes
	for i := len(n.notesBefore(id)); i < len(notes) && notes[i].Event == id; i++ {
		if x := &notes[i]; x.Kind == trace.NoteSession {
			down = down || bgp.State(x.To) == bgp.Idle
			s.Session = s.Session || bgp.State(x.To) != bgp.Idle
		}
	}
	switch ev.Kind {
	case evUpdate:
		s.Heard = true
	case evSegment:
		s.Heard = !down && !s.Session
	case evTCPTimer:
		s.Retransmitted = true
	}
	return s
}
