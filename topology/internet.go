package topology

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Internet is a graph of ASes too large for simulating every packet. Only what
// routing says and decides is (package asgraph); a Design that has one has no
// routers, links, hosts or probes of its own. In its story, a fault's Router is
// a node of the graph, and its Link an edge.
type Internet struct {
	Graph    *ASGraph
	Profile  string
	Settings Settings // of every AS; InternetKeys count
	Delay    Setting  // of every link
	Prefixes []Network
	Origin   int // the node that announces them from the start
	Pos      Pos
}

// InternetKeys are the settings that make a difference to an Internet: how
// UPDATEs are processed, chosen and passed on. The others are about sessions,
// tunnels and packets.
var InternetKeys = []Key{BGPDecision, BGPNoEcho, BGPSenderSideLoop, BGPLoopWithdraws, BGPProcessing, BGPProcessingSerial, BGPDecisionDelay, BGPMRAI, BGPMRAIMode, BGPMRAIScope,
	BGPMRAIJitter, BGPMRAIGranularity, BGPMRAIWithdrawals, BGPMRAIAfterWithdraw, BGPMRAINewPrefix, BGPFirstUpdate}

// RouterName is the name of router i, or of AS i.
func (d *Design) RouterName(i int) string {
	if d.Internet != nil {
		return d.Internet.Graph.NodeName(i)
	}
	return d.Routers[i].Name
}

// LinkName is the name of link i, or of edge i.
func (d *Design) LinkName(i int) string {
	if d.Internet != nil {
		return d.Internet.Graph.EdgeName(i)
	}
	return d.Links[i].Name
}

// NodeName is what scenarios call a node: as3356.
func (g *ASGraph) NodeName(i int) string { return "as" + strconv.FormatUint(uint64(g.ASNs[i]), 10) }

// EdgeName is what scenarios call an edge: as3356-as15169.
func (g *ASGraph) EdgeName(i int) string {
	return g.NodeName(int(g.Edges[i].A)) + "-" + g.NodeName(int(g.Edges[i].B))
}

// NodeNamed finds a node by its name.
func (g *ASGraph) NodeNamed(name string) (int, bool) {
	asn, ok := strings.CutPrefix(name, "as")
	n, err := strconv.ParseUint(asn, 10, 32)
	if !ok || err != nil {
		return 0, false
	}
	i, ok := g.Node(uint32(n))
	return i, ok && g.NodeName(i) == name
}

// EdgeNamed finds an edge by its name.
func (g *ASGraph) EdgeNamed(name string) (int, bool) {
	from, to, _ := strings.Cut(name, "-")
	a, okA := g.NodeNamed(from)
	b, okB := g.NodeNamed(to)
	if !okA || !okB {
		return 0, false
	}
	i := slices.IndexFunc(g.Edges, func(e Edge) bool { return int(e.A) == a && int(e.B) == b })
	return i, i >= 0
}

// internet checks what a Design has instead of routers and links.
func (v *validator) internet() {
	x := v.d.Internet
	v.settings(&x.Settings, nil)
	for _, k := range []Key{BGPMRAI, BGPMRAIGranularity, BGPFirstUpdate} {
		if m := &x.Settings[k]; m.Dist.IsRandom() {
			v.problem(m.Origin.Pos, "bgp.mrai_jitter makes each interval another one", "%v: %s is random, a graph of ASes has one for all", k, m.Dist)
		}
	}
	if len(v.d.Routers)+len(v.d.Links)+len(v.d.Hosts)+len(v.d.Probes) > 0 {
		v.problem(x.Pos, "", "a design is either a graph of ASes, or routers and links")
	}
	for _, n := range x.Prefixes {
		if m := n.Prefix.Masked(); m != n.Prefix {
			v.problem(n.Pos, fmt.Sprintf("write %v", m), "%v is the address of a host in a network", n.Prefix)
		}
		v.block(&n)
		v.onlyIPv4(n.Prefix, n.Pos)
	}
	for i := range v.d.Story {
		f := &v.d.Story[i]
		pos := f.AtOrigin.Pos
		switch f.Kind {
		case PrefixAnnounce, PrefixWithdraw:
			if f.Router < 0 || f.Router >= len(x.Graph.ASNs) || !f.Prefix.IsValid() {
				v.missing(f.Pos, "the story is about an AS or prefix that is not there")
			}
			v.onlyIPv4(f.Prefix, f.Pos)
		case LinkDown, LinkUp:
			if f.Link < 0 || f.Link >= len(x.Graph.Edges) {
				v.missing(f.Pos, "the story is about a link that is not there")
			}
		default:
			v.problem(f.Pos, "withdraw, announce, down and up do", "this cannot happen in a graph of ASes, of which only routing is simulated")
		}
		if f.Until == 0 && f.At.Min() >= v.d.For && v.d.For > 0 {
			v.problem(pos, fmt.Sprintf("the run ends at %v: change `for` or `at`", FormatDuration(v.d.For)), "%v never comes", f.At)
		}
	}
}

// onlyIPv4: the ASes of a graph have no addresses, so that there is nothing in
// which one family would differ from the other.
func (v *validator) onlyIPv4(p netip.Prefix, pos Pos) {
	if p.IsValid() && !p.Addr().Is4() {
		v.problem(pos, "an IPv4 prefix goes the same ways", "%v: a graph of ASes exchanges IPv4 only", p)
	}
}
