package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/bfd"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// bfd is what watches the path of the session at the end of a link; nil: nothing does.
func (a *Answer) bfd(link, end int) *report.BFD {
	s, ok := a.Net.BFD(link, end)
	if !ok {
		return nil
	}
	l := &a.Design.Links[link]
	out := &report.BFD{State: s.State.String(), Diagnostic: s.Diag.String(), Remote: s.Remote.String(), TxS: report.Seconds(s.TxEvery), Strict: s.Strict, Awaited: s.AwaitsUp}
	out.History = a.history(trace.NoteBFD, l.Ends[end].Router, link, func(n trace.Note) report.Transition {
		return report.Transition{AtS: seconds(n.At), From: bfd.State(n.From).String(), To: bfd.State(n.To).String(), Why: bfdWhy(n)}
	})
	out.SinceS = since(out.History)
	if s.State == bfd.Up {
		out.RxS, out.Multiplier, out.DetectionS = report.Seconds(s.RxEvery), int(s.Mult), report.Seconds(s.Detection())
		out.DetectionFrom = a.detectionFrom(link, end)
	}
	return out
}

// detectionFrom says what the Detection Time is made of. RFC 5880 §6.8.4
func (a *Answer) detectionFrom(link, end int) string {
	l := &a.Design.Links[link]
	me, other := &l.Ends[end], &l.Ends[1-end]
	name := func(e *topology.End) string { return "routers." + a.Design.Routers[e.Router].Name }
	mine, _ := a.Net.BFD(link, end)
	theirs, _ := a.Net.BFD(link, 1-end)
	every := name(me) + ".bfd.min_rx"
	switch {
	case theirs.Config.MinTx > mine.Config.MinRx:
		every = name(other) + ".bfd.min_tx"
	case theirs.Config.MinTx == mine.Config.MinRx:
		every = "both ends want it so"
	}
	return fmt.Sprintf("%s.bfd.multiplier: %d x %v s (%s)", name(other), mine.Mult, report.Seconds(mine.RxEvery), every)
}

func bfdWhy(n trace.Note) string {
	if n.Text != "" {
		return n.Text
	}
	switch {
	case bfd.Diag(n.A) != bfd.DiagNone:
		return bfd.Diag(n.A).String()
	case bfd.State(n.To) == bfd.Down:
		return "enabled"
	}
	return "heard from the other end"
}

// watch proposes BFD, as fast as each platform has it, on the links that the
// fault of a gap was about and that have none.
func (a *Answer) watch(g *report.Gap) []change {
	f := a.gapFault(g)
	if f < 0 {
		return nil
	}
	var c change
	for i := range a.Design.Links {
		l := &a.Design.Links[i]
		fault := &a.Design.Story[f]
		concerns := fault.Link == i || fault.Link < 0 && (l.Ends[0].Router == fault.Router || l.Ends[1].Router == fault.Router)
		if _, runs := a.Net.BFD(i, 0); runs || !concerns || !l.Ends[0].BGP {
			continue
		}
		for e := range l.Ends {
			if set := "routers." + a.Design.Routers[l.Ends[e].Router].Name + ".bfd.enabled=true"; !slices.Contains(c.sets, set) {
				c.sets = append(c.sets, set)
			}
		}
		if c.words == "" {
			c.words = fmt.Sprintf("BFD: %s waits for %s, %s for %s", a.endName(l, 0), waits(l, 0), a.endName(l, 1), waits(l, 1))
		}
	}
	if len(c.sets) == 0 {
		return nil
	}
	return []change{c}
}

func (a *Answer) endName(l *topology.Link, end int) string {
	return a.Design.Routers[l.Ends[end].Router].Name
}

// waits is the Detection Time at an end of a link, once BFD is up.
func waits(l *topology.Link, end int) string {
	mine, theirs := &l.Ends[end].Settings, &l.Ends[1-end].Settings
	interval := max(mine[topology.BFDMinRx].Dist.Max(), theirs[topology.BFDMinTx].Dist.Max())
	return fmt.Sprintf("%d x %s", theirs[topology.BFDMultiplier].Int, topology.FormatDuration(interval))
}

// fasterBFD is what shortens a wait for a Detection Time: packets more often, both
// ways. 50 ms is one of the intervals that RFC 7419 would have everybody support.
func (a *Answer) fasterBFD(w report.Wait) change {
	c := change{words: "a BFD packet every 50 ms", removes: w.Parameter}
	for i := range a.Design.Links {
		l := &a.Design.Links[i]
		if _, runs := a.Net.BFD(i, 0); !runs || !strings.Contains(w.What, " over "+l.Name+":") {
			continue
		}
		for e := range l.Ends {
			at := "routers." + a.endName(l, e) + ".bfd."
			c.sets = append(c.sets, at+"min_tx=50ms", at+"min_rx=50ms")
		}
	}
	return c
}
