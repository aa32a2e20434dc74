package bgp_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
)

var both = []bgp.Family{bgp.IPv4Unicast, bgp.IPv6Unicast}

// dual is a router whose peers are offered both families.
func dual(asns ...uint32) bgp.SpeakerConfig {
	cfg := helperOf(asns...)
	for i := range cfg.Peers {
		g := *cfg.Peers[i].PeerGroup
		g.Families = bgp.WithIPv4 | bgp.WithIPv6
		g.AlsoLocal = netip.AddrFrom16([16]byte{0xfd, 7: byte(i), 15: 1})
		g.AlsoAddr = netip.AddrFrom16([16]byte{0xfd, 7: byte(i), 15: 2})
		cfg.Peers[i].PeerGroup = &g
	}
	return cfg
}

func dualOpen(o *bgp.Open) { o.Families = both }

// via6 are attributes with an IPv6 next hop.
func via6(as uint32) *bgp.Attrs {
	a := pathAttrs(asPath(as))
	a.NextHop = netip.MustParseAddr("fd00:0:0:9::9")
	return a
}

// RFC 4760 §8: "a BGP speaker … uses the Capability Advertisement procedures … to
// determine whether the speaker could use Multiprotocol extensions with a
// particular peer": a family that only one end offers is not exchanged, and what
// comes of it nevertheless is nothing.
func TestOnlyFamiliesThatBothOfferAreExchanged(t *testing.T) {
	r := newSpeakerRig(t, dual(1, 2, 3))
	r.originate("10.9.0.0/16")
	r.originate("2001:db8:9::/48")
	r.quiet()
	r.upWith(0, dualOpen)
	r.upWith(1, plainOpen)
	r.upWith(2, func(o *bgp.Open) { o.Families = []bgp.Family{bgp.IPv6Unicast} })
	r.announce(1, via6(2), "2001:db8:2::/48")
	r.announce(2, via6(3), "2001:db8:3::/48")
	r.want(`
	peer 0 up
	  to 0: [10.9.0.0/16] path [65000] via 10.0.0.1
	  to 0: [2001:db8:9::/48] path [65000] via fd00::1
	  to 0: End-of-RIB
	  to 0: End-of-RIB of IPv6
	peer 1 up
	  to 1: [10.9.0.0/16] path [65000] via 10.0.1.1
	  to 1: End-of-RIB
	peer 2 up
	  to 2: [2001:db8:9::/48] path [65000] via fd00:0:0:2::1
	  to 2: End-of-RIB of IPv6
	1 announces 2001:db8:2::/48
	2 announces 2001:db8:3::/48
	  route 2001:db8:3::/48: from 2 (only path)
	  to 0: [2001:db8:3::/48] path [65000 3] via fd00::1
	`)
	if got := r.s.Received(1, netip.MustParsePrefix("2001:db8:2::/48")); got != nil {
		t.Errorf("%+v was taken from a peer with IPv4 only", got)
	}
}

// RFC 4760 §3, §4: the prefixes of a family have an attribute of their own, with the
// next hop of that family; withdrawals of two families are two messages.
func TestFamiliesDoNotShareMessages(t *testing.T) {
	r := newSpeakerRig(t, dual(1, 2))
	r.upWith(0, dualOpen)
	r.upWith(1, dualOpen)
	r.announce(0, pathAttrs(asPath(1)), "10.1.0.0/16", "10.2.0.0/16")
	r.announce(0, via6(1), "2001:db8:1::/48", "2001:db8:2::/48")
	r.quiet()
	r.withdraw(0, "2001:db8:2::/48", "10.2.0.0/16", "2001:db8:1::/48")
	r.want(`
	0 withdraws 2001:db8:2::/48 10.2.0.0/16 2001:db8:1::/48
	  route 2001:db8:2::/48: none
	  route 10.2.0.0/16: none
	  route 2001:db8:1::/48: none
	  to 1: withdraw [10.2.0.0/16]
	  to 1: withdraw [2001:db8:2::/48 2001:db8:1::/48]
	`)
}

// RFC 4271 §4: "The maximum message size is 4096 octets", which the attributes
// around IPv6 prefixes count towards.
func TestManyIPv6PrefixesFitIntoMessages(t *testing.T) {
	r := newSpeakerRig(t, dual(1))
	for i := range 900 {
		r.s.Step(nil, bgp.Local, bgp.Input{Kind: bgp.InOriginate, Prefix: netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(i >> 8), byte(i)}), 128)})
	}
	count := map[string]int{}
	note := func(acts []bgp.Action) {
		for _, a := range acts {
			if a.Kind == bgp.ActSend && a.Msg.Size > 4096 {
				t.Errorf("a message of %d octets", a.Msg.Size)
			}
			if a.Kind == bgp.ActSend && !a.Msg.Update.EndOfRIB() {
				count["messages"]++
				count["news"] += len(a.Msg.Update.NLRI)
				count["gone"] += len(a.Msg.Update.Withdrawn)
			}
		}
	}
	open := bgp.Open{ID: netip.MustParseAddr("9.9.9.1"), Families: both}
	note(r.s.Step(nil, 0, bgp.Input{Kind: bgp.InPeerUp, Open: &open}))
	if count["news"] != 900 || count["messages"] != 4 {
		t.Errorf("%v", count)
	}
}

