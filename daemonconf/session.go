package daemonconf

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// writer has a router as its daemon sees it, and what is said about it.
type writer struct {
	d     *topology.Design
	index int
	r     *topology.Router
	with  Daemon
	opt   Options
	own   topology.Settings // what the daemon does where it cannot be told

	names    []string  // of the router's interface of every link; empty: it has none
	sessions []session // in the order of the links

	notes []note
	said  map[Cannot]bool
}

// session is a BGP session that the router has over a link.
type session struct {
	link     int
	name     string // of the link, as an identifier: letters, digits and _
	iface    string
	end      *topology.End // the router's
	far      *topology.End
	peer     *topology.Router
	internal bool
	settings *topology.Settings
	families []topology.Family // that the router offers
}

func (s *session) local() netip.Addr  { return s.end.Inside.Addr() }
func (s *session) remote() netip.Addr { return s.far.Inside.Addr() }

// over is what the session is called in comments and descriptions.
func (s *session) over(d *topology.Design) string {
	return "over " + d.Links[s.link].Name + " to " + s.peer.Name
}

func (w *writer) look() {
	w.names = make([]string, len(w.d.Links))
	interfaces, identifiers := map[string]bool{"lo": true}, map[string]bool{}
	for i := range w.d.Links {
		l := &w.d.Links[i]
		for e := range l.Ends {
			if l.Ends[e].Router != w.index {
				continue
			}
			if w.opt.Interface != nil {
				w.names[i] = w.opt.Interface(i)
			} else {
				w.names[i] = unused(l.Name, 15, interfaces) // IFNAMSIZ less its zero
			}
			if !l.Ends[e].BGP {
				continue
			}
			s := session{link: i, iface: w.names[i], end: &l.Ends[e], far: &l.Ends[1-e]}
			s.name = unused(strings.ReplaceAll(l.Name, "-", "_"), 40, identifiers)
			s.peer = &w.d.Routers[s.far.Router]
			s.internal = s.peer.ASN == w.r.ASN
			s.settings = &s.end.Settings
			for _, f := range []topology.Family{topology.IPv4, topology.IPv6} {
				if s.end.Offers(f) {
					s.families = append(s.families, f)
				}
			}
			w.sessions = append(w.sessions, s)
		}
	}
}

// unused shortens a name, and numbers it if it is taken.
func unused(name string, most int, taken map[string]bool) string {
	try := name[:min(len(name), most)]
	for n := 2; taken[try]; n++ {
		suffix := fmt.Sprintf("_%d", n)
		try = name[:min(len(name), most-len(suffix))] + suffix
	}
	taken[try] = true
	return try
}

// families lists those that any session offers.
func (w *writer) families() (list []topology.Family) {
	for _, f := range []topology.Family{topology.IPv4, topology.IPv6} {
		for i := range w.sessions {
			if w.sessions[i].end.Offers(f) {
				list = append(list, f)
				break
			}
		}
	}
	return list
}

// networks lists the router's own prefixes of a family.
func (w *writer) networks(f topology.Family) (list []netip.Prefix) {
	for _, n := range w.r.Networks {
		for i := range n.Len() {
			if p := n.At(i); topology.FamilyOf(p.Addr()) == f {
				list = append(list, p)
			}
		}
	}
	return list
}

// static is a route of the router's own configuration.
type static struct {
	index  int
	prefix netip.Prefix
	via    netip.Addr // invalid: the interface alone
	iface  string
}

func (w *writer) statics(f topology.Family) (list []static) {
	for i, s := range w.r.Statics {
		if topology.FamilyOf(s.Prefix.Addr()) != f {
			continue
		}
		l := &w.d.Links[s.Link]
		far := &l.Ends[0]
		if far.Router == w.index {
			far = &l.Ends[1]
		}
		list = append(list, static{i, s.Prefix, far.In(f), w.names[s.Link]})
	}
	return list
}

// any tells whether one of the sessions is so.
func (w *writer) any(is func(*session) bool) bool {
	for i := range w.sessions {
		if is(&w.sessions[i]) {
			return true
		}
	}
	return false
}

// restarter tells whether the session asks its peer to keep routes.
func restarter(s *session) bool { return s.settings[topology.BGPGracefulRestart].Enum == "restarter" }

func withBFD(s *session) bool { return s.settings[topology.BFDEnabled].Bool }

// negotiated is the hold time that the ends of a session will agree on, in
// seconds, as far as their offers are fixed.
func (s *session) negotiated() int64 {
	seconds := func(e *topology.End) int64 {
		return int64(e.Settings[topology.BGPHold].Dist.Mean().Round(time.Second) / time.Second)
	}
	return min(seconds(s.end), seconds(s.far))
}

// aboutInterfaces says which addresses the configuration takes for granted.
func (w *writer) aboutInterfaces(comment string) string {
	var b strings.Builder
	for i, name := range w.names {
		if name == "" {
			continue
		}
		l := &w.d.Links[i]
		end := &l.Ends[0]
		if end.Router != w.index {
			end = &l.Ends[1]
		}
		fmt.Fprintf(&b, "%s interface %s:", comment, name)
		for _, p := range []netip.Prefix{end.Inside, end.Also} {
			if p.IsValid() {
				fmt.Fprintf(&b, " %v", p)
			}
		}
		fmt.Fprintf(&b, " (%s)\n", l.Name)
	}
	return b.String()
}

// heading of every file.
func (w *writer) heading(comment string) string {
	return fmt.Sprintf("%s Router %s of scenario %s, written by vpnsim export %s.\n%s What these lines cannot say is listed by the same command.\n",
		comment, w.r.Name, oneLine(w.d.File), w.with, comment)
}

// oneLine keeps a text from leaving its comment.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, text)
}
