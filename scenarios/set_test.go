package scenarios_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// --set reaches everything that a file can say, and the value knows that it
// came that way.
func TestSet(t *testing.T) {
	for _, c := range []struct {
		scenario, set, path, value string // the row of Effective
	}{
		{"aws-gcp", "routers.aws.bgp.hold=9s", "routers.aws.bgp.hold", "9s"},
		{"aws-gcp", "routers.aws.bgp.hold=choice(9s, 30s)", "routers.aws.bgp.hold", "choice(9s, 30s)"},
		{"aws-gcp", "routers.aws.bgp.hold= 9s ", "routers.aws.bgp.hold", "9s"},
		{"aws-gcp", `routers.aws.bgp.hold="9s"`, "routers.aws.bgp.hold", "9s"},
		{"aws-gcp", "routers.gcp.bgp={hold: 90s, keepalive: 30s}", "routers.gcp.bgp.keepalive", "30s"},
		{"aws-gcp", "routers.aws.asn=64600", "routers.aws.asn", "64600"},
		{"aws-gcp", "routers.aws.egress=tun2", "routers.aws.egress", "tun2, tun1"},
		{"aws-gcp", "routers.aws.route_table.propagate=false", "routers.aws.route_table.propagate", "false"},
		{"aws-gcp", "hosts.ec2.security_group.icmp=false", "hosts.ec2.security_group.icmp", "false"},
		{"aws-gcp", "tunnels.tun1.gcp.bgp.med=200", "tunnels.tun1.gcp.bgp.med", "200"},
		{"aws-gcp", "tunnels.tun1.rtt=10ms", "tunnels.tun1.delay", "5ms"},
		{"aws-gcp", "tunnels.tun1.delay=10ms", "tunnels.tun1.delay", "10ms"},
		{"aws-gcp", "tunnels.tun1.loss=2%", "tunnels.tun1.loss", "0.02"},
		{"aws-gcp", "probe.every=100ms", "probes[0].every", "100ms"},
		{"aws-gcp", "probes[0].every=100ms", "probes[0].every", "100ms"},
		{"aws-gcp", "story[0].notify=true", "story[0].notify", "true"},
		{"aws-gcp", "story.0.at=90s", "story[0].at", "90s"},
		{"aws-gcp", "story[2]={at: 10s, kill: aws}", "story[2].kill", "aws"},
		{"aws-gcp", "for=500s", "for", "500s"},
		{"frr-pair", "probe.size=1000", "probes[0].size", "1000"},
		{"frr-pair", "links.l1.r1.bgp.passive=true", "links.l1.r1.bgp.passive", "true"},
	} {
		d := load(t, c.scenario, c.set)
		found := false
		for _, r := range scenarios.Effective(d) {
			if r.Path != c.path {
				continue
			}
			found = true
			if r.Value != c.value || !strings.HasPrefix(r.Origin, "--set") && !strings.HasPrefix(r.Path, "probes") {
				t.Errorf("--set %s: %s is %s, from %s", c.set, r.Path, r.Value, r.Origin)
			}
		}
		if !found {
			t.Errorf("--set %s: there is no %s", c.set, c.path)
		}
	}
}

func TestSetOpensTheShortFormOfAProbe(t *testing.T) {
	data := []byte(strings.Replace(pair, "probe: {ping: h -> k}", "probes: [h -> k]", 1))
	for _, set := range []string{"probe.every=2s", "probes[0].every=2s", "probes.0.every=2s"} {
		d, ds := scenarios.Load("x.yaml", data, []string{set})
		if d == nil {
			t.Errorf("%s: %v", set, ds)
		} else if p := d.Probes[0]; p.Every != 2*time.Second || p.Name != "h -> k" {
			t.Errorf("%s: %+v", set, p)
		}
	}
}

func TestTheLastSetWins(t *testing.T) {
	d := load(t, "aws-gcp", "routers.aws.bgp.hold=9s", "routers.aws.bgp.hold=12s")
	if s := d.Routers[0].Settings[topology.BGPHold]; s.Dist.A != 12*time.Second || s.Origin.Status != topology.Overridden {
		t.Errorf("%+v", s)
	}
	// … and the router's ends of links have it too.
	for i := range d.Links {
		for e := range d.Links[i].Ends {
			if end := &d.Links[i].Ends[e]; end.Router == 0 && end.Settings[topology.BGPHold].Dist.A != 12*time.Second {
				t.Errorf("%s: %+v", d.Links[i].Name, end.Settings[topology.BGPHold])
			}
		}
	}
}

// A star is every router, host, link or tunnel of the scenario, each with a
// value of its own that a later set may change.
func TestSetOfAll(t *testing.T) {
	d := load(t, "hub-and-spoke", "routers.*.bgp.mrai=7s", "tunnels.*.rtt=8ms", "routers.s2.bgp.mrai=9s")
	for i := range d.Routers {
		want := 7 * time.Second
		if d.Routers[i].Name == "s2" {
			want = 9 * time.Second
		}
		if got := d.Routers[i].Settings[topology.BGPMRAI].Dist.A; got != want {
			t.Errorf("MRAI of %s: %v", d.Routers[i].Name, got)
		}
	}
	for i := range d.Links {
		if got := d.Links[i].Delay.Dist.A; got != 4*time.Millisecond {
			t.Errorf("delay of %s: %v", d.Links[i].Name, got)
		}
	}
}

func TestEndsOverrideTheirRouter(t *testing.T) {
	d := load(t, "aws-gcp", "routers.gcp.bgp.keepalive=30s", "tunnels.tun2.gcp.bgp.keepalive=40s")
	var got []float64
	for i := range d.Links {
		for e := range d.Links[i].Ends {
			if end := &d.Links[i].Ends[e]; end.Router == 1 {
				got = append(got, end.Settings[topology.BGPKeepalive].Dist.A.Seconds())
			}
		}
	}
	if !slices.Equal(got, []float64{30, 40}) {
		t.Errorf("keepalives of gcp: %v", got)
	}
}
