//go:build linux

package lab

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/vpnsim/vpnsim/daemonconf"
)

// Needs looks at the machine.
func Needs() []Need {
	return []Need{
		{What: "root", For: "network namespaces", Have: root(), Help: "run it as root (sudo)"},
		{What: "network namespaces", For: "a router or host each", Have: exists("/proc/self/ns/net"), Help: "a kernel with CONFIG_NET_NS"},
		{What: "/dev/net/tun", For: "tunnels and links", Have: exists("/dev/net/tun"), Help: "modprobe tun; in a container, give it the device"},
		{What: "ping", For: "measuring", Have: version("ping", "-V"), Help: "apt-get install iputils-ping"},
		{What: "fib_multipath_hash_seed", For: "equal paths chosen anew in every trial", Have: exists("/proc/sys/net/ipv4/fib_multipath_hash_seed"), Help: "Linux 6.11 has it; before, every trial takes the same of several equal paths", Optional: true},
		{What: "FRR", For: "--with frr", Have: frrVersion(), Help: "apt-get install frr", Of: daemonconf.FRR},
		{What: "vtysh", For: "--with frr", Have: found("vtysh"), Help: "apt-get install frr", Of: daemonconf.FRR},
		{What: "user frr", For: "--with frr", Have: account(frrUser), Help: "FRR's package makes it", Of: daemonconf.FRR},
		{What: "BIRD", For: "--with bird", Have: version("bird", "--version", birdFolders...), Help: "apt-get install bird2", Of: daemonconf.BIRD},
		{What: "birdc", For: "--with bird", Have: found("birdc", birdFolders...), Help: "apt-get install bird2", Of: daemonconf.BIRD},
		{What: "GoBGP", For: "--with gobgp", Have: gobgpVersion(), Help: "apt-get install gobgpd", Of: daemonconf.GoBGP},
	}
}

// Version of a daemon that is installed: FRR 8.4.4.
func Version(d daemonconf.Daemon) string {
	have := ""
	switch d {
	case daemonconf.FRR:
		have = frrVersion()
	case daemonconf.BIRD:
		have = version("bird", "--version", birdFolders...)
	case daemonconf.GoBGP:
		have = gobgpVersion()
	}
	f := strings.Fields(have)
	if len(f) == 0 {
		return d.Title()
	}
	return d.Title() + " " + f[len(f)-1]
}

// Kernel is its release.
func Kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

func root() string {
	if os.Geteuid() != 0 {
		return ""
	}
	return "yes"
}

func exists(path string) string {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return ""
	}
	return "yes"
}

func account(name string) string {
	if _, err := user.Lookup(name); err != nil {
		return ""
	}
	return "yes"
}

func found(name string, folders ...string) string {
	path, _ := find(name, folders...)
	return path
}

// version is the first line of what a program says of itself.
func version(name, flag string, folders ...string) string {
	path, err := find(name, folders...)
	if err != nil {
		return ""
	}
	out, _ := exec.Command(path, flag).CombinedOutput()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if line == "" {
		return path
	}
	return line
}

func gobgpVersion() string { return version("gobgpd", "--version", gobgpFolders...) }

func frrVersion() string { return version("bgpd", "--version", frrFolders...) }
