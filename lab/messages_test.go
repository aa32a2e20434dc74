//go:build linux

package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	octets "github.com/vpnsim/vpnsim/bgp/wire"
	"github.com/vpnsim/vpnsim/packet"
	"github.com/vpnsim/vpnsim/report"
)

// talker makes the packets of a connection from gcp to aws over tun2 and hands them to
// the ears of both, or of the sender alone if they get lost.
type talker struct {
	t     *testing.T
	start time.Time
	heard [][]overheard // aws, gcp
	seq   [2]uint32     // of gcp, of aws
	build packet.Builder
}

func (x *talker) segment(after time.Duration, gcp bool, g packet.Segment, lost bool) {
	x.t.Helper()
	a, b := netip.MustParseAddrPort("169.254.26.134:40000"), netip.MustParseAddrPort("169.254.26.133:179")
	from, to := 1, 0
	if !gcp {
		a, b, from, to = b, a, 0, 1
	}
	g.Src, g.Dst, g.TTL = a, b, 1
	raw, err := x.build.TCP(g)
	if err != nil {
		x.t.Fatal(err)
	}
	raw = slices.Clone(raw)
	x.heard[from] = append(x.heard[from], overheard{at: x.start.Add(after), device: 3, data: raw})
	if !lost {
		x.heard[to] = append(x.heard[to], overheard{at: x.start.Add(after + 2*time.Millisecond), device: 3, data: raw})
	}
}

// send messages in one segment.
func (x *talker) send(after time.Duration, gcp bool, lost bool, list ...*bgp.Message) packet.Segment {
	x.t.Helper()
	side := 0
	if !gcp {
		side = 1
	}
	g := packet.Segment{Flags: packet.ACK, Seq: x.seq[side]}
	for _, m := range list {
		var err error
		if g.Payload, err = octets.Append(g.Payload, m); err != nil {
			x.t.Fatal(err)
		}
	}
	x.seq[side] += uint32(len(g.Payload))
	x.segment(after, gcp, g, lost)
	return g
}

