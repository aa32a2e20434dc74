package sim

import "time"

// Kernel runs one simulation. It is not safe for concurrent use, and need not
// be: many runs at once are many kernels.
type Kernel struct {
	q        queue
	handled  EventID // how many there were
	order    uint64  // of the event being handled …
	lane     Lane    // … and its lane: Here
	again    bool    // it was scheduled within its own instant
	began    EventID // the last one before the round under way
	inserted uint64
	digest   uint64
	seed     uint64
	actors   []Actor
	others   Actor // of those events that are for none of actors
	ev       Event // the one being handled; between events only its time counts
	observer Observer
	halted   bool
}

// Observer sees every event just before it is handled. It must not touch the
// kernel: recording never changes a run.
type Observer interface {
	Event(ev *Event)
}

// Timer is a handle on a pending event. The zero value is not pending.
type Timer struct{ slot, gen uint32 }

// New returns a kernel at time zero with nothing to do.
func New(seed uint64) *Kernel {
	k := &Kernel{}
	k.Start(seed, 0)
	return k
}

// Start starts over at instant start with another seed, keeping actors and
// memory. Timers of the old run are no longer pending.
func (k *Kernel) Start(seed uint64, start Time) {
	k.q.reset()
	k.halted = false
	k.ev, k.handled, k.inserted, k.digest, k.seed = Event{At: start}, 0, 0, mix64(seed), seed
}

// Add registers an actor; its id is the number of actors before it.
func (k *Kernel) Add(a Actor) ActorID {
	k.actors = append(roomy(k.actors), a)
	return ActorID(len(k.actors) - 1)
}

// AddOthers registers a for all ActorIDs that Add gives to nobody: one handler for
// very many actors, which need not be looked up.
func (k *Kernel) AddOthers(a Actor) { k.others = a }

// Observe makes o see every event from now on; nil stops it.
func (k *Kernel) Observe(o Observer) { k.observer = o }

// ShuffleTies changes the order in which actors have their turn at one instant,
// and leaves each actor's own order alone. Tests use it to show that such ties
// decide nothing.
func (k *Kernel) ShuffleTies(salt uint64) { k.q.salt = salt }

// Now is the time of the event being handled.
func (k *Kernel) Now() Time { return k.ev.At }

// Current is the event being handled; 0 during set-up.
func (k *Kernel) Current() EventID { return k.ev.ID }

// Cause is the event that scheduled the current one.
func (k *Kernel) Cause() EventID { return k.ev.Cause }

// Seed of the run.
func (k *Kernel) Seed() uint64 { return k.seed }

// Digest sums up what happened: two runs with the same digest handled the same
// events at the same times. It is a sum over all events, not a running hash,
// so that a stretch that was fast-forwarded can add its events in any order.
func (k *Kernel) Digest() uint64 { return k.digest }

// Mix adds a fact about the run, such as a route that was installed, to the digest.
func (k *Kernel) Mix(fact uint64) { k.digest += mix64(fact ^ uint64(k.ev.At)*golden) }

// At schedules ev for the instant t, which must not lie in the past.
func (k *Kernel) At(t Time, ev Event) Timer {
	return k.add(t, k.Place(ev.Phase, Own, ev.To), ev.Arg, ev.Kind)
}

// Place takes the place that an event for an actor would have, coming by a lane,
// if it were scheduled now. It is for events that come from another actor, and
// for those that are scheduled later, if at all: they stand then where they
// would have stood (AtPlace, ResetAtPlace).
func (k *Kernel) Place(p Phase, lane Lane, to ActorID) Place {
	k.inserted++
	return Place{uint64(p)<<phaseShift | k.inserted<<slotBits, k.ev.ID, to, lane}
}

// Passed tells whether an event that was scheduled for the instant at, before
// that instant, and by a lane that takes no turns, would have been handled before
// the current one.
func (k *Kernel) Passed(at Time, p Place) bool {
	if at != k.ev.At {
		return at < k.ev.At
	}
	here := k.Here()
	return k.again || p.before(&here, k.q.salt)
}

// Here is the place of the event being handled.
func (k *Kernel) Here() Place { return Place{k.order, k.ev.Cause, k.ev.To, k.lane} }

// Later tells whether an event that is due now is not for the round under way.
func (k *Kernel) Later(p Place) bool { return p.cause > k.began }

// AtPlace is At with a place taken before.
func (k *Kernel) AtPlace(t Time, place Place, ev Event) Timer {
	return k.add(t, place, ev.Arg, ev.Kind)
}

func (k *Kernel) add(t Time, place Place, arg uint64, kind Kind) Timer {
	if t < k.ev.At {
		panic("sim: an event was scheduled in the past")
	}
	return k.q.push(t, place, content{arg, place.to, place.lane, kind})
}

// After schedules ev after d.
func (k *Kernel) After(d time.Duration, ev Event) Timer { return k.At(k.ev.At.Add(d), ev) }

// Reset moves the pending event of t to d from now and makes it ev, or schedules
// ev when none is pending.
func (k *Kernel) Reset(t *Timer, d time.Duration, ev Event) { k.ResetAt(t, k.ev.At.Add(d), ev) }

// ResetAt is Reset for an instant.
func (k *Kernel) ResetAt(t *Timer, at Time, ev Event) {
	k.ResetAtPlace(t, at, k.Place(ev.Phase, Own, ev.To), ev)
}

