package network

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// plainPair is two routers with one plain link, 5 ms each way.
const plainPair = `vpnsim: v1
for: 3600s
routers:
  a: {profile: rfc4271, asn: 65001, networks: [10.1.0.0/16]}
  b: {profile: rfc4271, asn: 65002, networks: [10.2.0.0/16]}
links:
  l: {a: {inside: 169.254.1.1/30}, b: {inside: 169.254.1.2/30}, rtt: 10ms}
`

// pipe is a connection by itself: its routers hang, so that what arrives lies
// in the sessions' inboxes and nobody answers.
type pipe struct {
	n *Network
	c *conn
}

func newPipe(t *testing.T, seed uint64, sets ...string) *pipe {
	t.Helper()
	d, diags := scenarios.Load("pair.yaml", []byte(plainPair), sets)
	if d == nil {
		t.Fatal(diags)
	}
	n := New(d, Options{})
	n.prepare(seed)
	for i := range n.routers {
		n.routers[i].frozen = true
	}
	for e := range 2 {
		end := &n.links[0].ends[e]
		end.here, end.sa, end.opens = true, true, true
	}
	c := n.newConn(0)
	for side := range 2 {
		s := &c.side[side]
		s.session, s.state, s.connID = n.links[0].sessions[side], tcpEstablished, 7
		n.sessions[s.session].conns = append(n.sessions[s.session].conns, connRef{7, c.id, side})
	}
	return &pipe{n, c}
}

// got is what has arrived at a side, in order.
func (p *pipe) got(side int) (list []*bgp.Message) {
	for _, x := range p.n.sessions[p.c.side[side].session].inbox {
		if x.in.Kind == bgp.InMessage {
			list = append(list, x.in.Msg)
		}
	}
	return list
}

func (p *pipe) run(d time.Duration) { p.n.k.RunUntil(p.n.k.Now().Add(d)) }

func messages(n, size int) []*bgp.Message {
	list := make([]*bgp.Message, n)
	for i := range list {
		list[i] = &bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{}, Size: size}
	}
	return list
}

// Messages arrive in the order in which they were sent, each once, whatever is
// lost on the way; where TCP gives up, what has arrived is the beginning.
func TestTCPDeliversInOrderAndOnce(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := newPipe(t, seed)
		for e := range 2 {
			p.n.links[0].way[e].loss.P = r.Float64() * 0.6
		}
		var sent [2][]*bgp.Message
		for i := range sent {
			sent[i] = messages(1+r.IntN(60), 19+r.IntN(1200))
		}
		for next := [2]int{}; next[0] < len(sent[0]) || next[1] < len(sent[1]); {
			side := r.IntN(2)
			for range 1 + r.IntN(5) {
				if next[side] < len(sent[side]) {
					p.n.push(p.c, side, sent[side][next[side]])
					next[side]++
				}
			}
			p.run(time.Duration(r.IntN(400)) * time.Millisecond)
		}
		p.run(50 * time.Minute)
		for side := range 2 {
			got, want := p.got(1-side), sent[side]
			if len(got) > len(want) {
				t.Fatalf("seed %d: %d messages sent, %d arrived", seed, len(want), len(got))
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("seed %d: message %d is not the one that was sent", seed, i)
				}
			}
			if p.c.side[side].state == tcpEstablished && len(got) != len(want) {
				t.Errorf("seed %d: %d of %d messages arrived", seed, len(got), len(want))
			}
		}
	}
}

