package bgp

import "net/netip"

// Address families: RFC 4760, "Multiprotocol Extensions for BGP-4", and RFC
// 2545 for IPv6. A prefix knows which family it is of, so that the tables of a
// Speaker hold all of them side by side, and no two of them meet. What is by
// family is what two speakers agree on: a family is exchanged only if both have
// offered it, has an End-of-RIB of its own, and a next hop of its own.

// Family is an address family and subsequent address family. RFC 4760.
type Family struct {
	AFI  uint16
	SAFI uint8
}

// The families that this package knows. IPv4 needs no multiprotocol extension.
var (
	IPv4Unicast = Family{AFI: 1, SAFI: 1}
	IPv6Unicast = Family{AFI: 2, SAFI: 1}
)

// Families is a set of families that this package knows.
type Families uint8

const (
	WithIPv4 Families = 1 << iota
	WithIPv6
)

// known are the families in the order of their bits.
var known = [...]Family{IPv4Unicast, IPv6Unicast}

// FamilyOf is the family of a prefix.
func FamilyOf(p netip.Prefix) Families { return addrFamily(p.Addr()) }

func addrFamily(a netip.Addr) Families {
	if a.Is4() {
		return WithIPv4
	}
	return WithIPv6
}

// List is the set as an OPEN has it.
func (fs Families) List() (list []Family) {
	for i, f := range known {
		if fs&(1<<i) != 0 {
			list = append(list, f)
		}
	}
	return list
}

// FamiliesOf is the set of those in list that this package knows.
func FamiliesOf(list []Family) (fs Families) {
	for i, f := range known {
		for _, x := range list {
			if x == f {
				fs |= 1 << i
			}
		}
	}
	return fs
}

// Has tells whether f is one of fs.
func (fs Families) Has(f Families) bool { return fs&f != 0 }

// each calls do for every family of fs.
func (fs Families) each(do func(f Families)) {
	for f := WithIPv4; f <= WithIPv6; f <<= 1 {
		if fs&f != 0 {
			do(f)
		}
	}
}

// offered is what an OPEN offers: a peer that says nothing of families, or of
// which nothing is known, has IPv4 only.
func offered(o *Open) Families {
	if o == nil || len(o.Families) == 0 {
		return WithIPv4
	}
	return FamiliesOf(o.Families)
}

// families is what is offered to a peer; without a word, IPv4.
func (g *PeerGroup) families() Families {
	if g.Families == 0 {
		return WithIPv4
	}
	return g.Families
}

// exportsAll tells whether an external peer of g is told of every route, but for
// what Role forbids, in the same words as others.
func (g *PeerGroup) exportsAll() bool {
	return !g.OwnOnly && !g.NoEcho && !g.SenderSideLoop && len(g.Export) == 0
}

// ours is our own address towards the peer in a family: the next hop of what we
// announce. "The Network Address of Next Hop field" of an IPv6 route has a global
// IPv6 address (RFC 2545 §3), whichever family the session runs over.
func (s *Speaker) ours(c *PeerConfig, f Families) netip.Addr {
	return inFamily(f, s.cfg.local(c), c.AlsoLocal)
}

// theirs is the peer's.
func (c *PeerConfig) theirs(f Families) netip.Addr { return inFamily(f, c.Addr, c.AlsoAddr) }

func inFamily(f Families, a, also netip.Addr) netip.Addr {
	if also.IsValid() && addrFamily(a) != f {
		return also
	}
	return a
}