// ResetAtPlace is ResetAt with a place taken before.
func (k *Kernel) ResetAtPlace(t *Timer, at Time, place Place, ev Event) {
	if k.pending(*t) {
		k.q.contents[t.slot] = content{ev.Arg, place.to, place.lane, ev.Kind}
		k.move(*t, at, place)
	} else {
		*t = k.add(at, place, ev.Arg, ev.Kind)
	}
}

// Move moves the pending event of t, whose phase and actor are these, to d from
// now as if it had been scheduled by the current event, and tells whether there
// is one. It is Reset for who knows that the event stays the same, and then it
// need not be looked at: with very many pending, that counts.
func (k *Kernel) Move(t Timer, d time.Duration, p Phase, to ActorID) bool {
	was := k.pending(t)
	if was {
		k.move(t, k.ev.At.Add(d), k.Place(p, Own, to))
	}
	return was
}

func (k *Kernel) move(t Timer, at Time, place Place) {
	if at < k.ev.At {
		panic("sim: an event was moved into the past")
	}
	k.q.move(t.slot, at, place)
}

// Stop takes the pending event of t out of the queue and tells whether there
// was one.
func (k *Kernel) Stop(t *Timer) bool {
	was := k.pending(*t)
	if was {
		k.q.release(t.slot)
	}
	*t = Timer{}
	return was
}

func (k *Kernel) pending(t Timer) bool { return t.gen != 0 && k.q.slots[t.slot].gen == t.gen }

// When tells at what time the event of t is due, and whether it is pending.
func (k *Kernel) When(t Timer) (Time, bool) {
	if !k.pending(t) {
		return 0, false
	}
	return k.q.slots[t.slot].due.at(), true
}

// Next is when the next event is due, if there is one.
func (k *Kernel) Next() (Time, bool) {
	top := k.q.first()
	if top == nil {
		return 0, false
	}
	return top.at(), true
}

// RunUntil handles every event up to and at the instant t, and leaves the
// clock there.
func (k *Kernel) RunUntil(t Time) {
	for k.Step(t) {
	}
	if !k.halted {
		k.ev.At = max(k.ev.At, t)
	}
	k.ev.ID, k.ev.Cause = 0, 0
}

// Halt ends the run with the event being handled: the clock stays where it is,
// and nothing more is handled until the next Start.
func (k *Kernel) Halt() { k.halted = true }

// Step handles the next event unless it lies after limit, and tells whether it did.
func (k *Kernel) Step(limit Time) bool {
	q := &k.q
	top := q.first()
	if top == nil || top.at() > limit || k.halted {
		return false
	}
	if q.round > 0 {
		q.round--
	} else {
		k.again, k.began = top.at() == k.ev.At, k.handled
		if n := len(q.near); n > 1 && q.near[n-2].when == top.when {
			top = q.tie(top.when)
		}
	}
	s := top.slot()
	q.near = q.near[:len(q.near)-1]
	k.handled++
	c, ev := &q.contents[s], &k.ev
	k.order, k.lane = top.order&^slotMask, c.lane
	ev.At, ev.ID, ev.Cause, ev.Arg, ev.To, ev.Kind, ev.Phase = top.at(), k.handled, q.slots[s].cause, c.arg, c.to, c.kind, top.phase()
	k.digest += hash(ev.At, ev.To, ev.Kind, ev.Arg)
	q.release(s)
	if k.observer != nil {
		k.observer.Event(ev)
	}
	if int(ev.To) < len(k.actors) {
		k.actors[ev.To].Handle(k, ev)
	} else {
		k.others.Handle(k, ev)
	}
	return true
}

// Skip accounts for an event that would have been handled at the instant at,
// had its handler not worked out the result beforehand: it takes its number
// and its part of the digest. Fast-forwarding is made of this and ResetAt.
func (k *Kernel) Skip(at Time, to ActorID, kind Kind, arg uint64) {
	k.handled++
	k.digest += hash(at, to, kind, arg)
}

// SkipAll is Skip for many events, given the sum of their parts of the digest.
func (k *Kernel) SkipAll(n int, parts uint64) {
	k.handled += EventID(n)
	k.digest += parts
}

// Part is an event's part of the digest.
func Part(at Time, to ActorID, kind Kind, arg uint64) uint64 { return hash(at, to, kind, arg) }

// Len is the number of pending events.
func (k *Kernel) Len() int { return k.q.n }

// Pending calls f for each pending event, in no order that may matter.
func (k *Kernel) Pending(f func(t Timer, at Time, kind Kind, arg uint64)) {
	for i := range k.q.slots {
		if p := &k.q.slots[i]; p.due.order != 0 {
			c := &k.q.contents[i]
			f(Timer{uint32(i), p.gen}, p.due.at(), c.kind, c.arg)
		}
	}
}

// PlaceOf is the place of the pending event of t.
func (k *Kernel) PlaceOf(t Timer) Place {
	p, c := &k.q.slots[t.slot], &k.q.contents[t.slot]
	return Place{p.due.order &^ slotMask, p.cause, c.to, c.lane}
}

// Handled is the number of events so far, skipped ones included.
func (k *Kernel) Handled() EventID { return k.handled }
