package trace

import "testing"

// A nil log keeps nothing, so that whoever writes need not ask whether there is one.
func TestNilLogKeepsNothing(t *testing.T) {
	var l *Log
	l.Note(Note{Kind: NoteFault})
}

// A log that is used again forgets the run and keeps its memory and names.
func TestResetForgetsTheRun(t *testing.T) {
	l := &Log{Capture: true, Names: Names{Routers: []string{"aws"}}}
	l.Note(Note{Kind: NoteFault})
	l.Events = append(l.Events, Event{At: 1})
	l.Packets = append(l.Packets, Packet{At: 1})
	l.Reset()
	if len(l.Notes)+len(l.Events)+len(l.Packets) != 0 {
		t.Errorf("after Reset there are %d notes, %d events, %d packets", len(l.Notes), len(l.Events), len(l.Packets))
	}
	if cap(l.Notes) == 0 || !l.Capture || l.Names.Routers[0] != "aws" {
		t.Error("Reset lost what does not belong to the run")
	}
}
