package bfd

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite testdata/*.txt with what the machine does now; review the difference")

// The transcripts are the behaviour, sentence by sentence: a comment quotes RFC
// 5880, the inputs stand flush left, and what the session does stands indented
// below each.
//
//	config [name=value …]     a fresh session; starts a case
//	given STATE               brings it there by the usual way, without printing
//	enable, disable [DIAG]
//	recv STATE [name=value …] a packet; my=7 your=1 tx=300ms rx=300ms mult=3 unless it says otherwise;
//	                          P and F set the bits; since=D: the last packet was sent so long ago
//	timer tx, timer detect
//	change [name=value …]     another configuration
//	show                      no input: prints what the accessors say
//
// This end's discriminator is 1, it wants 300 ms both ways and a multiplier of
// 3. Without jitter= nothing is random and every interval is whole.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(text))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, have := strings.Split(string(text), "\n"), strings.Split(got, "\n")
			for i := range max(len(want), len(have)) {
				var w, h string
				if i < len(want) {
					w = want[i]
				}
				if i < len(have) {
					h = have[i]
				}
				if w != h {
					t.Fatalf("%s:%d:\n got %s\nwant %s", file, i+1, h, w)
				}
			}
		})
	}
}

func replay(t *testing.T, text string) string {
	var out strings.Builder
	var s *Session
	for n, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if strings.HasPrefix(line, "\t") {
			continue // an action: written anew
		}
		fmt.Fprintln(&out, line)
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		switch words[0] {
		case "config":
			s = New(readConfig(t, n+1, words[1:]))
		case "given":
			bring(t, s, words[1])
		case "show":
			mult, interval := s.Detection()
			fmt.Fprintf(&out, "\t%v (%v), neighbour %v, sends every %v, waits for %d x %v", s.State(), s.Diag(), s.Remote(), s.TxInterval(), mult, interval)
			if s.Quiet() {
				fmt.Fprint(&out, ", quiet")
			}
			fmt.Fprintln(&out)
		default:
			for _, a := range s.Step(nil, readInput(t, n+1, words, s.cfg.Timing)) {
				fmt.Fprintln(&out, "\t"+describe(a))
			}
		}
	}
	return out.String()
}

func testConfig() Config {
	return Config{Discr: 1, Timing: Timing{MinTx: 300 * time.Millisecond, MinRx: 300 * time.Millisecond, Mult: 3}}
}

// bring leads a session into a state the usual way.
func bring(t *testing.T, s *Session, state string) {
	t.Helper()
	if state == "AdminDown" {
		return
	}
	s.Step(nil, Input{Kind: InEnable})
	for _, remote := range []State{Down, Up} {
		if s.State().String() == state {
			break
		}
		p := peerPacket(remote)
		s.Step(nil, Input{Kind: InPacket, Packet: p})
	}
	if s.State() == Up { // the neighbour answers the Poll, and says something else after it
		p := peerPacket(Up)
		p.Final = true
		s.Step(nil, Input{Kind: InPacket, Packet: p})
		p.Final = false
		s.Step(nil, Input{Kind: InPacket, Packet: p})
	}
	if s.State().String() != state {
		t.Fatalf("the session is %v, not %s", s.State(), state)
	}
}

func peerPacket(state State) Packet {
	return Packet{State: state, My: 7, Your: 1, Mult: 3, MinTx: 300 * time.Millisecond, MinRx: 300 * time.Millisecond}
}

func readConfig(t *testing.T, line int, words []string) Config {
	c := testConfig()
	readTiming(t, line, words, &c.Timing, func(k, v string) bool {
		switch k {
		case "passive":
			c.Passive = true
		case "independent":
			c.Independent = true
		case "jitter": // drawn as the least, the middle, the most, the least, …
			c.Jitter = 750
			if v != "" {
				n, _ := strconv.Atoi(v)
				c.Jitter = uint32(n)
			}
			draws := 0
			c.Rand = func() uint64 {
				draws++
				span := uint64(c.MinTx / 1000 * time.Duration(1000-c.Jitter))
				if c.Mult == 1 {
					span = uint64(c.MinTx / 1000 * time.Duration(900-c.Jitter))
				}
				return span * uint64((draws+2)%3) / 2
			}
		default:
			return false
		}
		return true
	})
	return c
}

func readTiming(t *testing.T, line int, words []string, to *Timing, more func(k, v string) bool) {
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		var err error
		switch k {
		case "tx":
			to.MinTx, err = time.ParseDuration(v)
		case "rx":
			to.MinRx, err = time.ParseDuration(v)
		case "mult":
			var n int
			n, err = strconv.Atoi(v)
			to.Mult = uint8(n)
		default:
			if !more(k, v) {
				t.Fatalf("line %d: what is %q?", line, w)
			}
		}
		if err != nil {
			t.Fatalf("line %d: %q: %v", line, w, err)
		}
	}
}

var stateNames = map[string]State{"AdminDown": AdminDown, "Down": Down, "Init": Init, "Up": Up}

func readInput(t *testing.T, line int, words []string, timing Timing) Input {
	switch words[0] {
	case "enable":
		return Input{Kind: InEnable}
	case "disable":
		in := Input{Kind: InDisable, Diag: DiagAdminDown}
		if len(words) > 1 {
			n, _ := strconv.Atoi(words[1])
			in.Diag = Diag(n)
		}
		return in
	case "timer":
		return Input{Kind: InTimer, Timer: map[string]TimerID{"tx": TxTimer, "detect": DetectTimer}[words[1]]}
	case "change":
		in := Input{Kind: InChange, Timing: timing}
		readTiming(t, line, words[1:], &in.Timing, func(k, v string) bool {
			var err error
			in.Since, err = time.ParseDuration(v)
			return k == "since" && err == nil
		})
		return in
	case "recv":
		state, ok := stateNames[words[1]]
		if !ok {
			t.Fatalf("line %d: %q is no state", line, words[1])
		}
		in := Input{Kind: InPacket, Packet: peerPacket(state)}
		p := &in.Packet
		have := Timing{p.MinTx, p.MinRx, p.Mult}
		readTiming(t, line, words[2:], &have, func(k, v string) bool {
			var err error
			switch k {
			case "my", "your":
				var n int
				n, err = strconv.Atoi(v)
				if k == "my" {
					p.My = uint32(n)
				} else {
					p.Your = uint32(n)
				}
			case "P":
				p.Poll = true
			case "F":
				p.Final = true
			case "since":
				in.Since, err = time.ParseDuration(v)
			default:
				return false
			}
			return err == nil
		})
		p.MinTx, p.MinRx, p.Mult = have.MinTx, have.MinRx, have.Mult
		return in
	}
	t.Fatalf("line %d: unknown input %q", line, words[0])
	return Input{}
}

func describe(a Action) string {
	timer := [...]string{"tx", "detect"}
	switch a.Kind {
	case ActSend:
		p := a.Packet
		s := fmt.Sprintf("send %v my=%d your=%d tx=%v rx=%v mult=%d", p.State, p.My, p.Your, p.MinTx, p.MinRx, p.Mult)
		if p.Poll {
			s += " P"
		}
		if p.Final {
			s += " F"
		}
		if p.Independent {
			s += " C"
		}
		if p.Diag != DiagNone {
			s += fmt.Sprintf(" (%v)", p.Diag)
		}
		return s
	case ActArm:
		return fmt.Sprintf("arm %s %v", timer[a.Timer], a.After)
	case ActDisarm:
		return "disarm " + timer[a.Timer]
	case ActState:
		s := fmt.Sprintf("state %v -> %v", a.From, a.To)
		if a.Packet.Diag != DiagNone {
			s += fmt.Sprintf(" (%v)", a.Packet.Diag)
		}
		return s
	}
	return fmt.Sprintf("action %d", a.Kind)
}
