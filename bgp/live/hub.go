package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/bgp/wire"
)

// EventKind is what can happen on a socket.
type EventKind uint8

const (
	Accepted EventKind = iota + 1 // a router has called: Conn, which came to Listen's address At
	Dialed                        // the call Tag got through: Conn
	Failed                        // the call Tag did not: Err
	Received                      // Msg came on Conn, and Faults were wrong with it
	Ended                         // the router has closed or reset Conn: Err, io.EOF when it closed it
	Stuck                         // the router reads nothing from Conn
	Free                          // it reads again
)

// Event is one of them.
type Event struct {
	Kind   EventKind
	Conn   *Conn
	Tag    uint64
	At     netip.AddrPort
	Msg    *bgp.Message
	Faults []wire.Fault
	Err    error
}

// Options of a listener, or of a call.
type Options struct {
	Keys        []Key // TCP MD5, RFC 2385: whose segments must be signed
	TTLSecurity bool  // RFC 5082: send with TTL 255, and take nothing that comes with less
}

// Key is the secret that is shared with the routers of a prefix.
type Key struct {
	Peers  netip.Prefix
	Secret Secret
}

// ErrUnsupported is what MD5 and TTL security are where there is no such thing.
var ErrUnsupported = errors.New("not supported by this system")

// dialTimeout is how long a call waits for an answer.
const dialTimeout = 10 * time.Second

// Hub owns listeners and connections, and everything that runs for them.
type Hub struct {
	events chan Event
	ctx    context.Context
	stop   context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	open   map[*Conn]bool
}

// NewHub returns a hub without any socket.
func NewHub() *Hub {
	h := &Hub{events: make(chan Event, 64), open: map[*Conn]bool{}}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// Drain waits until no connection is open, but no longer than d.
func (h *Hub) Drain(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		h.mu.Lock()
		n := len(h.open)
		h.mu.Unlock()
		if n == 0 {
			return
		}
	}
}

// Events is where everything that happens comes out. It is never closed.
func (h *Hub) Events() <-chan Event { return h.events }

// Close closes every listener, resets every connection and returns when nothing
// of the hub runs any more.
func (h *Hub) Close() {
	h.stop()
	h.mu.Lock()
	for c := range h.open {
		c.Abort()
	}
	h.mu.Unlock()
	h.wg.Wait()
}

// emit hands over an event, or drops it when the hub, or the connection that it
// is about, is closed.
func (h *Hub) emit(ev Event, gone <-chan struct{}) {
	select {
	case <-gone:
		return
	default:
	}
	select {
	case h.events <- ev:
	case <-gone:
	case <-h.ctx.Done():
	}
}

// Listen accepts connections at addr from now on. It returns the address that
// it really listens at: port 0 asks for any.
func (h *Hub) Listen(addr netip.AddrPort, opt Options) (netip.AddrPort, error) {
	lc := net.ListenConfig{Control: opt.control, KeepAlive: -1}
	l, err := lc.Listen(h.ctx, "tcp4", addr.String())
	if err != nil {
		return netip.AddrPort{}, err
	}
	at := address(l.Addr())
	h.wg.Go(func() {
		<-h.ctx.Done()
		l.Close()
	})
	h.wg.Go(func() {
		for {
			nc, err := l.Accept()
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err != nil: // out of file descriptors, or the caller is gone already
				select {
				case <-time.After(100 * time.Millisecond):
					continue
				case <-h.ctx.Done():
					return
				}
			}
			if c := h.adopt(nc.(*net.TCPConn)); c != nil {
				h.emit(Event{Kind: Accepted, Conn: c, At: at}, c.gone)
			}
		}
	})
	return at, nil
}

// Dial calls a router, from the address local, and returns at once.
func (h *Hub) Dial(tag uint64, local netip.Addr, remote netip.AddrPort, opt Options) {
	d := net.Dialer{Timeout: dialTimeout, Control: opt.control, KeepAlive: -1}
	if local.IsValid() && !local.IsUnspecified() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
	}
	h.wg.Go(func() {
		nc, err := d.DialContext(h.ctx, "tcp4", remote.String())
		if err != nil {
			h.emit(Event{Kind: Failed, Tag: tag, Err: err}, nil)
			return
		}
		if c := h.adopt(nc.(*net.TCPConn)); c != nil {
			h.emit(Event{Kind: Dialed, Tag: tag, Conn: c}, c.gone)
		}
	})
}

// adopt makes a Conn of a connection; nil when the hub is closed.
func (h *Hub) adopt(nc *net.TCPConn) *Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		nc.Close()
		return nil
	}
	c := newConn(h, nc)
	h.open[c] = true
	return c
}

func (h *Hub) forget(c *Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, c)
}

func address(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		p := t.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return netip.AddrPort{}
}

// Secret is a password. However it is printed, it does not show.
type Secret struct{ key string }

// NewSecret keeps a password; RFC 2385 implementations take up to 80 octets.
func NewSecret(key string) (Secret, error) {
	if n := len(key); n == 0 || n > maxKey {
		return Secret{}, fmt.Errorf("a TCP MD5 password has 1 to %d octets, not %d", maxKey, n)
	}
	return Secret{key}, nil
}

// maxKey is Linux's TCP_MD5SIG_MAXKEYLEN.
const maxKey = 80

// IsZero tells whether there is no password.
func (s Secret) IsZero() bool { return s.key == "" }

// Format is fmt.Formatter: whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, "(secret)") }

// MarshalText is for JSON and its like.
func (s Secret) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }
