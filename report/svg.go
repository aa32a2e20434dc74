package report

// The timeline picture. One time axis for everything: tunnels and sessions on
// top, then which way each router sends, then whether a probe would get
// through, then the probes; what the story did crosses all of it as a line.
// Below, every outage once more under a magnifying glass, with its chain of
// waits as steps.
//
// Colour is never the only sign, so that the picture survives a black and white
// printer: up is solid, under way is hatched, down is an empty dashed box, a
// lost probe is a small mark where an answered one is a tall bar.

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	svgWidth  = 1280.0
	svgLeft   = 196.0 // where time begins; labels stand to the left of it
	svgRight  = 1252.0
	rowHeight = 18.0
	rowStep   = 22.0
	panels    = 8 // outages under the glass
)

const svgStyle = `<style>
text{font-family:"DejaVu Sans",Verdana,"Segoe UI",Helvetica,Arial,sans-serif;font-size:11px;fill:#1f2933}
.title{font-size:19px;font-weight:bold}.sub{fill:#52606d}.head{font-size:11px;font-weight:bold;fill:#52606d}
.e{text-anchor:end}.m{text-anchor:middle}.b{font-weight:bold}.w{fill:#fff}.n{font-variant-numeric:tabular-nums}
.paper{fill:#fff}.band{fill:#f5f7fa}.grid{stroke:#d9dfe5;stroke-width:1}.axis{stroke:#52606d;stroke-width:1}
.up{fill:#23705a}.pending{fill:url(#hatch);stroke:#96620d;stroke-width:1}.down{fill:#fff;stroke:#b42318;stroke-width:1.2;stroke-dasharray:4 2}
.via0{fill:#cfe1f7;stroke:#33689e}.via1{fill:#fbe3a7;stroke:#8f6508}.via2{fill:#dfd6f5;stroke:#5f4b99}.via3{fill:#cfeacb;stroke:#3a7a33}.via4{fill:#f6d3df;stroke:#9b3560}
.h{paint-order:stroke;stroke:#fff;stroke-width:3.5px;stroke-linejoin:round}.gap{fill:#b42318;fill-opacity:.09}.edge{stroke:#b42318;stroke-width:1;stroke-dasharray:2 2}.glass{stroke:#b42318;stroke-width:1;stroke-opacity:.5;fill:#b42318;fill-opacity:.04}
.bracket{stroke:#b42318;stroke-width:2;fill:none}.r{fill:#8f1d14}.fault{stroke:#1f2933;stroke-width:1.3;stroke-dasharray:6 3}.flag{fill:#1f2933}
.ok{fill:#23705a}.lost{fill:#b42318}.wait{fill:#2f5d8c}.since{fill:url(#before);stroke:#2f5d8c;stroke-width:1}.step{stroke:#52606d;stroke-width:1;stroke-dasharray:2 2}
</style>
<defs>
<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#fff4d9"/><rect width="2" height="6" fill="#c98a1b"/></pattern>
<pattern id="before" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="5" height="5" fill="#fff"/><rect width="1.5" height="5" fill="#2f5d8c"/></pattern>
</defs>`

// picture is the drawing in progress: y is where the next thing goes.
type picture struct {
	pen
	doc  Document
	end  Seconds
	y    float64
	vias []string // the ways out in the order of their appearance: one tone each
}

// SVG draws doc.
func SVG(w io.Writer, doc Document) error {
	p := &picture{doc: rewrite(doc, oneLine)}
	p.end = lastInstant(p.doc)
	body := p.draw()
	var out pen
	out.raw(fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%s" height="%s" viewBox="0 0 %s %s">`,
		num(svgWidth), num(p.y), num(svgWidth), num(p.y)))
	out.raw("<title>" + esc(title(p.doc)) + "</title>")
	out.raw("<desc>" + esc(provenance(p.doc)+". "+summary(p.doc)) + "</desc>")
	out.raw(svgStyle)
	out.rect("paper", 0, 0, svgWidth, p.y, "")
	out.b.WriteString(body)
	out.raw("</svg>")
	_, err := io.WriteString(w, out.b.String())
	return err
}

// x is where an instant of the run lies.
func (p *picture) x(t Seconds) float64 { return place(t, 0, p.end) }

// place maps t in [a, b] onto the width of the picture.
func place(t, a, b Seconds) float64 {
	t = min(max(t, a), b)
	return svgLeft + float64(t-a)/float64(b-a)*(svgRight-svgLeft)
}

