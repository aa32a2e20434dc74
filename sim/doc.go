// Package sim is the discrete-event kernel: it owns time, the queue of events,
// the named streams of random numbers and the digest of a run. It knows
// nothing of networks.
//
// A run is a function of its set-up and its seed. Events are handled one at a
// time in the order (time, phase, insertion); nothing else can happen in
// between, and nothing in a run may look at a real clock. Each event remembers
// the event that scheduled it, its Cause, so that the waits that led to
// something can be read backwards from it: that is what an explanation is.
//
// Timers are events that can be moved in place: a hold timer is pushed back by
// every keepalive, and a queue that left the old ones behind would be twice as
// long and full of things that never happen.
package sim
