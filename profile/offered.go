package profile

import (
	"slices"
	"strings"

	"github.com/vpnsim/vpnsim/topology"
)

// NotOffered says why the platform of a router does not let its users make an assignment, such as
// routers.gcp.bgp.hold=9s or tunnels.tun1.gcp.bgp.hold=9s; "" if it does, or if nothing is known of it.
func NotOffered(d *topology.Design, set string) (platform, why string) {
	path, text, _ := strings.Cut(set, "=")
	parts := strings.Split(path, ".")
	if len(parts) < 4 {
		return "", ""
	}
	router := parts[1]
	if parts[0] == "tunnels" || parts[0] == "links" {
		router = parts[2]
	}
	r := slices.IndexFunc(d.Routers, func(r topology.Router) bool { return r.Name == router })
	k, ok := topology.KeyByPath(strings.Join(parts[len(parts)-2:], "."))
	if r < 0 || !ok {
		return "", ""
	}
	p, known := Get(d.Routers[r].Profile)
	v, err := topology.ParseValue(k, text)
	if !known || err != nil {
		return "", ""
	}
	if o, told := p.Offers("bfd"); k == topology.BFDEnabled && v.Bool && told && !o.Offered {
		return p.Name, p.Name + " has no BFD: " + o.Note
	}
	if err := p.Check(k, v); err != nil {
		return p.Name, err.Error()
	}
	return "", ""
}
