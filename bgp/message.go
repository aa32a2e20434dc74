package bgp

import (
	"fmt"
	"net/netip"
)

// MsgType is the type octet of a message header. RFC 4271 §4.1, RFC 2918.
type MsgType uint8

const (
	MsgMalformed    MsgType = 0 // no message: octets from a real router that are none. Notification is the answer that they deserve
	MsgOpen         MsgType = 1
	MsgUpdate       MsgType = 2
	MsgNotification MsgType = 3
	MsgKeepalive    MsgType = 4
	MsgRouteRefresh MsgType = 5
)

// Message is one BGP message. It and everything it points to is never changed
// after it has been made, so that it may be shared between routers, records
// and captures.
type Message struct {
	Type         MsgType
	Open         *Open         // MsgOpen
	Update       *Update       // MsgUpdate
	Notification *Notification // MsgNotification, MsgMalformed
	Refresh      *Family       // MsgRouteRefresh
	Size         int           // octets on the wire, header included
}

// Keepalive is the KEEPALIVE message: a header and nothing else. RFC 4271 §4.4.
var Keepalive = &Message{Type: MsgKeepalive, Size: HeaderLen}

// HeaderLen is the length of marker, length and type. RFC 4271 §4.1.
const HeaderLen = 19

// Open carries what a speaker offers. RFC 4271 §4.2, capabilities RFC 5492.
type Open struct {
	Version      uint8
	AS           uint32 // the real AS; the wire shows AS_TRANS when it needs four octets (RFC 6793)
	HoldTime     uint16 // seconds
	ID           netip.Addr
	Families     []Family         // RFC 4760; empty: no multiprotocol capability, and IPv4 is meant
	RouteRefresh bool             // RFC 2918
	FourOctetAS  bool             // RFC 6793
	Restart      *GracefulRestart // RFC 4724; nil: not offered
	LongLived    *LongLived       // RFC 9494; nil: not offered
	AddPath      []AddPath        // RFC 7911; empty: not offered
	BFDStrict    bool             // draft-ietf-idr-bgp-bfd-strict-mode
}

// GracefulRestart is the capability of RFC 4724 §3. Families are those whose
// routes the peer is to keep while the speaker restarts; without any the
// speaker only offers to do the same for its peer.
type GracefulRestart struct {
	Restarting bool   // the R bit: the speaker has just restarted
	Notify     bool   // the N bit of RFC 8538: a NOTIFICATION is no reason not to
	Time       uint16 // seconds within which it means to be back; 12 bits
	Families   []RestartFamily
}

// RestartFamily is one family of a GracefulRestart. Preserved is the F bit: the
// speaker's forwarding state for it has outlived the restart.
type RestartFamily struct {
	Family
	Preserved bool
}

// LongLived is the capability of RFC 9494 §3.1; Families as above.
type LongLived struct {
	Families []LongLivedFamily
}

// LongLivedFamily is one family of a LongLived, whose stale routes are to be
// kept for StaleTime more seconds; 24 bits.
type LongLivedFamily struct {
	Family
	Preserved bool
	StaleTime uint32
}

// Update withdraws prefixes and announces others that share one set of
// attributes. No prefix at all is End-of-RIB (RFC 4724 §2). Prefixes of IPv6 are
// here like any others, and travel in MP_REACH_NLRI and MP_UNREACH_NLRI (RFC
// 4760); those of one NLRI are of one family, as their NEXT_HOP is.
type Update struct {
	Withdrawn []netip.Prefix
	Attrs     *Attrs // nil when NLRI is empty
	NLRI      []netip.Prefix
	Extra     *Extra // nil: nothing of it
}

// Extra is what later documents have added to an UPDATE.
type Extra struct {
	Ends Families // of an End-of-RIB: the family whose it is, if that is not IPv4
	// Path Identifiers, of each prefix of Update.Withdrawn and of Update.NLRI; empty:
	// add-path was not agreed. RFC 7911 §3
	Withdrawn, NLRI []uint32
}

// EndOfRIB tells whether u is the End-of-RIB marker.
func (u *Update) EndOfRIB() bool { return len(u.Withdrawn) == 0 && len(u.NLRI) == 0 }

