package fit

import (
	"math"

	"github.com/vpnsim/vpnsim/report"
)

// enough odds to call a question settled.
const enough = 20

// blocks of the jackknife.
const blocks = 10

// more works out how many more tries would bring the odds of the best mechanism
// against each rival to 20 to 1, if the best one is right. A try adds the
// logarithm of its likelihood ratio; the mean of that is the Kullback-Leibler
// divergence of what the two show, which is computed from their runs.
func (f *fitter) more(ms []*mechanism, best *mechanism) {
	for _, m := range ms {
		if m == best || len(m.runs) == 0 || len(best.runs) == 0 || m.prior == 0 {
			continue
		}
		// What the tries so far have brought. That no run of m showed them is at
		// least what its upper bound says.
		have := best.log - m.log
		if math.IsInf(m.log, -1) {
			have = best.log - m.hi
		}
		prior := math.Log(best.prior / m.prior)
		now, least, most := have+prior, best.lo-m.hi+prior, best.hi-m.lo+prior
		tries := func(interval int) *report.Estimate {
			value, se := divergence(best.runs, m.runs, interval)
			count := func(have, each float64) float64 {
				if have >= math.Log(enough) {
					return 0
				}
				if each <= 0 {
					return math.Inf(1)
				}
				return math.Max(1, math.Ceil((math.Log(enough)-have)/each))
			}
			e := estimate(1, count(most, value+2*se), count(least, value-2*se))
			if v := count(now, value); !math.IsInf(v, 0) {
				e.Value = &v
			} else {
				e.Value = nil
			}
			return &e
		}
		m.doc.More = tries(0)
		m.doc.MoreDense = tries(f.dense())
	}
}

// divergence of what a and b show at an interval, in nats, and its standard error
// by leaving out a tenth of the runs at a time. What no run of b shows counts as
// half a run, so that the answer is rather too small than infinite.
func divergence(a, b []*run, interval int) (value, se float64) {
	whole := divergenceWithout(a, b, interval, -1)
	var parts [blocks]float64
	mean := 0.0
	for i := range parts {
		parts[i] = divergenceWithout(a, b, interval, i)
		mean += parts[i] / blocks
	}
	for _, p := range parts {
		se += (p - mean) * (p - mean)
	}
	se = math.Sqrt(se * (blocks - 1) / blocks)
	return max(0, blocks*whole-(blocks-1)*mean), se
}

func divergenceWithout(a, b []*run, interval, block int) float64 {
	count := func(list []*run) (map[int32]int, int) {
		m, n := map[int32]int{}, 0
		for i, r := range list {
			if i*blocks/len(list) != block {
				m[r.lost[interval]]++
				n++
			}
		}
		return m, n
	}
	ca, na := count(a)
	cb, nb := count(b)
	kinds := len(ca)
	top := int32(0)
	for lost := range cb {
		if ca[lost] == 0 {
			kinds++
		}
	}
	for lost := range ca {
		top = max(top, lost)
	}
	sum := 0.0
	for lost := int32(0); lost <= top; lost++ { // in order: sums of floats depend on it
		if k := ca[lost]; k > 0 {
			p, q := float64(k)/float64(na), (float64(cb[lost])+0.5)/(float64(nb)+0.5*float64(kinds))
			sum += p * math.Log(p/q)
		}
	}
	return sum
}
