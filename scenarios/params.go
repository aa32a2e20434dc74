package scenarios

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
	"go.yaml.in/yaml/v4"
)

// A parameter is a value with a name, which the rest of the file uses as $name
// and --set name=value changes:
//
//	params: {n: 4, mrai: 30s}
//	…
//	bgp: {mrai: $mrai}
//	expect: gap.outage < duration("$mrai") * ($n - 3)
//
// As in a shell, ${name} is the same where a letter follows, and between
// braces of YAML it needs quotes; $$ is a dollar. There is no arithmetic but
// what expectations have by themselves.
//
// Parameters are replaced in the tree before anything else looks at it. A value
// that is a parameter and nothing else is written where the parameter is, as
// an alias is written where its anchor is; one that has more around it is
// written where it stands.

// param is a parameter of the scenario that is being read.
type param struct {
	key, value *yaml.Node
	kind       paramKind
	used       bool
}

// paramKind is what a parameter's default is, and --set has to give.
type paramKind uint8

const (
	paramText paramKind = iota
	paramInteger
	paramDuration
	paramSwitch
	paramNumber
)

func (k paramKind) String() string {
	return [...]string{"a text", "a whole number", "a duration", "true or false", "a number"}[k]
}

// kindOfParam is what the text looks like.
func kindOfParam(text string) paramKind {
	for k := paramInteger; k <= paramNumber; k++ {
		if k.check(text) == nil {
			return k
		}
	}
	return paramText
}

// check says why text is nothing of that kind.
func (k paramKind) check(text string) error {
	switch k {
	case paramInteger:
		_, err := strconv.ParseInt(text, 10, 64)
		return err
	case paramDuration:
		_, err := topology.ParseDist(text)
		return err
	case paramSwitch:
		if text != "true" && text != "false" {
			return strconv.ErrSyntax
		}
	case paramNumber:
		_, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		return err
	}
	return nil
}

// replaced is what stood where a node's text is now.
type replaced struct {
	params []*param
	whole  bool // a parameter and nothing else
	wrong  bool // there is no such parameter
	text   string
}

const (
	maxParam = 1000    // characters that a parameter stands for
	maxGrown = 1 << 20 // characters that parameters add to a scenario
)

var (
	paramName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,62}$`)
	paramUse  = regexp.MustCompile(`\$(\$|[A-Za-z][A-Za-z0-9_]*|\{[^{}]*\}?)`)
)

// parameters reads params, changes them as sets say, and puts them where they
// are used. It returns the sets that are about something else.
func (l *loader) parameters(root *yaml.Node, sets []string) []string {
	section := find(root, "params")
	l.declare(section)
	sets = slices.DeleteFunc(slices.Clone(sets), l.setParam)
	l.substitute(root, section)
	for _, name := range l.paramNames {
		p := l.params[name]
		l.d.Params = append(l.d.Params, topology.Param{Name: name, Value: p.value.Value, Used: p.used, Pos: l.pos(p.key), Origin: l.origin(p.value)})
	}
	return sets
}

func (l *loader) declare(section *yaml.Node) {
	l.params = map[string]*param{}
	o := l.object(section, "params")
	if o == nil || !l.few(section, "params", len(o.keys)) {
		return
	}
	for _, key := range o.keys {
		value := o.get(key.Value)
		text, ok := l.text(value, "the default of "+strconv.Quote(key.Value))
		switch {
		case !ok:
		case !paramName.MatchString(key.Value):
			l.error(key, "letters, digits and _, beginning with a letter", "%q cannot be the name of a parameter", key.Value)
		case slices.Contains(topKeys, key.Value):
			l.error(key, "name it otherwise", "a parameter cannot be called %q: scenarios have a key of that name", key.Value)
		case len(text) > maxParam:
			l.error(value, "", "the parameter %q is longer than %d characters", key.Value, maxParam)
		case paramUse.MatchString(text):
			l.error(value, "write the value out", "the parameter %q uses another one", key.Value)
		default:
			l.params[key.Value] = &param{key: key, value: value, kind: kindOfParam(text)}
			l.paramNames = append(l.paramNames, key.Value)
		}
	}
}

// setParam takes one --set if it is about a parameter: n=10, or params.n=10.
func (l *loader) setParam(set string) bool {
	path, text, ok := strings.Cut(set, "=")
	path = strings.TrimSpace(path)
	name, section := strings.CutPrefix(path, "params.")
	p := l.params[name]
	if !ok || p == nil && !section && path != "params" {
		return false
	}
	pos := topology.Pos{File: setPrefix + path}
	if p == nil {
		if !section {
			l.report(pos, "write --set and the name of one of them, such as n=10", "parameters are set one by one")
			return true
		}
		l.report(pos, didYouMean(name, l.paramNames), "the scenario has no parameter %q", name)
		return true
	}
	value := l.setValue(path, pos, text)
	if value == nil {
		return true
	}
	now, ok := l.text(value, "the parameter "+strconv.Quote(name))
	if !ok {
		return true
	}
	switch err := p.kind.check(now); {
	case len(now) > maxParam:
		l.report(pos, "", "the value is longer than %d characters", maxParam)
	case err != nil && p.kind == paramDuration:
		l.report(pos, "", "%v", err)
	case err != nil:
		l.report(pos, fmt.Sprintf("its default is %s", p.value.Value), "%q is not %s", now, p.kind)
	default:
		p.value = value
	}
	return true
}

// substitute replaces parameters in all of n but their own section.
func (l *loader) substitute(n, section *yaml.Node) {
	if n == section {
		return
	}
	for _, c := range n.Content {
		l.substitute(c, section)
	}
	if n.Kind != yaml.ScalarNode || !strings.Contains(n.Value, "$") {
		return
	}
	was := replaced{text: n.Value}
	text := paramUse.ReplaceAllStringFunc(n.Value, func(use string) string {
		name := strings.TrimPrefix(use, "$")
		if name == "$" {
			return "$"
		}
		if inner, braced := strings.CutPrefix(name, "{"); braced {
			if name, braced = strings.CutSuffix(inner, "}"); !braced {
				l.error(n, "write ${name}", "%q does not end", use)
				was.wrong = true
				return use
			}
		}
		p := l.params[name]
		if p == nil {
			l.unknownParam(n, name)
			was.wrong = true
			return use
		}
		p.used = true
		was.whole = was.whole || use == n.Value
		if !slices.Contains(was.params, p) {
			was.params = append(was.params, p)
		}
		if l.grown += len(p.value.Value); l.grown > maxGrown {
			return use
		}
		return p.value.Value
	})
	if l.grown > maxGrown {
		l.report(topology.Pos{File: l.file}, "", "parameters add more than %d characters to the scenario", maxGrown)
		return
	}
	n.Value = text
	if len(was.params) > 0 || was.wrong {
		l.replaced[n] = was
	}
}

func (l *loader) unknownParam(n *yaml.Node, name string) {
	help := didYouMean(name, l.paramNames)
	if len(l.paramNames) == 0 {
		help = "name it under params, or write $$ for a dollar"
	}
	l.error(n, help, "there is no parameter %q", name)
}

// written says for a message what a value looks like in the file, where
// parameters have made it look otherwise.
func (l *loader) written(n *yaml.Node) string {
	if was := l.replaced[n]; len(was.params) > 0 && n.Line > 0 {
		return fmt.Sprintf(" (%s in line %d)", was.text, n.Line)
	}
	return ""
}
