package explain

import (
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

// event returns a recorded event.
func (a *Answer) event(id sim.EventID) trace.Event { return a.Log.Events[id-1] }

// when is the time of an event; set-up is the start of the warm-up.
func (a *Answer) when(id sim.EventID) sim.Time {
	if id == 0 {
		return sim.Time(-a.Design.Warmup)
	}
	return a.event(id).At
}

// chain lists the waits that led to the end of an outage, the first one first.
// It goes from the event that ended the outage to its cause, from that to its
// cause, and so on until it has passed the beginning.
func (a *Answer) chain(o network.Outage) []report.Wait {
	if o.Open {
		return []report.Wait{{
			StartS: seconds(o.Start), EndS: seconds(o.End), SinceS: seconds(o.Start), Node: "story",
			What: "nothing ended it before the run did", Parameter: "for", Value: a.Design.For.String(), Source: a.Design.File,
		}}
	}
	var backwards []report.Wait
	end := o.End
	for id := o.EndEvent; end > o.Start && id != 0; {
		ev := a.event(id)
		since := a.when(ev.Cause)
		from := max(since, o.Start)
		if from < end {
			w := a.Net.Wait(ev)
			backwards = append(backwards, report.Wait{
				StartS: seconds(from), EndS: seconds(end), SinceS: seconds(since),
				Node: w.Node, What: w.What, Parameter: w.Parameter, Value: w.Value, Source: w.Origin.String(),
			})
			end = from
		}
		id = ev.Cause
	}
	for i, j := 0, len(backwards)-1; i < j; i, j = i+1, j-1 {
		backwards[i], backwards[j] = backwards[j], backwards[i]
	}
	return backwards
}

// fault finds the story's fault in the causes of an event; -1: none.
func (a *Answer) fault(id sim.EventID) int {
	for ; id != 0; id = a.event(id).Cause {
		if f, ok := network.FaultOf(a.event(id)); ok {
			return f
		}
	}
	return -1
}
