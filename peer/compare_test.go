package peer

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/bgp/live"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

func plan(t *testing.T, name, as string) *Plan {
	t.Helper()
	data, ok := scenarios.Builtin(name)
	if !ok {
		t.Fatalf("there is no scenario %s", name)
	}
	d, diags := scenarios.Load(name+".yaml", data, nil)
	if d == nil {
		t.Fatal(diags)
	}
	p, err := NewPlan(d, Flags{As: []string{as}}, live.NewSecret)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A simulated run beside simulated runs differs in nothing: what is read from a
// record does not depend on who wrote it.
func TestASimulatedRouterDoesAsSimulated(t *testing.T) {
	p := plan(t, "aws-gcp", "aws")
	log := &trace.Log{}
	n := network.New(p.Design, network.Options{Log: log})
	var runs []map[int][]done
	for seed := range uint64(20) {
		n.Run(seed)
		runs = append(runs, p.deeds(log))
	}
	found := 0
	for f := range p.Design.Story {
		for _, m := range p.moments(runs[3][f], f, runs) {
			found++
			if m.Differs || m.SeenS != nil && (*m.SeenS < *m.LeastS || *m.SeenS > *m.MostS) {
				t.Errorf("%+v", m)
			}
		}
	}
	if found < 6 {
		t.Errorf("%d moments", found)
	}
}

// What differs: what never happened in a simulation, what always did, and what was
// more than a second off.
func TestMomentsThatDiffer(t *testing.T) {
	p := plan(t, "frr-pair", "r1")
	const s = time.Second
	at := func(what string, after time.Duration) done { return done{deed{1, what}, after, ""} }
	runs := []map[int][]done{
		{0: {at("always", 10*s), at("sometimes", 1*s), at("early", 10*s), at("late", 10*s), at("just so", 10*s)}},
		{0: {at("always", 12*s), at("early", 12*s), at("late", 12*s), at("just so", 12*s)}},
	}
	seen := []done{at("never", 5*s), at("early", 9*s-1), at("late", 13*s+1), at("just so", 13*s)}
	got := map[string]string{}
	order := ""
	for _, m := range p.moments(seen, 0, runs) {
		got[m.What] = fmt.Sprintf("%v in %d", m.Differs, m.SimulatedIn)
		order += m.What + " "
	}
	for what, want := range map[string]string{"never": "true in 0", "always": "true in 2", "sometimes": "false in 1", "early": "true in 2", "late": "true in 2", "just so": "false in 2"} {
		if got[what] != want {
			t.Errorf("%s: %s, want %s", what, got[what], want)
		}
	}
	if order != "sometimes never early always just so late " {
		t.Errorf("in the order of %s", order)
	}
}

// Only the first time counts, and only until the next event.
func TestDeeds(t *testing.T) {
	p := plan(t, "frr-pair", "r1")
	session := func(at time.Duration, from, to bgp.State, why bgp.Why) trace.Note {
		return trace.Note{Kind: trace.NoteSession, At: sim.Time(at), Router: 1, Link: 0, From: uint8(from), To: uint8(to), A: int64(why)}
	}
	update := func(at time.Duration, u bgp.Update) trace.Note {
		return trace.Note{Kind: trace.NoteMessage, At: sim.Time(at), Router: 1, Link: 1, Msg: &bgp.Message{Type: bgp.MsgUpdate, Update: &u}}
	}
	nets := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("10.2.0.0/16"), netip.MustParsePrefix("10.3.0.0/16")}
	const s = time.Second
	log := &trace.Log{Notes: []trace.Note{
		session(1*s, bgp.OpenConfirm, bgp.Established, bgp.WhyKeepalive),
		{Kind: trace.NoteFault, At: sim.Time(10 * s), A: 0},
		session(13*s, bgp.Established, bgp.Idle, bgp.WhyHoldTimer),
		session(14*s, bgp.Idle, bgp.Connect, bgp.WhyIdleHold),
		session(15*s, bgp.OpenConfirm, bgp.Established, bgp.WhyKeepalive),
		session(16*s, bgp.Established, bgp.Idle, bgp.WhyTCPFailed),
		update(17*s, bgp.Update{Withdrawn: nets}),
		update(18*s, bgp.Update{}),
		{Kind: trace.NoteForwarding, At: sim.Time(19 * s), A: 0, B: 0, Up: true, Text: "passed"},
		{Kind: trace.NoteForwarding, At: sim.Time(20 * s), A: 0, B: 1, Up: false, Text: network.NotKnown},
		{Kind: trace.NoteFault, At: sim.Time(30 * s), A: 1},
	}}
	got := p.deeds(log)
	want := "[{{1 session over l1 ends} 3000000000 HoldTimer expired} {{1 session over l1 comes up} 5000000000 } {{1 withdraws routes over l2} 7000000000 10.0.0.0/16, 10.1.0.0/16, 10.2.0.0/16, and 1 more} {{-1 a -> b passes} 9000000000 }]"
	if fmt.Sprint(got[0]) != want || len(got[1]) != 0 || len(got) != 2 {
		t.Errorf("%v\nwant %s", got, want)
	}
}

