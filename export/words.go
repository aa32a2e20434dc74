package export

// What a note says, in words. A reader of NDJSON or of a Perfetto picture
// should not need this program's source to understand an event.

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/vpnsim/vpnsim/bfd"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/trace"
	"github.com/vpnsim/vpnsim/vpn"
)

// noteNames are the names of the kinds of notes, as they stand in NDJSON.
var noteNames = [...]string{
	trace.NoteFault:      "fault",
	trace.NoteSession:    "session",
	trace.NoteMessage:    "message",
	trace.NoteRoute:      "route",
	trace.NoteFIB:        "fib",
	trace.NoteTable:      "table",
	trace.NoteTunnel:     "tunnel",
	trace.NoteIKE:        "ike",
	trace.NoteLink:       "link",
	trace.NoteLost:       "lost",
	trace.NoteForwarding: "forwarding",
	trace.NoteAdvertise:  "advertise",
	trace.NoteLimit:      "limit",
	trace.NoteStale:      "stale",
	trace.NoteBFD:        "bfd",
	trace.NoteStall:      "stall",
	trace.NoteLeft:       "left",
}

// Words says in one line what a note of a log says.
func Words(l *trace.Log, n *trace.Note) string { return words(l, n) }

// NoteName is the name of a kind of notes, as it stands in NDJSON.
func NoteName(k trace.NoteKind) string { return noteName(k) }

func noteName(k trace.NoteKind) string {
	if int(k) < len(noteNames) && noteNames[k] != "" {
		return noteNames[k]
	}
	return fmt.Sprintf("note %d", k)
}

// words of a note.
func words(l *trace.Log, n *trace.Note) string {
	router := nameOf(l.Names.Routers, int(n.Router), "router")
	link := linkName(l, n.Link)
	switch n.Kind {
	case trace.NoteFault:
		return n.Text
	case trace.NoteSession:
		return fmt.Sprintf("%s: session over %s %s -> %s (%s)", router, link, bgp.State(n.From), bgp.State(n.To), bgp.Why(n.A))
	case trace.NoteMessage:
		return fmt.Sprintf("%s sends %s over %s", router, message(n.Msg), link)
	case trace.NoteRoute:
		return fmt.Sprintf("%s: route to %s: %s", router, n.Prefix, route(n.Route))
	case trace.NoteFIB:
		return fmt.Sprintf("%s: forwarding table: %s -> %s", router, n.Prefix, linkNames(l, n.Links))
	case trace.NoteTable:
		return fmt.Sprintf("%s: route table: %s -> %s", router, n.Prefix, linkNames(l, n.Links))
	case trace.NoteBFD:
		why := n.Text
		if why == "" {
			why = bfd.Diag(n.A).String()
		}
		return fmt.Sprintf("%s: BFD over %s %s -> %s (%s)", router, link, bfd.State(n.From), bfd.State(n.To), why)
	case trace.NoteTunnel:
		return fmt.Sprintf("%s: end of %s %s -> %s (%s)", router, link, vpn.State(n.From), vpn.State(n.To), vpn.Why(n.A))
	case trace.NoteIKE:
		return fmt.Sprintf("%s sends %s over %s", router, ikeWords(n.IKE), link)
	case trace.NoteLink:
		if n.Up {
			return link + " is up"
		}
		return link + " is down"
	case trace.NoteLost:
		if n.Router < 0 {
			return fmt.Sprintf("%s #%d lost: %s", probe(l, n), n.B, n.Text)
		}
		return fmt.Sprintf("%s #%d lost at %s: %s", probe(l, n), n.B, router, n.Text)
	case trace.NoteForwarding:
		return fmt.Sprintf("%s: %s", probe(l, n), forwarding(n))
	case trace.NoteAdvertise:
		if n.Up {
			return fmt.Sprintf("%s: advertisement over %s waits for MRAI", router, link)
		}
		return fmt.Sprintf("%s: advertisement over %s waits no longer", router, link)
	case trace.NoteStale:
		return fmt.Sprintf("%s: %d stale routes over %s are kept (graceful restart)", router, n.A, link)
	case trace.NoteStall:
		if n.Up {
			return "the routing process of " + router + " goes on after a stall"
		}
		return "the routing process of " + router + " stalls"
	case trace.NoteLeft:
		return fmt.Sprintf("%s: the hold timer over %s has run out; the process sleeps", router, link)
	case trace.NoteLimit:
		return fmt.Sprintf("%s takes no more than %d prefixes over %s: the peer has announced another one", router, n.A, link)
	}
	return n.Text
}

func probe(l *trace.Log, n *trace.Note) string { return nameOf(l.Names.Probes, int(n.A), "probe") }

