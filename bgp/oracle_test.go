package bgp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	api "github.com/osrg/gobgp/v3/api"
	gobgplog "github.com/osrg/gobgp/v3/pkg/log"
	wire "github.com/osrg/gobgp/v3/pkg/packet/bgp"
	"github.com/osrg/gobgp/v3/pkg/server"

	"github.com/vpnsim/vpnsim/bgp"
	ourwire "github.com/vpnsim/vpnsim/bgp/wire"
)

// The decision process against another one: GoBGP's server runs in this
// process, five neighbours (two of one AS, one of another, two internal) speak
// real BGP to it over loopback, and for thousands of random sets of routes its
// best path is held against ours. Adding paths through GoBGP's API would not
// do: it knows no neighbour address for them and takes them for its own.
//
// The two are allowed to differ in one thing. GoBGP sorts by duels, and MED
// makes duels intransitive: A beats B, B beats C, C beats A. So every
// difference must show such a cycle, in which MED decides a duel, among the
// routes of the set; and the same set without its MEDs, which is announced
// beside it, must never differ.

var oracleASNs = []uint32{64512, 64512, 64513, 65000, 65000}

// oracleIDs run against the addresses, so that the two rules can be told apart.
var oracleIDs = []byte{3, 1, 5, 4, 2}

const oracleSets = 2100

func TestOracleGoBGP(t *testing.T) {
	if testing.Short() {
		t.Skip("talks to a GoBGP server for some seconds")
	}
	// GoBGP keeps its options in a package variable: one after the other.
	t.Run("gobgp: the older of two external paths", func(t *testing.T) {
		oracle(t, "gobgp", 3, &api.RouteSelectionOptionsConfig{})
	})
	t.Run("rfc4271: identifiers decide", func(t *testing.T) {
		oracle(t, "rfc4271", 1, &api.RouteSelectionOptionsConfig{ExternalCompareRouterId: true})
	})
}

// oracleSet is the routes to one prefix, one of each neighbour or none.
type oracleSet struct {
	prefix netip.Prefix
	twin   netip.Prefix // the same routes without MED, in every second set to an IPv6 prefix
	routes [5]*bgp.Attrs
	phase  [5]int // when each is announced
}

