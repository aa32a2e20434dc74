package risk

import (
	"math"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/topology"
)

// Year is a Julian one.
const Year = 365.25 * 24 * time.Hour

// Method is how a number was come by.
type Method string

const (
	Simulation Method = "simulation"
	Splitting  Method = "splitting"
	Tilting    Method = "importance sampling"
	Stalls     Method = "stalls made frequent"
	Exact      Method = "exact: nothing is lost, nothing stalls"
)

// Estimate is the false drops of one tunnel in a year.
type Estimate struct {
	Method    string
	PerYear   float64
	Low, High float64 // of the interval; equal if the number is exact
	Drops     int64   // that were seen, in this time of the plain simulation
	Hours     float64 // tunnel-hours
	Reasons   [network.NumDropReasons]int64
}

// Effort is what an estimate may cost.
type Effort struct {
	Runs       int // of an hour, of the plain simulation
	Enough     int // drops after which it ends
	Trials     int // of a stage of splitting
	Repeats    int // of splitting
	Weighed    int // runs of importance sampling
	Confidence float64
}

// Usual effort: a second or two for a design of two tunnels.
var Usual = Effort{Runs: 30, Enough: 100, Trials: 80, Repeats: 8, Weighed: 4000, Confidence: 0.95}

// hour is the length of a plain run, window of one in splitting.
const (
	hour   = time.Hour
	window = 5 * time.Minute
	few    = 10 // drops are too few for the plain simulation
)

// Of a design, from a seed on. The same design and seed give the same estimate.
func Of(d *topology.Design, seed uint64, e Effort) Estimate {
	quiet := withoutStory(d)
	tunnels := watched(quiet)
	if tunnels == 0 || harmless(quiet) {
		return Estimate{Method: string(Exact)}
	}
	est := simulate(quiet, seed, e)
	stalls := stallsOf(quiet)
	if est.Drops >= few || est.Drops > 0 && lossless(quiet) && !stalls.rare() {
		return est
	}
	var parts []Estimate
	switch {
	case lossless(quiet):
	case bursty(quiet) || worstLoss(quiet) > tiltMost:
		parts = append(parts, split(withoutStalls(quiet), tunnels, seed, e))
	default:
		parts = append(parts, tilted(withoutStalls(quiet), tunnels, seed, e))
	}
	if stalls.any() {
		parts = append(parts, force(withoutLoss(quiet), stalls, seed, e))
	}
	if len(parts) == 0 { // jitter alone
		return est
	}
	out := Estimate{Drops: est.Drops, Hours: est.Hours, Reasons: est.Reasons, Method: parts[0].Method}
	for i, p := range parts {
		if i > 0 {
			out.Method += " + " + p.Method
		}
		out.PerYear, out.Low, out.High = out.PerYear+p.PerYear, out.Low+p.Low, out.High+p.High
	}
	return out
}

// withoutStory is the design as it runs when nothing happens to it.
func withoutStory(d *topology.Design) *topology.Design {
	c := *d
	c.Story, c.Expect, c.Watch = nil, nil, nil
	c.Probes = append([]topology.Probe(nil), d.Probes...)
	for i := range c.Probes {
		c.Probes[i].For = 0 // its traffic goes on
	}
	return &c
}

func withoutLoss(d *topology.Design) *topology.Design {
	c := *d
	c.Links = append([]topology.Link(nil), d.Links...)
	for i := range c.Links {
		c.Links[i].Loss = topology.Loss{}
	}
	return &c
}

func withoutStalls(d *topology.Design) *topology.Design { return stalling(d, topology.Const(0)) }

// stalling is a design whose routers that stall do so at other distances.
func stalling(d *topology.Design, every topology.Dist) *topology.Design {
	c := *d
	c.Routers = append([]topology.Router(nil), d.Routers...)
	for i := range c.Routers {
		if x := &c.Routers[i].Settings[topology.StallEvery]; x.Dist.Max() > 0 {
			x.Dist = every
		}
	}
	return &c
}

func lasting(d *topology.Design, t time.Duration) *topology.Design {
	c := *d
	c.For = t
	return &c
}

// watched counts the links that have something to be dropped.
func watched(d *topology.Design) (n int) {
	for i := range d.Links {
		if l := &d.Links[i]; l.Kind == topology.Tunnel || l.Ends[0].BGP && l.Ends[1].BGP {
			n++
		}
	}
	return n
}

func lossless(d *topology.Design) bool {
	for i := range d.Links {
		if l := &d.Links[i].Loss; l.P > 0 || l.ToBad > 0 {
			return false
		}
	}
	return true
}

// bursty tells whether losses of a link come in bursts.
func bursty(d *topology.Design) bool {
	for i := range d.Links {
		if d.Links[i].Loss.ToBad > 0 {
			return true
		}
	}
	return false
}

