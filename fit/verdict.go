package fit

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/stats"
)

// The answer in sentences. Every number in them comes from the runs.

func (f *fitter) say(format string, args ...any) {
	f.doc.Verdict = append(f.doc.Verdict, fmt.Sprintf(format, args...))
}

func (f *fitter) settle(what, format string, args ...any) {
	f.doc.Settles = append(f.doc.Settles, report.FitSettles{What: what, Why: fmt.Sprintf(format, args...)})
}

// verdict says who is favoured over whom, who is ruled out and how, what the
// instant tries were, and what would settle the rest.
func (f *fitter) verdict(ms []*mechanism, best *mechanism) {
	tries := 0
	for _, t := range f.trials {
		tries += t.times
	}
	sample := "this one try"
	if tries > 1 {
		sample = fmt.Sprintf("these %d tries", tries)
	}
	if math.IsInf(best.log, -1) {
		f.say("none of the mechanisms that can act here has shown this in %d runs: the scenario, or a parameter of it, is not that of the log (see the parameters that fit)", len(best.runs))
	} else {
		var over, level, under []string
		for _, m := range ms {
			if m == best || m.prior == 0 || math.IsInf(m.log, -1) {
				continue
			}
			words := fmt.Sprintf("%s, %s to 1", m.name, odds(m.doc.Odds))
			switch e := m.doc.Odds; {
			case e.Low > 1:
				over = append(over, words)
			case e.High != nil && *e.High < 1:
				under = append(under, words)
			default:
				level = append(level, words)
			}
		}
		if len(over) > 0 {
			f.say("%s: favoured on %s over %s", best.name, sample, strings.Join(over, "; over "))
		} else {
			f.say("%s: the best of those that can act here", best.name)
		}
		if len(level) > 0 {
			f.say("not to be told by %s and %d runs from %s", sample, f.Runs, strings.Join(level, "; from "))
		}
		if len(under) > 0 {
			f.say("by the log alone it would come after %s", strings.Join(under, "; after "))
		}
		var list []string
		for _, m := range ms {
			if m != best && math.IsInf(m.log, -1) && len(m.runs) > 0 {
				list = append(list, fmt.Sprintf("%s (0 of %d runs, at most %s %%)", m.name, len(m.runs), short(100*worst(m).High)))
			}
		}
		if len(list) > 0 {
			f.say("with the parameters of the scenario it was not %s", strings.Join(list, ", nor "))
		}
		list = nil
		for _, p := range f.doc.Parameters {
			m := ms[slices.IndexFunc(ms, func(m *mechanism) bool { return m.key == p.Key })]
			if l := p.Likelihood; l != nil && m.cannot == "" && math.IsInf(m.log, -1) {
				list = append(list, fmt.Sprintf("%s with %s = %s (%d of %d runs, %s %% [%s, %s])", m.name, p.Parameter, p.Best, l.Showed, l.Runs, short(100*l.Probability), short(100*l.Low), short(100*l.High)))
			}
		}
		if len(list) > 0 {
			f.say("with other ones it could be %s", strings.Join(list, ", or "))
		}
	}
	f.ruledOut(ms)
	f.instants(ms)
	f.settles(ms, best)
}

// worst is the share of the trial that m shows least.
func worst(m *mechanism) stats.Share {
	w := m.shares[0]
	for _, s := range m.shares {
		if s.Value() < w.Value() {
			w = s
		}
	}
	return w
}

func odds(e report.Estimate) string {
	if e.Value == nil || e.High == nil {
		return fmt.Sprintf("more than %s", short(e.Low))
	}
	return fmt.Sprintf("%s [%s, %s]", short(*e.Value), short(e.Low), short(*e.High))
}

func (f *fitter) ruledOut(ms []*mechanism) {
	why := map[string][]string{}
	var order []string
	for _, m := range ms {
		if m.cannot != "" {
			if why[m.cannot] == nil {
				order = append(order, m.cannot)
			}
			why[m.cannot] = append(why[m.cannot], m.name)
		}
	}
	for _, reason := range order {
		f.say("ruled out by mechanism, whatever the pings say: %s. In this scenario %s", strings.Join(why[reason], "; "), reason)
	}
}

// instants says what the tries without a gap were.
func (f *fitter) instants(ms []*mechanism) {
	hold := ms[0]
	var on, other [2]int // instant, all
	for i := range hold.sample.runs {
		r := &hold.sample.runs[i]
		side := &other
		if r.onLink[f.far] {
			side = &on
		}
		side[1]++
		if r.lost[0] < int32(f.Least) {
			side[0]++
		}
	}
	if on[1] == 0 || other[1] == 0 {
		return
	}
	link := f.scene.d.Links[f.scene.d.Story[f.scene.event].Link].Name
	direction := [2]string{"request", "reply"}[f.far]
	a, b := stats.NewShare(int64(other[0]), int64(other[1]), Confidence), stats.NewShare(int64(on[0]), int64(on[1]), Confidence)
	words := "are the runs"
	switch {
	case b.High > 0.5:
		return // on either path
	case a.Low < 0.5:
		words = "are some of the runs"
	}
	f.say("the \"instant\" tries %s whose %s path was on the survivor: of those with the hold timer in charge, %d of %d lost fewer than %d in a row (at least %s %%), and of those whose %s path was on %s %d of %d did (at most %s %%)",
		words, direction, other[0], other[1], f.Least, short(100*a.Low), direction, link, on[0], on[1], short(100*b.High))
}

