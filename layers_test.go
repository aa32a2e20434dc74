package vpnsim_test

// What each package may import, and why. The tree is six layers; an arrow that
// is not in this table fails the test, so that a new one is a decision and not
// an accident. docs/design.md shows the same as a picture.

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/vpnsim/vpnsim/"

// layer of a package. Deterministic packages are those whose code runs inside
// a simulation, or makes what it starts from: the same scenario and seed must
// give the same bytes, so they have no clock, no randomness of their own, no
// operating system and nothing that runs at the same time as something else.
type layer struct {
	number        int
	deterministic bool
	wallClock     string            // why it may look at the time of the real world; empty: it may not
	system        string            // why it may use the operating system; empty: it may not
	imports       map[string]string // of the project, and why
	libraries     map[string]string // of others, and why
}

var layers = map[string]layer{
	"sim": {number: 1, deterministic: true},
	"bgp": {number: 1, deterministic: true},
	"vpn": {number: 1, deterministic: true},
	"bfd": {number: 1, deterministic: true},
	"topology": {number: 1, deterministic: true, libraries: map[string]string{
		"gonum.org/v1/gonum": "quantiles of the normal distribution, from which integer tables are made",
	}},
	"stats": {number: 1, deterministic: true, libraries: map[string]string{
		"gonum.org/v1/gonum": "special functions behind intervals and tests, Latin hypercubes",
	}},
	"packet": {number: 1, libraries: map[string]string{
		"github.com/google/gopacket": "real packets and pcapng files; imported here only",
	}},

	"bgp/wire": {number: 2, imports: map[string]string{
		"bgp": "whose messages become octets and back",
	}, libraries: map[string]string{
		"github.com/osrg/gobgp": "the octets of RFC 4271",
	}},
	"profile": {number: 2, deterministic: true, imports: map[string]string{
		"topology": "whose settings a profile fills",
	}, libraries: map[string]string{
		"go.yaml.in/yaml": "profiles are data",
	}},
	"trace": {number: 2, deterministic: true, imports: map[string]string{
		"sim": "times and events",
		"bgp": "messages and routes stand in records",
		"vpn": "IKE messages do",
		"bfd": "BFD packets do",
	}},
	"probe": {number: 2, deterministic: true, imports: map[string]string{
		"sim": "times",
	}},

	"pinglog": {number: 2, deterministic: true}, // reads text; layer 2 for what it is next to: probe prints what it reads

	"network": {number: 3, deterministic: true, imports: map[string]string{
		"sim":      "the kernel that drives everything",
		"bgp":      "sessions and speakers",
		"vpn":      "tunnel ends",
		"bfd":      "who watches the paths of sessions",
		"topology": "what was asked for",
		"trace":    "what is recorded",
		"bgp/wire": "the wire check sends messages through real bytes",
		"packet":   "and echoes through real packets",
	}, libraries: map[string]string{
		"github.com/gaissmai/bart": "longest-prefix match",
	}},
	"asgraph": {number: 3, deterministic: true, imports: map[string]string{
		"sim":      "the kernel that drives everything",
		"bgp":      "a speaker for each AS",
		"topology": "the graph, and distributions",
	}},

	"bgp/live": {number: 3, wallClock: "a real router has no other", imports: map[string]string{
		"bgp":      "whose messages it carries",
		"bgp/wire": "as octets",
	}},

	"scenarios": {number: 4, imports: map[string]string{
		"topology": "what a scenario becomes",
		"profile":  "what it leaves unsaid",
		"bgp":      "whose decision process leaves anything to an egress",
	}, libraries: map[string]string{
		"go.yaml.in/yaml":               "the syntax, with lines and columns",
		"github.com/invopop/jsonschema": "check --schema",
		"github.com/agext/levenshtein":  "did you mean",
	}},

	"report": {number: 5, imports: map[string]string{
		"probe": "ping's statistics, in both of ping's arithmetics",
		"sim":   "the times that those take",
	}, libraries: map[string]string{
		"github.com/jedib0t/go-pretty":        "tables",
		"github.com/jstemmer/go-junit-report": "JUnit XML",
	}},
	"export": {number: 5, imports: map[string]string{
		"trace":    "the record that is exported",
		"sim":      "times and actors",
		"bgp":      "messages, for words",
		"bgp/wire": "and for their octets",
		"vpn":      "IKE messages",
		"bfd":      "BFD packets",
		"packet":   "packets and pcapng",
	}},
	"plot": {number: 5, imports: map[string]string{
		"stats": "the samples and intervals that it draws",
	}, libraries: map[string]string{
		"gonum.org/v1/plot":                "axes, letters, SVG and PNG; imported here only",
		"github.com/guptarohit/asciigraph": "curves in a terminal; imported here only",
	}},
	"daemonconf": {number: 5, deterministic: true, imports: map[string]string{
		"topology": "the routers that it configures daemons for",
		"profile":  "what those daemons do where they cannot be told",
	}},
	"lab": {number: 5, wallClock: "real daemons have no other", system: "it starts them, in namespaces of the kernel", imports: map[string]string{
		"topology":   "the scenario",
		"profile":    "what the daemons do by themselves",
		"daemonconf": "their configurations",
		"network":    "the same, simulated",
		"pinglog":    "what the real ping has printed",
		"sim":        "random numbers that the seed draws",
		"stats":      "two samples side by side",
		"report":     "as they are printed",
		"packet":     "what routers say to each other, read from the packets that pass them, and pcapng",
		"bgp":        "whose messages these are",
		"bgp/wire":   "and how they are read",
	}, libraries: map[string]string{
		"github.com/vishvananda/netlink": "interfaces, addresses and routes of namespaces",
		"github.com/vishvananda/netns":   "the namespaces",
		"github.com/strongswan/govici":   "what strongSwan is told, and reports",
		"golang.org/x/sys":               "TUN devices",
		"go.yaml.in/yaml/v4":             "lists of cases",
		"github.com/osrg/gobgp":          "gobgpd's own client: its best routes, its networks, its operator",
		"google.golang.org/grpc":         "how that client speaks to it",
		"google.golang.org/protobuf":     "and what it says",
	}},
	"measured": {number: 5, imports: map[string]string{
		"lab":      "the plan of a result, built again",
		"network":  "which is simulated",
		"trace":    "whose record says when routes changed",
		"explain":  "and why",
		"topology": "the design",
		"sim":      "times",
		"stats":    "tests and intervals",
		"report":   "results as they were printed, and the answer",
	}},
	"expect": {number: 5, imports: map[string]string{
		"report": "expectations are about a document",
		"stats":  "or about the quantiles of many",
	}, libraries: map[string]string{
		"github.com/expr-lang/expr": "typed expressions whose errors know the column",
	}},
	"explain": {number: 5, imports: map[string]string{
		"network":  "it runs scenarios",
		"asgraph":  "and graphs of ASes",
		"trace":    "reads the record backwards",
		"topology": "names parameters",
		"profile":  "what a platform lets people change",
		"sim":      "times",
		"bgp":      "names rules and states",
		"vpn":      "names states",
		"bfd":      "names states",
		"probe":    "gaps as ping sees them",
		"report":   "and writes a document",
		"expect":   "in which expectations are judged",
	}},

	"sweep": {number: 5, imports: map[string]string{
		"network":  "it runs scenarios",
		"topology": "as they were read, and durations as users write them",
		"stats":    "what is counted",
		"report":   "how it is reported",
		"plot":     "and drawn",
	}},

	"judge": {number: 5, imports: map[string]string{
		"expect":   "what is expected",
		"explain":  "of runs, as briefly as that can be told; and of one that fails, why",
		"sweep":    "of many, counted",
		"stats":    "and their quantiles",
		"report":   "reported",
		"topology": "scenario by scenario",
	}},

	"compare": {number: 5, imports: map[string]string{
		"sweep":     "it runs two designs with the same seeds",
		"scenarios": "what is different in them",
		"topology":  "as they were read, and durations as users write them",
		"stats":     "what pairs of runs tell",
		"explain":   "which wait grew",
		"report":    "and how it is reported",
	}},

	"tune": {number: 5, imports: map[string]string{
		"sweep":    "points that run with the same seeds",
		"risk":     "and how often they drop sessions for nothing",
		"profile":  "what platforms let people change",
		"topology": "settings as they are",
		"stats":    "quantiles",
		"report":   "and how it is reported",
		"plot":     "and drawn",
	}},

	"risk": {number: 5, deterministic: true, imports: map[string]string{
		"network":  "it runs scenarios whose story is taken out",
		"sim":      "instants",
		"topology": "what can be lost and stall",
		"stats":    "intervals",
	}},

	"peer": {number: 5, wallClock: "it holds a simulation to it", imports: map[string]string{
		"bgp/live": "the real router's sockets",
		"network":  "everything that is simulated",
		"bgp":      "messages that go from one to the other",
		"bgp/wire": "what has to be known of their sender",
		"sim":      "times",
		"topology": "who is who",
		"trace":    "what has happened",
		"export":   "in words",
		"report":   "and as it is printed",
	}},

	"fit": {number: 5, imports: map[string]string{
		"pinglog":   "what was seen",
		"network":   "every mechanism is simulated",
		"sim":       "times, and the phase of a ping",
		"topology":  "settings that leave one mechanism in charge",
		"scenarios": "those in which MRAI can act",
		"stats":     "intervals of shares",
		"report":    "and writes a document",
	}},

	"cmd/vpnsim": {number: 6, imports: map[string]string{
		"fit":       "what explains a real ping",
		"pinglog":   "whose log it reads",
		"peer":      "a real router beside simulated ones",
		"lab":       "real routers only",
		"measured":  "what they have shown, beside what is predicted",
		"bgp/live":  "passwords that do not show",
		"scenarios": "what the user names",
		"topology":  "durations as users write them",
		"explain":   "the answer",
		"sweep":     "and many of them",
		"tune":      "and the best of them",
		"profile":   "what of it a platform does not offer",
		"compare":   "and two designs",
		"stats":     "points that cover all ranges",
		"plot":      "formats of pictures",
		"judge":     "and whether they are as expected",
		"expect":    "checked when a scenario is loaded",
		"report":    "printed",
		"export":    "written with -o",

		"daemonconf": "configurations of real daemons",

		"probe":   "--ping-style",
		"network": "names of events, for exports",
		"sim":     "whose kinds they are",
	}, libraries: map[string]string{
		"github.com/spf13/cobra": "commands",
		"github.com/spf13/pflag": "what is wrong with a flag",
		"golang.org/x/term":      "is it a terminal, and how wide",

		"github.com/schollz/progressbar": "how long a sweep will take",
	}},
}

