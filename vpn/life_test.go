package vpn

import (
	"testing"
	"time"
)

// lively is a full configuration: strongSwan's retransmission, AWS's DPD.
func lively(v Version, initiate bool) Config {
	c := strong(v, initiate)
	c.DPDInterval, c.DPDRetry, c.DPDTimeout, c.DPDRetries = 10*s, 10*s, 40*s, 3
	return c
}

// A DELETE takes the far end down in a fraction of a second (0.01 to 0.1 s were
// measured); without one the far end stays up until dead peer detection.
func TestDelete(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		for _, notify := range []bool{true, false} {
			p := newPair(t, lively(v, false), lively(v, true))
			p.create(0, 1)
			p.traffic(1 * s)
			p.run(100 * s)
			p.step(1, Input{Kind: InDelete, Notify: notify})
			if p.end[1].State() != Absent {
				t.Fatal("not gone at once")
			}
			p.run(300 * s)
			after := p.when(100*s, 0, ActDown) - 100*s
			if notify && after > 100*time.Millisecond || !notify && (after < 39*s || after > 41*s) || after < 0 {
				t.Errorf("notify %v: the other end is down after %v", notify, after)
			}
			if p.end[0].State() != Waiting || p.count(100*s, ActUp) != 0 {
				t.Errorf("notify %v: %v afterwards", notify, p.end[0].State())
			}
			for i := range p.end[1].armed {
				if p.end[1].armed[i] {
					t.Errorf("timer %d runs in a deleted end", i)
				}
			}
		}
	})
}

// The end that negotiates by itself tries again after it was told to go.
func TestRetryAfterDelete(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		p := newPair(t, lively(v, true), lively(v, false))
		p.create(0, 1)
		p.run(100 * s)
		p.step(1, Input{Kind: InDelete, Notify: true})
		p.run(105 * s)
		if p.end[0].State() != Waiting {
			t.Fatalf("%v after a DELETE", p.end[0].State())
		}
		p.step(1, Input{Kind: InCreate})
		p.run(112 * s)
		if !p.works() {
			t.Error("not up again after Config.Retry")
		}
	})
}

// The far end still believes in the old SA when the peer, deleted in silence
// and made anew, begins again: it takes the new SA and drops the old one.
func TestRecreateBeforeTheOtherEndNotices(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		p := newPair(t, lively(v, false), lively(v, true))
		p.create(0, 1)
		p.traffic(1 * s)
		p.run(100 * s)
		old := p.end[0].SA()
		p.step(1, Input{Kind: InDelete})
		p.run(110 * s)
		if !p.end[0].Up() {
			t.Fatal("noticed already")
		}
		p.step(1, Input{Kind: InCreate})
		p.run(112 * s)
		if !p.works() || p.end[0].SA() == old || p.end[0].Accepts(old) {
			t.Errorf("%v and %v, child SA %d (was %d)", p.end[0].State(), p.end[1].State(), p.end[0].SA(), old)
		}
		if p.count(100*s, ActDown) != 2 {
			t.Errorf("%d times down: the deletion and the replacement are two", p.count(100*s, ActDown))
		}
		for _, ev := range p.log {
			if ev.end == 0 && ev.at > 100*s && ev.act.Kind == ActDown && ev.act.Why != WhyPeerInitiated {
				t.Errorf("down because of %v", ev.act.Why)
			}
		}
	})
}

// A peer that was made anew but only waits is found out by dead peer
// detection: it ignores what it does not know, and the live end begins again.
func TestRecreateOfAnEndThatWaits(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		a := lively(v, true)
		a.DPDAction = DPDRestart
		p := newPair(t, a, lively(v, false))
		p.create(0, 1)
		p.traffic(1 * s)
		p.run(100 * s)
		p.step(1, Input{Kind: InDelete})
		p.step(1, Input{Kind: InCreate})
		p.run(135 * s)
		if !p.end[0].Up() || p.works() {
			t.Fatal("should be up on one side only")
		}
		p.run(142 * s)
		if !p.works() {
			t.Errorf("%v and %v", p.end[0].State(), p.end[1].State())
		}
	})
}

