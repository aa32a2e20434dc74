// Package report turns the result of a run into what people and machines read:
// text that opens like ping, JSON with stable names, Markdown, and the
// timeline picture. It knows nothing of how a run is made: everything it
// prints is in a Document.
package report

// Document is the result of a command. Its JSON names are a contract,
// described in docs/json.md; seconds are decimal numbers with nanoseconds kept.
type Document struct {
	VPNSim         string        `json:"vpnsim"` // "v1": the version of this format
	Kind           string        `json:"kind"`   // run, explain, check
	Version        string        `json:"version"`
	Scenario       string        `json:"scenario"`
	Name           string        `json:"name"`
	ScenarioSHA256 string        `json:"scenario_sha256"`
	Seed           uint64        `json:"seed"`
	Sets           []string      `json:"set,omitempty"` // --set, as given
	Digest         string        `json:"digest"`
	EndS           Seconds       `json:"end_s"`
	Assumptions    []Assumption  `json:"assumptions"`
	Story          []Fault       `json:"story"`
	Probes         []Probe       `json:"probes"`
	Gaps           []Gap         `json:"gaps"`
	BringUp        []Convergence `json:"bring_up"`
	Forwarding     []Forwarding  `json:"forwarding"`
	Convergence    []Convergence `json:"convergence"`
	Ending         Ending        `json:"converges"`
	Sessions       []Session     `json:"sessions"`
	Tunnels        []Tunnel      `json:"tunnels"`
	Routes         []Route       `json:"routes"`
	Internet       *Internet     `json:"internet,omitempty"`
	Expectations   []Expectation `json:"expectations"`
	Timeline       []Moment      `json:"timeline,omitempty"`
	Explain        *Explain      `json:"explain,omitempty"`
}

// Seconds is a duration or instant in seconds, kept in nanoseconds. It is
// written as a decimal number without loss: 28.93 or 28.930000001.
type Seconds int64

// Assumption is a value that nobody has documented.
type Assumption struct {
	Parameter string `json:"parameter"`
	Value     string `json:"value"`
	Why       string `json:"why"`
}

// Fault of the story as it happened in this run.
type Fault struct {
	AtS    Seconds `json:"at_s"`
	What   string  `json:"what"`   // "gcp deletes tun2, without telling aws"
	Path   string  `json:"path"`   // "story[0]"
	Source string  `json:"source"` // scenario.yaml:31:5
}

// Probe is one ping and its statistics.
type Probe struct {
	Name     string  `json:"name"`
	From     string  `json:"from"` // 10.1.0.2
	To       string  `json:"to"`
	FromHost string  `json:"from_host"`
	ToHost   string  `json:"to_host"`
	Size     int     `json:"size"`
	EveryS   Seconds `json:"every_s"`
	Sent     int     `json:"sent"`
	Received int     `json:"received"`
	Lost     int     `json:"lost"`
	LossRate float64 `json:"loss_rate"`
	RTT      RTT     `json:"rtt_ms"`
	Echoes   []Echo  `json:"echoes,omitempty"`
}

// RTT statistics in milliseconds, with ping's arithmetic.
type RTT struct {
	Min  float64 `json:"min"`
	Avg  float64 `json:"avg"`
	Max  float64 `json:"max"`
	MDev float64 `json:"mdev"`
}

// Echo is one request and what became of it.
type Echo struct {
	Seq   int     `json:"seq"`
	SentS Seconds `json:"sent_s"`
	RTTNs int64   `json:"rtt_ns,omitempty"` // 0: lost
	TTL   int     `json:"ttl,omitempty"`
	Lost  string  `json:"lost,omitempty"` // where and why it died: "reply, in tun2: gcp has deleted its end"
}

