package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/topology"
)

// Best answers which path a router has chosen for a prefix, and why.
func (a *Answer) Best(router, prefix string) error {
	r, err := a.router(router)
	if err != nil {
		return err
	}
	p, err := netip.ParsePrefix(prefix)
	if err != nil {
		return fmt.Errorf("%q is not a prefix; write it like 10.2.0.0/16", prefix)
	}
	n, at := a.at()
	rows := bgpRows(n, r, p.Masked(), at)
	name := a.Design.Routers[r].Name
	x := &report.Explain{Question: fmt.Sprintf("best %s %s", name, p), AtS: seconds(at), Routes: rows,
		Rules: rules(n.Speaker(r).Rules())}
	switch best := slices.IndexFunc(rows, func(row report.Route) bool { return row.Best }); {
	case len(rows) == 0:
		x.Answer = append(x.Answer, fmt.Sprintf("%s knows no path to %s at %v s.", name, p, seconds(at)), known(n.Speaker(r).Prefixes()))
	case best < 0:
		x.Answer = append(x.Answer, fmt.Sprintf("%s has no route to %s at %v s: %s.", name, p, seconds(at), noneCounts(rows)))
	default:
		row := &rows[best]
		x.Answer = append(x.Answer, fmt.Sprintf("%s's best path to %s is over %s. %s.", name, p, row.Link, upper(row.Verdict)))
		if row.Stale != nil && row.Stale.Here {
			x.Answer = append(x.Answer, whyKept(name, row))
		}
	}
	x.Answer = append(x.Answer, a.bestIsNotAll(n, r, p.Masked())...)
	a.Doc.Kind, a.Doc.Explain = "explain", x
	return nil
}

// known lists the first of what a router has paths to: that may be a whole table.
func known(prefixes []netip.Prefix) string {
	if len(prefixes) == 0 {
		return "It knows no path to anything."
	}
	var list []string
	for _, q := range prefixes[:min(len(prefixes), 10)] {
		list = append(list, q.String())
	}
	if more := len(prefixes) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return "It knows " + strings.Join(list, ", ") + "."
}

// noneCounts says why none of the paths in rows is a candidate.
func noneCounts(rows []report.Route) string {
	var why []string
	for _, row := range rows {
		if s := strings.TrimPrefix(row.Verdict, noCandidate); !slices.Contains(why, s) {
			why = append(why, s)
		}
	}
	s := "the only path is no candidate: "
	if len(rows) > 1 {
		s = fmt.Sprintf("none of its %d paths is a candidate: ", len(rows))
	}
	return s + strings.Join(why, "; ")
}

// whyKept says what a stale route still does there.
func whyKept(router string, row *report.Route) string {
	s := fmt.Sprintf("It is stale: the session over %s that told it has ended, and %s keeps it in case the peer comes back, ", row.Link, router)
	if row.Stale.KeptUntilS == nil {
		return s + "until the peer has said what it knows (End-of-RIB)."
	}
	return s + fmt.Sprintf("until %s s (%s).", row.Stale.KeptUntilS.Fixed(3), row.Stale.Parameter)
}

// bestIsNotAll is the answer to a puzzle: why routes other than the best path
// stand in the route table, too.
func (a *Answer) bestIsNotAll(n *network.Network, r int, p netip.Prefix) []string {
	route := n.Speaker(r).Route(p)
	if route == nil || len(route.Used) < 2 {
		return nil
	}
	out := []string{fmt.Sprintf("%d equally good paths are used at once (bgp.multipath = %d): the best path is what the router announces, not the only way that traffic takes.",
		len(route.Used), a.Design.Routers[r].Settings[topology.BGPMultipath].Int)}
	if a.Design.Routers[r].Settings[topology.RouteTableKind].Enum == "tunnel" {
		out = append(out, "In the cloud's route table a route has exactly one next hop, so equal paths stand there as separate rows. That does no harm: each flow is hashed over the rows.")
	}
	return out
}

