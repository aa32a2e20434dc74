//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/vpnsim/vpnsim/topology"
)

// IPv6 in a namespace that belongs to a lab: addresses that are there at once and stay
// while an interface is down, as those of IPv4 do.

// six prepares a namespace for IPv6, before there are interfaces in it.
func (s *space) six(router bool) error {
	errs := []error{
		// There is nobody else whose address it could be. Detecting that would take a
		// second, at the start and whenever a link comes up.
		s.sysctl6("conf/default/accept_dad", "0"),
		s.sysctl6("conf/default/accept_ra", "0"),
		s.sysctl6("conf/default/router_solicitations", "0"),
		s.sysctl6("conf/default/keep_addr_on_down", "1"),
	}
	if router {
		errs = append(errs, s.sysctl6("conf/all/forwarding", "1"))
	}
	return errors.Join(errs...)
}

// sysctl6 sets a setting about IPv6.
func (s *space) sysctl6(name, value string) error { return s.sysctl("../ipv6/"+name, value) }

// insides are the addresses of an end of a link, whose number it is. One with IPv6 has a
// link-local address.
func insides(l *topology.Link, e, number int) []netip.Prefix {
	end := &l.Ends[e]
	list := []netip.Prefix{end.Inside}
	if end.Also.IsValid() {
		list = append(list, end.Also)
	}
	if len(list) > 1 || end.Inside.Addr().Is6() {
		list = append(list, netip.MustParsePrefix(fmt.Sprintf("fe80::%x:%d/64", number+1, e+1)))
	}
	return list
}

// reach gives a host's interface, eth0, an address and a way to everybody by the
// gateway, which the router's interface becomes, with a route to the host.
func reach(router *space, name string, host *space, a netip.Addr, gateway string) error {
	via, own, all := mustAddr(gateway), mustAddr(netip.PrefixFrom(a, a.BitLen()).String()), mustAddr("0.0.0.0/0")
	if a.Is6() {
		all = mustAddr("::/0")
	}
	err := router.on(name, func(n *netlink.Handle, link netlink.Link) error {
		return errors.Join(n.AddrAdd(link, via), n.LinkSetUp(link), n.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Scope: unix.RT_SCOPE_LINK, Dst: own.IPNet}))
	})
	if err != nil {
		return err
	}
	return host.on("eth0", func(n *netlink.Handle, link netlink.Link) error {
		index := link.Attrs().Index
		errs := []error{n.AddrAdd(link, own), n.LinkSetUp(link)}
		if a.Is4() {
			errs = append(errs, n.RouteAdd(&netlink.Route{LinkIndex: index, Scope: unix.RT_SCOPE_LINK, Dst: via.IPNet}))
		}
		return errors.Join(append(errs, n.RouteAdd(&netlink.Route{LinkIndex: index, Gw: via.IP, Dst: all.IPNet}))...)
	})
}

// mustAddr is an address with the length of its network. One of IPv6 is not looked for
// elsewhere before it is used.
func mustAddr(text string) *netlink.Addr {
	a, err := netlink.ParseAddr(text)
	if err != nil {
		panic("lab: " + err.Error())
	}
	if a.IP.To4() == nil {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}
