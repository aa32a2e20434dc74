package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Diff is the document of `vpnsim diff --format json`: two designs that ran with the
// same seeds, what is different about them, and what comes of it.
type Diff struct {
	VPNSim     string          `json:"vpnsim"`
	Kind       string          `json:"kind"` // "diff"
	Version    string          `json:"version"`
	A          DiffSide        `json:"a"`
	B          DiffSide        `json:"b"`
	FirstSeed  uint64          `json:"first_seed"`
	Runs       int64           `json:"runs"` // of each
	Confidence float64         `json:"confidence"`
	InstantS   Seconds         `json:"instant_s"`
	Verdict    string          `json:"verdict"` // identical, no_difference, different
	Changes    []DiffChange    `json:"changes"`
	Metrics    []DiffMetric    `json:"metrics"`
	Chains     []DiffChain     `json:"chains"`
	Conditions []DiffCondition `json:"fail_on"`
	Failed     bool            `json:"failed"`
	Remarks    []string        `json:"remarks"`
}

// Verdicts of a Diff.
const (
	Identical    = "identical"
	NoDifference = "no_difference"
	Different    = "different"
)

// DiffSide is one of the designs.
type DiffSide struct {
	Scenario       string   `json:"scenario"`
	Name           string   `json:"name"`
	ScenarioSHA256 string   `json:"scenario_sha256"`
	Sets           []string `json:"set,omitempty"`
	Open           int64    `json:"open"`
	Cut            int64    `json:"cut"`
}

// DiffChange is an effective value that both do not have in common.
type DiffChange struct {
	Path string     `json:"path"`
	A    *DiffValue `json:"a"` // null: it is not there
	B    *DiffValue `json:"b"`
}

// DiffValue is a value, and where it comes from.
type DiffValue struct {
	Value  string `json:"value"`
	Source string `json:"source"`
}

// DiffMetric is what became of a metric.
type DiffMetric struct {
	Name    string      `json:"name"`
	Means   string      `json:"means"`
	Unit    string      `json:"unit"`
	N       int64       `json:"n"` // pairs
	Less    int64       `json:"less"`
	Equal   int64       `json:"equal"`
	More    int64       `json:"more"`
	Changed SweepShare  `json:"changed"`
	Test    DiffTest    `json:"test"`
	Sign    DiffTest    `json:"sign_test"`
	Shifts  []DiffShift `json:"shifts"`
	Mean    DiffMean    `json:"mean"`
	Instant *DiffShare  `json:"instant,omitempty"`
}

// DiffTest is a test of "there is no difference".
type DiffTest struct {
	Statistic float64 `json:"statistic"`
	P         float64 `json:"p"`
	Adjusted  float64 `json:"p_adjusted"` // for the number of metrics
}

// DiffShift is a quantile, or the largest value, of both.
type DiffShift struct {
	Of    string        `json:"of"` // p50, max
	A     SweepQuantile `json:"a"`
	B     SweepQuantile `json:"b"`
	Shift Amount        `json:"shift"`
	Low   *Amount       `json:"low"`
	High  *Amount       `json:"high"`
}

// DiffMean are means, and the mean of the differences.
type DiffMean struct {
	A     SweepMean `json:"a"`
	B     SweepMean `json:"b"`
	Shift SweepMean `json:"shift"`
}

// DiffShare is the share of instant runs.
type DiffShare struct {
	A     SweepShare `json:"a"`
	B     SweepShare `json:"b"`
	Shift float64    `json:"shift"`
	Low   float64    `json:"low"`
	High  float64    `json:"high"`
}

// DiffChain is one seed's longest gap in both designs, and the waits that it consists of.
type DiffChain struct {
	Seed  uint64     `json:"seed"`
	Why   string     `json:"why"` // why this one
	A     Seconds    `json:"a"`
	B     Seconds    `json:"b"`
	Waits []DiffWait `json:"waits"`
}

// DiffWait is a wait for the same thing in both; 0 where it is in one only.
type DiffWait struct {
	What  string     `json:"what"`
	A     Seconds    `json:"a"`
	B     Seconds    `json:"b"`
	FromA *DiffCause `json:"because_a"` // null: it is not there
	FromB *DiffCause `json:"because_b"`
}

