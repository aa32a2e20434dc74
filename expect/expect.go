package expect

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
	"github.com/vpnsim/vpnsim/report"
)

// ExprError is what is wrong with an expression, and where.
type ExprError struct {
	Message string
	Col     int // from 1, in characters
}

func (e *ExprError) Error() string { return e.Message }

// Column points at the character.
func (e *ExprError) Column() int { return e.Col }

// Program is a compiled expression. It may be used by several goroutines.
type Program struct {
	text string
	run  *vm.Program
	root ast.Node
	seen []value // what Got lists
	many *many   // nil: it is about one run; run, root and seen are of no use otherwise
}

// value is a part of the expression that a run gives.
type value struct {
	text string
	run  *vm.Program
}

// Env is the run that an expression is about.
type Env struct {
	Doc *report.Document
	// Best finds a router's best route to a prefix at an instant after time
	// zero. The zero Route is "there was none"; an error is "there is no such
	// router".
	Best func(router, prefix string, at time.Duration) (Route, error)
}

// maxText is more than anybody writes into one expectation.
const maxText = 10_000

// builtins of expr-lang that are of use here; the rest (dates, now, encoding)
// is not, or would make the outcome depend on more than the run.
var builtins = []string{"all", "any", "none", "one", "filter", "map", "count", "sum", "len", "min", "max", "first", "last", "abs", "median"}

func options() []expr.Option { return append(common(), expr.Env(names{})) }

// common to all programs is everything but what they may name.
func common() []expr.Option {
	opts := []expr.Option{expr.DisableAllBuiltins(), expr.Optimize(false), expr.Patch(zero{})}
	for _, b := range builtins {
		opts = append(opts, expr.EnableBuiltin(b))
	}
	return opts
}

// Compile reads an expression. Its error is an *ExprError.
func Compile(text string) (*Program, error) {
	if len(text) > maxText {
		return nil, &ExprError{fmt.Sprintf("an expectation of %d characters is too long", len(text)), 1}
	}
	m, err := split(text)
	if err != nil {
		return nil, err
	}
	if m != nil {
		return &Program{text: text, many: m}, nil
	}
	return compileOne(text, expr.AsBool())
}

// compileOne compiles what is about one run.
func compileOne(text string, more ...expr.Option) (*Program, error) {
	run, err := expr.Compile(text, append(options(), more...)...)
	if err != nil {
		return nil, exprError(err)
	}
	p := &Program{text: text, run: run, root: run.Node()}
	if err := p.literals(); err != nil {
		return nil, err
	}
	p.values(p.root)
	if len(p.seen) == 0 {
		return nil, &ExprError{"this looks at nothing of the run: it would always come out the same", 1 + len([]rune(text)) - len([]rune(strings.TrimLeft(text, " \t\n")))}
	}
	return p, nil
}

func exprError(err error) error {
	var e *file.Error
	if errors.As(err, &e) {
		message := strings.ReplaceAll(e.Message, "type expect.", "a ")
		mixed := strings.Contains(message, "mismatched types") && strings.Contains(message, "time.Duration")
		if mixed || strings.Contains(message, "bad number syntax") { // 30s, as elsewhere in a scenario
			message += `; a duration is written duration("30s")`
		}
		switch {
		case strings.Contains(message, "has no field"), strings.Contains(message, "unknown name"):
			message += "; docs/scenario.md lists what can be expected"
		case strings.Contains(message, "unexpected token EOF"):
			message += ": something is missing at the end"
		}
		return &ExprError{message, e.Column + 1}
	}
	return &ExprError{err.Error(), 1}
}

// Check compiles an expression and makes sure that it names routers, links
// and prefixes that exist, and pairs of addresses that pair has nothing to say
// against. It has the shape that scenarios.CheckExpr takes.
func Check(text string, routers, links, prefixes []string, pair func(from, to string) error) error {
	p, err := Compile(text)
	if err != nil {
		return err
	}
	return p.Names(routers, links, prefixes, pair)
}

