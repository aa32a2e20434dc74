//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/strongswan/govici/vici"
	"github.com/vishvananda/netlink"

	"github.com/vpnsim/vpnsim/topology"
)

// One end of an IPsec tunnel.
//
// kernel-libipsec does IPsec in the daemon: packets that leave by its one TUN device are
// encrypted, and what was decrypted comes in there. A router with two tunnels for
// everything needs two such devices, hence two daemons, and each has a namespace of its
// own beside its router's, with the outside address, the wire's device and nothing else.
// Only the TUN device does not stay there. It is moved to the router and gets the
// tunnel's name; the daemon, which has it open, does not care where it is:
//
//	router's namespace        gateway's namespace               far gateway's
//	bgpd ── tun1 ═════════════ charon ── 198.51.100.1 ── wire ── 198.51.100.2 …
//
// So a tunnel is one interface, as in a cloud, and no hop. The wire carries IKE and ESP
// (in UDP, which kernel-libipsec takes) with the delay and the loss of the scenario.

// outside are the addresses of the two ends of every tunnel: each pair of gateways is
// alone with its wire.
var outside = [2]netip.Prefix{netip.MustParsePrefix("198.51.100.1/30"), netip.MustParsePrefix("198.51.100.2/30")}

// wireName is the device of the wire in a gateway.
const wireName = "wire"

// charonDevice is the device that charon makes, and asks for by its name later.
const charonDevice = "ipsec0"

// ikeEnd is one end of a tunnel.
type ikeEnd struct {
	led      *ledger
	router   *router
	space    *space
	end      int    // of the link
	device   string // the tunnel's, in the router's namespace
	inside   netip.Prefix
	settings *topology.Settings // with nothing left to be drawn
	key      string
	dir      string
	report   func(up bool)

	daemon *charon
	stand  *os.File   // what stands where charonDevice has been
	spare  chan error // the next daemon is ready
	quit   context.CancelFunc
	lost   chan struct{} // the last SA has gone

	mute bool // BGP was shut when the tunnel was deleted

	mu   sync.Mutex
	here bool // the tunnel is configured at this end
	cut  bool // the path is down
	sas  int
	hush sync.WaitGroup // whoever sees to this end while it is there
}

// prepare starts a daemon that knows of its tunnel, and does nothing about it yet: the
// tunnel's interface is there, but down.
func (g *ikeEnd) prepare() (err error) {
	if g.daemon, err = startCharon(g.led, g.space, g.dir, g.settings); err != nil {
		return err
	}
	err = g.space.on(charonDevice, func(h *netlink.Handle, link netlink.Link) error {
		return errors.Join(h.LinkSetDown(link), h.LinkSetName(link, g.device), h.LinkSetNsFd(link, int(g.router.space.handle)))
	})
	if err != nil {
		return err
	}
	err = g.router.space.on(g.device, func(h *netlink.Handle, link netlink.Link) error {
		addr, err := netlink.ParseAddr(g.inside.String())
		if err != nil {
			return err
		}
		return errors.Join(h.LinkSetMTU(link, mtu), h.AddrAdd(link, addr))
	})
	if err != nil {
		return err
	}
	// charon points a route at its device by its name, and fails without one.
	if g.stand, err = openTUN(g.space, charonDevice); err != nil {
		return err
	}
	if err := g.space.setUp(charonDevice, true); err != nil {
		return err
	}
	return g.daemon.load(outside[g.end].Addr().String(), outside[1-g.end].Addr().String(), g.key, g.settings)
}

