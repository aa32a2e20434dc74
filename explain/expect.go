package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/vpnsim/vpnsim/expect"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sim"
)

// Expect evaluates what the scenario expects and writes the outcome into the
// document; it tells whether everything held that one run can tell. An expectation that cannot be
// told has not held: a check that says nothing must not pass for one that does.
func (a *Answer) Expect() bool {
	all := true
	env := a.env(&lookup{a: a})
	for _, e := range a.Design.Expect {
		x := report.Expectation{Expr: e.Expr, Source: e.Pos.String()}
		p, err := expect.Compile(e.Expr)
		if err == nil {
			a.EndingExpected = a.EndingExpected || p.Mentions("converged", "repeats", "period", "convergence", "convergences")
		}
		if err == nil && p.Many() {
			x.Many, x.Got = true, "over many runs: vpnsim test"
			a.Doc.Expectations = append(a.Doc.Expectations, x)
			continue
		}
		if err == nil {
			x.OK, x.Got, err = expect.Eval(p, env)
		}
		if err != nil {
			x.OK, x.Got = false, "cannot be told: "+err.Error()
		}
		all = all && x.OK
		a.Doc.Expectations = append(a.Doc.Expectations, x)
	}
	return all
}

// Facts are what expectations can name of the run.
func (a *Answer) Facts() *expect.Facts { return a.env(&lookup{a: a}).Facts() }

// env is what expectations are about.
func (a *Answer) env(l *lookup) expect.Env {
	if a.Internet != nil {
		return expect.Env{Doc: a.Doc, Best: a.bestOf}
	}
	return expect.Env{Doc: a.Doc, Best: l.best}
}

// lookup finds best routes at any instant of the run. Each instant is another
// run up to there, so it is kept: expectations tend to ask about the same one.
type lookup struct {
	a    *Answer
	nets map[time.Duration]*instant
}

// instant is a network as it was then.
type instant struct {
	net  *network.Network
	seed uint64
}

func (l *lookup) best(router, prefix string, at time.Duration) (expect.Route, error) {
	r, err := l.a.router(router)
	if err != nil {
		return expect.Route{}, err
	}
	p, err := netip.ParsePrefix(prefix)
	if err != nil {
		return expect.Route{}, fmt.Errorf("%q is not a prefix", prefix)
	}
	n := l.at(at)
	rows := bgpRows(n, r, p.Masked(), sim.Time(at))
	i := slices.IndexFunc(rows, func(row report.Route) bool { return row.Best })
	if i < 0 {
		return expect.Route{}, nil
	}
	return expect.RouteOf(&rows[i]), nil
}

// mostInstants bounds the memory that one scenario's expectations can ask for.
const mostInstants = 64

func (l *lookup) at(t time.Duration) *network.Network {
	seed := l.a.ask.Seed
	if t == l.a.Design.For {
		return l.a.Net
	}
	i, ok := l.nets[t]
	if ok && i.seed == seed {
		return i.net
	}
	if !ok {
		i = &instant{net: network.New(l.a.Design, network.Options{})}
		if l.nets == nil {
			l.nets = map[time.Duration]*instant{}
		}
		if len(l.nets) < mostInstants {
			l.nets[t] = i
		}
	}
	i.seed = seed
	i.net.RunTo(seed, sim.Time(t))
	return i.net
}
