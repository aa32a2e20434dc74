package lab

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/vpnsim/vpnsim/daemonconf"
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
	// Where these stand in the matrix; what is not there stands where With does.
	ScenarioAt, WithAt, SetAt, ForAt topology.Pos
}

// Wrong is something in a matrix that cannot be, with its place. Word, where there is one,
// is what is none of Known.
type Wrong struct {
	Pos           topology.Pos
	Message, Help string
	Word          string
	Known         []string
}

// matrixKeys are the keys of a matrix, and caseKeys those of each of its cases.
var (
	matrixKeys = []string{"vpnsim-lab", "cases"}
	caseKeys   = []string{"group", "scenario", "with", "set", "trials", "for", "tunnel", "note"}
)

// mostTrials of a case, and mostCases of a matrix, are more than anybody waits for.
const (
	mostTrials = 1000
	mostCases  = 1000
)

var groupRule = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// ReadMatrix reads one. trials is what a case has that does not say; 0: it has to. If
// anything is wrong, the list says what, all at once, and the matrix has those cases that
// could be understood.
func ReadMatrix(file string, data []byte, trials int) (*Matrix, []Wrong) {
	r := &matrixReader{file: file, trials: trials, seen: map[string]topology.Pos{}}
	r.matrix(data)
	slices.SortStableFunc(r.wrong, func(a, b Wrong) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	return &r.Matrix, r.wrong
}

// matrixReader walks through a file, and notes what is wrong with it.
type matrixReader struct {
	Matrix
	file   string
	trials int
	wrong  []Wrong
	seen   map[string]topology.Pos // names of cases
}

func (r *matrixReader) pos(n *yaml.Node) topology.Pos {
	if n == nil {
		return topology.Pos{File: r.file}
	}
	return topology.Pos{File: r.file, Line: n.Line, Col: n.Column}
}

func (r *matrixReader) complain(n *yaml.Node, help, format string, args ...any) {
	r.wrong = append(r.wrong, Wrong{Pos: r.pos(n), Message: fmt.Sprintf(format, args...), Help: help})
}

// unknown complains about a word that is none of those.
func (r *matrixReader) unknown(n *yaml.Node, word string, known []string, format string, args ...any) {
	r.wrong = append(r.wrong, Wrong{Pos: r.pos(n), Message: fmt.Sprintf(format, args...), Word: word, Known: known})
}

const beginsWith = "a matrix begins with `vpnsim-lab: v1`; docs/lab.md shows one"

func (r *matrixReader) matrix(data []byte) {
	load, err := yaml.NewLoader(bytes.NewReader(data))
	var doc, second yaml.Node
	if err == nil {
		err = load.Load(&doc)
	}
	switch {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0:
		r.complain(nil, beginsWith, "the file is empty")
		return
	case err != nil:
		r.syntax(err)
		return
	}
	switch err := load.Load(&second); {
	case err == nil:
		r.complain(&second, "put each matrix into a file of its own", "a second YAML document begins here")
	case !errors.Is(err, io.EOF):
		r.syntax(err)
	}
	root := meant(doc.Content[0])
	if root.Kind != yaml.MappingNode {
		r.complain(root, beginsWith, "a matrix is a mapping, this is %s", kindOf(root))
		return
	}
	if i := slices.IndexFunc(root.Content, func(n *yaml.Node) bool { return n.Value == "vpnsim-lab" }); i < 0 {
		r.complain(root, beginsWith, "this is no matrix of vpnsim lab")
		return // most likely it is a scenario: nothing in it would be known
	}
	top := r.fields(root, "a matrix", matrixKeys)
	if v := top["vpnsim-lab"]; v.Value != "v1" {
		r.complain(v, beginsWith, "version %q of a matrix is not known, only v1", v.Value)
	}
	list := top["cases"]
	switch {
	case list == nil || isNothing(list) || list.Kind == yaml.SequenceNode && len(list.Content) == 0:
		r.complain(cmp.Or(list, root), "cases: is a list; docs/lab.md shows one", "there are no cases")
		return
	case list.Kind != yaml.SequenceNode:
		r.complain(list, "each begins with a -", "cases: is a list, not %s", kindOf(list))
		return
	}
	for i, n := range list.Content {
		if n = meant(n); n.Kind != yaml.MappingNode {
			r.complain(n, "- group: hold", "case %d is %s, not a mapping", i+1, kindOf(n))
			continue
		}
		r.cases(n, i+1)
		if len(r.seen) > mostCases {
			r.complain(n, "", "these are more than %d cases", mostCases)
			return
		}
	}
}

func (r *matrixReader) syntax(err error) {
	wrong := Wrong{Pos: r.pos(nil), Message: "not YAML: " + err.Error()}
	var one *yaml.LoadError
	if errors.As(err, &one) {
		wrong.Pos.Line, wrong.Pos.Col = one.Mark.Line, one.Mark.Column
		wrong.Message = strings.TrimSpace("not YAML: " + one.Message + " " + one.ContextMsg)
	}
	r.wrong = append(r.wrong, wrong)
}

// fields of a mapping, each once.
func (r *matrixReader) fields(n *yaml.Node, what string, keys []string) map[string]*yaml.Node {
	first, fields := map[string]*yaml.Node{}, map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], meant(n.Content[i+1])
		switch {
		case !slices.Contains(keys, key.Value):
			r.unknown(key, key.Value, keys, "%s has no %q", what, key.Value)
		case first[key.Value] != nil:
			r.complain(key, "", "%s: is there twice; the first is in line %d", key.Value, first[key.Value].Line)
		default:
			first[key.Value], fields[key.Value] = key, value
		}
	}
	return fields
}

