package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/vpnsim/vpnsim/topology"
	"go.yaml.in/yaml/v4"
)

// From bytes to a tree. Whatever cannot be a scenario is turned away here, by
// rules that are cheap enough for hostile input: the size before anything
// else, text before YAML, one document, and aliases that are expanded up to a
// limit and never in a circle.

// MaxFile is the most that a scenario may have, in bytes, so that whoever
// reads files need not read more.
const MaxFile = 8 << 20

const (
	maxExpanded = 100_000 // nodes that aliases may add
)

// parse returns the root mapping of the only document in data, free of
// aliases and of secrets, or nil.
func (l *loader) parse(data []byte) *yaml.Node {
	whole := topology.Pos{File: l.file}
	switch {
	case len(data) > MaxFile:
		l.report(whole, "a scenario is a page of YAML: is this the right file?", "%d bytes are more than the %d that a scenario may have", len(data), MaxFile)
		return nil
	case len(bytes.TrimSpace(bytes.TrimPrefix(data, bom))) == 0:
		l.report(whole, "`vpnsim check --schema` says what goes into a scenario", "the file is empty")
		return nil
	}
	if problem, at := notText(data); problem != "" {
		l.report(placeOf(l.file, data, at), "a scenario is UTF-8 text", "%s", problem)
		return nil
	}

	doc, ok := l.document(data)
	if !ok {
		return nil
	}
	if doc == nil || len(doc.Content) == 0 {
		l.report(whole, "`vpnsim check --schema` says what goes into a scenario", "the file has comments only")
		return nil
	}
	root := l.expand(doc.Content[0])
	if root == nil {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		l.error(root, "a scenario begins with `vpnsim: v1`", "a scenario is a mapping, this is %s", kindOf(root))
		return nil
	}
	l.scrub(root)
	return root
}

var bom = []byte("\xef\xbb\xbf")

// notText finds the first byte that no text file has.
func notText(data []byte) (problem string, at int) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return "this is UTF-16", 0
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return fmt.Sprintf("byte 0x%02x is not UTF-8", data[i]), i
		case r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f:
			return fmt.Sprintf("control character 0x%02x", r), i
		}
		i += size
	}
	return "", 0
}

// placeOf turns an offset into a line and a column.
func placeOf(file string, data []byte, at int) topology.Pos {
	before := data[:at]
	start := bytes.LastIndexByte(before, '\n') + 1
	return topology.Pos{File: file, Line: 1 + bytes.Count(before, []byte("\n")), Col: 1 + utf8.RuneCount(before[start:])}
}

// document reads the first YAML document and makes sure that no other follows.
func (l *loader) document(data []byte) (*yaml.Node, bool) {
	r, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		l.syntax(err)
		return nil, false
	}
	var first, second yaml.Node
	if err := r.Load(&first); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, true
		}
		l.syntax(err)
		return nil, false
	}
	switch err := r.Load(&second); {
	case errors.Is(err, io.EOF):
		return &first, true
	case err != nil:
		l.syntax(err)
	default:
		l.error(&second, "put each scenario into a file of its own", "a second YAML document begins here")
	}
	return nil, false
}

func (l *loader) syntax(err error) {
	pos := topology.Pos{File: l.file}
	message := err.Error()
	var le *yaml.LoadError
	if errors.As(err, &le) {
		message = le.Message
		if le.ContextMsg != "" {
			message += " " + le.ContextMsg
		}
		if le.Mark.Line > 0 {
			pos.Line, pos.Col = int(le.Mark.Line), int(le.Mark.Column)
		}
	}
	help := ""
	if strings.Contains(message, "cannot start any token") {
		help = "indent with spaces: YAML takes no tabs, and no @ or ` at the beginning of a value without quotes"
	}
	l.report(pos, help, "not YAML: %s", message)
}

// expand returns the tree below n with every alias replaced by a copy of what
// it stands for. The copy keeps the places of the original: that is where the
// value is written.
func (l *loader) expand(n *yaml.Node) *yaml.Node {
	e := expander{active: map[*yaml.Node]bool{}}
	out := e.copy(n, false)
	if e.problem != "" {
		l.error(e.at, "write the value out", "%s", e.problem)
		return nil
	}
	return out
}

type expander struct {
	active  map[*yaml.Node]bool // the anchors that are being copied
	added   int
	problem string
	at      *yaml.Node
}

func (e *expander) copy(n *yaml.Node, aliased bool) *yaml.Node {
	if e.problem != "" {
		return n
	}
	if aliased {
		if e.added++; e.added > maxExpanded {
			e.problem, e.at = fmt.Sprintf("aliases stand for more than %d values", maxExpanded), n
			return n
		}
	}
	if n.Kind == yaml.AliasNode {
		if n.Alias == nil || e.active[n.Alias] {
			e.problem, e.at = fmt.Sprintf("alias *%s stands for something that contains it", n.Value), n
			return n
		}
		e.active[n.Alias] = true
		defer delete(e.active, n.Alias)
		return e.copy(n.Alias, true)
	}
	if n.Anchor != "" && !e.active[n] {
		e.active[n] = true
		defer delete(e.active, n)
	}
	c := *n
	c.Content = nil
	for _, child := range n.Content {
		c.Content = append(c.Content, e.copy(child, aliased))
	}
	return &c
}

// kindOf names the kind of a node for a message.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if isNull(n) {
			return "nothing"
		}
		return "a single value"
	}
	return "something else"
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 &&
		(n.Value == "" || n.Value == "~" || n.Value == "null")
}
