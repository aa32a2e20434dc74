//go:build linux

package lab

import (
	"container/heap"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/topology"
)

// A wire carries packets between the TUN devices of two namespaces, as a tunnel of a VPN
// does: with the delay and the loss of the scenario, and cut in one direction or both
// without either end seeing anything. That is what sets it apart from a veth pair, whose
// other end always knows.

// wire is a link between two routers.
type wire struct {
	name  string // of the devices
	at    [2]*space
	files [2]*os.File
	ways  [2]way // what end 0 sends, what end 1 sends

	clocks [2]keepaliveClock
	wg     sync.WaitGroup
}

// way is one direction of it.
type way struct {
	mu    sync.Mutex
	delay topology.Dist
	loss  topology.Loss
	bad   bool // the state of the line, where losses come in bursts
	hole  bool // nothing gets through
	last  time.Time
	rand  sim.Stream
}

// openTUN makes a TUN device in a namespace. It lives as long as the file.
func openTUN(s *space, name string) (f *os.File, err error) {
	err = s.inside(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("/dev/net/tun: %w", err)
		}
		req, err := unix.NewIfreq(name)
		if err == nil {
			req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
			err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
		}
		if err != nil {
			unix.Close(fd)
			return fmt.Errorf("TUN device %s: %w", name, err)
		}
		f = os.NewFile(uintptr(fd), "/dev/net/tun")
		return nil
	})
	return f, err
}

// mtu leaves room for what IPsec would add.
const mtu = 1400

// outerMTU is that of a wire with IPsec in it.
const outerMTU = 1500

// newWire joins two namespaces by devices of that name with these addresses, which are
// down, and starts to carry packets.
func newWire(a, b *space, name string, addrs [2][]netip.Prefix, size int, l *topology.Link, seed uint64) (*wire, error) {
	w := &wire{name: name, at: [2]*space{a, b}}
	for i, s := range w.at {
		x := &w.ways[i]
		x.delay, x.loss, x.rand = l.Delay.Dist, l.Loss, sim.HashStream(seed+uint64(i))
		f, err := openTUN(s, name)
		if err != nil {
			w.close()
			return nil, err
		}
		w.files[i] = f
		// The link-local address is one of those that it is given: it is there from the
		// beginning. The kernel makes one when the link comes up, which may be after FRR's
		// session has, and FRR then does without.
		if addrs[i][0].Addr().Is6() || len(addrs[i]) > 1 {
			if err := s.sysctl6("conf/"+name+"/addr_gen_mode", "1"); err != nil {
				w.close()
				return nil, err
			}
		}
		err = s.on(name, func(h *netlink.Handle, link netlink.Link) error {
			errs := []error{h.LinkSetMTU(link, size)}
			for _, a := range addrs[i] {
				errs = append(errs, h.AddrAdd(link, mustAddr(a.String())))
			}
			return errors.Join(errs...)
		})
		if err != nil {
			w.close()
			return nil, err
		}
	}
	for i := range w.files {
		arrivals := make(chan due, 1024)
		w.wg.Add(2)
		go w.carry(i, arrivals)
		go w.deliver(1-i, arrivals)
	}
	return w, nil
}

// close ends the wire; its devices go with it.
func (w *wire) close() {
	for _, f := range w.files {
		if f != nil {
			f.Close()
		}
	}
	w.wg.Wait()
}

// swallow all that end i sends, or no longer.
func (w *wire) swallow(i int, hole bool) {
	x := &w.ways[i]
	x.mu.Lock()
	x.hole = hole
	x.mu.Unlock()
}

// lose packets that end i sends as is said from now on.
func (w *wire) lose(i int, loss topology.Loss) {
	x := &w.ways[i]
	x.mu.Lock()
	x.loss, x.bad = loss, false
	x.mu.Unlock()
}

// fate of a packet that is sent now: when it arrives, if it does.
func (x *way) fate() (at time.Time, arrives bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	at = time.Now().Add(x.delay.Draw(x.rand.Uint64()))
	if x.loss.ToBad > 0 {
		x.bad = x.loss.Next(x.bad, x.rand.Uint64())
	}
	if x.hole || x.loss.Lost(x.bad, x.rand.Uint64()) {
		return at, false
	}
	if at.Before(x.last) {
		at = x.last // packets stay in order
	}
	x.last = at
	return at, true
}

// due is a packet on its way.
type due struct {
	at   time.Time
	data []byte
}

type dues []due

func (d dues) Len() int           { return len(d) }
func (d dues) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d dues) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *dues) Push(x any)        { *d = append(*d, x.(due)) }
func (d *dues) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

// carry takes what end i sends, until the device is closed.
func (w *wire) carry(i int, arrivals chan<- due) {
	defer w.wg.Done()
	defer close(arrivals)
	buf := make([]byte, 1<<16)
	for {
		n, err := w.files[i].Read(buf)
		switch {
		case errors.Is(err, os.ErrClosed):
			return
		case err != nil: // the device is down
			time.Sleep(time.Millisecond)
			continue
		}
		w.clocks[i].hear(buf[:n])
		if at, arrives := w.ways[i].fate(); arrives {
			arrivals <- due{at, append([]byte(nil), buf[:n]...)}
		}
	}
}

// deliver writes packets to end i when their time has come.
func (w *wire) deliver(i int, arrivals <-chan due) {
	defer w.wg.Done()
	var queue dues
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if len(queue) > 0 {
			timer.Reset(time.Until(queue[0].at))
		}
		select {
		case d, ok := <-arrivals:
			if !ok {
				return
			}
			heap.Push(&queue, d)
		case <-timer.C:
			for len(queue) > 0 && !queue[0].at.After(time.Now()) {
				w.files[i].Write(heap.Pop(&queue).(due).data) // a device that is down takes nothing
			}
		}
	}
}