// sameLayer are the layers in which packages may import each other where the
// table says so. In layer 5 a document is written, judged and filled in.
var sameLayer = map[int]bool{5: true}

// forbidden in deterministic packages. net/netip is fine: addresses are values.
var forbidden = map[string]string{
	"os": "the operating system", "net": "sockets", "sync": "locks", "context": "cancellation", "log": "a global log",
	"math/rand": "randomness that is not the seed's", "crypto/rand": "randomness that is not the seed's",
	"runtime": "the machine", "unsafe": "memory",
}

// clocks of package time.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// file is one source file of the product: tests may import what they like.
type file struct {
	name string
	pkg  string
	ast  *ast.File
	fset *token.FileSet
}

func sources(t *testing.T) []file {
	var files []file
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && name != "." && (base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, file{name, filepath.ToSlash(filepath.Dir(name)), f, fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("found %d files only: is this the root of the project?", len(files))
	}
	return files
}

func importPath(s *ast.ImportSpec) string {
	p, _ := strconv.Unquote(s.Path.Value)
	return p
}

// within finds the library that a package belongs to.
func within(libraries map[string]string, p string) (string, bool) {
	for l := range libraries {
		if p == l || strings.HasPrefix(p, l+"/") {
			return l, true
		}
	}
	return "", false
}

func TestLayers(t *testing.T) {
	used := map[string]bool{}
	for _, f := range sources(t) {
		l, ok := layers[f.pkg]
		if !ok {
			t.Errorf("%s: package %s has no place in the table of layers", f.name, f.pkg)
			continue
		}
		used[f.pkg] = true
		for _, spec := range f.ast.Imports {
			p, at := importPath(spec), f.fset.Position(spec.Pos())
			if spec.Name != nil && spec.Name.Name == "." {
				t.Errorf("%s: a dot import hides where names come from", at)
			}
			if own, ok := strings.CutPrefix(p, module); ok {
				used[f.pkg+" -> "+own] = true
				if l.imports[own] == "" {
					t.Errorf("%s: %s may not import %s: the table of layers has no such arrow", at, f.pkg, own)
				}
				continue
			}
			if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
				lib, ok := within(l.libraries, p)
				if !ok {
					t.Errorf("%s: %s may not import %s: the table of layers names no such library", at, f.pkg, p)
				}
				used[f.pkg+" -> "+lib] = true
			}
		}
	}
	// The table says what is, not what was.
	for _, pkg := range slices.Sorted(maps.Keys(layers)) {
		if !used[pkg] {
			t.Errorf("the table has %s, which is no package", pkg)
		}
		for _, to := range slices.Sorted(maps.Keys(layers[pkg].imports)) {
			from, below := layers[pkg].number, layers[to].number
			if below > from || below == from && !sameLayer[from] {
				t.Errorf("the table lets %s (layer %d) import %s (layer %d)", pkg, from, to, below)
			}
			if !used[pkg+" -> "+to] {
				t.Errorf("%s does not import %s any more: take the arrow out of the table", pkg, to)
			}
		}
		for _, lib := range slices.Sorted(maps.Keys(layers[pkg].libraries)) {
			if !used[pkg+" -> "+lib] {
				t.Errorf("%s does not import %s any more: take it out of the table", pkg, lib)
			}
		}
	}
}

