package asgraph

import (
	"net/netip"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
)

// Change is what happens to an Internet.
type Change uint8

const (
	Announce Change = iota // Node announces Prefix
	Withdraw
	LinkDown // Edge: both ends see it
	LinkUp
)

// Event of a story.
type Event struct {
	At     time.Duration // from the start
	Change Change
	Node   int
	Edge   int // of the graph
	Prefix netip.Prefix
}

// Kinds of events.
const (
	evStory   sim.Kind = iota // Arg: its place in the story
	evArrive                  // Arg: the parcel
	evQueued                  // Arg: the parcel, which has waited for those before it
	evProcess                 // Arg: the parcel
	evTimer                   // Arg: the end whose advertisement timer runs out
	evDecide                  // a node chooses its routes
)

// actorOf is the actor that a node is: the story is the first one.
func actorOf(node int32) sim.ActorID { return sim.ActorID(node + 1) }

func nodeOf(a sim.ActorID) int32 { return int32(a) - 1 }

// Run starts with sessions and no routes, lets the story happen, and ends after
// so much time. Events of the story that share an instant are one, as far as
// the result is concerned.
func (n *Internet) Run(seed uint64, story []Event, length time.Duration) *Result {
	n.reset(seed)
	for i := range story {
		n.k.At(sim.Time(story[i].At), sim.Event{Kind: evStory, Arg: uint64(i), Phase: sim.PhaseFault})
	}
	n.story, n.until = story, sim.Time(length)
	for n.k.Step(n.until) {
		if len(n.coming) > 0 {
			if next, any := n.k.Next(); !any || next > n.k.Now() {
				n.foretell()
			}
		}
	}
	n.k.RunUntil(n.until)
	n.closeReaction(length)
	return &Result{Seed: seed, Events: uint64(n.k.Handled()), Digest: n.k.Digest(), Reactions: n.tally.list}
}

// reset makes everything as it was before the first event.
func (n *Internet) reset(seed uint64) {
	n.k.Start(seed, 0)
	clear(n.parcels)
	n.parcels, n.free, n.coming, n.tally = n.parcels[:0], n.free[:0], n.coming[:0], tally{event: -1, where: map[netip.Prefix]int{}}
	clear(n.gates)
	clear(n.down)
	clear(n.nodes)
	n.memory.StartOver()
	together := n.cfg.DecisionDelay.Max() > 0
	draw, random := n.draw, n.random // one of each for all
	for i := range n.g.ASNs {
		from, to := n.first[i], n.first[i+1]
		for e := from; e < to; e++ { // all of them at once, since they are anywhere (ahead.go)
			x := &n.ends[e]
			x.sent, x.last = 0, 0
			open, peer := &n.opens[x.back.node], n.peers[e]
			n.ahead.looked += uint64(open.Version) + uint64(len(open.Families)) + uint64(peer.AS) + uint64(peer.Local.BitLen())
		}
		n.speakers[i].Reset(bgp.SpeakerConfig{AS: n.g.ASNs[i], ID: n.opens[i].ID, Local: n.opens[i].ID, Rules: n.rules, LateTimers: true, BriefRoutes: true, Together: together,
			Peers: n.peers[from:to:to], Rand: random, Draw: draw, Phase: n.phase(i), Memory: &n.memory})
		for e := from; e < to; e++ {
			n.connect(e)
		}
	}
}

// connect begins the session of an end, as far as that end is concerned.
func (n *Internet) connect(e int32) {
	n.step(n.ends[e].owner, n.peerID(e), bgp.Input{Kind: bgp.InPeerUp, Open: &n.opens[n.ends[e].back.node]})
}

func (n *Internet) disconnect(e int32) {
	if n.gates != nil {
		n.gates[e].place = sim.Place{} // the next session's timer has nothing to do with this one's
	}
	n.step(n.ends[e].owner, n.peerID(e), bgp.Input{Kind: bgp.InPeerDown})
}

// peerID is what the node of an end calls the session.
func (n *Internet) peerID(e int32) bgp.PeerID { return bgp.PeerID(e - n.first[n.ends[e].owner]) }

// random gives the next number of the node that is being stepped. Whatever
// other nodes draw changes nothing about it.
func (n *Internet) random() uint64 {
	x := &n.nodes[n.stepping]
	x.drawn++
	return n.k.Rand(n.names.timers + sim.Name(n.stepping)).At(uint64(x.drawn))
}

