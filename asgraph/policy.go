package asgraph

import (
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/topology"
)

// What Gao and Rexford (2001) found that providers do, and what makes BGP
// converge if all do it: routes of customers are preferred to those of peers,
// and those to routes of providers; routes of peers and providers are passed on
// to customers only. An edge without a relation has none of this.

// relations are, in this order, the ways in which one AS can look at another.
const (
	unrelated = iota
	customer
	peer
	provider
	numRelations
)

var relationOf = [numRelations]struct {
	role bgp.Role
	// weight prefers some neighbours' routes to others'. The RFC would have
	// LOCAL_PREF for it, which an import policy sets: with the same effect, since it
	// does not leave the AS, but it would make a copy of all attributes.
	weight uint32
}{
	unrelated: {bgp.NoRole, 0},
	customer:  {bgp.IsCustomer, 3},
	peer:      {bgp.IsPeer, 2},
	provider:  {bgp.IsProvider, 1},
}

// views tells what the ends of an edge are to each other: what B is to A, and
// what A is to B.
func views(rel topology.Relation) (b, a int) {
	switch rel {
	case topology.Peering:
		return peer, peer
	case topology.Customer:
		return customer, provider
	}
	return unrelated, unrelated
}

// groups makes the treatment of neighbours: one for each relation, for all ASes.
func (c *Config) groups() (groups [numRelations]*bgp.PeerGroup) {
	for i := range groups {
		groups[i] = &bgp.PeerGroup{Role: relationOf[i].role, MRAI: c.MRAI, NoEcho: c.NoEcho, SenderSideLoop: c.SenderSideLoop, LoopUnsaid: c.LoopUnsaid}
	}
	return groups
}

// ruleset is the decision process with the preference in front.
func (c *Config) ruleset() bgp.Ruleset {
	if len(c.Rules) > 0 && c.Rules[0] == bgp.RuleWeight {
		return c.Rules
	}
	return append(bgp.Ruleset{bgp.RuleWeight}, c.Rules...)
}
