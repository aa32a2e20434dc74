package daemonconf

import (
	"fmt"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// gobgp writes gobgpd's configuration, and a script that announces the router's
// networks: gobgpd takes those from its command-line client only.
func (w *writer) gobgp() []File {
	g := &gobgp{writer: w}
	g.line("%s", strings.TrimSuffix(w.heading("#"), "\n"))
	g.line("#")
	g.line("# Addresses are the system's matter:")
	g.WriteString(w.aboutInterfaces("#"))
	g.global()
	for i := range w.sessions {
		g.neighbor(&w.sessions[i])
	}
	g.WriteString(g.sets.String())
	g.WriteString(g.definitions.String())
	g.say(nil, topology.FIBDelay, "nothing: GoBGP has no forwarding table of its own, and installs routes only through FRR's zebra")
	g.say(nil, topology.FIBSurvives, "nothing: GoBGP has no forwarding table of its own, and installs routes only through FRR's zebra")
	for i, s := range w.r.Statics {
		w.note(topology.NumKeys, fmt.Sprintf("routers.%s.static[%d]", w.r.Name, i), s.Prefix.String(), s.Pos.String(), "no static routes: the kernel's are the system's matter")
	}
	var script strings.Builder
	script.WriteString("#!/bin/sh\n" + w.heading("#") + "# Announces the router's networks, once gobgpd runs.\nset -e\n: \"${GOBGP:=gobgp}\"\n")
	for _, f := range []topology.Family{topology.IPv4, topology.IPv6} {
		for _, p := range w.networks(f) {
			fmt.Fprintf(&script, "$GOBGP global rib add -a %s %v origin igp\n", family(f), p)
		}
	}
	return []File{{"gobgpd.toml", []byte(g.String())}, {"announce.sh", []byte(script.String())}}
}

type gobgp struct {
	*writer
	strings.Builder
	sets, definitions strings.Builder
	defined           map[string]bool
}

func (g *gobgp) line(format string, args ...any) {
	fmt.Fprintf(g, format, args...)
	g.WriteByte('\n')
}

func (g *gobgp) global() {
	set := &g.r.Settings
	g.line("")
	g.line("[global.config]")
	g.line("  as = %d", g.r.ASN)
	g.line("  router-id = \"%v\"", g.r.ID)
	if set[topology.BGPAlwaysCompareMED].Bool {
		g.line("[global.route-selection-options.config]")
		g.line("  always-compare-med = true")
	}
	if n := set[topology.BGPMultipath].Int; n > 1 {
		g.line("[global.use-multiple-paths.config]")
		g.line("  enabled = true")
		g.say(nil, topology.BGPMultipath, "all equal paths, however many")
	}
	var in, out []string
	for i := range g.sessions {
		s := &g.sessions[i]
		if g.policy(s, false) {
			in = append(in, `"`+s.name+`-in"`)
		}
		if g.policy(s, true) {
			out = append(out, `"`+s.name+`-out"`)
		}
	}
	g.line("[global.apply-policy.config]")
	g.line("  default-import-policy = \"accept-route\"")
	g.line("  import-policy-list = [%s]", strings.Join(in, ", "))
	g.line("  default-export-policy = \"accept-route\"")
	g.line("  export-policy-list = [%s]", strings.Join(out, ", "))
}

func (g *gobgp) neighbor(s *session) {
	set := s.settings
	g.line("")
	g.line("[[neighbors]] # %s", s.over(g.d))
	g.line("  [neighbors.config]")
	g.line("    neighbor-address = \"%v\"", s.remote())
	g.line("    peer-as = %d", s.peer.ASN)
	g.line("    description = \"%s\"", s.over(g.d))
	g.line("  [neighbors.transport.config]")
	g.line("    local-address = \"%v\"", s.local())
	if set[topology.BGPPassive].Bool {
		g.line("    passive-mode = true")
	}
	g.timers(s)
	if s.internal && set[topology.BGPReflectorClient].Bool {
		g.line("  [neighbors.route-reflector.config]")
		g.line("    route-reflector-client = true")
		g.line("    route-reflector-cluster-id = \"%v\"", g.r.ID)
	}
	g.graceful(s)
	for _, f := range s.families {
		g.family(s, f)
	}
	if withBFD(s) {
		g.say(s, topology.BFDEnabled, "GoBGP has no BFD: the hold timer alone finds out")
	}
}

func (g *gobgp) timers(s *session) {
	set := s.settings
	hold := g.whole(s, topology.BGPHold, time.Second, 0, 65535)
	g.line("  [neighbors.timers.config]")
	g.line("    hold-time = %d", hold)
	g.keepalive(s, hold)
	if !set[topology.BGPPassive].Bool {
		g.line("    connect-retry = %d", g.retry(s))
	}
	if set[topology.BGPMinHold].Dist.Max() > 3*time.Second {
		g.say(s, topology.BGPMinHold, "3s: GoBGP takes any hold time that RFC 4271 allows")
	}
	g.say(s, topology.BGPSendHold, "no SendHoldTimer: a peer that reads nothing is not noticed by it")
	if waits(s) {
		g.say(s, mraiKey(s), "nothing waits: GoBGP reads minimum-advertisement-interval and does nothing with it")
		g.say(s, topology.BGPMRAIMode, "none: GoBGP has no MRAI")
	}
}

// keepalive: GoBGP takes what is configured if its own hold time is used, and a
// third of the hold time if the peer's is.
func (g *gobgp) keepalive(s *session, hold int64) {
	set, n := s.settings, s.negotiated()
	if hold == 0 {
		return
	}
	third := topology.FormatDuration(time.Duration(n) * time.Second / 3)
	if set[topology.BGPKeepalive].Dist.Max() == 0 {
		if n%3 != 0 {
			g.say(s, topology.BGPKeepalive, fmt.Sprintf("%ds, in whole seconds", n/3))
		}
		g.line("    keepalive-interval = %d", max(hold/3, 1))
		return
	}
	want := g.whole(s, topology.BGPKeepalive, time.Second, 1, 65535)
	fixed := set[topology.BGPKeepaliveFixed].Bool
	if !fixed {
		want = min(want, max(hold/3, 1))
	}
	g.line("    keepalive-interval = %d", want)
	switch {
	case n < hold && 3*want < n:
		g.say(s, topology.BGPKeepalive, third+", a third of the peer's hold time")
	case n < hold && fixed && 3*want > n:
		g.say(s, topology.BGPKeepaliveFixed, "a third of the peer's hold time")
	}
}

// retry: GoBGP draws each wait between what is configured and twice that.
func (g *gobgp) retry(s *session) int64 {
	d := s.settings[topology.BGPConnectRetry].Dist
	if d.Kind == topology.Uniform && d.B == 2*d.A && d.A%time.Second == 0 {
		return int64(d.A / time.Second)
	}
	n := min(max(int64((d.Mean()*2/3).Round(time.Second)/time.Second), 1), 32767)
	g.say(s, topology.BGPConnectRetry, fmt.Sprintf("uniform(%ds, %ds)", n, 2*n))
	return n
}

func (g *gobgp) graceful(s *session) {
	set := s.settings
	graceful := set[topology.BGPGracefulRestart].Enum
	if graceful == "off" {
		return
	}
	g.line("  [neighbors.graceful-restart.config]")
	g.line("    enabled = true")
	if graceful == "helper" {
		g.line("    helper-only = true")
	} else {
		g.line("    restart-time = %d", g.whole(s, topology.BGPRestartTime, time.Second, 0, 4095))
		g.line("    deferral-time = %d", g.whole(nil, topology.BGPSelectionDeferral, time.Second, 0, 65535))
	}
	if set[topology.BGPGracefulNotify].Bool {
		g.line("    notification-enabled = true")
	}
	switch set[topology.BGPLongLived].Enum {
	case "restarter":
		g.line("    long-lived-enabled = true")
	case "helper":
		g.line("    long-lived-enabled = true")
		g.say(s, topology.BGPLongLived, "GoBGP announces it, too, with a Long-Lived Stale Time of 0s")
	}
}

func (g *gobgp) family(s *session, f topology.Family) {
	set := s.settings
	g.line("  [[neighbors.afi-safis]]")
	g.line("    [neighbors.afi-safis.config]")
	g.line("      afi-safi-name = \"%s-unicast\"", family(f))
	if set[topology.BGPGracefulRestart].Enum != "off" {
		g.line("    [neighbors.afi-safis.mp-graceful-restart.config]")
		g.line("      enabled = true")
		if lasting := set[topology.BGPLongLived].Enum; lasting != "off" {
			g.line("    [neighbors.afi-safis.long-lived-graceful-restart.config]")
			g.line("      enabled = true")
			stale := int64(0)
			if lasting == "restarter" {
				stale = g.whole(s, topology.BGPLongLivedTime, time.Second, 0, 16777215)
			}
			g.line("      restart-time = %d", stale)
		}
	}
	if set[topology.BGPAddPath].Enum != "none" {
		g.line("    [neighbors.afi-safis.add-paths.config]")
		g.line("      receive = %v", addPath(s, "receive"))
		if addPath(s, "send") {
			paths := set[topology.BGPAddPathPaths].Int
			if paths == 0 {
				paths = 255
				g.say(s, topology.BGPAddPathPaths, "255, GoBGP's largest number")
			}
			g.line("      send-max = %d", paths)
		}
	}
	if most := set[topology.BGPMaxPrefixes].Int; most > 0 {
		if set[topology.BGPMaxPrefixesAction].Enum == "warn" {
			g.say(s, topology.BGPMaxPrefixesAction, "no limit: GoBGP has none that only warns")
			return
		}
		g.line("    [neighbors.afi-safis.prefix-limit.config]")
		g.line("      max-prefixes = %d", most)
		if set[topology.BGPMaxPrefixesRestart].Dist.Max() > 0 {
			g.say(s, topology.BGPMaxPrefixesRestart, "0s: the session stays down until it is enabled")
		}
	}
}

// policy defines the policy of a session in one direction; false: it needs
// none.
func (g *gobgp) policy(s *session, export bool) bool {
	direction := "in"
	if export {
		direction = "out"
	}
	p := &gobgpPolicy{gobgp: g, s: s, export: export, name: s.name + "-" + direction}
	for _, f := range s.families {
		p.one(f)
	}
	if p.Len() == 0 {
		return false
	}
	fmt.Fprintf(&g.sets, "\n[[defined-sets.neighbor-sets]]\n  neighbor-set-name = \"%s\"\n  neighbor-info-list = [\"%v\"]\n", p.name, s.remote())
	fmt.Fprintf(&g.definitions, "\n[[policy-definitions]]\n  name = \"%s\"\n%s", p.name, p.String())
	return true
}

// gobgpPolicy collects the statements of a policy.
type gobgpPolicy struct {
	*gobgp
	strings.Builder
	s         *session
	export    bool
	name      string
	statement int
}

// one family of it. Without a policy that is accepted which comes.
func (p *gobgpPolicy) one(f topology.Family) {
	s := p.s
	terms := importTerms(s, f)
	hop := ""
	own := false
	if p.export {
		terms = exportTerms(s, f)
		own = !s.settings[topology.BGPTransit].Bool
		if topology.FamilyOf(s.local()) != f {
			hop = s.end.In(f).String()
		}
	}
	self := p.export && s.internal && s.settings[topology.BGPNextHopSelf].Bool
	if own {
		for _, kind := range []string{"external", "internal"} {
			p.write(f, &topology.Term{Reject: true}, kind, "")
		}
	}
	if (hop != "" || self) && (len(terms) == 0 || !everything(&terms[len(terms)-1])) {
		terms = append(terms, topology.Term{})
	}
	for i := range terms {
		t := &terms[i]
		switch {
		case t.Reject:
			p.write(f, t, "", "")
		case hop != "" && !s.internal:
			p.write(f, t, "", hop)
		case hop != "":
			// Over iBGP the next hop of what came from elsewhere in the AS stays.
			p.write(f, t, "local", hop)
			if self {
				p.write(f, t, "external", hop)
			}
			p.write(f, t, "", "")
		case self:
			p.write(f, t, "external", "self")
			p.write(f, t, "", "")
		default:
			p.write(f, t, "", "")
		}
	}
}

// write is one statement; kind is where a route is to come from, empty: from
// anywhere.
func (p *gobgpPolicy) write(f topology.Family, t *topology.Term, kind, hop string) {
	p.statement++
	line := func(format string, args ...any) {
		fmt.Fprintf(p, format, args...)
		p.WriteByte('\n')
	}
	set := fmt.Sprintf("%s-%d", p.name, p.statement)
	line("  [[policy-definitions.statements]]")
	line("    name = \"%s\"", set)
	line("    [policy-definitions.statements.conditions.match-neighbor-set]")
	line("      neighbor-set = \"%s\"", p.name)
	if len(t.Prefixes) > 0 {
		line("    [policy-definitions.statements.conditions.match-prefix-set]")
		line("      prefix-set = \"%s\"", set)
		fmt.Fprintf(&p.sets, "\n[[defined-sets.prefix-sets]]\n  prefix-set-name = \"%s\"\n", set)
		for _, prefix := range t.Prefixes {
			longest := prefix.Bits()
			if t.OrLonger {
				longest = prefix.Addr().BitLen()
			}
			fmt.Fprintf(&p.sets, "  [[defined-sets.prefix-sets.prefix-list]]\n    ip-prefix = \"%v\"\n    masklength-range = \"%d..%d\"\n", prefix, prefix.Bits(), longest)
		}
	}
	line("    [policy-definitions.statements.conditions.bgp-conditions]")
	line("      afi-safi-in-list = [\"%s-unicast\"]", family(f))
	if kind != "" {
		line("      route-type = \"%s\"", kind)
	}
	if t.Community != "" {
		name := communityList(t.Community)
		p.define("community", name, "^"+t.Community+"$")
		line("    [policy-definitions.statements.conditions.bgp-conditions.match-community-set]")
		line("      community-set = \"%s\"", name)
	}
	if t.PathHas != 0 {
		name := fmt.Sprintf("has-%d", t.PathHas)
		p.define("as-path", name, fmt.Sprintf("_%d_", t.PathHas))
		line("    [policy-definitions.statements.conditions.bgp-conditions.match-as-path-set]")
		line("      as-path-set = \"%s\"", name)
	}
	line("    [policy-definitions.statements.actions]")
	if t.Reject {
		line("      route-disposition = \"reject-route\"")
		return
	}
	line("      route-disposition = \"accept-route\"")
	p.actions(t, hop, line)
}

func (p *gobgpPolicy) actions(t *topology.Term, hop string, line func(string, ...any)) {
	if hop != "" || t.MED != nil || t.LocalPref != nil {
		line("    [policy-definitions.statements.actions.bgp-actions]")
	}
	if hop != "" {
		line("      set-next-hop = \"%s\"", hop)
	}
	if t.MED != nil {
		line("      set-med = \"%d\"", *t.MED)
	}
	if t.LocalPref != nil {
		if *t.LocalPref == 0 {
			// 0 means to GoBGP that nothing is to be set.
			p.note(topology.NumKeys, p.endPath(p.s.link)+".import", "local_pref 0", t.Pos.String(), "local_pref 1, the least that GoBGP sets")
		}
		line("      set-local-pref = %d", max(*t.LocalPref, 1))
	}
	if t.Prepend > 0 {
		line("    [policy-definitions.statements.actions.bgp-actions.set-as-path-prepend]")
		line("      as = \"%d\"", p.prependAS(p.s, p.export))
		line("      repeat-n = %d", t.Prepend)
	}
	if len(t.AddCommunities) > 0 {
		line("    [policy-definitions.statements.actions.bgp-actions.set-community]")
		line("      options = \"add\"")
		line("    [policy-definitions.statements.actions.bgp-actions.set-community.set-community-method]")
		line("      communities-list = [\"%s\"]", strings.Join(t.AddCommunities, "\", \""))
	}
}

// define writes a set that several statements may use.
func (p *gobgpPolicy) define(kind, name, pattern string) {
	if p.defined[name] {
		return
	}
	if p.defined == nil {
		p.defined = map[string]bool{}
	}
	p.defined[name] = true
	fmt.Fprintf(&p.sets, "\n[[defined-sets.bgp-defined-sets.%s-sets]]\n  %s-set-name = \"%s\"\n  %s-list = [\"%s\"]\n", kind, kind, name, kind, pattern)
}
