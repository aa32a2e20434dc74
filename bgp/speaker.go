package bgp

import (
	"net/netip"
	"slices"
	"time"
)

// Speaker is the routing of one router: everything between the UPDATEs of its
// neighbours and the routes that it uses and passes on. RFC 4271 §9.
//
// An input changes rows of the table (rib.go, after import policy, policy.go)
// and marks them dirty; then every dirty row is decided anew (decide.go), each
// change of a route is reported, and what the peers should be told is compared
// with what they know (advertise.go). Nothing is ever scanned for one prefix.
//
// Its timers are the peers' advertisement timers, and those of routes that are kept
// or held back (stale.go, damping.go); whether a peer is reachable is the business
// of its Session.
type Speaker struct {
	// What nearly every input looks at stands together: with 70,000 routers, each
	// line of memory that one of them touches has to be fetched.
	mem      *Memory
	now      time.Duration // of the input
	peers    []neighbour
	entries  []*entry // in the order of their first appearance; behind len lie spares
	settled  bool
	together bool // news waits for InDecide (together.go)
	defers   bool // the choice of routes is deferred (stale.go)
	steady   bool // no rule asks what was best before
	uniform  bool // towards all peers we have the same address, hop, which is none of theirs, and only that
	duels    bool // one path is used, and the rules are a total order of paths without MED (duel.go)
	brief    bool // SpeakerConfig.BriefRoutes
	several  bool // many is there
	damping  bool // what some peers say is damped (damping.go)
	// appraised is how many of the first rules Path.merit stands for.
	appraised uint8
	lengthAt  lengthField
	selection uint8 // the timer of a choice that is deferred
	paying    int32 // peers who may be told of routes from a peer or a provider (tellAll)
	hop       netip.Addr
	since     map[*entry]time.Duration // when its best route became that, if a peer has an out-delay; else nil
	table     map[netip.Prefix]*entry  // of the entries, when there are more than a few
	first     entry                    // the memory of the first row: many routers of large simulations have no other
	cfg       SpeakerConfig

	beside    []beside          // of each peer
	hops      []netip.Addr      // our own addresses, sorted, unless uniform
	damped    []*flap           // the routes that are suppressed
	own       *Source           // of our own routes
	undecided []undecided       // the rows that wait for InDecide
	stamp     uint64            // of the input, if together
	flaps     map[flapKey]*flap // of the routes that have flapped
	reuse     time.Duration     // what the timer of ActReuseTime is set for; 0: it does not run

	many    []*manyPaths       // by peer: those with add-path; nil: there are none
	pathIDs map[pathKey]uint32 // what paths are called towards all peers

	_ [8]byte // whole lines of memory
}

// NewSpeaker returns a speaker whose peers are all down.
func NewSpeaker(cfg SpeakerConfig) *Speaker {
	s := &Speaker{}
	s.Reset(cfg)
	return s
}

// Reset makes s what NewSpeaker(cfg) returns, but keeps the memory. Routes and
// paths that s gave out before stay as they are.
func (s *Speaker) Reset(cfg SpeakerConfig) {
	if !cfg.Cluster.IsValid() {
		cfg.Cluster = cfg.ID // "the router id of the route reflector is used by default". RFC 4456 §7
	}
	s.cfg = cfg
	switch {
	case cfg.Memory != nil:
		s.mem = cfg.Memory
	case s.mem == nil:
		s.mem = &Memory{}
	}
	if n := len(cfg.Peers); n <= cap(s.peers) {
		s.peers, s.beside = s.peers[:n], s.beside[:n]
	} else {
		s.peers, s.beside = s.mem.neighbours.take(n), s.mem.besides.take(n)
	}
	s.hops, s.hop, s.uniform, s.paying, s.damping = s.hops[:0], netip.Addr{}, true, 0, false
	for i := range s.peers {
		p, b := &s.peers[i], &s.beside[i]
		c := cfg.Peers[i]
		if c.PeerGroup == nil {
			c.PeerGroup = &PeerGroup{}
		}
		*p = neighbour{group: c.PeerGroup, source: p.source, external: c.AS != cfg.AS, way: c.MRAI.pacing()}
		p.plain = p.external && !s.cfg.LongLived && p.group.exportsAll()
		if !p.group.Role.paysNothing() || p.way > byTimer {
			s.paying++
		}
		*b = beside{pacer: b.pacer, rank: int32(len(cfg.Order) + i)}
		own := cfg.local(c)
		if i == 0 {
			s.hop = own
		}
		s.uniform = s.uniform && own == s.hop && own != c.Addr && !c.AlsoLocal.IsValid() && !c.AlsoAddr.IsValid()
		s.damping = s.damping || c.Damping != nil
	}
	if !s.uniform {
		s.hops = cfg.addresses(s.hops)
	}
	ordered, steady := cfg.Rules.properties()
	s.duels, s.steady, s.brief = ordered && cfg.Multipath < 2, steady, cfg.BriefRoutes
	s.appraised = cfg.Rules.appraised()
	s.lengthAt = cfg.Rules[:s.appraised].lengthField()
	for i, p := range cfg.Order { // a peer that the order does not name comes after those it does
		if p >= 0 && int(p) < len(s.peers) && s.beside[p].rank >= int32(len(cfg.Order)) {
			s.beside[p].rank = int32(i)
		}
	}
	clear(s.table)
	s.entries, s.first = s.entries[:0], entry{in: s.first.in[:0], out: s.first.out[:0]}
	s.settled = false
	s.together, s.undecided = cfg.Together, s.undecided[:0]
	clear(s.flaps)
	s.damped, s.reuse = s.damped[:0], 0
	s.defers, s.selection = false, 0
	s.many, s.pathIDs, s.several = nil, nil, false
	s.mem.answer = nil
	s.mem.prune()
	s.pace()
}

