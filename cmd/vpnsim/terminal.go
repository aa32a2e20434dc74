package main

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/vpnsim/vpnsim/report"
)

// leastWidth is a page on which something can still be read.
const leastWidth = 40

// options are how to write for people on w: in colour and as wide as the
// terminal if it is one, plain and with lines of any length if it is not.
func (a *app) options(w io.Writer) report.Options {
	opt := report.Options{ASCII: a.ascii}
	if w == a.out {
		opt.Width = a.width // messages for an editor or a log stay whole
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return opt
	}
	// https://no-color.org: present and not empty, whatever its value.
	opt.Color = !a.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if opt.Width == 0 {
		if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns >= leastWidth {
			opt.Width = columns
		} else if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns >= leastWidth {
			opt.Width = columns
		}
	}
	return opt
}
