package daemonconf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// bird writes a configuration of BIRD 2.
func (w *writer) bird() []File {
	b := &bird{writer: w}
	b.line("%s", strings.TrimSuffix(w.heading("#"), "\n"))
	if w.opt.Dir != "" {
		b.line("log \"%s/bird.log\" all;", w.opt.Dir)
	} else {
		b.line("log syslog all;")
	}
	b.line("router id %v;", w.r.ID)
	if w.any(restarter) {
		b.line("graceful restart wait %d;", b.whole(nil, topology.BGPSelectionDeferral, time.Second, 1, 3600))
	}
	b.line("")
	b.line("# Addresses are the system's matter:")
	b.WriteString(w.aboutInterfaces("#"))
	b.line("")
	b.line("protocol device { }")
	b.line("protocol direct connected { ipv4; ipv6; }")
	if w.any(withBFD) {
		b.line("protocol bfd { }")
	}
	for _, f := range []topology.Family{topology.IPv4, topology.IPv6} {
		if slices.Contains(w.families(), f) || len(b.networks(f))+len(b.statics(f)) > 0 {
			b.tables(f)
		}
	}
	for i := range w.sessions {
		b.session(&w.sessions[i])
	}
	return []File{{"bird.conf", []byte(b.String())}}
}

type bird struct {
	*writer
	strings.Builder
}

func (b *bird) line(format string, args ...any) {
	fmt.Fprintf(b, format, args...)
	b.WriteByte('\n')
}

// number of a family in names.
func digit(f topology.Family) string { return strings.TrimPrefix(f.String(), "IPv") }

// tables writes where routes of a family come from besides BGP, and that they
// go to the kernel.
func (b *bird) tables(f topology.Family) {
	set, n := &b.r.Settings, digit(f)
	b.line("")
	b.line("protocol static networks%s {", n)
	b.line("  %s;", family(f))
	for _, p := range b.networks(f) {
		b.line("  route %v blackhole;", p)
	}
	b.line("}")
	if list := b.statics(f); len(list) > 0 {
		b.line("protocol static statics%s {", n)
		b.line("  %s;", family(f))
		for _, s := range list {
			if s.via.IsValid() {
				b.line("  route %v via %v;", s.prefix, s.via)
			} else {
				b.line("  route %v via \"%s\";", s.prefix, s.iface)
			}
		}
		b.line("}")
	}
	// What the router announces itself is reached through its own interfaces, whose
	// routes are in the kernel already.
	b.line("protocol kernel kernel%s {", n)
	b.line("  %s { import none; export where source != RTS_DEVICE && proto != \"networks%s\"; };", family(f), n)
	if paths := b.r.Settings[topology.BGPMultipath].Int; paths > 1 {
		b.line("  merge paths on limit %d;", paths)
	}
	if set[topology.FIBSurvives].Bool {
		b.line("  persist;")
	}
	if b.any(restarter) {
		b.line("  graceful restart;")
	}
	b.line("}")
	if !set[topology.FIBSurvives].Bool {
		b.say(nil, topology.FIBSurvives, "a BIRD that is killed leaves its routes in the kernel; one that is stopped takes them out")
	}
}

func (b *bird) session(s *session) {
	set := s.settings
	for _, f := range s.families {
		b.filters(s, f)
	}
	b.line("")
	b.line("# %s", s.over(b.d))
	b.line("protocol bgp over_%s {", s.name)
	b.line("  local %v as %d;", s.local(), b.r.ASN)
	b.line("  neighbor %v as %d;", s.remote(), s.peer.ASN)
	b.line("  interface \"%s\";", s.iface)
	b.line("  direct;")
	b.timers(s)
	if set[topology.BGPPassive].Bool {
		b.line("  passive on;")
	}
	if set[topology.BGPFastFallover].Bool {
		b.line("  check link on;")
	} else {
		b.line("  check link off;")
		b.say(s, topology.BGPFastFallover, "the session ends all the same when its interface is shut or loses its address")
	}
	if b.r.Settings[topology.BGPAlwaysCompareMED].Bool {
		b.line("  med metric on;")
	}
	if s.internal && set[topology.BGPReflectorClient].Bool {
		b.line("  rr client;")
	}
	b.graceful(s)
	b.bfd(s)
	for _, f := range s.families {
		b.channel(s, f)
	}
	b.line("}")
}