// Step takes one input about peer (Local for what concerns the router itself)
// and appends what is to be done. An input that names no known peer, or comes
// from one that is not up, does nothing.
func (s *Speaker) Step(acts []Action, peer PeerID, in Input) []Action {
	s.mem.prune()
	s.now = in.Now
	if s.together {
		s.stamp = in.Stamp
	}
	switch in.Kind {
	case InOriginate:
		s.originate(peer, in)
		return s.run(acts)
	case InWithdraw:
		if s.static(peer) {
			s.forget(peer, in.Prefix, 0)
		}
		return s.run(acts)
	case InDecide:
		return s.decideAll(acts)
	case InReuseTime:
		return s.reuseTime(acts)
	case InSettle:
		s.settled = true
		return acts
	case InRestart:
		return s.deferChoice(acts)
	case InStaleTime:
		if peer == Local || s.known(peer) {
			return s.timeUp(acts, peer, in.Timer, in.Stamp)
		}
		return acts
	}
	if peer < 0 || int(peer) >= len(s.peers) {
		return acts
	}
	switch n := &s.peers[peer]; in.Kind {
	case InPeerUp:
		if n.up { // that session is no more
			acts = s.down(acts, peer, false, in.Stamp)
		}
		return s.up(acts, peer, in.Open)
	case InPeerDown:
		return s.down(acts, peer, in.Graceful, in.Stamp)
	case InUpdate:
		switch m := in.Msg; {
		case !n.up || m == nil:
		case m.Update != nil:
			return s.armReuse(s.run(s.update(acts, peer, m.Update, in.Stamp)))
		case m.Refresh != nil: // of other families than those agreed it is ignored. RFC 2918 §4
			return s.refresh(acts, peer, FamiliesOf([]Family{*m.Refresh})&n.families)
		}
	case InRouteTime:
		if n.up {
			return s.routeTime(acts, peer)
		}
	case InNextHop:
		return s.nextHop(acts, peer, in.Reachable)
	case InRefresh:
		if n.up {
			return s.refresh(acts, peer, n.families)
		}
	}
	return acts
}

// localAttrs are those of every route that the router originates. NEXT_HOP is
// filled in on export.
var localAttrs = &Attrs{Origin: OriginIGP}

// localWeight is what Cisco IOS and FRR give to routes of the router itself.
const localWeight = 32768

// originate adds a route of the router itself (peer is Local), or a static one.
func (s *Speaker) originate(peer PeerID, in Input) {
	prefix := in.Prefix.Masked()
	if !prefix.IsValid() || !s.static(peer) {
		return
	}
	e := s.entryOf(prefix)
	if _, ok := e.find(peer); ok {
		return
	}
	source, attrs := s.source(peer), localAttrs
	if peer != Local {
		attrs = staticAttrs
		*s.peers[peer].announces(prefix)++
	}
	s.put(e, arrival{peer: peer, raw: attrs, path: s.newPath(Path{Source: source, Attrs: attrs, Age: s.second(s.now), Stamp: in.Stamp}, RuleNone, nil)})
	s.touch(e, peer)
}

// second is what the router's clock shows.
func (s *Speaker) second(now time.Duration) uint64 { return uint64((now + s.cfg.Phase) / time.Second) }

// sourceIs returns a Source that says what want says: old, if it does.
func (m *Memory) sourceIs(old *Source, want Source) *Source {
	if old != nil && *old == want {
		return old
	}
	made := &m.sources.take(1)[0]
	*made = want
	return made
}

