package topology

import "fmt"

func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// String says where a value comes from, in words.
func (o Origin) String() string {
	switch o.Status {
	case Given:
		return o.Pos.String()
	case Overridden:
		return "--set"
	}
	s := o.Status.String()
	if o.Profile != "" {
		s = "profile " + o.Profile + ", " + s
	}
	for _, part := range []string{o.Source, o.Note} {
		if part != "" {
			return s + ": " + part
		}
	}
	return s
}
