// Package probe is ping's view of a run: pure functions over the echoes that
// were sent. It owns two things, the arithmetic of ping's last lines and the
// runs of lost probes, and leaves to others how an echo travels (network), why
// one died (trace) and how the lines are laid out on a page (report).
//
// The arithmetic is iputils' own, in integer microseconds, because the numbers
// are read next to those of a real ping: a formula in floating point gives
// other last digits, and the mdev of the ping in the seed's case (0.302) comes
// out of one historical integer formula only.
package probe

import (
	"cmp"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/sim"
)

// Echo is one echo request and what became of it.
type Echo struct {
	Seq  int
	Sent sim.Time
	RTT  time.Duration // 0: no answer
	TTL  int           // of the reply, as the sender of the request sees it
}

// Lost tells whether no answer came back.
func (e Echo) Lost() bool { return e.RTT <= 0 }

// bySeq returns the echoes in the order of their numbers, one of each, and how
// many answers were duplicates. Of several with one number the first answer
// stays: a second answer does not undo the first, and an answer beats a loss
// however late it was listed. The argument is left alone.
func bySeq(echoes []Echo) (once []Echo, duplicates []Echo) {
	if inOrder(echoes) {
		return slices.Clip(echoes), nil
	}
	sorted := slices.Clone(echoes)
	slices.SortStableFunc(sorted, func(a, b Echo) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, e := range sorted {
		last := len(once) - 1
		switch {
		case last < 0 || once[last].Seq != e.Seq:
			once = append(once, e)
		case e.Lost():
			// What was answered is not lost, and what is lost is lost once.
		case once[last].Lost():
			once[last] = e
		default:
			duplicates = append(duplicates, e)
		}
	}
	return once, duplicates
}

// inOrder tells whether there is one echo of each number, one after the other.
func inOrder(echoes []Echo) bool {
	for i := 1; i < len(echoes); i++ {
		if echoes[i].Seq <= echoes[i-1].Seq {
			return false
		}
	}
	return true
}
