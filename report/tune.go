package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Tune is the document of `vpnsim tune --format json`: settings that were tried, and which of them are
// best for a goal while constraints hold.
type Tune struct {
	VPNSim         string        `json:"vpnsim"`
	Kind           string        `json:"kind"` // "tune"
	Version        string        `json:"version"`
	Scenario       string        `json:"scenario"`
	Name           string        `json:"name"`
	ScenarioSHA256 string        `json:"scenario_sha256"`
	Sets           []string      `json:"set,omitempty"`
	FirstSeed      uint64        `json:"first_seed"`
	Runs           int           `json:"runs"`
	Confidence     float64       `json:"confidence"`
	Goal           string        `json:"goal"`
	GoalUnit       string        `json:"goal_unit"`
	Keep           []TuneKeep    `json:"keep"`
	Vary           []string      `json:"vary"`
	Points         []TunePoint   `json:"points"`
	LeftOut        []TuneLeftOut `json:"left_out"`
	Idle           []TuneIdle    `json:"does_nothing"`
	Best           *int          `json:"best"`     // place in points; null: none keeps the constraints
	Cheapest       *int          `json:"cheapest"` // the fewest changes that are as good as the best
	Verify         []string      `json:"verify"`   // commands
}

// TuneKeep is a constraint.
type TuneKeep struct {
	Text string `json:"text"`
	Unit string `json:"unit"`
}

// TuneNumber is a quantity with its interval. Ends that are null are not known.
type TuneNumber struct {
	Value  float64  `json:"value"`
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
	N      int64    `json:"n"` // runs; of drops: those that plain simulation has seen
	Method string   `json:"method"`
	Holds  *bool    `json:"holds,omitempty"` // of a constraint
}

// TunePoint is one combination of settings.
type TunePoint struct {
	Set     []string     `json:"set"`
	Changed int          `json:"changed"`
	Goal    TuneNumber   `json:"goal"`
	Keep    []TuneNumber `json:"keep"`
	Kept    bool         `json:"kept"`
	Sure    bool         `json:"sure"` // with the whole interval
	Front   bool         `json:"front"`
	Brief   bool         `json:"brief"` // left after a brief look
}

// TuneLeftOut is what a platform does not offer.
type TuneLeftOut struct {
	Set    string `json:"set"`
	Reason string `json:"reason"`
	Points int    `json:"points"`
}

// TuneIdle is a setting that does nothing.
type TuneIdle struct {
	Set    string `json:"set"`
	Runs   int64  `json:"runs"`
	Reason string `json:"reason"`
}

// TuneJSON writes t as JSON does a Document.
func TuneJSON(w io.Writer, t Tune) error { return encode(w, rewritten(t, asIs)) }

