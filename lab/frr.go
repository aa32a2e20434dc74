//go:build linux

package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/vpnsim/vpnsim/topology"
)

// frr is FRR: zebra, which has the kernel's routes, and beside it bgpd, staticd and
// bfdd, each with its sockets in the router's folder.
type frr struct{}

// frrFolders is where packages put its daemons.
var frrFolders = []string{"/usr/lib/frr", "/usr/libexec/frr", "/usr/sbin"}

// frrUser is whom the daemons become when they have what they need.
const frrUser = "frr"

// becomes is who they become here: in a user namespace there is only one.
func becomes() string {
	if entered {
		return "root"
	}
	return frrUser
}

func (*frr) prepare(r *router) error {
	// zebra takes addresses and neighbours from the kernel, and is told nothing.
	err := os.WriteFile(filepath.Join(r.dir, "zebra.conf"), []byte("hostname "+r.name+"\n"), 0o644)
	u, unknown := user.Lookup(becomes())
	if err = errors.Join(err, unknown); err != nil {
		return err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return os.Chown(r.dir, uid, gid)
}

func (*frr) programs(r *router) (list []program) {
	conf := r.config.Files[0].Content
	// bgpd is the last: the others are there when it looks for them. One that finds no
	// zebra asks again after 10 s only, and a bfdd that bgpd has not found may never hear
	// of its sessions.
	names := []string{"zebra"}
	if bytes.Contains(conf, []byte("\nbfd\n")) {
		names = append(names, "bfdd")
	}
	if bytes.Contains(conf, []byte("\nip route ")) || bytes.Contains(conf, []byte("\nipv6 route ")) {
		names = append(names, "staticd")
	}
	names = append(names, "bgpd")
	for _, name := range names {
		path, err := find(name, frrFolders...)
		if err != nil {
			path = name // what starts it will say so
		}
		file, listens := "frr.conf", name+".vty"
		if name == "zebra" {
			file, listens = "zebra.conf", "zserv.api"
		}
		in := func(file string) string { return filepath.Join(r.dir, file) }
		list = append(list, program{path, in(listens), []string{"--config_file", in(file), "--pid_file", in(name + ".pid"), "--socket", in("zserv.api"),
			"--vty_socket", r.dir, "--vty_port", "0", "--user", becomes(), "--group", becomes(), "--log", "file:" + in(name+".log"), "--log-level", "informational"}})
	}
	return list
}

func (*frr) main() string { return "bgpd" }

func (f *frr) up(r *router) (int, error) {
	out, err := f.vty(r, "bgpd", "show bgp summary json")
	if err != nil {
		return 0, err
	}
	// By family, and those of no family that is configured beside it.
	var answer map[string]struct {
		Peers map[string]struct{ State string }
	}
	// Before bgpd has read its configuration, it answers in words.
	if json.Unmarshal(out, &answer) != nil {
		return 0, nil
	}
	up := map[string]bool{}
	for _, family := range answer {
		for name, p := range family.Peers {
			if p.State == "Established" {
				up[name] = true
			}
		}
	}
	return len(up), nil
}

func (f *frr) session(r *router, neighbour string, start bool) error {
	command := "neighbor " + neighbour + " shutdown"
	if start {
		command = "no " + command
	}
	as := routerBGP(r.config.Files[0].Content)
	return f.configure(r, "bgpd", as, command)
}

// configure gives one of the daemons commands that change its configuration.
func (f *frr) configure(r *router, daemon string, commands ...string) error {
	_, err := f.vty(r, daemon, append([]string{"configure terminal"}, commands...)...)
	return err
}

func (f *frr) refresh(r *router, neighbour string) error {
	_, err := f.vty(r, "bgpd", "clear bgp "+neighbour+" soft in")
	return err
}

// originate tells bgpd, and writes it into its configuration for the bgpd that may be
// started after it.
func (f *frr) originate(r *router, p netip.Prefix, announce bool) error {
	family, line := "address-family ipv4 unicast", "network "+p.String()
	if topology.FamilyOf(p.Addr()) == topology.IPv6 {
		family = "address-family ipv6 unicast"
	}
	command := line
	if !announce {
		command = "no " + line
	}
	conf := lines(r.config.Files[0].Content, "  "+line)
	if announce {
		conf = bytes.Replace(conf, []byte(" "+family+"\n"), []byte(" "+family+"\n  "+line+"\n"), 1)
	}
	r.config.Files = slices.Clone(r.config.Files)
	r.config.Files[0].Content = conf
	return errors.Join(os.WriteFile(filepath.Join(r.dir, r.config.Files[0].Name), conf, 0o644),
		f.configure(r, "bgpd", routerBGP(conf), family, command))
}

// propagate tells zebra what to take from bgpd.
func (f *frr) propagate(r *router, on bool) error {
	if on {
		return f.configure(r, "zebra", "no ip protocol bgp", "no ipv6 protocol bgp")
	}
	return f.configure(r, "zebra", "route-map nothing deny 1", "exit", "ip protocol bgp route-map nothing", "ipv6 protocol bgp route-map nothing")
}

// quit: asked to end, bgpd takes its routes out of zebra, graceful restart or not. A
// restarter is killed, as FRR's own tests of graceful restart do it.
func (*frr) quit(r *router) error {
	if r.restarter() {
		r.signal(syscall.SIGKILL)
	} else {
		r.signal(syscall.SIGTERM)
	}
	return nil
}

func (f *frr) watched(r *router) (int, error) {
	out, err := f.vty(r, "bfdd", "show bfd peers json")
	if err != nil {
		return 0, err
	}
	var answer []struct{ Status string }
	if json.Unmarshal(out, &answer) != nil {
		return 0, nil
	}
	n := 0
	for _, s := range answer {
		if s.Status == "up" {
			n++
		}
	}
	return n, nil
}

func (*frr) started(*router) error { return nil }

func (*frr) ended(*router) {}

// routerBGP is the line that the neighbours stand under.
func routerBGP(conf []byte) string {
	for _, line := range bytes.Split(conf, []byte("\n")) {
		if bytes.HasPrefix(line, []byte("router bgp ")) {
			return string(line)
		}
	}
	return fmt.Sprint("router bgp")
}
