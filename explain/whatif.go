package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/profile"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// change is one thing that is done differently in another run.
type change struct {
	sets    []string
	words   string // for people; empty: the sets say it
	removes string // the parameter whose wait it takes away
}

func (c change) String() string {
	s := ""
	for i, set := range c.sets {
		if i > 0 {
			s += " "
		}
		if strings.ContainsAny(set, "[](), *") { // signs that a shell takes for its own
			set = "'" + set + "'"
		}
		s += "--set " + set
	}
	return s
}

// suspect is a parameter that people blame. Unless one of its values changes
// the gap, it is ruled out.
type suspect struct {
	parameter string
	tries     []change
	why       string // it should not, as the record has it; empty: nothing known
}

// whatIf runs the scenario again for each link of each gap's chain without it,
// and for each suspect with other values.
func (a *Answer) whatIf() error {
	runner := &runner{a: a, seen: map[string]*network.Result{}}
	for i := range a.Doc.Gaps {
		g := &a.Doc.Gaps[i]
		if g.OutageS == 0 {
			continue
		}
		way := a.courseOf(g)
		for _, c := range a.without(g) {
			if cf, ok := runner.try(g, c); ok {
				g.Counterfactuals = append(g.Counterfactuals, cf)
			}
		}
		g.Counterfactuals = append(g.Counterfactuals, runner.otherEgress(g)...)
		for _, c := range a.levers(g) {
			if cf, ok := runner.try(g, c); ok && cf.OutageS < g.OutageS && cf.TotalS < g.TotalS {
				g.Counterfactuals = append(g.Counterfactuals, cf)
			}
		}
		for _, s := range a.suspects(g, way) {
			if slices.ContainsFunc(g.Chain, func(w report.Wait) bool { return w.Parameter == s.parameter }) {
				continue
			}
			var tried []string
			changed := false
			for _, c := range s.tries {
				cf, ok := runner.try(g, c)
				if !ok {
					continue
				}
				if cf.OutageS != g.OutageS || cf.Lost != g.Lost {
					changed = true
					g.Counterfactuals = append(g.Counterfactuals, cf)
				}
				tried = append(tried, c.words)
			}
			if len(tried) > 0 && !changed {
				g.RuledOut = append(g.RuledOut, report.RuledOut{Parameter: s.parameter, Why: ruledOut(s.why, strings.Join(tried, " and "))})
			}
		}
	}
	return nil
}

// runner runs changed scenarios, each once.
type runner struct {
	a    *Answer
	seen map[string]*network.Result
}

// try runs the scenario with c and finds the gap that g has become.
func (r *runner) try(g *report.Gap, c change) (report.Counterfactual, bool) {
	probe := r.probe(g, c)
	if probe == nil {
		return report.Counterfactual{}, false
	}
	cf := report.Counterfactual{Change: c.String(), Note: r.a.note(c), Removes: c.removes, TotalS: lostInAll(probe)}
	for _, o := range probe.Outages {
		// The same gap begins with the same fault; a wait that is gone may move its start a little.
		if o.Start < sim.Time(g.EndS) && o.End > sim.Time(g.StartS) || o.Start == sim.Time(g.StartS) {
			cf.OutageS = report.Seconds(o.End - o.Start)
			for s := 1; s <= probe.Sent; s++ {
				if at := probe.SentAt(s); probe.RTT[s-1] == 0 && at >= o.Start.Add(-probe.LongestTrip) && at < o.End {
					cf.Lost++
				}
			}
			break
		}
	}
	return cf, true
}

// probe is the gap's probe in the run with c; nil: the scenario allows no such value.
func (r *runner) probe(g *report.Gap, c change) *network.ProbeResult {
	key := strings.Join(c.sets, "\n")
	res, ok := r.seen[key]
	if !ok {
		if d, err := r.a.ask.Load(append(slices.Clone(r.a.ask.Sets), c.sets...)); err == nil {
			res = network.New(d, network.Options{}).Run(r.a.ask.Seed)
		}
		r.seen[key] = res
	}
	if res == nil {
		return nil
	}
	return &res.Probes[slices.IndexFunc(r.a.Design.Probes, func(p topology.Probe) bool { return p.Name == g.Probe })]
}

