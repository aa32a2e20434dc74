package wire

// From bgp's structs to gobgp's. Every message is built anew: gobgp's objects
// keep lengths that they work out while writing, so sharing one between
// goroutines would be a race.

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	model "github.com/vpnsim/vpnsim/bgp"
)

// asTrans stands in the two-octet AS field of an OPEN for an AS number that
// needs four. RFC 6793 §9.
const asTrans = bgp.AS_TRANS

// maxCapabilities is how many octets of capabilities fit in the one optional
// parameter: the length of all parameters is one octet (RFC 4271 §4.2), and
// two of those are the parameter's own type and length.
const maxCapabilities = 253

func build(m *model.Message) (*bgp.BGPMessage, error) {
	switch m.Type {
	case model.MsgOpen:
		if m.Open == nil {
			return nil, errors.New("no Open")
		}
		return buildOpen(m.Open)
	case model.MsgUpdate:
		if m.Update == nil {
			return nil, errors.New("no Update")
		}
		return buildUpdate(m.Update)
	case model.MsgNotification:
		if m.Notification == nil {
			return nil, errors.New("no Notification")
		}
		n := m.Notification
		return bgp.NewBGPNotificationMessage(uint8(n.Code), n.Subcode, n.Data), nil
	case model.MsgKeepalive:
		return bgp.NewBGPKeepAliveMessage(), nil
	case model.MsgRouteRefresh:
		if m.Refresh == nil {
			return nil, errors.New("no Refresh")
		}
		return bgp.NewBGPRouteRefreshMessage(m.Refresh.AFI, 0, m.Refresh.SAFI), nil
	}
	return nil, errors.New("no such type")
}

func buildOpen(o *model.Open) (*bgp.BGPMessage, error) {
	if !o.ID.Is4() {
		return nil, fmt.Errorf("BGP Identifier %v is not four octets", o.ID)
	}
	as := uint16(o.AS)
	if o.AS > 0xffff {
		if !o.FourOctetAS {
			return nil, fmt.Errorf("AS %d needs the four-octet AS capability", o.AS) // RFC 6793 §4.1
		}
		as = asTrans
	}
	var caps []bgp.ParameterCapabilityInterface
	size := 0
	for _, f := range o.Families {
		caps = append(caps, bgp.NewCapMultiProtocol(bgp.AfiSafiToRouteFamily(f.AFI, f.SAFI)))
		size += 6
	}
	if o.RouteRefresh {
		caps = append(caps, bgp.NewCapRouteRefresh())
		size += 2
	}
	if o.FourOctetAS {
		caps = append(caps, bgp.NewCapFourOctetASNumber(o.AS))
		size += 6
	}
	if r := o.Restart; r != nil {
		if r.Time > 0xfff {
			return nil, fmt.Errorf("restart time %d s does not fit in 12 bits", r.Time) // RFC 4724 §3
		}
		tuples := make([]*bgp.CapGracefulRestartTuple, len(r.Families))
		for i, f := range r.Families {
			tuples[i] = bgp.NewCapGracefulRestartTuple(bgp.AfiSafiToRouteFamily(f.AFI, f.SAFI), f.Preserved)
		}
		caps = append(caps, bgp.NewCapGracefulRestart(r.Restarting, r.Notify, r.Time, tuples))
		size += 4 + 4*len(tuples)
	}
	if l := o.LongLived; l != nil {
		tuples := make([]*bgp.CapLongLivedGracefulRestartTuple, len(l.Families))
		for i, f := range l.Families {
			if f.StaleTime > 0xffffff {
				return nil, fmt.Errorf("long-lived stale time %d s does not fit in 24 bits", f.StaleTime) // RFC 9494 §3.1
			}
			tuples[i] = bgp.NewCapLongLivedGracefulRestartTuple(bgp.AfiSafiToRouteFamily(f.AFI, f.SAFI), f.Preserved, f.StaleTime)
		}
		caps = append(caps, bgp.NewCapLongLivedGracefulRestart(tuples))
		size += 2 + 7*len(tuples)
	}
	if len(o.AddPath) > 0 {
		tuples := make([]*bgp.CapAddPathTuple, len(o.AddPath))
		for i, f := range o.AddPath {
			mode := bgp.BGP_ADD_PATH_NONE
			if f.Receive {
				mode |= bgp.BGP_ADD_PATH_RECEIVE
			}
			if f.Send {
				mode |= bgp.BGP_ADD_PATH_SEND
			}
			if mode == bgp.BGP_ADD_PATH_NONE {
				return nil, errors.New("add-path in no direction") // RFC 7911 §4
			}
			tuples[i] = bgp.NewCapAddPathTuple(bgp.AfiSafiToRouteFamily(f.AFI, f.SAFI), mode)
		}
		caps = append(caps, bgp.NewCapAddPath(tuples))
		size += 2 + 4*len(tuples)
	}
	if o.BFDStrict {
		caps = append(caps, bgp.NewCapUnknown(capBFDStrict, nil)) // gobgp does not know it
		size += 2
	}
	if size > maxCapabilities {
		return nil, fmt.Errorf("%d octets of capabilities do not fit in one optional parameter", size)
	}
	var params []bgp.OptionParameterInterface
	if len(caps) > 0 {
		params = append(params, bgp.NewOptionParameterCapability(caps))
	}
	g := bgp.NewBGPOpenMessage(as, o.HoldTime, o.ID.String(), params)
	g.Body.(*bgp.BGPOpen).Version = o.Version
	return g, nil
}

