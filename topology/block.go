package topology

import (
	"fmt"
	"net/netip"
)

// A Network with a Count stands for so many prefixes of one length, one after
// the other from the start of Prefix: for designs whose routers announce as many
// as real ones.

// MaxBlock is how many prefixes one of them may stand for: as many as the
// Internet's routing table has.
const MaxBlock = 1_000_000

// Len is how many prefixes n is.
func (n *Network) Len() int { return max(1, n.Count) }

// At is the i-th of them.
func (n *Network) At(i int) netip.Prefix {
	if n.Count == 0 {
		return n.Prefix
	}
	b := n.Prefix.Addr().As16()
	// Add i at the last bit of the prefix.
	carry := uint64(i)
	end := n.Length
	if n.Prefix.Addr().Is4() {
		end += 96
	}
	for at, shift := (end-1)/8, uint(7-(end-1)%8); carry > 0 && at >= 0; at-- {
		sum := uint64(b[at]) + carry<<shift&0xff
		carry = carry>>(8-shift) + sum>>8
		b[at] = byte(sum)
		shift = 0
	}
	addr := netip.AddrFrom16(b)
	if n.Prefix.Addr().Is4() {
		addr = addr.Unmap()
	}
	return netip.PrefixFrom(addr, n.Length)
}

// Holding is the one that an address lies in.
func (n *Network) Holding(a netip.Addr) (netip.Prefix, bool) {
	if n.Count == 0 {
		return n.Prefix, n.Prefix.IsValid() && n.Prefix.Contains(a)
	}
	p, err := a.Prefix(n.Length)
	return p, err == nil && n.Has(p)
}

// Has tells whether p is one of them.
func (n *Network) Has(p netip.Prefix) bool {
	if n.Count == 0 {
		return n.Prefix == p
	}
	return p.Bits() == n.Length && n.Prefix.Contains(p.Addr()) && n.At(n.Count-1).Addr().Compare(p.Addr()) >= 0
}

func (n *Network) String() string {
	if n.Count == 0 {
		return n.Prefix.String()
	}
	return fmt.Sprintf("%d networks /%d in %v", n.Count, n.Length, n.Prefix)
}

// block checks a Network with a Count.
func (v *validator) block(n *Network) {
	if n.Count == 0 || !n.Prefix.IsValid() {
		return
	}
	room := n.Length - n.Prefix.Bits()
	switch {
	case n.Count < 0 || n.Count > MaxBlock:
		v.problem(n.Pos, "", "count: %d is not between 1 and %d", n.Count, MaxBlock)
	case room < 0 || n.Length > n.Prefix.Addr().BitLen():
		v.problem(n.Pos, "", "length: networks /%d do not lie in %v", n.Length, n.Prefix)
	case room < 32 && n.Count > 1<<room:
		v.problem(n.Pos, "", "%v has room for %d networks /%d, not for %d", n.Prefix, 1<<room, n.Length, n.Count)
	}
}
