package bgp

import (
	"net/netip"
	"time"
)

// PeerID indexes the neighbours of one router; it is the same number in the
// Speaker, in its Sessions and in the actions of both.
type PeerID int32

// Local is the PeerID of routes that the router itself originates.
const Local PeerID = -1

// ConnID names one TCP connection of a session and is never used again. An
// outgoing connection gets the Conn that its ActConnect carried (a Session
// counts them -1, -2, …), an incoming one whatever its InTCPUp says (the caller
// counts them from 0 upwards).
type ConnID int32

// InputKind is what can happen to a Session or a Speaker.
type InputKind uint8

const (
	// To a Session; the numbers are the events of RFC 4271 §8.1.
	InStart      InputKind = iota + 1 // 1, 3: ManualStart, AutomaticStart
	InStop                            // 2: ManualStop: a CEASE with Subcode goes out on every connection
	InLinkDown                        // 8: AutomaticStop without a word: the interface is gone (fast external fallover); it restarts by itself on InLinkUp
	InLinkUp                          // the interface is back: an idle session may start at once (AutomaticStart)
	InTCPUp                           // 16 (Incoming false), 17 (Incoming true): the connection Conn is established
	InTCPDown                         // 18: the connection Conn failed, was refused, reset or closed
	InTimer                           // 9-13: Timer ran out
	InMessage                         // 19, 24-27: Msg arrived on Conn
	InBadMessage                      // 21, 22, 28: what arrived on Conn is malformed; Msg is the NOTIFICATION that says how
	InSendStuck                       // RFC 9687: nothing could be sent on Conn; starts SendHoldTimer unless it runs. InSendFree stops it.
	InSendFree
	InSent         // the session sent an UPDATE for the Speaker: restarts KeepaliveTimer (RFC 4271 §8.2.2, Established); nothing else depends on it
	InBFDAdminDown // 30-32 of draft-ietf-idr-bgp-bfd-strict-mode: what the BFD session to the peer has become
	InBFDDown      // … it was Up and says that the path has failed
	InBFDUp
	InBFDStarting // neither: it is on its way up
	InPrefixLimit // the Speaker says that the peer announces too much (ActMaxPrefixes): the session ends with CEASE/1. RFC 4486
	InAskAgain    // the operator wants the peer's routes once more: a ROUTE-REFRESH goes out. RFC 2918

	// To a Speaker, always with a PeerID.
	InPeerUp    // the session is Established; Open is what the peer offered
	InPeerDown  // the session has left Established
	InUpdate    // Msg, an UPDATE, arrived
	InRouteTime // the advertisement timer of the peer ran out
	InOriginate // Prefix becomes a route of the router itself
	InWithdraw  // Prefix is no longer one
	InReuseTime // the timer of ActReuseTime ran out
	InDecide    // it is time to choose routes (ActDecide)
	InNextHop   // the next hops that the peer announces have become reachable (Reachable), or are no longer: next-hop tracking
	InSettle    // warm-up is over: an egress that was chosen is kept from now on (RuleIncumbent)
	InRefresh   // the peer asked for everything again. RFC 2918
	InStaleTime // Timer, one of stale.go, of the peer (or Local) ran out
	InRestart   // Local: the process has restarted, its forwarding table is what it was. RFC 4724 §4.1
)

// Input is one thing that happens. Only the fields that its kind names count.
type Input struct {
	Kind      InputKind
	Timer     TimerID
	Conn      ConnID
	Incoming  bool
	Subcode   uint8
	Graceful  bool // InPeerDown: the peer restarts, its routes are kept for a while (RFC 4724)
	Msg       *Message
	Open      *Open
	Prefix    netip.Prefix
	Reachable bool
	Stamp     uint64 // the event that brought it; kept with the state it writes
	// Now is when it happens, since any moment that stays the same. A Speaker needs
	// it for MRAI by prefix, by tick, by out-delay or in whole seconds; it never goes
	// backwards.
	Now time.Duration
}

// ActionKind is what a machine asks of its surroundings.
type ActionKind uint8

