package topology

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// AS relationship files, as CAIDA publishes them (serial-1 and serial-2):
//
//	# a comment
//	provider|customer|-1
//	peer|peer|0
//
// What follows a fourth bar says who found out, and is not read.

// maxProblems is as many as anybody reads about one file.
const maxProblems = 20

// ParseASRelations reads such a file. Nodes stand in the order of their AS
// numbers, so that the order of the lines decides nothing but the order of the
// edges. An edge that is a Customer's has the provider at A.
func ParseASRelations(file string, data []byte) (*ASGraph, []Problem) {
	p := relations{file: file, lines: map[uint64]int{}}
	for len(data) > 0 && len(p.problems) < maxProblems {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte("\n"))
		p.line++
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			p.read(line)
		}
	}
	if len(p.edges) == 0 && len(p.problems) == 0 {
		p.line = 0
		p.problem("write provider|customer|-1 or peer|peer|0, one pair in each line", "no line relates two ASes")
	}
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	return p.graph(), nil
}

type relations struct {
	file     string
	line     int
	edges    []relation
	lines    map[uint64]int // of a pair, the lesser number above: where it stands
	problems []Problem
}

type relation struct {
	a, b uint32
	rel  Relation
}

func (p *relations) problem(help, format string, args ...any) {
	pos := Pos{File: p.file}
	if p.line > 0 {
		pos.Line, pos.Col = p.line, 1
	}
	p.problems = append(p.problems, Problem{Pos: pos, Message: fmt.Sprintf(format, args...), Help: help})
}

func (p *relations) read(line []byte) {
	const shape = "write provider|customer|-1 or peer|peer|0"
	var fields [3][]byte
	rest := line
	for i := range fields {
		if rest == nil {
			p.problem(shape, "%q is no relationship: it has fewer than three fields", clip(line))
			return
		}
		var more bool
		if fields[i], rest, more = bytes.Cut(rest, []byte("|")); !more {
			rest = nil
		}
	}
	a, okA := p.asn(fields[0])
	b, okB := p.asn(fields[1])
	r := relation{a, b, Peering}
	switch string(bytes.TrimSpace(fields[2])) {
	case "0":
	case "-1":
		r.rel = Customer
	default:
		p.problem("-1: the second is a customer of the first; 0: they are peers", "%q is no relationship", clip(fields[2]))
		return
	}
	if !okA || !okB {
		return
	}
	if a == b {
		p.problem("", "AS %d is related to itself", a)
		return
	}
	pair := uint64(min(a, b))<<32 | uint64(max(a, b))
	if first, twice := p.lines[pair]; twice {
		p.problem(fmt.Sprintf("the first is in line %d", first), "AS %d and AS %d stand here for the second time", a, b)
		return
	}
	p.lines[pair] = p.line
	p.edges = append(p.edges, r)
}

// asn reads an AS number; 0 is nobody's (RFC 7607).
func (p *relations) asn(field []byte) (uint32, bool) {
	field = bytes.TrimSpace(field)
	n, err := strconv.ParseUint(string(field), 10, 32)
	if err != nil || n == 0 {
		p.problem("", "%q is not an AS number", clip(field))
		return 0, false
	}
	return uint32(n), true
}

// clip keeps a message short, whatever the file is.
func clip(text []byte) string {
	const most = 40
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

func (p *relations) graph() *ASGraph {
	g := &ASGraph{ASNs: make([]uint32, 0, len(p.edges)), Edges: make([]Edge, 0, len(p.edges))}
	for _, r := range p.edges {
		g.ASNs = append(g.ASNs, r.a, r.b)
	}
	slices.Sort(g.ASNs)
	g.ASNs = slices.Clip(slices.Compact(g.ASNs))
	for _, r := range p.edges {
		a, _ := g.Node(r.a)
		b, _ := g.Node(r.b)
		g.Edges = append(g.Edges, Edge{int32(a), int32(b), r.rel})
	}
	return g
}

// Node finds an AS in a graph whose numbers are in order, as those of
// relationship files and synthetic graphs are.
func (g *ASGraph) Node(asn uint32) (int, bool) {
	return slices.BinarySearchFunc(g.ASNs, asn, cmp.Compare[uint32])
}
