package fit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/scenarios"
	"github.com/vpnsim/vpnsim/topology"
)

// Keys of the rivals, as --prior names them.
var Keys = []string{"hold", "hold-drawn", "dpd", "dpd-drawn", "mrai-tick", "mrai-jitter", "mrai-fault", "bfd", "notify", "program"}

// variant is a scenario with one mechanism in charge. Settings are put at every
// router and every end of a link, over whatever they were.
type variant struct {
	base     string // a shipped scenario instead of the user's
	sets     []string
	settings []setting
	fault    func(*topology.Fault) // nil: it stays as it is
	words    string                // … and what that does
	warmup   time.Duration         // at least
}

type setting struct {
	key   topology.Key
	value string
}

// with adds settings.
func (v variant) with(more ...setting) variant {
	v.settings = append(slices.Clone(v.settings), more...)
	return v
}

// String is the variant as somebody would type it.
func (v variant) String() string {
	var words []string
	for _, s := range v.sets {
		if strings.ContainsAny(s, "[]") {
			s = "'" + s + "'"
		}
		words = append(words, "--set "+s)
	}
	for _, s := range v.settings {
		words = append(words, fmt.Sprintf("--set 'routers.*.%s=%s'", s.key, s.value))
	}
	if v.warmup > 0 {
		words = append(words, "--set warmup="+topology.FormatDuration(v.warmup))
	}
	if v.words != "" {
		words = append(words, v.words)
	}
	return strings.Join(words, " ")
}

// which runs of a sample a rival is about.
type which uint8

const (
	allRuns  which = iota
	onFailed       // the path of the direction that is not told used the failed link
	onOther        // it did not, the other direction's did
)

// knob is the parameter of a mechanism that people set.
type knob struct {
	name   string
	values []time.Duration
	set    func(time.Duration) []setting
	sets   func(time.Duration) []string // of an embedded scenario
}

// rival is one explanation of a gap.
type rival struct {
	key, name, what string
	variant
	which  which
	knob   *knob
	same   string // of whose sample it looks at other runs
	cannot string // why it cannot act in the user's scenario
}

func seconds(list ...float64) []time.Duration {
	var ds []time.Duration
	for _, s := range list {
		ds = append(ds, time.Duration(s*float64(time.Second)))
	}
	return ds
}

// Values that people configure, and some between them.
var (
	holds      = seconds(3, 6, 9, 12, 15, 20, 24, 27, 30, 33, 36, 40, 45, 50, 60, 75, 90, 120, 180, 240)
	mrais      = seconds(5, 10, 15, 20, 25, 27, 30, 33, 36, 40, 45, 50, 60)
	dpds       = seconds(5, 10, 15, 20, 25, 27, 29, 30, 31, 33, 35, 40, 50, 60, 90, 120, 150)
	detections = seconds(0.05, 0.1, 0.3, 1, 3, 5, 10)
	fibs       = seconds(0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 25, 28, 29, 30, 35, 45, 60)
)

// scene is what the rivals have to know of the user's scenario.
type scene struct {
	d         *topology.Design
	event     int
	keepalive time.Duration // as negotiated, before the fault
	mrai      bool          // MRAI can act here, so that it is off where another mechanism is in charge
}

func newScene(d *topology.Design, event int, seed uint64) scene {
	s := scene{d: d, event: event}
	net := network.New(d, network.Options{})
	net.RunTo(seed, 0)
	for i := range d.Links {
		for e := range 2 {
			if _, _, k, ok := net.Session(i, e); ok && k > 0 && (s.keepalive == 0 || k < s.keepalive) {
				s.keepalive = k
			}
		}
	}
	if s.keepalive == 0 {
		s.keepalive = 10 * time.Second
	}
	return s
}

func (s scene) tunnels() bool {
	return slices.ContainsFunc(s.d.Links, func(l topology.Link) bool { return l.Kind == topology.Tunnel })
}

