package topology

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// A Design can be built by reading a scenario, by importing what a cloud
// exports, or by a generator. Whoever built it, Validate finds what a run
// could not make sense of: numbers out of range, addresses that are used
// twice, hosts that nothing reaches, a story about things that are not there.
// It reads the Design only, reports everything it finds, and never panics, so
// that it can be asked about half-built Designs too.

// Problem is something that Validate found wrong.
type Problem struct {
	Pos     Pos
	Message string
	Help    string // what to do about it; may be empty
	// Absent: a part is missing or refers to nothing. Whoever read the Design
	// from text has said so already, and can leave these out.
	Absent bool
}

// The limits of what one run is asked to simulate. They catch slips of the
// keyboard, not ambitions: the longest is a month.
const (
	MaxRun    = 31 * 24 * time.Hour
	MaxEchoes = 5_000_000
	minEvery  = time.Millisecond
	maxSize   = 65507 // 65535 less the headers of IPv4 and ICMP
)

// Validate reports what is wrong with d, in the order of d.
func Validate(d *Design) []Problem {
	v := validator{d: d, graph: NewGraph(d)}
	v.times()
	if d.Internet != nil {
		v.internet()
		return v.problems
	}
	v.routers()
	v.links()
	v.hosts()
	v.addresses()
	v.probes()
	v.story()
	return v.problems
}

type validator struct {
	d        *Design
	graph    *Graph
	problems []Problem
	absent   bool
}

func (v *validator) problem(pos Pos, help, format string, args ...any) {
	v.problems = append(v.problems, Problem{Pos: pos, Help: help, Message: fmt.Sprintf(format, args...)})
}

func (v *validator) missing(pos Pos, format string, args ...any) {
	v.absent = true
	v.problems = append(v.problems, Problem{Pos: pos, Message: fmt.Sprintf(format, args...), Absent: true})
}

func (v *validator) hasRouter(i int) bool { return i >= 0 && i < len(v.d.Routers) }
func (v *validator) hasLink(i int) bool   { return i >= 0 && i < len(v.d.Links) }
func (v *validator) hasHost(i int) bool   { return i >= 0 && i < len(v.d.Hosts) }

func (v *validator) router(i int) string {
	if !v.hasRouter(i) {
		return "?"
	}
	return v.d.Routers[i].Name
}

func (v *validator) times() {
	d := v.d
	if d.For <= 0 || d.For > MaxRun {
		v.problem(d.ForPos, "", "a run of %v is not between 1ns and %v", FormatDuration(d.For), FormatDuration(MaxRun))
	}
	if d.Warmup < 0 || d.Warmup > MaxRun {
		v.problem(Pos{File: d.File}, "", "a warm-up of %v is not between 0s and %v", FormatDuration(d.Warmup), FormatDuration(MaxRun))
	}
}

func (v *validator) routers() {
	ids := map[netip.Addr]int{}
	for i := range v.d.Routers {
		r := &v.d.Routers[i]
		v.asn(r)
		v.settings(&r.Settings, nil)
		switch {
		case !r.ID.IsValid():
			v.missing(r.Pos, "router %q has no BGP identifier, and no IPv4 address to take one from: write id: 192.0.2.1 or the like", r.Name)
		case !r.ID.Is4() || r.ID.IsUnspecified():
			v.problem(cmp.Or(r.IDPos, r.Pos), "", "%v is not a BGP identifier: RFC 6286 §2.1 wants four octets that are not all zero", r.ID)
		default:
			// Identifiers decide collisions and ties; equal ones decide nothing.
			if other, taken := ids[r.ID]; taken {
				v.problem(cmp.Or(r.IDPos, r.Pos), "give each router an id of its own", "router %q has the BGP identifier of router %q, %v", r.Name, v.router(other), r.ID)
			}
			ids[r.ID] = i
		}
		for _, n := range r.Networks {
			if !n.Prefix.IsValid() {
				v.missing(n.Pos, "router %q has a network without a prefix", r.Name)
			} else if m := n.Prefix.Masked(); m != n.Prefix {
				v.problem(n.Pos, fmt.Sprintf("write %v", m), "%v is the address of a host in a network", n.Prefix)
			}
			v.block(&n)
		}
		for _, l := range r.Egress {
			if !v.hasLink(l) {
				v.missing(r.EgressPos, "egress of router %q names no link", r.Name)
			} else if e := v.d.Links[l].Ends; e[0].Router != i && e[1].Router != i {
				v.problem(r.EgressPos, "", "egress of router %q: %s does not end there", r.Name, v.d.Links[l].Name)
			}
		}
	}
}

