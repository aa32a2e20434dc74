package report

// What a graph of ASes has to show beside how it converged: that it is one, and
// how far the prefixes are known.

import (
	"fmt"
	"strconv"
	"strings"
)

// scope says what was simulated, and what was not.
func (x *Internet) scope() string {
	return fmt.Sprintf("control plane only: %s ASes and %s links, without packets, keepalives and forwarding tables; %s events",
		thousands(x.ASes), thousands(x.Links), thousands(x.Events))
}

// said is one prefix in words.
func (r *Reach) said(ases int) string {
	s := fmt.Sprintf("%s: %s of %s ASes have a route at the end, %s paths are known", r.Prefix, thousands(r.Reached), thousands(ases), thousands(r.Paths))
	if r.Reached == 0 {
		return s
	}
	var list []string
	for d, n := range r.Distances {
		if n > 0 {
			list = append(list, fmt.Sprintf("%d: %s", d, thousands(n)))
		}
	}
	return s + "; by the length of their path: " + strings.Join(list, ", ")
}

// thousands writes 70000 as 70,000.
func thousands[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func (p *page) internet(doc Document) {
	if doc.Internet == nil {
		return
	}
	p.line(0, doc.Internet.scope())
}

func (p *page) reach(doc Document) {
	if doc.Internet == nil {
		return
	}
	p.printf("\n")
	for i := range doc.Internet.Reach {
		p.line(0, doc.Internet.Reach[i].said(doc.Internet.ASes))
	}
}

func (m *sheet) internet() {
	if m.doc.Internet == nil {
		return
	}
	m.printf("%s\n\n", m.doc.Internet.scope())
	for i := range m.doc.Internet.Reach {
		m.printf("%s\n\n", m.doc.Internet.Reach[i].said(m.doc.Internet.ASes))
	}
}
