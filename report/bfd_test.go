package report

import (
	"bytes"
	"strings"
	"testing"
)

// bfdDocument is two ends of a session: BFD was up, and noticed; the other one waits.
func bfdDocument() Document {
	return Document{EndS: 100 * sec, Sessions: []Session{
		{Router: "r1", Peer: "192.168.1.2", Link: "l1", State: "Established", SinceS: -30 * sec, HoldS: 180 * sec, KeepaliveS: 60 * sec,
			BFD: &BFD{State: "Up", SinceS: 51 * sec, Diagnostic: "No Diagnostic", Remote: "Up", TxS: 300 * ms, RxS: 300 * ms, Multiplier: 3, DetectionS: 900 * ms,
				DetectionFrom: "routers.r2.bfd.multiplier: 3 x 0.3 s (both ends want it so)",
				History:       []Transition{{-30 * sec, "Down", "Up", "heard from the other end"}, {50 * sec, "Up", "Down", "Control Detection Time Expired"}, {51 * sec, "Down", "Up", "heard from the other end"}}}},
		{Router: "r1", Peer: "192.168.2.2", Link: "l2", State: "OpenSent", SinceS: -20 * sec,
			BFD: &BFD{State: "Down", SinceS: -31 * sec, Diagnostic: "No Diagnostic", Remote: "Down", TxS: sec, Strict: true, Awaited: true,
				History: []Transition{{-31 * sec, "AdminDown", "Down", "enabled"}}}},
	}}
}

func TestBFDStandsBesideItsSession(t *testing.T) {
	var out bytes.Buffer
	if err := Text(&out, bfdDocument(), Options{Show: []string{"sessions"}, Width: 200}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"OpenSent, waits for BFD",
		"BFD at 100 s, as each end sees it",
		"r1      l1    Up      51.000 s        0.3 s       0.9 s  routers.r2.bfd.multiplier: 3 x 0.3 s (both ends want it so)",
		"r1      l2    Down   -31.000 s          1 s           –  No Diagnostic; strict: BGP does not come up without it",
		"50.000 s  r1      BFD over l1  Up         Down  Control Detection Time Expired",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no line %q in\n%s", want, out.String())
		}
	}
	doc := bfdDocument()
	doc.Sessions = doc.Sessions[:1]
	doc.Sessions[0].BFD = nil
	out.Reset()
	if err := Text(&out, doc, Options{Show: []string{"sessions"}, Width: 200}); err != nil || strings.Contains(out.String(), "BFD") {
		t.Errorf("where there is none: %v\n%s", err, out.String())
	}
}

func TestBFDHasLanes(t *testing.T) {
	list := lanes(bfdDocument(), "bfd", 100*sec)
	if len(list) != 2 || len(list[0].spans) != 3 || list[0].spans[1].state != "Down" || list[0].spans[1].from != 50*sec || len(list[1].spans) != 1 {
		t.Fatalf("%+v", list)
	}
	var out bytes.Buffer
	if err := SVG(&out, bfdDocument()); err != nil {
		t.Fatal(err)
	}
	p := picture{}
	for state, want := range map[string]string{"Up": "up", "Down": "down", "AdminDown": "down", "Init": "pending"} {
		if class, _ := p.look("bfd", state); class != want {
			t.Errorf("%s is drawn as %s", state, class)
		}
	}
	if !strings.Contains(out.String(), ">BFD<") || !strings.Contains(out.String(), "Control Detection Time Expired") {
		t.Error("the picture does not show it")
	}
}
