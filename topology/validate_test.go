package topology

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Messages about designs that come from YAML are in scenarios/testdata/bad.
// Here are the designs that no YAML can make: half-built and nonsensical ones,
// as an importer or a generator with a mistake in it would build them.

// square is four routers in a ring, a-b-c-d-a.
func square() *Design {
	d := &Design{File: "square", For: time.Minute}
	for i, name := range []string{"a", "b", "c", "d"} {
		r := Router{Name: name, ASN: 65001 + uint32(i), ID: netip.AddrFrom4([4]byte{1, 1, 1, byte(i + 1)})}
		r.Networks = []Network{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16)}}
		for k := range r.Settings {
			info := Key(k).Info()
			r.Settings[k].Int = info.Min
			if info.Type == TypeDuration {
				r.Settings[k].Dist = Const(time.Duration(info.Min))
			}
			if info.Type == TypeEnum {
				r.Settings[k].Enum = info.Enum[0]
			}
		}
		d.Routers = append(d.Routers, r)
		d.Hosts = append(d.Hosts, Host{Name: "h" + name, Router: i, Addr: netip.AddrFrom4([4]byte{10, byte(i), 0, 1})})
	}
	for i := range 4 {
		l := Link{Name: "l" + d.Routers[i].Name, Delay: Setting{Value: Value{Dist: Const(time.Millisecond)}}}
		for e, router := range []int{i, (i + 1) % 4} {
			l.Ends[e] = End{Router: router, BGP: true, Settings: d.Routers[router].Settings,
				Inside: netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168, byte(i), byte(e + 1)}), 30)}
		}
		d.Links = append(d.Links, l)
	}
	d.Probes = []Probe{{From: 0, To: 2, Every: time.Second}}
	return d
}

func TestAGoodDesignHasNoProblems(t *testing.T) {
	for _, p := range Validate(square()) {
		t.Error(p.Message)
	}
}

func TestEveryProblemIsFound(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*Design)
		want string // the first message contains it
	}{
		{"no length", func(d *Design) { d.For = 0 }, "a run of 0s"},
		{"a year", func(d *Design) { d.For = 9000 * time.Hour }, "is not between"},
		{"warm-up", func(d *Design) { d.Warmup = -1 }, "a warm-up of"},
		{"AS 0", func(d *Design) { d.Routers[1].ASN = 0 }, `router "b" has no AS number`},
		{"no identifier", func(d *Design) { d.Routers[1].ID = netip.Addr{} }, "has no BGP identifier"},
		{"IPv6 identifier", func(d *Design) { d.Routers[1].ID = netip.IPv6Loopback() }, "RFC 6286"},
		{"same identifier", func(d *Design) { d.Routers[1].ID = d.Routers[0].ID }, `has the BGP identifier of router "a"`},
		{"host bits", func(d *Design) { d.Routers[1].Networks[0].Prefix = netip.MustParsePrefix("10.1.0.9/16") }, "10.1.0.9/16 is the address of a host"},
		{"no prefix", func(d *Design) { d.Routers[1].Networks = append(d.Routers[1].Networks, Network{}) }, "a network without a prefix"},
		{"range", func(d *Design) { d.Routers[1].Settings[BGPConnectRetry].Dist = Const(0) }, "bgp.connect_retry: 0s is not between 1ms and 3600s"},
		{"ratio", func(d *Design) { d.Routers[1].Settings[BGPHoldJitter].Int = 1001 }, "bgp.hold_jitter: 1.001 is not between 0.001 and 1"},
		{"word", func(d *Design) { d.Routers[1].Settings[BGPDecision].Enum = "dice" }, `"dice" is not one of`},
		{"hold 1 s", func(d *Design) { d.Routers[1].Settings[BGPHold].Dist = Const(time.Second) }, "a peer refuses a hold time of 1s"},
		{"hold 3.5 s", func(d *Design) { d.Routers[1].Settings[BGPHold].Dist = Const(3500 * time.Millisecond) }, "counts whole seconds"},
		{"end's own", func(d *Design) {
			d.Links[0].Ends[0].Settings[BGPHold] = Setting{Value: Value{Dist: Const(time.Second)}, Origin: Origin{Pos: Pos{Line: 3}}}
		}, "a peer refuses a hold time of 1s"},
		{"egress nowhere", func(d *Design) { d.Routers[0].Egress = []int{9} }, "names no link"},
		{"egress elsewhere", func(d *Design) { d.Routers[0].Egress = []int{1} }, "lb does not end there"},
		{"end nowhere", func(d *Design) { d.Links[0].Ends[1].Router = 7 }, `"la" does not join two routers`},
		{"loop", func(d *Design) { d.Links[0].Ends[1].Router = 0 }, `joins router "a" to itself`},
		{"tunnel", func(d *Design) { d.Links[0].Kind = Tunnel }, "has no outside address"},
		{"delay", func(d *Design) { d.Links[0].Delay.Dist = Const(-1) }, "a delay of"},
		{"loss", func(d *Design) { d.Links[0].Loss.Bad = 2 }, "bad is 2"},
		{"loss for ever", func(d *Design) { d.Links[0].Loss.ToBad = 0.1 }, "never good again"},
		{"half a session", func(d *Design) { d.Links[0].Ends[0].BGP = false }, "only one end"},
		{"prepend", func(d *Design) { d.Links[0].Ends[0].Export = []Term{{Prepend: -1}} }, "prepend: -1"},
		{"host nowhere", func(d *Design) { d.Hosts[0].Router = -1 }, `host "ha" has no router`},
		{"probe nowhere", func(d *Design) { d.Probes[0].To = 4 }, "does not join two hosts"},
		{"probe too fast", func(d *Design) { d.Probes[0].Every = 1 }, "every: 1ns is less than 1ms"},
		{"probe too large", func(d *Design) { d.Probes[0].Size = 65508 }, "is not between 0 and 65507"},
		{"probe backwards", func(d *Design) { d.Probes[0].Start = -1 }, "less than nothing"},
		{"no path", func(d *Design) {
			for i := range d.Links {
				d.Links[i].Ends[0].BGP, d.Links[i].Ends[1].BGP = i%2 == 0, i%2 == 0
			}
		}, "no path leads from a to c"},
		{"no kind", func(d *Design) { d.Story = []Fault{{}} }, "of no known kind"},
		{"no link", func(d *Design) { d.Story = []Fault{{Kind: LinkDown, Link: 4}} }, "not there"},
		{"no end", func(d *Design) { d.Story = []Fault{{Kind: SessionShut, Link: 0, Router: 2}} }, `"la" has no end at c`},
		{"plain", func(d *Design) { d.Story = []Fault{{Kind: TunnelDelete, Link: 0, Router: 0}} }, "is a plain link"},
		{"late", func(d *Design) { d.Story = []Fault{{Kind: RouterKill, At: Const(time.Hour)}} }, "never comes"},
		{"early", func(d *Design) { d.Story = []Fault{{Kind: RouterKill, At: Const(-1)}} }, "before the run begins"},
		{"nothing to undo", func(d *Design) { d.Story = []Fault{{Kind: RouterStart, Until: 1}} }, "reverses nothing"},
		{"no loss", func(d *Design) { d.Story = []Fault{{Kind: PacketLoss, Link: 0}} }, "loss with p 0"},
		{"no prefix to withdraw", func(d *Design) { d.Story = []Fault{{Kind: PrefixWithdraw}} }, "no prefix"},
		{"sideways", func(d *Design) { d.Story = []Fault{{Kind: BlackHole, Link: 0, Direction: 3}} }, "no known direction"},
	} {
		d := square()
		c.do(d)
		ps := Validate(d)
		if !slices.ContainsFunc(ps, func(p Problem) bool { return strings.Contains(p.Message, c.want) }) {
			t.Errorf("%s: %+v, want %s", c.name, ps, c.want)
		}
	}
}

