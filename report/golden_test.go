package report

import (
	"bytes"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with testdata/name; the files are reviewed, not trusted.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		var gl, wl string
		if i < len(g) {
			gl = g[i]
		}
		if i < len(w) {
			wl = w[i]
		}
		if gl != wl {
			t.Fatalf("%s:%d\n got %q\nwant %q\n(go test ./report -update rewrites it)", file, i+1, gl, wl)
		}
	}
}

// everything runs a writer on a document twice: equal input, equal bytes.
func everything(t *testing.T, write func(io.Writer) error) []byte {
	t.Helper()
	var a, b bytes.Buffer
	if err := write(&a); err != nil {
		t.Fatal(err)
	}
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Fatal("the same document gave other bytes the second time")
	}
	return a.Bytes()
}

var documents = map[string]func() Document{
	"seed":             seedCase,
	"nothing-sent":     nothingSent,
	"no-ping":          noPing,
	"no-gap":           noGap,
	"never-recovered":  neverRecovered,
	"two-probes":       twoProbes,
	"chance-only":      chanceOnly,
	"between-two":      betweenTwoProbes,
	"explained-route":  explained,
	"explained-no-gap": func() Document { d := noGap(); d.Kind = "explain"; return d },
}

func TestTextOfEveryKindOfRun(t *testing.T) {
	for name, doc := range documents {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".txt", everything(t, func(w io.Writer) error {
				if doc().Kind == "explain" {
					return Explanation(w, doc(), Options{})
				}
				return Text(w, doc(), Options{})
			}))
		})
	}
}

func TestEveryView(t *testing.T) {
	for _, view := range Views {
		t.Run(view, func(t *testing.T) {
			golden(t, "view-"+view+".txt", everything(t, func(w io.Writer) error {
				return Text(w, seedCase(), Options{Show: []string{view}})
			}))
		})
	}
}

// Asked about forwarding, explain says more than that it was so.
func TestForwardingExplained(t *testing.T) {
	for name, doc := range map[string]func() Document{"seed": seedCase, "no-ping": noPing} {
		golden(t, "explained-forwarding-"+name+".txt", everything(t, func(w io.Writer) error {
			d := doc()
			d.Kind = "explain"
			return Explanation(w, d, Options{Show: []string{"forwarding"}})
		}))
	}
}

func TestTextOptions(t *testing.T) {
	for name, opt := range map[string]Options{
		"width-80":     {Width: 80},
		"width-80-all": {Width: 80, Show: Views},
		"ascii":        {ASCII: true},
		"color":        {Color: true},
		"centos7":      {Ping: "centos7", Show: []string{"ping"}},
		"all":          {All: true, Show: []string{"ping"}},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, "option-"+name+".txt", everything(t, func(w io.Writer) error {
				return Text(w, seedCase(), opt)
			}))
		})
	}
}

func TestJSONGolden(t *testing.T) {
	for name, doc := range map[string]func() Document{"nothing-sent": nothingSent, "no-ping": noPing, "between-two": betweenTwoProbes, "seed": seedCase} {
		golden(t, name+".json", everything(t, func(w io.Writer) error { return JSON(w, doc()) }))
	}
}

func TestMarkdownOfEveryKindOfRun(t *testing.T) {
	for name, doc := range documents {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".md", everything(t, func(w io.Writer) error { return Markdown(w, doc()) }))
		})
	}
}

func TestSVGOfEveryKindOfRun(t *testing.T) {
	for name, doc := range documents {
		t.Run(name, func(t *testing.T) {
			got := everything(t, func(w io.Writer) error { return SVG(w, doc()) })
			wellFormed(t, got)
			golden(t, name+".svg", got)
		})
	}
}

// wellFormed reads got as XML to its end.
func wellFormed(t *testing.T, got []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(got))
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
	}
}
