package lab

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/daemonconf"
	"github.com/vpnsim/vpnsim/profile"
	"github.com/vpnsim/vpnsim/topology"
)

// Flags is what a user says about who is what, word for word.
type Flags struct {
	With    string   // the daemon of every router: frr, bird, gobgp
	Routers []string // ROUTER=DAEMON
	Tunnel  string   // what tunnels are made of: plain, ipsec; empty: plain
}

// Plan says which daemon takes the place of each router.
type Plan struct {
	Scenario *topology.Design
	// Design is the scenario as it runs, in namespaces and simulated alike: with the
	// daemons' profiles in the place of those of the scenario's routers.
	Design  *topology.Design
	Daemons []daemonconf.Daemon
	Tunnel  Carrier
	configs []daemonconf.Config
	shift   time.Duration // of the story: so much earlier than in the scenario
}

// Problem is something that a lab cannot do, and what to do about it.
type Problem struct{ Message, Help string }

func (p *Problem) Error() string { return p.Message }

func problem(help, format string, args ...any) error {
	return &Problem{fmt.Sprintf(format, args...), help}
}

// daemons are those that a lab can start.
var daemons = daemonconf.Daemons

// mostRouters is how many namespaces with daemons are started at once; a machine
// with two cores is busy with them.
const mostRouters = 16

// NewPlan works out what the flags mean for a scenario.
func NewPlan(d *topology.Design, f Flags) (*Plan, error) {
	p := &Plan{Scenario: d, Tunnel: Carrier(cmp.Or(f.Tunnel, string(Plain)))}
	if !slices.Contains(Carriers, p.Tunnel) {
		return nil, problem("known: plain, ipsec", "--tunnel: nothing is called %q", f.Tunnel)
	}
	if err := supported(d, p.Tunnel); err != nil {
		return nil, err
	}
	p.Daemons = make([]daemonconf.Daemon, len(d.Routers))
	if f.With != "" {
		with, err := daemon("--with", f.With)
		if err != nil {
			return nil, err
		}
		p.Daemons = slices.Repeat([]daemonconf.Daemon{with}, len(d.Routers))
	}
	named := map[string]bool{}
	for _, text := range f.Routers {
		name, word, ok := strings.Cut(text, "=")
		i := slices.IndexFunc(d.Routers, func(r topology.Router) bool { return r.Name == name })
		switch {
		case !ok:
			return nil, problem("write ROUTER=DAEMON, such as "+d.Routers[0].Name+"=bird", "--router %s does not say which daemon", text)
		case i < 0:
			return nil, problem("its routers: "+routerNames(d), "--router %s: %s has no router %q", text, d.File, name)
		case named[name]:
			return nil, problem("a router is one daemon", "--router %s: %s is named twice", text, name)
		}
		named[name] = true
		with, err := daemon("--router "+name, word)
		if err != nil {
			return nil, err
		}
		p.Daemons[i] = with
	}
	if i := slices.Index(p.Daemons, ""); i >= 0 {
		return nil, problem("--with DAEMON says who plays all routers that --router does not name", "nobody plays router %s", d.Routers[i].Name)
	}
	for i := range d.Routers {
		if r := &d.Routers[i]; p.Daemons[i] == daemonconf.GoBGP && len(r.Statics) > 0 {
			return nil, problem("use frr or bird for it", "%v: GoBGP has no static routes", r.Statics[0].Pos)
		}
	}
	run, err := asRun(d, p.Daemons, p.Tunnel)
	if err != nil {
		return nil, err
	}
	p.Design = run
	for i := range d.Routers {
		c, err := daemonconf.Write(p.Design, i, p.Daemons[i], daemonconf.Options{Interface: p.device, Dir: "."})
		if err != nil {
			return nil, problem("", "router %s: %v", d.Routers[i].Name, err)
		}
		p.configs = append(p.configs, c)
	}
	return p, nil
}

func routerNames(d *topology.Design) string {
	var names []string
	for i := range d.Routers {
		names = append(names, d.Routers[i].Name)
	}
	return strings.Join(names, ", ")
}

func daemon(flag, word string) (daemonconf.Daemon, error) {
	if w := daemonconf.Daemon(word); slices.Contains(daemons, w) {
		return w, nil
	}
	return "", problem("known: frr, bird, gobgp", "%s: there is no daemon %q", flag, word)
}

// device is the name of the TUN devices of a link.
func (p *Plan) device(link int) string {
	if name := p.Scenario.Links[link].Name; len(name) <= 15 {
		return name
	}
	return fmt.Sprintf("link%d", link)
}

