package sim

import "testing"

// halting schedules two more events at each, and halts at the third.
type halting struct{ handled int }

func (h *halting) Handle(k *Kernel, ev *Event) {
	h.handled++
	k.At(k.Now(), Event{})
	k.At(k.Now()+5, Event{})
	if h.handled == 3 {
		k.Halt()
	}
}

// A run that is halted stays where it is, whoever asks for more of it, until it
// is started anew.
func TestHalt(t *testing.T) {
	h := &halting{}
	k := New(1)
	k.Add(h)
	for range 2 {
		h.handled = 0
		k.Start(1, 0)
		k.At(7, Event{})
		k.RunUntil(100)
		if h.handled != 3 || k.Now() != 7 {
			t.Errorf("%d events handled, the clock at %d, want 3 and 7", h.handled, k.Now())
		}
		k.RunUntil(200)
		if k.Step(200) || h.handled != 3 || k.Now() != 7 {
			t.Errorf("after it was halted %d events handled, the clock at %d", h.handled, k.Now())
		}
	}
}
