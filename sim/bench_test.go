package sim

import (
	"fmt"
	"testing"
	"time"
)

// hold is the classic hold model: every event, when handled, schedules itself
// again, so that the queue keeps its length.
type hold struct {
	rnd   Stream
	timer []Timer
	rearm bool
}

func (h *hold) Handle(k *Kernel, ev *Event) {
	d := time.Duration(h.rnd.Uint64() % 2_000_000_000)
	k.After(d, Event{To: ev.To, Arg: ev.Arg, Phase: PhaseTimer})
	if h.rearm {
		t, d := &h.timer[ev.Arg], 30*time.Second+d
		if !k.Move(*t, d, PhaseTimer, ev.To) {
			k.Reset(t, d, Event{To: ev.To, Arg: ev.Arg, Phase: PhaseTimer})
		}
	}
}

func benchHold(b *testing.B, pending int, rearm bool) {
	k := New(1)
	h := &hold{rnd: k.Rand(StreamName("hold")), rearm: rearm}
	id := k.Add(h)
	n := pending
	if rearm {
		n = pending / 2
		h.timer = make([]Timer, n)
	}
	for i := range n {
		k.After(time.Duration(h.rnd.Uint64()%2_000_000_000), Event{To: id, Arg: uint64(i), Phase: PhaseTimer})
		if rearm {
			h.timer[i] = k.After(40*time.Second, Event{To: id, Arg: uint64(i), Phase: PhaseTimer})
		}
	}
	for range 3 * pending {
		k.Step(1 << 62)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		k.Step(1 << 62)
	}
}

// BenchmarkHold pops and reschedules; BenchmarkHoldRearm moves a pending timer
// in place as well, as every keepalive does to a hold timer.
func BenchmarkHold(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchHold(b, n, false) })
	}
}

func BenchmarkHoldRearm(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchHold(b, n, true) })
	}
}

// The hot path allocates nothing.
func TestNoAllocations(t *testing.T) {
	k := New(1)
	h := &hold{rnd: k.Rand(StreamName("hold")), rearm: true, timer: make([]Timer, 100)}
	id := k.Add(h)
	for i := range 100 {
		k.After(time.Duration(i), Event{To: id, Arg: uint64(i)})
	}
	for range 1000 {
		k.Step(1 << 62)
	}
	if n := testing.AllocsPerRun(1000, func() { k.Step(1 << 62) }); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}
