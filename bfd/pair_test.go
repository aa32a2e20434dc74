package bfd

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	ms = time.Millisecond
	s  = time.Second
)

// pair is two ends and the path between them, with a clock of its own.
type pair struct {
	t      failer
	end    [2]*Session
	cut    [2]bool // what end i sends is lost
	lose   func() bool
	delay  time.Duration
	now    time.Duration
	timer  [2][NumTimers]time.Duration // -1: not running
	flying []flight
	sent   [2]time.Duration // when an end last sent
	last   [2]State         // by the actions
	log    []record
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

type flight struct {
	at time.Duration
	to int
	p  Packet
}

// record is something that an end did.
type record struct {
	at  time.Duration
	end int
	Action
}

func newPair(t failer, a, b Config, delay time.Duration, seed uint64) *pair {
	a.Discr, b.Discr = 1, 2
	rnd := rand.New(rand.NewPCG(seed, 5880))
	a.Rand, b.Rand = rnd.Uint64, rnd.Uint64
	p := &pair{t: t, end: [2]*Session{New(a), New(b)}, delay: delay}
	for i := range p.timer {
		for j := range p.timer[i] {
			p.timer[i][j] = -1
		}
	}
	return p
}

func (p *pair) enable() {
	for i := range p.end {
		p.step(i, Input{Kind: InEnable})
	}
}

func (p *pair) step(i int, in Input) {
	p.t.Helper()
	in.Since = p.now - p.sent[i]
	for _, a := range p.end[i].Step(nil, in) {
		p.log = append(p.log, record{p.now, i, a})
		switch a.Kind {
		case ActSend:
			p.sent[i] = p.now
			if a.Packet.My != uint32(i+1) || a.Packet.Mult == 0 || a.Packet.Poll && a.Packet.Final || a.Packet.State != p.end[i].State() {
				p.t.Fatalf("%v: end %d sends %+v", p.now, i, a.Packet)
			}
			if a.Packet.State != Up && a.Packet.MinTx < s {
				p.t.Fatalf("%v: end %d is %v and wants to send every %v", p.now, i, a.Packet.State, a.Packet.MinTx)
			}
			if !p.cut[i] && (p.lose == nil || !p.lose()) {
				p.flying = append(p.flying, flight{p.now + p.delay, 1 - i, a.Packet})
			}
		case ActArm:
			p.timer[i][a.Timer] = p.now + a.After
		case ActDisarm:
			if p.timer[i][a.Timer] < 0 {
				p.t.Fatalf("%v: end %d disarms what does not run", p.now, i)
			}
			p.timer[i][a.Timer] = -1
		case ActState:
			if a.From != p.last[i] || a.From == a.To {
				p.t.Fatalf("%v: end %d goes from %v to %v, but was %v", p.now, i, a.From, a.To, p.last[i])
			}
			p.last[i] = a.To
		}
	}
}

// run lets everything happen that is due until then.
func (p *pair) run(until time.Duration) {
	p.t.Helper()
	for {
		// Packets come before timers at one instant.
		at, what, which := until+1, -1, 0
		for i := range p.flying {
			if p.flying[i].at < at {
				at, what, which = p.flying[i].at, 0, i
			}
		}
		for i := range p.timer {
			for j, due := range p.timer[i] {
				if due >= 0 && due < at {
					at, what, which = due, 1, i*int(NumTimers)+j
				}
			}
		}
		if what < 0 {
			p.now = until
			return
		}
		p.now = at
		if what == 0 {
			f := p.flying[which]
			p.flying = append(p.flying[:which], p.flying[which+1:]...)
			p.step(f.to, Input{Kind: InPacket, Packet: f.p})
			continue
		}
		i, j := which/int(NumTimers), TimerID(which%int(NumTimers))
		p.timer[i][j] = -1
		p.step(i, Input{Kind: InTimer, Timer: j})
	}
}

func (p *pair) up() bool { return p.end[0].State() == Up && p.end[1].State() == Up }

// change finds when end i last changed its state after an instant, and why; -1: it did not.
func (p *pair) change(i int, after time.Duration) (time.Duration, Action) {
	for _, r := range p.log {
		if r.end == i && r.Kind == ActState && r.at >= after {
			return r.at, r.Action
		}
	}
	return -1, Action{}
}

func drawConfig(t *rapid.T, name string) Config {
	pick := func(what string, list ...int) time.Duration {
		return time.Duration(rapid.SampledFrom(list).Draw(t, name+" "+what)) * ms
	}
	return Config{
		Timing: Timing{MinTx: pick("tx", 10, 50, 100, 300, 1000, 3000), MinRx: pick("rx", 10, 100, 300, 1000), Mult: uint8(pick("mult", 1, 2, 3, 5, 10) / ms)},
		Jitter: uint32(pick("jitter", 750, 900, 1000) / ms), Independent: rapid.Bool().Draw(t, name+" independent"),
	}
}

// agreed is the interval at which end i sends when both are Up.
func agreed(c [2]Config, i int) time.Duration { return max(c[i].MinTx, c[1-i].MinRx) }

// slow is the interval while they are not.
func slow(c [2]Config, i int) time.Duration { return max(agreed(c, i), s) }

// For any two configurations: on a whole path both come Up and stay Up, sending
// as often as was agreed; a path that is cut is noticed in a Detection Time from
// the last packet, by whoever hears nothing; the other end follows a delay later;
// and when the path is whole again both come up again.
func TestPair(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := [2]Config{drawConfig(rt, "a"), drawConfig(rt, "b")}
		if rapid.Bool().Draw(rt, "b passive") {
			c[1].Passive = true
		}
		delay := rapid.SampledFrom([]time.Duration{0, 1 * ms, 5 * ms, 70 * ms}).Draw(rt, "delay")
		p := newPair(rt, c[0], c[1], delay, rapid.Uint64().Draw(rt, "seed"))
		p.enable()

		// The first packet says Down, its answer Init, and the answer to that Up; what
		// is lost on the way to a session that is not enabled yet comes again.
		coming := 2*(slow(c, 0)+slow(c, 1)) + 4*delay
		p.run(coming)
		if !p.up() {
			rt.Fatalf("%v and %v after %v", p.end[0].State(), p.end[1].State(), coming)
		}
		settled := p.now + 4*max(slow(c, 0), slow(c, 1)) + 4*delay
		p.run(settled)
		if !p.end[0].Quiet() || !p.end[1].Quiet() {
			rt.Fatalf("not quiet at %v", p.now)
		}
		quiet := p.now + 60*max(agreed(c, 0), agreed(c, 1))
		p.run(quiet)
		for i := range 2 {
			if at, _ := p.change(i, settled); at >= 0 {
				rt.Fatalf("end %d went down on a whole path at %v", i, at)
			}
			spacing(rt, p, c, i, settled)
		}

		deaf := rapid.IntRange(0, 2).Draw(rt, "who hears nothing: a, b, both")
		begin := p.now
		for i := range 2 {
			p.cut[1-i] = deaf == i || deaf == 2
		}
		p.run(begin + 60*max(slow(c, 0), slow(c, 1)) + 4*delay)
		for i := range 2 {
			detect := time.Duration(c[1-i].Mult) * agreed(c, 1-i)
			at, a := p.change(i, begin)
			if at < 0 || a.To != Down {
				rt.Fatalf("end %d has not noticed", i)
			}
			switch {
			case deaf == i || deaf == 2:
				if a.Packet.Diag == DiagNeighborDown && deaf == 2 && at <= begin+delay {
					break // it was on its way
				}
				if after := at - begin; a.Packet.Diag != DiagExpired || after > detect+delay || after <= detect-agreed(c, 1-i) {
					rt.Fatalf("end %d hears nothing and goes down after %v (%v); Detection Time %v, interval %v", i, after, a.Packet.Diag, detect, agreed(c, 1-i))
				}
			case c[deaf].Passive: // it does not say why it is silent
				if a.Packet.Diag != DiagExpired {
					rt.Fatalf("end %d goes down (%v) although its neighbour is passive", i, a.Packet.Diag)
				}
			default:
				if told, _ := p.change(deaf, begin); at != told+delay || a.Packet.Diag != DiagNeighborDown {
					rt.Fatalf("end %d goes down at %v (%v); its neighbour did at %v", i, at, a.Packet.Diag, told)
				}
			}
		}

		p.cut = [2]bool{}
		healed := p.now
		// A neighbour may have been told to send at this end's slowest.
		p.run(healed + 3*(slow(c, 0)+slow(c, 1)) + 6*delay)
		if !p.up() {
			rt.Fatalf("%v and %v %v after the path healed", p.end[0].State(), p.end[1].State(), p.now-healed)
		}
	})
}

