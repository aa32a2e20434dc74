//go:build linux

package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/vpnsim/vpnsim/packet"
)

// A tap is a packet socket in a router's namespace: the kernel gives it a copy of every
// packet of BGP's that leaves or arrives, with the moment when it did. What routers do
// is not changed by it.

type tap struct {
	space *space
	file  *os.File
	done  chan struct{}
	heard []overheard
	news  atomic.Int64 // when something other than a keepalive was last heard, in Unix nanoseconds
}

// port179 is what the kernel asks of a packet before it makes a copy: TCP from or to
// BGP's port, behind a header of IPv4 or, without extension headers, of IPv6.
var port179 = []unix.SockFilter{
	0:  {Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 0}, // version
	1:  {Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0xf0},
	2:  {Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0x40, Jt: 1},
	3:  {Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0x60, Jt: 7, Jf: 13},
	4:  {Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 9}, // IPv4: protocol
	5:  {Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.IPPROTO_TCP, Jf: 11},
	6:  {Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH, K: 0}, // length of the header
	7:  {Code: unix.BPF_LD | unix.BPF_H | unix.BPF_IND, K: 0},
	8:  {Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 179, Jt: 9},
	9:  {Code: unix.BPF_LD | unix.BPF_H | unix.BPF_IND, K: 2},
	10: {Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 179, Jt: 7, Jf: 6},
	11: {Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 6}, // IPv6: next header
	12: {Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.IPPROTO_TCP, Jf: 4},
	13: {Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 40},
	14: {Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 179, Jt: 3},
	15: {Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 42},
	16: {Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 179, Jt: 1},
	17: {Code: unix.BPF_RET | unix.BPF_K, K: 0},
	18: {Code: unix.BPF_RET | unix.BPF_K, K: 1 << 16}, // all of it
}

// tapRoom is for packets that the kernel keeps while this program is busy.
const tapRoom = 4 << 20

// newTap begins to listen in a namespace.
func newTap(s *space) (*tap, error) {
	t := &tap{space: s, done: make(chan struct{})}
	err := s.inside(func() error {
		// Without a protocol it hears nothing until it is bound, when the filter is there.
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		err = errors.Join(
			unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(port179)), Filter: &port179[0]}),
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
			moreRoom(fd),
			unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL)}))
		if err != nil {
			unix.Close(fd)
			return err
		}
		t.file = os.NewFile(uintptr(fd), "packet socket")
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("a tap in %s: %w", s.name, err)
	}
	go t.listen()
	return t, nil
}

// moreRoom is for what a socket is told while this program is busy. In a user namespace
// it is what the machine allows.
func moreRoom(fd int) error {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, tapRoom) == nil {
		return nil
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, tapRoom)
}

func bigEndian(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

// listen until the file's deadline has come; what is there then is still taken.
func (t *tap) listen() {
	defer close(t.done)
	c, err := t.file.SyscallConn()
	if err != nil {
		return
	}
	var parser packet.Parser
	buf, oob := make([]byte, 1<<16), make([]byte, 128)
	take := func(fd uintptr) bool {
		for {
			n, control, _, from, err := unix.Recvmsg(int(fd), buf, oob, 0)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				return !errors.Is(err, unix.EAGAIN)
			}
			o := overheard{at: stamped(oob[:control]), data: slices.Clone(buf[:n])}
			if ll, ok := from.(*unix.SockaddrLinklayer); ok {
				o.device = ll.Ifindex
			}
			if t.heard = append(t.heard, o); !o.humdrum(&parser) {
				t.news.Store(o.at.UnixNano())
			}
		}
	}
	c.Read(take)
	c.Control(func(fd uintptr) { take(fd) })
}

// stamped is the moment that the kernel has written beside a packet.
func stamped(oob []byte) time.Time {
	messages, _ := syscall.ParseSocketControlMessage(oob)
	for _, m := range messages {
		if m.Header.Level != unix.SOL_SOCKET || m.Header.Type != unix.SCM_TIMESTAMPNS {
			continue
		}
		switch d, e := m.Data, binary.NativeEndian; len(d) {
		case 16:
			return time.Unix(int64(e.Uint64(d)), int64(e.Uint64(d[8:])))
		case 8:
			return time.Unix(int64(e.Uint32(d)), int64(e.Uint32(d[4:])))
		}
	}
	return time.Now()
}

// stop listening, and forget what came after end. What was missed is counted: packets that came faster than they were
// taken.
func (t *tap) stop(end time.Time) (heard []overheard, missed int) {
	t.file.SetReadDeadline(time.Now())
	<-t.done
	if c, err := t.file.SyscallConn(); err == nil {
		c.Control(func(fd uintptr) {
			if s, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
				missed = int(s.Drops)
			}
		})
	}
	t.file.Close()
	t.heard = slices.DeleteFunc(t.heard, func(o overheard) bool { return o.at.After(end) })
	return t.heard, missed
}

// tap begins to listen at every router.
func (g *rig) tap() error {
	for _, r := range g.routers {
		t, err := newTap(r.space)
		if err != nil {
			return err
		}
		g.taps = append(g.taps, t)
	}
	return nil
}

// latestNews is when a router last heard or said something other than a keepalive.
func (g *rig) latestNews() time.Time {
	latest := int64(0)
	for _, t := range g.taps {
		latest = max(latest, t.news.Load())
	}
	return time.Unix(0, latest)
}

// capture is how the names of a trial's captures begin; empty: none are wanted.
func (o *Options) capture(trial int) string {
	if o.Pcap == "" {
		return ""
	}
	return filepath.Join(o.Pcap, fmt.Sprintf("trial%d-", trial))
}

// untap stops listening. What was heard is kept as a file for each router, if capture is
// not empty.
func (g *rig) untap(capture string) (heard [][]overheard, missed int, err error) {
	// Of all, up to the same moment: what was sent later cannot have arrived.
	end := time.Now()
	for i, t := range g.taps {
		list, n := t.stop(end)
		heard, missed = append(heard, list), missed+n
		if capture != "" {
			err = errors.Join(err, t.write(capture+g.routers[i].name+".pcapng"))
		}
	}
	g.taps = nil
	return heard, missed, err
}

// write what was heard as pcapng, one interface for each of the router's.
func (t *tap) write(file string) error {
	var names []string
	of := map[int]int{}
	err := t.space.links(func(h *netlink.Handle) error {
		links, err := h.LinkList()
		for _, l := range links {
			of[l.Attrs().Index] = len(names)
			names = append(names, l.Attrs().Name)
		}
		return err
	})
	for _, o := range t.heard {
		if _, ok := of[o.device]; !ok { // it is gone
			of[o.device] = len(names)
			names = append(names, fmt.Sprint("interface ", o.device))
		}
	}
	if err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	c, err := packet.NewCapture(f, names)
	if err != nil {
		return err
	}
	for _, o := range t.heard {
		if err := c.Write(of[o.device], o.at, o.data, ""); err != nil {
			return err
		}
	}
	return errors.Join(c.Flush(), f.Close())
}
