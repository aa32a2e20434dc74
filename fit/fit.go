package fit

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/pinglog"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/topology"
)

// Confidence of every interval.
const Confidence = 0.95

// longestGap that a mechanism could be behind: the longest hold time that anybody
// uses is a few minutes, and simulating days of loss would take days.
const longestGap = time.Hour

// Ask is what is to be explained, and how hard to try.
type Ask struct {
	Load     func(sets []string) (*topology.Design, error)
	Sets     []string
	Logs     []*pinglog.Log
	Instant  int // tries without a gap, of which there is no log
	Least    int // a shorter row of lost probes is no gap
	Runs     int
	Seed     uint64
	Workers  int // 0: as many as there are cores; it changes nothing but the time
	Prior    map[string]float64
	Version  string
	Progress func(done, of int) // may be nil
}

// trial is one try: what was seen, and how often.
type trial struct {
	seen     string
	interval int // index
	lost     int32
	open     bool // at least as many
	instant  bool // fewer than Least
	times    int
}

// showedIn tells whether a run would have shown it.
func (t *trial) showedIn(r *run, least int) bool {
	lost := r.lost[t.interval]
	switch {
	case t.instant:
		return lost < int32(least)
	case t.open:
		return lost >= t.lost
	}
	return lost == t.lost
}

// fitter is the work on an Ask.
type fitter struct {
	*Ask
	doc       *report.Fit
	intervals []time.Duration // those of the logs, then a denser one
	trials    []trial
	window    time.Duration
	scene     scene
	fault     string // in words
	far       int    // the direction that is not told: 0 request, 1 reply
	done, of  int
}

// mechanism is a rival and what its runs showed.
type mechanism struct {
	rival
	doc    *report.FitMechanism
	sample *sample
	runs   []*run
	shares []stats.Share
	log    float64 // likelihood; -Inf: no run showed it
	lo, hi float64
	prior  float64
}

// Fit answers.
func Fit(ask Ask) (*report.Fit, error) {
	f := &fitter{Ask: &ask}
	base, err := ask.Load(ask.Sets)
	if err != nil {
		return nil, err
	}
	f.doc = &report.Fit{VPNSim: "v1", Kind: "fit", Version: ask.Version, Scenario: base.File, Name: base.Name, ScenarioSHA256: base.SHA256,
		Sets: ask.Sets, Seed: ask.Seed, Runs: ask.Runs, Confidence: Confidence, InstantLost: ask.Least}
	if err := f.collect(); err != nil {
		return nil, err
	}
	event, err := aim(base, f.intervals[0], f.window)
	if err != nil {
		return nil, err
	}
	f.fault = network.New(base, network.Options{}).FaultText(event)
	f.doc.Event = f.fault
	f.scene = newScene(base, event, ask.Seed)

	ms, err := f.compare()
	if err != nil {
		return nil, err
	}
	best := f.judge(ms)
	if err := f.parameters(ms); err != nil {
		return nil, err
	}
	if f.doc.Best != "" {
		f.more(ms, best)
	}
	f.verdict(ms, best)
	for _, m := range ms {
		f.doc.Mechanisms = append(f.doc.Mechanisms, *m.doc)
	}
	return f.doc, nil
}

