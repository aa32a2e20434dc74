package report

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// LabCompareJSON writes it as JSON.
func LabCompareJSON(w io.Writer, l LabCompare) error { return encode(w, rewritten(l, asIs)) }

// LabCompareText writes it for a person to read: a table of all cases, below it what is to
// be said of those that do not agree, and with few cases or with events the reactions.
func LabCompareText(w io.Writer, l LabCompare, events bool, opt Options) error {
	l = rewritten(l, oneLine)
	p := &page{opt: opt}
	color := green
	if l.Disagree > 0 {
		color = yellow
	}
	p.line(0, p.paint(bold, "measured beside predicted: ")+p.paint(color, labCount(l)))
	p.line(0, p.paint(dim, labProvenance(l)))
	p.line(0, p.paint(dim, "of two lines the first is measured, the second predicted; seconds; median and shift are those of gaps longer than 1 s, range and p95 those of all"))
	for _, group := range labGroups(l.Cases) {
		p.printf("\n")
		narrow := opt.Width > 0 && opt.Width < labWide
		g := grid{head: append([]string{cmp.Or(group.name, "case")}, labHead...), right: []int{1, 2, 3, 4, 5, 6}}
		if narrow {
			g.head, g.right = slices.Delete(g.head, labP95, labP95+1), g.right[:5]
		}
		for _, c := range group.cases {
			cells := labCells(c, "\n")
			cells[0] = labName(strings.TrimPrefix(cells[0], group.name+"/"), opt.Width)
			cells[len(cells)-1] = p.paint(labColor(c.Verdict), cells[len(cells)-1])
			if narrow {
				cells = slices.Delete(cells, labP95, labP95+1)
			}
			g.add(cells...)
		}
		p.grid(0, g)
	}
	if words := togetherWords(l); len(words) > 0 {
		p.printf("\n")
		p.line(0, p.paint(bold, "of cases taken together"))
		for _, w := range words {
			p.line(2, w)
		}
	}
	for _, c := range l.Cases {
		if c.Verdict == LabAgrees && c.Note == "" {
			continue
		}
		p.printf("\n")
		p.line(0, p.paint(bold, c.Case)+": "+p.paint(labColor(c.Verdict), labWord(c.Verdict)))
		for _, r := range c.Reasons {
			p.line(2, r)
		}
		if c.Note != "" {
			p.line(2, "note: "+c.Note)
		}
	}
	p.timers(l)
	for _, c := range withEvents(l, events) {
		p.printf("\n")
		p.line(0, p.paint(bold, c.Case+": first change of a router's routes after an event"))
		for i, e := range c.Events {
			if i == 0 || c.Events[i-1].Event != e.Event {
				p.line(2, e.Event)
			}
			p.reaction(&e)
		}
	}
	if len(l.Remarks) > 0 {
		p.printf("\n")
	}
	for _, r := range l.Remarks {
		p.line(0, r)
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

// fewCases have their events printed unasked.
const fewCases = 3

// withEvents are the cases whose events are printed.
func withEvents(l LabCompare, all bool) (list []*LabCase) {
	for i := range l.Cases {
		if (all || len(l.Cases) <= fewCases) && len(l.Cases[i].Events) > 0 {
			list = append(list, &l.Cases[i])
		}
	}
	return list
}

// labName breaks a name so that a page of limited width has room for the rest.
func labName(name string, width int) string {
	const most = 26
	if width == 0 {
		return name
	}
	var lines []string
	line := ""
	for _, word := range labWords.FindAllString(name, -1) {
		if line != "" && len(line)+len(word) > most {
			lines, line = append(lines, line), ""
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}

// labWords are the pieces of a name.
var labWords = regexp.MustCompile(`[^/+ ]*[/+ ]?`)

// timers lists those that are off.
func (p *page) timers(l LabCompare) {
	g := grid{head: []string{"", "reactions", "earlier", "later", "shift"}, right: []int{1, 2, 3, 4}}
	for _, t := range l.Timers {
		if t.Earlier+t.Later > 0 {
			g.add(t.Daemon+" "+t.Parameter, fmt.Sprint(t.Reactions), fmt.Sprint(t.Earlier), fmt.Sprint(t.Later), shifted(t.ShiftS))
		}
	}
	if len(g.rows) == 0 {
		return
	}
	p.printf("\n")
	p.line(0, p.paint(bold, "routers that changed earlier or later than predicted, by what the prediction waits for longest"))
	p.line(0, p.paint(dim, "by more than 3 % and 0.3 s, with certainty; the shift is the median of all reactions"))
	p.grid(2, g)
}

func labColor(verdict string) string {
	if verdict == LabAgrees {
		return green
	}
	return yellow
}

// labWord is a verdict as one says it.
func labWord(verdict string) string {
	switch verdict {
	case LabWithinChance:
		return "within chance"
	case LabUnknown:
		return "not known"
	}
	return verdict
}

// labCount says how many cases there are of each verdict that there is.
func labCount(l LabCompare) string {
	var parts []string
	for _, v := range []struct {
		n         int
		one, many string
	}{{l.Agree, "agrees", "agree"}, {l.WithinChance, "differs within chance", "differ within chance"},
		{len(l.Cases) - l.Agree - l.WithinChance - l.Disagree, "has no result", "have no result"}, {l.Disagree, "disagrees", "disagree"}} {
		switch {
		case v.n == 0:
		case len(parts) == 0:
			parts = append(parts, count(v.n, "case "+v.one, "cases "+v.many))
		default:
			parts = append(parts, count(v.n, v.one, v.many))
		}
	}
	return strings.Join(parts, ", ")
}

func labProvenance(l LabCompare) string {
	text := fmt.Sprintf("vpnsim %s: %s", l.Version, count(l.Trials, "trial", "trials"))
	if l.Failed > 0 {
		text += fmt.Sprintf(" (%d more failed)", l.Failed)
	}
	return text + fmt.Sprintf(" on %s, Linux %s, beside %s simulated runs of each case, seeds %d to %d; %g %% intervals; tests at %g %%, corrected for all cases (Holm)",
		strings.Join(l.Programs, ", "), strings.Join(l.Kernels, ", "), thousands(int64(l.Runs)), l.Seed, l.Seed+uint64(max(l.Runs-1, 0)), 100*l.Confidence, 100*l.Level)
}

// labGroup are cases whose names begin alike.
type labGroup struct {
	name  string
	cases []*LabCase
}

func labGroups(cases []LabCase) (list []labGroup) {
	for i := range cases {
		name, _, ok := strings.Cut(cases[i].Case, "/")
		if !ok {
			name = ""
		}
		g := slices.IndexFunc(list, func(g labGroup) bool { return g.name == name })
		if g < 0 {
			g = len(list)
			list = append(list, labGroup{name: name})
		}
		list[g].cases = append(list[g].cases, &cases[i])
	}
	return list
}

// labHead are the columns: measured first, then predicted.
var labHead = []string{"n", "instant", "median", "range", "p95", "shift", "verdict"}

// labP95 is which column of a row is the 95th percentile; a narrow page has no room for it.
const labP95, labWide = 5, 116

// labCells is a row; what is measured stands before what is predicted.
func labCells(c *LabCase, between string) []string {
	pair := func(f func(*LabGaps) string) string {
		seen := "–"
		if c.Measured.N > 0 {
			seen = f(&c.Measured)
		}
		return seen + between + f(&c.Predicted)
	}
	median := pair(func(g *LabGaps) string {
		long, value := c.Difference.Measured, c.Difference.MedianMeasuredS
		if g == &c.Predicted {
			long, value = c.Difference.Predicted, c.Difference.MedianPredictedS
		}
		if long == 0 {
			return "–"
		}
		return value.Fixed(2)
	})
	shift := "–"
	if d := &c.Difference; d.Measured > 0 && d.Predicted > 0 {
		shift = shifted(d.ShiftS)
		if d.LowS != nil {
			shift += fmt.Sprintf(" [%s, %s]", shifted(*d.LowS), shifted(*d.HighS))
		}
	}
	return []string{c.Case, fmt.Sprint(c.Measured.N), pair(func(g *LabGaps) string {
		if g == &c.Measured {
			return fmt.Sprint(g.Instant)
		}
		return fmt.Sprintf("%.0f %%", 100*g.Share.Share)
	}),
		median, pair(func(g *LabGaps) string { return g.MinS.Fixed(1) + " … " + g.MaxS.Fixed(1) }), pair(func(g *LabGaps) string { return g.P95S.Fixed(1) }), shift, labWord(c.Verdict)}
}

func shifted(s Seconds) string {
	if s > 0 {
		return "+" + s.Fixed(2)
	}
	return strings.Replace(s.Fixed(2), "-", "−", 1)
}

// reaction is one router after one event.
func (p *page) reaction(e *LabReaction) {
	p.line(4, e.words())
	for _, w := range e.why() {
		p.line(6, p.paint(dim, w))
	}
}

// words say when its routes changed, measured and predicted.
func (e *LabReaction) words() string {
	of := func(f LabFirst) string {
		if f.Changed == 0 {
			return "no change"
		}
		text := fmt.Sprintf("%s s (%s … %s)", f.MedianS.Fixed(2), f.MinS.Fixed(2), f.MaxS.Fixed(2))
		if f.Changed < f.N {
			text += fmt.Sprintf(" in %d of %s", f.Changed, thousands(int64(f.N)))
		}
		return text
	}
	text := fmt.Sprintf("%s: measured %s, predicted %s", e.Router, of(e.Measured), of(e.Predicted))
	if e.ShiftS != nil {
		text += ", shift " + shifted(*e.ShiftS)
		if e.LowS != nil {
			text += fmt.Sprintf(" [%s, %s]", shifted(*e.LowS), shifted(*e.HighS))
		}
	}
	return text
}

// why they changed: what the prediction has waited for, and what was heard.
func (e *LabReaction) why() (list []string) {
	for _, t := range e.Timers {
		list = append(list, t.words(e.Predicted.Changed))
	}
	for _, h := range e.Heard {
		list = append(list, h.words())
	}
	return list
}

func (t *LabTimer) words(of int) string {
	text := t.What
	if t.Parameter != "" {
		text += fmt.Sprintf(" (%s = %s)", t.Parameter, t.Value)
	}
	if t.MedianS > 0 {
		text += ": " + t.MedianS.Fixed(2) + " s"
	}
	if t.Runs < of {
		text += fmt.Sprintf(", in %.0f %% of the runs", 100*float64(t.Runs)/float64(of))
	}
	return text
}

func (h *LabHeard) words() string {
	text := fmt.Sprintf("%s: sent by %s at +%s s", h.What, h.From, h.MedianS.Fixed(2))
	if h.Trials > 1 {
		text += fmt.Sprintf(" (%s … %s, %d trials)", h.MinS.Fixed(2), h.MaxS.Fixed(2), h.Trials)
	}
	return text
}

// togetherWords are about those cases that differ when they are taken together.
func togetherWords(l LabCompare) (list []string) {
	for _, t := range l.Together {
		if t.Adjusted > l.Level {
			continue
		}
		which := t.Group + " with " + t.Daemons
		if t.Group == "" {
			which = "all with " + t.Daemons
		}
		word, share := "longer", t.Longer
		if share < 0.5 {
			word, share = "shorter", 1-share
		}
		list = append(list, fmt.Sprintf("%s (%d cases, %d gaps): measured gaps are %s than predicted in %.0f %% of all pairs, not in half of them", which, t.Cases, t.Gaps, word, 100*share))
	}
	return list
}

// LabCompareMarkdown writes it as GitHub-flavoured Markdown: the tables, again those cases
// that do not agree, with the reasons, and with few cases or with events the reactions.
func LabCompareMarkdown(w io.Writer, l LabCompare, events bool) error {
	plain := rewritten(l, oneLine)
	l = rewritten(plain, escapeMarkdown)
	for i := range l.Cases {
		l.Cases[i].Verdict = plain.Cases[i].Verdict
	}
	m := &sheet{}
	m.printf("**%s.** %s.\n\n", labCount(l), labProvenance(l))
	m.printf("n counts trials. Of two numbers the first is measured, the second predicted; seconds. The median and the shift are those of gaps longer than 1 s, range and p95 those of all.\n\n")
	for _, group := range labGroups(l.Cases) {
		if group.name != "" {
			m.printf("### %s\n\n", group.name)
		}
		var rows [][]string
		for _, c := range group.cases {
			cells := labCells(c, " / ")
			cells[0] = strings.TrimPrefix(cells[0], group.name+"/")
			if c.Verdict != LabAgrees {
				cells[len(cells)-1] = "**" + cells[len(cells)-1] + "**"
			}
			rows = append(rows, cells)
		}
		m.table(append([]string{"case"}, labHead...), rows)
	}
	if words := togetherWords(l); len(words) > 0 {
		m.printf("### Cases taken together\n\n")
		for _, w := range words {
			m.printf("- %s.\n", w)
		}
		m.printf("\n")
	}
	for _, kind := range []struct{ verdict, title string }{
		{LabDisagrees, "Cases that disagree"}, {LabWithinChance, "Cases whose medians differ by more than the goal, as they may by chance"}, {LabUnknown, "Cases without a result"}} {
		first := true
		for _, c := range l.Cases {
			if c.Verdict != kind.verdict {
				continue
			}
			if first {
				m.printf("### %s\n\n", kind.title)
				first = false
			}
			m.printf("- **%s**: %s.", c.Case, strings.Join(c.Reasons, "; "))
			if c.Note != "" {
				m.printf(" %s", c.Note)
			}
			m.printf("\n")
		}
		if !first {
			m.printf("\n")
		}
	}
	for _, c := range withEvents(l, events) {
		m.printf("### %s: first change of a router's routes after an event\n\n", c.Case)
		for i := range c.Events {
			e := &c.Events[i]
			if i == 0 || c.Events[i-1].Event != e.Event {
				m.printf("- %s\n", e.Event)
			}
			m.printf("  - %s\n", e.words())
			for _, w := range e.why() {
				m.printf("    - %s\n", w)
			}
		}
		m.printf("\n")
	}
	for _, r := range l.Remarks {
		m.printf("%s\n\n", r)
	}
	_, err := io.WriteString(w, strings.TrimRight(m.b.String(), "\n")+"\n")
	return err
}
