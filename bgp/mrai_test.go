package bgp_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
)

const sec = time.Second

// timed drives a speaker through time: its timers run out when they are due,
// and what it sends to peer 1 is written down with the second in which it does.
type timed struct {
	t     *testing.T
	s     *bgp.Speaker
	now   time.Duration
	armed [2]*time.Duration
	sent  []string
}

// newTimed is a router with the peers 0, which tells it things, and 1, which is
// told of them as m says; both come up at 0.
func newTimed(t *testing.T, m bgp.MRAI, edits ...func(*bgp.SpeakerConfig)) *timed {
	cfg := speakerOf("rfc4271", 64512, 64513)
	cfg.Peers[0].NoEcho, cfg.Peers[1].NoEcho = true, true
	cfg.Peers[1].MRAI = m
	for _, edit := range edits {
		edit(&cfg)
	}
	x := &timed{t: t, s: bgp.NewSpeaker(cfg)}
	for p := range bgp.PeerID(2) {
		x.step(p, bgp.Input{Kind: bgp.InPeerUp})
	}
	x.sent = nil
	return x
}

func (x *timed) step(peer bgp.PeerID, in bgp.Input) {
	in.Now = x.now
	for _, a := range x.s.Step(nil, peer, in) {
		switch {
		case a.Kind == bgp.ActRouteTime:
			if a.After < 0 {
				x.t.Errorf("at %v the timer is set %v back", x.now, -a.After)
			}
			due := x.now + a.After
			x.armed[a.Peer] = &due
		case a.Kind == bgp.ActNoRouteTime:
			x.armed[a.Peer] = nil
		case a.Kind == bgp.ActSend && a.Peer == 1 && !a.Msg.Update.EndOfRIB():
			what := fmt.Sprint(x.now, " ")
			for _, p := range a.Msg.Update.Withdrawn {
				what += fmt.Sprint("-", p)
			}
			for _, p := range a.Msg.Update.NLRI {
				what += fmt.Sprint("+", p)
			}
			x.sent = append(x.sent, what)
		}
	}
}

// until lets time pass up to and with that moment.
func (x *timed) until(at time.Duration) *timed {
	for p := range bgp.PeerID(2) {
		if due := x.armed[p]; due != nil && *due <= at {
			x.now, x.armed[p] = *due, nil
			x.step(p, bgp.Input{Kind: bgp.InRouteTime})
			return x.until(at)
		}
	}
	x.now = at
	return x
}

func (x *timed) announce(path uint32, prefix string) {
	x.step(0, updateInput(&bgp.Update{Attrs: pathAttrs(asPath(64512, path)), NLRI: prefixList(prefix)}))
}

func (x *timed) withdraw(prefix string) {
	x.step(0, updateInput(&bgp.Update{Withdrawn: prefixList(prefix)}))
}

func (x *timed) want(lines ...string) {
	x.t.Helper()
	if !slices.Equal(x.sent, lines) {
		x.t.Errorf("sent:\n%s\nwant:\n%s", strings.Join(x.sent, "\n"), strings.Join(lines, "\n"))
	}
}

const (
	tenOne  = "10.1.0.0/16"
	tenTwo  = "10.2.0.0/16"
	tenFour = "10.4.0.0/16"
)

