package daemonconf

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// say notes that the daemon cannot be told a setting of a session, or with nil
// of the router, and what it will do instead.
func (w *writer) say(s *session, k topology.Key, instead string) {
	set, path := &w.r.Settings[k], "routers."+w.r.Name
	if s != nil && s.settings[k].Origin != set.Origin {
		set, path = &s.settings[k], w.endPath(s.link)
	}
	w.note(k, path+"."+k.String(), set.Format(k), set.Origin.String(), instead)
}

// endPath is the path of the router's end of a link.
func (w *writer) endPath(link int) string {
	l := &w.d.Links[link]
	group := "links."
	if l.Kind == topology.Tunnel {
		group = "tunnels."
	}
	return group + l.Name + "." + w.r.Name
}

// note adds what is about a key, or topology.NumKeys: about something else.
func (w *writer) note(k topology.Key, path, value, origin, instead string) {
	c := Cannot{path, value, origin, instead}
	if !w.said[c] {
		w.said[c] = true
		w.notes = append(w.notes, note{k, c})
	}
}

type note struct {
	key topology.Key
	Cannot
}

// listed are the notes in the order of the keys.
func (w *writer) listed() []Cannot {
	slices.SortStableFunc(w.notes, func(a, b note) int { return cmp.Compare(a.key, b.key) })
	list := []Cannot{}
	for _, n := range w.notes {
		list = append(list, n.Cannot)
	}
	return list
}

// whole is a duration as the daemon takes it: one number of units, from lo to
// hi.
func (w *writer) whole(s *session, k topology.Key, unit time.Duration, lo, hi int64) int64 {
	set := &w.r.Settings[k]
	if s != nil {
		set = &s.settings[k]
	}
	n := min(max(int64(set.Dist.Mean().Round(unit)/unit), lo), hi)
	if set.Dist.IsRandom() || time.Duration(n)*unit != set.Dist.Min() {
		w.say(s, k, "always "+topology.FormatDuration(time.Duration(n)*unit))
	}
	return n
}

// number is the same of a number.
func (w *writer) number(s *session, k topology.Key, lo, hi int64) int64 {
	set := &w.r.Settings[k]
	if s != nil {
		set = &s.settings[k]
	}
	n := min(max(set.Int, lo), hi)
	if n != set.Int {
		w.say(s, k, fmt.Sprint(n))
	}
	return n
}

// one notes the sessions that have a setting otherwise than their router, of
// which the daemon has one value for all neighbours.
func (w *writer) one(k topology.Key) {
	for i := range w.sessions {
		s := &w.sessions[i]
		if all := w.r.Settings[k].Format(k); w.matters(s, k) && s.settings[k].Format(k) != all {
			w.say(s, k, all+", as for all neighbours")
		}
	}
}

