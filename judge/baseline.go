package judge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/vpnsim/vpnsim/report"
)

// Baseline is what came of a test earlier, to which a later one is compared. With the
// same seeds, nothing differs unless the scenario or the program does.
type Baseline struct {
	VPNSim    string             `json:"vpnsim"`
	Kind      string             `json:"kind"` // "test-baseline"
	Version   string             `json:"version"`
	FirstSeed uint64             `json:"first_seed"`
	Runs      int                `json:"runs"`
	Sets      []string           `json:"set"`
	Scenarios []BaselineScenario `json:"scenarios"`
}

// BaselineScenario is what came of one.
type BaselineScenario struct {
	Scenario       string             `json:"scenario"` // as the file is called from where the baseline lies
	ScenarioSHA256 string             `json:"scenario_sha256"`
	Digest         string             `json:"digest"` // of the run with the first seed
	Values         []report.Statistic `json:"values"`
}

const baselineKind = "test-baseline"

// ReadBaseline reads one.
func ReadBaseline(r io.Reader) (*Baseline, error) {
	b := &Baseline{}
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(b); err != nil {
		return nil, err
	}
	if b.Kind != baselineKind {
		return nil, errors.New("this is no baseline of vpnsim test")
	}
	if b.VPNSim != "v1" {
		return nil, fmt.Errorf("version %q of the format is not known, only v1", b.VPNSim)
	}
	return b, nil
}

// Write writes it, one value a line, so that what changes in it can be reviewed.
func (b *Baseline) Write(w io.Writer) error {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(b); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// NewBaseline is what a test has found. name says how its scenarios are called in it.
// What old has about scenarios that were not tested, and that keep wants, stays.
func NewBaseline(t *report.Test, name func(string) string, old *Baseline, keep func(string) bool) *Baseline {
	b := &Baseline{VPNSim: "v1", Kind: baselineKind, Version: t.Version, FirstSeed: t.FirstSeed, Runs: t.Runs, Sets: append([]string{}, t.Sets...), Scenarios: []BaselineScenario{}}
	for i := range t.Scenarios {
		if s := &t.Scenarios[i]; s.Runs > 0 {
			b.Scenarios = append(b.Scenarios, BaselineScenario{name(s.Scenario), s.ScenarioSHA256, s.Digest, s.Values})
		}
	}
	if old != nil && old.sameRuns(t) == nil {
		for _, s := range old.Scenarios {
			if b.find(s.Scenario) == nil && keep(s.Scenario) {
				b.Scenarios = append(b.Scenarios, s)
			}
		}
	}
	slices.SortFunc(b.Scenarios, func(x, y BaselineScenario) int { return bytes.Compare([]byte(x.Scenario), []byte(y.Scenario)) })
	return b
}

func (b *Baseline) find(name string) *BaselineScenario {
	i := slices.IndexFunc(b.Scenarios, func(s BaselineScenario) bool { return s.Scenario == name })
	if i < 0 {
		return nil
	}
	return &b.Scenarios[i]
}

// sameRuns refuses to compare what is not comparable.
func (b *Baseline) sameRuns(t *report.Test) error {
	switch {
	case b.Runs != t.Runs || b.FirstSeed != t.FirstSeed:
		return fmt.Errorf("it is of %d runs from seed %d, and this test is of %d from %d", b.Runs, b.FirstSeed, t.Runs, t.FirstSeed)
	case !slices.Equal(b.Sets, t.Sets):
		return fmt.Errorf("it was made with --set %q, and this test with %q", b.Sets, t.Sets)
	}
	return nil
}

// Compare fills in how the test differs from the baseline.
func (b *Baseline) Compare(t *report.Test, name func(string) string) error {
	if err := b.sameRuns(t); err != nil {
		return err
	}
	for i := range t.Scenarios {
		s := &t.Scenarios[i]
		if s.Runs == 0 {
			continue
		}
		old := b.find(name(s.Scenario))
		if old == nil {
			s.Baseline = &report.Compared{New: true, Values: []report.ComparedValue{}}
			continue
		}
		c := &report.Compared{Why: b.changed(old, s, t.Version), Values: []report.ComparedValue{}}
		for _, now := range s.Values {
			k := slices.IndexFunc(old.Values, func(x report.Statistic) bool { return x.Expr == now.Expr && x.Unit == now.Unit })
			if k < 0 || old.Values[k].Value == now.Value {
				continue
			}
			c.Values = append(c.Values, report.ComparedValue{Expr: now.Expr, Was: old.Values[k], Now: now, Worse: worse(&old.Values[k], &now)})
		}
		s.Baseline = c
	}
	return nil
}

// changed says why there may be a difference; empty: there can be none.
func (b *Baseline) changed(old *BaselineScenario, s *report.TestedScenario, version string) string {
	design := old.ScenarioSHA256 != s.ScenarioSHA256
	switch {
	case design && b.Version != version:
		return fmt.Sprintf("the scenario has changed, and so has vpnsim (%s, now %s)", b.Version, version)
	case design:
		return "the scenario has changed"
	case b.Version != version:
		return fmt.Sprintf("vpnsim has changed (%s, now %s)", b.Version, version)
	case old.Digest != s.Digest:
		return "vpnsim has changed, or a file that the scenario names: the same run came out otherwise"
	}
	return ""
}

// slack is how far a value may be from one that has no interval, or only half of one.
const slack = 20 // a twentieth

// worse tells whether a value, of which less is better, has become larger than chance
// explains: each of the two lies outside of the other's interval.
func worse(was, now *report.Statistic) bool {
	high, low := was.Value.N+was.Value.N/slack, now.Value.N-now.Value.N/slack
	if was.High != nil && !was.Exact {
		high = was.High.N
	}
	if now.Low != nil && !now.Exact {
		low = now.Low.N
	}
	return now.Value.N > high && was.Value.N < low
}
