//go:build linux

package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// What the kernel of a router forwards by, followed by what it says about routes and
// interfaces. It does not say everything: when an interface goes down, IPv4's routes
// over it go without a word, and a route over several interfaces stays with the others
// alone. So the watcher knows all routes from the beginning, and draws those conclusions
// itself.

// change of a route in the kernel of a router.
type change struct {
	at     time.Time
	router string
	prefix netip.Prefix
	via    string // the interfaces; empty: the route is gone
	down   string // the interface whose going down has changed it; empty: the daemon has
}

// watcher notes the changes in all routers of a trial.
type watcher struct {
	files []*os.File
	done  sync.WaitGroup

	mu   sync.Mutex
	list []change
	err  error
}

// watch begins to note changes in the routers' namespaces.
func (g *rig) watch() (*watcher, error) {
	w := &watcher{}
	for i, r := range g.routers {
		t, err := newTable(r, w.note)
		var f *os.File
		if err == nil {
			f, err = listenRoutes(r.space)
		}
		if err == nil {
			w.files = append(w.files, f)
			err = t.begin(f)
		}
		if err != nil {
			w.stop(time.Time{})
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		w.done.Go(func() { w.follow(w.files[i], t) })
	}
	return w, nil
}

// listenRoutes opens a socket that is told of links and routes in a namespace.
func listenRoutes(s *space) (f *os.File, err error) {
	err = s.inside(func() error {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		err = errors.Join(moreRoom(fd),
			unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE}))
		if err != nil {
			unix.Close(fd)
			return err
		}
		f = os.NewFile(uintptr(fd), "netlink")
		return nil
	})
	return f, err
}

// begin asks for the links and routes that there are; what happens meanwhile is told
// among the answers.
func (t *table) begin(f *os.File) error {
	buf := make([]byte, 1<<18)
	f.SetReadDeadline(time.Now().Add(10 * time.Second))
	defer f.SetReadDeadline(time.Time{})
	for _, kind := range []uint16{unix.RTM_GETLINK, unix.RTM_GETROUTE} {
		const flags = unix.NLM_F_REQUEST | unix.NLM_F_DUMP
		e := binary.NativeEndian
		ask := e.AppendUint32(nil, unix.NLMSG_HDRLEN+4)
		ask = e.AppendUint16(ask, kind)
		ask = e.AppendUint16(ask, flags)
		ask = e.AppendUint32(ask, uint32(kind)) // tells its answers
		ask = append(ask, make([]byte, 8)...)   // from the kernel's idea of this socket; of all families
		if _, err := f.Write(ask); err != nil {
			return err
		}
		for answered := false; !answered; {
			n, err := f.Read(buf)
			if err != nil {
				return err
			}
			messages, err := syscall.ParseNetlinkMessage(buf[:n])
			if err != nil {
				return err
			}
			now := time.Now()
			for i := range messages {
				m := &messages[i]
				switch {
				case m.Header.Type == unix.NLMSG_ERROR:
					return errors.New("the kernel does not list its routes")
				case m.Header.Type == unix.NLMSG_DONE && m.Header.Seq == uint32(kind):
					answered = true
				default:
					t.take(m, now)
				}
			}
		}
	}
	t.known = true
	return nil
}

// follow a router's kernel until the file is closed.
func (w *watcher) follow(f *os.File, t *table) {
	buf := make([]byte, 1<<18)
	for {
		n, err := f.Read(buf)
		now := time.Now()
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, os.ErrClosed) {
			return
		}
		var messages []syscall.NetlinkMessage
		if err == nil {
			messages, err = syscall.ParseNetlinkMessage(buf[:n])
		}
		if err != nil { // ENOBUFS: they came faster than they were read
			w.mu.Lock()
			w.err = fmt.Errorf("changes of %s's routes were missed: %w", t.router, err)
			w.mu.Unlock()
			return
		}
		for i := range messages {
			t.take(&messages[i], now)
		}
	}
}

func (w *watcher) note(c change) {
	w.mu.Lock()
	w.list = append(w.list, c)
	w.mu.Unlock()
}

// stop watching; what was seen since the given moment.
func (w *watcher) stop(since time.Time) (list []change, err error) {
	for _, f := range w.files {
		f.SetReadDeadline(time.Now())
	}
	w.done.Wait()
	for _, f := range w.files {
		f.Close()
	}
	for _, c := range w.list {
		if !c.at.Before(since) {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b change) int { return a.at.Compare(b.at) })
	return list, w.err
}

// table is what is known of a router's main route table: what routing has put there.
type table struct {
	router string
	names  map[int]string // of interfaces, by number
	up     map[int]bool
	routes map[netip.Prefix][]kernelRoute // the one that is used first
	known  bool                           // all that was there at the beginning is
	say    func(change)
}

func newTable(r *router, say func(change)) (*table, error) {
	t := &table{router: r.name, names: map[int]string{}, up: map[int]bool{}, routes: map[netip.Prefix][]kernelRoute{}, say: say}
	err := r.space.links(func(h *netlink.Handle) error {
		links, err := h.LinkList()
		for _, l := range links {
			t.names[l.Attrs().Index] = l.Attrs().Name
		}
		return err
	})
	return t, err
}

// kernelRoute is an entry.
type kernelRoute struct {
	metric uint32
	via    []int // interfaces, in order
	// asleep are those of via that are down. The kernel takes them up again when they
	// come up, unless the route uses nexthops that are objects of their own: those are
	// gone.
	asleep  []int
	objects bool
}

