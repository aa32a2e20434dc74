package scenarios

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/profile"
	"github.com/vpnsim/vpnsim/topology"
)

// What is allowed, but probably not meant. A lint speaks about what the
// scenario says, never about what a profile does by itself: a profile's values
// are how things are, and nobody can act on a warning about them. The design's
// shape (a single point of failure) counts as said.

// Lint returns warnings about a design that Load has accepted.
func Lint(d *topology.Design) []Diagnostic {
	l := linter{d: d, graph: topology.NewGraph(d), paired: map[[2]int]bool{}}
	for i := range d.Params {
		if p := &d.Params[i]; !p.Used {
			l.warn(p.Pos, fmt.Sprintf("write $%s where its value belongs", p.Name), "nothing uses the parameter %q", p.Name)
		}
	}
	for i := range d.Routers {
		r := &d.Routers[i]
		l.router(r)
		l.timers(r.Name, r.Profile, &r.Settings, nil)
	}
	for i := range d.Links {
		l.link(&d.Links[i])
	}
	l.idle()
	l.mesh()
	l.exchanged()
	for i := range d.Probes {
		l.probe(&d.Probes[i])
	}
	if d.Internet != nil {
		l.internet()
		return arrange(l.out)
	}
	l.story()
	if d.Warmup < 10*time.Second && len(d.Links) > 0 {
		l.warn(topology.Pos{File: d.File}, "leave warmup out for 60s", "a warm-up of %v is too short for the sessions to come up: the story begins on a network without routes", topology.FormatDuration(d.Warmup))
	}
	return arrange(l.out)
}

type linter struct {
	d     *topology.Design
	graph *topology.Graph
	// paired are the routers between which single has looked.
	paired map[[2]int]bool
	out    []Diagnostic
}

func (l *linter) warn(pos topology.Pos, help, format string, args ...any) {
	l.out = append(l.out, Diagnostic{Pos: pos, Severity: Warning, Message: fmt.Sprintf(format, args...), Help: help})
}

// said tells whether the scenario or --set gives the value.
func said(s *topology.Setting) bool {
	return s.Origin.Status == topology.Given || s.Origin.Status == topology.Overridden
}

func (l *linter) router(r *topology.Router) {
	if p := &r.Settings[topology.RouteTablePropagate]; !p.Bool && r.Settings[topology.RouteTableKind].Enum != "none" {
		l.warn(firstPos(p.Origin.Pos, r.Pos), "set route_table.propagate: true",
			"BGP is up but no route enters the route table of %s: replies are dropped", r.Name)
	}
	if len(r.Egress) > 0 && !choosesEgress(r) {
		l.warn(r.EgressPos, "prefer a link with import: {local_pref: 200} at this router's end of it",
			"%s: egress has no effect: with %s, equal paths do not stay equal, a rule without chance picks the one that is used", r.Name, r.Profile)
	}
}

// choosesEgress tells whether an egress can matter to a router: it spreads
// flows over equal paths, or its decision process ends with a draw.
func choosesEgress(r *topology.Router) bool {
	rules, _ := bgp.RulesetFor(r.Settings[topology.BGPDecision].Enum)
	return r.Settings[topology.BGPMultipath].Int > 1 || slices.Contains(rules, bgp.RuleDrawn)
}

