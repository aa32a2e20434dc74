package bgp_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vpnsim/vpnsim/bgp"
)

// helperOf is speakerOf with peers whose restarts are helped.
func helperOf(asns ...uint32) bgp.SpeakerConfig {
	cfg := speakerOf("rfc4271", asns...)
	for i := range cfg.Peers {
		g := *cfg.Peers[i].PeerGroup
		g.Helper, g.NoEcho = bgp.Helper{Restart: true}, true
		cfg.Peers[i].PeerGroup = &g
	}
	return cfg
}

// asked is a peer that asks for 120 s, and says whether it has kept its
// forwarding state.
func asked(preserved bool) func(*bgp.Open) {
	return func(o *bgp.Open) {
		o.Restart = &bgp.GracefulRestart{Time: 120, Families: []bgp.RestartFamily{{Family: bgp.IPv4Unicast, Preserved: preserved}}}
	}
}

func plainOpen(*bgp.Open) {}

// restartRig is a router with two peers, of which 0 announces two prefixes and
// restarts.
func restartRig(t *testing.T, cfg bgp.SpeakerConfig, edit func(*bgp.Open)) *speakerRig {
	r := newSpeakerRig(t, cfg)
	r.upWith(0, edit)
	r.upWith(1, plainOpen)
	r.announce(0, pathAttrs(asPath(1)), "10.1.0.0/16", "10.2.0.0/16")
	r.endOfRIB(0)
	r.quiet()
	return r
}

// RFC 4724 §4.2: the receiving speaker "MUST retain the routes received from the
// peer … and MUST mark them as stale", "MUST replace the stale routes by the
// routing updates received from the peer", and "Once the End-of-RIB marker for an
// address family is received from the peer, it MUST immediately remove any routes
// from the peer that are still marked as stale".
func TestRoutesOfARestartingPeerStayUntilItsEndOfRIB(t *testing.T) {
	r := restartRig(t, helperOf(1, 2), asked(true))
	r.away(0)
	r.upWith(0, asked(true))
	r.announce(0, pathAttrs(asPath(1)), "10.1.0.0/16")
	r.endOfRIB(0)
	r.want(`
	peer 0 away
	  arm RestartTimer of 0: 2m0s
	peer 0 up
	  stop RestartTimer of 0
	  to 0: End-of-RIB
	0 announces 10.1.0.0/16
	0: End-of-RIB
	  route 10.2.0.0/16: none
	  to 1: withdraw [10.2.0.0/16]
	`)
	if n := r.s.Stale(0); n != 0 {
		t.Errorf("%d routes are stale", n)
	}
}

// "If the session does not get re-established within the 'Restart Time' that the
// peer advertised previously, the Receiving Speaker MUST delete all the stale
// routes from the peer that it is retaining."
func TestRoutesOfAPeerThatDoesNotComeBackGoAfterTheRestartTime(t *testing.T) {
	r := restartRig(t, helperOf(1, 2), asked(true))
	r.away(0)
	r.stale(0, bgp.RestartTimer)
	r.stale(0, bgp.RestartTimer) // it does not run
	r.want(`
	peer 0 away
	  arm RestartTimer of 0: 2m0s
	RestartTimer of 0
	  route 10.1.0.0/16: none
	  route 10.2.0.0/16: none
	  to 1: withdraw [10.1.0.0/16 10.2.0.0/16]
	RestartTimer of 0
	`)
}

// "if the 'Forwarding State' bit for a specific address family is not set in the
// newly received Graceful Restart Capability, or if a specific address family is
// not included …, or if the Graceful Restart Capability is not received in the
// re-established session at all, then the Receiving Speaker MUST immediately
// remove all the stale routes".
func TestAPeerThatHasForgottenItsForwardingStateIsForgotten(t *testing.T) {
	for name, edit := range map[string]func(*bgp.Open){
		"F bit not set": asked(false), "no capability": plainOpen,
		"no family": func(o *bgp.Open) { o.Restart = &bgp.GracefulRestart{Time: 120} },
	} {
		t.Run(name, func(t *testing.T) {
			r := restartRig(t, helperOf(1, 2), asked(true))
			r.away(0)
			r.upWith(0, edit)
			r.want(`
			peer 0 away
			  arm RestartTimer of 0: 2m0s
			peer 0 up
			  stop RestartTimer of 0
			  route 10.1.0.0/16: none
			  route 10.2.0.0/16: none
			  to 1: withdraw [10.1.0.0/16 10.2.0.0/16]
			  to 0: End-of-RIB
			`)
		})
	}
}

