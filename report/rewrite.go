package report

import (
	"reflect"
	"strings"
	"unicode"
)

// rewrite returns a deep copy of doc in which every string went through f and
// no slice is nil. It works by reflection so that a field added to Document
// cannot be forgotten here.
func rewrite(doc Document, f func(string) string) Document { return rewritten(doc, f) }

// rewritten is rewrite for what is not a Document.
func rewritten[T any](v T, f func(string) string) T {
	out := reflect.New(reflect.TypeFor[T]()).Elem()
	copyValue(out, reflect.ValueOf(v), f)
	return out.Interface().(T)
}

func copyValue(dst, src reflect.Value, f func(string) string) {
	switch src.Kind() {
	case reflect.String:
		dst.SetString(f(src.String()))
	case reflect.Struct:
		for i := range src.NumField() {
			copyValue(dst.Field(i), src.Field(i), f)
		}
	case reflect.Slice:
		dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
		for i := range src.Len() {
			copyValue(dst.Index(i), src.Index(i), f)
		}
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(src.Type().Elem()))
			copyValue(dst.Elem(), src.Elem(), f)
		}
	default:
		dst.Set(src)
	}
}

// asIs is the f of a rewrite that only copies.
func asIs(s string) string { return s }

// oneLine takes out of s what would break a line or drive a terminal. Names in
// a scenario are somebody else's text: an escape sequence or a right-to-left
// override in one must not reach the reader's screen.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}
