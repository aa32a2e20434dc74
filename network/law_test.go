package network_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// The case that the program was written for, as a law over thousands of seeds.
// GCP deletes tun2 and knows it at once; AWS is not told. So the reply decides:
// where it was on the other tunnel the failover is instant, where it was on
// tun2 it takes what is left of AWS's hold timer.

// failover is what the deletion of tun2 did in one run.
type failover struct {
	seed           uint64
	replyOnDeleted bool
	outage, reply  time.Duration
	lost           int
	rtt            time.Duration // the longest
}

// failovers runs the seed's case over and over and looks at the deletion that
// is fault f of the story.
func failovers(t *testing.T, seeds uint64, f int, sets ...string) []failover {
	t.Helper()
	d := mustLoad(t, "aws-gcp", sets...)
	n := network.New(d, network.Options{})
	var list []failover
	for seed := range seeds {
		r := n.Run(seed)
		list = append(list, failoverAt(t, d, n, r, f))
	}
	return list
}

func failoverAt(t *testing.T, d *topology.Design, n *network.Network, r *network.Result, f int) failover {
	t.Helper()
	p := &r.Probes[0]
	deleted := n.FaultTime(f)
	x := failover{seed: r.Seed, replyOnDeleted: linkAt(p, true, deleted-1) == d.Story[f].Link}
	for _, o := range p.Outages {
		if o.Start >= deleted && o.Start < deleted.Add(time.Second) {
			x.outage += o.End.Sub(o.Start)
			x.reply += o.Reply
			for s := 1; s <= p.Sent; s++ {
				if at := p.SentAt(s); p.RTT[s-1] == 0 && at > o.Start.Add(-time.Second) && at < o.End {
					x.lost++
				}
			}
		}
	}
	x.rtt = slices.Max(p.RTT)
	return x
}

// linkAt is the first link of a direction's path at an instant.
func linkAt(p *network.ProbeResult, reply bool, at sim.Time) int {
	link := -1
	for _, c := range p.Paths() {
		if c.Reply == reply && c.At <= at {
			link = c.Link
		}
	}
	return link
}

// split parts the runs by where the reply was.
func split(list []failover) (survivor, deleted []failover) {
	for _, x := range list {
		if x.replyOnDeleted {
			deleted = append(deleted, x)
		} else {
			survivor = append(survivor, x)
		}
	}
	return survivor, deleted
}

// isUniform is the Kolmogorov-Smirnov test at a level of 0.1 %: it refuses one
// true law in a thousand, and with 1,000 runs sees a bias of 0.6 s in 10.
func isUniform(t *testing.T, what string, list []float64, lo, hi float64) {
	t.Helper()
	slices.Sort(list)
	if list[0] < lo-0.05 || list[len(list)-1] > hi+0.05 {
		t.Errorf("%s: from %.3f to %.3f s, want %g to %g", what, list[0], list[len(list)-1], lo, hi)
	}
	grid := make([]float64, 20000)
	for i := range grid {
		grid[i] = lo + (hi-lo)*(float64(i)+0.5)/float64(len(grid))
	}
	d := stat.KolmogorovSmirnov(list, nil, grid, nil)
	if limit := 1.95 / math.Sqrt(float64(len(list))); d > limit {
		t.Errorf("%s: not uniform on %g to %g s: the greatest distance is %.4f, at most %.4f was to be expected of %d runs", what, lo, hi, d, limit, len(list))
	}
}

// isHalf tests a share against 1/2, again at 0.1 %.
func isHalf(t *testing.T, what string, k, n int) {
	t.Helper()
	b := distuv.Binomial{N: float64(n), P: 0.5}
	if z := math.Abs(float64(k)-b.Mean()) / b.StdDev(); z > 3.29 {
		t.Errorf("%s: %d of %d, which is no half (%.1f standard deviations)", what, k, n, z)
	}
}

// holdRests are what was left of AWS's hold timer: the outage without the time
// that it then takes to program the forwarding table.
func holdRests(list []failover, fib time.Duration) (rests []float64) {
	for _, x := range list {
		rests = append(rests, (x.outage - fib).Seconds())
	}
	return rests
}

const awsFIB = 100 * time.Millisecond

// The law: instant, or uniform from 20 to 30 s, and nothing in between.
func TestTheReplyPathDecidesTheGap(t *testing.T) {
	list := failovers(t, 3000, 0)
	instant, slow := split(list)
	isHalf(t, "runs whose reply was on the surviving tunnel", len(instant), len(list))
	for _, x := range instant {
		if x.reply != 0 || x.outage > time.Second || x.lost > 1 {
			t.Errorf("seed %d: the reply was on the surviving tunnel, but it failed for %v, the round trip for %v, %d lost", x.seed, x.reply, x.outage, x.lost)
		}
	}
	for _, x := range slow {
		if x.outage < 20*time.Second || x.outage != x.reply {
			t.Errorf("seed %d: the reply was on the deleted tunnel, but it failed for %v, the round trip for %v", x.seed, x.reply, x.outage)
		}
	}
	isUniform(t, "reply on the deleted tunnel", holdRests(slow, awsFIB), 20, 30)
}

