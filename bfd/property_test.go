package bfd

import (
	"slices"
	"testing"
	"time"
)

// Every input in every state: the states change as §6.2 and §6.8.6 say and in no
// other way, what is disabled is silent in the end, and no timer is disarmed that
// does not run.
func TestEveryInputInEveryState(t *testing.T) {
	var inputs []Input
	for _, state := range []State{AdminDown, Down, Init, Up} {
		for bits := range 4 {
			for _, mult := range []uint8{0, 1, 3, 255} {
				for _, my := range []uint32{0, 7, 1 << 31} {
					for _, your := range []uint32{0, 1, 2} {
						for _, d := range []time.Duration{0, time.Microsecond, 300 * ms, 4294 * s} {
							p := Packet{State: state, Poll: bits&1 > 0, Final: bits&2 > 0, Mult: mult, My: my, Your: your, MinTx: d, MinRx: 4294*s - d}
							inputs = append(inputs, Input{Kind: InPacket, Packet: p, Since: 100 * ms})
						}
					}
				}
			}
		}
	}
	for timer := range NumTimers + 2 {
		inputs = append(inputs, Input{Kind: InTimer, Timer: timer})
	}
	inputs = append(inputs, Input{}, Input{Kind: 99}, Input{Kind: InEnable}, Input{Kind: InDisable, Diag: DiagPathDown},
		Input{Kind: InChange, Timing: Timing{MinTx: 10 * ms, MinRx: 20 * s, Mult: 1}}, Input{Kind: InChange, Timing: Timing{MinTx: 10 * s, Mult: 9}})

	// What a received state makes of each state. §6.8.6
	table := map[State][4]State{ // received: AdminDown, Down, Init, Up
		AdminDown: {AdminDown, AdminDown, AdminDown, AdminDown},
		Down:      {Down, Init, Up, Down},
		Init:      {Down, Init, Up, Up},
		Up:        {Down, Down, Up, Up},
	}
	steps := 0
	for _, passive := range []bool{false, true} {
		for _, way := range []string{"", "AdminDown", "Down", "Init", "Up", "disabled", "silent"} {
			for _, first := range inputs {
				for _, in := range []Input{first, inputs[len(inputs)-3], {Kind: InTimer, Timer: DetectTimer}} {
					c := testConfig()
					c.Passive = passive
					one := New(c)
					switch way {
					case "":
					case "disabled", "silent":
						bring(t, one, "Up")
						one.Step(nil, Input{Kind: InDisable, Diag: DiagAdminDown})
						if way == "silent" {
							one.Step(nil, Input{Kind: InTimer, Timer: DetectTimer})
						}
					default:
						bring(t, one, way)
					}
					for _, in := range []Input{first, in} {
						was, mute, armed, discr := one.State(), one.mute, one.armed, one.cfg.Discr
						acts := one.Step(nil, in)
						steps++
						want := was
						switch p := &in.Packet; {
						case in.Kind == InEnable && was == AdminDown:
							want = Down
						case in.Kind == InDisable:
							want = AdminDown
						case in.Kind == InTimer && in.Timer == DetectTimer && armed[DetectTimer] && was != AdminDown:
							want = Down
						case in.Kind == InPacket && p.Mult > 0 && p.My > 0 && (p.Your == discr || p.Your == 0 && p.State <= Down):
							want = table[was][p.State]
						}
						if one.State() != want {
							t.Fatalf("%v (%q) goes to %v with %+v, not to %v", was, way, one.State(), in, want)
						}
						if mute && in.Kind != InEnable && len(acts) > 0 {
							t.Fatalf("a session that is none (%q) does %+v with %+v", way, acts, in)
						}
						check(t, one, armed, acts, in)
					}
				}
			}
		}
	}
	if steps < 10000 {
		t.Errorf("only %d steps", steps)
	}
}

// check holds the actions of a step against what the session was before it.
func check(t *testing.T, one *Session, armed [NumTimers]bool, acts []Action, in Input) {
	t.Helper()
	for _, a := range acts {
		switch a.Kind {
		case ActArm:
			if a.After < 0 {
				t.Fatalf("armed for %v with %+v", a.After, in)
			}
			armed[a.Timer] = true
		case ActDisarm:
			if !armed[a.Timer] {
				t.Fatalf("disarms what does not run with %+v", in)
			}
			armed[a.Timer] = false
		case ActSend:
			if a.Packet.Poll && a.Packet.Final {
				t.Fatalf("sends P and F at once with %+v", in)
			}
			if one.cfg.Passive && a.Packet.Your == 0 {
				t.Fatalf("passive, and the neighbour is not known, but it sends %+v with %+v", a.Packet, in)
			}
		}
	}
	if in.Kind == InTimer && in.Timer < NumTimers && one.armed[in.Timer] != armed[in.Timer] {
		armed[in.Timer] = false
	}
	if armed != one.armed {
		t.Fatalf("timers %v by the actions, %v by the machine, with %+v", armed, one.armed, in)
	}
	polls := slices.ContainsFunc(acts, func(a Action) bool { return a.Kind == ActSend && a.Packet.Final })
	if polls && !(in.Kind == InPacket && in.Packet.Poll) {
		t.Fatalf("answers what was not asked: %+v", in)
	}
	if one.Quiet() && (one.State() != Up || one.Remote() != Up) {
		t.Fatalf("quiet in %v", one.State())
	}
}

// A quiet session sends and hears without allocating.
func TestQuietSessionAllocatesNothing(t *testing.T) {
	one := New(testConfig())
	bring(t, one, "Up")
	acts := make([]Action, 0, 4)
	heard := Input{Kind: InPacket, Packet: peerPacket(Up), Since: 100 * ms}
	if n := testing.AllocsPerRun(1000, func() {
		acts = one.Step(acts[:0], Input{Kind: InTimer, Timer: TxTimer})
		acts = one.Step(acts[:0], heard)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkQuietSession(b *testing.B) {
	one := New(testConfig())
	one.Step(nil, Input{Kind: InEnable})
	for _, state := range []State{Down, Up} {
		one.Step(nil, Input{Kind: InPacket, Packet: peerPacket(state)})
	}
	acts := make([]Action, 0, 4)
	heard := Input{Kind: InPacket, Packet: peerPacket(Up), Since: 100 * ms}
	b.ReportAllocs()
	for b.Loop() {
		acts = one.Step(acts[:0], Input{Kind: InTimer, Timer: TxTimer})
		acts = one.Step(acts[:0], heard)
	}
}
