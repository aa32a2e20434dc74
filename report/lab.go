package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// What `vpnsim lab` prints: a scenario on real daemons, trial by trial, and in the end
// what was measured beside what is predicted.

// LabKind is what the result of a lab says that it is.
const LabKind = "lab"

// Lab is a run of it. It holds what the same prediction can be made from again: the
// scenario's file and hash, --set, who played which router, what carried the tunnels, and
// how long a trial measured. Package measured makes it, and docs/lab.md says how.
type Lab struct {
	VPNSim         string       `json:"vpnsim"`
	Kind           string       `json:"kind"`
	Version        string       `json:"version"`
	Case           string       `json:"case,omitempty"`
	Scenario       string       `json:"scenario"`
	ScenarioSHA256 string       `json:"scenario_sha256"`
	Seed           uint64       `json:"seed"`
	Sets           []string     `json:"set,omitempty"`
	Tunnel         string       `json:"tunnel"`
	IPsec          string       `json:"ipsec,omitempty"` // the program
	Kernel         string       `json:"kernel"`
	LengthS        Seconds      `json:"length_s"`
	Interrupted    bool         `json:"interrupted,omitempty"`
	Routers        []LabRouter  `json:"routers"`
	Trials         []LabTrial   `json:"trials"`
	Measured       LabSample    `json:"measured"`
	Predicted      LabSample    `json:"predicted"`
	Outside        int          `json:"outside"`
	Distance       float64      `json:"distance"`
	P              float64      `json:"p"`
	Cannot         []LabSetting `json:"cannot"`
}

// LabRouter is who plays a router.
type LabRouter struct {
	Router  string       `json:"router"`
	Daemon  string       `json:"daemon"`
	Program string       `json:"program"`
	Instead string       `json:"instead"`
	Differs []LabSetting `json:"differs"`
}

// LabSetting is one that is not as the scenario has it.
type LabSetting struct {
	Path     string `json:"path"`
	Scenario string `json:"scenario"`
	Lab      string `json:"lab"`
}

// LabTrial is one trial.
type LabTrial struct {
	Number  int         `json:"number"`
	Seed    uint64      `json:"seed"`
	Error   string      `json:"error,omitempty"`
	GapS    Seconds     `json:"gap_s"`
	Events  []LabEvent  `json:"events"`
	Pings   []LabPing   `json:"pings"`
	Changes []LabChange `json:"changes"`
	BGP     []LabBGP    `json:"bgp"`
	Streams []LabStream `json:"streams"`
	Missed  int         `json:"missed,omitempty"`
	SAs     []LabSA     `json:"sas,omitempty"`
}

// LabEvent is an event of the story.
type LabEvent struct {
	AtS   Seconds `json:"at_s"`
	TookS Seconds `json:"took_s"`
	What  string  `json:"what"`
}

// LabPing is what one ping has seen.
type LabPing struct {
	Probe    string   `json:"probe"`
	Sent     int      `json:"sent"`
	Received int      `json:"received"`
	GapS     Seconds  `json:"gap_s"`
	LeastS   Seconds  `json:"least_s"`
	MostS    *Seconds `json:"most_s,omitempty"`
}

// LabChange is one of a router's kernel routes.
type LabChange struct {
	AtS    Seconds `json:"at_s"`
	AfterS Seconds `json:"after_s"`
	Router string  `json:"router"`
	Prefix string  `json:"prefix"`
	Via    string  `json:"via,omitempty"`
	Down   string  `json:"down,omitempty"`
}

// LabSA is an IPsec SA that came or went at one end of a tunnel.
type LabSA struct {
	AtS    Seconds `json:"at_s"`
	AfterS Seconds `json:"after_s"`
	Router string  `json:"router"`
	Tunnel string  `json:"tunnel"`
	Up     bool    `json:"up"`
}

// LabSample are the longest gaps of many trials, or of many simulated runs.
type LabSample struct {
	N       int     `json:"n"`
	Instant int     `json:"instant"`
	MinS    Seconds `json:"min_s"`
	MedianS Seconds `json:"median_s"`
	P95S    Seconds `json:"p95_s"`
	MaxS    Seconds `json:"max_s"`
}

