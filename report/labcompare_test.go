package report

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// compareFixture has a case of each verdict.
func compareFixture() LabCompare {
	low, high := Seconds(4530*ms), Seconds(5840*ms)
	gaps := func(n, instant int, least, median, most Seconds) LabGaps {
		return LabGaps{N: n, Instant: instant, Share: SweepShare{K: int64(instant), N: int64(n), Share: float64(instant) / float64(max(n, 1))}, MinS: least, MedianS: median, P95S: most, MaxS: most}
	}
	players := []LabPlayer{{"a", "frr"}, {"b", "bird"}}
	return LabCompare{VPNSim: "v1", Kind: LabCompareKind, Version: "devel", Runs: 2000, Seed: 1, Level: 0.01, Confidence: 0.95, Trials: 40, Failed: 3, Agree: 1, WithinChance: 1, Disagree: 1,
		Versions: []string{"devel"}, Programs: []string{"BIRD 2.0.12", "FRR 8.4.4"}, Kernels: []string{"6.18"},
		Cases: []LabCase{
			{Case: "bfd/a=frr+b=bird/bfd_interval=1s+bfd_multiplier=5", Verdict: LabAgrees, Words: "agrees", Routers: players,
				Measured: gaps(12, 0, 4200*ms, 4800*ms, 5400*ms), Predicted: gaps(2000, 0, 4200*ms, 4800*ms, 5200*ms), Difference: LabDifference{Measured: 12, Predicted: 2000, MedianMeasuredS: 4800 * ms, MedianPredictedS: 4800 * ms}},
			{Case: "hold/bird/hold=9s", Verdict: LabDisagrees, Words: "measured 5.16 s longer", Reasons: []string{"measured 5.16 s longer [4.53, 5.84], medians 12.82 against 7.60 s", "8 of 8 longer than all predicted ones, by up to 4.65 s"}, Note: "see | issue\x1b[2J #5",
				Measured: gaps(8, 0, 11500*ms, 12820*ms, 13900*ms), Predicted: gaps(2000, 0, 6000*ms, 7600*ms, 9200*ms),
				Difference: LabDifference{Measured: 8, Predicted: 2000, MedianMeasuredS: 12820 * ms, MedianPredictedS: 7600 * ms, ShiftS: 5160 * ms, LowS: &low, HighS: &high},
				Events: []LabReaction{{Event: "tun1 becomes a black hole", Router: "a", Measured: LabFirst{N: 8, Changed: 7, MinS: 6000 * ms, MedianS: 7500 * ms, MaxS: 8400 * ms}, Predicted: LabFirst{N: 2000, Changed: 2000, MinS: 6000 * ms, MedianS: 7600 * ms, MaxS: 9070 * ms},
					ShiftS: &low, LowS: &low, HighS: &high, Timers: []LabTimer{{What: "hold timer of the session over tun1", Parameter: "routers.a.bgp.hold", Value: "9s", Runs: 1500, MedianS: 7580 * ms}},
					Heard: []LabHeard{{From: "a", What: "NOTIFICATION (Hold Timer Expired) to b over tun1", Trials: 2, MinS: 7000 * ms, MedianS: 7100 * ms, MaxS: 7200 * ms}}},
					{Event: "tun1 becomes a black hole", Router: "b", Measured: LabFirst{N: 8}, Predicted: LabFirst{N: 2000, Changed: 3}}}},
			{Case: "hold/frr/hold=9s", Verdict: LabWithinChance, Reasons: []string{"medians 8.20 against 7.60 s; with n = 4 that may be chance, about 47 would tell"}, Measured: gaps(4, 1, 0, 8000*ms, 9000*ms), Predicted: gaps(2000, 0, 6000*ms, 7600*ms, 9200*ms)},
			{Case: "shut/frr", Verdict: LabUnknown, Reasons: []string{"no trial has succeeded"}, Failed: 3, Predicted: gaps(2000, 2000, 0, 0, 0)},
		},
		Together: []LabTogether{{Group: "hold", Daemons: "bird", Cases: 6, Gaps: 64, Longer: 0.32, P: 1e-6, Adjusted: 1e-5}, {Daemons: "frr", Cases: 9, Gaps: 90, Longer: 0.52, P: 0.3, Adjusted: 0.3}},
		Timers:   []LabBlame{{Daemon: "bird", Parameter: "fib.delay", Reactions: 38, Earlier: 31, ShiftS: -1400 * ms}, {Daemon: "frr", Parameter: "bgp.hold", Reactions: 20}},
		Remarks:  []string{"3 trials were there more than once and count once."}}
}