// source is what the paths of peer, in the session that it has now, have in
// common.
func (s *Speaker) source(peer PeerID) *Source {
	if peer == Local {
		s.own = s.mem.sourceIs(s.own, Source{Peer: Local, PeerBGPID: BGPIDOf(s.cfg.ID), Weight: localWeight, Rank: -1})
		return s.own
	}
	n := &s.peers[peer]
	if !n.sourced {
		n.sourced = true
		b, cfg := &s.beside[peer], s.cfg.Peers[peer]
		want := Source{Peer: peer, External: n.external && !cfg.Static, Role: cfg.Role, PeerAddr: cfg.Addr, Client: cfg.Client,
			Direct: cfg.Direct, Static: cfg.Static, Weight: cfg.Weight, IGPMetric: cfg.IGPMetric, Rank: b.rank}
		if b.open != nil {
			want.PeerBGPID = BGPIDOf(b.open.ID)
		}
		n.source = s.mem.sourceIs(n.source, want)
	}
	return n.source
}

// update takes an UPDATE apart. RFC 4271 §9.
func (s *Speaker) update(acts []Action, peer PeerID, u *Update, stamp uint64) []Action {
	n := &s.peers[peer]
	if u.EndOfRIB() {
		of := u.Families()
		n.eor |= of & n.families
		switch {
		case n.absence == present:
		case n.spoken():
			acts = s.sweep(acts, peer) // RFC 4724 §4.2: "it MUST immediately remove any routes from the peer that are still marked as stale"
		default:
			s.drop(peer, of) // "… for that address family"
		}
		return s.chooseWhenAllHaveSpoken(acts)
	}
	if u.Families()&^n.families != 0 {
		return acts // not agreed: no such route was ever wanted
	}
	for i, p := range u.Withdrawn {
		// A prefix in both fields is taken "as though the WITHDRAWN ROUTES do not
		// contain the address prefix". RFC 4271 §4.3
		if len(u.NLRI) == 0 || !slices.Contains(u.NLRI, p) || u.Extra.withdrawn(i) != 0 {
			s.forget(peer, p, u.Extra.withdrawn(i))
		}
	}
	if u.Attrs == nil {
		return acts
	}
	for i, p := range u.NLRI {
		acts = s.learn(acts, peer, p, u.Extra.nlri(i), u.Attrs, stamp)
	}
	return acts
}

// learn writes one announced route into the Adj-RIB-In.
func (s *Speaker) learn(acts []Action, peer PeerID, prefix netip.Prefix, id uint32, raw *Attrs, stamp uint64) []Action {
	e := s.row(prefix)
	if e == nil { // perhaps it is not written as it should be
		if prefix = prefix.Masked(); !prefix.IsValid() {
			return acts
		}
		e = s.row(prefix)
	}
	n := &s.peers[peer]
	count := n.announces(prefix)
	i, known := 0, false
	if e != nil {
		i, known = e.findPath(peer, id)
	}
	if known && e.in[i].raw.Equal(raw) && !(e.in[i].stale && e.in[i].path.Attrs.LongLived()) {
		if e.in[i].stale {
			e.in[i].stale = false
			n.stale--
		}
		return acts // said before: neither older nor newer for it
	}
	if d := s.damps(peer); d != nil && known && !e.in[i].raw.Equal(raw) {
		s.flapped(d, peer, prefix, penaltyAttributes)
	}
	source := s.sourceOf(peer, id)
	attrs, bar := s.admit(peer, source.External, prefix, raw)
	switch counted := known && e.in[i].counts(); {
	case counted && bar == RuleLoop:
		*count--
	case !counted && bar != RuleLoop:
		if limit := n.group.MaxPrefixes; limit > 0 && int(*count) >= limit {
			// RFC 4271 §6.7: the prefix is discarded, and the session is to end.
			if !n.excess {
				n.excess = true
				acts = append(acts, Action{Kind: ActMaxPrefixes, Peer: peer})
			}
			if !n.group.LimitWarns {
				return acts
			}
		}
		*count++
	}
	switch {
	case e == nil:
		e = s.entryOf(prefix)
	case !known:
	case e.in[i].stale:
		n.stale--
	}
	if bar == RuleNone || known && e.in[i].bar == RuleNone {
		s.touch(e, peer)
	}
	var was *Path
	if known && e.in[i].bar == RuleNone {
		was = e.in[i].path
	}
	s.putAt(e, i, known, arrival{peer: peer, raw: raw, bar: bar, path: s.newPath(Path{Source: source, Attrs: attrs, Age: s.second(s.now), Stamp: stamp}, bar, was)})
	return acts
}