// settles lists observations, the computed ones with what they are worth.
func (f *fitter) settles(ms []*mechanism, best *mechanism) {
	if rival := f.nearest(ms, best); rival != nil && f.doc.Best != "" {
		now, se := divergence(best.runs, rival.runs, 0)
		dense, seDense := divergence(best.runs, rival.runs, f.dense())
		e := func(d, se float64) string {
			return fmt.Sprintf("%s to 1 [%s, %s]", short(math.Exp(d)), short(math.Exp(max(0, d-2*se))), short(math.Exp(d+2*se)))
		}
		f.settle(fmt.Sprintf("ping -D -O -i %s", report.Seconds(f.intervals[f.dense()])),
			"if it is %s, one more try is worth %s against %s as it was pinged, and %s with five times as many probes (%d and %d runs); -D and -O put the times into the log",
			best.name, e(now, se), rival.name, e(dense, seDense), len(best.runs), len(rival.runs))
	}
	if f.doc.Best != "" {
		f.pinned(ms, best)
		f.oneWay(ms, best)
	}
	f.settle("who ended it, from the logs of both ends", "a NOTIFICATION 4/0 (Hold Timer Expired) is the hold timer, \"peer is dead\" or an IKE DELETE the tunnel, 6/x somebody who said goodbye, BFD Down (6/10) BFD; an UPDATE that comes just before the first answer is what MRAI would need")
	f.foretold(ms)
}

// nearest is the rival that is hardest to tell from the best.
func (f *fitter) nearest(ms []*mechanism, best *mechanism) *mechanism {
	var near *mechanism
	for _, m := range ms {
		if m != best && m.sample != best.sample && len(m.runs) > 0 && m.prior > 0 && (near == nil || m.log > near.log) {
			near = m
		}
	}
	return near
}

// pinned is the experiment of choosing the path of the end that is not told.
func (f *fitter) pinned(ms []*mechanism, best *mechanism) {
	var instant, all int
	for i := range best.sample.runs {
		if r := &best.sample.runs[i]; !r.onLink[f.far] {
			all++
			if r.lost[0] < int32(f.Least) {
				instant++
			}
		}
	}
	if all == 0 || all == len(best.sample.runs) || best.which == onOther {
		return
	}
	p := stats.NewShare(int64(instant), int64(all), 1-(1-Confidence)/2)
	var words []string
	for _, m := range ms {
		if m.base == "" || len(m.runs) == 0 {
			continue // it depends on the same path
		}
		k := 0
		for _, r := range m.runs {
			if r.lost[0] < int32(f.Least) {
				k++
			}
		}
		q := stats.NewShare(int64(k), int64(len(m.runs)), 1-(1-Confidence)/2)
		low, worth := p.Low/q.High, "more than"
		words = append(words, fmt.Sprintf("%s in %d of %d, so that each such try is worth %s %s to 1", m.name, k, len(m.runs), worth, short(low)))
	}
	if len(words) == 0 {
		return
	}
	f.settle("the same again with the "+[2]string{"request", "reply"}[f.far]+" path pinned on the survivor",
		"with %s there is then no gap in %d of %d runs; with %s", best.name, instant, all, strings.Join(words, "; with "))
}

// oneWay is what a packet capture at the far host shows.
func (f *fitter) oneWay(ms []*mechanism, best *mechanism) {
	if best.doc.RequestDown+best.doc.ReplyDown == 0 {
		return
	}
	shares := fmt.Sprintf("with %s requests go on arriving for %s %% of the outage (%d runs)", best.name, short(100*(1-best.doc.RequestDown)), len(best.runs))
	differs := false
	for _, m := range ms {
		differs = differs || m.base == "" && m.cannot == "" && math.Abs(m.doc.RequestDown-best.doc.RequestDown) > 0.5
		if m.base == "" && m.cannot == "" && m != best && m.sample != best.sample && m.doc.RequestDown+m.doc.ReplyDown > 0 {
			shares += fmt.Sprintf(", with %s for %s %% (%d)", m.name, short(100*(1-m.doc.RequestDown)), len(m.runs))
		}
	}
	if !differs {
		return
	}
	f.settle("tcpdump icmp at the far host during the gap", "which direction fails, and so which end did not know: %s", shares)
}

// foretold is the hold timer's own prediction: it ends the outage at a second that
// can be known beforehand, which other mechanisms hit by chance only.
func (f *fitter) foretold(ms []*mechanism) {
	if ms[0].cannot != "" {
		return // the hold timer has nothing to do
	}
	words := ""
	for _, m := range ms {
		if m.base == "" {
			continue
		}
		counts := map[int32]int64{}
		for _, r := range m.runs {
			counts[r.lost[0]]++
			counts[r.lost[0]+1]++ // one or the other: the phase of the ping is not known
		}
		most := int64(0)
		for _, k := range counts {
			most = max(most, k)
		}
		s := stats.NewShare(most, int64(len(m.runs)), Confidence)
		words += fmt.Sprintf("; %s would be right by chance in at most %d of %d runs, so that this is worth more than %s to 1 against it", m.name, most, len(m.runs), short(1/s.High))
	}
	f.settle("show bgp neighbors at the end that is not told, at the moment of the fault", "how old the last KEEPALIVE is says when the hold timer will run out, and so how many probes will be lost, give or take one%s", words)
}