// What was measured stands above what is predicted, and what does not agree is said again
// with its reason.
func TestLabCompareText(t *testing.T) {
	var b bytes.Buffer
	if err := LabCompareText(&b, compareFixture(), true, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"measured beside predicted: 1 case agrees, 1 differs within chance, 1 has no result, 1 disagrees\n",
		"40 trials (3 more failed) on BIRD 2.0.12, FRR 8.4.4, Linux 6.18, beside 2,000 simulated runs of each case, seeds 1 to 2000",
		"bird/hold=9s  8        0   12.82  11.5 … 13.9  13.9  +5.16 [+4.53, +5.84]  disagrees\n",
		"                     0 %    7.60    6.0 … 9.2   9.2\n",
		"hold with bird (6 cases, 64 gaps): measured gaps are shorter than predicted in 68 % of all pairs",
		"  bird fib.delay         38       31      0  −1.40\n",
		"hold/bird/hold=9s: disagrees\n  measured 5.16 s longer [4.53, 5.84], medians 12.82 against 7.60 s\n  8 of 8 longer",
		"  note: see | issue",
		"frr   0        –       –",
		"shut/frr: not known\n  no trial has succeeded\n",
		"    a: measured 7.50 s (6.00 … 8.40) in 7 of 8, predicted 7.60 s (6.00 … 9.07), shift +4.53 [+4.53, +5.84]\n",
		"      hold timer of the session over tun1 (routers.a.bgp.hold = 9s): 7.58 s, in 75 % of the runs\n",
		"      NOTIFICATION (Hold Timer Expired) to b over tun1: sent by a at +7.10 s (7.00 … 7.20, 2 trials)\n",
		"    b: measured no change, predicted 0.00 s (0.00 … 0.00) in 3 of 2,000\n",
		"3 trials were there more than once",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in\n%s", want, b.String())
		}
	}
	for _, not := range []string{"\x1b", "all with frr", "frr bgp.hold"} {
		if strings.Contains(b.String(), not) {
			t.Errorf("there is %q in\n%s", not, b.String())
		}
	}
}

// It fits a page of 100 columns, and one without signs beyond ASCII.
func TestLabCompareFits(t *testing.T) {
	var b bytes.Buffer
	l := compareFixture()
	l.Cases[1].Note = "text of others stays as it is"
	if err := LabCompareText(&b, l, true, Options{Width: 100, ASCII: true}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(b.String(), "\n") {
		if n := utf8.RuneCountInString(line); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Errorf("not ASCII: %s", line)
		}
	}
}

// As a page: a table for each group, and again what does not agree.
func TestLabCompareMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := LabCompareMarkdown(&b, compareFixture(), true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"**1 case agrees, 1 differs within chance, 1 has no result, 1 disagrees.** vpnsim devel",
		"### bfd\n\n| case | n | instant | median | range | p95 | shift | verdict |\n",
		"| bird/hold=9s | 8 | 0 / 0 % | 12.82 / 7.60 | 11.5 … 13.9 / 6.0 … 9.2 | 13.9 / 9.2 | +5.16 [+4.53, +5.84] | **disagrees** |\n",
		"| frr/hold=9s | 4 | 1 / 0 % | ",
		"### Cases that disagree\n\n- **hold/bird/hold=9s**: measured 5.16 s longer \\[4.53, 5.84\\], medians 12.82 against 7.60 s; 8 of 8 longer than all predicted ones, by up to 4.65 s. see \\| issue",
		"### Cases whose medians differ by more than the goal, as they may by chance\n\n- **hold/frr/hold=9s**: ",
		"### hold/bird/hold=9s: first change of a router's routes after an event\n\n- tun1 becomes a black hole\n  - a: measured 7.50 s",
		"\n    - NOTIFICATION (Hold Timer Expired) to b over tun1: sent by a at",
		"### Cases without a result\n\n- **shut/frr**: no trial has succeeded.\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("an escape sequence got through")
	}
}

// Verdicts that no case has are not counted.
func TestLabCount(t *testing.T) {
	for _, c := range []struct {
		l    LabCompare
		want string
	}{
		{LabCompare{Agree: 2, Cases: make([]LabCase, 2)}, "2 cases agree"},
		{LabCompare{Disagree: 1, Cases: make([]LabCase, 1)}, "1 case disagrees"},
		{LabCompare{Cases: make([]LabCase, 1)}, "1 case has no result"},
		{LabCompare{WithinChance: 3, Disagree: 2, Cases: make([]LabCase, 5)}, "3 cases differ within chance, 2 disagree"},
	} {
		if got := labCount(c.l); got != c.want {
			t.Errorf("%q, not %q", got, c.want)
		}
	}
}