func oracle(t *testing.T, ruleset string, phases int, options *api.RouteSelectionOptionsConfig) {
	rnd := rand.New(rand.NewPCG(4271, uint64(phases)))
	sets := make([]oracleSet, oracleSets)
	for i := range sets {
		s := &sets[i]
		s.prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
		s.twin = netip.PrefixFrom(netip.AddrFrom4([4]byte{11, byte(i >> 8), byte(i), 0}), 24)
		if i%2 == 1 {
			s.twin = netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, byte(i >> 8), byte(i)}), 48)
		}
		for p := range s.routes {
			if rnd.IntN(6) > 0 {
				s.routes[p] = oracleRoute(rnd, oracleASNs[p], ruleset == "gobgp")
				s.phase[p] = rnd.IntN(phases)
			}
		}
	}

	g := startGoBGP(t, options)
	for phase := range phases {
		for p, n := range g.peers {
			for _, s := range sets {
				if a := s.routes[p]; a != nil && s.phase[p] == phase {
					n.announce(t, a, s.prefix)
					without := *a
					without.MED, without.HasMED = 0, false
					n.announce(t, &without, s.twin)
				}
			}
			n.announce(t, &bgp.Attrs{ASPath: asPath(64999), NextHop: netip.MustParseAddr("203.0.113.1")}, sentinel(phase, p))
			n.flush(t)
		}
		g.await(t, phase)
		if phase+1 < phases { // GoBGP counts age in whole seconds
			time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(1010 * time.Millisecond)))
		}
	}
	theirs := g.table(t)

	rules, _ := bgp.RulesetFor(ruleset)
	cfg := bgp.SpeakerConfig{AS: 65000, ID: netip.MustParseAddr("127.0.0.1"), Rules: rules}
	for p, as := range oracleASNs {
		cfg.Peers = append(cfg.Peers, &bgp.PeerConfig{AS: as, Addr: oracleAddr(p), Local: netip.MustParseAddr("127.0.0.1"),
			PeerGroup: &bgp.PeerGroup{Families: bgp.WithIPv4 | bgp.WithIPv6}})
	}
	ours := bgp.NewSpeaker(cfg)
	compared, cycles, six := 0, 0, 0
	deciders := map[bgp.Rule]int{}
	check := func(s *oracleSet, prefix netip.Prefix, med bool) {
		want := theirs[prefix]
		count := 0
		for p := range s.routes {
			if s.routes[p] != nil {
				count++
			}
		}
		if len(want) != count {
			t.Fatalf("%v: GoBGP holds %d paths of %d", prefix, len(want), count)
		}
		if count == 0 {
			return
		}
		// In the seconds in which GoBGP takes them to have arrived.
		order := slices.Clone(want)
		slices.SortFunc(order, func(a, b oraclePath) int {
			if a.age != b.age {
				return int(a.age - b.age)
			}
			return a.peer - b.peer
		})
		ours.Reset(cfg)
		for p := range cfg.Peers {
			ours.Step(nil, bgp.PeerID(p), bgp.Input{Kind: bgp.InPeerUp, Open: &bgp.Open{ID: netip.AddrFrom4([4]byte{9, 9, 9, oracleIDs[p]}),
				Families: []bgp.Family{bgp.IPv4Unicast, bgp.IPv6Unicast}}})
		}
		for _, o := range order {
			a := *s.routes[o.peer]
			if !med {
				a.MED, a.HasMED = 0, false
			}
			in := updateInput(&bgp.Update{Attrs: &a, NLRI: []netip.Prefix{prefix}})
			in.Now = time.Duration(o.age-order[0].age) * time.Second
			ours.Step(nil, bgp.PeerID(o.peer), in)
		}
		got := ours.Route(prefix)
		compared++
		if prefix.Addr().Is6() {
			six++
		}
		deciders[got.Rule]++
		if int(got.Best.Peer) == want[0].peer {
			return
		}
		paths := ours.Paths(prefix)
		if med && hasMEDCycle(rules, paths) {
			cycles++
			return
		}
		text := fmt.Sprintf("%v: we choose %d (%v), GoBGP %d, of", prefix, got.Best.Peer, got.Rule, want[0].peer)
		for _, p := range paths {
			text += fmt.Sprintf("\n  %d, second %d, id %v: %s", p.Peer, p.Age, p.PeerBGPID, attrsText(p.Attrs))
		}
		t.Error(text)
	}
	for i := range sets {
		check(&sets[i], sets[i].prefix, true)
		check(&sets[i], sets[i].twin, false)
	}
	if six < 900 {
		t.Errorf("%d sets of IPv6 routes compared", six)
	}
	t.Logf("%d sets compared; %d differ by MED cycles; decided by %v", compared, cycles, deciders)
	if compared < 4000 || cycles > compared/50 {
		t.Errorf("%d sets compared, %d with MED cycles", compared, cycles)
	}
	for _, r := range rules { // the sets are worth something only if every rule decides some
		switch r {
		case bgp.RuleLocalOrigin, bgp.RuleStatic, bgp.RuleIGPMetric, bgp.RuleClusterLength, bgp.RulePeerAddress:
			// no route here is local or static, has a metric or a cluster, or shares an identifier
		default:
			if deciders[r] == 0 {
				t.Errorf("no set was decided by: %v", r)
			}
		}
	}
}

// hasMEDCycle finds three paths that beat each other in a circle with MED
// deciding at least one of the duels. Without such a circle duels are a total
// order, and any way of combining them ends with the same path.
func hasMEDCycle(rules bgp.Ruleset, ps []bgp.Path) bool {
	beats := func(a, b int) (bool, bool) {
		c, rule := rules.Compare(&ps[a], &ps[b])
		return c < 0, rule == bgp.RuleMED
	}
	for a := range ps {
		for b := range ps {
			for c := range ps {
				ab, m1 := beats(a, b)
				bc, m2 := beats(b, c)
				ca, m3 := beats(c, a)
				if ab && bc && ca && (m1 || m2 || m3) {
					return true
				}
			}
		}
	}
	return false
}

// oracleRoute draws attributes from small ranges, so that ties are frequent.
func oracleRoute(rnd *rand.Rand, as uint32, reflected bool) *bgp.Attrs {
	a := &bgp.Attrs{NextHop: netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + rnd.IntN(3))})}
	if rnd.IntN(5) == 0 {
		a.Origin = bgp.Origin(1 + rnd.IntN(2))
	}
	first := as
	if as == 65000 { // an internal peer passes on what it learned, or originates
		first = []uint32{0, 64512, 64513, 64512}[rnd.IntN(4)]
		if rnd.IntN(3) == 0 {
			withPref([]uint32{90, 100, 110}[rnd.IntN(3)])(a)
		}
		if reflected && rnd.IntN(3) == 0 { // which GoBGP does not look at
			a.OriginatorID = netip.AddrFrom4([4]byte{8, 8, 8, byte(rnd.IntN(9))})
			a.ClusterList = []netip.Addr{netip.MustParseAddr("7.7.7.7")}
		}
	}
	if first != 0 {
		a.ASPath = asPath(first)
		for rnd.IntN(4) == 0 {
			a.ASPath[0].ASNs = append(a.ASPath[0].ASNs, 64900)
		}
		if rnd.IntN(6) == 0 {
			a.ASPath = append(a.ASPath, bgp.Segment{Set: true, ASNs: []uint32{64901, 64902, 64903}[:1+rnd.IntN(3)]})
		}
	}
	if rnd.IntN(2) == 0 {
		withMED(rnd.Uint32N(3))(a)
	}
	return a
}

