package bgp

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Update-Send process, RFC 4271 §9.2: what a peer should know is compared with
// what it knows, and the difference is sent, or waits for the peer's
// advertisement timer (mrai.go).

// maxMessage is the greatest size of a message. RFC 4271 §4.
const maxMessage = 4096

// batch collects what is to be sent to one peer at one moment.
type batch struct {
	gone []netip.Prefix
	news []news
	runs []run
	of   map[*Attrs]int // the run that has these attributes, once there are two

	lost  []lostPath // of peers with add-path
	found []foundPath
}

type news struct {
	prefix netip.Prefix
	run    int
}

// run is a set of attributes, how many prefixes share it, and where they begin.
type run struct {
	attrs *Attrs
	n, at int
}

func (b *batch) reset() {
	b.gone, b.news, b.runs = b.gone[:0], b.news[:0], b.runs[:0]
	b.lost, b.found = b.lost[:0], b.found[:0]
	if len(b.of) > 0 {
		clear(b.of)
	}
}

// add notes that the prefix is announced with a, which is interned: the same
// attributes are the same pointer.
func (b *batch) add(p netip.Prefix, a *Attrs) {
	i := len(b.runs) - 1
	if i < 0 || b.runs[i].attrs != a { // seldom
		ok := false
		if i, ok = b.of[a]; !ok {
			i = len(b.runs)
			b.runs = append(b.runs, run{attrs: a})
			b.index()
		}
	}
	b.runs[i].n++
	b.news = append(b.news, news{p, i})
}

// index notes where the newest run is. A single one is found without.
func (b *batch) index() {
	if len(b.runs) < 2 {
		return
	}
	if b.of == nil {
		b.of = map[*Attrs]int{}
	}
	if len(b.of) == 0 {
		b.of[b.runs[0].attrs] = 0
	}
	b.of[b.runs[len(b.runs)-1].attrs] = len(b.runs) - 1
}

// tell compares what peer should know about entries with what it knows.
func (s *Speaker) tell(acts []Action, peer PeerID, entries []*entry) []Action {
	if s.peers[peer].opening {
		return acts // when its first UPDATE goes out, it is told everything
	}
	s.mem.batch.reset()
	s.compare(peer, entries, false)
	acts = s.takeAlong(acts, peer)
	return s.setTimer(s.send(acts, peer), peer)
}

// tellAll is tell for all peers, of a single entry. Mostly there is nothing to
// say, or it has to wait as something else does already, and that is quickly found out.
func (s *Speaker) tellAll(acts []Action, one []*entry) []Action {
	e, t := one[0], s.mem.toldBy(s.cfg.AS)
	if s.paying == 0 && len(e.out) == 0 && (e.best == nil || e.best.Role.paysNothing()) {
		return acts // as in most routers of an Internet: they have no customers
	}
	alike, family := s.uniform && e.best != nil, FamilyOf(e.prefix)
	for i := range s.peers {
		n, peer := &s.peers[i], PeerID(i)
		switch {
		case !n.up:
			continue
		case n.opening || n.way > byTimer:
			acts = s.tell(acts, peer, one)
			continue
		}
		var want *Attrs
		if alike && n.plain && t.about(e.best) {
			want = t.to(n, family)
		} else {
			want = s.wanted(peer, e)
		}
		if len(e.out) == 0 {
			if want == nil {
				continue
			}
			s.told(e)
		}
		switch o := &e.out[i]; {
		case want.Equal(o.sent) && !(o.again && want != nil):
			n.unwait(o)
		case o.waits && n.gated && (want != nil || n.group.MRAI.Withdrawals == WithdrawalsGated):
			// it waits already
		case n.way == byTimer && s.mustWait(peer, e, want):
			acts = s.setTimer(acts, peer)
		case want == nil && n.waiting > 0 && n.group.MRAI.Withdrawals == WithdrawalsFlush:
			acts = s.tell(acts, peer, one) // and what waits
		default:
			acts = s.setTimer(s.sendOne(acts, peer, e, want), peer)
		}
	}
	return acts
}

