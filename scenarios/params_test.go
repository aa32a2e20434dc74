package scenarios_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// withParams is a scenario whose every kind of place has a parameter in it.
const withParams = `vpnsim: v1
name: $n routers, $$5
params: {n: 2, mrai: 30s, who: b, slow: 4ms}
for: $mrai
routers:
  a: {profile: frr, asn: 65001, networks: [10.1.0.0/16], bgp: {mrai: $mrai, mrai_mode: since-last-update}}
  b: {profile: frr, asn: "6500$n", networks: ["10.${n}.0.0/16"]}
links:
  l1: {a: {inside: 192.168.1.1/30}, $who: {inside: 192.168.1.2/30}, rtt: "uniform(2ms, $slow)"}
hosts:
  h: {on: a, ip: 10.1.0.2}
  k: {on: $who, ip: "10.${n}.0.2"}
probe: h -> k
story:
  - {at: $slow, kill: $who}
expect: gap.outage < duration("$mrai") * ($n - 1)
`

func loadText(t *testing.T, text string, sets ...string) *topology.Design {
	t.Helper()
	d, ds := scenarios.Load("x.yaml", []byte(text), sets)
	if d == nil {
		t.Fatal(ds)
	}
	return d
}

func TestParameters(t *testing.T) {
	d := loadText(t, withParams)
	if d.Name != "2 routers, $5" || d.For != 30*time.Second || d.Routers[1].ASN != 65002 || d.Routers[1].Networks[0].Prefix.String() != "10.2.0.0/16" ||
		d.Hosts[1].Addr.String() != "10.2.0.2" || d.Links[0].Ends[1].Router != 1 || d.Links[0].Delay.Dist.String() != "uniform(1ms, 2ms)" ||
		d.Story[0].Router != 1 || d.Expect[0].Expr != `gap.outage < duration("30s") * (2 - 1)` {
		t.Errorf("%+v", d)
	}
	d = loadText(t, withParams, "slow=8ms", "params.mrai= 5s ", "routers.a.bgp.hold=9s")
	if d.For != 5*time.Second || d.Links[0].Delay.Dist.String() != "uniform(1ms, 4ms)" {
		t.Errorf("for %v, delay %v", d.For, d.Links[0].Delay.Dist)
	}
}

// Explanations say where a number comes from: the parameter and its place, or
// the --set that changed it.
func TestOriginOfAParameter(t *testing.T) {
	for sets, want := range map[string]map[string]string{
		"": {
			"params.mrai":         "30s x.yaml:3:22",
			"params.who":          "b x.yaml:3:32",
			"routers.a.bgp.mrai":  "30s params.mrai, x.yaml:3:22",
			"links.l1.delay":      "uniform(1ms, 2ms) params.slow, x.yaml:9:74, half of the rtt",
			"story[0].at":         "4ms params.slow, x.yaml:3:41",
			"routers.b.asn":       "65002 x.yaml:7:26",
			"for":                 "30s x.yaml:3:22",
			"links.l1.a.inside":   "192.168.1.1/30 x.yaml:9:20",
			"routers.b.profile":   "frr x.yaml:7:3",
			"hosts.k.on":          "b x.yaml:12:3",
			"hosts.k.ip":          "10.2.0.2 x.yaml:12:21",
			"routers.a.bgp.hold":  "180s profile frr, documented: ",
			"probes[0].every":     "1s x.yaml:13:8",
			"story[0].kill":       "b x.yaml:15:5",
			"routers.b.id":        "192.168.1.2 default: the lowest inside address",
			"routers.a.egress":    "drawn from the seed default",
			"routers.a.fib.delay": "20ms profile frr, measured: ",
		},
		"mrai=5s slow=8ms routers.b.bgp.mrai=1s": {
			"params.mrai":        "5s --set",
			"routers.a.bgp.mrai": "5s --set mrai",
			"links.l1.delay":     "uniform(1ms, 4ms) --set slow, half of the rtt",
			"routers.b.bgp.mrai": "1s --set",
			"for":                "5s --set",
		},
	} {
		rows := map[string]string{}
		for _, r := range scenarios.Effective(loadText(t, withParams, strings.Fields(sets)...)) {
			rows[r.Path] = r.Value + " " + r.Origin
		}
		for path, origin := range want {
			if !strings.HasPrefix(rows[path], origin) {
				t.Errorf("%s with %q: %q, want %q", path, sets, rows[path], origin)
			}
		}
	}
}

// A few short parameters could otherwise stand for more text than there is
// memory.
func TestParametersDoNotGrowWithoutEnd(t *testing.T) {
	text := "vpnsim: v1\nparams: {a: " + strings.Repeat("x", 1000) + "}\nname: " + strings.Repeat("$a ", 2000) + "\nrouters: {}\n"
	d, ds := scenarios.Load("x.yaml", []byte(text), nil)
	if d != nil || !strings.Contains(ds[0].Message, "more than 1048576 characters") {
		t.Errorf("%v", ds)
	}
}
