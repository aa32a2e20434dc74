package wire

import (
	"net/netip"

	"pgregory.net/rapid"

	"github.com/vpnsim/vpnsim/bgp"
)

// message draws any message that the wire can carry, in its plain form (see
// the package comment for what is normalised).
func message() *rapid.Generator[*bgp.Message] {
	return rapid.Custom(func(t *rapid.T) *bgp.Message {
		m := &bgp.Message{Type: bgp.MsgType(rapid.IntRange(1, 5).Draw(t, "type"))}
		switch m.Type {
		case bgp.MsgOpen:
			m.Open = open().Draw(t, "open")
		case bgp.MsgUpdate:
			nlri, hops := prefixes(), hops4()
			if rapid.Bool().Draw(t, "six") {
				nlri, hops = prefixes6(), addrs6().Filter(netip.Addr.IsGlobalUnicast)
			}
			m.Update = &bgp.Update{
				Withdrawn: some(append(rapid.SliceOfN(prefixes(), 0, 10).Draw(t, "withdrawn"), rapid.SliceOfN(prefixes6(), 0, 10).Draw(t, "withdrawn6")...)),
				NLRI:      some(rapid.SliceOfN(nlri, 0, 20).Draw(t, "nlri")),
			}
			switch {
			case m.Update.NLRI != nil:
				m.Update.Attrs = attrs().Draw(t, "attrs")
				m.Update.Attrs.NextHop = hops.Draw(t, "nexthop")
			case m.Update.EndOfRIB() && rapid.Bool().Draw(t, "ends"):
				m.Update.Extra = &bgp.Extra{Ends: bgp.WithIPv6}
			}
			if rapid.Bool().Draw(t, "paths") { // of every prefix
				x := bgp.Extra{Withdrawn: identifiers(t, len(m.Update.Withdrawn)), NLRI: identifiers(t, len(m.Update.NLRI))}
				if !m.Update.EndOfRIB() {
					m.Update.Extra = &x
				}
			}
		case bgp.MsgNotification:
			m.Notification = &bgp.Notification{
				Code:    bgp.NoteCode(rapid.Byte().Draw(t, "code")),
				Subcode: rapid.Byte().Draw(t, "subcode"),
				Data:    some(rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "data")),
			}
		case bgp.MsgRouteRefresh:
			f := family().Draw(t, "family")
			m.Refresh = &f
		}
		return m
	})
}

func identifiers(t *rapid.T, n int) []uint32 {
	return some(rapid.SliceOfN(rapid.Uint32(), n, n).Draw(t, "ids"))
}

// some makes an empty list nil, as the decoder has it.
func some[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return s
}

func family() *rapid.Generator[bgp.Family] {
	return rapid.Custom(func(t *rapid.T) bgp.Family {
		return bgp.Family{AFI: rapid.Uint16().Draw(t, "afi"), SAFI: rapid.Byte().Draw(t, "safi")}
	})
}

func open() *rapid.Generator[*bgp.Open] {
	return rapid.Custom(func(t *rapid.T) *bgp.Open {
		o := &bgp.Open{
			Version:      4,
			HoldTime:     rapid.Uint16().Filter(func(h uint16) bool { return h != 1 && h != 2 }).Draw(t, "hold"),
			ID:           addrs().Filter(func(a netip.Addr) bool { return !a.IsUnspecified() }).Draw(t, "id"),
			Families:     some(rapid.SliceOfNDistinct(family(), 0, 5, rapid.ID).Draw(t, "families")),
			RouteRefresh: rapid.Bool().Draw(t, "refresh"),
			FourOctetAS:  rapid.Bool().Draw(t, "as4"),
		}
		if o.FourOctetAS {
			o.AS = rapid.Uint32Min(1).Draw(t, "as")
		} else {
			o.AS = rapid.Uint32Range(1, 0xffff).Draw(t, "as")
		}
		for _, f := range some(rapid.SliceOfNDistinct(family(), 0, 3, rapid.ID).Draw(t, "add-path")) {
			send := rapid.Bool().Draw(t, "send")
			o.AddPath = append(o.AddPath, bgp.AddPath{Family: f, Send: send, Receive: !send || rapid.Bool().Draw(t, "receive")})
		}
		o.BFDStrict = rapid.Bool().Draw(t, "bfd strict")
		if rapid.Bool().Draw(t, "gr") {
			o.Restart = &bgp.GracefulRestart{
				Restarting: rapid.Bool().Draw(t, "r"),
				Notify:     rapid.Bool().Draw(t, "n"),
				Time:       rapid.Uint16Max(0xfff).Draw(t, "time"),
				Families: some(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bgp.RestartFamily {
					return bgp.RestartFamily{Family: family().Draw(t, "family"), Preserved: rapid.Bool().Draw(t, "f")}
				}), 0, 5).Draw(t, "families")),
			}
		}
		if rapid.Bool().Draw(t, "llgr") {
			o.LongLived = &bgp.LongLived{Families: some(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bgp.LongLivedFamily {
				return bgp.LongLivedFamily{Family: family().Draw(t, "family"), Preserved: rapid.Bool().Draw(t, "f"), StaleTime: rapid.Uint32Max(0xffffff).Draw(t, "time")}
			}), 0, 5).Draw(t, "families"))}
		}
		return o
	})
}

