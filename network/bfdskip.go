package network

import (
	"math"

	"github.com/vpnsim/vpnsim/bfd"
	"github.com/vpnsim/vpnsim/sim"
)

// BFD sends a thousand packets in five minutes, each way, over each link. All but
// a handful say what the one before them said, and move the other end's
// DetectTimer. So they are a stream like keepalives (skip.go): a packet leaves,
// and it arrives. And where packets go into a hole, they are a stream of one
// event each, whatever the session has come to; the other end's silence is a
// deadline.

// controls is what one end's packets need at hand.
type controls struct {
	fate   controlFate
	packet int      // the one under way: its number
	next   sim.Time // when the TxTimer runs out again
}

// controlFate is what becomes of an end's packets while nothing changes.
type controlFate uint8

const (
	swallowed controlFate = iota // the link does not take them
	turnedOff                    // they arrive, and are not taken in
	heard                        // the other end hears what it heard before
)

// silence is when a DetectTimer runs out, which packets push back.
type silence struct {
	at    sim.Time
	place sim.Place
	end   int32
	moved bool
}

// controlStream takes a pending timer of BFD into a stream or among the deadlines;
// false: it must be handled in the ordinary way.
func (n *Network) controlStream(at sim.Time, order sim.Place, id int32, t bfd.TimerID) bool {
	if t == bfd.DetectTimer {
		n.skip.silences = append(n.skip.silences, silence{at: at, place: order, end: id})
		return true
	}
	b := n.bfds[id]
	if !n.routers[b.router].alive || n.hangs(b) || !n.foresee(b) {
		return false
	}
	n.skip.add(at, order, controlPackets, id)
	return true
}

// foresee works out what becomes of b's packets, if that can be said beforehand.
func (n *Network) foresee(b *bfdEnd) bool {
	l, o := &n.links[b.link], n.bfds[b.id^1]
	if why, _ := l.leaves(b.end); why != passed {
		b.controls.fate = swallowed
		return !(why == dropNoSA && l.ends[b.end].config.OnTraffic) // it may wake the tunnel
	}
	if why, _ := l.enters(o.end); why != passed {
		b.controls.fate = turnedOff
		return true
	}
	b.controls.fate = heard
	return n.routers[o.router].alive && !n.hangs(o) && b.m.Quiet() && o.m.Quiet() && o.m.Expects(b.m.Next())
}

// stepControl: the TxTimer runs out and a packet leaves; it arrives.
func (n *Network) stepControl(s *stream) bool {
	b := n.bfds[s.id]
	o := n.bfds[b.id^1]
	l := &n.links[b.link]
	if s.stage == 1 {
		n.k.Skip(s.at, o.actor(), evBFD, bfdArg(o.id, b.controls.packet))
		if b.controls.fate == heard {
			l.hear(o.end, s.at)
			n.bfdActs = o.m.Step(n.bfdActs[:0], bfd.Input{Kind: bfd.InPacket, Packet: b.said[b.controls.packet], Since: s.at.Sub(o.sent)})
			for i := range n.bfdActs {
				if a := &n.bfdActs[i]; a.Kind == bfd.ActArm {
					n.skip.hush(int32(o.id), s.at.Add(a.After), n.k.Place(sim.PhaseTimer, sim.Own, o.actor()))
				}
			}
		}
		s.at, s.stage, s.order = b.controls.next, 0, s.later
		return true
	}
	lost := b.controls.fate == swallowed
	arrive := s.at
	if !lost {
		lost = l.chanceAt(b.end, s.at)
		arrive = s.at.Add(l.controlDelay(b.end, s.at))
		if !lost && (arrive == s.at || arrive.Sub(s.at) >= b.m.TxInterval()/1000*750) {
			return false // the next one may leave before this one has arrived; or it takes no time: trip.send
		}
	}
	n.k.Skip(s.at, b.actor(), evBFDTimer, uint64(b.id)<<8|uint64(bfd.TxTimer))
	n.bfdActs = b.m.Step(n.bfdActs[:0], bfd.Input{Kind: bfd.InTimer, Timer: bfd.TxTimer})
	b.sent, s.moved = s.at, true
	for i := range n.bfdActs {
		switch a := &n.bfdActs[i]; {
		case a.Kind == bfd.ActArm:
			b.controls.next, s.later = s.at.Add(a.After), n.k.Place(sim.PhaseTimer, sim.Own, b.actor())
		case !lost:
			b.controls.packet, s.order = b.number(a.Packet), n.k.Place(sim.PhaseDeliver, packets(b.actor()), o.actor())
		}
	}
	if lost {
		s.at, s.order = b.controls.next, s.later
	} else {
		s.at, s.stage = arrive, 1
	}
	return true
}

// hush moves the deadline of an end that has heard something.
func (sk *skipper) hush(end int32, at sim.Time, place sim.Place) {
	for i := range sk.silences {
		if x := &sk.silences[i]; x.end == end {
			x.at, x.place, x.moved = at, place, true
			return
		}
	}
}

func (sk *skipper) earliestSilence() sim.Time {
	at := sim.Time(math.MaxInt64)
	for i := range sk.silences {
		at = min(at, sk.silences[i].at)
	}
	return at
}

func (n *Network) handBackControl(s *stream) {
	b := n.bfds[s.id]
	at, place := s.at, s.order
	if s.stage == 1 {
		n.relaunch(s, n.bfds[b.id^1].actor(), evBFD, bfdArg(b.id^1, b.controls.packet))
		at, place = b.controls.next, s.later
	}
	n.k.ResetAtPlace(&b.timers[bfd.TxTimer], at, place, b.event(bfd.TxTimer))
}

func (n *Network) handBackSilences() {
	for i := range n.skip.silences {
		if x := &n.skip.silences[i]; x.moved {
			b := n.bfds[x.end]
			n.k.ResetAtPlace(&b.timers[bfd.DetectTimer], x.at, x.place, b.event(bfd.DetectTimer))
		}
	}
}
