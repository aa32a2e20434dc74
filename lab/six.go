package lab

import (
	"net/netip"

	"github.com/vpnsim/vpnsim/topology"
)

// hasSix tells whether there is IPv6 in a design: a namespace without it needs none.
func hasSix(d *topology.Design) bool {
	six := func(list ...netip.Addr) bool {
		for _, a := range list {
			if a.IsValid() && !a.Is4() {
				return true
			}
		}
		return false
	}
	for i := range d.Links {
		for e := range d.Links[i].Ends {
			if end := &d.Links[i].Ends[e]; six(end.Inside.Addr(), end.Also.Addr()) {
				return true
			}
		}
	}
	for i := range d.Hosts {
		if six(d.Hosts[i].Addrs()...) {
			return true
		}
	}
	return false
}
