package export

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vpnsim/vpnsim/bgp"
	"github.com/vpnsim/vpnsim/bgp/wire"
	"github.com/vpnsim/vpnsim/sim"
	"github.com/vpnsim/vpnsim/trace"
)

func mrt(t *testing.T, log *trace.Log) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := WriteMRT(&out, log, base); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Each record is what RFC 6396 says, octet by octet.
func TestMRTRecords(t *testing.T) {
	log := wholeRun()
	b := mrt(t, log)
	be := binary.BigEndian
	for i := range log.Notes {
		n := &log.Notes[i]
		if n.Kind != trace.NoteMessage && n.Kind != trace.NoteSession {
			continue
		}
		if len(b) < 16 {
			t.Fatal("the file ends early")
		}
		at := time.Unix(int64(be.Uint32(b)), int64(be.Uint32(b[12:]))*1000)
		if kind := be.Uint16(b[4:]); kind != mrtBGP4MPET || !at.Equal(base.Add(time.Duration(n.At)).Truncate(time.Microsecond)) {
			t.Errorf("note %d: type %d at %v", i, kind, at)
		}
		subtype, size := be.Uint16(b[6:]), int(be.Uint32(b[8:]))
		body := b[16 : 12+size]
		b = b[12+size:]
		peer, local := be.Uint32(body), be.Uint32(body[4:])
		if peer+local != 4200000001+65001 || be.Uint16(body[8:]) != uint16(n.Link) || be.Uint16(body[10:]) != 1 {
			t.Errorf("note %d: AS %d and %d", i, peer, local)
		}
		l, e := log.Names.Links[n.Link], end(log, n.Link, n.Router)
		rest := body[20:]
		if n.Kind == trace.NoteSession {
			if subtype != mrtStateChangeAS4 || !bytes.Equal(body[16:20], l.Inside[e].AsSlice()) || !bytes.Equal(rest, []byte{0, n.From + 1, 0, n.To + 1}) {
				t.Errorf("note %d: %x", i, body)
			}
			continue
		}
		m, bad := wire.Decode(rest)
		if bad != nil || m.Type != n.Msg.Type || subtype != mrtMessageAS4 || !bytes.Equal(body[12:16], l.Inside[e].AsSlice()) {
			t.Errorf("note %d: %x %+v", i, body, bad)
		}
		if m.Type == bgp.MsgOpen && m.Open.AS != peer {
			t.Errorf("note %d: AS %d sends the OPEN of AS %d", i, peer, m.Open.AS)
		}
	}
	if len(b) != 0 {
		t.Errorf("%d octets too many", len(b))
	}
}

// An instant before the date of time zero rounds down, as all others do.
func TestMRTBeforeTimeZero(t *testing.T) {
	h := newHand()
	h.now = sim.Time(-time.Nanosecond)
	h.state(0, 0, bgp.Idle, bgp.Connect, bgp.WhyStart)
	b := mrt(t, &h.Log)
	if s, us := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[12:]); int64(s) != base.Unix()-1 || us != 999999 {
		t.Errorf("%d s %d us", s, us)
	}
}

func TestMRTRefuses(t *testing.T) {
	h := newHand()
	h.note(trace.Note{Kind: trace.NoteMessage, Link: 0, Router: 0, Msg: &bgp.Message{Type: bgp.MsgUpdate}})
	if err := WriteMRT(&bytes.Buffer{}, &h.Log, base); err == nil || !strings.HasPrefix(err.Error(), "mrt: note 0") {
		t.Errorf("%v", err)
	}
}

func TestBgpdumpReadsIt(t *testing.T) {
	program, err := exec.LookPath("bgpdump")
	if err != nil {
		t.Skip("bgpdump is not installed")
	}
	path := filepath.Join(t.TempDir(), "run.mrt")
	if err := os.WriteFile(path, mrt(t, wholeRun()), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		cmd := exec.Command(program, append(args, path)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || strings.Contains(stderr.String(), "[error]") || strings.Contains(stderr.String(), "[warn]") {
			t.Fatalf("bgpdump: %v\n%s", err, stderr.String())
		}
		return string(out)
	}
	short := run("-m")
	for _, want := range []string{
		"|STATE|169.254.10.2|65001|1|2",
		"|A|169.254.10.1|4200000001|10.2.0.0/16|4200000001|IGP|169.254.10.1|0|100|7224:9100|NAG||",
		"|A|169.254.10.2|65001|10.1.1.0/24|65001|IGP|169.254.10.2|0|100|7224:9100|NAG||",
	} {
		if !strings.Contains(short, want) {
			t.Errorf("bgpdump -m does not show %q:\n%s", want, short)
		}
	}
	long := run()
	for _, want := range []string{"BGP4MP_ET/STATE_CHANGE", "BGP4MP_ET/MESSAGE/Open", "BGP4MP_ET/MESSAGE/Update", "BGP4MP_ET/MESSAGE/Keepalive", "BGP4MP_ET/MESSAGE/Notify", "10.2.0.0/16"} {
		if !strings.Contains(long, want) {
			t.Errorf("bgpdump does not show %q:\n%s", want, long)
		}
	}
}
