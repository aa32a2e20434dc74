package report

// The documents that the tests print. The first is the seed's case written by
// hand, as the simulator is meant to hand it over; the others are what a run
// can come to besides: nothing sent, nothing lost, a gap that never ends, two
// probes, chance, and an outage between two probes.

import (
	"fmt"
	"time"

	"github.com/vpnsim/vpnsim/probe"
)

const (
	ms  Seconds = 1e6
	sec Seconds = 1e9
)

// echoes are sent every second from 0.6 s on; lost says why one died.
func echoes(n int, lost func(seq int) string) []Echo {
	var out []Echo
	noise := uint32(1)
	for seq := 1; seq <= n; seq++ {
		noise = noise*1664525 + 1013904223
		e := Echo{Seq: seq, SentS: Seconds(seq)*sec - 400*ms}
		if why := lost(seq); why != "" {
			e.Lost = why
		} else {
			e.RTTNs, e.TTL = 4_980_000+int64(noise>>12)%260_000, 64
		}
		out = append(out, e)
	}
	return out
}

func between(a, b int, why string) func(int) string {
	return func(seq int) string {
		if a <= seq && seq <= b {
			return why
		}
		return ""
	}
}

// pinged fills in what follows from the echoes.
func pinged(pr Probe) Probe {
	s := probe.Stats(measured(pr), probe.Iputils)
	pr.Sent, pr.Received, pr.Lost = s.Sent, s.Received, s.Lost
	if s.Sent > 0 {
		pr.LossRate = float64(s.Lost) / float64(s.Sent)
	}
	pr.RTT = RTT{Min: float64(s.Min) / 1000, Avg: float64(s.Avg) / 1000, Max: float64(s.Max) / 1000, MDev: float64(s.MDev) / 1000}
	return pr
}

func vmToEC2() Probe {
	return Probe{
		Name: "ping", From: "10.1.0.2", To: "10.2.0.6", FromHost: "vm", ToHost: "ec2",
		Size: 56, EveryS: sec,
	}
}

func header(kind string) Document {
	return Document{
		VPNSim: "v1", Kind: kind, Version: "dev", Scenario: "aws-gcp.yaml",
		Name:           "AWS–GCP, two tunnels, the best one is deleted",
		ScenarioSHA256: "3f9c2b1a77d0e5b4c6a8f0e1d2c3b4a5968778695a4b3c2d1e0f9a8b7c6d5e4f",
		Seed:           1, Digest: "9e3779b97f4a7c15", EndS: 300 * sec,
	}
}

const deletion = "gcp deletes tun2, without telling aws"

