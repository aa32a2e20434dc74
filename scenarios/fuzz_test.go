package scenarios_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/vpnsim/vpnsim/expect"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// FuzzLoad: whatever the bytes are, there is an answer: a design that is
// valid, or an error with words in it.
func FuzzLoad(f *testing.F) {
	for _, name := range scenarios.BuiltinNames() {
		data, _ := scenarios.Builtin(name)
		f.Add(data, "routers.aws.bgp.hold=9s")
	}
	files, _ := filepath.Glob("testdata/bad/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		data, sets, _ := sections(f, a)
		f.Add(data, strings.Join(sets, "\n"))
	}
	if data, err := os.ReadFile("testdata/everything.yaml"); err == nil {
		f.Add(data, "probes[1].every=1s")
	}
	f.Fuzz(func(t *testing.T, data []byte, sets string) {
		d, ds := scenarios.Load("x.yaml", data, strings.Split(sets, "\n"), scenarios.CheckExpr(expect.Check))
		if (d == nil) != scenarios.Failed(ds) {
			t.Fatalf("design %v, diagnostics %v", d != nil, ds)
		}
		for _, x := range ds {
			if x.Message == "" || x.Pos.File == "" {
				t.Errorf("says nothing, or nowhere: %+v", x)
			}
		}
		if d == nil {
			return
		}
		if ps := topology.Validate(d); len(ps) > 0 {
			t.Errorf("accepted, and yet: %+v", ps)
		}
		scenarios.Lint(d)
		scenarios.Effective(d)
	})
}
