package lab

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAMatrixIsEverySettingWithEveryDaemon(t *testing.T) {
	m, wrong := ReadMatrix("m.yaml", []byte(`vpnsim-lab: v1
cases:
  - group: hold
    scenario: blackhole.yaml
    with: [frr, a=frr b=bird]
    set: [hold=9s; end=115s, hold=15s n=2; end=125s]
    trials: 12
    for: 50s
    note: why
  - {group: plain, scenario: aws-gcp, with: bird, tunnel: ipsec, trials: 1}
`), 0)
	if wrong != nil {
		t.Fatal(wrong)
	}
	var got []string
	for _, c := range m.Cases {
		got = append(got, fmt.Sprintf("%s %v %v %d %v %d", c.Name, c.With, c.Sets, c.Trials, c.For, c.SetAt.Line))
	}
	want := []string{
		"hold/frr/hold=9s {frr [] } [hold=9s end=115s] 12 50s 6",
		"hold/frr/hold=15s+n=2 {frr [] } [hold=15s n=2 end=125s] 12 50s 6",
		"hold/a=frr+b=bird/hold=9s { [a=frr b=bird] } [hold=9s end=115s] 12 50s 6",
		"hold/a=frr+b=bird/hold=15s+n=2 { [a=frr b=bird] } [hold=15s n=2 end=125s] 12 50s 6",
		"plain/bird {bird [] ipsec} [] 1 0s 10",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if m.Cases[0].For != 50*time.Second || m.Cases[0].Note != "why" {
		t.Error(m.Cases[0])
	}
}

func TestEverythingThatIsWrongWithAMatrixIsSaid(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", []string{"m.yaml: the file is empty"}},
		{"# nothing\n", []string{"m.yaml: the file is empty"}},
		{"vpnsim: v1\n", []string{"m.yaml:1:1: this is no matrix of vpnsim lab"}},
		{"- 1\n", []string{"m.yaml:1:1: a matrix is a mapping, this is a list"}},
		{"vpnsim-lab: v2\ncases: []\n", []string{`m.yaml:1:13: version "v2" of a matrix is not known, only v1`, "m.yaml:2:8: there are no cases"}},
		{"vpnsim-lab: v1\n", []string{"m.yaml:1:1: there are no cases"}},
		{"vpnsim-lab: v1\ncases: {}\n", []string{"m.yaml:2:8: cases: is a list, not a mapping"}},
		{"vpnsim-lab: v1\ncases: [\n", []string{"m.yaml:3:1: not YAML: "}},
		{"vpnsim-lab: v1\ncases: [a]\n---\nb: c\n", []string{"m.yaml:2:9: case 1 is a single value, not a mapping", "m.yaml:3:1: a second YAML document begins here"}},
		{"vpnsim-lab: v1\ncases:\n  - {group: A b, with: frr bird, trials: 0, for: 3}\n", []string{
			"m.yaml:3:5: case 1 has no scenario", `m.yaml:3:13: "A b" cannot be a group`, `m.yaml:3:24: "frr bird" does not say which daemons`,
			`m.yaml:3:42: trials: "0" is no whole number between 1 and 1000`, "m.yaml:3:50: for: 3 has no unit: write 3s (or 3ms, 3m, 3h)"}},
		{"vpnsim-lab: v1\ncases:\n  - {group: a, scenario: s, with: frr, set: [n=1; m=2, n=1; m=3], trials: 1}\n", []string{"m.yaml:3:56: two cases are called a/frr/n=1"}},
		{"vpnsim-lab: v1\ncases:\n  - {group: a, scenario: s, with: frr, tunnel: gre, trials: 1}\n", []string{`m.yaml:3:48: tunnel: nothing is called "gre"`}},
		// Wrong keys hide nothing else, and no key is passed over.
		{"vpnsim-lab: v1\nnotes: 1\ncases:\n  - grup: a\n    scenario: s\n    with: [frr, brid, a=frr b=gobpg]\n    scenario: t\n  - {group: b, scenario: [s], with: [[frr]], set: {n: 1}, for: 0s}\n", []string{
			`m.yaml:2:1: a matrix has no "notes"`, `m.yaml:4:5: a case has no "grup"`, "m.yaml:4:5: case 1 has no group", "m.yaml:4:5: case 1 has no trials",
			`m.yaml:6:17: with: there is no daemon "brid"`, `m.yaml:6:23: with: there is no daemon "gobpg"`, "m.yaml:7:5: scenario: is there twice; the first is in line 5",
			"m.yaml:8:5: case 2 has no trials", "m.yaml:8:26: scenario: is a text, not a list", "m.yaml:8:38: with: is a list of texts, and in it is a list",
			"m.yaml:8:51: set: is a list of texts, and in it is a mapping", "m.yaml:8:64: for: nothing is measured in 0s"}},
	} {
		_, wrong := ReadMatrix("m.yaml", []byte(c.text), 0)
		var got []string
		for _, w := range wrong {
			got = append(got, w.Pos.String()+": "+w.Message)
		}
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%q:\ngot  %q\nwant %q", c.text, got, c.want)
		}
	}
}

// Whoever says on the command line how many trials there are need not say so in the matrix,
// and what is right in a matrix is there beside what is wrong.
func TestAMatrixOfWhichOnlyAPartIsRight(t *testing.T) {
	m, wrong := ReadMatrix("m.yaml", []byte("vpnsim-lab: v1\ncases:\n  - {group: a, scenario: s, with: frr}\n  - {group: b, scenario: s, with: quagga}\n"), 7)
	if len(m.Cases) != 1 || m.Cases[0].Name != "a/frr" || m.Cases[0].Trials != 7 {
		t.Errorf("%+v", m.Cases)
	}
	if len(wrong) != 1 || wrong[0].Word != "quagga" || !slices.Contains(wrong[0].Known, "bird") {
		t.Errorf("%+v", wrong)
	}
}

// The matrix that the project publishes.
func TestTheCalibrationsMatrix(t *testing.T) {
	data, err := os.ReadFile("../calibration/matrix.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if m, wrong := ReadMatrix("matrix.yaml", data, 0); wrong != nil || len(m.Cases) < 50 {
		t.Error(wrong)
	}
}

// The examples of docs/lab.md can be read, and are the cases that it says they are.
func TestTheMatricesOfThePage(t *testing.T) {
	page, err := os.ReadFile("../docs/lab.md")
	if err != nil {
		t.Fatal(err)
	}
	var names [][]string
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		m, wrong := ReadMatrix("docs/lab.md", []byte(text), 0)
		if len(wrong) > 0 {
			t.Errorf("%+v in\n%s", wrong, text)
		}
		var list []string
		for _, c := range m.Cases {
			list = append(list, c.Name)
		}
		names = append(names, list)
	}
	if len(names) != 1 || len(names[0]) != 6 || names[0][0] != "hold/frr/hold=9s" || names[0][5] != "hold/a=frr+b=bird/hold=15s" ||
		!strings.Contains(string(page), "These are six cases, from `hold/frr/hold=9s` to `hold/a=frr+b=bird/hold=15s`.") {
		t.Errorf("%q", names)
	}
}
