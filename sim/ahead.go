package sim

// With very many events pending, what handling one of them needs is not in the
// caches, and fetching a line of memory takes as long as a thousand instructions.
// But memory can fetch some dozens of lines at the same time, if only it is asked
// for them before they are needed. So whenever a bucket of events is taken into
// near, all of them are looked at together, and so is what their actors will
// want, one step of the way after the other: first all that is one pointer away,
// then what lies behind that. On the machine of docs/performance.md a line that
// has to be waited for takes 250 ns, and one of many that are looked at together 10.
//
// Nothing depends on what is seen there.

// Expected is an event that will be handled soon, unless it is moved or stopped.
type Expected struct {
	Arg  uint64
	To   ActorID
	Kind Kind
}

// Foreseer is told what comes soon. It may look at memory, and do nothing else.
type Foreseer interface {
	Soon(events []Expected)
}

type ahead struct {
	foreseer Foreseer // nil: nobody wants to know
	actors   []Actor
	events   []Expected
	looked   uint64 // what is read for no other purpose goes here, or it would not be read
}

// Foresee tells f what comes soon, from now on. It is called after Add.
func (k *Kernel) Foresee(f Foreseer) { k.q.ahead.foreseer, k.q.ahead.actors = f, k.actors }

// lookAhead looks at the events of keys, which are due next.
func (q *queue) lookAhead(keys []key) {
	a := &q.ahead
	if a.foreseer == nil {
		for i := range keys {
			a.looked += q.contents[keys[i].slot()].arg
		}
		return
	}
	a.events = a.events[:0]
	for i := range keys {
		c := &q.contents[keys[i].slot()]
		a.events = append(a.events, Expected{c.arg, c.to, c.kind})
	}
	for i := range a.events {
		if to := int(a.events[i].To); to < len(a.actors) && a.actors[to] != nil {
			a.looked++
		}
	}
	a.foreseer.Soon(a.events)
}
