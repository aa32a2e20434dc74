package export

// Chrome trace JSON, which opens in Perfetto (ui.perfetto.dev) and in
// chrome://tracing. Each router is a process; its lanes are its sessions, its
// ends of tunnels, its routes. The story, the links and the probes are
// processes of their own. States are spans, faults and losses are instants, and
// an arrow leads from a message sent to the same message received.
//
// Arrows need to know when a message arrived. Only the packets of the log say
// so: without trace.Log.Capture there are none.
//
// Timestamps are microseconds with three decimals, so exact to the nanosecond.
// Viewers want them to be positive: a log that begins before time zero (the
// warm-up) is moved to begin at 0, a mark named "time zero" shows where the run
// has its own, and at_s in the arguments is the instant as the run counts it.

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/vpnsim/vpnsim/bfd"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
	"github.com/vpnsim/vpnsim/vpn"
)

// WriteTrace writes the run as a picture.
func WriteTrace(w io.Writer, log *trace.Log, kindName KindName) error {
	p := picture{log: log, kindName: kindName, byKey: map[laneKey]int{}}
	p.from, p.to = extent(log)
	p.instant(pidStory, laneFaults, 0, "", sim.Time(0), "time zero", "g", nil)
	for _, i := range notesByEvent(log) {
		p.note(&log.Notes[i])
	}
	for i := range p.lanes {
		p.close(&p.lanes[i], p.to)
	}
	p.arrows()
	p.marks()

	buf := bufio.NewWriter(w)
	fmt.Fprint(buf, `{"displayTimeUnit":"ms","traceEvents":[`)
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	for i, e := range append(p.names(), p.events...) {
		line.Reset()
		if err := enc.Encode(e); err != nil {
			return fmt.Errorf("trace: %w", err)
		}
		if i > 0 {
			buf.WriteByte(',')
		}
		buf.WriteByte('\n')
		buf.Write(bytes.TrimRight(line.Bytes(), "\n"))
	}
	fmt.Fprint(buf, "\n]}\n")
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	return nil
}

// extent is the first and the last instant of a log; time zero is in it.
func extent(log *trace.Log) (from, to sim.Time) {
	see := func(t sim.Time) { from, to = min(from, t), max(to, t) }
	for i := range log.Events {
		see(log.Events[i].At)
	}
	for i := range log.Notes {
		see(log.Notes[i].At)
	}
	for i := range log.Packets {
		if see(log.Packets[i].At); !log.Packets[i].Lost {
			see(log.Packets[i].Arrive)
		}
	}
	return from, to
}

// Processes. A router's is pidRouters plus its number.
const (
	pidStory = 1 + iota
	pidProbes
	pidLinks
	pidRouters = 10
)

// laneKind orders the lanes of a process.
type laneKind uint8

const (
	laneFaults laneKind = iota
	laneLink
	laneForwarding

	laneTunnel
	laneIKE
	laneBFD
	laneSession
	laneMessages
	laneAdvertise
	laneRoute
	laneTable
	laneFIB
	laneLosses
)

var laneNames = [...]string{
	laneFaults: "faults", laneLink: "link", laneForwarding: "forwarding of",
	laneTunnel: "tunnel", laneIKE: "IKE over", laneBFD: "BFD over", laneSession: "session over", laneMessages: "messages over",
	laneAdvertise: "MRAI towards", laneRoute: "route to", laneTable: "route table:", laneFIB: "forwarding table:", laneLosses: "losses",
}

type laneKey struct {
	pid    int
	kind   laneKind
	index  int64
	prefix netip.Prefix
}

// lane is a thread of a process.
type lane struct {
	key   laneKey
	what  string // the link, prefix or probe that it is about
	open  int    // the span that has not ended yet: events[open-1]; 0: none
	since sim.Time
	marks []mark
}

// mark is a message sent or received: too short to be seen as a span, but an
// arrow needs one to start from and one to end at.
type mark struct {
	at   sim.Time
	name string
	args *traceArgs
	flow int // the arrow; 0: none
	end  bool
}

// micros is an instant or a length in microseconds.
type micros int64

