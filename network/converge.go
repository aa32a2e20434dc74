package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
)

// How routing reacts to what happens, in numbers. The run is divided by the
// instants at which the story strikes; all that routing does between two of
// them is the reaction to the first. It is counted prefix by prefix: what was
// said in UPDATEs, what changed in Loc-RIBs, in FIBs and in route tables, and
// when the last of it was. That is less than a causal account (a fault in one
// corner takes the blame for what another corner had not finished), but it is
// what a lab measures, and it needs no record of the run.
//
// Whether a reaction is over when the next fault, or the end of the run, ends
// the count is not guessed from silence: an advertisement may be waiting for
// MRAI, an UPDATE may be on its way, a hold timer may be about to notice what
// nobody has noticed yet. Whatever is certain to go on is looked for, and
// named.

// Reaction is what routing did about one prefix after one event.
type Reaction struct {
	Fault     int // the first fault of that instant; -1: none, the network came up
	At        sim.Time
	Prefix    netip.Prefix // invalid: about none in particular
	Last      sim.Time     // the last change or UPDATE; At when there was none; when the count ended, if more was to come
	LastEvent sim.EventID  // … and the event that it came in; 0: there was none
	Announced int          // times that UPDATEs announced it …
	Withdrawn int          // … and withdrew it, counted where they were sent
	RIB       int          // changes of Loc-RIBs
	FIB       int          // changes of FIBs
	Rows      int          // changes of clouds' route tables
	Over      bool         // nothing more will come of it
	Waits     []string     // what will: the first few
}

// Quiet tells whether nothing happened at all.
func (r *Reaction) Quiet() bool {
	return r.Announced+r.Withdrawn+r.RIB+r.FIB+r.Rows == 0
}

// tally counts reactions. A Network without one counts nothing.
type tally struct {
	list  []Reaction // the one under way begins at from
	from  int
	fault int
	at    sim.Time
	where map[netip.Prefix]int // in list
	last  netip.Prefix         // asked for last, as mostly again …
	slot  int                  // … and where it is
	watch watcher
}

// restart begins the count of a run with what happens while it comes up.
func (t *tally) restart(now sim.Time) {
	t.list = t.list[:0]
	t.watch.event()
	t.begin(-1, now)
}

func (t *tally) begin(fault int, now sim.Time) {
	t.from, t.fault, t.at = len(t.list), fault, now
	if t.where == nil {
		t.where = map[netip.Prefix]int{}
	}
	clear(t.where)
	t.last = netip.Prefix{}
}

// of is the reaction under way about a prefix.
func (t *tally) of(p netip.Prefix) *Reaction {
	if p == t.last && p.IsValid() {
		return &t.list[t.slot]
	}
	i, ok := t.where[p]
	if !ok {
		i = len(t.list)
		t.where[p] = i
		t.list = append(t.list, Reaction{Fault: t.fault, At: t.at, Last: t.at, Prefix: p, Over: true})
	}
	t.last, t.slot = p, i
	return &t.list[i]
}

// faultStrikes ends the count of what came before fault i. Faults of one
// instant are one event.
func (n *Network) faultStrikes(i int) {
	n.activity.since, n.activity.updates, n.look = n.k.Now(), 0, true
	n.forgetTries()
	t := n.tally
	if t == nil || t.fault >= 0 && t.at == n.k.Now() {
		return
	}
	n.closeReactions()
	t.watch.event()
	t.begin(i, n.k.Now())
}

// forgetTries begins to count anew how the sessions fare.
func (n *Network) forgetTries() {
	for i := range n.sessions {
		n.sessions[i].failed, n.sessions[i].downs = 0, 0
	}
}

// warmedUp begins to look for a repetition anew: what happened while the network
// came up says little about how it goes on.
func (n *Network) warmedUp() {
	n.activity.since, n.activity.updates = n.k.Now(), 0
	n.forgetTries()
	if n.tally != nil {
		n.tally.watch.event()
	}
}

// sessionTurned: a session came up or went down, and what was before it does not
// come again.
func (n *Network) sessionTurned() {
	n.look = true
	if n.tally != nil {
		n.tally.watch.restart()
	}
}

// updateSent counts an UPDATE.
func (n *Network) updateSent(u *bgp.Update) {
	if n.activity.updates++; n.activity.updates > n.activity.most {
		n.endRun()
	}
	n.look = n.look || n.truth != nil
	t := n.tally
	if t == nil || u == nil {
		return
	}
	now := n.k.Now()
	for _, p := range u.NLRI {
		r := t.of(p)
		r.Announced++
		r.Last, r.LastEvent = now, n.k.Current()
	}
	for _, p := range u.Withdrawn {
		r := t.of(p)
		r.Withdrawn++
		r.Last, r.LastEvent = now, n.k.Current()
	}
}

