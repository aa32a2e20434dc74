package topology

import "fmt"

// String is file:line:col, or the file alone where there is no line.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// String says where a value comes from, in a few words.
func (o Origin) String() string {
	detail := o.Source
	if o.Status == Assumed && o.Note != "" || detail == "" {
		detail = o.Note
	}
	switch {
	case o.Status == Overridden && o.Param != "":
		return "--set " + o.Param
	case o.Status == Overridden:
		return "--set"
	case o.Status == Given && o.Param != "":
		return "params." + o.Param + ", " + o.Pos.String()
	case o.Status == Given:
		return o.Pos.String()
	case o.Profile == "":
		return fmt.Sprintf("%s: %s", o.Status, detail)
	}
	return fmt.Sprintf("profile %s, %s: %s", o.Profile, o.Status, detail)
}
