package network_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// clique is n routers, each joined to each other by a link of 10 ms; the first
// announces a prefix, and withdraws it at 100 s. It is the network of Labovitz et
// al.: an UPDATE takes no time to process, the minimum route advertisement
// interval is kept since the last UPDATE and has no jitter, withdrawals do not
// wait, and a loop is found by the receiver.
func clique(n int, length string, bgp string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("vpnsim: v1\nfor: %s\nrouters:", length)
	for i := range n {
		networks := ""
		if i == 0 {
			networks = ", networks: [10.0.0.0/8]"
		}
		line("  r%d: {profile: rfc1771, asn: %d, id: 1.1.1.%d%s, bgp: {mrai: 30s, mrai_mode: since-last-update, mrai_jitter: 1, mrai_withdrawals: exempt, processing: 0s%s}, fib: {delay: 0s}}", i+1, 65001+i, i+1, networks, bgp)
	}
	line("links:")
	for i, k := 0, 0; i < n; i++ {
		for j := i + 1; j < n; j++ {
			line("  l%d-%d: {r%d: {inside: 172.16.%d.1/30}, r%d: {inside: 172.16.%d.2/30}, delay: 10ms}", i+1, j+1, i+1, k, j+1, k)
			k++
		}
	}
	line("story:\n  - {at: 100s, withdraw: 10.0.0.0/8, by: r1}")
	return b.String()
}

// react runs a design and returns copies of its reactions.
func react(d *topology.Design, o network.Options, seed uint64) []network.Reaction {
	o.Convergence = true
	return slices.Clone(network.New(d, o).Run(seed).Reactions)
}

// Labovitz et al. 2000: the routers of a clique explore ever longer paths, one
// length in each round of the advertisement timer. Withdrawing takes 30(n-3) s and
// two links' delay, n(n-1) withdrawals, and 15, 36, 70, 120 announcements; routers
// of FRR 8.4 in a lab sent 15, 36 and 70 announcements and 12, 20 and 30 withdrawals.
func TestWithdrawalInACliqueTakesRoundsOfMRAI(t *testing.T) {
	announcements := map[int]int{3: 4, 4: 15, 5: 36, 6: 70, 7: 120}
	for n := 3; n <= 7; n++ {
		d := mustParse(t, clique(n, "400s", ""))
		for seed := range uint64(3) {
			list := react(d, network.Options{}, seed)
			if len(list) != 2 {
				t.Fatalf("n = %d: %+v", n, list)
			}
			r := list[1]
			want := time.Duration(n-3)*30*time.Second + 20*time.Millisecond
			if took := r.Last.Sub(r.At); took != want || !r.Over {
				t.Errorf("n = %d, seed %d: converged in %v (over: %v), want %v", n, seed, took, r.Over, want)
			}
			if r.Withdrawn != n*(n-1) || r.Announced != announcements[n] {
				t.Errorf("n = %d, seed %d: %d withdrawals, %d announcements, want %d and %d", n, seed, r.Withdrawn, r.Announced, n*(n-1), announcements[n])
			}
			up := list[0]
			if up.Fault != -1 || !up.Over || up.FIB != up.RIB-1 || up.Announced < n*(n-1) {
				t.Errorf("n = %d, seed %d: came up with %+v", n, seed, up)
			}
		}
	}
}

// What the end of the run cuts short is not over, and says what it waits for.
func TestWhatWaitsForMRAIHasNotConverged(t *testing.T) {
	list := react(mustParse(t, clique(5, "130s", "")), network.Options{}, 1)
	r := list[1]
	if r.Over || r.Last.Sub(r.At) != 30*time.Second || len(r.Waits) == 0 || !strings.Contains(r.Waits[0], "(MRAI)") {
		t.Errorf("%+v", r)
	}
}

// A cut that nobody has noticed yet is not over either, although nothing has
// happened, and a session that is yet to come up again is not.
func TestWhatNobodyHasNoticedYetIsNotOver(t *testing.T) {
	for _, c := range []struct {
		name, length string
		fault, waits string
	}{
		{"hold timer", "150s", "- {at: 100s, blackhole: l1, for: 1000s}", "the hold timer of r1 over l1 is running out"},
		{"session", "310500ms", "- {at: 100s, blackhole: l1, for: 210s}", "the session over l1 is yet to come up"},
		{"nothing", "3000s", "- {at: 100s, blackhole: l1, for: 100s}", ""},
	} {
		text, _ := strings.CutSuffix(frrPair, "story:\n")
		d := mustParse(t, text+"for: "+c.length+"\nstory:\n  "+c.fault+"\n")
		list := react(d, network.Options{}, 1)
		last := list[len(list)-1]
		if got := strings.Join(last.Waits, "; "); last.Over != (c.waits == "") || !strings.Contains(got, c.waits) {
			t.Errorf("%s: over: %v, waits for %q, want %q", c.name, last.Over, got, c.waits)
		}
	}
}

