package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
	"go.yaml.in/yaml/v4"
)

// linkKeys are the keys of a link that are not the routers at its ends.
var linkKeys = []string{"rtt", "delay", "loss", "bgp"}

// linksOf reads the links, or the tunnels.
func (l *loader) linksOf(n *yaml.Node, kind topology.LinkKind) {
	if l.links == nil {
		l.links = map[string]int{}
	}
	what, section := "link", "links"
	if kind == topology.Tunnel {
		what, section = "tunnel", "tunnels"
	}
	l.names(n, section, func(key, value *yaml.Node) {
		if _, taken := l.links[key.Value]; taken {
			l.error(key, "", "a link is called %q already", key.Value)
			return
		}
		if _, taken := l.routers[key.Value]; taken {
			l.error(key, "the story could not tell them apart", "a router is called %q already", key.Value)
			return
		}
		l.links[key.Value] = len(l.d.Links)
		l.linkNames = append(l.linkNames, key.Value)
		l.d.Links = append(l.d.Links, l.link(key, value, kind, fmt.Sprintf("%s %q", what, key.Value)))
	})
}

func (l *loader) link(key, value *yaml.Node, kind topology.LinkKind, what string) topology.Link {
	link := topology.Link{Name: key.Value, Kind: kind, Pos: l.pos(key)}
	for e := range link.Ends {
		link.Ends[e] = topology.End{Router: -1, BGP: true, Pos: l.pos(key)}
	}
	o := l.object(value, what)
	if o == nil {
		return link
	}
	o.at = key
	l.delay(o, &link)
	l.loss(o.get("loss"), &link)
	bgp := true
	if n := o.get("bgp"); n != nil {
		bgp, _ = l.boolean(n, "bgp")
	}

	// Every other key is a router. The two ends stand in the order of the file.
	var ends []string
	for _, k := range o.keys {
		if slices.Contains(linkKeys, k.Value) {
			continue
		}
		router, known := l.routers[k.Value]
		n := o.get(k.Value)
		if !known {
			if !l.wiped[k] {
				l.error(k, didYouMean(k.Value, slices.Concat(l.routerNames, linkKeys)), "%s: there is no router or key %q", what, k.Value)
			}
			continue
		}
		if ends = append(ends, k.Value); len(ends) <= 2 {
			link.Ends[len(ends)-1] = l.end(k, n, router, kind, bgp, what)
		}
	}
	switch {
	case len(ends) > 2:
		l.error(key, "", "%s has more than two ends: %s", what, strings.Join(ends, ", "))
	case len(ends) < 2 && len(l.routerNames) >= 2:
		var missing []string
		for _, r := range l.routerNames {
			if !slices.Contains(ends, r) && len(missing) < 5 {
				missing = append(missing, r)
			}
		}
		l.error(key, "add "+strings.Join(missing, " or ")+": and its addresses", "%s has %d of its two ends", what, len(ends))
	case len(ends) < 2:
		l.error(key, "", "%s needs two routers", what)
	}
	o.close()
	return link
}

// delay reads `delay`, which is one way, or `rtt`, which is both: then each
// direction takes half, with half the spread.
func (l *loader) delay(o *object, link *topology.Link) {
	rtt, delay := o.get("rtt"), o.get("delay")
	switch {
	case rtt != nil && delay != nil:
		l.error(o.keyNode("delay"), "keep one of them", "%s has both rtt and delay", o.what)
	case delay != nil:
		link.Delay.Set, link.Delay.Origin = true, l.origin(delay)
		link.Delay.Dist, _ = l.dist(delay, "delay")
	case rtt != nil:
		link.Delay.Set, link.Delay.Origin = true, l.origin(rtt)
		link.Delay.Origin.Note = "half of the rtt"
		if d, ok := l.dist(rtt, "rtt"); ok {
			link.Delay.Dist = halve(d)
		}
	default:
		l.error(o.at, "write rtt: 7ms, or delay: 3.5ms for one way", "%s has no rtt", o.what)
	}
}

// halve goes through text, the one way to make a distribution whose table of
// quantiles is right.
func halve(d topology.Dist) topology.Dist {
	d.A /= 2
	d.B /= 2
	d.Values = slices.Clone(d.Values)
	for i := range d.Values {
		d.Values[i] /= 2
	}
	half, err := topology.ParseDist(d.String())
	if err != nil {
		return topology.Const(d.A)
	}
	return half
}

// loss reads a probability, or the four numbers of Gilbert and Elliott.
func (l *loader) loss(n *yaml.Node, link *topology.Link) {
	if n == nil {
		return
	}
	link.Loss.Pos = l.pos(n)
	if n.Kind == yaml.ScalarNode {
		link.Loss.P, _ = l.probability(n, "loss")
		return
	}
	o := l.object(n, "loss")
	for _, p := range []struct {
		key string
		to  *float64
	}{{"p", &link.Loss.P}, {"bad", &link.Loss.Bad}, {"to_bad", &link.Loss.ToBad}, {"to_good", &link.Loss.ToGood}} {
		*p.to, _ = l.probability(o.get(p.key), p.key)
	}
	o.close()
}

