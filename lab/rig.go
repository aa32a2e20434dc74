//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/vpnsim/vpnsim/daemonconf"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// rig is everything that one trial has made.
type rig struct {
	plan    *Plan
	led     *ledger
	dir     string
	name    string // of the trial, with the run's
	seed    uint64
	routers []*router
	hosts   []*space
	wires   []*wire
	tunnels []*tunnel // with IPsec; nil: a link without
	pings   []*process
	taps    []*tap

	mu  sync.Mutex
	sas []moment // SAs that came and went
}

// stream of random numbers of a trial.
func (g *rig) stream(what string) sim.Stream {
	return sim.HashStream(sim.HashStream(g.seed).At(uint64(sim.StreamName(what))))
}

// build makes the namespaces, the links, which are still down, and the hosts.
func (g *rig) build() error {
	d := g.plan.Design
	for i := range d.Routers {
		s, err := newSpace(g.name + "-" + d.Routers[i].Name)
		if err != nil {
			return err
		}
		r := &router{plan: g.plan, index: i, name: d.Routers[i].Name, space: s, dir: filepath.Join(g.dir, d.Routers[i].Name), led: g.led, config: g.plan.configs[i], running: map[string]*process{}}
		g.routers = append(g.routers, r)
		random := g.stream("hash " + r.name)
		if hasSix(d) {
			err = s.six(true)
		}
		err = errors.Join(err, s.sysctl("ip_forward", "1"), s.sysctl("conf/all/rp_filter", "0"), s.sysctl("conf/default/rp_filter", "0"))
		// Which of several equal paths a ping takes is to be as random as in the
		// simulation; kernels before 6.11 have one choice for all namespaces.
		s.sysctl("fib_multipath_hash_seed", strconv.Itoa(int(random.Uint64()>>33)+1))
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	for i := range d.Links {
		l := &d.Links[i]
		random := g.stream("packets " + l.Name)
		a, b := g.routers[l.Ends[0].Router].space, g.routers[l.Ends[1].Router].space
		name, addrs, size := g.plan.device(i), [2][]netip.Prefix{insides(l, 0, i), insides(l, 1, i)}, mtu
		g.tunnels = append(g.tunnels, nil)
		if g.plan.Tunnel == IPsec && l.Kind == topology.Tunnel {
			t, err := g.newTunnel(i)
			if g.tunnels[i] = t; err != nil {
				return err
			}
			a, b, name, addrs, size = t[0].space, t[1].space, wireName, [2][]netip.Prefix{{outside[0]}, {outside[1]}}, outerMTU
		}
		w, err := newWire(a, b, name, addrs, size, l, random.Uint64())
		if err != nil {
			return err
		}
		g.wires = append(g.wires, w)
	}
	if err := g.prepare(); err != nil {
		return err
	}
	for i := range d.Hosts {
		if err := g.host(i); err != nil {
			return err
		}
	}
	return nil
}

// gateway is the address that every router has towards its hosts: one of those that
// are for documentation, and nobody's in this scenario; of IPv6 one that is good on one
// link only.
func (p *Plan) gateway(f topology.Family) string {
	if f == topology.IPv6 {
		return "fe80::1/64"
	}
	d := p.Design
	used := func(a netip.Addr) bool {
		for i := range d.Links {
			for e := range d.Links[i].Ends {
				if d.Links[i].Ends[e].Inside.Masked().Contains(a) {
					return true
				}
			}
		}
		for i := range d.Routers {
			for _, n := range d.Routers[i].Networks {
				for k := range n.Len() {
					if n.At(k).Contains(a) {
						return true
					}
				}
			}
		}
		return slices.ContainsFunc(d.Hosts, func(h topology.Host) bool { return h.Has(a) })
	}
	for _, text := range []string{"192.0.2.1", "198.51.100.1", "203.0.113.1"} {
		if !used(netip.MustParseAddr(text)) {
			return text + "/32"
		}
	}
	return "100.64.0.1/32"
}

// host joins a host to its router, by a veth pair and routes to single addresses: the
// router's networks stay the business of its daemon.
func (g *rig) host(i int) error {
	h := &g.plan.Design.Hosts[i]
	s, err := newSpace(g.name + "-" + h.Name)
	if err != nil {
		return err
	}
	g.hosts = append(g.hosts, s)
	r := g.routers[h.Router].space
	name := fmt.Sprintf("host%d", i)
	err = nil
	if hasSix(g.plan.Design) {
		err = s.six(false)
	}
	if err == nil {
		err = r.links(func(n *netlink.Handle) error {
			pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: "eth0", PeerNamespace: netlink.NsFd(int(s.handle))}
			return n.LinkAdd(pair)
		})
	}
	for _, a := range h.Addrs() {
		if err == nil {
			err = reach(r, name, s, a, g.plan.gateway(topology.FamilyOf(a)))
		}
	}
	if err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	if h.DropICMP {
		return errors.Join(s.sysctl("icmp_echo_ignore_all", "1"), s.sysctl6("icmp/echo_ignore_all", "1"))
	}
	return nil
}

