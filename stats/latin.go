package stats

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext/prng"
	"gonum.org/v1/gonum/stat/distmv"
	"gonum.org/v1/gonum/stat/samplemv"
)

// Latin is a Latin hypercube of n points in d dimensions: in each dimension, each n-th of
// [0, 1) has exactly one point (McKay, Beckman and Conover, Technometrics 21, 1979). Many
// parameters are covered with few runs. The same seed gives the same points.
func Latin(n, d int, seed uint64) [][]float64 {
	if n <= 0 || d <= 0 {
		return nil
	}
	source := prng.NewSplitMix64(seed)
	batch := mat.NewDense(n, d, nil)
	samplemv.LatinHypercube{Q: distmv.NewUnitUniform(d, nil), Src: source}.Sample(batch)
	points := make([][]float64, n)
	for i := range points {
		points[i] = batch.RawRowView(i)
		for j, x := range points[i] {
			points[i][j] = math.Min(x, math.Nextafter(1, 0)) // never 1 by rounding
		}
	}
	return points
}
