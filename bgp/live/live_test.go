package live

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/bgp/wire"
)

var anyPort = netip.MustParseAddrPort("127.0.0.1:0")

// patience is how long a test waits for what must come. It is not a measure.
const patience = 20 * time.Second

// newHub is a hub that is closed at the end of the test, when nothing of it may
// run any more.
func newHub(t *testing.T) *Hub {
	t.Helper()
	before := runtime.NumGoroutine()
	h := NewHub()
	t.Cleanup(func() {
		h.Close()
		for end := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				buf := make([]byte, 1<<16)
				t.Fatalf("%d goroutines, %d before the test:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			}
		}
	})
	return h
}

func next(t *testing.T, h *Hub, want EventKind) Event {
	t.Helper()
	select {
	case ev := <-h.Events():
		if ev.Kind != want {
			t.Fatalf("event %d (%+v), want %d", ev.Kind, ev, want)
		}
		return ev
	case <-time.After(patience):
		t.Fatalf("event %d does not come", want)
	}
	return Event{}
}

// router calls the hub with a bare TCP connection.
func router(t *testing.T, h *Hub) (net.Conn, *Conn) {
	t.Helper()
	at, err := h.Listen(anyPort, Options{})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp4", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	ev := next(t, h, Accepted)
	if ev.At != at || ev.Conn.Remote() != address(nc.LocalAddr()) || ev.Conn.Local() != at {
		t.Fatalf("%+v, from %v to %v", ev, ev.Conn.Remote(), ev.Conn.Local())
	}
	return nc, ev.Conn
}

func octets(t *testing.T, m *bgp.Message) []byte {
	t.Helper()
	b, err := wire.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var open = (&bgp.Message{Type: bgp.MsgOpen, Open: &bgp.Open{Version: 4, AS: 65000, HoldTime: 30, ID: netip.MustParseAddr("10.0.0.1"), FourOctetAS: true}}).Seal()

// However TCP cuts the stream, the same messages come out; and none before Start.
func TestMessagesBothWays(t *testing.T) {
	h := newHub(t)
	nc, c := router(t, h)
	stream := append(octets(t, open), octets(t, bgp.Keepalive)...)
	for _, b := range stream {
		if _, err := nc.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case ev := <-h.Events():
		t.Fatalf("%+v before Start", ev)
	case <-time.After(20 * time.Millisecond):
	}
	c.Start(wire.Neighbour{External: true})
	if m := next(t, h, Received).Msg; m.Type != bgp.MsgOpen || m.Open.AS != 65000 {
		t.Errorf("%+v", m)
	}
	if m := next(t, h, Received).Msg; m.Type != bgp.MsgKeepalive {
		t.Errorf("%+v", m)
	}

	if err := c.Send(open); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, open.Size)
	if _, err := io.ReadFull(nc, got); err != nil || string(got) != string(octets(t, open)) {
		t.Errorf("%x, %v", got, err)
	}
	if err := c.Send(&bgp.Message{Type: 9}); err == nil {
		t.Error("what has no octets was sent")
	}

	nc.Close()
	if ev := next(t, h, Ended); !errors.Is(ev.Err, io.EOF) {
		t.Errorf("%v", ev.Err)
	}
}

func TestMalformed(t *testing.T) {
	h := newHub(t)
	nc, c := router(t, h)
	c.Start(wire.Neighbour{External: true})
	header := strings.Repeat("\xff", 16)

	// RFC 7606 §7.4: a MED of three octets is a withdrawal; the session stays.
	update := "\x02\x00\x00\x00\x1a" + "\x40\x01\x01\x00" + "\x40\x02\x06\x02\x01\x00\x00\xfd\xe8" + "\x40\x03\x04\x0a\x00\x00\x01" + "\x80\x04\x03\x00\x00\x01" + "\x10\x0a\x02"
	io.WriteString(nc, header+"\x00"+string(rune(18+len(update)))+update)
	ev := next(t, h, Received)
	if u := ev.Msg.Update; u == nil || len(u.Withdrawn) != 1 || len(u.NLRI) != 0 || fmt.Sprint(ev.Faults) != "[MULTI_EXIT_DISC has a wrong length]" {
		t.Errorf("%+v %v", ev.Msg, ev.Faults)
	}

	// RFC 4271 §6.1: behind a header that is none, nothing is to be trusted.
	io.WriteString(nc, header+"\x00\x12\x04"+header+"\x00\x13\x04")
	ev = next(t, h, Received)
	if m := ev.Msg; m.Type != bgp.MsgMalformed || m.Notification.Code != bgp.NoteHeader || m.Notification.Subcode != 2 || string(m.Notification.Data) != "\x00\x12" {
		t.Errorf("%+v %+v", m, m.Notification)
	}
	nc.Close()
	next(t, h, Ended) // and not the KEEPALIVE
}

