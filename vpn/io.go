package vpn

import "time"

// InputKind is what can happen to an End.
type InputKind uint8

const (
	InCreate  InputKind = iota + 1 // the tunnel is configured at this end (again)
	InDelete                       // the tunnel is removed at this end; Notify: DELETE payloads are sent first
	InMessage                      // Msg arrived from the other end
	InTimer                        // Timer ran out; Idle is how long nothing has come in through the tunnel (IKE or ESP)
	InTraffic                      // a packet wants to leave through a tunnel that has no child SA: trap policies (Start: on traffic) negotiate
)

// Input is one thing that happens. Only the fields that its kind names count.
type Input struct {
	Kind   InputKind
	Notify bool
	Timer  TimerID
	Idle   time.Duration
	Msg    *Message
}

// ActionKind is what an End asks of its surroundings.
type ActionKind uint8

const (
	ActSend   ActionKind = iota + 1 // send Msg to the other end, After this long (processing)
	ActArm                          // start or restart Timer, to run out After
	ActDisarm                       // stop Timer
	ActUp                           // the child SA is installed: packets may pass this end from now on
	ActDown                         // the child SA is gone because Why: nothing passes this end
	ActState                        // State changed From -> To because Why
)

// Action is one thing to do, in the order given.
type Action struct {
	Kind  ActionKind
	Msg   *Message
	Timer TimerID
	After time.Duration
	From  State
	To    State
	Why   Why
}

// State of an end of a tunnel.
type State uint8

const (
	Absent      State = iota // not configured here: every message is ignored
	Waiting                  // configured, no IKE SA: waits for the peer, for traffic or for RetryTimer
	Negotiating              // IKE messages are being exchanged
	Up                       // IKE SA and child SA are installed
)

func (s State) String() string {
	return [...]string{"absent", "waiting", "negotiating", "up"}[s]
}

// TimerID names a timer of an End.
type TimerID uint8

const (
	RetransmitTimer TimerID = iota // a request was not answered
	RetryTimer                     // negotiation starts again after it was given up
	DPDTimer                       // time to look whether the peer has been heard of; then R-U-THERE and its retries
	RekeyIKETimer                  // RFC 2409 / RFC 7296: the IKE SA is replaced before it expires
	RekeyChildTimer                // the same for the child SA
	NumTimers
)

// Why says what made an End change state.
type Why uint8

const (
	WhyNone Why = iota
	WhyCreated
	WhyDeletedHere
	WhyDeletedByPeer // a DELETE arrived
	WhyDPD           // dead peer detection gave the peer up
	WhyNegotiated
	WhyPeerInitiated
	WhyTimedOut // retransmissions were exhausted
	WhyRetry
	WhyTraffic
	WhyExpired // a lifetime ran out without a rekey
)

func (w Why) String() string {
	return [...]string{"", "created", "deleted at this end", "DELETE received", "dead peer detection",
		"negotiated", "peer initiated", "retransmissions exhausted", "retry", "traffic", "lifetime expired"}[w]
}

// Exchange is the kind of an IKE message.
type Exchange uint8

const (
	MainMode    Exchange = iota + 1 // IKEv1 phase 1, messages 1-6. RFC 2409 §5
	QuickMode                       // IKEv1 phase 2, messages 1-3
	SAInit                          // IKEv2, request and response. RFC 7296 §1.2
	Auth                            // IKEv2 IKE_AUTH
	CreateChild                     // IKEv2 CREATE_CHILD_SA (rekey)
	Delete                          // DELETE payload; IKEv2 answers it
	RUThere                         // IKEv1 DPD (RFC 3706) or IKEv2 empty INFORMATIONAL
)

// Message is one IKE message. Nobody changes it after it is made.
type Message struct {
	Exchange Exchange
	Num      uint8  // 1-6 within MainMode, 1-3 within QuickMode; 1 request, 2 response elsewhere
	ID       uint32 // message id: tells retransmissions and old exchanges from new ones
	SPI      uint64 // the initiator's IKE SPI: names the IKE SA
	Version  uint8  // 1 or 2
	IKE      bool   // Delete: the IKE SA (and all below it) rather than one child SA; CreateChild/QuickMode: false for a child
	Size     int    // octets of the UDP payload, for captures

	Child          uint32 // the child SA that is made or deleted: one number for the pair of SPIs
	Old            uint32 // CreateChild: the child SA that Child replaces (REKEY_SA)
	New            uint64 // CreateChild with IKE: the initiator's SPI of the SA that replaces SPI
	InitialContact bool   // MainMode 5, Auth 1: the sender has no other SA with the receiver. RFC 2407 §4.6.3.3, RFC 7296 §2.4
	Refused        bool   // CreateChild 2: nothing was made. RFC 7296 §2.25
}

// Version of IKE.
type Version uint8

const (
	IKEv1 Version = 1
	IKEv2 Version = 2
)

// DPDAction is what an End does when its peer is dead.
type DPDAction uint8

const (
	DPDClear   DPDAction = iota // the SAs go; waits for the peer or for traffic
	DPDRestart                  // the SAs go; negotiates anew at once
	DPDNone                     // nothing: AWS "none"
)

// Config of one end of a tunnel.
type Config struct {
	Version   Version
	Initiate  bool // negotiates by itself when created (AWS "start"; GCP always). Otherwise waits (AWS "add")
	OnTraffic bool // negotiates when a packet wants to leave

	// Processing is called once for each message that is answered or begun: the time that it takes.
	Processing func() time.Duration

	Retransmit      time.Duration // first retransmission of an unanswered request
	RetransmitBase  float64       // each next one this many times later (strongSwan 1.8)
	RetransmitTries int
	Retry           time.Duration // from giving up to negotiating again; 0: never by itself

	DPDInterval time.Duration // idle time after which R-U-THERE is sent; 0: no DPD
	DPDRetry    time.Duration // between unanswered R-U-THEREs (IKEv1)
	DPDTimeout  time.Duration // from the last inbound packet to "dead" when that is what counts (IKEv1 dpd_timeout); 0: DPDRetries decide
	DPDRetries  int           // unanswered R-U-THEREs before the peer is dead
	DPDAction   DPDAction

	IKELifetime   time.Duration // 0: for ever
	ChildLifetime time.Duration
	RekeyMargin   time.Duration // rekeying starts this long before the lifetime ends …
	RekeyFuzz     float64       // … plus up to this share of the margin earlier (1 = 100 %)

	Rand func() uint64 // for fuzz and SPIs
}