// spacing checks the intervals between the packets that end i has sent.
func spacing(t failer, p *pair, c [2]Config, i int, from time.Duration) {
	least, most := time.Duration(c[i].Jitter), time.Duration(1000)
	if c[i].Mult == 1 {
		least, most = min(least, 900), 900
	}
	last := time.Duration(-1)
	n := 0
	for _, r := range p.log {
		if r.end != i || r.Kind != ActSend || r.at < from {
			continue
		}
		if last >= 0 {
			if gap := r.at - last; gap < agreed(c, i)*least/1000 || gap > agreed(c, i)*most/1000 {
				t.Fatalf("end %d sends after %v, agreed were %v", i, gap, agreed(c, i))
			}
		}
		last = r.at
		n++
	}
	if n < 20 {
		t.Fatalf("end %d sent %d packets only", i, n)
	}
}

// Whatever happens (loss, either end or both taken down, changed, started anew),
// once the path is whole and both ends are enabled both come Up and stay Up.
func TestHealing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := [2]Config{drawConfig(rt, "a"), drawConfig(rt, "b")}
		p := newPair(rt, c[0], c[1], 5*ms, rapid.Uint64().Draw(rt, "seed"))
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "loss seed"), 1))
		loss := 0.0
		p.lose = func() bool { return rnd.Float64() < loss }
		for range rapid.IntRange(1, 25).Draw(rt, "events") {
			p.run(p.now + time.Duration(rapid.IntRange(0, 5000).Draw(rt, "wait"))*ms)
			i := rapid.IntRange(0, 1).Draw(rt, "end")
			switch rapid.IntRange(0, 5).Draw(rt, "event") {
			case 0:
				p.step(i, Input{Kind: InDisable, Diag: DiagAdminDown})
			case 1, 2:
				p.step(i, Input{Kind: InEnable})
			case 3:
				c[i].Timing = drawConfig(rt, "new").Timing
				p.step(i, Input{Kind: InChange, Timing: c[i].Timing})
			case 4:
				p.cut[i] = !p.cut[i]
			case 5:
				loss = rapid.SampledFrom([]float64{0, 0.3, 1}).Draw(rt, "new loss")
			}
		}
		loss, p.cut = 0, [2]bool{}
		p.enable()
		// The slowest way back: an end that believes in a session that the other one
		// has lost hears nothing but answers until its Detection Time is over.
		longest := 45 * s
		p.run(p.now + longest)
		if !p.up() {
			rt.Fatalf("%v and %v %v after the last fault", p.end[0].State(), p.end[1].State(), longest)
		}
		from := p.now
		p.run(from + 30*s)
		for i := range 2 {
			if at, a := p.change(i, from); at >= 0 {
				rt.Fatalf("end %d goes %v at %v on a whole path", i, a.To, at)
			}
			if x, want := p.end[i].TxInterval(), agreed(c, i); x != want {
				rt.Fatalf("end %d sends every %v, agreed were %v", i, x, want)
			}
			if x, want := p.end[i].DetectTime(), time.Duration(c[1-i].Mult)*agreed(c, 1-i); x != want {
				rt.Fatalf("end %d has a Detection Time of %v, not %v", i, x, want)
			}
		}
	})
}