// forget removes what peer said about a prefix.
func (s *Speaker) forget(peer PeerID, prefix netip.Prefix, id uint32) {
	e := s.row(prefix.Masked())
	if e == nil {
		return
	}
	i, ok := e.findPath(peer, id)
	if !ok {
		return
	}
	if d := s.damps(peer); d != nil {
		s.flapped(d, peer, e.prefix, penaltyWithdrawal)
	}
	if peer != Local {
		s.discard(e, i)
		return
	}
	s.remove(e, i)
	s.touch(e, Local)
}

// up begins a session: the peer gets everything, then End-of-RIB.
func (s *Speaker) up(acts []Action, peer PeerID, open *Open) []Action {
	n := &s.peers[peer]
	n.up, n.sourced, n.opening = true, false, true
	n.families = n.group.families() & offered(open)
	s.agreeOnPaths(peer, open)
	if n.absence != present {
		acts = s.run(s.back(acts, peer, open))
	}
	s.beside[peer].open = open
	if first := n.group.MRAI.First; first > 0 {
		n.gated = true
		acts = append(acts, Action{Kind: ActRouteTime, Peer: peer, After: first, First: true})
	}
	if s.defers {
		return s.chooseWhenAllHaveSpoken(acts)
	}
	return s.greet(acts, peer)
}

// endOfRIB is an UPDATE without any route, for each family. RFC 4724 §2: with
// "no reachable NLRI and empty withdrawn NLRI" for IPv4, and otherwise one that
// "contains only the MP_UNREACH_NLRI attribute with no withdrawn routes".
var endOfRIB = [...]*Message{
	WithIPv4: (&Message{Type: MsgUpdate, Update: &Update{}}).Seal(),
	WithIPv6: (&Message{Type: MsgUpdate, Update: &Update{Extra: &Extra{Ends: WithIPv6}}}).Seal(),
}

// down ends a session: what the peer was told is forgotten, and what it said,
// unless it is to be kept for a peer that restarts. Without a session it ends the
// wait for one.
func (s *Speaker) down(acts []Action, peer PeerID, graceful bool, stamp uint64) []Action {
	n := &s.peers[peer]
	if !n.up {
		if n.absence != present {
			acts = s.run(s.sweep(acts, peer))
		}
		return acts
	}
	if n.gated {
		acts = append(acts, Action{Kind: ActNoRouteTime, Peer: peer})
	}
	old, b := *n, &s.beside[peer]
	*n = neighbour{group: n.group, external: n.external, way: n.way, source: n.source, unreachable: n.unreachable, clocks: n.clocks}
	open := b.open
	*b = beside{pacer: b.pacer.fresh(), rank: b.rank}
	for _, e := range s.entries {
		if len(e.out) > 0 {
			e.out[peer] = departure{}
		}
	}
	restart, long, ok := s.cfg.Peers[peer].Helper.keeps(open)
	if graceful && ok && restart+long > 0 && old.absence != tooLate {
		b.open, n.prefix, n.stale, n.absence, n.families = open, old.prefix, old.stale, old.absence, old.families
		return s.run(s.keep(acts, peer, restart, long, stamp))
	}
	acts = s.sweep(acts, peer) // its timers
	for _, e := range s.entries {
		for from, to := e.span(peer); from < to; to-- {
			s.remove(e, to-1)
			s.touch(e, peer)
		}
	}
	return s.run(acts)
}

// run has routes chosen for every dirty row: at once, or together with what else
// there will be news about.
func (s *Speaker) run(acts []Action) []Action {
	if s.together {
		return s.gather(acts)
	}
	return s.decideDirty(acts)
}

// decideDirty decides about every dirty row, reports the routes that changed and
// tells the peers.
func (s *Speaker) decideDirty(acts []Action) []Action {
	dirty := s.mem.dirty
	if s.defers {
		dirty = s.undeferred(dirty)
	}
	var all []*entry
	if s.several {
		all = slices.Clone(dirty) // whose best path is the same, and others not
	}
	changed := dirty[:0]
	for _, e := range dirty {
		e.dirty = false
		best := e.best
		news := s.reconsider(e)
		if s.since != nil && e.best != best {
			s.since[e] = s.now
		}
		if !news {
			continue
		}
		acts = append(acts, Action{Kind: ActRoute, Route: s.report(e)})
		changed = append(changed, e)
	}
	s.mem.dirty = dirty[:0]
	if len(changed)+len(all) == 0 {
		return acts
	}
	if len(changed) == 1 && !s.several {
		return s.tellAll(acts, changed)
	}
	for i := range s.peers {
		if s.peers[i].up && s.peers[i].sends != 0 {
			acts = s.tell(acts, PeerID(i), all)
		} else if s.peers[i].up {
			acts = s.tell(acts, PeerID(i), changed)
		}
	}
	return acts
}

