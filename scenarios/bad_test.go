package scenarios_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/vpnsim/vpnsim/expect"
	"github.com/vpnsim/vpnsim/scenarios"
)

var update = flag.Bool("update", false, "rewrite the expected diagnostics in testdata/bad")

// Each file of testdata/bad is a scenario with something wrong, perhaps some
// --sets, and everything that `vpnsim check` has to say about it.
func TestBadScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			data, sets, want := sections(t, archive)
			got := check(data, sets, archive.Files)
			if got == "" {
				t.Error("nothing is wrong with it")
			}
			if strings.Contains(got, "hunter2") {
				t.Error("a secret is repeated")
			}
			if *update {
				archive.Files[len(archive.Files)-1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("%sgot:\n%s\nwant:\n%s", archive.Comment, got, want)
			}
		})
	}
}

// check returns what is wrong, one line each.
func check(data []byte, sets []string, files []txtar.File) string {
	read := scenarios.Files(func(name string) ([]byte, error) {
		for _, f := range files {
			if f.Name == name {
				return f.Data, nil
			}
		}
		return nil, errors.New("no such file")
	})
	d, ds := scenarios.Load("scenario.yaml", data, sets, scenarios.CheckExpr(expect.Check), read)
	if d != nil {
		ds = append(ds, scenarios.Lint(d)...)
	}
	var b strings.Builder
	for _, x := range ds {
		b.WriteString(x.String() + "\n")
	}
	return b.String()
}

func sections(t testing.TB, a *txtar.Archive) (data []byte, sets []string, want string) {
	for _, f := range a.Files {
		switch f.Name {
		case "scenario.yaml":
			data = f.Data
		case "set":
			sets = strings.Split(strings.TrimSpace(string(f.Data)), "\n")
		case "want":
			want = string(f.Data)
		case "rel.txt": // a file that the scenario names
		default:
			t.Fatalf("section %q", f.Name)
		}
	}
	return data, sets, want
}
