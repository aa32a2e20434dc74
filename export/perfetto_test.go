package export

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/trace"
)

type shown struct {
	Name, Cat, Ph, Bp, S string
	Ts, Dur              float64
	Pid, Tid, ID         int
	Args                 struct {
		Name, Words string
		At          float64 `json:"at_s"`
		Kind        string
	}
}

// read parses a picture with names in place of numbers.
func read(t *testing.T, log *trace.Log) (events []shown, lanes map[int]string) {
	t.Helper()
	var out bytes.Buffer
	if err := WriteTrace(&out, log, kindName); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		DisplayTimeUnit string
		TraceEvents     []shown
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	processes := map[int]string{}
	lanes = map[int]string{}
	for _, e := range doc.TraceEvents {
		switch {
		case e.Name == "process_name":
			processes[e.Pid] = e.Args.Name
		case e.Name == "thread_name":
			lanes[e.Tid] = processes[e.Pid] + ": " + e.Args.Name
		case e.Ph != "M":
			events = append(events, e)
		}
	}
	return events, lanes
}

func TestPictureHasLanes(t *testing.T) {
	events, lanes := read(t, wholeRun())
	var got []string
	for _, name := range lanes {
		got = append(got, name)
	}
	slices.Sort(got)
	want := []string{
		"aws: BFD over tunnel-1", "aws: IKE over tunnel-1", "aws: IKE over tunnel-2", "aws: MRAI towards tunnel-1", "aws: losses",
		"aws: messages over tunnel-1", "aws: messages over tunnel-2", "aws: route table: 10.1.0.0/24",
		"aws: session over tunnel-1", "aws: session over tunnel-2",
		"gcp: BFD over tunnel-1", "gcp: IKE over tunnel-1", "gcp: IKE over tunnel-2", "gcp: forwarding table: 10.2.0.0/16",
		"gcp: messages over tunnel-1", "gcp: messages over tunnel-2", "gcp: route to 10.2.0.0/16",
		"gcp: session over tunnel-1", "gcp: session over tunnel-2", "gcp: tunnel tunnel-1",
		"links: link lan", "probes: forwarding of vm->ec2, reply", "story: faults",
	}
	if !slices.Equal(got, want) {
		t.Errorf("lanes:\n%s", strings.Join(got, "\n"))
	}
	for _, e := range events {
		if lanes[e.Tid] == "" {
			t.Errorf("%+v is in no lane", e)
		}
		if e.Ts < 0 || e.Dur < 0 {
			t.Errorf("%+v", e)
		}
	}
}

// The states of a lane follow each other without gap or overlap, from the
// beginning of the log to its end.
func TestPictureStatesTile(t *testing.T) {
	log := wholeRun()
	events, lanes := read(t, log)
	from, to := extent(log)
	for _, lane := range []string{"aws: session over tunnel-1", "gcp: session over tunnel-1", "gcp: tunnel tunnel-1"} {
		at := 0.0
		var names []string
		for _, e := range events {
			if lanes[e.Tid] != lane || e.Ph != "X" {
				continue
			}
			if math.Abs(e.Ts-at) > 1e-6 {
				t.Errorf("%s: %s begins at %v, the state before ended at %v", lane, e.Name, e.Ts, at)
			}
			at = e.Ts + e.Dur
			names = append(names, e.Name)
		}
		if want := float64(to-from) / 1000; math.Abs(at-want) > 1e-6 {
			t.Errorf("%s ends at %v, the log at %v", lane, at, want)
		}
		if lane == "aws: session over tunnel-1" && strings.Join(names, " ") != "Idle Connect OpenSent Established Idle" {
			t.Errorf("%s: %v", lane, names)
		}
	}
	// A route that is gone is a gap.
	for _, e := range events {
		if lanes[e.Tid] == "gcp: forwarding table: 10.2.0.0/16" && (e.Name != "tunnel-1, tunnel-2" || e.Ts+e.Dur >= float64(to-from)/1000) {
			t.Errorf("%+v", e)
		}
	}
}