func oracleAddr(p int) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 1, byte(1 + p)}) }

func sentinel(phase, p int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(16*phase + p)}), 32)
}

// goBGP is a running server and its neighbours.
type goBGP struct {
	*server.BgpServer
	peers []*oraclePeer
}

type oraclePath struct {
	peer int
	age  int64 // when GoBGP received it, Unix seconds
}

func startGoBGP(t *testing.T, options *api.RouteSelectionOptionsConfig) *goBGP {
	ctx := context.Background()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skipf("no loopback: %v", err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	g := &goBGP{BgpServer: server.NewBgpServer(server.LoggerOption(silent{}))}
	go g.Serve()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(g.StartBgp(ctx, &api.StartBgpRequest{Global: &api.Global{Asn: 65000, RouterId: "127.0.0.1",
		ListenPort: int32(port), ListenAddresses: []string{"127.0.0.1"}, RouteSelectionOptions: options}}))
	t.Cleanup(func() {
		for _, p := range g.peers {
			p.conn.Close()
		}
		g.StopBgp(ctx, &api.StopBgpRequest{})
		g.Stop()
	})
	for p, as := range oracleASNs {
		must(g.AddPeer(ctx, &api.AddPeerRequest{Peer: &api.Peer{
			Conf:      &api.PeerConf{NeighborAddress: oracleAddr(p).String(), PeerAsn: as},
			AfiSafis:  []*api.AfiSafi{{Config: &api.AfiSafiConfig{Family: goFamilies[0], Enabled: true}}, {Config: &api.AfiSafiConfig{Family: goFamilies[1], Enabled: true}}},
			Transport: &api.Transport{PassiveMode: true}}}))
	}
	for p, as := range oracleASNs {
		g.peers = append(g.peers, connectToGoBGP(t, port, p, as))
	}
	return g
}

// await waits until every neighbour's last route of the phase has arrived.
func (g *goBGP) await(t *testing.T, phase int) {
	var last []*api.TableLookupPrefix
	for p := range g.peers {
		last = append(last, &api.TableLookupPrefix{Prefix: sentinel(phase, p).String()})
	}
	for range 2000 {
		n := 0
		g.ListPath(context.Background(), &api.ListPathRequest{TableType: api.TableType_GLOBAL,
			Family: &api.Family{Afi: api.Family_AFI_IP, Safi: api.Family_SAFI_UNICAST}, Prefixes: last},
			func(*api.Destination) { n++ })
		if n == len(g.peers) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("GoBGP did not take the routes in time")
}

// table reads the paths of every prefix, best first.
func (g *goBGP) table(t *testing.T) map[netip.Prefix][]oraclePath {
	out := map[netip.Prefix][]oraclePath{}
	for _, f := range goFamilies {
		err := g.ListPath(context.Background(), &api.ListPathRequest{TableType: api.TableType_GLOBAL, Family: f}, func(d *api.Destination) {
			for i, p := range d.Paths {
				if p.Best != (i == 0) {
					t.Errorf("%s: GoBGP's best path is not its first", d.Prefix)
				}
				peer := int(netip.MustParseAddr(p.NeighborIp).As4()[3]) - 1
				prefix := netip.MustParsePrefix(d.Prefix)
				out[prefix] = append(out[prefix], oraclePath{peer, p.Age.AsTime().Unix()})
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

var goFamilies = []*api.Family{{Afi: api.Family_AFI_IP, Safi: api.Family_SAFI_UNICAST}, {Afi: api.Family_AFI_IP6, Safi: api.Family_SAFI_UNICAST}}

// oraclePeer is the far end of a session with GoBGP: as little BGP as it takes.
type oraclePeer struct {
	conn net.Conn
	out  *bufio.Writer
}

func connectToGoBGP(t *testing.T, port, p int, as uint32) *oraclePeer {
	var err error
	for range 400 {
		var n *oraclePeer
		if n, err = openSession(port, p, as); err == nil {
			go io.Copy(io.Discard, n.conn) // what GoBGP says back is of no interest, but must not block it
			return n
		}
		time.Sleep(10 * time.Millisecond) // it may not be listening yet
	}
	t.Fatalf("no session with GoBGP: %v", err)
	return nil
}

func openSession(port, p int, as uint32) (*oraclePeer, error) {
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: oracleAddr(p).AsSlice()}, Timeout: time.Second}
	conn, err := from.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return nil, err
	}
	n := &oraclePeer{conn: conn, out: bufio.NewWriterSize(conn, 1<<16)}
	open := wire.NewBGPOpenMessage(uint16(as), 90, fmt.Sprintf("9.9.9.%d", oracleIDs[p]), []wire.OptionParameterInterface{
		wire.NewOptionParameterCapability([]wire.ParameterCapabilityInterface{
			wire.NewCapMultiProtocol(wire.RF_IPv4_UC), wire.NewCapMultiProtocol(wire.RF_IPv6_UC), wire.NewCapFourOctetASNumber(as)})})
	err = n.send(open)
	for _, want := range []uint8{wire.BGP_MSG_OPEN, wire.BGP_MSG_KEEPALIVE} {
		if err == nil {
			err = n.expect(want)
		}
		if err == nil && want == wire.BGP_MSG_OPEN {
			err = n.send(wire.NewBGPKeepAliveMessage())
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return n, nil
}

func (n *oraclePeer) send(m *wire.BGPMessage) error {
	b, err := m.Serialize()
	if err == nil {
		_, err = n.out.Write(b)
	}
	if err == nil {
		err = n.out.Flush()
	}
	return err
}

func (n *oraclePeer) expect(kind uint8) error {
	n.conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	defer n.conn.SetReadDeadline(time.Time{})
	head := make([]byte, wire.BGP_HEADER_LENGTH)
	if _, err := io.ReadFull(n.conn, head); err != nil {
		return err
	}
	if head[18] != kind {
		return fmt.Errorf("message type %d instead of %d", head[18], kind)
	}
	_, err := io.CopyN(io.Discard, n.conn, int64(head[16])<<8+int64(head[17])-wire.BGP_HEADER_LENGTH)
	return err
}

func (n *oraclePeer) announce(t *testing.T, a *bgp.Attrs, p netip.Prefix) {
	if p.Addr().Is6() { // through our own encoder, so that GoBGP reads what we write
		six := *a
		six.NextHop = netip.AddrFrom16([16]byte{0xfd, 15: a.NextHop.As4()[3]})
		b, err := ourwire.Encode((&bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{Attrs: &six, NLRI: []netip.Prefix{p}}}).Seal())
		if err == nil {
			_, err = n.out.Write(b)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	var path []wire.AsPathParamInterface
	for _, s := range a.ASPath {
		kind := uint8(wire.BGP_ASPATH_ATTR_TYPE_SEQ)
		if s.Set {
			kind = wire.BGP_ASPATH_ATTR_TYPE_SET
		}
		path = append(path, wire.NewAs4PathParam(kind, s.ASNs))
	}
	attrs := []wire.PathAttributeInterface{wire.NewPathAttributeOrigin(uint8(a.Origin)), wire.NewPathAttributeAsPath(path),
		wire.NewPathAttributeNextHop(a.NextHop.String())}
	if a.HasMED {
		attrs = append(attrs, wire.NewPathAttributeMultiExitDisc(a.MED))
	}
	if a.HasLocalPref {
		attrs = append(attrs, wire.NewPathAttributeLocalPref(a.LocalPref))
	}
	if a.OriginatorID.IsValid() {
		attrs = append(attrs, wire.NewPathAttributeOriginatorId(a.OriginatorID.String()),
			wire.NewPathAttributeClusterList([]string{a.ClusterList[0].String()}))
	}
	b, err := wire.NewBGPUpdateMessage(nil, attrs, []*wire.IPAddrPrefix{
		wire.NewIPAddrPrefix(uint8(p.Bits()), p.Addr().String())}).Serialize()
	if err == nil {
		_, err = n.out.Write(b)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (n *oraclePeer) flush(t *testing.T) {
	if err := n.out.Flush(); err != nil {
		t.Fatal(err)
	}
}

// silent is a logger for GoBGP that says nothing.
type silent struct{}

func (silent) Panic(m string, _ gobgplog.Fields) { panic(m) }
func (silent) Fatal(m string, _ gobgplog.Fields) { panic(m) }
func (silent) Error(string, gobgplog.Fields)     {}
func (silent) Warn(string, gobgplog.Fields)      {}
func (silent) Info(string, gobgplog.Fields)      {}
func (silent) Debug(string, gobgplog.Fields)     {}
func (silent) SetLevel(gobgplog.LogLevel)        {}
func (silent) GetLevel() gobgplog.LogLevel       { return gobgplog.ErrorLevel }
