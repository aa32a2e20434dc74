package expect

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
)

// Needs is what of a run an expression looks at that takes time to find out: whoever
// judges thousands of runs makes the rest of the Document only.
type Needs struct {
	Blame      bool // what each gap's longest wait was for
	Ends       bool // sessions and tunnels
	Forwarding bool // of pairs
}

// And joins two.
func (n Needs) And(o Needs) Needs {
	return Needs{n.Blame || o.Blame, n.Ends || o.Ends, n.Forwarding || o.Forwarding}
}

// Needs of the expression. What is not clear is needed.
func (p *Program) Needs() (n Needs) {
	p.walk(func(node ast.Node) error {
		switch node := node.(type) {
		case *ast.IdentifierNode:
			switch node.Value {
			case "blame", "blames":
				n.Blame = true
			case "session", "sessions", "tunnel":
				n.Ends = true
			case "forwarding", "blackhole", "loop", "stale", "asymmetric":
				n.Forwarding = true
			}
		case *ast.MemberNode:
			if field, ok := node.Property.(*ast.StringNode); ok {
				n.Blame = n.Blame || field.Value == "blame"
			} else if holdsGap(node.Node) && !isList(node.Node) {
				n.Blame = true // gap[…]
			}
		case *ast.BinaryNode: // gap == gaps[0]
			n.Blame = n.Blame || holdsGap(node.Left) || holdsGap(node.Right)
		}
		return nil
	})
	return n
}

func isList(n ast.Node) bool { return n.Type() != nil && n.Type().Kind() == reflect.Slice }

// holdsGap tells whether a node is a gap, a list of them, or who knows what.
func holdsGap(n ast.Node) bool {
	t := n.Type()
	if t == nil || t.Kind() == reflect.Interface {
		return true
	}
	return t == reflect.TypeFor[Gap]() || isList(n) && (t.Elem() == reflect.TypeFor[Gap]() || t.Elem().Kind() == reflect.Interface)
}
