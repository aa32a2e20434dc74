package vpn

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

var update = flag.Bool("update", false, "rewrite testdata/*.txt with what the machine does now; review the diff")

// Transcripts: inputs flush left, the actions that they cause indented below.
//
//	end v1 initiate ...         a new end: settings as flags and name=value
//	create | delete [notify] | traffic
//	timer NAME [idle=10s]
//	recv EXCHANGE NUM [ike] [name=value ...]
//
// Processing takes 10 ms. Numbers that would be drawn count 2, 4, 6, …; those
// of the peer are odd.
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
	var e *End
	for n, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if strings.HasPrefix(line, " ") {
			continue // an action: written anew
		}
		fmt.Fprintln(&out, line)
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if words[0] == "end" {
			e = New(0, readConfig(t, n+1, words[1:]))
			continue
		}
		for _, a := range e.Step(nil, readInput(t, n+1, words)) {
			fmt.Fprintln(&out, "    "+show(a))
		}
	}
	return out.String()
}

var timerNames = [...]string{"retransmit", "retry", "dpd", "rekey-ike", "rekey-child"}

var exchangeNames = [...]string{"", "main", "quick", "init", "auth", "createchild", "delete", "ruthere"}

func readConfig(t *testing.T, line int, words []string) Config {
	c := Config{Retransmit: 4 * s, RetransmitBase: 1.8, RetransmitTries: 5, Processing: func() time.Duration { return 10 * time.Millisecond }}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		d, _ := time.ParseDuration(value)
		n, _ := strconv.Atoi(value)
		switch name {
		case "v1":
			c.Version = IKEv1
		case "v2":
			c.Version = IKEv2
		case "initiate":
			c.Initiate = true
		case "on-traffic":
			c.OnTraffic = true
		case "retry":
			c.Retry = d
		case "tries":
			c.RetransmitTries = n
		case "dpd":
			c.DPDInterval, c.DPDRetry = d, d
		case "dpd-timeout":
			c.DPDTimeout = d
		case "dpd-retries":
			c.DPDRetries = n
		case "restart":
			c.DPDAction = DPDRestart
		case "none":
			c.DPDAction = DPDNone
		case "ike":
			c.IKELifetime = d
		case "child":
			c.ChildLifetime = d
		case "margin":
			c.RekeyMargin = d
		default:
			t.Fatalf("line %d: %s?", line, w)
		}
	}
	return c
}

func index(t *testing.T, line int, names []string, name string) uint8 {
	for i, n := range names {
		if n == name {
			return uint8(i)
		}
	}
	t.Fatalf("line %d: %s?", line, name)
	return 0
}

func readInput(t *testing.T, line int, words []string) Input {
	switch words[0] {
	case "create":
		return Input{Kind: InCreate}
	case "delete":
		return Input{Kind: InDelete, Notify: len(words) > 1}
	case "traffic":
		return Input{Kind: InTraffic}
	case "timer":
		in := Input{Kind: InTimer, Timer: TimerID(index(t, line, timerNames[:], words[1]))}
		if len(words) > 2 {
			in.Idle, _ = time.ParseDuration(strings.TrimPrefix(words[2], "idle="))
		}
		return in
	case "recv":
		m := &Message{Exchange: Exchange(index(t, line, exchangeNames[:], words[1]))}
		for _, w := range words[2:] {
			name, value, _ := strings.Cut(w, "=")
			n, _ := strconv.ParseUint(value, 10, 64)
			switch name {
			case "v":
				m.Version = uint8(n)
			case "spi":
				m.SPI = n
			case "id":
				m.ID = uint32(n)
			case "child":
				m.Child = uint32(n)
			case "old":
				m.Old = uint32(n)
			case "new":
				m.New = n
			case "ike":
				m.IKE = true
			case "initial":
				m.InitialContact = true
			case "refused":
				m.Refused = true
			default:
				m.Num = uint8(index(t, line, []string{"", "1", "2", "3", "4", "5", "6"}, name))
			}
		}
		return Input{Kind: InMessage, Msg: m}
	}
	t.Fatalf("line %d: %s?", line, words[0])
	return Input{}
}

func show(a Action) string {
	switch a.Kind {
	case ActSend:
		return fmt.Sprintf("send %s after %v", showMessage(a.Msg), a.After)
	case ActArm:
		return fmt.Sprintf("arm %s %v", timerNames[a.Timer], a.After)
	case ActDisarm:
		return "disarm " + timerNames[a.Timer]
	case ActUp:
		return "UP"
	case ActDown:
		return fmt.Sprintf("DOWN: %v", a.Why)
	case ActState:
		return fmt.Sprintf("state %v -> %v: %v", a.From, a.To, a.Why)
	}
	return fmt.Sprintf("?%+v", a)
}

func showMessage(m *Message) string {
	s := fmt.Sprintf("%s %d v=%d spi=%d", exchangeNames[m.Exchange], m.Num, m.Version, m.SPI)
	for _, f := range []struct {
		name string
		n    uint64
	}{{"id", uint64(m.ID)}, {"child", uint64(m.Child)}, {"old", uint64(m.Old)}, {"new", m.New}} {
		if f.n != 0 {
			s += fmt.Sprintf(" %s=%d", f.name, f.n)
		}
	}
	for _, f := range []struct {
		name string
		on   bool
	}{{"ike", m.IKE}, {"initial", m.InitialContact}, {"refused", m.Refused}} {
		if f.on {
			s += " " + f.name
		}
	}
	return s
}
