package network_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bfd"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/topology"
	"github.com/vpnsim/vpnsim/trace"
)

// watched is the pair with BFD on both tunnels, 300 ms x 3, and a story.
func watched(t testing.TB, story string, sets ...string) *topology.Design {
	t.Helper()
	sets = append([]string{"routers.a.bfd.enabled=true", "routers.b.bfd.enabled=true"}, sets...)
	return mustParse(t, pair+"story:\n"+story, sets...)
}

// happened is what a recorded run has to tell of a kind of note at a router.
type happened struct {
	at   time.Duration
	text string
}

// record runs a design and lists the changes of BFD and BGP sessions over t1, by router.
func record(t testing.TB, d *topology.Design, seed uint64) (map[string][]happened, *network.Network, *network.Result) {
	t.Helper()
	log := &trace.Log{}
	n := network.New(d, network.Options{Log: log})
	res := n.Run(seed)
	out := map[string][]happened{}
	for _, x := range log.Notes {
		if x.Link != 0 || x.At < 0 {
			continue
		}
		who := ""
		if x.Router >= 0 {
			who = d.Routers[x.Router].Name
		}
		switch x.Kind {
		case trace.NoteBFD:
			text := fmt.Sprintf("%v %v", bfd.State(x.To), bfd.Diag(x.A))
			if x.Text != "" {
				text = x.Text
			}
			out["bfd "+who] = append(out["bfd "+who], happened{time.Duration(x.At), text})
		case trace.NoteSession:
			out["bgp "+who] = append(out["bgp "+who], happened{time.Duration(x.At), fmt.Sprintf("%v %v", bgp.State(x.To), bgp.Why(x.A))})
		}
	}
	return out, n, res
}

// first is the first of a list; its text says so when there is none.
func first(list []happened) happened {
	if len(list) == 0 {
		return happened{0, "nothing"}
	}
	return list[0]
}

// RFC 5880 §6.8.4: three intervals of 300 ms from the last packet, which is up to
// one jittered interval old when the path is cut. The session ends at once, "BFD
// down", and so the outage is that and the programming of the forwarding table.
func TestBFDNoticesASilentCut(t *testing.T) {
	d := watched(t, "  - {at: \"uniform(50s, 55s)\", blackhole: t1, for: 60s}\n")
	least, most := time.Hour, time.Duration(0)
	for seed := range uint64(100) {
		got, n, res := record(t, d, seed)
		cut := time.Duration(n.FaultTime(0))
		for _, r := range []string{"a", "b"} {
			down := first(got["bfd "+r])
			after := down.at - cut
			if down.text != "Down Control Detection Time Expired" || after <= 600*time.Millisecond || after > 905*time.Millisecond {
				t.Errorf("seed %d: BFD at %s: %s after %v", seed, r, down.text, after)
			}
			if end := first(got["bgp "+r]); end.text != "Idle BFD down" || end.at != down.at {
				t.Errorf("seed %d: BGP at %s: %s at %v; BFD at %v", seed, r, end.text, end.at, down.at)
			}
			least, most = min(least, after), max(most, after)
		}
		o := res.Probes[0].Outages
		later := max(first(got["bfd a"]).at, first(got["bfd b"]).at)
		if len(o) != 1 || o[0].End.Sub(n.FaultTime(0)) != later-cut+10*time.Millisecond {
			t.Errorf("seed %d: %v, the later end noticed at %v", seed, o, later)
		}
	}
	if least > 640*time.Millisecond || most < 860*time.Millisecond {
		t.Errorf("noticed after %v to %v: where is the rest of 0.6 to 0.9 s?", least, most)
	}
}

// The end that hears nothing detects; the other one, whose packets are lost, is
// told in the next packet, 5 ms away, and "Neighbor Signaled Session Down" is why.
func TestBFDOneWayHole(t *testing.T) {
	for _, deaf := range []string{"a", "b"} {
		other := map[string]string{"a": "b", "b": "a"}[deaf]
		d := watched(t, "  - {at: 50s, blackhole: t1, direction: to "+deaf+", for: 20s}\n")
		for seed := range uint64(20) {
			got, _, _ := record(t, d, seed)
			down, told := first(got["bfd "+deaf]), first(got["bfd "+other])
			if after := down.at - 50*time.Second; down.text != "Down Control Detection Time Expired" || after <= 600*time.Millisecond || after > 905*time.Millisecond {
				t.Errorf("%s hears nothing: %s after %v", deaf, down.text, after)
			}
			if told.text != "Down Neighbor Signaled Session Down" || told.at != down.at+5*time.Millisecond {
				t.Errorf("%s: %s at %v, %s noticed at %v", other, told.text, told.at, deaf, down.at)
			}
			if end := first(got["bgp "+other]); end.text != "Idle BFD down" || end.at != told.at {
				t.Errorf("BGP at %s: %s at %v", other, end.text, end.at)
			}
		}
	}
}

