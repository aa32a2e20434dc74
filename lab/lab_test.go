//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/vpnsim/vpnsim/scenarios"
)

// Two tunnels, and everything goes through tun2 as long as it is up.
const twoTunnels = `
vpnsim: v1
name: two tunnels
for: 20s
routers:
  aws: {profile: aws-vgw, asn: 64512, networks: [10.2.0.0/16], bgp: {hold: 3s, keepalive: 1s}}
  gcp: {profile: gcp-cloud-router, asn: 65000, networks: [10.1.0.0/16], bgp: {hold: 3s, keepalive: 1s}}
hosts:
  vm:  {on: gcp, ip: 10.1.0.2}
  ec2: {on: aws, ip: 10.2.0.6}
tunnels:
  tun1: {gcp: {inside: 169.254.26.158/30, outside: 192.0.2.11}, aws: {inside: 169.254.26.157/30, outside: 192.0.2.12}, rtt: 6ms}
  tun2: {gcp: {inside: 169.254.26.134/30, outside: 192.0.2.13, import: [{local_pref: 200}]}, aws: {inside: 169.254.26.133/30, outside: 192.0.2.14, import: [{local_pref: 200}]}, rtt: 5ms}
probe: {ping: vm -> ec2, every: 100ms}
story:
  - %s
`

// bothFamilies are the two tunnels with IPv6 beside IPv4, in the same sessions.
var bothFamilies = strings.NewReplacer("[10.2.0.0/16]", "[10.2.0.0/16, 2001:db8:2::/48]", "[10.1.0.0/16]", "[10.1.0.0/16, 2001:db8:1::/48]",
	"ip: 10.1.0.2", "ip: [10.1.0.2, 2001:db8:1::2]", "ip: 10.2.0.6", "ip: [10.2.0.6, 2001:db8:2::6]",
	"169.254.26.158/30", "[169.254.26.158/30, fd00:1::2/126]", "169.254.26.157/30", "[169.254.26.157/30, fd00:1::1/126]",
	"169.254.26.134/30", "[169.254.26.134/30, fd00:2::2/126]", "169.254.26.133/30", "[169.254.26.133/30, fd00:2::1/126]",
	"probe: {ping: vm -> ec2, every: 100ms}", "probes: [{ping: vm -> ec2, every: 100ms, family: ipv4}, {ping: vm -> ec2, every: 100ms, family: ipv6}]").Replace(twoTunnels)

// onlySix are the two tunnels with nothing of IPv4 inside.
var onlySix = strings.NewReplacer("asn: 64512, networks: [10.2.0.0/16]", "asn: 64512, id: 192.0.2.12, networks: [2001:db8:2::/48]",
	"asn: 65000, networks: [10.1.0.0/16]", "asn: 65000, id: 192.0.2.11, networks: [2001:db8:1::/48]", "10.1.0.2", "2001:db8:1::2", "10.2.0.6", "2001:db8:2::6",
	"169.254.26.158/30", "fd00:1::2/126", "169.254.26.157/30", "fd00:1::1/126", "169.254.26.134/30", "fd00:2::2/126", "169.254.26.133/30", "fd00:2::1/126").Replace(twoTunnels)

