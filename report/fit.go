package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// What `vpnsim fit` says: what logs of real pings have seen, how likely each of
// the rival mechanisms was to show that, and what would tell them apart.

// Fit is the document of `vpnsim fit --format json`.
type Fit struct {
	VPNSim         string         `json:"vpnsim"`
	Kind           string         `json:"kind"` // "fit"
	Version        string         `json:"version"`
	Scenario       string         `json:"scenario"`
	Name           string         `json:"name"`
	ScenarioSHA256 string         `json:"scenario_sha256"`
	Sets           []string       `json:"set,omitempty"`
	Seed           uint64         `json:"seed"`
	Runs           int            `json:"runs"`
	Confidence     float64        `json:"confidence"`
	Event          string         `json:"event"`
	Logs           []FitLog       `json:"logs"`
	Instant        int            `json:"instant"`
	InstantLost    int            `json:"instant_lost"`
	Best           string         `json:"best"`
	Verdict        []string       `json:"verdict"`
	Mechanisms     []FitMechanism `json:"mechanisms"`
	Parameters     []FitParameter `json:"parameters"`
	Settles        []FitSettles   `json:"settles"`
}

// FitLog is one series of probes in a log.
type FitLog struct {
	File         string   `json:"file"`
	Line         int      `json:"line"`
	Format       string   `json:"format"`
	Sent         int      `json:"sent"`
	Received     int      `json:"received"`
	IntervalS    Seconds  `json:"interval_s"`
	IntervalFrom string   `json:"interval_from"`
	Ignored      int      `json:"ignored_lines"`
	Instant      bool     `json:"instant"`
	Gaps         []FitGap `json:"gaps"`
}

// FitGap is a row of lost probes and between what the outage lay.
type FitGap struct {
	Line      int      `json:"line"`
	FirstLost int      `json:"first_lost_seq"`
	LastLost  int      `json:"last_lost_seq"`
	Lost      int      `json:"lost"`
	LeastS    Seconds  `json:"least_s"`
	MostS     *Seconds `json:"most_s,omitempty"`
	TripS     Seconds  `json:"round_trip_s"`
	Counted   bool     `json:"counted"`
}

// Estimate is a number that was estimated by simulation, and where it lies. A
// value or an end that is not known is left out.
type Estimate struct {
	Value *float64 `json:"value,omitempty"`
	Low   float64  `json:"low"`
	High  *float64 `json:"high,omitempty"`
}

// FitShare is how many runs showed what was seen.
type FitShare struct {
	Seen        string  `json:"seen"`
	Times       int     `json:"times"`
	Runs        int     `json:"runs"`
	Showed      int     `json:"showed"`
	Probability float64 `json:"probability"`
	Low         float64 `json:"low"`
	High        float64 `json:"high"`
}

// FitMechanism is one explanation.
type FitMechanism struct {
	Key         string     `json:"key"`
	Name        string     `json:"name"`
	What        string     `json:"what"`
	Scenario    string     `json:"scenario"`
	Change      string     `json:"change"`
	Prior       float64    `json:"prior"`
	Runs        int        `json:"runs"`
	LeastS      Seconds    `json:"outage_least_s"`
	MostS       Seconds    `json:"outage_most_s"`
	Cut         bool       `json:"outage_cut,omitempty"`
	Shares      []FitShare `json:"shares"`
	Likelihood  Estimate   `json:"likelihood"`
	Odds        Estimate   `json:"odds_of_best"`
	ByLog       Estimate   `json:"posterior_by_log"`
	Here        *Estimate  `json:"posterior_here,omitempty"`
	RuledOut    string     `json:"ruled_out,omitempty"`
	RequestDown float64    `json:"request_down_share"`
	ReplyDown   float64    `json:"reply_down_share"`
	More        *Estimate  `json:"more_trials,omitempty"`
	MoreDense   *Estimate  `json:"more_trials_dense,omitempty"`
}

// FitParameter is which values of a mechanism's main parameter explain the gaps.
type FitParameter struct {
	Key        string         `json:"key"`
	Mechanism  string         `json:"mechanism"`
	Parameter  string         `json:"parameter"`
	Tried      int            `json:"tried"`
	Runs       int            `json:"runs"`
	Best       string         `json:"best,omitempty"`
	Likelihood *FitShare      `json:"likelihood,omitempty"`
	Possible   []string       `json:"possible"`
	Interval   []string       `json:"interval"`
	Values     []FitParamTest `json:"values"`
}

// FitParamTest is one value that was tried.
type FitParamTest struct {
	Value  string   `json:"value"`
	Runs   int      `json:"runs"`
	Showed int      `json:"showed"`
	Log    *float64 `json:"log_likelihood,omitempty"`
	LeastS Seconds  `json:"outage_least_s"`
	MostS  Seconds  `json:"outage_most_s"`
}

// FitSettles is an observation that would tell mechanisms apart.
type FitSettles struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// FitJSON writes f as JSON.
func FitJSON(w io.Writer, f Fit) error { return encode(w, rewritten(f, asIs)) }

