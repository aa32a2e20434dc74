package explain

import (
	"fmt"
	"time"

	"github.com/vpnsim/vpnsim/asgraph"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/probe"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// Loader reads the scenario again with more --set assignments, for runs that
// change something.
type Loader func(sets []string) (*topology.Design, error)

// Ask says what to work out.
type Ask struct {
	Load    Loader
	Seed    uint64
	Sets    []string
	Version string
	At      *time.Duration // tables as of then; nil: the end of the run
	Watch   []string       // pairs of addresses whose forwarding is followed, besides those of the scenario
	WhatIf  Depth
	Wire    bool // every message goes through real bytes and back
	Capture bool // keep packets, for captures
}

// Depth is how much is tried again with something changed.
type Depth int

const (
	NoWhatIf  Depth = iota
	ChainOnly       // what the chain blames, and MRAI
	EverySuspect
)

// Answer is a run that has been looked into.
type Answer struct {
	Doc    *report.Document
	Net    *network.Network
	Log    *trace.Log
	Result *network.Result
	Design *topology.Design
	// Internet is what ran instead of Net if the design is a graph of ASes; there is
	// no Log and no Result then.
	Internet *asgraph.Internet
	// EndingExpected: an expectation is about whether routing comes to rest.
	EndingExpected bool
	ask            Ask
	origins        map[step]lead // that were found (began)
	echoes         []probe.Echo  // of the last probe that was looked at; kept for its memory
}

// Run runs the scenario and explains every gap.
func Run(ask Ask) (*Answer, error) {
	d, err := ask.Load(ask.Sets)
	if err != nil {
		return nil, err
	}
	if d.Internet != nil {
		a := &Answer{Design: d, ask: ask}
		a.internet()
		return a, nil
	}
	log := &trace.Log{Capture: ask.Capture}
	a := &Answer{Log: log, Design: d, ask: ask, origins: map[step]lead{}}
	pairs, err := watched(d, ask.Watch)
	if err != nil {
		return nil, err
	}
	a.Net = network.New(d, network.Options{Log: log, Wire: ask.Wire, Convergence: true, Watch: pairs})
	a.Result = a.Net.Run(ask.Seed)
	a.Doc = a.document()
	a.forwarding(true)
	a.convergence()
	a.Doc.Ending = ending(&a.Result.Ending, a.Result.End, a.Result.Cut)
	a.allGaps(true, true)
	if ask.WhatIf > NoWhatIf && len(a.Doc.Gaps) > 0 && !a.Result.Cut { // it would be cut again and again
		if err := a.whatIf(); err != nil {
			return nil, err
		}
	}
	a.Doc.Routes = a.tables()
	return a, nil
}

// allGaps lists the gaps of all probes.
func (a *Answer) allGaps(words, chains bool) {
	for i := range a.Result.Probes {
		a.gaps(i, words, chains)
	}
	for i := range a.Doc.Gaps {
		a.Doc.Gaps[i].N = i + 1
	}
}

func digest(r *network.Result) string { return fmt.Sprintf("%016x", r.Digest) }

// document fills in everything but gaps and tables.
func (a *Answer) document() *report.Document {
	d := a.Design
	doc := &report.Document{
		VPNSim: "v1", Kind: "run", Version: a.ask.Version,
		Scenario: d.File, Name: d.Name, ScenarioSHA256: d.SHA256,
		Seed: a.ask.Seed, Sets: a.ask.Sets, Digest: digest(a.Result),
		EndS: seconds(a.Result.End),
	}
	doc.Assumptions = assumptions(d)
	for i := range d.Story {
		f := &d.Story[i]
		if t := a.Net.FaultTime(i); t <= a.Result.End {
			doc.Story = append(doc.Story, report.Fault{AtS: seconds(t), What: a.Net.FaultText(i),
				Path: fmt.Sprintf("story[%d]", f.Index), Source: f.Pos.String()})
		}
	}
	for i := range a.Result.Probes {
		doc.Probes = append(doc.Probes, a.probe(i))
	}
	doc.Sessions, doc.Tunnels = a.sessions()
	doc.Timeline = a.timeline()
	return doc
}

func (a *Answer) probe(i int) report.Probe {
	p, r := &a.Design.Probes[i], &a.Result.Probes[i]
	from, to := &a.Design.Hosts[p.From], &a.Design.Hosts[p.To]
	src, dst := a.Design.Ends(p)
	out := report.Probe{Name: p.Name, From: src.String(), To: dst.String(), FromHost: from.Name, ToHost: to.Name,
		Size: p.Size, EveryS: report.Seconds(p.Every), Sent: r.Sent, Lost: r.Lost()}
	out.Received = out.Sent - out.Lost
	if out.Sent > 0 {
		out.LossRate = float64(out.Lost) / float64(out.Sent)
	}
	for s := 1; s <= r.Sent; s++ {
		e := report.Echo{Seq: s, SentS: seconds(r.SentAt(s)), RTTNs: int64(r.RTT[s-1]), TTL: int(r.TTL[s-1])}
		if e.RTTNs == 0 {
			e.TTL, e.Lost = 0, a.Net.Fate(i, s)
		}
		out.Echoes = append(out.Echoes, e)
	}
	out.RTT = rtt(r)
	return out
}

func seconds(t sim.Time) report.Seconds { return report.Seconds(t) }

// assumptions lists what nobody has documented: what the scenario says about
// itself, and the profiles' assumed values.
func assumptions(d *topology.Design) []report.Assumption {
	var list []report.Assumption
	for _, n := range d.Notes {
		list = append(list, report.Assumption{Parameter: n.Path, Value: "", Why: n.Text})
	}
	if x := d.Internet; x != nil {
		for _, k := range topology.InternetKeys {
			if s := &x.Settings[k]; s.Origin.Status == topology.Assumed {
				list = append(list, report.Assumption{Parameter: "generate." + k.String(), Value: s.Format(k), Why: s.Origin.String()})
			}
		}
	}
	watched := d.WithBFD()
	for i := range d.Routers {
		r := &d.Routers[i]
		for k := range topology.NumKeys {
			s := &r.Settings[k]
			if s.Origin.Status == topology.Assumed && (watched[i] || !k.BFDDetail()) {
				list = append(list, report.Assumption{Parameter: "routers." + r.Name + "." + k.String(), Value: s.Format(k), Why: s.Origin.String()})
			}
		}
	}
	return list
}
