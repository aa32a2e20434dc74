package bgp

import (
	"cmp"
	"math"
)

// standing is what the rules that keep things as they are need to know: which
// peer's path is best now, and whether warm-up is over.
type standing struct {
	best    PeerID
	settled bool
}

// nobody is the standing of a prefix that has no best path yet.
const nobody PeerID = -2

// defaultLocalPref is the degree of preference of a path that carries no
// LOCAL_PREF: what every implementation named in rulesets.go uses.
const defaultLocalPref = 100

// Compare asks the rules in turn until one prefers a path: the result is
// negative if that is a, positive if it is b, and comes with the rule. It is 0
// with RuleNone if no rule does.
//
// Two paths alone have no past: the rules that keep what is best already do
// not answer here.
func (r Ruleset) Compare(a, b *Path) (int, Rule) {
	return r.compare(a, b, standing{best: nobody})
}

func (r Ruleset) compare(a, b *Path, st standing) (int, Rule) {
	for _, rule := range r {
		if c := rule.compare(a, b, st); c != 0 {
			return c, rule
		}
	}
	return 0, RuleNone
}

// compare is negative if the rule prefers a, positive if it prefers b.
func (r Rule) compare(a, b *Path, st standing) int {
	if r.bits() > 0 {
		return cmp.Compare(r.worth(b), r.worth(a))
	}
	switch r {
	case RuleMED:
		if a.Attrs.ASPath.Neighbour() != b.Attrs.ASPath.Neighbour() {
			return 0
		}
		return cmp.Compare(a.Attrs.med(), b.Attrs.med())
	case RuleMEDAlways:
		return cmp.Compare(a.Attrs.med(), b.Attrs.med())
	case RuleKeepExternal:
		if a.External && b.External {
			return prefer(a.Peer == st.best, b.Peer == st.best)
		}
	case RuleOldest:
		if a.External && b.External {
			return cmp.Compare(a.Age, b.Age)
		}
	case RulePeerID:
		if !a.External && !b.External {
			return cmp.Compare(a.PeerBGPID, b.PeerBGPID)
		}
	case RulePeerAddress:
		return a.PeerAddr.Compare(b.PeerAddr)
	case RuleIncumbent:
		if st.settled {
			return prefer(a.Peer == st.best, b.Peer == st.best)
		}
	case RuleDrawn:
		return cmp.Compare(a.Rank, b.Rank)
	}
	return 0
}

// bits is how large a rule's worth of a path may be; 0: it has none, because what
// it says depends on which two paths are compared, or it is seldom asked.
func (r Rule) bits() int {
	switch r {
	case RuleLongLived, RuleLocalOrigin, RuleStatic, RuleDynamic, RuleDirectConnect, RuleExternal:
		return 1
	case RuleOrigin:
		return 8
	case RuleASPathLength:
		return 16
	case RuleClusterLength:
		return 10
	case RuleWeight, RuleLocalPref, RuleIGPMetric, RuleRouterID:
		return 32
	}
	return 0
}

// worth is what such a rule makes of a path, whatever it is compared with: it
// prefers the greater worth.
func (r Rule) worth(p *Path) uint64 {
	var good bool
	switch r {
	case RuleWeight:
		return uint64(p.Weight)
	case RuleLocalPref:
		return uint64(p.Attrs.preference())
	case RuleASPathLength:
		const most = 1<<16 - 1 // no message has room for as many
		return uint64(most - min(most, p.Attrs.pathLength()))
	case RuleOrigin:
		return uint64(math.MaxUint8 - p.Attrs.Origin)
	case RuleIGPMetric:
		return uint64(math.MaxUint32 - p.IGPMetric)
	case RuleClusterLength:
		const most = 1<<10 - 1 // as above
		if p.Attrs.summary.plain {
			return most
		}
		return uint64(most - min(most, len(p.Attrs.ClusterList)))
	case RuleRouterID: // of four octets (RFC 4271 §4.2); the lower is preferred, and none at all is the lowest
		return math.MaxUint32 - uint64(p.originator())
	case RuleExternal:
		good = p.External
	case RuleLongLived:
		good = !p.Attrs.LongLived()
	case RuleLocalOrigin:
		good = p.Peer == Local
	case RuleStatic:
		good = p.Static
	case RuleDynamic:
		good = !p.Static
	case RuleDirectConnect:
		good = p.Direct && !p.Static
	}
	if good {
		return 1
	}
	return 0
}

// prefer prefers the path that has the property.
func prefer(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
