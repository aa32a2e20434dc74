package report

// An outage under the magnifying glass: its waits as steps, one row each, on an
// axis of their own. A wait that had begun before the outage did, as a hold
// timer's has, is hatched up to where it began to hurt.

import (
	"fmt"
	"strings"
)

// outages draws the panels; axis is where the lines of the glass start.
func (p *picture) outages(axis float64) {
	shown := 0
	rest := 0
	for _, g := range p.doc.Gaps {
		switch {
		case byChance(g):
		case shown == panels:
			rest++
		default:
			p.outage(g, axis, shown == 0)
			shown++
		}
	}
	if rest > 0 {
		p.y += 16
		p.text("sub", svgLeft, p.y, count(rest, "more outage", "more outages"))
	}
}

func (p *picture) outage(g Gap, axis float64, first bool) {
	pr, _ := probeOf(p.doc, g.Probe)
	a, b := g.StartS, g.EndS
	for _, c := range g.Chain {
		if c.SinceS < a {
			a = c.SinceS
		}
	}
	// A wait that began long ago must not press the outage itself into a corner.
	a = max(a, g.StartS-g.OutageS)
	if b <= a {
		b = a + 1
	}
	at := func(t Seconds) float64 { return place(t, a, b) }

	p.y += 30
	name := fmt.Sprintf("gap %d", g.N)
	if len(p.doc.Probes) > 1 {
		name += " of " + g.Probe
	}
	head := p.y
	top := p.y + 24
	rows := max(len(g.Chain), 1)
	bottom := top + float64(rows)*rowStep + 4
	if first {
		// The lines of the glass: from the outage on the axis to its picture.
		p.raw(fmt.Sprintf(`<path class="glass" d="M%s %sL%s %sL%s %sL%s %sz"/>`,
			num(p.x(g.StartS)), num(axis), num(p.x(g.EndS)), num(axis), num(at(g.EndS)), num(top-6), num(at(g.StartS)), num(top-6)))
	}
	p.text("e b r", svgLeft-10, head+1, fit(name, 11, svgLeft-34))
	s := strings.ReplaceAll(numbers(g, pr)+"   "+lengths(g), "   ", " · ")
	p.text("b r h", svgLeft+4, head+1, fit(s, 11, svgRight-svgLeft-8))
	if g.Cause != "" {
		p.text("sub h", svgLeft+4, head+15, fit("began: "+g.Cause, 11, svgRight-svgLeft-8))
	}

	instants, decimals := ticks(a, b, 12)
	for _, t := range instants {
		p.line("grid", at(t), top-6, at(t), bottom)
	}
	p.rect("gap", at(g.StartS), top-6, at(g.EndS)-at(g.StartS), bottom-top+6, "")
	took, _ := shares(g.Chain)
	y := top
	for i, c := range g.Chain {
		p.wait(c, took[i], at, y)
		if i+1 < len(g.Chain) {
			p.line("step", at(c.EndS), y+rowHeight, at(c.EndS), y+rowStep)
		}
		y += rowStep
	}
	if len(g.Chain) == 0 {
		p.text("sub", svgLeft+8, y+13, "no chain was recorded")
	}
	p.line("axis", svgLeft, bottom, svgRight, bottom)
	for _, t := range instants {
		p.line("axis", at(t), bottom, at(t), bottom+4)
		p.text("m n", at(t), bottom+16, t.Fixed(decimals))
	}
	p.text("e sub", svgLeft-26, bottom+16, "seconds")
	p.y = bottom + 18
}

// wait draws one step and its words: on the bar when they fit, else on the side
// where there is room.
func (p *picture) wait(c Wait, took string, at func(Seconds) float64, y float64) {
	p.text("e n", svgLeft-10, y+13, fit(c.Node+" · "+took, 11, svgLeft-34))
	words := c.What
	if s := setting(c); s != "" {
		words += ": " + s
	}
	title := words
	for _, s := range asides(c) {
		title += "; " + s
	}
	if c.Source != "" {
		title += "; " + c.Source
	}
	if d := c.Drawn; d != nil {
		title += "; " + d.Parameter + " = " + d.Value + "; " + d.Source
	}
	x, end := at(c.StartS), at(c.EndS)
	left := x
	if c.SinceS < c.StartS && at(c.SinceS) < x {
		left = at(c.SinceS)
		p.rect("since", left, y, x-left, rowHeight, since(c))
	}
	w := max(end-x, 2)
	if x+w > svgRight {
		x = svgRight - w
	}
	p.rect("wait", x, y, w, rowHeight, title)
	const size = 11.0
	need := textWidth(words, size)
	switch {
	case need+16 <= w:
		p.text("w b", x+8, y+13, words)
	case svgRight-x-w >= left-svgLeft:
		p.text("h", x+w+6, y+13, fit(words, size, svgRight-x-w-8))
	default:
		p.text("e h", left-6, y+13, fit(words, size, left-svgLeft-8))
	}
}