// A library that the product's design keeps in one place is imported there.
func TestOneImporter(t *testing.T) {
	for lib, only := range map[string]string{"github.com/google/gopacket": "packet", "github.com/spf13/cobra": "cmd/vpnsim",
		"gonum.org/v1/plot": "plot", "github.com/guptarohit/asciigraph": "plot"} {
		for _, pkg := range slices.Sorted(maps.Keys(layers)) {
			if _, ok := layers[pkg].libraries[lib]; ok != (pkg == only) {
				t.Errorf("%s: imports %s is %v", pkg, lib, ok)
			}
		}
	}
}

func TestDeterministicPackages(t *testing.T) {
	for _, f := range sources(t) {
		l := layers[f.pkg]
		for _, problem := range impurities(f, l.deterministic, l.wallClock != "", l.system != "") {
			t.Error(problem)
		}
	}
}

// impurities finds what would make a run depend on more than scenario and
// seed. Other packages have them checked for clocks and randomness only, those
// that meet the real world for randomness; the commands may do as they like.
func impurities(f file, strict, wallClock, system bool) []string {
	if strings.HasPrefix(f.pkg, "cmd/") {
		return nil
	}
	var list []string
	problem := func(n ast.Node, format string, args ...any) {
		list = append(list, fmt.Sprintf("%s: %s", f.fset.Position(n.Pos()), fmt.Sprintf(format, args...)))
	}
	timeName := ""
	for _, spec := range f.ast.Imports {
		p := importPath(spec)
		if p == "time" {
			timeName = "time"
			if spec.Name != nil {
				timeName = spec.Name.Name
			}
		}
		for bad, what := range forbidden {
			if (p == bad || strings.HasPrefix(p, bad+"/") && p != "net/netip") && (strict || strings.HasSuffix(bad, "rand") || bad == "os" && !system) {
				problem(spec, "%s imports %s: %s", f.pkg, path.Base(p), what)
			}
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && timeName != "" && !wallClock && x.Name == timeName && slices.Contains(clocks, n.Sel.Name) {
				problem(n, "%s uses time.%s: the kernel's clock is the only one", f.pkg, n.Sel.Name)
			}
		case *ast.GoStmt:
			if strict {
				problem(n, "%s starts a goroutine: nothing may happen beside a run", f.pkg)
			}
		case *ast.SelectStmt, *ast.ChanType:
			if strict {
				problem(n, "%s uses channels: nothing may happen beside a run", f.pkg)
			}
		}
		return true
	})
	return list
}

// The test finds what it is there to find.
func TestImpuritiesAreFound(t *testing.T) {
	for src, want := range map[string]int{
		`import "os"`:                                  1,
		`import "os/exec"`:                             1,
		`import "net"`:                                 1,
		`import "net/http"`:                            1,
		`import "net/netip"`:                           0,
		`import "math/rand/v2"`:                        1,
		`import "sync/atomic"`:                         1,
		`import "log/slog"`:                            1,
		`import "math"`:                                0,
		`import "time"; var x = time.Now`:              1,
		`import c "time"; var x = c.Now()`:             1,
		`import "time"; var x time.Time`:               0,
		`import "time"; var x = time.Unix(0, 0)`:       0,
		`import "time"; func f() { time.Sleep(1) }`:    1,
		`import "time"; var x = time.NewTimer(1)`:      1,
		`func f() { go f() }`:                          1,
		`var c chan int`:                               1,
		`var Now = 1; type time struct{}; var x = Now`: 0,
	} {
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, "x.go", "package x; "+src, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if got := impurities(file{"x.go", "sim", parsed, fset}, true, false, false); len(got) != want {
			t.Errorf("%s\n got %q\nwant %d", src, got, want)
		}
	}
}
