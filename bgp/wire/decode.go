package wire

// From gobgp's structs to bgp's, for octets that check.go has found good.

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	model "github.com/vpnsim/vpnsim/bgp"
)

// read lets gobgp read b. Should gobgp refuse what check.go has let pass, its
// own verdict is handed on.
func read(b []byte, paths model.Families) (*model.Message, *model.Notification) {
	g, err := bgp.ParseBGPMessage(b, identified(paths))
	if err != nil {
		n := &model.Notification{Code: model.NoteHeader}
		var e *bgp.MessageError
		if errors.As(err, &e) {
			n = &model.Notification{Code: model.NoteCode(e.TypeCode), Subcode: e.SubTypeCode, Data: slices.Clone(e.Data)}
		}
		return nil, n
	}
	m := &model.Message{Type: model.MsgType(g.Header.Type)}
	switch body := g.Body.(type) {
	case *bgp.BGPOpen:
		m.Open = readOpen(body)
	case *bgp.BGPUpdate:
		m.Update = readUpdate(body, paths)
	case *bgp.BGPNotification:
		m.Notification = &model.Notification{Code: model.NoteCode(body.ErrorCode), Subcode: body.ErrorSubcode, Data: slices.Clone(body.Data)}
	case *bgp.BGPRouteRefresh:
		m.Refresh = &model.Family{AFI: body.AFI, SAFI: body.SAFI}
	}
	return m, nil
}

