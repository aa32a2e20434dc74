package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// What `vpnsim peer` prints: who is who, then a line for each thing that happens
// when it happens, and in the end what the real router did beside what a
// simulated one would have done. With --format json each of them is one line.

// PeerStart says who is who.
type PeerStart struct {
	Kind           string     `json:"kind"` // start
	VPNSim         string     `json:"vpnsim"`
	Version        string     `json:"version"`
	Scenario       string     `json:"scenario"`
	ScenarioSHA256 string     `json:"scenario_sha256"`
	Seed           uint64     `json:"seed"`
	Sets           []string   `json:"set,omitempty"`
	Real           string     `json:"real"`
	RealAS         uint32     `json:"real_as"`
	Links          []PeerLink `json:"links"`
	Unattached     []string   `json:"unattached,omitempty"`
}

// PeerLink is a link between a router that vpnsim plays and the real one.
type PeerLink struct {
	Link   string `json:"link"`
	Router string `json:"router"`
	AS     uint32 `json:"as"`
	Listen string `json:"listen"`
	Calls  string `json:"calls,omitempty"`
	MD5    bool   `json:"md5,omitempty"`
	TTL    bool   `json:"ttl_security,omitempty"`
}

// PeerLine is something that happened.
type PeerLine struct {
	Kind   string   `json:"kind"`
	At     string   `json:"at"`
	StoryS *Seconds `json:"story_s,omitempty"`
	Router string   `json:"router,omitempty"`
	Link   string   `json:"link,omitempty"`
	Words  string   `json:"words"`
	Detail bool     `json:"detail,omitempty"`
}

// PeerSummary is what the router did after each event of the story.
type PeerSummary struct {
	Kind    string      `json:"kind"` // summary
	Real    string      `json:"real"`
	Profile string      `json:"profile"`
	Runs    int         `json:"runs"`
	LateS   Seconds     `json:"late_s"`
	Events  []PeerEvent `json:"events"`
}

// PeerEvent is an event of the story.
type PeerEvent struct {
	AtS     Seconds      `json:"at_s"`
	What    string       `json:"what"`
	Asked   bool         `json:"asked,omitempty"`
	Moments []PeerMoment `json:"moments"`
}

// PeerMoment is the first time after it that something happened: as it was seen,
// and as it was in the simulated runs.
type PeerMoment struct {
	Router       string   `json:"router"`
	What         string   `json:"what"`
	SeenS        *Seconds `json:"seen_s,omitempty"`
	SeenWhy      string   `json:"seen_why,omitempty"`
	SimulatedIn  int      `json:"simulated_in"`
	LeastS       *Seconds `json:"least_s,omitempty"`
	MostS        *Seconds `json:"most_s,omitempty"`
	SimulatedWhy string   `json:"simulated_why,omitempty"`
	Differs      bool     `json:"differs,omitempty"`
}

// PeerJSON writes one of them on a line of its own.
func PeerJSON[T PeerStart | PeerLine | PeerSummary](w io.Writer, v T) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(rewritten(v, asIs)); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// PeerStartText writes who is who for a person to read.
func PeerStartText(w io.Writer, s PeerStart, opt Options) error {
	s = rewritten(s, oneLine)
	p := &page{opt: opt}
	var played []string
	for i, l := range s.Links {
		if i == 0 || l.Router != s.Links[i-1].Router {
			played = append(played, fmt.Sprintf("%s (AS %d)", l.Router, l.AS))
		}
	}
	p.line(0, p.paint(bold, fmt.Sprintf("vpnsim plays %s; %s (AS %d) is a real router", strings.Join(played, " and "), s.Real, s.RealAS)))
	p.line(0, p.paint(dim, fmt.Sprintf("vpnsim %s: %s (sha256 %.8s), seed %d", s.Version, s.Scenario, s.ScenarioSHA256, s.Seed)))
	for _, l := range s.Links {
		calls := "waits to be called"
		if l.Calls != "" {
			calls = "calls " + l.Calls
		}
		host, port, _ := strings.Cut(l.Listen, ":")
		words := fmt.Sprintf("%s: %s listens on %s and %s; for the router it is neighbour %s, port %s, remote AS %d", l.Link, l.Router, l.Listen, calls, host, port, l.AS)
		if l.MD5 {
			words += ", with a TCP MD5 password"
		}
		if l.TTL {
			words += ", with TTL security"
		}
		p.line(2, words)
	}
	for _, l := range s.Unattached {
		p.line(2, l+": nobody answers here; one more --as attaches it")
	}
	p.line(2, fmt.Sprintf("what %s does with packets is not known, so nothing is pinged and nothing expected", s.Real))
	_, err := w.Write(p.buf.Bytes())
	return err
}