// create configures the tunnel at this end. An end that begins to negotiate does so
// after the given time.
func (g *ikeEnd) create(after time.Duration) error {
	if g.here {
		return nil
	}
	if g.spare != nil {
		err := <-g.spare
		if g.spare = nil; err != nil {
			return err
		}
	}
	if err := g.space.setUp(wireName, !g.cut); err != nil {
		return err
	}
	ctx, quit := context.WithCancel(context.Background())
	g.quit, g.lost = quit, make(chan struct{}, 1)
	g.mu.Lock()
	g.here, g.sas = true, 0
	g.mu.Unlock()
	events := g.daemon.events
	g.hush.Go(func() {
		for ev := range events {
			g.look(ev)
		}
	})
	if g.settings[topology.VPNInitiate].Bool {
		g.hush.Go(func() { g.keep(ctx, after) })
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.setInterface()
}

// setInterface has the interface up or down, as it is to be: where the path is there,
// the tunnel is configured and, if it follows the SA, there is one.
func (g *ikeEnd) setInterface() error {
	follows := g.settings[topology.VPNInterfaceFollowsSA].Bool
	return g.router.space.setUp(g.device, g.here && !g.cut && (g.sas > 0 || !follows))
}

// setPath takes the path down, or up again.
func (g *ikeEnd) setPath(up bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cut = !up
	return errors.Join(g.setInterface(), g.space.setUp(wireName, up && g.here))
}

// look at a child SA that has come or gone; the interface may follow it. While an SA is
// replaced by a new one, there are two for a moment.
func (g *ikeEnd) look(ev vici.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.here {
		return
	}
	before := g.sas
	if up, _ := ev.Message.Get("up").(string); up == "yes" {
		g.sas++
	} else {
		g.sas = max(g.sas-1, 0)
	}
	if (before > 0) == (g.sas > 0) {
		return
	}
	g.setInterface()
	g.report(g.sas > 0)
	if g.sas == 0 {
		select {
		case g.lost <- struct{}{}:
		default:
		}
	}
}

// keep negotiates, and again when there is nothing left: vpn.retry after it was given up
// or the SA has gone.
func (g *ikeEnd) keep(ctx context.Context, after time.Duration) {
	retry := g.settings[topology.VPNRetry].Dist.Max()
	for {
		if sleepUntil(ctx, time.Now().Add(after)) != nil {
			return
		}
		if idle, err := g.daemon.idle(ctx); err == nil && idle {
			g.daemon.initiate(ctx)
		}
		g.mu.Lock()
		up := g.sas > 0
		g.mu.Unlock()
		if up {
			select {
			case <-ctx.Done():
				return
			case <-g.lost:
			}
		}
		if after = retry; retry == 0 {
			return
		}
	}
}

// lastWord is what the CEASE gets of time before the SA goes that it leaves by: on a busy
// machine charon was seen to send its DELETE before it had encrypted what was there.
const lastWord = 100 * time.Millisecond

// remove takes the tunnel away at this end. With notify BGP and IKE say so first; else
// nobody hears of it, and nothing that the far end sends is answered.
func (g *ikeEnd) remove(notify bool, shut func() error) error {
	if !g.here {
		return nil
	}
	var err error
	if notify {
		err = shut()
		time.Sleep(lastWord)
		g.daemon.terminate()
	}
	g.mu.Lock()
	if g.here = false; g.sas > 0 {
		g.report(false)
	}
	err = errors.Join(err, g.setInterface(), g.space.setUp(wireName, false))
	g.mu.Unlock()
	g.close()
	g.spare = make(chan error, 1)
	spare := g.spare
	go func() { spare <- g.prepare() }()
	return err
}

// close ends the daemon and whoever sees to it.
func (g *ikeEnd) close() {
	if g.quit != nil {
		g.quit()
	}
	if g.daemon != nil {
		g.daemon.end()
	}
	g.hush.Wait()
	if g.stand != nil {
		g.stand.Close()
		g.stand = nil
	}
}

// tearDown ends all of it, and takes the namespace away.
func (g *ikeEnd) tearDown() {
	if g == nil {
		return
	}
	if g.spare != nil {
		<-g.spare
	}
	g.close()
	g.space.remove()
}

// newEnd makes an end of a tunnel, with its daemon, which waits.
func (g *rig) newEnd(link, end int, key string) (*ikeEnd, error) {
	l := &g.plan.Design.Links[link]
	e := &l.Ends[end]
	r := g.routers[e.Router]
	s, err := newSpace(fmt.Sprintf("%s-%s-%s", g.name, r.name, l.Name))
	if err != nil {
		return nil, err
	}
	from := g.plan.Scenario.Links[link].Ends[end].Settings
	from[topology.VPNVersion] = e.Settings[topology.VPNVersion]
	for k := topology.VPNVersion; k <= topology.VPNInterfaceFollowsSA; k++ {
		random := g.stream(fmt.Sprintf("%v of %s at %s", k, l.Name, r.name))
		from[k].Dist = topology.Const(from[k].Dist.Draw(random.Uint64()))
	}
	return &ikeEnd{led: g.led, router: r, space: s, end: end, device: g.plan.device(link), inside: e.Inside, settings: &from, key: key,
		dir: filepath.Join(g.dir, fmt.Sprintf("ike%d-%d", link, end)), report: func(up bool) { g.noteSA(link, end, up) }}, nil
}

// tunnel is a link with IPsec: its two ends. Nil: one without.
type tunnel [2]*ikeEnd

func (t *tunnel) tearDown() {
	if t != nil {
		t[0].tearDown()
		t[1].tearDown()
	}
}

// newTunnel makes the gateways of a link and starts their daemons, which wait.
func (g *rig) newTunnel(link int) (*tunnel, error) {
	t := &tunnel{}
	key, err := newKey()
	if err != nil {
		return t, err
	}
	for e := range t {
		if t[e], err = g.newEnd(link, e, key); err != nil {
			return t, err
		}
	}
	return t, nil
}

// raise has a tunnel, or a link, come up at both ends. Of two ends that both begin to
// negotiate, the second one waits a while: what strongSwan does with an SA too many is
// not what a lab is about.
func (g *rig) raise(link int) error {
	if t := g.tunnels[link]; t != nil {
		return errors.Join(t[0].create(0), t[1].create(2*time.Second))
	}
	w := g.wires[link]
	return errors.Join(w.at[0].setUp(w.name, true), w.at[1].setUp(w.name, true))
}

// deleteEnd removes a tunnel at one end.
func (g *rig) deleteEnd(link, end int, notify bool) error {
	if t := g.tunnels[link]; t != nil {
		return t[end].remove(notify, func() error {
			t[end].mute = true
			return g.session(link, end, false)
		})
	}
	w := g.wires[link]
	return w.at[end].setUp(w.name, false)
}

// createEnd configures it again: what is configured anew is not shut.
func (g *rig) createEnd(link, end int) error {
	if t := g.tunnels[link]; t != nil {
		err := t[end].create(0)
		if t[end].mute {
			t[end].mute = false
			err = errors.Join(err, g.session(link, end, true))
		}
		return err
	}
	w := g.wires[link]
	return w.at[end].setUp(w.name, true)
}

// setLink takes the path itself down or up. Both ends see it, whatever their SAs do.
func (g *rig) setLink(link, end int, up bool) error {
	w := g.wires[link]
	if t := g.tunnels[link]; t != nil {
		return t[end].setPath(up)
	}
	return w.at[end].setUp(w.name, up)
}

// prepare starts the daemons of all tunnels, at the same time.
func (g *rig) prepare() error {
	var all sync.WaitGroup
	errs := make([]error, 2*len(g.tunnels))
	for i, t := range g.tunnels {
		if t == nil {
			continue
		}
		for e := range t {
			all.Go(func() { errs[2*i+e] = t[e].prepare() })
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// checkIPsec tells whether a daemon has ended that should not.
func (g *rig) checkIPsec() error {
	for _, t := range g.tunnels {
		if t == nil {
			continue
		}
		for _, x := range t {
			if x.daemon.ended() {
				words, _ := os.ReadFile(filepath.Join(x.dir, "out"))
				return fmt.Errorf("%s: charon of %s has ended: %s", x.router.name, x.device, lastWords(words))
			}
		}
	}
	return nil
}

// moment at which an SA came or went.
type moment struct {
	at        time.Time
	link, end int
	up        bool
}

func (g *rig) noteSA(link, end int, up bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sas = append(g.sas, moment{time.Now(), link, end, up})
}

// changesOfSAs are those since the ping has begun.
func (g *rig) changesOfSAs(begin time.Time) (list []SA) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.sas {
		if l := &g.plan.Design.Links[m.link]; !m.at.Before(begin) {
			list = append(list, SA{g.plan.shift + m.at.Sub(begin), g.plan.Design.Routers[l.Ends[m.end].Router].Name, l.Name, m.up})
		}
	}
	return list
}
