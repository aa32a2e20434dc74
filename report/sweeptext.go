package report

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// What `vpnsim sweep` prints: a table for each metric that is shown, a row for each
// point; or, of a scenario that is not varied, a row for each metric.

// SweepOptions of the text.
type SweepOptions struct {
	Options
	Metrics []string // a table for each; none: the first metric
	ECDF    string   // a picture of the distribution, to be put below the tables
}

// SweepText writes s for a person to read.
func SweepText(w io.Writer, s Sweep, opt SweepOptions) error {
	s = rewritten(s, oneLine)
	p := &page{opt: opt.Options}
	p.line(0, p.paint(bold, sweepTitle(s)))
	p.line(0, p.paint(dim, sweepProvenance(s)))
	if len(s.Vary) == 0 {
		p.printf("\n")
		head, rows := metricCells(s, opt.Metrics)
		p.grid(0, grid{head: head, rows: rows, right: []int{1}})
	} else if s.Points[0].Failure != "" {
		for _, name := range shownMetrics(s, opt.Metrics) {
			p.printf("\n")
			p.line(0, p.paint(bold, name)+": "+s.Points[0].metric(name).Means+unitWords(s.Points[0].metric(name).Unit))
			head, rows := failureCells(s, name)
			p.grid(0, grid{head: head, rows: rows})
		}
	} else {
		for _, name := range shownMetrics(s, opt.Metrics) {
			m := s.Points[0].metric(name)
			p.printf("\n")
			p.line(0, p.paint(bold, name)+": "+m.Means+unitWords(m.Unit))
			head, rows := pointCells(s, name)
			p.grid(0, grid{head: head, rows: rows})
			p.printf("\n")
			p.line(0, p.paint(dim, "against the scenario as it is, run by run of the same seed"))
			head, rows = differenceCells(s, name)
			p.grid(0, grid{head: head, rows: rows})
		}
	}
	if opt.ECDF != "" {
		p.printf("\n%s\n", strings.TrimRight(opt.ECDF, "\n"))
	}
	p.printf("\n")
	for _, remark := range sweepRemarks(s, opt.Metrics) {
		p.line(0, remark)
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

// SweepMarkdown writes s as GitHub-flavoured Markdown.
func SweepMarkdown(w io.Writer, s Sweep, metrics []string) error {
	commands := sweepRemarks(rewritten(s, oneLine), metrics)
	s = rewritten(rewritten(s, oneLine), escapeMarkdown)
	m := &sheet{}
	m.printf("### %s\n\n%s\n\n", sweepTitle(s), sweepProvenance(s))
	if len(s.Vary) == 0 {
		m.table(metricCells(s, metrics))
	} else if s.Points[0].Failure != "" {
		for _, name := range shownMetrics(s, metrics) {
			x := s.Points[0].metric(name)
			m.printf("**%s**: %s%s\n\n", name, x.Means, unitWords(x.Unit))
			m.table(failureCells(s, name))
		}
	} else {
		for _, name := range shownMetrics(s, metrics) {
			x := s.Points[0].metric(name)
			m.printf("**%s**: %s%s\n\n", name, x.Means, unitWords(x.Unit))
			m.table(pointCells(s, name))
			m.printf("Against the scenario as it is, run by run of the same seed:\n\n")
			m.table(differenceCells(s, name))
		}
	}
	for _, c := range commands {
		m.printf("%s\n\n", escapeMarkdown(c))
	}
	_, err := io.WriteString(w, strings.TrimRight(m.b.String(), "\n")+"\n")
	return err
}

func sweepTitle(s Sweep) string {
	points := ""
	if len(s.Points) > 1 {
		points = fmt.Sprintf(" at each of %d points", len(s.Points))
	}
	runs := "runs"
	if s.Runs == 1 {
		runs = "run"
	}
	return fmt.Sprintf("%s: %s %s%s", s.Name, thousands(s.Runs), runs, points)
}

func sweepProvenance(s Sweep) string {
	text := fmt.Sprintf("scenario %s (sha256 %.12s), seeds %d to %d; what stands in brackets are %g %% intervals",
		s.Scenario, s.ScenarioSHA256, s.FirstSeed, s.FirstSeed+uint64(max(s.Runs-1, 0)), 100*s.Confidence)
	if len(s.Sets) > 0 {
		text += "; --set " + strings.Join(s.Sets, " --set ")
	}
	return text
}

func unitWords(unit string) string {
	if unit == "s" {
		return ", in seconds"
	}
	return ""
}

// shownMetrics are those that were asked for, or the first.
func shownMetrics(s Sweep, asked []string) []string {
	if len(asked) > 0 {
		return asked
	}
	return []string{s.Points[0].Metrics[0].Name}
}

// heads of the columns of a distribution.
func heads(s Sweep, m *SweepMetric) []string {
	heads := []string{"n"}
	if s.InstantS > 0 {
		heads = append(heads, fmt.Sprintf("below %s s", s.InstantS))
	}
	for _, q := range m.Quantiles {
		heads = append(heads, "p"+strconv.FormatFloat(100*q.P, 'f', -1, 64))
	}
	return append(heads, "mean", "largest")
}

// metricCells are a row for each metric of the only point.
func metricCells(s Sweep, asked []string) (head []string, rows [][]string) {
	head = append([]string{""}, heads(s, &s.Points[0].Metrics[0])...)
	for i := range s.Points[0].Metrics {
		m := &s.Points[0].Metrics[i]
		if len(asked) > 0 && !slices.Contains(asked, m.Name) {
			continue
		}
		name := m.Name
		if m.Unit == "s" {
			name += ", s"
		}
		rows = append(rows, append([]string{name}, distributionCells(s, m)...))
	}
	return head, rows
}

// distributionCells stand under heads.
func distributionCells(s Sweep, m *SweepMetric) []string {
	cells := []string{thousands(m.N)}
	if s.InstantS > 0 {
		cells = append(cells, m.Instant.short())
	}
	for _, q := range m.Quantiles {
		cells = append(cells, q.short())
	}
	return append(cells, m.Mean.short(), m.Max.short())
}

// pointName are the cells that tell a point from others.
func pointName(s Sweep, p *SweepPoint) (cells []string) {
	for i, path := range s.Vary {
		v := p.value(path)
		if v == "" && i == 0 {
			v = "as it is"
		}
		cells = append(cells, v)
	}
	return cells
}

// pointCells are a row for each point.
func pointCells(s Sweep, name string) (head []string, rows [][]string) {
	head = slices.Concat(s.Vary, heads(s, s.Points[0].metric(name)))
	for i := range s.Points {
		p := &s.Points[i]
		m := p.metric(name)
		rows = append(rows, slices.Concat(pointName(s, p), distributionCells(s, m)))
	}
	return head, rows
}

// failureCells are a row for each failure, the one first that costs most on average.
func failureCells(s Sweep, name string) (head []string, rows [][]string) {
	points := slices.Clone(s.Points)
	slices.SortStableFunc(points, func(a, b SweepPoint) int {
		x, y := a.metric(name), b.metric(name)
		return cmp.Or(cmp.Compare(y.Mean.Value, x.Mean.Value), cmp.Compare(y.Max.N, x.Max.N))
	})
	head = append(append([]string{"what fails"}, heads(s, s.Points[0].metric(name))...), "never over", "the worst run has --seed")
	for i := range points {
		p := &points[i]
		m := p.metric(name)
		never := "–"
		if p.Open > 0 {
			never = percent(float64(p.Open)/float64(p.Runs)) + " %"
		}
		row := append(append([]string{p.Failure}, distributionCells(s, m)...), never, strconv.FormatUint(m.MaxSeed, 10))
		rows = append(rows, row)
	}
	return head, rows
}

func differenceCells(s Sweep, name string) (head []string, rows [][]string) {
	head = slices.Concat(s.Vary, []string{"n", "less", "the same", "more", "mean"})
	for i := 1; i < len(s.Points); i++ {
		p := &s.Points[i]
		m := p.metric(name)
		d := m.Difference
		share := func(k int64) string { return percent(float64(k)/float64(max(d.N, 1))) + " %" }
		row := slices.Concat(pointName(s, p), []string{thousands(d.N), share(d.Less), d.Same.short(), share(d.More), d.Mean.short()})
		for j, q := range d.Quantiles {
			if i == 1 {
				head = append(head, []string{"p5", "median", "p95"}[j])
			}
			row = append(row, q.short())
		}
		rows = append(rows, row)
	}
	return head, rows
}

// sweepRemarks are what a table cannot say.
func sweepRemarks(s Sweep, asked []string) (list []string) {
	if !s.Complete {
		list = append(list, "This is not all: the sweep was interrupted, and the runs that are missing are not a random choice of all.")
	}
	if u := s.Until; u != nil {
		what := fmt.Sprintf("the interval of the quantile %g of %s reaches at most %s from it", u.Quantile, u.Metric, u.Within.short())
		if u.Reached {
			list = append(list, "Precise enough at every point: "+what+".")
		} else {
			list = append(list, "NOT precise enough at every point, after as many runs as were allowed: not everywhere "+what+".")
		}
	}
	for _, name := range shownMetrics(s, asked) {
		worst, of := (*SweepMetric)(nil), (*SweepPoint)(nil)
		for i := range s.Points {
			if m := s.Points[i].metric(name); worst == nil || m.Max.N > worst.Max.N {
				worst, of = m, &s.Points[i]
			}
		}
		if worst.N > 0 {
			list = append(list, fmt.Sprintf("The largest %s of all (%s%s): %s", name, worst.Max, strings.TrimRight(" "+strings.Trim(worst.Unit, "1"), " "), s.Command(of, worst.MaxSeed)))
		}
	}
	for i := range s.Points {
		p := &s.Points[i]
		if p.Failure != "" {
			break // the table has it
		}
		at := ""
		if len(p.Set) > 0 {
			at = " with " + strings.Join(p.Set, " ")
		}
		if p.Open > 0 {
			list = append(list, fmt.Sprintf("In %s of %s runs%s %s.", thousands(p.Open), thousands(p.Runs), at, notOver(p)))
		}
		if p.Cut > 0 {
			list = append(list, fmt.Sprintf("In %s of %s runs%s routing did not come to rest, and the run was ended: what is counted is a lower bound.", thousands(p.Cut), thousands(p.Runs), at))
		}
	}
	if s.Points[0].Failure != "" {
		if outages, routing := kinds(&s.Points[0]); outages || !routing {
			list = append(list, "“Never over” are runs in which traffic was still lost at the end: what is counted of them is how long the run went on.")
		} else {
			list = append(list, "“Never over” are runs in which routing had not come to rest at the end: what is counted of them is how long the run went on.")
		}
		for i := range s.Points {
			if p := &s.Points[i]; p.Cut > 0 {
				list = append(list, fmt.Sprintf("%s: in %s of %s runs routing did not come to rest.", p.Failure, thousands(p.Cut), thousands(p.Runs)))
			}
		}
	}
	const most = 12
	if n := len(list) - most; n > 0 {
		list = append(list[:most], fmt.Sprintf("… and %d remarks more of this kind.", n))
	}
	return list
}

// kinds tells what the metrics of a point are about.
func kinds(p *SweepPoint) (outages, routing bool) {
	for i := range p.Metrics {
		switch p.Metrics[i].Name {
		case "convergence", "updates":
			routing = true
		case "gap", "request", "reply", "outage", "lost":
			outages = true
		}
	}
	return outages, routing
}

// notOver says of open runs what was not over in them.
func notOver(p *SweepPoint) string {
	const outage, rest = "an outage was not over at the end of the run", "routing was still reacting to an event when the next one, or the end, came"
	switch outages, routing := kinds(p); {
	case outages && routing:
		return outage + ", or " + rest + ": it lasts longer than was counted"
	case routing:
		return rest + ": it takes longer than was counted, or never ends (`vpnsim run` says which)"
	}
	return outage + ": it lasts longer than was counted. Give the scenario a longer `for:`"
}

// SweepCSV writes a line for each point and metric, with everything that the JSON has.
func SweepCSV(w io.Writer, s Sweep) error {
	out := csv.NewWriter(w)
	head := slices.Concat(s.Vary, []string{"metric", "unit", "n", "open", "cut", "below_instant", "below_instant_low", "below_instant_high", "mean", "mean_low", "mean_high", "min", "max", "max_seed"})
	for _, q := range s.Points[0].Metrics[0].Quantiles {
		name := "p" + strconv.FormatFloat(100*q.P, 'f', -1, 64)
		head = append(head, name, name+"_low", name+"_high")
	}
	head = append(head, "less", "same", "more", "mean_difference", "mean_difference_low", "mean_difference_high")
	if err := out.Write(head); err != nil {
		return err
	}
	float := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	end := func(a *Amount) string {
		if a == nil {
			return ""
		}
		return a.String()
	}
	mean := func(m SweepMean) []string {
		if m.Low == nil || m.High == nil {
			return []string{float(m.Value), "", ""}
		}
		return []string{float(m.Value), float(*m.Low), float(*m.High)}
	}
	for i := range s.Points {
		p := &s.Points[i]
		for j := range p.Metrics {
			m := &p.Metrics[j]
			var row []string
			for _, path := range s.Vary {
				row = append(row, p.value(path))
			}
			row = append(row, m.Name, m.Unit, fmt.Sprint(m.N), fmt.Sprint(p.Open), fmt.Sprint(p.Cut))
			if x := m.Instant; x != nil {
				row = append(row, float(x.Share), float(x.Low), float(x.High))
			} else {
				row = append(row, "", "", "")
			}
			row = append(append(row, mean(m.Mean)...), m.Min.String(), m.Max.String(), fmt.Sprint(m.MaxSeed))
			for _, q := range m.Quantiles {
				row = append(row, q.Value.String(), end(q.Low), end(q.High))
			}
			if d := m.Difference; d != nil {
				row = append(row, fmt.Sprint(d.Less), fmt.Sprint(d.Equal), fmt.Sprint(d.More))
				row = append(row, mean(d.Mean)...)
			} else {
				row = append(row, "", "", "", "", "", "")
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}
