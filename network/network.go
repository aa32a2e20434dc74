package network

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/bfd"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
	"github.com/vpnsim/vpnsim/vpn"
)

// Options of a Network. None but Outside changes the result of a run that comes
// to its end.
type Options struct {
	Log         *trace.Log       // records the run; nil: nothing is recorded
	Wire        bool             // every message goes through real bytes and back
	NoSkip      bool             // quiet stretches are not fast-forwarded
	Convergence bool             // counts how routing reacts to each fault, and looks whether it repeats
	Watch       []topology.Watch // pairs whose forwarding is followed through the run
	MostUpdates int              // after one event, end the run; 0: so many that no network needs them
	ShuffleTies uint64           // reorders ties between actors; for tests
	OneMachine  bool             // all routers run on one machine, whose clocks they share: a lab
	Within      time.Duration    // links come up within so long, at the beginning of the warm-up; 0: within half of it
	Outside     *Outside         // a router that is real; nil: all are simulated
}

// Network is a design that can be run.
type Network struct {
	d        *topology.Design
	opt      Options
	k        *sim.Kernel
	log      *trace.Log
	routers  []router
	links    []link
	sessions []session
	probes   []probe
	faults   []fault
	conns    []*conn
	opened   int // connections so far
	unsent   []connSide
	ike      []ikeMessage
	flying   int    // events of what is on its way
	dozing   int    // things that wait for a main loop to wake
	dirty    bool   // forwarding state changed in this event
	version  uint64 // changes with forwarding state
	knocks   []knock
	over     []int32 // sessions whose peers have announced too many prefixes
	settled  bool    // warm-up is over
	begun    sim.Time
	outside  *outside // nil: no router is real
	end      sim.Time
	acts     []bgp.Action // of the session being stepped
	routes   []bgp.Action // of the speaker being stepped
	memory   bgp.Memory   // of all speakers
	tunnels  []vpn.Action
	bfds     []*bfdEnd
	bfdActs  []bfd.Action
	stories  []sim.Name // of the streams that the story's times are drawn from
	wire     wireCheck
	skip     skipper
	longest  time.Duration // a round trip takes no longer
	tally    *tally        // nil: reactions are not counted
	truth    *truth        // nil: no pair is watched
	look     bool          // something has changed in this event that the tally or the truth is to look at
	activity activity
	dropList []Drops

	silence, lastSilence *silenceWatch // nil: silences are not looked at; the memory of the last time
	splices              []Splice
	tilted               *tilt // nil: packets are lost as often as they should
}

// New builds a network. The design must have passed its validation.
func New(d *topology.Design, opt Options) *Network {
	n := &Network{d: d, opt: opt, k: sim.New(0), log: opt.Log}
	n.k.ShuffleTies(opt.ShuffleTies)
	world := n.k.Add(n)
	if world != actorWorld {
		panic("network: the world must be the first actor")
	}
	n.routers = make([]router, len(d.Routers))
	for i := range n.routers {
		n.routers[i].init(n, i)
		n.k.Add(n)
	}
	if opt.Outside != nil {
		n.outside = &outside{Outside: *opt.Outside, ends: make([]realEnd, len(opt.Outside.Links))}
		n.routers[opt.Outside.Router].real = true
	}
	n.links = make([]link, len(d.Links))
	sessions := 0
	for i := range n.links {
		n.links[i].init(n, i)
		if d.Links[i].Ends[0].BGP && d.Links[i].Ends[1].BGP {
			sessions += 2
		}
	}
	n.sessions = make([]session, 0, sessions)
	for i := range n.links {
		n.links[i].sessions = [2]int32{-1, -1}
		if d.Links[i].Ends[0].BGP && d.Links[i].Ends[1].BGP {
			for e := range 2 {
				n.links[i].sessions[e] = int32(len(n.sessions))
				n.sessions = append(n.sessions, session{})
				n.sessions[len(n.sessions)-1].init(n, len(n.sessions)-1, i, e)
			}
		}
	}
	for i := range n.links {
		n.initBFD(i)
	}
	n.probes = make([]probe, len(d.Probes))
	for i := range n.probes {
		n.probes[i].init(n, i)
	}
	n.faults = make([]fault, len(d.Story))
	for i := range d.Story {
		n.stories = append(n.stories, sim.StreamName(fmt.Sprintf("story/%d", i)))
		n.faults[i].text = n.FaultText(i)
	}
	n.longest = n.longestTrip()
	if opt.Convergence {
		n.tally = &tally{}
		n.tally.watch.init(n)
	}
	n.truth = newTruth(n, opt.Watch)
	n.activity.most = n.mostUpdates()
	if n.log != nil {
		n.log.Names = n.Names()
	}
	return n
}

