package stats

import (
	"math"
	"testing"
)

// Garwood's table of 95 % limits of a Poisson mean (Biometrika 28, 1936; Pearson and Hartley's Biometrika Tables, table 40).
func TestRateHasGarwoodsLimits(t *testing.T) {
	for _, c := range []struct {
		k         int64
		low, high float64
	}{{0, 0, 3.69}, {1, 0.0253, 5.57}, {2, 0.242, 7.22}, {5, 1.62, 11.67}, {10, 4.80, 18.39}, {30, 20.24, 42.83}, {50, 37.11, 65.92}} {
		r := NewRate(c.k, 1, 0.95)
		if math.Abs(r.Low-c.low) > 0.005 || math.Abs(r.High-c.high) > 0.005 {
			t.Errorf("%d events: %.3f to %.3f, want %.3f to %.3f", c.k, r.Low, r.High, c.low, c.high)
		}
		if twice := NewRate(c.k, 2, 0.95); twice.High != r.High/2 || twice.Value != r.Value/2 {
			t.Errorf("%d events in twice the time: %+v", c.k, twice)
		}
	}
}
