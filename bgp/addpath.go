package bgp

import (
	"cmp"
	"net/netip"
	"slices"
)

// Add-path, RFC 7911: a peer is told of several paths to a prefix and not of the
// best one only, each with a Path Identifier, and withdraws them one by one. What
// it is for: a route reflector that passes on the best path only hides all others,
// and when that one fails its clients have nothing until somebody has told them of
// another.
//
// Whether it is used is agreed by family and direction: who sends has to have said
// that it can, and the other one that it can receive. Where nobody has agreed on it
// none of what is here is touched.
//
// "A BGP speaker … SHOULD NOT make any assumption about the assignment of the Path
// Identifier" (§3). Here an identifier stands for where the path came from: the peer,
// and the identifier that it had there.

// AddPath is one family of the ADD-PATH capability. RFC 7911 §4.
type AddPath struct {
	Family
	Send, Receive bool
}

// sentPath is an entry of an Adj-RIB-Out that has several for a prefix.
type sentPath struct {
	id    uint32
	attrs *Attrs
}

// lostPath and foundPath are what is to be sent about one path.
type lostPath struct {
	prefix netip.Prefix
	id     uint32
}

type foundPath struct {
	lostPath
	attrs *Attrs
}

// manyPaths is what a peer with add-path needs beside its neighbour.
type manyPaths struct {
	sent    map[*entry][]sentPath // by id
	sources map[uint32]*Source    // of its paths that have an identifier
}

// pathKey is where a path comes from.
type pathKey struct {
	peer PeerID
	id   uint32
}

// agreeOnPaths is the part of a session's start that is about add-path.
func (s *Speaker) agreeOnPaths(peer PeerID, open *Open) {
	n, g := &s.peers[peer], s.cfg.Peers[peer].PeerGroup
	n.sends, n.receives = 0, 0
	if open == nil || g.SendPaths|g.ReceivePaths == 0 {
		return
	}
	for _, f := range open.AddPath {
		if f.Receive {
			n.sends |= FamiliesOf([]Family{f.Family})
		}
		if f.Send {
			n.receives |= FamiliesOf([]Family{f.Family})
		}
	}
	n.sends &= g.SendPaths & n.families
	n.receives &= g.ReceivePaths & n.families
	if n.sends|n.receives == 0 {
		return
	}
	if s.many == nil {
		s.many, s.several = make([]*manyPaths, len(s.peers)), true
	}
	s.many[peer] = &manyPaths{sent: map[*entry][]sentPath{}, sources: map[uint32]*Source{}}
}

// sourceOf is the source of peer's paths with an identifier.
func (s *Speaker) sourceOf(peer PeerID, id uint32) *Source {
	if id == 0 {
		return s.source(peer)
	}
	m := s.many[peer]
	if m.sources[id] == nil {
		source := *s.source(peer)
		source.PathID = id
		m.sources[id] = &source
	}
	return m.sources[id]
}

// identifier is what a path is called towards all peers.
func (s *Speaker) identifier(p *Path) uint32 {
	k := pathKey{p.Peer, p.PathID}
	id, ok := s.pathIDs[k]
	if !ok {
		if s.pathIDs == nil {
			s.pathIDs = map[pathKey]uint32{}
		}
		id = uint32(len(s.pathIDs) + 1)
		s.pathIDs[k] = id
	}
	return id
}

// pathsFor are the paths that peer should know, by identifier: all candidates
// that may be exported to it, or so many of the best.
func (s *Speaker) pathsFor(peer PeerID, e *entry) (want []sentPath) {
	cands := e.candidates(nil)
	limit := s.cfg.Peers[peer].MostPaths
	if limit > 0 {
		s.cfg.Rules.rank(cands, e.st)
	}
	for _, p := range cands {
		if p.Peer == peer || limit > 0 && len(want) == limit {
			continue
		}
		if a := s.exportPath(peer, e, p); a != nil {
			want = append(want, sentPath{s.identifier(p), a})
		}
	}
	slices.SortFunc(want, func(a, b sentPath) int { return cmp.Compare(a.id, b.id) })
	return want
}

func pathOf(list []sentPath, id uint32) *Attrs {
	if i, ok := slices.BinarySearchFunc(list, id, func(p sentPath, id uint32) int { return cmp.Compare(p.id, id) }); ok {
		return list[i].attrs
	}
	return nil
}

