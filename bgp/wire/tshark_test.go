package wire

// Wireshark's BGP dissector as a second opinion on the octets. Each message is
// a packet of its own in a capture whose link type is declared to be BGP.

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// (A default route among other prefixes is not in the samples: tshark takes its
// one zero octet for the start of an ADD-PATH identifier.)
func TestTsharkReadsTheSame(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed")
	}
	const linkTypeUser0 = 147
	file := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	file = append(file, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	file = binary.LittleEndian.AppendUint32(file, 1<<16)
	file = binary.LittleEndian.AppendUint32(file, linkTypeUser0)
	for i, s := range samples {
		b, err := Encode(s.msg)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []int{i, 0, len(b), len(b)} {
			file = binary.LittleEndian.AppendUint32(file, uint32(v))
		}
		file = append(file, b...)
	}
	path := filepath.Join(t.TempDir(), "bgp.pcap")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tshark, "-r", path, "-V", "-o", `uat:user_dlts:"User 0 (DLT=147)","bgp","0","","0",""`, "-o", "bgp.asn_len:4 octet").Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	got := string(out)
	if strings.Contains(strings.ToLower(got), "malformed") {
		t.Errorf("tshark finds it malformed:\n%s", got)
	}
	for _, want := range []string{
		"KEEPALIVE Message", "OPEN Message", "UPDATE Message", "NOTIFICATION Message", "ROUTE-REFRESH Message",
		"My AS: 64512", "My AS: 23456 (AS_TRANS)", "AS Number: 4200000000", "Hold Time: 90",
		"BGP Identifier: 169.254.10.1",
		"Multiprotocol extensions capability", "Route refresh capability", "Graceful Restart capability", "= Time: 120",
		"Restart state: Yes", "Preserve forwarding state: Yes",
		"Origin: INCOMPLETE", "64512 4200000000 {1, 2}", "NEXT_HOP: 169.254.10.1", "MULTI_EXIT_DISC: 100", "LOCAL_PREF: 200",
		"ATOMIC_AGGREGATE", "AGGREGATOR: AS: 65001 origin: 10.9.9.9", "64512:7", "NO_EXPORT",
		"ORIGINATOR_ID: 10.0.0.7", "CLUSTER_LIST: 10.0.0.8 10.0.0.9",
		"MP_REACH_NLRI", "Next hop: fd00::1", "2001:db8:1::/48", "MP_UNREACH_NLRI", "2001:db8::/33",
		"192.0.2.128/25", "10.2.0.0/16", "10.3.3.3/32", "10.4.0.0/14",
		"Major error Code: Cease (6)", "Administratively Shutdown (2)",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("tshark does not show %q", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}
