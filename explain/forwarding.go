package explain

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// watched are the pairs whose forwarding is followed: those of the probes, those
// that the scenario, its expectations and the command line ask for; each once.
// Where there are none, all hosts.
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
		if p := &d.Probes[i]; p.From != p.To {
			add(d.WatchOf(p))
		}
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
	if len(list) == 0 && len(d.Hosts) <= mostHosts {
		for i := range d.Hosts {
			for j := range i {
				if w, err := d.PairOf(d.Hosts[j].Name, d.Hosts[i].Name); err == nil {
					add(w)
				}
			}
		}
	}
	return list, nil
}

// mostHosts are followed each with each where nobody says who is.
const mostHosts = 5

// mostExplained intervals of a pair are explained. A network that never comes to
// rest has any number of them, and they go on as they began.
const mostExplained = 100

// Names of the states in the document.
var stateNames = [network.NumStates]string{network.OK: "ok", network.BlackHole: "black_hole", network.Loop: "loop",
	network.Asymmetric: "asymmetric", network.Stale: "stale_return_path"}

// forwarding writes down what became of every pair; words: also of each interval.
func (a *Answer) forwarding(words bool) {
	for i := range a.Result.Forwarding {
		f := &a.Result.Forwarding[i]
		out := report.Forwarding{From: f.From.Name, To: f.To.Name, ToAddress: f.To.Addr.String(), OneWay: f.OneWay()}
		if !f.OneWay() {
			out.FromAddress = f.From.Addr.String()
		}
		var length [network.NumStates]report.Seconds
		var times [network.NumStates]int
		explained := 0
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
			if !words {
				continue
			}
			out.Intervals = append(out.Intervals, a.interval(v))
			if v.State != network.OK && v.State != network.Asymmetric && explained < mostExplained {
				explained++
				x := &out.Intervals[k]
				x.Entries, x.Chain = a.entries(f, v), a.ended(f, v)
			}
		}
		s, c := &out.Seconds, &out.Count
		s.OK, s.BlackHole, s.Loop, s.Asymmetric, s.StaleReturnPath = length[network.OK], length[network.BlackHole], length[network.Loop], length[network.Asymmetric], length[network.Stale]
		c.OK, c.BlackHole, c.Loop, c.Asymmetric, c.StaleReturnPath = times[network.OK], times[network.BlackHole], times[network.Loop], times[network.Asymmetric], times[network.Stale]
		a.Doc.Forwarding = append(a.Doc.Forwarding, out)
	}
}

func (a *Answer) interval(v *network.Interval) report.ForwardingInterval {
	out := report.ForwardingInterval{StartS: seconds(v.Start), EndS: seconds(v.End), State: stateNames[v.State], Lost: v.Lost(),
		PathRequest: a.path(v.Ways[0].Links), PathReply: a.path(v.Ways[1].Links), Because: a.beganWith(v),
		Entries: []report.TableEntry{}, Chain: []report.Wait{}}
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

// entries are what the tables said that make an interval what it is, each once.
func (a *Answer) entries(f *network.Forwarding, v *network.Interval) []report.TableEntry {
	list := []report.TableEntry{}
	for dir, dst := range []netip.Addr{f.To.Addr, f.From.Addr} {
		w := &v.Ways[dir]
		if !v.In(dir) {
			continue
		}
		steps := w.Blamed()
		for i, s := range steps {
			e := report.TableEntry{Router: a.Design.Routers[s.Router].Name, Table: "fib"}
			if s.Cloud {
				e.Table = "route_table"
			}
			by := s.By
			if s.Prefix.IsValid() {
				// The steps that are blamed lead over the links that end where they end.
				at := len(w.Links) - len(steps) + i
				if w.Course == network.ArrivesStale {
					at = slices.Index(w.Links, int32(w.Link))
				}
				e.Prefix, e.Link = s.Prefix.String(), a.Design.Links[w.Links[at]].Name
			} else {
				by = a.Net.TakenAway(s, dst, v.Event)
			}
			e.SinceS, e.Because = seconds(a.when(by)), a.wrote(by)
			if !slices.Contains(list, e) {
				list = append(list, e)
			}
		}
	}
	return list
}

// wrote says what made an event write a table.
func (a *Answer) wrote(id sim.EventID) string {
	switch x := a.began(id); {
	case id == 0:
		return "it has been so from the start"
	case x.fault >= 0 && x.timer == 0:
		return a.faultText(x.fault)
	case x.timer == 0 && a.when(id) <= 0:
		return "the network came up"
	case x.timer == 0:
		return "no fault: routing changed by itself"
	default:
		return a.timerText(x)
	}
}

// ended is the chain of waits that ended an interval of a pair.
func (a *Answer) ended(f *network.Forwarding, v *network.Interval) []report.Wait {
	if v.EndEvent == 0 {
		return []report.Wait{wait(a.toTheEnd(), v.Start, v.End, v.Start)}
	}
	ends := []netip.Addr{f.To.Addr}
	if !f.OneWay() {
		ends = append(ends, f.From.Addr)
	}
	return a.waits(v.EndEvent, a.aboutEnds(ends, v.EndEvent), v.Start, v.End)
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
