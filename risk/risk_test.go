package risk

import (
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

const pair = `
vpnsim: v1
name: noise
for: 300s
routers:
  a: {profile: rfc4271, asn: 65001, networks: [10.1.0.0/16], bgp: {hold: 6s, idle_hold: 1s}}
  b: {profile: rfc4271, asn: 65002, networks: [10.2.0.0/16], bgp: {hold: 6s, idle_hold: 1s}}
links:
  l: {a: {inside: 169.254.0.1/30}, b: {inside: 169.254.0.2/30}, delay: 5ms, loss: 0.1}
story:
  - {at: 10s, down: l}
`

func load(t *testing.T, sets ...string) *topology.Design {
	t.Helper()
	d, diags := scenarios.Load("test.yaml", []byte(pair), sets)
	if d == nil {
		t.Fatal(diags)
	}
	return d
}

// Where both work, splitting and plain simulation agree: their intervals meet. They are for independent
// and for bursty loss, for hold timers, BFD and several levels of rareness.
func TestSplittingAgreesWithSimulation(t *testing.T) {
	bfd := []string{"routers.a.bfd.enabled=true", "routers.b.bfd.enabled=true", "routers.a.bgp.hold=90s", "routers.b.bgp.hold=90s"}
	for _, c := range [][]string{
		{},
		{"links.l.loss=0.2"},
		{"links.l.loss={p: 0.01, bad: 0.7, to_bad: 0.02, to_good: 0.2}"},
		{"links.l.loss=0.05", "routers.a.bgp.hold=3s"},
		append([]string{"links.l.loss=0.03"}, bfd...),
	} {
		d := withoutStory(load(t, c...))
		e := Usual
		e.Runs, e.Enough, e.Trials, e.Repeats = 300, 150, 60, 10
		sim, spl := simulate(d, 1, e), split(d, 1, 1, e)
		if !bursty(d) && worstLoss(d) <= tiltMost {
			w := tilted(d, 1, 1, e)
			t.Logf("%v: importance sampling %.0f [%.0f, %.0f] a year", c, w.PerYear, w.Low, w.High)
			if w.Low > sim.High || w.High < sim.Low {
				t.Errorf("%v: simulation %.0f to %.0f, importance sampling %.0f to %.0f a year", c, sim.Low, sim.High, w.Low, w.High)
			}
		}
		t.Logf("%v: simulation %.0f [%.0f, %.0f] (%d drops), splitting %.0f [%.0f, %.0f] a year", c, sim.PerYear, sim.Low, sim.High, sim.Drops, spl.PerYear, spl.Low, spl.High)
		if sim.Drops < 20 {
			t.Errorf("%v: %d drops are too few to compare with", c, sim.Drops)
		}
		if spl.Low > sim.High || spl.High < sim.Low {
			t.Errorf("%v: simulation %.0f to %.0f, splitting %.0f to %.0f a year", c, sim.Low, sim.High, spl.Low, spl.High)
		}
	}
}

// The law of BFD (see network's test): each packet that is heard begins m losses in a row with p^m. With m = 3 and
// p = 0.002 that is twice a year, far beyond what can be simulated.
func TestImportanceSamplingReachesWhatIsRare(t *testing.T) {
	d := withoutStory(load(t, "links.l.loss=0.002", "routers.a.bfd.enabled=true", "routers.b.bfd.enabled=true", "routers.a.bgp.hold=0s", "routers.b.bgp.hold=0s", "links.l.delay=1ms"))
	e := Usual
	got := tilted(d, 1, 1, e)
	p := 0.002
	want := 2 * p * p * p * (1 - p) / (0.875 * 0.3) * Year.Seconds()
	t.Logf("importance sampling %.2f [%.2f, %.2f] a year, the law says %.2f", got.PerYear, got.Low, got.High, want)
	if want < got.Low || want > got.High {
		t.Errorf("importance sampling %.2f to %.2f a year, the law says %.2f", got.Low, got.High, want)
	}
}

// A stall longer than the hold time is a drop, a shorter one is none: with U(1 s, 11 s) and what is
// left of a hold time of 6 s when the stall begins, which is 4 to 6 s, 60 % are.
func TestStallsAreReckonedWith(t *testing.T) {
	sets := []string{"links.l.loss=0", "routers.a.stall.for=uniform(1s, 11s)"}
	often := Of(load(t, append(sets, "routers.a.stall.every=exp(0s, 600s)")...), 1, Usual)
	rare := Of(load(t, append(sets, "routers.a.stall.every=exp(0s, 100h)")...), 1, Usual)
	t.Logf("often %+v", often)
	t.Logf("rare %+v", rare)
	if often.Method != string(Simulation) || rare.Method != string(Stalls) {
		t.Errorf("methods: %s, %s", often.Method, rare.Method)
	}
	for _, c := range []struct {
		Estimate
		every time.Duration
	}{{often, 606 * time.Second}, {rare, 100 * time.Hour}} {
		year := float64(Year) / float64(c.every)
		if c.Low > 0.65*year || c.High < 0.55*year {
			t.Errorf("%s: %.1f to %.1f a year, want 60 %% of %.1f stalls", c.Method, c.Low, c.High, year)
		}
	}
}

// Without loss or stalls nothing drops, and that is no estimate.
func TestNothingHappensByItself(t *testing.T) {
	if est := Of(load(t, "links.l.loss=0"), 1, Usual); est.Method != string(Exact) || est.High != 0 {
		t.Errorf("%+v", est)
	}
}
