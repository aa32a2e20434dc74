package report

// What became of forwarding between two addresses, interval by interval: in one
// line where other things are asked for, in a table when this is.

import (
	"fmt"
	"strings"
)

// stateTitles are the states as people call them, in the order in which they are
// told: what one hopes for first.
var stateTitles = []struct{ name, title string }{
	{"ok", "ok"}, {"asymmetric", "asymmetric"}, {"stale_return_path", "stale return path"}, {"black_hole", "black hole"}, {"loop", "loop"},
}

func stateTitle(name string) string {
	for _, s := range stateTitles {
		if s.name == name {
			return s.title
		}
	}
	return name
}

// of is how long and how often a state was.
func (f *Forwarding) of(state string) (Seconds, int) {
	s, c := &f.Seconds, &f.Count
	switch state {
	case "ok":
		return s.OK, c.OK
	case "asymmetric":
		return s.Asymmetric, c.Asymmetric
	case "stale_return_path":
		return s.StaleReturnPath, c.StaleReturnPath
	case "black_hole":
		return s.BlackHole, c.BlackHole
	}
	return s.Loop, c.Loop
}

func (f *Forwarding) pair() string { return f.From + " → " + f.To }

// pairIn is the same with the addresses, if the document has another pair of these
// names: hosts with an address of each family.
func (f *Forwarding) pairIn(doc *Document) string {
	for i := range doc.Forwarding {
		if g := &doc.Forwarding[i]; g != f && g.From == f.From && g.To == f.To {
			return f.pair() + " (" + dash(f.FromAddress) + " → " + f.ToAddress + ")"
		}
	}
	return f.pair()
}

// exactly is a duration that may be of milliseconds or of hours.
func exactly(s Seconds) string {
	if s > 0 && s < 1e6 {
		return s.String() + " s"
	}
	return s.Fixed(3) + " s"
}

// states are those that a pair was in, as "ok 271.100 s", the usual one first.
func (f *Forwarding) states() []string {
	var list []string
	for _, s := range stateTitles {
		took, times := f.of(s.name)
		if times == 0 {
			continue
		}
		text := s.title + " " + exactly(took)
		if times > 1 {
			text += fmt.Sprintf(" (%d times)", times)
		}
		list = append(list, text)
	}
	return list
}

// shownPairs get a line where forwarding was not asked for.
const shownPairs = 10

// forwardingLines are one line for each pair.
func forwardingLines(doc Document) []string {
	var lines []string
	for i := range doc.Forwarding {
		f := &doc.Forwarding[i]
		if i == shownPairs {
			return append(lines, fmt.Sprintf("… and %s more", count(len(doc.Forwarding)-i, "pair", "pairs")))
		}
		if states := f.states(); len(states) > 0 {
			lines = append(lines, "forwarding "+f.pairIn(&doc)+": "+strings.Join(states, ", "))
		}
	}
	return lines
}

func (p *page) forwardingSummary(doc Document) {
	lines := forwardingLines(doc)
	if len(lines) > 0 {
		p.printf("\n")
	}
	for _, l := range lines {
		p.line(0, l)
	}
}

// shownIntervals of a pair are listed unless all are asked for.
const shownIntervals = 30

func (p *page) forwarding(doc Document) {
	if len(doc.Forwarding) == 0 {
		p.line(0, "no pair of addresses was watched (--watch vm,ec2, or watch: in the scenario)")
		return
	}
	for i := range doc.Forwarding {
		f := &doc.Forwarding[i]
		if i > 0 {
			p.printf("\n")
		}
		head := "forwarding " + f.pair()
		if f.FromAddress != f.From || f.ToAddress != f.To {
			head += fmt.Sprintf(" (%s → %s)", dash(f.FromAddress), f.ToAddress)
		}
		p.line(0, p.paint(bold, head))
		if f.OneWay {
			p.line(2, f.From+" announces nothing that a reply could be sent to: only requests are followed")
		}
		g := grid{head: []string{"", "", ""}, right: []int{1, 2}}
		for _, s := range stateTitles {
			if took, times := f.of(s.name); times > 0 {
				g.add(s.title, exactly(took), count(times, "time", "times"))
			}
		}
		if f.Count.Lost > 0 {
			g.add("lost", exactly(f.Seconds.Lost), count(f.Count.Lost, "time", "times"))
		}
		p.grid(2, g)
		p.printf("\n")
		p.intervals(f)
		if doc.Kind == "explain" {
			p.explained(f)
		}
	}
}