// Families is the set of those that u is about.
func (u *Update) Families() (f Families) {
	switch {
	case !u.EndOfRIB():
	case u.Extra == nil || u.Extra.Ends == 0:
		return WithIPv4
	default:
		return u.Extra.Ends
	}
	if len(u.NLRI) > 0 {
		f = FamilyOf(u.NLRI[0])
	}
	for i := range u.Withdrawn {
		f |= FamilyOf(u.Withdrawn[i])
	}
	return f
}

// Origin of a route. RFC 4271 §5.1.1; lower is preferred.
type Origin uint8

const (
	OriginIGP        Origin = 0
	OriginEGP        Origin = 1
	OriginIncomplete Origin = 2
)

func (o Origin) String() string { return [...]string{"IGP", "EGP", "INCOMPLETE"}[o%3] }

// Segment of an AS_PATH. RFC 4271 §4.3.
type Segment struct {
	Set  bool // AS_SET rather than AS_SEQUENCE
	ASNs []uint32
}

// ASPath is the AS_PATH attribute, nearest AS first.
type ASPath []Segment

// Attrs are the path attributes of a route. RFC 4271 §5.
type Attrs struct {
	summary         summary
	Origin          Origin
	HasMED          bool
	HasLocalPref    bool
	AtomicAggregate bool
	MED             uint32
	LocalPref       uint32
	AggregatorAS    uint32 // 0: none
	NextHop         netip.Addr
	ASPath          ASPath
	Communities     []uint32     // RFC 1997
	OriginatorID    netip.Addr   // RFC 4456; invalid: none
	ClusterList     []netip.Addr // RFC 4456
	AggregatorID    netip.Addr
}

// Notification says why a session ends. RFC 4271 §4.5.
type Notification struct {
	Code    NoteCode
	Subcode uint8
	Data    []byte
}

// Why is the error that n is about: that inside a Hard Reset (RFC 8538 §3.1),
// or its own.
func (n *Notification) Why() (NoteCode, uint8) {
	if n.HardReset() && len(n.Data) >= 2 {
		return NoteCode(n.Data[0]), n.Data[1]
	}
	return n.Code, n.Subcode
}

// HardReset tells whether n ends the session for good, graceful restart or not.
func (n *Notification) HardReset() bool { return n.Code == NoteCease && n.Subcode == CeaseHardReset }

// String is the code and the subcode: "6/2", or "6/9 for 6/2" for a Hard Reset.
func (n *Notification) String() string {
	s := fmt.Sprintf("%d/%d", n.Code, n.Subcode)
	if code, sub := n.Why(); n.HardReset() && len(n.Data) >= 2 {
		s += fmt.Sprintf(" for %d/%d", code, sub)
	}
	return s
}

// NoteCode is the error code of a NOTIFICATION. RFC 4271 §4.5, RFC 9687.
type NoteCode uint8

const (
	NoteHeader           NoteCode = 1
	NoteOpen             NoteCode = 2
	NoteUpdate           NoteCode = 3
	NoteHoldTimerExpired NoteCode = 4
	NoteFSM              NoteCode = 5
	NoteCease            NoteCode = 6
	NoteSendHoldExpired  NoteCode = 8
)

// Subcodes that the machines of this package send.
const (
	HeaderBadType uint8 = 3 // RFC 4271 §6.1

	OpenUnsupportedVersion uint8 = 1 // RFC 4271 §6.2
	OpenBadPeerAS          uint8 = 2
	OpenBadID              uint8 = 3
	OpenBadHoldTime        uint8 = 6

	FSMUnexpectedInOpenSent    uint8 = 1 // RFC 6608
	FSMUnexpectedInOpenConfirm uint8 = 2
	FSMUnexpectedInEstablished uint8 = 3

	CeaseMaxPrefixes   uint8 = 1 // RFC 4486
	CeaseAdminShutdown uint8 = 2
	CeaseDeconfigured  uint8 = 3
	CeaseAdminReset    uint8 = 4
	CeaseCollision     uint8 = 7
	CeaseHardReset     uint8 = 9  // RFC 8538
	CeaseBFDDown       uint8 = 10 // RFC 9384
)
