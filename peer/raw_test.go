package peer_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/bgp/live"
	"github.com/vpnsim/vpnsim/bgp/wire"
	"github.com/vpnsim/vpnsim/peer"
)

// The real router of these tests is a TCP connection and what a test writes to
// it: what no real router does.

type raw struct {
	t  *testing.T
	nc net.Conn
	in []byte
}

// call opens a connection from 127.0.0.2, and another one while vpnsim resets
// them: its session is not yet, or not any more, ready for calls.
func call(t *testing.T, at netip.AddrPort) *raw {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		nc, err := d.Dial("tcp4", at.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		nc.SetDeadline(time.Now().Add(patience))
		r := &raw{t: t, nc: nc}
		if m, err := r.read(); err == nil && m.Type == bgp.MsgOpen {
			return r
		}
		nc.Close()
	}
	t.Fatal("vpnsim sends no OPEN")
	return nil
}

func (r *raw) read() (*bgp.Message, error) {
	for {
		b, rest, bad := wire.Split(r.in)
		if bad != nil {
			return nil, fmt.Errorf("NOTIFICATION %d/%d", bad.Code, bad.Subcode)
		}
		if r.in = rest; b != nil {
			m, bad := wire.Decode(b)
			if bad != nil {
				return nil, fmt.Errorf("NOTIFICATION %d/%d", bad.Code, bad.Subcode)
			}
			return m, nil
		}
		buf := make([]byte, 4096)
		n, err := r.nc.Read(buf)
		if err != nil {
			return nil, err
		}
		r.in = append(r.in, buf[:n]...)
	}
}

// expect reads up to the next message of that type.
func (r *raw) expect(kind bgp.MsgType) *bgp.Message {
	r.t.Helper()
	for {
		m, err := r.read()
		if err != nil {
			r.t.Fatalf("no message of type %d: %v", kind, err)
		}
		if m.Type == kind {
			return m
		}
	}
}

// notified reads up to a NOTIFICATION, behind which the stream must end.
func (r *raw) notified(want string) {
	r.t.Helper()
	n := r.expect(bgp.MsgNotification).Notification
	if got := strings.TrimSpace(fmt.Sprintf("%d/%d %x", n.Code, n.Subcode, n.Data)); got != want {
		r.t.Errorf("NOTIFICATION %s, want %s", got, want)
	}
	if m, err := r.read(); !errors.Is(err, io.EOF) {
		r.t.Errorf("after the NOTIFICATION: %+v, %v", m, err)
	}
}

func (r *raw) send(m *bgp.Message) {
	r.t.Helper()
	b, err := wire.Encode(m)
	if err != nil {
		r.t.Fatal(err)
	}
	r.nc.Write(b)
}

// octets sends a message of that type with a body in hexadecimal.
func (r *raw) octets(kind byte, body string) {
	r.t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(body, " ", ""))
	if err != nil {
		r.t.Fatal(err)
	}
	n := bgp.HeaderLen + len(b)
	r.nc.Write(append(append(bytes.Repeat([]byte{0xff}, 16), byte(n>>8), byte(n), kind), b...))
}

func open(change func(*bgp.Open)) *bgp.Message {
	o := &bgp.Open{Version: 4, AS: 65010, HoldTime: 90, ID: netip.MustParseAddr("10.1.0.1"), FourOctetAS: true}
	if change != nil {
		change(o)
	}
	return (&bgp.Message{Type: bgp.MsgOpen, Open: o}).Seal()
}

// establish brings the session up.
func establish(t *testing.T, at netip.AddrPort) *raw {
	t.Helper()
	r := call(t, at)
	r.send(open(nil))
	r.expect(bgp.MsgKeepalive)
	r.send(bgp.Keepalive)
	return r
}

// slow are hold times that no machine is too slow for.
var slow = []string{"routers.cloud.bgp.hold=90s", "routers.office.bgp.hold=90s", "routers.cloud.bgp.idle_hold=10ms", "routers.cloud.bgp.idle_hold_max=10ms", "routers.cloud.bgp.idle_hold_reset=10ms"}

