package network_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// What BGP does to a withdrawn prefix in a clique is known exactly: from
// Labovitz et al. (2000), and from real routers.

// reaction is what followed an instant: UPDATEs by what they say, and how long
// it took until the last router had changed its route for the last time.
type reaction struct {
	announcements, withdrawals int
	length                     time.Duration
}

// react runs a design and looks at all that follows the first fault of its story.
func react(d *topology.Design, seed uint64) reaction {
	log := &trace.Log{}
	n := network.New(d, network.Options{Log: log})
	n.Run(seed)
	var r reaction
	fault := n.FaultTime(0)
	for i := range log.Notes {
		x := &log.Notes[i]
		if x.At < fault {
			continue
		}
		switch {
		case x.Kind == trace.NoteMessage && x.Msg.Type == bgp.MsgUpdate:
			r.announcements += len(x.Msg.Update.NLRI)
			r.withdrawals += len(x.Msg.Update.Withdrawn)
		case x.Kind == trace.NoteRoute:
			r.length = x.At.Sub(fault)
		}
	}
	return r
}

// "With these settings the law is exact": with 10 ms links, no processing time,
// no jitter, ties to the lowest identifier, the loop check at the receiver, a
// timer for each peer that an UPDATE starts, and withdrawals that do not wait.
// Three FRR 8.4 cliques in network namespaces sent the same messages, to the
// last one: 15 and 12, 36 and 20, 70 and 30 for 4, 5 and 6 routers.
func TestLabovitzLaw(t *testing.T) {
	for n, announcements := range map[int]int{3: 4, 4: 15, 5: 36, 6: 70, 7: 120} {
		for seed := range uint64(3) {
			got := react(mustLoad(t, "clique", fmt.Sprintf("n=%d", n)), seed)
			want := reaction{announcements, n * (n - 1), time.Duration(n-3)*30*time.Second + 20*time.Millisecond}
			if got != want {
				t.Errorf("n = %d, seed %d: %+v, want %+v", n, seed, got, want)
			}
		}
	}
}

// The time is made of MRAI and nothing else, for any n.
func TestLabovitzLawForOtherTimers(t *testing.T) {
	for _, c := range []struct {
		n    int
		mrai time.Duration
	}{{10, 30 * time.Second}, {10, time.Second}, {12, 7 * time.Second}} {
		got := react(mustLoad(t, "clique", fmt.Sprintf("n=%d", c.n), "mrai="+topology.FormatDuration(c.mrai)), 1)
		if want := time.Duration(c.n-3)*c.mrai + 20*time.Millisecond; got.length != want || got.withdrawals != c.n*(c.n-1) {
			t.Errorf("n = %d, MRAI %v: %+v, want %v", c.n, c.mrai, got, want)
		}
	}
}

// What each setting is for, one at a time.
func TestCliqueVariants(t *testing.T) {
	law := react(mustLoad(t, "clique"), 1)
	if got := react(mustLoad(t, "clique", "withdrawals=gated"), 1); got != law {
		t.Errorf("withdrawals that wait: %+v, not %+v: whoever has one to send has been quiet for an interval", got, law)
	}
	// A path that leads through the neighbour is a withdrawal to him, and
	// withdrawals do not wait: so the end of it goes round without MRAI.
	if got := react(mustLoad(t, "clique", "sender_side=true"), 1); got != (reaction{8, 16, 30 * time.Millisecond}) {
		t.Errorf("loops found by the sender: %+v", got)
	}
	seen := map[time.Duration]bool{}
	for seed := range uint64(5) {
		got := react(mustLoad(t, "clique", "jitter=0.75"), seed)
		if got.length < 22500*time.Millisecond || got.length > law.length*3/4 || got.announcements >= law.announcements {
			t.Errorf("jitter, seed %d: %+v", seed, got)
		}
		seen[got.length] = true
	}
	if len(seen) < 4 {
		t.Errorf("with jitter five seeds give %v", seen)
	}
}
