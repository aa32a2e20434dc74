// Package vpn is one end of an IPsec tunnel as a pure state machine, in the
// same shape as bgp.Session: an input goes in, a list of actions comes out,
// and no clock, socket or random source lives inside.
//
// A tunnel is two Ends, one at each gateway, that exchange IKE messages over
// the path between their outside addresses. An End owns the IKE SA, the child
// SA (IPsec SA), dead peer detection, rekeying and the DELETE notification.
// What it does not own: the packets inside the tunnel, their delay and loss
// (package network), and what routing does when the tunnel goes (package bgp).
//
// The life of an End is four states:
//
//	Absent ──create──▶ Waiting ──start, traffic, retry, peer──▶ Negotiating ──▶ Up
//	   ▲                  ▲                                          │          │
//	   └───delete─────────┴──────given up────────────────────────────┴──down────┘
//
// Below them lie the SAs. An End may hold several at once, since rekeying
// makes the new one before it breaks the old one: SA names the child SA that
// packets leave with, Accepts tells which ones may come in. Two Ends that are
// both Up normally agree about them; where they do not (one has been deleted
// and made anew), packets are lost until the peer's negotiation, dead peer
// detection or a failed rekey ends it.
//
// What is simplified, on purpose: cryptography and its failures, NAT, more
// than one child SA (one route-based tunnel has one), fragments, cookies. The
// responder follows the initiator's IKE version. The two SPIs of an IKE SA,
// and of a child SA, are one number here.
package vpn
