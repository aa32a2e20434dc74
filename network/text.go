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
		x := u.Extra
		if x == nil {
			x = &bgp.Extra{}
		}
		for i, p := range u.NLRI {
			parts = append(parts, "+"+p.String()+pathID(x.NLRI, i))
		}
		for i, p := range u.Withdrawn {
			parts = append(parts, "-"+p.String()+pathID(x.Withdrawn, i))
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

// pathID is the Path Identifier of the i-th prefix: " path 2".
func pathID(ids []uint32, i int) string {
	if len(ids) == 0 {
		return ""
	}
	return fmt.Sprintf(" path %d", ids[i])
}
