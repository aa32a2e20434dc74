package topology

import (
	"net/netip"
	"testing"
)

func TestBlock(t *testing.T) {
	block := func(p string, count, length int) *Network {
		return &Network{Prefix: netip.MustParsePrefix(p), Count: count, Length: length}
	}
	for _, c := range []struct {
		n    *Network
		i    int
		want string
	}{
		{block("20.0.0.0/8", 100000, 24), 0, "20.0.0.0/24"},
		{block("20.0.0.0/8", 100000, 24), 257, "20.1.1.0/24"},
		{block("20.0.0.0/8", 65536, 24), 65535, "20.255.255.0/24"},
		{block("20.0.0.0/8", 100000, 25), 100000 - 1, "20.195.79.128/25"},
		{block("10.0.0.0/30", 4, 32), 3, "10.0.0.3/32"},
		{block("0.0.0.0/0", 256, 8), 200, "200.0.0.0/8"},
		{block("0.0.0.0/0", 4, 2), 3, "192.0.0.0/2"},
		{block("2001:db8::/32", 65536, 48), 0x1234, "2001:db8:1234::/48"},
		{block("10.1.0.0/16", 0, 0), 0, "10.1.0.0/16"},
	} {
		if got := c.n.At(c.i); got.String() != c.want || got != got.Masked() {
			t.Errorf("number %d of %v is %v, want %s", c.i, c.n, got, c.want)
		}
		if !c.n.Has(c.n.At(c.i)) {
			t.Errorf("%v does not have its own number %d", c.n, c.i)
		}
	}
	n := block("20.0.0.0/8", 300, 24)
	for addr, want := range map[string]bool{"20.0.0.1": true, "20.1.43.9": true, "20.1.44.9": false, "21.0.0.1": false} {
		if p, ok := n.Holding(netip.MustParseAddr(addr)); ok != want || ok && (p.Bits() != 24 || !p.Contains(netip.MustParseAddr(addr))) {
			t.Errorf("%s lies in %v: %v", addr, p, ok)
		}
	}
	if n.Has(netip.MustParsePrefix("20.0.0.0/8")) || n.Len() != 300 {
		t.Error("a block is not its room")
	}
}