// direction of a probe's path that a NoteForwarding is about.
func direction(n *trace.Note) string {
	if n.B == 1 {
		return "reply"
	}
	return "request"
}

func forwarding(n *trace.Note) string {
	s := "a " + direction(n) + " would arrive"
	if !n.Up {
		s = "a " + direction(n) + " would be lost"
	}
	if n.Text != "" {
		s += ": " + n.Text
	}
	return s
}

func linkNames(l *trace.Log, links []int32) string {
	if len(links) == 0 {
		return "nowhere"
	}
	names := make([]string, len(links))
	for i, k := range links {
		names[i] = linkName(l, k)
	}
	return strings.Join(names, ", ")
}

// message in a few words.
func message(m *bgp.Message) string {
	if m == nil {
		return "nothing"
	}
	switch {
	case m.Type == bgp.MsgOpen && m.Open != nil:
		return fmt.Sprintf("OPEN (AS %d, hold time %d s)", m.Open.AS, m.Open.HoldTime)
	case m.Type == bgp.MsgUpdate && m.Update != nil:
		return update(m.Update)
	case m.Type == bgp.MsgNotification && m.Notification != nil:
		return fmt.Sprintf("NOTIFICATION (%s, subcode %d)", m.Notification.Code.Words(), m.Notification.Subcode)
	case m.Type == bgp.MsgKeepalive:
		return "KEEPALIVE"
	case m.Type == bgp.MsgRouteRefresh:
		return "ROUTE-REFRESH"
	case m.Type == bgp.MsgMalformed:
		return "octets that are no message"
	}
	return fmt.Sprintf("a message of type %d", m.Type)
}

func update(u *bgp.Update) string {
	if u.EndOfRIB() {
		if u.Families() == bgp.WithIPv6 {
			return "UPDATE (End-of-RIB of IPv6)"
		}
		return "UPDATE (End-of-RIB)"
	}
	var parts []string
	if len(u.Withdrawn) > 0 {
		parts = append(parts, "withdraws "+prefixes(u.Withdrawn))
	}
	if len(u.NLRI) > 0 {
		s := "announces " + prefixes(u.NLRI)
		if u.Attrs != nil {
			s += " with AS_PATH " + asPath(u.Attrs.ASPath)
		}
		parts = append(parts, s)
	}
	return "UPDATE (" + strings.Join(parts, "; ") + ")"
}

// prefixes names the first few: an UPDATE may hold hundreds.
func prefixes(ps []netip.Prefix) string {
	const few = 4
	var parts []string
	for _, p := range ps[:min(few, len(ps))] {
		parts = append(parts, p.String())
	}
	if len(ps) > few {
		parts = append(parts, fmt.Sprintf("and %d more", len(ps)-few))
	}
	return strings.Join(parts, ", ")
}

func asPath(p bgp.ASPath) string {
	var parts []string
	for _, s := range p {
		nums := strings.Trim(fmt.Sprint(s.ASNs), "[]")
		if s.Set {
			nums = "{" + nums + "}"
		}
		parts = append(parts, nums)
	}
	if len(parts) == 0 {
		return "(empty)"
	}
	return strings.Join(parts, " ")
}

func route(r *bgp.Route) string {
	if r == nil || r.Best == nil {
		return "unreachable"
	}
	s := "local"
	if r.Best.Peer != bgp.Local {
		s = fmt.Sprintf("via %s", r.Best.PeerAddr)
	}
	if n := len(r.Used); n > 1 {
		s += fmt.Sprintf(" and %d more", n-1)
	}
	if r.Candidates > 1 {
		s += fmt.Sprintf(", best of %d by %v", r.Candidates, r.Rule)
	}
	return s
}

// ikeWords names an IKE message.
func ikeWords(m *vpn.Message) string {
	if m == nil {
		return "nothing"
	}
	part := "request"
	if m.Num == 2 {
		part = "response"
	}
	switch m.Exchange {
	case vpn.MainMode:
		return fmt.Sprintf("IKE main mode message %d", m.Num)
	case vpn.QuickMode:
		return fmt.Sprintf("IKE quick mode message %d", m.Num)
	case vpn.SAInit:
		return "IKE_SA_INIT " + part
	case vpn.Auth:
		return "IKE_AUTH " + part
	case vpn.CreateChild:
		return "CREATE_CHILD_SA " + part
	case vpn.Delete:
		if m.IKE {
			return "DELETE of the IKE SA, " + part
		}
		return "DELETE of the child SA, " + part
	case vpn.RUThere:
		if m.Version == uint8(vpn.IKEv1) && m.Num == 2 {
			return "R-U-THERE-ACK"
		}
		return "R-U-THERE, " + part
	}
	return fmt.Sprintf("IKE exchange %d message %d", m.Exchange, m.Num)
}
