package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Sensitivity is the document of `vpnsim sweep --sensitivity --format json`: which
// settings a metric depends on.
type Sensitivity struct {
	VPNSim         string                 `json:"vpnsim"`
	Kind           string                 `json:"kind"` // "sensitivity"
	Version        string                 `json:"version"`
	Scenario       string                 `json:"scenario"`
	Name           string                 `json:"name"`
	ScenarioSHA256 string                 `json:"scenario_sha256"`
	Sets           []string               `json:"set,omitempty"`
	Metric         string                 `json:"metric"`
	Means          string                 `json:"means"`
	Unit           string                 `json:"unit"`
	FirstSeed      uint64                 `json:"first_seed"`
	Runs           int64                  `json:"runs"` // of each value, one at a time
	Rows           int                    `json:"rows"` // of Sobol's plan
	Confidence     float64                `json:"confidence"`
	Parameters     []SensitivityParameter `json:"parameters"`
	Chance         SensitivityIndex       `json:"chance"`
}

// SensitivityParameter is what one setting does.
type SensitivityParameter struct {
	Path     string             `json:"path"`
	Values   []SensitivityValue `json:"values"`
	Changed  SweepShare         `json:"changed"` // runs that differ, at the value that changes most of them
	Indices  SensitivityIndex   `json:"indices"`
	Nothing  bool               `json:"nothing"` // no value changed any run
	Strength float64            `json:"strength"`
}

// SensitivityValue is what one value of a setting does on average.
type SensitivityValue struct {
	Value   string     `json:"value"`
	N       int64      `json:"n"`
	Changed SweepShare `json:"changed"`
	Mean    SweepMean  `json:"mean"`
}

// SensitivityIndex are Sobol's indices.
type SensitivityIndex struct {
	First SensitivityEstimate `json:"first"`
	Total SensitivityEstimate `json:"total"`
}

// SensitivityEstimate is an index and its interval.
type SensitivityEstimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

func (e SensitivityEstimate) short() string {
	two := func(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }
	return fmt.Sprintf("%s [%s, %s]", two(e.Value), two(e.Low), two(e.High))
}

// SensitivityJSON writes s as JSON does a Document.
func SensitivityJSON(w io.Writer, s Sensitivity) error { return encode(w, rewritten(s, asIs)) }

// SensitivityText writes s for a person to read.
func SensitivityText(w io.Writer, s Sensitivity, opt Options) error {
	s = rewritten(s, oneLine)
	p := &page{opt: opt}
	p.line(0, p.paint(bold, s.title()))
	p.line(0, p.paint(dim, s.provenance()))
	p.printf("\n")
	if head, rows := s.cells(); len(rows) > 0 {
		p.grid(0, grid{head: head, rows: rows})
		p.printf("\n")
	}
	for _, r := range s.remarks() {
		p.line(0, r)
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

// SensitivityMarkdown writes s as GitHub-flavoured Markdown.
func SensitivityMarkdown(w io.Writer, s Sensitivity) error {
	s = rewritten(rewritten(s, oneLine), escapeMarkdown)
	m := &sheet{}
	m.printf("### %s\n\n%s\n\n", s.title(), s.provenance())
	if head, rows := s.cells(); len(rows) > 0 {
		m.table(head, rows)
	}
	for _, r := range s.remarks() {
		m.printf("%s\n\n", r)
	}
	_, err := io.WriteString(w, strings.TrimRight(m.b.String(), "\n")+"\n")
	return err
}

func (s *Sensitivity) title() string {
	return fmt.Sprintf("%s: what the %s depends on", s.Name, s.Metric)
}

func (s *Sensitivity) provenance() string {
	text := fmt.Sprintf("scenario %s (sha256 %.12s); %s runs of each value, seeds %d to %d", s.Scenario, s.ScenarioSHA256,
		thousands(s.Runs), s.FirstSeed, s.FirstSeed+uint64(max(s.Runs-1, 0)))
	if s.Rows > 0 {
		text += fmt.Sprintf("; %s rows of a Sobol plan", thousands(s.Rows))
	}
	return text + fmt.Sprintf("; what stands in brackets are %g %% intervals", 100*s.Confidence)
}

// cells are a row for each setting that does something, the strongest first, and one for
// chance.
func (s *Sensitivity) cells() (head []string, rows [][]string) {
	unit := ""
	if s.Unit == "s" {
		unit = ", s"
	}
	head = []string{"setting", "at", "n", "runs that change", "mean change" + unit}
	if s.Rows > 0 {
		head = append(head, "first-order index", "total index")
	}
	for _, x := range s.Parameters {
		if x.Nothing {
			continue
		}
		values := slices.Clone(x.Values)
		slices.SortStableFunc(values, func(a, b SensitivityValue) int {
			return cmp.Compare(max(b.Mean.Value, -b.Mean.Value), max(a.Mean.Value, -a.Mean.Value))
		})
		for i, v := range values {
			row := []string{"", v.Value, thousands(v.N), v.Changed.short(), v.Mean.short()}
			if i == 0 {
				row[0] = x.Path
				if s.Rows > 0 {
					row = append(row, x.Indices.First.short(), x.Indices.Total.short())
				}
			}
			for len(row) < len(head) {
				row = append(row, "")
			}
			rows = append(rows, row)
		}
	}
	if s.Rows > 0 {
		rows = append(rows, []string{"chance (the seed)", "", "", "", "", s.Chance.First.short(), s.Chance.Total.short()})
	}
	return head, rows
}

func (s *Sensitivity) remarks() (list []string) {
	var nothing []string
	high := 0.0
	for _, x := range s.Parameters {
		if x.Nothing {
			var values []string
			for _, v := range x.Values {
				values = append(values, v.Value)
			}
			nothing = append(nothing, x.Path+" ("+strings.Join(values, ", ")+")")
			high = max(high, x.Changed.High)
		}
	}
	if len(nothing) > 0 {
		list = append(list, fmt.Sprintf("Nothing at all, the same to the nanosecond in all %s runs of each value (so in less than %s %% of runs): %s.",
			thousands(s.Runs), percent(high), strings.Join(nothing, ", ")))
	}
	if s.Rows > 0 {
		list = append(list, "An index is the share of the variance: of first order, what a setting does by itself; total, with everything that it does together with others.")
	}
	return list
}
