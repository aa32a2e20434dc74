package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/report"
)

// vpnsim peer against the daemons that people run: each in a network namespace,
// a veth pair between it and vpnsim's. They need root, iproute2 and the daemon;
// without them the test says what is missing.

// patience is how long a test waits for what must come. It is no measure.
const patience = 60 * time.Second

// daemon is a routing daemon of AS 65010 that announces 10.1.0.0/16 and has
// vpnsim, AS 64512, for its neighbour.
type daemon struct {
	program string
	// config is written to the file of that name; %[1]s is vpnsim's address,
	// %[2]s the daemon's, %[3]s its directory.
	file, config string
	args         []string // %s is the directory
	user         string   // who must be able to write there; empty: root
	learned      []string // shows the route that vpnsim announces
	shut, start  []string // the session, by the operator
	lastWords    []string // shows what vpnsim has said last
	said         string   // and what that must be
}

var daemons = map[string]daemon{
	"FRR": {
		program: "/usr/lib/frr/bgpd", file: "bgpd.conf", user: "frr",
		config: `hostname office
log file %[3]s/log informational
router bgp 65010
 bgp router-id 10.1.0.1
 bgp log-neighbor-changes
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor %[1]s remote-as 64512
 neighbor %[1]s port 1790
 neighbor %[1]s timers 1 3
 neighbor %[1]s timers connect 1
 address-family ipv4 unicast
  network 10.1.0.0/16
 exit-address-family
`,
		// Without zebra: nobody's kernel routes are touched.
		args:      []string{"--no_zebra", "--no_kernel", "--config_file", "%s/bgpd.conf", "--pid_file", "%s/pid", "--vty_socket", "%s", "--vty_port", "0", "--user", "frr", "--group", "frr"},
		learned:   []string{"vtysh", "--vty_socket", "%s", "-c", "show bgp ipv4 unicast 10.2.0.0/16"},
		shut:      []string{"vtysh", "--vty_socket", "%s", "-c", "configure terminal", "-c", "router bgp 65010", "-c", "neighbor %[1]s shutdown"},
		start:     []string{"vtysh", "--vty_socket", "%s", "-c", "configure terminal", "-c", "router bgp 65010", "-c", "no neighbor %[1]s shutdown"},
		lastWords: []string{"vtysh", "--vty_socket", "%s", "-c", "show bgp neighbors"},
		said:      "Notification received (Cease/Administrative Shutdown)",
	},
	"BIRD": {
		program: "bird", file: "bird.conf",
		config: `log "%[3]s/log" all;
router id 10.1.0.1;
protocol device { }
protocol static office { ipv4; route 10.1.0.0/16 blackhole; }
protocol bgp cloud {
  local %[2]s as 65010;
  neighbor %[1]s port 1790 as 64512;
  hold time 3;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 { import all; export where proto = "office"; };
}
`,
		args:      []string{"-f", "-c", "%s/bird.conf", "-s", "%s/ctl", "-P", "%s/pid"},
		learned:   []string{"birdc", "-s", "%s/ctl", "show", "route", "10.2.0.0/16", "all"},
		shut:      []string{"birdc", "-s", "%s/ctl", "disable", "cloud"},
		start:     []string{"birdc", "-s", "%s/ctl", "enable", "cloud"},
		lastWords: []string{"birdc", "-s", "%s/ctl", "show", "protocols", "all", "cloud"},
		said:      "Received: Administrative shutdown",
	},
}

const cloudAndOffice = `
vpnsim: v1
name: a cloud and an office
for: 60s
routers:
  cloud:  {profile: aws-vgw, asn: 64512, networks: [10.2.0.0/16], bgp: {hold: 3s, idle_hold: 500ms, idle_hold_max: 500ms, idle_hold_reset: 500ms, connect_retry: 2s}}
  office: {profile: frr, asn: 65010, networks: [10.1.0.0/16], bgp: {hold: 3s, keepalive: 1s, connect_retry: 1s}}
hosts:
  ec2: {on: cloud, ip: 10.2.0.6}
  pc:  {on: office, ip: 10.1.0.2}
links:
  l1: {cloud: {inside: 169.254.10.1/30}, office: {inside: 169.254.10.2/30}, rtt: 2ms}
probe: {ping: pc -> ec2, every: 1s}
story:
  - {at: 500ms, blackhole: l1, for: 7s} # BIRD may notice its hold timer up to 3 s late
`

