package bgp

import "net/netip"

// Seal works out how many octets m takes on the wire, and returns m. It is the
// last step in making a message. The arithmetic is that of RFC 4271 §4.2-4.5
// with four-octet AS numbers (RFC 6793); bgp/wire's tests hold it against the
// bytes themselves.
func (m *Message) Seal() *Message {
	m.Size = HeaderLen
	switch m.Type {
	case MsgOpen:
		m.Size += 10
		if n := m.Open.capabilities(); n > 0 {
			m.Size += 2 + n // all in one optional parameter
		}
	case MsgUpdate:
		m.Size += m.Update.size()
	case MsgNotification:
		m.Size += 2 + len(m.Notification.Data)
	case MsgRouteRefresh:
		m.Size += 4
	}
	return m
}

func (o *Open) capabilities() int {
	n := 6 * len(o.Families)
	if o.RouteRefresh {
		n += 2
	}
	if o.FourOctetAS {
		n += 6
	}
	if o.Restart != nil {
		n += 4 + 4*len(o.Restart.Families)
	}
	if o.LongLived != nil {
		n += 2 + 7*len(o.LongLived.Families)
	}
	if len(o.AddPath) > 0 {
		n += 2 + 4*len(o.AddPath)
	}
	if o.BFDStrict {
		n += 2
	}
	return n
}

// size of an UPDATE's body. The prefixes of each family are in a place of their
// own: those of IPv4 in the fields of RFC 4271, others in an attribute.
func (u *Update) size() int {
	n := 4
	gone4, gone6 := prefixes(u.Withdrawn), 0
	for i := range u.Withdrawn {
		if !u.Withdrawn[i].Addr().Is4() {
			one := prefixes(u.Withdrawn[i : i+1])
			gone4, gone6 = gone4-one, gone6+one
			if u.Extra != nil && len(u.Extra.Withdrawn) > 0 {
				gone6 += identifierLen
			}
		} else if u.Extra != nil && len(u.Extra.Withdrawn) > 0 {
			gone4 += identifierLen
		}
	}
	news := prefixes(u.NLRI)
	if u.Extra != nil {
		news += identifierLen * len(u.Extra.NLRI)
	}
	n += gone4
	if gone6 > 0 || u.EndOfRIB() && u.Families() != WithIPv4 {
		n += attribute(3 + gone6) // AFI, SAFI
	}
	if u.Attrs != nil {
		n += u.Attrs.size()
	}
	if len(u.NLRI) > 0 && !u.NLRI[0].Addr().Is4() {
		return n - nextHop4 + attribute(reach6+news)
	}
	return n + news
}

const (
	nextHop4 = 7                  // the NEXT_HOP attribute, which an announcement of IPv6 has not. RFC 4760 §3
	reach6   = 2 + 1 + 1 + 16 + 1 // AFI, SAFI, the next hop and its length, a reserved octet
)

func prefixes(ps []netip.Prefix) int {
	n := 0
	for _, p := range ps {
		n += 1 + (p.Bits()+7)/8
	}
	return n
}

func (a *Attrs) size() int {
	n := 4 + nextHop4 // ORIGIN, NEXT_HOP
	path := 0
	for _, s := range a.ASPath {
		path += 2 + 4*len(s.ASNs)
	}
	n += attribute(path)
	if a.HasMED {
		n += 7
	}
	if a.HasLocalPref {
		n += 7
	}
	if a.AtomicAggregate {
		n += 3
	}
	if a.AggregatorAS != 0 {
		n += 11
	}
	if len(a.Communities) > 0 {
		n += attribute(4 * len(a.Communities))
	}
	if a.OriginatorID.IsValid() {
		n += 7
	}
	if len(a.ClusterList) > 0 {
		n += attribute(4 * len(a.ClusterList))
	}
	return n
}

// attribute is the size of an attribute whose value has n octets: flags, type
// and a length of one octet, or of two.
func attribute(n int) int {
	if n > 255 {
		return 4 + n
	}
	return 3 + n
}