// Names makes sure that the routers, links and prefixes that the expression
// names are among those given, and that its pairs are good ones.
func (p *Program) Names(routers, links, prefixes []string, pair func(from, to string) error) error {
	return p.calls(func(name string, args []ast.Node) error {
		if kinds := argumentKinds[name]; len(kinds) == 2 && kinds[0] == anEnd && len(args) == 2 {
			from, ok := args[0].(*ast.StringNode)
			if to, too := args[1].(*ast.StringNode); ok && too {
				if err := pair(from.Value, to.Value); err != nil {
					return at(from, "%v", err)
				}
			}
		}
		for i, kind := range argumentKinds[name] {
			if i >= len(args) {
				break
			}
			s, literal := args[i].(*ast.StringNode)
			if !literal {
				continue
			}
			switch {
			case kind == aRouter && !contains(routers, s.Value):
				return at(s, "there is no router %q", s.Value)
			case kind == aLink && !contains(links, s.Value):
				return at(s, "there is no link or tunnel %q", s.Value)
			case kind == aPrefix && !contains(prefixes, s.Value):
				return at(s, "no router announces %q", s.Value)
			case kind == aParameter:
				if err := parameter(s, routers, links); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// What the functions' arguments name.
type argumentKind uint8

const (
	anything argumentKind = iota
	aRouter
	aLink
	aPrefix
	aDuration
	aParameter
	anEnd // a host, an address or a router
)

var argumentKinds = map[string][]argumentKind{
	"duration": {aDuration},
	"at":       {aDuration},
	"best":     {aRouter, aPrefix, anything},
	"session":  {aRouter, aLink},
	"tunnel":   {aRouter, aLink},
	"blames":   {anything, aParameter},

	"forwarding": {anEnd, anEnd},
	"blackhole":  {anEnd, anEnd},
	"loop":       {anEnd, anEnd},
	"stale":      {anEnd, anEnd},
	"asymmetric": {anEnd, anEnd},
}

// parameter checks a path like routers.aws.bgp.hold as far as the names go.
func parameter(s *ast.StringNode, routers, links []string) error {
	section, rest, _ := strings.Cut(s.Value, ".")
	name, _, more := strings.Cut(rest, ".")
	switch {
	case section == "routers" && more && contains(routers, name):
	case (section == "links" || section == "tunnels") && more && contains(links, name):
	case strings.HasPrefix(s.Value, "story["):
	default:
		return at(s, "%q is no parameter of this scenario", s.Value)
	}
	return nil
}

// Mentions tells whether the expression uses one of these names.
func (p *Program) Mentions(names ...string) bool {
	found := false
	p.walk(func(n ast.Node) error {
		if id, ok := n.(*ast.IdentifierNode); ok && contains(names, id.Value) {
			found = true
		}
		return nil
	})
	return found
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func at(n ast.Node, format string, args ...any) *ExprError {
	return &ExprError{fmt.Sprintf(format, args...), n.Location().From + 1}
}

// literals reads the durations that are written out, so that a slip is found
// before the run.
func (p *Program) literals() error {
	return p.calls(func(name string, args []ast.Node) error {
		if kinds := argumentKinds[name]; len(kinds) == 1 && kinds[0] == aDuration && len(args) == 1 {
			if s, ok := args[0].(*ast.StringNode); ok {
				if _, err := parseDuration(s.Value); err != nil {
					return at(s, "%v", err)
				}
			}
		}
		return nil
	})
}

// calls goes through the calls of our functions.
func (p *Program) calls(each func(name string, args []ast.Node) error) error {
	return p.walk(func(n ast.Node) error {
		if c, ok := n.(*ast.CallNode); ok {
			if id, ok := c.Callee.(*ast.IdentifierNode); ok {
				return each(id.Value, c.Arguments)
			}
		}
		return nil
	})
}

// walk visits every node until one gives an error.
func (p *Program) walk(each func(ast.Node) error) error {
	if p.many != nil {
		for i := range p.many.metrics {
			if err := p.many.metrics[i].program.walk(each); err != nil {
				return err
			}
		}
		return p.many.rest.walk(each)
	}
	v := visitor{each: each}
	root := p.root
	ast.Walk(&root, &v)
	return v.err
}

type visitor struct {
	each func(ast.Node) error
	err  error
}

func (v *visitor) Visit(n *ast.Node) {
	if v.err == nil {
		v.err = v.each(*n)
	}
}

// values finds what the outcome depends on: the largest parts of the
// expression that are a name, or something of one. What stands inside a
// predicate such as `.lost < 3` depends on the element, so there the list
// counts as a whole.
func (p *Program) values(n ast.Node) {
	switch n := n.(type) {
	case *ast.IdentifierNode, *ast.MemberNode:
		p.value(n)
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok && len(argumentKinds[id.Value]) == 1 {
			return // duration("30s") is no news
		}
		p.value(n)
	case *ast.BuiltinNode:
		for _, a := range n.Arguments {
			p.values(a)
		}
		if len(n.Arguments) > 1 { // beside the list, how many of it
			p.value(n)
		}
	case *ast.BinaryNode:
		p.values(n.Left)
		p.values(n.Right)
	case *ast.UnaryNode:
		p.values(n.Node)
	case *ast.ConditionalNode:
		p.values(n.Cond)
		p.values(n.Exp1)
		p.values(n.Exp2)
	case *ast.ArrayNode:
		for _, e := range n.Nodes {
			p.values(e)
		}
	}
}

func (p *Program) value(n ast.Node) {
	text := n.String()
	for _, v := range p.seen {
		if v.text == text {
			return
		}
	}
	if run, err := expr.Compile(text, options()...); err == nil {
		p.seen = append(p.seen, value{text, run})
	}
}

// Facts are what an expression can name of a run. Several may be asked about them, but
// not at the same time.
type Facts struct{ env any }

// Facts of the run.
func (env Env) Facts() *Facts { return &Facts{env.names()} }

// Holds evaluates an expectation of one run. An error says why it cannot be told.
func (p *Program) Holds(f *Facts) (bool, error) {
	if p.many != nil {
		return false, errors.New("it is over many runs, and this is one")
	}
	out, err := expr.Run(p.run, f.env)
	if err != nil {
		return false, runError(err)
	}
	ok, _ := out.(bool)
	return ok, nil
}

// Got says which values the outcome depends on.
func (p *Program) Got(f *Facts) string {
	var saw []string
	for _, v := range p.seen {
		if out, err := expr.Run(v.run, f.env); err == nil {
			saw = append(saw, v.text+" = "+format(out))
		}
	}
	return strings.Join(saw, ", ")
}

// Eval says whether the expression holds, and in got which values it saw. An
// error says why that cannot be told.
func Eval(p *Program, env Env) (ok bool, got string, err error) {
	f := env.Facts()
	ok, err = p.Holds(f)
	return ok, p.Got(f), err
}

func runError(err error) error {
	var e *file.Error
	if errors.As(err, &e) {
		if e.Prev != nil {
			return &ExprError{e.Prev.Error(), e.Column + 1}
		}
		return &ExprError{e.Message, e.Column + 1}
	}
	return err
}
