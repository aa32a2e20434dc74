package scenarios

import (
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
)

// Difference is an effective value that two designs do not have in common, or an element
// that one of them does not have.
type Difference struct {
	Path string // routers.aws.bgp.hold, or tunnels.tun3 of a whole element
	A, B *Row   // nil: it is not there
}

// Differences lists what b has otherwise than a. Values are compared that a run uses, not
// the text that they come from: comments, the order of what has a name, and a value that is
// written out in one and comes from the profile in the other are no difference. Things
// without a name are put side by side by what they say: an event that is moved within the
// story is the same event.
func Differences(a, b *topology.Design) []Difference {
	x := differ{}
	ta, tb := elements(a), elements(b)
	x.named(ta, tb, func(e *element) bool { return e.list == "" })
	x.settings(a, b)
	for _, list := range []string{"probes", "story"} {
		of := func(e *element) bool { return e.list == list }
		x.unnamed(filter(ta, of), filter(tb, of))
	}
	slices.SortStableFunc(x.list, func(p, q Difference) int { return order(ta, tb, p) - order(ta, tb, q) })
	return x.list
}

// element is a router, host, link, probe or event, or the scenario itself, and what it says.
type element struct {
	path string // routers.aws
	list string // probes or story: it has no name; empty: it has one
	rows []Row
}

// order sorts differences: in a's order, then what only b has in b's.
func order(a, b []*element, d Difference) int {
	in := func(list []*element) int {
		return slices.IndexFunc(list, func(e *element) bool { return within(d.Path, e.path) })
	}
	if i := in(a); i >= 0 {
		return i
	}
	return len(a) + in(b)
}