// Who waits, as measured in a laboratory in 2016 (vSRX, IOS-XRv, Quagga; codeout,
// http://codeout.hatenablog.com/entry/2016/07/22/220601):
//
//	                    vSRX                      IOS-XRv                  Quagga
//	a new prefix        waits                     waits                    does not
//	the last path goes  waits                     does not                 does not
//	another path        an interval from when     an interval from the     updates at the
//	                    it became the best        last UPDATE              interval's ticks only
//
// (bgpd's source has nothing that would let a new prefix out before the tick, in
// any version up to 1.2.4; so NewAtOnce is what was seen, not what the profile
// says.)
func TestWhoWaits(t *testing.T) {
	junos := bgp.MRAI{Mode: bgp.MRAIOutDelay, Interval: 30 * sec, Withdrawals: bgp.WithdrawalsGated}
	iosXR := bgp.MRAI{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * sec}
	quagga := bgp.MRAI{Mode: bgp.MRAITick, Interval: 30 * sec, NewAtOnce: true}
	for _, tt := range []struct {
		what string
		m    bgp.MRAI
		// The sessions come up at 0 s, prefix one is announced at 40 s, prefix two at
		// 140 s, and at 155 s something happens to prefix one or four.
		newPrefix, lastPath, otherPath string
	}{
		{"vSRX", junos, "3m5s +" + tenFour, "3m5s -" + tenOne, "3m5s +" + tenOne},
		{"IOS-XRv", iosXR, "2m50s +" + tenFour, "2m35s -" + tenOne, "2m50s +" + tenOne},
		{"Quagga", quagga, "2m35s +" + tenFour, "2m35s -" + tenOne, "3m0s +" + tenOne},
	} {
		for _, event := range []struct {
			what string
			do   func(*timed)
			want string
		}{
			{"a new prefix", func(x *timed) { x.announce(1, tenFour) }, tt.newPrefix},
			{"the last path goes", func(x *timed) { x.withdraw(tenOne) }, tt.lastPath},
			{"another path", func(x *timed) { x.announce(2, tenOne) }, tt.otherPath},
		} {
			x := newTimed(t, tt.m)
			x.until(40*sec).announce(1, tenOne)
			x.until(140*sec).announce(1, tenTwo)
			event.do(x.until(155 * sec))
			x.until(300 * sec)
			if !slices.Contains(x.sent, event.want) {
				t.Errorf("%s, %s: sent %q, want %q among it", tt.what, event.what, x.sent, event.want)
			}
		}
	}
}

// RFC 4271 §9.2.1.1: "This rate limiting procedure applies on a per-destination
// basis, although the value of MinRouteAdvertisementIntervalTimer is set on a per
// BGP peer basis."
func TestMRAIByPrefix(t *testing.T) {
	x := newTimed(t, bgp.MRAI{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * sec, PerPrefix: true, Withdrawals: bgp.WithdrawalsGated})
	x.announce(1, tenOne)
	x.until(10*sec).announce(1, tenTwo) // another destination: at once
	x.until(12*sec).announce(2, tenOne)
	x.until(20 * sec).withdraw(tenTwo)
	x.until(25*sec).announce(3, tenOne)
	x.until(100*sec).announce(4, tenOne) // after silence
	x.until(200 * sec)
	x.want("0s +"+tenOne, "10s +"+tenTwo, "30s +"+tenOne, "40s -"+tenTwo, "1m40s +"+tenOne)
}

// A timer for each peer holds back what nobody has sent lately, too: "any
// technique that ensures that the interval between two UPDATE messages … will be
// at least MinRouteAdvertisementIntervalTimer, and will also ensure that a
// constant upper bound on the interval" is good enough (§9.2.1.1).
func TestMRAIByPeer(t *testing.T) {
	x := newTimed(t, mrai30)
	x.announce(1, tenOne)
	x.until(10*sec).announce(1, tenTwo)
	x.until(100 * sec)
	x.want("0s +"+tenOne, "30s +"+tenTwo)
}

// Nokia: "The MRAI timer is started at the configured value when the session is
// established and counts down continuously, resetting to the configured value
// whenever it reaches zero. Every time it reaches zero, all pending RIB-OUT routes
// are sent to the peer."
// (https://infocenter.nokia.com/public/7750SR225R1A/topic/com.nokia.Unicast_Guide/min_route_adver-d497e9445.html)
func TestMRAITick(t *testing.T) {
	x := newTimed(t, bgp.MRAI{Mode: bgp.MRAITick, Interval: 30 * sec, Withdrawals: bgp.WithdrawalsGated})
	x.until(1*sec).announce(1, tenOne) // nothing was ever sent, and yet it waits
	x.until(44*sec).announce(2, tenOne)
	x.announce(1, tenTwo)
	x.until(60*sec).announce(3, tenOne) // the tick is over
	x.until(89 * sec).withdraw(tenTwo)
	x.until(1000*sec).announce(4, tenOne) // after a long silence
	x.until(1020*sec).announce(5, tenOne) // right after a tick
	x.until(1100 * sec)
	x.want("30s +"+tenOne, "1m0s +"+tenOne, "1m0s +"+tenTwo, "1m30s -"+tenTwo, "1m30s +"+tenOne, "17m0s +"+tenOne, "17m30s +"+tenOne)
}

