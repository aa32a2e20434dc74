package bgp_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
)

func mraiRig(t *testing.T, m bgp.MRAI) *speakerRig {
	cfg := speakerOf("rfc4271", 64512, 64513)
	cfg.Peers[0].NoEcho, cfg.Peers[1].NoEcho = true, true
	cfg.Peers[1].MRAI = m
	r := newSpeakerRig(t, cfg)
	r.up(0, 1)
	r.quiet()
	return r
}

func (r *speakerRig) wantWaiting(n int) {
	r.t.Helper()
	if got := r.s.Waiting(1); got != n {
		r.t.Errorf("%d advertisements wait, want %d", got, n)
	}
}

// §9.2.1.1: "Two UPDATE messages sent by a BGP speaker to a peer that advertise
// feasible routes and/or withdrawal of unfeasible routes to some common set of
// destinations MUST be separated by at least MinRouteAdvertisementIntervalTimer."
// "the last route selected SHALL be advertised at the end of
// MinRouteAdvertisementIntervalTimer."
func TestMRAISendsTheLastRouteSelected(t *testing.T) {
	r := mraiRig(t, mrai30)
	r.announce(0, pathAttrs(asPath(64512, 1)), tenSlash8) // after silence: at once
	r.announce(0, pathAttrs(asPath(64512, 2)), tenSlash8)
	r.wantWaiting(1)
	r.announce(0, pathAttrs(asPath(64512, 3)), tenSlash8)
	r.wantWaiting(1)
	if got := attrsText(r.s.Advertised(1, prefixList(tenSlash8)[0])); got != "path [65000 64512 1] via 10.0.1.1" {
		t.Errorf("what waits is in the Adj-RIB-Out already: %s", got)
	}
	r.timer(1)
	r.wantWaiting(0)
	r.timer(1) // nothing was sent in the meantime: the timer rests
	r.announce(0, pathAttrs(asPath(64512, 4)), tenSlash8)
	r.want(`
	0 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 0 (only path)
	  to 1: [10.0.0.0/8] path [65000 64512 1] via 10.0.1.1
	  arm timer of 1: 30s
	0 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 0 (only path)
	0 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 0 (only path)
	timer of 1
	  to 1: [10.0.0.0/8] path [65000 64512 3] via 10.0.1.1
	  arm timer of 1: 30s
	timer of 1
	0 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 0 (only path)
	  to 1: [10.0.0.0/8] path [65000 64512 4] via 10.0.1.1
	  arm timer of 1: 30s`)
}

func TestMRAIChangeThatIsTakenBackIsNotSent(t *testing.T) {
	r := mraiRig(t, mrai30)
	r.announce(0, pathAttrs(asPath(64512, 1)), tenSlash8)
	r.announce(0, pathAttrs(asPath(64512, 2)), tenSlash8)
	r.announce(0, pathAttrs(asPath(64512, 1)), tenSlash8)
	r.wantWaiting(0)
	r.quiet()
	r.timer(1)
	r.want("timer of 1")
}

// RFC 1771 and most implementations: explicit withdrawals do not wait, and an
// announcement that waits is overtaken by one.
func TestMRAIWithdrawalOvertakes(t *testing.T) {
	r := mraiRig(t, mrai30)
	r.announce(0, pathAttrs(asPath(64512)), tenSlash8)
	r.announce(0, pathAttrs(asPath(64512)), "192.0.2.0/24") // waits; the peer does not know it
	r.announce(0, pathAttrs(asPath(64512, 2)), tenSlash8)   // waits
	r.wantWaiting(2)
	r.quiet()
	r.withdraw(0, "192.0.2.0/24")
	r.withdraw(0, tenSlash8)
	r.wantWaiting(0)
	r.timer(1)
	r.want(`
	0 withdraws 192.0.2.0/24
	  route 192.0.2.0/24: none
	0 withdraws 10.0.0.0/8
	  route 10.0.0.0/8: none
	  to 1: withdraw [10.0.0.0/8]
	timer of 1`)
}

// A withdrawal is an UPDATE: it starts the timer, too.
func TestMRAIWithdrawalStartsTheTimer(t *testing.T) {
	r := mraiRig(t, mrai30)
	r.announce(0, pathAttrs(asPath(64512)), tenSlash8)
	r.timer(1)
	r.quiet()
	r.withdraw(0, tenSlash8)
	r.announce(0, pathAttrs(asPath(64512)), tenSlash8)
	r.wantWaiting(1)
	r.want(`
	0 withdraws 10.0.0.0/8
	  route 10.0.0.0/8: none
	  to 1: withdraw [10.0.0.0/8]
	  arm timer of 1: 30s
	0 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 0 (only path)`)
}

// RFC 4271 as written: withdrawals wait as well.
func TestMRAIGatedWithdrawal(t *testing.T) {
	m := mrai30
	m.Withdrawals = bgp.WithdrawalsGated
	r := mraiRig(t, m)
	r.announce(0, pathAttrs(asPath(64512)), tenSlash8)
	r.quiet()
	r.withdraw(0, tenSlash8)
	r.wantWaiting(1)
	r.timer(1)
	r.want(`
	0 withdraws 10.0.0.0/8
	  route 10.0.0.0/8: none
	timer of 1
	  to 1: withdraw [10.0.0.0/8]
	  arm timer of 1: 30s`)
}

