package stats

import "math"

// Band is how far the cumulative distribution that n values were drawn from may be from
// theirs, anywhere, up or down, with that confidence and whatever it is: the inequality of
// Dvoretzky, Kiefer and Wolfowitz with Massart's constant (Annals of Probability 18, 1990).
// 1 where there are no values.
func (h *Histogram) Band(confidence float64) float64 {
	if h.n == 0 {
		return 1
	}
	return min(math.Sqrt(math.Log(2/(1-confidence))/(2*float64(h.n))), 1)
}