// asn refuses the numbers that no router may use as its own.
func (v *validator) asn(r *Router) {
	pos := cmp.Or(r.ASNPos, r.Pos)
	switch r.ASN {
	case 0: // RFC 7607 §2, but here it mostly means that nothing was given
		v.missing(pos, "router %q has no AS number", r.Name)
	case 65535, 4294967295:
		v.problem(pos, "private numbers are 64512-65534", "AS %d is reserved (RFC 7300)", r.ASN)
	case 23456:
		v.problem(pos, "private numbers are 64512-65534", "AS 23456 stands for numbers of four octets in old messages (RFC 6793 §9) and is nobody's own")
	}
}

// settings checks ranges and what one value alone can have wrong. Where a
// link's end has the same value from the same place as its router, base is
// the router's and the value has been checked there.
func (v *validator) settings(s, base *Settings) {
	for k := Key(0); k < NumKeys; k++ {
		set := &s[k]
		if base != nil && set.Origin.Pos == base[k].Origin.Pos {
			continue
		}
		info := k.Info()
		switch info.Type {
		case TypeDuration:
			v.duration(k, set)
		case TypeInt, TypeRatio:
			if set.Int < info.Min || set.Int > info.Max {
				lo, hi := Value{Int: info.Min}, Value{Int: info.Max}
				v.problem(set.Origin.Pos, "", "%s: %s is not between %s and %s", info.Path, set.Format(k), lo.Format(k), hi.Format(k))
			}
		case TypeEnum:
			if !slices.Contains(info.Enum, set.Enum) {
				v.problem(set.Origin.Pos, "", "%s: %q is not one of %v", info.Path, set.Enum, info.Enum)
			}
		}
	}
}

func (v *validator) duration(k Key, set *Setting) {
	info, pos := k.Info(), set.Origin.Pos
	lo, hi := set.Dist.Min(), set.Dist.Max()
	if int64(lo) < info.Min || int64(hi) > info.Max {
		v.problem(pos, "", "%s: %s is not between %v and %v", info.Path, set.Dist, FormatDuration(time.Duration(info.Min)), FormatDuration(time.Duration(info.Max)))
		return
	}
	if k != BGPHold {
		return
	}
	// RFC 4271 §4.2: the Hold Time is whole seconds, and either zero or at
	// least three.
	switch {
	case hi == 0:
	case lo < 3*time.Second:
		v.problem(pos, "RFC 4271 §4.2 allows 0 and 3s to 65535s", "bgp.hold: a peer refuses a hold time of %v", set.Dist)
	case set.Dist.Kind == Fixed && lo%time.Second != 0:
		v.problem(pos, fmt.Sprintf("write %v", FormatDuration(lo.Truncate(time.Second))), "bgp.hold: %v cannot be offered, an OPEN counts whole seconds", set.Dist)
	}
}

func (v *validator) links() {
	for i := range v.d.Links {
		l := &v.d.Links[i]
		a, b := &l.Ends[0], &l.Ends[1]
		if !v.hasRouter(a.Router) || !v.hasRouter(b.Router) {
			v.missing(l.Pos, "%q does not join two routers", l.Name)
			continue
		}
		if a.Router == b.Router {
			v.problem(l.Pos, "", "%q joins router %q to itself", l.Name, v.router(a.Router))
		}
		for e := range l.Ends {
			v.end(l, &l.Ends[e])
		}
		v.insides(l)
		if lo := l.Delay.Dist.Min(); lo < 0 || l.Delay.Dist.Max() > time.Hour {
			v.problem(cmp.Or(l.Delay.Origin.Pos, l.Pos), "", "a delay of %v is not between 0s and 3600s", l.Delay.Dist)
		}
		v.loss(l)
	}
}

func (v *validator) end(l *Link, e *End) {
	v.settings(&e.Settings, &v.d.Routers[e.Router].Settings)
	name := v.router(e.Router)
	switch {
	case l.Kind == Tunnel && !e.Outside.IsValid():
		v.missing(e.Pos, "tunnel %q has no outside address at %s", l.Name, name)
	case e.Outside.IsValid() && (e.Outside.IsUnspecified() || e.Outside.IsMulticast() || e.Outside.IsLoopback()):
		v.problem(cmp.Or(e.OutsidePos, e.Pos), "", "%v cannot be the outside address of a gateway", e.Outside)
	}
	for _, terms := range [][]Term{e.Import, e.Export} {
		for _, t := range terms {
			if t.Prepend < 0 || t.Prepend > 100 {
				v.problem(t.Pos, "", "prepend: %d is not between 0 and 100", t.Prepend)
			}
		}
	}
}

