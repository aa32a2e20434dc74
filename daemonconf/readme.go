package daemonconf

import (
	"fmt"
	"strings"
)

// README says how the daemons of a directory are started, which has a folder
// for every router, and what they cannot be told.
func README(scenario string, with Daemon, list []Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Scenario %s as configurations of %s, written by vpnsim export %s.\n\n", oneLine(scenario), with.Title(), with)
	b.WriteString("Each folder is a router's. The files have neither addresses of interfaces nor tunnels, delays, losses or the\nstory of the scenario: all of that is the system's, and the interfaces are named at the head of each file.\n\n")
	b.WriteString(starts[with])
	for i := range list {
		b.WriteString("\n" + list[i].List())
	}
	return b.String()
}

// starts says how each daemon is checked and started.
var starts = map[Daemon]string{
	FRR: `To check:   vtysh -C -f ROUTER/frr.conf
To start:   copy frr.conf, daemons and vtysh.conf into /etc/frr and restart frr (8.4 or later);
            or zebra, bgpd, and where they are needed bfdd and staticd, each with -f ROUTER/frr.conf:
            each daemon takes the lines that it knows, and logs that it does not know the others.
`,
	BIRD: `To check:   bird -p -c ROUTER/bird.conf
To start:   bird -c ROUTER/bird.conf (BIRD 2), with -s SOCKET and -P PIDFILE where several are to run.
`,
	GoBGP: `To check:   gobgpd -d -f ROUTER/gobgpd.toml
To start:   gobgpd -f ROUTER/gobgpd.toml (GoBGP 3), and once it runs sh ROUTER/announce.sh, which announces
            the router's networks through gobgp. GOBGP="gobgp -p PORT" names another gobgpd.
            It takes FRR's zebra to put its routes into the kernel.
`,
}

// List is what the daemon cannot be told, as text: values, and below them what
// it does instead.
func (c *Config) List() string {
	var b strings.Builder
	if len(c.Cannot) == 0 {
		fmt.Fprintf(&b, "%s: %s does all that the scenario says\n", c.Router, c.Daemon.Title())
		return b.String()
	}
	fmt.Fprintf(&b, "%s: what %s cannot be told, and does instead\n", c.Router, c.Daemon.Title())
	for i, n := range c.Cannot {
		fmt.Fprintf(&b, "  %s = %s\n", n.Path, oneLine(n.Value))
		if i+1 == len(c.Cannot) || c.Cannot[i+1].Instead != n.Instead {
			fmt.Fprintf(&b, "      %s\n", oneLine(n.Instead))
		}
	}
	return b.String()
}
