package expect

import (
	"reflect"
	"time"

	"github.com/expr-lang/expr/ast"
)

// zero lets a duration be compared with a bare 0: nothing is nothing in any unit.
// Any other number beside a duration stays an error.
type zero struct{}

var durationType = reflect.TypeFor[time.Duration]()

func (zero) Visit(n *ast.Node) {
	b, ok := (*n).(*ast.BinaryNode)
	if !ok {
		return
	}
	switch b.Operator {
	case "==", "!=", "<", "<=", ">", ">=":
	default:
		return
	}
	for _, pair := range [2][2]*ast.Node{{&b.Left, &b.Right}, {&b.Right, &b.Left}} {
		if i, ok := (*pair[1]).(*ast.IntegerNode); ok && i.Value == 0 && (*pair[0]).Type() == durationType {
			ast.Patch(pair[1], &ast.ConstantNode{Value: time.Duration(0)})
			(*pair[1]).SetType(durationType)
		}
	}
}
