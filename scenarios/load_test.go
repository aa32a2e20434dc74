package scenarios_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/expect"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// What cannot stand in a text file of testdata.
func TestWhatIsNoTextIsRefusedWithItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, data, want string
	}{
		{"empty", "", "x.yaml: the file is empty (`vpnsim check --schema` says what goes into a scenario)"},
		{"white", " \n\n", "x.yaml: the file is empty (`vpnsim check --schema` says what goes into a scenario)"},
		{"mark", "\xef\xbb\xbf", "x.yaml: the file is empty (`vpnsim check --schema` says what goes into a scenario)"},
		{"binary", "vpnsim: v1\nname: \x00\x01", "x.yaml:2:7: control character 0x00 (a scenario is UTF-8 text)"},
		{"latin1", "vpnsim: v1\nname: Z\xfcrich", "x.yaml:2:8: byte 0xfc is not UTF-8 (a scenario is UTF-8 text)"},
		{"utf16", "\xff\xfev\x00", "x.yaml:1:1: this is UTF-16 (a scenario is UTF-8 text)"},
		{"elf", "\x7fELF", "x.yaml:1:1: control character 0x7f (a scenario is UTF-8 text)"},
		{"huge", strings.Repeat("# a\n", 3<<20), "x.yaml: 12582912 bytes are more than the 8388608 that a scenario may have (a scenario is a page of YAML: is this the right file?)"},
		{"deep", "a: " + strings.Repeat("[", 100_000), "x.yaml:1:10004: not YAML: exceeded max depth of 10000 while increasing flow level"},
	} {
		d, ds := scenarios.Load("x.yaml", []byte(c.data), nil)
		if d != nil || len(ds) != 1 || ds[0].String() != c.want {
			t.Errorf("%s: %v\nwant %s", c.name, ds, c.want)
		}
	}
}