func worstLoss(d *topology.Design) (p float64) {
	for i := range d.Links {
		p = max(p, d.Links[i].Loss.P)
	}
	return p
}

// stallsOf are the means of the distances and lengths of the stalls of each router that has some.
type stallRates []struct{ every, lasts time.Duration }

func stallsOf(d *topology.Design) (list stallRates) {
	for i := range d.Routers {
		s := &d.Routers[i].Settings
		if every, lasts := &s[topology.StallEvery].Dist, &s[topology.StallFor].Dist; every.Max() > 0 && lasts.Max() > 0 {
			list = append(list, struct{ every, lasts time.Duration }{every.Mean(), lasts.Mean()})
		}
	}
	return list
}

func (s stallRates) any() bool { return len(s) > 0 }

// rare: an hour does not have one.
func (s stallRates) rare() bool {
	for _, x := range s {
		if x.every > hour/4 {
			return true
		}
	}
	return false
}

// harmless tells whether nothing can be dropped by chance: nothing is lost, no process stalls, and no
// packet takes long enough that anybody would take it for lost.
func harmless(d *topology.Design) bool {
	if !lossless(d) || stallsOf(d).any() {
		return false
	}
	for i := range d.Links {
		l := &d.Links[i]
		slow := l.Delay.Dist.Max()
		for e := range 2 {
			s, o := &l.Ends[e].Settings, &l.Ends[1-e].Settings
			hold := min(s[topology.BGPHold].Dist.Min(), o[topology.BGPHold].Dist.Min())
			if o[topology.BGPKeepaliveFixed].Bool || slow > hold/4 && hold > 0 || slow > time.Second {
				return false
			}
			if !s[topology.BFDEnabled].Bool || !o[topology.BFDEnabled].Bool {
				continue
			}
			every := max(s[topology.BFDMinRx].Dist.Min(), o[topology.BFDMinTx].Dist.Min())
			if o[topology.BFDMultiplier].Int < 2 || slow > every/2 {
				return false
			}
		}
	}
	return true
}

// simulate counts.
func simulate(d *topology.Design, seed uint64, e Effort) (est Estimate) {
	n := network.New(lasting(d, hour), network.Options{})
	total := time.Duration(0)
	for i := range e.Runs {
		res := n.Run(mix(seed, uint64(i)))
		for j := range res.Drops {
			x := &res.Drops[j]
			total += x.Watched
			for r, k := range x.ByChance {
				est.Reasons[r] += int64(k)
			}
			est.Drops += int64(x.Chance())
		}
		if est.Drops >= int64(e.Enough) {
			break
		}
	}
	est.Hours = total.Hours()
	years := max(float64(total)/float64(Year), 1e-12)
	rate := stats.NewRate(est.Drops, years, e.Confidence)
	est.Method, est.PerYear, est.Low, est.High = string(Simulation), rate.Value, rate.Low, rate.High
	return est
}

// force simulates stalls that come often, a distance that leaves time to recover apart, and reckons
// with how often they come.
func force(d *topology.Design, s stallRates, seed uint64, e Effort) Estimate {
	// A stall and what follows is over in 10 minutes; how long is not of interest here.
	apart := 10 * time.Minute
	year := 0.0 // stalls of all routers
	for _, x := range s {
		year += float64(Year) / float64(max(x.every+x.lasts, time.Second))
	}
	tunnels := watched(d)
	n := network.New(lasting(stalling(d, topology.NewUniform(apart*9/10, apart*11/10)), hour), network.Options{})
	drops, stalls := int64(0), int64(0)
	for i := range e.Runs {
		res := n.Run(mix(seed, 1<<32|uint64(i)))
		stalls += int64(res.Stalls)
		for j := range res.Drops {
			drops += int64(res.Drops[j].Chance())
		}
	}
	// Drops of a stall, of all tunnels: a stall can drop several. Garwood's interval on the stalls that
	// dropped any would be too narrow where it drops all, so the count is divided by the tunnels first.
	rate := stats.NewRate(drops/int64(tunnels), float64(max(stalls, 1)), e.Confidence)
	if drops > 0 && drops < int64(tunnels) {
		rate = stats.NewRate(1, float64(max(stalls, 1)), e.Confidence)
	}
	value := float64(drops) / float64(tunnels) / float64(max(stalls, 1))
	return Estimate{Method: string(Stalls), PerYear: value * year, Low: rate.Low * year, High: rate.High * year}
}

// mix makes a seed of two numbers.
func mix(a, b uint64) uint64 {
	z := a*0x9e3779b97f4a7c15 ^ b*0xd1342543de82ef95
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// perYear turns the probability of a drop in the window into drops of one tunnel in a year.
func perYear(p float64, tunnels int) float64 {
	return -math.Log1p(-min(p, 1-1e-12)) * float64(Year) / float64(window) / float64(tunnels)
}