// The gaps that real daemons leave lie where they must: nobody waits less than the hold
// time less the age of the last keepalive; how much more depends on the machine, which
// may be busy.
func TestLab(t *testing.T) {
	t.Parallel() // it waits most of the time
	stop := undisturbed(t)
	const slack = 3 * time.Second
	cases := []struct {
		name, event string
		with        string
		routers     []string
		least, most time.Duration
		scenario    string
	}{
		// FRR: hold time 3 s and a keepalive each second, both exact; 0.07 s to the kernel.
		{"FRR, tunnel deleted at one end", `{at: "uniform(2s, 3s)", delete: tun2, by: gcp, notify: false}`, "frr", nil, 1900 * time.Millisecond, 3100 * time.Millisecond, twoTunnels},
		{"FRR, black hole", `{at: "uniform(2s, 3s)", blackhole: tun2}`, "frr", nil, 1900 * time.Millisecond, 3100 * time.Millisecond, twoTunnels},
		{"FRR, session shut", `{at: "uniform(2s, 3s)", shut: tun2, by: gcp}`, "frr", nil, 0, 200 * time.Millisecond, twoTunnels},
		// GoBGP: exact, too, and its routes are installed within milliseconds.
		{"GoBGP, black hole", `{at: "uniform(2s, 3s)", blackhole: tun2}`, "gobgp", nil, 1900 * time.Millisecond, 3100 * time.Millisecond, twoTunnels},
		// BIRD: the hold timer has 2.25 to 3 s, and its main loop up to 3 s more.
		{"BIRD, tunnel deleted at one end", `{at: "uniform(2s, 3s)", delete: tun2, by: gcp, notify: false}`, "bird", nil, 1150 * time.Millisecond, 6100 * time.Millisecond, twoTunnels},
		// FRR announces long-lived graceful restart, and a BIRD whose hold timer runs out
		// keeps the dead route of such a peer for 120 s.
		{"BIRD and FRR, black hole", `{at: "uniform(2s, 3s)", blackhole: tun2}`, "bird", []string{"gcp=frr"}, 10 * time.Second, 12100 * time.Millisecond, twoTunnels},
		// One session, one hold timer, and a ping in each family.
		{"FRR, both families, black hole", `{at: "uniform(2s, 3s)", blackhole: tun2}`, "frr", nil, 1900 * time.Millisecond, 3100 * time.Millisecond, bothFamilies},
		{"BIRD, both families, black hole", `{at: "uniform(2s, 3s)", blackhole: tun2}`, "bird", nil, 1150 * time.Millisecond, 6100 * time.Millisecond, bothFamilies},
		{"FRR and BIRD, IPv6, tunnel deleted at one end and made again", `{at: "uniform(2s, 3s)", delete: tun2, by: aws, notify: false, for: 5s}`, "frr", []string{"aws=bird"}, 1900 * time.Millisecond, 3100 * time.Millisecond, onlySix},
	}
	opt := Options{Trials: 2, Parallel: 2, Seed: 1, Runs: 100, For: 14 * time.Second}
	var labs []labCase
	for _, c := range cases {
		p, opt := plan(t, fmt.Sprintf(c.scenario, c.event), Flags{With: c.with, Routers: c.routers}), opt
		opt.Pcap = t.TempDir()
		labs = append(labs, labCase{c.name, p, opt, func(t *testing.T, res *Results) {
			for k, tr := range res.Trials {
				if tr == nil {
					t.Errorf("trial %d: %v", k+1, res.Errors[k])
					continue
				}
				t.Logf("trial %d: gap %v, %v %v %v", k+1, tr.Gap(), tr.Faults, tr.Pings, tr.Changes)
				if g := tr.Gap(); g < c.least || g > c.most+slack {
					t.Errorf("trial %d: a gap of %v; %v to %v are expected", k+1, g, c.least, c.most)
				}
				if n := len(p.Design.Story); len(tr.Faults) != n {
					t.Errorf("trial %d: %d events, not %d", k+1, len(tr.Faults), n)
				}
				for _, x := range tr.Pings { // both families have the same fate
					if x.Gap < c.least || x.Gap > c.most+slack {
						t.Errorf("trial %d: %v; %v to %v are expected", k+1, x, c.least, c.most)
					}
				}
				tapped(t, p, tr, filepath.Join(opt.Pcap, fmt.Sprintf("trial%d-%%s.pcapng", k+1)))
			}
			// The simulation is held to the same bounds, without slack.
			if lo, hi := time.Duration(res.Predicted.Min()), time.Duration(res.Predicted.Max()); lo < c.least || hi > c.most+100*time.Millisecond {
				t.Errorf("predicted are %v to %v; %v to %v are expected", lo, hi, c.least, c.most)
			}
			if doc := p.Document(opt, res); doc.Measured.N != len(doc.Trials) || doc.Predicted.N != 100 || len(doc.Trials) != 2 {
				t.Errorf("%+v", doc)
			}
		}})
	}
	runLabs(t, labs)
	stop()
}

// surroundings are the interfaces and routes of the namespace that the test runs in.
func surroundings(t *testing.T) string {
	t.Helper()
	// The first thread of a program may have been one that was in a namespace, and
	// /proc/net is that thread's: netlink speaks for the one that asks.
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{}, netlink.RT_FILTER_TABLE)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, l := range links {
		addrs, err := netlink.AddrList(l, netlink.FAMILY_ALL)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, l.Attrs().Name, l.Attrs().Flags, addrs)
	}
	for _, r := range routes {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}

// left are the names of what runs of this process have made and not removed.
func left(t *testing.T) (names []string) {
	t.Helper()
	for _, dir := range []string{"/run/netns", "/run/vpnsim-lab"} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for _, e := range entries {
			if isOurs(e.Name()) {
				names = append(names, e.Name())
			}
		}
	}
	return names
}

// isOurs tells whether a run, or a namespace, is one of this process.
func isOurs(name string) bool { return strings.HasPrefix(name, fmt.Sprintf("vpnsim-%d-", os.Getpid())) }

