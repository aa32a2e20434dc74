package risk

import (
	"math"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/topology"
)

// How often packets are lost in a run that counts by its weight: those that may begin an episode, of which
// there are few, and those in it, which a drop needs all.
const (
	tiltFirst = 0.2
	tiltThen  = 0.6
	// Beyond this loss, weights of runs that recover differ too much; there, steps from loss to loss are
	// small enough for splitting.
	tiltMost = 0.05
)

// tilted estimates drops by importance sampling, where losses are independent of each other: for each
// link those of the hold timer, and where BFD runs those of BFD, each with its own time scale.
func tilted(d *topology.Design, tunnels int, seed uint64, e Effort) Estimate {
	out := Estimate{Method: string(Tilting)}
	variance, above := 0.0, 0.0
	for i := range d.Links {
		l := &d.Links[i]
		if l.Loss.P <= 0 || !l.Ends[0].BGP || !l.Ends[1].BGP {
			continue
		}
		a, b := &l.Ends[0].Settings, &l.Ends[1].Settings
		if hold := min(a[topology.BGPHold].Dist.Max(), b[topology.BGPHold].Dist.Max()); hold > 0 {
			rate, half, high := weigh(d, network.Tilt{Link: i}, hold/3, hold*5/2, mix(seed, uint64(i)<<2|4<<40), e)
			out.PerYear, variance, above = out.PerYear+rate, variance+half*half, above+high
		}
		if a[topology.BFDEnabled].Bool && b[topology.BFDEnabled].Bool {
			every := max(a[topology.BFDMinRx].Dist.Max(), b[topology.BFDMinTx].Dist.Max(), b[topology.BFDMinRx].Dist.Max(), a[topology.BFDMinTx].Dist.Max())
			mult := time.Duration(max(a[topology.BFDMultiplier].Int, b[topology.BFDMultiplier].Int))
			rate, half, high := weigh(d, network.Tilt{Link: i, BFD: true}, every, every*(mult+2), mix(seed, uint64(i)<<2|1|4<<40), e)
			out.PerYear, variance, above = out.PerYear+rate, variance+half*half, above+high
		}
	}
	half := math.Sqrt(variance)
	out.Low, out.High = max(out.PerYear-half, 0), out.PerYear+half+above
	out.PerYear, out.Low, out.High = out.PerYear/float64(tunnels), out.Low/float64(tunnels), out.High/float64(tunnels)
	return out
}

// weigh gives the drops of a year over one link, by the hold timer or by BFD, of which those are counted that
// begin in the window, and half the width of their interval. If there were none, no rate is known but for its
// upper bound, above.
func weigh(d *topology.Design, t network.Tilt, window, lasts time.Duration, seed uint64, e Effort) (rate, half, above float64) {
	t.From, t.First, t.Then = sim.Time(time.Second), tiltFirst, tiltThen
	t.Until = t.From.Add(window)
	n := network.New(lasting(d, time.Duration(t.Until)+lasts), network.Options{})
	values := make([]float64, e.Weighed)
	most := 0.0
	for i := range values {
		values[i] = n.RunTilted(mix(seed, uint64(i)), t) * float64(Year) / float64(window)
		most = max(most, values[i])
	}
	m := stats.StudentInterval(values, e.Confidence)
	if most == 0 {
		// No weight is larger than that of the first loss.
		p := d.Links[t.Link].Loss.P
		return 0, 0, stats.NewShare(0, int64(e.Weighed), e.Confidence).High * p / t.First * float64(Year) / float64(window)
	}
	return m.Value, m.High - m.Value, 0
}