// insides checks that the two inside addresses can talk to each other.
func (v *validator) insides(l *Link) {
	a, b := &l.Ends[0], &l.Ends[1]
	if !a.Inside.IsValid() || !b.Inside.IsValid() {
		if a.BGP || b.BGP {
			v.missing(l.Pos, "%q has no inside addresses for its BGP session", l.Name)
		}
		return
	}
	usable := v.inside(l, func(e *End) netip.Prefix { return e.Inside })
	switch {
	case a.Also.IsValid() && b.Also.IsValid():
		usable = v.inside(l, func(e *End) netip.Prefix { return e.Also }) && usable
	case a.Also.IsValid():
		v.problem(cmp.Or(b.InsidePos, b.Pos), "", "%q has an %v inside address at %s only: %v", l.Name, FamilyOf(a.Also.Addr()), v.router(a.Router), a.Also)
	case b.Also.IsValid():
		v.problem(cmp.Or(b.InsidePos, b.Pos), "", "%q has an %v inside address at %s only: %v", l.Name, FamilyOf(b.Also.Addr()), v.router(b.Router), b.Also)
	}
	if usable && a.BGP != b.BGP {
		v.problem(l.Pos, "", "only one end of %q has a BGP session over it", l.Name)
	}
}

// unusable says why p's address cannot belong to an interface; "" if it can.
// RFC 3021: in a /31 both addresses can; RFC 6164: in a /127.
func unusable(p netip.Prefix) string {
	if p.Bits() >= p.Addr().BitLen()-1 {
		return ""
	}
	if !p.Addr().Is4() {
		if p.Addr() == p.Masked().Addr() {
			return "Subnet-Router anycast" // RFC 4291 §2.6.1
		}
		return ""
	}
	switch p.Addr() {
	case p.Masked().Addr():
		return "network"
	case lastAddr(p):
		return "broadcast"
	}
	return ""
}

// lastAddr returns the highest address in p.
func lastAddr(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}

func (v *validator) loss(l *Link) {
	for _, p := range []struct {
		name string
		p    float64
	}{{"p", l.Loss.P}, {"bad", l.Loss.Bad}, {"to_bad", l.Loss.ToBad}, {"to_good", l.Loss.ToGood}} {
		if !(p.p >= 0 && p.p <= 1) { // NaN too
			v.problem(cmp.Or(l.Loss.Pos, l.Pos), "a probability lies between 0 and 1", "loss of %q: %s is %v", l.Name, p.name, p.p)
		}
	}
	if l.Loss.ToBad > 0 && l.Loss.ToGood == 0 {
		v.problem(cmp.Or(l.Loss.Pos, l.Pos), "give to_good, 1 / the mean length of a bad stretch in packets", "loss of %q turns bad and never good again", l.Name)
	}
}

func (v *validator) hosts() {
	addrs := map[netip.Addr]int{}
	for i := range v.d.Hosts {
		h := &v.d.Hosts[i]
		if !v.hasRouter(h.Router) || !h.Addr.IsValid() {
			v.missing(h.Pos, "host %q has no router or no address", h.Name)
			continue
		}
		for _, a := range h.Addrs() {
			if other, taken := addrs[a]; taken {
				v.problem(cmp.Or(h.AddrPos, h.Pos), "", "host %q has the address of host %q, %v", h.Name, v.d.Hosts[other].Name, a)
				continue
			}
			addrs[a] = i
			v.hostAddr(h, a)
		}
	}
}

// hostAddr checks that an address of a host is in a network of its router.
func (v *validator) hostAddr(h *Host, a netip.Addr) {
	pos, r := cmp.Or(h.AddrPos, h.Pos), &v.d.Routers[h.Router]
	in := slices.IndexFunc(r.Networks, func(n Network) bool { _, ok := n.Holding(a); return ok })
	switch {
	case in < 0 && len(r.Networks) == 0:
		v.missing(pos, "%v is in no network of router %q, which has none", a, r.Name)
	case in < 0:
		v.problem(pos, "", "%v is in no network of router %q (%s)", a, r.Name, prefixes(r.Networks))
	default:
		held, _ := r.Networks[in].Holding(a)
		if problem := unusable(netip.PrefixFrom(a, held.Bits())); problem != "" {
			v.problem(pos, "", "%v is the %s address of %v", a, problem, held)
		}
	}
}

func prefixes(ns []Network) string {
	out := ""
	for i, n := range ns {
		if i > 0 {
			out += ", "
		}
		out += n.String()
	}
	return out
}