// written are the keys that a daemon's writer puts into the configuration, or
// says something about itself.
var written = map[Daemon]map[topology.Key]bool{
	FRR: keys(topology.BGPHold, topology.BGPKeepalive, topology.BGPKeepaliveFixed, topology.BGPMinHold, topology.BGPConnectRetry, topology.BGPDelayOpen,
		topology.BGPSendHold, topology.BGPPassive, topology.BGPMRAI, topology.BGPMRAIIBGP, topology.BGPMRAIMode, topology.BGPMultipath, topology.BGPMultipathSameAS,
		topology.BGPAlwaysCompareMED, topology.BGPMED, topology.BGPWeight, topology.BGPReflectorClient, topology.BGPNextHopSelf, topology.BGPFamilies,
		topology.BGPSenderSideLoop, topology.BGPTransit, topology.BGPFastFallover, topology.BGPDamping, topology.BGPDampingHalfLife, topology.BGPDampingSuppress,
		topology.BGPDampingReuse, topology.BGPDampingMax, topology.BGPMaxPrefixes, topology.BGPMaxPrefixesAction, topology.BGPMaxPrefixesRestart,
		topology.BGPAddPath, topology.BGPAddPathPaths, topology.BGPGracefulRestart, topology.BGPRestartTime, topology.BGPGracefulNotify, topology.BGPStalePathTime, topology.BGPSelectionDeferral,
		topology.BGPLongLived, topology.BGPLongLivedTime, topology.FIBSurvives, topology.BFDEnabled, topology.BFDMinTx, topology.BFDMinRx,
		topology.BFDMultiplier, topology.BFDPassive, topology.BFDStrict, topology.BFDStrictHold),
	BIRD: keys(topology.BGPHold, topology.BGPOpenHold, topology.BGPKeepalive, topology.BGPKeepaliveFixed, topology.BGPMinHold, topology.BGPConnectRetry, topology.BGPIdleHold,
		topology.BGPIdleHoldMax, topology.BGPConnectDelay, topology.BGPSendHold, topology.BGPPassive, topology.BGPMRAI, topology.BGPMRAIIBGP,
		topology.BGPMRAIMode, topology.BGPMultipath, topology.BGPAlwaysCompareMED, topology.BGPMED, topology.BGPReflectorClient, topology.BGPNextHopSelf,
		topology.BGPFamilies, topology.BGPSenderSideLoop, topology.BGPTransit, topology.BGPFastFallover, topology.BGPMaxPrefixes, topology.BGPMaxPrefixesAction,
		topology.BGPMaxPrefixesRestart, topology.BGPAddPath, topology.BGPAddPathPaths, topology.BGPGracefulRestart, topology.BGPRestartTime, topology.BGPSelectionDeferral, topology.BGPLongLived,
		topology.BGPLongLivedTime, topology.FIBSurvives, topology.BFDEnabled, topology.BFDMinTx, topology.BFDMinRx, topology.BFDMultiplier,
		topology.BFDPassive, topology.BFDStrict, topology.BFDStrictHold),
	GoBGP: keys(topology.BGPHold, topology.BGPKeepalive, topology.BGPKeepaliveFixed, topology.BGPMinHold, topology.BGPConnectRetry,
		topology.BGPSendHold, topology.BGPPassive, topology.BGPMRAI, topology.BGPMRAIIBGP, topology.BGPMRAIMode, topology.BGPMultipath,
		topology.BGPAlwaysCompareMED, topology.BGPMED, topology.BGPReflectorClient, topology.BGPNextHopSelf, topology.BGPFamilies, topology.BGPTransit,
		topology.BGPMaxPrefixes, topology.BGPMaxPrefixesAction, topology.BGPMaxPrefixesRestart, topology.BGPAddPath, topology.BGPAddPathPaths, topology.BGPGracefulRestart, topology.BGPRestartTime,
		topology.BGPGracefulNotify, topology.BGPSelectionDeferral, topology.BGPLongLived, topology.BGPLongLivedTime, topology.FIBDelay, topology.FIBSurvives,
		topology.BFDEnabled),
}

func keys(list ...topology.Key) map[topology.Key]bool {
	set := map[topology.Key]bool{}
	for _, k := range list {
		set[k] = true
	}
	return set
}

// compare looks at every key that the writer has not written: the scenario's
// value beside what the daemon does.
func (w *writer) compare() {
	for k := range topology.NumKeys {
		if written[w.with][k] {
			continue
		}
		if k >= topology.VPNVersion && k <= topology.VPNInterfaceFollowsSA {
			w.ipsec(k)
			continue
		}
		w.each(k, func(s *session, set *topology.Settings) {
			if does := w.own[k].Format(k); set[k].Format(k) != does {
				w.say(s, k, w.without(k, does))
			}
		})
	}
	for i, l := range w.r.Egress {
		w.note(topology.NumKeys, fmt.Sprintf("routers.%s.egress[%d]", w.r.Name, i), w.d.Links[l].Name, w.r.EgressPos.String(), w.with.Title()+" chooses between equal routes by its own last rules")
	}
}