// Nor is a session over whose first UPDATE is yet to come.
func TestBeforeTheFirstUpdateNothingIsOver(t *testing.T) {
	text, _ := strings.CutSuffix(frrPair, "story:\n")
	d := mustParse(t, text+"for: 110s\nstory:\n  - {at: 90s, shut: l1, by: r1, for: 1s}\n", "routers.r1.bgp.first_update=30s")
	list := react(d, network.Options{}, 1)
	waits := false
	for _, r := range list {
		waits = waits || !r.Over && strings.Contains(strings.Join(r.Waits, "; "), "r1 has not sent its first UPDATE over l1 yet")
	}
	if !waits {
		t.Errorf("%+v", list)
	}
}

const frrPair = `vpnsim: v1
routers:
  r1: {profile: frr, asn: 65001, networks: [10.1.0.0/16]}
  r2: {profile: frr, asn: 65002, networks: [10.2.0.0/16]}
links:
  l1: {r1: {inside: 192.168.1.1/30}, r2: {inside: 192.168.1.2/30}, rtt: 1ms}
  l2: {r1: {inside: 192.168.2.1/30}, r2: {inside: 192.168.2.2/30}, rtt: 1ms}
story:
`

// Faults of one instant are one event; one that changes nothing is told so.
func TestEveryEventHasAReaction(t *testing.T) {
	d := mustParse(t, frrPair+`  - {at: 50s, down: l1}
  - {at: 50s, down: l2}
  - {at: 100s, heal: l1}
`)
	var got []string
	for _, r := range react(d, network.Options{}, 1) {
		got = append(got, fmt.Sprintf("fault %d at %v: %v, %d announced, %d withdrawn, %d RIB, %d FIB, over %v",
			r.Fault, r.At.Seconds(), r.Prefix, r.Announced, r.Withdrawn, r.RIB, r.FIB, r.Over))
	}
	want := []string{
		"fault -1 at -60: 10.1.0.0/16, 4 announced, 0 withdrawn, 3 RIB, 2 FIB, over true",
		"fault -1 at -60: 10.2.0.0/16, 4 announced, 0 withdrawn, 3 RIB, 2 FIB, over true",
		"fault 0 at 50: 10.1.0.0/16, 0 announced, 0 withdrawn, 1 RIB, 1 FIB, over true",
		"fault 0 at 50: 10.2.0.0/16, 0 announced, 0 withdrawn, 1 RIB, 1 FIB, over true",
		"fault 2 at 100: invalid Prefix, 0 announced, 0 withdrawn, 0 RIB, 0 FIB, over true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Counting changes no run, and is the same however the run is made.
func TestCountingChangesNothing(t *testing.T) {
	for _, d := range designs(t, 60) {
		bare := snap(network.New(d, network.Options{}).Run(3))
		var first string
		for i, o := range []network.Options{{}, {NoSkip: true}, {Log: &trace.Log{}}} {
			o.Convergence = true
			res := network.New(d, o).Run(3)
			if diff := bare.diff(snap(res)); diff != "" {
				t.Fatalf("without, with counting (%+v): %s\n%s", o, diff, d.Name)
			}
			text := fmt.Sprintf("%+v\n%+v", res.Reactions, res.Ending)
			if i > 0 && text != first {
				t.Fatalf("%+v\n%s\nnot\n%s\n%s", o, text, first, d.Name)
			}
			first = text
		}
	}
}

// A Network that is run again counts afresh, into the memory that it has.
func TestCountingAgainAllocatesLittle(t *testing.T) {
	d := mustParse(t, clique(5, "400s", ""))
	plain, counting := network.New(d, network.Options{}), network.New(d, network.Options{Convergence: true})
	allocs := func(n *network.Network) float64 {
		n.Run(1)
		return testing.AllocsPerRun(3, func() { n.Run(1) })
	}
	if a, b := allocs(plain), allocs(counting); b > a+10 {
		t.Errorf("%.0f allocations without counting, %.0f with", a, b)
	}
}

// A session whose ends do not agree is down, and stays down: routing does not wait
// for it. One that flaps never lets it come to rest.
func TestWhatNeverComesUpIsNotWaitedFor(t *testing.T) {
	for name, want := range map[string]network.EndState{"min-hold": network.AtRest, "bfd-strict": network.AtRest, "azure-flaps": network.Unsettled} {
		for seed := range uint64(3) {
			res := network.New(mustLoad(t, name), network.Options{Convergence: true}).Run(seed)
			if e := res.Ending; e.State != want {
				t.Errorf("%s, seed %d: %+v", name, seed, e)
			}
		}
	}
}