// seedCase: the reply path waits for the hold timer of aws.
func seedCase() Document {
	doc := header("run")
	const (
		fault   = 85_404 * ms
		heard   = 84_300_123_456
		expired = heard + 30*sec
		end     = expired + 100*ms
		create  = 150 * sec
	)
	pr := vmToEC2()
	pr.Echoes = echoes(300, between(86, 114, "reply, in tun2: gcp has deleted its end"))
	doc.Probes = []Probe{pinged(pr)}
	doc.Assumptions = []Assumption{
		{"topology.prefixes.gcp", "10.1.0.0/16", "the case does not give GCP's range"},
		{"routers.aws.propagation_delay", "0.1 s", "AWS does not say how long a VGW takes to change its route table"},
		{"routers.gcp.fib_delay", "0 s", "a Cloud Router removes a route with its tunnel at once"},
	}
	doc.Story = []Fault{
		{fault, deletion, "story[0]", "aws-gcp.yaml:31:5"},
		{create, "gcp creates tun2 again", "story[1]", "aws-gcp.yaml:32:5"},
	}
	doc.Gaps = []Gap{{
		N: 1, Probe: "ping", LastOKSeq: 85, FirstOKSeq: 115, Lost: 29, ProbeGapS: 30 * sec,
		OutageS: end - fault, TotalS: end - fault, StartS: fault, EndS: end, Direction: "reply",
		ReplyOutageS: end - fault,
		Request:      "moved from tun2 to tun1 at 85.404 s: gcp deleted the tunnel itself",
		Reply:        "sent into tun2, which gcp had deleted, until aws moved to tun1",
		Cause:        deletion + " (story[0], aws-gcp.yaml:31:5)",
		Chain: []Wait{
			{fault, expired, heard, "aws", "hold timer of the session over tun2", "routers.aws.bgp.hold", "30 s", "profile aws-vgw, documented: https://docs.aws.amazon.com/vpn/latest/s2svpn/", nil},
			{expired, expired, expired, "aws", "decision: tun1 becomes best", "", "", "", nil},
			{expired, end, expired, "aws", "route table of the VPC follows", "routers.aws.propagation_delay", "0.1 s", "assumed: AWS does not say", nil},
		},
		RuledOut: []RuledOut{
			{"routers.*.bgp.mrai", "no UPDATE was needed: both ends already held the other path, and a local decision waits for no advertisement"},
			{"tunnels.tun2.dpd", "would have closed the tunnel 40 s after the last packet; the hold timer was faster"},
			{"routers.gcp.bgp.hold", "gcp knew of its own deletion at once"},
		},
		Counterfactuals: []Counterfactual{
			{"--set story.0.notify=true", "", "routers.aws.bgp.hold", 213 * ms, 213 * ms, 0},
			{"--set routers.aws.bgp.hold=9s", "", "routers.aws.bgp.hold", 7_996_123_456, 7_996_123_456, 8},
			{"--set routers.aws.propagation_delay=0s", "", "routers.aws.propagation_delay", expired - fault, expired - fault, 29},
			{"--set routers.aws.bgp.mrai=30s", "", "", end - fault, end - fault, 29},
		},
	}}
	up := func(router, peer, link string, at Seconds) Session {
		return Session{
			Router: router, Peer: peer, Link: link, State: "Established", SinceS: at,
			HoldS: 30 * sec, KeepaliveS: 10 * sec,
			HoldFrom: "routers.aws.bgp.hold 30 s, the smaller of 30 s and 60 s",
			History:  []Transition{{at, "OpenConfirm", "Established", "KEEPALIVE received"}},
		}
	}
	a1, g1 := up("aws", "169.254.26.158", "tun1", -54_200*ms), up("gcp", "169.254.26.157", "tun1", -54_190*ms)
	a2, g2 := up("aws", "169.254.26.134", "tun2", 153_020*ms), up("gcp", "169.254.26.133", "tun2", 153_010*ms)
	g2.KeepaliveS, g1.KeepaliveS = 20*sec, 20*sec
	a2.History = []Transition{
		{-54_100 * ms, "OpenConfirm", "Established", "KEEPALIVE received"},
		{expired, "Established", "Idle", "hold timer expired"},
		{expired + sec, "Idle", "Connect", "idle hold timer"},
		{153_010 * ms, "Connect", "OpenConfirm", "OPEN received"},
		{153_020 * ms, "OpenConfirm", "Established", "KEEPALIVE received"},
	}
	g2.History = []Transition{
		{-54_090 * ms, "OpenConfirm", "Established", "KEEPALIVE received"},
		{fault, "Established", "Idle", "the tunnel was deleted"},
		{151 * sec, "Idle", "Connect", "the tunnel is up"},
		{153 * sec, "Connect", "OpenConfirm", "OPEN received"},
		{153_010 * ms, "OpenConfirm", "Established", "KEEPALIVE received"},
	}
	doc.Sessions = []Session{a1, a2, g1, g2}
	doc.Tunnels = []Tunnel{
		{"aws", "tun1", "up", -60 * sec, nil},
		{"aws", "tun2", "up", 150_910 * ms, []Transition{
			{124_300 * ms, "up", "down", "dead peer detection"},
			{150_200 * ms, "down", "negotiating", "IKE proposal received"},
			{150_910 * ms, "negotiating", "up", "child SA installed"},
		}},
		{"gcp", "tun1", "up", -60 * sec, nil},
		{"gcp", "tun2", "up", 150_920 * ms, []Transition{
			{fault, "up", "absent", "deleted here"},
			{create, "absent", "negotiating", "created here"},
			{150_920 * ms, "negotiating", "up", "child SA installed"},
		}},
	}
	doc.Routes = []Route{
		{300 * sec, "aws", "bgp", "10.1.0.0/16", "tun1", "169.254.26.158", 100, -1, "65000", "igp", true, true, "best", nil},
		{300 * sec, "aws", "bgp", "10.1.0.0/16", "tun2", "169.254.26.134", 100, -1, "65000", "igp", false, false, "lost at step f: higher router id", nil},
		{300 * sec, "gcp", "bgp", "10.2.0.0/16", "tun1", "169.254.26.157", 100, 100, "64512", "igp", true, true, "best", nil},
		{300 * sec, "gcp", "bgp", "10.2.0.0/16", "tun2", "169.254.26.133", 100, 100, "64512", "igp", false, true, "used beside it (multipath)", nil},
		{300 * sec, "gcp", "vpc", "10.2.0.0/16", "tun1", "169.254.26.157", 0, -1, "", "", true, true, "installed: one row per next hop", nil},
		{300 * sec, "gcp", "vpc", "10.2.0.0/16", "tun2", "169.254.26.133", 0, -1, "", "", false, true, "installed: one row per next hop", nil},
	}
	doc.Forwarding = []Forwarding{{
		From: "vm", FromAddress: "10.1.0.2", To: "ec2", ToAddress: "10.2.0.6",
		Seconds: ForwardingSeconds{OK: 300*sec - (end - fault) - 146_900*ms, Asymmetric: 146_900 * ms, StaleReturnPath: end - fault, Lost: end - fault},
		Count:   ForwardingCount{OK: 2, Asymmetric: 1, StaleReturnPath: 1, Lost: 1},
		Intervals: []ForwardingInterval{
			{0, fault, "ok", "both", false, []string{"tun2"}, []string{"tun2"}, "", "", "it was so when the warm-up ended", nil, nil},
			{fault, end, "stale_return_path", "reply", true, []string{"tun1"}, []string{"tun2"}, "in tun2, at gcp", "the far end has deleted the tunnel", deletion + " (story[0], aws-gcp.yaml:31:5)", []TableEntry{{"aws", "fib", "10.1.0.0/16", "tun2", -46_279 * ms, "the network came up"}}, doc.Gaps[0].Chain},
			{end, 153_100 * ms, "ok", "both", false, []string{"tun1"}, []string{"tun1"}, "", "", "aws: hold timer of the session over tun2, at 114.300 s, after " + deletion, nil, nil},
			{153_100 * ms, 300 * sec, "asymmetric", "both", false, []string{"tun2"}, []string{"tun1"}, "", "", "gcp creates tun2 again", nil, nil},
		},
	}}
	doc.BringUp = []Convergence{
		{"the network comes up", "", -60 * sec, "10.1.0.0/16", 5_900 * ms, 4, 1, 3, 2, 1, true, nil, nil},
		{"the network comes up", "", -60 * sec, "10.2.0.0/16", 6_100 * ms, 2, 0, 3, 2, 2, true, nil, nil},
	}
	doc.Convergence = []Convergence{
		{deletion, "story[0]", fault, "10.1.0.0/16", end - fault, 0, 1, 1, 1, 1, true, nil, nil},
		{deletion, "story[0]", fault, "10.2.0.0/16", 213 * ms, 0, 0, 1, 1, 0, true, nil, nil},
		{"gcp creates tun2 again", "story[1]", create, "10.2.0.0/16", 3_100 * ms, 1, 0, 1, 1, 1, true, nil, nil},
	}
	doc.Ending = Ending{State: AtRest, Text: "at rest: 1 change of a route in the last 150.000 s, the last one at 153.100 s", SinceS: create, RouteChanges: 1, LastChangeS: 153_100 * ms}
	doc.Expectations = []Expectation{
		{`gap.outage <= duration("30s")`, true, "28.996 s", "aws-gcp.yaml:35:5", false},
		{`best("gcp", "10.2.0.0/16", end).tunnel == "tun2"`, false, "tun1", "aws-gcp.yaml:36:5", false},
	}
	at := func(t Seconds, lane, node, link, state, what string) {
		m := Moment{AtS: t, Lane: lane, Node: node, Link: link, State: state, What: what}
		if lane == "route" || lane == "fib" || lane == "table" {
			m.Prefix = map[string]string{"aws": "10.1.0.0/16", "gcp": "10.2.0.0/16"}[node]
		}
		doc.Timeline = append(doc.Timeline, m)
	}
	at(0, "route", "aws", "tun2", "tun2", "best path at the start")
	at(0, "route", "gcp", "tun2", "tun2", "best path at the start")
	at(0, "fib", "aws", "", "tun2", "installed")
	at(0, "fib", "gcp", "", "tun1 + tun2", "installed")
	at(0, "table", "aws", "", "tun2", "propagated")
	at(fault, "story", "gcp", "tun2", "", deletion)
	at(fault, "tunnel", "gcp", "tun2", "absent", "deleted here")
	at(fault, "session", "gcp", "tun2", "Idle", "the tunnel was deleted")
	at(fault, "route", "gcp", "tun1", "tun1", "tun2 is gone: tun1 becomes best")
	at(fault, "fib", "gcp", "", "tun1", "tun2 removed")
	at(fault, "forwarding", "ping", "reply", "lost", "in tun2: gcp has deleted its end")
	at(expired, "session", "aws", "tun2", "Idle", "hold timer expired")
	at(expired, "message", "aws", "tun2", "", "NOTIFICATION 4/0 hold timer expired")
	at(expired, "route", "aws", "tun1", "tun1", "tun2 is gone: tun1 becomes best")
	at(expired, "fib", "aws", "", "tun1", "tun2 removed")
	at(end, "table", "aws", "", "tun1", "follows the router")
	at(end, "forwarding", "ping", "reply", "ok", "through tun1")
	at(expired+sec, "session", "aws", "tun2", "Connect", "idle hold timer")
	at(124_300*ms, "tunnel", "aws", "tun2", "down", "dead peer detection")
	at(create, "story", "gcp", "tun2", "", "gcp creates tun2 again")
	at(create, "tunnel", "gcp", "tun2", "negotiating", "created here")
	at(150_200*ms, "tunnel", "aws", "tun2", "negotiating", "IKE proposal received")
	at(150_910*ms, "tunnel", "aws", "tun2", "up", "child SA installed")
	at(150_920*ms, "tunnel", "gcp", "tun2", "up", "child SA installed")
	at(151*sec, "session", "gcp", "tun2", "Connect", "the tunnel is up")
	at(153*sec, "session", "gcp", "tun2", "OpenConfirm", "OPEN received")
	at(153_010*ms, "session", "aws", "tun2", "OpenConfirm", "OPEN received")
	at(153_010*ms, "session", "gcp", "tun2", "Established", "KEEPALIVE received")
	at(153_020*ms, "session", "aws", "tun2", "Established", "KEEPALIVE received")
	at(153_100*ms, "fib", "gcp", "", "tun1 + tun2", "tun2 is back")
	return doc
}

