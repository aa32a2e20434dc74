//go:build linux

package lab

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// The age of the last KEEPALIVE at a random moment, from intervals that are drawn, beside
// ageAt.
func TestAgesAreThoseThatChanceWouldHaveGiven(t *testing.T) {
	for _, least := range []float64{1, 0.75} {
		r := rand.New(rand.NewPCG(1, 2))
		var ages []float64
		for len(ages) < 200_000 {
			interval := least + (1-least)*r.Float64()
			if r.Float64() < interval { // a moment meets long intervals more often
				ages = append(ages, interval*r.Float64())
			}
		}
		slices.Sort(ages)
		for _, u := range []float64{0.01, 0.25, 0.5, 0.8, 0.9, 0.99} {
			if got, want := ageAt(u, least), ages[int(u*float64(len(ages)))]; math.Abs(got-want) > 0.005 {
				t.Errorf("least %v: a share of %v is not older than %.4f, want %.4f", least, u, got, want)
			}
		}
	}
}

func TestAKeepaliveIsKnownByItsLength(t *testing.T) {
	packet := func(payload int, port layers.TCPPort, ip gopacket.SerializableLayer, network gopacket.NetworkLayer) []byte {
		tcp := &layers.TCP{SrcPort: port, DstPort: 40000, ACK: true, PSH: true}
		tcp.SetNetworkLayerForChecksum(network)
		b := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, tcp, gopacket.Payload(make([]byte, payload))); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	v4 := &layers.IPv4{Version: 4, TTL: 1, Protocol: layers.IPProtocolTCP, SrcIP: []byte{10, 0, 0, 1}, DstIP: []byte{10, 0, 0, 2}}
	v6 := &layers.IPv6{Version: 6, HopLimit: 1, NextHeader: layers.IPProtocolTCP, SrcIP: make([]byte, 16), DstIP: make([]byte, 16)}
	for _, c := range []struct {
		packet []byte
		heard  bool
	}{
		{packet(19, 179, v4, v4), true},
		{packet(19, 179, v6, v6), true},
		{packet(0, 179, v4, v4), false},
		{packet(23, 179, v4, v4), false},
		{packet(19, 80, v4, v4), false},
		{packet(19, 179, v4, v4)[:45], false},
		{nil, false},
	} {
		var k keepaliveClock
		if k.hear(c.packet); (k.at.Load() != 0) != c.heard {
			t.Errorf("%x: heard %v", c.packet, !c.heard)
		}
	}
}