// inside reads the address inside, or one of each family.
func (l *loader) inside(n *yaml.Node, e *topology.End) {
	l.list(n, "inside", func(n *yaml.Node) {
		p, ok := l.prefix(n, "inside", true)
		switch {
		case !ok:
		case !e.Inside.IsValid():
			e.Inside = p
		case e.Also.IsValid() || topology.FamilyOf(p.Addr()) == topology.FamilyOf(e.Inside.Addr()):
			l.error(n, "", "inside: an end of a link has one address, or one of each family")
		default:
			e.Also = p
		}
	})
}

// end reads one end of a link: its addresses, what it does otherwise than its
// router, and its policy.
func (l *loader) end(key, value *yaml.Node, router int, kind topology.LinkKind, bgp bool, what string) topology.End {
	e := topology.End{Router: router, BGP: bgp, Settings: l.d.Routers[router].Settings, Pos: l.pos(key)}
	o := l.object(value, fmt.Sprintf("%s at %s", what, key.Value))
	if o == nil {
		return e
	}
	o.at = key
	inside := o.get("inside")
	if inside == nil && (bgp || kind == topology.Tunnel) {
		l.error(key, "write inside: 169.254.26.158/30", "%s has no inside address", o.what)
	}
	if inside != nil {
		e.InsidePos = l.pos(inside)
		l.inside(inside, &e)
	}
	outside := o.get("outside")
	if outside == nil && kind == topology.Tunnel {
		l.error(key, "write outside: and the public address of the gateway", "%s has no outside address", o.what)
	}
	if outside != nil {
		e.OutsidePos = l.pos(outside)
		e.Outside, _ = l.addr(outside, "outside")
	}
	l.settings(o, &e.Settings, endGroups)
	for _, g := range groups {
		if n := o.value[g]; n != nil && !slices.Contains(endGroups, g) {
			o.get(g)
			l.error(o.keyNode(g), fmt.Sprintf("put it under routers.%s", key.Value), "%s is the same for all links of a router", g)
		}
	}
	e.Import = l.policy(o.get("import"), "import")
	e.Export = l.policy(o.get("export"), "export")
	o.close()
	return e
}

// policy reads the terms of an import or export policy.
func (l *loader) policy(n *yaml.Node, what string) []topology.Term {
	var terms []topology.Term
	l.list(n, what, func(n *yaml.Node) {
		o := l.object(n, "a term of "+what)
		if o == nil {
			return
		}
		t := topology.Term{Pos: l.pos(n)}
		l.list(o.get("prefixes"), "prefixes", func(n *yaml.Node) {
			if p, ok := l.prefix(n, "prefixes", false); ok {
				t.Prefixes = append(t.Prefixes, p)
			}
		})
		if n := o.get("or_longer"); n != nil {
			t.OrLonger, _ = l.boolean(n, "or_longer")
		}
		if n := o.get("community"); n != nil {
			t.Community = l.community(n)
		}
		if n := o.get("path_has"); n != nil {
			v, _ := l.integer(n, "path_has", 1, 1<<32-1)
			t.PathHas = uint32(v)
		}
		if n := o.get("reject"); n != nil {
			t.Reject, _ = l.boolean(n, "reject")
		}
		t.LocalPref = l.number(o.get("local_pref"), "local_pref")
		t.MED = l.number(o.get("med"), "med")
		if n := o.get("prepend"); n != nil {
			v, _ := l.integer(n, "prepend", 0, 100)
			t.Prepend = int(v)
		}
		l.list(o.get("add_communities"), "add_communities", func(n *yaml.Node) {
			if c := l.community(n); c != "" {
				t.AddCommunities = append(t.AddCommunities, c)
			}
		})
		o.close()
		if t.Reject && (t.LocalPref != nil || t.MED != nil || t.Prepend > 0 || len(t.AddCommunities) > 0) {
			l.error(n, "remove reject, or the rest", "a term that rejects a route cannot change it as well")
		}
		terms = append(terms, t)
	})
	return terms
}

func (l *loader) number(n *yaml.Node, what string) *uint32 {
	if n == nil {
		return nil
	}
	v, ok := l.integer(n, what, 0, 1<<32-1)
	if !ok {
		return nil
	}
	u := uint32(v)
	return &u
}

// community reads "65000:100" (RFC 1997).
func (l *loader) community(n *yaml.Node) string {
	text, ok := l.text(n, "community")
	if !ok {
		return ""
	}
	var high, low uint16
	if _, err := fmt.Sscanf(text, "%d:%d", &high, &low); err != nil || text != fmt.Sprintf("%d:%d", high, low) {
		l.error(n, "write it like 65000:100", "%q is not a community", text)
		return ""
	}
	return text
}
