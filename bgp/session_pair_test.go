package bgp

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// pair is two Sessions and a small world between them: a clock, timers, and TCP
// as RFC 4271 sees it. A call takes three packets; the caller's end is up after
// the second, the other end after the third; what an end says arrives in order,
// and its closing after that.
type pair struct {
	now   time.Duration
	queue happenings
	count int
	delay func() time.Duration // of one packet
	ends  [2]*pairEnd
	links []*pairLink
	notes []string
}

type pairEnd struct {
	s          *Session
	timers     [NumTimers]int // a number for each arming; a happening with an older one is void
	links      map[ConnID]*pairLink
	incoming   ConnID // the next one's name
	ups, downs int
	sent       [9]int // messages by type
	muted      bool   // its interface is down
}

// pairLink is a TCP connection; all arrays are by end.
type pairLink struct {
	name  [2]ConnID
	up    [2]bool
	over  [2]bool // closed, reset or never to be
	clear [2]time.Duration
}

type happening struct {
	at  time.Duration
	seq int
	do  func()
}

type happenings []happening

func (h happenings) Len() int { return len(h) }
func (h happenings) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h happenings) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *happenings) Push(x any)   { *h = append(*h, x.(happening)) }
func (h *happenings) Pop() any {
	x := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return x
}

func newPair(a, b SessionConfig, delay func() time.Duration) *pair {
	p := &pair{delay: delay}
	for i, cfg := range []SessionConfig{a, b} {
		p.ends[i] = &pairEnd{s: NewSession(0, cfg), links: map[ConnID]*pairLink{}}
	}
	return p
}

// pairConfigs are two ends that fit each other; a has the lower identifier.
func pairConfigs() (a, b SessionConfig) {
	a, b = testConfig(), testConfig()
	b.AS, b.PeerAS, b.ID = a.PeerAS, a.AS, netip.MustParseAddr("10.0.0.2")
	a.Hold = 30 * time.Second
	return a, b
}

func (p *pair) at(t time.Duration, do func()) {
	p.count++
	heap.Push(&p.queue, happening{t, p.count, do})
}

func (p *pair) run(until time.Duration) error {
	for n := 0; len(p.queue) > 0 && p.queue[0].at <= until; n++ {
		if n == 100_000 {
			return fmt.Errorf("no end of happenings at %v", p.now)
		}
		h := heap.Pop(&p.queue).(happening)
		p.now = h.at
		h.do()
	}
	p.now = until
	return nil
}

func (p *pair) input(i int, in Input) {
	e := p.ends[i]
	p.notes = append(p.notes, fmt.Sprintf("%v end %d: %+v", p.now, i, in.Kind))
	for _, a := range e.s.Step(nil, in) {
		p.notes = append(p.notes, fmt.Sprintf("%v end %d:     %s", p.now, i, actionText(a)))
		switch a.Kind {
		case ActConnect:
			p.call(i, a.Conn)
		case ActSend:
			e.sent[a.Msg.Type]++
			l, m := e.links[a.Conn], a.Msg
			p.deliver(l, 1-i, func() { p.input(1-i, Input{Kind: InMessage, Conn: l.name[1-i], Msg: m}) })
		case ActClose, ActAbort:
			l := e.links[a.Conn]
			if l.up[i] {
				p.deliver(l, 1-i, func() {
					l.over[1-i] = true
					p.input(1-i, Input{Kind: InTCPDown, Conn: l.name[1-i]})
				})
			}
			l.over[i] = true
		case ActArm:
			e.timers[a.Timer]++
			t, n := a.Timer, e.timers[a.Timer]
			p.at(p.now+a.After, func() {
				if e.timers[t] == n {
					p.input(i, Input{Kind: InTimer, Timer: t})
				}
			})
		case ActDisarm:
			e.timers[a.Timer]++
		case ActUp:
			e.ups++
		case ActDown:
			e.downs++
		}
	}
}

// deliver lets something arrive at end i of a connection, after what is on its
// way there, if that end is there then.
func (p *pair) deliver(l *pairLink, i int, do func()) {
	if p.ends[0].muted || p.ends[1].muted {
		return
	}
	l.clear[i] = max(l.clear[i], p.now+p.delay())
	p.at(l.clear[i], func() {
		if l.up[i] && !l.over[i] {
			do()
		}
	})
}

// call opens a connection from end i.
func (p *pair) call(i int, name ConnID) {
	l := &pairLink{}
	l.name[i] = name
	p.ends[i].links[name] = l
	p.links = append(p.links, l)
	if p.ends[0].muted || p.ends[1].muted {
		return
	}
	p.at(p.now+p.delay()+p.delay(), func() {
		if l.over[i] {
			return
		}
		l.up[i] = true
		other := p.ends[1-i]
		l.name[1-i] = other.incoming
		other.links[other.incoming] = l
		other.incoming++
		l.clear[1-i] = p.now + p.delay()
		p.at(l.clear[1-i], func() {
			l.up[1-i] = true
			p.input(1-i, Input{Kind: InTCPUp, Conn: l.name[1-i], Incoming: true})
		})
		p.input(i, Input{Kind: InTCPUp, Conn: name})
	})
}

