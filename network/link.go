package network

import (
	"fmt"
	"math"
	"time"

	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/vpn"
)

// A link carries packets between two routers. A tunnel is a link whose packets
// pass only where both ends have an SA; its IKE messages travel the same path
// outside the SA. Delays are drawn for each packet from the link's
// distribution by random access rather than in order of need, so that a
// packet's delay does not depend on what else was sent.

type link struct {
	id       int
	cfg      *topology.Link
	tunnel   bool
	up       bool // the path itself; "link down" of the story
	way      [2]way
	ends     [2]linkEnd
	sessions [2]int32 // -1: none
	bfd      [2]int32 // -1: none
	alone    [1]int32 // its number, for routes that leave by it alone
	downBy   sim.EventID
	nameUp   sim.Name
	health   wholeness

	least, most time.Duration // delay
}

// way is one direction of a link: what Ends[i] sends.
type way struct {
	hole   bool // packets vanish
	loss   topology.Loss
	bad    bool // Gilbert-Elliott's state
	by     sim.EventID
	delays sim.Stream // of control packets, by the time when they leave
	losses sim.Stream // in order

	momentary sim.Stream // losses that belong to an instant

	nameDly sim.Name
	nameLos sim.Name
}

// linkEnd is what one gateway knows of a tunnel, and what a router knows of a
// plain link.
type linkEnd struct {
	vpn     *vpn.End
	sa      bool        // packets may leave (always true on a plain link)
	opens   bool        // the SA that the other end sends with is known here
	here    bool        // configured at this end
	going   bool        // its own side is removing it
	iface   bool        // the interface that BGP runs over is up
	heard   sim.Time    // when a packet last came in through the tunnel
	soon    sim.Time    // when one will come in that is no event; see tcpearly.go
	by      sim.EventID // the event that last changed sa
	follows bool        // the interface goes down with the SA
	timers  [vpn.NumTimers]sim.Timer
	rnd     sim.Stream
	proc    sim.Stream
	nameRnd sim.Name
	nameSet sim.Name
	config  vpn.Config
	stretch uint64 // the last one in which echoes came in: skip.go
}

func (l *link) init(n *Network, i int) {
	l.id, l.cfg, l.alone = i, &n.d.Links[i], [1]int32{int32(i)}
	l.tunnel = l.cfg.Kind == topology.Tunnel
	l.least, l.most = l.cfg.Delay.Dist.Min(), l.cfg.Delay.Dist.Max()
	l.nameUp = sim.StreamName("bring-up/" + l.cfg.Name)
	for e := range 2 {
		end := &l.ends[e]
		who := l.cfg.Name + "/" + n.d.Routers[l.cfg.Ends[e].Router].Name
		end.nameRnd = sim.StreamName("vpn/" + who)
		end.nameSet = sim.StreamName("settings/" + who)
		l.way[e].nameDly = sim.StreamName("delay/" + who)
		l.way[e].nameLos = sim.StreamName("loss/" + who)
		end.follows = l.cfg.Ends[e].Settings[topology.VPNInterfaceFollowsSA].Bool
		if l.tunnel {
			end.config = vpnConfig(&l.cfg.Ends[e].Settings)
			end.config.Rand = end.rnd.Uint64
			processing := &l.cfg.Ends[e].Settings[topology.VPNProcessing].Dist
			end.config.Processing = func() time.Duration { return processing.Draw(end.proc.Uint64()) }
			end.vpn = vpn.New(e, end.config)
		}
	}
}

func (l *link) reset(n *Network) {
	l.up, l.downBy = true, 0
	l.health = wholeness{}
	for e := range 2 {
		w := &l.way[e]
		w.hole, w.bad, w.by, w.loss = false, false, 0, l.cfg.Loss
		w.delays, w.losses, w.momentary = n.k.Rand(w.nameDly), n.k.Rand(w.nameLos), n.k.Rand(w.nameLos+1)
		end := &l.ends[e]
		end.sa, end.opens, end.here, end.going, end.iface, end.heard, end.soon, end.by = false, false, false, false, false, n.k.Now(), longAgo, 0
		clear(end.timers[:])
		if l.tunnel {
			end.rnd = n.k.Rand(end.nameRnd)
			end.proc = n.k.Rand(end.nameRnd + 1)
			drawVPN(&end.config, n.k, &l.cfg.Ends[e].Settings, end.nameSet)
			end.vpn.Reset(end.config)
		}
	}
}

// drop is why a packet did not pass, where, and which event wrote the state
// that said so.
type drop struct {
	why    dropReason
	router int16 // -1: at a host
	link   int16 // -1: none
	by     sim.EventID
}

type dropReason uint8

