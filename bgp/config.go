package bgp

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// Jitter shortens or spreads a duration: it becomes d × U(Lo, Hi), in
// thousandths. The zero value leaves d alone. RFC 4271 §10 has 750..1000.
type Jitter struct{ Lo, Hi uint32 }

// RFCJitter is the jitter that RFC 4271 §10 recommends.
var RFCJitter = Jitter{750, 1000}

// Of returns d after jitter; rnd gives 64 random bits and is not called when
// nothing is random.
func (j Jitter) Of(d time.Duration, rnd func() uint64) time.Duration {
	if j.Hi == 0 {
		return d
	}
	return j.draw(d, rnd)
}

func (j Jitter) draw(d time.Duration, rnd func() uint64) time.Duration {
	lo := d / 1000 * time.Duration(j.Lo)
	span := uint64(d/1000*time.Duration(j.Hi) - lo)
	if span == 0 {
		return lo
	}
	return lo + time.Duration(rnd()%(span+1))
}

// SessionConfig is what one end of a session is configured with.
type SessionConfig struct {
	AS, PeerAS uint32
	ID         netip.Addr // BGP Identifier
	Addr, Peer netip.Addr // the ends of the TCP connection

	Hold           time.Duration // offered; whole seconds; 0: none
	Keepalive      time.Duration // configured; what is sent is min(this, negotiated hold / 3) unless KeepaliveFixed. 0: negotiated hold / 3
	KeepaliveFixed bool          // keepalives go out at Keepalive whatever was negotiated (Azure)
	MinHold        time.Duration // an OPEN that offers less is refused; 0: the RFC's 3 s
	OpenHold       time.Duration // the "large" hold time of OpenSent; RFC 4271 §8.2.2 suggests 4 min, which 0 stands for
	ConnectRetry   time.Duration // 0: the 120 s that RFC 4271 §10 suggests
	StartDelay     time.Duration // a session that is started listens for so long before it calls
	ConnectDelay   time.Duration // the same, however it comes out of Idle
	ConnectTimeout time.Duration // the first call is given up after so long, and the next one waits for ConnectRetry (GoBGP); 0: a call lasts for ConnectRetry, and the next one follows
	LaterTimeout   time.Duration // of those that follow, with ConnectTimeout
	DelayOpen      time.Duration // 0: the OPEN goes out at once
	IdleHold       time.Duration // before an automatic restart after an error; doubles up to IdleHoldMax (RFC 4271 §8.1.1 DampPeerOscillations)
	IdleHoldMax    time.Duration
	IdleHoldReset  time.Duration // after an administrative reset by the peer (CEASE); 0: as IdleHold
	PrefixRestart  time.Duration // after the peer announced too many prefixes; 0: the session stays down until it is started
	SendHold       time.Duration // RFC 9687; 0: the greater of 8 min and twice the hold time; <0: off
	Passive        bool          // never opens a connection itself

	// ConnectFailActive: a TCP connection that is refused or times out in
	// Connect leads to Active and the next attempt waits for ConnectRetry
	// (RFC 1771 §8; FRR, GoBGP). Without it, RFC 4271 §8.2.2: to Idle, and
	// the next attempt waits for IdleHold.
	ConnectFailActive bool
	// ConnectFailDelay: and then for ConnectDelay rather than ConnectRetry (BIRD).
	ConnectFailDelay bool

	KeepaliveJitter    Jitter
	HoldJitter         Jitter // BIRD shortens the hold timer it serves; the RFC does not
	ConnectRetryJitter Jitter
	IdleHoldJitter     Jitter

	Families     []Family // offered; empty: no multiprotocol capability, only IPv4
	RouteRefresh bool
	FourOctetAS  bool
	Restart      *GracefulRestart // offered; nil: no graceful restart, of neither end
	LongLived    *LongLived       // offered; nil: no long-lived one
	AddPath      []AddPath        // offered
	BIRDRestart  bool             // see Helper.BIRD

	// BFDStrict: the session is not Established before BFD says that the path
	// works, if the peer wants it so too (draft-ietf-idr-bgp-bfd-strict-mode).
	BFDStrict bool
	BFDHold   time.Duration // how long it waits for that when no hold time was negotiated; 0: the draft's 30 s

	Rand func() uint64 // for jitter only; nil: there is none
}

