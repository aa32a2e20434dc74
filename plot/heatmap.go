package plot

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// HeatMap draws a number for each pair of two parameters: z[y][x], in grey from the
// smallest (light) to the largest (dark), with the number itself in each cell. NaN is a
// cell that was not run.
func HeatMap(w io.Writer, format Format, title, xlabel, ylabel string, xs, ys []string, z [][]float64, unit string) error {
	if len(xs) == 0 || len(ys) == 0 {
		return errNothing
	}
	if len(z) != len(ys) {
		return fmt.Errorf("%d rows for %d values of %s", len(z), len(ys), ylabel)
	}
	low, high := math.Inf(1), math.Inf(-1)
	for i, row := range z {
		if len(row) != len(xs) {
			return fmt.Errorf("row %s has %d cells for %d values of %s", ys[i], len(row), len(xs), xlabel)
		}
		for _, v := range row {
			if math.IsInf(v, 0) {
				return fmt.Errorf("row %s: %g has no shade", ys[i], v)
			}
			if !math.IsNaN(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low > high {
		return errNothing
	}
	p := newPicture(title, xlabel, ylabel)
	// Cells are large enough for their numbers.
	inside := letters(9, color.Black)
	inside.XAlign, inside.YAlign = text.XCenter, text.YCenter
	write := alike(slices.Concat(z...))
	wide, long := vg.Length(30), vg.Length(0)
	for _, row := range z {
		for _, v := range row {
			wide = max(wide, inside.Width(write(v))+8)
		}
	}
	var names []string
	for _, y := range ys {
		names = append(names, fit(inside, clean(y), 120))
		long = max(long, inside.Width(names[len(names)-1]))
	}
	p.width = max(p.width, wide*vg.Length(len(xs))+long+60)
	p.height = max(min(p.height, 40*vg.Length(len(ys))+60), 20*vg.Length(len(ys))+60)
	p.axisOfNames(xs)
	named(&p.plot.Y, names)
	p.plot.X.Padding, p.plot.Y.Padding = 0, 0
	p.plot.X.Tick.Length, p.plot.Y.Tick.Length = 0, 0
	p.draw(func(c draw.Canvas, x, y func(float64) vg.Length) {
		for i, row := range z {
			for j, v := range row {
				left, right, bottom, top := x(float64(j)-0.5), x(float64(j)+0.5), y(float64(i)-0.5), y(float64(i)+0.5)
				cell := []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}, {X: left, Y: bottom}}
				letter, grey, content := inside, uint8(0xff), "–"
				if !math.IsNaN(v) {
					share := 0.0
					if high > low {
						share = (v - low) / (high - low)
					}
					grey, content = uint8(math.Round(245-175*share)), write(v)
				}
				if grey < 140 {
					letter.Color = color.White
				}
				c.FillPolygon(color.Gray{grey}, cell)
				c.StrokeLines(draw.LineStyle{Color: color.Gray{0x80}, Width: 0.3}, cell)
				c.FillText(letter, vg.Point{X: (left + right) / 2, Y: (bottom + top) / 2}, content)
			}
		}
	})
	p.note = fmt.Sprintf("Light is %s, dark is %s.", write(low), write(high))
	if unit != "" {
		p.note = "Numbers are in " + unit + ". " + p.note
	}
	return p.write(w, format)
}