// A second restart before the first one is over: "a route (from the peer)
// previously marked as stale MUST be deleted".
func TestConsecutiveRestarts(t *testing.T) {
	r := restartRig(t, helperOf(1, 2), asked(true))
	r.away(0)
	r.upWith(0, asked(true))
	r.announce(0, pathAttrs(asPath(1)), "10.2.0.0/16")
	r.quiet()
	r.away(0)
	r.want(`
	peer 0 away
	  arm RestartTimer of 0: 2m0s
	  route 10.1.0.0/16: none
	  to 1: withdraw [10.1.0.0/16]
	`)
}

// A session that ends otherwise takes the routes along, also those that were
// kept from before; and so does the end of the wait for one.
func TestNoGraceForASessionThatEndsOtherwise(t *testing.T) {
	r := restartRig(t, helperOf(1, 2), asked(true))
	r.away(0)
	r.upWith(0, asked(true))
	r.quiet()
	r.down(0)
	r.want(`
	peer 0 down
	  route 10.1.0.0/16: none
	  route 10.2.0.0/16: none
	  to 1: withdraw [10.1.0.0/16 10.2.0.0/16]
	`)
	r = restartRig(t, helperOf(1, 2), asked(true))
	r.away(0)
	r.quiet()
	r.down(0)
	r.want(`
	peer 0 down
	  stop RestartTimer of 0
	  route 10.1.0.0/16: none
	  route 10.2.0.0/16: none
	  to 1: withdraw [10.1.0.0/16 10.2.0.0/16]
	`)
	// Nor for one whose peer has not asked for it, or from who does not help.
	for _, x := range []*speakerRig{restartRig(t, helperOf(1, 2), plainOpen), restartRig(t, speakerOf("rfc4271", 1, 2), asked(true))} {
		x.away(0)
		if x.s.Stale(0) != 0 || x.s.Route(prefixList("10.1.0.0/16")[0]) != nil {
			t.Error("the routes are kept")
		}
	}
}

// "To put an upper bound on the amount of time a Receiving Speaker retains the
// stale routes, an implementation MAY support a (configurable) timer": in FRR and
// Cisco IOS the stalepath-time, which runs from the end of the session on.
func TestStalePathTimerBoundsTheWaitForEndOfRIB(t *testing.T) {
	cfg := helperOf(1, 2)
	cfg.Peers[0].StalePath = 360 * time.Second
	r := restartRig(t, cfg, asked(true))
	r.away(0)
	r.upWith(0, asked(true))
	r.announce(0, pathAttrs(asPath(1)), "10.2.0.0/16")
	r.stale(0, bgp.StalePathTimer)
	r.want(`
	peer 0 away
	  arm RestartTimer of 0: 2m0s
	  arm StalePathTimer of 0: 6m0s
	peer 0 up
	  stop RestartTimer of 0
	  to 0: End-of-RIB
	0 announces 10.2.0.0/16
	StalePathTimer of 0
	  route 10.1.0.0/16: none
	  to 1: withdraw [10.1.0.0/16]
	`)
}

// A stale route is as good as any: "The router MUST NOT differentiate between
// stale and other routing information during forwarding." Better news from
// another peer counts at once.
func TestStaleRoutesCompeteAsBefore(t *testing.T) {
	r := restartRig(t, helperOf(1, 2), asked(true))
	r.announce(1, pathAttrs(asPath(2, 9)), "10.1.0.0/16")
	r.away(0)
	r.quiet()
	r.announce(1, pathAttrs(asPath(2)), "10.2.0.0/16") // loses by the higher identifier
	r.announce(1, pathAttrs(nil), "10.1.0.0/16")
	r.want(`
	1 announces 10.2.0.0/16
	1 announces 10.1.0.0/16
	  route 10.1.0.0/16: from 1 (shorter AS_PATH)
	  to 1: withdraw [10.1.0.0/16]
	`)
}

// longLived is a peer that offers both, with its times.
func longLived(restart uint16, stale uint32, preserved bool) func(*bgp.Open) {
	return func(o *bgp.Open) {
		asked(preserved)(o)
		o.Restart.Time = restart
		o.LongLived = &bgp.LongLived{Families: []bgp.LongLivedFamily{{Family: bgp.IPv4Unicast, Preserved: preserved, StaleTime: stale}}}
	}
}

