package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
	"go.yaml.in/yaml/v4"
)

// --set path=value changes the tree before it is read, as if the file had
// said so. That way everything that a file may say can be set, with the same
// checks and messages; the nodes that came this way are remembered, and their
// place is "--set path". The value itself never appears in that place, since
// it might be something that should not be repeated.

const setPrefix = "--set "

// step of a path: a key, or a place in a list.
type step struct {
	key   string
	index int // -1: a key
}

// splitPath turns "story[0].at" or "story.0.at" into steps.
func splitPath(path string) ([]step, error) {
	var steps []step
	for part := range strings.SplitSeq(path, ".") {
		key, rest, _ := strings.Cut(part, "[")
		if key == "" {
			return nil, fmt.Errorf("%q has an empty part", path)
		}
		steps = append(steps, step{key, -1})
		for rest != "" {
			number, after, closed := strings.Cut(rest, "]")
			i, err := strconv.Atoi(number)
			if err != nil || i < 0 || !closed || after != "" && after[0] != '[' {
				return nil, fmt.Errorf("%q: a place in a list is written [0]", path)
			}
			steps = append(steps, step{number, i})
			rest = strings.TrimPrefix(after, "[")
		}
		if strings.HasSuffix(part, "[") {
			return nil, fmt.Errorf("%q: a place in a list is written [0]", path)
		}
	}
	return steps, nil
}

// apply edits the tree as the sets say, one after the other.
func (l *loader) apply(root *yaml.Node, sets []string) {
	for _, s := range sets {
		path, text, ok := strings.Cut(s, "=")
		path = strings.TrimSpace(path)
		pos := topology.Pos{File: setPrefix + path}
		if !ok || path == "" {
			l.report(topology.Pos{File: "--set"}, "write --set path=value, such as routers.aws.bgp.hold=9s", "%q sets nothing", path)
			continue
		}
		steps, err := splitPath(path)
		if err != nil {
			l.report(pos, "write routers.aws.bgp.hold or story[0].at", "%v", err)
			continue
		}
		if last := steps[len(steps)-1]; isSecret(last.key) {
			l.report(pos, "remove it: keys change no timing", "secrets do not belong into a scenario")
			continue
		}
		value := l.setValue(path, pos, text)
		if value == nil {
			continue
		}
		for _, one := range l.each(root, steps, pos) {
			edit{l: l, root: root, path: path, pos: pos, value: l.copy(value)}.do(one)
		}
	}
}

// each gives the paths that a path with a star stands for: routers.*.bgp.mrai
// is that of every router. A path without one stands for itself.
func (l *loader) each(root *yaml.Node, steps []step, pos topology.Pos) [][]step {
	star := slices.IndexFunc(steps, func(s step) bool { return s.key == "*" })
	if star < 0 {
		return [][]step{steps}
	}
	section := find(root, steps[0].key)
	if star != 1 || len(steps) < 3 || section == nil || section.Kind != yaml.MappingNode || len(section.Content) == 0 {
		l.report(pos, "write routers.*.bgp.mrai, links.*.rtt", "a star stands for every router, host, link or tunnel, and here for nothing")
		return nil
	}
	var list [][]step
	for _, name := range keysOf(section) {
		one := slices.Clone(steps)
		one[1].key = name
		list = append(list, one)
	}
	return list
}

// aboutGenerate parts the sets that change what is generated from those that
// change, among others, what has been generated.
func aboutGenerate(sets []string) (about, others []string) {
	for _, s := range sets {
		path, _, _ := strings.Cut(s, "=")
		if path = strings.TrimSpace(path); path == "generate" || strings.HasPrefix(path, "generate.") {
			about = append(about, s)
		} else {
			others = append(others, s)
		}
	}
	return about, others
}

