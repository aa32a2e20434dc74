package network

import (
	"fmt"
	"strings"

	"github.com/vpnsim/vpnsim/bgp"
)

// MessageText says in a few words what a BGP message is.
func MessageText(m *bgp.Message) string {
	switch m.Type {
	case bgp.MsgOpen:
		s := fmt.Sprintf("OPEN: AS %d, hold %d s", m.Open.AS, m.Open.HoldTime)
		if r := m.Open.Restart; r != nil && r.Restarting {
			s += ", has restarted"
			if len(r.Families) > 0 && r.Families[0].Preserved {
				s += " and goes on forwarding"
			}
		}
		return s
	case bgp.MsgUpdate:
		u := m.Update
		if u.EndOfRIB() {
			if u.Families() == bgp.WithIPv6 {
				return "UPDATE: End-of-RIB of IPv6"
			}
			return "UPDATE: End-of-RIB"
		}
		var parts []string
		for _, p := range u.NLRI {
			parts = append(parts, "+"+p.String())
		}
		for _, p := range u.Withdrawn {
			parts = append(parts, "-"+p.String())
		}
		return "UPDATE: " + strings.Join(parts, " ")
	case bgp.MsgNotification:
		return "NOTIFICATION " + m.Notification.String()
	case bgp.MsgMalformed:
		return "octets that are no message"
	case bgp.MsgRouteRefresh:
		return "ROUTE-REFRESH"
	}
	return "KEEPALIVE"
}
