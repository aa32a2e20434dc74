package network

import (
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
	"github.com/vpnsim/vpnsim/vpn"
)

// ikeMessage is an IKE message that waits to be sent or is on its way.
type ikeMessage struct {
	link, from int
	msg        *vpn.Message
}

// createEnd configures the tunnel at end e.
func (n *Network) createEnd(l *link, e int) {
	end := &l.ends[e]
	if end.here {
		return
	}
	end.here, end.going, end.by = true, false, n.k.Current()
	end.heard = n.k.Now()
	n.touch()
	n.startBFD(l, e)
	n.lookAtInterface(l, e)
	n.stepTunnel(l, e, vpn.Input{Kind: vpn.InCreate})
}

// deleteEnd removes the tunnel at end e: with notify, BGP and IKE say goodbye
// first.
func (n *Network) deleteEnd(l *link, e int, notify bool) {
	end := &l.ends[e]
	if !end.here {
		return
	}
	end.going = true
	if notify {
		n.tellSession(l, e, bgp.Input{Kind: bgp.InStop, Subcode: bgp.CeaseDeconfigured})
		n.send() // while there is an SA to send it by
		n.shutBFD(l, e)
	}
	if b := n.bfdAt(l, e); b != nil {
		n.loseBFD(b, "the tunnel was deleted")
	}
	if i := l.sessions[e]; i >= 0 {
		n.sessions[i].shut = false // what is configured anew is not shut
	}
	n.disturbLink(l)
	end.here, end.sa, end.opens, end.by = false, false, false, n.k.Current()
	n.touch()
	n.stepTunnel(l, e, vpn.Input{Kind: vpn.InDelete, Notify: notify})
	n.lookAtInterface(l, e)
}

// knock is a packet that wanted to leave through a tunnel without an SA, at an
// end that negotiates on traffic. The packet is lost; the tunnel's machine is
// told when the event is over, since it may be at work itself just now.
type knock struct{ link, end int32 }

func (n *Network) knock(l *link, e int, why dropReason) {
	if why == dropNoSA && l.tunnel && l.ends[e].config.OnTraffic {
		n.knocks = append(n.knocks, knock{int32(l.id), int32(e)})
	}
}

// stepTunnel gives the machine of end e an input and does what it asks.
func (n *Network) stepTunnel(l *link, e int, in vpn.Input) {
	end := &l.ends[e]
	acts := end.vpn.Step(n.tunnels[:0], in)
	n.tunnels = acts
	for i := range acts {
		a := &acts[i]
		switch a.Kind {
		case vpn.ActSend:
			n.ike = append(n.ike, ikeMessage{l.id, e, a.Msg})
			msg := uint64(len(n.ike) - 1)
			if a.After == 0 {
				n.ikeLeaves(int(msg))
				continue
			}
			n.launchIKE(n.k.Now().Add(a.After), actorOf(l.routerAt(e)), msg)
		case vpn.ActArm:
			n.armTunnel(l, e, a.Timer, a.After)
		case vpn.ActDisarm:
			n.k.Stop(&end.timers[a.Timer])
		case vpn.ActState:
			n.k.Mix(uint64(l.id)<<24 | uint64(e)<<16 | uint64(a.From)<<8 | uint64(a.To))
			n.note(trace.Note{Kind: trace.NoteTunnel, Router: int32(l.routerAt(e)), Link: int32(l.id), From: uint8(a.From), To: uint8(a.To), A: int64(a.Why)})
		case vpn.ActUp:
			n.setSA(l, e, true)
			n.lookWhetherWhole(l)
		case vpn.ActDown:
			n.dropped(l, dropOfTunnel(a.Why))
			n.setSA(l, e, false)
		}
	}
	n.matchSAs(l)
}

// matchSAs works out which end can read what the other one sends. Two ends that
// both have an SA may still not understand each other, after one of them was
// deleted and made anew. What the far end sent just before it lost its SA is on
// its way still, and can be read as long as this end keeps its own: that is how
// a CEASE gets through.
func (n *Network) matchSAs(l *link) {
	for e := range 2 {
		end, far := &l.ends[e], &l.ends[1-e]
		opens := end.here && end.opens && end.sa
		if far.sa {
			opens = end.here && end.vpn.Accepts(far.vpn.SA())
		}
		if opens != end.opens {
			n.disturbLink(l)
			end.opens = opens
			n.touch()
		}
	}
}

// setSA installs or removes the child SA of end e, and tells BGP when the
// interface follows it.
func (n *Network) setSA(l *link, e int, up bool) {
	end := &l.ends[e]
	if end.sa == up {
		return
	}
	n.disturbLink(l)
	end.sa, end.by = up, n.k.Current()
	end.heard = n.k.Now()
	n.touch()
	n.lookAtInterface(l, e)
}

