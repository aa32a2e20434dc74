package stats

import "gonum.org/v1/gonum/stat/distuv"

// Rate is how many events there were in a time, and the interval of the rate behind them.
type Rate struct {
	Events           int64
	Time             float64
	Value, Low, High float64
}

// NewRate of k events in a time, with Garwood's interval (Biometrika 28, 1936), which is exact for
// events that do not know of each other: the ends are quantiles of gamma distributions. No event
// in the time gives an upper bound, not a certainty.
func NewRate(k int64, time, confidence float64) Rate {
	r := Rate{Events: k, Time: time, Value: float64(k) / time}
	tail := (1 - confidence) / 2
	if k > 0 {
		r.Low = distuv.Gamma{Alpha: float64(k), Beta: 1}.Quantile(tail) / time
	}
	r.High = distuv.Gamma{Alpha: float64(k) + 1, Beta: 1}.Quantile(1-tail) / time
	return r
}
