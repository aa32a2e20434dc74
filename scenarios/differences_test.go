package scenarios_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// twoClouds is a scenario whose parts can be put in another order.
var twoClouds = map[string]string{
	"head": "vpnsim: v1\nname: x\nwarmup: 60s\nfor: 200s\n",
	"aws":  "  aws: {profile: aws-vgw, asn: 64512, networks: [10.2.0.0/16, 10.3.0.0/16]}\n",
	"gcp":  "  gcp:\n    profile: gcp-cloud-router\n    asn: 65000\n    networks: [10.1.0.0/16]\n    bgp: {hold: 60s}\n",
	"host": "hosts:\n  vm: {on: gcp, ip: 10.1.0.2}\n  ec2: {on: aws, ip: 10.2.0.6}\n",
	"tun1": "  tun1:\n    gcp: {outside: 35.189.141.66, inside: 169.254.26.158/30}\n    aws: {outside: 13.113.157.43, inside: 169.254.26.157/30, bgp: {hold: 30s}}\n    rtt: 6ms\n",
	"tun2": "  tun2:\n    gcp: {outside: 35.189.143.44, inside: 169.254.26.134/30}\n    aws: {outside: 13.113.145.178, inside: 169.254.26.133/30}\n    rtt: 5ms\n",
	"ping": "probe: {ping: vm -> ec2, every: 1s}\nstory:\n",
	"del":  "  - {at: 90s, delete: tun2, by: gcp, notify: false}\n",
	"back": "  - {at: 150s, create: tun2, by: gcp}\n",
}

func assemble(t *testing.T, parts string, replacements ...string) *topology.Design {
	t.Helper()
	var text strings.Builder
	for _, p := range strings.Fields(parts) {
		if s, ok := twoClouds[p]; ok {
			text.WriteString(s)
		} else {
			text.WriteString(p + ":\n")
		}
	}
	d, problems := scenarios.Load("x.yaml", []byte(strings.NewReplacer(replacements...).Replace(text.String())), nil)
	if d == nil {
		t.Fatal(problems)
	}
	return d
}

const usual = "head routers aws gcp host tunnels tun1 tun2 ping del back"

func differences(a, b *topology.Design) string {
	value := func(r *scenarios.Row) string {
		if r == nil {
			return "-"
		}
		return r.Value + " (" + r.Origin + ")"
	}
	var s strings.Builder
	for _, d := range scenarios.Differences(a, b) {
		fmt.Fprintf(&s, "%s: %s -> %s\n", d.Path, value(d.A), value(d.B))
	}
	return s.String()
}

// What a run uses is compared, and not how it is written down.
func TestWhatIsNoDifference(t *testing.T) {
	a := assemble(t, usual)
	for what, b := range map[string]*topology.Design{
		"a comment":                             assemble(t, usual, "warmup:", "# all is well\n\n\nwarmup:"),
		"routers in other order":                assemble(t, "head routers gcp aws host tunnels tun1 tun2 ping del back"),
		"tunnels too":                           assemble(t, "head tunnels tun2 tun1 routers aws gcp host ping del back"),
		"the story":                             assemble(t, "head routers aws gcp host tunnels tun1 tun2 ping back del"),
		"networks":                              assemble(t, usual, "10.2.0.0/16, 10.3.0.0/16", "10.3.0.0/16, 10.2.0.0/16"),
		"another spelling":                      assemble(t, usual, "hold: 60s", "hold: 1m", "rtt: 6ms", "delay: 3000us"),
		"an end that says what its router says": assemble(t, usual, ", bgp: {hold: 30s}", ""),
		"a value that is the profile's own":     assemble(t, usual, "    bgp: {hold: 60s}\n", ""),
	} {
		if got := differences(a, b); got != "" {
			t.Errorf("%s:\n%s", what, got)
		}
	}
}