// PeerConfig is what a Speaker knows about one neighbour beforehand.
type PeerConfig struct {
	AS         uint32
	Weight     uint32     // Cisco's, of what this peer announces
	IGPMetric  uint32     // interior cost to the next hops that this peer announces. RFC 4271 §9.1.2.2 e)
	Direct     bool       // it is reached over a line of its own, and not through a VPN (AWS: Direct Connect)
	Static     bool       // no neighbour: the routes that the router's own configuration points at one link (static.go)
	*PeerGroup            // how it is treated; nil: a PeerGroup without any setting
	Addr       netip.Addr // the peer's address: next hop and last tie-break
	Local      netip.Addr // our address towards it: NEXT_HOP of what we announce over eBGP; none: SpeakerConfig.Local
}

// PeerGroup is how a Speaker treats some of its neighbours; one that is shared
// is not changed while they run. A router with five thousand customers has one
// group for all of them, as it has in its configuration.
type PeerGroup struct {
	Role   Role
	Import Policy
	Export Policy
	MRAI   MRAI
	// SenderSideLoop: routes whose AS_PATH holds the peer's AS are not announced to it.
	SenderSideLoop bool
	// LoopUnsaid: nor is what the peer was told before withdrawn then; it is told nothing. GoBGP.
	LoopUnsaid bool
	// NoEcho: the best route is not announced back to the peer that it came from (split horizon).
	NoEcho bool
	// OwnOnly: only routes that the router itself originates are announced; it is no transit.
	OwnOnly bool
	// MaxPrefixes is how many prefixes are taken from the peer, not counting those
	// that come back in a loop; 0: no limit.
	MaxPrefixes int
	// LimitWarns: what exceeds MaxPrefixes is taken all the same ("warning-only").
	LimitWarns bool
	// Helper is what is done for the peer while it restarts; StalePath bounds for how
	// long after its session has ended (0: no bound).
	Helper    Helper
	StalePath time.Duration
	// Restarter: the peer is asked to keep our routes while we restart, and after a
	// restart its End-of-RIB is waited for.
	Restarter bool
	// NextHopSelf: what is passed on over iBGP carries Local as NEXT_HOP too. RFC 4271 §5.1.3 1).
	NextHopSelf bool
	// Damping of what the peer says, if it is external; nil: none. RFC 2439.
	Damping *Damping
	// Client: the peer is a client of this route reflector. RFC 4456 §6.
	Client bool
	// Families are offered to the peer; none: IPv4. AlsoLocal and AlsoAddr are
	// what PeerConfig.Local and Addr are, in the family of which those are not; a
	// group that has them belongs to one peer.
	Families            Families
	AlsoLocal, AlsoAddr netip.Addr
	// SendPaths and ReceivePaths are the families in which we offer to send more
	// than one path to a prefix, and to receive them (RFC 7911); MostPaths bounds how
	// many are sent, the best ones (0: all).
	SendPaths, ReceivePaths Families
	MostPaths               int
}

// Role is what a neighbour is to us in business. Gao and Rexford (2001) found
// what follows from it, and that BGP converges if all do it: a route that comes
// from a peer or a provider is passed on to customers only, since nobody else
// pays for it. (RFC 9234 negotiates roles and marks routes; that is not done
// here.) That customers' routes are preferred is what PeerConfig.Weight is for.
type Role uint8

const (
	NoRole     Role = iota // no business: everything is passed on
	IsCustomer             // it pays us
	IsPeer                 // nobody pays
	IsProvider             // we pay it
)

// paysNothing tells whether routes from here bring no money when they are
// passed on to another one of whom the same is true.
func (r Role) paysNothing() bool { return r >= IsPeer }

// SpeakerConfig is the configuration of one router's routing.
type SpeakerConfig struct {
	AS        uint32
	Rules     Ruleset
	Peers     []*PeerConfig // what two routers know about the same neighbour may be the same
	ID        netip.Addr
	Local     netip.Addr // our address towards peers whose PeerConfig has none
	Cluster   netip.Addr // of a route reflector; invalid: its ID. RFC 4456 §7
	Multipath int        // at most so many equally good paths are used; 0 and 1: one
	// MultipathSameAS: paths are used beside the best only if they come through
	// the same neighbouring AS (iBGP: have the same AS_PATH), as FRR and Cisco IOS
	// have it unless told "as-path multipath-relax".
	MultipathSameAS bool
	// LongLived: RFC 9494 is followed. Its rule has to stand in Rules.
	LongLived bool
	// Together: routes are not chosen after each input, but when InDecide says so.
	Together bool
	// LateTimers: where an advertisement timer is all that MRAI needs, the speaker
	// reckons by Input.Now whether it runs. ActRouteTime is marked Idle until
	// something waits for it, and given once more when something does.
	LateTimers bool
	// BriefRoutes: nobody keeps what an ActRoute carries until the next Step, when
	// its memory is used again; and it says which paths are used, but not why.
	BriefRoutes bool
	// Order ranks the peers where RuleDrawn has to decide: the drawn (or
	// pinned) order in which the router prefers them, first is best.
	Order []PeerID
	Rand  func() uint64
	// SelectionDeferral bounds how long the choice of routes is deferred after InRestart.
	SelectionDeferral time.Duration
	// Memory is shared by speakers that never run at the same time; nil: the
	// speaker has its own. Nothing that a speaker does depends on it.
	Memory *Memory
	// Draw gives random number n of what concerns a peer, whoever has drawn what
	// before: a peer's ticks do not move because another peer had something to
	// wait for. nil: Rand is used.
	Draw func(peer PeerID, n uint64) uint64
	// Phase is what the router's clock shows when Input.Now is 0, for MRAI that is
	// counted in whole units of it (MRAI.Granularity), and for the ages of paths.
	Phase time.Duration
}