// supported says what of a scenario a lab cannot do.
func supported(d *topology.Design, tunnel Carrier) error {
	switch {
	case d.Internet != nil || d.Generated != (topology.Pos{}) && len(d.Routers) > mostRouters || len(d.Routers) > mostRouters:
		return problem("", "%s has more than the %d routers that a lab starts", d.File, mostRouters)
	case len(d.Probes) == 0:
		return problem("add a probe: {ping: HOST -> HOST}", "%s has no probe: a lab measures what a ping sees", d.File)
	case len(d.Story) == 0:
		return problem("add a story", "%s has no story: nothing would be measured", d.File)
	}
	for i := range d.Links {
		l := &d.Links[i]
		ibgp := d.Routers[l.Ends[0].Router].ASN == d.Routers[l.Ends[1].Router].ASN
		for e := range l.Ends {
			switch set := &l.Ends[e].Settings; {
			case ibgp && set[topology.BGPReflectorClient].Bool:
				return problem("routers that reflect routes leave the next hop as it is, and there is no IGP here that leads to it", "%s: %s: route reflection is not supported by the lab", d.File, l.Name)
			case set[topology.BFDStrict].Bool && set[topology.BFDEnabled].Bool:
				return problem("without bfd.strict it runs", "%s: %s: bfd.strict is not supported by the lab: its daemons have no such mode", d.File, l.Name)
			}
		}
	}
	if tunnel == IPsec && hasSix(d) {
		return problem("leave --tunnel ipsec out", "%s: IPv6 in IPsec is not supported by the lab", d.File)
	}
	for i := range d.Story {
		f := &d.Story[i]
		if f.Kind == topology.TunnelDelete && f.Notify && tunnel == Plain {
			return problem("--tunnel ipsec", "%s:%d:%d: notify takes IKE, which says that the tunnel goes", f.Pos.File, f.Pos.Line, f.Pos.Col)
		}
		switch f.Kind {
		case topology.TunnelDelete, topology.TunnelCreate, topology.BlackHole, topology.PacketLoss, topology.Heal, topology.LinkDown, topology.LinkUp,
			topology.SessionShut, topology.SessionStart, topology.SessionRefresh, topology.RouterKill, topology.RouterRestart, topology.RouterFreeze, topology.RouterThaw,
			topology.RouterStart, topology.PrefixWithdraw, topology.PrefixAnnounce, topology.PropagationOff, topology.PropagationOn:
		default:
			return problem("", "%s:%d:%d: this event is not supported by the lab", f.Pos.File, f.Pos.Line, f.Pos.Col)
		}
	}
	return nil
}

// timers are the settings that stay the scenario's whoever plays a router: they are
// what the scenario is about.
var timers = []topology.Key{topology.BGPHold, topology.BGPKeepalive, topology.BFDEnabled, topology.BFDMinTx, topology.BFDMinRx, topology.BFDMultiplier}

// configurable are those that stay where the scenario itself gives them, rather than
// the profile that it names. All others are the daemon's nature.
var configurable = []topology.Key{topology.BGPMinHold, topology.BGPConnectRetry, topology.BGPDelayOpen, topology.BGPPassive, topology.BGPMRAI, topology.BGPMRAIIBGP,
	topology.BGPMultipath, topology.BGPMultipathSameAS, topology.BGPAlwaysCompareMED, topology.BGPMED, topology.BGPWeight, topology.BGPReflectorClient,
	topology.BGPNextHopSelf, topology.BGPTransit, topology.BGPFastFallover, topology.BGPMaxPrefixes, topology.BGPMaxPrefixesAction, topology.BGPMaxPrefixesRestart,
	topology.BGPGracefulRestart, topology.BGPRestartTime, topology.BGPGracefulNotify, topology.BGPStalePathTime, topology.BGPSelectionDeferral,
	topology.BGPLongLived, topology.BGPLongLivedTime, topology.BFDPassive, topology.FIBSurvives}

// asRun is the scenario with daemons in the place of its routers.
func asRun(d *topology.Design, daemons []daemonconf.Daemon, tunnel Carrier) (*topology.Design, error) {
	run := *d
	run.Expect = nil
	run.Routers, run.Links = slices.Clone(d.Routers), slices.Clone(d.Links)
	for i := range run.Routers {
		r := &run.Routers[i]
		r.Profile, r.Egress = string(daemons[i]), nil
		r.Settings = settings(&d.Routers[i].Settings, daemons[i])
		if tunnel == IPsec {
			asStrongSwan(&r.Settings, &d.Routers[i].Settings, d.Routers[i].Settings[topology.VPNVersion].Enum)
		}
	}
	for i := range run.Story {
		// The kernel's table takes BGP's routes, or it does not; there is no other.
		if f := &run.Story[i]; f.Kind == topology.PropagationOff || f.Kind == topology.PropagationOn {
			set := &run.Routers[f.Router].Settings
			set[topology.RouteTableKind].Enum = "gateway"
			set[topology.RouteTableDelay], set[topology.RouteTableLocalDelay] = topology.Setting{Set: true}, topology.Setting{Set: true}
		}
	}
	for i := range run.Links {
		l := &run.Links[i]
		for e := range l.Ends {
			end, of := &l.Ends[e], &d.Links[i].Ends[e].Settings
			end.Settings = settings(of, daemons[end.Router])
			if tunnel == IPsec && l.Kind == topology.Tunnel {
				version, err := ikeVersion(&d.Links[i])
				if err != nil {
					return nil, err
				}
				asStrongSwan(&end.Settings, of, version)
			}
		}
	}
	return &run, nil
}

