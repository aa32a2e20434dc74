package scenarios

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
	"go.yaml.in/yaml/v4"
)

// generate: writes routers, links and hosts into the scenario before it is
// read, so that everything that can be said about written ones can be said
// about them: in the story, in expectations, with --set routers.r3.bgp.mrai=5s.
//
//	generate:
//	  clique: 4                # or chain, ring, b-clique, tree, as-graph
//	  profile: frr             # and settings, as a router has them: for all of them
//	  delay: 10ms              # or rtt: of every link
//	  prefix: 10.0.0.0/24      # announced by origin, which is the first router unless it says otherwise
//	  hosts: [r1, r4]          # machines h1 and h4, for probes
//
// Routers are called r1, r2, …, those of an AS graph as3356, …; the link
// between r1 and r2 is called r1-r2, the lesser number first. What the file says itself about one of
// them goes over what was generated: routers: {r3: {profile: bird}}.
//
// Addresses are private or for documentation and depend on nothing but the
// number of the router or link: identifiers from 198.18.0.1 on (RFC 2544),
// links from 100.64.0.0/31 on (RFC 6598), networks of hosts 10.128.N.0/24.

const (
	// MaxRouters and MaxLinks are what a scenario may generate: every session,
	// timer and packet is simulated one by one, and a link with its two
	// sessions takes some 50 KB.
	MaxRouters = 500
	MaxLinks   = 5000

	defaultProfile = "rfc4271"
	defaultDelay   = "10ms"
)

// tooLarge says what to do about a graph that is.
const tooLarge = "generate a smaller one: sessions, timers and packets of each router are simulated one by one"

// shapes are the graphs, in the order in which they are listed.
var shapes = []string{"clique", "chain", "ring", "b-clique", "tree", "as-graph"}

// generateKeys are the others.
var generateKeys = []string{"profile", "rtt", "delay", "prefix", "origin", "hosts"}

// grower writes the generated part of the tree.
type grower struct {
	l     *loader
	at    *yaml.Node // where the file asks for it
	graph *topology.ASGraph
	names []string
	o     *object
}

// generate does what the section of that name asks for. Where it cannot, it
// says why and tells so: all the rest refers to what is not there.
func (l *loader) generate(root *yaml.Node) bool {
	section := find(root, "generate")
	if section == nil {
		return true
	}
	if isNull(section) {
		l.error(section, "write generate: {clique: 4}", "generate has no value")
		return false
	}
	o := l.object(section, "generate")
	if o == nil {
		return false
	}
	before := len(l.diags)
	g := &grower{l: l, o: o}
	g.shape()
	switch {
	case g.graph == nil:
	case large(g.graph):
		g.name()
		g.internet()
	default:
		g.name()
		g.routers(root)
		g.links(root)
		g.hosts(root)
	}
	o.close()
	l.d.Generated = l.pos(section)
	return !Failed(l.diags[before:])
}

// shape finds the one graph that is asked for, and makes it.
func (g *grower) shape() {
	var found []string
	for _, s := range shapes {
		if n := g.o.get(s); n != nil {
			found = append(found, s)
			g.at = n
		}
	}
	for _, k := range slices.Concat(generateKeys, groups) {
		g.o.get(k)
	}
	switch {
	case len(found) == 0:
		if slices.ContainsFunc(g.o.keys, func(k *yaml.Node) bool { return !g.o.taken[k.Value] }) {
			return // what was meant will be said to be unknown
		}
		g.l.error(g.o.at, "write one of clique: 4, chain: 4, ring: 4, b-clique: 4, tree: {depth: 2, fanout: 3}, as-graph: {file: F}", "generate does not say which graph")
		return
	case len(found) > 1:
		g.l.error(g.o.keyNode(found[1]), "keep one of them", "generate asks for both %s and %s", found[0], found[1])
		return
	}
	switch found[0] {
	case "tree":
		g.tree()
	case "as-graph":
		g.asGraph()
	default:
		g.sized(found[0])
	}
	if g.graph == nil {
		return
	}
	routers, links, help := MaxRouters, MaxLinks, tooLarge
	if found[0] == "as-graph" {
		routers, links, help = MaxASes, MaxEdges, tooLargeForAll
	}
	if n := len(g.graph.ASNs); n > routers {
		g.l.error(g.at, help, "%d routers are more than %d", n, routers)
		g.graph = nil
	} else if n := len(g.graph.Edges); n > links {
		g.l.error(g.at, help, "%d links are more than %d", n, links)
		g.graph = nil
	}
}

