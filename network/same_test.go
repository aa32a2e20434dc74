package network_test

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// What an Option does must not show in the result.

// designs are the scenarios that ship with the program, and n made up ones:
// "random N" is randomScenario(N).
func designs(t testing.TB, n int) (all []*topology.Design) {
	t.Helper()
	for _, name := range scenarios.BuiltinNames() {
		all = append(all, mustLoad(t, name))
	}
	for i := range n {
		text := randomScenario(uint64(100000 + i))
		if i%4 == 3 {
			text = restartScenario(uint64(100000 + i))
		}
		all = append(all, mustParse(t, text))
	}
	return all
}

// A record of every event, note and packet changes neither the digest nor the
// result.
func TestRecordingChangesNothing(t *testing.T) {
	for _, d := range designs(t, 80) {
		log := &trace.Log{Capture: true}
		bare, recorded := network.New(d, network.Options{NoSkip: true}), network.New(d, network.Options{Log: log})
		for seed := range uint64(2) {
			want, got := snap(bare.Run(seed)), snap(recorded.Run(seed))
			if diff := want.diff(got); diff != "" {
				t.Fatalf("seed %d: without, with a record: %s\n%s", seed, diff, d.Name)
			}
			if uint64(len(log.Events)) != got.events {
				t.Fatalf("seed %d: %d events, %d of them recorded\n%s", seed, got.events, len(log.Events), d.Name)
			}
		}
	}
}

// Every message and echo survives the way through real bytes, and the run goes
// on with what was read from them as if nothing had happened.
func TestRealBytesChangeNothing(t *testing.T) {
	for _, d := range designs(t, 60) {
		plain, wire := network.New(d, network.Options{NoSkip: true}), network.New(d, network.Options{Wire: true})
		want := snap(plain.Run(1))
		res := wire.Run(1)
		if len(res.Wire) > 0 {
			t.Fatalf("%v\n%s", res.Wire, d.Name)
		}
		if diff := want.diff(snap(res)); diff != "" {
			t.Fatalf("as values, as bytes: %s\n%s", diff, d.Name)
		}
	}
}

// The same design and seed give the same run: again in the same Network, in
// another order of seeds, and in a fresh one.
func TestSameInputsSameRun(t *testing.T) {
	for _, d := range designs(t, 60) {
		n := network.New(d, network.Options{})
		first := [3]snapshot{}
		for seed := range first {
			first[seed] = snap(n.Run(uint64(seed)))
		}
		for seed := len(first) - 1; seed >= 0; seed-- {
			if diff := first[seed].diff(snap(n.Run(uint64(seed)))); diff != "" {
				t.Fatalf("seed %d, run again: %s\n%s", seed, diff, d.Name)
			}
			if diff := first[seed].diff(snap(network.New(d, network.Options{}).Run(uint64(seed)))); diff != "" {
				t.Fatalf("seed %d, fresh network: %s\n%s", seed, diff, d.Name)
			}
		}
		if first[0].digest == first[1].digest {
			t.Fatalf("seeds 0 and 1 give the same digest\n%s", d.Name)
		}
	}
}

// Runs in parallel share nothing but the design, and the number of processors
// shows nowhere.
func TestProcessorsChangeNothing(t *testing.T) {
	for _, text := range []string{"", randomScenario(7), randomScenario(11)} {
		d := mustLoad(t, "aws-gcp")
		if text != "" {
			d = mustParse(t, text)
		}
		run := func(procs int) []snapshot {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			out := make([]snapshot, 16)
			var wg sync.WaitGroup
			for g := range 8 {
				wg.Go(func() {
					n := network.New(d, network.Options{})
					for seed := g; seed < len(out); seed += 8 {
						out[seed] = snap(n.Run(uint64(seed)))
					}
				})
			}
			wg.Wait()
			return out
		}
		one, eight := run(1), run(8)
		for seed := range one {
			if diff := one[seed].diff(eight[seed]); diff != "" {
				t.Errorf("seed %d with GOMAXPROCS 1, 8: %s", seed, diff)
			}
		}
	}
}

// Who has his turn first where things happen at one instant decides nothing. In
// whatever order the routers have theirs, echoes fare the same, outages are the
// same to the nanosecond, and routing goes through the same changes.
func TestOrderOfTiesDecidesNothing(t *testing.T) {
	for _, sets := range [][]string{
		nil,
		{"story[0].at=90s", "tunnels.tun1.rtt=6ms", "tunnels.tun2.rtt=6ms"}, // everything at round times
		{"story[0].at=90s", "story[0].notify=true"},
	} {
		if diff := shuffleTies(mustLoad(t, "aws-gcp", sets...), 40, 5); diff != "" {
			t.Errorf("%v: %s", sets, diff)
		}
	}
	for _, name := range scenarios.BuiltinNames() {
		if diff := shuffleTies(mustLoad(t, name), 1, 2); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// The same for networks that are made up, half of them so that as much as
// possible coincides: all links come up at once, are alike, and know no chance.
func TestOrderOfTiesDecidesNothingAnywhere(t *testing.T) {
	designs := 300
	if testing.Short() {
		designs = 60
	}
	for i := range designs {
		text := randomScenario(uint64(200000 + i))
		switch i % 4 {
		case 1:
			text = restartScenario(uint64(200000 + i))
		case 2, 3:
			text = atOnce(text)
		}
		if diff := shuffleTies(mustParse(t, text), 2, 2); diff != "" {
			t.Fatalf("design %d: %s\n%s", i, diff, text)
		}
	}
}

// atOnce makes as much as possible of a made-up scenario happen at one instant.
func atOnce(text string) string {
	for _, change := range [][2]string{
		{`warmup: \d+s`, "warmup: 0s"},
		{`rtt: .*`, "rtt: 20ms"},
		{` loss: [0-9{].*`, ""},
		{`_jitter: [0-9.]+`, "_jitter: 1"},
		{`"(uniform|choice|exp|normal)\((\d+)ms,.*?\)"`, "${2}ms"},
		{`: (\d+)\d{6}us`, ": ${1}s"},
		{`: (\d+)\d{3}us`, ": ${1}ms"},
	} {
		text = regexp.MustCompile(change[0]).ReplaceAllString(text, change[1])
	}
	return text
}

// shuffleTies says in what runs with other orders of turns differ from the plain one.
func shuffleTies(d *topology.Design, seeds, salts uint64) string {
	plain := network.New(d, network.Options{NoSkip: true, Convergence: true})
	for salt := uint64(1); salt <= salts; salt++ {
		shuffled := network.New(d, network.Options{ShuffleTies: salt, Convergence: true})
		for seed := range seeds {
			a, b := plain.Run(seed), shuffled.Run(seed)
			diff := snap(a).sameGaps(snap(b))
			// Events of one instant have other numbers.
			unnumbered := func(list []network.Reaction) string {
				list = slices.Clone(list)
				for i := range list {
					list[i].LastEvent = 0
				}
				return fmt.Sprintf("%+v", list)
			}
			if x, y := unnumbered(a.Reactions), unnumbered(b.Reactions); x != y {
				diff += fmt.Sprintf("; reactions\n%s\n%s", x, y)
			}
			if diff != "" {
				return fmt.Sprintf("seed %d, salt %d: %s", seed, salt, diff)
			}
		}
	}
	return ""
}
