package explain

import (
	"fmt"
	"slices"
	"sort"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
	"github.com/vpnsim/vpnsim/vpn"
)

// That a suspect did not matter is tried: the run is the same with other values. Why
// it did not is another question, and a wrong answer is worse than none. So what is
// given as a reason is looked up in the record: whether anything waited for MRAI at
// all, whether the other path was there before the failure, what the events were that
// led to the end. Where the record gives no reason, none is given.

// course is how a gap went: the events that led from what began it to its end.
type course struct {
	network.Outage
	from    sim.Time // what began it
	decider int      // the router whose own decision ended it; -1: none
	parts   []network.Part
}

// courseOf follows a gap back from its end; nil: no outage of forwarding is behind it.
func (a *Answer) courseOf(g *report.Gap) *course {
	for i := range a.Result.Probes {
		res := &a.Result.Probes[i]
		for _, o := range res.Outages {
			if seconds(o.Start) != g.StartS || a.Design.Probes[i].Name != g.Probe {
				continue
			}
			c := &course{Outage: o, from: a.beganAt(res, o), decider: a.decider(g)}
			if !o.Open {
				about := a.about(i, o.EndEvent)
				for id := o.EndEvent; id != 0 && a.when(id) >= c.from; id = a.Net.Before(id, about) {
					c.parts = append(c.parts, a.Net.Part(id))
				}
			}
			return c
		}
	}
	return nil
}

// never tells whether nothing of a kind led to the end of a gap that has one.
func (c *course) never(kind func(network.Part) bool) bool {
	return !c.Open && !slices.ContainsFunc(c.parts, kind)
}

// held says why it did not matter how routers, for neighbours of the kind that key is
// about, space their UPDATEs; "" if the record does not tell.
func (a *Answer) held(c *course, routers []int, key topology.Key) string {
	if c == nil {
		return ""
	}
	if d := c.decider; d >= 0 && c.never(func(s network.Part) bool { return s.Heard }) && a.heldTheOther(c, d) {
		return fmt.Sprintf("%s already held the other path, and to change to it is a local decision that needs no UPDATE", a.Design.Routers[d].Name)
	}
	switch {
	case a.waited(c, routers, key) && c.Open:
		return "UPDATEs were held back, and none of them ended the gap"
	case a.waited(c, routers, key):
		return "UPDATEs were held back, but none that the end of the gap waited for"
	case len(routers) == 1:
		return a.Design.Routers[routers[0]].Name + " held no UPDATE back meanwhile"
	}
	return "no router held an UPDATE back meanwhile"
}

// waited tells whether anything waited, at those routers, for the interval that key is,
// between what began a gap and its end.
func (a *Answer) waited(c *course, routers []int, key topology.Key) bool {
	waiting := map[[2]int32]bool{}
	for i := range a.Log.Notes {
		x := &a.Log.Notes[i]
		if x.At > c.End {
			break
		}
		if x.Kind != trace.NoteAdvertise || !slices.Contains(routers, int(x.Router)) || a.intervalTo(int(x.Link)) != key {
			continue
		}
		if at := [2]int32{x.Router, x.Link}; x.Up {
			waiting[at] = true
			if x.At >= c.from {
				return true
			}
		} else {
			if waiting[at] && x.At >= c.from {
				return true
			}
			delete(waiting, at)
		}
	}
	return len(waiting) > 0
}

// intervalTo is the setting that keeps UPDATEs over a link apart.
func (a *Answer) intervalTo(link int) topology.Key {
	ends := &a.Design.Links[link].Ends
	if a.Design.Routers[ends[0].Router].ASN == a.Design.Routers[ends[1].Router].ASN {
		return topology.BGPMRAIIBGP
	}
	return topology.BGPMRAI
}

// heldTheOther tells whether what router r used when a gap was over was not what it had
// used when it began, and had all been known to it by then.
func (a *Answer) heldTheOther(c *course, r int) bool {
	about := a.Net.Programmed(c.EndEvent)
	for _, p := range about {
		var before, after *trace.Note
		for i := range a.Log.Notes {
			x := &a.Log.Notes[i]
			if x.Event > c.EndEvent {
				break
			}
			if x.Kind != trace.NoteRoute || int(x.Router) != r || x.Prefix != p {
				continue
			}
			if after = x; x.At < c.from {
				before = x
			}
		}
		if before == nil || before == after || len(before.Route.Used) == 0 || len(after.Route.Used) == 0 || sameWays(before.Route, after.Route) {
			continue
		}
		if !slices.ContainsFunc(after.Route.Used, func(p *bgp.Path) bool { return a.when(sim.EventID(p.Stamp)) >= c.from }) {
			return true
		}
	}
	return false
}

// sameWays tells whether two routes use the same neighbours.
func sameWays(x, y *bgp.Route) bool {
	return slices.EqualFunc(x.Used, y.Used, func(p, q *bgp.Path) bool { return p.Peer == q.Peer && p.PathID == q.PathID })
}

// deadPeers tells whether dead peer detection gave anybody up at router r before a gap
// was over.
func (a *Answer) deadPeers(c *course, r int) bool {
	notes := a.Log.Notes
	for i := sort.Search(len(notes), func(i int) bool { return notes[i].At >= c.from }); i < len(notes) && notes[i].At <= c.End; i++ {
		if x := &notes[i]; x.Kind == trace.NoteTunnel && int(x.Router) == r && vpn.Why(x.A) == vpn.WhyDPD {
			return true
		}
	}
	return false
}

// reasons are why the suspects of router r did not matter, each looked up; "" where the
// record does not tell.
type reasons struct{ dpd, connect, idle, processing, rto string }

func (a *Answer) reasons(c *course, r int) (why reasons) {
	if c == nil {
		return why
	}
	if !a.deadPeers(c, r) {
		why.dpd = "dead peer detection had not found anything before the gap was over"
		if c.Open {
			why.dpd = "dead peer detection has not found anything"
		}
	}
	if c.never(func(s network.Part) bool { return s.Session }) {
		why.connect, why.idle = "no connection had to be opened to end the gap", "no session had to come back to end the gap"
	}
	if c.never(func(s network.Part) bool { return s.Heard && s.Router == r }) {
		why.processing = "no UPDATE had to be processed to end the gap"
	}
	if c.never(func(s network.Part) bool { return s.Retransmitted }) {
		why.rto = "nothing that ended the gap was retransmitted"
	}
	return why
}

// ruledOut puts into words that a suspect was tried, and why it did not matter if that
// is known.
func ruledOut(why, tried string) string {
	s := "run again with " + tried + ": the same to the nanosecond"
	if why != "" {
		s = why + "; " + s
	}
	return s
}
