package expect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/report"
)

const second = report.Seconds(time.Second)

// failover is a run with a long gap and a short one.
func failover() Env {
	return Env{
		Doc: &report.Document{
			EndS:   300 * second,
			Probes: []report.Probe{{Name: "vm -> ec2", Sent: 300, Received: 270, Lost: 30}},
			Gaps: []report.Gap{
				{N: 1, Lost: 1, OutageS: second / 2, Direction: "reply"},
				{N: 2, Lost: 29, OutageS: 28*second + 930*second/1000, StartS: 85 * second, Direction: "reply",
					Chain: []report.Wait{
						{StartS: 0, EndS: 28 * second, Parameter: "routers.aws.bgp.hold"},
						{StartS: 28 * second, EndS: 28*second + 930*second/1000, Parameter: "routers.aws.route_table.delay"}}},
			},
			BringUp: []report.Convergence{{Event: "the network comes up", Seconds: 40 * second, Converged: true}},
			Convergence: []report.Convergence{
				{Event: "gcp deletes tun2", AtS: 85 * second, Prefix: "10.1.0.0/16", Seconds: 29 * second, Withdrawals: 1, RIBChanges: 1, Converged: true},
				{Event: "gcp deletes tun2", AtS: 85 * second, Prefix: "10.2.0.0/16", Seconds: second, Announcements: 2, FIBChanges: 1, Converged: true},
				{Event: "gcp creates tun2", AtS: 299 * second, Prefix: "10.2.0.0/16", Seconds: second, Announcements: 1},
			},
			Forwarding: []report.Forwarding{{From: "vm", FromAddress: "10.1.0.2", To: "ec2", ToAddress: "10.2.0.6",
				Seconds: report.ForwardingSeconds{OK: 200 * second, Asymmetric: 69 * second, Loop: second, BlackHole: second, StaleReturnPath: 29 * second, Lost: 30 * second},
				Count:   report.ForwardingCount{Loop: 3, BlackHole: 1}}},
			Ending:   report.Ending{State: report.Repeats, PeriodS: 6 * second},
			Sessions: []report.Session{{Router: "aws", Link: "tun2", State: "Established", HoldS: 30 * second}},
			Tunnels:  []report.Tunnel{{Router: "gcp", Link: "tun2", State: "up"}},
		},
		Best: func(router, prefix string, at time.Duration) (Route, error) {
			switch {
			case router != "gcp":
				return Route{}, fmt.Errorf("there is no router %q", router)
			case at < 85*time.Second:
				return Route{Exists: true, Tunnel: "tun2", NextHop: "169.254.26.133", MED: 100}, nil
			}
			return Route{Exists: true, Tunnel: "tun1", NextHop: "169.254.26.157", MED: 100}, nil
		},
	}
}

func TestExpectationsHoldOrSayWhatWasSeen(t *testing.T) {
	for _, c := range []struct {
		expr string
		ok   bool
		got  string
	}{
		{`gap.outage <= duration("30.5s")`, true, `gap.outage = 28.93 s`},
		{`gap.outage <= duration("10s")`, false, `gap.outage = 28.93 s`},
		{`gap.lost == 29 && lost == 30`, true, `gap.lost = 29, lost = 30`},
		{`sent - received == lost`, true, `sent = 300, received = 270, lost = 30`},
		{`outage == duration("29.43s")`, true, `outage = 29.43 s`},
		{`gap.start >= at("80s") and gap.direction == "reply"`, true, `gap.start = 85 s, gap.direction = "reply"`},
		{`best("gcp", "10.2.0.0/16", at("80s")).tunnel == "tun2"`, true, `best("gcp", "10.2.0.0/16", at("80s")).tunnel = "tun2"`},
		{`best("gcp", "10.2.0.0/16", end).tunnel == "tun2"`, false, `best("gcp", "10.2.0.0/16", end).tunnel = "tun1"`},
		{`session("aws", "tun2").state == "Established"`, true, `session("aws", "tun2").state = "Established"`},
		{`session("aws", "tun2").hold == duration("30s")`, true, `session("aws", "tun2").hold = 30 s`},
		{`tunnel("gcp", "tun2").state == "up"`, true, `tunnel("gcp", "tun2").state = "up"`},
		{`blame == "routers.aws.bgp.hold"`, true, `blame = "routers.aws.bgp.hold"`},
		{`blames(gap, "routers.aws.bgp.hold")`, true, `blames(gap, "routers.aws.bgp.hold") = true`},
		{`blames(gap, "routers.aws.route_table.delay")`, false, `blames(gap, "routers.aws.route_table.delay") = false`},
		{`all(gaps, .lost < 20)`, false, `gaps = [0.5 s with 1 lost, 28.93 s with 29 lost], all(gaps, .lost < 20) = false`},
		{`count(gaps, .outage > duration("1s")) == 1`, true, `gaps = [0.5 s with 1 lost, 28.93 s with 29 lost], count(gaps, .outage > duration("1s")) = 1`},
		{`convergence.seconds <= duration("29s") && convergence.converged`, false, `convergence.seconds = 1 s, convergence.converged = false`},
		{`first(convergences).event == "gcp deletes tun2"`, true, `first(convergences).event = "gcp deletes tun2"`},
		{`convergences[0].announcements == 2 && convergences[0].withdrawals == 1`, true, `convergences[0].announcements = 2, convergences[0].withdrawals = 1`},
		{`convergences[0].rib_changes + convergences[0].fib_changes == 2`, true, `convergences[0].rib_changes = 1, convergences[0].fib_changes = 1`},
		{`converged`, false, `converged = false`},
		{`repeats && period == duration("6s")`, true, `repeats = true, period = 6 s`},
		{`all(convergences, .at < at("100s") or not .converged)`, true, `convergences = [29 s with 2 announced, 1 withdrawn, more than 1 s with 1 announced, 0 withdrawn], all(convergences, .at < at("100s") or not .converged) = true`},
		{`blackhole("vm", "ec2") == 0`, false, `blackhole("vm", "ec2") = 29 s`},
		{`0 < loop("10.1.0.2", "ec2") and loop("vm", "ec2") <= duration("1s")`, true, `loop("10.1.0.2", "ec2") = 1 s, loop("vm", "ec2") = 1 s`},
		{`stale("vm", "ec2") + asymmetric("vm", "ec2") == duration("98s")`, true, `stale("vm", "ec2") = 29 s, asymmetric("vm", "ec2") = 69 s`},
		{`forwarding("vm", "ec2").ok == duration("200s") && forwarding("vm", "ec2").loops == 3`, true, `forwarding("vm", "ec2").ok = 200 s, forwarding("vm", "ec2").loops = 3`},
		{`len(gaps) == 2`, true, `gaps = [0.5 s with 1 lost, 28.93 s with 29 lost]`},
	} {
		p, err := Compile(c.expr)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		ok, got, err := Eval(p, failover())
		if ok != c.ok || got != c.got || err != nil {
			t.Errorf("%s\n  %v, %s, %v\n  want %v, %s", c.expr, ok, got, err, c.ok, c.got)
		}
	}
}