// "After the first loss": a retransmission after 0.2 s, and each further one
// after twice the time, as Linux does it; measured at 0.2, 0.6, 1.4, 3, 6, 13 and 26 s,
// since long timers come late (wheel.go): up to 32 ms from 1 s on, 0.256 s from 2.016 s,
// 2.048 s from 16.128 s.
func TestTCPBacksOffExponentially(t *testing.T) {
	p := newPipe(t, 1)
	p.n.links[0].way[0].hole = true
	p.n.push(p.c, 0, messages(1, 19)[0])
	start := p.n.k.Now()
	var times []float64
	for tries := 0; len(times) < 8; {
		p.n.k.Step(math.MaxInt64)
		if now := p.c.side[0].tries; now != tries {
			tries = now
			times = append(times, math.Round(1000*p.n.k.Now().Sub(start).Seconds())/1000)
		}
	}
	exact := []float64{0.2, 0.6, 1.4, 3, 6.2, 12.6, 25.4, 51}
	late := []float64{0, 0, 0, 0.032, 0.256, 0.256, 0.256, 2.048}
	before, most := 0.0, 0.0
	for i, x := range exact {
		most += late[i]
		if d := times[i] - x; d < before-0.001 || d > most+0.001 {
			t.Errorf("retransmission %d after %v s, want %v s and up to %.3f s more", i+1, times[i], x, most)
		}
		before = times[i] - x
	}
	if times[5] == exact[5] {
		t.Error("a timer of 6.4 s was exact")
	}
}

// New data wait behind a retransmission, and go with it.
func TestTCPNewDataWaitBehindARetransmission(t *testing.T) {
	p := newPipe(t, 1)
	m := messages(3, 19)
	p.n.links[0].way[0].hole = true
	p.n.push(p.c, 0, m[0])
	p.run(300 * time.Millisecond) // retransmitted once, in vain; the next try is at 600 ms
	p.n.links[0].way[0].hole = false
	p.n.push(p.c, 0, m[1])
	p.n.push(p.c, 0, m[2])
	p.run(250 * time.Millisecond)
	if got := p.got(1); len(got) != 0 {
		t.Errorf("%d messages overtook the retransmission", len(got))
	}
	p.run(56 * time.Millisecond)
	if got := p.got(1); len(got) != 1 {
		t.Errorf("%d messages arrived with the retransmission, not the one that was lost", len(got))
	}
	p.run(10 * time.Millisecond)
	if got := p.got(1); len(got) != 3 {
		t.Errorf("%d of 3 messages arrived once it was acknowledged", len(got))
	}
}

// Where the way back is cut, what was sent is sent again for ever, and nothing
// new leaves: there is no acknowledgement to make room for it.
func TestTCPSendsNothingNewWithoutAcknowledgements(t *testing.T) {
	p := newPipe(t, 1)
	m := messages(3, 19)
	p.n.links[0].way[1].hole = true
	for _, x := range m {
		p.n.push(p.c, 0, x)
		p.run(3 * time.Second)
	}
	if got := p.got(1); len(got) != 1 {
		t.Errorf("%d messages arrived over a connection without acknowledgements", len(got))
	}
}

// A burst that is lost as a whole costs one timeout, not one for each segment.
func TestTCPRecoversABurstAtOnce(t *testing.T) {
	p := newPipe(t, 1)
	m := messages(20, 1300)
	p.n.links[0].way[0].hole = true
	for _, x := range m {
		p.n.push(p.c, 0, x)
	}
	p.run(100 * time.Millisecond)
	p.n.links[0].way[0].hole = false
	p.run(150 * time.Millisecond) // timeout at 200 ms, then two trips
	if got := p.got(1); len(got) != 20 {
		t.Errorf("%d of 20 messages arrived within two trips of the timeout", len(got))
	}
}

// A side that gets data for a connection that it no longer has answers RST.
func TestTCPResetsWhatItDoesNotKnow(t *testing.T) {
	p := newPipe(t, 1)
	p.c.side[1].state = tcpClosed
	p.n.push(p.c, 0, messages(1, 19)[0])
	p.run(20 * time.Millisecond)
	in := p.n.sessions[p.c.side[0].session].inbox
	if p.c.side[0].state != tcpClosed || len(in) != 1 || in[0].in.Kind != bgp.InTCPDown {
		t.Errorf("state %d, told %v", p.c.side[0].state, in)
	}
}

