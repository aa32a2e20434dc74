package sim

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// recorder is an actor that keeps what it handled.
type recorder struct{ got []Event }

func (r *recorder) Handle(_ *Kernel, ev Event) { r.got = append(r.got, ev) }

// The queue behaves like a slice that is sorted by (time, phase, insertion)
// after every operation, whatever is pushed, moved and taken out.
func TestQueueAgainstSortedSlice(t *testing.T) {
	t.Run("heap", queueAgainstSortedSlice)
	defer func(a, b int) { tooLong, little = a, b }(tooLong, little)
	tooLong, little = root+3, 1
	t.Run("with much that is far off", queueAgainstSortedSlice)
}

func queueAgainstSortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type entry struct {
			at    Time
			phase Phase
			n     int // insertion
			arg   uint64
		}
		var (
			rec     recorder
			k       = New(1)
			model   []entry
			timers  = map[uint64]*Timer{}
			order   []uint64
			n       int
			want    []uint64
			nextArg uint64
		)
		k.Add(&rec)
		drop := func(arg uint64) bool {
			i := slices.IndexFunc(model, func(e entry) bool { return e.arg == arg })
			if i >= 0 {
				model = slices.Delete(model, i, i+1)
			}
			return i >= 0
		}
		add := func(at Time, phase Phase, arg uint64) {
			n++
			model = append(model, entry{at, phase, n, arg})
			slices.SortFunc(model, func(a, b entry) int {
				if a.at != b.at {
					return int(a.at - b.at)
				}
				if a.phase != b.phase {
					return int(a.phase) - int(b.phase)
				}
				return a.n - b.n
			})
		}
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				d := time.Duration(rapid.OneOf(rapid.IntRange(0, 20), rapid.IntRange(0, 1000)).Draw(t, "d"))
				p := Phase(rapid.IntRange(0, 3).Draw(t, "phase"))
				nextArg++
				tm := k.After(d, Event{Arg: nextArg, Phase: p})
				timers[nextArg] = &tm
				order = append(order, nextArg)
				add(k.Now().Add(d), p, nextArg)
			},
			"move": func(t *rapid.T) {
				if len(order) == 0 {
					t.Skip("nothing was ever pushed")
				}
				arg := rapid.SampledFrom(order).Draw(t, "which")
				d := time.Duration(rapid.OneOf(rapid.IntRange(0, 20), rapid.IntRange(0, 1000)).Draw(t, "d"))
				drop(arg)
				k.Reset(timers[arg], d, Event{Arg: arg, Phase: PhaseTimer})
				add(k.Now().Add(d), PhaseTimer, arg)
			},
			"stop": func(t *rapid.T) {
				if len(order) == 0 {
					t.Skip("nothing was ever pushed")
				}
				arg := rapid.SampledFrom(order).Draw(t, "which")
				if got, want := k.Stop(timers[arg]), drop(arg); got != want {
					t.Fatalf("Stop said %v, want %v", got, want)
				}
			},
			"pop": func(t *rapid.T) {
				if k.Step(1<<62) != (len(model) > 0) {
					t.Fatal("Step and model disagree about emptiness")
				}
				if len(model) > 0 {
					want = append(want, model[0].arg)
					model = model[1:]
				}
			},
			"": func(t *rapid.T) {
				for arg, tm := range timers {
					i := slices.IndexFunc(model, func(e entry) bool { return e.arg == arg })
					if at, pending := k.When(*tm); pending != (i >= 0) || pending && at != model[i].at {
						t.Fatalf("timer %d is due at %d (%v)", arg, at, pending)
					}
				}
				if k.Len() != len(model) || len(rec.got) != len(want) {
					t.Fatalf("%d pending, want %d", k.Len(), len(model))
				}
				if len(want) > 0 && rec.got[len(want)-1].Arg != want[len(want)-1] {
					t.Fatalf("popped %d, want %d", rec.got[len(want)-1].Arg, want[len(want)-1])
				}
			},
		})
	})
}

// tie keeps the order in which actors were called.
type tie struct{ seen *[]ActorID }

func (a tie) Handle(_ *Kernel, ev Event) { *a.seen = append(*a.seen, ev.To) }

// ShuffleTies reorders actors at one instant but neither times, phases nor an
// actor's own events.
func TestShuffleTiesKeepsEachActorsOrder(t *testing.T) {
	run := func(salt uint64) (order []ActorID, own [8][]uint64, digest uint64) {
		k := New(7)
		k.ShuffleTies(salt)
		for range 8 {
			k.Add(tie{&order})
		}
		log := observer{}
		k.Observe(&log)
		for i := range uint64(64) {
			k.At(Time(i/32), Event{To: ActorID(i % 8), Arg: i, Phase: PhaseTimer})
		}
		k.RunUntil(10)
		for _, ev := range log {
			own[ev.To] = append(own[ev.To], ev.Arg)
		}
		return order, own, k.Digest()
	}
	plain, ownPlain, d0 := run(0)
	shuffled, ownShuffled, d1 := run(99)
	if slices.Equal(plain, shuffled) {
		t.Error("the salt changed nothing")
	}
	for i := range ownPlain {
		if !slices.Equal(ownPlain[i], ownShuffled[i]) {
			t.Errorf("actor %d's own order changed: %v, then %v", i, ownPlain[i], ownShuffled[i])
		}
	}
	if d0 != d1 {
		t.Error("the digest depends on the order of ties")
	}
}

type observer []Event

func (o *observer) Event(ev *Event) { *o = append(*o, *ev) }
