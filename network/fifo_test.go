package network

import (
	"slices"
	"testing"
)

func TestFifo(t *testing.T) {
	var q fifo[int]
	var want []int
	next, copies := 0, 0
	for step := range 10_000 {
		if step%7 < 4 || len(want) == 0 { // it grows
			q.push(next)
			want = append(want, next)
			next++
			continue
		}
		if got := q.pop(); got != want[0] {
			t.Fatalf("%d came out, want %d", got, want[0])
		}
		want = want[1:]
		if q.head == 0 {
			copies += q.len()
		}
		if !slices.Equal(q.all(), want) || q.len() != len(want) {
			t.Fatalf("it holds %v, want %v", q.all(), want)
		}
	}
	if copies > next {
		t.Errorf("%d entries were moved for %d that came in", copies, next)
	}
	q.reset()
	if q.len() != 0 {
		t.Error("it is not empty after reset")
	}
}
