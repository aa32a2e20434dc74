package network

import "github.com/vpnsim/vpnsim/sim"

// Kinds of events. Their Arg says what they are about; see the pack functions
// beside those who schedule them.
const (
	evBringUp   sim.Kind = iota + 1 // the link Arg is configured at both ends, during warm-up
	evSettle                        // warm-up is over
	evFault                         // fault Arg of the story
	evTick                          // probe Arg sends its next echo request
	evEcho                          // an echo reaches a router: echoArg
	evSegment                       // a TCP segment reaches its side: segArg
	evTCPTimer                      // retransmission timer of connection side Arg
	evBGPTimer                      // Arg = session<<8 | timer
	evRouteTime                     // advertisement timer (MRAI) of session Arg
	evUpdate                        // the update at the head of the router's queue is due
	evFIB                           // the change at the head of the router's FIB queue is programmed
	evTable                         // … of its route table queue
	evIKESend                       // an IKE message leaves, after processing: index of the message
	evIKE                           // … arrives
	evVPNTimer                      // Arg = link<<9 | end<<8 | timer
)

// KindName names a kind of event, for traces.
func KindName(k sim.Kind) string {
	names := [...]string{"", "bring-up", "settle", "fault", "probe", "echo", "segment", "tcp-timer", "bgp-timer",
		"mrai-timer", "update", "fib", "route-table", "ike-send", "ike", "vpn-timer"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}
