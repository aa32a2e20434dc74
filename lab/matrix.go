package lab

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/vpnsim/vpnsim/topology"
)

// A matrix is a file that lists many cases: which scenarios, with which daemons, and
// with which settings. It is what `vpnsim lab calibrate` runs:
//
//	vpnsim-lab: v1
//	cases:
//	  - group: hold                 # the first part of the cases' names
//	    scenario: blackhole.yaml    # beside the matrix, or one that ships with vpnsim
//	    with: [frr, bird, a=frr b=bird]
//	    set: [hold=9s; end=115s, hold=15s; end=125s]
//	    trials: 12
//	    for: 50s                    # each; otherwise until the scenario ends
//	    tunnel: ipsec               # as --tunnel
//	    note: printed beside these cases
//
// That is six cases, from hold/frr/hold=9s to hold/a=frr+b=bird/hold=15s: what stands before
// the semicolon gives the name, the rest goes with it.

// Matrix is one that has been read.
type Matrix struct{ Cases []Case }

// Case is a scenario with certain daemons and settings, tried several times.
type Case struct {
	Name     string // group/daemons/setting
	Scenario string
	With     Flags
	Sets     []string
	Trials   int
	For      time.Duration // Options.For
	Note     string
	Pos      topology.Pos // in the matrix
}

// Wrong is something in a matrix that cannot be, with its place.
type Wrong struct {
	Pos           topology.Pos
	Message, Help string
}

// word is a text that knows where it stands.
type word struct {
	text string
	node *yaml.Node
}

func (w *word) UnmarshalYAML(n *yaml.Node) error {
	w.node = n
	return n.Decode(&w.text)
}

// words is a list of them; one may stand without brackets.
type words []word

func (w *words) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		*w = make(words, 1)
		return n.Decode(&(*w)[0])
	}
	return n.Decode((*[]word)(w))
}

type matrixFile struct {
	Version word `yaml:"vpnsim-lab"`
	Cases   []struct {
		Group    word   `yaml:"group"`
		Scenario word   `yaml:"scenario"`
		With     words  `yaml:"with"`
		Tunnel   word   `yaml:"tunnel"`
		Set      words  `yaml:"set"`
		Trials   int    `yaml:"trials"`
		For      word   `yaml:"for"`
		Note     string `yaml:"note"`
	} `yaml:"cases"`
}

// mostTrials of a case, and mostCases of a matrix, are more than anybody waits for.
const (
	mostTrials = 1000
	mostCases  = 1000
)

var groupRule = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// ReadMatrix reads one. If anything is wrong with it, the list says what, all at once.
func ReadMatrix(file string, data []byte) (*Matrix, []Wrong) {
	var (
		raw   matrixFile
		wrong []Wrong
	)
	complain := func(n *yaml.Node, help, format string, args ...any) {
		pos := topology.Pos{File: file}
		if n != nil {
			pos.Line, pos.Col = n.Line, n.Column
		}
		wrong = append(wrong, Wrong{pos, fmt.Sprintf(format, args...), help})
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithKnownFields())
	if err == nil {
		err = loader.Load(&raw)
	}
	var many *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case errors.Is(err, io.EOF):
		complain(nil, "it begins with `vpnsim-lab: v1`", "the file is empty")
	case errors.As(err, &many):
		for _, e := range many.Errors {
			complain(&yaml.Node{Line: e.Mark.Line, Column: e.Mark.Column}, "", "%s", e.Message)
		}
	case errors.As(err, &one):
		complain(&yaml.Node{Line: one.Mark.Line, Column: one.Mark.Column}, "", "%s", one.Message)
	case err != nil:
		complain(nil, "", "%v", err)
	case raw.Version.text != "v1":
		complain(raw.Version.node, "it begins with `vpnsim-lab: v1`", "this is no matrix of vpnsim lab")
	case len(raw.Cases) == 0:
		complain(nil, "", "there are no cases")
	}
	if wrong != nil {
		return nil, wrong
	}
	m := &Matrix{}
	seen := map[string]topology.Pos{}
	for i := range raw.Cases {
		c := &raw.Cases[i]
		at := cmp.Or(c.Group.node, c.Scenario.node)
		switch {
		case c.Group.text == "":
			complain(at, "group: hold", "case %d has no group", i+1)
		case !groupRule.MatchString(c.Group.text):
			complain(at, "lower case letters, digits and -", "%q cannot be a group", c.Group.text)
		}
		if c.Scenario.text == "" {
			complain(at, "", "case %d has no scenario", i+1)
		}
		if len(c.With) == 0 {
			complain(at, "with: [frr, bird]", "case %d has no daemons", i+1)
		}
		if c.Tunnel.node != nil && !slices.Contains(Carriers, Carrier(c.Tunnel.text)) {
			complain(c.Tunnel.node, "known: plain, ipsec", "tunnel: nothing is called %q", c.Tunnel.text)
		}
		if c.Trials < 1 || c.Trials > mostTrials {
			complain(at, "", "trials: %d is not between 1 and %d", c.Trials, mostTrials)
		}
		length := time.Duration(0)
		if c.For.node != nil {
			if length, err = time.ParseDuration(c.For.text); err != nil || length <= 0 {
				complain(c.For.node, "write it like 45s", "for: %q is no duration", c.For.text)
			}
		}
		if len(c.Set) == 0 {
			c.Set = words{{}}
		}
		for _, with := range c.With {
			flags, ok := readWith(with.text)
			if !ok {
				complain(with.node, "write frr, or a=frr b=bird", "%q does not say which daemons", with.text)
				continue
			}
			flags.Tunnel = c.Tunnel.text
			for _, set := range c.Set {
				naming, others, _ := strings.Cut(set.text, ";")
				sets := strings.Fields(naming)
				one := Case{Scenario: c.Scenario.text, With: flags, Sets: append(sets, strings.Fields(others)...), Trials: c.Trials, For: length, Note: c.Note}
				n := cmp.Or(set.node, with.node)
				one.Pos = topology.Pos{File: file, Line: n.Line, Col: n.Column}
				parts := []string{c.Group.text, strings.Join(strings.Fields(with.text), "+")}
				if len(sets) > 0 {
					parts = append(parts, strings.Join(sets, "+"))
				}
				one.Name = strings.Join(parts, "/")
				if first, twice := seen[one.Name]; twice {
					complain(n, fmt.Sprintf("the first is in line %d; give one of them another group, or another setting before its semicolon", first.Line), "two cases are called %s", one.Name)
				}
				seen[one.Name] = one.Pos
				m.Cases = append(m.Cases, one)
			}
		}
	}
	if len(m.Cases) > mostCases {
		complain(nil, "", "%d cases are more than %d", len(m.Cases), mostCases)
	}
	slices.SortStableFunc(wrong, func(a, b Wrong) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	return m, wrong
}

// readWith reads "frr" or "a=frr b=bird".
func readWith(text string) (f Flags, ok bool) {
	for _, w := range strings.Fields(text) {
		name, daemon, each := strings.Cut(w, "=")
		switch {
		case each && name != "" && daemon != "":
			f.Routers = append(f.Routers, w)
		case !each && f.With == "":
			f.With = w
		default:
			return f, false
		}
	}
	return f, f.With != "" || len(f.Routers) > 0
}
