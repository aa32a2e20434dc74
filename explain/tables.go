package explain

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// tables are every router's tables at the end of the run, or at the instant
// that was asked for.
func (a *Answer) tables() []report.Route {
	n, at := a.at()
	var list []report.Route
	for r := range a.Design.Routers {
		list = append(list, routerTables(n, r, at)...)
	}
	return list
}

// at is the network as it was at the instant that was asked for.
func (a *Answer) at() (*network.Network, sim.Time) {
	if a.ask.At == nil {
		return a.Net, a.Result.End
	}
	n := network.New(a.Design, network.Options{})
	at := sim.Time(*a.ask.At)
	n.RunTo(a.ask.Seed, at)
	return n, at
}

func routerTables(n *network.Network, r int, at sim.Time) []report.Route {
	var list []report.Route
	for _, p := range n.Speaker(r).Prefixes() {
		list = append(list, bgpRows(n, r, p, at)...)
	}
	for _, t := range []struct {
		name string
		rows []network.Row
	}{{"fib", n.FIB(r)}, {"vpc", n.RouteTable(r)}} {
		for _, row := range t.rows {
			list = append(list, tableRows(n, r, t.name, row, at)...)
		}
	}
	return list
}

// tableRows shows a row as the cloud's console does: AWS has one row that
// points to the gateway, GCP one for each tunnel.
func tableRows(n *network.Network, r int, table string, row network.Row, at sim.Time) []report.Route {
	router := &n.Design().Routers[r]
	base := report.Route{AtS: seconds(at), Router: router.Name, Table: table, Prefix: row.Prefix.String(), MED: -1, Used: true}
	if table == "vpc" && router.Settings[topology.RouteTableKind].Enum == "gateway" {
		base.Link, base.NextHop = "gateway", "virtual private gateway"
		base.Verdict = "propagated; the gateway chooses the tunnel"
		return []report.Route{base}
	}
	var list []report.Route
	for _, l := range row.Links {
		x := base
		x.Link = n.Design().Links[l].Name
		x.NextHop = otherEnd(n.Design(), l, r, row.Prefix)
		if len(row.Links) > 1 {
			x.Verdict = fmt.Sprintf("equal to the other %d: flows are hashed over them", len(row.Links)-1)
			if table == "vpc" {
				x.Verdict += " (a route has one next hop, so each is a row)"
			}
		} else {
			x.Verdict = "the only next hop"
		}
		list = append(list, x)
	}
	return list
}

// otherEnd is the address at the other end of a link that packets to p are handed to: one
// of the family of p, if it has one.
func otherEnd(d *topology.Design, link, router int, p netip.Prefix) string {
	e := farEnd(d, link, router)
	if a := e.In(topology.FamilyOf(p.Addr())); a.IsValid() {
		return a.String()
	}
	return e.Inside.Addr().String()
}

func farEnd(d *topology.Design, link, router int) *topology.End {
	l := &d.Links[link]
	if l.Ends[0].Router == router {
		return &l.Ends[1]
	}
	return &l.Ends[0]
}

// bgpRows are the paths of one prefix with the decision's verdict on each.
func bgpRows(n *network.Network, r int, p netip.Prefix, at sim.Time) []report.Route {
	var list []report.Route
	for _, v := range n.Speaker(r).Explain(p) {
		x := report.Route{AtS: seconds(at), Router: n.Design().Routers[r].Name, Table: "bgp", Prefix: p.String(),
			Best: v.Best, Used: v.Used, MED: -1, LocalPref: 100, Origin: v.Path.Attrs.Origin.String(), ASPath: asPath(v.Path.Attrs.ASPath)}
		if v.Path.Attrs.HasMED {
			x.MED = int64(v.Path.Attrs.MED)
		}
		if v.Path.Attrs.HasLocalPref {
			x.LocalPref = int64(v.Path.Attrs.LocalPref)
		}
		x.Link, x.NextHop = "local", "self"
		if l := n.LinkOf(r, v.Path.Peer); l >= 0 {
			x.Link, x.NextHop = n.Design().Links[l].Name, v.Path.Attrs.NextHop.String()
			if !v.Path.Attrs.NextHop.IsValid() { // a static route names its link
				x.NextHop = otherEnd(n.Design(), l, r, p)
			}
		}
		x.Stale = stale(n, r, &v)
		x.Verdict = verdict(n, r, v) + staleText(x.Stale)
		list = append(list, x)
	}
	return list
}

// stale is what there is to be said about a path that graceful restart keeps.
func stale(n *network.Network, r int, v *bgp.Verdict) *report.Stale {
	long := v.Path.Attrs.LongLived()
	if !v.Stale {
		if !long {
			return nil
		}
		return &report.Stale{LongLived: true}
	}
	x := &report.Stale{Here: true, LongLived: long}
	if until, w, limited := n.KeptUntil(r, v.Path.Peer); limited {
		s := seconds(until)
		x.KeptUntilS, x.Parameter = &s, w.Parameter
	}
	return x
}

// staleText follows a verdict.
func staleText(x *report.Stale) string {
	if x == nil {
		return ""
	}
	s := "; stale"
	if x.LongLived {
		s = "; long-lived stale"
	}
	switch {
	case !x.Here:
		return s + " (LLGR_STALE): another router keeps it"
	case x.KeptUntilS == nil:
		return s + ", kept until the peer's End-of-RIB"
	}
	return s + ", kept until " + x.KeptUntilS.Fixed(3) + " s"
}

// noCandidate is how the verdict on a path begins that took no part in the decision.
const noCandidate = "no candidate: "

func verdict(n *network.Network, r int, v bgp.Verdict) string {
	other := ""
	if v.Against != nil {
		if l := n.LinkOf(r, v.Against.Peer); l >= 0 {
			other = n.Design().Links[l].Name
		} else {
			other = "its own route"
		}
	}
	rule := v.Rule.String()
	if c := v.Rule.Clause(); c != "" {
		rule += " (" + strings.TrimSuffix(c, ")") + ")" // not "§9.1.2.2 g))"
	}
	switch {
	case !v.Candidate():
		return noCandidate + rule
	case v.Best && v.Rule == bgp.RuleOnly:
		return "best: the only path"
	case v.Best:
		return "best: " + rule + ", against " + other // "over" would be how packets leave
	case v.Used:
		return "used beside the best (multipath); as best path it lost to " + other + ": " + rule
	}
	return "lost to " + other + ": " + rule
}

func asPath(p bgp.ASPath) string {
	var parts []string
	for _, s := range p {
		var asns []string
		for _, n := range s.ASNs {
			asns = append(asns, fmt.Sprint(n))
		}
		if s.Set {
			parts = append(parts, "{"+strings.Join(asns, ",")+"}")
		} else {
			parts = append(parts, strings.Join(asns, " "))
		}
	}
	return strings.Join(parts, " ")
}
