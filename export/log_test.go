package export

// A run, made by hand, that has one of everything: two tunnels, one negotiated
// with IKEv1 and one with IKEv2, a BGP session over each, echoes, a lost echo, a
// lost segment with its retransmission, a CEASE with FIN and an abort with RST.

import (
	"net/netip"
	"time"

	"github.com/vpnsim/vpnsim/bfd"
	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
	"github.com/vpnsim/vpnsim/vpn"
)

var (
	base   = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	ip     = netip.MustParseAddr
	prefix = netip.MustParsePrefix
)

const ms = sim.Time(time.Millisecond)

// hand writes a log as a simulation would.
type hand struct {
	trace.Log
	now  sim.Time
	next [2][2]uint32 // sequence numbers: of each link's connection, of each end
}

func newHand() *hand {
	h := &hand{}
	h.Capture = true
	h.Names = trace.Names{
		Actors: []string{"aws", "gcp", "vm"}, Routers: []string{"aws", "gcp"}, Hosts: []string{"vm", "ec2"}, Probes: []string{"vm->ec2"},
		Links: []trace.LinkName{
			{Name: "tunnel-1", Tunnel: true, Routers: [2]int{0, 1},
				Inside:  [2]netip.Addr{ip("169.254.10.1"), ip("169.254.10.2")},
				Outside: [2]netip.Addr{ip("52.1.1.1"), ip("35.1.1.1")}},
			{Name: "tunnel-2", Tunnel: true, Routers: [2]int{1, 0},
				Inside:  [2]netip.Addr{ip("169.254.11.2"), ip("169.254.11.1")},
				Outside: [2]netip.Addr{ip("35.1.1.2"), ip("52.1.1.2")}},
			{Name: "lan", Routers: [2]int{1, -1}},
		},
	}
	return h
}

// event is the next event of the run, d later.
func (h *hand) event(d sim.Time, to sim.ActorID, kind sim.Kind, phase sim.Phase) sim.EventID {
	h.now += d
	id := sim.EventID(len(h.Events) + 1)
	h.Events = append(h.Events, trace.Event{At: h.now, Cause: id - 1, To: to, Kind: kind, Phase: phase, Arg: 7})
	return id
}

func (h *hand) note(n trace.Note) {
	n.At, n.Event = h.now, sim.EventID(len(h.Events))
	h.Note(n)
}

func (h *hand) packet(p trace.Packet) {
	p.At, p.Arrive, p.Event = h.now, h.now+3*ms, sim.EventID(len(h.Events))
	p.TTL = 64
	h.Packets = append(h.Packets, p)
}

// tcp puts a segment on a link; what it carries is noted as sent, unless it is
// a retransmission.
func (h *hand) tcp(link int32, from int8, flags uint8, lost bool, msgs ...*bgp.Message) {
	h.event(3*ms, sim.ActorID(from), 1, sim.PhaseDeliver)
	l := h.Names.Links[link]
	ports := [2]uint16{45000 + uint16(link), 179}
	mine, his := &h.next[link][from], h.next[link][1-from]
	p := trace.Packet{Link: link, From: from, Lost: lost, Proto: trace.ProtoTCP, Src: l.Inside[from], Dst: l.Inside[1-from],
		SrcPort: ports[from], DstPort: ports[1-from], TCPSeq: *mine, TCPAck: his, Flags: flags, Msgs: msgs}
	if flags&(trace.SYN|trace.FIN) != 0 {
		*mine++
	}
	for _, m := range msgs {
		*mine += uint32(m.Size)
		h.note(trace.Note{Kind: trace.NoteMessage, Router: int32(l.Routers[from]), Link: link, Msg: m})
	}
	h.packet(p)
}

// again retransmits the last packet, which was lost.
func (h *hand) again() {
	h.event(200*ms, 0, 2, sim.PhaseTimer)
	p := h.Packets[len(h.Packets)-1]
	p.Lost = false
	h.packet(p)
}

func (h *hand) state(link, router int32, from, to bgp.State, why bgp.Why) {
	h.note(trace.Note{Kind: trace.NoteSession, Router: router, Link: link, From: uint8(from), To: uint8(to), A: int64(why)})
}

