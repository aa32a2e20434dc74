package network

import (
	"math"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/vpn"
)

// Drops that come once in years are not met by running for an hour. They are found by
// importance splitting: of the runs that have come near to a drop, the moment when they did
// is gone on from many times, each time with other random numbers. A run is a function of
// its random numbers, so going on from a moment needs no copy of a network's state: the run is
// repeated from its beginning, and at that moment its streams are exchanged (a Splice).
//
// Near is measured by silence: for how much of the time after which a timer declares its peer
// dead nothing has been heard of it, of all timers the one that is nearest.

// Splice gives all streams the numbers of another seed from an instant on.
type Splice struct {
	At   sim.Time
	Seed uint64
}

// Reach is how near a run came to a drop.
type Reach struct {
	Silence float64  // the largest share of a timer that was over; 1 if there was a drop
	Dropped bool     // a drop that came by chance
	At      sim.Time // when the silence that was asked for was reached, or the drop; only if it was
}

// silenceWatch follows the silences of a run.
type silenceWatch struct {
	target float64
	reach  Reach
	found  bool
	// By session and timer of BFD: when it began, and to run how long.
	holds, detects []began
}

type began struct {
	at    sim.Time
	after time.Duration
}

// RunToSilence runs until a timer is over by the share target (1: until a drop), or
// to the end, with the splices, which are in the order of time.
func (n *Network) RunToSilence(seed uint64, splices []Splice, target float64) Reach {
	w := n.lastSilence
	if w == nil {
		w = &silenceWatch{}
	}
	n.silence = w
	*w = silenceWatch{target: target, holds: resized(w.holds, len(n.sessions)), detects: resized(w.detects, len(n.bfds))}
	n.prepare(seed)
	n.splices = splices
	for i, s := range splices {
		n.k.At(s.At, sim.Event{To: actorWorld, Kind: evSplice, Arg: uint64(i), Phase: sim.PhaseFault})
	}
	for !w.found {
		next, ok := n.k.Next()
		if !ok || next > n.end {
			next = n.end
		}
		if w.due(next); w.found || !n.k.Step(n.end) {
			break
		}
	}
	for i := range w.holds { // silences that last
		w.over(w.holds[i], n.k.Now())
	}
	for i := range w.detects {
		w.over(w.detects[i], n.k.Now())
	}
	n.silence, n.lastSilence = nil, w
	return w.reach
}

func resized(list []began, n int) []began {
	list = slices.Grow(list[:0], n)[:n]
	clear(list)
	return list
}

// over: a timer that had run since b began has been restarted, stopped or has run out.
func (w *silenceWatch) over(b began, now sim.Time) {
	if b.after > 0 && now > 0 {
		w.reach.Silence = max(w.reach.Silence, min(float64(now.Sub(b.at))/float64(b.after), nearlyOver))
	}
}

// nearlyOver is the largest silence of a run without a drop.
const nearlyOver = 0.999

// due looks whether a timer reaches the target before or at the instant of the next event. The first
// moment at which one does must be found as a moment, without what comes later: of two timers the
// one that reaches it first counts, and not the one of which it is known first.
func (w *silenceWatch) due(next sim.Time) {
	if w.target >= 1 {
		return
	}
	first := sim.Time(math.MaxInt64)
	for _, list := range [2][]began{w.holds, w.detects} {
		for i := range list {
			if b := &list[i]; b.after > 0 {
				first = min(first, b.at.Add(time.Duration(w.target*float64(b.after))))
			}
		}
	}
	if first = max(first, 0); first <= next {
		w.found, w.reach.At = true, first
		w.reach.Silence = max(w.reach.Silence, w.target)
	}
}

// doubted: so much of the time is over after which dead peer detection gives its peer up.
func (w *silenceWatch) doubted(share float64, now sim.Time) {
	w.reach.Silence = max(w.reach.Silence, min(share, nearlyOver))
	if share >= w.target && w.target < 1 && !w.found {
		w.found, w.reach.At = true, now
	}
}

func (w *silenceWatch) dropped(now sim.Time) {
	w.reach.Dropped, w.reach.Silence = true, 1
	if !w.found {
		w.found, w.reach.At = true, now
	}
}

// began notes that a timer starts anew; 0: it is stopped.
func (w *silenceWatch) began(list []began, i int, now sim.Time, after time.Duration) {
	w.over(list[i], now)
	list[i] = began{now, after}
}

// splice exchanges all streams.
func (n *Network) splice(i int) {
	n.k.Reseed(n.splices[i].Seed)
	n.version++ // echoes' streams are kept with their paths
	stream := n.k.Rand
	for i := range n.links {
		l := &n.links[i]
		for e := range 2 {
			w, end := &l.way[e], &l.ends[e]
			w.delays, w.losses, w.momentary = stream(w.nameDly), stream(w.nameLos), stream(w.nameLos+1)
			if l.tunnel {
				end.rnd, end.proc = stream(end.nameRnd), stream(end.nameRnd+1)
			}
		}
	}
	for i := range n.sessions {
		n.sessions[i].rnd = stream(n.sessions[i].name)
	}
	for _, b := range n.bfds {
		b.rnd = stream(b.name)
	}
	for i := range n.routers {
		r := &n.routers[i]
		r.rnd, r.fibRnd, r.tableRnd, r.procRnd = stream(r.nameRnd), stream(r.nameRnd+1), stream(r.nameRnd+2), stream(r.nameRnd+3)
		r.decideRnd, r.stallRnd = stream(r.nameRnd+6), stream(r.nameStall)
	}
}

// noteDoubt notes how much of the time after which dead peer detection gives its peer up is over.
func (n *Network) noteDoubt(l *link, e int, idle time.Duration) {
	if n.silence == nil {
		return
	}
	c := &l.ends[e].config
	all := c.DPDInterval
	switch {
	case c.DPDTimeout > 0:
		all = c.DPDTimeout
	case c.Version == vpn.IKEv1:
		all += time.Duration(c.DPDRetries) * c.DPDRetry
	default:
		wait := c.Retransmit
		for range c.RetransmitTries + 1 {
			all += wait
			wait = time.Duration(float64(wait) * c.RetransmitBase)
		}
	}
	if now := n.k.Now(); now > 0 && all > 0 {
		n.silence.doubted(float64(idle)/float64(all), now)
	}
}
