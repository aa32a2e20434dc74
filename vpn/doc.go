// Package vpn is one end of an IPsec tunnel as a pure state machine, in the
// same shape as bgp.Session: an input goes in, a list of actions comes out,
// and no clock, socket or random source lives inside.
//
// A tunnel is two Ends, one at each gateway, that exchange IKE messages over
// the path between their outside addresses. An End owns the IKE SA, the child
// SA (IPsec SA), dead peer detection, rekeying and the DELETE notification.
// What it does not own: the packets inside the tunnel, their delay and loss
// (package network), and what routing does when the tunnel goes (package bgp).
package vpn
