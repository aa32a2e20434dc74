package topology

import (
	"net/netip"
	"time"
)

// Pos is a place in a file; the zero value is nowhere.
type Pos struct {
	File string
	Line int
	Col  int
}

// Status says how far a value can be trusted.
type Status uint8

const (
	Assumed    Status = iota // nobody has said so; docs/model.md lists it
	Documented               // the vendor's documentation says so
	Measured                 // seen on a real system, whose version the source names
	Standard                 // an RFC's suggestion
	Given                    // the scenario says so
	Overridden               // --set says so
)

func (s Status) String() string {
	return [...]string{"assumed", "documented", "measured", "standard", "given", "--set"}[s]
}

// Origin says where a value comes from.
type Origin struct {
	Status  Status
	Pos     Pos    // Given
	Param   string // Given, Overridden: the scenario's parameters that the value is made of
	Profile string // Assumed, Documented, Measured: the profile that has it
	Source  string // URL, RFC clause, or the measured system's version
	Note    string
}

// ValueType is the type of a Key's values.
type ValueType uint8

const (
	TypeDuration ValueType = iota // a Dist
	TypeInt
	TypeBool
	TypeEnum
	TypeRatio // thousandths: 0.75 is 750
)

// Value of a setting; which field counts is the Key's type.
type Value struct {
	Dist Dist   // TypeDuration
	Int  int64  // TypeInt, TypeRatio
	Bool bool   // TypeBool
	Enum string // TypeEnum
}

// Setting is a value and where it comes from.
type Setting struct {
	Value
	Origin Origin
	Set    bool
}

// Settings has one Setting for each Key.
type Settings [NumKeys]Setting

// Design is a whole scenario, as asked for and checked. Everything refers to
// everything else by index.
type Design struct {
	Name   string
	File   string // as the user named it
	SHA256 string // of the file's bytes
	Params []Param
	// Generated is where the scenario asks for a graph of routers; nowhere: it does not.
	Generated Pos
	Warmup    time.Duration // simulated before time zero, so that the story starts on a converged network
	For       time.Duration // the run ends here
	ForPos    Pos
	Internet  *Internet // instead of routers and links; nil: there is none
	Routers   []Router
	Hosts     []Host
	Links     []Link
	Probes    []Probe
	Watch     []Watch // besides the probes' pairs
	Story     []Fault
	Expect    []Expect
	Notes     []Note // what the scenario itself marks as assumed
}

// Param is a value that the scenario names and uses by that name.
type Param struct {
	Name   string
	Value  string // as it is used in this design
	Used   bool
	Pos    Pos // of the name
	Origin Origin
}

// Note is an assumption that the scenario states about itself.
type Note struct {
	Path string // routers.gcp.networks
	Text string
	Pos  Pos
}

// Router is a BGP speaker and the network behind it.
type Router struct {
	Name      string
	Profile   string
	ASN       uint32
	ASNPos    Pos
	ID        netip.Addr // BGP Identifier
	IDPos     Pos        // nowhere: the ID was chosen for the router
	Networks  []Network
	Statics   []Static
	Settings  Settings // what holds for the router itself and, by default, for its ends of links
	Egress    []int    // links in the order in which the router uses them on a full tie; empty: drawn from the seed
	EgressPos Pos
	Pos       Pos
}

// Network is a prefix that a router announces, or with a Count many (block.go).
type Network struct {
	Prefix netip.Prefix
	Count  int
	Length int // of each, where there is a Count
	Pos    Pos
}

// Static is a route that the router's own configuration points at a link.
type Static struct {
	Prefix netip.Prefix
	Link   int
	Pos    Pos
}

// Host answers and sends probes.
type Host struct {
	Name    string
	Router  int
	Addr    netip.Addr
	Also    netip.Addr // of the other family; invalid: it has none
	AddrPos Pos
	// DropICMP: the security group (firewall) lets no echo request in.
	DropICMP bool
	DropPos  Pos
	Pos      Pos
}

// WithBFD tells, for each router, whether any of its ends of links has BFD. Where
// none has, the details of BFD make no difference.
func (d *Design) WithBFD() []bool {
	list := make([]bool, len(d.Routers))
	for i := range d.Routers {
		list[i] = d.Routers[i].Settings[BFDEnabled].Bool
	}
	for i := range d.Links {
		for e := range d.Links[i].Ends {
			end := &d.Links[i].Ends[e]
			list[end.Router] = list[end.Router] || end.Settings[BFDEnabled].Bool
		}
	}
	return list
}

