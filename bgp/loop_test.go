package bgp_test

import "testing"

// loopRig has peers of AS 1 (who announces), AS 2 (who announces, too) and AS 3, to whom
// nothing goes that has AS 3 in its path.
func loopRig(t *testing.T, unsaid bool) *speakerRig {
	cfg := speakerOf("rfc4271", 1, 2, 3)
	for i := range cfg.Peers {
		cfg.Peers[i].NoEcho = true
	}
	cfg.Peers[2].SenderSideLoop, cfg.Peers[2].LoopUnsaid = true, unsaid
	r := newSpeakerRig(t, cfg)
	r.up(0, 1, 2)
	r.announce(0, pathAttrs(asPath(1)), tenSlash8)
	r.announce(1, pathAttrs(asPath(2, 3, 1)), tenSlash8)
	r.quiet()
	return r
}

// RFC 4271 §9.1.3: "If a route in Loc-RIB is excluded from a particular Adj-RIB-Out,
// the previously advertised route in that Adj-RIB-Out MUST be withdrawn from service".
func TestSenderSideLoopWithdraws(t *testing.T) {
	r := loopRig(t, false)
	r.withdraw(0, tenSlash8)
	r.want(`
	0 withdraws 10.0.0.0/8
	  route 10.0.0.0/8: from 1 (only path)
	  to 0: [10.0.0.0/8] path [65000 2 3 1] via 10.0.0.1
	  to 1: withdraw [10.0.0.0/8]
	  to 2: withdraw [10.0.0.0/8]
	`)
}

// What GoBGP does instead (pkg/server/server.go, filterpath): it says nothing, and not even
// when that path has gone, too. The next route that the peer may have ends it.
func TestLoopUnsaid(t *testing.T) {
	r := loopRig(t, true)
	r.withdraw(0, tenSlash8)
	r.withdraw(1, tenSlash8)
	r.want(`
	0 withdraws 10.0.0.0/8
	  route 10.0.0.0/8: from 1 (only path)
	  to 0: [10.0.0.0/8] path [65000 2 3 1] via 10.0.0.1
	  to 1: withdraw [10.0.0.0/8]
	1 withdraws 10.0.0.0/8
	  route 10.0.0.0/8: none
	  to 0: withdraw [10.0.0.0/8]
	`)
	if got := attrsText(r.s.Advertised(2, prefixList(tenSlash8)[0])); got != "path [65000 1] via 10.0.2.1" {
		t.Errorf("the peer knows %s", got)
	}
	r.announce(2, pathAttrs(asPath(3, 9)), tenSlash8) // the peer's own, after one that was not said
	r.withdraw(2, tenSlash8)
	r.announce(1, pathAttrs(asPath(2, 4)), tenSlash8)
	r.withdraw(1, tenSlash8)
	r.want(`
	2 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 2 (only path)
	  to 0: [10.0.0.0/8] path [65000 3 9] via 10.0.0.1
	  to 1: [10.0.0.0/8] path [65000 3 9] via 10.0.1.1
	2 withdraws 10.0.0.0/8
	  route 10.0.0.0/8: none
	  to 0: withdraw [10.0.0.0/8]
	  to 1: withdraw [10.0.0.0/8]
	1 announces 10.0.0.0/8
	  route 10.0.0.0/8: from 1 (only path)
	  to 0: [10.0.0.0/8] path [65000 2 4] via 10.0.0.1
	  to 2: [10.0.0.0/8] path [65000 2 4] via 10.0.2.1
	1 withdraws 10.0.0.0/8
	  route 10.0.0.0/8: none
	  to 0: withdraw [10.0.0.0/8]
	  to 2: withdraw [10.0.0.0/8]
	`)
}

// A path of the peer's own takes the place of one that it was told: that it is told,
// in GoBGP, too.
func TestLoopUnsaidIsNotAboutThePeersOwnPath(t *testing.T) {
	r := loopRig(t, true)
	r.withdraw(1, tenSlash8)
	r.announce(2, pathAttrs(asPath(3)), tenSlash8)
	r.quiet()
	r.withdraw(0, tenSlash8)
	r.want(`
	0 withdraws 10.0.0.0/8
	  route 10.0.0.0/8: from 2 (only path)
	  to 0: [10.0.0.0/8] path [65000 3] via 10.0.0.1
	  to 1: [10.0.0.0/8] path [65000 3] via 10.0.1.1
	  to 2: withdraw [10.0.0.0/8]
	`)
}
