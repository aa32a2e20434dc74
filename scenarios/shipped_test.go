package scenarios_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/expect"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// load reads a shipped scenario with its expectations checked.
func load(t *testing.T, name string, sets ...string) *topology.Design {
	t.Helper()
	data, ok := scenarios.Builtin(name)
	if !ok {
		t.Fatalf("there is no scenario %q", name)
	}
	d, ds := scenarios.Load(name+".yaml", data, sets, scenarios.CheckExpr(expect.Check))
	for _, x := range ds {
		t.Error(x)
	}
	if d == nil {
		t.FailNow()
	}
	return d
}

func TestEveryShippedScenarioIsValidAndExpectsSomething(t *testing.T) {
	names := scenarios.BuiltinNames()
	if len(names) < 14 {
		t.Errorf("only %d scenarios are embedded: %v", len(names), names)
	}
	for _, name := range names {
		d := load(t, name)
		if len(d.Expect) == 0 {
			t.Errorf("%s expects nothing", name)
		}
	}
}

// Those that show a trap are warned about; the others are as one should do it.
func TestLintFindsTheTrapsAndNothingElse(t *testing.T) {
	traps := map[string]string{
		"aws-gcp-propagation-off": "aws-gcp-propagation-off.yaml:17:30: warning: BGP is up but no route enters the route table of aws: replies are dropped (set route_table.propagate: true)",
		"bfd-strict":              "bfd-strict.yaml:23:76: warning: BFD never comes up over l1: both ends are passive (RFC 5880 §6.1: at least one end must be active)",
		"azure-flaps": `azure-flaps.yaml:21:17: warning: the session over tun1 flaps: azure sends a keepalive every 60s whatever was negotiated, the hold time is 30s (branch needs a hold time of 180s or more)
azure-flaps.yaml:21:17: warning: the session over tun2 flaps: azure sends a keepalive every 60s whatever was negotiated, the hold time is 30s (branch needs a hold time of 180s or more)`,
		"max-prefix": `max-prefix.yaml:39:3: warning: with what the story announces branch may send 101 prefixes over tun1, aws takes 100 and drops the session
max-prefix.yaml:43:3: warning: with what the story announces branch may send 101 prefixes over tun2, aws takes 100 and drops the session`,
		"min-hold": `min-hold.yaml:21:33: warning: branch hold 60s has no effect: aws offers 30s (the smaller offer is used)
min-hold.yaml:21:48: warning: the session over tun1 never comes up: branch refuses a hold time below 60s, aws offers 30s
min-hold.yaml:21:48: warning: the session over tun2 never comes up: branch refuses a hold time below 60s, aws offers 30s`,
		"flap-damping": `flap-damping.yaml:28:3: warning: single point of failure: wan is the only way for the probe "a -> b"`,
		"route-reflector": `route-reflector.yaml:14:3: warning: single point of failure: every path of the probe "pc -> web" leads through router "rr"
route-reflector.yaml:33:3: warning: single point of failure: rr-office is the only way for the probe "pc -> web"`,
		"add-path": `add-path.yaml:24:3: warning: single point of failure: every path of the probe "pc -> web" leads through router "rr"
add-path.yaml:43:3: warning: single point of failure: rr-office is the only way for the probe "pc -> web"`,
		"mrai-chain": `mrai-chain.yaml:31:3: warning: single point of failure: every path of the probe "a -> b" leads through router "r2"
mrai-chain.yaml:32:3: warning: single point of failure: every path of the probe "a -> b" leads through router "r3"
mrai-chain.yaml:40:3: warning: single point of failure: l12 is the only way for the probe "a -> b"
mrai-chain.yaml:41:3: warning: single point of failure: l23 is the only way for the probe "a -> b"
mrai-chain.yaml:42:3: warning: single point of failure: l34 is the only way for the probe "a -> b"`,
		"noisy-tunnel":           `noisy-tunnel.yaml:51:5: warning: nothing heals tun1 again before the run ends (add for: 60s, or a heal)`,
		"soft-reset":             `soft-reset.yaml:20:3: warning: single point of failure: l1 is the only way for the probe "a -> b"`,
		"aws-gcp-security-group": `aws-gcp-security-group.yaml:24:55: warning: ICMP is not admitted to host "ec2": every echo of the probe "vm -> ec2" is dropped (set security_group.icmp: true)`,
	}
	for _, name := range scenarios.BuiltinNames() {
		var got []string
		for _, w := range scenarios.Lint(load(t, name)) {
			got = append(got, w.String())
		}
		if joined := strings.Join(got, "\n"); joined != traps[name] {
			t.Errorf("%s:\n%s\nwant\n%s", name, joined, traps[name])
		}
	}
}

func TestTheSeedsCase(t *testing.T) {
	d := load(t, "aws-gcp")
	if d.Warmup != time.Minute || d.For != 300*time.Second {
		t.Errorf("warmup %v, for %v", d.Warmup, d.For)
	}
	aws, gcp := &d.Routers[0], &d.Routers[1]
	if aws.ASN != 64512 || gcp.ASN != 65000 || aws.ID.String() != "169.254.26.133" || gcp.ID.String() != "169.254.26.134" {
		t.Errorf("aws AS %d id %v, gcp AS %d id %v", aws.ASN, aws.ID, gcp.ASN, gcp.ID)
	}
	if len(aws.Egress) != 0 {
		t.Error("the tunnel that AWS prefers is not left to the seed")
	}
	f := d.Story[0]
	if f.Kind != topology.TunnelDelete || d.Links[f.Link].Name != "tun2" || d.Routers[f.Router].Name != "gcp" || f.Notify || f.At.String() != "uniform(85s, 95s)" {
		t.Errorf("the story begins with %+v", f)
	}
	for i, want := range []string{"exp(3.275ms, 125us)", "exp(2.475ms, 125us)"} {
		if got := d.Links[i].Delay.Dist.String(); got != want {
			t.Errorf("%s: delay %s one way, want %s", d.Links[i].Name, got, want)
		}
	}
	if gcp.Settings[topology.BGPHold].Origin.Status != topology.Documented {
		t.Errorf("gcp's hold time comes from %+v", gcp.Settings[topology.BGPHold].Origin)
	}
}
