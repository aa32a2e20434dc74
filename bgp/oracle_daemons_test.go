package bgp_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
)

// The decision process against FRR's bgpd and BIRD, where they are installed:
// the same five neighbours as for GoBGP (oracle_test.go) speak to a daemon that
// listens on loopback and touches nothing else (no zebra, no kernel routes). Both
// are told to compare MED deterministically, as this package does, and must
// then agree on every best path.

const daemonSets = 600

func TestOracleFRR(t *testing.T) {
	const bgpd = "/usr/lib/frr/bgpd"
	need(t, bgpd, "vtysh", "frr")
	dir, port := daemonDir(t), freePort(t)
	conf := "router bgp 65000\n bgp router-id 127.0.0.1\n no bgp ebgp-requires-policy\n bgp deterministic-med\n bgp disable-ebgp-connected-route-check\n"
	for p, as := range oracleASNs {
		conf += fmt.Sprintf(" neighbor %[1]v remote-as %[2]d\n neighbor %[1]v passive\n neighbor %[1]v disable-connected-check\n", oracleAddr(p), as)
	}
	write(t, dir, "bgpd.conf", conf)
	start(t, dir, bgpd, "-n", "-Z", "-S", "-f", "bgpd.conf", "-i", filepath.Join(dir, "pid"), "-l", "127.0.0.1", "-p", fmt.Sprint(port), "--vty_socket", dir, "-P", "0")
	daemonOracle(t, "frr", port, func() map[netip.Prefix]int {
		var table struct {
			Routes map[netip.Prefix][]struct {
				BestPath bool       `json:"bestpath"`
				Peer     netip.Addr `json:"peerId"`
			} `json:"routes"`
		}
		out, err := exec.Command("vtysh", "--vty_socket", dir, "-c", "show bgp ipv4 unicast json").Output()
		if err != nil || json.Unmarshal(out, &table) != nil {
			return nil // it is not up yet
		}
		best := map[netip.Prefix]int{}
		for prefix, paths := range table.Routes {
			for _, x := range paths {
				if x.BestPath {
					best[prefix] = int(x.Peer.As4()[3]) - 1
				}
			}
		}
		return best
	})
}

func TestOracleBIRD(t *testing.T) {
	need(t, "bird", "birdc", "bird2")
	dir, port := daemonDir(t), freePort(t)
	conf := "router id 127.0.0.1;\nprotocol device {}\nprotocol static { ipv4; route 203.0.113.0/24 via \"lo\"; }\n" +
		fmt.Sprintf("template bgp peer { local 127.0.0.1 port %d as 65000; multihop; passive; deterministic med yes; ipv4 { import all; export none; }; }\n", port)
	for p, as := range oracleASNs {
		conf += fmt.Sprintf("protocol bgp p%d from peer { neighbor %v as %d; }\n", p, oracleAddr(p), as)
	}
	write(t, dir, "bird.conf", conf)
	socket := filepath.Join(dir, "ctl")
	start(t, dir, "bird", "-f", "-c", "bird.conf", "-s", socket, "-P", filepath.Join(dir, "pid"))
	daemonOracle(t, "bird", port, func() map[netip.Prefix]int {
		out, err := exec.Command("birdc", "-s", socket, "show", "route", "primary").Output()
		if err != nil {
			return nil
		}
		best := map[netip.Prefix]int{}
		for _, line := range strings.Split(string(out), "\n") {
			first, rest, _ := strings.Cut(line, " ")
			_, by, ok := strings.Cut(rest, "[p")
			if prefix, err := netip.ParsePrefix(first); err == nil && ok {
				best[prefix] = int(by[0] - '0')
			}
		}
		return best
	})
}