// Rekeying makes the new SA before it breaks the old one: with packets every
// 10 ms in both directions, none meets an SA that its receiver does not know.
func TestRekeyLosesNothing(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		for _, both := range []bool{false, true} {
			a, b := lively(v, true), lively(v, false)
			a.ChildLifetime, a.IKELifetime, a.RekeyMargin, a.RekeyFuzz = 60*s, 150*s, 10*s, 1
			if both {
				b.ChildLifetime, b.IKELifetime, b.RekeyMargin, b.RekeyFuzz = 60*s, 150*s, 10*s, 1
			}
			p := newPair(t, a, b)
			p.create(0, 1)
			p.run(1 * s)
			seen := map[uint32]bool{}
			lost := 0
			for at := 1 * s; at < 1500*s; at += 10 * time.Millisecond {
				p.run(at)
				for i, e := range p.end {
					sa, other := e.SA(), p.end[1-i]
					seen[sa] = true
					p.at(at+p.delay, func() {
						if !other.Accepts(sa) {
							lost++
						}
						p.heard[1-i] = p.now
					})
				}
			}
			if lost > 0 || p.count(0, ActDown) > 0 {
				t.Errorf("both %v: %d packets lost, down %d times", both, lost, p.count(0, ActDown))
			}
			// Every 40 to 50 s, sometimes sooner when both draw.
			if n := len(seen); n < 1500/50 || n > 1500/40+2 {
				t.Errorf("both %v: %d child SAs in 1500 s", both, n)
			}
			first, rekeys := MainMode, p.sent(1*s, MainMode, 1)
			if v == IKEv2 {
				first, rekeys = CreateChild, 0
				for _, ev := range p.log {
					if ev.act.Kind == ActSend && ev.act.Msg.Exchange == CreateChild && ev.act.Msg.IKE && ev.act.Msg.Num == 1 {
						rekeys++
					}
				}
			}
			if rekeys < 10 || rekeys > 12 {
				t.Errorf("both %v: %d IKE SAs rekeyed by exchange %d in 1500 s, want one every 130 to 140 s", both, rekeys, first)
			}
		}
	})
}

// Rekeying begins at lifetime - margin x (1 + U(0, fuzz)): with AWS's numbers
// 3060 to 3330 s into the hour.
func TestRekeyTime(t *testing.T) {
	lo, hi := 3600*s, 0*s
	for n := range uint64(400) {
		c := strong(IKEv2, true)
		c.ChildLifetime, c.RekeyMargin, c.RekeyFuzz = 3600*s, 270*s, 1
		p := newPair(t, c, strong(IKEv2, false))
		for range n {
			p.rnd.Uint64()
		}
		p.create(0, 1)
		p.run(1 * s)
		for _, ev := range p.log {
			if ev.act.Kind == ActArm && ev.act.Timer == RekeyChildTimer {
				lo, hi = min(lo, ev.act.After), max(hi, ev.act.After)
			}
		}
	}
	if lo < 3060*s || lo > 3070*s || hi > 3330*s || hi < 3320*s {
		t.Errorf("rekeying begins %v to %v after the start", lo, hi)
	}
}

// A lifetime that ends without a successful rekey ends the tunnel.
func TestExpiry(t *testing.T) {
	for _, row := range []struct {
		name string
		set  func(*Config)
		v    Version
		want time.Duration
		why  Why
	}{
		{"IKEv1 child", func(c *Config) { c.ChildLifetime, c.RekeyMargin = 1000*s, 300*s }, IKEv1, 1000 * s, WhyExpired},
		{"IKEv1 IKE", func(c *Config) { c.IKELifetime, c.RekeyMargin = 1000*s, 300*s }, IKEv1, 1000 * s, WhyExpired},
		{"no margin, no rekey", func(c *Config) { c.ChildLifetime = 1000 * s }, IKEv2, 1000 * s, WhyExpired},
		// RFC 7296 §2.4: "repeated attempts to contact it have gone unanswered
		// for a timeout period": 4 x (1 + 1.8 + … + 1.8^5) = 165.06 s.
		{"IKEv2 child", func(c *Config) { c.ChildLifetime, c.RekeyMargin = 1000*s, 300*s }, IKEv2, 865 * s, WhyTimedOut},
		{"IKEv2 IKE", func(c *Config) { c.IKELifetime, c.RekeyMargin = 1000*s, 300*s }, IKEv2, 865 * s, WhyTimedOut},
		{"IKEv2 child, late", func(c *Config) { c.ChildLifetime, c.RekeyMargin = 1000*s, 100*s }, IKEv2, 1000 * s, WhyExpired},
	} {
		c := strong(row.v, true)
		row.set(&c)
		p := newPair(t, c, strong(row.v, false))
		p.create(0, 1)
		p.run(10 * s)
		p.lose = all
		p.run(1200 * s)
		at := p.when(0, 0, ActDown)
		if at < row.want || at > row.want+2*s {
			t.Errorf("%s: down at %v, want %v", row.name, at, row.want)
		}
		for _, ev := range p.log {
			if ev.act.Kind == ActDown && ev.end == 0 && ev.act.Why != row.why {
				t.Errorf("%s: because %v", row.name, ev.act.Why)
			}
		}
		p.lose = nil
		p.run(1500 * s)
		if !p.works() {
			t.Errorf("%s: not up again when the path was", row.name)
		}
	}
}

