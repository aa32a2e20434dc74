package topology

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"
)

// edges writes a graph as "1-2 1-3", from 1 as people count.
func edges(g *ASGraph) string {
	var list []string
	for _, e := range g.Edges {
		list = append(list, fmt.Sprintf("%d%s%d", e.A+1, [...]string{"-", "=", ">"}[e.Rel], e.B+1))
	}
	return strings.Join(list, " ")
}

func TestGraphs(t *testing.T) {
	for _, c := range []struct {
		name string
		g    *ASGraph
		want string
	}{
		{"clique 1", Clique(1), ""},
		{"clique 4", Clique(4), "1-2 1-3 1-4 2-3 2-4 3-4"},
		{"chain 4", Chain(4), "1-2 2-3 3-4"},
		{"ring 2 is a chain", Ring(2), "1-2"},
		{"ring 4", Ring(4), "1-2 2-3 3-4 1-4"},
		{"b-clique 1 is one edge", BClique(1), "1-2"},
		{"b-clique 2 is a ring", BClique(2), "1-2 2-3 1-4 3-4"},
		{"b-clique 3", BClique(3), "1-2 2-3 2-4 3-4 1-5 5-6 4-6"},
		{"tree of one level", Tree(1, 3), "1-2 1-3 1-4"},
		{"tree of two", Tree(2, 2), "1-2 1-3 2-4 2-5 3-6 3-7"},
		{"tree that is a chain", Tree(3, 1), "1-2 2-3 3-4"},
		{"tree of no level", Tree(0, 5), ""},
	} {
		if got := edges(c.g); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if asns := slices.Compact(slices.Sorted(slices.Values(c.g.ASNs))); len(asns) != len(c.g.ASNs) {
			t.Errorf("%s: AS numbers %v", c.name, c.g.ASNs)
		}
	}
	if g := Clique(500); g.ASNs[499] > 65534 || len(g.Edges) != 500*499/2 {
		t.Errorf("clique 500: %d edges, up to AS %d", len(g.Edges), g.ASNs[499])
	}
	if n := TreeSize(1000, 1000); n < 1<<20 {
		t.Errorf("a tree of 1000^1000: %d", n)
	}
}

func TestParseASRelations(t *testing.T) {
	g, ps := ParseASRelations("rel.txt", []byte("# source: nobody\n\n3356|1299|0\r\n3356|64500|-1|bgp\n 1299 | 64500 |-1\n7|3356|-1"))
	if ps != nil {
		t.Fatal(ps)
	}
	if !slices.Equal(g.ASNs, []uint32{7, 1299, 3356, 64500}) || edges(g) != "3=2 3>4 2>4 1>3" {
		t.Errorf("%v %s", g.ASNs, edges(g))
	}
	if i, ok := g.Node(3356); !ok || i != 2 {
		t.Errorf("AS 3356 is node %d, %v", i, ok)
	}
	if _, ok := g.Node(8); ok {
		t.Error("AS 8 is there")
	}
}

func TestParseASRelationsSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "rel.txt: no line relates two ASes (write provider|customer|-1 or peer|peer|0, one pair in each line)",
		"# nothing\n":                   "rel.txt: no line relates two ASes (write provider|customer|-1 or peer|peer|0, one pair in each line)",
		"1|2|0\n1|2\n":                  `rel.txt:2:1: "1|2" is no relationship: it has fewer than three fields (write provider|customer|-1 or peer|peer|0)`,
		"1|2|1":                         `rel.txt:1:1: "1" is no relationship (-1: the second is a customer of the first; 0: they are peers)`,
		"AS1|2|0":                       `rel.txt:1:1: "AS1" is not an AS number`,
		"0|2|0":                         `rel.txt:1:1: "0" is not an AS number`,
		"1|4294967296|0":                `rel.txt:1:1: "4294967296" is not an AS number`,
		"5|5|-1":                        "rel.txt:1:1: AS 5 is related to itself",
		"1|2|0\n\n2|1|-1":               "rel.txt:3:1: AS 2 and AS 1 stand here for the second time (the first is in line 1)",
		strings.Repeat("x", 100):        `rel.txt:1:1: "` + strings.Repeat("x", 40) + `…" is no relationship: it has fewer than three fields (write provider|customer|-1 or peer|peer|0)`,
		strings.Repeat("1|2|x\n", 9999): "20",
	} {
		g, ps := ParseASRelations("rel.txt", []byte(text))
		got := fmt.Sprint(len(ps))
		if len(ps) == 1 {
			got = ps[0].Pos.String() + ": " + ps[0].Message
			if ps[0].Help != "" {
				got += " (" + ps[0].Help + ")"
			}
		}
		if g != nil || got != want {
			t.Errorf("%.40q: %s, want %s", text, got, want)
		}
	}
}

