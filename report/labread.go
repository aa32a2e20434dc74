package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Results of labs are read back to be compared with new predictions. What is wrong with
// one is said with its line and column, and nothing is passed over: a result of which
// half is not understood is no proof of anything.

// LabDocument is a Lab and where it stands.
type LabDocument struct {
	Lab
	File      string
	Line, Col int
}

// ReadLabs reads a file of any number of results, one after the other. It stops at what
// is no JSON; of a document that is some other, all that is wrong is told.
func ReadLabs(file string, data []byte) (list []LabDocument, problems []Diagnostic) {
	r := &labReader{file: file, data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	r.dec.UseNumber()
	for {
		start := r.next()
		if start == len(data) {
			break
		}
		before := len(r.problems)
		if !r.document() {
			break
		}
		if len(r.problems) > before {
			continue
		}
		doc := LabDocument{File: file}
		doc.Line, doc.Col = r.position(start)
		if err := json.Unmarshal(data[start:r.dec.InputOffset()], &doc.Lab); err != nil {
			r.problem(start, "", "%v", err)
			continue
		}
		r.sense(&doc.Lab, start)
		list = append(list, doc)
	}
	if len(list) == 0 && len(r.problems) == 0 {
		r.problem(0, "`vpnsim lab run --format json` writes them", "there is no result of a lab in it")
	}
	return list, r.problems
}

// labReader walks through the tokens of a file beside the types that they are to become:
// encoding/json alone does not say where an unknown field stands.
type labReader struct {
	file     string
	data     []byte
	dec      *json.Decoder
	problems []Diagnostic
}

// next is where the next token begins.
func (r *labReader) next() int {
	i := int(r.dec.InputOffset())
	for i < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[i]) >= 0 {
		i++
	}
	return i
}

// position of a byte: line and column, from 1.
func (r *labReader) position(at int) (line, col int) {
	before := r.data[:min(at, len(r.data))]
	return 1 + bytes.Count(before, []byte("\n")), at - bytes.LastIndexByte(before, '\n')
}

func (r *labReader) problem(at int, help, format string, args ...any) {
	line, col := r.position(at)
	r.problems = append(r.problems, Diagnostic{File: r.file, Line: line, Col: col, Severity: "error", Message: fmt.Sprintf(format, args...), Help: help})
}

