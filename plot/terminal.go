package plot

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/guptarohit/asciigraph"
)

// ascii are the marks of curves in a terminal, in turn.
var ascii = []string{"*", "o", "+", "x", "#", "@", "%", "="}

// toASCII replaces what asciigraph draws axes and the first curve with.
var toASCII = strings.NewReplacer("┤", "|", "┼", "+", "└", "+", "┬", "+", "─", "-", "│", "|", "╭", "+", "╮", "+", "╯", "+", "╰", "+", "…", "...")

// Terminal draws the share of runs up to each value with letters, no wider and no higher
// than that, but at least 40 by 12. Where curves meet, the later one is seen. The first is
// drawn with lines, or with asterisks if plain, in which case there is nothing but ASCII.
func Terminal(w io.Writer, wide, high int, unit Unit, plain bool, series []Series) error {
	least, most, err := extent(series)
	if err != nil {
		return err
	}
	from, to := span(least, most, 0)
	by, name := unit.scale(to)
	// The axis ends at a round number, so that all its ticks are round.
	ticks, decimals := round(from/by, to/by, max(2, min(wide, 120)/10))
	step := 1.0
	if len(ticks) > 1 {
		step = ticks[1] - ticks[0]
	}
	left, right := math.Floor(from/by/step+1e-9)*step, math.Ceil(to/by/step-1e-9)*step
	rows := max(high, 12) - 3 - len(series)
	if rows = max(rows/10*10, 5); rows > 20 { // so that percents are round
		rows = 20
	}
	columns := max(wide, 40) - len("100 % ┤") - len(strconv.FormatFloat(right, 'f', decimals, 64))
	between := int(math.Round((right - left) / step))
	columns = max(columns/between*between, between) + 1

	var curves [][]float64
	var sets []asciigraph.CharSet
	var names strings.Builder
	for i, s := range series {
		curve := make([]float64, columns)
		for c := range curve {
			at := (left + (right-left)*float64(c)/float64(columns-1)) * by
			curve[c] = 100 * s.Values.Share(int64(math.Floor(at+1e-6)), confidence).Value()
		}
		curves = append(curves, curve)
		mark := ascii[i]
		if set := asciigraph.CreateCharSet(mark); i > 0 || plain {
			sets = append(sets, set)
		} else {
			mark, sets = "──", append(sets, asciigraph.DefaultCharSet)
		}
		of := fmt.Sprintf(": n %d", s.Values.N())
		runes := []rune(clean(s.Name))
		if room := max(wide, 40) - len("** ,") - len(of); len(runes) > room {
			runes = append(runes[:room-3], []rune("...")...)
		}
		text := fmt.Sprintf("%-2s %s%s", mark, string(runes), of)
		for _, m := range marked {
			more := fmt.Sprintf("%s %s %s", m.name, amount(float64(s.Values.Quantile(m.p)), by, name), interval(s.Values.QuantileInterval(m.p, confidence), by))
			if line := utf8.RuneCountInString(text[strings.LastIndexByte(text, '\n')+1:]); line+len(", ,")+len(more) > max(wide, 40) {
				text += ",\n   " + more
			} else {
				text += ", " + more
			}
		}
		names.WriteString(text + "\n")
	}
	drawn := asciigraph.PlotMany(curves, asciigraph.Height(rows), asciigraph.LowerBound(0), asciigraph.UpperBound(100),
		asciigraph.SeriesChars(sets...),
		asciigraph.YAxisValueFormatter(func(v float64) string { return fmt.Sprintf("%3.0f %%", v) }),
		asciigraph.XAxisRange(left, right), asciigraph.XAxisTickCount(between+1),
		asciigraph.XAxisValueFormatter(func(v float64) string { return strconv.FormatFloat(v, 'f', decimals, 64) }))
	var out strings.Builder
	for line := range strings.Lines(drawn + "\n") {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	if name != "" {
		text := strings.TrimRight(out.String(), "\n")
		out.Reset()
		out.WriteString(text + " " + name + "\n")
	}
	text := names.String() + out.String()
	if plain {
		text = strings.Map(func(r rune) rune {
			if r > 126 {
				return '?'
			}
			return r
		}, toASCII.Replace(text))
	}
	_, err = io.WriteString(w, text)
	return err
}
