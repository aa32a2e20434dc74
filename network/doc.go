// Package network is what is running: it binds the pure machines of bgp and
// vpn to the kernel's time, carries their messages over links, forwards
// packets, applies the story's faults and keeps account of when traffic
// passed and when it did not.
//
// A Network is made once from a topology.Design, which never changes, and run
// as often as one likes, each time with another seed. What a run changes lives
// here: which SAs are installed, what is in forwarding and route tables, which
// TCP connections exist and what is on its way in them.
//
// The files follow a packet: a probe sends (echo.go), tables say where to
// (table.go), links carry or lose it (link.go). The control plane is in
// session.go (BGP), tcp.go (what carries it) and tunnel.go (IPsec); loop.go and
// wheel.go have what the routers' machines add, main loops that sleep and timers that come
// late; fault.go tells the story. outage.go watches the forwarding state and notes the exact
// instants at which a round trip begins and ceases to work. converge.go counts how
// routing reacts to a fault, endless.go knows when it never comes to rest. wait.go names what
// an event had been waiting for: it is the vocabulary of every explanation.
package network
