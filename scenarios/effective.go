package scenarios

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
)

// Row is one effective value of a scenario and where it comes from.
type Row struct {
	Path   string // routers.aws.bgp.hold
	Value  string
	Origin string // file:line | profile NAME, documented: URL | assumed: note | --set
}

// Effective lists what a run will use: every setting of every router, what
// its ends of links have otherwise, and the links, hosts, probes and faults.
func Effective(d *topology.Design) []Row {
	t := table{d: d, watched: d.WithBFD()}
	t.all()
	for _, n := range d.Notes {
		t.add("assume."+n.Path, n.Text, place(n.Pos))
	}
	return t.rows
}

// all but what is only said.
func (t *table) all() {
	d := t.d
	for i := range d.Params {
		p := &d.Params[i]
		t.add("params."+p.Name, p.Value, p.Origin.String())
	}
	t.add("warmup", topology.FormatDuration(d.Warmup), "")
	t.add("for", topology.FormatDuration(d.For), place(d.ForPos))
	if d.Internet != nil {
		t.internet()
	}
	for i := range d.Routers {
		t.router(i)
	}
	for i := range d.Hosts {
		h := &d.Hosts[i]
		path := "hosts." + h.Name
		t.add(path+".on", d.Routers[h.Router].Name, place(h.Pos))
		ip := h.Addr.String()
		if h.Also.IsValid() {
			ip += ", " + h.Also.String()
		}
		t.add(path+".ip", ip, place(h.AddrPos))
		t.add(path+".security_group.icmp", strconv.FormatBool(!h.DropICMP), place(h.DropPos))
	}
	for i := range d.Links {
		t.link(&d.Links[i])
	}
	for i := range d.Probes {
		p := &d.Probes[i]
		path := fmt.Sprintf("probes[%d]", i)
		length := "until the run ends"
		if p.For > 0 {
			length = topology.FormatDuration(p.For)
		}
		t.add(path+".ping", d.Hosts[p.From].Name+" -> "+d.Hosts[p.To].Name, place(p.Pos))
		t.add(path+".every", topology.FormatDuration(p.Every), place(p.Pos))
		t.add(path+".start", topology.FormatDuration(p.Start), place(p.Pos))
		t.add(path+".for", length, place(p.Pos))
		t.add(path+".size", strconv.Itoa(p.Size), place(p.Pos))
		if p.Family != topology.AnyFamily {
			t.add(path+".family", strings.ToLower(p.Family.String()), place(p.Pos))
		}
	}
	for i := range d.Story {
		t.fault(&d.Story[i])
	}
}

type table struct {
	d       *topology.Design
	rows    []Row
	watched []bool // by router: it has BFD somewhere
	bare    bool   // without settings
}

func (t *table) add(path, value, origin string) {
	if origin == "" {
		origin = "default"
	}
	t.rows = append(t.rows, Row{path, value, origin})
}

// place is "file:line:col" of something that the scenario says.
func place(p topology.Pos) string {
	switch {
	case fromSet(p) == 1:
		return "--set"
	case p.Line == 0:
		return ""
	}
	return p.String()
}

func (t *table) router(index int) {
	r := &t.d.Routers[index]
	path := "routers." + r.Name
	t.add(path+".profile", r.Profile, place(r.Pos))
	t.add(path+".asn", strconv.FormatUint(uint64(r.ASN), 10), place(r.ASNPos))
	id := place(r.IDPos)
	if id == "" {
		id = "default: the lowest inside address"
	}
	t.add(path+".id", r.ID.String(), id)
	for i, n := range r.Networks {
		t.add(fmt.Sprintf("%s.networks[%d]", path, i), n.String(), place(n.Pos))
	}
	for i, s := range r.Statics {
		t.add(fmt.Sprintf("%s.static[%d]", path, i), s.Prefix.String()+" via "+t.d.Links[s.Link].Name, place(s.Pos))
	}
	switch {
	case len(r.Egress) == 0 && choosesEgress(r):
		t.add(path+".egress", "drawn from the seed", "")
	case len(r.Egress) > 0:
		var names []string
		for _, l := range r.Egress {
			names = append(names, t.d.Links[l].Name)
		}
		t.add(path+".egress", strings.Join(names, ", "), place(r.EgressPos))
	}
	t.settings(path, index, &r.Settings, nil)
}

// settings lists all of s that can matter, or what it has otherwise than base.
func (t *table) settings(path string, router int, s, base *topology.Settings) {
	for k := topology.Key(0); k < topology.NumKeys && !t.bare; k++ {
		if base == nil && (t.watched[router] || !k.BFDDetail()) || base != nil && s[k].Origin.Pos != base[k].Origin.Pos {
			t.add(path+"."+k.String(), s[k].Format(k), s[k].Origin.String())
		}
	}
}

