package scenarios

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/profile"
	"github.com/vpnsim/vpnsim/topology"
	"go.yaml.in/yaml/v4"
)

// Version is what a scenario begins with.
const Version = "v1"

// What holds when a scenario says nothing.
const (
	DefaultWarmup = 60 * time.Second
	DefaultFor    = 300 * time.Second
	DefaultEvery  = time.Second // ping's
	DefaultSize   = 56          // ping's
)

// topKeys are the keys of a scenario, in the order in which they are written.
var topKeys = []string{"vpnsim", "name", "params", "generate", "warmup", "for", "routers", "hosts", "links", "tunnels", "probe", "probes", "watch", "story", "expect", "assume"}

// ExprChecker says what is wrong with an expectation, given the names that it
// may use; pair is to be asked about each pair of addresses that it names. An
// error with a method Column() int points into the expression.
// It is handed to Load because the package that knows expectations stands
// above this one.
type ExprChecker func(expr string, routers, links, prefixes []string, pair func(from, to string) error) error

// Option of Load.
type Option func(*loader)

// CheckExpr makes Load check every expectation with check.
func CheckExpr(check ExprChecker) Option {
	return func(l *loader) { l.checkExpr = check }
}

// Files makes Load read the files that a scenario names with read. Without it,
// only those that ship with the program are found.
func Files(read func(name string) ([]byte, error)) Option {
	return func(l *loader) { l.readFile = read }
}

// Load reads a scenario from data. file is its name for messages; sets are
// "path=value", as the user gave them. Either a Design comes back, or at
// least one Error among the Diagnostics.
func Load(file string, data []byte, sets []string, opts ...Option) (*topology.Design, []Diagnostic) {
	l := &loader{
		file:     file,
		set:      map[*yaml.Node]string{},
		wiped:    map[*yaml.Node]bool{},
		replaced: map[*yaml.Node]replaced{},
		d:        &topology.Design{File: file, SHA256: fmt.Sprintf("%x", sha256.Sum256(data))},
	}
	l.readFile = BuiltinFile
	for _, o := range opts {
		o(l)
	}
	if root := l.parse(data); root != nil {
		// What the command line says about a stage comes before that stage.
		sets = l.parameters(root, sets)
		first, others := aboutGenerate(sets)
		l.apply(root, first)
		if l.generate(root) {
			l.apply(root, others)
			l.scenario(root)
			l.validate()
			l.expectations()
		}
	}
	if Failed(l.diags) {
		return nil, arrange(l.diags)
	}
	return l.d, arrange(l.diags)
}

type loader struct {
	platform  string // profile of the router being read
	file      string
	checkExpr ExprChecker
	readFile  func(name string) ([]byte, error)
	d         *topology.Design
	diags     []Diagnostic
	set       map[*yaml.Node]string // the nodes that --set made, and its path
	wiped     map[*yaml.Node]bool   // keys whose value was a secret

	params     map[string]*param
	paramNames []string
	replaced   map[*yaml.Node]replaced // the nodes that parameters are part of
	grown      int                     // characters that parameters have added

	routers, hosts, links             map[string]int
	routerNames, hostNames, linkNames []string
	exprs                             []*yaml.Node
}

// scenario reads the whole tree. Names come before what refers to them,
// whatever the order in the file.
func (l *loader) scenario(root *yaml.Node) {
	o := l.object(root, "a scenario")
	l.version(o)
	d := l.d
	d.Name, _ = l.text(o.get("name"), "name")
	d.Name = cmp.Or(d.Name, l.file)
	o.get("params") // they have been put where they are used
	o.get("generate")

	d.Warmup = DefaultWarmup
	if n := o.get("warmup"); n != nil {
		d.Warmup, _ = l.duration(n, "warmup", 0, topology.MaxRun)
	}
	d.For, d.ForPos = DefaultFor, topology.Pos{File: l.file}
	if n := o.get("for"); n != nil {
		d.ForPos = l.pos(n)
		if v, ok := l.duration(n, "for", time.Nanosecond, topology.MaxRun); ok {
			d.For = v
		}
	}

	if d.Internet != nil {
		l.withoutPackets(o)
	} else {
		l.network(o)
	}
	l.story(o.get("story"))
	if d.Internet == nil {
		l.list(o.get("watch"), "watch", l.watch)
	}
	l.list(o.get("expect"), "expect", func(n *yaml.Node) {
		if text, ok := l.text(n, "an expectation"); ok {
			l.d.Expect = append(l.d.Expect, topology.Expect{Expr: text, Pos: l.pos(n)})
			l.exprs = append(l.exprs, n)
		}
	})
	l.assume(o.get("assume"), root)
	o.close()
}

