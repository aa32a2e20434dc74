package report

import (
	"bytes"
	"encoding/json"
	"regexp"
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

// Nor does a comparison panic, and no name in it becomes Markdown or drives a terminal.
func TestAnyDiffPrints(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := rapid.Make[Diff]().Draw(rt, "diff")
		d.Verdict = rapid.SampledFrom([]string{Identical, NoDifference, Different}).Draw(rt, "verdict")
		d.A.Scenario, d.B.Name = "<b>\x1b[31m@everyone|\n# x", "`"
		d.Changes = append(d.Changes, DiffChange{Path: d.A.Scenario, A: &DiffValue{Value: d.A.Scenario}})
		var b bytes.Buffer
		if err := DiffText(&b, d, DiffOptions{Options: Options{Width: rapid.IntRange(0, 120).Draw(rt, "width")}}); err != nil {
			rt.Fatal(err)
		}
		if bytes.ContainsRune(b.Bytes(), 0x1b) {
			rt.Fatal("an escape sequence reaches the terminal")
		}
		b.Reset()
		if err := DiffMarkdown(&b, d, nil); err != nil {
			rt.Fatal(err)
		}
		if outside := fenced.ReplaceAll(b.Bytes(), nil); bytes.Contains(outside, []byte("<b>")) || bytes.Contains(outside, []byte("@everyone")) {
			rt.Fatalf("a name became Markdown: %s", outside)
		}
		b.Reset()
		if err := DiffJSON(&b, d); err != nil {
			rt.Fatal(err)
		}
		if !json.Valid(b.Bytes()) {
			rt.Fatalf("not JSON: %s", b.Bytes())
		}
	})
}

var fenced = regexp.MustCompile("(?s)```.*?\n```")
