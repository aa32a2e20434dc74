package plot

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io"
	"path/filepath"
	"strings"
	"unicode"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Format of a picture.
type Format string

// The formats that there are.
const (
	SVG Format = "svg"
	PNG Format = "png"
)

// FormatOf a file, by the end of its name.
func FormatOf(name string) (Format, error) {
	switch f := Format(strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")); f {
	case SVG, PNG:
		return f, nil
	}
	return "", fmt.Errorf("%s: pictures end in .svg or .png", name)
}

// errNothing is returned for a picture of nothing.
var errNothing = errors.New("there is nothing to draw")

// The sizes of a picture. The area of the data stays the same, whatever is above it.
const (
	width      = 7 * vg.Inch
	dataHeight = 3.9 * vg.Inch
	margin     = vg.Length(10)
	dpi        = 150
)

// style is how one of several curves is told from the others.
type style struct {
	color color.Color
	dash  []vg.Length
	glyph draw.GlyphDrawer
}

// styles differ in dash and mark; their colours are those that most colour-blind people
// tell apart (Okabe and Ito 2008), the dark ones first.
var styles = []style{
	{color.Black, nil, draw.CircleGlyph{}},
	{color.NRGBA{0x00, 0x72, 0xb2, 0xff}, []vg.Length{7, 3}, draw.BoxGlyph{}},
	{color.NRGBA{0xd5, 0x5e, 0x00, 0xff}, []vg.Length{2, 2}, draw.PyramidGlyph{}},
	{color.NRGBA{0x00, 0x9e, 0x73, 0xff}, []vg.Length{9, 3, 2, 3}, draw.RingGlyph{}},
	{color.NRGBA{0xcc, 0x79, 0xa7, 0xff}, []vg.Length{4, 2}, draw.SquareGlyph{}},
	{color.NRGBA{0x56, 0xb4, 0xe9, 0xff}, []vg.Length{12, 3}, draw.TriangleGlyph{}},
	{color.NRGBA{0xe6, 0x9f, 0x00, 0xff}, []vg.Length{6, 2, 2, 2, 2, 2}, draw.PlusGlyph{}},
	{color.NRGBA{0x70, 0x70, 0x70, 0xff}, []vg.Length{1, 3}, draw.CrossGlyph{}},
}

func (s style) line(width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: s.color, Width: width, Dashes: s.dash}
}

func (s style) mark() draw.GlyphStyle {
	return draw.GlyphStyle{Color: s.color, Radius: 3.2, Shape: s.glyph}
}

// few refuses curves that no style is left for.
func few(n int) error {
	if n == 0 {
		return errNothing
	}
	if n > len(styles) {
		return fmt.Errorf("a picture tells %d curves apart, not %d", len(styles), n)
	}
	return nil
}

var (
	faint = color.Gray{0xd8}
	note  = color.Gray{0x50}
)

// letters of a size, black, from the left, on the baseline.
func letters(size vg.Length, c color.Color) text.Style {
	return text.Style{
		Color: c, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		XAlign: text.XLeft, YAlign: text.YBottom, Handler: gonum.DefaultTextHandler,
	}
}

// key names a curve above the data. Without a curve it is a line of text.
type key struct {
	text, tail string // text is shortened where both do not fit
	style      *style
	line, mark bool
	number     string // drawn instead of a curve
}

// picture is a title, keys and a note, and data with axes below them.
type picture struct {
	title         string
	keys          []key
	note          string
	plot          *gonum.Plot
	width, height vg.Length // of axes and data
}

// newPicture has axes in the house's letters.
func newPicture(title, xlabel, ylabel string) *picture {
	p := gonum.New()
	for _, a := range []struct {
		axis  *gonum.Axis
		label string
		long  vg.Length
	}{{&p.X, xlabel, width - 60}, {&p.Y, ylabel, dataHeight - 60}} {
		a.axis.Label.TextStyle.Font = letters(10, nil).Font
		a.axis.Tick.Label.Font = letters(9, nil).Font
		a.axis.Label.Text = fit(a.axis.Label.TextStyle, clean(a.label), a.long)
		a.axis.Label.Padding = 4
		a.axis.Padding = 4
	}
	return &picture{title: clean(title), plot: p, width: width, height: dataHeight}
}

