//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// space is a network namespace of the lab's own. It has a name, so that people can look
// into it with `ip netns exec` while the lab runs, and so that what a lab has left behind
// can be found.
type space struct {
	name   string
	handle netns.NsHandle
}

// namedSpaces is where named namespaces are; ip netns uses the same.
const namedSpaces = "/run/netns"

// newSpace makes a namespace with nothing in it but its loopback interface, up. It is
// not connected to anything.
func newSpace(name string) (*space, error) {
	s := &space{name: name, handle: netns.None()}
	err := inOwnThread(func() error {
		h, err := netns.NewNamed(name) // and the thread is in it
		if err != nil {
			return err
		}
		s.handle = h
		lo, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.LinkSetUp(lo)
		}
		return err
	})
	if err != nil {
		if !errors.Is(err, os.ErrExist) { // else it is somebody else's
			s.remove()
		}
		return nil, fmt.Errorf("network namespace %s: %w", name, err)
	}
	return s, nil
}

// inOwnThread runs f on a thread that nobody else will use again, since f changes what
// network the thread is in: the runtime ends a thread whose goroutine ends locked to it.
func inOwnThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

// inside runs f in the namespace. What f starts is in it, too.
func (s *space) inside(f func() error) error {
	return inOwnThread(func() error {
		if err := netns.Set(s.handle); err != nil {
			return fmt.Errorf("network namespace %s: %w", s.name, err)
		}
		return f()
	})
}

// links lets f speak to the kernel about the namespace's interfaces, addresses and
// routes.
func (s *space) links(f func(*netlink.Handle) error) error {
	h, err := netlink.NewHandleAt(s.handle)
	if err == nil {
		err = f(h)
		h.Close()
	}
	if err != nil {
		return fmt.Errorf("network namespace %s: %w", s.name, err)
	}
	return nil
}

// on lets f speak about one interface.
func (s *space) on(name string, f func(*netlink.Handle, netlink.Link) error) error {
	return s.links(func(h *netlink.Handle) error {
		link, err := h.LinkByName(name)
		if err == nil {
			err = f(h, link)
		}
		if err != nil {
			return fmt.Errorf("interface %s: %w", name, err)
		}
		return nil
	})
}

// setUp brings an interface up, or down.
func (s *space) setUp(name string, up bool) error {
	return s.on(name, func(h *netlink.Handle, link netlink.Link) error {
		if up {
			return h.LinkSetUp(link)
		}
		return h.LinkSetDown(link)
	})
}

// sysctl sets a setting of the namespace's network.
func (s *space) sysctl(name, value string) error {
	return s.inside(func() error {
		return os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0)
	})
}

// remove takes the namespace away, and every interface in it.
func (s *space) remove() {
	if s.handle.IsOpen() {
		s.handle.Close()
	}
	netns.DeleteNamed(s.name)
	os.Remove(filepath.Join(namedSpaces, s.name)) // of one that never became one
}

// spacesOf are the names of namespaces that a run has made.
func spacesOf(run string) (names []string) {
	paths, _ := filepath.Glob(filepath.Join(namedSpaces, run+"-*"))
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	return names
}
