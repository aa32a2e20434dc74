package measured

import (
	"slices"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/stats"
)

// Twelve gaps that may be anywhere between 20 and 30 s do not show that they are a second
// short. The twelve of each of ten cases do, if all are: cases of a group, with the same
// daemons, are taken together, and all cases with these daemons are. What comes of it changes
// no case's verdict; it says where to look.

// gathered are the gaps of a case for that.
type gathered struct {
	group, daemons  string
	seen, predicted []int64
	every           time.Duration
}

func gather(c *Case, seen []int64, p *prediction) gathered {
	group, _, ok := strings.Cut(c.Name, "/")
	if !ok {
		group = ""
	}
	var daemons []string
	for _, r := range c.Routers {
		daemons = append(daemons, r.Daemon)
	}
	slices.Sort(daemons)
	return gathered{group, strings.Join(slices.Compact(daemons), "+"), seen, p.gaps, p.every}
}

// together compares what belongs together, in order of first appearance.
func together(all []gathered) (list []report.LabTogether) {
	type key struct{ group, daemons string }
	var keys []key
	members := map[key][]gathered{}
	for _, g := range all {
		for _, k := range slices.Compact([]key{{g.group, g.daemons}, {"", g.daemons}}) {
			if members[k] == nil {
				keys = append(keys, k)
			}
			members[k] = append(members[k], g)
		}
	}
	var ps []float64
	for _, k := range keys {
		if len(members[k]) < 2 {
			continue
		}
		t := report.LabTogether{Group: k.group, Daemons: k.daemons}
		var predicted []*stats.Histogram
		var seen [][]int64
		for _, g := range members[k] {
			p, m := split(g.predicted).long, long(g.seen, g.every)
			if len(p) > 0 && len(m) > 0 {
				predicted, seen = append(predicted, histogram(p)), append(seen, m)
				t.Cases, t.Gaps = t.Cases+1, t.Gaps+len(m)
			}
		}
		x := within(func(more time.Duration) stats.Test {
			var strata []stats.Stratum
			for i := range seen {
				strata = append(strata, stats.Stratum{A: predicted[i], B: histogram(moved(seen[i], more))})
			}
			return stats.MannWhitneyStrata(strata)
		})
		t.P, t.Longer = x.P, x.Statistic
		if t.Cases > 1 {
			list, ps = append(list, t), append(ps, t.P)
		}
	}
	for i, p := range stats.Holm(ps) {
		list[i].Adjusted = p
	}
	// Those of all groups come last.
	slices.SortStableFunc(list, func(a, b report.LabTogether) int {
		if (a.Group == "") == (b.Group == "") {
			return 0
		} else if a.Group == "" {
			return 1
		}
		return -1
	})
	return list
}
