package tune

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/vpnsim/vpnsim/profile"
	"github.com/vpnsim/vpnsim/risk"
	"github.com/vpnsim/vpnsim/stats"
	"github.com/vpnsim/vpnsim/sweep"
	"github.com/vpnsim/vpnsim/topology"
)

// Ask is a question.
type Ask struct {
	Goal    Goal
	Keep    []Keep
	Vary    []sweep.Vary
	Beyond  bool // also what platforms do not offer
	Runs    int  // of each point
	Seed    uint64
	Sets    []string
	Workers int
	Load    func(sets []string) (*topology.Design, error)
	// Progress is told how far the search is, of steps that take about as long.
	Progress func(done, total int64)
}

// MostPoints of a search.
const MostPoints = 500

// brief is how many points are looked at closely at once; of more, only those that a brief look leaves.
const brief = 40

// Number is a quantity at a point.
type Number struct {
	Value, Low, High float64
	Known            bool // there is an interval; an end that is not known is infinite
	N                int64
	Method           string
}

// Point that was tried.
type Point struct {
	Set      []string
	Changed  int // of its settings are not as they were
	Goal     Number
	Keep     []Number
	Kept     bool // all constraints hold …
	Sure     bool // … with their whole intervals
	Front    bool
	Brief    bool // it was plainly worse than another one after a brief look
	Same     bool // run by run the scenario as it is
	SameRuns int64
	Worst    uint64 // the seed of the run with the largest value of the goal's metric
}

// LeftOut is a point's assignment that a platform does not offer.
type LeftOut struct {
	Set    string
	Reason string
	Points int
}

// Idle is a value of a parameter that does nothing.
type Idle struct {
	Set    string
	Runs   int64
	Reason string // "" where the program knows none
}

// Answer of a search. Best and Cheapest are places in Points; -1: no point keeps the constraints.
type Answer struct {
	Ask      *Ask
	Base     *topology.Design
	Points   []Point // the first is the scenario as it is
	LeftOut  []LeftOut
	Idle     []Idle
	Best     int
	Cheapest int
}

// Search answers.
func Search(ctx context.Context, ask *Ask) (*Answer, error) {
	base, err := ask.Load(ask.Sets)
	if err != nil {
		return nil, err
	}
	a := &Answer{Ask: ask, Base: base, Best: -1, Cheapest: -1}
	if err := a.makePoints(); err != nil {
		return nil, err
	}
	designs := make([]*topology.Design, len(a.Points))
	for i := range a.Points {
		if designs[i], err = ask.Load(slices.Concat(ask.Sets, a.Points[i].Set)); err != nil {
			return nil, err
		}
	}
	if len(a.Points) > brief {
		if err := a.look(ctx, designs, max(ask.Runs/10, 50), risk.Effort{Runs: 10, Enough: 50, Trials: 40, Repeats: 4, Weighed: 1000, Confidence: sweep.Confidence}); err != nil {
			return nil, err
		}
		a.eliminate()
	}
	if err := a.look(ctx, designs, ask.Runs, risk.Usual); err != nil {
		return nil, err
	}
	a.findIdle(designs)
	a.judge()
	return a, nil
}

// makePoints: the scenario as it is, every value alone, every combination. A value alone is what shows
// whether it does something, and the cheapest change there is. A value that a setting has already is no
// change, and points that change the same are one.
func (a *Answer) makePoints() error {
	grid, err := sweep.Grid(a.Ask.Vary)
	if err != nil {
		return err
	}
	all := [][]string{{}}
	if len(a.Ask.Vary) > 1 {
		for _, v := range a.Ask.Vary {
			for _, x := range v.Values {
				all = append(all, []string{v.Path + "=" + x})
			}
		}
	}
	all = append(all, grid[1:]...)
	seen := map[string]bool{}
	for _, all := range all {
		var sets []string // that change something
		for _, set := range all {
			if changes(a.Base, set) {
				sets = append(sets, set)
			}
		}
		if key := strings.Join(sets, "\n"); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		missing := false
		for _, set := range sets {
			if _, why := profile.NotOffered(a.Base, set); why != "" && !a.Ask.Beyond {
				missing = true
				i := slices.IndexFunc(a.LeftOut, func(l LeftOut) bool { return l.Set == set })
				if i < 0 {
					i = len(a.LeftOut)
					a.LeftOut = append(a.LeftOut, LeftOut{Set: set, Reason: why})
				}
				a.LeftOut[i].Points++
			}
		}
		if !missing {
			a.Points = append(a.Points, Point{Set: sets, Changed: len(sets)})
		}
	}
	if len(a.Points) > MostPoints {
		return fmt.Errorf("%d points are more than %d: vary fewer settings, or give them fewer values", len(a.Points), MostPoints)
	}
	return nil
}

