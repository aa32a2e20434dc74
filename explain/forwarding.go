package explain

import (
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/topology"
)

// watched are the pairs whose forwarding is followed: those of the probes, those
// that the scenario, its expectations and the command line ask for; each once.
func watched(d *topology.Design, more []string) ([]topology.Watch, error) {
	var list []topology.Watch
	add := func(w topology.Watch) {
		if !slices.ContainsFunc(list, func(o topology.Watch) bool {
			return o.From.Router == w.From.Router && o.From.Addr == w.From.Addr && o.To.Addr == w.To.Addr
		}) {
			list = append(list, w)
		}
	}
	for i := range d.Probes {
		from, to := &d.Hosts[d.Probes[i].From], &d.Hosts[d.Probes[i].To]
		w, err := d.PairOf(from.Name, to.Name)
		if err != nil {
			continue // a host that pings itself
		}
		add(w)
	}
	for _, w := range d.Watch {
		add(w)
	}
	for _, text := range more {
		w, err := d.ParseWatch(text)
		if err != nil {
			return nil, err
		}
		add(w)
	}
	return list, nil
}

// Names of the states in the document.
var stateNames = [network.NumStates]string{network.OK: "ok", network.BlackHole: "black_hole", network.Loop: "loop",
	network.Asymmetric: "asymmetric", network.Stale: "stale_return_path"}

// forwarding writes down what became of every pair.
func (a *Answer) forwarding() {
	for i := range a.Result.Forwarding {
		f := &a.Result.Forwarding[i]
		out := report.Forwarding{From: f.From.Name, To: f.To.Name, ToAddress: f.To.Addr.String(), OneWay: f.OneWay()}
		if !f.OneWay() {
			out.FromAddress = f.From.Addr.String()
		}
		var length [network.NumStates]report.Seconds
		var times [network.NumStates]int
		for k := range f.Intervals {
			v := &f.Intervals[k]
			took := report.Seconds(v.End - v.Start)
			length[v.State] += took
			if k == 0 || f.Intervals[k-1].State != v.State {
				times[v.State]++
			}
			if v.Lost() {
				out.Seconds.Lost += took
				if k == 0 || !f.Intervals[k-1].Lost() {
					out.Count.Lost++
				}
			}
			out.Intervals = append(out.Intervals, a.interval(v))
		}
		s, c := &out.Seconds, &out.Count
		s.OK, s.BlackHole, s.Loop, s.Asymmetric, s.StaleReturnPath = length[network.OK], length[network.BlackHole], length[network.Loop], length[network.Asymmetric], length[network.Stale]
		c.OK, c.BlackHole, c.Loop, c.Asymmetric, c.StaleReturnPath = times[network.OK], times[network.BlackHole], times[network.Loop], times[network.Asymmetric], times[network.Stale]
		a.Doc.Forwarding = append(a.Doc.Forwarding, out)
	}
}

func (a *Answer) interval(v *network.Interval) report.ForwardingInterval {
	out := report.ForwardingInterval{StartS: seconds(v.Start), EndS: seconds(v.End), State: stateNames[v.State], Lost: v.Lost(),
		PathRequest: a.path(v.Ways[0].Links), PathReply: a.path(v.Ways[1].Links), Because: a.beganWith(v)}
	switch request, reply := v.In(0), v.In(1); {
	case v.State == network.OK || v.State == network.Asymmetric || request && reply:
		out.Direction = "both"
	case request:
		out.Direction = "request"
	default:
		out.Direction = "reply"
	}
	if v.State == network.OK || v.State == network.Asymmetric {
		return out
	}
	var where, why []string
	for dir := range 2 {
		if w := &v.Ways[dir]; v.In(dir) {
			if s := a.where(w); !slices.Contains(where, s) {
				where = append(where, s)
			}
			if !slices.Contains(why, w.Why) {
				why = append(why, w.Why)
			}
		}
	}
	out.Where, out.Why = strings.Join(where, "; "), strings.Join(why, "; ")
	return out
}

func (a *Answer) path(links []int32) []string {
	list := []string{}
	for _, l := range links {
		list = append(list, a.Design.Links[l].Name)
	}
	return list
}

// where says where a direction ends, which routers it goes round, or which link it
// should not use any more.
func (a *Answer) where(w *network.Way) string {
	router := func(i int) string { return a.Design.Routers[i].Name }
	if w.Course == network.Loops {
		at := w.Router
		list := []string{router(at)}
		for _, l := range w.Round() {
			ends := &a.Design.Links[l].Ends
			if ends[0].Router == at {
				at = ends[1].Router
			} else {
				at = ends[0].Router
			}
			list = append(list, router(at))
		}
		return strings.Join(list, " -> ")
	}
	var s string
	if w.Link >= 0 {
		s = "in " + a.Design.Links[w.Link].Name
		if w.Router >= 0 {
			s += ", at " + router(w.Router)
		}
	} else if w.Router >= 0 {
		s = "at " + router(w.Router)
	}
	return s
}

// beganWith says what an interval began with.
func (a *Answer) beganWith(v *network.Interval) string {
	if v.Start <= 0 {
		return "it was so when the warm-up ended"
	}
	x := a.began(v.Event)
	switch {
	case x.fault >= 0 && x.timer == 0:
		return a.faultText(x.fault)
	case x.timer == 0:
		return "no fault: routing changed by itself"
	}
	return a.timerText(x)
}