func TestMRAIEndsWithTheSession(t *testing.T) {
	r := mraiRig(t, mrai30)
	r.announce(0, pathAttrs(asPath(64512)), tenSlash8)
	r.announce(0, pathAttrs(asPath(64512)), "192.0.2.0/24")
	r.quiet()
	r.down(1)
	r.wantWaiting(0)
	r.up(1)
	r.want(`
	peer 1 down
	  stop timer of 1
	peer 1 up
	  to 1: [10.0.0.0/8 192.0.2.0/24] path [65000 64512] via 10.0.1.1
	  arm timer of 1: 30s
	  to 1: End-of-RIB`)
}

// §10: "A new random value SHOULD be picked each time the timer is set."
func TestMRAIJitterIsDrawnEachTime(t *testing.T) {
	draws := []uint64{0, 1 << 62, 3}
	cfg := speakerOf("rfc4271", 64512, 64513)
	cfg.Peers[1].MRAI = bgp.MRAI{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * time.Second, Jitter: bgp.RFCJitter}
	n := 0
	cfg.Rand = func() uint64 { n++; return draws[n-1] }
	s := bgp.NewSpeaker(cfg)
	var armed []time.Duration
	note := func(acts []bgp.Action) {
		for _, a := range acts {
			if a.Kind == bgp.ActRouteTime {
				armed = append(armed, a.After)
			}
		}
	}
	note(s.Step(nil, 1, bgp.Input{Kind: bgp.InPeerUp}))
	for i := range 3 {
		note(s.Step(nil, bgp.Local, bgp.Input{Kind: bgp.InOriginate, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i)}), 16)}))
		note(s.Step(nil, 1, bgp.Input{Kind: bgp.InRouteTime}))
	}
	if n != 3 || len(armed) != 3 || armed[0] == armed[1] {
		t.Fatalf("%d draws, armed %v", n, armed)
	}
	for _, d := range armed {
		if d < 22500*time.Millisecond || d > 30*time.Second {
			t.Errorf("armed %v, outside 22.5 s .. 30 s", d)
		}
	}
}

// RFC 4271 §4.3: "An UPDATE message is used to advertise feasible routes that
// share common path attributes to a peer, or to withdraw multiple unfeasible
// routes from service".
func TestPackingSharesAttributes(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("rfc4271", 64512, 64513))
	r.up(0)
	r.announce(0, pathAttrs(asPath(64512, 1)), "10.1.0.0/16")
	r.announce(0, pathAttrs(asPath(64512, 2)), "10.2.0.0/16")
	r.announce(0, pathAttrs(asPath(64512, 1)), "10.3.0.0/16") // equal attributes, another message
	r.quiet()
	r.up(1)
	r.down(0)
	r.want(`
	peer 1 up
	  to 1: [10.1.0.0/16 10.3.0.0/16] path [65000 64512 1] via 10.0.1.1
	  to 1: [10.2.0.0/16] path [65000 64512 2] via 10.0.1.1
	  to 1: End-of-RIB
	peer 0 down
	  route 10.1.0.0/16: none
	  route 10.2.0.0/16: none
	  route 10.3.0.0/16: none
	  to 1: withdraw [10.1.0.0/16 10.2.0.0/16 10.3.0.0/16]`)
}

// §4: "The maximum message size is 4096 octets."
func TestNoMessageIsLongerThan4096Octets(t *testing.T) {
	const n = 3000
	s := bgp.NewSpeaker(speakerOf("rfc4271", 64512))
	for i := range n {
		s.Step(nil, bgp.Local, bgp.Input{Kind: bgp.InOriginate, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)})
	}
	count := func(acts []bgp.Action, of func(*bgp.Update) []netip.Prefix) (prefixes, messages int) {
		seen := map[netip.Prefix]bool{}
		for _, a := range acts {
			if a.Kind != bgp.ActSend || len(of(a.Msg.Update)) == 0 {
				continue
			}
			messages++
			if a.Msg.Size > 4096 || a.Msg.Size != (&bgp.Message{Type: bgp.MsgUpdate, Update: a.Msg.Update}).Seal().Size {
				t.Errorf("a message of %d octets", a.Msg.Size)
			}
			for _, p := range of(a.Msg.Update) {
				seen[p] = true
			}
		}
		return len(seen), messages
	}
	p, m := count(s.Step(nil, 0, bgp.Input{Kind: bgp.InPeerUp}), func(u *bgp.Update) []netip.Prefix { return u.NLRI })
	if p != n || m != 3 { // 4 octets a prefix, about 4050 of them free: 1012 a message
		t.Errorf("%d prefixes announced in %d messages", p, m)
	}
	cfg := speakerOf("rfc4271", 64512, 64513)
	s = bgp.NewSpeaker(cfg)
	s.Step(nil, 0, bgp.Input{Kind: bgp.InPeerUp})
	s.Step(nil, 1, bgp.Input{Kind: bgp.InPeerUp})
	for i := range n {
		s.Step(nil, 0, updateInput(&bgp.Update{Attrs: pathAttrs(asPath(64512)),
			NLRI: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)}}))
	}
	p, m = count(s.Step(nil, 0, bgp.Input{Kind: bgp.InPeerDown}), func(u *bgp.Update) []netip.Prefix { return u.Withdrawn })
	if p != n || m != 3 {
		t.Errorf("%d prefixes withdrawn in %d messages", p, m)
	}
}

