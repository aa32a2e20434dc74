package expect

import (
	"errors"
	"testing"
	"unicode/utf8"
)

// Whatever is written into an expectation, it is an expectation or an error that points
// into it.
func FuzzErrorsPointIntoTheText(f *testing.F) {
	for _, s := range []string{`gap.outage < duration("1s")`, `p99(gap) < duration("31s")`, `share(lost==0)>.4 and mean( lost ) < 3`, `p(gap,.5)>0`, `p(p50(gap),0.1)`,
		`"p99(" + p50(lost)`, `{p99(gap)}`, "p99(\n gap)\n < duration(\"1s\")", `p99(gap`, `日p50(lost)<3`, `x.p50(lost)`, `p50(len(map(gaps, {.lost})))<3`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Compile(text)
		if err == nil {
			p.Needs()
			if p.Many() == (len(p.Metrics()) == 0) {
				t.Errorf("%q: %d metrics", text, len(p.Metrics()))
			}
			return
		}
		var e *ExprError
		if !errors.As(err, &e) || e.Col < 1 || e.Col > utf8.RuneCountInString(text)+2 || e.Message == "" {
			t.Errorf("%q: %#v", text, err)
		}
	})
}
