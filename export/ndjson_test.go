package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

func TestNDJSON(t *testing.T) {
	h := newHand()
	h.now = -1
	h.note(trace.Note{Kind: trace.NoteLink, Router: -1, Link: 2, Up: true})
	h.event(1500000001, 2, 5, sim.PhaseFault)
	h.note(trace.Note{Kind: trace.NoteFault, Router: -1, Link: -1, Text: "gcp deletes tunnel-1"})
	h.event(1, 0, 1, sim.PhaseDeliver)
	h.note(trace.Note{Kind: trace.NoteFIB, Router: 0, Link: -1, Because: 1, Prefix: prefix("10.1.0.0/24")})
	h.note(trace.Note{Kind: trace.NoteLost, Router: 0, Link: -1, B: 7, Because: 2, Text: "no route to 10.1.0.2"})
	h.event(1, 9, 0, sim.PhaseTimer)

	var out bytes.Buffer
	if err := WriteNDJSON(&out, &h.Log, kindName); err != nil {
		t.Fatal(err)
	}
	want := `{"id":0,"at_s":-0.000000001,"cause":0,"actor":"","kind":"set-up","phase":"","arg":0,"notes":[{"note":"link","words":"lan is up","link":"lan","up":true}]}
{"id":1,"at_s":1.500000000,"cause":0,"actor":"vm","kind":"fault","phase":"fault","arg":7,"notes":[{"note":"fault","words":"gcp deletes tunnel-1"}]}
{"id":2,"at_s":1.500000001,"cause":1,"actor":"aws","kind":"segment","phase":"deliver","arg":7,"notes":[{"note":"fib","words":"aws: forwarding table: 10.1.0.0/24 -> nowhere","because":1,"router":"aws","prefix":"10.1.0.0/24","links":[]},{"note":"lost","words":"vm->ec2 #7 lost at aws: no route to 10.1.0.2","because":2,"router":"aws","probe":"vm->ec2","seq":7}]}
{"id":3,"at_s":1.500000002,"cause":2,"actor":"actor 9","kind":"none","phase":"timer","arg":7}
`
	// The hand starts at -1 ns, and the first event is 1.500000001 s later.
	if got := out.String(); got != want {
		t.Errorf("got\n%s", got)
	}
}

// Every event of the whole run has its line, every note stands in the line of
// its event, and each says something.
func TestNDJSONHoldsTheLog(t *testing.T) {
	log := wholeRun()
	var out bytes.Buffer
	if err := WriteNDJSON(&out, log, nil); err != nil {
		t.Fatal(err)
	}
	notes, next := 0, sim.EventID(0)
	for line := range strings.Lines(out.String()) {
		var l struct {
			ID    sim.EventID
			Notes []struct{ Note, Words string }
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if l.ID != next {
			t.Fatalf("event %d after %d", l.ID, next-1)
		}
		next++
		for _, n := range l.Notes {
			notes++
			if n.Note == "" || n.Words == "" || strings.Contains(n.Words, "%!") {
				t.Errorf("event %d: %+v", l.ID, n)
			}
		}
	}
	if int(next) != len(log.Events)+1 || notes != len(log.Notes) {
		t.Errorf("%d events and %d notes, want %d and %d", next-1, notes, len(log.Events), len(log.Notes))
	}
	for _, want := range []string{
		`gcp: session over tunnel-1 Established -> Idle (administrative stop)`,
		`aws sends OPEN (AS 4200000001, hold time 30 s) over tunnel-1`,
		`aws sends UPDATE (announces 10.2.0.0/16 with AS_PATH 4200000001) over tunnel-1`,
		`UPDATE (End-of-RIB)`, `gcp sends NOTIFICATION (Cease, subcode 2) over tunnel-1`,
		`gcp: forwarding table: 10.2.0.0/16 -> tunnel-1, tunnel-2`,
		`gcp: route to 10.2.0.0/16: via 169.254.10.1 and 1 more, best of 2 by `, `gcp: route to 10.2.0.0/16: unreachable`,
		`gcp: end of tunnel-1 negotiating -> up (negotiated)`, `IKE quick mode message 3`, `R-U-THERE-ACK`, `DELETE of the IKE SA`,
		`aws: BFD over tunnel-1 Up -> Down (Control Detection Time Expired)`, `gcp: BFD over tunnel-1 Up -> AdminDown (the process was killed)`,
		`vm->ec2: a reply would be lost: tunnel-1 is gone`, `aws: advertisement over tunnel-1 waits for MRAI`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("nobody says %q", want)
		}
	}
}

// fullDisk takes n octets and no more.
type fullDisk struct{ n int }

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(b []byte) (int, error) {
	if len(b) > d.n {
		return d.n, errFull
	}
	d.n -= len(b)
	return len(b), nil
}

// An exporter whose writer fails says so, wherever it is.
func TestWriteErrors(t *testing.T) {
	log := wholeRun()
	for n := 0; n < 16000; n += 500 {
		for name, err := range map[string]error{
			"pcapng: ": WritePcapng(&fullDisk{n % 9000}, log, base),
			"mrt: ":    WriteMRT(&fullDisk{n % 1000}, log, base),
			"ndjson: ": WriteNDJSON(&fullDisk{n % 9000}, log, kindName),
			"trace: ":  WriteTrace(&fullDisk{n}, log, kindName),
		} {
			if !errors.Is(err, errFull) || !strings.HasPrefix(err.Error(), name) {
				t.Errorf("%s%d octets of room: %v", name, n, err)
			}
		}
	}
}

// The same log, the same bytes.
func TestSameBytes(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer, *trace.Log) error{
		"pcapng": func(w *bytes.Buffer, l *trace.Log) error { return WritePcapng(w, l, base) },
		"mrt":    func(w *bytes.Buffer, l *trace.Log) error { return WriteMRT(w, l, base) },
		"ndjson": func(w *bytes.Buffer, l *trace.Log) error { return WriteNDJSON(w, l, kindName) },
		"trace":  func(w *bytes.Buffer, l *trace.Log) error { return WriteTrace(w, l, kindName) },
	} {
		var first bytes.Buffer
		if err := write(&first, wholeRun()); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			var again bytes.Buffer
			if err := write(&again, wholeRun()); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first.Bytes(), again.Bytes()) {
				t.Errorf("%s: two runs, two files", name)
			}
		}
	}
}

func BenchmarkPcapng(b *testing.B) {
	log := wholeRun()
	b.ReportAllocs()
	for b.Loop() {
		if err := WritePcapng(&bytes.Buffer{}, log, base); err != nil {
			b.Fatal(err)
		}
	}
}