// local is our own address towards a peer.
func (c *SpeakerConfig) local(p *PeerConfig) netip.Addr {
	if p.Local.IsValid() {
		return p.Local
	}
	return c.Local
}

// addresses appends our own to list, sorted.
func (c *SpeakerConfig) addresses(list []netip.Addr) []netip.Addr {
	for _, p := range c.Peers {
		for _, a := range []netip.Addr{c.local(p), p.AlsoLocal} {
			if a.IsValid() {
				list = append(list, a)
			}
		}
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}

// Policy is a list of terms; the first whose conditions all hold decides. A
// route that no term matches is accepted unchanged.
type Policy []Term

// Term of a policy: what it matches, and what it does.
type Term struct {
	// Match. Zero values match everything.
	Prefixes  []PrefixMatch
	Community uint32 // 0: any
	PathHas   uint32 // an AS somewhere in AS_PATH; 0: any

	// Do.
	Reject       bool
	LocalPref    uint32
	SetLocalPref bool
	MED          uint32
	SetMED       bool
	Prepend      int // our own AS so many times more (export), the neighbour's (import)
	AddCommunity []uint32
	NoCommunity  []uint32
}

// PrefixMatch matches a prefix and, with a greater LE, what is inside it.
type PrefixMatch struct {
	Prefix netip.Prefix
	GE, LE int // lengths; 0,0: exactly Prefix
}

// Path is one way to a prefix: an entry of an Adj-RIB-In or a local route.
type Path struct {
	*Source
	Attrs *Attrs // after import policy
	Age   uint64 // the second of the router's clock in which it arrived: lower is older
	Stamp uint64 // the event that wrote it
	merit merit  // what the first rules make of it, if the Speaker made it (duel.go)
	kept  bool   // somebody outside of the Speaker may have it: its memory is not used again (memory.go)
}

// Source is what all paths that come over one session have in common. Nobody
// changes one after it is made.
type Source struct {
	Peer      PeerID
	Role      Role
	External  bool // learned over eBGP
	Client    bool // of this route reflector
	Direct    bool // not through a VPN
	Static    bool // from the router's own configuration; not passed on
	PeerAddr  netip.Addr
	PeerBGPID BGPID
	Weight    uint32  // Cisco's; local to the router
	IGPMetric uint32  // interior cost to NEXT_HOP
	Rank      int32   // place of the peer in SpeakerConfig.Order; lower is preferred
	PathID    uint32  // the Path Identifier that the peer gave it (RFC 7911); 0: none
	_         [4]byte // one line of memory
}

// BGPID is a BGP Identifier: "a 4-octet, unsigned, non-zero integer" (RFC 6286 §2.1). 0: it
// is not known.
type BGPID uint32

// BGPIDOf reads an identifier from how it is written.
func BGPIDOf(a netip.Addr) BGPID {
	if !a.Is4() {
		return 0
	}
	b := a.As4()
	return BGPID(binary.BigEndian.Uint32(b[:]))
}

// Addr is how the identifier is written; invalid if it is not known.
func (id BGPID) Addr() (a netip.Addr) {
	if id != 0 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(id))
		a = netip.AddrFrom4(b)
	}
	return a
}

func (id BGPID) String() string { return id.Addr().String() }

// Route is what the decision process concluded for one prefix.
type Route struct {
	Prefix     netip.Prefix
	Best       *Path   // nil: unreachable
	Used       []*Path // best first, then those that multipath uses beside it
	Rule       Rule    // what decided between Best and the runner-up; RuleOnly when there was none
	Versus     *Path   // the runner-up
	Candidates int
}