// collect turns the logs into trials.
func (f *fitter) collect() error {
	longest := time.Duration(0)
	add := func(t trial) {
		for i := range f.trials {
			if x := &f.trials[i]; x.interval == t.interval && x.lost == t.lost && x.open == t.open && x.instant == t.instant {
				x.times += t.times
				return
			}
		}
		f.trials = append(f.trials, t)
	}
	const mostIntervals = 16
	instant := func(at, times int) {
		add(trial{seen: fmt.Sprintf("fewer than %d lost", f.Least), interval: at, instant: true, times: times})
		f.doc.Instant += times
	}
	for _, l := range f.Logs {
		for i := range l.Series {
			s := &l.Series[i]
			every := s.Interval.Round(100 * time.Microsecond)
			if every <= 0 {
				every = s.Interval
			}
			// The clock of each log measures another interval; half a percent does not matter.
			at := slices.IndexFunc(f.intervals, func(x time.Duration) bool { return max(x, every)-min(x, every) <= x/200 })
			if at < 0 {
				at = len(f.intervals)
				f.intervals = append(f.intervals, every)
			}
			if len(f.intervals) > mostIntervals {
				return fmt.Errorf("%s: the logs have more than %d intervals between probes: fit them apart, or say with --interval which one is meant", l.File, mostIntervals)
			}
			doc := report.FitLog{File: l.File, Line: s.Line, Format: l.Format, Sent: s.Sent(), Received: s.Received(), IntervalS: report.Seconds(s.Interval),
				IntervalFrom: s.IntervalFrom, Ignored: l.Ignored}
			for _, g := range s.Gaps() {
				x := report.FitGap{Line: g.Line, FirstLost: g.FirstLost, LastLost: g.LastLost, Lost: g.Lost, LeastS: report.Seconds(g.Least), TripS: report.Seconds(g.RTT),
					Counted: g.Lost >= f.Least}
				if !g.Open {
					most := report.Seconds(g.Most)
					x.MostS = &most
				}
				doc.Gaps = append(doc.Gaps, x)
				if !x.Counted {
					continue
				}
				if longest = max(longest, time.Duration(g.Lost+1)*g.Interval); longest > longestGap {
					return &pinglog.Error{File: l.File, Line: g.Line, Col: 1, Message: fmt.Sprintf("icmp_seq %d to %d are lost, %s: no timer of these mechanisms runs for more than %s",
						g.FirstLost, g.LastLost, topology.FormatDuration(g.Least.Round(time.Second)), topology.FormatDuration(longestGap)), Help: "cut out the minutes around the gap that is meant"}
				}
				seen := fmt.Sprintf("%d lost", g.Lost)
				if g.Open {
					seen = "at least " + seen
				}
				add(trial{seen: seen, interval: at, lost: int32(g.Lost), open: g.Open, times: 1})
			}
			if !slices.ContainsFunc(doc.Gaps, func(g report.FitGap) bool { return g.Counted }) {
				doc.Instant = true
				instant(at, 1)
			}
			f.doc.Logs = append(f.doc.Logs, doc)
		}
	}
	if len(f.intervals) == 0 {
		return fmt.Errorf("there is no probe in the logs")
	}
	if f.Instant > 0 {
		instant(0, f.Instant)
	}
	if many := len(f.intervals); len(f.trials) > 1 && many > 1 {
		for i := range f.trials {
			f.trials[i].seen += fmt.Sprintf(" at %s", topology.FormatDuration(f.intervals[f.trials[i].interval]))
		}
	}
	f.intervals = append(f.intervals, f.intervals[0]/5)
	f.window = max(60*time.Second, longest*3/2+15*time.Second)
	return nil
}

// dense is the index of the denser interval, which no log has.
func (f *fitter) dense() int { return len(f.intervals) - 1 }

// step tells how far the work is.
func (f *fitter) step() {
	f.done++
	if f.Progress != nil {
		f.Progress(f.done, f.of)
	}
}

// aimed loads a variant.
func (f *fitter) aimed(v variant) (*topology.Design, int, error) {
	d, err := f.design(v)
	if err != nil {
		return nil, 0, err
	}
	event, err := aim(d, f.intervals[0], f.window)
	if err != nil {
		return nil, 0, err
	}
	if v.fault != nil {
		v.fault(&d.Story[event])
	}
	d.Warmup = max(d.Warmup, v.warmup)
	return d, event, nil
}

// firstLook is after how many runs a mechanism is left that has not shown what
// was seen once: that bounds its share to 0.2 %, and more runs would only say so
// with more zeros.
const firstLook = 2000

// sampled simulates a variant, as often as it takes.
func (f *fitter) sampled(v variant, w which) (*sample, string, error) {
	d, event, err := f.aimed(v)
	if err != nil {
		return nil, "", err
	}
	n := min(f.Runs, firstLook)
	s := simulate(d, event, n, f.Seed, f.intervals, f.Workers)
	for i := range f.trials {
		if n < f.Runs && !slices.ContainsFunc(pick(s, w, f.far), func(r *run) bool { return f.trials[i].showedIn(r, f.Least) }) {
			return s, d.File, nil
		}
	}
	if n < f.Runs {
		s.runs = append(s.runs, simulate(d, event, f.Runs-n, f.Seed+uint64(n), f.intervals, f.Workers).runs...)
	}
	return s, d.File, nil
}

