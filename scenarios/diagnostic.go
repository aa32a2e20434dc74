package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
)

// Severity of a Diagnostic.
type Severity uint8

const (
	Error   Severity = iota // the scenario cannot run
	Warning                 // it can, but probably not as meant
)

// Diagnostic is one thing that is wrong with a scenario.
type Diagnostic struct {
	Pos      topology.Pos // Line 0: no place in the file; File is then the file's name or "--set path"
	Severity Severity
	Message  string
	Help     string // what to do about it; may be empty
}

// String is "file:line:col: message (help)", which editors can jump to.
func (d Diagnostic) String() string {
	var b strings.Builder
	b.WriteString(d.Pos.String())
	b.WriteString(": ")
	if d.Severity == Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(d.Message)
	if d.Help != "" {
		b.WriteString(" (" + d.Help + ")")
	}
	return b.String()
}

// Failed tells whether there is an Error among ds.
func Failed(ds []Diagnostic) bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

// maxDiagnostics is as many as anybody reads; a file that is wrong in each of
// its hundred thousand lines is told so in fewer.
const maxDiagnostics = 100

// arrange puts ds in the order of the file, then the command line, drops
// what is said twice, and cuts what is too long.
func arrange(ds []Diagnostic) []Diagnostic {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(fromSet(a.Pos), fromSet(b.Pos)),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Col, b.Pos.Col),
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Severity, b.Severity))
	})
	seen := map[Diagnostic]bool{}
	ds = slices.DeleteFunc(ds, func(d Diagnostic) bool {
		twice := seen[d]
		seen[d] = true
		return twice
	})
	if over := len(ds) - maxDiagnostics; over > 0 {
		ds = append(ds[:maxDiagnostics:maxDiagnostics], Diagnostic{
			Pos:     topology.Pos{File: ds[0].Pos.File},
			Message: fmt.Sprintf("%d more like these", over),
		})
	}
	return ds
}

func fromSet(p topology.Pos) int {
	if strings.HasPrefix(p.File, setPrefix) {
		return 1
	}
	return 0
}
