package peer_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	api "github.com/osrg/gobgp/v3/api"
	"github.com/osrg/gobgp/v3/pkg/apiutil"
	gobgplog "github.com/osrg/gobgp/v3/pkg/log"
	gobgp "github.com/osrg/gobgp/v3/pkg/packet/bgp"
	"github.com/osrg/gobgp/v3/pkg/server"

	"github.com/vpnsim/vpnsim/peer"
)

// The real router of these tests is GoBGP's server, in this process.

// office is the server.
type office struct {
	*server.BgpServer
	t     *testing.T
	ctx   context.Context
	addr  netip.AddrPort
	mu    sync.Mutex
	state []string // of its only session, as they came
	more  chan struct{}
}

type silent struct{}

func (silent) Panic(string, gobgplog.Fields)   {}
func (silent) Fatal(string, gobgplog.Fields)   {}
func (silent) Error(string, gobgplog.Fields)   {}
func (silent) Warn(string, gobgplog.Fields)    {}
func (silent) Info(string, gobgplog.Fields)    {}
func (silent) Debug(string, gobgplog.Fields)   {}
func (silent) SetLevel(gobgplog.LogLevel)      {}
func (silent) GetLevel() (_ gobgplog.LogLevel) { return }

// startGoBGP starts a server that announces 10.1.0.0/16.
func startGoBGP(t *testing.T) *office {
	t.Helper()
	if testing.Short() {
		t.Skip("talks to a GoBGP server in real time")
	}
	free, err := net.Listen("tcp4", "127.0.0.2:0")
	if err != nil {
		t.Skipf("no loopback: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	o := &office{BgpServer: server.NewBgpServer(server.LoggerOption(silent{})), t: t, ctx: ctx,
		addr: free.Addr().(*net.TCPAddr).AddrPort(), more: make(chan struct{})}
	free.Close()
	go o.Serve()
	o.must(o.StartBgp(ctx, &api.StartBgpRequest{Global: &api.Global{Asn: 65010, RouterId: "10.1.0.1",
		ListenPort: int32(o.addr.Port()), ListenAddresses: []string{"127.0.0.2"}}}))
	o.must(o.WatchEvent(ctx, &api.WatchEventRequest{Peer: &api.WatchEventRequest_Peer{}}, func(r *api.WatchEventResponse) {
		if p := r.GetPeer().GetPeer(); p.GetState() != nil {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.state = append(o.state, p.State.SessionState.String())
			close(o.more)
			o.more = make(chan struct{})
		}
	}))
	t.Cleanup(func() {
		o.StopBgp(context.Background(), &api.StopBgpRequest{})
		cancel()
		o.Stop()
		if t.Failed() {
			t.Log(o.state)
		}
	})
	o.announce(true)
	return o
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// announce makes 10.1.0.0/16 the office's own network, or no longer.
func (o *office) announce(yes bool) {
	o.t.Helper()
	p, err := apiutil.NewPath(gobgp.NewIPAddrPrefix(16, "10.1.0.0"), !yes,
		[]gobgp.PathAttributeInterface{gobgp.NewPathAttributeOrigin(0), gobgp.NewPathAttributeNextHop("0.0.0.0")}, time.Now())
	o.must(err)
	if yes {
		_, err = o.AddPath(o.ctx, &api.AddPathRequest{Path: p})
	} else {
		err = o.DeletePath(o.ctx, &api.DeletePathRequest{Path: p})
	}
	o.must(err)
}

// neighbour configures the session with vpnsim, which has that address.
func (o *office) neighbour(at netip.AddrPort, calls bool, more func(*api.Peer)) {
	o.t.Helper()
	p := &api.Peer{
		Conf:      &api.PeerConf{NeighborAddress: at.Addr().String(), PeerAsn: 64512},
		Transport: &api.Transport{PassiveMode: !calls, RemotePort: uint32(at.Port()), LocalAddress: "127.0.0.2"},
		Timers:    &api.Timers{Config: &api.TimersConfig{HoldTime: 3, KeepaliveInterval: 1, ConnectRetry: 1, IdleHoldTimeAfterReset: 1}},
	}
	if more != nil {
		more(p)
	}
	o.must(o.AddPeer(o.ctx, &api.AddPeerRequest{Peer: p}))
}

// until waits until the session has been in that state, after the from-th.
func (o *office) until(from int, state string) int {
	o.t.Helper()
	late := time.After(patience)
	for {
		o.mu.Lock()
		more := o.more
		i := -1
		if from < len(o.state) {
			i = slices.Index(o.state[from:], state)
		}
		o.mu.Unlock()
		if i >= 0 {
			return from + i + 1
		}
		select {
		case <-more:
		case <-late:
			o.t.Fatalf("GoBGP is not %s", state)
		}
	}
}

// learned waits until GoBGP has the cloud's network, and returns its next hop and
// AS path.
func (o *office) learned() string {
	o.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		got := ""
		o.must(o.ListPath(o.ctx, &api.ListPathRequest{TableType: api.TableType_GLOBAL,
			Family: &api.Family{Afi: api.Family_AFI_IP, Safi: api.Family_SAFI_UNICAST}}, func(d *api.Destination) {
			if d.Prefix != "10.2.0.0/16" {
				return
			}
			attrs, err := apiutil.GetNativePathAttributes(d.Paths[0])
			o.must(err)
			for _, a := range attrs {
				got += a.String()
			}
		}))
		if got != "" {
			return got
		}
	}
	o.t.Fatal("GoBGP has no route to the cloud")
	return ""
}

// notified is how many NOTIFICATIONs GoBGP has had.
func (o *office) notified() (n uint64) {
	o.must(o.ListPeer(o.ctx, &api.ListPeerRequest{}, func(p *api.Peer) { n += p.State.Messages.Received.Notification }))
	return n
}

// Called by vpnsim, GoBGP comes up; both have the other's route. In a black hole
// each hold timer runs out by itself. Healed, they find each other again; and at
// the end GoBGP gets a CEASE.
func TestGoBGPIsCalled(t *testing.T) {
	o := startGoBGP(t)
	o.neighbour(netip.MustParseAddrPort("127.0.0.1:0"), false, nil)
	p := play(t, design(t, cloud+"  - {at: 500ms, blackhole: l1, for: 4s}\n"), peer.Flags{Peer: []string{o.addr.String()}}, peer.Options{Settle: 200 * time.Millisecond})

	up := p.until(0, "cloud: session over l1 OpenConfirm -> Established")
	p.until(0, "the router accepts the call to 127.0.0.2:")
	p.until(0, "office: session over l1 OpenConfirm -> Established")
	p.until(0, "office sends UPDATE (announces 10.1.0.0/16 with AS_PATH 65010) over l1")
	p.until(0, "cloud: route to 10.1.0.0/16: via 169.254.10.2")
	state := o.until(0, "ESTABLISHED")
	// Over loopback the scenario's next hop stays.
	if got := o.learned(); !strings.Contains(got, "169.254.10.1") || !strings.Contains(got, "64512") {
		t.Errorf("GoBGP has %s", got)
	}
	p.until(up, "the story begins")

	hole := p.until(up, "l1 becomes a black hole in both directions")
	p.until(hole, "office sends NOTIFICATION (Hold Timer Expired, subcode 0) over l1")
	p.until(hole, "office: session over l1 Established -> Idle (HoldTimer expired")
	p.until(hole, "cloud: session over l1 Established -> Idle (HoldTimer expired")
	p.until(hole, "cloud: route to 10.1.0.0/16: unreachable")
	if n := o.notified(); n != 0 {
		t.Errorf("%d NOTIFICATIONs got through the black hole", n)
	}
	healed := p.until(hole, "l1 carries packets again")
	p.until(healed, "cloud: session over l1 OpenConfirm -> Established")
	state = o.until(state, "ESTABLISHED")
	p.until(healed, "cloud: route to 10.1.0.0/16: via 169.254.10.2")

	s := p.end()
	o.until(state, "IDLE")
	if n := o.notified(); n != 1 {
		t.Errorf("%d NOTIFICATIONs, want the CEASE", n)
	}

	// The summary: what GoBGP did, beside what its profile says. Hold times of 3 s
	// have run for up to 1 s when the hole comes.
	if s.Real != "office" || s.Profile != "gobgp" || len(s.Events) != 2 || s.Events[0].What != "l1 becomes a black hole in both directions" {
		t.Fatalf("%+v", s)
	}
	found := map[string]bool{}
	for _, m := range s.Events[0].Moments {
		found[m.Router+" "+m.What] = true
		if strings.HasSuffix(m.What, "session over l1 ends") {
			if m.SeenS == nil || m.SimulatedIn != 20 || m.SeenWhy != "HoldTimer expired" || m.SimulatedWhy != "HoldTimer expired" ||
				m.LeastS.String() < "1.9" || m.MostS.String() > "3.1" || m.SeenS.String() < "1" {
				t.Errorf("%+v, seen %v, simulated %v to %v", m, m.SeenS, m.LeastS, m.MostS)
			}
		}
	}
	for _, want := range []string{"office session over l1 ends", "cloud session over l1 ends", "traffic ec2 -> pc is lost"} {
		if !found[want] {
			t.Errorf("no %q in the summary: %+v", want, s.Events[0].Moments)
		}
	}
	if a, b := p.at(), o.addr; a == b {
		t.Error(errors.New("one address for two"))
	}
}

// GoBGP calls; withdraws and announces; ends the session with a CEASE, and starts
// it again.
func TestGoBGPCalls(t *testing.T) {
	o := startGoBGP(t)
	p := play(t, design(t, cloud+"  - {at: 50s, down: l1}\n"), peer.Flags{}, peer.Options{})
	o.neighbour(p.at(), true, nil)
	up := p.until(0, "cloud: session over l1 OpenConfirm -> Established")
	p.until(0, "the router calls from 127.0.0.2:")
	p.until(0, "cloud: route to 10.1.0.0/16: via 169.254.10.2")

	o.announce(false)
	up = p.until(up, "office sends UPDATE (withdraws 10.1.0.0/16) over l1")
	up = p.until(up, "cloud: route to 10.1.0.0/16: unreachable")
	o.announce(true)
	up = p.until(up, "cloud: route to 10.1.0.0/16: via 169.254.10.2")

	o.must(o.DisablePeer(o.ctx, &api.DisablePeerRequest{Address: p.at().Addr().String()}))
	down := p.until(up, "office sends NOTIFICATION (Cease, subcode 2) over l1")
	p.until(up, "office: session over l1 Established -> Idle (administrative stop")
	p.until(up, "cloud: session over l1 Established -> Idle (NOTIFICATION received: NOTIFICATION 6/2)")
	o.must(o.EnablePeer(o.ctx, &api.EnablePeerRequest{Address: p.at().Addr().String()}))
	p.until(down, "cloud: session over l1 OpenConfirm -> Established")
}

// Both call, signed (RFC 2385) and with TTL 255 (RFC 5082): one connection is left.
func TestGoBGPWithMD5AndTTLSecurity(t *testing.T) {
	o := startGoBGP(t)
	plan := peer.Flags{Peer: []string{o.addr.String()}, Keys: []string{"correct horse"}, TTL: true}
	d := design(t, cloud+"  - {at: 50s, down: l1}\n")
	if why := guards(plan.Keys[0]); why != "" {
		t.Skip(why)
	}
	p := play(t, d, plan, peer.Options{})
	o.neighbour(p.at(), true, func(n *api.Peer) {
		n.Conf.AuthPassword = "correct horse"
		n.TtlSecurity = &api.TtlSecurity{Enabled: true, TtlMin: 255}
	})
	p.until(0, "cloud: session over l1 OpenConfirm -> Established")
	p.until(0, "the story begins")
	p.until(0, "cloud: route to 10.1.0.0/16: via 169.254.10.2")
	o.until(0, "ESTABLISHED")
	p.end()
	if strings.Contains(p.text(), "horse") {
		t.Error("the password shows")
	}
}