// daemonOracle feeds the daemon neighbour by neighbour, each one's routes being
// processed before the next one's come, and compares what is left in the end.
func daemonOracle(t *testing.T, ruleset string, port int, best func() map[netip.Prefix]int) {
	rnd := rand.New(rand.NewPCG(4271, 8))
	rules, _ := bgp.RulesetFor(ruleset)
	cfg := bgp.SpeakerConfig{AS: 65000, ID: netip.MustParseAddr("127.0.0.1"), Rules: rules}
	for p, as := range oracleASNs {
		cfg.Peers = append(cfg.Peers, &bgp.PeerConfig{AS: as, Addr: oracleAddr(p), Local: netip.MustParseAddr("127.0.0.1")})
	}
	ours := bgp.NewSpeaker(cfg)
	for p := range oracleASNs {
		ours.Step(nil, bgp.PeerID(p), bgp.Input{Kind: bgp.InPeerUp, Open: &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, oracleIDs[p]})}})
	}
	var prefixes []netip.Prefix
	for i := range daemonSets {
		prefixes = append(prefixes, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24))
	}
	for _, p := range rnd.Perm(len(oracleASNs)) {
		n := connectToGoBGP(t, port, p, oracleASNs[p])
		t.Cleanup(func() { n.conn.Close() })
		for _, prefix := range prefixes {
			if rnd.IntN(6) > 0 {
				a := oracleRoute(rnd, oracleASNs[p], false)
				if oracleASNs[p] == cfg.AS && !a.HasLocalPref {
					withPref(100)(a) // mandatory towards internal peers. RFC 4271 §5.1.5
				}
				n.announce(t, a, prefix)
				ours.Step(nil, bgp.PeerID(p), updateInput(&bgp.Update{Attrs: a, NLRI: []netip.Prefix{prefix}}))
			}
		}
		last, a := sentinel(0, p), pathAttrs(asPath(oracleASNs[p]))
		if oracleASNs[p] == cfg.AS {
			a = pathAttrs(asPath(64999), withPref(100))
		}
		n.announce(t, a, last)
		n.flush(t)
		for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
			if _, ok := best()[last]; ok {
				break
			}
			if time.Since(begin) > time.Minute {
				t.Fatalf("the daemon did not take the routes of neighbour %d", p)
			}
		}
	}
	theirs, deciders, differ := best(), map[bgp.Rule]int{}, 0
	for _, prefix := range prefixes {
		want, ok := theirs[prefix]
		got := ours.Route(prefix)
		if got == nil && !ok {
			continue
		}
		if got != nil {
			deciders[got.Rule]++
		}
		if got != nil && ok && int(got.Best.Peer) == want {
			continue
		}
		if differ++; differ > 5 {
			continue
		}
		text := fmt.Sprintf("%v: the daemon chooses %d (%v)", prefix, want, ok)
		if got != nil {
			text += fmt.Sprintf(", we %d (%v)", got.Best.Peer, got.Rule)
		}
		for _, p := range ours.Paths(prefix) {
			text += fmt.Sprintf("\n  %d, number %d, id %v: %s", p.Peer, p.Age, p.PeerBGPID, attrsText(p.Attrs))
		}
		t.Error(text)
	}
	t.Logf("%d prefixes, %d differ; decided by %v", len(prefixes), differ, deciders)
	for _, r := range []bgp.Rule{bgp.RuleLocalPref, bgp.RuleASPathLength, bgp.RuleOrigin, bgp.RuleMED, bgp.RuleExternal, bgp.RuleRouterID} {
		if deciders[r] == 0 {
			t.Errorf("no set was decided by: %v", r)
		}
	}
}

// need skips where a daemon is not installed, or would talk to a system's own.
func need(t *testing.T, daemon, client, pkg string) {
	t.Helper()
	if testing.Short() {
		t.Skip("talks to a daemon for some seconds")
	}
	for _, program := range []string{daemon, client} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed (Debian's package %s)", program, pkg)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("the daemon wants to be started by root")
	}
}

// daemonDir is a directory with a short name: sockets in it have a limit of 108.
func daemonDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "vpnsim")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func write(t *testing.T, dir, name, text string) {
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skipf("no loopback: %v", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start runs a daemon until the test is over.
func start(t *testing.T, dir, program string, args ...string) {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said: %s", program, said.String())
		}
	})
}
