package bgp

import "testing"

// Two different sets of attributes may have one hash; they stay two.
func TestInternerSurvivesACollision(t *testing.T) {
	var in interner
	var d draft
	d.from(&Attrs{MED: 1, HasMED: true})
	first := in.of(&d)
	d.from(&Attrs{MED: 2, HasMED: true})
	in.table[d.hash()] = first // as if they had collided
	second := in.of(&d)
	if second == first || second.MED != 2 {
		t.Fatalf("a collision gave %+v for %+v", second, d.Attrs)
	}
	if in.of(&d) != second {
		t.Error("the second is not found again")
	}
	d.from(&Attrs{MED: 1, HasMED: true})
	if in.of(&d) != first {
		t.Error("the first is not found again")
	}
}