// Malformed UPDATEs are handled as RFC 7606 has it, and the session lives; behind
// a malformed header it does not.
func TestMalformedMessages(t *testing.T) {
	p := play(t, design(t, cloud+"  - {at: 50s, down: l1}\n", slow...), peer.Flags{}, peer.Options{})
	r := establish(t, p.at())
	const (
		origin, path, hop = "400101 00", "400206 0201 0000fdf2", "400304 a9fe0a02"
		nlri              = "10 0a09" // 10.9.0.0/16
	)
	update := func(attrs string) {
		r.octets(2, fmt.Sprintf("0000 %04x %s %s", len(strings.ReplaceAll(attrs, " ", ""))/2, attrs, nlri))
	}
	seen := 0
	for _, c := range []struct{ attrs, line, route string }{
		{origin + path + hop, "via 169.254.10.2", ""},
		{origin + path + hop + "800403 000001", "unreachable", "MULTI_EXIT_DISC has a wrong length: treat-as-withdraw (RFC 7606)"},
		{origin + path + hop, "via 169.254.10.2", ""},
		{origin + path, "unreachable", "NEXT_HOP is missing: treat-as-withdraw (RFC 7606)"},
		{origin + path + hop + "400601 00" + "400504 00000064", "via 169.254.10.2", "ATOMIC_AGGREGATE has a wrong length: attribute discard (RFC 7606)"},
	} {
		update(c.attrs)
		if c.route != "" {
			p.until(seen, "l1: UPDATE: "+c.route)
		}
		seen = p.until(seen, "cloud: route to 10.9.0.0/16: "+c.line)
	}
	if strings.Contains(p.text(), "Established -> Idle") {
		t.Error("a session ended for the sake of an attribute")
	}
	// RFC 4271 §6.1: "Connection Not Synchronized".
	r.nc.Write(bytes.Repeat([]byte{0}, 19))
	r.notified("1/1")
	seen = p.until(seen, "l1: what the router sends is no message: NOTIFICATION 1/1 is the answer")
	p.until(seen, "cloud: session over l1 Established -> Idle (malformed message: NOTIFICATION 1/1)")

	// And again, with prefixes that cannot be read: RFC 7606 §5.3 has no milder way.
	r = establish(t, p.at())
	r.octets(2, "0000 0000 21 0a09000000")
	r.notified("3/10")
}

// RFC 4271 §6.2: OPENs that are not accepted, and the answer.
func TestOpensThatAreRefused(t *testing.T) {
	p := play(t, design(t, cloud+"  - {at: 50s, down: l1}\n", slow...), peer.Flags{}, peer.Options{})
	for _, c := range []struct {
		change func(*bgp.Open)
		want   string
	}{
		{func(o *bgp.Open) { o.AS = 65011 }, "2/2"},
		{func(o *bgp.Open) { o.HoldTime = 2 }, "2/6"},
		{func(o *bgp.Open) { o.Version = 3 }, "2/1 0004"},
		// RFC 5492 §5: Unsupported Capability, with the capability that is required: 65
		// (RFC 6793), AS 64512.
		{func(o *bgp.Open) { o.FourOctetAS = false }, "2/7 41040000fc00"},
	} {
		r := call(t, p.at())
		r.send(open(c.change))
		r.notified(c.want)
	}
	p.until(0, "the router offers no four-octet AS numbers")
	establish(t, p.at())
	p.until(0, "cloud: session over l1 OpenConfirm -> Established")
}

// Whatever the story has done to the link, vpnsim says goodbye when it ends.
func TestGoodbyeThroughABlackHole(t *testing.T) {
	p := play(t, design(t, cloud+"  - {at: 10ms, blackhole: l1}\n", slow...), peer.Flags{}, peer.Options{})
	r := establish(t, p.at())
	p.until(0, "l1 becomes a black hole")
	p.cancel()
	r.notified("6/2")
	r.nc.Close()
	p.until(0, "l1: CEASE: vpnsim ends")
}