// What Gao and Rexford ask for, and what the size of an Internet is.
func TestSyntheticAS(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 4, 10, 100, 1000, 10_000, 70_000} {
		g := SyntheticAS(n, 1)
		if len(g.ASNs) != n {
			t.Errorf("%d ASes, not %d", len(g.ASNs), n)
		}
		seen := map[[2]int32]bool{}
		reached := make([]bool, n) // from the top, by way of customers
		top := min(n, max(3, min(12, n/10)))
		for i := range top {
			reached[i] = true
		}
		for _, e := range g.Edges {
			switch {
			case e.A >= e.B: // so nobody is a provider of his provider, and no pair stands twice
				t.Fatalf("%d: edge %v", n, e)
			case seen[[2]int32{e.A, e.B}]:
				t.Fatalf("%d: edge %v twice", n, e)
			case e.Rel == Unrelated:
				t.Fatalf("%d: edge %v is no business", n, e)
			}
			seen[[2]int32{e.A, e.B}] = true
			if e.Rel == Customer { // providers come before their customers
				reached[e.B] = reached[e.B] || reached[e.A]
			}
		}
		for i := range n {
			if !reached[i] {
				t.Fatalf("%d: AS %d has no provider", n, g.ASNs[i])
			}
		}
		for a := range top {
			for b := a + 1; b < top; b++ {
				if !seen[[2]int32{int32(a), int32(b)}] {
					t.Errorf("%d: tier 1 is no clique", n)
				}
			}
		}
		if n >= 1000 && (len(g.Edges) < n*35/10 || len(g.Edges) > n*39/10) {
			t.Errorf("%d ASes have %d edges", n, len(g.Edges))
		}
		if n == 70_000 && (len(g.Edges) < 260_000 || len(g.Edges) > 270_000) {
			t.Errorf("%d edges", len(g.Edges))
		}
		if !slices.IsSorted(g.ASNs) {
			t.Errorf("%d: AS numbers are not in order", n)
		}
	}
}

// The same seed is the same Internet, on every machine and in every version.
func TestSyntheticASIsTheSame(t *testing.T) {
	sum := func(n int, seed uint64) uint64 {
		h := fnv.New64a()
		fmt.Fprint(h, edges(SyntheticAS(n, seed)))
		return h.Sum64()
	}
	if got := sum(1000, 1); got != 0x1e2708c60d5c048b {
		t.Errorf("%#x", got)
	}
	if sum(1000, 1) == sum(1000, 2) {
		t.Error("another seed is the same Internet")
	}
}

func FuzzParseASRelations(f *testing.F) {
	for _, s := range []string{"1|2|0\n", "1|2|-1|bgp\n# x\n", "|||", "1|2", "\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		g, ps := ParseASRelations("x", data)
		if (g == nil) != (len(ps) > 0) {
			t.Fatalf("%v, %v", g, ps)
		}
		if g != nil {
			for _, e := range g.Edges {
				if e.A == e.B || g.ASNs[e.A] == 0 || g.ASNs[e.B] == 0 {
					t.Errorf("%v", e)
				}
			}
		}
	})
}
