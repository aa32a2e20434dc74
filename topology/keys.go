package topology

// Key names a setting of a router or of its end of a link.
type Key uint8

const (
	BGPHold Key = iota
	BGPKeepalive
	BGPKeepaliveJitter
	BGPKeepaliveFixed
	BGPHoldJitter
	BGPMinHold
	BGPOpenHold
	BGPConnectRetry
	BGPConnectRetryJitter
	BGPConnectFail
	BGPProcessStart
	BGPStartDelay
	BGPConnectDelay
	BGPConnectTimeout
	BGPDelayOpen
	BGPIdleHold
	BGPIdleHoldMax
	BGPIdleHoldReset
	BGPIdleHoldJitter
	BGPSendHold
	BGPPassive
	BGPMRAI
	BGPMRAIIBGP
	BGPMRAIMode
	BGPMRAIScope
	BGPMRAIJitter
	BGPMRAIGranularity
	BGPMRAIWithdrawals
	BGPMRAIAfterWithdraw
	BGPMRAINewPrefix
	BGPFirstUpdate
	BGPProcessing
	BGPProcessingSerial
	BGPDecisionDelay
	BGPDecision
	BGPMultipath
	BGPMultipathSameAS
	BGPAlwaysCompareMED
	BGPMED
	BGPWeight
	BGPIGPMetric
	BGPReflectorClient
	BGPNextHopSelf
	BGPFamilies
	BGPAddPath
	BGPAddPathPaths
	BGPSenderSideLoop
	BGPLoopWithdraws
	BGPNoEcho
	BGPTransit
	BGPFastFallover
	BGPNextHopTracking
	BGPNextHopDelay
	BGPDamping
	BGPDampingHalfLife
	BGPDampingSuppress
	BGPDampingReuse
	BGPDampingMax
	BGPMaxPrefixes
	BGPMaxPrefixesAction
	BGPMaxPrefixesRestart
	BGPGracefulRestart
	BGPRestartTime
	BGPGracefulNotify
	BGPStalePathTime
	BGPSelectionDeferral
	BGPLongLived
	BGPLongLivedTime
	BGPGracefulRules
	BGPLoopSleep
	FIBDelay
	FIBSurvives
	RouteTableKind
	RouteTablePropagate
	RouteTableDelay
	RouteTableLocalDelay
	IPDecrementTTL
	TCPSynRetry
	TCPSynLinear
	TCPRTO
	TCPRTOMax
	TCPTimerHz
	VPNVersion
	VPNInitiate
	VPNOnTraffic
	VPNProcessing
	VPNRetransmit
	VPNRetransmitTries
	VPNRetry
	VPNDPDInterval
	VPNDPDRetry
	VPNDPDRetries
	VPNDPDTimeout
	VPNDPDAction
	VPNIKELifetime
	VPNChildLifetime
	VPNRekeyMargin
	VPNRekeyFuzz
	VPNInterfaceFollowsSA
	BFDEnabled
	BFDMinTx
	BFDMinRx
	BFDMultiplier
	BFDJitter
	BFDPassive
	BFDIndependent
	BFDStrict
	BFDStrictHold
	StallEvery
	StallFor
	NumKeys
)

// KeyInfo describes a Key: the path under routers.NAME, its type, its range
// and what it means.
type KeyInfo struct {
	Path     string
	Type     ValueType
	Min, Max int64    // TypeDuration: ns; TypeInt, TypeRatio: the number
	Enum     []string // TypeEnum
	Doc      string
}

const (
	ms   = int64(1e6)
	sec  = int64(1e9)
	hour = 3600 * sec
)