func within(path, element string) bool {
	rest, ok := strings.CutPrefix(path, element)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// elements of a design, without the settings of routers and ends of links.
func elements(d *topology.Design) []*element {
	t := table{d: d, watched: make([]bool, len(d.Routers)), bare: true}
	t.all()
	var list []*element
	at := map[string]*element{}
	for _, r := range t.rows {
		first, rest, _ := strings.Cut(r.Path, ".")
		path, name := first, ""
		switch first {
		case "params":
			if !usedParam(d, rest) {
				continue
			}
			path = r.Path
		case "routers", "hosts", "links", "tunnels":
			name, _, _ = strings.Cut(rest, ".")
			path += "." + name
		}
		e := at[path]
		if e == nil {
			e = &element{path: path}
			if list, _, indexed := strings.Cut(first, "["); indexed {
				e.list = list
			}
			at[path], list = e, append(list, e)
		}
		e.rows = append(e.rows, r)
	}
	return list
}

func usedParam(d *topology.Design, name string) bool {
	return slices.ContainsFunc(d.Params, func(p topology.Param) bool { return p.Name == name && p.Used })
}

func filter(list []*element, keep func(*element) bool) (out []*element) {
	for _, e := range list {
		if keep(e) {
			out = append(out, e)
		}
	}
	return out
}

type differ struct{ list []Difference }

func (x *differ) add(path string, a, b *Row) { x.list = append(x.list, Difference{path, a, b}) }

// named compares elements by their names.
func (x *differ) named(a, b []*element, of func(*element) bool) {
	others := map[string]*element{}
	for _, e := range filter(b, of) {
		others[e.path] = e
	}
	for _, e := range filter(a, of) {
		if o := others[e.path]; o != nil {
			x.element(e, o)
			delete(others, e.path)
		} else {
			x.whole(e, nil)
		}
	}
	for _, e := range filter(b, of) {
		if others[e.path] != nil {
			x.whole(nil, e)
		}
	}
}

// whole is an element that only one design has.
func (x *differ) whole(a, b *element) {
	says := func(e *element) *Row {
		if e == nil {
			return nil
		}
		var words []string
		for _, r := range e.rows {
			words = append(words, strings.TrimPrefix(strings.TrimPrefix(r.Path, e.path), ".")+" "+r.Value)
		}
		return &Row{Path: e.path, Value: strings.TrimSpace(strings.Join(words, ", ")), Origin: e.rows[0].Origin}
	}
	if b != nil {
		x.add(b.path, says(a), says(b))
	} else {
		x.add(a.path, says(a), nil)
	}
}

// anyOrder are lists of a router whose order means nothing.
var anyOrder = []string{"networks[", "static["}

// element compares what two of them say, row by row.
func (x *differ) element(a, b *element) {
	loose := func(e *element) (rows map[string]*Row, sets map[string][]*Row) {
		rows, sets = map[string]*Row{}, map[string][]*Row{}
		for i := range e.rows {
			r := &e.rows[i]
			key := strings.TrimPrefix(r.Path, e.path)
			set := slices.IndexFunc(anyOrder, func(s string) bool { return strings.HasPrefix(key, "."+s) })
			if set >= 0 {
				sets[anyOrder[set]] = append(sets[anyOrder[set]], r)
			} else {
				rows[key] = r
			}
		}
		return rows, sets
	}
	inA, setsA := loose(a)
	inB, setsB := loose(b)
	for i := range a.rows {
		key := strings.TrimPrefix(a.rows[i].Path, a.path)
		ra, rb := inA[key], inB[key]
		switch {
		case ra == nil: // in a set
		case rb == nil:
			x.add(b.path+key, ra, nil)
		case ra.Value != rb.Value:
			x.add(b.path+key, ra, rb)
		}
	}
	for i := range b.rows {
		key := strings.TrimPrefix(b.rows[i].Path, b.path)
		if inB[key] != nil && inA[key] == nil {
			x.add(b.path+key, nil, inB[key])
		}
	}
	for _, set := range anyOrder {
		x.sets(setsA[set], setsB[set])
	}
}

// sets compares lists whose order means nothing.
func (x *differ) sets(a, b []*Row) {
	for _, r := range without(a, b) {
		x.add(r.Path, r, nil)
	}
	for _, r := range without(b, a) {
		x.add(r.Path, nil, r)
	}
}

// without are the rows of list whose values others lacks.
func without(list, others []*Row) (rest []*Row) {
	have := map[string]int{}
	for _, r := range others {
		have[r.Value]++
	}
	for _, r := range list {
		if have[r.Value]--; have[r.Value] < 0 {
			rest = append(rest, r)
		}
	}
	return rest
}

// unnamed puts elements that say the same together, and then those that are left in order.
func (x *differ) unnamed(a, b []*element) {
	says := func(e *element) string {
		var s strings.Builder
		for _, r := range e.rows {
			s.WriteString(strings.TrimPrefix(r.Path, e.path) + "=" + r.Value + "\n")
		}
		return s.String()
	}
	equal := map[string]int{}
	for _, e := range b {
		equal[says(e)]++
	}
	var restA, restB []*element
	for _, e := range a {
		if equal[says(e)]--; equal[says(e)] < 0 {
			restA = append(restA, e)
		}
	}
	clear(equal)
	for _, e := range a {
		equal[says(e)]++
	}
	for _, e := range b {
		if equal[says(e)]--; equal[says(e)] < 0 {
			restB = append(restB, e)
		}
	}
	for i := range max(len(restA), len(restB)) {
		switch {
		case i >= len(restA):
			x.whole(nil, restB[i])
		case i >= len(restB):
			x.whole(restA[i], nil)
		default:
			x.element(restA[i], restB[i])
		}
	}
}

// settings compares those of the routers and ends of links that both designs have. What an end
// has because its router has it is said once, of the router.
func (x *differ) settings(a, b *topology.Design) {
	routers := map[string]*topology.Settings{}
	for i := range b.Routers {
		routers[b.Routers[i].Name] = &b.Routers[i].Settings
	}
	for i := range a.Routers {
		r := &a.Routers[i]
		if other := routers[r.Name]; other != nil {
			x.compare("routers."+r.Name, &r.Settings, other, nil, nil)
		}
	}
	type end struct{ own, router *topology.Settings }
	ends := func(d *topology.Design) (map[string]end, []string) {
		all, names := map[string]end{}, []string(nil)
		for i := range d.Links {
			l := &d.Links[i]
			for e := range l.Ends {
				r := &d.Routers[l.Ends[e].Router]
				path := linkPath(l) + "." + r.Name
				all[path] = end{&l.Ends[e].Settings, &r.Settings}
				names = append(names, path)
			}
		}
		return all, names
	}
	endsA, names := ends(a)
	endsB, _ := ends(b)
	for _, path := range names {
		if other, ok := endsB[path]; ok {
			e := endsA[path]
			x.compare(path, e.own, other.own, e.router, other.router)
		}
	}
}

func (x *differ) compare(path string, a, b, baseA, baseB *topology.Settings) {
	for k := topology.Key(0); k < topology.NumKeys; k++ {
		va, vb := a[k].Format(k), b[k].Format(k)
		if va == vb || baseA != nil && va == baseA[k].Format(k) && vb == baseB[k].Format(k) {
			continue
		}
		at := path + "." + k.String()
		x.add(at, &Row{at, va, a[k].Origin.String()}, &Row{at, vb, b[k].Origin.String()})
	}
}

func linkPath(l *topology.Link) string {
	if l.Kind == topology.Tunnel {
		return "tunnels." + l.Name
	}
	return "links." + l.Name
}