// sized are the graphs that need a number only.
func (g *grower) sized(shape string) {
	n, ok := g.l.integer(g.at, shape, math.MinInt32, math.MaxInt32)
	if !ok {
		return
	}
	routers, least := n, int64(2)
	switch shape {
	case "b-clique":
		routers *= 2
	case "ring":
		least = 3
	}
	switch {
	case n < least:
		g.l.error(g.at, "", "%s: %d is less than %d", shape, n, least)
		return
	case routers > MaxRouters:
		g.l.error(g.at, tooLarge, "%d routers are more than %d", routers, MaxRouters)
		return
	}
	g.graph = map[string]func(int) *topology.ASGraph{"clique": topology.Clique, "chain": topology.Chain, "ring": topology.Ring, "b-clique": topology.BClique}[shape](int(n))
}

func (g *grower) tree() {
	o := g.l.object(g.at, "tree")
	if o == nil {
		return
	}
	depth, ok1 := g.l.integer(o.need("depth", "write {depth: 2, fanout: 3}"), "depth", 1, MaxRouters)
	fanout, ok2 := g.l.integer(o.need("fanout", "write {depth: 2, fanout: 3}"), "fanout", 1, MaxRouters)
	o.close()
	if !ok1 || !ok2 {
		return
	}
	if n := topology.TreeSize(int(depth), int(fanout)); n > MaxRouters {
		g.l.error(g.at, tooLarge, "a tree of %d levels below its root with %d children each has more than %d routers", depth, fanout, MaxRouters)
		return
	}
	g.graph = topology.Tree(int(depth), int(fanout))
}

// asGraph reads an AS graph from a file, or makes one up.
func (g *grower) asGraph() {
	o := g.l.object(g.at, "as-graph")
	if o == nil {
		return
	}
	var sources []string
	for _, s := range []string{"file", "relations", "synthetic"} {
		if o.get(s) != nil {
			sources = append(sources, s)
		}
	}
	synthetic, seed := o.get("synthetic"), o.get("seed")
	switch {
	case len(sources) > 1:
		g.l.error(o.keyNode(sources[1]), "keep one of them", "as-graph has both %s and %s", sources[0], sources[1])
	case synthetic == nil && seed != nil:
		g.l.error(o.keyNode("seed"), "remove it", "only a synthetic as-graph is drawn")
	case o.get("file") != nil:
		g.graph = g.l.relationFile(o.get("file"))
	case o.get("relations") != nil:
		g.graph = g.l.relations(o.get("relations"))
	case synthetic != nil:
		n, ok := g.l.integer(synthetic, "synthetic", 2, 1<<31-1)
		s, okSeed := int64(1), true
		if seed != nil {
			s, okSeed = g.l.integer(seed, "seed", 0, 1<<62)
		}
		switch {
		case !ok || !okSeed:
		case n > MaxASes:
			g.l.error(synthetic, tooLargeForAll, "%d routers are more than %d", n, MaxASes)
		default:
			g.graph = topology.SyntheticAS(int(n), uint64(s))
		}
	default:
		g.l.error(g.at, "write {file: as-rel.txt}, {synthetic: 100, seed: 1}, or relations: and provider|customer|-1, peer|peer|0", "as-graph does not say which")
	}
	o.close()
}

// relations reads what stands in the scenario itself.
func (l *loader) relations(n *yaml.Node) *topology.ASGraph {
	text, ok := l.text(n, "relations")
	if !ok {
		return nil
	}
	graph, problems := topology.ParseASRelations(l.file, []byte(text))
	for _, p := range problems {
		pos := l.pos(n)
		if n.Style&yaml.LiteralStyle != 0 && pos.Line > 0 && p.Pos.Line > 0 {
			pos.Line, pos.Col = pos.Line+p.Pos.Line, 1 // the text begins below the |
		}
		l.report(pos, p.Help, "%s", p.Message)
	}
	return graph
}

// relationFile reads the file that n names.
func (l *loader) relationFile(n *yaml.Node) *topology.ASGraph {
	name, ok := l.text(n, "file")
	if !ok {
		return nil
	}
	data, err := l.readFile(name)
	if err != nil {
		l.error(n, "the name counts from the scenario's folder", "%s cannot be read: %v", name, err)
		return nil
	}
	graph, problems := topology.ParseASRelations(name, data)
	for _, p := range problems {
		l.report(p.Pos, p.Help, "%s", p.Message)
	}
	return graph
}

