package scenarios

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/topology"
	"go.yaml.in/yaml/v4"
)

// The small readers that everything else is made of. Each takes a node, which
// may be nil for something that is not there, and either returns the value or
// reports why it cannot; the caller goes on in both cases, so that one run of
// `vpnsim check` finds everything.

// report adds an error at a place.
func (l *loader) report(pos topology.Pos, help, format string, args ...any) {
	l.diags = append(l.diags, Diagnostic{Pos: pos, Message: fmt.Sprintf(format, args...), Help: help})
}

// error adds an error at a node.
func (l *loader) error(n *yaml.Node, help, format string, args ...any) {
	if !l.replaced[n].wrong { // else that has been said
		l.report(l.pos(n), help, "%s%s", fmt.Sprintf(format, args...), l.written(n))
	}
}

// pos is where n was written: a place in the file, or a --set.
func (l *loader) pos(n *yaml.Node) topology.Pos {
	if path, ok := l.set[n]; ok {
		return topology.Pos{File: setPrefix + path}
	}
	if was := l.replaced[n]; was.whole {
		return l.pos(was.params[0].value)
	}
	return topology.Pos{File: l.file, Line: n.Line, Col: n.Column}
}

// origin of a value that the scenario itself gives.
func (l *loader) origin(n *yaml.Node) topology.Origin {
	o := topology.Origin{Status: topology.Given, Pos: l.pos(n)}
	if _, ok := l.set[n]; ok {
		o.Status = topology.Overridden
	}
	for i, p := range l.replaced[n].params {
		if i > 0 {
			o.Param += ", "
		}
		o.Param += p.key.Value
		if _, ok := l.set[p.value]; ok {
			o.Status = topology.Overridden
		}
	}
	return o
}

// object is a mapping that is being read. Its keys are taken one by one; what
// nobody has taken when it is closed is unknown. A nil object has no keys.
type object struct {
	l     *loader
	what  string     // for messages: `router "aws"`
	at    *yaml.Node // where something missing is missed
	keys  []*yaml.Node
	value map[string]*yaml.Node
	known []string
	taken map[string]bool
}

func (l *loader) object(n *yaml.Node, what string) *object {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		l.error(n, "", "%s is a mapping, this is %s", what, kindOf(n))
		return nil
	}
	o := &object{l: l, what: what, at: n, value: map[string]*yaml.Node{}, taken: map[string]bool{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch first, twice := o.value[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			l.error(key, "", "a key of %s is %s", what, kindOf(key))
		case key.Tag == "!!merge":
			l.error(key, "write the values out", "merge keys are not read")
		case twice:
			l.error(key, fmt.Sprintf("the first is in line %d", first.Line), "%s has %q twice", what, key.Value)
		default:
			o.keys = append(o.keys, key)
			o.value[key.Value] = value
		}
	}
	return o
}

// get takes the value of a key; nil if it is not there.
func (o *object) get(key string) *yaml.Node {
	if o == nil {
		return nil
	}
	o.known = append(o.known, key)
	o.taken[key] = true
	return o.value[key]
}

// need takes the value of a key that has to be there.
func (o *object) need(key, help string) *yaml.Node {
	n := o.get(key)
	if n == nil && o != nil {
		o.l.error(o.at, help, "%s has no %s", o.what, key)
	}
	return n
}

// keyNode is the node of a key itself, for messages about its being there.
func (o *object) keyNode(key string) *yaml.Node {
	for _, k := range o.keys {
		if k.Value == key {
			return k
		}
	}
	return o.at
}

// close reports the keys that nobody took.
func (o *object) close() {
	if o == nil {
		return
	}
	for _, k := range o.keys {
		if o.taken[k.Value] || o.l.wiped[k] {
			continue
		}
		if what, help, ok := o.l.notSupported(k.Value); ok {
			o.l.error(k, help, "%s: %s is not supported", o.what, what)
		} else if slices.Contains(groups, o.what) && slices.Contains(groups, k.Value) {
			o.l.error(k, fmt.Sprintf("write %s: beside %s:", k.Value, o.what), "%s has no key %q", o.what, k.Value)
		} else {
			help := cmp.Or(didYouMean(k.Value, o.known), "`vpnsim check -v` lists them all, docs/scenario.md says what they mean")
			o.l.error(k, help, "%s has no key %q", o.what, k.Value)
		}
	}
}

// names goes through a mapping from names to things, in the file's order.
func (l *loader) names(n *yaml.Node, what string, each func(key, value *yaml.Node)) {
	o := l.object(n, what)
	if o == nil || !l.few(n, what, len(o.keys)) {
		return
	}
	for _, k := range o.keys {
		if !nameRule.MatchString(k.Value) {
			l.error(k, "letters, digits, - and _, beginning with a letter", "%q cannot be a name", k.Value)
			continue
		}
		each(k, o.value[k.Value])
	}
}

