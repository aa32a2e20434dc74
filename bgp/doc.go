// Package bgp is BGP-4 as pure state machines: an input goes in, a list of
// actions comes out. Nothing in here owns a socket, a clock, a goroutine or a
// random source, so the same code runs simulated, replayed from a transcript,
// or against a real router.
//
// Two machines share one vocabulary (Input, Action):
//
//   - Session is the finite state machine of RFC 4271 §8 for one neighbour:
//     connections, OPEN negotiation, collision detection, timers,
//     NOTIFICATIONs. It ends in "the session is up" (ActUp) or "it is down,
//     because" (ActDown).
//   - Speaker is the router's view of all neighbours: Adj-RIB-In, the decision
//     process of §9.1, Loc-RIB, export policy, Adj-RIB-Out and the
//     MinRouteAdvertisementInterval of §9.2.1.1. It ends in messages to send
//     (ActSend) and in routes to use (ActRoute).
//
// The caller owns the slice of actions: acts = s.Step(acts[:0], in). The list
// of actions is the behaviour, and the tests are such lists.
//
// Messages are structs that nobody changes after they are made; bgp/wire turns
// them into RFC 4271 bytes and back.
package bgp
