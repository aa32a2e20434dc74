package report

// What `vpnsim check` says: everything that is wrong with each scenario, and on
// request every value that a run of it would use, with where it comes from.

import (
	"fmt"
	"io"
	"strings"
)

// Check is the document of `vpnsim check --format json`.
type Check struct {
	VPNSim    string            `json:"vpnsim"`
	Kind      string            `json:"kind"` // "check"
	Version   string            `json:"version"`
	Scenarios []CheckedScenario `json:"scenarios"`
}

// CheckedScenario is one scenario and what is wrong with it.
type CheckedScenario struct {
	Scenario       string       `json:"scenario"`
	Name           string       `json:"name,omitempty"`
	ScenarioSHA256 string       `json:"scenario_sha256,omitempty"`
	OK             bool         `json:"ok"` // it can run; there may be warnings
	Errors         int          `json:"errors"`
	Warnings       int          `json:"warnings"`
	Diagnostics    []Diagnostic `json:"diagnostics"`
	Assumed        int          `json:"assumed"`
	Values         []Value      `json:"values,omitempty"`
}

// Diagnostic is one thing that is wrong, and where.
type Diagnostic struct {
	File     string `json:"file"`
	Line     int    `json:"line"` // 0: the file as a whole, or the command line
	Col      int    `json:"col"`
	Severity string `json:"severity"` // error, warning
	Message  string `json:"message"`
	Help     string `json:"help,omitempty"`
}

// Value is one value that a run would use.
type Value struct {
	Path   string `json:"path"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// CheckText writes c for a person to read: a line per problem, which begins
// with its place so that editors can jump there.
func CheckText(w io.Writer, c Check, opt Options) error {
	c = rewritten(c, oneLine)
	p := &page{opt: opt}
	for i, s := range c.Scenarios {
		if i > 0 && (len(s.Values) > 0 || len(c.Scenarios[i-1].Values) > 0) {
			p.printf("\n")
		}
		for _, d := range s.Diagnostics {
			p.diagnostic(d)
		}
		p.values(s.Values)
		p.verdict(s)
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

// Diagnostics writes what is wrong with a scenario, as CheckText does.
func Diagnostics(w io.Writer, ds []Diagnostic, opt Options) error {
	p := &page{opt: opt}
	for _, d := range ds {
		p.diagnostic(rewritten(d, oneLine))
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

func (p *page) diagnostic(d Diagnostic) {
	place := d.File
	if d.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", d.File, d.Line, d.Col)
	}
	if place != "" {
		place = p.paint(bold, place+":") + " "
	}
	severity := ""
	if d.Severity == "warning" {
		severity = p.paint(yellow, "warning:") + " "
	}
	p.line(0, place+severity+d.Message)
	if d.Help != "" {
		p.line(4, p.paint(dim, d.Help))
	}
}

// values is a table with a blank line between one thing's values and the next
// one's. All parts have the same columns, so that the eye can run down.
func (p *page) values(values []Value) {
	if len(values) == 0 {
		return
	}
	g := grid{head: []string{"parameter", "value", "where it comes from"}}
	said := grid{head: []string{"assumed by the scenario", "where", "why"}}
	before := ""
	for _, v := range values {
		if path, ok := strings.CutPrefix(v.Path, "assume."); ok {
			said.add(path, v.Origin, v.Value)
			continue
		}
		if s := subject(v.Path); len(g.rows) > 0 && s != before {
			g.add("", "", "")
		}
		before = subject(v.Path)
		g.add(v.Path, v.Value, p.origin(v.Origin))
	}
	p.grid(0, g)
	p.printf("\n")
	if len(said.rows) > 0 {
		p.grid(0, said)
		p.printf("\n")
	}
}

// origin stresses what nobody has documented.
func (p *page) origin(s string) string {
	if strings.Contains(s, "assumed:") {
		return p.paint(yellow, s)
	}
	return p.paint(dim, s)
}

// subject is what a path is about: routers.aws, story[0].
func subject(path string) string {
	section, rest, ok := strings.Cut(path, ".")
	if !ok {
		return ""
	}
	if strings.HasSuffix(section, "]") {
		return section
	}
	if section == "params" {
		return section
	}
	name, _, _ := strings.Cut(rest, ".")
	return section + "." + name
}

func (p *page) verdict(s CheckedScenario) {
	var parts []string
	if s.Errors > 0 {
		parts = append(parts, p.paint(red, "✗ "+count(s.Errors, "error", "errors")))
	} else {
		parts = append(parts, p.paint(green, "✓ ok"))
	}
	if s.Warnings > 0 {
		parts = append(parts, p.paint(yellow, count(s.Warnings, "warning", "warnings")))
	}
	if s.OK && s.Assumed > 0 {
		hint := ""
		if len(s.Values) == 0 {
			hint = " (-v lists them)"
		}
		parts = append(parts, count(s.Assumed, "value is assumed", "values are assumed")+hint)
	}
	p.line(0, s.Scenario+": "+strings.Join(parts, ", "))
}

// CheckJSON writes c, with lists that are [] when they are empty.
func CheckJSON(w io.Writer, c Check) error { return encode(w, rewritten(c, asIs)) }

// CheckMarkdown writes c for a pull request or a step summary.
func CheckMarkdown(w io.Writer, c Check) error {
	m := &sheet{}
	for _, s := range rewritten(rewritten(c, oneLine), escapeMarkdown).Scenarios {
		mark := "✅"
		if !s.OK {
			mark = "❌"
		}
		m.printf("### %s %s\n\n", mark, s.Scenario)
		m.printf("%s, %s, %s\n\n", count(s.Errors, "error", "errors"), count(s.Warnings, "warning", "warnings"),
			count(s.Assumed, "value is assumed", "values are assumed"))
		var rows [][]string
		for _, d := range s.Diagnostics {
			rows = append(rows, []string{fmt.Sprintf("%d:%d", d.Line, d.Col), d.Severity, d.Message, d.Help})
		}
		if len(rows) > 0 {
			m.table([]string{"where", "", "what", "help"}, rows)
		}
		rows = nil
		for _, v := range s.Values {
			rows = append(rows, []string{v.Path, v.Value, v.Origin})
		}
		if len(rows) > 0 {
			m.table([]string{"parameter", "value", "where it comes from"}, rows)
		}
	}
	_, err := io.WriteString(w, strings.TrimRight(m.b.String(), "\n")+"\n")
	return err
}