var nameRule = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,62}$`)

// list goes through a sequence; where a single thing stands instead of one,
// that is taken.
func (l *loader) list(n *yaml.Node, what string, each func(n *yaml.Node)) {
	switch {
	case n == nil:
	case n.Kind == yaml.SequenceNode:
		if !l.few(n, what, len(n.Content)) {
			return
		}
		for _, c := range n.Content {
			each(c)
		}
	case isNull(n):
		l.error(n, "", "%s has no value", what)
	default:
		each(n)
	}
}

// maxItems of one kind are a large design. More would only serve to keep the
// checks busy, some of which compare everything with everything.
const maxItems = 10_000

func (l *loader) few(n *yaml.Node, what string, count int) bool {
	if count > maxItems {
		l.error(n, "", "%s has %d entries, more than %d", what, count, maxItems)
	}
	return count <= maxItems
}

// text reads a single value as it is written.
func (l *loader) text(n *yaml.Node, what string) (string, bool) {
	switch {
	case n == nil:
		return "", false
	case isNull(n):
		l.error(n, "", "%s has no value", what)
		return "", false
	case n.Kind != yaml.ScalarNode:
		l.error(n, "", "%s is a single value, this is %s", what, kindOf(n))
		return "", false
	}
	return n.Value, true
}

func (l *loader) boolean(n *yaml.Node, what string) (value, ok bool) {
	t, ok := l.text(n, what)
	switch {
	case !ok:
	case t == "true":
		return true, true
	case t != "false":
		l.error(n, "write true or false", "%s: %q is neither true nor false", what, t)
		return false, false
	}
	return false, ok
}

func (l *loader) integer(n *yaml.Node, what string, lo, hi int64) (int64, bool) {
	t, ok := l.text(n, what)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseInt(t, 10, 64)
	switch {
	case err != nil:
		l.error(n, "", "%s: %q is not a whole number", what, t)
	case v < lo || v > hi:
		l.error(n, "", "%s: %d is not between %d and %d", what, v, lo, hi)
	default:
		return v, true
	}
	return 0, false
}

// probability reads 0.3 or 30%.
func (l *loader) probability(n *yaml.Node, what string) (float64, bool) {
	t, ok := l.text(n, what)
	if !ok {
		return 0, false
	}
	number, percent := strings.CutSuffix(t, "%")
	p, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		p /= 100
	}
	switch {
	case err != nil:
		l.error(n, "write 0.3 or 30%", "%s: %q is not a probability", what, t)
	case math.IsNaN(p) || p < 0 || p > 1:
		l.error(n, "a probability lies between 0 and 1, or 0% and 100%", "%s: %s is not a probability", what, t)
	default:
		return p, true
	}
	return 0, false
}

// dist reads a duration that may be random.
func (l *loader) dist(n *yaml.Node, what string) (topology.Dist, bool) {
	t, ok := l.text(n, what)
	if !ok {
		return topology.Dist{}, false
	}
	d, err := topology.ParseDist(t)
	if err != nil {
		l.error(n, cutAtComma(t), "%s: %v", what, err)
		return topology.Dist{}, false
	}
	if d.Min() < 0 {
		l.error(n, "", "%s: %s is less than nothing", what, t)
		return topology.Dist{}, false
	}
	return d, true
}

// cutAtComma is the help for a distribution of which YAML has kept the rest:
// between braces a comma ends the value.
func cutAtComma(text string) string {
	if strings.Contains(text, "(") && !strings.Contains(text, ")") {
		return `between { and } a value with a comma needs quotes: "uniform(85s, 95s)"`
	}
	return ""
}

// duration reads one that may not.
func (l *loader) duration(n *yaml.Node, what string, lo, hi time.Duration) (time.Duration, bool) {
	d, ok := l.dist(n, what)
	switch {
	case !ok:
	case d.IsRandom():
		l.error(n, "write one duration, such as 30s", "%s cannot be random", what)
	case d.A < lo || d.A > hi:
		l.error(n, "", "%s: %s is not between %v and %v", what, n.Value, topology.FormatDuration(lo), topology.FormatDuration(hi))
	default:
		return d.A, true
	}
	return 0, false
}

func (l *loader) addr(n *yaml.Node, what string) (netip.Addr, bool) {
	t, ok := l.text(n, what)
	if !ok {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(t)
	switch {
	case err != nil:
		l.error(n, "write it like 10.1.0.2 or 2001:db8:1::2", "%s: %q is not an IP address", what, t)
	case l.noAddress(n, what, a):
	default:
		return a, true
	}
	return netip.Addr{}, false
}

// noAddress refuses addresses that are nobody's here.
func (l *loader) noAddress(n *yaml.Node, what string, a netip.Addr) bool {
	switch {
	case a.Is4In6():
		l.error(n, fmt.Sprintf("write %v", a.Unmap()), "%s: %v is an IPv4 address in the clothes of IPv6", what, a)
	case a.Is6() && a.IsLinkLocalUnicast():
		l.error(n, "write a global or unique local address, such as one of 2001:db8::/32 or fd00::/8", "%s: %v is a link-local address, which is not modelled", what, a)
	case a.Is6() && a.IsMulticast():
		l.error(n, "", "%s: %v is a multicast address", what, a)
	default:
		return false
	}
	return true
}

// prefix reads a network, or with host an address with the length of its.
func (l *loader) prefix(n *yaml.Node, what string, host bool) (netip.Prefix, bool) {
	t, ok := l.text(n, what)
	if !ok {
		return netip.Prefix{}, false
	}
	p, err := netip.ParsePrefix(t)
	switch {
	case err != nil && host:
		l.error(n, "write it like 169.254.26.158/30 or 2001:db8::1/126", "%s: %q is not an address with the length of its network", what, t)
	case err != nil:
		l.error(n, "write it like 10.1.0.0/16 or 2001:db8:1::/48", "%s: %q is not a network", what, t)
	case l.noAddress(n, what, p.Addr()):
	case !host && p != p.Masked():
		l.error(n, fmt.Sprintf("write %v", p.Masked()), "%s: %s is an address in a network, not a network", what, t)
		return p.Masked(), true // what was meant is plain
	default:
		return p, true
	}
	return netip.Prefix{}, false
}

// oneOf finds the name of something, and says what it might have been.
func (l *loader) oneOf(n *yaml.Node, what string, index map[string]int, known []string) int {
	t, ok := l.text(n, what)
	if !ok {
		return -1
	}
	if i, ok := index[t]; ok {
		return i
	}
	l.error(n, didYouMean(t, known), "there is no %s %q", what, t)
	return -1
}
