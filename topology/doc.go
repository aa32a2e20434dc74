// Package topology is what is asked for: routers, hosts, links, tunnels,
// prefixes, timers, faults and probes, all with the place where each value was
// written. A Design never changes while it runs; what does is package network.
//
// Values that a profile, an RFC or a file may set are Settings: a fixed list
// of Keys (keys.go) with a type, a range and a meaning each. A Setting keeps
// its Origin, so that every explanation can say where a number came from.
package topology