// draw gives number k of those that move the ticks of a session.
func (n *Internet) draw(peer bgp.PeerID, k uint64) uint64 {
	end := n.first[n.stepping] + int32(peer)
	return n.k.Rand(n.names.ticks + sim.Name(end)).At(k)
}

// phase is what the clock of a router shows when the run begins, for what is counted in
// its units: MRAI, and the ages of paths.
func (n *Internet) phase(node int) time.Duration {
	if n.cfg.MRAI.Granularity == 0 && !slices.Contains(n.rules, bgp.RuleOldest) {
		return 0
	}
	return time.Duration(n.k.Rand(n.names.clock+sim.Name(node)).At(0) % uint64(time.Hour))
}

// Handle is the one entrance of all events.
func (n *Internet) Handle(k *sim.Kernel, ev *sim.Event) {
	switch ev.Kind {
	case evArrive:
		n.arrive(nodeOf(ev.To), int32(ev.Arg))
	case evProcess:
		n.process(int32(ev.Arg))
	case evQueued:
		if !n.foretells {
			n.nodes[nodeOf(ev.To)].queue--
		}
		n.process(int32(ev.Arg))
	case evTimer:
		e := int32(ev.Arg)
		n.gates[e].timer = sim.Timer{}
		n.step(n.ends[e].owner, n.peerID(e), bgp.Input{Kind: bgp.InRouteTime})
	case evDecide:
		n.step(nodeOf(ev.To), bgp.Local, bgp.Input{Kind: bgp.InDecide})
	case evStory:
		n.happen(&n.story[ev.Arg], int(ev.Arg))
	}
}

// step gives a speaker an input and does what it asks.
func (n *Internet) step(i int32, peer bgp.PeerID, in bgp.Input) {
	n.stepping = i
	in.Now = time.Duration(n.k.Now())
	acts := n.speakers[i].Step(n.routes[:0], peer, in)
	n.routes = acts
	for j := range acts {
		e := n.first[i] + int32(acts[j].Peer)
		switch a := &acts[j]; a.Kind {
		case bgp.ActSend:
			n.send(e, a.Msg)
		case bgp.ActRoute:
			n.routeChanged(a.Route)
		case bgp.ActRouteTime:
			n.setGate(e, a)
		case bgp.ActDecide:
			n.awaitDecision(i)
		case bgp.ActNoRouteTime:
			n.k.Stop(&n.gates[e].timer)
		}
	}
}

// awaitDecision has a router choose its routes, after a while.
func (n *Internet) awaitDecision(i int32) {
	x := &n.nodes[i]
	after := n.cfg.DecisionDelay.Draw(n.k.Rand(n.names.decisions + sim.Name(i)).At(uint64(x.waits)))
	x.waits++
	n.k.At(n.k.Now().Add(after), sim.Event{To: actorOf(i), Kind: evDecide, Phase: sim.PhaseTimer})
}

// setGate does what a speaker asks for with ActRouteTime.
func (n *Internet) setGate(e int32, a *bgp.Action) {
	if n.gates == nil {
		n.gates = make([]gate, len(n.ends))
	}
	g := &n.gates[e]
	if a.Idle {
		g.place = n.k.Place(sim.PhaseTimer, sim.Own, actorOf(n.ends[e].owner))
		return
	}
	if g.place == (sim.Place{}) { // it has not been idle
		g.place = n.k.Place(sim.PhaseTimer, sim.Own, actorOf(n.ends[e].owner))
	}
	n.k.ResetAtPlace(&g.timer, n.k.Now().Add(a.After), g.place, sim.Event{To: actorOf(n.ends[e].owner), Kind: evTimer, Arg: uint64(e), Phase: sim.PhaseTimer})
	g.place = sim.Place{}
}

