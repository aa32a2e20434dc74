package explain

import (
	"github.com/vpnsim/vpnsim/expect"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// Brief runs a design again and again, and makes of each run as much of the Document
// as its expectations look at: what it has is what the whole one would have
// (TestBriefIsTheSame), in a tenth of the time. The record, which only words, chains
// and histories are made of, is left out when nobody asks for those.
type Brief struct {
	a     *Answer
	look  *lookup
	needs expect.Needs
}

// NewBrief is for a design and what is to be known about its runs.
func NewBrief(d *topology.Design, needs expect.Needs) (*Brief, error) {
	a := &Answer{Design: d}
	b := &Brief{a, &lookup{a: a}, needs}
	if d.Internet != nil {
		return b, nil
	}
	opt := network.Options{Convergence: true}
	if needs.Blame || needs.Ends {
		a.Log = &trace.Log{}
		opt.Log = a.Log
	}
	if needs.Forwarding {
		pairs, err := watched(d, nil)
		if err != nil {
			return nil, err
		}
		opt.Watch = pairs
	}
	a.Net = network.New(d, opt)
	return b, nil
}

// Run runs it once. The facts are valid until the next Run.
func (b *Brief) Run(seed uint64) *expect.Facts {
	a := b.a
	a.ask.Seed = seed
	if a.Design.Internet != nil {
		a.internet()
		return a.env(b.look).Facts()
	}
	a.origins = map[step]lead{}
	a.Result = a.Net.Run(seed)
	a.Doc = &report.Document{EndS: seconds(a.Result.End), Digest: digest(a.Result)}
	for i := range a.Result.Probes {
		r := &a.Result.Probes[i]
		p := report.Probe{Name: a.Design.Probes[i].Name, Sent: r.Sent, Lost: r.Lost()}
		p.Received = p.Sent - p.Lost
		a.Doc.Probes = append(a.Doc.Probes, p)
	}
	if b.needs.Ends {
		a.Doc.Sessions, a.Doc.Tunnels = a.sessions()
	}
	if b.needs.Forwarding {
		a.forwarding(false)
	}
	a.convergence()
	a.Doc.Ending = ending(&a.Result.Ending, a.Result.End, a.Result.Cut)
	a.allGaps(false, b.needs.Blame)
	return a.env(b.look).Facts()
}

// Document of the last Run, as far as it was made.
func (b *Brief) Document() *report.Document { return b.a.Doc }

// Cut tells whether the last Run was ended because routing did not come to rest.
func (b *Brief) Cut() bool { return b.a.Result != nil && b.a.Result.Cut }

// Open tells whether an outage was not over at its end.
func (b *Brief) Open() bool {
	for i := range b.a.Doc.Gaps {
		if b.a.Doc.Gaps[i].Open {
			return true
		}
	}
	return false
}
