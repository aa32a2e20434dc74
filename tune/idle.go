package tune

import (
	"fmt"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
)

// findIdle lists the values that alone do nothing, run by run to the nanosecond.
func (a *Answer) findIdle(designs []*topology.Design) {
	for i := range a.Points {
		if p := &a.Points[i]; len(p.Set) == 1 && p.Same && p.Changed > 0 {
			a.Idle = append(a.Idle, Idle{Set: p.Set[0], Runs: p.SameRuns, Reason: why(a.Base, designs[i], p.Set[0])})
		}
	}
}

// why a setting that has been changed does nothing, where that can be read off the design.
func why(was, is *topology.Design, set string) string {
	s, k, ok := setting(was, set)
	if !ok {
		return ""
	}
	name := strings.Split(set, ".")[1]
	for l := range was.Links {
		for e := range 2 {
			me, other := &was.Links[l].Ends[e], &was.Links[l].Ends[1-e]
			if was.Routers[me.Router].Name != name || !me.BGP {
				continue
			}
			now, peer := &is.Links[l].Ends[e].Settings, was.Routers[other.Router].Name
			switch k {
			case topology.BGPHold:
				before, after, theirs := me.Settings[k].Dist.Min(), now[k].Dist.Min(), other.Settings[k].Dist.Min()
				if theirs > 0 && min(before, theirs) == min(after, theirs) {
					return fmt.Sprintf("%s offers %s, and the smaller offer is used", peer, topology.FormatDuration(theirs))
				}
			case topology.BGPKeepalive:
				hold := min(me.Settings[topology.BGPHold].Dist.Min(), other.Settings[topology.BGPHold].Dist.Min())
				if now[k].Dist.Min() >= hold/3 && (me.Settings[k].Dist.Min() >= hold/3 || me.Settings[k].Dist.Max() == 0) {
					return fmt.Sprintf("a third of the hold time of %s is less, and is used", topology.FormatDuration(hold))
				}
			case topology.BFDEnabled:
				if now[k].Bool && !other.Settings[k].Bool {
					return "BFD runs where both ends have it, and " + peer + " has none"
				}
			case topology.VPNDPDInterval, topology.VPNDPDRetry, topology.VPNDPDRetries, topology.VPNDPDTimeout:
				if !s[topology.VPNInterfaceFollowsSA].Bool {
					return "BGP is not told when dead peer detection takes the SA away (vpn.interface_follows_sa), and its own timer is faster"
				}
			case topology.BGPMRAI:
				if now[topology.BGPMRAIMode].Enum == "none" {
					return "bgp.mrai_mode is none"
				}
			}
			if k.BFDDetail() && (!me.Settings[topology.BFDEnabled].Bool || !other.Settings[topology.BFDEnabled].Bool) {
				return "BFD does not run"
			}
		}
	}
	return ""
}