func addrs() *rapid.Generator[netip.Addr] {
	return rapid.Custom(func(t *rapid.T) netip.Addr {
		u := rapid.Uint32().Draw(t, "addr")
		return netip.AddrFrom4([4]byte{byte(u >> 24), byte(u >> 16), byte(u >> 8), byte(u)})
	})
}

func prefixes() *rapid.Generator[netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) netip.Prefix {
		return netip.PrefixFrom(addrs().Draw(t, "addr"), rapid.IntRange(0, 32).Draw(t, "bits")).Masked()
	})
}

func addrs6() *rapid.Generator[netip.Addr] {
	return rapid.Custom(func(t *rapid.T) netip.Addr {
		var b [16]byte
		copy(b[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "addr"))
		return netip.AddrFrom16(b)
	}).Filter(func(a netip.Addr) bool { return !a.Is4In6() })
}

func prefixes6() *rapid.Generator[netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) netip.Prefix {
		return netip.PrefixFrom(addrs6().Draw(t, "addr"), rapid.IntRange(0, 128).Draw(t, "bits")).Masked()
	}).Filter(func(p netip.Prefix) bool { return !p.Addr().Is4In6() })
}

func hops4() *rapid.Generator[netip.Addr] {
	return addrs().Filter(func(a netip.Addr) bool { b := a.As4(); return nextHopFault(b[:]) == 0 })
}

func attrs() *rapid.Generator[*bgp.Attrs] {
	return rapid.Custom(func(t *rapid.T) *bgp.Attrs {
		a := &bgp.Attrs{
			Origin:          bgp.Origin(rapid.IntRange(0, 2).Draw(t, "origin")),
			NextHop:         hops4().Draw(t, "nexthop"),
			HasMED:          rapid.Bool().Draw(t, "hasmed"),
			HasLocalPref:    rapid.Bool().Draw(t, "haslp"),
			AtomicAggregate: rapid.Bool().Draw(t, "atomic"),
			Communities:     some(rapid.SliceOfN(rapid.Uint32(), 0, 90).Draw(t, "communities")),
			ClusterList:     some(rapid.SliceOfN(addrs(), 0, 90).Draw(t, "clusters")),
		}
		for i, n := 0, rapid.IntRange(0, 3).Draw(t, "segments"); i < n; i++ {
			a.ASPath = append(a.ASPath, bgp.Segment{
				Set:  rapid.Bool().Draw(t, "set"),
				ASNs: rapid.SliceOfN(rapid.Uint32Min(1), 1, 80).Draw(t, "asns"),
			})
		}
		if a.HasMED {
			a.MED = rapid.Uint32().Draw(t, "med")
		}
		if a.HasLocalPref {
			a.LocalPref = rapid.Uint32().Draw(t, "lp")
		}
		if rapid.Bool().Draw(t, "aggregator") {
			a.AggregatorAS, a.AggregatorID = rapid.Uint32Min(1).Draw(t, "aggas"), addrs().Draw(t, "aggid")
		}
		if rapid.Bool().Draw(t, "originator") {
			a.OriginatorID = addrs().Draw(t, "origid")
		}
		return a
	})
}