func (h *hand) ike(link int32, from int8, m vpn.Message) {
	h.event(20*ms, 0, 3, sim.PhaseDeliver)
	h.note(trace.Note{Kind: trace.NoteIKE, Router: int32(h.Names.Links[link].Routers[from]), Link: link, IKE: &m})
	h.packet(trace.Packet{Link: link, From: from, Proto: trace.ProtoUDP, IKE: &m})
}

// bfd puts a BFD packet on a link.
func (h *hand) bfd(link int32, from int8, lost bool, p bfd.Packet) {
	h.event(ms, sim.ActorID(from), 3, sim.PhaseTimer)
	l := h.Names.Links[link]
	h.packet(trace.Packet{Link: link, From: from, Lost: lost, Proto: trace.ProtoUDP, Src: l.Inside[from], Dst: l.Inside[1-from], SrcPort: 49152 + uint16(link), DstPort: 3784, BFD: &p})
}

func (h *hand) echo(link int32, reply bool, seq uint16, lost bool) {
	h.event(2*ms, 2, 4, sim.PhaseProbe)
	p := trace.Packet{Link: link, Lost: lost, Proto: trace.ProtoICMP, Src: ip("10.1.0.2"), Dst: ip("10.2.0.6"), EchoID: 77, Seq: seq, Size: 56}
	if h.Names.Links[link].Routers[0] != 1 {
		p.From = 1 // gcp sends the request
	}
	if reply {
		p.Src, p.Dst, p.Reply, p.From = p.Dst, p.Src, true, 1-p.From
	}
	h.packet(p)
	if lost {
		h.note(trace.Note{Kind: trace.NoteLost, Router: 0, Link: -1, B: int64(seq), Because: 1, Text: "no route to 10.1.0.2"})
	}
}

func open(as uint32, id string) *bgp.Message {
	return (&bgp.Message{Type: bgp.MsgOpen, Open: &bgp.Open{Version: 4, AS: as, HoldTime: 30, ID: ip(id),
		Families: []bgp.Family{bgp.IPv4Unicast}, RouteRefresh: true, FourOctetAS: true,
		Restart: &bgp.GracefulRestart{Time: 120, Families: []bgp.RestartFamily{{Family: bgp.IPv4Unicast}}}}}).Seal()
}

func announce(as uint32, hop string, ps ...netip.Prefix) *bgp.Message {
	return (&bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{NLRI: ps, Attrs: &bgp.Attrs{
		ASPath: bgp.ASPath{{ASNs: []uint32{as}}}, NextHop: ip(hop), MED: 100, HasMED: true, Communities: []uint32{7224<<16 | 9100}}}}).Seal()
}

// session brings one up as RFC 4271 §8 would: handshake, OPENs, KEEPALIVEs.
func (h *hand) session(link int32) {
	l := h.Names.Links[link]
	h.next[link] = [2]uint32{1000 * uint32(link+1), 500000}
	r := [2]int32{int32(l.Routers[0]), int32(l.Routers[1])}
	h.tcp(link, 0, trace.SYN, false)
	h.state(link, r[0], bgp.Idle, bgp.Connect, bgp.WhyStart)
	h.tcp(link, 1, trace.SYN|trace.ACK, false)
	h.tcp(link, 0, trace.ACK, false)
	as := [2]uint32{4200000001, 65001}
	if l.Routers[0] == 1 {
		as[0], as[1] = as[1], as[0]
	}
	h.tcp(link, 0, trace.PSH|trace.ACK, false, open(as[0], "10.255.0.1"))
	h.state(link, r[0], bgp.Connect, bgp.OpenSent, bgp.WhyTCPUp)
	h.tcp(link, 1, trace.PSH|trace.ACK, false, open(as[1], "10.255.0.2"), bgp.Keepalive)
	h.state(link, r[1], bgp.Active, bgp.OpenConfirm, bgp.WhyOpen)
	h.tcp(link, 0, trace.PSH|trace.ACK, false, bgp.Keepalive)
	h.state(link, r[0], bgp.OpenSent, bgp.Established, bgp.WhyKeepalive)
	h.tcp(link, 1, trace.ACK, false)
	h.state(link, r[1], bgp.OpenConfirm, bgp.Established, bgp.WhyKeepalive)
	h.tcp(link, 0, trace.PSH|trace.ACK, false, announce(as[0], l.Inside[0].String(), prefix("10.2.0.0/16")))
	h.tcp(link, 1, trace.PSH|trace.ACK, false, announce(as[1], l.Inside[1].String(), prefix("10.1.0.0/24"), prefix("10.1.1.0/24")),
		(&bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{}}).Seal())
	h.tcp(link, 0, trace.ACK, false)
}

