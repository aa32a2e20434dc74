package explain

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpnsim/vpnsim/network"
	"github.com/vpnsim/vpnsim/sim"
)

// What began an outage is seldom simply the first cause of its first event. A
// hold timer runs out because of what did not come: its cause is the last
// message that did, and the causes of that lead back to whatever brought the
// session up, long before. So whoever goes back through the causes has to look,
// at each timer, for what the story did while it ran.

// origin is what began an outage.
type origin struct {
	fault int         // of the story; -1: none
	timer sim.EventID // a timer that noticed it; 0: it needed none
}

// began finds the origin of an event, mostly the one that an outage began with.
func (a *Answer) began(id sim.EventID) origin {
	if id == 0 {
		return origin{-1, 0}
	}
	about := a.Net.Programmed(id)
	// Networks that never come to rest have thousands of events whose causes lead
	// back through each other, so what was found once is kept for all of them.
	keep := len(about) < 2
	key := func(id sim.EventID) step {
		if len(about) == 0 {
			return step{id: id}
		}
		return step{id, about[0]}
	}
	var way []sim.EventID
	end := lead{origin: origin{-1, 0}}
	for ; id != 0; id = a.Net.Before(id, about) {
		if known, ok := a.origins[key(id)]; ok && keep {
			end = known
			break
		}
		way = append(way, id)
		ev := a.event(id)
		if f, ok := network.FaultOf(ev); ok {
			end = lead{origin{f, 0}, true}
			break
		}
		timer, silence := network.TimerOf(ev)
		if !timer {
			continue
		}
		if f := a.during(id); f >= 0 {
			end = lead{origin{f, id}, true}
			break
		}
		if silence { // nobody's fault: chance, or timers that do not go together
			end = lead{origin{-1, id}, true}
			break
		}
	}
	for _, id := range slices.Backward(way) {
		if timer, _ := network.TimerOf(a.event(id)); timer && !end.sure {
			end.timer = id // of the timers, the last one
		}
		if keep {
			a.origins[key(id)] = end
		}
	}
	return end.origin
}

// step is an event that causes were gone back through, for what they did about a
// prefix.
type step struct {
	id    sim.EventID
	about netip.Prefix
}

// lead is where the causes of a step lead; sure, if it is more than the last of
// the timers that they lead through.
type lead struct {
	origin
	sure bool
}

// during finds the last fault that has to do with a timer and came while it
// ran. What ends a fault makes no timer run out that waits for a sign of life.
func (a *Answer) during(id sim.EventID) int {
	ev := a.event(id)
	since := a.when(ev.Cause)
	_, silence := network.TimerOf(ev)
	last := -1
	for i := range a.Design.Story {
		at := a.Net.FaultTime(i)
		if at < since || at > ev.At || silence && a.Design.Story[i].Kind.Mends() || !a.Net.Concerns(ev, i) {
			continue
		}
		if last < 0 || at >= a.Net.FaultTime(last) {
			last = i
		}
	}
	return last
}

// timerText says which timer noticed what began.
func (a *Answer) timerText(x origin) string {
	w := a.Net.Wait(x.timer)
	text := fmt.Sprintf("%s: %s, at %.3f s", w.Node, w.What, a.event(x.timer).At.Seconds())
	if x.fault >= 0 {
		text += ", after " + a.faultText(x.fault)
	}
	return text
}

// causeText says what began the outage.
func (a *Answer) causeText(res *network.ProbeResult, o network.Outage) string {
	x := a.beginning(res, o)
	switch {
	case x.fault >= 0 && x.timer == 0:
		return a.faultText(x.fault)
	case o.Start <= 0:
		text := "it was so at time zero, when the warm-up ended"
		for _, c := range res.Paths() {
			if w, ok := a.Net.Blame(res, c); ok && c.At <= 0 && !c.OK {
				return text + ": " + w.What
			}
		}
		return text
	case x.timer == 0:
		return "the state of forwarding changed"
	}
	text := a.timerText(x)
	if slow, ok := a.Net.TooSlow(a.event(x.timer)); ok && x.fault < 0 {
		text += fmt.Sprintf(": %s sends a keepalive every %s, whatever was negotiated (%s)", slow.Node, slow.Value, slow.Parameter)
	}
	return text
}

// beginning finds the origin of an outage. One that is there when the warm-up
// ends begins with that event; its cause is in the state that the walk met.
func (a *Answer) beginning(res *network.ProbeResult, o network.Outage) origin {
	if o.Start > 0 {
		return a.began(o.StartEvent)
	}
	for _, c := range res.Paths() {
		if c.At <= 0 && !c.OK && c.Because != 0 {
			if f, ok := network.FaultOf(a.event(c.Because)); ok {
				return origin{f, 0}
			}
		}
	}
	return origin{-1, 0}
}

// beganAt is when that was which an outage began with: mostly a fault, before the outage.
func (a *Answer) beganAt(res *network.ProbeResult, o network.Outage) sim.Time {
	switch x := a.beginning(res, o); {
	case x.fault >= 0:
		return min(o.Start, a.Net.FaultTime(x.fault))
	case x.timer != 0:
		return min(o.Start, a.when(x.timer))
	}
	return o.Start
}

func (a *Answer) faultText(f int) string {
	return fmt.Sprintf("%s at %.3f s (story[%d], %s)", a.Net.FaultText(f), a.Net.FaultTime(f).Seconds(), a.Design.Story[f].Index, a.Design.Story[f].Pos)
}
