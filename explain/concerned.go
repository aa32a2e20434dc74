package explain

import (
	"slices"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/topology"
)

// few routers are all tried one by one. Of more, only those are that can be
// expected to have something to do with a gap: in a graph of fifty, hundreds of
// runs would be spent on finding out that the others have not.
const few = 4

// concerned are the routers whose settings are tried: those in the gap's chain,
// those that the fault happened to, and those at the ends of the probe.
func (a *Answer) concerned(g *report.Gap) []int {
	var list []int
	if len(a.Design.Routers) <= few {
		for r := range a.Design.Routers {
			list = append(list, r)
		}
		return list
	}
	for _, w := range g.Chain {
		if r := slices.IndexFunc(a.Design.Routers, func(r topology.Router) bool { return r.Name == w.Node }); r >= 0 {
			list = append(list, r)
		}
	}
	if i := a.gapFault(g); i >= 0 {
		f := &a.Design.Story[i]
		if f.Router >= 0 {
			list = append(list, f.Router)
		}
		if f.Link >= 0 {
			list = append(list, a.Design.Links[f.Link].Ends[0].Router, a.Design.Links[f.Link].Ends[1].Router)
		}
	}
	if p := slices.IndexFunc(a.Design.Probes, func(p topology.Probe) bool { return p.Name == g.Probe }); p >= 0 {
		list = append(list, a.Design.Hosts[a.Design.Probes[p].From].Router, a.Design.Hosts[a.Design.Probes[p].To].Router)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
