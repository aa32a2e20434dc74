package topology

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

func TestParseDist(t *testing.T) {
	for text, want := range map[string]string{
		"30s":                       "30s",
		" 1m30s ":                   "90s",
		"0s":                        "0s",
		"1.5ms":                     "1.5ms",
		"250us":                     "250us",
		"8h":                        "28800s",
		"uniform(85s,95s)":          "uniform(85s, 95s)",
		"uniform( 85s , 85s )":      "uniform(85s, 85s)",
		"normal(10ms, 2ms)":         "normal(10ms, 2ms)",
		"exp(5ms, 1ms)":             "exp(5ms, 1ms)",
		"choice(0s, 1500ms, 2m)":    "choice(0s, 1.5s, 120s)",
		"choice(1s)":                "choice(1s)",
		"uniform (1000.000001s,2h)": "uniform(1000.000001s, 7200s)",
	} {
		d, err := ParseDist(text)
		if err != nil || d.String() != want {
			t.Errorf("%q is %v (%v), want %s", text, d, err, want)
		}
	}
}

// Every mistake is told with the way to write it.
func TestParseDistErrors(t *testing.T) {
	for text, want := range map[string]string{
		"30":                  "30 has no unit: write 30s",
		"0":                   "0 has no unit: write 0s",
		"1.5":                 "write 1.5s",
		"":                    "missing",
		"30 sec":              `"30 sec" is not a duration: write 30s`,
		"half an hour":        "is not a duration",
		"-1s":                 "negative",
		"200000h":             "longer than",
		"9999999999999h":      "is not a duration",
		"uniform(85, 95s)":    "uniform: 85 has no unit: write 85s",
		"uniform(95s, 85s)":   "the first has to be the smaller",
		"uniform(85s)":        "write uniform(least, most)",
		"uniform(1s, 2s, 3s)": "write uniform(least, most)",
		"uniform(1s, 2s":      "does not end with )",
		"uniform()":           "write uniform(least, most)",
		"choice()":            "write choice(one, another, ...)",
		"normal(1s, 0s)":      "write 1s",
		"exp(1s, 0s)":         "write 1s",
		"gauss(1s, 2s)":       `"gauss" is no distribution`,
		"NaN":                 "has no unit",
	} {
		if _, err := ParseDist(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want …%s…", text, err, want)
		}
	}
}

// What is printed can be read back, for any distribution.
func TestDistRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dur := rapid.Custom(func(t *rapid.T) time.Duration {
			unit := rapid.SampledFrom([]time.Duration{1, time.Microsecond, time.Millisecond, time.Second, time.Hour}).Draw(t, "unit")
			return min(MaxDuration, unit*time.Duration(rapid.Int64Range(0, 100_000).Draw(t, "n")))
		})
		a, b := dur.Draw(t, "a"), dur.Draw(t, "b")
		var d Dist
		switch DistKind(rapid.IntRange(0, 4).Draw(t, "kind")) {
		case Fixed:
			d = Const(a)
		case Uniform:
			d = NewUniform(min(a, b), max(a, b))
		case Normal:
			d = NewNormal(a, b+1)
		case Exp:
			d = NewExp(a, b+1)
		case Choice:
			d = NewChoice(a, b, a)
		}
		if d.Kind == Normal && b >= MaxDuration || d.Kind == Exp && b >= MaxDuration {
			return
		}
		back, err := ParseDist(d.String())
		if err != nil || back.String() != d.String() || back.Kind != d.Kind || back.Min() != d.Min() || back.Max() != d.Max() {
			t.Fatalf("%v comes back as %v: %v", d, back, err)
		}
		for range 20 {
			u := rapid.Uint64().Draw(t, "u")
			x := d.Draw(u)
			if x != back.Draw(u) {
				t.Fatalf("%v draws %v, after the round trip %v", d, x, back.Draw(u))
			}
			if x < d.Min() || x > d.Max() || x < 0 {
				t.Fatalf("%v draws %v, outside %v..%v", d, x, d.Min(), d.Max())
			}
		}
		if m := d.Mean(); m < d.Min() || m > d.Max() {
			t.Fatalf("the mean of %v is %v, outside %v..%v", d, m, d.Min(), d.Max())
		}
	})
}