func (m micros) MarshalJSON() ([]byte, error) { return appendDecimal(nil, int64(m), 1000, 3), nil }

type traceEvent struct {
	Name  string     `json:"name"`
	Cat   string     `json:"cat,omitempty"`
	Ph    string     `json:"ph"`
	Ts    micros     `json:"ts"`
	Dur   *micros    `json:"dur,omitempty"`
	Pid   int        `json:"pid"`
	Tid   int        `json:"tid"`
	ID    int        `json:"id,omitempty"`
	Bp    string     `json:"bp,omitempty"`
	Scope string     `json:"s,omitempty"`
	Args  *traceArgs `json:"args,omitempty"`
}

type traceArgs struct {
	Name    string      `json:"name,omitempty"`       // metadata
	Sort    *int        `json:"sort_index,omitempty"` // metadata
	At      *seconds    `json:"at_s,omitempty"`
	Words   string      `json:"words,omitempty"`
	Event   sim.EventID `json:"event,omitempty"`
	Kind    string      `json:"kind,omitempty"`
	Cause   sim.EventID `json:"cause,omitempty"`
	Because sim.EventID `json:"because,omitempty"`
}

type picture struct {
	log      *trace.Log
	kindName KindName
	from, to sim.Time
	events   []traceEvent
	lanes    []lane
	byKey    map[laneKey]int
}

// lane finds a lane or begins it. Its thread id is its number, counted over
// all processes, so that no two lanes of a viewer can be taken for one.
func (p *picture) lane(pid int, kind laneKind, index int64, prefix netip.Prefix, what string) int {
	k := laneKey{pid, kind, index, prefix}
	i, ok := p.byKey[k]
	if !ok {
		i = len(p.lanes)
		p.byKey[k] = i
		p.lanes = append(p.lanes, lane{key: k, what: what, since: p.from})
	}
	return i
}

func (p *picture) ts(t sim.Time) micros { return micros(t - p.from) }

// args say where a note comes from.
func (p *picture) args(n *trace.Note) *traceArgs {
	s := seconds(n.At)
	a := &traceArgs{At: &s, Words: words(p.log, n), Event: n.Event, Because: n.Because}
	if i := int(n.Event) - 1; i >= 0 && i < len(p.log.Events) {
		e := &p.log.Events[i]
		a.Kind, a.Cause = p.kindName.of(e.To, e.Kind), e.Cause
	}
	return a
}

// instant shows something that has no length.
func (p *picture) instant(pid int, kind laneKind, index int64, what string, at sim.Time, name, scope string, args *traceArgs) {
	l := p.lane(pid, kind, index, netip.Prefix{}, what)
	p.events = append(p.events, traceEvent{Name: name, Cat: laneNames[kind], Ph: "i", Ts: p.ts(at), Pid: pid, Tid: l + 1, Scope: scope, Args: args})
}

// span ends what a lane shows and begins something else; an empty name begins
// nothing. before is what the lane showed until its first change.
func (p *picture) span(li int, at sim.Time, before, name string, args *traceArgs) {
	l := &p.lanes[li]
	if l.open == 0 && before != "" && l.since == p.from && at > p.from {
		p.begin(l, li, p.from, before, nil)
	}
	p.close(l, at)
	l.since = at
	if name != "" {
		p.begin(l, li, at, name, args)
	}
}

func (p *picture) begin(l *lane, li int, at sim.Time, name string, args *traceArgs) {
	var dur micros
	p.events = append(p.events, traceEvent{Name: name, Cat: laneNames[l.key.kind], Ph: "X", Ts: p.ts(at), Dur: &dur, Pid: l.key.pid, Tid: li + 1, Args: args})
	l.open = len(p.events)
}

func (p *picture) close(l *lane, at sim.Time) {
	if l.open != 0 {
		e := &p.events[l.open-1]
		*e.Dur = p.ts(at) - e.Ts
		l.open = 0
	}
}

