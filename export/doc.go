// Package export writes the record of a run in formats that other tools read:
//
//   - pcapng, for Wireshark: every packet on every link (WritePcapng)
//   - MRT, for bgpdump and the tools of route collectors: every BGP message and
//     every change of a session (WriteMRT)
//   - NDJSON, for jq and scripts: every event with what it meant (WriteNDJSON)
//   - Chrome trace JSON, for Perfetto: the run as a picture (WriteTrace)
//
// Exporters read a trace.Log and write to an io.Writer; they open no files and
// change nothing. The same log gives the same bytes. Instants of the run are
// nanoseconds since time zero; formats that want a date get base, the date of
// time zero, added.
//
// It leaves to others: the octets of BGP messages (bgp/wire), those of IP
// packets and of the pcapng file (packet), and which log to write where
// (cmd/vpnsim).
package export

import (
	"fmt"

	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

// KindName names the events of an actor: a sim.Kind means something only to
// the actor that handles it.
type KindName func(to sim.ActorID, kind sim.Kind) string

// of is the name; without a function, the number.
func (f KindName) of(to sim.ActorID, kind sim.Kind) string {
	if f == nil {
		return fmt.Sprintf("kind %d", kind)
	}
	return f(to, kind)
}

// nameOf is name i of a list, or what it is the name of and its number: a log
// without names is still one that can be read.
func nameOf(names []string, i int, what string) string {
	if i >= 0 && i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s %d", what, i)
}

func linkName(l *trace.Log, i int32) string {
	if i >= 0 && int(i) < len(l.Names.Links) {
		return l.Names.Links[i].Name
	}
	return fmt.Sprintf("link %d", i)
}

// end is which end of a link a router is; -1: neither.
func end(l *trace.Log, link, router int32) int {
	if link < 0 || int(link) >= len(l.Names.Links) {
		return -1
	}
	for e, r := range l.Names.Links[link].Routers {
		if r == int(router) {
			return e
		}
	}
	return -1
}
