//go:build linux

package lab

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// When a hold timer runs out depends on how old the last KEEPALIVE was when the fault came.
// Left to chance, that age spreads the gaps of a few dozen trials over seconds, and hides
// what is of interest. So the ages of the trials are spread evenly instead over those that
// chance would have given: each trial has its own, waits for a KEEPALIVE, and strikes when it
// is so old, unless the next one has come before; then it waits for that one to be so old.
// What comes afterwards is the same as at a moment that chance has chosen.

// keepaliveClock is when an end of a wire last sent a KEEPALIVE.
type keepaliveClock struct{ at atomic.Int64 }

// hear looks whether a packet is a BGP message of 19 octets, which only a KEEPALIVE is.
func (c *keepaliveClock) hear(packet []byte) {
	if len(packet) < 40 {
		return
	}
	header, length := int(packet[0]&15)*4, int(packet[2])<<8|int(packet[3])
	switch packet[0] >> 4 {
	case 4:
		if packet[9] != 6 {
			return
		}
	case 6:
		if packet[6] != 6 {
			return
		}
		header, length = 40, 40+(int(packet[4])<<8|int(packet[5]))
	default:
		return
	}
	if length > len(packet) || header+20 > length {
		return
	}
	tcp := packet[header:length]
	from, to := int(tcp[0])<<8|int(tcp[1]), int(tcp[2])<<8|int(tcp[3])
	if payload := len(tcp) - int(tcp[12]>>4)*4; payload == 19 && (from == 179 || to == 179) {
		c.at.Store(time.Now().UnixNano())
	}
}

func (c *keepaliveClock) last() time.Time { return time.Unix(0, c.at.Load()) }

// ageAt is the age, in a share of the longest interval, that a share u of all moments does
// not exceed, if intervals are uniform between a share least of the longest one and all of
// it. An age of s has a density in proportion to the probability that an interval is longer.
func ageAt(u, least float64) float64 {
	mean := (1 + least) / 2
	if u*mean <= least {
		return u * mean
	}
	// Beyond least the density falls in a straight line to nothing at 1.
	return 1 - math.Sqrt((1-u)*(1-least*least))
}

// slack is by how much an age may be missed on a busy machine.
const slack = 50 * time.Millisecond

// golden spreads the seeds of trials evenly, however many there are.
const golden = 0.6180339887498949

// await waits, from the moment due on, until the last KEEPALIVE over the link of an event is
// as old as it is to be in this trial. It returns false at once where the story does not
// leave that to chance, where there is no session, or where no KEEPALIVE can be seen.
func (g *rig) await(ctx context.Context, f *topology.Fault, due time.Time) (bool, error) {
	sender, interval, least := g.plan.aged(f)
	if interval == 0 || g.tunnels[f.Link] != nil { // on a wire with IPsec nobody can tell what is a KEEPALIVE
		return false, nil
	}
	if err := sleepUntil(ctx, due); err != nil {
		return false, err
	}
	_, u := math.Modf(float64(g.seed%1e9) * golden)
	age := time.Duration(ageAt(u, least) * float64(interval))
	clock := &g.wires[f.Link].clocks[sender]
	for until := due.Add(2 * interval); time.Now().Before(until); {
		last := clock.last()
		if late := time.Since(last) - age; late >= 0 && late < slack {
			return true, nil
		}
		// The one that is older already does not count; the next one may come before this
		// one is old enough.
		next := last.Add(age)
		if time.Now().After(next) {
			next = time.Now().Add(20 * time.Millisecond)
		}
		if err := sleepUntil(ctx, next); err != nil {
			return false, err
		}
	}
	return false, nil
}

// aged is who sends the KEEPALIVEs whose age matters to an event, and how long after one
// the next is sent (interval); 0: there are none, or the story does not leave their age to
// chance.
func (p *Plan) aged(f *topology.Fault) (sender int, longest time.Duration, least float64) {
	if f.Link < 0 {
		return 0, 0, 1
	}
	l := &p.Design.Links[f.Link]
	// The end that is left alone waits for the other one.
	if f.Router >= 0 && l.Ends[1].Router == f.Router || f.Direction == topology.FromB {
		sender = 1
	}
	longest, least = p.interval(l, sender)
	if f.At.Max()-f.At.Min() < longest {
		longest = 0
	}
	return sender, longest, least
}

// interval is the longest one between KEEPALIVEs of an end of a link, and what share of it
// the shortest one is.
func (p *Plan) interval(l *topology.Link, sender int) (longest time.Duration, least float64) {
	if !l.Ends[sender].BGP {
		return 0, 1
	}
	set := &l.Ends[sender].Settings
	longest = min(set[topology.BGPHold].Dist.Max(), l.Ends[1-sender].Settings[topology.BGPHold].Dist.Max()) / 3
	if own := set[topology.BGPKeepalive].Dist.Max(); own > 0 {
		longest = min(longest, own)
	}
	least = 1
	if j := set[topology.BGPKeepaliveJitter].Int; j > 0 {
		least = float64(j) / 1000
	}
	return longest, least
}
