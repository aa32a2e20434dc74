package bgp_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
)

// manyPathsOf is a route reflector of AS 65000 whose peers are clients in its own
// AS, which it offers add-path in both directions.
func manyPathsOf(peers int) bgp.SpeakerConfig {
	cfg := speakerOf("rfc4271", slices.Repeat([]uint32{65000}, peers)...)
	for i := range cfg.Peers {
		g := cfg.Peers[i].PeerGroup
		g.Client, g.SendPaths, g.ReceivePaths = true, bgp.WithIPv4, bgp.WithIPv4
	}
	return cfg
}

// offersPaths is an OPEN with the ADD-PATH capability.
func offersPaths(send, receive bool) func(*bgp.Open) {
	return func(o *bgp.Open) {
		o.AddPath = []bgp.AddPath{{Family: bgp.IPv4Unicast, Send: send, Receive: receive}}
	}
}

// sayPath is an UPDATE about one path.
func (r *speakerRig) sayPath(p bgp.PeerID, id uint32, a *bgp.Attrs, prefix string) {
	u := &bgp.Update{Attrs: a, NLRI: prefixList(prefix), Extra: &bgp.Extra{NLRI: []uint32{id}}}
	what := fmt.Sprintf("%d announces %s path %d", p, prefix, id)
	if a == nil {
		u = &bgp.Update{Withdrawn: prefixList(prefix), Extra: &bgp.Extra{Withdrawn: []uint32{id}}}
		what = fmt.Sprintf("%d withdraws %s path %d", p, prefix, id)
	}
	r.step(what, p, updateInput(u))
}

func ids(p uint32) func(*bgp.Attrs) { return withPref(p) }

// RFC 7911 §2: "advertisement of multiple paths for the same address prefix without
// the new paths implicitly replacing any previous ones"; §5: a withdrawal is of the
// path with that identifier only. What came from a peer is not sent back to it.
func TestEveryPathIsAnnouncedAndWithdrawnByItself(t *testing.T) {
	r := newSpeakerRig(t, manyPathsOf(3))
	for p := range bgp.PeerID(3) {
		r.upWith(p, offersPaths(true, true))
	}
	r.quiet()
	r.sayPath(0, 1, pathAttrs(asPath(1), ids(200)), tenSlash8)
	r.sayPath(0, 2, pathAttrs(asPath(2)), tenSlash8)
	r.sayPath(1, 1, pathAttrs(asPath(3)), tenSlash8)
	r.sayPath(0, 1, nil, tenSlash8)
	r.want(`
	0 announces 10.0.0.0/8 path 1
	  route 10.0.0.0/8: from 0 (only path)
	  to 1: [10.0.0.0/8 path 1] path [1] via 203.0.113.9 pref 200
	  to 2: [10.0.0.0/8 path 1] path [1] via 203.0.113.9 pref 200
	0 announces 10.0.0.0/8 path 2
	  to 1: [10.0.0.0/8 path 2] path [2] via 203.0.113.9 pref 100
	  to 2: [10.0.0.0/8 path 2] path [2] via 203.0.113.9 pref 100
	1 announces 10.0.0.0/8 path 1
	  to 0: [10.0.0.0/8 path 3] path [3] via 203.0.113.9 pref 100
	  to 2: [10.0.0.0/8 path 3] path [3] via 203.0.113.9 pref 100
	0 withdraws 10.0.0.0/8 path 1
	  route 10.0.0.0/8: from 0 (lower BGP Identifier)
	  to 1: withdraw [10.0.0.0/8 path 1]
	  to 2: withdraw [10.0.0.0/8 path 1]
	`)
}

