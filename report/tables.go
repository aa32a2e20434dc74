package report

// The tables of routers: routes as a cloud's console lists them (every row,
// also those that are not used), sessions, tunnels, and the timeline.

import (
	"fmt"
	"slices"
	"strconv"
)

// routes prints each router's tables. All rows of a prefix stand there, because
// the question that brings a reader here is why a route that is not the best
// one is listed at all.
func (p *page) routes(doc Document) {
	if len(doc.Routes) == 0 {
		p.line(0, "no routes")
		return
	}
	for i, t := range routeTables(doc.Routes) {
		if i > 0 {
			p.printf("\n")
		}
		p.line(0, p.paint(bold, t.title()))
		p.routeTable(t.rows)
	}
	p.line(0, p.paint(dim, legend(doc.Routes)))
}

// routeTable is one table of one router at one instant.
type routeTable struct {
	at     Seconds
	router string
	table  string
	rows   []Route
}

func (t routeTable) title() string {
	return fmt.Sprintf("%s, %s table at %s s", t.router, tableName(t.table), t.at)
}

// tableName is what a table is called by those who look at it.
func tableName(t string) string {
	switch t {
	case "bgp":
		return "BGP"
	case "fib":
		return "forwarding"
	case "vpc":
		return "cloud route"
	}
	return t
}

// routeTables groups rows, tables in the order of their first row.
func routeTables(rows []Route) []routeTable {
	var tables []routeTable
	for _, r := range rows {
		i := slices.IndexFunc(tables, func(t routeTable) bool {
			return t.at == r.AtS && t.router == r.Router && t.table == r.Table
		})
		if i < 0 {
			i = len(tables)
			tables = append(tables, routeTable{at: r.AtS, router: r.Router, table: r.Table})
		}
		tables[i].rows = append(tables[i].rows, r)
	}
	return tables
}

func (p *page) routeTable(rows []Route) {
	g := grid{}
	g.head, g.rows, g.right = routeCells(rows)
	for i, r := range rows {
		if r.Best {
			g.rows[i][0] = p.paint(green, g.rows[i][0])
		}
	}
	p.grid(2, g)
}

// routeCells are the columns that say something about these rows: a forwarding
// table has no AS path.
func routeCells(rows []Route) (head []string, cells [][]string, right []int) {
	bgp := slices.ContainsFunc(rows, func(r Route) bool { return r.Table == "bgp" || r.ASPath != "" })
	head = []string{"", "prefix", "next hop", "via"}
	if bgp {
		head = append(head, "local_pref", "med", "as_path", "origin")
		right = []int{4, 5}
	}
	head = append(head, "verdict")
	for _, r := range rows {
		row := []string{marks(r), r.Prefix, dash(r.NextHop), dash(r.Link)}
		if bgp {
			med, pref := "–", "–"
			if r.MED >= 0 {
				med = strconv.FormatInt(r.MED, 10)
			}
			if r.LocalPref > 0 {
				pref = strconv.FormatInt(r.LocalPref, 10)
			}
			row = append(row, pref, med, dash(r.ASPath), dash(r.Origin))
		}
		cells = append(cells, append(row, r.Verdict))
	}
	return head, cells, right
}

func marks(r Route) string {
	m := []byte("  ")
	if r.Used {
		m[0] = '*'
	}
	if r.Best {
		m[1] = '>'
	}
	if r.Stale != nil && r.Stale.Here {
		m = append(m, 's')
	}
	return string(m)
}

