package lab

import (
	"context"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/stats"
)

// Predict runs the same design in the simulator, with as many seeds as are asked for,
// and counts what its pings see as Trial.Gap does: probes lost in a row, times the
// interval.
func (p *Plan) Predict(ctx context.Context, runs int, seed uint64, length time.Duration) (*stats.Histogram, error) {
	d := *p.Design
	d.For = p.shift + length
	n := network.New(&d, network.Options{})
	gaps := stats.NewHistogram(stats.Millisecond)
	for i := range runs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		res := n.Run(seed + uint64(i))
		most := time.Duration(0)
		for k := range res.Probes {
			lost := 0
			for _, rtt := range res.Probes[k].RTT {
				lost++
				if rtt != 0 {
					lost = 0
				}
				most = max(most, time.Duration(lost)*d.Probes[k].Every)
			}
		}
		gaps.Add(int64(most))
	}
	return gaps, nil
}
