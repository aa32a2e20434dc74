package probe

// A gap as ping shows it: the icmp_seq that jumps. It says what was seen, not
// how long the path was broken: between the last good and the first good probe
// lies up to one interval on either side in which nobody asked. The exact
// outage is computed from forwarding state elsewhere and printed beside it.

import (
	"time"

	"github.com/vpnsim/vpnsim/sim"
)

// Gap is a maximal run of lost probes.
type Gap struct {
	LastOK    int // number of the last answered probe before it; 0: none
	FirstOK   int // number of the first answered probe after it; 0: none
	FirstLost int
	LastLost  int
	Lost      int

	LastOKSent    sim.Time // meaningless when LastOK is 0
	FirstOKSent   sim.Time // meaningless when FirstOK is 0
	FirstLostSent sim.Time
	LastLostSent  sim.Time
}

// Seen is the probe gap: from the last good send to the first good send. It is
// 0 when one of them is missing, because then nobody saw how long it was.
func (g Gap) Seen() time.Duration {
	if g.LastOK == 0 || g.FirstOK == 0 {
		return 0
	}
	return g.FirstOKSent.Sub(g.LastOKSent)
}

// Gaps returns the runs of lost probes in the order of their numbers. The
// echoes may be in any order and hold several answers to one number. A number
// that is not in the list was never sent: it neither is lost nor ends a run.
func Gaps(echoes []Echo) []Gap {
	once, _ := bySeq(echoes)
	var (
		gaps []Gap
		open *Gap
		good *Echo
	)
	for i := range once {
		e := &once[i]
		switch {
		case !e.Lost():
			if open != nil {
				open.FirstOK, open.FirstOKSent = e.Seq, e.Sent
				open = nil
			}
			good = e
		case open == nil:
			gaps = append(gaps, Gap{FirstLost: e.Seq, FirstLostSent: e.Sent})
			open = &gaps[len(gaps)-1]
			if good != nil {
				open.LastOK, open.LastOKSent = good.Seq, good.Sent
			}
			fallthrough
		default:
			open.Lost++
			open.LastLost, open.LastLostSent = e.Seq, e.Sent
		}
	}
	return gaps
}
