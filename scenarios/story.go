package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
	"go.yaml.in/yaml/v4"
)

// object kinds of a story's verbs.
type about uint8

const (
	aTunnel about = iota
	aLink
	aLinkOrRouter
	aRouter
	aPrefix
	aSwitch // {router: aws, on: false}
)

// verb is one thing that can happen. by: somebody has to do it. undo: what
// `for:` adds afterwards; 0 where nothing is to be undone.
type verb struct {
	word string
	kind topology.FaultKind
	what about
	by   bool
	undo topology.FaultKind
	also []string // further keys
	doc  string
}

var verbs = []verb{
	{"delete", topology.TunnelDelete, aTunnel, true, topology.TunnelCreate, []string{"notify"}, "`by` deletes its end of a tunnel; notify: IKE DELETE and BGP CEASE are sent first"},
	{"create", topology.TunnelCreate, aTunnel, true, 0, nil, "`by` configures its end of a deleted tunnel again"},
	{"blackhole", topology.BlackHole, aLink, false, topology.Heal, []string{"direction"}, "packets vanish and nobody is told"},
	{"loss", topology.PacketLoss, aLink, false, topology.Heal, []string{"p", "direction"}, "packets are lost with probability p"},
	{"heal", topology.Heal, aLink, false, 0, nil, "ends blackhole and loss"},
	{"down", topology.LinkDown, aLink, false, topology.LinkUp, nil, "both ends see the link go down"},
	{"up", topology.LinkUp, aLink, false, 0, nil, "ends down"},
	{"shut", topology.SessionShut, aLink, true, topology.SessionStart, nil, "`by` shuts the BGP session with a CEASE"},
	{"start", topology.SessionStart, aLinkOrRouter, true, 0, nil, "ends shut (a link, with `by`) or kill (a router)"},
	{"refresh", topology.SessionRefresh, aLink, true, 0, nil, "`by` asks its peer for all routes once more (ROUTE-REFRESH, a soft reset)"},
	{"kill", topology.RouterKill, aRouter, false, topology.RouterStart, nil, "the routing process dies, its TCP connections are reset"},
	{"restart", topology.RouterRestart, aRouter, false, topology.RouterStart, nil, "the routing process is stopped in an orderly way and started again: with bgp.graceful_restart: restarter without a word to its peers, otherwise with a CEASE; `for` says how long that takes"},
	{"freeze", topology.RouterFreeze, aRouter, false, topology.RouterThaw, nil, "the routing process hangs, TCP still acknowledges"},
	{"thaw", topology.RouterThaw, aRouter, false, 0, nil, "ends freeze"},
	{"propagate", topology.PropagationOff, aSwitch, false, topology.PropagationOn, nil, "switches route propagation of a cloud's route table"},
	{"withdraw", topology.PrefixWithdraw, aPrefix, true, topology.PrefixAnnounce, nil, "`by` stops announcing a prefix"},
	{"announce", topology.PrefixAnnounce, aPrefix, true, topology.PrefixWithdraw, nil, "`by` announces a prefix"},
}

func verbWords() []string {
	words := make([]string, len(verbs))
	for i, v := range verbs {
		words[i] = v.word
	}
	return words
}

// story reads what happens. A `for:` becomes a fault of its own, behind the
// one that it reverses.
func (l *loader) story(n *yaml.Node) {
	if n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode {
		l.error(n, "begin each entry with - ", "the story is a list, this is %s", kindOf(n))
		return
	}
	if !l.few(n, "the story", len(n.Content)) {
		return
	}
	for i, c := range n.Content {
		l.fault(i, c)
	}
}