func (g *grower) name() {
	prefix := "r"
	if find(g.o.at, "as-graph") != nil {
		prefix = "as"
	}
	g.names = make([]string, len(g.graph.ASNs))
	for i := range g.names {
		number := i + 1
		if prefix == "as" {
			number = int(g.graph.ASNs[i])
		}
		g.names[i] = prefix + strconv.Itoa(number)
	}
}

// scalar is a node that nobody wrote: its place is where the graph was asked for.
func (g *grower) scalar(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: g.at.Line, Column: g.at.Column}
	if path, ok := g.l.set[g.at]; ok {
		g.l.set[n] = path
	}
	return n
}

func (g *grower) mapping() *yaml.Node {
	n := g.scalar("")
	n.Kind, n.Tag = yaml.MappingNode, "!!map"
	return n
}

func (g *grower) add(to *yaml.Node, key string, value *yaml.Node) {
	to.Content = append(to.Content, g.scalar(key), value)
}

// copy is n once more, with all that is known of it: each router has nodes of
// its own, so that --set can change one of them.
func (l *loader) copy(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = nil
	for _, child := range n.Content {
		c.Content = append(c.Content, l.copy(child))
	}
	if path, ok := l.set[n]; ok {
		l.set[&c] = path
	}
	if was, ok := l.replaced[n]; ok {
		l.replaced[&c] = was
	}
	return &c
}

// place puts what was generated into a section of the scenario.
func (g *grower) place(root *yaml.Node, section string, generated *yaml.Node) {
	for k := 0; k+1 < len(root.Content); k += 2 {
		if root.Content[k].Value == section {
			root.Content[k+1] = over(root.Content[k+1], generated)
			return
		}
	}
	g.add(root, section, generated)
}

// over lays what the file says over what was generated. Generated names come
// first, in the order of their numbers.
func over(written, generated *yaml.Node) *yaml.Node {
	switch {
	case written == nil, isNull(written):
		return generated
	case written.Kind != yaml.MappingNode || generated.Kind != yaml.MappingNode:
		return written
	}
	rest := slices.Clone(written.Content)
	var content []*yaml.Node
	for k := 0; k+1 < len(generated.Content); k += 2 {
		key, value := generated.Content[k], generated.Content[k+1]
		for j := 0; j+1 < len(rest); j += 2 {
			if rest[j].Value == key.Value {
				key, value = rest[j], over(rest[j+1], value)
				rest = slices.Delete(rest, j, j+2)
				break
			}
		}
		content = append(content, key, value)
	}
	written.Content = append(content, rest...)
	return written
}

// routers writes one for each node.
func (g *grower) routers(root *yaml.Node) {
	prefix, origin := g.o.get("prefix"), g.origin()
	common := g.mapping()
	if p := g.o.get("profile"); p == nil {
		g.add(common, "profile", g.scalar(defaultProfile))
	} else {
		g.add(common, "profile", p)
	}
	for _, group := range groups {
		if n := g.o.get(group); n != nil {
			common.Content = append(common.Content, g.o.keyNode(group), n)
		}
	}
	hosts := g.wanted()
	section := g.mapping()
	for i, name := range g.names {
		r := g.l.copy(common)
		g.add(r, "asn", g.scalar(strconv.FormatUint(uint64(g.graph.ASNs[i]), 10)))
		g.add(r, "id", g.scalar(address(198, 18, i+1).String()))
		switch {
		case i == origin && prefix != nil:
			g.add(r, "networks", g.l.copy(prefix))
		case hosts[i] != nil:
			g.add(r, "networks", g.scalar(netip.PrefixFrom(hostNet(i), 24).String()))
		}
		g.add(section, name, r)
	}
	g.place(root, "routers", section)
}

// address is a.b.0.0 plus n.
func address(a, b byte, n int) netip.Addr {
	return netip.AddrFrom4([4]byte{a, b + byte(n>>16), byte(n >> 8), byte(n)})
}

// hostNet is the network of node i's host, where it has none that is given.
func hostNet(i int) netip.Addr { return address(10, 128, (i+1)<<8) }

// origin is the node that announces the prefix.
func (g *grower) origin() int {
	n := g.o.get("origin")
	if n == nil {
		return 0
	}
	if g.o.value["prefix"] == nil {
		g.l.error(n, "write prefix: 10.0.0.0/24", "generate has an origin, and no prefix that it could announce")
	}
	return g.node(n)
}

