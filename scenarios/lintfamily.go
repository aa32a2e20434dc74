package scenarios

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
)

// Lints about the two families of addresses: routes that have nobody to go to,
// and sessions and platforms that do not do what their addresses ask of them.

var families = [...]topology.Family{topology.IPv4, topology.IPv6}

// exchanged warns of networks that no session of their router can announce.
func (l *linter) exchanged() {
	for i := range l.d.Routers {
		r := &l.d.Routers[i]
		sessions := false
		var has [3]bool
		for j := range l.d.Links {
			link := &l.d.Links[j]
			if !link.Ends[0].BGP || link.Ends[0].Router != i && link.Ends[1].Router != i {
				continue
			}
			sessions = true
			for _, f := range families {
				has[f] = has[f] || link.Exchanges(f)
			}
		}
		never := func(p netip.Prefix, pos topology.Pos) {
			if f := topology.FamilyOf(p.Addr()); sessions && p.IsValid() && !has[f] {
				l.warn(firstPos(pos, r.Pos), fmt.Sprintf("give both ends of a link an %v inside address: inside: [%s]", f, "169.254.1.1/30, 2001:db8::1/126"),
					"%v is never announced: no session of %s exchanges %v", p, r.Name, f)
			}
		}
		for _, n := range r.Networks {
			never(n.Prefix, n.Pos)
		}
		for k := range l.d.Story {
			if f := &l.d.Story[k]; f.Kind == topology.PrefixAnnounce && f.Router == i && f.Until == 0 {
				never(f.Prefix, f.Pos)
			}
		}
	}
}

// families looks at what the two ends of a session offer each other.
func (l *linter) families(link *topology.Link) {
	for e := range link.Ends {
		end := &link.Ends[e]
		name, set := l.d.Routers[end.Router].Name, &end.Settings[topology.BGPFamilies]
		if said(set) && set.Enum != "inside" && !end.Offers(topology.IPv4) && !end.Offers(topology.IPv6) {
			l.warn(set.Origin.Pos, "give the ends an address of that family, or leave bgp.families out",
				"%s offers nothing over %s: bgp.families is %s, its inside address is %v", name, link.Name, set.Enum, end.Inside)
			return
		}
		l.platform(link, end)
	}
	if !link.Exchanges(topology.IPv4) && !link.Exchanges(topology.IPv6) {
		a, b := &link.Ends[0], &link.Ends[1]
		l.warn(firstPos(a.Settings[topology.BGPFamilies].Origin.Pos, b.Settings[topology.BGPFamilies].Origin.Pos, link.Pos), "",
			"the session over %s exchanges no routes: %s offers %s, %s offers %s", link.Name, l.d.Routers[a.Router].Name, offers(a), l.d.Routers[b.Router].Name, offers(b))
	}
}

func offers(e *topology.End) string {
	var list []string
	for _, f := range families {
		if e.Offers(f) {
			list = append(list, f.String())
		}
	}
	return strings.Join(list, " and ")
}

// addPath warns of several paths that nobody sends or nobody receives.
func (l *linter) addPath(link *topology.Link) {
	for e := range link.Ends {
		us, them := &link.Ends[e], &link.Ends[1-e]
		name, peer := l.d.Routers[us.Router].Name, l.d.Routers[them.Router].Name
		set, other := &us.Settings[topology.BGPAddPath], them.Settings[topology.BGPAddPath].Enum
		switch sends, receives := set.Enum == "send" || set.Enum == "both", set.Enum == "receive" || set.Enum == "both"; {
		case !said(set):
		case sends && other != "receive" && other != "both" && !(receives && other == "send"):
			l.warn(set.Origin.Pos, "set bgp.add_path: receive there", "%s sends one path to a prefix over %s all the same: %s does not receive several", name, link.Name, peer)
		case receives && !sends && other != "send" && other != "both":
			l.warn(set.Origin.Pos, "set bgp.add_path: send there", "%s receives one path to a prefix over %s all the same: %s does not send several", name, link.Name, peer)
		}
		if most := &us.Settings[topology.BGPAddPathPaths]; said(most) && most.Int > 0 && set.Enum != "send" && set.Enum != "both" {
			l.warn(most.Origin.Pos, "set bgp.add_path: send", "%s: %s %d has no effect over %s: it does not send several paths", name, leaf(topology.BGPAddPathPaths), most.Int, link.Name)
		}
	}
}

// platform warns of IPv6 in a tunnel of a platform that has none, or that has
// one family in a tunnel only.
func (l *linter) platform(link *topology.Link, end *topology.End) {
	if link.Kind != topology.Tunnel || !end.Offers(topology.IPv6) {
		return
	}
	r := &l.d.Routers[end.Router]
	if o, known := offer(r.Profile, "ipv6"); known && !o.Offered {
		l.warn(firstPos(end.InsidePos, end.Pos), o.Note, "%s at %s: %s does not offer IPv6 in a tunnel", link.Name, r.Name, r.Profile)
	} else if o, known := offer(r.Profile, "dual-stack"); known && !o.Offered && end.Offers(topology.IPv4) {
		l.warn(firstPos(end.InsidePos, end.Pos), o.Note, "%s at %s: %s does not offer IPv4 and IPv6 in one tunnel", link.Name, r.Name, r.Profile)
	}
}
