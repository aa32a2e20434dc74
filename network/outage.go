package network

import (
	"time"

	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

// The exact outage is not sampled by probes. Whenever forwarding state has
// changed, each probe's two directions are walked through the tables and links
// of that instant; a direction works when a packet would reach the other host.
// Loss by chance doesn't count, only what would lose every packet.

// pathState is whether a direction works.
type pathState struct {
	ok   bool
	drop drop
	link int32 // the first link of the path
}

// transition is a change of it.
type transition struct {
	at    sim.Time
	event sim.EventID
	dir   uint8
	pathState
}

// watch compares the forwarding state with what was last seen.
func (n *Network) watch() {
	if !n.settled {
		return
	}
	for i := range n.probes {
		p := &n.probes[i]
		for dir := range 2 {
			now := n.walk(p, dir)
			was := &p.state[dir]
			first := len(p.paths) < 2
			if now == *was && !first {
				continue
			}
			changed := now.ok != was.ok || now.link != was.link || first
			*was = now
			if !changed {
				continue
			}
			p.paths = append(p.paths, transition{n.k.Now(), n.k.Current(), uint8(dir), now})
			n.note(trace.Note{Kind: trace.NoteForwarding, Router: int32(now.drop.router), Link: now.link, Because: now.drop.by, A: int64(i), B: int64(dir), Up: now.ok, Text: now.drop.why.String()})
		}
	}
}

// walk follows a packet of probe p through the forwarding state of now.
func (n *Network) walk(p *probe, dir int) pathState {
	from, to := p.src, p.dst
	if dir == 1 {
		from, to = to, from
	}
	r, link := from.Router, int32(-1)
	ttl := startTTL
	for r != to.Router {
		fromHost := link < 0
		if n.routers[r].real {
			return pathState{false, drop{dropReal, int16(r), -1, 0}, link}
		}
		h := n.onward(p, dir, r, fromHost).hop
		if h.drop.why != passed {
			return pathState{false, h.drop, link}
		}
		if link < 0 {
			link = h.link
		}
		if n.takesTTL(r, fromHost, false) {
			if ttl--; ttl == 0 {
				return pathState{false, drop{dropTTL, int16(r), int16(h.link), 0}, link}
			}
		}
		l := &n.links[h.link]
		e := l.endOf(r)
		if why, by := l.leaves(e); why != passed {
			return pathState{false, drop{why, int16(r), int16(h.link), by}, link}
		}
		r = l.routerAt(1 - e)
		if why, by := l.enters(1 - e); why != passed {
			return pathState{false, drop{why, int16(r), int16(h.link), by}, link}
		}
	}
	if n.takesTTL(r, link < 0, true) && ttl == 1 {
		return pathState{false, drop{dropTTL, int16(r), -1, 0}, link}
	}
	if dir == 0 && p.dst.DropICMP {
		return pathState{false, drop{dropSecurityGroup, int16(r), -1, 0}, link}
	}
	return pathState{ok: true, link: link}
}

// Outage is an interval in which a round trip would fail.
type Outage struct {
	Start, End     sim.Time
	StartEvent     sim.EventID // made it begin
	EndEvent       sim.EventID // made it end; 0 when Open
	Open           bool        // not over when the run ended
	Request, Reply time.Duration
}

// outages turns the transitions of a probe into intervals.
func (p *probe) outages(end sim.Time) []Outage {
	var (
		list  []Outage
		state [2]pathState
		last  sim.Time
		cur   *Outage
	)
	for i := 0; i < len(p.paths); {
		at := p.paths[i].at
		if cur != nil {
			if !state[0].ok {
				cur.Request += at.Sub(last)
			}
			if !state[1].ok {
				cur.Reply += at.Sub(last)
			}
		}
		event := p.paths[i].event
		for ; i < len(p.paths) && p.paths[i].at == at; i++ {
			state[p.paths[i].dir] = p.paths[i].pathState
			event = p.paths[i].event
		}
		works := state[0].ok && state[1].ok
		switch {
		case cur == nil && !works:
			list = append(list, Outage{Start: at, StartEvent: event, Open: true})
			cur = &list[len(list)-1]
		case cur != nil && works:
			cur.End, cur.EndEvent, cur.Open = at, event, false
		}
		if works {
			cur = nil
		}
		last = at
	}
	if cur != nil && cur.Start >= end {
		return list[:len(list)-1] // it begins as the run ends: there is nothing to it
	}
	if cur != nil {
		cur.End = end
		if !state[0].ok {
			cur.Request += end.Sub(last)
		}
		if !state[1].ok {
			cur.Reply += end.Sub(last)
		}
	}
	return list
}

// PathChange is an instant at which a direction of a probe began or ceased to
// work, or moved to another link.
type PathChange struct {
	At      sim.Time
	Event   sim.EventID
	Reply   bool
	OK      bool
	Link    int         // the first link of the path; -1: it has none
	LostIn  int         // the link on which a packet would die; -1: on none
	Router  int         // where a packet would die; -1: at a host
	Because sim.EventID // wrote the state that makes it die; 0: set-up
	Why     string      // why it would die
	reason  dropReason
}

// Paths lists the changes, in order; the first two are the state at time zero.
func (p *ProbeResult) Paths() []PathChange {
	var list []PathChange
	for _, t := range p.p.paths {
		list = append(list, PathChange{t.at, t.event, t.dir == 1, t.ok, int(t.link), int(t.drop.link), int(t.drop.router), t.drop.by, t.drop.why.String(), t.drop.why})
	}
	return list
}