// cases that one entry of the list stands for.
func (r *matrixReader) cases(n *yaml.Node, number int) {
	before := len(r.wrong)
	f := r.fields(n, "a case", caseKeys)
	for _, needed := range []struct{ key, help string }{{"group", "group: hold"}, {"scenario", "scenario: aws-gcp"}, {"with", "with: [frr, bird]"}, {"trials", "trials: 12, or --trials"}} {
		if v := f[needed.key]; (v == nil || isNothing(v)) && (needed.key != "trials" || r.trials == 0) {
			r.complain(n, needed.help, "case %d has no %s", number, needed.key)
			delete(f, needed.key)
		}
	}
	group, scenario := r.text(f, "group"), r.text(f, "scenario")
	if f["group"] != nil && group != "" && !groupRule.MatchString(group) {
		r.complain(f["group"], "lower case letters, digits and -", "%q cannot be a group", group)
	}
	one := Case{Scenario: scenario, Trials: r.trials, Note: r.text(f, "note")}
	if v := f["trials"]; v != nil {
		var err error
		if one.Trials, err = strconv.Atoi(v.Value); err != nil || one.Trials < 1 || one.Trials > mostTrials {
			r.complain(v, "", "trials: %q is no whole number between 1 and %d", v.Value, mostTrials)
		}
	}
	if v := f["for"]; v != nil {
		var err error
		if one.For, err = topology.ParseDuration(v.Value); err != nil {
			r.complain(v, "", "for: %v", err)
		} else if one.For == 0 {
			r.complain(v, "left out, a trial measures until the scenario ends", "for: nothing is measured in %s", v.Value)
		}
	}
	tunnel := r.text(f, "tunnel")
	if v := f["tunnel"]; v != nil && !slices.Contains(Carriers, Carrier(tunnel)) {
		r.complain(v, "known: plain, ipsec", "tunnel: nothing is called %q", tunnel)
	}
	sets := r.list(f, "set")
	if len(sets) == 0 {
		sets = []*yaml.Node{nil}
	}
	for _, with := range r.list(f, "with") {
		var ok bool
		if one.With, ok = r.with(with); !ok {
			continue
		}
		one.With.Tunnel = tunnel
		for _, set := range sets {
			at, naming, others := with, "", ""
			if set != nil {
				at = set
				naming, others, _ = strings.Cut(set.Value, ";")
			}
			c := one
			c.WithAt, c.SetAt, c.ForAt = r.pos(with), r.pos(at), r.pos(with)
			if v := f["for"]; v != nil {
				c.ForAt = r.pos(v)
			}
			if s := f["scenario"]; s != nil {
				c.ScenarioAt = r.pos(s)
			}
			names := strings.Fields(naming)
			c.Sets = append(names, strings.Fields(others)...)
			parts := []string{group, strings.Join(strings.Fields(with.Value), "+")}
			if len(names) > 0 {
				parts = append(parts, strings.Join(names, "+"))
			}
			c.Name = strings.Join(parts, "/")
			if first, twice := r.seen[c.Name]; twice {
				r.complain(at, fmt.Sprintf("the first is in line %d; give one of them another group, or another setting before its semicolon", first.Line), "two cases are called %s", c.Name)
			}
			r.seen[c.Name] = c.SetAt
			if len(r.wrong) == before {
				r.Cases = append(r.Cases, c)
			}
			if len(r.seen) > mostCases {
				return
			}
		}
	}
}

// text of a field, or nothing.
func (r *matrixReader) text(f map[string]*yaml.Node, key string) string {
	n := f[key]
	switch {
	case n == nil || isNothing(n):
		return ""
	case n.Kind != yaml.ScalarNode:
		r.complain(n, "", "%s: is a text, not %s", key, kindOf(n))
		delete(f, key)
		return ""
	}
	return n.Value
}

// list of a field; one text may stand without brackets.
func (r *matrixReader) list(f map[string]*yaml.Node, key string) (list []*yaml.Node) {
	n := f[key]
	if n == nil || isNothing(n) {
		return nil
	}
	all := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		all = n.Content
	}
	for _, x := range all {
		if x = meant(x); x.Kind != yaml.ScalarNode {
			r.complain(x, "", "%s: is a list of texts, and in it is %s", key, kindOf(x))
			continue
		}
		list = append(list, x)
	}
	return list
}

// with reads "frr" or "a=frr b=bird".
func (r *matrixReader) with(n *yaml.Node) (f Flags, ok bool) {
	var known []string
	for _, d := range daemons {
		known = append(known, string(d))
	}
	for _, w := range strings.Fields(n.Value) {
		name, daemon, each := strings.Cut(w, "=")
		switch {
		case each && name != "" && daemon != "":
			f.Routers = append(f.Routers, w)
		case !each && f.With == "":
			f.With, daemon = w, w
		default:
			r.complain(n, "write frr, or a=frr b=bird", "%q does not say which daemons", n.Value)
			return f, false
		}
		if !slices.Contains(daemons, daemonconf.Daemon(daemon)) {
			r.unknown(n, daemon, known, "with: there is no daemon %q", daemon)
			return f, false
		}
	}
	if f.With == "" && len(f.Routers) == 0 {
		r.complain(n, "write frr, or a=frr b=bird", "%q does not say which daemons", n.Value)
		return f, false
	}
	return f, true
}

// meant is what an alias stands for.
func meant(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// isNothing tells whether a value has been left out.
func isNothing(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && (n.Value == "" || n.Tag == "!!null")
}

// kindOf a node in words.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNothing(n):
		return "nothing"
	}
	return "a single value"
}
