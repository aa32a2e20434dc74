package bgp

import "testing"

func establishedSession(t testing.TB) (*Session, ConnID) {
	s := NewSession(0, testConfig())
	if err := bring(s, "Established", peerOpen()); err != nil {
		t.Fatal(err)
	}
	c, _ := s.Conn()
	return s, c
}

// The steady state of a session, which is nearly all that happens to it, must
// leave nothing for the garbage collector.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	s, c := establishedSession(t)
	acts := make([]Action, 0, 8)
	update := updateMsg()
	for name, in := range map[string]Input{
		"KEEPALIVE received":      {Kind: InMessage, Conn: c, Msg: Keepalive},
		"UPDATE received":         {Kind: InMessage, Conn: c, Msg: update},
		"UPDATE sent":             {Kind: InSent},
		"KeepaliveTimer expired":  {Kind: InTimer, Timer: KeepaliveTimer},
		"nothing can be sent":     {Kind: InSendStuck, Conn: c},
		"something can be again":  {Kind: InSendFree, Conn: c},
		"a message of no session": {Kind: InMessage, Conn: 99, Msg: Keepalive},
	} {
		if n := testing.AllocsPerRun(100, func() { acts = s.Step(acts[:0], in) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if s.State() != Established {
		t.Errorf("the session left for %v", s.State())
	}
}

func BenchmarkStepKeepaliveReceived(b *testing.B) {
	s, c := establishedSession(b)
	acts := make([]Action, 0, 8)
	b.ReportAllocs()
	for b.Loop() {
		acts = s.Step(acts[:0], Input{Kind: InMessage, Conn: c, Msg: Keepalive})
	}
}

func BenchmarkStepKeepaliveTimer(b *testing.B) {
	s, _ := establishedSession(b)
	acts := make([]Action, 0, 8)
	b.ReportAllocs()
	for b.Loop() {
		acts = s.Step(acts[:0], Input{Kind: InTimer, Timer: KeepaliveTimer})
	}
}

// From Reset to Established, with the peer's half given.
func BenchmarkStepEstablish(b *testing.B) {
	cfg := testConfig()
	s := NewSession(0, cfg)
	acts := make([]Action, 0, 8)
	open := openMsg(peerOpen())
	b.ReportAllocs()
	for b.Loop() {
		s.Reset(cfg)
		acts = s.Step(acts[:0], Input{Kind: InStart})
		acts = s.Step(acts[:0], Input{Kind: InTCPUp, Conn: -1})
		acts = s.Step(acts[:0], Input{Kind: InMessage, Conn: -1, Msg: open})
		acts = s.Step(acts[:0], Input{Kind: InMessage, Conn: -1, Msg: Keepalive})
	}
}
