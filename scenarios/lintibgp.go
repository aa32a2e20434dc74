package scenarios

import (
	"fmt"
	"slices"

	"github.com/vpnsim/vpnsim/topology"
)

// Routers of one AS tell each other what they have from outside, and nothing of what
// another of them has told: "When a BGP speaker receives an UPDATE message from an internal
// peer, the receiving BGP speaker SHALL NOT re-distribute the routing information contained
// in that UPDATE message to other internal peers" (RFC 4271 §9.2), unless it reflects
// routes (RFC 4456 §6). So all of them need sessions with each other, or reflectors; where
// neither is so, some never hear of what others know, and nothing says so.

// peering is an iBGP session as one of its ends sees it.
type peering struct {
	to     int
	client bool // the other end is a route reflector client of this one
}

func (l *linter) mesh() {
	peers := make([][]peering, len(l.d.Routers))
	external := make([]bool, len(l.d.Routers))
	for i := range l.d.Links {
		link := &l.d.Links[i]
		for e := range link.Ends {
			us, them := &link.Ends[e], &link.Ends[1-e]
			switch {
			case !us.BGP || !them.BGP:
			case l.d.Routers[us.Router].ASN != l.d.Routers[them.Router].ASN:
				external[us.Router] = true
			default:
				peers[us.Router] = append(peers[us.Router], peering{them.Router, us.Settings[topology.BGPReflectorClient].Bool})
			}
		}
	}
	silent := make([]string, len(l.d.Routers)) // the first case of each router that does not pass something on …
	pairs := make([]int, len(l.d.Routers))     // … and how many there are
	heard := make([][]int, len(l.d.Routers))
	for o := range l.d.Routers {
		if len(peers[o]) == 0 || len(l.d.Routers[o].Networks) == 0 && !external[o] {
			continue // it has nothing to tell them
		}
		told := spread(peers, o, heard)
		for _, t := range told {
			y := t.who
			for _, p := range peers[y] {
				if p.to == o || len(heard[p.to]) > 0 {
					continue
				}
				if pairs[y]++; silent[y] == "" {
					silent[y] = fmt.Sprintf("%s never hears what %s knows: %s has it from %s over iBGP, and does not reflect it",
						l.d.Routers[p.to].Name, l.d.Routers[o].Name, l.d.Routers[y].Name, l.d.Routers[t.by].Name)
				}
			}
		}
		for _, t := range told {
			heard[t.who] = heard[t.who][:0]
		}
	}
	for y, s := range silent {
		if s == "" {
			continue
		}
		if pairs[y] > 1 {
			s += fmt.Sprintf(" (and so of %d other pairs)", pairs[y]-1)
		}
		name := l.d.Routers[y].Name
		l.warn(l.d.Routers[y].Pos, fmt.Sprintf("set bgp.route_reflector_client: true at %s for its neighbours in AS %d (RFC 4456), or give all of them sessions with each other (RFC 4271 §9.2)",
			name, l.d.Routers[y].ASN), "%s", s)
	}
}

// told is a router that has heard something of a neighbour.
type told struct{ who, by int }

// spread follows what o knows from router to router. In heard, which is empty before,
// stands afterwards of whom each has it.
func spread(peers [][]peering, o int, heard [][]int) []told {
	var list []told
	tell := func(who, by int) {
		if !slices.Contains(heard[who], by) {
			heard[who] = append(heard[who], by)
			list = append(list, told{who, by})
		}
	}
	for _, p := range peers[o] {
		tell(p.to, o)
	}
	for i := 0; i < len(list); i++ {
		t := list[i]
		fromClient := slices.Contains(peers[t.who], peering{t.by, true})
		for _, p := range peers[t.who] {
			if p.to != t.by && p.to != o && (fromClient || p.client) {
				tell(p.to, t.who)
			}
		}
	}
	return list
}
