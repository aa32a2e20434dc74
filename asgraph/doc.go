// Package asgraph runs BGP over a graph of autonomous systems, as large as the
// Internet: the control plane only.
//
// Package network simulates every packet, and some hundred routers are enough
// for it. Here an AS is one bgp.Speaker, the very machine that runs there, with
// the same kernel underneath, and what lies between two of them is as little as
// possible: sessions are there from the start, over a transport that loses
// nothing and keeps the order. There is no OPEN, no keepalive, no hold timer, no
// TCP and no forwarding table, so a session ends because its link goes down,
// which both ends see at once, and it is back when the link is. What is left is
// what decides how a large network converges: who tells whom what, how long an
// UPDATE is under way and waits to be processed, the decision process, policies,
// and the minimum route advertisement interval.
//
// One prefix at a time is usual. Policies are those of Gao and Rexford
// (policy.go), made once for all ASes.
package asgraph