// Gap is a run of lost probes and the outage behind it. An outage so short
// that no probe fell into it has Lost 0; probes lost to chance without an
// outage have OutageS 0.
type Gap struct {
	N               int              `json:"n"` // from 1
	Probe           string           `json:"probe"`
	LastOKSeq       int              `json:"last_ok_seq"`  // 0: none before
	FirstOKSeq      int              `json:"first_ok_seq"` // 0: none after
	Lost            int              `json:"lost"`
	ProbeGapS       Seconds          `json:"probe_gap_s"` // from the last good send to the first good send; 0 when one is missing
	OutageS         Seconds          `json:"outage_s"`
	TotalS          Seconds          `json:"total_s"` // all outages of the probe in this run
	StartS          Seconds          `json:"start_s"`
	EndS            Seconds          `json:"end_s"`
	Open            bool             `json:"open"`      // not over when the run ended
	Direction       string           `json:"direction"` // request, reply, both, loss
	RequestOutageS  Seconds          `json:"request_outage_s"`
	ReplyOutageS    Seconds          `json:"reply_outage_s"`
	Request         string           `json:"request"` // in words: "moved from tun2 to tun1 at 85.404 s"
	Reply           string           `json:"reply"`
	Cause           string           `json:"cause"` // the fault that began it, in words
	Chain           []Wait           `json:"chain"`
	RuledOut        []RuledOut       `json:"ruled_out"`
	Counterfactuals []Counterfactual `json:"counterfactuals"`
}

// Wait is one link of the chain; the waits of a gap add up to its outage
// exactly.
type Wait struct {
	StartS    Seconds `json:"start_s"`
	EndS      Seconds `json:"end_s"`
	SinceS    Seconds `json:"since_s"` // when the wait really began: a hold timer's may lie before the outage
	Node      string  `json:"node"`
	What      string  `json:"what"`      // "hold timer of the session over tun2"
	Parameter string  `json:"parameter"` // "routers.aws.bgp.hold"; empty: none
	Value     string  `json:"value"`
	Source    string  `json:"source"` // "aws-gcp.yaml:12:5", "profile aws-vgw, documented: https://…", "assumed: …"
	Drawn     *Drawn  `json:"drawn,omitempty"`
}

// Drawn says that a timer did not run for the value of its setting but for that
// times a random number, and for how long it did.
type Drawn struct {
	Times     int     `json:"times"` // 1, unless several waits of one kind are one
	S         Seconds `json:"s"`     // how long it ran, or they ran together, whatever part of that counts
	From      string  `json:"from"`  // "30s x U(0.75, 1)"
	Parameter string  `json:"parameter"`
	Value     string  `json:"value"`
	Source    string  `json:"source"`
}

// RuledOut is a suspect that did not make the gap longer.
type RuledOut struct {
	Parameter string `json:"parameter"`
	Why       string `json:"why"`
}

// Counterfactual is the same gap with one thing changed, obtained by running again.
type Counterfactual struct {
	Change  string  `json:"change"`  // "--set routers.aws.bgp.hold=9s", to be added to the command as it is
	Note    string  `json:"note"`    // what that means, where the option doesn't say it: "the far end is told"
	Removes string  `json:"removes"` // the parameter of the chain's link that it takes away or shortens
	OutageS Seconds `json:"outage_s"`
	TotalS  Seconds `json:"total_s"` // all outages of the probe then: a shorter gap is no remedy if more is lost in all
	Lost    int     `json:"lost"`
}

// Convergence is how routing reacted to one event, about one prefix. An event
// after which nothing happened has one row without a prefix.
type Convergence struct {
	Event         string   `json:"event"` // "r1 withdraws 10.0.0.0/8"; faults of one instant are one event
	Path          string   `json:"path"`  // "story[0]"; empty: the network came up
	AtS           Seconds  `json:"at_s"`
	Prefix        string   `json:"prefix"`
	Seconds       Seconds  `json:"seconds"`       // from the event to the last change of a route or UPDATE sent; unless Converged, to the next event or the end: it takes longer
	Announcements int      `json:"announcements"` // times that UPDATEs announced the prefix
	Withdrawals   int      `json:"withdrawals"`
	RIBChanges    int      `json:"rib_changes"` // of Loc-RIBs
	FIBChanges    int      `json:"fib_changes"`
	TableChanges  int      `json:"table_changes"`   // of clouds' route tables
	Converged     bool     `json:"converged"`       // nothing more was to come of it when the next event, or the end, came
	Waits         []string `json:"waits"`           // what was, if not
	Chain         []Wait   `json:"chain,omitempty"` // of the prefix that took longest after the event, if all have converged: the waits that add up to seconds
}

// Internet is what there is to say about a graph of ASes of which the control
// plane only was simulated.
type Internet struct {
	ASes   int     `json:"ases"`
	Links  int     `json:"links"`
	Events int     `json:"events"` // that the run consisted of
	Reach  []Reach `json:"reach"`  // at the end of the run
}