// What a change was made in.
type changed uint8

const (
	inRIB changed = iota
	inFIB
	inRows
)

// routingChanged counts a change.
func (n *Network) routingChanged(p netip.Prefix, where changed) {
	if n.tally == nil {
		return
	}
	r := n.tally.of(p)
	r.Last, r.LastEvent = n.k.Now(), n.k.Current()
	switch where {
	case inRIB:
		r.RIB++
		n.tally.watch.ribChanged(r.Last)
		n.look = true
	case inFIB:
		r.FIB++
	case inRows:
		r.Rows++
	}
}

// tableChanges counts a change of a table that is about to be made, if it is one.
func (n *Network) tableChanges(t table, c *change, where changed) {
	if n.tally == nil {
		return
	}
	e, had := t.Get(c.prefix)
	if had != (c.links != nil) || had && !slices.Equal(e.links, c.links) {
		n.routingChanged(c.prefix, where)
	}
}

// maxWaits is how many of the things that a reaction still waits for are named.
const maxWaits = 3

// addWait adds one thing to a list of them, unless it is full or has it.
func addWait(list []string, what func() string) []string {
	if len(list) < maxWaits {
		if s := what(); !slices.Contains(list, s) {
			return append(list, s)
		}
	}
	return list
}

// closeReactions ends the count of the reactions under way: what is left to
// come of them makes them unfinished, and one that was nothing at all is said
// to be just that.
func (n *Network) closeReactions() {
	t := n.tally
	if w := &t.watch; w.found {
		for i := range t.list[t.from:] {
			if r := &t.list[t.from+i]; r.RIB > 0 {
				r.Waits = append(r.Waits, fmt.Sprintf("the state of routing at %.3f s was that of %.3f s again", w.again.Seconds(), w.first.Seconds()))
			}
		}
	}
	n.unfinished(func(p netip.Prefix, what func() string) {
		r := t.of(p)
		r.Over, r.Last = false, n.k.Now()
		r.Waits = addWait(r.Waits, what)
	})
	if len(t.list) == t.from {
		t.of(netip.Prefix{})
	}
	slices.SortFunc(t.list[t.from:], func(a, b Reaction) int { return a.Prefix.Compare(b.Prefix) })
}

// unfinished calls f for everything that is certain to lead to a change of
// routing, or to an UPDATE, if no fault comes in between: with the prefix that
// it is about, invalid where it is about none in particular, and with what it is.
func (n *Network) unfinished(f func(p netip.Prefix, what func() string)) {
	for i := range n.routers {
		r := &n.routers[i]
		for _, c := range r.fibQueue.all() {
			f(c.prefix, func() string { return "the forwarding table of " + r.cfg.Name + " is being programmed" })
		}
		for _, c := range r.tabQueue.all() {
			f(c.prefix, func() string { return "the route table of " + r.cfg.Name + " is being programmed" })
		}
		if !r.alive || r.frozen {
			continue
		}
		for _, u := range r.updates.all() {
			if u.peer != bgp.Local {
				eachPrefix(u.msg, func(p netip.Prefix) {
					f(p, func() string { return r.cfg.Name + " has an UPDATE to process" })
				})
			}
		}
		r.speaker.EachUndecided(func(p netip.Prefix) {
			f(p, func() string { return r.cfg.Name + " has yet to decide about what it has heard" })
		})
		r.speaker.EachStale(func(peer bgp.PeerID, p netip.Prefix) {
			f(p, func() string {
				s := &n.sessions[r.sessions[peer]]
				return fmt.Sprintf("%s keeps a stale route over %s", r.cfg.Name, n.d.Links[s.link].Name)
			})
		})
		if r.speaker.Deferring() {
			f(netip.Prefix{}, func() string { return r.cfg.Name + " has not chosen its routes yet" })
		}
		r.speaker.EachWaiting(func(peer bgp.PeerID, p netip.Prefix, first bool) {
			f(p, func() string {
				link := n.d.Links[r.ways[peer]].Name
				if first {
					return fmt.Sprintf("%s has not sent its first UPDATE over %s yet", r.cfg.Name, link)
				}
				return fmt.Sprintf("%s may not advertise over %s yet (MRAI)", r.cfg.Name, link)
			})
		})
		r.speaker.EachDamped(func(peer bgp.PeerID, p netip.Prefix) {
			f(p, func() string {
				return fmt.Sprintf("%s does not use a route over %s yet that has flapped", r.cfg.Name, n.d.Links[r.ways[peer]].Name)
			})
		})
	}
	for i := range n.sessions {
		s := &n.sessions[i]
		if _, pending := n.k.When(s.hop); pending {
			f(netip.Prefix{}, func() string {
				return fmt.Sprintf("next-hop tracking of %s over %s has yet to react", n.d.Routers[s.router].Name, n.d.Links[s.link].Name)
			})
		}
	}
	for _, c := range n.conns {
		for e := range 2 {
			n.undelivered(c, e, f)
		}
	}
	for i := range n.sessions {
		n.unnoticed(&n.sessions[i], f)
	}
}