func nothingSent() Document { return Document{VPNSim: "v1", Kind: "run", Version: "dev"} }

// noPing is a network without probes: path exploration that the end of the run
// cuts short, and a fault that routing does not even notice.
func noPing() Document {
	doc := header("run")
	doc.Name, doc.Scenario = "Routers all joined to each other", "clique.yaml"
	doc.Story = []Fault{{100 * sec, "r1 withdraws its prefixes", "story[0]", "clique.yaml:9:3"}, {200 * sec, "l3 carries packets again", "story[1]", "clique.yaml:10:3"}}
	doc.BringUp = []Convergence{{"the network comes up", "", -60 * sec, "", 0, 0, 0, 0, 0, 0, true, nil, nil}}
	for i := range 12 {
		c := Convergence{"r1 withdraws its prefixes", "story[0]", 100 * sec, fmt.Sprintf("10.%d.0.0/16", i), Seconds(i%5)*30*sec + 20*ms, 15, 12, 13, 11, 0, true, nil, nil}
		if i > 9 {
			c.Converged, c.Seconds, c.Waits = false, 100*sec, []string{"r2 may not advertise over l2 yet (MRAI)"}
		}
		doc.Convergence = append(doc.Convergence, c)
	}
	loop := ForwardingInterval{100 * sec, 100*sec + 700, "loop", "request", true, []string{"l12", "l23", "l23"}, []string{}, "r2 -> r3 -> r2", "it has been here before", "r1 withdraws its prefixes",
		[]TableEntry{{"r2", "fib", "10.0.0.0/24", "l23", 100 * sec, "r1 withdraws its prefixes"}, {"r3", "route_table", "", "", -3 * sec, "the network came up"}},
		[]Wait{{100 * sec, 100*sec + 600, 100 * sec, "r3", "MRAI towards l23", "routers.r3.bgp.mrai", "600ns", "clique.yaml:4:5", nil}}}
	doc.Forwarding = []Forwarding{{From: "r2", To: "r1", ToAddress: "10.0.0.1", OneWay: true,
		Seconds: ForwardingSeconds{OK: 300*sec - 700, Loop: 700, Lost: 700}, Count: ForwardingCount{OK: 2, Loop: 1, Lost: 1},
		Intervals: []ForwardingInterval{
			{0, 100 * sec, "ok", "both", false, []string{"l12"}, []string{}, "", "", "it was so when the warm-up ended", nil, nil},
			loop,
			{100*sec + 700, 300 * sec, "ok", "both", false, []string{"l12"}, []string{}, "", "", "no fault: routing changed by itself", nil, nil},
		}}}
	many := Forwarding{From: "r3", FromAddress: "10.3.0.1", To: "r1", ToAddress: "10.0.0.1", Seconds: ForwardingSeconds{BlackHole: 150 * sec, StaleReturnPath: 150 * sec, Lost: 150 * sec}, Count: ForwardingCount{BlackHole: 20, StaleReturnPath: 20, Lost: 20}}
	for i := range Seconds(40) {
		v := ForwardingInterval{i * 7500 * ms, (i + 1) * 7500 * ms, "stale_return_path", "both", false, []string{"l13"}, []string{"l13"}, "in l13, at r1", "the far end no longer announces the prefix", "r1 withdraws its prefixes", nil, nil}
		if i%2 == 1 {
			v.State, v.Lost, v.Where, v.Why = "black_hole", true, "at r3; at r1", "no route"
		}
		many.Intervals = append(many.Intervals, v)
	}
	doc.Forwarding = append(doc.Forwarding, many)
	doc.Ending = Ending{State: Repeats, Text: "never converges: the state of routing at 212.000 s is that at 206.000 s again (period 6.000 s); without another event it goes round for ever",
		SinceS: 200 * sec, RouteChanges: 50, LastChangeS: 299 * sec, FirstS: 206 * sec, AgainS: 212 * sec, PeriodS: 6 * sec, Waits: []string{"r2 may not advertise over l2 yet (MRAI)"}}
	doc.Convergence = append(doc.Convergence, Convergence{"l3 carries packets again", "story[1]", 200 * sec, "", 0, 0, 0, 0, 0, 0, true, nil, nil})
	return doc
}

