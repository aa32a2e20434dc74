package stats

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func of(width int64, values ...int64) *Histogram {
	h := NewHistogram(width)
	for _, v := range values {
		h.Add(v)
	}
	return h
}

// A histogram says of integers in bins what a sorted slice of the values, each
// rounded up to the end of its bin, says.
func TestHistogramAgainstSortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.Int64Range(1, 50).Draw(t, "width")
		values := rapid.SliceOfN(rapid.Int64Range(-300, 300), 1, 60).Draw(t, "values")
		h := of(width, values...)
		slices.Sort(values)
		lowest, highest := values[0], values[len(values)-1]
		rounded := func(v int64) int64 {
			b := v / width
			if v > 0 && v%width > 0 {
				b++
			}
			return min(max(b*width, lowest), highest)
		}
		if h.N() != int64(len(values)) || h.Min() != lowest || h.Max() != highest {
			t.Fatalf("%d values from %d to %d, want %d from %d to %d", h.N(), h.Min(), h.Max(), len(values), lowest, highest)
		}
		for i, v := range values {
			if got := h.Rank(int64(i + 1)); got != rounded(v) {
				t.Fatalf("rank %d is %d, want %d", i+1, got, rounded(v))
			}
		}
		limit := rapid.Int64Range(-300, 300).Draw(t, "limit")
		n := int64(0)
		for _, v := range values {
			if h.bin(v) <= h.bin(limit) {
				n++
			}
		}
		if got := h.AtMost(limit); got != n {
			t.Fatalf("%d at most %d, want %d", got, limit, n)
		}
	})
}

// Whoever counts which part, in which order: the same bytes.
func TestMergingIsCommutative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(-1e12, 1e12), 1, 60).Draw(t, "values")
		whole := of(Millisecond, values...)
		r := rand.New(rand.NewPCG(1, uint64(len(values))))
		parts := []*Histogram{NewHistogram(Millisecond), NewHistogram(Millisecond), NewHistogram(Millisecond)}
		for _, i := range r.Perm(len(values)) {
			parts[r.IntN(len(parts))].Add(values[i])
		}
		merged := NewHistogram(Millisecond)
		for _, i := range r.Perm(len(parts)) {
			merged.Merge(parts[i])
		}
		a, b := marshal(t, whole), marshal(t, merged)
		if !bytes.Equal(a, b) {
			t.Fatalf("%s\n%s", a, b)
		}
		var back Histogram
		if err := json.Unmarshal(a, &back); err != nil {
			t.Fatal(err)
		}
		if c := marshal(t, &back); !bytes.Equal(a, c) {
			t.Fatalf("%s\nread and written again is\n%s", a, c)
		}
	})
}

func marshal(t interface{ Fatal(...any) }, h *Histogram) []byte {
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestWhatIsNoHistogramIsRefused(t *testing.T) {
	for _, text := range []string{
		`{"width":0,"n":0,"sum":0,"squares":0}`,
		`{"width":1,"n":1,"sum":"x","squares":1,"min":1,"max":1,"bins":[[1,1]]}`,
		`{"width":1,"n":2,"sum":1,"squares":1,"min":1,"max":1,"bins":[[1,1]]}`,
		`{"width":1,"n":2,"sum":3,"squares":5,"min":1,"max":2,"bins":[[2,1],[1,1]]}`,
		`{"width":1,"n":1,"sum":3,"squares":5,"min":1,"max":2,"bins":[[1,1]]}`,
		`{"width":1,"n":1,"sum":3,"squares":5,"min":1,"max":2,"bins":[[1,-1],[2,2]]}`,
		`{"width":1,"n":-9223372036854775808,"sum":0,"squares":0,"min":0,"max":0,"bins":[[0,9223372036854775807],[1,1]]}`,
	} {
		var h Histogram
		if err := json.Unmarshal([]byte(text), &h); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func TestMean(t *testing.T) {
	if m := of(Millisecond, 1, 2, 3, 1<<62, 1<<62).Mean(); m != float64(1<<63+6)/5 {
		t.Errorf("%g", m)
	}
}
