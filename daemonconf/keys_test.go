package daemonconf

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// Everything is switched on, so that every key makes a difference: r has
// sessions with another AS over a tunnel, and with a router of its own over a
// link.
const allOn = `
vpnsim: v1
name: everything is switched on
for: 60s
routers:
  r:
    profile: %s
    asn: 65001
    networks: [10.1.0.0/16, 2001:db8:1::/48]
    bgp:
      hold: 90s
      keepalive: 10s
      mrai: 5s
      mrai_ibgp: 5s
      mrai_mode: since-last-update
      decision: frr
      sender_side_loop: true
      multipath: 2
      damping: true
      max_prefixes: 10
      graceful_restart: restarter
      long_lived: restarter
      long_lived_time: 100s
      fast_fallover: false
      nexthop_tracking: true
      add_path: both
      add_path_paths: 3
    bfd: {enabled: true, strict: true}
    route_table: {kind: gateway}
    stall: {every: 100s, for: 1s}
  x: {profile: rfc4271, asn: 65002, networks: [10.2.0.0/16], bgp: {hold: 15s, add_path: both}, bfd: {enabled: true}}
  i: {profile: rfc4271, asn: 65001, networks: [10.3.0.0/16], bgp: {hold: 15s}, bfd: {enabled: true}}
tunnels:
  t:
    r: {outside: 192.0.2.1, inside: [169.254.1.1/30, fd00:1::1/126]}
    x: {outside: 192.0.2.2, inside: [169.254.1.2/30, fd00:1::2/126]}
    rtt: 1ms
links:
  l: {r: {inside: 169.254.2.1/30}, i: {inside: 169.254.2.2/30}, rtt: 1ms}
`

// others are values of a key that differ from the one that is there.
func others(k topology.Key, v topology.Value) (list []topology.Value) {
	info := k.Info()
	switch info.Type {
	case topology.TypeDuration:
		for _, d := range []time.Duration{7 * time.Second, 11 * time.Minute, 1500 * time.Millisecond} {
			if int64(d) >= info.Min && int64(d) <= info.Max && (k != topology.BGPHold || d%time.Second == 0) {
				list = append(list, topology.Value{Dist: topology.Const(d)})
			}
		}
		if k != topology.BGPHold {
			list = append(list, topology.Value{Dist: topology.NewUniform(5*time.Second, 9*time.Second)})
		}
	case topology.TypeInt, topology.TypeRatio:
		for _, n := range []int64{info.Min, info.Min + 1, v.Int + 1, info.Max} {
			if n >= info.Min && n <= info.Max {
				list = append(list, topology.Value{Int: n})
			}
		}
	case topology.TypeBool:
		list = append(list, topology.Value{Bool: !v.Bool})
	case topology.TypeEnum:
		for _, e := range info.Enum {
			list = append(list, topology.Value{Enum: e})
		}
	}
	return slices.DeleteFunc(list, func(o topology.Value) bool { return o.Format(k) == v.Format(k) })
}

// Nothing is lost silently: another value of any key is another configuration,
// or stands in the list of what the daemon cannot be told.
func TestEveryKeyIsWrittenOrListed(t *testing.T) {
	for _, with := range Daemons {
		d := load(t, "all-on", fmt.Appendf(nil, allOn, with))
		before := write(t, d, 0, with, Options{})
		wrote, listed := 0, 0
		for k := range topology.NumKeys {
			for _, v := range others(k, d.Routers[0].Settings[k].Value) {
				c := write(t, changed(d, k, v), 0, with, Options{})
				switch {
				case lists(c, k, v):
					listed++
				case !sameFiles(before, c):
					wrote++
				case lists(before, k, d.Routers[0].Settings[k].Value):
					// What the daemon does by itself.
				case k == topology.BGPKeepalive && v.Dist.Min() >= 5*time.Second:
					// The sessions' hold time is 15 s, of which a third is what is used.
				case k == topology.BGPMinHold && v.Dist.Max() < 3*time.Second:
					// RFC 4271 §4.2: "Hold Time MUST be either zero or at least three seconds."
				default:
					t.Errorf("%s: %s = %s makes no difference, and nothing says so", with, k, v.Format(k))
				}
			}
		}
		if wrote < 30 || listed < 60 {
			t.Errorf("%s: of all values %d are written and %d are listed", with, wrote, listed)
		}
	}
}

// changed is the design with another value of a key, at the router and at its
// ends of links.
func changed(d *topology.Design, k topology.Key, v topology.Value) *topology.Design {
	c := *d
	set := topology.Setting{Value: v, Set: true, Origin: topology.Origin{Status: topology.Overridden}}
	c.Routers = slices.Clone(d.Routers)
	c.Routers[0].Settings[k] = set
	c.Links = slices.Clone(d.Links)
	for i := range c.Links {
		for e := range c.Links[i].Ends {
			if c.Links[i].Ends[e].Router == 0 {
				c.Links[i].Ends[e].Settings[k] = set
			}
		}
	}
	return &c
}

func lists(c Config, k topology.Key, v topology.Value) bool {
	return slices.ContainsFunc(c.Cannot, func(n Cannot) bool {
		return strings.HasSuffix(n.Path, "."+k.String()) && n.Value == v.Format(k) && n.Instead != ""
	})
}

func sameFiles(a, b Config) bool {
	return slices.EqualFunc(a.Files, b.Files, func(x, y File) bool { return x.Name == y.Name && bytes.Equal(x.Content, y.Content) })
}

// A router that is what the daemon is has little that cannot be said.
func TestOwnProfile(t *testing.T) {
	const plain = `
vpnsim: v1
name: two of a kind
for: 60s
routers:
  r: {profile: %[1]s, asn: 65001, networks: [10.1.0.0/16]}
  x: {profile: %[1]s, asn: 65002, networks: [10.2.0.0/16]}
links:
  l: {r: {inside: 169.254.2.1/30}, x: {inside: 169.254.2.2/30}, rtt: 1ms}
`
	for with, want := range map[Daemon][]string{
		FRR:   nil,
		BIRD:  nil,
		GoBGP: {"routers.r.bgp.send_hold", "routers.r.fib.delay", "routers.r.fib.survives"}, // it has neither
	} {
		c := write(t, load(t, "plain", fmt.Appendf(nil, plain, with)), 0, with, Options{})
		var got []string
		for _, n := range c.Cannot {
			got = append(got, n.Path)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s cannot be told %v, not %v", with, got, want)
		}
	}
}

func TestSameBytes(t *testing.T) {
	list := designs(t)
	for _, with := range Daemons {
		for name, d := range list {
			for i := range d.Routers {
				a, b := write(t, d, i, with, Options{Dir: "/run/x"}), write(t, d, i, with, Options{Dir: "/run/x"})
				if !sameFiles(a, b) || !slices.Equal(a.Cannot, b.Cannot) {
					t.Errorf("%s: router %s for %s is not the same twice", name, a.Router, with)
				}
			}
		}
	}
}