func noGap() Document {
	doc := header("run")
	pr := vmToEC2()
	pr.Echoes = echoes(10, func(int) string { return "" })
	doc.Probes, doc.EndS = []Probe{pinged(pr)}, 10*sec
	return doc
}

func neverRecovered() Document {
	doc := header("run")
	pr := vmToEC2()
	pr.Echoes = echoes(20, between(8, 20, "request, at gcp: no route to 10.2.0.6"))
	doc.Probes, doc.EndS = []Probe{pinged(pr)}, 20*sec
	doc.Story = []Fault{{7_200 * ms, "gcp deletes tun1 and tun2", "story[0]", "one.yaml:9:3"}}
	doc.Ending = Ending{State: Unsettled, Text: "not converged by the end of the run, although no route has changed since the last event; still to come: the hold timer of aws over tun1 is running out",
		SinceS: 7_200 * ms, LastChangeS: 7_200 * ms, Waits: []string{"the hold timer of aws over tun1 is running out"}}
	doc.Gaps = []Gap{{
		N: 1, Probe: "ping", LastOKSeq: 7, Lost: 13, Open: true,
		OutageS: 12_800 * ms, StartS: 7_200 * ms, EndS: 20 * sec, Direction: "both",
		RequestOutageS: 12_800 * ms, ReplyOutageS: 12_800 * ms,
		Request: "no route at gcp", Reply: "sent into tun2", Cause: "gcp deletes tun1 and tun2 (story[0], one.yaml:9:3)",
		Chain: []Wait{{7_200 * ms, 20 * sec, 7_200 * ms, "gcp", "for a tunnel: nobody creates one", "", "", "", nil}},
	}}
	return doc
}

