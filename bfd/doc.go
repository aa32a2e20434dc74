// Package bfd is one end of a BFD session (RFC 5880, asynchronous mode) as a
// pure state machine, in the same shape as bgp.Session and vpn.End: an input
// goes in, a list of actions comes out, and no clock, socket or random source
// lives inside.
//
// BFD answers one question, and quickly: does the path to the neighbour carry
// packets both ways? Each end sends a packet every so often; an end that hears
// none for a while, the Detection Time, says Down, and tells the other end so
// in the packets that it goes on sending. So a path that is cut one way only is
// noticed by the end that hears nothing, and the other end follows.
//
// A session is in one of four states (§6.2):
//
//	AdminDown ──enabled──▶ Down ──hears Down──▶ Init ──hears Init, Up──▶ Up
//	    ▲                  ▲  └────────────────hears Init──────────────▶ ▲
//	    └──disabled──┐     └──────silence; hears Down; AdminDown─────────┘
//	             any state
//
// How often packets are sent is agreed for each direction by itself: never more
// often than the sender wants (Desired Min TX Interval) and the receiver bears
// (Required Min RX Interval), and not more often than once a second unless the
// session is Up. Each interval is shortened by chance, by up to a quarter. The
// Detection Time is the interval agreed for what comes in, times the Detect Mult
// of the end that sends it; it runs from the last packet that came. Three
// packets at intervals of 300 ms: a silent failure is noticed 600 to 900 ms
// after it happened.
//
// The files: io.go is what goes in and out, session.go the states, packets.go
// what is read and written, timing.go the intervals and the Poll Sequences that
// change them.
//
// Not here: demand mode, the echo function, authentication, more than one hop.
// What BGP makes of a session that goes down is package bgp's, how packets get
// there package network's.
package bfd
