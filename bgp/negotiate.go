package bgp

import "time"

// What two speakers offer each other in their OPENs, what is refused, and what
// they have agreed on afterwards. RFC 4271 §4.2, §6.2. And the times that
// follow from the configuration alone.

// The times that RFC 4271 §10 suggests, for a configuration that names none.
const (
	suggestedConnectRetry = 120 * time.Second
	suggestedOpenHold     = 4 * time.Minute  // §8.2.2
	suggestedSendHold     = 8 * time.Minute  // RFC 9687 §4.4
	suggestedBFDHold      = 30 * time.Second // draft-ietf-idr-bgp-bfd-strict-mode §3
)

// leastHold is the shortest hold time that is one. RFC 4271 §4.2
const leastHold = 3 * time.Second

// version is the one that this package speaks.
const version = 4

func (cfg SessionConfig) withDefaults() SessionConfig {
	if cfg.ConnectRetry <= 0 {
		cfg.ConnectRetry = suggestedConnectRetry
	}
	if cfg.OpenHold <= 0 {
		cfg.OpenHold = suggestedOpenHold
	}
	if cfg.BFDHold <= 0 {
		cfg.BFDHold = suggestedBFDHold
	}
	if cfg.Rand == nil { // nothing to draw from: nothing is spread
		cfg.KeepaliveJitter, cfg.HoldJitter = Jitter{}, Jitter{}
		cfg.ConnectRetryJitter, cfg.IdleHoldJitter = Jitter{}, Jitter{}
	}
	return cfg
}

// offer is our OPEN. It is the same each time, and made once.
func (s *Session) offer() *Message {
	if s.open == nil {
		s.open = (&Message{Type: MsgOpen, Open: &Open{
			Version:      version,
			AS:           s.cfg.AS,
			HoldTime:     s.cfg.holdTime(),
			ID:           s.cfg.ID,
			Families:     s.cfg.Families,
			RouteRefresh: s.cfg.RouteRefresh,
			FourOctetAS:  s.cfg.FourOctetAS,
			Restart:      s.cfg.Restart,
			LongLived:    s.cfg.LongLived,
			AddPath:      s.cfg.AddPath,
			BFDStrict:    s.cfg.BFDStrict,
		}}).Seal()
	}
	return s.open
}

// holdTime is the Hold Time field of our OPEN.
func (cfg *SessionConfig) holdTime() uint16 {
	return uint16(max(0, min(cfg.Hold/time.Second, 65535)))
}

// refuse checks an OPEN and returns the NOTIFICATION that it deserves, nil if
// it is acceptable. The checks are in the order of RFC 4271 §6.2.
func (cfg *SessionConfig) refuse(o *Open) *Message {
	switch {
	case o == nil:
		return note(NoteOpen, 0)

	case o.Version != version:
		// "The Data field is a 2-octet unsigned integer, which indicates the
		// largest, locally-supported version number less than the version the
		// remote BGP peer bid …, or … the smallest": there is one only.
		return note(NoteOpen, OpenUnsupportedVersion, 0, version)

	case o.AS != cfg.PeerAS:
		return note(NoteOpen, OpenBadPeerAS)

	case o.HoldTime != 0 && time.Duration(o.HoldTime)*time.Second < max(leastHold, cfg.MinHold):
		// "MUST reject Hold Time values of one or two seconds", "MAY reject any
		// proposed Hold Time". 0 is no short hold time but none.
		return note(NoteOpen, OpenBadHoldTime)

	case !o.ID.Is4() || o.ID.IsUnspecified(), o.AS == cfg.AS && o.ID == cfg.ID:
		// RFC 6286 §2.2: not zero, and not ours inside one AS.
		return note(NoteOpen, OpenBadID)
	}
	return nil
}

