package report

// How routing reacted, in a table: what a network without a ping has to show,
// and what a reader of Labovitz or Griffin looks for first.

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// shownPrefixes are the prefixes of one event that get a line of their own; the
// slowest ones, when there are more.
const shownPrefixes = 10

// Events parts rows by the events that they follow.
func Events(rows []Convergence) [][]Convergence {
	var list [][]Convergence
	for i, c := range rows {
		if i == 0 || rows[i-1].AtS != c.AtS || rows[i-1].Event != c.Event {
			list = append(list, nil)
		}
		last := &list[len(list)-1]
		*last = append(*last, c)
	}
	return list
}

// Total sums up the rows of one event: the slowest prefix says how long it took.
func Total(rows []Convergence) Convergence {
	t := Convergence{Converged: true}
	for i, c := range rows {
		if i == 0 {
			t.Event, t.Path, t.AtS = c.Event, c.Path, c.AtS
		}
		t.Seconds = max(t.Seconds, c.Seconds)
		t.Announcements += c.Announcements
		t.Withdrawals += c.Withdrawals
		t.RIBChanges += c.RIBChanges
		t.FIBChanges += c.FIBChanges
		t.TableChanges += c.TableChanges
		t.Converged = t.Converged && c.Converged
	}
	return t
}

// quiet tells a row that stands for nothing having happened.
func (c *Convergence) quiet() bool {
	return c.Announcements+c.Withdrawals+c.RIBChanges+c.FIBChanges+c.TableChanges == 0 && c.Converged
}

// slower orders by how long it took; what has not converged comes first.
func slower(a, b Convergence) int {
	switch {
	case a.Converged == b.Converged:
		return cmp.Compare(b.Seconds, a.Seconds)
	case b.Converged:
		return -1
	}
	return 1
}

// reactionLines are the cells of an event: its prefixes, the slowest first where not
// all are shown, and what is left out as one.
func reactionLines(event []Convergence) [][]string {
	rows, total := event, Total(event)
	if len(rows) > shownPrefixes {
		rows = slices.Clone(rows)
		slices.SortStableFunc(rows, slower)
		rows = rows[:shownPrefixes]
	}
	var cells [][]string
	add := func(prefix string, c Convergence) {
		took := c.Seconds.Fixed(3) + " s"
		if !c.Converged {
			took = "> " + took
		}
		cells = append(cells, []string{prefix, took, fmt.Sprint(c.Announcements), fmt.Sprint(c.Withdrawals), fmt.Sprint(c.RIBChanges), fmt.Sprint(c.FIBChanges), fmt.Sprint(c.TableChanges)})
	}
	if len(event) > 1 {
		add(fmt.Sprintf("all %d prefixes", len(event)), total)
	}
	for _, c := range rows {
		add(dash(c.Prefix), c)
	}
	if n := len(event) - len(rows); n > 0 {
		cells = append(cells, []string{fmt.Sprintf("… and %d more", n), "", "", "", "", "", ""})
	}
	return cells
}

// columns leaves out the changes of tables that a graph of ASes does not have.
func (doc *Document) columns(rows [][]string) [][]string {
	if doc.Internet == nil {
		return rows
	}
	for i, r := range rows {
		rows[i] = r[:len(r)-2]
	}
	return rows
}

var convergenceHead = []string{"prefix", "took", "announced", "withdrawn", "Loc-RIB changes", "FIB changes", "route table"}

// stillToCome says what was still to come when the next fault, or the end, came.
func stillToCome(event []Convergence) string {
	var list []string
	for _, c := range event {
		for _, w := range c.Waits {
			if !slices.Contains(list, w) {
				list = append(list, w)
			}
		}
	}
	if len(list) == 0 {
		return ""
	}
	const named = 5
	if n := len(list) - named; n > 0 {
		list = append(list[:named], fmt.Sprintf("and %d more", n))
	}
	return "not over when the next fault, or the end, came: " + strings.Join(list, "; ")
}

func (p *page) convergence(doc Document) {
	p.line(0, p.paint(bold, "convergence"))
	all := append(Events(doc.BringUp), Events(doc.Convergence)...)
	if len(all) == 0 {
		p.line(2, "nothing was counted")
		return
	}
	for i, event := range all {
		if i > 0 {
			p.printf("\n")
		}
		p.line(2, p.paint(yellow, fmt.Sprintf("%s s: %s", event[0].AtS.Fixed(3), event[0].Event)))
		if len(event) == 1 && event[0].quiet() {
			p.line(4, "no route changed, and nothing was announced or withdrawn")
			continue
		}
		g := grid{head: doc.columns([][]string{convergenceHead})[0], rows: doc.columns(reactionLines(event))}
		for c := 1; c < len(g.head); c++ {
			g.right = append(g.right, c)
		}
		p.grid(4, g)
		if s := stillToCome(event); s != "" {
			p.line(4, p.paint(red, s))
		}
		if c := withChain(event); c != nil {
			p.printf("\n")
			p.line(4, "what "+c.Prefix+" waited for")
			p.waits(c.Chain, c.verdict())
		}
	}
}

// withChain is the row of an event that has a chain; nil: none.
func withChain(event []Convergence) *Convergence {
	for i := range event {
		if len(event[i].Chain) > 0 {
			return &event[i]
		}
	}
	return nil
}

// verdict says whether the waits of c explain how long it took.
func (c *Convergence) verdict() string {
	if sum := total(c.Chain); sum != c.Seconds {
		return fmt.Sprintf("≠ %s s until the last change: %s s are not explained", c.Seconds, c.Seconds-sum)
	}
	return fmt.Sprintf("= the time until the last change, to the nanosecond (%s s)", c.Seconds)
}

// ending says how routing stands: always where routes are what is looked at, and
// elsewhere when it has not come to rest.
func (p *page) ending(doc Document, show []string) {
	asked := slices.Contains(show, "convergence")
	switch doc.Ending.State {
	case "":
	case AtRest:
		if asked {
			p.printf("\n")
			p.line(2, p.paint(green, doc.Ending.Text))
		}
	default:
		indent := 0
		if asked {
			indent = 2
		}
		p.printf("\n")
		p.line(indent, p.paint(red, doc.Ending.Text))
	}
}

func (m *sheet) ending() {
	switch doc := &m.doc; {
	case doc.Ending.State == "", doc.Ending.State == AtRest && len(doc.Probes) > 0:
	default:
		m.printf("**%s**\n\n", doc.Ending.Text)
	}
}

func (m *sheet) convergence() {
	for _, event := range append(Events(m.doc.BringUp), Events(m.doc.Convergence)...) {
		m.printf("#### %s s: %s\n\n", event[0].AtS.Fixed(3), event[0].Event)
		if len(event) == 1 && event[0].quiet() {
			m.printf("No route changed, and nothing was announced or withdrawn.\n\n")
			continue
		}
		m.table(m.doc.columns([][]string{convergenceHead})[0], m.doc.columns(reactionLines(event)))
		if s := stillToCome(event); s != "" {
			m.printf("%s\n\n", s)
		}
		if c := withChain(event); c != nil {
			m.printf("What %s waited for:\n\n", c.Prefix)
			m.waits(c.Chain, c.verdict())
		}
	}
}