// A design with any number in any place is judged, not run into.
func TestValidateNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := square()
		index := rapid.IntRange(-2, 6)
		for range rapid.IntRange(1, 8).Draw(t, "changes") {
			i := rapid.IntRange(0, 3).Draw(t, "i")
			v := index.Draw(t, "v")
			switch rapid.IntRange(0, 8).Draw(t, "what") {
			case 0:
				d.Links[i].Ends[i%2].Router = v
			case 1:
				d.Hosts[i].Router = v
			case 2:
				d.Probes[0].From = v
			case 3:
				d.Routers[i].Egress = append(d.Routers[i].Egress, v)
			case 4:
				d.Story = append(d.Story, Fault{Kind: FaultKind(v + 2), Link: v, Router: i, Until: v, Direction: Direction(i)})
			case 5:
				d.Links[i].Ends[0].Inside = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, byte(v)}), v*5)
			case 6:
				d.Routers[i].Networks = append(d.Routers[i].Networks, Network{Prefix: netip.PrefixFrom(netip.IPv6Loopback(), v*20)})
			case 7:
				d.Probes[0].Every = time.Duration(v)
			case 8:
				d.Hosts[i].Addr = netip.Addr{}
			}
		}
		Validate(d)
	})
}

func TestPath(t *testing.T) {
	g := NewGraph(square())
	for _, c := range []struct {
		from, to, withoutLink, withoutRouter int
		want                                 []Step
	}{
		{0, 1, -1, -1, []Step{{0, 1}}},
		{0, 1, 0, -1, []Step{{3, 3}, {2, 2}, {1, 1}}},
		{0, 2, -1, -1, []Step{{0, 1}, {1, 2}}},
		{0, 2, -1, 1, []Step{{3, 3}, {2, 2}}},
		{0, 2, 3, 1, nil},
		{0, 9, -1, -1, nil},
	} {
		if got := g.Path(c.from, c.to, c.withoutLink, c.withoutRouter); !slices.Equal(got, c.want) {
			t.Errorf("from %d to %d without link %d and router %d: %v, want %v", c.from, c.to, c.withoutLink, c.withoutRouter, got, c.want)
		}
	}
}
