package expect

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/vpnsim/vpnsim/report"
)

// What an expression may name. The fields' tags are the names; they follow
// those of the report's JSON, without the units.

// Gap is a run of lost probes and the outage behind it. A run without gaps
// has one gap of nothing, so that `gap.outage < …` holds.
type Gap struct {
	N             int           `expr:"n"`
	Probe         string        `expr:"probe"`
	Lost          int           `expr:"lost"`
	LastOKSeq     int           `expr:"last_ok_seq"`
	FirstOKSeq    int           `expr:"first_ok_seq"`
	ProbeGap      time.Duration `expr:"probe_gap"`
	Outage        time.Duration `expr:"outage"`
	Start         time.Duration `expr:"start"`
	End           time.Duration `expr:"end"`
	Open          bool          `expr:"open"`
	Direction     string        `expr:"direction"`
	RequestOutage time.Duration `expr:"request_outage"`
	ReplyOutage   time.Duration `expr:"reply_outage"`
	Blame         string        `expr:"blame"` // the parameter of its longest wait
}

// Convergence is how routing reacted to one event, all prefixes together. A run
// in which nothing happened has one in which nothing happened.
type Convergence struct {
	Event         string        `expr:"event"`
	At            time.Duration `expr:"at"`
	Seconds       time.Duration `expr:"seconds"` // a duration, whatever its name
	Announcements int           `expr:"announcements"`
	Withdrawals   int           `expr:"withdrawals"`
	RIBChanges    int           `expr:"rib_changes"`
	FIBChanges    int           `expr:"fib_changes"`
	TableChanges  int           `expr:"table_changes"`
	Converged     bool          `expr:"converged"`
}

// Session is one end of a BGP session when the run is over.
type Session struct {
	Router    string        `expr:"router"`
	Link      string        `expr:"link"`
	UpBy      time.Duration `expr:"up_by"` // when it was first Established, before time zero perhaps; Never: it was not
	State     string        `expr:"state"`
	Since     time.Duration `expr:"since"`
	Hold      time.Duration `expr:"hold"`
	Keepalive time.Duration `expr:"keepalive"`
	BFD       string        `expr:"bfd"`       // the state of BFD; empty: it does not run
	Detection time.Duration `expr:"detection"` // BFD's Detection Time; 0 unless it is Up
}

// Never is later than everything that happens.
const Never = time.Duration(math.MaxInt64)

// Tunnel is one end of a tunnel when the run is over.
type Tunnel struct {
	State string        `expr:"state"`
	Since time.Duration `expr:"since"`
}

// Route is a router's best route to a prefix at an instant; the zero value is
// none.
type Route struct {
	Exists    bool   `expr:"exists"`
	Tunnel    string `expr:"tunnel"` // or link
	NextHop   string `expr:"next_hop"`
	ASPath    string `expr:"as_path"`
	LocalPref int    `expr:"local_pref"`
	MED       int    `expr:"med"` // -1: none
	Verdict   string `expr:"verdict"`
}

// RouteOf is what an Env's Best makes of a row of a route table.
func RouteOf(r *report.Route) Route {
	return Route{Exists: true, Tunnel: r.Link, NextHop: r.NextHop, ASPath: r.ASPath,
		LocalPref: int(r.LocalPref), MED: int(r.MED), Verdict: r.Verdict}
}

// names are the variables and functions of an expression.
type names struct {
	Gap      Gap           `expr:"gap"` // the longest
	Gaps     []Gap         `expr:"gaps"`
	Lost     int           `expr:"lost"` // of all probes
	Received int           `expr:"received"`
	Sent     int           `expr:"sent"`
	Outage   time.Duration `expr:"outage"` // the sum over all gaps
	End      time.Duration `expr:"end"`    // of the run
	Blame    string        `expr:"blame"`  // that of the longest gap

	Convergence  Convergence   `expr:"convergence"`  // the slowest; what has not converged is slower than what has
	Convergences []Convergence `expr:"convergences"` // by event; of a run without events, how the network came up
	Sessions     []Session     `expr:"sessions"`     // both ends of each, when the run is over
	Converged    bool          `expr:"converged"`    // when the run ended, routing had come to rest
	Repeats      bool          `expr:"repeats"`      // its state is known to repeat: it never will
	Period       time.Duration `expr:"period"`       // … after so long; 0: it does not, or no time passes

	Duration   func(string) (time.Duration, error)                          `expr:"duration"`
	At         func(string) (time.Duration, error)                          `expr:"at"`
	Best       func(router, prefix string, at time.Duration) (Route, error) `expr:"best"`
	Session    func(router, link string) (Session, error)                   `expr:"session"`
	Tunnel     func(router, link string) (Tunnel, error)                    `expr:"tunnel"`
	Forwarding func(from, to string) (Forwarding, error)                    `expr:"forwarding"`
	BlackHole  func(from, to string) (time.Duration, error)                 `expr:"blackhole"`  // how long packets vanished: into black holes, and into what the far end has left
	Loop       func(from, to string) (time.Duration, error)                 `expr:"loop"`       // how long they went round in circles
	Stale      func(from, to string) (time.Duration, error)                 `expr:"stale"`      // how long a path was used that its far end had given up
	Asymmetric func(from, to string) (time.Duration, error)                 `expr:"asymmetric"` // how long the ways differed

	Blames func(gap Gap, parameter string) bool `expr:"blames"`
}

