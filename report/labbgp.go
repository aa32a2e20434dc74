package report

import (
	"fmt"
	"slices"
)

// What routers of a lab have said to each other, as it passed them.

// LabBGP is a message of BGP, where it was sent or where it arrived.
type LabBGP struct {
	AtS       Seconds  `json:"at_s"`
	AfterS    Seconds  `json:"after_s"`
	From      string   `json:"from"`
	To        string   `json:"to"`
	Link      string   `json:"link"`
	Direction string   `json:"direction"`
	Type      string   `json:"type"`
	What      string   `json:"what"`
	Code      *int     `json:"code,omitempty"`
	Subcode   *int     `json:"subcode,omitempty"`
	Announced int      `json:"announced,omitempty"`
	Withdrawn int      `json:"withdrawn,omitempty"`
	TookS     *Seconds `json:"took_s,omitempty"`
}

// LabStream is all that one router has sent another over a link.
type LabStream struct {
	From               string   `json:"from"`
	To                 string   `json:"to"`
	Link               string   `json:"link"`
	KeepalivesSent     int      `json:"keepalives_sent"`
	KeepalivesReceived int      `json:"keepalives_received"`
	SpacingMinS        *Seconds `json:"spacing_min_s,omitempty"`
	SpacingMedianS     *Seconds `json:"spacing_median_s,omitempty"`
	SpacingMaxS        *Seconds `json:"spacing_max_s,omitempty"`
	Segments           int      `json:"segments"`
	Retransmitted      int      `json:"retransmitted"`
}

// aftermath is something that came of an event.
type aftermath struct {
	after Seconds
	what  string
}

// after is what came of the event of a trial that was at that time: messages, where they
// were sent, and changes of SAs and routes, in order.
func after(t LabTrial, event Seconds) (list []aftermath) {
	for _, m := range t.BGP {
		if m.AtS-m.AfterS != event || m.Direction != "sent" {
			continue
		}
		arrives := "never arrives"
		if m.TookS != nil {
			arrives = "there after " + m.TookS.Fixed(3) + " s"
		}
		list = append(list, aftermath{m.AfterS, fmt.Sprintf("%s to %s over %s: %s, %s", m.From, m.To, m.Link, m.What, arrives)})
	}
	for _, x := range t.SAs {
		if x.AtS-x.AfterS != event {
			continue
		}
		state := "gone"
		if x.Up {
			state = "there"
		}
		list = append(list, aftermath{x.AfterS, fmt.Sprintf("%s: SA of %s %s", x.Router, x.Tunnel, state)})
	}
	for _, c := range t.Changes {
		if c.AtS-c.AfterS != event {
			continue
		}
		via := "gone"
		if c.Via != "" {
			via = "by " + c.Via
		}
		if c.Down != "" {
			via += ", since " + c.Down + " is down"
		}
		list = append(list, aftermath{c.AfterS, fmt.Sprintf("%s: route to %s %s", c.Router, c.Prefix, via)})
	}
	slices.SortStableFunc(list, func(a, b aftermath) int { return int(max(-1, min(1, a.after-b.after))) })
	return list
}
