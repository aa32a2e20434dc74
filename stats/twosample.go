package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Two samples that were drawn independently of each other: do they come from the same
// distribution, and by how much do their quantiles differ? Where both were run with the
// same seeds, paired.go has sharper answers.
//
// Outages have atoms (half of all runs lose nothing), so ties are the rule. Small
// samples are judged by the exact distribution given the ties, that of all ways to deal
// the values out to the two samples; large ones by limits that the ties are part of, or
// that ties make conservative.

// Test is the result of a test of "there is no difference". P is the probability of a
// statistic at least as extreme if there is none; 1 where there is nothing to compare.
type Test struct {
	Statistic, P float64
}

// tie is a bin, and how many values of each of two samples are in it.
type tie struct{ value, a, b int64 }

// ties of two histograms, in order of value.
func ties(a, b *Histogram) []tie {
	if a.Width() != b.Width() {
		panic("stats: histograms with bins of different width are not compared")
	}
	counts := map[int64]*tie{}
	at := func(bin int64) *tie {
		if counts[bin] == nil {
			counts[bin] = &tie{value: bin}
		}
		return counts[bin]
	}
	for bin, n := range a.bins {
		at(bin).a = n
	}
	for bin, n := range b.bins {
		at(bin).b = n
	}
	list := make([]tie, 0, len(counts))
	for _, t := range counts {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(x, y tie) int { return cmp.Compare(x.value, y.value) })
	return list
}

// exactCells bounds the work of the exact test of Kolmogorov and Smirnov: two samples
// of 2000.
const exactCells = 4_000_000

// KolmogorovSmirnov compares two distributions as a whole: the statistic is the largest
// distance of their cumulative shares. Up to 4 million pairs of values (2000 and 2000),
// P is exact given the ties: paths through the grid of both samples are counted that
// leave the band (Hodges, Arkiv för Matematik 3, 1958), looking only where a tie ends
// (Schröer and Trenkler, Computational Statistics & Data Analysis 20, 1995). Beyond,
// it is Smirnov's limit, which ties make conservative: P is too large rather than too small.
func KolmogorovSmirnov(a, b *Histogram) Test { return KolmogorovSmirnovWithin(a, b, 0) }

// KolmogorovSmirnovWithin is the same where each value of b may be so much more or less than it
// says: as far as the cumulative shares are apart even then, upwards or downwards. P is that of such
// a distance of values that are what they say, which is too large rather than too small.
func KolmogorovSmirnovWithin(a, b *Histogram, within int64) Test {
	n, m := a.N(), b.N()
	if n == 0 || m == 0 {
		return Test{P: 1}
	}
	// The distance times n m is an integer.
	far := max(exceeds(b, a, within), exceeds(a, b, within))
	out := Test{Statistic: float64(far) / (float64(n) * float64(m))}
	if n > exactCells/m {
		out.P = smirnovTail(math.Sqrt(float64(n)*float64(m)/float64(n+m)) * out.Statistic)
		return out
	}
	x := int64(0)
	ends := make([]bool, n+m+1)
	for _, g := range ties(a, b) {
		x += g.a + g.b
		ends[x] = true
	}
	if far == 0 {
		out.P = 1
		return out
	}
	// left[j] is the probability that a random path to (i, j) has left the band: its last
	// step came from (i-1, j) with probability i/(i+j).
	left := make([]float64, m+1)
	for i := range n + 1 {
		for j := range m + 1 {
			switch {
			case ends[i+j] && abs(i*m-j*n) >= far:
				left[j] = 1
			case i == 0 && j > 0:
				left[j] = left[j-1]
			case j > 0:
				left[j] = (float64(i)*left[j] + float64(j)*left[j-1]) / float64(i+j)
			}
		}
	}
	out.P = left[m]
	return out
}

// exceeds is by how much the cumulative share of a is above that of b at most, were all values of
// a so much larger, times the number of values in a and in b.
func exceeds(a, b *Histogram, more int64) (far int64) {
	n, m, shift := a.N(), b.N(), more/a.Width()
	below, keys := int64(0), b.sorted()
	x, i := int64(0), 0
	for _, k := range a.sorted() {
		x += a.bins[k]
		for ; i < len(keys) && keys[i] <= k+shift; i++ {
			below += b.bins[keys[i]]
		}
		far = max(far, x*m-below*n)
	}
	return far
}

func abs(x int64) int64 { return max(x, -x) }

// smirnovTail is Q(x) = 2 sum (-1)^(k-1) exp(-2 k² x²) (Smirnov, Annals of Mathematical
// Statistics 19, 1948), by the theta function's other series where that one converges slowly.
func smirnovTail(x float64) float64 {
	if x <= 0 {
		return 1
	}
	sum := 0.0
	if x < 1 {
		for k := 1.0; k < 20; k += 2 {
			sum += math.Exp(-k * k * math.Pi * math.Pi / (8 * x * x))
		}
		return min(max(1-math.Sqrt(2*math.Pi)/x*sum, 0), 1)
	}
	for k, sign := 1.0, 1.0; k < 20; k, sign = k+1, -sign {
		sum += sign * math.Exp(-2*k*k*x*x)
	}
	return min(max(2*sum, 0), 1)
}

// exactRanks bounds the work of the exact test of Mann and Whitney: two samples of 30, or of
// 3 and 600.
const exactRanks = 4_000_000

