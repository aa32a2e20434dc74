package explain

import (
	"fmt"
	"strings"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
)

// convergence writes down how routing reacted, event by event.
func (a *Answer) convergence() {
	for i := range a.Result.Reactions {
		r := &a.Result.Reactions[i]
		c := report.Convergence{AtS: seconds(r.At), Seconds: report.Seconds(r.Last - r.At),
			Announcements: r.Announced, Withdrawals: r.Withdrawn,
			RIBChanges: r.RIB, FIBChanges: r.FIB, TableChanges: r.Rows, Converged: r.Over, Waits: r.Waits}
		if r.Prefix.IsValid() {
			c.Prefix = r.Prefix.String()
		}
		if r.Fault < 0 {
			c.Event = "the network comes up"
			a.Doc.BringUp = append(a.Doc.BringUp, c)
			continue
		}
		c.Event, c.Path = a.eventText(r), fmt.Sprintf("story[%d]", a.Design.Story[r.Fault].Index)
		a.Doc.Convergence = append(a.Doc.Convergence, c)
	}
}

// eventText names the faults of one instant.
func (a *Answer) eventText(r *network.Reaction) string {
	var list []string
	for i := range a.Design.Story {
		if a.Net.FaultTime(i) == r.At {
			list = append(list, a.Net.FaultText(i))
		}
	}
	return strings.Join(list, "; ")
}