func (l *loader) fault(index int, n *yaml.Node) {
	o := l.object(n, fmt.Sprintf("story[%d]", index))
	if o == nil {
		return
	}
	f := topology.Fault{Index: index, Link: -1, Router: -1, Pos: l.pos(n)}
	var found []verb
	for _, v := range verbs {
		if o.value[v.word] != nil {
			found = append(found, v)
		}
	}
	if len(found) != 1 {
		l.noVerb(o, found)
		return
	}
	v := found[0]
	if !l.happens(o, v) {
		return
	}
	if at := o.need("at", "write at: 90s"); at != nil {
		f.AtOrigin = l.origin(at)
		f.At, _ = l.dist(at, "at")
	}
	f.Kind = v.kind
	object := o.get(v.word)
	switch v.what {
	case aTunnel:
		f.Link = l.oneOf(object, "tunnel", l.links, l.linkNames)
	case aLink:
		f.Link = l.linkNamed(object)
	case aLinkOrRouter:
		f.Link, f.Router = l.linkOrRouter(object)
		if f.Router >= 0 {
			v.kind, f.Kind, v.by = topology.RouterStart, topology.RouterStart, false
		}
	case aRouter:
		f.Router = l.routerNamed(object)
	case aPrefix:
		f.Prefix, _ = l.prefix(object, v.word, false)
	case aSwitch:
		v.undo = l.propagate(object, &f)
	}
	l.faultBy(o, v, &f)
	l.faultMore(o, v, &f)
	length := o.get("for")
	if v.kind == topology.RouterRestart && length == nil {
		l.error(o.at, "add for: 5s", "%s does not say how long the restart takes", o.what)
	}
	o.close()

	l.d.Story = append(l.d.Story, f)
	if length != nil {
		l.undo(o, v, f, length)
	}
}

// noVerb says what to write when an entry has no verb, or several.
func (l *loader) noVerb(o *object, found []verb) {
	if len(found) > 1 {
		words := make([]string, len(found))
		for i, v := range found {
			words[i] = v.word
		}
		l.error(o.at, "write two entries", "%s does several things at once: %s", o.what, strings.Join(words, ", "))
		return
	}
	for _, k := range o.keys {
		if !slices.Contains([]string{"at", "by", "for", "notify", "direction", "p"}, k.Value) && !l.wiped[k] {
			l.error(k, didYouMean(k.Value, verbWords()), "%s: nothing is called %q", o.what, k.Value)
			return
		}
	}
	l.error(o.at, "known: "+strings.Join(verbWords(), ", "), "%s does not say what happens", o.what)
}

func (l *loader) linkOrRouter(n *yaml.Node) (link, router int) {
	text, ok := l.text(n, "start")
	if !ok {
		return -1, -1
	}
	if i, ok := l.links[text]; ok {
		return i, -1
	}
	if i, ok := l.routers[text]; ok {
		return -1, i
	}
	l.error(n, didYouMean(text, slices.Concat(l.linkNames, l.routerNames)), "there is no link, tunnel or router %q", text)
	return -1, -1
}

// propagate reads {router: aws, on: false}, and says what undoes it.
func (l *loader) propagate(n *yaml.Node, f *topology.Fault) topology.FaultKind {
	o := l.object(n, "propagate")
	if o == nil {
		return topology.PropagationOn
	}
	defer o.close()
	if r := o.need("router", "write {router: aws, on: false}"); r != nil {
		f.Router = l.routerNamed(r)
	}
	on := false
	if n := o.need("on", "write {router: aws, on: false}"); n != nil {
		on, _ = l.boolean(n, "on")
	}
	if on {
		f.Kind = topology.PropagationOn
		return topology.PropagationOff
	}
	return topology.PropagationOn
}