// When the path is whole again BFD comes up within a second or so, and BGP after
// its own timers.
func TestBFDComesBack(t *testing.T) {
	d := watched(t, "  - {at: 50s, blackhole: t1, for: 20s}\n")
	for seed := range uint64(20) {
		got, n, _ := record(t, d, seed)
		for _, r := range []string{"a", "b"} {
			list := got["bfd "+r]
			last := list[len(list)-1]
			if after := last.at - 70*time.Second; last.text != "Up No Diagnostic" || after < 0 || after > 1050*time.Millisecond {
				t.Errorf("seed %d: BFD at %s: %s %v after the hole healed", seed, r, last.text, after)
			}
		}
		for e := range 2 {
			s, ok := n.BFD(0, e)
			if !ok || s.State != bfd.Up || s.TxEvery != 300*time.Millisecond || s.Detection() != 900*time.Millisecond {
				t.Errorf("seed %d, end %d: %+v", seed, e, s)
			}
			if state, _, _, _ := n.Session(0, e); state != bgp.Established {
				t.Errorf("seed %d, end %d: BGP is %v", seed, e, state)
			}
		}
	}
}

// A link that goes down stops BFD's packets like a hole; whoever does not look at
// his interfaces (no fast fallover) learns it from BFD.
func TestBFDOverADeadLink(t *testing.T) {
	text := strings.NewReplacer("tunnels:", "links:", "outside: 198.51.100.1, ", "", "outside: 203.0.113.1, ", "", "outside: 198.51.100.2, ", "", "outside: 203.0.113.2, ", "").Replace(pair)
	d := mustParse(t, text+"story:\n  - {at: 50s, down: t1, for: 20s}\n", "routers.a.bfd.enabled=true", "routers.b.bfd.enabled=true", "routers.b.bgp.fast_fallover=true")
	got, _, _ := record(t, d, 1)
	if end := first(got["bgp a"]); end.text != "Idle BFD down" || end.at > 50905*time.Millisecond {
		t.Errorf("without fast fallover: %s at %v", end.text, end.at)
	}
	if end := first(got["bgp b"]); end.text != "Idle link down" || end.at != 50*time.Second {
		t.Errorf("with fast fallover: %s at %v", end.text, end.at)
	}
}

// A process that hangs takes BFD with it, so that the neighbour notices in less
// than a second; where BFD is another process or thread (RFC 5880 §4.1, the C
// bit), it goes on, and the neighbour waits for its hold timer.
func TestBFDAndAProcessThatHangs(t *testing.T) {
	story := "  - {at: 50s, freeze: b, for: 30s}\n"
	got, _, _ := record(t, watched(t, story), 1)
	if end := first(got["bgp a"]); end.text != "Idle BFD down" || end.at <= 50600*time.Millisecond || end.at > 50905*time.Millisecond {
		t.Errorf("BFD shares the fate of the process: %s at %v", end.text, end.at)
	}
	// It goes on: it reads that its neighbour is down before it looks at its own timers.
	if back := first(got["bfd b"]); back.text != "Down Neighbor Signaled Session Down" || back.at != 80*time.Second {
		t.Errorf("and b, when it goes on: %s at %v", back.text, back.at)
	}
	got, _, _ = record(t, watched(t, story, "routers.b.bfd.independent=true"), 1)
	if end := first(got["bgp a"]); end.text != "Idle HoldTimer expired" || end.at <= 56*time.Second || end.at > 59*time.Second+10*time.Millisecond {
		t.Errorf("BFD is independent: %s at %v", end.text, end.at)
	}
	if len(got["bfd a"])+len(got["bfd b"]) > 0 {
		t.Errorf("an independent BFD noticed: %v, %v", got["bfd a"], got["bfd b"])
	}
}

// A process that dies is gone without a word from BFD; its connections are reset,
// which is faster. Both come back when it starts again, with another discriminator.
func TestBFDAndAProcessThatDies(t *testing.T) {
	got, n, _ := record(t, watched(t, "  - {at: 50s, kill: b, for: 20s}\n"), 1)
	if end := first(got["bgp a"]); end.text != "Idle TCP connection failed" || end.at != 50005*time.Millisecond {
		t.Errorf("BGP at a: %s at %v", end.text, end.at)
	}
	if down := first(got["bfd a"]); down.text != "Down Control Detection Time Expired" || down.at > 50905*time.Millisecond {
		t.Errorf("BFD at a: %s at %v", down.text, down.at)
	}
	if gone := first(got["bfd b"]); gone.text != "the process was killed" || gone.at != 50*time.Second {
		t.Errorf("BFD at b: %s at %v", gone.text, gone.at)
	}
	for e := range 2 {
		if s, _ := n.BFD(0, e); s.State != bfd.Up {
			t.Errorf("end %d is %v in the end", e, s.State)
		}
	}
}