// send puts an UPDATE on its way.
func (n *Internet) send(from int32, msg *bgp.Message) {
	if msg.Update.EndOfRIB() {
		return // nobody here waits for it
	}
	n.updateSent(msg.Update)
	x := &n.ends[from]
	at, p := n.k.Now(), parcel{msg: msg, to: x.back}
	if d := &n.cfg.Delay; d.IsRandom() {
		at = max(at.Add(d.Draw(n.k.Rand(n.names.delay+sim.Name(from)).At(uint64(x.sent)))), x.last)
		x.last = at
		x.sent++
	} else {
		at = at.Add(d.A)
	}
	slot := int32(len(n.parcels))
	if last := len(n.free) - 1; last >= 0 {
		slot, n.free = n.free[last], n.free[:last]
		n.parcels[slot] = p
	} else {
		if slot == int32(cap(n.parcels)) { // append would grow it by a quarter only, and copy it many times
			n.parcels = slices.Grow(n.parcels, max(64, len(n.parcels)))
		}
		n.parcels = append(n.parcels, p)
	}
	lane := sim.TakesTurns + sim.Lane(actorOf(x.owner))
	kind := evArrive
	if d := &n.cfg.Processing; !d.IsRandom() && !n.cfg.Serial { // it need not be looked at before
		at, kind = at.Add(d.A), evProcess
	} else if n.foretells {
		n.coming = append(n.coming, coming{slot: slot, node: p.to.node, lane: lane})
		return
	}
	n.k.AtPlace(at, n.k.Place(sim.PhaseDeliver, lane, actorOf(p.to.node)), sim.Event{Kind: kind, Arg: uint64(slot)})
}

// arrive is when an UPDATE has come to a router, which will process it.
func (n *Internet) arrive(i, slot int32) {
	x, now := &n.nodes[i], n.k.Now()
	due := now
	if !n.foretells { // else it is one that does not wait (foretell.go)
		due = n.queue(i, now)
	}
	if due == now && x.queue == 0 && !n.queued(i) {
		n.process(slot)
		return
	}
	n.await(i, slot, due)
}

// queue is when a router will have processed the next of its UPDATEs, which
// arrives at an instant.
func (n *Internet) queue(i int32, at sim.Time) sim.Time {
	x := &n.nodes[i]
	wait := n.cfg.Processing.Draw(n.k.Rand(n.names.processing + sim.Name(i)).At(uint64(x.got)))
	x.got++
	if n.cfg.Serial {
		x.due = max(at, x.due).Add(wait)
	} else {
		x.due = max(at.Add(wait), x.due)
	}
	return x.due
}

func (n *Internet) await(i, slot int32, due sim.Time) {
	if !n.foretells {
		n.nodes[i].queue++
	}
	n.k.At(due, sim.Event{To: actorOf(i), Kind: evQueued, Arg: uint64(slot), Phase: sim.PhaseDeliver})
}

func (n *Internet) process(slot int32) {
	p := n.parcels[slot]
	n.parcels[slot].msg = nil
	n.free = append(n.free, slot)
	if p.msg != nil {
		n.step(p.to.node, p.to.peer, bgp.Input{Kind: bgp.InUpdate, Msg: p.msg})
	}
}

// lose loses what is under way to an end.
func (n *Internet) lose(e int32) {
	for i := range n.parcels {
		if p := &n.parcels[i]; n.endAt(p.to) == e {
			p.msg = nil
		}
	}
}

// happen makes an event of the story happen.
func (n *Internet) happen(ev *Event, i int) {
	n.openReaction(i)
	switch ev.Change {
	case Announce:
		n.step(int32(ev.Node), bgp.Local, bgp.Input{Kind: bgp.InOriginate, Prefix: ev.Prefix})
	case Withdraw:
		n.step(int32(ev.Node), bgp.Local, bgp.Input{Kind: bgp.InWithdraw, Prefix: ev.Prefix})
	case LinkDown, LinkUp:
		if n.down == nil {
			n.down = make([]bool, len(n.ends))
		}
		for _, e := range n.endsOf(ev.Edge) {
			switch {
			case ev.Change == LinkDown && !n.down[e]:
				n.down[e] = true
				n.lose(e)
				n.disconnect(e)
			case ev.Change == LinkUp && n.down[e]:
				n.down[e] = false
				n.connect(e)
			}
		}
	}
}

// endsOf finds the two ends of an edge, A's first.
func (n *Internet) endsOf(edge int) [2]int32 {
	e := n.g.Edges[edge]
	for i := n.first[e.A]; i < n.first[e.A+1]; i++ {
		if back := n.ends[i].back; back.node == e.B {
			return [2]int32{i, n.endAt(back)}
		}
	}
	panic("asgraph: an edge without ends")
}
