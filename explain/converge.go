package explain

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
)

// convergence writes down how routing reacted, event by event.
func (a *Answer) convergence() {
	slowest := a.slowest()
	for i := range a.Result.Reactions {
		r := &a.Result.Reactions[i]
		c := report.Convergence{AtS: seconds(r.At), Seconds: report.Seconds(r.Last - r.At),
			Announcements: r.Announced, Withdrawals: r.Withdrawn,
			RIBChanges: r.RIB, FIBChanges: r.FIB, TableChanges: r.Rows, Converged: r.Over, Waits: r.Waits}
		if r.Prefix.IsValid() {
			c.Prefix = r.Prefix.String()
		}
		if slowest[i] {
			c.Chain = a.waits(r.LastEvent, []netip.Prefix{r.Prefix}, r.At, r.Last)
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

// slowest are the reactions of which it is told what they waited for: after each event that
// about the prefix that took longest, the first of them, unless not all are over. There is
// nothing to tell without a record of the run.
func (a *Answer) slowest() map[int]bool {
	list, of := map[int]bool{}, map[int]int{} // by fault
	if a.Log == nil {
		return list
	}
	all := a.Result.Reactions
	for i := range all {
		j, known := of[all[i].Fault]
		switch {
		case !known, all[j].Over && (!all[i].Over || all[i].Last > all[j].Last):
			of[all[i].Fault] = i
		}
	}
	for _, i := range of {
		if r := &all[i]; r.Over && r.Last > r.At && r.LastEvent != 0 {
			list[i] = true
		}
	}
	return list
}

// Convergence answers how routing reacted to the story, or to the n-th of its events.
func (a *Answer) Convergence(n int) error {
	events := report.Events(a.Doc.Convergence)
	switch {
	case a.Design.Internet != nil:
		return errors.New("of a graph of ASes there is no record that says what it waited for: that is not supported; `vpnsim run` says how long it took")
	case n > len(events):
		return fmt.Errorf("there is no event %d: the story has %d", n, len(events))
	case n > 0:
		a.Doc.BringUp, a.Doc.Convergence = nil, events[n-1]
	}
	a.Doc.Kind, a.Doc.Gaps = "explain", nil
	return nil
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

// ending says how routing stands at the end of the run.
func ending(e *network.Ending, end sim.Time, cut bool) report.Ending {
	out := report.Ending{SinceS: seconds(e.Since), RouteChanges: e.Changes, LastChangeS: seconds(e.Last),
		Cut: cut, Chance: e.Chance, Waits: e.Waits}
	if e.Changes == 0 {
		out.LastChangeS = out.SinceS
	}
	lasted := end.Sub(e.Since).Seconds()
	changes := fmt.Sprintf("%d changes of routes in the last %.3f s", e.Changes, lasted)
	if e.Changes == 1 {
		changes = fmt.Sprintf("1 change of a route in the last %.3f s", lasted)
	}
	switch {
	case e.State == network.Repeats && e.First == e.Again:
		out.State, out.FirstS, out.AgainS = report.Repeats, seconds(e.First), seconds(e.Again)
		out.Text = fmt.Sprintf("never converges: at %.3f s routing comes back to the same state again and again, and no time passes; the run ends there", e.Again.Seconds())
	case e.State == network.Repeats:
		out.State, out.FirstS, out.AgainS, out.PeriodS = report.Repeats, seconds(e.First), seconds(e.Again), report.Seconds(e.Again-e.First)
		out.Text = fmt.Sprintf("never converges: the state of routing at %.3f s is that at %.3f s again (period %.3f s); without another event it goes round for ever",
			e.Again.Seconds(), e.First.Seconds(), e.Again.Sub(e.First).Seconds())
		if e.Updates > 0 {
			out.Text += fmt.Sprintf("; the run ends after %d UPDATEs, at %.3f s", e.Updates, end.Seconds())
		}
	case e.Updates > 0:
		out.State = report.Unsettled
		out.Text = fmt.Sprintf("does not converge: %d UPDATEs since the last event, at %.3f s, are more than any network needs; the run ends at %.3f s", e.Updates, e.Since.Seconds(), end.Seconds())
	case e.State == network.Unsettled && e.Changes > 0 && e.Chance:
		out.State = report.Unsettled
		out.Text = fmt.Sprintf("no stable state by the end of the run: %s, the last one %.3f s before the end; delays are drawn, so that nobody can say whether it would ever come", changes, end.Sub(e.Last).Seconds())
	case e.State == network.Unsettled && e.Changes > 0:
		out.State = report.Unsettled
		out.Text = fmt.Sprintf("no stable state by the end of the run: %s, the last one %.3f s before the end", changes, end.Sub(e.Last).Seconds())
	case e.State == network.Unsettled:
		out.State = report.Unsettled
		out.Text = "not converged by the end of the run, although no route has changed"
		if e.Since > 0 {
			out.Text += " since the last event"
		}
	default:
		out.State = report.AtRest
		out.Text = fmt.Sprintf("at rest: %s, the last one at %.3f s", changes, e.Last.Seconds())
		if e.Changes == 0 {
			out.Text = fmt.Sprintf("at rest: no route has changed in the last %.3f s", lasted)
		}
	}
	if out.State == report.Unsettled && len(e.Waits) > 0 {
		out.Text += "; still to come: " + strings.Join(e.Waits, "; ")
	}
	return out
}
