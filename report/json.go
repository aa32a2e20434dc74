package report

import (
	"bytes"
	"encoding/json"
	"io"
)

// JSON writes doc, indented and ending in a newline. Equal documents give equal
// bytes; an empty list is [], never null, so that a reader needs no test.
func JSON(w io.Writer, doc Document) error { return encode(w, rewrite(doc, asIs)) }

func encode(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	// The result is no web page: "->" and "&" stay readable.
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
