package network

import (
	"cmp"
	"math"
	"math/bits"
	"net/netip"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// There are networks whose routing never comes to rest: BAD GADGET, MED
// oscillation, DISAGREE with unlucky delays. A run ends at its time all the
// same; but without delays it would go round for ever within one instant, and
// with tiny ones for longer than anybody waits. So a run that has sent more
// UPDATEs since the last fault than any network in its senses would is ended,
// and says so.
//
// That routing never comes to rest can be known, not only feared: when the
// state of routing is what it was before. What counts as state is what the
// routers know, have said and mean to say, what is on its way between them,
// and how long each advertisement timer has to run. Two such states that are
// equal have the same future where no chance comes in: all delays are fixed,
// nothing is lost, no session is about to come or go. Only there is a
// repetition looked for, by Brent's method: each state is compared with one
// that was kept, and which is replaced each time that twice as many changes
// have gone by. That takes no memory, and finds a period within a few of its
// lengths. With random delays there is no such certainty, and none is claimed.

// Ending is how routing stands when a run ends.
type Ending struct {
	State   EndState
	Since   sim.Time // the last event, or the beginning …
	Changes int      // … how often Loc-RIBs changed after it …
	Last    sim.Time // … and when they last did
	// First and Again are two instants with the same state (Repeats).
	First, Again sim.Time
	// Updates is how many were sent since the last event when the run was ended
	// for that reason; 0: it was not.
	Updates int
	// Chance: something that routing depends on is drawn, so that a repetition
	// cannot be known.
	Chance bool
	Waits  []string // what is still to come: the first few
}

// EndState is what is known about it.
type EndState uint8

const (
	AtRest    EndState = iota // nothing more is to come
	Unsettled                 // something is
	Repeats                   // the state of routing has repeated, and will again
)

// activity is what a Network always knows of how its routing goes on.
type activity struct {
	since   sim.Time // the last event
	updates int      // sent since
	most    int      // as many end the run
	over    bool     // it has been ended
}

// fewest is how many UPDATEs after one event no run is ended for.
const fewest = 1_000_000

// mostUpdates is how many UPDATEs after one event end a run: for large networks
// fifty for each prefix on each session.
func (n *Network) mostUpdates() int {
	if n.opt.MostUpdates > 0 {
		return n.opt.MostUpdates
	}
	if n.opt.Outside != nil {
		return math.MaxInt32 // it is up to its user when that ends
	}
	prefixes := 0
	for i := range n.d.Routers {
		prefixes += len(n.d.Routers[i].Networks)
	}
	hi, lo := bits.Mul64(uint64(len(n.sessions)), uint64(50*prefixes))
	if hi > 0 || lo > math.MaxInt32 {
		return math.MaxInt32
	}
	return max(fewest, int(lo))
}

// endRun ends the run in this event.
func (n *Network) endRun() {
	n.activity.over = true
	n.end = n.k.Now()
	n.k.Halt()
}

// watcher looks for a repetition.
type watcher struct {
	possible bool // by the configuration
	every    int  // changes between two looks at first
	step     int  // … and now
	left     int  // until the next one
	looks    int  // since the state that was kept
	power    int  // as many make a newer one be kept; 0: none is
	kept     uint64
	keptAt   sim.Time
	found    bool
	changes  int      // of Loc-RIBs since the last event …
	last     sim.Time // … and when the last one was
	changed  bool     // one came in the event under way
	first    sim.Time // Repeats
	again    sim.Time
	pending  []due
}

// due is a pending event that routing depends on.
type due struct {
	at    sim.Time
	later bool // than the round under way: sim/ties.go
	place sim.Place
	kind  sim.Kind
	arg   uint64
}

// init works out what does not change between runs.
func (w *watcher) init(n *Network) {
	w.possible = true
	for i := range n.d.Links {
		l := &n.d.Links[i]
		w.possible = w.possible && !l.Delay.Dist.IsRandom()
		if l.Loss.P > 0 || l.Loss.ToBad > 0 {
			w.possible = false
		}
		for e := range 2 {
			// A retransmission depends on what else is under way.
			set := &l.Ends[e].Settings
			if rto := &set[topology.TCPRTO].Dist; rto.IsRandom() || l.Ends[e].BGP && rto.A <= 2*l.Delay.Dist.A {
				w.possible = false
			}
			if spaces(set) && ratio(&set[topology.BGPMRAIJitter]) != (bgp.Jitter{}) {
				w.possible = false // each interval is another one
			}
		}
	}
	prefixes := 1
	for i := range n.d.Routers {
		r := &n.d.Routers[i]
		w.possible = w.possible && !r.Settings[topology.BGPProcessing].Dist.IsRandom() && !r.Settings[topology.BGPDecisionDelay].Dist.IsRandom()
		prefixes += len(r.Networks)
	}
	// A look costs a microsecond for each prefix on each session. Small networks
	// can afford one at every change; in large ones looking is never more than a
	// small part of the work.
	cost := len(n.sessions) * prefixes
	w.every = 1 + min(cost, cost*cost/1000)
}

// spaces tells whether UPDATEs are kept apart at all.
func spaces(set *topology.Settings) bool {
	return set[topology.BGPMRAIMode].Enum != "none" && (set[topology.BGPMRAI].Dist.Max() > 0 || set[topology.BGPMRAIIBGP].Dist.Max() > 0)
}

// seldom is after how many looks they become rarer.
const seldom = 128

// restart begins to look anew: the state of before can't come again.
func (w *watcher) restart() {
	w.found, w.looks, w.power, w.left, w.step = false, 0, 0, w.every, w.every
}

// event starts the count of changes anew, too.
func (w *watcher) event() {
	w.restart()
	w.changes = 0
}

// ribChanged notes a change; the look is for the end of the event.
func (w *watcher) ribChanged(now sim.Time) {
	w.changes++
	w.last, w.changed = now, true
}

// lookForRepetition is called at the end of an event that changed a Loc-RIB.
func (n *Network) lookForRepetition() {
	w := &n.tally.watch
	w.changed = false
	if w.left--; w.left > 0 || w.found || !w.possible {
		return
	}
	w.left = w.step + n.k.Len()/256 // a look goes through all that is pending
	state, ok := n.routingState()
	if !ok {
		w.restart()
		return
	}
	if w.power > 0 && state == w.kept {
		w.found, w.first, w.again = true, w.keptAt, n.k.Now()
		if w.first == w.again {
			n.endRun()
		}
		return
	}
	if w.looks++; w.looks >= w.power {
		w.kept, w.keptAt = state, n.k.Now()
		w.power, w.looks = max(1, 2*w.power), 0
		if w.power > seldom {
			w.step *= 2 // what repeats does so at every second, fourth … look, too
		}
	}
}

// routingState hashes all that routing goes by, as far as it can be told; ok is
// false while chance, a fault that is yet to be noticed or a retransmission
// comes in.
func (n *Network) routingState() (state uint64, ok bool) {
	h := hash(0)
	for i := range n.links {
		if l := &n.links[i]; l.way[0].random() || l.way[1].random() {
			return 0, false
		}
	}
	for _, c := range n.conns {
		if c.side[0].tries > 0 && c.side[0].state == tcpEstablished || c.side[1].tries > 0 && c.side[1].state == tcpEstablished {
			return 0, false
		}
	}
	quiet := true
	for i := range n.sessions {
		n.unnoticed(&n.sessions[i], func(_ netip.Prefix, _ func() string) { quiet = false })
		h.add(uint64(n.sessions[i].m.State()))
	}
	for _, b := range n.bfds {
		quiet = quiet && b.m.Quiet()
	}
	if !quiet {
		return 0, false
	}
	now := n.k.Now()
	for i := range n.routers {
		r := &n.routers[i]
		if r.frozen {
			return 0, false
		}
		h.add(r.speaker.Fingerprint(n.clock()))
		rnd := r.rnd
		h.add(rnd.Uint64()) // where its random numbers have got to
		h.add(uint64(max(0, r.updates.last.Sub(now))))
		for _, u := range r.updates.all() {
			h.add(uint64(u.peer))
			h.add(u.msg.Update.Fingerprint())
			h.add(uint64(u.due.Sub(now)))
		}
	}
	n.hashPending(&h)
	return uint64(h), true
}

// hashPending adds what is on its way and the timers that run, in the order in
// which they are due.
func (n *Network) hashPending(h *hash) {
	w := &n.tally.watch
	now := n.k.Now()
	w.pending = w.pending[:0]
	n.k.Pending(func(t sim.Timer, at sim.Time, kind sim.Kind, arg uint64) {
		if routingGoesBy(kind) {
			place := n.k.PlaceOf(t)
			w.pending = append(w.pending, due{at, at > now || n.k.Later(place), place, kind, arg})
		}
	})
	slices.SortFunc(w.pending, func(a, b due) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.later != b.later && b.later:
			return -1
		case a.later != b.later:
			return 1
		case a.place.Before(b.place):
			return -1
		}
		return 1
	})
	for _, d := range w.pending {
		if !d.later { // whose turn is next depends on whose it is
			h.add(n.k.Here().Side())
		}
		if d.kind == evSegment {
			n.hashSegment(h, segArg(d.arg), d.at.Sub(now))
			continue
		}
		h.add(uint64(d.at.Sub(now)))
		h.add(uint64(d.kind))
		h.add(d.arg)
	}
}