// network reads routers, what joins them, and what is sent between their hosts.
func (l *loader) network(o *object) {
	routers, hosts, links, tunnels := o.need("routers", "write routers: {a: {profile: frr, asn: 65001}, …}"), o.get("hosts"), o.get("links"), o.get("tunnels")
	l.routersOf(routers)
	l.hostsOf(hosts)
	l.linksOf(links, topology.Plain)
	l.linksOf(tunnels, topology.Tunnel)
	l.routersAgain(routers)

	probe, probes := o.get("probe"), o.get("probes")
	if probe != nil && probes != nil {
		l.error(o.keyNode("probe"), "put all of them under probes", "a scenario has either probe or probes")
	}
	l.list(probe, "probe", l.probe)
	l.list(probes, "probes", l.probe)
}

func (l *loader) version(o *object) {
	const help = "begin with `vpnsim: v1`"
	n := o.get("vpnsim")
	switch {
	case n == nil:
		l.error(o.at, help, "this is no scenario: it does not say which version of the format it has")
		return
	case o.keys[0].Value != "vpnsim":
		l.error(o.keyNode("vpnsim"), "put it into the first line", "vpnsim: %s does not come first", Version)
	}
	if v, ok := l.text(n, "vpnsim"); ok && v != Version {
		l.error(n, help, "version %q of the format is not known, only %s", v, Version)
	}
}

// routersOf reads the routers, all but what refers to links.
func (l *loader) routersOf(n *yaml.Node) {
	l.routers = map[string]int{}
	l.names(n, "routers", func(key, value *yaml.Node) {
		if slices.Contains(linkKeys, key.Value) {
			l.error(key, "name it otherwise", "a router cannot be called %q: links and tunnels use the word", key.Value)
			return
		}
		l.routers[key.Value] = len(l.d.Routers)
		l.routerNames = append(l.routerNames, key.Value)
		l.d.Routers = append(l.d.Routers, l.router(key, value))
	})
	if n != nil && n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		l.error(n, "", "a scenario needs routers")
	}
}

func (l *loader) router(key, value *yaml.Node) topology.Router {
	r := topology.Router{Name: key.Value, Pos: l.pos(key)}
	_, r.Settings = l.profile(nil)
	o := l.object(value, fmt.Sprintf("router %q", key.Value))
	if o == nil {
		return r
	}
	o.at = key
	r.Profile, r.Settings = l.profile(o.need("profile", "known: "+strings.Join(profile.Names(), ", ")))
	l.platform = r.Profile
	defer func() { l.platform = "" }()
	if n := o.need("asn", "private numbers are 64512-65534"); n != nil {
		r.ASNPos = l.pos(n)
		asn, _ := l.integer(n, "asn", 1, 1<<32-1) // RFC 7607: AS 0 is nobody's
		r.ASN = uint32(asn)
	}
	if n := o.get("id"); n != nil {
		r.IDPos = l.pos(n)
		r.ID, _ = l.addr(n, "id")
	}
	r.Networks = l.networks(o.get("networks"), "networks")
	o.get("static") // when the links are known
	o.get("egress")
	l.settings(o, &r.Settings, groups)
	o.close()
	return r
}

// networks reads what is announced: 10.1.0.0/16, or {prefix: 20.0.0.0/8, count:
// 100000, length: 24} for many.
func (l *loader) networks(n *yaml.Node, what string) (list []topology.Network) {
	l.list(n, what, func(n *yaml.Node) {
		x := topology.Network{Pos: l.pos(n)}
		ok := false
		if n.Kind != yaml.MappingNode {
			x.Prefix, ok = l.prefix(n, what, false)
		} else if o := l.object(n, "a block of networks"); o != nil {
			const help = "write {prefix: 20.0.0.0/8, count: 1000, length: 24}"
			x.Prefix, ok = l.prefix(o.need("prefix", help), "prefix", false)
			count, okCount := l.integer(o.need("count", help), "count", 1, topology.MaxBlock)
			length, okLength := l.integer(o.need("length", help), "length", 0, 128)
			x.Count, x.Length = int(count), int(length)
			ok = ok && okCount && okLength
			o.close()
		}
		if ok {
			list = append(list, x)
		}
	})
	return list
}

