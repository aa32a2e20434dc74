//go:build linux

package lab

import (
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/vpnsim/vpnsim/packet"
)

// undisturbed watches the namespace that the test runs in until the returned function is
// called: no interface, address or route there changes, not even for a moment, nothing
// that the labs say is heard there, and no lab that runs counts as a dead one.
func undisturbed(t *testing.T) (stop func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		return func() {}
	}
	done := make(chan struct{})
	// The kernel tells of every change, so that none between two looks is missed.
	links, addrs, routes := make(chan netlink.LinkUpdate, 64), make(chan netlink.AddrUpdate, 64), make(chan netlink.RouteUpdate, 64)
	for _, err := range []error{netlink.LinkSubscribe(links, done), netlink.AddrSubscribe(addrs, done), netlink.RouteSubscribe(routes, done)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	here, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	outside, err := newTap(&space{name: "the test's", handle: here})
	if err != nil {
		t.Fatal(err)
	}
	before := surroundings(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case u, ok := <-addrs:
				if !ok {
					return
				}
				t.Errorf("outside, an address has changed: %v", u.LinkAddress)
			case u, ok := <-routes:
				if !ok {
					return
				}
				t.Errorf("outside, a route has changed: %v", u.Route)
			case u, ok := <-links:
				if !ok {
					return
				}
				if u.Header.Type == unix.RTM_DELLINK || u.Change != 0 {
					t.Errorf("outside, an interface has changed: %v", u.Attrs())
				}
			case <-tick.C:
				if now := surroundings(t); now != before {
					t.Errorf("outside, it was\n%s\nand is\n%s", before, now)
				}
				list, err := Leftovers()
				if err != nil {
					t.Error(err)
				}
				for _, l := range list {
					if isOurs(l.Run) {
						t.Errorf("%s runs, and counts as dead", l.Run)
					}
				}
			}
		}
	}()
	return func() {
		t.Helper()
		close(done)
		<-ended
		heard, _ := outside.stop(time.Now())
		here.Close()
		var p packet.Parser
		for _, o := range heard {
			if g, err := p.TCP(o.data); err == nil && (inLab(g.Src.Addr()) || inLab(g.Dst.Addr())) {
				t.Errorf("a lab is heard outside: %v to %v", g.Src, g.Dst)
			}
		}
		if after := surroundings(t); after != before {
			t.Errorf("outside, it was\n%s\nand is\n%s", before, after)
		}
	}
}

// inLab tells whether an address is one of those between which the tests' routers speak.
func inLab(a netip.Addr) bool { return a.IsLinkLocalUnicast() || a.IsPrivate() && a.Is6() }
