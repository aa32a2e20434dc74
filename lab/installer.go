//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	api "github.com/osrg/gobgp/v3/api"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/vpnsim/vpnsim/topology"
)

// GoBGP computes routes and leaves it to others to use them. In a lab that is the
// installer: it listens to the best paths of a gobgpd and has the kernel of the router's
// namespace follow. It does what zebra does for FRR and no more: a route of a path leads
// to the neighbour that the path came from, over the link to it; one whose link is down
// waits until the link is up again; and when the process is gone, its routes go, unless
// the scenario says that they survive.

// installer looks after the routes of one gobgpd process.
type installer struct {
	router *router
	kernel *netlink.Handle
	ways   map[string]nextHop // by neighbour
	cancel context.CancelFunc
	over   chan struct{} // closed when the process is gone, or nobody cares any more
	done   sync.WaitGroup

	mu     sync.Mutex
	conn   *grpc.ClientConn
	failed error
	closed bool // nothing is to be in the kernel
	want   map[netip.Prefix][]nextHop
}

// nextHop is a neighbour, and the interface to it.
type nextHop struct {
	addr  netip.Addr
	index int
}

// newInstaller begins to look after a process that has just been started, and first
// tells it which networks are its own.
func newInstaller(r *router, socket string, own []netip.Prefix, closed bool) (*installer, error) {
	kernel, err := netlink.NewHandleAt(r.space.handle)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	in := &installer{router: r, kernel: kernel, ways: map[string]nextHop{}, cancel: cancel, over: make(chan struct{}), closed: closed, want: map[netip.Prefix][]nextHop{}}
	for l := range r.plan.Design.Links {
		for e, end := range r.plan.Design.Links[l].Ends {
			if end.Router != r.index {
				continue
			}
			link, err := kernel.LinkByName(r.plan.device(l))
			if err != nil {
				cancel()
				kernel.Close()
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
			far := &r.plan.Design.Links[l].Ends[1-e]
			for _, f := range []topology.Family{topology.IPv4, topology.IPv6} {
				if a := far.In(f); a.IsValid() {
					in.ways[far.Inside.Addr().String()+" "+f.String()] = nextHop{a, link.Attrs().Index}
				}
			}
		}
	}
	in.done.Add(2)
	go func() {
		defer in.done.Done()
		defer close(in.over)
		if err := in.follow(ctx, socket, own); err != nil && ctx.Err() == nil {
			in.mu.Lock()
			in.failed = err
			in.mu.Unlock()
		}
	}()
	go func() {
		defer in.done.Done()
		in.watchLinks(ctx)
	}()
	return in, nil
}

// gone is told when the process is: what it has installed goes, too.
func (in *installer) gone() {
	if _, err := in.client(); err == nil {
		select {
		case <-in.over:
		case <-time.After(time.Second):
		}
	}
	in.stop()
}

// stop looking after it. What is in the kernel stays there.
func (in *installer) stop() {
	in.cancel()
	in.done.Wait()
	if in.conn != nil {
		in.conn.Close()
	}
	in.kernel.Close()
}

// client speaks to the process, once it listens.
func (in *installer) client() (api.GobgpApiClient, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.failed != nil:
		return nil, in.failed
	case in.conn == nil:
		return nil, errors.New("gobgpd does not listen yet")
	}
	return api.NewGobgpApiClient(in.conn), nil
}

// follow the process for as long as it lives.
func (in *installer) follow(ctx context.Context, socket string, own []netip.Prefix) error {
	for {
		if _, err := os.Stat(socket); err == nil {
			break
		}
		if err := sleepUntil(ctx, time.Now().Add(10*time.Millisecond)); err != nil {
			return err
		}
	}
	conn, err := grpc.DialContext(ctx, "unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithBlock())
	if err != nil {
		return err
	}
	c := api.NewGobgpApiClient(conn)
	if err := begun(ctx, c); err != nil {
		conn.Close()
		return err
	}
	for _, p := range own {
		if err := originate(ctx, c, p, true); err != nil {
			conn.Close()
			return fmt.Errorf("network %v: %w", p, err)
		}
	}
	in.mu.Lock()
	in.conn = conn
	in.mu.Unlock()
	best := &api.WatchEventRequest_Table{Filters: []*api.WatchEventRequest_Table_Filter{{Type: api.WatchEventRequest_Table_Filter_BEST, Init: true}}}
	events, err := c.WatchEvent(ctx, &api.WatchEventRequest{Table: best})
	for err == nil {
		var ev *api.WatchEventResponse
		if ev, err = events.Recv(); err == nil {
			err = in.learn(ev.GetTable().GetPaths())
		}
	}
	if ctx.Err() == nil && !in.router.survives() {
		return errors.Join(err, in.forget())
	}
	return err
}

// begun waits until the process has read its configuration: it listens to its clients
// before that.
func begun(ctx context.Context, c api.GobgpApiClient) error {
	for {
		bgp, err := c.GetBgp(ctx, &api.GetBgpRequest{})
		if err == nil && bgp.GetGlobal().GetAsn() != 0 {
			return nil
		}
		if sleepUntil(ctx, time.Now().Add(10*time.Millisecond)) != nil {
			return errors.Join(ctx.Err(), err)
		}
	}
}

// learn the best paths of some prefixes: of each all that are best now.
func (in *installer) learn(paths []*api.Path) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	var changed []netip.Prefix
	for _, p := range paths {
		prefix, err := prefixOf(p)
		if err != nil {
			return err
		}
		if !slices.Contains(changed, prefix) {
			changed = append(changed, prefix)
			delete(in.want, prefix)
		}
		// What is the router's own is where its hosts are, and leads nowhere.
		if hop, ok := in.ways[p.NeighborIp+" "+topology.FamilyOf(prefix.Addr()).String()]; ok && !p.IsWithdraw {
			in.want[prefix] = append(in.want[prefix], hop)
		}
	}
	return in.install(changed)
}

