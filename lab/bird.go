//go:build linux

package lab

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/vpnsim/vpnsim/topology"
)

// bird is BIRD 2: one process.
type bird struct{ starts int }

// birdFolders is where packages put it.
var birdFolders = []string{"/usr/sbin", "/usr/local/sbin"}

func (*bird) prepare(*router) error { return nil }

func (b *bird) programs(r *router) []program {
	path, err := find("bird", birdFolders...)
	if err != nil {
		path = "bird"
	}
	in := func(file string) string { return filepath.Join(r.dir, file) }
	args := []string{"-f", "-c", in("bird.conf"), "-s", in("bird.ctl"), "-P", in("bird.pid")}
	if b.starts > 0 && r.restarter() {
		args = append(args, "-R") // it says to its peers that it has just restarted, and leaves the kernel's routes alone
	}
	return []program{{path, in("bird.ctl"), args}}
}

func (*bird) main() string { return "bird" }

func (*bird) tell(r *router, words ...string) (string, error) {
	path, err := find("birdc", birdFolders...)
	if err != nil {
		return "", err
	}
	out, err := r.tell(path, append([]string{"-s", filepath.Join(r.dir, "bird.ctl")}, words...)...)
	return string(out), err
}

func (b *bird) up(r *router) (int, error) {
	out, err := b.tell(r, "show", "protocols")
	if err != nil {
		return 0, err
	}
	n := 0
	for _, line := range strings.Split(out, "\n") {
		if f := strings.Fields(line); len(f) > 1 && f[1] == "BGP" && f[len(f)-1] == "Established" {
			n++
		}
	}
	return n, nil
}

func (b *bird) watched(r *router) (int, error) {
	out, err := b.tell(r, "show", "bfd", "sessions")
	if err != nil {
		return 0, err
	}
	n := 0
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "Up" {
			n++
		}
	}
	return n, nil
}

func (b *bird) session(r *router, neighbour string, start bool) error {
	word := "disable"
	if start {
		word = "enable"
	}
	protocol, err := b.protocol(r, neighbour)
	if err == nil {
		_, err = b.tell(r, word, protocol)
	}
	return err
}

// protocol is what BIRD calls the session with a neighbour.
func (*bird) protocol(r *router, neighbour string) (string, error) {
	protocol := ""
	for _, line := range strings.Split(string(r.config.Files[0].Content), "\n") {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "protocol" && f[1] == "bgp" {
			protocol = f[2]
		} else if len(f) > 1 && f[0] == "neighbor" && f[1] == neighbour {
			return protocol, nil
		}
	}
	return "", fmt.Errorf("%s has no session with %s", r.name, neighbour)
}

func (b *bird) refresh(r *router, neighbour string) error {
	protocol, err := b.protocol(r, neighbour)
	if err == nil {
		_, err = b.tell(r, "reload", "in", protocol)
	}
	return err
}

// originate adds a static route to the configuration, or takes it out, and has BIRD read
// it again.
func (b *bird) originate(r *router, p netip.Prefix, announce bool) error {
	line := "  route " + p.String() + " blackhole;"
	conf := lines(r.config.Files[0].Content, line)
	if announce {
		head := []byte("protocol static networks4 {\n  ipv4;\n")
		if topology.FamilyOf(p.Addr()) == topology.IPv6 {
			head = []byte("protocol static networks6 {\n  ipv6;\n")
		}
		conf = bytes.Replace(conf, head, append(head, line+"\n"...), 1)
	}
	return b.reconfigure(r, conf)
}

// propagate changes what BIRD exports to the kernel.
func (b *bird) propagate(r *router, on bool) error {
	open, shut := []byte("{ import none; export where "), []byte("{ import none; export where false && ")
	if on {
		open, shut = shut, open
	}
	return b.reconfigure(r, bytes.ReplaceAll(r.config.Files[0].Content, open, shut))
}

func (b *bird) reconfigure(r *router, conf []byte) error {
	r.config.Files = slices.Clone(r.config.Files)
	r.config.Files[0].Content = conf
	if err := os.WriteFile(filepath.Join(r.dir, r.config.Files[0].Name), conf, 0o644); err != nil {
		return err
	}
	out, err := b.tell(r, "configure")
	if err == nil && !strings.Contains(out, "Reconfigur") {
		err = fmt.Errorf("%s: birdc configure: %s", r.name, lastWords([]byte(out)))
	}
	return err
}

// quit: BIRD closes its sessions as for a graceful restart if it is told so; asked to
// end by a signal, it says goodbye.
func (b *bird) quit(r *router) error {
	if r.restarter() {
		_, err := b.tell(r, "graceful", "restart")
		return err
	}
	r.signal(syscall.SIGTERM)
	return nil
}

func (b *bird) started(*router) error {
	b.starts++
	return nil
}

func (*bird) ended(*router) {}
