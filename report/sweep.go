package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Sweep is the document of `vpnsim sweep --format json`: a scenario that ran many
// times, at each point of a grid.
type Sweep struct {
	VPNSim         string       `json:"vpnsim"`
	Kind           string       `json:"kind"` // "sweep"
	Version        string       `json:"version"`
	Scenario       string       `json:"scenario"`
	Name           string       `json:"name"`
	ScenarioSHA256 string       `json:"scenario_sha256"`
	Sets           []string     `json:"set,omitempty"`
	FirstSeed      uint64       `json:"first_seed"`
	Runs           int64        `json:"runs"`     // of each point; of a sweep that is not complete: of the first
	Complete       bool         `json:"complete"` // it was not interrupted
	Confidence     float64      `json:"confidence"`
	InstantS       Seconds      `json:"instant_s"`
	Until          *SweepUntil  `json:"until,omitempty"`
	Vary           []string     `json:"vary"`
	Points         []SweepPoint `json:"points"`
}

// SweepUntil is the precision that was asked for.
type SweepUntil struct {
	Metric   string  `json:"metric"`
	Quantile float64 `json:"quantile"`
	Within   Amount  `json:"within"`
	Reached  bool    `json:"reached"`
}

// SweepPoint is one point of the grid.
type SweepPoint struct {
	Set     []string      `json:"set"` // what it changes; empty: the scenario as it is
	Failure string        `json:"failure,omitempty"`
	Runs    int64         `json:"runs"`
	Open    int64         `json:"open"`
	Cut     int64         `json:"cut"`
	Metrics []SweepMetric `json:"metrics"`
}

// SweepMetric is the distribution of a metric at a point.
type SweepMetric struct {
	Name       string           `json:"name"`
	Means      string           `json:"means"`
	Unit       string           `json:"unit"` // "s" or "1"
	N          int64            `json:"n"`
	Mean       SweepMean        `json:"mean"`
	Min        Amount           `json:"min"`
	Max        Amount           `json:"max"`
	MaxSeed    uint64           `json:"max_seed"`
	Instant    *SweepShare      `json:"instant,omitempty"`
	Quantiles  []SweepQuantile  `json:"quantiles"`
	Difference *SweepDifference `json:"difference,omitempty"`
}

// SweepShare is k of n, with the interval of the probability behind it.
type SweepShare struct {
	K     int64   `json:"k"`
	N     int64   `json:"n"`
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// SweepMean is a mean and its interval, in the metric's unit. Ends that are null are not known.
type SweepMean struct {
	Value float64  `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

// SweepQuantile is a quantile and its interval. An end that is null is not known: there are
// too few runs.
type SweepQuantile struct {
	P     float64 `json:"p"`
	Value Amount  `json:"value"`
	Low   *Amount `json:"low"`
	High  *Amount `json:"high"`
}

// SweepDifference compares a point with the first, run by run of the same seed.
type SweepDifference struct {
	N         int64           `json:"n"`
	Less      int64           `json:"less"`
	Equal     int64           `json:"equal"`
	More      int64           `json:"more"`
	Same      SweepShare      `json:"same"`
	Mean      SweepMean       `json:"mean"`
	Quantiles []SweepQuantile `json:"quantiles"`
}

// Amount is a duration or a whole number.
type Amount struct {
	N    int64 // nanoseconds, billionths, or how many
	Unit string
}

// MarshalJSON writes seconds, or a whole number.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// String is a without its unit, exactly.
func (a Amount) String() string {
	if a.Unit == "s" || a.Unit == Ratio {
		return Seconds(a.N).String()
	}
	return strconv.FormatInt(a.N, 10)
}

// short is a as it stands in a table.
func (a Amount) short() string {
	if a.Unit == "s" {
		return Seconds(a.N).Fixed(2)
	}
	return strconv.FormatInt(a.N, 10)
}

// short is a quantile with its interval.
func (q SweepQuantile) short() string {
	end := func(a *Amount) string {
		if a == nil {
			return "?"
		}
		return a.short()
	}
	return fmt.Sprintf("%s [%s, %s]", q.Value.short(), end(q.Low), end(q.High))
}

func percent(x float64) string { return strconv.FormatFloat(100*x, 'f', 1, 64) }

// short is s in percent with its interval.
func (s *SweepShare) short() string {
	if s == nil {
		return "–"
	}
	return fmt.Sprintf("%s %% [%s, %s]", percent(s.Share), percent(s.Low), percent(s.High))
}

func (m SweepMean) short() string {
	two := func(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }
	if m.Low == nil || m.High == nil {
		return two(m.Value) + " [?, ?]"
	}
	return fmt.Sprintf("%s [%s, %s]", two(m.Value), two(*m.Low), two(*m.High))
}

// metric of that name; nil: it was not counted.
func (p *SweepPoint) metric(name string) *SweepMetric {
	i := slices.IndexFunc(p.Metrics, func(m SweepMetric) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &p.Metrics[i]
}

// value that the point gives to a parameter; empty: none.
func (p *SweepPoint) value(path string) string {
	if p.Failure != "" {
		return p.Failure
	}
	for _, set := range p.Set {
		if v, ok := strings.CutPrefix(set, path+"="); ok {
			return v
		}
	}
	return ""
}

// Command is the run with that seed, as it is typed.
func (s *Sweep) Command(p *SweepPoint, seed uint64) string {
	return RunCommand(s.Scenario, seed, slices.Concat(s.Sets, p.Set))
}

// quote makes a word of what a shell would take for more than one, or for
// something else.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/%@") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// SweepJSON writes s as JSON does a Document.
func SweepJSON(w io.Writer, s Sweep) error { return encode(w, rewritten(s, asIs)) }
