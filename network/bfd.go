package network

import (
	"fmt"
	"time"

	"github.com/vpnsim/vpnsim/bfd"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// BFD watches the path of a BGP session where both ends have enabled it. Its
// packets go over the link, or through the tunnel, like everything else: with
// its delay, its loss and its black holes. What it finds out it tells the session
// at its end.
//
// A packet's delay belongs to the instant at which it leaves, as that of other
// control packets does, and so does its loss by chance: BFD's many packets take
// no draw from others, so that switching BFD on changes what BFD does and nothing
// else. On a link whose losses come in bursts, BFD's packets see whether it is in
// one, and do not count for how long it lasts.

// bfdEnd is BFD at one end of a link. The two ends of a session are neighbours in
// Network.bfds: the other one of i is i^1.
type bfdEnd struct {
	id     int
	link   int
	end    int
	router int
	m      *bfd.Session
	config bfd.Config
	timers [bfd.NumTimers]sim.Timer
	rnd    sim.Stream // jitter
	discrs sim.Stream // discriminators, by number of the start
	starts uint64
	sent   sim.Time // when it last sent a packet
	said   []bfd.Packet
	inbox  []bfd.Packet        // what arrived while the process hung
	missed [bfd.NumTimers]bool // what ran out meanwhile

	controls controls // for fast-forwarding

	name    sim.Name
	setting sim.Name
	alone   bool // goes on when the routing process hangs
}

// socketBuffer is how many packets wait for a process that hangs: those that
// Linux' default receive buffer of 212,992 octets holds, at 768 for a small one.
const socketBuffer = 277

// initBFD makes both ends of the session over link i, if there is one.
func (n *Network) initBFD(i int) {
	l := &n.links[i]
	l.bfd = [2]int32{-1, -1}
	for e := range 2 {
		if s := &l.cfg.Ends[e]; !s.BGP || !s.Settings[topology.BFDEnabled].Bool {
			return
		}
	}
	for e := range 2 {
		r := &n.d.Routers[l.routerAt(e)]
		set := &l.cfg.Ends[e].Settings
		b := &bfdEnd{id: len(n.bfds), link: i, end: e, router: l.routerAt(e), alone: set[topology.BFDIndependent].Bool}
		b.name, b.setting = sim.StreamName("bfd/"+l.cfg.Name+"/"+r.Name), sim.StreamName("settings/"+l.cfg.Name+"/"+r.Name)
		b.config = bfd.Config{Passive: set[topology.BFDPassive].Bool, Independent: b.alone, Jitter: uint32(set[topology.BFDJitter].Int), Rand: b.rnd.Uint64}
		b.m = bfd.New(b.config)
		l.bfd[e] = int32(b.id)
		n.bfds = append(n.bfds, b)
	}
}

func (b *bfdEnd) reset(n *Network) {
	set := &n.d.Links[b.link].Ends[b.end].Settings
	// The packet has whole microseconds.
	b.config.MinTx = draw(n.k, set, topology.BFDMinTx, b.setting).Truncate(time.Microsecond)
	b.config.MinRx = draw(n.k, set, topology.BFDMinRx, b.setting).Truncate(time.Microsecond)
	b.config.Mult = uint8(set[topology.BFDMultiplier].Int)
	b.rnd, b.discrs = n.k.Rand(b.name), n.k.Rand(b.name+1)
	b.starts, b.sent, b.said, b.inbox = 0, n.k.Now(), b.said[:0], b.inbox[:0]
	b.missed = [bfd.NumTimers]bool{}
	clear(b.timers[:])
	b.fresh()
}

// fresh makes the machine a new session, with another discriminator than before.
func (b *bfdEnd) fresh() {
	b.config.Discr = max(1, uint32(b.discrs.At(b.starts)))
	b.starts++
	b.m.Reset(b.config)
}

func (b *bfdEnd) actor() sim.ActorID { return actorOf(b.router) }

// bfdAt is BFD at end e of l; nil where it does not run.
func (n *Network) bfdAt(l *link, e int) *bfdEnd {
	if l.bfd[e] < 0 {
		return nil
	}
	return n.bfds[l.bfd[e]]
}

// startBFD begins to watch the path, if the session over it is wanted.
func (n *Network) startBFD(l *link, e int) {
	if b := n.bfdAt(l, e); b != nil && l.ends[e].here && n.routers[b.router].alive && !n.sessions[l.sessions[e]].shut {
		n.receiveBFD(b, bfd.Input{Kind: bfd.InEnable})
	}
}

// shutBFD is the operator's doing: the other end is told that the path may well
// work (AdminDown).
func (n *Network) shutBFD(l *link, e int) {
	if b := n.bfdAt(l, e); b != nil {
		n.receiveBFD(b, bfd.Input{Kind: bfd.InDisable, Diag: bfd.DiagAdminDown})
	}
}

// loseBFD is the end of a session that can say nothing more: its process has
// died, or its tunnel is gone.
func (n *Network) loseBFD(b *bfdEnd, why string) {
	for t := range b.timers {
		n.k.Stop(&b.timers[t])
	}
	b.inbox, b.missed = b.inbox[:0], [bfd.NumTimers]bool{}
	if from := b.m.State(); from != bfd.AdminDown {
		n.noteBFD(b, from, bfd.AdminDown, bfd.DiagNone, why)
	}
	b.fresh()
}

// noteBFD puts a change of state into the digest and the record.
func (n *Network) noteBFD(b *bfdEnd, from, to bfd.State, diag bfd.Diag, why string) {
	n.k.Mix(1<<40 | uint64(b.id)<<16 | uint64(from)<<8 | uint64(to))
	n.note(trace.Note{Kind: trace.NoteBFD, Router: int32(b.router), Link: int32(b.link), From: uint8(from), To: uint8(to), A: int64(diag), Text: why})
}

// hangs tells whether BFD at b hangs with its routing process.
func (n *Network) hangs(b *bfdEnd) bool { return n.routers[b.router].frozen && !b.alone }

// receiveBFD hands the machine an input. A process that hangs finds packets when
// it goes on; what the operator told it meanwhile, too.
func (n *Network) receiveBFD(b *bfdEnd, in bfd.Input) {
	switch r := &n.routers[b.router]; {
	case !r.alive:
	case n.hangs(b) && in.Kind == bfd.InPacket:
		if len(b.inbox) < socketBuffer {
			b.inbox = append(b.inbox, in.Packet)
		}
	default:
		n.stepBFD(b, in)
	}
}

func (n *Network) bfdTimer(b *bfdEnd, t bfd.TimerID) {
	b.timers[t] = sim.Timer{}
	if n.hangs(b) {
		b.missed[t] = true
		return
	}
	n.stepBFD(b, bfd.Input{Kind: bfd.InTimer, Timer: t})
}

// thawBFD: packets are read first, then timers that ran out are noticed.
func (n *Network) thawBFD(b *bfdEnd) {
	for _, p := range b.inbox {
		n.stepBFD(b, bfd.Input{Kind: bfd.InPacket, Packet: p, Since: n.k.Now().Sub(b.sent)})
	}
	missed := b.missed
	b.inbox, b.missed = b.inbox[:0], [bfd.NumTimers]bool{}
	for t, yes := range missed {
		if _, again := n.k.When(b.timers[t]); yes && !again {
			n.stepBFD(b, bfd.Input{Kind: bfd.InTimer, Timer: bfd.TimerID(t)})
		}
	}
}

// bfdArg packs a packet on its way: the end that it goes to, and which of the
// packets it is that the other end has said.
func bfdArg(to, packet int) uint64 { return uint64(to)<<32 | uint64(packet) }

// stepBFD gives the machine an input and does what it asks, in order.
func (n *Network) stepBFD(b *bfdEnd, in bfd.Input) {
	acts := b.m.Step(n.bfdActs[:0], in)
	n.bfdActs = acts
	for i := range acts {
		switch a := &acts[i]; a.Kind {
		case bfd.ActSend:
			n.sendBFD(b, a.Packet)
		case bfd.ActArm:
			if n.silence != nil && a.Timer == bfd.DetectTimer && b.m.State() == bfd.Up {
				n.silence.began(n.silence.detects, b.id, n.k.Now(), a.After)
			}
			n.k.Reset(&b.timers[a.Timer], a.After, b.event(a.Timer))
		case bfd.ActDisarm:
			n.k.Stop(&b.timers[a.Timer])
			if n.silence != nil && a.Timer == bfd.DetectTimer {
				n.silence.began(n.silence.detects, b.id, n.k.Now(), 0)
			}
			b.missed[a.Timer] = false
		case bfd.ActState:
			n.noteBFD(b, a.From, a.To, a.Packet.Diag, "")
			n.tellSession(&n.links[b.link], b.end, bgp.Input{Kind: b.verdict(a.From, a.To)})
		}
	}
}

func (b *bfdEnd) event(t bfd.TimerID) sim.Event {
	return sim.Event{To: b.actor(), Kind: evBFDTimer, Arg: uint64(b.id)<<8 | uint64(t), Phase: sim.PhaseTimer}
}

// verdict is what a change of state means to the BGP session. RFC 5882 §3.2: "a
// system SHOULD NOT indicate a connectivity failure to a client if either the
// local session state or the remote session state (if known) transitions to
// AdminDown, so long as that client has independent means of liveness detection".
// And a session that has never been Up has not failed.
func (b *bfdEnd) verdict(from, to bfd.State) bgp.InputKind {
	switch {
	case to == bfd.Up:
		return bgp.InBFDUp
	case to == bfd.AdminDown, to == bfd.Down && from != bfd.AdminDown && b.m.Remote() == bfd.AdminDown:
		return bgp.InBFDAdminDown
	case from == bfd.Up:
		return bgp.InBFDDown
	}
	return bgp.InBFDStarting
}

// sendBFD puts a packet on the link.
func (n *Network) sendBFD(b *bfdEnd, p bfd.Packet) {
	now := n.k.Now()
	b.sent = now
	if n.opt.Wire {
		p = n.wire.control(n, b, p)
	}
	l := &n.links[b.link]
	why, _ := l.leaves(b.end)
	n.knock(l, b.end, why)
	if why == passed && n.chanceBFD(l, b.end, now) {
		why = dropLoss
	}
	at := now.Add(l.controlDelay(b.end, now))
	if n.log != nil && n.log.Capture {
		ends := &l.cfg.Ends
		control := p
		n.log.Packets = append(n.log.Packets, trace.Packet{At: now, Arrive: at, Event: n.k.Current(), Link: int32(b.link), From: int8(b.end), Lost: why != passed,
			Proto: trace.ProtoUDP, TTL: 255, Src: ends[b.end].Inside.Addr(), Dst: ends[1-b.end].Inside.Addr(), SrcPort: bfdPort(b), DstPort: 3784, BFD: &control})
	}
	if why == passed {
		n.launchPacket(at, packets(b.actor()), actorOf(l.routerAt(1-b.end)), evBFD, bfdArg(b.id^1, b.number(p)))
	}
}

// bfdPort is the source port: "MUST be in the range 49152 through 65535". RFC 5881 §4
func bfdPort(b *bfdEnd) uint16 { return 49152 + uint16(b.id)&0x3fff }

// number is the place of p among what b has said. It says the same again and
// again, so that what is kept is short.
func (b *bfdEnd) number(p bfd.Packet) int {
	last := len(b.said) - 1
	if last < 0 || b.said[last] != p {
		b.said = append(b.said, p)
		last++
	}
	return last
}

func (n *Network) bfdArrives(arg uint64) {
	b := n.bfds[arg>>32]
	l := &n.links[b.link]
	if why, _ := l.enters(b.end); why != passed {
		return
	}
	l.hear(b.end, n.k.Now())
	n.receiveBFD(b, bfd.Input{Kind: bfd.InPacket, Packet: n.bfds[b.id^1].said[uint32(arg)], Since: n.k.Now().Sub(b.sent)})
}

// chanceAt draws whether a packet that leaves end e at an instant is lost by
// chance; the draw is that instant's, and changes nothing.
func (l *link) chanceAt(e int, at sim.Time) bool {
	w := &l.way[e]
	p := w.loss.P
	if w.bad {
		p = w.loss.Bad
	}
	return p > 0 && fraction(w.momentary.At(uint64(at))) < p
}

// bfdWait names a timer of BFD at b, which ran for so long.
func (n *Network) bfdWait(b *bfdEnd, t bfd.TimerID, ran time.Duration) Wait {
	over, o := n.d.Links[b.link].Name, n.bfds[b.id^1]
	if t == bfd.TxTimer {
		of := max(b.config.MinTx, o.config.MinRx)
		if ran > of {
			w := Wait{Node: n.d.Routers[b.router].Name, What: "BFD: the next packet over " + over + "; until it is up there is one a second", Value: "1s",
				Origin: topology.Origin{Status: topology.Standard, Source: "RFC 5880 §6.8.3"}}
			return n.spreadBFD(w, b, time.Second, ran)
		}
		if o.config.MinRx > b.config.MinTx {
			w := n.endWait(b.link, o.end, topology.BFDMinRx, "BFD: the next packet over "+over)
			w.Node = n.d.Routers[b.router].Name
			return n.spreadBFD(w, b, of, ran)
		}
		return n.spreadBFD(n.endWait(b.link, b.end, topology.BFDMinTx, "BFD: the next packet over "+over), b, of, ran)
	}
	// The other end says by what to multiply, and the slower of the two what.
	every := n.endWait(b.link, b.end, topology.BFDMinRx, "")
	if o.config.MinTx > b.config.MinRx {
		every = n.endWait(b.link, o.end, topology.BFDMinTx, "")
	}
	w := n.endWait(b.link, o.end, topology.BFDMultiplier, "")
	w.Node = n.d.Routers[b.router].Name
	interval := ran / time.Duration(o.config.Mult)
	w.What = fmt.Sprintf("BFD detection time over %s: %d x %s", over, o.config.Mult, topology.FormatDuration(interval))
	if interval == max(b.config.MinRx, o.config.MinTx) {
		w.What += " (" + every.Parameter + ")"
	}
	return w
}

// bfdWillNotice tells whether BFD at end e of l is Up although nothing comes in.
func (n *Network) bfdWillNotice(l *link, e int) bool {
	b := n.bfdAt(l, e)
	if b == nil || b.m.State() != bfd.Up || n.hangs(b) {
		return false
	}
	o := n.bfds[b.id^1]
	return !n.routers[o.router].alive || n.hangs(o) || !n.passes(l, 1-e)
}

// BFDState is what BFD at one end of a link has come to.
type BFDState struct {
	State    bfd.State
	Diag     bfd.Diag
	Remote   bfd.State
	TxEvery  time.Duration // the agreed interval between its packets, before jitter
	Mult     uint8         // the Detection Time: so many …
	RxEvery  time.Duration // … of the agreed intervals between the other end's packets
	Config   bfd.Timing
	Passive  bool
	Strict   bool // BGP waits for it, at this end and at the other
	AwaitsUp bool // … and does so now
}

// Detection is the Detection Time.
func (s *BFDState) Detection() time.Duration { return time.Duration(s.Mult) * s.RxEvery }

// BFD tells about BFD at an end of a link; ok is false where it does not run.
func (n *Network) BFD(link, end int) (s BFDState, ok bool) {
	l := &n.links[link]
	b := n.bfdAt(l, end)
	if b == nil {
		return s, false
	}
	s = BFDState{State: b.m.State(), Diag: b.m.Diag(), Remote: b.m.Remote(), TxEvery: b.m.TxInterval(), Config: b.config.Timing, Passive: b.config.Passive}
	s.Mult, s.RxEvery = b.m.Detection()
	ends := &l.cfg.Ends
	s.Strict = ends[0].Settings[topology.BFDStrict].Bool && ends[1].Settings[topology.BFDStrict].Bool
	s.AwaitsUp = n.sessions[l.sessions[end]].m.AwaitsBFD()
	return s, true
}