// Reach is how far a prefix is known.
type Reach struct {
	Prefix    string `json:"prefix"`
	Reached   int    `json:"reached"`   // ASes that have a route, the origin included
	Distances []int  `json:"distances"` // how many of them have 0, 1, 2, … ASes in their path
	Paths     int    `json:"paths"`     // that all ASes together were told of, and have kept
}

// Forwarding is the whole run for two addresses, from time zero to its end. Its
// intervals follow each other without a gap.
type Forwarding struct {
	From        string               `json:"from"`
	FromAddress string               `json:"from_address"`
	To          string               `json:"to"`
	ToAddress   string               `json:"to_address"`
	OneWay      bool                 `json:"one_way"` // nothing can be sent back: only requests are followed
	Seconds     ForwardingSeconds    `json:"seconds"`
	Count       ForwardingCount      `json:"count"`
	Intervals   []ForwardingInterval `json:"intervals"`
}

// ForwardingSeconds is how long each state lasted.
type ForwardingSeconds struct {
	OK              Seconds `json:"ok"`
	BlackHole       Seconds `json:"black_hole"`
	Loop            Seconds `json:"loop"`
	Asymmetric      Seconds `json:"asymmetric"`
	StaleReturnPath Seconds `json:"stale_return_path"`
	Lost            Seconds `json:"lost"` // a round trip would have failed
}

// ForwardingCount is how often there was each state.
type ForwardingCount struct {
	OK              int `json:"ok"`
	BlackHole       int `json:"black_hole"`
	Loop            int `json:"loop"`
	Asymmetric      int `json:"asymmetric"`
	StaleReturnPath int `json:"stale_return_path"`
	Lost            int `json:"lost"`
}

// ForwardingInterval is a part of the run in which nothing changed.
type ForwardingInterval struct {
	StartS      Seconds  `json:"start_s"`
	EndS        Seconds  `json:"end_s"`
	State       string   `json:"state"`     // ok, black_hole, loop, asymmetric, stale_return_path
	Direction   string   `json:"direction"` // which one is so: request, reply, both
	Lost        bool     `json:"lost"`      // a round trip would fail
	PathRequest []string `json:"path_request"`
	PathReply   []string `json:"path_reply"`
	Where       string   `json:"where"` // "in tun2, at aws"; the routers of a loop
	Why         string   `json:"why"`
	Because     string   `json:"because"` // what made it begin

	// Only of black holes, loops and stale return paths, and of the first 100 of a pair.
	Entries []TableEntry `json:"entries"`
	Chain   []Wait       `json:"chain"`
}

// TableEntry is what a table said when an interval began.
type TableEntry struct {
	Router  string  `json:"router"`
	Table   string  `json:"table"`  // fib, route_table
	Prefix  string  `json:"prefix"` // empty: it has none for the address
	Link    string  `json:"link"`   // by which it sends the packet; empty: by none
	SinceS  Seconds `json:"since_s"`
	Because string  `json:"because"` // what wrote it, or took it away
}

// Ending is how routing stands when the run ends.
type Ending struct {
	State        string   `json:"state"` // at_rest, unsettled, repeats
	Text         string   `json:"text"`  // in words
	SinceS       Seconds  `json:"since_s"`
	RouteChanges int      `json:"route_changes"` // of Loc-RIBs, since then
	LastChangeS  Seconds  `json:"last_change_s"`
	FirstS       Seconds  `json:"first_s"` // repeats: the state of routing was this …
	AgainS       Seconds  `json:"again_s"` // … and was so again
	PeriodS      Seconds  `json:"period_s"`
	Cut          bool     `json:"cut"`    // the run was ended for it, before its time
	Chance       bool     `json:"chance"` // what routing depends on is drawn: a repetition can't be known
	Waits        []string `json:"waits"`  // what was still to come
}

// States of an Ending.
const (
	AtRest    = "at_rest"
	Unsettled = "unsettled"
	Repeats   = "repeats"
)

// Session is one end of a BGP session at the end of the run, and its history.
type Session struct {
	Router     string       `json:"router"`
	Peer       string       `json:"peer"`
	Link       string       `json:"link"`
	State      string       `json:"state"`
	SinceS     Seconds      `json:"since_s"`
	HoldS      Seconds      `json:"hold_s"` // negotiated; 0 when not Established
	KeepaliveS Seconds      `json:"keepalive_s"`
	HoldFrom   string       `json:"hold_from"` // "routers.aws.bgp.hold 30 s, the smaller of 30 s and 60 s"
	BFD        *BFD         `json:"bfd,omitempty"`
	History    []Transition `json:"history"`
}

