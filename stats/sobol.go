package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext/prng"
	"gonum.org/v1/gonum/stat"
)

// Which parameters does a result depend on? Sobol's indices are shares of its variance:
// the first-order index of a parameter is what is gone once the parameter is known, the
// total index what is left once all others are known (Sobol, Mathematics and Computers in
// Simulation 55, 2001). The difference is what the parameter does together with others.
//
// A simulation's result also depends on chance. It is best made one more dimension of the
// plan, whose value picks the seed: then the seed is the same wherever only another
// parameter changes, and chance has indices of its own beside the parameters'.

// Sensitivity is a sampling plan of N (D + 2) runs: two independent samples A and B of the
// parameters, and for each parameter the sample A with that parameter's column from B
// (Saltelli and others, Computer Physics Communications 181, 2010). A and B are halves of
// the columns of a Latin hypercube.
type Sensitivity struct {
	N, D int
	a, b [][]float64
}

// NewSensitivity plans n rows over d parameters.
func NewSensitivity(n, d int, seed uint64) *Sensitivity {
	s := &Sensitivity{N: max(n, 0), D: max(d, 0)}
	for _, point := range Latin(s.N, 2*s.D, seed) {
		s.a, s.b = append(s.a, point[:s.D:s.D]), append(s.b, point[s.D:])
	}
	return s
}

// Runs is how many there are to do.
func (s *Sensitivity) Runs() int { return s.N * (s.D + 2) }

// Point is where run i is done, D values in [0, 1). The runs of a row follow each other:
// A, B, then A with each parameter from B.
func (s *Sensitivity) Point(i int) []float64 {
	row, column := i/(s.D+2), i%(s.D+2)
	switch column {
	case 0:
		return slices.Clone(s.a[row])
	case 1:
		return slices.Clone(s.b[row])
	}
	point := slices.Clone(s.a[row])
	point[column-2] = s.b[row][column-2]
	return point
}

// Index is what a parameter does to the result.
type Index struct {
	First, Total Estimate
	// Changed is in how many of the N pairs of runs that differ by nothing but this
	// parameter the results differ. A total index of exactly 0 is "0 of N", and the upper
	// end of this share says how often it may matter all the same.
	Changed Share
}

// Estimate is a number with its interval.
type Estimate struct{ Value, Low, High float64 }

// Indices are those of all parameters, from the results of all runs. The first-order index
// is Saltelli's estimator (2010, table 2 b) around the mean, the total index Jansen's
// (Computer Physics Communications 117, 1999), which is exactly 0 for a parameter that
// does nothing. Intervals are percentiles of a seeded bootstrap over rows (Efron 1979);
// with rows of a Latin hypercube, which spread better than independent ones, they are
// rather too wide. All is 0 if the results do not vary.
func (s *Sensitivity) Indices(results []float64, confidence float64, seed uint64) []Index {
	if len(results) != s.Runs() {
		panic("stats: a plan's indices are made of as many results as it has runs")
	}
	const resamples = 1000
	out := make([]Index, s.D)
	if s.N == 0 {
		return out
	}
	rows := make([]int, s.N)
	for i := range rows {
		rows[i] = i
	}
	firsts, totals := s.estimate(results, rows)
	resampledFirsts, resampledTotals := make([][]float64, s.D), make([][]float64, s.D)
	source := prng.NewSplitMix64(seed)
	for range resamples {
		for i := range rows {
			rows[i] = int(source.Uint64() % uint64(s.N))
		}
		f, t := s.estimate(results, rows)
		for p := range s.D {
			resampledFirsts[p], resampledTotals[p] = append(resampledFirsts[p], f[p]), append(resampledTotals[p], t[p])
		}
	}
	interval := func(value float64, resampled []float64) Estimate {
		slices.Sort(resampled)
		tail := (1 - confidence) / 2
		return Estimate{value, stat.Quantile(tail, stat.Empirical, resampled, nil), stat.Quantile(1-tail, stat.Empirical, resampled, nil)}
	}
	for p := range out {
		changed := int64(0)
		for row := range s.N {
			if y := results[row*(s.D+2):]; y[0] != y[2+p] {
				changed++
			}
		}
		out[p] = Index{interval(firsts[p], resampledFirsts[p]), interval(totals[p], resampledTotals[p]), NewShare(changed, int64(s.N), confidence)}
	}
	return out
}

// estimate is that of both indices from some rows.
func (s *Sensitivity) estimate(results []float64, rows []int) (firsts, totals []float64) {
	firsts, totals = make([]float64, s.D), make([]float64, s.D)
	n, mean, squares := float64(len(rows)), 0.0, 0.0
	for _, row := range rows {
		y := results[row*(s.D+2):]
		mean += y[0] + y[1]
	}
	mean /= 2 * n
	for _, row := range rows {
		y := results[row*(s.D+2):][:s.D+2]
		a, b := y[0]-mean, y[1]-mean
		squares += a*a + b*b
		for p := range firsts {
			d := y[2+p] - y[0]
			firsts[p] += b * d
			totals[p] += d * d
		}
	}
	variance := squares / (2 * n)
	if variance == 0 || math.IsNaN(variance) {
		return make([]float64, s.D), make([]float64, s.D)
	}
	for p := range firsts {
		firsts[p] /= n * variance
		totals[p] /= 2 * n * variance
	}
	return firsts, totals
}