// Quagga's bgpd (bgp_fsm.c, bgp_routeadv_timer; bgp_packet.c, bgp_write_packet):
// the timer runs first 1 s after Established and then every interval;
// withdrawals are written whenever the socket takes them.
func TestMRAITickOfQuagga(t *testing.T) {
	x := newTimed(t, bgp.MRAI{Mode: bgp.MRAITick, Interval: 30 * sec, First: sec})
	x.announce(1, tenOne)
	x.until(500*time.Millisecond).announce(1, tenTwo)
	x.until(10 * sec).withdraw(tenOne)
	x.until(12*sec).announce(1, tenOne)
	x.until(100 * sec)
	x.want("1s +"+tenOne+"+"+tenTwo, "10s -"+tenOne, "31s +"+tenOne)
}

// A tick comes when it comes: neither what waits for it nor what other peers
// wait for moves it, jittered or not.
func TestMRAITicksDoNotDependOnTraffic(t *testing.T) {
	jittered := func(cfg *bgp.SpeakerConfig) {
		cfg.Peers[1].MRAI.Jitter = bgp.RFCJitter
		cfg.Peers[0].MRAI = cfg.Peers[1].MRAI
		cfg.Draw = func(peer bgp.PeerID, n uint64) uint64 { return (n + 1) * (uint64(peer) + 7) * 0x9e3779b97f4a7c15 }
	}
	at := func(busy bool) string {
		x := newTimed(t, bgp.MRAI{Mode: bgp.MRAITick, Interval: 30 * sec}, jittered)
		for i := 1; busy && i < 700; i++ {
			x.until(time.Duration(i) * sec)
			x.announce(uint32(i), tenTwo)
			x.step(1, updateInput(&bgp.Update{Attrs: pathAttrs(asPath(64513, uint32(i))), NLRI: prefixList(tenFour)}))
		}
		x.until(700 * sec)
		x.sent = nil
		x.announce(1, tenOne)
		x.until(800 * sec)
		for _, line := range x.sent {
			if at, ok := strings.CutSuffix(line, " +"+tenOne); ok {
				return at
			}
		}
		return fmt.Sprint(x.sent)
	}
	if quiet, busy := at(false), at(true); quiet != busy {
		t.Errorf("the tick after 700 s comes at %s, in a busy session at %s", quiet, busy)
	}
}