// Unanswered requests go out at 0, 4, 11.2, 24.16, 47.488 and 89.4784 s and are
// given up at 165.06 s; then the end waits for Config.Retry.
func TestRetransmission(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		p := newPair(t, strong(v, true), strong(v, false))
		p.create(0) // the other end is not there
		p.run(170 * s)
		var at []time.Duration
		for _, ev := range p.log {
			if ev.act.Kind == ActSend {
				at = append(at, ev.at)
			}
		}
		want := []float64{0, 4, 11.2, 24.16, 47.488, 89.4784}
		if len(at) != len(want) {
			t.Fatalf("sent at %v", at)
		}
		for i := range want {
			if d := at[i].Seconds() - want[i]; d < 0 || d > 0.011 {
				t.Errorf("message %d at %v, want %v s", i, at[i], want[i])
			}
		}
		if p.end[0].State() != Waiting {
			t.Errorf("%v after 165.06 s", p.end[0].State())
		}
		p.create(1)
		p.run(177 * s)
		if !p.works() {
			t.Error("no new attempt after Config.Retry")
		}
	})
}

// Losing any one message of a negotiation costs a retransmission, no more.
func TestLossOfOneMessage(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		messages := 9
		if v == IKEv2 {
			messages = 4
		}
		for lost := range messages {
			p := newPair(t, strong(v, true), strong(v, false))
			n := 0
			p.lose = func(int, *Message) bool { n++; return n == lost+1 }
			p.create(0, 1)
			p.run(5 * s)
			if !p.works() {
				t.Errorf("message %d lost: %v and %v after 5 s", lost+1, p.end[0].State(), p.end[1].State())
			}
		}
	})
}

// Every message twice: the answers are repeated, nothing else happens.
func TestDuplicates(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		a := lively(v, true)
		a.ChildLifetime, a.IKELifetime, a.RekeyMargin = 60*s, 150*s, 10*s
		p := newPair(t, a, lively(v, false))
		p.lose = func(from int, m *Message) bool {
			if m != nil {
				p.push(12*time.Millisecond+p.delay, due{to: 1 - from, in: Input{Kind: InMessage, Msg: m}})
			}
			return false
		}
		p.create(0, 1)
		p.run(1000 * s)
		if !p.works() || p.count(0, ActUp) != 2 || p.count(0, ActDown) != 0 {
			t.Errorf("up %d times, down %d times", p.count(0, ActUp), p.count(0, ActDown))
		}
	})
}

// A peer that begins and vanishes does not keep this end from beginning.
func TestHalfOpen(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		e := New(0, strong(v, false))
		e.Step(nil, Input{Kind: InCreate})
		x := SAInit
		if v == IKEv1 {
			x = MainMode
		}
		acts := e.Step(nil, Input{Kind: InMessage, Msg: &Message{Exchange: x, Num: 1, SPI: 77, Version: uint8(v)}})
		if e.State() != Negotiating || acts[1].Timer != RetryTimer || acts[1].After != 30*s {
			t.Fatalf("%v, %v", e.State(), acts)
		}
		e.Step(nil, Input{Kind: InTimer, Timer: RetryTimer})
		if e.State() != Waiting {
			t.Errorf("%v 30 s later", e.State())
		}
	})
}
