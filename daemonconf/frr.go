package daemonconf

import (
	"fmt"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// frr writes an integrated configuration: one file of which every daemon of FRR
// takes the lines that it knows. It has no `exit` lines, which FRR does not
// need, so that bgpd alone reads it, too.
func (w *writer) frr() []File {
	f := &frr{writer: w, lists: map[string]bool{}}
	f.line("%s", strings.TrimSuffix(w.heading("!"), "\n"))
	f.line("frr defaults traditional")
	f.line("hostname %s", w.r.Name)
	if w.opt.Dir != "" {
		f.line("log file %s/frr.log", w.opt.Dir)
	}
	f.line("!")
	f.line("! Addresses are the system's matter:")
	f.WriteString(w.aboutInterfaces("!"))
	f.line("!")
	f.statics()
	f.bfd()
	f.router()
	f.WriteString(f.policies.String())
	daemons := "# /etc/frr/daemons: which daemons start\nbgpd=yes\nstaticd=yes\n"
	if w.any(withBFD) {
		daemons += "bfdd=yes\n"
	}
	return []File{
		{"frr.conf", []byte(f.String())},
		{"daemons", []byte(daemons)},
		{"vtysh.conf", []byte("service integrated-vtysh-config\nhostname " + w.r.Name + "\n")},
	}
}

type frr struct {
	*writer
	strings.Builder
	policies strings.Builder
	lists    map[string]bool // of AS paths and communities, by name
}

func (f *frr) line(format string, args ...any) {
	fmt.Fprintf(f, format, args...)
	f.WriteByte('\n')
}

func (f *frr) policy(format string, args ...any) {
	fmt.Fprintf(&f.policies, format, args...)
	f.policies.WriteByte('\n')
}

// ip is the word of commands about a family.
func ip(f topology.Family) string {
	if f == topology.IPv6 {
		return "ipv6"
	}
	return "ip"
}

func family(f topology.Family) string { return strings.ToLower(f.String()) }

func (f *frr) statics() {
	for _, fam := range []topology.Family{topology.IPv4, topology.IPv6} {
		for _, s := range f.writer.statics(fam) {
			via := s.iface
			if s.via.IsValid() {
				via = s.via.String() + " " + via
			}
			f.line("%s route %v %s", ip(fam), s.prefix, via)
		}
	}
}

func (f *frr) bfd() {
	if !f.any(withBFD) {
		return
	}
	f.line("bfd")
	for i := range f.sessions {
		s := &f.sessions[i]
		if !withBFD(s) {
			continue
		}
		f.line(" profile %s", s.name)
		f.line("  detect-multiplier %d", f.number(s, topology.BFDMultiplier, 2, 255))
		f.line("  receive-interval %d", f.whole(s, topology.BFDMinRx, time.Millisecond, 10, 60000))
		f.line("  transmit-interval %d", f.whole(s, topology.BFDMinTx, time.Millisecond, 10, 60000))
		if s.settings[topology.BFDPassive].Bool {
			f.line("  passive-mode")
		}
		if s.settings[topology.BFDStrict].Bool {
			f.say(s, topology.BFDStrict, "not strict: FRR 8.4 has no such mode, and BGP comes up before BFD")
			f.say(s, topology.BFDStrictHold, "no such wait: FRR 8.4 has no strict mode")
		}
	}
	f.line("!")
}

func (f *frr) router() {
	f.line("router bgp %d", f.r.ASN)
	f.line(" bgp router-id %v", f.r.ID)
	f.line(" bgp log-neighbor-changes")
	f.line(" no bgp ebgp-requires-policy")
	f.line(" no bgp network import-check")
	f.line(" no bgp default ipv4-unicast")
	f.selection()
	f.all()
	for i := range f.sessions {
		f.neighbor(&f.sessions[i])
	}
	for _, fam := range f.families() {
		f.addressFamily(fam)
	}
	f.line("!")
}

// selection writes how bgpd is to choose.
func (f *frr) selection() {
	set := &f.r.Settings
	if set[topology.BGPAlwaysCompareMED].Bool {
		f.line(" bgp always-compare-med")
	}
	if set[topology.BGPMultipath].Int > 1 && !set[topology.BGPMultipathSameAS].Bool {
		f.line(" bgp bestpath as-path multipath-relax")
	}
}

// all writes what holds for all neighbours.
func (f *frr) all() {
	set := &f.r.Settings
	if n := f.whole(nil, topology.BGPMinHold, time.Second, 0, 65535); n > 3 {
		f.line(" bgp minimum-holdtime %d", n)
	}
	f.one(topology.BGPMinHold)
	external := f.any(func(s *session) bool { return !s.internal })
	if external && !set[topology.BGPFastFallover].Bool {
		f.line(" no bgp fast-external-failover")
	}
	if f.any(func(s *session) bool { return s.internal }) && set[topology.BGPFastFallover].Bool {
		f.line(" bgp fast-convergence")
	}
	f.one(topology.BGPFastFallover)
	f.graceful()
}

// graceful writes what graceful restart has for all neighbours.
func (f *frr) graceful() {
	switch f.mode() {
	case "restarter":
		f.line(" bgp graceful-restart")
	case "off":
		f.line(" bgp graceful-restart-disable")
	}
	helps := func(s *session) bool { return s.settings[topology.BGPGracefulRestart].Enum != "off" }
	if !f.any(helps) {
		return
	}
	set := &f.r.Settings
	if f.any(restarter) {
		f.line(" bgp graceful-restart restart-time %d", f.whole(nil, topology.BGPRestartTime, time.Second, 1, 4095))
		f.one(topology.BGPRestartTime)
		f.line(" bgp graceful-restart select-defer-time %d", f.whole(nil, topology.BGPSelectionDeferral, time.Second, 0, 3600))
	}
	if set[topology.BGPStalePathTime].Dist.Max() == 0 {
		f.line(" bgp graceful-restart stalepath-time 4095")
		f.say(nil, topology.BGPStalePathTime, "4095s, FRR's largest: it always has a bound")
	} else {
		f.line(" bgp graceful-restart stalepath-time %d", f.whole(nil, topology.BGPStalePathTime, time.Second, 1, 4095))
	}
	f.one(topology.BGPStalePathTime)
	if !set[topology.BGPGracefulNotify].Bool {
		f.line(" no bgp graceful-restart notification")
	}
	f.one(topology.BGPGracefulNotify)
	if set[topology.FIBSurvives].Bool && f.any(restarter) {
		f.line(" bgp graceful-restart preserve-fw-state")
	}
	lasting := func(s *session) bool { return helps(s) && s.settings[topology.BGPLongLived].Enum == "restarter" }
	if f.any(lasting) {
		if n := f.whole(nil, topology.BGPLongLivedTime, time.Second, 0, 16777215); n > 0 {
			f.line(" bgp long-lived-graceful-restart stale-time %d", n)
		}
		f.one(topology.BGPLongLivedTime)
	}
	for i := range f.sessions {
		if s := &f.sessions[i]; helps(s) && !lasting(s) {
			f.say(s, topology.BGPLongLived, "FRR announces it to every neighbour for which graceful restart is on, and keeps the routes of those that announce it")
		}
	}
}

// mode of graceful restart that neighbours have where nothing else is said: the
// one that all have, or FRR's own.
func (f *frr) mode() string {
	mode := ""
	for i := range f.sessions {
		one := f.sessions[i].settings[topology.BGPGracefulRestart].Enum
		if mode != "" && mode != one {
			return "helper"
		}
		mode = one
	}
	return mode
}

func (f *frr) neighbor(s *session) {
	set := s.settings
	to := " neighbor " + s.remote().String()
	f.line("%s remote-as %d", to, s.peer.ASN)
	f.line("%s description %s", to, s.over(f.d))
	f.line("%s update-source %v", to, s.local())
	hold := f.whole(s, topology.BGPHold, time.Second, 0, 65535)
	f.line("%s timers %d %d", to, f.keepalive(s, hold), hold)
	f.line("%s timers connect %d", to, f.connectRetry(s))
	if set[topology.BGPDelayOpen].Dist.Max() > 0 {
		f.line("%s timers delayopen %d", to, f.whole(s, topology.BGPDelayOpen, time.Second, 1, 240))
	}
	f.line("%s advertisement-interval %d", to, f.mrai(s))
	if set[topology.BGPPassive].Bool {
		f.line("%s passive", to)
	}
	if set[topology.BGPSenderSideLoop].Bool && !s.internal {
		f.line("%s sender-as-path-loop-detection", to)
	}
	if withBFD(s) {
		f.line("%s bfd", to)
		f.line("%s bfd profile %s", to, s.name)
	}
	if mode := set[topology.BGPGracefulRestart].Enum; mode != f.mode() {
		f.line("%s graceful-restart%s", to, map[string]string{"off": "-disable", "helper": "-helper"}[mode])
	}
	f.unwritten(s)
}

// unwritten says what bgpd has for every session and can do nothing about.
func (f *frr) unwritten(s *session) {
	set := s.settings
	hold := time.Duration(s.negotiated()) * time.Second
	if f.matters(s, topology.BGPKeepaliveFixed) && set[topology.BGPKeepaliveFixed].Bool && set[topology.BGPKeepalive].Dist.Max() > hold/3 {
		f.say(s, topology.BGPKeepaliveFixed, "keepalives follow the negotiated hold time")
	}
	f.twiceHold(s)
	switch survives := f.r.Settings[topology.FIBSurvives].Bool; {
	case survives && !f.any(restarter):
		f.say(nil, topology.FIBSurvives, "zebra takes out the routes of a bgpd that went away without graceful restart")
	case !survives && f.any(restarter):
		f.say(nil, topology.FIBSurvives, "zebra keeps the routes of a bgpd with graceful restart for a while")
	}
}

// keepalive is the interval that is configured; FRR has no word for a third of
// the hold time.
func (f *frr) keepalive(s *session, hold int64) int64 {
	if s.settings[topology.BGPKeepalive].Dist.Max() > 0 {
		return f.whole(s, topology.BGPKeepalive, time.Second, 1, 65535)
	}
	if hold%3 != 0 {
		f.say(s, topology.BGPKeepalive, fmt.Sprintf("%ds, in whole seconds", hold/3))
	}
	return hold / 3
}

func (w *writer) connectRetry(s *session) int64 {
	if s.settings[topology.BGPPassive].Bool {
		return 120
	}
	return w.whole(s, topology.BGPConnectRetry, time.Second, 1, 65535)
}

// mrai is the advertisement-interval: bgpd looks at the age of the last UPDATE.
func (f *frr) mrai(s *session) int64 {
	if !waits(s) {
		return 0
	}
	if mode := s.settings[topology.BGPMRAIMode].Enum; mode != "since-last-update" {
		f.say(s, topology.BGPMRAIMode, "since-last-update: the interval begins at the last UPDATE to the neighbour")
	}
	return f.whole(s, mraiKey(s), time.Second, 0, 600)
}

// sendHold is the SendHoldTimer that the scenario asks for.
func sendHold(s *session) time.Duration {
	if d := s.settings[topology.BGPSendHold].Dist; d.IsRandom() || d.Min() > 0 {
		return d.Mean()
	}
	return max(8*time.Minute, 2*time.Duration(s.negotiated())*time.Second)
}

// twiceHold compares it with what FRR and BIRD have.
func (w *writer) twiceHold(s *session) {
	switch twice := 2 * time.Duration(s.negotiated()) * time.Second; {
	case twice == 0:
		w.say(s, topology.BGPSendHold, "no SendHoldTimer without a hold time")
	case sendHold(s) != twice:
		w.say(s, topology.BGPSendHold, topology.FormatDuration(twice)+", twice the hold time")
	}
}

func (f *frr) addressFamily(fam topology.Family) {
	f.line(" address-family %s unicast", family(fam))
	for _, p := range f.networks(fam) {
		f.line("  network %v", p)
	}
	paths := f.number(nil, topology.BGPMultipath, 1, 64)
	f.line("  maximum-paths %d", paths)
	f.line("  maximum-paths ibgp %d", paths)
	f.damping()
	for i := range f.sessions {
		s := &f.sessions[i]
		if !s.end.Offers(fam) {
			continue
		}
		to := "  neighbor " + s.remote().String()
		f.line("%s activate", to)
		if f.matters(s, topology.BGPWeight) && s.settings[topology.BGPWeight].Int > 0 {
			f.line("%s weight %d", to, s.settings[topology.BGPWeight].Int)
		}
		if s.internal && s.settings[topology.BGPReflectorClient].Bool {
			f.line("%s route-reflector-client", to)
		}
		if s.internal && s.settings[topology.BGPNextHopSelf].Bool {
			f.line("%s next-hop-self", to)
		}
		f.addPath(s, to)
		if f.limit(s) != "" {
			f.line("%s maximum-prefix %s", to, f.limit(s))
			f.countsAccepted(s)
		}
		if terms := importTerms(s, fam); len(terms) > 0 {
			f.line("%s route-map %s in", to, f.routeMap(s, fam, "in", terms))
		}
		if terms := exportTerms(s, fam); len(terms) > 0 || !s.settings[topology.BGPTransit].Bool {
			f.line("%s route-map %s out", to, f.routeMap(s, fam, "out", terms))
		}
	}
	f.line(" exit-address-family")
}

func (f *frr) addPath(s *session, to string) {
	if addPath(s, "send") {
		f.line("%s addpath-tx-all-paths", to)
		if s.settings[topology.BGPAddPathPaths].Int > 0 {
			f.say(s, topology.BGPAddPathPaths, "all paths: FRR 8.4 cannot limit them")
		}
	}
	if !addPath(s, "receive") {
		f.line("%s disable-addpath-rx", to)
	}
}

// damping is for all external neighbours or for none.
func (f *frr) damping() {
	var with *session
	for i := range f.sessions {
		if s := &f.sessions[i]; !s.internal && s.settings[topology.BGPDamping].Bool && with == nil {
			with = s
		}
	}
	if with == nil {
		return
	}
	f.line("  bgp dampening %d %d %d %d", f.whole(with, topology.BGPDampingHalfLife, time.Minute, 1, 45), f.number(with, topology.BGPDampingReuse, 1, 20000),
		f.number(with, topology.BGPDampingSuppress, 1, 50000), f.whole(with, topology.BGPDampingMax, time.Minute, 1, 255))
	for i := range f.sessions {
		s := &f.sessions[i]
		if s.internal {
			continue
		}
		if !s.settings[topology.BGPDamping].Bool {
			f.say(s, topology.BGPDamping, "damping is for all external neighbours or for none")
			continue
		}
		for _, k := range []topology.Key{topology.BGPDampingHalfLife, topology.BGPDampingReuse, topology.BGPDampingSuppress, topology.BGPDampingMax} {
			if all := with.settings[k].Format(k); s.settings[k].Format(k) != all {
				f.say(s, k, all+", as for all neighbours")
			}
		}
	}
}

// limit is what follows maximum-prefix; empty: there is none.
func (f *frr) limit(s *session) string {
	set := s.settings
	most := set[topology.BGPMaxPrefixes].Int
	switch {
	case most == 0:
		return ""
	case set[topology.BGPMaxPrefixesAction].Enum == "warn":
		return fmt.Sprintf("%d warning-only", most)
	case set[topology.BGPMaxPrefixesRestart].Dist.Max() == 0:
		return fmt.Sprint(most)
	}
	return fmt.Sprintf("%d restart %d", most, f.whole(s, topology.BGPMaxPrefixesRestart, time.Minute, 1, 65535))
}

// routeMap writes a policy and returns its name.
func (f *frr) routeMap(s *session, fam topology.Family, direction string, terms []topology.Term) string {
	name := fmt.Sprintf("%s-%s", s.name, direction)
	if len(s.families) > 1 {
		name += "-" + family(fam)
	}
	number := 10
	entry := func(permit string) {
		f.policy("route-map %s %s %d", name, permit, number)
		number += 10
	}
	if direction == "out" && !s.settings[topology.BGPTransit].Bool {
		// Its own routes have an empty AS_PATH.
		f.list("learned", "bgp as-path access-list learned permit [0-9]")
		entry("deny")
		f.policy(" match as-path learned")
		if f.any(func(s *session) bool { return s.internal }) {
			f.say(s, topology.BGPTransit, "routes that another router of its AS originates go out, too")
		}
	}
	open := true
	for i := range terms {
		t := &terms[i]
		list := fmt.Sprintf("%s-%d", name, number)
		f.prefixList(fam, list, t)
		if t.Reject {
			entry("deny")
		} else {
			entry("permit")
		}
		f.match(fam, list, t)
		if !t.Reject {
			f.set(s, direction == "out", t)
		}
		open = open && !everything(t)
	}
	if open {
		entry("permit")
	}
	f.policy("!")
	return name
}

func (f *frr) prefixList(fam topology.Family, name string, t *topology.Term) {
	for i, p := range t.Prefixes {
		longer := ""
		if t.OrLonger && p.Bits() < p.Addr().BitLen() {
			longer = fmt.Sprintf(" le %d", p.Addr().BitLen())
		}
		f.policy("%s prefix-list %s seq %d permit %v%s", ip(fam), name, 5*(i+1), p, longer)
	}
	if t.Community != "" {
		f.list("community "+t.Community, "bgp community-list standard "+communityList(t.Community)+" permit "+t.Community)
	}
	if t.PathHas != 0 {
		f.list(fmt.Sprint("path ", t.PathHas), fmt.Sprintf("bgp as-path access-list has-%d permit _%d_", t.PathHas, t.PathHas))
	}
}

func communityList(c string) string { return "is-" + strings.ReplaceAll(c, ":", "-") }

// list writes a list that several route maps may use.
func (f *frr) list(name, line string) {
	if !f.lists[name] {
		f.lists[name] = true
		f.policy("%s", line)
	}
}

func (f *frr) match(fam topology.Family, list string, t *topology.Term) {
	if len(t.Prefixes) > 0 {
		f.policy(" match %s address prefix-list %s", ip(fam), list)
	}
	if t.Community != "" {
		f.policy(" match community %s", communityList(t.Community))
	}
	if t.PathHas != 0 {
		f.policy(" match as-path has-%d", t.PathHas)
	}
}

func (f *frr) set(s *session, export bool, t *topology.Term) {
	if t.LocalPref != nil {
		f.policy(" set local-preference %d", *t.LocalPref)
	}
	if t.MED != nil {
		f.policy(" set metric %d", *t.MED)
	}
	if t.Prepend > 0 {
		f.policy(" set as-path prepend%s", strings.Repeat(fmt.Sprintf(" %d", f.prependAS(s, export)), t.Prepend))
	}
	if len(t.AddCommunities) > 0 {
		f.policy(" set community %s additive", strings.Join(t.AddCommunities, " "))
	}
}
