package explain

import (
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// expecting runs the built-in scenario with other expectations.
func expecting(t *testing.T, exprs ...string) *Answer {
	t.Helper()
	data, _ := scenarios.Builtin("aws-gcp")
	a, err := Run(Ask{Seed: 1, Sets: []string{"routers.aws.egress=tun2", "story[0].at=90s"},
		Load: func(sets []string) (*topology.Design, error) {
			d, ds := scenarios.Load("aws-gcp.yaml", data, sets)
			if scenarios.Failed(ds) {
				t.Fatal(ds)
			}
			d.Expect = nil
			for _, e := range exprs {
				d.Expect = append(d.Expect, topology.Expect{Expr: e})
			}
			return d, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestExpectationsAboutRoutesAtAnyInstant(t *testing.T) {
	a := expecting(t,
		`best("gcp", "10.2.0.0/16", at("80s")).tunnel == "tun2"`,
		`best("gcp", "10.2.0.0/16", at("100s")).tunnel == "tun1"`, // tun2 is deleted
		`best("gcp", "10.2.0.0/16", end).tunnel == "tun2"`,        // and created again
		`best("gcp", "10.2.7.1/16", at("100s")).exists`,           // an address stands for its network
		`not best("gcp", "192.0.2.0/24", at("100s")).exists`,
	)
	if !a.Expect() {
		t.Errorf("%+v", a.Doc.Expectations)
	}
}

// An expectation that cannot be told has not held.
func TestWhatCannotBeToldHasNotHeld(t *testing.T) {
	for expr, want := range map[string]string{
		`best("gpc", "10.2.0.0/16", end).exists`:      `there is no router "gpc"`,
		`best("gcp", "10.2.0.0", end).exists`:         `"10.2.0.0" is not a prefix`,
		`best("gcp", "10.2.0.0/16", at("1h")).exists`: "outside the run",
		`lost <`:            "cannot be told",
		`gaps[7].lost == 0`: "out of range",
		`best("gcp", "10.2.0.0/16", end).tunnel == "x"`: `tun2`,
	} {
		a := expecting(t, expr)
		if a.Expect() {
			t.Errorf("%s has held", expr)
		}
		if got := a.Doc.Expectations[0].Got; !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", expr, got, want)
		}
	}
}

// The same instant is run to once.
func TestInstantsAreKept(t *testing.T) {
	a := expecting(t)
	l := &lookup{a: a}
	n := l.at(80 * time.Second)
	if l.at(80*time.Second) != n || len(l.nets) != 1 {
		t.Errorf("%d instants", len(l.nets))
	}
	a.ask.Seed++
	if l.at(80*time.Second) != n || l.nets[80*time.Second].seed != a.ask.Seed {
		t.Error("of another seed's run the network is kept, its state is not")
	}
	if l.at(a.Design.For) != a.Net || len(l.nets) != 1 {
		t.Error("the end of the run is there already")
	}
}

func TestGapByNumber(t *testing.T) {
	a := expecting(t)
	if err := a.Gap(2); err == nil || !strings.Contains(err.Error(), "there is no gap 2: the run has 1") {
		t.Error(err)
	}
	if err := a.Gap(1); err != nil || len(a.Doc.Gaps) != 1 || a.Doc.Kind != "explain" {
		t.Errorf("%v, %d gaps, kind %s", err, len(a.Doc.Gaps), a.Doc.Kind)
	}
}
