package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Test is the document of `vpnsim test --format json`: scenarios that were held to what
// they expect, over many runs of each.
type Test struct {
	VPNSim     string           `json:"vpnsim"`
	Kind       string           `json:"kind"` // "test"
	Version    string           `json:"version"`
	OK         bool             `json:"ok"`
	FirstSeed  uint64           `json:"first_seed"`
	Runs       int              `json:"runs"` // of each scenario
	Sets       []string         `json:"set,omitempty"`
	Confidence float64          `json:"confidence"`
	Tested     int              `json:"tested"` // expectations
	Failed     int              `json:"failed"`
	Worse      int              `json:"worse"` // values than in the baseline
	Scenarios  []TestedScenario `json:"scenarios"`
}

// TestedScenario is one of them. One that cannot be read has Diagnostics, and one that
// expects nothing has no Expectations and no runs.
type TestedScenario struct {
	Scenario       string              `json:"scenario"`
	Name           string              `json:"name"`
	ScenarioSHA256 string              `json:"scenario_sha256"`
	Runs           int64               `json:"runs"`
	Open           int64               `json:"open"`   // in so many an outage was not over at the end
	Cut            int64               `json:"cut"`    // in so many routing did not come to rest
	Digest         string              `json:"digest"` // of the run with the first seed
	Values         []Statistic         `json:"values"` // by which a baseline is compared; of each, less is better
	Baseline       *Compared           `json:"baseline,omitempty"`
	Expectations   []TestedExpectation `json:"expectations"`
	Diagnostics    []Diagnostic        `json:"diagnostics"`
}

// Compared is how a scenario differs from the baseline.
type Compared struct {
	New    bool            `json:"new"`    // the baseline does not have it
	Why    string          `json:"why"`    // what has changed: the scenario, vpnsim, or both; empty: nothing
	Values []ComparedValue `json:"values"` // those that are not the same
}

// ComparedValue is a number, then and now.
type ComparedValue struct {
	Expr  string    `json:"expr"`
	Was   Statistic `json:"was"`
	Now   Statistic `json:"now"`
	Worse bool      `json:"worse"` // larger than chance explains
}

// Words say what has become of it.
func (c *Compared) Words(v *ComparedValue) string {
	what := "is another one than in the baseline"
	if v.Worse {
		what = "has become worse than in the baseline"
	}
	why := c.Why
	if why == "" {
		why = "neither the scenario nor vpnsim has changed: was the baseline edited?"
	}
	return fmt.Sprintf("%s %s: %s, was %s; %s", v.Expr, what, v.Now.interval(), v.Was.interval(), why)
}

// TestedExpectation is one line of `expect:`. Where it has failed, there is a run that
// shows it, and what took the longest in that run.
type TestedExpectation struct {
	Expr       string      `json:"expr"`
	File       string      `json:"file"`
	Line       int         `json:"line"`
	Col        int         `json:"col"`
	OK         bool        `json:"ok"`
	Sure       bool        `json:"sure"`      // it would come out the same anywhere in the intervals of its estimates
	Many       bool        `json:"many_runs"` // it is over all runs; otherwise it has to hold in each
	Runs       int64       `json:"runs"`
	Broken     int64       `json:"broken"` // runs in which it did not hold, or could not be told
	Got        string      `json:"got"`
	Statistics []Statistic `json:"statistics"`
	Seed       uint64      `json:"seed"`
	Replay     string      `json:"replay"`
	Outage     Seconds     `json:"outage_s"` // of the longest gap in that run, which Chain adds up to
	Chain      []Wait      `json:"chain"`
}

// Count sums up the scenarios.
func (t *Test) Count() {
	t.OK, t.Tested, t.Failed, t.Worse = true, 0, 0, 0
	compared := false
	for i := range t.Scenarios {
		s := &t.Scenarios[i]
		t.OK = t.OK && len(s.Diagnostics) == 0
		for j := range s.Expectations {
			t.Tested++
			if !s.Expectations[j].OK {
				t.OK = false
				t.Failed++
			}
		}
		compared = compared || s.Baseline != nil && !s.Baseline.New
		t.Worse += s.worse()
	}
	t.OK = t.OK && t.Worse == 0 && (t.Tested > 0 || compared)
}

// worse values than in the baseline.
func (s *TestedScenario) worse() (n int) {
	if s.Baseline == nil {
		return 0
	}
	for _, v := range s.Baseline.Values {
		if v.Worse {
			n++
		}
	}
	return n
}

// failed expectations of the scenario.
func (s *TestedScenario) failed() (n int) {
	for i := range s.Expectations {
		if !s.Expectations[i].OK {
			n++
		}
	}
	return n
}

