package network

import (
	"net/netip"
	"slices"

	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// The truth about forwarding, as opposed to what a ping sees of it: for each pair
// of addresses that is watched, the whole run is divided into intervals in which
// both directions did the same. Nothing is sampled. Whenever a table, a link or
// the end of a tunnel has changed, or a router has taken back what it announced,
// both directions are walked through the state of that instant, so that a loop of
// a millisecond between the changes of two FIBs is found, and lasts as long as it
// did.

// Course is what becomes of a packet in one direction.
type Course uint8

const (
	Arrives      Course = iota
	ArrivesStale        // over a link whose far end no longer announces the way
	DiesStale           // in a link whose far end has gone
	Dies
	Loops
)

// State of forwarding between two addresses: the first of these that holds. They
// exclude each other.
type State uint8

const (
	Loop       State = iota // a direction goes round in circles
	BlackHole               // a direction ends where packets are dropped
	Stale                   // a direction uses a link that its far end has given up, whether or not packets still arrive
	Asymmetric              // both arrive, but not over the same links
	OK
	NumStates
)

func (s State) String() string {
	return [...]string{"loop", "black hole", "stale return path", "asymmetric", "ok"}[s]
}

// Way is one direction in an interval.
type Way struct {
	Course Course
	Links  []int32 // in order; the last one is where a packet dies, if it gets that far
	// Where it ends: at a router, or in a link on the way to it; -1: none. For Loops,
	// the router that is passed twice.
	Router, Link int
	Why          string
	Because      sim.EventID // wrote the state that says so; 0: set-up, or nothing did
	// Steps are the tables that were asked, in order: one for each link, and one more
	// if the last had no answer. Only a run with a record keeps them.
	Steps []Step
	round int // Loops: where the circle begins in Links
	why   dropReason
}

// Step is what a table said to a packet when an interval began.
type Step struct {
	Router int32
	Cloud  bool         // the route table in front of the router's own
	Prefix netip.Prefix // of the entry; the zero Prefix: there is none
	By     sim.EventID  // wrote it, or took it away; 0: set-up
}

// Blamed are the steps that make a direction what it is: those round the circle, the
// one that leads into the link that has been given up, or the last one.
func (w *Way) Blamed() []Step {
	switch k := len(w.Steps); {
	case k == 0 || w.Course == Arrives:
		return nil
	case w.Course == Loops:
		return w.Steps[w.round:]
	case w.Course == ArrivesStale:
		i := slices.Index(w.Links, int32(w.Link))
		return w.Steps[i : i+1]
	default:
		return w.Steps[k-1:]
	}
}

// Round are the links of the circle that a packet goes round in.
func (w *Way) Round() []int32 { return w.Links[w.round:] }

func (w *Way) same(o *Way) bool {
	return w.Course == o.Course && w.why == o.why && w.Router == o.Router && w.Link == o.Link && slices.Equal(w.Links, o.Links)
}

// Interval is a part of the run in which nothing about a pair's forwarding changed.
type Interval struct {
	Start, End sim.Time
	Event      sim.EventID // it began with: the last one of its instant that changed something
	EndEvent   sim.EventID // it ended with: the first one; 0: it did not end before the run did
	State      State
	Ways       [2]Way // request, reply
}

// In tells whether a direction (0: request) is in the interval's state, rather than
// only the other one.
func (v *Interval) In(dir int) bool {
	switch v.State {
	case Loop:
		return v.Ways[dir].Course == Loops
	case BlackHole:
		return v.Ways[dir].Course == Dies
	case Stale:
		return v.Ways[dir].Course == ArrivesStale || v.Ways[dir].Course == DiesStale
	}
	return true
}

// Lost tells whether a round trip would fail.
func (v *Interval) Lost() bool { return v.Ways[0].Course >= DiesStale || v.Ways[1].Course >= DiesStale }

// Forwarding is the whole run for one pair: its intervals follow each other
// without a gap from time zero to the end.
type Forwarding struct {
	topology.Watch
	Intervals []Interval
}

// OneWay tells whether there is nothing that a reply could be sent to; then only
// requests are followed.
func (f *Forwarding) OneWay() bool { return !f.From.Addr.IsValid() }

// truth is what a Network that watches pairs keeps of them.
type truth struct {
	pairs []watched
	seen  []uint32 // by router: the last walk that came by
	walk  uint32
	links []int32 // of the walk under way
	steps []Step
}

type watched struct {
	Forwarding
	dst  [2]netip.Addr
	flow [2]uint64
}

func newTruth(n *Network, pairs []topology.Watch) *truth {
	if len(pairs) == 0 {
		return nil
	}
	t := &truth{seen: make([]uint32, len(n.routers))}
	for _, p := range pairs {
		w := watched{Forwarding: Forwarding{Watch: p}, dst: [2]netip.Addr{p.To.Addr, p.From.Addr}}
		a, b := uint64(0), hashAddr(p.To.Addr)
		if !w.OneWay() {
			a = hashAddr(p.From.Addr)
		}
		w.flow = [2]uint64{a*31 + b, b*31 + a}
		t.pairs = append(t.pairs, w)
	}
	return t
}

func (t *truth) reset() {
	for i := range t.pairs {
		w := &t.pairs[i]
		w.Intervals = w.Intervals[:0]
	}
}

// lookAtPairs compares the forwarding of now with what it was.
func (n *Network) lookAtPairs() {
	t := n.truth
	if !n.settled {
		return
	}
	now := n.k.Now()
	for i := range t.pairs {
		w := &t.pairs[i]
		v := Interval{Start: now, Event: n.k.Current()}
		var last *Interval
		if k := len(w.Intervals); k > 0 {
			last = &w.Intervals[k-1]
		}
		for dir := range 2 {
			if dir == 1 && w.OneWay() {
				break
			}
			v.Ways[dir] = n.follow(w, dir)
			if last != nil && v.Ways[dir].same(&last.Ways[dir]) {
				v.Ways[dir] = last.Ways[dir]
			} else {
				v.Ways[dir].Links, v.Ways[dir].Steps = slices.Clone(v.Ways[dir].Links), slices.Clone(v.Ways[dir].Steps)
			}
		}
		v.State = w.stateOf(&v)
		w.add(v)
	}
}

// add appends an interval, unless nothing has changed. What was so for no time
// was not so.
func (w *watched) add(v Interval) {
	list := w.Intervals
	goesOn := func() bool {
		k := len(list)
		return k > 0 && list[k-1].Ways[0].same(&v.Ways[0]) && list[k-1].Ways[1].same(&v.Ways[1])
	}
	if goesOn() {
		return
	}
	if k := len(list); k > 0 && list[k-1].Start == v.Start {
		list = list[:k-1]
	}
	if !goesOn() {
		if k := len(list); k > 0 && list[k-1].End != v.Start {
			list[k-1].End, list[k-1].EndEvent = v.Start, v.Event
		}
		list = append(list, v)
	}
	w.Intervals = list
}

// close ends the last interval with the run.
func (w *watched) close(end sim.Time) {
	if k := len(w.Intervals); k > 0 && w.Intervals[k-1].Start >= end {
		w.Intervals = w.Intervals[:k-1]
	}
	if k := len(w.Intervals); k > 0 {
		w.Intervals[k-1].End, w.Intervals[k-1].EndEvent = end, 0
	}
}

func (w *watched) stateOf(v *Interval) State {
	a, b := v.Ways[0].Course, v.Ways[1].Course
	either := func(c Course) bool { return a == c || b == c }
	switch {
	case either(Loops):
		return Loop
	case either(Dies):
		return BlackHole
	case either(DiesStale), either(ArrivesStale):
		return Stale
	case !w.OneWay() && !mirrored(v.Ways[0].Links, v.Ways[1].Links):
		return Asymmetric
	}
	return OK
}

// mirrored tells whether two paths lead over the same links, one backwards.
func mirrored(a, b []int32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[len(b)-1-i] {
			return false
		}
	}
	return true
}