// FitText writes f for a person to read.
func FitText(w io.Writer, f Fit, opt Options) error {
	f = rewritten(f, oneLine)
	p := &page{opt: opt}
	p.line(0, p.paint(bold, "which mechanism explains these pings?"))
	p.line(0, p.paint(dim, fitProvenance(f)))
	p.printf("\n")
	for _, l := range f.Logs {
		p.line(0, fitLog(l))
		for _, g := range l.Gaps {
			p.line(2, fitGap(g))
		}
	}
	p.line(0, fitTrials(f))
	p.printf("\n")
	p.line(0, p.paint(bold, "verdict"))
	for _, v := range f.Verdict {
		p.line(2, v)
	}
	p.printf("\n")
	for _, t := range fitTables(f) {
		p.line(0, p.paint(bold, t.title))
		p.grid(2, grid{head: t.head, rows: t.rows, right: t.right})
		if t.note != "" {
			p.line(2, p.paint(dim, t.note))
		}
		p.printf("\n")
	}
	p.line(0, p.paint(bold, "what would settle it"))
	for _, s := range f.Settles {
		p.line(2, s.What+": "+s.Why)
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

// FitMarkdown writes f as GitHub-flavoured Markdown.
func FitMarkdown(w io.Writer, f Fit) error {
	f = rewritten(rewritten(f, oneLine), escapeMarkdown)
	m := &sheet{}
	m.printf("### which mechanism explains these pings?\n\n%s\n\n", fitProvenance(f))
	for _, l := range f.Logs {
		m.printf("- %s\n", fitLog(l))
		for _, g := range l.Gaps {
			m.printf("  - %s\n", fitGap(g))
		}
	}
	m.printf("\n%s\n\n", fitTrials(f))
	for _, v := range f.Verdict {
		m.printf("- %s\n", v)
	}
	m.printf("\n")
	for _, t := range fitTables(f) {
		m.printf("#### %s\n\n", t.title)
		m.table(t.head, t.rows)
		if t.note != "" {
			m.printf("%s\n\n", t.note)
		}
	}
	m.printf("#### what would settle it\n\n")
	for _, s := range f.Settles {
		m.printf("- **%s**: %s\n", s.What, s.Why)
	}
	_, err := io.WriteString(w, m.b.String())
	return err
}

func fitProvenance(f Fit) string {
	s := fmt.Sprintf("simulated by vpnsim %s: %s (sha256 %.8s), seeds %d to %d", f.Version, f.Scenario, f.ScenarioSHA256, f.Seed, f.Seed+uint64(f.Runs)-1)
	for _, set := range f.Sets {
		s += ", --set " + set
	}
	return s + fmt.Sprintf("; %s; intervals are of %g %%", f.Event, 100*f.Confidence)
}

func fitLog(l FitLog) string {
	place := l.File
	if l.Line > 1 {
		place += fmt.Sprintf(":%d", l.Line)
	}
	from := map[string]string{
		"timestamps": "by its timestamps", "summary": "by ping's last lines", "command": "by the command line in it", "given": "as --interval says",
		"assumed": "assumed: the log does not say, and this is what ping does by itself",
	}[l.IntervalFrom]
	s := fmt.Sprintf("%s: %s, %d of %d answered, one every %s s (%s)", place, l.Format, l.Received, l.Sent, strings.TrimRight(strings.TrimRight(l.IntervalS.Fixed(4), "0"), "."), from)
	if l.Instant {
		s += "; no gap to speak of: an instant try"
	}
	return s
}

func fitGap(g FitGap) string {
	which := fmt.Sprint(g.FirstLost)
	if g.LastLost != g.FirstLost {
		which += fmt.Sprintf("–%d", g.LastLost)
	}
	s := fmt.Sprintf("icmp_seq %s, %d lost: the outage lasted ", which, g.Lost)
	if g.MostS == nil {
		s += "longer than " + g.LeastS.Fixed(2) + " s; the log does not show both its ends"
	} else {
		s += fmt.Sprintf("%s to %s s, give or take a round trip of %s s", g.LeastS.Fixed(2), g.MostS.Fixed(2), g.TripS.Fixed(3))
	}
	if !g.Counted {
		s += "; too short to count (--least)"
	}
	return s
}

func fitTrials(f Fit) string {
	gaps := 0
	for _, l := range f.Logs {
		for _, g := range l.Gaps {
			if g.Counted {
				gaps++
			}
		}
	}
	return fmt.Sprintf("%s and %s (fewer than %d lost in a row)", count(gaps, "gap", "gaps"), count(f.Instant, "instant try", "instant tries"), f.InstantLost)
}

type fitTable struct {
	title string
	head  []string
	rows  [][]string
	right []int
	note  string
}

func fitTables(f Fit) []fitTable {
	t := fitTable{title: "mechanisms", head: []string{"", "outage", "showed it", "likelihood", "odds of the best one", "share by the log", "and possible here"}, right: []int{1, 2}}
	more := fitTable{title: fmt.Sprintf("how many more tries for odds of 20 to 1, if %s is right", fitName(f, f.Best)), head: []string{"against", "pinging as now", "five times as often"}}
	for _, m := range f.Mechanisms {
		showed := []string{}
		for _, s := range m.Shares {
			one := fmt.Sprintf("%d of %d", s.Showed, s.Runs)
			if len(m.Shares) > 1 {
				one = s.Seen + ": " + one
			}
			showed = append(showed, one)
		}
		outage := fmt.Sprintf("%s–%s s", m.LeastS.Fixed(1), m.MostS.Fixed(1))
		if m.Cut {
			outage = fmt.Sprintf("%s–… s", m.LeastS.Fixed(1))
		}
		if m.Runs == 0 {
			outage = "–"
		}
		here := "ruled out"
		if m.Here != nil {
			here = m.Here.text(100, "%")
		}
		odds := "the best"
		switch {
		case f.Best == "":
			odds = "–"
		case m.Key != f.Best:
			odds = m.Odds.odds()
		}
		t.rows = append(t.rows, []string{m.Name, outage, strings.Join(showed, "; "), m.Likelihood.text(1, ""), odds, m.ByLog.text(100, "%"), here})
		if m.More != nil {
			dense := "–"
			if m.MoreDense != nil {
				dense = m.MoreDense.tries()
			}
			more.rows = append(more.rows, []string{m.Name, m.More.tries(), dense})
		}
	}
	more.note = "on average: ln 20 over the mean log likelihood ratio of one try, computed from the same runs"
	tables := []fitTable{t}
	if len(f.Parameters) > 0 {
		ps := fitTable{title: "parameters that fit the gaps", head: []string{"mechanism", "parameter", "best", "showed it", "within a likelihood ratio of 6.8", "possible at all"}}
		for _, p := range f.Parameters {
			best, showed := "none", fmt.Sprintf("0 of %d at each of %d values", p.Runs, p.Tried)
			if p.Likelihood != nil {
				best, showed = p.Best, fmt.Sprintf("%d of %d: %s", p.Likelihood.Showed, p.Likelihood.Runs, interval(p.Likelihood.Probability, p.Likelihood.Low, p.Likelihood.High, 1, ""))
			}
			ps.rows = append(ps.rows, []string{p.Mechanism, p.Parameter, best, showed, reach(p.Interval), reach(p.Possible)})
		}
		ps.note = "of the values that were tried; --format json lists them all"
		tables = append(tables, ps)
	}
	if len(more.rows) > 0 {
		tables = append(tables, more)
	}
	return tables
}

func fitName(f Fit, key string) string {
	for _, m := range f.Mechanisms {
		if m.Key == key {
			return m.Name
		}
	}
	return key
}

// reach is from the least to the most of values that follow each other.
func reach(list []string) string {
	switch len(list) {
	case 0:
		return "none"
	case 1:
		return list[0]
	}
	return list[0] + " – " + list[len(list)-1]
}

// short writes x with three significant digits.
func short(x float64) string {
	s := strconv.FormatFloat(x, 'g', 3, 64)
	if strings.Contains(s, "e") && x >= 1 && x < 1e9 {
		s = strconv.FormatFloat(x, 'f', 0, 64)
	}
	return s
}

func interval(value, low, high, factor float64, unit string) string {
	return fmt.Sprintf("%s%s [%s, %s]", short(value*factor), unit, short(low*factor), short(high*factor))
}

// text is the estimate with its interval, or its bounds alone.
func (e Estimate) text(factor float64, unit string) string {
	if unit != "" {
		unit = " " + unit
	}
	switch {
	case e.Value != nil && e.High != nil && (*e.Value > 0 || e.Low > 0):
		return interval(*e.Value, e.Low, *e.High, factor, unit)
	case e.High != nil && *e.High == 0:
		return "0" + unit
	case e.High != nil:
		return "< " + short(*e.High*factor) + unit
	}
	return "> " + short(e.Low*factor) + unit
}

// odds are to one.
func (e Estimate) odds() string {
	if e.Value == nil || e.High == nil {
		return "> " + short(e.Low) + " : 1"
	}
	return fmt.Sprintf("%s : 1 [%s, %s]", short(*e.Value), short(e.Low), short(*e.High))
}

// tries are whole.
func (e Estimate) tries() string {
	switch {
	case e.Value == nil && e.High == nil:
		return fmt.Sprintf("more than %.0f", e.Low)
	case e.Value == nil:
		return fmt.Sprintf("at most %.0f", *e.High)
	case *e.Value == 0:
		return "none"
	case e.High == nil:
		return fmt.Sprintf("%.0f [%.0f, …]", *e.Value, e.Low)
	}
	return fmt.Sprintf("%.0f [%.0f, %.0f]", *e.Value, e.Low, *e.High)
}