// profile finds a profile and its settings. Where there is none, an RFC's
// stands in, so that nobody is told about ranges that he did not violate.
func (l *loader) profile(n *yaml.Node) (string, topology.Settings) {
	name, ok := l.text(n, "profile")
	p, known := profile.Get(name)
	if !known {
		if ok {
			l.error(n, didYouMean(name, profile.Names()), "there is no profile %q", name)
		}
		if p, known = profile.Get("rfc4271"); !known {
			return name, topology.Settings{}
		}
	}
	return name, p.Settings()
}

// routersAgain reads what had to wait for the links: the pinned order of
// egress, and the identifier that a router gets when it is given none.
func (l *loader) routersAgain(n *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := range l.d.Routers {
		r := &l.d.Routers[i]
		if e := find(n, r.Name); e != nil {
			if s := find(e, "static"); s != nil {
				l.list(s, "static", func(n *yaml.Node) { l.static(r, i, n) })
			}
			if e = find(e, "egress"); e != nil {
				l.egress(r, i, e)
			}
		}
		if r.IDPos == (topology.Pos{}) {
			r.ID = l.lowestInside(i)
		}
	}
}

// static reads one static route: a prefix, and the link that it points at.
func (l *loader) static(r *topology.Router, index int, n *yaml.Node) {
	s := topology.Static{Link: -1, Pos: l.pos(n)}
	o := l.object(n, "a static route")
	if o == nil {
		return
	}
	const form = "write {prefix: 10.1.0.0/16, via: tun1}"
	prefix, ok := o.need("prefix", form), false
	if prefix != nil {
		s.Prefix, ok = l.prefix(prefix, "prefix", false)
	}
	if via := o.need("via", form); via != nil {
		s.Link = l.oneOf(via, "link or tunnel", l.links, l.linkNames)
		if s.Link >= 0 && l.endAt(s.Link, index) < 0 {
			l.error(via, "", "%q has no end at %s", l.linkNames[s.Link], r.Name)
			ok = false
		}
	}
	o.close()
	switch {
	case !ok || s.Link < 0:
	case slices.ContainsFunc(r.Statics, func(t topology.Static) bool { return t.Prefix == s.Prefix && t.Link == s.Link }):
		l.error(n, "", "%s has this static route already", r.Name)
	default:
		r.Statics = append(r.Statics, s)
	}
}

// egress reads a link or a list of links; those that it does not name come
// after those that it does, in the order of the file.
func (l *loader) egress(r *topology.Router, index int, n *yaml.Node) {
	r.EgressPos = l.pos(n)
	l.list(n, "egress", func(n *yaml.Node) {
		i := l.oneOf(n, "link or tunnel", l.links, l.linkNames)
		switch {
		case i < 0:
		case l.endAt(i, index) < 0:
			l.error(n, "", "%q has no end at %s", l.linkNames[i], r.Name)
		case slices.Contains(r.Egress, i):
			l.error(n, "", "egress names %q twice", l.linkNames[i])
		default:
			r.Egress = append(r.Egress, i)
		}
	})
	if len(r.Egress) == 0 {
		return
	}
	for i := range l.d.Links {
		if l.endAt(i, index) >= 0 && !slices.Contains(r.Egress, i) {
			r.Egress = append(r.Egress, i)
		}
	}
}

// endAt returns which end of a link is at a router, or -1.
func (l *loader) endAt(link, router int) int {
	return slices.IndexFunc(l.d.Links[link].Ends[:], func(e topology.End) bool { return e.Router == router })
}

// lowestInside is the identifier of a router that is given none: real ones
// take an interface's address too. A router without links takes the first
// address of its first network, so that it has one at all.
func (l *loader) lowestInside(router int) netip.Addr {
	var lowest netip.Addr
	for i := range l.d.Links {
		if e := l.endAt(i, router); e >= 0 {
			// An identifier has four octets, whichever family is spoken. RFC 6286 §2.1
			if a := l.d.Links[i].Ends[e].In(topology.IPv4); a.IsValid() && (!lowest.IsValid() || a.Less(lowest)) {
				lowest = a
			}
		}
	}
	for _, n := range l.d.Routers[router].Networks {
		if !lowest.IsValid() && n.Prefix.Addr().Is4() {
			lowest = n.Prefix.Addr().Next()
		}
	}
	return lowest
}