// everybodyKnows is the same fault, told to both ends.
func (s scene) everybodyKnows() (variant, bool) {
	f := &s.d.Story[s.event]
	v := s.alone()
	v.fault, v.words = nil, ""
	switch f.Kind {
	case topology.TunnelDelete:
		v.fault, v.words = func(f *topology.Fault) { f.Notify = true }, fmt.Sprintf("--set 'story[%d].notify=true'", f.Index)
	case topology.BlackHole:
		v = v.with(setting{topology.BGPFastFallover, "true"})
		v.fault, v.words = func(f *topology.Fault) { f.Kind, f.Direction = topology.LinkDown, topology.BothWays }, "with the link down at both ends instead"
	case topology.LinkDown:
		v = v.with(setting{topology.BGPFastFallover, "true"}) // the interface tells, if BGP looks at it
	case topology.SessionShut, topology.RouterKill, topology.PrefixWithdraw:
		// A CEASE, a reset or an UPDATE tells by itself.
	default:
		return variant{}, false
	}
	return v, true
}

// alone is the user's scenario with nothing in charge but the hold timer.
func (s scene) alone() variant {
	v := variant{}
	if s.tunnels() {
		v = v.with(setting{topology.VPNDPDInterval, "0s"})
	}
	if s.mrai {
		v = v.with(setting{topology.BGPMRAIMode, "none"})
	}
	if slices.Contains(s.d.WithBFD(), true) {
		v = v.with(setting{topology.BFDEnabled, "false"})
	}
	if f := &s.d.Story[s.event]; f.Kind == topology.TunnelDelete && f.Notify {
		v.fault, v.words = func(f *topology.Fault) { f.Notify = false }, fmt.Sprintf("--set 'story[%d].notify=false'", f.Index)
	}
	return v
}

// rivals of the user's scenario. far names the direction that is not told, and
// the link.
func (s scene) rivals(far string, drawn bool) []rival {
	f := &s.d.Story[s.event]
	format := topology.FormatDuration
	one := func(k topology.Key) func(time.Duration) []setting {
		return func(v time.Duration) []setting { return []setting{{k, format(v)}} }
	}
	mrai := func(v time.Duration) []string { return []string{"mrai=" + format(v)} }
	where := ""
	if drawn {
		where = ", " + far
	}

	hold := rival{key: "hold", name: "hold timer" + where, what: "who is not told goes on sending into the dead path until its hold timer runs out",
		variant: s.alone(), which: onFailed, knob: &knob{name: "bgp.hold", values: holds, set: one(topology.BGPHold)}}
	list := []rival{hold}
	if drawn {
		hold.key, hold.name, hold.what, hold.which, hold.same, hold.knob = "hold-drawn", "hold timer, path drawn", "the same, but only if that path happened to be in use", allRuns, "hold", nil
		list = append(list, hold)
	}

	dpd := rival{key: "dpd", name: "dead peer detection" + where, what: "the tunnel is given up when its peer does not answer; the hold timer is long", which: onFailed,
		variant: s.alone(), knob: &knob{name: "vpn.dpd_timeout", values: dpds, set: func(v time.Duration) []setting {
			return []setting{{topology.VPNDPDInterval, format(min(10*time.Second, v/3))}, {topology.VPNDPDTimeout, format(v)}}
		}}}
	dpd.settings = slices.DeleteFunc(dpd.settings, func(x setting) bool { return x.key == topology.VPNDPDInterval })
	dpd.variant = dpd.with(setting{topology.BGPHold, "3600s"}, setting{topology.BGPKeepalive, format(s.keepalive)}, setting{topology.VPNInterfaceFollowsSA, "true"}, setting{topology.BGPFastFallover, "true"})
	if !slices.ContainsFunc(s.d.Links, func(l topology.Link) bool {
		return l.Ends[0].Settings[topology.VPNDPDInterval].Dist.Max() > 0 || l.Ends[1].Settings[topology.VPNDPDInterval].Dist.Max() > 0
	}) {
		dpd.variant = dpd.with(setting{topology.VPNDPDInterval, "10s"})
	}
	if s.tunnels() {
		list = append(list, dpd)
		if drawn {
			dpd.key, dpd.name, dpd.what, dpd.which, dpd.same, dpd.knob = "dpd-drawn", "dead peer detection, path drawn", "the same, but only if that path happened to be in use", allRuns, "dpd", nil
			list = append(list, dpd)
		}
	}

	list = append(list,
		rival{key: "mrai-tick", name: "MRAI, free-running, 30 s", what: "the way round has to be announced first, and who does it speaks every 30 s only",
			variant: variant{base: "mrai-tick", sets: []string{"mrai=30s"}}, knob: &knob{name: "bgp.mrai (tick)", values: mrais, sets: mrai}},
		rival{key: "mrai-jitter", name: "MRAI, jittered, 22.5–30 s", what: "the same with RFC 4271's jitter, on a session that is never quiet, so that the timer always runs",
			variant: variant{base: "mrai-tick", sets: []string{"mrai=30s"}, settings: []setting{{topology.BGPMRAIJitter, "0.75"}}},
			knob:    &knob{name: "bgp.mrai (jittered)", values: mrais, sets: mrai}},
		rival{key: "mrai-fault", name: "MRAI, begun by the fault", what: "the fault itself makes everybody send a withdrawal, and the announcement that mends it waits for the rest of the interval",
			variant: variant{base: "mrai-chain", sets: oneHop(mrai(30 * time.Second))}, knob: &knob{name: "bgp.mrai (since the withdrawal)", values: mrais, sets: func(v time.Duration) []string { return oneHop(mrai(v)) }}},
	)

	bfd := rival{key: "bfd", name: "BFD, 300 ms × 3" + where, what: "both ends watch the path", variant: s.alone(), which: onFailed,
		knob: &knob{name: "bfd.min_tx × 3", values: detections, set: func(v time.Duration) []setting {
			return []setting{{topology.BFDMinTx, format(v)}, {topology.BFDMinRx, format(v)}}
		}}}
	bfd.settings = slices.DeleteFunc(bfd.settings, func(x setting) bool { return x.key == topology.BFDEnabled })
	bfd.variant = bfd.with(setting{topology.BFDEnabled, "true"}, setting{topology.BFDMinTx, "300ms"}, setting{topology.BFDMinRx, "300ms"}, setting{topology.BFDMultiplier, "3"})
	list = append(list, bfd)

	if told, ok := s.everybodyKnows(); ok {
		list = append(list, rival{key: "notify", name: "clean notification", what: "both ends are told at once", variant: told, which: allRuns})
	}
	program := rival{key: "program", name: "route programming only", what: "who has to change a route knows at once, and only the forwarding tables take their time",
		variant: s.alone(), which: onOther, same: "hold", knob: &knob{name: "fib.delay", values: fibs, set: one(topology.FIBDelay)}}
	if told, ok := s.everybodyKnows(); ok && !drawn && f.Kind != topology.TunnelDelete {
		program.variant, program.which, program.same = told, allRuns, "notify"
	}
	if drawn || program.same == "notify" {
		list = append(list, program)
	}
	return list
}

