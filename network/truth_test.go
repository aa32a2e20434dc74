package network_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// watches are the pairs of the design's probes, and more.
func watches(t testing.TB, d *topology.Design, more ...string) []topology.Watch {
	t.Helper()
	var out []topology.Watch
	for i := range d.Probes {
		out = append(out, d.WatchOf(&d.Probes[i]))
	}
	for _, s := range more {
		w, err := d.ParseWatch(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, w)
	}
	return out
}

// story is how forwarding between two addresses went, a line for each interval.
func story(d *topology.Design, f *network.Forwarding) string {
	var b strings.Builder
	name := func(links []int32) string {
		var list []string
		for _, l := range links {
			list = append(list, d.Links[l].Name)
		}
		return strings.Join(list, " ")
	}
	for i := range f.Intervals {
		v := &f.Intervals[i]
		fmt.Fprintf(&b, "%.3f-%.3f %v", v.Start.Seconds(), v.End.Seconds(), v.State)
		if v.Lost() {
			b.WriteString(", lost")
		}
		for dir, what := range []string{"request", "reply"} {
			w := &v.Ways[dir]
			if dir == 1 && f.OneWay() {
				break
			}
			fmt.Fprintf(&b, "; %s [%s]", what, name(w.Links))
			if w.Why != "passed" && w.Why != "" {
				b.WriteString(" " + w.Why)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// The intervals of every pair follow each other from time zero to the end of the
// run, each differs from the one before it, and those in which packets are lost
// are the outages of the probe between the same hosts. Watching changes no run,
// and is the same however the run is made.
func TestIntervalsTileTheRun(t *testing.T) {
	states := map[network.State]int{}
	for i, d := range designs(t, 90) {
		if d.Internet != nil {
			continue
		}
		var more []string
		if len(d.Hosts) > 0 && len(d.Routers) > 1 {
			r := &d.Routers[i%len(d.Routers)]
			for _, h := range d.Hosts {
				if h.Router != i%len(d.Routers) && len(r.Networks) > 0 {
					more = append(more, h.Name+" -> "+r.Name, r.Name+","+h.Addr.String())
					break
				}
			}
		}
		pairs := append(watches(t, d, more...), d.Watch...)
		if len(pairs) == 0 {
			continue
		}
		bare := snap(network.New(d, network.Options{}).Run(7))
		var first string
		for k, o := range []network.Options{{}, {NoSkip: true}, {Log: &trace.Log{}}} {
			o.Watch = pairs
			res := network.New(d, o).Run(7)
			if diff := bare.diff(snap(res)); diff != "" {
				t.Fatalf("without, with watching (%+v): %s\n%s", o, diff, d.Name)
			}
			text := ""
			for p := range res.Forwarding {
				text += story(d, &res.Forwarding[p])
			}
			if k > 0 && text != first {
				t.Fatalf("%+v:\n%s\nnot\n%s\n%s", o, text, first, d.Name)
			}
			if first = text; k > 0 {
				continue
			}
			for p := range res.Forwarding {
				tiles(t, d, &res.Forwarding[p], res.End)
				for _, v := range res.Forwarding[p].Intervals {
					states[v.State]++
				}
				if p < len(res.Probes) {
					if got, want := lost(&res.Forwarding[p]), outages(&res.Probes[p]); !slices.Equal(got, want) {
						t.Fatalf("lost in %v, outages %v\n%s\n%s", got, want, story(d, &res.Forwarding[p]), d.Name)
					}
				}
			}
		}
	}
	for s := range network.NumStates {
		if states[s] == 0 {
			t.Errorf("no design has shown state %q", s)
		}
	}
}

func tiles(t *testing.T, d *topology.Design, f *network.Forwarding, end sim.Time) {
	t.Helper()
	at := sim.Time(0)
	for i := range f.Intervals {
		v := &f.Intervals[i]
		if v.Start != at || v.End <= v.Start {
			t.Fatalf("interval %d of %s -> %s goes from %d to %d, and the one before it to %d\n%s", i, f.From.Name, f.To.Name, v.Start, v.End, at, d.Name)
		}
		alone := func(v *network.Interval) string {
			return story(d, &network.Forwarding{Watch: f.Watch, Intervals: []network.Interval{{State: v.State, Ways: v.Ways}}}) + fmt.Sprint(v.Ways[0].Router, v.Ways[1].Router)
		}
		if i > 0 && alone(v) == alone(&f.Intervals[i-1]) {
			t.Fatalf("interval %d of %s -> %s is like the one before it\n%s\n%s", i, f.From.Name, f.To.Name, story(d, f), d.Name)
		}
		at = v.End
	}
	if at != end {
		t.Fatalf("the intervals of %s -> %s end at %d, the run at %d\n%s", f.From.Name, f.To.Name, at, end, d.Name)
	}
}

// lost are the times, in one piece, in which a round trip would fail.
func lost(f *network.Forwarding) (list [][2]sim.Time) {
	for i := range f.Intervals {
		v := &f.Intervals[i]
		if k := len(list); k > 0 && v.Lost() && list[k-1][1] == v.Start {
			list[k-1][1] = v.End
		} else if v.Lost() {
			list = append(list, [2]sim.Time{v.Start, v.End})
		}
	}
	return list
}

func outages(p *network.ProbeResult) (list [][2]sim.Time) {
	for _, o := range p.Outages {
		list = append(list, [2]sim.Time{o.Start, o.End})
	}
	return list
}

// The case that the program was written for, in its own words: the reply goes on
// into a tunnel that its far end has deleted. Where it was on the other tunnel,
// there is no such thing.
func TestTheSeedsCaseIsAStaleReturnPath(t *testing.T) {
	d := mustLoad(t, "aws-gcp")
	n := network.New(d, network.Options{Watch: watches(t, d)})
	stale := 0
	for seed := range uint64(100) {
		res := n.Run(seed)
		var took time.Duration
		for _, v := range res.Forwarding[0].Intervals {
			if v.State == network.Stale {
				took += v.End.Sub(v.Start)
				if !v.Lost() || v.In(0) || v.Ways[1].Why != "the far end has deleted the tunnel" {
					t.Errorf("seed %d: %+v", seed, v)
				}
			}
		}
		slow := failoverAt(t, d, n, res, 0).replyOnDeleted
		if slow != (took > 19*time.Second) || !slow && took > 0 {
			t.Errorf("seed %d: reply on the deleted tunnel: %v, stale for %v", seed, slow, took)
		}
		if slow {
			stale++
		}
	}
	if stale < 30 || stale > 70 {
		t.Errorf("%d of 100", stale)
	}
}

// Transient states between the changes of two tables are found, however short:
// here each lasts for the delay of a link.
func TestLoopsAreFoundBetweenEvents(t *testing.T) {
	d := mustLoad(t, "mrai-loop")
	for seed := range uint64(5) {
		res := network.New(d, network.Options{Watch: watches(t, d, "a -> o", "10.0.2.9 -> o")}).Run(seed)
		want := `0.000-100.000 ok; request [oa]; reply [oa]
100.000-100.010 stale return path; request [oa] the far end no longer announces the prefix; reply [oa]
100.010-100.020 loop, lost; request [ab ab] it has been here before; reply [oa]
100.020-140.010 black hole, lost; request [] no route; reply [oa]
140.010-145.000 ok; request [oa]; reply [oa]
145.000-145.010 stale return path; request [oa] the far end no longer announces the prefix; reply [oa]
145.010-170.020 loop, lost; request [ab ab] it has been here before; reply [oa]
170.020-200.000 black hole, lost; request [] no route; reply [oa]
`
		if got := story(d, &res.Forwarding[0]); got != want {
			t.Errorf("seed %d:\n%s\nwant\n%s", seed, got, want)
		}
		if got := story(d, &res.Forwarding[1]); got != strings.ReplaceAll(want, "oa", "ob") {
			t.Errorf("seed %d, from the other side:\n%s", seed, got)
		}
	}
}

// Loops too short for any ping to see, with their lengths to the nanosecond: what
// the news takes between the two, and what is left of it when their tables are slow.
func TestLoopsOfNanoseconds(t *testing.T) {
	for _, c := range []struct {
		sets     string
		from, to sim.Time
	}{
		{"links.ab.delay=2503ns", 100_010_000_000, 100_010_002_503},
		{"links.ab.delay=1ns", 100_010_000_000, 100_010_000_001},
		// b sends to a from 100.011000003 s to 100.021000003 s, a to b from 100.013000017 s.
		{"routers.a.fib.delay=3000017ns routers.b.fib.delay=1000003ns", 100_013_000_017, 100_021_000_003},
		// a still sends to o when b has given up a again.
		{"routers.a.fib.delay=3ms links.ab.delay=2ms", 0, 0},
	} {
		d := mustLoad(t, "mrai-loop", append(strings.Fields(c.sets), "mrai=0s", "story=[{at: 100s, withdraw: 10.0.0.0/24, by: o}]", "expect=[]")...)
		for seed := range uint64(3) {
			var got [][2]sim.Time
			for _, v := range network.New(d, network.Options{Watch: watches(t, d, "a -> o")}).Run(seed).Forwarding[0].Intervals {
				if v.State == network.Loop {
					got = append(got, [2]sim.Time{v.Start, v.End})
				}
			}
			want := [][2]sim.Time{{c.from, c.to}}
			if c.to == 0 {
				want = nil
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: loops in %v, want %v", c.sets, got, want)
			}
		}
	}
}

// A router that announces nothing can send, and be sent nothing back. In a clique
// it sends round and round while MRAI keeps the others from telling it.
func TestRoutersWithoutNetworksAreFollowedOneWay(t *testing.T) {
	d := mustParse(t, clique(4, "200s", ""))
	res := network.New(d, network.Options{Watch: watches(t, d, "r3 -> 10.1.2.3")}).Run(1)
	f := &res.Forwarding[0]
	want := `0.000-100.000 ok; request [l1-3]
100.000-100.010 stale return path; request [l1-3] the far end no longer announces the prefix
100.010-100.020 loop, lost; request [l2-3 l2-3] it has been here before
100.020-100.030 black hole, lost; request [l3-4 l2-4] no route
100.030-130.020 loop, lost; request [l3-4 l3-4] it has been here before
130.020-200.000 black hole, lost; request [] no route
`
	if got := story(d, f); got != want || !f.OneWay() {
		t.Errorf("one way: %v\n%s\nwant\n%s", f.OneWay(), got, want)
	}
}

// Watching costs what it looks at, and nothing where nothing is watched.
func TestWatchingAllocatesOnlyIntervals(t *testing.T) {
	d := mustLoad(t, "aws-gcp")
	plain, watching := network.New(d, network.Options{}), network.New(d, network.Options{Watch: watches(t, d)})
	allocs := func(n *network.Network) float64 {
		n.Run(1)
		return testing.AllocsPerRun(3, func() { n.Run(1) })
	}
	if a, b := allocs(plain), allocs(watching); b > a+20 {
		t.Errorf("%.0f allocations without watching, %.0f with", a, b)
	}
}

func TestPairsThatCannotBeWatched(t *testing.T) {
	d := mustLoad(t, "aws-gcp")
	for text, want := range map[string]string{
		"vm":              `"vm" is no pair: write vm -> ec2`,
		"vm -> ec3":       `there is no host, router or address "ec3"`,
		"vm -> 10.9.0.1":  `no router announces a network that 10.9.0.1 is in`,
		"vm -> 10.1.0.2":  `"vm" and "10.1.0.2" are the same address`,
		"10.1.0.300, ec2": `there is no host, router or address "10.1.0.300"`,
	} {
		if _, err := d.ParseWatch(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := mustParse(t, clique(3, "200s", "")).ParseWatch("r1 -> r2"); err == nil || !strings.Contains(err.Error(), "announces no network") {
		t.Error(err)
	}
}