// timers looks at the values of a router or, with base, of its end of a link
// where they are not the router's.
func (l *linter) timers(name, profileName string, s, base *topology.Settings) {
	own := func(k topology.Key) bool {
		return said(&s[k]) && (base == nil || base[k].Origin.Pos != s[k].Origin.Pos)
	}
	hold, keepalive := &s[topology.BGPHold], &s[topology.BGPKeepalive]
	h, k := hold.Dist.Min(), keepalive.Dist.Max()
	if own(topology.BGPHold) || own(topology.BGPKeepalive) {
		pos := keepalive.Origin.Pos
		if !own(topology.BGPKeepalive) {
			pos = hold.Origin.Pos
		}
		switch fixed := s[topology.BGPKeepaliveFixed].Bool; {
		case h == 0 || 3*k <= h:
		case fixed && k >= h:
			l.warn(pos, fmt.Sprintf("a third of the hold time is %v", topology.FormatDuration(h/3)),
				"%s: a keepalive every %v cannot keep a hold time of %v alive", name, keepalive.Dist, hold.Dist)
		case fixed:
			l.warn(pos, fmt.Sprintf("RFC 4271 §10: a third of the hold time, here %v", topology.FormatDuration(h/3)),
				"%s: with a keepalive every %v a hold time of %v does not survive the loss of two", name, keepalive.Dist, hold.Dist)
		default:
			l.warn(pos, "", "%s: keepalive %v has no effect: it is more than a third of the hold time %v, so one is sent every %v",
				name, keepalive.Dist, hold.Dist, topology.FormatDuration(h/3))
		}
	}
	l.mrai(name, s, own)
	l.restart(name, s, own)
	if p, ok := profile.Get(profileName); ok {
		for k := topology.Key(0); k < topology.NumKeys; k++ {
			if own(k) {
				l.offered(name, p, k, &s[k])
			}
		}
	}
}

// offer is what a platform says about a feature.
func offer(platform, feature string) (profile.Offer, bool) {
	p, ok := profile.Get(platform)
	if !ok {
		return profile.Offer{}, false
	}
	return p.Offers(feature)
}

// mrai warns of settings of MRAI that say nothing with the mode that there is.
func (l *linter) mrai(name string, s *topology.Settings, own func(topology.Key) bool) {
	mode, byPrefix := s[topology.BGPMRAIMode].Enum, s[topology.BGPMRAIScope].Enum == "prefix"
	for _, k := range []topology.Key{topology.BGPMRAI, topology.BGPMRAIIBGP} {
		if x := &s[k]; own(k) && x.Dist.Max() > 0 && mode == "none" {
			l.warn(x.Origin.Pos, "set bgp.mrai_mode: since-last-update", "%s: %s %v has no effect, the mode is none", name, leaf(k), x.Dist)
		}
	}
	none := s[topology.BGPMRAI].Dist.Max() == 0 && s[topology.BGPMRAIIBGP].Dist.Max() == 0
	if k := topology.BGPMRAIMode; own(k) && mode != "none" && none {
		l.warn(s[k].Origin.Pos, "set bgp.mrai: 30s", "%s: mrai_mode %s has no effect, the interval is 0s", name, mode)
	}
	since := mode == "since-last-update"
	for _, x := range []struct {
		key topology.Key
		set bool // to something that would have an effect
		has bool // an effect
	}{
		{topology.BGPMRAIScope, byPrefix, since || mode == "out-delay"},
		{topology.BGPMRAIGranularity, s[topology.BGPMRAIGranularity].Dist.Max() > 0, since && !byPrefix},
		{topology.BGPMRAIJitter, s[topology.BGPMRAIJitter].Int < 1000, since || mode == "tick"},
		{topology.BGPMRAIAfterWithdraw, !s[topology.BGPMRAIAfterWithdraw].Bool, since},
	} {
		if own(x.key) && x.set && !x.has && !none {
			what := "mode " + mode
			if since {
				what = "scope prefix"
			}
			l.warn(s[x.key].Origin.Pos, "", "%s: %s %s has no effect with %s", name, leaf(x.key), s[x.key].Format(x.key), what)
		}
	}
}

// leaf is the last part of a setting's path.
func leaf(k topology.Key) string { return strings.TrimPrefix(k.String(), "bgp.") }

// restart looks for times of graceful restart that nobody asks for.
func (l *linter) restart(name string, s *topology.Settings, own func(topology.Key) bool) {
	mode, long := s[topology.BGPGracefulRestart].Enum, s[topology.BGPLongLived].Enum
	for _, k := range []topology.Key{topology.BGPRestartTime, topology.BGPSelectionDeferral, topology.BGPGracefulNotify,
		topology.BGPStalePathTime, topology.BGPLongLived, topology.BGPLongLivedTime} {
		x := &s[k]
		var help string
		switch {
		case !own(k) || k == topology.BGPGracefulNotify && !x.Bool || k == topology.BGPLongLived && x.Enum == "off":
			continue
		case mode == "off":
			help = "set bgp.graceful_restart to helper or restarter"
		case mode == "helper" && (k == topology.BGPRestartTime || k == topology.BGPSelectionDeferral):
			help = "set bgp.graceful_restart: restarter; a helper asks its peers for nothing"
		case long != "restarter" && k == topology.BGPLongLivedTime:
			help = "set bgp.long_lived: restarter"
		default:
			continue
		}
		l.warn(x.Origin.Pos, help, "%s: %s %s has no effect", name, k, x.Format(k))
	}
}