// Spans of one lane are nested or apart: a viewer drops those that overlap.
func TestPictureSpansDoNotOverlap(t *testing.T) {
	events, lanes := read(t, wholeRun())
	ends := map[int]float64{}
	for _, e := range events {
		if e.Ph != "X" {
			continue
		}
		if e.Ts < ends[e.Tid]-1e-6 {
			t.Errorf("%s: %s begins before the span before it has ended", lanes[e.Tid], e.Name)
		}
		ends[e.Tid] = e.Ts + e.Dur
	}
}

// Each arrow begins in the span of a message sent and ends in the span of the
// same message received, 3 ms later, in the other router.
func TestPictureArrows(t *testing.T) {
	log := wholeRun()
	events, lanes := read(t, log)
	type end struct {
		at   float64
		lane string
		name string
	}
	starts, ends := map[int]end{}, map[int]end{}
	for i, e := range events {
		if e.Ph != "s" && e.Ph != "f" {
			continue
		}
		span := events[i-1]
		if span.Ph != "X" || span.Tid != e.Tid || span.Ts != e.Ts || span.Dur == 0 {
			t.Fatalf("%+v is bound to %+v", e, span)
		}
		if e.Ph == "s" {
			starts[e.ID] = end{e.Ts, lanes[e.Tid], span.Name}
		} else if ends[e.ID] = (end{e.Ts, lanes[e.Tid], span.Name}); e.Bp != "e" {
			t.Errorf("%+v", e)
		}
	}
	sent := 0
	for i := range log.Notes {
		if k := log.Notes[i].Kind; k == trace.NoteMessage || k == trace.NoteIKE {
			sent++
		}
	}
	if len(starts) != sent || len(ends) != sent {
		t.Errorf("%d messages, %d arrows begin and %d end", sent, len(starts), len(ends))
	}
	late := 0
	for id, s := range starts {
		e := ends[id]
		if s.name+" arrives" != e.name || strings.TrimPrefix(s.lane, s.lane[:3]) != strings.TrimPrefix(e.lane, e.lane[:3]) || s.lane == e.lane {
			t.Errorf("arrow from %+v to %+v", s, e)
		}
		switch d := e.at - s.at; {
		case d > 200_000: // the KEEPALIVE that was lost and sent again
			late++
		case d < 2995 || d > 3005: // those of one instant stand side by side
			t.Errorf("arrow from %+v to %+v", s, e)
		}
	}
	if late != 1 {
		t.Errorf("%d messages needed a retransmission", late)
	}
}

// A KEEPALIVE that never left does not become that of a later session.
func TestPictureForgetsDeadSessions(t *testing.T) {
	h := newHand()
	h.tcp(0, 0, 0, true, bgp.Keepalive)
	h.state(0, 0, 5, 0, 0)
	h.tcp(0, 0, 0, false, bgp.Keepalive)
	events, _ := read(t, &h.Log)
	var at []float64
	for _, e := range events {
		if e.Ph == "s" {
			at = append(at, e.Ts)
		}
	}
	if len(at) != 1 || at[0] != 6000 {
		t.Errorf("arrows begin at %v", at)
	}
}

func TestPictureInstants(t *testing.T) {
	events, lanes := read(t, wholeRun())
	seen := map[string]shown{}
	for _, e := range events {
		if e.Ph == "i" {
			seen[lanes[e.Tid]+" "+e.Name] = e
		}
	}
	zero := seen["story: faults time zero"]
	if zero.Ts != 500_000 || zero.S != "g" {
		t.Errorf("time zero: %+v", zero)
	}
	fault := seen["story: faults gcp deletes tunnel-1"]
	if fault.S != "g" || fault.Args.Kind != "fault" || math.Abs(fault.Ts-zero.Ts-fault.Args.At*1e6) > 1e-3 {
		t.Errorf("fault: %+v", fault)
	}
	if loss, ok := seen["aws: losses vm->ec2 #2 lost: no route to 10.1.0.2"]; !ok || loss.S != "p" {
		t.Errorf("loss: %+v", loss)
	}
}