// To the router, the next hop is the address that vpnsim speaks from; to the
// simulation, the router's inside address. Others are left alone.
func TestNextHopsAreTranslated(t *testing.T) {
	ip := netip.MustParseAddr
	m := &bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{NLRI: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Attrs: &bgp.Attrs{NextHop: ip("169.254.1.1"), MED: 7, HasMED: true}}}
	got := withNextHop(m, ip("169.254.1.1"), ip("192.0.2.1"))
	if a := got.Update.Attrs; a.NextHop != ip("192.0.2.1") || !a.HasMED || m.Update.Attrs.NextHop != ip("169.254.1.1") {
		t.Errorf("%+v, %+v", a, m.Update.Attrs)
	}
	for _, same := range []*bgp.Message{withNextHop(m, ip("169.254.1.2"), ip("192.0.2.1")), withNextHop(m, ip("169.254.1.1"), ip("169.254.1.1"))} {
		if same != m {
			t.Errorf("%+v", same.Update.Attrs)
		}
	}
}

// Lines of a router's own table are nobody's here, KEEPALIVEs are a detail.
func TestLinesAreWhatSomebodyWants(t *testing.T) {
	p := plan(t, "frr-pair", "r1")
	r := &runner{plan: p, log: &trace.Log{}, n: network.New(p.Design, network.Options{Outside: &network.Outside{Router: 1, Tell: func(network.ToOutside) {}}})}
	r.log.Names = r.n.Names()
	for _, c := range []struct {
		note trace.Note
		want string
	}{
		{trace.Note{Kind: trace.NoteMessage, Router: 1, Link: 0, Msg: bgp.Keepalive}, "detail"},
		{trace.Note{Kind: trace.NoteSession, Router: 0, Link: 0, From: 0, To: 1}, "detail"},
		{trace.Note{Kind: trace.NoteSession, Router: 0, Link: 0, From: 5, To: 0, A: int64(bgp.WhyHoldTimer)}, "r1: session over l1 Established -> Idle (HoldTimer expired)"},
		{trace.Note{Kind: trace.NoteRoute, Router: 1, Link: -1, Route: &bgp.Route{}}, "nothing"},
		{trace.Note{Kind: trace.NoteForwarding, Router: 1, Link: -1, B: 1, Text: network.NotKnown}, "nothing"},
		{trace.Note{Kind: trace.NoteFault, Router: -1, Link: 0, Text: "l1 goes down, seen by both ends"}, "l1 goes down, seen by both ends"},
	} {
		l, ok := r.fromNote(&c.note)
		got := l.Words
		if !ok {
			got = "nothing"
		} else if l.Detail {
			got = "detail"
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.note, got, c.want)
		}
	}
}