// addresses finds address space that is used twice: by the networks of two
// routers, by two links, or by both. What one router announces may lie inside
// what else it announces, since that is how more specific routes are made.
func (v *validator) addresses() {
	type use struct {
		prefix netip.Prefix
		router int // -1: a link's
		what   string
		pos    Pos
	}
	var uses []use
	for i := range v.d.Routers {
		for _, n := range v.d.Routers[i].Networks {
			if n.Prefix.IsValid() {
				uses = append(uses, use{n.Prefix.Masked(), i, fmt.Sprintf("network %v of router %q", n.Prefix, v.router(i)), n.Pos})
			}
		}
	}
	for i := range v.d.Links {
		l := &v.d.Links[i]
		e := &l.Ends[0]
		for _, in := range [...]netip.Prefix{e.Inside, e.Also} {
			if in.IsValid() {
				uses = append(uses, use{in.Masked(), -1, fmt.Sprintf("the inside network %v of %q", in.Masked(), l.Name), cmp.Or(e.InsidePos, e.Pos)})
			}
		}
	}
	// In this order a network stands before all that lies inside it, so the
	// last ones that hold the current one are a stack.
	order := make([]int, len(uses))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(uses[a].prefix.Compare(uses[b].prefix), cmp.Compare(a, b))
	})
	var holders []int
	for _, i := range order {
		u := &uses[i]
		for len(holders) > 0 && !uses[holders[len(holders)-1]].prefix.Overlaps(u.prefix) {
			holders = holders[:len(holders)-1]
		}
		if len(holders) > 0 {
			first, second := &uses[holders[len(holders)-1]], u
			if first.pos.after(second.pos) {
				first, second = second, first
			}
			switch {
			case first.router != second.router || first.router < 0:
				hint := ""
				if first.router >= 0 && second.router >= 0 {
					hint = "a network is at one router: put what stands behind two of them on a third, with a link to each"
				}
				v.problem(second.pos, hint, "%s overlaps %s", second.what, first.what)
			case first.prefix == second.prefix:
				v.problem(second.pos, "", "%s is listed twice", second.what)
			}
		}
		holders = append(holders, i)
	}
	v.outsides()
}

// after tells whether p stands behind q in a file.
func (p Pos) after(q Pos) bool {
	return cmp.Or(cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col)) > 0
}

// outsides: one gateway may have tunnels to several, but an address has one
// owner, and two tunnels between the same pair could not be told apart.
func (v *validator) outsides() {
	type pair struct{ a, b netip.Addr }
	owner := map[netip.Addr]int{}
	between := map[pair]string{}
	for i := range v.d.Links {
		l := &v.d.Links[i]
		a, b := &l.Ends[0], &l.Ends[1]
		for e := range l.Ends {
			end := &l.Ends[e]
			if !end.Outside.IsValid() || !v.hasRouter(end.Router) {
				continue
			}
			if r, known := owner[end.Outside]; known && r != end.Router {
				v.problem(cmp.Or(end.OutsidePos, end.Pos), "", "the outside address %v is that of %s already", end.Outside, v.router(r))
			} else if !known {
				owner[end.Outside] = end.Router
			}
		}
		if !a.Outside.IsValid() || !b.Outside.IsValid() {
			continue
		}
		if FamilyOf(a.Outside) != FamilyOf(b.Outside) {
			v.problem(cmp.Or(b.OutsidePos, b.Pos), "give both gateways an address of one family", "the outside addresses of %q are of two families: %v at %s, %v at %s", l.Name, a.Outside, v.router(a.Router), b.Outside, v.router(b.Router))
			continue
		}
		p := pair{a.Outside, b.Outside}
		if p.b.Less(p.a) {
			p.a, p.b = p.b, p.a
		}
		if other, taken := between[p]; taken {
			v.problem(cmp.Or(b.OutsidePos, b.Pos), "", "%q joins the same two outside addresses as %q", l.Name, other)
		} else {
			between[p] = l.Name
		}
	}
}

