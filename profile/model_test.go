package profile

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/topology"
)

var update = flag.Bool("update", false, "rewrite the table of assumed values in docs/model.md; review the difference")

// docs/model.md lists every value that is assumed, so that nobody has to find
// out by reading data files.
func TestModelPage(t *testing.T) {
	const page, start, end = "../docs/model.md", "<!-- assumed values -->\n", "<!-- end of assumed values -->"
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(b), start)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has lost its markers", page)
	}
	var want strings.Builder
	want.WriteString("| profile | parameter | value | why |\n|---|---|---|---|\n")
	for _, name := range Names() {
		p, _ := Get(name)
		s := p.Settings()
		for k := range topology.NumKeys {
			if o := s[k].Origin; o.Status == topology.Assumed && o.Profile == name {
				why := o.Note
				if why == "" {
					why = o.Source
				}
				fmt.Fprintf(&want, "| %s | `%s` | %s | %s |\n", name, k, s[k].Format(k), strings.ReplaceAll(why, "|", "\\|"))
			}
		}
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+start+want.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have != want.String() {
		t.Errorf("the table of assumed values in %s is not that of the profiles; run go test ./profile -run TestModelPage -update", page)
	}
}
