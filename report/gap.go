package report

// A gap in text: the headline, what began it, both directions, the chain of
// waits whose lengths add up to the outage, what did not matter, and what to
// try. The same facts, in the same order, make the Markdown.

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

func (p *page) gaps(doc Document) {
	if len(doc.Gaps) == 0 {
		if len(doc.Probes) == 0 {
			p.line(0, "no gap: no probe was sent")
			return
		}
		p.line(0, p.paint(green, "no gap: every probe was answered, and a round trip would have succeeded at any instant"))
		return
	}
	first := true
	for _, g := range doc.Gaps {
		if byChance(g) {
			continue
		}
		if !first {
			p.printf("\n")
		}
		first = false
		p.gap(doc, g)
	}
	for _, pr := range doc.Probes {
		s := chance(doc, pr)
		if s == "" {
			continue
		}
		if !first {
			p.printf("\n")
		}
		first = false
		p.line(0, s)
	}
}

// byChance tells a gap that has no outage behind it.
func byChance(g Gap) bool { return g.OutageS == 0 && !g.Open && g.Lost > 0 }

// chance says in one sentence what a probe lost without an outage. Under a loss
// rate there may be hundreds of such gaps, and about none of them is there more
// to say.
func chance(doc Document, pr Probe) string {
	const named = 12
	var where []string
	lost := 0
	for _, g := range doc.Gaps {
		if g.Probe == pr.Name && byChance(g) {
			lost += g.Lost
			where = append(where, seqs(g.LastOKSeq+1, g.LastOKSeq+g.Lost))
		}
	}
	if lost == 0 {
		return ""
	}
	if n := len(where) - named; n > 0 {
		where = append(where[:named], fmt.Sprintf("and %d more", n))
	}
	s := count(lost, "probe", "probes") + " lost to chance (icmp_seq " + strings.Join(where, ", ") +
		"): no outage, a round trip would have succeeded throughout; the loss rate of a link, no timer, is to blame"
	if len(doc.Probes) > 1 {
		s = pr.Name + ": " + s
	}
	return s
}

func (p *page) gap(doc Document, g Gap) {
	pr, known := probeOf(doc, g.Probe)
	head := fmt.Sprintf("gap %d   %s   %s", g.N, numbers(g, pr), lengths(g))
	if len(doc.Probes) > 1 {
		head = fmt.Sprintf("gap %d   %s   %s   %s", g.N, g.Probe, numbers(g, pr), lengths(g))
	}
	p.line(0, p.paint(bold, head))
	if g.Cause != "" {
		p.line(2, "began    "+g.Cause)
	}
	there, back := "", ""
	if known {
		there, back = pr.FromHost+" → "+pr.ToHost, pr.ToHost+" → "+pr.FromHost
	}
	if g.Request != "" || g.Reply != "" {
		t := grid{head: []string{"", "", "", ""}, right: []int{2}}
		t.add("request", there, outOf(g.RequestOutageS), g.Request+p.blame(g, g.RequestOutageS, g.ReplyOutageS))
		t.add("reply", back, outOf(g.ReplyOutageS), g.Reply+p.blame(g, g.ReplyOutageS, g.RequestOutageS))
		p.grid(2, t)
		if g.OutageS > max(g.RequestOutageS, g.ReplyOutageS) {
			p.line(2, "neither direction alone is the gap: it lasts as long as either is out")
		}
	}
	if len(g.Chain) > 0 {
		p.printf("\n")
		p.line(2, "what it waited for")
		p.chain(g)
	}
	p.printf("\n")
	p.line(2, measures(g))
	if len(g.RuledOut) > 0 {
		p.printf("\n")
		p.line(2, "what did not matter")
		t := grid{head: []string{"", ""}}
		for _, r := range g.RuledOut {
			t.add(r.Parameter, r.Why)
		}
		p.grid(4, t)
	}
	better, worse := sortChanges(g)
	p.changes(g, "what to try (each is this run again, with one thing changed)", better, []string{"change", "outage", "instead", "lost", "takes away or shortens"})
	p.changes(g, "what would make it worse", worse, []string{"change", "outage", "instead", "lost", "changes"})
}

