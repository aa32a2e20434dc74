package explain

import (
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/topology"
)

// Bound is how long the outage would be if every wait of its chain took as long as it
// can. False: some wait has no limit that is known, such as one for an event of the story.
func Bound(chain []report.Wait) (time.Duration, bool) {
	var sum time.Duration
	for _, w := range chain {
		d, err := topology.ParseDist(w.Value)
		if err != nil || strings.HasPrefix(w.Parameter, "story") || w.Parameter == "for" {
			return 0, false
		}
		sum += max(d.Max(), time.Duration(w.EndS-w.SinceS))
	}
	return sum, len(chain) > 0
}