// MannWhitney asks whether values of b tend to be larger than those of a. The statistic
// is the share of pairs in which b's is larger, ties counting half: 0.5 is no difference.
// P is two-sided: for two samples of 30, or of 3 and 600, exact given the ties, by counting the
// rank sums of all ways to deal them out; beyond, normal with a continuity correction (Lehmann,
// Nonparametrics, 1.4) and the variance that there is without ties, which is too large rather
// than too small: with that of the ties, six values beside a thousand of which all but two are the
// same would be called different for two of the six. It is a test of equal distributions, and
// blind to changes that favour neither side, which KolmogorovSmirnov sees.
func MannWhitney(a, b *Histogram) Test {
	n, m := a.N(), b.N()
	if n == 0 || m == 0 {
		return Test{P: 1}
	}
	groups := ties(a, b)
	wins, variance := pairsWon(groups, n, m)
	fn, fm := float64(n), float64(m)
	out := Test{Statistic: wins / (fn * fm)}
	if few := min(n, m); math.Pow(float64(few)*(fn+fm), 2) <= exactRanks {
		out.P = rankSumTail(groups, few, math.Abs(wins-fn*fm/2))
		return out
	}
	out.P = normalTail(math.Abs(wins-fn*fm/2)-0.5, variance)
	return out
}

// pairsWon by b, ties counting half, and the variance of that number without ties.
func pairsWon(groups []tie, n, m int64) (wins, variance float64) {
	below := int64(0) // values of a in lower bins
	for _, g := range groups {
		wins += float64(g.b) * (float64(below) + float64(g.a)/2)
		below += g.a
	}
	return wins, float64(n) * float64(m) / 12 * float64(n+m+1)
}

// normalTail is the two-sided probability of such a distance from the mean.
func normalTail(distance, variance float64) float64 {
	return math.Erfc(math.Max(distance, 0) / math.Sqrt(variance) / math.Sqrt2)
}

// Stratum is a pair of samples that are compared with each other only.
type Stratum struct{ A, B *Histogram }

// MannWhitneyStrata asks of many pairs of samples together whether values of b tend to be larger
// than those of a: what each pair alone is too small to show may be plain in all. The
// statistic is the share of pairs of values in which b's is larger, weighted; P is
// two-sided and normal (van Elteren, Bulletin de l'Institut International de
// Statistique 37, 1960, with his weights, which suit a shift that is alike in all strata).
func MannWhitneyStrata(strata []Stratum) Test {
	sum, weights, variance := 0.0, 0.0, 0.0
	for _, s := range strata {
		n, m := s.A.N(), s.B.N()
		if n == 0 || m == 0 {
			continue
		}
		wins, v := pairsWon(ties(s.A, s.B), n, m)
		w := 1 / float64(n+m+1)
		sum, weights, variance = sum+w*wins, weights+w*float64(n)*float64(m), variance+w*w*v
	}
	if weights == 0 {
		return Test{P: 1}
	}
	return Test{Statistic: sum / weights, P: normalTail(math.Abs(sum-weights/2), variance)}
}

// rankSumTail is the probability that the rank sum of m of all values, drawn at random,
// is off its mean by at least that distance. Ranks are doubled, so that those of ties are
// integers.
func rankSumTail(groups []tie, m int64, distance float64) float64 {
	total := int64(0)
	for _, g := range groups {
		total += g.a + g.b
	}
	most := 2 * m * total
	ways := make([][]float64, m+1) // of k values and their sum of doubled ranks
	for k := range ways {
		ways[k] = make([]float64, most+1)
	}
	ways[0][0] = 1
	before := int64(0)
	for _, g := range groups {
		t := g.a + g.b
		rank := 2*before + t + 1
		for i := range t {
			for k := min(m, before+i+1); k >= 1; k-- {
				for s := min(most, k*rank); s >= rank; s-- { // none of those before has a higher rank
					ways[k][s] += ways[k-1][s-rank]
				}
			}
		}
		before += t
	}
	extreme, all, mean := 0.0, 0.0, float64(m)*float64(total+1)
	for s, w := range ways[m] {
		all += w
		if math.Abs(float64(s)-mean) >= 2*distance-1e-9 {
			extreme += w
		}
	}
	return extreme / all
}

// Shift is by how much a quantile of b is above that of a, with its interval.
type Shift struct {
	Value int64
	Interval
}

// QuantileShift is the difference between the quantile p of b and that of a, two
// independent samples. Its interval holds for any two distributions: each quantile's own
// interval (QuantileInterval) is asked for with the square root of the confidence, so that
// both cover at once with the confidence itself; the difference lies between the distances
// of their opposite ends. That is conservative, by up to 60 % in width. An end is only
// known where both ends that it is made of are.
func QuantileShift(a, b *Histogram, p, confidence float64) Shift {
	each := math.Sqrt(confidence)
	i, j := a.QuantileInterval(p, each), b.QuantileInterval(p, each)
	out := Shift{Value: b.Quantile(p) - a.Quantile(p)}
	if out.LowKnown = i.HighKnown && j.LowKnown; out.LowKnown {
		out.Low = j.Low - i.High
	}
	if out.HighKnown = i.LowKnown && j.HighKnown; out.HighKnown {
		out.High = j.High - i.Low
	}
	return out
}

// Holm adjusts the P values of several tests, so that "one of them is at most 5 %"
// happens in at most 5 % of the cases in which there is no difference, however the tests
// depend on each other (Holm, Scandinavian Journal of Statistics 6, 1979). The order stays.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	out, least := make([]float64, len(p)), 0.0
	for rank, i := range order {
		least = max(least, min(p[i]*float64(len(p)-rank), 1))
		out[i] = least
	}
	return out
}

// studentQuantile is that of Student's t distribution.
func studentQuantile(p, freedom float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.Quantile(p)
}

// binomialTail is the probability that at least k of n fair coins fall the same given way.
func binomialTail(k, n int64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n:
		return 0
	}
	return mathext.RegIncBeta(float64(k), float64(n-k+1), 0.5)
}