// comparePaths is compare for one prefix and a peer that is sent several paths.
// What MRAI lets wait waits by path: where withdrawals do not, those of some paths
// go out while the announcement of others waits.
func (s *Speaker) comparePaths(peer PeerID, e *entry, released bool) {
	n, m, b := &s.peers[peer], s.many[peer], &s.mem.batch
	had, want := m.sent[e], s.pathsFor(peer, e)
	if len(had)+len(want) == 0 && len(e.out) == 0 {
		return
	}
	s.told(e)
	o := &e.out[peer]
	isGone := func(p sentPath) bool { return pathOf(want, p.id) == nil }
	isNews := func(p sentPath) bool { return !p.attrs.Equal(pathOf(had, p.id)) || o.again }
	gone, news := slices.ContainsFunc(had, isGone), slices.ContainsFunc(want, isNews)
	if !gone && !news {
		n.unwait(o)
		return
	}
	goneWaits := gone && n.way != unpaced && !released && s.mustWait(peer, e, nil)
	newsWait := news && n.way != unpaced && !released && s.mustWait(peer, e, want[0].attrs)
	if !goneWaits && !newsWait {
		n.unwait(o)
	}
	if (!gone || goneWaits) && (!news || newsWait) {
		return
	}
	var now []sentPath
	for _, p := range had {
		switch gone := isGone(p); {
		case gone && !goneWaits:
			b.lost = append(b.lost, lostPath{e.prefix, p.id})
		case gone || newsWait:
			now = append(now, p)
		}
	}
	if !newsWait {
		for _, p := range want {
			if isNews(p) {
				b.found = append(b.found, foundPath{lostPath{e.prefix, p.id}, p.attrs})
			}
			now = append(now, p)
		}
		slices.SortFunc(now, func(a, b sentPath) int { return cmp.Compare(a.id, b.id) })
		o.again = false
	}
	o.sent = nil
	if m.sent[e] = now; len(now) == 0 {
		delete(m.sent, e)
	} else {
		o.sent = now[0].attrs
	}
	if n.way == byPrefix {
		s.sent(peer, e, o.sent)
	}
}

// sendPaths turns what the batch has about single paths into UPDATEs.
func (s *Speaker) sendPaths(acts []Action, peer PeerID) []Action {
	b := &s.mem.batch
	slices.SortStableFunc(b.lost, func(x, y lostPath) int { return cmp.Compare(FamilyOf(x.prefix), FamilyOf(y.prefix)) })
	for rest := b.lost; len(rest) > 0; {
		u := Update{Extra: &Extra{}}
		size := HeaderLen + 4 + unreach(rest[0].prefix)
		for len(rest) > 0 && fits(&size, rest[0].prefix, u.Withdrawn) {
			u.Withdrawn, u.Extra.Withdrawn = append(u.Withdrawn, rest[0].prefix), append(u.Extra.Withdrawn, rest[0].id)
			rest = rest[1:]
		}
		acts = append(acts, Action{Kind: ActSend, Peer: peer, Msg: update(u)})
	}
	for len(b.found) > 0 { // all with the attributes of the first one, then of the next
		attrs := b.found[0].attrs
		rest := b.found[:0]
		u := Update{Attrs: attrs, Extra: &Extra{}}
		size := HeaderLen + 4 + attrs.size() + reach(b.found[0].prefix)
		for _, p := range b.found {
			if p.attrs == attrs && fits(&size, p.prefix, u.NLRI) {
				u.NLRI, u.Extra.NLRI = append(u.NLRI, p.prefix), append(u.Extra.NLRI, p.id)
			} else {
				rest = append(rest, p)
			}
		}
		b.found = rest
		acts = append(acts, Action{Kind: ActSend, Peer: peer, Msg: update(u)})
	}
	return acts
}

// fits tells whether a prefix with its identifier goes into a message of so many
// octets that has some already, and counts it.
func fits(size *int, p netip.Prefix, some []netip.Prefix) bool {
	more := identifierLen + prefixes([]netip.Prefix{p})
	if len(some) > 0 && (*size+more > maxMessage || p.Addr().Is4() != some[0].Addr().Is4()) {
		return false
	}
	*size += more
	return true
}

// identifierLen is how many octets a Path Identifier takes. RFC 7911 §3
const identifierLen = 4

// Identified are the families of whose prefixes u has Path Identifiers.
func (u *Update) Identified() (fs Families) {
	if u.Extra == nil {
		return 0
	}
	if len(u.Extra.NLRI) > 0 {
		fs = FamilyOf(u.NLRI[0])
	}
	for i := range u.Extra.Withdrawn {
		fs |= FamilyOf(u.Withdrawn[i])
	}
	return fs
}

// id is the i-th of identifiers; 0: there are none.
func (x *Extra) withdrawn(i int) uint32 {
	if x == nil || len(x.Withdrawn) == 0 {
		return 0
	}
	return x.Withdrawn[i]
}

func (x *Extra) nlri(i int) uint32 {
	if x == nil || len(x.NLRI) == 0 {
		return 0
	}
	return x.NLRI[i]
}