func (t *table) link(l *topology.Link) {
	path := linkPath(l)
	delay := l.Delay.Origin.String()
	if l.Delay.Origin.Note != "" {
		delay += ", " + l.Delay.Origin.Note
	}
	t.add(path+".delay", l.Delay.Dist.String(), delay)
	loss := strconv.FormatFloat(l.Loss.P, 'g', -1, 64)
	if l.Loss.ToBad > 0 {
		loss = fmt.Sprintf("p %g, bad %g, to_bad %g, to_good %g", l.Loss.P, l.Loss.Bad, l.Loss.ToBad, l.Loss.ToGood)
	}
	t.add(path+".loss", loss, place(l.Loss.Pos))
	t.add(path+".bgp", strconv.FormatBool(l.Ends[0].BGP), place(l.Pos))
	for e := range l.Ends {
		end := &l.Ends[e]
		r := &t.d.Routers[end.Router]
		path := path + "." + r.Name
		if end.Outside.IsValid() {
			t.add(path+".outside", end.Outside.String(), place(end.OutsidePos))
		}
		if end.Inside.IsValid() {
			inside := end.Inside.String()
			if end.Also.IsValid() {
				inside += ", " + end.Also.String()
			}
			t.add(path+".inside", inside, place(end.InsidePos))
		}
		t.settings(path, end.Router, &end.Settings, &r.Settings)
		for i, term := range end.Import {
			t.add(fmt.Sprintf("%s.import[%d]", path, i), formatTerm(&term), place(term.Pos))
		}
		for i, term := range end.Export {
			t.add(fmt.Sprintf("%s.export[%d]", path, i), formatTerm(&term), place(term.Pos))
		}
	}
}

// formatTerm writes a policy term as "if …: then …".
func formatTerm(t *topology.Term) string {
	var match, do []string
	for _, p := range t.Prefixes {
		s := p.String()
		if t.OrLonger {
			s += " or longer"
		}
		match = append(match, s)
	}
	if len(match) > 1 {
		match = []string{"one of " + strings.Join(match, ", ")}
	}
	if t.Community != "" {
		match = append(match, "community "+t.Community)
	}
	if t.PathHas != 0 {
		match = append(match, fmt.Sprintf("AS %d in the path", t.PathHas))
	}
	if t.Reject {
		do = append(do, "reject")
	}
	if t.LocalPref != nil {
		do = append(do, fmt.Sprintf("local_pref %d", *t.LocalPref))
	}
	if t.MED != nil {
		do = append(do, fmt.Sprintf("med %d", *t.MED))
	}
	if t.Prepend > 0 {
		do = append(do, fmt.Sprintf("prepend %d", t.Prepend))
	}
	for _, c := range t.AddCommunities {
		do = append(do, "add community "+c)
	}
	if len(match) == 0 {
		match = []string{"any"}
	}
	if len(do) == 0 {
		do = []string{"accept"}
	}
	return strings.Join(match, " and ") + ": " + strings.Join(do, ", ")
}

func (t *table) fault(f *topology.Fault) {
	path := fmt.Sprintf("story[%d]", f.Index)
	if f.Until > 0 {
		t.add(path+".for", f.At.String(), f.AtOrigin.String())
		return
	}
	t.add(path+".at", f.At.String(), f.AtOrigin.String())
	t.add(path+"."+wordOf(f.Kind), t.subject(f), place(f.Pos))
	switch f.Kind {
	case topology.TunnelDelete:
		t.add(path+".notify", strconv.FormatBool(f.Notify), f.NotifyOrigin.String())
	case topology.PacketLoss:
		t.add(path+".p", strconv.FormatFloat(f.P, 'g', -1, 64), place(f.Pos))
	}
	switch f.Kind {
	case topology.BlackHole, topology.PacketLoss:
		direction := "both"
		if f.Direction != topology.BothWays {
			end := t.d.Links[f.Link].Ends[f.Direction-topology.FromA]
			direction = "from " + t.d.Routers[end.Router].Name
		}
		t.add(path+".direction", direction, place(f.Pos))
	}
}

// wordOf is the verb of a kind of fault.
func wordOf(kind topology.FaultKind) string {
	for _, v := range verbs {
		if v.kind == kind {
			return v.word
		}
	}
	switch kind {
	case topology.PropagationOn:
		return "propagate"
	case topology.RouterStart:
		return "start"
	}
	return "fault"
}

// subject is what a fault happens to, and who does it.
func (t *table) subject(f *topology.Fault) string {
	by := ""
	if f.Router >= 0 {
		by = t.d.RouterName(f.Router)
	}
	switch f.Kind {
	case topology.PropagationOff:
		return by + ", off"
	case topology.PropagationOn:
		return by + ", on"
	case topology.PrefixWithdraw, topology.PrefixAnnounce:
		return f.Prefix.String() + ", by " + by
	}
	switch {
	case f.Link >= 0 && by != "":
		return t.d.LinkName(f.Link) + ", by " + by
	case f.Link >= 0:
		return t.d.LinkName(f.Link)
	}
	return by
}