func TestDifferences(t *testing.T) {
	a := assemble(t, usual)
	for what, c := range map[string]struct {
		b    *topology.Design
		want string
	}{
		"a setting of a router, also for its ends, said once": {assemble(t, usual, "hold: 60s", "hold: 20s"),
			"routers.gcp.bgp.hold: 60s (x.yaml:11:17) -> 20s (x.yaml:11:17)\n"},
		"a setting of an end": {assemble(t, usual, "{hold: 30s}", "{hold: 9s}"),
			"tunnels.tun1.aws.bgp.hold: 30s (x.yaml:18:74) -> 9s (x.yaml:18:74)\n"},
		"a network more, and one less": {assemble(t, usual, "10.2.0.0/16, 10.3.0.0/16", "10.4.0.0/16, 10.2.0.0/16"),
			"routers.aws.networks[1]: 10.3.0.0/16 (x.yaml:6:63) -> -\nrouters.aws.networks[0]: - -> 10.4.0.0/16 (x.yaml:6:50)\n"},
		"an event more, before the others": {assemble(t, usual, "story:\n", "story:\n  - {at: 70s, shut: tun1, by: aws}\n"),
			"story[0]: - -> at 70s, shut tun1, by aws (x.yaml:26:10)\n"},
		"an event at another time": {assemble(t, "head routers aws gcp host tunnels tun1 tun2 ping back del", "at: 90s", "at: 91s"),
			"story[1].at: 90s (x.yaml:26:10) -> 91s (x.yaml:27:10)\n"},
		"a tunnel less": {assemble(t, "head routers aws gcp host tunnels tun2 ping del back"),
			"tunnels.tun1: delay 3ms, loss 0, bgp true, gcp.outside 35.189.141.66, gcp.inside 169.254.26.158/30, aws.outside 13.113.157.43, aws.inside 169.254.26.157/30 (x.yaml:19:10, half of the rtt) -> -\n"},
		"the ping": {assemble(t, usual, "every: 1s", "every: 200ms"),
			"probes[0].every: 1s (x.yaml:24:8) -> 200ms (x.yaml:24:8)\n"},
	} {
		if got := differences(a, c.b); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", what, got, c.want)
		}
	}
	// What only some events have.
	event := func(text string) *topology.Design {
		return assemble(t, usual, "story:\n", "story:\n  - "+text+"\n")
	}
	for _, c := range [][3]string{
		{"{at: 70s, loss: tun1, p: 0.1}", "{at: 70s, loss: tun1, p: 0.2}", "story[0].p: 0.1"},
		{"{at: 70s, blackhole: tun1}", "{at: 70s, blackhole: tun1, direction: from aws}", "story[0].direction: both"},
		{"{at: 70s, withdraw: 10.2.0.0/16, by: aws}", "{at: 70s, withdraw: 10.3.0.0/16, by: aws}", "story[0].withdraw: 10.2.0.0/16, by aws"},
		{"{at: 70s, down: tun1}", "{at: 70s, blackhole: tun1}", "story[0].down: tun1"},
		{"{at: 70s, down: tun1, for: 3s}", "{at: 70s, down: tun1, for: 4s}", "story[0].for: 3s"},
		{"{at: 70s, down: tun1, for: 3s}", "{at: 70s, down: tun1}", "story[0].for: 3s"},
	} {
		if got := differences(event(c[0]), event(c[1])); !strings.HasPrefix(got, c[2]+" (") {
			t.Errorf("%s, %s: %q, want %q", c[0], c[1], got, c[2])
		}
	}
	// Another profile is everything in which it differs, each with its source.
	got := differences(a, assemble(t, usual, "profile: aws-vgw", "profile: aws-tgw"))
	if !strings.HasPrefix(got, "routers.aws.profile: aws-vgw (") || !strings.Contains(got, "(profile aws-vgw, ") || !strings.Contains(got, "-> ") || !strings.Contains(got, "(profile aws-tgw, ") {
		t.Error(got)
	}
}

// Every setting is seen that differs, of a router and of an end.
func TestEverySettingIsCompared(t *testing.T) {
	a, b := assemble(t, usual), assemble(t, usual)
	for k := range topology.NumKeys {
		for _, s := range []*topology.Setting{&b.Routers[0].Settings[k], &b.Links[1].Ends[0].Settings[k]} {
			old := *s
			switch v := &s.Value; k.Info().Type {
			case topology.TypeBool:
				v.Bool = !v.Bool
			case topology.TypeEnum:
				v.Enum += "-x"
			case topology.TypeDuration:
				v.Dist = topology.Const(12345678)
			default:
				v.Int++
			}
			if got := differences(a, b); !strings.Contains(got, "."+k.String()+": ") || strings.Count(got, "\n") > 1 && k != topology.BGPDecision {
				t.Errorf("%s: %s", k, got) // (a decision process may leave the rest to an egress)
			}
			*s = old
		}
	}
}