// RFC 2918 §4: a ROUTE-REFRESH is about one family.
func TestRefreshIsOfOneFamily(t *testing.T) {
	r := newSpeakerRig(t, dual(1))
	r.originate("10.9.0.0/16")
	r.originate("2001:db8:9::/48")
	r.upWith(0, dualOpen)
	r.quiet()
	for _, f := range both {
		r.step("refresh", 0, bgp.Input{Kind: bgp.InUpdate, Msg: (&bgp.Message{Type: bgp.MsgRouteRefresh, Refresh: &f}).Seal()})
	}
	r.want(`
	refresh
	  to 0: [10.9.0.0/16] path [65000] via 10.0.0.1
	refresh
	  to 0: [2001:db8:9::/48] path [65000] via fd00::1
	`)
}

// RFC 4724 §4.2: stale routes go when "the Forwarding State bit for a specific
// address family is not set in the newly received Graceful Restart Capability", and
// "once the End-of-RIB marker for an address family is received", those of that
// family; the other one's stay.
func TestGracefulRestartIsByFamily(t *testing.T) {
	restarter := func(kept ...bgp.Family) func(*bgp.Open) {
		return func(o *bgp.Open) {
			o.Families, o.Restart = both, &bgp.GracefulRestart{Time: 120}
			for _, f := range kept {
				o.Restart.Families = append(o.Restart.Families, bgp.RestartFamily{Family: f, Preserved: true})
			}
		}
	}
	start := func(open func(*bgp.Open)) *speakerRig {
		r := newSpeakerRig(t, dual(1))
		r.upWith(0, open)
		r.announce(0, pathAttrs(asPath(1)), "10.1.0.0/16")
		r.announce(0, via6(1), "2001:db8:1::/48")
		r.endOfRIB(0)
		r.quiet()
		r.away(0)
		return r
	}

	r := start(restarter(both...))
	r.upWith(0, restarter(both...))
	r.step("End-of-RIB of IPv6", 0, updateInput(&bgp.Update{Extra: &bgp.Extra{Ends: bgp.WithIPv6}}))
	r.endOfRIB(0)
	r.want(`
	peer 0 away
	  arm RestartTimer of 0: 2m0s
	peer 0 up
	  stop RestartTimer of 0
	  to 0: End-of-RIB
	  to 0: End-of-RIB of IPv6
	End-of-RIB of IPv6
	  route 2001:db8:1::/48: none
	0: End-of-RIB
	  route 10.1.0.0/16: none
	`)

	r = start(restarter(both...)) // it comes back without IPv6's forwarding state
	r.upWith(0, restarter(bgp.IPv4Unicast))
	r.want(`
	peer 0 away
	  arm RestartTimer of 0: 2m0s
	peer 0 up
	  stop RestartTimer of 0
	  route 2001:db8:1::/48: none
	  to 0: End-of-RIB
	  to 0: End-of-RIB of IPv6
	`)

	r = start(restarter(bgp.IPv6Unicast)) // it never asked to keep IPv4's routes
	r.want(`
	peer 0 away
	  arm RestartTimer of 0: 2m0s
	  route 10.1.0.0/16: none
	`)
}

// A limit counts the prefixes of each family by itself, as routers configure it.
func TestLimitIsByFamily(t *testing.T) {
	cfg := dual(1)
	cfg.Peers[0].MaxPrefixes = 1
	r := newSpeakerRig(t, cfg)
	r.upWith(0, dualOpen)
	r.announce(0, pathAttrs(asPath(1)), "10.1.0.0/16")
	r.announce(0, via6(1), "2001:db8:1::/48")
	r.quiet()
	r.announce(0, via6(1), "2001:db8:2::/48")
	r.want(`
	0 announces 2001:db8:2::/48
	  too many prefixes from 0
	`)
}

// RFC 4724 §4.1: a restarter waits for "the End-of-RIB marker from all its peers":
// of every family that is exchanged.
func TestDeferralWaitsForEveryFamily(t *testing.T) {
	cfg := dual(1)
	cfg.Peers[0].Restarter, cfg.SelectionDeferral = true, time.Minute
	r := newSpeakerRig(t, cfg)
	r.step("restarted", bgp.Local, bgp.Input{Kind: bgp.InRestart})
	r.upWith(0, func(o *bgp.Open) { o.Families, o.Restart = both, &bgp.GracefulRestart{} })
	r.endOfRIB(0)
	if !r.s.Deferring() {
		t.Error("it has chosen before the End-of-RIB of IPv6")
	}
	r.step("End-of-RIB of IPv6", 0, updateInput(&bgp.Update{Extra: &bgp.Extra{Ends: bgp.WithIPv6}}))
	if r.s.Deferring() || !r.s.EndOfRIB(0) {
		t.Error("it goes on waiting")
	}
}
