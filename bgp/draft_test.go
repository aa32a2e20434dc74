package bgp

import (
	"net/netip"
	"slices"
	"testing"
)

// Two different sets of attributes may have one hash; they stay two.
func TestInternerSurvivesACollision(t *testing.T) {
	var in interner
	var d draft
	d.from(&Attrs{MED: 1, HasMED: true})
	first := in.of(&d)
	d.from(&Attrs{MED: 2, HasMED: true})
	in.young[d.hash()] = first // as if they had collided
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

// What is interned keeps nothing of the draft's memory: the next draft changes
// nothing about it.
func TestInternedAttributesAreTheirOwn(t *testing.T) {
	var in interner
	var d draft
	draw := func(k uint32) *Attrs {
		id := netip.AddrFrom4([4]byte{10, 0, 0, byte(k)})
		d.from(&Attrs{ASPath: ASPath{{Set: true, ASNs: []uint32{7, 8}}}})
		d.prepend(k, 300) // two segments and the set
		d.communities([]uint32{k}, nil)
		d.reflect(id, id)
		return in.of(&d)
	}
	first := draw(1)
	draw(2)
	seq := slices.Repeat([]uint32{1}, 300)
	want := &Attrs{ASPath: ASPath{{ASNs: seq[:45]}, {ASNs: seq[45:]}, {Set: true, ASNs: []uint32{7, 8}}}, Communities: []uint32{1},
		OriginatorID: netip.MustParseAddr("10.0.0.1"), ClusterList: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	if !first.Equal(want) {
		t.Errorf("%+v\nwant %+v", first, want)
	}
}

// What has not been drafted for a while is forgotten, what is drafted now and then is not.
func TestInternerForgets(t *testing.T) {
	var in interner
	var d draft
	of := func(med int) *Attrs {
		d.from(&Attrs{MED: uint32(med), HasMED: true})
		return in.of(&d)
	}
	seldom, often := of(0), of(1)
	for i := 2; i < 4*internLimit; i++ {
		of(i)
		if of(1) != often {
			t.Fatalf("after %d others, it is made again", i)
		}
		in.prune()
	}
	if of(0) == seldom {
		t.Error("nothing is forgotten")
	}
	if n := len(in.young) + len(in.old); n > 2*internLimit {
		t.Errorf("%d are kept", n)
	}
}