const (
	passed dropReason = iota
	dropNoRoute
	dropNoRow
	dropNotPropagated
	dropNoTunnel
	dropNoSA
	dropFarNoTunnel
	dropFarNoSA
	dropOtherSA
	dropHole
	dropLoss
	dropLinkDown
	dropTTL
	dropSecurityGroup
	dropNoListener
	dropReal
)

// NotKnown is why a direction does not work, as far as a network with a real
// router can tell.
const NotKnown = "what the real router does with it is not known"

func (r dropReason) String() string {
	return [...]string{"passed", "no route", "no row in the route table: BGP has no route",
		"no row in the route table: route propagation is off", "the tunnel is deleted at this end",
		"no IPsec SA at this end", "the far end has deleted the tunnel", "the far end has no IPsec SA", "the far end has other IPsec SAs", "black hole",
		"packet loss", "link down", "TTL exceeded", "the security group admits no ICMP", "host unreachable",
		NotKnown}[r]
}

// leaves tells whether a packet that end e sends now gets onto the link, and
// with other reasons than chance, whether it will get to the other end. It
// reads state and changes none: the exact outage is made of it.
func (l *link) leaves(e int) (dropReason, sim.EventID) {
	end := &l.ends[e]
	if l.tunnel && !end.here {
		return dropNoTunnel, end.by
	}
	if !end.sa {
		return dropNoSA, end.by
	}
	return l.crosses(e)
}

// crosses is leaves without the SA: what holds for IKE messages, too.
func (l *link) crosses(e int) (dropReason, sim.EventID) {
	w := &l.way[e]
	switch {
	case !l.up:
		return dropLinkDown, l.downBy
	case w.hole:
		return dropHole, w.by
	case w.loss.P >= 1 && (w.loss.ToBad == 0 || w.loss.Bad >= 1):
		return dropLoss, w.by
	}
	return passed, 0
}

// enters tells whether what arrives at end e is taken in.
func (l *link) enters(e int) (dropReason, sim.EventID) {
	end := &l.ends[e]
	switch {
	case !l.up:
		return dropLinkDown, l.downBy
	case l.tunnel && !end.here:
		return dropFarNoTunnel, end.by
	case end.opens:
	case !end.sa:
		return dropFarNoSA, end.by
	default:
		return dropOtherSA, end.by
	}
	return passed, 0
}

// chance draws whether a packet from end e is lost on its way.
func (l *link) chance(e int) bool {
	w := &l.way[e]
	if w.loss.P == 0 && w.loss.ToBad == 0 {
		return false
	}
	if w.loss.ToBad > 0 {
		w.bad = w.loss.Next(w.bad, w.losses.Uint64())
	}
	return w.loss.Lost(w.bad, w.losses.Uint64())
}

// fraction turns random bits into a number of [0, 1).
func fraction(u uint64) float64 { return float64(u>>11) / (1 << 53) }

// controlDelay draws the delay of a control packet (TCP, IKE) that leaves end e
// now. The draw belongs to the instant, not to the packet's number, so that a
// parameter that adds or removes other messages does not change it.
func (l *link) controlDelay(e int, now sim.Time) time.Duration {
	return l.cfg.Delay.Dist.Draw(l.way[e].delays.At(uint64(now)))
}

// hear notes that something came in at end e: what dead peer detection goes by.
// The instant may lie ahead of the clock when a quiet stretch is taken at once.
func (l *link) hear(e int, at sim.Time) { l.ends[e].heard = max(l.ends[e].heard, at) }

// longAgo is before anything.
const longAgo = sim.Time(math.MinInt64)

// expect notes that something will come in at the instant at, and tells whether
// it could: of what is to come, only one thing is noted.
func (e *linkEnd) expect(now, at sim.Time) bool {
	if e.soon > now {
		return false
	}
	e.heard, e.soon = max(e.heard, e.soon), at
	return true
}

// lastHeard is when something last came in up to the instant t.
func (e *linkEnd) lastHeard(t sim.Time) sim.Time {
	if e.soon <= t {
		return max(e.heard, e.soon)
	}
	return e.heard
}

// routerAt is the router at end e.
func (l *link) routerAt(e int) int { return l.cfg.Ends[e].Router }

// endOf is the end of l at router r.
func (l *link) endOf(r int) int {
	if l.cfg.Ends[0].Router == r {
		return 0
	}
	return 1
}

func (l *link) String() string { return fmt.Sprintf("link %s", l.cfg.Name) }

// bringUp configures both ends for the first time.
func (n *Network) bringUp(i int) {
	l := &n.links[i]
	for e := range 2 {
		if l.tunnel {
			n.createEnd(l, e)
			continue
		}
		l.ends[e].here, l.ends[e].sa, l.ends[e].opens, l.ends[e].by = true, true, true, n.k.Current()
		n.startBFD(l, e)
	}
	n.touch()
	if !l.tunnel {
		n.lookAtInterface(l, 0)
		n.lookAtInterface(l, 1)
	}
}
