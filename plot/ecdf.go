package plot

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/vpnsim/vpnsim/stats"
)

// Series is a sample with a name.
type Series struct {
	Name   string
	Values *stats.Histogram
}

// marked are the quantiles that get a mark.
var marked = []struct {
	p    float64
	name string
}{{0.5, "p50"}, {0.99, "p99"}}

// confidence of all intervals and bands.
const confidence = 0.95

// ECDF draws the share of runs up to each value, a step curve for each series, in its band
// of Dvoretzky, Kiefer and Wolfowitz. The median and the 99th percentile are marked.
func ECDF(w io.Writer, format Format, title, xlabel string, unit Unit, series []Series) error {
	low, high, err := extent(series)
	if err != nil {
		return err
	}
	low, high = span(low, high, 0.02)
	by, name := unit.scale(high)
	p := newPicture(title, label(xlabel, name), "share of runs (%)")
	scaled(&p.plot.X, low/by, high/by, 8)
	percents := scaled(&p.plot.Y, 0, 100, 10)
	p.draw(func(c draw.Canvas, x, y func(float64) vg.Length) {
		for _, percent := range append(percents, 99) {
			line := draw.LineStyle{Color: faint, Width: 0.4}
			if percent == 50 || percent == 99 {
				line.Color, line.Width = color.Gray{0x90}, 0.5
			}
			c.StrokeLine2(line, c.Min.X, y(percent), c.Max.X, y(percent))
		}
	})
	for i, s := range series {
		p.draw(band(steps(s.Values, by, low/by, high/by), 100*s.Values.Band(confidence), styles[i]))
	}
	for i, s := range series {
		h, style := s.Values, styles[i]
		curve := steps(h, by, low/by, high/by)
		tail := fmt.Sprintf(": n %d", h.N())
		for _, m := range marked {
			tail += fmt.Sprintf(", %s %s %s", m.name, amount(float64(h.Quantile(m.p)), by, name), interval(h.QuantileInterval(m.p, confidence), by))
		}
		p.keys = append(p.keys, key{text: s.Name, tail: tail, style: &style, line: true, mark: true})
		p.draw(func(c draw.Canvas, x, y func(float64) vg.Length) {
			var line []vg.Point
			for _, at := range curve {
				line = append(line, vg.Point{X: x(at.x), Y: y(at.y)})
			}
			c.StrokeLines(style.line(1.4), line)
			for _, m := range marked {
				c.DrawGlyphNoClip(style.mark(), vg.Point{X: x(float64(h.Quantile(m.p)) / by), Y: y(100 * m.p)})
			}
		})
	}
	p.note = "Marks: median and 99th percentile, in brackets their 95 % intervals. Shade: the whole curve lies in it with 95 % confidence."
	return p.write(w, format)
}

// extent of all series.
func extent(series []Series) (low, high float64, err error) {
	if err := few(len(series)); err != nil {
		return 0, 0, err
	}
	for i, s := range series {
		if s.Values == nil || s.Values.N() == 0 {
			return 0, 0, fmt.Errorf("%s: %w", s.Name, errNothing)
		}
		if l := float64(s.Values.Min()); i == 0 || l < low {
			low = l
		}
		if h := float64(s.Values.Max()); i == 0 || h > high {
			high = h
		}
	}
	return low, high, nil
}

type point struct{ x, y float64 }

// steps of the cumulative distribution in percent, from one end of the axis to the other.
// Of steps closer than an eye can tell, only the last is kept.
func steps(h *stats.Histogram, by, from, to float64) []point {
	list := []point{{from, 0}}
	all, before := h.Steps(), 0.0
	for i, s := range all {
		at, percent := float64(s.Value)/by, 100*float64(s.UpTo)/float64(h.N())
		if i > 0 && i < len(all)-1 && at-list[len(list)-1].x < (to-from)/2000 {
			list[len(list)-1].y = percent
			before = percent
			continue
		}
		list = append(list, point{at, before}, point{at, percent})
		before = percent
	}
	return append(list, point{to, 100})
}

// band around a step curve, up and down by so many percent.
func band(curve []point, off float64, s style) drawing {
	r, g, b, _ := s.color.RGBA()
	shade := color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 0x28}
	return func(c draw.Canvas, x, y func(float64) vg.Length) {
		var edge []vg.Point
		for _, at := range curve {
			edge = append(edge, vg.Point{X: x(at.x), Y: y(min(at.y+off, 100))})
		}
		for i := len(curve) - 1; i >= 0; i-- {
			edge = append(edge, vg.Point{X: x(curve[i].x), Y: y(max(curve[i].y-off, 0))})
		}
		c.FillPolygon(shade, edge)
	}
}