// report is what an ActRoute says about e.
func (s *Speaker) report(e *entry) *Route {
	switch {
	case s.brief && e.route == nil:
		s.mem.brief = append(s.mem.brief, briefRoute{Route: Route{Prefix: e.prefix, Best: e.best, Candidates: int(e.cands)}, one: [1]*Path{e.best}})
		made := &s.mem.brief[len(s.mem.brief)-1]
		if e.best != nil {
			made.Used = made.one[:]
		}
		return &made.Route
	case e.best == nil:
		return &Route{Prefix: e.prefix}
	}
	return s.current(e)
}

// briefRoute is a Route in which one path is used, and memory for that.
type briefRoute struct {
	Route
	one [1]*Path
}

// reconsider runs the decision process for one row and tells whether there is
// news: another best path, another set of used ones, or other attributes. That
// only the runner-up changed is kept for Explain but is no news.
func (s *Speaker) reconsider(e *entry) bool {
	old := e.best
	st := standing{best: nobody, settled: s.settled}
	if old != nil {
		st.best = old.Peer
	}
	if e.cands == 0 {
		e.best, e.versus, e.route, e.st = nil, nil, nil, standing{best: nobody}
		return old != nil
	}
	if s.duels && e.meds == 0 {
		s.duel(e, st)
		return old == nil || old.Peer != e.best.Peer || !old.Attrs.Equal(e.best.Attrs)
	}
	before := s.current(e)
	s.mem.cands = e.candidates(s.mem.cands[:0])
	d := s.decide(s.mem.cands, st)
	if before == nil || e.best != d.best || e.versus != d.versus || before.Rule != d.rule ||
		before.Candidates != int(e.cands) || !slices.Equal(before.Used, d.used) {
		e.best, e.versus = d.best, d.versus
		e.route = s.newRoute(e, d.rule, d.used...)
	}
	e.st, e.ranked = st, false
	return before == nil || !slices.EqualFunc(before.Used, d.used, func(a, b *Path) bool {
		return a.Peer == b.Peer && a.Attrs.Equal(b.Attrs)
	})
}

// current is the route of e. Where only one path is used, it is not made before
// somebody asks.
func (s *Speaker) current(e *entry) *Route {
	if e.route == nil && e.best != nil {
		rule := RuleOnly
		if e.versus != nil {
			_, rule = s.cfg.Rules.compare(e.best, e.versus, e.st)
		}
		e.route = s.newRoute(e, rule, e.best)
	}
	return e.route
}

func (s *Speaker) newRoute(e *entry, rule Rule, used ...*Path) *Route {
	made := &briefRoute{Route: Route{Prefix: e.prefix, Best: e.best, Rule: rule, Versus: e.versus, Candidates: int(e.cands)}}
	made.Used = append(made.one[:0:1], used...) // one path, the usual case, needs no memory of its own
	s.mem.keep(e.best)
	for _, p := range made.Used {
		s.mem.keep(p)
	}
	if e.versus != nil {
		s.mem.keep(e.versus)
	}
	return &made.Route
}

// Route is the route that is used for p, or nil if there is none. Nobody may
// change it.
func (s *Speaker) Route(p netip.Prefix) *Route {
	if e := s.row(p.Masked()); e != nil {
		return s.current(e)
	}
	return nil
}

// Prefixes lists the prefixes that have a route, sorted.
func (s *Speaker) Prefixes() []netip.Prefix {
	var ps []netip.Prefix
	for _, e := range s.entries {
		if e.best != nil {
			ps = append(ps, e.prefix)
		}
	}
	slices.SortFunc(ps, netip.Prefix.Compare)
	return ps
}

// Received is what peer announced about p, before import policy; nil if
// nothing: the Adj-RIB-In.
func (s *Speaker) Received(peer PeerID, p netip.Prefix) *Attrs {
	if e := s.row(p.Masked()); e != nil {
		if i, ok := e.find(peer); ok {
			return e.in[i].raw
		}
	}
	return nil
}

// EndOfRIB tells whether peer has said everything that it had to say when the
// session came up.
func (s *Speaker) EndOfRIB(peer PeerID) bool {
	return s.known(peer) && s.peers[peer].up && s.peers[peer].spoken()
}

func (s *Speaker) known(peer PeerID) bool { return peer >= 0 && int(peer) < len(s.peers) }