// A file that is as large and as wrong as it may be is still answered, and with
// a hundred errors at most. One that took a check the square of its length would
// run into the limit of the test itself.
func TestHugeFilesAreAnswered(t *testing.T) {
	for name, data := range map[string]string{
		"story":      pair + "story:\n" + strings.Repeat("  - {at: 1s, create: l1}\n", 9_999),
		"long story": pair + "story:\n" + strings.Repeat("  - {at: 1s, create: l1}\n", 60_000),
		"routers":    "vpnsim: v1\nrouters:\n" + numbered(9_999, "  r%d: {profile: frr, asn: 65001, networks: [10.0.0.0/8]}\n"),
		"keys":       "vpnsim: v1\n" + numbered(60_000, "k%d: 1\n"),
		"expect":     pair + "expect:\n" + strings.Repeat("  - gap\n", 9_999),
		"networks":   strings.Replace(pair, "[10.1.0.0/16]", "["+strings.Repeat("10.1.0.0/16,", 200_000)+"]", 1),
	} {
		if len(data) > 8<<20 {
			t.Fatalf("%s: %d bytes", name, len(data))
		}
		if d, ds := scenarios.Load("x.yaml", []byte(data), nil, scenarios.CheckExpr(expect.Check)); d != nil || len(ds) > 101 {
			t.Errorf("%s: %d diagnostics", name, len(ds))
		}
	}
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestAliasesStandForWhatTheyName(t *testing.T) {
	data, _ := scenarios.Builtin("aws-gcp")
	data = bytes.Replace(data, []byte("rtt: exp(6.55ms, 0.25ms)"), []byte("rtt: &r exp(6.55ms, 0.25ms)"), 1)
	data = bytes.Replace(data, []byte("rtt: exp(4.95ms, 0.25ms)"), []byte("rtt: *r"), 1)
	d, ds := scenarios.Load("x.yaml", data, nil)
	if d == nil {
		t.Fatal(ds)
	}
	a, b := d.Links[0].Delay, d.Links[1].Delay
	if a.Dist.String() != b.Dist.String() || a.Origin != b.Origin {
		t.Errorf("%v and %v", a, b)
	}
}

// Every value that the file gives knows the line that gives it: the text at
// the place is the text of the value.
func TestEveryGivenValueKnowsItsPlace(t *testing.T) {
	data, _ := scenarios.Builtin("aws-gcp")
	lines := strings.Split(string(data), "\n")
	d := load(t, "aws-gcp")
	at := func(what string, p topology.Pos, text string) {
		t.Helper()
		if p.File != "aws-gcp.yaml" || p.Line < 1 || p.Line > len(lines) || p.Col < 1 || p.Col > len(lines[p.Line-1]) {
			t.Errorf("%s: no place: %v", what, p)
			return
		}
		if rest := strings.TrimLeft(lines[p.Line-1][p.Col-1:], `"`); !strings.HasPrefix(rest, text) {
			t.Errorf("%s: at %v stands %q, not %q", what, p, rest, text)
		}
	}
	given := 0
	settings := func(what string, s *topology.Settings) {
		for k := topology.Key(0); k < topology.NumKeys; k++ {
			if s[k].Origin.Status == topology.Given {
				given++
				at(what+"."+k.String(), s[k].Origin.Pos, s[k].Format(k))
			}
		}
	}
	at("for", d.ForPos, "300s")
	for i := range d.Routers {
		r := &d.Routers[i]
		at(r.Name, r.Pos, r.Name+":")
		at(r.Name+".asn", r.ASNPos, []string{"64512", "65000"}[i])
		at(r.Name+".networks", r.Networks[0].Pos, r.Networks[0].Prefix.String())
		settings(r.Name, &r.Settings)
	}
	for _, h := range d.Hosts {
		at(h.Name, h.Pos, h.Name+":")
		at(h.Name+".ip", h.AddrPos, h.Addr.String())
	}
	at("icmp", d.Hosts[1].DropPos, "true")
	for i := range d.Links {
		l := &d.Links[i]
		at(l.Name, l.Pos, l.Name+":")
		at(l.Name+".rtt", l.Delay.Origin.Pos, "exp(")
		for e := range l.Ends {
			end := &l.Ends[e]
			at(l.Name, end.Pos, d.Routers[end.Router].Name+":")
			at(l.Name+".outside", end.OutsidePos, end.Outside.String())
			at(l.Name+".inside", end.InsidePos, end.Inside.String())
			settings(l.Name, &end.Settings)
		}
	}
	at("probe", d.Probes[0].Pos, "{ping")
	at("story[0]", d.Story[0].Pos, "{at:")
	at("story[0].at", d.Story[0].AtOrigin.Pos, "uniform(85s, 95s)")
	at("story[0].notify", d.Story[0].NotifyOrigin.Pos, "false")
	at("story[1].at", d.Story[1].AtOrigin.Pos, "150s")
	for _, e := range d.Expect {
		at("expect", e.Pos, e.Expr)
	}
	for _, n := range d.Notes {
		at("assume", n.Pos, n.Path+":")
	}
	if given == 0 {
		t.Error("no setting is given")
	}
}

// pair is the smallest scenario in which something can be lost.
const pair = `vpnsim: v1
routers:
  a: {profile: frr, asn: 65001, networks: [10.1.0.0/16]}
  b: {profile: frr, asn: 65002, networks: [10.2.0.0/16]}
hosts:
  h: {on: a, ip: 10.1.0.1}
  k: {on: b, ip: 10.2.0.1}
links:
  l1: {b: {inside: 192.168.1.2/30}, a: {inside: 192.168.1.1/30}, rtt: 1ms}
probe: {ping: h -> k}
`

func TestStory(t *testing.T) {
	for _, c := range []struct {
		entry string
		want  []topology.Fault // what counts of them
	}{
		{"{at: 1s, blackhole: l1, direction: from a, for: 2s}", []topology.Fault{
			{Kind: topology.BlackHole, Link: 0, Router: -1, Direction: topology.FromB},
			{Kind: topology.Heal, Link: 0, Router: -1, Direction: topology.FromB, Until: 1}}},
		{"{at: 1s, blackhole: l1, direction: to a}", []topology.Fault{{Kind: topology.BlackHole, Link: 0, Router: -1, Direction: topology.FromA}}},
		{"{at: 1s, blackhole: l1, direction: from b}", []topology.Fault{{Kind: topology.BlackHole, Link: 0, Router: -1, Direction: topology.FromA}}},
		{"{at: 1s, loss: l1, p: 30%}", []topology.Fault{{Kind: topology.PacketLoss, Link: 0, Router: -1, P: 0.3}}},
		{"{at: 1s, down: l1, for: 3s}", []topology.Fault{{Kind: topology.LinkDown, Link: 0, Router: -1}, {Kind: topology.LinkUp, Link: 0, Router: -1, Until: 1}}},
		{"{at: 1s, shut: l1, by: b, for: 3s}", []topology.Fault{{Kind: topology.SessionShut, Link: 0, Router: 1}, {Kind: topology.SessionStart, Link: 0, Router: 1, Until: 1}}},
		{"{at: 1s, start: l1, by: b}", []topology.Fault{{Kind: topology.SessionStart, Link: 0, Router: 1}}},
		{"{at: 1s, start: b}", []topology.Fault{{Kind: topology.RouterStart, Link: -1, Router: 1}}},
		{"{at: 1s, kill: b, for: 3s}", []topology.Fault{{Kind: topology.RouterKill, Link: -1, Router: 1}, {Kind: topology.RouterStart, Link: -1, Router: 1, Until: 1}}},
		{"{at: 1s, freeze: a, for: 3s}", []topology.Fault{{Kind: topology.RouterFreeze, Link: -1, Router: 0}, {Kind: topology.RouterThaw, Link: -1, Router: 0, Until: 1}}},
		{"{at: 1s, propagate: {router: a, on: false}, for: 3s}", []topology.Fault{{Kind: topology.PropagationOff, Link: -1, Router: 0}, {Kind: topology.PropagationOn, Link: -1, Router: 0, Until: 1}}},
		{"{at: 1s, propagate: {router: a, on: true}, for: 3s}", []topology.Fault{{Kind: topology.PropagationOn, Link: -1, Router: 0}, {Kind: topology.PropagationOff, Link: -1, Router: 0, Until: 1}}},
	} {
		d, ds := scenarios.Load("x.yaml", []byte(pair+"story:\n  - "+c.entry+"\n"), nil)
		if d == nil {
			t.Errorf("%s: %v", c.entry, ds)
			continue
		}
		var got []topology.Fault
		for _, f := range d.Story {
			got = append(got, topology.Fault{Kind: f.Kind, Link: f.Link, Router: f.Router, Direction: f.Direction, P: f.P, Until: f.Until})
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n%+v\nwant\n%+v", c.entry, got, c.want)
		}
		for i, f := range d.Story {
			if f.Index != 0 || f.At.A != []time.Duration{time.Second, f.At.A}[min(i, 1)] {
				t.Errorf("%s: %+v", c.entry, f)
			}
		}
	}
}