// comeUp starts the daemons and the links, and waits until every session is Established.
func (g *rig) comeUp(ctx context.Context, patience time.Duration) error {
	if err := g.startAll(ctx); err != nil {
		return err
	}
	begin := time.Now()
	var missing error
	for time.Since(begin) < patience {
		if err := sleepUntil(ctx, time.Now().Add(time.Second)); err != nil {
			return err
		}
		if missing = g.missing(); missing == nil {
			missing = g.unanswered()
		}
		if missing == nil {
			return nil
		}
	}
	return fmt.Errorf("the network did not come up within %v: %w", patience, missing)
}

// startAll starts the daemons, and then the links: which takes processors, and only so many
// trials do it at once.
func (g *rig) startAll(ctx context.Context) error {
	select {
	case g.led.coming <- struct{}{}:
		defer func() { <-g.led.coming }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, r := range g.routers {
		if err := r.configure(); err != nil {
			return err
		}
		if r.config.Daemon != daemonconf.GoBGP {
			if err := r.start(); err != nil {
				return err
			}
		}
	}
	begin := time.Now()
	random := g.stream("links")
	moments := make([]time.Time, len(g.wires))
	for i := range moments {
		moments[i] = begin.Add(raised + time.Duration(random.Uint64()%uint64(stagger)))
	}
	// GoBGP tries to connect 5 s after its start at the earliest, and if the link is down
	// then, not again for minutes.
	if err := sleepUntil(ctx, begin.Add(500*time.Millisecond)); err != nil {
		return err
	}
	for _, r := range g.routers {
		if err := r.start(); err != nil {
			return err
		}
	}
	for range g.wires {
		next := -1
		for i, m := range moments {
			if !m.IsZero() && (next < 0 || m.Before(moments[next])) {
				next = i
			}
		}
		if err := sleepUntil(ctx, moments[next]); err != nil {
			return err
		}
		moments[next] = time.Time{}
		if err := g.raise(next); err != nil {
			return err
		}
	}
	return nil
}

// missing says which router does not have all its sessions.
func (g *rig) missing() error {
	for i, r := range g.routers {
		want, watched := 0, 0
		for l := range g.plan.Design.Links {
			for e := range g.plan.Design.Links[l].Ends {
				if end := &g.plan.Design.Links[l].Ends[e]; end.Router == i && end.BGP {
					want++
					if far := &g.plan.Design.Links[l].Ends[1-e]; end.Settings[topology.BFDEnabled].Bool && far.Settings[topology.BFDEnabled].Bool {
						watched++
					}
				}
			}
		}
		if err := errors.Join(r.check(), g.checkIPsec()); err != nil {
			return err
		}
		have, err := r.daemon.up(r)
		if err != nil {
			return err
		}
		if have < want {
			return fmt.Errorf("%s has %d of %d sessions", r.name, have, want)
		}
		if watched == 0 {
			continue
		}
		switch have, err = r.daemon.watched(r); {
		case err != nil:
			return err
		case have < watched:
			return fmt.Errorf("BFD of %s is Up over %d of %d links", r.name, have, watched)
		}
	}
	return nil
}

// unanswered says which ping is not answered: routes follow sessions after a while.
func (g *rig) unanswered() error {
	for i := range g.plan.Design.Probes {
		pr := &g.plan.Design.Probes[i]
		_, to := g.plan.Design.Ends(pr)
		cmd := exec.Command("ping", "-n", "-c", "1", "-W", "1", to.String())
		err := g.hosts[pr.From].inside(cmd.Start)
		if err == nil {
			err = cmd.Wait()
		}
		if err != nil && !g.plan.Design.Hosts[pr.To].DropICMP {
			return fmt.Errorf("%s does not reach %s", g.plan.Design.Hosts[pr.From].Name, g.plan.Design.Hosts[pr.To].Name)
		}
	}
	return nil
}

// tearDown ends and removes everything. What it makes is gone even if it was only half
// made.
func (g *rig) tearDown() {
	for _, p := range g.pings {
		p.stop(syscall.SIGKILL)
	}
	for _, r := range g.routers {
		for _, p := range r.running {
			p.stop(syscall.SIGKILL)
		}
		if r.daemon != nil {
			r.daemon.ended(r)
		}
	}
	for _, t := range g.tunnels {
		t.tearDown()
	}
	for _, w := range g.wires {
		w.close()
	}
	for _, s := range g.hosts {
		s.remove()
	}
	for _, r := range g.routers {
		r.space.remove()
	}
}

// sleepUntil waits for a moment, or until the run is given up.
func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
