//go:build linux

package lab

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/topology"
)

// tapped checks what was heard in a trial of TestLab, and the captures of it.
func tapped(t *testing.T, p *Plan, tr *Trial, files string) {
	t.Helper()
	// 3 s of hold time make a keepalive each second (RFC 4271 §10: a third of it), which
	// BIRD jitters by a quarter; a machine that is busy is late at times, never early.
	keepalives := 0
	for _, s := range tr.Speeches {
		keepalives += s.Sent
		if s.Received > s.Sent+1 { // one may have been under way when the listening began
			t.Errorf("%d keepalives have arrived of %d", s.Received, s.Sent)
		}
		if n := len(s.Spacing); n == 0 || s.Spacing[n/2] < 700*time.Millisecond {
			t.Errorf("keepalives come after %v", s.Spacing)
		}
	}
	shut := p.Design.Story[0].Kind == topology.SessionShut
	said := 0
	for _, m := range tr.Messages {
		if m.Type == bgp.MsgKeepalive {
			t.Error("keepalives are only counted")
		}
		if m.What == nil {
			t.Errorf("%s is not understood: %v", typeName(&m), m.Fault)
			continue
		}
		n := m.What.Notification
		if n == nil || !shut || m.At < tr.Faults[0].At || n.Code != bgp.NoteCease || m.Received {
			continue
		}
		// RFC 4486: "Administrative Shutdown", which FRR says inside a Hard Reset (RFC
		// 8538 §3.1). The tunnel takes 2.5 ms.
		_, why := n.Why()
		if said++; why != bgp.CeaseAdminShutdown || p.Design.Routers[m.From].Name != "gcp" || p.Design.Links[m.Link].Name != "tun2" || m.Took < 2500*time.Microsecond {
			t.Errorf("a goodbye: %+v %v", m, n)
		}
	}
	if shut && said != 1 {
		t.Errorf("the shut session has said goodbye %d times", said)
	}
	for _, r := range p.Design.Routers {
		file := fmt.Sprintf(files, r.Name)
		if n, err := bgpPackets(file); err != nil || n < keepalives/4 {
			t.Errorf("%s: %d packets of BGP, with %d keepalives said: %v", file, n, keepalives, err)
		}
	}
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Log("tshark is not here, and does not read the captures")
		return
	}
	out, err := exec.Command(tshark, "-r", fmt.Sprintf(files, "gcp"), "-Y", "bgp.type == 4 && !_ws.malformed").Output()
	if n := strings.Count(string(out), "\n"); err != nil || n < keepalives/4 {
		t.Errorf("tshark sees %d packets with keepalives, of %d keepalives that were said: %v", n, keepalives, err)
	}
}

// bgpPackets counts those with a payload, as gopacket reads them.
func bgpPackets(file string) (n int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r, err := pcapgo.NewNgReader(f, pcapgo.NgReaderOptions{})
	if err != nil {
		return 0, err
	}
	for {
		data, _, err := r.ReadPacketData()
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		first := layers.LayerTypeIPv4
		if data[0]>>4 == 6 {
			first = layers.LayerTypeIPv6
		}
		p := gopacket.NewPacket(data, first, gopacket.Default)
		tcp, ok := p.TransportLayer().(*layers.TCP)
		if !ok || tcp.SrcPort != 179 && tcp.DstPort != 179 {
			return n, fmt.Errorf("a packet that is not BGP's: %v", p)
		}
		if len(tcp.Payload) > 0 {
			n++
		}
	}
}
