package bgp_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
)

// speakerRig drives a Speaker and writes down what it asks for, one action a
// line, so that a test reads as a transcript: inputs flush left, actions
// indented.
type speakerRig struct {
	t   *testing.T
	s   *bgp.Speaker
	now time.Duration
	log strings.Builder
}

func newSpeakerRig(t *testing.T, cfg bgp.SpeakerConfig) *speakerRig {
	return &speakerRig{t: t, s: bgp.NewSpeaker(cfg)}
}

func (r *speakerRig) step(what string, peer bgp.PeerID, in bgp.Input) {
	fmt.Fprintln(&r.log, what)
	in.Now = r.now
	for _, a := range r.s.Step(nil, peer, in) {
		fmt.Fprintln(&r.log, "  "+actionText(a))
	}
}

func (r *speakerRig) up(peers ...bgp.PeerID) {
	for _, p := range peers {
		r.step(fmt.Sprintf("peer %d up", p), p, bgp.Input{Kind: bgp.InPeerUp,
			Open: &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, byte(p + 1)})}})
	}
}

func (r *speakerRig) down(p bgp.PeerID) {
	r.step(fmt.Sprintf("peer %d down", p), p, bgp.Input{Kind: bgp.InPeerDown})
}

// upWith brings a session up whose peer offers what edit adds to its OPEN.
func (r *speakerRig) upWith(p bgp.PeerID, edit func(*bgp.Open)) {
	o := &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, byte(p + 1)})}
	edit(o)
	r.step(fmt.Sprintf("peer %d up", p), p, bgp.Input{Kind: bgp.InPeerUp, Open: o})
}

// away ends a session by a graceful restart of the peer.
func (r *speakerRig) away(p bgp.PeerID) {
	r.step(fmt.Sprintf("peer %d away", p), p, bgp.Input{Kind: bgp.InPeerDown, Graceful: true})
}

func (r *speakerRig) endOfRIB(p bgp.PeerID) {
	r.step(fmt.Sprintf("%d: End-of-RIB", p), p, updateInput(&bgp.Update{}))
}

func (r *speakerRig) stale(p bgp.PeerID, t bgp.TimerID) {
	r.step(fmt.Sprintf("%s of %d", staleTimers[t], p), p, bgp.Input{Kind: bgp.InStaleTime, Timer: t})
}

var staleTimers = map[bgp.TimerID]string{bgp.RestartTimer: "RestartTimer", bgp.LongLivedTimer: "LongLivedTimer",
	bgp.StalePathTimer: "StalePathTimer", bgp.SelectionTimer: "SelectionTimer"}

func (r *speakerRig) announce(p bgp.PeerID, a *bgp.Attrs, prefixes ...string) {
	u := &bgp.Update{Attrs: a, NLRI: prefixList(prefixes...)}
	r.step(fmt.Sprintf("%d announces %s", p, strings.Join(prefixes, " ")), p, updateInput(u))
}

func (r *speakerRig) withdraw(p bgp.PeerID, prefixes ...string) {
	u := &bgp.Update{Withdrawn: prefixList(prefixes...)}
	r.step(fmt.Sprintf("%d withdraws %s", p, strings.Join(prefixes, " ")), p, updateInput(u))
}

func (r *speakerRig) originate(p string) {
	r.step("originate "+p, bgp.Local, bgp.Input{Kind: bgp.InOriginate, Prefix: netip.MustParsePrefix(p)})
}

func (r *speakerRig) retract(p string) {
	r.step("retract "+p, bgp.Local, bgp.Input{Kind: bgp.InWithdraw, Prefix: netip.MustParsePrefix(p)})
}

func (r *speakerRig) settle() { r.step("settle", bgp.Local, bgp.Input{Kind: bgp.InSettle}) }

func (r *speakerRig) timer(p bgp.PeerID) {
	r.step(fmt.Sprintf("timer of %d", p), p, bgp.Input{Kind: bgp.InRouteTime})
}

func (r *speakerRig) quiet() { r.log.Reset() }

// want compares the transcript since the last quiet or want.
func (r *speakerRig) want(text string) {
	r.t.Helper()
	got, text := strings.TrimSpace(r.log.String()), strings.TrimSpace(strings.ReplaceAll(text, "\t", ""))
	r.log.Reset()
	if got != text {
		r.t.Errorf("the transcript is\n%s\nand should be\n%s", got, text)
	}
}

func updateInput(u *bgp.Update) bgp.Input {
	return bgp.Input{Kind: bgp.InUpdate, Msg: (&bgp.Message{Type: bgp.MsgUpdate, Update: u}).Seal()}
}

