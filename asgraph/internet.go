package asgraph

import (
	"net/netip"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// Config is what holds for all ASes alike.
type Config struct {
	Rules          bgp.Ruleset // the decision process; business comes before it
	MRAI           bgp.MRAI    // towards every neighbour
	NoEcho         bool
	SenderSideLoop bool
	Delay          topology.Dist // of each message over a link
	Processing     topology.Dist // of each UPDATE, at the router that it has come to
	Serial         bool          // one after the other, so that a burst takes the sum of its times
}

// Internet is a graph that can be run, as often as one likes.
type Internet struct {
	g     *topology.ASGraph
	cfg   Config
	k     *sim.Kernel
	nodes []node
	ends  []end // of the sessions: those of node i from nodes[i].first on, in the order of its PeerIDs

	memory bgp.Memory
	rules  bgp.Ruleset
	peers  []bgp.PeerConfig // as ends
	opens  []bgp.Open       // of each node: what it says of itself
	routes []bgp.Action     // scratch

	parcels []parcel // what is under way
	free    []int32

	stepping int32 // the node being stepped, of whose random numbers the next one is
	names    names
	story    []Event
	tally    tally
}

// node is one AS.
type node struct {
	speaker bgp.Speaker
	first   int32    // of its ends
	got     uint32   // UPDATEs that have come
	drawn   uint32   // random numbers that its timers have used
	queue   uint32   // UPDATEs that have come and are not processed yet
	due     sim.Time // when the youngest of its UPDATEs is processed: they stay in order
}

// end is one end of a session.
type end struct {
	node, back int32 // whose it is; the other end
	sent       uint32
	times      uint32 // how often it has gone down: what was under way then is lost
	down       bool
	last       sim.Time // when the youngest message arrives at the other end
	timer      sim.Timer
}

// parcel is an UPDATE on its way to an end.
type parcel struct {
	msg   *bgp.Message
	to    int32
	times uint32
}

// names of the streams of random numbers; node or end i has that plus i.
type names struct{ delay, processing, timers, ticks, clock sim.Name }

// New builds an Internet.
func New(g *topology.ASGraph, cfg Config) *Internet {
	n := &Internet{g: g, cfg: cfg, k: sim.New(0), rules: cfg.ruleset(), names: names{
		sim.StreamName("asgraph/delay"), sim.StreamName("asgraph/processing"), sim.StreamName("asgraph/timers"),
		sim.StreamName("asgraph/ticks"), sim.StreamName("asgraph/clock"),
	}}
	n.k.Add(n)
	n.nodes = make([]node, len(g.ASNs)+1) // the last one is only where the ends end
	for _, e := range g.Edges {
		n.nodes[e.A+1].first++
		n.nodes[e.B+1].first++
	}
	for i := 1; i < len(n.nodes); i++ {
		n.nodes[i].first += n.nodes[i-1].first
	}
	n.opens = make([]bgp.Open, len(g.ASNs))
	for i, asn := range g.ASNs {
		n.opens[i] = bgp.Open{Version: 4, AS: asn, ID: Address(i), FourOctetAS: true}
	}
	n.ends = make([]end, 2*len(g.Edges))
	n.peers = make([]bgp.PeerConfig, 2*len(g.Edges))
	groups := cfg.groups()
	next := make([]int32, len(g.ASNs))
	for _, e := range g.Edges {
		a, b := n.nodes[e.A].first+next[e.A], n.nodes[e.B].first+next[e.B]
		next[e.A]++
		next[e.B]++
		n.ends[a], n.ends[b] = end{node: e.A, back: b}, end{node: e.B, back: a}
		toB, toA := views(e.Rel)
		n.peers[a], n.peers[b] = n.peer(e.A, e.B, toB, groups), n.peer(e.B, e.A, toA, groups)
	}
	return n
}

// Address of node i, the only one it has: it is its BGP identifier too, so the
// lower number wins where nothing else decides.
func Address(i int) netip.Addr {
	i += 0xC6120001 // 198.18.0.1
	return netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
}

func (n *Internet) peer(me, other int32, relation int, groups [numRelations]*bgp.PeerGroup) bgp.PeerConfig {
	return bgp.PeerConfig{AS: n.g.ASNs[other], Weight: relationOf[relation].weight,
		Addr: n.opens[other].ID, Local: n.opens[me].ID, PeerGroup: groups[relation]}
}

// Speaker of node i, as the last run left it.
func (n *Internet) Speaker(i int) *bgp.Speaker { return &n.nodes[i].speaker }

// PeerOf is the node that node i knows under that PeerID.
func (n *Internet) PeerOf(i int, p bgp.PeerID) int {
	return int(n.ends[n.ends[n.nodes[i].first+int32(p)].back].node)
}

// LinkOf is the name of the link to the neighbour that node i knows under that
// PeerID.
func (n *Internet) LinkOf(i int, p bgp.PeerID) string {
	other := n.PeerOf(i, p)
	for e, x := range n.g.Edges {
		if int(x.A) == i && int(x.B) == other || int(x.A) == other && int(x.B) == i {
			return n.g.EdgeName(e)
		}
	}
	return ""
}
