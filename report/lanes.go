package report

// The timeline as lanes: what each session, tunnel, table and direction was,
// from when to when. The picture draws them; nothing here knows of pixels.

import (
	"cmp"
	"slices"
)

// span is a state and how long it held.
type span struct {
	from, to Seconds
	state    string
	why      string
}

// lane is one row of the picture.
type lane struct {
	kind  string // of Moment.Lane
	node  string
	link  string // or the prefix, for the lanes of tables
	spans []span
}

// laneKinds are the lanes that have states, in the order of the picture: from
// the wire up to what the user of the network feels.
var laneKinds = []struct{ kind, title string }{
	{"tunnel", "tunnels and links"},
	{"bfd", "BFD"},
	{"session", "BGP sessions"},
	{"route", "best path leaves by"},
	{"fib", "forwarding table uses"},
	{"table", "cloud route table uses"},
	{"forwarding", "a probe would get through"},
	{"pair", "forwarding between others"},
}

// lanes returns the rows of one kind from the start of the run to its end.
func lanes(doc Document, kind string, end Seconds) []lane {
	if kind == "pair" {
		return pairLanes(doc)
	}
	type change struct {
		at         Seconds
		state, why string
	}
	type row struct {
		lane
		first   string // state at the start
		changes []change
	}
	var rows []*row
	find := func(node, link string) *row {
		i := slices.IndexFunc(rows, func(r *row) bool { return r.node == node && r.link == link })
		if i < 0 {
			i = len(rows)
			rows = append(rows, &row{lane: lane{kind: kind, node: node, link: link}})
		}
		return rows[i]
	}
	// The ends of sessions and tunnels are known even if nothing happened to
	// them, and what they were before the run began stands in their history.
	known := func(node, link, state string, history []Transition) {
		r := find(node, link)
		r.first = state
		if len(history) > 0 {
			r.first = history[0].From
		}
		for _, h := range history {
			if h.AtS <= 0 {
				r.first = h.To
			}
		}
		moved := slices.ContainsFunc(doc.Timeline, func(m Moment) bool {
			return m.Lane == kind && m.Node == node && m.Link == link
		})
		for _, h := range history {
			if h.AtS > 0 && !moved {
				r.changes = append(r.changes, change{h.AtS, h.To, h.Why})
			}
		}
	}
	switch kind {
	case "session":
		for _, s := range doc.Sessions {
			known(s.Router, s.Link, s.State, s.History)
		}
	case "bfd":
		for _, s := range doc.Sessions {
			if s.BFD != nil {
				known(s.Router, s.Link, s.BFD.State, s.BFD.History)
			}
		}
	case "tunnel":
		for _, t := range doc.Tunnels {
			known(t.Router, t.Link, t.State, t.History)
		}
	case "forwarding":
		// Only a run whose timeline was recorded can be said to have forwarded.
		for _, pr := range doc.Probes {
			if len(doc.Timeline) > 0 {
				find(pr.Name, "request").first = "ok"
				find(pr.Name, "reply").first = "ok"
			}
		}
	}
	for _, m := range doc.Timeline {
		if m.Lane != kind {
			continue
		}
		link, state := m.Link, m.State
		if kind == "route" || kind == "fib" || kind == "table" {
			link = m.Prefix
			if state == "" {
				state = m.Link
			}
			if state == "" {
				state = "none"
			}
		}
		if state == "" {
			continue
		}
		r := find(m.Node, link)
		r.changes = append(r.changes, change{m.AtS, state, m.What})
	}
	var out []lane
	for _, r := range rows {
		slices.SortStableFunc(r.changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
		if kind == "forwarding" && len(r.changes) > 0 && r.changes[0].state == "ok" {
			r.first = "lost" // what becomes ok was not
		}
		if kind == "tunnel" && r.node == "" {
			r.first = "path up" // a wire has no history: it is there until it goes down
		}
		now := span{state: r.first}
		for _, c := range r.changes {
			if c.at >= end {
				break
			}
			if c.state == now.state {
				continue
			}
			if at := max(c.at, 0); at > now.from {
				now.to = at
				r.spans = append(r.spans, now)
				now.from = at
			}
			now.state, now.why = c.state, c.why
		}
		now.to = end
		if now.to > now.from {
			r.spans = append(r.spans, now)
		}
		r.spans = slices.DeleteFunc(r.spans, func(s span) bool { return s.state == "" })
		out = append(out, r.lane)
	}
	return out
}

// mostSpans are drawn in the lane of a pair; what changes more often is a blur.
const mostSpans = 2000

// pairLanes are the rows of pairs that were watched and that no probe tells of.
func pairLanes(doc Document) []lane {
	var out []lane
	for i := range doc.Forwarding {
		f := &doc.Forwarding[i]
		probed := slices.ContainsFunc(doc.Probes, func(p Probe) bool { return p.From == f.FromAddress && p.To == f.ToAddress })
		if probed || len(f.Intervals) > mostSpans || len(out) == shownPairs {
			continue
		}
		l := lane{kind: "pair", node: f.pairIn(&doc)}
		for _, v := range f.Intervals {
			state := stateTitle(v.State)
			if v.State == "stale_return_path" && v.Lost {
				state += ", lost"
			}
			if n := len(l.spans); n > 0 && l.spans[n-1].state == state {
				l.spans[n-1].to = v.EndS
				continue
			}
			l.spans = append(l.spans, span{v.StartS, v.EndS, state, v.Why})
		}
		if len(l.spans) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// lastInstant is where the time axis ends: the end of the run, or what is known
// of it.
func lastInstant(doc Document) Seconds {
	end := doc.EndS
	if end > 0 {
		return end
	}
	for _, m := range doc.Timeline {
		end = max(end, m.AtS)
	}
	for _, pr := range doc.Probes {
		for _, e := range pr.Echoes {
			end = max(end, e.SentS)
		}
	}
	for _, g := range doc.Gaps {
		end = max(end, g.EndS)
	}
	return max(end, 1e9)
}