// place is where it stands: file:line:col.
func (e *TestedExpectation) place() string {
	if e.Line == 0 {
		return e.File
	}
	return fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Col)
}

// saw is what was got, and in how many runs.
func (e *TestedExpectation) saw() string {
	s := "got " + e.Got
	switch {
	case e.Got == "":
		s = "failed"
	case e.Many && e.Broken == 0:
		return fmt.Sprintf("%s; seed %d is a run on the wrong side", s, e.Seed)
	}
	return fmt.Sprintf("%s at seed %d; it failed in %s of %s runs", s, e.Seed, thousands(e.Broken), thousands(e.Runs))
}

// because introduces the chain.
func (e *TestedExpectation) because() string {
	return fmt.Sprintf("the longest outage of that run, %s s, came of", e.Outage.Fixed(3))
}

// unsure says why the outcome is not certain; empty: it is.
func (e *TestedExpectation) unsure() string {
	if e.Sure {
		return ""
	}
	s := fmt.Sprintf("%s runs are too few to be sure: it goes by the estimate, and would come out otherwise elsewhere in the interval", thousands(e.Runs))
	needed := int64(0)
	for _, x := range e.Statistics {
		needed = max(needed, x.Needed)
	}
	if needed > 0 {
		s += fmt.Sprintf(" (which has both ends from -n %d on)", needed)
	}
	return s
}

// RunCommand is the run of a scenario with that seed, as it is typed.
func RunCommand(scenario string, seed uint64, sets []string) string {
	words := []string{"vpnsim run", quote(scenario), "--seed", strconv.FormatUint(seed, 10)}
	for _, set := range sets {
		words = append(words, "--set", quote(set))
	}
	return strings.Join(words, " ")
}

// summary is the last line.
func (t *Test) summary() string {
	s := fmt.Sprintf("%s, %s: %d held, %d failed", count(len(t.Scenarios), "scenario", "scenarios"),
		count(t.Tested, "expectation", "expectations"), t.Tested-t.Failed, t.Failed)
	if t.Worse > 0 {
		s += fmt.Sprintf("; %s than in the baseline", count(t.Worse, "value is worse", "values are worse"))
	}
	if bad := t.unreadable(); bad > 0 {
		s += fmt.Sprintf("; %s cannot be read", count(bad, "scenario", "scenarios"))
	}
	return s
}

func (t *Test) unreadable() (n int) {
	for i := range t.Scenarios {
		if len(t.Scenarios[i].Diagnostics) > 0 {
			n++
		}
	}
	return n
}

// mostWaits of a chain are printed.
const mostWaits = 12