func TestStrangersAreTurnedAway(t *testing.T) {
	p := play(t, design(t, cloud+"  - {at: 50s, down: l1}\n", slow...), peer.Flags{Peer: []string{"127.0.0.2:1"}}, peer.Options{})
	nc, err := net.Dial("tcp4", p.at().String())
	if err == nil {
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(patience))
		_, err = nc.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a stranger: %v", err)
	}
	p.until(0, "a stranger calls from 127.0.0.1:")
	p.until(0, "l1: the router refuses the call to 127.0.0.2:1")
	establish(t, p.at())
}

// Each tunnel is a session of its own. One is deleted at the real router's end:
// its interface goes, and with it its connection; the other one knows nothing of
// it. What the router itself would have to do is asked for.
func TestTwoTunnels(t *testing.T) {
	const tunnels = `
vpnsim: v1
name: two tunnels
for: 60s
routers:
  cloud:  {profile: aws-vgw, asn: 64512, networks: [10.2.0.0/16]}
  office: {profile: gcp-cloud-router, asn: 65010, networks: [10.1.0.0/16]}
hosts:
  ec2: {on: cloud, ip: 10.2.0.6}
  pc:  {on: office, ip: 10.1.0.2}
tunnels:
  tun1:
    cloud:  {outside: 192.0.2.1, inside: 169.254.10.1/30}
    office: {outside: 192.0.2.2, inside: 169.254.10.2/30}
    rtt: 5ms
  tun2:
    cloud:  {outside: 192.0.2.5, inside: 169.254.10.5/30}
    office: {outside: 192.0.2.6, inside: 169.254.10.6/30}
    rtt: 5ms
probe: {ping: pc -> ec2, every: 1s}
story:
  - {at: 10ms, delete: tun2, by: office, notify: false}
  - {at: 20ms, kill: office}
`
	p := play(t, design(t, tunnels), peer.Flags{Listen: []string{"tun1=127.0.0.1:0", "tun2=127.0.0.3:0"}}, peer.Options{})
	one := establish(t, p.plan.Links[0].Listen)
	two := establish(t, p.plan.Links[1].Listen)
	p.until(0, "cloud: session over tun1 OpenConfirm -> Established")
	p.until(0, "cloud: session over tun2 OpenConfirm -> Established")
	p.until(0, "office deletes tun2, without a word to the far end")
	p.until(0, "tun2: the router's end of the link is down: its connection is reset")
	p.until(0, "office: session over tun2 Established -> Idle (link down)")
	for {
		if _, err := two.read(); err != nil {
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the connection of a deleted tunnel: %v", err)
			}
			break
		}
	}
	p.until(0, "do it now, vpnsim cannot: the routing process of office is killed (RST)")
	one.send(bgp.Keepalive)
	p.cancel()
	one.notified("6/2")
	one.nc.Close()
	p.end()
	if strings.Contains(p.text(), "session over tun1 Established ->") {
		t.Error("tun1 was touched")
	}
}

func TestNeverUp(t *testing.T) {
	p := play(t, design(t, cloud+"  - {at: 50s, down: l1}\n"), peer.Flags{}, peer.Options{Wait: 50 * time.Millisecond})
	<-p.done
	if !errors.Is(p.err, peer.ErrNeverUp) {
		t.Errorf("%v", p.err)
	}
}

func TestOverWhenTheTimeIsOver(t *testing.T) {
	p := play(t, design(t, cloud+"  - {at: 10ms, down: l1}\n", slow...), peer.Flags{}, peer.Options{For: 50 * time.Millisecond})
	r := establish(t, p.at())
	p.until(0, "l1: CEASE: vpnsim ends")
	r.nc.Close()
	<-p.done
	if p.err != nil || len(p.summary.Events) != 1 {
		t.Errorf("%+v, %v", p.summary, p.err)
	}
}

func TestAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	plan, err := peer.NewPlan(design(t, cloud+"  - {at: 50s, down: l1}\n"), peer.Flags{As: []string{"cloud"}, Listen: []string{l.Addr().String()}}, live.NewSecret)
	if err != nil {
		t.Fatal(err)
	}
	_, err = peer.Run(t.Context(), plan, peer.Options{})
	var at *peer.ListenError
	if !errors.As(err, &at) || !errors.Is(err, syscall.EADDRINUSE) || at.Addr.String() != l.Addr().String() {
		t.Errorf("%v", err)
	}
}
