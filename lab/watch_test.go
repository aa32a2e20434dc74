//go:build linux

package lab

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// The list of changes is complete: who begins with the routes that there were and makes
// every change of the list has those that the kernel has, whatever was done: routes over
// one interface or several, with nexthops of their own or without, and interfaces that
// go down and come up. What the kernel itself lists is the other side.
func TestChangesAreComplete(t *testing.T) {
	if _, err := exec.LookPath("ip"); os.Geteuid() != 0 || err != nil {
		t.Skip("takes root and iproute2")
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
	ip := func(args string) error {
		return exec.Command("ip", append([]string{"-n", s.name}, strings.Fields(args)...)...).Run()
	}
	for i := range 3 {
		name := fmt.Sprint("tun", i)
		f, err := openTUN(s, name)
		if err != nil {
			t.Skip(err)
		}
		defer f.Close()
		s.sysctl6("conf/"+name+"/accept_dad", "0")
		err = s.on(name, func(h *netlink.Handle, l netlink.Link) error {
			for _, a := range []string{fmt.Sprintf("169.254.%d.1/30", i), fmt.Sprintf("fd00:%d::1/126", i)} {
				if err := h.AddrAdd(l, mustAddr(a)); err != nil {
					return err
				}
			}
			return h.LinkSetUp(l)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	g := &rig{routers: []*router{{name: "r", space: s}}}
	w, err := g.watch()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 2))
	var did []string
	do := func(format string, args ...any) {
		command := fmt.Sprintf(format, args...)
		result := ""
		if ip(command) != nil {
			result = " (refused)"
		}
		did = append(did, command+result)
	}
	prefixes := [][2]string{{"", "10.1.0.0/16"}, {"", "10.2.0.0/16"}, {"-6 ", "2001:db8:1::/48"}, {"-6 ", "2001:db8:2::/48"}}
	for range 60 {
		p, a, b := prefixes[random.IntN(len(prefixes))], random.IntN(3), 1+random.IntN(2)
		b = (a + b) % 3 // another one
		group := 100 + len(p[0])
		switch random.IntN(9) {
		case 0, 8:
			do("link set tun%d down", a)
		case 1, 2, 3:
			do("link set tun%d up", a)
		case 4:
			do("%sroute del %s", p[0], p[1])
		case 5:
			do("%sroute replace %s proto bgp metric 20 dev tun%d", p[0], p[1], a)
		case 6:
			do("%sroute replace %s proto bgp metric 20 nexthop dev tun%d nexthop dev tun%d", p[0], p[1], a, b)
		case 7: // as FRR does: each nexthop an object, and a group of them
			do("%snexthop replace id %d dev tun%d", p[0], 1+a+10*len(p[0]), a)
			do("%snexthop replace id %d dev tun%d", p[0], 1+b+10*len(p[0]), b)
			do("nexthop replace id %d group %d/%d", group, 1+a+10*len(p[0]), 1+b+10*len(p[0]))
			do("%sroute replace %s proto bgp metric 20 nhid %d", p[0], p[1], group)
		}
		deadline := time.Now().Add(3 * time.Second)
		for {
			got, want := after(w), listed(t, s)
			if got == want {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("after\n%s\nthe list of changes comes to\n%s\nthe kernel has\n%s", strings.Join(did, "\n"), got, want)
			}
			time.Sleep(time.Millisecond)
		}
	}
	list, err := w.stop(time.Time{})
	if err != nil {
		t.Error(err)
	}
	downs := 0
	for _, c := range list {
		if c.down != "" {
			downs++
		}
	}
	if downs == 0 || downs == len(list) {
		t.Errorf("%d of %d changes came of an interface that went down", downs, len(list))
	}
}

// after is where the changes so far lead.
func after(w *watcher) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := map[netip.Prefix]string{}
	for _, c := range w.list {
		if now[c.prefix] = c.via; c.via == "" {
			delete(now, c.prefix)
		}
	}
	return fmt.Sprint(now)
}

// listed is what a newcomer is told of the kernel's routes.
func listed(t *testing.T, s *space) string {
	t.Helper()
	tab, err := newTable(&router{name: "r", space: s}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := listenRoutes(s)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := tab.begin(f); err != nil {
		t.Fatal(err)
	}
	now := map[netip.Prefix]string{}
	for p := range tab.routes {
		if via := tab.ways(p); via != "" {
			now[p] = via
		}
	}
	return fmt.Sprint(now)
}
