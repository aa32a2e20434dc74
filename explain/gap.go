package explain

import (
	"fmt"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/probe"
	"github.com/vpnsim/vpnsim/report"
)

// gaps joins the two measures of probe i: every outage of the forwarding state
// with the probes lost in it, and runs of lost probes without an outage. words puts
// into words what became of each, chains says why.
func (a *Answer) gaps(i int, words, chains bool) {
	res := &a.Result.Probes[i]
	name := a.Design.Probes[i].Name
	a.echoes = appendEchoes(a.echoes[:0], res)
	runs := probe.Gaps(a.echoes)
	used := make([]bool, len(runs))
	for _, o := range res.Outages {
		g := report.Gap{Probe: name, OutageS: report.Seconds(o.End - o.Start), StartS: seconds(o.Start), EndS: seconds(o.End), Open: o.Open,
			RequestOutageS: report.Seconds(o.Request), ReplyOutageS: report.Seconds(o.Reply)}
		for r, run := range runs {
			first, last := res.SentAt(run.FirstLost), res.SentAt(run.LastLost)
			if used[r] || last < o.Start.Add(-res.LongestTrip) || first >= o.End {
				continue
			}
			used[r] = true
			if g.Lost == 0 {
				g.LastOKSeq = run.LastOK
			}
			g.FirstOKSeq = run.FirstOK
			g.Lost += run.Lost
		}
		probeGap(&g, res)
		g.Direction = direction(o)
		if words {
			g.Cause = a.causeText(res, o)
			g.Request, g.Reply = a.directionText(res, o, false), a.directionText(res, o, true)
			g.TotalS = lostInAll(res)
		}
		if chains {
			g.Chain = a.chain(i, o)
		}
		a.Doc.Gaps = append(a.Doc.Gaps, g)
	}
	for r, run := range runs {
		if used[r] {
			continue
		}
		g := report.Gap{Probe: name, LastOKSeq: run.LastOK, FirstOKSeq: run.FirstOK, Lost: run.Lost, Direction: "loss",
			StartS: seconds(res.SentAt(run.FirstLost))}
		if words {
			g.Cause = "packets lost by chance: " + a.Net.Fate(i, run.FirstLost)
		}
		g.EndS = g.StartS
		probeGap(&g, res)
		a.Doc.Gaps = append(a.Doc.Gaps, g)
	}
}

// lostInAll is how long a round trip would have failed in the whole run.
func lostInAll(res *network.ProbeResult) (sum report.Seconds) {
	for _, o := range res.Outages {
		sum += report.Seconds(o.End - o.Start)
	}
	return sum
}

// probeGap is the interval between the last good and the first good request.
func probeGap(g *report.Gap, res *network.ProbeResult) {
	if g.LastOKSeq > 0 && g.FirstOKSeq > 0 {
		g.ProbeGapS = report.Seconds(res.SentAt(g.FirstOKSeq) - res.SentAt(g.LastOKSeq))
	}
}

func appendEchoes(list []probe.Echo, res *network.ProbeResult) []probe.Echo {
	for i := range res.Sent {
		list = append(list, probe.Echo{Seq: i + 1, Sent: res.SentAt(i + 1), RTT: res.RTT[i], TTL: int(res.TTL[i])})
	}
	return list
}

func direction(o network.Outage) string {
	switch {
	case o.Request > 0 && o.Reply > 0:
		return "both"
	case o.Request > 0:
		return "request"
	}
	return "reply"
}

// directionText tells the story of one direction during an outage.
func (a *Answer) directionText(res *network.ProbeResult, o network.Outage, reply bool) string {
	var before, last *network.PathChange
	var first *network.PathChange
	paths := res.Paths()
	for i := range paths {
		c := &paths[i]
		if c.Reply != reply || c.At > o.End {
			continue
		}
		if c.At < o.Start {
			before = c
			continue
		}
		if first == nil && !c.OK {
			first = c
		}
		last = c
	}
	lost := o.Request
	if reply {
		lost = o.Reply
	}
	link := func(c *network.PathChange) string {
		if c == nil || c.Link < 0 {
			return "no tunnel"
		}
		return a.Design.Links[c.Link].Name
	}
	if lost == 0 {
		switch {
		case last != nil && before != nil && last.Link != before.Link:
			return fmt.Sprintf("moved from %s to %s at %.3f s without loss", link(before), link(last), last.At.Seconds())
		case before != nil:
			return "not affected: over " + link(before)
		}
		return "not affected"
	}
	if first == nil {
		first = last
	}
	s := fmt.Sprintf("lost for %.3f s", lost.Seconds())
	if first != nil {
		if first.LostIn >= 0 {
			s += " in " + a.Design.Links[first.LostIn].Name
		}
		s += fmt.Sprintf(" from %.3f s: %s", first.At.Seconds(), first.Why)
		if first.Router >= 0 {
			s += " (at " + a.Design.Routers[first.Router].Name + ")"
		}
	}
	if last != nil && last.OK {
		s += fmt.Sprintf("; then over %s from %.3f s", link(last), last.At.Seconds())
	}
	return s
}

// rtt is ping's statistics in milliseconds.
func rtt(res *network.ProbeResult) report.RTT {
	s := probe.Stats(appendEchoes(nil, res), probe.Iputils)
	ms := func(us int64) float64 { return float64(us) / 1000 }
	return report.RTT{Min: ms(s.Min), Avg: ms(s.Avg), Max: ms(s.Max), MDev: ms(s.MDev)}
}