// without proposes, for each link of the chain, a run that lacks it.
func (a *Answer) without(g *report.Gap) []change {
	var list []change
	add := func(c change) {
		if !slices.ContainsFunc(list, func(x change) bool { return slices.Equal(x.sets, c.sets) }) {
			list = append(list, c)
		}
	}
	for _, w := range g.Chain {
		switch {
		case strings.HasSuffix(w.Parameter, ".bgp.hold"):
			if f := a.silentDelete(g); f >= 0 {
				add(change{[]string{fmt.Sprintf("story[%d].notify=true", a.Design.Story[f].Index)}, "the far end is told", w.Parameter})
			}
			add(change{[]string{w.Parameter + "=3s"}, "the least that RFC 4271 allows", w.Parameter})
		case strings.HasSuffix(w.Parameter, ".vpn.dpd_timeout"), strings.HasSuffix(w.Parameter, ".vpn.dpd_interval"), strings.HasSuffix(w.Parameter, ".vpn.dpd_retry"):
			if f := a.silentDelete(g); f >= 0 {
				add(change{[]string{fmt.Sprintf("story[%d].notify=true", a.Design.Story[f].Index)}, "the far end is told", w.Parameter})
			} else {
				add(change{[]string{w.Parameter + "=1s"}, "", w.Parameter})
			}
		case strings.HasSuffix(w.Parameter, ".restart_time"), strings.HasSuffix(w.Parameter, ".long_lived_time"), strings.HasSuffix(w.Parameter, ".stalepath_time"):
			add(change{[]string{"routers." + w.Node + ".bgp.graceful_restart=off"}, w.Node + " keeps no routes of a peer that has gone", w.Parameter})
		case strings.HasSuffix(w.Parameter, ".max_prefixes_restart"):
			add(change{[]string{w.Parameter + "=1s"}, "", w.Parameter})
			add(change{[]string{strings.TrimSuffix(w.Parameter, "_restart") + "=0"}, "no limit", w.Parameter})
		case strings.HasSuffix(w.Parameter, ".damping_half_life"):
			bgp := strings.TrimSuffix(w.Parameter, "damping_half_life")
			add(change{[]string{bgp + "damping=false"}, "nothing is damped", w.Parameter})
			add(change{[]string{bgp + "damping_suppress=6000"}, "RFC 7196's threshold", w.Parameter})
		case strings.HasSuffix(w.Parameter, ".bfd.multiplier"):
			add(a.fasterBFD(w))
		case strings.HasSuffix(w.Parameter, ".passive"):
			add(change{[]string{w.Parameter + "=false"}, "one end calls the other", w.Parameter})
		case strings.HasSuffix(w.Parameter, ".propagate"), strings.HasSuffix(w.Parameter, ".icmp"):
			add(change{[]string{w.Parameter + "=true"}, "", w.Parameter})
		case strings.HasPrefix(w.Parameter, "routers."), strings.HasPrefix(w.Parameter, "tunnels."), strings.HasPrefix(w.Parameter, "links."):
			least := "0s"
			if k, ok := keyOf(w.Parameter); ok && k.Info().Min > 0 {
				least = fmt.Sprintf("%dms", max(1, k.Info().Min/1e6))
			}
			add(change{[]string{w.Parameter + "=" + least}, "", w.Parameter})
		}
	}
	if c, ok := noMRAI(g); ok {
		add(c)
	}
	if path := a.tooSlow(g); path != "" {
		add(change{[]string{path + "=false"}, "keepalives as often as the negotiated hold time asks for", ""})
	}
	return list
}

