package bgp_test

import (
	"net/netip"
	"testing"

	"github.com/vpnsim/vpnsim/bgp"
)

// What a redundant pair costs in one replication: two sessions come up, both
// learn a route, one goes down.
func BenchmarkSpeakerFailover(b *testing.B) {
	cfg := speakerOf("aws-vgw", 65000+1, 65000+1)
	cfg.Order = []bgp.PeerID{1, 0}
	s := bgp.NewSpeaker(cfg)
	in := updateInput(&bgp.Update{Attrs: pathAttrs(asPath(65001), withMED(100)), NLRI: prefixList("10.1.0.0/16")})
	open := &bgp.Open{ID: netip.MustParseAddr("9.9.9.9")}
	acts := make([]bgp.Action, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		s.Reset(cfg)
		acts = s.Step(acts[:0], bgp.Local, bgp.Input{Kind: bgp.InOriginate, Prefix: prefixList2})
		for p := range bgp.PeerID(2) {
			acts = s.Step(acts[:0], p, bgp.Input{Kind: bgp.InPeerUp, Open: open})
			acts = s.Step(acts[:0], p, in)
		}
		acts = s.Step(acts[:0], bgp.Local, bgp.Input{Kind: bgp.InSettle})
		acts = s.Step(acts[:0], 1, bgp.Input{Kind: bgp.InPeerDown})
	}
}

// One prefix of a table of 100,000 changes: the others cost nothing.
func BenchmarkSpeakerChangeIn100kPrefixes(b *testing.B) {
	s := bgp.NewSpeaker(speakerOf("rfc4271", 64512, 64513))
	var acts []bgp.Action
	for p := range bgp.PeerID(2) {
		acts = s.Step(acts[:0], p, bgp.Input{Kind: bgp.InPeerUp})
	}
	attrs := []*bgp.Attrs{pathAttrs(asPath(64512, 1)), pathAttrs(asPath(64512, 2))}
	at := func(i int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(10 + i>>16), byte(i >> 8), byte(i), 0}), 24)
	}
	for i := range 100_000 {
		acts = s.Step(acts[:0], 0, updateInput(&bgp.Update{Attrs: attrs[0], NLRI: []netip.Prefix{at(i)}}))
	}
	inputs := make([]bgp.Input, 200_000)
	for i := range inputs {
		inputs[i] = updateInput(&bgp.Update{Attrs: attrs[1-i/100_000%2], NLRI: []netip.Prefix{at(i % 100_000)}})
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		acts = s.Step(acts[:0], 0, inputs[n%len(inputs)])
		n++
	}
}

// A peer comes up at a router with 100,000 prefixes.
func BenchmarkSpeakerInitialDump100k(b *testing.B) {
	s := bgp.NewSpeaker(speakerOf("rfc4271", 64512, 64513))
	acts := s.Step(nil, 0, bgp.Input{Kind: bgp.InPeerUp})
	for i := range 100_000 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(10 + i>>16), byte(i >> 8), byte(i), 0}), 24)
		acts = s.Step(acts[:0], 0, updateInput(&bgp.Update{Attrs: pathAttrs(asPath(64512, uint32(i%1000))), NLRI: []netip.Prefix{p}}))
	}
	b.ReportAllocs()
	for b.Loop() {
		acts = s.Step(acts[:0], 1, bgp.Input{Kind: bgp.InPeerUp})
		acts = s.Step(acts[:0], 1, bgp.Input{Kind: bgp.InPeerDown})
	}
}
