// Package live carries BGP messages over real TCP, so that a real router can be
// the neighbour of a simulated one. It is the only protocol code with sockets,
// goroutines and wall-clock time; all three end here.
//
// It is the place of network's simulated TCP in a simulated session, no more:
// it opens and accepts connections, cuts the stream of octets into messages
// (bgp/wire), and hands over what happened as values, in one channel. What a
// message means, every timer, collision, hold time, is the business of the same
// bgp.Session and bgp.Speaker that run in a simulation, and of who lets them run
// on the wall clock (package peer).
//
// A Hub owns the sockets of one run:
//
//	h := live.NewHub()
//	h.Listen(addr, opt)            // Accepted for each caller
//	h.Dial(tag, local, remote, opt) // Dialed, or Failed
//	for ev := range h.Events() { … }
//	h.Close()                      // nothing of it runs any more
//
// A Conn does not read before Start: until a session wants the connection, its
// octets wait where TCP keeps them. Malformed messages are what RFC 7606 makes
// of them: an UPDATE that withdraws, or a message of type bgp.MsgMalformed whose
// NOTIFICATION is the answer.
//
// TCP MD5 (RFC 2385) and TTL security (RFC 5082) are what Linux gives; elsewhere
// asking for them is an error. A Secret never shows its key.
package live
