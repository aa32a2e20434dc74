package topology

import "slices"

// Graph is a Design seen as nodes and edges: the routers, and the links over
// which they could tell each other routes.
type Graph struct {
	edges [][]edge // of each router, in the order of the links
}

type edge struct{ link, to int }

// NewGraph takes the links that join two routers with a BGP session, or that a
// static route points at.
func NewGraph(d *Design) *Graph {
	g := &Graph{edges: make([][]edge, len(d.Routers))}
	static := map[int]bool{}
	for i := range d.Routers {
		for _, s := range d.Routers[i].Statics {
			static[s.Link] = true
		}
	}
	for i := range d.Links {
		a, b := &d.Links[i].Ends[0], &d.Links[i].Ends[1]
		if !(a.BGP && b.BGP) && !static[i] || !g.has(a.Router) || !g.has(b.Router) {
			continue
		}
		g.edges[a.Router] = append(g.edges[a.Router], edge{i, b.Router})
		g.edges[b.Router] = append(g.edges[b.Router], edge{i, a.Router})
	}
	return g
}

func (g *Graph) has(router int) bool { return router >= 0 && router < len(g.edges) }

// Step is one hop of a path: the link, and the router at its far end.
type Step struct{ Link, Router int }

// Path returns the fewest steps from one router to another, different one as
// if the given link and router (-1: none) were not there, or nil.
func (g *Graph) Path(from, to, withoutLink, withoutRouter int) []Step {
	if !g.has(from) || !g.has(to) {
		return nil
	}
	type hop struct {
		step Step
		back int
	}
	hops := []hop{{Step{-1, from}, -1}}
	seen := make([]bool, len(g.edges))
	seen[from] = true
	for at := 0; at < len(hops); at++ {
		if hops[at].step.Router == to {
			var path []Step
			for ; hops[at].back >= 0; at = hops[at].back {
				path = append(path, hops[at].step)
			}
			slices.Reverse(path)
			return path
		}
		for _, e := range g.edges[hops[at].step.Router] {
			if e.link != withoutLink && e.to != withoutRouter && !seen[e.to] {
				seen[e.to] = true
				hops = append(hops, hop{Step{e.link, e.to}, at})
			}
		}
	}
	return nil
}