func buildUpdate(u *model.Update) (*bgp.BGPMessage, error) {
	x := u.Extra
	if x == nil {
		x = &model.Extra{}
	}
	if n := len(x.Withdrawn); n > 0 && n != len(u.Withdrawn) {
		return nil, errors.New("not as many Path Identifiers as withdrawn prefixes")
	}
	if n := len(x.NLRI); n > 0 && n != len(u.NLRI) {
		return nil, errors.New("not as many Path Identifiers as prefixes")
	}
	withdrawn, withdrawn6, err := buildPrefixes(u.Withdrawn, x.Withdrawn)
	if err != nil {
		return nil, err
	}
	nlri, nlri6, err := buildPrefixes(u.NLRI, x.NLRI)
	if err != nil {
		return nil, err
	}
	var attrs []bgp.PathAttributeInterface
	switch {
	case len(u.NLRI) == 0 && u.Attrs != nil:
		// No prefix, no attributes: a withdrawal carries none (RFC 4271 §4.3).
		return nil, errors.New("attributes without NLRI")
	case len(u.NLRI) > 0 && u.Attrs == nil:
		return nil, errors.New("NLRI without attributes")
	case len(nlri) > 0 && len(nlri6) > 0:
		return nil, errors.New("NLRI of two families, which have no NEXT_HOP in common")
	case len(u.NLRI) > 0:
		if attrs, err = buildAttrs(u.Attrs, len(nlri6) > 0); err != nil {
			return nil, err
		}
	}
	// RFC 7606 §5.1: MP_REACH_NLRI and MP_UNREACH_NLRI "SHALL be encoded as the
	// very first path attribute in an UPDATE message".
	if len(withdrawn6) > 0 || u.EndOfRIB() && u.Families() == model.WithIPv6 {
		mp := bgp.NewPathAttributeMpUnreachNLRI(withdrawn6)
		mp.AFI, mp.SAFI = model.IPv6Unicast.AFI, model.IPv6Unicast.SAFI // End-of-RIB has no prefix to take it from
		attrs = slices.Insert(attrs, 0, bgp.PathAttributeInterface(mp))
	}
	if len(nlri6) > 0 {
		attrs = slices.Insert(attrs, 0, bgp.PathAttributeInterface(bgp.NewPathAttributeMpReachNLRI(u.Attrs.NextHop.String(), nlri6)))
	}
	return bgp.NewBGPUpdateMessage(withdrawn, attrs, nlri), nil
}

