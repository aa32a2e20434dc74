package report

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// Whatever a document holds, however absurd, it is printed without a panic; the
// picture stays XML and the JSON stays JSON.
func TestAnyDocumentPrints(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		doc := rapid.Make[Document]().Draw(rt, "document")
		var b bytes.Buffer
		if err := Text(&b, doc, Options{Show: Views, Width: rapid.IntRange(0, 120).Draw(rt, "width"), Color: true}); err != nil {
			rt.Fatal(err)
		}
		if err := Explanation(&b, doc, Options{All: true, ASCII: true}); err != nil {
			rt.Fatal(err)
		}
		if err := Markdown(&b, doc); err != nil {
			rt.Fatal(err)
		}
		b.Reset()
		if err := SVG(&b, doc); err != nil {
			rt.Fatal(err)
		}
		wellFormed(t, b.Bytes())
		b.Reset()
		if err := JSON(&b, doc); err != nil {
			rt.Fatal(err)
		}
		if !json.Valid(b.Bytes()) {
			rt.Fatalf("not JSON: %s", b.Bytes())
		}
	})
}