func prefixOf(p *api.Path) (netip.Prefix, error) {
	var nlri api.IPAddressPrefix
	if err := p.GetNlri().UnmarshalTo(&nlri); err != nil {
		return netip.Prefix{}, err
	}
	addr, err := netip.ParseAddr(nlri.Prefix)
	return netip.PrefixFrom(addr, int(nlri.PrefixLen)), err
}

// install has the kernel's routes be as they are wanted.
func (in *installer) install(list []netip.Prefix) error {
	for _, p := range list {
		route := netlink.Route{Dst: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}, Protocol: unix.RTPROT_BGP}
		for _, hop := range in.want[p] {
			link, err := in.kernel.LinkByIndex(hop.index)
			if err != nil {
				return err
			}
			if link.Attrs().Flags&net.FlagUp != 0 && !in.closed {
				route.MultiPath = append(route.MultiPath, &netlink.NexthopInfo{LinkIndex: hop.index, Gw: hop.addr.AsSlice()})
			}
		}
		var err error
		switch len(route.MultiPath) {
		case 0:
			err = in.kernel.RouteDel(&route)
		case 1:
			route.LinkIndex, route.Gw, route.MultiPath = route.MultiPath[0].LinkIndex, route.MultiPath[0].Gw, nil
			err = in.kernel.RouteReplace(&route)
		default:
			err = in.kernel.RouteReplace(&route)
		}
		// The route that is to go may have gone with its link, and a link may have gone
		// down since it was looked at.
		if err != nil && !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.ENETDOWN) && !errors.Is(err, unix.ENETUNREACH) {
			return fmt.Errorf("route to %v: %w", p, err)
		}
	}
	return nil
}

// known are the prefixes that have a route, in order.
func (in *installer) known() (list []netip.Prefix) {
	for p := range in.want {
		list = append(list, p)
	}
	slices.SortFunc(list, netip.Prefix.Compare)
	return list
}

// forget takes all routes out.
func (in *installer) forget() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	list := in.known()
	clear(in.want)
	return in.install(list)
}

// open lets routes into the kernel, or no longer.
func (in *installer) open(on bool) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = !on
	return in.install(in.known())
}

// watchLinks installs again what the kernel has thrown out because a link was down.
func (in *installer) watchLinks(ctx context.Context) {
	up := map[int]bool{}
	for _, hop := range in.ways {
		if link, err := in.kernel.LinkByIndex(hop.index); err == nil {
			up[hop.index] = link.Attrs().Flags&net.FlagUp != 0
		}
	}
	updates := make(chan netlink.LinkUpdate, 64)
	if err := netlink.LinkSubscribeAt(in.router.space.handle, updates, ctx.Done()); err != nil {
		in.mu.Lock()
		in.failed = err
		in.mu.Unlock()
		return
	}
	for {
		var u netlink.LinkUpdate
		select {
		case <-ctx.Done():
			return
		case u = <-updates:
		}
		index := int(u.Index)
		was := up[index]
		up[index] = u.IfInfomsg.Flags&unix.IFF_UP != 0
		if was || !up[index] {
			continue
		}
		in.mu.Lock()
		var list []netip.Prefix
		for _, p := range in.known() {
			if slices.ContainsFunc(in.want[p], func(h nextHop) bool { return h.index == index }) {
				list = append(list, p)
			}
		}
		if err := in.install(list); err != nil {
			in.failed = err
		}
		in.mu.Unlock()
	}
}

// endOfStream is no error.
func endOfStream(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
