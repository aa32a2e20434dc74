package vpn

import (
	"testing"
	"time"
)

// fire makes a timer of an end run out now.
func (p *pair) fire(end int, t TimerID) {
	p.timer[end][t] = 0
	p.step(end, Input{Kind: InTimer, Timer: t, Idle: p.now - p.heard[end]})
}

// Both ends may rekey at the same time, the same SA or different ones, and
// the second may begin at any moment of the first one's exchange. Nothing is
// lost (a packet leaves each end every millisecond), and both end with one and
// the same SA pair. RFC 7296 §2.8.1, §2.25
func TestBothRekey(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		timers := []TimerID{RekeyChildTimer, RekeyIKETimer}
		for _, first := range timers {
			for _, second := range timers {
				for offset := time.Duration(0); offset < 150*time.Millisecond; offset += 2500 * time.Microsecond {
					a, b := lively(v, true), lively(v, false)
					a.ChildLifetime, a.IKELifetime, a.RekeyMargin = 3600*s, 7200*s, 600*s
					b.ChildLifetime, b.IKELifetime, b.RekeyMargin = 3600*s, 7200*s, 600*s
					p := newPair(t, a, b)
					for range offset { // other numbers, so that either end may have the greater one
						if p.rnd.Uint64()%16 == 0 {
							break
						}
					}
					p.create(0, 1)
					p.run(10 * s)
					before := p.end[0].SA()
					p.fire(0, first)
					p.at(10*s+offset, func() { p.fire(1, second) })
					lost := 0
					for at := 10 * s; at < 11*s; at += time.Millisecond {
						p.run(at)
						for i, e := range p.end {
							sa, other := e.SA(), p.end[1-i]
							p.at(at+p.delay, func() {
								if !other.Accepts(sa) {
									lost++
								}
							})
						}
					}
					p.run(60 * s)
					what := [...]string{RekeyChildTimer: "child", RekeyIKETimer: "IKE"}
					at := what[first] + " and " + what[second] + " " + offset.String() + " later"
					if lost > 0 || p.count(0, ActDown) > 0 {
						t.Errorf("%s: %d packets lost, down %d times", at, lost, p.count(0, ActDown))
					}
					x, y := p.end[0], p.end[1]
					if !p.works() || x.SA() != y.SA() || len(x.sas) != 1 || len(y.sas) != 1 || x.sas[0].spi != y.sas[0].spi {
						t.Errorf("%s: %d and %d IKE SAs, child SAs %d and %d", at, len(x.sas), len(y.sas), x.SA(), y.SA())
					}
					if (first == RekeyChildTimer || second == RekeyChildTimer) && x.SA() == before {
						t.Errorf("%s: the child SA was not rekeyed", at)
					}
					// The next lifetime has begun at both ends.
					for i, e := range p.end {
						if !e.armed[RekeyChildTimer] || !e.armed[RekeyIKETimer] {
							t.Errorf("%s: end %d will never rekey again", at, i)
						}
					}
				}
			}
		}
	})
}

// A rekey that was refused is tried again.
func TestRefusedRekeyIsTriedAgain(t *testing.T) {
	e := New(0, lively(IKEv2, true))
	c := lively(IKEv2, true)
	c.ChildLifetime, c.RekeyMargin = 3600*s, 600*s
	p := newPair(t, c, lively(IKEv2, false))
	p.create(0, 1)
	p.run(10 * s)
	e = p.end[0]
	p.fire(0, RekeyChildTimer)
	q := e.req.msg
	p.step(0, Input{Kind: InMessage, Msg: &Message{Exchange: CreateChild, Num: 2, ID: q.ID, SPI: q.SPI, Version: 2, Child: q.Child, Old: q.Old, Refused: true}})
	if e.req.msg != nil || !e.armed[RekeyChildTimer] || e.child.left < 580*s || e.child.left > 590*s {
		t.Fatalf("%v to the end of the lifetime after the next try", e.child.left)
	}
	// Not known at all (CHILD_SA_NOT_FOUND): nothing that leaves here arrives.
	p.fire(0, RekeyChildTimer)
	q = e.req.msg
	p.step(0, Input{Kind: InMessage, Msg: &Message{Exchange: CreateChild, Num: 2, ID: q.ID, SPI: q.SPI, Version: 2, Child: q.Child, Refused: true}})
	if e.State() != Waiting || p.sent(10*s, Delete, 1) != 1 {
		t.Errorf("%v", e.State())
	}
}

