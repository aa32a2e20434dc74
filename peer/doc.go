// Package peer lets a simulated network run on the wall clock with a real router
// in the place of one of its own: vpnsim plays one end of the scenario's links
// (a cloud's gateway, say), the real router is at the other.
//
// It joins two packages that know nothing of each other. network runs the
// simulated routers, the tunnels and the story, and has an end of a simulated TCP
// connection where the real router should be; bgp/live has that router's socket.
// What arrives at one goes to the other, and the kernel's clock is held to the
// real one. Nothing of a Session, a Speaker or a link is different from a run:
// what is real is the neighbour, and the time.
//
//	plan.go     who plays whom, at which addresses
//	run.go      the loop that everything goes through
//	carry.go    between network and sockets
//	lines.go    what happened, as it happens
//	compare.go  what the router did after each fault, beside what the profile predicts
package peer