// Each message is heard once where it is sent and once where it arrives, also when TCP
// had to send it again; keepalives are counted, and their spacing is the sender's.
func TestHear(t *testing.T) {
	d := plan(t, fmt.Sprintf(twoTunnels, `{at: 5s, shut: tun2, by: gcp}`), Flags{With: "bird"}).Design
	x := &talker{t: t, start: time.Unix(1000, 0), heard: make([][]overheard, 2), seq: [2]uint32{1<<32 - 10, 500}}
	x.segment(0, true, packet.Segment{Flags: packet.SYN, Seq: x.seq[0] - 1}, false)
	x.segment(0, false, packet.Segment{Flags: packet.SYN | packet.ACK, Seq: x.seq[1] - 1}, false)
	paths := []bgp.AddPath{{Family: bgp.IPv4Unicast, Send: true, Receive: true}}
	open := func(as uint32, id string) *bgp.Message {
		return &bgp.Message{Type: bgp.MsgOpen, Open: &bgp.Open{Version: 4, AS: as, HoldTime: 3, ID: netip.MustParseAddr(id), FourOctetAS: true, AddPath: paths}}
	}
	keepalive := &bgp.Message{Type: bgp.MsgKeepalive}
	const ms = time.Millisecond
	x.send(10*ms, true, false, open(65000, "1.1.1.1"))
	x.send(20*ms, false, false, open(64512, "2.2.2.2"), keepalive)
	x.send(30*ms, true, false, keepalive)
	// An UPDATE whose identifiers are there because both OPENs said so. It is lost, and
	// sent again together with a keepalive.
	prefix := netip.MustParsePrefix("10.1.0.0/16")
	update := &bgp.Message{Type: bgp.MsgUpdate, Update: &bgp.Update{NLRI: []netip.Prefix{prefix}, Extra: &bgp.Extra{NLRI: []uint32{7}},
		Attrs: &bgp.Attrs{NextHop: netip.MustParseAddr("169.254.26.134"), ASPath: bgp.ASPath{{ASNs: []uint32{65000}}}}}}
	first := x.send(1000*ms, true, true, update)
	second := x.send(1100*ms, true, true, keepalive)
	first.Payload = append(first.Payload, second.Payload...)
	x.segment(1300*ms, true, first, false)
	x.send(2200*ms, true, false, keepalive)
	// And a goodbye that never arrives.
	x.send(3000*ms, true, true, &bgp.Message{Type: bgp.MsgNotification, Notification: &bgp.Notification{Code: bgp.NoteCease, Subcode: bgp.CeaseAdminShutdown}})
	// What is nobody's session is not heard.
	x.heard[0] = append(x.heard[0], overheard{at: x.start, data: []byte("no packet")})

	tr := &Trial{Begin: 60 * time.Second, Faults: []Fired{{At: 62 * time.Second}}}
	tr.hear(d, x.heard, x.start.Add(-time.Second), 0)
	var doc report.LabTrial
	p := Plan{Design: d}
	p.talk(&doc, tr)
	var lines []string
	for _, m := range doc.BGP {
		line := fmt.Sprintf("%s %s>%s %s %s", m.AtS.Fixed(3), m.From, m.To, m.Direction, m.What)
		if m.TookS != nil {
			line += " " + m.TookS.Fixed(3)
		}
		if m.Code != nil {
			line += fmt.Sprintf(" %d/%d", *m.Code, *m.Subcode)
		}
		lines = append(lines, line)
	}
	want := `61.010 gcp>aws sent OPEN (AS 65000, hold time 3 s) 0.002
61.012 gcp>aws received OPEN (AS 65000, hold time 3 s)
61.020 aws>gcp sent OPEN (AS 64512, hold time 3 s) 0.002
61.022 aws>gcp received OPEN (AS 64512, hold time 3 s)
62.000 gcp>aws sent UPDATE (announces 10.1.0.0/16) 0.302
62.302 gcp>aws received UPDATE (announces 10.1.0.0/16)
64.000 gcp>aws sent NOTIFICATION (Cease, Administrative Shutdown) 6/2`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("heard:\n%s\nwant:\n%s", got, want)
	}
	if m := doc.BGP[4]; m.AfterS != 0 || m.Announced != 1 || m.Withdrawn != 0 || m.Link != "tun2" || m.Type != "UPDATE" {
		t.Errorf("%+v", m)
	}
	var of report.LabStream
	for _, s := range doc.Streams {
		if s.From == "gcp" && s.Link == "tun2" {
			of = s
		}
	}
	// The one that acknowledges the OPEN is in no interval.
	if of.KeepalivesSent != 3 || of.KeepalivesReceived != 3 || of.SpacingMinS == nil || of.SpacingMinS.Fixed(3) != "1.100" || of.SpacingMaxS.Fixed(3) != "1.100" {
		t.Errorf("keepalives: %+v", of)
	}
	if of.Segments != 8 || of.Retransmitted != 1 {
		t.Errorf("segments: %+v", of)
	}
}

// What is no message ends what can be read of a connection, and is said.
func TestHearMalformed(t *testing.T) {
	d := plan(t, fmt.Sprintf(twoTunnels, `{at: 5s, shut: tun2, by: gcp}`), Flags{With: "bird"}).Design
	x := &talker{t: t, start: time.Unix(1000, 0), heard: make([][]overheard, 2), seq: [2]uint32{1, 1}}
	x.segment(0, true, packet.Segment{Flags: packet.ACK, Seq: 1, Payload: make([]byte, 19)}, false)
	x.segment(time.Second, true, packet.Segment{Flags: packet.ACK, Seq: 20, Payload: make([]byte, 19)}, false)
	var tr Trial
	tr.hear(d, x.heard, x.start, 0)
	if len(tr.Messages) != 2 || tr.Messages[0].words() != "octets that are no message (Message Header Error, Connection Not Synchronized)" {
		t.Errorf("%+v %s", tr.Messages, tr.Messages[0].words())
	}
}
