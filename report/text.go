package report

// The text that a person reads first. It opens like ping, because that is what
// the reader has seen in the real network; then every gap with what made it as
// long as it is; then whether the expectations held.

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/probe"
)

// Options of the text views. The zero value prints what is usual (ping and gaps)
// without colour and without wrapping.
type Options struct {
	Show  []string // of Views; none: ping and gaps, or without a probe convergence
	Color bool     // the caller knows whether there is a terminal and NO_COLOR
	ASCII bool     // the signs →, –, ✓, ▇ … in ASCII
	Width int      // columns of the page; 0: lines are as long as they are
	Ping  string   // arithmetic of the statistics: "iputils" (also "") or "centos7"
	All   bool     // every reply line, none left out
}

// Views are the names that Options.Show knows.
var Views = []string{"ping", "gaps", "forwarding", "convergence", "routes", "sessions", "timeline", "events"}

// Text writes doc for a person to read.
func Text(w io.Writer, doc Document, opt Options) error {
	style, err := probe.ParseStyle(opt.Ping)
	if err != nil {
		return err
	}
	show := opt.Show
	if len(show) == 0 {
		show = Usual(doc)
	}
	for _, s := range show {
		if !slices.Contains(Views, s) {
			return fmt.Errorf("nothing is called %q: show one or more of %s", s, strings.Join(Views, ", "))
		}
	}
	doc = rewrite(doc, oneLine)
	p := &page{opt: opt}
	if !slices.Contains(show, "ping") {
		p.line(0, p.paint(bold, title(doc)))
		p.line(0, p.paint(dim, provenance(doc)))
		p.internet(doc)
	}
	for _, s := range show {
		if p.buf.Len() > 0 {
			p.printf("\n")
		}
		switch s {
		case "ping":
			p.pings(doc, style)
		case "gaps":
			p.gaps(doc)
		case "forwarding":
			p.forwarding(doc)
		case "convergence":
			p.convergence(doc)
		case "routes":
			p.routes(doc)
		case "sessions":
			p.sessions(doc)
		case "timeline":
			p.moments("timeline", slices.DeleteFunc(slices.Clone(doc.Timeline), isMessage))
		case "events":
			p.moments("events", doc.Timeline)
		}
	}
	p.reach(doc)
	if doc.Kind != "explain" && !slices.Contains(show, "forwarding") && (slices.Contains(show, "gaps") || slices.Contains(show, "convergence")) {
		p.forwardingSummary(doc)
	}
	p.ending(doc, show)
	p.expectations(doc)
	p.assumptions(doc, doc.Kind == "explain" && slices.Contains(show, "forwarding"))
	_, err = w.Write(p.buf.Bytes())
	return err
}

// Usual is what is shown when nothing is asked for: what became of the pings, and
// where there are none, of the routes.
func Usual(doc Document) []string {
	if len(doc.Probes) == 0 && len(doc.Convergence)+len(doc.BringUp) > 0 {
		return []string{"convergence"}
	}
	return []string{"ping", "gaps"}
}

func isMessage(m Moment) bool { return m.Lane == "message" }

// title names what ran.
func title(doc Document) string {
	switch {
	case doc.Name != "":
		return doc.Name
	case doc.Scenario != "":
		return doc.Scenario
	}
	return "vpnsim " + doc.Kind
}

// provenance says that this was computed, and from what: with it the run can be
// repeated to the bit.
func provenance(doc Document) string {
	s := "simulated by vpnsim"
	if doc.Version != "" {
		s += " " + doc.Version
	}
	if doc.Scenario != "" {
		s += ": " + doc.Scenario
	}
	if doc.ScenarioSHA256 != "" {
		s += fmt.Sprintf(" (sha256 %.8s)", doc.ScenarioSHA256)
	}
	s += fmt.Sprintf(", seed %d", doc.Seed)
	for _, set := range doc.Sets {
		s += ", --set " + set
	}
	return s
}

func (p *page) expectations(doc Document) {
	if len(doc.Expectations) == 0 {
		return
	}
	held, many := 0, 0
	g := grid{head: []string{"", "", "", ""}}
	for _, e := range doc.Expectations {
		mark := p.paint(red, "✗")
		switch {
		case e.Many:
			many++
			mark = "·"
		case e.OK:
			held++
			mark = p.paint(green, "✓")
		}
		g.add(mark, e.Expr, e.Got, p.paint(dim, e.Source))
	}
	p.printf("\n%s\n", p.paint(bold, fmt.Sprintf("expectations: %d of %d held%s", held, len(doc.Expectations)-many, overMany(many))))
	p.grid(2, g)
}

// overMany says that there are expectations that one run cannot tell.
func overMany(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d over many runs", n)
}

// assumptions counts what nobody has documented and names those that stand in
// a chain: the others made no gap longer. forwarding: its chains are shown, too.
func (p *page) assumptions(doc Document, forwarding bool) {
	if len(doc.Assumptions) == 0 {
		return
	}
	inChain := map[string]bool{}
	for _, g := range doc.Gaps {
		for _, c := range g.Chain {
			inChain[c.Parameter] = true
			if c.Drawn != nil {
				inChain[c.Drawn.Parameter] = true
			}
		}
	}
	for _, f := range doc.Forwarding {
		for _, v := range f.Intervals {
			for _, c := range v.Chain {
				if forwarding {
					inChain[c.Parameter] = true
					if c.Drawn != nil {
						inChain[c.Drawn.Parameter] = true
					}
				}
			}
		}
	}
	g := grid{head: []string{"", ""}}
	for _, a := range doc.Assumptions {
		if inChain[a.Parameter] {
			g.add(a.Parameter+" = "+a.Value, a.Why)
		}
	}
	s := count(len(doc.Assumptions), "value is assumed", "values are assumed")
	if len(g.rows) > 0 {
		s += fmt.Sprintf(", %d of them in a chain above", len(g.rows))
	} else {
		s += ", none of them in a chain"
	}
	p.printf("\n")
	p.line(0, s+" (vpnsim check -v lists them)")
	if len(g.rows) > 0 {
		p.grid(2, g)
	}
}

// count says how many of what.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