// lookAtInterface works out whether the interface at end e is up (the link is,
// the tunnel is configured, and it has its SA where that counts) and tells the
// session when that has changed. Routers without fast external fallover do not
// look, and wait for their hold timer.
func (n *Network) lookAtInterface(l *link, e int) {
	end := &l.ends[e]
	up := l.up && end.here && (end.sa || !end.follows)
	if up == end.iface {
		return
	}
	end.iface = up
	kind := bgp.InLinkDown
	if up {
		n.startSession(l, e)
		kind = bgp.InLinkUp
	}
	if l.cfg.Ends[e].Settings[topology.BGPFastFallover].Bool {
		n.tellSession(l, e, bgp.Input{Kind: kind})
	}
	n.trackNextHop(l, e)
	n.setStatics(&n.routers[l.routerAt(e)], l)
}

// ikeLeaves puts an IKE message on the path between the outside addresses.
func (n *Network) ikeLeaves(i int) {
	m := &n.ike[i]
	l := &n.links[m.link]
	delay := l.controlDelay(m.from, n.k.Now())
	why, _ := l.crosses(m.from)
	if why == passed && l.chance(m.from) {
		why = dropLoss
	}
	at := n.k.Now().Add(delay)
	n.note(trace.Note{Kind: trace.NoteIKE, Router: int32(l.routerAt(m.from)), Link: int32(m.link), IKE: m.msg})
	if n.log != nil && n.log.Capture {
		ends := &l.cfg.Ends
		n.log.Packets = append(n.log.Packets, trace.Packet{At: n.k.Now(), Arrive: at, Event: n.k.Current(), Link: int32(m.link), From: int8(m.from), Lost: why != passed,
			Proto: trace.ProtoUDP, TTL: 64, Src: ends[m.from].Outside, Dst: ends[1-m.from].Outside, SrcPort: 500, DstPort: 500, IKE: m.msg})
	}
	if why != passed {
		return
	}
	// In the lane of what BGP says, not of other packets: a DELETE does not overtake the
	// CEASE that left before it, if both arrive at the same instant.
	n.launchPacket(at, reads(actorOf(l.routerAt(m.from))), actorOf(l.routerAt(1-m.from)), evIKE, uint64(i))
}

func (n *Network) ikeArrives(i int) {
	m := &n.ike[i]
	l := &n.links[m.link]
	if !l.up {
		return
	}
	l.hear(1-m.from, n.k.Now())
	n.stepTunnel(l, 1-m.from, vpn.Input{Kind: vpn.InMessage, Msg: m.msg})
}

func (n *Network) vpnTimer(link, e int, t vpn.TimerID) {
	l := &n.links[link]
	end := &l.ends[e]
	end.timers[t] = sim.Timer{}
	idle := n.k.Now().Sub(end.lastHeard(n.k.Now()))
	if t == vpn.DPDTimer {
		if after, ok := end.vpn.NoDoubt(idle); ok {
			n.armTunnel(l, e, t, after)
			return
		}
		n.noteDoubt(l, e, idle)
	}
	n.stepTunnel(l, e, vpn.Input{Kind: vpn.InTimer, Timer: t, Idle: idle})
}

func (n *Network) armTunnel(l *link, e int, t vpn.TimerID, after time.Duration) {
	n.k.Reset(&l.ends[e].timers[t], after, sim.Event{To: actorOf(l.routerAt(e)), Kind: evVPNTimer, Arg: uint64(l.id)<<9 | uint64(e)<<8 | uint64(t), Phase: sim.PhaseTimer})
}

// vpnConfig is what does not change from run to run.
func vpnConfig(s *topology.Settings) vpn.Config {
	c := vpn.Config{
		Version:         vpn.IKEv1,
		Initiate:        s[topology.VPNInitiate].Bool,
		OnTraffic:       s[topology.VPNOnTraffic].Bool,
		RetransmitBase:  1.8, // strongSwan's
		RetransmitTries: int(s[topology.VPNRetransmitTries].Int),
		DPDRetries:      int(s[topology.VPNDPDRetries].Int),
		RekeyFuzz:       float64(s[topology.VPNRekeyFuzz].Int) / 1000,
	}
	if s[topology.VPNVersion].Enum == "v2" {
		c.Version = vpn.IKEv2
	}
	switch s[topology.VPNDPDAction].Enum {
	case "restart":
		c.DPDAction = vpn.DPDRestart
	case "none":
		c.DPDAction = vpn.DPDNone
	}
	return c
}

// drawVPN fills in the durations, which may be distributions.
func drawVPN(c *vpn.Config, k *sim.Kernel, s *topology.Settings, name sim.Name) {
	for _, f := range []struct {
		to  *time.Duration
		key topology.Key
	}{
		{&c.Retransmit, topology.VPNRetransmit}, {&c.Retry, topology.VPNRetry},
		{&c.DPDInterval, topology.VPNDPDInterval}, {&c.DPDRetry, topology.VPNDPDRetry}, {&c.DPDTimeout, topology.VPNDPDTimeout},
		{&c.IKELifetime, topology.VPNIKELifetime}, {&c.ChildLifetime, topology.VPNChildLifetime}, {&c.RekeyMargin, topology.VPNRekeyMargin},
	} {
		*f.to = draw(k, s, f.key, name)
	}
}