// longHelperOf is helperOf with RFC 9494.
func longHelperOf(asns ...uint32) bgp.SpeakerConfig {
	cfg := helperOf(asns...)
	cfg.LongLived, cfg.Rules = true, append(bgp.Ruleset{bgp.RuleLongLived}, cfg.Rules...)
	for i := range cfg.Peers {
		cfg.Peers[i].Helper.LongLived = true
	}
	return cfg
}

// RFC 9494 §4.2: when the Restart Time is over, "the helper router MUST start a
// timer for that Long-Lived Stale Time", "MUST attach the LLGR_STALE community to
// the stale routes being retained", and if the timer "expires before the session
// is re-established, the helper MUST delete all stale routes". Routes "marked with
// the NO_LLGR community … MUST NOT be retained". §4.3: such a route is "the least
// preferred in route selection", and "SHOULD NOT be advertised to any neighbor
// from which the Long-Lived Graceful Restart Capability has not been received".
func TestLongLivedStaleRoutesAreTheLastChoice(t *testing.T) {
	r := newSpeakerRig(t, longHelperOf(1, 2, 3))
	r.upWith(0, longLived(120, 3600, true))
	r.upWith(1, longLived(0, 0, false))
	r.upWith(2, plainOpen)
	r.announce(0, pathAttrs(asPath(1)), "10.1.0.0/16", "10.2.0.0/16")
	r.announce(0, pathAttrs(asPath(1), withCommunities(bgp.NoLLGR)), "10.3.0.0/16")
	r.announce(1, pathAttrs(asPath(2, 9, 9)), "10.2.0.0/16")
	r.away(0)
	r.quiet()
	r.stale(0, bgp.RestartTimer)
	r.stale(0, bgp.LongLivedTimer)
	r.want(`
	RestartTimer of 0
	  arm LongLivedTimer of 0: 1h0m0s
	  route 10.1.0.0/16: from 0 (only path)
	  route 10.2.0.0/16: from 1 (not long-lived stale)
	  route 10.3.0.0/16: none
	  to 1: withdraw [10.2.0.0/16 10.3.0.0/16]
	  to 1: [10.1.0.0/16] path [65000 1] via 10.0.1.1 communities [ffff0006]
	  to 2: withdraw [10.1.0.0/16 10.3.0.0/16]
	  to 2: [10.2.0.0/16] path [65000 2 9 9] via 10.0.2.1
	LongLivedTimer of 0
	  route 10.1.0.0/16: none
	  to 1: withdraw [10.1.0.0/16]
	`)
}

// A peer that has been long gone and says its routes again is as before.
func TestLongLivedStaleRoutesAreFreshWhenSaidAgain(t *testing.T) {
	r := restartRig(t, longHelperOf(1, 2), longLived(0, 3600, true)) // a Restart Time of zero: at once
	r.away(0)
	r.upWith(0, longLived(0, 3600, true))
	r.announce(0, pathAttrs(asPath(1)), "10.1.0.0/16")
	r.endOfRIB(0)
	r.want(`
	peer 0 away
	  arm LongLivedTimer of 0: 1h0m0s
	  route 10.1.0.0/16: from 0 (only path)
	  route 10.2.0.0/16: from 0 (only path)
	  to 1: withdraw [10.1.0.0/16 10.2.0.0/16]
	peer 0 up
	  to 0: End-of-RIB
	0 announces 10.1.0.0/16
	  route 10.1.0.0/16: from 0 (only path)
	  to 1: [10.1.0.0/16] path [65000 1] via 10.0.1.1
	0: End-of-RIB
	  stop LongLivedTimer of 0
	  route 10.2.0.0/16: none
	`)
}