func plan(t *testing.T, text string, f Flags) *Plan {
	t.Helper()
	d, problems := scenarios.Load("test.yaml", []byte(text), nil)
	if scenarios.Failed(problems) {
		t.Fatal(problems)
	}
	p, err := NewPlan(d, f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What a lab cannot do is refused before anything is made.
func TestNotSupported(t *testing.T) {
	for _, c := range []struct {
		name, scenario string
		flags          Flags
		want           string
	}{
		{"an unknown daemon", "aws-gcp", Flags{With: "quagga"}, `there is no daemon "quagga"`},
		{"an unknown router", "aws-gcp", Flags{With: "frr", Routers: []string{"azure=bird"}}, `has no router "azure"`},
		{"IPv6 in IPsec", "ipv6-aws-gcp", Flags{With: "frr", Tunnel: "ipsec"}, "IPv6 in IPsec is not supported by the lab"},
		{"static routes of GoBGP", "aws-gcp-static", Flags{With: "gobgp"}, "GoBGP has no static routes"},
		{"a DELETE of IKE", "aws-gcp-notify", Flags{With: "frr"}, "notify takes IKE, which says that the tunnel goes"},
		{"a tunnel of something else", "aws-gcp", Flags{With: "frr", Tunnel: "wireguard"}, `nothing is called "wireguard"`},
		{"a graph of ASes", "internet", Flags{With: "frr"}, "more than the 16 routers"},
		{"route reflection", "route-reflector", Flags{With: "frr"}, "route reflection is not supported by the lab"},
		{"strict BFD", "bfd-strict", Flags{With: "frr"}, "bfd.strict is not supported by the lab"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, _ := scenarios.Builtin(c.scenario)
			d, problems := scenarios.Load(c.scenario+".yaml", data, nil, scenarios.Files(scenarios.BuiltinFile))
			if scenarios.Failed(problems) {
				t.Fatal(problems)
			}
			_, err := NewPlan(d, c.flags)
			var bad *Problem
			if !errors.As(err, &bad) || !strings.Contains(bad.Message, c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
}

// Trials that would end before anything happens say nothing, and are refused.
func TestTrialsThatAreTooShort(t *testing.T) {
	p := plan(t, fmt.Sprintf(twoTunnels, `{at: "uniform(5s, 9s)", blackhole: tun2}`), Flags{With: "frr"})
	for length, want := range map[time.Duration]bool{0: true, time.Second: false, 6 * time.Second: false, 6100 * time.Millisecond: true} {
		if err := p.Tells(Options{For: length}); (err == nil) != want {
			t.Errorf("trials of %v: %v", length, err)
		}
	}
}

// A run that was killed is found by what it has written down, and cleaned up after; one
// that is alive is not.
func TestClean(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("network namespaces take root")
	}
	led, err := newLedger()
	if err != nil {
		t.Skip(err)
	}
	defer led.close()
	s, err := newSpace(led.run + "-1-x")
	if err != nil {
		t.Skip(err)
	}
	defer s.remove()
	p, err := led.start(s, led.dir+"/out", "sleep", "1000")
	if err != nil {
		t.Fatal(err)
	}
	mine := func() *Leftover {
		list, err := Leftovers()
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(list, func(l Leftover) bool { return l.Run == led.run }); i >= 0 {
			return &list[i]
		}
		return nil
	}
	if mine() != nil {
		t.Error("a run that is alive counts as dead")
	}
	// The owner's number is now that of a process that was born at another time.
	file := led.dir + "/" + processesFile
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "\n")
	if err := os.WriteFile(file, []byte(fmt.Sprintf("%d 1\n", os.Getpid())+rest+"1 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	l := mine()
	if l == nil {
		t.Fatal("a run whose owner has ended is not found")
	}
	if !slices.Equal(l.Processes, []int{p.cmd.Process.Pid}) || !slices.Equal(l.Spaces, []string{s.name}) {
		t.Errorf("found %+v", *l)
	}
	if err := l.Clean(); err != nil {
		t.Fatal(err)
	}
	<-p.done
	if _, err := os.Stat("/run/netns/" + s.name); err == nil || mine() != nil {
		t.Error("it is still there")
	}
}

// A lab that is given up removes everything.
func TestInterrupt(t *testing.T) {
	if _, err := exec.LookPath("bird"); os.Geteuid() != 0 || err != nil {
		t.Skip("takes root and BIRD")
	}
	p := plan(t, fmt.Sprintf(twoTunnels, `{at: 2s, blackhole: tun2}`), Flags{With: "bird"})
	if lacks := p.Lacks(); len(lacks) > 0 {
		t.Skipf("%s is missing", lacks[0].What)
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	if _, err := Run(ctx, p, Options{Trials: 1, Runs: 1}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	for _, name := range left(t) {
		t.Errorf("%s is left behind", name)
	}
}