// buildPrefixes has the prefixes of each family in a list of its own.
// ids are their Path Identifiers, if they have any.
func buildPrefixes(ps []netip.Prefix, ids []uint32) (v4 []*bgp.IPAddrPrefix, v6 []bgp.AddrPrefixInterface, _ error) {
	for i, p := range ps {
		var built bgp.AddrPrefixInterface
		switch a := p.Addr(); {
		case !p.IsValid() || a.Is4In6():
			return nil, nil, fmt.Errorf("%v is neither an IPv4 nor an IPv6 prefix", p)
		case a.Is4():
			v4 = append(v4, bgp.NewIPAddrPrefix(uint8(p.Bits()), a.String()))
			built = v4[len(v4)-1]
		default:
			v6 = append(v6, bgp.NewIPv6AddrPrefix(uint8(p.Bits()), a.String()))
			built = v6[len(v6)-1]
		}
		if len(ids) > 0 {
			built.SetPathLocalIdentifier(ids[i])
		}
	}
	return v4, v6, nil
}

// buildAttrs has the attributes in the order of their type codes, as RFC 4271
// §5 says a sender SHOULD. With six, NEXT_HOP is left to MP_REACH_NLRI.
func buildAttrs(a *model.Attrs, six bool) ([]bgp.PathAttributeInterface, error) {
	if a.Origin > model.OriginIncomplete {
		return nil, fmt.Errorf("ORIGIN %d does not exist", uint8(a.Origin))
	}
	switch {
	case six && (!a.NextHop.Is6() || a.NextHop.Is4In6()):
		return nil, fmt.Errorf("next hop %v of IPv6 routes is not an IPv6 address", a.NextHop)
	case !six && !a.NextHop.Is4():
		return nil, fmt.Errorf("NEXT_HOP %v is not an IPv4 address", a.NextHop)
	}
	path := make([]bgp.AsPathParamInterface, len(a.ASPath))
	for i, s := range a.ASPath {
		if len(s.ASNs) == 0 || len(s.ASNs) > 255 {
			return nil, fmt.Errorf("AS_PATH segment of %d AS numbers", len(s.ASNs)) // the count is one octet
		}
		kind := uint8(bgp.BGP_ASPATH_ATTR_TYPE_SEQ)
		if s.Set {
			kind = bgp.BGP_ASPATH_ATTR_TYPE_SET
		}
		path[i] = bgp.NewAs4PathParam(kind, s.ASNs)
	}
	out := []bgp.PathAttributeInterface{
		bgp.NewPathAttributeOrigin(uint8(a.Origin)),
		bgp.NewPathAttributeAsPath(path),
	}
	if !six {
		out = append(out, bgp.NewPathAttributeNextHop(a.NextHop.String()))
	}
	if a.HasMED {
		out = append(out, bgp.NewPathAttributeMultiExitDisc(a.MED))
	}
	if a.HasLocalPref {
		out = append(out, bgp.NewPathAttributeLocalPref(a.LocalPref))
	}
	if a.AtomicAggregate {
		out = append(out, bgp.NewPathAttributeAtomicAggregate())
	}
	if a.AggregatorAS != 0 {
		if !a.AggregatorID.Is4() {
			return nil, fmt.Errorf("AGGREGATOR %v is not an IPv4 address", a.AggregatorID)
		}
		out = append(out, bgp.NewPathAttributeAggregator(a.AggregatorAS, a.AggregatorID.String()))
	}
	if len(a.Communities) > 0 {
		out = append(out, bgp.NewPathAttributeCommunities(a.Communities))
	}
	if a.OriginatorID.IsValid() {
		if !a.OriginatorID.Is4() {
			return nil, fmt.Errorf("ORIGINATOR_ID %v is not four octets", a.OriginatorID)
		}
		out = append(out, bgp.NewPathAttributeOriginatorId(a.OriginatorID.String()))
	}
	if len(a.ClusterList) > 0 {
		ids := make([]string, len(a.ClusterList))
		for i, id := range a.ClusterList {
			if !id.Is4() {
				return nil, fmt.Errorf("CLUSTER_LIST entry %v is not four octets", id)
			}
			ids[i] = id.String()
		}
		out = append(out, bgp.NewPathAttributeClusterList(ids))
	}
	return out, nil
}

// identified tells gobgp in which families prefixes have Path Identifiers.
func identified(fs model.Families) *bgp.MarshallingOption {
	o := &bgp.MarshallingOption{AddPath: map[bgp.RouteFamily]bgp.BGPAddPathMode{}}
	for _, f := range fs.List() {
		o.AddPath[bgp.AfiSafiToRouteFamily(f.AFI, f.SAFI)] = bgp.BGP_ADD_PATH_BOTH
	}
	return o
}