// RFC 9494 §4.2: "in the case of consecutive restarts, the previously marked stale
// routes MUST NOT be deleted before the timer for the Long-Lived Stale Time
// expires", which "MUST NOT be updated … until the peer has established and
// synchronized a new session". Without forwarding state it gets no such grace.
func TestLongLivedTimeIsNotProlonged(t *testing.T) {
	r := restartRig(t, longHelperOf(1, 2), longLived(120, 3600, true))
	r.away(0)
	r.stale(0, bgp.RestartTimer)
	r.upWith(0, longLived(120, 3600, true))
	r.announce(0, pathAttrs(asPath(1)), "10.1.0.0/16")
	r.quiet()
	r.away(0)
	if n := r.s.Stale(0); n != 2 {
		t.Errorf("%d routes are kept", n)
	}
	r.stale(0, bgp.LongLivedTimer)
	r.want(`
	peer 0 away
	  route 10.1.0.0/16: from 0 (only path)
	  to 1: withdraw [10.1.0.0/16]
	LongLivedTimer of 0
	  route 10.1.0.0/16: none
	  route 10.2.0.0/16: none
	`)

	r = restartRig(t, longHelperOf(1, 2), longLived(0, 3600, true))
	r.away(0)
	r.upWith(0, longLived(0, 3600, false))
	if n := r.s.Stale(0); n != 0 {
		t.Errorf("%d routes are kept of a peer without its forwarding state", n)
	}
}

// Time that is up while the peer says its routes: what it has not said is
// removed; and should it go before it is done, nothing is kept.
func TestLongLivedTimeThatEndsWhileThePeerReturns(t *testing.T) {
	r := restartRig(t, longHelperOf(1, 2), longLived(0, 3600, true))
	r.away(0)
	r.upWith(0, longLived(0, 3600, true))
	r.announce(0, pathAttrs(asPath(1)), "10.1.0.0/16")
	r.quiet()
	r.stale(0, bgp.LongLivedTimer)
	r.away(0)
	r.want(`
	LongLivedTimer of 0
	  route 10.2.0.0/16: none
	peer 0 away
	  route 10.1.0.0/16: none
	  to 1: withdraw [10.1.0.0/16]
	`)
}

// RFC 4724 §4.1: the restarting speaker "MUST defer route selection for an address
// family until it either (a) receives the End-of-RIB marker from all its peers
// (excluding the ones with the 'Restart State' bit set in the received capability
// and excluding the ones that do not advertise the graceful restart capability) or
// (b) the Selection_Deferral_Timer … has expired." Then "The Adj-RIB-Out can then
// be advertised to its peers", and "the End-of-RIB marker MUST be sent".
func TestARestartingSpeakerDefersItsChoice(t *testing.T) {
	cfg := helperOf(1, 2, 3, 4)
	cfg.SelectionDeferral = 360 * time.Second
	for i := range cfg.Peers {
		cfg.Peers[i].Restarter = true
	}
	r := newSpeakerRig(t, cfg)
	r.step("restart", bgp.Local, bgp.Input{Kind: bgp.InRestart})
	r.originate("10.0.0.0/16")
	r.upWith(0, asked(true))
	r.announce(0, pathAttrs(asPath(1)), "10.1.0.0/16")
	r.endOfRIB(0)
	r.upWith(1, plainOpen) // it will not say End-of-RIB, or not mean it
	r.upWith(2, func(o *bgp.Open) { asked(true)(o); o.Restart.Restarting = true })
	if !r.s.Deferring() || r.s.Route(prefixList("10.1.0.0/16")[0]) != nil {
		t.Error("there is a route already")
	}
	if v := r.s.Explain(prefixList("10.1.0.0/16")[0]); len(v) != 1 || v[0].Rule != bgp.RuleDeferred || v[0].Candidate() {
		t.Errorf("explained as %+v", v)
	}
	r.upWith(3, asked(true))
	r.endOfRIB(3)
	r.want(`
	restart
	  arm SelectionTimer of -1: 6m0s
	originate 10.0.0.0/16
	peer 0 up
	0 announces 10.1.0.0/16
	0: End-of-RIB
	peer 1 up
	peer 2 up
	peer 3 up
	3: End-of-RIB
	  stop SelectionTimer of -1
	  route 10.0.0.0/16: from -1 (only path)
	  route 10.1.0.0/16: from 0 (only path)
	  all routes are chosen
	  to 0: [10.0.0.0/16] path [65000] via 10.0.0.1
	  to 0: End-of-RIB
	  to 1: [10.0.0.0/16] path [65000] via 10.0.1.1
	  to 1: [10.1.0.0/16] path [65000 1] via 10.0.1.1
	  to 1: End-of-RIB
	  to 2: [10.0.0.0/16] path [65000] via 10.0.2.1
	  to 2: [10.1.0.0/16] path [65000 1] via 10.0.2.1
	  to 2: End-of-RIB
	  to 3: [10.0.0.0/16] path [65000] via 10.0.3.1
	  to 3: [10.1.0.0/16] path [65000 1] via 10.0.3.1
	  to 3: End-of-RIB
	`)

	r = newSpeakerRig(t, cfg)
	r.step("restart", bgp.Local, bgp.Input{Kind: bgp.InRestart})
	r.upWith(0, asked(true))
	r.announce(0, pathAttrs(asPath(1)), "10.1.0.0/16")
	r.quiet()
	r.stale(bgp.Local, bgp.SelectionTimer)
	r.upWith(1, plainOpen)
	r.want(`
	SelectionTimer of -1
	  route 10.1.0.0/16: from 0 (only path)
	  all routes are chosen
	  to 0: End-of-RIB
	peer 1 up
	  to 1: [10.1.0.0/16] path [65000 1] via 10.0.1.1
	  to 1: End-of-RIB
	`)
}

