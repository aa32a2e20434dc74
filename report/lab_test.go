package report

import (
	"bytes"
	"strings"
	"testing"
)

// What was measured stands beside what is predicted, and what has to be known to
// compare them stands below.
func TestLabText(t *testing.T) {
	most := Seconds(29_665 * ms)
	trial := LabTrial{Number: 2, Seed: 2, GapS: 28_000 * ms,
		Events:  []LabEvent{{AtS: 94_146 * ms, What: "gcp deletes tun2"}},
		Pings:   []LabPing{{Probe: "vm -> ec2", Sent: 48, Received: 20, GapS: 28_000 * ms, LeastS: 27_619 * ms, MostS: &most}},
		Changes: []LabChange{{AtS: 94_219 * ms, AfterS: 73 * ms, Router: "gcp", Prefix: "10.2.0.0/16", Via: "tun1"}, {AtS: 94_146 * ms, Router: "gcp", Prefix: "10.2.0.0/16", Down: "tun2"}, {AtS: 93_000 * ms, AfterS: 93_000 * ms, Router: "aws", Prefix: "10.1.0.0/16"}},
		BGP: []LabBGP{{AtS: 94_150 * ms, AfterS: 4 * ms, From: "gcp", To: "aws", Link: "tun1", Direction: "sent", Type: "UPDATE", What: "UPDATE (withdraws 10.2.0.0/16)", TookS: new(Seconds(3 * ms))},
			{AtS: 94_153 * ms, AfterS: 7 * ms, From: "gcp", To: "aws", Link: "tun1", Direction: "received", Type: "UPDATE", What: "UPDATE (received)"},
			{AtS: 124_146 * ms, AfterS: 30_000 * ms, From: "aws", To: "gcp", Link: "tun2", Direction: "sent", Type: "NOTIFICATION", What: "NOTIFICATION (Hold Timer Expired)"}},
		Missed: 2}
	l := Lab{Version: "devel", Scenario: "x.yaml", ScenarioSHA256: "0123456789", Seed: 1, Kernel: "6.18", LengthS: 48_000 * ms,
		Routers:  []LabRouter{{Router: "aws", Daemon: "frr", Program: "FRR 8.4.4", Instead: "aws-vgw", Differs: []LabSetting{{"routers.aws.fib.delay", "100ms", "70ms"}}}},
		Measured: LabSample{N: 8, Instant: 5, MaxS: 28_000 * ms}, Predicted: LabSample{N: 400, Instant: 208, MaxS: 30_000 * ms}, Outside: 1, Distance: 0.12, P: 0.974,
		Cannot: []LabSetting{{"routers.aws.bgp.send_hold", "360s", "60s, twice the hold time"}}}
	var b bytes.Buffer
	for _, err := range []error{LabTrialText(&b, trial, Options{}), LabTrialText(&b, LabTrial{Number: 3, Error: "bgpd has ended\x1b[2J"}, Options{}), LabText(&b, l, true, Options{})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		"48 sent, 20 received, longest gap 28.000 s (in truth between 27.619 and 29.665 s)",
		"94.146 s  gcp deletes tun2\n",
		"+0.004 s  gcp to aws over tun1: UPDATE (withdraws 10.2.0.0/16), there after 0.003 s\n     +0.073 s  gcp: route to 10.2.0.0/16 by tun1\n",
		"+0.000 s  gcp: route to 10.2.0.0/16 gone, since tun2 is down\n",
		"+30.000 s  aws to gcp over tun2: NOTIFICATION (Hold Timer Expired), never arrives\n",
		"2 packets of BGP were missed",
		"trial 3",
		"measured beside predicted: aws is FRR 8.4.4\n",
		"1 of 8 measured gaps lie outside the range of the predicted ones",
		"routers.aws.fib.delay: 70ms, not 100ms",
		"routers.aws.bgp.send_hold 360s: 60s, twice the hold time",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("an escape sequence got through")
	}
	if strings.Contains(b.String(), "UPDATE (received)") {
		t.Error("a message that arrives is printed twice")
	}
	// What was before the story belongs to no event.
	if strings.Contains(b.String(), "10.1.0.0/16") {
		t.Error("a change before the story is printed under an event")
	}
}

// Unasked, a line for each router says by how much it is another, and whoever has pressed
// Ctrl-C is told so.
func TestLabTextInShort(t *testing.T) {
	l := labFixture()
	l.Cannot = append(l.Cannot, l.Cannot[0])
	var b bytes.Buffer
	if err := LabText(&b, l, false, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"interrupted: of 2 trials that had ended\n",
		"aws: profile frr in the place of aws-vgw, in both; 1 setting is not as there (-v lists them)\n2 values are predicted with that a daemon cannot be told (-v lists them)\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "fib.delay") {
		t.Error(b.String())
	}
}
