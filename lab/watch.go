//go:build linux

package lab

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// change of a route in the kernel of a router.
type change struct {
	at     time.Time
	router string
	prefix netip.Prefix
	via    string // the interfaces; empty: the route is gone
}

// watcher notes changes of the route tables of a trial. The kernel does not report the
// routes that go because an interface went down.
type watcher struct {
	mu   sync.Mutex
	list []change
	done chan struct{}
}

// watch begins to note changes in the routers' namespaces.
func (g *rig) watch() (*watcher, error) {
	w := &watcher{done: make(chan struct{})}
	for _, r := range g.routers {
		names := map[int]string{}
		err := r.space.links(func(h *netlink.Handle) error {
			links, err := h.LinkList()
			for _, l := range links {
				names[l.Attrs().Index] = l.Attrs().Name
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		updates := make(chan netlink.RouteUpdate, 256)
		if err := netlink.RouteSubscribeAt(r.space.handle, updates, w.done); err != nil {
			close(w.done)
			return nil, err
		}
		go func() {
			for u := range updates {
				w.note(r.name, names, &u)
			}
		}()
	}
	return w, nil
}

func (w *watcher) note(router string, names map[int]string, u *netlink.RouteUpdate) {
	// Connected routes and hosts are not routing's doing.
	if u.Dst == nil || u.Table != unix.RT_TABLE_MAIN || u.Protocol == unix.RTPROT_KERNEL || u.Protocol == unix.RTPROT_BOOT {
		return
	}
	addr, ok := netip.AddrFromSlice(u.Dst.IP.To4())
	if !ok {
		return
	}
	ones, _ := u.Dst.Mask.Size()
	c := change{at: time.Now(), router: router, prefix: netip.PrefixFrom(addr, ones)}
	if u.Type == unix.RTM_NEWROUTE {
		var via []string
		for _, hop := range u.MultiPath {
			via = append(via, names[hop.LinkIndex])
		}
		if len(via) == 0 {
			via = append(via, names[u.LinkIndex])
		}
		slices.Sort(via)
		c.via = strings.Join(via, " and ")
	}
	w.mu.Lock()
	w.list = append(w.list, c)
	w.mu.Unlock()
}

// stop watching; what was seen since the given moment.
func (w *watcher) stop(since time.Time) (list []change) {
	close(w.done)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.list {
		if !c.at.Before(since) {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b change) int { return a.at.Compare(b.at) })
	return list
}
