//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/vpnsim/vpnsim/daemonconf"
)

// Needs looks at the machine.
func Needs() []Need {
	return []Need{
		root(),
		{What: "network namespaces", For: "a router or host each", Have: exists("/proc/self/ns/net"), Help: "a kernel with CONFIG_NET_NS"},
		{What: "/dev/net/tun", For: "tunnels and links", Have: usable("/dev/net/tun"), Help: "modprobe tun; in a container, give it the device; without root, it must be open to all (chmod 666)"},
		{What: "ping", For: "measuring", Have: version("ping", "-V"), Help: "apt-get install iputils-ping"},
		{What: "fib_multipath_hash_seed", For: "equal paths chosen anew in every trial", Have: exists("/proc/sys/net/ipv4/fib_multipath_hash_seed"), Help: "Linux 6.11 has it; before, every trial takes the same of several equal paths", Optional: true},
		{What: "FRR", For: "--with frr", Have: frrVersion(), Help: "apt-get install frr", Of: daemonconf.FRR},
		{What: "user frr", For: "--with frr", Have: frrAccount(), Help: "FRR's package makes it", Of: daemonconf.FRR},
		{What: "BIRD", For: "--with bird", Have: version("bird", "--version", birdFolders...), Help: "apt-get install bird2", Of: daemonconf.BIRD},
		{What: "birdc", For: "--with bird", Have: found("birdc", birdFolders...), Help: "apt-get install bird2", Of: daemonconf.BIRD},
		{What: "GoBGP", For: "--with gobgp", Have: gobgpVersion(), Help: "apt-get install gobgpd", Of: daemonconf.GoBGP},
		{What: "strongSwan", For: "--tunnel ipsec", Have: swanVersion(), Help: swanPackages, Tunnel: IPsec},
		{What: "kernel-libipsec", For: "--tunnel ipsec", Have: plugin("kernel-libipsec"), Help: swanPackages, Tunnel: IPsec},
		{What: "vici", For: "--tunnel ipsec", Have: plugin("vici"), Help: swanPackages, Tunnel: IPsec},
		{What: "charon without AppArmor", For: "--tunnel ipsec", Have: unconfined(), Help: "AppArmor keeps charon-systemd from files elsewhere than in /etc: apparmor_parser -R /etc/apparmor.d/usr.sbin.charon-systemd", Tunnel: IPsec},
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

// root is needed, or a user namespace.
func root() Need {
	n := Need{What: "root", For: "network namespaces", Have: "yes", Help: "run it as root (sudo)"}
	if os.Geteuid() == 0 {
		if entered {
			n.Have = "of a user namespace"
		}
		// In a container root may not be allowed to.
		s, err := newSpace(fmt.Sprintf("vpnsim-%d-doctor", os.Getpid()))
		if err != nil {
			n.Have, n.Help = "", fmt.Sprintf("root of this machine or container makes no network namespaces (%v); it takes CAP_SYS_ADMIN and CAP_NET_ADMIN", err)
			return n
		}
		s.remove()
		return n
	}
	n.Have = "no, but a user namespace will do"
	if why := obstacle(); why != "" {
		n.Have = ""
		n.Help += "; a user namespace does not do: " + why
	}
	return n
}

// usable is a file that may be read and written.
func usable(path string) string {
	if unix.Access(path, unix.R_OK|unix.W_OK) != nil {
		return ""
	}
	return "yes"
}

// frrAccount is whom FRR's daemons become.
func frrAccount() string {
	if Small() || entered {
		return "yes" // not needed: they stay whoever they are
	}
	return account(frrUser)
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

// swanVersion is what swanctl says of itself, since charon-systemd, whatever it is
// asked, runs: strongSwan 5.9.8 swanctl.
func swanVersion() string {
	if _, err := find("charon-systemd", swanFolders...); err != nil {
		return ""
	}
	path, err := find("swanctl", swanFolders...)
	if err != nil {
		return ""
	}
	out, _ := exec.Command(path, "--help").Output()
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSuffix(line, " swanctl")
}

// pluginFolders is where packages put strongSwan's plugins.
var pluginFolders = []string{"/usr/lib/ipsec/plugins", "/usr/lib/strongswan/plugins", "/usr/lib64/strongswan/plugins", "/usr/local/lib/ipsec/plugins"}

func plugin(name string) string {
	for _, f := range pluginFolders {
		if path := filepath.Join(f, "libstrongswan-"+name+".so"); exists(path) != "" {
			return path
		}
	}
	return ""
}

// unconfined tells whether AppArmor lets charon be.
func unconfined() string {
	profiles, _ := os.ReadFile("/sys/kernel/security/apparmor/profiles")
	for _, line := range strings.Split(string(profiles), "\n") {
		if strings.Contains(line, "charon-systemd") && strings.Contains(line, "(enforce)") {
			return ""
		}
	}
	return "yes"
}
