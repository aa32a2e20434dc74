package lab

import "github.com/vpnsim/vpnsim/daemonconf"

// Need is something that a lab needs of the machine.
type Need struct {
	What string
	For  string
	Have string // empty: it is missing
	Help string
	// Of is the daemon that needs it; empty: every lab does.
	Of daemonconf.Daemon
	// Tunnel is what takes it; empty: any does.
	Tunnel   Carrier
	Optional bool
}

// Lacks are the needs of a plan that the machine does not meet.
func (p *Plan) Lacks() (list []Need) {
	for _, n := range Needs() {
		needed := n.Of == ""
		for _, d := range p.Daemons {
			needed = needed || d == n.Of
		}
		if n.Tunnel != "" && n.Tunnel != p.Tunnel {
			continue
		}
		if needed && n.Have == "" && !n.Optional {
			list = append(list, n)
		}
	}
	return list
}

// Ready tells whether a lab can run with at least one daemon.
func Ready(needs []Need) bool {
	with := map[daemonconf.Daemon]bool{}
	for _, d := range daemonconf.Daemons {
		with[d] = true
	}
	for _, n := range needs {
		switch {
		case n.Have != "" || n.Optional || n.Tunnel != "":
		case n.Of == "":
			return false
		default:
			with[n.Of] = false
		}
	}
	for _, d := range daemonconf.Daemons {
		if with[d] {
			return true
		}
	}
	return false
}