// changes tells whether an assignment gives a setting another value than it has.
func changes(d *topology.Design, set string) bool {
	s, k, ok := setting(d, set)
	if !ok {
		return true
	}
	_, text, _ := strings.Cut(set, "=")
	v, err := topology.ParseValue(k, text)
	return err != nil || v.Format(k) != s[k].Format(k)
}

// setting finds what an assignment to routers.NAME is about.
func setting(d *topology.Design, set string) (*topology.Settings, topology.Key, bool) {
	path, _, _ := strings.Cut(set, "=")
	parts := strings.SplitN(path, ".", 3)
	if len(parts) < 3 || parts[0] != "routers" {
		return nil, 0, false
	}
	r := slices.IndexFunc(d.Routers, func(r topology.Router) bool { return r.Name == parts[1] })
	k, ok := topology.KeyByPath(parts[2])
	if r < 0 || !ok {
		return nil, 0, false
	}
	return &d.Routers[r].Settings, k, true
}

// quantities are the goal and the constraints.
func (a *Answer) quantities() []Quantity {
	list := []Quantity{a.Ask.Goal.Quantity}
	for _, k := range a.Ask.Keep {
		list = append(list, k.Quantity)
	}
	return list
}

// look measures all points that are left.
func (a *Answer) look(ctx context.Context, designs []*topology.Design, runs int, effort risk.Effort) error {
	var metrics []sweep.Metric
	flaps := false
	for _, q := range a.quantities() {
		m, ok := sweep.Find(q.Metric)
		flaps = flaps || q.Metric == FlapsPerYear
		if ok && !slices.Contains(metrics, m) {
			metrics = append(metrics, m)
		}
	}
	var left []int
	for i := range a.Points {
		if !a.Points[i].Brief {
			left = append(left, i)
		}
	}
	total, done := int64(0), int64(0)
	if len(metrics) > 0 {
		total = int64(len(left) * runs)
	}
	perRisk := int64(runs) // a step of risk counts as much as a point's runs
	if flaps {
		total += int64(len(left)) * perRisk
	}
	var res *sweep.Result
	if len(metrics) > 0 {
		plan := &sweep.Plan{Identity: sweep.Identity{Scenario: a.Base.File, Metrics: metrics, First: a.Ask.Seed, Runs: runs}}
		for _, i := range left {
			plan.Points = append(plan.Points, a.Points[i].Set)
		}
		plan.Make = func(i int) (sweep.Sampler, error) { return sweep.NewSampler(designs[left[i]], metrics) }
		for i := range plan.Points {
			if _, err := plan.Make(i); err != nil {
				return err
			}
		}
		var err error
		res, err = sweep.Run(ctx, plan, sweep.Options{Workers: a.Ask.Workers, Progress: func(d, _ int64) { a.progress(d, total) }})
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		done = int64(len(left) * runs)
	}
	risks := make([]risk.Estimate, len(a.Points))
	if flaps {
		var lock sync.Mutex
		var workers sync.WaitGroup
		todo := make(chan int)
		for range max(a.Ask.Workers, 1) {
			workers.Go(func() {
				for i := range todo {
					risks[i] = risk.Of(designs[i], a.Ask.Seed, effort)
					lock.Lock()
					done += perRisk
					a.progress(done, total)
					lock.Unlock()
				}
			})
		}
		for _, i := range left {
			if ctx.Err() != nil {
				break
			}
			todo <- i
		}
		close(todo)
		workers.Wait()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	for place, i := range left {
		p := &a.Points[i]
		p.Keep = p.Keep[:0]
		for j, q := range a.quantities() {
			var x Number
			if q.Metric == FlapsPerYear {
				r := &risks[i]
				x = Number{Value: r.PerYear, Low: r.Low, High: r.High, Known: true, N: r.Drops, Method: r.Method}
			} else {
				x = number(q, res.Points[place].Cells[res.Metric(q.Metric)].Values)
			}
			if j == 0 {
				if m := slices.Index(metrics, metricOf(q)); m >= 0 {
					p.Worst = res.Points[place].Cells[m].Worst.Seed
				}
				p.Goal = x
			} else {
				p.Keep = append(p.Keep, x)
			}
		}
		if res != nil && i > 0 {
			p.Same, p.SameRuns = true, int64(runs)
			for m := range metrics {
				c := res.Points[place].Cells[m].Pairs
				p.Same = p.Same && c.Equal == c.N()
			}
		}
		p.Same = p.Same && (!flaps || risks[i] == risks[0])
	}
	return nil
}

func metricOf(q Quantity) sweep.Metric { m, _ := sweep.Find(q.Metric); return m }

func (a *Answer) progress(done, total int64) {
	if a.Ask.Progress != nil {
		a.Ask.Progress(done, total)
	}
}

// number is a statistic of a histogram, in seconds or as counted.
func number(q Quantity, h *stats.Histogram) Number {
	scale := 1.0
	if q.Duration() {
		scale = 1e-9
	}
	x := Number{N: h.N(), Method: "simulation", Low: math.Inf(-1), High: math.Inf(1)}
	switch q.Stat {
	case "mean":
		m := h.MeanInterval(sweep.Confidence)
		if x.Value = m.Value * scale; m.Known {
			x.Low, x.High, x.Known = m.Low*scale, m.High*scale, true
		}
	case "max":
		x.Value, x.Low, x.Known = float64(h.Max())*scale, float64(h.Max())*scale, true
	default:
		p := map[string]float64{"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}[q.Stat]
		v := h.QuantileInterval(p, sweep.Confidence)
		x.Value, x.Known = float64(h.Quantile(p))*scale, true
		if v.LowKnown {
			x.Low = float64(v.Low) * scale
		}
		if v.HighKnown {
			x.High = float64(v.High) * scale
		}
	}
	return x
}

// axes are goal and first constraint of a point so that less is better; without a constraint the number of
// changed settings takes its place.
func (a *Answer) axes(p *Point) (x, y Number) {
	flip := func(n Number, flip bool) Number {
		if flip {
			n.Value, n.Low, n.High = -n.Value, -n.High, -n.Low
		}
		return n
	}
	y = flip(p.Goal, a.Ask.Goal.Max)
	if len(p.Keep) > 0 {
		return flip(p.Keep[0], a.Ask.Keep[0].Op[0] == '>'), y
	}
	c := float64(p.Changed)
	return Number{Value: c, Low: c, High: c}, y
}

// eliminate takes out the points that another one beats in every respect with intervals that do not
// overlap. The scenario as it is and single values stay: they are what people ask about.
func (a *Answer) eliminate() {
	beaten := make([]bool, len(a.Points))
	for i := range a.Points {
		p := &a.Points[i]
		if len(p.Set) < 2 {
			continue
		}
		for j := range a.Points {
			if q := &a.Points[j]; j != i && a.below(q, p) {
				beaten[i] = true
			}
		}
	}
	for i := range beaten {
		a.Points[i].Brief = beaten[i]
	}
}

// below tells whether q is plainly better than p: in the goal and in every constraint.
func (a *Answer) below(q, p *Point) bool {
	better := func(x, y Number, more bool) bool {
		if more {
			return x.Low > y.High
		}
		return x.High < y.Low
	}
	if !better(q.Goal, p.Goal, a.Ask.Goal.Max) {
		return false
	}
	for i, k := range a.Ask.Keep {
		if !better(q.Keep[i], p.Keep[i], k.Op[0] == '>') {
			return false
		}
	}
	return true
}

// judge finds which points keep the constraints, the front, the best and the cheapest.
func (a *Answer) judge() {
	for i := range a.Points {
		p := &a.Points[i]
		p.Kept, p.Sure = !p.Brief, true
		for j, k := range a.Ask.Keep {
			p.Kept = p.Kept && k.Holds(p.Keep[j].Value)
			p.Sure = p.Sure && k.Holds(p.Keep[j].Low) && k.Holds(p.Keep[j].High)
		}
		p.Sure = p.Sure && p.Kept
	}
	for i := range a.Points {
		p := &a.Points[i]
		px, py := a.axes(p)
		p.Front = !p.Brief
		for j := range a.Points {
			q := &a.Points[j]
			if q.Brief || j == i {
				continue
			}
			qx, qy := a.axes(q)
			equal := qx.Value == px.Value && qy.Value == py.Value
			// Of equal ones, the one that changes least stands on the front, and of those the first.
			if qx.Value <= px.Value && qy.Value <= py.Value && (!equal || q.Changed < p.Changed || q.Changed == p.Changed && j < i) {
				p.Front = false
			}
		}
	}
	better := func(q, p *Point) bool {
		_, qy := a.axes(q)
		_, py := a.axes(p)
		return qy.Value < py.Value || qy.Value == py.Value && q.Changed < p.Changed
	}
	for i := range a.Points {
		if p := &a.Points[i]; p.Kept && (a.Best < 0 || better(p, &a.Points[a.Best])) {
			a.Best = i
		}
	}
	if a.Best < 0 {
		return
	}
	// As good as the best one, as far as these runs can tell.
	_, best := a.axes(&a.Points[a.Best])
	enough := best.High
	if math.IsInf(enough, 0) { // too few runs to know
		enough = best.Value
	}
	for i := range a.Points {
		p := &a.Points[i]
		_, y := a.axes(p)
		if !p.Kept || y.Value > enough {
			continue
		}
		if a.Cheapest < 0 || p.Changed < a.Points[a.Cheapest].Changed || p.Changed == a.Points[a.Cheapest].Changed && better(p, &a.Points[a.Cheapest]) {
			a.Cheapest = i
		}
	}
}
