package lab

import (
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// Carrier is what tunnels are made of.
type Carrier string

const (
	Plain Carrier = "plain" // packets as they are, carried by this program
	IPsec Carrier = "ipsec" // strongSwan at both ends, ESP carried by this program
)

// Carriers lists them.
var Carriers = []Carrier{Plain, IPsec}

// What the settings of a tunnel mean where strongSwan makes it: what it can be told is
// as the scenario has it, and the rest is strongSwan's nature, in the lab as in the
// simulation beside it.

// told are the settings that strongSwan has a word for, or that the lab sees to itself:
// which end begins, when it tries again, and whether the interface follows.
var told = []topology.Key{topology.VPNInitiate, topology.VPNRetransmit, topology.VPNRetransmitTries, topology.VPNRetry, topology.VPNDPDInterval, topology.VPNDPDAction,
	topology.VPNIKELifetime, topology.VPNChildLifetime, topology.VPNRekeyMargin, topology.VPNRekeyFuzz, topology.VPNInterfaceFollowsSA}

// swan is the system that the values below were measured on.
const swan = "strongSwan 5.9.8 with kernel-libipsec in network namespaces"

// asStrongSwan gives an end of a tunnel the settings that it has in a lab with IPsec.
// The IKE SA is of the given version, whatever the end would rather have.
func asStrongSwan(set, of *topology.Settings, version string) {
	for _, k := range told {
		set[k] = of[k]
	}
	measured := func(k topology.Key, v topology.Value, note string) {
		set[k] = topology.Setting{Value: v, Origin: topology.Origin{Status: topology.Measured, Source: swan, Note: note}, Set: true}
	}
	if of[topology.VPNVersion].Enum != version {
		measured(topology.VPNVersion, topology.Value{Enum: version}, "the peer begins, and this end follows it")
	} else {
		set[topology.VPNVersion] = of[topology.VPNVersion]
	}
	measured(topology.VPNOnTraffic, topology.Value{}, "kernel-libipsec has no trap policies")
	measured(topology.VPNProcessing, topology.Value{Dist: processing}, "a Diffie-Hellman of 2048 bits; more on a busy machine")
	// charon counts silence in whole seconds: the last packet's moment is rounded down,
	// and so is the one at which it looks.
	about := func(d topology.Dist) topology.Value {
		return topology.Value{Dist: topology.Dist{Kind: topology.Uniform, A: max(d.Min()-time.Second, 0), B: d.Max() + time.Second}}
	}
	interval := of[topology.VPNDPDInterval].Dist
	switch {
	case interval.Max() == 0:
	case version == "v1":
		measured(topology.VPNDPDRetry, topology.Value{}, "dpd_delay is the interval of all, answered or not")
		measured(topology.VPNDPDTimeout, about(deadAfter(of)), "silence is counted in whole seconds")
	default:
		// There is no timeout: an unanswered request is retransmitted like any other.
		measured(topology.VPNDPDInterval, about(interval), "silence is counted in whole seconds")
		measured(topology.VPNDPDTimeout, topology.Value{}, "IKEv2: the peer is dead when the retransmissions are exhausted")
	}
}

// processing is the time to answer one IKE message.
var processing = topology.Dist{Kind: topology.Uniform, A: 1 * time.Millisecond, B: 8 * time.Millisecond}

// deadAfter is how long after the last packet an IKEv1 peer is dead: what strongSwan is
// told as dpd_timeout. It knows no number of retries.
func deadAfter(of *topology.Settings) topology.Dist {
	d := of[topology.VPNDPDTimeout].Dist
	if d.Max() > 0 {
		return d
	}
	interval, retry := of[topology.VPNDPDInterval].Dist.Max(), of[topology.VPNDPDRetry].Dist.Max()
	if retry == 0 {
		retry = interval
	}
	return topology.Const(interval + time.Duration(of[topology.VPNDPDRetries].Int)*retry)
}

// ikeVersion is what the IKE SA of a tunnel is negotiated with: who begins decides.
func ikeVersion(l *topology.Link) (string, error) {
	a, b := &l.Ends[0].Settings, &l.Ends[1].Settings
	va, vb := a[topology.VPNVersion].Enum, b[topology.VPNVersion].Enum
	switch begins := [2]bool{a[topology.VPNInitiate].Bool, b[topology.VPNInitiate].Bool}; {
	case begins == [2]bool{}:
		return "", problem("set vpn.initiate at one end", "%s: neither end begins to negotiate (vpn.initiate)", l.Name)
	case begins == [2]bool{true, true} && va != vb:
		return "", problem("give both the same vpn.ike", "%s: its ends begin with different versions of IKE, which the lab does not do", l.Name)
	case begins[0]:
		return va, nil
	}
	return vb, nil
}

// ofIPsec are settings of tunnels whose difference changes what a failure does.
func ofIPsec(k topology.Key) bool {
	switch k {
	case topology.VPNVersion, topology.VPNOnTraffic, topology.VPNDPDTimeout:
		return true
	}
	return false
}