// draw returns the body and leaves the height of the picture in p.y.
func (p *picture) draw() string {
	p.text("title", 24, 34, fit(title(p.doc), 19, svgWidth-48))
	p.text("sub", 24, 54, fit(provenance(p.doc), 11, svgWidth-48))
	p.text("b", 24, 72, fit(summary(p.doc), 11, svgWidth-48))
	p.y = 84
	flags := p.flags()
	top := p.y
	rows := p.takeBody(p.rows)
	bottom := p.y

	// What lies behind the rows is drawn first: the grid, then the outages.
	at, decimals := ticks(0, p.end, 16)
	for _, t := range at {
		p.line("grid", p.x(t), top, p.x(t), bottom)
	}
	for _, g := range p.doc.Gaps {
		if !byChance(g) {
			p.rect("gap", p.x(g.StartS), top, p.x(g.EndS)-p.x(g.StartS), bottom-top, "gap "+fmt.Sprint(g.N))
		}
	}
	p.b.WriteString(rows)
	for _, g := range p.doc.Gaps {
		if !byChance(g) {
			p.line("edge", p.x(g.StartS), top, p.x(g.StartS), bottom)
			p.line("edge", p.x(g.EndS), top, p.x(g.EndS), bottom)
		}
	}
	for _, f := range p.doc.Story {
		p.line("fault", p.x(f.AtS), top-4, p.x(f.AtS), bottom)
	}
	p.b.WriteString(flags)

	p.line("axis", svgLeft, bottom, svgRight, bottom)
	for _, t := range at {
		p.line("axis", p.x(t), bottom, p.x(t), bottom+4)
		p.text("m n", p.x(t), bottom+16, t.Fixed(decimals))
	}
	p.text("e sub", svgLeft-26, bottom+16, "seconds")
	p.y = bottom + 24
	p.outages(bottom)
	p.legend()
	return p.b.String()
}

// takeBody runs a drawing function and takes what it drew off the paper, so
// that it can be put on top of something else.
func (p *picture) takeBody(f func()) string {
	before := p.b.String()
	p.b.Reset()
	f()
	drawn := p.b.String()
	p.b.Reset()
	p.b.WriteString(before)
	return drawn
}

// summary is the run in a line.
func summary(doc Document) string {
	var parts []string
	for _, pr := range doc.Probes {
		name := ""
		if len(doc.Probes) > 1 {
			name = pr.Name + ": "
		}
		parts = append(parts, fmt.Sprintf("%s%s → %s, %d sent, %d lost", name, pr.From, pr.To, pr.Sent, pr.Lost))
	}
	if len(parts) == 0 {
		parts = append(parts, "no probe was sent")
	}
	longest := Gap{}
	n := 0
	for _, g := range doc.Gaps {
		if byChance(g) {
			continue
		}
		n++
		if g.OutageS > longest.OutageS {
			longest = g
		}
	}
	switch n {
	case 0:
		parts = append(parts, "no outage")
	case 1:
		parts = append(parts, "outage "+longest.OutageS.Fixed(3)+" s")
	default:
		parts = append(parts, fmt.Sprintf("%d outages, the longest %s s", n, longest.OutageS.Fixed(3)))
	}
	return strings.Join(parts, "; ")
}

// flags names the faults above their lines. Labels that would overlap go to
// different levels; when there are too many for that, the line alone remains,
// and the pointer finds its name.
func (p *picture) flags() string {
	const levels, step = 6, 17.0
	type label struct {
		x, from, to float64
		level       int
		text, class string
		title       string
	}
	var labels []label
	free := make([]float64, levels) // where each level is taken up to
	used := 0
	for _, f := range p.doc.Story {
		x := p.x(f.AtS)
		s := f.AtS.Fixed(1) + " s: " + f.What
		s = fit(s, 11, (svgRight-svgLeft)*0.6)
		l := label{x: x, text: s, title: f.AtS.String() + " s: " + f.What, class: "n h", level: -1}
		l.from, l.to = x-2, x+12+textWidth(s, 11)
		if l.to > svgRight+20 {
			l.class = "n h e"
			l.from, l.to = x-12-textWidth(s, 11), x+2
		}
		for i := range free {
			if l.from > free[i] {
				l.level, free[i] = i, l.to+8
				used = max(used, i+1)
				break
			}
		}
		labels = append(labels, l)
	}
	height := float64(used)*step + 10
	// The earliest stands on top: a line then passes to the left of the labels
	// below it instead of through them.
	drawn := p.takeBody(func() {
		for _, l := range labels {
			if l.level >= 0 {
				p.line("fault", l.x, p.y+float64(l.level)*step+6, l.x, p.y+height)
			}
		}
		for _, l := range labels {
			if l.level < 0 {
				continue
			}
			y := p.y + float64(l.level)*step
			p.raw(fmt.Sprintf(`<path class="flag" d="M%s %sl6 6l-6 6l-6 -6z"><title>%s</title></path>`, num(l.x), num(y), esc(l.title)))
			if strings.HasSuffix(l.class, " e") {
				p.text(l.class, l.x-10, y+10, l.text)
			} else {
				p.text(l.class, l.x+10, y+10, l.text)
			}
		}
	})
	p.y += height
	return drawn
}

// rows draws every lane and the probes.
func (p *picture) rows() {
	for _, k := range laneKinds {
		ls := lanes(p.doc, k.kind, p.end)
		if len(ls) == 0 {
			continue
		}
		p.section(k.title)
		for _, l := range ls {
			p.row(l)
		}
		p.y += 4
	}
	for i, pr := range p.doc.Probes {
		if i == 0 {
			p.section("probes sent")
		}
		p.probes(pr)
	}
	p.y += 4
}

