package lab

import (
	"fmt"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/daemonconf"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/topology"
)

// instant is the longest gap that counts as none: with the usual ping, one probe, and a
// little because the real ping's interval is longer than it says.
const instant = time.Second + 50*time.Millisecond

// Machine is by how much two gaps differ that do not. A machine that is busy takes tenths of a second
// for starting a process, or to be told of an event; and a hole of exactly 5 s swallows 25
// pings of 0.2 s and never 26, but the real ones are not quite 0.2 s apart.
const Machine = 300 * time.Millisecond

// Beside is how far a measured gap may lie outside the range of the predicted ones: an interval
// of the ping, in which gaps are counted, and what a machine takes.
func Beside(every time.Duration) time.Duration { return every + 100*time.Millisecond }

// TrialDocument is a trial as it is printed.
func (p *Plan) TrialDocument(number int, seed uint64, t *Trial, err error) report.LabTrial {
	doc := report.LabTrial{Number: number, Seed: seed}
	if err != nil {
		doc.Error = err.Error()
		return doc
	}
	n := network.New(p.Design, network.Options{})
	doc.GapS = report.Seconds(t.Gap())
	for _, f := range t.Faults {
		doc.Events = append(doc.Events, report.LabEvent{AtS: report.Seconds(f.At), TookS: report.Seconds(f.Took), What: n.FaultText(f.Event)})
	}
	for _, x := range t.Pings {
		ping := report.LabPing{Probe: p.Design.Probes[x.Probe].Name, Sent: x.Sent, Received: x.Received, GapS: report.Seconds(x.Gap), LeastS: report.Seconds(x.Least)}
		if ping.Probe == "" {
			pr := &p.Design.Probes[x.Probe]
			ping.Probe = fmt.Sprintf("%s -> %s", p.Design.Hosts[pr.From].Name, p.Design.Hosts[pr.To].Name)
		}
		if x.Most > 0 {
			most := report.Seconds(x.Most)
			ping.MostS = &most
		}
		doc.Pings = append(doc.Pings, ping)
	}
	for _, c := range t.Changes {
		doc.Changes = append(doc.Changes, report.LabChange{AtS: report.Seconds(c.At), AfterS: report.Seconds(t.since(c.At)), Router: c.Router, Prefix: c.Prefix, Via: c.Via, Down: c.Down})
	}
	p.talk(&doc, t)
	for _, x := range t.SAs {
		doc.SAs = append(doc.SAs, report.LabSA{AtS: report.Seconds(x.At), AfterS: report.Seconds(t.since(x.At)), Router: x.Router, Tunnel: x.Tunnel, Up: x.Up})
	}
	return doc
}

// Document is all of a run as it is printed.
func (p *Plan) Document(opt Options, res *Results) report.Lab {
	doc := report.Lab{VPNSim: "v1", Kind: report.LabKind, Tunnel: string(p.Tunnel), Scenario: p.Scenario.File, ScenarioSHA256: p.Scenario.SHA256, Seed: opt.Seed, Kernel: Kernel(), LengthS: report.Seconds(p.Length(opt))}
	if p.Tunnel == IPsec {
		doc.IPsec = swanVersion()
	}
	for i := range p.Scenario.Routers {
		from, to := &p.Scenario.Routers[i], &p.Design.Routers[i]
		r := report.LabRouter{Router: from.Name, Daemon: to.Profile, Program: Version(p.Daemons[i]), Instead: from.Profile}
		for k := range topology.NumKeys {
			a, b := from.Settings[k].Format(k), to.Settings[k].Format(k)
			if a != b && (telling(k) || p.Tunnel == IPsec && ofIPsec(k)) {
				r.Differs = append(r.Differs, report.LabSetting{Path: fmt.Sprintf("routers.%s.%v", from.Name, k), Scenario: a, Lab: b})
			}
		}
		doc.Routers = append(doc.Routers, r)
		for _, c := range p.configs[i].Cannot {
			if strings.Contains(c.Path, ".vpn.") {
				continue // there is no IPsec in the simulation either
			}
			if p.Daemons[i] == daemonconf.GoBGP && strings.Contains(c.Path, ".fib.") {
				continue // the installer's matter
			}
			doc.Cannot = append(doc.Cannot, report.LabSetting{Path: c.Path, Scenario: c.Value, Lab: c.Instead})
		}
	}
	doc.Interrupted = res.Interrupted
	for i, t := range res.Trials {
		if t == nil && res.Errors[i] == nil {
			continue
		}
		doc.Trials = append(doc.Trials, p.TrialDocument(i+1, opt.Seed+uint64(i), t, res.Errors[i]))
		if beside := int64(Beside(p.Design.Probes[0].Every)); t != nil {
			if g := int64(t.Gap()); g < res.Predicted.Min()-beside || g > res.Predicted.Max()+beside {
				doc.Outside++
			}
		}
	}
	doc.Measured, doc.Predicted = sample(res.Measured), sample(res.Predicted)
	test := stats.KolmogorovSmirnovWithin(res.Predicted, res.Measured, int64(Machine))
	doc.Distance, doc.P = test.Statistic, test.P
	return doc
}

// telling are settings whose difference changes what a failure does; the others are
// how a daemon comes by the same.
func telling(k topology.Key) bool {
	switch k {
	case topology.BGPHold, topology.BGPHoldJitter, topology.BGPKeepalive, topology.BGPKeepaliveJitter, topology.BGPKeepaliveFixed, topology.BGPMultipath, topology.BGPDecision,
		topology.BGPMRAI, topology.BGPMRAIMode, topology.BGPIdleHold, topology.BGPConnectRetry, topology.BGPFirstUpdate, topology.BGPGracefulRestart, topology.BGPLongLived,
		topology.BGPFastFallover, topology.FIBDelay, topology.RouteTableKind, topology.VPNDPDInterval, topology.BFDEnabled:
		return true
	}
	return false
}

func sample(h *stats.Histogram) report.LabSample {
	return report.LabSample{N: int(h.N()), Instant: int(h.AtMost(int64(instant))), MinS: report.Seconds(h.Min()), MaxS: report.Seconds(h.Max()),
		MedianS: report.Seconds(h.Quantile(0.5)), P95S: report.Seconds(h.Quantile(0.95))}
}