// The Detection Time of two ends with 300 ms and three packets, as FRR has it: a
// silent cut is noticed after 600 to 900 ms, uniformly or nearly so.
func TestSilentCut(t *testing.T) {
	c := Config{Timing: Timing{MinTx: 300 * ms, MinRx: 300 * ms, Mult: 3}}
	least, most, sum := time.Hour, time.Duration(0), time.Duration(0)
	const runs = 400
	for seed := range uint64(runs) {
		p := newPair(t, c, c, 0, seed)
		p.enable()
		p.run(20*s + time.Duration(seed)*7*ms)
		begin := p.now
		p.cut = [2]bool{true, true}
		p.run(begin + 5*s)
		at, a := p.change(0, begin)
		if at < 0 || a.Packet.Diag != DiagExpired {
			t.Fatalf("seed %d: %v, %v", seed, at, a.Packet.Diag)
		}
		least, most, sum = min(least, at-begin), max(most, at-begin), sum+at-begin
	}
	// The last packet is half an interval of 262.5 ms old on average.
	if mean := sum / runs; least <= 600*ms || least > 625*ms || most > 900*ms || most < 885*ms || mean < 750*ms || mean > 785*ms {
		t.Errorf("noticed after %v to %v, %v on average", least, most, mean)
	}
}

// A lost packet or two do not matter, three do.
func TestDetectMult(t *testing.T) {
	c := Config{Timing: Timing{MinTx: 300 * ms, MinRx: 300 * ms, Mult: 3}, Jitter: 1000}
	for lost := range 5 {
		p := newPair(t, c, c, 5*ms, 1)
		p.enable()
		p.run(20 * s)
		p.cut[0] = true
		for n := 0; n < lost; { // let end 0 send that many into the void
			before := p.sent[0]
			p.run(p.now + ms)
			if p.sent[0] != before {
				n++
			}
		}
		p.cut[0] = false
		p.run(p.now + 5*s)
		if at, _ := p.change(1, 20*s); (at >= 0) != (lost >= 3) {
			t.Errorf("%d packets in a row lost: down at %v", lost, at)
		}
	}
}
