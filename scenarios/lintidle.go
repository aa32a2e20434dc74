package scenarios

import (
	"fmt"
	"slices"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/topology"
)

// Settings that the scenario gives and that do nothing, because what they speak about is
// not there: the interval for iBGP of a router that has eBGP sessions only, a threshold of
// damping that is off. One line of a scenario may hold for many routers (an anchor, a
// generator, --set routers.*), so it is idle only if it is for all of them.

// idleKeys are those that idle knows a reason for.
var idleKeys = [...]topology.Key{topology.BGPMRAI, topology.BGPMRAIIBGP, topology.BGPMED, topology.BGPWeight, topology.BGPIGPMetric,
	topology.BGPReflectorClient, topology.BGPNextHopSelf, topology.BGPNextHopTracking, topology.BGPNextHopDelay,
	topology.BGPDamping, topology.BGPDampingHalfLife, topology.BGPDampingSuppress, topology.BGPDampingReuse, topology.BGPDampingMax,
	topology.BGPMaxPrefixesAction, topology.BGPMaxPrefixesRestart}

// line is one that gives a setting, and what is known of it.
type line struct {
	key   topology.Key
	works bool // at some place it does something
	// Of the first place that it holds at:
	set             *topology.Setting
	name, why, help string
}

func (l *linter) idle() {
	type place struct {
		pos topology.Pos
		key topology.Key
	}
	index := map[place]int{} // never ranged over
	var lines []line
	holds := func(k topology.Key, set *topology.Setting, name, why, help string) {
		at := place{set.Origin.Pos, k}
		i, known := index[at]
		if !known {
			i = len(lines)
			index[at] = i
			lines = append(lines, line{key: k, set: set, name: name, why: why, help: help})
		}
		lines[i].works = lines[i].works || why == ""
	}
	sessions := make([]bool, len(l.d.Routers))
	for j := range l.d.Links {
		link := &l.d.Links[j]
		for e := range link.Ends {
			end := &link.Ends[e]
			if !end.BGP {
				continue
			}
			r := &l.d.Routers[end.Router]
			sessions[end.Router] = true
			for _, k := range idleKeys {
				set := &end.Settings[k]
				if !said(set) {
					continue
				}
				name := r.Name
				if r.Settings[k].Origin.Pos != set.Origin.Pos {
					name = fmt.Sprintf("%s at %s", link.Name, r.Name)
				}
				why, help := idleBecause(k, r, end, l.d.Routers[link.Ends[1-e].Router].ASN == r.ASN)
				holds(k, set, name, why, help)
			}
		}
	}
	for i := range l.d.Routers {
		r := &l.d.Routers[i]
		for _, k := range idleKeys {
			if set := &r.Settings[k]; !sessions[i] && said(set) {
				holds(k, set, r.Name, "it has no BGP session", "")
			}
		}
	}
	for _, x := range lines {
		if !x.works {
			l.warn(x.set.Origin.Pos, x.help, "%s: %s %s has no effect: %s", x.name, leaf(x.key), x.set.Format(x.key), x.why)
		}
	}
}

// idleBecause says why k does nothing at an end of a session of r, and what would; no why:
// it does something, says what is so anyhow, or another lint has said it.
func idleBecause(k topology.Key, r *topology.Router, end *topology.End, ibgp bool) (why, help string) {
	s := &end.Settings
	set := &s[k]
	decision := r.Settings[topology.BGPDecision].Enum
	asks := func(rule bgp.Rule) bool {
		rules, _ := bgp.RulesetFor(decision)
		return slices.Contains(rules, rule)
	}
	const tracking = "with bgp.fast_fallover the session ends with its interface, and its routes with it"
	switch k {
	case topology.BGPMRAI, topology.BGPMRAIIBGP:
		switch {
		case s[topology.BGPMRAIMode].Enum == "none" && set.Dist.Max() > 0:
		case k == topology.BGPMRAI && ibgp:
			return "it is for eBGP", "bgp.mrai_ibgp is for iBGP"
		case k == topology.BGPMRAIIBGP && !ibgp:
			return "it is for iBGP", "bgp.mrai is for eBGP"
		}
	case topology.BGPMED:
		if ibgp && set.Int >= 0 {
			return "it is sent over eBGP", "prefer a link with import: {local_pref: 200}"
		}
	case topology.BGPWeight:
		if set.Int != 0 && !asks(bgp.RuleWeight) {
			return "the decision process " + decision + " asks for no weight", "prefer a link with import: {local_pref: 200}"
		}
	case topology.BGPIGPMetric:
		if set.Int != 0 && !asks(bgp.RuleIGPMetric) {
			return "the decision process " + decision + " asks for no interior cost", ""
		}
	case topology.BGPReflectorClient:
		if set.Bool && !ibgp {
			return "the session is eBGP, and route reflection is for iBGP (RFC 4456)", ""
		}
	case topology.BGPNextHopSelf:
		if set.Bool && !ibgp {
			return "over eBGP the next hop is the router itself anyhow (RFC 4271 §5.1.3)", ""
		}
	case topology.BGPNextHopTracking:
		if set.Bool && s[topology.BGPFastFallover].Bool {
			return tracking, "set bgp.fast_fallover: false"
		}
	case topology.BGPNextHopDelay:
		switch {
		case !s[topology.BGPNextHopTracking].Bool:
			return "next hops are not tracked", "set bgp.nexthop_tracking: true"
		case s[topology.BGPFastFallover].Bool:
			return tracking, "set bgp.fast_fallover: false"
		}
	case topology.BGPDamping:
		if set.Bool && ibgp {
			return "only routes of external neighbours are damped", ""
		}
	case topology.BGPDampingHalfLife, topology.BGPDampingSuppress, topology.BGPDampingReuse, topology.BGPDampingMax:
		if !s[topology.BGPDamping].Bool {
			return "damping is off", "set bgp.damping: true"
		}
	case topology.BGPMaxPrefixesAction, topology.BGPMaxPrefixesRestart:
		switch {
		case s[topology.BGPMaxPrefixes].Int == 0:
			return "there is no limit", "set bgp.max_prefixes"
		case k == topology.BGPMaxPrefixesRestart && s[topology.BGPMaxPrefixesAction].Enum == "warn":
			return "the session does not end, max_prefixes_action is warn", ""
		}
	}
	return "", ""
}
