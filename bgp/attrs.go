package bgp

import (
	"math"
	"net/netip"
	"slices"
)

// Well-known communities. RFC 1997.
const (
	NoExport          uint32 = 0xFFFFFF01
	NoAdvertise       uint32 = 0xFFFFFF02
	NoExportSubconfed uint32 = 0xFFFFFF03
)

// Length of the path for the decision process: an AS_SET counts as 1, no
// matter how many ASes are in it. RFC 4271 §9.1.2.2 a).
func (p ASPath) Length() int {
	n := 0
	for _, s := range p {
		if s.Set {
			n++
		} else {
			n += len(s.ASNs)
		}
	}
	return n
}

// Neighbour is the neighbouring AS of the path: its first AS. A path that is
// empty or begins with an AS_SET belongs to the local AS, which is 0 here.
// RFC 4271 §9.1.2.2 c).
func (p ASPath) Neighbour() uint32 {
	if len(p) == 0 || p[0].Set || len(p[0].ASNs) == 0 {
		return 0
	}
	return p[0].ASNs[0]
}

// Has tells whether as occurs anywhere in the path.
func (p ASPath) Has(as uint32) bool {
	for _, s := range p {
		if slices.Contains(s.ASNs, as) {
			return true
		}
	}
	return false
}

// Equal tells whether two paths are the same, segment by segment.
func (p ASPath) Equal(q ASPath) bool {
	return slices.EqualFunc(p, q, func(a, b Segment) bool { return a.Set == b.Set && slices.Equal(a.ASNs, b.ASNs) })
}

// summary is what a Speaker asks most often about attributes that it has made
// itself (draft.go), so that the rest of them need not be fetched from memory. Its
// zero value says nothing.
type summary struct {
	hash   uint64 // never 0
	ases   uint64 // a bit for each AS in the path: an AS whose bit is not set is not in it
	length uint16 // of the path
	plain  bool   // no LOCAL_PREF, communities, ORIGINATOR_ID or CLUSTER_LIST
}

// summarise is the last step in making attributes of a hash.
func (a *Attrs) summarise(hash uint64) {
	a.summary = summary{hash: max(hash, 1), length: uint16(min(a.ASPath.Length(), math.MaxUint16)),
		plain: !a.HasLocalPref && len(a.Communities) == 0 && !a.OriginatorID.IsValid() && len(a.ClusterList) == 0}
	for _, s := range a.ASPath {
		for _, as := range s.ASNs {
			a.summary.ases |= bitOf(as)
		}
	}
}

// bitOf is the bit that stands for an AS.
func bitOf(as uint32) uint64 { return 1 << (as * 0x9E3779B1 >> 26) }

// passes tells whether as is in the path.
func (a *Attrs) passes(as uint32) bool {
	if a.summary.hash != 0 && a.summary.ases&bitOf(as) == 0 {
		return false
	}
	return a.ASPath.Has(as)
}

// pathLength is ASPath.Length.
func (a *Attrs) pathLength() int {
	if a.summary.hash != 0 {
		return int(a.summary.length)
	}
	return a.ASPath.Length()
}

// Equal tells whether a and b say the same; two nils do.
func (a *Attrs) Equal(b *Attrs) bool { return a == b || a != nil && b != nil && a.same(b) }

func (a *Attrs) same(b *Attrs) bool {
	if x, y := a.summary.hash, b.summary.hash; x != y && x != 0 && y != 0 {
		return false
	}
	return a.Origin == b.Origin && a.NextHop == b.NextHop &&
		a.HasMED == b.HasMED && a.MED == b.MED &&
		a.HasLocalPref == b.HasLocalPref && a.LocalPref == b.LocalPref &&
		a.AtomicAggregate == b.AtomicAggregate &&
		a.AggregatorAS == b.AggregatorAS && a.AggregatorID == b.AggregatorID &&
		a.OriginatorID == b.OriginatorID &&
		a.ASPath.Equal(b.ASPath) &&
		slices.Equal(a.Communities, b.Communities) &&
		slices.Equal(a.ClusterList, b.ClusterList)
}

// med is the MULTI_EXIT_DISC for comparison: "routes that do not have the
// MULTI_EXIT_DISC attribute are considered to have the lowest possible
// MULTI_EXIT_DISC value". RFC 4271 §9.1.2.2 c).
func (a *Attrs) med() uint32 {
	if !a.HasMED {
		return 0
	}
	return a.MED
}

func (a *Attrs) preference() uint32 {
	if !a.HasLocalPref {
		return defaultLocalPref
	}
	return a.LocalPref
}

// originator is what stands for the BGP Identifier of the speaker that the
// path comes from: "If a route carries the ORIGINATOR_ID attribute, then in
// step f) the ORIGINATOR_ID SHOULD be treated as the BGP Identifier of the BGP
// speaker that has advertised the route." RFC 4456 §9.
func (p *Path) originator() BGPID {
	if !p.Attrs.summary.plain && p.Attrs.OriginatorID.IsValid() {
		return BGPIDOf(p.Attrs.OriginatorID)
	}
	return p.PeerBGPID
}

// hash is equal for attributes that are Equal.
func (a *Attrs) hash() uint64 {
	h := uint64(a.Origin)
	for i, f := range [...]bool{a.HasMED, a.HasLocalPref, a.AtomicAggregate} {
		if f {
			h |= 256 << i
		}
	}
	h = mix(h, uint64(a.MED)<<32|uint64(a.LocalPref))
	h = mix(h, uint64(a.AggregatorAS))
	h = mixAddr(mixAddr(mixAddr(h, a.NextHop), a.AggregatorID), a.OriginatorID)
	for _, s := range a.ASPath {
		kind := uint64(len(s.ASNs)) << 1
		if s.Set {
			kind++
		}
		h = mix(h, kind)
		for _, as := range s.ASNs {
			h = mix(h, uint64(as))
		}
	}
	h = mix(h, uint64(len(a.Communities)))
	for _, c := range a.Communities {
		h = mix(h, uint64(c))
	}
	for _, c := range a.ClusterList {
		h = mixAddr(h, c)
	}
	return h
}

func mix(h, v uint64) uint64 {
	h = (h ^ v) * 0x9E3779B97F4A7C15 // 2^64 / golden ratio: spreads low bits upwards
	return h ^ h>>29
}

func mixAddr(h uint64, a netip.Addr) uint64 {
	if a.Is4() {
		b := a.As4()
		return mix(h, 1<<32|uint64(b[0])<<24|uint64(b[1])<<16|uint64(b[2])<<8|uint64(b[3]))
	}
	if !a.IsValid() {
		return mix(h, 0)
	}
	b := a.As16()
	for i := 0; i < 16; i += 4 {
		h = mix(h, uint64(b[i])<<24|uint64(b[i+1])<<16|uint64(b[i+2])<<8|uint64(b[i+3]))
	}
	return h
}
