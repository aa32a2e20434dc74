package plot

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/vpnsim/vpnsim/stats"
)

// sample of the seed's case: half of all runs are instant, the others take as long as a
// hold timer has left, from and to in seconds.
func sample(n int, from, to float64) *stats.Histogram {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	h := stats.NewHistogram(stats.Millisecond)
	for range n {
		if r.IntN(2) == 0 {
			h.Add(240 * stats.Millisecond)
		} else {
			h.Add(int64((from + (to-from)*r.Float64()) * 1e9))
		}
	}
	return h
}

func twoSeries() []Series {
	return []Series{{"hold 30 s", sample(1000, 20, 30)}, {"hold 9 s", sample(200, 6, 9)}}
}

func point99(n int, from, to, p float64) Point {
	h := sample(n, from, to)
	return Point{Value: h.Quantile(p), Interval: h.QuantileInterval(p, 0.95)}
}

func twoCurves() (Parameter, []Curve) {
	holds := Parameter{Label: "bgp.hold (s)", Values: []float64{9, 15, 20, 30, 60, 90}}
	curves := []Curve{{Name: "p90 of the outage"}, {Name: "p99 of the outage"}, {Name: "p99, 200 runs each"}}
	for i, hold := range holds.Values {
		curves[0].Points = append(curves[0].Points, point99(1000+i, hold*2/3, hold, 0.9))
		curves[1].Points = append(curves[1].Points, point99(1000+i, hold*2/3, hold, 0.99))
		curves[2].Points = append(curves[2].Points, point99(200+i, hold*2/3, hold, 0.99))
	}
	curves[0].Points[3].None = true
	return holds, curves
}

func heat() (xs, ys []string, z [][]float64) {
	for _, h := range []int{9, 15, 30, 60, 90, 180} {
		xs = append(xs, fmt.Sprint(h))
	}
	for i, d := range []string{"5 s", "10 s", "20 s", "30 s"} {
		ys = append(ys, d)
		row := []float64{}
		for j, h := range []float64{9, 15, 30, 60, 90, 180} {
			v := math.Min(h, 12.345*float64(i+1))
			if i == 3 && j == 5 {
				v = math.NaN()
			}
			row = append(row, v)
		}
		z = append(z, row)
	}
	return xs, ys, z
}

func tried() []FrontPoint {
	return []FrontPoint{
		{30.1, 0.02, "as it is", true}, {20.2, 0.05, "bgp.hold=20s", true}, {9.3, 0.4, "bgp.hold=9s bgp.keepalive=3s", true},
		{3.1, 2.6, "bgp.hold=3s bgp.keepalive=1s", true}, {30.4, 0.9, "a", false}, {25, 1.7, "b", false}, {12, 2.2, "c", false}, {0.9, 6.5, "bfd.enabled=true bfd.tx=300ms", true},
	}
}
