package tune

import (
	"io"
	"math"
	"strings"

	"github.com/vpnsim/vpnsim/plot"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/sweep"
)

// Document is the answer as it is printed.
func (a *Answer) Document(version string) *report.Tune {
	ask := a.Ask
	t := &report.Tune{VPNSim: "v1", Kind: "tune", Version: version, Scenario: a.Base.File, Name: a.Base.Name, ScenarioSHA256: a.Base.SHA256,
		Sets: ask.Sets, FirstSeed: ask.Seed, Runs: ask.Runs, Confidence: sweep.Confidence, Goal: ask.Goal.String(), GoalUnit: ask.Goal.Unit(),
		Keep: []report.TuneKeep{}, Vary: []string{}, LeftOut: []report.TuneLeftOut{}, Idle: []report.TuneIdle{}, Verify: []string{}}
	for _, k := range ask.Keep {
		t.Keep = append(t.Keep, report.TuneKeep{Text: k.String(), Unit: k.Unit()})
	}
	for _, v := range ask.Vary {
		t.Vary = append(t.Vary, v.Path)
	}
	for i := range a.Points {
		p := &a.Points[i]
		out := report.TunePoint{Set: append([]string{}, p.Set...), Changed: p.Changed, Goal: p.Goal.document(), Keep: []report.TuneNumber{},
			Kept: p.Kept, Sure: p.Sure, Front: p.Front, Brief: p.Brief}
		for j, n := range p.Keep {
			x, holds := n.document(), ask.Keep[j].Holds(n.Value)
			x.Holds = &holds
			out.Keep = append(out.Keep, x)
		}
		t.Points = append(t.Points, out)
	}
	for _, l := range a.LeftOut {
		t.LeftOut = append(t.LeftOut, report.TuneLeftOut(l))
	}
	for _, x := range a.Idle {
		t.Idle = append(t.Idle, report.TuneIdle(x))
	}
	if a.Best >= 0 {
		best, cheapest := a.Best, a.Cheapest
		t.Best, t.Cheapest = &best, &cheapest
		t.Verify = t.Verifying(cheapest, a.Points[cheapest].Worst)
	}
	return t
}

func (n Number) document() report.TuneNumber {
	out := report.TuneNumber{Value: rounded(n.Value), N: n.N, Method: n.Method}
	if n.Known && !math.IsInf(n.Low, 0) {
		x := rounded(n.Low)
		out.Low = &x
	}
	if n.Known && !math.IsInf(n.High, 0) {
		x := rounded(n.High)
		out.High = &x
	}
	return out
}

// rounded to nanoseconds, or to nine digits behind the point of what is counted.
func rounded(x float64) float64 { return math.Round(x*1e9) / 1e9 }

// Draw writes the front as a picture.
func (a *Answer) Draw(w io.Writer, format plot.Format) error {
	x := "changed settings"
	if len(a.Ask.Keep) > 0 {
		x = label(a.Ask.Keep[0].Quantity)
	}
	var points []plot.FrontPoint
	for i := range a.Points {
		p := &a.Points[i]
		at := plot.FrontPoint{X: float64(p.Changed), Y: p.Goal.Value, Label: strings.Join(p.Set, " "), OnFront: p.Front}
		if len(p.Keep) > 0 {
			at.X = p.Keep[0].Value
		}
		if at.Label == "" {
			at.Label = "as it is"
		}
		points = append(points, at)
	}
	return plot.Front(w, format, a.Base.Name, x, label(a.Ask.Goal.Quantity), points)
}

func label(q Quantity) string {
	if u := q.Unit(); u != "" {
		return q.String() + " (" + u + ")"
	}
	return strings.ReplaceAll(q.String(), "_", " ")
}