// Established is the State of a session that is up.
const Established = "Established"

// BFD is what watches the path of a session at this end, at the end of the run.
type BFD struct {
	State         string       `json:"state"` // AdminDown, Down, Init, Up
	SinceS        Seconds      `json:"since_s"`
	Diagnostic    string       `json:"diagnostic"`   // why it last changed
	Remote        string       `json:"remote_state"` // what the other end last said
	TxS           Seconds      `json:"tx_s"`         // this end's interval, as agreed; jitter shortens it
	RxS           Seconds      `json:"rx_s"`         // the other end's; 0 when not Up, as the next three
	Multiplier    int          `json:"multiplier"`   // the other end's
	DetectionS    Seconds      `json:"detection_s"`  // the two multiplied: silence that long is Down
	DetectionFrom string       `json:"detection_from"`
	Strict        bool         `json:"strict"`  // BGP does not come up without it
	Awaited       bool         `json:"awaited"` // and does not do so just now
	History       []Transition `json:"history"`
}

// Tunnel is one end of a tunnel at the end of the run, and its history.
type Tunnel struct {
	Router  string       `json:"router"`
	Link    string       `json:"link"`
	State   string       `json:"state"`
	SinceS  Seconds      `json:"since_s"`
	History []Transition `json:"history"`
}

// Transition of a session or tunnel.
type Transition struct {
	AtS  Seconds `json:"at_s"`
	From string  `json:"from"`
	To   string  `json:"to"`
	Why  string  `json:"why"`
}

// Route is one row of a router's table at an instant.
type Route struct {
	AtS       Seconds `json:"at_s"`
	Router    string  `json:"router"`
	Table     string  `json:"table"` // bgp, fib, vpc
	Prefix    string  `json:"prefix"`
	Link      string  `json:"link"` // tunnel or link it leaves by; "gateway", "local"
	NextHop   string  `json:"next_hop"`
	LocalPref int64   `json:"local_pref,omitempty"`
	MED       int64   `json:"med"` // -1: none
	ASPath    string  `json:"as_path,omitempty"`
	Origin    string  `json:"origin,omitempty"`
	Best      bool    `json:"best"`
	Used      bool    `json:"used"`
	Verdict   string  `json:"verdict"` // "best", "lost at step f: lower peer address", "used beside it (multipath)"
	Stale     *Stale  `json:"stale,omitempty"`
}

// Stale is what makes a route one: the session that told it has ended, and graceful
// restart keeps it.
type Stale struct {
	Here       bool     `json:"here"`                // by this router; otherwise by another one, which marked it with LLGR_STALE
	LongLived  bool     `json:"long_lived"`          // it is the last choice (RFC 9494)
	KeptUntilS *Seconds `json:"kept_until_s"`        // if the peer does not come back; nil: until its End-of-RIB, or unknown
	Parameter  string   `json:"parameter,omitempty"` // what says for how long
}

// Expectation is one line of `expect:` and whether it held.
type Expectation struct {
	Expr   string `json:"expr"`
	OK     bool   `json:"ok"`
	Got    string `json:"got"`    // the values seen, in words; or why it could not be evaluated
	Source string `json:"source"` // file:line:col
	// Many: it is over many runs, so that vpnsim test can judge it and this run cannot; OK is false.
	Many bool `json:"many_runs,omitempty"`
}

// Moment is one line of the timeline.
type Moment struct {
	AtS  Seconds `json:"at_s"`
	Node string  `json:"node"`
	Lane string  `json:"lane"` // story, session, bfd, tunnel, route, fib, table, forwarding, message
	Link string  `json:"link,omitempty"`
	// Prefix tells the tables of one router apart in the lanes route, fib and table.
	Prefix string `json:"prefix,omitempty"`
	What   string `json:"what"`
	State  string `json:"state,omitempty"` // new state where the lane has one
}

// Explain is the answer of `vpnsim explain … best` and `… route`.
type Explain struct {
	Question string   `json:"question"`
	AtS      Seconds  `json:"at_s"`
	Answer   []string `json:"answer"` // sentences
	Routes   []Route  `json:"routes"`
	Rules    []string `json:"rules,omitempty"` // the decision process of the router, step by step
}
