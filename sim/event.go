package sim

import "time"

// Time is an instant of a run: nanoseconds since time zero. The warm-up lies
// before it, so it may be negative.
type Time int64

// Add returns t + d.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub returns t - u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Seconds is t in seconds, for printing.
func (t Time) Seconds() float64 { return float64(t) / 1e9 }

// EventID is the position of an event in its run, counted from 1 in the order
// of handling. 0 is the set-up, before the first event.
type EventID uint64

// ActorID names who handles an event: the order of Kernel.Add, from 0.
type ActorID uint32

// Kind is the meaning of an event; it belongs to the actor that handles it.
type Kind uint16

// Phase orders events of one instant: what breaks comes before what arrives,
// what arrives before timers, and probes see the result.
type Phase uint8

const (
	PhaseFault Phase = iota
	PhaseDeliver
	PhaseTimer
	PhaseProbe
)

// Event is something that happens at an instant. It is a value without
// pointers, never a closure: it can be printed, hashed, moved and explained.
// What does not fit into Arg lives with the actor, and Arg names it.
type Event struct {
	At    Time
	ID    EventID // set when it is handled
	Cause EventID // the event that scheduled it; set by the kernel, so it can't be forgotten
	Arg   uint64
	To    ActorID
	Kind  Kind
	Phase Phase
}

// Actor handles events. The event is the kernel's, and lasts until it has been
// handled.
type Actor interface {
	Handle(k *Kernel, ev *Event)
}