// RFC 7911 §4: a speaker that has announced that it can send and one that has
// announced that it can receive: the other direction has one path, without
// identifier, and so has a peer without the capability.
func TestPathsGoWhereTheyWereAgreedOn(t *testing.T) {
	r := newSpeakerRig(t, manyPathsOf(4))
	r.upWith(0, offersPaths(true, false))
	r.upWith(1, offersPaths(true, false))
	r.upWith(2, offersPaths(false, true))
	r.upWith(3, plainOpen)
	r.quiet()
	r.sayPath(0, 7, pathAttrs(asPath(1)), tenSlash8)
	r.announce(3, pathAttrs(asPath(3, 4)), tenSlash8)
	r.want(`
	0 announces 10.0.0.0/8 path 7
	  route 10.0.0.0/8: from 0 (only path)
	  to 0: [10.0.0.0/8] path [1] via 203.0.113.9 pref 100
	  to 1: [10.0.0.0/8] path [1] via 203.0.113.9 pref 100
	  to 2: [10.0.0.0/8 path 1] path [1] via 203.0.113.9 pref 100
	  to 3: [10.0.0.0/8] path [1] via 203.0.113.9 pref 100
	3 announces 10.0.0.0/8
	  to 2: [10.0.0.0/8 path 2] path [3 4] via 203.0.113.9 pref 100
	`)
}

// MostPaths are the best ones: a better path takes the place of the worst that was sent.
func TestNoMorePathsThanAskedFor(t *testing.T) {
	cfg := manyPathsOf(4)
	cfg.Peers[3].MostPaths = 2
	r := newSpeakerRig(t, cfg)
	r.upWith(3, offersPaths(false, true))
	for p := range bgp.PeerID(3) {
		r.upWith(p, plainOpen)
	}
	r.announce(0, pathAttrs(asPath(1, 2, 3)), tenSlash8)
	r.announce(1, pathAttrs(asPath(1, 2)), tenSlash8)
	r.quiet()
	r.announce(2, pathAttrs(asPath(1)), tenSlash8)
	var toThree []string
	for _, a := range r.s.Step(nil, 3, bgp.Input{Kind: bgp.InRefresh}) {
		toThree = append(toThree, actionText(a))
	}
	if want := []string{"to 3: [10.0.0.0/8 path 2] path [1 2] via 203.0.113.9 pref 100", "to 3: [10.0.0.0/8 path 3] path [1] via 203.0.113.9 pref 100"}; !slices.Equal(toThree, want) {
		t.Errorf("%q", toThree)
	}
}

// MRAI by path: where withdrawals are exempt, one goes out while an announcement
// about the same prefix waits, and what is taken back meanwhile is never sent.
func TestMRAIHoldsBackPathsOneByOne(t *testing.T) {
	cfg := manyPathsOf(3)
	cfg.Peers[2].MRAI = mrai30
	r := newSpeakerRig(t, cfg)
	r.upWith(2, offersPaths(false, true))
	r.upWith(0, offersPaths(true, false))
	r.upWith(1, plainOpen)
	r.sayPath(0, 1, pathAttrs(asPath(1)), tenSlash8)
	r.quiet()
	r.now = time.Second
	r.sayPath(0, 2, pathAttrs(asPath(2)), tenSlash8) // waits
	r.sayPath(0, 3, pathAttrs(asPath(3)), tenSlash8) // waits
	r.sayPath(0, 1, nil, tenSlash8)                  // goes out at once
	r.sayPath(0, 3, nil, tenSlash8)                  // was never told
	if n := r.s.Waiting(2); n != 1 {
		t.Errorf("%d changes wait", n)
	}
	r.quiet()
	r.now = 30 * time.Second
	r.timer(2)
	r.want(`
	timer of 2
	  to 2: [10.0.0.0/8 path 2] path [2] via 203.0.113.9 pref 100
	  arm timer of 2: 30s
	`)
}

// A session that ends takes all paths of the peer along, and what it was told.
func TestPathsGoWithTheSession(t *testing.T) {
	r := newSpeakerRig(t, manyPathsOf(2))
	r.upWith(0, offersPaths(true, true))
	r.upWith(1, offersPaths(true, true))
	r.sayPath(0, 1, pathAttrs(asPath(1)), tenSlash8)
	r.sayPath(0, 2, pathAttrs(asPath(2)), tenSlash8)
	r.quiet()
	r.down(0)
	r.want(`
	peer 0 down
	  route 10.0.0.0/8: none
	  to 1: withdraw [10.0.0.0/8 path 1 10.0.0.0/8 path 2]
	`)
}
