package explain

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
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
// It goes from the event that ended the outage to the one that its wait began
// with, mostly its cause, from that to the one before, and so on until it has
// passed the beginning.
func (a *Answer) chain(probe int, o network.Outage) []report.Wait {
	if o.Open {
		w := a.toTheEnd()
		res := &a.Result.Probes[probe]
		for _, c := range res.Paths() {
			if blame, ok := a.Net.Blame(res, c); ok && !c.OK {
				w = blame
			}
		}
		return []report.Wait{wait(w, o.Start, o.End, o.Start)}
	}
	return a.waits(o.EndEvent, a.about(probe, o.EndEvent), o.Start, o.End)
}

// toTheEnd is the wait for something that does not happen.
func (a *Answer) toTheEnd() network.Wait {
	return network.Wait{Node: "story", What: "nothing ended it before the run did", Parameter: "for",
		Value: topology.FormatDuration(a.Design.For), Origin: topology.Origin{Status: topology.Given, Pos: a.Design.ForPos}}
}

// waits are those that led to event id, which happened at the instant end, since
// start. What news would have to be about to matter is about.
func (a *Answer) waits(id sim.EventID, about []netip.Prefix, start, end sim.Time) []report.Wait {
	var backwards []report.Wait
	for end > start && id != 0 {
		ev, before := a.event(id), a.Net.Before(id, about)
		since := a.when(before)
		from := max(since, start)
		if from < end {
			if _, story := network.FaultOf(ev); story {
				since = from // the story had been waiting since before time zero
			}
			backwards = append(backwards, wait(a.Net.Wait(id), from, end, since))
			end = from
		}
		id = before
	}
	slices.Reverse(backwards)
	return inARow(backwards)
}

// about is what news would have to be about to matter in an event that ended an
// outage or began it: the prefixes whose routes it changed, or those of the probe.
func (a *Answer) about(probe int, id sim.EventID) []netip.Prefix {
	p := &a.Design.Probes[probe]
	src, dst := a.Design.Ends(p)
	return a.aboutEnds([]netip.Addr{src, dst}, id)
}

func (a *Answer) aboutEnds(ends []netip.Addr, id sim.EventID) []netip.Prefix {
	if id == 0 {
		return nil
	}
	var ps []netip.Prefix
	for _, changed := range a.Net.Programmed(id) {
		if slices.ContainsFunc(ends, changed.Contains) {
			ps = append(ps, changed)
		}
	}
	if len(ps) == 0 {
		for _, end := range ends {
			ps = append(ps, netip.PrefixFrom(end, end.BitLen()))
		}
	}
	return ps
}

// inARow puts waits of one kind that follow each other into one, such as the
// segments that a session is established with.
func inARow(chain []report.Wait) []report.Wait {
	var out []report.Wait
	for i := 0; i < len(chain); {
		w, first := chain[i], i
		for i++; i < len(chain) && chain[i].Parameter == w.Parameter && chain[i].What == w.What && w.Drawn.Like(chain[i].Drawn); i++ {
			w.EndS, w.Drawn = chain[i].EndS, w.Drawn.And(chain[i].Drawn)
		}
		if n := i - first; n > 1 {
			w.What = fmt.Sprintf("%s (%d in a row)", w.What, n)
		}
		out = append(out, w)
	}
	return out
}

func wait(w network.Wait, from, to, since sim.Time) report.Wait {
	out := report.Wait{StartS: seconds(from), EndS: seconds(to), SinceS: seconds(since),
		Node: w.Node, What: w.What, Parameter: w.Parameter, Value: w.Value, Source: w.Origin.String()}
	if d := w.Drawn; d != nil {
		out.Drawn = &report.Drawn{Times: 1, S: report.Seconds(d.Took), From: d.From, Parameter: d.Parameter, Value: d.Value, Source: d.Origin.String()}
	}
	return out
}
