package explain_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/explain"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// builtin returns a loader of a scenario that ships with the program.
func builtin(t testing.TB, name string) explain.Loader {
	t.Helper()
	data, ok := scenarios.Builtin(name)
	if !ok {
		t.Fatalf("there is no scenario %q", name)
	}
	return func(sets []string) (*topology.Design, error) {
		d, diags := scenarios.Load(name+".yaml", data, sets)
		if d == nil {
			return nil, errors.New(fmt.Sprint(diags))
		}
		return d, nil
	}
}

func mustRun(t testing.TB, ask explain.Ask) *explain.Answer {
	t.Helper()
	a, err := explain.Run(ask)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// randomStory is one to three faults of any kind at any time, on scenarios
// with tunnels tun1 and tun2 between aws and gcp, as an assignment.
func randomStory(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var faults []string
	for range 1 + r.IntN(3) {
		tun, router := pick("tun1", "tun2"), pick("aws", "gcp")
		prefix := map[string]string{"aws": "10.2.0.0/16", "gcp": "10.1.0.0/16"}[router]
		way := pick("both", "from aws", "to aws")
		undone := ""
		if r.IntN(4) > 0 {
			undone = fmt.Sprintf(", for: %dms", 100+r.IntN(120000))
		}
		what := pick(
			fmt.Sprintf("delete: %s, by: %s, notify: %v", tun, router, r.IntN(2) == 0),
			fmt.Sprintf("blackhole: %s, direction: %s", tun, way),
			fmt.Sprintf("loss: %s, p: %.2f, direction: %s", tun, 0.1+0.9*r.Float64(), way),
			"loss: "+tun+", p: 1",
			"down: "+tun,
			"shut: "+tun+", by: "+router,
			"kill: "+router,
			"freeze: "+router,
			"propagate: {router: "+router+", on: false}",
			"withdraw: "+prefix+", by: "+router,
		)
		faults = append(faults, fmt.Sprintf("{at: %dus, %s%s}", r.IntN(250_000_000), what, undone))
	}
	return "story=[" + strings.Join(faults, ", ") + "]"
}

// Whatever fails, and whenever: the chain of each gap begins where the outage
// begins, ends where it ends, has neither hole nor overlap and adds up to it to
// the nanosecond; and every link of it says who waited for what, by which
// parameter, how long that was meant to take, and who says so.
func TestChainsTileEveryOutage(t *testing.T) {
	load := builtin(t, "aws-gcp")
	profiles := []string{"aws-vgw", "aws-tgw", "gcp-cloud-router", "frr", "frr-10", "bird", "gobgp", "cisco-ios", "quagga", "junos", "nokia-sros", "rfc4271"}
	r := rand.New(rand.NewPCG(1, 2))
	gaps, links := 0, 0
	for seed := range uint64(1500) {
		sets := []string{randomStory(r), "probe.every=5s"}
		if seed%3 == 0 {
			for _, router := range []string{"aws", "gcp"} {
				sets = append(sets, "routers."+router+".profile="+profiles[r.IntN(len(profiles))])
			}
		}
		a, err := explain.Run(explain.Ask{Load: load, Seed: seed, Sets: sets})
		if err != nil {
			t.Fatalf("%v: %v", sets, err)
		}
		for i := range a.Doc.Gaps {
			g := &a.Doc.Gaps[i]
			if problem := untiled(g); problem != "" {
				t.Fatalf("seed %d, %q: %s\n%s", seed, sets, problem, chainText(g))
			}
			gaps++
			links += len(g.Chain)
		}
	}
	if gaps < 1000 {
		t.Errorf("only %d gaps came about", gaps)
	}
	t.Logf("%d gaps, %d waits", gaps, links)
}

// untiled says what is wrong with the chain of a gap.
func untiled(g *report.Gap) string {
	if g.Direction == "loss" {
		if g.OutageS != 0 || len(g.Chain) > 0 {
			return "loss by chance has an outage or a chain"
		}
		return ""
	}
	if g.OutageS <= 0 || g.EndS-g.StartS != g.OutageS {
		return fmt.Sprintf("the outage of %d ns lies between %d and %d", g.OutageS, g.StartS, g.EndS)
	}
	if len(g.Chain) == 0 {
		return "there is no chain"
	}
	at, sum := g.StartS, report.Seconds(0)
	for i, w := range g.Chain {
		switch {
		case w.StartS != at:
			return fmt.Sprintf("wait %d starts at %d, not %d", i, w.StartS, at)
		case w.EndS <= w.StartS:
			return fmt.Sprintf("wait %d takes no time", i)
		case w.SinceS > w.StartS:
			return fmt.Sprintf("wait %d began after its start", i)
		case w.Node == "" || w.What == "":
			return fmt.Sprintf("wait %d: who waits for what?", i)
		case w.Parameter == "" || w.Value == "" || w.Source == "":
			return fmt.Sprintf("wait %d: by which parameter, of which value, by whom?", i)
		}
		at, sum = w.EndS, sum+w.EndS-w.StartS
	}
	if at != g.EndS || sum != g.OutageS {
		return fmt.Sprintf("the chain ends at %d with a sum of %d, not at %d with %d", at, sum, g.EndS, g.OutageS)
	}
	return ""
}

func chainText(g *report.Gap) string {
	s := fmt.Sprintf("%d-%d %s: %s\n", g.StartS, g.EndS, g.Direction, g.Cause)
	for _, w := range g.Chain {
		s += fmt.Sprintf("  %d-%d (since %d) %s: %s [%s = %s, %s]\n", w.StartS, w.EndS, w.SinceS, w.Node, w.What, w.Parameter, w.Value, w.Source)
	}
	return s
}

// What a chain blames can be set: with --set to the very value that it shows,
// nothing changes.
func TestChainsBlameRealParameters(t *testing.T) {
	for _, name := range scenarios.BuiltinNames() {
		load := builtin(t, name)
		for seed := range uint64(3) {
			a := mustRun(t, explain.Ask{Load: load, Seed: seed})
			for _, g := range a.Doc.Gaps {
				for _, w := range g.Chain {
					if w.Value == "" {
						continue
					}
					if _, err := load([]string{w.Parameter + "=" + w.Value}); err != nil {
						t.Errorf("%s, seed %d: %s = %s can't be set: %v", name, seed, w.Parameter, w.Value, err)
					}
				}
			}
		}
	}
}

// assignment finds what follows --set in the text of a counterfactual, which is
// quoted for a shell where need be.
var assignment = regexp.MustCompile(`--set ('[^']*'|\S+)`)

// What is ruled out and what would have helped are real parameters, and what is
// said to remove a wait of the chain does stand in it.
func TestWhatIfNamesRealParameters(t *testing.T) {
	for _, name := range scenarios.BuiltinNames() {
		load := builtin(t, name)
		a := mustRun(t, explain.Ask{Load: load, Seed: 3, WhatIf: explain.EverySuspect})
		for _, g := range a.Doc.Gaps {
			for _, x := range g.RuledOut {
				d, err := load(nil)
				if err != nil {
					t.Fatal(err)
				}
				parts := strings.SplitN(x.Parameter, ".", 3)
				known := len(parts) == 3 && parts[0] == "routers" && (parts[1] == "*" || slices.ContainsFunc(d.Routers, func(r topology.Router) bool { return r.Name == parts[1] }))
				if known {
					_, known = topology.KeyByPath(parts[2])
				}
				if !known {
					t.Errorf("%s rules out %q, which is no parameter", name, x.Parameter)
				}
				if slices.ContainsFunc(g.Chain, func(w report.Wait) bool { return w.Parameter == x.Parameter }) {
					t.Errorf("%s rules out %s, which stands in the chain", name, x.Parameter)
				}
				// Whoever has one session holds no other path.
				if who, _, says := strings.Cut(x.Why, " already held the other path"); says {
					n := 0
					for _, s := range a.Doc.Sessions {
						if s.Router == who {
							n++
						}
					}
					if n < 2 {
						t.Errorf("%s, gap %d: %s, which has %d sessions", name, g.N, x.Why, n)
					}
				}
			}
			for _, c := range g.Counterfactuals {
				for _, m := range assignment.FindAllStringSubmatch(c.Change, -1) {
					if _, err := load([]string{strings.Trim(m[1], "'")}); err != nil {
						t.Errorf("%s proposes %q: %v", name, c.Change, err)
					}
				}
			}
		}
	}
}

// The seed's case: the chain is AWS's hold timer and the programming of its
// forwarding table, MRAI is ruled out at both ends, telling the far end would
// have helped.
func TestTheSeedsGapIsBlamedOnTheHoldTimer(t *testing.T) {
	a := mustRun(t, explain.Ask{Load: builtin(t, "aws-gcp"), Sets: []string{"routers.aws.egress=tun2", "story[0].at=90s"}, WhatIf: explain.EverySuspect})
	if len(a.Doc.Gaps) != 1 {
		t.Fatalf("%d gaps", len(a.Doc.Gaps))
	}
	g := &a.Doc.Gaps[0]
	var blamed []string
	for _, w := range g.Chain {
		blamed = append(blamed, w.Parameter)
	}
	if want := []string{"routers.aws.bgp.hold", "routers.aws.fib.delay"}; !slices.Equal(blamed, want) {
		t.Errorf("the chain blames %v, not %v", blamed, want)
	}
	if w := g.Chain[0]; w.SinceS >= g.StartS || time.Duration(w.EndS-w.SinceS) != 30*time.Second {
		t.Errorf("the hold timer ran from %d to %d", w.SinceS, w.EndS)
	}
	for _, router := range []string{"aws", "gcp"} {
		if !slices.ContainsFunc(g.RuledOut, func(x report.RuledOut) bool { return x.Parameter == "routers."+router+".bgp.mrai" }) {
			t.Errorf("MRAI of %s is not ruled out", router)
		}
	}
	if !slices.ContainsFunc(g.Counterfactuals, func(c report.Counterfactual) bool {
		return strings.Contains(c.Change, "story[0].notify=true") && c.OutageS < report.Seconds(time.Second)
	}) {
		t.Errorf("that the far end could be told is not among %v", g.Counterfactuals)
	}
}

// What BGP does not know, explain does: the author's trap of a route table that
// takes no routes, and a security group.
func TestExplainSaysWhatBGPDoesNotKnow(t *testing.T) {
	for _, tt := range []struct{ scenario, direction, says, blames string }{
		{"aws-gcp-propagation-off", "reply", "route propagation", "route_table.propagate"},
		{"aws-gcp-security-group", "request", "security group", "security_group"},
	} {
		a := mustRun(t, explain.Ask{Load: builtin(t, tt.scenario), Seed: 1})
		for _, s := range a.Doc.Sessions {
			if s.State != "Established" {
				t.Errorf("%s: the session of %s over %s is %s", tt.scenario, s.Router, s.Link, s.State)
			}
		}
		if len(a.Doc.Gaps) == 0 {
			t.Fatalf("%s: no gap", tt.scenario)
		}
		g := &a.Doc.Gaps[0]
		if g.Direction != tt.direction {
			t.Errorf("%s: direction %s", tt.scenario, g.Direction)
		}
		if text := g.Request + g.Reply; !strings.Contains(text, tt.says) {
			t.Errorf("%s: %q does not speak of %s", tt.scenario, text, tt.says)
		}
		if p := g.Chain[len(g.Chain)-1].Parameter; !strings.Contains(p, tt.blames) {
			t.Errorf("%s: blamed on %s, not on %s", tt.scenario, p, tt.blames)
		}
	}
}

// Explaining is looking, not touching: the document of a run carries the digest
// and the losses of the run without a record.
func TestExplainingChangesNothing(t *testing.T) {
	for _, name := range scenarios.BuiltinNames() {
		load := builtin(t, name)
		d, err := load(nil)
		if err != nil {
			t.Fatal(err)
		}
		bare := network.New(d, network.Options{}).Run(5)
		a := mustRun(t, explain.Ask{Load: load, Seed: 5, WhatIf: explain.ChainOnly, Capture: true})
		if want := fmt.Sprintf("%016x", bare.Digest); a.Doc.Digest != want {
			t.Errorf("%s: digest %s explained, %s not", name, a.Doc.Digest, want)
		}
		for i := range bare.Probes {
			if a.Doc.Probes[i].Lost != bare.Probes[i].Lost() {
				t.Errorf("%s: %d lost explained, %d not", name, a.Doc.Probes[i].Lost, bare.Probes[i].Lost())
			}
		}
	}
}

// Every lost echo has a fate, and lies in a gap.
func TestEveryLossIsAccountedFor(t *testing.T) {
	load := builtin(t, "aws-gcp")
	r := rand.New(rand.NewPCG(3, 4))
	for seed := range uint64(200) {
		sets := []string{randomStory(r)}
		a := mustRun(t, explain.Ask{Load: load, Seed: seed, Sets: sets})
		lost := 0
		for _, e := range a.Doc.Probes[0].Echoes {
			if e.RTTNs != 0 {
				continue
			}
			lost++
			if e.Lost == "" {
				t.Fatalf("seed %d, %q: echo %d was lost, but where?", seed, sets, e.Seq)
			}
		}
		inGaps := 0
		for i := range a.Doc.Gaps {
			inGaps += a.Doc.Gaps[i].Lost
		}
		if lost != inGaps || lost != a.Doc.Probes[0].Lost {
			t.Fatalf("seed %d, %q: %d echoes lost, %d in gaps, %d counted", seed, sets, lost, inGaps, a.Doc.Probes[0].Lost)
		}
	}
}

// "The request path was on l2" is only claimed of a run in which it was: BIRD
// breaks ties by address, whatever its egress says, and FRR spreads flows.
func TestAnotherEgressIsOnlyProposedWhereItIsTaken(t *testing.T) {
	load := builtin(t, "frr-pair")
	for _, c := range []struct {
		profile string
		want    int
	}{{"frr", 1}, {"bird", 0}} {
		sets := []string{"routers.r1.profile=" + c.profile, "routers.r2.profile=" + c.profile, "routers.r1.egress=l1", "routers.r2.egress=l1", "routers.*.fib.delay=70ms"}
		a := mustRun(t, explain.Ask{Load: load, Sets: sets, WhatIf: explain.EverySuspect})
		if len(a.Doc.Gaps) == 0 {
			t.Fatalf("%s: no gap", c.profile)
		}
		got := 0
		for _, cf := range a.Doc.Gaps[0].Counterfactuals {
			if strings.Contains(cf.Change, "r2.egress=l2") {
				got++
				if cf.OutageS != 0 && a.Doc.Gaps[0].Direction == "reply" {
					t.Errorf("%s: on l2 the replies are out for %d all the same", c.profile, cf.OutageS)
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: proposed %d times, not %d", c.profile, got, c.want)
		}
	}
}