func TestDaemons(t *testing.T) {
	if testing.Short() {
		t.Skip("talks to daemons in real time")
	}
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("network namespaces take Linux and root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("ip (iproute2) is not installed")
	}
	for name, d := range daemons {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, err := exec.LookPath(d.program)
			if err != nil {
				t.Skipf("%s is not installed", d.program)
			}
			d.program = program
			d.test(t)
		})
	}
}

// Establish, routes both ways, hold timers in a black hole, again Established, a
// CEASE of the daemon's operator, again Established, and our CEASE at the end.
func (d *daemon) test(t *testing.T) {
	ours, theirs := namespaces(t)
	dir := d.launch(t, theirs)
	v := startPeer(t, ours, "--as", "cloud", "--listen", "169.254.10.1:1790", "--settle", "1500ms", "--for", "0")

	v.until("cloud: session over l1 OpenConfirm -> Established")
	v.until("office: session over l1 OpenConfirm -> Established")
	v.until("office sends UPDATE (announces 10.1.0.0/16 with AS_PATH 65010) over l1")
	v.until("cloud: route to 10.1.0.0/16: via 169.254.10.2")
	d.shows(t, theirs, dir, d.learned, "64512")
	v.until("the story begins")

	v.until("l1 becomes a black hole in both directions")
	v.mark()
	v.until("cloud: session over l1 Established -> Idle (HoldTimer expired")
	v.until("office: session over l1 Established -> Idle (HoldTimer expired: NOTIFICATION 4/0)")
	v.until("cloud: route to 10.1.0.0/16: unreachable")
	v.until("l1 carries packets again")
	v.mark()
	v.until("cloud: session over l1 OpenConfirm -> Established")
	v.until("cloud: route to 10.1.0.0/16: via 169.254.10.2")

	v.mark()
	d.run(t, theirs, dir, d.shut)
	v.until("office sends NOTIFICATION (Cease, subcode")
	v.until("cloud: session over l1 Established -> Idle (NOTIFICATION received: NOTIFICATION 6/")
	v.mark()
	d.run(t, theirs, dir, d.start)
	v.until("cloud: session over l1 OpenConfirm -> Established")
	v.until("office: session over l1 OpenConfirm -> Established")

	s := v.interrupt()
	d.shows(t, theirs, dir, d.lastWords, d.said)
	if len(s.Events) != 2 || s.Real != "office" || s.Runs == 0 {
		t.Errorf("%+v", s)
	}
	for _, m := range s.Events[0].Moments {
		if m.Router == "office" && m.What == "session over l1 ends" && (m.SeenS == nil || m.SeenWhy != "HoldTimer expired") {
			t.Errorf("%+v", m)
		}
	}
}