func TestARunWithoutGapsHasAGapOfNothing(t *testing.T) {
	p, err := Compile(`gap.outage == duration("0s") && len(gaps) == 0 && blame == ""`)
	if err != nil {
		t.Fatal(err)
	}
	if ok, got, err := Eval(p, Env{Doc: &report.Document{}}); !ok || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestWhatCannotMeanAnythingIsRefusedAtItsColumn(t *testing.T) {
	for _, c := range []struct {
		expr string
		col  int
		want string
	}{
		{`gap.outtage <= duration("30s")`, 5, "has no field outtage"},
		{`gap.outage <= 30`, 12, `a duration is written duration("30s")`},
		{`30.5 > gap.outage`, 6, `a duration is written duration("30s")`},
		{`gap.outage <= duration("30")`, 24, `"30" has no unit: write 30s`},
		{`gap.outage <= duration("soon")`, 24, "is not a duration"},
		{`gap.outage`, 1, "expected bool"},
		{`gap.outage + 1 < end`, 12, `a duration is written duration("30s")`},
		{`gap.outage <=`, 13, "unexpected token EOF"},
		{`lost <= `, 8, "unexpected token EOF"},
		{`1 < 2`, 1, "looks at nothing of the run"},
		{`duration("1s") < duration("2s")`, 1, "looks at nothing of the run"},
		{`gap.direction == 3`, 15, "mismatched types"},
		{`gap.outage <= 30s`, 17, `a duration is written duration("30s")`},
		{`now() > lost`, 1, "unknown name now"},
		{``, 1, "unexpected token EOF"},
		{`best("aws", "10.1.0.0/16").tunnel == "tun1"`, 1, "not enough arguments"},
		{`best("azure", "10.1.0.0/16", end).tunnel == "tun1"`, 6, `there is no router "azure"`},
		{`best("aws", "10.9.0.0/16", end).tunnel == "tun1"`, 13, `no router announces "10.9.0.0/16"`},
		{`lost < 3 && session("aws", "tun9").state == "Idle"`, 28, `there is no link or tunnel "tun9"`},
		{`blames(gap, "routers.azure.bgp.hold")`, 13, `"routers.azure.bgp.hold" is no parameter`},
		{`lost == 0 && blackhole("vm", "ec3") == 0`, 24, `there is no pair vm, ec3`},
		{`blackhole("vm", "ec2") == 1`, 24, `a duration is written duration("30s")`},
		{`blackhole("vm") == 0`, 1, `not enough arguments`},
		{`forwarding("vm", "ec2").okay == 0`, 25, `has no field okay`},
		{`all(gaps, best("x", "10.1.0.0/16", .start).exists)`, 16, `there is no router "x"`},
	} {
		err := Check(c.expr, []string{"aws", "gcp"}, []string{"tun1", "tun2"}, []string{"10.1.0.0/16", "10.2.0.0/16"}, func(from, to string) error {
			if from != "vm" || to != "ec2" {
				return fmt.Errorf("there is no pair %s, %s", from, to)
			}
			return nil
		})
		var column int
		if e, ok := err.(interface{ Column() int }); ok {
			column = e.Column()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || column != c.col {
			t.Errorf("%s\n  column %d: %v\n  want %d: %s", c.expr, column, err, c.col, c.want)
		}
	}
}

func TestWhatCannotBeToldIsAnErrorAndNotAFailure(t *testing.T) {
	for expr, want := range map[string]string{
		`best("azure", "10.2.0.0/16", end).exists`:      `there is no router "azure"`,
		`blackhole("ec2", "vm") == 0`:                   `write watch: [ec2 -> vm]`,
		`best("gcp", "10.2.0.0/16", at("301s")).exists`: "301 s is outside the run",
		`session("azure", "tun2").state == ""`:          `router "azure" has no session over "tun2"`,
		`tunnel("aws", "tun7").state == ""`:             `router "aws" has no tunnel "tun7"`,
	} {
		p, err := Compile(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		if _, _, err = Eval(p, failover()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", expr, err, want)
		}
	}
}

func FuzzCompileNeverPanics(f *testing.F) {
	f.Add(`gap.outage <= duration("30.5s")`)
	f.Add(`all(gaps, .lost < 20) ? blame == "" : lost in 1..3`)
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := Compile(text); err == nil {
			Eval(p, failover())
		}
	})
}