// PeerLineText writes a line for a person to read.
func PeerLineText(w io.Writer, l PeerLine, opt Options) error {
	l = rewritten(l, oneLine)
	p := &page{opt: opt}
	story := strings.Repeat(" ", 9) + "–"
	if l.StoryS != nil {
		story = fmt.Sprintf("%8s s", l.StoryS.Fixed(3))
	}
	words := l.Words
	switch l.Kind {
	case "fault", "ask", "story":
		words = p.paint(bold, words)
	case "malformed":
		words = p.paint(yellow, words)
	}
	p.line(0, fmt.Sprintf("%s  %s  %s", clockOf(l.At), p.plain(story), words))
	_, err := w.Write(p.buf.Bytes())
	return err
}

// clockOf is the time of day of an RFC 3339 time, to the millisecond.
func clockOf(at string) string {
	_, clock, _ := strings.Cut(at, "T")
	return clock[:min(len(clock), len("15:04:05.000"))]
}

// PeerSummaryText writes the comparison for a person to read.
func PeerSummaryText(w io.Writer, s PeerSummary, opt Options) error {
	s = rewritten(s, oneLine)
	p := &page{opt: opt}
	p.printf("\n")
	if len(s.Events) == 0 {
		p.line(0, "nothing of the story has happened, so there is nothing to compare")
	}
	for i, e := range s.Events {
		if i == 0 {
			p.line(0, p.paint(bold, fmt.Sprintf("what followed each event, beside %d runs in which %s is simulated, with profile %s", s.Runs, s.Real, s.Profile)))
		}
		p.printf("\n")
		what := e.What
		if e.Asked {
			what += " (asked for; counted from then)"
		}
		p.line(0, fmt.Sprintf("%s s  %s", e.AtS.Fixed(3), p.paint(bold, what)))
		g := grid{head: []string{"", "who", "what", "seen after", "because", "simulated after", "because"}}
		for _, m := range e.Moments {
			mark, seen, simulated := "", "not", "never"
			if m.Differs {
				mark = p.paint(yellow, "≠")
			}
			if m.SeenS != nil {
				seen = m.SeenS.Fixed(3) + " s"
			}
			if m.LeastS != nil {
				simulated = m.LeastS.Fixed(3) + " s"
				if m.MostS.Fixed(3) != m.LeastS.Fixed(3) {
					simulated = m.LeastS.Fixed(3) + "–" + m.MostS.Fixed(3) + " s"
				}
				if m.SimulatedIn < s.Runs {
					simulated += fmt.Sprintf(", in %d of %d", m.SimulatedIn, s.Runs)
				}
			}
			g.add(mark, m.Router, m.What, seen, m.SeenWhy, simulated, m.SimulatedWhy)
		}
		if len(g.rows) == 0 {
			p.line(2, "nothing, and nothing is simulated to")
			continue
		}
		p.grid(0, g)
	}
	if s.LateS > 100_000_000 {
		p.printf("\n")
		p.line(0, fmt.Sprintf("this machine was busy: vpnsim served a timer %s s late", s.LateS.Fixed(3)))
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}
