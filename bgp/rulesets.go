package bgp

import "slices"

// The decision processes of real routers, as lists of rules. Where a vendor
// documents only the first steps, the rest is marked "assumed".
//
// One thing is not in the lists: the order in which paths are compared. RFC
// 4271 §9.1.2.2 removes routes from the whole set step by step, and so does
// this package, so that the result never depends on the order of arrival
// ("deterministic MED"). FRR's traditional profile, BIRD, Cisco IOS and GoBGP
// by default walk through the paths pair by pair instead; with three or more
// paths, of which two come through one neighbouring AS with different MEDs,
// they may settle on another one. The oracle test shows that this is the only
// difference to GoBGP.
//
// Static routes come first: they are another protocol's, with a lower
// administrative distance than eBGP's 20 (FRR, IOS: 1) or a higher preference
// (BIRD: 200 against 100). Clouds have an order of their own.

// Ruleset is a decision process: rules in the order in which they are asked.
// It is shared: nobody changes one after it is made.
type Ruleset []Rule

var rulesets = []struct {
	name  string
	rules Ruleset
}{
	// RFC 4271 §9.1.1 (degree of preference) and §9.1.2.2 a) to g); RFC 4456 §9
	// puts ORIGINATOR_ID into f) and CLUSTER_LIST between f) and g). That the
	// router's own routes come first is a local matter to the RFC.
	{"rfc4271", Ruleset{RuleStatic, RuleLocalPref, RuleLocalOrigin, RuleASPathLength, RuleOrigin, RuleMED, RuleExternal,
		RuleIGPMetric, RuleRouterID, RuleClusterLength, RulePeerAddress}},

	// FRR: bgpd/bgp_route.c, bgp_path_info_cmp, and "Route Selection" in its
	// manual. Step 12 of the code keeps the external path that is selected,
	// which is the older one unless a third path was best in between.
	{"frr", Ruleset{RuleStatic, RuleWeight, RuleLocalPref, RuleLocalOrigin, RuleASPathLength, RuleOrigin, RuleMED, RuleExternal,
		RuleIGPMetric, RuleKeepExternal, RuleRouterID, RuleClusterLength, RulePeerAddress}},

	// BIRD: proto/bgp/attrs.c, bgp_rte_better, and "BGP, Route selection rules"
	// in its manual. A static route of the router wins before BGP is asked
	// (protocol preference 200 against 100). "prefer older" is off by default.
	{"bird", Ruleset{RuleLocalOrigin, RuleStatic, RuleLocalPref, RuleASPathLength, RuleOrigin, RuleMED, RuleExternal,
		RuleIGPMetric, RuleRouterID, RuleClusterLength, RulePeerAddress}},

	// GoBGP v3.37.0: internal/pkg/table/destination.go, sort. Of two external
	// paths the older wins and the identifier is not asked; it ignores
	// ORIGINATOR_ID and CLUSTER_LIST. Its age counts in whole seconds; ours
	// never ties.
	{"gobgp", Ruleset{RuleStatic, RuleLocalPref, RuleLocalOrigin, RuleASPathLength, RuleOrigin, RuleMED, RuleExternal,
		RuleOldest, RulePeerID, RulePeerAddress}},

	// Cisco IOS: "BGP Best Path Selection Algorithm", document 13753. The
	// oldest external path is kept only while it is the current best.
	{"cisco-ios", Ruleset{RuleStatic, RuleWeight, RuleLocalPref, RuleLocalOrigin, RuleASPathLength, RuleOrigin, RuleMED, RuleExternal,
		RuleIGPMetric, RuleKeepExternal, RuleRouterID, RuleClusterLength, RulePeerAddress}},

	// AWS virtual private gateway: AWS Site-to-Site VPN user guide, "Route
	// priority": BGP over Direct Connect, then static routes of a VPN, then BGP
	// over a VPN; shortest AS_PATH, then lowest MED if the first AS is the same;
	// one tunnel of all connections is used, "randomly chosen by AWS" when all
	// is equal. That it stays where it is until the path is lost is assumed, and
	// so is that LOCAL_PREF counts if an import policy sets it.
	{"aws-vgw", Ruleset{RuleDirectConnect, RuleStatic, RuleLocalPref, RuleLocalOrigin, RuleASPathLength, RuleMED, RuleIncumbent, RuleDrawn}},

	// Google Cloud Router, best path selection mode LEGACY: AS path, origin,
	// MED. A dynamic route has a priority of its base MED, by default 100, and a
	// static one 1000; the lower number wins (assumed for routes of one region). Which path the console shows as best on a full tie is assumed to
	// follow the RFC's last two steps; forwarding uses all of them.
	{"gcp-legacy", Ruleset{RuleDynamic, RuleLocalPref, RuleLocalOrigin, RuleASPathLength, RuleOrigin, RuleMED, RuleRouterID,
		RulePeerAddress}},

	// Google Cloud Router, best path selection mode STANDARD: the tie-break of the
	// RFC, in which MED counts among paths through one neighbouring AS unless
	// always-compare-med is set. What follows MED is assumed to be the RFC's.
	{"gcp-standard", Ruleset{RuleDynamic, RuleLocalPref, RuleASPathLength, RuleOrigin, RuleMED, RuleExternal, RuleIGPMetric,
		RuleRouterID, RulePeerAddress}},

	// Azure VPN gateway: its BGP FAQ confirms AS_PATH length (prepending is
	// honoured) and ECMP on ties; the rest is assumed to be the RFC's.
	{"azure", Ruleset{RuleStatic, RuleLocalPref, RuleLocalOrigin, RuleASPathLength, RuleOrigin, RuleMED, RuleExternal,
		RuleRouterID, RulePeerAddress}},
}

// RulesetFor returns the decision process called name. Nobody may change it.
func RulesetFor(name string) (Ruleset, bool) {
	for _, r := range rulesets {
		if r.name == name {
			return r.rules, true
		}
	}
	return nil, false
}

// AlwaysCompareMED is r with MED compared whichever AS the paths come through.
func (r Ruleset) AlwaysCompareMED() Ruleset {
	always := slices.Clone(r)
	for i, rule := range always {
		if rule == RuleMED {
			always[i] = RuleMEDAlways
		}
	}
	return always
}

// RulesetNames lists the names that RulesetFor knows.
func RulesetNames() []string {
	names := make([]string, len(rulesets))
	for i, r := range rulesets {
		names[i] = r.name
	}
	return names
}