// setValue reads the right-hand side, which is YAML too: a scalar mostly, but
// a list or a mapping in braces is possible.
func (l *loader) setValue(path string, pos topology.Pos, text string) *yaml.Node {
	if len(text) > MaxFile {
		l.report(pos, "", "the value is too long")
		return nil
	}
	if problem, _ := notText([]byte(text)); problem != "" {
		l.report(pos, "", "the value is not text: %s", problem)
		return nil
	}
	var doc yaml.Node
	if strings.TrimSpace(text) != "" {
		if err := yaml.Load([]byte(text), &doc); err != nil {
			l.report(pos, "quote it, or write lists and mappings as [a, b] and {a: b}", "the value is not YAML")
			return nil
		}
	}
	value := &yaml.Node{Kind: yaml.ScalarNode}
	if len(doc.Content) > 0 {
		e := expander{active: map[*yaml.Node]bool{}}
		if value = e.copy(doc.Content[0], false); e.problem != "" {
			l.report(pos, "", "%s", e.problem)
			return nil
		}
	}
	l.mark(value, path)
	l.scrub(value)
	return value
}

// mark remembers that n and all below it came from --set path.
func (l *loader) mark(n *yaml.Node, path string) {
	l.set[n] = path
	for _, c := range n.Content {
		l.mark(c, path)
	}
}

// edit is one change to the tree.
type edit struct {
	l     *loader
	root  *yaml.Node
	path  string
	pos   topology.Pos
	value *yaml.Node
}

func (e edit) fail(help, format string, args ...any) {
	e.l.report(e.pos, help, format, args...)
}

func (e edit) do(steps []step) {
	if steps = e.begin(steps); steps == nil {
		return
	}
	at := e.root
	for i, s := range steps {
		last := i == len(steps)-1
		if i == 1 && steps[0].key == "probe" || i == 2 && steps[0].key == "probes" {
			openProbe(at)
		}
		if isNull(at) {
			at.Kind, at.Tag, at.Value = yaml.MappingNode, "!!map", ""
		}
		switch at.Kind {
		case yaml.SequenceNode:
			if at = e.item(at, s, steps[:i], last); at == nil || last {
				return
			}
		case yaml.MappingNode:
			if s.index >= 0 && i > 0 {
				e.fail("", "%s is no list", join(steps[:i]))
				return
			}
			if last {
				e.put(at, s.key, i > 1 && linkSection(steps[0].key))
				return
			}
			next := find(at, s.key)
			if next == nil {
				if next = e.create(at, steps, i); next == nil {
					return
				}
			}
			at = next
		default:
			e.fail("", "%s is a single value, there is no %s in it", join(steps[:i]), s.key)
			return
		}
	}
}

// begin makes sure that the path begins with something that scenarios have,
// and lets `probe` and `probes` stand for each other where only one is meant.
func (e edit) begin(steps []step) []step {
	first := steps[0].key
	if !slices.Contains(topKeys, first) {
		help := didYouMean(first, slices.Concat(e.l.paramNames, topKeys))
		for _, section := range []string{"routers", "hosts", "links", "tunnels"} {
			if s := find(e.root, section); s != nil && find(s, first) != nil {
				help = fmt.Sprintf("did you mean %s.%s?", section, e.path)
			}
		}
		if slices.Contains(groups, first) && len(steps) > 1 {
			help = fmt.Sprintf("settings stand below routers: write routers.%s.%s …", steps[1].key, first)
		}
		e.fail(help, "a scenario has no %q", first)
		return nil
	}
	probe, probes := find(e.root, "probe"), find(e.root, "probes")
	switch {
	case first == "probe" && probe == nil && probes != nil && len(steps) > 1:
		if probes.Kind != yaml.SequenceNode || len(probes.Content) != 1 {
			e.fail("write probes[0], probes[1] …", "there are several probes")
			return nil
		}
		return append([]step{{"probes", -1}, {"0", 0}}, steps[1:]...)
	case first == "probes" && probes == nil && probe != nil && len(steps) > 2 && steps[1].key == "0":
		return append([]step{{"probe", -1}}, steps[2:]...)
	}
	return steps
}

