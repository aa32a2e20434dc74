package sim

import (
	"testing"
	"time"
)

// foreseen is an actor that notes which events it was told of before they came.
type foreseen struct {
	soon          map[uint64]bool
	told, handled int
	left          int
}

func (f *foreseen) Soon(events []Expected) {
	for _, ev := range events {
		f.soon[ev.Arg] = true
	}
}

func (f *foreseen) Handle(k *Kernel, ev *Event) {
	f.handled++
	if f.soon[ev.Arg] {
		f.told++
	}
	if f.left > 0 {
		f.left--
		rnd := k.Rand(1)
		k.After(time.Duration(rnd.At(uint64(f.left))%uint64(time.Second)), Event{Arg: uint64(f.left), Phase: PhaseTimer})
	}
}

// Nearly all events of a long queue are foreseen, each of them before it is
// handled, and nothing depends on whether somebody looks.
func TestLookingAheadChangesNothing(t *testing.T) {
	run := func(look bool) (*foreseen, uint64) {
		k, f := New(1), &foreseen{soon: map[uint64]bool{}, left: 20_000}
		k.Add(f)
		if look {
			k.Foresee(f)
		}
		for i := range 2000 {
			k.After(time.Duration(i)*time.Millisecond, Event{Arg: uint64(1_000_000 + i), Phase: PhaseTimer})
		}
		k.RunUntil(Time(time.Hour))
		return f, k.Digest()
	}
	with, digest := run(true)
	without, same := run(false)
	if digest != same || with.handled != without.handled {
		t.Errorf("%d events, %x; without looking ahead %d, %x", with.handled, digest, without.handled, same)
	}
	if with.told < with.handled*9/10 {
		t.Errorf("%d of %d events were foreseen", with.told, with.handled)
	}
}
