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
	LoopUnsaid     bool
	Delay          topology.Dist // of each message over a link
	Processing     topology.Dist // of each UPDATE, at the router that it has come to
	Serial         bool          // one after the other, so that a burst takes the sum of its times
	DecisionDelay  topology.Dist // from the first news about a route to the decision; 0: a decision after each UPDATE
}

// Internet is a graph that can be run, as often as one likes.
type Internet struct {
	g        *topology.ASGraph
	cfg      Config
	k        *sim.Kernel
	nodes    []node
	speakers []bgp.Speaker
	first    []int32 // the ends of node i's sessions are those from first[i] to first[i+1], in the order of its PeerIDs

	ends  []end
	gates []gate // of each end; nil as long as nothing waits for a timer
	down  []bool // ends whose link is down; nil as long as none is

	memory bgp.Memory
	rules  bgp.Ruleset
	peers  []*bgp.PeerConfig // as ends
	opens  []bgp.Open        // of each node: what it says of itself
	routes []bgp.Action      // scratch

	parcels []parcel // what is under way
	free    []int32

	coming    []coming // UPDATEs that were sent at this instant (foretell.go)
	foretells bool
	until     sim.Time // the end of the run

	ahead ahead

	stepping int32 // the node being stepped, of whose random numbers the next one is
	names    names
	story    []Event
	tally    tally
}

// node is what there is of an AS beside its speaker.
type node struct {
	got   uint32   // UPDATEs that have come
	drawn uint32   // random numbers that its timers have used
	queue uint32   // UPDATEs that have come and are not processed yet, unless foretells
	waits uint32   // decisions that have been asked for
	due   sim.Time // when the youngest of its UPDATEs is processed: they stay in order
}

// end of a session.
type end struct {
	owner int32    // its node
	sent  uint32   // UPDATEs so far, …
	last  sim.Time // … and when the youngest arrives, if delays are random
	back  place    // the other end
}

// gate is the advertisement timer of an end. It is an event only if something
// waits for it; then it stands where it would have stood had it always been one.
type gate struct {
	timer sim.Timer
	place sim.Place
}

// place of an end: its node, and what that calls the session.
type place struct {
	node int32
	peer bgp.PeerID
}

// parcel is an UPDATE on its way to an end.
type parcel struct {
	msg *bgp.Message // nil: it is lost, since the link has gone down
	to  place
}

// names of the streams of random numbers; node or end i has that plus i.
type names struct{ delay, processing, timers, ticks, clock, decisions sim.Name }

// New builds an Internet.
func New(g *topology.ASGraph, cfg Config) *Internet {
	n := &Internet{g: g, cfg: cfg, k: sim.New(0), rules: cfg.ruleset(), names: names{
		sim.StreamName("asgraph/delay"), sim.StreamName("asgraph/processing"), sim.StreamName("asgraph/timers"),
		sim.StreamName("asgraph/ticks"), sim.StreamName("asgraph/clock"), sim.StreamName("asgraph/decisions"),
	}}
	n.k.AddOthers(n) // the story, and each node: actorOf
	n.nodes = make([]node, len(g.ASNs))
	n.speakers = make([]bgp.Speaker, len(g.ASNs))
	n.first = make([]int32, len(g.ASNs)+1)
	for _, e := range g.Edges {
		n.first[e.A+1]++
		n.first[e.B+1]++
	}
	for i := range g.ASNs {
		n.first[i+1] += n.first[i]
	}
	n.opens = make([]bgp.Open, len(g.ASNs))
	for i, asn := range g.ASNs {
		n.opens[i] = bgp.Open{Version: 4, AS: asn, ID: Address(i), FourOctetAS: true}
	}
	n.foretells = !cfg.Delay.IsRandom() && cfg.Delay.A > 0
	ends := 2 * len(g.Edges)
	if ends > fitsInCaches {
		n.k.Foresee(n)
	}
	n.ends = make([]end, ends)
	n.peers = make([]*bgp.PeerConfig, ends)
	configs := n.configs()
	next := append([]int32(nil), n.first...)
	for _, e := range g.Edges {
		a, b := next[e.A], next[e.B]
		next[e.A]++
		next[e.B]++
		atA, atB := place{e.A, bgp.PeerID(a - n.first[e.A])}, place{e.B, bgp.PeerID(b - n.first[e.B])}
		n.ends[a], n.ends[b] = end{owner: e.A, back: atB}, end{owner: e.B, back: atA}
		toB, toA := views(e.Rel)
		n.peers[a], n.peers[b] = configs(e.B, toB), configs(e.A, toA)
	}
	return n
}

// configs makes what neighbours know about each node beforehand. It is the same for all to
// whom the node is the same, a customer, a peer or a provider, and made once for them.
func (n *Internet) configs() func(node int32, relation int) *bgp.PeerConfig {
	groups, made, room := n.cfg.groups(), make([][numRelations]*bgp.PeerConfig, len(n.g.ASNs)), []bgp.PeerConfig(nil)
	return func(node int32, relation int) *bgp.PeerConfig {
		c := &made[node][relation]
		if *c == nil {
			if len(room) == 0 {
				room = make([]bgp.PeerConfig, min(len(n.g.ASNs), 1<<10))
			}
			*c, room = &room[0], room[1:]
			**c = bgp.PeerConfig{AS: n.g.ASNs[node], Weight: relationOf[relation].weight, Addr: n.opens[node].ID, PeerGroup: groups[relation]}
		}
		return *c
	}
}

// Address of node i, the only one it has: it is its BGP identifier too, so the
// lower number wins where nothing else decides.
func Address(i int) netip.Addr {
	i += 0xC6120001 // 198.18.0.1
	return netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
}

// endAt is the end that is at p.
func (n *Internet) endAt(p place) int32 { return n.first[p.node] + int32(p.peer) }

// Speaker of node i, as the last run left it.
func (n *Internet) Speaker(i int) *bgp.Speaker { return &n.speakers[i] }

// PeerOf is the node that node i knows under that PeerID.
func (n *Internet) PeerOf(i int, p bgp.PeerID) int {
	return int(n.ends[n.first[i]+int32(p)].back.node)
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