// DiffCause is the parameter that makes a wait as long as it is.
type DiffCause struct {
	Parameter string `json:"parameter"`
	Value     string `json:"value"`
	Source    string `json:"source"`
}

func (c *DiffCause) setting() string {
	if c.Parameter == "" || c.Value == "" {
		return c.Parameter
	}
	return c.Parameter + " = " + c.Value
}

// DiffCondition is one of --fail-on.
type DiffCondition struct {
	Condition string `json:"condition"`
	Metric    string `json:"metric"`
	N         int64  `json:"n"`
	Shift     string `json:"shift"`   // the estimate and its interval, in words
	Met       bool   `json:"met"`     // by the estimate
	Certain   bool   `json:"certain"` // the interval excludes that nothing changed in this direction
	Failed    bool   `json:"failed"`  // both
}

// DiffJSON writes d as JSON does a Document.
func DiffJSON(w io.Writer, d Diff) error { return encode(w, rewritten(d, asIs)) }

// DiffOptions of the text.
type DiffOptions struct {
	Options
	Metrics []string // a table for each; none: the first, and lost probes
}

// Command is the run of one side with that seed, as it is typed.
func (s *DiffSide) Command(seed uint64) string {
	doc := Sweep{Scenario: s.Scenario, Sets: s.Sets}
	return doc.Command(&SweepPoint{}, seed)
}

