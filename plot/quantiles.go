package plot

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/vpnsim/vpnsim/stats"
)

// Parameter is what is varied along an axis: numbers, or names where Names is not empty.
type Parameter struct {
	Label  string
	Values []float64
	Names  []string
}

// Point of a curve: a value with its interval. None is a point without a value, such as
// one that was not run: the curve has a gap there.
type Point struct {
	Value int64
	stats.Interval
	None bool
}

// Curve has a point for each value of the parameter.
type Curve struct {
	Name   string
	Points []Point
}

// Quantiles draws curves against a parameter, each point with the bar of its interval. An
// end that is not known is an arrow. Numbers are joined by lines, names are not.
func Quantiles(w io.Writer, format Format, title string, along Parameter, ylabel string, unit Unit, curves []Curve) error {
	if err := few(len(curves)); err != nil {
		return err
	}
	xs := along.Values
	if len(along.Names) > 0 {
		xs = nil
		for i := range along.Names {
			xs = append(xs, float64(i))
		}
	}
	low, high, some := 0.0, 0.0, false
	for _, c := range curves {
		if len(c.Points) != len(xs) {
			return fmt.Errorf("%s has %d points for %d values of %s", c.Name, len(c.Points), len(xs), along.Label)
		}
		for _, p := range c.Points {
			if p.None {
				continue
			}
			some = true
			low, high = min(low, float64(p.Value)), max(high, float64(p.Value))
			if p.LowKnown {
				low = min(low, float64(p.Low))
			}
			if p.HighKnown {
				high = max(high, float64(p.High))
			}
		}
	}
	if !some {
		return errNothing
	}
	low, high = span(low, high, 0.08)
	by, name := unit.scale(high)
	p := newPicture(title, along.Label, label(ylabel, name))
	for _, v := range xs {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s: %g is on no axis", along.Label, v)
		}
	}
	if len(along.Names) > 0 {
		p.axisOfNames(along.Names)
	} else {
		left, right := xs[0], xs[0]
		for _, v := range xs {
			left, right = min(left, v), max(right, v)
		}
		if left == right {
			left, right = left-1, right+1
		}
		more := (right - left) * 0.03
		scaled(&p.plot.X, left-more, right+more, 8)
		if len(xs) <= 12 {
			p.plot.X.Tick.Marker = themselves(xs, (right-left)/20)
		}
	}
	grid := scaled(&p.plot.Y, low/by, high/by, 8)
	p.draw(func(c draw.Canvas, x, y func(float64) vg.Length) {
		for _, v := range grid {
			c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.4}, c.Min.X, y(v), c.Max.X, y(v))
		}
	})
	open := false
	for i, curve := range curves {
		style := styles[i]
		p.keys = append(p.keys, key{text: curve.Name, style: &style, line: len(along.Names) == 0, mark: true})
		aside := vg.Length(3.5) * (vg.Length(i) - vg.Length(len(curves)-1)/2) // bars beside each other
		if len(along.Names) > 0 {
			aside *= 2
		}
		for _, point := range curve.Points {
			open = open || !point.None && (!point.LowKnown || !point.HighKnown)
		}
		p.draw(func(c draw.Canvas, x, y func(float64) vg.Length) {
			bar := draw.LineStyle{Color: style.color, Width: 0.8}
			var lines [][]vg.Point
			var line []vg.Point
			for k, point := range curve.Points {
				if point.None {
					lines, line = append(lines, line), nil
					continue
				}
				at := vg.Point{X: x(xs[k]) + aside, Y: y(float64(point.Value) / by)}
				end(c, bar, at, y(float64(point.Low)/by), point.LowKnown, -1)
				end(c, bar, at, y(float64(point.High)/by), point.HighKnown, 1)
				c.DrawGlyphNoClip(style.mark(), at)
				line = append(line, at)
			}
			if len(along.Names) == 0 {
				for _, line := range append(lines, line) {
					c.StrokeLines(style.line(1.2), line)
				}
			}
		})
	}
	p.note = "Bars: 95 % intervals."
	if open {
		p.note += " Arrows: the sample is too small to tell where that side ends."
	}
	return p.write(w, format)
}

// end of an interval, up or down from a point: a cap where it is known, else an arrow.
func end(c draw.Canvas, s draw.LineStyle, at vg.Point, to vg.Length, known bool, up vg.Length) {
	const cap, long, head = vg.Length(3), vg.Length(15), vg.Length(3)
	if known {
		c.StrokeLine2(s, at.X, at.Y, at.X, to)
		c.StrokeLine2(s, at.X-cap, to, at.X+cap, to)
		return
	}
	to = min(max(at.Y+up*long, c.Min.Y), c.Max.Y)
	if (to-at.Y)*up < 2*head {
		return
	}
	c.StrokeLine2(s, at.X, at.Y, at.X, to)
	c.StrokeLines(s, []vg.Point{{X: at.X - head, Y: to - up*head}, {X: at.X, Y: to}, {X: at.X + head, Y: to - up*head}})
}

// axisOfNames shortens names that would run into each other.
func (p *picture) axisOfNames(names []string) {
	room := (p.width - 80) / vg.Length(len(names))
	var short []string
	for _, n := range names {
		short = append(short, fit(letters(9, color.Black), clean(n), room-4))
	}
	named(&p.plot.X, short)
}
