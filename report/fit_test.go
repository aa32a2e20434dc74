package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

func ptr[T any](v T) *T { return &v }

// fitDocument is what a fit may hold, with names by somebody who means harm.
func fitDocument() Fit {
	return Fit{
		VPNSim: "v1", Kind: "fit", Version: "x", Scenario: "a\x1b[31m|<b>.yaml", ScenarioSHA256: "0123456789abcdef", Seed: 1, Runs: 100, Confidence: 0.95, Event: "gcp deletes @tun2",
		Logs: []FitLog{{File: "p`.log", Line: 3, Format: "iputils", Sent: 32, Received: 3, IntervalS: sec, IntervalFrom: "assumed",
			Gaps: []FitGap{
				{FirstLost: 86, LastLost: 114, Lost: 29, LeastS: 28 * sec, MostS: ptr(Seconds(30 * sec)), TripS: 6 * ms, Counted: true},
				{FirstLost: 120, LastLost: 120, Lost: 1, LeastS: 0},
			}}},
		InstantLost: 2, Best: "hold", Verdict: []string{"hold timer: favoured"},
		Mechanisms: []FitMechanism{
			{Key: "hold", Name: "hold timer", Runs: 100, LeastS: 20 * sec, MostS: 30 * sec, Shares: []FitShare{{Seen: "29 lost", Runs: 100, Showed: 10}},
				Likelihood: Estimate{ptr(0.1), 0.05, ptr(0.18)}, ByLog: Estimate{ptr(0.75), 0.5, ptr(0.9)}, Here: &Estimate{ptr(1.0), 0.9, ptr(1.0)}},
			{Key: "bfd", Name: "BFD", Runs: 100, MostS: 60 * sec, Cut: true, Shares: []FitShare{{Seen: "29 lost", Runs: 100}},
				Likelihood: Estimate{nil, 0, ptr(0.03)}, Odds: Estimate{nil, 1.5, nil}, ByLog: Estimate{nil, 0, ptr(0.3)}, RuledOut: "nobody waits",
				More: &Estimate{ptr(2.0), 1, nil}, MoreDense: &Estimate{ptr(0.0), 0, ptr(0.0)}},
		},
		Parameters: []FitParameter{
			{Mechanism: "hold timer", Parameter: "bgp.hold", Tried: 20, Best: "30s", Likelihood: &FitShare{Runs: 50, Showed: 5, Probability: 0.1, Low: 0.03, High: 0.2}, Possible: []string{"30s", "33s"}, Interval: []string{"30s"}},
			{Mechanism: "BFD", Parameter: "bfd.min_tx × 3", Tried: 7, Runs: 32},
		},
		Settles: []FitSettles{{"tcpdump", "it tells"}},
	}
}

func TestFitText(t *testing.T) {
	var b bytes.Buffer
	if err := FitText(&b, fitDocument(), Options{}); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(" +").ReplaceAllString(b.String(), " ")
	for _, want := range []string{
		"icmp_seq 86–114, 29 lost: the outage lasted 28.00 to 30.00 s, give or take a round trip of 0.006 s\n",
		"1 lost: the outage lasted longer than 0.00 s; the log does not show both its ends; too short to count (--least)\n",
		"1 gap and 0 instant tries (fewer than 2 lost in a row)\n",
		"20.0–30.0 s 10 of 100 0.1 [0.05, 0.18] the best",
		"0.0–… s 0 of 100 < 0.03 > 1.5 : 1 < 30 % ruled out",
		"hold timer bgp.hold 30s 5 of 50: 0.1 [0.03, 0.2] 30s 30s – 33s",
		"none 0 of 32 at each of 7 values none none",
		"BFD 2 [1, …] none",
		"tcpdump: it tells\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, b.String())
		}
	}
	if strings.ContainsRune(b.String(), '\x1b') {
		t.Error("an escape sequence of a name has come through")
	}
}

func TestFitMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := FitMarkdown(&b, fitDocument()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"&lt;b&gt;.yaml", "p\\`.log", "@<!-- -->tun2", "| hold timer | 20.0–30.0 s | 10 of 100 |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q:\n%s", want, b.String())
		}
	}
}
