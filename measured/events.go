package measured

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/stats"
)

// Event by event: when the first of a router's routes changed after it, and before the next
// event. In the lab that is when the kernel said so, in the simulation when the
// forwarding table was changed; the kernel does not speak of routes that go because an
// interface went down. These times are finer than those of the pings, and a trial in which
// no ping was lost has them, too; but they are not what a case is judged by.

// blame gathers the reactions of all cases by the timer that most of the predicted runs
// waited for longest, and by whose it is: where one is off in many cases, it is what
// to look at.
func blame(doc *report.LabCompare) (list []report.LabBlame) {
	type key struct{ daemon, parameter string }
	var keys []key
	shifts, out := map[key][]int64{}, map[key]*report.LabBlame{}
	for i := range doc.Cases {
		c := &doc.Cases[i]
		for _, e := range c.Events {
			if e.ShiftS == nil || len(e.Timers) == 0 || e.Timers[0].Parameter == "" {
				continue
			}
			k := key{parameter: e.Timers[0].Parameter}
			whose := e.Router
			if f := strings.SplitN(k.parameter, ".", 3); len(f) == 3 && f[0] == "routers" {
				whose, k.parameter = f[1], f[2]
			}
			for _, r := range c.Routers {
				if r.Router == whose {
					k.daemon = r.Daemon
				}
			}
			if out[k] == nil {
				keys = append(keys, k)
				out[k] = &report.LabBlame{Daemon: k.daemon, Parameter: k.parameter}
			}
			b := out[k]
			b.Reactions++
			shifts[k] = append(shifts[k], int64(*e.ShiftS))
			tolerance := max(report.Seconds(medianLeast), report.Seconds(medianShare*float64(e.Predicted.MedianS)))
			switch {
			case e.HighS != nil && *e.HighS < -tolerance:
				b.Earlier++
			case e.LowS != nil && *e.LowS > tolerance:
				b.Later++
			}
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.daemon, b.daemon), cmp.Compare(a.parameter, b.parameter))
	})
	for _, k := range keys {
		out[k].ShiftS = report.Seconds(stats.Median(shifts[k]))
		list = append(list, *out[k])
	}
	return list
}

// fewTimers are that are named for a reaction, those of most runs first.
const fewTimers = 3

// events lists the reactions of a case, in order of the story and then of its routers.
func events(c *Case, p *prediction) (list []report.LabReaction) {
	index := map[string][]int{} // by what an event is called
	for i, text := range p.events {
		index[text] = append(index[text], i)
	}
	// A GoBGP does not see that an interface goes down. The kernel does, and takes the routes out; the
	// simulation leaves them where they are, and packets are lost all the same.
	blind := map[string]bool{}
	for _, r := range c.Routers {
		blind[r.Router] = r.Daemon == "gobgp"
	}
	firsts := map[reactor][]int64{}
	happened := make([]int, len(p.events))
	var heard []notice
	for _, t := range c.Good() {
		met := map[string]int{}
		for _, e := range t.Events {
			which := index[e.What]
			if met[e.What] >= len(which) {
				continue // the scenario has no such event any more
			}
			event := which[met[e.What]]
			met[e.What]++
			happened[event]++
			seen := map[string]bool{}
			for _, x := range t.Changes {
				if x.AtS-x.AfterS == e.AtS && !seen[x.Router] && !(x.Down != "" && blind[x.Router]) {
					seen[x.Router] = true
					who := reactor{event, x.Router}
					firsts[who] = append(firsts[who], int64(x.AfterS))
				}
			}
			heard = append(heard, notices(&t, event, e.AtS)...)
		}
	}
	for event, text := range p.events {
		for _, r := range c.Routers {
			who := reactor{event, r.Router}
			x := report.LabReaction{Event: text, Router: r.Router, Measured: first(happened[event], firsts[who]), Heard: summary(heard, who)}
			simulated := p.reactions[who]
			if simulated == nil {
				simulated = &reaction{}
			}
			x.Predicted = first(p.happened[event], simulated.after)
			if x.Measured.Changed+x.Predicted.Changed == 0 && len(x.Heard) == 0 {
				continue
			}
			if x.Measured.Changed > 0 && x.Predicted.Changed > 0 {
				var s report.Seconds
				s, x.LowS, x.HighS = shift(simulated.after, firsts[who])
				x.ShiftS = &s
			}
			x.Timers = simulated.blamed()
			list = append(list, x)
		}
	}
	return list
}

func first(n int, after []int64) report.LabFirst {
	f := report.LabFirst{N: n, Changed: len(after)}
	if len(after) > 0 {
		f.MinS, f.MaxS, f.MedianS = report.Seconds(slices.Min(after)), report.Seconds(slices.Max(after)), report.Seconds(stats.Median(after))
	}
	return f
}

// blamed are the timers that most runs waited longest for.
func (r *reaction) blamed() (list []report.LabTimer) {
	for _, t := range r.timers {
		list = append(list, report.LabTimer{What: t.what, Parameter: t.parameter, Value: t.value, Runs: len(r.waits[t]), MedianS: report.Seconds(stats.Median(r.waits[t]))})
	}
	slices.SortStableFunc(list, func(a, b report.LabTimer) int { return cmp.Compare(b.Runs, a.Runs) })
	return list[:min(len(list), fewTimers)]
}

// notice is a NOTIFICATION that was on the wire.
type notice struct {
	event      int
	from, what string
	after      int64
}

// notices of a trial after an event: each once, where it left.
func notices(t *report.LabTrial, event int, at report.Seconds) (list []notice) {
	for _, m := range t.BGP {
		if m.Type == "NOTIFICATION" && m.Direction == "sent" && m.AtS-m.AfterS == at {
			list = append(list, notice{event, m.From, m.What + " to " + m.To + " over " + m.Link, int64(m.AfterS)})
		}
	}
	return list
}

// summary of those that a router sent.
func summary(all []notice, who reactor) (list []report.LabHeard) {
	after := map[string][]int64{}
	var order []string
	for _, x := range all {
		if x.event == who.event && x.from == who.router {
			if after[x.what] == nil {
				order = append(order, x.what)
			}
			after[x.what] = append(after[x.what], x.after)
		}
	}
	for _, what := range order {
		f := first(0, after[what])
		list = append(list, report.LabHeard{From: who.router, What: what, Trials: f.Changed, MinS: f.MinS, MedianS: f.MedianS, MaxS: f.MaxS})
	}
	return list
}