func (l *loader) hostsOf(n *yaml.Node) {
	l.hosts = map[string]int{}
	l.names(n, "hosts", func(key, value *yaml.Node) {
		h := topology.Host{Name: key.Value, Router: -1, Pos: l.pos(key)}
		o := l.object(value, fmt.Sprintf("host %q", key.Value))
		if o != nil {
			o.at = key
			if on := o.need("on", "write on: and the name of a router"); on != nil {
				h.Router = l.oneOf(on, "router", l.routers, l.routerNames)
			}
			if ip := o.need("ip", "write it like 10.1.0.2"); ip != nil {
				h.AddrPos = l.pos(ip)
				h.Addr, h.Also = l.addrs(ip)
			}
			if g := l.object(o.get("security_group"), "security_group"); g != nil {
				if icmp := g.get("icmp"); icmp != nil {
					if admitted, ok := l.boolean(icmp, "icmp"); ok {
						h.DropICMP, h.DropPos = !admitted, l.pos(icmp)
					}
				}
				g.close()
			}
			o.close()
		}
		l.hosts[key.Value] = len(l.d.Hosts)
		l.hostNames = append(l.hostNames, key.Value)
		l.d.Hosts = append(l.d.Hosts, h)
	})
}

// addrs reads the address of a host, or one of each family.
func (l *loader) addrs(n *yaml.Node) (first, also netip.Addr) {
	l.list(n, "ip", func(n *yaml.Node) {
		a, ok := l.addr(n, "ip")
		switch {
		case !ok:
		case !first.IsValid():
			first = a
		case also.IsValid() || topology.FamilyOf(a) == topology.FamilyOf(first):
			l.error(n, "make it another host", "ip: a host has one address, or one of each family")
		default:
			also = a
		}
	})
	return first, also
}

// watch reads a pair of addresses whose forwarding is followed.
func (l *loader) watch(n *yaml.Node) {
	text, ok := l.text(n, "a pair to watch")
	if !ok {
		return
	}
	w, err := l.d.ParseWatch(text)
	if err != nil {
		l.error(n, "name two hosts, addresses or routers: watch: [vm -> ec2, 10.1.0.9 -> 10.2.0.7]", "%v", err)
		return
	}
	w.Pos = l.pos(n)
	l.d.Watch = append(l.d.Watch, w)
}

// probe reads "vm -> ec2", or the same with more about it.
func (l *loader) probe(n *yaml.Node) {
	p := topology.Probe{From: -1, To: -1, Every: DefaultEvery, Size: DefaultSize, Pos: l.pos(n)}
	if n.Kind != yaml.MappingNode {
		p.Name = l.ping(n, &p)
		l.d.Probes = append(l.d.Probes, p)
		return
	}
	o := l.object(n, "a probe")
	if ping := o.need("ping", "write ping: vm -> ec2"); ping != nil {
		p.Name = l.ping(ping, &p)
	}
	if name := o.get("name"); name != nil {
		p.Name, _ = l.text(name, "name")
	}
	if every := o.get("every"); every != nil {
		if v, ok := l.duration(every, "every", time.Millisecond, time.Hour); ok {
			p.Every = v
		}
	}
	p.Start, _ = l.duration(o.get("start"), "start", 0, topology.MaxRun)
	p.For, _ = l.duration(o.get("for"), "for", time.Nanosecond, topology.MaxRun)
	if family := o.get("family"); family != nil {
		switch text, _ := l.text(family, "family"); text {
		case "ipv4":
			p.Family = topology.IPv4
		case "ipv6":
			p.Family = topology.IPv6
		default:
			l.error(family, "write family: ipv4 or family: ipv6", "family: %q is no family of addresses", text)
		}
	}
	if size := o.get("size"); size != nil {
		v, _ := l.integer(size, "size", 0, 65507)
		p.Size = int(v)
	}
	o.close()
	l.d.Probes = append(l.d.Probes, p)
}

func (l *loader) ping(n *yaml.Node, p *topology.Probe) string {
	text, ok := l.text(n, "ping")
	if !ok {
		return ""
	}
	from, to, ok := strings.Cut(text, "->")
	if !ok {
		l.error(n, "write ping: vm -> ec2", "%q does not say from where to where", text)
		return text
	}
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	for _, end := range []struct {
		name string
		host *int
	}{{from, &p.From}, {to, &p.To}} {
		i, known := l.hosts[end.name]
		if !known {
			l.error(n, didYouMean(end.name, l.hostNames), "there is no host %q", end.name)
			i = -1
		}
		*end.host = i
	}
	return from + " -> " + to
}

