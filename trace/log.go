// Package trace keeps what happened in a run, each record with its cause, and
// turns it into explanations: the chain of waits that led from the start of an
// outage to its end.
//
// A nil *Log keeps nothing and costs one comparison a record. Recording never
// changes a run: what is written here is read only after it.
package trace

import (
	"net/netip"

	"github.com/vpnsim/vpnsim/bfd"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/vpn"
)

// Log is the record of one run, in the order in which it happened.
type Log struct {
	Events  []Event  // every event handled: Events[i].ID is i+1
	Notes   []Note   // what the events meant
	Packets []Packet // what was sent over links; empty unless Capture
	Capture bool
	Names   Names
}

// Names of what records refer to by index.
type Names struct {
	Actors  []string
	Routers []string
	Hosts   []string
	Links   []LinkName
	Probes  []string
}

// LinkName names a link and its two ends.
type LinkName struct {
	Name    string
	Tunnel  bool
	Routers [2]int
	Inside  [2]netip.Addr
	Outside [2]netip.Addr
}

// Event is an event that was handled.
type Event struct {
	At    sim.Time
	Cause sim.EventID
	Arg   uint64
	To    sim.ActorID
	Kind  sim.Kind
	Phase sim.Phase
}

// NoteKind is what a Note tells.
type NoteKind uint8

const (
	NoteFault      NoteKind = iota + 1 // the story's fault number A happened (Fault: its description)
	NoteSession                        // Router's session over Link: From -> To (bgp.State) because A (bgp.Why)
	NoteMessage                        // Router sent Msg over Link
	NoteRoute                          // Router's best route changed to Route
	NoteFIB                            // Router's forwarding table: Prefix now has the links in Links
	NoteTable                          // Router's cloud route table: the same
	NoteTunnel                         // Router's end of Link: From -> To (vpn.State) because A (vpn.Why)
	NoteIKE                            // Router sent IKE over Link
	NoteLink                           // Link is Up or down
	NoteLost                           // probe A, sequence B died at Router: Text says why, Because wrote the state
	NoteAdvertise                      // Router's advertisement to the peer over Link waits for MRAI (Up) or no longer; A: the interval, if it is known beforehand
	NoteForwarding                     // probe A, direction B (0 request, 1 reply): Up or not from now on; Text says why
	NoteLimit                          // Router takes A prefixes over Link and no more: the peer has announced another one
	NoteBFD                            // Router's BFD session over Link: From -> To (bfd.State) because A (bfd.Diag), or Text where nobody could be told
	NoteStall                          // Router's routing process stalls, or goes on (Up)
	NoteLeft                           // Router's hold timer over Link has run out, of which something comes when its process wakes
	NoteStale                          // Router keeps A routes of the peer over Link, which has gone away (graceful restart)
)

// Note is the meaning of an event.
type Note struct {
	At      sim.Time
	Event   sim.EventID // the event in which it was written
	Because sim.EventID // the event that wrote the state which was read, or brought what was decided about later; 0: none
	Kind    NoteKind
	Router  int32 // -1: none
	Link    int32 // -1: none
	From    uint8
	To      uint8
	Up      bool
	A, B    int64
	Text    string
	Prefix  netip.Prefix
	Links   []int32
	Msg     *bgp.Message
	Route   *bgp.Route
	IKE     *vpn.Message
}

// Proto of a captured packet; the numbers are IP's.
type Proto uint8

const (
	ProtoICMP Proto = 1
	ProtoTCP  Proto = 6
	ProtoUDP  Proto = 17 // IKE, BFD
)

// TCP flags.
const (
	FIN uint8 = 1 << iota
	SYN
	RST
	PSH
	ACK
)

// Packet is a packet as it was put on a link.
type Packet struct {
	At     sim.Time
	Arrive sim.Time // meaningless when Lost
	Event  sim.EventID
	Link   int32
	From   int8 // the end that sent it: 0 or 1
	Lost   bool
	Proto  Proto
	TTL    uint8
	Src    netip.Addr // of the packet itself; on a tunnel that is the inner packet
	Dst    netip.Addr

	// ICMP echo.
	Reply  bool
	EchoID uint16
	Seq    uint16
	Size   int // ICMP payload, octets

	// TCP.
	SrcPort, DstPort uint16
	TCPSeq, TCPAck   uint32
	Flags            uint8
	Msgs             []*bgp.Message // the payload

	// IKE, between the outside addresses.
	IKE *vpn.Message

	// BFD, between those of the link.
	BFD *bfd.Packet
}

// Note appends n; a nil log keeps nothing.
func (l *Log) Note(n Note) {
	if l != nil {
		l.Notes = append(l.Notes, n)
	}
}

// Reset forgets the run but keeps the memory.
func (l *Log) Reset() {
	l.Events, l.Notes, l.Packets = l.Events[:0], l.Notes[:0], l.Packets[:0]
}