// Our last words arrive before the end of the stream, though the router has sent
// what nobody has read.
func TestCloseAfterLastWords(t *testing.T) {
	for _, started := range []bool{false, true} {
		h := newHub(t)
		nc, c := router(t, h)
		if started {
			c.Start(wire.Neighbour{})
		}
		nc.Write(octets(t, open))
		cease := (&bgp.Message{Type: bgp.MsgNotification, Notification: &bgp.Notification{Code: bgp.NoteCease, Subcode: bgp.CeaseAdminShutdown}}).Seal()
		for range 1000 {
			c.Send(bgp.Keepalive)
		}
		c.Send(cease)
		c.Close()
		c.Send(bgp.Keepalive) // too late
		got, err := io.ReadAll(nc)
		if want := 1000*bgp.HeaderLen + cease.Size; err != nil || len(got) != want || string(got[len(got)-2:]) != "\x06\x02" {
			t.Errorf("%d octets, want %d: %v", len(got), want, err)
		}
		nc.Close()
		h.Close()
	}
}

func TestAbortResets(t *testing.T) {
	h := newHub(t)
	nc, c := router(t, h)
	c.Start(wire.Neighbour{})
	c.Abort()
	if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v", err)
	}
	c.Start(wire.Neighbour{})
	c.Close()
	c.Hold()
	c.GoOn()
}

// RFC 9687: a router that reads nothing closes its receive window; that is told.
func TestStuck(t *testing.T) {
	h := newHub(t)
	nc, c := router(t, h)
	nc.(*net.TCPConn).SetReadBuffer(256 << 10)
	c.Start(wire.Neighbour{})
	big := &bgp.Message{Type: bgp.MsgNotification, Notification: &bgp.Notification{Data: make([]byte, 4000)}}
	for range 2000 { // 8 MB: more than any two buffers take
		c.Send(big)
	}
	next(t, h, Stuck)
	go io.Copy(io.Discard, nc)
	next(t, h, Free)
}

// What is held is not read: the router's send buffer fills instead.
func TestHold(t *testing.T) {
	h := newHub(t)
	nc, c := router(t, h)
	c.Hold()
	c.Start(wire.Neighbour{})
	nc.Write(octets(t, bgp.Keepalive))
	select {
	case ev := <-h.Events():
		t.Fatalf("%+v while held", ev)
	case <-time.After(20 * time.Millisecond):
	}
	c.GoOn()
	next(t, h, Received)
}

func TestDial(t *testing.T) {
	h := newHub(t)
	at, err := h.Listen(anyPort, Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.Dial(7, netip.MustParseAddr("127.0.0.3"), at, Options{})
	kinds := map[EventKind]Event{}
	for range 2 {
		ev := <-h.Events()
		kinds[ev.Kind] = ev
	}
	if d := kinds[Dialed]; d.Tag != 7 || d.Conn.Local().Addr() != netip.MustParseAddr("127.0.0.3") || kinds[Accepted].Conn.Remote() != d.Conn.Local() {
		t.Errorf("%+v", kinds)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := address(l.Addr())
	l.Close()
	h.Dial(8, netip.Addr{}, nobody, Options{})
	if ev := next(t, h, Failed); ev.Tag != 8 || !errors.Is(ev.Err, syscall.ECONNREFUSED) {
		t.Errorf("%+v", ev)
	}
	if _, err := h.Listen(at, Options{}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listening twice: %v", err)
	}
}

// guarded tests that a listener with opt answers a caller with the same options
// and is deaf to one with others.
func guarded(t *testing.T, opt, other Options) {
	h := newHub(t)
	at, err := h.Listen(anyPort, opt)
	if errors.Is(err, ErrUnsupported) || errors.Is(err, syscall.ENOPROTOOPT) || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) {
		t.Skipf("this kernel has none: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	h.Dial(1, netip.Addr{}, at, opt)
	for range 2 {
		if ev := <-h.Events(); ev.Kind == Failed {
			t.Fatalf("the right caller: %v", ev.Err)
		}
	}
	d := net.Dialer{Timeout: 300 * time.Millisecond, Control: other.control}
	if nc, err := d.Dial("tcp4", at.String()); err == nil {
		nc.Close()
		t.Error("the wrong caller was answered")
	}
}

func TestMD5(t *testing.T) {
	right, _ := NewSecret("correct horse")
	wrong, _ := NewSecret("battery staple")
	for _, peers := range []string{"127.0.0.1/32", "127.0.0.0/8", "0.0.0.0/0"} {
		key := func(s Secret) Options {
			return Options{Keys: []Key{{netip.MustParsePrefix(peers), s}}}
		}
		t.Run(peers, func(t *testing.T) {
			guarded(t, key(right), Options{})
			guarded(t, key(right), key(wrong))
		})
	}
}

// "the TTL field in all IP packets used for transmission of protocol messages is
// set to 255"; Linux's default is 64. RFC 5082 §3
func TestTTLSecurity(t *testing.T) {
	guarded(t, Options{TTLSecurity: true}, Options{})
}

func TestSecretNeverShows(t *testing.T) {
	s, err := NewSecret("hunter2")
	if err != nil || s.IsZero() || !(Secret{}).IsZero() {
		t.Fatal(err)
	}
	opt := Options{Keys: []Key{{netip.MustParsePrefix("10.0.0.0/8"), s}}}
	for _, f := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, x := range []any{s, &s, opt, &opt} {
			if got := fmt.Sprintf(f, x); strings.Contains(got, "hunter2") || strings.Contains(got, "68756e746572") || strings.Contains(got, "104 117") {
				t.Errorf("%s shows it: %s", f, got)
			}
		}
	}
	for _, bad := range []string{"", strings.Repeat("x", 81)} {
		if _, err := NewSecret(bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%d octets: %v", len(bad), err)
		}
	}
}