func (p *page) changes(g Gap, title string, list []Counterfactual, head []string) {
	if len(list) == 0 {
		return
	}
	p.printf("\n")
	p.line(2, title)
	t := grid{head: head, right: []int{1, 2, 3}}
	for _, c := range list {
		t.add(p.change(c), c.OutageS.Fixed(3)+" s", difference(c.OutageS-g.OutageS), fmt.Sprint(c.Lost), c.Removes)
	}
	p.grid(4, t)
}

// probeOf finds the probe that a gap was seen by.
func probeOf(doc Document, name string) (Probe, bool) {
	for _, pr := range doc.Probes {
		if pr.Name == name {
			return pr, true
		}
	}
	return Probe{}, false
}

// numbers says which probes a gap swallowed.
func numbers(g Gap, pr Probe) string {
	switch {
	case g.Lost == 0 && g.FirstOKSeq > 0 && g.LastOKSeq > 0:
		return fmt.Sprintf("between icmp_seq %d and %d, none lost", g.LastOKSeq, g.FirstOKSeq)
	case g.Lost == 0:
		return "no probe lost"
	}
	last := g.FirstOKSeq - 1
	if g.FirstOKSeq == 0 {
		if last = pr.Sent; last == 0 {
			last = g.LastOKSeq + g.Lost
		}
	}
	return fmt.Sprintf("icmp_seq %s, %d lost", seqs(g.LastOKSeq+1, last), g.Lost)
}

// lengths says how long the outage was, from when to when, which way.
func lengths(g Gap) string {
	end := g.EndS.Fixed(3) + " s"
	if g.Open {
		end = "not over at the end of the run (" + end + ")"
	}
	s := fmt.Sprintf("outage %s s   %s s → %s", g.OutageS.Fixed(3), g.StartS.Fixed(3), end)
	switch g.Direction {
	case "request", "reply":
		s += "   " + g.Direction + " path"
	case "both":
		s += "   both directions"
	case "":
	default:
		s += "   " + g.Direction
	}
	return s
}

func outOf(s Seconds) string {
	if s == 0 {
		return "never out"
	}
	return "out for " + s.Fixed(3) + " s"
}

// blame marks the direction that was broken for longer, if it was for as long as
// the gap: one that begins with the one and ends with the other is neither's.
func (p *page) blame(g Gap, this, other Seconds) string {
	if this > other && this >= g.OutageS {
		return p.paint(bold, "   ← this is the gap")
	}
	return ""
}

func difference(d Seconds) string {
	switch {
	case d < 0:
		return "−" + (-d).Fixed(3) + " s"
	case d > 0:
		return "+" + d.Fixed(3) + " s"
	}
	return "the same"
}

// chain is the table of waits with its sum.
func (p *page) chain(g Gap) { p.waits(g.Chain, sumVerdict(g)) }

// waits is a table of waits, and what is to be said of their sum.
func (p *page) waits(waits []Wait, verdict string) {
	t := grid{head: []string{"took", "at", "waiting for", "because of, and where that comes from"}, right: []int{0}}
	chain := fold(waits)
	took, decimals := shares(chain)
	widest := 0
	for i, c := range chain {
		what := c.What
		for _, s := range asides(c) {
			what += "\n" + p.paint(dim, s)
		}
		var why []string
		for _, r := range reasons(c) {
			if r[0] != "" {
				why = append(why, r[0])
			}
			if r[1] != "" {
				why = append(why, p.paint(dim, r[1]))
			}
		}
		t.add(took[i], c.Node, what, strings.Join(why, "\n"))
		widest = max(widest, len(took[i]))
	}
	sum := total(waits).Fixed(decimals) + " s"
	widest = max(widest, len(sum))
	t.add(strings.Repeat("─", widest), "", "", "")
	p.grid(4, t)
	// The verdict on the sum stands outside the table, so that it stretches no
	// column; took is the first, so its numbers still stand in one column.
	pad := strings.Repeat(" ", max(widest, len("took"))-len(sum))
	p.line(4, p.paint(bold, pad+sum)+"  "+verdict)
}

// shares are the lengths of the waits as printed. Not the lengths are rounded
// but the instants between them, so that what is printed adds up as well; and
// there are enough decimals for the shortest wait to be seen.
func shares(chain []Wait) (took []string, decimals int) {
	decimals = 3
	for _, c := range chain {
		switch d := c.EndS - c.StartS; {
		case d > 0 && d < 1_000:
			decimals = 9
		case d > 0 && d < 1_000_000:
			decimals = max(decimals, 6)
		}
	}
	unit := Seconds(1)
	for range 9 - decimals {
		unit *= 10
	}
	var at, shown Seconds
	for _, c := range chain {
		at += c.EndS - c.StartS
		now := (at + unit/2) / unit * unit
		took = append(took, (now-shown).Fixed(decimals)+" s")
		shown = now
	}
	return took, decimals
}

