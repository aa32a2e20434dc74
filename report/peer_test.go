package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func sec64(s Seconds) *Seconds { return &s }

var (
	peerStart = PeerStart{Kind: "start", VPNSim: "v1", Version: "devel", Scenario: "aws-gcp.yaml", ScenarioSHA256: "0123456789abcdef", Seed: 7, Real: "gcp", RealAS: 65000,
		Links: []PeerLink{
			{Link: "tun1", Router: "aws", AS: 64512, Listen: "127.0.0.1:1790"},
			{Link: "tun2", Router: "aws", AS: 64512, Listen: "127.0.0.2:1790", Calls: "192.0.2.2:179", MD5: true, TTL: true}},
		Unattached: []string{"tun3"}}
	peerLine    = PeerLine{Kind: "fault", At: "2026-11-25T21:30:14.727123Z", StoryS: sec64(85_001_234_567), Words: "gcp deletes tun2\x1b[2J"}
	peerSummary = PeerSummary{Kind: "summary", Real: "gcp", Profile: "gcp-cloud-router", Runs: 20, LateS: 250 * ms, Events: []PeerEvent{
		{AtS: 85 * sec, What: "gcp deletes tun2", Moments: []PeerMoment{
			{Router: "gcp", What: "session over tun2 ends", SeenS: sec64(0), SeenWhy: "link down", SimulatedIn: 20, LeastS: sec64(0), MostS: sec64(0), SimulatedWhy: "link down"},
			{Router: "aws", What: "session over tun2 ends", SeenS: sec64(31_500_000_000), SeenWhy: "HoldTimer expired", SimulatedIn: 20, LeastS: sec64(20_100_000_000), MostS: sec64(29_900_000_000), SimulatedWhy: "HoldTimer expired", Differs: true},
			{Router: "gcp", What: "withdraws routes over tun1", SimulatedIn: 3, LeastS: sec64(sec), MostS: sec64(sec), SimulatedWhy: "10.1.0.0/16"}}},
		{AtS: 150 * sec, What: "the routing process of gcp is killed (RST)", Asked: true, Moments: nil}}}
)

func TestPeerText(t *testing.T) {
	var b bytes.Buffer
	for _, err := range []error{PeerStartText(&b, peerStart, Options{}), PeerLineText(&b, peerLine, Options{}),
		PeerLineText(&b, PeerLine{Kind: "session", At: "2026-11-25T21:30:14.727Z", Words: "up"}, Options{}), PeerSummaryText(&b, peerSummary, Options{})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := `vpnsim plays aws (AS 64512); gcp (AS 65000) is a real router
vpnsim devel: aws-gcp.yaml (sha256 01234567), seed 7
  tun1: aws listens on 127.0.0.1:1790 and waits to be called; for the router it is neighbour 127.0.0.1, port 1790, remote AS 64512
  tun2: aws listens on 127.0.0.2:1790 and calls 192.0.2.2:179; for the router it is neighbour 127.0.0.2, port 1790, remote AS 64512, with a TCP MD5 password, with TTL security
  tun3: nobody answers here; one more --as attaches it
  what gcp does with packets is not known, so nothing is pinged and nothing expected
21:30:14.727    85.001 s  gcp deletes tun2�[2J
21:30:14.727           –  up

what followed each event, beside 20 runs in which gcp is simulated, with profile gcp-cloud-router

85.000 s  gcp deletes tun2
   who  what                        seen after  because            simulated after    because
   gcp  session over tun2 ends      0.000 s     link down          0.000 s            link down
≠  aws  session over tun2 ends      31.500 s    HoldTimer expired  20.100–29.900 s    HoldTimer expired
   gcp  withdraws routes over tun1  not                            1.000 s, in 3 of 20  10.1.0.0/16

150.000 s  the routing process of gcp is killed (RST) (asked for; counted from then)
  nothing, and nothing is simulated to

this machine was busy: vpnsim served a timer 0.250 s late
`
	if got := b.String(); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	b.Reset()
	PeerSummaryText(&b, PeerSummary{}, Options{})
	if got := b.String(); got != "\nnothing of the story has happened, so there is nothing to compare\n" {
		t.Errorf("%q", got)
	}
}

// A line of JSON is a line, and comes back as it was.
func TestPeerJSON(t *testing.T) {
	var b bytes.Buffer
	if err := PeerJSON(&b, peerLine); err != nil {
		t.Fatal(err)
	}
	if want := `{"kind":"fault","at":"2026-11-25T21:30:14.727123Z","story_s":85.001234567,"words":"gcp deletes tun2\u001b[2J"}` + "\n"; b.String() != want {
		t.Errorf("%s", b.String())
	}
	b.Reset()
	if err := PeerJSON(&b, peerSummary); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n != 1 || strings.Contains(b.String(), "null") {
		t.Errorf("%d lines: %s", n, b.String())
	}
	var back PeerSummary
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || *back.Events[0].Moments[1].LeastS != 20_100_000_000 {
		t.Errorf("%+v, %v", back, err)
	}
}
