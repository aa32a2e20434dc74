package bgp

import (
	"bytes"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The transcripts in testdata/fsm are the behaviour of Session, sentence by
// sentence: a comment quotes the document, the inputs stand flush left, and
// what the session does stands indented below each.
//
//	config key=value …   a fresh session; starts a case
//	given STATE [key=value …]   brings it into a state by the usual way, without printing; the keys are open's
//	start, stop SUBCODE, link down, link up, bfd up, bfd down, bfd admin-down, bfd starting
//	up CONN [incoming], down CONN, stuck CONN, free CONN, sent
//	timer NAME           NAME is as in the actions; NAME/2 is the second connection's
//	open CONN [key=value …], keepalive CONN, update CONN, refresh CONN,
//	limit, ask
//	notification CONN CODE/SUBCODE, bad CONN CODE/SUBCODE, type CONN N
//	show                 no input: prints what the accessors say
//
// The session is AS 65001 with the identifier 10.0.0.1, its peer AS 65002 with
// 10.0.0.2, which offers a hold time of 30 s.

var updateGolden = flag.Bool("update", false, "rewrite the golden files; review the difference")

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/fsm/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := replay(string(want))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if *updateGolden {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			reportDifference(t, file, string(want), string(got))
		})
	}
}

// reportDifference names the first line that differs.
func reportDifference(t *testing.T, file, want, got string) {
	t.Helper()
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := 0; i < max(len(w), len(g)); i++ {
		var a, b string
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b || i >= len(w) || i >= len(g) {
			t.Errorf("%s:%d:\n want %q\n  got %q\nThe whole session:\n%s", file, i+1, a, b, got)
			return
		}
	}
}

