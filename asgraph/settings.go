package asgraph

import (
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/topology"
)

// ConfigOf makes a Config of what a design says.
func ConfigOf(x *topology.Internet) Config {
	s := &x.Settings
	rules, ok := bgp.RulesetFor(s[topology.BGPDecision].Enum)
	if !ok {
		panic("asgraph: no decision process called " + s[topology.BGPDecision].Enum)
	}
	c := Config{
		Rules:          rules,
		NoEcho:         s[topology.BGPNoEcho].Bool,
		SenderSideLoop: s[topology.BGPSenderSideLoop].Bool,
		LoopUnsaid:     s[topology.BGPSenderSideLoop].Bool && !s[topology.BGPLoopWithdraws].Bool,
		Delay:          x.Delay.Dist,
		Processing:     s[topology.BGPProcessing].Dist,
		Serial:         s[topology.BGPProcessingSerial].Bool,
		DecisionDelay:  s[topology.BGPDecisionDelay].Dist,
		MRAI: bgp.MRAI{
			Interval:         s[topology.BGPMRAI].Dist.A,
			Granularity:      s[topology.BGPMRAIGranularity].Dist.A,
			First:            s[topology.BGPFirstUpdate].Dist.A,
			PerPrefix:        s[topology.BGPMRAIScope].Enum == "prefix",
			QuietWithdrawals: !s[topology.BGPMRAIAfterWithdraw].Bool,
			NewAtOnce:        s[topology.BGPMRAINewPrefix].Enum == "exempt",
		},
	}
	switch s[topology.BGPMRAIMode].Enum {
	case "since-last-update":
		c.MRAI.Mode = bgp.MRAISinceLastUpdate
	case "tick":
		c.MRAI.Mode = bgp.MRAITick
	case "out-delay":
		c.MRAI.Mode = bgp.MRAIOutDelay
	}
	switch s[topology.BGPMRAIWithdrawals].Enum {
	case "gated":
		c.MRAI.Withdrawals = bgp.WithdrawalsGated
	case "flush":
		c.MRAI.Withdrawals = bgp.WithdrawalsFlush
	}
	if r := s[topology.BGPMRAIJitter].Int; r != 0 && r != 1000 {
		c.MRAI.Jitter = bgp.Jitter{Lo: uint32(r), Hi: 1000}
	}
	return c
}