// legend says what the marks of rows mean.
func legend(rows []Route) string {
	s := "> best path   * used for forwarding"
	if slices.ContainsFunc(rows, func(r Route) bool { return len(marks(r)) > 2 }) {
		s += "   s stale: kept although the session that told it has ended"
	}
	return s
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func (p *page) sessions(doc Document) {
	if len(doc.Sessions)+len(doc.Tunnels) == 0 {
		p.line(0, "no BGP session and no tunnel")
		return
	}
	if len(doc.Sessions) > 0 {
		p.line(0, p.paint(bold, fmt.Sprintf("BGP sessions at %s s, as each end sees them", doc.EndS)))
		g := grid{head: []string{"router", "peer", "over", "state", "since", "hold", "keepalive", "hold comes from"}, right: []int{4, 5, 6}}
		for _, s := range doc.Sessions {
			hold, keepalive := "–", "–"
			if s.HoldS > 0 {
				hold = s.HoldS.String() + " s"
			}
			if s.KeepaliveS > 0 {
				keepalive = s.KeepaliveS.String() + " s"
			}
			state := s.State
			if s.BFD != nil && s.BFD.Awaited {
				state += ", waits for BFD"
			}
			g.add(s.Router, s.Peer, s.Link, state, s.SinceS.Fixed(3)+" s", hold, keepalive, s.HoldFrom)
		}
		p.grid(2, g)
	}
	p.bfd(doc)
	if len(doc.Tunnels) > 0 {
		if len(doc.Sessions) > 0 {
			p.printf("\n")
		}
		p.line(0, p.paint(bold, fmt.Sprintf("tunnels at %s s, as each end sees them", doc.EndS)))
		g := grid{head: []string{"router", "tunnel", "state", "since"}, right: []int{3}}
		for _, t := range doc.Tunnels {
			g.add(t.Router, t.Link, t.State, t.SinceS.Fixed(3)+" s")
		}
		p.grid(2, g)
	}
	p.histories(doc)
}

// bfd lists what watches the paths of the sessions, if anything does.
func (p *page) bfd(doc Document) {
	g := grid{head: []string{"router", "over", "state", "since", "sends every", "detects in", "detection time comes from"}, right: []int{3, 4, 5}}
	for _, s := range doc.Sessions {
		if s.BFD == nil {
			continue
		}
		b, detects := s.BFD, "–"
		if b.DetectionS > 0 {
			detects = b.DetectionS.String() + " s"
		}
		from := b.DetectionFrom
		if from == "" {
			from = b.Diagnostic
		}
		if b.Strict {
			from += "; strict: BGP does not come up without it"
		}
		g.add(s.Router, s.Link, b.State, b.SinceS.Fixed(3)+" s", b.TxS.String()+" s", detects, from)
	}
	if len(g.rows) > 0 {
		p.printf("\n")
		p.line(0, p.paint(bold, fmt.Sprintf("BFD at %s s, as each end sees it", doc.EndS)))
		p.grid(2, g)
	}
}

// histories lists every change of state, session by session.
func (p *page) histories(doc Document) {
	g := grid{head: []string{"at", "router", "", "from", "to", "why"}, right: []int{0}}
	for _, s := range doc.Sessions {
		for _, h := range s.History {
			g.add(h.AtS.Fixed(3)+" s", s.Router, "session over "+s.Link, h.From, h.To, h.Why)
		}
		if s.BFD == nil {
			continue
		}
		for _, h := range s.BFD.History {
			g.add(h.AtS.Fixed(3)+" s", s.Router, "BFD over "+s.Link, h.From, h.To, h.Why)
		}
	}
	for _, t := range doc.Tunnels {
		for _, h := range t.History {
			g.add(h.AtS.Fixed(3)+" s", t.Router, "tunnel "+t.Link, h.From, h.To, h.Why)
		}
	}
	if len(g.rows) > 0 {
		p.printf("\n")
		p.line(0, p.paint(bold, "what they went through"))
		p.grid(2, g)
	}
}

func (p *page) moments(name string, moments []Moment) {
	if len(moments) == 0 {
		p.line(0, name+": nothing was recorded")
		return
	}
	p.line(0, p.paint(bold, name))
	g := grid{head: []string{"at", "lane", "node", "over", "state", "what"}, right: []int{0}}
	for _, m := range moments {
		what := m.What
		if m.Prefix != "" {
			what = m.Prefix + ": " + what
		}
		if m.Lane == "story" {
			what = p.paint(yellow, what)
		}
		g.add(m.AtS.Fixed(3)+" s", m.Lane, m.Node, m.Link, m.State, what)
	}
	p.grid(2, g)
}
