package scenarios

import (
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// bfd looks at what the two ends of a session make of each other's BFD.
func (l *linter) bfd(link *topology.Link) {
	name := func(e int) string { return l.d.Routers[link.Ends[e].Router].Name }
	set := func(e int, k topology.Key) *topology.Setting { return &link.Ends[e].Settings[k] }
	for e := range 2 {
		on, other := set(e, topology.BFDEnabled), set(1-e, topology.BFDEnabled)
		if said(on) && on.Bool && !other.Bool {
			l.warn(on.Origin.Pos, "set bfd.enabled: true there too", "%s: BFD does not run over %s: %s has not enabled it", name(e), link.Name, name(1-e))
		}
		strict, others := set(e, topology.BFDStrict), set(1-e, topology.BFDStrict)
		switch {
		case !said(strict) || !strict.Bool:
		case !on.Bool || !other.Bool:
			l.warn(strict.Origin.Pos, "set bfd.enabled: true at both ends", "%s: bfd.strict has no effect over %s: BFD does not run", name(e), link.Name)
		case !others.Bool:
			l.warn(strict.Origin.Pos, "both ends must ask for it (draft-ietf-idr-bgp-bfd-strict-mode §6)", "%s: bfd.strict has no effect over %s: %s does not ask for it", name(e), link.Name, name(1-e))
		}
	}
	if !set(0, topology.BFDEnabled).Bool || !set(1, topology.BFDEnabled).Bool {
		return
	}
	if a, b := set(0, topology.BFDPassive), set(1, topology.BFDPassive); a.Bool && b.Bool {
		l.warn(firstPos(a.Origin.Pos, b.Origin.Pos, link.Pos), "RFC 5880 §6.1: at least one end must be active", "BFD never comes up over %s: both ends are passive", link.Name)
	}
	// Detection that takes as long as the hold time never helps.
	hold := smaller(set(0, topology.BGPHold).Dist.Min(), set(1, topology.BGPHold).Dist.Min())
	for e := range 2 {
		detect := detectionTime(&link.Ends[e].Settings, &link.Ends[1-e].Settings)
		for _, k := range []*topology.Setting{set(1-e, topology.BFDMultiplier), set(1-e, topology.BFDMinTx), set(e, topology.BFDMinRx)} {
			if said(k) && hold > 0 && detect >= hold {
				l.warn(k.Origin.Pos, "", "%s: BFD takes %v over %s, the negotiated hold time is %v: it never helps", name(e), topology.FormatDuration(detect), link.Name, topology.FormatDuration(hold))
				break
			}
		}
	}
}

// detectionTime is the Detection Time of an end of a link: what the other end
// multiplies by, times what the two have agreed on. RFC 5880 §6.8.4
func detectionTime(mine, theirs *topology.Settings) time.Duration {
	return time.Duration(theirs[topology.BFDMultiplier].Int) * max(mine[topology.BFDMinRx].Dist.Min(), theirs[topology.BFDMinTx].Dist.Min())
}