// drawing is a plotter that is a function.
type drawing func(c draw.Canvas, x, y func(float64) vg.Length)

// Plot calls it with the transformations of both axes.
func (d drawing) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := p.Transforms(&c)
	d(c, x, y)
}

func (p *picture) draw(d drawing) { p.plot.Add(d) }

// write draws it.
func (p *picture) write(w io.Writer, format Format) error {
	heading, body, small := letters(12, color.Black), letters(9, color.Black), letters(8, note)
	room := p.width - 2*margin
	title, notes := wrap(heading, p.title, room), wrap(small, clean(p.note), room)
	const titleLine, keyLine, noteLine, gap = vg.Length(16), vg.Length(13), vg.Length(11), vg.Length(6)
	above := titleLine*vg.Length(len(title)) + keyLine*vg.Length(len(p.keys)) + noteLine*vg.Length(len(notes)) + gap
	height := p.height + above + margin*3/2

	var canvas vg.CanvasWriterTo
	switch format {
	case SVG:
		canvas = &svg{Canvas: vgsvg.New(p.width, height)}
	case PNG:
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(p.width, height), vgimg.UseDPI(dpi))}
	default:
		return fmt.Errorf("pictures are %s or %s, not %q", SVG, PNG, string(format))
	}
	c := draw.New(canvas)
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin/2)
	y := c.Max.Y
	for _, line := range title {
		y -= titleLine
		c.FillText(heading, vg.Point{X: c.Min.X, Y: y}, line)
	}
	for _, k := range p.keys {
		y -= keyLine
		left, middle := c.Min.X, y+keyLine/2-2
		if k.style != nil {
			const long = vg.Length(34)
			if k.line {
				c.StrokeLine2(k.style.line(1.4), left, middle, left+long, middle)
			}
			if k.mark {
				c.DrawGlyphNoClip(k.style.mark(), vg.Point{X: left + long/2, Y: middle})
			}
			left += long + 6
		}
		if k.number != "" {
			c.FillText(body, vg.Point{X: left, Y: y}, k.number)
			left += 20
		}
		c.FillText(body, vg.Point{X: left, Y: y}, fit(body, clean(k.text), c.Max.X-left-body.Width(k.tail))+k.tail)
	}
	for _, line := range notes {
		y -= noteLine
		c.FillText(small, vg.Point{X: c.Min.X, Y: y}, line)
	}
	p.plot.Draw(draw.Crop(c, 0, 0, 0, -above))

	_, err := canvas.WriteTo(w)
	return err
}

// svg is a canvas whose text is as wide as it was when the picture was laid out, also
// where its letters are not installed and others take their place.
type svg struct {
	*vgsvg.Canvas
	lengths []float64 // of each text
}

// FillString notes the length.
func (s *svg) FillString(f font.Face, at vg.Point, line string) {
	s.lengths = append(s.lengths, f.Width(line).Points())
	s.Canvas.FillString(f, at, line)
}

// WriteTo adds the lengths, and letters that are as wide or at least alike.
func (s *svg) WriteTo(w io.Writer) (int64, error) {
	var buf, out bytes.Buffer
	if _, err := s.Canvas.WriteTo(&buf); err != nil {
		return 0, err
	}
	text := bytes.ReplaceAll(buf.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	for i, part := range bytes.Split(text, []byte("<text ")) {
		if i > 0 {
			fmt.Fprintf(&out, `<text textLength="%.2f" lengthAdjust="spacingAndGlyphs" `, s.lengths[i-1])
		}
		out.Write(part)
	}
	return out.WriteTo(w)
}

// clean leaves what can be drawn: control characters would end up in the XML.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
}

// fit shortens what is too long for the room.
func fit(s text.Style, line string, room vg.Length) string {
	if s.Width(line) <= room {
		return line
	}
	runes := []rune(line)
	for len(runes) > 0 && s.Width(string(runes)+"…") > room {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ") + "…"
}

// wrap breaks a line between words.
func wrap(s text.Style, line string, room vg.Length) []string {
	var lines []string
	for _, word := range strings.Fields(line) {
		if n := len(lines); n > 0 && s.Width(lines[n-1]+" "+word) <= room {
			lines[n-1] += " " + word
		} else {
			lines = append(lines, fit(s, word, room))
		}
	}
	return lines
}