func addr(ip []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

func readOpen(g *bgp.BGPOpen) *model.Open {
	o := &model.Open{Version: g.Version, AS: uint32(g.MyAS), HoldTime: g.HoldTime, ID: addr(g.ID)}
	for _, p := range g.OptParams {
		caps, ok := p.(*bgp.OptionParameterCapability)
		if !ok {
			continue
		}
		for _, c := range caps.Capability {
			switch c := c.(type) {
			case *bgp.CapMultiProtocol:
				// "multiple instances of a capability" may be the same one
				// (RFC 5492 §5).
				afi, safi := bgp.RouteFamilyToAfiSafi(c.CapValue)
				if f := (model.Family{AFI: afi, SAFI: safi}); !slices.Contains(o.Families, f) {
					o.Families = append(o.Families, f)
				}
			case *bgp.CapRouteRefresh:
				o.RouteRefresh = true
			case *bgp.CapFourOctetASNumber:
				o.FourOctetAS = true
				o.AS = c.CapValue
			case *bgp.CapGracefulRestart:
				r := &model.GracefulRestart{Restarting: c.Flags&0x8 != 0, Notify: c.Flags&0x4 != 0, Time: c.Time}
				for _, t := range c.Tuples {
					r.Families = append(r.Families, model.RestartFamily{Family: model.Family{AFI: t.AFI, SAFI: t.SAFI}, Preserved: t.Flags&0x80 != 0})
				}
				o.Restart = r // the last one counts (RFC 4724 §3)
			case *bgp.CapLongLivedGracefulRestart:
				l := &model.LongLived{}
				for _, t := range c.Tuples {
					l.Families = append(l.Families, model.LongLivedFamily{Family: model.Family{AFI: t.AFI, SAFI: t.SAFI}, Preserved: t.Flags&0x80 != 0, StaleTime: t.RestartTime})
				}
				o.LongLived = l
			case *bgp.CapAddPath:
				for _, t := range c.Tuples {
					if t.Mode < bgp.BGP_ADD_PATH_RECEIVE || t.Mode > bgp.BGP_ADD_PATH_BOTH {
						continue // "ignored". RFC 7911 §4
					}
					afi, safi := bgp.RouteFamilyToAfiSafi(t.RouteFamily)
					o.AddPath = append(o.AddPath, model.AddPath{Family: model.Family{AFI: afi, SAFI: safi},
						Send: t.Mode&bgp.BGP_ADD_PATH_SEND != 0, Receive: t.Mode&bgp.BGP_ADD_PATH_RECEIVE != 0})
				}
			case *bgp.CapUnknown:
				o.BFDStrict = o.BFDStrict || c.CapCode == capBFDStrict
			}
		}
	}
	return o
}

func readUpdate(g *bgp.BGPUpdate, paths model.Families) *model.Update {
	u := &model.Update{Withdrawn: readPrefixes(g.WithdrawnRoutes), NLRI: readPrefixes(g.NLRI)}
	var hop netip.Addr
	ends := false
	for _, p := range g.PathAttributes {
		switch p := p.(type) {
		case *bgp.PathAttributeMpReachNLRI:
			hop = addr(p.Nexthop) // the global address: RFC 2545 §3 has it first
			u.NLRI = readPrefixes6(u.NLRI, p.Value)
		case *bgp.PathAttributeMpUnreachNLRI:
			u.Withdrawn = readPrefixes6(u.Withdrawn, p.Value)
			ends = true
		}
	}
	switch {
	case len(u.NLRI) > 0:
		u.Attrs = readAttrs(g.PathAttributes)
		if hop.IsValid() {
			u.Attrs.NextHop = hop // a NEXT_HOP beside it is of nothing. RFC 4760 §3
		}
	case ends && u.EndOfRIB():
		u.Extra = &model.Extra{Ends: model.WithIPv6}
	}
	if paths != 0 {
		readIdentifiers(u, g, paths)
	}
	return u
}

// readIdentifiers fills in the Path Identifiers, in the order in which the
// prefixes were read.
func readIdentifiers(u *model.Update, g *bgp.BGPUpdate, paths model.Families) {
	var x model.Extra
	add := func(ids *[]uint32, p bgp.AddrPrefixInterface, f model.Families) {
		if paths.Has(f) {
			*ids = append(*ids, p.PathIdentifier())
		}
	}
	for _, p := range g.WithdrawnRoutes {
		add(&x.Withdrawn, p, model.WithIPv4)
	}
	for _, p := range g.NLRI {
		add(&x.NLRI, p, model.WithIPv4)
	}
	for _, a := range g.PathAttributes {
		switch a := a.(type) {
		case *bgp.PathAttributeMpReachNLRI:
			for _, p := range a.Value {
				add(&x.NLRI, p, model.WithIPv6)
			}
		case *bgp.PathAttributeMpUnreachNLRI:
			for _, p := range a.Value {
				add(&x.Withdrawn, p, model.WithIPv6)
			}
		}
	}
	if len(x.NLRI)+len(x.Withdrawn) > 0 {
		u.Extra = &x
	}
}

func readPrefixes6(ps []netip.Prefix, g []bgp.AddrPrefixInterface) []netip.Prefix {
	for _, p := range g {
		if p, ok := p.(*bgp.IPv6AddrPrefix); ok {
			a, _ := netip.AddrFromSlice(p.Prefix)
			ps = append(ps, netip.PrefixFrom(a, int(p.Length)).Masked())
		}
	}
	return ps
}

func readPrefixes(g []*bgp.IPAddrPrefix) []netip.Prefix {
	if len(g) == 0 {
		return nil
	}
	ps := make([]netip.Prefix, len(g))
	for i, p := range g {
		ps[i] = netip.PrefixFrom(addr(p.Prefix), int(p.Length)).Masked()
	}
	return ps
}

func readAttrs(g []bgp.PathAttributeInterface) *model.Attrs {
	a := &model.Attrs{}
	for _, p := range g {
		switch p := p.(type) {
		case *bgp.PathAttributeOrigin:
			a.Origin = model.Origin(p.Value)
		case *bgp.PathAttributeAsPath:
			for _, s := range p.Value {
				a.ASPath = append(a.ASPath, model.Segment{
					Set:  s.GetType() == bgp.BGP_ASPATH_ATTR_TYPE_SET,
					ASNs: s.GetAS(),
				})
			}
		case *bgp.PathAttributeNextHop:
			a.NextHop = addr(p.Value)
		case *bgp.PathAttributeMultiExitDisc:
			a.MED, a.HasMED = p.Value, true
		case *bgp.PathAttributeLocalPref:
			a.LocalPref, a.HasLocalPref = p.Value, true
		case *bgp.PathAttributeAtomicAggregate:
			a.AtomicAggregate = true
		case *bgp.PathAttributeAggregator:
			a.AggregatorAS, a.AggregatorID = p.Value.AS, addr(p.Value.Address)
		case *bgp.PathAttributeCommunities:
			a.Communities = p.Value
		case *bgp.PathAttributeOriginatorId:
			a.OriginatorID = addr(p.Value)
		case *bgp.PathAttributeClusterList:
			for _, id := range p.Value {
				a.ClusterList = append(a.ClusterList, addr(id))
			}
		}
	}
	return a
}
