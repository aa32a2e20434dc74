package topology

import (
	"fmt"
	"net/netip"
	"strings"
)

// Watch is a pair of addresses whose forwarding is followed through the whole
// run, in both directions, without a packet being sent.
type Watch struct {
	From, To Endpoint
	Pos      Pos
}

// Endpoint is an address and the router that it is behind. A router that
// announces nothing has no address that anything could be sent to.
type Endpoint struct {
	Name   string // as it was given
	Router int
	Addr   netip.Addr // invalid: it has none
	also   netip.Addr // of the other family, where a name stands for both
	// DropICMP: the security group of the host lets no echo request in.
	DropICMP bool
}

// ParseWatch reads "vm -> ec2" or "vm,10.2.0.7": two hosts, addresses or routers.
func (d *Design) ParseWatch(text string) (Watch, error) {
	from, to, ok := strings.Cut(text, "->")
	if !ok {
		from, to, ok = strings.Cut(text, ",")
	}
	if !ok {
		return Watch{}, fmt.Errorf("%q is no pair: write vm -> ec2", text)
	}
	return d.PairOf(strings.TrimSpace(from), strings.TrimSpace(to))
}

// PairOf is the pair of these two.
func (d *Design) PairOf(from, to string) (Watch, error) {
	a, err := d.Endpoint(from)
	if err != nil {
		return Watch{}, err
	}
	b, err := d.Endpoint(to)
	if FamilyOf(a.Addr) != FamilyOf(b.Addr) && a.Addr.IsValid() {
		// A name that stands for two addresses stands for the one that fits, the
		// first one of the first name if there is a choice.
		if FamilyOf(b.also) == FamilyOf(a.Addr) {
			b.Addr = b.also
		} else if FamilyOf(a.also) == FamilyOf(b.Addr) {
			a.Addr = a.also
		}
	}
	a.also, b.also = netip.Addr{}, netip.Addr{}
	switch {
	case err != nil:
		return Watch{}, err
	case a.Addr.IsValid() && b.Addr.IsValid() && FamilyOf(a.Addr) != FamilyOf(b.Addr):
		return Watch{}, fmt.Errorf("%q and %q have no addresses of one family", a.Name, b.Name)
	case !b.Addr.IsValid():
		return Watch{}, fmt.Errorf("router %q announces no network that anything could be sent to", b.Name)
	case a.Addr == b.Addr:
		return Watch{}, fmt.Errorf("%q and %q are the same address", a.Name, b.Name)
	}
	return Watch{From: a, To: b}, nil
}

// Endpoint finds a host by its name, an address in the network that a router
// announces (at any time of the story), or a router by its name, which stands for
// the first address of its first network.
func (d *Design) Endpoint(name string) (Endpoint, error) {
	addr, notAddr := netip.ParseAddr(name)
	for i := range d.Hosts {
		switch h := &d.Hosts[i]; {
		case h.Name == name:
			return Endpoint{Name: name, Router: h.Router, Addr: h.Addr, also: h.Also, DropICMP: h.DropICMP}, nil
		case notAddr == nil && h.Has(addr):
			return Endpoint{Name: name, Router: h.Router, Addr: addr, DropICMP: h.DropICMP}, nil
		}
	}
	if notAddr != nil {
		for i := range d.Routers {
			if r := &d.Routers[i]; r.Name == name {
				e := Endpoint{Name: name, Router: i}
				if p, ok := d.firstNetwork(i, AnyFamily); ok {
					e.Addr = p.Masked().Addr().Next()
					if p, ok = d.firstNetwork(i, IPv4+IPv6-FamilyOf(e.Addr)); ok {
						e.also = p.Masked().Addr().Next()
					}
				}
				return e, nil
			}
		}
		return Endpoint{}, fmt.Errorf("there is no host, router or address %q", name)
	}
	best, router := netip.Prefix{}, -1
	for i := range d.Routers {
		d.networksOf(i, func(p netip.Prefix) {
			if p.Contains(addr) && (router < 0 || p.Bits() > best.Bits()) {
				best, router = p, i
			}
		})
	}
	if router < 0 {
		return Endpoint{}, fmt.Errorf("no router announces a network that %s is in", name)
	}
	return Endpoint{Name: name, Router: router, Addr: addr}, nil
}

// networksOf calls f for every prefix that a router announces at some time.
func (d *Design) networksOf(router int, f func(netip.Prefix)) {
	for _, n := range d.Routers[router].Networks {
		f(n.Prefix)
	}
	for i := range d.Story {
		if s := &d.Story[i]; s.Kind == PrefixAnnounce && s.Router == router && s.Prefix.IsValid() {
			f(s.Prefix)
		}
	}
}

func (d *Design) firstNetwork(router int, f Family) (first netip.Prefix, ok bool) {
	d.networksOf(router, func(p netip.Prefix) {
		if !ok && (f == AnyFamily || FamilyOf(p.Addr()) == f) {
			first, ok = p, true
		}
	})
	return first, ok
}
