package report

import (
	"slices"
	"testing"
	"time"
)

// A path that changes shows in the transcript, noise does not.
func TestShifts(t *testing.T) {
	echoes := func(ms ...float64) (list []Echo) {
		for i, m := range ms {
			list = append(list, Echo{Seq: i + 1, RTTNs: int64(m * float64(time.Millisecond)), TTL: 64})
		}
		return list
	}
	other := echoes(5, 5, 5)
	other[1].TTL = 63
	noise := []float64{}
	for i := range 40 {
		noise = append(noise, []float64{5, 12}[i%2])
	}
	for _, c := range []struct {
		name   string
		echoes []Echo
		want   []int
	}{
		{"none", nil, nil},
		{"steady", echoes(5, 5.2, 4.9, 5.1), nil},
		{"longer, and back", echoes(40, 40, 230, 230, 40), []int{2, 4}},
		{"a little longer", echoes(40, 55, 40), nil},
		{"much longer, but short", echoes(0.1, 0.9, 0.1), nil},
		{"after a loss, which is shown anyway", echoes(40, 0, 230), nil},
		{"another TTL", other, []int{1, 2}},
		{"noise", echoes(noise...), nil},
	} {
		if got := shifts(c.echoes); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
