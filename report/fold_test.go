package report

import "testing"

// An IKE negotiation is folded into one line for processing and one for the
// way; what comes before and after stays, and the sum is the same.
func TestFold(t *testing.T) {
	at := Seconds(0)
	wait := func(what string, d Seconds) Wait {
		at += d
		return Wait{StartS: at - d, EndS: at, SinceS: at - d, Node: "gcp", What: what}
	}
	chain := []Wait{wait("story", 5)}
	for range 9 {
		chain = append(chain, wait("processing", 20), wait("way", 3))
	}
	chain = append(chain, wait("fib", 7))
	got := fold(chain)
	if len(got) != 4 || got[1].What != "processing (9 times, by turns)" || got[2].What != "way (9 times, by turns)" {
		t.Fatalf("%+v", got)
	}
	if got[1].EndS-got[1].StartS != 180 || got[2].EndS-got[2].StartS != 27 || total(got) != total(chain) {
		t.Errorf("%+v adds up to %d, not %d", got, total(got), total(chain))
	}
	for i := 1; i < len(got); i++ {
		if got[i].StartS != got[i-1].EndS {
			t.Errorf("a hole before %+v", got[i])
		}
	}
	if two := fold(chain[1:5]); len(two) != 4 {
		t.Errorf("two rounds are no circle: %+v", two)
	}
}