func actionText(a bgp.Action) string {
	switch a.Kind {
	case bgp.ActRoute:
		if a.Route.Best == nil {
			return fmt.Sprintf("route %v: none", a.Route.Prefix)
		}
		s := fmt.Sprintf("route %v: from", a.Route.Prefix)
		for _, p := range a.Route.Used {
			s += fmt.Sprintf(" %d", p.Peer)
		}
		return s + " (" + a.Route.Rule.String() + ")"
	case bgp.ActRouteTime:
		first := ""
		if a.First {
			first = " before the first UPDATE"
		}
		return fmt.Sprintf("arm timer of %d%s: %v", a.Peer, first, a.After)
	case bgp.ActNoRouteTime:
		return fmt.Sprintf("stop timer of %d", a.Peer)
	case bgp.ActStaleTime:
		return fmt.Sprintf("arm %s of %d: %v", staleTimers[a.Timer], a.Peer, a.After)
	case bgp.ActNoStaleTime:
		return fmt.Sprintf("stop %s of %d", staleTimers[a.Timer], a.Peer)
	case bgp.ActDecide:
		return "a decision is asked for"
	case bgp.ActChosen:
		return "all routes are chosen"
	case bgp.ActMaxPrefixes:
		return fmt.Sprintf("too many prefixes from %d", a.Peer)
	case bgp.ActSend:
		u := a.Msg.Update
		if u.EndOfRIB() {
			of := ""
			if u.Families() == bgp.WithIPv6 {
				of = " of IPv6"
			}
			return fmt.Sprintf("to %d: End-of-RIB%s", a.Peer, of)
		}
		s := fmt.Sprintf("to %d:", a.Peer)
		if len(u.Withdrawn) > 0 {
			s += fmt.Sprintf(" withdraw %v", named(u.Withdrawn, u.Identified() != 0, u.Extra, true))
		}
		if len(u.NLRI) > 0 {
			s += fmt.Sprintf(" %v %s", named(u.NLRI, u.Identified() != 0, u.Extra, false), attrsText(u.Attrs))
		}
		return s
	}
	return fmt.Sprintf("action %d", a.Kind)
}

// named are prefixes with their Path Identifiers, if they have any.
func named(ps []netip.Prefix, identified bool, x *bgp.Extra, withdrawn bool) (list []string) {
	for i, p := range ps {
		s := p.String()
		if identified && withdrawn {
			s += fmt.Sprintf(" path %d", x.Withdrawn[i])
		} else if identified {
			s += fmt.Sprintf(" path %d", x.NLRI[i])
		}
		list = append(list, s)
	}
	return list
}

func attrsText(a *bgp.Attrs) string {
	if a == nil {
		return "nothing"
	}
	s := "path"
	for _, seg := range a.ASPath {
		s += fmt.Sprint(" ", seg.ASNs)
	}
	s += " via " + a.NextHop.String()
	if a.HasMED {
		s += fmt.Sprint(" med ", a.MED)
	}
	if a.HasLocalPref {
		s += fmt.Sprint(" pref ", a.LocalPref)
	}
	if len(a.Communities) > 0 {
		s += fmt.Sprintf(" communities %x", a.Communities)
	}
	return s
}

func prefixList(ps ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range ps {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// asPath makes a path of one AS_SEQUENCE.
func asPath(asns ...uint32) bgp.ASPath {
	if len(asns) == 0 {
		return nil
	}
	return bgp.ASPath{{ASNs: asns}}
}

// pathAttrs are attributes as an external peer sends them, changed by edits.
func pathAttrs(path bgp.ASPath, edits ...func(*bgp.Attrs)) *bgp.Attrs {
	a := &bgp.Attrs{ASPath: path, NextHop: netip.MustParseAddr("203.0.113.9")}
	for _, e := range edits {
		e(a)
	}
	return a
}

func withMED(m uint32) func(*bgp.Attrs) {
	return func(a *bgp.Attrs) { a.MED, a.HasMED = m, true }
}

func withPref(p uint32) func(*bgp.Attrs) {
	return func(a *bgp.Attrs) { a.LocalPref, a.HasLocalPref = p, true }
}

func withOrigin(o bgp.Origin) func(*bgp.Attrs) { return func(a *bgp.Attrs) { a.Origin = o } }

func withCommunities(c ...uint32) func(*bgp.Attrs) { return func(a *bgp.Attrs) { a.Communities = c } }

// speakerOf makes a router of AS 65000 with one peer for each AS given:
// peer i has the address 10.0.i.2 and sees ours as 10.0.i.1.
func speakerOf(rules string, asns ...uint32) bgp.SpeakerConfig {
	rs, ok := bgp.RulesetFor(rules)
	if !ok {
		panic("no ruleset " + rules)
	}
	cfg := bgp.SpeakerConfig{AS: 65000, ID: netip.MustParseAddr("1.1.1.1"), Rules: rs,
		Rand: func() uint64 { panic("nothing here is random") }}
	for i, as := range asns {
		cfg.Peers = append(cfg.Peers, &bgp.PeerConfig{AS: as,
			Addr:  netip.AddrFrom4([4]byte{10, 0, byte(i), 2}),
			Local: netip.AddrFrom4([4]byte{10, 0, byte(i), 1}), PeerGroup: &bgp.PeerGroup{}})
	}
	return cfg
}

const tenSlash8 = "10.0.0.0/8"

var mrai30 = bgp.MRAI{Mode: bgp.MRAISinceLastUpdate, Interval: 30 * time.Second}
