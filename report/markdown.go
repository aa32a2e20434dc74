package report

// Markdown for pull request comments and step summaries: the verdict first, the
// tables, and what is long folded away. The scenario of a pull request is
// written by whoever opened it, so every piece of its text is escaped: it can
// neither break out of a table nor call people by name nor load a picture.

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/vpnsim/vpnsim/probe"
)

// Markdown writes doc as GitHub-flavoured Markdown.
func Markdown(w io.Writer, doc Document) error {
	plain := rewrite(doc, oneLine)
	m := &sheet{doc: rewrite(plain, escapeMarkdown)}
	m.printf("### %s\n\n", title(m.doc))
	m.printf("%s\n\n", provenance(m.doc))
	m.internet()
	m.verdict()
	m.ending()
	m.probes()
	m.forwarding()
	for _, g := range m.doc.Gaps {
		if !byChance(g) {
			m.gap(g)
		}
	}
	for _, pr := range m.doc.Probes {
		if s := chance(m.doc, pr); s != "" {
			m.printf("%s\n\n", s)
		}
	}
	if m.doc.Explain != nil {
		m.explain(*m.doc.Explain)
	}
	m.assumptions()
	m.transcript(plain)
	_, err := io.WriteString(w, strings.TrimRight(m.b.String(), "\n")+"\n")
	return err
}

type sheet struct {
	b   strings.Builder
	doc Document // every text in it is escaped
}

func (m *sheet) printf(format string, args ...any) { fmt.Fprintf(&m.b, format, args...) }