// The first actor is the world: the story, the probes and the end of warm-up.
// Router i is actor i+1.
const actorWorld sim.ActorID = 0

func actorOf(router int) sim.ActorID { return sim.ActorID(router + 1) }

// Names of everything, for records.
func (n *Network) Names() trace.Names {
	names := trace.Names{Actors: []string{"story"}}
	for _, r := range n.d.Routers {
		names.Actors = append(names.Actors, r.Name)
		names.Routers = append(names.Routers, r.Name)
	}
	for _, h := range n.d.Hosts {
		names.Hosts = append(names.Hosts, h.Name)
	}
	for _, l := range n.d.Links {
		ln := trace.LinkName{Name: l.Name, Tunnel: l.Kind == topology.Tunnel}
		for e := range 2 {
			ln.Routers[e] = l.Ends[e].Router
			ln.Inside[e] = l.Ends[e].Inside.Addr()
			ln.Outside[e] = l.Ends[e].Outside
		}
		names.Links = append(names.Links, ln)
	}
	for _, p := range n.d.Probes {
		names.Probes = append(names.Probes, p.Name)
	}
	return names
}

// Run runs the design once with that seed. The result is valid until the next Run.
func (n *Network) Run(seed uint64) *Result {
	n.prepare(seed)
	if n.opt.NoSkip || n.log != nil || n.opt.Wire || n.opt.ShuffleTies != 0 {
		n.k.RunUntil(n.end)
	} else {
		n.runSkipping()
	}
	return n.result()
}

// RunTo runs only up to and at the instant t, so that tables can be looked at
// as they were then.
func (n *Network) RunTo(seed uint64, t sim.Time) {
	n.prepare(seed)
	n.k.RunUntil(min(t, n.end))
}

// prepare sets the clock to the start of the warm-up and everything to what it
// was before the first event.
func (n *Network) prepare(seed uint64) {
	start := sim.Time(-n.d.Warmup)
	n.k.Start(seed, start)
	n.end = sim.Time(n.d.For)
	n.settled, n.begun, n.dirty, n.flying, n.dozing = false, 0, false, 0, 0
	n.version++
	if n.outside != nil {
		n.outside.reset()
	}
	n.ike, n.knocks, n.over = n.ike[:0], n.knocks[:0], n.over[:0]
	n.wire.errs = nil
	n.resetConns()
	n.activity = activity{since: start, most: n.activity.most}
	n.look = false
	if n.tally != nil {
		n.tally.restart(start)
	}
	if n.truth != nil {
		n.truth.reset()
	}
	if n.log != nil {
		n.log.Reset()
		n.k.Observe((*observer)(n.log))
	}
	for i := range n.routers {
		n.routers[i].reset(n)
	}
	for i := range n.links {
		n.links[i].reset(n)
	}
	for i := range n.sessions {
		n.sessions[i].reset(n)
	}
	for _, b := range n.bfds {
		b.reset(n)
	}
	for i := range n.routers {
		n.routers[i].resetSpeaker(n)
	}
	n.drawStory()
	for i := range n.links {
		// Sessions of real networks came up at unrelated moments, so that their
		// keepalives have unrelated phases.
		up := n.k.Rand(n.links[i].nameUp)
		d := topology.Dist{Kind: topology.Uniform, B: cmp.Or(n.opt.Within, n.d.Warmup/2)}
		at := start.Add(d.Draw(up.Uint64()))
		if n.atReal(&n.links[i]) {
			at = 0 // the real router is not there before
		}
		n.k.At(at, sim.Event{To: actorWorld, Kind: evBringUp, Arg: uint64(i), Phase: sim.PhaseFault})
	}
	if n.outside == nil {
		n.k.At(0, sim.Event{To: actorWorld, Kind: evSettle, Phase: sim.PhaseFault})
	}
	for i := range n.probes {
		n.probes[i].reset(n)
	}
	for i := range n.routers {
		n.awaitStall(&n.routers[i], 0)
	}
}

// observer records events as they are handled.
type observer trace.Log

func (o *observer) Event(ev *sim.Event) {
	o.Events = append(o.Events, trace.Event{At: ev.At, Cause: ev.Cause, Arg: ev.Arg, To: ev.To, Kind: ev.Kind, Phase: ev.Phase})
}