// note puts one note into the picture.
func (p *picture) note(n *trace.Note) {
	link := linkName(p.log, n.Link)
	pid := pidStory
	if n.Router >= 0 {
		pid = pidRouters + int(n.Router)
	}
	args := p.args(n)
	onLink := func(kind laneKind) int { return p.lane(pid, kind, int64(n.Link), netip.Prefix{}, link) }
	onPrefix := func(kind laneKind) int { return p.lane(pid, kind, 0, n.Prefix, n.Prefix.String()) }
	switch n.Kind {
	case trace.NoteFault:
		p.instant(pidStory, laneFaults, 0, "", n.At, n.Text, "g", args)
	case trace.NoteStall:
		p.instant(pidStory, laneFaults, 0, "", n.At, words(p.log, n), "g", args)
	case trace.NoteSession:
		p.span(onLink(laneSession), n.At, bgp.State(n.From).String(), bgp.State(n.To).String(), args)
	case trace.NoteBFD:
		p.span(onLink(laneBFD), n.At, bfd.State(n.From).String(), bfd.State(n.To).String(), args)
	case trace.NoteTunnel:
		p.span(onLink(laneTunnel), n.At, vpn.State(n.From).String(), vpn.State(n.To).String(), args)
	case trace.NoteMessage:
		p.mark(onLink(laneMessages), mark{at: n.At, name: message(n.Msg), args: args})
	case trace.NoteIKE:
		p.mark(onLink(laneIKE), mark{at: n.At, name: ikeWords(n.IKE), args: args})
	case trace.NoteRoute:
		name := ""
		if n.Route != nil && n.Route.Best != nil {
			name = route(n.Route)
		}
		p.span(onPrefix(laneRoute), n.At, "", name, args)
	case trace.NoteFIB, trace.NoteTable:
		kind := laneFIB
		if n.Kind == trace.NoteTable {
			kind = laneTable
		}
		name := ""
		if len(n.Links) > 0 {
			name = linkNames(p.log, n.Links)
		}
		p.span(onPrefix(kind), n.At, "", name, args)
	case trace.NoteLink:
		from, to := "up", "down"
		if n.Up {
			from, to = to, from
		}
		p.span(p.lane(pidLinks, laneLink, int64(n.Link), netip.Prefix{}, link), n.At, from, to, args)
	case trace.NoteLost:
		if n.Router < 0 {
			pid = pidProbes
		}
		p.instant(pid, laneLosses, 0, "", n.At, fmt.Sprintf("%s #%d lost: %s", probe(p.log, n), n.B, n.Text), "p", args)
	case trace.NoteForwarding:
		what := probe(p.log, n) + ", " + direction(n)
		p.span(p.lane(pidProbes, laneForwarding, 2*n.A+n.B&1, netip.Prefix{}, what), n.At, "", forwarding(n), args)
	case trace.NoteAdvertise:
		name := ""
		if n.Up {
			name = "waits for MRAI"
		}
		p.span(onLink(laneAdvertise), n.At, "", name, args)
	}
}

func (p *picture) mark(li int, m mark) { p.lanes[li].marks = append(p.lanes[li].marks, m) }