// LinkKind tells a plain link from a tunnel.
type LinkKind uint8

const (
	Plain  LinkKind = iota // both ends see it go down
	Tunnel                 // IPsec: each end has an SA of its own, and may be deleted alone
)

// Link joins two routers. Delay is one way, drawn for each packet.
type Link struct {
	Name  string
	Kind  LinkKind
	Ends  [2]End
	Delay Setting // TypeDuration
	Loss  Loss
	Pos   Pos
}

// End is one router's end of a link.
type End struct {
	Router     int
	Outside    netip.Addr // tunnel: the gateway's public address; may be invalid on a plain link
	OutsidePos Pos
	Inside     netip.Prefix // the address inside, with the length of its network: 169.254.26.158/30
	Also       netip.Prefix // an inside address of the other family; invalid: there is none
	InsidePos  Pos
	BGP        bool // a session runs over the link (both ends agree)
	// Settings are those of the router, changed by what the link's end says.
	Settings Settings
	Import   []Term
	Export   []Term
	Pos      Pos
}

// Loss of packets on a link: none, Bernoulli (P alone), or Gilbert-Elliott
// (good and bad states with mean durations counted in packets).
type Loss struct {
	P      float64 // probability of loss (in the good state)
	Bad    float64 // probability of loss in the bad state
	ToBad  float64 // per packet, good -> bad; 0: Bernoulli
	ToGood float64 // per packet, bad -> good
	Pos    Pos
}

// Term of an import or export policy. Zero values match everything / change nothing.
type Term struct {
	Prefixes       []netip.Prefix // exactly these …
	OrLonger       bool           // … or anything inside them
	Community      string         // "65000:100"
	PathHas        uint32
	Reject         bool
	LocalPref      *uint32
	MED            *uint32
	Prepend        int
	AddCommunities []string
	Pos            Pos
}

// Probe is a ping.
type Probe struct {
	Name   string
	From   int    // host
	To     int    // host
	Family Family // AnyFamily: the first of From's that To has, too
	Every  time.Duration
	Start  time.Duration // after time zero
	For    time.Duration // 0: until the run ends
	Size   int           // ICMP payload, octets; ping's default is 56
	Pos    Pos
}

// FaultKind is what happens in a story.
type FaultKind uint8

const (
	TunnelDelete FaultKind = iota + 1 // By removes its end of Link; Notify: IKE DELETE and BGP CEASE are sent first
	TunnelCreate                      // By configures its end again
	BlackHole                         // packets on Link vanish silently in Direction
	PacketLoss                        // packets on Link are lost with probability P in Direction
	LinkDown                          // both ends see Link go down
	LinkUp
	SessionShut  // By shuts the BGP session over Link with a CEASE
	SessionStart // … and starts it again
	RouterKill   // the routing process of Router dies: its TCP connections are reset
	RouterFreeze // … hangs: it neither sends nor reads, TCP still acknowledges
	RouterThaw
	RouterStart    // … is started (again)
	PropagationOff // the route table of Router no longer takes BGP routes
	PropagationOn
	PrefixWithdraw // Router stops announcing Prefix
	PrefixAnnounce
	Heal           // ends BlackHole or PacketLoss on Link
	RouterRestart  // the routing process of Router is stopped in an orderly way, to be started again
	SessionRefresh // By asks the peer over Link for its routes once more (ROUTE-REFRESH)
)

// Mends tells whether a fault is the end of another one.
func (k FaultKind) Mends() bool {
	switch k {
	case TunnelCreate, LinkUp, SessionStart, RouterThaw, RouterStart, PropagationOn, PrefixAnnounce, Heal:
		return true
	}
	return false
}

// Direction of a fault on a link.
type Direction uint8

const (
	BothWays Direction = iota
	FromA              // what Ends[0] sends
	FromB              // what Ends[1] sends
)

// Fault is one event of the story.
type Fault struct {
	Kind         FaultKind
	At           Dist // after time zero; drawn once a run
	AtOrigin     Origin
	Until        int // index of the fault that this one reverses, plus 1; its At counts from there (a `for:`); 0: none
	Link         int // -1: none
	Router       int // By, or the router that it happens to; -1: none
	Direction    Direction
	P            float64 // PacketLoss
	Prefix       netip.Prefix
	Notify       bool
	NotifyOrigin Origin
	Index        int // its place in the file's story, from 0; a reversal has that of the fault it reverses
	Pos          Pos
}

// Expect is one expectation, checked after a run.
type Expect struct {
	Expr string
	Pos  Pos
}