// Handle is the one entrance of all events.
func (n *Network) Handle(k *sim.Kernel, ev *sim.Event) {
	if flies(ev.Kind) {
		n.flying--
	}
	switch ev.Kind {
	case evTick:
		n.tick(int(ev.Arg))
		if len(n.knocks) == 0 {
			return
		}
	case evEcho:
		n.echoArrives(echoArg(ev.Arg))
		if len(n.knocks) == 0 {
			return
		}
	case evSegment:
		n.segmentArrives(segArg(ev.Arg))
	case evTCPTimer:
		n.tcpTimer(int(ev.Arg>>2), int(ev.Arg&1))
	case evBGPTimer:
		n.sessionTimer(&n.sessions[ev.Arg>>8], bgp.TimerID(ev.Arg&0xff))
	case evRouteTime:
		n.routeTime(n.routeTimeOf(ev.Arg))
	case evReuse:
		n.reuseTime(&n.sessions[ev.Arg])
	case evNextHop:
		n.nextHopDue(&n.sessions[ev.Arg])
	case evDecide:
		n.decide(&n.routers[ev.To-1])
	case evUpdate:
		n.updateDue(&n.routers[ev.To-1])
	case evFIB:
		n.fibDue(&n.routers[ev.To-1])
	case evTable:
		n.tableDue(&n.routers[ev.To-1])
	case evIKESend:
		n.ikeLeaves(int(ev.Arg))
	case evIKE:
		n.ikeArrives(int(ev.Arg))
	case evOutside:
		n.happens(int(ev.Arg))
	case evBFD:
		n.bfdArrives(ev.Arg)
	case evBFDTimer:
		n.bfdTimer(n.bfds[ev.Arg>>8], bfd.TimerID(ev.Arg&0xff))
	case evStaleTimer:
		n.staleTimer(ev)
	case evSplice:
		n.splice(int(ev.Arg))
	case evStall:
		n.stall(&n.routers[ev.Arg])
	case evStallOver:
		n.stallOver(&n.routers[ev.Arg])
	case evStarted:
		n.start(&n.routers[ev.Arg])
	case evLoop:
		n.turned(&n.routers[ev.Arg])
	case evVPNTimer:
		n.vpnTimer(int(ev.Arg>>9), int(ev.Arg>>8&1), vpn.TimerID(ev.Arg&0xff))
	case evFault:
		n.strike(int(ev.Arg))
	case evBringUp:
		n.bringUp(int(ev.Arg))
	case evSettle:
		n.settle()
	}
	for len(n.knocks) > 0 {
		k := n.knocks[len(n.knocks)-1]
		n.knocks = n.knocks[:len(n.knocks)-1]
		n.stepTunnel(&n.links[k.link], int(k.end), vpn.Input{Kind: vpn.InTraffic})
	}
	for len(n.over) > 0 {
		s := &n.sessions[n.over[0]]
		n.over = append(n.over[:0], n.over[1:]...)
		n.receive(s, bgp.Input{Kind: bgp.InPrefixLimit})
	}
	if len(n.unsent) > 0 {
		n.send()
	}
	if n.dirty || n.look {
		n.endOfEvent()
	}
}

// endOfEvent looks at what an event has changed.
func (n *Network) endOfEvent() {
	if n.truth != nil {
		n.lookAtPairs()
	}
	if n.dirty {
		n.dirty = false
		n.watch()
	}
	if n.look = false; n.tally != nil && n.tally.watch.changed {
		n.lookForRepetition()
	}
}

// settle ends the warm-up: the watch begins, and gateways that keep an egress
// once they have chosen it have now chosen.
func (n *Network) settle() {
	for i := range n.routers {
		n.stepSpeaker(&n.routers[i], bgp.Local, bgp.Input{Kind: bgp.InSettle})
	}
	n.settled = true
	n.touch()
	n.warmedUp()
}

// note writes n to the log when there is one.
func (n *Network) note(x trace.Note) {
	if n.log == nil {
		return
	}
	x.At, x.Event = n.k.Now(), n.k.Current()
	n.log.Note(x)
}

// draw gives a value of the setting k of s for this run: settings that may be
// distributions but hold for a whole run, such as the hold time, are drawn
// once, from a stream of their own.
func draw(k *sim.Kernel, s *topology.Settings, key topology.Key, name sim.Name) time.Duration {
	d := &s[key].Dist
	if !d.IsRandom() {
		return d.A
	}
	st := k.Rand(name + keyNames[key])
	return d.Draw(st.Uint64())
}

// keyNames tells streams of settings apart by the path of the setting, not by
// its number, which moves when somebody adds a setting before it.
var keyNames = func() (names [topology.NumKeys]sim.Name) {
	for k := range names {
		names[k] = sim.StreamName(topology.Key(k).String())
	}
	return names
}()

// sortedLinks is the order of everything that is hashed over.
func sortedLinks(ls []int32) []int32 {
	slices.Sort(ls)
	return ls
}