func twoProbes() Document {
	doc := seedCase()
	doc.Probes[0].Name = "vm to ec2"
	doc.Gaps[0].Probe = "vm to ec2"
	for i, m := range doc.Timeline {
		if m.Node != "ping" {
			continue
		}
		doc.Timeline[i].Node = "vm to ec2"
		// What kills the reply of the one kills the request of the other.
		m.Node, m.Link = "ec2 to vm", "request"
		doc.Timeline = append(doc.Timeline, m)
	}
	back := vmToEC2()
	back.Name, back.From, back.To, back.FromHost, back.ToHost = "ec2 to vm", "10.2.0.6", "10.1.0.2", "ec2", "vm"
	back.Echoes = echoes(300, between(86, 114, "request, in tun2: gcp has deleted its end"))
	doc.Probes = append(doc.Probes, pinged(back))
	g := doc.Gaps[0]
	g.N, g.Probe, g.Direction = 2, "ec2 to vm", "request"
	g.Request, g.Reply = g.Reply, g.Request
	g.RequestOutageS, g.ReplyOutageS = g.ReplyOutageS, g.RequestOutageS
	doc.Gaps = append(doc.Gaps, g)
	return doc
}

func chanceOnly() Document {
	doc := header("run")
	pr := vmToEC2()
	pr.Echoes = echoes(200, func(seq int) string {
		if seq%13 == 5 {
			return fmt.Sprintf("%s, in tun1: lost to chance", []string{"request", "reply"}[seq%2])
		}
		return ""
	})
	doc.Probes, doc.EndS = []Probe{pinged(pr)}, 200*sec
	for _, g := range probe.Gaps(measured(pr)) {
		doc.Gaps = append(doc.Gaps, Gap{
			N: len(doc.Gaps) + 1, Probe: "ping", LastOKSeq: g.LastOK, FirstOKSeq: g.FirstOK, Lost: g.Lost,
			ProbeGapS: Seconds(g.Seen() / time.Nanosecond), Direction: "loss",
			StartS: Seconds(g.FirstLostSent), EndS: Seconds(g.LastLostSent),
		})
	}
	return doc
}