// arrows finds, for each message that a packet carried to the other end, the
// note of its sending, and marks both ends with the same number.
//
// A packet is matched with the oldest note of the same message over the same
// link from the same end that has no arrow yet: a retransmission of what was
// lost finds it, one of what had arrived finds nothing. KEEPALIVEs are all the
// same message, so the notes of a session that went down are forgotten: what
// was never sent must not be taken for what a later session sends.
func (p *picture) arrows() {
	type sentNote struct {
		msg  any
		lane int
		mark int
	}
	waiting := map[side][]sentNote{}
	marked := map[int]int{} // the marks of each lane come in the order of their notes
	notes := notesByEvent(p.log)
	flow := 0
	for i := range p.log.Packets {
		pk := &p.log.Packets[i]
		for ; len(notes) > 0 && p.log.Notes[notes[0]].Event <= pk.Event; notes = notes[1:] {
			n := &p.log.Notes[notes[0]]
			s := side{n.Link, end(p.log, n.Link, n.Router)}
			if s.end < 0 {
				continue // its lane is not looked at again
			}
			kind, msg := laneMessages, any(n.Msg)
			switch n.Kind {
			case trace.NoteSession:
				if bgp.State(n.To) == bgp.Idle {
					waiting[s] = nil
				}
				continue
			case trace.NoteMessage:
			case trace.NoteIKE:
				kind, msg = laneIKE, any(n.IKE)
			default:
				continue
			}
			li := p.byKey[laneKey{pidRouters + int(n.Router), kind, int64(n.Link), netip.Prefix{}}]
			waiting[s] = append(waiting[s], sentNote{msg, li, marked[li]})
			marked[li]++
		}
		if pk.Lost || pk.From != 0 && pk.From != 1 || pk.Link < 0 || int(pk.Link) >= len(p.log.Names.Links) {
			continue
		}
		s := side{pk.Link, int(pk.From)}
		arrived := func(msg any, kind laneKind) {
			j := slices.IndexFunc(waiting[s], func(w sentNote) bool { return w.msg == msg })
			if j < 0 {
				return
			}
			w := waiting[s][j]
			waiting[s] = slices.Delete(waiting[s], j, j+1)
			flow++
			from := &p.lanes[w.lane].marks[w.mark]
			from.flow = flow
			name := from.name
			link := &p.log.Names.Links[pk.Link]
			to := p.lane(pidRouters+link.Routers[1-s.end], kind, int64(pk.Link), netip.Prefix{}, link.Name)
			at := seconds(pk.Arrive)
			p.mark(to, mark{at: pk.Arrive, name: name + " arrives", args: &traceArgs{At: &at}, flow: flow, end: true})
		}
		for _, m := range pk.Msgs {
			arrived(m, laneMessages)
		}
		if pk.IKE != nil {
			arrived(pk.IKE, laneIKE)
		}
	}
}

// marks turns the marks of all lanes into spans of a microsecond, one after the
// other, and the arrows between them. Those of one instant are drawn side by
// side, so that each arrow has a span of its own.
func (p *picture) marks() {
	const width = 1000 // ns
	for li := range p.lanes {
		l := &p.lanes[li]
		slices.SortStableFunc(l.marks, func(a, b mark) int { return cmp.Compare(a.at, b.at) })
		free := p.from
		for _, m := range l.marks {
			t := max(m.at, free)
			free = t + width
			dur := micros(width)
			e := traceEvent{Name: m.name, Cat: laneNames[l.key.kind], Ph: "X", Ts: p.ts(t), Dur: &dur, Pid: l.key.pid, Tid: li + 1, Args: m.args}
			p.events = append(p.events, e)
			if m.flow != 0 {
				f := traceEvent{Name: "message", Cat: "message", Ph: "s", Ts: e.Ts, Pid: e.Pid, Tid: e.Tid, ID: m.flow}
				if m.end {
					f.Ph, f.Bp = "f", "e" // bind to the span that encloses the end
				}
				p.events = append(p.events, f)
			}
		}
	}
}

// names are the metadata: what processes and lanes are called, and their order.
func (p *picture) names() []traceEvent {
	var out []traceEvent
	meta := func(what string, pid, tid int, args traceArgs) {
		out = append(out, traceEvent{Name: what, Ph: "M", Pid: pid, Tid: tid, Args: &args})
	}
	order := make([]int, len(p.lanes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := p.lanes[a].key, p.lanes[b].key
		return cmp.Or(cmp.Compare(x.pid, y.pid), cmp.Compare(x.kind, y.kind), cmp.Compare(x.index, y.index), x.prefix.Compare(y.prefix))
	})
	last := 0
	for rank, i := range order {
		l := &p.lanes[i]
		if pid := l.key.pid; pid != last {
			last = pid
			name := [...]string{pidStory: "story", pidProbes: "probes", pidLinks: "links"}[min(pid, pidLinks)]
			if pid >= pidRouters {
				name = nameOf(p.log.Names.Routers, pid-pidRouters, "router")
			}
			meta("process_name", pid, 0, traceArgs{Name: name})
			meta("process_sort_index", pid, 0, traceArgs{Sort: &pid})
		}
		name := laneNames[l.key.kind]
		if l.what != "" {
			name += " " + l.what
		}
		meta("thread_name", l.key.pid, i+1, traceArgs{Name: name})
		meta("thread_sort_index", l.key.pid, i+1, traceArgs{Sort: &rank})
	}
	return out
}
