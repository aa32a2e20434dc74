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
`))
	if wrong != nil {
		t.Fatal(wrong)
	}
	var got []string
	for _, c := range m.Cases {
		got = append(got, fmt.Sprintf("%s %v %v %d %v %d", c.Name, c.With, c.Sets, c.Trials, c.For, c.Pos.Line))
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
	for _, c := range []struct{ text, want string }{
		{"", "m.yaml: the file is empty"},
		{"vpnsim: v1\n", "m.yaml:1:1: field vpnsim not found"},
		{"vpnsim-lab: v2\ncases: []\n", "m.yaml:1:13: this is no matrix of vpnsim lab"},
		{"vpnsim-lab: v1\n", "m.yaml: there are no cases"},
		{"vpnsim-lab: v1\ncases: [\n", "m.yaml:3:1: "},
		{"vpnsim-lab: v1\ncases:\n  - {group: A b, with: frr bird, trials: 0, for: 3}\n",
			`m.yaml:3:13: "A b" cannot be a group|m.yaml:3:13: case 1 has no scenario|m.yaml:3:13: trials: 0 is not between 1 and 1000|m.yaml:3:24: "frr bird" does not say which daemons|m.yaml:3:50: for: "3" is no duration`},
		{"vpnsim-lab: v1\ncases:\n  - {group: a, scenario: s, with: frr, set: [n=1; m=2, n=1; m=3], trials: 1}\n",
			"m.yaml:3:56: two cases are called a/frr/n=1"},
		{"vpnsim-lab: v1\ncases:\n  - {group: a, scenario: s, with: frr, tunnel: gre, trials: 1}\n", `m.yaml:3:48: tunnel: nothing is called "gre"`},
	} {
		_, wrong := ReadMatrix("m.yaml", []byte(c.text))
		var got []string
		for _, w := range wrong {
			got = append(got, w.Pos.String()+": "+w.Message)
		}
		for i, want := range strings.Split(c.want, "|") {
			if i >= len(got) || !strings.HasPrefix(got[i], want) {
				t.Errorf("%q:\ngot  %q\nwant %q", c.text, got, strings.Split(c.want, "|"))
				break
			}
		}
	}
}

// The matrix that the project publishes.
func TestTheCalibrationsMatrix(t *testing.T) {
	data, err := os.ReadFile("../calibration/matrix.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if m, wrong := ReadMatrix("matrix.yaml", data); wrong != nil || len(m.Cases) < 50 {
		t.Error(wrong)
	}
}