// ofOneRun are the names that say something about a run.
var ofOneRun = func() map[string]bool {
	list := map[string]bool{}
	t := reflect.TypeFor[names]()
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("expr"); len(argumentKinds[name]) != 1 { // duration and at say nothing
			list[name] = true
		}
	}
	return list
}()

// sessionOf is what an expression sees of one end of a session.
func sessionOf(s *report.Session) Session {
	out := Session{Router: s.Router, Link: s.Link, UpBy: Never, State: s.State, Since: time.Duration(s.SinceS),
		Hold: time.Duration(s.HoldS), Keepalive: time.Duration(s.KeepaliveS)}
	for _, h := range s.History {
		if h.To == report.Established {
			out.UpBy = time.Duration(h.AtS)
			break
		}
	}
	if s.BFD != nil {
		out.BFD, out.Detection = s.BFD.State, time.Duration(s.BFD.DetectionS)
	}
	return out
}

// convergences sums up the prefixes of each event.
func convergences(doc *report.Document) []Convergence {
	rows := doc.Convergence
	if len(rows) == 0 {
		rows = doc.BringUp
	}
	var list []Convergence
	for _, e := range report.Events(rows) {
		t := report.Total(e)
		list = append(list, Convergence{Event: t.Event, At: time.Duration(t.AtS), Seconds: time.Duration(t.Seconds),
			Announcements: t.Announcements, Withdrawals: t.Withdrawals, RIBChanges: t.RIBChanges,
			FIBChanges: t.FIBChanges, TableChanges: t.TableChanges, Converged: t.Converged})
	}
	return list
}

// Forwarding is how long each state of forwarding between two addresses lasted.
type Forwarding struct {
	OK         time.Duration `expr:"ok"`
	BlackHole  time.Duration `expr:"black_hole"`
	Loop       time.Duration `expr:"loop"`
	Stale      time.Duration `expr:"stale_return_path"`
	Asymmetric time.Duration `expr:"asymmetric"`
	Lost       time.Duration `expr:"lost"`
	Loops      int           `expr:"loops"`       // how often there was one
	BlackHoles int           `expr:"black_holes"` // …
}

// forwardingBetween finds a pair among those that were watched.
func forwardingBetween(doc *report.Document, from, to string) (Forwarding, error) {
	for i := range doc.Forwarding {
		f := &doc.Forwarding[i]
		if (f.From == from || f.FromAddress == from) && (f.To == to || f.ToAddress == to) {
			s := &f.Seconds
			return Forwarding{OK: time.Duration(s.OK), BlackHole: time.Duration(s.BlackHole), Loop: time.Duration(s.Loop),
				Stale: time.Duration(s.StaleReturnPath), Asymmetric: time.Duration(s.Asymmetric), Lost: time.Duration(s.Lost),
				Loops: f.Count.Loop, BlackHoles: f.Count.BlackHole}, nil
		}
	}
	return Forwarding{}, fmt.Errorf("nobody watched %s -> %s: write watch: [%s -> %s]", from, to, from, to)
}

func gapOf(g *report.Gap) Gap {
	out := Gap{N: g.N, Probe: g.Probe, Lost: g.Lost, LastOKSeq: g.LastOKSeq, FirstOKSeq: g.FirstOKSeq,
		ProbeGap: time.Duration(g.ProbeGapS), Outage: time.Duration(g.OutageS),
		Start: time.Duration(g.StartS), End: time.Duration(g.EndS), Open: g.Open, Direction: g.Direction,
		RequestOutage: time.Duration(g.RequestOutageS), ReplyOutage: time.Duration(g.ReplyOutageS)}
	var longest report.Seconds = -1
	for _, w := range g.Chain {
		if length := w.EndS - w.StartS; length > longest {
			longest, out.Blame = length, w.Parameter
		}
	}
	return out
}
