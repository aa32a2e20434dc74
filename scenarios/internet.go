package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
	"go.yaml.in/yaml/v4"
)

// An AS graph that is too large for simulating every packet is not made into
// routers and links. It stays what it is, and only what routing says and decides
// is simulated: the control plane. Everything that needs a packet is refused.

const (
	// MaxASes and MaxEdges are what such a graph may have: somewhat more than the
	// Internet, whose ASes are 80,000.
	MaxASes  = 200_000
	MaxEdges = 2_000_000
)

// tooLargeForAll says what to do about a graph that is too large even so.
const tooLargeForAll = "generate a smaller one: each AS takes two kilobytes and more"

// controlPlane is how messages call it.
func controlPlane(g *topology.ASGraph) string {
	return fmt.Sprintf("of a graph of %d ASes and %d links the control plane only is simulated", len(g.ASNs), len(g.Edges))
}

const smallerGraph = "remove it, or generate a graph of at most 500 ASes"

// large tells whether the graph is too large to become routers and links.
func large(g *topology.ASGraph) bool { return len(g.ASNs) > MaxRouters || len(g.Edges) > MaxLinks }

// internet makes the graph a part of the design as it is.
func (g *grower) internet() {
	l := g.l
	x := &topology.Internet{Graph: g.graph, Pos: l.pos(g.at), Origin: g.origin()}
	if n := g.o.get("hosts"); n != nil {
		l.error(g.o.keyNode("hosts"), smallerGraph, "there are no hosts: %s", controlPlane(g.graph))
	}
	name := g.o.get("profile")
	if name == nil {
		name = g.scalar(defaultProfile)
	}
	x.Profile, x.Settings = l.profile(name)
	l.platform = x.Profile
	l.settings(g.o, &x.Settings, groups)
	l.platform = ""
	x.Prefixes = l.networks(g.o.get("prefix"), "prefix")
	var link topology.Link
	if g.o.get("rtt") == nil && g.o.get("delay") == nil {
		d, _ := topology.ParseDist(defaultDelay)
		link.Delay = topology.Setting{Value: topology.Value{Dist: d}, Set: true}
	} else {
		l.delay(g.o, &link)
	}
	x.Delay = link.Delay
	l.d.Internet = x
}

// withoutPackets refuses what a graph of ASes cannot have.
func (l *loader) withoutPackets(o *object) {
	for _, key := range []string{"routers", "hosts", "links", "tunnels", "probe", "probes", "watch"} {
		if o.get(key) != nil {
			l.error(o.keyNode(key), smallerGraph, "there can be no %s: %s", key, controlPlane(l.d.Internet.Graph))
		}
	}
}

// routerNamed finds a router, or an AS, by its name; -1: there is none.
func (l *loader) routerNamed(n *yaml.Node) int {
	if l.d.Internet == nil {
		return l.oneOf(n, "router", l.routers, l.routerNames)
	}
	return l.inGraph(n, "AS", "as3356", l.d.Internet.Graph.NodeNamed)
}

// linkNamed finds a link or tunnel, or an edge of the graph.
func (l *loader) linkNamed(n *yaml.Node) int {
	if l.d.Internet == nil {
		return l.oneOf(n, "link or tunnel", l.links, l.linkNames)
	}
	return l.inGraph(n, "link", "as3356-as15169, the provider first", l.d.Internet.Graph.EdgeNamed)
}

func (l *loader) inGraph(n *yaml.Node, what, example string, named func(string) (int, bool)) int {
	name, ok := l.text(n, what)
	if !ok {
		return -1
	}
	i, ok := named(name)
	if ok {
		return i
	}
	help := "names are like " + example
	if a, b, two := strings.Cut(name, "-"); two {
		if _, ok := named(b + "-" + a); ok {
			help = fmt.Sprintf("did you mean %q?", b+"-"+a)
		}
	}
	l.error(n, help, "the graph has no %s %q", what, name)
	return -1
}

// internetVerbs can happen in a graph of ASes.
var internetVerbs = []topology.FaultKind{topology.PrefixWithdraw, topology.PrefixAnnounce, topology.LinkDown, topology.LinkUp}

// happens tells whether a verb can happen here, and says so if not.
func (l *loader) happens(o *object, v verb) bool {
	if l.d.Internet == nil || slices.Contains(internetVerbs, v.kind) {
		return true
	}
	l.error(o.keyNode(v.word), "withdraw, announce, down and up can happen", "%s: nothing can %s here: %s", o.what, v.word, controlPlane(l.d.Internet.Graph))
	return false
}

// internet warns of what is probably not meant in a graph of ASes.
func (l *linter) internet() {
	x := l.d.Internet
	if len(x.Prefixes) == 0 && !slices.ContainsFunc(l.d.Story, func(f topology.Fault) bool { return f.Kind == topology.PrefixAnnounce }) {
		l.warn(x.Pos, "write prefix: 10.0.0.0/24", "nobody announces anything")
	}
}

// internet lists what a run of a graph of ASes uses.
func (t *table) internet() {
	x := t.d.Internet
	t.add("generate.profile", x.Profile, "")
	for _, k := range topology.InternetKeys {
		t.add("generate."+k.String(), x.Settings[k].Format(k), x.Settings[k].Origin.String())
	}
	t.add("generate.delay", x.Delay.Dist.String(), place(x.Delay.Origin.Pos))
	for i, n := range x.Prefixes {
		t.add(fmt.Sprintf("generate.prefix[%d]", i), n.String(), place(n.Pos))
	}
	t.add("generate.origin", x.Graph.NodeName(x.Origin), "")
}