func settings(of *topology.Settings, with daemonconf.Daemon) topology.Settings {
	own, _ := profile.Get(string(with))
	set := own.Settings()
	for _, k := range timers {
		set[k] = of[k]
	}
	for _, k := range configurable {
		if s := of[k].Origin.Status; s == topology.Given || s == topology.Overridden {
			set[k] = of[k]
		}
	}
	if with == daemonconf.BIRD && of[topology.BGPIdleHold].Origin.Status >= topology.Given {
		for _, k := range []topology.Key{topology.BGPIdleHold, topology.BGPIdleHoldMax} {
			set[k] = of[k]
		}
	}
	if with == daemonconf.GoBGP {
		set[topology.BFDEnabled] = own.Settings()[topology.BFDEnabled] // it has none
	}
	if with == daemonconf.FRR {
		set[topology.BGPDecisionDelay], set[topology.BGPProcessStart] = lateDecisions, slowStart
	}
	// Where there is no IPsec between the namespaces, nothing watches a tunnel, and
	// nothing is negotiated when it is created.
	still := topology.Setting{Origin: topology.Origin{Note: "the lab has no IPsec"}, Set: true}
	set[topology.VPNDPDInterval] = still
	set[topology.VPNProcessing] = still
	set[topology.VPNInterfaceFollowsSA] = still
	return set
}

// lateDecisions is when a bgpd looks into its queue, in the company of many others on one
// machine. They all read the same clock, and where MRAI is counted in its whole seconds,
// some milliseconds decide now and then in which one an UPDATE went out.
var lateDecisions = topology.Setting{Value: topology.Value{Dist: topology.Dist{Kind: topology.Uniform, A: 50 * time.Millisecond, B: 58 * time.Millisecond}}, Set: true,
	Origin: topology.Origin{Status: topology.Measured, Source: "FRR 8.4.4 in network namespaces", Note: "its timer of 50 ms, and some milliseconds of a machine with two processors"}}

// slowStart is how long a bgpd takes to read its configuration, which depends on what else the
// machine does.
var slowStart = topology.Setting{Value: topology.Value{Dist: topology.Dist{Kind: topology.Uniform, A: 100 * time.Millisecond, B: 400 * time.Millisecond}}, Set: true,
	Origin: topology.Origin{Status: topology.Measured, Source: "FRR 8.4.4 in network namespaces", Note: "0.1 s on a quiet machine, 0.3 s among many labs"}}

// settle is for how long there is nothing new before the ping begins: routes follow
// sessions by up to 3 s (BIRD), and what has started with them is over, as it is when a
// scenario's story begins: MRAI, and FRR's youth.
func (p *Plan) settle() time.Duration {
	over := time.Duration(0)
	for i := range p.Design.Links {
		for e := range p.Design.Links[i].Ends {
			end := &p.Design.Links[i].Ends[e]
			if set := &end.Settings; end.BGP && set[topology.BGPMRAIMode].Enum != "none" {
				key := topology.BGPMRAI
				if p.Design.Routers[end.Router].ASN == p.Design.Routers[p.Design.Links[i].Ends[1-e].Router].ASN {
					key = topology.BGPMRAIIBGP
				}
				over = max(over, set[key].Dist.Max())
			}
			if p.Daemons[end.Router] == daemonconf.FRR && end.Settings[topology.BGPGracefulRestart].Enum == "restarter" && p.restarts() {
				over = max(over, youth)
			}
		}
	}
	// The last thing that was heard is a KEEPALIVE then, and not an UPDATE.
	return 4*time.Second + max(over, p.keepalive())
}

// youth is how long after its start every OPEN of a bgpd with graceful restart says that it
// has just restarted (t_startup in bgpd/bgp_fsm.c runs for the default of the Restart Time). A
// peer that really does restart then takes its own restart for finished, and its stale
// routes are taken out before there are others.
const youth = 120 * time.Second

// restarts tells whether a routing process ends in the story.
func (p *Plan) restarts() bool {
	return slices.ContainsFunc(p.Design.Story, func(f topology.Fault) bool {
		return f.Kind == topology.RouterRestart || f.Kind == topology.RouterKill
	})
}

// Links come up one after the other, so long after the daemons have started at the earliest,
// and within so long: so the keepalives of their sessions have unrelated phases, and which
// route is older is a matter of chance.
const (
	raised  = time.Second
	stagger = 4 * time.Second
)

// lead is how long the ping runs at least before the story begins.
const lead = 2 * time.Second

// bringForward has the story begin soon after the sessions have come up: what a
// simulation does in no time, a lab would wait for. Pings stay in step.
func (p *Plan) bringForward() {
	first := p.Design.For
	for i := range p.Design.Story {
		if f := &p.Design.Story[i]; f.Until == 0 {
			first = min(first, f.At.Min())
		}
	}
	step := p.Design.Probes[0].Every
	p.shift = max((first-lead)/step*step, 0)
}