// negotiate returns the hold time that both keep to and the interval at which
// KEEPALIVEs are sent, before jitter. "the smaller of its configured Hold Time
// and the Hold Time received in the OPEN message"; zero means none. RFC 4271 §4.2
func (cfg *SessionConfig) negotiate(o *Open) (hold, keepalive time.Duration) {
	hold = time.Duration(min(cfg.holdTime(), o.HoldTime)) * time.Second
	if hold == 0 {
		return 0, 0
	}
	keepalive = hold / 3 // RFC 4271 §4.4, §10
	if cfg.Keepalive > 0 && (cfg.KeepaliveFixed || cfg.Keepalive < keepalive) {
		keepalive = cfg.Keepalive
	}
	return hold, keepalive
}

// sendHold is the SendHoldTime: the greater of 8 minutes and twice the hold
// time, unless configured. None without a hold time. RFC 9687 §4.3, §4.4
func (cfg *SessionConfig) sendHold(hold time.Duration) time.Duration {
	switch {
	case cfg.SendHold < 0 || hold == 0:
		return 0
	case cfg.SendHold > 0:
		return cfg.SendHold
	}
	return max(suggestedSendHold, 2*hold)
}

// idleHold is how long the session stays in Idle after an error, the errors-th
// in a row when it is one that is damped. Which rule a speaker damps by is left
// to it (RFC 4271 §8.1.1); the doubling is what implementations do. After a
// Cease of the peer's operator it may be another time; a collision and BFD are
// not his doing.
func (cfg *SessionConfig) idleHold(how toll, errors int, why Why, m *Message) time.Duration {
	if cfg.AfterReset(why, m) {
		return cfg.IdleHoldReset
	}
	d := cfg.IdleHold
	if how == damped {
		for ; errors > 1 && 0 < d && d < cfg.IdleHoldMax; errors-- {
			d = min(2*d, cfg.IdleHoldMax)
		}
	}
	return d
}

// connectDelay is how long the session listens before it calls.
func (cfg *SessionConfig) connectDelay() time.Duration {
	if cfg.ConnectDelay == 0 {
		return 0
	}
	return cfg.ConnectRetryJitter.Of(cfg.ConnectDelay, cfg.Rand)
}

// AfterReset tells whether a session that went to Idle waits for IdleHoldReset
// rather than IdleHold: the operator of its peer has reset it. To BIRD, the end of
// TCP is no error either (bgp_sock_err in proto/bgp/bgp.c).
func (cfg *SessionConfig) AfterReset(why Why, m *Message) bool {
	if why == WhyTCPFailed && cfg.BIRDRestart && cfg.IdleHoldReset > 0 {
		return true
	}
	if why != WhyNotification || cfg.IdleHoldReset == 0 || m == nil || m.Notification == nil {
		return false
	}
	code, subcode := m.Notification.Why()
	return code == NoteCease && subcode != CeaseCollision && subcode != CeaseBFDDown
}

// askAgain are the ROUTE-REFRESHes that ask for everything of a family. RFC 2918 §3
var askAgain = [...]*Message{
	WithIPv4: (&Message{Type: MsgRouteRefresh, Refresh: &IPv4Unicast}).Seal(),
	WithIPv6: (&Message{Type: MsgRouteRefresh, Refresh: &IPv6Unicast}).Seal(),
}

// note makes a NOTIFICATION.
func note(code NoteCode, subcode uint8, data ...byte) *Message {
	return (&Message{Type: MsgNotification, Notification: &Notification{Code: code, Subcode: subcode, Data: data}}).Seal()
}

// unexpected makes the NOTIFICATION about a message that a state does not
// expect. "The Data field is a 1-octet, unsigned integer that indicates the type
// of the unexpected message." RFC 6608 §4. A type that does not exist is an error of the header instead.
// RFC 4271 §6.1
func unexpected(m *Message, subcode uint8) *Message {
	if m.Type < MsgOpen || m.Type > MsgRouteRefresh {
		return note(NoteHeader, HeaderBadType, byte(m.Type))
	}
	return note(NoteFSM, subcode, byte(m.Type))
}

// complaint is the NOTIFICATION that came with a malformed message.
func complaint(m *Message) *Message {
	if m == nil || m.Type != MsgNotification || m.Notification == nil {
		return note(NoteHeader, 0)
	}
	return m
}