// Juniper on out-delay: "The delay is added to each update for each prefix
// individually. When a routing device changes its best path to a destination
// prefix, the device does not inform its peer about the change unless the route
// has been present in its routing table for the specified out-delay."
// (https://juniper.net/documentation/us/en/software/junos/cli-reference/topics/ref/statement/out-delay-edit-protocols-bgp.html)
func TestOutDelay(t *testing.T) {
	x := newTimed(t, bgp.MRAI{Mode: bgp.MRAIOutDelay, Interval: 30 * sec, Withdrawals: bgp.WithdrawalsGated})
	x.announce(1, tenOne)
	x.until(10*sec).announce(1, tenTwo)
	x.until(20*sec).announce(2, tenOne) // begins anew
	x.until(60 * sec).withdraw(tenOne)
	x.until(80*sec).announce(2, tenOne) // as the peer knows it
	x.until(100 * sec).withdraw(tenTwo)
	x.until(200 * sec)
	x.want("40s +"+tenTwo, "50s +"+tenOne, "2m10s -"+tenTwo)

	// A route that never stays is never told of, however long that goes on.
	x = newTimed(t, bgp.MRAI{Mode: bgp.MRAIOutDelay, Interval: 30 * sec, Withdrawals: bgp.WithdrawalsGated})
	for i := range 50 {
		x.until(time.Duration(i) * 20 * sec)
		x.announce(uint32(i), tenOne)
	}
	x.want()

	// What was taken back leaves nothing behind that others would wait for.
	x = newTimed(t, bgp.MRAI{Mode: bgp.MRAIOutDelay, Interval: 30 * sec, Withdrawals: bgp.WithdrawalsGated})
	x.announce(1, tenOne)
	x.until(10*sec).announce(1, tenTwo)
	x.until(20 * sec).withdraw(tenOne)
	x.withdraw(tenTwo)
	x.until(60*sec).announce(1, tenFour)
	x.until(200 * sec)
	x.want("1m30s +" + tenFour)
}

// A session that comes up is told what has been there long enough, and the rest
// when it has.
func TestOutDelayOfANewSession(t *testing.T) {
	x := newTimed(t, bgp.MRAI{Mode: bgp.MRAIOutDelay, Interval: 30 * sec})
	x.step(1, bgp.Input{Kind: bgp.InPeerDown})
	x.announce(1, tenOne)
	x.until(50*sec).announce(1, tenTwo)
	x.until(60*sec).step(1, bgp.Input{Kind: bgp.InPeerUp})
	x.until(200 * sec)
	x.want("1m0s +"+tenOne, "1m20s +"+tenTwo)
}

// FRR counts the age of its last UPDATE as the difference of two readings of a
// clock in seconds, and waits for the rest of the interval from the change on
// (bgp_fsm.c, bgp_adjust_routeadv).
func TestMRAIInWholeSeconds(t *testing.T) {
	ms := time.Millisecond
	for _, tt := range []struct {
		what                string
		phase, last, change time.Duration
		want                time.Duration
	}{
		{"a change right after the UPDATE", 0, 100 * sec, 100*sec + 50*ms, 130*sec + 50*ms},
		{"a second begins in between: one less", 0, 100*sec + 980*ms, 101*sec + 30*ms, 130*sec + 30*ms},
		{"late in a second that is young: one more", 0, 100 * sec, 110*sec + 990*ms, 130*sec + 990*ms},
		{"the phase of the clock counts", 970 * ms, 100 * sec, 100*sec + 50*ms, 129*sec + 50*ms},
		{"as old as the interval, on the clock", 0, 100*sec + 900*ms, 130*sec + 100*ms, 130*sec + 100*ms},
		{"after silence", 0, 100 * sec, 200 * sec, 200 * sec},
	} {
		x := newTimed(t, bgp.MRAI{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * sec, Granularity: sec}, func(c *bgp.SpeakerConfig) { c.Phase = tt.phase })
		x.until(tt.last).announce(1, tenTwo)
		x.until(tt.change).announce(1, tenOne)
		x.until(300 * sec)
		if want := fmt.Sprint(tt.want, " +", tenOne); x.sent[len(x.sent)-1] != want {
			t.Errorf("%s: sent %q, want %q", tt.what, x.sent, want)
		}
	}
}

// Measured with FRR 8.4.4, routers that answer each other within 50 ms:
// "successive announcements MRAI + 0.05 s apart, 4 % MRAI - 1 + 0.05".
func TestMRAIInWholeSecondsAsMeasured(t *testing.T) {
	apart := map[time.Duration]int{}
	for phase := range 1000 {
		x := newTimed(t, bgp.MRAI{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * sec, Granularity: sec},
			func(c *bgp.SpeakerConfig) { c.Phase = time.Duration(phase) * time.Millisecond })
		x.until(100*sec).announce(1, tenOne)
		x.until(100*sec+50*time.Millisecond).announce(2, tenOne)
		at := x.now
		for len(x.sent) < 2 {
			at += 10 * time.Millisecond
			x.until(at)
		}
		apart[at-100*sec]++
	}
	if len(apart) != 2 || apart[30*sec+50*time.Millisecond] != 950 || apart[29*sec+50*time.Millisecond] != 50 {
		t.Errorf("of 1000 phases: %v", apart)
	}
}