// offered warns of a value that the platform gives no way to set.
func (l *linter) offered(name string, p *profile.Profile, k topology.Key, s *topology.Setting) {
	if o, known := p.Offers("bfd"); k == topology.BFDEnabled && s.Bool && known && !o.Offered {
		l.warn(s.Origin.Pos, o.Note, "%s: %s does not offer BFD", name, p.Name)
	}
	if o, known := p.Offers("add-path"); k == topology.BGPAddPath && s.Enum != "none" && known && !o.Offered {
		l.warn(s.Origin.Pos, o.Note, "%s: %s does not offer add-path", name, p.Name)
	}
	if err := p.Check(k, s.Value); err != nil {
		r, _ := p.Range(k)
		l.warn(s.Origin.Pos, r.Source, "%s: %v", name, err)
	}
}

// link looks at what the two ends make of each other.
func (l *linter) link(link *topology.Link) {
	for e := range link.Ends {
		end := &link.Ends[e]
		r := &l.d.Routers[end.Router]
		platform := r.Profile
		if o, _ := offer(platform, "direct-connect"); o.Offered && link.Kind == topology.Plain {
			platform = "" // the ranges of the profile are those of a VPN
		}
		l.timers(fmt.Sprintf("%s at %s", link.Name, r.Name), platform, &end.Settings, &r.Settings)
	}
	if link.Loss.P == 1 {
		l.warn(link.Loss.Pos, "", "%q loses every packet", link.Name)
	}
	if link.Ends[0].BGP {
		l.session(link)
	}
	if link.Kind == topology.Tunnel {
		l.tunnel(link)
	}
}

// session looks at what the OPENs will say to each other.
func (l *linter) session(link *topology.Link) {
	for e := range link.Ends {
		us, them := &link.Ends[e], &link.Ends[1-e]
		our, their := &us.Settings, &them.Settings
		name, peer := l.d.Routers[us.Router].Name, l.d.Routers[them.Router].Name
		hold, offer := &our[topology.BGPHold], &their[topology.BGPHold]
		if said(hold) && offer.Dist.Max() > 0 && hold.Dist.Min() > offer.Dist.Max() {
			l.warn(hold.Origin.Pos, "the smaller offer is used",
				"%s hold %v has no effect: %s offers %v", name, hold.Dist, peer, offer.Dist)
		}
		if m := our[topology.BGPMinHold].Dist.Min(); offer.Dist.Max() > 0 && offer.Dist.Max() < m {
			l.warn(firstPos(our[topology.BGPMinHold].Origin.Pos, offer.Origin.Pos, link.Pos), "",
				"the session over %s never comes up: %s refuses a hold time below %v, %s offers %v", link.Name, name, topology.FormatDuration(m), peer, offer.Dist)
		}
		if m := &our[topology.BGPGracefulRestart]; said(m) && m.Enum == "restarter" && their[topology.BGPGracefulRestart].Enum == "off" {
			l.warn(m.Origin.Pos, "set bgp.graceful_restart: helper there", "%s asks %s to keep its routes while it restarts, but %s has graceful restart off", name, peer, peer)
		}
		// A keepalive that does not follow the negotiated time starves the peer.
		negotiated := smaller(hold.Dist.Min(), offer.Dist.Min())
		if k := our[topology.BGPKeepalive].Dist.Max(); our[topology.BGPKeepaliveFixed].Bool && negotiated > 0 && k >= negotiated {
			l.warn(firstPos(our[topology.BGPKeepalive].Origin.Pos, offer.Origin.Pos, link.Pos), fmt.Sprintf("%s needs a hold time of %v or more", peer, topology.FormatDuration(3*k)),
				"the session over %s flaps: %s sends a keepalive every %v whatever was negotiated, the hold time is %v", link.Name, name, topology.FormatDuration(k), topology.FormatDuration(negotiated))
		}
	}
	for e := range link.Ends {
		for _, f := range families {
			l.prefixes(link, e, f)
		}
	}
	l.families(link)
	l.addPath(link)
	l.bfd(link)
	a, b := &link.Ends[0].Settings[topology.BGPPassive], &link.Ends[1].Settings[topology.BGPPassive]
	if a.Bool && b.Bool {
		l.warn(firstPos(a.Origin.Pos, b.Origin.Pos, link.Pos), "", "the session over %s never comes up: both ends are passive", link.Name)
	}
}