// figure is x with as many digits as matter.
func figure(x float64) string {
	switch size := math.Abs(x); {
	case x == math.Trunc(x) && size < 1e6:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case size >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case size >= 0.1:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return strconv.FormatFloat(x, 'g', 2, 64)
}

func (n TuneNumber) short() string {
	end := func(x *float64) string {
		if x == nil {
			return "?"
		}
		return figure(*x)
	}
	if n.Low != nil && n.High != nil && *n.Low == n.Value && *n.High == n.Value {
		return figure(n.Value)
	}
	return fmt.Sprintf("%s [%s, %s]", figure(n.Value), end(n.Low), end(n.High))
}

// method is how a number was come by, short.
func (n TuneNumber) method() string {
	short := strings.NewReplacer("importance sampling", "imp. sampling", "stalls made frequent", "stalls", "exact: nothing is lost, nothing stalls", "exact")
	if n.Method == "simulation" {
		return fmt.Sprintf("simulation, %d seen", n.N)
	}
	return short.Replace(n.Method)
}

func (t *Tune) setText(p *TunePoint) string {
	if len(p.Set) == 0 {
		return "as it is"
	}
	return strings.Join(p.Set, " ")
}

// cells of the points that are shown.
func (t *Tune) cells(show func(*TunePoint) bool) (head []string, rows [][]string) {
	head = []string{"", "settings", "changed", t.Goal + unit(t.GoalUnit)}
	for _, k := range t.Keep {
		head = append(head, k.Text)
		if strings.HasPrefix(k.Text, "flaps_per_year") {
			head = append(head, "by")
		}
	}
	for i := range t.Points {
		p := &t.Points[i]
		if !show(p) {
			continue
		}
		mark := ""
		switch {
		case t.Best != nil && *t.Best == i:
			mark = "best"
		case t.Cheapest != nil && *t.Cheapest == i:
			mark = "cheapest"
		case p.Brief:
			mark = "brief"
		}
		row := []string{mark, t.setText(p), strconv.Itoa(p.Changed), p.Goal.short()}
		for j, k := range t.Keep {
			verdict := "no: "
			if h := p.Keep[j].Holds; h == nil || *h {
				verdict = ""
			}
			row = append(row, verdict+p.Keep[j].short())
			if strings.HasPrefix(k.Text, "flaps_per_year") {
				row = append(row, p.Keep[j].method())
			}
		}
		rows = append(rows, row)
	}
	return head, rows
}

func unit(u string) string {
	if u == "" {
		return ""
	}
	return ", " + u
}

// in is a number with its unit, in a sentence.
func (t *Tune) in(n TuneNumber) string { return strings.TrimRight(n.short()+" "+t.GoalUnit, " ") }

// mostTunePoints are shown beside the front, the best and single settings.
const mostTunePoints = 30

// TuneText writes t for a person to read.
func TuneText(w io.Writer, t Tune, opt Options) error {
	t = rewritten(t, oneLine)
	p := &page{opt: opt}
	p.line(0, p.paint(bold, fmt.Sprintf("%s: %s over %d points", t.Name, t.Goal, len(t.Points))))
	p.line(0, p.paint(dim, t.provenance()))
	p.printf("\n")
	p.line(0, p.paint(bold, "the front")+": "+t.frontWords())
	head, rows := t.cells(func(x *TunePoint) bool { return x.Front })
	p.grid(0, grid{head: head, rows: rows})
	p.printf("\n")
	for _, line := range t.verdict() {
		p.line(0, line)
	}
	if len(t.Points) <= mostTunePoints {
		p.printf("\n")
		p.line(0, p.paint(bold, "all points"))
		head, rows = t.cells(func(*TunePoint) bool { return true })
		p.grid(0, grid{head: head, rows: rows})
	} else {
		p.line(0, fmt.Sprintf("All %d points: --format csv, or -o FILE.json.", len(t.Points)))
	}
	for _, s := range [...]struct {
		title string
		lines []string
	}{{"does nothing", t.idleLines()}, {"left out, since the platform does not offer it (--beyond tries it anyhow)", t.leftOutLines()}, {"to verify", t.Verify}} {
		if len(s.lines) > 0 {
			p.printf("\n")
			p.line(0, p.paint(bold, s.title))
			for _, l := range s.lines {
				p.line(2, l)
			}
		}
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

func (t *Tune) provenance() string {
	text := fmt.Sprintf("scenario %s (sha256 %.12s), %s runs of each point from seed %d on; what stands in brackets are %g %% intervals",
		t.Scenario, t.ScenarioSHA256, thousands(int64(t.Runs)), t.FirstSeed, 100*t.Confidence)
	if len(t.Sets) > 0 {
		text += "; --set " + strings.Join(t.Sets, " --set ")
	}
	return text
}

func (t *Tune) frontWords() string {
	against := "the number of changed settings"
	if len(t.Keep) > 0 {
		against, _, _ = strings.Cut(t.Keep[0].Text, " ")
	}
	return "no point is better in both " + t.Goal[len("min "):] + " and " + against
}

// verdict says what to do.
func (t *Tune) verdict() (list []string) {
	if t.Best == nil {
		return []string{"No point keeps the constraints."}
	}
	best := &t.Points[*t.Best]
	list = append(list, fmt.Sprintf("Best: %s: %s.", t.setText(best), t.in(best.Goal)))
	if !best.Sure && len(t.Keep) > 0 {
		list = append(list, "  Not for sure: the interval of a constraint goes beyond its limit.")
	}
	if t.Cheapest != nil && *t.Cheapest != *t.Best {
		c := &t.Points[*t.Cheapest]
		list = append(list, fmt.Sprintf("Cheapest that is as good, as far as %s runs can tell: %s (%d changed instead of %d): %s.",
			thousands(c.Goal.N), t.setText(c), c.Changed, best.Changed, t.in(c.Goal)))
	} else if best.Changed > 0 {
		list = append(list, fmt.Sprintf("Cheapest: the same, %d changed; fewer changes do less.", best.Changed))
	} else {
		list = append(list, "Cheapest: to change nothing.")
	}
	return list
}

func (t *Tune) idleLines() (list []string) {
	for _, x := range t.Idle {
		line := fmt.Sprintf("%s does nothing: the same in all %s runs, to the nanosecond", x.Set, thousands(x.Runs))
		if x.Reason != "" {
			line += "; " + x.Reason
		}
		list = append(list, line)
	}
	return list
}

func (t *Tune) leftOutLines() (list []string) {
	for _, x := range t.LeftOut {
		list = append(list, x.Set+": "+x.Reason)
	}
	return list
}

// TuneMarkdown writes t as GitHub-flavoured Markdown.
func TuneMarkdown(w io.Writer, t Tune) error {
	verify := rewritten(t, oneLine).Verify
	t = rewritten(rewritten(t, oneLine), escapeMarkdown)
	m := &sheet{}
	m.printf("### %s: %s\n\n%s\n\n**The front**: %s\n\n", t.Name, t.Goal, t.provenance(), t.frontWords())
	m.table(t.cells(func(x *TunePoint) bool { return x.Front }))
	for _, l := range t.verdict() {
		m.printf("%s\n\n", strings.TrimSpace(l))
	}
	for _, s := range [...]struct {
		title string
		lines []string
	}{{"Does nothing", t.idleLines()}, {"Left out, since the platform does not offer it", t.leftOutLines()}} {
		if len(s.lines) > 0 {
			m.printf("**%s**\n\n- %s\n\n", s.title, strings.Join(s.lines, "\n- "))
		}
	}
	m.printf("```\n%s\n```\n", strings.Join(verify, "\n"))
	_, err := io.WriteString(w, m.b.String())
	return err
}

// TuneCSV writes a line for each point.
func TuneCSV(w io.Writer, t Tune) error {
	out := csv.NewWriter(w)
	head := []string{"set", "changed", "kept", "sure", "front", "brief", t.Goal, "low", "high", "n", "method"}
	for _, k := range t.Keep {
		head = append(head, k.Text, "low", "high", "n", "method")
	}
	out.Write(head)
	for i := range t.Points {
		p := &t.Points[i]
		row := []string{strings.Join(p.Set, " "), strconv.Itoa(p.Changed), strconv.FormatBool(p.Kept), strconv.FormatBool(p.Sure), strconv.FormatBool(p.Front), strconv.FormatBool(p.Brief)}
		for _, n := range append([]TuneNumber{p.Goal}, p.Keep...) {
			end := func(x *float64) string {
				if x == nil {
					return ""
				}
				return strconv.FormatFloat(*x, 'g', -1, 64)
			}
			row = append(row, end(&n.Value), end(n.Low), end(n.High), strconv.FormatInt(n.N, 10), n.Method)
		}
		out.Write(row)
	}
	out.Flush()
	return out.Error()
}

// Verifying are the commands that show what was found.
func (t *Tune) Verifying(place int, worst uint64) []string {
	p := &t.Points[place]
	var sets []string
	for _, s := range slices.Concat(t.Sets, p.Set) {
		sets = append(sets, "--set", quote(s))
	}
	with := strings.Join(append([]string{quote(t.Scenario)}, sets...), " ")
	return []string{fmt.Sprintf("vpnsim sweep %s -n %d --seed %d", with, t.Runs, t.FirstSeed), fmt.Sprintf("vpnsim run %s --seed %d", with, worst)}
}
