package network

import (
	"math"

	"github.com/vpnsim/vpnsim/sim"
)

// Where packets are lost independently of each other and seldom, a drop is a few losses in a row, each
// of them rare: too rare to be met by waiting, and a step from one to the next is too rare for
// splitting as well. So packets are lost more often than they should (importance sampling): one
// now and then while all goes well, and most of those that would end a silence. Each draw multiplies the run's
// weight by how much more or less likely it was than it should have been, so that the weight of
// the runs with a drop, divided by all runs, is the probability that there should be one.

// Every drop has an episode: it begins with the first packet that is lost while nothing else is missing, and
// ends with the drop, or when all has come after all. Drops are counted where their episode begins, and as
// many begin in one second as in another. So packets are lost more often only in a short window, until an episode
// begins there, and in that episode; weights of little more than the losses of a drop are left.

// Tilt makes packets of one link get lost more often: BGP's segments, or with BFD BFD's packets. An episode
// begins between From and Until with probability First for each packet; while it lasts, packets are lost with
// probability Then.
type Tilt struct {
	Link        int
	BFD         bool
	From, Until sim.Time
	First, Then float64
}

type tilt struct {
	Tilt
	log   float64     // logarithm of the weight
	began [2]sim.Time // the episode that lasts; 0: none. TCP has one, BFD one for each end
	row   [2]int      // BFD: packets lost in a row
	waits bool        // TCP: retransmissions have begun
}

// RunTilted runs until the first drop of the link after t.From that comes by chance. It gives the weight of the
// run if there was one for that reason (BFD, or another one) and its episode began in the window, otherwise 0.
func (n *Network) RunTilted(seed uint64, t Tilt) (weight float64) {
	n.prepare(seed)
	x := &tilt{Tilt: t}
	n.tilted = x
	defer func() { n.tilted = nil }()
	w := &n.links[t.Link].health
	before := 0 // drops, which are none of this
	for n.k.Step(n.end) {
		if n.k.Now() < t.From {
			before = w.drops.Chance()
			continue
		}
		if w.drops.Chance() > before {
			began := x.began[0]
			if t.BFD && x.row[1] > x.row[0] {
				began = x.began[1]
			}
			if began < t.From || began >= t.Until || (w.drops.ByChance[DropBFD] > 0) != t.BFD {
				return 0
			}
			return math.Exp(x.log)
		}
		if n.k.Now() >= t.Until && !x.inWindow(0) && !x.inWindow(1) {
			return 0 // nothing has begun
		}
	}
	return 0
}

// inWindow tells whether an episode lasts that began in the window.
func (t *tilt) inWindow(i int) bool { return t.began[i] >= t.From && t.began[i] < t.Until }

// draw decides by u whether a packet is lost that is lost with probability p.
func (t *tilt) draw(u, p float64, episode int, now sim.Time) bool {
	q := p
	switch {
	case t.inWindow(episode):
		q = t.Then
	case t.began[episode] == 0 && now >= t.From && now < t.Until:
		q = t.First
	}
	if q = max(p, q); q == p || p <= 0 {
		return u < p
	}
	if u < q {
		t.log += math.Log(p / q)
		return true
	}
	t.log += math.Log((1 - p) / (1 - q))
	return false
}

// chanceTCP is chance for a segment of side from.
func (n *Network) chanceTCP(c *conn, from int, kind segKind) bool {
	t, l, e := n.tilted, &n.links[c.link], n.sessions[c.side[from].session].end
	if t == nil || t.BFD || t.Link != l.id {
		return l.chance(e)
	}
	w, now := &l.way[e], n.k.Now()
	missing := c.side[0].tries > 0 || c.side[1].tries > 0
	if began := t.began[0]; began != 0 && !missing && (t.waits || now.Sub(began) > 2*max(n.tcpTimes(c, 0).rto, n.tcpTimes(c, 1).rto)) {
		t.began[0] = 0 // all has come after all
	}
	t.waits = missing
	sender := from
	if kind == segAck {
		sender = 1 - from
	}
	if t.began[0] != 0 && c.side[sender].tries == 0 {
		return l.chance(e) // it is not about what is missing
	}
	lost := t.draw(fraction(w.losses.Uint64()), w.loss.P, 0, now)
	if lost && t.began[0] == 0 {
		t.began[0] = now
	}
	return lost
}

// chanceBFD is chanceAt for BFD's packets.
func (n *Network) chanceBFD(l *link, e int, at sim.Time) bool {
	t := n.tilted
	if t == nil || !t.BFD || t.Link != l.id {
		return l.chanceAt(e, at)
	}
	w := &l.way[e]
	lost := t.draw(fraction(w.momentary.At(uint64(at))), w.loss.P, e, at)
	switch {
	case !lost:
		t.row[e], t.began[e] = 0, 0
	case t.row[e] == 0:
		t.row[e], t.began[e] = 1, at
	default:
		t.row[e]++
	}
	return lost
}
