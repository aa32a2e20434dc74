package network_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/trace"
)

// How real daemons space their UPDATEs, end to end.

// hops is a chain of routers r1, r2, … of one profile, 1 ms apart; r1 announces a
// prefix at 90 s.
func hops(n int, profile string, settings ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "vpnsim: v1\nfor: 200s\nrouters:\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "  r%d: {profile: %s, asn: %d, networks: [10.%d.0.0/16]%s}\n", i, profile, 65000+i, i, strings.Join(settings, ""))
	}
	fmt.Fprintf(&b, "links:\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "  l%d: {r%d: {inside: 192.168.%d.1/30}, r%d: {inside: 192.168.%d.2/30}, rtt: 2ms}\n", i, i, i, i+1, i)
	}
	fmt.Fprintf(&b, "story:\n  - {at: 90s, announce: 10.99.0.0/16, by: r1}\n")
	return b.String()
}

// news are the UPDATEs about 10.99.0.0/16 that were sent, and when the last
// router had a route to it.
func (x *tale) news() (updates int, known time.Duration) {
	last := len(x.d.Routers) - 1
	for _, n := range x.log.Notes {
		switch {
		case n.Kind == trace.NoteMessage && n.Msg.Type == bgp.MsgUpdate && strings.Contains(network.MessageText(n.Msg), "10.99.0.0/16"):
			updates++
		case n.Kind == trace.NoteRoute && int(n.Router) == last && n.Prefix.String() == "10.99.0.0/16" && known == 0:
			known = time.Duration(n.At)
		}
	}
	return updates, known
}

// Measured in network namespaces, a chain of four hops: FRR 8.4.4 has "no split
// horizon: 8 messages", BIRD 2.0.12 and GoBGP 3.10 need 4. "UPDATE delay per hop
// 50 ms" (FRR, whose bgpd takes as long to look at a network of its own), "< 1 ms"
// (BIRD, GoBGP).
func TestNewsTravelsAsMeasured(t *testing.T) {
	for _, c := range []struct {
		profile string
		updates int
		hop     time.Duration
		more    time.Duration // or less, at each hop
		first   time.Duration
	}{{"frr", 8, 50 * time.Millisecond, 0, 50 * time.Millisecond}, {"bird", 4, time.Millisecond, 0, 0}, {"gobgp", 4, time.Millisecond, 500 * time.Microsecond, 0}} {
		x := tellOn(t, 1, hops(5, c.profile))
		updates, known := x.news()
		equal(t, c.profile+": UPDATEs", updates, c.updates)
		took, mean := known-90*time.Second, c.first+4*(c.hop+time.Millisecond)
		if took < mean-4*c.more || took > mean+4*c.more || c.more > 0 && took == mean {
			t.Errorf("%s: four hops take %v, want %v", c.profile, took, mean)
		}
	}
}

// Measured: "Established to FIB 1.2-1.35 s (its first UPDATE waits 1 s)", FRR
// 8.4.4.
func TestFirstUpdateOfFRRAsMeasured(t *testing.T) {
	least, most := time.Hour, time.Duration(0)
	for seed := range uint64(100) {
		x := tellOn(t, seed, hops(2, "frr"))
		var up, fib time.Duration
		for _, n := range x.log.Notes {
			if n.Kind == trace.NoteSession && n.Router == 1 && bgp.State(n.To) == bgp.Established {
				up = time.Duration(n.At)
			}
			if n.Kind == trace.NoteFIB && n.Router == 1 && fib == 0 {
				fib = time.Duration(n.At)
			}
		}
		least, most = min(least, fib-up), max(most, fib-up)
	}
	between(t, "the soonest", least, 1200*time.Millisecond, 1215*time.Millisecond)
	between(t, "the latest", most, 1335*time.Millisecond, 1360*time.Millisecond)
}

// Measured with FRR 8.4.4 and an advertisement-interval: "nothing waits after
// silence", "up to MRAI + 1 for a request between ticks". The whole seconds are
// those of each router's clock, so the extra is anything up to a second.
func TestMRAIOfFRRAsMeasured(t *testing.T) {
	var extra []float64
	for seed := range uint64(300) {
		x := tellOn(t, seed, strings.Replace(hops(2, "frr", ", bgp: {mrai: 30s}"),
			"by: r1}\n", "by: r1}\n  - {at: \"uniform(92s, 112s)\", withdraw: 10.99.0.0/16, by: r1}\n  - {at: 115s, announce: 10.99.0.0/16, by: r1}\n", 1))
		sent := x.sent("r1", "l1", 90*time.Second)
		if got := words(sent); got != "UPDATE: +10.99.0.0/16; UPDATE: -10.99.0.0/16; UPDATE: +10.99.0.0/16" {
			t.Fatalf("seed %d: %s", seed, got)
		}
		var at []time.Duration
		for _, n := range sent {
			if n.Msg.Type == bgp.MsgUpdate {
				at = append(at, time.Duration(n.At))
			}
		}
		const decision = 50 * time.Millisecond
		equal(t, "after silence", at[0], 90*time.Second+decision)
		equal(t, "a withdrawal never waits", at[1], time.Duration(x.n.FaultTime(1))+decision)
		wait := at[2] - at[1]
		between(t, "the second announcement, after the withdrawal", wait, 29*time.Second, 31*time.Second)
		// Its request came at a whole second, so the difference is the part of a
		// second in which the withdrawal went out.
		extra = append(extra, (wait - 29*time.Second).Seconds())
	}
	if m := mean(extra); m < 0.9 || m > 1.1 {
		t.Errorf("on average %.3f s", 29+m)
	}
}

func mean(list []float64) (m float64) {
	for _, x := range list {
		m += x / float64(len(list))
	}
	return m
}