// shownExplained intervals of a pair are explained on a page; JSON has more.
const shownExplained = 12

// explained says of each interval that is neither ok nor asymmetric by which
// entries of which tables it was so, and what it took to end it.
func (p *page) explained(f *Forwarding) {
	shown, left := 0, 0
	for i := range f.Intervals {
		v := &f.Intervals[i]
		if v.State == "ok" || v.State == "asymmetric" {
			continue
		}
		if shown == shownExplained || len(v.Chain) == 0 {
			left++
			continue
		}
		shown++
		length := v.EndS - v.StartS
		head := v.StartS.Fixed(3) + " s   " + stateTitle(v.State) + " for " + exactly(length)
		if !f.OneWay {
			head += ", " + map[string]string{"request": "request only", "reply": "reply only", "both": "both directions"}[v.Direction]
		}
		if v.State == "stale_return_path" && !v.Lost {
			head += ", still works"
		}
		p.printf("\n")
		p.line(2, p.paint(bold, head))
		p.line(4, v.Where+": "+v.Why)
		for _, e := range v.Entries {
			p.line(4, e.text())
		}
		p.line(4, "what it waited for")
		verdict := "to the end of the run"
		if v.Chain[0].Parameter != "for" {
			verdict = fmt.Sprintf("= the %s, to the nanosecond (%s s)", stateTitle(v.State), length)
			if sum := total(v.Chain); sum != length {
				verdict = fmt.Sprintf("≠ %s s: %s s are not explained", length, length-sum)
			}
		}
		p.waits(v.Chain, verdict)
	}
	if left > 0 {
		p.printf("\n")
		p.line(2, fmt.Sprintf("… and %d more", left))
	}
}

// text says what a table said.
func (e TableEntry) text() string {
	table := "the forwarding table"
	if e.Table == "route_table" {
		table = "the route table"
	}
	if e.Prefix == "" {
		return fmt.Sprintf("at %s, %s has no entry since %s s: %s", e.Router, table, e.SinceS.Fixed(3), e.Because)
	}
	return fmt.Sprintf("at %s, %s says %s by %s since %s s: %s", e.Router, table, e.Prefix, e.Link, e.SinceS.Fixed(3), e.Because)
}

func (p *page) intervals(f *Forwarding) {
	g := grid{head: []string{"from", "lasts", "state", "direction", "request", "reply", "where and why", "began with"}, right: []int{0, 1}}
	for i := range f.Intervals {
		if i == shownIntervals && !p.opt.All {
			break
		}
		g.add(intervalCells(&f.Intervals[i], f.OneWay)...)
		if row := g.rows[len(g.rows)-1]; f.Intervals[i].Lost {
			row[2] = p.paint(red, row[2])
		}
	}
	p.grid(2, g)
	if n := len(f.Intervals) - len(g.rows); n > 0 {
		p.line(2, fmt.Sprintf("… and %d more (--all)", n))
	}
}

func intervalCells(v *ForwardingInterval, oneWay bool) []string {
	direction := v.Direction
	if v.State == "ok" || v.State == "asymmetric" || oneWay {
		direction = ""
	}
	state := stateTitle(v.State)
	if v.State == "stale_return_path" && !v.Lost {
		state += ", still works"
	}
	where := v.Where
	if v.Why != "" {
		where += ": " + v.Why
	}
	reply := strings.Join(v.PathReply, " ")
	if oneWay {
		reply = "–"
	}
	return []string{v.StartS.Fixed(3) + " s", exactly(v.EndS - v.StartS), state, direction, dash(strings.Join(v.PathRequest, " ")), dash(reply), where, v.Because}
}

func (m *sheet) forwarding() {
	if len(m.doc.Forwarding) == 0 {
		return
	}
	head := []string{"forwarding"}
	for _, s := range stateTitles {
		head = append(head, s.title)
	}
	var rows [][]string
	for i := range m.doc.Forwarding {
		f := &m.doc.Forwarding[i]
		if i == shownPairs {
			rows = append(rows, []string{fmt.Sprintf("… and %d more", len(m.doc.Forwarding)-i), "", "", "", "", ""})
			break
		}
		row := []string{f.pairIn(&m.doc)}
		for _, s := range stateTitles {
			took, times := f.of(s.name)
			cell := "–"
			if times > 0 {
				cell = exactly(took)
			}
			if times > 1 {
				cell += fmt.Sprintf(" (%d times)", times)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	m.table(head, rows)
}