// A ping once a second measures the outage to a second and a round trip.
func TestLostProbesAgreeWithTheOutage(t *testing.T) {
	for _, x := range failovers(t, 2000, 0) {
		if diff := (time.Duration(x.lost)*time.Second - x.outage).Abs(); diff > time.Second+x.rtt {
			t.Errorf("seed %d: %d probes lost in an outage of %v", x.seed, x.lost, x.outage)
		}
	}
}

// Both ends hold the other path already, and a local decision needs no UPDATE:
// the minimum route advertisement interval changes no gap by a nanosecond.
func TestMRAIChangesNoGap(t *testing.T) {
	want := failovers(t, 200, 0)
	for _, router := range []string{"aws", "gcp"} {
		for _, mode := range []string{"none", "since-last-update"} {
			for _, mrai := range []string{"0s", "5s", "30s", "60s"} {
				for _, withdrawals := range []string{"gated", "exempt"} {
					path := "routers." + router + ".bgp.mrai"
					sets := []string{path + "=" + mrai, path + "_mode=" + mode, path + "_withdrawals=" + withdrawals}
					for i, got := range failovers(t, 200, 0, sets...) {
						if got.outage != want[i].outage || got.lost != want[i].lost || got.replyOnDeleted != want[i].replyOnDeleted {
							t.Errorf("%v, seed %d: %v and %d lost, not %v and %d", sets, i, got.outage, got.lost, want[i].outage, want[i].lost)
						}
					}
				}
			}
		}
	}
}

// Other timers, other laws.
func TestTimersMakeTheLaw(t *testing.T) {
	for _, tt := range []struct {
		name   string
		sets   []string
		lo, hi float64
	}{
		{"AWS offers 9 s: keepalives every 3 s", []string{"routers.aws.bgp.hold=9s"}, 6, 9},
		{"GCP offers 15 s: keepalives every 5 s", []string{"routers.gcp.bgp.hold=15s"}, 10, 15},
		{"GCP keeps to its 20 s: the last sign of life may be 20 s old", []string{"routers.gcp.bgp.keepalive_fixed=true"}, 10, 30},
	} {
		_, slow := split(failovers(t, 800, 0, tt.sets...))
		isUniform(t, tt.name, holdRests(slow, awsFIB), tt.lo, tt.hi)
	}
}

// Whoever is told need not wait: CEASE and IKE DELETE end the gap in less than
// a second, wherever the reply was.
func TestNotificationEndsTheGap(t *testing.T) {
	for _, x := range failovers(t, 500, 0, "story[0].notify=true") {
		if x.outage > time.Second || x.lost > 1 {
			t.Errorf("seed %d: %v, %d lost", x.seed, x.outage, x.lost)
		}
	}
}

// A pinned egress takes the draw away: all slow, or all instant.
func TestPinnedEgressDecidesTheGap(t *testing.T) {
	instant, slow := split(failovers(t, 300, 0, "routers.aws.egress=tun2"))
	if len(instant) > 0 {
		t.Errorf("pinned to tun2: seed %d replies over tun1", instant[0].seed)
	}
	isUniform(t, "pinned to tun2", holdRests(slow, awsFIB), 20, 30)
	instant, slow = split(failovers(t, 300, 0, "routers.aws.egress=tun1"))
	if len(slow) > 0 {
		t.Errorf("pinned to tun1: seed %d replies over tun2", slow[0].seed)
	}
	for _, x := range instant {
		if x.outage > time.Second {
			t.Errorf("pinned to tun1, seed %d: %v", x.seed, x.outage)
		}
	}
}

// Where the gateway sends is remembered: after each deletion it is on the
// tunnel that was left, and stays there when the other one is created again. So
// whatever the first deletion did, deleting that tunnel next is always slow.
func TestDeletingAgainFollowsTheEgress(t *testing.T) {
	d := mustLoad(t, "aws-gcp-repeat")
	n := network.New(d, network.Options{})
	var rests []float64
	first := 0
	for seed := range uint64(300) {
		r := n.Run(seed)
		if failoverAt(t, d, n, r, 0).replyOnDeleted {
			first++
		}
		for _, f := range []int{2, 4} {
			x := failoverAt(t, d, n, r, f)
			if !x.replyOnDeleted || x.outage < 20*time.Second {
				t.Errorf("seed %d, deletion at %v: reply on the deleted tunnel %v, outage %v", seed, time.Duration(n.FaultTime(f)), x.replyOnDeleted, x.outage)
			}
			rests = append(rests, (x.outage - awsFIB).Seconds())
		}
	}
	isHalf(t, "first deletions that hit the reply", first, 300)
	isUniform(t, "later deletions", rests, 20, 30)
}
