package scenarios

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/topology"
)

// docs/scenario.md is the reference of the format: its tables are made from
// the code, and its example is a scenario without errors or warnings that has
// every section of one.
func TestScenarioPage(t *testing.T) {
	const page = "../docs/scenario.md"
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text, update := string(b), flag.Lookup("update").Value.String() == "true"
	for name, table := range map[string]string{"verbs": verbTable(), "settings": settingTable()} {
		start, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
		before, rest, ok1 := strings.Cut(text, start)
		have, after, ok2 := strings.Cut(rest, end)
		if !ok1 || !ok2 {
			t.Fatalf("%s has lost its markers of %s", page, name)
		}
		if have != table && !update {
			t.Errorf("the table of %s in %s is not that of the program; run go test ./scenarios -run TestScenarioPage -update", name, page)
		}
		text = before + start + table + end + after
	}
	if update {
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, example, _ := strings.Cut(text, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	d, diagnostics := Load("docs/scenario.md", []byte(example), nil)
	for _, x := range diagnostics {
		t.Errorf("the example: %s", x)
	}
	if d == nil {
		t.Fatal("the example cannot run")
	}
	for _, x := range Lint(d) {
		t.Errorf("the example: %s", x)
	}
	for _, k := range topKeys {
		if !strings.Contains(text, "\n"+k+":") && k != "probe" {
			t.Errorf("the example has no %s", k)
		}
	}
}

func verbTable() string {
	var b strings.Builder
	b.WriteString("| word | of | what happens | further keys | `for` |\n|---|---|---|---|---|\n")
	object := map[int]string{int(aTunnel): "a tunnel", int(aLink): "a link or tunnel", int(aLinkOrRouter): "a link, tunnel or router",
		int(aRouter): "a router", int(aPrefix): "a prefix", int(aSwitch): "`{router: aws, on: false}`"}
	for _, v := range verbs {
		keys := []string{}
		if v.by {
			keys = append(keys, "`by`")
		}
		for _, k := range v.also {
			keys = append(keys, "`"+k+"`")
		}
		undo := ""
		for _, u := range verbs {
			if v.undo != 0 && u.kind == v.undo {
				undo = "`" + u.word + "`"
			}
		}
		switch {
		case v.undo == topology.RouterStart, v.undo == topology.SessionStart:
			undo = "`start`"
		case v.what == aSwitch:
			undo = "switches back"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", v.word, object[int(v.what)], v.doc, strings.Join(keys, ", "), undo)
	}
	return b.String()
}

func settingTable() string {
	var b strings.Builder
	b.WriteString("| setting | meaning |\n|---|---|\n")
	for k := range topology.NumKeys {
		meaning := k.Info().Doc
		if words := k.Info().Enum; len(words) > 0 {
			meaning += ": `" + strings.Join(words, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", k, meaning)
	}
	return b.String()
}
