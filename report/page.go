package report

// A page is text for a terminal in the making: it knows whether colour,
// Unicode and a width are wanted, so that the views need not ask.

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

type page struct {
	buf bytes.Buffer
	opt Options
}

// printf writes a line or a piece of one.
func (p *page) printf(format string, args ...any) {
	p.buf.WriteString(p.plain(fmt.Sprintf(format, args...)))
}

// line writes words as one line, wrapped at the width if there is one; every
// line of it is indented.
func (p *page) line(indent int, s string) {
	s = p.plain(s)
	if w := p.opt.Width - indent; p.opt.Width > 0 && w >= 30 {
		s = wrap(s, w)
	}
	pad := strings.Repeat(" ", indent)
	for part := range strings.SplitSeq(s, "\n") {
		p.buf.WriteString(strings.TrimRight(pad+part, " ") + "\n")
	}
}

// wrap breaks the lines of s at spaces so that they are at most width wide. A
// word that is longer stays whole and sticks out: a parameter or an address cut
// in two can't be copied.
func wrap(s string, width int) string {
	var b strings.Builder
	for i, l := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		at := 0
		for _, word := range strings.SplitAfter(l, " ") {
			w := text.StringWidthWithoutEscSequences(strings.TrimRight(word, " "))
			if at > 0 && at+w > width && w > 0 {
				b.WriteByte('\n')
				at = 0
			}
			b.WriteString(word)
			at += text.StringWidthWithoutEscSequences(word)
		}
	}
	return b.String()
}

// ascii spells the signs that this package uses itself. Text of the scenario
// stays as it is.
var ascii = strings.NewReplacer(
	"→", "->", "←", "<-", "–", "-", "…", "...", "·", ".", "✓", "ok", "✗", "FAIL",
	"§", "section ", "—", "-", "“", `"`, "”", `"`, "▇", "#", "▃", "+", "─", "-", "×", "x", "≠", "!=", "−", "-",
)

func (p *page) plain(s string) string {
	if p.opt.ASCII {
		return ascii.Replace(s)
	}
	return s
}

// The few ways in which text stands out. Colour is never the only sign: what
// is red also says "lost" or ✗.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (p *page) paint(code, s string) string {
	if !p.opt.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// grid is a table in the making: cells are strings, the columns in right are
// set flush right.
type grid struct {
	head  []string
	rows  [][]string
	right []int
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

// Columns are not made narrower than this for the sake of the width.
const (
	narrow     = 14
	lastNarrow = 20
)

// grid writes g without frames, indented. When it is too wide for the page its
// widest columns are wrapped, but no word is cut.
func (p *page) grid(indent int, g grid) {
	t := table.NewWriter()
	t.SetStyle(frameless)
	widths, least := make([]int, len(g.head)), make([]int, len(g.head))
	add := func(cells []string) {
		row := make(table.Row, len(cells))
		for i, c := range cells {
			c = p.plain(c)
			row[i] = c
			widths[i] = max(widths[i], text.LongestLineLen(c))
			for _, word := range strings.Fields(c) {
				least[i] = max(least[i], text.StringWidthWithoutEscSequences(word))
			}
		}
		t.AppendRow(row)
	}
	if strings.Join(g.head, "") != "" {
		var head []string
		for _, h := range g.head {
			head = append(head, p.paint(dim, h))
		}
		add(head)
	}
	for _, r := range g.rows {
		add(r)
	}
	for i := range least {
		least[i] = max(least[i], min(widths[i], narrow))
	}
	for _, i := range g.right {
		least[i] = widths[i] // numbers keep their unit
	}
	// Nothing stands to the right of the last column, so an address in it may
	// stick out instead of squeezing the others.
	least[len(least)-1] = min(widths[len(widths)-1], lastNarrow)
	if p.opt.Width > 0 {
		squeeze(widths, least, p.opt.Width-indent-2*(len(widths)-1))
	}
	configs := make([]table.ColumnConfig, len(g.head))
	for i := range configs {
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: widths[i], WidthMaxEnforcer: wrap}
	}
	for _, i := range g.right {
		configs[i].Align = text.AlignRight
	}
	t.SetColumnConfigs(configs)
	pad := strings.Repeat(" ", indent)
	for l := range strings.SplitSeq(t.Render(), "\n") {
		p.buf.WriteString(strings.TrimRight(pad+l, " ") + "\n")
	}
}

// squeeze narrows the widest column that can be narrowed, again and again,
// until all fit into room together or none can.
func squeeze(widths, least []int, room int) {
	for {
		sum, widest := 0, -1
		for i, w := range widths {
			sum += w
			if w > least[i] && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if sum <= room || widest < 0 {
			return
		}
		widths[widest]--
	}
}

var frameless = table.Style{
	Name:   "frameless",
	Box:    table.BoxStyle{PaddingRight: "  "},
	Format: table.FormatOptions{Direction: text.Default},
}