// escapeMarkdown makes s stand for itself in running text and in a table.
func escapeMarkdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch r {
		case '\\', '`', '*', '_', '{', '}', '[', ']', '#', '|', '~', '!':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '@':
			// An empty comment keeps a name from becoming a mention.
			b.WriteString("@<!-- -->")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// table writes a table of escaped cells.
func (m *sheet) table(head []string, rows [][]string) {
	t := table.NewWriter()
	toRow := func(cells []string) table.Row {
		row := make(table.Row, len(cells))
		for i, c := range cells {
			row[i] = c
		}
		return row
	}
	t.AppendHeader(toRow(head))
	for _, r := range rows {
		t.AppendRow(toRow(r))
	}
	// The renderer escapes the bars of its cells, and so did escapeMarkdown.
	m.printf("%s\n\n", strings.ReplaceAll(t.RenderMarkdown(), `\\|`, `\|`))
}

func (m *sheet) verdict() {
	if len(m.doc.Expectations) == 0 {
		return
	}
	held, many := 0, 0
	var rows [][]string
	for _, e := range m.doc.Expectations {
		mark := "✗ failed"
		switch {
		case e.Many:
			many++
			mark = "·"
		case e.OK:
			held++
			mark = "✓ held"
		}
		rows = append(rows, []string{mark, e.Expr, e.Got, e.Source})
	}
	m.printf("**%d of %d expectations held%s**\n\n", held, len(rows)-many, overMany(many))
	m.table([]string{"", "expectation", "got", "at"}, rows)
}

func (m *sheet) probes() {
	if len(m.doc.Probes) == 0 {
		switch {
		case m.doc.Explain != nil:
		case len(m.doc.Convergence)+len(m.doc.BringUp) > 0:
			m.convergence()
		default:
			m.printf("No probe was sent.\n\n")
		}
		return
	}
	var rows [][]string
	for _, pr := range m.doc.Probes {
		rtt := "–"
		if pr.Received > 0 {
			rtt = fmt.Sprintf("%.3f / %.3f / %.3f / %.3f ms", pr.RTT.Min, pr.RTT.Avg, pr.RTT.Max, pr.RTT.MDev)
		}
		loss := probe.Statistics{Sent: pr.Sent, Lost: pr.Lost}.Loss()
		rows = append(rows, []string{pr.Name, pr.From + " → " + pr.To, fmt.Sprint(pr.Sent), fmt.Sprintf("%d (%s%%)", pr.Lost, loss), rtt})
	}
	m.table([]string{"probe", "from → to", "sent", "lost", "rtt min / avg / max / mdev"}, rows)
	for _, pr := range m.doc.Probes {
		if len(pr.Echoes) > 0 {
			cells, per := stripOf(pr, 100)
			m.printf("`%s` (%s a cell)\n\n", cells, count(per, "probe", "probes"))
		}
	}
	if len(m.doc.Gaps) == 0 {
		m.printf("No gap.\n\n")
	}
}

func (m *sheet) gap(g Gap) {
	pr, _ := probeOf(m.doc, g.Probe)
	name := fmt.Sprintf("gap %d", g.N)
	if len(m.doc.Probes) > 1 {
		name += " of " + g.Probe
	}
	m.printf("#### %s: %s\n\n", name, strings.ReplaceAll(numbers(g, pr)+"   "+lengths(g), "   ", " · "))
	item := func(name, words string) {
		if words != "" {
			m.printf("- %s: %s\n", name, words)
		}
	}
	item("began", g.Cause)
	item("request", direction(g.RequestOutageS, g.Request))
	item("reply", direction(g.ReplyOutageS, g.Reply))
	item("two measures", strings.TrimPrefix(measures(g), "two measures: "))
	m.printf("\n")
	if len(g.Chain) > 0 {
		m.waits(g.Chain, sumVerdict(g))
	}
	better, worse := sortChanges(g)
	m.changes(g, "What to try:", better, []string{"change", "outage", "instead", "lost", "takes away or shortens"})
	m.changes(g, "What would make it worse:", worse, []string{"change", "outage", "instead", "lost", "changes"})
	if len(g.RuledOut) > 0 {
		m.printf("What did not matter:\n\n")
		for _, r := range g.RuledOut {
			m.printf("- %s: %s\n", r.Parameter, r.Why)
		}
		m.printf("\n")
	}
}

// waits is a table of waits, and what is to be said of their sum.
func (m *sheet) waits(waits []Wait, verdict string) {
	chain := fold(waits)
	took, decimals := shares(chain)
	var rows [][]string
	for i, c := range chain {
		what := c.What
		for _, s := range asides(c) {
			what += " (" + s + ")"
		}
		var because, from []string
		for _, r := range reasons(c) {
			because, from = append(because, r[0]), append(from, r[1])
		}
		rows = append(rows, []string{took[i], c.Node, what, strings.Join(because, "; "), strings.Join(slices.Compact(from), "; ")})
	}
	rows = append(rows, []string{"**" + total(waits).Fixed(decimals) + " s**", "", verdict, "", ""})
	m.table([]string{"took", "at", "waiting for", "because of", "which comes from"}, rows)
}

func direction(out Seconds, words string) string {
	if words == "" {
		return ""
	}
	return outOf(out) + ", " + words
}

func (m *sheet) explain(e Explain) {
	m.printf("#### %s at %s s\n\n", e.Question, e.AtS)
	for _, s := range e.Answer {
		m.printf("%s\n\n", s)
	}
	for _, t := range routeTables(e.Routes) {
		m.printf("%s:\n\n", t.title())
		head, cells, _ := routeCells(t.rows)
		for _, c := range cells {
			c[0] = escapeMarkdown(strings.TrimSpace(c[0]))
		}
		m.table(head, cells)
	}
	for _, r := range e.Rules {
		m.printf("- %s\n", r)
	}
	if len(e.Rules) > 0 {
		m.printf("\n")
	}
}

func (m *sheet) assumptions() {
	if n := len(m.doc.Assumptions); n > 0 {
		m.printf("<details><summary>%s</summary>\n\n", count(n, "value is assumed", "values are assumed"))
		var rows [][]string
		for _, a := range m.doc.Assumptions {
			rows = append(rows, []string{a.Parameter, a.Value, a.Why})
		}
		m.table([]string{"parameter", "value", "why"}, rows)
		m.printf("</details>\n\n")
	}
}

// transcript is the text view in a code block: nothing in there is Markdown.
func (m *sheet) transcript(plain Document) {
	if len(plain.Probes) == 0 {
		return
	}
	p := &page{}
	p.pings(plain, probe.Iputils)
	s := p.buf.String()
	// The fence has to be longer than any run of backquotes inside it.
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	m.printf("<details><summary>ping</summary>\n\n%stext\n%s%s\n\n</details>\n", fence, s, fence)
}

func (m *sheet) changes(g Gap, title string, list []Counterfactual, head []string) {
	if len(list) == 0 {
		return
	}
	m.printf("%s\n\n", title)
	var rows [][]string
	for _, c := range list {
		change := c.Change
		if c.Note != "" {
			change += " (" + c.Note + ")"
		}
		rows = append(rows, []string{change, c.OutageS.Fixed(3) + " s", difference(c.OutageS - g.OutageS), fmt.Sprint(c.Lost), c.Removes})
	}
	m.table(head, rows)
}
