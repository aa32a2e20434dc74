package vpn

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A pair is two Ends on a pipe, with the smallest clock that can drive them:
// a list of what is due. It checks of every step that ActUp and ActDown
// alternate and agree with State, and that states follow each other.
type pair struct {
	t     interface{ Fatalf(string, ...any) }
	now   time.Duration
	seq   int
	due   []due
	timer [2][NumTimers]int // seq of the pending timer; 0: none
	end   [2]*End
	cfg   [2]Config
	delay time.Duration
	lose  func(from int, m *Message) bool // nil: nothing is lost
	esp   time.Duration                   // each end that is Up sends a packet through the tunnel this often; 0: never
	heard [2]time.Duration                // when something last came in
	up    [2]bool
	log   []event
	rnd   *rand.Rand
}

type due struct {
	at  time.Duration
	seq int
	to  int
	in  Input
	esp uint32 // a packet inside the tunnel, with this child SA
	fn  func()
}

type event struct {
	at   time.Duration
	end  int
	act  Action
	lost bool
}

func newPair(t interface{ Fatalf(string, ...any) }, a, b Config) *pair {
	p := &pair{t: t, delay: 5 * time.Millisecond, rnd: rand.New(rand.NewPCG(1, 2)), seq: 1}
	for i, c := range []Config{a, b} {
		c.Rand = p.rnd.Uint64
		c.Processing = func() time.Duration { return 10 * time.Millisecond }
		p.cfg[i], p.end[i] = c, New(i, c)
	}
	return p
}

func (p *pair) push(after time.Duration, d due) int {
	p.seq++
	d.at, d.seq = p.now+after, p.seq
	p.due = append(p.due, d)
	return p.seq
}

func (p *pair) at(t time.Duration, fn func()) { p.push(t-p.now, due{fn: fn}) }

// step gives in to an end and does what it asks for.
func (p *pair) step(i int, in Input) {
	e := p.end[i]
	state := e.State()
	for _, a := range e.Step(nil, in) {
		ev := event{at: p.now, end: i, act: a}
		switch a.Kind {
		case ActSend:
			if ev.lost = p.lose != nil && p.lose(i, a.Msg); !ev.lost {
				p.push(a.After+p.delay, due{to: 1 - i, in: Input{Kind: InMessage, Msg: a.Msg}})
			}
		case ActArm:
			p.timer[i][a.Timer] = p.push(a.After, due{to: i, in: Input{Kind: InTimer, Timer: a.Timer}})
		case ActDisarm:
			if p.timer[i][a.Timer] == 0 {
				p.t.Fatalf("%v end %d: disarms timer %d, which does not run", p.now, i, a.Timer)
			}
			p.timer[i][a.Timer] = 0
		case ActUp:
			if p.up[i] {
				p.t.Fatalf("%v end %d: ActUp twice", p.now, i)
			}
			p.up[i] = true
			p.heard[i] = p.now
		case ActDown:
			if !p.up[i] {
				p.t.Fatalf("%v end %d: ActDown without ActUp", p.now, i)
			}
			p.up[i] = false
		case ActState:
			if a.From != state {
				p.t.Fatalf("%v end %d: %v -> %v, but it was %v", p.now, i, a.From, a.To, state)
			}
			state = a.To
		}
		p.log = append(p.log, ev)
	}
	if state != e.State() || p.up[i] != e.Up() || e.Up() != (e.SA() != 0) {
		p.t.Fatalf("%v end %d: state %v (actions say %v), up %v (actions say %v), SA %d", p.now, i, e.State(), state, e.Up(), p.up[i], e.SA())
	}
	if len(e.sas) > 3 || len(e.kids) > 4 {
		p.t.Fatalf("%v end %d: %d IKE SAs and %d child SAs pile up", p.now, i, len(e.sas), len(e.kids))
	}
}

// run until t.
func (p *pair) run(until time.Duration) {
	for {
		best := -1
		for i, d := range p.due {
			if d.at <= until && (best < 0 || d.at < p.due[best].at || d.at == p.due[best].at && d.seq < p.due[best].seq) {
				best = i
			}
		}
		if best < 0 {
			p.now = until
			return
		}
		d := p.due[best]
		p.due[best] = p.due[len(p.due)-1]
		p.due = p.due[:len(p.due)-1]
		p.now = d.at
		switch {
		case d.fn != nil:
			d.fn()
		case d.esp != 0:
			if p.end[d.to].Accepts(d.esp) {
				p.heard[d.to] = p.now
			}
		case d.in.Kind == InTimer:
			if p.timer[d.to][d.in.Timer] != d.seq {
				continue
			}
			p.timer[d.to][d.in.Timer] = 0
			d.in.Idle = p.now - p.heard[d.to]
			p.step(d.to, d.in)
		default:
			p.heard[d.to] = p.now
			p.step(d.to, d.in)
		}
	}
}

// traffic sends a packet each way through the tunnel every so often.
func (p *pair) traffic(every time.Duration) {
	for i, e := range p.end {
		if sa := e.SA(); sa != 0 && (p.lose == nil || !p.lose(i, nil)) {
			p.push(p.delay, due{to: 1 - i, esp: sa})
		}
	}
	p.push(every, due{fn: func() { p.traffic(every) }})
}