// prefixes counts what the peer of an end announces of its own of a family, now
// and in the story, against what the end takes.
func (l *linter) prefixes(link *topology.Link, end int, family topology.Family) {
	limit := &link.Ends[end].Settings[topology.BGPMaxPrefixes]
	if limit.Int == 0 || !link.Exchanges(family) {
		return
	}
	us, them := &l.d.Routers[link.Ends[end].Router], &link.Ends[1-end]
	peer := &l.d.Routers[them.Router]
	list := map[netip.Prefix]bool{}
	add := func(p netip.Prefix) {
		if topology.FamilyOf(p.Addr()) == family && announced(them.Export, p) {
			list[p] = true
		}
	}
	for _, n := range peer.Networks {
		for i := range n.Len() {
			add(n.At(i))
		}
	}
	always := len(list)
	for i := range l.d.Story {
		if f := &l.d.Story[i]; f.Kind == topology.PrefixAnnounce && f.Router == them.Router {
			add(f.Prefix)
		}
	}
	pos := firstPos(limit.Origin.Pos, link.Pos)
	what := "drops the session"
	if link.Ends[end].Settings[topology.BGPMaxPrefixesAction].Enum == "warn" {
		what = "warns"
	}
	switch most := int64(len(list)); {
	case int64(always) > limit.Int:
		l.warn(pos, "announce fewer, for example one prefix that covers the others", "%s announces %d prefixes over %s, %s takes %d and %s", peer.Name, always, link.Name, us.Name, limit.Int, what)
	case most > limit.Int:
		l.warn(pos, "", "with what the story announces %s may send %d prefixes over %s, %s takes %d and %s", peer.Name, most, link.Name, us.Name, limit.Int, what)
	}
}

// announced tells whether an export policy lets a prefix of the router's own
// out. Terms that look at more than the prefix are passed over.
func announced(terms []topology.Term, p netip.Prefix) bool {
	for i := range terms {
		t := &terms[i]
		if t.Community != "" || t.PathHas != 0 {
			continue
		}
		match := len(t.Prefixes) == 0
		for _, q := range t.Prefixes {
			match = match || q == p || t.OrLonger && q.Bits() <= p.Bits() && q.Contains(p.Addr())
		}
		if match {
			return !t.Reject
		}
	}
	return true
}

// smaller of two hold times, where 0 is none at all.
func smaller(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return 0 // RFC 4271 §4.2: zero is the smaller value
	}
	return min(a, b)
}

func (l *linter) tunnel(link *topology.Link) {
	a, b := &link.Ends[0], &link.Ends[1]
	if va, vb := &a.Settings[topology.VPNVersion], &b.Settings[topology.VPNVersion]; va.Enum != vb.Enum && (said(va) || said(vb)) {
		l.warn(firstPos(va.Origin.Pos, vb.Origin.Pos), "set vpn.ike to the same at both ends",
			"%s: IKE%s at %s, IKE%s at %s: whoever begins decides", link.Name, va.Enum, l.d.Routers[a.Router].Name, vb.Enum, l.d.Routers[b.Router].Name)
	}
	starts := false
	for e := range link.Ends {
		s := &link.Ends[e].Settings
		starts = starts || s[topology.VPNInitiate].Bool || s[topology.VPNOnTraffic].Bool
	}
	if !starts {
		l.warn(link.Pos, "set vpn.initiate or vpn.on_traffic at one end", "%s never comes up: neither end begins to negotiate", link.Name)
	}
	if a.BGP {
		l.dpd(link)
	}
}

