package topology

import (
	"fmt"
	"net/netip"
)

// IPv4 and IPv6 side by side. A host, and an end of a link, has an address of one
// family or one of each; a packet has both its addresses of one; a BGP session
// runs between the first addresses of its ends, and exchanges routes of those
// families of which both ends have an address, since that is the next hop.

// Family of an address.
type Family uint8

const (
	AnyFamily Family = iota // not said, or no address
	IPv4
	IPv6
)

func (f Family) String() string { return [...]string{"any family", "IPv4", "IPv6"}[f] }

// FamilyOf is the family of an address.
func FamilyOf(a netip.Addr) Family {
	switch {
	case !a.IsValid():
		return AnyFamily
	case a.Is4():
		return IPv4
	}
	return IPv6
}

// inFamily is the one of two that is of a family; invalid if neither is.
func inFamily(f Family, a, also netip.Addr) netip.Addr {
	for _, x := range [...]netip.Addr{a, also} {
		if x.IsValid() && (f == AnyFamily || FamilyOf(x) == f) {
			return x
		}
	}
	return netip.Addr{}
}

// In is the host's address of a family; invalid: it has none.
func (h *Host) In(f Family) netip.Addr { return inFamily(f, h.Addr, h.Also) }

// Has tells whether an address is the host's.
func (h *Host) Has(a netip.Addr) bool { return a.IsValid() && (h.Addr == a || h.Also == a) }

// Addrs are the host's addresses.
func (h *Host) Addrs() []netip.Addr {
	if h.Also.IsValid() {
		return []netip.Addr{h.Addr, h.Also}
	}
	return []netip.Addr{h.Addr}
}

// Ends are the addresses between which a probe goes: those of its family, or of
// the first family of its source that its destination has, too. Invalid: there is
// none.
func (d *Design) Ends(p *Probe) (src, dst netip.Addr) {
	from, to := &d.Hosts[p.From], &d.Hosts[p.To]
	for _, src := range from.Addrs() {
		if p.Family != AnyFamily && FamilyOf(src) != p.Family {
			continue
		}
		if dst := to.In(FamilyOf(src)); src.IsValid() && dst.IsValid() {
			return src, dst
		}
	}
	return netip.Addr{}, netip.Addr{}
}

// WatchOf is the pair that a probe goes between.
func (d *Design) WatchOf(p *Probe) Watch {
	src, dst := d.Ends(p)
	from, to := &d.Hosts[p.From], &d.Hosts[p.To]
	return Watch{From: Endpoint{Name: from.Name, Router: from.Router, Addr: src, DropICMP: from.DropICMP},
		To: Endpoint{Name: to.Name, Router: to.Router, Addr: dst, DropICMP: to.DropICMP}}
}

// In is the end's inside address of a family; invalid: it has none.
func (e *End) In(f Family) netip.Addr { return inFamily(f, e.Inside.Addr(), e.Also.Addr()) }

// Offers tells whether the end offers its peer a family.
func (e *End) Offers(f Family) bool {
	switch e.Settings[BGPFamilies].Enum {
	case "ipv4":
		return f == IPv4 && e.In(f).IsValid()
	case "ipv6":
		return f == IPv6 && e.In(f).IsValid()
	}
	return e.In(f).IsValid()
}

// Exchanges tells whether the session over the link exchanges a family: only what
// both ends offer.
func (l *Link) Exchanges(f Family) bool {
	return l.Ends[0].BGP && l.Ends[0].Offers(f) && l.Ends[1].Offers(f)
}

// inside checks the inside addresses of the ends of a link, the first ones, over
// which the session runs, or those of the other family.
func (v *validator) inside(l *Link, pick func(*End) netip.Prefix) (usable bool) {
	usable = true
	var in [2]netip.Prefix
	for e := range l.Ends {
		end := &l.Ends[e]
		in[e] = pick(end)
		if problem := unusable(in[e]); problem != "" {
			usable = false
			v.problem(firstPos(end.InsidePos, end.Pos), "", "%v is the %s address of its network", in[e], problem)
		}
	}
	pos := firstPos(l.Ends[1].InsidePos, l.Ends[1].Pos)
	a, b := v.router(l.Ends[0].Router), v.router(l.Ends[1].Router)
	small := "such as a /30"
	if !in[0].Addr().Is4() {
		small = "such as a /126"
	}
	switch {
	case FamilyOf(in[0].Addr()) != FamilyOf(in[1].Addr()):
		v.problem(pos, "write the addresses of both ends in the same order: the session runs between the first ones",
			"the ends of %q have inside addresses of two families: %v at %s, %v at %s", l.Name, in[0], a, in[1], b)
	case in[0].Masked() != in[1].Masked():
		v.problem(pos, fmt.Sprintf("the two ends share one small network, %s", small),
			"the ends of %q are not in the same network: %v at %s, %v at %s", l.Name, in[0], a, in[1], b)
	case in[0].Addr() == in[1].Addr():
		v.problem(pos, "", "both ends of %q have the inside address %v", l.Name, in[0].Addr())
	default:
		return usable
	}
	return false
}

func firstPos(a, b Pos) Pos {
	if a == (Pos{}) {
		return b
	}
	return a
}