// faultBy reads who does it. A tunnel is created by whoever deleted it last,
// unless the scenario says otherwise.
func (l *loader) faultBy(o *object, v verb, f *topology.Fault) {
	by := o.get("by")
	switch {
	case !v.by && by != nil:
		l.error(o.keyNode("by"), "", "nobody in particular does a %q: it has no by", v.word)
	case v.by && by != nil:
		f.Router = l.routerNamed(by)
		if f.Router >= 0 && f.Link >= 0 && l.endAt(f.Link, f.Router) < 0 && l.d.Links[f.Link].Ends[1].Router >= 0 {
			l.error(by, l.itsEnds(f.Link), "%q has no end at %s", l.linkNames[f.Link], l.routerNames[f.Router])
			f.Router = -1
		}
	case v.by:
		for _, earlier := range l.d.Story {
			if f.Kind == topology.TunnelCreate && earlier.Kind == topology.TunnelDelete && earlier.Link == f.Link && f.Link >= 0 {
				f.Router = earlier.Router
			}
		}
		if f.Router < 0 {
			l.error(o.at, "write by: and the name of a router", "%s does not say who does it", o.what)
		}
	}
}

func (l *loader) itsEnds(link int) string {
	var names []string
	for _, e := range l.d.Links[link].Ends {
		if e.Router >= 0 {
			names = append(names, l.routerNames[e.Router])
		}
	}
	return "it joins " + strings.Join(names, " and ")
}

// faultMore reads the further keys of a verb.
func (l *loader) faultMore(o *object, v verb, f *topology.Fault) {
	has := func(key string) *yaml.Node {
		if !slices.Contains(v.also, key) {
			return nil
		}
		return o.get(key)
	}
	if v.kind == topology.TunnelDelete {
		// Neither cloud documents whether it tells its peer first.
		f.NotifyOrigin = topology.Origin{Status: topology.Assumed, Note: "whether the peer is told before a tunnel is deleted is not documented; the seed's gap says that it was not"}
		if n := has("notify"); n != nil {
			f.Notify, _ = l.boolean(n, "notify")
			f.NotifyOrigin = l.origin(n)
		}
	}
	if n := has("direction"); n != nil {
		l.direction(n, f)
	}
	if v.kind == topology.PacketLoss {
		n := has("p")
		if n == nil {
			l.error(o.at, "write p: 0.3", "%s does not say how much is lost", o.what)
			f.P = 1
		} else if p, ok := l.probability(n, "p"); !ok || p == 0 {
			if ok {
				l.error(n, "use heal to end it", "p: a loss of 0 loses nothing")
			}
			f.P = 1
		} else {
			f.P = p
		}
	}
}

// direction reads both, from ROUTER or to ROUTER.
func (l *loader) direction(n *yaml.Node, f *topology.Fault) {
	text, ok := l.text(n, "direction")
	if !ok || text == "both" {
		return
	}
	way, name, _ := strings.Cut(text, " ")
	name = strings.TrimSpace(name)
	if way != "from" && way != "to" || name == "" {
		l.error(n, "write both, from aws or to aws", "%q is not a direction", text)
		return
	}
	router, known := l.routers[name]
	switch {
	case !known:
		l.error(n, didYouMean(name, l.routerNames), "there is no router %q", name)
	case f.Link < 0:
	case l.endAt(f.Link, router) < 0:
		l.error(n, l.itsEnds(f.Link), "%q has no end at %s", l.linkNames[f.Link], name)
	case (l.endAt(f.Link, router) == 0) == (way == "from"):
		f.Direction = topology.FromA
	default:
		f.Direction = topology.FromB
	}
}

// undo adds the reversal that `for:` asks for.
func (l *loader) undo(o *object, v verb, f topology.Fault, length *yaml.Node) {
	if v.undo == 0 || f.Kind == topology.RouterStart {
		l.error(o.keyNode("for"), "", "%q is not undone: it has no for", v.word)
		return
	}
	d, ok := l.dist(length, "for")
	if !ok {
		return
	}
	if d.Max() == 0 {
		l.error(length, "", "for: 0s undoes it at once")
		return
	}
	back := f
	back.Kind = v.undo
	back.At, back.AtOrigin = d, l.origin(length)
	back.Until = len(l.d.Story) // the one just added, plus 1
	back.Notify, back.NotifyOrigin = false, topology.Origin{}
	back.P = 0
	back.Pos = l.pos(length)
	l.d.Story = append(l.d.Story, back)
}