func (b *bird) timers(s *session) {
	set := s.settings
	hold := b.whole(s, topology.BGPHold, time.Second, 0, 65535)
	b.line("  hold time %d;", hold)
	b.keepalive(s, hold)
	if n := b.whole(s, topology.BGPMinHold, time.Second, 0, 65535); n > 3 {
		b.line("  min hold time %d;", min(n, hold))
		if n > hold {
			b.say(s, topology.BGPMinHold, fmt.Sprintf("%ds: BIRD asks for no more than its own hold time", hold))
		}
	}
	b.line("  startup hold time %d;", cmp.Or(b.whole(s, topology.BGPOpenHold, time.Second, 0, 65535), hold))
	b.line("  connect delay time %d;", b.whole(s, topology.BGPConnectDelay, time.Second, 0, 3600))
	b.line("  connect retry time %d;", b.connectRetry(s))
	wait := b.whole(s, topology.BGPIdleHold, time.Second, 1, 3600)
	most := max(b.whole(s, topology.BGPIdleHoldMax, time.Second, 1, 86400), wait)
	b.line("  error wait time %d, %d;", wait, most)
	b.twiceHold(s)
	if waits(s) {
		b.say(s, mraiKey(s), "nothing waits: BIRD has no MRAI")
		b.say(s, topology.BGPMRAIMode, "none: BIRD has no MRAI")
	}
	if b.matters(s, topology.BGPKeepaliveFixed) && set[topology.BGPKeepaliveFixed].Bool && int64(set[topology.BGPKeepalive].Dist.Max()/time.Second) > s.negotiated()/3 {
		b.say(s, topology.BGPKeepaliveFixed, "keepalives follow the negotiated hold time")
	}
}

// keepalive: BIRD scales what is configured by negotiated / configured hold
// time; the scenario wants min(configured, negotiated / 3).
func (b *bird) keepalive(s *session, hold int64) {
	if s.settings[topology.BGPKeepalive].Dist.Max() == 0 || hold == 0 {
		return // a third, as BIRD has it by itself
	}
	want := b.whole(s, topology.BGPKeepalive, time.Second, 1, 65535)
	n := s.negotiated()
	if n == 0 || 3*want >= n && 3*want >= hold {
		return
	}
	want = min(want, n/3)
	interval := want * hold / n
	b.line("  keepalive time %d;", max(interval, 1))
	if interval < 1 || interval*n/hold != want {
		b.say(s, topology.BGPKeepalive, fmt.Sprintf("%ds: BIRD scales it with the hold time", max(interval, 1)*n/hold))
	}
}

func (b *bird) graceful(s *session) {
	set := s.settings
	mode := map[string]string{"off": "off", "helper": "aware", "restarter": "on"}
	graceful := set[topology.BGPGracefulRestart].Enum
	b.line("  graceful restart %s;", mode[graceful])
	if graceful == "off" {
		b.line("  long lived graceful restart off;")
		return
	}
	if graceful == "restarter" {
		b.line("  graceful restart time %d;", b.whole(s, topology.BGPRestartTime, time.Second, 0, 4095))
	}
	lasting := set[topology.BGPLongLived].Enum
	b.line("  long lived graceful restart %s;", mode[lasting])
	if lasting == "restarter" {
		b.line("  long lived stale time %d;", b.whole(s, topology.BGPLongLivedTime, time.Second, 0, 16777215))
	}
}

func (b *bird) bfd(s *session) {
	set := s.settings
	if !withBFD(s) {
		return
	}
	b.line("  bfd {")
	b.line("    min rx interval %s;", b.interval(s, topology.BFDMinRx))
	b.line("    min tx interval %s;", b.interval(s, topology.BFDMinTx))
	b.line("    multiplier %d;", set[topology.BFDMultiplier].Int)
	if set[topology.BFDPassive].Bool {
		b.line("    passive on;")
	}
	b.line("  };")
	if set[topology.BFDStrict].Bool {
		b.say(s, topology.BFDStrict, "not strict: BIRD has no such mode, and BGP comes up before BFD")
		b.say(s, topology.BFDStrictHold, "no such wait: BIRD has no strict mode")
	}
}

func (b *bird) interval(s *session, k topology.Key) string {
	us := b.whole(s, k, time.Microsecond, 1, 4_000_000_000)
	if us%1000 == 0 {
		return fmt.Sprintf("%d ms", us/1000)
	}
	return fmt.Sprintf("%d us", us)
}