// Draws follow the law that they are named after: the Kolmogorov-Smirnov
// distance of 20,000 draws stays below its 1 in 10,000 bound, and a chi-square
// of 20 equally likely classes below its own. The seed is fixed.
func TestDrawsFollowTheLaw(t *testing.T) {
	const n, classes = 20_000, 20
	for text, law := range map[string]interface {
		CDF(float64) float64
		Quantile(float64) float64
	}{
		"uniform(20s, 30s)": distuv.Uniform{Min: 20, Max: 30},
		"normal(10s, 2s)":   distuv.Normal{Mu: 10, Sigma: 2},
		"exp(0s, 3s)":       distuv.Exponential{Rate: 1. / 3},
	} {
		d, err := ParseDist(text)
		if err != nil {
			t.Fatal(err)
		}
		rnd := rand.New(rand.NewPCG(7, 11))
		x, ideal := make([]float64, n), make([]float64, n)
		seen, want := make([]float64, classes), make([]float64, classes)
		sum := 0.0
		for i := range x {
			x[i] = d.Draw(rnd.Uint64()).Seconds()
			ideal[i] = law.Quantile((float64(i) + 0.5) / n)
			seen[min(classes-1, int(law.CDF(x[i])*classes))]++
			sum += x[i]
		}
		for i := range want {
			want[i] = n / classes
		}
		stat.SortWeighted(x, nil)
		// P(D > 2.23/sqrt n) is 1 in 10,000.
		if ks := stat.KolmogorovSmirnov(x, nil, ideal, nil); ks > 2.23/math.Sqrt(n) {
			t.Errorf("%s: Kolmogorov-Smirnov distance %.4f", text, ks)
		}
		limit := distuv.ChiSquared{K: classes - 1}.Quantile(0.9999)
		if chi := stat.ChiSquare(seen, want); chi > limit {
			t.Errorf("%s: chi-square %.1f, more than %.1f", text, chi, limit)
		}
		if mean := d.Mean().Seconds(); math.Abs(sum/n-mean) > 0.01*mean {
			t.Errorf("%s: mean of the draws %.3f, Mean says %.3f", text, sum/n, mean)
		}
	}
}

func TestChoiceIsFair(t *testing.T) {
	d := NewChoice(1, 2, 3)
	rnd := rand.New(rand.NewPCG(1, 1))
	var seen [4]int
	for range 30_000 {
		seen[d.Draw(rnd.Uint64())]++
	}
	for v := 1; v <= 3; v++ {
		if seen[v] < 9_600 || seen[v] > 10_400 {
			t.Errorf("%d came %d times of 30,000", v, seen[v])
		}
	}
}

// "never below 0": a normal that would go below is cut off there.
func TestNormalIsNeverNegative(t *testing.T) {
	d := NewNormal(time.Millisecond, 10*time.Millisecond)
	if d.Min() != 0 || d.Draw(0) != 0 {
		t.Errorf("least %v, least draw %v", d.Min(), d.Draw(0))
	}
	if top := d.Draw(math.MaxUint64); top > d.Max() || top < 30*time.Millisecond {
		t.Errorf("greatest draw %v of at most %v", top, d.Max())
	}
}

func TestParseValue(t *testing.T) {
	for _, c := range []struct {
		key        Key
		text, want string // want: the value, or "!" and part of the error
	}{
		{BGPHold, "30s", "30s"},
		{BGPHold, "0s", "0s"},
		{BGPHold, "30", "!bgp.hold: 30 has no unit: write 30s"},
		{BGPHold, "2s", "!a hold time is 0s (none) or at least 3s"},
		{BGPHold, "3500ms", "!whole seconds"},
		{BGPHold, "choice(0s, 30s)", "!or at least 3s"},
		{BGPHold, "65536s", "!65536s is more than 65535s"},
		{BGPHold, "uniform(9s, 70000s)", "!is more than 65535s"},
		{BGPConnectRetry, "0s", "!0s is less than 1ms"},
		{BGPKeepaliveJitter, "0.75", "0.75"},
		{BGPKeepaliveJitter, "75%", "0.75"},
		{BGPKeepaliveJitter, "1", "1"},
		{BGPKeepaliveJitter, "0.7551", "!at most three decimals"},
		{BGPKeepaliveJitter, "1.2", "!1.2 is more than 1"},
		{BGPKeepaliveJitter, "-0.5", "!less than 0.001"},
		{BGPKeepaliveJitter, "0.", "!is not a share"},
		{BGPKeepaliveJitter, "half", "!is not a share"},
		{VPNRekeyFuzz, "100%", "1"},
		{VPNRekeyFuzz, "12.5%", "0.125"},
		{BGPMED, "-1", "-1"},
		{BGPMED, "4294967295", "4294967295"},
		{BGPMED, "4294967296", "!more than 4294967295"},
		{BGPMED, "many", "!whole number from -1 to 4294967295"},
		{BGPMultipath, "0", "!less than 1"},
		{BGPPassive, "true", "true"},
		{BGPPassive, "false", "false"},
		{BGPPassive, "yes", "!write true or false"},
		{VPNDPDAction, "clear", "clear"},
		{VPNDPDAction, "stop", "!one of clear, restart, none"},
		{FIBDelay, "uniform(0s, 3s)", "uniform(0s, 3s)"},
	} {
		v, err := ParseValue(c.key, c.text)
		if part, wrong := strings.CutPrefix(c.want, "!"); wrong {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s %q: %v, want …%s…", c.key, c.text, err, part)
			}
			continue
		}
		if err != nil || v.Format(c.key) != c.want {
			t.Errorf("%s %q is %s (%v), want %s", c.key, c.text, v.Format(c.key), err, c.want)
		}
		if again, err := ParseValue(c.key, v.Format(c.key)); err != nil || again.Format(c.key) != c.want {
			t.Errorf("%s %q does not come back: %v", c.key, c.want, err)
		}
	}
}
