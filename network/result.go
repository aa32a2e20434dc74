package network

import (
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/sim"
)

// Result of a run. It refers to memory of the Network, and is valid until the
// next run.
type Result struct {
	Seed   uint64
	Digest uint64
	Events uint64
	End    sim.Time
	Cut    bool // it ended before its time: routing did not come to rest
	Probes []ProbeResult
	// Reactions are how routing reacted (Options.Convergence): first while the
	// network came up, then to each fault; prefix by prefix.
	Reactions []Reaction
	// Forwarding is that of the pairs that were watched (Options.Watch).
	Forwarding []Forwarding
	Drops      []Drops // by link
	Stalls     int     // of all routers
	Ending     Ending  // how routing stands now (Options.Convergence)
	Wire       []error // what did not survive the way through bytes (Options.Wire)
}

// ProbeResult is what became of a ping.
type ProbeResult struct {
	Sent    int             // requests whose fate is known
	RTT     []time.Duration // by sequence number - 1; 0: lost
	TTL     []uint8
	Outages []Outage
	// LongestTrip bounds a round trip: how long before an outage a request may
	// have left that is lost in it.
	LongestTrip time.Duration
	p           *probe
}

// SentAt is when the request with that sequence number left.
func (p *ProbeResult) SentAt(seq int) sim.Time { return p.p.sentAt(seq) }

// Lost counts requests without a reply.
func (p *ProbeResult) Lost() int {
	n := 0
	for _, r := range p.RTT {
		if r == 0 {
			n++
		}
	}
	return n
}

// longestTrip bounds a round trip: twice the slowest links that a path without
// a loop can have, and at least a second. A request that has been under way for
// less when the run ends does not count.
func (n *Network) longestTrip() time.Duration {
	var delays []time.Duration
	for i := range n.d.Links {
		delays = append(delays, n.d.Links[i].Delay.Dist.Max())
	}
	slices.Sort(delays)
	slices.Reverse(delays)
	trip := time.Duration(0)
	for _, d := range delays[:min(len(delays), len(n.routers)-1)] {
		trip += 2 * d
	}
	return max(trip, time.Second)
}

func (n *Network) result() *Result {
	res := &Result{Seed: n.k.Seed(), Digest: n.k.Digest(), Events: uint64(n.k.Handled()), End: n.end, Cut: n.activity.over, Wire: n.wire.errs, Drops: n.drops()}
	for i := range n.routers {
		res.Stalls += int(n.routers[i].stalls)
	}
	if n.truth != nil {
		for i := range n.truth.pairs {
			w := &n.truth.pairs[i]
			w.close(n.end)
			res.Forwarding = append(res.Forwarding, w.Forwarding)
		}
	}
	if n.tally != nil {
		n.closeReactions()
		res.Reactions, res.Ending = n.tally.list, n.ending()
	}
	for i := range n.probes {
		p := &n.probes[i]
		sent := p.sent
		for sent > 0 && p.rtt[sent-1] == 0 && p.sentAt(sent).Add(n.longest) > n.end {
			sent--
		}
		res.Probes = append(res.Probes, ProbeResult{Sent: sent, RTT: p.rtt[:sent], TTL: p.ttl[:sent], Outages: p.outages(n.end), LongestTrip: n.longest, p: p})
	}
	return res
}