// DiffText writes d for a person to read.
func DiffText(w io.Writer, d Diff, opt DiffOptions) error {
	d = rewritten(d, oneLine)
	p := &page{opt: opt.Options}
	color := green
	if d.Verdict == Different {
		color = yellow
	}
	p.line(0, p.paint(bold, diffTitle(d)))
	p.line(0, p.paint(dim, diffProvenance(d)))
	p.printf("\n")
	p.line(0, p.paint(color, diffVerdict(d)))
	for _, c := range d.Conditions {
		if c.Failed {
			p.line(0, p.paint(red, "✗ "+c.words()))
		} else {
			p.line(0, p.paint(green, "✓ "+c.words()))
		}
	}
	p.printf("\n")
	p.line(0, p.paint(bold, designTitle(d)))
	if len(d.Changes) > 0 {
		head, rows := changeCells(d)
		p.grid(2, grid{head: head, rows: rows})
	}
	for _, m := range shownDiffMetrics(d, opt.Metrics) {
		p.printf("\n")
		p.line(0, p.paint(bold, m.Name)+": "+m.Means+unitWords(m.Unit))
		p.line(2, m.pairs())
		if m.Less+m.More == 0 {
			continue
		}
		head, rows := shiftCells(d, m)
		p.grid(2, grid{head: head, rows: rows})
	}
	for i := range d.Chains {
		c := &d.Chains[i]
		p.printf("\n")
		p.line(0, p.paint(bold, c.title()))
		head, rows := waitCells(c)
		p.grid(2, grid{head: head, rows: rows, right: []int{0, 1, 2}})
		p.line(2, p.paint(dim, "A: "+d.A.Command(c.Seed)))
		p.line(2, p.paint(dim, "B: "+d.B.Command(c.Seed)))
	}
	if len(d.Remarks) > 0 {
		p.printf("\n")
	}
	for _, r := range d.Remarks {
		p.line(0, r)
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

// mostChanges stand in a Markdown page before the rest is folded away.
const mostChanges = 10

// DiffMarkdown writes d as GitHub-flavoured Markdown, for a comment on a pull request.
func DiffMarkdown(w io.Writer, d Diff, metrics []string) error {
	plain := rewritten(d, oneLine)
	d = rewritten(plain, escapeMarkdown)
	d.Verdict = plain.Verdict
	m := &sheet{}
	m.printf("### %s\n\n**%s**\n\n", diffTitle(d), diffVerdict(d))
	for _, c := range d.Conditions {
		sign := "✓"
		if c.Failed {
			sign = "✗"
		}
		m.printf("- %s %s\n", sign, c.words())
	}
	if len(d.Conditions) > 0 {
		m.printf("\n")
	}
	if folded := len(d.Changes) > mostChanges; len(d.Changes) == 0 {
		m.printf("%s\n\n", designTitle(d))
	} else {
		if folded {
			m.printf("<details><summary>%s</summary>\n\n", designTitle(d))
		} else {
			m.printf("%s:\n\n", designTitle(d))
		}
		m.table(changeCells(d))
		if folded {
			m.printf("</details>\n\n")
		}
	}
	for _, x := range shownDiffMetrics(d, metrics) {
		m.printf("**%s**: %s%s. %s\n\n", x.Name, x.Means, unitWords(x.Unit), upperFirst(x.pairs()))
		if x.Less+x.More > 0 {
			m.table(shiftCells(d, x))
		}
	}
	for i := range d.Chains {
		c, seed := &d.Chains[i], d.Chains[i].Seed
		if i > 0 { // the first is the one to be read
			m.printf("<details><summary>And %s</summary>\n\n", c.Why)
		}
		m.printf("In %s:\n\n", c.title())
		m.table(waitCells(c))
		m.printf("%s\n\n", codeBlock(plain.A.Command(seed)+"\n"+plain.B.Command(seed)))
		if i > 0 {
			m.printf("</details>\n\n")
		}
	}
	for _, r := range d.Remarks {
		m.printf("%s\n\n", r)
	}
	m.printf("<sub>%s</sub>\n", diffProvenance(d))
	_, err := io.WriteString(w, m.b.String())
	return err
}

// codeBlock is text that no Markdown in it can leave.
func codeBlock(s string) string {
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + "console\n" + s + "\n" + fence
}

// upperFirst is for words of this file, which begin with a letter or a number.
func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func diffTitle(d Diff) string {
	if d.A.Scenario == d.B.Scenario {
		return fmt.Sprintf("%s (A: %s, B: %s)", d.A.Scenario, setsOf(d.A), setsOf(d.B))
	}
	return fmt.Sprintf("A: %s → B: %s", d.A.Scenario, d.B.Scenario)
}

func setsOf(s DiffSide) string {
	if len(s.Sets) == 0 {
		return "as it is"
	}
	return "--set " + strings.Join(s.Sets, " --set ")
}

func diffProvenance(d Diff) string {
	text := fmt.Sprintf("n = %s runs of each, seeds %d to %d, paired: a seed draws the same in both; what stands in brackets are %g %% intervals; sha256 %.12s and %.12s",
		thousands(d.Runs), d.FirstSeed, d.FirstSeed+uint64(max(d.Runs-1, 0)), 100*d.Confidence, d.A.ScenarioSHA256, d.B.ScenarioSHA256)
	if d.A.Scenario != d.B.Scenario {
		for _, s := range []struct {
			name string
			side DiffSide
		}{{"A", d.A}, {"B", d.B}} {
			if len(s.side.Sets) > 0 {
				text += "; " + s.name + " with " + setsOf(s.side)
			}
		}
	}
	return text
}

// diffVerdict is the answer in a sentence.
func diffVerdict(d Diff) string {
	names := metricNames(d)
	switch d.Verdict {
	case Identical:
		high := 1.0
		for i := range d.Metrics {
			high = d.Metrics[i].Changed.High // the same of all
		}
		return fmt.Sprintf("no difference: %s identical in all %s runs, to the nanosecond (so at most %s %% of runs differ)", names, thousands(d.Runs), upTo(high))
	case NoDifference:
		return fmt.Sprintf("no difference found: not every run is the same, but %s have distributions that %s runs do not tell apart (adjusted %s)", names, thousands(d.Runs), pValue(d.smallestP()))
	}
	first, others := "", []string(nil)
	for i := range d.Metrics {
		switch m := &d.Metrics[i]; {
		case m.Test.Adjusted > 1-d.Confidence:
		case first == "":
			first = m.headline()
		default:
			others = append(others, m.Name)
		}
	}
	if len(others) > 0 {
		first += "; so are " + list(others)
	}
	return "different: " + first
}

func metricNames(d Diff) string {
	var names []string
	for _, m := range d.Metrics {
		names = append(names, m.Name)
	}
	return list(names)
}

func list(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

func (d *Diff) smallestP() float64 {
	p := 1.0
	for i := range d.Metrics {
		p = min(p, d.Metrics[i].Test.Adjusted)
	}
	return p
}

// headline is a metric's change in a few words: that of the highest quantile whose shift
// has an interval.
func (m *DiffMetric) headline() string {
	var shown *DiffShift
	for i := range m.Shifts {
		if s := &m.Shifts[i]; s.Of != "max" && (shown == nil || s.Low != nil && s.High != nil) {
			shown = s
		}
	}
	if shown == nil {
		return m.Name
	}
	return fmt.Sprintf("%s %s %s → %s%s, %s (%s)", m.Name, shown.Of, shown.A.Value.short(), shown.B.Value.short(), unitSign(m.Unit), shown.Short(), pValue(m.Test.Adjusted))
}

func unitSign(unit string) string {
	if unit == "s" {
		return " s"
	}
	return ""
}

// upTo is a percentage that is not rounded below itself.
func upTo(x float64) string {
	return strconv.FormatFloat(100*x+0.005, 'f', 2, 64)
}

// pValue with two digits, as far as it means something.
func pValue(p float64) string {
	if p < 0.0001 {
		return "P < 0.0001"
	}
	return "P = " + strconv.FormatFloat(p, 'g', 2, 64)
}

// Short is the shift with its interval.
func (s *DiffShift) Short() string {
	end := func(a *Amount) string {
		if a == nil {
			return "?"
		}
		return signed(a.short())
	}
	return fmt.Sprintf("%s [%s, %s]", signed(s.Shift.short()), end(s.Low), end(s.High))
}

// Short is the shift with its interval.
func (m *DiffMean) Short() string {
	return m.Shift.text(func(x float64) string { return signed(twoDecimals(x)) })
}

// text of a mean and its interval, each number as written by f.
func (m *SweepMean) text(f func(float64) string) string {
	end := func(x *float64) string {
		if x == nil {
			return "?"
		}
		return f(*x)
	}
	return fmt.Sprintf("%s [%s, %s]", f(m.Value), end(m.Low), end(m.High))
}

func signed(s string) string {
	if strings.HasPrefix(s, "-") {
		return s
	}
	return "+" + s
}

// twoDecimals of x, and no sign of nothing.
func twoDecimals(x float64) string {
	if s := strconv.FormatFloat(x, 'f', 2, 64); s != "-0.00" {
		return s
	}
	return "0.00"
}

// Short is the shift in percentage points.
func (s *DiffShare) Short() string {
	points := func(x float64) string { return signed(twoDecimals(100 * x)) }
	return fmt.Sprintf("%s [%s, %s] points", points(s.Shift), points(s.Low), points(s.High))
}

func designTitle(d Diff) string {
	if len(d.Changes) == 0 {
		return "the design: no difference in any effective value"
	}
	return "the design: " + count(len(d.Changes), "difference", "differences")
}

func changeCells(d Diff) (head []string, rows [][]string) {
	head = []string{"", "A", "B", "which come from"}
	for _, c := range d.Changes {
		row := []string{c.Path, "–", "–", ""}
		var from []string
		if c.A != nil {
			row[1], from = c.A.Value, append(from, c.A.Source)
		}
		if c.B != nil {
			row[2], from = c.B.Value, append(from, c.B.Source)
		}
		row[3] = strings.Join(slices.Compact(from), " → ")
		rows = append(rows, row)
	}
	return head, rows
}

// shownDiffMetrics are those that were asked for; or the first, and lost probes. Where nothing
// differs there is nothing to be shown.
func shownDiffMetrics(d Diff, asked []string) (list []*DiffMetric) {
	if d.Verdict == Identical {
		return nil
	}
	for i := range d.Metrics {
		m := &d.Metrics[i]
		if shown := i == 0 || m.Name == "lost" || m.Name == "updates"; len(asked) == 0 && shown || slices.Contains(asked, m.Name) {
			list = append(list, m)
		}
	}
	return list
}

// pairs says how many runs changed.
func (m *DiffMetric) pairs() string {
	if m.Less+m.More == 0 {
		return fmt.Sprintf("the same in all %s pairs of runs, to the nanosecond.", thousands(m.N))
	}
	share := func(k int64) string { return percent(float64(k)/float64(max(m.N, 1))) + " %" }
	return fmt.Sprintf("%s pairs of runs: more in %s, the same in %s, less in %s. Same distribution: %s; as often more as less: %s.",
		thousands(m.N), share(m.More), share(m.Equal), share(m.Less), pValue(m.Test.P), pValue(m.Sign.P))
}

func shiftCells(d Diff, m *DiffMetric) (head []string, rows [][]string) {
	head = []string{"", "n", "A", "B", "B − A"}
	n := thousands(m.N)
	for i := range m.Shifts {
		s := &m.Shifts[i]
		rows = append(rows, []string{s.Of, n, s.A.short(), s.B.short(), s.Short()})
	}
	rows = append(rows, []string{"mean", n, m.Mean.A.text(twoDecimals), m.Mean.B.text(twoDecimals), m.Mean.Short()})
	if x := m.Instant; x != nil {
		rows = append(rows, []string{fmt.Sprintf("below %s s", d.InstantS), n, x.A.short(), x.B.short(), x.Short()})
	}
	return head, rows
}

func (c *DiffChain) title() string {
	text := fmt.Sprintf("%s (seed %d): %s → %s s", c.Why, c.Seed, c.A.Fixed(2), c.B.Fixed(2))
	if w := c.largest(); w != nil {
		text += fmt.Sprintf("; most of the difference: %s %s → %s s", w.name(), w.A.Fixed(2), w.B.Fixed(2))
	}
	return text
}

// name of a wait: what it waits for, and the parameter if it is one.
func (w *DiffWait) name() string {
	c := w.FromB
	if c == nil || w.FromA != nil && w.A > w.B {
		c = w.FromA
	}
	if c == nil || c.Parameter == "" {
		return w.What
	}
	return w.What + " (" + c.Parameter + ")"
}

// largest is the wait that has changed most.
func (c *DiffChain) largest() *DiffWait {
	var most *DiffWait
	for i := range c.Waits {
		w := &c.Waits[i]
		if d := w.B - w.A; d != 0 && (most == nil || max(d, -d) > max(most.B-most.A, most.A-most.B)) {
			most = w
		}
	}
	return most
}

func waitCells(c *DiffChain) (head []string, rows [][]string) {
	head = []string{"A, s", "B, s", "B − A", "waiting for", "because of", "which comes from"}
	for i := range c.Waits {
		w := &c.Waits[i]
		took := func(s Seconds, c *DiffCause) string {
			if c == nil {
				return "–"
			}
			return s.Fixed(3)
		}
		var because, from []string
		for _, c := range []*DiffCause{w.FromA, w.FromB} {
			if c != nil {
				because, from = append(because, c.setting()), append(from, c.Source)
			}
		}
		if a, b := w.FromA, w.FromB; a != nil && b != nil && a.Parameter == b.Parameter && a.Value != b.Value {
			because[1] = b.Value // of the same parameter
		}
		rows = append(rows, []string{took(w.A, w.FromA), took(w.B, w.FromB), signed((w.B - w.A).Fixed(3)), w.What,
			strings.Join(slices.Compact(because), " → "), strings.Join(slices.Compact(from), " → ")})
	}
	rows = append(rows, []string{c.A.Fixed(3), c.B.Fixed(3), signed((c.B - c.A).Fixed(3)), "together", "", ""})
	return head, rows
}

// words are the condition and what became of it.
func (c *DiffCondition) words() string {
	text := fmt.Sprintf("%s: it is %s, n = %s: ", c.Condition, c.Shift, thousands(c.N))
	switch {
	case c.Failed:
		return text + "met by the estimate, and the interval excludes that nothing changed"
	case c.Met:
		return text + "met by the estimate, but the interval does not exclude that nothing changed: this does not fail; more runs would tell"
	}
	return text + "not met"
}
