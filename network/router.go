package network

import (
	"net/netip"
	"slices"
	"time"

	"github.com/gaissmai/bart"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// A router is a speaker, the sessions it has over its links, and the tables
// that its packets go by. What the speaker decides reaches the tables through
// two queues, because programming takes time: the FIB of the router itself and,
// in a cloud, the route table in front of it.
type router struct {
	id       int
	cfg      *topology.Router
	speaker  *bgp.Speaker
	config   bgp.SpeakerConfig
	reuse    sim.Timer // of damped routes
	sessions []int32   // by PeerID
	ways     []int32   // links by PeerID: those of the sessions, then those that static routes point at
	settings *topology.Settings

	real     bool // its machine is not simulated (outside.go)
	alive    bool // the routing process runs
	frozen   bool // it hangs
	hangs    hang // … because of
	stalls   uint64
	late     int // updates that were due while it hung
	by       sim.EventID
	starting sim.Timer     // its process is being started
	boot     time.Duration // when its system began to count, long before (wheel.go)
	reborn   bool          // the process is not the first one, and its routes are not chosen yet
	choice   sim.Timer     // SelectionTimer
	decision sim.Timer     // when it decides about what it has heard (decision.go)
	loop     sim.Timer     // the next turn of its main loop, where something waits for that (loop.go)
	begun    []begun
	waiting  int
	missed   []int32        // sessions' timers that ran out while it hung: session<<8 | timer
	own      []netip.Prefix // what it announces of its own

	fib       bart.Table[*entry]
	table     bart.Table[*entry] // cloud route table; unused when its kind is none
	entered   uint64             // prefixes that have ever come into one of them
	propagate bool
	byTable   sim.EventID // the event that last switched propagation
	fibQueue  changeQueue
	tabQueue  changeQueue
	updates   updateQueue
	known     map[netip.Prefix]*entry // what the route table should hold

	flowSalt                       uint64
	egress                         []int32 // pinned order of links, best first
	rnd, fibRnd, tableRnd, procRnd sim.Stream
	decideRnd                      sim.Stream
	stallRnd                       sim.Stream // by number of the stall
	nameRnd, nameEgress, nameFlow  sim.Name
	nameStall                      sim.Name
}

// entry of a table: the links by which a prefix is reached.
type entry struct {
	links []int32
	by    sim.EventID
	order uint64 // of its prefix among those of all tables of the router, as they came in
}

// change of a table that is being programmed.
type change struct {
	prefix netip.Prefix
	links  []int32 // nil: remove
}

// changeQueue keeps the changes of one table in order.
type changeQueue struct {
	fifo[change]
	last sim.Time // when the youngest is due: changes don't overtake each other
}

type updateQueue struct {
	fifo[update]
	last sim.Time
}

type update struct {
	peer bgp.PeerID // bgp.Local: its session has ended meanwhile
	msg  *bgp.Message
	due  sim.Time
}

func (r *router) init(n *Network, i int) {
	r.id, r.cfg = i, &n.d.Routers[i]
	r.settings = &r.cfg.Settings
	r.known = map[netip.Prefix]*entry{}
	r.nameRnd = sim.StreamName("router/" + r.cfg.Name)
	r.nameEgress = sim.StreamName("egress/" + r.cfg.Name)
	r.nameFlow = sim.StreamName("flow/" + r.cfg.Name)
	r.nameStall = sim.StreamName("stall/" + r.cfg.Name)
	for _, l := range r.cfg.Egress {
		r.egress = append(r.egress, int32(l))
	}
}

func (r *router) reset(n *Network) {
	r.alive, r.frozen, r.by, r.byTable = true, false, 0, 0
	r.hangs, r.stalls, r.stallRnd = 0, 0, n.k.Rand(r.nameStall)
	r.reborn, r.choice = false, sim.Timer{}
	r.starting, r.decision = sim.Timer{}, sim.Timer{}
	r.drawBoot(n)
	r.missed, r.late, r.reuse = r.missed[:0], 0, sim.Timer{}
	r.loop, r.begun, r.waiting = sim.Timer{}, r.begun[:0], 0
	empty(&r.fib)
	empty(&r.table)
	clear(r.known)
	r.fibQueue.reset()
	r.tabQueue.reset()
	r.updates.reset()
	r.fibQueue.last, r.tabQueue.last, r.updates.last = n.k.Now(), n.k.Now(), n.k.Now()
	r.propagate = r.settings[topology.RouteTablePropagate].Bool
	r.rnd = n.k.Rand(r.nameRnd)
	r.fibRnd, r.tableRnd, r.procRnd = n.k.Rand(r.nameRnd+1), n.k.Rand(r.nameRnd+2), n.k.Rand(r.nameRnd+3)
	r.decideRnd = n.k.Rand(r.nameRnd + 6)
	flow := n.k.Rand(r.nameFlow)
	r.flowSalt = flow.Uint64()
}

// resetSpeaker makes the speaker anew, once the sessions know their numbers,
// and lets it originate the router's networks.
func (r *router) resetSpeaker(n *Network) {
	if r.speaker == nil {
		r.config = speakerConfig(n, r)
		r.speaker = bgp.NewSpeaker(r.config)
	}
	n.drawMRAI(r)
	n.drawDamping(r)
	for i, id := range r.sessions {
		s := &n.sessions[id]
		r.config.Peers[i].StalePath = draw(n.k, &n.d.Links[s.link].Ends[s.end].Settings, topology.BGPStalePathTime, s.names)
	}
	r.config.SelectionDeferral = draw(n.k, r.settings, topology.BGPSelectionDeferral, r.nameRnd)
	r.drawOrder(n)
	r.speaker.Reset(r.config)
	r.own = r.own[:0]
	for _, nw := range r.cfg.Networks {
		for i := range nw.Len() {
			r.own = append(r.own, nw.At(i))
		}
	}
	for _, p := range r.own {
		n.stepSpeaker(r, bgp.Local, bgp.Input{Kind: bgp.InOriginate, Prefix: p})
	}
}

// originate announces a prefix of the router's own, or withdraws it.
func (n *Network) originate(r *router, p netip.Prefix, on bool) {
	in := bgp.Input{Kind: bgp.InWithdraw, Prefix: p}
	r.own = slices.DeleteFunc(r.own, func(q netip.Prefix) bool { return q == p })
	if on {
		in.Kind = bgp.InOriginate
		r.own = append(r.own, p)
	}
	n.stepSpeaker(r, bgp.Local, in)
}

// drawOrder gives the order in which the router prefers its peers where
// nothing else decides: what the scenario pins comes first, then chance.
func (r *router) drawOrder(n *Network) {
	rnd := n.k.Rand(r.nameEgress)
	order := r.config.Order[:0]
	for i := range r.ways {
		order = append(order, bgp.PeerID(i))
	}
	for i := len(order) - 1; i > 0; i-- {
		j := int(rnd.Uint64() % uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
	at := 0
	for _, l := range r.egress {
		for i := at; i < len(order); i++ {
			if r.ways[order[i]] == l {
				order[at], order[i] = order[i], order[at]
				at++
			}
		}
	}
	r.config.Order = order
}

// stepSpeaker gives the router's speaker an input and does what it asks.
func (n *Network) stepSpeaker(r *router, peer bgp.PeerID, in bgp.Input) {
	if !r.alive {
		return
	}
	in.Stamp, in.Now = uint64(n.k.Current()), n.clock()
	acts := r.speaker.Step(n.routes[:0], peer, in)
	n.routes = acts
	for i := range acts {
		a := &acts[i]
		switch a.Kind {
		case bgp.ActSend:
			n.sendUpdate(&n.sessions[r.sessions[a.Peer]], a.Msg)
		case bgp.ActRouteTime:
			n.setRouteTime(r, a)
		case bgp.ActNoRouteTime:
			s := &n.sessions[r.sessions[a.Peer]]
			n.k.Stop(&s.mrai)
			n.firstIsOver(r, s)
		case bgp.ActRoute:
			n.routeChanged(r, a.Route, a.Stamp)
		case bgp.ActDecide:
			n.awaitDecision(r)
		case bgp.ActReuseTime:
			s := &n.sessions[r.sessions[a.Peer]]
			n.k.Reset(&r.reuse, a.After, sim.Event{To: actorOf(r.id), Kind: evReuse, Arg: uint64(s.id), Phase: sim.PhaseTimer})
		case bgp.ActStaleTime, bgp.ActNoStaleTime:
			n.armStale(r, a)
		case bgp.ActChosen:
			n.chosen(r)
		case bgp.ActMaxPrefixes:
			n.tooMany(&n.sessions[r.sessions[a.Peer]])
		}
	}
	if n.log != nil {
		n.noteWaiting(r)
		n.noteStale(r)
	}
}

// tooMany: the peer of a session has announced more prefixes than it may. The
// session ends when the event is over, since it may be at work itself just now.
func (n *Network) tooMany(s *session) {
	limit := &n.d.Links[s.link].Ends[s.end].Settings
	n.note(trace.Note{Kind: trace.NoteLimit, Router: int32(s.router), Link: int32(s.link), A: limit[topology.BGPMaxPrefixes].Int})
	if limit[topology.BGPMaxPrefixesAction].Enum != "warn" {
		n.over = append(n.over, int32(s.id))
	}
}

// noteWaiting notes whether advertisements wait for MRAI, where that has changed.
func (n *Network) noteWaiting(r *router) {
	for _, i := range r.sessions {
		s := &n.sessions[i]
		if waits := r.speaker.Waiting(s.peer) > 0; waits != s.waits {
			s.waits = waits
			n.note(trace.Note{Kind: trace.NoteAdvertise, Router: int32(r.id), Link: int32(s.link), Up: waits, A: int64(r.speaker.Interval(s.peer))})
		}
	}
}

// updateArrived queues an UPDATE for the router's attention; it is dealt with
// after the router's processing time, in order.
func (n *Network) updateArrived(r *router, s *session, msg *bgp.Message) {
	wait := r.settings[topology.BGPProcessing].Dist.Draw(r.procRnd.Uint64())
	due := max(n.k.Now().Add(wait), r.updates.last)
	if r.settings[topology.BGPProcessingSerial].Bool {
		due = max(n.k.Now(), r.updates.last).Add(wait)
	}
	kind := bgp.InUpdate
	if due == n.k.Now() && r.updates.len() == 0 {
		n.stepSpeaker(r, s.peer, bgp.Input{Kind: kind, Msg: msg})
		return
	}
	r.updates.last = due
	r.updates.push(update{s.peer, msg, due})
	n.launch(due, actorOf(r.id), evUpdate, 0)
}

func (n *Network) updateDue(r *router) {
	q := &r.updates
	if q.len() == 0 || q.all()[0].due > n.k.Now() {
		return // it was for a process that has been killed
	}
	if r.frozen {
		r.late++ // it stays in the queue until the process goes on
		return
	}
	u := q.pop()
	if r.alive && u.peer != bgp.Local {
		n.stepSpeaker(r, u.peer, bgp.Input{Kind: bgp.InUpdate, Msg: u.msg})
	}
}

// routeChanged takes the speaker's decision to the FIB. If that had to wait, news is the
// event that asked for it.
func (n *Network) routeChanged(r *router, route *bgp.Route, news uint64) {
	n.k.Mix(fact(route.Prefix, uint64(r.id)<<8|uint64(len(route.Used))))
	n.note(trace.Note{Kind: trace.NoteRoute, Router: int32(r.id), Link: -1, Because: sim.EventID(news), Prefix: route.Prefix, Route: route})
	n.routingChanged(route.Prefix, inRIB)
	var links []int32
	if len(route.Used) == 1 && route.Best.Peer != bgp.Local {
		links = n.links[r.ways[route.Best.Peer]].alone[:]
	}
	for _, p := range route.Used[min(len(links), len(route.Used)):] {
		if p.Peer == bgp.Local {
			// The router's own networks are hosts' business, not the FIB's; but a
			// way that was learned before must go.
			if _, had := r.fib.Get(route.Prefix); !had && r.fibQueue.len() == 0 {
				return
			}
			links = nil
			break
		}
		links = append(links, r.ways[p.Peer])
	}
	n.program(r, &r.fibQueue, evFIB, topology.FIBDelay, r.fibRnd.Uint64(), change{prefix: route.Prefix, links: sortedLinks(links)})
}

// program queues a change, to be made after the wait that the setting key
// stands for.
func (n *Network) program(r *router, q *changeQueue, kind sim.Kind, key topology.Key, rnd uint64, c change) {
	due := max(n.k.Now().Add(r.settings[key].Dist.Draw(rnd)), q.last)
	if due == n.k.Now() && q.len() == 0 {
		if kind == evFIB {
			n.setFIB(r, c)
		} else {
			n.setRow(r, c)
		}
		return
	}
	q.last = due
	q.push(c)
	arg := uint64(0)
	if key == topology.RouteTableLocalDelay {
		arg = localChange
	}
	n.launch(due, actorOf(r.id), kind, arg)
}

// fact hashes a prefix for the digest.
func fact(p netip.Prefix, salt uint64) uint64 {
	h := salt
	for _, b := range p.Addr().As16() {
		h = h*1099511628211 ^ uint64(b)
	}
	return h*1099511628211 ^ uint64(p.Bits())
}
