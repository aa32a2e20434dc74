package explain_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/topology"
)

// The law of the scenario add-path, in both of its settings and with others: with
// add-path the gap is the way of west's withdrawal to east; without, that of east's
// announcement back to office comes on top. And the reason: the reflector and its
// client have the way round beforehand, or have not.
func TestAddPathSavesTheRoundTripToTheHiddenPath(t *testing.T) {
	for _, c := range []struct {
		sets  []string
		paths int
		gap   time.Duration
	}{
		{nil, 2, 271 * time.Millisecond},
		{[]string{"add_path=none"}, 1, 472 * time.Millisecond},
		{[]string{"links.rr-east.rtt=20ms"}, 2, 181 * time.Millisecond},
		{[]string{"links.rr-east.rtt=20ms", "add_path=none"}, 1, 292 * time.Millisecond},
		{[]string{"routers.*.bgp.add_path_paths=1"}, 1, 271 * time.Millisecond}, // of what may be announced the best one: the reflector has east's, office has not
	} {
		load := builtin(t, "add-path")
		a := mustRun(t, explain.Ask{Load: func(sets []string) (*topology.Design, error) {
			d, err := load(sets)
			if err == nil {
				d.Expect = nil
			}
			return d, err
		}, Seed: 3, Sets: c.sets})
		if len(a.Doc.Gaps) != 1 || time.Duration(a.Doc.Gaps[0].OutageS) != c.gap {
			t.Errorf("%q: %+v, not %v", c.sets, a.Doc.Gaps, c.gap)
		}
		n := network.New(a.Design, network.Options{})
		n.RunTo(3, 40e9)
		for i, r := range a.Design.Routers {
			if r.Name == "office" {
				if got := len(n.Speaker(i).Paths(netip.MustParsePrefix("10.2.0.0/16"))); got != c.paths {
					t.Errorf("%q: office knows %d paths, not %d", c.sets, got, c.paths)
				}
			}
		}
	}
}
