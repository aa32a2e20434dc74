package scenarios_test

import (
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// check -v: where each value comes from.
func TestEffective(t *testing.T) {
	d := load(t, "aws-gcp", "tunnels.tun1.aws.bgp.hold=9s")
	rows := map[string]scenarios.Row{}
	settings := 0
	for _, r := range scenarios.Effective(d) {
		if _, twice := rows[r.Path]; twice {
			t.Errorf("%s twice", r.Path)
		}
		if r.Value == "" || r.Origin == "" {
			t.Errorf("%+v", r)
		}
		rows[r.Path] = r
		if rest, ok := strings.CutPrefix(r.Path, "routers.gcp."); ok {
			if _, ok := topology.KeyByPath(rest); ok {
				settings++
			}
		}
	}
	details := 0 // of BFD, which is off
	for k := range topology.NumKeys {
		if k.BFDDetail() {
			details++
		}
	}
	if settings != int(topology.NumKeys)-details || details != 8 {
		t.Errorf("%d settings of gcp, of %d", settings, topology.NumKeys)
	}
	for path, want := range map[string][2]string{
		"routers.aws.asn":           {"64512", "aws-gcp.yaml:19"},
		"routers.aws.id":            {"169.254.26.133", "default: the lowest inside address"},
		"routers.aws.egress":        {"drawn from the seed", "default"},
		"routers.aws.vpn.ike":       {"v1", "aws-gcp.yaml:21"},
		"routers.aws.bgp.hold":      {"30s", "profile aws-vgw, documented: "},
		"routers.gcp.bgp.mrai":      {"", "profile gcp-cloud-router, assumed: "},
		"tunnels.tun1.aws.bgp.hold": {"9s", "--set"},
		"tunnels.tun1.delay":        {"exp(3.275ms, 125us)", "aws-gcp.yaml:38:10, half of the rtt"},
		"tunnels.tun2.gcp.inside":   {"169.254.26.134/30", "aws-gcp.yaml:40"},
		"story[0].at":               {"uniform(85s, 95s)", "aws-gcp.yaml:47"},
		"story[0].delete":           {"tun2, by gcp", "aws-gcp.yaml:47"},
		"warmup":                    {"60s", ""},
	} {
		r := rows[path]
		if !strings.HasPrefix(r.Value, want[0]) || !strings.HasPrefix(r.Origin, want[1]) || r.Path == "" {
			t.Errorf("%s: %+v, want %v", path, r, want)
		}
	}
}