// follow walks a packet of a pair through the state of now. The links of the
// result are scratch memory.
func (n *Network) follow(w *watched, dir int) Way {
	t := n.truth
	t.links, t.steps = t.links[:0], t.steps[:0]
	t.walk++
	from, to := &w.From, &w.To
	if dir == 1 {
		from, to = to, from
	}
	stale := Way{Course: Arrives, Router: -1, Link: -1}
	end := func(c Course, why dropReason, router, link int, by sim.EventID) Way {
		return Way{Course: c, Links: t.links, Steps: t.steps, Router: router, Link: link, Why: why.String(), why: why, Because: by}
	}
	r, ttl, fromHost := from.Router, startTTL, true
	for ; r != to.Router; fromHost = false {
		if n.routers[r].real {
			return end(Dies, dropReal, r, -1, 0)
		}
		if !fromHost || n.routers[r].settings[topology.RouteTableKind].Enum == tableNone {
			// What hosts send meets a cloud's route table, which it does not meet again.
			if t.seen[r] == t.walk {
				return n.circle(r)
			}
			t.seen[r] = t.walk
		}
		h, step := n.egressBy(&n.routers[r], w.dst[dir], w.flow[dir], fromHost)
		if n.log != nil {
			t.steps = append(t.steps, step)
		}
		if d := h.drop; d.why != passed {
			return end(Dies, d.why, r, -1, d.by)
		}
		link := int(h.link)
		if n.takesTTL(r, fromHost, false) {
			if ttl--; ttl == 0 {
				return end(Dies, dropTTL, r, -1, 0)
			}
		}
		l := &n.links[link]
		e := l.endOf(r)
		t.links = append(t.links, h.link)
		if why, by := l.leaves(e); why != passed {
			return end(Dies, why, r, link, by)
		}
		if stale.Course == Arrives && n.givenUp(l, e, step.Prefix) {
			stale = Way{Course: ArrivesStale, Router: l.routerAt(1 - e), Link: link}
		}
		r = l.routerAt(1 - e)
		if why, by := l.enters(1 - e); why != passed {
			c := Dies
			if why == dropFarNoTunnel || why == dropFarNoSA || why == dropOtherSA {
				c = DiesStale
			}
			return end(c, why, r, link, by)
		}
	}
	if n.takesTTL(r, fromHost, true) && ttl == 1 {
		return end(Dies, dropTTL, r, -1, 0)
	}
	if dir == 0 && to.DropICMP {
		return end(Dies, dropSecurityGroup, r, -1, 0)
	}
	stale.Links, stale.Steps = t.links, t.steps
	if stale.Course == ArrivesStale {
		stale.Why = "the far end no longer announces the prefix"
	}
	return stale
}

