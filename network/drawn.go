package network

import (
	"fmt"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// Many timers do not run for what they are set to: BIRD serves a hold time of 30 s
// after 22.5 to 30 s of silence, and RFC 4271 §10 has the other timers spread in the
// same way, so that neighbours do not act in step. Whoever looks for 30 s in an
// explanation and finds 26 has to be told.

// Drawn says what was drawn of a wait's length, where that is not its setting's value
// but the value times a random number.
type Drawn struct {
	Took      time.Duration // how long the timer ran, whatever part of it the wait is
	From      string        // what that was drawn from: "30s x U(0.75, 1)"
	Parameter string        // that says so: "routers.bird.bgp.hold_jitter"
	Value     string
	Origin    topology.Origin
}

// spread adds to w that its timer, at the end of a link, is jittered by key: it ran for
// took, which is a share of the duration of, at most so many thousandths. A time that
// jitter cannot have made was made by something else, and nothing is added.
func (n *Network) spread(w Wait, link, end int, key topology.Key, of, took time.Duration, most int64) Wait {
	set := &n.d.Links[link].Ends[end].Settings[key]
	least := set.Int
	if least == 0 || least >= most || took < of/1000*time.Duration(least) || took > of/1000*time.Duration(most) {
		return w
	}
	from := fmt.Sprintf("%s x U(%s, %s)", topology.FormatDuration(of), set.Format(key), topology.Value{Int: most}.Format(key))
	return n.drawn(w, link, end, key, took, from)
}

func (n *Network) drawn(w Wait, link, end int, key topology.Key, took time.Duration, from string) Wait {
	j := n.endWait(link, end, key, "")
	w.Drawn = &Drawn{took, from, j.Parameter, j.Value, j.Origin}
	return w
}

// whole is the most that jitter leaves of a time, in thousandths.
const whole = 1000

// spreadSession adds what was drawn of a timer of s that ran out in event id.
func (n *Network) spreadSession(w Wait, s *session, t bgp.TimerID, id sim.EventID) Wait {
	ev := n.log.Events[id-1]
	ran := n.ran(ev)
	at := func(key topology.Key, of time.Duration) Wait {
		return n.spread(w, s.link, s.end, key, of, ran, whole)
	}
	hold := min(s.config.Hold, n.Offer(s.link, 1-s.end))
	switch t {
	case bgp.HoldTimer:
		if n.opening(id, s) {
			hold = s.config.OpenHold
		}
		return at(topology.BGPHoldJitter, hold)
	case bgp.KeepaliveTimer:
		every := hold / 3
		if k := s.config.Keepalive; k > 0 && (s.config.KeepaliveFixed || k < every) {
			every = k
		}
		return at(topology.BGPKeepaliveJitter, every)
	case bgp.ConnectRetryTimer:
		switch {
		case s.config.StartDelay > 0 && ran == s.config.StartDelay, s.config.ConnectTimeout > 0 && (ran == s.config.ConnectTimeout || ran == s.config.LaterTimeout):
			return w
		case ran <= s.config.ConnectDelay:
			return at(topology.BGPConnectRetryJitter, s.config.ConnectDelay)
		}
		return at(topology.BGPConnectRetryJitter, s.config.ConnectRetry)
	case bgp.IdleHoldTimer:
		return at(topology.BGPIdleHoldJitter, n.idleHold(s, n.idleKey(s, ev.Cause), ran))
	}
	return w
}

// spreadMRAI adds what was drawn of the interval that was over in event id; start is
// the UPDATE that it ran from, nil if none is known.
func (n *Network) spreadMRAI(w Wait, s *session, id sim.EventID, start *trace.Note) Wait {
	m := &n.routers[s.router].config.Peers[s.peer].MRAI
	var took time.Duration
	switch ev := n.log.Events[id-1]; {
	case m.Mode == bgp.MRAIOutDelay:
		return w // it is not jittered
	case m.Mode == bgp.MRAITick, !m.PerPrefix && m.Granularity > 0:
		waits := n.lastNote(id, func(x *trace.Note) bool {
			return x.Kind == trace.NoteAdvertise && x.Up && int(x.Router) == s.router && int(x.Link) == s.link
		})
		if waits == nil {
			return w
		}
		took = time.Duration(waits.A)
	case !m.PerPrefix:
		took = n.ran(ev)
	case start != nil:
		took = ev.At.Sub(start.At)
	}
	return n.spread(w, s.link, s.end, topology.BGPMRAIJitter, m.Interval, took, whole)
}

// spreadBFD adds what was drawn of the interval before BFD's next packet.
// RFC 5880 §6.8.7 wants 75 to 90 % of it where the loss of one packet is enough.
func (n *Network) spreadBFD(w Wait, b *bfdEnd, of, ran time.Duration) Wait {
	most := int64(whole)
	if b.config.Mult == 1 {
		most = 900
	}
	return n.spread(w, b.link, b.end, topology.BFDJitter, of, ran, most)
}

// spreadLifetime adds what was drawn of the time before an SA is made anew, which runs
// out before its lifetime does: at lifetime - margin x (1 + U(0, fuzz)).
func (n *Network) spreadLifetime(w Wait, link, end int, of, ran time.Duration) Wait {
	c := &n.links[link].ends[end].config
	set := &n.d.Links[link].Ends[end].Settings[topology.VPNRekeyFuzz]
	early, margin := of-ran, c.RekeyMargin
	if set.Int == 0 || margin == 0 || early < margin || early > margin+margin/1000*time.Duration(set.Int) {
		return w
	}
	from := fmt.Sprintf("%s - %s x (1 + U(0, %s))", topology.FormatDuration(of), topology.FormatDuration(margin), set.Format(topology.VPNRekeyFuzz))
	return n.drawn(w, link, end, topology.VPNRekeyFuzz, ran, from)
}
