package report

// The pen of the picture: a handful of SVG elements, numbers in one fixed form
// so that equal pictures are equal bytes, and every text escaped.

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

type pen struct{ b strings.Builder }

// num writes a coordinate with at most two decimals.
func num(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "0"
	}
	f = math.Round(f*100) / 100
	if f == 0 {
		f = 0 // no "-0"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func esc(s string) string {
	var b strings.Builder
	// A strings.Builder never fails, and EscapeText replaces what XML forbids.
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

func (p *pen) raw(s string) { p.b.WriteString(s + "\n") }

// rect draws a box; what stands in title shows when the pointer rests on it.
func (p *pen) rect(class string, x, y, w, h float64, title string) {
	fmt.Fprintf(&p.b, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"`, class, num(x), num(y), num(max(w, 0)), num(h))
	if title == "" {
		p.raw("/>")
		return
	}
	p.raw("><title>" + esc(title) + "</title></rect>")
}

func (p *pen) line(class string, x1, y1, x2, y2 float64) {
	p.raw(fmt.Sprintf(`<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, num(x1), num(y1), num(x2), num(y2)))
}

// text writes s with its base line at y. The class may hold an anchor: "e" sets
// it flush right at x, "m" centres it.
func (p *pen) text(class string, x, y float64, s string) {
	if s == "" {
		return
	}
	p.raw(fmt.Sprintf(`<text class="%s" x="%s" y="%s">%s</text>`, class, num(x), num(y), esc(s)))
}

// textWidth estimates how wide s is: the font is whatever the reader's machine
// has, so it errs on the wide side.
func textWidth(s string, size float64) float64 {
	return float64(text.StringWidthWithoutEscSequences(s)) * size * 0.6
}

// fit shortens s to the room it has; nothing is better than two letters.
func fit(s string, size, room float64) string {
	if textWidth(s, size) <= room {
		return s
	}
	n := int(room/(size*0.6)) - 1
	if n < 4 {
		return ""
	}
	return strings.TrimSpace(text.Trim(s, n)) + "…"
}

// ticks are round instants from a to b, about n of them.
func ticks(a, b Seconds, n int) (at []Seconds, decimals int) {
	if b <= a || b-a < 0 || n < 1 { // a span of centuries leaves int64
		return nil, 0
	}
	step := Seconds(1)
	for i := 0; (b-a)/step > Seconds(n); i++ {
		// 1, 2, 5, 10, 20, 50 …
		if i%3 == 1 {
			step = step / 2 * 5
		} else {
			step *= 2
		}
	}
	for unit := Seconds(1e9); decimals < 9 && step%unit != 0; decimals++ {
		unit /= 10
	}
	first := a / step * step
	if first < a {
		first += step
	}
	for t := first; t <= b && t >= first; t += step { // past the last int64 it would start over
		at = append(at, t)
	}
	return at, decimals
}