// RFC 5882 §3.2: "a system SHOULD NOT indicate a connectivity failure to a client if
// either the local session state or the remote session state (if known)
// transitions to AdminDown". BGP is ended by the CEASE.
func TestBFDIsShutWithTheSession(t *testing.T) {
	got, n, _ := record(t, watched(t, "  - {at: 50s, shut: t1, by: b, for: 20s}\n"), 1)
	for who, want := range map[string]string{
		"bfd b": "AdminDown Administratively Down", "bfd a": "Down Neighbor Signaled Session Down",
		"bgp b": "Idle administrative stop", "bgp a": "Idle NOTIFICATION received",
	} {
		if x := first(got[who]); x.text != want || x.at < 50*time.Second || x.at > 50005*time.Millisecond {
			t.Errorf("%s: %s at %v", who, x.text, x.at)
		}
	}
	for e := range 2 {
		if s, _ := n.BFD(0, e); s.State != bfd.Up {
			t.Errorf("end %d is %v after it was started again", e, s.State)
		}
		if state, _, _, _ := n.Session(0, e); state != bgp.Established {
			t.Errorf("end %d: BGP is %v", e, state)
		}
	}
}

// BFD runs where both ends have it, and only there.
func TestBFDNeedsBothEnds(t *testing.T) {
	for _, sets := range [][]string{nil, {"routers.a.bfd.enabled=true"}, {"routers.a.bfd.enabled=true", "tunnels.t1.b.bfd.enabled=true"}} {
		n := network.New(mustParse(t, pair, sets...), network.Options{})
		n.Run(1)
		for link := range 2 {
			if _, ok := n.BFD(link, 0); ok != (len(sets) == 2 && link == 0) {
				t.Errorf("%v: BFD over %d is %v", sets, link, ok)
			}
		}
	}
}

// What the two ends want is negotiated for each direction by itself. RFC 5880 §6.8.2
func TestBFDNegotiates(t *testing.T) {
	d := watched(t, "  - {at: 50s, blackhole: t1, for: 20s}\n",
		"routers.a.bfd.min_tx=100ms", "routers.a.bfd.min_rx=10ms", "routers.a.bfd.multiplier=5", "routers.b.bfd.min_rx=250ms", "routers.b.bfd.min_tx=400ms", "routers.b.bfd.multiplier=2")
	n := network.New(d, network.Options{})
	n.RunTo(1, at(49))
	a, _ := n.BFD(0, 0)
	b, _ := n.BFD(0, 1)
	if a.TxEvery != 250*time.Millisecond || b.TxEvery != 400*time.Millisecond || a.Detection() != 800*time.Millisecond || b.Detection() != 1250*time.Millisecond {
		t.Errorf("a sends every %v and waits %v; b %v and %v", a.TxEvery, a.Detection(), b.TxEvery, b.Detection())
	}
	for seed := range uint64(30) {
		got, _, _ := record(t, d, seed)
		// a hears the last packet up to 400 ms before the cut; b is told by a, if
		// its own 1.25 s are not over.
		down := first(got["bfd a"])
		if after := down.at - 50*time.Second; after <= 400*time.Millisecond || after > 805*time.Millisecond {
			t.Errorf("seed %d: a: %s after %v", seed, down.text, after)
		}
		if down := first(got["bfd b"]); down.at-50*time.Second <= time.Second || down.at-50*time.Second > 1255*time.Millisecond {
			t.Errorf("seed %d: b: %s at %v", seed, down.text, down.at)
		}
	}
}