// namespaces makes two network namespaces with a veth pair between them.
func namespaces(t *testing.T) (ours, theirs string) {
	base := fmt.Sprintf("vpnsim-%d-%d", os.Getpid(), time.Now().UnixNano()%1e6)
	ours, theirs = base+"-a", base+"-b"
	ip := func(args ...string) error {
		out, err := exec.Command("ip", args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	for _, ns := range []string{ours, theirs} {
		if err := ip("netns", "add", ns); err != nil {
			t.Skipf("no network namespaces here: %v", err)
		}
		t.Cleanup(func() { ip("netns", "del", ns) })
	}
	for _, cmd := range []string{
		"link add veth0 netns " + ours + " type veth peer name veth0 netns " + theirs,
		"-n " + ours + " addr add 169.254.10.1/30 dev veth0", "-n " + theirs + " addr add 169.254.10.2/30 dev veth0",
		"-n " + ours + " link set lo up", "-n " + theirs + " link set lo up",
		"-n " + ours + " link set veth0 up", "-n " + theirs + " link set veth0 up",
	} {
		if err := ip(strings.Fields(cmd)...); err != nil {
			t.Skipf("no veth pair here: %v", err)
		}
	}
	return ours, theirs
}

// launch starts the daemon in its namespace and returns its directory.
func (d *daemon) launch(t *testing.T, ns string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vpnsim-daemon")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := fmt.Sprintf(d.config, "169.254.10.1", "169.254.10.2", dir)
	if err := os.WriteFile(filepath.Join(dir, d.file), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if d.user != "" {
		u, err := user.Lookup(d.user)
		if err != nil {
			t.Skipf("there is no user %s", d.user)
		}
		var uid, gid int
		fmt.Sscan(u.Uid, &uid)
		fmt.Sscan(u.Gid, &gid)
		os.Chmod(dir, 0o755)
		os.Chown(dir, uid, gid)
	}
	cmd := exec.Command("ip", d.words(dir, append([]string{"netns", "exec", ns, d.program}, d.args...))...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		cmd.Wait()
		kill.Stop()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("%s\n%s", out.String(), log)
		}
	})
	return dir
}

// words fills in a directory and vpnsim's address.
func (d *daemon) words(dir string, words []string) []string {
	var list []string
	for _, w := range words {
		w = strings.ReplaceAll(w, "%[1]s", "169.254.10.1")
		list = append(list, strings.ReplaceAll(w, "%s", dir))
	}
	return list
}

func (d *daemon) run(t *testing.T, ns, dir string, words []string) string {
	t.Helper()
	out, err := exec.Command("ip", d.words(dir, append([]string{"netns", "exec", ns}, words...))...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", words, err, out)
	}
	return string(out)
}

// shows waits until the daemon says it.
func (d *daemon) shows(t *testing.T, ns, dir string, words []string, want string) {
	t.Helper()
	out := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if out = d.run(t, ns, dir, words); strings.Contains(out, want) {
			return
		}
	}
	t.Fatalf("%v does not show %q:\n%s", words, want, out)
}

// peerProcess is a vpnsim peer that runs.
type peerProcess struct {
	t       *testing.T
	cmd     *exec.Cmd
	mu      sync.Mutex
	lines   []report.PeerLine
	from    int
	last    int
	more    chan struct{}
	done    chan struct{}
	summary report.PeerSummary
}

// startPeer runs this test's binary as vpnsim, in a namespace.
func startPeer(t *testing.T, ns string, args ...string) *peerProcess {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	vpnsim, scenario := filepath.Join(dir, "vpnsim"), filepath.Join(dir, "cloud.yaml")
	if err := os.Symlink(self, vpnsim); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(scenario, []byte(cloudAndOffice), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ip", append([]string{"netns", "exec", ns, vpnsim, "peer", scenario, "--format", "json", "-q"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &peerProcess{t: t, cmd: cmd, more: make(chan struct{}), done: make(chan struct{})}
	go p.read(bufio.NewScanner(out))
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-p.done
		cmd.Wait()
		if t.Failed() {
			for _, l := range p.lines {
				t.Logf("%s %s: %s", l.At[11:23], l.Kind, l.Words)
			}
			t.Log(complaints.String())
		}
	})
	return p
}

func (p *peerProcess) read(in *bufio.Scanner) {
	defer close(p.done)
	for in.Scan() {
		var l report.PeerLine
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			p.t.Errorf("%s: %v", in.Bytes(), err)
			continue
		}
		p.mu.Lock()
		if l.Kind == "summary" {
			json.Unmarshal(in.Bytes(), &p.summary)
		} else if l.Kind != "start" {
			p.lines = append(p.lines, l)
		}
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
}

// mark makes until look at what comes after the last line that it has found.
func (p *peerProcess) mark() { p.from = p.last + 1 }

// until waits for a line with those words, after the last mark.
func (p *peerProcess) until(words string) {
	p.t.Helper()
	late := time.After(patience)
	for {
		p.mu.Lock()
		more := p.more
		for i := p.from; i < len(p.lines); i++ {
			if strings.Contains(p.lines[i].Words, words) {
				p.last = i
				p.mu.Unlock()
				return
			}
		}
		p.mu.Unlock()
		select {
		case <-more:
		case <-p.done:
			p.t.Fatalf("vpnsim has ended without %q", words)
		case <-late:
			p.t.Fatalf("%q does not come", words)
		}
	}
}

// interrupt ends vpnsim as Ctrl-C does.
func (p *peerProcess) interrupt() report.PeerSummary {
	p.t.Helper()
	p.cmd.Process.Signal(os.Interrupt)
	<-p.done
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("vpnsim ends with %v", err)
	}
	return p.summary
}