// hashSegment adds the UPDATEs in a segment on its way.
func (n *Network) hashSegment(h *hash, a segArg, left time.Duration) {
	if a.kind() != segData {
		return
	}
	from := &n.conns[a.conn()].side[1-a.to()]
	for i := range a.n() {
		if k := int(a.first() + i - from.una); k >= 0 && k < len(from.out) && from.out[k].Type == bgp.MsgUpdate {
			h.add(uint64(left))
			h.add(uint64(from.session))
			h.add(from.out[k].Update.Fingerprint())
		}
	}
}

// routingGoesBy tells whether a pending event is part of the state of routing.
// Whatever is not known to be none is: keepalives and hold timers, which decide
// nothing while they go on; BFD while it is quiet; retransmission timers that
// nothing is waiting for; echoes; tables that are being programmed; tunnels; and
// faults, which end every prediction.
func routingGoesBy(kind sim.Kind) bool {
	switch kind {
	case evTick, evEcho, evFIB, evTable, evTCPTimer, evBGPTimer, evVPNTimer, evIKESend, evIKE, evFault, evBFD, evBFDTimer:
		return false
	}
	return true
}

// ending tells how routing stands now that the run is over.
func (n *Network) ending() Ending {
	w := &n.tally.watch
	e := Ending{Since: n.activity.since, Changes: w.changes, Last: w.last, Chance: !w.possible}
	if n.activity.over && n.activity.updates > n.activity.most {
		e.Updates = n.activity.updates
	}
	n.unfinished(func(_ netip.Prefix, what func() string) {
		e.State = Unsettled
		e.Waits = addWait(e.Waits, what)
	})
	if w.found {
		e.State, e.First, e.Again = Repeats, w.first, w.again
	}
	return e
}

// hash is a running hash of numbers.
type hash uint64

func (h *hash) add(v uint64) {
	x := (uint64(*h) ^ v) * 0x9e3779b97f4a7c15
	*h = hash(x ^ x>>29)
}