// replay keeps the lines of a transcript that are comments, blank or inputs,
// and writes below each input what a session does with it.
func replay(script string) ([]byte, error) {
	var out bytes.Buffer
	var s *Session
	for i, line := range strings.Split(strings.TrimRight(script, "\n"), "\n") {
		if strings.HasPrefix(line, "\t") {
			continue
		}
		out.WriteString(line + "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		var err error
		switch {
		case words[0] == "config":
			var cfg SessionConfig
			if cfg, err = parseConfig(words[1:]); err == nil {
				s = NewSession(3, cfg)
			}
		case s == nil:
			err = fmt.Errorf("a case starts with config")
		case words[0] == "given":
			var o *Open
			if o, err = parseOpen(words[2:]); err == nil {
				err = bring(s, words[1], o)
			}
		case words[0] == "show":
			out.WriteString("\t" + show(s) + "\n")
		default:
			var in Input
			if in, err = parseInput(words); err != nil {
				break
			}
			for _, a := range s.Step(nil, in) {
				if a.Peer != 3 {
					err = fmt.Errorf("action for peer %d", a.Peer)
				}
				out.WriteString("\t" + actionText(a) + "\n")
			}
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %q: %v", i+1, line, err)
		}
	}
	return out.Bytes(), nil
}

func testConfig() SessionConfig {
	return SessionConfig{
		AS: 65001, PeerAS: 65002,
		ID:           netip.MustParseAddr("10.0.0.1"),
		Hold:         90 * time.Second,
		ConnectRetry: 120 * time.Second,
		OpenHold:     4 * time.Minute,
		IdleHold:     5 * time.Second,
		IdleHoldMax:  30 * time.Second,
		RouteRefresh: true,
		FourOctetAS:  true,
	}
}

func peerOpen() *Open {
	return &Open{Version: 4, AS: 65002, HoldTime: 30, ID: netip.MustParseAddr("10.0.0.2"), RouteRefresh: true, FourOctetAS: true}
}

func openMsg(o *Open) *Message { return (&Message{Type: MsgOpen, Open: o}).Seal() }

func updateMsg() *Message { return (&Message{Type: MsgUpdate, Update: &Update{}}).Seal() }

func refreshMsg() *Message {
	return (&Message{Type: MsgRouteRefresh, Refresh: &Family{AFI: 1, SAFI: 1}}).Seal()
}

// bring leads a session into a state the way it usually gets there: it calls
// as connection -1; a passive one is called as connection 0.
func bring(s *Session, state string, o *Open) error {
	conn := ConnID(-1)
	if s.cfg.Passive {
		conn = 0
	}
	steps := []struct {
		state State
		in    Input
	}{
		{Connect, Input{Kind: InStart}},
		{OpenSent, Input{Kind: InTCPUp, Conn: conn, Incoming: conn == 0}},
		{OpenConfirm, Input{Kind: InMessage, Conn: conn, Msg: openMsg(o)}},
		{Established, Input{Kind: InMessage, Conn: conn, Msg: Keepalive}},
	}
	if state == "Active" && !s.cfg.Passive {
		s.Step(nil, steps[0].in)
		s.Step(nil, steps[1].in)
		s.Step(nil, Input{Kind: InTCPDown, Conn: conn})
	}
	for _, st := range steps {
		if s.State().String() == state {
			break
		}
		s.Step(nil, st.in)
	}
	if s.State().String() != state {
		return fmt.Errorf("the session is in %v", s.State())
	}
	return nil
}

func parseConfig(words []string) (SessionConfig, error) {
	cfg := testConfig()
	durations := map[string]*time.Duration{
		"hold": &cfg.Hold, "keepalive": &cfg.Keepalive, "min-hold": &cfg.MinHold, "open-hold": &cfg.OpenHold,
		"connect-retry": &cfg.ConnectRetry, "delay-open": &cfg.DelayOpen, "idle-hold": &cfg.IdleHold,
		"bfd-hold":      &cfg.BFDHold,
		"idle-hold-max": &cfg.IdleHoldMax, "idle-hold-reset": &cfg.IdleHoldReset, "send-hold": &cfg.SendHold, "prefix-restart": &cfg.PrefixRestart,
	}
	jitters := map[string]*Jitter{
		"keepalive-jitter": &cfg.KeepaliveJitter, "hold-jitter": &cfg.HoldJitter,
		"connect-retry-jitter": &cfg.ConnectRetryJitter, "idle-hold-jitter": &cfg.IdleHoldJitter,
	}
	flags := map[string]*bool{
		"passive": &cfg.Passive, "connect-fail-active": &cfg.ConnectFailActive,
		"keepalive-fixed": &cfg.KeepaliveFixed, "bird": &cfg.BIRDRestart, "bfd-strict": &cfg.BFDStrict,
	}
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		var err error
		switch {
		case durations[k] != nil:
			*durations[k], err = time.ParseDuration(v)
		case jitters[k] != nil: // drawn as its middle, then its end, then its middle, …
			*jitters[k] = RFCJitter
			draw := uint64(0)
			cfg.Rand = func() uint64 {
				draw++
				return draw % 2 * 1_000_000_000
			}
		case flags[k] != nil:
			*flags[k] = true
		case k == "as":
			_, err = fmt.Sscan(v, &cfg.AS)
		case k == "peer-as":
			_, err = fmt.Sscan(v, &cfg.PeerAS)
		case k == "id":
			cfg.ID, err = netip.ParseAddr(v)
		case k == "no-refresh":
			cfg.RouteRefresh = false
		case k == "gr", k == "n-bit", k == "llgr":
			cfg.Restart, cfg.LongLived, err = parseRestart(cfg.Restart, cfg.LongLived, k, v)
		default:
			err = fmt.Errorf("unknown key %q", k)
		}
		if err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

func parseInput(words []string) (Input, error) {
	var in Input
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	if n, err := strconv.Atoi(arg(1)); err == nil {
		in.Conn = ConnID(n)
		in.Subcode = uint8(n)
	}
	kinds := map[string]InputKind{
		"start": InStart, "stop": InStop, "link": InLinkDown, "up": InTCPUp, "down": InTCPDown, "timer": InTimer,
		"limit": InPrefixLimit, "ask": InAskAgain, "stuck": InSendStuck, "free": InSendFree, "sent": InSent, "bad": InBadMessage,
	}
	in.Kind = InMessage
	if k, ok := kinds[words[0]]; ok {
		in.Kind = k
	}
	switch words[0] {
	case "limit", "ask", "start", "stop", "down", "stuck", "free", "sent":
	case "bfd":
		in.Kind = map[string]InputKind{"up": InBFDUp, "down": InBFDDown, "admin-down": InBFDAdminDown, "starting": InBFDStarting}[arg(1)]
	case "link":
		if arg(1) == "up" {
			in.Kind = InLinkUp
		}
	case "up":
		in.Incoming = arg(2) == "incoming"
	case "timer":
		for in.Timer = 0; in.Timer < NumTimers; in.Timer++ {
			if timerText(in.Timer) == arg(1) {
				return in, nil
			}
		}
		return in, fmt.Errorf("unknown timer %q", arg(1))
	case "keepalive":
		in.Msg = Keepalive
	case "update":
		in.Msg = updateMsg()
	case "refresh":
		in.Msg = refreshMsg()
	case "type":
		n, err := strconv.Atoi(arg(2))
		if err != nil {
			return in, err
		}
		in.Msg = &Message{Type: MsgType(n), Size: HeaderLen}
	case "notification", "bad":
		var code, sub uint8
		if _, err := fmt.Sscanf(arg(2), "%d/%d", &code, &sub); err != nil {
			return in, err
		}
		in.Msg = note(NoteCode(code), sub)
	case "open":
		o, err := parseOpen(words[2:])
		if err != nil {
			return in, err
		}
		in.Msg = openMsg(o)
	default:
		return in, fmt.Errorf("unknown input")
	}
	return in, nil
}

// parseOpen is the peer's OPEN, with changes.
func parseOpen(words []string) (*Open, error) {
	o := peerOpen()
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		var err error
		switch k {
		case "as":
			_, err = fmt.Sscan(v, &o.AS)
		case "hold":
			_, err = fmt.Sscan(v, &o.HoldTime)
		case "version":
			_, err = fmt.Sscan(v, &o.Version)
		case "no-refresh":
			o.RouteRefresh = false
		case "gr", "n-bit", "llgr":
			o.Restart, o.LongLived, err = parseRestart(o.Restart, o.LongLived, k, v)
		case "id":
			o.ID, err = netip.ParseAddr(v)
		case "bfd-strict":
			o.BFDStrict = true
		default:
			err = fmt.Errorf("unknown key %q", k)
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

// parseRestart reads gr=SECONDS or gr=SECONDS,restarter, n-bit and llgr=SECONDS
// or llgr.
func parseRestart(r *GracefulRestart, l *LongLived, k, v string) (*GracefulRestart, *LongLived, error) {
	seconds, restarter, _ := strings.Cut(v, ",")
	n, err := strconv.Atoi(seconds)
	switch k {
	case "gr":
		r = &GracefulRestart{Time: uint16(n)}
		if restarter != "" {
			r.Families = []RestartFamily{{Family: IPv4Unicast, Preserved: true}}
		}
	case "n-bit":
		r.Notify, err = true, nil
	case "llgr":
		l = &LongLived{}
		if v == "" {
			return r, l, nil
		}
		l.Families = []LongLivedFamily{{Family: IPv4Unicast, StaleTime: uint32(n)}}
	}
	return r, l, err
}

func show(s *Session) string {
	text := fmt.Sprintf("%v, ConnectRetryCounter %d", s.State(), s.ConnectRetryCounter())
	if c, ok := s.Conn(); ok {
		text += fmt.Sprintf(", connection %d with %v, hold %v, keepalive %v", c, s.PeerOpen().ID, s.Hold(), s.KeepaliveInterval())
	}
	for t := TimerID(0); t < NumTimers; t++ {
		if s.running(t) {
			text += ", " + timerText(t)
		}
	}
	if s.AwaitsBFD() {
		text += ", awaits BFD"
	}
	return text
}

func timerText(t TimerID) string {
	names := [...]string{"ConnectRetryTimer", "HoldTimer", "KeepaliveTimer", "DelayOpenTimer", "IdleHoldTimer", "SendHoldTimer"}
	text := names[t%SecondConn]
	if t >= SecondConn {
		text += "/2"
	}
	return text
}

func messageText(m *Message) string {
	switch m.Type {
	case MsgOpen:
		text := fmt.Sprintf("OPEN AS %d hold %d id %v", m.Open.AS, m.Open.HoldTime, m.Open.ID)
		if m.Open.BFDStrict {
			text += " bfd-strict"
		}
		return text
	case MsgUpdate:
		return "UPDATE"
	case MsgKeepalive:
		return "KEEPALIVE"
	case MsgRouteRefresh:
		return "ROUTE-REFRESH"
	}
	n := m.Notification
	codes := map[NoteCode]string{
		NoteHeader: "Message Header Error", NoteOpen: "OPEN Message Error", NoteUpdate: "UPDATE Message Error",
		NoteHoldTimerExpired: "Hold Timer Expired", NoteFSM: "Finite State Machine Error", NoteCease: "Cease",
		NoteSendHoldExpired: "Send Hold Timer Expired",
	}
	text := fmt.Sprintf("NOTIFICATION %d/%d %s", n.Code, n.Subcode, codes[n.Code])
	if len(n.Data) > 0 {
		text += fmt.Sprintf(" data %x", n.Data)
	}
	return text
}

func actionText(a Action) string {
	because := func() string {
		text := " (" + a.Why.String()
		if a.Msg != nil {
			text += ": " + messageText(a.Msg)
		}
		return text + ")"
	}
	switch a.Kind {
	case ActConnect:
		return fmt.Sprintf("connect %d", a.Conn)
	case ActClose:
		return fmt.Sprintf("close %d", a.Conn)
	case ActAbort:
		return fmt.Sprintf("abort %d", a.Conn)
	case ActArm:
		return fmt.Sprintf("arm %s %v", timerText(a.Timer), a.After)
	case ActDisarm:
		return "disarm " + timerText(a.Timer)
	case ActState:
		return fmt.Sprintf("state %v -> %v", a.From, a.To) + because()
	case ActUp:
		return fmt.Sprintf("up on %d with %v", a.Conn, a.Open.ID)
	case ActDown:
		if a.Graceful {
			return "down, to come back" + because()
		}
		return "down" + because()
	case ActUpdate:
		return fmt.Sprintf("deliver %s from %d", messageText(a.Msg), a.Conn)
	case ActSend:
		return fmt.Sprintf("send on %d: %s", a.Conn, messageText(a.Msg))
	}
	return fmt.Sprintf("action %d", a.Kind)
}
