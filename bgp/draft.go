package bgp

import (
	"net/netip"
	"slices"
)

// draft is where attributes are rewritten on their way in or out. It owns the
// memory for that, so that working out what would be announced, only to find
// that it has been announced already, allocates nothing.
type draft struct {
	Attrs
	segments []Segment
	asns     []uint32
	comms    []uint32
	clusters []netip.Addr
}

// from starts a draft that says what a says.
func (d *draft) from(a *Attrs) {
	d.Attrs = *a
	d.summary = summary{}
}

// prepend puts as in front of the path, n times. RFC 4271 §5.1.2: it goes into
// the leading AS_SEQUENCE, or into a new one if the path does not begin with
// one or if that would have more than 255 ASes. It may be called once a draft.
func (d *draft) prepend(as uint32, n int) {
	if n <= 0 {
		return
	}
	rest := d.ASPath
	var first []uint32
	if len(rest) > 0 && !rest[0].Set {
		first, rest = rest[0].ASNs, rest[1:]
	}
	d.asns = d.asns[:0]
	for range n {
		d.asns = append(d.asns, as)
	}
	d.asns = append(d.asns, first...)
	d.segments = d.segments[:0]
	seq := d.asns
	// Full segments lie at the end: only the foremost may have room.
	if lead := len(seq) % 255; lead > 0 {
		d.segments = append(d.segments, Segment{ASNs: seq[:lead]})
		seq = seq[lead:]
	}
	for ; len(seq) > 0; seq = seq[255:] {
		d.segments = append(d.segments, Segment{ASNs: seq[:255]})
	}
	d.segments = append(d.segments, rest...)
	d.ASPath = d.segments
}

// communities adds some and removes others; what is removed and added stays.
// The result is sorted and without repetition, as routers send it, so that one
// set has one spelling.
func (d *draft) communities(add, remove []uint32) {
	if len(add)+len(remove) == 0 {
		return
	}
	d.comms = d.comms[:0]
	for _, c := range d.Communities {
		if !slices.Contains(remove, c) {
			d.comms = append(d.comms, c)
		}
	}
	d.comms = append(d.comms, add...)
	slices.Sort(d.comms)
	d.Communities = slices.Compact(d.comms)
}

// apply does what a policy term says; the path is left to the caller, because
// whose AS is prepended depends on the direction.
func (d *draft) apply(t *Term) {
	if t.SetLocalPref {
		d.LocalPref, d.HasLocalPref = t.LocalPref, true
	}
	if t.SetMED {
		d.MED, d.HasMED = t.MED, true
	}
	d.communities(t.AddCommunity, t.NoCommunity)
}

// interner keeps one copy of every set of attributes that was drafted lately, so
// that "is it the same?" is mostly a comparison of pointers and equal attributes
// pack into one UPDATE. It survives Reset: replications of one scenario draft the
// same attributes over and over.
//
// When there are many, those that have not been asked for are forgotten (prune):
// what is old moves to the young when it is drafted again, and when the young are
// too many, they are the old.
type interner struct{ young, old map[uint64]*Attrs }

const internLimit = 1 << 12

func (in *interner) prune() bool {
	if len(in.young) < internLimit {
		return false
	}
	clear(in.old)
	in.young, in.old = in.old, in.young
	return true
}

// find looks for what the draft says in a table; h becomes where it is, or where
// it belongs.
func (d *draft) find(table map[uint64]*Attrs, h *uint64) *Attrs {
	for ; ; *h++ {
		a := table[*h]
		if a == nil || a.Equal(&d.Attrs) {
			return a
		}
	}
}

// of returns the one copy of what the draft says.
func (in *interner) of(d *draft) *Attrs {
	hash := d.hash()
	h := hash
	a := d.find(in.young, &h)
	if a != nil {
		return a
	}
	old := hash
	if a = d.find(in.old, &old); a == nil {
		a = d.made()
		a.summarise(hash)
	}
	if in.young == nil {
		in.young = map[uint64]*Attrs{}
	}
	in.young[h] = a
	return a
}

// made is a copy of what the draft says, that nobody will change.
func (d *draft) made() *Attrs {
	made := &struct { // one piece of memory for most
		Attrs
		one  [1]Segment // most paths are one sequence,
		asns [8]uint32  // and have no more ASes
	}{Attrs: d.Attrs}
	a := &made.Attrs
	if len(a.ASPath) > 0 {
		a.ASPath = append(made.one[:0], a.ASPath...)
	}
	for i, s := range a.ASPath {
		if i == 0 {
			a.ASPath[i].ASNs = append(made.asns[:0:len(made.asns)], s.ASNs...)
		} else {
			a.ASPath[i].ASNs = slices.Clone(s.ASNs)
		}
	}
	a.Communities = slices.Clone(a.Communities)
	a.ClusterList = slices.Clone(a.ClusterList)
	return a
}