// assume reads what the scenario says about its own assumptions.
func (l *loader) assume(n, root *yaml.Node) {
	o := l.object(n, "assume")
	if o == nil {
		return
	}
	story := find(root, "story")
	_, otherStory := l.set[story]
	for _, key := range o.keys {
		text, ok := l.text(o.get(key.Value), fmt.Sprintf("the reason of %q", key.Value))
		if !ok || otherStory && strings.HasPrefix(key.Value, "story[") {
			continue // it was said of the story in the file, which --set has replaced
		}
		if problem, help := namesNothing(key.Value, root); problem != "" {
			l.error(key, help, "%s", problem)
		}
		l.d.Notes = append(l.d.Notes, topology.Note{Path: key.Value, Text: text, Pos: l.pos(key)})
	}
}

// namesNothing checks that a path is about something in the scenario: what
// the file says, or a setting that a router has without saying so.
func namesNothing(path string, root *yaml.Node) (problem, help string) {
	steps, err := splitPath(path)
	if err != nil {
		return err.Error(), "write routers.gcp.networks or story[0].notify"
	}
	at := root
	for i, s := range steps {
		next := child(at, s)
		if next == nil {
			_, isSetting := topology.KeyByPath(settingPath(steps))
			if i >= 2 && (isSetting || steps[0].key == "story") {
				return "", "" // a default
			}
			if at.Kind == yaml.SequenceNode {
				return fmt.Sprintf("%q is nothing in this scenario", path), lastOf(join(steps[:i]), at)
			}
			return fmt.Sprintf("%q is nothing in this scenario", path), didYouMean(s.key, keysOf(at))
		}
		at = next
	}
	return "", ""
}

// validate adds what is wrong with the design as a whole. Parts that are
// missing because they could not be read have been reported already.
func (l *loader) validate() {
	read := Failed(l.diags)
	reported := map[topology.Pos]bool{}
	for _, d := range l.diags {
		reported[d.Pos] = true
	}
	for _, p := range topology.Validate(l.d) {
		if read && (p.Absent || reported[p.Pos]) {
			continue
		}
		l.report(p.Pos, p.Help, "%s", p.Message)
	}
}

// expectations has every expectation checked, now that all names are known.
func (l *loader) expectations() {
	if l.checkExpr == nil {
		return
	}
	if len(l.d.Expect) == 0 {
		return
	}
	var prefixes []string
	routers := l.routerNames
	if x := l.d.Internet; x != nil {
		for i := range x.Graph.ASNs {
			routers = append(routers, x.Graph.NodeName(i))
		}
		for _, n := range x.Prefixes {
			for i := range n.Len() {
				prefixes = append(prefixes, n.At(i).String())
			}
		}
	}
	for _, r := range l.d.Routers {
		for _, n := range r.Networks {
			for i := range n.Len() {
				prefixes = append(prefixes, n.At(i).String())
			}
		}
	}
	for _, f := range l.d.Story {
		if f.Prefix.IsValid() {
			prefixes = append(prefixes, f.Prefix.String())
		}
	}
	for i, e := range l.d.Expect {
		err := l.checkExpr(e.Expr, routers, l.linkNames, prefixes, func(from, to string) error { return l.pair(from, to, e.Pos) })
		if err == nil {
			continue
		}
		pos := e.Pos
		if in, ok := err.(interface{ Column() int }); ok && in.Column() > 0 {
			pos.Col += l.columnIn(l.exprs[i], in.Column())
		}
		l.report(pos, "", "%v%s", err, l.written(l.exprs[i]))
	}
}

// pair has the pair that an expectation asks about watched, if it can be.
func (l *loader) pair(from, to string, pos topology.Pos) error {
	if l.d.Internet != nil {
		return fmt.Errorf("nothing is forwarded here: %s", controlPlane(l.d.Internet.Graph))
	}
	w, err := l.d.PairOf(from, to)
	if err == nil {
		w.Pos = pos
		l.d.Watch = append(l.d.Watch, w)
	}
	return err
}

// columnIn turns a column of a node's text into one of the file, where that
// is possible: in text of one line without escapes.
func (l *loader) columnIn(n *yaml.Node, column int) int {
	switch {
	case n.Line == 0, len(l.replaced[n].params) > 0, n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0, strings.ContainsAny(n.Value, "\n\\'"):
		return 0
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		return column
	}
	return column - 1
}