// document checks one. False: it is no JSON, and what follows makes no sense.
func (r *labReader) document() bool {
	start := r.next()
	if err := r.value(reflect.TypeFor[Lab](), ""); err != nil {
		var syntax *json.SyntaxError
		at := r.next()
		if errors.As(err, &syntax) {
			if at = int(syntax.Offset); syntax.Offset != r.dec.InputOffset() {
				at = max(at-1, 0) // the scanner counts bytes, Token says where one is
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			r.problem(start, "was its writing interrupted?", "the file ends before this document does")
		} else {
			r.problem(at, "", "this is no JSON: %v", err)
		}
		return false
	}
	return true
}

// value checks the next one. The error is that of the decoder.
func (r *labReader) value(typ reflect.Type, path string) error {
	at := r.next()
	tok, err := r.dec.Token()
	if err != nil {
		return err
	}
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	name := path
	if name == "" {
		name = "a result of a lab"
	}
	switch delim, _ := tok.(json.Delim); {
	case delim == '{' && typ.Kind() == reflect.Struct:
		return r.object(typ, path)
	case delim == '[' && typ.Kind() == reflect.Slice:
		for i := 0; r.dec.More(); i++ {
			if err := r.value(typ.Elem(), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		_, err := r.dec.Token()
		return err
	case delim == '{' || delim == '[':
		r.problem(at, "", "%s is %s, not %s", name, kindOf(reflect.Slice, delim == '['), kindOf(typ.Kind(), false))
		return r.skip()
	}
	if wrong := scalar(tok, typ, name); wrong != "" {
		r.problem(at, "", "%s", wrong)
	}
	return nil
}

// object checks the fields of one whose brace has been read.
func (r *labReader) object(typ reflect.Type, path string) error {
	seen := map[string]bool{}
	for r.dec.More() {
		at := r.next()
		tok, err := r.dec.Token()
		if err != nil {
			return err
		}
		key := tok.(string)
		inner := strings.TrimPrefix(path+"."+key, ".")
		field := slices.IndexFunc(reflect.VisibleFields(typ), func(f reflect.StructField) bool {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			return name == key
		})
		if path == "" && key == "kind" {
			// Another document of this program is named as such, and its other fields not.
			if is, err := r.kind(); err != nil || !is {
				return err
			}
			seen[key] = true
			continue
		}
		switch {
		case field < 0:
			r.problem(at, "a newer vpnsim may have written it", "%s is no field of a result of a lab", inner)
			if err := r.any(); err != nil {
				return err
			}
			continue
		case seen[key]:
			r.problem(at, "", "%s is there twice", inner)
		}
		seen[key] = true
		if err := r.value(reflect.VisibleFields(typ)[field].Type, inner); err != nil {
			return err
		}
	}
	_, err := r.dec.Token()
	return err
}

// kind reads that of a document; when it is another, all of the rest.
func (r *labReader) kind() (bool, error) {
	at := r.next()
	tok, err := r.dec.Token()
	if err != nil || tok == LabKind {
		return true, err
	}
	r.problem(at, "lab compare reads what `vpnsim lab run --format json` prints", "this is another document: its kind is %v", tok)
	return false, r.skip()
}

// any passes over the next value.
func (r *labReader) any() error {
	tok, err := r.dec.Token()
	if d, ok := tok.(json.Delim); ok && err == nil && (d == '{' || d == '[') {
		return r.skip()
	}
	return err
}

// skip passes over what is left of the innermost object or list.
func (r *labReader) skip() error {
	for depth := 1; depth > 0; {
		tok, err := r.dec.Token()
		if err != nil {
			return err
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return nil
}

// scalar tells what is wrong with one.
func scalar(tok json.Token, typ reflect.Type, name string) string {
	is := fmt.Sprint(tok)
	switch text, isText := tok.(string); {
	case isText:
		is = strconv.Quote(text)
	case tok == nil:
		is = "null"
	}
	wrong := fmt.Sprintf("%s is %s, not %s", name, is, kindOf(typ.Kind(), false))
	n, isNumber := tok.(json.Number)
	switch typ.Kind() {
	case reflect.String:
		if _, ok := tok.(string); ok {
			return ""
		}
	case reflect.Bool:
		if _, ok := tok.(bool); ok {
			return ""
		}
	case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Float64:
		var err error
		switch {
		case !isNumber:
			return wrong
		case typ == reflect.TypeFor[Seconds]():
			if err := new(Seconds).UnmarshalJSON([]byte(n)); err != nil {
				return fmt.Sprintf("%s: %v", name, err)
			}
		case typ.Kind() == reflect.Uint64:
			_, err = strconv.ParseUint(n.String(), 10, 64)
		case typ.Kind() == reflect.Float64:
			_, err = n.Float64()
		default:
			_, err = strconv.Atoi(n.String())
		}
		if err == nil {
			return ""
		}
	}
	return wrong
}

// kindOf a value in words.
func kindOf(k reflect.Kind, list bool) string {
	switch {
	case k == reflect.Struct, k == reflect.Slice && !list:
		return "an object"
	case k == reflect.Slice:
		return "a list"
	case k == reflect.String:
		return "a string"
	case k == reflect.Bool:
		return "true or false"
	case k == reflect.Uint64:
		return "a whole number from 0"
	case k == reflect.Int:
		return "a whole number"
	}
	return "a number"
}

// sense tells what of a document contradicts itself, or is missing.
func (r *labReader) sense(l *Lab, start int) {
	lacks := func(what string) { r.problem(start, "", "this result has no %s", what) }
	if l.VPNSim != "v1" {
		r.problem(start, "", "version %q of the format is not known, only v1", l.VPNSim)
	}
	if l.Kind == "" {
		r.problem(start, "lab compare reads what `vpnsim lab run --format json` prints", `there is no "kind": "lab"`)
	}
	if l.Scenario == "" {
		lacks("scenario")
	}
	if l.Tunnel == "" {
		lacks("tunnel")
	}
	if len(l.ScenarioSHA256) != 64 {
		lacks("scenario_sha256 of 64 digits")
	}
	if l.LengthS <= 0 {
		lacks("length_s")
	}
	if len(l.Routers) == 0 {
		lacks("routers")
	}
	for i, x := range l.Routers {
		if x.Router == "" || x.Daemon == "" || slices.ContainsFunc(l.Routers[:i], func(y LabRouter) bool { return x.Router == y.Router }) {
			r.problem(start, "", "routers[%d] has no name of its own, or no daemon", i)
		}
	}
	for i, t := range l.Trials {
		most := Seconds(0)
		for _, p := range t.Pings {
			most = max(most, p.GapS)
			if p.GapS < 0 || p.Received > p.Sent || p.MostS != nil && *p.MostS < p.LeastS {
				r.problem(start, "", "trials[%d] (number %d, seed %d): what %q has seen contradicts itself", i, t.Number, t.Seed, p.Probe)
			}
		}
		if t.Error == "" && (len(t.Pings) == 0 || t.GapS != most) {
			r.problem(start, "", "trials[%d] (number %d, seed %d): its gap_s is not the longest of its pings' gaps", i, t.Number, t.Seed)
		}
	}
}