// An application that writes without being acknowledged gets stuck at 64 KiB,
// and is told when there is room again.
func TestTCPTellsWhenTheBufferIsFull(t *testing.T) {
	p := newPipe(t, 1)
	p.n.links[0].way[0].hole = true
	for _, m := range messages(20, 4000) {
		p.n.push(p.c, 0, m)
	}
	kinds := func() (list []bgp.InputKind) {
		for _, x := range p.n.sessions[p.c.side[0].session].inbox {
			list = append(list, x.in.Kind)
		}
		return list
	}
	if got := fmt.Sprint(kinds()); got != fmt.Sprint([]bgp.InputKind{bgp.InSendStuck}) {
		t.Errorf("told %s", got)
	}
	p.n.links[0].way[0].hole = false
	p.run(time.Second)
	if got := fmt.Sprint(kinds()); got != fmt.Sprint([]bgp.InputKind{bgp.InSendStuck, bgp.InSendFree}) {
		t.Errorf("told %s", got)
	}
}

// Independent losses happen as often as they should.
func TestBernoulliLossIsAsOftenAsAsked(t *testing.T) {
	for _, p := range []float64{0.001, 0.02, 0.3, 0.9} {
		l := lossy(topology.Loss{P: p})
		checkShare(t, fmt.Sprintf("p = %g", p), l, p, math.Sqrt(p*(1-p)))
	}
}

// Gilbert and Elliott: the share of time in the bad state is to_bad / (to_bad +
// to_good), and losses come in bursts of mean length 1 / to_good.
func TestGilbertElliottLossFollowsItsStationaryLaw(t *testing.T) {
	loss := topology.Loss{P: 0.01, Bad: 0.7, ToBad: 0.05, ToGood: 0.2}
	l := lossy(loss)
	bad := loss.ToBad / (loss.ToBad + loss.ToGood)
	want := loss.P*(1-bad) + loss.Bad*bad
	// Draws that follow each other are correlated; the memory of one lasts
	// 1 / (to_bad + to_good) = 4 packets on either side.
	checkShare(t, "share lost", l, want, math.Sqrt(want*(1-want)*(1+2*(1-loss.ToBad-loss.ToGood)/(loss.ToBad+loss.ToGood))))

	n, bursts, inBad := 200_000, 0, 0
	was := false
	for range n {
		l.chance(0)
		if l.way[0].bad {
			inBad++
			if !was {
				bursts++
			}
		}
		was = l.way[0].bad
	}
	if mean := float64(inBad) / float64(bursts); math.Abs(mean-1/loss.ToGood) > 0.15 {
		t.Errorf("the bad state lasts %.2f packets on average, not %g", mean, 1/loss.ToGood)
	}
}

func lossy(loss topology.Loss) *link {
	l := &link{}
	l.way[0].loss = loss
	l.way[0].losses = sim.New(42).Rand(sim.StreamName("loss"))
	return l
}

// checkShare draws 200,000 packets and allows four standard deviations.
func checkShare(t *testing.T, what string, l *link, want, sd float64) {
	t.Helper()
	const n = 200_000
	lost := 0
	for range n {
		if l.chance(0) {
			lost++
		}
	}
	if got := float64(lost) / n; math.Abs(got-want) > 4*sd/math.Sqrt(n) {
		t.Errorf("%s: %.5f lost, not %.5f", what, got, want)
	}
}

// A timeout that is a distribution is drawn once a run, like all settings.
func TestTCPTimeoutsMayBeDistributions(t *testing.T) {
	seen := map[time.Duration]bool{}
	for seed := range uint64(20) {
		p := newPipe(t, seed, `routers.a.tcp.rto=choice(100ms, 300ms)`)
		p.n.push(p.c, 0, messages(1, 19)[0])
		seen[p.c.side[0].rto] = true
	}
	if len(seen) != 2 || !seen[100*time.Millisecond] || !seen[300*time.Millisecond] {
		t.Errorf("timeouts %v", seen)
	}
}
