package network_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/trace"
)

// gadget is one of the networks of Griffin, Shepherd and Wilfong: router 0 has a
// prefix, and each of the others prefers the way through one of its neighbours to
// its own link to router 0, as its row of prefer says.
func gadget(delay, bgp string, prefer [][]int, length string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	n := len(prefer) + 1
	line("vpnsim: v1\nfor: %s\nwarmup: 20s\nrouters:", length)
	for i := range n {
		networks := ""
		if i == 0 {
			networks = ", networks: [10.0.0.0/8]"
		}
		line("  r%d: {profile: rfc4271, asn: %d, id: 1.1.1.%d%s, bgp: {mrai_jitter: 1, %s}}", i, 65000+i, i+1, networks, bgp)
	}
	line("links:")
	link := 0
	join := func(a, b int, ab, ba string) {
		line(`  l%d%d: {r%d: {inside: 172.16.%d.1/30, import: [%s]}, r%d: {inside: 172.16.%d.2/30, import: [%s]}, delay: "%s"}`, a, b, a, link, ab, b, link, ba, delay)
		link++
	}
	for i := 1; i < n; i++ {
		join(0, i, "{local_pref: 100}", "{local_pref: 100}")
	}
	for i := 1; i < n; i++ {
		for j := i + 1; j < n; j++ {
			join(i, j, wants(prefer, i, j), wants(prefer, j, i))
		}
	}
	return b.String()
}

// wants is what i imports from j: the way j-0 if it is on its list, the sooner the
// better, and nothing longer.
func wants(prefer [][]int, i, j int) string {
	for k, via := range prefer[i-1] {
		if via != j {
			continue
		}
		var terms []string
		for other := range prefer {
			if other+1 != j {
				terms = append(terms, fmt.Sprintf("{path_has: %d, reject: true}", 65000+other+1))
			}
		}
		return strings.Join(append(terms, fmt.Sprintf("{local_pref: %d}", 200-k)), ", ")
	}
	return "{reject: true}"
}

var (
	bad      = [][]int{{2}, {3}, {1}} // each prefers the next one: there is no stable state
	good     = [][]int{{2}, {3}, nil} // the third one does not
	disagree = [][]int{{2}, {1}}      // two stable states
)

func endOf(t *testing.T, text string, o network.Options, seed uint64) *network.Result {
	t.Helper()
	o.Convergence = true
	return network.New(mustParse(t, text), o).Run(seed)
}

// "BAD GADGET ... has no solution, and so BGP will diverge" (Griffin, Shepherd,
// Wilfong, The Stable Paths Problem and Interdomain Routing, 2002). With fixed
// delays that is known: its state repeats.
func TestBadGadgetComesBackToItself(t *testing.T) {
	for _, c := range []struct{ length, bgp string }{
		{"20s", "mrai_mode: none, processing: 0s"},
		{"20s", "mrai_mode: none, processing: 3ms"},
		{"400s", "mrai_mode: since-last-update, mrai: 30s, processing: 0s"},
		{"100s", "mrai_mode: since-last-update, mrai: 5s, mrai_withdrawals: gated, processing: 0s"},
	} {
		text := gadget("10ms", c.bgp, bad, c.length)
		for seed := range uint64(3) {
			res := endOf(t, text, network.Options{}, seed)
			e := res.Ending
			if e.State != network.Repeats || e.First >= e.Again || e.First < 0 || res.Cut || e.Chance {
				t.Errorf("%v, seed %d: %+v, cut: %v", c, seed, e, res.Cut)
			}
			if r := res.Reactions[0]; r.Over || len(r.Waits) == 0 || !strings.Contains(r.Waits[0], "again") {
				t.Errorf("%v, seed %d: %+v", c, seed, r)
			}
		}
	}
}

// Where delays are drawn the same state may be left by another way: it is said
// that no stable state was reached, and nothing more.
func TestChanceMakesNoCertainty(t *testing.T) {
	text := gadget("10ms", `mrai_mode: none, processing: "uniform(1ms, 20ms)"`, bad, "60s")
	res := endOf(t, text, network.Options{}, 1)
	if e := res.Ending; e.State != network.Unsettled || !e.Chance || e.Changes < 500 || e.Last < res.End-1e9 || len(e.Waits) == 0 {
		t.Errorf("%+v", e)
	}
}

