package report

import "fmt"

// Like tells whether two waits were drawn from the same, or neither was drawn.
func (d *Drawn) Like(o *Drawn) bool {
	if d == nil || o == nil {
		return d == o
	}
	return d.From == o.From && d.Parameter == o.Parameter
}

// And is d and another one like it as one.
func (d *Drawn) And(o *Drawn) *Drawn {
	if d == nil {
		return nil
	}
	sum := *d
	sum.Times += o.Times
	sum.S += o.S
	return &sum
}

// words say what was drawn, or how often and what all of it was together.
func (d *Drawn) words() string {
	switch {
	case d == nil:
		return ""
	case d.Times > 1:
		return fmt.Sprintf("drawn: %d times, %s s in all, of %s", d.Times, d.S.Fixed(3), d.From)
	}
	return fmt.Sprintf("drawn: %s s of %s", d.S.Fixed(3), d.From)
}

// asides are what is to be said of a wait besides what it was for: since when it had
// waited, and what was drawn.
func asides(c Wait) (list []string) {
	for _, s := range []string{since(c), c.Drawn.words()} {
		if s != "" {
			list = append(list, s)
		}
	}
	return list
}

// reasons are the settings that a wait depends on, each with where it comes from.
func reasons(c Wait) (list [][2]string) {
	if s := setting(c); s != "" || c.Source != "" {
		list = append(list, [2]string{s, c.Source})
	}
	if d := c.Drawn; d != nil {
		list = append(list, [2]string{d.Parameter + " = " + d.Value, d.Source})
	}
	return list
}
