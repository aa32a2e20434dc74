package daemonconf

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The case that the program began with, and a scenario with every key of the
// format, as each daemon gets them: all files, and what cannot be said.
func TestGolden(t *testing.T) {
	list := designs(t)
	for _, name := range []string{"aws-gcp", "everything"} {
		d := list[name]
		for _, with := range Daemons {
			var b strings.Builder
			for i := range d.Routers {
				if name == "everything" && d.Routers[i].Name != "a" {
					continue // the others are generated
				}
				c := write(t, d, i, with, Options{})
				for _, f := range c.Files {
					fmt.Fprintf(&b, "==> %s/%s <==\n%s\n", c.Router, f.Name, f.Content)
				}
				fmt.Fprintf(&b, "==> %s: the rest <==\n%s\n", c.Router, c.List())
			}
			golden(t, name+"."+string(with)+".txt", b.String())
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s, line %d: %q, not %q (go test ./daemonconf -update rewrites it)", name, i+1, at(g, i), at(w, i))
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
