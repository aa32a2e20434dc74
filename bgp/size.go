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
		m.Size += 4 + prefixes(m.Update.Withdrawn) + prefixes(m.Update.NLRI)
		if m.Update.Attrs != nil {
			m.Size += m.Update.Attrs.size()
		}
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
	if o.BFDStrict {
		n += 2
	}
	return n
}

func prefixes(ps []netip.Prefix) int {
	n := 0
	for _, p := range ps {
		n += 1 + (p.Bits()+7)/8
	}
	return n
}

func (a *Attrs) size() int {
	n := 4 + 7 // ORIGIN, NEXT_HOP
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