func (b *bird) channel(s *session, f topology.Family) {
	set := s.settings
	b.line("  %s {", family(f))
	b.line("    import filter %s;", filterName(s, "in", f))
	b.line("    export filter %s;", filterName(s, "out", f))
	if s.internal && set[topology.BGPNextHopSelf].Bool {
		b.line("    next hop self ebgp;")
	}
	if topology.FamilyOf(s.local()) != f {
		b.line("    next hop address %v;", s.end.In(f))
	}
	if mode := map[string]string{"send": "tx", "receive": "rx", "both": "on"}[set[topology.BGPAddPath].Enum]; mode != "" {
		b.line("    add paths %s;", mode)
		if addPath(s, "send") && set[topology.BGPAddPathPaths].Int > 0 {
			b.say(s, topology.BGPAddPathPaths, "all paths: BIRD cannot limit them")
		}
	}
	if most := set[topology.BGPMaxPrefixes].Int; most > 0 {
		action := "disable"
		switch {
		case set[topology.BGPMaxPrefixesAction].Enum == "warn":
			action = "warn"
		case set[topology.BGPMaxPrefixesRestart].Dist.Max() > 0:
			action = "restart"
			b.say(s, topology.BGPMaxPrefixesRestart, "the error wait time, as after any other error")
		}
		b.line("    import limit %d action %s;", most, action)
		b.countsAccepted(s)
	}
	b.line("  };")
}

func filterName(s *session, direction string, f topology.Family) string {
	return fmt.Sprintf("%s_%s_%s", s.name, direction, digit(f))
}

// filters writes the policy of a session for a family.
func (b *bird) filters(s *session, f topology.Family) {
	b.line("")
	b.line("filter %s {", filterName(s, "in", f))
	b.terms(s, false, importTerms(s, f))
	b.line("}")
	b.line("filter %s {", filterName(s, "out", f))
	own := fmt.Sprintf("proto = \"networks%s\"", digit(f))
	if s.settings[topology.BGPTransit].Bool {
		b.line("  if !(%s || source = RTS_BGP) then reject;", own)
	} else {
		b.line("  if !(%s) then reject;", own)
	}
	if s.settings[topology.BGPSenderSideLoop].Bool && !s.internal {
		b.line("  if bgp_path ~ [= * %d * =] then reject;", s.peer.ASN)
	}
	b.terms(s, true, exportTerms(s, f))
	b.line("}")
}

func (b *bird) terms(s *session, export bool, terms []topology.Term) {
	for i := range terms {
		t := &terms[i]
		if everything(t) {
			b.actions("  ", s, export, t)
			return
		}
		b.line("  if %s then {", birdMatch(t))
		b.actions("    ", s, export, t)
		b.line("  }")
	}
	b.line("  accept;")
}

func birdMatch(t *topology.Term) string {
	var all []string
	if len(t.Prefixes) > 0 {
		var set []string
		for _, p := range t.Prefixes {
			text := p.String()
			if t.OrLonger {
				text += "+"
			}
			set = append(set, text)
		}
		all = append(all, "net ~ [ "+strings.Join(set, ", ")+" ]")
	}
	if t.Community != "" {
		all = append(all, pair(t.Community)+" ~ bgp_community")
	}
	if t.PathHas != 0 {
		all = append(all, fmt.Sprintf("bgp_path ~ [= * %d * =]", t.PathHas))
	}
	return strings.Join(all, " && ")
}

// pair is a community as BIRD writes it.
func pair(c string) string { return "(" + strings.ReplaceAll(c, ":", ",") + ")" }

func (b *bird) actions(indent string, s *session, export bool, t *topology.Term) {
	if t.Reject {
		b.line("%sreject;", indent)
		return
	}
	if t.LocalPref != nil {
		b.line("%sbgp_local_pref = %d;", indent, *t.LocalPref)
	}
	if t.MED != nil {
		b.line("%sbgp_med = %d;", indent, *t.MED)
	}
	for range t.Prepend {
		b.line("%sbgp_path.prepend(%d);", indent, b.prependAS(s, export))
	}
	for _, c := range t.AddCommunities {
		b.line("%sbgp_community.add(%s);", indent, pair(c))
	}
	b.line("%saccept;", indent)
}