// otherEgress tries that a router whose direction failed had been using another
// link when the fault came: the cheapest cure of all. An egress only decides
// between paths that tie, so a try counts if the traffic really went that way;
// of several links, the one that would have helped most is named.
func (r *runner) otherEgress(g *report.Gap) []report.Counterfactual {
	a := r.a
	p := slices.IndexFunc(a.Design.Probes, func(p topology.Probe) bool { return p.Name == g.Probe })
	f := a.gapFault(g)
	if f < 0 || a.Design.Story[f].Link < 0 {
		return nil
	}
	broken := a.Design.Story[f].Link
	var list []report.Counterfactual
	for _, d := range []struct {
		out  report.Seconds
		host int
		name string
	}{{g.RequestOutageS, a.Design.Probes[p].From, "request"}, {g.ReplyOutageS, a.Design.Probes[p].To, "reply"}} {
		if d.out == 0 {
			continue
		}
		router := a.Design.Hosts[d.host].Router
		used := leftBy(&a.Result.Probes[p], d.name == "reply", a.Net.FaultTime(f))
		var best *report.Counterfactual
		for l := range a.Design.Links {
			link := &a.Design.Links[l]
			if l == broken || l == used || link.Ends[0].Router != router && link.Ends[1].Router != router {
				continue
			}
			c := change{[]string{"routers." + a.Design.Routers[router].Name + ".egress=" + link.Name}, "the " + d.name + " path was on " + link.Name, ""}
			if probe := r.probe(g, c); probe == nil || leftBy(probe, d.name == "reply", a.Net.FaultTime(f)) != l {
				continue
			}
			if cf, ok := r.try(g, c); ok && (best == nil || cf.TotalS < best.TotalS) {
				best = &cf
			}
		}
		if best != nil {
			list = append(list, *best)
		}
	}
	return list
}

// leftBy is the link by which the packets of a direction left just before t; -1: none.
func leftBy(probe *network.ProbeResult, reply bool, t sim.Time) int {
	link := -1
	for _, c := range probe.Paths() {
		if c.Reply == reply && c.At < t {
			link = c.Link
		}
	}
	return link
}

// gapFault is the fault that began the gap; -1: none.
func (a *Answer) gapFault(g *report.Gap) int {
	for i := range a.Result.Probes {
		for _, o := range a.Result.Probes[i].Outages {
			if seconds(o.Start) != g.StartS || a.Design.Probes[i].Name != g.Probe {
				continue
			}
			return a.beginning(&a.Result.Probes[i], o).fault
		}
	}
	return -1
}

// tooSlow is the setting that makes a neighbour's keepalives too slow for the
// hold timer that began the gap; "" if none does.
func (a *Answer) tooSlow(g *report.Gap) string {
	for i := range a.Result.Probes {
		for _, o := range a.Result.Probes[i].Outages {
			if seconds(o.Start) != g.StartS || a.Design.Probes[i].Name != g.Probe {
				continue
			}
			if x := a.beginning(&a.Result.Probes[i], o); x.timer != 0 && x.fault < 0 {
				if w, ok := a.Net.TooSlow(a.event(x.timer)); ok {
					return w.Parameter
				}
			}
		}
	}
	return ""
}

// silentDelete is the deletion that began the gap without telling anybody; -1: none.
func (a *Answer) silentDelete(g *report.Gap) int {
	if f := a.gapFault(g); f >= 0 && a.Design.Story[f].Kind == topology.TunnelDelete && !a.Design.Story[f].Notify {
		return f
	}
	return -1
}

// note is what is to be said about a change: what it means, and whether the
// platform lets anybody make it.
func (a *Answer) note(c change) string {
	parts := []string{}
	if c.words != "" {
		parts = append(parts, c.words)
	}
	for _, set := range c.sets {
		if p, _ := profile.NotOffered(a.Design, set); p != "" && !slices.Contains(parts, p+" does not offer it") {
			parts = append(parts, p+" does not offer it")
		}
	}
	return strings.Join(parts, "; ")
}

// keyOf finds the key at the end of a path: routers.aws.bgp.hold.
func keyOf(path string) (topology.Key, bool) {
	parts := strings.Split(path, ".")
	if len(parts) < 2 {
		return 0, false
	}
	return topology.KeyByPath(strings.Join(parts[len(parts)-2:], "."))
}

