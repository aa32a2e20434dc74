package report

import (
	"fmt"
	"io"
)

// Worst is the document of `vpnsim sweep --worst --format json`: the worst run that a
// search has found.
type Worst struct {
	VPNSim         string   `json:"vpnsim"`
	Kind           string   `json:"kind"` // "worst"
	Version        string   `json:"version"`
	Scenario       string   `json:"scenario"`
	Name           string   `json:"name"`
	ScenarioSHA256 string   `json:"scenario_sha256"`
	Metric         string   `json:"metric"`
	Means          string   `json:"means"`
	Value          Amount   `json:"value"`
	Seed           uint64   `json:"seed"`
	Sets           []string `json:"set"`
	FirstSeed      uint64   `json:"first_seed"`
	SeedsTried     int64    `json:"seeds_tried"`
	WorstOfSeeds   Amount   `json:"worst_of_seeds"`
	MomentsTried   int64    `json:"moments_tried"`
	BoundS         *Seconds `json:"bound_s"`
	Gap            *Gap     `json:"gap,omitempty"`
}

// Command is the run that shows it.
func (w *Worst) Command() string {
	s := Sweep{Scenario: w.Scenario, Sets: w.Sets}
	return s.Command(&SweepPoint{}, w.Seed)
}

// WorstJSON writes w as JSON does a Document.
func WorstJSON(out io.Writer, w Worst) error { return encode(out, rewritten(w, asIs)) }

// WorstText writes w for a person to read.
func WorstText(out io.Writer, w Worst, opt Options) error {
	command := w.Command()
	w = rewritten(w, oneLine)
	p := &page{opt: opt}
	unit := ""
	if w.Value.Unit == "s" {
		unit = " s"
	}
	p.line(0, p.paint(bold, fmt.Sprintf("%s: the largest %s that was found is %s%s", w.Name, w.Metric, w.Value, unit)))
	p.line(0, fmt.Sprintf("%s runs: seeds %d to %d (the largest of them has %s%s), then %s moments for the story's events with the worst of these",
		thousands(w.SeedsTried+w.MomentsTried), w.FirstSeed, w.FirstSeed+uint64(w.SeedsTried)-1, w.WorstOfSeeds, unit, thousands(w.MomentsTried)))
	switch {
	case w.BoundS != nil && *w.BoundS > 0:
		share := 100 * float64(w.Value.N) / float64(*w.BoundS)
		p.line(0, fmt.Sprintf("If every wait of its chain took as long as it can, it would be %s s: what was found is %.2f %% of that.", w.BoundS, share))
	case w.Gap != nil:
		p.line(0, "No bound is known: some wait of its chain has no limit.")
	}
	p.printf("\n%s\n", command)
	if w.Gap != nil {
		p.printf("\n")
		p.gap(Document{}, *w.Gap)
	}
	_, err := out.Write(p.buf.Bytes())
	return err
}
