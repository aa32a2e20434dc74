package export

// NDJSON: one JSON object a line and event, in the order of handling, fields
// in a fixed order. Event 0 is the set-up; it has a line when something was
// noted in it.

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

// seconds is an instant as a JSON number with nine decimals. It is made of
// integers: no nanosecond is lost.
type seconds sim.Time

func (s seconds) MarshalJSON() ([]byte, error) {
	return appendDecimal(nil, int64(s), 1e9, 9), nil
}

// appendDecimal appends v/unit with that many decimals.
func appendDecimal(b []byte, v, unit int64, decimals int) []byte {
	u := uint64(v)
	if v < 0 {
		b = append(b, '-')
		u = -u
	}
	return fmt.Appendf(b, "%d.%0*d", u/uint64(unit), decimals, u%uint64(unit))
}

// eventLine is a line; its fields are in the order in which they are printed.
type eventLine struct {
	ID    sim.EventID `json:"id"`
	At    seconds     `json:"at_s"`
	Cause sim.EventID `json:"cause"`
	Actor string      `json:"actor"`
	Kind  string      `json:"kind"`
	Phase string      `json:"phase"`
	Arg   uint64      `json:"arg"`
	Notes []noteLine  `json:"notes,omitempty"`
}

type noteLine struct {
	Note    string      `json:"note"`
	Words   string      `json:"words"`
	Because sim.EventID `json:"because,omitempty"`
	Router  string      `json:"router,omitempty"`
	Link    string      `json:"link,omitempty"`
	Probe   string      `json:"probe,omitempty"`
	Seq     *int64      `json:"seq,omitempty"`
	Prefix  string      `json:"prefix,omitempty"`
	Links   []string    `json:"links,omitzero"` // an empty list says "nowhere"
	Up      *bool       `json:"up,omitempty"`
}

// WriteNDJSON writes every event of the run with what was noted in it.
func WriteNDJSON(w io.Writer, log *trace.Log, kindName KindName) error {
	buf := bufio.NewWriter(w)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false) // "->" is for people
	notes := notesByEvent(log)
	take := func(id sim.EventID) []noteLine {
		var out []noteLine
		for len(notes) > 0 && log.Notes[notes[0]].Event <= id {
			out = append(out, line(log, &log.Notes[notes[0]]))
			notes = notes[1:]
		}
		return out
	}
	first := take(0)
	if len(first) > 0 {
		start := log.Notes[notesByEvent(log)[0]].At
		if err := enc.Encode(eventLine{At: seconds(start), Kind: "set-up", Notes: first}); err != nil {
			return fmt.Errorf("ndjson: %w", err)
		}
	}
	for i := range log.Events {
		e := &log.Events[i]
		id := sim.EventID(i + 1)
		err := enc.Encode(eventLine{
			ID: id, At: seconds(e.At), Cause: e.Cause, Actor: nameOf(log.Names.Actors, int(e.To), "actor"),
			Kind: kindName.of(e.To, e.Kind), Phase: phaseName(e.Phase), Arg: e.Arg, Notes: take(id),
		})
		if err != nil {
			return fmt.Errorf("ndjson: event %d: %w", id, err)
		}
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("ndjson: %w", err)
	}
	return nil
}

// notesByEvent is the order of the notes by event; within one, that of writing.
func notesByEvent(log *trace.Log) []int {
	order := make([]int, len(log.Notes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(log.Notes[a].Event, log.Notes[b].Event) })
	return order
}

func phaseName(p sim.Phase) string {
	switch p {
	case sim.PhaseFault:
		return "fault"
	case sim.PhaseDeliver:
		return "deliver"
	case sim.PhaseTimer:
		return "timer"
	case sim.PhaseProbe:
		return "probe"
	}
	return fmt.Sprintf("phase %d", p)
}

// line has those fields of a note that its kind gives a meaning.
func line(log *trace.Log, n *trace.Note) noteLine {
	out := noteLine{Note: noteName(n.Kind), Words: words(log, n), Because: n.Because}
	switch n.Kind {
	case trace.NoteLost:
		out.Probe, out.Seq = probe(log, n), &n.B
	case trace.NoteForwarding:
		out.Probe, out.Up = probe(log, n), &n.Up
	case trace.NoteLink, trace.NoteAdvertise, trace.NoteStall:
		out.Up = &n.Up
	case trace.NoteFIB, trace.NoteTable:
		out.Links = []string{}
		for _, l := range n.Links {
			out.Links = append(out.Links, linkName(log, l))
		}
	}
	switch n.Kind {
	case trace.NoteFault, trace.NoteForwarding:
	case trace.NoteLink:
		out.Link = linkName(log, n.Link)
	default:
		if n.Router >= 0 {
			out.Router = nameOf(log.Names.Routers, int(n.Router), "router")
		}
	}
	switch n.Kind {
	case trace.NoteSession, trace.NoteMessage, trace.NoteTunnel, trace.NoteIKE, trace.NoteBFD, trace.NoteAdvertise:
		out.Link = linkName(log, n.Link)
	case trace.NoteRoute, trace.NoteFIB, trace.NoteTable:
		out.Prefix = n.Prefix.String()
	}
	return out
}
