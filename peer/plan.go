package peer

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/bgp/live"
	"github.com/vpnsim/vpnsim/report"
	"github.com/vpnsim/vpnsim/topology"
)

// Flags is what a user says about who is who, word for word.
type Flags struct {
	As     []string // routers that vpnsim plays towards the real one
	Real   string   // the router that is real; empty: the only neighbour of As
	Listen []string // [LINK=]ADDRESS:PORT
	Peer   []string // [LINK=]ADDRESS[:PORT]
	Keys   []string // [LINK=]what Secrets makes a secret of
	TTL    bool     // TTL security
}

// Plan says who is who, and where.
type Plan struct {
	Design *topology.Design
	Real   int          // the router that is real
	As     []int        // the routers that vpnsim plays towards it
	Links  []Attachment // between them
	Loose  []int        // links of the real router to others, over which nobody answers
	TTL    bool
}

// Attachment is a link that ends at the real router.
type Attachment struct {
	Link   int
	End    int            // the real router's
	Listen netip.AddrPort // where its calls are accepted; its own calls go out from that address
	Peer   netip.AddrPort // where it is called; invalid: it is not
	Secret live.Secret    // TCP MD5
}

// Problem is something wrong with Flags, and what to do about it.
type Problem struct{ Message, Help string }

func (p *Problem) Error() string { return p.Message }

func problem(help, format string, args ...any) error {
	return &Problem{fmt.Sprintf(format, args...), help}
}

const (
	listenPort = 1790 // 179 takes privileges
	bgpPort    = 179
)

// NewPlan works out what the flags mean for a design. secrets turns the words
// behind a key's link into the secret.
func NewPlan(d *topology.Design, f Flags, secrets func(string) (live.Secret, error)) (*Plan, error) {
	if d.Internet != nil {
		return nil, problem("one of at most 500 ASes has routers", "%s is a graph of ASes of which the control plane only is simulated: no real router can take the place of one", d.File)
	}
	p := &Plan{Design: d, TTL: f.TTL}
	if err := p.who(f); err != nil {
		return nil, err
	}
	for i := range d.Links {
		l := &d.Links[i]
		end := slices.IndexFunc(l.Ends[:], func(e topology.End) bool { return e.Router == p.Real })
		if end < 0 || !l.Ends[0].BGP || !l.Ends[1].BGP {
			continue
		}
		if l.Ends[0].Settings[topology.BGPAddPath].Enum != "none" || l.Ends[1].Settings[topology.BGPAddPath].Enum != "none" {
			return nil, problem("leave bgp.add_path out", "%s: add-path is not spoken with a real router", l.Name)
		}
		if l.Ends[0].Offers(topology.IPv6) || l.Ends[1].Offers(topology.IPv6) || !l.Ends[end].Inside.Addr().Is4() {
			return nil, problem("leave the IPv6 addresses of its links out, or give the link bgp: {families: ipv4}", "%s: a real router is spoken to over IPv4 and about IPv4 only", l.Name)
		}
		if slices.Contains(p.As, l.Ends[1-end].Router) {
			p.Links = append(p.Links, Attachment{Link: i, End: end})
		} else {
			p.Loose = append(p.Loose, i)
		}
	}
	if err := p.where(f, secrets); err != nil {
		return nil, err
	}
	return p, p.tellApart()
}

// who finds the routers.
func (p *Plan) who(f Flags) error {
	if len(f.As) == 0 {
		return problem("known: "+strings.Join(p.names(), ", "), "--as does not say which router of %s vpnsim is to play", p.Design.File)
	}
	for _, name := range f.As {
		i, err := p.router("--as", name)
		if err != nil {
			return err
		}
		if !slices.Contains(p.As, i) {
			p.As = append(p.As, i)
		}
	}
	if f.Real != "" {
		i, err := p.router("--real", f.Real)
		if err != nil {
			return err
		}
		if slices.Contains(p.As, i) {
			return problem("", "%s cannot be both real and played", f.Real)
		}
		for _, as := range p.As {
			if !slices.Contains(p.neighbours(as), i) {
				return problem("", "%s has no BGP session with %s", p.Design.Routers[as].Name, f.Real)
			}
		}
		p.Real = i
		return nil
	}
	var others []int
	for n, as := range p.As {
		mine := slices.DeleteFunc(p.neighbours(as), func(i int) bool { return slices.Contains(p.As, i) })
		if n == 0 {
			others = mine
		}
		others = slices.DeleteFunc(others, func(i int) bool { return !slices.Contains(mine, i) })
	}
	var names []string
	for _, i := range others {
		names = append(names, p.Design.Routers[i].Name)
	}
	switch len(others) {
	case 1:
		p.Real = others[0]
		return nil
	case 0:
		return problem("", "no router has a BGP session with %s", strings.Join(f.As, " and "))
	}
	return problem("--real "+names[0], "which of the neighbours of %s is real: %s?", strings.Join(f.As, " and "), strings.Join(names, ", "))
}

func (p *Plan) names() []string {
	var list []string
	for i := range p.Design.Routers {
		list = append(list, p.Design.Routers[i].Name)
	}
	return list
}

func (p *Plan) router(flag, name string) (int, error) {
	if i := slices.Index(p.names(), name); i >= 0 {
		return i, nil
	}
	return 0, problem("known: "+strings.Join(p.names(), ", "), "%s: %s has no router %q", flag, p.Design.File, name)
}

