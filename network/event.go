package network

import "github.com/vpnsim/vpnsim/sim"

// Kinds of events. Their Arg says what they are about; see the pack functions
// beside those who schedule them.
const (
	evBringUp   sim.Kind = iota + 1 // the link Arg is configured at both ends, during warm-up
	evSettle                        // warm-up is over
	evFault                         // fault Arg of the story
	evTick                          // probe Arg sends its next echo request
	evTCPTimer                      // retransmission timer of connection side Arg
	evBGPTimer                      // Arg = session<<8 | timer
	evRouteTime                     // advertisement timer (MRAI) of session Arg
	evReuse                         // a damped route of session Arg may be used again
	evNextHop                       // next-hop tracking of session Arg reacts
	evVPNTimer                      // Arg = link<<9 | end<<8 | timer

	// What is on its way, and soon over.
	evEcho    // an echo reaches a router: echoArg
	evSegment // a TCP segment reaches its side: segArg
	evUpdate  // the update at the head of the router's queue is due
	evFIB     // the change at the head of the router's FIB queue is programmed
	evTable   // … of its route table queue; Arg: localChange or 0
	evIKESend // an IKE message leaves, after processing: index of the message
	evIKE     // … arrives
	evOutside // a real router does something: index of the input
	evFlying  = evEcho

	evBFD        sim.Kind = iota // a BFD packet reaches its end: bfdArg
	evBFDTimer                   // Arg = BFD end<<8 | timer; not on its way
	evStaleTimer                 // Arg = session<<8 | timer of stale routes, or router<<8 | SelectionTimer; not on its way
	evStall                      // the routing process of router Arg stalls; not on its way
	evStallOver                  // … goes on; not on its way
	evStarted                    // the routing process of router Arg has been started; not on its way
	evLoop                       // the main loop of router Arg takes its next turn; not on its way
	evDecide                     // router To chooses its routes; not on its way
	evSplice                     // streams are exchanged: number of the splice
)

// flies tells whether an event is the arrival of something that was on its way.
func flies(k sim.Kind) bool { return k >= evFlying && k < evBFDTimer }

// localChange is the Arg of a change that waits for route_table.local_delay.
const localChange = 1

// launch schedules something that a router does with itself soon. While
// anything is on its way, a stretch is not quiet.
func (n *Network) launch(at sim.Time, to sim.ActorID, kind sim.Kind, arg uint64) {
	n.flying++
	n.k.At(at, sim.Event{To: to, Kind: kind, Arg: arg, Phase: sim.PhaseDeliver})
}

// launchPacket schedules the arrival of a packet at another router.
func (n *Network) launchPacket(at sim.Time, by sim.Lane, to sim.ActorID, kind sim.Kind, arg uint64) {
	n.flying++
	n.k.AtPlace(at, n.k.Place(sim.PhaseDeliver, by, to), sim.Event{Kind: kind, Arg: arg})
}

// packets is the lane of what comes from a router and is dealt with where it
// arrives, by kernels and line cards: among it are acknowledgements.
func packets(from sim.ActorID) sim.Lane { return sim.Own + 1 + sim.Lane(from) }

// reads is the lane of what a router sends over TCP, which a routing process
// reads from its sockets by turns.
func reads(from sim.ActorID) sim.Lane { return sim.TakesTurns + sim.Lane(from) }

// launchIKE is launch for an IKE message that is being made.
func (n *Network) launchIKE(at sim.Time, to sim.ActorID, msg uint64) {
	n.flying++
	n.k.At(at, sim.Event{To: to, Kind: evIKESend, Arg: msg, Phase: sim.PhaseTimer})
}

// KindName names a kind of event, for traces.
func KindName(k sim.Kind) string {
	names := [...]string{"", "bring-up", "settle", "fault", "probe", "tcp-timer", "bgp-timer", "mrai-timer", "reuse-timer", "next-hop", "vpn-timer",
		"echo", "segment", "update", "fib", "route-table", "ike-send", "ike", "outside", "bfd", "bfd-timer", "stale-timer", "stall", "stall-over", "started", "main-loop", "decision", "splice"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}