// agree tells whether both ends are Established, with one and the same
// connection, and have been so without interruption since they first were.
func (p *pair) agree() error {
	var at [2]*pairLink
	for i, e := range p.ends {
		c, _ := e.s.Conn()
		at[i] = e.links[c]
		if e.s.State() != Established || e.ups != 1 || e.downs != 0 {
			return fmt.Errorf("end %d is in %v, was up %d times and down %d times", i, e.s.State(), e.ups, e.downs)
		}
	}
	if at[0] != at[1] {
		return fmt.Errorf("the ends keep different connections")
	}
	if h, k := p.ends[0].s, p.ends[1].s; h.Hold() != k.Hold() {
		return fmt.Errorf("the ends keep to %v and %v", h.Hold(), k.Hold())
	}
	for _, l := range p.links {
		if l != at[0] && (l.up[0] && !l.over[0] || l.up[1] && !l.over[1]) {
			return fmt.Errorf("a second connection stays open")
		}
	}
	return nil
}

// Whoever calls, whoever waits with the OPEN, whoever has the higher identifier
// and whoever starts first: both ends come to be Established with the same
// connection and stay so.
func TestTwoSessionsAgree(t *testing.T) {
	bools := []bool{false, true}
	collisions := 0
	for _, pa := range bools {
		for _, pb := range bools {
			for _, da := range bools {
				for _, db := range bools {
					for _, higher := range bools {
						for _, head := range []time.Duration{-30 * time.Second, -25 * time.Millisecond, -10 * time.Millisecond, -5 * time.Millisecond, 0, 5 * time.Millisecond, 10 * time.Millisecond, 15 * time.Millisecond, 25 * time.Millisecond, 30 * time.Second} {
							name := fmt.Sprintf("passive %v %v, delaying %v %v, a higher %v, b starts at %v", pa, pb, da, db, higher, head)
							a, b := pairConfigs()
							a.Passive, b.Passive = pa, pb
							if da {
								delay(&a)
							}
							if db {
								delay(&b)
							}
							if higher {
								a.ID, b.ID = b.ID, a.ID
							}
							p := newPair(a, b, func() time.Duration { return 10 * time.Millisecond })
							p.at(max(0, -head), func() { p.input(0, Input{Kind: InStart}) })
							p.at(max(0, head), func() { p.input(1, Input{Kind: InStart}) })
							if err := p.run(400 * time.Second); err != nil {
								t.Fatalf("%s: %v", name, err)
							}
							if pa && pb { // who never calls is never called
								if p.ends[0].s.State() != Active || p.ends[1].s.State() != Active {
									t.Errorf("%s: %v, %v", name, p.ends[0].s.State(), p.ends[1].s.State())
								}
								continue
							}
							if err := p.agree(); err != nil {
								t.Errorf("%s: %v", name, err)
							}
							if len(p.links) > 1 {
								collisions++
							}
						}
					}
				}
			}
		}
	}
	if collisions < 20 {
		t.Errorf("only %d of the cases had two connections", collisions)
	}
}

// Two ends that call each other at the same instant keep the connection that the
// one with the higher identifier has opened (RFC 4271 §6.8), or with equal
// identifiers the one in the larger AS (RFC 6286 §2.3).
func TestHigherIdentifierKeepsItsConnection(t *testing.T) {
	for _, c := range []struct {
		ids    [2]string
		higher int
	}{
		{[2]string{"10.0.0.1", "10.0.0.2"}, 1},
		{[2]string{"10.0.0.2", "10.0.0.1"}, 0},
		{[2]string{"9.255.255.255", "10.0.0.0"}, 1},
		{[2]string{"10.0.0.1", "10.0.0.1"}, 1}, // AS 65001 and AS 65002
	} {
		higher := c.higher
		a, b := pairConfigs()
		a.ID, b.ID = netip.MustParseAddr(c.ids[0]), netip.MustParseAddr(c.ids[1])
		p := newPair(a, b, func() time.Duration { return 10 * time.Millisecond })
		p.input(0, Input{Kind: InStart})
		p.input(1, Input{Kind: InStart})
		if err := p.run(time.Second); err != nil {
			t.Fatal(err)
		}
		if err := p.agree(); err != nil {
			t.Fatal(err)
		}
		for i, e := range p.ends {
			if c, _ := e.s.Conn(); (c < 0) != (i == higher) {
				t.Errorf("end %d ranks higher, end %d keeps connection %d", higher, i, c)
			}
		}
	}
}