func (p *pair) create(ends ...int) {
	for _, i := range ends {
		p.step(i, Input{Kind: InCreate})
	}
}

// works: a packet passes in both directions.
func (p *pair) works() bool {
	a, b := p.end[0], p.end[1]
	return a.Up() && b.Up() && b.Accepts(a.SA()) && a.Accepts(b.SA())
}

// when is the first action of the kind at an end not before from; -1: never.
func (p *pair) when(from time.Duration, end int, kind ActionKind) time.Duration {
	for _, ev := range p.log {
		if ev.at >= from && ev.end == end && ev.act.Kind == kind {
			return ev.at
		}
	}
	return -1
}

func (p *pair) count(from time.Duration, kind ActionKind) (n int) {
	for _, ev := range p.log {
		if ev.at >= from && ev.act.Kind == kind {
			n++
		}
	}
	return n
}

func (p *pair) sent(from time.Duration, x Exchange, num uint8) (n int) {
	for _, ev := range p.log {
		if ev.at >= from && ev.act.Kind == ActSend && ev.act.Msg.Exchange == x && ev.act.Msg.Num == num {
			n++
		}
	}
	return n
}

func all(int, *Message) bool { return true }

const s = time.Second

// strong is strongSwan's retransmission with a retry.
func strong(v Version, initiate bool) Config {
	return Config{Version: v, Initiate: initiate, Retransmit: 4 * s, RetransmitBase: 1.8, RetransmitTries: 5, Retry: 10 * s}
}

func versions(t *testing.T, f func(t *testing.T, v Version)) {
	t.Run("IKEv1", func(t *testing.T) { f(t, IKEv1) })
	t.Run("IKEv2", func(t *testing.T) { f(t, IKEv2) })
}

// RFC 2409 §5: main mode has six messages, quick mode three. RFC 7296 §1.2:
// the initial exchanges have four.
func TestNegotiation(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		p := newPair(t, strong(v, true), strong(v, false))
		p.create(0, 1)
		p.run(1 * s)
		if !p.works() {
			t.Fatalf("%v and %v", p.end[0].State(), p.end[1].State())
		}
		messages, initiator, responder := 9, 8*15, 9*15
		if v == IKEv2 {
			messages, initiator, responder = 4, 4*15, 3*15
		}
		if n := p.count(0, ActSend); n != messages {
			t.Errorf("%d messages, want %d", n, messages)
		}
		// 10 ms for each message and 5 ms on the way.
		for i, want := range []int{initiator, responder} {
			if got := p.when(0, i, ActUp); got != time.Duration(want)*time.Millisecond {
				t.Errorf("end %d is up at %v, want %d ms", i, got, want)
			}
		}
	})
}

func TestNeitherInitiates(t *testing.T) {
	p := newPair(t, strong(IKEv1, false), strong(IKEv2, false))
	p.create(0, 1)
	p.run(1000 * s)
	if len(p.log) != 2 || p.end[0].State() != Waiting {
		t.Errorf("two ends that wait do something: %v", p.log)
	}
}

func TestOnTraffic(t *testing.T) {
	versions(t, func(t *testing.T, v Version) {
		a := strong(v, false)
		a.OnTraffic, a.Retry = true, 0
		p := newPair(t, a, strong(v, false))
		p.create(0, 1)
		p.step(1, Input{Kind: InTraffic}) // no trap policy there
		p.run(1 * s)
		if p.end[0].State() != Waiting {
			t.Fatal("negotiates without traffic")
		}
		p.step(0, Input{Kind: InTraffic})
		p.step(0, Input{Kind: InTraffic})
		p.run(2 * s)
		if !p.works() || p.count(0, ActUp) != 2 {
			t.Error("not up after traffic")
		}
	})
}

func TestBothInitiate(t *testing.T) {
	for _, v := range [][2]Version{{IKEv1, IKEv1}, {IKEv2, IKEv2}, {IKEv1, IKEv2}, {IKEv2, IKEv1}} {
		for later := time.Duration(0); later < 200*time.Millisecond; later += 2500 * time.Microsecond {
			p := newPair(t, strong(v[0], true), strong(v[1], true))
			p.create(0)
			p.at(later, func() { p.create(1) })
			p.run(3 * s)
			if !p.works() || p.end[0].SA() != p.end[1].SA() {
				t.Fatalf("v%d and v%d, the second %v later: %v with %d, %v with %d", v[0], v[1], later,
					p.end[0].State(), p.end[0].SA(), p.end[1].State(), p.end[1].SA())
			}
			if n := p.count(0, ActDown); n != 0 {
				t.Fatalf("v%d and v%d, the second %v later: went down on the way", v[0], v[1], later)
			}
			p.run(100 * s)
			if len(p.end[0].sas) != 1 || len(p.end[1].sas) != 1 || !p.works() {
				t.Fatalf("v%d and v%d, the second %v later: does not stay with one SA", v[0], v[1], later)
			}
		}
	}
}
