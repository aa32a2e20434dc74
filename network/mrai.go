package network

import (
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// What an UPDATE waits for before it is sent: MRAI in one of its modes, and the
// wait before the first UPDATE of a session. The speaker keeps the rules (package
// bgp, mrai.go); here is where its values come from, and what is said about a
// wait afterwards.

// mrai is how the end of a session spaces its UPDATEs; the durations are drawn
// for each run.
func mrai(set *topology.Settings) bgp.MRAI {
	m := bgp.MRAI{
		PerPrefix:        set[topology.BGPMRAIScope].Enum == "prefix",
		QuietWithdrawals: !set[topology.BGPMRAIAfterWithdraw].Bool,
		NewAtOnce:        set[topology.BGPMRAINewPrefix].Enum == "exempt",
		Jitter:           ratio(&set[topology.BGPMRAIJitter]),
	}
	switch set[topology.BGPMRAIMode].Enum {
	case "since-last-update":
		m.Mode = bgp.MRAISinceLastUpdate
	case "tick":
		m.Mode = bgp.MRAITick
	case "out-delay":
		m.Mode = bgp.MRAIOutDelay
	}
	switch set[topology.BGPMRAIWithdrawals].Enum {
	case "gated":
		m.Withdrawals = bgp.WithdrawalsGated
	case "flush":
		m.Withdrawals = bgp.WithdrawalsFlush
	}
	return m
}

// intervalKey is the setting that keeps the UPDATEs of s apart.
func (n *Network) intervalKey(s *session) topology.Key {
	if s.config.AS == s.config.PeerAS {
		return topology.BGPMRAIIBGP
	}
	return topology.BGPMRAI
}

// oneMachine is what has a clock if all routers have the same.
var oneMachine = sim.StreamName("machine")

// machineOf is the name of the streams that say how the clocks stand that r has.
func (n *Network) machineOf(r *router) sim.Name {
	if n.opt.OneMachine {
		return oneMachine
	}
	return r.nameRnd
}

// drawMRAI draws for this run what may be random about the spacing of UPDATEs,
// and where the router's clock stands.
func (n *Network) drawMRAI(r *router) {
	for i, id := range r.sessions {
		s := &n.sessions[id]
		set := &n.d.Links[s.link].Ends[s.end].Settings
		m := &r.config.Peers[i].MRAI
		m.Interval = draw(n.k, set, n.intervalKey(s), s.names)
		m.Granularity = draw(n.k, set, topology.BGPMRAIGranularity, s.names)
		m.First = max(draw(n.k, set, topology.BGPFirstUpdate, s.names), r.sleeps())
	}
	clock := n.k.Rand(n.machineOf(r) + 4)
	r.config.Phase = time.Duration(clock.Uint64() % uint64(time.Hour))
}

// jitter is random number k of those that move the ticks of a peer.
func (n *Network) jitter(r *router, peer bgp.PeerID, k uint64) uint64 {
	return n.k.Rand(n.sessions[r.sessions[peer]].name + 1).At(k)
}

// clock is what the speakers' inputs are dated with.
func (n *Network) clock() time.Duration { return n.k.Now().Sub(sim.Time(-n.d.Warmup)) }

// firstUpdate marks, in the Arg of an advertisement timer's event, that it is the
// wait before the first UPDATE of a session.
const firstUpdate = 1 << 32

// setRouteTime does what a speaker asks for with ActRouteTime.
func (n *Network) setRouteTime(r *router, a *bgp.Action) {
	s := &n.sessions[r.sessions[a.Peer]]
	arg := uint64(s.id)
	n.firstIsOver(r, s)
	if a.First {
		arg |= firstUpdate
		n.firstWaits(r, s)
	}
	n.k.Reset(&s.mrai, a.After, sim.Event{To: actorOf(r.id), Kind: evRouteTime, Arg: arg, Phase: sim.PhaseTimer})
}

// routeTimeOf is the session that an event of an advertisement timer is about.
func (n *Network) routeTimeOf(arg uint64) *session { return &n.sessions[arg&(firstUpdate-1)] }

// routeTimeWait names the wait that an advertisement timer ended in event id.
func (n *Network) routeTimeWait(id sim.EventID) Wait {
	ev := &n.log.Events[id-1]
	s := n.routeTimeOf(ev.Arg)
	to := n.d.Links[s.link].Name
	if ev.Arg&firstUpdate != 0 {
		if n.routers[s.router].sleeps() > 0 {
			return n.loopWait(s.router, "the first UPDATE of the session over "+to)
		}
		return n.endWait(s.link, s.end, topology.BGPFirstUpdate, "before the first UPDATE of the session over "+to)
	}
	w := n.endWait(s.link, s.end, n.intervalKey(s), "MRAI towards "+to)
	var start *trace.Note // of an interval that runs from an UPDATE
	switch set := &n.d.Links[s.link].Ends[s.end].Settings; set[topology.BGPMRAIMode].Enum {
	case "tick":
		w.What += " (tick): the next tick of a timer"
		if up := n.lastNote(id, func(x *trace.Note) bool { return s.hasComeUp(x) }); up != nil {
			w.What += fmt.Sprintf(" that runs since the session came up at %.3f s", up.At.Seconds())
		}
	case "out-delay":
		w.What += " (out-delay): how long a route must be unchanged"
		if sent := n.released(id, s); len(sent) > 0 {
			w.What += fmt.Sprintf("; that of %s is since %.3f s", sent[0], n.timeOf(n.Before(id, sent[:1])).Seconds())
		}
	default:
		what := " (since-last-update)"
		if set[topology.BGPMRAIScope].Enum == "prefix" {
			what = " (since-last-update, by prefix)"
		}
		w.What += what
		if start = n.intervalStart(id, s); start != nil {
			w.What += fmt.Sprintf(": since the %s at %.3f s", updateText(start.Msg.Update), start.At.Seconds())
		}
	}
	return n.spreadMRAI(w, s, id, start)
}

// timeOf is when an event of the record happened; set-up is the start of the warm-up.
func (n *Network) timeOf(id sim.EventID) sim.Time {
	if id == 0 {
		return sim.Time(-n.d.Warmup)
	}
	return n.log.Events[id-1].At
}

// lastNote is the last note before event id that is as wanted; nil: there is none.
func (n *Network) lastNote(id sim.EventID, wanted func(*trace.Note) bool) *trace.Note {
	for notes := n.notesBefore(id); len(notes) > 0; notes = notes[:len(notes)-1] {
		if x := &notes[len(notes)-1]; wanted(x) {
			return x
		}
	}
	return nil
}

// hasComeUp tells whether a note says that s is Established.
func (s *session) hasComeUp(x *trace.Note) bool {
	return x.Kind == trace.NoteSession && int(x.Router) == s.router && int(x.Link) == s.link && bgp.State(x.To) == bgp.Established
}

// says tells whether a note is of an UPDATE that s sent, other than End-of-RIB.
func (s *session) says(x *trace.Note) bool {
	return x.Kind == trace.NoteMessage && int(x.Router) == s.router && int(x.Link) == s.link && x.Msg.Type == bgp.MsgUpdate && !x.Msg.Update.EndOfRIB()
}

// updateText is an UPDATE in a few words.
func updateText(u *bgp.Update) string {
	text := func(verb string, ps []netip.Prefix) string {
		s := verb + " " + ps[0].String()
		if len(ps) > 1 {
			s += fmt.Sprintf(" and %d more", len(ps)-1)
		}
		return s
	}
	switch {
	case len(u.NLRI) > 0:
		return text("announcement of", u.NLRI)
	case len(u.Withdrawn) > 0:
		return text("withdrawal of", u.Withdrawn)
	}
	return "End-of-RIB"
}

// notesBefore are the notes that were written before event id.
func (n *Network) notesBefore(id sim.EventID) []trace.Note {
	notes := n.log.Notes
	return notes[:sort.Search(len(notes), func(i int) bool { return notes[i].Event >= id })]
}

// intervalStart is the UPDATE from which the interval ran that was over in event
// id; nil if none is known.
func (n *Network) intervalStart(id sim.EventID, s *session) *trace.Note {
	ev := &n.log.Events[id-1]
	set := &n.d.Links[s.link].Ends[s.end].Settings
	byPrefix := set[topology.BGPMRAIScope].Enum == "prefix"
	quiet := !set[topology.BGPMRAIAfterWithdraw].Bool
	about := n.released(id, s)
	earliest := ev.At.Add(-n.routers[s.router].config.Peers[s.peer].MRAI.Interval)
	var start *trace.Note
	n.lastNote(id, func(x *trace.Note) bool {
		switch {
		case !s.says(x), quiet && len(x.Msg.Update.NLRI) == 0:
			return false
		case !byPrefix:
			start = x
			return set[topology.BGPMRAIGranularity].Dist.Max() > 0 || x.Event <= ev.Cause
		case x.At < earliest:
			return true
		}
		if u := x.Msg.Update; slices.ContainsFunc(about, func(p netip.Prefix) bool { return slices.Contains(u.NLRI, p) || slices.Contains(u.Withdrawn, p) }) {
			start = x
		}
		return false
	})
	return start
}

// released are the prefixes that s sent UPDATEs about in event id.
func (n *Network) released(id sim.EventID, s *session) (ps []netip.Prefix) {
	notes := n.log.Notes
	for i := len(n.notesBefore(id)); i < len(notes) && notes[i].Event == id; i++ {
		if x := &notes[i]; s.says(x) {
			ps = append(append(ps, x.Msg.Update.NLRI...), x.Msg.Update.Withdrawn...)
		}
	}
	return ps
}

// Before is the event that a wait began with, the one that ended in event id.
// Mostly that is its cause, the event that scheduled it. But an advertisement
// timer was perhaps set long before there was anything to say: what it released
// had waited since the route changed; and a decision about many things at once is due
// because of the first of them. Of several prefixes, those count that
// cover one of those that it is about.
func (n *Network) Before(id sim.EventID, about []netip.Prefix) sim.EventID {
	ev := &n.log.Events[id-1]
	switch ev.Kind {
	case evLoop:
		return n.leftBy(id, int(ev.Arg))
	case evDecide:
		return n.newsOf(id, about)
	case evRouteTime:
	default:
		return ev.Cause
	}
	s := n.routeTimeOf(ev.Arg)
	sent := n.released(id, s)
	covers := func(p netip.Prefix) bool { return coversOne(p, about) }
	if slices.ContainsFunc(sent, covers) {
		sent = slices.DeleteFunc(sent, func(p netip.Prefix) bool { return !covers(p) })
	}
	if len(sent) == 0 {
		return ev.Cause
	}
	since := n.lastNote(id, func(x *trace.Note) bool {
		return x.Kind == trace.NoteRoute && int(x.Router) == s.router && slices.Contains(sent, x.Prefix) || s.hasComeUp(x)
	})
	if since == nil {
		return ev.Cause
	}
	return since.Event
}

// coversOne tells whether a route to p is one to any of them.
func coversOne(p netip.Prefix, them []netip.Prefix) bool {
	return slices.ContainsFunc(them, func(q netip.Prefix) bool { return p.Bits() <= q.Bits() && p.Overlaps(q) })
}

// Programmed are the prefixes of which event id changed the forwarding or the
// route table of a router.
func (n *Network) Programmed(id sim.EventID) (ps []netip.Prefix) {
	notes := n.log.Notes
	for i := len(n.notesBefore(id)); i < len(notes) && notes[i].Event == id; i++ {
		if x := &notes[i]; x.Kind == trace.NoteFIB || x.Kind == trace.NoteTable {
			ps = append(ps, x.Prefix)
		}
	}
	return ps
}
