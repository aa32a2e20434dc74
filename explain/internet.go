package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/asgraph"
	"github.com/vpnsim/vpnsim/expect"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// A graph of ASes is run by package asgraph: there is a document about how it
// converged, and no record, so nothing else can be asked.

// internet runs one.
func (a *Answer) internet() {
	d := a.Design
	a.Internet = asgraph.New(d.Internet.Graph, asgraph.ConfigOf(d.Internet))
	// The clock of an Internet starts where the warm-up does.
	var story []asgraph.Event
	for _, n := range d.Internet.Prefixes {
		for i := range n.Len() {
			story = append(story, asgraph.Event{Change: asgraph.Announce, Node: d.Internet.Origin, Prefix: n.At(i)})
		}
	}
	own := len(story)
	times := a.storyTimes()
	for i := range d.Story {
		f := &d.Story[i]
		story = append(story, asgraph.Event{At: times[i] + d.Warmup, Change: changeOf(f.Kind), Node: f.Router, Edge: f.Link, Prefix: f.Prefix})
	}
	res := a.Internet.Run(a.ask.Seed, story, d.Warmup+d.For)

	text := func(i int) string { return a.happens(&d.Story[i]) }
	a.Doc = &report.Document{
		VPNSim: "v1", Kind: "run", Version: a.ask.Version,
		Scenario: d.File, Name: d.Name, ScenarioSHA256: d.SHA256,
		Seed: a.ask.Seed, Sets: a.ask.Sets, Digest: fmt.Sprintf("%016x", res.Digest),
		EndS: report.Seconds(d.For), Assumptions: assumptions(d),
		Internet: &report.Internet{ASes: len(d.Internet.Graph.ASNs), Links: len(d.Internet.Graph.Edges), Events: int(res.Events)},
	}
	for i := range d.Story {
		if times[i] <= d.For {
			a.Doc.Story = append(a.Doc.Story, report.Fault{AtS: report.Seconds(times[i]), What: text(i),
				Path: fmt.Sprintf("story[%d]", d.Story[i].Index), Source: d.Story[i].Pos.String()})
		}
	}
	for _, r := range res.Reactions {
		c := report.Convergence{AtS: report.Seconds(r.At - d.Warmup), Seconds: report.Seconds(r.Last - r.At),
			Announcements: r.Announced, Withdrawals: r.Withdrawn, RIBChanges: r.RIB, Converged: r.Over}
		if r.Prefix.IsValid() {
			c.Prefix = r.Prefix.String()
		}
		if !r.Over {
			c.Waits = []string{"UPDATEs are on their way, or wait for MRAI"}
		}
		if r.Event < own {
			c.Event = "the network comes up"
			a.Doc.BringUp = append(a.Doc.BringUp, c)
			continue
		}
		var list []string
		for i := range d.Story {
			if times[i]+d.Warmup == r.At {
				list = append(list, text(i))
			}
		}
		c.Event, c.Path = strings.Join(list, "; "), fmt.Sprintf("story[%d]", d.Story[r.Event-own].Index)
		a.Doc.Convergence = append(a.Doc.Convergence, c)
	}
	a.Doc.Ending = endingOf(a.Doc)
	for _, p := range prefixesOf(d) {
		x := report.Reach{Prefix: p.String(), Paths: a.Internet.Paths(p)}
		x.Reached, x.Distances = a.Internet.Reach(p)
		a.Doc.Internet.Reach = append(a.Doc.Internet.Reach, x)
	}
}

// endingOf says how routing stands by what followed the last event.
func endingOf(doc *report.Document) report.Ending {
	events := report.Events(append(slices.Clone(doc.BringUp), doc.Convergence...))
	if len(events) == 0 {
		return report.Ending{}
	}
	last := events[len(events)-1]
	t := report.Total(last)
	e := network.Ending{Since: sim.Time(t.AtS), Changes: t.RIBChanges, Last: sim.Time(t.AtS + t.Seconds), Chance: true}
	if !t.Converged {
		e.State = network.Unsettled
		for _, c := range last {
			e.Waits = append(e.Waits, c.Waits...)
		}
		e.Waits = slices.Compact(e.Waits)
	}
	return ending(&e, sim.Time(doc.EndS), false)
}

// mostReaches is of how many prefixes the reach is told.
const mostReaches = 16

// prefixesOf are the first ones that are announced at any time.
func prefixesOf(d *topology.Design) (list []netip.Prefix) {
	for _, n := range d.Internet.Prefixes {
		for i := range min(n.Len(), mostReaches) {
			list = append(list, n.At(i))
		}
	}
	for i := range d.Story {
		if d.Story[i].Prefix.IsValid() {
			list = append(list, d.Story[i].Prefix)
		}
	}
	slices.SortFunc(list, netip.Prefix.Compare)
	list = slices.Compact(list)
	return list[:min(len(list), mostReaches)]
}

// storyTimes draws when the story happens, as package network does.
func (a *Answer) storyTimes() []time.Duration {
	k := sim.New(a.ask.Seed)
	times := make([]time.Duration, len(a.Design.Story))
	for i := range a.Design.Story {
		f := &a.Design.Story[i]
		rnd := k.Rand(sim.StreamName(fmt.Sprintf("story/%d", i)))
		times[i] = f.At.Draw(rnd.Uint64())
		if f.Until > 0 {
			times[i] += times[f.Until-1]
		}
	}
	return times
}

func changeOf(k topology.FaultKind) asgraph.Change {
	switch k {
	case topology.PrefixWithdraw:
		return asgraph.Withdraw
	case topology.LinkDown:
		return asgraph.LinkDown
	case topology.LinkUp:
		return asgraph.LinkUp
	}
	return asgraph.Announce
}

func (a *Answer) happens(f *topology.Fault) string {
	switch f.Kind {
	case topology.PrefixWithdraw:
		return a.Design.RouterName(f.Router) + " withdraws " + f.Prefix.String()
	case topology.LinkDown:
		return a.Design.LinkName(f.Link) + " goes down, seen by both ends"
	case topology.LinkUp:
		return a.Design.LinkName(f.Link) + " comes up"
	}
	return a.Design.RouterName(f.Router) + " announces " + f.Prefix.String()
}

// bestOf is the best path of an AS at the end of the run.
func (a *Answer) bestOf(as, prefix string, at time.Duration) (expect.Route, error) {
	g := a.Design.Internet.Graph
	i, ok := g.NodeNamed(as)
	p, err := netip.ParsePrefix(prefix)
	switch {
	case !ok:
		return expect.Route{}, fmt.Errorf("the graph has no AS %q", as)
	case err != nil:
		return expect.Route{}, fmt.Errorf("%q is not a prefix", prefix)
	case at != a.Design.For:
		return expect.Route{}, fmt.Errorf("of a graph of ASes only the routes at the end are known")
	}
	r := a.Internet.Speaker(i).Route(p)
	if r == nil {
		return expect.Route{}, nil
	}
	row := report.Route{Router: as, Table: "bgp", Prefix: p.String(), Link: "local", NextHop: "self", LocalPref: 100, MED: -1,
		Origin: r.Best.Attrs.Origin.String(), ASPath: asPath(r.Best.Attrs.ASPath), Best: true, Used: true}
	if r.Best.Peer >= 0 {
		row.Link, row.NextHop = a.Internet.LinkOf(i, r.Best.Peer), r.Best.Attrs.NextHop.String()
	}
	return expect.RouteOf(&row), nil
}
