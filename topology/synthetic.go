package topology

// SyntheticAS makes up an Internet of n ASes, the same one for the same seed.
//
// It has the shape that measurements of the real one agree on, and no more: a
// few ASes at the top that all peer with each other (tier 1); a sixth of all
// that sell transit, each customer of some above it, chosen in proportion to
// the customers that those have already, so that a few become very large; the
// rest, which buy from one to four of them; and peerings between ASes of
// similar size. Providers have lower numbers than their customers, so nobody is
// his own provider by any way round, which is what Gao and Rexford (2001) ask
// for: with their policies every such graph converges.
//
// At 70,000 ASes it has some 265,000 edges, half of them peerings.
func SyntheticAS(n int, seed uint64) *ASGraph {
	s := &synthetic{g: &ASGraph{ASNs: make([]uint32, n)}, state: seed, joined: map[uint64]bool{}}
	for i, asn := 0, uint32(1); i < n; i, asn = i+1, asn+1 {
		if asn == 23456 || asn == 65535 { // RFC 6793, RFC 7300: nobody's
			asn++
		}
		s.g.ASNs[i] = asn
	}
	s.top = min(n, max(3, min(12, n/10)))
	s.transit = max(s.top, n/6)
	for a := range s.top {
		s.slots = append(s.slots, int32(a))
		for b := a + 1; b < s.top; b++ {
			s.join(a, b, Peering)
		}
	}
	for i := s.top; i < n; i++ {
		s.buy(i)
	}
	s.peer(n)
	return s.g
}

type synthetic struct {
	g            *ASGraph
	top, transit int
	// slots has every AS that sells transit once, and again for each customer.
	slots  []int32
	joined map[uint64]bool
	state  uint64
}

// draw gives a number below n: SplitMix64, whose output is the same everywhere.
func (s *synthetic) draw(n int) int {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}

func (s *synthetic) join(a, b int, rel Relation) bool {
	key := uint64(min(a, b))<<32 | uint64(max(a, b))
	if a == b || s.joined[key] {
		return false
	}
	s.joined[key] = true
	s.g.Edges = append(s.g.Edges, Edge{int32(a), int32(b), rel})
	return true
}

// providers is how many an AS has: of 100, 45 have one, 30 two, 17 three.
func (s *synthetic) providers() int {
	switch x := s.draw(100); {
	case x < 45:
		return 1
	case x < 75:
		return 2
	case x < 92:
		return 3
	}
	return 4
}

// buy gives AS i its providers.
func (s *synthetic) buy(i int) {
	sellers := len(s.slots)
	for range s.providers() {
		if p := s.slots[s.draw(sellers)]; s.join(int(p), i, Customer) {
			s.slots = append(s.slots, p)
		}
	}
	if i < s.transit {
		s.slots = append(s.slots, int32(i))
	}
}

// peer adds the peerings. Most are between two that sell transit, the others
// between one of those and a content network or the like; the two are of
// similar rank.
func (s *synthetic) peer(n int) {
	if s.transit <= s.top {
		return
	}
	want := n * 19 / 10
	for range 2 * want {
		if want == 0 {
			return
		}
		a := s.top + s.draw(s.transit-s.top)
		b := a/2 + s.draw(a+1) // half to one and a half times as far down
		if s.draw(10) < 3 {
			b = s.draw(n)
		}
		if b >= s.top && b < n && s.join(min(a, b), max(a, b), Peering) {
			want--
		}
	}
}
