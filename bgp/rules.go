package bgp

// Rule is one step of a decision process: one question about two paths, whose
// answer may prefer one of them. Rules are data, so that a decision can be
// printed: every Route and every Verdict names the rule that decided.
//
// What a rule asks is in compare.go; in which order a router asks them is in
// rulesets.go.
type Rule uint8

const (
	RuleNone Rule = iota // nothing told the paths apart
	RuleOnly             // there was no other path

	RuleLongLived     // no long-lived stale path (LLGR_STALE), if there is another
	RuleWeight        // the higher weight: Cisco's, local to the router
	RuleLocalPref     // the higher LOCAL_PREF; 100 where there is none
	RuleLocalOrigin   // a route of the router itself
	RuleStatic        // a static route rather than BGP's: the lower administrative distance
	RuleDynamic       // BGP's rather than a static route: the lower number is Google's higher priority
	RuleDirectConnect // learned by BGP over a line of its own rather than in a VPN: AWS Direct Connect
	RuleASPathLength  // the shorter AS_PATH; an AS_SET counts 1
	RuleOrigin        // IGP over EGP over INCOMPLETE
	RuleMED           // the lower MULTI_EXIT_DISC among paths through one neighbouring AS; 0 where there is none
	RuleMEDAlways     // the lower MULTI_EXIT_DISC, whatever the neighbouring AS ("always-compare-med")
	RuleExternal      // eBGP over iBGP
	RuleIGPMetric     // the lower interior cost to NEXT_HOP
	RuleKeepExternal  // of two external paths, the one that is best already
	RuleOldest        // of two external paths, the one that arrived in an earlier second (GoBGP)
	RuleRouterID      // the lower BGP Identifier, or ORIGINATOR_ID where there is one
	RulePeerID        // of two internal paths, the lower BGP Identifier of the peer, whatever ORIGINATOR_ID says (GoBGP)
	RuleClusterLength // the shorter CLUSTER_LIST
	RulePeerAddress   // the lower peer address
	RuleIncumbent     // the path that is best already, once warm-up is over (InSettle)
	RuleDrawn         // the earlier in SpeakerConfig.Order

	// Why a path is no candidate at all. No Ruleset holds these: they are asked
	// when the path arrives.
	RuleLoop         // our AS is in AS_PATH
	RuleReflected    // our own BGP Identifier is its ORIGINATOR_ID
	RuleCluster      // our own cluster is in CLUSTER_LIST
	RuleOwnNextHop   // NEXT_HOP is an address of ours
	RuleImportPolicy // the import policy rejected it
	RuleDamped       // it has flapped too often
	RuleUnresolvable // its next hop cannot be reached
	RuleDeferred     // no path is one, while the choice of routes is deferred

	numRules
)

// ruleText holds, for each rule, what the winner has that the loser has not,
// and the clause that says so.
var ruleText = [numRules]struct{ virtue, clause string }{
	RuleNone:          {"nothing tells them apart", ""},
	RuleOnly:          {"only path", ""},
	RuleLongLived:     {"not long-lived stale", "RFC 9494 §4.3"},
	RuleWeight:        {"higher weight", "Cisco IOS, step 1"},
	RuleLocalPref:     {"higher LOCAL_PREF", "RFC 4271 §9.1.1"},
	RuleLocalOrigin:   {"originated by the router itself", "RFC 4271 §9.1.1"},
	RuleStatic:        {"static route", "administrative distance"},
	RuleDynamic:       {"learned by BGP: a priority of 100 against 1000", "Google Cloud, order of routes"},
	RuleDirectConnect: {"learned over Direct Connect", "AWS, route priority"},
	RuleASPathLength:  {"shorter AS_PATH", "RFC 4271 §9.1.2.2 a)"},
	RuleOrigin:        {"lower ORIGIN", "RFC 4271 §9.1.2.2 b)"},
	RuleMED:           {"lower MED from the same neighbouring AS", "RFC 4271 §9.1.2.2 c)"},
	RuleMEDAlways:     {"lower MED", "RFC 4271 §9.1.2.2 c), always-compare-med"},
	RuleExternal:      {"learned over eBGP rather than iBGP", "RFC 4271 §9.1.2.2 d)"},
	RuleIGPMetric:     {"lower interior cost to NEXT_HOP", "RFC 4271 §9.1.2.2 e)"},
	RuleKeepExternal:  {"external path that was best already", "RFC 5004 §3"},
	RuleOldest:        {"older external path, in whole seconds", "RFC 5004 §3"},
	RuleRouterID:      {"lower BGP Identifier", "RFC 4271 §9.1.2.2 f)"},
	RulePeerID:        {"lower BGP Identifier of the peer", "RFC 4271 §9.1.2.2 f)"},
	RuleClusterLength: {"shorter CLUSTER_LIST", "RFC 4456 §9"},
	RulePeerAddress:   {"lower peer address", "RFC 4271 §9.1.2.2 g)"},
	RuleIncumbent:     {"best already", "vendor's choice"},
	RuleDrawn:         {"earlier in the drawn order", "vendor's choice"},
	RuleLoop:          {"own AS in AS_PATH", "RFC 4271 §9.1.2"},
	RuleReflected:     {"own ORIGINATOR_ID", "RFC 4456 §8"},
	RuleCluster:       {"own cluster in CLUSTER_LIST", "RFC 4456 §8"},
	RuleOwnNextHop:    {"NEXT_HOP is the router itself", "RFC 4271 §5.1.3"},
	RuleImportPolicy:  {"rejected by import policy", "RFC 4271 §9.1.1"},
	RuleDamped:        {"suppressed, it has flapped", "RFC 2439 §4.2"},
	RuleUnresolvable:  {"next hop not reachable", "RFC 4271 §9.1.2.1"},
	RuleDeferred:      {"route selection is deferred", "RFC 4724 §4.1"},
}

// String says what the winner has, or what bars the path: "shorter AS_PATH".
func (r Rule) String() string {
	if r >= numRules {
		return "unknown rule"
	}
	return ruleText[r].virtue
}

// Clause is the document that has the rule, such as "RFC 4271 §9.1.2.2 f)";
// empty where none does.
func (r Rule) Clause() string {
	if r >= numRules {
		return ""
	}
	return ruleText[r].clause
}

// TieBreak tells whether r only picks one of several equally good paths.
// Multipath uses those that are still together when the first such rule is
// asked.
func (r Rule) TieBreak() bool {
	switch r {
	case RuleNone, RuleKeepExternal, RuleOldest, RuleRouterID, RulePeerID, RuleClusterLength,
		RulePeerAddress, RuleIncumbent, RuleDrawn:
		return true
	}
	return false
}

// Bars tells whether r says why a path was no candidate at all.
func (r Rule) Bars() bool { return r >= RuleLoop && r < numRules }
