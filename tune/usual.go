package tune

import (
	"slices"

	"github.com/vpnsim/vpnsim/profile"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// usualValues are what people turn to make a failover faster or a session steadier.
var usualValues = []struct {
	key    topology.Key
	values []string
}{
	{topology.BGPHold, []string{"9s", "30s", "60s"}},
	{topology.BFDEnabled, []string{"true"}},
}

// mostRouters whose timers are tried when nobody says which.
const mostRouters = 2

// UsualVary are the timers that are tried when nobody says which, with the values that the platforms offer
// and that are not there already: of the two routers with most links.
func UsualVary(d *topology.Design) (list []sweep.Vary) {
	links := make([]int, len(d.Routers))
	for i := range d.Links {
		for e := range 2 {
			links[d.Links[i].Ends[e].Router]++
		}
	}
	var order []int
	for i := range d.Routers {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return links[b] - links[a] })
	order = order[:min(len(order), mostRouters)]
	slices.Sort(order)
	for _, r := range order {
		router := &d.Routers[r]
		for _, u := range usualValues {
			v := sweep.Vary{Path: "routers." + router.Name + "." + u.key.String()}
			for _, x := range u.values {
				set := v.Path + "=" + x
				if p, _ := profile.NotOffered(d, set); p == "" && changes(d, set) {
					v.Values = append(v.Values, x)
				}
			}
			if len(v.Values) > 0 { // and the value that it has, so that combinations may leave it alone
				v.Values = append([]string{router.Settings[u.key].Format(u.key)}, v.Values...)
				list = append(list, v)
			}
		}
	}
	return list
}
