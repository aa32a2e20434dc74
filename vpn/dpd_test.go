package vpn

import (
	"testing"
	"time"
)

// cut makes a pair that talks through the tunnel every second, cuts both
// directions at t = 100 s and returns it with the time of the last packet in.
func cut(t *testing.T, c Config, until time.Duration) (*pair, time.Duration) {
	peer := strong(c.Version, true)
	p := newPair(t, c, peer)
	p.create(0, 1)
	p.traffic(1 * s)
	var last time.Duration
	p.at(100*s, func() { p.lose = all; last = p.heard[0] })
	p.run(until)
	if p.when(0, 0, ActUp) > 2*s || p.when(0, 0, ActUp) < 0 {
		t.Fatal("never up")
	}
	return p, last
}

// Measured on strongSwan 5.9.8, IKEv1 with dpd_delay 10 and dpd_timeout 30:
// dropped 29.1, 30.0 and 30.9 s after the last inbound packet.
func TestDPDTimeoutOfStrongSwanIKEv1(t *testing.T) {
	c := strong(IKEv1, false)
	c.DPDInterval, c.DPDRetry, c.DPDTimeout = 10*s, 10*s, 30*s
	p, last := cut(t, c, 300*s)
	if after := p.when(0, 0, ActDown) - last; after < 29100*time.Millisecond || after > 30900*time.Millisecond {
		t.Errorf("dropped after %v", after)
	}
	if n := p.sent(0, RUThere, 1); n != 2 {
		t.Errorf("%d R-U-THEREs, want them at 10 and 20 s", n)
	}
}

// Measured on strongSwan 5.9.8, IKEv2 with dpd_delay 10: five retransmissions,
// the first after 4 s and each next one 1.8 times later; dropped 174.5, 175.2
// and 175.6 s after the last inbound packet.
func TestDPDOfStrongSwanIKEv2(t *testing.T) {
	c := strong(IKEv2, false)
	c.DPDInterval = 10 * s
	p, last := cut(t, c, 400*s)
	if after := p.when(0, 0, ActDown) - last; after < 174500*time.Millisecond || after > 175600*time.Millisecond {
		t.Errorf("dropped after %v", after)
	}
	if n := p.sent(0, RUThere, 1); n != 6 {
		t.Errorf("sent %d times, want once and five retransmissions", n)
	}
}

// AWS: R-U-THERE after 10 s without traffic; with the timeout of 40 s the peer
// is dead 30 s after the first one, with the older 30 s sooner. Counting three
// unanswered ones 10 s apart comes to the same 40 s.
func TestDPDOfAWS(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		for _, row := range []struct {
			timeout time.Duration
			retries int
			want    time.Duration
		}{{40 * s, 3, 40 * s}, {30 * s, 3, 30 * s}, {0, 3, 40 * s}} {
			if row.timeout == 0 && v == IKEv2 {
				continue // the retransmissions decide
			}
			c := strong(v, false)
			c.DPDInterval, c.DPDRetry, c.DPDTimeout, c.DPDRetries = 10*s, 10*s, row.timeout, row.retries
			p, last := cut(t, c, 300*s)
			if after := p.when(0, 0, ActDown) - last; after < row.want || after > row.want+50*time.Millisecond {
				t.Errorf("timeout %v: dropped after %v, want %v", row.timeout, after, row.want)
			}
		}
	})
}

// A timeout that comes before the next R-U-THERE is due is kept: the timer that
// it cuts short does not take its own shortness for a sign of life.
func TestDPDTimeoutBeforeTheNextQuestion(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		for _, timeout := range []time.Duration{3 * s, 6 * s, 11 * s} {
			c := strong(v, false)
			c.DPDInterval, c.DPDRetry, c.DPDTimeout = 2*s, 10*s, timeout
			p, last := cut(t, c, 300*s)
			if after := p.when(0, 0, ActDown) - last; after < timeout || after > timeout+50*time.Millisecond {
				t.Errorf("timeout %v: dropped after %v", timeout, after)
			}
		}
	})
}

// Traffic from the peer is proof of life: no R-U-THERE is sent, and a tunnel
// without traffic is kept by the answers.
func TestDPDOnlyInDoubt(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		c := strong(v, false)
		c.DPDInterval, c.DPDRetry, c.DPDTimeout = 10*s, 10*s, 40*s
		busy := newPair(t, c, strong(v, true))
		busy.create(0, 1)
		busy.traffic(1 * s)
		busy.run(1000 * s)
		if n := busy.sent(0, RUThere, 1); n != 0 {
			t.Errorf("%d R-U-THEREs under traffic", n)
		}
		quiet := newPair(t, c, strong(v, true))
		quiet.create(0, 1)
		quiet.run(1005 * s)
		if n := quiet.sent(0, RUThere, 1); n != 100 && n != 99 {
			t.Errorf("%d R-U-THEREs in 1000 s of silence", n)
		}
		if quiet.count(0, ActDown) != 0 || !quiet.works() {
			t.Error("a silent tunnel whose peer answers went down")
		}
	})
}

// A packet that comes in while R-U-THERE is unanswered ends the doubt, though
// the IKE messages themselves stay lost.
func TestDPDRescue(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		c := strong(v, false)
		c.DPDInterval, c.DPDRetry, c.DPDTimeout = 10*s, 10*s, 40*s
		p := newPair(t, c, strong(v, true))
		p.create(0, 1)
		p.run(2 * s)
		p.lose = all
		for at := 35 * s; at < 500*s; at += 35 * s {
			p.at(at, func() { p.heard[0] = p.now })
		}
		p.run(500 * s)
		if p.count(0, ActDown) != 0 {
			t.Errorf("down at %v, though a packet came every 35 s", p.when(0, 0, ActDown))
		}
		if p.sent(0, RUThere, 1) < 20 {
			t.Errorf("only %d R-U-THEREs", p.sent(0, RUThere, 1))
		}
		p.run(700 * s)
		if p.when(0, 0, ActDown) < 0 {
			t.Error("not dead when the packets stopped")
		}
	})
}

func TestDPDActions(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		for action, want := range map[DPDAction]State{DPDClear: Waiting, DPDRestart: Negotiating, DPDNone: Up} {
			c := strong(v, false)
			c.DPDInterval, c.DPDRetry, c.DPDTimeout, c.DPDAction = 10*s, 10*s, 40*s, action
			p, _ := cut(t, c, 150*s)
			if got := p.end[0].State(); got != want {
				t.Errorf("action %d: %v, want %v", action, got, want)
			}
			if action != DPDNone && p.sent(101*s, Delete, 1) != 0 {
				t.Error("a DELETE to a dead peer")
			}
			p.lose = nil
			p.run(400 * s)
			// After clear nobody begins until the other end finds out too.
			if works := p.works(); works != (action != DPDClear) {
				t.Errorf("action %d: works %v after the path came back", action, works)
			}
		}
	})
}

// Without an interval there is no dead peer detection.
func TestNoDPD(t *testing.T) {
	p, _ := cut(t, strong(IKEv1, false), 5000*s)
	if p.count(0, ActDown) != 0 {
		t.Error("down without dead peer detection")
	}
}
