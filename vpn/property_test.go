package vpn

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever happens (loss, deletion, creation, traffic, either end or both
// beginning, either version, rekeying), once the path is whole and both ends
// are configured, both come up again and understand each other. The pair
// itself checks that ActUp and ActDown alternate and that states follow.
func TestHealing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		config := func(name string, initiate bool) Config {
			c := lively(rapid.SampledFrom([]Version{IKEv1, IKEv2}).Draw(rt, name+" version"), initiate)
			c.OnTraffic = rapid.Bool().Draw(rt, name+" on traffic")
			c.DPDAction = rapid.SampledFrom([]DPDAction{DPDClear, DPDRestart}).Draw(rt, name+" dpd")
			if rapid.Bool().Draw(rt, name+" rekeys") {
				c.ChildLifetime, c.IKELifetime, c.RekeyMargin, c.RekeyFuzz = 200*s, 500*s, 40*s, 1
			}
			return c
		}
		a := config("a", true)
		b := config("b", rapid.Bool().Draw(rt, "both initiate"))
		p := newPair(rt, a, b)
		loss := rapid.SampledFrom([]float64{0, 0.05, 0.3, 0.6}).Draw(rt, "loss")
		p.lose = func(int, *Message) bool { return p.rnd.Float64() < loss }
		p.create(0, 1)
		p.traffic(1500 * time.Millisecond)
		for range rapid.IntRange(0, 25).Draw(rt, "events") {
			p.run(p.now + time.Duration(rapid.IntRange(0, 60_000).Draw(rt, "wait"))*time.Millisecond)
			i := rapid.IntRange(0, 1).Draw(rt, "end")
			switch rapid.IntRange(0, 5).Draw(rt, "event") {
			case 0:
				p.step(i, Input{Kind: InDelete, Notify: true})
			case 1:
				p.step(i, Input{Kind: InDelete})
			case 2, 3:
				p.step(i, Input{Kind: InCreate})
			case 4:
				p.step(i, Input{Kind: InTraffic})
			case 5:
				loss = rapid.SampledFrom([]float64{0, 0.3, 1}).Draw(rt, "new loss")
			}
		}
		loss = 0
		p.create(0, 1)
		// The slowest way back: a peer that believes in a dead SA until its
		// retransmissions are exhausted, a half open negotiation, a retry.
		heal := p.now
		p.run(heal + 600*s)
		if !p.works() {
			rt.Fatalf("600 s after the last fault: %v with %d, %v with %d",
				p.end[0].State(), p.end[0].SA(), p.end[1].State(), p.end[1].SA())
		}
		quiet := p.now
		p.run(quiet + 1500*s)
		if n := p.count(quiet, ActDown); n > 0 {
			rt.Fatalf("down %d times on a whole path", n)
		}
	})
}

// Every input in every state: nothing panics, states that cannot be left that
// way are not left, and what is absent says nothing.
func TestEveryInputInEveryState(t *testing.T) {
	inputs := []Input{{Kind: InCreate}, {Kind: InDelete}, {Kind: InDelete, Notify: true}, {Kind: InTraffic}, {}, {Kind: 99}, {Kind: InMessage}, {Kind: InTimer, Timer: 200}}
	for timer := range NumTimers {
		for _, idle := range []time.Duration{0, 5 * s, 10 * s, 50 * s} {
			inputs = append(inputs, Input{Kind: InTimer, Timer: timer, Idle: idle})
		}
	}
	for x := Exchange(0); x <= RUThere+1; x++ {
		for num := range uint8(8) {
			for _, spi := range []uint64{0, 1, 4242} { // 1 stands for the SPI in use
				for _, flag := range []bool{false, true} {
					for v := range uint8(4) {
						inputs = append(inputs, Input{Kind: InMessage, Msg: &Message{Exchange: x, Num: num, SPI: spi, Version: v, ID: uint32(num), IKE: flag, InitialContact: flag, Refused: flag, Child: 6, New: 8}})
					}
				}
			}
		}
	}
	versions(t, func(t *testing.T, v Version) {
		// The states: how an end gets there, and how it got its SAs.
		for _, initiate := range []bool{true, false} {
			for steps := range 260 {
				make := func() *pair {
					c := lively(v, initiate)
					c.OnTraffic = true
					c.ChildLifetime, c.IKELifetime, c.RekeyMargin = 60*s, 150*s, 10*s
					p := newPair(t, c, lively(v, !initiate))
					if steps > 0 {
						p.create(0, 1)
						// Every 5 ms of the negotiation, then every second
						// through the rekeys.
						p.run(min(time.Duration(steps), 40) * 5 * time.Millisecond)
						p.run(time.Duration(max(steps-40, 0)) * s)
					}
					return p
				}
				p := make()
				if steps == 0 && p.end[0].State() != Absent {
					t.Fatal("not absent")
				}
				if steps > 60 && steps%20 != 0 {
					continue
				}
				spi := uint64(0)
				if sa := p.end[0].current(); sa != nil {
					spi = sa.spi
				} else if p.end[0].mine != nil {
					spi = p.end[0].mine.spi
				} else if p.end[0].their != nil {
					spi = p.end[0].their.spi
				}
				for _, in := range inputs {
					q := snapshot(p.end[0])
					if in.Msg != nil && in.Msg.SPI == 1 {
						m := *in.Msg
						m.SPI = spi
						in.Msg = &m
					}
					from := q.State()
					after, quiet := time.Duration(0), false
					if in.Kind == InTimer && in.Timer == DPDTimer {
						after, quiet = q.NoDoubt(in.Idle)
					}
					before := *q
					acts := q.Step(nil, in)
					if quiet && (!slices.Equal(acts, []Action{{Kind: ActArm, Timer: DPDTimer, After: after}}) || !q.same(&before)) {
						t.Fatalf("after %d steps, %v, %+v: no doubt for %v, but Step gives %v", steps, from, in, after, acts)
					}
					if err := consistent(from, q, acts, in); err != nil {
						t.Fatalf("after %d steps, %v, %+v: %v", steps, from, in, err)
					}
				}
			}
		}
	})
}