// wholeRun is the run that the tests look at.
func wholeRun() *trace.Log {
	h := newHand()
	h.now = -500 * ms // the warm-up lies before time zero
	h.note(trace.Note{Kind: trace.NoteLink, Router: -1, Link: 2, Up: true})

	const spi1, spi2 = 0x1122334455667788, 0xa1b2c3d4e5f60718
	size1 := [...]int{0, 180, 160, 372, 372, 108, 76}
	for n := uint8(1); n <= 6; n++ {
		h.ike(0, int8(1-n%2), vpn.Message{Exchange: vpn.MainMode, Num: n, SPI: spi1, Version: 1, Size: size1[n]})
	}
	for n := uint8(1); n <= 3; n++ {
		h.ike(0, int8(1-n%2), vpn.Message{Exchange: vpn.QuickMode, Num: n, ID: 0xabcdef, SPI: spi1, Version: 1, Size: 444})
	}
	h.note(trace.Note{Kind: trace.NoteTunnel, Router: 1, Link: 0, From: uint8(vpn.Negotiating), To: uint8(vpn.Up), A: int64(vpn.WhyNegotiated)})
	for n := uint8(1); n <= 2; n++ {
		h.ike(1, int8(n-1), vpn.Message{Exchange: vpn.SAInit, Num: n, SPI: spi2, Version: 2, Size: 464})
	}
	for n := uint8(1); n <= 2; n++ {
		h.ike(1, int8(n-1), vpn.Message{Exchange: vpn.Auth, Num: n, ID: 1, SPI: spi2, Version: 2, Size: 268})
	}
	h.session(0)
	h.session(1)
	h.note(trace.Note{Kind: trace.NoteRoute, Router: 1, Prefix: prefix("10.2.0.0/16"), Route: &bgp.Route{
		Best: &bgp.Path{Source: &bgp.Source{PeerAddr: ip("169.254.10.1")}}, Used: make([]*bgp.Path, 2), Candidates: 2}})
	h.note(trace.Note{Kind: trace.NoteFIB, Router: 1, Prefix: prefix("10.2.0.0/16"), Links: []int32{0, 1}})
	h.note(trace.Note{Kind: trace.NoteTable, Router: 0, Prefix: prefix("10.1.0.0/24"), Links: []int32{0}})
	h.note(trace.Note{Kind: trace.NoteForwarding, Router: -1, Link: -1, B: 1, Up: true, Text: "by tunnel-1"})
	h.note(trace.Note{Kind: trace.NoteAdvertise, Router: 0, Link: 0, Up: true})

	// BFD comes up, polls, is answered, and goes down.
	control := bfd.Packet{State: bfd.Down, Mult: 3, My: 11, MinTx: 1000 * 1000 * 1000, MinRx: 300 * 1000 * 1000}
	h.bfd(0, 0, false, control)
	control.State, control.Poll, control.Independent, control.Your, control.MinTx = bfd.Up, true, true, 12, 300*1000*1000
	h.bfd(0, 0, false, control)
	h.note(trace.Note{Kind: trace.NoteBFD, Router: 0, Link: 0, From: uint8(bfd.Down), To: uint8(bfd.Up)})
	control.My, control.Your, control.Poll, control.Final = 12, 11, false, true
	h.bfd(0, 1, false, control)
	control.State, control.Diag, control.Final = bfd.Down, bfd.DiagExpired, false
	h.bfd(0, 1, true, control)
	h.note(trace.Note{Kind: trace.NoteBFD, Router: 0, Link: 0, From: uint8(bfd.Up), To: uint8(bfd.Down), A: int64(bfd.DiagExpired)})
	h.note(trace.Note{Kind: trace.NoteBFD, Router: 1, Link: 0, From: uint8(bfd.Up), To: uint8(bfd.AdminDown), Text: "the process was killed"})

	// Dead peer detection and rekeying.
	h.ike(0, 1, vpn.Message{Exchange: vpn.RUThere, Num: 1, ID: 0x777, SPI: spi1, Version: 1, Size: 92})
	h.ike(0, 0, vpn.Message{Exchange: vpn.RUThere, Num: 2, ID: 0x778, SPI: spi1, Version: 1, Size: 92})
	h.ike(1, 1, vpn.Message{Exchange: vpn.RUThere, Num: 1, ID: 0, SPI: spi2, Version: 2, Size: 76})
	h.ike(1, 0, vpn.Message{Exchange: vpn.RUThere, Num: 2, ID: 0, SPI: spi2, Version: 2, Size: 76})
	h.ike(1, 0, vpn.Message{Exchange: vpn.CreateChild, Num: 1, ID: 2, SPI: spi2, Version: 2, Size: 460})
	h.ike(1, 1, vpn.Message{Exchange: vpn.CreateChild, Num: 2, ID: 2, SPI: spi2, Version: 2, Size: 460})

	// A request by one tunnel, its reply by the other; then a lost reply.
	h.echo(0, false, 1, false)
	h.echo(1, true, 1, false)
	h.event(1000*ms, 2, 5, sim.PhaseFault)
	h.note(trace.Note{Kind: trace.NoteFault, Router: -1, Link: -1, Text: "gcp deletes tunnel-1"})
	h.note(trace.Note{Kind: trace.NoteForwarding, Router: -1, Link: -1, B: 1, Up: false, Text: "tunnel-1 is gone"})
	h.echo(0, false, 2, false)
	h.echo(0, true, 2, true)

	// A KEEPALIVE is lost and sent again.
	h.tcp(1, 0, trace.PSH|trace.ACK, true, bgp.Keepalive)
	h.again()
	h.tcp(1, 1, trace.ACK, false)

	// One session is closed, the other aborted.
	h.tcp(0, 1, trace.PSH|trace.ACK, false, (&bgp.Message{Type: bgp.MsgNotification,
		Notification: &bgp.Notification{Code: bgp.NoteCease, Subcode: bgp.CeaseAdminShutdown}}).Seal())
	h.tcp(0, 1, trace.FIN|trace.ACK, false)
	h.state(0, 1, bgp.Established, bgp.Idle, bgp.WhyStop)
	h.tcp(0, 0, trace.FIN|trace.ACK, false)
	h.state(0, 0, bgp.Established, bgp.Idle, bgp.WhyNotification)
	h.tcp(0, 1, trace.ACK, false)
	h.ike(0, 1, vpn.Message{Exchange: vpn.Delete, Num: 1, ID: 0x999, SPI: spi1, Version: 1, IKE: true, Size: 92})
	h.ike(1, 0, vpn.Message{Exchange: vpn.Delete, Num: 1, ID: 3, SPI: spi2, Version: 2, Size: 76})
	h.ike(1, 1, vpn.Message{Exchange: vpn.Delete, Num: 2, ID: 3, SPI: spi2, Version: 2, Size: 76})
	h.note(trace.Note{Kind: trace.NoteAdvertise, Router: 0, Link: 0})
	h.note(trace.Note{Kind: trace.NoteFIB, Router: 1, Prefix: prefix("10.2.0.0/16")})
	h.note(trace.Note{Kind: trace.NoteRoute, Router: 1, Prefix: prefix("10.2.0.0/16"), Route: &bgp.Route{}})
	h.tcp(1, 0, trace.RST|trace.ACK, false)
	return &h.Log
}

func kindName(_ sim.ActorID, k sim.Kind) string {
	return [...]string{"none", "segment", "retransmit", "ike", "echo", "fault"}[k]
}