func (v *validator) probes() {
	for i := range v.d.Probes {
		p := &v.d.Probes[i]
		if !v.hasHost(p.From) || !v.hasHost(p.To) {
			v.missing(p.Pos, "a probe does not join two hosts")
			continue
		}
		if p.From == p.To {
			v.problem(p.Pos, "", "host %q probes itself", v.d.Hosts[p.From].Name)
		} else if src, _ := v.d.Ends(p); !src.IsValid() && v.d.Hosts[p.From].Addr.IsValid() && v.d.Hosts[p.To].Addr.IsValid() {
			from, to := &v.d.Hosts[p.From], &v.d.Hosts[p.To]
			v.problem(p.Pos, "give both hosts an address of one family: ip: [10.1.0.2, 2001:db8:1::2]", "%q and %q have no addresses of %v in common: %v, %v", from.Name, to.Name, p.Family, from.Addrs(), to.Addrs())
		}
		if p.Size < 0 || p.Size > maxSize {
			v.problem(p.Pos, "", "size: %d is not between 0 and %d octets", p.Size, maxSize)
		}
		v.probeTimes(p)
		if v.absent {
			continue // what is not there cannot be reached
		}
		from, to := v.d.Hosts[p.From].Router, v.d.Hosts[p.To].Router
		if from != to && v.graph.Path(from, to, -1, -1) == nil {
			v.problem(p.Pos, "join them by links or tunnels with `bgp`", "no path leads from %s to %s", v.router(from), v.router(to))
		}
	}
}

func (v *validator) probeTimes(p *Probe) {
	length := p.For
	if length == 0 {
		length = v.d.For - p.Start
	}
	switch {
	case p.Every < minEvery:
		v.problem(p.Pos, "", "every: %v is less than %v", FormatDuration(p.Every), FormatDuration(minEvery))
	case p.Start < 0 || p.For < 0:
		v.problem(p.Pos, "", "a probe cannot start or last less than nothing")
	case p.Start >= v.d.For:
		v.problem(p.Pos, "", "the probe starts at %v, when the run of %v is over", FormatDuration(p.Start), FormatDuration(v.d.For))
	case length/p.Every > MaxEchoes:
		v.problem(p.Pos, "", "the probe would send %d echoes, more than %d", length/p.Every, MaxEchoes)
	}
}

func (v *validator) story() {
	for i := range v.d.Story {
		f := &v.d.Story[i]
		v.faultWhere(f)
		pos := cmp.Or(f.AtOrigin.Pos, f.Pos)
		switch {
		case f.At.Min() < 0:
			v.problem(pos, "", "%v is before the run begins", f.At)
		case f.Until != 0:
			if f.Until < 1 || f.Until > len(v.d.Story) || f.Until == i+1 {
				v.missing(pos, "a reversal reverses nothing")
			}
		case f.At.Min() >= v.d.For && v.d.For > 0:
			v.problem(pos, fmt.Sprintf("the run ends at %v: change `for` or `at`", FormatDuration(v.d.For)), "%v never comes", f.At)
		}
		if f.Kind == PacketLoss && !(f.P > 0 && f.P <= 1) {
			v.problem(f.Pos, "a probability above 0 and up to 1, such as 0.3", "loss with p %v", f.P)
		}
	}
}

// faultWhere checks that a fault has what its kind is about.
func (v *validator) faultWhere(f *Fault) {
	needLink, needRouter := false, false
	switch f.Kind {
	case TunnelDelete, TunnelCreate, SessionShut, SessionStart, SessionRefresh:
		needLink, needRouter = true, true
	case BlackHole, PacketLoss, LinkDown, LinkUp, Heal:
		needLink = true
	case RouterKill, RouterRestart, RouterFreeze, RouterThaw, RouterStart, PropagationOff, PropagationOn:
		needRouter = true
	case PrefixWithdraw, PrefixAnnounce:
		needRouter = true
		if !f.Prefix.IsValid() {
			v.missing(f.Pos, "no prefix to withdraw or announce")
		}
	default:
		v.missing(f.Pos, "a fault of no known kind")
		return
	}
	if needLink && !v.hasLink(f.Link) || needRouter && !v.hasRouter(f.Router) {
		v.missing(f.Pos, "the story is about a link or router that is not there")
		return
	}
	if needLink && needRouter {
		l := &v.d.Links[f.Link]
		if l.Ends[0].Router != f.Router && l.Ends[1].Router != f.Router {
			v.problem(f.Pos, "", "%q has no end at %s", l.Name, v.router(f.Router))
			return
		}
	}
	if !needLink {
		return
	}
	l := &v.d.Links[f.Link]
	switch f.Kind {
	case TunnelDelete, TunnelCreate:
		if l.Kind != Tunnel {
			v.problem(f.Pos, "`down` takes a link away, `shut` its session", "%q is a plain link, only tunnels are deleted and created", l.Name)
		}
	case SessionShut, SessionStart, SessionRefresh:
		if !l.Ends[0].BGP {
			v.problem(f.Pos, "", "there is no BGP session over %q", l.Name)
		}
	}
	if f.Direction > FromB {
		v.missing(f.Pos, "a fault in no known direction")
	}
}