// draft-ietf-idr-bgp-bfd-strict-mode: with both ends asking for it the session is
// not established while BFD cannot come up (here, because both ends wait for the
// other's first packet), and one hold time after the OPENs it is given up; without
// it, BGP comes up and nobody watches.
func TestBFDStrictMode(t *testing.T) {
	both := []string{"tunnels.t1.a.bfd.passive=true", "tunnels.t1.b.bfd.passive=true"}
	up := func(sets ...string) bool {
		n := network.New(watched(t, "  - {at: 190s, heal: t2}\n", append(both, sets...)...), network.Options{})
		n.Run(1)
		state, _, _, _ := n.Session(0, 0)
		other, _, _, _ := n.Session(1, 0)
		if other != bgp.Established {
			t.Errorf("%v: the session over t2 is %v", sets, other)
		}
		return state == bgp.Established
	}
	if !up() {
		t.Error("without strict mode BGP does not come up")
	}
	if !up("routers.a.bfd.strict=true") {
		t.Error("strict mode of one end only keeps BGP down")
	}
	if up("routers.a.bfd.strict=true", "routers.b.bfd.strict=true") {
		t.Error("BGP is established although BFD is down")
	}
	got, _, _ := record(t, watched(t, "  - {at: 190s, heal: t2}\n", append(both, "routers.a.bfd.strict=true", "routers.b.bfd.strict=true")...), 1)
	var why []string
	for _, x := range got["bgp a"] {
		why = append(why, x.text)
	}
	if s := strings.Join(why, ", "); !strings.Contains(s, "OpenSent TCP connection established, Idle HoldTimer expired") && !strings.Contains(s, "OpenSent TCP connection established, Idle NOTIFICATION received") {
		t.Errorf("it goes %s", s)
	}
	// Without a hold time the draft's BfdHoldTimer ends the wait, with a Cease.
	got, _, _ = record(t, watched(t, "  - {at: 190s, heal: t2}\n", append(both, "routers.a.bfd.strict=true", "routers.b.bfd.strict=true", "routers.a.bgp.hold=0s", "routers.a.bfd.strict_hold=5s")...), 1)
	if s := fmt.Sprint(got["bgp a"]); !strings.Contains(s, "Idle BFD down") {
		t.Errorf("without a hold time: %s", s)
	}
}

// In strict mode a session comes back only after BFD has.
func TestBFDStrictModeWaits(t *testing.T) {
	d := watched(t, "  - {at: 50s, blackhole: t1, for: 20s}\n", "routers.a.bfd.strict=true", "routers.b.bfd.strict=true")
	for seed := range uint64(20) {
		got, _, _ := record(t, d, seed)
		for _, r := range []string{"a", "b"} {
			up, established := happened{}, happened{}
			for _, x := range got["bfd "+r] {
				if strings.HasPrefix(x.text, "Up") {
					up = x
				}
			}
			for _, x := range got["bgp "+r] {
				if strings.HasPrefix(x.text, "Established") {
					established = x
				}
			}
			if up.at == 0 || established.at < up.at {
				t.Errorf("seed %d, %s: BFD up at %v, BGP at %v", seed, r, up.at, established.at)
			}
		}
	}
}

// Loss by chance: BFD's packets are lost with the link's probability, each by a draw
// of its own instant, so that nobody else's fate changes.
func TestBFDTakesNoDrawFromOthers(t *testing.T) {
	text := strings.Replace(pair, "rtt: 10ms\n  t2", "rtt: 10ms\n    loss: 0.1\n  t2", 1)
	lost := func(sets ...string) string {
		n := network.New(mustParse(t, text, sets...), network.Options{})
		res := n.Run(3)
		s := ""
		for _, rtt := range res.Probes[0].RTT[:500] {
			s += map[bool]string{true: "x", false: "."}[rtt == 0]
		}
		return s
	}
	// A multiplier of 50 keeps BFD up whatever is lost.
	off, on := lost(), lost("routers.a.bfd.enabled=true", "routers.b.bfd.enabled=true", "routers.a.bfd.multiplier=50", "routers.b.bfd.multiplier=50")
	if off != on || strings.Count(on, "x") < 50 {
		t.Errorf("without BFD\n%s\nwith\n%s", off, on)
	}
	// And it does come down by chance when three in a row are lost: every 1,000 packets or so.
	d := mustParse(t, strings.Replace(text, "for: 200s", "for: 2000s", 1), "routers.a.bfd.enabled=true", "routers.b.bfd.enabled=true")
	got, _, _ := record(t, d, 1)
	flaps := 0
	for _, x := range got["bfd a"] {
		if x.text == "Down Control Detection Time Expired" {
			flaps++
		}
	}
	// 2000 s hold 7,619 packets; three in a row are lost at 0.9·0.001 of them: 6.9 ± 2.6.
	if flaps < 1 || flaps > 16 {
		t.Errorf("%d times down for three lost packets in a row", flaps)
	}
}

// BFD that goes on quietly keeps nobody from seeing that routing repeats.
func TestRoutingThatRepeatsUnderBFD(t *testing.T) {
	var sets []string
	for _, r := range mustLoad(t, "bad-gadget").Routers {
		sets = append(sets, "routers."+r.Name+".bfd.enabled=true", "routers."+r.Name+".bgp.mrai_jitter=1")
	}
	n := network.New(mustLoad(t, "bad-gadget", sets...), network.Options{Convergence: true})
	if end := n.Run(1).Ending; end.State != network.Repeats {
		t.Errorf("%+v", end)
	}
}