// Whatever happens, a speaker that has lost and regained its peers in every
// graceful and ungraceful way ends up, once all are back and have said all they
// have to say, where one that never lost any would be; no timer is left, and no
// route is stale.
func TestAfterAllRestartsEverythingIsAsItWouldHaveBeen(t *testing.T) {
	prefixes := prefixList("10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16")
	rapid.Check(t, func(t *rapid.T) {
		cfg := longHelperOf(1, 2, 3)
		for i := range cfg.Peers {
			cfg.Peers[i].StalePath = 100 * time.Second
			cfg.Peers[i].Helper.BIRD = rapid.Bool().Draw(t, "bird")
		}
		cfg.Multipath = rapid.IntRange(1, 3).Draw(t, "multipath")
		s := bgp.NewSpeaker(cfg)
		running := map[string]bool{}
		up := [3]bool{}
		step := func(p bgp.PeerID, in bgp.Input) {
			for _, a := range s.Step(nil, p, in) {
				key := fmt.Sprint(a.Peer, "/", a.Timer)
				switch a.Kind {
				case bgp.ActStaleTime:
					if a.After <= 0 {
						t.Fatalf("%s runs %v", key, a.After)
					}
					running[key] = true
				case bgp.ActNoStaleTime:
					if !running[key] {
						t.Fatalf("%s is stopped and does not run", key)
					}
					delete(running, key)
				}
			}
		}
		final := [3][]*bgp.Attrs{}
		for p := range final {
			for range prefixes {
				var a *bgp.Attrs
				if rapid.Bool().Draw(t, "said at the end") {
					a = drawAttrs(t, uint32(p+1))
				}
				final[p] = append(final[p], a)
			}
		}
		open := func(p int) *bgp.Open {
			o := &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, byte(p + 1)})}
			if rapid.IntRange(0, 4).Draw(t, "gr") > 0 {
				longLived(uint16(rapid.IntRange(0, 1).Draw(t, "time")*120), uint32(rapid.IntRange(0, 1).Draw(t, "stale")*3600), rapid.Bool().Draw(t, "f"))(o)
				if rapid.IntRange(0, 3).Draw(t, "no family") == 0 {
					o.Restart.Families = nil
				}
			}
			return o
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			p := rapid.IntRange(0, 2).Draw(t, "peer")
			id := bgp.PeerID(p)
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 6:
				step(id, bgp.Input{Kind: bgp.InNextHop, Reachable: rapid.Bool().Draw(t, "reachable")})
			case 0:
				step(id, bgp.Input{Kind: bgp.InPeerDown, Graceful: rapid.IntRange(0, 3).Draw(t, "graceful") > 0})
				up[p] = false
			case 1:
				if !up[p] {
					step(id, bgp.Input{Kind: bgp.InPeerUp, Open: open(p)})
					up[p] = true
				}
			case 2, 3:
				i := rapid.IntRange(0, 2).Draw(t, "prefix")
				u := &bgp.Update{Withdrawn: prefixes[i : i+1]}
				if a := final[p][i]; a != nil && rapid.Bool().Draw(t, "as at the end") {
					u = &bgp.Update{Attrs: a, NLRI: prefixes[i : i+1]}
				} else if rapid.Bool().Draw(t, "say") {
					u = &bgp.Update{Attrs: drawAttrs(t, uint32(p+1)), NLRI: prefixes[i : i+1]}
				}
				step(id, updateInput(u))
			case 4:
				step(id, updateInput(&bgp.Update{}))
			case 5:
				timer := bgp.RestartTimer + bgp.TimerID(rapid.IntRange(0, 2).Draw(t, "timer"))
				if key := fmt.Sprint(id, "/", timer); running[key] {
					delete(running, key)
					step(id, bgp.Input{Kind: bgp.InStaleTime, Timer: timer})
				}
			}
			if !up[p] && s.Stale(id) > 0 && s.Received(id, prefixes[0]) == nil && s.Received(id, prefixes[1]) == nil && s.Received(id, prefixes[2]) == nil {
				t.Fatalf("peer %d is away: %d routes are stale, %v %v %v", p, s.Stale(id), s.Received(id, prefixes[0]), s.Received(id, prefixes[1]), s.Received(id, prefixes[2]))
			}
		}
		fresh := bgp.NewSpeaker(cfg)
		for p := range 3 {
			id := bgp.PeerID(p)
			step(id, bgp.Input{Kind: bgp.InNextHop, Reachable: true})
			if !up[p] {
				step(id, bgp.Input{Kind: bgp.InPeerUp, Open: open(p)})
			}
			fresh.Step(nil, id, bgp.Input{Kind: bgp.InPeerUp, Open: &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, byte(p + 1)})}})
			for i, a := range final[p] {
				u := &bgp.Update{Withdrawn: prefixes[i : i+1]}
				if a != nil {
					u = &bgp.Update{Attrs: a, NLRI: prefixes[i : i+1]}
				}
				step(id, updateInput(u))
				fresh.Step(nil, id, updateInput(u))
			}
			step(id, updateInput(&bgp.Update{}))
		}
		for p := range 3 {
			if n := s.Stale(bgp.PeerID(p)); n != 0 {
				t.Fatalf("%d routes of peer %d are stale", n, p)
			}
		}
		if len(running) > 0 {
			t.Fatalf("timers run: %v", running)
		}
		for _, p := range prefixes {
			if got, want := routeText(s.Route(p)), routeText(fresh.Route(p)); got != want {
				t.Fatalf("%v: %s, in a speaker without a past %s", p, got, want)
			}
		}
	})
}

