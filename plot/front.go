package plot

import (
	"cmp"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// FrontPoint is a design that was tried: what it costs in two respects, and whether no
// other one is better in both.
type FrontPoint struct {
	X, Y    float64
	Label   string
	OnFront bool
}

// Front draws all points; those on the front are numbered from left to right, joined, and
// named above the data.
func Front(w io.Writer, format Format, title, xlabel, ylabel string, points []FrontPoint) error {
	if len(points) == 0 {
		return errNothing
	}
	left, right, bottom, top := points[0].X, points[0].X, points[0].Y, points[0].Y
	var front []FrontPoint
	for _, at := range points {
		if math.IsNaN(at.X+at.Y) || math.IsInf(at.X, 0) || math.IsInf(at.Y, 0) {
			return fmt.Errorf("%s: %g, %g is in no picture", at.Label, at.X, at.Y)
		}
		left, right, bottom, top = min(left, at.X), max(right, at.X), min(bottom, at.Y), max(top, at.Y)
		if at.OnFront {
			front = append(front, at)
		}
	}
	slices.SortStableFunc(front, func(a, b FrontPoint) int {
		return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(b.Y, a.Y), cmp.Compare(a.Label, b.Label))
	})
	p := newPicture(title, xlabel, ylabel)
	left, right = span(left, right, 0.06)
	bottom, top = span(bottom, top, 0.08)
	scaled(&p.plot.X, left, right, 8)
	lines := scaled(&p.plot.Y, bottom, top, 8)
	for i, at := range front {
		p.keys = append(p.keys, key{number: strconv.Itoa(i + 1), text: fmt.Sprintf("%s: %s, %s", at.Label, number(at.X), number(at.Y))})
	}
	p.draw(func(c draw.Canvas, x, y func(float64) vg.Length) {
		for _, v := range lines {
			c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.4}, c.Min.X, y(v), c.Max.X, y(v))
		}
		for _, at := range points {
			if !at.OnFront {
				c.DrawGlyphNoClip(draw.GlyphStyle{Color: color.Gray{0x80}, Radius: 2.5, Shape: draw.RingGlyph{}}, vg.Point{X: x(at.X), Y: y(at.Y)})
			}
		}
		var line []vg.Point
		for _, at := range front {
			line = append(line, vg.Point{X: x(at.X), Y: y(at.Y)})
		}
		c.StrokeLines(draw.LineStyle{Color: color.Black, Width: 0.6, Dashes: []vg.Length{3, 3}}, line)
		var taken []vg.Rectangle
		for _, at := range points {
			taken = append(taken, around(vg.Point{X: x(at.X), Y: y(at.Y)}, 3, 3))
		}
		digits := letters(9, color.Black)
		digits.XAlign, digits.YAlign = text.XCenter, text.YCenter
		for i, at := range line {
			c.DrawGlyphNoClip(draw.GlyphStyle{Color: color.Black, Radius: 3.2, Shape: draw.CircleGlyph{}}, at)
			name := strconv.Itoa(i + 1)
			place := free(at, digits.Width(name)/2+1, 4.5, taken)
			taken = append(taken, place)
			c.FillText(digits, vg.Point{X: (place.Min.X + place.Max.X) / 2, Y: (place.Min.Y + place.Max.Y) / 2}, name)
		}
	})
	p.note = fmt.Sprintf("After the names: %s, %s. No design that was tried is better in both respects than a numbered one. Rings: the %d others.", xlabel, ylabel, len(points)-len(front))
	return p.write(w, format)
}

// around a point.
func around(at vg.Point, dx, dy vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: at.X - dx, Y: at.Y - dy}, Max: vg.Point{X: at.X + dx, Y: at.Y + dy}}
}

// free is where something of that half width and height is put beside a point: upwards to
// the right if nothing is there, else around and further out.
func free(at vg.Point, dx, dy vg.Length, taken []vg.Rectangle) vg.Rectangle {
	for _, off := range []vg.Length{10, 18, 26, 34} {
		for _, d := range []vg.Point{{X: 0.7, Y: 0.7}, {X: 0, Y: 1}, {X: 1, Y: 0}, {X: -0.7, Y: 0.7}, {X: -1, Y: 0}, {X: 0.7, Y: -0.7}, {X: 0, Y: -1}} {
			place := around(vg.Point{X: at.X + d.X*off, Y: at.Y + d.Y*off}, dx, dy)
			if !slices.ContainsFunc(taken, func(r vg.Rectangle) bool {
				return place.Min.X < r.Max.X && r.Min.X < place.Max.X && place.Min.Y < r.Max.Y && r.Min.Y < place.Max.Y
			}) {
				return place
			}
		}
	}
	return around(vg.Point{X: at.X, Y: at.Y + 10}, dx, dy)
}