// levers are what people turn when a failure is noticed late, whether or not
// the chain names it: a shorter hold time at either end, dead peer detection
// that is faster, and one that BGP is told of.
func (a *Answer) levers(g *report.Gap) []change {
	if g.OutageS < report.Seconds(noticedLate) {
		return nil
	}
	list := append(freeWithdrawals(g), a.atOnce(g)...)
	list = append(list, a.watch(g)...)
	for _, r := range a.concerned(g) {
		at := "routers." + a.Design.Routers[r].Name
		if hold := at + ".bgp.hold"; !slices.ContainsFunc(g.Chain, func(w report.Wait) bool { return w.Parameter == hold }) {
			list = append(list, change{[]string{hold + "=9s"}, "", hold})
		}
		if a.ask.WhatIf == EverySuspect {
			list = append(list,
				change{[]string{at + ".vpn.interface_follows_sa=true"}, "BGP is told when the SA goes", ""},
				change{[]string{at + ".vpn.dpd_interval=2s", at + ".vpn.dpd_retry=1s", at + ".vpn.dpd_timeout=5s", at + ".vpn.interface_follows_sa=true"},
					"dead peer detection within 5 s, of which BGP is told", ""})
		}
	}
	return list
}

// noticedLate is the outage from which on a failure was plainly not noticed at once.
const noticedLate = 3 * time.Second

// suspects lists what people blame, MRAI first.
func (a *Answer) suspects(g *report.Gap, c *course) []suspect {
	var list []suspect
	if len(a.Design.Routers) > few {
		list = append(list, a.mraiOfAll(g, c)...)
	} else {
		for r := range a.Design.Routers {
			list = append(list, a.mrai(c, r)...)
		}
	}
	if a.ask.WhatIf < EverySuspect {
		return list
	}
	for _, r := range a.concerned(g) {
		name := a.Design.Routers[r].Name
		set, why := &a.Design.Routers[r].Settings, a.reasons(c, r)
		at := func(k topology.Key) string { return "routers." + name + "." + k.String() }
		now := func(k topology.Key) string { return set[k].Format(k) }
		one := func(k topology.Key, value string) change {
			return change{[]string{at(k) + "=" + value}, value, at(k)}
		}
		list = append(list,
			suspect{at(topology.BGPHold), []change{one(topology.BGPHold, "90s")},
				fmt.Sprintf("the smaller offer of the two ends is used, and %s offers %s", name, now(topology.BGPHold))},
			suspect{at(topology.BGPKeepalive), []change{one(topology.BGPKeepalive, "2s")},
				"it only says when the last sign of life may have been"},
			suspect{at(topology.VPNDPDInterval), []change{one(topology.VPNDPDInterval, "0s")},
				why.dpd},
			suspect{at(topology.BGPConnectRetry), []change{one(topology.BGPConnectRetry, "1s"), one(topology.BGPConnectRetry, "240s")},
				why.connect},
			suspect{at(topology.BGPIdleHold), []change{one(topology.BGPIdleHold, "0s"), one(topology.BGPIdleHold, "60s")},
				why.idle},
			suspect{at(topology.BGPProcessing), []change{one(topology.BGPProcessing, "0s"), one(topology.BGPProcessing, "1s")},
				why.processing},
			suspect{at(topology.TCPRTO), []change{one(topology.TCPRTO, "50ms"), one(topology.TCPRTO, "3s")},
				why.rto},
		)
	}
	return list
}

// decider is the router whose own decision ended the gap: no message arrived
// in its chain. -1: it was not a local decision.
func (a *Answer) decider(g *report.Gap) int {
	decider := -1
	if g.Open {
		return decider
	}
	for _, w := range g.Chain {
		r := slices.IndexFunc(a.Design.Routers, func(r topology.Router) bool { return r.Name == w.Node })
		if r < 0 || decider >= 0 && r != decider {
			return -1
		}
		decider = r
	}
	return decider
}