// A static route waits for nobody.
func TestStaticRoutesAreNotDeferred(t *testing.T) {
	cfg := helperOf(1)
	cfg.SelectionDeferral = 360 * time.Second
	cfg.Peers[0].Restarter = true
	cfg.Peers = append(cfg.Peers, &bgp.PeerConfig{Static: true})
	r := newSpeakerRig(t, cfg)
	r.step("restart", bgp.Local, bgp.Input{Kind: bgp.InRestart})
	r.quiet()
	r.step("static", 1, bgp.Input{Kind: bgp.InOriginate, Prefix: netip.MustParsePrefix("10.9.0.0/16")})
	r.originate("10.0.0.0/16")
	r.want(`
	static
	  route 10.9.0.0/16: from 1 (only path)
	originate 10.0.0.0/16
	`)
}

// Next-hop tracking knows what graceful restart cannot: that the way to the peer
// is gone. What comes back with the next hop is as stale as before, and as little
// wanted.
func TestStaleRoutesWithoutAWayToTheirNextHop(t *testing.T) {
	r := restartRig(t, longHelperOf(1, 2), longLived(120, 3600, true))
	r.away(0)
	r.stale(0, bgp.RestartTimer)
	r.quiet()
	r.step("next hop gone", 0, bgp.Input{Kind: bgp.InNextHop})
	r.step("next hop back", 0, bgp.Input{Kind: bgp.InNextHop, Reachable: true})
	r.announce(1, pathAttrs(asPath(2, 9, 9, 9)), "10.1.0.0/16")
	r.stale(0, bgp.LongLivedTimer)
	r.want(`
	next hop gone
	  route 10.1.0.0/16: none
	  route 10.2.0.0/16: none
	next hop back
	  route 10.1.0.0/16: from 0 (only path)
	  route 10.2.0.0/16: from 0 (only path)
	1 announces 10.1.0.0/16
	  route 10.1.0.0/16: from 1 (not long-lived stale)
	LongLivedTimer of 0
	  route 10.2.0.0/16: none
	`)
}