// The same for any delays of single packets and any moments of starting: the two
// ends never close each the connection that the other keeps.
func TestTwoSessionsAgreeWhateverTheDelays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := pairConfigs()
		if rapid.Bool().Draw(t, "a higher") {
			a.ID, b.ID = b.ID, a.ID
		}
		a.Passive = rapid.IntRange(0, 5).Draw(t, "a passive") == 0
		a.DelayOpen = rapid.SampledFrom([]time.Duration{0, 0, 20 * time.Millisecond}).Draw(t, "a delays")
		b.DelayOpen = rapid.SampledFrom([]time.Duration{0, 0, 20 * time.Millisecond}).Draw(t, "b delays")
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "delays"), 1))
		p := newPair(a, b, func() time.Duration { return time.Duration(rnd.IntN(60)+1) * time.Millisecond })
		p.at(time.Duration(rapid.IntRange(0, 200).Draw(t, "a starts"))*time.Millisecond, func() { p.input(0, Input{Kind: InStart}) })
		p.at(time.Duration(rapid.IntRange(0, 200).Draw(t, "b starts"))*time.Millisecond, func() { p.input(1, Input{Kind: InStart}) })
		err := p.run(400 * time.Second)
		if err == nil {
			err = p.agree()
		}
		if err != nil {
			for _, n := range p.notes[:min(len(p.notes), 80)] {
				t.Log(n)
			}
			t.Fatal(err)
		}
	})
}

// What ends a session at one end ends it at the other, and both come back: an
// operator's stop at once, silence after the hold time.
func TestTwoSessionsPartAndMeetAgain(t *testing.T) {
	for name, c := range map[string]struct {
		part  func(p *pair)
		heal  func(p *pair)
		gap   [2]time.Duration // the end that was not told is down after this
		cause Why
	}{
		"stop": {
			part: func(p *pair) { p.input(0, Input{Kind: InStop, Subcode: CeaseAdminShutdown}) },
			heal: func(p *pair) { p.input(0, Input{Kind: InStart}) },
			gap:  [2]time.Duration{10 * time.Millisecond, 10 * time.Millisecond}, cause: WhyNotification,
		},
		"link gone at one end": {
			part: func(p *pair) { p.ends[0].muted = true; p.input(0, Input{Kind: InLinkDown}) },
			heal: func(p *pair) { p.ends[0].muted = false; p.input(0, Input{Kind: InLinkUp}) },
			gap:  [2]time.Duration{20 * time.Second, 30 * time.Second}, cause: WhyHoldTimer,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pairConfigs()
			p := newPair(a, b, func() time.Duration { return 10 * time.Millisecond })
			p.input(0, Input{Kind: InStart})
			p.input(1, Input{Kind: InStart})
			cut := 57 * time.Second
			if err := p.run(cut); err != nil {
				t.Fatal(err)
			}
			if err := p.agree(); err != nil {
				t.Fatal(err)
			}
			c.part(p)
			for p.ends[1].s.State() == Established && p.now < cut+time.Minute {
				if err := p.run(p.now + time.Millisecond); err != nil {
					t.Fatal(err)
				}
			}
			if gap := p.now - cut; gap < c.gap[0] || gap > c.gap[1]+time.Millisecond {
				t.Errorf("the other end was down after %v, want %v", gap, c.gap)
			}
			p.at(cut+2*time.Minute, func() { c.heal(p) })
			if err := p.run(10 * time.Minute); err != nil {
				t.Fatal(err)
			}
			for i, e := range p.ends {
				if e.s.State() != Established || e.ups != 2 || e.downs != 1 {
					t.Errorf("end %d is in %v, was up %d times and down %d times", i, e.s.State(), e.ups, e.downs)
				}
			}
		})
	}
}

// An end that keeps the negotiated interval never lets the other's hold timer run
// out; one that does not (Azure: 60 s whatever the peer offers) always does.
func TestKeepaliveIntervalKeepsTheSessionOrNot(t *testing.T) {
	for _, fixed := range []bool{false, true} {
		a, b := pairConfigs() // a offers 30 s
		b.Keepalive, b.KeepaliveFixed = 60*time.Second, fixed
		p := newPair(a, b, func() time.Duration { return 10 * time.Millisecond })
		p.input(0, Input{Kind: InStart})
		p.input(1, Input{Kind: InStart})
		if err := p.run(10 * time.Minute); err != nil {
			t.Fatal(err)
		}
		if flaps := p.ends[0].downs > 0; flaps != fixed {
			t.Errorf("keepalive fixed %v: the session went down %d times", fixed, p.ends[0].downs)
		}
		if n := p.ends[1].sent[MsgKeepalive]; !fixed && (n < 58 || n > 62) {
			t.Errorf("%d KEEPALIVEs in ten minutes at one in 10 s", n)
		}
	}
}
