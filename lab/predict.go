package lab

import (
	"context"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/topology"
)

// afterwards is how much longer a simulation runs than a trial: what a ping has sent last
// would count as on its way otherwise, where the real one counts it as lost.
const afterwards = 2 * time.Second

// Simulated is the design as a simulation runs it that is held beside trials of that
// length, and when those would end.
func (p *Plan) Simulated(length time.Duration) (d *topology.Design, until sim.Time) {
	run := *p.Design
	run.For = p.shift + length + afterwards
	return &run, sim.Time(p.shift + length)
}

// Simulation is what holds for every trial: all routers run on one machine, and the links
// come up within some seconds, which makes a difference where ties go to the older route.
var Simulation = network.Options{OneMachine: true, Within: stagger}

// SimulatedGap is the longest that any ping of a run has seen before that instant, counted
// as Trial.Gap does: probes lost in a row, times the interval. Open: it had not ended.
func SimulatedGap(d *topology.Design, res *network.Result, until sim.Time) (gap time.Duration, open bool) {
	for k := range res.Probes {
		pr, lost := &res.Probes[k], 0
		for i, rtt := range pr.RTT {
			if pr.SentAt(i+1) >= until {
				break
			}
			if lost++; rtt != 0 {
				lost = 0
			}
			if g := time.Duration(lost) * d.Probes[k].Every; g > gap {
				gap, open = g, false
			}
		}
		open = open || lost > 0 && time.Duration(lost)*d.Probes[k].Every == gap
	}
	return gap, open
}

// Predict runs the same design in the simulator, with as many seeds as are asked for,
// and counts what its pings see.
func (p *Plan) Predict(ctx context.Context, runs int, seed uint64, length time.Duration) (*stats.Histogram, error) {
	d, until := p.Simulated(length)
	n := network.New(d, Simulation)
	gaps := stats.NewHistogram(stats.Millisecond)
	for i := range runs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		gap, _ := SimulatedGap(d, n.Run(seed+uint64(i)), until)
		gaps.Add(int64(gap))
	}
	return gaps, nil
}
