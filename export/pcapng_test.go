package export

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/bgp/wire"
	"github.com/vpnsim/vpnsim/packet"
	"github.com/vpnsim/vpnsim/trace"
	"github.com/vpnsim/vpnsim/vpn"
)

func capture(t *testing.T, log *trace.Log) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := WritePcapng(&out, log, base); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// gopacket reads back what the log says, packet by packet.
func TestPcapngHoldsTheLog(t *testing.T) {
	log := wholeRun()
	r, err := pcapgo.NewNgReader(bytes.NewReader(capture(t, log)), pcapgo.NgReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	next := func() (string, time.Time, gopacket.Packet) {
		t.Helper()
		b, ci, err := r.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		face, err := r.Interface(ci.InterfaceIndex)
		if err != nil {
			t.Fatal(err)
		}
		p := gopacket.NewPacket(b, layers.LayerTypeIPv4, gopacket.Default)
		if e := p.ErrorLayer(); e != nil {
			t.Fatal(e.Error())
		}
		return face.Name, ci.Timestamp, p
	}
	var parser packet.Parser
	var sent time.Time
	for i := range log.Packets {
		want := &log.Packets[i]
		name, at, p := next()
		link := log.Names.Links[want.Link]
		if !at.Equal(base.Add(time.Duration(want.At))) {
			t.Errorf("packet %d: at %v", i, at)
		}
		ip4 := p.NetworkLayer().(*layers.IPv4)
		outside := func() {
			if name != link.Name+" (outside)" || ip4.SrcIP.String() != link.Outside[want.From].String() || ip4.DstIP.String() != link.Outside[1-want.From].String() {
				t.Errorf("packet %d: on %s from %v to %v", i, name, ip4.SrcIP, ip4.DstIP)
			}
		}
		if want.IKE != nil {
			outside()
			udp := p.Layer(layers.LayerTypeUDP).(*layers.UDP)
			if udp.SrcPort != 500 || udp.DstPort != 500 || binary.BigEndian.Uint64(udp.Payload) != want.IKE.SPI ||
				int(binary.BigEndian.Uint32(udp.Payload[24:])) != len(udp.Payload) {
				t.Errorf("packet %d: %x", i, udp.Payload)
			}
			continue
		}
		if name != link.Name || ip4.SrcIP.String() != want.Src.String() || ip4.DstIP.String() != want.Dst.String() {
			t.Errorf("packet %d: on %s from %v to %v", i, name, ip4.SrcIP, ip4.DstIP)
		}
		inner := int(ip4.Length)
		switch want.Proto {
		case trace.ProtoICMP:
			e, err := parser.Echo(p.Data())
			if !want.Reply {
				sent = at
			}
			if err != nil || e.Seq != want.Seq || e.Reply != want.Reply || e.ID != want.EchoID || e.Size != want.Size || e.Sent != sent.UnixNano() {
				t.Errorf("packet %d: %+v %v", i, e, err)
			}
		case trace.ProtoUDP:
			got, err := parser.BFD(p.Data())
			if w := want.BFD; err != nil || got.SrcPort != want.SrcPort || got.State != uint8(w.State) || got.Diag != uint8(w.Diag) || got.Poll != w.Poll || got.Final != w.Final ||
				got.Independent != w.Independent || got.Mult != w.Mult || got.My != w.My || got.Your != w.Your || got.MinTx != w.MinTx || got.MinRx != w.MinRx {
				t.Errorf("packet %d: %+v %v", i, got, err)
			}
		case trace.ProtoTCP:
			tcp := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
			if tcp.Seq != want.TCPSeq || tcp.SYN != (want.Flags&trace.SYN != 0) || tcp.FIN != (want.Flags&trace.FIN != 0) ||
				tcp.RST != (want.Flags&trace.RST != 0) || tcp.ACK != (want.Flags&trace.ACK != 0) || tcp.ACK && tcp.Ack != want.TCPAck {
				t.Errorf("packet %d: %+v", i, tcp)
			}
			rest := tcp.Payload
			for _, m := range want.Msgs {
				one, more, n := wire.Split(rest)
				if n != nil {
					t.Fatalf("packet %d: %+v", i, n)
				}
				rest = more
				if got, n := wire.Decode(one); n != nil || !reflect.DeepEqual(got, m) {
					t.Errorf("packet %d: %+v %+v", i, got, n)
				}
			}
			if len(rest) > 0 {
				t.Errorf("packet %d: %d octets too many", i, len(rest))
			}
		}
		name, _, p = next()
		ip4 = p.NetworkLayer().(*layers.IPv4)
		outside()
		esp, ok := p.Layer(layers.LayerTypeIPSecESP).(*layers.IPSecESP)
		if !ok || int(ip4.Length) != 20+packet.ESPLen(inner) || esp.SPI < 256 || esp.Seq == 0 {
			t.Errorf("packet %d: %+v for %d octets inside", i, esp, inner)
		}
	}
	if _, _, err := r.ReadPacketData(); err == nil {
		t.Error("there are packets that the log does not have")
	}
}

// A message that is longer than a segment is cut, and nothing of it is lost.
func TestPcapngSegments(t *testing.T) {
	h := newHand()
	ps := make([]netip.Prefix, 700)
	for i := range ps {
		ps[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
	}
	big := announce(65001, "10.0.0.1", ps...)
	h.tcp(0, 0, trace.PSH|trace.ACK, false, big, bgp.Keepalive)
	r, err := pcapgo.NewNgReader(bytes.NewReader(capture(t, &h.Log)), pcapgo.NgReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var stream []byte
	for {
		b, _, err := r.ReadPacketData()
		if err != nil {
			break
		}
		tcp, ok := gopacket.NewPacket(b, layers.LayerTypeIPv4, gopacket.Default).Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok {
			continue
		}
		if tcp.Seq != uint32(len(stream)) || len(tcp.Payload) > maxSegment {
			t.Errorf("segment of %d at %d, want %d", len(tcp.Payload), tcp.Seq, len(stream))
		}
		stream = append(stream, tcp.Payload...)
		if last := len(stream) == big.Size+bgp.HeaderLen; tcp.PSH != last {
			t.Errorf("PSH is %v after %d octets", tcp.PSH, len(stream))
		}
	}
	if one, rest, n := wire.Split(stream); n != nil || len(one) != big.Size || len(rest) != bgp.HeaderLen {
		t.Errorf("%d octets and %d, %+v", len(one), len(rest), n)
	}
}

// IKE messages are as long as they say, or as long as they must be, for every
// exchange and whatever length is asked for.
func TestIKELengths(t *testing.T) {
	for _, v := range []uint8{1, 2} {
		for ex := vpn.MainMode; ex <= vpn.RUThere; ex++ {
			for num := uint8(1); num <= 6; num++ {
				for size := 0; size < 600; size++ {
					m := &vpn.Message{Exchange: ex, Num: num, ID: 5, SPI: 9, Version: v, Size: size}
					b := ike(m, num%2 == 1)
					if int(binary.BigEndian.Uint32(b[24:])) != len(b) {
						t.Fatalf("%+v: header says %d of %d", m, binary.BigEndian.Uint32(b[24:]), len(b))
					}
					if size >= 500 && (len(b) > size || len(b) < size-19) {
						t.Fatalf("%+v: %d octets", m, len(b))
					}
				}
			}
		}
	}
}

func TestPcapngRefuses(t *testing.T) {
	broken := func(f func(*trace.Packet)) *trace.Log {
		h := newHand()
		h.tcp(0, 0, trace.ACK, false)
		f(&h.Packets[0])
		return &h.Log
	}
	for name, log := range map[string]*trace.Log{
		"a run without links":        {},
		"a link that does not exist": broken(func(p *trace.Packet) { p.Link = 9 }),
		"a negative link":            broken(func(p *trace.Packet) { p.Link = -1 }),
		"a third end":                broken(func(p *trace.Packet) { p.From = 2 }),
		"an unknown protocol":        broken(func(p *trace.Packet) { p.Proto = 99 }),
		"an IPv6 packet":             broken(func(p *trace.Packet) { p.Src = ip("::1") }),
		"a message without body":     broken(func(p *trace.Packet) { p.Msgs = []*bgp.Message{{Type: bgp.MsgOpen}} }),
		"IKE without message":        broken(func(p *trace.Packet) { p.Proto = trace.ProtoUDP }),
		"IKE over what is no tunnel": broken(func(p *trace.Packet) { p.Proto, p.Link, p.IKE = trace.ProtoUDP, 2, &vpn.Message{} }),
		"an echo of 100,000 octets":  broken(func(p *trace.Packet) { p.Proto, p.Size = trace.ProtoICMP, 100000 }),
	} {
		if err := WritePcapng(&bytes.Buffer{}, log, base); err == nil || !strings.HasPrefix(err.Error(), "pcapng: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// tshark runs Wireshark's dissectors with every check that it has.
func tshark(t *testing.T, file []byte, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed")
	}
	path := filepath.Join(t.TempDir(), "run.pcapng")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, append([]string{"-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
		"-o", "udp.check_checksum:TRUE", "-o", "bgp.asn_len:4 octet"}, args...)...).Output()
	if err != nil {
		t.Fatalf("tshark %v: %v", args, err)
	}
	return string(out)
}

// Nothing is malformed, no checksum is wrong, and the TCP analysis finds what
// happened (one retransmission) and nothing that did not.
func TestTsharkIsContent(t *testing.T) {
	file := capture(t, wholeRun())
	experts := tshark(t, file, "-T", "fields", "-e", "frame.number", "-e", "_ws.malformed", "-e", "_ws.expert.severity", "-e", "_ws.expert.message", "-Y", "_ws.malformed || _ws.expert")
	const warning, problem = "6291456", "8388608" // severities as tshark prints them
	retransmissions := 0
	for line := range strings.Lines(experts) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		bad := strings.Contains(f[2], warning) || strings.Contains(f[2], problem)
		switch {
		case f[1] != "":
			t.Errorf("malformed: %s", line)
		case strings.Contains(f[3], "retransmission"):
			retransmissions++
		case bad && f[3] != "Connection reset (RST)":
			t.Errorf("expert information: %s", line)
		}
	}
	if retransmissions != 1 {
		t.Errorf("%d retransmissions:\n%s", retransmissions, experts)
	}
	for _, filter := range []string{"tcp.analysis.lost_segment", "tcp.analysis.ack_lost_segment", "tcp.analysis.out_of_order", "tcp.analysis.duplicate_ack",
		"ip.checksum.status == Bad", "tcp.checksum.status == Bad", "udp.checksum.status == Bad", "icmp.checksum.status == Bad", "esp.sequence-analysis.wrong-sequence-number"} {
		if out := tshark(t, file, "-Y", filter); out != "" {
			t.Errorf("%s:\n%s", filter, out)
		}
	}
}

// The shortest message of every exchange is well-formed too.
func TestTsharkReadsShortIKE(t *testing.T) {
	h := newHand()
	for _, c := range []struct {
		version, nums uint8
		ex            []vpn.Exchange
	}{
		{1, 6, []vpn.Exchange{vpn.MainMode}},
		{1, 3, []vpn.Exchange{vpn.QuickMode}},
		{1, 2, []vpn.Exchange{vpn.Delete, vpn.RUThere}},
		{2, 2, []vpn.Exchange{vpn.SAInit, vpn.Auth, vpn.CreateChild, vpn.Delete, vpn.RUThere}},
	} {
		for _, ex := range c.ex {
			for num := uint8(1); num <= c.nums; num++ {
				h.ike(0, int8(1-num%2), vpn.Message{Exchange: ex, Num: num, ID: 5, SPI: uint64(c.version)<<8 | 1, Version: c.version})
			}
		}
	}
	if out := tshark(t, capture(t, &h.Log), "-Y", "_ws.malformed || _ws.expert.severity >= 6291456 || !isakmp"); out != "" {
		t.Errorf("tshark complains:\n%s", out)
	}
}

func TestTsharkSeesEverything(t *testing.T) {
	file := capture(t, wholeRun())
	all := tshark(t, file, "-V")
	for _, want := range []string{
		"Interface name: tunnel-1\n", "Interface name: tunnel-2 (outside)\n", lostComment,
		"Identity Protection (Main Mode)", "Quick Mode", "Informational (5)", "Version: 1.0",
		"IKE_SA_INIT", "IKE_AUTH", "CREATE_CHILD_SA", "INFORMATIONAL", "Version: 2.0",
		"AES-CBC", "HMAC_SHA1", "2048 bit MODP", "Nonce", "Encrypted",
		"OPEN Message", "AS Number: 4200000001", "UPDATE Message", "10.2.0.0/16", "KEEPALIVE Message", "NOTIFICATION Message",
		"Echo (ping) request", "Echo (ping) reply",
		"BFD Control message", "Diagnostic Code: Control Detection Time Expired (0x01)", "Session State: Down (0x1)", "Session State: Up (0x3)",
		"Poll: Set", "Final: Set", "Control Plane Independent: Set", "Detect Time Multiplier: 3 (= 900 ms Detection time)",
		"My Discriminator: 0x0000000b", "Your Discriminator: 0x0000000c", "Desired Min TX Interval:  300 ms (300000 us)", "Required Min Echo Interval:    0 ms (0 us)",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("tshark does not show %q", want)
		}
	}
	// Requests and replies are paired, also over two tunnels.
	if out := tshark(t, file, "-Y", "icmp.resp_to"); strings.Count(out, "\n") != 2 {
		t.Errorf("replies that answer:\n%s", out)
	}
	if out := tshark(t, file, "-Y", "frame.comment", "-T", "fields", "-e", "frame.comment", "-e", "frame.interface_name"); strings.Count(out, lostComment) != 6 {
		t.Errorf("comments:\n%s", out)
	}
}