// LabJSON writes it as JSON.
func LabJSON(w io.Writer, l Lab) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(rewritten(l, asIs)); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// LabLine writes it in a line, as results are kept.
func LabLine(w io.Writer, l Lab) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(rewritten(l, asIs)); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// LabTrialText writes a trial for a person to read, when it has ended.
func LabTrialText(w io.Writer, t LabTrial, opt Options) error {
	t = rewritten(t, oneLine)
	p := &page{opt: opt}
	head := p.paint(bold, fmt.Sprintf("trial %d", t.Number)) + p.paint(dim, fmt.Sprintf("  seed %d", t.Seed))
	if t.Error != "" {
		p.line(0, head+"  "+p.paint(yellow, t.Error))
		_, err := w.Write(p.buf.Bytes())
		return err
	}
	for _, x := range t.Pings {
		seen := "nothing lost"
		if x.Sent > x.Received {
			seen = fmt.Sprintf("longest gap %s s", x.GapS.Fixed(3))
			if x.MostS != nil {
				seen += fmt.Sprintf(" (in truth between %s and %s s)", x.LeastS.Fixed(3), x.MostS.Fixed(3))
			} else {
				seen += ", and it did not end"
			}
		}
		head += fmt.Sprintf("  %s: %d sent, %d received, %s", x.Probe, x.Sent, x.Received, seen)
	}
	p.line(0, head)
	for _, e := range t.Events {
		p.line(2, fmt.Sprintf("%9s s  %s", e.AtS.Fixed(3), e.What))
		for _, x := range after(t, e.AtS) {
			p.line(2, p.paint(dim, fmt.Sprintf("%11s  %s", "+"+x.after.Fixed(3)+" s", x.what)))
		}
	}
	if t.Missed > 0 {
		p.line(2, p.paint(yellow, fmt.Sprintf("%d packets of BGP were missed: messages may be, too", t.Missed)))
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

// LabText writes what all trials together say; every setting that is not the scenario's, if
// it is asked for all.
func LabText(w io.Writer, l Lab, all bool, opt Options) error {
	l = rewritten(l, oneLine)
	p := &page{opt: opt}
	var who []string
	for _, r := range l.Routers {
		who = append(who, fmt.Sprintf("%s is %s", r.Router, r.Program))
	}
	if l.IPsec != "" {
		who = append(who, "tunnels are "+l.IPsec+"'s")
	}
	p.printf("\n")
	p.line(0, p.paint(bold, "measured beside predicted: "+strings.Join(who, ", ")))
	p.line(0, p.paint(dim, fmt.Sprintf("vpnsim %s: %s (sha256 %.8s), seed %d, %s s each, Linux %s", l.Version, l.Scenario, l.ScenarioSHA256, l.Seed, l.LengthS.Fixed(0), l.Kernel)))
	if l.Interrupted {
		p.line(0, p.paint(yellow, "interrupted: of "+count(len(l.Trials), "trial that had ended", "trials that had ended")))
	}
	p.printf("\n")
	g := grid{head: []string{"longest gap of a run", "runs", "at most 1 s", "min", "median", "p95", "max"}, right: []int{1, 2, 3, 4, 5, 6}}
	for _, s := range []struct {
		name string
		LabSample
	}{{"measured", l.Measured}, {"predicted", l.Predicted}} {
		share := "–"
		if s.N > 0 {
			share = fmt.Sprintf("%.0f %%", 100*float64(s.Instant)/float64(s.N))
		}
		g.add(s.name, fmt.Sprint(s.N), share, s.MinS.Fixed(2)+" s", s.MedianS.Fixed(2)+" s", s.P95S.Fixed(2)+" s", s.MaxS.Fixed(2)+" s")
	}
	p.grid(0, g)
	p.printf("\n")
	switch {
	case l.Outside > 0:
		p.line(0, p.paint(yellow, fmt.Sprintf("%d of %d measured gaps lie outside the range of the predicted ones", l.Outside, l.Measured.N)))
	default:
		p.line(0, "every measured gap lies in the range of the predicted ones")
	}
	p.line(0, fmt.Sprintf("largest distance of the two distributions %.2f, where 0.3 s make no difference; were they the same, it would be as large with probability %.3f (Kolmogorov-Smirnov)", l.Distance, l.P))
	p.printf("\n")
	for _, r := range l.Routers {
		text := fmt.Sprintf("%s: profile %s in the place of %s, in both", r.Router, r.Daemon, r.Instead)
		if n := len(r.Differs); n > 0 && !all {
			text += fmt.Sprintf("; %s not as there (-v lists them)", count(n, "setting is", "settings are"))
		}
		p.line(0, text)
		for _, s := range r.Differs {
			if all {
				p.line(2, fmt.Sprintf("%s: %s, not %s", s.Path, s.Lab, s.Scenario))
			}
		}
	}
	if n := len(l.Cannot); n > 0 && !all {
		p.line(0, count(n, "value is predicted with that a daemon cannot be told (-v lists it)", "values are predicted with that a daemon cannot be told (-v lists them)"))
	} else if n > 0 {
		p.line(0, "predicted with a value that the daemon cannot be told:")
		for _, s := range l.Cannot {
			p.line(2, fmt.Sprintf("%s %s: %s", s.Path, s.Scenario, s.Lab))
		}
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

// LabDoctor is what a machine has of what a lab needs.
type LabDoctor struct {
	VPNSim string     `json:"vpnsim"`
	Ready  bool       `json:"ready"`
	Needs  []LabNeeds `json:"needs"`
}

// LabNeeds is one thing.
type LabNeeds struct {
	What string `json:"what"`
	Have string `json:"have,omitempty"`
	For  string `json:"for"`
	Help string `json:"help,omitempty"`
}

// LabDoctorText writes it for a person to read.
func LabDoctorText(w io.Writer, d LabDoctor, opt Options) error {
	d = rewritten(d, oneLine)
	p := &page{opt: opt}
	g := grid{head: []string{"", "for", "here"}}
	for _, n := range d.Needs {
		have := n.Have
		if have == "" {
			have = p.paint(yellow, "missing: "+n.Help)
		}
		g.add(n.What, n.For, have)
	}
	p.grid(0, g)
	p.printf("\n")
	if d.Ready {
		p.line(0, "vpnsim lab run works here")
	} else {
		p.line(0, p.paint(yellow, "vpnsim lab run does not work here"))
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

// LabDoctorJSON writes it as JSON.
func LabDoctorJSON(w io.Writer, d LabDoctor) error {
	data, err := json.MarshalIndent(rewritten(d, asIs), "", "  ")
	if err == nil {
		_, err = w.Write(append(data, '\n'))
	}
	return err
}
