package explain

import (
	"fmt"
	"strings"

	"github.com/vpnsim/vpnsim/bfd"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
	"github.com/vpnsim/vpnsim/vpn"
)

// sessions and tunnels at the end of the run, with their histories.
func (a *Answer) sessions() ([]report.Session, []report.Tunnel) {
	var sessions []report.Session
	var tunnels []report.Tunnel
	for l := range a.Design.Links {
		link := &a.Design.Links[l]
		for e := range 2 {
			r := link.Ends[e].Router
			name := a.Design.Routers[r].Name
			if state, hold, keepalive, ok := a.Net.Session(l, e); ok {
				s := report.Session{Router: name, Peer: link.Ends[1-e].Inside.Addr().String(), Link: link.Name, State: state.String()}
				s.History = a.history(trace.NoteSession, r, l, func(n trace.Note) report.Transition {
					return report.Transition{AtS: seconds(n.At), From: bgp.State(n.From).String(), To: bgp.State(n.To).String(), Why: sessionWhy(n)}
				})
				s.SinceS = since(s.History)
				if state == bgp.Established {
					s.HoldS, s.KeepaliveS = report.Seconds(hold), report.Seconds(keepalive)
					s.HoldFrom = a.holdFrom(l, e)
				}
				s.BFD = a.bfd(l, e)
				sessions = append(sessions, s)
			}
			if link.Kind == topology.Tunnel {
				t := report.Tunnel{Router: name, Link: link.Name, State: vpn.Absent.String()}
				t.History = a.history(trace.NoteTunnel, r, l, func(n trace.Note) report.Transition {
					return report.Transition{AtS: seconds(n.At), From: vpn.State(n.From).String(), To: vpn.State(n.To).String(), Why: vpn.Why(n.A).String()}
				})
				if k := len(t.History); k > 0 {
					t.State = t.History[k-1].To
				}
				t.SinceS = since(t.History)
				tunnels = append(tunnels, t)
			}
		}
	}
	return sessions, tunnels
}

func (a *Answer) history(kind trace.NoteKind, router, link int, f func(trace.Note) report.Transition) []report.Transition {
	var list []report.Transition
	for _, n := range a.Log.Notes {
		if n.Kind == kind && int(n.Router) == router && int(n.Link) == link {
			list = append(list, f(n))
		}
	}
	return list
}

func since(h []report.Transition) report.Seconds {
	if len(h) == 0 {
		return 0
	}
	return h[len(h)-1].AtS
}

func sessionWhy(n trace.Note) string {
	why := bgp.Why(n.A).String()
	if n.Text != "" {
		why = n.Text
	}
	if n.Up {
		why += ": graceful restart"
	}
	if n.Msg != nil && n.Msg.Notification != nil {
		why += " (NOTIFICATION " + n.Msg.Notification.String() + ")"
	}
	return why
}

// holdFrom says which offer became the hold time.
func (a *Answer) holdFrom(link, end int) string {
	offers := [2]report.Seconds{report.Seconds(a.Net.Offer(link, 0)), report.Seconds(a.Net.Offer(link, 1))}
	least := 0
	if offers[1] < offers[0] {
		least = 1
	}
	name := a.Design.Routers[a.Design.Links[link].Ends[least].Router].Name
	if offers[0] == offers[1] {
		return fmt.Sprintf("both ends offer %v s", offers[0])
	}
	return fmt.Sprintf("routers.%s.bgp.hold: %v s, the smaller of %v s and %v s", name, offers[least], offers[least], offers[1-least])
}

// timeline puts the notes into words.
func (a *Answer) timeline() []report.Moment {
	var list []report.Moment
	router := func(i int32) string {
		if i < 0 {
			return ""
		}
		return a.Design.Routers[i].Name
	}
	link := func(i int32) string {
		if i < 0 {
			return ""
		}
		return a.Design.Links[i].Name
	}
	for _, n := range a.Log.Notes {
		m := report.Moment{AtS: seconds(n.At), Node: router(n.Router), Link: link(n.Link)}
		switch n.Kind {
		case trace.NoteFault:
			m.Lane, m.What = "story", a.Net.FaultText(int(n.A))
		case trace.NoteStall:
			m.Lane, m.What = "story", "the routing process stalls"
			if n.Up {
				m.What = "the routing process goes on after a stall"
			}
		case trace.NoteSession:
			m.Lane, m.State = "session", bgp.State(n.To).String()
			m.What = bgp.State(n.From).String() + " -> " + m.State + ": " + sessionWhy(n)
		case trace.NoteBFD:
			m.Lane, m.State = "bfd", bfd.State(n.To).String()
			m.What = bfd.State(n.From).String() + " -> " + m.State + ": " + bfdWhy(n)
		case trace.NoteTunnel:
			m.Lane, m.State = "tunnel", vpn.State(n.To).String()
			m.What = vpn.State(n.From).String() + " -> " + m.State + ": " + vpn.Why(n.A).String()
		case trace.NoteRoute:
			m.Lane, m.Prefix = "route", n.Prefix.String()
			m.What, m.State = a.routeText(n)
		case trace.NoteFIB, trace.NoteTable:
			m.Lane, m.Prefix, m.State = "fib", n.Prefix.String(), a.linkNames(n.Links)
			if n.Kind == trace.NoteTable {
				m.Lane = "table"
				if len(n.Links) > 0 && a.Design.Routers[n.Router].Settings[topology.RouteTableKind].Enum == "gateway" {
					m.State = "gateway"
				}
			}
			m.What = "-> " + m.State
		case trace.NoteLink:
			m.Lane, m.State = "tunnel", "down"
			if n.Up {
				m.State = "path up"
			}
			m.What = link(n.Link) + " " + m.State
		case trace.NoteForwarding:
			m.Lane, m.Node, m.Link, m.State = "forwarding", a.Design.Probes[n.A].Name, "request", "ok"
			if n.B == 1 {
				m.Link = "reply"
			}
			m.What = "passes over " + link(n.Link)
			if !n.Up {
				m.State, m.What = "lost", "lost: "+n.Text
				if n.Link >= 0 {
					m.What = "lost in " + link(n.Link) + ": " + n.Text
				}
			}
		case trace.NoteStale:
			m.Lane, m.What = "session", network.StaleText(n.A)
		case trace.NoteLeft:
			m.Lane, m.What = "session", "HoldTimer expired; the main loop sleeps"
		case trace.NoteLimit:
			m.Lane, m.What = "session", fmt.Sprintf("takes %d prefixes and no more: its peer has announced another one", n.A)
		case trace.NoteMessage:
			m.Lane, m.What = "message", network.MessageText(n.Msg)
		default:
			continue
		}
		list = append(list, m)
	}
	return list
}

func (a *Answer) routeText(n trace.Note) (what, state string) {
	r := n.Route
	if r.Best == nil {
		return "unreachable", "unreachable"
	}
	var links []int32
	for _, u := range r.Used {
		if l := a.Net.LinkOf(int(n.Router), u.Peer); l >= 0 {
			links = append(links, int32(l))
		}
	}
	if len(links) == 0 {
		return "its own", "local"
	}
	state = a.linkNames(links)
	return "via " + state + ": " + r.Rule.String(), state
}

func (a *Answer) linkNames(links []int32) string {
	if len(links) == 0 {
		return "none"
	}
	var names []string
	for _, l := range links {
		names = append(names, a.Design.Links[l].Name)
	}
	return strings.Join(names, " + ")
}