// each goes through the sessions of which a key matters, or for what is the
// router's alone, once.
func (w *writer) each(k topology.Key, visit func(*session, *topology.Settings)) {
	if ofRouter(k) {
		if w.matters(nil, k) {
			visit(nil, &w.r.Settings)
		}
		return
	}
	for i := range w.sessions {
		if s := &w.sessions[i]; w.matters(s, k) {
			visit(s, s.settings)
		}
	}
}

// ofRouter tells whether a key has one value for a router, and not one for each
// of its ends of links.
func ofRouter(k topology.Key) bool {
	switch k {
	case topology.BGPDecision, topology.BGPMultipath, topology.BGPMultipathSameAS, topology.BGPAlwaysCompareMED, topology.BGPProcessing, topology.BGPProcessingSerial,
		topology.BGPSelectionDeferral, topology.FIBDelay, topology.FIBSurvives, topology.RouteTableKind, topology.RouteTablePropagate, topology.RouteTableDelay,
		topology.RouteTableLocalDelay, topology.IPDecrementTTL, topology.TCPSynRetry, topology.TCPSynLinear, topology.TCPRTO, topology.TCPRTOMax, topology.TCPTimerHz, topology.StallEvery, topology.StallFor:
		return true
	}
	return false
}

// without says what becomes of a setting that the daemon does not have.
func (w *writer) without(k topology.Key, does string) string {
	switch k {
	case topology.RouteTableKind, topology.RouteTablePropagate, topology.RouteTableDelay, topology.RouteTableLocalDelay:
		return "no cloud's route table: the kernel's is the only one"
	case topology.StallEvery, topology.StallFor:
		return "it stalls when the machine does"
	case topology.IPDecrementTTL:
		return "the kernel takes one from the TTL"
	case topology.TCPSynRetry, topology.TCPSynLinear, topology.TCPRTO, topology.TCPRTOMax, topology.TCPTimerHz:
		return does + ", the kernel's"
	case topology.BGPDamping, topology.BGPDampingHalfLife, topology.BGPDampingSuppress, topology.BGPDampingReuse, topology.BGPDampingMax:
		return "no damping: " + w.with.Title() + " has none"
	case topology.BGPWeight:
		return "no weight: " + w.with.Title() + " has none"
	case topology.BGPIGPMetric:
		return "the kernel's metric of the route to the next hop"
	case topology.BGPDelayOpen:
		return "no DelayOpenTimer: the OPEN goes out at once"
	}
	text := does + ", whatever is configured"
	if o := w.own[k].Origin; o.Note != "" && o.Profile == string(w.with) {
		text += " (" + o.Note + ")"
	}
	return text
}

// ipsec notes a setting of tunnels: no routing daemon makes any.
func (w *writer) ipsec(k topology.Key) {
	for i := range w.d.Links {
		l := &w.d.Links[i]
		for e := range l.Ends {
			end := &l.Ends[e]
			if end.Router != w.index || l.Kind != topology.Tunnel {
				continue
			}
			detail := k == topology.VPNDPDRetry || k == topology.VPNDPDRetries || k == topology.VPNDPDTimeout || k == topology.VPNDPDAction
			if detail && end.Settings[topology.VPNDPDInterval].Dist.Max() == 0 {
				continue
			}
			w.say(&session{link: i, settings: &end.Settings}, k, "no IPsec: tunnels are another program's, such as strongSwan's")
		}
	}
}

// addPath tells whether the router offers add-path in a direction.
func addPath(s *session, direction string) bool {
	offers := s.settings[topology.BGPAddPath].Enum
	return offers == direction || offers == "both"
}

// mraiKey is the key of the interval that counts for a session.
func mraiKey(s *session) topology.Key {
	if s.internal {
		return topology.BGPMRAIIBGP
	}
	return topology.BGPMRAI
}

