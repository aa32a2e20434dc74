package network

import (
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/vpn"
)

// A timer that notices a failure soon also takes for a failure what is none: a few lost
// packets, a router that was busy. How often that happens is the price of a fast failover, and
// it is counted here.
//
// A link is whole when its BGP session is established at both ends and, if it is a tunnel, both
// ends have their SA. What ends that state is a drop, with one reason: that of the end which
// noticed first. The other end's part in it, and what fails until the link is whole again, is
// the same drop.
//
// A drop is the story's doing if the story has touched the link, or a router at one of its ends, and
// the link has not been whole again after what mends it. All others came by chance: nothing had failed.

// DropReason is who declared the other end dead.
type DropReason uint8

const (
	DropHold  DropReason = iota // BGP's hold timer
	DropBFD                     // BFD's detection time
	DropDPD                     // IKE: dead peer detection, or a request without an answer
	DropOther                   // TCP gave up, or the routers disagreed
	NumDropReasons
)

func (r DropReason) String() string { return [...]string{"hold timer", "BFD", "IKE", "other"}[r] }

// Drops of a link in a run, after time zero.
type Drops struct {
	ByChance [NumDropReasons]int
	ByStory  int
	// Watched is how long the link was whole and the story had not touched it: the time in which
	// a drop would have come by chance.
	Watched time.Duration
}

// Chance is how many came by chance.
func (d *Drops) Chance() (n int) {
	for _, k := range d.ByChance {
		n += k
	}
	return n
}

// wholeness is what is kept of a link to count its drops.
type wholeness struct {
	whole   bool
	touched bool // by the story
	mended  bool // … and it has been undone
	since   sim.Time
	drops   Drops
}

// account adds the time since the last change.
func (w *wholeness) account(now sim.Time) {
	if w.whole && !w.touched && now > 0 {
		w.drops.Watched += now.Sub(max(w.since, 0))
	}
	w.since = now
}

// lookWhetherWhole looks whether a link has become whole.
func (n *Network) lookWhetherWhole(l *link) {
	if l.health.whole {
		return
	}
	for e := range 2 {
		if i := l.sessions[e]; !l.ends[e].sa || i >= 0 && n.sessions[i].m.State() != bgp.Established {
			return
		}
	}
	if l.sessions[0] < 0 && !l.tunnel {
		return // there is nothing that could be dropped
	}
	l.health.account(n.k.Now())
	l.health.whole = true
	if l.health.mended {
		l.health.touched, l.health.mended = false, false
	}
}

// dropped: something of the link is gone.
func (n *Network) dropped(l *link, why DropReason) {
	w := &l.health
	if !w.whole {
		return
	}
	w.account(n.k.Now())
	w.whole = false
	switch {
	case n.k.Now() < 0:
	case w.touched:
		w.drops.ByStory++
	default:
		w.drops.ByChance[why]++
		if n.silence != nil {
			n.silence.dropped(n.k.Now())
		}
	}
}

// dropOfSession is the reason of a session that has ended.
func dropOfSession(why bgp.Why) DropReason {
	switch why {
	case bgp.WhyHoldTimer:
		return DropHold
	case bgp.WhyBFDDown:
		return DropBFD
	}
	return DropOther
}

// dropOfTunnel is the reason of an SA that is gone.
func dropOfTunnel(why vpn.Why) DropReason {
	if why == vpn.WhyDPD || why == vpn.WhyTimedOut {
		return DropDPD
	}
	return DropOther
}

// touchedByStory notes what fault i is about to do to links.
func (n *Network) touchedByStory(i int) {
	f := &n.d.Story[i]
	switch f.Kind {
	case topology.PropagationOff, topology.PropagationOn, topology.PrefixWithdraw, topology.PrefixAnnounce, topology.SessionRefresh:
		return
	}
	for j := range n.links {
		l := &n.links[j]
		if f.Link >= 0 && f.Link != j || f.Link < 0 && l.routerAt(0) != f.Router && l.routerAt(1) != f.Router {
			continue
		}
		l.health.account(n.k.Now())
		l.health.touched = true
		l.health.mended = f.Kind.Mends()
	}
}

// drops of all links in the run that has ended.
func (n *Network) drops() []Drops {
	list := n.dropList[:0]
	for i := range n.links {
		w := &n.links[i].health
		w.account(n.end)
		list = append(list, w.drops)
	}
	n.dropList = list
	return list
}
