package sweep

import (
	"fmt"
	"strings"
	"time"

	"github.com/vpnsim/vpnsim/topology"
)

// Failure is something that may happen to one element of a design, or to two, as the
// story that makes it happen.
type Failure struct {
	Name  string
	Story string // a value of story, in YAML
}

// Set is the assignment that makes a scenario's story of it.
func (f Failure) Set() string { return "story=" + f.Story }

// happening is one failure of one element.
type happening struct{ element, name, item string }

// failures are all that can happen to a single element of a design: either end of a
// tunnel is deleted without a word, a tunnel or link swallows what it is given, a link
// goes down, a routing process dies or hangs. None is undone.
func failures(d *topology.Design) (list []happening) {
	for i := range d.Links {
		l := &d.Links[i]
		add := func(name, item string) {
			list = append(list, happening{l.Name, name, item})
		}
		if l.Kind == topology.Tunnel {
			for _, e := range l.Ends {
				r := d.Routers[e.Router].Name
				add(fmt.Sprintf("%s deletes %s", r, l.Name), fmt.Sprintf("delete: %s, by: %s", l.Name, r))
			}
		} else {
			add(l.Name+" goes down", "down: "+l.Name)
		}
		add(l.Name+" is a black hole", "blackhole: "+l.Name)
	}
	for i := range d.Routers {
		r := d.Routers[i].Name
		list = append(list, happening{r, r + "'s routing process dies", "kill: " + r},
			happening{r, r + "'s routing process hangs", "freeze: " + r})
	}
	return list
}

// window is when things fail: any moment of a minute, which is longer than any usual cycle
// of keepalives, and early enough that what follows is seen.
func window(d *topology.Design) string {
	from := min(d.For/5, time.Minute).Truncate(time.Millisecond)
	length := min(d.For/5, time.Minute).Truncate(time.Millisecond)
	return fmt.Sprintf(`"uniform(%s, %s)"`, topology.FormatDuration(from), topology.FormatDuration(from+length))
}

// Nothing fails.
var Nothing = Failure{"nothing fails", "[]"}

// Single failures of a design.
func Single(d *topology.Design) (list []Failure) {
	at := window(d)
	for _, h := range failures(d) {
		list = append(list, Failure{h.name, story(at, h)})
	}
	return list
}

// Double failures: of two different elements, each at a moment of its own, in either
// order.
func Double(d *topology.Design) (list []Failure) {
	at, all := window(d), failures(d)
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.element != b.element {
				list = append(list, Failure{a.name + "; " + b.name, story(at, a, b)})
			}
		}
	}
	return list
}

func story(at string, list ...happening) string {
	var items []string
	for _, h := range list {
		items = append(items, fmt.Sprintf("{at: %s, %s}", at, h.item))
	}
	return "[" + strings.Join(items, ", ") + "]"
}
