package network

import (
	"strconv"
	"strings"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/topology"
)

// speakerConfig turns what is asked of a router into the configuration of its
// speaker.
func speakerConfig(n *Network, r *router) bgp.SpeakerConfig {
	rules, ok := bgp.RulesetFor(r.settings[topology.BGPDecision].Enum)
	if !ok {
		panic("network: no decision process called " + r.settings[topology.BGPDecision].Enum)
	}
	if r.settings[topology.BGPAlwaysCompareMED].Bool {
		rules = rules.AlwaysCompareMED()
	}
	c := bgp.SpeakerConfig{
		AS: r.cfg.ASN, ID: r.cfg.ID,
		Rules:           rules,
		Multipath:       int(r.settings[topology.BGPMultipath].Int),
		MultipathSameAS: r.settings[topology.BGPMultipathSameAS].Bool,
		Together:        r.settings[topology.BGPDecisionDelay].Dist.Max() > 0,
		Rand:            r.rnd.Uint64,
		Memory:          &n.memory,
		Draw:            func(peer bgp.PeerID, k uint64) uint64 { return n.jitter(r, peer, k) },
	}
	if c.LongLived = longLived(n, r); c.LongLived {
		c.Rules = append(bgp.Ruleset{bgp.RuleLongLived}, c.Rules...)
	}
	for _, i := range r.sessions {
		s := &n.sessions[i]
		l := &n.d.Links[s.link]
		me, other := &l.Ends[s.end], &l.Ends[1-s.end]
		p := &bgp.PeerConfig{
			AS: n.d.Routers[other.Router].ASN, Addr: other.Inside.Addr(), Local: me.Inside.Addr(),
			Weight: uint32(me.Settings[topology.BGPWeight].Int), IGPMetric: uint32(me.Settings[topology.BGPIGPMetric].Int),
			Direct: l.Kind == topology.Plain,
		}
		p.PeerGroup = &bgp.PeerGroup{
			Import: policy(me.Import), Export: policy(me.Export),
			SenderSideLoop: me.Settings[topology.BGPSenderSideLoop].Bool,
			LoopUnsaid:     me.Settings[topology.BGPSenderSideLoop].Bool && !me.Settings[topology.BGPLoopWithdraws].Bool,
			NoEcho:         me.Settings[topology.BGPNoEcho].Bool,
			OwnOnly:        !me.Settings[topology.BGPTransit].Bool,
			Helper:         helper(&me.Settings),
			Restarter:      me.Settings[topology.BGPGracefulRestart].Enum == "restarter",
			MaxPrefixes:    int(me.Settings[topology.BGPMaxPrefixes].Int),
			LimitWarns:     me.Settings[topology.BGPMaxPrefixesAction].Enum == "warn",
			NextHopSelf:    me.Settings[topology.BGPNextHopSelf].Bool,
			Client:         me.Settings[topology.BGPReflectorClient].Bool && n.d.Routers[other.Router].ASN == r.cfg.ASN,
			MRAI:           mrai(&me.Settings),
			Damping:        damping(&me.Settings),
			Families:       families(me),
			MostPaths:      int(me.Settings[topology.BGPAddPathPaths].Int),
		}
		for _, f := range addPath(me) {
			if fs := bgp.FamiliesOf([]bgp.Family{f.Family}); f.Send {
				p.SendPaths |= fs
			}
			if fs := bgp.FamiliesOf([]bgp.Family{f.Family}); f.Receive {
				p.ReceivePaths |= fs
			}
		}
		if also := topology.FamilyOf(me.Also.Addr()); also != topology.AnyFamily {
			p.AlsoLocal, p.AlsoAddr = me.Also.Addr(), other.In(also)
		}
		if med := me.Settings[topology.BGPMED].Int; med >= 0 && p.AS != c.AS {
			// Only the first term that matches counts, so each of them has to set it.
			for i := range p.Export {
				if t := &p.Export[i]; !t.SetMED {
					t.SetMED, t.MED = true, uint32(med)
				}
			}
			p.Export = append(p.Export, bgp.Term{SetMED: true, MED: uint32(med)})
		}
		c.Peers = append(c.Peers, p)
	}
	return r.withStatics(c)
}

// families are those that an end of a link offers its peer.
func families(end *topology.End) (fs bgp.Families) {
	if end.Offers(topology.IPv4) {
		fs |= bgp.WithIPv4
	}
	if end.Offers(topology.IPv6) {
		fs |= bgp.WithIPv6
	}
	return fs
}

// addPath is what an end of a link offers of add-path, for each of its families.
func addPath(end *topology.End) (list []bgp.AddPath) {
	mode := end.Settings[topology.BGPAddPath].Enum
	if mode == "none" {
		return nil
	}
	for _, f := range families(end).List() {
		list = append(list, bgp.AddPath{Family: f, Send: mode != "receive", Receive: mode != "send"})
	}
	return list
}

// policy turns the scenario's terms into those of package bgp.
func policy(terms []topology.Term) bgp.Policy {
	var p bgp.Policy
	for _, t := range terms {
		x := bgp.Term{PathHas: t.PathHas, Reject: t.Reject, Prepend: t.Prepend, Community: community(t.Community)}
		for _, prefix := range t.Prefixes {
			m := bgp.PrefixMatch{Prefix: prefix}
			if t.OrLonger {
				m.GE, m.LE = prefix.Bits(), prefix.Addr().BitLen()
			}
			x.Prefixes = append(x.Prefixes, m)
		}
		if t.LocalPref != nil {
			x.SetLocalPref, x.LocalPref = true, *t.LocalPref
		}
		if t.MED != nil {
			x.SetMED, x.MED = true, *t.MED
		}
		for _, c := range t.AddCommunities {
			x.AddCommunity = append(x.AddCommunity, community(c))
		}
		p = append(p, x)
	}
	return p
}

// community reads "65000:100"; the scenario's parser has checked it.
func community(s string) uint32 {
	a, b, _ := strings.Cut(s, ":")
	hi, _ := strconv.ParseUint(a, 10, 16)
	lo, _ := strconv.ParseUint(b, 10, 16)
	return uint32(hi<<16 | lo)
}
