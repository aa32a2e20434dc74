package topology

import "testing"

// Whatever is typed, reading it gives an error or a value that comes back
// from its own text and can be drawn from.
func FuzzParseValue(f *testing.F) {
	for _, s := range []string{"30s", "uniform(1s, 2s)", "normal(1ms,1us)", "exp(0s, 1h)", "choice(1s,2s)", "0.75", "75%", "-1", "true", "clear", "choice(,)", "uniform(", "1e9s", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for k := range NumKeys {
			v, err := ParseValue(k, s)
			if err != nil {
				continue
			}
			text := v.Format(k)
			back, err := ParseValue(k, text)
			if err != nil || back.Format(k) != text {
				t.Fatalf("%s %q is %q, which comes back as %q: %v", k, s, text, back.Format(k), err)
			}
			if k.Info().Type == TypeDuration {
				for _, u := range []uint64{0, 1 << 63, 1<<64 - 1} {
					if d := v.Dist.Draw(u); d < v.Dist.Min() || d > v.Dist.Max() {
						t.Fatalf("%q draws %v", text, d)
					}
				}
			}
		}
	})
}
