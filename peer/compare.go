package peer

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// What the router did after each event of the story, beside what the same
// scenario shows when that router is simulated too, with the profile that the
// scenario gives it. Both are read from the same kind of record by the same
// function, so that they mean the same; the simulated one is drawn several times.

// predictions is how many seeds the simulation is asked with.
const predictions = 20

// tolerance is how far off is still as predicted: the predicted range is one of
// twenty draws, and a real daemon does not serve its timers to the millisecond.
const tolerance = time.Second

// deed is what moments are about.
type deed struct {
	router int // -1: traffic
	what   string
}

// done is a deed of one run: how long after the event, and why.
type done struct {
	deed
	after time.Duration
	why   string
}

// summary compares. Only events that have happened are looked at.
func (r *runner) summary() *report.PeerSummary {
	d := r.plan.Design
	real := &d.Routers[r.plan.Real]
	s := &report.PeerSummary{Kind: "summary", Real: real.Name, Profile: real.Profile, Runs: predictions, LateS: report.Seconds(r.late)}
	seen := r.plan.deeds(r.log)
	if len(seen) == 0 {
		return s
	}
	predicted := make([]map[int][]done, predictions)
	log := &trace.Log{}
	n := network.New(d, network.Options{Log: log})
	for i := range predicted {
		n.Run(r.opt.Seed + uint64(i))
		predicted[i] = r.plan.deeds(log)
	}
	begun, _ := r.n.Begun()
	for f := range d.Story {
		if list, ok := seen[f]; ok {
			s.Events = append(s.Events, report.PeerEvent{AtS: report.Seconds(r.n.FaultTime(f).Sub(begun)), What: r.n.FaultText(f),
				Asked: r.n.Asked(f), Moments: r.plan.moments(list, f, predicted)})
		}
	}
	return s
}

// row is a moment in the making.
type row struct {
	report.PeerMoment
	deed      deed
	seen      time.Duration // -1: not
	min, max  time.Duration // of the simulated runs
	firstSeen time.Duration // by which it is sorted
}

// moments puts what was seen after event f beside what was predicted, in order.
func (p *Plan) moments(seen []done, f int, predicted []map[int][]done) []report.PeerMoment {
	var rows []row
	find := func(x done) *row {
		i := slices.IndexFunc(rows, func(w row) bool { return w.deed == x.deed })
		if i < 0 {
			i = len(rows)
			who := "traffic"
			if x.router >= 0 {
				who = p.routerName(x.router)
			}
			rows = append(rows, row{PeerMoment: report.PeerMoment{Router: who, What: x.what}, deed: x.deed, seen: -1, firstSeen: x.after})
		}
		return &rows[i]
	}
	for _, x := range seen {
		w := find(x)
		w.seen, w.SeenWhy = x.after, x.why
	}
	for _, run := range predicted {
		for _, x := range run[f] {
			w := find(x)
			if w.SimulatedIn == 0 {
				w.min, w.max, w.SimulatedWhy = x.after, x.after, x.why
			}
			w.SimulatedIn++
			w.min, w.max = min(w.min, x.after), max(w.max, x.after)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.firstSeen, b.firstSeen) })
	list := []report.PeerMoment{}
	for _, w := range rows {
		switch {
		case w.seen < 0:
			w.Differs = w.SimulatedIn == len(predicted)
		case w.SimulatedIn == 0:
			w.Differs = true
		default:
			w.Differs = w.seen < w.min-tolerance || w.seen > w.max+tolerance
		}
		if w.seen >= 0 {
			w.SeenS = seconds(w.seen)
		}
		if w.SimulatedIn > 0 {
			w.LeastS, w.MostS = seconds(w.min), seconds(w.max)
		}
		list = append(list, w.PeerMoment)
	}
	return list
}

func seconds(d time.Duration) *report.Seconds {
	s := report.Seconds(d)
	return &s
}

// deeds reads from a record what was done after each event of the story, of
// everything the first time.
func (p *Plan) deeds(log *trace.Log) map[int][]done {
	all := map[int][]done{}
	fault, since := -1, sim.Time(0)
	add := func(n *trace.Note, router int, why, format string, args ...any) {
		k := deed{router, fmt.Sprintf(format, args...)}
		if !slices.ContainsFunc(all[fault], func(x done) bool { return x.deed == k }) {
			all[fault] = append(all[fault], done{k, n.At.Sub(since), why})
		}
	}
	for i := range log.Notes {
		n := &log.Notes[i]
		if n.Kind == trace.NoteFault {
			fault, since = int(n.A), n.At
			all[fault] = []done{}
			continue
		}
		if fault < 0 {
			continue
		}
		attached := slices.ContainsFunc(p.Links, func(a Attachment) bool { return a.Link == int(n.Link) })
		switch {
		case n.Kind == trace.NoteSession && attached:
			switch {
			case bgp.State(n.From) == bgp.Established:
				add(n, int(n.Router), whyText(n), "session over %s ends", p.linkName(int(n.Link)))
			case bgp.State(n.To) == bgp.Established:
				add(n, int(n.Router), "", "session over %s comes up", p.linkName(int(n.Link)))
			}
		case n.Kind == trace.NoteMessage && attached && n.Msg.Type == bgp.MsgUpdate && !n.Msg.Update.EndOfRIB():
			if u := n.Msg.Update; len(u.NLRI) > 0 {
				add(n, int(n.Router), some(u.NLRI), "announces routes over %s", p.linkName(int(n.Link)))
			} else {
				add(n, int(n.Router), some(u.Withdrawn), "withdraws routes over %s", p.linkName(int(n.Link)))
			}
		case n.Kind == trace.NoteForwarding && p.known(n):
			how, why := "passes", ""
			if !n.Up {
				how, why = "is lost", n.Text
			}
			add(n, -1, why, "%s %s", p.direction(n), how)
		}
	}
	return all
}

// known tells whether a NoteForwarding is about a direction of which a network
// with the real router knows something: one that does not begin at it.
func (p *Plan) known(n *trace.Note) bool {
	from, _ := p.hosts(n)
	return n.Text != network.NotKnown && from.Router != p.Real
}

func (p *Plan) hosts(n *trace.Note) (from, to *topology.Host) {
	probe := &p.Design.Probes[n.A]
	from, to = &p.Design.Hosts[probe.From], &p.Design.Hosts[probe.To]
	if n.B == 1 {
		from, to = to, from
	}
	return from, to
}

func (p *Plan) direction(n *trace.Note) string {
	from, to := p.hosts(n)
	return from.Name + " -> " + to.Name
}

func whyText(n *trace.Note) string {
	why := bgp.Why(n.A).String()
	if n.Text != "" {
		why = n.Text
	}
	if bgp.Why(n.A) == bgp.WhyNotification && n.Msg != nil && n.Msg.Notification != nil {
		why += fmt.Sprintf(" %d/%d", n.Msg.Notification.Code, n.Msg.Notification.Subcode)
	}
	return why
}

// some names the first of many prefixes.
func some(ps []netip.Prefix) string {
	const few = 3
	var names []string
	for _, q := range ps[:min(few, len(ps))] {
		names = append(names, q.String())
	}
	if len(ps) > few {
		names = append(names, fmt.Sprintf("and %d more", len(ps)-few))
	}
	return strings.Join(names, ", ")
}