// openProbe turns the short form of a probe into the long one, which has room
// for more.
func openProbe(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return
	}
	text := *n
	*n = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column,
		Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "ping", Line: n.Line, Column: n.Column}, &text}}
}

// item finds the place s of a list, or puts the value there.
func (e edit) item(list *yaml.Node, s step, before []step, last bool) *yaml.Node {
	i := s.index
	if i < 0 {
		n, err := strconv.Atoi(s.key)
		if err != nil || n < 0 {
			e.fail(fmt.Sprintf("write %s[0]", join(before)), "%s is a list, %q is no place in it", join(before), s.key)
			return nil
		}
		i = n
	}
	switch {
	case i < len(list.Content) && last:
		list.Content[i] = e.value
	case i < len(list.Content):
		return list.Content[i]
	case i == len(list.Content) && last:
		list.Content = append(list.Content, e.value)
	default:
		e.fail(lastOf(join(before), list), "%s has no entry %d", join(before), i)
	}
	return nil
}

// create adds the missing mapping for steps[i]. A router, host, link or tunnel
// that is not there is not created for one value inside it: that would be a
// slip of the keyboard.
func (e edit) create(at *yaml.Node, steps []step, i int) *yaml.Node {
	if i == 1 && (steps[0].key == "routers" || steps[0].key == "hosts" || linkSection(steps[0].key)) {
		e.fail(didYouMean(steps[i].key, keysOf(at)), "there is no %s %q", strings.TrimSuffix(steps[0].key, "s"), steps[i].key)
		return nil
	}
	if i == 0 && steps[0].key == "story" {
		e.fail("", "the scenario has no story")
		return nil
	}
	next := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	e.add(at, steps[i].key, next)
	return next
}

func (e edit) add(at *yaml.Node, key string, value *yaml.Node) {
	k := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}
	e.l.set[k], e.l.set[value] = e.path, e.path
	at.Content = append(at.Content, k, value)
}

// put sets a key of a mapping. A link has either an rtt or a delay, so that
// setting the one takes the other away.
func (e edit) put(at *yaml.Node, key string, inLink bool) {
	other := map[string]string{"rtt": "delay", "delay": "rtt"}[key]
	for k := 0; k+1 < len(at.Content); k += 2 {
		if at.Content[k].Value == key {
			at.Content[k+1] = e.value
			return
		}
		if inLink && other != "" && at.Content[k].Value == other {
			at.Content = append(at.Content[:k:k], at.Content[k+2:]...)
			break
		}
	}
	e.add(at, key, e.value)
}

// find returns the value of a key of a mapping, or nil.
func find(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// child returns what a step of a path leads to, or nil.
func child(n *yaml.Node, s step) *yaml.Node {
	if n.Kind != yaml.SequenceNode {
		return find(n, s.key)
	}
	if i, err := strconv.Atoi(s.key); err == nil && i >= 0 && i < len(n.Content) {
		return n.Content[i]
	}
	return nil
}

// lastOf says how long a list is.
func lastOf(path string, list *yaml.Node) string {
	if len(list.Content) == 0 {
		return path + " is empty"
	}
	return fmt.Sprintf("the last is %s[%d]", path, len(list.Content)-1)
}

// keysOf returns the keys of a mapping.
func keysOf(n *yaml.Node) []string {
	var keys []string
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		keys = append(keys, n.Content[i].Value)
	}
	return keys
}

func linkSection(key string) bool { return key == "links" || key == "tunnels" }

// join writes steps as a path again.
func join(steps []step) string {
	var b strings.Builder
	for i, s := range steps {
		switch {
		case s.index >= 0:
			fmt.Fprintf(&b, "[%d]", s.index)
		case i > 0:
			b.WriteString("." + s.key)
		default:
			b.WriteString(s.key)
		}
	}
	return b.String()
}
