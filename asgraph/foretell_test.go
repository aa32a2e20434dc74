package asgraph

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/topology"
)

// Whether arrivals are foretold or waited for, everything is the same: each event
// and its instant (the digest), how many there were, and what was said. Processing
// that often takes no time at all, or the same as another one, makes ties of all kinds.
func TestForetellingChangesNothing(t *testing.T) {
	prefix := netip.MustParsePrefix("10.0.0.0/24")
	story := []Event{
		{Change: Announce, Node: 0, Prefix: prefix},
		{At: 200 * time.Second, Change: Withdraw, Node: 0, Prefix: prefix},
		{At: 300 * time.Second, Change: LinkDown, Edge: 3},
		{At: 300 * time.Second, Change: Announce, Node: 0, Prefix: prefix},
		{At: 301 * time.Second, Change: LinkUp, Edge: 3},
		{At: 400 * time.Second, Change: LinkDown, Edge: 5},
	}
	rules, _ := bgp.RulesetFor("rfc4271")
	waited := false
	for _, g := range []*topology.ASGraph{topology.Clique(9), topology.BClique(6), topology.SyntheticAS(200, 3)} {
		for _, mrai := range []bgp.MRAI{{}, {Mode: bgp.MRAISinceLastUpdate, Interval: 5 * time.Second, Withdrawals: bgp.WithdrawalsGated, Jitter: bgp.RFCJitter}} {
			for i, text := range []string{"uniform(0s, 1s)", "choice(0s, 10ms)", "choice(0s, 0s, 10ms, 20ms)", "choice(0s, 7ms, 10ms)", "0s", "10ms"} {
				processing, err := topology.ParseDist(text)
				if err != nil {
					t.Fatal(err)
				}
				delay, _ := topology.ParseDist("10ms")
				x := New(g, Config{Rules: rules, MRAI: mrai, Delay: delay, Processing: processing, Serial: i%2 == 1})
				run := func(foretells bool) string {
					x.foretells = foretells
					r := x.Run(1, story, 400*time.Second+15*time.Millisecond) // the last UPDATEs are under way
					return fmt.Sprintf("%x, %d events, %+v", r.Digest, r.Events, r.Reactions)
				}
				if !x.foretells {
					t.Fatal("nothing is foretold")
				}
				got, want := run(true), run(false)
				if got != want {
					t.Errorf("%d ASes, %s, serial %v:\n%s\nwithout foretelling\n%s", len(g.ASNs), text, x.cfg.Serial, got, want)
				}
				waited = waited || len(x.parcels) > 0
			}
		}
	}
	if !waited {
		t.Error("nothing was sent")
	}
}

// Of what is sent at one instant, one of each sender arrives before the second of
// any, and the lower sender comes first.
func TestWhatArrivesTogetherTakesTurns(t *testing.T) {
	list := []coming{{slot: 1, node: 7, lane: 5}, {slot: 2, node: 7, lane: 5}, {slot: 3, node: 4, lane: 9}, {slot: 4, node: 7, lane: 3}, {slot: 5, node: 7, lane: 3}}
	inTurn(list)
	var got []int32
	for _, c := range list {
		got = append(got, c.slot)
	}
	if fmt.Sprint(got) != "[3 4 1 5 2]" {
		t.Errorf("they arrive as %v", got)
	}
}