// circle is the end of a walk that has come back to router r.
func (n *Network) circle(r int) Way {
	w := Way{Course: Loops, Links: n.truth.links, Steps: n.truth.steps, Router: r, Link: -1, Why: "it has been here before"}
	at := r
	for w.round = len(w.Links); w.round > 0; {
		w.round--
		l := &n.links[w.Links[w.round]]
		if at = l.routerAt(1 - l.endOf(at)); at == r {
			break
		}
	}
	return w
}

// egressBy is egressFor, and tells which entry of which table it is by.
func (n *Network) egressBy(r *router, dst netip.Addr, flow uint64, fromHost bool) (hop, Step) {
	h := n.egressFor(r, dst, flow, fromHost)
	step, t := Step{Router: int32(r.id), By: h.drop.by}, &r.fib
	if why := h.drop.why; why == dropNoRow || why == dropNotPropagated || fromHost && r.settings[topology.RouteTableKind].Enum == tableTunnel {
		step.Cloud, t = true, &r.table
	}
	if h.drop.why == passed {
		var e *entry
		step.Prefix, e, _ = t.LookupPrefixLPM(netip.PrefixFrom(dst, dst.BitLen()))
		step.By = e.by
	}
	return h, step
}

// TakenAway is the event that left a table without an entry for an address, as it
// was when event id was over; 0: it never had one.
func (n *Network) TakenAway(s Step, dst netip.Addr, id sim.EventID) sim.EventID {
	kind := trace.NoteFIB
	if s.Cloud {
		kind = trace.NoteTable
	}
	x := n.lastNote(id+1, func(x *trace.Note) bool {
		return x.Kind == kind && x.Router == s.Router && x.Links == nil && x.Prefix.Contains(dst)
	})
	if x == nil {
		return 0
	}
	return x.Event
}

// givenUp tells whether the route by which end e of a link sends packets to a
// prefix is one that the far end announced and does so no longer: it has withdrawn
// it, or its session is gone.
func (n *Network) givenUp(l *link, e int, p netip.Prefix) bool {
	i := l.sessions[1-e]
	if i < 0 {
		return false
	}
	far, near := &n.sessions[i], &n.routers[l.routerAt(e)]
	if n.routers[far.router].real || slices.ContainsFunc(near.cfg.Statics, func(s topology.Static) bool { return s.Prefix == p && s.Link == l.id }) {
		return false
	}
	return n.routers[far.router].speaker.Advertised(far.peer, p) == nil
}
