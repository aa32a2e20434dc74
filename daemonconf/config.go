package daemonconf

import (
	"errors"
	"fmt"

	"github.com/vpnsim/vpnsim/profile"
	"github.com/vpnsim/vpnsim/topology"
)

// Daemon is a routing daemon, by the name of its profile.
type Daemon string

const (
	FRR   Daemon = "frr"
	BIRD  Daemon = "bird"
	GoBGP Daemon = "gobgp"
)

// Daemons lists them.
var Daemons = []Daemon{FRR, BIRD, GoBGP}

// Title is how the daemon's makers write its name.
func (d Daemon) Title() string {
	switch d {
	case FRR:
		return "FRR"
	case BIRD:
		return "BIRD"
	}
	return "GoBGP"
}

// Options say what is not the scenario's matter.
type Options struct {
	// Interface names the router's interface of a link; nil: the link's name, as
	// far as Linux takes it.
	Interface func(link int) string
	// Dir is where the daemon puts its log; empty: where it does by itself.
	Dir string
}

// Config is what one router's daemon is started with.
type Config struct {
	Router string
	Daemon Daemon
	Files  []File
	Cannot []Cannot
}

// File is one file of a configuration.
type File struct {
	Name    string
	Content []byte
}

// Cannot is something in the scenario that the daemon cannot be told.
type Cannot struct {
	Path    string // routers.aws.bgp.idle_hold
	Value   string // in the scenario
	Origin  string // where the scenario has it from
	Instead string // what the daemon will do
}

// MaxNetworks is how many prefixes a router may announce in a configuration:
// daemons read them line by line.
const MaxNetworks = 100_000

// Write makes the configuration of a router.
func Write(d *topology.Design, router int, with Daemon, opt Options) (Config, error) {
	own, ok := profile.Get(string(with))
	switch {
	case !ok || with != FRR && with != BIRD && with != GoBGP:
		return Config{}, fmt.Errorf("no daemon is called %q", with)
	case d.Internet != nil:
		return Config{}, errors.New("a graph of ASes of which the control plane only is simulated has no routers to configure")
	case router < 0 || router >= len(d.Routers):
		return Config{}, fmt.Errorf("there is no router %d", router)
	}
	w := &writer{d: d, index: router, r: &d.Routers[router], with: with, opt: opt, own: own.Settings(), said: map[Cannot]bool{}}
	prefixes := 0
	for _, n := range w.r.Networks {
		prefixes += n.Len()
	}
	if prefixes > MaxNetworks {
		return Config{}, fmt.Errorf("router %s announces %d prefixes: no more than %d are written into a configuration", w.r.Name, prefixes, MaxNetworks)
	}
	w.look()
	var files []File
	switch with {
	case FRR:
		files = w.frr()
	case BIRD:
		files = w.bird()
	case GoBGP:
		files = w.gobgp()
	}
	w.compare()
	return Config{Router: w.r.Name, Daemon: with, Files: files, Cannot: w.listed()}, nil
}