// neighbours of a router over BGP, in the order of links.
func (p *Plan) neighbours(r int) []int {
	var list []int
	for i := range p.Design.Links {
		l := &p.Design.Links[i]
		for e := range 2 {
			if other := l.Ends[1-e].Router; l.Ends[e].Router == r && l.Ends[0].BGP && l.Ends[1].BGP && !slices.Contains(list, other) {
				list = append(list, other)
			}
		}
	}
	return list
}

// where finds the addresses.
func (p *Plan) where(f Flags, secrets func(string) (live.Secret, error)) error {
	for i := range p.Links {
		// Each has an address of its own, so that the caller need not be known.
		p.Links[i].Listen = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte((i + 1) >> 8), byte(i + 1)}), listenPort)
	}
	err := p.each("--listen", f.Listen, func(a *Attachment, word string) error {
		addr, err := netip.ParseAddrPort(word)
		if err != nil || !addr.Addr().Is4() {
			return problem("write --listen 127.0.0.1:1790", "--listen: %q is no IPv4 address with a port", word)
		}
		a.Listen = addr
		return nil
	})
	if err != nil {
		return err
	}
	err = p.each("--peer", f.Peer, func(a *Attachment, word string) error {
		addr, err := netip.ParseAddrPort(word)
		if err != nil {
			ip, bad := netip.ParseAddr(word)
			addr, err = netip.AddrPortFrom(ip, bgpPort), bad
		}
		if err != nil || !addr.Addr().Is4() || addr.Addr().IsUnspecified() || addr.Port() == 0 {
			return problem("write --peer 192.0.2.1 or --peer 192.0.2.1:1790", "--peer: %q is no IPv4 address", word)
		}
		a.Peer = addr
		return nil
	})
	if err != nil {
		return err
	}
	return p.each("--md5", f.Keys, func(a *Attachment, word string) error {
		s, err := secrets(word)
		if err != nil {
			return problem("", "--md5: %v", err)
		}
		a.Secret = s
		return nil
	})
}

// each gives every value of a flag to the link that it names, or to all links
// that are named by none.
func (p *Plan) each(flag string, words []string, set func(*Attachment, string) error) error {
	named := map[int]bool{}
	common := ""
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		if !ok {
			if common != "" {
				return problem(fmt.Sprintf("write %s %s=%s", flag, p.Design.Links[p.Links[0].Link].Name, w), "%s: both %s and %s are for all links", flag, common, w)
			}
			common = w
			continue
		}
		i := slices.IndexFunc(p.Links, func(a Attachment) bool { return p.Design.Links[a.Link].Name == name })
		if i < 0 {
			var known []string
			for _, a := range p.Links {
				known = append(known, p.Design.Links[a.Link].Name)
			}
			return problem("known: "+strings.Join(known, ", "), "%s: %q is no link to the real router", flag, name)
		}
		if named[i] {
			return problem("", "%s: %s is given twice", flag, name)
		}
		named[i] = true
		if err := set(&p.Links[i], value); err != nil {
			return err
		}
	}
	if common == "" {
		return nil
	}
	for i := range p.Links {
		if !named[i] {
			if err := set(&p.Links[i], common); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellApart makes sure that each caller belongs to one link.
func (p *Plan) tellApart() error {
	for i := range p.Links {
		for j := range i {
			a, b := &p.Links[j], &p.Links[i]
			x, y := p.Design.Links[a.Link].Name, p.Design.Links[b.Link].Name
			switch {
			case a.Listen != b.Listen || a.Listen.Port() == 0:
			case !a.Peer.IsValid() || !b.Peer.IsValid():
				return problem(fmt.Sprintf("give each an address of its own (--listen %s=…), or say where the callers come from (--peer %s=… --peer %s=…)", y, x, y),
					"%s and %s both listen on %v, and nothing tells their callers apart", x, y, a.Listen)
			case a.Peer.Addr() == b.Peer.Addr():
				return problem(fmt.Sprintf("give each an address of its own: --listen %s=…", y),
					"%s and %s both listen on %v and have the same peer: nothing tells their callers apart", x, y, a.Listen)
			}
		}
	}
	return nil
}

// Open tells whether the plan listens where others than this machine may call.
func (p *Plan) Open() (netip.AddrPort, bool) {
	for _, a := range p.Links {
		if !a.Listen.Addr().IsLoopback() {
			return a.Listen, true
		}
	}
	return netip.AddrPort{}, false
}

func (p *Plan) linkName(link int) string     { return p.Design.Links[link].Name }
func (p *Plan) routerName(router int) string { return p.Design.Routers[router].Name }

// far is the simulated router at the other end of an attached link.
func (p *Plan) far(a *Attachment) *topology.End  { return &p.Design.Links[a.Link].Ends[1-a.End] }
func (p *Plan) near(a *Attachment) *topology.End { return &p.Design.Links[a.Link].Ends[a.End] }

// Start says who is who. What the program knows of itself is left to the caller.
func (p *Plan) Start(seed uint64) report.PeerStart {
	d, real := p.Design, &p.Design.Routers[p.Real]
	s := report.PeerStart{Kind: "start", VPNSim: "v1", Scenario: d.File, ScenarioSHA256: d.SHA256, Seed: seed, Real: real.Name, RealAS: real.ASN}
	for i := range p.Links {
		a := &p.Links[i]
		far := &d.Routers[p.far(a).Router]
		l := report.PeerLink{Link: p.linkName(a.Link), Router: far.Name, AS: far.ASN, Listen: a.Listen.String(), MD5: !a.Secret.IsZero(), TTL: p.TTL}
		if a.Peer.IsValid() {
			l.Calls = a.Peer.String()
		}
		s.Links = append(s.Links, l)
	}
	for _, l := range p.Loose {
		s.Unattached = append(s.Unattached, p.linkName(l))
	}
	return s
}