// sendOne sends what a peer should know about one prefix, if its UPDATEs are paced by a
// timer or not at all.
func (s *Speaker) sendOne(acts []Action, peer PeerID, e *entry, want *Attrs) []Action {
	o := &e.out[peer]
	s.peers[peer].unwait(o)
	o.sent, o.again = want, false
	return s.gate(append(acts, Action{Kind: ActSend, Peer: peer, Msg: s.single(e.prefix, want)}), peer, want == nil)
}

// compare puts into the batch what is to be sent to peer now. With released,
// nothing has to wait.
func (s *Speaker) compare(peer PeerID, entries []*entry, released bool) {
	n := &s.peers[peer]
	if n.way == byPrefix || n.way == byDelay {
		s.beside[peer].pacer.expire(peer, s.now)
	}
	for _, e := range entries {
		if n.sends != 0 && n.sends.Has(FamilyOf(e.prefix)) {
			s.comparePaths(peer, e, released)
			continue
		}
		want := s.wanted(peer, e)
		if want == nil && len(e.out) == 0 {
			continue
		}
		s.told(e)
		o := &e.out[peer]
		if want.Equal(o.sent) && !(o.again && want != nil) {
			// §9.2: no UPDATE for what the peer knows already. If something waited,
			// it is overtaken.
			n.unwait(o)
			continue
		}
		if n.way != unpaced && !released && s.mustWait(peer, e, want) {
			continue
		}
		n.unwait(o)
		o.sent, o.again = want, false
		if want == nil {
			s.mem.batch.gone = append(s.mem.batch.gone, e.prefix)
		} else {
			s.mem.batch.add(e.prefix, want)
		}
		if n.way == byPrefix {
			s.sent(peer, e, want)
		}
	}
}

// refresh sends those families of the Adj-RIB-Out of peer again. RFC 2918 §4.
func (s *Speaker) refresh(acts []Action, peer PeerID, of Families) []Action {
	if of == 0 {
		return acts
	}
	for _, e := range s.entries {
		if len(e.out) > 0 && e.out[peer].sent != nil && of.Has(FamilyOf(e.prefix)) {
			e.out[peer].again = true
		}
	}
	return s.tell(acts, peer, s.entries)
}

// send turns the batch into UPDATEs: first the withdrawals, then for each set
// of attributes the prefixes that share it, as many to a message as fit.
func (s *Speaker) send(acts []Action, peer PeerID) []Action {
	b := &s.mem.batch
	if len(b.lost)+len(b.found) > 0 {
		onlyGone := len(b.found) == 0
		acts = s.gate(s.sendPaths(acts, peer), peer, onlyGone)
	}
	switch len(b.gone) + len(b.news) {
	case 0:
		return acts
	case 1:
		p, attrs := netip.Prefix{}, (*Attrs)(nil)
		if len(b.gone) > 0 {
			p = b.gone[0]
		} else {
			p, attrs = b.news[0].prefix, b.runs[0].attrs
		}
		return s.gate(append(acts, Action{Kind: ActSend, Peer: peer, Msg: s.single(p, attrs)}), peer, len(b.news) == 0)
	}
	for rest := byFamily(b.gone); len(rest) > 0; {
		n := fit(rest, HeaderLen+4+unreach(rest[0]))
		acts = append(acts, Action{Kind: ActSend, Peer: peer, Msg: update(Update{Withdrawn: append([]netip.Prefix(nil), rest[:n]...)})})
		rest = rest[n:]
	}
	// One piece of memory for all prefixes, in it the runs one after the other.
	nlri := make([]netip.Prefix, len(b.news))
	for i, at := 0, 0; i < len(b.runs); i++ {
		r := &b.runs[i]
		r.at, at = at, at+r.n
		r.n = 0
	}
	for _, w := range b.news {
		r := &b.runs[w.run]
		nlri[r.at+r.n] = w.prefix
		r.n++
	}
	for _, r := range b.runs {
		room := HeaderLen + 4 + r.attrs.size() + reach(nlri[r.at])
		for rest := nlri[r.at : r.at+r.n]; len(rest) > 0; {
			n := fit(rest, room)
			acts = append(acts, Action{Kind: ActSend, Peer: peer, Msg: update(Update{Attrs: r.attrs, NLRI: rest[:n:n]})})
			rest = rest[n:]
		}
	}
	return s.gate(acts, peer, len(b.news) == 0)
}

