package network

import (
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// Linux keeps its timers in a wheel of levels, each eight times as coarse as the one before,
// and rounds a timer up to the grain of its level (kernel/time/timer.c). With 250 ticks in a
// second, a retransmission after 16 s comes up to 0.26 s late, and one after 32 s up to 2 s:
// who waits for a SYN that has to be sent again and again sees the sum of that.

const (
	wheelBuckets = 64 // of each level
	wheelShift   = 3  // a level is 1<<3 times as coarse as the one before
	wheelLevels  = 9
)

// wheel rounds a timeout of a router's TCP as its system does. Timeouts below a second,
// which come at most a few milliseconds late, are left alone.
func (n *Network) wheel(r *router, after time.Duration) time.Duration {
	hz := r.settings[topology.TCPTimerHz].Int
	if hz == 0 || after < time.Second {
		return after
	}
	tick := time.Second / time.Duration(hz)
	ticks := int64(after / tick)
	level := 0
	for level+1 < wheelLevels && ticks >= (wheelBuckets-1)<<(wheelShift*level) {
		level++
	}
	grain := tick << (wheelShift * level)
	due := time.Duration(n.k.Now()) + after + r.boot
	return after + grain - due%grain
}

// drawBoot draws when the system of a router began to count.
func (r *router) drawBoot(n *Network) {
	rnd := n.k.Rand(n.machineOf(r) + 5)
	// Longer than any grain; and late enough that no instant of a run is before it.
	r.boot = 24*time.Hour + time.Duration(rnd.Uint64()%uint64(time.Hour))
}