// Steady state allocates nothing, and a replication of a scenario makes only
// what it gives away: routes, paths and messages.
func TestSpeakerAllocations(t *testing.T) {
	cfg := speakerOf("rfc4271", 64512, 64513)
	cfg.Peers[1].MRAI = mrai30
	s := bgp.NewSpeaker(cfg)
	attrs := pathAttrs(asPath(64512))
	again := updateInput(&bgp.Update{Attrs: pathAttrs(asPath(64512)), NLRI: prefixList(tenSlash8)})
	unknown := updateInput(&bgp.Update{Withdrawn: prefixList("192.0.2.0/24")})
	barred := updateInput(&bgp.Update{Attrs: pathAttrs(asPath(64512, 65000)), NLRI: prefixList("10.7.0.0/16")})
	acts := make([]bgp.Action, 0, 64)
	for p := range bgp.PeerID(2) {
		acts = s.Step(acts[:0], p, bgp.Input{Kind: bgp.InPeerUp})
	}
	acts = s.Step(acts[:0], 0, updateInput(&bgp.Update{Attrs: attrs, NLRI: prefixList(tenSlash8)}))
	acts = s.Step(acts[:0], 0, barred)
	acts = s.Step(acts[:0], 1, bgp.Input{Kind: bgp.InRouteTime})
	if n := testing.AllocsPerRun(100, func() {
		acts = s.Step(acts[:0], 0, again)
		acts = s.Step(acts, 0, unknown)
		acts = s.Step(acts, 0, barred)
		acts = s.Step(acts, 1, bgp.Input{Kind: bgp.InRouteTime})
		acts = s.Step(acts, bgp.Local, bgp.Input{Kind: bgp.InWithdraw, Prefix: prefixList2})
	}); n != 0 {
		t.Errorf("%v allocations for inputs that change nothing", n)
	}
	if len(acts) != 0 {
		t.Errorf("actions for inputs that change nothing: %v", acts)
	}
	first := updateInput(&bgp.Update{Attrs: attrs, NLRI: prefixList(tenSlash8)})
	if n := testing.AllocsPerRun(100, func() {
		s.Reset(cfg)
		for p := range bgp.PeerID(2) {
			acts = s.Step(acts[:0], p, bgp.Input{Kind: bgp.InPeerUp})
		}
		acts = s.Step(acts[:0], 0, first)
	}); n > 6 { // a path, a route, and to each of two peers a message and its prefixes
		t.Errorf("%v allocations for a replication with one announcement", n)
	}
}

var prefixList2 = netip.MustParsePrefix("10.99.0.0/16")

// After Reset a speaker is as good as new: the same inputs give the same
// actions.
func TestResetIsAFreshStart(t *testing.T) {
	run := func(s *bgp.Speaker) (out string) {
		for p := range bgp.PeerID(2) {
			for _, a := range s.Step(nil, p, bgp.Input{Kind: bgp.InPeerUp}) {
				out += actionText(a) + "\n"
			}
		}
		for i, p := range []string{tenSlash8, "10.1.0.0/16", tenSlash8} {
			in := updateInput(&bgp.Update{Attrs: pathAttrs(asPath(64512, uint32(i))), NLRI: prefixList(p)})
			for _, a := range s.Step(nil, bgp.PeerID(i%2), in) {
				out += actionText(a) + "\n"
			}
		}
		for _, p := range s.Prefixes() {
			out += fmt.Sprintln(p, s.Waiting(1), s.Route(p).Best.Age, attrsText(s.Advertised(1, p)))
		}
		return out
	}
	cfg := speakerOf("aws-vgw", 64512, 64513)
	cfg.Peers[1].MRAI = mrai30
	want := run(bgp.NewSpeaker(cfg))
	used := bgp.NewSpeaker(speakerOf("rfc4271", 1, 2, 3))
	for p := range bgp.PeerID(3) {
		used.Step(nil, p, bgp.Input{Kind: bgp.InPeerUp})
		used.Step(nil, p, updateInput(&bgp.Update{Attrs: pathAttrs(asPath(uint32(p + 1))), NLRI: prefixList("172.16.0.0/12", tenSlash8)}))
	}
	used.Step(nil, bgp.Local, bgp.Input{Kind: bgp.InSettle})
	kept := used.Route(prefixList(tenSlash8)[0])
	for range 3 {
		used.Reset(cfg)
		if got := run(used); got != want {
			t.Errorf("after Reset:\n%s\nfresh:\n%s", got, want)
		}
	}
	if kept.Best.Peer != 0 || kept.Candidates != 3 {
		t.Error("Reset changed a route that was given out before")
	}
}