func total(chain []Wait) (sum Seconds) {
	for _, c := range chain {
		sum += c.EndS - c.StartS
	}
	return sum
}

// sumVerdict says whether the waits explain the outage, and does not hide it
// when they don't.
func sumVerdict(g Gap) string {
	if sum := total(g.Chain); sum != g.OutageS {
		return fmt.Sprintf("≠ the outage of %s s: %s s are not explained", g.OutageS, g.OutageS-sum)
	}
	if g.Open {
		return fmt.Sprintf("= the outage so far, to the nanosecond (%s s)", g.OutageS)
	}
	return fmt.Sprintf("= the outage, to the nanosecond (%s s)", g.OutageS)
}

// since says that a wait had begun before the outage did.
func since(c Wait) string {
	if c.SinceS >= c.StartS {
		return ""
	}
	return fmt.Sprintf("waiting since %s s, %s s before", c.SinceS.Fixed(3), (c.StartS - c.SinceS).Fixed(3))
}

// setting is what a wait's length depends on.
func setting(c Wait) string {
	switch {
	case c.Parameter == "":
		return c.Value
	case c.Value == "":
		return c.Parameter
	}
	return c.Parameter + " = " + c.Value
}

// measures explains why a gap has two lengths.
func measures(g Gap) string {
	switch {
	case g.Lost == 0:
		return fmt.Sprintf("two measures: no probe was lost, because none was under way; a round trip would have failed for %s s (exact, from forwarding state)", g.OutageS.Fixed(3))
	case g.LastOKSeq == 0 || g.FirstOKSeq == 0:
		side := "after"
		if g.LastOKSeq == 0 {
			side = "before"
		}
		return fmt.Sprintf("two measures: without an answer %s it ping sees no end to it; a round trip would have failed for %s s of the run (exact, from forwarding state)", side, g.OutageS.Fixed(3))
	}
	return fmt.Sprintf("two measures: ping sees %s s, from sending icmp_seq %d to sending %d; a round trip would have failed for %s s (exact, from forwarding state)",
		g.ProbeGapS.Fixed(3), g.LastOKSeq, g.FirstOKSeq, g.OutageS.Fixed(3))
}

// change puts the words about a change below it where there is no room for them
// beside it, so that the option can be copied in one piece.
func (p *page) change(c Counterfactual) string {
	switch {
	case c.Note == "":
		return c.Change
	case p.opt.Width > 0 && p.opt.Width < 120:
		return c.Change + "\n(" + c.Note + ")"
	}
	return c.Change + " (" + c.Note + ")"
}

// elsewhere says that a change does not do for the whole run what it does for one gap:
// a shorter outage may have longer ones beside it.
func (c *Counterfactual) elsewhere(g Gap) string {
	here, all := c.OutageS-g.OutageS, c.TotalS-g.TotalS
	switch {
	case g.TotalS == 0: // not known
	case here < 0 && all == 0:
		return fmt.Sprintf("but as much is lost in the whole run, %s s", c.TotalS.Fixed(3))
	case here < 0 && all > 0, here == 0 && all > 0, here > 0 && all <= 0:
		return fmt.Sprintf("but %s s are lost in the whole run, not %s s", c.TotalS.Fixed(3), g.TotalS.Fixed(3))
	}
	return ""
}

// sortChanges parts what would have helped, the best first, from what would
// have made it worse, there or in the whole run.
func sortChanges(g Gap) (better, worse []Counterfactual) {
	for _, c := range g.Counterfactuals {
		but := c.elsewhere(g)
		if but != "" {
			c.Note = strings.TrimPrefix(c.Note+"; "+but, "; ")
		}
		if c.OutageS > g.OutageS || but != "" {
			worse = append(worse, c)
		} else {
			better = append(better, c)
		}
	}
	for _, list := range [][]Counterfactual{better, worse} {
		slices.SortStableFunc(list, func(a, b Counterfactual) int { return cmp.Compare(a.OutageS, b.OutageS) })
	}
	return better, worse
}