// same tells whether two ends are in the same state, apart from their SAs.
func (e *End) same(o *End) bool {
	return e.state == o.state && e.armed == o.armed && e.req == o.req && e.dpd == o.dpd && e.ike == o.ike && e.child == o.child
}

// snapshot copies an End, so that one state can be tried with every input.
func snapshot(e *End) *End {
	c := *e
	c.sas = append([]ikeSA(nil), e.sas...)
	c.kids = append([]childSA(nil), e.kids...)
	if e.mine != nil {
		m := *e.mine
		c.mine = &m
	}
	if e.their != nil {
		m := *e.their
		c.their = &m
	}
	return &c
}

func consistent(from State, e *End, acts []Action, in Input) error {
	if from == Absent && in.Kind != InCreate && len(acts) > 0 {
		return fmt.Errorf("an absent end does %v", acts)
	}
	if in.Kind == InDelete && e.State() != Absent {
		return fmt.Errorf("deleted, but %v", e.State())
	}
	if in.Kind != InDelete && from != Absent && e.State() == Absent {
		return fmt.Errorf("absent without being deleted")
	}
	up := from == Up
	for _, a := range acts {
		switch {
		case a.Kind == ActState && (a.From != from || a.To == a.From || a.Why == WhyNone):
			return fmt.Errorf("%v -> %v because %q, from %v", a.From, a.To, a.Why, from)
		case a.Kind == ActState:
			from = a.To
		case a.Kind == ActUp && up, a.Kind == ActDown && !up:
			return fmt.Errorf("up or down twice")
		case a.Kind == ActUp:
			up = true
		case a.Kind == ActDown:
			up = false
		case a.Kind == ActSend && (a.Msg == nil || a.Msg.Size == 0 || a.Msg.SPI == 0 && in.Msg == nil):
			return fmt.Errorf("sends %+v", a.Msg)
		}
	}
	if from != e.State() || up != e.Up() || e.Up() != (e.SA() != 0) {
		return fmt.Errorf("state %v (%v by the actions), up %v, child SA %d", e.State(), from, up, e.SA())
	}
	switch e.State() {
	case Absent, Waiting:
		if len(e.sas)+len(e.kids) > 0 || e.mine != nil || e.their != nil || e.req.msg != nil {
			return fmt.Errorf("%v, but with SAs", e.State())
		}
	case Negotiating:
		// Something must end it: a retransmission or the half open timer.
		if !e.armed[RetransmitTimer] && !e.armed[RetryTimer] {
			return fmt.Errorf("negotiating for ever")
		}
	}
	if (e.req.msg != nil) != e.armed[RetransmitTimer] {
		return fmt.Errorf("request %v, but its timer %v", e.req.msg, e.armed[RetransmitTimer])
	}
	return nil
}

// A steady tunnel allocates nothing: dead peer detection under traffic only
// arms its timer again.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	p := newPair(t, lively(IKEv1, true), lively(IKEv1, false))
	p.create(0, 1)
	p.run(1 * s)
	acts := make([]Action, 0, 8)
	e := p.end[0]
	if n := testing.AllocsPerRun(1000, func() {
		acts = e.Step(acts[:0], Input{Kind: InTimer, Timer: DPDTimer, Idle: 3 * s})
	}); n != 0 || len(acts) != 1 || acts[0].After != 7*s {
		t.Errorf("%v allocations, %v", n, acts)
	}
}

// Reset starts over: the same inputs give the same actions.
func TestReset(t *testing.T) {
	p := newPair(t, lively(IKEv2, true), lively(IKEv2, false))
	p.create(0, 1)
	p.run(100 * s)
	e := p.end[0]
	c := lively(IKEv1, true)
	e.Reset(c)
	if e.State() != Absent || e.SA() != 0 || len(e.Step(nil, Input{Kind: InTimer, Timer: DPDTimer})) != 0 {
		t.Error("something is left after Reset")
	}
	fresh := New(0, c)
	a, b := e.Step(nil, Input{Kind: InCreate}), fresh.Step(nil, Input{Kind: InCreate})
	if len(a) != len(b) || *a[1].Msg != *b[1].Msg {
		t.Errorf("%v and %v", a, b)
	}
}