// Route answers where a router sends what is addressed to ip, and why.
func (a *Answer) Route(router, ip string) error {
	r, err := a.router(router)
	if err != nil {
		return err
	}
	dst, err := netip.ParseAddr(ip)
	if err != nil {
		return fmt.Errorf("%q is not an address; write it like 10.2.0.6", ip)
	}
	n, at := a.at()
	name := a.Design.Routers[r].Name
	x := &report.Explain{Question: fmt.Sprintf("route %s %s", name, dst), AtS: seconds(at)}
	for _, row := range routerTables(n, r, at) {
		if p, err := netip.ParsePrefix(row.Prefix); err == nil && p.Contains(dst) {
			x.Routes = append(x.Routes, row)
		}
	}
	var match netip.Prefix
	for _, row := range x.Routes {
		if p, _ := netip.ParsePrefix(row.Prefix); p.Bits() > match.Bits() || !match.IsValid() {
			match = p
		}
	}
	if match.IsValid() {
		x.Answer = append(x.Answer, fmt.Sprintf("The longest prefix that matches %s is %s.", dst, match))
	}
	asked := false
	for _, h := range a.Design.Hosts {
		if h.Router != r {
			continue
		}
		src := h.In(topology.FamilyOf(dst))
		if !src.IsValid() {
			continue // it has no address to send from
		}
		if src == dst {
			x.Answer = append(x.Answer, fmt.Sprintf("%s is %s, a host behind %s itself.", dst, h.Name, name))
			asked = true
			continue
		}
		link, why := n.Egress(r, src, dst)
		asked = true
		if why != "" {
			x.Answer = append(x.Answer, fmt.Sprintf("What %s (%s) sends to %s is dropped at %s: %s.", h.Name, src, dst, name, why))
		} else {
			x.Answer = append(x.Answer, fmt.Sprintf("What %s (%s) sends to %s leaves by %s.", h.Name, src, dst, a.Design.Links[link].Name))
		}
	}
	if !asked && !match.IsValid() {
		x.Answer = append(x.Answer, fmt.Sprintf("%s has no route to %s.", name, dst))
	}
	set := &a.Design.Routers[r].Settings
	switch set[topology.RouteTableKind].Enum {
	case "tunnel":
		x.Answer = append(x.Answer, "The route table decides for hosts: a route has exactly one next hop, so equal paths stand as separate rows, and a flow is hashed over them. The router's best path is not the network's forwarding choice.")
	case "gateway":
		x.Answer = append(x.Answer, "A row of the route table only points to the gateway; the gateway sends everything through one tunnel, its best path.")
		if !set[topology.RouteTablePropagate].Bool {
			x.Answer = append(x.Answer, "Route propagation is off ("+set[topology.RouteTablePropagate].Origin.String()+"): BGP is up, and its routes never enter the table.")
		}
	}
	a.Doc.Kind, a.Doc.Explain = "explain", x
	return nil
}

func (a *Answer) router(name string) (int, error) {
	var names []string
	for i := range a.Design.Routers {
		if a.Design.Routers[i].Name == name {
			return i, nil
		}
		names = append(names, a.Design.Routers[i].Name)
	}
	return 0, fmt.Errorf("there is no router %q; the scenario has %s", name, strings.Join(names, ", "))
}

// rules are the steps of a decision process, in order.
func rules(set bgp.Ruleset) []string {
	var list []string
	for i, r := range set {
		s := fmt.Sprintf("%d. %s", i+1, r)
		if c := r.Clause(); c != "" {
			s += " — " + c
		}
		list = append(list, s)
	}
	return list
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Forwarding keeps one pair of those that were watched, or all of them.
func (a *Answer) Forwarding(from, to string) error {
	if from != "" {
		list := a.Doc.Forwarding
		i := slices.IndexFunc(list, func(f report.Forwarding) bool {
			return (f.From == from || f.FromAddress == from) && (f.To == to || f.ToAddress == to)
		})
		if i < 0 {
			return fmt.Errorf("%s -> %s was not watched", from, to)
		}
		a.Doc.Forwarding = list[i : i+1]
	}
	a.Doc.Kind = "explain"
	return nil
}

// Gap answers why a gap was as long as it was; 0 asks about all of them.
func (a *Answer) Gap(n int) error {
	gaps := a.Doc.Gaps
	switch {
	case n > len(gaps) && len(gaps) == 0:
		return fmt.Errorf("there is no gap %d: nothing was lost in this run", n)
	case n > len(gaps):
		return fmt.Errorf("there is no gap %d: the run has %d", n, len(gaps))
	case n > 0:
		a.Doc.Gaps = gaps[n-1 : n]
	}
	a.Doc.Kind = "explain"
	return nil
}