func (p *picture) section(title string) {
	p.y += 15
	p.text("head", 24, p.y-3, title)
}

func (p *picture) row(l lane) {
	label := l.node
	switch {
	case l.node == "" && l.kind == "tunnel": // no end's, but the wire's between them
		label = "path of " + l.link
	case l.link != "":
		label += " · " + l.link
	}
	if l.kind == "forwarding" && len(p.doc.Probes) == 1 {
		label = l.link
	}
	p.text("e", svgLeft-10, p.y+13, fit(label, 11, svgLeft-34))
	for _, s := range l.spans {
		x, w := p.x(s.from), p.x(s.to)-p.x(s.from)
		class, ink := p.look(l.kind, s.state)
		why := ""
		if s.why != "" {
			why = ": " + s.why
		}
		p.rect(class, x, p.y, max(w, 1), rowHeight, fmt.Sprintf("%s: %s from %s s to %s s%s", label, s.state, s.from, s.to, why))
		caption := fit(s.state, 11, w-12)
		if caption == "" {
			continue
		}
		p.text(ink, x+5, p.y+13, caption)
	}
	p.y += rowStep
}

// look is how a state is drawn: the class of its box and of the ink on it.
func (p *picture) look(kind, state string) (box, ink string) {
	switch kind {
	case "route", "fib", "table":
		if state == "none" {
			return "down", "r"
		}
		i := slices.Index(p.vias, state)
		if i < 0 {
			i = len(p.vias)
			p.vias = append(p.vias, state)
		}
		return fmt.Sprintf("via%d", i%5), "b"
	}
	switch state {
	case "Established", "Up", "up", "path up", "ok":
		return "up", "w"
	case "Idle", "AdminDown", "Down", "absent", "down", "lost", "black hole", "loop", "stale return path, lost":
		return "down", "r"
	}
	return "pending", "b h"
}

// probes draws one cell per probe; where the cells would be thinner than a
// pixel, one per pixel, lost when any of its probes was.
func (p *picture) probes(pr Probe) {
	label := pr.Name
	p.text("e", svgLeft-10, p.y+13, fit(label, 11, svgLeft-34))
	type cell struct {
		x    float64
		lost bool
	}
	var cells []cell
	for _, e := range pr.Echoes {
		c := cell{p.x(e.SentS), e.RTTNs <= 0}
		if n := len(cells); n > 0 && c.x-cells[n-1].x < 1 {
			cells[n-1].lost = cells[n-1].lost || c.lost
			continue
		}
		cells = append(cells, c)
	}
	if len(cells) == 0 {
		p.y += rowStep
		return
	}
	pitch := (svgRight - svgLeft) / float64(len(cells))
	if n := len(cells); n > 1 {
		pitch = (cells[n-1].x - cells[0].x) / float64(n-1)
	}
	w := min(max(pitch*0.72, 0.8), 10)
	var ok, lost strings.Builder
	for _, c := range cells {
		if c.lost {
			fmt.Fprintf(&lost, "M%s %sh%sv4h-%sz", num(c.x-w/2), num(p.y+7), num(w), num(w))
		} else {
			fmt.Fprintf(&ok, "M%s %sh%sv%sh-%sz", num(c.x-w/2), num(p.y), num(w), num(rowHeight), num(w))
		}
	}
	if ok.Len() > 0 {
		p.raw(`<path class="ok" d="` + ok.String() + `"/>`)
	}
	if lost.Len() > 0 {
		p.raw(`<path class="lost" d="` + lost.String() + `"/>`)
	}
	p.y += rowStep
}

// legend explains the signs.
func (p *picture) legend() {
	p.y += 16
	x := svgLeft
	item := func(width float64, draw func(x, y float64), s string) {
		draw(x, p.y)
		p.text("sub", x+width+6, p.y+10, s)
		x += width + 6 + textWidth(s, 11) + 18
	}
	box := func(class string) func(x, y float64) {
		return func(x, y float64) { p.rect(class, x, y, 22, 12, "") }
	}
	item(22, box("up"), "up")
	item(22, box("pending"), "under way")
	item(22, box("down"), "down")
	item(14, func(x, y float64) {
		p.rect("ok", x, y, 5, 12, "")
		p.rect("ok", x+8, y, 5, 12, "")
	}, "answered")
	item(14, func(x, y float64) {
		p.rect("lost", x, y+4, 5, 4, "")
		p.rect("lost", x+8, y+4, 5, 4, "")
	}, "lost")
	item(12, func(x, y float64) {
		p.raw(fmt.Sprintf(`<path class="flag" d="M%s %sl6 6l-6 6l-6 -6z"/>`, num(x+6), num(y)))
	}, "the story")
	item(22, box("gap"), "outage")
	p.y += 22
}