// Whatever a design holds that a run uses is seen when it differs, also what is added to
// it after this was written. What is left out here is a position, a name that is the path, or
// is seen elsewhere.
func TestEveryFieldIsCompared(t *testing.T) {
	left := map[string]string{
		"Router.Name": "the path", "Host.Name": "the path", "Link.Name": "the path", "Link.Kind": "the path",
		"Probe.Name": "a name", "Fault.Index": "the path", "Fault.Until": "what kind of row it is",
		"Fault.Kind": "not by number: tested with the events themselves", "Fault.P": "of a PacketLoss only", "Fault.Prefix": "of a PrefixWithdraw only", "Fault.Direction": "of a BlackHole only",
		"End.Router": "the path", "End.BGP": "both ends agree: that of the first is shown", "Link.Ends": "walked below",
		"Router.Settings": "TestEverySettingIsCompared", "End.Settings": "TestEverySettingIsCompared",
		"Value.Int": "a delay has none", "Value.Bool": "a delay has none", "Value.Enum": "a delay has none", "Setting.Set": "where it comes from",
		"Loss.Bad": "of bursts only", "Loss.ToGood": "of bursts only",
	}
	walked := 0
	var walk func(path string, v reflect.Value, b *topology.Design)
	walk = func(path string, v reflect.Value, b *topology.Design) {
		typ := v.Type()
		for i := range typ.NumField() {
			f, name := v.Field(i), typ.Name()+"."+typ.Field(i).Name
			if left[name] != "" || !typ.Field(i).IsExported() || strings.HasSuffix(name, "Pos") || strings.HasSuffix(name, "Origin") {
				continue
			}
			old := reflect.New(f.Type()).Elem()
			old.Set(f)
			switch x := f.Addr().Interface().(type) {
			case *int:
				*x = 1 - max(*x, 0) // another router, host or link, or size
			case *netip.Addr:
				*x = netip.MustParseAddr("192.0.2.77")
			case *netip.Prefix:
				*x = netip.MustParsePrefix("192.0.2.76/31")
			case *topology.Dist:
				*x = topology.Const(1234567)
			case *[]int:
				*x = append(slices.Clone(*x), 0)
			case *[]topology.Term:
				*x = append(slices.Clone(*x), topology.Term{Reject: true})
			case *[]topology.Network:
				*x = append(slices.Clone(*x), topology.Network{Prefix: netip.MustParsePrefix("192.0.2.0/24")})
			case *[]topology.Static:
				*x = append(slices.Clone(*x), topology.Static{Prefix: netip.MustParsePrefix("192.0.2.0/24")})
			default:
				switch f.Kind() {
				case reflect.Bool:
					f.SetBool(!f.Bool())
				case reflect.Float64:
					f.SetFloat(f.Float() + 0.25)
				case reflect.String:
					f.SetString(f.String() + "-x")
				case reflect.Int, reflect.Int64:
					f.SetInt(f.Int() + 1)
				case reflect.Uint8, reflect.Uint32:
					f.SetUint(f.Uint() + 1)
				case reflect.Struct:
					walk(path+"."+name, f, b)
					continue
				default:
					t.Errorf("%s.%s: this test does not know how to change a %s", path, name, f.Type())
					continue
				}
			}
			walked++
			if len(scenarios.Differences(assemble(t, usual), b)) == 0 {
				t.Errorf("%s: %s differs, and that is not seen", path, name)
			}
			f.Set(old)
		}
	}
	b := assemble(t, usual)
	for i := range b.Routers {
		walk("router", reflect.ValueOf(&b.Routers[i]).Elem(), b)
	}
	walk("host", reflect.ValueOf(&b.Hosts[0]).Elem(), b)
	walk("link", reflect.ValueOf(&b.Links[1]).Elem(), b)
	for i := range b.Links[1].Ends {
		walk("end", reflect.ValueOf(&b.Links[1].Ends[i]).Elem(), b)
	}
	walk("probe", reflect.ValueOf(&b.Probes[0]).Elem(), b)
	walk("fault", reflect.ValueOf(&b.Story[0]).Elem(), b)
	if got := differences(assemble(t, usual), b); got != "" || walked < 40 {
		t.Errorf("%d fields, and at the end %s", walked, got)
	}
}
