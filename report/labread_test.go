package report

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// labFixture is a result with something in every field.
func labFixture() Lab {
	most := Seconds(29_665 * ms)
	return Lab{VPNSim: "v1", Kind: LabKind, Version: "devel", Case: "hold/9", Scenario: "x.yaml", ScenarioSHA256: strings.Repeat("ab", 32), Seed: 1<<64 - 1,
		Sets: []string{"a=1"}, Tunnel: "plain", Kernel: "6.18", LengthS: 48_000 * ms, Interrupted: true,
		Routers: []LabRouter{{Router: "aws", Daemon: "frr", Program: "FRR 8.4.4", Instead: "aws-vgw", Differs: []LabSetting{{"routers.aws.fib.delay", "100ms", "70ms"}}}},
		Trials: []LabTrial{
			{Number: 1, Seed: 1, Error: "bgpd has ended", Events: []LabEvent{}, Pings: []LabPing{}, Changes: []LabChange{}, BGP: []LabBGP{}, Streams: []LabStream{}},
			{Number: 2, Seed: 2, GapS: 28_000 * ms, Events: []LabEvent{{AtS: 94_146 * ms, TookS: 1, What: "gcp deletes tun2"}},
				Pings:   []LabPing{{Probe: "vm -> ec2", Sent: 48, Received: 20, GapS: 28_000 * ms, LeastS: 27_619 * ms, MostS: &most}},
				Changes: []LabChange{{AtS: 94_219 * ms, AfterS: 73 * ms, Router: "gcp", Prefix: "10.2.0.0/16", Via: "tun1"}},
				BGP: []LabBGP{{AtS: 94_150 * ms, AfterS: 4 * ms, From: "gcp", To: "aws", Link: "tun1", Direction: "sent", Type: "NOTIFICATION", What: "NOTIFICATION (Cease)",
					Code: new(6), Subcode: new(0), TookS: new(Seconds(3 * ms))}},
				Streams: []LabStream{{From: "gcp", To: "aws", Link: "tun1", KeepalivesSent: 3, KeepalivesReceived: 3, SpacingMinS: new(Seconds(1000 * ms)), Segments: 4}}}},
		Measured: LabSample{N: 1, MinS: 28_000 * ms}, Predicted: LabSample{N: 400, Instant: 208, MaxS: 30_000 * ms}, Outside: 1, Distance: 0.12, P: 0.974,
		Cannot: []LabSetting{{"routers.aws.bgp.send_hold", "360s", "60s, twice the hold time"}}}
}

// Documents come back as they were written: indented or one a line, one or many in a file.
func TestReadLabs(t *testing.T) {
	want := labFixture()
	var file bytes.Buffer
	if err := LabJSON(&file, want); err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	file.Write(append(line, '\n'))
	file.Write(line) // and no end of line
	list, problems := ReadLabs("a.json", file.Bytes())
	if len(problems) > 0 || len(list) != 3 {
		t.Fatalf("%d documents, %v", len(list), problems)
	}
	for i, doc := range list {
		if !reflect.DeepEqual(doc.Lab, want) {
			t.Errorf("document %d is\n%+v, not\n%+v", i, doc.Lab, want)
		}
	}
	if list[0].Line != 1 || list[2].Line != list[1].Line+1 || list[1].Col != 1 {
		t.Errorf("they stand at %d:%d, %d:%d and %d:%d", list[0].Line, list[0].Col, list[1].Line, list[1].Col, list[2].Line, list[2].Col)
	}
}

// What is wrong with a file is said where it stands.
func TestReadLabsRefuses(t *testing.T) {
	good, err := json.Marshal(labFixture())
	if err != nil {
		t.Fatal(err)
	}
	swap := func(old, new string) string {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("there is no %s in %s", old, good)
		}
		return "\n" + strings.Replace(string(good), old, "\n"+new, 1)
	}
	for _, c := range []struct{ name, file, want string }{
		{"nothing", "  \n", "a.json:1:1: there is no result of a lab in it"},
		{"no JSON", "hold: 9s", "a.json:1:1: this is no JSON: invalid character 'h'"},
		{"half a document", string(good[:200]), "a.json:1:1: the file ends before this document does"},
		{"half of a second document", string(good) + "\n" + string(good[:200]), "a.json:2:1: the file ends before this document does"},
		{"a comma too many", swap(`"seed":2,`, `,`), "a.json:3:1: this is no JSON"},
		{"another document", `{"vpnsim": "v1", "kind": "run", "digest": "0"}`, "a.json:1:26: this is another document: its kind is run"},
		{"a list", `[1, {"a": []}]`, "a.json:1:1: a result of a lab is a list, not an object"},
		{"an unknown field", swap(`"gap_s":28`, `"gap": {"a": [1]}`), "a.json:3:1: trials[1].gap is no field of a result of a lab"},
		{"a field twice", swap(`"number":2`, `"seed":3`), "a.json:3:10: trials[1].seed is there twice"},
		{"a word for a number", swap(`"gap_s":28`, `"gap_s": "28"`), `a.json:3:10: trials[1].gap_s is "28", not a number`},
		{"a negative seed", swap(`"seed":2`, `"seed": -2`), "a.json:3:9: trials[1].seed is -2, not a whole number from 0"},
		{"finer than a nanosecond", swap(`"gap_s":28`, `"gap_s": 1e-10`), "a.json:3:10: trials[1].gap_s: 1e-10 seconds are finer than a nanosecond"},
		{"a word for a length", swap(`"length_s":48`, `"length_s": "45"`), `a.json:3:13: length_s is "45", not a number`},
		{"null", swap(`"scenario":"x.yaml"`, `"scenario": null`), "a.json:3:13: scenario is null, not a string"},
		{"another version", swap(`"vpnsim":"v1"`, `"vpnsim":"v2"`), `a.json:2:1: version "v2" of the format is not known`},
		{"no length", swap(`"length_s":48`, `"length_s":0`), "a.json:2:1: this result has no length_s"},
		{"a gap that is not the pings'", swap(`"gap_s":28,"events"`, `"gap_s":27,"events"`), "trials[1] (number 2, seed 2): its gap_s is not the longest of its pings' gaps"},
		{"more received than sent", swap(`"received":20`, `"received":49`), `what "vm -> ec2" has seen contradicts itself`},
		{"a router without a daemon", swap(`"daemon":"frr"`, `"daemon":""`), "routers[0] has no name of its own, or no daemon"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := ReadLabs("a.json", []byte(c.file))
			var b bytes.Buffer
			if err := Diagnostics(&b, problems, Options{}); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(b.String(), c.want) {
				t.Errorf("%s\nwant %s", b.String(), c.want)
			}
		})
	}
}