func betweenTwoProbes() Document {
	doc := noGap()
	doc.Gaps = []Gap{{
		N: 1, Probe: "ping", LastOKSeq: 4, FirstOKSeq: 5, ProbeGapS: sec,
		OutageS: 213_000_400, StartS: 3_700 * ms, EndS: 3_913_000_400, Direction: "reply", ReplyOutageS: 213_000_400,
		Request: "moved to tun1 at 3.700 s", Reply: "sent into tun2", Cause: "gcp deletes tun2 and tells aws (story[0], one.yaml:9:3)",
		Chain: []Wait{
			{3_700 * ms, 3_713_000_400, 3_700 * ms, "gcp", "IKE DELETE under way", "tunnels.tun2.rtt", "6.7 ms", "one.yaml:4:9", nil},
			{3_713_000_400, 3_713_000_400 + 200*ms, 3_713_000_400, "aws", "route table of the VPC follows", "routers.aws.propagation_delay", "0.2 s", "one.yaml:6:9",
				&Drawn{1, 213_333_333, "0.25 s x U(0.75, 1)", "routers.aws.propagation_jitter", "0.75", "profile rfc4271, standard: RFC 4271 §10"}},
		},
	}}
	return doc
}

// explained is the answer to the question of the seed's author.
func explained() Document {
	doc := header("explain")
	seed := seedCase()
	doc.Explain = &Explain{
		Question: "route gcp 10.2.0.6", AtS: 300 * sec,
		Answer: []string{
			"10.2.0.6 matches 10.2.0.0/16, which stands twice in the table of gcp: once per next hop.",
			"A route of this cloud has one next hop, so equal paths are separate rows; both are used, and a flow is hashed onto one of them.",
		},
		Routes: seed.Routes[2:],
		Rules:  []string{"a  highest local preference", "b  shortest AS path", "c  lowest origin", "d  lowest MED"},
	}
	return doc
}