// Nokia and Quagga, a free-running tick: "= residual U(0,30)", even after a long
// silence; and none of it for RFC 4271's timer.
func TestTickDelaysTheBackupUniformly(t *testing.T) {
	d := mustLoad(t, "mrai-tick")
	n := network.New(d, network.Options{})
	rest := 228 * time.Millisecond // links, decisions of four Quaggas and a forwarding table on the way
	var waits []float64
	for seed := range uint64(800) {
		r := n.Run(seed)
		o := r.Probes[0].Outages
		if len(o) != 1 {
			t.Fatalf("seed %d: %s", seed, intervals(o))
		}
		waits = append(waits, (o[0].End.Sub(o[0].Start) - rest).Seconds())
	}
	isUniform(t, "until isp-b's next tick", waits, 0, 30)

	r := network.New(mustLoad(t, "mrai-tick", "routers.isp-b.bgp.mrai_mode=since-last-update"), network.Options{}).Run(1)
	if o := r.Probes[0].Outages; len(o) != 1 || o[0].End.Sub(o[0].Start) != rest {
		t.Errorf("since the last UPDATE: %s", intervals(o))
	}
}

// The chain of mrai-chain, mode by mode, without jitter: what was withdrawn for
// 10 s is back after …
func TestTheModesDiffer(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		mode, withdrawals string
		least, most       time.Duration
	}{
		{"none", "exempt", 10 * time.Second, 10*time.Second + 20*ms},
		{"since-last-update", "exempt", 30 * time.Second, 30*time.Second + 20*ms}, // the timers run side by side
		{"since-last-update", "gated", 30 * time.Second, 30*time.Second + 20*ms},  // after silence, withdrawals do not wait either
		{"tick", "exempt", 10 * time.Second, 100*time.Second + 20*ms},             // three ticks
		{"out-delay", "exempt", 100 * time.Second, 100*time.Second + 20*ms},       // 10 s and 30 s at each of three hops
		{"out-delay", "gated", 0, 0},                                              // nobody heard of it
	} {
		ticks := map[time.Duration]bool{}
		for seed := range uint64(20) {
			sets := []string{"mode=" + c.mode, "withdrawals=" + c.withdrawals}
			for _, r := range []string{"r1", "r2", "r3", "r4"} {
				sets = append(sets, "routers."+r+".bgp.mrai_jitter=1")
			}
			r := network.New(mustLoad(t, "mrai-chain", sets...), network.Options{}).Run(seed)
			var out time.Duration
			for _, o := range r.Probes[0].Outages {
				out += o.End.Sub(o.Start)
			}
			between(t, fmt.Sprintf("%s, withdrawals %s, seed %d", c.mode, c.withdrawals, seed), out, c.least, c.most)
			ticks[out.Truncate(time.Second)] = true
		}
		if c.mode == "tick" && len(ticks) < 10 {
			t.Errorf("ticks: of 20 runs only %d differ", len(ticks))
		}
	}
}

// RFC 4271 §10: MinRouteAdvertisementIntervalTimer is 30 s "for EBGP
// connections" and 5 s "for IBGP connections".
func TestMRAIWithinAnAS(t *testing.T) {
	text := strings.Replace(hops(2, "rfc4271", ", bgp: {mrai_jitter: 1}"), "by: r1}\n", "by: r1}\n  - {at: 92s, withdraw: 10.99.0.0/16, by: r1}\n", 1)
	for _, c := range []struct {
		text string
		want time.Duration
	}{{text, 120 * time.Second}, {strings.Replace(text, "asn: 65002", "asn: 65001", 1), 95 * time.Second}} {
		x := tellOn(t, 1, c.text)
		last := time.Duration(0)
		for _, n := range x.sent("r1", "l1", 90*time.Second) {
			if n.Msg.Type == bgp.MsgUpdate {
				last = time.Duration(n.At)
			}
		}
		equal(t, "the withdrawal goes out", last, c.want)
	}
}

// A process that hangs over a tick makes up for it when it goes on.
func TestMissedTickIsMadeUpFor(t *testing.T) {
	text := strings.Replace(hops(2, "nokia-sros"), "by: r1}\n", "by: r1}\n  - {at: 90100ms, freeze: r1, for: 40s}\n", 1)
	x := tellOn(t, 1, text, "routers.r1.bgp.hold=180s", "routers.r2.bgp.hold=180s")
	sent := x.sent("r1", "l1", 90*time.Second)
	for _, n := range sent {
		if n.Msg.Type == bgp.MsgUpdate {
			equal(t, "10.99.0.0/16 is announced", time.Duration(n.At), 130100*time.Millisecond)
			return
		}
	}
	t.Errorf("r1 sends %s", words(sent))
}

// Measured with FRR 8.4 routers in a laboratory: the withdrawal of the only
// prefix in a clique of 4, 5, 6 takes exactly 15, 36, 70 announcements and 12,
// 20, 30 withdrawals, as in the law of Labovitz et al. All of them ran on one
// machine, so their clocks showed the same; clocks of their own, as here, would
// spread the rounds.
func TestCliqueOfFRRAsMeasured(t *testing.T) {
	for n, want := range map[int][2]int{4: {15, 12}, 5: {36, 20}, 6: {70, 30}} {
		d := mustLoad(t, "clique", fmt.Sprintf("n=%d", n), "generate.profile=frr", "generate.bgp.processing=50ms", "generate.bgp.mrai_granularity=0s", "generate.bgp.mrai_withdrawals=flush")
		for seed := range uint64(10) {
			list := react(d, network.Options{}, seed)
			r := list[len(list)-1]
			if !r.Over || r.Announced != want[0] || r.Withdrawn != want[1] {
				t.Errorf("n = %d, seed %d: %+v", n, seed, r)
			}
		}
	}
}