// Whoever takes the place of what waits may go earlier, never later.
func TestMRAIInWholeSecondsIsSetAnewByWhatComesInItsPlace(t *testing.T) {
	ms := time.Millisecond
	m := bgp.MRAI{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * sec, Granularity: sec}
	x := newTimed(t, m)
	x.until(100*sec).announce(1, tenOne)
	x.until(105*sec+700*ms).announce(2, tenOne) // to go at 130.7 s
	x.until(107*sec+900*ms).announce(3, tenOne) // at 130.9 s? no
	x.until(108*sec+200*ms).announce(4, tenOne) // at 130.2 s
	x.until(109*sec+100*ms).announce(1, tenTwo) // beside it: sets nothing
	x.until(200 * sec)
	x.want("1m40s +"+tenOne, "2m10.2s +"+tenOne, "2m10.2s +"+tenTwo)
}

// FRR up to 10.5, in the words of the commit that ended it in 2026: "When there
// is a route withdraw, the MRAI is basically cancelled for all the updates
// (advertisement and withdraw)." (FRR e74b0ae4b3)
func TestWithdrawalTakesAlongWhatWaits(t *testing.T) {
	for _, m := range []bgp.MRAI{
		{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * sec, Granularity: sec},
		{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * sec},
	} {
		m.Withdrawals = bgp.WithdrawalsFlush
		x := newTimed(t, m)
		x.announce(1, tenOne)
		x.until(5*sec).announce(1, tenTwo)
		x.announce(2, tenOne)
		x.until(10 * sec).withdraw(tenOne) // overtakes its own announcement, takes along the other
		x.want("0s +"+tenOne, "10s -"+tenOne, "10s +"+tenTwo)
		if n := x.s.Waiting(1); n != 0 {
			t.Errorf("%d changes wait still", n)
		}
		x.until(12*sec).announce(3, tenOne)
		x.until(100 * sec)
		last := x.sent[len(x.sent)-1]
		if want := map[bool]string{true: "40s +", false: "30s +"}[m.Granularity > 0] + tenOne; last != want {
			t.Errorf("after that %q, want %q: the age of the last UPDATE counts, or the timer that runs goes on", last, want)
		}
	}
}

// Measured with FRR 8.4.4: "withdrawals never wait but start the timer; … nothing
// waits after silence". RFC 1771 §9.2.3.1 sees it otherwise: "Two UPDATE messages sent
// from a single BGP speaker that advertise feasible routes to some common set of
// destinations … must be separated by at least MinRouteAdvertisementInterval".
func TestQuietWithdrawals(t *testing.T) {
	for _, m := range []bgp.MRAI{
		{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * sec},
		{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * sec, Granularity: sec},
		{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * sec, PerPrefix: true},
	} {
		for _, quiet := range []bool{false, true} {
			m.QuietWithdrawals = quiet
			x := newTimed(t, m)
			x.announce(1, tenOne)
			x.until(100 * sec).withdraw(tenOne)
			x.until(110*sec).announce(1, tenOne)
			x.until(200 * sec)
			back := "2m10s +" + tenOne
			if quiet {
				back = "1m50s +" + tenOne
			}
			x.want("0s +"+tenOne, "1m40s -"+tenOne, back)
		}
	}
}