var keys = [NumKeys]KeyInfo{
	BGPHold:               {"bgp.hold", TypeDuration, 0, 65535 * sec, nil, "hold time offered in the OPEN; the smaller offer of the two ends is used; 0 = none"},
	BGPKeepalive:          {"bgp.keepalive", TypeDuration, 0, 21845 * sec, nil, "configured keepalive interval; sent is min(this, negotiated hold / 3); 0 = hold / 3"},
	BGPKeepaliveJitter:    {"bgp.keepalive_jitter", TypeRatio, 1, 1000, nil, "each keepalive interval is multiplied by U(this, 1)"},
	BGPKeepaliveFixed:     {"bgp.keepalive_fixed", TypeBool, 0, 0, nil, "keepalives go out at bgp.keepalive whatever was negotiated"},
	BGPHoldJitter:         {"bgp.hold_jitter", TypeRatio, 1, 1000, nil, "the hold timer served is multiplied by U(this, 1)"},
	BGPMinHold:            {"bgp.min_hold", TypeDuration, 0, 65535 * sec, nil, "an OPEN that offers less is refused"},
	BGPOpenHold:           {"bgp.open_hold", TypeDuration, 0, 65535 * sec, nil, "hold timer of a session that has sent its OPEN and waits for the peer's; 0 = bgp.hold"},
	BGPConnectRetry:       {"bgp.connect_retry", TypeDuration, ms, hour, nil, "ConnectRetryTimer"},
	BGPConnectRetryJitter: {"bgp.connect_retry_jitter", TypeRatio, 1, 1000, nil, "ConnectRetryTimer is multiplied by U(this, 1)"},
	BGPConnectFail:        {"bgp.connect_fail", TypeEnum, 0, 0, []string{"idle", "active", "delay"}, "a connection that is refused: idle = the session waits for IdleHoldTimer, active = for ConnectRetryTimer, delay = for bgp.connect_delay"},
	BGPProcessStart:       {"bgp.process_start", TypeDuration, 0, hour, nil, "from the start of the routing process until it has read its configuration and its sessions start"},
	BGPStartDelay:         {"bgp.start_delay", TypeDuration, 0, hour, nil, "a session that is started only listens for so long before it calls"},
	BGPConnectDelay:       {"bgp.connect_delay", TypeDuration, 0, hour, nil, "the same whenever a session begins anew; shortened as bgp.connect_retry is"},
	BGPConnectTimeout:     {"bgp.connect_timeout", TypeDuration, 0, hour, nil, "the first call is given up after so long, and the next one waits for bgp.connect_retry (GoBGP), the least value of which, less a second, is the timeout of later ones; 0 = a call lasts for bgp.connect_retry, and the next follows at once"},
	BGPDelayOpen:          {"bgp.delay_open", TypeDuration, 0, hour, nil, "DelayOpenTimer; 0 = the OPEN goes out at once"},
	BGPIdleHold:           {"bgp.idle_hold", TypeDuration, 0, hour, nil, "IdleHoldTimer: wait after an error before the session starts again"},
	BGPIdleHoldMax:        {"bgp.idle_hold_max", TypeDuration, 0, 24 * hour, nil, "the wait doubles with each error up to this"},
	BGPIdleHoldReset:      {"bgp.idle_hold_reset", TypeDuration, 0, hour, nil, "wait after the peer reset the session with a CEASE"},
	BGPIdleHoldJitter:     {"bgp.idle_hold_jitter", TypeRatio, 1, 1000, nil, "IdleHoldTimer is multiplied by U(this, 1)"},
	BGPSendHold:           {"bgp.send_hold", TypeDuration, 0, 24 * hour, nil, "SendHoldTimer (RFC 9687); 0 = the greater of 8 min and twice the hold time"},
	BGPPassive:            {"bgp.passive", TypeBool, 0, 0, nil, "never opens a connection itself"},
	BGPMRAI:               {"bgp.mrai", TypeDuration, 0, hour, nil, "MinRouteAdvertisementIntervalTimer towards neighbours of other ASes"},
	BGPMRAIIBGP:           {"bgp.mrai_ibgp", TypeDuration, 0, hour, nil, "the same towards neighbours of the own AS"},
	BGPMRAIMode:           {"bgp.mrai_mode", TypeEnum, 0, 0, []string{"none", "since-last-update", "tick", "out-delay"}, "where the interval begins: since-last-update = at the last UPDATE to the neighbour, tick = at the last tick of a timer that runs from the start of the session, out-delay = when the route became the best; none = nothing waits"},
	BGPMRAIScope:          {"bgp.mrai_scope", TypeEnum, 0, 0, []string{"peer", "prefix"}, "since-last-update: the last UPDATE to the neighbour, or the last one about the same prefix"},
	BGPMRAIJitter:         {"bgp.mrai_jitter", TypeRatio, 1, 1000, nil, "MRAI is multiplied by U(this, 1), each time anew; an out-delay is not"},
	BGPMRAIGranularity:    {"bgp.mrai_granularity", TypeDuration, 0, hour, nil, "since-last-update, scope peer: the age of the last UPDATE is the difference of two readings of a clock that shows multiples of this; 0 = exact"},
	BGPMRAIWithdrawals:    {"bgp.mrai_withdrawals", TypeEnum, 0, 0, []string{"gated", "exempt", "flush"}, "withdrawals wait for MRAI too, go out at once, or go out at once with everything else that waits"},
	BGPMRAIAfterWithdraw:  {"bgp.mrai_after_withdrawal", TypeBool, 0, 0, nil, "since-last-update: an UPDATE that only withdraws starts the interval, too"},
	BGPMRAINewPrefix:      {"bgp.mrai_new_prefix", TypeEnum, 0, 0, []string{"gated", "exempt"}, "whether a prefix that the neighbour does not know waits for MRAI too"},
	BGPFirstUpdate:        {"bgp.first_update", TypeDuration, 0, hour, nil, "from Established to the first UPDATE"},
	BGPProcessing:         {"bgp.processing", TypeDuration, 0, hour, nil, "from the arrival of an UPDATE to the decision that it causes"},
	BGPProcessingSerial:   {"bgp.processing_serial", TypeBool, 0, 0, nil, "UPDATEs are processed one after the other, so that a burst of them takes the sum of their times; otherwise the time is a delay that each of them has"},
	BGPDecisionDelay:      {"bgp.decision_delay", TypeDuration, 0, hour, nil, "from the first news about a route to the decision, one for all that has come until then; 0 = a decision after each UPDATE"},
	BGPDecision:           {"bgp.decision", TypeEnum, 0, 0, []string{"rfc4271", "frr", "bird", "gobgp", "cisco-ios", "aws-vgw", "gcp-legacy", "gcp-standard", "azure"}, "decision process"},
	BGPMultipath:          {"bgp.multipath", TypeInt, 1, 128, nil, "how many equally good paths are used at once"},
	BGPMultipathSameAS:    {"bgp.multipath_same_as", TypeBool, 0, 0, nil, "only paths of one neighbouring AS are used beside each other"},
	BGPMED:                {"bgp.med", TypeInt, -1, 4294967295, nil, "MULTI_EXIT_DISC sent with every announcement over eBGP; -1 = none"},
	BGPAlwaysCompareMED:   {"bgp.always_compare_med", TypeBool, 0, 0, nil, "MED is compared whichever neighbouring AS the paths come through"},
	BGPWeight:             {"bgp.weight", TypeInt, 0, 65535, nil, "weight of what the peer announces, asked before everything else by the decision processes frr and cisco-ios"},
	BGPIGPMetric:          {"bgp.igp_metric", TypeInt, 0, 4294967295, nil, "interior cost to the next hops that the peer announces; of use over iBGP, since there is no IGP"},
	BGPReflectorClient:    {"bgp.route_reflector_client", TypeBool, 0, 0, nil, "the peer is a client of this router, which reflects routes (RFC 4456)"},
	BGPNextHopSelf:        {"bgp.next_hop_self", TypeBool, 0, 0, nil, "over iBGP the router puts itself in as next hop of what it learned from other ASes; what is reflected keeps its next hop"},
	BGPFamilies:           {"bgp.families", TypeEnum, 0, 0, []string{"inside", "ipv4", "ipv6"}, "the address families that the peer is offered, of which only those are exchanged that it offers too: inside = those of which the link's end has an inside address, or one of them only"},
	BGPAddPath:            {"bgp.add_path", TypeEnum, 0, 0, []string{"none", "send", "receive", "both"}, "add-path (RFC 7911), offered to the peer for every family: send = to send it several paths to a prefix, receive = to receive several; used in a direction if one end sends and the other receives"},
	BGPAddPathPaths:       {"bgp.add_path_paths", TypeInt, 0, 255, nil, "how many paths to a prefix are sent at most, the best ones; 0 = all"},
	BGPSenderSideLoop:     {"bgp.sender_side_loop", TypeBool, 0, 0, nil, "routes whose AS_PATH holds the peer's AS are not sent to it"},
	BGPLoopWithdraws:      {"bgp.sender_side_loop_withdraws", TypeBool, 0, 0, nil, "with sender_side_loop: the peer is told that what it was sent before is gone, when such a route takes its place"},
	BGPNoEcho:             {"bgp.no_echo", TypeBool, 0, 0, nil, "a route is not sent back to the peer that it came from"},
	BGPTransit:            {"bgp.transit", TypeBool, 0, 0, nil, "routes learned from one neighbour are announced to others; otherwise only its own networks"},
	BGPFastFallover:       {"bgp.fast_fallover", TypeBool, 0, 0, nil, "the session ends at once when its own interface goes down"},
	BGPNextHopTracking:    {"bgp.nexthop_tracking", TypeBool, 0, 0, nil, "without fast_fallover: routes whose next hop lies behind an interface that is down are not used"},
	BGPNextHopDelay:       {"bgp.nexthop_delay", TypeDuration, 0, hour, nil, "from the change of the interface to what next-hop tracking makes of it"},
	BGPDamping:            {"bgp.damping", TypeBool, 0, 0, nil, "routes of external neighbours that flap are suppressed (RFC 2439): 1000 for a withdrawal, 500 for other attributes"},
	BGPDampingHalfLife:    {"bgp.damping_half_life", TypeDuration, sec, 24 * hour, nil, "the figure of merit halves in this time"},
	BGPDampingSuppress:    {"bgp.damping_suppress", TypeInt, 1, 50000, nil, "the figure of merit from which a route is suppressed"},
	BGPDampingReuse:       {"bgp.damping_reuse", TypeInt, 1, 50000, nil, "the figure of merit below which it is used again"},
	BGPDampingMax:         {"bgp.damping_max", TypeDuration, sec, 24 * hour, nil, "no route is suppressed for longer, counted from its last flap"},
	BGPMaxPrefixes:        {"bgp.max_prefixes", TypeInt, 0, 10000000, nil, "more prefixes than this are not taken from the peer; 0 = no limit"},
	BGPMaxPrefixesAction:  {"bgp.max_prefixes_action", TypeEnum, 0, 0, []string{"drop", "warn"}, "what follows a prefix too many: drop = the session ends with a CEASE, warn = nothing but a note"},
	BGPMaxPrefixesRestart: {"bgp.max_prefixes_restart", TypeDuration, 0, 24 * hour, nil, "wait after a prefix too many before the session starts again; 0 = it stays down until it is started"},
	BGPGracefulRestart:    {"bgp.graceful_restart", TypeEnum, 0, 0, []string{"off", "helper", "restarter"}, "graceful restart (RFC 4724): helper = the routes of a peer that restarts are kept, restarter = and the peer is asked to do the same"},
	BGPRestartTime:        {"bgp.restart_time", TypeDuration, 0, 4095 * sec, nil, "Restart Time: how long the peer is asked to keep the routes of a restarter"},
	BGPGracefulNotify:     {"bgp.graceful_notification", TypeBool, 0, 0, nil, "the N bit (RFC 8538): if both ends set it, the hold timer and most NOTIFICATIONs begin a graceful restart, too"},
	BGPStalePathTime:      {"bgp.stalepath_time", TypeDuration, 0, hour * 24, nil, "from the end of the session until stale routes go, even if it is back; 0 = no bound"},
	BGPSelectionDeferral:  {"bgp.selection_deferral", TypeDuration, 0, hour * 24, nil, "Selection_Deferral_Timer: how long a restarter waits for its peers' routes before it chooses"},
	BGPLongLived:          {"bgp.long_lived", TypeEnum, 0, 0, []string{"off", "helper", "restarter"}, "long-lived graceful restart (RFC 9494); needs bgp.graceful_restart"},
	BGPLongLivedTime:      {"bgp.long_lived_time", TypeDuration, 0, 16777215 * sec, nil, "Long-Lived Stale Time: how much longer the peer is asked to keep the routes, as its last choice"},
	BGPGracefulRules:      {"bgp.graceful_rules", TypeEnum, 0, 0, []string{"rfc", "bird"}, "bird = with long-lived graceful restart agreed, the end of the hold timer begins a graceful restart, and its capability alone has routes kept for the Restart Time"},
	BGPLoopSleep:          {"bgp.loop_sleep", TypeDuration, 0, hour, nil, "so long the main loop sleeps at most before it does what a hold timer or a new session has left it (BIRD 2); anything that happens wakes it"},
	FIBDelay:              {"fib.delay", TypeDuration, 0, hour, nil, "from the decision to the router's forwarding table"},
	FIBSurvives:           {"fib.survives", TypeBool, 0, 0, nil, "what the routing process installed stays when the process goes; a restarter says so to its peers (the F bit)"},
	RouteTableKind:        {"route_table.kind", TypeEnum, 0, 0, []string{"none", "gateway", "tunnel"}, "cloud route table in front of the gateway: rows point to the gateway (AWS), or one row for each tunnel (GCP)"},
	RouteTablePropagate:   {"route_table.propagate", TypeBool, 0, 0, nil, "BGP routes enter the cloud's route table"},
	RouteTableDelay:       {"route_table.delay", TypeDuration, 0, hour, nil, "from the gateway's routes to the cloud's route table"},
	RouteTableLocalDelay:  {"route_table.local_delay", TypeDuration, 0, hour, nil, "the same when the cloud itself removed the tunnel"},
	IPDecrementTTL:        {"ip.decrement_ttl", TypeBool, 0, 0, nil, "forwarding takes one from the TTL"},
	TCPSynRetry:           {"tcp.syn_retry", TypeDuration, ms, hour, nil, "first retransmission of a SYN; doubles after tcp.syn_linear of them"},
	TCPSynLinear:          {"tcp.syn_linear", TypeInt, 0, 100, nil, "so many retransmissions of a SYN before the wait doubles"},
	TCPRTO:                {"tcp.rto", TypeDuration, ms, hour, nil, "first retransmission of data; doubles"},
	TCPTimerHz:            {"tcp.timer_hz", TypeInt, 0, 10000, nil, "ticks in a second of a Linux kernel, whose timers come late by up to an eighth; 0 = none does"},
	TCPRTOMax:             {"tcp.rto_max", TypeDuration, ms, hour, nil, "the longest wait between retransmissions"},
	VPNVersion:            {"vpn.ike", TypeEnum, 0, 0, []string{"v1", "v2"}, "IKE version"},
	VPNInitiate:           {"vpn.initiate", TypeBool, 0, 0, nil, "negotiates by itself when the tunnel is created"},
	VPNOnTraffic:          {"vpn.on_traffic", TypeBool, 0, 0, nil, "negotiates when a packet wants to leave"},
	VPNProcessing:         {"vpn.processing", TypeDuration, 0, hour, nil, "time to answer one IKE message"},
	VPNRetransmit:         {"vpn.retransmit", TypeDuration, ms, hour, nil, "first retransmission of an IKE request; each next one 1.8 times later"},
	VPNRetransmitTries:    {"vpn.retransmit_tries", TypeInt, 0, 20, nil, "retransmissions before the exchange is given up"},
	VPNRetry:              {"vpn.retry", TypeDuration, 0, hour, nil, "from giving up to negotiating again; 0 = never by itself"},
	VPNDPDInterval:        {"vpn.dpd_interval", TypeDuration, 0, hour, nil, "idle time before R-U-THERE; 0 = no dead peer detection"},
	VPNDPDRetry:           {"vpn.dpd_retry", TypeDuration, 0, hour, nil, "between unanswered R-U-THEREs (IKEv1)"},
	VPNDPDRetries:         {"vpn.dpd_retries", TypeInt, 0, 100, nil, "unanswered R-U-THEREs before the peer is dead"},
	VPNDPDTimeout:         {"vpn.dpd_timeout", TypeDuration, 0, hour, nil, "from the last inbound packet to dead peer; 0 = the retries decide"},
	VPNDPDAction:          {"vpn.dpd_action", TypeEnum, 0, 0, []string{"clear", "restart", "none"}, "what follows a dead peer"},
	VPNIKELifetime:        {"vpn.ike_lifetime", TypeDuration, 0, 1000 * hour, nil, "lifetime of the IKE SA (phase 1)"},
	VPNChildLifetime:      {"vpn.child_lifetime", TypeDuration, 0, 1000 * hour, nil, "lifetime of the IPsec SA (phase 2)"},
	VPNRekeyMargin:        {"vpn.rekey_margin", TypeDuration, 0, 100 * hour, nil, "rekeying starts this long before a lifetime ends"},
	VPNRekeyFuzz:          {"vpn.rekey_fuzz", TypeRatio, 0, 10000, nil, "share of the margin by which it starts earlier still, at random"},
	VPNInterfaceFollowsSA: {"vpn.interface_follows_sa", TypeBool, 0, 0, nil, "the tunnel interface goes down with its SA, so that BGP is told"},
	BFDEnabled:            {"bfd.enabled", TypeBool, 0, 0, nil, "BFD watches the path of the BGP session; it runs where both ends have it"},
	BFDMinTx:              {"bfd.min_tx", TypeDuration, ms, 4294 * sec, nil, "Desired Min TX Interval: packets are sent no more often, and once a second until the session is up"},
	BFDMinRx:              {"bfd.min_rx", TypeDuration, ms, 4294 * sec, nil, "Required Min RX Interval: the other end may send no more often"},
	BFDMultiplier:         {"bfd.multiplier", TypeInt, 1, 255, nil, "Detect Mult: the other end gives up after so many intervals without a packet from here"},
	BFDJitter:             {"bfd.jitter", TypeRatio, 750, 1000, nil, "each interval between packets is multiplied by U(this, 1), and by 0.9 at most with a multiplier of 1"},
	BFDPassive:            {"bfd.passive", TypeBool, 0, 0, nil, "sends nothing before it has heard from the other end"},
	BFDIndependent:        {"bfd.independent", TypeBool, 0, 0, nil, "BFD goes on when the routing process hangs: it is another process, a thread or hardware"},
	BFDStrict:             {"bfd.strict", TypeBool, 0, 0, nil, "BGP does not come up before BFD is up, if both ends want it so"},
	BFDStrictHold:         {"bfd.strict_hold", TypeDuration, ms, hour, nil, "how long it waits for that when no hold time was negotiated"},
	StallEvery:            {"stall.every", TypeDuration, 0, 10000 * hour, nil, "time between stalls of the routing process, drawn each time; 0 = it never stalls"},
	StallFor:              {"stall.for", TypeDuration, 0, hour, nil, "how long a stall lasts, drawn each time: the process hangs, and neither sends nor reads"},
}

// Info describes k.
func (k Key) Info() *KeyInfo { return &keys[k] }

func (k Key) String() string { return keys[k].Path }

// BFDDetail tells whether k says how BFD is to be done, where it is done at all.
func (k Key) BFDDetail() bool { return k > BFDEnabled && k <= BFDStrictHold }

// KeyByPath finds a key by its path, such as "bgp.hold".
func KeyByPath(path string) (Key, bool) {
	for k := range keys {
		if keys[k].Path == path {
			return Key(k), true
		}
	}
	return 0, false
}