// TestText writes t for a person to read: one line for a scenario whose expectations
// have held, more for each that has not.
func TestText(w io.Writer, t Test, opt Options) error {
	t = rewritten(t, oneLine)
	p := &page{opt: opt}
	widest := 0
	for i := range t.Scenarios {
		widest = max(widest, len(t.Scenarios[i].Scenario))
	}
	for i := range t.Scenarios {
		s := &t.Scenarios[i]
		for _, d := range s.Diagnostics {
			p.printf("%s  ", p.paint(red, "FAIL"))
			p.diagnostic(d)
		}
		switch {
		case len(s.Diagnostics) > 0:
			continue
		case s.Runs == 0:
			p.line(0, fmt.Sprintf("%s  %-*s  expects nothing", p.paint(yellow, "skip"), widest, s.Scenario))
			continue
		case s.failed()+s.worse() == 0:
			p.line(0, fmt.Sprintf("%s    %-*s  %s  %s", p.paint(green, "ok"), widest, s.Scenario,
				count(len(s.Expectations), "expectation", "expectations"), count(int(s.Runs), "run", "runs")))
		}
		for j := range s.Expectations {
			p.tested(&s.Expectations[j])
		}
		p.compared(s)
		if s.Open > 0 && s.failed() > 0 {
			p.line(8, fmt.Sprintf("In %s of %s runs of %s an outage was not over at the end.", thousands(s.Open), thousands(s.Runs), s.Scenario))
		}
	}
	if len(t.Scenarios) > 0 {
		p.line(0, t.summary())
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

// compared says how a scenario differs from the baseline.
func (p *page) compared(s *TestedScenario) {
	c := s.Baseline
	if c == nil {
		return
	}
	if c.New {
		p.line(0, fmt.Sprintf("%s  %s  is not in the baseline; --update adds it", p.paint(yellow, "note"), p.paint(bold, s.Scenario)))
	}
	for i := range c.Values {
		v := &c.Values[i]
		mark := p.paint(yellow, "note")
		if v.Worse {
			mark = p.paint(red, "FAIL")
		}
		p.line(0, fmt.Sprintf("%s  %s  %s", mark, p.paint(bold, s.Scenario), c.Words(v)))
	}
}

func (p *page) tested(e *TestedExpectation) {
	switch {
	case e.OK && e.Sure:
		return
	case e.OK:
		p.line(0, fmt.Sprintf("%s  %s  %s", p.paint(yellow, "note"), p.paint(bold, e.place()), e.Expr))
		p.line(8, e.Got)
		p.line(8, p.paint(dim, e.unsure()))
		return
	}
	p.line(0, fmt.Sprintf("%s  %s  %s", p.paint(red, "FAIL"), p.paint(bold, e.place()), e.Expr))
	p.line(8, e.saw())
	if s := e.unsure(); s != "" {
		p.line(8, p.paint(dim, s))
	}
	p.line(8, "replay: "+e.Replay)
	if len(e.Chain) == 0 {
		return
	}
	p.line(8, e.because())
	g := grid{head: []string{"", "", "", ""}, right: []int{0}}
	for _, c := range e.waits() {
		g.add(c...)
	}
	p.grid(10, g)
}

// waits are the cells of the chain.
func (e *TestedExpectation) waits() (rows [][]string) {
	took, _ := shares(e.Chain)
	for i, c := range e.Chain {
		if i == mostWaits {
			rows = append(rows, []string{"", "…", fmt.Sprintf("%d more", len(e.Chain)-i), ""})
			break
		}
		what := c.Node + ": " + c.What
		if s := c.Drawn.words(); s != "" {
			what += " (" + s + ")"
		}
		rows = append(rows, []string{took[i], what, setting(c), c.Source})
	}
	return rows
}

// TestJSON writes t.
func TestJSON(w io.Writer, t Test) error { return encode(w, rewritten(t, asIs)) }

// TestMarkdown writes t for a step summary or a comment: what has failed first, then one
// row for each scenario.
func TestMarkdown(w io.Writer, t Test) error {
	t = rewritten(t, oneLine)
	plain := t
	t = rewritten(t, escapeMarkdown)
	m := &sheet{}
	mark := "✅"
	if !t.OK {
		mark = "❌"
	}
	m.printf("### %s vpnsim test: %s\n\n", mark, t.summary())
	var rows [][]string
	for i := range t.Scenarios {
		s := &t.Scenarios[i]
		state := "✅ held"
		switch {
		case len(s.Diagnostics) > 0:
			state = "❌ cannot be read"
		case s.Runs == 0:
			state = "expects nothing"
		case s.failed()+s.worse() > 0:
			state = fmt.Sprintf("❌ %d failed", s.failed()+s.worse())
		}
		if c := s.Baseline; c != nil {
			for k := range c.Values {
				m.printf("%s %s\n\n", s.Scenario, c.Words(&c.Values[k]))
			}
		}
		rows = append(rows, []string{s.Scenario, state, strconv.Itoa(len(s.Expectations)), thousands(s.Runs)})
		for _, d := range s.Diagnostics {
			m.printf("**%s:%d:%d** %s %s\n\n", d.File, d.Line, d.Col, d.Message, d.Help)
		}
		for j := range s.Expectations {
			e := &s.Expectations[j]
			if e.OK && e.Sure {
				continue
			}
			verdict := "❌"
			if e.OK {
				verdict = "⚠️"
			}
			m.printf("%s **%s** <code>%s</code>\n\n", verdict, e.place(), e.Expr)
			if e.OK {
				m.printf("%s. %s.\n\n", e.Got, e.unsure())
				continue
			}
			m.printf("%s. %s\n\n", e.saw(), e.unsure())
			m.fence(plain.Scenarios[i].Expectations[j].Replay)
			if len(e.Chain) > 0 {
				m.printf("%s\n\n", e.because())
				m.table([]string{"took", "what", "setting", "where it comes from"}, e.waits())
			}
		}
	}
	if len(rows) > 0 {
		m.table([]string{"scenario", "", "expectations", "runs"}, rows)
	}
	_, err := io.WriteString(w, strings.TrimRight(m.b.String(), "\n")+"\n")
	return err
}

// fence writes text as it is, in a block that no text of it can end.
func (m *sheet) fence(text string) {
	bars := "```"
	for strings.Contains(text, bars) {
		bars += "`"
	}
	m.printf("%s\n%s\n%s\n\n", bars, text, bars)
}