// undelivered looks for UPDATEs that one side of a connection has sent and the
// other has not read.
func (n *Network) undelivered(c *conn, from int, f func(netip.Prefix, func() string)) {
	t, o := &c.side[from], &c.side[1-from]
	if t.state == tcpClosed || t.session < 0 || o.state == tcpClosed || o.session < 0 {
		return
	}
	reader := &n.sessions[o.session]
	if reader.m.State() != bgp.Established || n.routers[reader.router].frozen {
		return
	}
	for i, m := range t.out {
		if t.una+uint32(i) < o.rcv {
			continue // read; only its acknowledgement is missing
		}
		eachPrefix(m, func(p netip.Prefix) {
			f(p, func() string {
				s := &n.sessions[t.session]
				return fmt.Sprintf("an UPDATE from %s is on its way over %s", n.d.Routers[s.router].Name, n.d.Links[s.link].Name)
			})
		})
	}
}

// eachPrefix calls f for every prefix that a message says something about.
func eachPrefix(m *bgp.Message, f func(netip.Prefix)) {
	if m == nil || m.Update == nil {
		return
	}
	for _, p := range m.Update.NLRI {
		f(p)
	}
	for _, p := range m.Update.Withdrawn {
		f(p)
	}
}

// hopeless is how many OPENs in a row that come to nothing make a session one that
// does not come up: two ends that do not agree about something.
const hopeless = 2

// flapping is how often a session goes down after one event to be one that will
// again, as one whose keepalives are too slow for its hold time does.
const flapping = 3

// waitsInVain tells whether a session over a link waits for BFD, which waits for
// somebody to begin.
func (n *Network) waitsInVain(l *link) bool {
	for e := range 2 {
		b, ok := n.BFD(l.id, e)
		o, too := n.BFD(l.id, 1-e)
		if ok && b.AwaitsUp && (!too || b.Passive && o.Passive) {
			return true
		}
	}
	return false
}

// unnoticed looks at a session that stands although its peer is no longer to be
// heard, until the hold timer ends it, and at one that is down although nothing
// keeps its ends from each other, until a timer starts it.
func (n *Network) unnoticed(s *session, f func(netip.Prefix, func() string)) {
	l, r := &n.links[s.link], &n.routers[s.router]
	o := &n.sessions[l.sessions[1-s.end]]
	far := &n.routers[o.router]
	if !r.alive || r.frozen {
		return
	}
	if s.downs >= flapping {
		f(netip.Prefix{}, func() string {
			return fmt.Sprintf("the session of %s over %s has gone down %d times, and will again", r.cfg.Name, l.cfg.Name, s.downs)
		})
	}
	gone := !far.alive || far.frozen
	if s.m.State() != bgp.Established {
		if s.end == 0 && s.failed < hopeless && o.failed < hopeless && !n.waitsInVain(l) && !gone && !s.shut && !o.shut && !s.m.Stopped() && !o.m.Stopped() && !(s.config.Passive && o.config.Passive) && n.clear(l) {
			f(netip.Prefix{}, func() string { return "the session over " + l.cfg.Name + " is yet to come up" })
		}
		return
	}
	watched := n.bfdWillNotice(l, s.end)
	if s.m.Hold() == 0 && !watched || !gone && o.m.State() == bgp.Established && n.passes(l, 1-s.end) {
		return
	}
	what := func() string {
		if watched {
			return fmt.Sprintf("BFD of %s over %s is yet to notice", r.cfg.Name, l.cfg.Name)
		}
		return fmt.Sprintf("the hold timer of %s over %s is running out", r.cfg.Name, l.cfg.Name)
	}
	none := true
	for _, p := range r.speaker.Prefixes() {
		if r.speaker.Received(s.peer, p) != nil {
			f(p, what)
			none = false
		}
	}
	if none {
		f(netip.Prefix{}, what)
	}
}

// passes tells whether what end e of a link sends is taken in at the other end.
func (n *Network) passes(l *link, e int) bool {
	out, _ := l.leaves(e)
	in, _ := l.enters(1 - e)
	return out == passed && in == passed
}

// clear tells whether a link is configured at both ends, and its path open.
func (n *Network) clear(l *link) bool {
	for e := range 2 {
		if why, _ := l.crosses(e); why != passed || !l.ends[e].here {
			return false
		}
	}
	return true
}
