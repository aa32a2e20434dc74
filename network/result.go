package network

import (
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
	Probes []ProbeResult
	Wire   []error // what did not survive the way through bytes (Options.Wire)
}

// ProbeResult is what became of a ping.
type ProbeResult struct {
	Sent    int             // requests whose fate is known
	RTT     []time.Duration // by sequence number - 1; 0: lost
	TTL     []uint8
	Outages []Outage
	p       *probe
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

// underWay is how long before the end of the run a request must have been sent
// for its fate to count.
const underWay = time.Second

func (n *Network) result() *Result {
	res := &Result{Seed: n.k.Seed(), Digest: n.k.Digest(), Events: uint64(n.k.Handled()), End: n.end, Wire: n.wire.errs}
	for i := range n.probes {
		p := &n.probes[i]
		sent := p.sent
		for sent > 0 && p.rtt[sent-1] == 0 && p.sentAt(sent).Add(underWay) > n.end {
			sent--
		}
		res.Probes = append(res.Probes, ProbeResult{Sent: sent, RTT: p.rtt[:sent], TTL: p.ttl[:sent], Outages: p.outages(n.end), p: p})
	}
	return res
}
