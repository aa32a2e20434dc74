package bgp_test

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
)

// dampRig is a router of which peer 0, external, is damped with the numbers of
// FRR's bgp_damp.h, and peer 1, of its own AS, would be if it were external.
type dampRig struct {
	*testing.T
	s    *bgp.Speaker
	now  time.Duration
	acts []bgp.Action
}

func newDampRig(t *testing.T, suppress uint32) *dampRig {
	cfg := speakerOf("frr", 65010, 65000)
	for i := range cfg.Peers {
		cfg.Peers[i].Damping = &bgp.Damping{HalfLife: 15 * time.Minute, Suppress: suppress, Reuse: 750, Max: time.Hour}
	}
	r := &dampRig{T: t, s: bgp.NewSpeaker(cfg)}
	for p := range bgp.PeerID(2) {
		r.s.Step(nil, p, bgp.Input{Kind: bgp.InPeerUp, Open: &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, byte(p)})}})
	}
	return r
}

func (r *dampRig) at(d time.Duration, peer bgp.PeerID, in bgp.Input) {
	r.now, in.Now = d, d
	r.acts = r.s.Step(nil, peer, in)
}

func (r *dampRig) announce(d time.Duration, peer bgp.PeerID, med uint32) {
	a := pathAttrs(asPath(65010), withMED(med))
	r.at(d, peer, updateInput(&bgp.Update{Attrs: a, NLRI: prefixList(tenSlash8)}))
}

func (r *dampRig) withdraw(d time.Duration, peer bgp.PeerID) {
	r.at(d, peer, updateInput(&bgp.Update{Withdrawn: prefixList(tenSlash8)}))
}

func (r *dampRig) used() bool { return r.s.Route(prefixList(tenSlash8)[0]) != nil }

// reuse is what the last step set the timer for.
func (r *dampRig) reuse() (time.Duration, bool) {
	for _, a := range r.acts {
		if a.Kind == bgp.ActReuseTime {
			return a.After, true
		}
	}
	return 0, false
}

// Three withdrawals within two minutes: 1000, 955+1000, 1867+1000; the third
// passes 2000, and the route is used again when 2867 has halved down to 750.
func TestAFlappingRouteIsSuppressed(t *testing.T) {
	r := newDampRig(t, 2000)
	for i := range 3 {
		at := time.Duration(i) * time.Minute
		r.announce(at, 0, 0)
		if !r.used() {
			t.Fatalf("suppressed after %d withdrawals", i)
		}
		r.withdraw(at+50*time.Second, 0)
	}
	merit := 1000 * (1 + math.Exp2(-1.0/15) + math.Exp2(-2.0/15))
	want := 15 * 60 * math.Log2(merit/750)
	after, ok := r.reuse()
	if !ok || math.Abs(after.Seconds()-want) > 0.1 {
		t.Errorf("reuse after %v, want %.1f s", after, want)
	}
	r.announce(3*time.Minute, 0, 0)
	if r.used() {
		t.Error("used although it is suppressed")
	}
	if vs := r.s.Explain(prefixList(tenSlash8)[0]); len(vs) != 1 || vs[0].Rule != bgp.RuleDamped {
		t.Errorf("explained as %+v", vs)
	}
	end := 2*time.Minute + 50*time.Second + after
	r.at(end-time.Second, bgp.Local, bgp.Input{Kind: bgp.InReuseTime})
	r.at(end-time.Second, 0, bgp.Input{Kind: bgp.InReuseTime})
	if r.used() {
		t.Error("used a second too early")
	}
	if again, ok := r.reuse(); !ok || again > time.Second {
		t.Errorf("a timer that came early is set again for %v", again)
	}
	r.at(end, 0, bgp.Input{Kind: bgp.InReuseTime})
	if !r.used() {
		t.Error("not used when its time was over")
	}
}

// RFC 7196 §6 asks for a suppress threshold that a single failure's path
// exploration does not reach: no less than 6,000.
func TestRFC7196DampsNoSingleFailure(t *testing.T) {
	r := newDampRig(t, 6000)
	for i := range uint32(8) { // eight changes of the path within a second
		r.announce(time.Duration(i)*100*time.Millisecond, 0, i)
	}
	r.withdraw(time.Second, 0)
	r.announce(2*time.Second, 0, 9)
	if !r.used() {
		t.Error("suppressed")
	}
}

// A change of attributes costs half as much; the end of a session, and what an
// internal peer says, nothing.
func TestWhatIsAFlap(t *testing.T) {
	r := newDampRig(t, 2000)
	for i := range uint32(4) { // the first is no change: 1,500
		r.announce(0, 0, i)
	}
	if !r.used() {
		t.Error("suppressed by three changes of attributes")
	}
	r.announce(0, 0, 4)
	if r.used() {
		t.Error("not suppressed by four")
	}

	r = newDampRig(t, 2000)
	for range 5 {
		r.announce(0, 0, 0)
		r.at(0, 0, bgp.Input{Kind: bgp.InPeerDown})
		r.at(0, 0, bgp.Input{Kind: bgp.InPeerUp, Open: &bgp.Open{ID: netip.MustParseAddr("9.9.9.1")}})
	}
	r.announce(0, 0, 0)
	if !r.used() {
		t.Error("suppressed because of its session")
	}

	r = newDampRig(t, 2000)
	for range 5 {
		r.announce(0, 1, 0)
		r.withdraw(0, 1)
	}
	r.announce(0, 1, 0)
	if !r.used() {
		t.Error("an internal peer's route was suppressed")
	}
}

// The figure of merit has a ceiling, so that no route is suppressed for longer
// than Max after its last flap.
func TestSuppressionEnds(t *testing.T) {
	r := newDampRig(t, 2000)
	for range 500 {
		r.announce(0, 0, 0)
		r.withdraw(0, 0)
	}
	after, ok := r.reuse()
	if !ok {
		// The timer is only set again when it changes: at the ceiling it does not.
		r.at(0, 0, bgp.Input{Kind: bgp.InReuseTime})
		after, ok = r.reuse()
	}
	if !ok || after > time.Hour || after < 59*time.Minute {
		t.Errorf("reuse after %v, %v", after, ok)
	}
}

// RFC 4271 §9.1.2.1: a route whose NEXT_HOP is not resolvable "MUST be excluded
// from the Phase 2 decision function", and comes back when it is.
func TestUnresolvableNextHops(t *testing.T) {
	r := newSpeakerRig(t, speakerOf("frr", 65010, 65010))
	r.up(0, 1)
	r.announce(0, pathAttrs(asPath(65010)), tenSlash8)
	r.announce(1, pathAttrs(asPath(65010, 65020)), tenSlash8)
	r.quiet()
	r.step("gone", 0, bgp.Input{Kind: bgp.InNextHop})
	r.step("said again", 0, bgp.Input{Kind: bgp.InNextHop})
	r.announce(0, pathAttrs(asPath(65010), withMED(7)), tenSlash8)
	r.step("back", 0, bgp.Input{Kind: bgp.InNextHop, Reachable: true})
	r.want(`gone
		  route 10.0.0.0/8: from 1 (only path)
		  to 0: [10.0.0.0/8] path [65000 65010 65020] via 10.0.0.1
		  to 1: [10.0.0.0/8] path [65000 65010 65020] via 10.0.1.1
		said again
		0 announces 10.0.0.0/8
		back
		  route 10.0.0.0/8: from 0 (shorter AS_PATH)
		  to 0: [10.0.0.0/8] path [65000 65010] via 10.0.0.1
		  to 1: [10.0.0.0/8] path [65000 65010] via 10.0.1.1`)
}
