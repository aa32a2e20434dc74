package bfd

import "time"

// InputKind is what can happen to a Session.
type InputKind uint8

const (
	InEnable  InputKind = iota + 1 // the session is wanted. §6.8.16
	InDisable                      // the operator takes it down: the neighbour is told AdminDown with Diag, for a while
	InPacket                       // Packet arrived
	InTimer                        // Timer ran out
	InChange                       // Timing is what the session is configured with from now on. §6.8.3
)

// Input is one thing that happens. Only the fields that its kind names count.
type Input struct {
	Kind   InputKind
	Timer  TimerID
	Packet Packet
	Diag   Diag
	Timing Timing

	// Since is how long ago this end last sent a packet: with InPacket and
	// InChange, after which the next packet may be due earlier than it was.
	Since time.Duration
}

// ActionKind is what a Session asks of its surroundings.
type ActionKind uint8

const (
	ActSend   ActionKind = iota + 1 // send Packet now
	ActArm                          // start or restart Timer, to run out After
	ActDisarm                       // stop Timer
	ActState                        // State changed From -> To; Packet.Diag says why
)

// Action is one thing to do, in the order given.
type Action struct {
	Kind   ActionKind
	Timer  TimerID
	From   State
	To     State
	After  time.Duration
	Packet Packet
}

// State of a session: bfd.SessionState. The numbers are those of the packet. §4.1
type State uint8

const (
	AdminDown State = iota
	Down
	Init
	Up
)

func (s State) String() string {
	return [...]string{"AdminDown", "Down", "Init", "Up"}[s&3]
}

// TimerID names a timer of a Session.
type TimerID uint8

const (
	TxTimer     TimerID = iota // the next packet is due
	DetectTimer                // nothing has come in for a Detection Time; in AdminDown: the neighbour has been told for long enough
	NumTimers
)

// Diag says why the state last changed: bfd.LocalDiag. The numbers are those of the packet. §4.1
type Diag uint8

const (
	DiagNone         Diag = 0
	DiagExpired      Diag = 1
	DiagNeighborDown Diag = 3
	DiagPathDown     Diag = 5
	DiagAdminDown    Diag = 7
)

func (d Diag) String() string {
	names := [...]string{"No Diagnostic", "Control Detection Time Expired", "Echo Function Failed", "Neighbor Signaled Session Down",
		"Forwarding Plane Reset", "Path Down", "Concatenated Path Down", "Administratively Down", "Reverse Concatenated Path Down"}
	if int(d) < len(names) {
		return names[d]
	}
	return "reserved"
}

// Packet is a BFD Control packet without what never varies here: version 1, no
// authentication, no demand mode, no echoes, 24 octets. §4.1
type Packet struct {
	State       State
	Diag        Diag
	Poll        bool
	Final       bool
	Independent bool // C: the sender's BFD goes on when its control plane does not
	Mult        uint8
	My, Your    uint32 // discriminators
	MinTx       time.Duration
	MinRx       time.Duration
}

// Size of a packet: octets of the UDP payload. §4.1
const Size = 24

// Timing is how fast an end wants to be.
type Timing struct {
	MinTx time.Duration // Desired Min TX Interval while the session is Up; whole microseconds
	MinRx time.Duration // Required Min RX Interval; 0: no periodic packets, please
	Mult  uint8         // Detect Mult; not 0
}

// Config of one end of a session.
type Config struct {
	Timing
	Discr       uint32 // My Discriminator: unique at this end, not 0
	Passive     bool   // says nothing before it has heard from its neighbour. §6.1
	Independent bool   // sets the C bit

	// Jitter is the least share of an interval, in thousandths, that chance
	// leaves of it. §6.8.7 has 750; 0 stands for it.
	Jitter uint32
	Rand   func() uint64 // for jitter; nil: there is none
}
