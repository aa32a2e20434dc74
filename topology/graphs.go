package topology

// The graphs that papers about BGP are full of. Nodes are numbered in the
// order in which people draw them: the first is the one that originates.

// Clique joins every node with every other one: the worst case of path
// exploration. Labovitz et al., "Delayed Internet Routing Convergence", 2000.
func Clique(n int) *ASGraph {
	g := numbered(n)
	g.clique(0, n)
	return g
}

// Chain is n nodes in a row.
func Chain(n int) *ASGraph {
	g := numbered(n)
	g.chain(0, n)
	return g
}

// Ring is a chain whose ends are joined.
func Ring(n int) *ASGraph {
	g := Chain(n)
	if n > 2 {
		g.join(0, n-1)
	}
	return g
}

// BClique is a clique of n and a chain of n, which share no node. The first of
// the chain, node 0, is an edge network: it has a short way into the core, its
// link with the clique's first, node 1, and a backup of n hops, the rest of the
// chain, which ends at the clique's last, node n. Griffin and Premore, "An
// Experimental Analysis of BGP Convergence Time", 2001, who count the chain
// first. When the short way fails, the core has to find out how long the other is.
func BClique(n int) *ASGraph {
	g := numbered(2 * n)
	g.join(0, 1)
	g.clique(1, n+1)
	if n > 1 {
		g.join(0, n+1)
		g.chain(n+1, 2*n)
		g.join(n, 2*n-1)
	}
	return g
}

// Tree has so many levels below its root, and so many children at each node.
func Tree(depth, fanout int) *ASGraph {
	n := TreeSize(depth, fanout)
	g := numbered(n)
	for child := 1; child < n; child++ {
		g.join((child-1)/fanout, child)
	}
	return g
}

// TreeSize is how many nodes such a tree has, or a little more than most, if
// that is less.
func TreeSize(depth, fanout int) int {
	const most = 1 << 20
	n, level := 1, 1
	for range depth {
		if level *= fanout; level > most || n > most {
			return most + 1
		}
		n += level
	}
	return n
}

// numbered is n nodes without edges. Their AS numbers are private ones (RFC
// 6996), away from those that people give their own routers first.
func numbered(n int) *ASGraph {
	const first, last, long = 64601, 65534, 4200000001
	base := uint32(first)
	if n > last-first+1 {
		base = long
	}
	g := &ASGraph{ASNs: make([]uint32, n)}
	for i := range g.ASNs {
		g.ASNs[i] = base + uint32(i)
	}
	return g
}

func (g *ASGraph) join(a, b int) {
	g.Edges = append(g.Edges, Edge{A: int32(a), B: int32(b)})
}

func (g *ASGraph) chain(from, to int) {
	for i := from + 1; i < to; i++ {
		g.join(i-1, i)
	}
}

func (g *ASGraph) clique(from, to int) {
	for a := from; a < to; a++ {
		for b := a + 1; b < to; b++ {
			g.join(a, b)
		}
	}
}