// oneHop has the neighbour of the router that withdraws its network ping, so that
// one interval is waited for and not the longest of several.
func oneHop(sets []string) []string {
	return append(sets, "routers.r3.networks=[10.3.0.0/16]", "hosts.a.on=r3", "hosts.a.ip=10.3.0.10")
}

// design loads the scenario of a variant, with settings on top of its own.
func (a *Ask) design(v variant) (*topology.Design, error) {
	load := a.Load
	sets := a.Sets
	if v.base != "" {
		data, _ := scenarios.Builtin(v.base)
		load = func(sets []string) (*topology.Design, error) {
			d, problems := scenarios.Load(v.base+".yaml", data, sets)
			if d == nil {
				return nil, fmt.Errorf("%s", problems[0].Message)
			}
			return d, nil
		}
		sets = nil
	}
	d, err := load(append(slices.Clone(sets), v.sets...))
	if err != nil {
		return nil, err
	}
	for _, s := range v.settings {
		value, err := topology.ParseValue(s.key, s.value)
		if err != nil {
			return nil, err
		}
		put := func(list *topology.Settings) {
			list[s.key].Value, list[s.key].Set = value, true
			list[s.key].Origin = topology.Origin{Status: topology.Overridden}
		}
		for i := range d.Routers {
			put(&d.Routers[i].Settings)
		}
		for i := range d.Links {
			put(&d.Links[i].Ends[0].Settings)
			put(&d.Links[i].Ends[1].Settings)
		}
	}
	return d, nil
}
