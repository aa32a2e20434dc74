package network_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/topology"
)

// The shipped clique with its parameters turned; the law itself is in
// converge_test.go and in what the scenario expects.

// reaction is how the clique reacts to the withdrawal.
type reaction struct {
	announced, withdrawn int
	took                 time.Duration
}

func withdraw(t *testing.T, seed uint64, sets ...string) reaction {
	t.Helper()
	list := react(mustLoad(t, "clique", sets...), network.Options{}, seed)
	r := list[len(list)-1]
	if !r.Over {
		t.Errorf("%v: not over at the end of the run: %v", sets, r.Waits)
	}
	return reaction{r.Announced, r.Withdrawn, r.Last.Sub(r.At)}
}

// The time is made of MRAI and two link delays, for any n; the announcements
// are a polynomial, which gives the 15, 36, 70 and 120 of the paper.
func TestLabovitzLawForAnyClique(t *testing.T) {
	for _, c := range []struct {
		n           int
		mrai, delay time.Duration
	}{
		{3, 30 * time.Second, 10 * time.Millisecond},
		{4, 30 * time.Second, 10 * time.Millisecond},
		{7, 30 * time.Second, 10 * time.Millisecond},
		{10, 30 * time.Second, 10 * time.Millisecond},
		{10, time.Second, 3 * time.Millisecond},
		{12, 7 * time.Second, 50 * time.Millisecond},
	} {
		got := withdraw(t, 1, fmt.Sprintf("n=%d", c.n), "mrai="+topology.FormatDuration(c.mrai), "delay="+topology.FormatDuration(c.delay))
		want := reaction{(c.n - 2) * (c.n - 1) * (c.n + 1) / 2, c.n * (c.n - 1), time.Duration(c.n-3)*c.mrai + 2*c.delay}
		if got != want {
			t.Errorf("%+v: %+v, want %+v", c, got, want)
		}
	}
}

// What each setting is for, one at a time.
func TestCliqueVariants(t *testing.T) {
	law := withdraw(t, 1)
	// Whoever has a withdrawal to send has just said something else.
	if got := withdraw(t, 1, "generate.bgp.mrai_withdrawals=gated"); got != (reaction{law.announced, law.withdrawn, 90*time.Second + 10*time.Millisecond}) {
		t.Errorf("withdrawals that wait: %+v", got)
	}
	// A path that leads through the neighbour is a withdrawal to him, and
	// withdrawals do not wait: so the end of it goes round without MRAI.
	if got := withdraw(t, 1, "generate.bgp.sender_side_loop=true"); got != (reaction{8, 16, 30 * time.Millisecond}) {
		t.Errorf("loops found by the sender: %+v", got)
	}
	// All of them speak at the same instants; how often hangs on the order in
	// which each reads what the others said (sim/ties.go), the time does not.
	if got := withdraw(t, 1, "mrai=0s"); got != (reaction{188, 48, 40 * time.Millisecond}) {
		t.Errorf("without MRAI: %+v", got)
	}
	seen := map[time.Duration]bool{}
	for seed := range uint64(5) {
		got := withdraw(t, seed, "generate.bgp.mrai_jitter=0.75")
		if got.took < 22500*time.Millisecond || got.took > law.took*3/4 || got.announced >= law.announced {
			t.Errorf("jitter, seed %d: %+v", seed, got)
		}
		seen[got.took] = true
	}
	if len(seen) < 4 {
		t.Errorf("with jitter five seeds give %v", seen)
	}
}