// dpd: dead peer detection that is slower than the hold timer finds a silent
// failure after BGP has.
func (l *linter) dpd(link *topology.Link) {
	negotiated := smaller(link.Ends[0].Settings[topology.BGPHold].Dist.Max(), link.Ends[1].Settings[topology.BGPHold].Dist.Max())
	for e := range link.Ends {
		s := &link.Ends[e].Settings
		interval := s[topology.VPNDPDInterval].Dist.Min()
		if negotiated == 0 || interval == 0 {
			continue
		}
		detect := s[topology.VPNDPDTimeout].Dist.Min()
		if detect == 0 {
			detect = interval + time.Duration(s[topology.VPNDPDRetries].Int)*s[topology.VPNDPDRetry].Dist.Min()
		}
		for _, k := range []topology.Key{topology.VPNDPDTimeout, topology.VPNDPDInterval, topology.VPNDPDRetries, topology.VPNDPDRetry} {
			if said(&s[k]) && detect > negotiated {
				l.warn(s[k].Origin.Pos, "", "%s: dead peer detection takes %v, the negotiated hold time is %v: it never helps",
					l.d.Routers[link.Ends[e].Router].Name, topology.FormatDuration(detect), topology.FormatDuration(negotiated))
				break
			}
		}
	}
}

func (l *linter) probe(p *topology.Probe) {
	from, to := &l.d.Hosts[p.From], &l.d.Hosts[p.To]
	if to.DropICMP {
		l.warn(to.DropPos, "set security_group.icmp: true", "ICMP is not admitted to host %q: every echo of the probe %q is dropped", to.Name, p.Name)
	}
	if p.For > 0 && p.Start+p.For > l.d.For {
		l.warn(p.Pos, "", "the probe %q lasts beyond the run, which ends at %v", p.Name, topology.FormatDuration(l.d.For))
	}
	if pair := [2]int{from.Router, to.Router}; l.d.Generated == (topology.Pos{}) && from.Router != to.Router && !l.paired[pair] {
		l.paired[pair] = true // one probe between two routers stands for all
		l.single(p, from.Router, to.Router)
	}
}

// single looks for one link, router or gateway address that the probe depends
// on. Only what lies on some path can be it, so one path is enough to try.
func (l *linter) single(p *topology.Probe, from, to int) {
	path := l.graph.Path(from, to, -1, -1)
	for _, s := range path {
		if l.graph.Path(from, to, s.Link, -1) == nil {
			link := &l.d.Links[s.Link]
			l.warn(link.Pos, "", "single point of failure: %s is the only way for the probe %q", link.Name, p.Name)
		}
		if s.Router != to && l.graph.Path(from, to, -1, s.Router) == nil {
			r := &l.d.Routers[s.Router]
			l.warn(r.Pos, "", "single point of failure: every path of the probe %q leads through router %q", p.Name, r.Name)
		}
	}
	// RFC 4271 §9.1.2: a route whose AS_PATH holds one's own number is not used.
	if a, b := &l.d.Routers[from], &l.d.Routers[to]; len(path) > 1 && a.ASN == b.ASN {
		l.warn(p.Pos, "give them different numbers", "%s and %s are both in AS %d and not neighbours: each takes the other's routes for loops", a.Name, b.Name, a.ASN)
	}
	l.sharedGateway(from, to)
}

// sharedGateway: tunnels between the same two routers that all end at one
// address are redundant at one end only.
func (l *linter) sharedGateway(from, to int) {
	count, shared := 0, [2]bool{true, true}
	var ends [2]*topology.End
	for i := range l.d.Links {
		link := &l.d.Links[i]
		a, b := &link.Ends[0], &link.Ends[1]
		if a.Router == to && b.Router == from {
			a, b = b, a
		}
		if a.Router != from || b.Router != to || link.Kind != topology.Tunnel {
			continue
		}
		if count++; count == 1 {
			ends = [2]*topology.End{a, b}
		}
		shared[0] = shared[0] && a.Outside == ends[0].Outside
		shared[1] = shared[1] && b.Outside == ends[1].Outside
	}
	for e, end := range ends {
		if count > 1 && shared[e] {
			l.warn(firstPos(end.OutsidePos, end.Pos), "", "single point of failure: every tunnel between %s and %s ends at %v",
				l.d.Routers[from].Name, l.d.Routers[to].Name, end.Outside)
		}
	}
}