// FRR 8.4.4 was measured to need 1.2 to 1.35 s from Established to the peer's
// forwarding table: its first UPDATE waits for a second and more (bgp_updgrp.h,
// BGP_DEFAULT_SUBGROUP_COALESCE_TIME).
func TestFirstUpdate(t *testing.T) {
	r := mraiRig(t, bgp.MRAI{First: sec})
	r.now = sec
	r.timer(1)
	r.down(1)
	r.announce(0, pathAttrs(asPath(64512, 1)), tenOne)
	r.announce(0, pathAttrs(asPath(64512, 1)), tenTwo)
	r.quiet()
	r.now = 10 * sec
	r.up(1)
	r.now = 10*sec + sec/2
	r.withdraw(0, tenOne) // never known to the peer
	r.announce(0, pathAttrs(asPath(64512, 1)), tenFour)
	r.step("refresh", 1, bgp.Input{Kind: bgp.InRefresh})
	r.now = 11 * sec
	r.timer(1)
	r.down(1)
	r.up(1)
	r.down(1)
	r.want(`
	peer 1 up
	  arm timer of 1 before the first UPDATE: 1s
	0 withdraws 10.1.0.0/16
	  route 10.1.0.0/16: none
	0 announces 10.4.0.0/16
	  route 10.4.0.0/16: from 0 (only path)
	refresh
	timer of 1
	  to 1: [10.2.0.0/16 10.4.0.0/16] path [65000 64512 1] via 10.0.1.1
	  to 1: End-of-RIB
	peer 1 down
	peer 1 up
	  arm timer of 1 before the first UPDATE: 1s
	peer 1 down
	  stop timer of 1`)
}

// In every mode: what waits when the session ends is forgotten with it, the
// timer is stopped, and the next session begins as the first one did.
func TestPacingEndsWithTheSession(t *testing.T) {
	for _, m := range []bgp.MRAI{
		{Mode: bgp.MRAISinceLastUpdate}, {Mode: bgp.MRAISinceLastUpdate, PerPrefix: true},
		{Mode: bgp.MRAISinceLastUpdate, Granularity: sec}, {Mode: bgp.MRAITick}, {Mode: bgp.MRAIOutDelay},
	} {
		m.Interval = 30 * sec
		x := newTimed(t, m)
		x.announce(1, tenOne)
		x.until(5*sec).announce(2, tenOne)
		if x.s.Waiting(1) != 1 || x.armed[1] == nil {
			t.Errorf("%+v: %d changes wait", m, x.s.Waiting(1))
		}
		x.step(1, bgp.Input{Kind: bgp.InPeerDown})
		if x.s.Waiting(1) != 0 || x.armed[1] != nil {
			t.Errorf("%+v: after the session %d changes wait, timer %v", m, x.s.Waiting(1), x.armed[1])
		}
		x.until(40 * sec)
		x.sent = nil
		x.step(1, bgp.Input{Kind: bgp.InPeerUp})
		x.want("40s +" + tenOne)
	}
}

// What waits costs no memory but its place in the line.
func TestPacingAllocations(t *testing.T) {
	p := netip.MustParsePrefix(tenOne)
	for _, m := range []bgp.MRAI{
		{Mode: bgp.MRAISinceLastUpdate}, {Mode: bgp.MRAISinceLastUpdate, PerPrefix: true},
		{Mode: bgp.MRAISinceLastUpdate, Granularity: sec}, {Mode: bgp.MRAITick}, {Mode: bgp.MRAIOutDelay},
	} {
		m.Interval = 30 * sec
		x := newTimed(t, m)
		x.announce(1, tenOne)
		a, b := updateInput(&bgp.Update{Attrs: pathAttrs(asPath(64512, 2)), NLRI: []netip.Prefix{p}}), updateInput(&bgp.Update{Attrs: pathAttrs(asPath(64512, 3)), NLRI: []netip.Prefix{p}})
		acts := make([]bgp.Action, 0, 64)
		n := testing.AllocsPerRun(100, func() {
			acts = x.s.Step(acts[:0], 0, a)
			acts = x.s.Step(acts[:0], 0, b)
		})
		if n > 4 { // a path and a route for each of the two
			t.Errorf("%+v: %v allocations for two changes that wait", m, n)
		}
	}
}