// "GOOD GADGET has a unique solution" and reaches it. DISAGREE has two: in lock
// step its routers change their minds for ever; where one hears of the prefix from
// the other before it does directly, they settle.
func TestWhatConvergesIsAtRest(t *testing.T) {
	for seed := range uint64(5) {
		if e := endOf(t, gadget("10ms", "mrai_mode: none, processing: 0s", good, "60s"), network.Options{}, seed).Ending; e.State != network.AtRest {
			t.Errorf("GOOD, seed %d: %+v", seed, e)
		}
	}
	// Both know the direct way when the link between them comes up, and the same
	// withdrawal and announcement reach them at the same moment.
	text := gadget("10ms", "mrai_mode: none, processing: 0s", disagree, "60s") + `story:
  - {at: 10s, withdraw: 10.0.0.0/8, by: r0, for: 10s}
`
	if e := endOf(t, text, network.Options{}, 1).Ending; e.State != network.Repeats {
		t.Errorf("DISAGREE in lock step: %+v", e)
	}
	text = strings.Replace(text, "delay: \"10ms\"}\n  l12", "delay: \"100ms\"}\n  l12", 1)
	if e := endOf(t, text, network.Options{}, 1).Ending; e.State != network.AtRest {
		t.Errorf("DISAGREE with a link that is slower: %+v", e)
	}
}

// Without delays an oscillation would go round for ever within one instant; with
// tiny ones for longer than anybody waits. Both runs end, and say so; also when
// nobody looks for repetitions.
func TestEndlessRunsAreEnded(t *testing.T) {
	for _, delay := range []string{"0s", "1ns"} {
		text := gadget(delay, "mrai_mode: none, processing: 0s", bad, "60s")
		res := endOf(t, text, network.Options{MostUpdates: 3000}, 1)
		e := res.Ending
		if !res.Cut || res.End >= 60e9 || (delay == "0s") != (e.State == network.Repeats && e.First == e.Again) || (delay == "1ns") != (e.Updates > 3000) {
			t.Errorf("delay %s: cut: %v, end %v, %+v", delay, res.Cut, res.End.Seconds(), e)
		}
		for _, o := range []network.Options{{MostUpdates: 3000}, {MostUpdates: 3000, NoSkip: true}, {MostUpdates: 3000, Log: &trace.Log{}}} {
			if bare := network.New(mustParse(t, text), o).Run(1); !bare.Cut || bare.Events > 10_000 {
				t.Errorf("delay %s, %+v: cut: %v after %d events", delay, o, bare.Cut, bare.Events)
			}
		}
	}
	n := network.New(mustParse(t, gadget("10ms", "mrai_mode: none, processing: 0s", bad, "60s")), network.Options{MostUpdates: 3000})
	first := snap(n.Run(1))
	if diff := first.diff(snap(n.Run(1))); diff != "" {
		t.Errorf("run again after it was cut: %s", diff)
	}
}

// What is said about the end holds later, too: over made-up preferences, a state
// that repeats still has not come to rest when the run is ten times as long, and
// goes on with as many changes in each period; and where all is at rest, nothing
// changes any more.
func TestWhatIsSaidAboutTheEndHolds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	count := map[network.EndState]int{}
	for range 20 {
		n := 3 + rnd.IntN(2)
		prefer := make([][]int, n)
		for i := range prefer {
			for _, j := range rnd.Perm(n) {
				if j != i && rnd.IntN(3) > 0 {
					prefer[i] = append(prefer[i], j+1)
				}
			}
		}
		bgp := pick(&maker{Rand: rnd}, "mrai_mode: none, processing: 0s", "mrai_mode: none, processing: 1ms", "mrai_mode: since-last-update, mrai: 500ms, processing: 0s",
			"mrai_mode: since-last-update, mrai: 500ms, mrai_withdrawals: gated, processing: 2ms")
		text := gadget("10ms", bgp, prefer, "5s")
		for seed := range uint64(1) {
			short := endOf(t, text, network.Options{}, seed).Ending
			long := endOf(t, strings.Replace(text, "for: 5s", "for: 60s", 1), network.Options{}, seed).Ending
			count[short.State]++
			switch short.State {
			case network.Repeats:
				if long.State != network.Repeats || long.First != short.First || long.Again != short.Again || long.Changes < 8*short.Changes {
					t.Errorf("%v, seed %d: %+v, later %+v", prefer, seed, short, long)
				}
			case network.AtRest:
				if long.State != network.AtRest || long.Changes != short.Changes {
					t.Errorf("%v, seed %d: %+v, later %+v", prefer, seed, short, long)
				}
			default:
				t.Errorf("%v, seed %d: neither at rest nor repeating: %+v", prefer, seed, short)
			}
		}
	}
	if count[network.Repeats] < 5 || count[network.AtRest] < 5 {
		t.Errorf("too few of a kind: %v", count)
	}
}