// waits tells whether MRAI holds anything back in a session.
func waits(s *session) bool {
	return s.settings[topology.BGPMRAIMode].Enum != "none" && s.settings[mraiKey(s)].Dist.Max() > 0
}

// matters tells whether a key makes a difference to a session as it is set up,
// or with nil to the router.
func (w *writer) matters(s *session, k topology.Key) bool {
	set := &w.r.Settings
	if s != nil {
		set = s.settings
	}
	graceful := set[topology.BGPGracefulRestart].Enum
	switch k {
	case topology.BGPMRAI, topology.BGPMRAIIBGP, topology.BGPMRAIMode:
		return waits(s) && (k == topology.BGPMRAIMode || k == mraiKey(s))
	case topology.BGPMRAIScope, topology.BGPMRAIGranularity, topology.BGPMRAIAfterWithdraw:
		return waits(s) && set[topology.BGPMRAIMode].Enum == "since-last-update"
	case topology.BGPMRAIJitter, topology.BGPMRAIWithdrawals, topology.BGPMRAINewPrefix:
		return waits(s)
	case topology.BGPKeepalive, topology.BGPKeepaliveJitter, topology.BGPHoldJitter:
		return set[topology.BGPHold].Dist.Max() > 0
	case topology.BGPKeepaliveFixed:
		return set[topology.BGPHold].Dist.Max() > 0 && set[topology.BGPKeepalive].Dist.Max() > 0
	case topology.BGPConnectRetry, topology.BGPConnectRetryJitter, topology.BGPConnectFail:
		return !set[topology.BGPPassive].Bool
	case topology.BGPMultipathSameAS:
		return set[topology.BGPMultipath].Int > 1
	case topology.BGPIGPMetric, topology.BGPReflectorClient, topology.BGPNextHopSelf:
		return s.internal
	case topology.BGPMED, topology.BGPSenderSideLoop:
		return !s.internal
	case topology.BGPLoopWithdraws:
		return !s.internal && set[topology.BGPSenderSideLoop].Bool
	case topology.BGPWeight:
		decision := w.r.Settings[topology.BGPDecision].Enum
		return decision == "frr" || decision == "cisco-ios"
	case topology.BGPNextHopTracking:
		return !set[topology.BGPFastFallover].Bool
	case topology.BGPNextHopDelay:
		return !set[topology.BGPFastFallover].Bool && set[topology.BGPNextHopTracking].Bool
	case topology.BGPDamping:
		return !s.internal
	case topology.BGPDampingHalfLife, topology.BGPDampingSuppress, topology.BGPDampingReuse, topology.BGPDampingMax:
		return !s.internal && set[topology.BGPDamping].Bool
	case topology.BGPAddPathPaths:
		return addPath(s, "send")
	case topology.BGPMaxPrefixesAction:
		return set[topology.BGPMaxPrefixes].Int > 0
	case topology.BGPMaxPrefixesRestart:
		return set[topology.BGPMaxPrefixes].Int > 0 && set[topology.BGPMaxPrefixesAction].Enum == "drop"
	case topology.BGPRestartTime:
		return graceful == "restarter"
	case topology.BGPSelectionDeferral:
		return w.any(restarter)
	case topology.BGPGracefulNotify, topology.BGPStalePathTime, topology.BGPLongLived:
		return graceful != "off"
	case topology.BGPLongLivedTime:
		return graceful != "off" && set[topology.BGPLongLived].Enum == "restarter"
	case topology.BGPGracefulRules:
		return graceful != "off" && set[topology.BGPLongLived].Enum != "off"
	case topology.RouteTablePropagate, topology.RouteTableDelay, topology.RouteTableLocalDelay:
		return set[topology.RouteTableKind].Enum != "none"
	case topology.StallFor:
		return set[topology.StallEvery].Dist.Max() > 0
	case topology.BFDStrictHold:
		return set[topology.BFDEnabled].Bool && set[topology.BFDStrict].Bool
	}
	return !k.BFDDetail() || set[topology.BFDEnabled].Bool
}