// compare has the rivals simulated.
func (f *fitter) compare() ([]*mechanism, error) {
	acts, err := f.mraiActs()
	if err != nil {
		return nil, err
	}
	for _, a := range acts {
		f.scene.mrai = f.scene.mrai || a.changed > 0
	}
	// Which direction is not told, and is it drawn whether its path was hit?
	d, event, err := f.aimed(f.scene.alone())
	if err != nil {
		return nil, err
	}
	held := simulate(d, event, f.Runs, f.Seed, f.intervals, f.Workers)
	var down [2]time.Duration
	for i := range held.runs {
		down[0] += held.runs[i].request
		down[1] += held.runs[i].reply
	}
	if down[1] > down[0] {
		f.far = 1
	}
	hit := len(pick(held, onFailed, f.far))
	drawn := hit > 0 && hit < len(held.runs)
	list := f.scene.rivals(f.pathOn(true), drawn)
	f.of = 2 + len(list)
	for _, r := range list {
		if r.knob != nil {
			f.of++
		}
	}
	f.step()
	f.step()
	samples := map[string]*sample{"hold": held}
	files := map[string]string{"hold": f.doc.Scenario}
	var ms []*mechanism
	for _, r := range list {
		if own, ok := acts[r.key]; ok {
			if own.changed > 0 {
				r.variant, r.knob.sets, r.knob.set = own.variant, nil, own.set
			} else {
				r.cannot = fmt.Sprintf("nobody waits for an advertisement: with MRAI like that at every router the outage is the same to the nanosecond in %s",
					unchanged(own.runs))
			}
		}
		m := &mechanism{rival: r, prior: 1}
		from := r.key
		if r.same != "" {
			from = r.same
		}
		if samples[from] == nil {
			if samples[from], files[from], err = f.sampled(r.variant, r.which); err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
		}
		f.step()
		m.sample = samples[from]
		m.runs = pick(m.sample, r.which, f.far)
		if !drawn && r.which == onFailed {
			m.runs = pick(m.sample, allRuns, f.far)
		}
		if p, ok := f.Prior[r.key]; ok {
			m.prior = p
		}
		if len(m.runs) == 0 {
			continue // no run's paths were like that
		}
		m.doc = &report.FitMechanism{Key: r.key, Name: r.name, What: r.what, Scenario: files[from], Change: r.variant.String(), Prior: m.prior, Runs: len(m.runs), RuledOut: r.cannot}
		f.likelihood(m)
		ms = append(ms, m)
	}
	for _, m := range ms {
		if told := samples["notify"]; told != nil && slices.Contains([]string{"hold", "hold-drawn", "dpd", "dpd-drawn", "bfd"}, m.key) {
			if n, ok := idle(m.sample, told); ok {
				m.cannot = "the fault itself tells both ends, so that nothing has to notice it: the outage is the same to the nanosecond in " + unchanged(n)
				m.doc.RuledOut = m.cannot
			}
		}
	}
	return ms, nil
}

// unchanged is how many runs of n were not: all.
func unchanged(n int) string {
	return fmt.Sprintf("%d of %d runs (so it changes at most %s %% of them)", n, n, short(100*stats.NewShare(0, int64(n), Confidence).High))
}

// pathOn names the path that matters: "reply path on tun2".
func (f *fitter) pathOn(failed bool) string {
	direction := [2]string{"request", "reply"}[f.far]
	if i := f.scene.d.Story[f.scene.event].Link; failed && i >= 0 {
		return direction + " path on " + f.scene.d.Links[i].Name
	}
	return direction + " path elsewhere"
}

// pick the runs that a rival is about.
func pick(s *sample, w which, far int) []*run {
	var list []*run
	for i := range s.runs {
		r := &s.runs[i]
		if w == allRuns || w == onFailed && r.onLink[far] || w == onOther && !r.onLink[far] && r.onLink[1-far] {
			list = append(list, r)
		}
	}
	return list
}

