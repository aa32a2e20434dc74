package lab

import (
	"fmt"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/report"
)

// The routers' messages as they are printed.

// talk adds them to the document of a trial.
func (p *Plan) talk(doc *report.LabTrial, t *Trial) {
	d := p.Design
	for i := range t.Messages {
		m := &t.Messages[i]
		x := report.LabBGP{AtS: report.Seconds(m.At), AfterS: report.Seconds(t.since(m.At)), From: d.Routers[m.From].Name, To: d.Routers[m.To].Name,
			Link: d.Links[m.Link].Name, Direction: "sent", Type: typeName(m), What: m.words()}
		if m.Received {
			x.Direction = "received"
		}
		if m.Took > 0 {
			took := report.Seconds(m.Took)
			x.TookS = &took
		}
		if m.What != nil && m.What.Notification != nil {
			code, subcode := int(m.What.Notification.Code), int(m.What.Notification.Subcode)
			x.Code, x.Subcode = &code, &subcode
		}
		if m.What != nil && m.What.Update != nil {
			x.Announced, x.Withdrawn = len(m.What.Update.NLRI), len(m.What.Update.Withdrawn)
		}
		doc.BGP = append(doc.BGP, x)
	}
	for i := range t.Speeches {
		s := &t.Speeches[i]
		x := report.LabStream{From: d.Routers[s.From].Name, To: d.Routers[s.To].Name, Link: d.Links[s.Link].Name,
			KeepalivesSent: s.Sent, KeepalivesReceived: s.Received, Segments: s.Segments, Retransmitted: s.Repeated}
		if n := len(s.Spacing); n > 0 {
			least, median, most := report.Seconds(s.Spacing[0]), report.Seconds(s.Spacing[n/2]), report.Seconds(s.Spacing[n-1])
			x.SpacingMinS, x.SpacingMedianS, x.SpacingMaxS = &least, &median, &most
		}
		doc.Streams = append(doc.Streams, x)
	}
	doc.Missed = t.Missed
}

// since is how long before that the last event of the story was, by the scenario's
// clock.
func (t *Trial) since(at time.Duration) time.Duration {
	after := at
	for _, f := range t.Faults {
		if f.At <= at {
			after = at - f.At
		}
	}
	return after
}

func typeName(m *Message) string {
	switch m.Type {
	case bgp.MsgOpen:
		return "OPEN"
	case bgp.MsgUpdate:
		return "UPDATE"
	case bgp.MsgNotification:
		return "NOTIFICATION"
	case bgp.MsgKeepalive:
		return "KEEPALIVE"
	case bgp.MsgRouteRefresh:
		return "ROUTE-REFRESH"
	}
	return "malformed"
}

// words are the message in a line.
func (m *Message) words() string {
	switch {
	case m.Type == 0:
		return "octets that are no message (" + m.Fault.Words() + ")"
	case m.What == nil && m.Fault != nil:
		return fmt.Sprintf("%s that is malformed (%s)", typeName(m), m.Fault.Words())
	case m.What == nil:
		return typeName(m)
	case m.What.Open != nil:
		return fmt.Sprintf("OPEN (AS %d, hold time %d s)", m.What.Open.AS, m.What.Open.HoldTime)
	case m.What.Notification != nil:
		return "NOTIFICATION (" + m.What.Notification.Words() + ")"
	case m.What.Update != nil:
		return "UPDATE (" + updateWords(m.What.Update) + ")"
	}
	return typeName(m)
}

func updateWords(u *bgp.Update) string {
	if u.EndOfRIB() {
		if u.Families() == bgp.WithIPv6 {
			return "End-of-RIB of IPv6"
		}
		return "End-of-RIB"
	}
	var parts []string
	if n := len(u.Withdrawn); n == 1 {
		parts = append(parts, fmt.Sprintf("withdraws %v", u.Withdrawn[0]))
	} else if n > 1 {
		parts = append(parts, fmt.Sprintf("withdraws %d prefixes", n))
	}
	if n := len(u.NLRI); n == 1 {
		parts = append(parts, fmt.Sprintf("announces %v", u.NLRI[0]))
	} else if n > 1 {
		parts = append(parts, fmt.Sprintf("announces %d prefixes", n))
	}
	return strings.Join(parts, "; ")
}