// fit is how many of the prefixes, from the first on, are of one family and fit
// into a message that has size octets without them. At least one goes:
// attributes that leave no room for it are the wire's to refuse.
func fit(ps []netip.Prefix, size int) int {
	for i := range ps {
		size += prefixes(ps[i : i+1])
		if i > 0 && (size > maxMessage || ps[i].Addr().Is4() != ps[0].Addr().Is4()) {
			return i
		}
	}
	return len(ps)
}

// byFamily brings the prefixes of one family together, those of IPv4 first, and
// leaves their order as it is otherwise.
func byFamily(ps []netip.Prefix) []netip.Prefix {
	if fit(ps, -maxMessage*len(ps)) < len(ps) {
		slices.SortStableFunc(ps, func(a, b netip.Prefix) int { return cmp.Compare(FamilyOf(a), FamilyOf(b)) })
	}
	return ps
}

// unreach and reach are the octets that a withdrawal and an announcement take
// more, beside the prefixes, because they are of p's family.
func unreach(p netip.Prefix) int {
	if p.Addr().Is4() {
		return 0
	}
	return 4 + 3
}

func reach(p netip.Prefix) int {
	if p.Addr().Is4() {
		return 0
	}
	return 4 + reach6 - nextHop4
}

func update(u Update) *Message {
	m := &struct {
		Message
		u Update
	}{Message{Type: MsgUpdate}, u} // one piece of memory for both
	m.Message.Update = &m.u
	return m.Seal()
}

// single is the UPDATE that announces one prefix, or withdraws it if attrs is nil: the
// one made before, if that says the same, as it does when a change is passed on
// to one peer after the other.
func (s *Speaker) single(p netip.Prefix, attrs *Attrs) *Message {
	m := s.mem
	if attrs == nil {
		if m.gone == nil || m.gone.Update.Withdrawn[0] != p {
			m.gone = updateOf(p, nil)
		}
		return m.gone
	}
	t := m.toldBy(s.cfg.AS)
	switch {
	case t.attrs != attrs:
		return updateOf(p, attrs)
	case t.msg == nil || t.msg.Update.Attrs != attrs || t.msg.Update.NLRI[0] != p:
		t.msg = updateOf(p, attrs)
	}
	return t.msg
}

// updateOf announces one prefix, or withdraws it if attrs is nil.
func updateOf(p netip.Prefix, attrs *Attrs) *Message {
	made := &struct { // one piece of memory for all of it
		Message
		u      Update
		prefix [1]netip.Prefix
	}{Message: Message{Type: MsgUpdate}, prefix: [1]netip.Prefix{p}}
	made.Message.Update = &made.u
	if attrs != nil {
		made.u = Update{Attrs: attrs, NLRI: made.prefix[:]}
	} else {
		made.u = Update{Withdrawn: made.prefix[:]}
	}
	return made.Message.Seal()
}

// Advertised is what peer was told about p; nil if nothing: the Adj-RIB-Out.
// What waits for the advertisement timer is not in it yet.
func (s *Speaker) Advertised(peer PeerID, p netip.Prefix) *Attrs {
	if e := s.row(p.Masked()); e != nil && s.known(peer) && len(e.out) > 0 {
		return e.out[peer].sent
	}
	return nil
}

// Waiting is how many prefixes have a change that waits for the advertisement
// timer of peer.
func (s *Speaker) Waiting(peer PeerID) int {
	if !s.known(peer) {
		return 0
	}
	return int(s.peers[peer].waiting)
}

// Interval is the interval that changes for peer wait for, as it was drawn, where
// neither the timer nor the last UPDATE about a prefix tells: of a tick, and where
// the last UPDATE's age is counted in whole units of a clock. 0: it is neither.
func (s *Speaker) Interval(peer PeerID) time.Duration {
	if !s.known(peer) {
		return 0
	}
	switch s.peers[peer].way {
	case byTick:
		return s.beside[peer].pacer.step
	case byAge:
		return s.beside[peer].pacer.interval
	}
	return 0
}
