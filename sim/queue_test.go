package sim

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// recorder is an actor that keeps what it handled.
type recorder struct{ got []Event }

func (r *recorder) Handle(_ *Kernel, ev *Event) { r.got = append(r.got, *ev) }

// The queue behaves like a slice that is sorted by (time, round, phase,
// insertion) after every operation, whatever is pushed, moved and taken out.
func TestQueueAgainstSortedSlice(t *testing.T) {
	t.Run("all near", queueAgainstSortedSlice)
	defer func(n int) { tooLong = n }(tooLong)
	tooLong = 2
	t.Run("with much that is far off", queueAgainstSortedSlice)
}

func queueAgainstSortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type entry struct {
			at    Time
			phase Phase
			n     int  // insertion
			round bool // belongs to the round under way
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
		sort := func() {
			slices.SortFunc(model, func(a, b entry) int {
				switch {
				case a.at != b.at:
					return int(a.at - b.at)
				case a.round != b.round && a.round:
					return -1
				case a.round != b.round:
					return 1
				case a.phase != b.phase:
					return int(a.phase) - int(b.phase)
				}
				return a.n - b.n
			})
		}
		add := func(at Time, phase Phase, arg uint64) {
			n++
			model = append(model, entry{at, phase, n, false, arg})
			sort()
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
					if !model[0].round { // a new round begins
						for i := range model {
							model[i].round = model[i].at == model[0].at
						}
					}
					sort()
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

// crowd keeps thousands of events pending, and pushes back, moves forward and
// takes out timers of which most are far off. Each event that is handled must be
// the one that was scheduled last for its timer, and come after the one before.
type crowd struct {
	t       *testing.T
	rnd     Stream
	timers  []Timer
	want    []Time
	order   []int // in which what is pending was scheduled
	n       int
	last    Time
	lastN   int
	handled int
}

func (c *crowd) delay() time.Duration {
	r := c.rnd.Uint64()
	x := time.Duration(r >> 8)
	switch r % 8 {
	case 0:
		return 0
	case 1:
		return x % 5
	case 2:
		return time.Second // many at one instant
	case 3, 4:
		return x % time.Duration(20*time.Millisecond)
	case 5, 6:
		return x % time.Duration(2*time.Second)
	default:
		return 30*time.Second + x%time.Duration(time.Minute)
	}
}

func (c *crowd) reset(k *Kernel, i int) {
	d := c.delay()
	c.n++
	c.want[i], c.order[i] = k.Now().Add(d), c.n
	if c.n%2 == 0 || !k.Move(c.timers[i], d, PhaseTimer, 0) {
		k.Reset(&c.timers[i], d, Event{Arg: uint64(i), Phase: PhaseTimer})
	}
}

func (c *crowd) Handle(k *Kernel, ev *Event) {
	i := int(ev.Arg)
	if ev.At != c.want[i] || ev.At < c.last || ev.At == c.last && c.order[i] < c.lastN {
		c.t.Fatalf("timer %d, due at %d as number %d, is handled at %d, after number %d at %d", i, c.want[i], c.order[i], ev.At, c.lastN, c.last)
	}
	c.last, c.lastN = ev.At, c.order[i]
	c.want[i] = -1
	c.handled++
	for range c.rnd.Uint64() % 3 {
		c.reset(k, int(c.rnd.Uint64()%uint64(len(c.timers))))
	}
	if j := c.rnd.Uint64() % uint64(len(c.timers)); c.rnd.Uint64()%4 == 0 {
		if k.Stop(&c.timers[j]) != (c.want[j] >= 0) {
			c.t.Fatalf("timer %d is due at %d, Stop says the opposite", j, c.want[j])
		}
		c.want[j] = -1
	}
}

func TestThousandsPending(t *testing.T) {
	for _, n := range []int{100, 3_000, 40_000} {
		k := New(uint64(n))
		for range 2 { // the memory is used again
			k.Start(uint64(n), 0)
			c := &crowd{t: t, rnd: k.Rand(1), timers: make([]Timer, n), want: make([]Time, n), order: make([]int, n)}
			k.actors = nil
			k.Add(c)
			for i := range c.timers {
				c.reset(k, i)
			}
			for range 4 * n {
				k.Step(1 << 62)
			}
			left := 0
			for _, at := range c.want {
				if at >= 0 {
					left++
				}
			}
			if k.Len() != left {
				t.Errorf("%d pending, want %d", k.Len(), left)
			}
		}
	}
}

// tie keeps the order in which actors were called.
type tie struct{ seen *[]ActorID }

func (a tie) Handle(_ *Kernel, ev *Event) { *a.seen = append(*a.seen, ev.To) }

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