// story looks for reversals of what never happened, and for faults that
// nothing reverses although nobody would notice.
func (l *linter) story() {
	for i := range l.d.Story {
		f := &l.d.Story[i]
		if f.Until == 0 && f.At.Min() < l.d.For && f.At.Max() >= l.d.For {
			l.warn(firstPos(f.AtOrigin.Pos, f.Pos), "", "%v may lie beyond the run, which ends at %v: in some runs it will not happen", f.At, topology.FormatDuration(l.d.For))
		}
		if f.Until > 0 {
			if first := &l.d.Story[f.Until-1]; first.At.Min()+f.At.Min() >= l.d.For {
				l.warn(f.Pos, "", "for: %v lasts beyond the run, which ends at %v", f.At, topology.FormatDuration(l.d.For))
			}
			continue
		}
		l.undoes(f)
		switch {
		case (f.Kind == topology.BlackHole || f.Kind == topology.PacketLoss && f.P == 1) && !l.later(f, topology.Heal):
			l.warn(f.Pos, "add for: 60s, or a heal", "nothing heals %s again before the run ends", l.d.Links[f.Link].Name)
		case f.Kind == topology.PrefixWithdraw && !l.announces(f):
			l.warn(f.Pos, "", "%s does not announce %v: there is nothing to withdraw", l.d.Routers[f.Router].Name, f.Prefix)
		}
	}
}

// undoes warns of a reversal that has nothing before it to reverse.
func (l *linter) undoes(f *topology.Fault) {
	var what string
	var first []topology.FaultKind
	switch f.Kind {
	case topology.TunnelCreate:
		what, first = "create", []topology.FaultKind{topology.TunnelDelete}
	case topology.Heal:
		what, first = "heal", []topology.FaultKind{topology.BlackHole, topology.PacketLoss}
	case topology.LinkUp:
		what, first = "up", []topology.FaultKind{topology.LinkDown}
	case topology.SessionStart:
		what, first = "start", []topology.FaultKind{topology.SessionShut}
	case topology.RouterThaw:
		what, first = "thaw", []topology.FaultKind{topology.RouterFreeze}
	case topology.RouterStart:
		what, first = "start", []topology.FaultKind{topology.RouterKill, topology.RouterRestart, topology.RouterFreeze}
	default:
		return
	}
	subject := ""
	switch {
	case f.Link >= 0:
		subject = l.d.Links[f.Link].Name
	case f.Router >= 0:
		subject = l.d.Routers[f.Router].Name
	}
	for i := range l.d.Story {
		e := &l.d.Story[i]
		for _, k := range first {
			if e.Kind == k && e.Until == 0 && e.Link == f.Link && e.Router == f.Router && e.At.Min() <= f.At.Max() {
				return
			}
		}
	}
	by := ""
	if f.Link >= 0 && f.Router >= 0 {
		by = " by " + l.d.Routers[f.Router].Name
	}
	l.warn(f.Pos, "", "%s %s%s has no effect: nothing before it does the opposite", what, subject, by)
}

// later tells whether a fault of a kind on f's link can follow f.
func (l *linter) later(f *topology.Fault, kind topology.FaultKind) bool {
	for i := range l.d.Story {
		e := &l.d.Story[i]
		if e.Kind == kind && e.Link == f.Link && (e.Until > 0 || e.At.Max() >= f.At.Min()) {
			return true
		}
	}
	return false
}

func (l *linter) announces(f *topology.Fault) bool {
	for _, n := range l.d.Routers[f.Router].Networks {
		if n.Has(f.Prefix) {
			return true
		}
	}
	for i := range l.d.Story {
		if e := &l.d.Story[i]; e.Kind == topology.PrefixAnnounce && e.Router == f.Router && e.Prefix == f.Prefix && e.Until == 0 {
			return true
		}
	}
	return false
}

// firstPos returns the first that is a place.
func firstPos(ps ...topology.Pos) topology.Pos {
	for _, p := range ps {
		if p.Line > 0 || strings.HasPrefix(p.File, setPrefix) {
			return p
		}
	}
	return topology.Pos{}
}
