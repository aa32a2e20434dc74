package live

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/bgp/wire"
)

const (
	// stuckAfter: when nothing could be written for so long, the router's receive
	// window is closed. RFC 9687 starts its timer then.
	stuckAfter = time.Second
	// lingers is how long a connection that we have closed waits for the router to
	// close it too. Without that, octets of the router that nobody has read make
	// Linux send RST, which may overtake the NOTIFICATION.
	lingers = 2 * time.Second
	// sendBuffer keeps the kernel from swallowing megabytes before a router that
	// reads nothing is noticed.
	sendBuffer = 64 << 10
)

// Conn is one TCP connection that carries BGP messages. Its methods may be
// called from anywhere and never wait.
type Conn struct {
	hub  *Hub
	tcp  *net.TCPConn
	gone chan struct{} // closed when nobody wants to hear of the connection any more

	mu      sync.Mutex
	wake    *sync.Cond // the writer's
	out     []byte     // not written yet
	closing bool       // FIN follows what is in out
	aborted bool
	started bool // there is, or was, a reader
	running int  // the reader and the writer, while they run
	left    bool // gone is closed
	held    bool
	resume  chan struct{} // closed unless held
}

func newConn(h *Hub, nc *net.TCPConn) *Conn {
	c := &Conn{hub: h, tcp: nc, running: 1, gone: make(chan struct{}), resume: make(chan struct{})}
	close(c.resume)
	c.wake = sync.NewCond(&c.mu)
	nc.SetNoDelay(true)
	nc.SetWriteBuffer(sendBuffer)
	h.wg.Go(c.write)
	return c
}

// Local and Remote are the ends of the connection.
func (c *Conn) Local() netip.AddrPort  { return address(c.tcp.LocalAddr()) }
func (c *Conn) Remote() netip.AddrPort { return address(c.tcp.RemoteAddr()) }

// Start begins to read. What the router has sent meanwhile has waited.
func (c *Conn) Start(from wire.Neighbour) {
	from.Loopback = from.Loopback || c.Remote().Addr().IsLoopback()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.started && !c.closing && !c.aborted {
		c.started = true
		c.running++
		c.hub.wg.Go(func() { c.read(from) })
	}
}

// Hold stops reading, GoOn reads again: what the router sends meanwhile fills
// its send buffer.
func (c *Conn) Hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.held {
		c.held, c.resume = true, make(chan struct{})
	}
}

func (c *Conn) GoOn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held {
		c.held = false
		close(c.resume)
	}
}

// Send writes a message. What the wire cannot carry is an error.
func (c *Conn) Send(m *bgp.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.aborted {
		return nil
	}
	out, err := wire.Append(c.out, m)
	if err != nil {
		return err
	}
	c.out = out
	c.wake.Signal()
	return nil
}

// Close closes the connection after what was sent. No more of what happens on it
// is told, but for what is under way.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave()
	c.closing = true
	c.wake.Signal()
}

// Abort resets the connection. Nor is anything told after this.
func (c *Conn) Abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave()
	if !c.aborted {
		c.aborted = true
		c.tcp.SetLinger(0)
		c.tcp.Close()
		c.wake.Signal()
	}
}

// leave silences the connection. c.mu is held.
func (c *Conn) leave() {
	if !c.left {
		c.left = true
		close(c.gone)
	}
}

// done is how the reader and the writer end; the last one closes the socket.
func (c *Conn) done() {
	c.mu.Lock()
	c.running--
	last := c.running == 0
	c.mu.Unlock()
	if last {
		c.tcp.Close()
		c.hub.forget(c) // takes the hub's lock, behind which Close takes ours
	}
}

// read turns octets into messages until the connection ends. After Close it
// goes on, for nobody, until the router has closed too.
func (c *Conn) read(from wire.Neighbour) {
	defer c.done()
	var stream []byte
	buf := make([]byte, wire.MaxLen)
	for deaf := false; ; {
		c.mu.Lock()
		resume := c.resume
		c.mu.Unlock()
		select {
		case <-resume:
		case <-c.gone:
			deaf = true
		}
		n, err := c.tcp.Read(buf)
		if n > 0 && !deaf {
			stream, deaf = c.cut(append(stream, buf[:n]...), from)
		}
		if err != nil {
			c.hub.emit(Event{Kind: Ended, Conn: c, Err: err}, c.gone)
			c.Close() // our half, unless that has been done
			return
		}
	}
}

// cut hands over the messages at the head of stream and returns the rest. Behind
// a header that is none nothing can be read any more: it is deaf then.
func (c *Conn) cut(stream []byte, from wire.Neighbour) (rest []byte, deaf bool) {
	for {
		b, rest, bad := wire.Split(stream)
		switch {
		case bad != nil:
			c.hub.emit(Event{Kind: Received, Conn: c, Msg: malformed(bad, len(stream))}, c.gone)
			return nil, true
		case b == nil:
			return rest, false
		}
		m, faults, bad := wire.Receive(b, from)
		if bad != nil {
			m = malformed(bad, len(b))
		}
		c.hub.emit(Event{Kind: Received, Conn: c, Msg: m, Faults: faults}, c.gone)
		stream = rest
	}
}

// malformed stands for octets that are no message, and carries the answer that
// they deserve.
func malformed(n *bgp.Notification, size int) *bgp.Message {
	return &bgp.Message{Type: bgp.MsgMalformed, Notification: n, Size: size}
}

// write writes what Send has put into out, until the connection ends.
func (c *Conn) write() {
	defer c.done()
	stuck := false
	for {
		c.mu.Lock()
		for len(c.out) == 0 && !c.closing && !c.aborted {
			c.wake.Wait()
		}
		out := c.out
		c.out = nil
		aborted := c.aborted
		c.mu.Unlock()
		switch {
		case aborted:
			return
		case len(out) == 0: // closing
			c.finish()
			return
		}
		for len(out) > 0 {
			c.tcp.SetWriteDeadline(time.Now().Add(stuckAfter))
			n, err := c.tcp.Write(out)
			out = out[n:]
			var timeout net.Error
			late := errors.As(err, &timeout) && timeout.Timeout()
			if err != nil && !late {
				return // the connection is broken, as the reader will find out
			}
			if is := late && n == 0; is != stuck {
				stuck = is
				kind := Free
				if stuck {
					kind = Stuck
				}
				c.hub.emit(Event{Kind: kind, Conn: c}, c.gone)
			}
			c.mu.Lock()
			closing := c.closing
			c.mu.Unlock()
			if stuck && closing {
				c.Abort() // it does not even read our last words
				return
			}
		}
	}
}

// finish sends FIN and waits a little for the router's.
func (c *Conn) finish() {
	c.mu.Lock()
	started := c.started
	c.mu.Unlock()
	c.tcp.SetReadDeadline(time.Now().Add(lingers))
	c.tcp.CloseWrite()
	for buf := make([]byte, wire.MaxLen); !started; {
		if _, err := c.tcp.Read(buf); err != nil {
			return
		}
	}
}