// node finds the node of which n is the name.
func (g *grower) node(n *yaml.Node) int {
	name, ok := g.l.text(n, "a router")
	if !ok {
		return -1
	}
	i := slices.Index(g.names, name)
	if i < 0 {
		g.l.error(n, didYouMean(name, g.names), "no generated router is called %q", name)
	}
	return i
}

// wanted are the nodes that get a host, and where the file asks for each.
func (g *grower) wanted() map[int]*yaml.Node {
	wanted := map[int]*yaml.Node{}
	g.l.list(g.o.get("hosts"), "hosts", func(n *yaml.Node) {
		if i := g.node(n); i >= 0 {
			wanted[i] = n
		}
	})
	return wanted
}

// hosts writes those that are asked for, h3 for r3. Each has the first address
// but one of its network.
func (g *grower) hosts(root *yaml.Node) {
	section := g.mapping()
	wanted := g.wanted()
	for i, name := range g.names {
		if wanted[i] == nil {
			continue
		}
		addr := hostNet(i)
		if r := find(find(root, "routers"), name); r != nil {
			if first := find(r, "networks"); first != nil {
				if first.Kind == yaml.SequenceNode && len(first.Content) > 0 {
					first = first.Content[0]
				}
				if p, err := netip.ParsePrefix(first.Value); err == nil {
					addr = p.Masked().Addr()
				}
			}
		}
		h := g.mapping()
		g.add(h, "on", g.scalar(name))
		g.add(h, "ip", g.scalar(addr.Next().Next().String()))
		g.add(section, "h"+strings.TrimLeft(name, "ras"), h)
	}
	if len(section.Content) > 0 {
		g.place(root, "hosts", section)
	}
}

// links writes one for each edge.
func (g *grower) links(root *yaml.Node) {
	section := g.mapping()
	rtt, delay := g.o.get("rtt"), g.o.get("delay")
	if rtt != nil && delay != nil {
		g.l.error(g.o.keyNode("delay"), "keep one of them", "generate has both rtt and delay")
		return
	}
	written := map[string]*yaml.Node{}
	if links := find(root, "links"); links != nil {
		for k := 0; k+1 < len(links.Content); k += 2 {
			written[links.Content[k].Value] = links.Content[k+1]
		}
	}
	for i, e := range g.graph.Edges {
		nodes := [2]int32{min(e.A, e.B), max(e.A, e.B)}
		ends := [2]string{g.names[nodes[0]], g.names[nodes[1]]}
		name := ends[0] + "-" + ends[1]
		w := written[name]
		if back := written[ends[1]+"-"+ends[0]]; back != nil {
			g.l.error(back, "", "the link between %s and %s is called %q", ends[1], ends[0], name)
		}
		link := g.mapping()
		for k, router := range ends {
			end := g.mapping()
			g.add(end, "inside", g.scalar(netip.PrefixFrom(address(100, 64, 2*i+k), 31).String()))
			g.policies(end, e, nodes[k])
			g.add(link, router, end)
		}
		switch {
		case w != nil && (find(w, "rtt") != nil || find(w, "delay") != nil): // the file says it
		case rtt != nil:
			link.Content = append(link.Content, g.o.keyNode("rtt"), g.l.copy(rtt))
		case delay != nil:
			link.Content = append(link.Content, g.o.keyNode("delay"), g.l.copy(delay))
		default:
			g.add(link, "delay", g.scalar(defaultDelay))
		}
		g.add(section, name, link)
	}
	g.place(root, "links", section)
}

// What Gao and Rexford (2001) found that providers do, and what makes BGP
// converge if all do it: routes of customers are preferred to those of peers,
// and those to routes of providers; and only routes of customers (and one's
// own) are passed on to peers and providers, since nobody pays for others. A
// community says of a route that it is no customer's. It only ever travels
// down, from providers to customers, and so need not be taken off.
const (
	peerPref     = "90" // customers and one's own have the default, 100
	providerPref = "80"
	notCustomers = "64600:1"
)

// policies writes the policy of one end of an edge, at a node.
func (g *grower) policies(end *yaml.Node, e topology.Edge, node int32) {
	pref := peerPref
	switch {
	case e.Rel == topology.Unrelated, e.Rel == topology.Customer && node == e.A:
		return
	case e.Rel == topology.Customer:
		pref = providerPref
	}
	in, out := g.mapping(), g.mapping()
	g.add(in, "local_pref", g.scalar(pref))
	g.add(in, "add_communities", g.scalar(notCustomers))
	g.add(out, "community", g.scalar(notCustomers))
	g.add(out, "reject", g.scalar("true"))
	g.add(end, "import", in)
	g.add(end, "export", out)
}
