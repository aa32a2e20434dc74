package network

import (
	"net/netip"
	"time"

	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// A probe is a ping: it sends an echo request each interval, and each request
// and reply is forwarded hop by hop by the tables of that instant.

type probe struct {
	id     int
	cfg    *topology.Probe
	src    *topology.Host
	dst    *topology.Host
	sent   int // requests so far
	start  sim.Time
	end    sim.Time
	rtt    []time.Duration // by sequence number - 1; 0: lost or under way
	ttl    []uint8
	fate   []fate        // only when recorded
	names  [2][]sim.Name // of the streams of delays, per direction, per link
	timer  sim.Timer
	flow   [2]uint64
	onward [2][]onward // by router and whether it comes from a host there
	paths  []transition
	state  [2]pathState
	trip   trip
	addr   [2]netip.Addr // of src and dst, of one family
}

// onward is what a router does with the echoes of a probe, one way, as long as
// forwarding stands still.
type onward struct {
	version uint64 // of the forwarding state that it was worked out from
	hop     hop    // link -1 without a drop: to a host behind the router
	ttl     uint8  // what it takes from the TTL
	open    bool   // the link takes what is sent, and nothing is lost by chance
	end     int8   // of the link that the router is at
	to      sim.ActorID
	arg     echoArg // without TTL and sequence number
	delay   *topology.Dist
	delays  sim.Stream
}

// fate of an echo that died.
type fate struct {
	drop
	dir uint8
}

// echoArg packs an echo on its way: probe (14 bits), direction (1: reply), TTL
// (8), link (14), end that it goes to (1), sequence number (24). That is room for
// whatever a scenario may have: ten thousand of a kind, five million echoes.
type echoArg uint64

func packEcho(probe, dir int, ttl uint8, link, to int, seq int) echoArg {
	return echoArg(uint64(probe)<<48 | uint64(dir)<<47 | uint64(ttl)<<39 | uint64(link)<<25 | uint64(to)<<24 | uint64(seq))
}

// with fills in what differs from echo to echo.
func (a echoArg) with(ttl uint8, seq int) echoArg { return a | echoArg(ttl)<<39 | echoArg(seq) }

func (a echoArg) probe() int { return int(a >> 48) }
func (a echoArg) dir() int   { return int(a >> 47 & 1) }
func (a echoArg) ttl() uint8 { return uint8(a >> 39) }
func (a echoArg) link() int  { return int(a >> 25 & 0x3fff) }
func (a echoArg) to() int    { return int(a >> 24 & 1) }
func (a echoArg) seq() int   { return int(a & 0xffffff) }

const startTTL = 64 // Linux's

func (p *probe) init(n *Network, i int) {
	p.id, p.cfg = i, &n.d.Probes[i]
	p.src, p.dst = &n.d.Hosts[p.cfg.From], &n.d.Hosts[p.cfg.To]
	for dir := range 2 {
		p.onward[dir] = make([]onward, 2*len(n.routers))
		for l := range n.links {
			p.names[dir] = append(p.names[dir], sim.StreamName("echo/"+p.cfg.Name+"/"+n.d.Links[l].Name)+sim.Name(dir))
		}
	}
	src, dst := n.d.Ends(p.cfg)
	p.addr = [2]netip.Addr{src, dst}
	a, b := hashAddr(src), hashAddr(dst)
	p.flow = [2]uint64{a*31 + b, b*31 + a}
}

// hashAddr is a host's part in the hash of a flow.
func hashAddr(a netip.Addr) uint64 {
	x := uint64(0)
	for _, b := range a.As16() {
		x = x*1099511628211 ^ uint64(b)
	}
	return x
}

func (p *probe) reset(n *Network) {
	p.sent = 0
	p.rtt, p.ttl, p.fate, p.paths = p.rtt[:0], p.ttl[:0], p.fate[:0], p.paths[:0]
	p.state = [2]pathState{}
	p.start, p.end = sim.Time(p.cfg.Start), n.end
	if p.cfg.For > 0 {
		p.end = min(n.end, p.start.Add(p.cfg.For))
	}
	p.timer = sim.Timer{}
	if n.outside == nil { // what a real router does with an echo, nobody here knows
		n.armTick(p, p.start)
	}
}

func (n *Network) armTick(p *probe, at sim.Time) {
	if at < p.end {
		p.timer = n.k.At(at, sim.Event{To: actorWorld, Kind: evTick, Arg: uint64(p.id), Phase: sim.PhaseProbe})
	}
}

// sentAt is when the request with that sequence number left.
func (p *probe) sentAt(seq int) sim.Time {
	return p.start.Add(time.Duration(seq-1) * p.cfg.Every)
}

// tick sends the next request.
func (n *Network) tick(i int) {
	p := &n.probes[i]
	p.sent++
	p.rtt, p.ttl = append(p.rtt, 0), append(p.ttl, 0)
	if n.log != nil {
		p.fate = append(p.fate, fate{})
	}
	n.forwardEcho(p, 0, startTTL, p.sent, p.src.Router, true)
	n.armTick(p, n.k.Now().Add(p.cfg.Every))
}

// forwardEcho sends an echo on from router r.
func (n *Network) forwardEcho(p *probe, dir int, ttl uint8, seq, r int, fromHost bool) {
	o := n.onward(p, dir, r, fromHost)
	if o.hop.drop.why != passed {
		n.echoDies(p, dir, seq, o.hop.drop)
		return
	}
	if ttl -= o.ttl; ttl == 0 {
		n.echoDies(p, dir, seq, drop{dropTTL, int16(r), int16(o.hop.link), 0})
		return
	}
	if o.hop.link < 0 {
		n.deliverEcho(p, dir, ttl, seq)
		return
	}
	now := n.k.Now()
	arrive := now.Add(o.delay.Draw(o.delays.At(uint64(seq))))
	why, by := passed, sim.EventID(0)
	if !o.open {
		l := &n.links[o.hop.link]
		why, by = l.leaves(int(o.end))
		n.knock(l, int(o.end), why)
		if why == passed && l.chance(int(o.end)) {
			why = dropLoss
		}
	}
	if n.log != nil && n.log.Capture {
		from, to := p.addr[dir], p.addr[1-dir]
		n.log.Packets = append(n.log.Packets, trace.Packet{At: now, Arrive: arrive, Event: n.k.Current(), Link: o.hop.link, From: o.end, Lost: why != passed,
			Proto: trace.ProtoICMP, TTL: ttl, Src: from, Dst: to, Reply: dir == 1, EchoID: uint16(p.id + 1), Seq: uint16(seq), Size: p.cfg.Size})
	}
	if why != passed {
		n.echoDies(p, dir, seq, drop{why, int16(r), int16(o.hop.link), by})
		return
	}
	n.launchPacket(arrive, packets(actorOf(r)), o.to, evEcho, uint64(o.arg.with(ttl, seq)))
}

// onward is what router r does with the echoes of a probe. Any change of tables
// and links changes the version.
func (n *Network) onward(p *probe, dir, r int, fromHost bool) *onward {
	i := 2 * r
	if fromHost {
		i++
	}
	o := &p.onward[dir][i]
	if o.version != n.version {
		n.workOut(o, p, dir, r, fromHost)
	}
	return o
}

func (n *Network) workOut(o *onward, p *probe, dir, r int, fromHost bool) {
	to := p.dst
	if dir == 1 {
		to = p.src
	}
	*o = onward{version: n.version, hop: hop{link: -1}}
	if to.Router != r {
		o.hop = n.egressFor(&n.routers[r], p.addr[1-dir], p.flow[dir], fromHost)
	}
	if n.takesTTL(r, fromHost, to.Router == r) {
		o.ttl = 1
	}
	if o.hop.link >= 0 {
		l := &n.links[o.hop.link]
		e := l.endOf(r)
		why, _ := l.leaves(e)
		o.open, o.end = why == passed && !l.way[e].random(), int8(e)
		o.to, o.arg = actorOf(l.routerAt(1-e)), packEcho(p.id, dir, 0, l.id, 1-e, 0)
		o.delay, o.delays = &l.cfg.Delay.Dist, n.k.Rand(p.names[dir][l.id])
	}
}

// touch says that forwarding state has changed.
func (n *Network) touch() {
	n.version++
	n.dirty = true
}

// takesTTL tells whether router r takes one from the TTL of a packet (RFC 791:
// "every module that processes a datagram must decrease the TTL by at least
// one"). Clouds don't for what their own hosts send and get. What goes in by
// one link and out by another loses one everywhere, or it would go round in a
// loop for ever.
func (n *Network) takesTTL(r int, fromHost, toHost bool) bool {
	return !fromHost && !toHost || n.routers[r].settings[topology.IPDecrementTTL].Bool
}

// roundTrip is the time that a round trip took: at least a nanosecond, even
// where no link has a delay, since 0 stands for a lost echo.
func roundTrip(d time.Duration) time.Duration { return max(d, 1) }

func (n *Network) echoArrives(a echoArg) {
	p := &n.probes[a.probe()]
	l := &n.links[a.link()]
	if why, by := l.enters(a.to()); why != passed {
		n.echoDies(p, a.dir(), a.seq(), drop{why, int16(l.routerAt(a.to())), int16(l.id), by})
		return
	}
	l.hear(a.to(), n.k.Now())
	n.forwardEcho(p, a.dir(), a.ttl(), a.seq(), l.routerAt(a.to()), false)
}

// deliverEcho: the request is answered, the reply is counted.
func (n *Network) deliverEcho(p *probe, dir int, ttl uint8, seq int) {
	if n.opt.Wire {
		n.wire.echo(n, p, dir, ttl, seq)
	}
	if dir == 1 {
		p.rtt[seq-1], p.ttl[seq-1] = roundTrip(n.k.Now().Sub(p.sentAt(seq))), ttl
		return
	}
	if p.dst.DropICMP {
		n.echoDies(p, dir, seq, drop{dropSecurityGroup, int16(p.dst.Router), -1, 0})
		return
	}
	n.forwardEcho(p, 1, startTTL, seq, p.dst.Router, true)
}

// echoDies notes why an echo was lost.
func (n *Network) echoDies(p *probe, dir, seq int, d drop) {
	if n.log == nil {
		return
	}
	p.fate[seq-1] = fate{d, uint8(dir)}
	n.note(trace.Note{Kind: trace.NoteLost, Router: int32(d.router), Link: int32(d.link), Because: d.by, A: int64(p.id), B: int64(seq), From: uint8(dir), Text: d.why.String()})
}

// Fate says where and why an echo was lost; only recorded runs know.
func (n *Network) Fate(probe, seq int) string {
	p := &n.probes[probe]
	if seq > len(p.fate) || p.fate[seq-1].why == passed {
		return ""
	}
	f := p.fate[seq-1]
	s := "request"
	if f.dir == 1 {
		s = "reply"
	}
	if f.link >= 0 {
		s += ", on " + n.d.Links[f.link].Name
	}
	if f.router >= 0 {
		s += " at " + n.d.Routers[f.router].Name
	}
	return s + ": " + f.why.String()
}