// take a message of the kernel's.
func (t *table) take(m *syscall.NetlinkMessage, now time.Time) {
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		if len(m.Data) < unix.SizeofIfInfomsg {
			return
		}
		e := binary.NativeEndian
		index, flags := int(int32(e.Uint32(m.Data[4:]))), e.Uint32(m.Data[8:])
		// Tunnels of IPsec that are made anew have new numbers.
		attrs, _ := syscall.ParseNetlinkRouteAttr(m)
		for _, a := range attrs {
			if a.Attr.Type == unix.IFLA_IFNAME {
				t.names[index] = unix.ByteSliceToString(a.Value)
			}
		}
		t.link(index, m.Header.Type == unix.RTM_NEWLINK && flags&unix.IFF_UP != 0, now)
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		if p, r, ok := readRoute(m); ok {
			t.route(p, r, m.Header.Type == unix.RTM_NEWROUTE, now)
		}
	}
}

// rtaNextHopID is RTA_NH_ID of linux/rtnetlink.h.
const rtaNextHopID = 30

// readRoute reads a route that routing has made. Connected routes and hosts are not
// routing's doing.
func readRoute(m *syscall.NetlinkMessage) (p netip.Prefix, r kernelRoute, ok bool) {
	if len(m.Data) < unix.SizeofRtMsg {
		return p, r, false
	}
	e := binary.NativeEndian
	family, length, protocol, flags := m.Data[0], m.Data[1], m.Data[5], e.Uint32(m.Data[8:])
	if protocol == unix.RTPROT_KERNEL || protocol == unix.RTPROT_BOOT || protocol == unix.RTPROT_RA || flags&unix.RTM_F_CLONED != 0 {
		return p, r, false
	}
	addr := netip.IPv4Unspecified()
	if family == unix.AF_INET6 {
		addr = netip.IPv6Unspecified()
	} else if family != unix.AF_INET {
		return p, r, false
	}
	attrs, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return p, r, false
	}
	table := uint32(m.Data[4])
	for _, a := range attrs {
		switch v := a.Value; a.Attr.Type {
		case unix.RTA_DST:
			addr, _ = netip.AddrFromSlice(v)
		case unix.RTA_TABLE:
			table = e.Uint32(v)
		case unix.RTA_PRIORITY:
			r.metric = e.Uint32(v)
		case rtaNextHopID:
			r.objects = true
		case unix.RTA_OIF:
			r.via = append(r.via, int(int32(e.Uint32(v))))
		case unix.RTA_MULTIPATH:
			for len(v) >= unix.SizeofRtNexthop {
				n := int(e.Uint16(v))
				if n < unix.SizeofRtNexthop || n > len(v) {
					break
				}
				index := int(int32(e.Uint32(v[4:])))
				r.via = append(r.via, index)
				if v[2]&unix.RTNH_F_DEAD != 0 {
					r.asleep = append(r.asleep, index)
				}
				v = v[min((n+3)&^3, len(v)):]
			}
		}
	}
	p = netip.PrefixFrom(addr, int(length))
	slices.Sort(r.via)
	r.via = slices.Compact(r.via)
	return p, r, p.IsValid() && table == unix.RT_TABLE_MAIN
}

// route is there now, or is not any longer. What IPv6 takes away may be one of several
// ways of a route.
func (t *table) route(p netip.Prefix, r kernelRoute, there bool, now time.Time) {
	before := t.ways(p)
	list := t.routes[p]
	i, known := slices.BinarySearchFunc(list, r, func(a, b kernelRoute) int { return int(max(-1, min(1, int64(a.metric)-int64(b.metric)))) })
	switch {
	case there && known:
		list[i] = r
	case there:
		list = slices.Insert(list, i, r)
	case known:
		list[i].via, list[i].asleep = without(list[i].via, r.via...), without(list[i].asleep, r.via...)
		if p.Addr().Is4() || len(list[i].via) == 0 {
			list = slices.Delete(list, i, i+1)
		}
	}
	t.routes[p] = list
	t.compare(p, before, "", now)
}

// link is up now, or down, or has not changed.
func (t *table) link(index int, up bool, now time.Time) {
	if was, ok := t.up[index]; ok && was == up {
		return
	}
	t.up[index] = up
	for _, p := range slices.SortedFunc(maps.Keys(t.routes), netip.Prefix.Compare) {
		before, down := t.ways(p), ""
		var left []kernelRoute
		for _, r := range t.routes[p] {
			switch over := slices.Contains(r.via, index); {
			case over && up:
				r.asleep = without(r.asleep, index)
			case over && r.objects:
				r.via = without(r.via, index)
				down = t.names[index]
			case over && !slices.Contains(r.asleep, index):
				r.asleep = append(r.asleep, index)
				down = t.names[index]
			}
			if down == "" || len(r.asleep) < len(r.via) {
				left = append(left, r)
			}
		}
		t.routes[p] = left
		t.compare(p, before, down, now)
	}
}

// without is the list without what is to go.
func without(list []int, gone ...int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(k int) bool { return slices.Contains(gone, k) })
}

// ways are the interfaces that packets for a prefix leave by.
func (t *table) ways(p netip.Prefix) string {
	list := t.routes[p]
	if len(list) == 0 {
		return ""
	}
	var names []string
	for _, k := range list[0].via {
		if !slices.Contains(list[0].asleep, k) {
			names = append(names, t.names[k])
		}
	}
	slices.Sort(names)
	return strings.Join(names, " and ")
}

// compare says what has become of a prefix, if anything.
func (t *table) compare(p netip.Prefix, before, down string, now time.Time) {
	if after := t.ways(p); after != before && t.known {
		t.say(change{now, t.router, p, after, down})
	}
}