const (
	// From a Session.
	ActConnect ActionKind = iota + 1 // open a TCP connection to the peer and call it Conn
	ActClose                         // close Conn after what was sent (FIN); forget it
	ActAbort                         // reset Conn at once (RST); forget it
	ActArm                           // start or restart Timer, to run out After
	ActDisarm                        // stop Timer
	ActState                         // the session's state changed From -> To because Why
	ActUp                            // Established: pass Open on to the Speaker as InPeerUp
	ActDown                          // left Established because Why: pass on as InPeerDown
	ActUpdate                        // an UPDATE or ROUTE-REFRESH came: pass Msg on to the Speaker

	// From both.
	ActSend // send Msg (a Session: on Conn; a Speaker: to Peer's session)

	// From a Speaker.
	ActRoute     // the route to Prefix changed: Route says what is used now and why
	ActRouteTime // arm the advertisement timer of Peer, to run out After (0: now); First: it is the wait before the session's first UPDATE
	ActNoRouteTime
	ActDecide      // there is news: InDecide is expected, whatever else there will be news about until then
	ActReuseTime   // arm the timer of damped routes, to run out After; Peer has the first that is due. RFC 2439
	ActStaleTime   // arm Timer, one of stale.go, of Peer (or Local), to run out After
	ActNoStaleTime // stop it
	ActChosen      // the routes are chosen that InRestart had deferred: what else is in the forwarding table is stale
	ActMaxPrefixes // Peer announced more prefixes than MaxPrefixes: InPrefixLimit for its session, unless the limit only warns
)

// Action is one thing to do, in the order given.
type Action struct {
	Kind  ActionKind
	Peer  PeerID
	Conn  ConnID
	Timer TimerID
	After time.Duration
	Msg   *Message
	From  State
	To    State
	Why   Why
	First bool
	Idle  bool // of an ActRouteTime: nothing waits for it yet
	// Graceful, of an ActDown and the ActState before it: the peer is taken to
	// restart, and its routes are to be kept. An ActDown without it may follow.
	Graceful bool
	Open     *Open
	Route    *Route
	Stamp    uint64 // of an ActRoute that InDecide led to: that of the input that brought the news
}

// State of a session. RFC 4271 §8.2.2.
type State uint8

const (
	Idle State = iota
	Connect
	Active
	OpenSent
	OpenConfirm
	Established
)

func (s State) String() string {
	return [...]string{"Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"}[s]
}

// TimerID names a timer of a session. RFC 4271 §8.1.3, §10; RFC 9687.
// ConnectRetry, DelayOpen and IdleHold belong to the session; Hold, Keepalive and SendHold
// belong to a connection, of which a collision can make two: the second
// connection's are the same names + SecondConn.
type TimerID uint8

const (
	ConnectRetryTimer TimerID = iota
	HoldTimer
	KeepaliveTimer
	DelayOpenTimer
	IdleHoldTimer
	SendHoldTimer
	SecondConn         // HoldTimer + SecondConn is the hold timer of the second connection
	NumTimers  TimerID = 2 * SecondConn
)

// Why says what made a session change state.
type Why uint8

const (
	WhyNone Why = iota
	WhyStart
	WhyStop
	WhyLinkDown
	WhyLinkUp
	WhyConnectRetry
	WhyIdleHold
	WhyTCPUp
	WhyTCPFailed
	WhyDelayOpen
	WhyOpen
	WhyKeepalive
	WhyHoldTimer
	WhySendHold
	WhyNotification // the peer sent one; Msg holds it. (With other reasons Msg is ours, if the reason has one; it was sent if our OPEN was.)
	WhyCollision
	WhyBadMessage
	WhyUnexpected // a message that this state does not expect
	WhyBFDDown
	WhyBFDUp // strict mode: the session had been waiting for it
	WhyPrefixLimit
	WhyRestart // a new connection of the peer, which must have restarted
)

func (w Why) String() string {
	return [...]string{"", "started", "administrative stop", "link down", "link up", "ConnectRetryTimer expired",
		"IdleHoldTimer expired", "TCP connection established", "TCP connection failed", "DelayOpenTimer expired",
		"OPEN accepted", "KEEPALIVE received", "HoldTimer expired", "SendHoldTimer expired",
		"NOTIFICATION received", "connection collision", "malformed message", "unexpected message",
		"BFD down", "BFD up", "too many prefixes", "the peer has restarted"}[w]
}
