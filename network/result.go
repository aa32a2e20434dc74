package network

import (
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// Result of a run. It refers to memory of the Network, and is valid until the
// next run.
type Result struct {
	Seed   uint64
	Digest uint64
	Events uint64
	End    sim.Time
	Probes []ProbeResult
	n      *Network
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
	res := &Result{Seed: n.k.Seed(), Digest: n.k.Digest(), Events: n.handled(), End: n.end, n: n}
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

func (n *Network) handled() uint64 { return uint64(n.k.Handled()) }

// Session tells the state of the session of router r over a link at the end of
// the run.
func (n *Network) Session(link, end int) (bgp.State, time.Duration, time.Duration, bool) {
	i := n.links[link].sessions[end]
	if i < 0 {
		return 0, 0, 0, false
	}
	m := n.sessions[i].m
	return m.State(), m.Hold(), m.KeepaliveInterval(), true
}

// Offer is the hold time that the end of a link offers in this run.
func (n *Network) Offer(link, end int) time.Duration {
	return n.sessions[n.links[link].sessions[end]].config.Hold
}

// Speaker of a router, to be asked at the end of a run, or at an instant after RunTo.
func (n *Network) Speaker(router int) *bgp.Speaker { return n.routers[router].speaker }

// LinkOf is the link over which router's peer is reached.
func (n *Network) LinkOf(router int, peer bgp.PeerID) int {
	return n.sessions[n.routers[router].sessions[peer]].link
}

// FaultTime is when fault i of the story happens in this run.
func (n *Network) FaultTime(i int) sim.Time { return n.faults[i].at }

// Design that the network was made from.
func (n *Network) Design() *topology.Design { return n.d }