// likelihood counts in how many runs of m each trial was seen.
func (f *fitter) likelihood(m *mechanism) {
	confidence := 1 - (1-Confidence)/2/float64(len(f.trials)) // all shares of two mechanisms together
	for i := range f.trials {
		t := &f.trials[i]
		k := 0
		for _, r := range m.runs {
			if t.showedIn(r, f.Least) {
				k++
			}
		}
		s := stats.NewShare(int64(k), int64(len(m.runs)), confidence)
		m.shares = append(m.shares, s)
		m.log += float64(t.times) * math.Log(s.Value())
		m.lo += float64(t.times) * math.Log(s.Low)
		m.hi += float64(t.times) * math.Log(s.High)
		m.doc.Shares = append(m.doc.Shares, report.FitShare{Seen: t.seen, Times: t.times, Runs: len(m.runs), Showed: k, Probability: sig(s.Value()), Low: sig(s.Low), High: sig(s.High)})
	}
	m.doc.Likelihood = estimate(math.Exp(m.log), math.Exp(m.lo), math.Exp(m.hi))
	var outage, request, reply time.Duration
	for i, r := range m.runs {
		if s := report.Seconds(r.outage); i == 0 || s < m.doc.LeastS {
			m.doc.LeastS = s
		}
		m.doc.MostS = max(m.doc.MostS, report.Seconds(r.outage))
		outage, request, reply = outage+r.outage, request+r.request, reply+r.reply
	}
	m.doc.Cut = time.Duration(m.doc.MostS) >= f.window
	if outage > 0 {
		m.doc.RequestDown, m.doc.ReplyDown = sig(float64(request)/float64(outage)), sig(float64(reply)/float64(outage))
	}
}

// judge compares the likelihoods and finds the best mechanism of those that can
// act in the scenario.
func (f *fitter) judge(ms []*mechanism) *mechanism {
	var best *mechanism
	for _, m := range ms {
		if m.cannot != "" || m.prior == 0 || len(m.runs) == 0 {
			continue
		}
		if best == nil || m.log+math.Log(m.prior) > best.log+math.Log(best.prior) {
			best = m
		}
	}
	if best == nil {
		best = ms[0]
	}
	if !math.IsInf(best.log, -1) {
		f.doc.Best = best.key
	}
	for _, m := range ms {
		if f.doc.Best != "" {
			m.doc.Odds = estimate(math.Exp(best.log-m.log)*best.prior/m.prior, math.Exp(best.lo-m.hi)*best.prior/m.prior, math.Exp(best.hi-m.lo)*best.prior/m.prior)
		}
		m.doc.ByLog = posterior(m, ms, func(*mechanism) bool { return true })
		if m.cannot == "" {
			p := posterior(m, ms, func(o *mechanism) bool { return o.cannot == "" })
			m.doc.Here = &p
		}
	}
	return best
}

// posterior probability of m among those that are allowed. Its interval lets every
// likelihood be at the end of its own that is worse.
func posterior(m *mechanism, ms []*mechanism, allowed func(*mechanism) bool) report.Estimate {
	var all, high, low float64
	top := math.Inf(-1) // so that tiny likelihoods do not vanish
	for _, o := range ms {
		if allowed(o) {
			top = max(top, o.hi)
		}
	}
	for _, o := range ms {
		if allowed(o) && o != m {
			all += o.prior * math.Exp(o.log-top)
			high += o.prior * math.Exp(o.hi-top)
			low += o.prior * math.Exp(o.lo-top)
		}
	}
	share := func(mine, others float64) float64 {
		if mine == 0 {
			return 0
		}
		return mine / (mine + others)
	}
	if mine := m.prior * math.Exp(m.log-top); math.IsNaN(mine) {
		return report.Estimate{}
	}
	return estimate(share(m.prior*math.Exp(m.log-top), all), share(m.prior*math.Exp(m.lo-top), high), share(m.prior*math.Exp(m.hi-top), low))
}

// sig rounds to five digits: no more are worth printing, and the last bits of
// logarithms are not the same on every machine.
func sig(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return x
	}
	scale := math.Pow(10, 4-math.Floor(math.Log10(math.Abs(x))))
	if math.IsInf(scale, 0) || scale == 0 {
		return x
	}
	return math.Round(x*scale) / scale
}

// estimate leaves out what is not known. A likelihood of 0 of n is not known but
// for its upper end.
func estimate(value, low, high float64) report.Estimate {
	e := report.Estimate{Low: sig(low)}
	finite := func(x float64) bool { return !math.IsInf(x, 0) && !math.IsNaN(x) }
	if finite(value) && value > 0 {
		v := sig(value)
		e.Value = &v
	}
	if finite(high) {
		h := sig(high)
		e.High = &h
	}
	if !finite(e.Low) {
		e.Low = 0
	}
	return e
}

// short writes x with three significant digits.
func short(x float64) string {
	if x > 99 && x < 100 {
		return fmt.Sprintf("%.2f", math.Floor(x*100)/100) // of a percentage that is not all
	}
	if x >= 1000 && x < 1e9 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}
