package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/topology"
)

// MRAI is the suspect of the write-up that this program began with, so every
// router's is tried, whether or not a chain names it; and where it is to blame,
// more than one router mostly is.

// mrai lists the intervals of router r: towards other ASes and within its own.
func (a *Answer) mrai(c *course, r int) []suspect {
	router := &a.Design.Routers[r]
	var list []suspect
	for _, k := range a.intervals(r) {
		path := "routers." + router.Name + "." + k.String()
		try := func(v string) change {
			c := change{[]string{path + "=" + v}, v, path}
			if router.Settings[topology.BGPMRAIMode].Enum == "none" {
				c.sets = append([]string{"routers." + router.Name + "." + topology.BGPMRAIMode.String() + "=since-last-update"}, c.sets...)
			}
			return c
		}
		list = append(list, suspect{path, []change{try("0s"), try("60s")}, a.held(c, []int{r}, k)})
	}
	return list
}

// mraiOfAll tries the intervals of all routers at once, where there are too many
// to do so one by one. Without any interval, a graph of twenty might explore
// more paths than anybody wants to wait for.
func (a *Answer) mraiOfAll(g *report.Gap, c *course) []suspect {
	none, other := false, false
	var has [2]bool
	var all []int
	for r := range a.Design.Routers {
		all = append(all, r)
		switch a.Design.Routers[r].Settings[topology.BGPMRAIMode].Enum {
		case "none":
			none = true
		case "since-last-update":
		default:
			other = true
		}
		for _, k := range a.intervals(r) {
			has[slices.Index(intervalKeys, k)] = true
		}
	}
	var list []suspect
	for i, k := range intervalKeys {
		blamed := slices.ContainsFunc(g.Chain, func(w report.Wait) bool { key, ok := keyOf(w.Parameter); return ok && key == k })
		if !has[i] || blamed { // then the chain's own routers are tried without it
			continue
		}
		path := "routers.*." + k.String()
		try := func(v string) change {
			c := change{[]string{path + "=" + v}, v, path}
			if none && !other {
				c.sets = append([]string{"routers.*." + topology.BGPMRAIMode.String() + "=since-last-update"}, c.sets...)
			}
			return c
		}
		list = append(list, suspect{path, []change{try("1s"), try("60s")}, a.held(c, all, k)})
	}
	return list
}

// intervals are the settings that space the UPDATEs of router r to the kinds of
// neighbours that it has.
func (a *Answer) intervals(r int) (keys []topology.Key) {
	var has [2]bool
	for l := range a.Design.Links {
		ends := &a.Design.Links[l].Ends
		for e := range ends {
			if ends[e].Router == r && ends[0].BGP && ends[1].BGP {
				if a.Design.Routers[ends[1-e].Router].ASN == a.Design.Routers[r].ASN {
					has[1] = true
				} else {
					has[0] = true
				}
			}
		}
	}
	for i, k := range intervalKeys {
		if has[i] {
			keys = append(keys, k)
		}
	}
	return keys
}

// intervalKeys are those towards other ASes, and within one's own.
var intervalKeys = []topology.Key{topology.BGPMRAI, topology.BGPMRAIIBGP}

// intervalsOf are the intervals that a chain blames, each once.
func intervalsOf(g *report.Gap) (paths []string) {
	for _, w := range g.Chain {
		if k, ok := keyOf(w.Parameter); ok && (k == topology.BGPMRAI || k == topology.BGPMRAIIBGP) && !slices.Contains(paths, w.Parameter) {
			paths = append(paths, w.Parameter)
		}
	}
	return paths
}

// noMRAI proposes that none of the routers that a chain blames keeps an interval:
// those that run side by side hide each other.
func noMRAI(g *report.Gap) (change, bool) {
	paths := intervalsOf(g)
	if len(paths) < 2 {
		return change{}, false
	}
	c := change{words: fmt.Sprintf("no minimum interval at any of the %d", len(paths))}
	for _, path := range paths {
		c.sets = append(c.sets, path+"=0s")
	}
	return c, true
}

// atOnce proposes that no router waits before the first UPDATE of a session, where
// a chain blames one for it: both ends of a session have one to send.
func (a *Answer) atOnce(g *report.Gap) []change {
	if !slices.ContainsFunc(g.Chain, func(w report.Wait) bool {
		k, ok := keyOf(w.Parameter)
		return ok && k == topology.BGPFirstUpdate
	}) {
		return nil
	}
	c := change{words: "no router waits before its first UPDATE"}
	for r := range a.Design.Routers {
		if set := &a.Design.Routers[r].Settings; set[topology.BGPFirstUpdate].Dist.Max() > 0 {
			c.sets = append(c.sets, "routers."+a.Design.Routers[r].Name+"."+topology.BGPFirstUpdate.String()+"=0s")
		}
	}
	return []change{c}
}

// freeWithdrawals proposes that withdrawals do not wait where a chain blames an
// interval: of use if what waited was one.
func freeWithdrawals(g *report.Gap) (list []change) {
	for _, path := range intervalsOf(g) {
		parts := strings.Split(path, ".")
		at := strings.Join(parts[:len(parts)-2], ".") + "." + topology.BGPMRAIWithdrawals.String()
		c := change{[]string{at + "=exempt"}, "withdrawals do not wait", path}
		if !slices.ContainsFunc(list, func(x change) bool { return x.sets[0] == c.sets[0] }) {
			list = append(list, c)
		}
	}
	return list
}