// The DELETE of the old SA overtaken by the peer's new negotiation does not
// break that.
func TestDeleteWhileThePeerIsBack(t *testing.T) {
	p := newPair(t, lively(IKEv2, false), lively(IKEv2, true))
	p.create(0, 1)
	p.run(10 * s)
	p.step(1, Input{Kind: InDelete, Notify: true})
	var late *Message
	p.due = p.due[:0] // the DELETE is late
	for _, ev := range p.log {
		if ev.act.Kind == ActSend && ev.act.Msg.Exchange == Delete {
			late = ev.act.Msg
		}
	}
	p.create(1)
	p.run(p.now + 20*time.Millisecond)
	p.step(0, Input{Kind: InMessage, Msg: late})
	if p.end[0].State() != Negotiating {
		t.Fatalf("%v", p.end[0].State())
	}
	p.run(11 * s)
	if !p.works() {
		t.Errorf("%v and %v", p.end[0].State(), p.end[1].State())
	}
}

// An end whose own attempt is given up while the peer is just negotiating goes
// on with the peer's.
func TestGivingUpWhileThePeerNegotiates(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		for before := -50 * time.Millisecond; before < 200*time.Millisecond; before += 10 * time.Millisecond {
			p := newPair(t, strong(v, true), strong(v, true))
			p.create(0)
			p.at(165071*time.Millisecond-before, func() { p.create(1) })
			p.run(166 * s)
			if !p.works() {
				t.Errorf("the peer begins %v before: %v and %v", before, p.end[0].State(), p.end[1].State())
			}
		}
	})
}

// IKEv1: the peer begins to rekey and vanishes; its half of a child SA goes
// when quick mode 2 has been sent often enough, and the old SA stays.
func TestHalfARekey(t *testing.T) {
	p := newPair(t, strong(IKEv1, true), strong(IKEv1, false))
	p.create(0, 1)
	p.run(10 * s)
	e := p.end[0]
	p.step(0, Input{Kind: InMessage, Msg: &Message{Exchange: QuickMode, Num: 1, ID: 5, SPI: e.current().spi, Version: 1, Child: 4243}})
	if !e.Accepts(4243) || e.SA() == 4243 {
		t.Fatal("quick mode 1 was not answered with an SA that accepts packets")
	}
	p.lose = all
	p.run(180 * s)
	if e.Accepts(4243) || !e.Up() || e.req.msg != nil {
		t.Errorf("%v, accepts the SA that never was: %v", e.State(), e.Accepts(4243))
	}
}

// A child SA whose rekey went down with its IKE SA is rekeyed through the next.
func TestRekeyThroughTheNextIKESA(t *testing.T) {
	a, b := lively(IKEv1, true), lively(IKEv1, false)
	a.ChildLifetime, a.RekeyMargin = 3600*s, 600*s
	b.IKELifetime, b.RekeyMargin = 3600*s, 600*s
	p := newPair(t, a, b)
	p.create(0, 1)
	p.run(10 * s)
	before := p.end[0].SA()
	p.lose = func(from int, m *Message) bool { return from == 0 && m != nil && m.Exchange == QuickMode }
	p.fire(0, RekeyChildTimer)
	p.at(10500*time.Millisecond, func() { p.fire(1, RekeyIKETimer) })
	p.run(11 * s)
	p.lose = nil
	p.run(32 * s)
	if !p.works() || p.end[0].SA() == before || p.count(0, ActDown) > 0 {
		t.Errorf("works %v, rekeyed %v", p.works(), p.end[0].SA() != before)
	}
}

// IKEv1 DELETEs are not answered: those that get lost leave old IKE SAs
// behind, but not without end.
func TestLostDeletesDoNotPileUp(t *testing.T) {
	a := lively(IKEv1, true)
	a.IKELifetime, a.RekeyMargin = 100*s, 10*s
	p := newPair(t, a, lively(IKEv1, false))
	p.lose = func(_ int, m *Message) bool { return m != nil && m.Exchange == Delete }
	p.create(0, 1)
	p.run(2000 * s)
	if n := len(p.end[1].sas); n != 2 || !p.works() || p.count(0, ActDown) > 0 {
		t.Errorf("%d IKE SAs at the other end", n)
	}
}
